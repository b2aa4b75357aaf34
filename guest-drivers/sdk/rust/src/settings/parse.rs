//! A driver's settings as a struct of its own, filled in by serde.
//!
//! Problem: a getter per option is a line per option, and a typo in a name is found by a deployer. Here the struct's fields are the
//! options. The kinds of the contract are known: a span of time is a `Duration`, a URL a [`Url`], a granted directory a
//! [`Directory`], a secret a [`Secret`]. No error holds a value, since it may be a secret: serde's own would. Cost: a look at each setting for each
//! struct.

use std::fmt;
use std::time::Duration;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, SeqDeserializer};
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::Settings;
use crate::http::Url;
use crate::{Directory, Error, Secret, Setting, SettingValue};

/// The name that [`Secret`] asks for, and gets the option's name instead of a value.
const SECRET: &str = "cofferdam_driver::Secret";

impl Settings {
    /// The settings as a struct whose fields are named like the options:
    ///
    /// ```ignore
    /// #[derive(serde::Deserialize)]
    /// struct Config {
    ///     shelf_path: Directory,
    ///     shelf_password: Option<Secret>,
    ///     #[serde(default)]
    ///     shelf_compact: bool,
    /// }
    /// let config: Config = settings.parse()?;
    /// ```
    ///
    /// A field that is neither an `Option` nor has a default must be set, and a text there not be empty. A number of bytes is a `u64`, a
    /// span a [`Duration`]. Options without a field are passed over.
    ///
    /// # Errors
    /// `invalid-configuration` with the option's name.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        let options = Options {
            next: self.values.iter(),
            value: None,
        };
        T::deserialize(MapAccessDeserializer::new(options))
            .map_err(|fault| Error::invalid_configuration(fault.option.unwrap_or_default(), fault.reason))
    }
}

/// All settings, as a map.
struct Options<'a> {
    next: std::slice::Iter<'a, Setting>,
    value: Option<&'a Setting>,
}

impl<'de> MapAccess<'de> for Options<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.next.next();
        self.value
            .map(|setting| seed.deserialize(BorrowedStrDeserializer::new(&setting.name)))
            .transpose()
    }

    /// Whatever is wrong with a value, its option is named.
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some(setting) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its name"));
        };
        let value = Value {
            setting,
            may_be_empty: false,
        };
        seed.deserialize(value).map_err(|fault| Fault {
            option: Some(setting.name.clone()),
            ..fault
        })
    }
}

/// Why a setting cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    option: Option<String>,
    reason: String,
    /// It is about the value's kind or range; who knows both says so in better words.
    is_kind: bool,
}

impl Fault {
    fn of_kind() -> Self {
        Fault {
            option: None,
            reason: "another kind of value is expected".to_owned(),
            is_kind: true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Fault {
            option: None,
            reason: reason.to_string(),
            is_kind: false,
        }
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Fault::of_kind()
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Fault::of_kind()
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("expected one of: {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Fault {
            option: Some(field.to_owned()),
            reason: "the option is required and absent".to_owned(),
            is_kind: false,
        }
    }
}

/// The value of one setting, which also knows its name.
#[derive(Clone, Copy)]
struct Value<'a> {
    setting: &'a Setting,
    may_be_empty: bool,
}

impl<'a> Value<'a> {
    fn wrong(self, expected: &str) -> Fault {
        let found = match &self.setting.value {
            SettingValue::Integer(number) => format!("the number {number}"),
            other => super::kind(other).to_owned(),
        };
        de::Error::custom(format_args!("expected {expected}, found {found}"))
    }

