//! Builds a service's programs from its vendored sources and makes its private tree of them.
//!
//! The repository is shown read-only at a fixed place, the toolchain too, cargo has a home of its own, and what is left of
//! the machine's paths is mapped away, so that the programs are the same wherever they are built. Where mounts are not
//! permitted the mapping alone does it, but for crates that keep `env!("CARGO_MANIFEST_DIR")`.
//!
//! The target directory is kept in packhouse's cache for each repository and toolchain. cargo judges by times whether a
//! file has changed, and times can be set back (`cp -p`, archives); what the repository's own packages left there is
//! therefore thrown away whenever a file of the repository has another size, time or inode change than at the last build.
//! Where nothing at all has changed, cargo is not asked (see [`super::kept`]).

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use cargo_metadata::Message;
use toml::{Table, Value};

use super::components;
use super::crates::listing;
use super::error::RustError;
use super::kept::{self, Built, keep};
use super::linkers;
use super::lockfile::Lock;
use super::made::{self, Places, profile_directory};
use super::project::{ManifestText, Project};
use super::targets::Selection;
use super::toolchain::Toolchain;
use super::{binary, debug, linked, vendor, wanted};
use crate::config::{FileSource, RustSettings};
use crate::digest::Sha256;
use crate::ecosystem::{Context, Error};
use crate::package::{self, BuiltFile, Component, DebugFile, Staged};
use crate::sandbox::{Bind, Sandbox, Step, Stream};
use crate::stamp::Stamp;
use crate::target::{Architecture, Target};
use crate::tree::{InstallPath, Tree};
use crate::variables;
use crate::workspace::Member;

/// Where a build step sees the repository, cargo's results, cargo's home and the toolchain.
const SOURCES: &str = "/packhouse/src";
const RESULTS: &str = "/packhouse/target";
const CARGO_HOME: &str = "/packhouse/cargo";
const TOOLCHAIN: &str = "/packhouse/rust";

pub(super) fn stage(context: Context<'_>, service: &Member, target: &Target, time: i64) -> Result<Staged, Error> {
    stage_or_say(context, service, target, time).map_err(|error| Box::new(error) as Error)
}

fn stage_or_say(context: Context<'_>, service: &Member, target: &Target, time: i64) -> Result<Staged, RustError> {
    let settings = context.settings.service_for(&service.name, target.format());
    let sources: Vec<&FileSource> = package::wanted(&settings, target).collect();
    if !wanted::calls_cargo(&settings, target) {
        return wanted::prebuilt(context, service, &settings, &sources);
    }
    if Architecture::host() != Some(target.architecture) {
        return Err(RustError::Architecture { service: service.name.to_string(), target: target.to_string() });
    }
    let project = Project::of(context.workspace, service)?;
    let lock = vendor::fitting_lock(context, service, &project)?;
    vendor::require(context, service, &project, &lock)?;
    let commands = wanted::commands(&settings, service, !sources.is_empty());
    let selection = Selection::of(context.workspace, &project, service, sources.iter().copied())?;
    let build = Build {
        context,
        service,
        settings: &settings.rust,
        record: match context.settings.adopted.contains_key(service.name.as_str()) {
            // Tables of two tools may ask for two builds, and neither is to push the other's record out.
            true => format!("{}.{:?}", service.name, target.format()),
            false => service.name.to_string(),
        },
        arguments: selection.arguments(&service.ecosystem_name, commands != Some(Vec::new())),
        sources,
        toolchain: Toolchain::of(&project)?,
        sandbox: Sandbox::from_environment()?,
        vendor: vendor::directory(context, &project),
        lock,
        linkers: linkers::programs(&project).into_iter().map(digest).collect::<io::Result<_>>()?,
        project,
        time,
    };
    let built = build.run()?;
    let components = build.components(&built)?;
    let wanted = commands.unwrap_or_else(|| built.programs.iter().map(|(name, _)| name.clone()).collect());
    let prefix = match settings.is_flat() {
        true => "/usr/bin".to_owned(),
        false => format!("/usr/lib/{}/{}/bin", context.settings.project.org, service.name),
    };
    let linked = linked::linked(Path::new("/"), &build.toolchain.rustc, &target.distribution)?;
    let mut staged = Staged { components, linked, isolation: vec![built.isolation], ..Staged::default() };
    let mut tree = Tree::new();
    for command in wanted {
        let program = built.programs.iter().find(|(name, _)| *name == command);
        let (_, program) = program.ok_or_else(|| RustError::NoCommand {
            service: service.name.to_string(),
            command: command.clone(),
            built: built.programs.iter().map(|(name, _)| name.clone()).collect(),
        })?;
        let path = InstallPath::parse(&format!("{prefix}/{command}"))?;
        let data = build.program(&command, fs_err::read(program)?, Some(&path), target, &mut staged)?;
        tree.file(path.clone(), keep(context.cache, &data)?, 0o755)?;
        staged.commands.push((command, path));
    }
    staged.tree = tree;
    for (path, place) in &built.wanted {
        let mut data = fs_err::read(place)?;
        if data.starts_with(b"\x7fELF") {
            let installed = package::built_place(&settings, target, path);
            data = build.program(&path.display().to_string(), data, installed.as_ref(), target, &mut staged)?;
        }
        let executable = made::is_executable(place)?;
        staged.built.insert(path.clone(), BuiltFile { content: keep(context.cache, &data)?, executable });
    }
    let programs: Vec<InstallPath> = staged.commands.iter().map(|(_, path)| path.clone()).collect();
    components::compiled_into(&mut staged.components, &programs);
    Ok(staged)
}

