//! Small documents that clients and dashboards ask for: extensions, availability zones, types of volumes.

use axum::Json;
use axum::extract::Path;
use cofferdam_manager::VOLUME_TYPE;
use serde_json::{Value, json};

use super::call::Call;
use super::fault::Fault;
use super::{backups, messages, snapshots, volumes};
use crate::auth::Role;

/// Alias, name and description of what Cinder once called extensions, and is served here.
const EXTENSIONS: &[(&str, &str, &str)] = &[
    ("backups", "Backups", "Backups support."),
    ("os-admin-actions", "AdminActions", "Enable admin actions."),
    (
        "os-availability-zone",
        "AvailabilityZones",
        "Describe Availability Zones.",
    ),
    (
        "os-extended-services",
        "ExtendedServices",
        "Extended services support.",
    ),
    ("os-quota-sets", "Quotas", "Quota management support."),
    ("os-services", "Services", "Services support."),
    (
        "os-used-limits",
        "UsedLimits",
        "Provide data on limited resource being used.",
    ),
    ("os-volume-actions", "VolumeActions", "Enable volume actions."),
    (
        "os-vol-tenant-attr",
        "VolumeTenantAttribute",
        "Expose the internal project_id as an attribute of a volume.",
    ),
];

fn extension((alias, name, description): &(&str, &str, &str)) -> Value {
    json!({
        "alias": alias,
        "name": name,
        "description": description,
        "updated": "2016-01-01T00:00:00+00:00",
        "links": []
    })
}

/// `GET /extensions`.
pub(crate) async fn extensions(call: Call) -> Result<Json<Value>, Fault> {
    call.need(Role::Reader, "extensions:get_all")?;
    Ok(Json(
        json!({ "extensions": EXTENSIONS.iter().map(extension).collect::<Vec<_>>() }),
    ))
}

/// `GET /extensions/{alias}`.
pub(crate) async fn one_extension(call: Call, Path(alias): Path<String>) -> Result<Json<Value>, Fault> {
    call.need(Role::Reader, "extensions:get")?;
    let found = EXTENSIONS.iter().find(|(known, ..)| *known == alias);
    let found = found.ok_or_else(|| Fault::absent("Extension", &alias))?;
    Ok(Json(json!({ "extension": extension(found) })))
}

/// `GET /resource_filters`: what each list may be filtered by, or one of them.
pub(crate) async fn resource_filters(call: Call) -> Result<Json<Value>, Fault> {
    call.since(33)?;
    call.need(Role::Reader, "resource_filters:get_all")?;
    let all = [
        ("backup", &backups::LIST),
        ("message", &messages::LIST),
        ("snapshot", &snapshots::LIST),
        ("volume", &volumes::LIST),
    ];
    let wanted = call.asked("resource");
    let found = all
        .into_iter()
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name))
        .map(|(name, list)| json!({ "resource": name, "filters": list.filters }));
    Ok(Json(json!({ "resource_filters": found.collect::<Vec<_>>() })))
}

/// `GET /os-availability-zone`: available when one of its backends is up.
pub(crate) async fn zones(call: Call) -> Result<Json<Value>, Fault> {
    call.need(Role::Reader, "availability_zone:get_all")?;
    let zones = call.manager().zones();
    let zones = zones
        .into_iter()
        .map(|(name, available)| json!({ "zoneName": name, "zoneState": { "available": available } }));
    Ok(Json(json!({ "availabilityZoneInfo": zones.collect::<Vec<_>>() })))
}

/// The id of the only type there is.
const TYPE_ID: &str = "7c0ffe12-da11-5e00-8000-000000000001";

/// Id and name of the type of all volumes.
pub(crate) fn volume_type() -> (&'static str, &'static str) {
    (TYPE_ID, VOLUME_TYPE)
}

fn type_view(call: &Call) -> Value {
    let mut view = json!({
        "id": TYPE_ID,
        "name": VOLUME_TYPE,
        "description": "Raw files, block devices and NBD exports",
        "is_public": true,
        "os-volume-type-access:is_public": true,
        "extra_specs": {},
    });
    if call.is_admin()
        && let Some(map) = view.as_object_mut()
    {
        map.insert("qos_specs_id".into(), Value::Null);
    }
    view
}

/// `GET /types`.
pub(crate) async fn types(call: Call) -> Result<Json<Value>, Fault> {
    call.need(Role::Reader, "volume_extension:type_get_all")?;
    let private = call
        .asked("is_public")
        .is_some_and(|word| super::fields::word(word) == Some(false));
    let all = if private {
        Vec::new()
    } else {
        vec![type_view(&call)]
    };
    Ok(Json(json!({ "volume_types": all })))
}

/// `GET /types/{id}`, also `default`.
pub(crate) async fn one_type(call: Call, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    call.need(Role::Reader, "volume_extension:type_get")?;
    if id == "default" || id == TYPE_ID {
        return Ok(Json(json!({ "volume_type": type_view(&call) })));
    }
    Err(Fault::not_found(format!("Volume type {id} could not be found.")))
}
