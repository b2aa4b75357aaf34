//! Incremental backups: what is stored, what comes back, and what is refused.

use std::path::Path;
use std::sync::Arc;

use cofferdam_transfer::{
    BackupPlan, Cancel, Control, Expected, Link, Location, Parent, Seals, TransferError, Verdict,
};

use crate::kit::{Random, Volume, backup, codes, location, plan};
use crate::store::MemoryStore;

/// A chain of backups of one volume, the oldest first, with the content that each holds.
struct Chain {
    store: Arc<MemoryStore>,
    volume: Volume,
    made: Vec<Made>,
}

struct Made {
    link: Link,
    content: Vec<u8>,
}

fn id(number: usize) -> String {
    format!("{number:08}-2222-2222-2222-222222222222")
}

fn at(number: usize) -> Location {
    Location {
        container: "c".into(),
        prefix: format!("volume_x/{number}/az_nova_backup_{}", id(number)),
    }
}

fn parent(made: &Made) -> Parent {
    Parent {
        backup_id: made.link.expected.backup_id.clone().unwrap(),
        location: made.link.location.clone(),
        bytes: made.content.len() as u64,
        seals: made.link.expected.seals.clone(),
    }
}

impl Chain {
    fn new(content: &[u8]) -> Self {
        Chain {
            store: Arc::default(),
            volume: Volume::new(content),
            made: Vec::new(),
        }
    }

    fn plan(&self, object_size: u64, block_size: u32, algorithm: &str) -> BackupPlan {
        let number = self.made.len() + 1;
        let mut plan = plan(object_size, block_size, algorithm);
        plan.backup_id = id(number);
        plan.placement.prefix = at(number).prefix;
        plan.parent = self.made.last().map(parent);
        plan
    }

    async fn make(&mut self, content: &[u8], plan: BackupPlan) -> Result<u64, TransferError> {
        std::fs::write(&self.volume.path, content).unwrap();
        let number = self.made.len() + 1;
        let outcome = backup(&self.store, &self.volume.path, plan).await?;
        self.made.push(Made {
            link: Link {
                location: at(number),
                expected: Expected {
                    bytes: Some(content.len() as u64),
                    backup_id: Some(id(number)),
                    seals: Some(outcome.seals),
                },
            },
            content: content.to_vec(),
        });
        Ok(outcome.object_count)
    }

    /// The backup of that number, counted from 0, and what it builds on.
    fn links(&self, number: usize) -> Vec<Link> {
        self.made[..=number]
            .iter()
            .rev()
            .map(|made| made.link.clone())
            .collect()
    }

    async fn restore(&self, links: &[Link]) -> Result<Vec<u8>, TransferError> {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let control = Control::default();
        let restored =
            cofferdam_transfer::restore(self.store.clone(), links, &target, false, control.clone());
        let outcome = restored.await?;
        assert_eq!(
            control.progress.snapshot().done,
            outcome.bytes,
            "each byte exactly once"
        );
        Ok(std::fs::read(&target).unwrap())
    }

    async fn verify(&self, links: &[Link]) -> Verdict {
        cofferdam_transfer::verify(self.store.clone(), links, Control::default()).await
    }
}

