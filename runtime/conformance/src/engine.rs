//! The transfer engine over a driver, for the cases that are about whole backups.
//!
//! Instances are used again, as the service does; one that failed is dropped. Everything that is put is noted on the case's ground,
//! so that it is cleared away however the case ends. Volumes are files of some megabytes in a folder for temporary files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cofferdam_sandbox::contract::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ObjectAddress, ObjectInfo, Page, Placement,
};
use cofferdam_sandbox::stream::{Reader, Writer};
use cofferdam_sandbox::{Failure, Instance};
use cofferdam_transfer::{
    BackupOutcome, BackupPlan, Control, Expected, Link, Location, ObjectStore, Parent, Source, TransferError,
    Verdict,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::case::Stop;
use crate::expect::{Expect, found};
use crate::ground::{Ground, Noted};
use crate::subject::Opener;

/// Bytes of volume in one object: small, so that a small volume has many.
pub(crate) const OBJECT: u64 = 256 << 10;

/// Bytes per hash.
const BLOCK: u32 = 32 << 10;

/// A driver's instances as an object store.
struct Instances {
    opener: Opener,
    needs: BodyNeeds,
    greatest: Option<u64>,
    idle: Mutex<Vec<Instance>>,
    noted: Noted,
}

impl Instances {
    async fn lease(&self) -> Result<Instance, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle.filter(Instance::is_alive) {
            Some(instance) => Ok(instance),
            None => self.opener.open().await,
        }
    }

    /// Takes an instance back whose call succeeded.
    fn back<T>(&self, instance: Instance, result: Result<T, Failure>) -> Result<T, Failure> {
        if result.is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(instance);
        }
        result
    }
}

#[async_trait]
impl ObjectStore for Instances {
    fn needs(&self) -> BodyNeeds {
        self.needs
    }

    fn greatest_object(&self) -> Option<u64> {
        self.greatest
    }

    async fn create_container(&self, container: &str) -> Result<(), Failure> {
        let instance = self.lease().await?;
        let result = instance.create_container(container).await;
        self.back(instance, result)
    }

    async fn put_object(&self, at: ObjectAddress, body: Reader, info: BodyInfo) -> Result<(), Failure> {
        self.noted.add(&at);
        let instance = self.lease().await?;
        let result = instance.put_object(at, body, info).await;
        self.back(instance, result)
    }

    async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        let instance = self.lease().await?;
        let result = instance.get_object(at, range, sink).await;
        self.back(instance, result)
    }

    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        let instance = self.lease().await?;
        let result = instance.stat_object(at).await;
        self.back(instance, result)
    }

    async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure> {
        let instance = self.lease().await?;
        let result = instance.delete_object(at).await;
        self.back(instance, result)
    }

    async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure> {
        let instance = self.lease().await?;
        let result = instance.list_objects(container, prefix, after, limit).await;
        self.back(instance, result)
    }
}

/// A backup that was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) link: Link,
    pub(crate) content: Vec<u8>,
    id: String,
}

impl Made {
    /// As what the next one builds on.
    fn parent(&self) -> Parent {
        Parent {
            backup_id: self.id.clone(),
            location: self.link.location.clone(),
            bytes: self.content.len() as u64,
            seals: self.link.expected.seals.clone(),
        }
    }
}

/// The engine over one driver.
pub(crate) struct Engine<'g> {
    ground: &'g Ground<'g>,
    pub(crate) store: Arc<dyn ObjectStore>,
    folder: TempDir,
}

impl<'g> Engine<'g> {
    pub(crate) fn over(ground: &'g Ground<'g>) -> Result<Self, Stop> {
        let folder = tempfile::tempdir();
        let folder = folder.map_err(|error| found("a folder for temporary files", error.to_string()))?;
        let info = ground.subject().info();
        Ok(Engine {
            store: Arc::new(Instances {
                opener: ground.subject().opener(),
                needs: info.needs,
                greatest: info.greatest_object,
                idle: Mutex::default(),
                noted: ground.noted().clone(),
            }),
            ground,
            folder,
        })
    }

