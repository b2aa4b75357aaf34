//! Writing an object so that it is there whole or not at all, and stays after a power cut.
//!
//! Written under a hidden name, synced, renamed, folder synced. The hidden name is the same for every attempt
//! and the file behind it always new: a put that was killed leaves one file that the next attempt removes, and a
//! put that hangs in the kernel and comes back later writes into a file that has no name any more. That the name
//! still belongs to this put is checked before the rename.
//!
//! A sync that failed is never tried again (the kernel may have dropped the pages and would then say yes): the
//! put fails. If that happens to the folder, after the rename, what was there before is put back: a replaced
//! object is kept by a second link until its successor is safe. On a file system without hard links that last
//! step is impossible; there the new object stays visible although the put reports the failure.
//!
//! Cost: about twelve calls into the host per object, whatever its size, and two syncs.

use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

use super::failure::attempt;
use super::{Directory, failure, remove, shown};
use crate::{Error, OutputStream, log, names};

impl Directory {
    /// Makes or replaces the object with what `fill` writes; `fill` says how many bytes it wrote, and so does
    /// this. The folder must be there. After an error the object is what it was before.
    pub fn write_atomically(
        &self,
        folder: &str,
        name: &str,
        fill: impl FnOnce(&OutputStream) -> Result<u64, Error>,
    ) -> Result<u64, Error> {
        names::check_object(name)?;
        let parent = self.folder(folder)?;
        write_at(&parent, folder, name, fill)
    }
}

pub(super) fn write_at(
    parent: &Descriptor,
    folder: &str,
    name: &str,
    fill: impl FnOnce(&OutputStream) -> Result<u64, Error>,
) -> Result<u64, Error> {
    let part = names::part(name);
    attempt(remove(parent, &part), || {
        format!("clear away an unfinished put of {}", shown(folder, name))
    })?;
    let written = write_part(parent, &part, &shown(folder, name), fill)
        .and_then(|bytes| publish(parent, &part, folder, name).map(|()| bytes));
    if written.is_err()
        && let Err(code) = remove(parent, &part)
    {
        log::warn(format!(
            "the unfinished file {part} stays in {folder}: {}",
            code.name()
        ));
    }
    written
}

/// Writes and syncs the hidden file, and makes sure that it is whole and still the one under its name.
fn write_part(
    parent: &Descriptor,
    part: &str,
    object: &str,
    fill: impl FnOnce(&OutputStream) -> Result<u64, Error>,
) -> Result<u64, Error> {
    let create = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    let file = parent.open_at(PathFlags::empty(), part, create, DescriptorFlags::WRITE);
    let file = attempt(file, || format!("make a file for {object}"))?;

    let sink = attempt(file.write_via_stream(0), || format!("write {object}"))?;
    let written = fill(&sink)?;
    drop(sink);

    let stat = attempt(file.stat(), || format!("look at {object} after writing"))?;
    if stat.size != written {
        return Err(Error::failed(format!(
            "{object}: {written} bytes were written, the file has {}",
            stat.size
        )));
    }
    attempt(file.sync(), || format!("sync {object}"))?;

    let ours = attempt(file.metadata_hash(), || format!("identify {object}"))?;
    match parent.metadata_hash_at(PathFlags::empty(), part) {
        Ok(there) if (there.lower, there.upper) == (ours.lower, ours.upper) => Ok(written),
        Ok(_) | Err(ErrorCode::NoEntry) => Err(Error::failed(format!(
            "another put or delete of {object} came in between"
        ))),
        Err(code) => Err(failure::error(code, format!("identify {object}"))),
    }
}

/// Gives the whole and synced file its name, for good.
fn publish(parent: &Descriptor, part: &str, folder: &str, name: &str) -> Result<(), Error> {
    let object = || shown(folder, name);
    let before = match parent.stat_at(PathFlags::empty(), name) {
        Err(ErrorCode::NoEntry) => Before::Nothing,
        Ok(stat) if stat.type_ == DescriptorType::Directory => {
            return Err(Error::already_exists(format!(
                "a folder stands in the place of {}",
                object()
            )));
        }
        Ok(_) => keep(parent, name),
        Err(code) => return Err(failure::error(code, format!("look at {}", object()))),
    };
    let renamed = parent.rename_at(part, parent, name);
    let result = match renamed {
        Ok(()) => attempt(parent.sync(), || format!("sync the folder {folder}")).inspect_err(|_| {
            if let Err(code) = put_back(parent, name, &before) {
                log::error(format!("{} could not be put back: {}", object(), code.name()));
            }
        }),
        Err(code) => Err(failure::error(
            code,
            format!("rename the finished file to {}", object()),
        )),
    };
    if let Before::Kept(kept) = before
        && let Err(code) = remove(parent, &kept)
    {
        log::warn(format!(
            "the replaced object's file {kept} stays in {folder}: {}",
            code.name()
        ));
    }
    result
}

/// What stood under the name before a put.
enum Before {
    Nothing,
    /// An object, now also under this hidden name.
    Kept(String),
    /// An object that could not be kept: no hard links here.
    Replaced,
}

fn keep(parent: &Descriptor, name: &str) -> Before {
    let kept = names::kept(name);
    let linked = remove(parent, &kept).and_then(|()| parent.link_at(PathFlags::empty(), name, parent, &kept));
    if linked.is_ok() {
        Before::Kept(kept)
    } else {
        Before::Replaced
    }
}

fn put_back(parent: &Descriptor, name: &str, before: &Before) -> Result<(), ErrorCode> {
    match before {
        Before::Nothing => parent.unlink_file_at(name),
        Before::Kept(kept) => parent.rename_at(kept, parent, name),
        Before::Replaced => Err(ErrorCode::Unsupported),
    }
}
