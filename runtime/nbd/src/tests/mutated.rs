//! Bytes of a good server with some of them changed, and bytes of no server at all.

use std::time::{Duration, Instant};

use super::super::wire::*;
use super::super::*;
use super::fake::*;

/// All that a good server sends to the requests of `fuzz_replies`.
fn transcript() -> Vec<u8> {
    let mut said = Vec::new();
    said.extend(NBDMAGIC.to_be_bytes());
    said.extend(IHAVEOPT.to_be_bytes());
    said.extend(3_u16.to_be_bytes());
    let mut option = |option: u32, kind: u32, payload: &[u8]| {
        said.extend(option_reply(option, kind, payload.len() as u32, payload));
    };
    option(OPT_STRUCTURED_REPLY, REP_ACK, &[]);
    option(
        OPT_SET_META_CONTEXT,
        REP_META_CONTEXT,
        &context(1, BASE_ALLOCATION),
    );
    option(
        OPT_SET_META_CONTEXT,
        REP_META_CONTEXT,
        &context(2, "qemu:dirty-bitmap:bitmap"),
    );
    option(OPT_SET_META_CONTEXT, REP_ACK, &[]);
    option(OPT_GO, REP_INFO, &export_info(4096, ALL_FLAGS));
    option(OPT_GO, REP_INFO, &block_info((512, 4096, 2048)));
    option(OPT_GO, REP_ACK, &[]);
    let mut reply = |flags: u16, kind: u16, cookie: u64, payload: &[u8]| {
        said.extend(chunk(flags, kind, cookie, payload.len() as u32, payload));
    };
    reply(0, REPLY_OFFSET_HOLE, 2, &hole(2048, 1024));
    reply(1, REPLY_OFFSET_DATA, 1, &data(0, &[1; 2048]));
    reply(1, REPLY_OFFSET_DATA, 2, &data(3072, &[2; 1024]));
    reply(0, REPLY_BLOCK_STATUS, 3, &status(1, &[(512, 0), (4096, 3)]));
    reply(1, REPLY_BLOCK_STATUS, 3, &status(2, &[(4096, 1)]));
    reply(1, REPLY_OFFSET_DATA, 4, &data(0, &[1; 512]));
    reply(1, REPLY_NONE, 5, &[]);
    reply(1, REPLY_ERROR + 1, 6, &failure(5, "broken", None));
    reply(1, REPLY_NONE, 7, &[]);
    said
}

#[test]
fn no_bytes_of_a_server_break_the_client() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let good = transcript();
    let began = Instant::now();
    super::super::fuzz::from_greeting(&good).unwrap();
    fuzz_replies(&[]);
    // NBD_MUTATIONS=2000000 for a long run.
    let rounds = std::env::var("NBD_MUTATIONS").map_or(20_000, |text| text.parse().unwrap());
    for _ in 0..rounds {
        let mut bytes = good.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            match random.u8(..5) {
                0 => bytes[at] = random.u8(..),
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.usize(..5)],
                2 => bytes.truncate(at + 1),
                3 => {
                    bytes.insert(at, random.u8(..));
                }
                _ => {
                    let end = (at + random.usize(..40)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    let to = random.usize(..bytes.len());
                    bytes.splice(to..to, part);
                }
            }
        }
        // From the replies on, or from the greeting on.
        let from = if random.bool() {
            0
        } else {
            random.usize(..bytes.len())
        };
        fuzz_replies(&bytes[from..]);
    }
    assert!(began.elapsed() < Duration::from_millis(rounds));
}
