//! `cofferdam man [DIR]`: a page for each command, made from the definitions of the command line, and cofferdam.toml(5), made
//! from the table of options.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_mangen::Man;
use roff::{Roff, bold, italic, roman};

use crate::config::options::{OPTIONS, OptionSpec, Scope};
use crate::show;

/// Writes all pages into a folder, or prints the first one.
pub(crate) fn write<C: CommandFactory>(folder: Option<&Path>) -> anyhow::Result<()> {
    let Some(folder) = folder else {
        // As the page in a folder.
        let mut command = C::command().disable_help_subcommand(true);
        command.build();
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        show::line(String::from_utf8(page)?.trim_end());
        return Ok(());
    };
    let what = || format!("man pages cannot be written into {}", folder.display());
    clap_mangen::generate_to(C::command(), folder).with_context(what)?;
    std::fs::write(folder.join("cofferdam.toml.5"), options()).with_context(what)?;
    Ok(())
}

/// The page of the configuration file.
fn options() -> String {
    let mut page = Roff::new();
    let version = concat!("cofferdam ", env!("CARGO_PKG_VERSION"));
    page.control("TH", ["cofferdam.toml", "5", "", version]);
    page.control("SH", ["NAME"]);
    page.text([roman("cofferdam.toml - configuration of cofferdam(1)")]);
    page.control("SH", ["DESCRIPTION"]);
    page.text([
        roman("One TOML file, "),
        italic(crate::config::DEFAULT_FILE),
        roman(
            " unless --config or COFFERDAM_CONFIG names another. Options at the top are for the whole service; each section \
             [backends.NAME] is one backend. What else stands in a section is a setting of its driver; `cofferdam driver inspect \
             FILE` lists them. `cofferdam config check` checks all of it without touching any storage. Durations are texts such \
             as \"30s\", or whole seconds; sizes are texts such as \"64MiB\", or bytes.",
        ),
    ]);
    for (scope, title) in [
        (Scope::Service, "OPTIONS OF THE SERVICE"),
        (Scope::Both, "OPTIONS OF THE SERVICE OR OF ONE BACKEND"),
        (Scope::Backend, "OPTIONS OF ONE BACKEND"),
    ] {
        page.control("SH", [title]);
        for option in OPTIONS.iter().filter(|option| option.scope == scope) {
            describe(&mut page, option);
        }
    }
    page.control("SH", ["SEE ALSO"]);
    page.text([bold("cofferdam"), roman("(1)")]);
    page.render()
}

fn describe(page: &mut Roff, option: &OptionSpec) {
    page.control("TP", []);
    let mut title = vec![bold(option.name), roman(format!(" ({})", option.kind.describe()))];
    if let Some(default) = option.default {
        title.push(roman(format!(", default {default}")));
    }
    page.text(title);
    page.text([roman(option.text.replace('`', ""))]);
}
