//! Bodies on their way, and what goes wrong with them.
//!
//! A body with a fault is poured by a task of its own into a channel of one piece, so that each fault reads as what it does. The
//! task ends with the channel's other side.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use tokio::sync::mpsc::{self, Sender};

use super::cut::{Cut, How};
use super::fault::Fault;

pub(super) type Error = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Body = UnsyncBoxBody<Bytes, Error>;

/// How long what was passed on gets to arrive before a connection breaks.
const ARRIVE: Duration = Duration::from_millis(50);

type Piece = Result<Frame<Bytes>, Error>;

/// The request's body as the server gets it.
pub(super) fn request(body: Body, fault: Option<&Fault>, cut: &Arc<Cut>) -> Body {
    let cut = cut.clone();
    match fault {
        Some(&Fault::FlipInRequest(at)) => poured(body, move |body, to| flip(body, to, at)),
        Some(&Fault::ResetInRequest(most)) => poured(body, move |body, to| async move {
            if pass(body, &to, most).await {
                tokio::time::sleep(ARRIVE).await;
                // The server must see a body that breaks, not one that is late.
                let _ = to.send(Err("cut off by a rule".into())).await;
                cut.tell(How::Reset);
            }
        }),
        Some(&Fault::StallInRequest(most)) => poured(body, move |body, to| async move {
            if pass(body, &to, most).await {
                to.closed().await;
            }
        }),
        _ => body,
    }
}

/// The answer's body as the client gets it.
pub(super) fn answer(body: Body, fault: Option<&Fault>, cut: &Arc<Cut>) -> Body {
    let cut = cut.clone();
    let broken = |most: u64, how: How| {
        poured_with(cut.clone(), move |body, to, cut| async move {
            if pass(body, &to, most).await {
                tokio::time::sleep(ARRIVE).await;
                cut.tell(how);
                to.closed().await;
            }
        })
    };
    match fault {
        Some(&Fault::FlipInAnswer(at)) => poured(body, move |body, to| flip(body, to, at)),
        Some(&Fault::ResetInAnswer(most)) => broken(most, How::Reset)(body),
        Some(&Fault::ShortAnswer(most)) => broken(most, How::Close)(body),
        Some(&Fault::Trickle { bytes, pause }) => {
            poured(body, move |body, to| trickle(body, to, bytes, pause))
        }
        Some(&Fault::LongAnswer(more)) => poured(body, move |body, to| async move {
            pass(body, &to, u64::MAX).await;
            let _ = to.send(Ok(Frame::data(vec![b'!'; more].into()))).await;
        }),
        Some(&Fault::TrailingRubbish(more)) => poured(body, move |body, to| async move {
            pass(body, &to, u64::MAX).await;
            tokio::time::sleep(ARRIVE).await;
            cut.write_beside(&vec![b'!'; more]);
        }),
        _ => body,
    }
}

/// A body that a task pours.
fn poured<F>(body: Body, pour: impl FnOnce(Body, Sender<Piece>) -> F) -> Body
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel(1);
    tokio::spawn(pour(body, sender));
    StreamBody::new(futures::stream::poll_fn(move |context| {
        receiver.poll_recv(context)
    }))
    .boxed_unsync()
}

/// The same for one that needs the plug of its connection.
fn poured_with<F>(
    cut: Arc<Cut>,
    pour: impl FnOnce(Body, Sender<Piece>, Arc<Cut>) -> F,
) -> impl FnOnce(Body) -> Body
where
    F: Future<Output = ()> + Send + 'static,
{
    move |body| poured(body, move |body, to| pour(body, to, cut))
}

/// Passes at most so many bytes on; true when it came so far, or to the body's end.
async fn pass(body: Body, to: &Sender<Piece>, most: u64) -> bool {
    let (mut frames, mut left) = (BodyStream::new(body), most);
    while left > 0 {
        let frame = match frames.next().await {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                let _ = to.send(Err(error)).await;
                return false;
            }
            None => return true,
        };
        let Ok(mut piece) = frame.into_data() else {
            continue;
        };
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= piece.len() as u64;
        if to.send(Ok(Frame::data(piece))).await.is_err() {
            return false;
        }
    }
    true
}

async fn flip(body: Body, to: Sender<Piece>, at: u64) {
    let (mut frames, mut passed) = (BodyStream::new(body), 0_u64);
    while let Some(frame) = frames.next().await {
        let frame = frame.map(|frame| {
            frame.map_data(|piece| {
                let inside = at.checked_sub(passed).and_then(|at| usize::try_from(at).ok());
                passed += piece.len() as u64;
                let mut changed = BytesMut::from(piece);
                if let Some(byte) = inside.and_then(|at| changed.get_mut(at)) {
                    *byte ^= 1;
                }
                changed.freeze()
            })
        });
        if to.send(frame).await.is_err() {
            return;
        }
    }
}

async fn trickle(body: Body, to: Sender<Piece>, bytes: usize, pause: Duration) {
    let mut frames = BodyStream::new(body);
    while let Some(frame) = frames.next().await {
        let mut rest = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(error) => {
                let _ = to.send(Err(error)).await;
                return;
            }
        };
        while !rest.is_empty() {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = to.closed() => return,
            }
            let piece = rest.split_to(bytes.clamp(1, rest.len()));
            if to.send(Ok(Frame::data(piece))).await.is_err() {
                return;
            }
        }
    }
}
