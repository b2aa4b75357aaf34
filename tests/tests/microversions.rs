//! What a microversion adds or takes away is there from that version on, and not a version sooner: a table, a row for each,
//! checked by the version below and by the version itself (cinder: `rest_api_version_history.rst`).
//!
//! One service, whose few resources all rows share; a row answers whether the version that it is given has what it is about.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use cofferdam_tests::cinder::{Cinder, id};
use cofferdam_tests::rest::Rest;
use serde_json::{Value, json};

/// What the rows look at. All of it is in the project `p`.
struct World {
    volume: String,
    snapshot: String,
    backup: String,
    admin: Rest,
    member: Rest,
}

impl World {
    fn make(cinder: &Cinder) -> Self {
        let (admin, member) = (cinder.rest("admin", "p"), cinder.rest("ada", "p"));
        let volume = cinder.volume(&member, "b-volume", 1);
        let snapshot =
            json!({"snapshot": {"volume_id": volume, "name": "b-snapshot", "metadata": {"k": "v"}}});
        let snapshot = id(&member.post("/v3/snapshots", &snapshot).expect(202).json()["snapshot"]);
        member.wait_for(&format!("/v3/snapshots/{snapshot}"), "available");
        let other = json!({"snapshot": {"volume_id": volume, "name": "a-snapshot"}});
        let other = id(&member.post("/v3/snapshots", &other).expect(202).json()["snapshot"]);
        member.wait_for(&format!("/v3/snapshots/{other}"), "available");
        let backup = cinder.backup(&member, &volume, "b-backup");
        cinder.backup(&member, &volume, "a-backup");
        leave_message(cinder, &member, &volume);
        World {
            volume,
            snapshot,
            backup,
            admin,
            member,
        }
    }

    /// The one thing at a path, as an admin sees it by that version.
    fn seen(&self, version: &str, path: &str) -> Value {
        let answer = self
            .admin
            .at(version)
            .get(&format!("/v3/p/{path}"))
            .expect(200)
            .json();
        answer
            .as_object()
            .and_then(|answer| answer.values().next())
            .cloned()
            .unwrap_or_default()
    }

    fn status(&self, version: &str, path: &str) -> u16 {
        self.admin.at(version).get(&format!("/v3/p/{path}")).status
    }

    fn posted(&self, version: &str, path: &str, body: &Value) -> u16 {
        self.member
            .at(version)
            .post(&format!("/v3/p/{path}"), body)
            .status
    }
}

/// A backup that fails leaves a message, and goes.
fn leave_message(cinder: &Cinder, member: &Rest, volume: &str) {
    for backend in ["one", "two"] {
        std::fs::write(cinder.path(backend).join("blocked"), "x").expect("the file is written");
    }
    let body = json!({"backup": {"volume_id": volume, "container": "blocked"}});
    let backup = id(&member.post("/v3/backups", &body).expect(202).json()["backup"]);
    let path = format!("/v3/backups/{backup}");
    member.wait_for(&path, "error");
    while member.get("/v3/messages").expect(200).json()["messages"] == json!([]) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for backend in ["one", "two"] {
        std::fs::remove_file(cinder.path(backend).join("blocked")).expect("the file is there");
    }
    let _ = member.delete(&path).expect(202);
    member.wait_for_gone(&path);
}

fn has(thing: &Value, field: &str) -> bool {
    thing.as_object().expect("an object").contains_key(field)
}

/// The names of a list, in its order.
fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().expect("a list");
    items.iter().filter_map(|item| item["name"].as_str()).collect()
}

