//! `cofferdam driver pack|push`: what an author gives to others.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use cofferdam_api::model::ErrorView;
use cofferdam_distribution::{
    COMPONENT_SIZE, Interfaces, RegistryOptions, Source, pack, push, write_package,
};
use cofferdam_manager::Inspector;
use serde_json::json;

use super::store::{described, inspect};
use crate::client::{helper, service_error};
use crate::commands::Context;
use crate::exit::ServiceError;
use crate::show;

#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// The component
    file: PathBuf,
    /// The package folder to write: driver.wasm with its manifest driver.toml
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Make this OCI image layout of the package, too; it must not be there yet
    #[arg(long, value_name = "FOLDER", requires = "tag")]
    layout: Option<PathBuf>,
    /// Its tag there
    #[arg(long)]
    tag: Option<String>,
    /// The licence, as an SPDX expression
    #[arg(long, value_name = "SPDX")]
    licence: String,
}

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The image: an OCI layout (FOLDER:TAG), as `driver pack --layout` makes it
    image: String,
    /// Where to: oci://HOST/REPOSITORY:TAG. Log in with `podman login` or `docker login` if it asks who you are
    target: String,
}

pub(super) async fn pack_driver(context: &Context, arguments: &Pack) -> anyhow::Result<()> {
    let inspector = Inspector::start(helper()).await.map_err(service_error)?;
    let file = std::path::absolute(&arguments.file)?;
    let found = inspect(&inspector, &file, COMPONENT_SIZE).await?;
    let said = described(&found)?;
    write_package(
        &file,
        &said,
        Some(&arguments.licence),
        &arguments.output,
        COMPONENT_SIZE,
    )?;
    let image = match (&arguments.layout, &arguments.tag) {
        (Some(layout), Some(tag)) => {
            let interfaces = Interfaces {
                imports: found.report.imports.clone(),
                exports: found.report.exports.clone(),
            };
            let packed = pack(&arguments.output, layout, Some(tag), &interfaces, COMPONENT_SIZE)?;
            Some(format!(
                "{}:{} (sha256:{})",
                layout.display(),
                packed.tag,
                packed.image
            ))
        }
        _ => None,
    };
    if context.json {
        return show::json(&json!({ "package": arguments.output, "image": image }));
    }
    show::line(&format!(
        "{} {} is packed: {}{}",
        said.name,
        said.version,
        arguments.output.display(),
        image.map_or_else(String::new, |image| format!(" and {image}"))
    ));
    Ok(())
}

pub(super) async fn push_image(context: &Context, arguments: &Push) -> anyhow::Result<()> {
    let Source::Layout { folder, image } = Source::parse(&arguments.image)? else {
        bail!(ServiceError(ErrorView {
            code: "invalid-request".into(),
            message: format!("{} is no OCI layout", arguments.image),
            remedy: "make one: cofferdam driver pack FILE --layout FOLDER --tag TAG ...".into(),
        }));
    };
    let options = RegistryOptions::default();
    let digest = push(
        &folder,
        image.as_ref(),
        &arguments.target,
        &options,
        COMPONENT_SIZE,
    )
    .await?;
    let target = arguments
        .target
        .strip_prefix("oci://")
        .unwrap_or(&arguments.target);
    let repository = target
        .rsplit_once(':')
        .map_or(target, |(repository, _)| repository);
    let reference = format!("oci://{repository}@sha256:{digest}");
    if context.json {
        return show::json(&json!({ "pushed": format!("oci://{target}"), "reference": reference }));
    }
    show::line(&format!(
        "oci://{target} is pushed. By its digest:\n    cofferdam driver add {reference}"
    ));
    Ok(())
}
