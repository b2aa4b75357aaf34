//! `cofferdam driver componentize`: a component out of a core module.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use cofferdam_author::component;

use crate::commands::Context;
use crate::show;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The core module, whose imports and exports are those of the contract and of WASI's first preview
    module: PathBuf,
    /// Where the component goes; replaced if it is there
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { module, output } = arguments;
    let bytes = fs::read(module).with_context(|| format!("{} cannot be read", module.display()))?;
    let made = component::componentize(&bytes).with_context(|| module.display().to_string())?;
    // Whole or not there: a build that is interrupted must not leave half a component that looks newer than its sources.
    let unfinished = output.with_extension("unfinished");
    fs::write(&unfinished, &made)
        .and_then(|()| fs::rename(&unfinished, output))
        .with_context(|| format!("{} cannot be written", output.display()))?;
    if context.json {
        return show::json(&serde_json::json!({ "component": output, "bytes": made.len() }));
    }
    show::line(&format!(
        "{} ({}) is a component of the world cofferdam:backup/driver",
        output.display(),
        show::bytes(made.len() as u64)
    ));
    Ok(())
}
