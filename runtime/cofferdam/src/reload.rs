//! Makes a running service take its configuration anew: for SIGHUP and for `POST /v1/reload`.
//!
//! All or nothing: the file, its drivers and the files of TLS are checked first. systemd is told before and after. One
//! reload at a time.

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_api::model::ErrorView;
use cofferdam_manager::{Manager, ReloadError, Reloaded};

use crate::config::Config;
use crate::exit;
use crate::serve::Tls;
use crate::systemd::{self, Systemd};

/// What a reload changes.
pub(crate) struct Reloader {
    /// The file.
    pub(crate) file: PathBuf,
    /// What the service was started with.
    pub(crate) started: Config,
    /// What runs the backends.
    pub(crate) manager: Arc<Manager>,
    /// What the TCP listener speaks, if it speaks TLS.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Who is told.
    pub(crate) systemd: Arc<Systemd>,
    /// One at a time.
    pub(crate) one: tokio::sync::Mutex<()>,
}

impl Reloader {
    /// Reads the file, checks all of it, and changes what differs; whatever is wrong with it changes nothing.
    ///
    /// # Errors
    /// With file, line and column where the file is at fault.
    async fn reload(&self) -> anyhow::Result<Reloaded> {
        let config = Config::read(&self.file)?;
        let backends = config.backend_options()?;
        let files = config.listen().and_then(|listen| listen.tls);
        let tls = match (&self.tls, files) {
            (Some(tls), Some(files)) => Some((tls, crate::serve::read_tls(&files)?)),
            _ => None,
        };
        let reloaded = self.manager.reload(&config.service_options(), backends).await;
        let mut done = reloaded.map_err(|error| match error {
            ReloadError::Backend { name, refusal } => {
                let message = format!("backend {name}: {} ({})", refusal.message, refusal.remedy);
                anyhow::Error::from(config.error_at(&name, refusal.option.as_deref().unwrap_or(""), message))
            }
            ReloadError::Manager(error) => crate::client::service_error(error).into(),
        })?;
        if let Some((tls, read)) = tls {
            tls.replace(read);
        }
        done.needs_restart.extend(self.started.differs_at_start(&config));
        Ok(done)
    }

    /// The same, with what became of it in the log and told to systemd.
    ///
    /// # Errors
    /// As an answer of the API.
    pub(crate) async fn logged(&self) -> Result<Reloaded, ErrorView> {
        let _one = self.one.lock().await;
        self.systemd.reloading().await;
        let result = self.reload().await;
        let status = systemd::status(&self.manager);
        match result {
            Ok(done) => {
                self.systemd.ready(&status).await;
                Ok(done)
            }
            Err(error) => {
                let view = exit::view(&error);
                tracing::error!(code = %view.code, message = %view.message, "the configuration was not reloaded; nothing has changed");
                let status = format!("{status}; the last reload failed and changed nothing, see the log");
                self.systemd.ready(&status).await;
                Err(view)
            }
        }
    }

    /// The same for the API.
    pub(crate) fn for_api(self: &Arc<Self>) -> cofferdam_api::Reload {
        let reloader = self.clone();
        Arc::new(move || {
            let reloader = reloader.clone();
            Box::pin(async move { reloader.logged().await })
        })
    }
}
