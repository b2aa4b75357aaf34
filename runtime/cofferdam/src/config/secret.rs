//! Where a secret is kept, as a backend's section says it: `key = { file = "/etc/cofferdam/key" }`.

use cofferdam_manager::Source as Kept;
use toml::Spanned;
use toml::de::DeValue;

use super::parse::{ConfigError, Source};

const SHAPE: &str = "a setting is a text, a number, true or false; a secret may also be { file = \"/path\" }, { env = \"NAME\" }, \
                     { command = [\"program\", \"argument\"] } or { credential = \"name\" }";

/// Reads what is neither text nor number nor truth.
///
/// # Errors
/// When it names no place.
pub(super) fn kept(
    source: &Source<'_>,
    option: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Kept, ConfigError> {
    let wrong = |at: usize| source.fail(at, format!("{option}: {SHAPE}"));
    let Some(table) = value.get_ref().as_table() else {
        return wrong(value.span().start);
    };
    let mut entries = table.iter();
    let (Some((key, place)), None) = (entries.next(), entries.next()) else {
        return wrong(value.span().start);
    };
    let text = place.get_ref().as_str().filter(|text| !text.is_empty());
    let at = place.span().start;
    match (&**key.get_ref(), text) {
        ("file", Some(path)) => Ok(Kept::File(source.folder().join(path))),
        ("env", Some(name)) if !name.contains(['=', '\0']) => Ok(Kept::Environment(name.to_owned())),
        ("credential", Some(name)) if !name.contains('/') && ![".", ".."].contains(&name) => {
            Ok(Kept::Credential(name.to_owned()))
        }
        ("command", None) => {
            let words = place.get_ref().as_array().map(|items| {
                let words = items
                    .iter()
                    .map(|item| item.get_ref().as_str().map(str::to_owned));
                words.collect::<Option<Vec<_>>>().unwrap_or_default()
            });
            match words {
                Some(words) if words.first().is_some_and(|program| !program.is_empty()) => {
                    Ok(Kept::Command(words))
                }
                _ => wrong(at),
            }
        }
        _ => wrong(key.span().start),
    }
}
