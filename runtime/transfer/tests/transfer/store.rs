//! An object store in memory that can be told to misbehave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use cofferdam_sandbox::contract::{
    BodyInfo, BodyNeeds, ByteRange, DriverError, ObjectAddress, ObjectInfo, Page,
};
use cofferdam_sandbox::stream::{Reader, Writer};
use cofferdam_sandbox::{Failure, Phase};
use cofferdam_transfer::ObjectStore;
use md5::{Digest, Md5};
use sha2::Sha256;

/// How a put fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Before the body is read.
    Early,
    /// After it was read; nothing is stored.
    Late,
    /// It is stored, and yet reported as failed: a deadline that passed too late.
    Ambiguous,
    /// It says that it stored an object of which it read only the beginning.
    Short,
    /// It never returns.
    Hang,
}

type Hook = Box<dyn Fn(&str) + Send + Sync>;

/// The store.
pub(crate) struct MemoryStore {
    pub(crate) needs: BodyNeeds,
    pub(crate) greatest: Option<u64>,
    pub(crate) page: usize,
    pub(crate) piece: usize,
    /// The put of that number, counted from 1, fails so.
    pub(crate) fail_put: Option<(usize, Fault)>,
    pub(crate) fail_delete: bool,
    pub(crate) fail_list: bool,
    /// Names that end so are not listed: the listing lags behind.
    pub(crate) unlisted: &'static [&'static str],
    /// Called with the object's name when a put begins.
    pub(crate) on_put: Option<Hook>,
    /// Called with the object's name when a put's body broke.
    pub(crate) on_broken: Option<Hook>,
    /// A get of a name that ends so never ends.
    pub(crate) endless: Option<&'static str>,
    /// A get of a name that ends so gives nothing and never returns.
    pub(crate) hang_get: Option<&'static str>,
    /// A get of a name that ends so fails, as unavailable, halfway.
    pub(crate) fail_get: Option<&'static str>,
    /// The first get of a data object gives other bytes.
    pub(crate) wrong_once: AtomicBool,
    pub(crate) puts: AtomicUsize,
    pub(crate) deleted: Mutex<Vec<String>>,
    pub(crate) containers: Mutex<BTreeSet<String>>,
    pub(crate) objects: Mutex<BTreeMap<String, Bytes>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        MemoryStore {
            needs: BodyNeeds::empty(),
            greatest: None,
            page: 3,
            piece: 100_000,
            fail_put: None,
            fail_delete: false,
            fail_list: false,
            unlisted: &[],
            on_put: None,
            on_broken: None,
            endless: None,
            hang_get: None,
            fail_get: None,
            wrong_once: AtomicBool::new(false),
            puts: AtomicUsize::new(0),
            deleted: Mutex::default(),
            containers: Mutex::default(),
            objects: Mutex::default(),
        }
    }
}

fn failed(phase: Phase, error: DriverError) -> Failure {
    Failure::Driver { phase, error }
}

impl MemoryStore {
    pub(crate) fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.objects.lock().unwrap()
    }

    /// Names of all objects.
    pub(crate) fn names(&self) -> Vec<String> {
        self.objects().keys().cloned().collect()
    }

    pub(crate) fn set(&self, name: &str, content: impl Into<Bytes>) {
        self.objects().insert(name.to_owned(), content.into());
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.objects()[name].to_vec()
    }
}

#[async_trait]
impl ObjectStore for MemoryStore {
    fn needs(&self) -> BodyNeeds {
        self.needs
    }

    fn greatest_object(&self) -> Option<u64> {
        self.greatest
    }

    async fn create_container(&self, container: &str) -> Result<(), Failure> {
        self.containers.lock().unwrap().insert(container.to_owned());
        Ok(())
    }

    async fn put_object(&self, at: ObjectAddress, mut body: Reader, info: BodyInfo) -> Result<(), Failure> {
        assert!(self.containers.lock().unwrap().contains(&at.container));
        let number = self.puts.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(hook) = &self.on_put {
            hook(&at.name);
        }
        let fault = self
            .fail_put
            .filter(|(at, _)| *at == number)
            .map(|(_, fault)| fault);
        let full = || {
            failed(
                Phase::PutObject,
                DriverError::OutOfSpace("the disk is full".into()),
            )
        };
        match fault {
            Some(Fault::Early) => return Err(full()),
            Some(Fault::Short) => {
                let first = body.next().await.unwrap().unwrap_or_default();
                self.set(&at.name, first);
                return Ok(());
            }
            Some(Fault::Hang) => std::future::pending().await,
            _ => {}
        }
        let mut content = Vec::new();
        loop {
            match body.next().await {
                Ok(Some(piece)) => {
                    assert!(piece.len() <= 1 << 20, "a piece of {} bytes", piece.len());
                    content.extend_from_slice(&piece);
                }
                Ok(None) => break,
                Err(broken) => {
                    if let Some(hook) = &self.on_broken {
                        hook(&at.name);
                    }
                    return Err(failed(Phase::PutObject, DriverError::Failed(broken.0)));
                }
            }
        }
        check(&content, &info, self.needs);
        match fault {
            Some(Fault::Late) => Err(full()),
            Some(Fault::Ambiguous) => {
                self.set(&at.name, content);
                Err(full())
            }
            _ => {
                self.set(&at.name, content);
                Ok(())
            }
        }
    }

