//! Setting an instance up: again, wrongly, and after that rightly.

use std::sync::Arc;

use cofferdam_sandbox::contract::{
    BackupIdentity, DriverError, OptionKind, Placement, Setting, SettingValue,
};
use cofferdam_sandbox::{Failure, Instance};

use crate::case::{Case, Need, Stop, Verdict};
use crate::expect::{Expect, equal, found, holds, same, shown};
use crate::ground::Ground;
use crate::store::Store;
use crate::traces::Traces;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 3,
        group: "lifecycle",
        name: "a set-up touches nothing on the storage",
        why: "every new instance is set up, many times a day; what that leaves piles up",
        needs: &[Need::Traces],
        run: |ground| Box::pin(touches_nothing(ground)),
    },
    Case {
        number: 4,
        group: "lifecycle",
        name: "an instance that is set up again works as before",
        why: "settings may be sent anew at any time",
        needs: &[],
        run: |ground| Box::pin(again(ground)),
    },
    Case {
        number: 4,
        group: "lifecycle",
        name: "after a set-up with other settings those before are forgotten",
        why: "backups would go where the deployer does not look any more",
        needs: &[Need::RequiredOptions],
        run: |ground| Box::pin(forgets(ground)),
    },
    Case {
        number: 5,
        group: "lifecycle",
        name: "a set-up that failed hinders none that follows",
        why: "the host tries again for ever until the cause is mended",
        needs: &[Need::RequiredOptions],
        run: |ground| Box::pin(recovers(ground)),
    },
    Case {
        number: 6,
        group: "lifecycle",
        name: "each required option that is missing is named",
        why: "the deployer mends what is named",
        needs: &[Need::RequiredOptions],
        run: |ground| Box::pin(required(ground)),
    },
    Case {
        number: 7,
        group: "lifecycle",
        name: "odd values are taken, or refused by an option's name, and never stumbled over",
        why: "a crash says nothing to whoever mistyped a number",
        needs: &[],
        run: |ground| Box::pin(odd_values(ground)),
    },
    Case {
        number: 8,
        group: "lifecycle",
        name: "a setting that it does not list changes nothing, or is refused by name",
        why: "a newer host may know more than the driver",
        needs: &[],
        run: |ground| Box::pin(unknown(ground)),
    },
    Case {
        number: 15,
        group: "lifecycle",
        name: "a container may be made by eight at once, and made again",
        why: "backups begin side by side",
        needs: &[],
        run: |ground| Box::pin(raced(ground)),
    },
    Case {
        number: 19,
        group: "lifecycle",
        name: "a hundred instances may come and go",
        why: "the host drops an instance whenever it likes",
        needs: &[],
        run: |ground| Box::pin(come_and_go(ground)),
    },
];

const WRONG: &str = "driver.invalid-configuration";

async fn bare(ground: &Ground<'_>) -> Result<Instance, Stop> {
    let subject = ground.subject();
    let limits = Arc::new(subject.limits().clone());
    subject
        .bare(subject.provision(), &limits)
        .await
        .must("an instance")
}

async fn set_up(ground: &Ground<'_>, instance: &Instance, settings: &[Setting]) -> Result<(), Failure> {
    instance.do_setup(settings, &ground.subject().budget()).await
}

/// The settings without those of a name.
fn without(settings: &[Setting], name: &str) -> Vec<Setting> {
    let kept = settings.iter().filter(|setting| setting.name != name);
    kept.cloned().collect()
}

fn with(settings: &[Setting], name: &str, value: SettingValue) -> Vec<Setting> {
    let mut all = without(settings, name);
    all.push(Setting {
        name: name.to_owned(),
        value,
    });
    all
}

fn a_required_option<'g>(ground: &'g Ground<'_>) -> Result<&'g str, Stop> {
    let mut options = ground.subject().info().options.iter();
    let option = options.find(|option| option.required);
    option
        .map(|option| option.name.as_str())
        .ok_or_else(|| Stop::Skipped("no option of it is required".into()))
}

async fn touches_nothing(ground: &Ground<'_>) -> Verdict {
    let before = Traces::now(ground);
    let instance = bare(ground).await?;
    for _ in 0..3 {
        set_up(ground, &instance, &ground.subject().provision().settings)
            .await
            .must("a set-up")?;
    }
    before.are_all(ground, "after a set-up")
}

async fn again(ground: &Ground<'_>) -> Verdict {
    let name = ground.name("again");
    let store = ground.store().await?;
    for round in [b"one", b"two"] {
        store.put(&name, round).await.must("a put")?;
        let settings = &ground.subject().provision().settings;
        set_up(ground, &store.instance, settings)
            .await
            .must("a second set-up")?;
        let came = store
            .get(&name)
            .await
            .must("a get after the instance was set up again")?;
        same(&name, round, &came)?;
    }
    Ok(())
}

