//! Makes a running service take its configuration anew: for SIGHUP and for `POST /v1/reload`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_api::model::ErrorView;
use cofferdam_manager::{Manager, ReloadError, Reloaded};

use crate::config::Config;
use crate::exit;

/// Reads the file, checks all of it, and changes what differs; whatever is wrong with it changes nothing.
///
/// # Errors
/// With file, line and column where the file is at fault.
pub(crate) async fn reload(file: &Path, manager: &Manager) -> anyhow::Result<Reloaded> {
    let config = Config::read(file)?;
    let backends = config.backend_options()?;
    manager
        .reload(&config.service_options(), backends)
        .await
        .map_err(|error| match error {
            ReloadError::Backend { name, refusal } => {
                let message = format!("backend {name}: {} ({})", refusal.message, refusal.remedy);
                config
                    .error_at(&name, refusal.option.as_deref().unwrap_or(""), message)
                    .into()
            }
            ReloadError::Manager(error) => crate::client::service_error(error).into(),
        })
}

/// The same for the API.
pub(crate) fn for_api(file: PathBuf, manager: Arc<Manager>) -> cofferdam_api::Reload {
    Arc::new(move || {
        let (file, manager) = (file.clone(), manager.clone());
        Box::pin(async move { logged(&file, &manager).await })
    })
}

/// The same with what became of it in the log.
pub(crate) async fn logged(file: &Path, manager: &Manager) -> Result<Reloaded, ErrorView> {
    reload(file, manager).await.map_err(|error| {
        let view = exit::view(&error);
        tracing::error!(code = %view.code, message = %view.message, "the configuration was not reloaded; nothing has changed");
        view
    })
}
