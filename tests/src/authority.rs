//! A certificate authority of the tests: certificates and keys in PEM, for servers and clients.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in files.
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Authority {
    /// A new one of this name.
    ///
    /// # Panics
    /// Never, with names of tests.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Writes a certificate for an address, and its key: `NAME.crt` and `NAME.key`. The same name anew replaces them.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn issue(&self, folder: &Path, name: &str, address: &str) -> Identity {
        let mut params = CertificateParams::new(vec![address.to_owned()]).expect("a name");
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let identity = Identity {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        };
        std::fs::write(&identity.certificate, certificate.pem()).expect("the folder can be written");
        std::fs::write(&identity.key, key.serialize_pem()).expect("the folder can be written");
        identity
    }
}
