//! Lists against an oracle: the same records, filtered and sorted in memory by the plainest code there is.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use uuid::Uuid;

use super::oracle::{filled, sorted, value};
use super::tools::{Shared, at, backup, insert_snapshot, insert_volume, message, snapshot, volume};
use crate::{
    BackupColumn, BackupId, BackupQuery, CatalogError, Column, Comparison, Direction, Filter, ListQuery,
    MessageColumn, MessageQuery, SnapshotColumn, SnapshotQuery, Step, VolumeColumn, VolumeQuery,
};

const BOTH: [Direction; 2] = [Direction::Ascending, Direction::Descending];

/// A filter, which orders of the column's value to the filter's match it, and whether no value does.
type Case = (Filter<BackupColumn>, fn(Ordering) -> bool, bool);

async fn listed(repository: &Shared, query: &BackupQuery) -> Vec<BackupId> {
    let page = repository.list_backups(query).await.unwrap();
    page.iter().map(|record| record.id).collect()
}

async fn walked(repository: &Shared, mut query: BackupQuery) -> Vec<BackupId> {
    let mut all = Vec::new();
    loop {
        let page = listed(repository, &query).await;
        all.extend(&page);
        assert!(all.len() <= 1000, "{query:?} does not end");
        match page.last() {
            Some(last) => query.marker = Some(last.0),
            None => return all,
        }
    }
}

pub(super) async fn every_order_of_backups_is_the_oracles_and_markers_walk_it_once(repository: Shared) {
    let made = filled(&repository).await;
    let mut sorts = vec![Vec::new()];
    for &column in BackupColumn::ALL {
        for direction in BOTH {
            sorts.push(vec![(column, direction)]);
            sorts.push(vec![
                (column, direction),
                (BackupColumn::Size, direction.reversed()),
            ]);
            sorts.push(vec![(BackupColumn::Status, direction), (column, direction)]);
        }
    }
    for sort in sorts {
        let query = BackupQuery {
            sort,
            limit: 7,
            ..BackupQuery::default()
        };
        // Said here again: newest first by default, and ties by id in the direction of the first key.
        let mut order = query.sort.clone();
        if order.is_empty() {
            order.push((BackupColumn::CreatedAt, Direction::Descending));
        }
        order.push((BackupColumn::Id, order[0].1));
        let expected = sorted(&made, &order);
        assert_eq!(walked(&repository, query.clone()).await, expected, "{query:?}");
    }
    let marker = BackupQuery {
        marker: Some(Uuid::new_v4()),
        ..BackupQuery::default()
    };
    let unknown = repository.list_backups(&marker).await;
    assert!(matches!(unknown, Err(CatalogError::NotFound(_))));
}

pub(super) async fn offsets_cut_the_same_list(repository: Shared) {
    let made = filled(&repository).await;
    for (project, direction) in [
        (None, BOTH[0]),
        (None, BOTH[1]),
        (Some("p1"), BOTH[0]),
        (Some("p1"), BOTH[1]),
    ] {
        let mut query = BackupQuery {
            project: project.map(str::to_owned),
            sort: vec![(BackupColumn::Name, direction)],
            ..BackupQuery::default()
        };
        let all = sorted(&made, &query.order());
        let of_project = |id: &BackupId| {
            let record = made.iter().find(|record| record.id == *id).unwrap();
            project.is_none_or(|project| record.project_id == project)
        };
        let all: Vec<_> = all.into_iter().filter(of_project).collect();
        assert_eq!(
            repository.count_backups(&query).await.unwrap(),
            u64::try_from(all.len()).unwrap()
        );
        query.limit = 5;
        for offset in 0..all.len() + 3 {
            query.offset = u64::try_from(offset).unwrap();
            let expected: Vec<_> = all.iter().copied().skip(offset).take(5).collect();
            assert_eq!(listed(&repository, &query).await, expected, "{query:?}");
        }
        query.marker = all.get(3).map(|id| id.0);
        query.offset = 2;
        assert_eq!(listed(&repository, &query).await, all[6..11]);
        query.limit = 0;
        assert!(listed(&repository, &query).await.is_empty());
    }
}

