//! `cofferdam driver test`: a component through the conformance kit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use cofferdam_api::model::ErrorView;
use cofferdam_conformance::{self as conformance, Case, Report, Sandbox, Setup, Subject, cases, words};
use cofferdam_manager::{Failure, Grants, Limits, ManagerError, OptionKind, Written, units};
use serde::Serialize;

use crate::client::{helper, service_error};
use crate::commands::Context;
use crate::exit::ServiceError;
use crate::show;

#[derive(Debug, Args)]
#[command(after_help = "\
The settings come from --set, and what they name is granted: the directory may be used, the server may be reached. Or they \
come from a backend of the configuration, with its grants and limits. The kit puts, damages and deletes objects of its own in \
one container, and sends requests through a proxy that misbehaves on purpose: use a storage that nothing else depends on.

Exit codes: 0 nothing failed; 1 a case failed, or the component cannot be used; 2 wrong command line; 3 configuration error.")]
pub(crate) struct Arguments {
    /// The component
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// A setting of the driver; may be repeated. A secret may be file:PATH or env:NAME
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, conflicts_with = "backend")]
    set: Vec<(String, String)>,
    /// The backend of the configuration whose settings, grants and limits are used
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// The container that the kit works in; it and a second one (-2) are made if they are missing, and left empty
    #[arg(long, value_name = "NAME", default_value = "cofferdam-conformance")]
    container: String,
    /// Only cases of this number, of this group, or with this in their name; may be repeated
    #[arg(long, value_name = "WHAT")]
    only: Vec<String>,
    /// What bytes and random choices are made from; the same seed does the same again
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// A size of an object at which the driver begins another part, such as 5MiB; may be repeated
    #[arg(long, value_name = "SIZE", value_parser = size)]
    boundary: Vec<u64>,
    /// Try ten thousand objects too: minutes
    #[arg(long)]
    thousands: bool,
    /// Try objects of gigabytes too: minutes, and room for them
    #[arg(long)]
    gigabytes: bool,
    /// Write the report as JUnit's XML too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Only print the cases
    #[arg(long)]
    list: bool,
    /// Measure instead of testing: throughput beside a native program, fuel, memory, starts
    #[arg(long, conflicts_with_all = ["only", "junit", "list"])]
    bench: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn size(text: &str) -> Result<u64, String> {
    let plain = text.parse().ok();
    plain
        .or_else(|| units::parse_size(text))
        .ok_or_else(|| "write a size such as 5MiB".into())
}

pub(super) async fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let cases = chosen(&arguments.only)?;
    let Some(file) = arguments.file.as_ref().filter(|_| !arguments.list) else {
        return list(context, &cases);
    };
    let file = std::path::absolute(file)?;
    let cache = cache()?;
    let sandbox = Sandbox::start(helper(), cache).await.map_err(failed)?;
    let given = given(context, arguments, &sandbox, &file).await?;
    let setup = Setup {
        settings: given.settings,
        grants: given.grants,
        limits: given.limits,
        boundaries: arguments.boundary.clone(),
        thousands: arguments.thousands,
        gigabytes: arguments.gigabytes,
        ..Setup::default()
    };
    let subject = Subject::load(&sandbox, &file, setup).await.map_err(failed)?;
    if arguments.bench {
        return measure(context, &subject, &arguments.container).await;
    }
    let replay = format!("cofferdam driver test {}{}", file.display(), given.replay);
    let report = conformance::run(&subject, &arguments.container, &cases, arguments.seed, |tried| {
        if !context.json {
            show::line(&tried.to_string());
            if matches!(tried.outcome, conformance::Outcome::Failed(_)) {
                let seed = arguments.seed;
                show::line(&format!(
                    "      again: {replay} --seed {seed} --only {:?}",
                    tried.name
                ));
            }
        }
    })
    .await;
    if let Some(file) = &arguments.junit {
        std::fs::write(file, report.junit())
            .with_context(|| format!("the report {} cannot be written", file.display()))?;
    }
    conclude(context, &report)
}

async fn measure(context: &Context, subject: &Subject, container: &str) -> anyhow::Result<()> {
    let figures = conformance::bench(subject, container).await.map_err(failed)?;
    if context.json {
        return show::json(&figures);
    }
    for figure in figures {
        let native = figure.native.zip(figure.ratio);
        let native = native.map_or_else(String::new, |(native, ratio)| {
            format!("{ratio:6.2} of {native:.2} natively")
        });
        show::line(&format!(
            "{:40} {:10.2} {:6}{native}",
            figure.what, figure.value, figure.unit
        ));
    }
    Ok(())
}

