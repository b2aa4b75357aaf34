//! A storage that cannot be reached or used, and one that comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cofferdam_sandbox::contract::{OptionKind, SettingValue};
use cofferdam_sandbox::requirements::{Provision, Written};
use cofferdam_sandbox::{Failure, Limits};
use http::StatusCode;

use crate::case::{Case, Need, Stop, Verdict};
use crate::expect::{Expect, found, holds, same, shown};
use crate::ground::Ground;
use crate::proxy::{Answer, Fault, Rule};
use crate::store::Store;
use crate::traces::Traces;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 10,
        group: "reach",
        name: "a server where nobody listens is unavailable, at once",
        why: "the backend must be down with that reason, not with a time-out",
        needs: &[Need::Faults],
        run: |ground| Box::pin(nobody_listens(ground)),
    },
    Case {
        number: 11,
        group: "reach",
        name: "a server that answers nothing is given up, and the next instance is as good as new",
        why: "hung storages are common, and come back",
        needs: &[Need::Faults],
        run: |ground| Box::pin(answers_nothing(ground)),
    },
    Case {
        number: 12,
        group: "reach",
        name: "a server whose name nobody knows is told as something that may pass",
        why: "names come back; an invalid configuration would not be tried soon again",
        needs: &[Need::Faults],
        run: |ground| Box::pin(unknown_name(ground)),
    },
    Case {
        number: 13,
        group: "reach",
        name: "a wrong secret is unauthorized, found out before the first backup",
        why: "trying it again locks accounts; the deployer must be told",
        needs: &[Need::Faults, Need::Secrets],
        run: |ground| Box::pin(wrong_secret(ground)),
    },
    Case {
        number: 14,
        group: "reach",
        name: "credentials that may only read are found out before the first backup",
        why: "at the first backup it is too late",
        needs: &[Need::Faults],
        run: |ground| Box::pin(may_not_write(ground)),
    },
    Case {
        number: 17,
        group: "reach",
        name: "a check of the set-up succeeds, and leaves nothing behind",
        why: "it is made at every start and every retry",
        needs: &[],
        run: |ground| Box::pin(checks(ground)),
    },
    Case {
        number: 17,
        group: "reach",
        name: "a probe is cheap and changes nothing, also within a put",
        why: "it is made every minute, for ever",
        needs: &[Need::Traces],
        run: |ground| Box::pin(probes(ground)),
    },
    Case {
        number: 18,
        group: "reach",
        name: "a probe tells that the server is gone, and that it is back",
        why: "a backend that says it is up takes backups",
        needs: &[Need::Faults],
        run: |ground| Box::pin(server_comes_back(ground)),
    },
    Case {
        number: 18,
        group: "reach",
        name: "what is asked while the directory is gone is unavailable, whatever it is, and a new instance works when it is back",
        why: "as not-found a backup would be taken for gone, as unauthorized nobody would try again soon",
        needs: &[Need::Directory],
        run: |ground| Box::pin(directory_goes(ground)),
    },
];

/// Requests that a probe may make.
const CHEAP: usize = 5;

/// How long a refused connection may take to be told.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Checks the set-up with another provision.
async fn checked(ground: &Ground<'_>, provision: &Provision, limits: &Arc<Limits>) -> Result<(), Failure> {
    let subject = ground.subject();
    let (instance, budget) = (subject.bare(provision, limits).await?, subject.budget());
    instance.do_setup(&provision.settings, &budget).await?;
    instance.check_for_setup_error(&budget).await
}

/// What it would be given with all its URLs at another host and port.
fn elsewhere(ground: &Ground<'_>, authority: &str) -> Result<Provision, Stop> {
    let subject = ground.subject();
    let moved: Vec<(String, String)> = subject
        .urls()
        .into_iter()
        .map(|(name, url)| {
            let rest = url.path_and_query().map_or("", |rest| rest.as_str());
            (name.to_owned(), format!("http://{authority}{rest}"))
        })
        .collect();
    let provided = subject.provided(|settings, grants| {
        for (name, url) in moved {
            settings.insert(name, SettingValue::Text(url).into());
        }
        grants.http.extend(format!("http://{authority}").parse());
    });
    provided.must("the same settings with another server")
}

