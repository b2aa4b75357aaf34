//! Several threads and their connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::wire::*;
use super::super::*;
use super::fake::*;
use super::memory::{SHOWN_SIMPLE, memory};

#[test]
fn threads_share_connections_only_where_the_server_allows_it() {
    for (flags, most) in [(ALL_FLAGS, 1), (ALL_FLAGS | CAN_MULTI_CONN, 3)] {
        let shown = Shown {
            flags,
            ..SHOWN_SIMPLE
        };
        let (fake, bytes, _) = memory(shown, Duration::from_millis(5));
        let options = Options {
            connections: 3,
            ..Options::default()
        };
        let client = Client::connect_with(&fake.address, &options).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..6_u64 {
                let (client, bytes) = (&client, &bytes);
                scope.spawn(move || {
                    for round in 0..8 {
                        let at = (thread * 8 + round) * 1000;
                        let mut part = [0; 1000];
                        client.read_at(at, &mut part).unwrap();
                        assert!(part == bytes.lock().unwrap()[at as usize..][..1000]);
                    }
                });
            }
        });
        assert_eq!(client.connections(), most);
    }
}

/// A server whose second connection is as the script says.
fn second(script: fn(&mut Peer) -> std::io::Result<()>) -> usize {
    let taken = AtomicUsize::new(0);
    let fake = serve(move |peer| {
        if taken.fetch_add(1, Ordering::Relaxed) > 0 {
            return script(peer);
        }
        peer.greet(MANY)?;
        loop {
            let request = peer.request()?;
            std::thread::sleep(Duration::from_millis(20));
            peer.simple(0, request.cookie)?;
            peer.say(&vec![5; request.length as usize])?;
        }
    });
    let client = Client::connect(&fake.address, Access::ReadOnly, Duration::from_millis(500)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    client.read_at(0, &mut [0; 100]).unwrap();
                }
            });
        }
    });
    client.connections()
}

const MANY: Shown = Shown {
    flags: ALL_FLAGS | CAN_MULTI_CONN,
    ..SHOWN_SIMPLE
};

#[test]
fn a_further_connection_that_fails_is_done_without() {
    assert_eq!(second(|peer| peer.hear::<1>().map(drop)), 1, "silence");
    assert_eq!(second(|_| Ok(())), 1, "hung up");
    let other = second(|peer| {
        peer.greet(Shown {
            size: SHOWN.size / 2,
            ..MANY
        })?;
        peer.hear::<1>().map(drop)
    });
    assert_eq!(other, 1, "another size");
}
