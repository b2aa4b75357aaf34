//! Sections `[volumes.NAME]`: volumes that exist already, and the project that each belongs to.

use cofferdam_manager::Registered;
use toml::Spanned;
use toml::de::DeValue;

use super::parse::{ConfigError, Source};

/// Reads all of them.
pub(super) fn volumes(
    source: &Source<'_>,
    at: usize,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<Registered>, ConfigError> {
    let Some(table) = value.get_ref().as_table() else {
        return source.fail(at, "volumes must be sections: [volumes.NAME]");
    };
    let mut volumes: Vec<Registered> = Vec::new();
    for (name, section) in table {
        let (at, name): (_, &str) = (name.span().start, name.get_ref());
        let Some(section) = section.get_ref().as_table() else {
            return source.fail(at, format!("volumes.{name} must be a section: [volumes.{name}]"));
        };
        if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
            return source.fail(at, format!("volume name {name:?}: use 1 to 255 characters"));
        }
        let (mut location, mut project) = (None, "admin".to_owned());
        for (key, value) in section {
            let Some(text) = value.get_ref().as_str().filter(|text| !text.is_empty()) else {
                return source.fail(value.span().start, format!("{} is not a text", key.get_ref()));
            };
            match &**key.get_ref() {
                "location" => location = Some(text.to_owned()),
                "project_id" => text.clone_into(&mut project),
                other => {
                    return source.fail(
                        key.span().start,
                        format!("unknown option {other:?}; valid here: location, project_id"),
                    );
                }
            }
        }
        let Some(location) = location else {
            return source.fail(
                at,
                format!("volume {name} has no location: a path, or the URL of an NBD export"),
            );
        };
        let location = match location.contains("://") {
            true => location.into(),
            false => source.folder().join(location),
        };
        if let Some(other) = volumes.iter().find(|other| other.location == location) {
            return source.fail(
                at,
                format!("volume {name} is at the same place as {}", other.name),
            );
        }
        volumes.push(Registered {
            name: name.to_owned(),
            location,
            project_id: project,
        });
    }
    Ok(volumes)
}