async fn forgets(ground: &Ground<'_>) -> Verdict {
    forgets_sizes(ground).await?;
    let name = ground.name("forgotten");
    let store = ground.store().await?;
    store.put(&name, b"kept").await.must("a put")?;
    let option = a_required_option(ground)?;
    let less = without(&ground.subject().provision().settings, option);
    set_up(ground, &store.instance, &less)
        .await
        .refused(format!("a set-up without {option}"), &[WRONG])?;
    // Whoever still works with the settings from before would do so when they name another place, too.
    match store.get(&name).await {
        Err(_) => Ok(()),
        Ok(_) => Err(found(
            format!("a get to fail after a set-up that was refused for the want of {option}"),
            "an object from where the settings before have led",
        )),
    }
}

async fn recovers(ground: &Ground<'_>) -> Verdict {
    let name = ground.name("recovers");
    let settings = &ground.subject().provision().settings;
    let option = a_required_option(ground)?;
    let instance = bare(ground).await?;
    for _ in 0..2 {
        set_up(ground, &instance, &without(settings, option))
            .await
            .refused(format!("a set-up without {option}"), &[WRONG])?;
        set_up(ground, &instance, settings)
            .await
            .must("a set-up after one that was refused")?;
    }
    let store = Store::new(ground, instance);
    store.put(&name, b"x").await.must("a put after both")?;
    same(&name, b"x", &store.get(&name).await.must("a get")?)
}

async fn required(ground: &Ground<'_>) -> Verdict {
    let settings = &ground.subject().provision().settings;
    for option in ground
        .subject()
        .info()
        .options
        .iter()
        .filter(|option| option.required)
    {
        let name = &option.name;
        let refused = set_up(ground, &bare(ground).await?, &without(settings, name))
            .await
            .refused(format!("a set-up without {name}"), &[WRONG])?;
        let named = named(&refused)?;
        holds(
            named == name,
            format!("{name} to be named when it is absent"),
            || format!("{named:?}: {refused}"),
        )?;
    }
    Ok(())
}

/// The option that a refusal names; empty when the fault lies in how several work together.
fn named(refused: &Failure) -> Result<&str, Stop> {
    match refused {
        Failure::Driver {
            error: DriverError::InvalidConfiguration(fault),
            ..
        } => Ok(&fault.option_name),
        _ => Err(found("an invalid configuration", shown(refused))),
    }
}

/// Values that the host lets through, or a newer one might.
fn oddities(kind: OptionKind) -> Vec<SettingValue> {
    let text = |text: &str| SettingValue::Text(text.to_owned());
    let texts = || {
        vec![
            text(""),
            text(" "),
            text("\u{202e}\u{0}é😀"),
            text("../../etc"),
            text("%00%"),
            text(&"x".repeat(70_000)),
        ]
    };
    let numbers = || {
        [i64::MIN, -1, 0, 1, 3, i64::from(u32::MAX) + 1, i64::MAX]
            .map(SettingValue::Integer)
            .to_vec()
    };
    match kind {
        OptionKind::Integer | OptionKind::Size | OptionKind::Duration => {
            let mut all = numbers();
            all.push(text("many"));
            all
        }
        OptionKind::Boolean | OptionKind::TlsVerify | OptionKind::TlsInsecure => {
            vec![SettingValue::Boolean(true), text("yes"), SettingValue::Integer(7)]
        }
        _ => {
            let mut all = texts();
            all.push(SettingValue::Integer(1));
            all.push(SettingValue::Boolean(false));
            all
        }
    }
}