async fn nobody_listens(ground: &Ground<'_>) -> Verdict {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let free = free.map_err(|error| found("a free port", error.to_string()))?;
    let provision = elsewhere(ground, &free.to_string())?;
    let begin = Instant::now();
    let limits = Arc::new(ground.subject().limits().clone());
    checked(ground, &provision, &limits)
        .await
        .refused("a check where nobody listens", &["driver.unavailable"])?;
    holds(
        begin.elapsed() < AT_ONCE,
        format!("an end within {AT_ONCE:?}"),
        || format!("{:?}", begin.elapsed()),
    )
}

async fn answers_nothing(ground: &Ground<'_>) -> Verdict {
    let (proxy, limits) = (ground.proxy()?, Arc::new(ground.subject().hurried()));
    proxy.reset();
    proxy.inject(Rule::new("", Fault::Withheld(Duration::from_secs(600))));
    let provision = ground.subject().provision().clone();
    let met = checked(ground, &provision, &limits).await;
    proxy.reset();
    met.passing("a check that gets no answer")?;
    checked(ground, &provision, &limits)
        .await
        .must("a check when there are answers again")
}

async fn unknown_name(ground: &Ground<'_>) -> Verdict {
    let provision = elsewhere(ground, "cofferdam-conformance.invalid:80")?;
    let limits = Arc::new(ground.subject().limits().clone());
    checked(ground, &provision, &limits)
        .await
        .passing("a check at a name that nobody knows")
        .map(drop)
}

async fn wrong_secret(ground: &Ground<'_>) -> Verdict {
    let limits = Arc::new(ground.subject().limits().clone());
    let names: Vec<String> = ground.subject().provision().secrets.keys().cloned().collect();
    let wrong = Written::Plain(SettingValue::Text("cofferdam-conformance-wrong".into()));
    let provision = ground.subject().provided(|settings, _| {
        for name in &names {
            settings.insert(name.clone(), wrong.clone());
        }
    });
    let provision = provision.must("the same settings with another secret")?;
    match checked(ground, &provision, &limits).await {
        Ok(()) => Err(Stop::Skipped(
            "the storage takes any secret, so a wrong one cannot be told".into(),
        )),
        refused => refused
            .refused(
                format!("a check with another {}", names.join(" and ")),
                &["driver.unauthorized"],
            )
            .map(drop),
    }
}

async fn may_not_write(ground: &Ground<'_>) -> Verdict {
    let (proxy, limits) = (ground.proxy()?, Arc::new(ground.subject().limits().clone()));
    proxy.reset();
    let refused = Fault::AnswerAfterBody(Answer::status(StatusCode::FORBIDDEN));
    proxy.inject(Rule::new("", refused).method(http::Method::PUT));
    let provision = ground.subject().provision().clone();
    let met = checked(ground, &provision, &limits).await;
    let asked = proxy.faults();
    proxy.reset();
    holds(asked > 0, "a check that writes something", || {
        "no request of the method PUT".into()
    })?;
    met.refused("a check whose writing is forbidden", &["driver.unauthorized"])
        .map(drop)
}

async fn checks(ground: &Ground<'_>) -> Verdict {
    let subject = ground.subject();
    let store = ground.store().await?;
    let kept = ground.name("kept");
    store.put(&kept, b"kept").await.must("a put")?;
    let listed = visible(ground).await?;
    let before = Traces::now(ground);
    for _ in 0..2 {
        store
            .instance
            .check_for_setup_error(&subject.budget())
            .await
            .must("a check of a storage that works")?;
    }
    before.same_files(ground, "after a check")?;
    let now = visible(ground).await?;
    holds(listed == now, "the same objects after a check", || {
        format!("{now:?} instead of {listed:?}")
    })?;
    same(&kept, b"kept", &store.get(&kept).await.must("what was there")?)
}

/// The containers, if it can tell, and what is in the kit's own.
async fn visible(ground: &Ground<'_>) -> Result<(Option<Vec<String>>, Vec<String>), Stop> {
    let store = ground.store().await?;
    let containers = match store.instance.list_containers(None, 1000).await {
        Ok(page) => Some(page.containers),
        Err(failure) if failure.code() == "driver.unsupported" => None,
        Err(failure) => return Err(found("a listing of containers", shown(&failure))),
    };
    Ok((containers, store.names("").await?))
}

