//! A copy of the catalog while it is in use: `VACUUM INTO`, which reads one moment of the database and writes a new file.
//!
//! The copy gets its name only when it is whole and durable, and never the name of something that is there. Bound: the disk's
//! space; a reader's view of the database is held as long as it takes, so its log grows meanwhile. Cost: the file's size
//! read and written once.

use std::fs::File;
use std::path::Path;

use super::Catalog;
use crate::{CatalogError, Result};

impl Catalog {
    /// Writes a copy of this moment to a new file (mode 0600).
    ///
    /// # Errors
    /// [`CatalogError::Copy`] when there is something already, or it cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<()> {
        let unwritable = |error: &dyn std::fmt::Display| CatalogError::Copy {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        if path.symlink_metadata().is_ok() {
            return Err(unwritable(&"there is something already"));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // An empty file of ours is what VACUUM INTO may write to; it has the mode 0600 from the beginning.
        let unfinished = tempfile::Builder::new()
            .prefix(".catalog.")
            .suffix(".unfinished")
            .tempfile_in(folder)
            .map_err(|error| unwritable(&error))?;
        let name = unfinished
            .path()
            .to_str()
            .ok_or_else(|| unwritable(&"the path is not UTF-8"))?;
        sqlx::query("VACUUM INTO ?")
            .bind(name.to_owned())
            .execute(&self.readers)
            .await
            .map_err(|error| unwritable(&error))?;
        let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
        sync(unfinished.path()).map_err(|error| unwritable(&error))?;
        unfinished
            .persist_noclobber(path)
            .map_err(|error| unwritable(&error.error))?;
        sync(folder).map_err(|error| unwritable(&error))
    }
}
