//! Fetching from a real registry and pushing to it: plain, with a user, with TLS; and what other tools make of our images.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod helpers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cofferdam_distribution::{
    COMPONENT_SIZE, Condition, Credentials, RegistryOptions, Request, Result, Sha256Digest, Source,
    Transport, TrustedKeys, fetch, push,
};
use helpers::{Keys, Place, component, said, skip};

/// Debian's docker-registry, started by the script of `tests/servers`.
struct Registry {
    folder: tempfile::TempDir,
    host: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        script(&["stop"], self.folder.path(), &[], &[]);
    }
}

fn script(verb: &[&str], folder: &Path, more: &[&str], environment: &[(&str, String)]) -> Output {
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/servers/registry");
    let mut command = Command::new(script);
    command
        .args(verb)
        .arg(folder)
        .args(more)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    command.output().unwrap()
}

impl Registry {
    fn start(environment: &[(&str, String)]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let output = script(&["start"], folder.path(), &["18700"], environment);
        let text = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(77) {
            skip(text.lines().last().unwrap_or_default());
            return None;
        }
        assert!(output.status.success(), "{text}");
        let text = String::from_utf8(output.stdout).unwrap();
        let values: BTreeMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
        Some(Registry {
            host: values["registry"].to_owned(),
            folder,
        })
    }
}

async fn round_trip(place: &Place, host: &str, options: &RegistryOptions) -> Result<Vec<u8>> {
    let bytes = component(3, 5_000_000);
    let layout = place.path("layout");
    if !layout.exists() {
        place.layout("layout", &bytes, &said("shelf", "1.0+2"));
    }
    let image = push(
        &layout,
        None,
        &format!("oci://{host}/drivers/shelf:1.0_2"),
        options,
        COMPONENT_SIZE,
    )
    .await?;
    let request = || Request {
        registry: options.clone(),
        ..Request::default()
    };
    for end in [
        ":1.0_2".to_owned(),
        format!("@sha256:{image}"),
        format!(":1.0_2@sha256:{image}"),
    ] {
        let source = Source::parse(&format!("oci://{host}/drivers/shelf{end}"))?;
        let done = fetch(&place.store, &source, &request(), &|_| {}).await?.install(
            &said("shelf", "1.0+2"),
            None,
            true,
        )?;
        assert_eq!(std::fs::read(&done.component).unwrap(), bytes);
        let origin = place.store.find("shelf")?.unwrap().origin.unwrap();
        assert_eq!(origin, format!("oci://{host}/drivers/shelf@sha256:{image}"));
    }
    assert_eq!(
        place.store.list()?[0].condition,
        Condition::Whole(Sha256Digest::of(&bytes))
    );
    Ok(bytes)
}

#[tokio::test]
async fn a_driver_comes_back_from_a_registry_by_tag_and_by_digest() {
    let Some(registry) = Registry::start(&[]) else {
        return;
    };
    let place = Place::new();
    round_trip(&place, &registry.host, &RegistryOptions::default())
        .await
        .unwrap();
    for missing in ["drivers/shelf:2", "nobody/nothing:1"] {
        let source = Source::parse(&format!("oci://{}/{missing}", registry.host)).unwrap();
        let error = fetch(&place.store, &source, &Request::default(), &|_| {})
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(missing) && error.to_lowercase().contains("unknown"),
            "{error}"
        );
    }
    assert_eq!(place.entries(), ["shelf"]);
}

#[tokio::test]
async fn a_signature_travels_through_a_registry() {
    let Some(registry) = Registry::start(&[]) else {
        return;
    };
    let place = Place::new();
    let keys = Keys::new();
    let bytes = component(4, 1000);
    place.file("signed-package.wasm.minisig", keys.sign(&bytes).as_bytes());
    let layout = place.layout("signed", &bytes, &said("shelf", "1"));
    let target = format!("oci://{}/a/b/c:1", registry.host);
    push(
        &layout,
        None,
        &target,
        &RegistryOptions::default(),
        COMPONENT_SIZE,
    )
    .await
    .unwrap();
    let source = Source::parse(&target).unwrap();
    for (trusted, good) in [(&keys, true), (&Keys::new(), false)] {
        let request = Request {
            keys: TrustedKeys::read(&[trusted.public()]).unwrap(),
            ..Request::default()
        };
        assert_eq!(
            fetch(&place.store, &source, &request, &|_| {}).await.is_ok(),
            good
        );
    }
}

