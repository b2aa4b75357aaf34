//! A server that says no: each status is told as what it means, once, and the next call works.

use cofferdam_sandbox::Failure;
use cofferdam_sandbox::contract::DriverError;
use http::StatusCode;

use crate::case::{Case, Need, Stop, Verdict};
use crate::expect::{Expect, equal, found, holds, same, shown};
use crate::ground::Ground;
use crate::proxy::{Answer, Fault, Rule};
use crate::store::Store;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 46,
        group: "statuses",
        name: "a server that asks for a pause is throttled, for as long as it says",
        why: "without the pause the host makes it worse; as another error it would end the backup",
        needs: &[Need::Faults],
        run: |ground| Box::pin(paused(ground)),
    },
    Case {
        number: 47,
        group: "statuses",
        name: "a server that fails once is unavailable once, and the next call succeeds",
        why: "the host tries again what is unavailable, and nothing else",
        needs: &[Need::Faults],
        run: |ground| Box::pin(once(ground)),
    },
    Case {
        number: 47,
        group: "statuses",
        name: "a server that always fails is asked no more than a few times by one call",
        why: "drivers hold no retry loops: the host knows how long to try",
        needs: &[Need::Faults],
        run: |ground| Box::pin(always(ground)),
    },
    Case {
        number: 47,
        group: "statuses",
        name: "what a server refuses is told as what it is",
        why: "credentials, room and absence are mended by different people",
        needs: &[Need::Faults],
        run: |ground| Box::pin(refusals(ground)),
    },
    Case {
        number: 47,
        group: "statuses",
        name: "a delete that the server answers by 404 though the object is there has not succeeded",
        why: "a storage that is half away answers so; what is taken for deleted stays there for ever",
        needs: &[Need::Faults],
        run: |ground| Box::pin(contradicted(ground)),
    },
    Case {
        number: 52,
        group: "statuses",
        name: "a refusal that comes before the body was taken is not lost",
        why: "a full storage says so at once; a cut connection in its place is tried again for ever",
        needs: &[Need::Faults],
        run: |ground| Box::pin(early(ground)),
    },
];

/// What is asked of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Put,
    Get,
    Stat,
    List,
    Delete,
}

pub(super) const VERBS: [Verb; 5] = [Verb::Put, Verb::Get, Verb::Stat, Verb::List, Verb::Delete];

/// What is under the names of these cases.
pub(super) const BYTES: &[u8] = b"what is there";

impl Verb {
    /// The object whose name stands in the requests: there, but for a put.
    pub(super) async fn prepare(
        self,
        ground: &Ground<'_>,
        store: &Store<'_>,
        rest: &str,
    ) -> Result<String, Stop> {
        let name = ground.name(&format!("{self:?}-{rest}").to_lowercase());
        if self != Verb::Put {
            store.put(&name, BYTES).await.must("a put")?;
        }
        Ok(name)
    }

    /// What stands in its requests: a listing need not name an object, but names the container in any dialect.
    pub(super) fn mark<'n>(self, ground: &'n Ground<'_>, name: &'n str) -> &'n str {
        match self {
            Verb::List => ground.container(),
            _ => name,
        }
    }

    /// Asks it. A success must be right.
    pub(super) async fn ask(self, store: &Store<'_>, name: &str) -> Result<Result<(), Failure>, Stop> {
        Ok(match self {
            Verb::Put => store.put(name, BYTES).await,
            Verb::Get => match store.get(name).await {
                Ok(came) => {
                    same(name, BYTES, &came)?;
                    Ok(())
                }
                Err(failure) => Err(failure),
            },
            Verb::Stat => match store.stat(name).await {
                Ok(size) => {
                    equal("the size by stat", &(BYTES.len() as u64), &size)?;
                    Ok(())
                }
                Err(failure) => Err(failure),
            },
            Verb::List => match store.page(name, None, 10).await {
                Ok((objects, _)) => {
                    equal("the names that are listed", &1, &objects.len())?;
                    Ok(())
                }
                Err(failure) => Err(failure),
            },
            Verb::Delete => store.delete(name).await,
        })
    }

    /// What must hold after it failed: a put has left nothing, a delete has deleted nothing.
    pub(super) async fn left(self, ground: &Ground<'_>, name: &str) -> Verdict {
        match self {
            Verb::Put => ground.absent(name).await,
            _ => ground.whole(name, BYTES).await,
        }
    }
}

fn status(status: StatusCode) -> Answer {
    Answer::status(status)
}

/// Asks once with an answer in the server's place, which comes when it has the whole request.
async fn answered(
    ground: &Ground<'_>,
    store: &Store<'_>,
    verb: Verb,
    name: &str,
    answer: Answer,
) -> Result<Result<(), Failure>, Stop> {
    ground.inject(verb.mark(ground, name), Fault::AnswerAfterBody(answer))?;
    let asked = verb.ask(store, name).await?;
    ground.mend()?;
    Ok(asked)
}

