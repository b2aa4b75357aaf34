//! Whether the storage got what was sent.
//!
//! Before: `content-md5` and a checksum, with which the storage refuses other bytes. After: the ETag, which is the MD5
//! of the stored bytes, unless the storage encrypts with KMS or a customer's key, or is one whose ETags are no MD5 at
//! all (which shows in their form).

use cofferdam_driver::http::encode::{base64, from_hex};
use cofferdam_driver::http::{Headers as Answered, shown};
use cofferdam_driver::{BodyInfo, Error};

use crate::client::{Headers, add};
use crate::config::{Checksum, Config, Encryption};

/// The headers by which the storage can check a body in one piece.
pub(crate) fn announce(config: &Config, info: &BodyInfo) -> Result<Headers, Error> {
    let mut headers = Headers::new();
    if config.md5_validation {
        add(
            &mut headers,
            "content-md5",
            base64(&digest(info.md5.as_deref(), "MD5")?),
        );
    }
    match config.checksum {
        Checksum::None => {}
        Checksum::Crc32c => add(&mut headers, "x-amz-checksum-crc32c", crc32c(info)?),
        Checksum::Sha256 => {
            let sha256 = digest(info.sha256.as_deref(), "SHA-256")?;
            add(&mut headers, "x-amz-checksum-sha256", base64(&sha256));
        }
    }
    Ok(headers)
}

/// The CRC32C as S3 writes it.
pub(crate) fn crc32c(info: &BodyInfo) -> Result<String, Error> {
    let crc32c = info.crc32c.ok_or_else(|| missing("CRC32C"))?;
    Ok(base64(&crc32c.to_be_bytes()))
}

/// `corrupted` when the answer to a put, or to a part, tells of other bytes than were sent.
pub(crate) fn check(
    config: &Config,
    answered: &Answered,
    sent_md5: Option<&str>,
    what: &str,
) -> Result<(), Error> {
    let (Some(sent), Some(stored)) = (sent_md5, answered.get("etag").and_then(md5_of)) else {
        return Ok(());
    };
    let asked = matches!(
        config.encryption,
        Encryption::Default | Encryption::Server("AES256")
    );
    if !config.md5_validation || !asked || is_masked(answered) || stored.eq_ignore_ascii_case(sent) {
        return Ok(());
    }
    Err(Error::corrupted(format!(
        "the storage has other bytes of {what} than were sent: MD5 {} instead of {}",
        shown(stored),
        shown(sent)
    )))
}

/// Whether the bucket itself encrypts, so that the ETag is no MD5 of what was sent.
fn is_masked(answered: &Answered) -> bool {
    let by = answered.get("x-amz-server-side-encryption").unwrap_or_default();
    by.starts_with("aws:")
        || answered
            .get("x-amz-server-side-encryption-customer-algorithm")
            .is_some()
}

/// The ETag without quotes, when it has the form of an MD5.
fn md5_of(etag: &str) -> Option<&str> {
    let bare = etag.trim_matches('"');
    (bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(bare)
}

fn digest(hex: Option<&str>, name: &str) -> Result<Vec<u8>, Error> {
    hex.and_then(from_hex).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::failed(format!("the host did not give the {name} of the object's body"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_driver::{Setting, SettingValue, Settings};

    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

    fn config(changes: &[(&str, &str)]) -> Config {
        let fixed = [
            ("backup_s3_endpoint_url", "http://h"),
            ("backup_s3_store_access_key", "id"),
            ("backup_s3_store_secret_key", "key"),
        ];
        let setting = |(name, value): &(&str, &str)| Setting {
            name: (*name).to_owned(),
            value: SettingValue::Text((*value).to_owned()),
        };
        Config::from_settings(&Settings::new(fixed.iter().chain(changes).map(setting).collect())).unwrap()
    }

    fn checked(config: &Config, etag: &str, encryption: &str) -> Result<(), Error> {
        let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let answered = Answered::new(vec![
            field("ETag", etag),
            field("x-amz-server-side-encryption", encryption),
        ]);
        check(config, &answered, Some(MD5), "it")
    }

    #[test]
    fn another_md5_is_corruption_and_what_is_no_md5_says_nothing() {
        let plain = config(&[]);
        checked(&plain, &format!("\"{MD5}\""), "").unwrap();
        checked(&plain, &MD5.to_uppercase(), "AES256").unwrap();
        let other = MD5.replace('d', "0");
        assert!(matches!(checked(&plain, &other, ""), Err(Error::Corrupted(_))));
        checked(&plain, &format!("{other}-3"), "").unwrap();
        checked(&plain, "", "").unwrap();
        checked(&plain, &other, "aws:kms").unwrap();
        checked(
            &config(&[("backup_s3_server_side_encryption", "aws:kms")]),
            &other,
            "",
        )
        .unwrap();
    }

    #[test]
    fn the_digests_are_announced_in_base64() {
        let info = BodyInfo {
            size: Some(0),
            md5: Some(MD5.to_owned()),
            sha256: None,
            crc32c: Some(0xe306_9283),
        };
        let headers = announce(&config(&[("backup_s3_checksum_mode", "crc32c")]), &info).unwrap();
        let value = |name: &str| {
            headers
                .iter()
                .find(|(header, _)| header == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(value("content-md5"), Some("1B2M2Y8AsgTpgAmY7PhCfg=="));
        assert_eq!(value("x-amz-checksum-crc32c"), Some("4waSgw=="));
        announce(&config(&[("backup_s3_checksum_mode", "sha256")]), &info).unwrap_err();
    }
}
