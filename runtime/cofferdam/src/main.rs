//! The binary: configuration, command line and wiring. No logic of its own.

mod client;
mod commands;
mod config;
mod exit;
mod reload;
mod serve;
mod show;
mod systemd;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

/// Runs volume-backup drivers as WebAssembly components.
///
/// A backend whose driver cannot be initialised in time is down at once, with a reason; it is tried again for ever, and
/// comes up by itself when it is mended. The backup commands work against a running `cofferdam run` on the same
/// configuration, and without one do the work themselves; with --url they work against a service elsewhere and need no
/// configuration.
///
/// Exit codes: 0 done; 1 the operation failed; 2 wrong command line; 3 configuration error; 4 nothing of that name
/// or id; 5 refused because the backend is down; 6 refused in the present state; 7 a backup is corrupt; 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "cofferdam", version, max_term_width = 110)]
struct Cli {
    /// Configuration file
    #[arg(long, global = true, env = "COFFERDAM_CONFIG", default_value = config::DEFAULT_FILE, value_name = "FILE")]
    config: PathBuf,

    /// Print one JSON document instead of text; errors too, on standard error
    #[arg(long, global = true)]
    json: bool,

    /// Speak to the service at this URL: http://HOST:PORT, https://HOST:PORT or unix:///PATH
    #[arg(long, global = true, env = "COFFERDAM_URL", value_name = "URL")]
    url: Option<client::Target>,

    #[command(flatten)]
    credentials: client::Credentials,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until it is told to stop (SIGTERM or Ctrl-C; a second one aborts); SIGHUP reloads the configuration
    Run,
    /// Look at the backends
    #[command(subcommand)]
    Service(commands::service::Command),
    /// Make, restore, verify and delete backups
    #[command(subcommand)]
    Backup(commands::backup::Command),
    /// Watch operations and changes of backends live, until interrupted
    Watch(commands::watch::Arguments),
    /// Check, copy and make anew the catalog of backups
    #[command(subcommand)]
    Catalog(commands::catalog::Command),
    /// Write, look at and test driver components
    #[command(subcommand)]
    Driver(commands::driver::Command),
    /// Check and show the configuration
    #[command(subcommand)]
    Config(commands::config::Command),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder; without one, print that of cofferdam(1)
    Man {
        /// The folder; it must be there
        directory: Option<PathBuf>,
    },
    /// The compiling child process; not for people
    #[command(hide = true)]
    CompileComponent {
        /// Bytes of address space
        memory: u64,
        /// Where the machine code goes
        output: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::CompileComponent { memory, output } = &cli.command {
        return commands::compile(*memory, output);
    }
    let json = cli.json;
    match prepare_and_run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error, json),
    }
}

fn prepare_and_run(cli: Cli) -> anyhow::Result<()> {
    // The service's configuration says how it logs and how many threads it has.
    let service = match &cli.command {
        Command::Run => Some(config::Config::read(&cli.config)?),
        _ => None,
    };
    let json = cli.json || service.as_ref().is_some_and(config::Config::logs_json);
    let kit = matches!(&cli.command, Command::Driver(command) if command.is_test());
    logging(service.is_some(), kit, json);
    // Drivers cannot set modes: with this, folders get 0770 and objects 0660, as Cinder's posix driver makes them.
    rustix::process::umask(rustix::fs::Mode::RWXO);
    let context = commands::Context {
        config: cli.config,
        json: cli.json,
        url: cli.url,
        credentials: cli.credentials,
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = service.as_ref().and_then(config::Config::workers) {
        builder.worker_threads(workers);
    }
    let runtime = builder
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let result = runtime.block_on(async {
        match cli.command {
            Command::Run => match service {
                Some(config) => commands::run::run(config).await,
                None => Ok(()),
            },
            Command::Service(command) => commands::service::run(&context, command).await,
            Command::Backup(command) => commands::backup::run(&context, command).await,
            Command::Watch(arguments) => commands::watch::run(&context, &arguments).await,
            Command::Completions { shell } => commands::completions::print::<Cli>(shell),
            Command::Man { directory } => commands::man::write::<Cli>(directory.as_deref()),
            Command::Catalog(command) => commands::catalog::run(&context, command).await,
            Command::Driver(command) => commands::driver::run(&context, command).await,
            Command::Config(command) => commands::config::run(&context, command).await,
            Command::CompileComponent { .. } => Ok(()),
        }
    });
    // A thread that is stuck in the kernel must not hold the exit up.
    runtime.shutdown_background();
    result
}

/// Logs go to standard error: everything from `info` for the service, only warnings for commands. `RUST_LOG` overrides.
/// The conformance kit listens to the drivers' lines, whatever of them is shown.
fn logging(service: bool, kit: bool, json: bool) {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    use tracing_subscriber::{EnvFilter, Layer as _};
    let default = if service { "info" } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if json {
        lines.json().boxed()
    } else {
        lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_target(false)
            .boxed()
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(kit.then(cofferdam_conformance::ears::layer))
        .init();
}
