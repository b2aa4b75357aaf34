//! Objects as files below one granted directory.
//!
//! Problem: paths come from settings, users and records, files must survive a power cut, and a listing must be
//! complete. Solved by descriptor-relative WASI calls only: the root is opened anew for each call (so that what
//! is mounted or mended meanwhile is seen), every folder and file is opened below it, and the sandbox lets no
//! path and no symbolic link lead out of it. A folder may be reached through a symbolic link that stays below
//! the root, as in Cinder; an object is a plain file and never a link.
//!
//! Bound: a few descriptors per call, and of a listing only the page; no object's byte enters the guest. Cost:
//! one open of the root and one of the folder per call.
//!
//! Modes: WASI has no chmod, so files get 0666 and folders 0777 less the host's umask. With umask 0007 they are
//! 0660 and 0770, which is what Cinder's posix driver makes.
//!
//! One file per purpose: [`grant`] finds the preopen, [`put`] and [`get`] move objects, [`list`] and [`containers`] make pages,
//! [`canary`] proves that all of it works, [`failure`] turns WASI's codes into the contract's errors.

mod canary;
mod containers;
mod failure;
mod get;
mod grant;
mod list;
mod page;
mod put;

use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

use crate::{Error, names};

use failure::attempt;

/// A directory that the deployer granted, or one below it.
#[derive(Debug)]
pub struct Directory {
    preopen: Descriptor,
    /// The way from the preopen: `.` or a relative path.
    below: String,
    /// As the deployer wrote it, for errors.
    path: String,
}

impl Directory {
    /// Finds the grant that covers the absolute path. Opens nothing: a directory that is missing is found out by
    /// the first call that uses it, as `unavailable`. The error is a reason, fit for `invalid-configuration`.
    pub fn granted(path: &str) -> Result<Self, String> {
        let preopens = preopens::get_directories();
        let (index, below) = grant::find(preopens.iter().map(|(_, granted)| granted.as_str()), path)?;
        let preopen = preopens.into_iter().nth(index).map(|(descriptor, _)| descriptor);
        let preopen = preopen.ok_or_else(|| format!("the grant of {path} is gone"))?;
        Ok(Self {
            preopen,
            below,
            path: path.to_owned(),
        })
    }

    /// As the deployer wrote it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the directory is still there and can be opened. Changes nothing.
    pub fn probe(&self) -> Result<(), Error> {
        self.root().map(drop)
    }

    /// Makes the folder and whatever is missing on the way to it. After success all of it survives a power cut;
    /// therefore parents are synced even of folders that are there, since who made them may have been cut off.
    pub fn create_dir_all(&self, folder: &str) -> Result<(), Error> {
        names::check_folder(folder)?;
        self.make_folders(folder)
    }

    /// The size of the object, or `not-found`.
    pub fn stat(&self, folder: &str, name: &str) -> Result<u64, Error> {
        names::check_object(name)?;
        let parent = self.folder(folder)?;
        let stat = attempt(parent.stat_at(PathFlags::empty(), name), || {
            format!("look at {}", shown(folder, name))
        })?;
        if stat.type_ == DescriptorType::RegularFile {
            Ok(stat.size)
        } else {
            Err(not_an_object(folder, name))
        }
    }

    /// Deletes the object for good, and what an unfinished put of it left. Succeeds when nothing is there; what
    /// stands under the name and is no plain file is no object and stays.
    pub fn delete(&self, folder: &str, name: &str) -> Result<(), Error> {
        names::check_object(name)?;
        let parent = match self.folder(folder) {
            Err(Error::NotFound(_)) => return Ok(()),
            other => other?,
        };
        for file in [name.to_owned(), names::part(name), names::kept(name)] {
            match parent.stat_at(PathFlags::empty(), &file) {
                Err(ErrorCode::NoEntry) => continue,
                Ok(stat) if stat.type_ != DescriptorType::RegularFile => continue,
                Ok(_) => remove(&parent, &file)
                    .map_err(|code| failure::error(code, format!("delete {}", shown(folder, &file))))?,
                Err(code) => return Err(failure::error(code, format!("look at {}", shown(folder, &file)))),
            }
        }
        // Also when nothing was there: an earlier delete may have been cut off before this.
        attempt(parent.sync(), || format!("sync the folder {folder}"))
    }

    /// Opens the root. A root that is gone is `unavailable`, never `not-found`: it may come back.
    fn root(&self) -> Result<Descriptor, Error> {
        let opened = self.preopen.open_at(
            PathFlags::SYMLINK_FOLLOW,
            &self.below,
            OpenFlags::DIRECTORY,
            DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
        );
        let links = opened.and_then(|root| Ok((root.stat()?.link_count, root)));
        match links {
            Ok((0, _)) => Err(Error::unavailable(format!(
                "the directory {} was deleted",
                self.path
            ))),
            Ok((_, root)) => Ok(root),
            Err(ErrorCode::NoEntry) => Err(Error::unavailable(format!(
                "the directory {} is missing",
                self.path
            ))),
            Err(ErrorCode::NotDirectory) => {
                Err(Error::unavailable(format!("{} is not a directory", self.path)))
            }
            Err(code) => Err(failure::error(code, format!("open the directory {}", self.path))),
        }
    }

    /// Opens a folder that must be there.
    fn folder(&self, folder: &str) -> Result<Descriptor, Error> {
        names::check_folder(folder)?;
        self.open_folder(folder)
    }

    fn open_folder(&self, folder: &str) -> Result<Descriptor, Error> {
        match open_folder_at(&self.root()?, folder) {
            Err(ErrorCode::NoEntry) => Err(Error::not_found(format!("there is no container {folder}"))),
            other => attempt(other, || format!("open the container {folder}")),
        }
    }

    fn make_folders(&self, folder: &str) -> Result<(), Error> {
        let mut parent = self.root()?;
        for component in folder.split('/') {
            let child = match open_folder_at(&parent, component) {
                Err(ErrorCode::NoEntry) => match parent.create_directory_at(component) {
                    Ok(()) | Err(ErrorCode::Exist) => open_folder_at(&parent, component),
                    Err(code) => Err(code),
                },
                there => there,
            };
            let child = attempt(child, || format!("make the folder {component} of {folder}"))?;
            attempt(parent.sync(), || {
                format!("sync the parent of the folder {component} of {folder}")
            })?;
            parent = child;
        }
        Ok(())
    }
}

fn open_folder_at(parent: &Descriptor, folder: &str) -> Result<Descriptor, ErrorCode> {
    parent.open_at(
        PathFlags::SYMLINK_FOLLOW,
        folder,
        OpenFlags::DIRECTORY,
        DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
    )
}

/// Removes a file; one that is not there is removed already.
fn remove(folder: &Descriptor, file: &str) -> Result<(), ErrorCode> {
    match folder.unlink_file_at(file) {
        Err(ErrorCode::NoEntry) => Ok(()),
        other => other,
    }
}

fn shown(folder: &str, name: &str) -> String {
    format!("the object {name} of the container {folder}")
}

fn not_an_object(folder: &str, name: &str) -> Error {
    Error::not_found(format!(
        "{} is not a plain file, and so no object",
        shown(folder, name)
    ))
}
