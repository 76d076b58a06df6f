//! A crate as its authors have it when they package it: a repository, with what their release scripts would have made.

use std::path::{Path, PathBuf};

use super::subjects::Subject;
use crate::Result;
use crate::acceptance::Bench;
use crate::acceptance::crates::{fetch, stub};
use crate::process::{run, shell};

/// A maintainer's configuration: what no manifest says.
const CONFIGURATION: &str =
    "[project]\norg = \"example\"\nmaintainer = \"Example <packages@example.org>\"\ntargets = [\"debian-12\"]\n";

/// A changelog such as release scripts write.
const CHANGELOG: &str = "placeholder (1.0-1) unstable; urgency=medium\n\n  * Release.\n\n -- Example <packages@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n";

/// The crate in a repository of its own below `directory`.
pub(super) fn project(bench: &Bench, directory: &Path, subject: &Subject) -> Result<PathBuf> {
    let project = directory.join(subject.label());
    let krate = project.join(subject.directory);
    run(&mut shell(r#"rm -rf "$1"; mkdir -p "$2""#, [&project, &krate]))?;
    for (path, text) in subject.files {
        let path = project.join(path);
        fs_err::create_dir_all(path.parent().unwrap_or(&project))?;
        fs_err::write(path, text)?;
    }
    if subject.files.is_empty() {
        let source = fetch(bench, &subject.krate)?;
        run(&mut shell(
            r#"cp -R "$2/." "$1"; rm -f "$1"/.cargo-ok "$1"/.cargo_vcs_info.json "$1"/rust-toolchain*; chmod -R u+rwX,go=rX "$1""#,
            [&krate, &source],
        ))?;
    }
    // Where the crate is not the repository, files lie beside it that only the repository has.
    let manifest: toml::Table = fs_err::read_to_string(krate.join("Cargo.toml"))?.parse()?;
    fs_err::write(project.join("packhouse.toml"), CONFIGURATION)?;
    fs_err::write(project.join(".gitignore"), "target/\n")?;
    // cargo puts what it makes below the workspace's root.
    let built = if subject.files.is_empty() { &krate } else { &project };
    for source in sources(&manifest, subject.variant) {
        place(bench, if source.starts_with("target/release/") { built } else { &krate }, &source)?;
    }
    run(&mut shell(
        r#"cd "$1"; git init -q -b main; git add -A
           export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
           git -c user.name=Example -c user.email=packages@example.org commit -q -m Release"#,
        [&project],
    ))?;
    Ok(project)
}

/// All files that the manifest's table names, and the programs that `$auto` stands for.
fn sources(manifest: &toml::Table, variant: Option<&str>) -> Vec<String> {
    let package = manifest.get("package");
    let table = package.and_then(|package| package.get("metadata")?.get("deb"));
    let variant = variant.and_then(|name| table?.get("variants")?.get(name));
    let text = |value: &toml::Value| value.as_str().map(str::to_owned);
    let mut sources = Vec::new();
    for table in [variant, table].into_iter().flatten() {
        for key in ["changelog", "triggers-file", "extended-description-file"] {
            sources.extend(table.get(key).and_then(text));
        }
        match table.get("license-file") {
            Some(toml::Value::Array(list)) => sources.extend(list.first().and_then(text)),
            Some(one) => sources.extend(text(one)),
            None => {}
        }
        for asset in table.get("assets").and_then(toml::Value::as_array).into_iter().flatten() {
            match asset {
                toml::Value::Array(list) => sources.extend(list.first().and_then(text)),
                toml::Value::Table(table) => sources.extend(table.get("source").and_then(text)),
                _ => {}
            }
        }
    }
    let bins = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    sources.extend(bins.filter_map(|bin| Some(format!("target/release/{}", bin.get("name")?.as_str()?))));
    // Another profile's programs are where that profile puts them.
    if let Some(profile) = table.and_then(|table| table.get("profile")?.as_str()) {
        let built: Vec<String> =
            sources.iter().filter(|source| source.starts_with("target/release/")).cloned().collect();
        sources.extend(built.iter().map(|source| source.replacen("release", profile, 1)));
    }
    sources
}

/// Makes a file that the crate does not bring: a program, a compressed page, a changelog, a text.
fn place(bench: &Bench, krate: &Path, source: &str) -> Result<()> {
    let path = krate.join(source);
    if path.exists() || source.contains(['*', '?', '[']) {
        return Ok(());
    }
    fs_err::create_dir_all(path.parent().unwrap_or(krate))?;
    let is_built = source.contains("target/") && !source.contains("target/debian/");
    if is_built && path.extension().is_none() {
        fs_err::copy(stub(bench)?, &path)?;
    } else if source.ends_with(".gz") {
        run(&mut shell(r#"printf '.TH PLACEHOLDER 1\n' | gzip -9n > "$1""#, [&path]))?;
    } else if source.ends_with("changelog") {
        fs_err::write(&path, CHANGELOG)?;
    } else {
        fs_err::write(&path, format!("placeholder for {source}\n"))?;
    }
    Ok(())
}
