//! The journal's door for a fuzzer: any bytes; what is believed is believed again, and so is what is written behind it.

use super::{Line, Opening, VERSION, read, sealed};
use crate::volume::Identity;

/// The bytes are a journal as they are; and their lines are, with right sums, those of one that is begun.
pub fn journal(data: &[u8]) {
    let opening = Opening {
        version: VERSION,
        backup: "b".into(),
        parent: None,
        container: "c".into(),
        prefix: "p".into(),
        object_size: 1 << 20,
        block_size: 1 << 15,
        algorithm: "zlib".into(),
        source: Identity::default(),
    };
    check(data, &opening);
    let Ok(first) = serde_json::to_vec(&opening) else {
        return;
    };
    let lines = data.split(|byte| *byte == b'\n').map(sealed);
    check(
        &lines.fold(sealed(&first), |all, line| [all, line].concat()),
        &opening,
    );
}

fn check(journal: &[u8], opening: &Opening) {
    let Ok((done, sound)) = read(journal, opening) else {
        return;
    };
    if done.is_empty() {
        return;
    }
    let sound = usize::try_from(sound).unwrap_or(usize::MAX);
    let mut longer = journal.get(..sound).unwrap_or_default().to_vec();
    for done in &done {
        let line = Line::write(done.number, &done.made, done.stored);
        longer.extend(sealed(&serde_json::to_vec(&line).unwrap_or_default()));
    }
    let again = read(longer.as_slice(), opening).ok();
    assert_eq!(again, Some(([&done[..], &done].concat(), longer.len() as u64)));
}
