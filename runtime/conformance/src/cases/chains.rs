//! Incremental backups that build on one another.

use cofferdam_transfer::Link;

use super::backups::{content, must};
use crate::case::{Case, Verdict};
use crate::engine::{Engine, Made, OBJECT};
use crate::expect::{Expect, holds, same};
use crate::ground::Ground;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 60,
        group: "backups",
        name: "each backup of a chain comes back as the volume was then",
        why: "one block from the wrong generation is silent damage",
        needs: &[],
        run: |ground| Box::pin(chain(ground)),
    },
    Case {
        number: 60,
        group: "backups",
        name: "nothing is built on a backup that is missing or damaged, or of another size",
        why: "a chain is as good as its worst link",
        needs: &[],
        run: |ground| Box::pin(broken_parent(ground)),
    },
];

/// Generations of a chain.
const DEPTH: usize = 12;

/// The links of a chain, the newest first.
fn links(made: &[Made]) -> Vec<Link> {
    made.iter().rev().map(|made| made.link.clone()).collect()
}

async fn chain(ground: &Ground<'_>) -> Verdict {
    let (engine, mut rng) = (Engine::over(ground)?, ground.rng());
    let mut volume = content(ground, "chain", 3 * OBJECT as usize + 777);
    let mut made: Vec<Made> = Vec::new();
    for number in 0..DEPTH {
        let begin = rng.usize(..volume.len() - 70_000);
        if let Some(piece) = volume.get_mut(begin..begin + 70_000) {
            match number % 3 {
                0 => rng.fill(piece),
                1 => piece.fill(0),
                _ => piece.fill(b'b'),
            }
        }
        let next = engine
            .back_up(&format!("chain-{number}"), &volume, made.last(), "zlib")
            .await?;
        made.push(must(next, "a backup of a chain")?);
    }
    for depth in [1, 2, DEPTH / 2, DEPTH] {
        let part = made.get(..depth).unwrap_or_default();
        let restored = must(engine.restore(&links(part)).await, "a restore of a chain")?;
        let then = part.last().map(|made| made.content.as_slice());
        same(
            &format!("a chain of {depth}"),
            then.unwrap_or_default(),
            &restored,
        )?;
    }
    Ok(())
}

async fn broken_parent(ground: &Ground<'_>) -> Verdict {
    let engine = Engine::over(ground)?;
    let volume = content(ground, "parent", OBJECT as usize);
    let full = must(
        engine.back_up("full", &volume, None, "none").await?,
        "a full backup",
    )?;
    let mut grown = volume.clone();
    grown.push(1);
    let other_size = engine.back_up("grown", &grown, Some(&full), "none").await?;
    holds(
        other_size.is_err(),
        "no backup on top of one of another size",
        || "success".into(),
    )?;
    let store = ground.store().await?;
    let prefix = &full.link.location.prefix;
    for name in store.names(prefix).await? {
        if !name.ends_with("_sha256file") {
            continue;
        }
        let whole = store.get(&name).await.must("the digests of the backup")?;
        store
            .put(&name, whole.get(..whole.len() / 2).unwrap_or_default())
            .await
            .must("a put")?;
        let on_damaged = engine.back_up("damaged", &volume, Some(&full), "none").await?;
        holds(
            on_damaged.is_err(),
            "no backup on top of one whose digests are cut",
            || "success".into(),
        )?;
        store.delete(&name).await.must("a delete")?;
        let on_missing = engine.back_up("missing", &volume, Some(&full), "none").await?;
        holds(
            on_missing.is_err(),
            "no backup on top of one whose digests are missing",
            || "success".into(),
        )?;
    }
    Ok(())
}
