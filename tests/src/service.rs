//! A service of the built binary, in a folder of its own.
//!
//! Secrets of tests begin with [`CANARY`]. A service that is given one is at its most talkative, and when it is gone, neither its
//! log nor anything in its state folder may hold one.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{cofferdam, drivers};

/// What the secrets of tests begin with.
pub const CANARY: &str = "nobody-may-see-";

/// A configuration in a temporary folder, and the service that runs on it, if one does.
pub struct Service {
    folder: tempfile::TempDir,
    daemon: Option<Child>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            self.check_canaries();
        }
    }
}

impl Service {
    /// Writes a configuration: options at the top, then sections; `{folder}` and `{drivers}` are put in.
    pub fn configure(top: &str, sections: &str) -> Self {
        let service = Service {
            folder: tempfile::tempdir().expect("a temporary folder"),
            daemon: None,
        };
        service.rewrite(top, sections);
        service
    }

    /// Writes the configuration anew.
    pub fn rewrite(&self, top: &str, sections: &str) {
        let text = format!(
            "state_path = \"{{folder}}/state\"\ndriver_path = [\"{{drivers}}\"]\nperiodic_fuzzy_delay = 0\n{top}\n{sections}\n"
        );
        let text = text
            .replace("{folder}", &self.folder().to_string_lossy())
            .replace("{drivers}", &drivers().to_string_lossy());
        std::fs::write(self.config(), text).expect("the configuration is written");
    }

    /// One posix backend, `good`, on the folder `backups`, with more options in its section.
    pub fn posix(options: &str) -> Self {
        Self::posix_with("", options)
    }

    /// The same with more options at the top.
    pub fn posix_with(top: &str, options: &str) -> Self {
        let service = Self::configure(
            &format!("periodic_interval = \"1s\"\n{top}"),
            &format!(
                "[backends.good]\nbackup_driver = \"posix\"\nbackup_posix_path = \"{{folder}}/backups\"\n\
                 grants.directories = [{{ path = \"{{folder}}/backups\", access = \"read-write\" }}]\n{options}"
            ),
        );
        std::fs::create_dir(service.backups()).expect("the folder is new");
        service
    }

