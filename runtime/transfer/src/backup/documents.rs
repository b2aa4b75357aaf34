//! The control objects of a backup: encoded on a thread while they are put, and again for every try.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::put::Putter;
use super::upload::{UploadWriter, Uploads};
use crate::error::TransferError;
use crate::format::ObjectKind;
use crate::layers::Tries;
use crate::store::unless_cancelled;
use crate::thread::{self, Stop, cause};

/// Puts one control object; gives its SHA-256.
pub(super) async fn put_document(
    putter: &Putter,
    spool: PathBuf,
    kind: ObjectKind,
    encode: impl Fn(&mut UploadWriter) -> io::Result<()> + Send + Sync + 'static,
) -> Result<String, TransferError> {
    let (encode, mut tries) = (Arc::new(encode), Tries::default());
    loop {
        let encode = encode.clone();
        let put = try_document(putter, spool.clone(), kind, move |out| encode(out)).await;
        let Err(TransferError::Store { failure, .. }) = &put else {
            return put;
        };
        let again = putter.store.again(&mut tries, failure);
        if !unless_cancelled(&putter.control.cancel, again).await? {
            return put;
        }
    }
}

async fn try_document(
    putter: &Putter,
    spool: PathBuf,
    kind: ObjectKind,
    encode: impl FnOnce(&mut UploadWriter) -> io::Result<()> + Send + 'static,
) -> Result<String, TransferError> {
    let (uploads, mut jobs) = Uploads::new(
        putter.store.needs(),
        spool,
        putter.control.resources.md5().clone(),
    );
    let encoder = thread::spawn("control", move || {
        let mut out = UploadWriter::new(uploads.open(kind, None)?);
        drop(uploads);
        let written = encode(&mut out);
        out.finish(written)
    })?;
    let put = putter.put_all(&mut jobs).await;
    drop(jobs);
    match (encoder.join().await?, put) {
        (Ok(seal), Ok(())) => Ok(seal),
        (encoded, put) => {
            let stops: [Option<Stop>; 2] = [encoded.err(), put.err()];
            Err(cause(stops).unwrap_or_else(|| TransferError::internal("the transfer stopped")))
        }
    }
}