    /// An id that no other backup or volume of the case has, the same in every run of the seed.
    pub(crate) fn id(&self, of: &str) -> String {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, self.ground.name(of).as_bytes()).to_string()
    }

    /// Where the driver puts a backup, in portions that are small.
    pub(crate) async fn place(&self, volume: &str, backup: &str) -> Result<Placement, Stop> {
        let identity = BackupIdentity {
            backup_id: self.id(backup),
            volume_id: self.id(volume),
            timestamp: "20240102030405".into(),
            availability_zone: "nova".into(),
        };
        let store = self.ground.store().await?;
        let placed = store
            .instance
            .place_backup(identity, Some(self.ground.container().to_owned()))
            .await
            .must("a place for a backup")?;
        Ok(Placement {
            object_size: OBJECT.min(placed.object_size / u64::from(BLOCK) * u64::from(BLOCK)),
            block_size: BLOCK,
            ..placed
        })
    }

    /// Backs a content up, as a whole or on top of another backup.
    pub(crate) async fn back_up(
        &self,
        name: &str,
        content: &[u8],
        parent: Option<&Made>,
        algorithm: &str,
    ) -> Result<Result<Made, TransferError>, Stop> {
        let plan = self.plan(name, parent, algorithm).await?;
        let location = Location {
            container: plan.placement.container.clone(),
            prefix: plan.placement.prefix.clone(),
        };
        let made = self.run(plan, content, Control::default()).await?;
        Ok(made.map(|outcome| Made {
            link: Link {
                location,
                expected: Expected {
                    bytes: Some(content.len() as u64),
                    backup_id: Some(self.id(name)),
                    seals: Some(outcome.seals),
                },
            },
            content: content.to_vec(),
            id: self.id(name),
        }))
    }

    pub(crate) async fn plan(
        &self,
        name: &str,
        parent: Option<&Made>,
        algorithm: &str,
    ) -> Result<BackupPlan, Stop> {
        let created_at = "2024-01-02T03:04:05Z".parse::<jiff::Timestamp>();
        Ok(BackupPlan {
            backup_id: self.id(name),
            volume_id: self.id("volume"),
            name: Some("nightly é".into()),
            description: None,
            created_at: created_at.map_err(|error| found("a time", error.to_string()))?,
            volume_meta: Some(volume_meta()),
            placement: self.place("volume", name).await?,
            algorithm: algorithm
                .parse()
                .map_err(|_| found("a way to compress", algorithm))?,
            parent: parent.map(Made::parent),
            spool: self.folder.path().to_owned(),
            force: false,
            journal: None,
            again: false,
        })
    }

    /// Carries a plan out.
    pub(crate) async fn run(
        &self,
        plan: BackupPlan,
        content: &[u8],
        control: Control,
    ) -> Result<Result<BackupOutcome, TransferError>, Stop> {
        let volume = self.path("volume");
        // A backup goes on only with a volume that was not written meanwhile.
        if std::fs::read(&volume).ok().as_deref() != Some(content) {
            sparse(&volume, content).map_err(|error| found("a volume", error.to_string()))?;
        }
        let made = async {
            self.store
                .create_container(&plan.placement.container)
                .await
                .map_err(|failure| TransferError::Store {
                    action: "making the container".into(),
                    failure,
                })?;
            cofferdam_transfer::backup(self.store.clone(), Source::open(&volume)?, plan, control).await
        };
        Ok(made.await)
    }

    /// A file of the case's own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Restores a chain, the newest first, onto a new file, and gives what is in it then.
    pub(crate) async fn restore(&self, chain: &[Link]) -> Result<Vec<u8>, TransferError> {
        let target = self.path("restored");
        let _ = std::fs::remove_file(&target);
        self.restore_onto(chain, &target, false).await?;
        Ok(std::fs::read(&target).unwrap_or_default())
    }

    pub(crate) async fn restore_onto(
        &self,
        chain: &[Link],
        target: &std::path::Path,
        overwrite: bool,
    ) -> Result<Option<String>, TransferError> {
        let control = Control::default();
        let restored =
            cofferdam_transfer::restore(self.store.clone(), chain, target, overwrite, control).await?;
        Ok(restored.volume_meta)
    }

    pub(crate) async fn verify(&self, chain: &[Link]) -> Verdict {
        cofferdam_transfer::verify(self.store.clone(), chain, Control::default()).await
    }
}

/// What a volume's own metadata may hold: letters of all kinds, and much.
pub(crate) fn volume_meta() -> String {
    let note = "ключ é 鍵 🔑 \\\" ".repeat(2000);
    format!("{{\"version\": 2, \"volume-base-metadata\": {{\"display_name\": {note:?}}}}}")
}

/// Writes a file in which zeros are holes.
fn sparse(path: &std::path::Path, content: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    const PIECE: usize = 64 << 10;
    let file = std::fs::File::create(path)?;
    file.set_len(content.len() as u64)?;
    for (number, piece) in content.chunks(PIECE).enumerate() {
        if piece.iter().any(|byte| *byte != 0) {
            file.write_all_at(piece, (number * PIECE) as u64)?;
        }
    }
    file.sync_all()
}
