//! Many backups by chance: layouts of holes, zeros and data, and a store of which every fifth call fails.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cofferdam_sandbox::contract::{
    BodyInfo, BodyNeeds, ByteRange, DriverError, ObjectAddress, ObjectInfo, Page,
};
use cofferdam_sandbox::stream::{Reader, Writer};
use cofferdam_sandbox::{Failure, Phase};
use cofferdam_transfer::{Control, Expected, Link, ObjectStore, Source, Verdict};

use crate::kit::{Random, Volume, backup, location, plan, restore, verify};
use crate::store::MemoryStore;

/// Every call fails with this probability, in percent.
const PERCENT: u64 = 20;

/// A store whose calls fail by chance: before anything, or after all was done.
pub(crate) struct Flaky {
    inner: Arc<MemoryStore>,
    chance: Mutex<fastrand::Rng>,
}

#[derive(PartialEq, Eq)]
enum Fails {
    Before,
    After,
    Not,
}

impl Flaky {
    pub(crate) fn new(inner: Arc<MemoryStore>, seed: u64) -> Self {
        Flaky {
            inner,
            chance: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }

    fn fails(&self) -> Fails {
        match self.chance.lock().unwrap().u64(..200) {
            0..PERCENT => Fails::Before,
            PERCENT..40 => Fails::After,
            _ => Fails::Not,
        }
    }

    async fn call<T>(
        &self,
        phase: Phase,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let failed = || Failure::Driver {
            phase,
            error: DriverError::Unavailable("by chance".into()),
        };
        match self.fails() {
            Fails::Before => Err(failed()),
            Fails::After => call.await.and_then(|_| Err(failed())),
            Fails::Not => call.await,
        }
    }
}

#[async_trait]
impl ObjectStore for Flaky {
    fn needs(&self) -> BodyNeeds {
        self.inner.needs()
    }

    fn greatest_object(&self) -> Option<u64> {
        None
    }

    async fn create_container(&self, container: &str) -> Result<(), Failure> {
        self.call(Phase::CreateContainer, self.inner.create_container(container))
            .await
    }

    async fn put_object(&self, at: ObjectAddress, body: Reader, info: BodyInfo) -> Result<(), Failure> {
        self.call(Phase::PutObject, self.inner.put_object(at, body, info))
            .await
    }

