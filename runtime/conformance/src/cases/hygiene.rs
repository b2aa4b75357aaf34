//! What a driver does besides its work: what it tells, what it reaches for, and what it uses up.

use std::sync::Arc;

use cofferdam_sandbox::{SCRUBBED, Usage};
use http::StatusCode;

use crate::case::{Case, Need, Stop, Verdict};
use crate::content::Ending;
use crate::ears;
use crate::expect::{Expect, equal, holds, same, shown};
use crate::ground::Ground;
use crate::proxy::{Answer, Fault, Rule};
use crate::store::Store;
use crate::traces::Traces;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 69,
        group: "hygiene",
        name: "secrets that are revealed to it stand in none of its lines and errors",
        why: "logs and errors are read by people who must not have them; the host can only take out what it recognises",
        needs: &[Need::Secrets, Need::Ears],
        run: |ground| Box::pin(tells_no_secret(ground)),
    },
    Case {
        number: 25,
        group: "hygiene",
        name: "puts that fail, and what is put and deleted, leave no file behind",
        why: "what nobody lists nobody deletes; a disk fills up with it over years",
        needs: &[Need::Directory],
        run: |ground| Box::pin(leaves_no_file(ground)),
    },
    Case {
        number: 70,
        group: "hygiene",
        name: "it reaches for nothing that it was not granted",
        why: "what is denied shows in the deployer's metrics as an attack",
        needs: &[],
        run: |ground| Box::pin(reaches_for_nothing(ground)),
    },
    Case {
        number: 71,
        group: "hygiene",
        name: "it is quiet when all is well",
        why: "a line per call drowns what matters",
        needs: &[Need::Ears],
        run: |ground| Box::pin(quiet(ground)),
    },
    Case {
        number: 72,
        group: "hygiene",
        name: "the same calls lead to the same requests",
        why: "what depends on chance cannot be found again",
        needs: &[Need::Faults],
        run: |ground| Box::pin(same_requests(ground)),
    },
    Case::never(
        73,
        "hygiene",
        "progress only grows",
        &[Need::Never("the host counts it, whatever the driver")],
    ),
    Case {
        number: 74,
        group: "hygiene",
        name: "thousands of calls take no more memory and fuel than hundreds",
        why: "an instance serves for weeks; what grows meets a limit in the middle of a backup",
        needs: &[],
        run: |ground| Box::pin(does_not_grow(ground)),
    },
    Case::never(
        75,
        "hygiene",
        "it starts at once when its code is in the cache",
        &[Need::Never(
            "a time, and so measured: `cofferdam driver test --bench`",
        )],
    ),
];

/// Everything once.
async fn work(store: &Store<'_>, name: &str, prefix: &str) -> Verdict {
    store.put(name, b"what it holds").await.must("a put")?;
    same(name, b"what it holds", &store.get(name).await.must("a get")?)?;
    equal("the size by stat", &13, &store.stat(name).await.must("a stat")?)?;
    equal("the names", &vec![name.to_owned()], &store.names(prefix).await?)?;
    store.delete(name).await.must("a delete")
}

async fn tells_no_secret(ground: &Ground<'_>) -> Verdict {
    let (subject, name) = (ground.subject(), ground.name("secret"));
    let names: Vec<String> = subject.provision().secrets.keys().cloned().collect();
    let provision = subject.provided(|_, grants| grants.reveal.extend(names));
    let provision = provision.must("a grant to reveal the secrets")?;
    let limits = Arc::new(subject.limits().clone());
    ears::forget(ground.subject().backend());
    let mut told: Vec<String> = Vec::new();
    let instance = subject.bare(&provision, &limits).await.must("an instance")?;
    let budget = subject.budget();
    for set in [
        instance.do_setup(&provision.settings, &budget).await,
        instance.check_for_setup_error(&budget).await,
        instance.probe(&budget).await,
    ] {
        told.extend(set.err().map(|failure| shown(&failure)));
    }
    let store = Store::new(ground, instance);
    work(&store, &name, &ground.prefix()).await?;
    if let Ok(proxy) = subject.proxy() {
        for status in [StatusCode::UNAUTHORIZED, StatusCode::INTERNAL_SERVER_ERROR] {
            proxy.reset();
            proxy.inject(Rule::new(
                ground.container(),
                Fault::AnswerAfterBody(Answer::status(status)),
            ));
            told.extend(store.put(&name, b"x").await.err().map(|failure| shown(&failure)));
            told.extend(store.get(&name).await.err().map(|failure| shown(&failure)));
        }
        proxy.reset();
    }
    told.extend(
        ears::lines(ground.subject().backend())
            .into_iter()
            .map(|line| line.text),
    );
    let leak = told.iter().find(|text| text.contains(SCRUBBED));
    holds(leak.is_none(), "no line and no error with a secret in it", || {
        format!(
            "one that the host had to clean: {}",
            leak.cloned().unwrap_or_default()
        )
    })
}

