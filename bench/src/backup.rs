//! A full backup through the sandbox to the posix driver, beside the sum of what one core needs for the parts: read,
//! SHA-256 per block, MD5, compress, write and sync. Above 1.0 the stages overlap; below, something is lost between
//! them.
//!
//! The volume: of every 8 MiB, 4 do not compress, 2 are text, 2 are zeros.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cofferdam_sandbox::contract::{
    BackupIdentity, BodyInfo, BodyNeeds, ByteRange, ObjectAddress, ObjectInfo, Page, Placement,
};
use cofferdam_sandbox::stream::{Reader, Writer};
use cofferdam_sandbox::{Failure, Instance, Limits};
use cofferdam_transfer::{BackupPlan, Control, Expected, Link, Location, ObjectStore, Source};
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::init::{budget, posix};
use crate::{Figure, best, rate, time};

const SIZE: u64 = 256 << 20;
const MIB: usize = 1 << 20;
const BLOCK: usize = 32 << 10;
const RUNS: usize = 3;
const BACKUP: &str = "22222222-2222-4222-8222-222222222222";
const VOLUME: &str = "11111111-1111-4111-8111-111111111111";

fn make_volume(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(SIZE).unwrap_or_default());
    let mut state = 20_260_101_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    const WORDS: [&str; 8] = [
        "volume ",
        "backup ",
        "chunk ",
        "object ",
        "restore ",
        "driver ",
        "INFO [req-",
        "status=available\n",
    ];
    while bytes.len() < usize::try_from(SIZE).unwrap_or_default() {
        let end = bytes.len() + 4 * MIB;
        while bytes.len() < end {
            bytes.extend_from_slice(&next().to_le_bytes());
        }
        let end = bytes.len() + 2 * MIB;
        while bytes.len() < end {
            let value = next();
            let word = WORDS.get((value % 8) as usize).copied().unwrap_or_default();
            bytes.extend_from_slice(word.as_bytes());
            if value & 0x300 == 0 {
                bytes.extend_from_slice(format!("{value:x} ").as_bytes());
            }
        }
        bytes.resize(end + 2 * MIB, 0);
    }
    bytes.truncate(usize::try_from(SIZE).unwrap_or_default());
    std::fs::write(path, &bytes)?;
    Ok(bytes)
}

/// One instance as an object store.
struct Direct(Instance);

#[async_trait]
impl ObjectStore for Direct {
    fn needs(&self) -> BodyNeeds {
        BodyNeeds::empty()
    }

    fn greatest_object(&self) -> Option<u64> {
        None
    }

    async fn create_container(&self, container: &str) -> Result<(), Failure> {
        self.0.create_container(container).await
    }

    async fn put_object(&self, at: ObjectAddress, body: Reader, info: BodyInfo) -> Result<(), Failure> {
        self.0.put_object(at, body, info).await.map(drop)
    }

    async fn get_object(
        &self,
        at: ObjectAddress,
        range: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        self.0.get_object(at, range, sink).await
    }

    async fn stat_object(&self, at: ObjectAddress) -> Result<ObjectInfo, Failure> {
        self.0.stat_object(at).await
    }

    async fn delete_object(&self, at: ObjectAddress) -> Result<(), Failure> {
        self.0.delete_object(at).await
    }

    async fn list_objects(
        &self,
        container: &str,
        prefix: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, Failure> {
        self.0.list_objects(container, prefix, after, limit).await
    }
}

/// How long one core needs for each part.
struct Parts {
    read: Duration,
    sha256: Duration,
    md5: Duration,
    write: Duration,
}

impl Parts {
    fn measure(volume: &Path, bytes: &[u8], scratch: &Path) -> anyhow::Result<Self> {
        let mut buffer = vec![0_u8; MIB];
        let read = best(RUNS, || {
            time(|| {
                let mut file = File::open(volume)?;
                while file.read(&mut buffer)? > 0 {}
                Ok(())
            })
        })?;
        let sha256 = best(RUNS, || {
            time(|| {
                for block in bytes.chunks(BLOCK) {
                    let _ = Sha256::digest(block);
                }
                Ok(())
            })
        })?;
        let md5 = best(RUNS, || time(|| Ok(Md5::digest(bytes))))?;
        Ok(Parts {
            read,
            sha256,
            md5,
            write: Self::write(bytes, scratch)?,
        })
    }

