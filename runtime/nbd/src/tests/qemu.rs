//! The client against qemu-nbd, over a Unix socket and TCP, with raw and qcow2 images.

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::super::*;
use super::tools::*;

#[test]
fn random_reads_of_several_threads_are_right() {
    if !tools("random_reads_of_several_threads_are_right") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (images, bytes) = images(folder.path());
    for (format, image) in &images {
        for tcp in [false, true] {
            let server = Server::start(folder.path(), image, format, tcp, &["-r"]);
            let client = server.open(Access::ReadOnly).unwrap();
            assert_eq!(client.size(), SIZE);
            assert!(client.abilities().multi_conn && client.abilities().read_only);
            let seed = fastrand::u64(..);
            println!("{format} tcp {tcp} seed {seed}");
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let (client, bytes) = (&client, &bytes);
                    scope.spawn(move || {
                        let mut random = fastrand::Rng::with_seed(seed + thread);
                        for _ in 0..40 {
                            let from = random.u64(..SIZE);
                            let to = random.u64(from..=(from + 6 * MIB).min(SIZE));
                            let mut part = vec![1; (to - from) as usize];
                            client.read_at(from, &mut part).unwrap();
                            assert!(part == bytes[from as usize..to as usize], "{from} {to}");
                        }
                    });
                }
            });
            assert!(client.connections() > 1);
            let error = server.open(Access::ReadWrite).unwrap_err();
            assert_eq!(error.code(), "nbd-refused", "{error}");
        }
    }
}

#[test]
fn extents_of_a_sparse_image_are_right() {
    if !tools("extents_of_a_sparse_image_are_right") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (images, bytes) = images(folder.path());
    for (format, image) in &images {
        let server = Server::start(folder.path(), image, format, false, &["-r"]);
        let client = server.open(Access::ReadOnly).unwrap();
        let extents = client.extents(0, SIZE).unwrap();
        let zeros: Vec<bool> = extents.iter().map(|extent| extent.zero).collect();
        let lengths: Vec<u64> = extents.iter().map(|extent| extent.length).collect();
        assert_eq!(zeros, [false, true, false], "{format}: {extents:?}");
        assert_eq!(lengths, [SIZE / 4, SIZE / 2, SIZE / 4], "{format}");
        // Any part of it too, and nothing that holds data is called zero.
        for _ in 0..50 {
            let from = fastrand::u64(..SIZE);
            let length = fastrand::u64(..=SIZE - from);
            let mut at = from;
            for extent in client.extents(from, length).unwrap() {
                let part = &bytes[at as usize..(at + extent.length) as usize];
                assert!(!extent.zero || part.iter().all(|byte| *byte == 0));
                at += extent.length;
            }
            assert_eq!(at, from + length);
        }
    }
}

#[test]
fn writes_and_zeros_last_and_zeros_make_holes() {
    if !tools("writes_and_zeros_last_and_zeros_make_holes") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (images, bytes) = images(folder.path());
    for (format, image) in &images {
        for tcp in [false, true] {
            let mut model = bytes.clone();
            let blocks = std::fs::metadata(image).unwrap().blocks();
            let server = Server::start(folder.path(), image, format, tcp, &[]);
            let client = server.open(Access::ReadWrite).unwrap();
            client.write_at(0, &model).unwrap();
            let mut part = vec![0; 3 * MIB as usize + 77];
            fastrand::fill(&mut part);
            let at = (SIZE / 2 - 5) as usize;
            client.write_at(at as u64, &part).unwrap();
            model[at..at + part.len()].copy_from_slice(&part);
            client.write_zeroes(MIB, 8 * MIB).unwrap();
            model[MIB as usize..9 * MIB as usize].fill(0);
            client.flush().unwrap();
            drop(client);
            server.stop();
            let server = Server::start(folder.path(), image, format, tcp, &["-r"]);
            let client = server.open(Access::ReadOnly).unwrap();
            let mut found = vec![1; SIZE as usize];
            client.read_at(0, &mut found).unwrap();
            assert!(found == model, "{format} tcp {tcp}");
            let hole = client.extents(MIB, 8 * MIB).unwrap();
            assert!(
                hole.len() == 1 && hole[0].zero && hole[0].hole,
                "{format}: {hole:?}"
            );
            drop(client);
            if *format == "raw" && !tcp {
                // The middle half was written with zeros; what was a hole since may count, what was data must not.
                let after = std::fs::metadata(image).unwrap().blocks();
                assert!(after < blocks + SIZE / 512, "{blocks} {after}");
                assert!(
                    after * 512 <= SIZE - 8 * MIB + 64 * 1024,
                    "nothing was punched: {after}"
                );
            }
        }
    }
}

