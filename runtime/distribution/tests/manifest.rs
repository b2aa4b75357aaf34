//! `driver.toml`: strict, and precise about what is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod helpers;

use cofferdam_distribution::{Manifest, Sha256Digest};
use helpers::said;

fn good() -> String {
    Manifest::of(
        &said("shelf", "1.0.0"),
        Sha256Digest::of(b""),
        7,
        Some("MIT OR Apache-2.0"),
    )
    .unwrap()
    .to_toml()
}

#[test]
fn a_manifest_is_read_as_it_was_written() {
    let manifest = Manifest::parse(&good(), "driver.toml").unwrap();
    assert_eq!(manifest.to_toml(), good());
    assert_eq!(manifest.options, said("", "").options);
    assert_eq!(
        (manifest.size, manifest.licence.as_str()),
        (7, "MIT OR Apache-2.0")
    );
}

#[test]
fn words_that_need_escapes_survive() {
    let mut odd = said("shelf", "1");
    odd.description = "a \"quoted\" \\ word, ä, and a ' too".into();
    let manifest = Manifest::of(&odd, Sha256Digest::of(b""), 7, None).unwrap();
    assert_eq!(
        Manifest::parse(&manifest.to_toml(), "driver.toml")
            .unwrap()
            .description,
        odd.description
    );
}

#[test]
fn what_a_component_says_in_several_lines_becomes_one() {
    let mut odd = said("shelf", "1");
    odd.description = format!("one\n\u{1b}[31mtwo {}", "x".repeat(2000));
    let manifest = Manifest::of(&odd, Sha256Digest::of(b""), 7, None).unwrap();
    assert!(manifest.description.starts_with("one  [31mtwo ") && manifest.description.len() == 1000);
}

#[test]
fn every_error_says_file_key_and_what_is_valid() {
    for (from, to, key, words) in [
        ("name = \"shelf\"", "name = \"../shelf\"", "name", "lower-case"),
        ("name = \"shelf\"", "name = \"-shelf\"", "name", "lower-case"),
        ("name = \"shelf\"", "name = \"\"", "name", "lower-case"),
        ("name = \"shelf\"", "name = 7", "name", "no text"),
        ("name = \"shelf\"", "nmae = \"shelf\"", "name", "missing"),
        ("version = \"1.0.0\"", "version = \"\"", "version", "empty"),
        ("version = \"1.0.0\"", "version = \"1 0\"", "version", "letters"),
        ("size = 7", "size = -7", "size", "length in bytes"),
        ("size = 7", "size = \"7\"", "size", "length in bytes"),
        (
            "size = 7",
            "size = 7\nsizes = 8",
            "sizes",
            "name, version, contract",
        ),
        ("sha256 = \"e3", "sha256 = \"g3", "sha256", "64 hexadecimal"),
        ("sha256 = \"e3", "sha256 = \"e", "sha256", "64 hexadecimal"),
        ("MIT OR", "MIT\\u001b OR", "licence", "SPDX"),
        ("Keeps", "\\u202eKeeps", "description", "printable"),
        (
            "kind = \"secret\"",
            "kind = \"sekret\"",
            "option 2, kind",
            "tls-verify",
        ),
        (
            "kind = \"secret\"",
            "kind = \"secret\"\ndefault = 1",
            "option 2, \"default\"",
            "name, kind, required",
        ),
        (
            "required = true",
            "required = \"yes\"",
            "option 1, required",
            "true or false",
        ),
        ("shelf_key", "shelf_path", "option 2, name", "no name twice"),
        ("shelf_key", "shelf key", "option 2, name", "letters"),
    ] {
        let text = good().replace(from, to);
        assert_ne!(text, good(), "{from}");
        let error = Manifest::parse(&text, "place/driver.toml")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("place/driver.toml: "), "{error}");
        assert!(error.contains(key) && error.contains(words), "{to}: {error}");
        assert!(!error.contains(|c: char| c.is_control()), "{error:?}");
    }
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let error = Manifest::parse("name = \"a\"\nversion = \"\u{1b}", "driver.toml")
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 2") && !error.contains('\u{1b}'), "{error:?}");
}

#[test]
fn no_more_than_256_options_are_read() {
    let many = |count: usize| {
        let options: String = (0..count)
            .map(|n| format!("[[option]]\nname = \"o{n}\"\nkind = \"text\"\n"))
            .collect();
        let text = good();
        let head = text.split("\n[[option]]").next().unwrap();
        Manifest::parse(&format!("{head}{options}"), "driver.toml")
    };
    assert_eq!(many(256).unwrap().options.len(), 256);
    assert!(many(257).unwrap_err().to_string().contains("256 at most"));
}

#[test]
fn damage_to_any_byte_is_an_error_or_another_valid_manifest_and_never_a_panic() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..20_000 {
        let mut bytes = good().into_bytes();
        for _ in 0..random.usize(1..4) {
            let place = random.usize(..bytes.len());
            match random.u8(..3) {
                0 => bytes[place] = random.u8(..),
                1 => drop(bytes.remove(place)),
                _ => bytes.insert(place, random.u8(..)),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(manifest) = Manifest::parse(&text, "driver.toml") {
            let again = Manifest::parse(&manifest.to_toml(), "driver.toml");
            assert_eq!(again.unwrap(), manifest, "seed {seed}, round {round}");
        }
    }
}
