//! The catalog as a file: where it is, whether it is sound, and copies of it. All of it works beside a running service.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_catalog::{Catalog, Finding};

use crate::error::ManagerError;
use crate::manager::Manager;
use crate::options::ServiceOptions;

/// Where the catalog of a service is.
pub fn catalog_path(options: &ServiceOptions) -> PathBuf {
    options.state_path.join("catalog.sqlite")
}

/// Looks through the whole catalog: all that should not be. Reads it twice.
///
/// # Errors
/// When there is none, it cannot be read, or another version wrote it.
pub async fn check_catalog(options: &ServiceOptions) -> Result<Vec<Finding>, ManagerError> {
    let catalog = look_at(options).await?;
    let found = catalog.check().await;
    catalog.close().await;
    Ok(found?)
}

/// Writes a copy of the catalog, of one moment and durable, to a new file.
///
/// # Errors
/// When there is no catalog, or there is something at that path, or it cannot be written.
pub async fn copy_catalog(options: &ServiceOptions, to: &Path) -> Result<(), ManagerError> {
    let catalog = look_at(options).await?;
    let copied = catalog.copy_to(to).await;
    catalog.close().await;
    Ok(copied?)
}

async fn look_at(options: &ServiceOptions) -> Result<Catalog, ManagerError> {
    let path = catalog_path(options);
    if !path.exists() {
        return Err(ManagerError::Service {
            message: format!("there is no catalog {}", path.display()),
            remedy:
                "the first start of a service makes one; `cofferdam catalog rebuild` fills it from storage"
                    .into(),
        });
    }
    Ok(Catalog::look_at(&path).await?)
}

/// Looks at every page of a catalog that was too great to be looked at before the start, and tells damage loudly.
pub(crate) fn look_later(manager: &Arc<Manager>) {
    if manager.catalog.was_looked_at() {
        return;
    }
    let (catalog, path) = (manager.catalog.clone(), catalog_path(&manager.options));
    tokio::spawn(async move {
        match catalog.check_pages().await {
            Ok(()) => tracing::debug!(path = %path.display(), "every page of the catalog is sound"),
            Err(error) => tracing::error!(
                %error, path = %path.display(),
                "the catalog cannot be relied on: stop the service, move the file away, put a copy of `cofferdam catalog \
                 backup` in its place, or fill a new one from storage with `cofferdam catalog rebuild`"
            ),
        }
    });
}
