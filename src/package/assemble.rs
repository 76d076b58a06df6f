//! Puts a package together from what an ecosystem staged and what the settings say.
//!
//! In this order: the private tree, links to its commands, configuration files, units, documents; then what follows from
//! all of these: relations, scripts, owned directories.

use std::collections::BTreeMap;
use std::path::Path;

use super::documents::{self, Copyright, Overrides};
use super::previous::{Previous, removed_conffiles};
use super::scripts::Actions;
use super::systemd::{self, ServiceFacts, Units};
use super::{
    Changelog, Error, Package, Staged, Version, changelog, directories, files, libraries, licenses, pages, relations,
    sbom, scripts,
};
use crate::config::{RelationKind, ServiceSettings, Settings};
use crate::name::PackageName;
use crate::target::{Format, Target};
use crate::tree::{Content, Entry, InstallPath, Node, Role, Tree};
use crate::workspace::{EcosystemKind, Member, Workspace};

/// All that a package is made from.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// The repository.
    pub workspace: &'a Workspace,
    /// The service.
    pub member: &'a Member,
    /// What it is built for.
    pub target: &'a Target,
    /// Its private tree.
    pub staged: Staged,
    /// Its version for this target.
    pub version: Version,
    /// Its history.
    pub changelog: Changelog,
    /// Seconds since 1970.
    pub time: i64,
}

/// What a build has learned of a package from elsewhere than its sources.
#[derive(Debug, Default)]
pub struct Learned {
    /// What its commands print for `--help`, by command.
    pub help: BTreeMap<String, String>,
    /// The version that was published last.
    pub previous: Option<Previous>,
}

/// Puts the package together from its sources alone.
pub fn assemble(inputs: Inputs<'_>) -> Result<Package, Error> {
    assemble_with(inputs, &Learned::default())
}

/// Puts the package together.
pub fn assemble_with(inputs: Inputs<'_>, learned: &Learned) -> Result<Package, Error> {
    assemble_asking(inputs, learned.previous.as_ref(), || Ok(learned.help.clone()))
}

