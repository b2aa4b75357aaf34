//! What an operator does with services: see them, take one out with a reason, put it back.

use crate::{Scene, abreast};

#[test]
fn an_operator_sees_the_services_and_takes_one_out_and_back() {
    let Some(scene) = Scene::begin("") else { return };
    let (admin, ada) = (scene.admin(), scene.ada());
    let list = admin.cinder(&["service-list"]).fine();
    assert_eq!(list.column("Binary"), ["cinder-backup"; 2]);
    assert_eq!(list.column("State"), ["up"; 2]);
    assert_eq!(list.column("Status"), ["enabled"; 2]);
    let hosts = list.column("Host");
    let host = |backend: &str| {
        let found = hosts.iter().find(|host| host.ends_with(backend));
        found.expect("a host for each backend").as_str()
    };
    let (one, two) = (host("@one"), host("@two"));

    abreast(&[
        &|| {
            let of_one = admin.cinder(&["service-list", "--host", one]).fine();
            assert_eq!(of_one.column("Host"), [one]);
        },
        &|| {
            let none = admin
                .cinder(&["service-list", "--binary", "cinder-volume"])
                .fine();
            assert_eq!(none.rows().len(), 0);
        },
        &|| {
            let disable = ["service-disable", "--reason", "a new disk", one, "cinder-backup"];
            let said = admin.cinder(&disable).fine();
            assert_eq!(said.column("Status"), ["disabled"]);
            assert_eq!(said.column("Disabled Reason"), ["a new disk"]);
        },
        &|| {
            let nowhere = admin.cinder(&["service-disable", "nohost", "cinder-backup"]);
            nowhere.refused("HTTP 404");
        },
        &|| ada.cinder(&["service-list"]).refused("HTTP 403"),
        &|| {
            let disable = ada.cinder(&["service-disable", two, "cinder-backup"]);
            disable.refused("HTTP 403");
        },
    ]);

    // What is disabled takes nothing, whatever else it is; and it stays so over a restart.
    let list = admin.openstack_json(&["volume", "service", "list", "--long"]);
    let row = |list: &serde_json::Value, host: &str| {
        let rows = list.as_array().expect("a list").clone();
        let found = rows.into_iter().find(|row| row["Host"] == host);
        found.expect("the service is listed")
    };
    assert_eq!(row(&list, one)["Status"], "disabled");
    assert_eq!(row(&list, one)["Disabled Reason"], "a new disk");
    assert_eq!(row(&list, two)["Status"], "enabled");
    let rest = scene.cinder.rest("ada", "p");
    let volume = scene.cinder.volume(&rest, "volume", 1);
    for name in ["a", "b", "c"] {
        let backup = scene.cinder.backup(&rest, &volume, name);
        assert_eq!(scene.stored(&backup)["backend"], "two");
    }
    let mut scene = scene;
    scene.cinder.stop();
    scene.cinder.begin_life();
    let said = admin.cinder(&["service-disable", two, "cinder-backup"]).fine();
    assert_eq!(said.column("Status"), ["disabled"]);
    let list = admin.cinder(&["service-list"]).fine();
    assert_eq!(list.column("Status"), ["disabled"; 2]);

    // With none left a backup cannot be had.
    let none = ada.cinder(&["backup-create", &volume, "--name", "none"]);
    if none.well {
        let failed = scene.wait("backups", &none.value("id"), "error");
        assert_ne!(failed["fail_reason"], serde_json::Value::Null);
    } else {
        none.refused("HTTP 503");
    }
    abreast(&[
        &|| {
            let said = admin.cinder(&["service-enable", one, "cinder-backup"]).fine();
            assert_eq!(said.column("Status"), ["enabled"]);
        },
        &|| {
            let enable = ["volume", "service", "set", "--enable", two, "cinder-backup"];
            let _ = admin.openstack(&enable).fine();
        },
    ]);
    let list = admin.cinder(&["service-list"]).fine();
    assert_eq!(list.column("Status"), ["enabled"; 2]);
    scene
        .cinder
        .backup(&scene.cinder.rest("ada", "p"), &volume, "again");
}
