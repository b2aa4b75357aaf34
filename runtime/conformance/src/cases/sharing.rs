//! Several instances at a time: what one wrote the others see, whole, and never each other's bytes.

use cofferdam_sandbox::RetryClass;
use futures::future::{Either, join, join_all, select};

use crate::case::{Case, Stop, Verdict};
use crate::content::Ending;
use crate::expect::{Expect, equal, found, holds, same, shown};
use crate::ground::Ground;
use crate::store::Store;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 29,
        group: "sharing",
        name: "what one instance wrote, replaced and deleted, another one sees at once",
        why: "a backup is written by several instances and verified by others",
        needs: &[],
        run: |ground| Box::pin(at_once(ground)),
    },
    Case {
        number: 30,
        group: "sharing",
        name: "an object that is being put is not there yet",
        why: "the metadata object is the mark that a backup is whole",
        needs: &[],
        run: |ground| Box::pin(not_yet(ground)),
    },
    Case {
        number: 30,
        group: "sharing",
        name: "a reader gets one version whole while others are being put",
        why: "a restore may meet a backup's metadata in the moment that they are replaced",
        needs: &[],
        run: |ground| Box::pin(one_version(ground)),
    },
    Case {
        number: 57,
        group: "sharing",
        name: "thirty-two operations at a time keep every object's bytes apart",
        why: "objects of several backups are in flight at once",
        needs: &[],
        run: |ground| Box::pin(abreast(ground)),
    },
];

async fn at_once(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("seen");
    for round in 0..3 {
        let bytes = ground.content(&format!("{round}"), 10_000 + round).bytes();
        store.put(&name, &bytes).await.must("a put")?;
        ground.whole(&name, &bytes).await?;
    }
    store.delete(&name).await.must("a delete")?;
    ground.absent(&name).await
}

async fn not_yet(ground: &Ground<'_>) -> Verdict {
    for size in [1_000_000]
        .iter()
        .chain(ground.subject().boundaries().iter().max())
    {
        let store = ground.store().await?;
        let name = ground.name(&format!("not-yet-{size}"));
        let before = store.names("").await?;
        // All but its last byte come, and then nothing: it is being put while the checks are made.
        let put = Box::pin(store.put_cut(&name, ground.content(&name, size + 1), *size, Ending::Stalled));
        let checks = Box::pin(async {
            for _ in 0..5 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                ground.absent(&name).await?;
                // Nor is anything else that the driver keeps of it.
                let now = ground.store().await?.names("").await?;
                equal("all names of the container", &before, &now)?;
            }
            Ok::<_, Stop>(())
        });
        match select(put, checks).await {
            Either::Left((Ok(()), _)) => {
                return Err(found("a put that waits for the rest of its body", "success"));
            }
            Either::Left((Err(failure), _)) => {
                return Err(found(
                    "a put that waits for the rest of its body",
                    shown(&failure),
                ));
            }
            Either::Right((verdict, _)) => verdict?,
        }
    }
    Ok(())
}

async fn one_version(ground: &Ground<'_>) -> Verdict {
    let (writer, reader) = (ground.store().await?, ground.store().await?);
    let name = ground.name("version");
    let versions = [400_000, 700_001, 30].map(|size| ground.content(&format!("{size}"), size).bytes());
    writer
        .put(&name, versions.first().map_or(b"", Vec::as_slice))
        .await
        .must("a put")?;
    let writing = async {
        for bytes in versions.iter().cycle().take(15) {
            writer
                .put(&name, bytes)
                .await
                .must("a put over an object that is read")?;
        }
        Ok(())
    };
    let reading = async {
        // A busy server may say that it cannot now; the host asks again. Never that nothing is there, and never other bytes.
        let mut patience = 5;
        for _ in 0..15 {
            let got = reader.get(&name).await;
            if let Err(failure) = &got
                && failure.retry_class() == RetryClass::Retry
                && patience > 0
            {
                patience -= 1;
                continue;
            }
            let came = got.must("an object that is replaced meanwhile")?;
            holds(versions.contains(&came), "one of the versions, whole", || {
                format!("{} other bytes", came.len())
            })?;
        }
        Ok(())
    };
    let (written, read) = join(writing, reading).await;
    written.and(read)
}

async fn abreast(ground: &Ground<'_>) -> Verdict {
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(ground.store().await?);
    }
    let each = stores
        .iter()
        .enumerate()
        .map(|(number, store)| four(ground, store, number));
    join_all(each).await.into_iter().collect::<Verdict>()?;
    let listed = ground.store().await?.names(&ground.prefix()).await?;
    equal("what is left", &Vec::<String>::new(), &listed)
}

/// Four objects of one instance: put, read back when all are there, deleted.
async fn four(ground: &Ground<'_>, store: &Store<'_>, number: usize) -> Verdict {
    let objects: Vec<_> = (0..4)
        .map(|object| {
            let name = ground.name(&format!("{number}-{object}"));
            let size = 10_000 * (number as u64 + 1) + 250_000 * object;
            (ground.content(&name, size), name)
        })
        .collect();
    for (content, name) in &objects {
        store
            .put_content(name, *content)
            .await
            .must("a put beside others")?;
    }
    for (content, name) in &objects {
        same(
            name,
            &content.bytes(),
            &store.get(name).await.must("a get beside others")?,
        )?;
        let middle = content.size / 2;
        let part = store
            .range(name, middle, Some(100))
            .await
            .must("a range beside others")?;
        let whole = content.bytes();
        same(
            name,
            whole
                .iter()
                .skip(middle as usize)
                .take(100)
                .copied()
                .collect::<Vec<_>>()
                .as_slice(),
            &part,
        )?;
    }
    let mine = store.names(&ground.name(&format!("{number}-"))).await?;
    equal(
        "its objects",
        &objects.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>(),
        &mine,
    )?;
    for (_, name) in &objects {
        store.delete(name).await.must("a delete beside others")?;
    }
    Ok(())
}