/// The report, with what can be counted in it.
#[derive(Serialize)]
struct Document<'r> {
    #[serde(flatten)]
    report: &'r Report,
    passed: usize,
    failed: usize,
    skipped: usize,
    score: Option<usize>,
}

fn conclude(context: &Context, report: &Report) -> anyhow::Result<()> {
    if context.json {
        show::json(&Document {
            report,
            passed: report.passed(),
            failed: report.failed(),
            skipped: report.skipped(),
            score: report.score(),
        })?;
    } else {
        show::line(&format!("\n{}", report.summary()));
    }
    if report.failed() == 0 {
        return Ok(());
    }
    bail!(ServiceError(ErrorView {
        code: "nonconforming".into(),
        message: format!("{} of the contract's promises are not kept", report.failed()),
        remedy: "each failed case says what was expected and how to run it alone".into(),
    }))
}

/// The cases that are asked for; all, when nothing is said.
fn chosen(only: &[String]) -> anyhow::Result<Vec<Case>> {
    let fits = |case: &Case, what: &str| {
        case.group == what || case.number.to_string() == what || case.name.contains(what)
    };
    if let Some(none) = only
        .iter()
        .find(|what| !cases::all().iter().any(|case| fits(case, what)))
    {
        bail!(ServiceError(ErrorView {
            code: "not-found".into(),
            message: format!("no case has the number or group {none:?}, or has it in its name"),
            remedy: "see `cofferdam driver test --list`".into(),
        }));
    }
    let mut all = cases::all();
    all.retain(|case| only.is_empty() || only.iter().any(|what| fits(case, what)));
    Ok(all)
}

fn list(context: &Context, cases: &[Case]) -> anyhow::Result<()> {
    if context.json {
        let all: Vec<_> = cases
            .iter()
            .map(|case| {
                serde_json::json!({
                    "number": case.number, "group": case.group, "name": case.name, "why": case.why,
                })
            })
            .collect();
        return show::json(&all);
    }
    for case in cases {
        show::line(&format!("{:>3} {:<9} {}", case.number, case.group, case.name));
    }
    Ok(())
}

/// What the driver gets.
struct Given {
    settings: BTreeMap<String, Written>,
    grants: Grants,
    limits: Limits,
    /// How that is said on a command line; secrets are left out.
    replay: String,
}

async fn given(
    context: &Context,
    arguments: &Arguments,
    sandbox: &Sandbox,
    file: &Path,
) -> anyhow::Result<Given> {
    if let Some(name) = &arguments.backend {
        let backends = context.read()?.backend_options()?;
        let found = backends.into_iter().find(|backend| backend.name == *name);
        let Some(backend) = found else {
            bail!(ServiceError(ErrorView {
                code: "not-found".into(),
                message: format!(
                    "the configuration {} has no backend {name:?}",
                    context.config.display()
                ),
                remedy: "name one of its backends, or give the settings by --set".into(),
            }));
        };
        return Ok(Given {
            settings: backend.settings,
            grants: backend.grants,
            limits: backend.limits,
            replay: format!(" --config {} --backend {name}", context.config.display()),
        });
    }
    let limits = Limits::default();
    let info = conformance::describe(sandbox, file, &limits)
        .await
        .map_err(failed)?;
    let wrong = |message: String| {
        ServiceError(ErrorView {
            code: "configuration".into(),
            message,
            remedy: "see `cofferdam driver inspect` for the driver's options".into(),
        })
    };
    let (settings, grants) = words::read(&info, &arguments.set).map_err(wrong)?;
    let is_secret = |name: &str| {
        info.options
            .iter()
            .any(|option| option.name == name && option.kind == OptionKind::Secret)
    };
    let shown = |(name, value): &(String, String)| match is_secret(name) {
        true => format!(" --set {name}=…"),
        false => format!(" --set {name}={value}"),
    };
    Ok(Given {
        replay: arguments.set.iter().map(shown).collect(),
        settings,
        grants,
        limits,
    })
}

/// Where compiled code is kept between runs: a component of Python or JavaScript takes many seconds.
fn cache() -> anyhow::Result<PathBuf> {
    let home = |name: &str| {
        std::env::var_os(name)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    let base = home("XDG_CACHE_HOME").or_else(|| home("HOME").map(|home| home.join(".cache")));
    let base = base.unwrap_or_else(std::env::temp_dir);
    Ok(base.join("cofferdam").join("driver-test"))
}

fn failed(failure: Failure) -> ServiceError {
    service_error(ManagerError::Driver(failure))
}
