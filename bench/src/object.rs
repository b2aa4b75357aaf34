//! One object through the sandbox, beside the same steps as native Rust: temporary name, write, sync, rename, sync of
//! the folder; open and read.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cofferdam_sandbox::contract::{BodyInfo, ObjectAddress};
use cofferdam_sandbox::{Limits, stream};

use crate::init::{budget, posix};
use crate::{Figure, best, rate, time};

const SIZE: u64 = 256 << 20;
const PIECE: usize = 1 << 20;
const RUNS: usize = 5;

pub(crate) async fn measure(scratch: &Path) -> anyhow::Result<Vec<Figure>> {
    let piece = Bytes::from(vec![0xa5_u8; PIECE]);
    let native = scratch.join("native");
    std::fs::create_dir_all(&native)?;
    let write = best(RUNS, || {
        time(|| {
            let mut file = File::create(native.join("part"))?;
            for _ in 0..SIZE / PIECE as u64 {
                file.write_all(&piece)?;
            }
            file.sync_all()?;
            std::fs::rename(native.join("part"), native.join("object"))?;
            Ok(File::open(&native)?.sync_all()?)
        })
    })?;
    let mut buffer = vec![0_u8; PIECE];
    let read = best(RUNS, || {
        time(|| {
            let mut file = File::open(native.join("object"))?;
            while file.read(&mut buffer)? > 0 {}
            Ok(())
        })
    })?;
    std::fs::remove_dir_all(&native)?;

    let (sandbox, driver, provision) = posix(scratch).await?;
    let limits = Arc::new(Limits::default());
    let instance = sandbox
        .open(&driver, "bench", &provision, &limits, &budget())
        .await?;
    instance.do_setup(&provision.settings, &budget()).await?;
    instance.create_container("bench").await?;
    let at = || ObjectAddress {
        container: "bench".into(),
        name: "object".into(),
    };
    let (mut put, mut get) = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        let (writer, reader) = stream::channel(stream::DEFAULT_PIECES);
        let feeding = piece.clone();
        let begin = Instant::now();
        let feed = std::thread::spawn(move || {
            for _ in 0..SIZE / PIECE as u64 {
                if writer.blocking_write(feeding.clone()).is_err() {
                    return;
                }
            }
            let _ = writer.blocking_finish();
        });
        let info = BodyInfo {
            size: Some(SIZE),
            md5: None,
            sha256: None,
            crc32c: None,
        };
        instance.put_object(at(), reader, info).await?;
        put = put.min(begin.elapsed());
        let _ = feed.join();

        let (writer, mut reader) = stream::channel(stream::DEFAULT_PIECES);
        let begin = Instant::now();
        let drain = std::thread::spawn(move || while matches!(reader.blocking_next(), Ok(Some(_))) {});
        instance.get_object(at(), None, writer).await?;
        let _ = drain.join();
        get = get.min(begin.elapsed());
    }
    instance.delete_object(at()).await?;
    Ok(vec![
        Figure {
            what: "put 256 MiB through the sandbox".into(),
            value: rate(SIZE, put),
            unit: "MiB/s",
            limit: Some(("native write, sync, rename".into(), rate(SIZE, write))),
        },
        Figure {
            what: "get 256 MiB through the sandbox".into(),
            value: rate(SIZE, get),
            unit: "MiB/s",
            limit: Some(("native read".into(), rate(SIZE, read))),
        },
    ])
}
