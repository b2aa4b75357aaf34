//! Lists: which page, which order, which filters a query asks for, and the link to the next page (cinder: `cinder/api/common.py`,
//! `cinder/db/sqlalchemy/api.py`, `resource_filters.json`).
//!
//! One reading for all resources. What a resource may be filtered by is a table; what Cinder would answer with an empty list
//! because it knows no such column is refused here, since nobody finds a misspelt filter in an empty list.

use cofferdam_manager::{Column, Comparison, Direction, Filter, Kind, ListQuery};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::call::Call;
use super::fault::Fault;
use super::fields::{uuid, word};

/// Greatest page, Cinder's `osapi_max_limit`.
pub(crate) const MOST: u32 = 1000;

/// What a resource's list understands.
pub(crate) struct Listable {
    /// The collection in URLs.
    pub(crate) collection: &'static str,
    /// Columns that everybody may filter by.
    pub(crate) filters: &'static [&'static str],
    /// The microversion from which `name` sorts; before, only `display_name` does.
    pub(crate) sorts_by_name: u32,
    /// The microversion from which metadata is a filter, if it is one.
    pub(crate) finds_metadata: u32,
}

/// What a list is asked for.
pub(crate) struct Listing<C> {
    pub(crate) query: ListQuery<C>,
    pub(crate) with_count: bool,
}

/// Parameters that are no filters.
const PARAMETERS: &[&str] = &[
    "limit",
    "offset",
    "marker",
    "sort",
    "sort_key",
    "sort_dir",
    "all_tenants",
    "with_count",
];

/// Reads a query.
pub(crate) fn listing<C: Column>(call: &Call, listable: &Listable) -> Result<Listing<C>, Fault> {
    let boolean = |name: &str, text: &str| {
        word(text).ok_or_else(|| {
            Fault::bad_request(format!("Invalid value '{text}' for {name}: it is no boolean."))
        })
    };
    let all_tenants = call.asked("all_tenants").map(|text| boolean("all_tenants", text));
    let all_tenants = all_tenants.transpose()?.unwrap_or(false) && call.is_admin();
    let with_count = match call.asked("with_count") {
        Some(text) if call.version.has(45) => boolean("with_count", text)?,
        _ => false,
    };
    let mut query = ListQuery {
        project: (!all_tenants).then(|| call.identity.project_id.clone()),
        filters: Vec::new(),
        sort: sort(call, listable)?,
        marker: None,
        limit: limit(call)?,
        offset: number(call, "offset", i64::from(i32::MAX))?.unwrap_or(0),
    };
    if let Some(marker) = call.asked("marker") {
        let absent = || Fault::not_found(format!("Marker {marker} could not be found."));
        query.marker = Some(uuid(marker).ok_or_else(absent)?);
    }
    for (name, value) in &call.query {
        if PARAMETERS.contains(&name.as_str()) {
            continue;
        }
        filters(call, listable, name, value, &mut query.filters)?;
    }
    if query.filters.len() > cofferdam_manager::MAX_FILTERS {
        return Err(Fault::bad_request("The query has too many filters."));
    }
    Ok(Listing { query, with_count })
}

/// Reads the page's size.
fn limit(call: &Call) -> Result<u32, Fault> {
    let asked = number(call, "limit", i64::from(i32::MAX))?;
    Ok(asked.map_or(MOST, |limit| u32::try_from(limit).unwrap_or(MOST).min(MOST)))
}

fn number(call: &Call, name: &str, most: i64) -> Result<Option<u64>, Fault> {
    let Some(text) = call.asked(name) else {
        return Ok(None);
    };
    let number = text
        .parse::<i64>()
        .ok()
        .filter(|number| (0..=most).contains(number));
    match number {
        Some(number) => Ok(Some(number.unsigned_abs())),
        None => Err(Fault::bad_request(format!(
            "{name} param must be a whole number from 0 to {most}: '{text}'."
        ))),
    }
}

