//! Settings as they are typed on a command line, `name=value`, turned into what a deployer would write and grant.
//!
//! An author who tries a driver has no configuration yet, and means what is typed: a directory that is named may be used, a
//! server that is named may be reached. Each value is read by the kind that the driver declares for it, so nothing is guessed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cofferdam_sandbox::Source;
use cofferdam_sandbox::contract::{DriverInfo, OptionInfo, OptionKind, SettingValue};
use cofferdam_sandbox::requirements::{DirectoryGrant, Grants, Written};

/// Settings and the grants that follow from them.
///
/// A secret is a text, `file:PATH` or `env:NAME`. A path is absolute. A URL grants its origin, and with the name `localhost` the
/// addresses that this name has.
///
/// # Errors
/// The option at fault and what would be right, without the value: it might be a secret.
pub fn read(
    info: &DriverInfo,
    words: &[(String, String)],
) -> Result<(BTreeMap<String, Written>, Grants), String> {
    let (mut settings, mut grants) = (BTreeMap::new(), Grants::default());
    for (name, text) in words {
        let Some(option) = info.options.iter().find(|option| option.name == *name) else {
            let known: Vec<&str> = info.options.iter().map(|option| option.name.as_str()).collect();
            return Err(format!(
                "the driver {} has no option {name:?}; it has: {}",
                info.name,
                known.join(", ")
            ));
        };
        let written = value(option, text).map_err(|expected| format!("{name} must be {expected}"))?;
        grant(option, text, &mut grants).map_err(|why| format!("{name}: {why}"))?;
        if settings.insert(name.clone(), written).is_some() {
            return Err(format!("{name} is set twice"));
        }
    }
    Ok((settings, grants))
}

fn value(option: &OptionInfo, text: &str) -> Result<Written, &'static str> {
    let plain = match option.kind {
        OptionKind::Integer => SettingValue::Integer(text.parse().map_err(|_| "a whole number")?),
        // With a unit, or a bare number.
        OptionKind::Size | OptionKind::Duration => match text.parse() {
            Ok(number) => SettingValue::Integer(number),
            Err(_) => SettingValue::Text(text.to_owned()),
        },
        OptionKind::Boolean | OptionKind::TlsVerify | OptionKind::TlsInsecure => {
            SettingValue::Boolean(text.parse().map_err(|_| "true or false")?)
        }
        OptionKind::Secret => {
            if let Some(path) = text.strip_prefix("file:") {
                return Ok(Written::Kept(Source::File(PathBuf::from(path))));
            }
            if let Some(name) = text.strip_prefix("env:") {
                return Ok(Written::Kept(Source::Environment(name.to_owned())));
            }
            SettingValue::Text(text.to_owned())
        }
        OptionKind::Text
        | OptionKind::Directory
        | OptionKind::ReadOnlyDirectory
        | OptionKind::Url
        | OptionKind::TlsCaFile
        | OptionKind::HttpProxy
        | OptionKind::HttpsProxy => SettingValue::Text(text.to_owned()),
    };
    Ok(plain.into())
}

fn grant(option: &OptionInfo, text: &str, grants: &mut Grants) -> Result<(), String> {
    match option.kind {
        OptionKind::Directory | OptionKind::ReadOnlyDirectory => grants.directories.push(DirectoryGrant {
            path: PathBuf::from(text),
            write: option.kind == OptionKind::Directory,
        }),
        OptionKind::Url => {
            let url: http::Uri = text.parse().map_err(|_| "it is no URL")?;
            let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
                return Err("it is no URL such as http://127.0.0.1:8080/path".into());
            };
            grants.http.push(format!("{scheme}://{authority}").parse()?);
            if authority.host() == "localhost" {
                for loopback in ["127.0.0.0/8", "::1"] {
                    grants.networks.push(loopback.parse()?);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cofferdam_sandbox::contract::BodyNeeds;

    use super::*;

    fn info() -> DriverInfo {
        let option = |(name, kind): (&str, OptionKind)| OptionInfo {
            name: name.to_owned(),
            kind,
            required: false,
            default: None,
            description: String::new(),
        };
        let options = [
            ("path", OptionKind::Directory),
            ("url", OptionKind::Url),
            ("count", OptionKind::Integer),
            ("size", OptionKind::Size),
            ("flag", OptionKind::Boolean),
            ("key", OptionKind::Secret),
            ("text", OptionKind::Text),
        ];
        DriverInfo {
            name: "shelf".into(),
            version: "1".into(),
            vendor: String::new(),
            description: String::new(),
            options: options.into_iter().map(option).collect(),
            needs: BodyNeeds::empty(),
            greatest_object: None,
            wants_http: true,
        }
    }

    fn words(words: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        words.iter().map(own).collect()
    }

    #[test]
    fn each_value_is_read_by_the_kind_of_its_option_and_granted() {
        let typed = [
            ("path", "/srv/x"),
            ("url", "http://localhost:80/dav"),
            ("count", "-5"),
            ("size", "64MiB"),
            ("flag", "true"),
            ("key", "env:KEY"),
            ("text", "5"),
        ];
        let (settings, grants) = read(&info(), &words(&typed)).unwrap();
        let plain = |value: SettingValue| Some(Written::Plain(value));
        assert_eq!(settings.get("count").cloned(), plain(SettingValue::Integer(-5)));
        assert_eq!(
            settings.get("size").cloned(),
            plain(SettingValue::Text("64MiB".into()))
        );
        assert_eq!(settings.get("flag").cloned(), plain(SettingValue::Boolean(true)));
        assert_eq!(
            settings.get("text").cloned(),
            plain(SettingValue::Text("5".into()))
        );
        let kept = Written::Kept(Source::Environment("KEY".into()));
        assert_eq!(settings.get("key"), Some(&kept));
        assert_eq!(grants.directories.len(), 1);
        assert_eq!((grants.http.len(), grants.networks.len()), (1, 2));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_shown() {
        for (typed, what) in [
            ([("count", "hunter2")].as_slice(), "count must be a whole number"),
            (&[("flag", "hunter2")], "flag must be true or false"),
            (&[("url", "hunter2")], "url: it is no URL"),
            (&[("pth", "hunter2")], "no option \"pth\"; it has: path, url"),
            (&[("text", "1"), ("text", "hunter2")], "text is set twice"),
        ] {
            let said = read(&info(), &words(typed)).unwrap_err();
            assert!(said.contains(what) && !said.contains("hunter2"), "{said}");
        }
    }
}
