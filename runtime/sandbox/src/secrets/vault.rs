//! What one instance may do with its backend's secrets, and the placeholders that it was given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hmac, signature};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::source::{Secret, Value};
use crate::contract::secrets::{Algorithm, Encoding, SecretError};

/// All placeholders begin so.
const MARK: &str = "cofferdam-secret-";

/// Length of a placeholder: the mark and 16 random bytes in hex.
const LENGTH: usize = MARK.len() + 32;

/// Placeholders that one instance may have.
const MOST: usize = 256;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) fn percent(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The text as it stands inside a JSON string.
pub(super) fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

#[derive(Debug, Clone)]
struct Placeholder {
    secret: Arc<Secret>,
    prefix: String,
    encoding: Encoding,
}

/// An instance's secrets.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    secrets: BTreeMap<String, Arc<Secret>>,
    reveal: BTreeSet<String>,
    placeholders: Mutex<BTreeMap<String, Placeholder>>,
}

impl Vault {
    pub(crate) fn new(secrets: BTreeMap<String, Arc<Secret>>, reveal: BTreeSet<String>) -> Self {
        Vault {
            secrets,
            reveal,
            placeholders: Mutex::default(),
        }
    }

    fn secret(&self, name: &str) -> Result<&Arc<Secret>, SecretError> {
        self.secrets
            .get(name)
            .ok_or_else(|| SecretError::Unknown(crate::failure::clean(name, 100)))
    }

    async fn value(&self, name: &str) -> Result<Value, SecretError> {
        self.secret(name)?.read().await.map_err(SecretError::Unavailable)
    }

    /// See `sign` in the contract.
    pub(crate) async fn sign(
        &self,
        name: &str,
        algorithm: Algorithm,
        prefix: &[u8],
        message: &[u8],
    ) -> Result<Vec<u8>, SecretError> {
        let value = self.value(name).await?;
        let algorithm = match algorithm {
            Algorithm::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::HmacSha256 => hmac::HMAC_SHA256,
            Algorithm::Rs256 if !prefix.is_empty() => {
                return Err(SecretError::Unsuitable("rs256 takes no prefix".into()));
            }
            Algorithm::Rs256 => return rs256(&value, message),
        };
        let key = Zeroizing::new([prefix, value.as_bytes()].concat());
        Ok(hmac::sign(&hmac::Key::new(algorithm, &key), message)
            .as_ref()
            .to_vec())
    }

    /// See `md5` in the contract.
    pub(crate) async fn md5(&self, name: &str, decode: bool) -> Result<Vec<u8>, SecretError> {
        let value = self.value(name).await?;
        let bytes = if decode {
            let decoded = STANDARD.decode(value.as_bytes());
            Zeroizing::new(decoded.map_err(|_| SecretError::Unsuitable("it is no base64".into()))?)
        } else {
            Zeroizing::new(value.as_bytes().to_vec())
        };
        Ok(Md5::digest(&*bytes).to_vec())
    }

    /// See `sha256` in the contract.
    pub(crate) async fn sha256(&self, message: &[u8]) -> Result<Vec<u8>, SecretError> {
        let replaced = self.replace(message).await.map_err(SecretError::Unavailable)?;
        Ok(match replaced {
            Some(bytes) => Sha256::digest(&*bytes).to_vec(),
            None => Sha256::digest(message).to_vec(),
        })
    }

    /// See `placeholder` in the contract.
    pub(crate) fn placeholder(
        &self,
        name: &str,
        prefix: String,
        encoding: Encoding,
    ) -> Result<String, SecretError> {
        let secret = self.secret(name)?.clone();
        let mut all = self.placeholders.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().find(|(_, known)| {
            Arc::ptr_eq(&known.secret, &secret) && known.prefix == prefix && known.encoding == encoding
        });
        if let Some((token, _)) = known {
            return Ok(token.clone());
        }
        if all.len() >= MOST || prefix.len() > 1024 {
            return Err(SecretError::Denied(format!(
                "an instance has at most {MOST} placeholders, with prefixes of at most 1024 bytes"
            )));
        }
        let mut random = [0; 16];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| SecretError::Unavailable("the system has no random numbers".into()))?;
        let token = format!("{MARK}{}", hex::encode(random));
        all.insert(
            token.clone(),
            Placeholder {
                secret,
                prefix,
                encoding,
            },
        );
        Ok(token)
    }

    /// See `reveal` in the contract.
    pub(crate) async fn reveal(&self, name: &str) -> Result<String, SecretError> {
        self.secret(name)?;
        if !self.reveal.contains(name) {
            return Err(SecretError::Denied(format!(
                "add reveal = [\"{name}\"] to the backend's grants"
            )));
        }
        Ok(self.value(name).await?.to_string())
    }

    /// Whether any placeholder was given out, so that one may be found.
    pub(crate) fn has_placeholders(&self) -> bool {
        !self
            .placeholders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    /// Whether the bytes hold one of this instance's placeholders.
    pub(crate) fn finds(&self, bytes: &[u8]) -> bool {
        self.next(bytes).is_some()
    }

    /// The first placeholder: where it begins, and what it stands for.
    fn next(&self, bytes: &[u8]) -> Option<(usize, Placeholder)> {
        let all = self.placeholders.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() {
            return None;
        }
        let mut windows = bytes.windows(LENGTH).enumerate();
        windows.find_map(|(at, window)| {
            let token = window
                .starts_with(MARK.as_bytes())
                .then(|| std::str::from_utf8(window).ok())??;
            Some((at, all.get(token)?.clone()))
        })
    }

    /// The bytes with values where placeholders stood; nothing when there were none.
    ///
    /// # Errors
    /// Why a value cannot be had now.
    pub(crate) async fn replace(&self, bytes: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let (mut rest, mut replaced) = (bytes, Zeroizing::new(Vec::new()));
        while let Some((at, found)) = self.next(rest) {
            let value = found.secret.read().await?;
            replaced.extend_from_slice(rest.get(..at).unwrap_or_default());
            replaced.extend_from_slice(written(&found, &value).as_bytes());
            rest = rest.get(at + LENGTH..).unwrap_or_default();
        }
        if rest.len() == bytes.len() {
            return Ok(None);
        }
        replaced.extend_from_slice(rest);
        Ok(Some(replaced))
    }
}

/// What stands in the place of a placeholder.
fn written(placeholder: &Placeholder, value: &str) -> Zeroizing<String> {
    let whole = Zeroizing::new(format!("{}{value}", placeholder.prefix));
    Zeroizing::new(match placeholder.encoding {
        Encoding::Plain => return whole,
        Encoding::Json => json(&whole),
        Encoding::Percent => percent(&whole),
        Encoding::Base64 => STANDARD.encode(whole.as_bytes()),
    })
}

fn rs256(pem: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
    let unsuitable = || SecretError::Unsuitable("it is no RSA private key in PEM".into());
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| unsuitable())?;
    let pair = match &key {
        PrivateKeyDer::Pkcs8(der) => signature::RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => signature::RsaKeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(unsuitable()),
    };
    let pair = pair.map_err(|_| unsuitable())?;
    let mut signed = vec![0; pair.public().modulus_len()];
    pair.sign(
        &signature::RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut signed,
    )
    .map_err(|_| unsuitable())?;
    Ok(signed)
}

#[cfg(test)]
mod tests;
