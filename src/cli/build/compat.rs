//! cargo-deb's switches, and cargo's own that it passes on, with the meaning that they have there; for those that mean
//! nothing here, what to write instead.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::cli::Failure;
use crate::cli::session::{Problem, Project, Session, usage};
use crate::config::MultiArch;
use crate::config::dialect::Overrides;
use crate::diagnostic::ExitCode;
use crate::format::Effort;
use crate::target::{Architecture, Compression, Target};
use crate::workspace::Member;

/// Under which help lists them.
const HEADING: &str = "Options of cargo and cargo-deb";

/// The switches.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = HEADING)]
pub(super) struct Compat {
    /// The crate to package, by cargo's name; as SERVICE.
    #[arg(short, long, value_name = "NAME")]
    package: Vec<String>,
    /// Features to build with, beside those of the table.
    #[arg(short = 'F', long, value_name = "LIST", value_delimiter = ',')]
    features: Vec<String>,
    /// Build without the default features.
    #[arg(long)]
    no_default_features: bool,
    /// Build with all features.
    #[arg(long, conflicts_with = "no_default_features")]
    all_features: bool,
    /// The cargo profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Take the programs that are in cargo's target directory already.
    #[arg(long)]
    no_build: bool,
    /// Take the symbols out of the programs, also where the profile asks for debug information.
    #[arg(long)]
    strip: bool,
    /// Leave the symbols in the programs.
    #[arg(long, conflicts_with_all = ["strip", "dbgsym", "separate_debug_symbols"])]
    no_strip: bool,
    /// Make a package of debug symbols.
    #[arg(long)]
    dbgsym: bool,
    /// Make no package of debug symbols.
    #[arg(long, conflicts_with = "dbgsym")]
    no_dbgsym: bool,
    /// As --dbgsym: separated symbols are a package of their own.
    #[arg(long, conflicts_with = "no_dbgsym")]
    separate_debug_symbols: bool,
    /// As --no-dbgsym.
    #[arg(long, conflicts_with_all = ["dbgsym", "separate_debug_symbols"])]
    no_separate_debug_symbols: bool,
    /// `debug` of the profile: none, line-tables-only, limited or full.
    #[arg(long, value_name = "VALUE", value_parser = PossibleValuesParser::new(["none", "line-tables-only", "limited", "full"]))]
    override_debug: Option<String>,
    /// `lto` of the profile: thin or fat.
    #[arg(long, value_name = "VALUE", value_parser = PossibleValuesParser::new(["thin", "fat"]))]
    override_lto: Option<String>,
    /// The whole version of a .deb, revision included.
    #[arg(long, value_name = "VERSION")]
    deb_version: Option<String>,
    /// The revision; empty or 0 for none.
    #[arg(long, value_name = "REVISION", conflicts_with = "deb_version")]
    deb_revision: Option<String>,
    /// Debian's section.
    #[arg(long, value_name = "SECTION")]
    section: Option<String>,
    /// Debian's Multi-Arch, and shared libraries into the directory of their architecture: none, same or foreign.
    #[arg(long, value_name = "VALUE")]
    multiarch: Option<MultiArchName>,
    /// As --effort fast.
    #[arg(long, conflicts_with = "effort")]
    fast: bool,
    /// As --compression: gz or xz.
    #[arg(short = 'Z', long, value_name = "NAME", conflicts_with = "compression")]
    compress_type: Option<CompressType>,
    #[command(flatten)]
    elsewhere: Elsewhere,
    /// Further arguments of `cargo build`.
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    cargo_arguments: Vec<String>,
}

