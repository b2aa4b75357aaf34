//! `cofferdam driver new`: a project to begin with.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use cofferdam_author::project::{self, Language};

use crate::commands::Context;
use crate::show;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The driver's name: lower-case letters, digits and hyphens. The project gets a folder of that name
    name: String,
    /// The language
    #[arg(long, value_enum)]
    lang: Lang,
    /// Where the project's folder goes
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    /// Built by cargo
    Rust,
    /// Built by componentize-py
    Python,
    /// Built by jco, through npm
    #[value(alias = "javascript")]
    Typescript,
    /// Built by clang, through make; also where to begin with C++ and Zig
    C,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let language = match arguments.lang {
        Lang::Rust => Language::Rust,
        Lang::Python => Language::Python,
        Lang::Typescript => Language::TypeScript,
        Lang::C => Language::C,
    };
    let project = project::create(language, &arguments.name, &arguments.into)?;
    let shown = std::path::absolute(&project).context("this folder has no path")?;
    if context.json {
        return show::json(&serde_json::json!({
            "name": arguments.name, "language": language.name(), "project": shown,
        }));
    }
    show::line(&format!(
        "{} is a driver in {} that keeps backups in a directory.\nIts README.md says how to build it, put it through the conformance \
         kit, and what to change first:\n    cd {} && less README.md",
        project.display(),
        language.name(),
        project.display()
    ));
    Ok(())
}
