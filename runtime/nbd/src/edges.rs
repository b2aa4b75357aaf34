//! Requests of any offset and length, for servers that take only whole blocks.
//!
//! The middle goes as it is. A part of a block at either end goes through a block of memory; for a write the
//! block is read first, which the caller keeps other such writes away from. Most servers have a minimum block of one
//! byte, and then there are no edges.

use super::connection::Connection;
use super::error::NbdError;
use super::link::Patience;

/// Lengths of the part before the first whole block, of the whole blocks, and of the part behind them.
fn split(offset: u64, length: u64, block: u64) -> (u64, u64, u64) {
    let head = match offset.checked_rem(block) {
        None | Some(0) => 0,
        Some(over) => length.min(block - over),
    };
    let tail = (length - head).checked_rem(block).unwrap_or(0);
    (head, length - head - tail, tail)
}

impl<S: Patience> Connection<S> {
    /// Fills the buffer from any byte on, within the export.
    pub(super) fn read_any(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), NbdError> {
        let (head, middle, _) = split(offset, buffer.len() as u64, self.block());
        let (first, rest) = buffer.split_at_mut_checked(place(head)?).ok_or_else(lost_count)?;
        let (whole, last) = rest.split_at_mut_checked(place(middle)?).ok_or_else(lost_count)?;
        self.read_part(offset, first)?;
        self.read(offset + head, whole)?;
        self.read_part(offset + head + middle, last)
    }

    /// Writes from any byte on, within the export.
    pub(super) fn write_any(&mut self, offset: u64, data: &[u8]) -> Result<(), NbdError> {
        let (head, middle, _) = split(offset, data.len() as u64, self.block());
        let (first, rest) = data.split_at_checked(place(head)?).ok_or_else(lost_count)?;
        let (whole, last) = rest.split_at_checked(place(middle)?).ok_or_else(lost_count)?;
        self.write_part(offset, first)?;
        self.write(offset + head, whole)?;
        self.write_part(offset + head + middle, last)
    }

    /// Zeros from any byte on, within the export. `zeros` is what to write to a server that makes none.
    pub(super) fn zero_any(&mut self, offset: u64, length: u64, zeros: &[u8]) -> Result<(), NbdError> {
        let (head, middle, tail) = split(offset, length, self.block());
        self.write_part(offset, zeros.get(..place(head)?).ok_or_else(lost_count)?)?;
        if !self.write_zeroes(offset + head, middle)? {
            let mut left = middle;
            while left > 0 {
                let some = zeros.get(..place(left)?).unwrap_or(zeros);
                self.write(offset + head + (middle - left), some)?;
                left -= some.len() as u64;
            }
        }
        self.write_part(
            offset + head + middle,
            zeros.get(..place(tail)?).ok_or_else(lost_count)?,
        )
    }

    fn read_part(&mut self, offset: u64, part: &mut [u8]) -> Result<(), NbdError> {
        if part.is_empty() {
            return Ok(());
        }
        let (_, block, within) = self.block_around(offset, part.len())?;
        part.copy_from_slice(block.get(within).ok_or_else(lost_count)?);
        Ok(())
    }

    fn write_part(&mut self, offset: u64, part: &[u8]) -> Result<(), NbdError> {
        if part.is_empty() {
            return Ok(());
        }
        let (start, mut block, within) = self.block_around(offset, part.len())?;
        block
            .get_mut(within)
            .ok_or_else(lost_count)?
            .copy_from_slice(part);
        self.write(start, &block)
    }

    /// The block that has these bytes: where it starts, what is in it, and where in it they are.
    fn block_around(
        &mut self,
        offset: u64,
        length: usize,
    ) -> Result<(u64, Vec<u8>, std::ops::Range<usize>), NbdError> {
        let within = offset.checked_rem(self.block()).unwrap_or(0);
        let mut block = vec![0; place(self.block())?];
        self.read(offset - within, &mut block)?;
        let from = place(within)?;
        Ok((offset - within, block, from..from + length))
    }

    fn block(&self) -> u64 {
        u64::from(self.export().minimum)
    }
}

fn place(at: u64) -> Result<usize, NbdError> {
    usize::try_from(at).map_err(|_| lost_count())
}

/// Cannot be, and must not be a panic.
fn lost_count() -> NbdError {
    NbdError::protocol("a request was cut wrongly")
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn requests_are_cut_at_blocks() {
        assert_eq!(split(0, 1024, 512), (0, 1024, 0));
        assert_eq!(split(7, 1024, 1), (0, 1024, 0));
        assert_eq!(split(500, 10, 512), (10, 0, 0));
        assert_eq!(split(500, 13, 512), (12, 0, 1));
        assert_eq!(split(500, 1524, 512), (12, 1024, 488));
        assert_eq!(split(512, 100, 512), (0, 0, 100));
        assert_eq!(split(100, 0, 512), (0, 0, 0));
    }
}
