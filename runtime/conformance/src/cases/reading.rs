//! Reading what is not there, and readers that go away.

use cofferdam_sandbox::contract::ObjectAddress;

use crate::case::{Case, Need, Verdict};
use crate::content::Source;
use crate::expect::{Expect, holds, same};
use crate::ground::Ground;
use crate::proxy::{Answer, Fault, Rule};

pub(super) const CASES: &[Case] = &[
    Case {
        number: 32,
        group: "reading",
        name: "a reader may go away in the middle, a hundred times",
        why: "a cancelled restore must not use up the instance's handles and connections",
        needs: &[],
        run: |ground| Box::pin(goes_away(ground)),
    },
    Case {
        number: 33,
        group: "reading",
        name: "what is not there is not found, whether object or container",
        why: "an empty success would be restored as zeros; another error would be tried again for ever",
        needs: &[],
        run: |ground| Box::pin(missing(ground)),
    },
    Case {
        number: 35,
        group: "reading",
        name: "a delete that the storage forbids is unauthorized, and the object stays",
        why: "retention and object locks refuse so; the record of the backup must not vanish",
        needs: &[Need::Faults],
        run: |ground| Box::pin(locked(ground)),
    },
];

async fn goes_away(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("read");
    let content = ground.content(&name, 3 << 20);
    store.put_content(&name, content).await.must("a put")?;
    for round in 0..100 {
        let mut pieces = 0;
        let got = store
            .get_into(&ground.at(&name), None, |_| {
                pieces += 1;
                pieces < 1 + round % 4
            })
            .await;
        if let Err(failure) = got {
            Err::<(), _>(failure).fails("no more than an error of the driver's when a reader goes away")?;
        }
        holds(
            store.instance.is_alive(),
            "an instance that lives on when a reader went away",
            || format!("it ended in round {round}"),
        )?;
    }
    same(
        &name,
        &content.bytes(),
        &store
            .get(&name)
            .await
            .must("the whole object after a hundred readers went away")?,
    )
}

async fn missing(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let gone = ["driver.not-found"];
    let nowhere = |name: &str| ObjectAddress {
        container: ground.name("nowhere"),
        name: name.to_owned(),
    };
    for at in [ground.at(&ground.name("missing")), nowhere("missing")] {
        store
            .instance
            .stat_object(at.clone())
            .await
            .refused("a stat of what is not there", &gone)?;
        store
            .get_at(&at, None)
            .await
            .refused("a get of what is not there", &gone)?;
        store
            .instance
            .delete_object(at)
            .await
            .must("a delete of what is not there to succeed")?;
    }
    let (info, body) = (store.info(b"x"), Source::bytes(b"x"));
    let put = store.put_from(&nowhere("put"), info, body).await;
    put.refused("a put into a container that is not there", &gone)?;
    let listed = store
        .instance
        .list_objects(&ground.name("nowhere"), "", None, 10)
        .await;
    listed
        .refused("a listing of a container that is not there", &gone)
        .map(drop)
}

async fn locked(ground: &Ground<'_>) -> Verdict {
    let store = ground.store().await?;
    let name = ground.name("locked");
    store.put(&name, b"kept").await.must("a put")?;
    let forbidden = Fault::Answer(Answer::status(http::StatusCode::FORBIDDEN));
    ground.inject_rule(Rule::new(&name, forbidden).method(http::Method::DELETE))?;
    let deleted = store.delete(&name).await;
    ground.mend()?;
    deleted.refused("a delete that is forbidden", &["driver.unauthorized"])?;
    ground.whole(&name, b"kept").await
}
