//! The options, and what they must be together.

use cofferdam_driver::http::Url;
use cofferdam_driver::placement::{PortionOptions, Portions};
use cofferdam_driver::secrets::Encoding;
use cofferdam_driver::{Error, OptionInfo, OptionKind, Secret, Settings};

use crate::dav::{Dav, check_container};

const URL: &str = "webdav_url";
const USER: &str = "webdav_user";
const PASSWORD: &str = "webdav_password";
const CONTAINER: &str = "webdav_container";
const PORTIONS: PortionOptions = PortionOptions {
    object_size: "webdav_file_size",
    default_object_size: 128 << 20,
    block_size: "webdav_sha_block_size_bytes",
};

const DEFAULT_CONTAINER: &str = "volumebackups";
/// Bytes that a user's name may have: what the host takes before a secret, less the colon.
const LONGEST_USER: usize = 1023;

pub(crate) fn options() -> Vec<OptionInfo> {
    let mut options = vec![
        OptionInfo::required(
            URL,
            OptionKind::Url,
            "The URL of the collection below which the containers are. It must be there.",
        ),
        OptionInfo::optional(
            USER,
            OptionKind::Text,
            "none",
            "The user, for basic authentication; together with webdav_password.",
        ),
        OptionInfo::optional(PASSWORD, OptionKind::Secret, "none", "The user's password."),
        OptionInfo::optional(
            CONTAINER,
            OptionKind::Text,
            DEFAULT_CONTAINER,
            "The container for backups whose user names none: the name of a collection right below the URL; made if it is missing.",
        ),
    ];
    options.extend(PORTIONS.describe());
    options
}

/// What a deployer sets, by the options' names.
#[derive(serde::Deserialize)]
struct Given {
    webdav_url: Url,
    webdav_user: Option<String>,
    webdav_password: Option<Secret>,
    webdav_container: Option<String>,
}

pub(crate) struct Config {
    pub(crate) dav: Dav,
    pub(crate) container: String,
    pub(crate) portions: Portions,
}

impl Config {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Error> {
        let given: Given = settings.parse()?;
        let url = given.webdav_url;
        if url.query().is_some() {
            return Err(Error::invalid_configuration(URL, "the URL holds a query (?)"));
        }
        let container = given.webdav_container.as_deref().unwrap_or(DEFAULT_CONTAINER);
        check_container(container).map_err(|error| match error {
            Error::Unsupported(reason) => Error::invalid_configuration(CONTAINER, reason),
            other => other,
        })?;
        Ok(Self {
            container: container.to_owned(),
            portions: PORTIONS.read(settings)?,
            dav: Dav::new(
                url,
                authorization(given.webdav_user.as_deref(), given.webdav_password)?,
            ),
        })
    }
}

/// The header's value with a placeholder in the place of user and password.
fn authorization(user: Option<&str>, password: Option<Secret>) -> Result<Option<String>, Error> {
    match (user, password) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(Error::invalid_configuration(
            PASSWORD,
            "it is absent, though webdav_user is there",
        )),
        (None, Some(_)) => Err(Error::invalid_configuration(
            USER,
            "it is absent, though webdav_password is there",
        )),
        (Some(user), Some(_)) if user.contains(':') || user.chars().any(char::is_control) => Err(
            Error::invalid_configuration(USER, "a user's name holds no `:` and no control character"),
        ),
        (Some(user), Some(_)) if user.len() > LONGEST_USER => Err(Error::invalid_configuration(
            USER,
            format!(
                "a user's name has at most {LONGEST_USER} bytes, found {}",
                user.len()
            ),
        )),
        (Some(user), Some(password)) => {
            let placeholder = password.placeholder(&format!("{user}:"), Encoding::Base64)?;
            Ok(Some(format!("Basic {placeholder}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_driver::{Setting, SettingValue};

    fn config(texts: &[(&str, &str)]) -> Result<Config, String> {
        let setting = |(name, text): &(&str, &str)| Setting {
            name: (*name).to_owned(),
            value: SettingValue::Text((*text).to_owned()),
        };
        let settings = Settings::new(texts.iter().map(setting).collect());
        Config::from_settings(&settings).map_err(|error| match error {
            Error::InvalidConfiguration(invalid) => invalid.option_name,
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn a_url_is_enough() {
        let config = config(&[(URL, "http://h/dav/")]).unwrap();
        assert_eq!(config.container, "volumebackups");
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let url = (URL, "http://h/dav");
        for (settings, option) in [
            (&[][..], URL),
            (&[(URL, "h")], URL),
            (&[(URL, "http://h/?x")], URL),
            (&[url, (CONTAINER, "")], CONTAINER),
            (&[url, (CONTAINER, "a/b")], CONTAINER),
            (&[url, (CONTAINER, "..")], CONTAINER),
            (&[url, (USER, "u")], PASSWORD),
            (&[url, (PASSWORD, PASSWORD)], USER),
            (&[url, (USER, "u:v"), (PASSWORD, PASSWORD)], USER),
            (&[url, (USER, &"u".repeat(1024)), (PASSWORD, PASSWORD)], USER),
        ] {
            assert_eq!(config(settings).err().as_deref(), Some(option), "{settings:?}");
        }
    }
}
