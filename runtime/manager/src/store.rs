//! The supervisor's leased instances as the transfer engine's object store: the one place where the two meet. Each call is
//! one try; the layers that make more of it are put round it by [`Manager::storage`](crate::Manager).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds, ByteRange, ObjectAddress, ObjectInfo, Page};
use cofferdam_sandbox::stream::{Reader, Writer};
use cofferdam_sandbox::{Failure, RetryClass};
use cofferdam_supervisor::Supervisor;
use cofferdam_transfer::ObjectStore;
use tokio::time::Instant;

use crate::driver::{BackendDriver, Generation};

/// Longest wait for instances whose calls were given up; one that hangs in the kernel comes back never.
const QUIET: Duration = Duration::from_secs(2);

/// Between two looks at them.
const LOOK: Duration = Duration::from_millis(5);

/// One backend's storage, through its driver.
pub(crate) struct BackendStore {
    backend: String,
    generation: Arc<Generation>,
    supervisor: Arc<Supervisor<BackendDriver>>,
}

impl BackendStore {
    pub(crate) fn new(
        backend: String,
        generation: Arc<Generation>,
        supervisor: Arc<Supervisor<BackendDriver>>,
    ) -> Self {
        BackendStore {
            backend,
            generation,
            supervisor,
        }
    }

    /// Tells the supervisor of a failure that may mean that the backend is gone: it probes at once.
    fn told<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(failure) = &result
            && failure.retry_class() == RetryClass::Retry
        {
            self.supervisor.report_failure(&self.backend, failure.clone());
        }
        result
    }
}

#[async_trait]
impl ObjectStore for BackendStore {
    fn needs(&self) -> BodyNeeds {
        self.generation.known.info.needs
    }

    fn greatest_object(&self) -> Option<u64> {
        self.generation.known.info.greatest_object
    }

    async fn quiet(&self) {
        let begin = Instant::now();
        while self.generation.sandbox.threads_ending() > 0 && begin.elapsed() < QUIET {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn create_container(&self, container: &str) -> Result<(), Failure> {
        let instance = self.told(self.generation.lease().await)?;
        self.told(instance.create_container(container).await)
    }

    async fn put_object(&self, at: ObjectAddress, body: Reader, info: BodyInfo) -> Result<(), Failure> {
        let instance = self.told(self.generation.lease().await)?;
        self.told(instance.put_object(at, body, info).await.map(drop))
    }

    async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        let instance = self.told(self.generation.lease().await)?;
        self.told(instance.get_object(at, range, sink).await)
    }

    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        let instance = self.told(self.generation.lease().await)?;
        self.told(instance.stat_object(at).await)
    }

    async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure> {
        let instance = self.told(self.generation.lease().await)?;
        self.told(instance.delete_object(at).await)
    }

    async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure> {
        let instance = self.told(self.generation.lease().await)?;
        self.told(instance.list_objects(container, prefix, after, limit).await)
    }
}