async fn paused(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for (number, (answer, pause)) in [
        (status(StatusCode::TOO_MANY_REQUESTS).retry_after(7), Some(7000)),
        (status(StatusCode::SERVICE_UNAVAILABLE).retry_after(7), Some(7000)),
        (status(StatusCode::TOO_MANY_REQUESTS), None),
    ]
    .into_iter()
    .enumerate()
    {
        for verb in VERBS {
            let name = verb.prepare(ground, &store, &number.to_string()).await?;
            let what = format!("a {verb:?} answered by {answer:?} to be throttled");
            let asked = answered(ground, &store, verb, &name, answer.clone()).await?;
            let failure = asked.refused(&what, &["driver.throttled"])?;
            if let Failure::Driver {
                error: DriverError::Throttled(throttle),
                ..
            } = failure
            {
                equal(&what, &pause, &throttle.retry_after)?;
            }
            verb.left(ground, &name).await?;
        }
    }
    Ok(())
}

async fn once(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for code in [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
    ] {
        for verb in VERBS {
            let name = verb.prepare(ground, &store, code.as_str()).await?;
            let asked = answered(ground, &store, verb, &name, status(code)).await?;
            asked.refused(
                format!("a {verb:?} answered by {code} to fail"),
                &["driver.unavailable"],
            )?;
            verb.left(ground, &name).await?;
            let again = verb.ask(&store, &name).await?;
            again.must(format!("the next {verb:?} after a {code}"))?;
        }
    }
    Ok(())
}

async fn always(ground: &Ground<'_>) -> Verdict {
    const MOST: usize = 3;
    let store = ground.store().await?;
    for verb in VERBS {
        let name = verb.prepare(ground, &store, "always").await?;
        ground.inject(
            verb.mark(ground, &name),
            Fault::AnswerAfterBody(status(StatusCode::INTERNAL_SERVER_ERROR)),
        )?;
        let asked = verb.ask(&store, &name).await?;
        let requests = ground.mend()?;
        asked.refused(
            format!("a {verb:?} answered by 500 always to fail"),
            &["driver.unavailable"],
        )?;
        holds(
            requests <= MOST,
            format!("at most {MOST} requests of one {verb:?}"),
            || requests.to_string(),
        )?;
    }
    Ok(())
}

async fn refusals(ground: &Ground<'_>) -> Verdict {
    for (code, told) in [
        (StatusCode::UNAUTHORIZED, "driver.unauthorized"),
        (StatusCode::FORBIDDEN, "driver.unauthorized"),
        (StatusCode::NOT_FOUND, "driver.not-found"),
        (StatusCode::INSUFFICIENT_STORAGE, "driver.out-of-space"),
    ] {
        for verb in VERBS {
            // A session that worked may be renewed; here it never did.
            let (preparing, store) = (ground.store().await?, ground.store().await?);
            let name = verb.prepare(ground, &preparing, code.as_str()).await?;
            let asked = answered(ground, &store, verb, &name, status(code)).await?;
            if verb == Verb::Delete && code == StatusCode::NOT_FOUND {
                asked.must("a delete of what the server says is not there to succeed")?;
                continue;
            }
            asked.refused(format!("a {verb:?} answered by {code}"), &[told])?;
            verb.left(ground, &name).await?;
        }
    }
    Ok(())
}

async fn contradicted(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = Verb::Delete.prepare(ground, &store, "contradicted").await?;
    let answer = Fault::AnswerAfterBody(status(StatusCode::NOT_FOUND));
    ground.inject_rule(Rule::new(&name, answer).method(http::Method::DELETE))?;
    let deleted = store.delete(&name).await;
    ground.mend()?;
    deleted.passing("a delete answered by 404 of an object that is there to fail")?;
    ground.whole(&name, BYTES).await?;
    store.delete(&name).await.must("the next delete")?;
    ground.absent(&name).await
}

async fn early(ground: &Ground<'_>) -> Verdict {
    const SIZE: u64 = 4 << 20;
    for (answer, told) in [
        (status(StatusCode::INSUFFICIENT_STORAGE), "driver.out-of-space"),
        (status(StatusCode::FORBIDDEN), "driver.unauthorized"),
        (
            status(StatusCode::SERVICE_UNAVAILABLE).retry_after(1),
            "driver.throttled",
        ),
    ] {
        let store = ground.store().await?;
        let name = ground.name(&format!("early-{told}"));
        ground.inject_rule(Rule::new(&name, Fault::Answer(answer.clone())))?;
        let put = store.put_content(&name, ground.content(&name, SIZE)).await;
        ground.mend()?;
        match put {
            Err(failure) if failure.code() == told => {}
            Err(failure) => {
                return Err(found(
                    format!("a put answered early by {answer:?}: {told}"),
                    shown(&failure),
                ));
            }
            Ok(()) => {
                return Err(found(
                    format!("a put answered early by {answer:?}: {told}"),
                    "success",
                ));
            }
        }
        ground.absent(&name).await?;
        store
            .put(&name, BYTES)
            .await
            .must("the next put on the same instance")?;
        ground.whole(&name, BYTES).await?;
    }
    Ok(())
}
