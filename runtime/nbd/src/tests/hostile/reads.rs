//! Misbehaviour in reply to a read of 8192 bytes at 4096.

use super::super::super::wire::*;
use super::super::fake::*;
use super::{Case, Does, claims, first, one, wait};

const DATA: u16 = REPLY_OFFSET_DATA;
const HOLE: u16 = REPLY_OFFSET_HOLE;
const STATUS: u16 = REPLY_BLOCK_STATUS;
const ERROR: u16 = REPLY_ERROR + 1;

pub(super) const READS: &[Case] = {
    use Does::*;
    &[
        ("never answers", Reads, "nbd-timeout", "reading", |peer| {
            first(peer).and_then(|_| wait(peer))
        }),
        ("dies", Reads, "nbd-lost", "reading", |peer| first(peer).map(drop)),
        ("answers with noise", Reads, "nbd-protocol", "magic", |peer| {
            first(peer)?;
            peer.say(&[9; 64])?;
            wait(peer)
        }),
        (
            "answers another request",
            Reads,
            "nbd-protocol",
            "no request",
            |peer| {
                let request = first(peer)?;
                peer.chunk(1, DATA, request.cookie + 1, &data(4096, &[1; 8192]))?;
                wait(peer)
            },
        ),
        ("answers simply", Reads, "nbd-protocol", "simple", |peer| {
            let request = first(peer)?;
            peer.simple(0, request.cookie)?;
            wait(peer)
        }),
        ("is done too early", Reads, "nbd-protocol", "in part", |peer| {
            one(peer, 1, DATA, &data(4096, &[1; 8191]))
        }),
        ("is done at once", Reads, "nbd-protocol", "in part", |peer| {
            one(peer, 1, REPLY_NONE, &[])
        }),
        ("sends too much", Reads, "nbd-protocol", "outside", |peer| {
            one(peer, 1, DATA, &data(4096, &[1; 8193]))
        }),
        ("sends what is before", Reads, "nbd-protocol", "outside", |peer| {
            one(peer, 1, DATA, &data(4095, &[1; 8192]))
        }),
        (
            "sends from the end of time",
            Reads,
            "nbd-protocol",
            "outside",
            |peer| one(peer, 1, DATA, &data(u64::MAX, &[1; 8192])),
        ),
        ("overlaps", Reads, "nbd-protocol", "overlap", |peer| {
            let request = first(peer)?;
            peer.chunk(0, DATA, request.cookie, &data(4096, &[1; 4096]))?;
            peer.chunk(1, HOLE, request.cookie, &hole(8191, 4097))?;
            wait(peer)
        }),
        ("sends the same twice", Reads, "nbd-protocol", "overlap", |peer| {
            let request = first(peer)?;
            peer.chunk(0, DATA, request.cookie, &data(4096, &[1; 8192]))?;
            peer.chunk(1, DATA, request.cookie, &data(4096, &[1; 8192]))?;
            wait(peer)
        }),
        (
            "promises 4 GiB of data",
            Reads,
            "nbd-protocol",
            "outside",
            |peer| claims(peer, DATA, u32::MAX, &data(4096, &[1; 64])),
        ),
        (
            "promises data and stops",
            Reads,
            "nbd-timeout",
            "reading",
            |peer| claims(peer, DATA, 8200, &data(4096, &[1; 64])),
        ),
        (
            "sends an empty chunk",
            Reads,
            "nbd-protocol",
            "unexpected",
            |peer| one(peer, 0, DATA, &data(4096, &[])),
        ),
        ("sends an empty hole", Reads, "nbd-protocol", "outside", |peer| {
            one(peer, 0, HOLE, &hole(4096, 0))
        }),
        ("sends a huge hole", Reads, "nbd-protocol", "outside", |peer| {
            one(peer, 1, HOLE, &hole(4096, u32::MAX))
        }),
        (
            "sends a hole with more",
            Reads,
            "nbd-protocol",
            "unexpected",
            |peer| one(peer, 1, HOLE, &[0; 13]),
        ),
        (
            "sends an unknown chunk",
            Reads,
            "nbd-protocol",
            "unexpected",
            |peer| one(peer, 1, 99, &[]),
        ),
        (
            "sends status for data",
            Reads,
            "nbd-protocol",
            "unexpected",
            |peer| one(peer, 1, STATUS, &status(BASE_ID, &[(8192, 0)])),
        ),
        (
            "is not done with nothing",
            Reads,
            "nbd-protocol",
            "unexpected",
            |peer| one(peer, 0, REPLY_NONE, &[]),
        ),
        ("sends crumbs", Reads, "nbd-protocol", "too many chunks", |peer| {
            let request = first(peer)?;
            for at in (0..8192).step_by(2) {
                peer.chunk(0, DATA, request.cookie, &data(4096 + at, &[1]))?;
            }
            wait(peer)
        }),
        (
            "fails without end",
            Reads,
            "nbd-protocol",
            "too many chunks",
            |peer| {
                let request = first(peer)?;
                loop {
                    peer.chunk(0, ERROR, request.cookie, &failure(5, "no", None))?;
                }
            },
        ),
        (
            "fails with 4 GiB of words",
            Reads,
            "nbd-protocol",
            "are the most",
            |peer| claims(peer, ERROR, u32::MAX, &failure(5, "no", None)),
        ),
        (
            "fails without reason",
            Reads,
            "nbd-protocol",
            "without a number",
            |peer| one(peer, 1, ERROR, &failure(0, "", None)),
        ),
        ("fails elsewhere", Reads, "nbd-protocol", "outside", |peer| {
            one(peer, 1, REPLY_ERROR_OFFSET, &failure(5, "", Some(12288)))
        }),
    ]
};
