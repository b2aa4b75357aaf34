//! Puts the contract, the SDKs and the templates into the binary, so that `driver new` needs nothing but itself.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What tools leave in a folder of sources.
const LEFTOVERS: &[&str] = &["target", "node_modules", "__pycache__", "build", "dist", "venv"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?)
        .join("../..")
        .canonicalize()?;
    let mut table = String::from("&[\n");
    for (folder, called) in [
        ("wit/0.1.0", "wit/0.1.0"),
        ("guest-drivers/sdk", "sdk"),
        ("guest-drivers/templates", "templates"),
    ] {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        if folder.is_dir() {
            embed(&folder, called, &mut table)?;
        }
    }
    println!("cargo::rerun-if-changed={}", root.join("wit/deps").display());
    table.push(']');
    fs::write(Path::new(&variable("OUT_DIR")?).join("files.rs"), table)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}

/// Adds every file below a folder, sorted, under the path that it is called by.
fn embed(folder: &Path, called: &str, table: &mut String) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let (path, called) = (entry.path(), format!("{called}/{name}"));
        if fs::metadata(&path)?.is_dir() {
            if !LEFTOVERS.contains(&name.as_str()) {
                embed(&path, &called, table)?;
            }
        } else {
            writeln!(table, "    ({called:?}, include_bytes!({path:?})),").map_err(io::Error::other)?;
        }
    }
    Ok(())
}
