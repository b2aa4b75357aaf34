//! One of the drivers s3 and swift in a sandbox, and its objects' bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use bytes::Bytes;
use cofferdam_sandbox::compile::CompileHelper;
use cofferdam_sandbox::contract::{BodyInfo, ObjectAddress, SettingValue};
use cofferdam_sandbox::requirements::{Grants, Provision, provide};
use cofferdam_sandbox::{Driver, Instance, Limits, Sandbox, stream};
use cofferdam_tests::{cofferdam, drivers};
use md5::Digest;

use super::sink::Head;
use crate::init::budget;

/// Where all objects are.
pub(crate) const CONTAINER: &str = "bench";

/// Bytes that are handed over at once.
pub(crate) const PIECE: usize = 1 << 20;

/// What speaks to a storage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access<'a> {
    /// `http://127.0.0.1:8080`.
    pub(crate) url: &'a str,
    pub(crate) auth_url: &'a str,
    pub(crate) user: &'a str,
    pub(crate) key: &'a str,
}

/// A loaded driver with its settings.
pub(crate) struct Client {
    sandbox: Sandbox,
    driver: Driver,
    provision: Provision,
    limits: Arc<Limits>,
}

/// Starts the sandbox in which both drivers run.
pub(crate) async fn sandbox(scratch: &Path) -> anyhow::Result<Sandbox> {
    let helper = CompileHelper {
        program: cofferdam(),
        arguments: vec!["compile-component".into()],
    };
    Ok(Sandbox::start(helper, scratch.join("compiled-drivers")).await?)
}

impl Client {
    pub(crate) async fn new(sandbox: &Sandbox, name: &str, access: Access<'_>) -> anyhow::Result<Self> {
        let limits = Arc::new(Limits::default());
        let driver = sandbox
            .load(&drivers().join(format!("{name}.wasm")), &limits)
            .await?;
        let info = sandbox.describe(&driver, "bench", &limits, &budget()).await?;
        let text = |name: &str, value: &str| (name.to_owned(), SettingValue::Text(value.to_owned()).into());
        let settings: BTreeMap<_, _> = match name {
            "s3" => [
                text("backup_s3_endpoint_url", access.url),
                text("backup_s3_store_access_key", access.user),
                text("backup_s3_store_secret_key", access.key),
                text("backup_s3_store_bucket", CONTAINER),
            ]
            .into(),
            _ => [
                text("backup_swift_auth_url", access.auth_url),
                text("backup_swift_user", access.user),
                text("backup_swift_key", access.key),
                text("backup_swift_container", CONTAINER),
            ]
            .into(),
        };
        let grants = Grants {
            http: vec![access.url.parse().map_err(anyhow::Error::msg)?],
            ..Grants::default()
        };
        let provision = provide(&info, &settings, &grants)?;
        Ok(Client {
            sandbox: sandbox.clone(),
            driver,
            provision,
            limits,
        })
    }

    /// An instance that is set up, logged in and connected.
    pub(crate) async fn open(&self) -> anyhow::Result<Instance> {
        let instance = self
            .sandbox
            .open(&self.driver, "bench", &self.provision, &self.limits, &budget())
            .await?;
        instance.do_setup(&self.provision.settings, &budget()).await?;
        instance.create_container(CONTAINER).await?;
        Ok(instance)
    }
}

/// An object of one piece, again and again, and what a driver must know of it.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) piece: Bytes,
    pub(crate) size: u64,
    info: BodyInfo,
}

impl Object {
    /// One of so many MiB of noise.
    pub(crate) fn new(mib: u64) -> Self {
        let mut bytes = vec![0; PIECE];
        fastrand::Rng::with_seed(mib).fill(&mut bytes);
        let (mut md5, mut sha256) = (md5::Md5::new(), sha2::Sha256::new());
        for _ in 0..mib {
            md5.update(&bytes);
            sha256.update(&bytes);
        }
        let size = mib * PIECE as u64;
        Object {
            piece: bytes.into(),
            size,
            info: BodyInfo {
                size: Some(size),
                md5: Some(hex::encode(md5.finalize())),
                sha256: Some(hex::encode(sha256.finalize())),
                crc32c: None,
            },
        }
    }

    fn address(&self, name: &str) -> ObjectAddress {
        ObjectAddress {
            container: CONTAINER.into(),
            name: name.to_owned(),
        }
    }

    /// Puts it under the name: how long that took.
    pub(crate) async fn put(&self, instance: &Instance, name: &str) -> anyhow::Result<Duration> {
        let (piece, pieces) = (self.piece.clone(), self.size / PIECE as u64);
        let (at, info) = (self.address(name), self.info.clone());
        let begin = Instant::now();
        let (writer, reader) = stream::channel(stream::DEFAULT_PIECES);
        let feeding = tokio::spawn(async move {
            for _ in 0..pieces {
                if writer.write(piece.clone()).await.is_err() {
                    return;
                }
            }
            let _ = writer.finish().await;
        });
        instance.put_object(at, reader, info).await?;
        let took = begin.elapsed();
        feeding.await?;
        Ok(took)
    }

    /// Gets it, and throws it away: how long that took.
    pub(crate) async fn get(&self, instance: &Instance, name: &str) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        let (writer, mut reader) = stream::channel(stream::DEFAULT_PIECES);
        let draining = tokio::spawn(async move { while matches!(reader.next().await, Ok(Some(_))) {} });
        let bytes = instance.get_object(self.address(name), None, writer).await?;
        draining.await?;
        anyhow::ensure!(bytes == self.size, "{bytes} bytes came instead of {}", self.size);
        Ok(begin.elapsed())
    }

    /// Whether a recorded put was of this object, so that sending its head again with this body is right.
    pub(crate) fn is_of(&self, head: &Head) -> bool {
        let md5 = self.info.md5.as_deref().unwrap_or_default();
        let as_base64 =
            base64::engine::general_purpose::STANDARD.encode(hex::decode(md5).unwrap_or_default());
        let told = |(_, value): &(String, String)| value == md5 || *value == as_base64;
        head.headers.iter().any(told)
    }
}