#[test]
fn a_dirty_bitmap_tells_what_changed() {
    if !tools("a_dirty_bitmap_tells_what_changed") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let image_name = image.to_str().unwrap();
    call("qemu-img", &["create", "-f", "qcow2", image_name, "64M"]);
    call("qemu-io", &["-f", "qcow2", "-c", "write -P 1 0 16M", image_name]);
    call(
        "qemu-img",
        &[
            "bitmap", "--add", "-g", "65536", "-f", "qcow2", image_name, "since",
        ],
    );
    call(
        "qemu-io",
        &[
            "-f",
            "qcow2",
            "-c",
            "write -P 2 4M 1M",
            "-c",
            "write -P 3 20M 128k",
            image_name,
        ],
    );
    let server = Server::start(folder.path(), &image, "qcow2", false, &["-r", "-B", "since"]);
    let options = |name: &str| Options {
        bitmap: Some(name.into()),
        ..Options::default()
    };
    let client = Client::connect_with(&server.address, &options("since")).unwrap();
    let told: Vec<_> = client
        .dirty(0, SIZE)
        .unwrap()
        .iter()
        .map(|run| (run.length, run.dirty))
        .collect();
    assert_eq!(
        told,
        [
            (4 * MIB, false),
            (MIB, true),
            (15 * MIB, false),
            (128 << 10, true),
            (SIZE - 20 * MIB - (128 << 10), false)
        ]
    );
    // Both contexts come with each reply and do not mix.
    assert!(!client.extents(0, SIZE).unwrap()[0].zero);
    let error = Client::connect_with(&server.address, &options("other")).unwrap_err();
    assert_eq!(error.code(), "nbd-refused", "{error}");
}

#[test]
fn an_export_that_is_not_there_is_refused_in_the_servers_words() {
    if !tools("an_export_that_is_not_there_is_refused_in_the_servers_words") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (image, _) = sparse(folder.path());
    let server = Server::start(folder.path(), &image, "raw", true, &["-r"]);
    let other: Address = server
        .address
        .to_string()
        .replace("volume", "other")
        .parse()
        .unwrap();
    let error = Client::connect(&other, Access::ReadOnly, Duration::from_secs(5)).unwrap_err();
    assert_eq!(error.code(), "nbd-refused");
    assert!(error.to_string().contains("other"), "{error}");
}

#[test]
fn a_server_that_dies_or_freezes_in_the_middle_of_reads_is_an_error() {
    if !tools("a_server_that_dies_or_freezes_in_the_middle_of_reads_is_an_error") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (image, _) = sparse(folder.path());
    for (tcp, freezes) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut server = Server::start(folder.path(), &image, "raw", tcp, &["-r"]);
        let timeout = Duration::from_millis(700);
        let client = Client::connect(&server.address, Access::ReadOnly, timeout).unwrap();
        let (ended, errors) = std::thread::scope(|scope| {
            let readers: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut buffer = vec![0; 4 * MIB as usize];
                        loop {
                            if let Err(error) = client.read_at(fastrand::u64(..SIZE - 4 * MIB), &mut buffer) {
                                return (error, Instant::now());
                            }
                        }
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(200));
            let began = Instant::now();
            if freezes {
                let id = rustix::process::Pid::from_child(&server.child);
                rustix::process::kill_process(id, rustix::process::Signal::STOP).unwrap();
            } else {
                server.child.kill().unwrap();
            }
            let ends: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
            let last = ends.iter().map(|end| end.1).max().unwrap();
            (last - began, ends)
        });
        // A read of 4 MiB may also take the time of the slowest allowed server, but not one that is silent.
        assert!(ended < Duration::from_secs(5), "{ended:?}");
        for (error, _) in errors {
            let code = error.code();
            let fits = if freezes {
                code == "nbd-timeout"
            } else {
                code == "nbd-lost"
            };
            assert!(fits, "tcp {tcp} freezes {freezes}: {error}");
        }
        let began = Instant::now();
        client.read_at(0, &mut [0; 512]).unwrap_err();
        assert!(began.elapsed() < Duration::from_millis(100));
    }
}
