//! Where the deployer keeps a secret, and how it is read.
//!
//! A value is read when it is used, so that one which is changed at its source holds from the next use on: a file again when
//! its time, size or number changed, a command again after [`COMMAND_HOLDS`]. Values are wiped from memory when the last
//! one who holds them is done. Neither source nor value is ever shown but for the source's kind and place.

use std::collections::VecDeque;
use std::fmt;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Bytes of one value.
const GREATEST: u64 = 64 << 10;

/// Wall-clock time that a command has.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the answer of a command holds.
const COMMAND_HOLDS: Duration = Duration::from_secs(60);

/// Values that were read lately and are still taken out of texts.
const REMEMBERED: usize = 4;

/// A secret's value.
pub(crate) type Value = Arc<Zeroizing<String>>;

/// Where a secret is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// In the configuration itself.
    Text(Arc<Zeroizing<String>>),
    /// In a file; a line break at its end does not belong to it.
    File(PathBuf),
    /// In a variable of the service's environment.
    Environment(String),
    /// What a program with its arguments writes to standard output.
    Command(Vec<String>),
    /// In the file of that name that systemd hands to the service.
    Credential(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Text(_) => f.write_str("the configuration"),
            Source::File(path) => write!(f, "file {}", path.display()),
            Source::Environment(name) => write!(f, "environment {name}"),
            // Arguments may be secret themselves.
            Source::Command(words) => write!(f, "command {}", words.first().map_or("", String::as_str)),
            Source::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Source {
    /// A value that stands in the configuration.
    pub fn text(value: impl Into<String>) -> Self {
        Source::Text(Arc::new(Zeroizing::new(value.into())))
    }
}

/// What says whether a value that was read still holds.
#[derive(Clone, Copy, PartialEq)]
enum Stamp {
    File {
        modified: (i64, i64),
        size: u64,
        number: u64,
    },
    Command(Instant),
}

#[derive(Default)]
struct Kept {
    /// The newest last.
    values: VecDeque<Value>,
    stamp: Option<Stamp>,
}

/// One secret of a backend, shared by its instances.
pub struct Secret {
    source: Source,
    kept: Mutex<Kept>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.source)
    }
}

impl Secret {
    /// A secret that is kept there; nothing is read yet.
    pub fn new(source: Source) -> Self {
        let mut kept = Kept::default();
        if let Source::Text(value) = &source {
            kept.values.push_back(value.clone());
        }
        Secret {
            source,
            kept: Mutex::new(kept),
        }
    }

