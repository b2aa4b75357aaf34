//! What the tests share: volumes, plans, random numbers with a seed that is printed.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_sandbox::contract::Placement;
use cofferdam_transfer::{
    BackupOutcome, BackupPlan, Control, Expected, Link, Location, RestoreOutcome, Source, TransferError,
    Verdict,
};
use tempfile::TempDir;

use crate::store::MemoryStore;

pub(crate) const PREFIX: &str = "volume_11111111-1111-1111-1111-111111111111/20240102030405/\
                          az_nova_backup_22222222-2222-2222-2222-222222222222";

/// A small generator (xorshift64*), so that a failing run can be run again.
pub(crate) struct Random(u64);

impl Random {
    /// From COFFERDAM_SEED or the clock.
    pub(crate) fn new(test: &str) -> Self {
        let seed = std::env::var("COFFERDAM_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| {
                std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap()
                    .as_nanos() as u64
            });
        println!("{test}: COFFERDAM_SEED={seed}");
        Random(seed | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit.max(1)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    /// Runs of random bytes, of text and of zeros.
    pub(crate) fn mixed(&mut self, length: usize, run: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let count = (self.below(run) + 1).min(length - bytes.len());
            match self.below(3) {
                0 => bytes.extend(self.bytes(count)),
                1 => bytes.extend(b"the quick brown fox ".iter().cycle().take(count)),
                _ => bytes.extend(std::iter::repeat_n(0, count)),
            }
        }
        bytes
    }
}

/// A folder with a volume in it.
pub(crate) struct Volume {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Volume {
    /// A file of these bytes; runs of zeros of 4 KiB are holes.
    pub(crate) fn new(content: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("volume");
        let file = File::create(&path).unwrap();
        file.set_len(content.len() as u64).unwrap();
        for (index, page) in content.chunks(4096).enumerate() {
            if page.iter().any(|byte| *byte != 0) {
                file.write_all_at(page, index as u64 * 4096).unwrap();
            }
        }
        Volume { folder, path }
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }
}

pub(crate) fn plan(object_size: u64, block_size: u32, algorithm: &str) -> BackupPlan {
    BackupPlan {
        backup_id: "22222222-2222-2222-2222-222222222222".into(),
        volume_id: "11111111-1111-1111-1111-111111111111".into(),
        name: Some("nightly é".into()),
        description: None,
        created_at: "2024-01-02T03:04:05Z".parse().unwrap(),
        volume_meta: Some("{\"version\": 2}".into()),
        parent: None,
        placement: Placement {
            container: "c".into(),
            prefix: PREFIX.into(),
            object_size,
            block_size,
        },
        algorithm: algorithm.parse().unwrap(),
        spool: std::env::temp_dir(),
        force: false,
        journal: None,
        again: false,
    }
}

pub(crate) fn location() -> Location {
    Location {
        container: "c".into(),
        prefix: PREFIX.into(),
    }
}

/// A full backup of which that much is known.
pub(crate) fn link(expected: &Expected) -> [Link; 1] {
    [Link {
        location: location(),
        expected: expected.clone(),
    }]
}

pub(crate) async fn backup(
    store: &Arc<MemoryStore>,
    volume: &Path,
    plan: BackupPlan,
) -> Result<BackupOutcome, TransferError> {
    let source = Source::open(volume).unwrap();
    cofferdam_transfer::backup(store.clone(), source, plan, Control::default()).await
}

/// Restores to a new file and gives its content; nothing may be left when it fails.
pub(crate) async fn restore(
    store: &Arc<MemoryStore>,
    expected: &Expected,
) -> Result<(Vec<u8>, RestoreOutcome), TransferError> {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let control = Control::default();
    let outcome =
        cofferdam_transfer::restore(store.clone(), &link(expected), &target, false, control.clone()).await;
    if outcome.is_err() {
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "a failed restore left something"
        );
    }
    let outcome = outcome?;
    assert_eq!(control.progress.snapshot().done, outcome.bytes);
    Ok((std::fs::read(&target).unwrap(), outcome))
}

pub(crate) async fn verify(store: &Arc<MemoryStore>, expected: &Expected) -> Verdict {
    cofferdam_transfer::verify(store.clone(), &link(expected), Control::default()).await
}

/// The codes of what a verification found; empty when it found nothing.
pub(crate) fn codes(verdict: &Verdict) -> Vec<&'static str> {
    match verdict {
        Verdict::Ok { .. } => Vec::new(),
        Verdict::Corrupt { findings } => findings.iter().map(TransferError::code).collect(),
        Verdict::Unreadable { error } => vec![error.code()],
    }
}

/// That the volume has so many bytes is all that is known of a backup.
pub(crate) fn of_bytes(bytes: u64) -> Expected {
    Expected {
        bytes: Some(bytes),
        ..Expected::default()
    }
}
