//! The headers by which the storage is asked to encrypt.
//!
//! SSE-C sends the key with each request, and S3 wants all `x-amz-` headers signed, so the key is part of what is
//! hashed and signed in the guest. A placeholder cannot be: the host would put the key in only after the hash was
//! made. Therefore SSE-C alone asks the host to reveal a secret, and the deployer must grant that.

use cofferdam_driver::http::encode::base64;
use cofferdam_driver::{Error, Secret};
use md5::{Digest, Md5};

use crate::client::{Headers, add};
use crate::config::{Config, Encryption};

const KEY_BYTES: usize = 32;

/// For a request that makes an object: a put, or the begin of one in parts.
pub(crate) fn making(config: &Config) -> Result<Headers, Error> {
    match &config.encryption {
        Encryption::Server(algorithm) => {
            let mut headers = Headers::new();
            add(&mut headers, "x-amz-server-side-encryption", *algorithm);
            Ok(headers)
        }
        Encryption::Default | Encryption::Customer(_) => using(config),
    }
}

/// For a request that works on an object that was made so: a part, a get, a head.
pub(crate) fn using(config: &Config) -> Result<Headers, Error> {
    match &config.encryption {
        Encryption::Customer(key) => customer(key.name(), revealed(key)?.as_bytes()),
        Encryption::Default | Encryption::Server(_) => Ok(Headers::new()),
    }
}

fn revealed(key: &Secret) -> Result<String, Error> {
    key.reveal().map_err(|error| match error {
        Error::InvalidConfiguration(invalid) => Error::invalid_configuration(
            invalid.option_name,
            format!("SSE-C needs the grant to reveal this secret: {}", invalid.reason),
        ),
        other => other,
    })
}

fn customer(option: &str, key: &[u8]) -> Result<Headers, Error> {
    if key.len() != KEY_BYTES {
        return Err(Error::invalid_configuration(
            option,
            "the key of SSE-C has exactly 32 bytes, as it is, without base64",
        ));
    }
    let mut headers = Headers::new();
    add(
        &mut headers,
        "x-amz-server-side-encryption-customer-algorithm",
        "AES256",
    );
    add(
        &mut headers,
        "x-amz-server-side-encryption-customer-key",
        base64(key),
    );
    add(
        &mut headers,
        "x-amz-server-side-encryption-customer-key-md5",
        base64(&Md5::digest(key)),
    );
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customers_key_is_sent_as_boto3_sends_it() {
        let headers = customer("key", b"0123456789abcdef0123456789abcdef").unwrap();
        let values: Vec<&str> = headers.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(
            values,
            [
                "AES256",
                "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
                "hRasmdxgYDKV3nvbahU1MA=="
            ]
        );
    }

    #[test]
    fn a_key_of_another_length_is_refused_and_not_shown() {
        let error = format!("{:?}", customer("key", b"hunter2").unwrap_err());
        assert!(!error.contains("hunter2"));
    }
}
