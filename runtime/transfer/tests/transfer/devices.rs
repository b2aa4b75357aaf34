//! Block devices and a full file system. Without root, or where the kernel has no loop devices, they are skipped
//! loudly.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cofferdam_transfer::{Control, RestoreOutcome, TransferError};

use crate::kit::{Random, Volume, backup, link, of_bytes, plan};
use crate::store::MemoryStore;

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Whether a program does what the test needs; when not, says loudly that the test is skipped.
fn can(program: &str, arguments: &[&str]) -> bool {
    let able = Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success());
    if !able {
        println!("SKIPPED: {program} {arguments:?} does not work here (root and loop devices are needed)");
    }
    able
}

/// A loop device, detached at the end.
struct Loop(PathBuf);

impl Loop {
    fn new(file: &Path) -> Self {
        Loop(run("losetup", &["-f", "--show", file.to_str().unwrap()]).into())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").arg("-d").arg(&self.0).status();
    }
}

async fn restore(
    store: &Arc<MemoryStore>,
    target: &Path,
    bytes: u64,
) -> Result<RestoreOutcome, TransferError> {
    cofferdam_transfer::restore(
        store.clone(),
        &link(&of_bytes(bytes)),
        target,
        true,
        Control::default(),
    )
    .await
}

#[tokio::test]
async fn a_block_device_is_backed_up_and_overwritten_and_a_mounted_one_is_not() {
    if !can("losetup", &["-f"]) {
        return;
    }
    let mut random = Random::new("devices");
    let content = random.mixed(8 << 20, 1 << 20);
    let volume = Volume::new(&content);
    let from = Loop::new(&volume.path);
    let store = Arc::new(MemoryStore::default());
    let outcome = backup(&store, &from.0, plan(1 << 20, 32768, "zstd"))
        .await
        .unwrap();
    assert_eq!(outcome.bytes, 8 << 20);

    let (small, great) = (Volume::new(&[1; 4 << 20]), Volume::new(&[0xff; 9 << 20]));
    let (small_device, great_device) = (Loop::new(&small.path), Loop::new(&great.path));
    assert_eq!(
        restore(&store, &small_device.0, 8 << 20)
            .await
            .unwrap_err()
            .code(),
        "target-too-small"
    );
    restore(&store, &great_device.0, 8 << 20).await.unwrap();
    let bytes = std::fs::read(&great_device.0).unwrap();
    assert!(bytes[..8 << 20] == content && bytes[8 << 20..] == vec![0xff; 1 << 20]);

    let mounted = Volume::new(&vec![0; 16 << 20]);
    let mounted_device = Loop::new(&mounted.path);
    run("mkfs.ext4", &["-q", mounted_device.0.to_str().unwrap()]);
    let point = mounted.folder.path().join("point");
    std::fs::create_dir(&point).unwrap();
    run(
        "mount",
        &[mounted_device.0.to_str().unwrap(), point.to_str().unwrap()],
    );
    let refused = restore(&store, &mounted_device.0, 8 << 20).await;
    run("umount", &[point.to_str().unwrap()]);
    assert_eq!(refused.unwrap_err().code(), "target-unusable");
}

#[tokio::test]
async fn a_device_that_is_full_fails_the_restore_and_keeps_no_file() {
    if !can("unshare", &["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]) {
        return;
    }
    let mut random = Random::new("full");
    let volume = Volume::new(&random.bytes(8 << 20));
    let store = Arc::new(MemoryStore::default());
    backup(&store, &volume.path, plan(1 << 20, 32768, "none"))
        .await
        .unwrap();
    let point = volume.folder.path().join("point");
    std::fs::create_dir(&point).unwrap();
    run(
        "mount",
        &["-t", "tmpfs", "-o", "size=2m", "tmpfs", point.to_str().unwrap()],
    );
    let restored = restore(&store, &point.join("target"), 8 << 20).await;
    let left = std::fs::read_dir(&point).unwrap().count();
    run("umount", &[point.to_str().unwrap()]);
    assert_eq!(restored.unwrap_err().code(), "target-full");
    assert_eq!(left, 0);
}