async fn reaches_for_nothing(ground: &Ground<'_>) -> Verdict {
    let (store, name) = (ground.store().await?, ground.name("grants"));
    let budget = ground.subject().budget();
    store
        .instance
        .check_for_setup_error(&budget)
        .await
        .must("a check of a storage that works")?;
    store
        .instance
        .probe(&budget)
        .await
        .must("a probe of a storage that works")?;
    work(&store, &name, &ground.prefix()).await?;
    // Since the run began: also what earlier cases led it to. The cases that name another server grant it.
    let denied = ground.subject().denials();
    holds(denied == 0, "nothing that was denied", || {
        format!("{denied} requests or connections were denied")
    })
}

async fn quiet(ground: &Ground<'_>) -> Verdict {
    const ROUNDS: usize = 20;
    let store = ground.store().await?;
    ears::forget(ground.subject().backend());
    for round in 0..ROUNDS {
        work(&store, &ground.name(&format!("quiet-{round}")), &ground.prefix()).await?;
    }
    let lines = ears::lines(ground.subject().backend());
    let loud: Vec<_> = lines
        .iter()
        .filter(|line| line.level <= tracing::Level::WARN)
        .map(|line| line.text.as_str())
        .take(5)
        .collect();
    holds(loud.is_empty(), "no warning when all is well", || {
        loud.join(" / ")
    })?;
    let spoken = lines
        .iter()
        .filter(|line| line.level <= tracing::Level::INFO)
        .count();
    holds(
        spoken < ROUNDS,
        "less than one line per five calls above the level debug",
        || format!("{spoken} lines for {} calls", ROUNDS * 5),
    )
}

async fn same_requests(ground: &Ground<'_>) -> Verdict {
    let (proxy, name) = (ground.proxy()?, ground.name("same"));
    let mut rounds = Vec::new();
    for _ in 0..3 {
        let store = ground.store().await?;
        proxy.reset();
        work(&store, &name, &ground.prefix()).await?;
        let asked = proxy.seen();
        let asked = asked.iter().map(|seen| {
            format!(
                "{} {}",
                seen.method,
                seen.uri.split('?').next().unwrap_or_default()
            )
        });
        rounds.push(asked.collect::<Vec<_>>());
    }
    match rounds.as_slice() {
        [first, second, third] => {
            equal("the requests of a second round", first, second)?;
            equal("the requests of a third round", first, third)
        }
        _ => Err(Stop::Skipped("nothing was asked".into())),
    }
}

async fn leaves_no_file(ground: &Ground<'_>) -> Verdict {
    let (store, name) = (ground.store().await?, ground.name("leaves"));
    work(&store, &name, &ground.prefix()).await?;
    let before = Traces::now(ground);
    for size in [0, 1, 100_000] {
        for ending in [Ending::Failed, Ending::Dropped] {
            let content = ground.content(&name, 200_000);
            let put = store.put_cut(&name, content, size, ending).await;
            put.fails("a put whose body breaks")?;
        }
    }
    // Not by deleting the object, which may clear up what an unfinished put left.
    before.same_files(ground, "after puts that failed")?;
    let before = Traces::now(ground);
    for round in 0..5 {
        work(&store, &ground.name(&format!("leaves-{round}")), &ground.prefix()).await?;
    }
    before.same_files(ground, "after objects were put and deleted")
}

