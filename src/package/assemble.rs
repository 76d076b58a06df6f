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
    Changelog, DebianOnly, Error, Package, Staged, Version, built, changelog, directories, files, former, libraries,
    licenses, pages, relations, sbom, scripts, texts,
};
use crate::config::{Addition, RelationKind, ServiceSettings, Settings, TextSource};
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
    let service = settings.service_for(&member.name, target.format());
    let Staged {
        mut tree,
        commands,
        built,
        python,
        compile_on_install,
        mut components,
        linked,
        debug: _,
        isolation: _,
    } = staged;
    let directory = workspace.directory(member);
    let package = service.package_name(member);
    let prefix = install_path(package, &format!("/usr/lib/{}/{}", settings.project.org, member.name))?;
    let mut notes = Vec::new();
    if service.is_flat() && member.ecosystem == EcosystemKind::Python {
        return Err(Error::Text {
            package: package.to_string(),
            what: "layout = \"flat\"".to_owned(),
            problem: "is for programs that stand alone: a Python service needs a tree of its own",
        }
        .into());
    }
    let conflict = |conflict| Error::Conflict { package: package.to_string(), conflict };

    for (name, program) in &commands {
        let link = install_path(package, &format!("/usr/bin/{name}"))?;
        if link == *program {
            continue;
        }
        let to = link.relative_link_to(program);
        tree.symlink(link, to).map_err(conflict)?;
    }
    add_configuration(settings, package, &service, &directory, &mut tree)?;
    let owner = files::Owner { settings, package, service: &service, directory: &directory, built: Some(&built) };
    let places = files::install(owner, target, &mut tree, &mut notes)?;
    for conffile in &service.conffiles {
        mark_conffile(conffile, &mut tree);
    }

    let summary = summary(&service, member, settings);
    let mut names: Vec<String> = commands.iter().map(|(name, _)| name.clone()).collect();
    let mut programs = Vec::new();
    for (path, entry) in tree.iter().filter(|(path, _)| places.contains_key(path)) {
        let Some(content) = entry.content() else { continue };
        let is_made = built.values().any(|file| file.content.digests == content.digests);
        if is_made && crate::tree::elf::read(content).map_err(Error::Io)?.is_some() {
            let name = built::command(path).filter(|_| entry.mode & 0o111 != 0).map(str::to_owned);
            names.extend(name.filter(|name| !names.contains(name)));
            programs.push(path.clone());
        }
    }
    if !programs.is_empty() {
        for component in components.iter_mut().filter(|component| component.paths.is_empty()) {
            component.compiled_into.extend(programs.iter().cloned());
        }
    }
    let facts = ServiceFacts {
        member,
        package,
        lenient: service.dialect.is_some(),
        directory: &directory,
        prefix: &prefix,
        former: service.former_root.as_ref(),
        summary: &summary,
        commands: &names,
        python: python.is_some(),
    };
    let units = match &service.systemd {
        Some(systemd) => systemd::install(settings, systemd, &facts, target, &mut tree)?,
        None => Units::default(),
    };
    let needs = libraries_of(package, &service, target, &tree, &mut notes)?;
    components.sort_by(|left, right| left.purl.cmp(&right.purl));
    licenses::settle(settings, member, &mut components).map_err(Error::from)?;
    let license = licenses::own(settings, member);
    let license_text = texts::license(package, &service, &directory, settings)?;
    if service.adds(Addition::Licenses) {
        documents::install_notices(&mut tree, package, target.format(), &mut components)?;
    }
    let maintainer = settings.maintainer(&service);
    let copyright = documents::copyright(&Copyright {
        name: package,
        maintainer: maintainer.to_string(),
        holder: &maintainer.name,
        notice: service.copyright.as_deref(),
        homepage: settings.homepage(&service),
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
            maintainer,
            homepage: settings.homepage(&service),
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
    let mut add = |addition, path: &str, text: Vec<u8>, role| -> Result<(), Error> {
        // What the configuration brings itself is not replaced.
        let is_there = service.dialect.is_some() && tree.get(&install_path(package, path)?).is_some();
        if is_there || !service.adds(addition) { Ok(()) } else { add_text(&mut tree, package, path, text, role) }
    };
    add(Addition::Sbom, &format!("{documents}/{package}.cdx.json"), bill.into(), Role::Documentation)?;
    match target.format() {
        Format::Deb => {
            add(Addition::Copyright, &format!("{documents}/copyright"), copyright.into(), Role::Plain)?;
            let place = format!("{documents}/changelog.Debian.gz");
            let history = match &service.changelog_file {
                Some(file) => texts::changelog(settings, &directory, package, file)?,
                None => changelog::debian(&changelog, package, &target.distribution.suite).into_bytes(),
            };
            // A file that is named is wanted, whatever is added.
            if service.changelog_file.is_none() {
                add(Addition::Changelog, &place, gzip(&history).map_err(Error::Io)?, Role::Plain)?;
            } else if tree.get(&install_path(package, &place)?).is_none() {
                add_text(&mut tree, package, &place, gzip(&history).map_err(Error::Io)?, Role::Plain)?;
            }
            let overrides = documents::lintian_overrides(&Overrides {
                package,
                prefix: &prefix,
                tree: &tree,
                python: python.is_some(),
                vendored: needs.vendored,
                first: changelog.releases.len() == 1 && version.debian().ends_with("-1"),
            })?;
            if let Some(overrides) = overrides.filter(|_| service.adds(Addition::LintianOverrides)) {
                let path = format!("/usr/share/lintian/overrides/{package}");
                add_text(&mut tree, package, &path, overrides, Role::Plain)?;
            }
        }
        Format::Rpm => {
            let place = format!("/usr/share/licenses/{package}");
            add(Addition::Copyright, &format!("{place}/copyright"), copyright.into(), Role::License)?;
            if let Some(text) = license_text {
                add(Addition::Licenses, &format!("{place}/LICENSE"), text.into(), Role::License)?;
            }
        }
    }

    let removed_conffiles = removed_conffiles(target, &service, previous, &version, &tree);
    let compile = compile_on_install.zip(python);
    let own = scripts::read(&service.scripts, |source, what| {
        let text = texts::read(settings, &directory, package, source, what)?;
        Ok(former::rewritten(&text, service.former_root.as_ref(), &prefix))
    })?;
    let mut units = units;
    if service.adds(Addition::SystemdScripts) {
        units.ship(&tree, |unit| own.manage(unit)).map_err(Error::Io)?;
    }
    let mut actions = Actions { units, compile, removed_conffiles, ..Actions::default() };
    files::check(owner, &places, &prefix, &tree, &mut notes)?;
    files::ownership(owner, &places, target, &mut tree, &mut actions, &mut notes)?;
    let scripts = scripts::scripts(package.as_str(), target, &actions, &own)?;
    notes.extend(scripts.notes);
    let mut debian = debian_only(&service, target.format(), |source| {
        texts::read(settings, &directory, package, source, "the file of triggers")
    })?;
    (debian.config, debian.templates) = scripts.debconf;
    let mut scripts = scripts.scripts;
    scripts.without_interpreter_relation = service.scripts.requires_interpreter == Some(false);
    if target.format() == Format::Rpm && service.triggers.is_some() {
        notes.push(format!("{package}: the triggers are not in the RPM: rpm's are of another kind"));
    }
    let mut relations = relations::relations(relations::Facts {
        target,
        workspace,
        service: &service,
        actions: &actions,
        scripts: &scripts,
        asks: debian.config.is_some(),
        python,
        libraries: &needs.depends,
        components: &components,
        linked: &linked,
    });
    if service.adds(Addition::Relations) {
        files::recommend_readers(&tree, target.format(), &mut relations);
    }
    let owned_directories = directories::owned(&tree);
    let description = service.description.clone().unwrap_or_else(|| match service.is_flat() {
        true => format!("This package carries {package} with everything that it needs beside the system's C library."),
        false => format!(
            "This package carries everything that {package} needs beside the system's own interpreter and C library, in a \
             tree of its own: {prefix}."
        ),
    });
    let changelog = match &service.changelog_file {
        Some(file) => {
            let text = texts::changelog(settings, &directory, package, file)?;
            Changelog { releases: changelog::parse_debian(&String::from_utf8_lossy(&text)) }
        }
        None if service.adds(Addition::Changelog) => changelog,
        None => Changelog::default(),
    };
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
        maintainer: maintainer.clone(),
        vendor: service.vendor.clone().unwrap_or_else(|| maintainer.name.clone()),
        homepage: settings.homepage(&service).map(str::to_owned),
        license: licenses::of_package(&license, &components).to_string(),
        section: service.section.clone().unwrap_or_else(|| "misc".to_owned()),
        relations,
        scripts,
        debian,
        changelog,
        time,
        tree,
        owned_directories,
        build_ids: Vec::new(),
        notes,
    })
}

