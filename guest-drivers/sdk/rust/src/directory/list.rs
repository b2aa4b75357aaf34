//! Listing the objects of one folder: complete, or an error.
//!
//! An object is a plain file whose name is not one of the SDK's own; folders, links and the like are not. A name
//! that is not UTF-8 cannot be told to the host, and to leave it out would be a short success, so it is an error.
//! A file that vanishes while the folder is read was deleted or renamed by someone else and is simply not there.
//!
//! Cost: each page reads the whole folder once and asks the size of each name on the page.

use wasip2::filesystem::types::{Descriptor, DescriptorType, ErrorCode, PathFlags};

use super::failure::attempt;
use super::page::Picker;
use super::{Directory, failure};
use crate::{Error, ObjectInfo, Page, names};

/// Vanished files that one reading of a folder puts up with; a host whose listing never ends is found out so.
const VANISHED: usize = 10_000;

impl Directory {
    /// The page of the folder's objects that begin with `prefix` and come after `after`, at most `limit`.
    pub fn list(&self, folder: &str, prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, Error> {
        let parent = self.folder(folder)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut after = after.map(str::to_owned);
        loop {
            let mut picker = Picker::new(prefix, after.as_deref(), limit);
            each_file(&parent, folder, |name| picker.take(name))?;
            let (names, more) = picker.finish();
            let last = names.last().cloned();
            let objects = with_sizes(&parent, folder, names)?;
            // All of the page vanished meanwhile: the caller could not go on from an empty page.
            if objects.is_empty() && more {
                after = last;
                continue;
            }
            return Ok(Page { objects, more });
        }
    }
}

/// Calls `take` with the name of each object of the folder, in no order.
fn each_file(parent: &Descriptor, folder: &str, mut take: impl FnMut(String)) -> Result<(), Error> {
    let what = || format!("list the container {folder}");
    let entries = attempt(parent.read_directory(), what)?;
    let mut vanished = 0;
    loop {
        match entries.read_directory_entry() {
            Ok(None) => return Ok(()),
            Ok(Some(entry)) => {
                if entry.type_ == DescriptorType::RegularFile && !names::is_reserved(&entry.name) {
                    take(entry.name);
                }
            }
            Err(ErrorCode::NoEntry) if vanished < VANISHED => vanished += 1,
            Err(code) => return Err(failure::error(code, what())),
        }
    }
}

fn with_sizes(parent: &Descriptor, folder: &str, names: Vec<String>) -> Result<Vec<ObjectInfo>, Error> {
    let mut objects = Vec::with_capacity(names.len());
    for name in names {
        match parent.stat_at(PathFlags::empty(), &name) {
            Ok(stat) if stat.type_ == DescriptorType::RegularFile => {
                objects.push(ObjectInfo {
                    name,
                    size: stat.size,
                });
            }
            Ok(_) | Err(ErrorCode::NoEntry) => {}
            Err(code) => {
                return Err(failure::error(
                    code,
                    format!("look at {}", super::shown(folder, &name)),
                ));
            }
        }
    }
    Ok(objects)
}
