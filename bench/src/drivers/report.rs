//! The results of `drivers`: tables for people, printed and kept in `bench/results/drivers.md`.

use std::fmt::Write as _;
use std::path::Path;

use super::cinder::Compared;
use super::{Notes, RUN_MIB, RUNS, Row};
use crate::results::{FOLDER, load};

pub(super) fn show(rows: &[Row], notes: &Notes, compared: &[Compared]) -> anyhow::Result<()> {
    let mut text = heading();
    text += "| server | driver | what | MiB/s | native | ratio | CPU ms/GiB | native | requests/object |\n\
             | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.0} | {:.0} | {:.2} | {} | {} | {} |",
            row.server,
            row.driver,
            row.what,
            row.ours,
            row.native,
            row.ours / row.native,
            number(row.our_cpu, 0),
            number(row.native_cpu, 0),
            number(row.requests, 1)
        );
    }
    text += "\n";
    for note in &notes.0 {
        let _ = writeln!(text, "{note}");
    }
    if !compared.is_empty() {
        text += "\nWhole backups of 512 MiB of noise in objects of 32 MiB, uncompressed, on the same Swift:\n\n\
                 | driver | what | MiB/s | Cinder | times Cinder |\n| --- | --- | ---: | ---: | ---: |\n";
    }
    for row in compared {
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {} | {} |",
            row.driver,
            row.what,
            row.ours,
            number(row.cinder, 0),
            number(row.cinder.map(|cinder| row.ours / cinder), 1)
        );
    }
    print!("{text}");
    std::fs::create_dir_all(FOLDER)?;
    std::fs::write(Path::new(FOLDER).join("drivers.md"), &text)?;
    println!("written: {FOLDER}/drivers.md");
    Ok(())
}

fn heading() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "Put and get through the sandbox, beside the same requests sent natively by hyper over one connection; the best of {RUNS} runs of \
         {RUN_MIB} MiB each, by turns. `sink` is a server in the same process that throws away and makes up; `Swift` is a real \
         one on the loopback. {processors} processors, load {} at the end.\n\n",
        load()
    )
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}
