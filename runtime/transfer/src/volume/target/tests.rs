//! Targets: what they refuse, and what they leave behind.

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_new_file_appears_whole_and_sparse_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let mut target = Target::open(&path, false, 8 << 20).unwrap();
    let mut data = vec![0; 2 << 20];
    data[..10].fill(1);
    target.write_at(1 << 20, &data).unwrap();
    assert_eq!(names(folder.path()), [".new.cofferdam-partial"]);
    assert_eq!(target.skipped(), (2 << 20) - UNIT as u64);
    target.finish().unwrap();
    assert_eq!(names(folder.path()), ["new"]);
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(metadata.len(), 8 << 20);
    assert!(
        metadata.blocks() * 512 <= 2 * UNIT as u64,
        "{} blocks",
        metadata.blocks()
    );

    let mut given_up = Target::open(&folder.path().join("other"), false, 10).unwrap();
    given_up.write_at(0, b"0123456789").unwrap();
    drop(given_up);
    assert_eq!(names(folder.path()), ["new"]);
}

#[test]
fn what_a_killed_restore_left_is_taken_over_and_a_living_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v");
    std::fs::write(folder.path().join(".v.cofferdam-partial"), b"left over").unwrap();
    let target = Target::open(&path, false, 4).unwrap();
    assert_eq!(Target::open(&path, false, 4).unwrap_err().code(), "target-busy");
    target.finish().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), [0; 4]);
}

#[test]
fn an_existing_file_is_overwritten_only_when_asked_for_and_great_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v");
    std::fs::write(&path, b"0123456789").unwrap();
    assert_eq!(Target::open(&path, false, 4).unwrap_err().code(), "target-exists");
    assert_eq!(
        Target::open(&path, true, 11).unwrap_err().code(),
        "target-too-small"
    );
    let mut target = Target::open(&path, true, 4).unwrap();
    assert_eq!(Target::open(&path, true, 4).unwrap_err().code(), "target-busy");
    target.write_at(1, &[0; 3]).unwrap();
    target.finish().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"0\0\0\x00456789");
}

#[test]
fn a_name_that_was_taken_meanwhile_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v");
    let target = Target::open(&path, false, 4).unwrap();
    std::fs::write(&path, b"mine").unwrap();
    assert_eq!(target.finish().unwrap_err().code(), "target-exists");
    assert_eq!(names(folder.path()), ["v"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[test]
fn what_is_no_volume_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (fifo, link) = (folder.path().join("fifo"), folder.path().join("dangling"));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for path in [
        folder.path(),
        &fifo,
        &link,
        &folder.path().join("no/folder"),
        Path::new("/dev/null"),
    ] {
        assert_eq!(
            Target::open(path, true, 1).unwrap_err().code(),
            "target-unusable",
            "{}",
            path.display()
        );
    }
}
