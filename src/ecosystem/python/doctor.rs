//! What Python services need of the machine: uv to resolve with, interpreters to compile with, indexes that answer.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use url::Url;

use super::combine;
use super::host;
use super::indexes::{IndexKind, Indexes, Surroundings};
use super::interpreter::interpreter;
use super::provision::{self, VERSION};
use super::uv::Uv;
use crate::cache::Cache;
use crate::config::{self, DEFAULT_TARGETS};
use crate::diagnostic::Diagnose as _;
use crate::doctor::{Finding, Ground, install};
use crate::ecosystem::Context;
use crate::fetch::{self, Client};
use crate::sandbox::{Mode, Sandbox};
use crate::target::{PythonVersion, distributions, parse_target};
use crate::workspace::{EcosystemKind, Member};

/// The longest page that is read of an index that is only asked whether it answers.
const LONGEST_PAGE: u64 = 64 << 20;

pub(super) fn examine(ground: &Ground<'_>) -> Vec<Finding> {
    let services: Vec<&Member> = ground.project.map(services).unwrap_or_default();
    if ground.project.is_some() && services.is_empty() {
        return Vec::new();
    }
    let needed = !services.is_empty();
    let mut findings = vec![uv(ground.cache).unless(needed)];
    let mut wanted = BTreeMap::new();
    match ground.project {
        Some(context) => findings.extend(chosen(context, &services, &mut wanted)),
        None => {
            let targets = DEFAULT_TARGETS.iter().filter_map(|target| parse_target(target, &distributions()).ok());
            for target in targets {
                if let Some(python) = target.default_python() {
                    wanted.entry(python).or_insert_with(Vec::new).push(target.to_string());
                }
            }
        }
    }
    findings.extend(interpreters(&wanted).into_iter().map(|finding| finding.unless(needed)));
    if ground.network {
        findings.extend(indexes(ground, &services));
    }
    findings
}

fn services(context: Context<'_>) -> Vec<&Member> {
    context.workspace.services().filter(|service| service.ecosystem == EcosystemKind::Python).collect()
}

fn uv(cache: &Cache) -> Finding {
    let topic = "uv";
    let shown = |(major, minor, patch): (u64, u64, u64)| format!("{major}.{minor}.{patch}");
    match Uv::on_path() {
        Ok(uv) => {
            let version = uv.version().map(shown).unwrap_or_default();
            Finding::ok(topic, format!("{version}, {}", uv.program().display()))
        }
        Err(error) => match provision::in_cache(cache) {
            Some(program) => Finding::ok(topic, format!("{VERSION}, fetched before ({})", program.display())),
            None if crate::target::Architecture::host().is_some() => Finding::warning(
                topic,
                format!("{error}; `packhouse lock` fetches {VERSION} from the index"),
                "pip install uv",
            ),
            None => Finding::of(topic, &error),
        },
    }
}

/// The interpreter of each service for each target; what has none is a finding.
fn chosen(
    context: Context<'_>,
    services: &[&Member],
    wanted: &mut BTreeMap<PythonVersion, Vec<String>>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in services {
        let Ok(Some(project)) = combine::read(&context.workspace.directory(service)) else { continue };
        for target in &context.settings.project.targets {
            match interpreter(context, service, &project, target) {
                Ok(python) => {
                    let targets = wanted.entry(python).or_default();
                    if !targets.contains(&target.to_string()) {
                        targets.push(target.to_string());
                    }
                }
                Err(error) => findings.push(located(context, &error)),
            }
        }
    }
    findings
}

/// An error that is to be mended in a file, with the place.
fn located(context: Context<'_>, error: &super::interpreter::InterpreterError) -> Finding {
    let finding = Finding::of("python", error);
    let place = error.clues().iter().find_map(|clue| config::follow(&context.settings.root, None, clue));
    match place {
        Some(place) => {
            let (line, column) = place.line_and_column();
            let message = format!("{}:{line}:{column}: {}", place.path.display(), finding.message);
            Finding { message, ..finding }
        }
        None => finding,
    }
}

