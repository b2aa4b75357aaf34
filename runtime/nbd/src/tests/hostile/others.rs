//! Misbehaviour in reply to a write of 1 MiB and to a block status of 8192 bytes at 4096.

use std::time::Duration;

use super::super::super::wire::*;
use super::super::fake::*;
use super::{Case, Does, claims, first, one, wait};

const DATA: u16 = REPLY_OFFSET_DATA;
const STATUS: u16 = REPLY_BLOCK_STATUS;

pub(super) const OTHERS: &[Case] = {
    use Does::*;
    &[
        // Writes.
        ("never takes a write", Writes, "nbd-timeout", "writing", |peer| {
            peer.greet(SHOWN)
                .map(|()| std::thread::sleep(Duration::from_secs(3)))
        }),
        (
            "answers another write",
            Writes,
            "nbd-protocol",
            "no request",
            |peer| {
                let request = first(peer)?;
                peer.simple(0, !request.cookie)?;
                wait(peer)
            },
        ),
        (
            "answers a write with data",
            Writes,
            "nbd-protocol",
            "unexpected",
            |peer| one(peer, 1, DATA, &data(4096, &[1; 8192])),
        ),
        // Block status of 8192 bytes at 4096.
        ("tells runs of nothing", Asks, "nbd-protocol", "0 bytes", |peer| {
            one(peer, 1, STATUS, &status(BASE_ID, &[(4096, 0), (0, 3)]))
        }),
        ("tells no runs", Asks, "nbd-protocol", "nothing", |peer| {
            one(peer, 1, STATUS, &status(BASE_ID, &[]))
        }),
        (
            "tells more than asked",
            Asks,
            "nbd-protocol",
            "more than",
            |peer| one(peer, 1, STATUS, &status(BASE_ID, &[(8192, 0), (4096, 3)])),
        ),
        ("tells half a run", Asks, "nbd-protocol", "too short", |peer| {
            let told = status(BASE_ID, &[(4096, 0), (4096, 3)]);
            one(peer, 1, STATUS, &told[..told.len() - 3])
        }),
        (
            "tells of another context",
            Asks,
            "nbd-protocol",
            "not granted",
            |peer| one(peer, 1, STATUS, &status(99, &[(8192, 3)])),
        ),
        ("tells twice", Asks, "nbd-protocol", "twice", |peer| {
            let request = first(peer)?;
            peer.chunk(0, STATUS, request.cookie, &status(BASE_ID, &[(8192, 3)]))?;
            peer.chunk(1, STATUS, request.cookie, &status(BASE_ID, &[(8192, 0)]))?;
            wait(peer)
        }),
        (
            "tells nothing at all",
            Asks,
            "nbd-protocol",
            "leaves out",
            |peer| one(peer, 1, REPLY_NONE, &[]),
        ),
        ("tells 4 GiB", Asks, "nbd-protocol", "are the most", |peer| {
            claims(peer, STATUS, u32::MAX - 3, &[0; 64])
        }),
    ]
};
