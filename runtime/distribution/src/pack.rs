//! A package as an OCI image layout, for authors: what `oci://` and other tools for images carry.
//!
//! The same package gives the same bytes: no time of making, sorted keys. The layout is written under a hidden name and renamed.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use crate::digest::Sha256Digest;
use crate::error::{DistributionError, Result, io};
use crate::files::{Folder, write};
use crate::image::{CONFIG_TYPE, IMAGE_TYPE, INDEX_TYPE, LAYER_TYPE, MANIFEST_NOTE, SIGNATURE_NOTE, TITLE};
use crate::layout::TAG;
use crate::manifest::Manifest;
use crate::package::{COMPONENT_FILE, Intake, MANIFEST_FILE, Papers, hidden_in};

/// What the component imports and exports, as read from its binary; the convention for images wants it said.
#[derive(Debug, Clone, Default)]
pub struct Interfaces {
    /// Names of imports.
    pub imports: Vec<String>,
    /// Names of exports.
    pub exports: Vec<String>,
}

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The image's digest, by which it can be pinned.
    pub image: Sha256Digest,
    /// Its tag: the driver's version, unless another was given. What a tag cannot have (`+`) is `_` in it.
    pub tag: String,
    /// The driver.
    pub manifest: Manifest,
}

/// Writes the package in `folder` as an OCI image layout to `layout`, which must not be there.
///
/// # Errors
/// When the package is not whole, or its manifest is not of its component; then nothing is left.
pub fn pack(
    folder: &Path,
    layout: &Path,
    tag: Option<&str>,
    interfaces: &Interfaces,
    component_size: u64,
) -> Result<Packed> {
    if layout.symlink_metadata().is_ok() {
        let reason = "it is there already".to_owned();
        return Err(DistributionError::InTheWay {
            path: layout.to_owned(),
            reason,
        });
    }
    let package = Folder::open(folder)?;
    let papers = Papers::of(&package)?;
    let missing = |name: &str| io("read", &folder.join(name))(std::io::ErrorKind::NotFound.into());
    let text = papers.manifest.ok_or_else(|| missing(MANIFEST_FILE))?;
    let manifest_file = folder.join(MANIFEST_FILE).display().to_string();
    let manifest = Manifest::parse(&text, &manifest_file)?;
    let tag = tag_of(tag.unwrap_or(&manifest.version))?;

    let parent = layout
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let hidden = hidden_in(parent, ".layout-")?;
    let blobs = hidden.path().join("blobs/sha256");
    std::fs::create_dir_all(&blobs).map_err(io("made", &blobs))?;
    let put = |bytes: &[u8]| {
        let digest = Sha256Digest::of(bytes);
        write(&blobs.join(digest.to_string()), bytes).map(|()| digest)
    };
    let component = folder.join(COMPONENT_FILE);
    let (mut file, _) = package
        .file(COMPONENT_FILE)?
        .ok_or_else(|| missing(COMPONENT_FILE))?;
    let incoming = blobs.join("incoming");
    let mut intake = Intake::create(&incoming, component_size, None)?;
    intake.take_all(&mut file, &component)?;
    let (sha256, size) = intake.finish(&component.display().to_string())?;
    manifest.check_bytes(&manifest_file, sha256, size)?;
    std::fs::rename(&incoming, blobs.join(sha256.to_string())).map_err(io("renamed", &incoming))?;

    let config = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [format!("sha256:{sha256}")],
        "component": { "imports": interfaces.imports, "exports": interfaces.exports, "target": null },
    })
    .to_string();
    let config_digest = put(config.as_bytes())?;
    let mut notes = BTreeMap::from([
        (TITLE, manifest.name.clone()),
        ("org.opencontainers.image.version", manifest.version.clone()),
        ("org.opencontainers.image.licenses", manifest.licence.clone()),
        (
            "org.opencontainers.image.description",
            manifest.description.clone(),
        ),
        (MANIFEST_NOTE, text),
    ]);
    notes.extend(papers.signature.map(|signature| (SIGNATURE_NOTE, signature)));
    let image = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_TYPE,
        "artifactType": LAYER_TYPE,
        "config": descriptor(CONFIG_TYPE, config_digest, config.len() as u64),
        "layers": [descriptor(LAYER_TYPE, sha256, size)],
        "annotations": notes,
    })
    .to_string();
    let image_digest = put(image.as_bytes())?;
    let mut entry = descriptor(IMAGE_TYPE, image_digest, image.len() as u64);
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("annotations".into(), json!({ TAG: tag }));
        entry.insert("artifactType".into(), json!(LAYER_TYPE));
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry] });
    write(&hidden.path().join("index.json"), index.to_string().as_bytes())?;
    write(
        &hidden.path().join("oci-layout"),
        json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes(),
    )?;
    for folder in [blobs.as_path(), &hidden.path().join("blobs"), hidden.path()] {
        Folder::open(folder)?.sync()?;
    }
    std::fs::rename(hidden.path(), layout).map_err(io("made", layout))?;
    Folder::open(parent)?.sync()?;
    Ok(Packed {
        image: image_digest,
        tag,
        manifest,
    })
}

fn descriptor(media_type: &str, digest: Sha256Digest, size: u64) -> serde_json::Value {
    json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size })
}

/// A tag: what registries take as one, with `_` for `+`.
fn tag_of(text: &str) -> Result<String> {
    let tag = text.replace('+', "_");
    let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let begins = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if begins && tag.len() <= 128 && tag.chars().all(word) {
        return Ok(tag);
    }
    Err(DistributionError::Manifest {
        file: "the tag".into(),
        key: "tag".into(),
        reason: format!("it is {}", crate::error::shown(text)),
        valid:
            "1 to 128 letters, digits, \".\", \"_\" and \"-\", of which the first is neither \".\" nor \"-\""
                .into(),
    })
}
