//! Listings: of nothing, by prefix, of containers, with sizes.

use cofferdam_sandbox::contract::{BackupIdentity, ObjectAddress};

use crate::case::{Case, Stop, Verdict};
use crate::content::Source;
use crate::expect::{Expect, equal, found, holds, shown};
use crate::ground::{Ground, refuses};

pub(super) const CASES: &[Case] = &[
    Case {
        number: 39,
        group: "listing",
        name: "what holds nothing lists empty",
        why: "Cinder's s3 driver fails there, and a first backup with it",
        needs: &[],
        run: |ground| Box::pin(empty(ground)),
    },
    Case {
        number: 39,
        group: "listing",
        name: "a container with a backup in it is among the containers",
        why: "backups that nobody has a record of are looked for there",
        needs: &[],
        run: |ground| Box::pin(containers(ground)),
    },
    Case {
        number: 40,
        group: "listing",
        name: "a prefix takes what begins with it and nothing else",
        why: "a backup's objects are found by their prefix, and deleted",
        needs: &[],
        run: |ground| Box::pin(prefixes(ground)),
    },
    Case {
        number: 44,
        group: "listing",
        name: "sizes in a listing are those by stat and by get",
        why: "a truncated object is found by its size before it is read",
        needs: &[],
        run: |ground| Box::pin(sizes(ground)),
    },
];

async fn empty(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let (objects, more) = store
        .page(&ground.prefix(), None, 1000)
        .await
        .must("an empty page")?;
    holds(
        objects.is_empty() && !more,
        "an empty page, and no more to follow",
        || format!("{} names, more: {more}", objects.len()),
    )
}

async fn containers(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let backup = BackupIdentity {
        backup_id: format!("{:08x}-0000-4000-8000-000000000039", ground.rng().u32(..)),
        volume_id: "11111111-2222-4333-8444-555555555555".into(),
        timestamp: "20240102030405".into(),
        availability_zone: "nova".into(),
    };
    let placed = store
        .instance
        .place_backup(backup, None)
        .await
        .must("a place for a backup")?;
    match store.instance.list_containers(None, 1000).await {
        Err(failure) if failure.code() == "driver.unsupported" => {
            return Err(Stop::Skipped("it cannot list its containers".into()));
        }
        listed => listed.map(drop).must("the containers to be listed")?,
    }
    store
        .instance
        .create_container(&placed.container)
        .await
        .must("the backup's container")?;
    let at = ObjectAddress {
        container: placed.container.clone(),
        name: format!("{}_metadata", placed.prefix),
    };
    store
        .put_from(&at, store.info(b"x"), Source::bytes(b"x"))
        .await
        .must("a put")?;
    // A second one, so that there are pages.
    let second = ObjectAddress {
        container: format!("{}-2", ground.container()),
        name: ground.name("second"),
    };
    if store.instance.create_container(&second.container).await.is_ok() {
        let put = store
            .put_from(&second, store.info(b"x"), Source::bytes(b"x"))
            .await;
        put.must("a put into a container that was made")?;
    }
    let mut before: Option<Vec<String>> = None;
    for limit in [1, 2, 1000] {
        let (mut all, mut more): (Vec<String>, _) = (Vec::new(), true);
        while more {
            let page = store
                .instance
                .list_containers(all.last().cloned(), limit)
                .await
                .must("a page of containers")?;
            holds(
                !page.containers.is_empty() || !page.more,
                "containers, since more follow",
                || "an empty page".into(),
            )?;
            all.extend(page.containers);
            more = page.more;
            holds(
                all.is_sorted_by(|one, other| one < other),
                "containers once each, in byte order",
                || format!("{all:?}"),
            )?;
        }
        holds(
            all.contains(&placed.container),
            format!("{} among the containers", placed.container),
            || format!("{all:?}"),
        )?;
        if let Some(before) = before {
            equal("the same containers by greater pages", &before, &all)?;
        }
        before = Some(all);
    }
    Ok(())
}

async fn prefixes(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let mut names: Vec<String> = ["a", "a-1", "a-10", "a-2", "ab", "b", "B"]
        .map(|rest| ground.name(rest))
        .into();
    for name in &names {
        store.put(name, b"x").await.must("a put")?;
    }
    // Folders, where the driver knows them.
    for rest in ["d/1", "d/e/2", "d0"] {
        let name = ground.name(rest);
        match store.put(&name, b"x").await {
            Ok(()) => names.push(name),
            Err(failure) if refuses(failure.code()) => {}
            Err(failure) => {
                return Err(found(
                    format!("{name} to be taken, or refused as unsupported"),
                    shown(&failure),
                ));
            }
        }
    }
    names.sort();
    for rest in [
        "", "a", "a-", "a-1", "a-1x", "ab", "b", "B", "c", "d", "d/", "d/e", "d/e/2",
    ] {
        let prefix = ground.name(rest);
        let expected: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with(&prefix))
            .cloned()
            .collect();
        equal(
            &format!("what begins with {prefix}"),
            &expected,
            &store.names(&prefix).await?,
        )?;
    }
    Ok(())
}

async fn sizes(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let sizes = [0, 1, 4097, 70_000];
    for size in sizes {
        let name = ground.name(&format!("{size:06}"));
        store
            .put_content(&name, ground.content(&name, size))
            .await
            .must("a put")?;
    }
    let listed = store.list(&ground.prefix(), 3).await?;
    let told: Vec<u64> = listed.iter().map(|object| object.size).collect();
    equal("sizes in the listing", &sizes.to_vec(), &told)?;
    for object in listed {
        equal(
            "the size by stat",
            &object.size,
            &store.stat(&object.name).await.must("a stat")?,
        )?;
        let came = store.get(&object.name).await.must("a get")?;
        equal("the bytes of a get", &object.size, &(came.len() as u64))?;
    }
    Ok(())
}
