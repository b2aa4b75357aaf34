//! `cofferdam completions SHELL`: made from the very definitions of the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::show;

/// Prints them on standard output.
pub(crate) fn print<C: CommandFactory>(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut C::command(), "cofferdam", &mut script);
    show::line(String::from_utf8(script)?.trim_end());
    Ok(())
}
