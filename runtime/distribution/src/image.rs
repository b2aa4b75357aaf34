//! A driver as an OCI image: the convention for WebAssembly artifacts, and what ours say besides.
//!
//! The image has one layer of type `application/wasm`, the component, and a configuration of type
//! `application/vnd.wasm.config.v0+json`. Tools of that convention take no further layers, so manifest and signature are annotations
//! of the image's manifest (`cofferdam.driver.toml`, `cofferdam.driver.minisig`). A layer whose title is the file's name is taken as
//! well: that is how generic tools attach files.
//!
//! Every blob is read by its descriptor: SHA-256 and no other algorithm, a length that is checked before and after, and no
//! address but the place itself. Bound: 4 MiB for a manifest or an index, 1 MiB for a configuration.

use std::collections::HashMap;

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};

use crate::digest::Sha256Digest;
use crate::error::{DigestMismatch, DistributionError, Result, shown};
use crate::manifest::MANIFEST_SIZE;
use crate::package::{Intake, MANIFEST_FILE, Papers, SIGNATURE_FILE};
use crate::signature::SIGNATURE_SIZE;

pub(crate) const IMAGE_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
pub(crate) const LAYER_TYPE: &str = "application/wasm";
/// What generic tools put in place of a configuration.
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
pub(crate) const TITLE: &str = "org.opencontainers.image.title";
pub(crate) const MANIFEST_NOTE: &str = "cofferdam.driver.toml";
pub(crate) const SIGNATURE_NOTE: &str = "cofferdam.driver.minisig";
/// Bytes of a manifest or an index.
pub(crate) const INDEX_SIZE: u64 = 4 << 20;
/// Bytes of a configuration.
const CONFIG_SIZE: u64 = 1 << 20;
const MAX_LAYERS: usize = 16;

/// Something that is known by its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) digest: Sha256Digest,
    pub(crate) size: u64,
    pub(crate) media_type: String,
}

/// Where blobs are.
pub(crate) trait Blobs: Sync {
    /// Gives every piece of a blob; whoever takes them counts and hashes.
    async fn pieces(&self, blob: &Blob, take: &mut (dyn FnMut(&[u8]) -> Result<()> + Send)) -> Result<()>;
    /// What errors call the place.
    fn what(&self) -> String;

    /// A short blob, checked.
    async fn whole(&self, blob: &Blob, limit: u64) -> Result<Vec<u8>> {
        let what = || format!("{}, blob sha256:{}", self.what(), blob.digest);
        if blob.size > limit {
            return Err(DistributionError::TooLarge {
                what: what(),
                found: blob.size,
                limit,
            });
        }
        let mut bytes = Vec::new();
        self.pieces(blob, &mut |piece| {
            bytes.extend_from_slice(piece);
            let found = bytes.len() as u64;
            if found > blob.size {
                return Err(DistributionError::TooLarge {
                    what: what(),
                    found,
                    limit: blob.size,
                });
            }
            Ok(())
        })
        .await?;
        check(&what(), blob, Sha256Digest::of(&bytes))?;
        Ok(bytes)
    }
}

/// Refuses a blob that is not the one that its descriptor promised.
pub(crate) fn check(what: &str, blob: &Blob, found: Sha256Digest) -> Result<()> {
    if found == blob.digest {
        return Ok(());
    }
    Err(DigestMismatch {
        what: what.to_owned(),
        found,
        promised_by: "its descriptor".into(),
        expected: blob.digest,
        remedy: "the place gave other bytes than were put there: fetch again, or ask who keeps it",
    }
    .into())
}

/// A manifest, or a list of them.
pub(crate) enum Parsed {
    Image(Box<ImageManifest>),
    Index(Vec<Descriptor>),
}

/// Reads a manifest whose digest is checked already.
pub(crate) fn parse(what: &str, bytes: &[u8]) -> Result<Parsed> {
    let refuse = |reason: String| DistributionError::Image {
        what: what.to_owned(),
        reason,
    };
    #[derive(serde::Deserialize)]
    struct Kind {
        manifests: Option<serde::de::IgnoredAny>,
    }
    let kind: Kind = serde_json::from_slice(bytes).map_err(|error| {
        refuse(format!(
            "its manifest cannot be read ({})",
            shown(&error.to_string())
        ))
    })?;
    let wrong =
        |error: serde_json::Error| refuse(format!("its manifest is none ({})", shown(&error.to_string())));
    if kind.manifests.is_some() {
        let index: ImageIndex = serde_json::from_slice(bytes).map_err(wrong)?;
        return Ok(Parsed::Index(index.manifests().clone()));
    }
    serde_json::from_slice(bytes)
        .map(|image| Parsed::Image(Box::new(image)))
        .map_err(wrong)
}

/// The one image for WebAssembly of several for different platforms.
pub(crate) fn for_wasm(what: &str, images: &[Descriptor]) -> Result<Blob> {
    let fitting = |image: &&Descriptor| {
        let platform = image.platform().as_ref();
        platform.is_none_or(|platform| platform.architecture().to_string() == "wasm")
    };
    let fitting: Vec<_> = images.iter().filter(fitting).collect();
    match fitting.as_slice() {
        [one] => blob(what, one),
        several => {
            let reason = format!(
                "it is a list of {} images for WebAssembly; give the digest of one",
                several.len()
            );
            Err(DistributionError::Image {
                what: what.to_owned(),
                reason,
            })
        }
    }
}

