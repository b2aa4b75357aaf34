//! A backup that was cut off goes on behind its last durable object, or begins anew; either way it ends as if nothing had
//! happened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_transfer::{
    BackupOutcome, BackupPlan, Cancel, Control, Location, Parent, Source, TransferError,
};

use crate::kit::{Random, Volume, location, of_bytes, plan, restore};
use crate::store::{Fault, MemoryStore};

/// A store whose put of that number never ends.
fn hanging(put: usize) -> Arc<MemoryStore> {
    Arc::new(MemoryStore {
        fail_put: Some((put, Fault::Hang)),
        ..MemoryStore::default()
    })
}

struct Run<'a> {
    store: &'a Arc<MemoryStore>,
    volume: &'a Path,
    journal: PathBuf,
    algorithm: &'a str,
}

impl Run<'_> {
    fn plan(&self, again: bool) -> BackupPlan {
        BackupPlan {
            journal: Some(self.journal.clone()),
            again,
            ..plan(8192, 4096, self.algorithm)
        }
    }

    /// Begins, and is cut off once that many puts have begun and the others are done.
    async fn cut_off(&self, put: usize, plan: BackupPlan) {
        let control = Control::default();
        let source = Source::open(self.volume).unwrap();
        let cancel: Cancel = control.cancel.clone();
        let running = tokio::spawn(cofferdam_transfer::backup(
            self.store.clone(),
            source,
            plan,
            control,
        ));
        while self.store.puts.load(Ordering::SeqCst) < put && !running.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        cancel.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(10), running).await;
        assert_eq!(ended.unwrap().unwrap().unwrap_err().code(), "cancelled");
    }

    async fn go_on(&self, plan: BackupPlan) -> Result<BackupOutcome, TransferError> {
        let source = Source::open(self.volume).unwrap();
        cofferdam_transfer::backup(self.store.clone(), source, plan, Control::default()).await
    }
}

/// Data objects that are there.
fn data(store: &MemoryStore) -> usize {
    let names = store.names();
    names.iter().filter(|name| name.contains("-000")).count()
}

#[tokio::test]
async fn a_backup_goes_on_behind_its_last_durable_object_and_ends_as_if_it_had_not_been_cut_off() {
    let mut random = Random::new("resume");
    let content = random.mixed(80_000, 20_000);
    let volume = Volume::new(&content);
    for algorithm in ["none", "zlib", "zstd", "bz2"] {
        let whole = Arc::new(MemoryStore::default());
        let source = Source::open(&volume.path).unwrap();
        let undisturbed = cofferdam_transfer::backup(
            whole.clone(),
            source,
            plan(8192, 4096, algorithm),
            Control::default(),
        );
        let undisturbed = undisturbed.await.unwrap();
        // Ten data objects, then the two that make them a backup.
        for put in 1..=12 {
            let store = hanging(put);
            let run = Run {
                store: &store,
                volume: &volume.path,
                journal: volume.folder.path().join(format!("journal-{algorithm}-{put}")),
                algorithm,
            };
            run.cut_off(put, run.plan(false)).await;
            let (there, before) = (data(&store), store.puts.load(Ordering::SeqCst));
            let outcome = run.go_on(run.plan(true)).await.unwrap();
            let case = format!("{algorithm}, cut off at put {put} with {there} objects there");
            assert_eq!(outcome.resumed, there as u64, "{case}");
            let puts = store.puts.load(Ordering::SeqCst) - before;
            assert_eq!(puts, 12 - there, "{case}: nothing is stored twice");
            assert_eq!(
                BackupOutcome {
                    resumed: 0,
                    ..outcome
                },
                undisturbed,
                "{case}"
            );
            assert!(*store.objects() == *whole.objects(), "{case}");
            let (restored, _) = restore(&store, &of_bytes(80_000)).await.unwrap();
            assert!(restored == content, "{case}");
        }
    }
}