/// That `data` is a program which runs on `target`.
fn judge(command: &str, data: &[u8], target: &Target) -> Result<(), RustError> {
    let wrong = |why: String| RustError::Binary { command: command.to_owned(), target: target.to_string(), why };
    let needs = binary::needs(data).map_err(|error| wrong(error.to_string()))?;
    if needs.architecture != Some(target.architecture) {
        return Err(wrong("it is made for another architecture".to_owned()));
    }
    match needs.glibc {
        Some((version, symbol)) if version > target.distribution.glibc => Err(RustError::Glibc {
            command: command.to_owned(),
            symbol,
            target: target.to_string(),
            glibc: target.distribution.glibc,
        }),
        _ => Ok(()),
    }
}

/// One run of cargo.
struct Build<'a> {
    context: Context<'a>,
    service: &'a Member,
    settings: &'a RustSettings,
    /// Under which name the last build is remembered.
    record: String,
    /// What cargo is to make.
    arguments: Vec<String>,
    /// What is looked for afterwards.
    sources: Vec<&'a FileSource>,
    project: Project,
    lock: Lock,
    vendor: PathBuf,
    toolchain: Toolchain,
    /// The programs that link and compile C.
    linkers: Vec<(PathBuf, Sha256)>,
    sandbox: Sandbox,
    time: i64,
}

fn digest(program: PathBuf) -> io::Result<(PathBuf, Sha256)> {
    let (sha256, _) = Sha256::of_reader(&mut fs_err::File::open(&program)?)?;
    Ok((program, sha256))
}

