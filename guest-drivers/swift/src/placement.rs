//! Cinder's names and portions for a new backup, and the names that Swift takes. Pure.
//!
//! Source: cinder/backup/drivers/swift.py, `update_container_name` and `_generate_object_name_prefix`.

use cofferdam_driver::{BackupIdentity, Error, Placement, Settings, names};

use crate::options::{BLOCK_SIZE, DEFAULT_BLOCK_SIZE, DEFAULT_OBJECT_SIZE, OBJECT_SIZE};

/// What an object of Swift holds at most, unless its deployer changed that.
pub(crate) const GREATEST_OBJECT: u64 = 5 << 30;
/// Bytes that a container's name may have.
const LONGEST_CONTAINER: usize = 256;
/// Bytes that a backup's prefix may have.
const LONGEST_PREFIX: usize = 255;

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
        let fits = (1..=GREATEST_OBJECT).contains(&object_size);
        if !fits || !object_size.is_multiple_of(u64::from(block_size)) {
            return Err(Error::invalid_configuration(
                OBJECT_SIZE,
                format!(
                    "expected a multiple of {BLOCK_SIZE} ({block_size}) up to {GREATEST_OBJECT}, found {object_size}"
                ),
            ));
        }
        Ok(Self {
            object_size,
            block_size,
        })
    }
}

/// Where a new backup goes: the container that the user asked for, else the configured one.
pub(crate) fn place(
    backup: &BackupIdentity,
    container: Option<&str>,
    default_container: &str,
    portions: &Portions,
) -> Result<Placement, Error> {
    let container = container.unwrap_or(default_container);
    check_container(container).map_err(Error::unsupported)?;
    let prefix = format!(
        "volume_{}/{}/az_{}_backup_{}",
        backup.volume_id, backup.timestamp, backup.availability_zone, backup.backup_id
    );
    check_object(&prefix)?;
    if prefix.len() > LONGEST_PREFIX || backup.backup_id.is_empty() {
        return Err(Error::unsupported(format!(
            "the backup's prefix has {} bytes of {LONGEST_PREFIX}; is the availability zone's name too long?",
            prefix.len()
        )));
    }
    Ok(Placement {
        container: container.to_owned(),
        prefix,
        object_size: portions.object_size,
        block_size: portions.block_size,
    })
}

/// Refuses a container that Swift would not take, or whose URL would be another's. The error is a reason.
pub(crate) fn check_container(container: &str) -> Result<(), String> {
    let reason = if container.is_empty() {
        "it is empty"
    } else if container.len() > LONGEST_CONTAINER {
        "it is longer than 256 bytes"
    } else if container.contains('/') {
        "it holds a `/`"
    } else if container == "." || container == ".." {
        "it is `.` or `..`"
    } else if container.chars().any(char::is_control) {
        "it holds a control character"
    } else {
        return Ok(());
    };
    Err(format!("a container may not be called so: {reason}"))
}

/// Refuses an object's name whose URL would leave the container.
pub(crate) fn check_object(name: &str) -> Result<(), Error> {
    names::check_path(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(zone: &str) -> BackupIdentity {
        BackupIdentity {
            backup_id: "abcdef00-aaaa-bbbb-cccc-000000000001".to_owned(),
            volume_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            timestamp: "20240102030405".to_owned(),
            availability_zone: zone.to_owned(),
        }
    }

    fn placed(zone: &str, container: Option<&str>) -> Result<Placement, Error> {
        let portions = Portions::new(DEFAULT_OBJECT_SIZE, u64::from(DEFAULT_BLOCK_SIZE)).unwrap();
        place(&backup(zone), container, "volumebackups", &portions)
    }

    #[test]
    fn a_backup_is_placed_where_cinder_puts_it() {
        let found = placed("nova", None).unwrap();
        assert_eq!(found.container, "volumebackups");
        assert_eq!(
            found.prefix,
            "volume_11111111-2222-3333-4444-555555555555/20240102030405/az_nova_backup_abcdef00-aaaa-bbbb-cccc-000000000001"
        );
        assert_eq!((found.object_size, found.block_size), (52_428_800, 32768));
        assert_eq!(placed("nova", Some("nightly é")).unwrap().container, "nightly é");
    }

    #[test]
    fn a_container_that_swift_would_not_take_is_refused() {
        for container in ["", ".", "..", "a/b", "/", "a\nb", &"x".repeat(257)] {
            assert!(
                matches!(placed("nova", Some(container)), Err(Error::Unsupported(_))),
                "{container}"
            );
        }
        placed("nova", Some(&"x".repeat(256))).unwrap();
    }

    #[test]
    fn a_zone_that_would_make_another_place_is_refused() {
        for zone in ["a//b", "a/../../b", "a\nb", &"z".repeat(200)] {
            placed(zone, None).unwrap_err();
        }
    }

    #[test]
    fn an_object_is_a_multiple_of_the_block_and_fits_into_swift() {
        Portions::new(32768 * 3, 32768).unwrap();
        Portions::new(GREATEST_OBJECT, 32768).unwrap();
        for (object, block) in [
            (0, 32768),
            (32769, 32768),
            (100, 0),
            (1 << 40, 1 << 32),
            (6 << 30, 32768),
        ] {
            Portions::new(object, block).unwrap_err();
        }
    }
}
