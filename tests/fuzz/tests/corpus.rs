//! What fuzzing found stays mended: every file of the corpus through its target.

use std::collections::BTreeSet;
use std::path::Path;

use cofferdam_fuzz::TARGETS;

#[test]
fn every_file_of_the_corpus_goes_through_its_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let files = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .collect::<BTreeSet<_>>()
    };
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| corpus.join(name)).collect();
    assert_eq!(files(&corpus), targets, "a folder for each target, and no other");
    for (name, target) in TARGETS {
        let files = files(&corpus.join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            println!("{}", file.display()); // shown when the target panics
            target(&std::fs::read(file).unwrap());
        }
    }
}
