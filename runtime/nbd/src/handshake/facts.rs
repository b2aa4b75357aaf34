//! What a server says of an export, collected and checked.

use super::super::error::NbdError;
use super::super::wire::*;
use super::{DEFAULT_MAXIMUM, Export, LARGEST_MINIMUM, Wanted};

/// The metadata contexts that the server grants.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    allocation: Option<u32>,
    bitmap: Option<u32>,
}

impl Contexts {
    /// The names to ask for; the allocation is always the first.
    pub(super) fn names(&self, wanted: &Wanted) -> Vec<String> {
        let mut names = vec![BASE_ALLOCATION.to_owned()];
        names.extend(wanted.bitmap.as_ref().map(|name| format!("{DIRTY_BITMAP}{name}")));
        names
    }

    /// One granted context, which must be one of `names`, and only once.
    pub(super) fn take(&mut self, kind: u32, payload: &[u8], names: &[&str]) -> Result<(), NbdError> {
        if kind != REP_META_CONTEXT {
            return Err(NbdError::protocol(
                "a metadata context was asked for, and something else came",
            ));
        }
        let mut fields = Fields::new(payload);
        let id = fields.u32()?;
        let place = match names.iter().position(|name| name.as_bytes() == fields.rest()) {
            Some(0) => &mut self.allocation,
            Some(_) => &mut self.bitmap,
            None => return Err(NbdError::protocol("a metadata context that nobody asked for")),
        };
        if place.replace(id).is_some() {
            return Err(NbdError::protocol("a metadata context is granted twice"));
        }
        if self.allocation == self.bitmap {
            return Err(NbdError::protocol("two metadata contexts have the same number"));
        }
        Ok(())
    }
}

/// The export's facts as they come, in any order.
#[derive(Debug, Default)]
pub(super) struct Facts {
    export: Option<(u64, u16)>,
    blocks: Option<(u32, u32, u32)>,
}

impl Facts {
    pub(super) fn take(&mut self, kind: u32, payload: &[u8]) -> Result<(), NbdError> {
        if kind != REP_INFO {
            return Err(NbdError::protocol(
                "the export was asked for, and something else came",
            ));
        }
        let mut fields = Fields::new(payload);
        let again = match fields.u16()? {
            INFO_EXPORT => {
                let fact = (fields.u64()?, fields.u16()?);
                fields.end()?;
                self.export.replace(fact).is_some()
            }
            INFO_BLOCK_SIZE => {
                let fact = (fields.u32()?, fields.u32()?, fields.u32()?);
                fields.end()?;
                self.blocks.replace(fact).is_some()
            }
            // Names, descriptions, and what is not known, as the protocol wants it.
            _ => false,
        };
        if again {
            return Err(NbdError::protocol("a fact of the export is told twice"));
        }
        Ok(())
    }

    /// The export, if its facts fit together.
    pub(super) fn export(&self, structured: bool, contexts: &Contexts) -> Result<Export, NbdError> {
        let (size, flags) = self
            .export
            .ok_or_else(|| NbdError::protocol("the export's size is not told"))?;
        if size > i64::MAX.unsigned_abs() {
            return Err(NbdError::protocol(format!("an export of {size} bytes cannot be")));
        }
        if flags & HAS_FLAGS == 0 {
            return Err(NbdError::protocol("the export's flags are not marked as such"));
        }
        let (minimum, preferred, maximum) = match self.blocks {
            Some(told) => told,
            // By the protocol a server that tells none takes any alignment.
            None => (1, 4096, DEFAULT_MAXIMUM),
        };
        let fit = minimum.is_power_of_two()
            && minimum <= LARGEST_MINIMUM
            && preferred.is_power_of_two()
            && preferred >= minimum
            && maximum >= minimum
            && (maximum == u32::MAX || maximum.is_multiple_of(minimum));
        if !fit {
            return Err(NbdError::protocol(format!(
                "block sizes of {minimum}, {preferred} and {maximum} bytes do not fit together"
            )));
        }
        if !size.is_multiple_of(minimum.into()) {
            return Err(NbdError::protocol(format!(
                "{size} bytes are no multiple of the minimum block of {minimum} bytes, so the last could not be reached"
            )));
        }
        let maximum = maximum.min(DEFAULT_MAXIMUM);
        Ok(Export {
            size,
            flags,
            minimum,
            preferred,
            maximum,
            structured,
            allocation: contexts.allocation,
            bitmap: contexts.bitmap,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(size: u64, flags: u16, blocks: Option<(u32, u32, u32)>) -> Result<Export, NbdError> {
        Facts {
            export: Some((size, flags)),
            blocks,
        }
        .export(true, &Contexts::default())
    }

    #[test]
    fn block_sizes_that_do_not_fit_are_refused() {
        assert_eq!(facts(1 << 20, 1, Some((1, 4096, 32 << 20))).unwrap().minimum, 1);
        let export = facts(1 << 20, 1, Some((4096, 4096, u32::MAX))).unwrap();
        assert_eq!(export.maximum, 32 << 20);
        assert_eq!(facts(1001, 1, None).unwrap().minimum, 1);
        for blocks in [
            (0, 4096, 1 << 20),
            (3, 4096, 1 << 20),
            (1 << 17, 1 << 17, 1 << 20),
            (512, 0, 1 << 20),
            (512, 256, 1 << 20),
            (512, 4096, 0),
            (512, 4096, 1000),
            (4096, 4096, 512),
        ] {
            assert_eq!(
                facts(1 << 20, 1, Some(blocks)).unwrap_err().code(),
                "nbd-protocol",
                "{blocks:?}"
            );
        }
        facts(u64::MAX, 1, None).unwrap_err();
        facts(1 << 20, 0, None).unwrap_err();
        facts(1001, 1, Some((512, 4096, 1 << 20))).unwrap_err();
        Facts::default().export(true, &Contexts::default()).unwrap_err();
    }
}
