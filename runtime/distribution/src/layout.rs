//! An OCI image layout: a folder with `oci-layout`, `index.json` and `blobs/sha256`.
//!
//! Names of blobs are made here from digests, never taken from the layout, and the folders are opened without following links, so
//! nothing outside of the layout is read.

use std::io::Read;
use std::path::Path;

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest, OciLayout};

use crate::error::{DistributionError, Result, io, shown};
use crate::files::Folder;
use crate::image::{Blob, Blobs, INDEX_SIZE, Parsed, blob, for_wasm, parse};
use crate::source::Selector;

pub(crate) const TAG: &str = "org.opencontainers.image.ref.name";

/// A layout and the image that was chosen in it.
pub(crate) struct Layout {
    blobs: Folder,
    what: String,
}

impl Layout {
    /// Opens a layout and finds the image; says its manifest and the manifest's own descriptor.
    pub(crate) async fn open(path: &Path, image: Option<&Selector>) -> Result<(Self, ImageManifest, Blob)> {
        let folder = Folder::open(path)?;
        let what = format!(
            "{}{}",
            path.display(),
            image.map(Selector::to_string).unwrap_or_default()
        );
        let refuse = |reason: String| DistributionError::Image {
            what: what.clone(),
            reason,
        };
        let version: OciLayout = json(&folder, "oci-layout", 4096)?;
        if !version.image_layout_version().starts_with("1.") {
            return Err(refuse(format!(
                "its layout has the version {}",
                shown(version.image_layout_version())
            )));
        }
        let index: ImageIndex = json(&folder, "index.json", INDEX_SIZE)?;
        let chosen = choose(&what, index.manifests(), image)?;
        let layout = Layout {
            blobs: folder.folder("blobs")?.folder("sha256")?,
            what: what.clone(),
        };
        let mut chosen = blob(&what, chosen)?;
        let mut parsed = parse(&what, &layout.whole(&chosen, INDEX_SIZE).await?)?;
        if let Parsed::Index(images) = parsed {
            chosen = for_wasm(&what, &images)?;
            parsed = parse(&what, &layout.whole(&chosen, INDEX_SIZE).await?)?;
        }
        match parsed {
            Parsed::Image(manifest) => Ok((layout, *manifest, chosen)),
            Parsed::Index(_) => Err(refuse("it is a list of lists of images".into())),
        }
    }
}

impl Blobs for Layout {
    async fn pieces(&self, blob: &Blob, take: &mut (dyn FnMut(&[u8]) -> Result<()> + Send)) -> Result<()> {
        let name = blob.digest.to_string();
        let path = self.blobs.path().join(&name);
        let Some((mut file, _)) = self.blobs.file(&name)? else {
            return Err(io("read", &path)(std::io::ErrorKind::NotFound.into()));
        };
        let mut piece = vec![0; 256 << 10];
        loop {
            let count = file.read(&mut piece).map_err(io("read", &path))?;
            match piece.get(..count) {
                Some(read) if !read.is_empty() => take(read)?,
                _ => return Ok(()),
            }
        }
    }

    fn what(&self) -> String {
        self.what.clone()
    }
}

fn json<T: serde::de::DeserializeOwned>(folder: &Folder, name: &str, limit: u64) -> Result<T> {
    let path = folder.path().join(name);
    let bytes = folder
        .bytes(name, limit)?
        .ok_or_else(|| io("read", &path)(std::io::ErrorKind::NotFound.into()))?;
    serde_json::from_slice(&bytes).map_err(|error| DistributionError::Image {
        what: path.display().to_string(),
        reason: format!("it cannot be read ({})", shown(&error.to_string())),
    })
}

fn choose<'a>(what: &str, images: &'a [Descriptor], image: Option<&Selector>) -> Result<&'a Descriptor> {
    let tag = |image: &'a Descriptor| {
        image
            .annotations()
            .as_ref()
            .and_then(|notes| notes.get(TAG))
            .map(String::as_str)
    };
    let fits = |candidate: &&Descriptor| match image {
        None => true,
        Some(Selector::Tag(wanted)) => {
            candidate.annotations().as_ref().and_then(|notes| notes.get(TAG)) == Some(wanted)
        }
        Some(Selector::Digest(wanted)) => candidate.digest().as_ref() == format!("sha256:{wanted}"),
    };
    let fitting: Vec<_> = images.iter().filter(fits).collect();
    match fitting.as_slice() {
        [one] => Ok(one),
        several => Err(DistributionError::Tag {
            what: what.to_owned(),
            reason: format!("{} images fit; one must", several.len()),
            tags: images.iter().filter_map(tag).take(50).map(shown).collect(),
        }),
    }
}
