//! One request to the storage, as far as it does not depend on the login.

use cofferdam_driver::Error;
use cofferdam_driver::http::{Method, Response, Url, encode, shown};

/// A request to the account, a container in it, or an object in that.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) container: Option<&'a str>,
    pub(crate) object: Option<&'a str>,
    pub(crate) query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Completes "cannot ...".
    pub(crate) what: String,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        method: Method,
        container: Option<&'a str>,
        object: Option<&'a str>,
        what: String,
    ) -> Self {
        Self {
            method,
            container,
            object,
            query: String::new(),
            headers: Vec::new(),
            what,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn query(mut self, query: String) -> Self {
        self.query = query;
        self
    }

    /// The error that an answer without success means.
    pub(crate) fn error(&self, response: &Response) -> Error {
        // Swift's own name for the request, by which its deployer finds it in the logs.
        let transaction = response
            .header("x-trans-id")
            .map(|id| format!("transaction {}", shown(id)));
        match response.status() {
            498 => Error::throttled(
                None,
                format!("cannot {}: the server answered 498: too many requests", self.what),
            ),
            _ => response.error(&self.what, transaction.as_deref()),
        }
    }

    pub(crate) fn url(&self, account: &Url) -> Url {
        let parts = self.container.into_iter().chain(self.object);
        let path: Vec<String> = parts.map(encode::percent_path).collect();
        let url = if path.is_empty() {
            account.clone()
        } else {
            account.join(&path.join("/"))
        };
        url.with_query(self.query.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(container: Option<&'a str>, object: Option<&'a str>) -> Call<'a> {
        Call::new(Method::Get, container, object, String::new())
    }

    #[test]
    fn names_are_encoded_below_the_account() {
        let account = Url::parse("http://s:8080/v1/AUTH_test").unwrap();
        let path = |container, object| call(container, object).url(&account).path_and_query();
        assert_eq!(path(None, None), "/v1/AUTH_test");
        assert_eq!(path(Some("a b?"), None), "/v1/AUTH_test/a%20b%3F");
        assert_eq!(
            path(Some("c"), Some("x/é#-00001")),
            "/v1/AUTH_test/c/x/%C3%A9%23-00001"
        );
        let asked = call(Some("c"), None).query("limit=1".to_owned()).url(&account);
        assert_eq!(asked.path_and_query(), "/v1/AUTH_test/c?limit=1");
    }
}
