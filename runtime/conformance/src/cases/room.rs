//! A storage that is really full.

use crate::case::{Case, Need, Stop, Verdict};
use crate::expect::{Expect, found};
use crate::ground::Ground;

pub(super) const CASES: &[Case] = &[Case {
    number: 52,
    group: "room",
    name: "a full storage is out of space, keeps what it has, and works again when there is room",
    why: "who frees space is told so, and can: by deleting backups",
    needs: &[Need::Room],
    run: |ground| Box::pin(full(ground)),
}];

async fn full(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let room = ground
        .subject()
        .room()
        .ok_or_else(|| Stop::Skipped("its room cannot be taken away".into()))?;
    let failed =
        |error: std::io::Error| found("room that can be taken away and given back", error.to_string());
    let (old, new, kept) = (ground.name("old"), ground.name("new"), ground.name("kept"));
    let content = ground.content(&new, 6 << 20);
    store.put(&old, b"what was there").await.must("a put")?;
    store.put(&kept, b"kept").await.must("a put")?;
    for left in [3 << 20, 64 << 10, 0] {
        room.leave(left).map_err(failed)?;
        for name in [&new, &old] {
            let put = store.put_content(name, content).await;
            put.refused(
                format!("a put of {} bytes with room for {left}", content.size),
                &["driver.out-of-space"],
            )?;
        }
        ground.absent(&new).await?;
        ground.whole(&old, b"what was there").await?;
        // What failed before left no part of itself: there is as much room as there was.
        if left > 1 << 20 {
            let fits = ground.content(&new, left / 4 * 3);
            store
                .put_content(&new, fits)
                .await
                .must("a put that fits after one that did not")?;
            store.delete(&new).await.must("a delete")?;
        }
    }
    // Nothing is left, and a delete works all the same.
    store.delete(&kept).await.must("a delete from a full storage")?;
    ground.absent(&kept).await?;
    room.give_back().map_err(failed)?;
    store
        .put_content(&new, content)
        .await
        .must("a put after room was given back")?;
    ground.whole(&new, &content.bytes()).await
}