async fn does_not_grow(ground: &Ground<'_>) -> Verdict {
    /// The second is more than the host keeps of any one thing for an instance.
    const ROUNDS: [u32; 6] = [275, 1100, 2200, 4400, 8800, 17_600];
    let (store, name) = (ground.store().await?, ground.name("grows"));
    let (mut from, mut fuel, mut memory) = (0, Vec::new(), Vec::new());
    for until in ROUNDS {
        for round in from..until {
            gets_and_stats(ground, &store, &name, round).await?;
        }
        from = until;
        let used = used(ground, &store).await?;
        fuel.push(used.fuel);
        memory.push(used.peak_memory);
        if settled(&memory) {
            break;
        }
    }
    holds(settled(&memory), "memory that settles".to_owned(), || {
        format!("{memory:?} bytes after {ROUNDS:?} gets and stats")
    })?;
    let (early, late) = (fuel.first().copied(), fuel.last().copied());
    holds(
        late <= early.map(|units| units * 2),
        format!(
            "a probe for the {} units of fuel after the first calls",
            early.unwrap_or_default()
        ),
        || format!("{} units at the end", late.unwrap_or_default()),
    )
}

/// A get and a stat, and now and then everything.
async fn gets_and_stats(ground: &Ground<'_>, store: &Store<'_>, name: &str, round: u32) -> Verdict {
    let bytes = (round / 4).to_le_bytes();
    if round.is_multiple_of(4) {
        store.put(name, &bytes).await.must("a put")?;
        store
            .delete(&ground.name("never-there"))
            .await
            .must("a delete of what is not there")?;
        equal("the names", &vec![name.to_owned()], &store.names(name).await?)?;
    }
    same(name, &bytes, &store.get(name).await.must("a get")?)?;
    equal("the size by stat", &4, &store.stat(name).await.must("a stat")?)
}

/// Whether memory that was looked at after a quarter of the calls, after all of them, and then after each doubling, is no leak. A heap
/// that is collected now and then grows at first; once it settles, a doubling brings half of what the one before brought, or less.
fn settled(memory: &[u64]) -> bool {
    /// Half as much again, and this, is no growth.
    const SLACK: u64 = 8 << 20;
    match memory {
        [early, late] => *late <= early / 2 * 3 + SLACK,
        [_, _, ..] => {
            let doublings: Vec<u64> = memory
                .iter()
                .zip(memory.iter().skip(1))
                .map(|(before, after)| after.saturating_sub(*before))
                .skip(1)
                .collect();
            match doublings.as_slice() {
                [.., before, last] => *last <= before / 2,
                _ => false,
            }
        }
        _ => false,
    }
}

/// What the instance holds, and the fuel of a probe: the least of some, since a collector may run in any of them.
async fn used(ground: &Ground<'_>, store: &Store<'_>) -> Result<Usage, Stop> {
    let mut least: Option<Usage> = None;
    for _ in 0..3 {
        let budget = ground.subject().budget();
        store.instance.probe(&budget).await.must("a probe")?;
        let used = budget.used();
        least = Some(match least {
            Some(least) => Usage {
                fuel: least.fuel.min(used.fuel),
                ..used
            },
            None => used,
        });
    }
    Ok(least.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::settled;

    #[test]
    fn a_heap_that_settles_is_told_from_a_leak() {
        let mib = |sizes: &[u64]| sizes.iter().map(|size| size << 20).collect::<Vec<u64>>();
        assert!(!settled(&mib(&[20])));
        assert!(settled(&mib(&[20, 20])));
        assert!(settled(&mib(&[20, 38])));
        assert!(!settled(&mib(&[10, 24, 40])));
        assert!(!settled(&mib(&[10, 24, 40, 72])));
        assert!(!settled(&mib(&[10, 24, 40, 72, 136])));
        assert!(settled(&mib(&[37, 69, 100, 107])));
        assert!(settled(&mib(&[37, 69, 100, 131, 131])));
    }
}
