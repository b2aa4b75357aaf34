//! A server in a few lines, that does what a test wants, on a socket of its own.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use super::super::wire::*;
use super::super::*;

pub(super) const MIB: u64 = 1 << 20;
pub(super) const BASE_ID: u32 = 17;
pub(super) const BITMAP_ID: u32 = 18;
pub(super) const ALL_FLAGS: u16 = HAS_FLAGS | SEND_FLUSH | SEND_WRITE_ZEROES;

/// A connection as the server sees it. It ends with the client.
pub(super) struct Peer(pub(super) UnixStream);

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) command: u16,
    pub(super) flags: u16,
    pub(super) cookie: u64,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) data: Vec<u8>,
}

/// What a well-behaved greeting tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) size: u64,
    pub(super) flags: u16,
    pub(super) blocks: Option<(u32, u32, u32)>,
    pub(super) structured: bool,
}

pub(super) const SHOWN: Shown = Shown {
    size: MIB,
    flags: ALL_FLAGS,
    blocks: Some((1, 4096, 32 << 20)),
    structured: true,
};

impl Peer {
    pub(super) fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    pub(super) fn hear<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn hello(&mut self) -> io::Result<()> {
        self.say(&NBDMAGIC.to_be_bytes())?;
        self.say(&IHAVEOPT.to_be_bytes())?;
        self.say(&(FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES).to_be_bytes())?;
        assert_eq!(self.hear::<4>()?, 3_u32.to_be_bytes());
        Ok(())
    }

    /// The next option and its data.
    pub(super) fn option(&mut self) -> io::Result<(u32, Vec<u8>)> {
        assert_eq!(self.hear::<8>()?, IHAVEOPT.to_be_bytes());
        let option = u32::from_be_bytes(self.hear()?);
        let length = u32::from_be_bytes(self.hear()?);
        let mut data = vec![0; length as usize];
        self.0.read_exact(&mut data)?;
        Ok((option, data))
    }

    pub(super) fn reply(&mut self, option: u32, kind: u32, payload: &[u8]) -> io::Result<()> {
        self.say(&option_reply(option, kind, payload.len() as u32, payload))
    }

    /// A greeting by the book; true when it got to its end.
    pub(super) fn greet(&mut self, shown: Shown) -> io::Result<()> {
        self.hello()?;
        loop {
            let (option, data) = self.option()?;
            match option {
                OPT_STRUCTURED_REPLY if shown.structured => self.reply(option, REP_ACK, &[])?,
                OPT_SET_META_CONTEXT => {
                    self.reply(option, REP_META_CONTEXT, &context(BASE_ID, BASE_ALLOCATION))?;
                    if data.windows(9).any(|part| part == b":changed!") {
                        let name = format!("{DIRTY_BITMAP}changed!");
                        self.reply(option, REP_META_CONTEXT, &context(BITMAP_ID, &name))?;
                    }
                    self.reply(option, REP_ACK, &[])?;
                }
                OPT_GO => {
                    self.reply(option, REP_INFO, &export_info(shown.size, shown.flags))?;
                    if let Some(blocks) = shown.blocks {
                        self.reply(option, REP_INFO, &block_info(blocks))?;
                    }
                    self.reply(option, REP_INFO, b"\0\x02a description")?;
                    return self.reply(option, REP_ACK, &[]);
                }
                _ => self.reply(option, REP_ERROR + 1, b"never heard of it")?,
            }
        }
    }

    pub(super) fn request(&mut self) -> io::Result<Request> {
        assert_eq!(self.hear::<4>()?, REQUEST_MAGIC.to_be_bytes());
        let mut request = Request {
            flags: u16::from_be_bytes(self.hear()?),
            command: u16::from_be_bytes(self.hear()?),
            cookie: u64::from_be_bytes(self.hear()?),
            offset: u64::from_be_bytes(self.hear()?),
            length: u32::from_be_bytes(self.hear()?),
            data: Vec::new(),
        };
        if request.command == CMD_WRITE {
            request.data = vec![0; request.length as usize];
            self.0.read_exact(&mut request.data)?;
        }
        Ok(request)
    }

    pub(super) fn chunk(&mut self, flags: u16, kind: u16, cookie: u64, payload: &[u8]) -> io::Result<()> {
        self.say(&chunk(flags, kind, cookie, payload.len() as u32, payload))
    }

    pub(super) fn simple(&mut self, error: u32, cookie: u64) -> io::Result<()> {
        self.say(&SIMPLE_REPLY_MAGIC.to_be_bytes())?;
        self.say(&error.to_be_bytes())?;
        self.say(&cookie.to_be_bytes())
    }
}

pub(super) fn option_reply(option: u32, kind: u32, length: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = OPTION_REPLY_MAGIC.to_be_bytes().to_vec();
    bytes.extend(option.to_be_bytes());
    bytes.extend(kind.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(payload);
    bytes
}

pub(super) fn chunk(flags: u16, kind: u16, cookie: u64, length: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = STRUCTURED_REPLY_MAGIC.to_be_bytes().to_vec();
    bytes.extend(flags.to_be_bytes());
    bytes.extend(kind.to_be_bytes());
    bytes.extend(cookie.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(payload);
    bytes
}

pub(super) fn context(id: u32, name: &str) -> Vec<u8> {
    [&id.to_be_bytes(), name.as_bytes()].concat()
}

pub(super) fn export_info(size: u64, flags: u16) -> Vec<u8> {
    [
        &INFO_EXPORT.to_be_bytes()[..],
        &size.to_be_bytes(),
        &flags.to_be_bytes(),
    ]
    .concat()
}

pub(super) fn block_info((minimum, preferred, maximum): (u32, u32, u32)) -> Vec<u8> {
    [
        &INFO_BLOCK_SIZE.to_be_bytes()[..],
        &minimum.to_be_bytes(),
        &preferred.to_be_bytes(),
        &maximum.to_be_bytes(),
    ]
    .concat()
}

/// Content that stands at an offset.
pub(super) fn data(offset: u64, bytes: &[u8]) -> Vec<u8> {
    [&offset.to_be_bytes(), bytes].concat()
}

pub(super) fn hole(offset: u64, length: u32) -> Vec<u8> {
    [&offset.to_be_bytes()[..], &length.to_be_bytes()].concat()
}

pub(super) fn failure(error: u32, words: &str, offset: Option<u64>) -> Vec<u8> {
    let mut bytes = error.to_be_bytes().to_vec();
    bytes.extend((words.len() as u16).to_be_bytes());
    bytes.extend(words.bytes());
    bytes.extend(offset.into_iter().flat_map(u64::to_be_bytes));
    bytes
}

pub(super) fn status(context: u32, runs: &[(u32, u32)]) -> Vec<u8> {
    let mut bytes = context.to_be_bytes().to_vec();
    for (length, flags) in runs {
        bytes.extend(length.to_be_bytes());
        bytes.extend(flags.to_be_bytes());
    }
    bytes
}

/// Where a fake server listens. Its threads end when their client does.
pub(super) struct Fake {
    _folder: tempfile::TempDir,
    pub(super) address: Address,
    pub(super) socket: PathBuf,
}

/// Serves every connection with the script.
pub(super) fn serve(script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static) -> Fake {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let script = std::sync::Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let script = script.clone();
            std::thread::spawn(move || {
                let mut peer = Peer(stream.unwrap());
                // The client may hang up at any time; then the script ends early.
                let _ = script(&mut peer);
            });
        }
    });
    Fake {
        address: format!("nbd+unix:///volume?socket={}", socket.display())
            .parse()
            .unwrap(),
        socket,
        _folder: folder,
    }
}
