//! A driver's settings, with typed getters or as a struct of its own ([`Settings::parse`]).
//!
//! The host has checked each value against the option's kind before the driver sees it. The getters check again,
//! because the same component may run on another host, and say which option is wrong and what was found.

mod parse;

use std::fmt;
use std::time::Duration;

use crate::http::Url;
use crate::{Directory, Error, Secret, Setting, SettingValue};

/// The settings of one `do-setup`. Its debug text shows names only: values may be secrets.
pub struct Settings {
    values: Vec<Setting>,
}

impl Settings {
    /// Takes the settings as the contract passes them.
    pub fn new(values: Vec<Setting>) -> Self {
        Self { values }
    }

    /// A text; `None` when the option is absent.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(SettingValue::Text(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_kind(name, "a text", other)),
        }
    }

    /// A text that must be there and not be empty.
    pub fn required_text(&self, name: &str) -> Result<&str, Error> {
        match self.text(name)? {
            Some("") => Err(Error::invalid_configuration(name, "the text is empty")),
            Some(text) => Ok(text),
            None => Err(Error::invalid_configuration(
                name,
                "the option is required and absent",
            )),
        }
    }

    /// A whole number; `None` when the option is absent.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(SettingValue::Integer(number)) => Ok(Some(*number)),
            Some(other) => Err(wrong_kind(name, "a whole number", other)),
        }
    }

    /// A number of bytes; `None` when the option is absent.
    pub fn size(&self, name: &str) -> Result<Option<u64>, Error> {
        self.unsigned(name, "bytes")
    }

    /// A span of time; `None` when the option is absent.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>, Error> {
        Ok(self.unsigned(name, "milliseconds")?.map(Duration::from_millis))
    }

    /// True or false; `None` when the option is absent.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(SettingValue::Boolean(value)) => Ok(Some(*value)),
            Some(other) => Err(wrong_kind(name, "true or false", other)),
        }
    }

    /// The granted directory that the option names; it must be there. Opens nothing.
    pub fn required_directory(&self, name: &str) -> Result<Directory, Error> {
        Directory::granted(self.required_text(name)?)
            .map_err(|reason| Error::invalid_configuration(name, reason))
    }

    /// The URL that the option names; it must be there. Its error does not show it: it might hold a password.
    pub fn required_url(&self, name: &str) -> Result<Url, Error> {
        parse_url(name, self.required_text(name)?)
    }

    /// The URL that the option names; `None` when the option is absent.
    pub fn url(&self, name: &str) -> Result<Option<Url>, Error> {
        self.text(name)?.map(|text| parse_url(name, text)).transpose()
    }

    /// The secret of that option; `None` when the option is absent. The value stays with the host, which knows the
    /// secret by the option's name.
    pub fn secret(&self, name: &str) -> Result<Option<Secret>, Error> {
        Ok(self.text(name)?.map(|_| Secret::named(name)))
    }

    /// The secret of an option that must be there.
    pub fn required_secret(&self, name: &str) -> Result<Secret, Error> {
        self.required_text(name).map(|_| Secret::named(name))
    }

    fn value(&self, name: &str) -> Option<&SettingValue> {
        self.values
            .iter()
            .find(|setting| setting.name == name)
            .map(|setting| &setting.value)
    }

    fn unsigned(&self, name: &str, unit: &str) -> Result<Option<u64>, Error> {
        let Some(number) = self.integer(name)? else {
            return Ok(None);
        };
        u64::try_from(number).map(Some).map_err(|_| {
            Error::invalid_configuration(name, format!("expected a number of {unit}, found {number}"))
        })
    }
}

fn parse_url(name: &str, text: &str) -> Result<Url, Error> {
    Url::parse(text)
        .map_err(|reason| Error::invalid_configuration(name, format!("the URL cannot be used: {reason}")))
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.values.iter().map(|setting| &setting.name))
            .finish()
    }
}

/// Says the kind that was found and never the value.
fn wrong_kind(name: &str, expected: &str, found: &SettingValue) -> Error {
    Error::invalid_configuration(name, format!("expected {expected}, found {}", kind(found)))
}

fn kind(value: &SettingValue) -> &'static str {
    match value {
        SettingValue::Text(_) => "a text",
        SettingValue::Integer(_) => "a whole number",
        SettingValue::Boolean(_) => "true or false",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let setting = |name: &str, value| Setting {
            name: name.to_owned(),
            value,
        };
        Settings::new(vec![
            setting("token", SettingValue::Text("secret".to_owned())),
            setting("empty", SettingValue::Text(String::new())),
            setting("size", SettingValue::Integer(4096)),
            setting("negative", SettingValue::Integer(-1)),
            setting("flag", SettingValue::Boolean(true)),
        ])
    }

    fn reason(error: Error) -> (String, String) {
        match error {
            Error::InvalidConfiguration(invalid) => (invalid.option_name, invalid.reason),
            other => (String::new(), format!("{other:?}")),
        }
    }

    #[test]
    fn what_is_there_is_found_and_what_is_absent_is_none() {
        let settings = settings();
        assert_eq!(settings.text("token").unwrap(), Some("secret"));
        assert_eq!(settings.size("size").unwrap(), Some(4096));
        assert_eq!(
            settings.duration("size").unwrap(),
            Some(Duration::from_millis(4096))
        );
        assert_eq!(settings.boolean("flag").unwrap(), Some(true));
        assert_eq!(settings.integer("absent").unwrap(), None);
    }

    #[test]
    fn an_error_names_the_option_and_never_the_value() {
        let settings = settings();
        assert_eq!(
            reason(settings.integer("token").unwrap_err()),
            (
                "token".to_owned(),
                "expected a whole number, found a text".to_owned()
            )
        );
        assert_eq!(
            reason(settings.size("negative").unwrap_err()),
            (
                "negative".to_owned(),
                "expected a number of bytes, found -1".to_owned()
            )
        );
        assert_eq!(
            reason(settings.required_text("empty").unwrap_err()).1,
            "the text is empty"
        );
        assert_eq!(
            reason(settings.required_text("gone").unwrap_err()).1,
            "the option is required and absent"
        );
    }

    #[test]
    fn a_url_that_is_none_is_refused_without_being_shown() {
        let settings = settings();
        let (option, reason) = reason(settings.required_url("token").unwrap_err());
        assert_eq!(option, "token");
        assert!(!reason.contains("secret"), "{reason}");
        assert_eq!(settings.url("absent").unwrap(), None);
    }

    #[test]
    fn a_secret_is_known_by_its_options_name() {
        let settings = settings();
        assert_eq!(settings.required_secret("token").unwrap().name(), "token");
        assert_eq!(settings.secret("absent").unwrap(), None);
        settings.required_secret("absent").unwrap_err();
    }

    #[test]
    fn the_debug_text_holds_no_values() {
        assert!(!format!("{:?}", settings()).contains("secret"));
    }
}
