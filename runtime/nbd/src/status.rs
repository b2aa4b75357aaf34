//! Block status as it comes: runs of bytes, checked before they are used.
//!
//! A reply has at most 128 Ki runs, which is 1 MiB on the wire and 2 MiB here. Each is at least one byte and
//! a multiple of the minimum block, so that the next question is one that the server takes.

use super::error::NbdError;
use super::link::{Link, Patience};
use super::wire::Fields;

/// Block descriptors in one reply; qemu sends 128 Ki at most.
const MOST_DESCRIPTORS: usize = 128 << 10;

/// A run of bytes with the same status, as the server tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) length: u64,
    pub(super) flags: u32,
}

/// Reads the payload of a block status chunk.
pub(super) fn read_status<S: Patience>(
    link: &mut Link<S>,
    length: u32,
    asked: u64,
    minimum: u32,
) -> Result<(u32, Vec<Descriptor>), NbdError> {
    let payload = link.payload(length, 4 + 8 * MOST_DESCRIPTORS)?;
    parse_status(&payload, asked, minimum)
}

/// The context's number and its runs from the request's offset on; together not more than was asked for. Only the last
/// may reach beyond it, which the protocol allows, and is cut.
pub(super) fn parse_status(
    payload: &[u8],
    asked: u64,
    minimum: u32,
) -> Result<(u32, Vec<Descriptor>), NbdError> {
    let mut fields = Fields::new(payload);
    let context = fields.u32()?;
    let mut runs = Vec::with_capacity(fields.rest().len() / 8);
    let mut left = asked;
    while !fields.rest().is_empty() {
        let (length, flags) = (fields.u32()?, fields.u32()?);
        if left == 0 {
            return Err(NbdError::protocol("a block status tells more than was asked for"));
        }
        if length == 0 || !length.is_multiple_of(minimum) {
            return Err(NbdError::protocol(format!("a block status of {length} bytes")));
        }
        let length = u64::from(length).min(left);
        left -= length;
        runs.push(Descriptor { length, flags });
    }
    if runs.is_empty() {
        return Err(NbdError::protocol("a block status that tells nothing"));
    }
    Ok((context, runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(context: u32, runs: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = context.to_be_bytes().to_vec();
        for (length, flags) in runs {
            bytes.extend(length.to_be_bytes());
            bytes.extend(flags.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn block_status_is_cut_at_its_end_and_never_empty() {
        let (context, runs) = parse_status(&status(7, &[(512, 0), (4096, 3)]), 1024, 512).unwrap();
        assert_eq!(context, 7);
        let lengths: Vec<_> = runs.iter().map(|run| (run.length, run.flags)).collect();
        assert_eq!(lengths, [(512, 0), (512, 3)]);
        for runs in [
            &[][..],
            &[(0, 0)],
            &[(512, 0), (0, 0)],
            &[(1024, 0), (1, 0)],
            &[(2048, 0), (512, 0)],
            &[(100, 0)],
        ] {
            parse_status(&status(7, runs), 1024, 512).unwrap_err();
        }
        parse_status(&[], 1024, 1).unwrap_err();
        parse_status(&[0; 3], 1024, 1).unwrap_err();
        parse_status(&[1; 15], 1 << 40, 1).unwrap_err();
    }
}
