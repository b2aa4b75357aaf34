//! Which names are safe to use as paths below a root, and which names the SDK keeps for itself. Pure rules.
//!
//! Safe: UTF-8, not empty, at most 1024 bytes, no control characters, relative, and no component that is empty,
//! `.`, `..` or over 255 bytes. A refusal is [`Error::Unsupported`], whose retry class is final: the same name
//! will never be taken. Kept for the SDK: the names of [`part`] and [`kept`], and folders beginning with
//! `.cofferdam-`. Listings never show them, and no object or container may be called so.

use crate::Error;

/// Bytes that a whole name may have.
pub const LONGEST_NAME: usize = 1024;
/// Bytes that one component may have: the limit of Linux file systems.
pub const LONGEST_COMPONENT: usize = 255;

const PART: &str = ".cofferdam-part";
const KEPT: &str = ".cofferdam-kept";
const OWN_FOLDERS: &str = ".cofferdam-";

/// Refuses a folder (a container) whose path would leave the root, or is kept for the SDK.
pub fn check_folder(folder: &str) -> Result<(), Error> {
    check_path(folder)?;
    if folder.starts_with(OWN_FOLDERS) {
        return Err(refusal(
            folder,
            "names beginning with `.cofferdam-` are kept for the driver",
        ));
    }
    Ok(())
}

/// Refuses an object's name that is not one safe component, or is kept for the SDK.
pub fn check_object(name: &str) -> Result<(), Error> {
    check_path(name)?;
    if name.contains('/') {
        return Err(refusal(name, "an object's name holds no `/` here"));
    }
    if is_reserved(name) {
        return Err(refusal(
            name,
            "names of this form are kept for the driver's unfinished objects",
        ));
    }
    Ok(())
}

/// Refuses a path that is not relative, plain and within the lengths.
pub fn check_path(path: &str) -> Result<(), Error> {
    let reason = if path.is_empty() {
        "it is empty"
    } else if path.len() > LONGEST_NAME {
        "it is longer than 1024 bytes"
    } else if path.starts_with('/') {
        "it is absolute"
    } else if path.chars().any(char::is_control) {
        "it holds a control character"
    } else if path.split('/').any(str::is_empty) {
        "it holds an empty component"
    } else if path
        .split('/')
        .any(|component| component == "." || component == "..")
    {
        "it holds the component `.` or `..`"
    } else if path
        .split('/')
        .any(|component| component.len() > LONGEST_COMPONENT)
    {
        "it holds a component longer than 255 bytes"
    } else {
        return Ok(());
    };
    Err(refusal(path, reason))
}

/// The name under which an object is written until it is whole. The same for every attempt, so that a retry
/// clears away what a killed put left.
pub fn part(object: &str) -> String {
    hidden(object, PART)
}

/// The name under which a replaced object is kept until its successor is safe.
pub fn kept(object: &str) -> String {
    hidden(object, KEPT)
}

/// Whether a file of this name is the SDK's own, and so never an object.
pub fn is_reserved(name: &str) -> bool {
    name.starts_with('.') && (name.ends_with(PART) || name.ends_with(KEPT))
}

/// `.<object><suffix>`, or with a digest in place of a name that leaves no room for both.
fn hidden(object: &str, suffix: &str) -> String {
    let name = format!(".{object}{suffix}");
    if name.len() <= LONGEST_COMPONENT {
        name
    } else {
        format!(".{:016x}{suffix}", fnv1a(object.as_bytes()))
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
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

    #[test]
    fn cinders_own_names_are_accepted() {
        check_folder("ab/cd/abcd0000-1111-2222-3333-444455556666").unwrap();
        check_folder("nightly").unwrap();
        check_object("volume_1_20240102030405_backup_2-00001").unwrap();
        check_object(".hidden").unwrap();
        check_object("déjà vu").unwrap();
        check_object(&"x".repeat(255)).unwrap();
    }

    #[test]
    fn names_that_leave_the_root_are_refused() {
        for path in [
            "", "/", "/etc", ".", "..", "../x", "a/..", "a/../b", "a/./b", "a//b", "a/", "a\0b", "a\nb",
            "\u{85}",
        ] {
            check_folder(path).unwrap_err();
            check_object(path).unwrap_err();
        }
        check_object("a/b").unwrap_err();
    }

    #[test]
    fn names_that_are_too_long_are_refused() {
        check_object(&"x".repeat(256)).unwrap_err();
        let path = format!("{0}/{0}/{0}/{0}", "x".repeat(255));
        check_folder(&path).unwrap();
        check_folder(&format!("{path}/x")).unwrap_err();
    }

    #[test]
    fn an_object_may_not_be_called_like_an_unfinished_one() {
        assert_eq!(part("data-00001"), ".data-00001.cofferdam-part");
        assert_eq!(kept("data-00001"), ".data-00001.cofferdam-kept");
        check_object(&part("data-00001")).unwrap_err();
        check_object(&kept("data-00001")).unwrap_err();
        check_object("data.cofferdam-part").unwrap();
        check_folder(".cofferdam-canary-0").unwrap_err();
    }

    #[test]
    fn the_part_name_of_the_longest_name_fits_and_is_its_own() {
        let (one, other) = (format!("{}1", "x".repeat(254)), format!("{}2", "x".repeat(254)));
        assert!(part(&one).len() <= LONGEST_COMPONENT);
        assert!(is_reserved(&part(&one)));
        assert_eq!(part(&one), part(&one));
        assert_ne!(part(&one), part(&other));
    }

    #[test]
    fn a_refusal_shows_a_long_or_odd_name_safely() {
        let text = format!("{:?}", check_object(&"\n".repeat(5000)).unwrap_err());
        assert!(text.len() < 600, "{text}");
        assert!(!text.contains('\n'));
    }
}
