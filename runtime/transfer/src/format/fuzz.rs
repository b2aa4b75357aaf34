//! The control documents' doors for a fuzzer: any bytes; what decodes means the same when it is written and read again.

use super::{decode_metadata, decode_sha256file, encode_metadata, encode_sha256file};

/// Of the backup that a metadata document is read for.
const PREFIX: &str = "p";

/// The bytes are a `_metadata` document.
pub fn metadata(data: &[u8]) {
    let Ok(metadata) = decode_metadata("metadata", PREFIX, data) else {
        return;
    };
    let mut written = Vec::new();
    assert!(encode_metadata(&mut written, PREFIX, &metadata).is_ok());
    assert_eq!(
        decode_metadata("metadata", PREFIX, &written).ok(),
        Some(metadata.clone())
    );
    // One that covers a volume lies in it.
    if let Ok(bytes) = metadata.check_full() {
        assert_eq!(metadata.check_incremental(bytes, 1), Ok(()));
    }
    let _ = metadata.check_incremental(1 << 30, 32 << 10);
}

/// Eight bytes are the volume's size, the others a `_sha256file` document.
pub fn sha256file(data: &[u8]) {
    let Some((size, document)) = data.split_first_chunk() else {
        return;
    };
    let size = u64::from_le_bytes(*size);
    let Ok(file) = decode_sha256file("sha256file", document, size) else {
        return;
    };
    assert_eq!(file.digests.len(), size.div_ceil(u64::from(file.block_size)));
    let mut written = Vec::new();
    assert!(encode_sha256file(&mut written, &file).is_ok());
    assert_eq!(
        decode_sha256file("sha256file", written.as_slice(), size).ok(),
        Some(file)
    );
}
