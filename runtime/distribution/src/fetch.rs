//! Bringing a driver into the store, hidden: checked, durable, and not installed yet.
//!
//! Problem: between a copy that arrives and a driver that may be used there is compiling and describing, which takes seconds and is
//! not this crate's. Solution: [`fetch`] leaves the component in a folder of its own in the store, on the same file system, so that
//! [`Fetched::install`] needs no second copy. The folder goes when the value is dropped; after a kill, the next fetch removes it.

use std::path::PathBuf;

use crate::digest::Sha256Digest;
use crate::error::{DigestMismatch, Result, io};
use crate::files::{Folder, open_named, write};
use crate::image::{Blobs, bring, check};
use crate::layout::Layout;
use crate::manifest::Manifest;
use crate::package::{COMPONENT_FILE, Intake, MANIFEST_FILE, Papers, SIGNATURE_FILE, signature_beside};
use crate::registry::{Registry, RegistryOptions, limited};
use crate::signature::{Signer, TrustedKeys};
use crate::source::Source;
use crate::store::{Staging, Store};

/// What is asked of a driver that comes in.
#[derive(Default)]
pub struct Request {
    /// Keys of which one must have signed it; none: no signature is asked for.
    pub keys: TrustedKeys,
    /// The component's SHA-256, when the deployer knows it.
    pub pin: Option<Sha256Digest>,
    /// Bytes that the component may have; none: [`COMPONENT_SIZE`](crate::COMPONENT_SIZE).
    pub component_size: Option<u64>,
    /// How to speak to registries.
    pub registry: RegistryOptions,
}

/// How far a fetch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes of the component are here.
    Fetching {
        /// Bytes here.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// All bytes are here; signature and manifest are being checked.
    Checking,
}

/// A driver in the store that is not installed yet.
#[derive(Debug)]
pub struct Fetched {
    pub(crate) staging: Staging,
    pub(crate) sha256: Sha256Digest,
    pub(crate) size: u64,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) signature: Option<String>,
    pub(crate) signer: Option<Signer>,
    pub(crate) origin: String,
}

impl Fetched {
    /// Where the component is, to be compiled and described. Gone when this value is.
    pub fn component(&self) -> PathBuf {
        self.staging.path().join(COMPONENT_FILE)
    }

    /// SHA-256 of the component.
    pub fn sha256(&self) -> Sha256Digest {
        self.sha256
    }

    /// Bytes of the component.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its manifest, when it came with one; not yet held against what the component says.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Who signed it; none when no keys are configured.
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// Where it came from; of an image, by its digest.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

/// Brings a driver from a source into the store, and checks length, digest, signature and manifest.
///
/// # Errors
/// Any [`DistributionError`]; then nothing of it is left.
pub async fn fetch(
    store: &Store,
    source: &Source,
    request: &Request,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Fetched> {
    let staging = store.stage()?;
    let limit = request.component_size.unwrap_or(crate::COMPONENT_SIZE);
    let create = |size| Intake::create(&staging.path().join(COMPONENT_FILE), limit, size);
    let report = |done, total| progress(Progress::Fetching { done, total });
    let (intake, papers, origin, descriptor) = match source {
        Source::File(path) => {
            let (mut file, size) = open_named(path)?;
            let mut intake = create(None)?;
            intake.take_all(&mut file, path)?;
            report(intake.size(), size);
            let papers = Papers {
                manifest: None,
                signature: signature_beside(path)?,
            };
            (intake, papers, absolute(source, path), None)
        }
        Source::Package(path) => {
            let folder = Folder::open(path)?;
            let papers = Papers::of(&folder)?;
            let missing = |name: &str| io("read", &path.join(name))(std::io::ErrorKind::NotFound.into());
            if papers.manifest.is_none() {
                return Err(missing(MANIFEST_FILE));
            }
            let (mut file, size) = folder
                .file(COMPONENT_FILE)?
                .ok_or_else(|| missing(COMPONENT_FILE))?;
            let mut intake = create(None)?;
            intake.take_all(&mut file, &path.join(COMPONENT_FILE))?;
            report(intake.size(), size);
            (intake, papers, absolute(source, path), None)
        }
        Source::Layout { folder, image } => {
            let (layout, manifest, found) = Layout::open(folder, image.as_ref()).await?;
            let (intake, blob, papers) = bring(&layout, &manifest, |size| create(Some(size)), report).await?;
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
            (
                intake,
                papers,
                format!("{}@sha256:{}", folder.display(), found.digest),
                Some((layout.what(), blob)),
            )
        }
        Source::Registry(reference) => {
            let fetching = async {
                let (registry, manifest, found) = Registry::find(reference, &request.registry).await?;
                let (intake, blob, papers) =
                    bring(&registry, &manifest, |size| create(Some(size)), report).await?;
                let place = format!("oci://{}/{}", reference.registry(), reference.repository());
                Ok((
                    intake,
                    papers,
                    format!("{place}@sha256:{}", found.digest),
                    Some((registry.what(), blob)),
                ))
            };
            limited(reference, "fetched", &request.registry, fetching).await?
        }
    };
    progress(Progress::Checking);
    let what = source.to_string();
    let (sha256, size) = intake.finish(&what)?;
    if let Some((what, blob)) = descriptor {
        check(&what, &blob, sha256)?;
    }
    if let Some(expected) = request.pin.filter(|pin| *pin != sha256) {
        return Err(DigestMismatch {
            what,
            found: sha256,
            promised_by: "the configuration".into(),
            expected,
            remedy: "it is another driver than the one that was pinned",
        }
        .into());
    }
    let component = staging.path().join(COMPONENT_FILE);
    let (mut file, _) = open_named(&component)?;
    let signer = request
        .keys
        .check(&what, &mut file, papers.signature.as_deref())?;
    let manifest_file = format!("{what}, {MANIFEST_FILE}");
    let manifest = papers
        .manifest
        .map(|text| Manifest::parse(&text, &manifest_file))
        .transpose()?;
    if let Some(manifest) = &manifest {
        manifest.check_bytes(&manifest_file, sha256, size)?;
    }
    if let Some(signature) = &papers.signature {
        write(&staging.path().join(SIGNATURE_FILE), signature.as_bytes())?;
    }
    Ok(Fetched {
        staging,
        sha256,
        size,
        manifest,
        signature: papers.signature,
        signer,
        origin,
    })
}

fn absolute(source: &Source, path: &std::path::Path) -> String {
    std::path::absolute(path).map_or_else(|_| source.to_string(), |path| path.display().to_string())
}
