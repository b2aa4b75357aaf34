//! Objects greater than the instance's memory.

use crate::case::{Case, Need, Verdict};
use crate::content::Content;
use crate::expect::{Expect, equal, holds};
use crate::ground::Ground;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 56,
        group: "volume",
        name: "an object half as great again as the instance's memory passes both ways",
        why: "objects are gigabytes; a driver that collects them takes the host down with it, or dies",
        needs: &[],
        run: |ground| Box::pin(greater_than_memory(ground)),
    },
    Case {
        number: 21,
        group: "volume",
        name: "an object of more than five gigabytes passes both ways",
        why: "32-bit sizes and single puts end before it",
        needs: &[Need::Gigabytes],
        run: |ground| Box::pin(five_gigabytes(ground)),
    },
];

async fn greater_than_memory(ground: &Ground<'_>) -> Verdict {
    through(ground, ground.subject().limits().memory / 2 * 3 + 1).await
}

async fn five_gigabytes(ground: &Ground<'_>) -> Verdict {
    let greatest = ground.subject().info().greatest_object.unwrap_or(u64::MAX);
    through(ground, ((5 << 30) + 1).min(greatest)).await
}

async fn through(ground: &Ground<'_>, size: u64) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("great");
    let content: Content = ground.content(&name, size);
    store
        .put_content(&name, content)
        .await
        .must(format!("a put of {size} bytes"))?;
    equal(
        "its size by stat",
        &size,
        &store.stat(&name).await.must("its size")?,
    )?;
    let mut comparer = content.comparer();
    let at = ground.at(&name);
    let got = store.get_into(&at, None, |piece| {
        comparer.take(piece);
        true
    });
    let said = got.await.must(format!("a get of {size} bytes"))?;
    equal("the bytes that it says it wrote", &size, &said)?;
    holds(
        comparer.is_whole(),
        format!("{size} bytes as they were put"),
        || format!("only the first {} are right", comparer.right),
    )?;
    store.delete(&name).await.must("a delete")
}