    fn write(bytes: &[u8], scratch: &Path) -> anyhow::Result<Duration> {
        let path = scratch.join("limit");
        let span = best(RUNS, || {
            time(|| {
                let mut file = File::create(&path)?;
                for piece in bytes.chunks(MIB) {
                    file.write_all(piece)?;
                }
                Ok(file.sync_all()?)
            })
        });
        std::fs::remove_file(path)?;
        span
    }
}

fn compress(algorithm: &str, bytes: &[u8]) -> anyhow::Result<(Duration, u64)> {
    let mut stored = bytes.len() as u64;
    let span = best(1, || {
        time(|| {
            let out = match algorithm {
                "zlib" => {
                    let mut encoder =
                        flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
                    encoder.write_all(bytes)?;
                    encoder.finish()?
                }
                "zstd" => zstd::encode_all(bytes, 3)?,
                _ => return Ok(()),
            };
            stored = out.len() as u64;
            Ok(())
        })
    })?;
    Ok((if algorithm == "none" { Duration::ZERO } else { span }, stored))
}

pub(crate) async fn measure(scratch: &Path) -> anyhow::Result<Vec<Figure>> {
    let volume = scratch.join("volume");
    let bytes = make_volume(&volume)?;
    let parts = Parts::measure(&volume, &bytes, scratch)?;
    let mut figures = Vec::new();
    for algorithm in ["none", "zstd", "zlib"] {
        let (span, stored) = compress(algorithm, &bytes)?;
        let write = parts.write.mul_f64(stored as f64 / SIZE as f64);
        let one_core = parts.read + parts.sha256 + parts.md5 + span + write;
        let (backup, restore) = transfer(scratch, &volume, algorithm).await?;
        let limit = |what: &str| Some((what.to_owned(), rate(SIZE, one_core)));
        figures.push(Figure {
            what: format!("full backup of 256 MiB, {algorithm}"),
            value: rate(SIZE, backup),
            unit: "MiB/s",
            limit: limit("its parts one after another on one core"),
        });
        figures.push(Figure {
            what: format!("restore of 256 MiB, {algorithm}, every byte checked"),
            value: rate(SIZE, restore),
            unit: "MiB/s",
            limit: None,
        });
    }
    Ok(figures)
}

async fn transfer(scratch: &Path, volume: &Path, algorithm: &str) -> anyhow::Result<(Duration, Duration)> {
    let (sandbox, driver, provision) = posix(scratch).await?;
    let limits = Arc::new(Limits::default());
    let (mut backup, mut restore) = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        let instance = sandbox
            .open(&driver, "bench", &provision, &limits, &budget())
            .await?;
        instance.do_setup(&provision.settings, &budget()).await?;
        let identity = BackupIdentity {
            backup_id: BACKUP.into(),
            volume_id: VOLUME.into(),
            timestamp: "20260101000000".into(),
            availability_zone: "nova".into(),
        };
        let placement: Placement = instance.place_backup(identity, None).await?;
        let location = Location {
            container: placement.container.clone(),
            prefix: placement.prefix.clone(),
        };
        let store: Arc<dyn ObjectStore> = Arc::new(Direct(instance));
        let plan = BackupPlan {
            backup_id: BACKUP.into(),
            volume_id: VOLUME.into(),
            name: None,
            description: None,
            created_at: jiff::Timestamp::now(),
            volume_meta: None,
            parent: None,
            placement,
            algorithm: algorithm.parse()?,
            spool: PathBuf::from(scratch),
            force: false,
            journal: None,
            again: false,
        };
        let begin = Instant::now();
        let source = Source::open(volume)?;
        cofferdam_transfer::backup(store.clone(), source, plan, Control::default()).await?;
        backup = backup.min(begin.elapsed());

        let target = scratch.join("restored");
        let begin = Instant::now();
        let link = Link {
            location: location.clone(),
            expected: Expected {
                bytes: Some(SIZE),
                ..Expected::default()
            },
        };
        cofferdam_transfer::restore(store.clone(), &[link], &target, false, Control::default()).await?;
        restore = restore.min(begin.elapsed());
        std::fs::remove_file(target)?;
        cofferdam_transfer::delete(&*store, &location).await?;
    }
    Ok((backup, restore))
}
