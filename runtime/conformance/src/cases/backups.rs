//! Whole backups by the engine: made, restored, verified, deleted.

use cofferdam_sandbox::contract::BackupIdentity;
use cofferdam_transfer::{Control, Verdict as Verified};

use crate::case::{Case, Need, Stop, Verdict};
use crate::engine::{Engine, Made, OBJECT, volume_meta};
use crate::expect::{Expect, equal, found, holds, same};
use crate::ground::Ground;
use crate::traces::Traces;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 59,
        group: "backups",
        name: "volumes of noise, text, zeros and holes come back as they were",
        why: "it is what all of this is for",
        needs: &[],
        run: |ground| Box::pin(round_trips(ground)),
    },
    Case {
        number: 61,
        group: "backups",
        name: "a backup is restored onto what holds something else, and onto nothing smaller",
        why: "most restores overwrite",
        needs: &[],
        run: |ground| Box::pin(overwrites(ground)),
    },
    Case {
        number: 62,
        group: "backups",
        name: "a backup that was cut off goes on with the objects that it had stored",
        why: "hours of work are not done twice",
        needs: &[],
        run: |ground| Box::pin(resumes(ground)),
    },
    Case {
        number: 63,
        group: "backups",
        name: "a delete takes all of its backup, nothing of another, and may be repeated",
        why: "what stays costs money for ever; what goes too far is lost",
        needs: &[],
        run: |ground| Box::pin(deletes(ground)),
    },
    Case::never(
        64,
        "backups",
        "a record that is exported is imported elsewhere",
        &[Need::Never("records are the host's; its own tests")],
    ),
    Case {
        number: 65,
        group: "backups",
        name: "objects that are missing, cut, changed or exchanged are found by a verification",
        why: "silent damage is found at the restore, when it is too late",
        needs: &[],
        run: |ground| Box::pin(damage(ground)),
    },
    Case {
        number: 66,
        group: "backups",
        name: "no two backups share a place, and none lies within another's",
        why: "a delete by prefix would take both",
        needs: &[],
        run: |ground| Box::pin(places(ground)),
    },
    Case {
        number: 67,
        group: "backups",
        name: "what a backup keeps of its volume comes back to the letter",
        why: "names are in all languages",
        needs: &[],
        run: |ground| Box::pin(keeps_metadata(ground)),
    },
    Case::never(
        68,
        "backups",
        "backups of the real Cinder are restored, and ours by it",
        &[Need::Never(
            "the format is the host's; its own exchange with Cinder",
        )],
    ),
];

/// An engine's error as a finding.
pub(super) fn must<T>(result: Result<T, cofferdam_transfer::TransferError>, what: &str) -> Result<T, Stop> {
    result.map_err(|error| found(what, format!("{}: {error}", error.code())))
}

/// A volume of several objects with an odd end: noise, text, zeros in turns.
pub(super) fn content(ground: &Ground<'_>, name: &str, size: usize) -> Vec<u8> {
    let mut bytes = ground.content(name, size as u64).bytes();
    for (number, piece) in bytes.chunks_mut(100_000).enumerate() {
        match number % 3 {
            1 => piece.fill(0),
            2 => piece.fill(b'a'),
            _ => {}
        }
    }
    bytes
}

async fn made(engine: &Engine<'_>, name: &str, content: &[u8], parent: Option<&Made>) -> Result<Made, Stop> {
    let made = engine.back_up(name, content, parent, "zstd").await?;
    must(made, "a backup")
}

async fn round_trips(ground: &Ground<'_>) -> Verdict {
    let engine = Engine::over(ground)?;
    let size = 3 * OBJECT as usize + 12_345;
    let volumes = [
        ("noise", ground.content("noise", size as u64).bytes()),
        ("mixed", content(ground, "mixed", size)),
        ("zeros", vec![0; size]),
        ("text", vec![b'a'; size]),
        ("one", vec![1]),
    ];
    for (name, volume) in &volumes {
        for algorithm in ["none", "zlib", "zstd"] {
            let name = format!("{name}-{algorithm}");
            let made = must(
                engine.back_up(&name, volume, None, algorithm).await?,
                "a full backup",
            )?;
            let restored = must(
                engine.restore(std::slice::from_ref(&made.link)).await,
                "a restore",
            )?;
            same(&name, volume, &restored)?;
        }
    }
    Ok(())
}

