//! What the host puts round any driver's storage: calls are made again when what failed may pass, and only so many run at
//! once. Drivers contain none of it.
//!
//! The order, from outside: *retry* → *limit* → *timeout*. Each try is bounded by itself (the sandbox's deadlines, stalls
//! and rates), holds its place only while it runs, and waits without one. A get goes on behind the bytes that got through
//! already. A put's body is gone with the try that it was for, so whoever can make it anew asks [`ObjectStore::again`] and
//! makes it from its source. Bound: [`Patience`]; over all calls of a backend, tries beyond the first are further apart
//! than [`retry::Budget`] says, and once one call has spent all its time, others fail at once until one succeeds: so a
//! storage that is gone costs its time once, not once per call. Cost: one semaphore per call, a lock per piece of a get.

mod retry;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use cofferdam_sandbox::Failure;
use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds, ByteRange, ObjectAddress, ObjectInfo, Page};
use cofferdam_sandbox::stream::{Reader, Writer};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use self::retry::{Budget, Hope, hope};
pub use self::retry::{Patience, Tries};
use crate::store::ObjectStore;

/// Bytes of a get that make it a new one: who has come so far is not stuck.
const PROGRESS: u64 = 1 << 20;

/// What all calls to one backend share.
#[derive(Debug)]
pub struct Layers {
    backend: String,
    patience: Patience,
    places: Semaphore,
    budget: Budget,
    /// A call has spent all its time, and none has succeeded since.
    given_up: AtomicBool,
    repeated: AtomicU64,
}

impl Layers {
    /// The layers of the backend of that name, which runs at most `calls` calls at once.
    pub fn new(backend: &str, patience: Patience, calls: usize) -> Arc<Self> {
        Arc::new(Layers {
            backend: backend.to_owned(),
            patience,
            places: Semaphore::new(calls.clamp(1, Semaphore::MAX_PERMITS)),
            budget: Budget::new(Instant::now()),
            given_up: AtomicBool::new(false),
            repeated: AtomicU64::new(0),
        })
    }

    /// The store with these layers round it.
    pub fn round(self: &Arc<Self>, store: Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> {
        Arc::new(Layered {
            store,
            layers: self.clone(),
        })
    }

    /// Calls that were made again, so far.
    pub fn repeated(&self) -> u64 {
        self.repeated.load(Ordering::Relaxed)
    }

    /// A place to run a call; the semaphore is never closed, and a call without one would do no harm either.
    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.acquire().await.ok()
    }

    fn succeeded(&self) {
        if self.given_up.load(Ordering::Relaxed) {
            self.given_up.store(false, Ordering::Relaxed);
        }
    }

    /// Whether a call that failed so should be made again now; waits until it is time.
    async fn again(&self, tries: &mut Tries, failure: &Failure) -> bool {
        let hope = hope(failure);
        if hope == Hope::None || self.given_up.load(Ordering::Relaxed) {
            return false;
        }
        let now = Instant::now();
        let least = self.budget.take(now);
        let Some(wait) = tries.next(&self.patience, now, failure, least, fastrand::f64()) else {
            if hope == Hope::Good {
                self.given_up.store(true, Ordering::Relaxed);
            }
            return false;
        };
        self.repeated.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            backend = %self.backend, code = failure.code(), %failure, tries = tries.made(), wait_ms = wait.as_millis() as u64,
            "a call failed and is made again"
        );
        tokio::time::sleep(wait).await;
        true
    }

    /// Makes a call until it succeeds or there is no hope.
    async fn call<T, F>(&self, call: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut tries = Tries::default();
        loop {
            let place = self.place().await;
            let result = call().await;
            drop(place);
            match result {
                Ok(value) => {
                    self.succeeded();
                    return Ok(value);
                }
                Err(failure) if self.again(&mut tries, &failure).await => {}
                Err(failure) => return Err(failure),
            }
        }
    }
}

/// A store with layers round it.
struct Layered {
    store: Arc<dyn ObjectStore>,
    layers: Arc<Layers>,
}

#[async_trait]
impl ObjectStore for Layered {
    fn needs(&self) -> BodyNeeds {
        self.store.needs()
    }

    fn greatest_object(&self) -> Option<u64> {
        self.store.greatest_object()
    }

    async fn again(&self, tries: &mut Tries, failure: &Failure) -> bool {
        self.layers.again(tries, failure).await
    }

    async fn quiet(&self) {
        self.store.quiet().await;
    }

    async fn create_container(&self, container: &str) -> Result<(), Failure> {
        let call = || self.store.create_container(container);
        self.layers.call(call).await
    }

    async fn put_object(&self, at: ObjectAddress, body: Reader, info: BodyInfo) -> Result<(), Failure> {
        let _place = self.layers.place().await;
        let result = self.store.put_object(at, body, info).await;
        if result.is_ok() {
            self.layers.succeeded();
        }
        result
    }

    async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        let (mut got, mut tries) = (0, Tries::default());
        loop {
            let rest = match (range, got) {
                (range, 0) => range,
                (None, got) => Some(ByteRange {
                    offset: got,
                    length: None,
                }),
                (Some(range), got) => Some(ByteRange {
                    offset: range.offset.saturating_add(got),
                    length: range.length.map(|length| length.saturating_sub(got)),
                }),
            };
            let place = self.layers.place().await;
            let (writer, attempt) = sink.attempt();
            let result = self.store.get_object(at.clone(), rest, writer).await;
            drop(place);
            let through = attempt.end();
            got += through;
            match result {
                Ok(_) => {
                    self.layers.succeeded();
                    // A reader that is gone wants nothing any more.
                    let _ = sink.finish().await;
                    return Ok(got);
                }
                Err(failure) => {
                    if through >= PROGRESS {
                        tries = Tries::default();
                    }
                    if sink.is_closed() || !self.layers.again(&mut tries, &failure).await {
                        sink.fail(failure.to_string()).await;
                        return Err(failure);
                    }
                }
            }
        }
    }

    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        let call = || self.store.stat_object(at.clone());
        self.layers.call(call).await
    }

    async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure> {
        let call = || self.store.delete_object(at.clone());
        self.layers.call(call).await
    }

    async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure> {
        let call = || self.store.list_objects(container, prefix, after.clone(), limit);
        self.layers.call(call).await
    }
}
