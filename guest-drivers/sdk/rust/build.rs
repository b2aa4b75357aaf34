//! The contract refers to WASI's own WIT files, which are fetched and not copied into the project. Says so in
//! one sentence when they are missing, where the bindings generator would say it in forty lines.

use std::path::Path;

fn main() {
    let wasi = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit/deps");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../../wit");
    if !wasi.join("io.wit").is_file() {
        println!(
            "cargo::error=WASI's WIT files are not in {}: run `./dev setup` in the project's root",
            wasi.display()
        );
    }
}
