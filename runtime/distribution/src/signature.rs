//! Signatures: whether one of the deployer's keys vouches for a component.
//!
//! Problem: a digest says that bytes are the same as before, not whose they are. Solution: minisign (Ed25519 over BLAKE2b-512), whose
//! keys and signatures are a line of text each. The signature is of the component file alone: what the manifest says besides is held
//! against the component itself. With no key configured nothing is asked; with keys, a driver without a good signature of one of them
//! is refused, and the message says which were tried. Signatures of the old kind, that are made over the whole file in memory
//! (`minisign -l`), are refused: the file is read as a stream.
//!
//! What a signature cannot say: that the driver is the newest, or the one that was meant. For that there is the pinned SHA-256.
//!
//! Bound: [`SIGNATURE_SIZE`] bytes of signature. Cost: one pass, some 0.3 GB/s.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minisign_verify::{PublicKey, Signature};

use crate::error::{DistributionError, Result, io};

/// Bytes that a signature file may have.
pub(crate) const SIGNATURE_SIZE: u64 = 8 << 10;
/// Bytes of a public key file.
const KEY_SIZE: u64 = 8 << 10;
/// Bytes before the key's id, in a key and in a signature.
const ID: std::ops::Range<usize> = 2..10;

/// The keys whose drivers are taken. Empty: every driver is.
#[derive(Debug, Clone, Default)]
pub struct TrustedKeys(Vec<(String, PublicKey)>);

/// Who signed a component.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Signer {
    /// The key's id, as minisign shows it: 16 hexadecimal digits.
    pub key: String,
    /// The comment that the signature covers, cut to 200 printable characters.
    pub comment: String,
}

impl TrustedKeys {
    /// Keys as they stand in a configuration: the base64 line of `minisign.pub` (`RWQ...`), or the path of such a file.
    ///
    /// # Errors
    /// [`DistributionError::Key`] names the one that is none, by its place and path.
    pub fn read<T: AsRef<str>>(keys: &[T]) -> Result<Self> {
        let keys = keys.iter().enumerate().map(|(place, key)| {
            let key = key.as_ref().trim();
            if key.starts_with("RW") && !key.contains('/') && !key.ends_with(".pub") || is_line(key) {
                return one(key, &format!("key {}", place + 1));
            }
            let path = Path::new(key);
            let refuse = |reason: String| DistributionError::Key {
                what: path.display().to_string(),
                reason,
            };
            let (file, _) = crate::files::open_named(path).map_err(|error| refuse(error.to_string()))?;
            let mut text = String::new();
            file.take(KEY_SIZE)
                .read_to_string(&mut text)
                .map_err(|error| refuse(error.to_string()))?;
            let line = text.lines().map(str::trim).find(|line| is_line(line));
            one(
                line.ok_or_else(|| refuse("no line of it is a key".into()))?,
                &path.display().to_string(),
            )
        });
        keys.collect::<Result<_>>().map(Self)
    }

    /// Whether every driver is taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids of the keys, as minisign shows them.
    pub fn ids(&self) -> Vec<String> {
        self.0.iter().map(|(id, _)| id.clone()).collect()
    }

    /// Checks a component's signature; none when no keys are configured. `what` is what errors call the driver.
    pub(crate) fn check(
        &self,
        what: &str,
        component: &mut File,
        signature: Option<&str>,
    ) -> Result<Option<Signer>> {
        if self.is_empty() {
            return Ok(None);
        }
        let Some(text) = signature else {
            return Err(DistributionError::Unsigned {
                what: what.to_owned(),
                keys: self.ids(),
            });
        };
        let refuse = |reason: String| DistributionError::WrongSignature {
            what: what.to_owned(),
            reason,
            keys: self.ids(),
        };
        let signature = Signature::decode(text)
            .map_err(|error| refuse(format!("it is no minisign signature ({error})")))?;
        let id = text.lines().nth(1).and_then(id_of).unwrap_or_default();
        // Ids are the keys' own; two keys of one id are both tried.
        let mut reason = format!("it was made by the key {id}, which is not among them");
        for (_, key) in self.0.iter().filter(|(known, _)| *known == id) {
            match verify(key, &signature, component) {
                Ok(Ok(())) => {
                    let comment = signature
                        .trusted_comment()
                        .chars()
                        .filter(|c| !c.is_control())
                        .take(200)
                        .collect();
                    return Ok(Some(Signer { key: id, comment }));
                }
                Ok(Err(minisign_verify::Error::UnsupportedLegacyMode)) => {
                    reason = "it is of the old kind; sign with minisign 0.10 or newer, without -l".into();
                }
                Ok(Err(_)) => reason = format!("it names the key {id}, but is not of this file"),
                Err(error) => return Err(io("read", Path::new(what))(error)),
            }
        }
        Err(refuse(reason))
    }
}

