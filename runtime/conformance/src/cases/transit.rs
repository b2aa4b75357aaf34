//! Bytes that change, end too early, or hardly come: found, and in bounded time.

use std::time::Duration;

use crate::case::{Case, Need, Verdict};
use crate::expect::{Expect, found, holds, same, shown};
use crate::ground::Ground;
use crate::proxy::{Fault, Rule};

pub(super) const CASES: &[Case] = &[
    Case {
        number: 49,
        group: "transit",
        name: "an answer that ends before its length is an error",
        why: "a proxy on the way that gives up looks like the end of the object",
        needs: &[Need::Faults],
        run: |ground| Box::pin(short(ground)),
    },
    Case {
        number: 49,
        group: "transit",
        name: "an answer that is longer than the range asked for is an error, and what stands behind one is nobody's",
        why: "the bytes of another answer would be restored",
        needs: &[Need::Faults],
        run: |ground| Box::pin(long(ground)),
    },
    Case {
        number: 50,
        group: "transit",
        name: "a put of which one bit changes on the way is an error and leaves nothing",
        why: "after the backup the volume may be gone, and with it what was right",
        // Without a digest only TLS guards what is put.
        needs: &[Need::Faults, Need::Digests],
        run: |ground| Box::pin(flipped_up(ground)),
    },
    Case {
        number: 50,
        group: "transit",
        name: "a get of which one bit changes on the way is an error, or gives exactly those bytes for the host to find",
        why: "the host compares digests; a driver must neither lose nor add a byte",
        needs: &[Need::Faults],
        run: |ground| Box::pin(flipped_down(ground)),
    },
    Case {
        number: 51,
        group: "transit",
        name: "an answer that trickles is given up",
        why: "a restore that never ends holds a place that others wait for",
        needs: &[Need::Faults],
        run: |ground| Box::pin(trickle(ground)),
    },
    Case {
        number: 51,
        group: "transit",
        name: "a server that takes no more, or gives no answer, is given up",
        why: "a backup that never ends holds a place that others wait for",
        needs: &[Need::Faults],
        run: |ground| Box::pin(silent(ground)),
    },
];

const SIZE: u64 = 300_000;

async fn short(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("short");
    let content = ground.content(&name, SIZE);
    store.put_content(&name, content).await.must("a put")?;
    for at in [0, 1, SIZE / 2, SIZE - 1] {
        ground.inject(&name, Fault::ShortAnswer(at))?;
        let got = store.get(&name).await;
        ground.mend()?;
        got.fails(format!("a get to fail of which {at} bytes came of {SIZE}"))?;
    }
    ground.inject(&name, Fault::ShortAnswer(500))?;
    let got = store.range(&name, 1000, Some(1000)).await;
    ground.mend()?;
    got.fails("a range to fail of which half came")?;
    same(
        &name,
        &content.bytes(),
        &store.get(&name).await.must("the next get on the same instance")?,
    )
}

