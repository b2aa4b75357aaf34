//! `cofferdam driver add|list|remove|verify`: installed drivers, in a folder of `driver_path`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use cofferdam_api::model::ErrorView;
use cofferdam_distribution::{
    COMPONENT_SIZE, Condition, Described, Listed, OptionEntry, OptionKind, Outcome, Progress, Request,
    Sha256Digest, Signer, Source, Store, TrustedKeys, fetch,
};
use cofferdam_manager::{Inspection, Inspector, Limits, kind_of};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::client::{helper, service_error};
use crate::commands::Context;
use crate::config::Config;
use crate::exit::ServiceError;
use crate::show;

/// How long a component may take to be compiled here, where nobody waits for a backend.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(600);

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The folder of installed drivers; the first of the configuration's driver_path when it is not said
    #[arg(long, value_name = "FOLDER")]
    store: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// A .wasm file, a package folder, an OCI layout (FOLDER:TAG), or oci://HOST/REPOSITORY:TAG
    source: String,
    /// Exchange an installed driver of the same name for this one
    #[arg(long)]
    replace: bool,
    /// The SHA-256 that the component must have
    #[arg(long, value_name = "HEX")]
    sha256: Option<Sha256Digest>,
    /// The licence, for a component that comes without a manifest
    #[arg(long, value_name = "SPDX")]
    licence: Option<String>,
    #[command(flatten)]
    folder: Folder,
}

impl Folder {
    fn path(&self, config: Option<&Config>) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.store {
            return Ok(std::path::absolute(folder)?);
        }
        let first = config.and_then(|config| config.driver_path().into_iter().next());
        first.context("no folder of drivers: say --store FOLDER, or set driver_path in the configuration")
    }
}

/// The configuration, when there is one.
fn config(context: &Context) -> anyhow::Result<Option<Config>> {
    match context.config.exists() {
        true => Config::read_without_backends(&context.config).map(Some),
        false => Ok(None),
    }
}

fn keys(config: Option<&Config>) -> anyhow::Result<TrustedKeys> {
    let keys = config.map(Config::driver_keys).unwrap_or_default();
    Ok(TrustedKeys::read(&keys)?)
}

pub(super) async fn add(context: &Context, arguments: &Add) -> anyhow::Result<()> {
    let config = config(context)?;
    let source = Source::parse(&arguments.source)?;
    let store = Store::create(&arguments.folder.path(config.as_ref())?)?;
    let size = config.as_ref().map_or(COMPONENT_SIZE, Config::component_size);
    let request = Request {
        keys: keys(config.as_ref())?,
        pin: arguments.sha256,
        component_size: Some(size),
        ..Request::default()
    };
    let progress = Steps::new(context.json);
    let fetched = fetch(&store, &source, &request, &|at| progress.fetching(at)).await?;
    progress.compiling();
    let begin = Instant::now();
    // Into the service's own cache, so that it finds the code when it starts.
    let inspector = match &config {
        Some(config) => Inspector::on_cache(helper(), config.state_path().join("compiled")).await,
        None => Inspector::start(helper()).await,
    };
    let found = inspect(&inspector.map_err(service_error)?, &fetched.component(), size).await?;
    progress.end();
    let compiled = begin.elapsed();
    let signer = fetched.signer().map(shown);
    let origin = fetched.origin().to_owned();
    let installed = fetched.install(
        &described(&found)?,
        arguments.licence.as_deref(),
        arguments.replace,
    )?;
    let what = match &installed.outcome {
        Outcome::Added => "added".to_owned(),
        Outcome::Present => "was there already".to_owned(),
        Outcome::Replaced(Some(old)) => format!("took the place of version {old}"),
        Outcome::Replaced(None) => "took the place of another".to_owned(),
    };
    let manifest = &installed.manifest;
    if context.json {
        return show::json(&json!({
            "name": manifest.name, "version": manifest.version, "sha256": manifest.sha256.to_string(),
            "component": installed.component, "origin": origin, "signer": signer, "outcome": what,
            "compile_seconds": compiled.as_secs_f64(),
        }));
    }
    show::line(&format!(
        "{} {} {what}: {}\n  sha256:{}\n  compiled in {:.1} s{}",
        manifest.name,
        manifest.version,
        installed.component.display(),
        manifest.sha256,
        compiled.as_secs_f64(),
        signer.map_or_else(String::new, |signer| format!("\n  signed by {signer}"))
    ));
    show::line(&format!(
        "To hold a backend to these very bytes:\n    backup_driver = {:?}\n    driver_sha256 = \"{}\"",
        manifest.name, manifest.sha256
    ));
    Ok(())
}

/// Compiles and describes a component, with time enough: nobody waits for a backend here.
pub(super) async fn inspect(
    inspector: &Inspector,
    file: &Path,
    component_size: u64,
) -> anyhow::Result<Inspection> {
    let limits = Arc::new(Limits {
        component_size,
        compile_timeout: COMPILE_TIMEOUT,
        ..Limits::default()
    });
    let found = inspector.inspect(file, &limits, &[]).await;
    Ok(found.map_err(service_error)?)
}

/// A key, and what its owner wrote beside the signature.
fn shown(signer: &Signer) -> String {
    format!("{} ({})", signer.key, signer.comment)
}

