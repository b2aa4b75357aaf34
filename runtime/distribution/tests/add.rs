//! Adding, listing, verifying and removing drivers from files, packages and image layouts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod helpers;

use std::sync::Mutex;

use cofferdam_distribution::{
    COMPONENT_SIZE, Condition, Interfaces, Outcome, Progress, Request, Sha256Digest, Source, TrustedKeys,
    fetch, pack, write_package,
};
use helpers::{Keys, Place, component, files_of, said};

#[tokio::test]
async fn a_driver_from_a_file_a_package_or_a_layout_is_installed_with_its_manifest_and_origin() {
    let bytes = component(1, 300_000);
    let place = Place::new();
    for (number, source) in [
        place.file("lone.wasm", &bytes),
        place.package("package", &bytes, &said("shelf1", "1.2.0")),
        place.layout("layout", &bytes, &said("shelf2", "1.2.0")),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("shelf{number}");
        let done = place.add(&source, &said(&name, "1.2.0"), false).await.unwrap();
        assert_eq!(done.outcome, Outcome::Added);
        assert_eq!(std::fs::read(&done.component).unwrap(), bytes);
        let listed = place.store.list().unwrap();
        let listed = listed.iter().find(|listed| listed.name == name).unwrap();
        assert_eq!(listed.condition, Condition::Whole(Sha256Digest::of(&bytes)));
        let installed = listed.installed.as_ref().unwrap();
        let manifest = installed.manifest.as_ref().unwrap();
        assert_eq!((manifest.version.as_str(), manifest.options.len()), ("1.2.0", 2));
        assert_eq!(
            manifest.licence,
            if number == 0 { "NOASSERTION" } else { "Apache-2.0" }
        );
        assert!(
            installed
                .origin
                .as_ref()
                .unwrap()
                .starts_with(source.to_str().unwrap()),
            "{installed:?}"
        );
    }
    assert_eq!(place.entries(), ["shelf0", "shelf1", "shelf2"]);
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_another_needs_replace() {
    let place = Place::new();
    let (old, new) = (component(1, 1000), component(2, 1000));
    let first = place.file("old.wasm", &old);
    let second = place.file("new.wasm", &new);
    place.add(&first, &said("shelf", "1"), false).await.unwrap();
    assert_eq!(
        place
            .add(&first, &said("shelf", "1"), false)
            .await
            .unwrap()
            .outcome,
        Outcome::Present
    );
    let refused = place
        .add(&second, &said("shelf", "2"), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("version 1") && refused.contains("--replace"),
        "{refused}"
    );
    assert_eq!(
        place
            .store
            .verify("shelf", &TrustedKeys::default(), None)
            .unwrap()
            .0,
        Sha256Digest::of(&old)
    );
    let done = place.add(&second, &said("shelf", "2"), true).await.unwrap();
    assert_eq!(done.outcome, Outcome::Replaced(Some("1".into())));
    assert_eq!(
        place
            .store
            .verify("shelf", &TrustedKeys::default(), None)
            .unwrap()
            .0,
        Sha256Digest::of(&new)
    );
    assert_eq!(place.entries(), ["shelf"]);
}

#[tokio::test]
async fn a_damaged_driver_is_listed_as_such_fails_verification_and_can_be_replaced() {
    let place = Place::new();
    let bytes = component(1, 1000);
    let source = place.package("package", &bytes, &said("shelf", "1"));
    let done = place.add(&source, &said("shelf", "1"), false).await.unwrap();
    std::fs::write(&done.component, component(9, 1000)).unwrap();
    assert!(
        matches!(&place.store.list().unwrap()[0].condition, Condition::Damaged(why) if why.contains("SHA-256"))
    );
    assert!(
        place
            .store
            .verify("shelf", &TrustedKeys::default(), None)
            .is_err()
    );
    let refused = place
        .add(&source, &said("shelf", "1"), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("damaged"), "{refused}");
    place.add(&source, &said("shelf", "1"), true).await.unwrap();
    assert_eq!(
        place.store.list().unwrap()[0].condition,
        Condition::Whole(Sha256Digest::of(&bytes))
    );
    std::fs::remove_file(place.store.path().join("shelf/driver.toml")).unwrap();
    assert!(matches!(
        place.store.list().unwrap()[0].condition,
        Condition::Damaged(_)
    ));
    place.add(&source, &said("shelf", "1"), true).await.unwrap();
    assert_eq!(place.entries(), ["shelf"]);
}

#[tokio::test]
async fn a_manifest_that_says_other_than_the_component_is_refused_by_file_and_key() {
    let place = Place::new();
    let source = place.package("package", &component(1, 1000), &said("shelf", "1"));
    let mut other = said("shelf", "1");
    other.options[1].required = true;
    for (claims, key) in [
        (said("chest", "1"), "name is"),
        (said("shelf", "2"), "version is"),
        (other, "option shelf_key is"),
    ] {
        let error = place.add(&source, &claims, false).await.unwrap_err().to_string();
        assert!(error.contains(key) && error.contains("driver.toml"), "{error}");
    }
    assert!(place.entries().is_empty());
}

#[tokio::test]
async fn a_package_whose_component_is_not_the_one_of_its_manifest_is_refused() {
    let place = Place::new();
    let source = place.package("package", &component(1, 1000), &said("shelf", "1"));
    let [file, ..] = files_of(&source);
    std::fs::write(&file, component(2, 1000)).unwrap();
    let error = place
        .fetch(&source, &Request::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("driver.toml says"), "{error}");
    std::fs::write(&file, &component(1, 1000)[..500]).unwrap();
    assert!(place.fetch(&source, &Request::default()).await.is_err());
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(place.file("elsewhere.wasm", &component(1, 1000)), &file).unwrap();
    let error = place
        .fetch(&source, &Request::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("a link"), "{error}");
    assert!(place.entries().is_empty());
}

#[tokio::test]
async fn what_is_too_long_no_component_or_not_the_pinned_one_is_refused() {
    let place = Place::new();
    let bytes = component(1, 2000);
    let source = place.file("a.wasm", &bytes);
    let layout = place.layout("layout", &bytes, &said("shelf", "1"));
    for source in [&source, &layout] {
        let small = Request {
            component_size: Some(1999),
            ..Request::default()
        };
        let error = place.fetch(source, &small).await.unwrap_err().to_string();
        assert!(
            error.contains("at most 1999") && error.contains("driver_component_size"),
            "{error}"
        );
        let pinned = Request {
            pin: Some(Sha256Digest::of(b"other")),
            ..Request::default()
        };
        let error = place.fetch(source, &pinned).await.unwrap_err().to_string();
        assert!(error.contains("the configuration says"), "{error}");
        let pinned = Request {
            pin: Some(Sha256Digest::of(&bytes)),
            ..Request::default()
        };
        place.fetch(source, &pinned).await.unwrap();
    }
    let text = place.file("b.wasm", b"#!/bin/sh");
    assert!(
        place
            .fetch(&text, &Request::default())
            .await
            .unwrap_err()
            .to_string()
            .contains("not WebAssembly")
    );
    assert!(place.entries().is_empty());
}

#[tokio::test]
async fn with_keys_a_signature_is_asked_for_in_every_kind_of_source_and_again_by_verify() {
    let place = Place::new();
    let (keys, others) = (Keys::new(), Keys::new());
    let bytes = component(1, 100_000);
    let trusted = || TrustedKeys::read(&[others.public(), keys.public()]).unwrap();
    for (number, by) in [None, Some(&Keys::new()), Some(&keys)].into_iter().enumerate() {
        let file = place.file(&format!("{number}.wasm"), &bytes);
        if let Some(by) = by {
            std::fs::write(file.with_extension("wasm.minisig"), by.sign(&bytes)).unwrap();
        }
        let folder = place.path(&format!("package{number}"));
        write_package(&file, &said("shelf", "1"), None, &folder, COMPONENT_SIZE).unwrap();
        let layout = place.path(&format!("layout{number}"));
        pack(&folder, &layout, None, &Interfaces::default(), COMPONENT_SIZE).unwrap();
        for source in [file, folder, layout] {
            let request = Request {
                keys: trusted(),
                ..Request::default()
            };
            let fetched = place.fetch(&source, &request).await;
            if number == 2 {
                let fetched = fetched.unwrap();
                assert_eq!(fetched.signer().unwrap().key, trusted().ids()[1]);
                fetched.install(&said("shelf", "1"), None, true).unwrap();
                let (_, signer) = place.store.verify("shelf", &trusted(), None).unwrap();
                assert_eq!(signer.unwrap().key, trusted().ids()[1]);
                assert!(place.store.find("shelf").unwrap().unwrap().has_signature);
            } else {
                let error = fetched.unwrap_err().to_string();
                assert!(trusted().ids().iter().all(|id| error.contains(id)), "{error}");
            }
        }
    }
    std::fs::remove_file(place.store.path().join("shelf/driver.wasm.minisig")).unwrap();
    assert!(
        place
            .store
            .verify("shelf", &trusted(), None)
            .unwrap_err()
            .to_string()
            .contains("not signed")
    );
}

#[tokio::test]
async fn a_signature_that_comes_later_is_kept_without_replace() {
    let place = Place::new();
    let keys = Keys::new();
    let bytes = component(1, 1000);
    let source = place.file("a.wasm", &bytes);
    place.add(&source, &said("shelf", "1"), false).await.unwrap();
    let trusted = TrustedKeys::read(&[keys.public()]).unwrap();
    assert!(place.store.verify("shelf", &trusted, None).is_err());
    place.file("a.wasm.minisig", keys.sign(&bytes).as_bytes());
    let done = place.add(&source, &said("shelf", "1"), false).await.unwrap();
    assert_eq!(done.outcome, Outcome::Replaced(Some("1".into())));
    place.store.verify("shelf", &trusted, None).unwrap();
    let again = place.add(&source, &said("shelf", "1"), false).await.unwrap();
    assert_eq!(again.outcome, Outcome::Present);
}

#[tokio::test]
async fn a_driver_in_use_stays_and_a_removed_one_is_gone() {
    let place = Place::new();
    place
        .add(
            &place.file("a.wasm", &component(1, 10)),
            &said("shelf", "1"),
            false,
        )
        .await
        .unwrap();
    let error = place
        .store
        .remove("shelf", &["backups".into(), "more".into()])
        .unwrap_err()
        .to_string();
    assert!(error.contains("backups, more"), "{error}");
    place.store.remove("shelf", &[]).unwrap();
    assert!(place.entries().is_empty());
    for name in ["shelf", "../drivers", "..", "", "a/b"] {
        assert!(
            place
                .store
                .remove(name, &[])
                .unwrap_err()
                .to_string()
                .contains("no installed driver"),
            "{name}"
        );
        assert!(place.store.find(name).unwrap().is_none());
    }
}

#[tokio::test]
async fn lone_files_are_listed_and_verified_and_neither_removed_nor_hidden_by_an_add() {
    let place = Place::new();
    let bytes = component(1, 10);
    std::fs::write(place.store.path().join("posix.wasm"), &bytes).unwrap();
    let listed = place.store.list().unwrap();
    assert_eq!(
        listed[0].condition,
        Condition::Unrecorded(Sha256Digest::of(&bytes))
    );
    place
        .store
        .verify("posix", &TrustedKeys::default(), Some(Sha256Digest::of(&bytes)))
        .unwrap();
    assert!(
        place
            .store
            .verify("posix", &TrustedKeys::default(), Some(Sha256Digest::of(b"")))
            .is_err()
    );
    assert!(
        place
            .store
            .remove("posix", &[])
            .unwrap_err()
            .to_string()
            .contains("lone file")
    );
    let source = place.file("a.wasm", &bytes);
    let error = place
        .add(&source, &said("posix", "1"), true)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("lone file"), "{error}");
}

