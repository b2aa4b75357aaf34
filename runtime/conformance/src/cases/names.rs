//! Names as backups have them, names at the limits of length, and names that would lead somewhere else.

use cofferdam_sandbox::contract::{BackupIdentity, ObjectAddress};

use crate::case::{Case, Verdict};
use crate::content::Source;
use crate::expect::{Expect, equal, found, holds, same, shown};
use crate::ground::{Ground, refuses};

pub(super) const CASES: &[Case] = &[
    Case {
        number: 37,
        group: "names",
        name: "the names of a backup's objects are taken where the driver places it",
        why: "without that there is no backup",
        needs: &[],
        run: |ground| Box::pin(backups(ground)),
    },
    Case {
        number: 37,
        group: "names",
        name: "names of the greatest length are kept or refused, longer ones are refused",
        why: "a name that is cut short is another object's",
        needs: &[],
        run: |ground| Box::pin(lengths(ground)),
    },
    Case {
        number: 38,
        group: "names",
        name: "an object's name that leads out of its container is refused",
        why: "a record of a backup comes from an import, and may be anybody's",
        needs: &[],
        run: |ground| Box::pin(leading_out(ground)),
    },
    Case {
        number: 38,
        group: "names",
        name: "a container that leads out of the storage's root is refused",
        why: "users name containers",
        needs: &[],
        run: |ground| Box::pin(containers(ground)),
    },
];

const VOLUME: &str = "11111111-2222-4333-8444-555555555555";

async fn backups(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let id = format!(
        "{:08x}-0000-4000-8000-{:012x}",
        ground.rng().u32(..),
        ground.rng().u64(..1 << 48)
    );
    let backup = BackupIdentity {
        backup_id: id,
        volume_id: VOLUME.into(),
        timestamp: "20240102030405".into(),
        availability_zone: "nova".into(),
    };
    let container = Some(ground.container().to_owned());
    let placed = store
        .instance
        .place_backup(backup, container)
        .await
        .must("a place for a backup")?;
    equal(
        "the container that was asked for",
        &ground.container(),
        &placed.container.as_str(),
    )?;
    let names = ["-00001", "-00002", "-99999", "_metadata", "_sha256file"]
        .map(|rest| format!("{}{rest}", placed.prefix));
    for name in &names {
        store
            .put(name, name.as_bytes())
            .await
            .must(format!("a put of {name}"))?;
    }
    let listed = store.names(&placed.prefix).await?;
    equal("the backup's objects", &names.to_vec(), &listed)?;
    for name in &names {
        ground.whole(name, name.as_bytes()).await?;
        store.delete(name).await.must("a delete")?;
    }
    Ok(())
}

async fn lengths(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for length in [200, 255, 256, 1023, 1024, 1025, 5000] {
        let mut pair = Vec::new();
        for last in ["a", "b"] {
            let mut name = ground.name("");
            name.push_str(&"n".repeat(length - name.len() - 1));
            name.push_str(last);
            match store.put(&name, last.as_bytes()).await {
                Ok(()) if length <= 1024 => pair.push((name, last)),
                Ok(()) => {
                    return Err(found(
                        format!("a name of {length} bytes to be refused"),
                        "it is taken",
                    ));
                }
                Err(failure) if length <= 200 || !refuses(failure.code()) => {
                    let expected = format!(
                        "a name of {length} bytes to be taken, or refused as unsupported if over 200"
                    );
                    return Err(found(expected, shown(&failure)));
                }
                Err(_) => {}
            }
        }
        for (name, last) in pair {
            same(
                "the object of a long name",
                last.as_bytes(),
                &store.get(&name).await.must("a long name")?,
            )?;
            store.delete(&name).await.must("a long name to be deleted")?;
        }
    }
    Ok(())
}

async fn leading_out(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let kept = ground.name("kept");
    store.put(&kept, b"kept").await.must("a put")?;
    let back = format!("../{}/{kept}", ground.container());
    for name in [
        "",
        ".",
        "..",
        "../x",
        &back,
        &format!("x/../{kept}"),
        &format!("./{kept}"),
        &format!("x/../../{kept}"),
    ] {
        let at = ground.at(name);
        let put = store
            .put_from(&at, store.info(b"other"), Source::bytes(b"other"))
            .await;
        let failure = put.fails(format!("the name {name:?} to be refused"))?;
        holds(
            refuses(failure.code()),
            format!("the name {name:?} to be refused as unsupported"),
            || shown(&failure),
        )?;
        if let Ok(came) = store.get_at(&at, None).await {
            return Err(found(
                format!("nothing under {name:?}"),
                format!("{} bytes", came.len()),
            ));
        }
        // Whatever it says, it must delete nothing.
        let _ = store.instance.delete_object(at).await;
        ground.whole(&kept, b"kept").await?;
    }
    Ok(())
}

async fn containers(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let own = ground.container();
    for container in [
        "",
        ".",
        "..",
        "../x",
        "/",
        "/tmp",
        "x/../..",
        &format!("{own}/.."),
        &format!("../{own}"),
    ] {
        let made = store.instance.create_container(container).await;
        let failure = made.fails(format!("the container {container:?} to be refused"))?;
        holds(
            refuses(failure.code()),
            format!("the container {container:?} to be refused as unsupported"),
            || shown(&failure),
        )?;
        let at = ObjectAddress {
            container: container.to_owned(),
            name: ground.name("out"),
        };
        let put = store.put_from(&at, store.info(b"x"), Source::bytes(b"x")).await;
        put.fails(format!("a put into the container {container:?} to be refused"))?;
    }
    Ok(())
}