fn verify(
    key: &PublicKey,
    signature: &Signature,
    component: &mut File,
) -> std::io::Result<std::result::Result<(), minisign_verify::Error>> {
    let mut verifier = match key.verify_stream(signature) {
        Ok(verifier) => verifier,
        Err(error) => return Ok(Err(error)),
    };
    component.rewind()?;
    let mut piece = vec![0; 256 << 10];
    loop {
        let count = component.read(&mut piece)?;
        match piece.get(..count) {
            Some(read) if !read.is_empty() => verifier.update(read),
            _ => return Ok(verifier.finalize()),
        }
    }
}

fn is_line(text: &str) -> bool {
    BASE64_STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 42)
}

fn one(line: &str, what: &str) -> Result<(String, PublicKey)> {
    let refuse = |reason: &str| DistributionError::Key {
        what: what.to_owned(),
        reason: reason.to_owned(),
    };
    let key = PublicKey::from_base64(line).map_err(|error| refuse(&error.to_string()))?;
    let id = id_of(line).ok_or_else(|| refuse("it is too short"))?;
    Ok((id, key))
}

/// The id in a base64 line, as minisign shows it: the number's hexadecimal digits.
fn id_of(line: &str) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(line.trim()).ok()?;
    let mut id = bytes.get(ID)?.to_vec();
    id.reverse();
    Some(hex::encode_upper(id))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn signed(bytes: &[u8]) -> (String, String) {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let signature = minisign::sign(None, &pair.sk, bytes, Some("version 1"), None).unwrap();
        (pair.pk.to_base64(), signature.to_string())
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_signature_of_one_of_the_keys_is_good_and_its_comment_is_known() {
        let (first, _) = signed(b"");
        let (second, signature) = signed(b"component");
        let keys = TrustedKeys::read(&[first, second]).unwrap();
        let signer = keys
            .check("d", &mut file(b"component"), Some(&signature))
            .unwrap()
            .unwrap();
        assert_eq!(
            (signer.key.as_str(), signer.comment.as_str()),
            (keys.ids()[1].as_str(), "version 1")
        );
    }

    #[test]
    fn a_changed_component_a_changed_comment_another_key_and_no_signature_are_refused_with_the_keys_tried() {
        let (key, signature) = signed(b"component");
        let keys = TrustedKeys::read(std::slice::from_ref(&key)).unwrap();
        let refused = |keys: &TrustedKeys, bytes: &[u8], signature: Option<&str>| {
            let error = keys
                .check("d", &mut file(bytes), signature)
                .unwrap_err()
                .to_string();
            assert!(error.contains(&keys.ids()[0]), "{error}");
            error
        };
        assert!(refused(&keys, b"komponent", Some(&signature)).contains("not of this file"));
        assert!(refused(&keys, b"component", None).contains("not signed"));
        assert!(refused(&keys, b"component", Some("rubbish")).contains("no minisign signature"));
        let relabelled = signature.replace("version 1", "version 2");
        assert!(refused(&keys, b"component", Some(&relabelled)).contains("not of this file"));
        let others = TrustedKeys::read(&[signed(b"").0]).unwrap();
        assert!(refused(&others, b"component", Some(&signature)).contains("not among them"));
    }

    #[test]
    fn every_bit_of_a_signature_counts() {
        let (key, signature) = signed(b"component");
        let keys = TrustedKeys::read(&[key]).unwrap();
        let lines: Vec<&str> = signature.lines().collect();
        for line in [1, 3] {
            let bytes = BASE64_STANDARD.decode(lines[line]).unwrap();
            for place in 0..bytes.len() * 8 {
                let mut bytes = bytes.clone();
                bytes[place / 8] ^= 1 << (place % 8);
                let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                changed[line] = BASE64_STANDARD.encode(bytes);
                let changed = changed.join("\n");
                assert!(
                    keys.check("d", &mut file(b"component"), Some(&changed)).is_err(),
                    "bit {place} of line {line}"
                );
            }
        }
    }

    #[test]
    fn without_keys_nothing_is_asked() {
        let keys = TrustedKeys::default();
        assert!(
            keys.check("d", &mut file(b"component"), Some("rubbish"))
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_key_is_a_line_or_a_file_and_what_is_neither_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("minisign.pub");
        let (key, _) = signed(b"");
        std::fs::write(&path, format!("untrusted comment: x\n{key}\n")).unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(
            TrustedKeys::read(&[path]).unwrap().ids(),
            TrustedKeys::read(&[&key]).unwrap().ids()
        );
        for (wrong, named) in [
            ("RWQrubbish", "key 1"),
            ("/nowhere/key.pub", "/nowhere/key.pub"),
            ("", "minisign public key"),
        ] {
            let error = TrustedKeys::read(&[wrong]).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