/// What the tree needs from the system's libraries. A table that was written for another tool is no reason to refuse a
/// library that nobody is known to provide: that tool would have said nothing.
fn libraries_of(
    package: &PackageName,
    service: &ServiceSettings,
    target: &Target,
    tree: &Tree,
    notes: &mut Vec<String>,
) -> Result<libraries::LibraryNeeds, Error> {
    let mut declared = service.relations.get(RelationKind::Depends, target);
    loop {
        let wanted = service.relates_to_libraries().then_some(declared.as_slice());
        match libraries::needs(package, tree, target, wanted) {
            Err(Error::UnknownLibrary { library, expected, file, .. })
                if service.dialect.is_some() && !declared.contains(&expected) =>
            {
                notes.push(format!(
                    "{file} needs {library}, which nothing in {target} is known to provide: no package is depended on for it"
                ));
                declared.push(expected);
            }
            needs => return needs,
        }
    }
}

/// What only a .deb has; nothing in an RPM.
fn debian_only(
    service: &ServiceSettings,
    format: Format,
    read: impl Fn(&TextSource) -> Result<String, Error>,
) -> Result<DebianOnly, Error> {
    if format != Format::Deb {
        return Ok(DebianOnly::default());
    }
    Ok(DebianOnly {
        priority: service.priority.clone(),
        multi_arch: service.multi_arch,
        fields: service.extra_fields.clone(),
        triggers: service.triggers.as_ref().map(read).transpose()?,
        without_md5sums: !service.adds(Addition::Md5sums),
        ..DebianOnly::default()
    })
}

/// An installed file that is configuration wherever it is.
fn mark_conffile(path: &InstallPath, tree: &mut Tree) {
    if let Some(entry) = tree.remove(path) {
        let role = if entry.content().is_some() { Role::Config } else { entry.role };
        // The path has just become free.
        drop(tree.insert(path.clone(), entry.with_role(role)));
    }
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
pub(super) fn configuration_path(settings: &Settings, file: &Path) -> String {
    let below = match file.strip_prefix("etc") {
        Ok(below) => below.to_string_lossy(),
        Err(_) => file.file_name().unwrap_or_default().to_string_lossy(),
    };
    format!("/etc/{}/{below}", settings.project.org)
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

/// gzip without name and time (`gzip -9n`), as Policy 12.7 wants documents.
pub(super) fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Write as _;
    let mut encoder = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
