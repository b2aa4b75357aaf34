//! What the black-box tests share: where the built things are, a configuration in a temporary folder, and ways to run
//! the binary. `./dev test` builds binary and guests before the tests run; they say so when something is missing.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot begin must say why"
)]

pub mod api_torture;
pub mod authority;
pub mod cinder;
pub mod clients;
pub mod fleet;
pub mod guests;
pub mod process;
pub mod rest;
pub mod servers;
pub mod service;
pub mod soak;
pub mod stops;
pub mod torture;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_sandbox::compile::CompileHelper;
use cofferdam_sandbox::requirements::Provision;
use cofferdam_sandbox::{Budget, Driver, Failure, Instance, Limits, Sandbox};

/// More fuel than any test burns.
pub const PLENTY: u64 = u64::MAX / 4;

/// The folder that cargo builds into: `…/debug`.
pub fn build_folder() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its own file");
    let folder = program.parent().expect("a file is in a folder");
    // Tests are in a folder below the programs.
    if folder.ends_with("deps") {
        folder.parent().expect("deps is in debug").to_owned()
    } else {
        folder.to_owned()
    }
}

fn built(path: PathBuf) -> PathBuf {
    assert!(
        path.is_file(),
        "{} is missing: run the tests by ./dev test, which builds it",
        path.display()
    );
    path
}

/// The built binary.
pub fn cofferdam() -> PathBuf {
    built(build_folder().join("cofferdam"))
}

/// The folder of the built drivers.
pub fn drivers() -> PathBuf {
    build_folder()
        .parent()
        .expect("debug is a folder of the target folder")
        .join("drivers")
}

/// A hostile guest, by its name without folder and ending.
pub fn hostile(name: &str) -> PathBuf {
    built(drivers().join("hostile").join(format!("{name}.wasm")))
}

/// The names of all mutants of the correct driver, and the correct one, in order.
pub fn mutants() -> Vec<String> {
    let folder = drivers().join("mutants");
    let entries = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}: run the tests by ./dev test", folder.display()));
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".wasm")?.to_owned()))
        .collect();
    names.sort_unstable();
    names
}

/// A mutant, by its name without folder and ending.
pub fn mutant(name: &str) -> PathBuf {
    built(drivers().join("mutants").join(format!("{name}.wasm")))
}

/// A compile cache that stays from one run to the next.
pub fn kept_cache() -> PathBuf {
    build_folder().join("compiled")
}

/// A driver that is built only where its language's tools can be had; none, said loudly, where they cannot.
#[allow(clippy::print_stdout, reason = "a skip is loud")]
pub fn driver_if_built(name: &str) -> Option<PathBuf> {
    let file = drivers().join(format!("{name}.wasm"));
    if file.is_file() {
        return Some(file);
    }
    println!("\n=== SKIPPED, NOT TESTED: {name}: it was not built (./dev languages says why) ===\n");
    None
}

/// A sandbox with a compile cache of its own, in a folder that is removed with it.
pub struct TestSandbox {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// Its limits; change them before loading.
    pub limits: Limits,
    folder: Arc<tempfile::TempDir>,
}

impl TestSandbox {
    /// Starts one; the built binary compiles.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let compiled = folder.path().join("compiled");
        Self::start_on(folder, compiled).await
    }

    /// The same with a compile cache that stays: components of Python and JavaScript take many seconds.
    pub async fn start_on_kept_cache() -> Self {
        Self::start_on(tempfile::tempdir().expect("a temporary folder"), kept_cache()).await
    }

    async fn start_on(folder: tempfile::TempDir, compiled: PathBuf) -> Self {
        let helper = CompileHelper {
            program: cofferdam(),
            arguments: vec!["compile-component".into()],
        };
        let sandbox = Sandbox::start(helper, compiled)
            .await
            .expect("the self-test holds");
        TestSandbox {
            sandbox,
            limits: Limits::default(),
            folder: Arc::new(folder),
        }
    }

    /// The same sandbox with other limits.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = self.limits.clone();
        change(&mut limits);
        TestSandbox {
            sandbox: self.sandbox.clone(),
            limits,
            folder: self.folder.clone(),
        }
    }

    /// A folder for the test's files.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Loads a component.
    pub async fn load(&self, file: &std::path::Path) -> Result<Driver, Failure> {
        self.sandbox.load(file, &self.limits).await
    }

    /// Makes an instance with nothing granted.
    pub async fn open(&self, driver: &Driver, limit: Duration, fuel: u64) -> Result<Instance, Failure> {
        self.provide(driver, &Provision::default(), limit, fuel).await
    }

    /// Makes an instance with a provision.
    pub async fn provide(
        &self,
        driver: &Driver,
        provision: &Provision,
        limit: Duration,
        fuel: u64,
    ) -> Result<Instance, Failure> {
        let limits = Arc::new(self.limits.clone());
        self.sandbox
            .open(driver, "test", provision, &limits, &Budget::new(limit, fuel))
            .await
    }
}
