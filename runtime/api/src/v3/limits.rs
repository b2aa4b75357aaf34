//! What a project may have and has: `/limits` and `/os-quota-sets` (cinder: `cinder/api/v3/limits.py`, `cinder/api/contrib/
//! quotas.py`). Of Cinder's resources those that are not served here are shown with fixed values, for clients print them.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use cofferdam_manager::{ProjectQuotas, Quota};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::fault::Fault;
use super::fields::{Document, word};
use crate::auth::Role;

type Answer = Result<Json<Value>, Fault>;

/// Resources that are not served here, and their limits.
const FIXED: [(&str, i64); 2] = [("groups", 0), ("per_volume_gigabytes", -1)];

/// `GET /limits`.
pub(crate) async fn limits(call: Call) -> Answer {
    call.need(Role::Reader, "limits_extension:used_limits")?;
    let project = match call.asked("project_id").or(call.asked("tenant_id")) {
        Some(project) if call.is_admin() && call.version.has(39) => project.to_owned(),
        _ => call.identity.project_id.clone(),
    };
    let quotas = call.manager().quotas(&project).await?;
    let most = |quota| quotas.limits.get(&quota).copied().unwrap_or(-1);
    let used = |quota| quotas.usage.of(quota);
    let absolute = json!({
        "maxTotalVolumes": most(Quota::Volumes),
        "maxTotalVolumeGigabytes": most(Quota::Gigabytes),
        "maxTotalSnapshots": most(Quota::Snapshots),
        "maxTotalBackups": most(Quota::Backups),
        "maxTotalBackupGigabytes": most(Quota::BackupGigabytes),
        "totalVolumesUsed": used(Quota::Volumes),
        "totalGigabytesUsed": used(Quota::Gigabytes),
        "totalSnapshotsUsed": used(Quota::Snapshots),
        "totalBackupsUsed": used(Quota::Backups),
        "totalBackupGigabytesUsed": used(Quota::BackupGigabytes),
    });
    Ok(Json(json!({ "limits": { "rate": [], "absolute": absolute } })))
}

/// Only an admin may look at another project.
fn may_see(call: &Call, project: &str) -> Result<(), Fault> {
    call.need(Role::Reader, "volume_extension:quotas:show")?;
    match call.is_admin() || call.identity.project_id == project {
        true => Ok(()),
        false => Err(Fault::forbidden("volume_extension:quotas:show")),
    }
}

fn set(project: Option<&str>, quotas: &ProjectQuotas, usage: bool) -> Value {
    let mut set = Map::new();
    if let Some(project) = project {
        set.insert("id".into(), project.into());
    }
    let of = |limit: i64, used: u64| match usage {
        true => json!({ "limit": limit, "in_use": used, "reserved": 0 }),
        false => json!(limit),
    };
    for (quota, limit) in &quotas.limits {
        set.insert(quota.as_str().into(), of(*limit, quotas.usage.of(*quota)));
    }
    for (name, limit) in FIXED {
        set.insert(name.into(), of(limit, 0));
    }
    json!({ "quota_set": set })
}

/// `GET /os-quota-sets/{project}`.
pub(crate) async fn show(call: Call, Path(project): Path<String>) -> Answer {
    may_see(&call, &project)?;
    let usage = call.asked("usage").and_then(word).unwrap_or(false);
    let quotas = call.manager().quotas(&project).await?;
    Ok(Json(set(Some(&project), &quotas, usage)))
}

/// `GET /os-quota-sets/{project}/defaults`.
pub(crate) async fn defaults(call: Call, Path(project): Path<String>) -> Answer {
    may_see(&call, &project)?;
    let defaults = call.manager().default_quotas();
    let limits = Quota::ALL.iter().map(|quota| (*quota, defaults.of(*quota)));
    let quotas = ProjectQuotas {
        limits: limits.collect(),
        usage: cofferdam_manager::Usage::default(),
    };
    Ok(Json(set(Some(&project), &quotas, false)))
}

/// `PUT /os-quota-sets/{project}`.
pub(crate) async fn update(call: Call, Path(project): Path<String>, body: Document) -> Answer {
    call.need(Role::Admin, "volume_extension:quotas:update")?;
    let fields = body.fields("quota_set")?;
    if project.is_empty() || project.chars().count() > 255 {
        return Err(Fault::bad_request(
            "The project's id must have 1 to 255 characters.",
        ));
    }
    let mut known: Vec<_> = Quota::ALL.iter().map(|quota| quota.as_str()).collect();
    known.extend(FIXED.iter().map(|(name, _)| *name));
    known.extend(["tenant_id", "skip_validation"]);
    let fields = fields.only(&known)?;
    let mut limits = Vec::new();
    for quota in Quota::ALL {
        if fields.has(quota.as_str()) {
            limits.push((*quota, fields.integer(quota.as_str(), -1, i64::from(i32::MAX))?));
        }
    }
    for (name, fixed) in FIXED {
        if fields
            .integer(name, -1, i64::from(i32::MAX))?
            .is_some_and(|limit| limit != fixed)
        {
            return Err(Fault::bad_request(format!(
                "{name} is not served here: its limit is {fixed}."
            )));
        }
    }
    if limits.is_empty() {
        return Err(Fault::bad_request(
            "The quota_set names no quota that is to be set.",
        ));
    }
    call.manager().set_quotas(&project, &limits).await?;
    Ok(Json(set(None, &call.manager().quotas(&project).await?, false)))
}

/// `DELETE /os-quota-sets/{project}`: the defaults hold again.
pub(crate) async fn delete(call: Call, Path(project): Path<String>) -> Result<StatusCode, Fault> {
    call.need(Role::Admin, "volume_extension:quotas:delete")?;
    let limits: Vec<_> = Quota::ALL.iter().map(|quota| (*quota, None)).collect();
    call.manager().set_quotas(&project, &limits).await?;
    Ok(StatusCode::OK)
}
