//! Reaches out by wasi:http.

use cofferdam_driver::Error;
use cofferdam_driver::wasip2::http::outgoing_handler::handle;
use cofferdam_driver::wasip2::http::types::{Fields, OutgoingRequest, Scheme};

/// Sends a GET in plain HTTP and waits for the answer: `failed` when there is one, whatever it says, else
/// `unavailable`.
pub fn dial(authority: &str, path: &str) -> Error {
    match get(authority, path) {
        Ok(()) => Error::failed("it answered"),
        Err(reason) => Error::unavailable(format!("no answer from {authority}: {reason}")),
    }
}

fn get(authority: &str, path: &str) -> Result<(), String> {
    let request = OutgoingRequest::new(Fields::new());
    request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| "not an address".to_owned())?;
    let answer = handle(request, None).map_err(|code| format!("{code:?}"))?;
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(_))) => Ok(()),
        Some(Ok(Err(code))) => Err(format!("{code:?}")),
        Some(Err(())) | None => Err("the answer is gone".to_owned()),
    }
}
