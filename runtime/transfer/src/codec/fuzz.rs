//! The decoder's door for a fuzzer: any bytes as a compressed object of any declared length, whole and in pieces.

use bytes::Bytes;

use super::{Decoder, Fault, Format};

/// Bytes of content after which nobody takes more, so that a bomb costs little here.
const ENOUGH: usize = 2 << 20;

/// Why decoding ended early.
enum End {
    Fault,
    Enough,
}

impl From<Fault> for End {
    fn from(_: Fault) -> Self {
        End::Fault
    }
}

/// A byte is the format, one the length of the pieces, eight the declared length, the others the object.
pub fn decoder(data: &[u8]) {
    let Some(([format, piece, length @ ..], object)) = data.split_first_chunk::<10>() else {
        return;
    };
    let format = match format % 4 {
        0 => Format::None,
        1 => Format::Zlib,
        2 => Format::Zstd,
        _ => Format::Bz2,
    };
    let length = u64::from_le_bytes(*length);
    let whole = decode(format, length, [object].into_iter());
    let pieces = decode(format, length, object.chunks(usize::from(*piece) + 1));
    // However it comes, it is the same.
    assert_eq!(whole, pieces);
}

/// The content, if it is sound.
fn decode<'a>(format: Format, length: u64, pieces: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let mut emit = |bytes: Bytes| {
        content.extend_from_slice(&bytes);
        assert!(content.len() as u64 <= length, "more than was declared");
        if content.len() < ENOUGH {
            Ok(())
        } else {
            Err(End::Enough)
        }
    };
    let decode = || {
        let mut decoder = Decoder::new(format, length)?;
        for piece in pieces {
            decoder.push(Bytes::copy_from_slice(piece), &mut emit)?;
        }
        decoder.finish(&mut emit)
    };
    match decode() {
        Ok(()) => {
            assert_eq!(content.len() as u64, length);
            Some(content)
        }
        Err(End::Enough) => Some(content),
        Err(End::Fault) => None,
    }
}