impl Build<'_> {
    fn run(&self) -> Result<Built, RustError> {
        let _guard = self.context.cache.lock("cargo-build")?;
        let section = self.section();
        let (results, home) = (section.join("target"), section.join("cargo"));
        self.context.cache.directory(&results)?;
        self.context.cache.directory(&home)?;
        self.context.cache.used(&section);
        let listing = self.listing()?;
        let mut binds = vec![
            Bind::read_only(&self.project.repository, SOURCES),
            Bind::writable(&results, RESULTS),
            Bind::writable(&home, CARGO_HOME),
        ];
        if !self.toolchain.sysroot.starts_with("/usr") {
            binds.push(Bind::read_only(&self.toolchain.sysroot, TOOLCHAIN));
        }
        let configuration = home.join("packhouse.toml");
        let settings = self.configuration(&binds)?.to_string();
        let step = self.step(&binds, &results, &home, &configuration);
        let key = self.key(&listing, &settings, &step)?;
        if let Some(built) = kept::get(&section, &self.record, key) {
            self.context.reporter.detail(&format!("cargo has nothing to do for {}", self.service.name));
            return Ok(built);
        }
        fs_err::write(&configuration, settings)?;
        self.forget_own_packages(&section, &listing)?;
        let mut built = Built::default();
        let mut messages = Lines::default();
        let mut diagnostics = Lines::default();
        let outcome = self.sandbox.run_with(&step, &mut |stream, bytes| match stream {
            Stream::Stdout => messages.feed(bytes, &mut |line| self.take(line, &binds, &mut built)),
            Stream::Stderr => diagnostics.feed(bytes, &mut |line| self.context.reporter.detail(line)),
        })?;
        messages.end(&mut |line| self.take(line, &binds, &mut built));
        if !outcome.status.success() {
            let stderr = String::from_utf8_lossy(&outcome.stderr);
            let lines: Vec<&str> = stderr.lines().collect();
            let last = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
            return Err(RustError::Cargo {
                command: "build".to_owned(),
                service: self.service.name.to_string(),
                status: outcome.status.to_string(),
                stderr: last.join("\n"),
            });
        }
        built.isolation = outcome.isolation;
        let profile = self.settings.profile.as_deref().unwrap_or("release");
        let profile = results.join(&self.toolchain.host).join(profile_directory(profile));
        let below = |path: PathBuf| path.strip_prefix(&profile).map(Path::to_path_buf).ok();
        built.files = std::mem::take(&mut built.files).into_iter().filter_map(below).collect();
        built.files.retain(|path| !path.starts_with("deps"));
        built.outs = std::mem::take(&mut built.outs).into_iter().filter_map(below).collect();
        let places = Places {
            service: self.service.name.as_str(),
            root: &self.project.repository,
            directory: &self.context.workspace.directory(self.service),
            results: &profile,
            built: Some(&built),
        };
        built.wanted = places.find(self.sources.iter().copied())?;
        drop(kept::put(self.context.cache, &section, &self.record, key, &built));
        Ok(built)
    }

    /// All that cargo would look at: the repository by its listing, the vendored crates by their lock, which
    /// [`vendor::require`] has compared with them, the toolchain by how its programs look from outside, and the command.
    fn key(&self, listing: &str, settings: &str, step: &Step) -> io::Result<Sha256> {
        let program = |path: &Path| io::Result::Ok((path.to_path_buf(), Stamp::of(&fs_err::metadata(path)?)));
        let programs = (program(&self.toolchain.cargo)?, program(&self.toolchain.rustc)?);
        let command = (&step.arguments, &step.environment, &self.sources);
        let parts = (listing, self.lock.digest, settings, &self.toolchain, programs, command);
        Ok(Sha256::of(format!("{parts:?}").as_bytes()))
    }

    /// A program as it is installed at `path`: it runs on `target`, and what debuggers need is kept apart if that is wanted.
    fn program(
        &self,
        name: &str,
        mut data: Vec<u8>,
        path: Option<&InstallPath>,
        target: &Target,
        staged: &mut Staged,
    ) -> Result<Vec<u8>, RustError> {
        if let Some(path) = path.filter(|_| self.settings.debug_package) {
            let split = debug::split(&self.sandbox, name, &data)?;
            data = split.program;
            self.name_kept_path(&format!("the debug symbols of {name}"), &split.debug);
            let content = keep(self.context.cache, &split.debug)?;
            staged.debug.push(DebugFile { build_id: split.build_id, program: path.clone(), content });
            if !staged.isolation.contains(&split.isolation) {
                staged.isolation.push(split.isolation);
            }
        }
        judge(name, &data, target)?;
        self.name_kept_path(name, &data);
        Ok(data)
    }

    /// Says so when a program has a path of this machine in it, which only happens where mounts are not permitted.
    fn name_kept_path(&self, command: &str, data: &[u8]) {
        let path = self.project.repository.as_os_str().as_encoded_bytes();
        let fixed = self.sandbox.isolation().has_fixed_places();
        if !fixed && path.len() > 1 && data.windows(path.len()).any(|window| window == path) {
            self.context.reporter.note(&format!(
                "{command} keeps the path {}: its bytes depend on where it is built, because this machine permits no mounts",
                self.project.repository.display()
            ));
        }
    }

    /// Where the results of this repository, toolchain and linkers are kept.
    fn section(&self) -> PathBuf {
        let mut key = Vec::new();
        for part in [
            self.project.absolute().as_os_str().as_encoded_bytes(),
            self.toolchain.release.as_bytes(),
            self.toolchain.commit.as_bytes(),
            self.toolchain.host.as_bytes(),
            self.sandbox.isolation().to_string().as_bytes(),
            format!("{:?}", self.linkers).as_bytes(),
        ] {
            key.extend_from_slice(part);
            key.push(0);
        }
        let name = Sha256::of(&key).to_string();
        self.context.cache.section("cargo-target").join(name.get(..32).unwrap_or(&name))
    }

    /// How the repository looks, and the time that its programs get to know.
    fn listing(&self) -> io::Result<String> {
        let keep = |path: &Path| is_counted(self.context, path);
        Ok(format!("{} {}\n", listing(&self.project.repository, keep)?, self.time))
    }

    /// Makes cargo build the repository's own packages again when any of its files may have changed.
    fn forget_own_packages(&self, section: &Path, now: &str) -> io::Result<()> {
        let stamp = section.join("listing");
        if fs_err::read_to_string(&stamp).is_ok_and(|before| before == now) {
            return Ok(());
        }
        let own: Vec<String> = self
            .lock
            .packages
            .iter()
            .filter(|package| package.source.is_none())
            .map(|package| format!("{}-", package.name))
            .collect();
        for entry in walkdir::WalkDir::new(section.join("target")).max_depth(4).into_iter().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy();
            let is_own = own.iter().any(|prefix| name.strip_prefix(prefix.as_str()).is_some_and(is_hash));
            let in_fingerprints = entry.path().parent().is_some_and(|parent| parent.ends_with(".fingerprint"));
            if is_own && in_fingerprints {
                fs_err::remove_dir_all(entry.path())?;
            }
        }
        fs_err::write(&stamp, now)
    }

    fn step(&self, binds: &[Bind], results: &Path, home: &Path, configuration: &Path) -> Step {
        let inside = |path: &Path| self.sandbox.inside(binds, path);
        let settings = self.settings;
        let profile = settings.profile.clone().unwrap_or_else(|| "release".to_owned());
        let manifest = self.project.repository.join(&self.service.path).join("Cargo.toml");
        let mut arguments: Vec<OsString> = ["build", "--frozen"].map(OsString::from).into();
        arguments.extend(self.arguments.iter().map(OsString::from));
        arguments.extend(["--message-format", "json-render-diagnostics"].map(OsString::from));
        let mut option = |name: &str, value: OsString| arguments.extend([OsString::from(name), value]);
        option("--profile", profile.clone().into());
        option("--target", self.toolchain.host.clone().into());
        option("--target-dir", inside(results).into());
        option("--manifest-path", inside(&manifest).into());
        option("--config", inside(configuration).into());
        option("--jobs", self.context.threads.max(1).to_string().into());
        option("--color", "never".into());
        if !settings.features.is_empty() {
            option("--features", settings.features.join(",").into());
        }
        if settings.all_features {
            arguments.push("--all-features".into());
        }
        if settings.no_default_features {
            arguments.push("--no-default-features".into());
        }
        arguments.extend(settings.cargo_arguments.iter().map(OsString::from));
        let programs = self.toolchain.cargo.parent().map(inside).unwrap_or_default();
        let mut environment = vec![
            ("PATH".to_owned(), programs.into_os_string()),
            ("CARGO_HOME".to_owned(), inside(home).into_os_string()),
            ("RUSTC".to_owned(), inside(&self.toolchain.rustc).into_os_string()),
            ("CARGO_INCREMENTAL".to_owned(), "0".into()),
            ("CARGO_NET_OFFLINE".to_owned(), "true".into()),
            ("CARGO_TERM_PROGRESS_WHEN".to_owned(), "never".into()),
            (variables::SOURCE_DATE_EPOCH.to_owned(), self.time.to_string().into()),
        ];
        if settings.debug_package {
            environment.extend(debug::environment(&profile));
        } else {
            let strip = format!("CARGO_PROFILE_{}_STRIP", profile.to_uppercase().replace('-', "_"));
            let how = if settings.strip == Some(false) { "none" } else { "symbols" };
            environment.push((strip, how.into()));
        }
        Step {
            program: inside(&self.toolchain.cargo),
            arguments,
            directory: inside(&self.project.absolute()),
            environment,
            binds: binds.to_vec(),
            ..Step::default()
        }
    }

    /// The configuration that comes before the repository's: sources replaced by the vendor directory, paths mapped.
    ///
    /// Flags go into `target.TRIPLE.rustflags`, which cargo joins with the repository's own, and not into the environment,
    /// which would silence them. cargo ignores `build.rustflags` when there are flags for a target: they are repeated.
    fn configuration(&self, binds: &[Bind]) -> Result<Table, RustError> {
        let inside = |path: &Path| self.sandbox.inside(binds, path).display().to_string();
        let table = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::String((*value).to_owned())));
            Value::Table(pairs.collect())
        };
        let mut sources = Table::new();
        const VENDORED: &str = "packhouse-vendored";
        sources.insert(VENDORED.to_owned(), table(&[("directory", &inside(&self.vendor))]));
        for source in self.lock.packages.iter().filter_map(|package| package.source.as_deref()) {
            let (key, value) = replaced(source, VENDORED);
            sources.insert(key, Value::Table(value));
        }
        let mut flags = self.flags_of_repository()?;
        let mut map = |from: &str, to: &str| flags.push(Value::String(format!("--remap-path-prefix={from}={to}")));
        map(&inside(&self.project.repository), "/usr/src/packhouse");
        let section = self.section();
        map(&inside(&section.join("target")), "/usr/src/packhouse/target");
        map(&inside(&section.join("cargo")), "/usr/src/packhouse/cargo");
        let library = self.toolchain.sysroot.join("lib/rustlib/src/rust");
        map(&inside(&library), &format!("/rustc/{}", self.toolchain.commit));
        if self.settings.debug_package {
            flags.push(Value::String(debug::BUILD_ID.to_owned()));
        }
        let triple: Table = [("rustflags".to_owned(), Value::Array(flags))].into_iter().collect();
        let targets: Table = [(self.toolchain.host.clone(), Value::Table(triple))].into_iter().collect();
        Ok([("source".to_owned(), Value::Table(sources)), ("target".to_owned(), Value::Table(targets))]
            .into_iter()
            .collect())
    }

    /// `build.rustflags` of the repository when cargo would take them.
    fn flags_of_repository(&self) -> Result<Vec<Value>, RustError> {
        let mut flags = Vec::new();
        for ManifestText { table, .. } in self.project.configurations()?.iter().rev() {
            let of_target = table.get("target").and_then(|targets| targets.get(&self.toolchain.host)?.get("rustflags"));
            if of_target.is_some() {
                return Ok(Vec::new());
            }
            match table.get("build").and_then(|build| build.get("rustflags")) {
                Some(Value::Array(list)) => flags.extend(list.iter().cloned()),
                Some(Value::String(text)) => {
                    flags.extend(text.split_whitespace().map(|flag| Value::String(flag.to_owned())))
                }
                _ => {}
            }
        }
        Ok(flags)
    }

    /// Takes one of cargo's messages.
    fn take(&self, line: &str, binds: &[Bind], built: &mut Built) {
        let host = |path: &Path| {
            let mut binds = binds.iter().rev().filter(|_| self.sandbox.isolation().has_fixed_places());
            let found = binds.find_map(|bind| Some(bind.source.join(path.strip_prefix(&bind.destination).ok()?)));
            found.unwrap_or_else(|| path.to_path_buf())
        };
        let artifact = match serde_json::from_str::<Message>(line) {
            Ok(Message::CompilerArtifact(artifact)) => artifact,
            Ok(Message::BuildScriptExecuted(script)) => {
                built.outs.insert(host(script.out_dir.as_std_path()));
                return;
            }
            _ => return,
        };
        // What is built for this machine, build scripts and macros, lies outside the triple's directory.
        let triple = format!("/{}/", self.toolchain.host);
        if !artifact.filenames.iter().any(|path| path.as_str().contains(&triple)) {
            return;
        }
        if let Some(executable) = &artifact.executable {
            built.programs.push((artifact.target.name.clone(), host(executable.as_std_path())));
        }
        built.files.extend(artifact.filenames.iter().map(|path| host(path.as_std_path())));
        built.crates.extend(name_and_version(&artifact.package_id.repr));
    }

    /// What is inside the programs: all crates but the service itself.
    fn components(&self, built: &Built) -> Result<Vec<Component>, RustError> {
        components::components(&components::Compiled {
            workspace: self.context.workspace,
            own: &self.service.ecosystem_name,
            lock: &self.lock,
            vendor: &self.vendor,
            crates: &built.crates,
        })
    }
}

