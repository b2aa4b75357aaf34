//! The options: names, kinds, defaults and what they mean, in one table. What they must be together is [`config`](crate::config)'s.
//!
//! Source: cinder/backup/drivers/swift.py, `swiftbackup_service_opts`. Where Cinder has the option, its name and default; what
//! Cinder has not is said in the text.

use cofferdam_driver::{OptionInfo, OptionKind};

pub(crate) const URL: &str = "backup_swift_url";
pub(crate) const CATALOG_INFO: &str = "swift_catalog_info";
pub(crate) const REGION: &str = "backup_swift_region_name";
pub(crate) const AUTH: &str = "backup_swift_auth";
pub(crate) const AUTH_URL: &str = "backup_swift_auth_url";
pub(crate) const AUTH_VERSION: &str = "backup_swift_auth_version";
pub(crate) const USER: &str = "backup_swift_user";
pub(crate) const KEY: &str = "backup_swift_key";
pub(crate) const PROJECT: &str = "backup_swift_project";
pub(crate) const TENANT: &str = "backup_swift_tenant";
pub(crate) const USER_DOMAIN: &str = "backup_swift_user_domain";
pub(crate) const PROJECT_DOMAIN: &str = "backup_swift_project_domain";
pub(crate) const APPLICATION_ID: &str = "backup_swift_application_credential_id";
pub(crate) const APPLICATION_SECRET: &str = "backup_swift_application_credential_secret";
pub(crate) const SERVICE_AUTH: &str = "backup_swift_service_auth";
pub(crate) const SERVICE_USER: &str = "backup_swift_service_user";
pub(crate) const SERVICE_KEY: &str = "backup_swift_service_key";
pub(crate) const SERVICE_PROJECT: &str = "backup_swift_service_project";
pub(crate) const SERVICE_USER_DOMAIN: &str = "backup_swift_service_user_domain";
pub(crate) const SERVICE_PROJECT_DOMAIN: &str = "backup_swift_service_project_domain";
pub(crate) const CONTAINER: &str = "backup_swift_container";
pub(crate) const STORAGE_POLICY: &str = "backup_swift_create_storage_policy";
pub(crate) const OBJECT_SIZE: &str = "backup_swift_object_size";
pub(crate) const BLOCK_SIZE: &str = "backup_swift_block_size";
pub(crate) const TIMEOUT: &str = "backup_swift_timeout";

pub(crate) const DEFAULT_CATALOG_INFO: &str = "object-store:swift:publicURL";
pub(crate) const DEFAULT_CONTAINER: &str = "volumebackups";
pub(crate) const DEFAULT_OBJECT_SIZE: u64 = 52_428_800;
pub(crate) const DEFAULT_BLOCK_SIZE: u32 = 32768;
pub(crate) const DEFAULT_TIMEOUT_SECONDS: u64 = 60;

