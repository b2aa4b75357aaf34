//! What the tests of drivers against the conformance kit share: settings and grants for a folder, and a storage that can be full.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cofferdam_conformance::{Case, Report, Room, Setup, Subject, cases, run};
use cofferdam_sandbox::Limits;
use cofferdam_sandbox::contract::SettingValue;
use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, Written};
use cofferdam_tests::TestSandbox;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The container that the kit works in.
pub(crate) const CONTAINER: &str = "cofferdam-conformance";

const SEED: u64 = 7;

/// Settings as a deployer writes them.
pub(crate) fn settings(texts: &[(&str, &str)], integers: &[(&str, i64)]) -> BTreeMap<String, Written> {
    let texts = texts
        .iter()
        .map(|(name, text)| (name, SettingValue::Text((*text).to_owned())));
    let integers = integers
        .iter()
        .map(|(name, number)| (name, SettingValue::Integer(*number)));
    texts
        .chain(integers)
        .map(|(name, value)| ((*name).to_owned(), value.into()))
        .collect()
}

/// A folder that the driver may write, under the option.
pub(crate) fn in_folder(option: &str, folder: &Path) -> Setup {
    Setup {
        settings: settings(&[(option, folder.to_str().unwrap())], &[]),
        grants: Grants {
            directories: vec![DirectoryGrant {
                path: folder.to_owned(),
                write: true,
            }],
            ..Grants::default()
        },
        limits: limits(),
        ..Setup::default()
    }
}

/// Long enough for a slow machine, short enough for a driver that hangs.
pub(crate) fn limits() -> Limits {
    Limits {
        stall_timeout: Duration::from_secs(30),
        ..Limits::default()
    }
}

/// A tmpfs of its own, whose room can be taken away; none when this user cannot mount one.
pub(crate) struct Mounted(pub(crate) tempfile::TempDir);

impl Mounted {
    pub(crate) fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512m", "tmpfs"])
            .arg(folder.path())
            .output();
        let mounted = mounted.unwrap();
        if mounted.status.success() {
            return Some(Mounted(folder));
        }
        let said = String::from_utf8_lossy(&mounted.stderr);
        println!(
            "\n=== SKIPPED, NOT TESTED: a full file system: this user cannot mount a tmpfs: {said} ===\n"
        );
        None
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// A file beside the objects takes the room.
pub(crate) struct Ballast(pub(crate) PathBuf);

impl Room for Ballast {
    fn leave(&self, bytes: u64) -> io::Result<()> {
        self.give_back()?;
        let file = File::create(&self.0)?;
        let found = rustix::fs::statvfs(&self.0)?;
        let taken = (found.f_bavail * found.f_frsize).saturating_sub(bytes);
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, taken)?;
        Ok(())
    }

    fn give_back(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// A server's address that the driver may reach.
pub(crate) fn at_server(url: &str, settings: BTreeMap<String, Written>) -> Setup {
    Setup {
        settings,
        grants: Grants {
            http: vec![url.parse().unwrap()],
            ..Grants::default()
        },
        limits: limits(),
        ..Setup::default()
    }
}

/// The cases about a driver's log need somebody who listens.
pub(crate) fn listen() {
    // Whoever comes second finds it done.
    let _ = tracing_subscriber::registry()
        .with(cofferdam_conformance::ears::layer())
        .try_init();
}

async fn tried(test: &TestSandbox, file: &Path, setup: Setup, cases: &[Case]) -> Report {
    let subject = Subject::load(&test.sandbox, file, setup).await.unwrap();
    run(&subject, CONTAINER, cases, SEED, |tried| println!("{tried}")).await
}

/// Every case, printed; none may fail.
pub(crate) async fn conforms(test: &TestSandbox, file: &Path, setup: Setup) {
    conforms_in(test, file, setup, &cases::all()).await;
}

/// These cases, printed; none may fail.
pub(crate) async fn conforms_in(test: &TestSandbox, file: &Path, setup: Setup, cases: &[Case]) {
    listen();
    let report = tried(test, file, setup, cases).await;
    println!("\n{report}\n");
    assert_eq!(
        report.failures(),
        [""; 0],
        "{}: {} failed",
        file.display(),
        report.failed()
    );
    assert!(
        report.passed() > 25,
        "{}: only {} cases were run",
        file.display(),
        report.passed()
    );
}

/// How many files are below a folder.
pub(crate) fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}
