//! One object on its way to the store: streamed as it is made, or collected first when the driver must know of it.
//!
//! An upload is made on a thread and put by the async side, which gets it as a [`Job`]. A streamed body is known to be
//! whole only at its end, so the maker's verdict follows apart. Bound: [`IN_MEMORY`] bytes of a collected body, then an
//! unlinked file in the spool folder; at most three bodies are underway.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds};
use cofferdam_sandbox::stream::{self, Closed, DEFAULT_PIECES, Reader, Writer};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use crate::digest::{Md5, Together};
use crate::error::TransferError;
use crate::format::ObjectKind;
use crate::thread::Stop;

/// Bytes of an object that are held in memory.
pub(super) const IN_MEMORY: u64 = 8 << 20;

/// Bytes of a piece that is made of smaller writes or read from a spool file.
const PIECE: usize = 256 << 10;

/// Bytes of the greatest piece that goes to the driver.
const GREATEST_PIECE: usize = 1 << 20;

/// An object to be put.
pub(super) struct Job {
    pub(super) kind: ObjectKind,
    pub(super) body: Body,
    pub(super) info: BodyInfo,
}

/// Where its bytes come from.
pub(super) enum Body {
    /// They are being made.
    Streamed(Reader, oneshot::Receiver<Verdict>),
    /// They are all there.
    Collected(Box<Spool>),
}

/// What became of a streamed body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it was written: so many bytes.
    Whole(u64),
    /// It was given up on purpose; the same object comes again.
    GivenUp,
}

/// Opens uploads.
#[derive(Clone)]
pub(super) struct Uploads {
    jobs: mpsc::Sender<Job>,
    needs: BodyNeeds,
    spool: PathBuf,
    together: Together,
}

impl Uploads {
    pub(super) fn new(needs: BodyNeeds, spool: PathBuf, together: Together) -> (Self, mpsc::Receiver<Job>) {
        let (jobs, receiver) = mpsc::channel(1);
        let uploads = Uploads {
            jobs,
            needs,
            spool,
            together,
        };
        (uploads, receiver)
    }

    /// Begins an object; `size` when it is known already.
    pub(super) fn open(&self, kind: ObjectKind, size: Option<u64>) -> Result<Upload, Stop> {
        let known = if size.is_some() {
            BodyNeeds::SIZE
        } else {
            BodyNeeds::empty()
        };
        let to = if known.contains(self.needs) {
            let (writer, reader) = stream::channel(DEFAULT_PIECES);
            let (verdict, receiver) = oneshot::channel();
            let info = BodyInfo {
                size,
                md5: None,
                sha256: None,
                crc32c: None,
            };
            let job = Job {
                kind,
                body: Body::Streamed(reader, receiver),
                info,
            };
            self.jobs.blocking_send(job).map_err(|_| Stop::Gone)?;
            To::Stream(writer, verdict)
        } else {
            To::Spool(Box::new(Spool::new(
                self.needs,
                self.spool.clone(),
                &self.together,
            )))
        };
        Ok(Upload {
            jobs: self.jobs.clone(),
            kind,
            to,
            written: 0,
        })
    }
}

enum To {
    Stream(Writer, oneshot::Sender<Verdict>),
    Spool(Box<Spool>),
}

/// An object that is being made.
pub(super) struct Upload {
    jobs: mpsc::Sender<Job>,
    kind: ObjectKind,
    to: To,
    written: u64,
}

impl Upload {
    /// Bytes so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Its next bytes, which go on in pieces of at most 1 MiB.
    pub(super) fn piece(&mut self, mut rest: Bytes) -> Result<(), Stop> {
        self.written += rest.len() as u64;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(GREATEST_PIECE));
            match &mut self.to {
                To::Stream(writer, _) => writer.blocking_write(piece).map_err(|Closed| Stop::Gone)?,
                To::Spool(spool) => spool.push(piece)?,
            }
        }
        Ok(())
    }

    /// That is all.
    pub(super) fn finish(self) -> Result<(), Stop> {
        match self.to {
            To::Stream(writer, verdict) => {
                writer.blocking_finish().map_err(|Closed| Stop::Gone)?;
                verdict.send(Verdict::Whole(self.written)).map_err(|_| Stop::Gone)
            }
            To::Spool(mut spool) => {
                let job = Job {
                    kind: self.kind,
                    info: spool.info(),
                    body: Body::Collected(spool),
                };
                self.jobs.blocking_send(job).map_err(|_| Stop::Gone)
            }
        }
    }

    /// Gives it up: the driver must discard it.
    pub(super) fn give_up(self, reason: &str) {
        if let To::Stream(writer, verdict) = self.to {
            writer.blocking_fail(reason);
            let _ = verdict.send(Verdict::GivenUp);
        }
    }
}

