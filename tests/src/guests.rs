//! Guests in a sandbox, as the service handles them: initialised under one budget, fed, read and listed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cofferdam_sandbox::contract::{BodyInfo, ObjectAddress, SettingValue};
use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, provide};
use cofferdam_sandbox::stream::{self, Reader};
use cofferdam_sandbox::{Budget, Driver, Failure, Instance};

use crate::TestSandbox;

/// What a test knows of a body: nothing, it streams.
pub const STREAMED: BodyInfo = BodyInfo {
    size: None,
    md5: None,
    sha256: None,
    crc32c: None,
};

/// A setting for a guest.
pub type Setting = (&'static str, SettingValue);

/// An object in the one container that every guest has.
pub fn address(name: &str) -> ObjectAddress {
    ObjectAddress {
        container: "c".into(),
        name: name.into(),
    }
}

/// Describe, instantiation, `do-setup` and check under one budget, as `init_host` does it; then a container is made.
/// The granted folder, if any, may be written.
///
/// # Errors
/// What any of these failed with.
pub async fn initialize(
    test: &TestSandbox,
    driver: &Driver,
    budget: &Budget,
    settings: &[Setting],
    granted: Option<DirectoryGrant>,
) -> Result<Instance, Failure> {
    let grants = Grants {
        directories: granted.into_iter().collect(),
        ..Grants::default()
    };
    initialize_with(test, driver, budget, settings, &grants).await
}

/// The same with any grants.
///
/// # Errors
/// What any of these failed with.
pub async fn initialize_with(
    test: &TestSandbox,
    driver: &Driver,
    budget: &Budget,
    settings: &[Setting],
    grants: &Grants,
) -> Result<Instance, Failure> {
    let instance = open_with(test, driver, budget, settings, grants).await?;
    instance.check_for_setup_error(budget).await?;
    instance.create_container("c").await?;
    Ok(instance)
}

/// Describe, instantiation and `do-setup` alone.
///
/// # Errors
/// What any of these failed with.
pub async fn open_with(
    test: &TestSandbox,
    driver: &Driver,
    budget: &Budget,
    settings: &[Setting],
    grants: &Grants,
) -> Result<Instance, Failure> {
    let limits = Arc::new(test.limits.clone());
    let info = test.sandbox.describe(driver, "test", &limits, budget).await?;
    let settings = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into()));
    let provision = provide(&info, &settings.collect(), grants)?;
    let instance = test
        .sandbox
        .open(driver, "test", &provision, &limits, budget)
        .await?;
    instance.do_setup(&provision.settings, budget).await?;
    Ok(instance)
}

/// A folder for one guest with a secret beside it that it must not reach.
#[derive(Debug)]
pub struct Pen {
    /// The folder round both.
    pub around: PathBuf,
    /// What is granted.
    pub granted: PathBuf,
}

impl Pen {
    /// Makes it, with what the guests look for.
    ///
    /// # Panics
    /// When the file system refuses.
    pub fn make(test: &TestSandbox, name: &str) -> Self {
        let around = test.folder().join(name);
        let granted = around.join("granted");
        std::fs::create_dir_all(&granted).expect("a folder in a temporary folder");
        std::fs::write(around.join("secret"), "not for guests").expect("a file");
        std::fs::write(granted.join("kept"), "as it was").expect("a file");
        if !granted.join("link").is_symlink() {
            std::os::unix::fs::symlink(&around, granted.join("link")).expect("a link");
        }
        Pen { around, granted }
    }

    /// The setting that names it to the guest.
    pub fn setting(&self) -> Setting {
        let path = self.granted.to_string_lossy().into_owned();
        ("hostile_path", SettingValue::Text(path))
    }

    /// The grant of it.
    pub fn grant(&self, write: bool) -> DirectoryGrant {
        DirectoryGrant {
            path: self.granted.clone(),
            write,
        }
    }

    /// Nothing was made outside, the secret is untouched, and what was there before is as it was.
    ///
    /// # Panics
    /// When it is not so.
    pub fn check(&self, name: &str) {
        let entries = std::fs::read_dir(&self.around).expect("the folder is there");
        let mut outside: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .collect();
        outside.sort();
        assert_eq!(outside, ["granted", "secret"], "{name} made something outside");
        let read = |path: PathBuf| std::fs::read_to_string(path).expect("the file is there");
        assert_eq!(read(self.around.join("secret")), "not for guests", "{name}");
        assert_eq!(read(self.granted.join("kept")), "as it was", "{name}");
    }
}

/// Puts one small object.
///
/// # Errors
/// What the driver or the host answers.
pub async fn put(instance: &Instance, name: &str, bytes: &'static [u8]) -> Result<(), Failure> {
    let (writer, reader) = stream::channel(4);
    let (stored, ()) = tokio::join!(instance.put_object(address(name), reader, STREAMED), async {
        if writer.write(Bytes::from_static(bytes)).await.is_ok() {
            let _ = writer.finish().await;
        }
    });
    stored.map(drop)
}

/// Puts an object of 4 MiB, in 64 pieces.
///
/// # Errors
/// What the driver or the host answers.
pub async fn put_pieces(instance: &Instance, name: &str) -> Result<(), Failure> {
    let (writer, reader) = stream::channel(4);
    let feeding = tokio::spawn(async move {
        for _ in 0..64 {
            if writer.write(Bytes::from(vec![7; 1 << 16])).await.is_err() {
                return;
            }
        }
        let _ = writer.finish().await;
    });
    let stored = instance.put_object(address(name), reader, STREAMED).await;
    let _ = feeding.await;
    stored.map(drop)
}

/// Gets an object and reads at most so many bytes of it: what the call came to, and whether the stream ended as a
/// whole one does.
pub async fn get(instance: &Instance, name: &str, most: usize) -> (Result<u64, Failure>, bool) {
    let (writer, reader) = stream::channel(2);
    tokio::join!(
        instance.get_object(address(name), None, writer),
        read(reader, most)
    )
}

async fn read(mut reader: Reader, most: usize) -> bool {
    let mut read = 0;
    while read < most {
        match reader.next().await {
            Ok(Some(piece)) => read += piece.len(),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    false
}

/// Waits until no thread of an ended instance is left.
///
/// # Panics
/// When one is left after five seconds.
pub async fn wait_for_threads(test: &TestSandbox) {
    let begin = std::time::Instant::now();
    while test.sandbox.threads_ending() > 0 {
        let left = test.sandbox.threads_ending();
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "{left} threads do not end"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
