//! Servers that misbehave: each ends in its error, soon, without panic and without much memory.

mod greetings;
mod others;
mod reads;

use std::io;
use std::time::{Duration, Instant};

use super::super::wire::*;
use super::super::*;
use super::fake::*;

const TIMEOUT: Duration = Duration::from_millis(400);
const SOON: Duration = Duration::from_secs(4);

/// What the client does with the server.
#[derive(Clone, Copy)]
enum Does {
    Connects,
    Reads,
    Writes,
    Asks,
}

type Script = fn(&mut Peer) -> io::Result<()>;

/// Misbehaviour, what the client does meanwhile, its error, a part of the error's text, and the server.
type Case = (&'static str, Does, &'static str, &'static str, Script);

/// Stays until the client goes.
fn wait(peer: &mut Peer) -> io::Result<()> {
    peer.hear::<1>().map(drop)
}

fn first(peer: &mut Peer) -> io::Result<Request> {
    peer.greet(SHOWN)?;
    peer.request()
}

/// Answers the first request, always of 8192 bytes at 4096, with one chunk, and stays.
fn one(peer: &mut Peer, flags: u16, kind: u16, payload: &[u8]) -> io::Result<()> {
    let request = first(peer)?;
    peer.chunk(flags, kind, request.cookie, payload)?;
    wait(peer)
}

/// A chunk that claims a length and then sends something else.
fn claims(peer: &mut Peer, kind: u16, length: u32, payload: &[u8]) -> io::Result<()> {
    let request = first(peer)?;
    peer.say(&chunk(1, kind, request.cookie, length, payload))?;
    wait(peer)
}

fn run(does: Does, address: &Address) -> NbdError {
    let access = match does {
        Does::Writes => Access::ReadWrite,
        _ => Access::ReadOnly,
    };
    let client = match Client::connect(address, access, TIMEOUT) {
        Ok(client) => client,
        Err(error) => return error,
    };
    let mut buffer = vec![0; 8192];
    let error = match does {
        Does::Connects => panic!("it connected"),
        Does::Reads => client.read_at(4096, &mut buffer).unwrap_err(),
        Does::Writes => client.write_at(0, &vec![1; MIB as usize]).unwrap_err(),
        Does::Asks => client.extents(4096, 8192).unwrap_err(),
    };
    let began = Instant::now();
    assert_eq!(
        client.read_at(0, &mut buffer).unwrap_err(),
        error,
        "it is used again"
    );
    assert!(began.elapsed() < Duration::from_millis(200));
    error
}

/// Address space in KiB, which also what is never touched needs.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn every_misbehaviour_ends_soon_in_its_error() {
    let table = [greetings::GREETINGS, reads::READS, others::OTHERS].concat();
    assert!(table.len() >= 15);
    let before = peak();
    for (name, does, code, words, script) in table {
        let fake = serve(script);
        let began = Instant::now();
        let error = run(does, &fake.address);
        assert!(began.elapsed() < SOON, "{name}: {:?}", began.elapsed());
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
    assert!(
        peak() - before < 3 << 20,
        "3 GiB of address space for a promise of 4"
    );
}

#[test]
fn a_server_that_dribbles_without_pause_is_left_in_the_end() {
    let fake = serve(|peer| {
        let request = first(peer)?;
        peer.say(&chunk(
            1,
            REPLY_OFFSET_DATA,
            request.cookie,
            8200,
            &data(4096, &[]),
        ))?;
        loop {
            std::thread::sleep(Duration::from_millis(100));
            peer.say(&[1])?;
        }
    });
    let client = Client::connect(&fake.address, Access::ReadOnly, TIMEOUT).unwrap();
    let began = Instant::now();
    let error = client.read_at(4096, &mut [0; 8192]).unwrap_err();
    assert_eq!(error.code(), "nbd-timeout");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn a_server_that_does_not_accept_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let place = socket2::SockAddr::unix(&socket).unwrap();
    let new = || socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    let listener = new();
    listener.bind(&place).unwrap();
    listener.listen(1).unwrap();
    let address: Address = format!("nbd+unix:///?socket={}", socket.display())
        .parse()
        .unwrap();
    let began = Instant::now();
    // In the kernel's queue, and then before it.
    let error = Client::connect(&address, Access::ReadOnly, TIMEOUT).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().contains("shaking")),
        ("nbd-timeout", true)
    );
    let queue: Vec<_> = (0..10)
        .map_while(|_| {
            let socket = new();
            socket.set_nonblocking(true).unwrap();
            socket.connect(&place).ok().map(|()| socket)
        })
        .collect();
    assert!(queue.len() < 10, "the queue never fills");
    let error = Client::connect(&address, Access::ReadOnly, TIMEOUT).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().contains("connecting")),
        ("nbd-timeout", true)
    );
    assert!(began.elapsed() < SOON);
    let nowhere: Address = "nbd+unix:///?socket=/nowhere/at/all".parse().unwrap();
    let error = Client::connect(&nowhere, Access::ReadOnly, TIMEOUT).unwrap_err();
    assert_eq!(error.code(), "nbd-connect");
}
