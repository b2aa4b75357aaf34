//! Objects whole: what is put comes back, is replaced in one step, and is deleted for good.

use cofferdam_sandbox::contract::BackupIdentity;

use crate::case::{Case, Need, Verdict};
use crate::content::seed_of;
use crate::expect::{Expect, equal, holds, same};
use crate::ground::Ground;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 20,
        group: "objects",
        name: "an object of no bytes and one of one byte come back as they were put",
        why: "an empty volume's metadata and the last block of a volume are such objects",
        needs: &[],
        run: |ground| Box::pin(least(ground)),
    },
    Case {
        number: 21,
        group: "objects",
        name: "sizes about those in which bytes travel come back as they were put",
        why: "a byte lost where two pieces meet is a volume that does not restore",
        needs: &[],
        run: |ground| Box::pin(sizes(ground)),
    },
    Case {
        number: 21,
        group: "objects",
        name: "sizes about the boundaries of parts come back as they were put",
        why: "the last part may be empty, short or just full",
        needs: &[Need::Boundaries],
        run: |ground| Box::pin(boundaries(ground)),
    },
    Case {
        number: 21,
        group: "objects",
        name: "the portions of a backup fit into the greatest object",
        why: "a backup that is placed in portions which its storage refuses can never be made",
        needs: &[Need::GreatestObject],
        run: |ground| Box::pin(portions(ground)),
    },
    Case {
        number: 27,
        group: "objects",
        name: "a put replaces what was there",
        why: "the metadata of a backup that goes on after a restart is put again",
        needs: &[],
        run: |ground| Box::pin(replace(ground)),
    },
    Case {
        number: 34,
        group: "objects",
        name: "what is deleted is gone, may be deleted again and put again",
        why: "a delete that was cut off is repeated",
        needs: &[],
        run: |ground| Box::pin(delete(ground)),
    },
    Case {
        number: 36,
        group: "objects",
        name: "a delete takes the object of that name and no other",
        why: "names of backups begin with one another",
        needs: &[],
        run: |ground| Box::pin(exact(ground)),
    },
];

async fn least(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for (rest, bytes) in [("empty", &b""[..]), ("one", b"\0")] {
        let name = ground.name(rest);
        store
            .put(&name, bytes)
            .await
            .must(format!("a put of {} bytes", bytes.len()))?;
        same(
            rest,
            bytes,
            &store
                .get(&name)
                .await
                .must(format!("the object of {} bytes", bytes.len()))?,
        )?;
        ground.whole(&name, bytes).await?;
    }
    Ok(())
}

async fn sizes(ground: &Ground<'_>) -> Verdict {
    round(ground, &[4096, 65_536, 262_144, 1 << 20]).await
}

async fn boundaries(ground: &Ground<'_>) -> Verdict {
    round(ground, ground.subject().boundaries()).await
}

/// One byte less, just so many, one more.
async fn round(ground: &Ground<'_>, sizes: &[u64]) -> Verdict {
    let store = ground.store().await?;
    for size in sizes
        .iter()
        .flat_map(|size| [size.saturating_sub(1), *size, size + 1])
    {
        let name = ground.name(&format!("size-{size}"));
        let content = ground.content(&name, size);
        store
            .put_content(&name, content)
            .await
            .must(format!("a put of {size} bytes"))?;
        let came = store
            .get(&name)
            .await
            .must(format!("the object of {size} bytes"))?;
        same(&name, &content.bytes(), &came)?;
        equal(
            "its size by stat",
            &size,
            &store.stat(&name).await.must("its size")?,
        )?;
        store.delete(&name).await.must("it to be deleted")?;
    }
    Ok(())
}

async fn portions(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let id = format!(
        "{:08x}-0000-4000-8000-000000000001",
        seed_of(0, &ground.prefix()) as u32
    );
    let backup = BackupIdentity {
        backup_id: id.clone(),
        volume_id: "11111111-2222-4333-8444-555555555555".into(),
        timestamp: "20240102030405".into(),
        availability_zone: "nova".into(),
    };
    let placed = store
        .instance
        .place_backup(backup, None)
        .await
        .must("a place for a backup")?;
    let greatest = ground.subject().info().greatest_object.unwrap_or(u64::MAX);
    holds(
        (1..=greatest).contains(&placed.object_size),
        format!("portions of 1 to {greatest} bytes"),
        || placed.object_size.to_string(),
    )?;
    holds(
        placed
            .object_size
            .is_multiple_of(u64::from(placed.block_size.max(1)))
            && placed.block_size > 0,
        "portions of whole blocks",
        || format!("{} bytes in blocks of {}", placed.object_size, placed.block_size),
    )?;
    holds(
        placed.prefix.contains(&id) && placed.prefix.len() <= 255,
        "a prefix of at most 255 bytes that holds the backup's id",
        || format!("{:?}", placed.prefix),
    )
}

async fn replace(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("replaced");
    for size in [300_000, 5, 0, 100_000] {
        let bytes = ground.content(&format!("{name}{size}"), size).bytes();
        store.put(&name, &bytes).await.must("a put over an object")?;
        same(
            "the new bytes",
            &bytes,
            &store.get(&name).await.must("the object")?,
        )?;
        ground.whole(&name, &bytes).await?;
    }
    Ok(())
}

async fn delete(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("deleted");
    store
        .delete(&name)
        .await
        .must("a delete of what was never there to succeed")?;
    for round in [&b"first"[..], b"second"] {
        store.put(&name, round).await.must("a put")?;
        ground.whole(&name, round).await?;
        store.delete(&name).await.must("a delete")?;
        ground.absent(&name).await?;
        store.delete(&name).await.must("a second delete to succeed")?;
    }
    Ok(())
}

async fn exact(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("exact");
    let siblings = [format!("{name}-00001"), format!("{name}2"), ground.name("exac")];
    for name in siblings.iter().chain([&name]) {
        store.put(name, name.as_bytes()).await.must("a put")?;
    }
    store.delete(&name).await.must("a delete")?;
    ground.absent(&name).await?;
    for name in &siblings {
        ground.whole(name, name.as_bytes()).await?;
    }
    Ok(())
}
