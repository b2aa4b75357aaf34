//! Servers that keep to the protocol, in ways that qemu-nbd has not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::wire::*;
use super::super::*;
use super::fake::*;
use super::memory::{SHOWN_SIMPLE, memory};

const TIMEOUT: Duration = Duration::from_secs(2);

fn both(fake: &Fake) -> Client {
    Client::connect(&fake.address, Access::ReadWrite, TIMEOUT).unwrap()
}

#[test]
fn an_old_server_with_large_blocks_is_read_and_written_at_any_byte() {
    let shown = Shown {
        size: 64 << 10,
        blocks: Some((4096, 4096, 8192)),
        structured: false,
        ..SHOWN
    };
    let (fake, bytes, requests) = memory(shown, Duration::ZERO);
    let client = both(&fake);
    assert!(!client.abilities().structured && !client.abilities().extents);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut model = bytes.lock().unwrap().clone();
    for _ in 0..200 {
        let from = random.usize(..model.len());
        let to = random.usize(from..model.len().min(from + 20_000));
        match random.u8(..3) {
            0 => {
                let mut part = vec![0; to - from];
                client.read_at(from as u64, &mut part).unwrap();
                assert!(part == model[from..to]);
            }
            1 => {
                let mut part = vec![0; to - from];
                random.fill(&mut part);
                model[from..to].copy_from_slice(&part);
                client.write_at(from as u64, &part).unwrap();
            }
            _ => {
                model[from..to].fill(0);
                client.write_zeroes(from as u64, (to - from) as u64).unwrap();
            }
        }
    }
    client.flush().unwrap();
    assert!(*bytes.lock().unwrap() == model);
    let whole = Extent {
        length: 64 << 10,
        hole: false,
        zero: false,
    };
    assert_eq!(client.extents(0, 64 << 10).unwrap(), [whole]);
    assert!(client.dirty(5, 7).unwrap()[0].dirty);
    drop(client);
    for request in requests.lock().unwrap().iter() {
        assert_eq!(request.flags, 0);
        let whole = request.offset % 4096 == 0 && request.length % 4096 == 0;
        assert!(whole && (request.length <= 8192 || request.command == CMD_WRITE_ZEROES));
    }
}

