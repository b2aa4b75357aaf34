//! Real storage servers on the loopback, started by the scripts of `tests/servers`.
//!
//! A machine that cannot have one (no PyPI, no extended attributes) makes the script exit with 77 and say why; then the test
//! says so as loudly as it can and ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A Swift with its own auth and s3api.
pub struct Swift {
    folder: tempfile::TempDir,
    port: u16,
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
        let mut swift = Swift {
            folder: tempfile::tempdir_in("/var/tmp").expect("a temporary folder"),
            port,
            values: BTreeMap::new(),
        };
        swift.start_again().then_some(swift)
    }

    /// Starts it again on its data and ports; false when this machine cannot have it.
    ///
    /// # Panics
    /// When it does not start for another reason.
    pub fn start_again(&mut self) -> bool {
        let output = self.script(&["start"], &[&self.port.to_string()]);
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(77) {
            let line = said.lines().last().unwrap_or_default();
            std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("\nSKIPPED, NOT TESTED: {line}\n\n").as_bytes(),
            )
            .expect("standard error takes a line");
            return false;
        }
        assert!(output.status.success(), "Swift does not start: {said}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let values = text.lines().filter_map(|line| line.split_once('='));
        self.values = values
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        true
    }

    /// Ends its processes; the data stays.
    pub fn stop(&self) {
        self.script(&["stop"], &[]);
    }

    /// What a client needs: `swift_url`, `auth_url`, `user`, `key`.
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    fn script(&self, before: &[&str], after: &[&str]) -> Output {
        let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/swift");
        Command::new(root)
            .args(before)
            .arg(self.folder.path())
            .args(after)
            .output()
            .expect("the script runs")
    }
}
