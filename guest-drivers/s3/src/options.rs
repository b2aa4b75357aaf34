//! The options of the driver, as the deployer sees them: Cinder's first, with Cinder's names and defaults.

use cofferdam_driver::{OptionInfo, OptionKind};

use crate::portions;

pub(crate) const ENDPOINT_URL: &str = "backup_s3_endpoint_url";
pub(crate) const ACCESS_KEY: &str = "backup_s3_store_access_key";
pub(crate) const SECRET_KEY: &str = "backup_s3_store_secret_key";
pub(crate) const BUCKET: &str = "backup_s3_store_bucket";
pub(crate) const TIMEOUT: &str = "backup_s3_timeout";
pub(crate) const MD5_VALIDATION: &str = "backup_s3_md5_validation";
pub(crate) const CUSTOMER_KEY: &str = "backup_s3_sse_customer_key";
pub(crate) const CUSTOMER_ALGORITHM: &str = "backup_s3_sse_customer_algorithm";
pub(crate) const VERIFY_SSL: &str = "backup_s3_verify_ssl";
pub(crate) const CA_CERT_FILE: &str = "backup_s3_ca_cert_file";
pub(crate) const HTTP_PROXY: &str = "backup_s3_http_proxy";
pub(crate) const HTTPS_PROXY: &str = "backup_s3_https_proxy";

pub(crate) const MAX_POOL_CONNECTIONS: &str = "backup_s3_max_pool_connections";
pub(crate) const RETRY_MAX_ATTEMPTS: &str = "backup_s3_retry_max_attempts";
pub(crate) const RETRY_MODE: &str = "backup_s3_retry_mode";
pub(crate) const PROGRESS_TIMER: &str = "backup_s3_enable_progress_timer";

pub(crate) const REGION: &str = "backup_s3_region";
pub(crate) const ADDRESSING_STYLE: &str = "backup_s3_addressing_style";
pub(crate) const CHECKSUM_MODE: &str = "backup_s3_checksum_mode";
pub(crate) const SERVER_SIDE_ENCRYPTION: &str = "backup_s3_server_side_encryption";
pub(crate) const MULTIPART_THRESHOLD: &str = "backup_s3_multipart_threshold";
pub(crate) const PART_SIZE: &str = "backup_s3_part_size";

pub(crate) const DEFAULT_BUCKET: &str = "volumebackups";
pub(crate) const DEFAULT_REGION: &str = "us-east-1";
pub(crate) const DEFAULT_TIMEOUT_SECONDS: u64 = 60;
pub(crate) const DEFAULT_MULTIPART_THRESHOLD: u64 = 128 << 20;
pub(crate) const DEFAULT_PART_SIZE: u64 = 64 << 20;

/// Every option, in the order of the documentation.
pub(crate) fn all() -> Vec<OptionInfo> {
    let mut all = cinders();
    all.extend(without_effect());
    all.extend(beyond_cinder());
    all
}

