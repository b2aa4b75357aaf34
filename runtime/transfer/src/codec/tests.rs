//! Streams in both directions, cut anywhere, flipped anywhere, and bombs.

use super::*;
use crate::control::Resources;
use bytes::Bytes;

const FORMATS: [Format; 4] = [Format::None, Format::Zlib, Format::Zstd, Format::Bz2];

fn pack(format: Format, data: &[u8], piece: usize) -> Vec<u8> {
    let mut encoder = Encoder::new(
        Effort::new(format, 1, data.len() as u64, &Resources::default()),
        data.len() as u64,
    )
    .unwrap();
    let mut out = Vec::new();
    for part in data.chunks(piece.max(1)) {
        encoder.push(part).unwrap();
        if let Some(bytes) = encoder.take(1) {
            out.extend_from_slice(&bytes);
        }
    }
    out.extend_from_slice(&encoder.finish().unwrap());
    out
}

fn unpack(format: Format, packed: &[u8], length: u64, piece: usize) -> Result<Vec<u8>, Fault> {
    let mut decoder = Decoder::new(format, length)?;
    let mut out = Vec::new();
    let mut emit = |bytes: Bytes| {
        out.extend_from_slice(&bytes);
        Ok::<(), Fault>(())
    };
    for part in packed.chunks(piece) {
        decoder.push(Bytes::copy_from_slice(part), &mut emit)?;
    }
    decoder.finish(&mut emit)?;
    Ok(out)
}

fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|i| ((i * i) >> 7) as u8 & 0x3f).collect()
}

#[test]
fn what_is_packed_unpacks_whatever_the_pieces() {
    for format in FORMATS {
        for length in [
            1,
            2,
            100,
            4096,
            70_000,
            (1 << 20) - 1,
            1 << 20,
            (1 << 20) + 1,
            3_000_000,
        ] {
            let data = sample(length);
            let packed = pack(format, &data, 65_536);
            for piece in [1000, usize::MAX] {
                assert_eq!(
                    unpack(format, &packed, length as u64, piece).unwrap(),
                    data,
                    "{format:?} {length}"
                );
            }
        }
        let data = sample(300);
        assert_eq!(unpack(format, &pack(format, &data, 1), 300, 1).unwrap(), data);
    }
}

#[test]
fn the_reference_streams_are_read_and_ours_begin_as_they_do() {
    let data = [b'A'; 4096];
    for (format, stream) in [
        (Format::Zstd, "28b52ffd60000f4d00001041410100fbf70116"),
        (
            Format::Zlib,
            "789cedc1010d000000c2a06cef5fca1e0e28000000e0dd00ffad103d",
        ),
        (
            Format::Bz2,
            "425a6839314159265359cd16162d00000a4400800420000008200030cc05536a620a03c5dc914e14243345858b40",
        ),
    ] {
        assert_eq!(
            unpack(format, &hex::decode(stream).unwrap(), 4096, 7).unwrap(),
            data
        );
    }
    assert_eq!(
        hex::encode(pack(Format::Zlib, &data, 4096)).get(..4),
        Some("789c")
    );
    assert!(pack(Format::Bz2, &data, 4096).starts_with(b"BZh9"));
    let frame = pack(Format::Zstd, &data, 100);
    assert_eq!(
        zstd::zstd_safe::get_frame_content_size(&frame).unwrap(),
        Some(4096)
    );
    assert_eq!(frame[4] & 4, 0, "the frame says that a checksum follows");
}

#[test]
fn every_cut_is_noticed_and_so_is_everything_that_follows() {
    let data = sample(5000);
    for format in FORMATS {
        let packed = pack(format, &data, 5000);
        for cut in 0..packed.len() {
            let got = unpack(format, &packed[..cut], 5000, usize::MAX);
            assert!(
                matches!(got, Err(Fault::Truncated(_))),
                "{format:?} cut at {cut}: {got:?}"
            );
        }
        let mut longer = packed.clone();
        longer.push(0);
        assert!(
            matches!(unpack(format, &longer, 5000, usize::MAX), Err(Fault::TooLong(_))),
            "{format:?}"
        );
        assert!(
            matches!(unpack(format, &longer, 5000, 1), Err(Fault::TooLong(_))),
            "{format:?}"
        );
        let twice = [packed.clone(), packed].concat();
        // Streams of bzip2 may follow one another, as long as content is missing.
        let may_follow = matches!(format, Format::None | Format::Bz2);
        match unpack(format, &twice, 10_000, usize::MAX) {
            Ok(bytes) => assert!(may_follow && bytes == [data.clone(), data.clone()].concat()),
            Err(_) => assert!(!may_follow, "{format:?}"),
        }
        assert!(
            matches!(unpack(format, &twice, 5000, 77), Err(Fault::TooLong(_))),
            "{format:?}"
        );
    }
}

#[test]
fn a_bomb_is_stopped_at_the_declared_length() {
    let data = vec![0; 64 << 20];
    for format in [Format::Zlib, Format::Zstd, Format::Bz2] {
        let packed = pack(format, &data, 1 << 20);
        assert!(packed.len() < 100_000);
        for declared in [1, 100, 4 << 20] {
            let mut given = 0;
            let mut decoder = Decoder::new(format, declared).unwrap();
            let result: Result<(), Fault> = decoder.push(Bytes::from(packed.clone()), &mut |piece: Bytes| {
                given += piece.len() as u64;
                Ok(())
            });
            assert!(
                matches!(result, Err(Fault::TooLong(_))),
                "{format:?} {declared}: {result:?}"
            );
            assert!(given <= declared);
        }
    }
}

#[test]
fn names_are_taken_in_any_case_and_written_in_lower_case() {
    for name in ["none", "off", "no", "zlib", "gzip", "bz2", "bzip2", "zstd"] {
        assert_eq!(name.to_uppercase().parse::<Tag>().unwrap().text(), name);
    }
    assert_eq!("gzip".parse::<Tag>().unwrap().format(), Format::Zlib);
    assert_eq!(
        "lz4".parse::<Tag>().unwrap_err().code(),
        "unsupported-compression"
    );
    assert_eq!("".parse::<Tag>().unwrap_err().code(), "unsupported-compression");
}
