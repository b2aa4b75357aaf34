//! Listings page by page: every name once, in order, whatever comes and goes meanwhile.

use std::collections::BTreeSet;

use crate::case::{Case, Need, Stop, Verdict};
use crate::expect::{Expect, equal, holds};
use crate::ground::Ground;
use crate::store::Store;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 41,
        group: "listing",
        name: "pages of any size give every name once and in byte order",
        why: "a name that is missed is an object that is never deleted",
        needs: &[],
        run: |ground| Box::pin(pages(ground)),
    },
    Case {
        number: 41,
        group: "listing",
        name: "ten thousand objects are listed whole",
        why: "a great volume has so many",
        needs: &[Need::Thousands],
        run: |ground| Box::pin(thousands(ground)),
    },
    Case {
        number: 42,
        group: "listing",
        name: "what comes and goes between two pages hides no other name",
        why: "backups are made and deleted while another one is listed",
        needs: &[],
        run: |ground| Box::pin(between_pages(ground)),
    },
    Case {
        number: 45,
        group: "listing",
        name: "a listing may be left after any page",
        why: "whoever has found what was looked for goes away",
        needs: &[],
        run: |ground| Box::pin(left(ground)),
    },
];

async fn filled(ground: &Ground<'_>, store: &Store<'_>, count: usize) -> Result<Vec<String>, Stop> {
    let names: Vec<String> = (0..count)
        .map(|number| ground.name(&format!("{number:05}")))
        .collect();
    for name in &names {
        store.put(name, b"x").await.must("a put")?;
    }
    Ok(names)
}

async fn pages(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let names = filled(ground, &store, 12).await?;
    for limit in [1, 2, 5, 11, 12, 13, 999, 1000] {
        let listed = store.list(&ground.prefix(), limit).await?;
        let listed: Vec<String> = listed.into_iter().map(|object| object.name).collect();
        equal(&format!("all names by pages of {limit}"), &names, &listed)?;
    }
    for (after, rest) in [("", 12), ("00005", 6), ("00005x", 6), ("00011", 0), ("zzz", 0)] {
        let after = ground.name(after);
        let (objects, _) = store
            .page(&ground.prefix(), Some(&after), 1000)
            .await
            .must("a page")?;
        equal(&format!("how many come after {after}"), &rest, &objects.len())?;
    }
    Ok(())
}

async fn thousands(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let names = filled(ground, &store, 10_000).await?;
    for limit in [1000, 333] {
        let listed = store.list(&ground.prefix(), limit).await?;
        holds(
            listed.iter().map(|object| &object.name).eq(&names),
            format!("10,000 names by pages of {limit}"),
            || format!("{} names", listed.len()),
        )?;
    }
    Ok(())
}

async fn between_pages(ground: &Ground<'_>) -> Verdict {
    let (store, other) = (ground.store().await?, ground.store().await?);
    let names = filled(ground, &store, 9).await?;
    let prefix = ground.prefix();
    let (first, more) = store.page(&prefix, None, 4).await.must("the first page")?;
    holds(first.len() == 4 && more, "four names, and more to follow", || {
        format!("{} names, more: {more}", first.len())
    })?;
    // The name from which the next page goes on, one before it and one behind it go; others come.
    let gone = [1, 3, 6].map(|number| ground.name(&format!("{number:05}")));
    for name in &gone {
        other.delete(name).await.must("a delete")?;
    }
    for rest in ["00000x", "00004x", "00007x"] {
        other.put(&ground.name(rest), b"x").await.must("a put")?;
    }
    let mut listed: BTreeSet<String> = first.into_iter().map(|object| object.name).collect();
    let (mut after, mut more) = (ground.name("00003"), true);
    while more {
        let (objects, goes_on) = store
            .page(&prefix, Some(&after), 4)
            .await
            .must("a page after a name that is gone")?;
        holds(
            objects.iter().all(|object| object.name > after),
            format!("names after {after}"),
            || format!("{objects:?}"),
        )?;
        more = goes_on && !objects.is_empty();
        after = objects.last().map_or(after, |last| last.name.clone());
        listed.extend(objects.into_iter().map(|object| object.name));
    }
    for name in names.iter().filter(|name| !gone.contains(name)) {
        holds(
            listed.contains(name),
            format!("{name}, which was there all the time"),
            || format!("{listed:?}"),
        )?;
    }
    Ok(())
}

async fn left(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let names = filled(ground, &store, 5).await?;
    for limit in 1..=4 {
        let (objects, more) = store.page(&ground.prefix(), None, limit).await.must("a page")?;
        let came: Vec<&String> = objects.iter().map(|object| &object.name).collect();
        let expected: Vec<&String> = names.iter().take(limit as usize).collect();
        equal("the first names", &expected, &came)?;
        holds(more, "more to follow", || "no more".into())?;
        let first = names.first().map_or("", String::as_str);
        store
            .stat(first)
            .await
            .must("another call after a listing that was left")?;
    }
    Ok(())
}
