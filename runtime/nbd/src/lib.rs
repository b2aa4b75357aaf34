//! Volumes behind an NBD server: reading, writing, zeroing, and asking what is there.
//!
//! Problem: qemu-nbd, nbdkit and their like give access to images of every format, snapshots and dirty bitmaps, over a
//! protocol in which the server says how much comes next. Solution: a synchronous client of the fixed newstyle protocol, used by
//! several threads at once through a small pool of connections ([`Client`]). The server is not trusted: all it
//! says is checked before it is used, and what is out of order ends the client with an error.
//!
//! Bound: no wait without a limit (`link`), no memory beyond the caller's buffers but 3 MiB for a block status and
//! 8192 ranges for a read in flight (`reply`), no more than [`Options::connections`] sockets, 64 replies to an option, and a
//! bounded number of extents for a question (`extents`). Cost: a system call for each head and for each piece of data; data is
//! read straight into the caller's buffer. TLS, resizing and reconnecting are not there; a lost server is an error.

mod address;
mod connection;
mod dial;
mod edges;
mod error;
mod extents;
mod fuzz;
mod handshake;
mod link;
mod pool;
mod reply;
mod status;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use address::{Address, DEFAULT_PORT};
pub use error::{NbdErrno, NbdError};
pub use extents::{Dirty, Extent};
pub use fuzz::fuzz_replies;

use handshake::Wanted;
use pool::Pool;

/// No progress for so long is an error, unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Zeros for servers that cannot make them by themselves.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// What an export is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads only; a write is an error before anything is sent.
    ReadOnly,
    /// Reads and writes; an export that is read-only is refused.
    ReadWrite,
}

/// How to connect.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the export is opened for.
    pub access: Access,
    /// The longest wait without progress, within 1 ms to 1 h; a flush gets ten times as long.
    pub timeout: Duration,
    /// A dirty bitmap of qemu to be read with [`Client::dirty`], by its name.
    pub bitmap: Option<String>,
    /// The most connections, if the server allows several.
    pub connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            access: Access::ReadOnly,
            timeout: DEFAULT_TIMEOUT,
            bitmap: None,
            connections: 4,
        }
    }
}

/// An open NBD export. Says goodbye when dropped.
#[derive(Debug)]
pub struct Client {
    pool: Pool,
    access: Access,
    /// Held by writes that change a part of a block, which have to read it first.
    edges: Mutex<()>,
}

impl Client {
    /// Opens an export with default options but these.
    ///
    /// # Errors
    /// As [`Client::connect_with`].
    pub fn connect(address: &Address, access: Access, timeout: Duration) -> Result<Self, NbdError> {
        let options = Options {
            access,
            timeout,
            ..Options::default()
        };
        Self::connect_with(address, &options)
    }

    /// Opens an export. Connecting and the handshake together end within three times the timeout.
    ///
    /// # Errors
    /// `nbd-connect`, `nbd-timeout`, `nbd-lost`, `nbd-handshake`, and `nbd-refused`: by the server, or because the export
    /// is read-only or lacks the bitmap.
    pub fn connect_with(address: &Address, options: &Options) -> Result<Self, NbdError> {
        if let Some(name) = &options.bitmap
            && (name.is_empty() || name.len() > 1023 || name.contains(char::is_control))
        {
            return Err(NbdError::address(
                "the bitmap's name is empty, too long or not printable",
            ));
        }
        let wanted = Wanted {
            export: address.export().to_owned(),
            writable: options.access == Access::ReadWrite,
            bitmap: options.bitmap.clone(),
        };
        let timeout = options
            .timeout
            .clamp(Duration::from_millis(1), Duration::from_secs(3600));
        Ok(Client {
            pool: Pool::connect(address, wanted, timeout, options.connections)?,
            access: options.access,
            edges: Mutex::new(()),
        })
    }

    /// Bytes of the export.
    pub fn size(&self) -> u64 {
        self.pool.export().size
    }