    /// Where it is kept.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The value that holds now.
    ///
    /// # Errors
    /// Why it cannot be read; without any of it.
    pub(crate) async fn read(&self) -> Result<Value, String> {
        match &self.source {
            Source::Text(value) => Ok(value.clone()),
            Source::Environment(name) => {
                let value = std::env::var(name)
                    .map_err(|_| format!("the environment has no variable {name} of UTF-8"))?;
                self.keep(Zeroizing::new(value), None)
            }
            Source::File(path) => self.read_file(path),
            Source::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or("CREDENTIALS_DIRECTORY is not set: the service was given no credentials")?;
                self.read_file(&Path::new(&folder).join(name))
            }
            Source::Command(words) => {
                if let Some(value) = self.held(|stamp| match stamp {
                    Stamp::Command(at) => at.elapsed() < COMMAND_HOLDS,
                    Stamp::File { .. } => false,
                }) {
                    return Ok(value);
                }
                let value = run(words).await?;
                self.keep(value, Some(Stamp::Command(Instant::now())))
            }
        }
    }

    /// Values that texts may hold: those that were read lately.
    pub(crate) fn known(&self) -> Vec<Value> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.values.iter().cloned().collect()
    }

    fn held(&self, holds: impl Fn(Stamp) -> bool) -> Option<Value> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.values
            .back()
            .filter(|_| kept.stamp.is_some_and(holds))
            .cloned()
    }

    fn keep(&self, value: Zeroizing<String>, stamp: Option<Stamp>) -> Result<Value, String> {
        if value.is_empty() {
            return Err(format!("{} is empty", self.source));
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.stamp = stamp;
        if let Some(last) = kept.values.back()
            && **last == value
        {
            return Ok(last.clone());
        }
        let value = Arc::new(value);
        kept.values.push_back(value.clone());
        if kept.values.len() > REMEMBERED {
            kept.values.pop_front();
        }
        Ok(value)
    }

    fn read_file(&self, path: &Path) -> Result<Value, String> {
        let wrong = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
        let file = std::fs::File::open(path).map_err(wrong)?;
        let meta = file.metadata().map_err(wrong)?;
        let stamp = Stamp::File {
            modified: (meta.mtime(), meta.mtime_nsec()),
            size: meta.size(),
            number: meta.ino(),
        };
        if let Some(value) = self.held(|known| known == stamp) {
            return Ok(value);
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(GREATEST + 1).read_to_end(&mut bytes).map_err(wrong)?;
        let value = text(bytes).map_err(|why| format!("{} {why}", path.display()))?;
        self.keep(value, Some(stamp))
    }
}

/// The bytes as text, without a line break at the end.
fn text(bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, &'static str> {
    if bytes.len() as u64 > GREATEST {
        return Err("is greater than 64 KiB");
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8")?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

async fn run(words: &[String]) -> Result<Zeroizing<String>, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command is empty".into());
    };
    let wrong = |error: std::io::Error| format!("the command {program} cannot be run: {error}");
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(wrong)?;
    let output = child.stdout.take();
    let reading = async {
        let mut bytes = Zeroizing::new(Vec::new());
        if let Some(output) = output {
            output.take(GREATEST + 1).read_to_end(&mut bytes).await?;
        }
        Ok::<_, std::io::Error>((bytes, child.wait().await?))
    };
    let (bytes, status) = tokio::time::timeout(COMMAND_TIMEOUT, reading)
        .await
        .map_err(|_| format!("the command {program} did not end within {COMMAND_TIMEOUT:?}"))?
        .map_err(wrong)?;
    if !status.success() {
        return Err(format!("the command {program} failed: {status}"));
    }
    text(bytes).map_err(|why| format!("what the command {program} wrote {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_read_again_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "first\n").unwrap();
        let secret = Secret::new(Source::File(file.clone()));
        assert_eq!(**secret.read().await.unwrap(), "first");
        std::fs::write(folder.path().join("new"), "second").unwrap();
        std::fs::rename(folder.path().join("new"), &file).unwrap();
        assert_eq!(**secret.read().await.unwrap(), "second");
        assert_eq!(
            secret.known().len(),
            2,
            "the old value is still taken out of texts"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(secret.read().await.unwrap_err().contains("cannot be read"));
    }

    #[tokio::test]
    async fn a_command_is_asked_once_a_minute_and_its_failure_is_told_without_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let script = format!("echo x >> {}; echo secret-word", count.display());
        let secret = Secret::new(Source::Command(vec!["sh".into(), "-c".into(), script]));
        assert_eq!(**secret.read().await.unwrap(), "secret-word");
        assert_eq!(**secret.read().await.unwrap(), "secret-word");
        assert_eq!(std::fs::read_to_string(&count).unwrap().lines().count(), 1);
        let broken = Source::Command(vec!["sh".into(), "-c".into(), "echo secret-word; exit 3".into()]);
        let reason = Secret::new(broken).read().await.unwrap_err();
        assert!(
            reason.contains("exit status: 3") && !reason.contains("secret-word"),
            "{reason}"
        );
    }

    #[tokio::test]
    async fn nothing_shows_a_value() {
        let secret = Secret::new(Source::text("hunter22"));
        assert_eq!(
            format!("{secret:?} {}", secret.source()),
            "Secret(the configuration) the configuration"
        );
        let missing = Secret::new(Source::Environment("COFFERDAM_NO_SUCH".into()));
        assert!(missing.read().await.unwrap_err().contains("COFFERDAM_NO_SUCH"));
    }
}
