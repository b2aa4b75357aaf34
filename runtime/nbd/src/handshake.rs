//! From a fresh connection to an export that can be read: fixed newstyle, up to NBD_OPT_GO.
//!
//! Asked for are structured replies, the metadata contexts, and the block sizes. A server may decline the first
//! two and is then read without them; a bitmap that was asked for by name must be there. Every announced number is
//! checked here, once, so that later code can calculate with it: the size fits 63 bits, block sizes are powers
//! of two that divide what they must. A server that answers an option without end is left after 64 replies.

mod facts;

use super::error::{NbdError, clean};
use super::link::{Link, Patience};
use super::wire::*;
use facts::{Contexts, Facts};

/// Replies to one option; an export has a handful of facts.
const MOST_REPLIES: usize = 64;
/// Bytes of one option reply: a string and its fields.
const LONGEST_REPLY: usize = LONGEST_STRING + 64;
/// The largest minimum block size, by the protocol.
const LARGEST_MINIMUM: u32 = 64 << 10;
/// What a server takes that announces no maximum, by the protocol.
const DEFAULT_MAXIMUM: u32 = 32 << 20;

/// What a client wants of an export.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) export: String,
    pub(super) writable: bool,
    pub(super) bitmap: Option<String>,
}

/// An export as a connection may use it. Metadata contexts have their numbers per connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Export {
    pub(super) size: u64,
    pub(super) flags: u16,
    /// Offsets and lengths are multiples of it; a power of two up to 64 KiB that divides the size.
    pub(super) minimum: u32,
    pub(super) preferred: u32,
    /// Bytes that one request may move; a multiple of the minimum.
    pub(super) maximum: u32,
    pub(super) structured: bool,
    pub(super) allocation: Option<u32>,
    pub(super) bitmap: Option<u32>,
}

impl Export {
    pub(super) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Whether a second connection shows the same export.
    pub(super) fn same(&self, other: &Export) -> bool {
        let plain = |export: &Export| Export {
            allocation: export.allocation.map(|_| 0),
            bitmap: export.bitmap.map(|_| 0),
            ..*export
        };
        plain(self) == plain(other)
    }
}

/// Negotiates an export on a fresh connection.
///
/// # Errors
/// `nbd-handshake`, `nbd-refused`, or how the connection ended.
pub(super) fn negotiate<S: Patience>(link: &mut Link<S>, wanted: &Wanted) -> Result<Export, NbdError> {
    link.begin("shaking hands", 0);
    all_options(link, wanted).map_err(|error| match error {
        NbdError::Protocol { reason } => NbdError::Handshake { reason },
        other => other,
    })
}

fn all_options<S: Patience>(link: &mut Link<S>, wanted: &Wanted) -> Result<Export, NbdError> {
    greet(link)?;
    let structured = match ask(link, OPT_STRUCTURED_REPLY, &[], |_, _| {
        Err(NbdError::protocol("structured replies were answered with facts"))
    })? {
        Ok(()) => true,
        Err(refusal) => refusal.tolerable("the handshake")?,
    };
    let mut contexts = Contexts::default();
    if structured {
        let names = contexts.names(wanted);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let request = meta_request(&wanted.export, &names)?;
        let answer = ask(link, OPT_SET_META_CONTEXT, &request, |kind, payload| {
            contexts.take(kind, payload, &names)
        })?;
        if let Err(refusal) = answer {
            // No contexts then, whatever was said before; a missing export is for NBD_OPT_GO to tell.
            contexts = Contexts::default();
            refusal.tolerable("the metadata contexts")?;
        }
    }
    let mut facts = Facts::default();
    let request = go_request(&wanted.export)?;
    ask(link, OPT_GO, &request, |kind, payload| facts.take(kind, payload))?
        .map_err(|refusal| refusal.into_error("the export"))?;
    let export = facts.export(structured, &contexts)?;
    if wanted.bitmap.is_some() && export.bitmap.is_none() {
        return Err(NbdError::Refused {
            what: "the dirty bitmap",
            message: "the server has none of this name".into(),
        });
    }
    if wanted.writable && export.has(READ_ONLY) {
        return Err(NbdError::Refused {
            what: "writing",
            message: "the export is read-only".into(),
        });
    }
    Ok(export)
}

