//! One door for a fuzzer: bytes as a server sends them, through the handshake and one request of each kind.
//!
//! There is no socket and no waiting. The same bytes are also taken as replies on a connection that has shaken hands, since
//! few inputs of a fuzzer get that far. Memory is bounded by 256 KiB for the read.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::connection::Connection;
use super::error::NbdError;
use super::handshake::{Export, Wanted};
use super::link::{Link, Patience};
use super::wire::{HAS_FLAGS, SEND_FLUSH, SEND_WRITE_ZEROES};

/// Bytes that are read at most.
const MOST_READ: u64 = 256 << 10;

/// A server that has said all already and takes everything.
#[derive(Debug)]
struct Said<'a>(&'a [u8]);

impl Read for Said<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Said<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Patience for Said<'_> {
    fn wait_at_most(&self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

/// Never reached, since nothing waits here.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Takes the bytes for all that a server sends. Whatever they are, this returns, and soon.
pub fn fuzz_replies(data: &[u8]) {
    let _ = from_greeting(data);
    for structured in [false, true] {
        let export = Export {
            size: 1 << 30,
            flags: HAS_FLAGS | SEND_FLUSH | SEND_WRITE_ZEROES,
            minimum: 512,
            preferred: 4096,
            maximum: 64 << 10,
            structured,
            allocation: structured.then_some(1),
            bitmap: structured.then_some(2),
        };
        let link = Link::new(Said(data), TIMEOUT);
        let _ = requests(Connection::negotiated(link, export));
    }
}

/// The whole way, from the greeting on.
pub(super) fn from_greeting(data: &[u8]) -> Result<(), NbdError> {
    let wanted = Wanted {
        export: "volume".into(),
        writable: false,
        bitmap: Some("bitmap".into()),
    };
    requests(Connection::open(Said(data), TIMEOUT, &wanted)?)
}

/// One of each kind, until the server says something wrong.
fn requests(mut connection: Connection<Said<'_>>) -> Result<(), NbdError> {
    let export = *connection.export();
    let block = u64::from(export.minimum);
    let length = MOST_READ.min(export.size);
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(0)];
    goes_on(connection.read_any(0, &mut buffer))?;
    if export.allocation.is_some() || export.bitmap.is_some() {
        let asked = u32::try_from(export.size.min(1 << 30)).unwrap_or(0);
        goes_on(connection.status(0, asked).map(drop))?;
    }
    if export.size >= 2 * block {
        let half = usize::try_from(block / 2).unwrap_or(0);
        goes_on(connection.write_any(block / 2, buffer.get(..half).unwrap_or_default()))?;
        goes_on(connection.write_zeroes(0, block).map(drop))?;
    }
    goes_on(connection.flush())?;
    connection.disconnect();
    Ok(())
}

/// A server's error is no end.
fn goes_on(result: Result<(), NbdError>) -> Result<(), NbdError> {
    match result {
        Err(error) if error.ends_connection() => Err(error),
        _ => Ok(()),
    }
}