    async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        let gone = || failed(Phase::GetObject, DriverError::Failed("the reader is gone".into()));
        if self.hang_get.is_some_and(|name| at.name.ends_with(name)) {
            self.puts.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        let Some(mut content) = self.objects().get(&at.name).cloned() else {
            return Err(failed(
                Phase::GetObject,
                DriverError::NotFound(format!("no object {}", at.name)),
            ));
        };
        if at.name.ends_with("-00001") && self.wrong_once.swap(false, Ordering::SeqCst) {
            let mut bytes = content.to_vec();
            bytes[0] ^= 1;
            content = bytes.into();
        }
        if let Some(range) = range {
            let end = content.len();
            let from = end.min(range.offset as usize);
            let to = range.length.map_or(end, |length| end.min(from + length as usize));
            content = content.slice(from..to);
        }
        while self.endless.is_some_and(|name| at.name.ends_with(name)) {
            sink.write(Bytes::from(vec![b' '; 1 << 20]))
                .await
                .map_err(|_| gone())?;
        }
        let fails = self.fail_get.is_some_and(|name| at.name.ends_with(name));
        let mut rest = if fails {
            content.slice(..content.len() / 2)
        } else {
            content.clone()
        };
        while !rest.is_empty() {
            let piece = rest.split_to(self.piece.min(rest.len()));
            sink.write(piece).await.map_err(|_| gone())?;
        }
        if fails {
            return Err(failed(
                Phase::GetObject,
                DriverError::Unavailable("the line went dead".into()),
            ));
        }
        let _ = sink.finish().await;
        Ok(content.len() as u64)
    }

    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        match self.objects().get(&at.name) {
            Some(content) => Ok(ObjectInfo {
                name: at.name.clone(),
                size: content.len() as u64,
            }),
            None => Err(failed(Phase::StatObject, DriverError::NotFound(at.name))),
        }
    }

    async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure> {
        if self.fail_delete {
            return Err(failed(
                Phase::DeleteObject,
                DriverError::Unavailable("not now".into()),
            ));
        }
        self.deleted.lock().unwrap().push(at.name.clone());
        self.objects().remove(&at.name);
        Ok(())
    }

    async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure> {
        if self.fail_list {
            return Err(failed(
                Phase::ListObjects,
                DriverError::Unavailable("not now".into()),
            ));
        }
        if !self.containers.lock().unwrap().contains(container) {
            return Err(failed(
                Phase::ListObjects,
                DriverError::NotFound(container.to_owned()),
            ));
        }
        let after = after.unwrap_or_default();
        let objects = self.objects();
        let mut rest = objects
            .iter()
            .filter(|(name, _)| name.starts_with(prefix) && **name > after)
            .filter(|(name, _)| !self.unlisted.iter().any(|end| name.ends_with(end)));
        let size = self.page.min(limit as usize);
        let page = rest
            .by_ref()
            .take(size)
            .map(|(name, content)| ObjectInfo {
                name: name.clone(),
                size: content.len() as u64,
            })
            .collect();
        Ok(Page {
            objects: page,
            more: rest.next().is_some(),
        })
    }
}

/// What the host says of a body must be true, and must be all that the driver needs.
fn check(content: &[u8], info: &BodyInfo, needs: BodyNeeds) {
    assert!(info.size.is_some() || !needs.contains(BodyNeeds::SIZE));
    assert!(info.md5.is_some() || !needs.contains(BodyNeeds::MD5));
    assert!(info.sha256.is_some() || !needs.contains(BodyNeeds::SHA256));
    assert!(info.crc32c.is_some() || !needs.contains(BodyNeeds::CRC32C));
    assert!(info.size.is_none_or(|size| size == content.len() as u64));
    assert!(
        info.md5
            .as_ref()
            .is_none_or(|md5| *md5 == hex::encode(Md5::digest(content)))
    );
    assert!(
        info.sha256
            .as_ref()
            .is_none_or(|sha256| *sha256 == hex::encode(Sha256::digest(content)))
    );
    assert!(info.crc32c.is_none_or(|crc| crc == crc32c::crc32c(content)));
}
