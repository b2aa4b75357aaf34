//! Registries and image layouts that lie: about lengths, digests, kinds and places; that say nothing, or never stop.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod helpers;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cofferdam_distribution::{DistributionError, RegistryOptions, Request, Sha256Digest, Source, fetch};
use helpers::{Place, component, said};
use serde_json::{Value, json};

/// What the server says to a path.
type Answers = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

#[derive(Clone)]
enum Answer {
    Bytes(Vec<u8>),
    Endless(&'static [u8]),
    Redirect(String),
    Silence,
    NotFound,
    /// Asks for a token from that address.
    Challenge(String),
}

/// A registry of one image, on a thread; the paths that were asked for, and bytes that were sent without end.
struct Liar {
    host: String,
    asked: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicU64>,
}

impl Liar {
    fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (asked, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let liar = Liar {
            host,
            asked: asked.clone(),
            sent: sent.clone(),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, asked, sent) = (answers.clone(), asked.clone(), sent.clone());
                // A client that goes away in the middle is what is hoped for.
                std::thread::spawn(move || serve(stream.unwrap(), &answers, &asked, &sent).ok());
            }
        });
        liar
    }

    async fn fetch(&self, place: &Place, end: &str, options: RegistryOptions) -> String {
        let source = Source::parse(&format!("oci://{}/drivers/shelf{end}", self.host)).unwrap();
        let request = Request {
            registry: options,
            component_size: Some(1 << 20),
            ..Request::default()
        };
        let fetched = fetch(&place.store, &source, &request, &|_| {}).await;
        let error: DistributionError = fetched.expect_err("a lie was believed");
        assert!(place.entries().is_empty(), "something was left");
        error.to_string()
    }
}

fn serve(
    stream: TcpStream,
    answers: &Answers,
    asked: &Mutex<Vec<String>>,
    sent: &AtomicU64,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while reader.read_line(&mut line)? > 2 {}
        asked.lock().unwrap().push(path.clone());
        match answers(&path) {
            Answer::Bytes(bytes) => {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                    bytes.len()
                )?;
                stream.write_all(&bytes)?;
            }
            Answer::Endless(piece) => {
                write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
                loop {
                    stream.write_all(piece)?;
                    sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
                }
            }
            Answer::Redirect(to) => {
                write!(
                    stream,
                    "HTTP/1.1 307 Gone\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
                )?;
            }
            Answer::Challenge(realm) => write!(
                stream,
                "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"{realm}\",service=\"x\"\r\nContent-Length: 0\r\n\r\n"
            )?,
            Answer::Silence => std::thread::sleep(Duration::from_secs(60)),
            Answer::NotFound => write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256Digest::of(bytes))
}

/// An image that is right.
struct Image {
    component: Vec<u8>,
    config: Value,
    manifest: Value,
}

impl Image {
    fn right() -> Self {
        let component = component(1, 50_000);
        let config = json!({"architecture": "wasm", "os": "wasip2", "layerDigests": [digest(&component)]});
        let mut image = Image {
            component,
            config,
            manifest: Value::Null,
        };
        image.manifest = image.of_parts();
        image
    }

    fn of_parts(&self) -> Value {
        let config = self.config.to_string();
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": digest(config.as_bytes()), "size": config.len()},
            "layers": [{"mediaType": "application/wasm", "digest": digest(&self.component), "size": self.component.len()}],
        })
    }

    /// A registry that has it, but for the paths that end so.
    fn served(&self, but: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> Liar {
        let (component, config) = (self.component.clone(), self.config.to_string().into_bytes());
        let manifest = self.manifest.to_string().into_bytes();
        Liar::start(Arc::new(move |path| {
            let last = path.rsplit('/').next().unwrap_or_default();
            but(path).unwrap_or_else(|| match last {
                last if last == digest(&component) => Answer::Bytes(component.clone()),
                last if last == digest(&config) => Answer::Bytes(config.clone()),
                _ if path.contains("/manifests/") => Answer::Bytes(manifest.clone()),
                "" => Answer::Bytes(b"{}".to_vec()),
                _ => Answer::NotFound,
            })
        }))
    }
}

#[tokio::test]
async fn a_right_image_is_believed() {
    let place = Place::new();
    let liar = Image::right().served(|_| None);
    let source = Source::parse(&format!("oci://{}/drivers/shelf:1", liar.host)).unwrap();
    fetch(&place.store, &source, &Request::default(), &|_| {})
        .await
        .unwrap();
}