#[tokio::test]
async fn progress_ends_with_all_bytes_and_then_the_checks() {
    let place = Place::new();
    let bytes = component(1, 1_000_000);
    let layout = place.layout("layout", &bytes, &said("shelf", "1"));
    let seen = Mutex::new(Vec::new());
    let source = Source::parse(layout.to_str().unwrap()).unwrap();
    let report = |progress| seen.lock().unwrap().push(progress);
    fetch(&place.store, &source, &Request::default(), &report)
        .await
        .unwrap();
    let seen = seen.into_inner().unwrap();
    let total = bytes.len() as u64;
    assert_eq!(
        &seen[seen.len() - 2..],
        [Progress::Fetching { done: total, total }, Progress::Checking]
    );
    assert!(seen.len() > 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_adds_at_once_one_wins_and_the_others_say_so() {
    let place = std::sync::Arc::new(Place::new());
    let adds = (0..16_u64).map(|number| {
        let place = place.clone();
        tokio::spawn(async move {
            let source = place.file(&format!("{number}.wasm"), &component(number, 100_000));
            place
                .add(&source, &said("shelf", &number.to_string()), false)
                .await
        })
    });
    let mut added = 0;
    for add in adds.collect::<Vec<_>>() {
        match add.await.unwrap() {
            Ok(done) => added += usize::from(done.outcome == Outcome::Added),
            Err(error) => assert!(error.to_string().contains("installed already"), "{error}"),
        }
    }
    assert_eq!(added, 1);
    assert_eq!(place.entries(), ["shelf"]);
    assert!(matches!(
        place.store.list().unwrap()[0].condition,
        Condition::Whole(_)
    ));
}
