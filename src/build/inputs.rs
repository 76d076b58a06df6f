//! All that a job's artefacts are made from, by name and digest.
//!
//! The languages tell their part ([`crate::ecosystem::Ecosystem::inputs`]); here are packhouse itself, the settings that
//! reach the service, the files that these name, history, the target, and what was published last. What cannot be told
//! is an error, and the job is then done.
//!
//! Values are known by what their `Debug` shows: all of it is their content, and a field that is added later counts from
//! its first day. [`named_files`] names every field of a service's settings, so that one which names files cannot be
//! forgotten.

use std::path::{Path, PathBuf};

use super::previous::{self, Published};
use super::{Options, Released};
use crate::config::{FileKind, FileSource, ProjectSettings, ServiceSettings, Settings, TextSource};
use crate::ecosystem::{self, Context};
use crate::fingerprint::{Files, Fingerprint};
use crate::format::{Effort, WriteOptions};
use crate::name::PackageName;
use crate::package::LICENSE_FILES;
use crate::target::{Architecture, Format, Target};
use crate::workspace::Member;

/// Changes with what is done between staging and writing, where nothing else does.
const EDITION: &str = "packhouse job 1";

/// Which files of the repository a build reads, and those that it makes there itself.
pub(super) fn files(context: Context<'_>, options: &Options<'_>) -> Files {
    let made = [Some(options.out.clone()), previous::local(context.settings)];
    Files::of(context.cache, &context.workspace.root, made.into_iter().flatten().collect())
}

/// What `service` is made from, for each of `targets`.
pub(super) fn of(
    context: Context<'_>,
    files: &Files,
    published: &Published,
    effort: Effort,
    service: &Member,
    targets: &[(&Target, &Released)],
) -> Result<Vec<Fingerprint>, ecosystem::Error> {
    let io = |error| Box::new(super::Error::Io(error)) as ecosystem::Error;
    let mut common = Fingerprint::default();
    common.text("how packages are made", EDITION);
    let program = std::env::current_exe().map_err(io)?;
    common.file_as("packhouse itself", files, &program).map_err(io)?;
    settings(context, service, &mut common);
    // What is found at these places in a package is refused.
    common.value("the places of the repository and the cache", &(&context.workspace.root, context.cache.root()));
    common.value("this machine's architecture", &Architecture::host());
    common.value("how packages are written", &WriteOptions { effort, ..WriteOptions::default() });
    let directory = context.workspace.directory(service);
    for path in files_of(context.settings, &service.name) {
        common.path(files, &directory.join(path)).map_err(io)?;
    }
    for directory in [directory.as_path(), context.settings.root.as_path()] {
        for name in LICENSE_FILES {
            common.path(files, &directory.join(name)).map_err(io)?;
        }
    }
    let chosen: Vec<&Target> = targets.iter().map(|(target, _)| *target).collect();
    let staged = ecosystem::of(service.ecosystem).inputs(context, service, &chosen, files)?;
    let mut all = Vec::new();
    for ((target, released), staged) in targets.iter().zip(staged) {
        let mut fingerprint = common.clone();
        fingerprint.add(staged);
        fingerprint.value("the target", target);
        if let Some(adopted) = context.settings.adopted.get(service.name.as_str()) {
            let what = format!("what {} says for other tools", service.manifest.display());
            fingerprint.value(what, &adopted.of(target.format()));
        }
        fingerprint.value("the version", &released.version);
        fingerprint.value("the time of the last change", &(released.time, &released.release));
        fingerprint.value("the changelog", &released.changelog);
        let named = context.settings.service_for(&service.name, target.format());
        let published = published.file(named.package_name(service).as_str(), target)?;
        fingerprint.value("what was published last", &published);
        if let Some(published) = published {
            fingerprint.file_as("the package that was published last", files, &published).map_err(io)?;
        }
        all.push(fingerprint);
    }
    Ok(all)
}

/// The settings that reach `service`.
fn settings(context: Context<'_>, service: &Member, fingerprint: &mut Fingerprint) {
    let Settings { root: _, project, indexes: _, services: _, adopted: _, distributions: _, licenses, repository: _ } =
        context.settings;
    let ProjectSettings { org, maintainer, homepage, license, targets: _, members: _, exclude: _, vendor, effort: _ } =
        project;
    fingerprint.value("[project]", &(org, maintainer, homepage, license, vendor));
    fingerprint.value("[licenses]", licenses);
    let bare = |member: &Member| Member { dependencies: Vec::new(), reason: String::new(), ..member.clone() };
    for member in std::iter::once(service).chain(context.workspace.closure(service)) {
        let name = &member.name;
        fingerprint.value(format!("[services.{name}]"), &context.settings.service(name));
        fingerprint.value(format!("what was found of {name}"), &bare(member));
    }
}

/// The files and directories, relative to the service's directory, that its settings name, for packages of any format.
pub(crate) fn files_of(settings: &Settings, name: &PackageName) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = [Format::Deb, Format::Rpm]
        .iter()
        .flat_map(|format| named_files(&settings.service_for(name, *format)))
        .collect();
    all.sort();
    all.dedup();
    all
}

fn named_files(settings: &ServiceSettings) -> Vec<PathBuf> {
    let ServiceSettings {
        path: _,
        kind: _,
        adopt: _,
        dialect: _,
        layout: _,
        package: _,
        maintainer: _,
        homepage: _,
        vendor: _,
        summary: _,
        description: _,
        license: _,
        license_file,
        copyright: _,
        section: _,
        priority: _,
        multi_arch: _,
        commands: _,
        config,
        conffiles: _,
        relations: _,
        library_relations: _,
        files,
        pages,
        removed_config: _,
        scripts,
        triggers,
        changelog_file,
        extra_fields: _,
        additions: _,
        check: _,
        version: _,
        revision: _,
        release_text: _,
        plain_revision: _,
        epoch: _,
        systemd,
        python: _,
        rust: _,
        read,
        origin: _,
    } = settings;
    let mut named = config.clone();
    named.extend(license_file.iter().map(|(file, _)| file.clone()));
    named.extend(scripts.files().cloned());
    named.extend(triggers.iter().filter_map(TextSource::file).cloned());
    named.extend(changelog_file.iter().chain(read).cloned());
    for entry in files {
        match &entry.kind {
            FileKind::File(FileSource::Path(path)) => named.push(path.clone()),
            FileKind::File(FileSource::Glob { base, .. }) => named.push(base.clone()),
            // Of what cargo makes its sources count; what others have put there instead is like any other file.
            FileKind::File(FileSource::Built { literal, .. } | FileSource::BuiltGlob { literal, .. }) => {
                named.extend(Some(literal).filter(|literal| !literal.as_os_str().is_empty()).cloned());
            }
            FileKind::Directory | FileKind::Symlink { .. } | FileKind::HardLink { .. } | FileKind::Ghost => {}
        }
    }
    for page in &pages.man {
        // Which pages there are follows from what is in the directory.
        let pattern = page.to_string_lossy().contains(['*', '?']);
        named.push(if pattern { page.parent().unwrap_or(Path::new("")).to_path_buf() } else { page.clone() });
    }
    named.extend(pages.completions.iter().map(|completion| completion.file.clone()));
    named.extend(systemd.iter().flat_map(|systemd| systemd.files()).map(|source| source.path.clone()));
    named
}
