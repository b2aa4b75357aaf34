//! Bodies that are not what they should be: of unknown size, too short, too long, broken, of other digests than told.

use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds};

use crate::case::{Case, Need, Verdict};
use crate::content::{Ending, Source, info};
use crate::expect::{Expect, holds, same};
use crate::ground::Ground;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 22,
        group: "writing",
        name: "a body of which nothing is known is stored whole",
        why: "compressed objects stream before anyone knows how long they get",
        needs: &[Need::UnknownSize],
        run: |ground| Box::pin(unknown(ground)),
    },
    Case {
        number: 23,
        group: "writing",
        name: "a body that ends before its announced size is refused and leaves nothing",
        why: "a truncated object under a backup's name looks like a backup",
        needs: &[Need::KnownSize],
        run: |ground| Box::pin(short(ground)),
    },
    Case {
        number: 23,
        group: "writing",
        name: "a body that goes on behind its announced size is refused and leaves nothing",
        why: "an object without its end looks like a backup",
        needs: &[Need::KnownSize],
        run: |ground| Box::pin(long(ground)),
    },
    Case {
        number: 24,
        group: "writing",
        name: "a body that breaks leaves what was there before",
        why: "the volume may fail in the middle of a backup",
        needs: &[],
        run: |ground| Box::pin(breaks(ground)),
    },
    Case {
        number: 24,
        group: "writing",
        name: "a body that breaks behind its last byte leaves what was there before",
        why: "only the end of the stream says that it was whole",
        needs: &[],
        run: |ground| Box::pin(breaks_at_its_end(ground)),
    },
    Case {
        number: 25,
        group: "writing",
        name: "a body that breaks in a later part leaves nothing, and its parts are thrown away",
        why: "parts of an unfinished put are paid for and shown in no listing",
        needs: &[Need::Boundaries, Need::Faults],
        run: |ground| Box::pin(parts(ground)),
    },
    Case {
        number: 26,
        group: "writing",
        name: "digests that are not the body's are refused and leave nothing",
        why: "it is how bytes that changed on the way are found before the volume is gone",
        needs: &[Need::Digests],
        run: |ground| Box::pin(digests(ground)),
    },
    Case::never(
        28,
        "writing",
        "a put that must not replace gives exactly one winner",
        &[Need::Never(
            "the contract has no conditional put; names of backups hold their ids",
        )],
    ),
];

const SIZE: u64 = 1_500_000;

async fn unknown(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("unknown");
    let content = ground.content(&name, SIZE);
    let nothing = info(BodyNeeds::empty(), []);
    let put = store
        .put_from(&ground.at(&name), nothing, Source::whole(content))
        .await;
    put.must("a put of a body of which nothing is told")?;
    same(
        &name,
        &content.bytes(),
        &store.get(&name).await.must("the object")?,
    )
}

async fn short(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for size in sizes(ground) {
        let name = ground.name(&format!("short-{size}"));
        let content = ground.content(&name, size);
        for came in [size / 2, size - 1] {
            let put = store.put_cut(&name, content, came, Ending::Finished).await;
            put.fails(format!(
                "a put of {came} bytes to be refused, {size} were announced"
            ))?;
            ground.absent(&name).await?;
        }
    }
    Ok(())
}

async fn long(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for size in sizes(ground) {
        let name = ground.name(&format!("long-{size}"));
        let content = ground.content(&name, size);
        // The digests are those of all that comes; only the size is less.
        let told = BodyInfo {
            size: Some(size - 1),
            ..info(ground.subject().info().needs, content.pieces())
        };
        let put = store
            .put_from(&ground.at(&name), told, Source::whole(content))
            .await;
        put.fails(format!(
            "a put of {size} bytes to be refused, {} were announced",
            size - 1
        ))?;
        ground.absent(&name).await?;
    }
    Ok(())
}

/// A size within one part, and one that takes several.
fn sizes(ground: &Ground<'_>) -> impl Iterator<Item = u64> {
    let greatest = ground.subject().boundaries().iter().max();
    [SIZE].into_iter().chain(greatest.map(|size| size + 1))
}

async fn breaks(ground: &Ground<'_>) -> Verdict {
    for size in sizes(ground) {
        broken(ground, size, &[1, size / 2]).await?;
    }
    Ok(())
}

async fn breaks_at_its_end(ground: &Ground<'_>) -> Verdict {
    for size in sizes(ground) {
        broken(ground, size, &[size]).await?;
    }
    Ok(())
}

async fn broken(ground: &Ground<'_>, size: u64, breaks: &[u64]) -> Verdict {
    let store = ground.store().await?;
    let (new, old) = (
        ground.name(&format!("new-{size}")),
        ground.name(&format!("old-{size}")),
    );
    store.put(&old, b"what was there").await.must("a put")?;
    for came in breaks {
        for ending in [Ending::Failed, Ending::Dropped] {
            for name in [&new, &old] {
                let put = store
                    .put_cut(name, ground.content(name, size), *came, ending)
                    .await;
                put.fails(format!(
                    "a put to fail whose body broke after {came} bytes of {size}"
                ))?;
            }
            ground.absent(&new).await?;
            ground.whole(&old, b"what was there").await?;
        }
    }
    holds(
        store.instance.is_alive(),
        "an instance that lives on after a body broke",
        || "it ended".into(),
    )?;
    store
        .put(&new, b"now")
        .await
        .must("a put after one whose body broke")?;
    ground.whole(&new, b"now").await
}

async fn parts(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let size = ground
        .subject()
        .boundaries()
        .iter()
        .max()
        .map_or(SIZE, |size| size + 1);
    let name = ground.name("parts");
    let proxy = ground.proxy()?;
    proxy.reset();
    let put = store
        .put_cut(&name, ground.content(&name, size), size - 1, Ending::Failed)
        .await;
    put.fails("a put to fail whose body broke in its last part")?;
    let seen = proxy.seen();
    holds(
        seen.iter().any(|seen| seen.method == http::Method::DELETE),
        "a request that throws the parts away",
        || {
            format!(
                "{:?}",
                seen.iter()
                    .map(|seen| (&seen.method, &seen.uri))
                    .collect::<Vec<_>>()
            )
        },
    )?;
    ground.absent(&name).await
}

async fn digests(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let needs = ground.subject().info().needs;
    let other = info(needs, [bytes::Bytes::from_static(b"other bytes")]);
    for size in [0, SIZE] {
        let name = ground.name(&format!("digests-{size}"));
        let content = ground.content(&name, size);
        let told = BodyInfo {
            size: Some(size),
            ..other.clone()
        };
        let put = store
            .put_from(&ground.at(&name), told, Source::whole(content))
            .await;
        put.fails("a put to be refused that came with the digests of other bytes")?;
        ground.absent(&name).await?;
    }
    Ok(())
}
