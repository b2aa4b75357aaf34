//! A storage on which what was given up goes on for a while: nothing of it may be left when a backup has failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_sandbox::Failure;
use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds, ByteRange, ObjectAddress, ObjectInfo, Page};
use cofferdam_sandbox::stream::{Reader, Writer};
use cofferdam_transfer::{Control, ObjectStore, Source};

use crate::kit::{Random, Volume, plan};
use crate::store::{Fault, MemoryStore};

/// Stores each object a while after its put was asked for, whether or not somebody still waits; the second one fails before.
struct Stragglers {
    inner: Arc<MemoryStore>,
    refusing: MemoryStore,
    underway: Arc<AtomicUsize>,
}

#[async_trait]
impl ObjectStore for Stragglers {
    fn needs(&self) -> BodyNeeds {
        self.inner.needs()
    }

    fn greatest_object(&self) -> Option<u64> {
        None
    }

    async fn quiet(&self) {
        while self.underway.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn create_container(&self, container: &str) -> Result<(), Failure> {
        self.refusing.create_container(container).await?;
        self.inner.create_container(container).await
    }

    async fn put_object(&self, at: ObjectAddress, body: Reader, info: BodyInfo) -> Result<(), Failure> {
        if at.name.ends_with("-00002") {
            tokio::time::sleep(Duration::from_millis(50)).await;
            return self.refusing.put_object(at, body, info).await;
        }
        let (inner, underway) = (self.inner.clone(), self.underway.clone());
        underway.fetch_add(1, Ordering::SeqCst);
        let put = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let put = inner.put_object(at, body, info).await;
            underway.fetch_sub(1, Ordering::SeqCst);
            put
        });
        put.await.unwrap()
    }

    async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        self.inner.get_object(at, range, sink).await
    }

    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        self.inner.stat_object(at).await
    }

    async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure> {
        self.inner.delete_object(at).await
    }

    async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure> {
        self.inner.list_objects(container, prefix, after, limit).await
    }
}

#[tokio::test]
async fn what_other_lanes_were_putting_when_one_failed_does_not_come_back() {
    let volume = Volume::new(&Random::new("stragglers").bytes(50_000));
    let inner = Arc::new(MemoryStore::default());
    let store = Arc::new(Stragglers {
        inner: inner.clone(),
        refusing: MemoryStore {
            fail_put: Some((1, Fault::Early)),
            ..MemoryStore::default()
        },
        underway: Arc::default(),
    });
    let source = Source::open(&volume.path).unwrap();
    let control = Control::default();
    let made = cofferdam_transfer::backup(store.clone(), source, plan(8192, 4096, "none"), control).await;
    assert_eq!(made.unwrap_err().code(), "driver.out-of-space");
    store.quiet().await;
    assert_eq!(inner.names(), Vec::<String>::new());
}
