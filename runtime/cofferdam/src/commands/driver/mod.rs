//! `cofferdam driver …`: for those who write drivers and those who are given one.

mod componentize;
mod inspect;
mod new;
mod publish;
mod store;
mod test;

use std::path::PathBuf;

use clap::Subcommand;

use super::Context;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Begin a driver: a project that builds, passes the conformance kit, and is yours to change
    New(new::Arguments),
    /// Show what a component asks for, what the configuration's backends grant it, and its limits
    Inspect {
        /// The component
        file: PathBuf,
    },
    /// Put a component through the conformance kit, with real settings against a real storage
    Test(Box<test::Arguments>),
    /// Install a driver: fetched, checked, compiled and described, then there whole
    Add(store::Add),
    /// List the installed drivers, and whether their bytes are still those that were added
    List(store::Folder),
    /// Check digest and signature of the installed drivers again
    Verify {
        /// The driver; all of them when it is not said
        name: Option<String>,
        #[command(flatten)]
        folder: store::Folder,
    },
    /// Remove an installed driver that no backend uses
    Remove {
        /// The driver
        name: String,
        #[command(flatten)]
        folder: store::Folder,
    },
    /// Make a package of a component, for others to add: a folder with a manifest, and an OCI image layout
    Pack(publish::Pack),
    /// Push an image of a package to a registry, for others to add
    Push(publish::Push),
    /// Make a component of the core module that a compiler for C, Zig or Go made
    Componentize(componentize::Arguments),
}

impl Command {
    /// Whether the conformance kit is to run.
    pub(crate) fn is_test(&self) -> bool {
        matches!(self, Command::Test(_))
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::New(arguments) => new::run(context, &arguments),
        Command::Inspect { file } => inspect::run(context, file).await,
        Command::Test(arguments) => Box::pin(test::run(context, &arguments)).await,
        Command::Add(arguments) => Box::pin(store::add(context, &arguments)).await,
        Command::List(folder) => store::list(context, &folder),
        Command::Verify { name, folder } => store::verify(context, name.as_deref(), &folder),
        Command::Remove { name, folder } => store::remove(context, &name, &folder),
        Command::Pack(arguments) => Box::pin(publish::pack_driver(context, &arguments)).await,
        Command::Push(arguments) => Box::pin(publish::push_image(context, &arguments)).await,
        Command::Componentize(arguments) => componentize::run(context, &arguments),
    }
}