/// Whether a directory's name ends with cargo's hash.
fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The entry of `[source]` that puts `by` in the place of a lock's source.
pub(super) fn replaced(source: &str, by: &str) -> (String, Table) {
    let mut table: Table = [("replace-with".to_owned(), Value::String(by.to_owned()))].into_iter().collect();
    let mut set = |key: &str, value: &str| table.insert(key.to_owned(), Value::String(value.to_owned()));
    if let Some(git) = source.strip_prefix("git+") {
        let address = git.split('#').next().unwrap_or(git);
        let (url, query) = address.split_once('?').unwrap_or((address, ""));
        set("git", url);
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if matches!(&*key, "branch" | "tag" | "rev") {
                set(&key, &value);
            }
        }
        return (format!("git+{address}"), table);
    }
    let registry = source.strip_prefix("registry+").unwrap_or(source);
    if registry == "https://github.com/rust-lang/crates.io-index" {
        return ("crates-io".to_owned(), table);
    }
    set("registry", registry);
    (registry.to_owned(), table)
}

/// Whether what is at `path` counts as a source of the repository's own crates.
pub(super) fn is_counted(context: Context<'_>, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    !matches!(name, ".git" | "target" | "node_modules" | ".venv")
        && !path.ends_with(context.settings.project.vendor.as_path())
}

