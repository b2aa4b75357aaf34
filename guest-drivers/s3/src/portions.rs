//! In what portions a volume is stored. Pure.

use cofferdam_driver::{Error, Settings};

pub(crate) const OBJECT_SIZE: &str = "backup_s3_object_size";
pub(crate) const BLOCK_SIZE: &str = "backup_s3_block_size";
/// Cinder's default of `backup_s3_object_size`.
pub(crate) const DEFAULT_OBJECT_SIZE: u64 = 52_428_800;
/// Cinder's default of `backup_s3_block_size`.
pub(crate) const DEFAULT_BLOCK_SIZE: u64 = 32768;
/// The greatest object that S3 holds: 5 TiB.
pub(crate) const GREATEST_OBJECT: u64 = 5 << 40;

/// Bytes of volume per object and per SHA-256.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Portions {
    pub(crate) object_size: u64,
    pub(crate) block_size: u32,
}

impl Portions {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Error> {
        let block = settings.size(BLOCK_SIZE)?.unwrap_or(DEFAULT_BLOCK_SIZE);
        let object_size = settings.size(OBJECT_SIZE)?.unwrap_or(DEFAULT_OBJECT_SIZE);
        let block_size = u32::try_from(block)
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| {
                Error::invalid_configuration(
                    BLOCK_SIZE,
                    format!("expected 1 to 4294967295 bytes, found {block}"),
                )
            })?;
        if object_size == 0 || object_size > GREATEST_OBJECT || !object_size.is_multiple_of(block) {
            return Err(Error::invalid_configuration(
                OBJECT_SIZE,
                format!(
                    "expected a positive multiple of {BLOCK_SIZE} ({block}), at most 5 TiB, found {object_size}"
                ),
            ));
        }
        Ok(Self {
            object_size,
            block_size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_driver::{Setting, SettingValue};

    fn portions(values: &[(&str, i64)]) -> Result<Portions, Error> {
        let setting = |(name, value): &(&str, i64)| Setting {
            name: (*name).to_owned(),
            value: SettingValue::Integer(*value),
        };
        Portions::from_settings(&Settings::new(values.iter().map(setting).collect()))
    }

    #[test]
    fn cinders_defaults_hold_and_an_object_is_a_positive_multiple_of_the_block() {
        let default = portions(&[]).unwrap();
        assert_eq!((default.object_size, default.block_size), (52_428_800, 32768));
        portions(&[(OBJECT_SIZE, 8192), (BLOCK_SIZE, 4096)]).unwrap();
        for (object, block) in [
            (0, 1),
            (4097, 4096),
            (100, 0),
            (1 << 40, 1 << 32),
            (6 << 40, 4096),
            (-1, 1),
        ] {
            portions(&[(OBJECT_SIZE, object), (BLOCK_SIZE, block)]).unwrap_err();
        }
    }
}
