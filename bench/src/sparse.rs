//! `sparse`: a volume that is mostly hole beside a dense one with the same data. What is not there should cost nothing.
//!
//! Both are made in the temporary folder of the disk, since they do not fit into memory, with the data of `transfer`'s volume;
//! the sparse one has it in 64 MiB runs all over. Needs a little more than three times the data on the disk.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use cofferdam_tests::service::Service;
use serde_json::json;

use crate::transfer;
use crate::{Figure, rate};

const RUN: u64 = 64 << 20;

/// So many GiB of data in a volume of so many GiB.
pub(crate) fn measure(scratch: &Path, data_gib: u64, volume_gib: u64) -> anyhow::Result<Vec<Figure>> {
    let (data, size) = (data_gib << 30, volume_gib << 30);
    let (dense, sparse) = (scratch.join("dense"), scratch.join("sparse"));
    transfer::make(&dense, usize::try_from(data >> 20)?)?;
    let from = File::open(&dense)?;
    let to = File::create(&sparse)?;
    to.set_len(size)?;
    let runs = data / RUN;
    let mut piece = vec![0; usize::try_from(RUN)?];
    for run in 0..runs {
        from.read_exact_at(&mut piece, run * RUN)?;
        to.write_all_at(&piece, size / runs * run / RUN * RUN)?;
    }
    to.sync_all()?;
    let took_dense = backup(scratch, &dense)?;
    let took_sparse = backup(scratch, &sparse)?;
    Ok(vec![
        Figure {
            what: format!("full backup of {data_gib} GiB dense, zstd"),
            value: rate(data, took_dense),
            unit: "MiB/s",
            limit: None,
        },
        Figure {
            what: format!("{volume_gib} GiB sparse with {data_gib} GiB in it, zstd"),
            value: took_sparse.as_secs_f64(),
            unit: "s",
            limit: Some(("the same data dense".into(), took_dense.as_secs_f64())),
        },
    ])
}

fn backup(scratch: &Path, volume: &Path) -> anyhow::Result<Duration> {
    let storage = scratch.join("storage");
    std::fs::create_dir_all(&storage)?;
    let mut service = Service::configure(
        "backup_compression_algorithm = \"zstd\"",
        &format!(
            "[backends.posix]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{0}\"\n\
             grants.directories = [{{ path = \"{0}\", access = \"read-write\" }}]\n",
            storage.display()
        ),
    );
    service.start();
    service.wait("posix", Duration::from_secs(20), |status| status["state"] == "up");
    let begin = Instant::now();
    service.operate("/v1/backups", &json!({ "volume": volume }));
    let took = begin.elapsed();
    service.stop();
    std::fs::remove_dir_all(storage)?;
    Ok(took)
}
