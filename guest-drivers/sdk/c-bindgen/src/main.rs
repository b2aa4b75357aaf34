//! Writes the C bindings of the contract: `cofferdam-c-bindings WIT-FOLDER OUTPUT-FOLDER`.
//!
//! No object file with the contract's type is made, so that what is committed is text only: `cofferdam driver componentize`
//! puts the type in. Cost: a second.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context as _, Result};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let contract = arguments.next().context("the contract's folder is not given")?;
    let output = arguments.next().context("the output folder is not given")?;

    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(Path::new(&contract))?;
    let world = resolve.select_world(&[package], Some("driver"))?;
    let options = wit_bindgen_c::Opts {
        no_object_file: true,
        rename_world: Some("guest".to_owned()),
        ..wit_bindgen_c::Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files)?;
    for (name, text) in files.iter() {
        let file = Path::new(&output).join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