/// Puts the package together; `help` is asked what the commands print as late as it can be, because it may have to wait for
/// them.
pub(crate) fn assemble_asking<E: From<Error>>(
    inputs: Inputs<'_>,
    previous: Option<&Previous>,
    help: impl FnOnce() -> Result<BTreeMap<String, String>, E>,
) -> Result<Package, E> {
    let Inputs { settings, workspace, member, target, staged, version, changelog, time } = inputs;
    let Staged { mut tree, commands, python, compile_on_install, mut components, linked, debug: _, isolation: _ } =
        staged;
    let service = settings.service(&member.name);
    let directory = workspace.directory(member);
    let package = &member.name;
    let prefix = install_path(package, &format!("/usr/lib/{}/{package}", settings.project.org))?;
    let conflict = |conflict| Error::Conflict { package: package.to_string(), conflict };

    for (name, program) in &commands {
        let link = install_path(package, &format!("/usr/bin/{name}"))?;
        let to = link.relative_link_to(program);
        tree.symlink(link, to).map_err(conflict)?;
    }
    add_configuration(settings, package, &service, &directory, &mut tree)?;
    let owner = files::Owner { settings, package, service: &service, directory: &directory };
    let places = files::install(owner, target, &mut tree)?;

    let summary = summary(&service, member, settings);
    let names: Vec<String> = commands.iter().map(|(name, _)| name.clone()).collect();
    let facts = ServiceFacts {
        member,
        directory: &directory,
        prefix: &prefix,
        summary: &summary,
        commands: &names,
        python: python.is_some(),
    };
    let units = match &service.systemd {
        Some(systemd) => systemd::install(settings, systemd, &facts, target, &mut tree)?,
        None => Units::default(),
    };
    let needs = libraries::needs(package, &tree, target, &service.relations.get(RelationKind::Depends, target))?;
    components.sort_by(|left, right| left.purl.cmp(&right.purl));
    licenses::settle(settings, member, &mut components).map_err(Error::from)?;
    let license = licenses::own(settings, member);
    let license_text = license_text(package, &directory, settings)?;
    documents::install_notices(&mut tree, package, target.format(), &mut components)?;
    let copyright = documents::copyright(&Copyright {
        name: package,
        maintainer: settings.project.maintainer.to_string(),
        holder: &settings.project.maintainer.name,
        homepage: settings.project.homepage.as_deref(),
        prefix: &prefix,
        tree: &tree,
        components: &components,
        license: &license,
        license_text: license_text.as_deref(),
        format: target.format(),
        year: jiff::Timestamp::from_second(time).map_or(1980, |time| time.to_zoned(jiff::tz::TimeZone::UTC).year()),
    })?;
    let architecture = needs.has_binaries.then_some(target.architecture);
    let bill = sbom::cyclonedx(
        &sbom::Subject {
            name: package,
            org: &settings.project.org,
            version: &version,
            target,
            architecture: match (architecture, target.format()) {
                (Some(one), format) => one.name(format),
                (None, Format::Deb) => "all",
                (None, Format::Rpm) => "noarch",
            },
            summary: &summary,
            maintainer: &settings.project.maintainer,
            homepage: settings.project.homepage.as_deref(),
            license: &license,
            time,
        },
        &components,
    )
    .map_err(Error::from)?;
    let facts = pages::Facts {
        settings,
        service: &service,
        package,
        directory: &directory,
        summary: &summary,
        version: &version,
        target,
        time,
        commands: &names,
    };
    pages::install(&facts, &help()?, &mut tree)?;
    let documents = format!("/usr/share/doc/{package}");
    add_text(&mut tree, package, &format!("{documents}/{package}.cdx.json"), bill, Role::Documentation)?;
    match target.format() {
        Format::Deb => {
            add_text(&mut tree, package, &format!("{documents}/copyright"), copyright, Role::Plain)?;
            let history = changelog::debian(&changelog, package, &target.distribution.suite);
            let compressed = gzip(history.as_bytes()).map_err(Error::Io)?;
            add_text(&mut tree, package, &format!("{documents}/changelog.Debian.gz"), compressed, Role::Plain)?;
            let overrides = documents::lintian_overrides(&Overrides {
                package,
                prefix: &prefix,
                tree: &tree,
                python: python.is_some(),
                vendored: needs.vendored,
                first: changelog.releases.len() == 1 && version.debian().ends_with("-1"),
            })?;
            if let Some(overrides) = overrides {
                let path = format!("/usr/share/lintian/overrides/{package}");
                add_text(&mut tree, package, &path, overrides, Role::Plain)?;
            }
        }
        Format::Rpm => {
            add_text(
                &mut tree,
                package,
                &format!("/usr/share/licenses/{package}/copyright"),
                copyright,
                Role::License,
            )?;
            if let Some(text) = license_text {
                add_text(&mut tree, package, &format!("/usr/share/licenses/{package}/LICENSE"), text, Role::License)?;
            }
        }
    }

    let removed_conffiles = removed_conffiles(target, &service, previous, &version, &tree);
    let compile = compile_on_install.zip(python);
    let mut actions = Actions { units, compile, removed_conffiles, ..Actions::default() };
    files::check(owner, &places, &prefix, &tree)?;
    files::ownership(owner, &places, target, &mut tree, &mut actions)?;
    let scripts = scripts::scripts(package.as_str(), target, &actions)?;
    let mut relations = relations::relations(relations::Facts {
        target,
        workspace,
        service: &service,
        actions: &actions,
        scripts: &scripts,
        python,
        libraries: &needs.depends,
        components: &components,
        linked: &linked,
    });
    files::recommend_readers(&tree, target.format(), &mut relations);
    let owned_directories = directories::owned(&tree);
    let description = service.description.clone().unwrap_or_else(|| {
        format!(
            "This package carries everything that {package} needs beside the system's own interpreter and C library, in a \
             tree of its own: {prefix}."
        )
    });
    Ok(Package {
        name: package.clone(),
        source: package.clone(),
        version,
        target: target.clone(),
        architecture,
        summary: match target.format() {
            Format::Deb => summary,
            Format::Rpm => capitalized(&summary),
        },
        description,
        maintainer: settings.project.maintainer.clone(),
        vendor: settings.project.maintainer.name.clone(),
        homepage: settings.project.homepage.clone(),
        license: licenses::of_package(&license, &components).to_string(),
        section: service.section.clone().unwrap_or_else(|| "misc".to_owned()),
        relations,
        scripts,
        changelog,
        time,
        tree,
        owned_directories,
        build_ids: Vec::new(),
    })
}

fn install_path(package: &PackageName, text: &str) -> Result<InstallPath, Error> {
    InstallPath::parse(text).map_err(|invalid| Error::Path { package: package.to_string(), invalid })
}

fn add_text(
    tree: &mut Tree,
    package: &PackageName,
    path: &str,
    text: impl Into<Vec<u8>>,
    role: Role,
) -> Result<(), Error> {
    let entry = Entry::root(Node::File(Content::bytes(text.into())), 0o644).with_role(role);
    tree.insert(install_path(package, path)?, entry)
        .map_err(|conflict| Error::Conflict { package: package.to_string(), conflict })
}

/// `etc/X` of the service becomes `/etc/<org>/X`; a file that is not below `etc/` goes there by its own name.
fn configuration_path(settings: &Settings, file: &Path) -> String {
    let below = match file.strip_prefix("etc") {
        Ok(below) => below.to_string_lossy(),
        Err(_) => file.file_name().unwrap_or_default().to_string_lossy(),
    };
    format!("/etc/{}/{below}", settings.project.org)
}

