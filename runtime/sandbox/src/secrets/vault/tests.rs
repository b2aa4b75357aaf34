use super::super::source::Source;
use super::*;

fn vault(values: &[(&str, &str)], reveal: &[&str]) -> Vault {
    let secret = |value: &str| Arc::new(Secret::new(Source::text(value)));
    Vault::new(
        values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), secret(value)))
            .collect(),
        reveal.iter().map(|name| (*name).to_owned()).collect(),
    )
}

#[tokio::test]
async fn signatures_are_those_of_the_standards() {
    let vault = vault(
        &[
            ("key", "Jefe"),
            ("aws", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        ],
        &[],
    );
    // RFC 2202 and RFC 4231, test case 2.
    let message = b"what do ya want for nothing?";
    let signed = vault
        .sign("key", Algorithm::HmacSha1, b"", message)
        .await
        .unwrap();
    assert_eq!(hex::encode(signed), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    let signed = vault
        .sign("key", Algorithm::HmacSha256, b"", message)
        .await
        .unwrap();
    assert_eq!(
        hex::encode(signed),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    // The first step of Amazon's own example of signature 4.
    let signed = vault
        .sign("aws", Algorithm::HmacSha256, b"AWS4", b"20150830")
        .await
        .unwrap();
    assert_eq!(
        hex::encode(signed),
        "0138c7a6cbd60aa727b2f653a522567439dfb9f3e72b21f9b25941a42f04a7cd"
    );
    let wrong = vault.sign("key", Algorithm::Rs256, b"", message).await;
    assert!(matches!(wrong, Err(SecretError::Unsuitable(_))));
    let unknown = vault.sign("other", Algorithm::HmacSha1, b"", message).await;
    assert!(matches!(unknown, Err(SecretError::Unknown(_))));
}

/// The key was made for this test by OpenSSL, and so was the signature.
#[tokio::test]
async fn an_rsa_key_signs_as_openssl_does_whichever_way_it_is_kept() {
    let vault = vault(
        &[
            ("pkcs8", include_str!("test-key.pem")),
            ("pkcs1", include_str!("test-key-pkcs1.pem")),
        ],
        &[],
    );
    let message = b"what do ya want for nothing?";
    for name in ["pkcs8", "pkcs1"] {
        let signed = vault.sign(name, Algorithm::Rs256, b"", message).await.unwrap();
        assert!(signed == include_bytes!("test-key.sig"), "{name}");
        let prefixed = vault.sign(name, Algorithm::Rs256, b"AWS4", message).await;
        assert!(matches!(prefixed, Err(SecretError::Unsuitable(_))));
    }
}

#[tokio::test]
async fn a_placeholder_becomes_the_value_in_its_encoding_and_only_that_one() {
    let vault = vault(&[("key", "p\"w &é")], &[]);
    assert!(!vault.has_placeholders());
    let mut text = String::from("begin ");
    for (encoding, prefix) in [
        (Encoding::Plain, ""),
        (Encoding::Json, ""),
        (Encoding::Percent, "a b="),
        (Encoding::Base64, "user:"),
    ] {
        let token = vault.placeholder("key", prefix.into(), encoding).unwrap();
        assert_eq!(token.len(), LENGTH);
        assert!(
            token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        );
        assert_eq!(token, vault.placeholder("key", prefix.into(), encoding).unwrap());
        text += &format!("{token}|");
    }
    text += "cofferdam-secret-00000000000000000000000000000000";
    let replaced = vault.replace(text.as_bytes()).await.unwrap().unwrap();
    assert_eq!(
        std::str::from_utf8(&replaced).unwrap(),
        "begin p\"w &é|p\\\"w &é|a%20b%3Dp%22w%20%26%C3%A9|dXNlcjpwIncgJsOp|cofferdam-secret-00000000000000000000000000000000"
    );
    assert_eq!(vault.replace(b"nothing").await.unwrap(), None);
    let digest = vault.sha256(text.as_bytes()).await.unwrap();
    assert_eq!(digest, Sha256::digest(&*replaced).to_vec());
}

#[tokio::test]
async fn a_value_is_revealed_only_with_the_grant() {
    let vault = vault(&[("key", "v1"), ("other", "v2")], &["other"]);
    let denied = vault.reveal("key").await;
    assert!(matches!(denied, Err(SecretError::Denied(text)) if text.contains("reveal = [\"key\"]")));
    assert_eq!(vault.reveal("other").await.unwrap(), "v2");
}

#[tokio::test]
async fn the_digest_of_a_key_is_of_its_bytes() {
    let vault = vault(&[("key", "aGVsbG8=")], &[]);
    assert_eq!(
        hex::encode(vault.md5("key", true).await.unwrap()),
        "5d41402abc4b2a76b9719d911017c592"
    );
    assert_ne!(
        vault.md5("key", false).await.unwrap(),
        vault.md5("key", true).await.unwrap()
    );
}

#[test]
fn placeholders_have_a_bound() {
    let vault = vault(&[("key", "v")], &[]);
    for number in 0..MOST {
        vault
            .placeholder("key", number.to_string(), Encoding::Plain)
            .unwrap();
    }
    assert!(vault.placeholder("key", "more".into(), Encoding::Plain).is_err());
}