    async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        self.call(Phase::GetObject, self.inner.get_object(at, range, sink))
            .await
    }

    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        self.call(Phase::StatObject, self.inner.stat_object(at)).await
    }

    async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure> {
        self.call(Phase::DeleteObject, self.inner.delete_object(at)).await
    }

    async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure> {
        let list = self.inner.list_objects(container, prefix, after, limit);
        self.call(Phase::ListObjects, list).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_fifth_call_failing_each_operation_is_whole_or_a_clean_error() {
    const BACKUPS: usize = 600;
    let mut random = Random::new("flaky");
    let (mut made, mut restored, mut refused) = (0, 0, 0);
    for _ in 0..BACKUPS {
        let length = 1 + random.below(20_000);
        let content = random.mixed(length, 3000);
        let volume = Volume::new(&content);
        let inner = Arc::new(MemoryStore::default());
        let store = Arc::new(Flaky::new(inner.clone(), random.next()));
        let algorithm = ["none", "zlib", "zstd", "bz2"][random.below(4)];
        let source = Source::open(&volume.path).unwrap();
        let plan = plan(8192, 4096, algorithm);
        let result = cofferdam_transfer::backup(store.clone(), source, plan, Control::default()).await;
        let chain = [Link {
            location: location(),
            expected: Expected {
                bytes: Some(content.len() as u64),
                ..Expected::default()
            },
        }];
        match result {
            Ok(_) => {
                made += 1;
                let sound = verify(&inner, &chain[0].expected).await;
                assert!(matches!(sound, Verdict::Ok { .. }), "{sound:?}");
                // What fails by chance is never called damage, and a target is whole or not there.
                let target = volume.target();
                for _ in 0..4 {
                    let verdict = cofferdam_transfer::verify(store.clone(), &chain, Control::default()).await;
                    assert!(!matches!(verdict, Verdict::Corrupt { .. }), "{verdict:?}");
                    let result = cofferdam_transfer::restore(
                        store.clone(),
                        &chain,
                        &target,
                        false,
                        Control::default(),
                    );
                    match result.await {
                        Ok(_) => {
                            assert!(std::fs::read(&target).unwrap() == content);
                            std::fs::remove_file(&target).unwrap();
                            restored += 1;
                        }
                        Err(error) => {
                            assert!(!target.exists() && !error.is_corruption(), "{error}");
                            refused += 1;
                        }
                    }
                }
            }
            Err(error) => assert_eq!(error.code(), "driver.unavailable", "{error}"),
        }
        // A delete that failed can be tried again, and nothing is left in the end.
        let mut tries = 0;
        while cofferdam_transfer::delete(&*store, &location()).await.is_err() {
            tries += 1;
            assert!(tries < 10_000);
            // Only who could make the container can list it.
            inner.create_container("c").await.unwrap();
        }
        assert_eq!(inner.names(), Vec::<String>::new());
    }
    println!(
        "{BACKUPS} backups with {PERCENT} % of all calls failing: {made} made and sound, {} clean errors; {restored} \
         restores whole, {refused} clean errors, 0 damages claimed, 0 objects left",
        BACKUPS - made
    );
    assert!(made > 20 && restored > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn random_layouts_of_holes_zeros_and_data_come_back() {
    const LAYOUTS: usize = 2000;
    let mut random = Random::new("layouts");
    for turn in 0..LAYOUTS {
        // Bytes, pages and more, with holes that the file system knows of.
        let size = 1 + random.below([5_000, 100_000, 400_000][turn % 3]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("volume");
        let file = File::create(&path).unwrap();
        file.set_len(size as u64).unwrap();
        for _ in 0..random.below(6) {
            let from = random.below(size);
            let length = 1 + random.below((size - from).min(50_000));
            let bytes = match random.below(3) {
                0 => vec![0; length],
                1 => vec![b'a'; length],
                _ => random.bytes(length),
            };
            file.write_all_at(&bytes, from as u64).unwrap();
        }
        let content = std::fs::read(&path).unwrap();
        let store = Arc::new(MemoryStore::default());
        let block = [512_u32, 4096, 32768][random.below(3)];
        let object = u64::from(block) * (1 + random.below(8) as u64);
        let algorithm = ["none", "zlib", "zstd", "bz2"][random.below(4)];
        backup(&store, &path, plan(object, block, algorithm))
            .await
            .unwrap();
        let expected = Expected {
            bytes: Some(size as u64),
            ..Expected::default()
        };
        let (restored, _) = restore(&store, &expected).await.unwrap();
        assert!(
            restored == content,
            "{size} bytes, object {object}, block {block}, {algorithm}"
        );
    }
    println!("{LAYOUTS} layouts, 0 bytes wrong");
}

#[tokio::test]
async fn one_bad_reading_does_not_condemn_a_backup() {
    let mut random = Random::new("once wrong");
    let content = random.mixed(50_000, 5000);
    let volume = Volume::new(&content);
    let store = Arc::new(MemoryStore {
        wrong_once: AtomicBool::new(true),
        ..MemoryStore::default()
    });
    backup(&store, &volume.path, plan(8192, 4096, "none"))
        .await
        .unwrap();
    let chain = [Link {
        location: location(),
        expected: Expected::default(),
    }];
    let control = Control::default();
    let verdict = cofferdam_transfer::verify(store, &chain, control.clone()).await;
    assert!(matches!(verdict, Verdict::Ok { .. }), "{verdict:?}");
    assert_eq!(control.progress.snapshot().done, 50_000);
}
