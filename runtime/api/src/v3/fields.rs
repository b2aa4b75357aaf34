//! Reading a request's body: which properties it may have, and what each must be (cinder: `cinder/api/schemas/`,
//! `cinder/api/validation/`). Everything that is not asked for is refused by name, so a misspelt option is never ignored.

use std::collections::BTreeMap;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::fault::Fault;

/// Longest text in a column of Cinder.
pub(crate) const MOST_TEXT: usize = 255;

/// The whole JSON body of a request.
pub(crate) struct Document(pub(crate) Value);

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(|rejection: BytesRejection| Fault::new(rejection.status(), rejection.body_text()))?;
        if let Some(kind) = kind {
            let kind = kind.to_str().unwrap_or_default();
            let plain = kind.split(';').next().unwrap_or_default().trim();
            if !plain.is_empty() && !plain.eq_ignore_ascii_case("application/json") {
                return Err(Fault::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "Unsupported Content-Type: send application/json.",
                ));
            }
        }
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Fault::bad_request(format!("Malformed request body: it is no JSON: {error}."))
        })?;
        Ok(Document(value))
    }
}

impl Document {
    /// The object under the body's only property.
    ///
    /// # Errors
    /// When there is another property, or it is no object.
    pub(crate) fn fields<'a>(&'a self, name: &'a str) -> Result<Fields<'a>, Fault> {
        match self.only(name)? {
            Value::Object(map) => Ok(Fields { name, map }),
            other => Err(invalid(name, other, "it is not of type 'object'")),
        }
    }

    /// The value of the body's only property.
    pub(crate) fn only(&self, name: &str) -> Result<&Value, Fault> {
        let Value::Object(map) = &self.0 else {
            return Err(Fault::bad_request(
                "Malformed request body: it is no JSON object.",
            ));
        };
        if let Some(other) = map.keys().find(|key| *key != name) {
            return Err(unexpected(other));
        }
        map.get(name)
            .ok_or_else(|| Fault::bad_request(format!("'{name}' is a required property.")))
    }

    /// The body itself as an object.
    pub(crate) fn whole(&self) -> Result<Fields<'_>, Fault> {
        match &self.0 {
            Value::Object(map) => Ok(Fields { name: "body", map }),
            _ => Err(Fault::bad_request(
                "Malformed request body: it is no JSON object.",
            )),
        }
    }

    /// Name and argument of an action: the body's only property, whatever it is called.
    pub(crate) fn action(&self) -> Result<(&str, &Value), Fault> {
        let wrong =
            || Fault::bad_request("There is no such action: the body must have one property, the action.");
        let Value::Object(map) = &self.0 else {
            return Err(wrong());
        };
        match (map.len(), map.iter().next()) {
            (1, Some((name, value))) => Ok((name, value)),
            _ => Err(wrong()),
        }
    }
}

/// An object of a body, being read.
pub(crate) struct Fields<'a> {
    name: &'a str,
    map: &'a Map<String, Value>,
}

fn unexpected(name: &str) -> Fault {
    Fault::bad_request(format!(
        "Additional properties are not allowed ({} was unexpected).",
        shown(&Value::from(name))
    ))
}

fn invalid(name: &str, value: &Value, what: &str) -> Fault {
    Fault::bad_request(format!(
        "Invalid input for field/attribute {name}. Value: {}. {what}.",
        shown(value)
    ))
}

/// A value as an error shows it: bounded, and in one line.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