/// From which minor version on, what, and whether a version has it.
type Row = (u32, &'static str, fn(&World, &str) -> bool);

/// A field of a backup, of a volume, of a snapshot and of a service.
const FIELDS: &[Row] = &[
    (7, "services have a cluster", |w, v| {
        has(&w.seen(v, "os-services")[0], "cluster")
    }),
    (13, "volumes have a group", |w, v| {
        has(&w.seen(v, &format!("volumes/{}", w.volume)), "group_id")
    }),
    (14, "snapshots have a group's snapshot", |w, v| {
        has(
            &w.seen(v, &format!("snapshots/{}", w.snapshot)),
            "group_snapshot_id",
        )
    }),
    (18, "backups tell their project to an admin", |w, v| {
        let seen = w.seen(v, &format!("backups/{}", w.backup));
        has(&seen, "os-backup-project-attr:project_id")
    }),
    (21, "volumes tell their provider's id to an admin", |w, v| {
        has(&w.seen(v, &format!("volumes/{}", w.volume)), "provider_id")
    }),
    (41, "snapshots have a user", |w, v| {
        has(&w.seen(v, &format!("snapshots/{}", w.snapshot)), "user_id")
    }),
    (41, "snapshots of a list have a user", |w, v| {
        has(&w.seen(v, "snapshots/detail")[0], "user_id")
    }),
    (43, "backups have metadata", |w, v| {
        has(&w.seen(v, &format!("backups/{}", w.backup)), "metadata")
    }),
    (48, "volumes tell of shared targets", |w, v| {
        let seen = w.seen(v, &format!("volumes/{}", w.volume));
        has(&seen, "shared_targets") && has(&seen, "service_uuid")
    }),
    (49, "services tell the state of what is behind them", |w, v| {
        has(&w.seen(v, "os-services")[0], "backend_state")
    }),
    (56, "backups tell their user to an admin", |w, v| {
        has(&w.seen(v, &format!("backups/{}", w.backup)), "user_id")
    }),
    (56, "backups of a list tell their user to an admin", |w, v| {
        has(&w.seen(v, "backups/detail")[0], "user_id")
    }),
    (61, "volumes tell their cluster to an admin", |w, v| {
        has(&w.seen(v, &format!("volumes/{}", w.volume)), "cluster_name")
    }),
    (63, "volumes have the id of their type", |w, v| {
        has(&w.seen(v, &format!("volumes/{}", w.volume)), "volume_type_id")
    }),
    (65, "volumes tell whether they use quota", |w, v| {
        has(&w.seen(v, &format!("volumes/{}", w.volume)), "consumes_quota")
    }),
    (69, "shared targets may be unknown", |w, v| {
        let seen = w.seen(v, &format!("volumes/{}", w.volume));
        seen["shared_targets"].is_null() && has(&seen, "shared_targets")
    }),
    (65, "snapshots tell whether they use quota", |w, v| {
        has(&w.seen(v, &format!("snapshots/{}", w.snapshot)), "consumes_quota")
    }),
];

/// A route, or what one takes in its query.
const QUERIES: &[Row] = &[
    (3, "there are messages", |w, v| w.status(v, "messages") == 200),
    (5, "messages come in pages", |w, v| {
        w.seen(v, "messages?limit=0")
            .as_array()
            .expect("a list")
            .is_empty()
    }),
    (12, "there is a summary of volumes", |w, v| {
        w.status(v, "volumes/summary") == 200
    }),
    (22, "snapshots are found by their metadata", |w, v| {
        let found = w.seen(v, "snapshots/detail?metadata=%7B%27k%27%3A%27v%27%7D");
        names(&found) == ["b-snapshot"]
    }),
    (30, "snapshots are sorted by their name", |w, v| {
        w.status(v, "snapshots?sort=name:asc") == 200
    }),
    (31, "a filter that nobody knows is refused", |w, v| {
        let path = "/v3/p/backups?project_id=other";
        w.member.at(v).get(path).status == 400
    }),
    (32, "the levels of a log are told", |w, v| {
        let body = json!({"binary": "cinder-backup"});
        let answer = w.admin.at(v).put("/v3/p/os-services/get-log", &body);
        answer.status == 200
    }),
    (33, "it is told what may be filtered by", |w, v| {
        w.status(v, "resource_filters") == 200
    }),
    (34, "backups are found by a part of their name", |w, v| {
        let answer = w.admin.at(v).get("/v3/p/backups?name~=a-ba");
        answer.status == 200 && names(&answer.json()["backups"]) == ["a-backup"]
    }),
    (34, "volumes are found by a part of their name", |w, v| {
        let answer = w.admin.at(v).get("/v3/p/volumes?name~=b-vol");
        answer.status == 200 && names(&answer.json()["volumes"]) == ["b-volume"]
    }),
    (37, "backups are sorted by their name", |w, v| {
        let answer = w.admin.at(v).get("/v3/p/backups?sort=name:asc");
        answer.status == 200 && names(&answer.json()["backups"]) == ["a-backup", "b-backup"]
    }),
    (39, "an admin asks for another project's limits", |w, v| {
        let limits = w.seen(v, "limits?project_id=nobody");
        limits["absolute"]["totalBackupsUsed"] == 0
    }),
    (45, "backups are counted", |w, v| {
        let list = w.admin.at(v).get("/v3/p/backups?with_count=true&limit=1");
        list.expect(200).json()["count"] == 2
    }),
    (45, "backups of a detailed list are counted", |w, v| {
        let list = w.admin.at(v).get("/v3/p/backups/detail?with_count=true");
        list.expect(200).json()["count"] == 2
    }),
    (45, "snapshots are counted", |w, v| {
        let list = w.admin.at(v).get("/v3/p/snapshots?with_count=true");
        list.expect(200).json()["count"] == 2
    }),
    (45, "volumes are counted", |w, v| {
        let list = w.admin.at(v).get("/v3/p/volumes?with_count=true&name=b-volume");
        list.expect(200).json()["count"] == 1
    }),
    (60, "volumes are found by their time", |w, v| {
        let path = "volumes/detail?created_at=gt:2001-01-01T00:00:00&name=b-volume";
        let answer = w.admin.at(v).get(&format!("/v3/p/{path}"));
        answer.status == 200 && names(&answer.json()["volumes"]) == ["b-volume"]
    }),
];

/// What bodies may hold, and what they may not any more.
const BODIES: &[Row] = &[
    (
        71,
        "an extension may be concluded by whoever was waited for",
        |w, v| {
            let path = format!("/v3/p/volumes/{}/action", w.volume);
            let body = json!({"os-extend_volume_completion": {"error": false}});
            let answer = w.admin.at(v).post(&path, &body).expect(400);
            answer.message().contains("must be 'extending'")
        },
    ),
    (9, "a backup's name is changed", |w, v| {
        let path = format!("/v3/p/backups/{}", w.backup);
        let body = json!({"backup": {"name": "b-backup"}});
        w.member.at(v).put(&path, &body).status == 200
    }),
    (43, "a backup's metadata is changed", |w, v| {
        let path = format!("/v3/p/backups/{}", w.backup);
        let body = json!({"backup": {"metadata": {"a": "b"}}});
        let status = w.member.at(v).put(&path, &body).status;
        assert!([200, 400].contains(&status), "{status}");
        status == 200
    }),
    // The volume is not there, which is found out after the body was read.
    (43, "a backup is made with metadata", |w, v| {
        let body =
            json!({"backup": {"volume_id": "00000000-0000-4000-8000-000000000000", "metadata": {"a": "b"}}});
        match w.posted(v, "backups", &body) {
            400 => false,
            404 => true,
            other => panic!("{other}"),
        }
    }),
    (51, "a backup is made in a zone", |w, v| {
        let body = json!({"backup": {"volume_id": "00000000-0000-4000-8000-000000000000", "availability_zone": "z"}});
        match w.posted(v, "backups", &body) {
            400 => false,
            404 => true,
            other => panic!("{other}"),
        }
    }),
    (47, "a volume is made of a backup", |w, v| {
        // Before, what is not known is passed over, and there is no size.
        let body = json!({"volume": {"backup_id": "00000000-0000-4000-8000-000000000000"}});
        match w.posted(v, "volumes", &body) {
            400 => false,
            404 => true,
            other => panic!("{other}"),
        }
    }),
    (53, "what a volume does not have is refused", |w, v| {
        let source = "00000000-0000-4000-8000-000000000000";
        let body = json!({"volume": {"source_volid": source, "size": 1, "status": "available"}});
        match w.posted(v, "volumes", &body) {
            400 => true,
            404 => false,
            other => panic!("{other}"),
        }
    }),
    (
        53,
        "a change of a volume that changes nothing is refused",
        |w, v| {
            let path = format!("/v3/p/volumes/{}", w.volume);
            w.member.at(v).put(&path, &json!({"volume": {}})).status == 400
        },
    ),
    (
        66,
        "a snapshot is made without the word force, never with it",
        |w, v| {
            let body = json!({"snapshot": {"volume_id": w.volume, "force": false}});
            let answer = w.member.at(v).post("/v3/p/snapshots", &body);
            if answer.status == 202 {
                let path = format!("/v3/p/snapshots/{}", id(&answer.json()["snapshot"]));
                w.member.wait_for(&path, "available");
                let _ = w.member.delete(&path).expect(202);
                w.member.wait_for_gone(&path);
            }
            answer.status == 400
        },
    ),
];

#[test]
fn every_microversion_has_what_it_brought_and_the_one_below_has_not() {
    let cinder = Cinder::start("");
    let world = World::make(&cinder);
    let mut wrong = Vec::new();
    let rows = [FIELDS, QUERIES, BODIES].concat();
    for (since, what, check) in &rows {
        let (below, from, last) = (format!("3.{}", since - 1), format!("3.{since}"), "3.71");
        let seen = [&below, &from, last].map(|version| check(&world, version));
        if seen != [false, true, true] {
            wrong.push(format!("3.{since}, {what}: below, from there and last: {seen:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{} of {}", wrong.len(), rows.len());
    // From 3.64 on the key of what is encrypted is told, and of nothing else; here nothing is.
    for path in [
        format!("backups/{}", world.backup),
        format!("volumes/{}", world.volume),
    ] {
        for version in ["3.63", "3.64", "3.71"] {
            assert!(
                !has(&world.seen(version, &path), "encryption_key_id"),
                "{path} {version}"
            );
        }
    }
}

#[test]
fn a_version_that_is_not_served_is_refused_and_each_answer_tells_the_version_that_it_speaks() {
    let cinder = Cinder::start("");
    let rest = cinder.rest("ada", "p");
    for (header, status, spoken) in [
        ("volume 3.0", 200, "volume 3.0"),
        ("volume 3.71", 200, "volume 3.71"),
        ("volume latest", 200, "volume 3.71"),
        ("compute 2.1, volume 3.9", 200, "volume 3.9"),
        ("volume 3.72", 406, ""),
        ("volume 2.0", 406, ""),
        ("volume 4.0", 406, ""),
        ("volume 3", 400, ""),
        ("volume three", 400, ""),
    ] {
        let answer = rest.with_version_header(header).get("/v3/p/backups");
        assert_eq!(answer.status, status, "{header}: {}", answer.text());
        if status == 200 {
            assert_eq!(answer.header("openstack-api-version"), Some(spoken), "{header}");
            let vary = answer.header("vary").unwrap_or_default().to_ascii_lowercase();
            assert!(vary.contains("openstack-api-version"), "{header}: {vary}");
        }
    }
}

#[test]
fn a_members_view_has_nothing_that_is_for_an_admin() {
    let cinder = Cinder::start("");
    let member = cinder.rest("ada", "p");
    let volume = cinder.volume(&member, "volume", 1);
    let backup = cinder.backup(&member, &volume, "backup");
    let volume = member.get(&format!("/v3/p/volumes/{volume}")).expect(200).json();
    let backup = member.get(&format!("/v3/p/backups/{backup}")).expect(200).json();
    for (thing, field) in [
        (&backup["backup"], "os-backup-project-attr:project_id"),
        (&backup["backup"], "user_id"),
        (&volume["volume"], "os-vol-host-attr:host"),
        (&volume["volume"], "provider_id"),
        (&volume["volume"], "cluster_name"),
        (&volume["volume"], "os-vol-mig-status-attr:migstat"),
    ] {
        assert!(!has(thing, field), "{field} in {thing:#}");
    }
}

#[test]
fn paths_are_served_with_the_project_and_without_it_but_never_with_another_project() {
    let cinder = Cinder::start("");
    let rest = cinder.rest("ada", "p");
    for (path, status) in [
        ("/v3/p/backups", 200),
        ("/v3/backups", 200),
        ("/v3/q/backups", 400),
    ] {
        assert_eq!(rest.get(path).status, status, "{path}");
    }
    // The versions are told to everybody; the rest is for those who say who they are.
    let nobody = rest.with_token(None);
    assert_eq!(nobody.get("/").status, 300);
    assert_eq!(nobody.get("/v3/").status, 200);
    assert_eq!(nobody.get("/v3").status, 200);
    assert_eq!(nobody.get("/v3/backups").status, 401);
}
