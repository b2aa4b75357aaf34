//! A login that is kept, and requests to the account that use it.
//!
//! Problem: tokens end, at a time that was told or without notice, and a request that was refused for that must not fail the
//! backup. Solved by a new login shortly before the told end, and after a 401: then the request is sent once more, and only a 401 to
//! the new token is `unauthorized`. A put is not sent again, for its body is gone: when its token is of an earlier call, it is
//! `unavailable`, so that the host may put again, with a new token. Whether that token ever worked says nothing: the server may
//! have been started anew since. When it is of this call, a look at the object says whether new tokens are taken.
//!
//! Bound: a call sends at most two logins and two requests. State: the login, which a new instance makes anew.

use cofferdam_driver::Error;
use cofferdam_driver::http::{Method, Request, Response, Url, time};

use crate::call::Call;
use crate::config::Config;
use crate::login::{Granted, Place, Token, log_in};
use crate::options;

/// How long before its end a token is replaced, at most; of a short life, a tenth.
const MARGIN_SECONDS: u64 = 60;

struct Login {
    account: Url,
    token: Token,
    service_token: Option<Token>,
    /// Seconds since 1970 from which on a new one is wanted.
    renew_at: Option<u64>,
    /// Whether it is of an earlier call.
    kept: bool,
}

pub(crate) struct Session {
    config: Config,
    login: Option<Login>,
}

impl Session {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, login: None }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Logs in unless a login is there.
    pub(crate) fn ready(&mut self) -> Result<(), Error> {
        self.login().map(drop)
    }

    /// Sends a request without a body and gives the answer, whatever its status but 401.
    pub(crate) fn send(&mut self, call: &Call<'_>) -> Result<Response, Error> {
        let response = self.request(call)?.send()?;
        if accepts(&response) {
            return Ok(response);
        }
        // Whether the token had worked before says nothing: it may have been revoked before its first use.
        self.login = None;
        let response = self.request(call)?.send()?;
        if accepts(&response) {
            return Ok(response);
        }
        self.login = None;
        Err(refused(&response, call))
    }

    /// Sends a request whose body `send` gives, once.
    pub(crate) fn send_once(
        &mut self,
        call: &Call<'_>,
        send: impl FnOnce(Request) -> Result<Response, Error>,
    ) -> Result<Response, Error> {
        self.keep();
        let response = send(self.request(call)?)?;
        if accepts(&response) {
            return Ok(response);
        }
        let kept = self.login.take().is_some_and(|login| login.kept);
        drop(response);
        if !kept {
            // A token of this very call may have been revoked while the body went: so whether new ones are taken is asked, there.
            let look = Call::new(Method::Head, call.container, call.object, call.what.clone());
            let response = self.request(&look)?.send()?;
            if !accepts(&response) {
                self.login = None;
                return Err(refused(&response, call));
            }
        }
        Err(Error::unavailable(format!(
            "cannot {}: the token ended meanwhile; the next try takes a new one",
            call.what
        )))
    }

    fn request(&mut self, call: &Call<'_>) -> Result<Request, Error> {
        let timeouts = self.config.timeouts;
        let login = self.login()?;
        let mut request = Request::new(call.method.clone(), call.url(&login.account))
            .timeouts(timeouts)
            .header("x-auth-token", login.token.as_str());
        if let Some(token) = &login.service_token {
            request = request.header("x-service-token", token.as_str());
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        Ok(request)
    }

    /// A login that is there is of an earlier call.
    fn keep(&mut self) {
        if let Some(login) = &mut self.login {
            login.kept = true;
        }
    }

    fn login(&mut self) -> Result<&Login, Error> {
        let kept = self.login.take();
        let good = kept.filter(|login| login.renew_at.is_none_or(|renew_at| time::now() < renew_at));
        let login = match good {
            Some(login) => login,
            None => Login::new(&self.config)?,
        };
        Ok(self.login.insert(login))
    }
}

/// Whether the token was taken.
fn accepts(response: &Response) -> bool {
    response.status() != 401
}

fn refused(response: &Response, call: &Call<'_>) -> Error {
    Error::unauthorized(format!(
        "cannot {}: {} answered 401 to a new token; does it know this identity service?",
        call.what,
        response.origin()
    ))
}

impl Login {
    fn new(config: &Config) -> Result<Self, Error> {
        let now = time::now();
        let granted = log_in(&config.identity, config.timeouts)?;
        let service = config
            .service
            .as_ref()
            .map(|service| log_in(service, config.timeouts))
            .transpose()?;
        let ends = [
            granted.expires,
            service.as_ref().and_then(|service| service.expires),
        ];
        Ok(Self {
            account: account(config, &granted)?,
            token: granted.token,
            service_token: service.map(|service| service.token),
            renew_at: ends.into_iter().flatten().min().map(|end| renew_at(now, end)),
            kept: false,
        })
    }
}

fn renew_at(now: u64, end: u64) -> u64 {
    end.saturating_sub(MARGIN_SECONDS.min(end.saturating_sub(now) / 10))
}

/// The account's URL: as the settings say, else as the login told.
fn account(config: &Config, granted: &Granted) -> Result<Url, Error> {
    let project = match &granted.place {
        Place::Catalog { project_id, .. } => project_id.as_deref(),
        Place::Account(_) => None,
    };
    if let Some(url) = &config.account {
        return with_project(url, project);
    }
    let told = match &granted.place {
        Place::Account(Some(url)) => url.clone(),
        Place::Account(None) => {
            return Err(Error::invalid_configuration(
                options::URL,
                "the login did not tell the account's URL (X-Storage-Url): set this option",
            ));
        }
        Place::Catalog { endpoints, .. } => config.wanted.find(endpoints)?,
    };
    Url::parse(&told).map_err(|reason| {
        Error::invalid_configuration(
            options::URL,
            format!(
                "the account's URL that the login told cannot be used: {reason}; this option would replace it"
            ),
        )
    })
}

/// Puts the project's id behind a URL that ends in `_`, as Cinder does.
fn with_project(url: &Url, project: Option<&str>) -> Result<Url, Error> {
    if !url.path().ends_with('_') {
        return Ok(url.clone());
    }
    let project = project.filter(|id| {
        !id.is_empty()
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    let whole = project.and_then(|id| Url::parse(&format!("{}{}{id}", url.origin(), url.path())).ok());
    whole.ok_or_else(|| {
        Error::invalid_configuration(
            options::URL,
            "it ends in `_`, and the login told no project whose id could follow",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_before_its_end() {
        assert_eq!(renew_at(1000, 1000 + 3600), 1000 + 3540);
        assert_eq!(renew_at(1000, 1100), 1090);
        assert_eq!(renew_at(1000, 1002), 1002);
        assert_eq!(renew_at(1000, 10), 10);
    }

    #[test]
    fn a_url_that_ends_in_an_underscore_gets_the_project() {
        let url = Url::parse("http://s/v1/AUTH_").unwrap();
        assert_eq!(with_project(&url, Some("p1-a")).unwrap().path(), "/v1/AUTH_p1-a");
        for odd in [None, Some(""), Some("../x"), Some("a/b"), Some("a?b")] {
            with_project(&url, odd).unwrap_err();
        }
        let whole = Url::parse("http://s/v1/AUTH_test").unwrap();
        assert_eq!(with_project(&whole, None).unwrap(), whole);
    }
}