pub(super) async fn every_filter_finds_what_the_oracle_finds(repository: Shared) {
    let made = filled(&repository).await;
    let example = &made[31];
    for &column in BackupColumn::ALL {
        let Some(padded) = value(example, column) else {
            continue;
        };
        let text = match column {
            BackupColumn::Size => example.size_gib.to_string(),
            BackupColumn::ObjectCount => example.object_count.to_string(),
            _ => padded.clone(),
        };
        let other = "2".to_owned();
        let filters: [Case; 7] = [
            (Filter::Equal(column, text.clone()), Ordering::is_eq, false),
            (Filter::NotEqual(column, text.clone()), Ordering::is_ne, true),
            (Filter::In(column, vec![text.clone()]), Ordering::is_eq, false),
            (
                Filter::Compare(column, Comparison::Gt, text.clone()),
                Ordering::is_gt,
                false,
            ),
            (
                Filter::Compare(column, Comparison::Gte, text.clone()),
                Ordering::is_ge,
                false,
            ),
            (
                Filter::Compare(column, Comparison::Lt, text.clone()),
                Ordering::is_lt,
                false,
            ),
            (
                Filter::Compare(column, Comparison::Lte, text.clone()),
                Ordering::is_le,
                false,
            ),
        ];
        for (filter, holds, without) in filters {
            let query = BackupQuery {
                filters: vec![filter],
                ..BackupQuery::default()
            };
            let matching: Vec<_> = made
                .iter()
                .filter(|record| value(record, column).map_or(without, |value| holds(value.cmp(&padded))))
                .cloned()
                .collect();
            assert_eq!(
                listed(&repository, &query).await,
                sorted(&matching, &query.order()),
                "{query:?}"
            );
            let count = u64::try_from(matching.len()).unwrap();
            assert_eq!(
                repository.count_backups(&query).await.unwrap(),
                count,
                "{query:?}"
            );
        }
        if column == BackupColumn::Size {
            let query = BackupQuery {
                filters: vec![Filter::In(column, vec![other, text])],
                ..BackupQuery::default()
            };
            let count = made
                .iter()
                .filter(|record| record.size_gib == 2 || record.size_gib == example.size_gib);
            assert_eq!(listed(&repository, &query).await.len(), count.count());
        }
    }
    let none = BackupQuery {
        filters: vec![Filter::In(BackupColumn::Name, Vec::new())],
        ..BackupQuery::default()
    };
    assert!(listed(&repository, &none).await.is_empty());
}