impl<'a> Fields<'a> {
    /// An object that stands within another.
    pub(crate) fn of(name: &'a str, value: &'a Value) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Fields { name, map }),
            other => Err(invalid(name, other, "it is not of type 'object'")),
        }
    }

    /// Refuses properties that are not among these.
    pub(crate) fn only(self, known: &[&str]) -> Result<Self, Fault> {
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(other) => Err(unexpected(other)),
            None => Ok(self),
        }
    }

    /// Refuses a property that the request's version does not have yet.
    pub(crate) fn without(self, name: &str, unless: bool) -> Result<Self, Fault> {
        match self.map.contains_key(name) && !unless {
            true => Err(unexpected(name)),
            false => Ok(self),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name)
    }

    /// Fails when the property is not there.
    pub(crate) fn required(&self, name: &str) -> Result<(), Fault> {
        match self.map.get(name) {
            Some(_) => Ok(()),
            None => Err(Fault::bad_request(format!(
                "Invalid input for field/attribute {}. '{name}' is a required property.",
                self.name
            ))),
        }
    }

    /// A text of at most 255 characters without control characters; blanks at its ends go. `None` when null or absent.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value @ Value::String(text)) => {
                check_text(name, value, text)?;
                Ok(Some(text.trim().to_owned()))
            }
            Some(other) => Err(invalid(name, other, "it is not of type 'string', 'null'")),
        }
    }

    /// The same; an empty one is none.
    pub(crate) fn name(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// A text that must be there.
    pub(crate) fn needed_text(&self, name: &str, least: usize) -> Result<String, Fault> {
        self.required(name)?;
        let text = self.text(name)?;
        let value = self.map.get(name).unwrap_or(&Value::Null);
        match text {
            Some(text) if text.chars().count() >= least => Ok(text),
            Some(_) => Err(invalid(name, value, "it is too short")),
            None => Err(invalid(name, value, "it is not of type 'string'")),
        }
    }

    /// A UUID, null or nothing.
    pub(crate) fn uuid(&self, name: &str) -> Result<Option<Uuid>, Fault> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_str().and_then(uuid) {
                Some(id) => Ok(Some(id)),
                None => Err(invalid(name, value, "it is not a 'uuid'")),
            },
        }
    }

    pub(crate) fn needed_uuid(&self, name: &str) -> Result<Uuid, Fault> {
        self.required(name)?;
        self.uuid(name)?
            .ok_or_else(|| invalid(name, &Value::Null, "it is not a 'uuid'"))
    }

    /// A boolean, or one of Cinder's words for it; false when absent.
    pub(crate) fn boolean(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.maybe_boolean(name)?.unwrap_or(false))
    }

    pub(crate) fn maybe_boolean(&self, name: &str) -> Result<Option<bool>, Fault> {
        let wrong = |value| invalid(name, value, "it is not one of the words for true and false");
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(value @ Value::String(text)) => word(text).map(Some).ok_or_else(|| wrong(value)),
            Some(value) => Err(wrong(value)),
        }
    }

    /// A whole number within bounds, or the text of one; `None` when null or absent.
    pub(crate) fn integer(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Fault> {
        let value = match self.map.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value,
        };
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) if !text.is_empty() && text.len() < 20 => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(invalid(
                name,
                value,
                &format!("it is no whole number from {least} to {most}"),
            )),
        }
    }

    /// Keys and values of a resource's metadata; `None` when null or absent.
    pub(crate) fn metadata(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Fault> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(key, value)| Ok((key.clone(), metadata_value(key, value)?)))
                .collect::<Result<_, Fault>>()
                .map(Some),
            Some(other) => Err(invalid(name, other, "it is not of type 'object', 'null'")),
        }
    }
}

fn metadata_value(key: &str, value: &Value) -> Result<String, Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_:. /".contains(c);
    if key.is_empty() || key.chars().count() > MOST_TEXT || !key.chars().all(plain) {
        return Err(Fault::bad_request(format!(
            "Invalid input for field/attribute metadata: the key {} is not one of 1 to {MOST_TEXT} letters, digits, \
             blanks, -, _, :, . and /.",
            shown(&Value::from(key))
        )));
    }
    match value {
        Value::String(text) => {
            check_text(key, value, text)?;
            Ok(text.clone())
        }
        other => Err(invalid(key, other, "it is not of type 'string'")),
    }
}

fn check_text(name: &str, value: &Value, text: &str) -> Result<(), Fault> {
    if text.chars().count() > MOST_TEXT {
        return Err(invalid(
            name,
            value,
            &format!("it has more than {MOST_TEXT} characters"),
        ));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(invalid(name, value, "it has control characters"));
    }
    Ok(())
}

/// Cinder takes UUIDs with hyphens, and without.
pub(crate) fn uuid(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

/// The words for true and false (oslo.utils: `strutils.bool_from_string`, strict).
pub(crate) fn word(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match () {
        () if is(&["1", "t", "true", "on", "y", "yes"]) => Some(true),
        () if is(&["0", "f", "false", "off", "n", "no"]) => Some(false),
        () => None,
    }
}
