//! Secrets as a driver may use them: by name, never by value. See `wit/0.1.0/secrets.wit` for what each use promises.

use crate::Error;
use crate::bindings::cofferdam::backup::secrets as host;

pub use crate::bindings::cofferdam::backup::secrets::{Algorithm, Encoding};
use host::SecretError;

/// The SHA-256 of a message as it will be when it leaves: with the values in the place of placeholders.
pub fn sha256(message: &[u8]) -> Result<Vec<u8>, Error> {
    host::sha256(message).map_err(|error| match error {
        SecretError::Unavailable(text) => Error::unavailable(format!("a secret cannot be read now: {text}")),
        SecretError::Unknown(text) | SecretError::Denied(text) | SecretError::Unsuitable(text) => {
            Error::failed(format!("the host made no digest: {text}"))
        }
    })
}

/// A secret that the host keeps. Made by [`Settings::secret`](crate::Settings::secret).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    name: String,
}

impl Secret {
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }

    /// The option's name, by which the host knows the secret.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Signs a message with `prefix` and the secret as key.
    pub fn sign(&self, algorithm: Algorithm, prefix: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        host::sign(&self.name, algorithm, prefix, message).map_err(|error| self.error(&error))
    }

    /// The MD5 of the secret, or of what it is when decoded from base64.
    pub fn md5(&self, decode_base64: bool) -> Result<Vec<u8>, Error> {
        host::md5(&self.name, decode_base64).map_err(|error| self.error(&error))
    }

    /// A text that the host replaces by `prefix` and the value when a request leaves. Not for URLs, errors or logs.
    pub fn placeholder(&self, prefix: &str, encoding: Encoding) -> Result<String, Error> {
        host::placeholder(&self.name, prefix, encoding).map_err(|error| self.error(&error))
    }

    /// The value itself, if the deployer granted that.
    pub fn reveal(&self) -> Result<String, Error> {
        host::reveal(&self.name).map_err(|error| self.error(&error))
    }

    /// A source that cannot be read now may come back; all else is for the deployer to mend.
    fn error(&self, error: &SecretError) -> Error {
        match error {
            SecretError::Unavailable(text) => {
                Error::unavailable(format!("the secret {} cannot be read now: {text}", self.name))
            }
            SecretError::Unknown(_) => {
                Error::invalid_configuration(&self.name, "the host has no such secret")
            }
            SecretError::Denied(text) => Error::invalid_configuration(
                &self.name,
                format!("this use of the secret is not granted: {text}"),
            ),
            SecretError::Unsuitable(text) => {
                Error::invalid_configuration(&self.name, format!("the secret cannot be used so: {text}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_away_may_come_back_and_all_else_is_to_be_mended() {
        let secret = Secret::named("key");
        let error = |kind: fn(String) -> SecretError| secret.error(&kind("why".to_owned()));
        assert!(matches!(error(SecretError::Unavailable), Error::Unavailable(_)));
        for kind in [SecretError::Unknown, SecretError::Denied, SecretError::Unsuitable] {
            assert!(
                matches!(error(kind), Error::InvalidConfiguration(invalid) if invalid.option_name == "key")
            );
        }
    }
}
