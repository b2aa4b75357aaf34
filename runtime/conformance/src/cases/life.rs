//! Calls that are given up, and instances that die in the middle of one.

use std::time::Duration;

use cofferdam_sandbox::Limits;

use crate::case::{Case, Need, Stop, Verdict};
use crate::content::{Content, Ending};
use crate::expect::{Expect, found, holds, same, shown};
use crate::ground::Ground;
use crate::proxy::Fault;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 55,
        group: "life",
        name: "a put that is cancelled leaves what was there, and writes nothing later",
        why: "a deleted backup must not come back to life",
        needs: &[],
        run: |ground| Box::pin(cancelled_put(ground)),
    },
    Case {
        number: 55,
        group: "life",
        name: "a put that is cancelled while the server is slow leaves nothing or all of it",
        why: "the server may go on with what it has",
        needs: &[Need::Faults],
        run: |ground| Box::pin(cancelled_at_the_server(ground)),
    },
    Case {
        number: 55,
        group: "life",
        name: "a get and a listing that are cancelled hold up nobody",
        why: "a cancelled restore is followed by the next one",
        needs: &[],
        run: |ground| Box::pin(cancelled_reads(ground)),
    },
    Case {
        number: 58,
        group: "life",
        name: "an instance that dies anywhere within a put leaves nothing or all of it, and the next one works",
        why: "drivers crash and are killed; what they kept in memory must not matter",
        needs: &[],
        run: |ground| Box::pin(dies(ground)),
    },
];

/// How long a call is let go on before it is cancelled.
const MEANWHILE: Duration = Duration::from_millis(200);

async fn cancelled_put(ground: &Ground<'_>) -> Verdict {
    for size in [1_000_000]
        .iter()
        .chain(ground.subject().boundaries().iter().max())
    {
        let (new, old) = (
            ground.name(&format!("new-{size}")),
            ground.name(&format!("old-{size}")),
        );
        let content = ground.content(&new, size + 1);
        ground
            .store()
            .await?
            .put(&old, b"what was there")
            .await
            .must("a put")?;
        for name in [&new, &old] {
            // All but the last byte came.
            let store = ground.store().await?;
            let put = store.put_cut(name, content, *size, Ending::Stalled);
            if let Ok(put) = tokio::time::timeout(MEANWHILE, put).await {
                let came = put.map_or_else(|failure| failure.to_string(), |()| "success".into());
                return Err(found("a put that waits for the rest of its body", came));
            }
            holds(
                !store.instance.is_alive(),
                "an instance that ends with its cancelled call",
                || "it lives".into(),
            )?;
        }
        for _ in 0..2 {
            ground.absent(&new).await?;
            ground.whole(&old, b"what was there").await?;
            tokio::time::sleep(MEANWHILE).await;
        }
        let store = ground.store().await?;
        store
            .keeps(&new, content, "the same put by another instance")
            .await?;
    }
    Ok(())
}

async fn cancelled_at_the_server(ground: &Ground<'_>) -> Verdict {
    let late = Duration::from_secs(2);
    for (rest, fault) in [("late", Fault::Late(late)), ("withheld", Fault::Withheld(late))] {
        let name = ground.name(rest);
        let content = ground.content(&name, 300_000);
        let store = ground.store().await?;
        ground.inject(&name, fault.clone())?;
        let put = tokio::time::timeout(MEANWHILE, store.put_content(&name, content)).await;
        holds(
            put.is_err(),
            format!("a put that meets {fault:?} to last"),
            || format!("{put:?}"),
        )?;
        ground.mend()?;
        ground.absent_or_whole(&name, &content.bytes()).await?;
        let store = ground.store().await?;
        store
            .put_content(&name, content)
            .await
            .must("the same put by another instance")?;
        ground.whole(&name, &content.bytes()).await?;
    }
    Ok(())
}

async fn cancelled_reads(ground: &Ground<'_>) -> Verdict {
    let name = ground.name("read");
    let content = ground.content(&name, 3 << 20);
    ground
        .store()
        .await?
        .put_content(&name, content)
        .await
        .must("a put")?;
    for span in [0, 1, 5, 20] {
        let span = Duration::from_millis(span);
        // Whether they end in time or not: nobody waits for them any more.
        let (one, other) = (ground.store().await?, ground.store().await?);
        let _ = tokio::time::timeout(span, one.get(&name)).await;
        let _ = tokio::time::timeout(span, other.page(&ground.prefix(), None, 10)).await;
        let store = ground.store().await?;
        same(
            &name,
            &content.bytes(),
            &store
                .get(&name)
                .await
                .must("a get after one that was cancelled")?,
        )?;
        let listed = store.names(&ground.prefix()).await?;
        holds(
            listed == [name.clone()],
            "the listing after one that was cancelled",
            || format!("{listed:?}"),
        )?;
    }
    Ok(())
}

async fn dies(ground: &Ground<'_>) -> Verdict {
    let name = ground.name("dies");
    let content = ground.content(&name, 100_000);
    let enough = enough(ground, &name, content).await?;
    // All over the put, and most of all before its end, where what it did becomes visible.
    let all_over = (1..16).map(|part| enough / 16 * part);
    let at_the_end = (5..64)
        .map(|power| enough - (enough >> power))
        .take_while(|fuel| *fuel < enough);
    let mut deaths = 0;
    for fuel in all_over.chain(at_the_end) {
        ground
            .store()
            .await?
            .delete(&name)
            .await
            .must("a delete by the next instance")?;
        deaths += usize::from(!put_with(ground, &name, content, fuel).await?);
        ground.absent_or_whole(&name, &content.bytes()).await?;
    }
    holds(deaths > 9, "a put that dies of too little fuel", || {
        format!("{deaths} deaths")
    })?;
    let store = ground.store().await?;
    store
        .put_content(&name, content)
        .await
        .must("a put by the next instance")?;
    ground.whole(&name, &content.bytes()).await
}

/// The fuel that a put needs, to a hundredth: of what is between too little and enough, always the middle.
async fn enough(ground: &Ground<'_>, name: &str, content: Content) -> Result<u64, Stop> {
    let (mut little, mut enough) = (0, 1 << 10);
    while !put_with(ground, name, content, enough).await? {
        (little, enough) = (enough, enough * 2);
    }
    while enough - little > enough / 100 {
        let middle = little + (enough - little) / 2;
        match put_with(ground, name, content, middle).await? {
            true => enough = middle,
            false => little = middle,
        }
    }
    Ok(enough)
}

/// Whether a put by an instance of its own succeeds with so much fuel; otherwise it dies of it.
async fn put_with(ground: &Ground<'_>, name: &str, content: Content, fuel: u64) -> Result<bool, Stop> {
    let limits = Limits {
        call_fuel: fuel,
        ..ground.subject().limits().clone()
    };
    match ground.store_with(limits).await?.put_content(name, content).await {
        Ok(()) => Ok(true),
        Err(failure) if failure.code() == "out-of-fuel" => Ok(false),
        Err(failure) => Err(found(
            format!("a put to die when its {fuel} units of fuel are used up"),
            shown(&failure),
        )),
    }
}