/// Some blocks become others; some become zeros.
fn change(random: &mut Random, content: &mut [u8], block: usize) {
    for _ in 0..random.below(4) {
        let from = random.below(content.len());
        let until = content.len().min(from + 1 + random.below(3 * block));
        let zeros = random.below(3) == 0;
        let bytes = random.bytes(until - from);
        content[from..until].copy_from_slice(&bytes);
        if zeros {
            content[from..until].fill(0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_generation_of_random_chains_comes_back() {
    let mut random = Random::new("chains");
    const CHAINS: usize = 40;
    let (mut restores, mut objects) = (0, 0);
    for round in 0..CHAINS {
        let block = [512, 4096, 5000][random.below(3)];
        let size = 1 + random.below(60_000);
        let mut content = random.mixed(size, 8000);
        let mut chain = Chain::new(&content);
        for _ in 0..1 + random.below(5) {
            let algorithm = ["none", "zlib", "zstd", "bz2"][random.below(4)];
            let plan = chain.plan((block * (1 + random.below(6))) as u64, block as u32, algorithm);
            objects += chain.make(&content, plan).await.unwrap();
            change(&mut random, &mut content, block);
        }
        for (number, made) in chain.made.iter().enumerate() {
            let links = chain.links(number);
            assert!(
                chain.restore(&links).await.unwrap() == made.content,
                "chain {round}"
            );
            let verdict = chain.verify(&links).await;
            assert_eq!(codes(&verdict), Vec::<&str>::new(), "chain {round}");
            restores += 1;
        }
    }
    println!("{CHAINS} chains, {objects} objects, {restores} restores, 0 bytes wrong");
}

#[tokio::test]
async fn only_changed_runs_are_stored_and_none_crosses_a_piece() {
    let mut content = vec![7_u8; 100_000];
    let mut chain = Chain::new(&content);
    let size = |chain: &Chain| {
        (
            chain.plan(32768, 4096, "none"),
            chain.store.objects.lock().unwrap().len(),
        )
    };
    let (full, _) = size(&chain);
    assert_eq!(chain.make(&content, full).await.unwrap(), 4);
    let (same, before) = size(&chain);
    assert_eq!(
        chain.make(&content, same).await.unwrap(),
        0,
        "nothing has changed"
    );
    assert_eq!(size(&chain).1, before + 2, "only the control objects");
    // Two runs that touch across a piece, and the last, short block.
    content[30_000] = 1;
    content[33_000] = 1;
    content[99_999] = 1;
    let (changed, _) = size(&chain);
    assert_eq!(chain.make(&content, changed).await.unwrap(), 3);
    let prefix = at(3).prefix;
    let length = |number: u32| {
        let objects = chain.store.objects.lock().unwrap();
        objects[&format!("{prefix}-{number:05}")].len()
    };
    assert_eq!([length(1), length(2), length(3)], [4096, 4096, 100_000 % 4096]);
    assert!(chain.restore(&chain.links(2)).await.unwrap() == content);
}

#[tokio::test]
async fn a_parent_that_does_not_fit_is_refused_before_anything_is_made() {
    let content = vec![7_u8; 50_000];
    let mut chain = Chain::new(&content);
    let full = chain.plan(8192, 4096, "none");
    chain.make(&content, full).await.unwrap();
    let before = chain.store.objects.lock().unwrap().len();
    let blocks = chain.plan(8192, 2048, "none");
    let error = chain.make(&content, blocks).await.unwrap_err();
    assert_eq!(error.code(), "incremental-impossible", "{error}");
    let grown = chain.plan(8192, 4096, "none");
    let error = chain.make(&[7; 50_001], grown).await.unwrap_err();
    assert!(error.to_string().contains("50000 bytes"), "{error}");
    let mut sealed = chain.plan(8192, 4096, "none");
    if let Some(parent) = &mut sealed.parent {
        parent.seals = Some(Seals {
            metadata: "0".repeat(64),
            sha256file: "0".repeat(64),
        });
    }
    let error = chain.make(&content, sealed).await.unwrap_err();
    assert_eq!(error.code(), "object-altered", "{error}");
    assert_eq!(chain.store.objects.lock().unwrap().len(), before);
}

#[tokio::test]
async fn a_chain_that_lacks_a_link_or_has_a_wrong_one_is_refused() {
    let mut random = Random::new("links");
    let mut content = random.mixed(40_000, 5000);
    let mut chain = Chain::new(&content);
    for _ in 0..3 {
        let plan = chain.plan(8192, 4096, "zlib");
        chain.make(&content, plan).await.unwrap();
        content[random.below(40_000)] ^= 1;
    }
    let whole = chain.links(2);
    for links in [
        vec![whole[0].clone()],
        vec![whole[0].clone(), whole[2].clone()],
        vec![whole[0].clone(), whole[1].clone()],
        vec![whole[1].clone(), whole[0].clone(), whole[2].clone()],
    ] {
        let error = chain.restore(&links).await.unwrap_err();
        assert_eq!(error.code(), "chain-broken", "{error}");
        assert_eq!(codes(&chain.verify(&links).await), ["chain-broken"]);
    }
    assert!(matches!(chain.verify(&whole).await, Verdict::Ok { .. }));
}

/// One damage; what was done, for people. Nothing when it changes nothing.
fn damage(store: &MemoryStore, random: &mut Random, names: &[String]) -> Option<String> {
    let name = &names[random.below(names.len())];
    let whole = store.objects.lock().unwrap()[name].clone();
    match random.below(8) {
        0 => {
            store.objects.lock().unwrap().remove(name);
            Some(format!("{name} removed"))
        }
        1 => {
            store.set(name, whole.slice(..random.below(whole.len())).to_vec());
            Some(format!("{name} cut off"))
        }
        2 => {
            let other = &names[random.below(names.len())];
            let theirs = store.objects.lock().unwrap()[other].clone();
            store.set(name, theirs.to_vec());
            store.set(other, whole.to_vec());
            (theirs != whole).then(|| format!("{name} and {other} swapped"))
        }
        3 => {
            let added = format!("{}-{:05}", at(1 + random.below(3)).prefix, 90 + random.below(9));
            store.set(&added, whole.to_vec());
            Some(format!("{added} added"))
        }
        _ => {
            let (mut bytes, bit) = (whole.to_vec(), random.below(whole.len() * 8));
            bytes[bit / 8] ^= 1 << (bit % 8);
            store.set(name, bytes);
            Some(format!("{name}, bit {bit} flipped"))
        }
    }
}

/// As many as COFFERDAM_DAMAGES says, 400 else.
#[tokio::test(flavor = "multi_thread")]
async fn every_damage_to_any_object_of_a_chain_is_detected() {
    let wanted = std::env::var("COFFERDAM_DAMAGES").ok();
    let wanted = wanted.and_then(|count| count.parse().ok()).unwrap_or(400_usize);
    let mut random = Random::new("damages");
    let (mut detected, mut idle, mut harmless) = (0, 0, 0);
    while detected + idle + harmless < wanted {
        let mut content = random.mixed(30_000, 4000);
        let mut chain = Chain::new(&content);
        for _ in 0..3 {
            let algorithm = ["none", "zlib", "zstd", "bz2"][random.below(4)];
            let plan = chain.plan(8192, 4096, algorithm);
            chain.make(&content, plan).await.unwrap();
            content[random.below(30_000)] ^= 1;
        }
        let links = chain.links(2);
        let sound = chain.store.objects.lock().unwrap().clone();
        let names: Vec<String> = sound.keys().cloned().collect();
        let needless = format!("{}_sha256file", at(1).prefix);
        for _ in 0..100 {
            let done = damage(&chain.store, &mut random, &names);
            let found = codes(&chain.verify(&links).await);
            let restored = chain.restore(&links).await;
            if let Some(done) = done {
                match restored {
                    Err(_) => {
                        assert!(!found.is_empty(), "{done}: not seen by verify");
                        detected += 1;
                    }
                    Ok(restored) => {
                        assert!(restored == chain.made[2].content, "{done}: restored silently");
                        assert!(found.is_empty(), "{done}: seen by verify only");
                        let parents =
                            |done: &str| done.starts_with(&needless) || done.contains(&at(2).prefix);
                        // The digests of what it builds on, a stretch of an older object that newer ones have, or
                        // a bit of a compressed stream that means nothing.
                        match parents(&done) || done.contains(&at(1).prefix) {
                            true => idle += 1,
                            false => harmless += 1,
                        }
                    }
                }
            }
            *chain.store.objects.lock().unwrap() = sound.clone();
        }
    }
    println!(
        "{detected} damages detected by verify and by restore, {idle} in older generations where this one needs nothing, \
         {harmless} that change no byte, 0 restored silently"
    );
    assert!(detected * 10 > wanted * 7 && harmless * 50 < wanted);
}

#[tokio::test]
async fn the_reference_child_comes_out_byte_for_byte() {
    use sha2::{Digest, Sha256};
    let mut chain = Chain::new(b"AAAABBBBCCCC");
    let full = plan(8, 4, "none");
    let first = chain.make(b"AAAABBBBCCCC", full).await;
    assert_eq!(first.unwrap(), 2);
    chain.made[0].link.location = location();
    chain.made[0].link.expected.backup_id = Some("22222222-2222-2222-2222-222222222222".into());
    let mut child = plan(8, 4, "none");
    child.backup_id = "33333333-3333-3333-3333-333333333333".into();
    (child.name, child.description) = (Some("incr".into()), Some("d".into()));
    child.created_at = "2024-01-03T03:04:05Z".parse().unwrap();
    child.volume_meta = None;
    child.placement.prefix = "volume_11111111-1111-1111-1111-111111111111/20240103030405/\
                              az_nova_backup_33333333-3333-3333-3333-333333333333"
        .into();
    child.parent = Some(parent(&chain.made[0]));
    let prefix = child.placement.prefix.clone();
    chain.make(b"AAAAXXXXYYYY", child).await.unwrap();
    let objects = chain.store.objects.lock().unwrap().clone();
    let sha256 = |end: &str| hex::encode(Sha256::digest(&objects[&format!("{prefix}{end}")]));
    assert_eq!(&objects[&format!("{prefix}-00001")][..], b"XXXX");
    assert_eq!(&objects[&format!("{prefix}-00002")][..], b"YYYY");
    assert_eq!(
        sha256("_metadata"),
        "93d08304a8f6c075e20616bd6eaa6c2304ce28c2f08a4173ac4e025adb0e1aa2"
    );
    assert_eq!(
        sha256("_sha256file"),
        "207d63c52030d080976dfbfabbbac435d64f29c157f22c2f5c6367f953fcebcb"
    );
}

#[tokio::test]
async fn an_incremental_backup_can_be_cancelled_while_it_looks_for_changes() {
    let content = vec![7_u8; 50_000];
    let mut chain = Chain::new(&content);
    let full = chain.plan(8192, 4096, "none");
    chain.make(&content, full).await.unwrap();
    let (cancel, plan) = (Cancel::new(), chain.plan(8192, 4096, "none"));
    cancel.cancel();
    let source = cofferdam_transfer::Source::open(Path::new(&chain.volume.path)).unwrap();
    let result = cofferdam_transfer::backup(
        chain.store.clone(),
        source,
        plan,
        Control {
            cancel,
            ..Control::default()
        },
    )
    .await;
    assert_eq!(result.unwrap_err().code(), "cancelled");
}
