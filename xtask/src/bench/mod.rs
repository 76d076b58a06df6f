//! `cargo xtask bench`: packhouse and its peers in turn, in one run, on the same inputs; what was measured goes to
//! `docs/benchmarks.md`.
//!
//! Contestants are whole processes that alternate, so that a machine that slows down slows all of them; what counts is the
//! ratio. A contestant that fails is told on the page and the others still run. No figure is ever a test.

mod contests;
mod growth;
mod inputs;
mod limits;
mod measure;
mod page;
mod peers;
mod projects;
mod results;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{root, run as execute, say, shell};
use inputs::Inputs;
use results::{Results, Sample, Section};

/// What can be run alone, in the order of a whole run.
type Part = (&'static str, fn(&mut Bench) -> Result<()>);
const PARTS: [Part; 10] = [
    ("limits", limits::measure),
    ("tree", contests::tree::run),
    ("kinds", contests::kinds::run),
    ("memory", contests::memory::run),
    ("rust", contests::rust::run),
    ("python", contests::python::run),
    ("vendor", contests::python::vendor),
    ("services", contests::services::run),
    ("repo", contests::repo::run),
    ("growth", growth::run),
];

/// Runs the parts named, all by default, and writes the page. `--quick` is for trying: one run of each, on a tenth of the bytes.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let [word, name, directory] = arguments
        && word == "limit"
    {
        return limits::run(name, Path::new(directory));
    }
    let (options, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with("--"));
    let wrong = options.iter().find(|option| !matches!(option.as_str(), "--quick" | "--page" | "--no-compile"));
    let wrong = wrong.or_else(|| names.iter().find(|name| PARTS.iter().all(|part| part.0 != name.as_str())));
    if let Some(wrong) = wrong {
        let parts = PARTS.map(|part| part.0).join(" | ");
        return Err(format!("`{wrong}` is none of --quick | --page | --no-compile | {parts}").into());
    }
    let given = |option: &str| options.iter().any(|given| given.as_str() == option);
    let mut bench = Bench::new(given("--quick"))?;
    if !given("--page") && !given("--no-compile") {
        say("Building", "packhouse (release)");
        let arguments = ["build", "--release", "--locked", "--bin", "packhouse"];
        execute(Command::new("cargo").args(arguments).current_dir(root()))?;
    }
    let mut failed = Vec::new();
    for (name, part) in PARTS {
        let wanted = names.is_empty() || names.iter().any(|given| given.as_str() == name);
        if !wanted || given("--page") {
            continue;
        }
        if let Err(error) = part(&mut bench) {
            bench.fail(name, "all of it", error.as_ref());
        }
        failed.extend(bench.failures(name));
        bench.results.store()?;
        bench.write_page()?;
    }
    bench.write_page()?;
    say("Wrote", "docs/benchmarks.md");
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

/// A run.
struct Bench {
    /// `target/bench`.
    directory: PathBuf,
    packhouse: PathBuf,
    quick: bool,
    results: Results,
}

/// One who does a piece of work, again and again.
struct Contestant {
    name: String,
    /// At most so many rounds, for those that take long.
    rounds: usize,
    /// How often in each round, for those that are quick.
    repeats: usize,
    /// What is done before each run and not measured.
    prepare: Box<dyn FnMut() -> Result<()>>,
    command: Box<dyn Fn() -> Command>,
    /// The file, or the directory of files, whose bytes are the size of what was made.
    makes: Option<PathBuf>,
}

impl Contestant {
    fn new(name: impl Into<String>, command: impl Fn() -> Command + 'static) -> Self {
        let prepare = Box::new(|| Ok(()));
        Self { name: name.into(), rounds: usize::MAX, repeats: 1, prepare, command: Box::new(command), makes: None }
    }

    fn prepared(self, prepare: impl FnMut() -> Result<()> + 'static) -> Self {
        Self { prepare: Box::new(prepare), ..self }
    }

    fn makes(self, path: impl Into<PathBuf>) -> Self {
        Self { makes: Some(path.into()), ..self }
    }

    fn repeats(self, repeats: usize) -> Self {
        Self { repeats, ..self }
    }

    fn rounds(self, rounds: usize) -> Self {
        Self { rounds, ..self }
    }
}

impl Bench {
    fn new(quick: bool) -> Result<Self> {
        let directory = root().join("target/bench");
        fs_err::create_dir_all(directory.join("work"))?;
        let packhouse = root().join("target/release/packhouse");
        Ok(Self { directory, packhouse, quick, results: Results::load() })
    }

    /// The trees.
    fn inputs(&self) -> Result<Inputs> {
        let (name, divisor) = if self.quick { ("inputs-quick", 10) } else { ("inputs", 1) };
        let directory = self.directory.join(name);
        fs_err::create_dir_all(&directory)?;
        Ok(Inputs { directory, divisor })
    }

    /// Tells the page of an input.
    fn note_input(&mut self, name: &str, tree: &inputs::Tree) {
        self.results.inputs.insert(name.to_owned(), tree.input.clone());
    }

    /// A place for what contestants write.
    fn work(&self, name: &str) -> PathBuf {
        self.directory.join("work").join(name)
    }

    /// The program with a cache of this name.
    fn packhouse(&self, cache: &str) -> Command {
        let mut command = Command::new(&self.packhouse);
        command.env("PACKHOUSE_CACHE_DIR", self.work(cache));
        command
    }

    /// Forgets what a section said before.
    fn begin(&mut self, section: &str) -> Result<()> {
        let machine = machine()?;
        let quick = self.quick;
        self.results.sections.insert(section.to_owned(), Section { machine, quick, ..Section::default() });
        Ok(())
    }

    /// Lets the contestants run in turn, so many rounds. One that fails once runs no more.
    fn compete(&mut self, section: &str, rounds: usize, mut contestants: Vec<Contestant>) {
        let rounds = if self.quick { 1 } else { rounds };
        let mut failed: Vec<String> = Vec::new();
        for round in 0..rounds {
            for one in &mut contestants {
                if round >= one.rounds || failed.contains(&one.name) {
                    continue;
                }
                say("Measuring", &format!("{section}, round {} of {rounds}: {}", round + 1, one.name));
                for _ in 0..if self.quick { 1 } else { one.repeats } {
                    match self.measure(one) {
                        Ok(sample) => {
                            let samples = self.results.sections.entry(section.to_owned()).or_default();
                            samples.samples.entry(one.name.clone()).or_default().push(sample);
                        }
                        Err(error) => {
                            self.fail(section, &one.name, error.as_ref());
                            failed.push(one.name.clone());
                            break;
                        }
                    }
                }
            }
        }
    }

    fn measure(&self, one: &mut Contestant) -> Result<Sample> {
        (one.prepare)()?;
        // What others have written is not to be waited for.
        execute(&mut Command::new("sync"))?;
        let sample = measure::measure(&mut (one.command)(), &self.work("log"))?;
        let size = one.makes.as_deref().map_or(Ok(0), size_of)?;
        Ok(Sample { size, ..sample })
    }

    fn fail(&mut self, section: &str, who: &str, error: &dyn std::error::Error) {
        let text = measure::anonymous(&error.to_string());
        say("Failed", &format!("{section}, {who}: {text}"));
        let section = self.results.sections.entry(section.to_owned()).or_default();
        section.failures.insert(who.to_owned(), text);
    }

    fn failures(&self, section: &str) -> Vec<String> {
        let failures = self.results.sections.get(section).map(|section| &section.failures);
        failures.into_iter().flatten().map(|(who, why)| format!("{section}, {who}: {why}")).collect()
    }

    fn write_page(&self) -> Result<()> {
        Ok(fs_err::write(root().join("docs/benchmarks.md"), page::page(&self.results)?)?)
    }
}

/// What of a machine decides its speed, without its name.
fn machine() -> Result<String> {
    let script = r#"printf '%s, %s (%s cores), %s MiB of memory, kernel %s' "$(uname -m)" "$(awk -F': ' '/^model name/ {print $2; exit}' /proc/cpuinfo)" "$(nproc)" "$(awk '/MemTotal/ {print int($2/1024)}' /proc/meminfo)" "$(uname -r | cut -d- -f1)""#;
    execute(&mut shell(script, [""]))
}

/// How many things can be done at once.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// The bytes of a file, or of the packages in a directory.
fn size_of(path: &Path) -> Result<u64> {
    if path.is_file() {
        return Ok(fs_err::metadata(path)?.len());
    }
    let mut size = 0;
    for file in inputs::files(path)? {
        if file.extension().is_some_and(|extension| extension == "deb" || extension == "rpm") {
            size += fs_err::metadata(file)?.len();
        }
    }
    if size == 0 { Err("it made no package".into()) } else { Ok(size) }
}

/// Removes a file or directory that may be there.
fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
