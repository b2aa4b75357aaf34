//! What a component is before anything is asked of it.

use crate::case::{Case, Need, Verdict};
use crate::expect::{Expect, equal, holds};
use crate::ground::Ground;

pub(super) const CASES: &[Case] = &[
    Case {
        number: 1,
        group: "lifecycle",
        name: "it is a component of the contract, and asks for nothing that no driver may have",
        why: "what is not loaded cannot be a backend",
        needs: &[],
        run: |ground| Box::pin(loads(ground)),
    },
    Case {
        number: 2,
        group: "lifecycle",
        name: "it says what it is without settings and network, and always the same",
        why: "the host decides by it what the deployer may write and what the driver gets",
        needs: &[],
        run: |ground| Box::pin(describes(ground)),
    },
    Case::never(
        9,
        "lifecycle",
        "of options that make sense together only, half is refused",
        &[Need::Never(
            "which options belong together only its author knows: unit tests of the driver",
        )],
    ),
    Case::never(
        16,
        "lifecycle",
        "a set-up that never ends is cut off",
        &[Need::Never(
            "the host does that, whatever the driver: its own tests with hostile drivers",
        )],
    ),
];

async fn loads(ground: &Ground<'_>) -> Verdict {
    // Loading has refused what exports or imports anything else; here it is only told by which version.
    let contract = ground.subject().contract();
    holds(
        contract.starts_with("0.1."),
        "a version of the contract that this kit is for",
        || contract.to_owned(),
    )
}

async fn describes(ground: &Ground<'_>) -> Verdict {
    let first = ground.subject().info();
    for _ in 0..3 {
        let again = ground.subject().describe().await.must("an answer to describe")?;
        equal("what it says of itself", first, &again)?;
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ['-', '_'].contains(&c);
    holds(
        !first.name.is_empty() && first.name.chars().all(plain),
        "a name of lower-case letters, digits, - and _",
        || format!("{:?}", first.name),
    )?;
    holds(!first.version.is_empty(), "a version", || "none".into())?;
    for (number, option) in first.options.iter().enumerate() {
        let twice = first
            .options
            .iter()
            .take(number)
            .any(|other| other.name == option.name);
        holds(!twice, "each option once", || {
            format!("{} stands twice", option.name)
        })?;
        holds(
            !option.description.trim().is_empty(),
            format!("a sentence about the option {}", option.name),
            || "none".into(),
        )?;
    }
    Ok(())
}
