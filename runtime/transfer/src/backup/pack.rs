//! Third stage: makes one object after the other out of the volume's pieces.
//!
//! Rule of the format: an object that compressing does not make smaller is stored raw, tag `none`. Small objects are
//! compressed in memory and then decided. A great one is streamed; when a few samples do not shrink it goes raw from
//! the start, and when it turns out too long in the end, the upload is given up and the object put again, raw, read
//! from the volume a second time, which must give the same MD5. Bound: [`IN_MEMORY`] bytes of object and as much
//! compressed.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use bytes::Bytes;

use super::layout::{Chunk, Layout, Piece, Span};
use super::ledger::{Ledger, Made};
use super::scan::Scanned;
use super::upload::{IN_MEMORY, Uploads};
use crate::codec::{Effort, Encoder, Format, Tag, looks_incompressible};
use crate::control::Control;
use crate::digest::{Md5, zeros};
use crate::error::TransferError;
use crate::format::{Md5Digest, ObjectEntry, ObjectKind};
use crate::progress::Tally;
use crate::thread::Stop;
use crate::volume::Source;

/// Compressed bytes that make a piece.
const PIECE: usize = 256 << 10;

/// How a great object is sampled.
const SAMPLES: u64 = 16;
const SAMPLE: u64 = 16 << 10;

pub(super) struct Packer {
    pub(super) source: Arc<Source>,
    pub(super) layout: Layout,
    /// The objects to make, by their numbers.
    pub(super) objects: Arc<[(u64, Span)]>,
    pub(super) algorithm: Tag,
    pub(super) effort: Effort,
    pub(super) input: Receiver<Piece<(Scanned, Md5Digest)>>,
    pub(super) uploads: Uploads,
    pub(super) ledger: Arc<Ledger>,
    pub(super) control: Control,
    pub(super) tally: Arc<Tally>,
}

/// The chunks of one object, with the zeros that it begins with in one.
struct Input<'a> {
    packer: &'a Packer,
    zeros: u64,
    data: Option<Bytes>,
    end: Option<(Scanned, Md5Digest)>,
}

