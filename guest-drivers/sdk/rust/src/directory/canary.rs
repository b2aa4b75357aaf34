//! Proof that the directory is usable: a folder and an object are made, read back, compared and deleted, each in
//! the way of a real one, so that whatever would stop a backup stops the canary.
//!
//! Nothing stays behind, on failure neither. Only a check that is killed in the middle leaves its folder; the
//! next check removes such folders once they are an hour old, so that they do not pile up while a storage hangs
//! for days.

use wasip2::clocks::wall_clock;
use wasip2::filesystem::types::{Descriptor, DescriptorType, ErrorCode, PathFlags};
use wasip2::random::random::get_random_u64;

use super::failure::attempt;
use super::{Directory, failure, get, put, remove};
use crate::{Error, OutputStream, log, names};

const FOLDER: &str = ".cofferdam-canary-";
const OBJECT: &str = "canary";
const ABANDONED_AFTER_SECONDS: u64 = 3600;

impl Directory {
    /// Writes a canary object under the root, reads it back, compares, deletes. Leaves nothing behind.
    pub fn check(&self) -> Result<(), Error> {
        let root = self.root()?;
        sweep(&root);
        let folder = format!("{FOLDER}{:016x}", get_random_u64());
        let flown = self.fly(&folder);
        let cleared = attempt(clear(&root, &folder), || {
            format!("delete the canary in {}", self.path())
        });
        // The first failure is the cause; the second is only its echo.
        flown.and(cleared)
    }

    fn fly(&self, folder: &str) -> Result<(), Error> {
        let text = format!("cofferdam canary {:016x}\n", get_random_u64());
        self.make_folders(folder)?;
        let parent = self.open_folder(folder)?;
        put::write_at(&parent, folder, OBJECT, |sink| write(sink, text.as_bytes()))?;
        let file = get::open(&parent, folder, OBJECT)?;
        let (found, _) = attempt(file.read(4096, 0), || {
            format!("read the canary back in {}", self.path())
        })?;
        if found != text.as_bytes() {
            return Err(Error::corrupted(format!(
                "the canary in {} was read back with other bytes than were written",
                self.path()
            )));
        }
        Ok(())
    }
}

fn write(sink: &OutputStream, bytes: &[u8]) -> Result<u64, Error> {
    use wasip2::filesystem::types::filesystem_error_code;
    use wasip2::io::streams::StreamError;

    sink.blocking_write_and_flush(bytes)
        .map_err(|error| match error {
            StreamError::LastOperationFailed(error) => match filesystem_error_code(&error) {
                Some(code) => failure::error(code, "write the canary".to_owned()),
                None => Error::failed(format!("cannot write the canary: {}", error.to_debug_string())),
            },
            StreamError::Closed => Error::failed("cannot write the canary: the file's stream is closed"),
        })?;
    Ok(bytes.len() as u64)
}

/// Removes a canary's folder and all that a check may have left in it.
fn clear(root: &Descriptor, folder: &str) -> Result<(), ErrorCode> {
    for file in [OBJECT.to_owned(), names::part(OBJECT), names::kept(OBJECT)] {
        remove(root, &format!("{folder}/{file}"))?;
    }
    match root.remove_directory_at(folder) {
        Ok(()) => root.sync(),
        Err(ErrorCode::NoEntry) => Ok(()),
        Err(code) => Err(code),
    }
}

/// Removes what killed checks left. Whatever goes wrong here says nothing about the storage, so it is passed over.
fn sweep(root: &Descriptor) {
    let now = wall_clock::now().seconds;
    let Ok(entries) = root.read_directory() else {
        return;
    };
    while let Ok(Some(entry)) = entries.read_directory_entry() {
        if entry.type_ != DescriptorType::Directory || !entry.name.starts_with(FOLDER) {
            continue;
        }
        let changed = root.stat_at(PathFlags::empty(), &entry.name).ok();
        let changed = changed
            .and_then(|stat| stat.data_modification_timestamp)
            .map(|time| time.seconds);
        if changed.is_some_and(|changed| now.saturating_sub(changed) > ABANDONED_AFTER_SECONDS) {
            match clear(root, &entry.name) {
                Ok(()) => log::info(format!("removed the abandoned canary {}", entry.name)),
                Err(code) => log::warn(format!(
                    "the abandoned canary {} stays: {}",
                    entry.name,
                    code.name()
                )),
            }
        }
    }
}