async fn odd_values(ground: &Ground<'_>) -> Verdict {
    let settings = &ground.subject().provision().settings;
    for option in &ground.subject().info().options {
        let mut oddities = oddities(option.kind);
        let default = option
            .default
            .as_deref()
            .and_then(|text| text.parse::<i64>().ok());
        oddities.extend(default.map(|default| SettingValue::Integer(default.saturating_add(1))));
        for value in oddities {
            let what = cut(&format!("{value:?}"));
            let is_negative = matches!(value, SettingValue::Integer(number) if number < 0);
            let instance = bare(ground).await?;
            let set = set_up(ground, &instance, &with(settings, &option.name, value)).await;
            match set {
                Ok(()) if option.kind == OptionKind::Size && is_negative => {
                    return Err(found(
                        format!("{} = {what} to be refused: no size is below nothing", option.name),
                        "success, and so something else in its place",
                    ));
                }
                Ok(()) => sound_place(ground, &instance, &option.name, &what).await?,
                // Another option may be at fault once this one has that value; but one it is.
                Err(refused) if refused.code() == WRONG => {
                    let named = named(&refused)?;
                    let mut options = ground.subject().info().options.iter();
                    holds(
                        named.is_empty() || options.any(|option| option.name == named),
                        format!(
                            "an option of the driver to be named when {} is {what}",
                            option.name
                        ),
                        || format!("{named:?}: {refused}"),
                    )?;
                }
                Err(failure) => {
                    return Err(found(
                        format!("{} = {what} to be taken, or refused as {WRONG}", option.name),
                        shown(&failure),
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Whoever takes a value must be able to work with it: a place for a backup is sound or refused.
async fn sound_place(ground: &Ground<'_>, instance: &Instance, option: &str, what: &str) -> Verdict {
    match placed(ground, instance).await {
        Ok(place) => {
            let block = u64::from(place.block_size);
            holds(
                place.object_size > 0 && place.object_size.checked_rem(block) == Some(0),
                format!("objects of so many whole blocks when {option} is {what}"),
                || format!("objects of {} bytes, blocks of {block}", place.object_size),
            )
        }
        Err(refused) => refused_place(&refused, option, what),
    }
}

fn refused_place(refused: &Failure, option: &str, what: &str) -> Verdict {
    let code = refused.code();
    let known = code.starts_with("driver.") && code != "driver.failed";
    holds(
        known,
        format!("a place for a backup, or a refusal, when {option} is {what}"),
        || shown(refused),
    )
}

async fn placed(ground: &Ground<'_>, instance: &Instance) -> Result<Placement, Failure> {
    let backup = BackupIdentity {
        backup_id: "aaaaaaaa-0000-4000-8000-000000000007".into(),
        volume_id: "bbbbbbbb-0000-4000-8000-000000000007".into(),
        timestamp: "20240102030405".into(),
        availability_zone: "nova".into(),
    };
    let container = Some(ground.container().to_owned());
    instance.place_backup(backup, container).await
}

/// An instance that was set up with other sizes before places as a fresh one does.
async fn forgets_sizes(ground: &Ground<'_>) -> Verdict {
    let settings = &ground.subject().provision().settings;
    let used = bare(ground).await?;
    for option in &ground.subject().info().options {
        let default = option
            .default
            .as_deref()
            .and_then(|text| text.parse::<i64>().ok());
        let (OptionKind::Size | OptionKind::Integer, Some(default)) = (option.kind, default) else {
            continue;
        };
        for value in [default, default.saturating_mul(2)] {
            let settings = with(settings, &option.name, SettingValue::Integer(value));
            let fresh = bare(ground).await?;
            if set_up(ground, &fresh, &settings).await.is_err() {
                continue;
            }
            set_up(ground, &used, &settings)
                .await
                .must("a set-up that another instance took")?;
            let (now, then) = (placed(ground, &used).await, placed(ground, &fresh).await);
            if let (Ok(now), Ok(then)) = (now, then) {
                let what = format!(
                    "the place by an instance that was set up with another {} before",
                    option.name
                );
                equal(&what, &then, &now)?;
            }
        }
    }
    Ok(())
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

async fn unknown(ground: &Ground<'_>) -> Verdict {
    let settings = with(
        &ground.subject().provision().settings,
        "cofferdam_conformance_unknown",
        SettingValue::Text("x".into()),
    );
    let instance = bare(ground).await?;
    match set_up(ground, &instance, &settings).await {
        Err(refused) if refused.code() == WRONG => Ok(()),
        set => {
            set.must("a set-up with a setting that it does not list")?;
            let (store, name) = (Store::new(ground, instance), ground.name("unknown"));
            store.put(&name, b"x").await.must("a put after it")
        }
    }
}

async fn raced(ground: &Ground<'_>) -> Verdict {
    let limits = Arc::new(ground.subject().limits().clone());
    let makers = (0..8).map(|_| async {
        let instance = ground.subject().open(&limits).await?;
        instance.create_container(ground.container()).await?;
        instance.create_container(ground.container()).await
    });
    for made in futures::future::join_all(makers).await {
        made.must("a container that is there to be made again")?;
    }
    Ok(())
}

async fn come_and_go(ground: &Ground<'_>) -> Verdict {
    let name = ground.name("comes");
    for number in 0..100 {
        let store = ground.store().await?;
        if number % 20 == 0 {
            store.put(&name, &[number]).await.must("a put")?;
            same(&name, &[number], &store.get(&name).await.must("a get")?)?;
        }
    }
    Ok(())
}
