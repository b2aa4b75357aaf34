//! The causes, in one table: how each is brought about, what is read then, and how it is mended.

use std::path::{Path, PathBuf};

use cofferdam_tests::servers::Swift;

use crate::authority::{Authority, NAME, Validity};
use crate::front::{Front, Manner};
use crate::http::{ask, header};
use crate::{Section, quoted};

/// Where nobody is.
pub(crate) const NOWHERE: &str = "http://nobody.invalid";

/// The secret that is wrong.
const WRONG_KEY: &str = "nobody-may-see-8151";

/// Why a storage cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    NoName,
    Refused,
    BlackHole,
    Mute,
    NoTls,
    UnknownIssuer,
    OtherName,
    Expired,
    NotYetValid,
    NoCaFile,
    WrongKey,
    ReadOnly,
    NoContainer,
}

pub(crate) const CAUSES: [Cause; 13] = [
    Cause::NoName,
    Cause::Refused,
    Cause::BlackHole,
    Cause::Mute,
    Cause::NoTls,
    Cause::UnknownIssuer,
    Cause::OtherName,
    Cause::Expired,
    Cause::NotYetValid,
    Cause::NoCaFile,
    Cause::WrongKey,
    Cause::ReadOnly,
    Cause::NoContainer,
];

/// What a status then holds.
pub(crate) struct Reads {
    pub(crate) code: &'static str,
    /// A part of the message.
    pub(crate) words: &'static str,
}

impl Cause {
    /// The backend's, behind the driver's.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cause::NoName => "no-name",
            Cause::Refused => "refused",
            Cause::BlackHole => "black-hole",
            Cause::Mute => "mute",
            Cause::NoTls => "no-tls",
            Cause::UnknownIssuer => "unknown-issuer",
            Cause::OtherName => "other-name",
            Cause::Expired => "expired",
            Cause::NotYetValid => "not-yet-valid",
            Cause::NoCaFile => "no-ca-file",
            Cause::WrongKey => "wrong-key",
            Cause::ReadOnly => "read-only",
            Cause::NoContainer => "no-container",
        }
    }

    pub(crate) fn container(self) -> &'static str {
        match self {
            Cause::ReadOnly => "readable",
            Cause::NoContainer => "missing",
            _ => "volumebackups",
        }
    }

    pub(crate) fn reads(self, driver: &str) -> Reads {
        let is_s3 = driver == "s3";
        let (code, words) = match self {
            Cause::NoName => ("driver.unavailable", "its name cannot be resolved"),
            Cause::Refused => ("driver.unavailable", "nothing listens there"),
            Cause::BlackHole => ("driver.unavailable", "the connection was not made in time"),
            Cause::Mute => ("driver.unavailable", "it did not answer in time"),
            Cause::NoTls => ("driver.unavailable", "does it speak https"),
            Cause::UnknownIssuer => (
                "driver.unavailable",
                "its issuer is unknown; the backend's option for a file of CA certificates must name",
            ),
            Cause::OtherName => ("driver.unavailable", "its certificate is for another name"),
            Cause::Expired => ("driver.unavailable", "its certificate expired"),
            Cause::NotYetValid => ("driver.unavailable", "its certificate becomes valid in"),
            Cause::NoCaFile => ("host", "cannot be used"),
            Cause::WrongKey if is_s3 => ("driver.unauthorized", "is the secret access key right?"),
            Cause::WrongKey => ("driver.unauthorized", "refused the login (401)"),
            Cause::ReadOnly if is_s3 => ("driver.unauthorized", "can be seen, but not written to"),
            Cause::ReadOnly => (
                "driver.unauthorized",
                "cannot store the object .cofferdam-canary-",
            ),
            Cause::NoContainer if is_s3 => (
                "driver.unauthorized",
                "cannot make the bucket missing, which is missing",
            ),
            Cause::NoContainer => ("driver.unauthorized", "cannot make the container missing"),
        };
        Reads { code, words }
    }

    fn scheme(self) -> &'static str {
        match self {
            Cause::NoTls
            | Cause::UnknownIssuer
            | Cause::OtherName
            | Cause::Expired
            | Cause::NotYetValid
            | Cause::NoCaFile => "https",
            _ => "http",
        }
    }
}

/// What the causes are made of.
pub(crate) struct World {
    known: Authority,
    unknown: Authority,
    /// Holds the known authority's certificate.
    right_file: PathBuf,
    /// Holds it once all is mended; an unrelated one before.
    other_file: PathBuf,
    /// Is there once all is mended.
    missing_file: PathBuf,
    /// Holds the right key once all is mended.
    key_file: PathBuf,
    user: String,
    key: String,
}