pub(super) async fn text_is_found_within_names_and_its_wildcards_are_letters(repository: Shared) {
    let names = [
        "100% sure",
        "1000 sure",
        "a_b",
        "axb",
        "back\\slash",
        "it's; DROP TABLE backups --",
    ];
    for (second, name) in (1..).zip(names) {
        let mut record = backup(second);
        record.name = Some(name.into());
        repository.insert(&record).await.unwrap();
    }
    let found = async |text: &str| {
        let query = BackupQuery {
            filters: vec![Filter::Like(BackupColumn::Name, text.into())],
            sort: vec![(BackupColumn::CreatedAt, Direction::Ascending)],
            ..BackupQuery::default()
        };
        let page = repository.list_backups(&query).await.unwrap();
        page.into_iter()
            .filter_map(|record| record.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("0% s").await, ["100% sure"]);
    assert_eq!(found("a_b").await, ["a_b"]);
    assert_eq!(found("k\\s").await, ["back\\slash"]);
    assert_eq!(found("'s; DROP TABLE").await.len(), 1);
    assert_eq!(found("SURE").await.len(), 2);
    assert_eq!(found("").await.len(), names.len());
    assert!(found("%").await.len() == 1 && found("nothing").await.is_empty());
}

pub(super) async fn metadata_are_found_by_key_and_value(repository: Shared) {
    let mut made = filled(&repository).await;
    let mut odd = backup(1);
    odd.metadata = BTreeMap::from([("k.$[\"'".into(), "\"v\\".into()), ("n".into(), "1".into())]);
    repository.insert(&odd).await.unwrap();
    made.push(odd.clone());
    let found = async |key: &str, value: &str| {
        let query = BackupQuery {
            filters: vec![Filter::Metadata(key.into(), value.into())],
            ..BackupQuery::default()
        };
        listed(&repository, &query).await
    };
    let expected = made
        .iter()
        .filter(|record| record.metadata.get("k").is_some_and(|value| value == "v1"));
    assert_eq!(found("k", "v1").await.len(), expected.count());
    assert_eq!(found("k.$[\"'", "\"v\\").await, [odd.id]);
    assert_eq!(found("n", "1").await, [odd.id]);
    assert!(found("k", "v").await.is_empty() && found("v1", "k").await.is_empty());
}

pub(super) async fn a_project_sees_its_own_and_no_markers_of_others(repository: Shared) {
    let made = filled(&repository).await;
    let mut query = BackupQuery {
        project: Some("p2".into()),
        limit: 4,
        ..BackupQuery::default()
    };
    let own: Vec<_> = made
        .iter()
        .filter(|record| record.project_id == "p2")
        .cloned()
        .collect();
    assert_eq!(
        walked(&repository, query.clone()).await,
        sorted(&own, &query.order())
    );
    let foreign = made.iter().find(|record| record.project_id == "p1").unwrap();
    query.marker = Some(foreign.id.0);
    let refused = repository.list_backups(&query).await;
    assert!(matches!(refused, Err(CatalogError::NotFound(_))));
}

pub(super) async fn values_that_mean_nothing_are_refused(repository: Shared) {
    let refused = async |query: BackupQuery| {
        let refused = repository.list_backups(&query).await;
        matches!(refused, Err(CatalogError::Invalid(_)))
    };
    let filter = |filter| BackupQuery {
        filters: vec![filter],
        ..BackupQuery::default()
    };
    assert!(refused(filter(Filter::Equal(BackupColumn::Size, "large".into()))).await);
    assert!(refused(filter(Filter::Equal(BackupColumn::CreatedAt, "yesterday".into()))).await);
    assert!(refused(filter(Filter::Like(BackupColumn::Name, "x".repeat(1 << 20)))).await);
    let many = vec![String::new(); 100_000];
    assert!(refused(filter(Filter::In(BackupColumn::Name, many))).await);
    let sort = vec![(BackupColumn::Name, Direction::Ascending); 100];
    assert!(
        refused(BackupQuery {
            sort,
            ..BackupQuery::default()
        })
        .await
    );
    let offset = BackupQuery {
        offset: u64::MAX,
        ..BackupQuery::default()
    };
    assert!(listed(&repository, &offset).await.is_empty());
    let metadata = MessageQuery {
        filters: vec![Filter::Metadata("k".into(), "v".into())],
        ..MessageQuery::default()
    };
    let messages = repository.list_messages(&metadata).await;
    assert!(matches!(messages, Err(CatalogError::Invalid(_))));
    assert!("password".parse::<BackupColumn>().is_err());
    assert_eq!("display_name".parse(), Ok(BackupColumn::Name));
    let nobodys = filter(Filter::Equal(BackupColumn::VolumeId, "no id".into()));
    assert!(listed(&repository, &nobodys).await.is_empty());
}

pub(super) async fn volumes_snapshots_and_messages_are_walked_once_in_every_order(repository: Shared) {
    let mut steps = Vec::new();
    for turn in 0..20 {
        let mut disk = volume(turn % 3);
        disk.name = (turn % 4 > 0).then(|| format!("n{}", turn % 4));
        disk.bootable = turn % 2 == 0;
        let mut kept = snapshot(disk.id, turn % 5);
        kept.name = disk.name.clone();
        let mut told = message(turn % 5, at(1 << 36));
        told.request_id = disk.name.clone();
        steps.extend([
            insert_volume(&disk, None),
            insert_snapshot(&kept, None),
            Step::Message(told.into()),
        ]);
    }
    repository.commit(steps).await.unwrap();

    /// Walks in pages of three and says whether that is the whole list, each row once.
    macro_rules! walk {
        ($column:ident, $query:ident, $list:ident, $id:expr) => {
            for &column in $column::ALL {
                for direction in BOTH {
                    let mut query: $query = ListQuery {
                        sort: vec![(column, direction)],
                        ..ListQuery::default()
                    };
                    let id = $id;
                    let whole: Vec<Uuid> = repository
                        .$list(&query)
                        .await
                        .unwrap()
                        .iter()
                        .map(id)
                        .collect();
                    query.limit = 3;
                    let mut walked = Vec::new();
                    loop {
                        let page = repository.$list(&query).await.unwrap();
                        walked.extend(page.iter().map(id));
                        query.marker = walked.last().copied();
                        if page.is_empty() || walked.len() > 20 {
                            break;
                        }
                    }
                    assert_eq!(whole.len(), 20);
                    assert_eq!(walked, whole, "{} {direction:?}", column.sql());
                }
            }
        };
    }
    walk!(
        VolumeColumn,
        VolumeQuery,
        list_volumes,
        |record: &crate::VolumeRecord| record.id.0
    );
    walk!(
        SnapshotColumn,
        SnapshotQuery,
        list_snapshots,
        |record: &crate::SnapshotRecord| record.id.0
    );
    walk!(
        MessageColumn,
        MessageQuery,
        list_messages,
        |record: &crate::MessageRecord| record.id
    );

    let bootable = VolumeQuery {
        filters: vec![Filter::Equal(VolumeColumn::Bootable, "True".into())],
        ..VolumeQuery::default()
    };
    assert_eq!(repository.count_volumes(&bootable).await.unwrap(), 10);
    let all = SnapshotQuery::default();
    assert_eq!(repository.count_snapshots(&all).await.unwrap(), 20);
}
