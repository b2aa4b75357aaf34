//! Services, their history and their switches.

use super::tools::{Shared, at};
use crate::{EventRecord, ServiceRecord, ServiceSwitch};

fn service(name: &str) -> ServiceRecord {
    ServiceRecord {
        name: name.into(),
        host: "h".into(),
        removed: false,
        status: "{}".into(),
        heartbeat: Some(at(4)),
        report_count: 0,
        updated_at: at(5),
    }
}

fn event(backend: &str, second: i64) -> EventRecord {
    EventRecord {
        number: 0,
        host: "h".into(),
        backend: backend.into(),
        kind: "backup.backend.state".into(),
        at: at(second),
        payload: format!("{{\"second\":{second}}}"),
    }
}

pub(super) async fn services_are_recorded_counted_removed_and_forgotten(repository: Shared) {
    let mut first = service("b");
    for _ in 0..3 {
        repository
            .record(std::slice::from_ref(&first), &[], 10)
            .await
            .unwrap();
    }
    first.report_count = 3;
    assert_eq!(repository.services().await.unwrap(), [first.clone()]);
    let mut never_up = service("c");
    never_up.heartbeat = None;
    repository.record(&[never_up], &[], 10).await.unwrap();
    first.removed = true;
    repository.record(&[first], &[], 10).await.unwrap();
    let left = repository.services().await.unwrap();
    assert_eq!(
        (left.len(), left[0].name.as_str(), left[0].heartbeat),
        (1, "c", None)
    );
    repository.forget_services("other").await.unwrap();
    assert_eq!(repository.services().await.unwrap().len(), 1);
    repository.forget_services("h").await.unwrap();
    assert!(repository.services().await.unwrap().is_empty());
}

pub(super) async fn the_history_keeps_the_newest_events_of_each_backend_and_reads_on_from_a_number(
    repository: Shared,
) {
    for second in 0..30 {
        let events = [event("a", second), event("b", second)];
        repository
            .record(&[], &events[..if second < 5 { 2 } else { 1 }], 10)
            .await
            .unwrap();
    }
    let seconds =
        |events: Vec<EventRecord>| -> Vec<i64> { events.iter().map(|event| event.at.as_second()).collect() };
    let of_a = repository.events("h", Some("a"), None, 100).await.unwrap();
    assert_eq!(
        seconds(of_a.clone()),
        (20..30).collect::<Vec<_>>(),
        "the newest ten, oldest first"
    );
    assert_eq!(
        seconds(repository.events("h", Some("b"), None, 100).await.unwrap()),
        (0..5).collect::<Vec<_>>(),
        "another backend's events push none out"
    );
    assert_eq!(
        seconds(repository.events("h", None, None, 3).await.unwrap()),
        [27, 28, 29]
    );
    let after = of_a[3].number;
    assert_eq!(
        seconds(repository.events("h", Some("a"), Some(after), 2).await.unwrap()),
        [24, 25]
    );
    assert!(
        repository
            .events("other", None, None, 3)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(of_a.windows(2).all(|pair| pair[0].number < pair[1].number));
}

pub(super) async fn switches_outlive_the_service(repository: Shared) {
    let mut switch = ServiceSwitch {
        host: "h".into(),
        name: "b".into(),
        disabled: true,
        reason: Some("the disks are being changed".into()),
        modified_at: at(6),
    };
    repository.set_switch(&switch).await.unwrap();
    repository.record(&[service("b")], &[], 10).await.unwrap();
    repository.forget_services("h").await.unwrap();
    assert_eq!(repository.switches().await.unwrap(), [switch.clone()]);
    (switch.disabled, switch.reason, switch.modified_at) = (false, None, at(7));
    repository.set_switch(&switch).await.unwrap();
    assert_eq!(repository.switches().await.unwrap(), [switch]);
}