    /// Bytes of which requests are multiples on the wire. Others are possible and cost a block more each.
    pub fn minimum_block(&self) -> u32 {
        self.pool.export().minimum
    }

    /// Bytes of which requests should be multiples for speed.
    pub fn preferred_block(&self) -> u32 {
        self.pool.export().preferred
    }

    /// Whether the server told that it has these abilities.
    pub fn abilities(&self) -> Abilities {
        let export = self.pool.export();
        Abilities {
            read_only: export.has(wire::READ_ONLY),
            flush: export.has(wire::SEND_FLUSH),
            fua: export.has(wire::SEND_FUA),
            trim: export.has(wire::SEND_TRIM),
            write_zeroes: export.has(wire::SEND_WRITE_ZEROES),
            multi_conn: export.has(wire::CAN_MULTI_CONN),
            structured: export.structured,
            extents: export.allocation.is_some(),
        }
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.pool.open()
    }

    /// Fills the whole buffer from that byte on.
    ///
    /// # Errors
    /// `nbd-out-of-range`, `nbd-io`, `nbd-protocol`, `nbd-timeout`, `nbd-lost`. The buffer's content is then undefined.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), NbdError> {
        self.check(offset, buffer.len() as u64)?;
        self.pool.run(|connection| connection.read_any(offset, buffer))
    }

    /// Writes all data from that byte on; durable only after [`Client::flush`].
    ///
    /// # Errors
    /// `nbd-no-space`, `nbd-read-only`, and those of [`Client::read_at`]. A part may have been written.
    pub fn write_at(&self, offset: u64, data: &[u8]) -> Result<(), NbdError> {
        self.check_write(offset, data.len() as u64)?;
        let _edges = self.guard_edges(offset, data.len() as u64);
        self.pool.run(|connection| connection.write_any(offset, data))
    }

    /// Makes a range read as zeros; the server may punch a hole. Servers that cannot get zeros written.
    ///
    /// # Errors
    /// Those of [`Client::write_at`].
    pub fn write_zeroes(&self, offset: u64, length: u64) -> Result<(), NbdError> {
        self.check_write(offset, length)?;
        let _edges = self.guard_edges(offset, length);
        self.pool
            .run(|connection| connection.zero_any(offset, length, &ZEROS))
    }

    /// Makes all writes that have returned durable, also those of other threads. Without effect when the server knows no
    /// flush, see [`Abilities::flush`].
    ///
    /// # Errors
    /// Those of [`Client::write_at`]; what was written is then in doubt.
    pub fn flush(&self) -> Result<(), NbdError> {
        if self.access == Access::ReadOnly {
            return Ok(());
        }
        self.pool.run(|connection| connection.flush())
    }

    fn check(&self, offset: u64, length: u64) -> Result<(), NbdError> {
        let size = self.size();
        match offset.checked_add(length) {
            Some(end) if end <= size => Ok(()),
            _ => Err(NbdError::OutOfRange { offset, length, size }),
        }
    }

    fn check_write(&self, offset: u64, length: u64) -> Result<(), NbdError> {
        if self.access == Access::ReadOnly {
            return Err(NbdError::ReadOnly);
        }
        self.check(offset, length)
    }

    fn guard_edges(&self, offset: u64, length: u64) -> Option<MutexGuard<'_, ()>> {
        let minimum = u64::from(self.minimum_block());
        let whole = offset.is_multiple_of(minimum) && length.is_multiple_of(minimum);
        (!whole).then(|| self.edges.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a server told that it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Writes are refused.
    pub read_only: bool,
    /// It can make writes durable.
    pub flush: bool,
    /// It can make a single write durable.
    pub fua: bool,
    /// It takes hints of what is no longer needed.
    pub trim: bool,
    /// It makes zeros by itself.
    pub write_zeroes: bool,
    /// Several connections are one.
    pub multi_conn: bool,
    /// It answers in chunks, and so tells holes.
    pub structured: bool,
    /// It tells data, holes and zeros apart.
    pub extents: bool,
}