/// What cargo-deb does and packhouse does elsewhere.
#[derive(Debug, Clone, Default, Args)]
struct Elsewhere {
    #[arg(long, hide = true)]
    install: bool,
    #[arg(long, hide = true)]
    no_install_dbgsym: bool,
    #[arg(long, hide = true, value_name = "SUBCOMMAND")]
    cargo_build: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    #[arg(alias = "compress-debug-sections")]
    compress_debug_symbols: Option<String>,
    #[arg(long, hide = true)]
    no_compress_debug_symbols: bool,
    #[arg(long, hide = true, alias = "system-xz")]
    compress_system: bool,
    #[arg(long, hide = true)]
    rsyncable: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MultiArchName {
    None,
    Same,
    Foreign,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompressType {
    #[value(alias = "gzip")]
    Gz,
    Xz,
}

/// A switch that means nothing here.
fn refused(switch: &str, hint: &str) -> Failure {
    let message = format!("{switch} means nothing to packhouse");
    Box::new(Problem { message, hint: Some(hint.to_owned()), code: ExitCode::Usage })
}

impl Compat {
    /// Refuses what is done elsewhere.
    pub(super) fn settle(&self) -> Result<(), Failure> {
        let Elsewhere { cargo_build, .. } = &self.elsewhere;
        for (is_given, switch, hint) in [
            (
                self.elsewhere.install || self.elsewhere.no_install_dbgsym,
                "--install",
                "install what was built: `sudo apt install ./target/packhouse/NAME.deb`, `sudo dnf install ./target/packhouse/NAME.rpm`",
            ),
            (
                cargo_build.as_ref().is_some_and(|command| command != "build"),
                "--cargo-build",
                "build with that command first, then run `packhouse build --no-build`",
            ),
            (
                self.elsewhere.compress_debug_symbols.as_ref().is_some_and(|how| how != "auto"),
                "--compress-debug-symbols",
                "leave it out: the package of debug symbols is compressed as a whole",
            ),
            (
                self.elsewhere.compress_system,
                "--compress-system",
                "leave it out: packhouse compresses with all processors itself; `--compression` chooses how",
            ),
            (
                self.elsewhere.rsyncable,
                "--rsyncable",
                "leave it out: archives are cut at the edges of files, so that what did not change stays the same",
            ),
        ] {
            if is_given {
                return Err(refused(switch, hint));
            }
        }
        Ok(())
    }

    /// What stands in the place of what tables say. Nothing is said of the debug symbols' compression: it has no meaning.
    pub(super) fn overrides(&self) -> Overrides {
        let switch = |yes: bool, no: bool| if yes || no { Some(yes) } else { None };
        let profile = [("debug", &self.override_debug), ("lto", &self.override_lto)];
        Overrides {
            version: self.deb_version.clone(),
            revision: self.deb_revision.clone(),
            section: self.section.clone(),
            multi_arch: self.multiarch.and_then(|name| match name {
                MultiArchName::None => None,
                MultiArchName::Same => Some(MultiArch::Same),
                MultiArchName::Foreign => Some(MultiArch::Foreign),
            }),
            features: self.features.clone(),
            all_features: self.all_features,
            no_default_features: self.no_default_features,
            profile: self.profile.clone(),
            profile_settings: profile
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
                .collect(),
            no_build: self.no_build,
            strip: switch(self.strip, self.no_strip),
            debug_package: switch(
                self.dbgsym || self.separate_debug_symbols,
                self.no_dbgsym || self.no_separate_debug_symbols || self.no_strip,
            ),
            cargo_arguments: self.cargo_arguments.clone(),
            ..Overrides::default()
        }
    }

    /// `--fast`.
    pub(super) fn effort(&self) -> Option<Effort> {
        self.fast.then_some(Effort::Fast)
    }

    /// `-Z`.
    pub(super) fn compression(&self) -> Option<Compression> {
        self.compress_type.map(|name| match name {
            CompressType::Gz => Compression::Gzip,
            CompressType::Xz => Compression::Xz,
        })
    }

    /// The names of the services that `-p` and `--manifest-path DIRECTORY/Cargo.toml` choose.
    pub(super) fn services(&self, session: &Session, project: &Project) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        for package in &self.package {
            let name = package.split('@').next().unwrap_or(package);
            let is_it = |member: &&Member| member.ecosystem_name == name;
            names.push(project.workspace.services().find(is_it).map_or(name, |member| member.name.as_str()).to_owned());
        }
        if names.is_empty()
            && let Some(manifest) = session.manifest()?
            && let Some(service) = service_of(project, &manifest)
        {
            names.push(service.name.to_string());
        }
        Ok(names)
    }
}

/// The service whose `Cargo.toml` a person named as cargo's `--manifest-path`, unless that is packhouse's configuration.
fn service_of<'a>(project: &'a Project, manifest: &Path) -> Option<&'a Member> {
    let absolute = fs_err::canonicalize(manifest).ok()?;
    let is_cargos = absolute.file_name() == Some(OsStr::new("Cargo.toml"));
    let service =
        project.workspace.services().find(|member| project.workspace.root.join(&member.manifest) == absolute)?;
    let text = fs_err::read_to_string(&absolute).ok().filter(|_| is_cargos)?;
    let table = text.parse::<toml::Table>().ok()?;
    let holds = |first: &str| table.get(first).and_then(|table| table.get("metadata")?.get("packhouse")).is_some();
    (!holds("package") && !holds("workspace")).then_some(service)
}

