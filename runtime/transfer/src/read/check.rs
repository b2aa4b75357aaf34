//! Compares every hash block with its digest, then hands the bytes to the sink.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use super::digest::Part;
use super::{Faults, Plan, open};
use crate::digest::BlockHasher;
use crate::error::TransferError;
use crate::format::Sha256file;
use crate::progress::Progress;
use crate::thread::Stop;
use crate::volume::Target;

/// Where a volume's bytes go.
pub(crate) trait Sink: Send + 'static {
    /// Writes at that byte; says how many bytes of zeros it left out.
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<u64, TransferError>;
}

impl Sink for Target {
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<u64, TransferError> {
        let before = self.skipped();
        Target::write_at(self, offset, data)?;
        Ok(self.skipped() - before)
    }
}

pub(super) struct Checking {
    pub(super) plan: Arc<Plan>,
    pub(super) faults: Arc<Faults>,
    pub(super) progress: Arc<Progress>,
    pub(super) stop_at_fault: bool,
}

impl Checking {
    /// Works until the decoder is done; says how many blocks were compared.
    pub(super) fn run<S: Sink>(self, parts: &Receiver<Part>, sink: &Mutex<S>) -> Result<u64, Stop> {
        let manifest = &self.plan.manifest;
        let mut blocks = manifest
            .sha256file
            .as_ref()
            .map(|file| Blocks::new(file, manifest.bytes));
        while let Ok(part) = parts.recv() {
            if let Some(wrong) = blocks
                .as_mut()
                .and_then(|blocks| blocks.compare(part.offset, &part.data))
            {
                let object = self.plan.name(part.index);
                let reason = format!("the SHA-256 of the volume's block {wrong} is another one");
                self.faults
                    .add(part.index, TransferError::ObjectAltered { object, reason });
                if self.stop_at_fault {
                    return Err(Stop::Gone);
                }
            }
            let skipped = open(sink).write_at(part.offset, &part.data)?;
            self.progress.add_skipped(skipped);
            self.progress.add_done(part.data.len() as u64);
        }
        Ok(blocks.map_or(0, |blocks| blocks.compared))
    }
}

/// The blocks of a volume that comes in stretches: an older generation has only what newer ones have not, and an object
/// may be unreadable.
struct Blocks<'a> {
    file: &'a Sha256file,
    bytes: u64,
    hasher: BlockHasher,
    /// The byte that comes next.
    position: u64,
    /// Bytes to leave out, up to where a block begins.
    skip: u64,
    /// The block that is being filled.
    block: u64,
    compared: u64,
}

impl<'a> Blocks<'a> {
    fn new(file: &'a Sha256file, bytes: u64) -> Self {
        let hasher = BlockHasher::new(file.block_size);
        Blocks {
            file,
            bytes,
            hasher,
            position: 0,
            skip: 0,
            block: 0,
            compared: 0,
        }
    }

    /// Takes the next bytes; gives the number of the first block that is wrong.
    fn compare(&mut self, offset: u64, data: &[u8]) -> Option<u64> {
        if offset != self.position {
            let size = u64::from(self.file.block_size);
            self.hasher.reset();
            self.position = offset;
            self.block = offset.div_ceil(size);
            self.skip = self.block * size - offset;
        }
        self.position += data.len() as u64;
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(data.len());
        self.skip -= skipped as u64;
        let (digests, block, compared) = (&self.file.digests, &mut self.block, &mut self.compared);
        let mut wrong = None;
        let mut each = |digest| {
            if digests.get(*block) != Some(&digest) && wrong.is_none() {
                wrong = Some(*block);
            }
            *block += 1;
            *compared += 1;
        };
        self.hasher
            .push(data.get(skipped..).unwrap_or_default(), &mut each);
        if self.position >= self.bytes {
            self.hasher.finish(&mut each);
        }
        wrong
    }
}
