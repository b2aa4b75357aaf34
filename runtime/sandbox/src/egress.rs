//! The one place where a guest's HTTP request leaves the process. No grant for the network exists yet, so every
//! request is denied and the denial is remembered: the call's failure then names the missing grant instead of the
//! driver's guess.

use std::future::Future;

use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

type Background = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Background), Error>> + Send>;

/// Decides over, and will one day send, one instance's requests.
#[derive(Debug, Default)]
pub(crate) struct Egress {
    denied: Option<String>,
}

impl Egress {
    /// Where the guest wanted to go and was not let; forgotten by asking.
    pub(crate) fn take_denied(&mut self) -> Option<String> {
        self.denied.take()
    }
}

impl WasiHttpHooks for Egress {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _background: Background,
    ) -> Answer {
        let authority = request
            .uri()
            .authority()
            .map_or("an unnamed host", |authority| authority.as_str());
        self.denied = Some(authority.to_owned());
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
