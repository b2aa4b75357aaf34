//! The results of `transfer`: a table for people, the same in `bench/results/transfer.md`, and a plot beside it.

use std::fmt::Write as _;
use std::path::Path;

use crate::profile::Profile;
use crate::transfer::Row;

/// Where results are kept.
pub(crate) const FOLDER: &str = "bench/results";

/// Colours of the programs in the plot.
const COLOURS: [(&str, &str); 5] = [
    ("cofferdam", "#1f6f8b"),
    ("cinder", "#c8553d"),
    ("restic", "#8d99ae"),
    ("borg", "#b8b08d"),
    ("limit", "#d9d9d9"),
];

/// Prints the table and writes both files.
pub(crate) fn show(rows: &[Row], profiles: &[Profile], size_mib: usize) -> anyhow::Result<()> {
    let table = table(rows, size_mib) + &profile(profiles);
    print!("{table}");
    std::fs::create_dir_all(FOLDER)?;
    std::fs::write(Path::new(FOLDER).join("transfer.md"), &table)?;
    std::fs::write(Path::new(FOLDER).join("transfer.svg"), plot(rows, size_mib))?;
    println!("written: {FOLDER}/transfer.md, {FOLDER}/transfer.svg");
    Ok(())
}

/// The machine's load over the last minute.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

fn rate(row: &Row, size_mib: usize) -> f64 {
    size_mib as f64 / row.seconds.max(1e-9)
}

/// Cinder's time for the same over ours.
fn against(rows: &[Row], row: &Row) -> Option<f64> {
    let cinder = rows
        .iter()
        .find(|other| other.who == "cinder" && other.what == row.what && other.algorithm == row.algorithm)?;
    (row.who != "cinder").then(|| cinder.seconds / row.seconds)
}

fn table(rows: &[Row], size_mib: usize) -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "{size_mib} MiB: of every 8 MiB 4 noise, 2 text, 2 zeros; {processors} processors, load {} at the end.\n\n\
         | who | what | compression | s | MiB/s | peak MiB | times Cinder |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: |\n",
        load()
    );
    for row in rows {
        let peak = row.peak_mib.map_or_else(String::new, |peak| format!("{peak:.0}"));
        let times = against(rows, row).map_or_else(String::new, |times| format!("{times:.1}"));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.3} | {:.0} | {peak} | {times} |",
            row.who,
            row.what,
            row.algorithm,
            row.seconds,
            rate(row, size_mib)
        );
    }
    text
}

/// Where our own time went.
fn profile(profiles: &[Profile]) -> String {
    let mut text = "\nProcessor seconds by thread, of all processors together; what is missing to `s` times processors is waiting, \
                    or memory that the machine's host had to fetch:\n\n\
                    | what | compression | s | processor s | by thread |\n| --- | --- | ---: | ---: | --- |\n"
        .to_owned();
    for Profile {
        what,
        algorithm,
        wall,
        threads,
    } in profiles
    {
        let all: f64 = threads.iter().map(|(_, seconds)| seconds).sum();
        let threads: Vec<String> = threads
            .iter()
            .map(|(name, seconds)| format!("{name} {seconds:.2}"))
            .collect();
        let _ = writeln!(
            text,
            "| {what} | {algorithm} | {wall:.2} | {all:.2} | {} |",
            threads.join(", ")
        );
    }
    text
}

/// One bar for each row, as long as its rate.
fn plot(rows: &[Row], size_mib: usize) -> String {
    const LEFT: usize = 330;
    const WIDTH: f64 = 560.0;
    const LINE: usize = 18;
    let most = rows
        .iter()
        .filter(|row| row.who != "limit")
        .map(|row| rate(row, size_mib))
        .fold(1.0, f64::max);
    let height = (rows.len() + 2) * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<text x=\"4\" y=\"14\">MiB of volume a second, {size_mib} MiB (longer is better)</text>\n"
    );
    for (index, row) in rows.iter().enumerate() {
        let (y, rate) = ((index + 1) * LINE + 8, rate(row, size_mib));
        let colour = COLOURS
            .iter()
            .find(|(who, _)| *who == row.who)
            .map_or("#000", |(_, colour)| colour);
        let _ = writeln!(
            svg,
            "<text x=\"4\" y=\"{0}\">{1}: {2}, {3}</text><rect x=\"{LEFT}\" y=\"{y}\" width=\"{4:.0}\" \
             height=\"13\" fill=\"{colour}\"/><text x=\"{5:.0}\" y=\"{0}\">{rate:.0}</text>",
            y + 11,
            row.who,
            row.what,
            row.algorithm,
            (rate.min(most) / most * WIDTH).max(1.0),
            LEFT as f64 + (rate.min(most) / most * WIDTH).max(1.0) + 6.0
        );
    }
    svg + "</svg>\n"
}
