//! The headers by which the storage is asked to encrypt.
//!
//! SSE-C sends the key with each request, and S3 wants all `x-amz-` headers signed. What is sent and signed here is a placeholder:
//! the host puts the key in its place, in the request and in what is hashed.

use cofferdam_driver::http::encode::base64;
use cofferdam_driver::secrets::Encoding;
use cofferdam_driver::{Error, Secret};

use crate::client::{Headers, add};
use crate::config::{Config, Encryption};

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
        Encryption::Customer(key) => customer(key),
        Encryption::Default | Encryption::Server(_) => Ok(Headers::new()),
    }
}

fn customer(key: &Secret) -> Result<Headers, Error> {
    let mut headers = Headers::new();
    add(
        &mut headers,
        "x-amz-server-side-encryption-customer-algorithm",
        "AES256",
    );
    add(
        &mut headers,
        "x-amz-server-side-encryption-customer-key",
        key.placeholder("", Encoding::Base64)?,
    );
    add(
        &mut headers,
        "x-amz-server-side-encryption-customer-key-md5",
        base64(&key.md5(false)?),
    );
    Ok(headers)
}
