//! Listings that a driver made up.

use std::sync::Mutex;

use async_trait::async_trait;
use cofferdam_sandbox::contract::{BodyInfo, BodyNeeds, ByteRange, ObjectAddress, ObjectInfo, Page};
use cofferdam_sandbox::stream::{Reader, Writer};
use cofferdam_sandbox::{Failure, Phase};
use cofferdam_transfer::{Location, ObjectStore, list_all};

/// Answers with these pages, one after the other, the last one for ever.
struct Pages(Mutex<Vec<Page>>);

fn nothing() -> Failure {
    Failure::Trap {
        phase: Phase::ListObjects,
        reason: "not part of this test".into(),
    }
}

#[async_trait]
impl ObjectStore for Pages {
    fn needs(&self) -> BodyNeeds {
        BodyNeeds::empty()
    }
    fn greatest_object(&self) -> Option<u64> {
        None
    }
    async fn create_container(&self, _: &str) -> Result<(), Failure> {
        Err(nothing())
    }
    async fn put_object(&self, _: ObjectAddress, _: Reader, _: BodyInfo) -> Result<(), Failure> {
        Err(nothing())
    }
    async fn get_object(&self, _: ObjectAddress, _: Option<ByteRange>, _: Writer) -> Result<u64, Failure> {
        Err(nothing())
    }
    async fn stat_object(&self, _: ObjectAddress) -> Result<ObjectInfo, Failure> {
        Err(nothing())
    }
    async fn delete_object(&self, _: ObjectAddress) -> Result<(), Failure> {
        Err(nothing())
    }
    async fn list_objects(&self, _: &str, _: &str, _: Option<String>, _: u32) -> Result<Page, Failure> {
        let mut pages = self.0.lock().unwrap();
        Ok(if pages.len() > 1 {
            pages.remove(0)
        } else {
            pages[0].clone()
        })
    }
}

fn page(names: &[&str], more: bool) -> Page {
    let objects = names
        .iter()
        .map(|name| ObjectInfo {
            name: (*name).to_owned(),
            size: 1,
        })
        .collect();
    Page { objects, more }
}

async fn list(pages: Vec<Page>) -> Result<Vec<String>, &'static str> {
    let location = Location {
        container: "c".into(),
        prefix: "p".into(),
    };
    let listed = list_all(&Pages(Mutex::new(pages)), &location, 2000).await;
    listed
        .map(|all| all.into_iter().map(|object| object.name).collect())
        .map_err(|error| error.code())
}

#[tokio::test]
async fn pages_are_put_together_and_foreign_names_left_out() {
    let pages = vec![page(&["a", "p1"], true), page(&["p2", "q"], false)];
    assert_eq!(list(pages).await.unwrap(), ["p1", "p2"]);
    assert_eq!(list(vec![page(&[], false)]).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn pages_that_lie_are_errors() {
    let long = "p".repeat(1025);
    let many: Vec<String> = (0..1001).map(|number| format!("p{number:05}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for pages in [
        vec![page(&["p2", "p1"], false)],
        vec![page(&["p1", "p1"], false)],
        vec![page(&["p1"], true)],
        vec![page(&["p1", "p2"], true), page(&["p2", "p3"], false)],
        vec![page(&[], true)],
        vec![page(&[&long], false)],
        vec![page(&many, false)],
    ] {
        assert_eq!(list(pages).await.unwrap_err(), "listing-invalid");
    }
}
