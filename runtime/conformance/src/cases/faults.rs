//! Connections that break, before, within and after a request; listings that fail on their way.

use std::collections::BTreeSet;

use crate::case::{Case, Need, Verdict};
use crate::expect::{Expect, equal, holds, same};
use crate::ground::Ground;
use crate::proxy::{Answer, Fault, Rule};

use super::statuses::{VERBS, Verb};

pub(super) const CASES: &[Case] = &[
    Case {
        number: 43,
        group: "faults",
        name: "a listing whose second page fails is an error, never a short success",
        why: "objects that are not listed are never deleted, and an orphan is taken for a whole backup",
        needs: &[Need::Faults],
        run: |ground| Box::pin(second_page(ground)),
    },
    Case {
        number: 48,
        group: "faults",
        name: "a connection that is reset before or after the server had the request is an error that may pass",
        why: "networks do that; the host tries again only what may pass",
        needs: &[Need::Faults],
        run: |ground| Box::pin(resets(ground)),
    },
    Case {
        number: 48,
        group: "faults",
        name: "a connection that is reset within a put's body leaves nothing",
        why: "half an object under a backup's name looks like a backup",
        needs: &[Need::Faults],
        run: |ground| Box::pin(reset_up(ground)),
    },
    Case {
        number: 48,
        group: "faults",
        name: "a connection that is reset within an object is an error, never a short success",
        why: "a restore would end too early and call itself done",
        needs: &[Need::Faults],
        run: |ground| Box::pin(reset_down(ground)),
    },
    Case {
        number: 48,
        group: "faults",
        name: "a put whose answer is lost may be repeated",
        why: "nobody can know whether it was stored; both must lead to the same",
        needs: &[Need::Faults],
        run: |ground| Box::pin(answer_lost(ground)),
    },
];

async fn second_page(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for number in 0..7 {
        store
            .put(&ground.name(&format!("{number}")), b"x")
            .await
            .must("a put")?;
    }
    let (prefix, after) = (ground.prefix(), ground.name("2"));
    for fault in [
        Fault::AnswerAfterBody(Answer::status(http::StatusCode::INTERNAL_SERVER_ERROR)),
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::ResetInAnswer(0),
        Fault::ResetInAnswer(40),
        Fault::ShortAnswer(0),
        Fault::ShortAnswer(40),
        Fault::AnswerAfterBody(Answer::status(http::StatusCode::OK)),
        Fault::AnswerAfterBody(Answer::status(http::StatusCode::OK).body("<html>maintenance</html>")),
    ] {
        store.page(&prefix, None, 3).await.must("the first page")?;
        ground.inject(ground.container(), fault.clone())?;
        let second = store.page(&prefix, Some(&after), 3).await;
        ground.mend()?;
        second.fails(format!("the second page to fail that met {fault:?}"))?;
        let (objects, _) = store
            .page(&prefix, Some(&after), 3)
            .await
            .must("the same page later")?;
        equal("how many names", &3, &objects.len())?;
    }
    Ok(())
}

async fn resets(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    for (number, fault) in [Fault::ResetBefore, Fault::ResetAfter].into_iter().enumerate() {
        for verb in VERBS {
            let name = verb.prepare(ground, &store, &number.to_string()).await?;
            ground.inject(verb.mark(ground, &name), fault.clone())?;
            let asked = verb.ask(&store, &name).await?;
            ground.mend()?;
            asked.passing(format!("a {verb:?} that met {fault:?} to fail"))?;
            // What the server did after all is seen in the next case.
            if fault == Fault::ResetBefore {
                verb.left(ground, &name).await?;
            }
            if verb != Verb::Delete {
                let again = verb.ask(&store, &name).await?;
                again.must(format!("the next {verb:?} after {fault:?}"))?;
            }
        }
    }
    Ok(())
}

async fn reset_up(ground: &Ground<'_>) -> Verdict {
    for size in sizes(ground, 2_000_000) {
        let store = ground.store().await?;
        let name = ground.name(&format!("up-{size}"));
        let content = ground.content(&name, size);
        for at in [0, 1, 1_000_000] {
            let rule = Rule::new(&name, Fault::ResetInRequest(at)).with_body();
            ground.inject_rule(rule)?;
            let put = store.put_content(&name, content).await;
            ground.mend()?;
            put.passing(format!(
                "a put to fail whose connection was reset after {at} bytes of {size}"
            ))?;
            ground.absent(&name).await?;
        }
        store
            .keeps(&name, content, "the next put on the same instance")
            .await?;
    }
    Ok(())
}

async fn reset_down(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("down");
    let content = ground.content(&name, 2_000_000);
    store.put_content(&name, content).await.must("a put")?;
    let last = content.size - 1;
    for at in [0, 1, 1_000_000, last] {
        ground.inject(&name, Fault::ResetInAnswer(at))?;
        let got = store.get(&name).await;
        ground.mend()?;
        got.passing(format!(
            "a get to fail whose connection was reset after {at} bytes"
        ))?;
        same(
            &name,
            &content.bytes(),
            &store.get(&name).await.must("the next get on the same instance")?,
        )?;
    }
    Ok(())
}

async fn answer_lost(ground: &Ground<'_>) -> Verdict {
    let bad_gateway = Fault::AnswerAfterServer(Answer::status(http::StatusCode::BAD_GATEWAY));
    for size in sizes(ground, 1_000_000) {
        // How many requests a put takes; the last one is that which counts.
        let (store, proxy) = (ground.store().await?, ground.proxy()?);
        let name = ground.name(&format!("counted-{size}"));
        proxy.reset();
        store
            .put_content(&name, ground.content(&name, size))
            .await
            .must("a put")?;
        let requests = proxy
            .seen()
            .iter()
            .filter(|seen| seen.uri.contains(&name))
            .count();
        holds(requests > 0, "requests that hold the object's name", || {
            format!("{:?}", proxy.seen())
        })?;
        for (number, fault) in [Fault::ResetAfter, bad_gateway.clone()].into_iter().enumerate() {
            for skip in BTreeSet::from([0, requests - 1]) {
                let store = ground.store().await?;
                let name = ground.name(&format!("lost-{size}-{number}-{skip}"));
                let content = ground.content(&name, size);
                ground.inject_rule(Rule::new(&name, fault.clone()).skip(skip).times(1))?;
                let put = store.put_content(&name, content).await;
                ground.mend()?;
                put.passing(format!(
                    "a put to fail whose request {skip} of {requests} met {fault:?}"
                ))?;
                ground.absent_or_whole(&name, &content.bytes()).await?;
                store
                    .put_content(&name, content)
                    .await
                    .must("the same put again")?;
                ground.whole(&name, &content.bytes()).await?;
            }
        }
    }
    Ok(())
}

/// A size within one part, and one that takes several.
fn sizes(ground: &Ground<'_>, size: u64) -> impl Iterator<Item = u64> {
    let greatest = ground.subject().boundaries().iter().max();
    [size].into_iter().chain(greatest.map(|size| size + 1))
}
