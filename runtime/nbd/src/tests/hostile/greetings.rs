//! Misbehaviour up to NBD_OPT_GO.

use std::io;
use std::time::Duration;

use super::super::super::wire::*;
use super::super::fake::*;
use super::{Case, Does, wait};

/// Answers the options before that one as a server should.
fn until(peer: &mut Peer, wanted: u32) -> io::Result<()> {
    peer.hello()?;
    loop {
        let (option, _) = peer.option()?;
        match option {
            _ if option == wanted => return Ok(()),
            OPT_SET_META_CONTEXT => {
                peer.reply(option, REP_META_CONTEXT, &context(BASE_ID, BASE_ALLOCATION))?;
                peer.reply(option, REP_ACK, &[])?;
            }
            _ => peer.reply(option, REP_ACK, &[])?,
        }
    }
}

/// Answers NBD_OPT_GO with these facts.
fn go(peer: &mut Peer, facts: &[Vec<u8>]) -> io::Result<()> {
    until(peer, OPT_GO)?;
    for fact in facts {
        peer.reply(OPT_GO, REP_INFO, fact)?;
    }
    peer.reply(OPT_GO, REP_ACK, &[])?;
    wait(peer)
}

fn meta(peer: &mut Peer, replies: &[(u32, &str)]) -> io::Result<()> {
    until(peer, OPT_SET_META_CONTEXT)?;
    for (id, name) in replies {
        peer.reply(OPT_SET_META_CONTEXT, REP_META_CONTEXT, &context(*id, name))?;
    }
    peer.reply(OPT_SET_META_CONTEXT, REP_ACK, &[])?;
    wait(peer)
}

pub(super) const GREETINGS: &[Case] = {
    use Does::*;
    &[
        ("says nothing", Connects, "nbd-timeout", "shaking hands", wait),
        ("hangs up", Connects, "nbd-lost", "closed", |_| Ok(())),
        ("speaks HTTP", Connects, "nbd-handshake", "not an NBD", |peer| {
            peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        }),
        (
            "is of the old style",
            Connects,
            "nbd-handshake",
            "too old",
            |peer| peer.say(&[&NBDMAGIC.to_be_bytes()[..], &[0; 200]].concat()),
        ),
        ("is not fixed", Connects, "nbd-handshake", "too old", |peer| {
            peer.say(&[&NBDMAGIC.to_be_bytes()[..], &IHAVEOPT.to_be_bytes(), &[0; 2]].concat())?;
            wait(peer)
        }),
        (
            "dribbles its greeting",
            Connects,
            "nbd-timeout",
            "shaking hands",
            |peer| {
                for byte in NBDMAGIC.to_be_bytes() {
                    peer.say(&[byte])?;
                    std::thread::sleep(Duration::from_millis(200));
                }
                wait(peer)
            },
        ),
        (
            "answers another option",
            Connects,
            "nbd-handshake",
            "another option",
            |peer| {
                until(peer, OPT_STRUCTURED_REPLY)?;
                peer.reply(OPT_GO, REP_ACK, &[])?;
                wait(peer)
            },
        ),
        (
            "answers an option with noise",
            Connects,
            "nbd-handshake",
            "magic",
            |peer| {
                until(peer, OPT_STRUCTURED_REPLY)?;
                peer.say(&[7; 20])?;
                wait(peer)
            },
        ),
        (
            "answers an option for ever",
            Connects,
            "nbd-handshake",
            "without end",
            |peer| {
                until(peer, OPT_GO)?;
                loop {
                    peer.reply(OPT_GO, REP_INFO, b"\0\x02again")?;
                }
            },
        ),
        (
            "promises 4 GiB of option",
            Connects,
            "nbd-handshake",
            "4294967295 bytes",
            |peer| {
                until(peer, OPT_GO)?;
                peer.say(&option_reply(OPT_GO, REP_INFO, u32::MAX, &[0; 64]))?;
                wait(peer)
            },
        ),
        (
            "refuses with 4 GiB of words",
            Connects,
            "nbd-handshake",
            "4294967295 bytes",
            |peer| {
                until(peer, OPT_GO)?;
                peer.say(&option_reply(OPT_GO, REP_ERROR + 6, u32::MAX, &[0; 64]))?;
                wait(peer)
            },
        ),
        (
            "refuses with colours",
            Connects,
            "nbd-refused",
            "does not have it: a [31m b",
            |peer| {
                until(peer, OPT_GO)?;
                peer.reply(OPT_GO, REP_ERROR + 6, b"a\x1b[31m\nb")?;
                wait(peer)
            },
        ),
        ("wants TLS", Connects, "nbd-refused", "TLS", |peer| {
            until(peer, OPT_STRUCTURED_REPLY)?;
            peer.reply(OPT_STRUCTURED_REPLY, REP_ERROR + 5, &[])?;
            wait(peer)
        }),
        (
            "acknowledges with a payload",
            Connects,
            "nbd-handshake",
            "payload",
            |peer| {
                until(peer, OPT_GO)?;
                peer.reply(OPT_GO, REP_ACK, b"x")?;
                wait(peer)
            },
        ),
        ("tells no size", Connects, "nbd-handshake", "size", |peer| {
            go(peer, &[])
        }),
        ("tells two sizes", Connects, "nbd-handshake", "twice", |peer| {
            go(peer, &[export_info(1, 1), export_info(2, 1)])
        }),
        (
            "has more than all bytes",
            Connects,
            "nbd-handshake",
            "cannot be",
            |peer| go(peer, &[export_info(u64::MAX, 1)]),
        ),
        (
            "cuts its size short",
            Connects,
            "nbd-handshake",
            "too short",
            |peer| go(peer, &[b"\0\0\0\0\0\0".to_vec()]),
        ),
        (
            "has blocks of nothing",
            Connects,
            "nbd-handshake",
            "fit together",
            |peer| go(peer, &[export_info(MIB, 1), block_info((0, 0, 0))]),
        ),
        (
            "grants what nobody asked for",
            Connects,
            "nbd-handshake",
            "nobody",
            |peer| meta(peer, &[(1, "x:y")]),
        ),
        ("grants twice", Connects, "nbd-handshake", "twice", |peer| {
            meta(peer, &[(1, BASE_ALLOCATION), (2, BASE_ALLOCATION)])
        }),
        ("is read-only", Writes, "nbd-refused", "read-only", |peer| {
            go(peer, &[export_info(MIB, HAS_FLAGS | READ_ONLY)])
        }),
    ]
};
