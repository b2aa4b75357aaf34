//! Listing the containers: the folders below the root that hold objects, however deep.
//!
//! Symbolic links are not followed, so that the walk ends; what they lead to is found where it is, if it is below the root.
//! A folder that vanishes during the walk holds nothing. Bound: the names of one page, and one open folder per level.
//! Cost: each page walks all folders that may hold names of it.

use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

use super::Directory;
use super::failure::attempt;
use super::page::Picker;
use crate::{ContainerPage, Error, names};

impl Directory {
    /// The page of the folders with objects in them that come after `after`, at most `limit`.
    pub fn list_containers(&self, after: Option<&str>, limit: u32) -> Result<ContainerPage, Error> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut picker = Picker::new("", after, limit);
        walk(&self.root()?, "", after.unwrap_or_default(), &mut picker)?;
        let (containers, more) = picker.finish();
        Ok(ContainerPage { containers, more })
    }
}

/// Looks at the folders in `parent`, whose path is `path` (with a `/` at its end, but for the root).
fn walk(parent: &Descriptor, path: &str, after: &str, picker: &mut Picker<'_>) -> Result<bool, Error> {
    let mut holds_objects = false;
    for (name, kind) in entries(parent, path)? {
        if kind != DescriptorType::Directory {
            holds_objects |= kind == DescriptorType::RegularFile && !names::is_reserved(&name);
            continue;
        }
        let folder = format!("{path}{name}");
        if names::check_folder(&folder).is_err() {
            // No backup was ever placed there.
            continue;
        }
        let below = format!("{folder}/");
        if below.as_str() < after && !after.starts_with(&below) {
            continue;
        }
        let opened = parent.open_at(
            PathFlags::empty(),
            &name,
            OpenFlags::DIRECTORY,
            DescriptorFlags::READ,
        );
        match opened {
            Err(ErrorCode::NoEntry) => {}
            opened => {
                let opened = attempt(opened, || format!("open the folder {folder}"))?;
                if walk(&opened, &below, after, picker)? {
                    picker.take(folder);
                }
            }
        }
    }
    Ok(holds_objects)
}

fn entries(folder: &Descriptor, path: &str) -> Result<Vec<(String, DescriptorType)>, Error> {
    let what = || format!("list the folder {path}");
    let stream = attempt(folder.read_directory(), what)?;
    let mut all = Vec::new();
    loop {
        match stream.read_directory_entry() {
            Ok(None) => return Ok(all),
            Ok(Some(entry)) => all.push((entry.name, entry.type_)),
            Err(ErrorCode::NoEntry) => {}
            Err(code) => return Err(super::failure::error(code, what())),
        }
    }
}