async fn probes(ground: &Ground<'_>) -> Verdict {
    let (store, name) = (ground.store().await?, ground.name("probed"));
    store.put(&name, b"x").await.must("a put")?;
    let before = Traces::now(ground);
    for _ in 0..3 {
        store
            .instance
            .probe(&ground.subject().budget())
            .await
            .must("a probe of a storage that works")?;
    }
    before.are_all(ground, "after a probe")?;
    if let Ok(proxy) = ground.proxy() {
        let asked = proxy.seen().len();
        holds(
            asked <= 3 * CHEAP,
            format!("at most {CHEAP} requests per probe"),
            || format!("{asked} for three"),
        )?;
    }
    same(&name, b"x", &store.get(&name).await.must("what was there")?)
}

async fn server_comes_back(ground: &Ground<'_>) -> Verdict {
    let (proxy, store) = (ground.proxy()?, ground.hurried().await?);
    for fault in [
        Fault::ResetBefore,
        Fault::AnswerAfterBody(Answer::status(StatusCode::SERVICE_UNAVAILABLE)),
    ] {
        store
            .instance
            .probe(&ground.subject().budget())
            .await
            .must("a probe of a storage that works")?;
        proxy.reset();
        proxy.inject(Rule::new("", fault));
        let met = store.instance.probe(&ground.subject().budget()).await;
        proxy.reset();
        met.passing("a probe of a server that is out of order")?;
    }
    store
        .instance
        .probe(&ground.subject().budget())
        .await
        .must("a probe by the same instance when the server is back")
}

async fn directory_goes(ground: &Ground<'_>) -> Verdict {
    let subject = ground.subject();
    let gone = |error: std::io::Error| found("a directory that can be made and removed", error.to_string());
    for option in &subject.info().options {
        let given = subject
            .provision()
            .settings
            .iter()
            .find(|one| one.name == option.name);
        let given = given.map(|one| &one.value);
        let (OptionKind::Directory, Some(SettingValue::Text(path))) = (option.kind, given) else {
            continue;
        };
        let path = std::path::Path::new(path).join(ground.name("directory"));
        std::fs::create_dir(&path).map_err(gone)?;
        let met = in_a_directory_that_goes(ground, &option.name, &path.to_string_lossy()).await;
        // It is the kit's own, and empty but for what the driver left in it.
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(gone)?;
        }
        met?;
    }
    Ok(())
}

async fn in_a_directory_that_goes(ground: &Ground<'_>, option: &str, path: &str) -> Verdict {
    const AWAY: &[&str] = &["driver.unavailable"];
    let (subject, name) = (ground.subject(), ground.name("in-it"));
    let setting = SettingValue::Text(path.to_owned());
    let provision = subject.provided(|settings, _| drop(settings.insert(option.to_owned(), setting.into())));
    let provision = provision.must("a directory below the one that is granted")?;
    let store = in_directory(ground, &provision).await?;
    store.put(&name, b"x").await.must("a put")?;
    std::fs::remove_dir_all(path).map_err(|error| found("a directory that is removed", error.to_string()))?;
    let instance = &store.instance;
    instance.probe(&subject.budget()).await.refused("a probe", AWAY)?;
    instance
        .check_for_setup_error(&subject.budget())
        .await
        .refused("a check", AWAY)?;
    store.stat(&name).await.refused("a stat", AWAY)?;
    store.get(&name).await.refused("a get", AWAY)?;
    store.put(&name, b"y").await.refused("a put", AWAY)?;
    store.page("", None, 10).await.refused("a listing", AWAY)?;
    store.delete(&name).await.refused("a delete", AWAY)?;
    std::fs::create_dir(path).map_err(|error| found("a directory that is made again", error.to_string()))?;
    let store = in_directory(ground, &provision).await?;
    store.put(&name, b"z").await.must("a put when it is back")?;
    same(&name, b"z", &store.get(&name).await.must("a get")?)
}

async fn in_directory<'g>(ground: &'g Ground<'g>, provision: &Provision) -> Result<Store<'g>, Stop> {
    let (subject, limits) = (ground.subject(), Arc::new(ground.subject().limits().clone()));
    let instance = subject.bare(provision, &limits).await.must("an instance")?;
    instance
        .do_setup(&provision.settings, &subject.budget())
        .await
        .must("a set-up")?;
    instance
        .create_container(ground.container())
        .await
        .must("a container")?;
    Ok(Store::new(ground, instance))
}
