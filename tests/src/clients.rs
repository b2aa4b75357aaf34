//! The clients that people have, unmodified, as `tools/clients` gets them.
//!
//! A machine that cannot have them (no PyPI) makes the script exit with 77 and say why; then the test says so as loudly as it
//! can and ends. Each call is a process of Python, about a second on a quiet machine, so independent ones are best made side by
//! side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The programs.
#[derive(Debug, Clone)]
pub struct Clients {
    programs: PathBuf,
}

/// Who speaks to which service.
#[derive(Debug, Clone)]
pub struct Caller {
    clients: Clients,
    endpoint: String,
    user: String,
    project: String,
}

/// What a program left.
#[derive(Debug, Clone)]
pub struct Said {
    /// Whether it ended well.
    pub well: bool,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
    what: String,
}

impl Clients {
    /// The programs, or none when this machine cannot have them.
    ///
    /// # Panics
    /// When they cannot be made for another reason.
    pub fn get() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/clients");
        let output = Command::new(script).output().expect("the script runs");
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(77) {
            let line = format!(
                "\nSKIPPED, NOT TESTED: {}\n\n",
                said.lines().last().unwrap_or_default()
            );
            std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes())
                .expect("standard error takes a line");
            return None;
        }
        assert!(output.status.success(), "the clients are not there: {said}");
        let programs = String::from_utf8_lossy(&output.stdout).trim().into();
        Some(Clients { programs })
    }

    /// A program of theirs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// One who speaks to the endpoint (`http://host:port/v3`) as that user of that project.
    pub fn caller(&self, endpoint: &str, user: &str, project: &str) -> Caller {
        Caller {
            clients: self.clone(),
            endpoint: endpoint.to_owned(),
            user: user.to_owned(),
            project: project.to_owned(),
        }
    }
}

impl Caller {
    /// Runs `cinder`, with its own way to do without a Keystone.
    pub fn cinder(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(self.clients.program("cinder"));
        command.args(["--os-auth-type", "noauth", "--os-endpoint", &self.endpoint]);
        command.args(["--os-user-id", &self.user, "--os-project-id", &self.project]);
        said(&mut command, arguments)
    }

    /// Runs `openstack`. Of the ways that it has to do without a Keystone, `none` sends the token `notused` and `noauth` fails in its
    /// discovery; `admin_token` sends what it is given.
    pub fn openstack(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(self.clients.program("openstack"));
        command.args(["--os-auth-type", "admin_token", "--os-endpoint", &self.endpoint]);
        command.args(["--os-token", &format!("{}:{}", self.user, self.project)]);
        command.args(["--os-volume-api-version", "3"]);
        said(&mut command, arguments)
    }

    /// The document that `openstack` prints, which must end well.
    pub fn openstack_json(&self, arguments: &[&str]) -> Value {
        let said = self.openstack(&[arguments, &["-f", "json"]].concat()).fine();
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("no JSON: {said:?}"))
    }
}

fn said(command: &mut Command, arguments: &[&str]) -> Said {
    for (name, _) in std::env::vars() {
        if name.starts_with("OS_") || name.starts_with("CINDER") {
            command.env_remove(name);
        }
    }
    // A folder of its own keeps a clouds.yaml of the user's out, and a wide screen keeps the tables on one line.
    let folder = tempfile::tempdir().expect("a temporary folder");
    command
        .args(arguments)
        .env("HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("COLUMNS", "500")
        .env("PYTHONWARNINGS", "ignore")
        .env("LC_ALL", "C.UTF-8")
        .current_dir(folder.path());
    let output: Output = command.output().expect("the client runs");
    Said {
        well: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        what: arguments.join(" "),
    }
}

impl Said {
    /// It must have ended well.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn fine(self) -> Self {
        assert!(self.well, "{}: {}{}", self.what, self.out, self.err);
        self
    }

    /// It must have failed, and have said this.
    ///
    /// # Panics
    /// When it did not.
    pub fn refused(&self, because: &str) {
        assert!(
            !self.well && (self.err.contains(because) || self.out.contains(because)),
            "{} should be refused with {because:?}: {}{}",
            self.what,
            self.out,
            self.err
        );
    }

    /// The rows of a table, each by the names of its columns.
    ///
    /// # Panics
    /// When there is no table.
    pub fn rows(&self) -> Vec<BTreeMap<String, String>> {
        let mut lines = self.out.lines().filter(|line| line.starts_with('|')).map(cells);
        let Some(heads) = lines.next() else {
            panic!("{} has no table: {}{}", self.what, self.out, self.err)
        };
        lines
            .map(|cells| heads.iter().cloned().zip(cells).collect())
            .collect()
    }

    /// The value of a property, in a table of properties and values.
    ///
    /// # Panics
    /// When there is none.
    pub fn value(&self, property: &str) -> String {
        let row = self.rows().into_iter().find(|row| {
            let name = row.get("Property").or(row.get("Metadata-property"));
            name.is_some_and(|name| name == property)
        });
        row.and_then(|row| row.get("Value").cloned())
            .unwrap_or_else(|| panic!("{} has no {property}: {}", self.what, self.out))
    }

    /// What one column holds, from the first row to the last.
    pub fn column(&self, name: &str) -> Vec<String> {
        let rows = self.rows();
        rows.iter()
            .map(|row| row.get(name).cloned().unwrap_or_default())
            .collect()
    }
}

/// `| a | b |` as its cells.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}
