//! Pushing an image of a layout to a registry, for authors.
//!
//! Blobs that are there already are not sent again; the manifest goes last, so that a tag never names an image that is not whole.
//! Cost: a component is in memory once.

use std::path::Path;

use oci_client::RegistryOperation;

use crate::digest::Sha256Digest;
use crate::error::{DistributionError, Result, shown};
use crate::image::{Blobs, IMAGE_TYPE, INDEX_SIZE, blob};
use crate::layout::Layout;
use crate::registry::{Registry, RegistryOptions, failed, limited};
use crate::source::{Selector, reference_of};

/// Pushes an image of a layout to a registry, under the tag that the reference has. Says the image's digest. `target` is
/// `HOST/REPOSITORY:TAG`, with or without `oci://`.
///
/// # Errors
/// When the layout has no such image, or the registry does not take it.
pub async fn push(
    layout: &Path,
    image: Option<&Selector>,
    target: &str,
    options: &RegistryOptions,
    component_size: u64,
) -> Result<Sha256Digest> {
    let text = target.strip_prefix("oci://").unwrap_or(target);
    let refuse = |reason: String| DistributionError::Source {
        source_text: shown(target),
        reason,
    };
    let reference = reference_of(text).map_err(refuse)?;
    if reference.tag().is_none() || reference.digest().is_some() {
        return Err(refuse("a push needs a tag, and no digest".into()));
    }
    let pushing = async {
        let (layout, manifest, found) = Layout::open(layout, image).await?;
        let (registry, auth) = Registry::open(&reference, options)?;
        let error = |error| failed(&reference, "pushed", &error);
        registry
            .client
            .auth(&reference, &auth, RegistryOperation::Push)
            .await
            .map_err(error)?;
        for descriptor in manifest.layers().iter().chain([manifest.config()]) {
            let blob = blob(&layout.what(), descriptor)?;
            let digest = format!("sha256:{}", blob.digest);
            if !registry
                .client
                .blob_exists(&reference, &digest)
                .await
                .map_err(error)?
            {
                let bytes = layout.whole(&blob, component_size).await?;
                registry
                    .client
                    .push_blob(&reference, bytes, &digest)
                    .await
                    .map_err(error)?;
            }
        }
        let bytes = layout.whole(&found, INDEX_SIZE).await?;
        let kind = http::HeaderValue::from_static(IMAGE_TYPE);
        registry
            .client
            .push_manifest_raw(&reference, bytes, kind)
            .await
            .map_err(error)?;
        Ok(found.digest)
    };
    limited(&reference, "pushed", options, pushing).await
}
