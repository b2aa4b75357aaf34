//! Cinder's names and portions for a new backup. Pure.
//!
//! Source: cinder/backup/drivers/posix.py, `update_container_name` and `_generate_object_name_prefix`.

use cofferdam_driver::{BackupIdentity, Error, Placement, Settings, names};

pub(crate) const OBJECT_SIZE: &str = "backup_file_size";
pub(crate) const BLOCK_SIZE: &str = "backup_sha_block_size_bytes";
/// Cinder's default of `backup_file_size`: the multiple of 32768 next below 2 GB (61035 of them).
pub(crate) const DEFAULT_OBJECT_SIZE: u64 = 1_999_994_880;
/// Cinder's default of `backup_sha_block_size_bytes`.
pub(crate) const DEFAULT_BLOCK_SIZE: u32 = 32768;

/// In what portions a volume is stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Portions {
    object_size: u64,
    block_size: u32,
}

impl Portions {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Error> {
        let block_size = settings
            .size(BLOCK_SIZE)?
            .unwrap_or(u64::from(DEFAULT_BLOCK_SIZE));
        let object_size = settings.size(OBJECT_SIZE)?.unwrap_or(DEFAULT_OBJECT_SIZE);
        Self::new(object_size, block_size)
    }

    fn new(object_size: u64, block_size: u64) -> Result<Self, Error> {
        let block_size = u32::try_from(block_size)
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| {
                Error::invalid_configuration(
                    BLOCK_SIZE,
                    format!("expected 1 to 4294967295 bytes, found {block_size}"),
                )
            })?;
        if object_size == 0 || !object_size.is_multiple_of(u64::from(block_size)) {
            return Err(Error::invalid_configuration(
                OBJECT_SIZE,
                format!("expected a positive multiple of {BLOCK_SIZE} ({block_size}), found {object_size}"),
            ));
        }
        Ok(Self {
            object_size,
            block_size,
        })
    }
}

/// Where a new backup goes: the container that the user asked for, else one named after the backup.
pub(crate) fn place(
    backup: &BackupIdentity,
    container: Option<&str>,
    portions: &Portions,
) -> Result<Placement, Error> {
    let id = backup.backup_id.as_str();
    let container = match (container, id.get(0..2), id.get(2..4)) {
        (Some(container), ..) => container.to_owned(),
        (None, Some(first), Some(second)) => format!("{first}/{second}/{id}"),
        (None, ..) => return Err(Error::unsupported(format!("the backup id {id:?} is not a UUID"))),
    };
    let prefix = format!("volume_{}_{}_backup_{id}", backup.volume_id, backup.timestamp);
    names::check_folder(&container)?;
    names::check_object(&prefix)?;
    Ok(Placement {
        container,
        prefix,
        object_size: portions.object_size,
        block_size: portions.block_size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_driver::{Setting, SettingValue};

    fn backup(id: &str) -> BackupIdentity {
        BackupIdentity {
            backup_id: id.to_owned(),
            volume_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            timestamp: "20240102030405".to_owned(),
            availability_zone: "nova".to_owned(),
        }
    }

    fn portions() -> Portions {
        Portions::new(DEFAULT_OBJECT_SIZE, u64::from(DEFAULT_BLOCK_SIZE)).unwrap()
    }

    #[test]
    fn a_backup_without_a_container_goes_where_cinder_puts_it() {
        let placed = place(&backup("abcdef00-aaaa-bbbb-cccc-000000000001"), None, &portions()).unwrap();
        assert_eq!(placed.container, "ab/cd/abcdef00-aaaa-bbbb-cccc-000000000001");
        assert_eq!(
            placed.prefix,
            "volume_11111111-2222-3333-4444-555555555555_20240102030405_backup_abcdef00-aaaa-bbbb-cccc-000000000001"
        );
        assert_eq!((placed.object_size, placed.block_size), (1_999_994_880, 32768));
    }

    #[test]
    fn a_given_container_is_taken_as_it_is() {
        let placed = place(
            &backup("abcdef00-aaaa-bbbb-cccc-000000000001"),
            Some("nightly/mon"),
            &portions(),
        )
        .unwrap();
        assert_eq!(placed.container, "nightly/mon");
    }

    #[test]
    fn a_container_or_id_that_leaves_the_root_is_refused() {
        for container in ["", "..", "../x", "/etc", "a//b"] {
            place(
                &backup("abcdef00-aaaa-bbbb-cccc-000000000001"),
                Some(container),
                &portions(),
            )
            .unwrap_err();
        }
        for id in ["", "abc", "../../etc", "..x/", "éééé/"] {
            place(&backup(id), None, &portions()).unwrap_err();
        }
    }

    #[test]
    fn an_object_is_a_positive_multiple_of_the_block() {
        Portions::new(32768 * 3, 32768).unwrap();
        for (object, block) in [(0, 32768), (32769, 32768), (100, 0), (1 << 40, 1 << 32)] {
            Portions::new(object, block).unwrap_err();
        }
    }

    #[test]
    fn settings_override_cinders_defaults() {
        assert_eq!(
            Portions::from_settings(&Settings::new(Vec::new())).unwrap(),
            portions()
        );
        let setting = |name: &str, value| Setting {
            name: name.to_owned(),
            value: SettingValue::Integer(value),
        };
        let settings = Settings::new(vec![setting(OBJECT_SIZE, 65536), setting(BLOCK_SIZE, 4096)]);
        assert_eq!(
            Portions::from_settings(&settings).unwrap(),
            Portions {
                object_size: 65536,
                block_size: 4096
            }
        );
    }
}
