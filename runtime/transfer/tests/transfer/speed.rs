//! A quick figure, not a benchmark: `cargo test -p cofferdam-transfer --test transfer -- --ignored --nocapture speed`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds, ByteRange, ObjectAddress, ObjectInfo, Page};
use cofferdam_sandbox::stream::{Reader, Writer};
use cofferdam_sandbox::{Failure, Phase};
use cofferdam_transfer::{Cancel, ObjectStore, Source, Verdict};

use crate::kit::{Random, Volume, location, plan};

/// Objects as files in a folder; with no folder they are thrown away.
struct Folder(Option<PathBuf>);

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Trap {
        phase: Phase::PutObject,
        reason: error.to_string(),
    }
}

fn flat(name: &str) -> String {
    name.replace('/', "~")
}

#[async_trait]
impl ObjectStore for Folder {
    fn needs(&self) -> BodyNeeds {
        BodyNeeds::empty()
    }
    fn greatest_object(&self) -> Option<u64> {
        None
    }
    async fn create_container(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }
    async fn put_object(&self, at: ObjectAddress, mut body: Reader, _: BodyInfo) -> Result<(), Failure> {
        let mut file = match &self.0 {
            Some(folder) => Some(std::fs::File::create(folder.join(flat(&at.name))).map_err(failed)?),
            None => None,
        };
        while let Some(piece) = body.next().await.map_err(failed)? {
            if let Some(file) = &mut file {
                file.write_all(&piece).map_err(failed)?;
            }
        }
        Ok(())
    }
    async fn get_object(
        &self,
        at: ObjectAddress,
        _: Option<ByteRange>,
        sink: Writer,
    ) -> Result<u64, Failure> {
        let path = self.0.as_ref().unwrap().join(flat(&at.name));
        let file = std::fs::File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let mut at = 0;
        while at < size {
            let mut piece = vec![0; (size - at).min(256 << 10) as usize];
            std::os::unix::fs::FileExt::read_exact_at(&file, &mut piece, at).map_err(failed)?;
            at += piece.len() as u64;
            sink.write(piece.into()).await.map_err(failed)?;
        }
        sink.finish().await.map_err(failed)?;
        Ok(size)
    }
    async fn stat_object(&self, _: ObjectAddress) -> Result<ObjectInfo, Failure> {
        Err(failed("not here"))
    }
    async fn delete_object(&self, _: ObjectAddress) -> Result<(), Failure> {
        Ok(())
    }
    async fn list_objects(&self, _: &str, _: &str, after: Option<String>, _: u32) -> Result<Page, Failure> {
        let mut objects: Vec<_> = std::fs::read_dir(self.0.as_ref().unwrap())
            .unwrap()
            .map(|entry| ObjectInfo {
                name: entry.unwrap().file_name().to_string_lossy().replace('~', "/"),
                size: 0,
            })
            .filter(|object| after.as_ref().is_none_or(|after| object.name > *after))
            .collect();
        objects.sort_by(|one, other| one.name.cmp(&other.name));
        objects.truncate(1000);
        Ok(Page {
            more: objects.len() == 1000,
            objects,
        })
    }
}

fn rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn speed() {
    let mib = std::env::var("MIB")
        .ok()
        .and_then(|mib| mib.parse().ok())
        .unwrap_or(256_usize);
    let object = std::env::var("OBJECT_MIB")
        .ok()
        .and_then(|mib| mib.parse().ok())
        .unwrap_or(64_u64)
        << 20;
    let mut random = Random::new("speed");
    let file = Volume::new(&[]);
    {
        // Of every 8 MiB: 4 random, 2 text, 2 zeros.
        let mut out = std::fs::File::create(&file.path).unwrap();
        let text: Vec<u8> = (0..2 << 20)
            .map(|i: u32| b"etaoin shrdlu cmfwyp vbgkqj xz"[(i.wrapping_mul(i) >> 9) as usize % 30])
            .collect();
        for _ in 0..mib / 8 {
            out.write_all(&random.bytes(4 << 20)).unwrap();
            out.write_all(&text).unwrap();
            out.write_all(&vec![0; 2 << 20]).unwrap();
        }
        out.sync_all().unwrap();
    }
    for algorithm in ["none", "zstd", "zlib"] {
        for to_files in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let store = Arc::new(Folder(to_files.then(|| folder.path().to_owned())));
            let begun = Instant::now();
            let source = Source::open(&file.path).unwrap();
            let plan = plan(object, 32768, algorithm);
            let outcome =
                cofferdam_transfer::backup(store.clone(), source, plan, Arc::default(), Cancel::new())
                    .await
                    .unwrap();
            let rate = mib as f64 / begun.elapsed().as_secs_f64();
            let to = if to_files { "files" } else { "nowhere" };
            println!(
                "{algorithm:5} backup to {to}: {rate:.0} MiB/s, {} MiB stored, peak {} MiB",
                outcome.stored_bytes >> 20,
                rss()
            );
            if to_files {
                let begun = Instant::now();
                let target = folder.path().join("../cofferdam-speed-target");
                let _ = std::fs::remove_file(&target);
                let bytes = outcome.bytes;
                cofferdam_transfer::restore(
                    store.clone(),
                    location(),
                    &target,
                    false,
                    bytes,
                    Arc::default(),
                    Cancel::new(),
                )
                .await
                .unwrap();
                std::fs::remove_file(&target).unwrap();
                let restored = mib as f64 / begun.elapsed().as_secs_f64();
                let begun = Instant::now();
                let verdict =
                    cofferdam_transfer::verify(store, location(), Arc::default(), Cancel::new()).await;
                assert!(matches!(verdict, Verdict::Ok { .. }));
                let verified = mib as f64 / begun.elapsed().as_secs_f64();
                println!(
                    "{algorithm:5} restore: {restored:.0} MiB/s, verify: {verified:.0} MiB/s, peak {} MiB",
                    rss()
                );
            }
        }
    }
}
