//! `docs/benchmarks.md`: the bars in one table, then each contest with all its figures, growth, limits, inputs and peers.

use std::fmt::Write as _;

use super::contests::{CONTESTS, Contest, Floor};
use super::results::{Results, Sample, Spread, ratios, sum};
use super::{cores, growth, limits};
use crate::Result;

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench`: contestants in turn in one run, whole processes, each figure min / median / max. Wall and CPU time \
(user and system) in seconds, peak memory of the largest process in MiB, size in MB (10⁶ bytes). The ratio is ours to theirs, each \
run against the run of the same round; what counts is the ratio, not the seconds of one machine.

Cold: an empty cache directory, inputs in the page cache for everybody. Warm: the cache that the run before has left. One small file \
changed: a line added to a small text file, another one for each run. Ours writes its packages durably (fsync); nothing is waited \
for in the peers' runs.
";

/// The page of all that is known.
pub(super) fn page(results: &Results) -> Result<String> {
    let mut page = HEAD.to_owned();
    machines(&mut page, results)?;
    summary(&mut page, results)?;
    for contest in CONTESTS {
        details(&mut page, results, contest)?;
    }
    trees(&mut page, results)?;
    services(&mut page, results)?;
    speed(&mut page, results)?;
    inputs(&mut page, results)?;
    peers(&mut page, results)?;
    Ok(page)
}

/// Sections that were measured on one machine are told together.
fn machines(page: &mut String, results: &Results) -> Result<()> {
    let mut machines: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, section) in &results.sections {
        match machines.iter_mut().find(|(machine, _)| *machine == section.machine) {
            Some((_, names)) => names.push(name),
            None => machines.push((&section.machine, vec![name])),
        }
    }
    for (machine, names) in &machines {
        let which = if machines.len() > 1 { format!(" ({})", names.join(", ")) } else { String::new() };
        writeln!(page, "\nMachine{which}: {machine}.")?;
    }
    let quick: Vec<&str> =
        results.sections.iter().filter(|(_, section)| section.quick).map(|(name, _)| name.as_str()).collect();
    if !quick.is_empty() {
        writeln!(
            page,
            "\nMeasured with `--quick`, one run each on a tenth of the bytes, good for nothing but trying: {}.",
            quick.join(", ")
        )?;
    }
    Ok(())
}

fn summary(page: &mut String, results: &Results) -> Result<()> {
    writeln!(page, "\n## The bars\n\n| work | against | bar | measured | |\n|---|---|---|---|---|")?;
    for contest in CONTESTS {
        let (ours, theirs) = runs(results, contest);
        for bar in contest.bars {
            let (measured, met) = match bar.judge(&ours, &theirs) {
                Some((spread, met)) => (short(spread), if met { "met" } else { "**not met**" }),
                None => ("—".to_owned(), "not measured"),
            };
            let against = contest.theirs.join(" and then ");
            writeln!(page, "| {} | {against} | {bar} | {measured} | {met} |", contest.title)?;
        }
    }
    Ok(())
}

/// Our runs and theirs, added up where there are several of them.
fn runs(results: &Results, contest: &Contest) -> (Vec<Sample>, Vec<Sample>) {
    let of = |name: &str| results.samples(contest.section, name);
    let theirs: Vec<&[Sample]> = contest.theirs.iter().map(|name| of(name)).collect();
    (of(contest.ours).to_vec(), sum(&theirs))
}

fn details(page: &mut String, results: &Results, contest: &Contest) -> Result<()> {
    let (ours, theirs) = runs(results, contest);
    let failures = results.sections.get(contest.section).map(|section| &section.failures);
    let failed = failures.into_iter().flatten().filter(|(who, _)| {
        [contest.ours, "all of it"].contains(&who.as_str()) || contest.theirs.contains(&who.as_str())
    });
    let failed: Vec<_> = failed.collect();
    if ours.is_empty() && failed.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n## {}\n", contest.title)?;
    for (who, why) in failed {
        writeln!(page, "Failed: {who}: {}\n", why.replace('\n', " / "))?;
    }
    writeln!(page, "| | runs | wall s | CPU s | peak MiB | MB |\n|---|---|---|---|---|---|")?;
    row(page, contest.ours, &ours)?;
    for name in contest.theirs {
        row(page, name, results.samples(contest.section, name))?;
    }
    let ratio = |figure: fn(&Sample) -> f64| ratios(&ours, &theirs, figure).map_or("—".to_owned(), short);
    if !theirs.is_empty() {
        let size = ratio(|run| run.size as f64);
        let (wall, cpu, peak) = (ratio(|run| run.wall), ratio(|run| run.cpu), ratio(|run| run.peak));
        writeln!(page, "| **ratio** | | {wall} | {cpu} | {peak} | {size} |")?;
    }
    for name in contest.parts {
        row(page, &format!("of ours, alone: {name}"), results.samples(contest.section, name))?;
    }
    let text = contest.floor.as_ref().and_then(|floor| floor_of(results, floor));
    if let Some(text) = text {
        writeln!(page, "\n{text}")?;
    }
    Ok(())
}

/// The least that the machine must take, in words.
fn floor_of(results: &Results, floor: &Floor) -> Option<String> {
    let input = results.inputs.get(floor.input)?;
    let mut seconds = 0.0;
    for limit in floor.limits {
        let speed = *results.limits.get(*limit)?;
        seconds += if *limit == "walk" {
            input.files as f64 / 1e3 / speed
        } else {
            input.bytes as f64 / 1e6 / speed / cores() as f64
        };
    }
    let names = floor.limits.join(", ");
    Some(format!("The machine's own speed at {names} ([below](#the-machines-limits)), on all cores: {seconds:.2} s."))
}

fn row(page: &mut String, name: &str, samples: &[Sample]) -> Result<()> {
    if samples.is_empty() {
        return Ok(writeln!(page, "| {name} | 0 | — | — | — | — |")?);
    }
    let cell = |figure: fn(&Sample) -> f64| Spread::of(samples.iter().map(figure)).map_or_else(String::new, short);
    let size =
        if samples.iter().all(|run| run.size == 0) { "—".to_owned() } else { cell(|run| run.size as f64 / 1e6) };
    let (wall, cpu, peak) = (cell(|run| run.wall), cell(|run| run.cpu), cell(|run| run.peak));
    Ok(writeln!(page, "| {name} | {} | {wall} | {cpu} | {peak} | {size} |", samples.len())?)
}

/// `min / median / max` in three figures each, or one when all are the same.
fn short(spread: Spread) -> String {
    let Spread { least, middle, greatest } = spread;
    let texts = [least, middle, greatest].map(figure);
    if texts.iter().all(|text| *text == texts[0]) { texts[0].clone() } else { texts.join(" / ") }
}

/// A number in three significant figures.
fn figure(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        size if size >= 0.1 => format!("{number:.3}"),
        _ => format!("{number:.4}"),
    }
}

fn median(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> Option<f64> {
    Some(Spread::of(samples.iter().map(figure))?.middle)
}

fn trees(page: &mut String, results: &Results) -> Result<()> {
    if !results.sections.contains_key("growth") {
        return Ok(());
    }
    writeln!(
        page,
        "\n## Growth with the size of the tree\n\nMedians; MB of tree per second of wall time, and peak memory.\n"
    )?;
    writeln!(page, "| work | MB | files | wall s | CPU s | MB/s | peak MiB |\n|---|---|---|---|---|---|---|")?;
    for name in [growth::DEB, growth::BOTH, growth::CHANGED, growth::UNCHANGED, growth::DPKG] {
        for size in growth::SIZES {
            let samples = results.samples("growth", &growth::at(name, size));
            let input = results.inputs.get(&format!("{size} MB"));
            let (Some(wall), Some(cpu), Some(peak), Some(input)) = (
                median(samples, |run| run.wall),
                median(samples, |run| run.cpu),
                median(samples, |run| run.peak),
                input,
            ) else {
                continue;
            };
            let (bytes, files) = (input.bytes as f64 / 1e6, input.files);
            let speed = figure(bytes / wall);
            let [bytes, wall, cpu, peak] = [bytes, wall, cpu, peak].map(figure);
            writeln!(page, "| {name} | {bytes} | {files} | {wall} | {cpu} | {speed} | {peak} |")?;
        }
    }
    let cores = cores() as f64;
    let speed = |name: &str| results.limits.get(name).map_or("—".to_owned(), |one| figure(one * cores));
    let (zstd, md5, sha256) = (speed("zstd-4"), speed("md5"), speed("sha256"));
    Ok(writeln!(page, "\nThe machine's limits, all cores, MB/s: zstd -4 {zstd}, MD5 {md5}, SHA-256 {sha256}.")?)
}

fn services(page: &mut String, results: &Results) -> Result<()> {
    let rows: Vec<_> = [growth::NO_OP, growth::ONE_CHANGED]
        .into_iter()
        .flat_map(|name| {
            growth::SERVICES.map(|count| (name, count, results.samples("growth", &growth::at(name, count))))
        })
        .filter(|(_, _, samples)| !samples.is_empty())
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n## Growth with the number of services\n\n`packhouse build` of all of them.\n")?;
    writeln!(page, "| | services | wall s | CPU s | peak MiB |\n|---|---|---|---|---|")?;
    for (name, count, samples) in rows {
        let cell = |figure: fn(&Sample) -> f64| Spread::of(samples.iter().map(figure)).map_or_else(String::new, short);
        let (wall, cpu, peak) = (cell(|run| run.wall), cell(|run| run.cpu), cell(|run| run.peak));
        writeln!(page, "| {name} | {count} | {wall} | {cpu} | {peak} |")?;
    }
    Ok(())
}

fn speed(page: &mut String, results: &Results) -> Result<()> {
    if results.limits.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "\n## The machine's limits\n\nOne core, over the files of the 300 MB tree, by the libraries that packhouse itself uses.\n\n\
         | | | MB/s |\n|---|---|---|"
    )?;
    for (name, text, _) in limits::LIMITS {
        let speed = results.limits.get(name).map_or("—".to_owned(), |speed| figure(*speed));
        writeln!(page, "| {name} | {text} | {speed} |")?;
    }
    Ok(())
}

fn inputs(page: &mut String, results: &Results) -> Result<()> {
    if results.inputs.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n## Inputs\n\n| input | files | MB | made of |\n|---|---|---|---|")?;
    for (name, input) in &results.inputs {
        let parts = input.parts.join("; ");
        writeln!(page, "| {name} | {} | {} | {parts} |", input.files, figure(input.bytes as f64 / 1e6))?;
    }
    Ok(())
}

fn peers(page: &mut String, results: &Results) -> Result<()> {
    if results.peers.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n## Peers\n")?;
    for (name, known) in &results.peers {
        match known {
            Ok(version) => writeln!(page, "- {name}: {version}")?,
            Err(reason) => writeln!(page, "- {name}: not measured: {reason}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::bench::results::Section;

    #[test]
    fn a_page_of_some_contests_has_their_figures_and_says_what_failed_and_what_was_not_measured() {
        let mut results = Results::default();
        assert!(page(&results).unwrap().contains("not measured"));
        let mut tree = Section { machine: "two cores".to_owned(), ..Section::default() };
        let run = |wall, size| Sample { wall, cpu: wall, peak: 10.0, size };
        tree.samples.insert("packhouse, .deb".to_owned(), vec![run(2.0, 50_000_000), run(2.5, 50_000_000)]);
        tree.samples.insert("dpkg-deb -Zxz".to_owned(), vec![run(50.0, 50_000_000)]);
        tree.failures.insert("packhouse, .deb xz".to_owned(), "no room".to_owned());
        results.sections.insert("tree".to_owned(), tree);
        results.peers.insert("fpm".to_owned(), Err("no gems here".to_owned()));
        let page = page(&results).unwrap();
        assert!(page.contains("wall time ≤ 0.08 of theirs | 0.0400 / 0.0450 / 0.0500 | met |"), "{page}");
        assert!(page.contains("Failed: packhouse, .deb xz: no room"), "{page}");
        assert!(page.contains("fpm: not measured: no gems here"), "{page}");
        assert!(page.contains("Machine: two cores."), "{page}");
    }

    #[test]
    fn figures_are_told_to_three_places() {
        let texts = [1234.5, 52.04, 1.2345, 0.12345, 0.0123].map(figure);
        assert_eq!(texts, ["1234", "52.0", "1.23", "0.123", "0.0123"]);
    }
}
