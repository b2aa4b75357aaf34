//! Finds the contract: in Cofferdam's own repository it is three folders up, in a driver's project beside this folder. The
//! bindings take the one that is there.
//!
//! The contract refers to WASI's own WIT files, which are fetched and not copied into the repository. Says so in one sentence
//! when they are missing, where the bindings generator would say it in forty lines.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(contract_beside)");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = here.join("../wit");
    let (wit, remedy) = if beside.is_dir() {
        println!("cargo::rustc-cfg=contract_beside");
        (beside, "take them from where this project's wit/ came from")
    } else {
        (
            here.join("../../../wit"),
            "run `./dev setup` in the project's root",
        )
    };
    println!("cargo::rerun-if-changed={}", wit.display());
    let wasi = wit.join("0.1.0/deps");
    if !wasi.join("io.wit").is_file() {
        println!(
            "cargo::error=WASI's WIT files are not in {}: {remedy}",
            wasi.display()
        );
    }
}
