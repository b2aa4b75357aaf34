//! Names of buckets and objects: which may be used, and which a new backup gets. Pure.
//!
//! Source of the names: cinder/backup/drivers/s3.py, `_generate_object_name_prefix` and `update_container_name`.

use cofferdam_driver::{BackupIdentity, Error, Placement};

use crate::portions::Portions;

/// All objects of backups begin with it.
pub(crate) const OWN_PREFIX: &str = "volume_";

const LONGEST_KEY: usize = 1024;

/// How a bucket is named in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addressing {
    /// In the path.
    Path,
    /// As the first label of the host's name.
    Virtual,
}

/// Why a bucket may not be called so. In a path, what other storages than Amazon's allow passes; in a host's name,
/// Amazon's rules hold.
pub(crate) fn bucket_fault(bucket: &str, addressing: Addressing) -> Option<&'static str> {
    let strict = addressing == Addressing::Virtual;
    let allowed = |byte: u8| {
        byte.is_ascii_digit()
            || byte == b'-'
            || byte == b'.'
            || (byte.is_ascii_alphabetic() && !(strict && byte.is_ascii_uppercase()))
            || (byte == b'_' && !strict)
    };
    let at_ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    if !(3..=63).contains(&bucket.len()) {
        Some("a bucket's name has 3 to 63 characters")
    } else if !bucket.bytes().all(allowed) {
        Some(
            "a bucket's name holds other characters than are allowed: lower-case letters, digits, `.` and `-`",
        )
    } else if !at_ends(bucket.as_bytes().first()) || !at_ends(bucket.as_bytes().last()) {
        Some("a bucket's name begins and ends with a letter or digit")
    } else if bucket.contains("..") {
        Some("a bucket's name holds no two dots in a row")
    } else if bucket.parse::<std::net::Ipv4Addr>().is_ok() {
        Some("a bucket's name is not like an IP address")
    } else {
        None
    }
}

/// Refuses a container that cannot be a bucket.
pub(crate) fn check_bucket(bucket: &str, addressing: Addressing) -> Result<(), Error> {
    match bucket_fault(bucket, addressing) {
        Some(reason) => Err(refusal(bucket, reason)),
        None => Ok(()),
    }
}

/// Refuses an object's name that a storage, or a proxy before it, might take for another one.
pub(crate) fn check_key(key: &str) -> Result<(), Error> {
    let reason = if key.is_empty() {
        "it is empty"
    } else if key.len() > LONGEST_KEY {
        "it is longer than 1024 bytes"
    } else if key.chars().any(char::is_control) {
        "it holds a control character"
    } else if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        "it holds an empty component, `.` or `..`"
    } else {
        return Ok(());
    };
    Err(refusal(key, reason))
}

/// Where a new backup goes: the bucket that the user asked for, else the configured one.
pub(crate) fn place(
    backup: &BackupIdentity,
    container: &str,
    addressing: Addressing,
    portions: &Portions,
) -> Result<Placement, Error> {
    let prefix = format!(
        "{OWN_PREFIX}{}/{}/az_{}_backup_{}",
        backup.volume_id, backup.timestamp, backup.availability_zone, backup.backup_id
    );
    check_bucket(container, addressing)?;
    check_key(&prefix)?;
    if prefix.len() > 255 {
        return Err(refusal(&prefix, "a backup's prefix has at most 255 bytes"));
    }
    Ok(Placement {
        container: container.to_owned(),
        prefix,
        object_size: portions.object_size,
        block_size: portions.block_size,
    })
}

fn refusal(name: &str, reason: &str) -> Error {
    let shown: String = name.chars().take(80).collect();
    let more = if shown.len() < name.len() { "..." } else { "" };
    Error::unsupported(format!("the name {shown:?}{more} is refused: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup() -> BackupIdentity {
        BackupIdentity {
            backup_id: "abcdef00-aaaa-bbbb-cccc-000000000001".to_owned(),
            volume_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            timestamp: "20240102030405".to_owned(),
            availability_zone: "nova".to_owned(),
        }
    }

    fn portions() -> Portions {
        Portions {
            object_size: 52_428_800,
            block_size: 32768,
        }
    }

    #[test]
    fn a_backup_is_named_as_cinder_names_it() {
        let placed = place(&backup(), "volumebackups", Addressing::Path, &portions()).unwrap();
        assert_eq!(placed.container, "volumebackups");
        assert_eq!(
            placed.prefix,
            "volume_11111111-2222-3333-4444-555555555555/20240102030405/az_nova_backup_abcdef00-aaaa-bbbb-cccc-000000000001"
        );
        assert_eq!((placed.object_size, placed.block_size), (52_428_800, 32768));
    }

    #[test]
    fn a_zone_that_breaks_the_prefix_is_refused() {
        for zone in ["a/../b", "a//b", "a\nb", &"z".repeat(200)] {
            let backup = BackupIdentity {
                availability_zone: zone.to_owned(),
                ..backup()
            };
            place(&backup, "bucket", Addressing::Path, &portions()).unwrap_err();
        }
    }

    #[test]
    fn buckets_are_named_by_the_rules() {
        for good in ["abc", "my.bucket-1", "0ab"] {
            check_bucket(good, Addressing::Path).unwrap();
            check_bucket(good, Addressing::Virtual).unwrap();
        }
        for relaxed in ["Backups", "my_bucket"] {
            check_bucket(relaxed, Addressing::Path).unwrap();
            check_bucket(relaxed, Addressing::Virtual).unwrap_err();
        }
        for wrong in [
            "",
            "ab",
            "a/b",
            "a..b",
            "-ab",
            "ab-",
            "a b",
            "1.2.3.4",
            "é00",
            "a?b",
            &"x".repeat(64),
        ] {
            check_bucket(wrong, Addressing::Path).unwrap_err();
        }
    }

    #[test]
    fn keys_that_could_be_taken_for_others_are_refused() {
        for good in [
            "a",
            "a b",
            "..a",
            "a.",
            "%2e",
            "déjà/vu",
            "\u{1f600}",
            &"x".repeat(1024),
        ] {
            check_key(good).unwrap();
        }
        for wrong in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "a/./b",
            "../a",
            "a\0",
            "a\n",
            &"x".repeat(1025),
        ] {
            check_key(wrong).unwrap_err();
        }
    }
}
