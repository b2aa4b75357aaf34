//! A whole server over memory, with simple replies only; tells its requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::wire::*;
use super::fake::*;

pub(super) type Shared<T> = Arc<Mutex<Vec<T>>>;

pub(super) const SHOWN_SIMPLE: Shown = Shown {
    structured: false,
    ..SHOWN
};

pub(super) fn memory(shown: Shown, delay: Duration) -> (Fake, Shared<u8>, Shared<Request>) {
    let bytes = Arc::new(Mutex::new(
        (0..shown.size).map(|at| (at % 251) as u8).collect::<Vec<u8>>(),
    ));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (disk, log) = (bytes.clone(), requests.clone());
    let fake = serve(move |peer| {
        peer.greet(shown)?;
        loop {
            let request = peer.request()?;
            log.lock().unwrap().push(request.clone());
            std::thread::sleep(delay);
            let from = request.offset as usize;
            let range = from..from + request.length as usize;
            match request.command {
                CMD_READ => {
                    peer.simple(0, request.cookie)?;
                    let part = disk.lock().unwrap()[range].to_vec();
                    peer.say(&part)?;
                }
                CMD_WRITE => {
                    disk.lock().unwrap()[range].copy_from_slice(&request.data);
                    peer.simple(0, request.cookie)?;
                }
                CMD_DISC => return Ok(()),
                CMD_FLUSH => peer.simple(0, request.cookie)?,
                _ => peer.simple(95, request.cookie)?,
            }
        }
    });
    (fake, bytes, requests)
}