/// Name and version of a package id (the Cargo book, "Package ID Specifications").
fn name_and_version(id: &str) -> Option<(String, String)> {
    let (url, fragment) = id.rsplit_once('#')?;
    if let Some((name, version)) = fragment.rsplit_once('@') {
        return Some((name.to_owned(), version.to_owned()));
    }
    let path = url.split('?').next().unwrap_or(url);
    let name = path.trim_end_matches('/').rsplit('/').next()?;
    Some((name.trim_end_matches(".git").to_owned(), fragment.to_owned()))
}

/// Puts pieces of output together to lines; a line beyond a mebibyte is given in parts.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(&str)) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.rest.len() > 1024 * 1024 {
                self.end(take);
            }
        }
    }

    fn end(&mut self, take: &mut dyn FnMut(&str)) {
        if !self.rest.is_empty() {
            take(String::from_utf8_lossy(&self.rest).trim_end());
            self.rest.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_ids_tell_name_and_version() {
        let pair = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        let registry = "registry+https://github.com/rust-lang/crates.io-index#itoa@1.0.18";
        assert_eq!(name_and_version(registry), pair("itoa", "1.0.18"));
        assert_eq!(name_and_version("path+file:///packhouse/src/app#0.1.0"), pair("app", "0.1.0"));
        assert_eq!(name_and_version("path+file:///packhouse/src/dir#other@0.1.0+b1"), pair("other", "0.1.0+b1"));
        assert_eq!(name_and_version("git+https://example.org/x/lib.git?tag=v1#0.2.0"), pair("lib", "0.2.0"));
    }

    #[test]
    fn every_kind_of_source_is_replaced() {
        let spelt = |source: &str| {
            let (key, table) = replaced(source, "v");
            (key, table.to_string())
        };
        let crates_io = "registry+https://github.com/rust-lang/crates.io-index";
        assert_eq!(spelt(crates_io), ("crates-io".to_owned(), "replace-with = \"v\"\n".to_owned()));
        let (key, table) = spelt("git+https://example.org/a?branch=x%2Fy#0123");
        assert_eq!(key, "git+https://example.org/a?branch=x%2Fy");
        assert!(table.contains("branch = \"x/y\"") && table.contains("git = \"https://example.org/a\""), "{table}");
        let (_, table) = spelt("sparse+https://cargo.example.org/index/");
        assert!(table.contains("registry = \"sparse+https://cargo.example.org/index/\""), "{table}");
    }

    #[test]
    fn lines_come_whole_however_they_arrive() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for piece in [&b"a"[..], b"b\nc", b"\n\nd"] {
            lines.feed(piece, &mut |line| seen.push(line.to_owned()));
        }
        lines.end(&mut |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["ab", "c", "", "d"]);
    }
}