fn greet<S: Patience>(link: &mut Link<S>) -> Result<(), NbdError> {
    if u64::from_be_bytes(link.array()?) != NBDMAGIC {
        return Err(NbdError::protocol("this is not an NBD server"));
    }
    if u64::from_be_bytes(link.array()?) != IHAVEOPT {
        return Err(NbdError::protocol(
            "the server is too old: it has no newstyle handshake",
        ));
    }
    let flags = u16::from_be_bytes(link.array()?);
    if flags & FLAG_FIXED_NEWSTYLE == 0 {
        return Err(NbdError::protocol(
            "the server is too old: its newstyle is not the fixed one",
        ));
    }
    let flags = flags & (FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES);
    link.write(&u32::from(flags).to_be_bytes())
}

/// A server's no to an option.
struct Refusal {
    kind: u32,
    message: String,
}

impl Refusal {
    /// `false`, unless nothing can follow this refusal.
    fn tolerable(self, what: &'static str) -> Result<bool, NbdError> {
        match self.kind & !REP_ERROR {
            // TLS wanted; shutting down.
            5 | 7 => Err(self.into_error(what)),
            _ => Ok(false),
        }
    }

    fn into_error(self, what: &'static str) -> NbdError {
        let kind = match self.kind & !REP_ERROR {
            1 => "it does not know this option and is too old",
            2 => "it is not allowed",
            3 => "it takes the request for malformed",
            4 => "it cannot do this on its platform",
            5 => "it wants TLS, which is not supported",
            6 => "it does not have it",
            7 => "it is shutting down",
            8 => "it wants block sizes to be asked for",
            9 => "it takes the request for too large",
            _ => "for a reason that is not known",
        };
        let message = match self.message.as_str() {
            "" => kind.to_owned(),
            words => format!("{kind}: {words}"),
        };
        NbdError::Refused { what, message }
    }
}

/// Sends an option and takes its replies up to the last; the facts among them go to `take`.
fn ask<S: Patience>(
    link: &mut Link<S>,
    option: u32,
    data: &[u8],
    mut take: impl FnMut(u32, &[u8]) -> Result<(), NbdError>,
) -> Result<Result<(), Refusal>, NbdError> {
    let mut message = Vec::with_capacity(16 + data.len());
    message.extend(IHAVEOPT.to_be_bytes());
    message.extend(option.to_be_bytes());
    message.extend(length(data.len())?.to_be_bytes());
    message.extend(data);
    link.write(&message)?;
    for _ in 0..MOST_REPLIES {
        let header: [u8; 20] = link.array()?;
        let mut fields = Fields::new(&header);
        if fields.u64()? != OPTION_REPLY_MAGIC {
            return Err(NbdError::protocol("an option reply has no magic number"));
        }
        if fields.u32()? != option {
            return Err(NbdError::protocol("an option reply answers another option"));
        }
        let kind = fields.u32()?;
        let payload = link.payload(fields.u32()?, LONGEST_REPLY)?;
        match kind {
            REP_ACK if payload.is_empty() => return Ok(Ok(())),
            REP_ACK => return Err(NbdError::protocol("an acknowledgement has a payload")),
            kind if kind & REP_ERROR != 0 => {
                let message = clean(&payload);
                return Ok(Err(Refusal { kind, message }));
            }
            kind => take(kind, &payload)?,
        }
    }
    Err(NbdError::protocol("an option is answered without end"))
}

fn length(bytes: usize) -> Result<u32, NbdError> {
    u32::try_from(bytes).map_err(|_| NbdError::handshake("a name is too long"))
}

fn meta_request(export: &str, names: &[&str]) -> Result<Vec<u8>, NbdError> {
    let mut request = Vec::new();
    request.extend(length(export.len())?.to_be_bytes());
    request.extend(export.bytes());
    request.extend(length(names.len())?.to_be_bytes());
    for name in names {
        request.extend(length(name.len())?.to_be_bytes());
        request.extend(name.bytes());
    }
    Ok(request)
}

fn go_request(export: &str) -> Result<Vec<u8>, NbdError> {
    let mut request = Vec::new();
    request.extend(length(export.len())?.to_be_bytes());
    request.extend(export.bytes());
    request.extend(1_u16.to_be_bytes());
    request.extend(INFO_BLOCK_SIZE.to_be_bytes());
    Ok(request)
}