fn sort<C: Column>(call: &Call, listable: &Listable) -> Result<Vec<(C, Direction)>, Fault> {
    let (sort, keys, directions) = (call.asked("sort"), call.asked("sort_key"), call.asked("sort_dir"));
    let mut pairs = Vec::new();
    if let Some(sort) = sort {
        if keys.is_some() || directions.is_some() {
            return Err(Fault::bad_request(
                "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter.",
            ));
        }
        for one in sort.split(',') {
            let (key, direction) = one.trim().split_once(':').unwrap_or((one.trim(), "desc"));
            pairs.push((key.to_owned(), direction.to_owned()));
        }
    } else if keys.is_some() || directions.is_some() {
        let mut directions = directions.unwrap_or("desc").split(',');
        let first = directions.next().unwrap_or("desc").to_owned();
        for (number, key) in keys.unwrap_or("created_at").split(',').enumerate() {
            let next = if number == 0 { None } else { directions.next() };
            pairs.push((key.trim().to_owned(), next.unwrap_or(&first).trim().to_owned()));
        }
    }
    if pairs.len() > cofferdam_manager::MAX_SORT_KEYS {
        return Err(Fault::bad_request("The query has too many sort keys."));
    }
    pairs
        .into_iter()
        .map(|(key, direction)| {
            let unknown = || Fault::bad_request(format!("Sort key supplied is invalid: '{key}'."));
            let key = if key.is_empty() {
                "created_at"
            } else {
                key.as_str()
            };
            if key == "name" && !call.version.has(listable.sorts_by_name) {
                return Err(unknown());
            }
            let column = key.parse().map_err(|_| unknown())?;
            let direction = match direction.as_str() {
                "asc" => Direction::Ascending,
                "desc" | "" => Direction::Descending,
                _ => {
                    return Err(Fault::bad_request(
                        "Unknown sort direction, must be 'desc' or 'asc'.",
                    ));
                }
            };
            Ok((column, direction))
        })
        .collect()
}

/// Takes one filter in, or drops it where Cinder drops it.
fn filters<C: Column>(
    call: &Call,
    listable: &Listable,
    name: &str,
    value: &str,
    into: &mut Vec<Filter<C>>,
) -> Result<(), Fault> {
    let (plain, like) = match name.strip_suffix('~') {
        Some(plain) if call.version.has(34) => (plain, true),
        _ => (name, false),
    };
    let invalid = || Fault::bad_request(format!("Invalid filters {name} are found in query options."));
    let allowed = listable.filters.contains(&plain) || call.is_admin();
    let column = plain.parse::<C>().ok();
    let has_metadata = listable.filters.contains(&"metadata") && call.version.has(listable.finds_metadata);
    if plain == "metadata" && has_metadata {
        return metadata(value, into);
    }
    let Some(column) = column.filter(|_| allowed) else {
        // Before 3.31 what is not known is passed over.
        return if call.version.has(31) {
            Err(invalid())
        } else {
            Ok(())
        };
    };
    if like {
        into.push(Filter::Like(column, value.to_owned()));
    } else if column.kind() == Kind::Time && call.version.has(60) {
        times(column, value, into)?;
    } else {
        into.push(Filter::Equal(column, value.to_owned()));
    }
    Ok(())
}

/// `gt:2026-01-01T00:00:00,lt:…`: comparisons, all of which must hold.
fn times<C: Column>(column: C, value: &str, into: &mut Vec<Filter<C>>) -> Result<(), Fault> {
    for one in value.split(',') {
        let (operator, time) = match one.split_once(':') {
            Some((operator, time)) if operator.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                (operator, time)
            }
            _ => ("eq", one),
        };
        let time = time.to_owned();
        into.push(match operator {
            "gt" => Filter::Compare(column, Comparison::Gt, time),
            "gte" => Filter::Compare(column, Comparison::Gte, time),
            "lt" => Filter::Compare(column, Comparison::Lt, time),
            "lte" => Filter::Compare(column, Comparison::Lte, time),
            "eq" => Filter::Equal(column, time),
            "neq" => Filter::NotEqual(column, time),
            other => {
                return Err(Fault::bad_request(format!(
                    "'{other}' is no operator: eq, neq, gt, gte, lt and lte are."
                )));
            }
        });
    }
    Ok(())
}

/// `{'key': 'value'}`, as Python's clients write it, or JSON.
fn metadata<C>(text: &str, into: &mut Vec<Filter<C>>) -> Result<(), Fault> {
    let wrong = || Fault::bad_request("The filter metadata is no object of texts: {'key': 'value'}.");
    let value = serde_json::from_str::<Value>(text)
        .or_else(|_| serde_json::from_str(&text.replace(['"', '\''], "\"").replace(": u\"", ": \"")))
        .map_err(|_| wrong())?;
    for (key, value) in value.as_object().ok_or_else(wrong)? {
        let value = value.as_str().ok_or_else(wrong)?;
        into.push(Filter::Metadata(key.clone(), value.to_owned()));
    }
    Ok(())
}

/// The link to the next page, if there may be one.
pub(crate) fn next<C>(
    call: &Call,
    path: &str,
    query: &ListQuery<C>,
    items: usize,
    last: Option<String>,
) -> Option<String> {
    if query.limit == 0 || items < query.limit as usize {
        return None;
    }
    let last = last?;
    let kept = call
        .query
        .iter()
        .filter(|(name, _)| name != "marker" && name != "offset");
    let mut text = String::new();
    for (name, value) in kept
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain([("marker", last.as_str())])
    {
        let separator = if text.is_empty() { '?' } else { '&' };
        let escaped = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        text.push_str(&format!("{separator}{}={}", escaped(name), escaped(value)));
    }
    Some(format!("{}{text}", call.link(path)))
}