pub(crate) fn all() -> Vec<OptionInfo> {
    use OptionKind::{Boolean, Duration, Integer, Secret, Size, Text, TlsCaFile, TlsInsecure, Url};
    let option = |name, kind, default: &str, text| OptionInfo::optional(name, kind, default, text);
    vec![
        OptionInfo::required(
            AUTH_URL,
            Url,
            "Where to log in: Keystone's URL, or with version 1 the whole URL of Swift's own auth.",
        ),
        option(
            AUTH_VERSION,
            Integer,
            "1, or 3 with an application credential",
            "1 for Swift's own auth (tempauth), 2 or 3 for Keystone's API of that version.",
        ),
        option(
            AUTH,
            Text,
            "single_user",
            "Only single_user: all backups lie in one account. Cinder's default, per_user, needs the token of a user's request, \
             which is not here.",
        ),
        option(USER, Text, "none", "The user; with version 1 as account:user."),
        option(KEY, Secret, "none", "The user's password."),
        option(PROJECT, Text, "none", "The project's name, with version 2 or 3."),
        option(TENANT, Text, "none", "Another name for backup_swift_project."),
        option(
            USER_DOMAIN,
            Text,
            "the domain with the id default",
            "The name of the user's domain, with version 3.",
        ),
        option(
            PROJECT_DOMAIN,
            Text,
            "the domain with the id default",
            "The name of the project's domain, with version 3.",
        ),
        option(
            APPLICATION_ID,
            Text,
            "none",
            "The id of a Keystone application credential, in place of user, password and project. Cinder has no such option.",
        ),
        option(
            APPLICATION_SECRET,
            Secret,
            "none",
            "The secret of the application credential. Cinder has no such option.",
        ),
        option(
            SERVICE_AUTH,
            Boolean,
            "false",
            "Whether requests carry a service user's token too (X-Service-Token), for accounts that ask for one.",
        ),
        option(
            SERVICE_USER,
            Text,
            "none",
            "The service user, who logs in at the same URL. Cinder takes it from its section service_user, and so the four below.",
        ),
        option(SERVICE_KEY, Secret, "none", "The service user's password."),
        option(
            SERVICE_PROJECT,
            Text,
            "none",
            "The service user's project, with version 2 or 3.",
        ),
        option(
            SERVICE_USER_DOMAIN,
            Text,
            "the domain with the id default",
            "The name of the service user's domain, with version 3.",
        ),
        option(
            SERVICE_PROJECT_DOMAIN,
            Text,
            "the domain with the id default",
            "The name of the service user's project's domain, with version 3.",
        ),
        option(
            URL,
            Url,
            "what the login or the catalog tells",
            "The URL of the account in Swift, as far as the account's name. One that ends in `_` gets the project's id put behind \
             it, as Cinder does.",
        ),
        option(
            CATALOG_INFO,
            Text,
            DEFAULT_CATALOG_INFO,
            "What to look for in Keystone's catalog when there is no backup_swift_url: type, name (not looked at, as in Cinder) \
             and publicURL, internalURL or adminURL.",
        ),
        option(
            REGION,
            Text,
            "the first in the catalog",
            "The region to look for in Keystone's catalog.",
        ),
        option(
            CONTAINER,
            Text,
            DEFAULT_CONTAINER,
            "The container for backups whose user names none; made if it is missing.",
        ),
        option(
            STORAGE_POLICY,
            Text,
            "Swift's default",
            "The storage policy of containers that this driver makes.",
        ),
        option(
            OBJECT_SIZE,
            Size,
            &DEFAULT_OBJECT_SIZE.to_string(),
            "Bytes of volume in one object: a positive multiple of backup_swift_block_size, at most 5 GiB.",
        ),
        option(
            BLOCK_SIZE,
            Size,
            &DEFAULT_BLOCK_SIZE.to_string(),
            "Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295.",
        ),
        option(
            TIMEOUT,
            Duration,
            &format!("{DEFAULT_TIMEOUT_SECONDS}s"),
            "The longest wait for a connection, for an answer, and between two pieces of it. Cinder has no such option.",
        ),
        option(
            "backup_swift_ca_cert_file",
            TlsCaFile,
            "none",
            "The file of CA certificates (PEM) to trust besides the system's.",
        ),
        option(
            "backup_swift_auth_insecure",
            TlsInsecure,
            "false",
            "True leaves out the check of certificates: anyone on the way may then read and change backups.",
        ),
        option(
            "backup_swift_retry_attempts",
            Integer,
            "3",
            "Taken without effect: the host repeats calls that fail, as driver_retry_attempts and driver_retry_wait say.",
        ),
        option(
            "backup_swift_retry_backoff",
            Integer,
            "2",
            "Taken without effect: the host repeats calls that fail, as driver_retry_attempts and driver_retry_wait say.",
        ),
        option(
            "backup_swift_enable_progress_timer",
            Boolean,
            "true",
            "Taken without effect: the service tells the progress, by its own settings.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_option_is_listed_once_and_secrets_are_secret() {
        let all = all();
        let names: HashSet<&str> = all.iter().map(|option| option.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for option in &all {
            let secret = option.name.ends_with("_key") || option.name.ends_with("_secret");
            assert_eq!(secret, option.kind == OptionKind::Secret, "{}", option.name);
        }
    }
}