async fn long(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("long");
    let content = ground.content(&name, SIZE);
    let bytes = content.bytes();
    store.put_content(&name, content).await.must("a put")?;
    ground.inject(&name, Fault::LongAnswer(100))?;
    let got = store.range(&name, 1000, Some(1000)).await;
    ground.mend()?;
    if let Ok(came) = got {
        same(
            "the range that was asked for, or an error",
            bytes.get(1000..2000).unwrap_or_default(),
            &came,
        )?;
    }
    ground.inject_rule(Rule::new(&name, Fault::TrailingRubbish(5000)).times(3))?;
    for _ in 0..6 {
        // The connection with rubbish on it may break; what comes must be the object all the same.
        match store.get(&name).await {
            Ok(came) => same("the object, with rubbish behind the answer before", &bytes, &came)?,
            Err(failure) => {
                drop(Err::<(), _>(failure).passing("an error that may pass, from rubbish on a connection")?)
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ground.mend()?;
    same(
        &name,
        &bytes,
        &store.get(&name).await.must("the next get on the same instance")?,
    )
}

async fn flipped_up(ground: &Ground<'_>) -> Verdict {
    let greatest = ground.subject().boundaries().iter().max().map(|size| size + 1);
    for size in [1, SIZE].into_iter().chain(greatest) {
        let store = ground.store().await?;
        let name = ground.name(&format!("up-{size}"));
        let content = ground.content(&name, size);
        for at in [0, 1000].into_iter().filter(|at| *at < size) {
            ground.inject_rule(Rule::new(&name, Fault::FlipInRequest(at)).with_body().times(1))?;
            let put = store.put_content(&name, content).await;
            ground.mend()?;
            put.fails(format!(
                "a put to fail of which byte {at} of {size} changed on the way"
            ))?;
            ground.absent(&name).await?;
        }
        store
            .keeps(&name, content, "the next put on the same instance")
            .await?;
    }
    Ok(())
}

async fn flipped_down(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("down");
    let content = ground.content(&name, SIZE);
    store.put_content(&name, content).await.must("a put")?;
    for at in [0, 123_456, 299_999] {
        ground.inject(&name, Fault::FlipInAnswer(at as u64))?;
        let got = store.get(&name).await;
        ground.mend()?;
        match got {
            Ok(came) => {
                let mut expected = content.bytes();
                if let Some(byte) = expected.get_mut(at) {
                    *byte ^= 1;
                }
                same("an error, or the bytes as they came", &expected, &came)?;
            }
            Err(failure) => drop(Err::<(), _>(failure).fails("an error of the driver's")?),
        }
    }
    Ok(())
}

/// How slowly an answer comes.
struct Slow {
    bytes: usize,
    pause: Duration,
}

/// Each must be given up, with the limits of [`crate::Subject`]'s hurried instances.
const TRICKLES: &[Slow] = &[
    // Longer than may be waited for any byte.
    Slow {
        bytes: 1,
        pause: Duration::from_millis(2500),
    },
    // Never so long, but 300,000 bytes would take hours.
    Slow {
        bytes: 4,
        pause: Duration::from_millis(100),
    },
];

/// The longest that giving up may take: far more than the limits, far less than the whole answer.
const GIVEN_UP: Duration = Duration::from_secs(60);

async fn trickle(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("trickle");
    let content = ground.content(&name, SIZE);
    store.put_content(&name, content).await.must("a put")?;
    for Slow { bytes, pause } in TRICKLES {
        let (bytes, pause) = (*bytes, *pause);
        let hurried = ground.hurried().await?;
        ground.inject(&name, Fault::Trickle { bytes, pause })?;
        let got = tokio::time::timeout(GIVEN_UP, hurried.get(&name)).await;
        ground.mend()?;
        let what = format!("a get to be given up that brings {bytes} bytes each {pause:?}");
        match got {
            Ok(got) => drop(got.passing(what)?),
            Err(_) => return Err(found(what, format!("no end within {GIVEN_UP:?}"))),
        }
        same(
            &name,
            &content.bytes(),
            &store.get(&name).await.must("the next get, by another instance")?,
        )?;
    }
    Ok(())
}

async fn silent(ground: &Ground<'_>) -> Verdict {
    for (rest, fault) in [
        ("takes-nothing", Fault::StallInRequest(0)),
        ("takes-some", Fault::StallInRequest(1_000_000)),
        ("never-answers", Fault::Withheld(Duration::from_secs(600))),
        ("never-asks", Fault::Late(Duration::from_secs(600))),
    ] {
        let (store, hurried) = (ground.store().await?, ground.hurried().await?);
        let name = ground.name(rest);
        // More than sockets and pipes hold on the way.
        let content = ground.content(&name, 20 << 20);
        let small = ground.content(&name, SIZE);
        let put = match fault {
            Fault::StallInRequest(_) => content,
            _ => small,
        };
        ground.inject(&name, fault.clone())?;
        let given_up = tokio::time::timeout(GIVEN_UP, hurried.put_content(&name, put)).await;
        ground.mend()?;
        match given_up {
            Ok(Ok(())) => return Err(found(format!("a put to fail that met {fault:?}"), "success")),
            Ok(Err(failure)) => holds(
                ["driver.unavailable", "wall-timeout", "stalled", "driver.failed"].contains(&failure.code()),
                format!("a put that met {fault:?} to be given up"),
                || shown(&failure),
            )?,
            Err(_) => {
                return Err(found(
                    format!("a put that met {fault:?} to be given up"),
                    format!("no end within {GIVEN_UP:?}"),
                ));
            }
        }
        store
            .keeps(&name, small, "the next put, by another instance")
            .await?;
    }
    Ok(())
}
