//! Messages to users.

use jiff::Timestamp;

use super::tools::{Shared, at, message};
use crate::{CatalogError, MessageQuery, Step};

pub(super) async fn messages_expire_and_are_swept(repository: Shared) {
    let far = at(1 << 36);
    let (living, over) = (message(1, far), message(2, at(3)));
    let steps = [&living, &over].map(|message| Step::Message(message.clone().into()));
    repository.commit(steps.to_vec()).await.unwrap();
    assert_eq!(repository.message(living.id).await.unwrap(), living);
    let expired = repository.message(over.id).await;
    assert!(matches!(expired, Err(CatalogError::NotFound(_))));
    let query = MessageQuery::default();
    let listed = repository.list_messages(&query).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&living));
    assert_eq!(repository.count_messages(&query).await.unwrap(), 1);
    let now = Timestamp::now();
    assert_eq!(repository.sweep_messages(now).await.unwrap(), 1);
    assert_eq!(repository.sweep_messages(now).await.unwrap(), 0);
    repository.delete_message(living.id).await.unwrap();
    let again = repository.delete_message(living.id).await;
    assert!(matches!(again, Err(CatalogError::NotFound(_))));
}
