//! Where a new backup goes and in what portions, as most drivers need it. Pure.
//!
//! Source: Cinder's chunked drivers, whose objects are named by `_generate_object_name_prefix` and are whole numbers of SHA-256
//! blocks.

use crate::{BackupIdentity, Error, OptionInfo, OptionKind, Placement, Settings, names};

/// Cinder's default of `backup_sha_block_size_bytes`.
pub const DEFAULT_BLOCK_SIZE: u32 = 32768;

/// In what portions a volume is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portions {
    object_size: u64,
    block_size: u32,
}

/// The names of the two options that decide on portions, and the default of the first.
#[derive(Debug, Clone, Copy)]
pub struct PortionOptions {
    /// Bytes of volume in one object.
    pub object_size: &'static str,
    /// What is assumed when that option is absent: a multiple of 32768.
    pub default_object_size: u64,
    /// Bytes of volume for which one SHA-256 is kept.
    pub block_size: &'static str,
}

impl PortionOptions {
    /// What `describe` says of them.
    pub fn describe(&self) -> [OptionInfo; 2] {
        [
            OptionInfo::optional(
                self.object_size,
                OptionKind::Size,
                self.default_object_size.to_string(),
                &format!(
                    "Bytes of volume in one object: a positive multiple of {}.",
                    self.block_size
                ),
            ),
            OptionInfo::optional(
                self.block_size,
                OptionKind::Size,
                DEFAULT_BLOCK_SIZE.to_string(),
                "Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295.",
            ),
        ]
    }

    /// What the settings say; an error names the option.
    pub fn read(&self, settings: &Settings) -> Result<Portions, Error> {
        let block_size = settings.size(self.block_size)?;
        let object_size = settings.size(self.object_size)?;
        self.portions(object_size, block_size.unwrap_or(u64::from(DEFAULT_BLOCK_SIZE)))
    }

    fn portions(&self, object_size: Option<u64>, block_size: u64) -> Result<Portions, Error> {
        let block_size = u32::try_from(block_size)
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| {
                Error::invalid_configuration(
                    self.block_size,
                    format!("expected 1 to 4294967295 bytes, found {block_size}"),
                )
            })?;
        let fits = |object_size: u64| object_size > 0 && object_size.is_multiple_of(u64::from(block_size));
        let object_size = match object_size {
            Some(object_size) if fits(object_size) => object_size,
            None if fits(self.default_object_size) => self.default_object_size,
            Some(found) => {
                return Err(Error::invalid_configuration(
                    self.object_size,
                    format!(
                        "expected a positive multiple of {} ({block_size}), found {found}",
                        self.block_size
                    ),
                ));
            }
            // Who wrote the one option is told of that one.
            None => {
                return Err(Error::invalid_configuration(
                    self.block_size,
                    format!(
                        "{block_size} does not divide the default of {} ({}): set that, too",
                        self.object_size, self.default_object_size
                    ),
                ));
            }
        };
        Ok(Portions {
            object_size,
            block_size,
        })
    }
}

impl Portions {
    /// The place of a backup in a container, under the prefix of [`prefix`].
    pub fn place(&self, backup: &BackupIdentity, container: String) -> Result<Placement, Error> {
        Ok(Placement {
            container,
            prefix: prefix(backup)?,
            object_size: self.object_size,
            block_size: self.block_size,
        })
    }
}

/// `volume_<volume id>_<timestamp>_backup_<backup id>`, which holds no `/`: what Cinder's posix driver calls a backup.
pub fn prefix(backup: &BackupIdentity) -> Result<String, Error> {
    let prefix = format!(
        "volume_{}_{}_backup_{}",
        backup.volume_id, backup.timestamp, backup.backup_id
    );
    names::check_object(&prefix)?;
    Ok(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Setting, SettingValue};

    const OPTIONS: PortionOptions = PortionOptions {
        object_size: "x_file_size",
        default_object_size: 1_999_994_880,
        block_size: "x_block_size",
    };

    fn backup(id: &str) -> BackupIdentity {
        BackupIdentity {
            backup_id: id.to_owned(),
            volume_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            timestamp: "20240102030405".to_owned(),
            availability_zone: "nova".to_owned(),
        }
    }

    fn read(settings: &[(&str, i64)]) -> Result<Portions, Error> {
        let setting = |(name, value): &(&str, i64)| Setting {
            name: (*name).to_owned(),
            value: SettingValue::Integer(*value),
        };
        OPTIONS.read(&Settings::new(settings.iter().map(setting).collect()))
    }

    #[test]
    fn a_backup_is_named_as_cinder_names_it() {
        let placed = read(&[]).unwrap().place(&backup("abc"), "c".to_owned()).unwrap();
        assert_eq!(
            placed.prefix,
            "volume_11111111-2222-3333-4444-555555555555_20240102030405_backup_abc"
        );
        assert_eq!(
            (placed.container.as_str(), placed.object_size, placed.block_size),
            ("c", 1_999_994_880, 32768)
        );
    }

    #[test]
    fn an_id_that_leaves_the_container_or_leaves_no_room_is_refused() {
        for id in ["../../etc", "a/b", "a\nb", &"x".repeat(256)] {
            prefix(&backup(id)).unwrap_err();
        }
    }

    #[test]
    fn an_object_is_a_positive_multiple_of_the_block_and_errors_name_the_option() {
        read(&[("x_file_size", 65536), ("x_block_size", 4096)]).unwrap();
        for (object, block, option) in [
            (0, 32768, "x_file_size"),
            (32769, 32768, "x_file_size"),
            (100, 0, "x_block_size"),
            (1 << 40, 1 << 32, "x_block_size"),
            (-1, 1, "x_file_size"),
        ] {
            match read(&[("x_file_size", object), ("x_block_size", block)]).unwrap_err() {
                Error::InvalidConfiguration(invalid) => assert_eq!(invalid.option_name, option),
                other => panic!("{other:?}"),
            }
        }
        match read(&[("x_block_size", 4096 * 7)]).unwrap_err() {
            Error::InvalidConfiguration(invalid) => assert_eq!(invalid.option_name, "x_block_size"),
            other => panic!("{other:?}"),
        }
    }
}