#[tokio::test]
async fn a_backup_of_a_volume_that_changed_meanwhile_begins_anew_and_leaves_nothing_of_before() {
    let mut random = Random::new("changed");
    let content = random.bytes(80_000);
    let volume = Volume::new(&content);
    for put in [2, 9] {
        // The parent's twelve come first.
        let store = hanging(12 + put);
        std::fs::write(&volume.path, &content).unwrap();
        let mut full = plan(8192, 4096, "none");
        full.placement.prefix.push_str("-parent");
        let parent_location = Location {
            prefix: full.placement.prefix.clone(),
            ..location()
        };
        let source = Source::open(&volume.path).unwrap();
        let made = cofferdam_transfer::backup(store.clone(), source, full, Control::default())
            .await
            .unwrap();
        let parent = || Parent {
            backup_id: "22222222-2222-2222-2222-222222222222".into(),
            location: parent_location.clone(),
            bytes: 80_000,
            seals: Some(made.seals.clone()),
        };
        let run = Run {
            store: &store,
            volume: &volume.path,
            journal: volume.folder.path().join(format!("journal-{put}")),
            algorithm: "none",
        };
        let plan = |again| BackupPlan {
            backup_id: "33333333-3333-3333-3333-333333333333".into(),
            parent: Some(parent()),
            ..run.plan(again)
        };
        // All blocks are other ones, then only one is.
        let all = random.bytes(80_000);
        std::fs::write(&volume.path, &all).unwrap();
        run.cut_off(12 + put, plan(false)).await;
        assert!(data(&store) >= 10 + put - 1, "those before the one that hangs");
        let mut one = content.clone();
        one[50_000] ^= 1;
        std::fs::write(&volume.path, &one).unwrap();
        let outcome = run.go_on(plan(true)).await.unwrap();
        assert_eq!((outcome.resumed, outcome.object_count), (0, 1));
        assert_eq!(data(&store), 11, "nothing of the first attempt is left");
    }
}

#[tokio::test]
async fn an_object_that_is_gone_or_another_one_is_stored_again() {
    let mut random = Random::new("gone");
    let content = random.bytes(80_000);
    let volume = Volume::new(&content);
    let store = hanging(8);
    let run = Run {
        store: &store,
        volume: &volume.path,
        journal: volume.folder.path().join("journal"),
        algorithm: "none",
    };
    run.cut_off(8, run.plan(false)).await;
    let there = data(&store) as u64;
    let names: Vec<String> = store.names();
    store.objects().remove(&names[0]);
    store.set(&names[2], vec![1; 10]);
    let outcome = run.go_on(run.plan(true)).await.unwrap();
    assert_eq!(outcome.resumed, there - 2);
    let (restored, _) = restore(&store, &of_bytes(80_000)).await.unwrap();
    assert!(restored == content);
}

#[tokio::test]
async fn without_a_journal_a_second_attempt_begins_anew() {
    let volume = Volume::new(&[3; 80_000]);
    let store = hanging(5);
    let run = Run {
        store: &store,
        volume: &volume.path,
        journal: volume.folder.path().join("journal"),
        algorithm: "none",
    };
    run.cut_off(5, run.plan(false)).await;
    std::fs::write(&run.journal, b"0123abcd not a journal\n").unwrap();
    let outcome = run.go_on(run.plan(true)).await.unwrap();
    assert_eq!((outcome.resumed, outcome.object_count), (0, 10));
    assert_eq!(store.names().len(), 12);
}

#[tokio::test]
async fn a_volume_that_is_written_to_fails_the_backup_unless_it_is_forced() {
    for force in [false, true] {
        let content = vec![5; 80_000];
        let volume = Volume::new(&content);
        let path = volume.path.clone();
        let store = Arc::new(MemoryStore {
            on_put: Some(Box::new(move |name| {
                if name.ends_with("-00003") {
                    std::thread::sleep(Duration::from_millis(25));
                    std::fs::write(&path, vec![6; 80_000]).unwrap();
                }
            })),
            ..MemoryStore::default()
        });
        let source = Source::open(&volume.path).unwrap();
        let plan = BackupPlan {
            force,
            ..plan(8192, 4096, "none")
        };
        let result = cofferdam_transfer::backup(store.clone(), source, plan, Control::default()).await;
        if force {
            assert!(result.unwrap().changed);
            restore(&store, &of_bytes(80_000)).await.unwrap();
        } else {
            assert_eq!(result.unwrap_err().code(), "volume-changed");
            assert_eq!(store.names(), Vec::<String>::new());
        }
    }
}
