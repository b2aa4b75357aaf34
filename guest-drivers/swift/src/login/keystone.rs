//! Keystone, versions 2 and 3: a JSON body with the credentials, a JSON answer with end, project and catalog. The token is in
//! the answer with version 2 and in a header with version 3.

use cofferdam_driver::http::{Method, Request, Timeouts, Url, time};
use cofferdam_driver::secrets::Encoding;
use cofferdam_driver::{Error, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Granted, LONGEST_ANSWER, Place, Token, not_an_identity_service, refusal};
use crate::catalog::{ServiceV2, ServiceV3};
use crate::config::Keystone;

pub(super) fn log_in(url: &Url, credentials: &Keystone, timeouts: Timeouts) -> Result<Granted, Error> {
    let is_v2 = matches!(credentials, Keystone::V2 { .. });
    let url = url.join(if is_v2 { "tokens" } else { "auth/tokens" });
    let body = body(credentials, &secret(credentials).placeholder("", Encoding::Json)?);
    let response = Request::new(Method::Post, url)
        .timeouts(timeouts)
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .send_bytes(body.to_string().as_bytes())?;
    if !response.is_success() {
        return Err(refusal(&response));
    }
    let origin = response.origin().to_owned();
    let token = response.header("x-subject-token").map(str::to_owned);
    let answer = response.bytes(LONGEST_ANSWER)?;
    if is_v2 {
        granted_v2(&answer)
    } else {
        granted_v3(token.as_deref(), &answer)
    }
    .ok_or_else(|| not_an_identity_service(&origin, "its answer holds no token"))
}

fn secret(credentials: &Keystone) -> &Secret {
    match credentials {
        Keystone::V2 { key, .. } | Keystone::Password { key, .. } => key,
        Keystone::Application { secret, .. } => secret,
    }
}

/// The body that logs in; `password` is what stands for it.
fn body(credentials: &Keystone, password: &str) -> Value {
    match credentials {
        Keystone::V2 { user, tenant, .. } => json!({"auth": {
            "tenantName": tenant,
            "passwordCredentials": {"username": user, "password": password},
        }}),
        Keystone::Password {
            user,
            user_domain,
            project,
            project_domain,
            ..
        } => json!({"auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": user, "domain": domain(user_domain.as_deref()), "password": password}},
            },
            "scope": {"project": {"name": project, "domain": domain(project_domain.as_deref())}},
        }}),
        Keystone::Application { id, .. } => json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": id, "secret": password},
        }}}),
    }
}

fn domain(name: Option<&str>) -> Value {
    match name {
        Some(name) => json!({"name": name}),
        None => json!({"id": "default"}),
    }
}

#[derive(Deserialize)]
struct AnswerV3 {
    token: TokenV3,
}

#[derive(Deserialize)]
struct TokenV3 {
    expires_at: Option<String>,
    project: Option<Project>,
    #[serde(default)]
    catalog: Vec<ServiceV3>,
}

#[derive(Deserialize)]
struct AnswerV2 {
    access: AccessV2,
}

#[derive(Deserialize)]
struct AccessV2 {
    token: TokenV2,
    #[serde(rename = "serviceCatalog", default)]
    catalog: Vec<ServiceV2>,
}

#[derive(Deserialize)]
struct TokenV2 {
    id: String,
    expires: Option<String>,
    tenant: Option<Project>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

fn granted_v3(token: Option<&str>, answer: &[u8]) -> Option<Granted> {
    let said = serde_json::from_slice::<AnswerV3>(answer).ok()?.token;
    Some(Granted {
        token: Token::parse(token)?,
        expires: said.expires_at.as_deref().and_then(time::parse_iso),
        place: Place::Catalog {
            endpoints: said.catalog.into_iter().flat_map(ServiceV3::endpoints).collect(),
            project_id: said.project.map(|project| project.id),
        },
    })
}

fn granted_v2(answer: &[u8]) -> Option<Granted> {
    let said = serde_json::from_slice::<AnswerV2>(answer).ok()?.access;
    Some(Granted {
        token: Token::parse(Some(&said.token.id))?,
        expires: said.token.expires.as_deref().and_then(time::parse_iso),
        place: Place::Catalog {
            endpoints: said.catalog.into_iter().flat_map(ServiceV2::endpoints).collect(),
            project_id: said.token.tenant.map(|tenant| tenant.id),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_driver::{Setting, SettingValue, Settings};

    fn key() -> Secret {
        let value = SettingValue::Text("key".to_owned());
        let name = "key".to_owned();
        Settings::new(vec![Setting { name, value }])
            .required_secret("key")
            .unwrap()
    }

    #[test]
    fn a_password_with_quotes_or_a_domain_keeps_the_body_whole() {
        let credentials = Keystone::Password {
            user: "o\"hara".to_owned(),
            user_domain: Some("people".to_owned()),
            key: key(),
            project: "backups".to_owned(),
            project_domain: None,
        };
        let text = body(&credentials, "PLACEHOLDER").to_string();
        let body: Value = serde_json::from_str(&text).unwrap();
        let user = &body["auth"]["identity"]["password"]["user"];
        assert_eq!(user["name"], "o\"hara");
        assert_eq!(user["password"], "PLACEHOLDER");
        assert_eq!(user["domain"], json!({"name": "people"}));
        assert_eq!(
            body["auth"]["scope"]["project"]["domain"],
            json!({"id": "default"})
        );
    }

    #[test]
    fn an_application_credential_asks_for_no_scope() {
        let (id, secret) = ("1234".to_owned(), key());
        let body = body(&Keystone::Application { id, secret }, "PLACEHOLDER");
        assert_eq!(body["auth"].as_object().unwrap().len(), 1);
        assert_eq!(
            body["auth"]["identity"]["application_credential"]["secret"],
            "PLACEHOLDER"
        );
    }

    #[test]
    fn version_3_tells_the_token_in_a_header() {
        let answer = br#"{"token": {"expires_at": "2026-11-26T07:50:08.000000Z", "project": {"id": "p1", "name": "x"},
            "catalog": [{"type": "object-store", "endpoints": [{"interface": "public", "region": "one", "url": "http://s"}]}]}}"#;
        let found = granted_v3(Some("gAAA"), answer).unwrap();
        assert_eq!(
            (found.token.as_str(), found.expires),
            ("gAAA", Some(1_795_679_408))
        );
        assert!(
            matches!(found.place, Place::Catalog { endpoints, project_id: Some(id) } if endpoints.len() == 1 && id == "p1")
        );
        assert!(granted_v3(None, answer).is_none());
        for odd in ["", "[]", "{}", r#"{"token": 1}"#, "<html>"] {
            assert!(granted_v3(Some("gAAA"), odd.as_bytes()).is_none(), "{odd}");
        }
        assert!(
            granted_v3(Some("gAAA"), br#"{"token": {"expires_at": "soon"}}"#)
                .unwrap()
                .expires
                .is_none()
        );
    }

    #[test]
    fn version_2_tells_the_token_in_the_answer() {
        let answer = br#"{"access": {"token": {"id": "abc", "expires": "2026-11-26T07:50:08Z", "tenant": {"id": "p1"}},
            "serviceCatalog": [{"type": "object-store", "endpoints": [{"region": "one", "publicURL": "http://s"}]}]}}"#;
        let found = granted_v2(answer).unwrap();
        assert_eq!(
            (found.token.as_str(), found.expires),
            ("abc", Some(1_795_679_408))
        );
        assert!(granted_v2(br#"{"access": {"token": {"id": "a\nb"}}}"#).is_none());
    }
}