async fn overwrites(ground: &Ground<'_>) -> Verdict {
    let engine = Engine::over(ground)?;
    let volume = content(ground, "overwrites", 2 * OBJECT as usize + 7);
    let made = made(&engine, "overwrites", &volume, None).await?;
    let target = engine.path("dirty");
    let chain = [made.link];
    for more in [0, 5000] {
        let dirt = vec![0xa5; volume.len() + more];
        std::fs::write(&target, &dirt).map_err(|error| found("a dirty volume", error.to_string()))?;
        must(
            engine.restore_onto(&chain, &target, true).await,
            "a restore onto what is there",
        )?;
        let now = std::fs::read(&target).unwrap_or_default();
        same(
            "the beginning of the volume",
            &volume,
            now.get(..volume.len()).unwrap_or_default(),
        )?;
    }
    let small = vec![0xa5; volume.len() - 1];
    std::fs::write(&target, &small).map_err(|error| found("a small volume", error.to_string()))?;
    holds(
        engine.restore_onto(&chain, &target, true).await.is_err(),
        "a restore onto a smaller volume to be refused",
        || "success".into(),
    )?;
    same(
        "the smaller volume",
        &small,
        &std::fs::read(&target).unwrap_or_default(),
    )
}

async fn resumes(ground: &Ground<'_>) -> Verdict {
    let engine = Engine::over(ground)?;
    let volume = ground.content("resumes", 12 * OBJECT + 5).bytes();
    let mut plan = engine.plan("resumes", None, "none").await?;
    plan.journal = Some(engine.path("journal"));
    let control = Control::default();
    let (cancel, progress) = (control.cancel.clone(), control.progress.clone());
    let cutting = async {
        while progress.snapshot().stored < 4 * OBJECT {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        cancel.cancel();
        std::future::pending::<std::convert::Infallible>().await
    };
    let cut = tokio::select! {
        cut = engine.run(plan.clone(), &volume, control) => cut?,
        never = cutting => match never {},
    };
    if cut.is_ok() {
        return Err(Stop::Skipped("it was done before it could be cut off".into()));
    }
    plan.again = true;
    let (container, prefix) = (plan.placement.container.clone(), plan.placement.prefix.clone());
    let outcome = must(
        engine.run(plan, &volume, Control::default()).await?,
        "a backup that goes on",
    )?;
    holds(
        outcome.resumed > 0,
        "objects that were stored before to be used",
        || "none was".into(),
    )?;
    let link = cofferdam_transfer::Link {
        location: cofferdam_transfer::Location { container, prefix },
        expected: cofferdam_transfer::Expected {
            seals: Some(outcome.seals),
            ..cofferdam_transfer::Expected::default()
        },
    };
    let restored = must(engine.restore(&[link]).await, "a restore of what went on")?;
    same("what was cut off and went on", &volume, &restored)
}

async fn deletes(ground: &Ground<'_>) -> Verdict {
    let engine = Engine::over(ground)?;
    let volume = content(ground, "deletes", 2 * OBJECT as usize);
    let (gone, kept) = (
        made(&engine, "gone", &volume, None).await?,
        made(&engine, "kept", &volume, None).await?,
    );
    for _ in 0..2 {
        must(
            cofferdam_transfer::delete(&*engine.store, &gone.link.location).await,
            "a delete, also of what is gone",
        )?;
    }
    let left = ground.store().await?.names(&gone.link.location.prefix).await?;
    holds(left.is_empty(), "nothing left of the backup", || {
        format!("{left:?}")
    })?;
    let restored = must(engine.restore(&[kept.link]).await, "a restore of the other one")?;
    same("the other backup", &volume, &restored)
}

async fn damage(ground: &Ground<'_>) -> Verdict {
    let engine = Engine::over(ground)?;
    let volume = ground.content("damage", 3 * OBJECT).bytes();
    let made = must(
        engine.back_up("damage", &volume, None, "none").await?,
        "a full backup",
    )?;
    let chain = [made.link];
    let Some(location) = chain.first().map(|link| link.location.clone()) else {
        return Ok(());
    };
    let store = ground.store().await?;
    let names = store.names(&location.prefix).await?;
    for (number, name) in names.iter().enumerate() {
        let whole = store.get(name).await.must("an object of the backup")?;
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        if let Some(byte) = flipped.get_mut(middle) {
            *byte ^= 1;
        }
        let other = names.get((number + 1) % names.len()).unwrap_or(name);
        let damages = [
            ("missing", None),
            ("cut", Some(whole.get(1..).unwrap_or_default().to_vec())),
            ("changed", Some(flipped)),
            (
                "exchanged",
                Some(store.get(other).await.must("an object of the backup")?),
            ),
        ];
        for (how, bytes) in damages {
            match bytes {
                None => store.delete(name).await.must("a delete")?,
                Some(bytes) => store.put(name, &bytes).await.must("a put")?,
            }
            let verdict = engine.verify(&chain).await;
            holds(
                matches!(verdict, Verified::Corrupt { .. }),
                format!("{name} to be found {how}"),
                || format!("{verdict:?}"),
            )?;
            let restored = engine.restore(&chain).await;
            holds(
                restored.is_err(),
                format!("no restore of a backup whose {name} is {how}"),
                || "success".into(),
            )?;
            store.put(name, &whole).await.must("a put")?;
        }
    }
    let verdict = engine.verify(&chain).await;
    holds(
        matches!(verdict, Verified::Ok { .. }),
        "a backup that is whole again to be sound",
        || format!("{verdict:?}"),
    )
}

async fn places(ground: &Ground<'_>) -> Verdict {
    near_places(ground).await?;
    makes_no_place(ground).await?;
    leads_nowhere(ground).await?;
    let engine = Engine::over(ground)?;
    let mut all: Vec<String> = Vec::new();
    for volume in ["one", "two"] {
        for backup in ["a", "b", "c"] {
            let name = format!("{volume}-{backup}");
            let place = engine.place(volume, &name).await?;
            let again = engine.place(volume, &name).await?;
            equal("the place of one backup, asked again", &place, &again)?;
            let id = engine.id(&name);
            holds(
                place.prefix.contains(&id),
                format!("a prefix that holds the backup's id {id}"),
                || place.prefix.clone(),
            )?;
            holds(
                (1..=255).contains(&place.prefix.len()),
                "a prefix of 1 to 255 bytes",
                || place.prefix.len().to_string(),
            )?;
            for other in &all {
                let apart = !other.starts_with(&place.prefix) && !place.prefix.starts_with(other);
                holds(apart, "prefixes of which none begins with another", || {
                    format!("{other} and {}", place.prefix)
                })?;
            }
            all.push(place.prefix);
        }
    }
    Ok(())
}

/// Ids that differ in one place, and times of which one looks like the beginning of another.
async fn near_places(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let ids = [
        "aaaaaaaa-0000-4000-8000-000000000001",
        "baaaaaaa-0000-4000-8000-000000000001",
        "aaaaaaaa-1000-4000-8000-000000000001",
        "aaaaaaaa-0000-4000-8000-000000000002",
    ];
    let mut all: Vec<(String, String)> = Vec::new();
    for backup_id in ids {
        for timestamp in ["20240102030400", "20240102030405", "20240102034000"] {
            let identity = BackupIdentity {
                backup_id: backup_id.into(),
                volume_id: "cccccccc-0000-4000-8000-000000000001".into(),
                timestamp: timestamp.into(),
                availability_zone: "nova".into(),
            };
            let place = store
                .instance
                .place_backup(identity, Some(ground.container().to_owned()))
                .await
                .must("a place for a backup")?;
            holds(
                place.prefix.contains(backup_id),
                format!("a prefix that holds the whole id {backup_id}"),
                || place.prefix.clone(),
            )?;
            for (other_id, other) in &all {
                let same_time = place.prefix == *other;
                let apart = !other.starts_with(&place.prefix) && !place.prefix.starts_with(other);
                holds(
                    apart || (same_time && other_id == backup_id),
                    "prefixes of which none begins with another",
                    || format!("{other} and {}", place.prefix),
                )?;
            }
            all.push((backup_id.to_owned(), place.prefix));
        }
    }
    Ok(())
}

/// A container that leads out of the storage's root is refused, or another one is named.
async fn leads_nowhere(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for container in ["..", "../x", "/etc", "a/../../x", "a\0b"] {
        let identity = BackupIdentity {
            backup_id: "ffffffff-0000-4000-8000-000000000066".into(),
            volume_id: "eeeeeeee-0000-4000-8000-000000000066".into(),
            timestamp: "20240102030405".into(),
            availability_zone: "nova".into(),
        };
        let placed = store
            .instance
            .place_backup(identity, Some(container.to_owned()))
            .await;
        holds(
            placed.as_ref().map_or(true, |place| place.container != container),
            format!("a backup in the container {container:?} to be refused"),
            || "a place in it".into(),
        )?;
    }
    Ok(())
}

/// A place is named, not made.
async fn makes_no_place(ground: &Ground<'_>) -> Verdict {
    let (store, before) = (ground.store().await?, Traces::now(ground));
    for container in [None, Some(ground.name("never-made"))] {
        let identity = BackupIdentity {
            backup_id: "dddddddd-0000-4000-8000-000000000066".into(),
            volume_id: "eeeeeeee-0000-4000-8000-000000000066".into(),
            timestamp: "20240102030405".into(),
            availability_zone: "nova".into(),
        };
        // It may refuse a container that it does not like.
        let _ = store.instance.place_backup(identity, container).await;
    }
    before.are_all(ground, "after places were named")
}

async fn keeps_metadata(ground: &Ground<'_>) -> Verdict {
    let engine = Engine::over(ground)?;
    let made = made(&engine, "metadata", &[1; 5000], None).await?;
    let target = engine.path("new");
    let meta = must(
        engine.restore_onto(&[made.link], &target, false).await,
        "a restore",
    )?;
    equal("what the backup keeps of its volume", &Some(volume_meta()), &meta)
}