#[tokio::test]
async fn other_bytes_of_the_same_length_are_refused() {
    for of_component in [true, false] {
        let place = Place::new();
        let image = Image::right();
        let whole = if of_component {
            image.component.clone()
        } else {
            image.config.to_string().into_bytes()
        };
        let mut bytes = whole.clone();
        *bytes.last_mut().unwrap() ^= 1;
        let name = digest(&whole);
        let liar = image.served(move |path| path.ends_with(&name).then(|| Answer::Bytes(bytes.clone())));
        let error = liar.fetch(&place, ":1", RegistryOptions::default()).await;
        assert!(error.contains(&digest(&whole)), "{error}");
    }
}

#[tokio::test]
async fn a_blob_that_never_ends_is_left_where_its_descriptor_ends() {
    for of_component in [true, false] {
        let place = Place::new();
        let image = Image::right();
        let whole = if of_component {
            image.component.clone()
        } else {
            image.config.to_string().into_bytes()
        };
        let name = digest(&whole);
        let liar = image.served(move |path| path.ends_with(&name).then_some(Answer::Endless(&[0; 65536])));
        let error = liar.fetch(&place, ":1", RegistryOptions::default()).await;
        let wanted = if of_component {
            "more comes than"
        } else {
            "or more"
        };
        assert!(error.contains(wanted), "{error}");
        // What the kernel takes on the way counts as sent.
        assert!(liar.sent.load(Ordering::Relaxed) < 64 << 20);
    }
}

#[tokio::test]
async fn what_is_announced_as_too_long_is_not_even_asked_for() {
    let place = Place::new();
    let mut image = Image::right();
    image.manifest["layers"][0]["size"] = json!((1 << 20) + 1);
    let name = digest(&image.component);
    let liar = image.served(|_| None);
    let error = liar.fetch(&place, ":1", RegistryOptions::default()).await;
    assert!(error.contains("driver_component_size"), "{error}");
    assert!(
        !liar
            .asked
            .lock()
            .unwrap()
            .iter()
            .any(|path| path.ends_with(&name))
    );
}

#[tokio::test]
async fn an_image_that_is_not_the_one_of_the_digest_is_refused() {
    let place = Place::new();
    let image = Image::right();
    let wanted = digest(b"another image");
    let error = image
        .served(|_| None)
        .fetch(&place, &format!("@{wanted}"), RegistryOptions::default())
        .await;
    assert!(
        error.to_lowercase().contains("digest") || error.contains("SHA-256"),
        "{error}"
    );
}

