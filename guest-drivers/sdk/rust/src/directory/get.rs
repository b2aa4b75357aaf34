//! Reading an object, or a range of it, into a sink without letting its bytes into the guest.

use wasip2::filesystem::types::{Descriptor, DescriptorFlags, DescriptorType, OpenFlags, PathFlags};

use super::failure::attempt;
use super::{Directory, not_an_object, shown};
use crate::{ByteRange, Error, OutputStream, names, pipe};

impl Directory {
    /// Writes the object, or the range of it, to the sink; says how many bytes. A range is cut at the object's
    /// end; one that begins past it gives 0 bytes.
    pub fn read(
        &self,
        folder: &str,
        name: &str,
        range: Option<ByteRange>,
        sink: &OutputStream,
    ) -> Result<u64, Error> {
        names::check_object(name)?;
        let file = open(&self.folder(folder)?, folder, name)?;
        let size = attempt(file.stat(), || format!("look at {}", shown(folder, name)))?.size;
        let (offset, length) = cut(range, size);
        if length == 0 {
            return Ok(0);
        }
        let source = attempt(file.read_via_stream(offset), || {
            format!("read {}", shown(folder, name))
        })?;
        pipe::fetch(&source, sink, length)
    }
}

/// Opens a plain file for reading. Looked at first, because opening a named pipe would wait for its writer.
pub(super) fn open(parent: &Descriptor, folder: &str, name: &str) -> Result<Descriptor, Error> {
    let stat = attempt(parent.stat_at(PathFlags::empty(), name), || {
        format!("look at {}", shown(folder, name))
    })?;
    if stat.type_ != DescriptorType::RegularFile {
        return Err(not_an_object(folder, name));
    }
    let file = parent.open_at(
        PathFlags::empty(),
        name,
        OpenFlags::empty(),
        DescriptorFlags::READ,
    );
    attempt(file, || format!("open {}", shown(folder, name)))
}

/// Offset and length of what there is of the range in an object of `size` bytes.
fn cut(range: Option<ByteRange>, size: u64) -> (u64, u64) {
    let (offset, wanted) = range.map_or((0, None), |range| (range.offset, range.length));
    let there = size.saturating_sub(offset);
    (offset, wanted.map_or(there, |wanted| wanted.min(there)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_the_objects_end() {
        let range = |offset, length| Some(ByteRange { offset, length });
        assert_eq!(cut(None, 10), (0, 10));
        assert_eq!(cut(range(4, Some(3)), 10), (4, 3));
        assert_eq!(cut(range(4, None), 10), (4, 6));
        assert_eq!(cut(range(4, Some(100)), 10), (4, 6));
        assert_eq!(cut(range(10, None), 10), (10, 0));
        assert_eq!(cut(range(11, Some(1)), 10), (11, 0));
        assert_eq!(cut(range(0, Some(0)), 10), (0, 0));
        assert_eq!(cut(range(u64::MAX, Some(u64::MAX)), 10), (u64::MAX, 0));
        assert_eq!(cut(range(1, Some(u64::MAX)), 10), (1, 9));
    }
}