    /// The service's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder().join("cofferdam.toml")
    }

    /// Where the posix backend keeps its objects.
    pub fn backups(&self) -> PathBuf {
        self.folder().join("backups")
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The binary on this configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cofferdam());
        command
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .env_remove("RUST_LOG");
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Runs the binary with `--json`, which must succeed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self
            .command(arguments)
            .arg("--json")
            .output()
            .expect("the binary runs");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("--json prints one document")
    }

    /// Runs the binary with `--json`, which must fail: the exit code and the error.
    pub fn refused(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self
            .command(arguments)
            .arg("--json")
            .output()
            .expect("the binary runs");
        assert!(
            !output.status.success(),
            "{arguments:?} should fail: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text
            .lines()
            .rev()
            .find(|line| line.starts_with("{\"error\""))
            .unwrap_or_default();
        let error: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON error in: {text}"));
        (
            output.status.code().unwrap_or(-1),
            error.get("error").cloned().unwrap_or_default(),
        )
    }

    /// Starts the service and waits until it listens.
    pub fn start(&mut self) -> &mut Self {
        self.start_with(|command| command)
    }

    /// The same with a command that was changed before.
    pub fn start_with(&mut self, change: impl FnOnce(Command) -> Command) -> &mut Self {
        let command = change(self.command(&["run"]));
        self.spawn(command)
    }

    /// The same with the whole process pinned to the first processor, from its first moment.
    pub fn start_on_one_processor(&mut self) -> &mut Self {
        let run = self.command(&["run"]);
        let mut command = Command::new("taskset");
        command
            .args(["-c", "0"])
            .arg(run.get_program())
            .args(run.get_args());
        self.spawn(command)
    }

    fn spawn(&mut self, mut command: Command) -> &mut Self {
        let configuration = std::fs::read_to_string(self.config()).unwrap_or_default();
        if configuration.contains(CANARY) {
            command.env("RUST_LOG", "trace");
        }
        let log = std::fs::File::create(self.path("log")).expect("the log is made");
        let child = command
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary runs");
        self.daemon = Some(child);
        let begin = Instant::now();
        while UnixStream::connect(self.path("state/api.sock")).is_err() {
            let over = begin.elapsed() > Duration::from_secs(30);
            assert!(!over, "the service does not listen: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        self
    }

    /// A TCP port of this machine that nobody listens on, or did not a moment ago.
    ///
    /// # Panics
    /// When there is none.
    pub fn free_port() -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("it is bound").port()
    }

    /// Sends the service a signal.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let told = kill.args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(told.expect("kill runs").success());
    }

    /// Waits until the service has ended, and gives its exit code.
    ///
    /// # Panics
    /// When it does not run.
    pub fn ended(&mut self) -> Option<i32> {
        let mut daemon = self.daemon.take().expect("the service runs");
        daemon.wait().expect("the service is a child").code()
    }

    /// Status and body of an answer to a question, whatever they are.
    ///
    /// # Panics
    /// When there is none.
    pub fn look(&self, path: &str) -> (u16, String) {
        let answer = self.exchange("GET", path, "");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        status.zip(body).unwrap_or_else(|| panic!("{path}: {answer}"))
    }

    /// What the service has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// No secret of a test is in what the service left.
    ///
    /// # Panics
    /// When one is.
    fn check_canaries(&self) {
        let found = |path: &Path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            let mut lines = bytes.split(|byte| *byte == b'\n');
            let canary = CANARY.as_bytes();
            let line = lines.find(|line| line.windows(canary.len()).any(|window| window == canary));
            line.map(|line| {
                String::from_utf8_lossy(line)
                    .chars()
                    .take(1000)
                    .collect::<String>()
            })
        };
        let mut paths = vec![self.path("log"), self.path("state")];
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
                paths.extend(
                    entries
                        .map(|entry| entry.path())
                        .filter(|path| !path.ends_with("compiled")),
                );
            } else if path.is_file() {
                let line = found(&path).unwrap_or_default();
                assert!(
                    line.is_empty(),
                    "a secret of the test is in {}: {line}",
                    path.display()
                );
            }
        }
    }

    /// The service's process id.
    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("the service runs").id()
    }

    /// Kills the service as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }

    /// Tells the service to stop; it must do so cleanly.
    pub fn stop(&mut self) {
        let mut daemon = self.daemon.take().expect("the service runs");
        let told = Command::new("kill")
            .arg(daemon.id().to_string())
            .status()
            .expect("kill runs");
        assert!(told.success());
        let status = daemon.wait().expect("the service is a child");
        assert!(
            status.success(),
            "the service stopped with {status}: {}",
            self.log()
        );
    }

    /// One backend's status.
    pub fn status(&self, backend: &str) -> Value {
        self.json(&["service", "show", backend])
    }

    /// What the service answers to a question, without the cost of a process of ours.
    ///
    /// # Panics
    /// When it does not answer, or not with JSON.
    pub fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.get_text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The same for a body of any kind.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn get_text(&self, path: &str) -> String {
        self.ask("GET", path, "", &[200])
    }

    /// Tells the service to do something that it answers at once.
    ///
    /// # Panics
    /// When it refuses.
    pub fn post(&self, path: &str, status: u16) {
        self.ask("POST", path, "", &[status]);
    }

    /// Begins an operation and waits for its end, looking every few milliseconds: the backup's id, and the operation.
    ///
    /// # Panics
    /// When it is refused or fails.
    pub fn operate(&self, path: &str, body: &Value) -> (String, Value) {
        let id = self.begin(path, body);
        self.finished(&id)
    }

    /// Begins an operation and gives its id.
    ///
    /// # Panics
    /// When it is refused.
    pub fn begin(&self, path: &str, body: &Value) -> String {
        let begun: Value =
            serde_json::from_str(&self.ask("POST", path, &body.to_string(), &[202])).expect("JSON");
        begun["id"].as_str().expect("an id").to_owned()
    }

    /// Waits for the end of an operation: the backup's id, and the operation.
    ///
    /// # Panics
    /// When it fails.
    pub fn finished(&self, id: &str) -> (String, Value) {
        loop {
            let operation = self.get(&format!("/v1/operations/{id}"));
            match operation["state"].as_str() {
                Some("running") => std::thread::sleep(Duration::from_millis(3)),
                Some("succeeded") => {
                    let backup = operation["backup_id"].as_str().expect("an id").to_owned();
                    return (backup, operation);
                }
                _ => panic!("{operation:#}"),
            }
        }
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = UnixStream::connect(self.path("state/api.sock")).expect("the service listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("the service reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the service answers");
        answer
    }

    fn ask(&self, method: &str, path: &str, body: &str, statuses: &[u16]) -> String {
        let answer = self.exchange(method, path, body);
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        assert!(
            status.is_some_and(|status| statuses.contains(&status)),
            "{path}: {answer}"
        );
        body.to_owned()
    }

    /// Waits until every backend's status holds what is wanted.
    pub fn wait_for_all(&self, within: Duration, wanted: impl Fn(&Value) -> bool) {
        let begin = Instant::now();
        loop {
            let all = self.get("/v1/services");
            let all = all.as_array().expect("a list of services");
            let Some(other) = all.iter().find(|status| !wanted(status)) else {
                return;
            };
            assert!(begin.elapsed() < within, "not as wanted: {other:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a backend's status holds what is wanted.
    pub fn wait(&self, backend: &str, within: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let status = self.status(backend);
            if wanted(&status) {
                return status;
            }
            assert!(
                begin.elapsed() < within,
                "{backend} is not as wanted: {status:#}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
