//! Where a driver is added from, read from one text.

use std::fmt;
use std::path::{Path, PathBuf};

use oci_client::Reference;

use crate::digest::Sha256Digest;
use crate::error::{DistributionError, Result, shown};

/// Where a driver comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A component alone.
    File(PathBuf),
    /// A package folder.
    Package(PathBuf),
    /// An OCI image layout.
    Layout {
        /// Its folder.
        folder: PathBuf,
        /// Which image of it; none: the only one.
        image: Option<Selector>,
    },
    /// A repository of a registry.
    Registry(Reference),
}

/// One of several images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// By its tag.
    Tag(String),
    /// By its manifest's digest.
    Digest(Sha256Digest),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Tag(tag) => write!(f, ":{tag}"),
            Selector::Digest(digest) => write!(f, "@sha256:{digest}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) | Source::Package(path) => write!(f, "{}", path.display()),
            Source::Layout { folder, image: None } => write!(f, "{}", folder.display()),
            Source::Layout {
                folder,
                image: Some(image),
            } => write!(f, "{}{image}", folder.display()),
            Source::Registry(reference) => write!(f, "oci://{reference}"),
        }
    }
}

impl Source {
    /// Reads a source. A path that is there is taken as it is, even with `:` in it; else what follows the last `:` or
    /// `@sha256:` chooses an image of a layout.
    ///
    /// # Errors
    /// [`DistributionError::Source`].
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |reason: &str| DistributionError::Source {
            source_text: shown(text),
            reason: reason.to_owned(),
        };
        if let Some(reference) = text.strip_prefix("oci://") {
            return Ok(Source::Registry(
                reference_of(reference).map_err(|reason| refuse(&reason))?,
            ));
        }
        if text.contains("://") {
            return Err(refuse("only oci:// is fetched from afar"));
        }
        let path = Path::new(text);
        if path.is_dir() {
            return Ok(if is_layout(path) {
                Source::Layout {
                    folder: path.to_owned(),
                    image: None,
                }
            } else {
                Source::Package(path.to_owned())
            });
        }
        if path.exists() {
            return Ok(Source::File(path.to_owned()));
        }
        let (folder, image) = if let Some((folder, digest)) = text.rsplit_once("@sha256:") {
            (folder, Selector::Digest(digest.parse()?))
        } else if let Some((folder, tag)) = text.rsplit_once(':') {
            (folder, Selector::Tag(tag.to_owned()))
        } else {
            return Err(refuse("there is no such file or folder"));
        };
        if !is_layout(Path::new(folder)) {
            return Err(refuse(
                "there is no such file, nor an OCI image layout before its last colon",
            ));
        }
        Ok(Source::Layout {
            folder: folder.into(),
            image: Some(image),
        })
    }
}

fn is_layout(folder: &Path) -> bool {
    folder.join("oci-layout").is_file()
}

/// A registry's image; what a bare name would mean elsewhere (Docker's own registry, `latest`) is not guessed here.
pub(crate) fn reference_of(text: &str) -> std::result::Result<Reference, String> {
    let host = text.split('/').next().unwrap_or_default();
    if !text.contains('/') || !(host.contains('.') || host.contains(':') || host == "localhost") {
        return Err(
            "it must begin with the registry's host, as in oci://registry.example.org/drivers/shelf:1.0"
                .into(),
        );
    }
    let last = text.rsplit('/').next().unwrap_or_default();
    if !last.contains(':') && !last.contains('@') {
        return Err("it needs a tag or a digest at its end".into());
    }
    let reference: Reference = text.parse().map_err(|error| format!("{error}"))?;
    if let Some(digest) = reference.digest() {
        digest
            .parse::<Sha256Digest>()
            .map_err(|error| error.to_string())?;
    }
    Ok(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_there_is_taken_as_it_is_and_a_layout_by_its_tag_or_digest() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(at("odd:name.wasm"), "").unwrap();
        std::fs::create_dir(at("package")).unwrap();
        std::fs::create_dir(at("layout")).unwrap();
        std::fs::write(at("layout/oci-layout"), "{}").unwrap();
        assert_eq!(
            Source::parse(&at("odd:name.wasm")).unwrap(),
            Source::File(at("odd:name.wasm").into())
        );
        assert_eq!(
            Source::parse(&at("package")).unwrap(),
            Source::Package(at("package").into())
        );
        let digest = Sha256Digest::of(b"");
        let folder: PathBuf = at("layout").into();
        for (text, image) in [
            (at("layout"), None),
            (at("layout:1.0"), Some(Selector::Tag("1.0".into()))),
            (
                at(&format!("layout@sha256:{digest}")),
                Some(Selector::Digest(digest)),
            ),
        ] {
            let source = Source::parse(&text).unwrap();
            assert_eq!(
                source,
                Source::Layout {
                    folder: folder.clone(),
                    image
                }
            );
            assert_eq!(source.to_string(), text);
        }
        for wrong in [
            at("package:1.0"),
            at("nothing"),
            at("layout@sha256:00"),
            "https://x/y.wasm".into(),
        ] {
            assert!(Source::parse(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_registry_needs_its_host_and_a_tag_or_digest() {
        let digest = format!("sha256:{}", Sha256Digest::of(b""));
        for good in [
            "r.example/a/b:1",
            "localhost:5000/a:1",
            "127.0.0.1:5000/a/b:1",
            &format!("r.example/a@{digest}"),
        ] {
            let source = Source::parse(&format!("oci://{good}")).unwrap();
            assert_eq!(source.to_string(), format!("oci://{good}"));
        }
        for wrong in [
            "a:1",
            "a/b:1",
            "r.example/a",
            "r.example:1",
            "r.example/A b:1",
            "r.example/a@sha512:00",
            "/a:1",
            "",
        ] {
            assert!(Source::parse(&format!("oci://{wrong}")).is_err(), "{wrong}");
        }
    }
}