impl Input<'_> {
    fn receive(&mut self) -> Result<Option<Chunk>, Stop> {
        if self.end.is_some() {
            return Ok(None);
        }
        match self.packer.input.recv().map_err(|_| Stop::Gone)? {
            Piece::Chunk(chunk) => {
                self.packer.tally.add_done(chunk.len());
                Ok(Some(chunk))
            }
            Piece::End(end) => {
                self.end = Some(end);
                Ok(None)
            }
        }
    }

    /// Reads up to the first data; false when there is none.
    fn find_data(&mut self) -> Result<bool, Stop> {
        while let Some(chunk) = self.receive()? {
            match chunk {
                Chunk::Zeros(count) => self.zeros += count,
                Chunk::Data(data) => {
                    self.data = Some(data);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn next(&mut self) -> Result<Option<Chunk>, Stop> {
        if self.zeros > 0 {
            return Ok(Some(Chunk::Zeros(std::mem::take(&mut self.zeros))));
        }
        match self.data.take() {
            Some(data) => Ok(Some(Chunk::Data(data))),
            None => self.receive(),
        }
    }

    /// The MD5, once all was read.
    fn md5(&self) -> Result<Md5Digest, Stop> {
        self.end.as_ref().map(|(_, md5)| *md5).ok_or(Stop::Gone)
    }
}

impl Packer {
    /// Makes its objects, and tells the ledger of each.
    pub(super) fn run(self) -> Result<(), Stop> {
        let mut of_zeros = None;
        for (number, span) in self.objects.iter().copied() {
            let mut input = Input {
                packer: &self,
                zeros: 0,
                data: None,
                end: None,
            };
            let has_data = input.find_data()?;
            let compression = if !has_data {
                self.only_zeros(number, span, &mut input, &mut of_zeros)?
            } else if self.algorithm.format() == Format::None {
                self.raw(number, span, &mut input)?
            } else if span.length <= IN_MEMORY {
                self.small(number, span, &mut input)?
            } else if self.is_incompressible(span) {
                self.raw(number, span, &mut input)?
            } else {
                self.streamed(number, span, &mut input)?
            };
            let (Scanned { digests, zeros }, md5) = input.end.take().ok_or(Stop::Gone)?;
            let entry = ObjectEntry {
                compression,
                length: span.length,
                md5,
                offset: span.offset,
            };
            self.ledger.made(
                number,
                Made {
                    entry,
                    digests,
                    zeros,
                },
            );
        }
        Ok(())
    }

    fn raw(&self, number: u64, span: Span, input: &mut Input<'_>) -> Result<Tag, Stop> {
        let mut upload = self.uploads.open(ObjectKind::Data(number), Some(span.length))?;
        while let Some(chunk) = input.next()? {
            chunk.each(|piece| upload.piece(piece))?;
        }
        upload.finish()?;
        Ok(Tag::NONE)
    }

    /// Compressed once per length and kept: a few MiB even for the greatest object. Also when nothing else is compressed, by
    /// zlib, which every reader knows: each object says how it is stored.
    fn only_zeros(
        &self,
        number: u64,
        span: Span,
        input: &mut Input<'_>,
        kept: &mut Option<(u64, Bytes)>,
    ) -> Result<Tag, Stop> {
        let tag = match self.algorithm.format() {
            Format::None => Tag::ZLIB,
            _ => self.algorithm,
        };
        let packed = match kept {
            Some((length, packed)) if *length == span.length => packed.clone(),
            _ => {
                let effort = Effort::new(tag.format(), 1, span.length, &self.control.resources);
                let mut encoder = Encoder::new(effort, span.length).map_err(failed)?;
                zeros(span.length, |part| encoder.push(part)).map_err(failed)?;
                let packed = encoder.finish().map_err(failed)?;
                *kept = Some((span.length, packed.clone()));
                packed
            }
        };
        if packed.len() as u64 >= span.length {
            return self.raw(number, span, input);
        }
        self.whole(number, [packed])?;
        Ok(tag)
    }

    fn small(&self, number: u64, span: Span, input: &mut Input<'_>) -> Result<Tag, Stop> {
        let mut encoder = self.encoder(span)?;
        let mut raw = Vec::new();
        while let Some(chunk) = input.next()? {
            chunk.each(|part| {
                encoder.push(&part).map_err(failed)?;
                raw.push(part);
                Ok::<(), Stop>(())
            })?;
        }
        let packed = encoder.finish().map_err(failed)?;
        if packed.len() as u64 >= span.length {
            self.whole(number, raw)?;
            return Ok(Tag::NONE);
        }
        drop(raw);
        self.whole(number, [packed])?;
        Ok(self.algorithm)
    }

    /// Puts an object that is all in memory.
    fn whole(
        &self,
        number: u64,
        pieces: impl IntoIterator<Item = Bytes> + AsRef<[Bytes]>,
    ) -> Result<(), Stop> {
        let size = pieces.as_ref().iter().map(|piece| piece.len() as u64).sum();
        let mut upload = self.uploads.open(ObjectKind::Data(number), Some(size))?;
        for piece in pieces {
            upload.piece(piece)?;
        }
        upload.finish()
    }

    fn streamed(&self, number: u64, span: Span, input: &mut Input<'_>) -> Result<Tag, Stop> {
        let mut upload = self.uploads.open(ObjectKind::Data(number), None)?;
        let mut encoder = self.encoder(span)?;
        while let Some(chunk) = input.next()? {
            // Once it is too long, only the MD5 is still of interest.
            if encoder.written() >= span.length {
                continue;
            }
            chunk.each(|part| {
                encoder.push(&part).map_err(failed)?;
                encoder.take(PIECE).map_or(Ok(()), |piece| upload.piece(piece))
            })?;
        }
        if encoder.written() < span.length {
            let rest = encoder.finish().map_err(failed)?;
            if upload.written() + (rest.len() as u64) < span.length {
                upload.piece(rest)?;
                upload.finish()?;
                return Ok(self.algorithm);
            }
        }
        upload.give_up("compressing did not make the object smaller; it comes again as it is");
        self.raw_again(number, span, input.md5()?)
    }

    /// Reads an object from the volume a second time and puts it raw.
    fn raw_again(&self, number: u64, span: Span, expected: Md5Digest) -> Result<Tag, Stop> {
        let mut upload = self.uploads.open(ObjectKind::Data(number), Some(span.length))?;
        let (mut offset, end, mut md5) = (
            span.offset,
            span.offset + span.length,
            Md5::new(self.control.resources.md5()),
        );
        while offset < end {
            if self.control.cancel.is_cancelled() {
                return Err(TransferError::Cancelled.into());
            }
            let length = self.layout.slab().min(end - offset);
            let slab = self.source.read(offset, length)?;
            md5.update(slab.clone());
            upload.piece(slab)?;
            offset += length;
        }
        if md5.finish() != expected {
            let reason = format!("object {number} read twice gave different bytes");
            upload.give_up(&reason);
            return Err(TransferError::VolumeChanged {
                path: self.source.path().to_owned(),
                reason,
            }
            .into());
        }
        upload.finish()?;
        Ok(Tag::NONE)
    }

    /// Whether none of a few samples from all over the object shrinks.
    fn is_incompressible(&self, span: Span) -> bool {
        let mut sample = vec![0; usize::try_from(SAMPLE).unwrap_or(0)];
        let step = span.length.saturating_sub(SAMPLE) / (SAMPLES - 1);
        (0..SAMPLES).all(|index| {
            let read = self.source.read_at(span.offset + index * step, &mut sample);
            // A fault of the volume shows where it is read for good.
            read.is_ok() && looks_incompressible(&sample)
        })
    }

    fn encoder(&self, span: Span) -> Result<Encoder, Stop> {
        Encoder::new(self.effort, span.length).map_err(failed)
    }
}

fn failed(error: io::Error) -> Stop {
    TransferError::internal(format!("compressing an object: {error}")).into()
}