/// `--target x86_64-unknown-linux-gnu`: cargo's names for machines beside ours for releases. Each stands for the
/// project's own targets on that machine.
pub(super) fn triples(names: &[String], of_project: &[Target]) -> Result<(Vec<String>, Vec<Target>), Failure> {
    let mut ours = Vec::new();
    let mut targets: Vec<Target> = Vec::new();
    for name in names {
        let Some((processor, system)) = name.split_once('-').filter(|(_, rest)| rest.contains("linux")) else {
            ours.push(name.clone());
            continue;
        };
        let refused = |hint: &str| -> Failure {
            let message = format!("packhouse does not build for {name}");
            Box::new(Problem { message, hint: Some(hint.to_owned()), code: ExitCode::Usage })
        };
        if !system.ends_with("-gnu") {
            let way = "packages are made for a distribution's own C library; build with cargo and pack the result: `packhouse pack`";
            return Err(refused(way));
        }
        let architecture = Architecture::ALL.into_iter().find(|one| one.machine() == processor);
        let architecture = architecture.ok_or_else(|| {
            refused("the processors are x86_64 and aarch64; name a release and one of them: `--target debian-12/arm64`")
        })?;
        for target in of_project {
            let target = Target { architecture, ..target.clone() };
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    Ok((ours, targets))
}

/// `--output`: the directory of the artefacts. cargo-deb's may name the file, which is several here.
pub(super) fn output(out: &Path) -> Result<&Path, Failure> {
    let is_file = out.extension().is_some_and(|extension| extension == "deb" || extension == "rpm") && !out.is_dir();
    if !is_file {
        return Ok(out);
    }
    let directory: PathBuf = out.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new(".")).into();
    Err(usage(format!(
        "--out names a directory, because there is one file per target: write `--out {}`; \
         packhouse-artefacts.json in it lists what was made",
        directory.display()
    )))
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;
    use crate::target::distribution;

    fn of(arguments: &[&str]) -> Compat {
        let command = Compat::augment_args(Command::new("x").no_binary_name(true))
            .arg(clap::Arg::new("compression").long("compression"))
            .arg(clap::Arg::new("effort").long("effort"));
        Compat::from_arg_matches(&command.get_matches_from(arguments)).expect("good arguments")
    }

    #[test]
    fn cargo_debs_switches_say_what_they_say_there() {
        let overrides =
            of(&["--no-strip", "--deb-revision", "", "--multiarch", "same", "-F", "a,b", "--", "-Zx", "-j2"])
                .overrides();
        assert_eq!(overrides.strip, Some(false));
        assert_eq!(overrides.debug_package, Some(false), "nothing is separated without stripping");
        assert_eq!(overrides.revision.as_deref(), Some(""));
        assert_eq!(overrides.multi_arch, Some(MultiArch::Same));
        assert_eq!(overrides.features, ["a", "b"]);
        assert_eq!(overrides.cargo_arguments, ["-Zx", "-j2"]);
        assert_eq!(of(&[]).overrides(), Overrides::default());
        assert_eq!(of(&["-Z", "gzip", "--fast"]).compression(), Some(Compression::Gzip));
        let debug = of(&["--override-debug", "line-tables-only"]).overrides().profile_settings;
        assert_eq!(debug, [("debug".to_owned(), "line-tables-only".to_owned())]);
    }

    #[test]
    fn switches_without_a_meaning_name_what_to_use() {
        for (switch, part) in [
            ("--install", "apt install"),
            ("--cargo-build=zigbuild", "--no-build"),
            ("--compress-debug-symbols=zlib", "as a whole"),
            ("--compress-system", "--compression"),
            ("--rsyncable", "leave it out"),
        ] {
            let failure = of(&[switch]).settle().expect_err("refused");
            assert!(failure.hints().iter().any(|hint| hint.contains(part)), "{switch}: {:?}", failure.hints());
        }
        assert!(of(&["--cargo-build=build"]).settle().is_ok());
        assert!(output(Path::new("out/x.deb")).is_err() && output(Path::new("out")).is_ok());
    }

    #[test]
    fn cargos_target_is_the_projects_targets_on_that_machine() {
        let of_project: Vec<Target> = ["debian-12", "el9"]
            .into_iter()
            .filter_map(distribution)
            .map(|distribution| Target { distribution, architecture: Architecture::X86_64 })
            .collect();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (ours, targets) = triples(&names(&["aarch64-unknown-linux-gnu", "debian-13"]), &of_project)
            .unwrap_or_else(|_| panic!("known"));
        assert_eq!(ours, ["debian-13"]);
        let shown: Vec<String> = targets.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["debian-12/arm64", "el9/aarch64"]);
        for wrong in ["x86_64-unknown-linux-musl", "riscv64gc-unknown-linux-gnu"] {
            assert!(triples(&names(&[wrong]), &of_project).is_err(), "{wrong}");
        }
    }
}
