//! Real storage servers on the loopback, started by the scripts of `tests/servers`.
//!
//! A machine that cannot have one (no PyPI, no extended attributes) makes the script exit with 77 and say why; then the test
//! says so as loudly as it can and ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A Swift with its own auth and s3api, or behind a Keystone.
pub struct Swift {
    folder: tempfile::TempDir,
    port: u16,
    environment: Vec<(&'static str, String)>,
    values: BTreeMap<String, String>,
}

impl Drop for Swift {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Swift {
    /// Starts one at the first free ports from there on; none when this machine cannot have it.
    ///
    /// # Panics
    /// When it does not start for another reason.
    pub fn start(port: u16) -> Option<Self> {
        Self::start_with(port, Vec::new())
    }

    /// The same behind a Keystone, whose tokens hold so many seconds.
    ///
    /// # Panics
    /// When it does not start for another reason.
    pub fn start_with_keystone(port: u16, token_life: u32) -> Option<Self> {
        let life = token_life.to_string();
        Self::start_with(port, vec![("KEYSTONE", "1".to_owned()), ("TOKEN_LIFE", life)])
    }

    fn start_with(port: u16, environment: Vec<(&'static str, String)>) -> Option<Self> {
        let mut swift = Swift {
            folder: tempfile::tempdir_in("/var/tmp").expect("a temporary folder"),
            port,
            environment,
            values: BTreeMap::new(),
        };
        swift.start_again().then_some(swift)
    }

    /// Starts it again on its data and ports; false when this machine cannot have it.
    ///
    /// # Panics
    /// When it does not start for another reason.
    pub fn start_again(&mut self) -> bool {
        match printed(&self.script(&["start"], &[&self.port.to_string()])) {
            Some(values) => self.values = values,
            None => return false,
        }
        true
    }

    /// Ends its processes; the data stays.
    pub fn stop(&self) {
        self.script(&["stop"], &[]);
    }

    /// Ends its processes as a crash would.
    pub fn kill(&self) {
        self.script(&["kill"], &[]);
    }

    /// Keeps the proxy, by which all requests come, from running. What is sent to it waits.
    pub fn pause(&self) {
        self.signal_proxy("-STOP");
    }

    /// Lets it run again.
    pub fn resume(&self) {
        self.signal_proxy("-CONT");
    }

    fn signal_proxy(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.folder.path().join("run/proxy")).expect("the proxy runs");
        let told = Command::new("kill").args([signal, pid.trim()]).status();
        assert!(told.expect("kill runs").success(), "the proxy takes a signal");
    }

    /// The sections of one backend for each of both drivers, `s3` and `swift`, with these secrets and these more options.
    pub fn sections(&self, keys: [&str; 2], more: [&str; 2]) -> String {
        let (url, auth, user) = (
            self.value("swift_url"),
            self.value("auth_url"),
            self.value("user"),
        );
        let [s3_key, swift_key] = keys;
        let [s3_more, swift_more] = more;
        format!(
            "[backends.s3]\nbackup_driver = \"s3\"\nbackup_s3_endpoint_url = \"{url}\"\nbackup_s3_store_access_key = \"{user}\"\n\
             backup_s3_store_secret_key = {s3_key}\nbackup_s3_store_bucket = \"volumebackups\"\nbackup_s3_object_size = \"2MiB\"\n\
             grants.http = [\"{url}\"]\n{s3_more}\n\
             [backends.swift]\nbackup_driver = \"cinder.backup.drivers.swift.SwiftBackupDriver\"\n\
             backup_swift_auth_url = \"{auth}\"\nbackup_swift_user = \"{user}\"\nbackup_swift_key = {swift_key}\n\
             backup_swift_object_size = \"2MiB\"\ngrants.http = [\"{url}\"]\n{swift_more}\n"
        )
    }

    /// What a client needs: `swift_url`, `auth_url`, `user`, `key`; with a Keystone what `tests/servers/keystone` prints.
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    fn script(&self, before: &[&str], after: &[&str]) -> Output {
        let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/swift");
        Command::new(root)
            .envs(self.environment.iter().cloned())
            .args(before)
            .arg(self.folder.path())
            .args(after)
            .output()
            .expect("the script runs")
    }
}

/// What a script's `start` printed; none when this machine cannot have the server.
fn printed(output: &Output) -> Option<BTreeMap<String, String>> {
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) {
        let line = said.lines().last().unwrap_or_default();
        std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("\nSKIPPED, NOT TESTED: {line}\n\n").as_bytes(),
        )
        .expect("standard error takes a line");
        return None;
    }
    assert!(output.status.success(), "the server does not start: {said}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let values = text.lines().filter_map(|line| line.split_once('='));
    Some(
        values
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    )
}

/// An Apache with mod_dav.
pub struct WebDav {
    folder: tempfile::TempDir,
    values: BTreeMap<String, String>,
}

impl Drop for WebDav {
    fn drop(&mut self) {
        self.script("stop", &[]);
    }
}

impl WebDav {
    /// Starts one at the first free port from there on; none when this machine cannot have it.
    ///
    /// # Panics
    /// When it does not start for another reason.
    pub fn start(port: u16) -> Option<Self> {
        let mut server = WebDav {
            folder: tempfile::tempdir().expect("a temporary folder"),
            values: BTreeMap::new(),
        };
        server.values = printed(&server.script("start", &[&port.to_string()]))?;
        Some(server)
    }

    /// What a client needs: `webdav_url`, `user`, `password`, and a `reader` with `reader_password`.
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Where the containers are.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("data/backups")
    }

    fn script(&self, verb: &str, after: &[&str]) -> Output {
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/webdav"))
            .arg(verb)
            .arg(self.folder.path())
            .args(after)
            .output()
            .expect("the script runs")
    }
}

/// Debian's docker-registry, to whose user one must log in.
pub struct Registry {
    folder: tempfile::TempDir,
    values: BTreeMap<String, String>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.script("stop", &[], "");
    }
}

impl Registry {
    /// Starts one at the first free port from there on, for the user `USER:PASSWORD`; none when this machine cannot have it.
    ///
    /// # Panics
    /// When it does not start for another reason.
    pub fn start(port: u16, user: &str) -> Option<Self> {
        let mut server = Registry {
            folder: tempfile::tempdir().expect("a temporary folder"),
            values: BTreeMap::new(),
        };
        server.values = printed(&server.script("start", &[&port.to_string()], user))?;
        Some(server)
    }

    /// Its host and port.
    pub fn host(&self) -> &str {
        self.values.get("registry").map_or("", String::as_str)
    }

    fn script(&self, verb: &str, after: &[&str], user: &str) -> Output {
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/registry"))
            .env("CREDENTIALS", user)
            .arg(verb)
            .arg(self.folder.path())
            .args(after)
            .output()
            .expect("the script runs")
    }
}