    fn visit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.setting.value {
            SettingValue::Text(text) if text.is_empty() && !self.may_be_empty => Err(empty()),
            SettingValue::Text(text) => visitor.visit_borrowed_str(text),
            SettingValue::Integer(number) => visitor.visit_i64(*number),
            SettingValue::Boolean(value) => visitor.visit_bool(*value),
        }
    }

    fn span(self) -> Result<Duration, Fault> {
        match &self.setting.value {
            SettingValue::Integer(number) => u64::try_from(*number)
                .map(Duration::from_millis)
                .map_err(|_| self.wrong("a number of milliseconds")),
            _ => Err(self.wrong("a number of milliseconds")),
        }
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let expected = Expecting(&visitor).to_string();
        self.visit(visitor).map_err(|fault| match fault.is_kind {
            true => self.wrong(in_words(&expected)),
            false => fault,
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(Value {
            may_be_empty: true,
            ..self
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match (&self.setting.value, name) {
            (SettingValue::Text(text), SECRET) if text.is_empty() && !self.may_be_empty => Err(empty()),
            (SettingValue::Text(_), SECRET) => {
                visitor.visit_newtype_struct(BorrowedStrDeserializer::<Fault>::new(&self.setting.name))
            }
            (_, SECRET) => Err(self.wrong("a secret")),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    /// A `Duration` is seconds and nanoseconds to serde, milliseconds to the contract.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name != "Duration" {
            return self.deserialize_any(visitor);
        }
        let span = self.span()?;
        let parts = [span.as_secs(), u64::from(span.subsec_nanos())];
        visitor.visit_seq(SeqDeserializer::new(parts.into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.setting.value {
            SettingValue::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(self.wrong("a text")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

fn empty() -> Fault {
    de::Error::custom("the text is empty")
}

/// What serde expects, as a deployer would say it.
fn in_words(expected: &str) -> &str {
    match expected {
        "a string" | "a borrowed string" => "a text",
        "a boolean" => "true or false",
        "u8" => "a number from 0 to 255",
        "u16" => "a number from 0 to 65535",
        "u32" => "a number from 0 to 4294967295",
        "u64" | "usize" => "a number of 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        other => other,
    }
}

/// What a visitor says that it expects.
struct Expecting<'v, V>(&'v V);

impl<'de, V: Visitor<'de>> fmt::Display for Expecting<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;

        impl<'de> Visitor<'de> for Named {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, name: D) -> Result<Secret, D::Error> {
                String::deserialize(name).map(|name| Secret::named(&name))
            }
        }

        deserializer.deserialize_newtype_struct(SECRET, Named)
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Url::parse(&text)
            .map_err(|reason| de::Error::custom(format_args!("the URL cannot be used: {reason}")))
    }
}

impl<'de> Deserialize<'de> for Directory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = String::deserialize(deserializer)?;
        Directory::granted(&path).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Style {
        Path,
        Host,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Config {
        url: Url,
        container: Option<String>,
        password: Option<Secret>,
        block: u64,
        timeout: Option<Duration>,
        #[serde(default)]
        compact: bool,
        style: Option<Style>,
    }

    fn parsed(values: Vec<(&str, SettingValue)>) -> Result<Config, (String, String)> {
        let setting = |(name, value): (&str, SettingValue)| Setting {
            name: name.to_owned(),
            value,
        };
        let settings = Settings::new(values.into_iter().map(setting).collect());
        settings.parse().map_err(|error| match error {
            Error::InvalidConfiguration(invalid) => (invalid.option_name, invalid.reason),
            other => (String::new(), format!("{other:?}")),
        })
    }

    fn text(text: &str) -> SettingValue {
        SettingValue::Text(text.to_owned())
    }

    #[test]
    fn every_kind_is_read_and_what_may_be_absent_is_none() {
        let config = parsed(vec![
            ("url", text("http://storage.example/")),
            ("block", SettingValue::Integer(4096)),
        ])
        .unwrap();
        assert_eq!((config.block, config.compact), (4096, false));
        assert_eq!(
            (config.container, config.password, config.timeout, config.style),
            (None, None, None, None)
        );
        let config = parsed(vec![
            ("url", text("http://storage.example/")),
            ("container", text("")),
            ("password", text("hidden")),
            ("block", SettingValue::Integer(1)),
            ("timeout", SettingValue::Integer(1500)),
            ("compact", SettingValue::Boolean(true)),
            ("style", text("host")),
            ("another", SettingValue::Integer(7)),
        ])
        .unwrap();
        assert_eq!(config.container.as_deref(), Some(""));
        assert_eq!(config.password.unwrap().name(), "password");
        assert_eq!(config.timeout, Some(Duration::from_millis(1500)));
        assert_eq!((config.compact, config.style), (true, Some(Style::Host)));
    }

    #[test]
    fn a_secret_that_must_be_there_is_refused_when_it_is_empty_as_the_getter_does() {
        #[derive(Debug, Deserialize)]
        struct Must {
            #[allow(dead_code, reason = "read into, never out of")]
            password: Secret,
        }
        let settings = Settings::new(vec![Setting {
            name: "password".to_owned(),
            value: text(""),
        }]);
        settings.parse::<Must>().unwrap_err();
        settings.required_secret("password").unwrap_err();
    }

    #[test]
    fn an_error_names_the_option_and_never_the_value() {
        let url = || ("url", text("http://storage.example/"));
        let block = || ("block", SettingValue::Integer(1));
        for (values, option, reason) in [
            (vec![url()], "block", "the option is required and absent"),
            (vec![("url", text("")), block()], "url", "the text is empty"),
            (
                vec![url(), ("block", text("hidden"))],
                "block",
                "expected a number of 0 or more, found a text",
            ),
            (
                vec![url(), ("block", SettingValue::Integer(-77))],
                "block",
                "expected a number of 0 or more, found the number -77",
            ),
            (
                vec![url(), block(), ("timeout", SettingValue::Integer(-77))],
                "timeout",
                "expected a number of milliseconds, found the number -77",
            ),
            (
                vec![url(), block(), ("password", SettingValue::Integer(77))],
                "password",
                "expected a secret, found the number 77",
            ),
            (
                vec![url(), block(), ("style", text("hidden"))],
                "style",
                "expected one of: path, host",
            ),
            (
                vec![url(), block(), ("style", SettingValue::Integer(77))],
                "style",
                "expected a text, found the number 77",
            ),
        ] {
            let (named, told) = parsed(values).unwrap_err();
            assert_eq!((named.as_str(), told.as_str()), (option, reason));
        }
        let (option, reason) = parsed(vec![("url", text("hidden")), block()]).unwrap_err();
        assert_eq!(option, "url");
        assert!(
            reason.starts_with("the URL cannot be used") && !reason.contains("hidden"),
            "{reason}"
        );
    }
}