fn interpreters(wanted: &BTreeMap<PythonVersion, Vec<String>>) -> Vec<Finding> {
    let topic = "python";
    let sandbox = Sandbox::from_environment().or_else(|_| Sandbox::new(Mode::None));
    let Ok(sandbox) = sandbox else { return Vec::new() };
    let versions: Vec<PythonVersion> = wanted.keys().copied().collect();
    let mut findings: Vec<Finding> = wanted
        .iter()
        .map(|(version, targets)| match host::of_version(&sandbox, *version) {
            Ok(Some(found)) => {
                Finding::ok(topic, format!("{}, {} (for {})", found.full_version, found.path.display(), targets.join(", ")))
            }
            Ok(None) => {
                let message = format!(
                    "no CPython {version} (for {}): byte-code is made when a package is installed, and what has no wheel may \
                     not be built",
                    targets.join(", ")
                );
                Finding::warning(topic, message, format!("uv python install {version}"))
            }
            Err(error) => Finding::of(topic, &error),
        })
        .collect();
    if let Ok(None) = host::any(&sandbox, &versions) {
        let message = "no CPython of 3.9 or later: uv resolves with one, and packages are built with one";
        findings.push(Finding::problem(topic, message, install("python3", "python3")));
    }
    findings
}

/// Whether each index answers.
fn indexes(ground: &Ground<'_>, services: &[&Member]) -> Vec<Finding> {
    let topic = "index";
    let variable = |name: &str| std::env::var(name).ok();
    let around = Surroundings { variable: &variable, system: Path::new("/etc") };
    let read = |context: Context<'_>| {
        let project = |service: &&Member| combine::read(&context.workspace.directory(service)).ok().flatten();
        services.iter().filter_map(project).collect()
    };
    let projects: Vec<_> = ground.project.map(read).unwrap_or_default();
    let projects: Vec<_> = projects.iter().collect();
    let settings = ground.project.map(|context| context.settings.indexes.as_slice()).unwrap_or_default();
    let indexes = match Indexes::collect(settings, &projects, &around) {
        Ok(indexes) => indexes,
        Err(error) => return vec![Finding::of(topic, &error)],
    };
    let client = match indexes.client(false) {
        Ok(client) => client,
        Err(error) => return vec![Finding::of(topic, &error)],
    };
    let asked: Vec<(String, IndexKind)> = indexes.all().map(|index| (index.url.clone(), index.kind)).collect();
    let usual = || vec![(super::index::DEFAULT_INDEX.to_owned(), IndexKind::Simple)];
    let asked = if asked.is_empty() { usual() } else { asked };
    asked.iter().map(|(address, kind)| answers(&client, address, *kind)).collect()
}

fn answers(client: &Client, address: &str, kind: IndexKind) -> Finding {
    let topic = "index";
    let page = match kind {
        IndexKind::Simple => format!("{address}/packaging/"),
        IndexKind::Links => address.to_owned(),
    };
    let Ok(url) = Url::parse(&page) else {
        return Finding::problem(topic, format!("{address} is no URL"), "write it as https://host/path/simple");
    };
    if let Some(directory) = Url::parse(address).ok().filter(|url| url.scheme() == "file") {
        return match directory.to_file_path().is_ok_and(|path| path.exists()) {
            true => Finding::ok(topic, format!("{address} is there")),
            false => Finding::problem(topic, format!("{address} is not there"), "correct the path where it is named"),
        };
    }
    let start = Instant::now();
    match client.get_bytes(&url, LONGEST_PAGE, "text/html") {
        // An index that does not have this one answers as well.
        Ok(_) | Err(fetch::Error::Status { status: 404 | 410, .. }) => {
            Finding::ok(topic, format!("{address} answers after {} ms", start.elapsed().as_millis()))
        }
        Err(error) => Finding::of(topic, &error),
    }
}