#[tokio::test]
async fn a_registry_with_users_asks_for_one() {
    let Some(registry) = Registry::start(&[("CREDENTIALS", "author:nobody-may-see".into())]) else {
        return;
    };
    let place = Place::new();
    let user = |password: &str| RegistryOptions {
        credentials: Some(Credentials {
            user: "author".into(),
            password: password.into(),
        }),
        ..RegistryOptions::default()
    };
    round_trip(&place, &registry.host, &user("nobody-may-see"))
        .await
        .unwrap();
    for options in [RegistryOptions::default(), user("wrong-4711")] {
        let error = round_trip(&place, &registry.host, &options)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("uthori") && !error.contains("wrong-4711"),
            "{error}"
        );
        let source = Source::parse(&format!("oci://{}/drivers/shelf:1.0_2", registry.host)).unwrap();
        let request = Request {
            registry: options,
            ..Request::default()
        };
        let error = fetch(&place.store, &source, &request, &|_| {})
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("uthori") && !error.contains("wrong-4711"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn tls_is_spoken_when_asked_for_and_its_certificate_is_checked() {
    let temp = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let at = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("cert"), made.cert.pem()).unwrap();
    std::fs::write(at("key"), made.signing_key.serialize_pem()).unwrap();
    let Some(registry) = Registry::start(&[("CERTIFICATE", at("cert")), ("KEY", at("key"))]) else {
        return;
    };
    let place = Place::new();
    let options = |certificates| RegistryOptions {
        transport: Transport::Https,
        certificates,
        ..RegistryOptions::default()
    };
    round_trip(
        &place,
        &registry.host,
        &options(vec![made.cert.pem().into_bytes()]),
    )
    .await
    .unwrap();
    let error = round_trip(&place, &registry.host, &options(Vec::new()))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test]
async fn an_image_that_another_tool_carried_is_the_same() {
    let Some(registry) = Registry::start(&[]) else {
        return;
    };
    if Command::new("skopeo").arg("--version").output().is_err() {
        skip("skopeo is not here (on Debian: apt-get install skopeo)");
        return;
    }
    let place = Place::new();
    let bytes = component(5, 100_000);
    let layout = place.layout("layout", &bytes, &said("shelf", "1"));
    let image = format!("docker://{}/drivers/carried:1", registry.host);
    let back = place.path("back");
    for (from, to) in [
        (format!("oci:{}:1", layout.display()), image.clone()),
        (image, format!("oci:{}:1", back.display())),
    ] {
        let copied = Command::new("skopeo")
            .args([
                "--insecure-policy",
                "copy",
                "--src-tls-verify=false",
                "--dest-tls-verify=false",
                &from,
                &to,
            ])
            .output()
            .unwrap();
        assert!(
            copied.status.success(),
            "{}",
            String::from_utf8_lossy(&copied.stderr)
        );
    }
    let text = format!("oci://{}/drivers/carried:1", registry.host);
    for source in [text, format!("{}:1", back.display())] {
        let source = Source::parse(&source).unwrap();
        let fetched = fetch(&place.store, &source, &Request::default(), &|_| {})
            .await
            .unwrap();
        assert_eq!(fetched.sha256(), Sha256Digest::of(&bytes));
        assert_eq!(fetched.manifest().unwrap().name, "shelf");
    }
}

#[tokio::test]
async fn the_convention_of_webassembly_images_is_kept_by_what_is_pushed() {
    let Some(registry) = Registry::start(&[]) else {
        return;
    };
    let place = Place::new();
    round_trip(&place, &registry.host, &RegistryOptions::default())
        .await
        .unwrap();
    // What oci-wasm's client, which wkg and others use, asks of an image.
    let client = oci_client::Client::new(oci_client::client::ClientConfig {
        protocol: oci_client::client::ClientProtocol::Http,
        ..Default::default()
    });
    let reference = format!("{}/drivers/shelf:1.0_2", registry.host).parse().unwrap();
    let anonymous = oci_client::secrets::RegistryAuth::Anonymous;
    let image = client
        .pull(&reference, &anonymous, vec!["application/wasm"])
        .await
        .unwrap();
    assert_eq!(image.layers.len(), 1);
    assert_eq!(image.config.media_type, "application/vnd.wasm.config.v0+json");
    assert_eq!(
        image.manifest.unwrap().media_type.unwrap(),
        "application/vnd.oci.image.manifest.v1+json"
    );
    let config: serde_json::Value = serde_json::from_slice(&image.config.data).unwrap();
    assert_eq!(config["layerDigests"][0], image.layers[0].sha256_digest());
}