#[test]
fn the_server_is_told_goodbye() {
    let (fake, _, requests) = memory(SHOWN_SIMPLE, Duration::ZERO);
    drop(both(&fake));
    let began = Instant::now();
    while requests
        .lock()
        .unwrap()
        .last()
        .is_none_or(|last| last.command != CMD_DISC)
    {
        assert!(began.elapsed() < TIMEOUT, "no NBD_CMD_DISC");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn chunks_out_of_order_and_replies_out_of_order_are_put_together() {
    let shown = Shown {
        blocks: Some((1, 4096, 4096)),
        ..SHOWN
    };
    let fake = serve(move |peer| {
        peer.greet(shown)?;
        let requests = [peer.request()?, peer.request()?];
        for request in requests.iter().rev() {
            let (at, cookie) = (request.offset, request.cookie);
            peer.chunk(0, REPLY_OFFSET_DATA, cookie, &data(at + 4000, &[3; 96]))?;
            peer.chunk(0, REPLY_OFFSET_HOLE, cookie, &hole(at + 1, 3999))?;
            peer.chunk(0, REPLY_OFFSET_DATA, cookie, &data(at, &[1]))?;
            peer.chunk(1, REPLY_NONE, cookie, &[])?;
        }
        peer.request().map(drop)
    });
    let mut buffer = vec![9; 8192];
    both(&fake).read_at(4096, &mut buffer).unwrap();
    for half in buffer.chunks(4096) {
        assert!(half[0] == 1 && half[1..4000].iter().all(|byte| *byte == 0));
        assert!(half[4000..].iter().all(|byte| *byte == 3));
    }
}

#[test]
fn an_error_of_the_server_leaves_the_connection_in_use() {
    let fake = serve(|peer| {
        peer.greet(SHOWN)?;
        let request = peer.request()?;
        peer.chunk(0, REPLY_OFFSET_DATA, request.cookie, &data(0, &[1; 512]))?;
        peer.chunk(
            0,
            REPLY_ERROR_OFFSET,
            request.cookie,
            &failure(5, "bad\nsector", Some(512)),
        )?;
        peer.chunk(1, REPLY_NONE, request.cookie, &[])?;
        let request = peer.request()?;
        peer.chunk(1, REPLY_ERROR + 1, request.cookie, &failure(28, "full", None))?;
        let request = peer.request()?;
        peer.simple(108, request.cookie)?;
        let request = peer.request()?;
        peer.chunk(1, REPLY_OFFSET_DATA, request.cookie, &data(0, &[7; 1024]))?;
        peer.request().map(drop)
    });
    let client = both(&fake);
    let mut buffer = [0; 1024];
    let error = client.read_at(0, &mut buffer).unwrap_err();
    assert_eq!(error.code(), "nbd-io");
    assert!(error.to_string().ends_with("(EIO): bad sector"), "{error}");
    let error = client.write_at(0, &buffer).unwrap_err();
    assert!(error.is_no_space(), "{error}");
    let error = client.flush().unwrap_err();
    assert!(error.to_string().contains("ESHUTDOWN"), "{error}");
    client.read_at(0, &mut buffer).unwrap();
    assert_eq!(buffer, [7; 1024]);
}

#[test]
fn only_the_zero_flag_makes_zeros_and_crumbs_are_joined() {
    let fake = serve(|peer| {
        peer.greet(SHOWN)?;
        // A hole that is no zeros, zeros that are no hole; later a run that goes on beyond the question.
        for runs in [&[(100, 1), (100, 1), (300, 2)][..], &[(500, 2)], &[(u32::MAX, 3)]] {
            let request = peer.request()?;
            peer.chunk(1, REPLY_BLOCK_STATUS, request.cookie, &status(BASE_ID, runs))?;
        }
        peer.request().map(drop)
    });
    let extent = |length, hole, zero| Extent { length, hole, zero };
    assert_eq!(
        both(&fake).extents(1000, 4000).unwrap(),
        [
            extent(200, true, false),
            extent(800, false, true),
            extent(3000, true, true)
        ]
    );
}

#[test]
fn a_bitmap_is_read_and_its_absence_is_an_error() {
    let fake = serve(|peer| {
        peer.greet(SHOWN)?;
        let request = peer.request()?;
        peer.chunk(
            0,
            REPLY_BLOCK_STATUS,
            request.cookie,
            &status(BASE_ID, &[(1 << 20, 3)]),
        )?;
        let runs = [(512 << 10, 0), (512 << 10, 1)];
        peer.chunk(1, REPLY_BLOCK_STATUS, request.cookie, &status(BITMAP_ID, &runs))?;
        peer.request().map(drop)
    });
    let with = |name: &str| Options {
        bitmap: Some(name.into()),
        ..Options::default()
    };
    let client = Client::connect_with(&fake.address, &with("changed!")).unwrap();
    let told = client.dirty(0, MIB).unwrap();
    assert_eq!(
        told.iter().map(|run| run.dirty).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(told.iter().all(|run| run.length == MIB / 2));
    let error = Client::connect_with(&fake.address, &with("other")).unwrap_err();
    assert_eq!(error.code(), "nbd-refused");
    assert!(error.to_string().contains("bitmap"), "{error}");
}

#[test]
fn a_server_that_tells_its_runs_in_crumbs_is_not_listened_to_for_ever() {
    let shown = Shown {
        size: 1 << 40,
        ..SHOWN
    };
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let fake = serve(move |peer| {
        peer.greet(shown)?;
        loop {
            let request = peer.request()?;
            if request.command != CMD_BLOCK_STATUS {
                return Ok(());
            }
            let flags = 3 * (request.offset as u32 % 2);
            count.fetch_add(1, Ordering::Relaxed);
            peer.chunk(
                1,
                REPLY_BLOCK_STATUS,
                request.cookie,
                &status(BASE_ID, &[(1, flags)]),
            )?;
        }
    });
    let told = both(&fake).extents(0, 1 << 40).unwrap();
    assert!(asked.load(Ordering::Relaxed) <= 16 << 10);
    assert_eq!(told.iter().map(|run| run.length).sum::<u64>(), 1 << 40);
    assert!(!told.last().unwrap().zero);
}

#[test]
fn nothing_is_sent_for_what_cannot_be() {
    let (fake, _, requests) = memory(SHOWN_SIMPLE, Duration::ZERO);
    let client = Client::connect(&fake.address, Access::ReadOnly, TIMEOUT).unwrap();
    let mut buffer = [0; 10];
    for offset in [MIB - 9, MIB, u64::MAX] {
        let error = client.read_at(offset, &mut buffer).unwrap_err();
        assert_eq!(error.code(), "nbd-out-of-range");
    }
    assert_eq!(
        client.extents(1, u64::MAX).unwrap_err().code(),
        "nbd-out-of-range"
    );
    assert_eq!(client.write_at(0, &buffer).unwrap_err().code(), "nbd-read-only");
    assert_eq!(client.write_zeroes(0, 1).unwrap_err().code(), "nbd-read-only");
    assert!(fake.socket.exists() && requests.lock().unwrap().is_empty());
    client.read_at(MIB, &mut []).unwrap();
    client.read_at(MIB - 10, &mut buffer).unwrap();
}

#[test]
fn a_flush_may_take_long_and_what_follows_may_not() {
    let fake = serve(|peer| {
        peer.greet(SHOWN)?;
        let request = peer.request()?;
        std::thread::sleep(Duration::from_millis(500));
        peer.simple(0, request.cookie)?;
        peer.request()?;
        peer.request().map(drop)
    });
    let client = Client::connect(&fake.address, Access::ReadWrite, Duration::from_millis(200)).unwrap();
    client.flush().unwrap();
    let began = Instant::now();
    assert_eq!(client.read_at(0, &mut [0; 8]).unwrap_err().code(), "nbd-timeout");
    assert!(began.elapsed() < Duration::from_millis(1000));
}
