//! Calls that are given up, and instances that die in the middle of one.

use std::time::Duration;

use cofferdam_sandbox::Limits;

use crate::case::{Case, Need, Verdict};
use crate::content::Ending;
use crate::expect::{Expect, found, holds, same};
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
            .put_content(&new, content)
            .await
            .must("the same put by another instance")?;
        same(&new, &content.bytes(), &store.get(&new).await.must("its object")?)?;
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
    const ENOUGH: u64 = 1 << 40;
    let name = ground.name("dies");
    let content = ground.content(&name, 100_000);
    let (mut fuel, mut deaths) = (1 << 10, 0);
    while fuel < ENOUGH {
        let limits = Limits {
            call_fuel: fuel,
            ..ground.subject().limits().clone()
        };
        let store = ground.store_with(limits).await?;
        match store.put_content(&name, content).await {
            Ok(()) => break,
            Err(failure) => holds(
                failure.code() == "out-of-fuel",
                format!("a put that ends when its {fuel} units of fuel are used up"),
                || failure.to_string(),
            )?,
        }
        deaths += 1;
        ground.absent_or_whole(&name, &content.bytes()).await?;
        ground
            .store()
            .await?
            .delete(&name)
            .await
            .must("a delete by the next instance")?;
        // Nine deaths for each power of eight, so that they hit many places.
        fuel += fuel / 3 + 1;
    }
    holds(
        deaths > 0,
        "a put that uses at least a thousand units of fuel",
        || "none died".into(),
    )?;
    ground.whole(&name, &content.bytes()).await
}
