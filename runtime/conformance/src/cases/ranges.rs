//! Ranges: exactly the bytes that are there of what was asked for.

use crate::case::{Case, Verdict};
use crate::expect::{Expect, same};
use crate::ground::Ground;
use crate::store::Store;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 31,
        group: "ranges",
        name: "a range gives the bytes that are there of it, wherever it begins and ends",
        why: "a restore that goes on, and a check of parts, read ranges",
        needs: &[],
        run: |ground| Box::pin(table(ground)),
    },
    Case {
        number: 31,
        group: "ranges",
        name: "ranges by chance give the bytes that are there of them",
        why: "a range is cut wrongly where nobody thought of it",
        needs: &[],
        run: |ground| Box::pin(chance(ground)),
    },
    Case {
        number: 31,
        group: "ranges",
        name: "ranges of an empty object are empty, and those of a missing one are not found",
        why: "HTTP has no word for a range of no bytes, so a driver must make up its own",
        needs: &[],
        run: |ground| Box::pin(nothing(ground)),
    },
];

const SIZE: u64 = 300_000;

/// What there is of the range in these bytes.
fn cut(bytes: &[u8], offset: u64, length: Option<u64>) -> &[u8] {
    let size = bytes.len() as u64;
    let begin = offset.min(size);
    let end = length.map_or(size, |length| begin.saturating_add(length).min(size));
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    bytes.get(place(begin)..place(end)).unwrap_or_default()
}

async fn check(store: &Store<'_>, name: &str, bytes: &[u8], offset: u64, length: Option<u64>) -> Verdict {
    let what = format!("{length:?} bytes from {offset} of {}", bytes.len());
    let came = store.range(name, offset, length).await.must(&what)?;
    same(&what, cut(bytes, offset, length), &came)
}

async fn table(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("ranges");
    let bytes = ground.content(&name, SIZE).bytes();
    store.put(&name, &bytes).await.must("a put")?;
    for (offset, length) in [
        (0, None),
        (0, Some(1)),
        (0, Some(SIZE)),
        (0, Some(SIZE + 1)),
        (0, Some(0)),
        (1, Some(99_999)),
        (SIZE / 2, Some(0)),
        (SIZE / 2, None),
        (SIZE - 1, None),
        (SIZE - 1, Some(1)),
        (SIZE - 1, Some(2)),
        (SIZE - 10, Some(u64::MAX)),
        (SIZE, None),
        (SIZE, Some(5)),
        (SIZE, Some(0)),
        (SIZE + 1, None),
        (SIZE + 1, Some(0)),
        (u64::MAX, Some(1)),
        (u64::MAX, Some(u64::MAX)),
        (u64::MAX, None),
    ] {
        check(&store, &name, &bytes, offset, length).await?;
    }
    Ok(())
}

async fn chance(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let mut rng = ground.rng();
    let name = ground.name("ranges");
    let bytes = ground.content(&name, SIZE).bytes();
    store.put(&name, &bytes).await.must("a put")?;
    for _ in 0..30 {
        let offset = rng.u64(0..SIZE + SIZE / 10);
        let length = rng.bool().then(|| rng.u64(0..SIZE));
        check(&store, &name, &bytes, offset, length).await?;
    }
    Ok(())
}

async fn nothing(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let (empty, missing) = (ground.name("empty"), ground.name("missing"));
    store.put(&empty, b"").await.must("a put")?;
    for (offset, length) in [
        (0, None),
        (0, Some(0)),
        (0, Some(5)),
        (5, None),
        (5, Some(5)),
        (1, Some(0)),
    ] {
        check(&store, &empty, b"", offset, length).await?;
        let what = format!("{length:?} bytes from {offset} of what is not there");
        store
            .range(&missing, offset, length)
            .await
            .refused(what, &["driver.not-found"])?;
    }
    Ok(())
}