fn cinders() -> Vec<OptionInfo> {
    use OptionKind::{
        Boolean, Duration, HttpProxy, HttpsProxy, Secret, Size, Text, TlsCaFile, TlsVerify, Url,
    };
    vec![
        OptionInfo::required(
            ENDPOINT_URL,
            Url,
            "Where the S3 server listens, without the bucket; must be granted.",
        ),
        OptionInfo::required(
            ACCESS_KEY,
            Text,
            "The id of the access key. It is sent in clear with each request, so it is no secret.",
        ),
        OptionInfo::required(
            SECRET_KEY,
            Secret,
            "The secret access key, with which requests are signed.",
        ),
        optional(
            BUCKET,
            Text,
            DEFAULT_BUCKET,
            "The bucket for backups that ask for no container.",
        ),
        optional(
            portions::OBJECT_SIZE,
            Size,
            portions::DEFAULT_OBJECT_SIZE,
            "Bytes of volume in one object: a positive multiple of backup_s3_block_size, at most 5 TiB.",
        ),
        optional(
            portions::BLOCK_SIZE,
            Size,
            portions::DEFAULT_BLOCK_SIZE,
            "Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295.",
        ),
        optional(
            TIMEOUT,
            Duration,
            format!("{DEFAULT_TIMEOUT_SECONDS}s"),
            "How long a connection, an answer and each next piece of it may take: more than 0, at most an hour.",
        ),
        optional(
            MD5_VALIDATION,
            Boolean,
            true,
            "Send Content-MD5, and compare the MD5 that the storage answers with what was sent.",
        ),
        optional(
            VERIFY_SSL,
            TlsVerify,
            true,
            "Whether the host checks the server's certificate.",
        ),
        optional(
            CA_CERT_FILE,
            TlsCaFile,
            "none",
            "A file of CA certificates that the host trusts besides the system's.",
        ),
        optional(
            HTTP_PROXY,
            HttpProxy,
            "none",
            "The proxy through which the host sends http requests.",
        ),
        optional(
            HTTPS_PROXY,
            HttpsProxy,
            "none",
            "The proxy through which the host sends https requests.",
        ),
        optional(
            CUSTOMER_KEY,
            Secret,
            "none",
            "The key of 32 characters with which the storage encrypts objects (SSE-C); needs \
             backup_s3_sse_customer_algorithm.",
        ),
        optional(
            CUSTOMER_ALGORITHM,
            Text,
            "none",
            "The algorithm of SSE-C: AES256; needs backup_s3_sse_customer_key.",
        ),
    ]
}

fn without_effect() -> Vec<OptionInfo> {
    use OptionKind::{Boolean, Integer, Text};
    vec![
        optional(
            MAX_POOL_CONNECTIONS,
            Integer,
            10,
            "Accepted for Cinder's sake and without effect: the host keeps the connections, see driver_calls. At least 1.",
        ),
        optional(
            RETRY_MAX_ATTEMPTS,
            Integer,
            4,
            "Accepted for Cinder's sake and without effect: the host repeats calls, see driver_retry_attempts. 0 or more.",
        ),
        optional(
            RETRY_MODE,
            Text,
            "legacy",
            "Accepted for Cinder's sake and without effect: the host repeats calls, see driver_retry_attempts. legacy, standard or adaptive.",
        ),
        optional(
            PROGRESS_TIMER,
            Boolean,
            true,
            "Accepted for Cinder's sake and without effect: the host reports progress.",
        ),
    ]
}

fn beyond_cinder() -> Vec<OptionInfo> {
    use OptionKind::{Size, Text};
    vec![
        optional(
            REGION,
            Text,
            DEFAULT_REGION,
            "The region that requests are signed for and buckets are made in.",
        ),
        optional(
            ADDRESSING_STYLE,
            Text,
            "path",
            "Where the bucket stands in a URL: path, or virtual (in the host's name, which then must be granted).",
        ),
        optional(
            CHECKSUM_MODE,
            Text,
            "none",
            "A checksum that the storage checks and keeps: none, crc32c, or sha256 (only for objects sent in one piece).",
        ),
        optional(
            SERVER_SIDE_ENCRYPTION,
            Text,
            "none",
            "Ask the storage to encrypt objects with a key of its own: none, AES256 or aws:kms.",
        ),
        optional(
            MULTIPART_THRESHOLD,
            Size,
            DEFAULT_MULTIPART_THRESHOLD,
            "Objects of more bytes are sent in parts: 1 to 5 GiB.",
        ),
        optional(
            PART_SIZE,
            Size,
            DEFAULT_PART_SIZE,
            "Bytes of one part: 5 MiB to 5 GiB.",
        ),
    ]
}

fn optional(name: &str, kind: OptionKind, default: impl ToString, description: &str) -> OptionInfo {
    OptionInfo::optional(name, kind, default.to_string(), description)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_option_stands_once_and_keeps_to_the_drivers_own_names() {
        let all = all();
        let names: HashSet<&str> = all.iter().map(|option| option.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.iter().all(|name| name.starts_with("backup_s3_")));
        assert!(
            all.iter()
                .all(|option| option.required == option.default.is_none())
        );
    }
}
