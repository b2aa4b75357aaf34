//! Cinder's names and portions for a new backup. Pure.
//!
//! Source: cinder/backup/drivers/posix.py, `update_container_name` and `_generate_object_name_prefix`.

use cofferdam_driver::placement::{PortionOptions, Portions};
use cofferdam_driver::{BackupIdentity, Error, Placement, names};

pub(crate) const PORTIONS: PortionOptions = PortionOptions {
    object_size: "backup_file_size",
    // Cinder's: the multiple of 32768 next below 2 GB (61035 of them).
    default_object_size: 1_999_994_880,
    block_size: "backup_sha_block_size_bytes",
};

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
    names::check_folder(&container)?;
    portions.place(backup, container)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_driver::Settings;

    fn backup(id: &str) -> BackupIdentity {
        BackupIdentity {
            backup_id: id.to_owned(),
            volume_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            timestamp: "20240102030405".to_owned(),
            availability_zone: "nova".to_owned(),
        }
    }

    fn portions() -> Portions {
        PORTIONS.read(&Settings::new(Vec::new())).unwrap()
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
}
