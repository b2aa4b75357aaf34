//! Reading replies, without any socket.

use super::*;

#[test]
fn a_read_is_covered_exactly_once_in_any_order() {
    let mut coverage = Coverage::new(1000, 100);
    assert_eq!(coverage.add(1050, 50).unwrap(), 50..100);
    assert_eq!(coverage.add(1000, 10).unwrap(), 0..10);
    assert!(!coverage.is_full());
    for (offset, length) in [
        (999, 1),
        (1000, 1),
        (1009, 2),
        (1005, 50),
        (1049, 2),
        (1099, 1),
        (1050, 50),
        (1000, 100),
        (1100, 1),
        (1020, 0),
        (0, u64::MAX),
        (u64::MAX, 1),
        (1010, u64::MAX),
    ] {
        assert_eq!(
            coverage.add(offset, length).unwrap_err().code(),
            "nbd-protocol",
            "{offset} {length}"
        );
    }
    coverage.add(1010, 40).unwrap();
    assert!(coverage.is_full());
}

#[test]
fn random_chunks_are_taken_as_a_plain_list_of_bytes_would() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..2000 {
        let (start, length) = (random.u64(0..50), random.u64(1..60));
        let mut coverage = Coverage::new(start, length);
        let mut bytes = [false; 200];
        for _ in 0..random.usize(1..40) {
            let (offset, count) = (random.u64(0..120), random.u64(0..12));
            let span = bytes.get_mut(offset as usize..(offset + count) as usize).unwrap();
            let good = count > 0
                && offset >= start
                && offset + count <= start + length
                && span.iter().all(|there| !there);
            assert_eq!(coverage.add(offset, count).is_ok(), good);
            if good {
                span.fill(true);
            }
        }
        let full = (start..start + length).all(|at| bytes[at as usize]);
        assert_eq!(coverage.is_full(), full);
    }
}

#[test]
fn error_chunks_are_read_only_when_they_are_sound() {
    let chunk = |error: u32, words: u16, text: &str, offset: Option<u64>| {
        let mut bytes = error.to_be_bytes().to_vec();
        bytes.extend(words.to_be_bytes());
        bytes.extend(text.bytes());
        bytes.extend(offset.into_iter().flat_map(u64::to_be_bytes));
        bytes
    };
    let range = (4096, 512);
    let good = Failure::parse(REPLY_ERROR + 1, &chunk(28, 4, "full", None), range).unwrap();
    assert_eq!((good.errno, good.message.as_str()), (NbdErrno::NoSpace, "full"));
    Failure::parse(REPLY_ERROR_OFFSET, &chunk(5, 0, "", Some(4096)), range).unwrap();
    Failure::parse(REPLY_ERROR + 99, &chunk(5, 0, "more", None), range).unwrap();
    Failure::parse(REPLY_ERROR + 1, &chunk(0, 0, "", None), range).unwrap_err();
    Failure::parse(REPLY_ERROR + 1, &chunk(5, 9, "short", None), range).unwrap_err();
    Failure::parse(REPLY_ERROR + 1, &[0; 5], range).unwrap_err();
    Failure::parse(REPLY_ERROR_OFFSET, &chunk(5, 0, "", None), range).unwrap_err();
    for offset in [0, 4095, 4608, u64::MAX] {
        Failure::parse(REPLY_ERROR_OFFSET, &chunk(5, 0, "", Some(offset)), range).unwrap_err();
    }
}
