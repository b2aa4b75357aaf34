//! The parsers of what strangers wrote, as a fuzzer calls them. Memory: that of the input, a few times.

use crate::image::{self, Parsed};
use crate::manifest::Manifest;

/// `driver.toml`: what was read is written, and is the same when it is read again.
///
/// # Panics
/// When it is not.
pub fn driver_manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(manifest) = Manifest::parse(text, "driver.toml") {
        let again = Manifest::parse(&manifest.to_toml(), "driver.toml");
        assert_eq!(again.ok().as_ref(), Some(&manifest));
    }
}

/// An image's manifest, or a list of them, and what they lead to.
pub fn oci_manifest(bytes: &[u8]) {
    match image::parse("an image", bytes) {
        Ok(Parsed::Image(manifest)) => {
            for descriptor in manifest.layers().iter().chain([manifest.config()]) {
                let _ = image::blob("an image", descriptor);
            }
        }
        Ok(Parsed::Index(images)) => {
            let _ = image::for_wasm("an image", &images);
        }
        Err(_) => {}
    }
}
