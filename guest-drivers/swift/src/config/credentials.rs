//! Who somebody is: the driver's own user, or the service user. Pure.

use cofferdam_driver::http::Url;
use cofferdam_driver::{Error, Secret, Settings};

use super::{absent, required, text};
use crate::options;

/// Where to log in and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) url: Url,
    pub(crate) credentials: Credentials,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Swift's own auth.
    V1 {
        user: String,
        key: Secret,
    },
    Keystone(Keystone),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keystone {
    /// API 2.
    V2 {
        user: String,
        key: Secret,
        tenant: String,
    },
    /// API 3. A domain without a name is the one with the id `default`.
    Password {
        user: String,
        user_domain: Option<String>,
        key: Secret,
        project: String,
        project_domain: Option<String>,
    },
    /// API 3.
    Application { id: String, secret: Secret },
}

/// The names of the options that say who somebody is.
pub(super) struct Names {
    user: &'static str,
    key: &'static str,
    project: &'static str,
    user_domain: &'static str,
    project_domain: &'static str,
}

pub(super) const OWN: Names = Names {
    user: options::USER,
    key: options::KEY,
    project: options::PROJECT,
    user_domain: options::USER_DOMAIN,
    project_domain: options::PROJECT_DOMAIN,
};
pub(super) const SERVICE: Names = Names {
    user: options::SERVICE_USER,
    key: options::SERVICE_KEY,
    project: options::SERVICE_PROJECT,
    user_domain: options::SERVICE_USER_DOMAIN,
    project_domain: options::SERVICE_PROJECT_DOMAIN,
};

impl Names {
    pub(super) fn credentials(&self, settings: &Settings, version: i64) -> Result<Credentials, Error> {
        let user = required(settings, self.user, version)?;
        let key = settings.required_secret(self.key)?;
        if version == 1 {
            let useless = [
                self.project,
                options::TENANT,
                self.user_domain,
                self.project_domain,
            ];
            absent(settings, &useless, "version 1 knows no projects and domains")?;
            return Ok(Credentials::V1 { user, key });
        }
        let project = match self.tenant(settings)? {
            Some(tenant) => tenant,
            None => required(settings, self.project, version)?,
        };
        if version == 2 {
            absent(
                settings,
                &[self.user_domain, self.project_domain],
                "version 2 knows no domains",
            )?;
            let tenant = project;
            return Ok(Credentials::Keystone(Keystone::V2 { user, key, tenant }));
        }
        Ok(Credentials::Keystone(Keystone::Password {
            user,
            user_domain: text(settings, self.user_domain)?,
            key,
            project,
            project_domain: text(settings, self.project_domain)?,
        }))
    }

    /// The project by its older name, which the service user does not have.
    fn tenant(&self, settings: &Settings) -> Result<Option<String>, Error> {
        if self.project != options::PROJECT {
            return Ok(None);
        }
        match (text(settings, options::TENANT)?, text(settings, self.project)?) {
            (Some(tenant), Some(project)) if tenant != project => Err(Error::invalid_configuration(
                options::TENANT,
                format!(
                    "it is another name for {}, which says something else",
                    self.project
                ),
            )),
            (tenant, _) => Ok(tenant),
        }
    }
}

/// The application credential, if there is one.
pub(super) fn application(settings: &Settings) -> Result<Option<Credentials>, Error> {
    let (id, secret) = (
        text(settings, options::APPLICATION_ID)?,
        settings.secret(options::APPLICATION_SECRET)?,
    );
    let lacks = |option: &str| {
        Err(Error::invalid_configuration(
            option,
            "an application credential needs it",
        ))
    };
    match (id, secret) {
        (None, None) => Ok(None),
        (Some(_), None) => lacks(options::APPLICATION_SECRET),
        (None, Some(_)) => lacks(options::APPLICATION_ID),
        (Some(id), Some(secret)) => {
            let useless = [
                OWN.user,
                OWN.key,
                OWN.project,
                options::TENANT,
                OWN.user_domain,
                OWN.project_domain,
            ];
            absent(
                settings,
                &useless,
                "the application credential says who the user is and in which project",
            )?;
            Ok(Some(Credentials::Keystone(Keystone::Application { id, secret })))
        }
    }
}