/// Makes sure that no two services install a file at one path outside their own trees: each package by itself would be
/// good, and dpkg and rpm would refuse the second.
pub fn check_shared_paths(settings: &Settings, workspace: &Workspace) -> Result<(), Error> {
    let mut owners: BTreeMap<String, &PackageName> = BTreeMap::new();
    for member in workspace.services() {
        let service = settings.service(&member.name);
        let configuration = service.config.iter().map(|file| configuration_path(settings, file));
        let units = service.systemd.iter().flat_map(|systemd| systemd::installed_paths(systemd, member.name.as_str()));
        let pages = pages::paths(&service, &workspace.directory(member));
        let commands = known_commands(&service, member).iter().map(|name| format!("/usr/bin/{name}"));
        for path in configuration.chain(units).chain(pages).chain(commands) {
            if let Some(other) = owners.insert(path.clone(), &member.name)
                && *other != member.name
            {
                return Err(Error::SharedPath { path, first: other.to_string(), second: member.name.to_string() });
            }
        }
    }
    files::check_shared(settings, workspace, &owners)
}

/// The commands that a service has for sure, before anything is built. Of Python's, only the settings' are: its tree may
/// bring others, and leave some of the manifest's out.
fn known_commands<'a>(service: &'a ServiceSettings, member: &'a Member) -> &'a [String] {
    match (&service.commands, member.ecosystem) {
        (Some(chosen), _) => chosen,
        (None, EcosystemKind::Rust) => &member.commands,
        (None, EcosystemKind::Python) => &[],
    }
}

fn add_configuration(
    settings: &Settings,
    package: &PackageName,
    service: &ServiceSettings,
    directory: &Path,
    tree: &mut Tree,
) -> Result<(), Error> {
    for file in &service.config {
        let source = directory.join(file);
        if !source.is_file() {
            return Err(Error::Missing {
                package: package.to_string(),
                what: "the configuration file",
                path: file.clone(),
            });
        }
        if !crate::config::value::stays_inside(&settings.root, &source) {
            return Err(Error::Text {
                package: package.to_string(),
                what: format!("the configuration file `{}`", file.display()),
                problem: "is a link that leads out of the repository",
            });
        }
        let path = install_path(package, &configuration_path(settings, file))?;
        let entry = Entry::root(Node::File(Content::file(&source)?), 0o644).with_role(Role::Config);
        tree.insert(path, entry).map_err(|conflict| Error::Conflict { package: package.to_string(), conflict })?;
    }
    Ok(())
}

/// One line, as Policy 3.4.1 wants it: no full stop, no article in front, at most 80 characters.
fn summary(service: &ServiceSettings, member: &Member, settings: &Settings) -> String {
    let text = service.summary.as_deref().or(member.summary.as_deref()).unwrap_or_default();
    let (package, org) = (member.name.as_str(), &settings.project.org);
    let line = synopsis(text, package);
    // Lintian takes neither one word for a synopsis (description-too-short) nor the package's name.
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', '/', '\\'], " ");
    match line.contains(' ') {
        true if plain(&line) != plain(package) => line,
        false if !line.is_empty() && line.len() <= 40 && plain(&line) != plain(package) => format!("{line} of {org}"),
        _ => format!("service {package} of {org}"),
    }
}

/// `text` as a synopsis; empty when nothing of it is left.
fn synopsis(text: &str, package: &str) -> String {
    // Lintian and rpmlint want neither the package's name in front nor more than 79 columns.
    const LONGEST: usize = 79;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line = line.as_str();
    let named = line.get(..package.len()).filter(|start| start.eq_ignore_ascii_case(package));
    if let Some(rest) = named.and_then(|start| line.strip_prefix(start))
        && let Some(rest) = rest.trim_start().strip_prefix([':', '-', '–', '—'])
        && rest.starts_with(' ')
    {
        line = rest.trim_start();
    }
    let mut articles = ["A ", "An ", "The ", "a ", "an ", "the "].iter();
    line = articles.find_map(|article| line.strip_prefix(article)).unwrap_or(line);
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        let cut = line.get(..end).unwrap_or(line);
        line = cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole);
    }
    line.trim_end_matches(['.', ',', ';', ':', ' ']).to_owned()
}

/// RPM's summaries begin with a capital letter; Debian's need not.
fn capitalized(summary: &str) -> String {
    let mut characters = summary.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// What the licence file of a project or of the whole repository is called.
pub(crate) const LICENSE_FILES: [&str; 5] = ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"];

/// The project's licence file: the service's own, else the repository's.
fn license_text(package: &PackageName, directory: &Path, settings: &Settings) -> Result<Option<String>, Error> {
    const LONGEST: u64 = 1024 * 1024;
    for directory in [directory, settings.root.as_path()] {
        for name in LICENSE_FILES {
            let path = directory.join(name);
            if path.is_file() {
                let what = format!("the licence file `{name}`");
                let refused = |problem| Err(Error::Text { package: package.to_string(), what, problem });
                if !crate::config::value::stays_inside(&settings.root, &path) {
                    return refused("is a link that leads out of the repository");
                }
                if path.metadata()?.len() > LONGEST {
                    return refused("is longer than a mebibyte, which no licence is");
                }
                return Ok(Some(String::from_utf8_lossy(&fs_err::read(path)?).into_owned()));
            }
        }
    }
    Ok(None)
}

/// gzip without name and time (`gzip -9n`), as Policy 12.7 wants documents.
pub(super) fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Write as _;
    let mut encoder = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
