//! The catalog with a million backups: how long opening it, a page of a list, a count, a quota's use and a commit take, each
//! beside reading one record by its primary key in the same run.
//!
//! The records: half of them one project's, the rest of a thousand others; names that repeat, one in ten without; sizes of a
//! few hundred values; nine in ten `available`; every third one builds on the one before it. A page has 100 rows. Each figure
//! is the best of 25, except for opening, which is the first after a clean close with the file in the page cache.

use std::path::Path;
use std::time::{Duration, Instant};

use cofferdam_catalog::{
    BackupColumn, BackupId, BackupQuery, BackupRecord, BackupStatus, Catalog, Direction, Repository, Step,
    VolumeId,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Figure;

const RUNS: usize = 25;
const PAGE: u32 = 100;
/// Records of one commit while the catalog is filled.
const BATCH: u64 = 5000;
const GREAT_PROJECT: &str = "5f9d1f6f0d8c4f0c8a0d3b1f2e3d4c5b";

/// Fills a catalog and measures it.
pub(crate) async fn measure(scratch: &Path, rows: u64) -> anyhow::Result<Vec<Figure>> {
    let path = scratch.join("catalog.sqlite");
    let catalog = Catalog::open(&path).await?;
    let begin = Instant::now();
    let some = fill(&catalog, rows).await?;
    let filling = begin.elapsed();
    catalog.close().await;
    let begin = Instant::now();
    let catalog = Catalog::open(&path).await?;
    let opening = begin.elapsed();
    let bare = best(async || catalog.backup(some).await.map(drop)).await?;

    let mut figures = vec![
        plain(
            "records written, 5000 a commit",
            rows as f64 / filling.as_secs_f64(),
            "/s",
        ),
        plain(
            "size of the file",
            std::fs::metadata(&path)?.len() as f64 / f64::from(1 << 20),
            "MiB",
        ),
        plain("open", millis(opening), "ms"),
        plain("one record by its id", millis(bare), "ms"),
    ];
    let mut show = |what: String, span: Duration| {
        figures.push(Figure {
            what,
            value: millis(span),
            unit: "ms",
            limit: Some(("one record by its id".into(), millis(bare))),
        });
    };
    for project in [None, Some(GREAT_PROJECT)] {
        let whose = project.map_or("all", |_| "one project's");
        let all = BackupQuery {
            project: project.map(str::to_owned),
            limit: PAGE,
            ..BackupQuery::default()
        };
        let count = catalog.count_backups(&all).await?;
        show(
            format!("count, {whose}"),
            best(async || catalog.count_backups(&all).await.map(drop)).await?,
        );
        for column in [
            BackupColumn::CreatedAt,
            BackupColumn::Name,
            BackupColumn::Size,
            BackupColumn::Status,
        ] {
            for (place, offset) in [
                ("first page", 0),
                ("page in the middle", count / 2),
                ("last page", count.saturating_sub(u64::from(PAGE))),
            ] {
                let mut query = all.clone();
                query.sort = vec![(column, Direction::Descending)];
                query.offset = offset;
                let span = best(async || catalog.list_backups(&query).await.map(drop)).await?;
                show(format!("{whose} by {column:?}, {place} by offset"), span);
                let first = catalog.list_backups(&query).await?;
                query.marker = first.first().map(|record| record.id.0);
                query.offset = 0;
                let span = best(async || catalog.list_backups(&query).await.map(drop)).await?;
                show(format!("{whose} by {column:?}, {place} by marker"), span);
            }
        }
    }
    let thousand = BackupQuery {
        limit: 1000,
        ..BackupQuery::default()
    };
    show(
        "all by CreatedAt, a first page of 1000".into(),
        best(async || catalog.list_backups(&thousand).await.map(drop)).await?,
    );
    show(
        "what a project with half of the rows uses".into(),
        best(async || catalog.usage(GREAT_PROJECT).await.map(drop)).await?,
    );
    show(
        "a commit: one backup with its quota".into(),
        best(async || {
            let record = Box::new(record(rows, None, Timestamp::now()));
            let quotas = Some(cofferdam_catalog::Limits::NONE);
            catalog
                .commit(vec![Step::InsertBackup { record, quotas }])
                .await
                .map(drop)
        })
        .await?,
    );
    let begin = Instant::now();
    catalog.check_pages().await?;
    show("every page looked at, beside the service".into(), begin.elapsed());
    catalog.close().await;
    Ok(figures)
}

async fn fill(catalog: &Catalog, rows: u64) -> anyhow::Result<BackupId> {
    let start = Timestamp::from_second(1_700_000_000)?;
    let mut parent = None;
    let mut some = None;
    let mut steps = Vec::new();
    for number in 0..rows {
        let at = start + jiff::SignedDuration::from_millis(i64::try_from(number)? * 40);
        let record = record(number, parent, at);
        parent = (number % 3 == 0).then_some(record.id);
        if number == rows / 2 {
            some = Some(record.id);
        }
        steps.push(Step::InsertBackup {
            record: Box::new(record),
            quotas: None,
        });
        if steps.len() as u64 == BATCH || number + 1 == rows {
            catalog.commit(std::mem::take(&mut steps)).await?;
        }
    }
    some.ok_or_else(|| anyhow::anyhow!("no rows"))
}

fn record(number: u64, parent: Option<BackupId>, at: Timestamp) -> BackupRecord {
    let mut record = BackupRecord::new(BackupId(Uuid::new_v4()), VolumeId(Uuid::new_v4()), at);
    record.project_id = match number % 2 {
        0 => GREAT_PROJECT.into(),
        _ => format!("{:032x}", number % 1000),
    };
    record.status = match number % 10 {
        9 => BackupStatus::Error,
        _ => BackupStatus::Available,
    };
    // Only what is whole can be built on; the numbers are chosen so that a parent is never one in error.
    record.parent_id = parent.filter(|_| (number - 1) % 10 != 9);
    record.name = (number % 10 != 3).then(|| format!("nightly-{}", number % 5000));
    record.description = Some("the volume of a machine, as it was that night".into());
    record.backend = format!("backend-{}", number % 4);
    record.host = "host-1".into();
    record.volume_path = format!("/volumes/{number}");
    record.size_gib = 1 + number % 300;
    record.volume_bytes = record.size_gib << 30;
    record.container = Some("volumebackups".into());
    record.prefix = Some(format!("volume_{}/backup_{}", record.volume_id, record.id));
    record
        .metadata
        .insert("retention".into(), format!("{}d", number % 30));
    record.placed = true;
    record
}

async fn best<E: Into<anyhow::Error>>(work: impl AsyncFn() -> Result<(), E>) -> anyhow::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let begin = Instant::now();
        work().await.map_err(Into::into)?;
        best = best.min(begin.elapsed());
    }
    Ok(best)
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

fn plain(what: &str, value: f64, unit: &'static str) -> Figure {
    Figure {
        what: what.into(),
        value,
        unit,
        limit: None,
    }
}

/// The figures as a page of the results.
pub(crate) fn write(figures: &[Figure], rows: u64, path: &Path) -> anyhow::Result<()> {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "# The catalog with {rows} backups\n\n`./dev bench catalog {rows}`; what is measured and how is said in \
         `bench/src/catalog.rs`. {processors} processors, load {load} at the end.\n\n\
         | what | value | times one record by its id |\n|---|---:|---:|\n"
    );
    for figure in figures {
        let ratio = figure
            .limit
            .as_ref()
            .map_or_else(String::new, |(_, limit)| format!("{:.1}", figure.value / limit));
        text.push_str(&format!(
            "| {} | {:.2} {} | {ratio} |\n",
            figure.what, figure.value, figure.unit
        ));
    }
    std::fs::write(path, text)?;
    Ok(())
}
