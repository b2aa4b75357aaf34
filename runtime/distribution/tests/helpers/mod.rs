//! What the tests share: components that are none, packages of them, keys, and an add from beginning to end.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

use std::path::{Path, PathBuf};

use cofferdam_distribution::{
    COMPONENT_FILE, COMPONENT_SIZE, Described, Fetched, Installation, Interfaces, MANIFEST_FILE, OptionEntry,
    OptionKind, Request, Result, SIGNATURE_FILE, Source, Store, fetch, pack, write_package,
};

/// Bytes that begin as a component does, and differ by `seed`.
pub(crate) fn component(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend((0..length).map(|_| random.u8(..)));
    bytes
}

/// What such a component would say of itself.
pub(crate) fn said(name: &str, version: &str) -> Described {
    Described {
        name: name.into(),
        version: version.into(),
        contract: "0.1.0".into(),
        description: "Keeps objects on a shelf".into(),
        options: vec![
            OptionEntry {
                name: "shelf_path".into(),
                kind: OptionKind::named("directory").unwrap(),
                required: true,
            },
            OptionEntry {
                name: "shelf_key".into(),
                kind: OptionKind::named("secret").unwrap(),
                required: false,
            },
        ],
    }
}

/// A temporary folder with a store in it.
pub(crate) struct Place {
    pub(crate) temp: tempfile::TempDir,
    pub(crate) store: Store,
}

impl Place {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::create(&temp.path().join("drivers")).unwrap();
        Place { temp, store }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// A package folder of a component.
    pub(crate) fn package(&self, name: &str, bytes: &[u8], said: &Described) -> PathBuf {
        let file = self.file(&format!("{name}.wasm"), bytes);
        let folder = self.path(name);
        write_package(&file, said, Some("Apache-2.0"), &folder, COMPONENT_SIZE).unwrap();
        folder
    }

    /// The same as an image layout.
    pub(crate) fn layout(&self, name: &str, bytes: &[u8], said: &Described) -> PathBuf {
        let package = self.package(&format!("{name}-package"), bytes, said);
        let layout = self.path(name);
        pack(&package, &layout, None, &Interfaces::default(), COMPONENT_SIZE).unwrap();
        layout
    }

    pub(crate) async fn fetch(&self, source: &Path, request: &Request) -> Result<Fetched> {
        fetch(
            &self.store,
            &Source::parse(source.to_str().unwrap())?,
            request,
            &|_| {},
        )
        .await
    }

    pub(crate) async fn add(&self, source: &Path, said: &Described, replace: bool) -> Result<Installation> {
        self.fetch(source, &Request::default())
            .await?
            .install(said, None, replace)
    }

    /// Everything in the store, hidden or not.
    pub(crate) fn entries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.store.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A key pair of minisign.
pub(crate) struct Keys(minisign::KeyPair);

impl Keys {
    pub(crate) fn new() -> Self {
        Keys(minisign::KeyPair::generate_unencrypted_keypair().unwrap())
    }

    pub(crate) fn public(&self) -> String {
        self.0.pk.to_base64()
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        minisign::sign(None, &self.0.sk, bytes, None, None)
            .unwrap()
            .to_string()
    }
}

pub(crate) fn files_of(folder: &Path) -> [PathBuf; 3] {
    [COMPONENT_FILE, MANIFEST_FILE, SIGNATURE_FILE].map(|name| folder.join(name))
}

/// Says as loudly as it can that something was not tested.
pub(crate) fn skip(why: &str) {
    let line = format!("\nSKIPPED, NOT TESTED: {why}\n\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}