#[tokio::test]
async fn wrong_kinds_of_images_are_refused_with_what_is_wanted() {
    type Change = fn(&mut Image);
    let changes: [(Change, &str); 9] = [
        (
            |image| image.manifest["layers"][0]["mediaType"] = json!("application/octet-stream"),
            "0 layers of type application/wasm",
        ),
        (
            |image| {
                let layer = image.manifest["layers"][0].clone();
                image.manifest["layers"] = json!([layer, layer])
            },
            "2 layers of type",
        ),
        (
            |image| image.manifest["layers"][0]["digest"] = json!(format!("sha512:{}", "0".repeat(128))),
            "SHA-256",
        ),
        (
            |image| image.manifest["layers"][0]["digest"] = json!("sha256:../../../../etc/passwd"),
            "its manifest is none",
        ),
        (
            |image| image.manifest["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json"),
            "vnd.wasm.config.v0+json is wanted",
        ),
        (
            |image| {
                image.config["os"] = json!("wasip1");
                image.manifest = image.of_parts()
            },
            "wasip2/wasm is wanted",
        ),
        (
            |image| {
                image.config["layerDigests"] = json!([digest(b"")]);
                image.manifest = image.of_parts()
            },
            "another component",
        ),
        (
            |image| image.manifest["annotations"] = json!({"cofferdam.driver.toml": "name = 7"}),
            "name",
        ),
        (
            |image| image.manifest["annotations"] = json!({"filling": "x".repeat(5 << 20)}),
            "at most 4194304",
        ),
    ];
    for (change, wanted) in changes {
        let place = Place::new();
        let mut image = Image::right();
        change(&mut image);
        let error = image
            .served(|_| None)
            .fetch(&place, ":1", RegistryOptions::default())
            .await;
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[tokio::test]
async fn other_addresses_in_a_descriptor_are_never_asked() {
    let place = Place::new();
    let elsewhere = Image::right().served(|_| None);
    let mut image = Image::right();
    let name = digest(&image.component);
    image.manifest["layers"][0]["urls"] = json!([format!("http://{}/v2/x/blobs/{name}", elsewhere.host)]);
    let liar = image.served(move |path| path.ends_with(&name).then_some(Answer::NotFound));
    liar.fetch(&place, ":1", RegistryOptions::default()).await;
    assert!(elsewhere.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_an_error() {
    let place = Place::new();
    let realm = Image::right().served(|path| {
        path.contains("/token")
            .then(|| Answer::Bytes(br#"{"token": "a\r\nb"}"#.to_vec()))
    });
    let token = format!("http://{}/token", realm.host);
    let liar =
        Image::right().served(move |path| path.ends_with("/v2/").then(|| Answer::Challenge(token.clone())));
    let error = liar.fetch(&place, ":1", RegistryOptions::default()).await;
    assert!(error.contains("cannot be understood"), "{error}");
}

#[tokio::test]
async fn silence_and_redirects_in_a_ring_end_in_an_error() {
    let place = Place::new();
    let options = || RegistryOptions {
        timeout: Duration::from_millis(300),
        ..RegistryOptions::default()
    };
    for place_of_it in ["/manifests/", "/blobs/"] {
        let liar = Image::right().served(move |path| path.contains(place_of_it).then_some(Answer::Silence));
        let error = liar.fetch(&place, ":1", options()).await;
        assert!(error.contains("no whole answer after 0.3 s"), "{error}");
    }
    let liar = Image::right().served(|path| {
        path.contains("/manifests/")
            .then(|| Answer::Redirect("/v2/drivers/shelf/manifests/1".into()))
    });
    let error = liar.fetch(&place, ":1", RegistryOptions::default()).await;
    assert!(error.contains("redirect"), "{error}");
}

#[tokio::test]
async fn a_component_in_a_layout_is_the_one_of_its_descriptor_even_without_a_manifest_of_ours() {
    let place = Place::new();
    let image = Image::right();
    let blobs = place.path("layout/blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        std::fs::write(blobs.join(Sha256Digest::of(bytes).to_string()), bytes).unwrap();
        json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(bytes), "size": bytes.len()})
    };
    put(&image.component);
    put(image.config.to_string().as_bytes());
    let index = json!({"schemaVersion": 2, "manifests": [put(image.manifest.to_string().as_bytes())]});
    place.file("layout/index.json", index.to_string().as_bytes());
    place.file("layout/oci-layout", br#"{"imageLayoutVersion": "1.0.0"}"#);
    let layout = place.path("layout");
    let fetched = place.fetch(&layout, &Request::default()).await.unwrap();
    assert_eq!(fetched.sha256(), Sha256Digest::of(&image.component));
    drop(fetched);
    let mut other = image.component.clone();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(blobs.join(Sha256Digest::of(&image.component).to_string()), other).unwrap();
    let error = place
        .fetch(&layout, &Request::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("its descriptor says"), "{error}");
    assert!(place.entries().is_empty());
}

#[tokio::test]
async fn nothing_outside_of_a_layout_is_read() {
    let bytes = component(1, 1000);
    for link in ["blobs", "blobs/sha256", "index.json", "the component"] {
        let place = Place::new();
        let layout = place.layout("layout", &bytes, &said("shelf", "1"));
        let name = match link {
            "the component" => format!("blobs/sha256/{}", Sha256Digest::of(&bytes)),
            name => name.to_owned(),
        };
        let aside = place.path("aside");
        std::fs::rename(layout.join(&name), &aside).unwrap();
        std::os::unix::fs::symlink(&aside, layout.join(&name)).unwrap();
        let error = place
            .fetch(&layout, &Request::default())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("link") || error.contains("Not a directory"),
            "{link}: {error}"
        );
        assert!(place.entries().is_empty());
    }
}

#[tokio::test]
async fn damage_to_any_byte_of_a_layout_never_gives_another_driver() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let bytes = component(1, 3000);
    let place = Place::new();
    let layout = place.layout("layout", &bytes, &said("shelf", "1"));
    let mut files = vec![layout.join("index.json"), layout.join("oci-layout")];
    files.extend(
        std::fs::read_dir(layout.join("blobs/sha256"))
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    let mut refused = 0;
    for round in 0..600 {
        let file = &files[random.usize(..files.len())];
        let whole = std::fs::read(file).unwrap();
        let mut damaged = whole.clone();
        let at = random.usize(..damaged.len());
        match random.u8(..3) {
            0 => damaged[at] ^= 1 << random.u8(..8),
            1 => damaged.truncate(at),
            _ => damaged.insert(at, random.u8(..)),
        }
        std::fs::write(file, &damaged).unwrap();
        match place.fetch(&layout, &Request::default()).await {
            Ok(fetched) => {
                assert_eq!(
                    fetched.sha256(),
                    Sha256Digest::of(&bytes),
                    "seed {seed}, round {round}"
                );
                // Only these two are known by no digest.
                assert!(
                    *file == files[0] || *file == files[1],
                    "seed {seed}, round {round}: {}",
                    file.display()
                );
            }
            Err(_) => refused += 1,
        }
        std::fs::write(file, &whole).unwrap();
    }
    assert!(refused > 300, "seed {seed}: {refused}");
    assert!(place.entries().is_empty());
}