pub(crate) fn blob(what: &str, descriptor: &Descriptor) -> Result<Blob> {
    Ok(Blob {
        digest: descriptor
            .digest()
            .as_ref()
            .parse()
            .map_err(|error: DistributionError| DistributionError::Image {
                what: what.to_owned(),
                reason: error.to_string(),
            })?,
        size: descriptor.size(),
        media_type: descriptor.media_type().to_string(),
    })
}

/// Brings a driver: its component into the intake, and what is said of it. Gives the component's descriptor too, against which the
/// caller holds what came in.
pub(crate) async fn bring<B: Blobs>(
    place: &B,
    image: &ImageManifest,
    create: impl FnOnce(u64) -> Result<Intake>,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<(Intake, Blob, Papers)> {
    let what = place.what();
    let refuse = |reason: String| DistributionError::Image {
        what: what.clone(),
        reason,
    };
    if image.layers().len() > MAX_LAYERS {
        return Err(refuse(format!("it has {} layers", image.layers().len())));
    }
    let is_component = |layer: &&Descriptor| layer.media_type().to_string() == LAYER_TYPE;
    let components: Vec<_> = image.layers().iter().filter(is_component).collect();
    let [component] = components.as_slice() else {
        return Err(refuse(format!(
            "it has {} layers of type {LAYER_TYPE}; one is wanted",
            components.len()
        )));
    };
    let component = blob(&what, component)?;
    let mut intake = create(component.size)?;
    check_config(place, &blob(&what, image.config())?, &component).await?;
    let papers = papers(place, image).await?;
    place
        .pieces(&component, &mut |piece| {
            intake.take(piece)?;
            progress(intake.size(), component.size);
            Ok(())
        })
        .await?;
    Ok((intake, component, papers))
}

async fn check_config<B: Blobs>(place: &B, config: &Blob, component: &Blob) -> Result<()> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        architecture: String,
        os: String,
        layer_digests: Option<Vec<String>>,
    }
    let refuse = |reason: String| DistributionError::Image {
        what: place.what(),
        reason,
    };
    if config.media_type == EMPTY_TYPE {
        return Ok(());
    }
    if config.media_type != CONFIG_TYPE {
        let found = shown(&config.media_type);
        return Err(refuse(format!(
            "its configuration is of type {found}; {CONFIG_TYPE} is wanted"
        )));
    }
    let bytes = place.whole(config, CONFIG_SIZE).await?;
    let read: Config = serde_json::from_slice(&bytes).map_err(|error| {
        refuse(format!(
            "its configuration cannot be read ({})",
            shown(&error.to_string())
        ))
    })?;
    if read.architecture != "wasm" || read.os != "wasip2" {
        let found = shown(&format!("{}/{}", read.os, read.architecture));
        return Err(refuse(format!(
            "its configuration says {found}; a component for wasip2/wasm is wanted"
        )));
    }
    let wanted = format!("sha256:{}", component.digest);
    if read
        .layer_digests
        .is_some_and(|digests| !digests.contains(&wanted))
    {
        return Err(refuse("its configuration is of another component".into()));
    }
    Ok(())
}

async fn papers<B: Blobs>(place: &B, image: &ImageManifest) -> Result<Papers> {
    let none = HashMap::new();
    let notes = image.annotations().as_ref().unwrap_or(&none);
    let note = |key: &str, limit: u64| match notes.get(key) {
        Some(text) if text.len() as u64 > limit => {
            let what = format!("{}, annotation {key}", place.what());
            Err(DistributionError::TooLarge {
                what,
                found: text.len() as u64,
                limit,
            })
        }
        text => Ok(text.cloned()),
    };
    Ok(Papers {
        manifest: match note(MANIFEST_NOTE, MANIFEST_SIZE)? {
            None => titled(place, image, MANIFEST_FILE, MANIFEST_SIZE).await?,
            text => text,
        },
        signature: match note(SIGNATURE_NOTE, SIGNATURE_SIZE)? {
            None => titled(place, image, SIGNATURE_FILE, SIGNATURE_SIZE).await?,
            text => text,
        },
    })
}

/// The text of a layer that has the file's name as its title.
async fn titled<B: Blobs>(
    place: &B,
    image: &ImageManifest,
    name: &str,
    limit: u64,
) -> Result<Option<String>> {
    let is_it = |layer: &&Descriptor| {
        layer
            .annotations()
            .as_ref()
            .and_then(|notes| notes.get(TITLE))
            .is_some_and(|title| title == name)
    };
    let Some(layer) = image.layers().iter().find(is_it) else {
        return Ok(None);
    };
    let bytes = place.whole(&blob(&place.what(), layer)?, limit).await?;
    let text = String::from_utf8(bytes).map_err(|_| DistributionError::Image {
        what: place.what(),
        reason: format!("its layer {name} is not UTF-8"),
    })?;
    Ok(Some(text))
}