impl World {
    pub(crate) fn new(swift: &Swift, folder: &Path) -> Self {
        let world = World {
            known: Authority::new("known"),
            unknown: Authority::new("unknown"),
            right_file: folder.join("right.pem"),
            other_file: folder.join("other.pem"),
            missing_file: folder.join("missing.pem"),
            key_file: folder.join("key"),
            user: swift.value("user").to_owned(),
            key: swift.value("key").to_owned(),
        };
        std::fs::write(&world.right_file, world.known.pem()).unwrap();
        std::fs::write(&world.other_file, world.unknown.pem()).unwrap();
        std::fs::write(&world.key_file, WRONG_KEY).unwrap();
        allow_reader(swift, "PUT", "x-container-read");
        world
    }

    pub(crate) fn section(&self, driver: &str, cause: Cause, front: &Front) -> String {
        let url = match cause {
            Cause::NoName => NOWHERE.to_owned(),
            _ => format!("{}://{NAME}:{}", cause.scheme(), front.port()),
        };
        let (user, key) = match cause {
            Cause::WrongKey => (self.user.as_str(), format!("{{ file = {:?} }}", self.key_file)),
            Cause::ReadOnly => ("test:reader", quoted("nobody-may-see-77aa")),
            _ => (self.user.as_str(), quoted(&self.key)),
        };
        let file = match cause {
            Cause::UnknownIssuer => &self.other_file,
            Cause::NoCaFile => &self.missing_file,
            _ => &self.right_file,
        };
        Section {
            driver,
            name: format!("{driver}-{}", cause.name()),
            url: &url,
            user,
            key,
            container: cause.container(),
            more: Section::ca_file(driver, file),
        }
        .text()
    }

    /// How its front behaves at first.
    pub(crate) fn bad(&self, cause: Cause) -> Manner {
        match cause {
            Cause::Refused => Manner::Closed,
            Cause::BlackHole => Manner::BlackHole,
            Cause::Mute => Manner::Mute,
            Cause::OtherName => Manner::Tls(self.known.acceptor("other.example", Validity::Now)),
            Cause::Expired => Manner::Tls(self.known.acceptor(NAME, Validity::Past)),
            Cause::NotYetValid => Manner::Tls(self.known.acceptor(NAME, Validity::Future)),
            Cause::UnknownIssuer | Cause::NoCaFile => self.good(cause),
            Cause::NoContainer => Manner::Answers(|head| {
                let path = head.split(' ').nth(1).unwrap_or_default();
                let is_container = path.trim_end_matches('/').ends_with("/missing");
                match head.split(' ').next() {
                    Some("HEAD") if is_container => Some("404 Not Found"),
                    Some("PUT") if is_container => Some("403 Forbidden"),
                    _ => None,
                }
            }),
            Cause::NoName | Cause::NoTls | Cause::WrongKey | Cause::ReadOnly => Manner::Open,
        }
    }

    /// How it behaves in the end.
    pub(crate) fn good(&self, cause: Cause) -> Manner {
        match cause.scheme() {
            "https" => Manner::Tls(self.known.acceptor(NAME, Validity::Now)),
            _ => Manner::Open,
        }
    }

    /// Mends what is not at the fronts.
    pub(crate) fn mend(&self, swift: &Swift) {
        for file in [&self.other_file, &self.missing_file] {
            std::fs::write(file, self.known.pem()).unwrap();
        }
        std::fs::write(&self.key_file, &self.key).unwrap();
        allow_reader(swift, "POST", "x-container-write");
    }
}

/// Makes or changes the container that the user `reader` may use in one way.
fn allow_reader(swift: &Swift, method: &str, way: &str) {
    let credentials = [
        ("x-storage-user", swift.value("user")),
        ("x-storage-pass", swift.value("key")),
    ];
    let answer = ask("GET", swift.value("auth_url"), &credentials);
    let container = format!(
        "{}/{}",
        header(&answer, "x-storage-url"),
        Cause::ReadOnly.container()
    );
    let token = header(&answer, "x-auth-token");
    ask(
        method,
        &container,
        &[("x-auth-token", token), (way, "test:reader")],
    );
}

/// Those of the secrets that stand in a text.
pub(crate) fn secrets_in(text: &str) -> Vec<&'static str> {
    [WRONG_KEY, "nobody-may-see-77aa"]
        .into_iter()
        .filter(|secret| text.contains(secret))
        .collect()
}
