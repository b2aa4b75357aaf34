//! Names with everything that some dialect takes for something else.

use std::collections::BTreeMap;

use crate::case::{Case, Verdict};
use crate::expect::{Expect, equal, found, same, shown};
use crate::ground::{Ground, refuses};

pub(super) const CASES: &[Case] = &[Case {
    number: 37,
    group: "names",
    name: "odd names are kept as they are and apart from one another, or refused",
    why: "availability zones and adopted backups bring any character; a name that is changed on the way is another object's",
    needs: &[],
    run: |ground| Box::pin(odd(ground)),
}];

/// At the end of a name.
const ENDS: &[&str] = &[
    "a b",
    "a ",
    "a.",
    "a..",
    "a%",
    "a%20b",
    "a%2Fb",
    "a%252F",
    "a+b",
    "a#b",
    "a?b",
    "a?b=c&d=e",
    "a\"b",
    "a'b",
    "a`b",
    "a<b>&amp;",
    "a;b",
    "a:b",
    "a*b",
    "a|b",
    "a~b",
    "a$b",
    "a\\b",
    "a\\..\\b",
    "a,b",
    "a=b",
    "a@b",
    "a!b",
    "a(b)",
    "a[b]",
    "a{b}",
    "a^b",
    "é",
    "e\u{301}",
    "ß",
    "SS",
    "case",
    "Case",
    "CASE",
    "日本語",
    "\u{1f600}",
    "שלום",
    "a\u{200b}b",
    "\u{feff}a",
    "a\tb",
    "a\nb",
    "a\r\nb",
    "a\u{7f}b",
    "a/b",
    "a//b",
    "/a",
    "a/",
];

/// At the beginning of a name.
const BEGINNINGS: &[&str] = &[
    " ",
    ".",
    "..",
    "-",
    "~",
    "%",
    "+",
    "é",
    "\u{1f600}",
    "&",
    "?",
    "=",
    "$(x)",
];

async fn odd(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let ends = ENDS.iter().map(|odd| ground.name(odd));
    let beginnings = BEGINNINGS
        .iter()
        .map(|odd| format!("{odd}{}", ground.name("begins")));
    let (mut taken, mut refused) = (BTreeMap::new(), Vec::new());
    for (number, name) in ends.chain(beginnings).enumerate() {
        // Each object has a size and bytes of its own.
        let bytes = format!("{number} {name:?}").repeat(number + 1).into_bytes();
        match store.put(&name, &bytes).await {
            Ok(()) => drop(taken.insert(name, bytes)),
            Err(failure) if refuses(failure.code()) => refused.push(name),
            Err(failure) => {
                return Err(found(
                    format!("{name:?} to be taken, or refused as unsupported"),
                    shown(&failure),
                ));
            }
        }
    }
    let own = ground.prefix();
    let expected: Vec<_> = taken
        .keys()
        .filter(|name| name.starts_with(&own))
        .cloned()
        .collect();
    equal(
        "the names that were taken, in byte order",
        &expected,
        &store.names(&own).await?,
    )?;
    for (name, bytes) in &taken {
        let what = format!("{name:?}");
        same(&what, bytes, &store.get(name).await.must(&what)?)?;
        equal(&what, &(bytes.len() as u64), &store.stat(name).await.must(&what)?)?;
        equal(
            &what,
            &vec![name.clone()],
            &listed_exactly(store.names(name).await?, name),
        )?;
    }
    for name in taken.keys() {
        store.delete(name).await.must(format!("{name:?} to be deleted"))?;
    }
    equal("what is left", &Vec::<String>::new(), &store.names(&own).await?)?;
    for name in refused {
        store
            .get(&name)
            .await
            .fails(format!("a get of {name:?}, which a put refused"))?;
    }
    Ok(())
}

/// A name may begin with another one.
fn listed_exactly(mut listed: Vec<String>, name: &str) -> Vec<String> {
    listed.retain(|listed| listed == name);
    listed
}
