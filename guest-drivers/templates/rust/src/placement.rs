//! Where a new backup goes. Pure, so that it is tested without a host. What its objects are called is the SDK's
//! `placement::prefix`.

use cofferdam_driver::{BackupIdentity, Error, names};

/// The container that the user asked for, else one named after the backup, so that no folder holds too many.
pub(crate) fn container(backup: &BackupIdentity, asked_for: Option<&str>) -> Result<String, Error> {
    let id = backup.backup_id.as_str();
    let container = match (asked_for, id.get(0..2), id.get(2..4)) {
        (Some(container), ..) => container.to_owned(),
        (None, Some(first), Some(second)) => format!("{first}/{second}/{id}"),
        (None, ..) => return Err(Error::unsupported(format!("the backup id {id:?} is not a UUID"))),
    };
    names::check_folder(&container)?;
    Ok(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(id: &str) -> BackupIdentity {
        BackupIdentity {
            backup_id: id.to_owned(),
            volume_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            timestamp: "20240102030405".to_owned(),
            availability_zone: "nova".to_owned(),
        }
    }

    const ID: &str = "abcdef00-aaaa-bbbb-cccc-000000000001";

    #[test]
    fn a_backup_without_a_container_gets_one_of_its_own() {
        assert_eq!(container(&backup(ID), None).unwrap(), format!("ab/cd/{ID}"));
        assert_eq!(
            container(&backup(ID), Some("nightly/mon")).unwrap(),
            "nightly/mon"
        );
    }

    #[test]
    fn a_container_or_id_that_leaves_the_root_is_refused() {
        for asked_for in ["", "..", "../x", "/etc", "a//b"] {
            container(&backup(ID), Some(asked_for)).unwrap_err();
        }
        for id in ["", "abc", "../../etc", "..x/"] {
            container(&backup(id), None).unwrap_err();
        }
    }
}
