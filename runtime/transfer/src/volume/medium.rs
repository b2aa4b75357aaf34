//! What a volume is stored in: a file or device of this machine, or an export of an NBD server.
//!
//! An export is named by its URL, `nbd://HOST[:PORT]/EXPORT` or `nbd+unix:///EXPORT?socket=PATH`, where a path would stand.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use cofferdam_nbd::{Access, Address, Client, DEFAULT_TIMEOUT, NbdError};

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Medium {
    File(File),
    Export(Box<Client>),
}

/// Whether a text names a volume so that it means the same everywhere: an absolute path, or an NBD URL.
pub fn is_volume(path: &Path) -> bool {
    path.is_absolute() || url(path).is_some()
}

/// The NBD URL that stands where a path would.
pub(super) fn url(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let (scheme, _) = text.split_once("://")?;
    scheme.to_ascii_lowercase().starts_with("nbd").then_some(text)
}

impl Medium {
    /// Connects to an export.
    pub(super) fn export(url: &str, access: Access) -> Result<Self, NbdError> {
        let address: Address = url.parse()?;
        Ok(Medium::Export(Box::new(Client::connect(
            &address,
            access,
            DEFAULT_TIMEOUT,
        )?)))
    }

    pub(super) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Medium::File(file) => file.read_exact_at(buffer, offset),
            Medium::Export(client) => client.read_at(offset, buffer).map_err(failed),
        }
    }

    pub(super) fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        match self {
            Medium::File(file) => file.write_all_at(data, offset),
            Medium::Export(client) => client.write_at(offset, data).map_err(failed),
        }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        match self {
            Medium::File(file) => file.sync_all(),
            Medium::Export(client) => client.flush().map_err(failed),
        }
    }
}

fn failed(error: NbdError) -> io::Error {
    let kind = match error.is_no_space() {
        true => io::ErrorKind::StorageFull,
        false => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