/// An upload as something to write to; keeps the SHA-256 of what went through.
pub(super) struct UploadWriter {
    upload: Upload,
    buffer: BytesMut,
    sha256: Sha256,
    stop: Option<Stop>,
}

impl UploadWriter {
    pub(super) fn new(upload: Upload) -> Self {
        UploadWriter {
            upload,
            buffer: BytesMut::with_capacity(PIECE),
            sha256: Sha256::new(),
            stop: None,
        }
    }

    /// Ends the upload after `written` said how the writing went; gives the SHA-256.
    pub(super) fn finish(mut self, written: io::Result<()>) -> Result<String, Stop> {
        if let Err(error) = written.and_then(|()| self.flush()) {
            let internal = || TransferError::internal(format!("encoding a control document: {error}")).into();
            return Err(self.stop.unwrap_or_else(internal));
        }
        self.upload.finish()?;
        Ok(hex::encode(self.sha256.finalize()))
    }
}

impl Write for UploadWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.sha256.update(data);
        self.buffer.extend_from_slice(data);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = self.buffer.split().freeze();
        self.upload.piece(piece).map_err(|stop| {
            self.stop = Some(stop);
            io::ErrorKind::BrokenPipe.into()
        })
    }
}

/// A whole body, in memory and then in an unlinked file, with the digests that the driver needs.
pub(super) struct Spool {
    folder: PathBuf,
    memory: Vec<Bytes>,
    file: Option<File>,
    size: u64,
    md5: Option<Md5>,
    sha256: Option<Sha256>,
    crc32c: Option<u32>,
}

impl Spool {
    fn new(needs: BodyNeeds, folder: PathBuf, together: &Together) -> Self {
        Spool {
            folder,
            memory: Vec::new(),
            file: None,
            size: 0,
            md5: needs.contains(BodyNeeds::MD5).then(|| Md5::new(together)),
            sha256: needs.contains(BodyNeeds::SHA256).then(Sha256::new),
            crc32c: needs.contains(BodyNeeds::CRC32C).then_some(0),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// What is known of it now that all of it is there.
    fn info(&mut self) -> BodyInfo {
        BodyInfo {
            size: Some(self.size),
            md5: self.md5.take().map(|md5| hex::encode(md5.finish())),
            sha256: self.sha256.take().map(|sha256| hex::encode(sha256.finalize())),
            crc32c: self.crc32c,
        }
    }

    fn push(&mut self, piece: Bytes) -> Result<(), TransferError> {
        if let Some(md5) = &mut self.md5 {
            md5.update(piece.clone());
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(&piece);
        }
        self.crc32c = self.crc32c.map(|crc| crc32c::crc32c_append(crc, &piece));
        self.size += piece.len() as u64;
        if self.file.is_none() && self.size <= IN_MEMORY {
            self.memory.push(piece);
            return Ok(());
        }
        self.spill(&piece).map_err(|error| self.failed(&error))
    }

    fn spill(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(piece),
            None => {
                let mut file = tempfile::tempfile_in(&self.folder)?;
                for earlier in self.memory.drain(..) {
                    file.write_all(&earlier)?;
                }
                file.write_all(piece)?;
                self.file = Some(file);
                Ok(())
            }
        }
    }

    /// Writes it all into a stream; from a thread that may block.
    pub(super) fn pump(mut self: Box<Self>, writer: Writer) -> Result<(), Stop> {
        for piece in self.memory.drain(..) {
            writer.blocking_write(piece).map_err(|Closed| Stop::Gone)?;
        }
        if let Some(mut file) = self.file.take() {
            file.seek(SeekFrom::Start(0))
                .map_err(|error| self.failed(&error))?;
            let mut left = self.size;
            while left > 0 {
                let length = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
                let mut piece = BytesMut::zeroed(length);
                file.read_exact(&mut piece).map_err(|error| self.failed(&error))?;
                left -= length as u64;
                writer
                    .blocking_write(piece.freeze())
                    .map_err(|Closed| Stop::Gone)?;
            }
        }
        writer.blocking_finish().map_err(|Closed| Stop::Gone)
    }

    fn failed(&self, error: &io::Error) -> TransferError {
        TransferError::Spool {
            path: self.folder.clone(),
            reason: error.to_string(),
        }
    }
}