/// What a component says of itself, as its manifest has it.
pub(super) fn described(found: &Inspection) -> anyhow::Result<Described> {
    let option = |option: &cofferdam_manager::OptionInfo| {
        let (kind, _) = kind_of(option);
        Ok(OptionEntry {
            name: option.name.clone(),
            kind: OptionKind::named(kind).with_context(|| format!("an option of the kind {kind}"))?,
            required: option.required,
        })
    };
    Ok(Described {
        name: found.info.name.clone(),
        version: found.info.version.clone(),
        contract: found.report.contract.clone(),
        description: found.info.description.clone(),
        options: found
            .info
            .options
            .iter()
            .map(option)
            .collect::<anyhow::Result<_>>()?,
    })
}

pub(super) fn list(context: &Context, folder: &Folder) -> anyhow::Result<()> {
    let store = Store::open(&folder.path(config(context)?.as_ref())?)?;
    let all = store.list()?;
    if context.json {
        return show::json(&all.iter().map(row).collect::<Vec<_>>());
    }
    show::drivers(&all);
    Ok(())
}

fn row(listed: &Listed) -> serde_json::Value {
    let manifest = listed.installed.as_ref().and_then(|one| one.manifest.as_ref());
    let (condition, sha256, reason) = match &listed.condition {
        Condition::Whole(digest) => ("whole", Some(digest.to_string()), None),
        Condition::Unrecorded(digest) => ("unrecorded", Some(digest.to_string()), None),
        Condition::Damaged(reason) => ("damaged", None, Some(reason)),
    };
    json!({
        "name": listed.name,
        "version": manifest.map(|manifest| &manifest.version),
        "licence": manifest.map(|manifest| &manifest.licence),
        "component": listed.installed.as_ref().map(|one| &one.component),
        "origin": listed.installed.as_ref().and_then(|one| one.origin.as_ref()),
        "condition": condition, "sha256": sha256, "reason": reason,
    })
}

pub(super) fn remove(context: &Context, name: &str, folder: &Folder) -> anyhow::Result<()> {
    let config = config(context)?;
    let store = Store::open(&folder.path(config.as_ref())?)?;
    let users = match (&config, store.find(name)?) {
        (Some(config), Some(installed)) => config.users_of(&installed.component),
        _ => Vec::new(),
    };
    if !users.is_empty() {
        bail!(ServiceError(ErrorView {
            code: "conflict".into(),
            message: format!("the driver {name} is used by: {}", users.join(", ")),
            remedy: "take those backends out of the configuration first".into(),
        }));
    }
    store.remove(name, &users)?;
    match context.json {
        true => show::json(&json!({ "removed": name })),
        false => {
            show::line(&format!("{name} was removed"));
            Ok(())
        }
    }
}

pub(super) fn verify(context: &Context, name: Option<&str>, folder: &Folder) -> anyhow::Result<()> {
    let config = config(context)?;
    let store = Store::open(&folder.path(config.as_ref())?)?;
    let keys = keys(config.as_ref())?;
    let names: Vec<String> = match name {
        Some(name) => vec![name.to_owned()],
        None => store.list()?.into_iter().map(|listed| listed.name).collect(),
    };
    let mut rows = Vec::new();
    let mut wrong = 0;
    for name in names {
        let (sound, what) = match store.verify(&name, &keys, None) {
            Ok((digest, signer)) => {
                let signer = signer.map_or_else(String::new, |one| format!(", signed by {}", shown(&one)));
                (true, format!("sha256:{digest}{signer}"))
            }
            Err(error) => (false, error.to_string()),
        };
        wrong += usize::from(!sound);
        if !context.json {
            show::line(&format!(
                "{name}: {} {what}",
                if sound { "sound" } else { "NOT SOUND" }
            ));
        }
        rows.push(json!({ "name": name, "sound": sound, "what": what }));
    }
    if context.json {
        show::json(&rows)?;
    }
    if wrong == 0 {
        return Ok(());
    }
    bail!(ServiceError(ErrorView {
        code: "corrupt".into(),
        message: format!("{wrong} drivers are not what was added, or not signed as they must be"),
        remedy: "add them again from where they come".into(),
    }))
}

/// What an add is doing: a bar on a terminal, lines elsewhere, nothing with JSON.
struct Steps {
    bar: ProgressBar,
    plain: bool,
}

impl Steps {
    fn new(json: bool) -> Self {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let bar = ProgressBar::with_draw_target(
            None,
            if json || !terminal {
                ProgressDrawTarget::hidden()
            } else {
                ProgressDrawTarget::stderr()
            },
        );
        // A wrong template is a matter of taste here, not of function.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Steps {
            bar,
            plain: !json && !terminal,
        }
    }

    fn fetching(&self, at: Progress) {
        match at {
            Progress::Fetching { done, total } => self.bar.set_message(format!(
                "fetching: {} of {}",
                show::bytes(done),
                show::bytes(total)
            )),
            Progress::Checking => self.say("checking digest and signature"),
        }
    }

    fn compiling(&self) {
        self.say("compiling; a component of Python or JavaScript takes up to half a minute");
    }

    fn say(&self, what: &'static str) {
        self.bar.set_message(what);
        if self.plain {
            show::note(what);
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
