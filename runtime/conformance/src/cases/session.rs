//! Sessions that end while they are used.

use http::StatusCode;

use crate::case::{Case, Need, Stop, Verdict};
use crate::expect::{Expect, found, holds, same, shown};
use crate::ground::Ground;
use crate::proxy::{Answer, Fault, Rule};

use super::statuses::{BYTES, VERBS, Verb};

pub(super) const CASES: &[Case] = &[
    Case {
        number: 53,
        group: "session",
        name: "a session that ends meanwhile is renewed once, and the call succeeds",
        why: "tokens end in the middle of long backups",
        needs: &[Need::Faults],
        run: |ground| Box::pin(renewed(ground)),
    },
    Case {
        number: 53,
        group: "session",
        name: "a session that ends within a put is renewed by the next put at the latest",
        why: "the body is gone, but the host can send it again",
        needs: &[Need::Faults],
        run: |ground| Box::pin(renewed_by_a_put(ground)),
    },
    Case {
        number: 53,
        group: "session",
        name: "a session that no login mends is unauthorized after a few requests",
        why: "a login in a loop locks the account",
        needs: &[Need::Faults],
        run: |ground| Box::pin(never_taken(ground)),
    },
    Case::never(
        54,
        "session",
        "clocks that differ by a quarter of an hour are named as the reason",
        &[Need::Never(
            "the sandbox has the host's clock, and what a server says of it has a dialect of its own: unit tests of the drivers",
        )],
    ),
];

/// What is told of a session that has ended.
fn ended() -> Fault {
    Fault::AnswerAfterBody(Answer::status(StatusCode::UNAUTHORIZED))
}

/// Skips drivers that have none: a new instance of theirs asks for nothing but the object.
async fn has_sessions(ground: &Ground<'_>) -> Verdict {
    let (name, proxy) = (ground.name("session"), ground.proxy()?);
    let store = ground.store().await?;
    proxy.reset();
    let _ = store.stat(&name).await;
    if proxy.seen().iter().all(|seen| seen.uri.contains(&name)) {
        return Err(Stop::Skipped(
            "it holds no session that could end: a new instance asks for nothing but the object".into(),
        ));
    }
    Ok(())
}

async fn renewed(ground: &Ground<'_>) -> Verdict {
    has_sessions(ground).await?;
    let store = ground.store().await?;
    for verb in VERBS.into_iter().filter(|verb| *verb != Verb::Put) {
        let name = verb.prepare(ground, &store, "renewed").await?;
        ground.inject_rule(Rule::new(verb.mark(ground, &name), ended()).times(1))?;
        let asked = verb.ask(&store, &name).await?;
        ground.mend()?;
        asked.must(format!("a {verb:?} whose session ended once"))?;
        let logins = ground
            .proxy()?
            .seen()
            .iter()
            .filter(|seen| !seen.uri.contains(&name))
            .count();
        holds((1..=3).contains(&logins), "one login", || {
            format!("{logins} requests beside those for the object")
        })?;
    }
    let name = ground.name("get-renewed");
    same(
        &name,
        BYTES,
        &store.get(&name).await.must("a get after all that")?,
    )
}

async fn renewed_by_a_put(ground: &Ground<'_>) -> Verdict {
    has_sessions(ground).await?;
    let unauthorized = Fault::Answer(Answer::status(StatusCode::UNAUTHORIZED));
    for (number, fault) in [ended(), unauthorized].into_iter().enumerate() {
        let store = ground.store().await?;
        let name = ground.name(&format!("put-{number}"));
        let content = ground.content(&name, 2 << 20);
        store.put(&name, b"before").await.must("a put")?;
        ground.inject_rule(Rule::new(&name, fault).times(1))?;
        let put = store.put_content(&name, content).await;
        ground.mend()?;
        if let Err(failure) = put {
            Err::<(), _>(failure)
                .passing("success, or an error that may pass, of a put whose session ended")?;
            ground.whole(&name, b"before").await?;
            store
                .put_content(&name, content)
                .await
                .must("the next put on the same instance")?;
        }
        ground.whole(&name, &content.bytes()).await?;
    }
    Ok(())
}

async fn never_taken(ground: &Ground<'_>) -> Verdict {
    const MOST: usize = 6;
    has_sessions(ground).await?;
    for verb in VERBS {
        let store = ground.store().await?;
        let name = verb.prepare(ground, &store, "never").await?;
        if verb == Verb::Put {
            store.put(&ground.name("proven"), BYTES).await.must("a put")?;
        }
        ground.inject(verb.mark(ground, &name), ended())?;
        let mut asked = verb.ask(&store, &name).await?;
        if verb == Verb::Put {
            // The first one may say that the next will do.
            asked = verb.ask(&store, &name).await?;
        }
        ground.mend()?;
        let requests = ground.proxy()?.seen().len();
        match asked {
            Err(failure) if failure.code() == "driver.unauthorized" => {}
            Err(failure) => return Err(found(format!("a {verb:?} to be unauthorized"), shown(&failure))),
            Ok(()) => return Err(found(format!("a {verb:?} to be unauthorized"), "success")),
        }
        holds(
            requests <= MOST,
            format!("at most {MOST} requests, logins among them"),
            || requests.to_string(),
        )?;
    }
    Ok(())
}
