//! A debian directory whose rules use dh-virtualenv: what is in it, and for which member of the workspace it is.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::options::Options;
use super::rules::{Command, Rules, UNKNOWN};
use super::stanzas::{self, Release, Stanza};
use super::{Draft, TakenOver, control, files, install, python, units};
use crate::config::{Guess, read_text};
use crate::name::OrgName;
use crate::workspace::{EcosystemKind, Kind, Member, Workspace};

/// Where dh_virtualenv installs when nobody says otherwise (`deployment.py`), and where its build system does
/// (`Buildsystem/dh_virtualenv.pm`).
const INSTALL_ROOT: &str = "/opt/venvs";
const BUILD_SYSTEM_ROOT: &str = "/usr/share/python";

/// Names of directories that say what is in them and not whose it is.
const GENERIC: [&str; 20] = [
    "app",
    "apps",
    "bin",
    "env",
    "envs",
    "lib",
    "lib64",
    "libexec",
    "local",
    "opt",
    "python",
    "python3",
    "share",
    "srv",
    "usr",
    "var",
    "venv",
    "venvs",
    "virtualenv",
    "virtualenvs",
];

/// A debian directory.
#[derive(Debug)]
pub struct Debian {
    /// The workspace's root, absolute.
    pub(super) root: PathBuf,
    /// The directory that `debian` is in, relative to the root.
    pub(super) base: PathBuf,
    /// What it packages.
    pub(super) member: Member,
    /// The first stanza of its control file.
    pub(super) source: Stanza,
    /// The stanza of the package with the environment.
    pub(super) package: Stanza,
    /// Its name.
    pub(super) name: String,
    /// Whether it is the first in the control file: files without a package's name are its.
    is_first: bool,
    /// The names of the other packages.
    others: Vec<String>,
    /// The newest entry of the changelog.
    pub(super) release: Option<Release>,
    pub(super) rules: Rules,
    pub(super) options: Options,
    /// The names of the files in the directory, sorted.
    pub(super) names: BTreeSet<String>,
    /// Where the environment is installed.
    pub(super) old: String,
    /// debhelper's compatibility level.
    pub(super) level: u32,
}

/// The debian directories of dh-virtualenv that package a Python member of the workspace.
///
/// # Errors
/// When a file of one cannot be read.
pub fn find(workspace: &Workspace) -> io::Result<Vec<Debian>> {
    let mut found: Vec<Debian> = Vec::new();
    for member in workspace.members.iter().filter(|member| member.ecosystem == EcosystemKind::Python) {
        // `--sourcedirectory` may name a directory below the one that `debian` is in.
        for base in member.path.ancestors() {
            if found.iter().any(|debian| debian.base == base) {
                break;
            }
            if let Some(debian) = Debian::read(workspace, base, member)? {
                found.push(debian);
                break;
            }
        }
    }
    Ok(found)
}

impl Debian {
    /// The directory `base`/debian, if it packages `member`.
    fn read(workspace: &Workspace, base: &Path, member: &Member) -> io::Result<Option<Self>> {
        let directory = workspace.root.join(base).join("debian");
        let inside = |name: &str| crate::config::value::stays_inside(&workspace.root, &directory.join(name));
        let optional = |name: &str| match read_text(&directory.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ if !inside(name) => Ok(None),
            text => text.map(Some),
        };
        let (Some(rules), Some(control)) = (optional("rules")?, optional("control")?) else { return Ok(None) };
        let rules = Rules::parse(&rules);
        let mut stanzas = stanzas::parse(&control).into_iter();
        let Some(source) = stanzas.next() else { return Ok(None) };
        let packages: Vec<Stanza> = stanzas.filter(|stanza| stanza.get("Package").is_some()).collect();
        let Some(usage) = Usage::of(&rules, &source) else { return Ok(None) };
        let options = usage.options(&rules);
        if normalized(&base.join(options.directory.as_deref().unwrap_or("."))) != member.path {
            return Ok(None);
        }
        let name_of = |stanza: &Stanza| stanza.get("Package").unwrap_or_default().trim().to_owned();
        let is_chosen = |stanza: &&Stanza| {
            let name = name_of(stanza);
            (options.packages.is_empty() || options.packages.contains(&name)) && !options.excluded.contains(&name)
        };
        let Some(package) = packages.iter().find(is_chosen).or(packages.first()).cloned() else { return Ok(None) };
        let name = name_of(&package);
        let release = optional("changelog")?.and_then(|text| stanzas::newest(&text));
        let old = usage.root(&rules, &options, &source, &name);
        let compat = optional("compat")?.and_then(|text| text.trim().parse().ok());
        Ok(Some(Self {
            root: workspace.root.clone(),
            base: base.to_path_buf(),
            member: member.clone(),
            is_first: packages.first() == Some(&package),
            others: packages.iter().map(name_of).filter(|other| *other != name).collect(),
            level: compat.or_else(|| level(&source)).unwrap_or(13),
            source,
            package,
            name,
            release,
            rules,
            options,
            names: names(&directory)?,
            old,
        }))
    }

    /// Whether it packages this member.
    pub fn is_of(&self, member: &Member) -> bool {
        self.member.path == member.path && self.member.ecosystem_name == member.ecosystem_name
    }

    /// The directory, relative to the workspace's root.
    pub fn place(&self) -> PathBuf {
        self.base.join("debian")
    }

    /// The organisation whose directory the environment is installed in, if it is somebody's: `/usr/lib/acme`.
    pub fn org(&self) -> Option<Guess<OrgName>> {
        let (root, _) = self.old.rsplit_once('/')?;
        let name = root.split('/').rfind(|part| !part.is_empty() && !GENERIC.contains(part))?;
        let org = OrgName::parse(name).ok()?;
        Some(Guess::new(org, format!("from {root}, where dh-virtualenv installs")))
    }

    /// The same as configuration.
    pub fn convert(&self, org: &OrgName) -> TakenOver {
        let mut draft = Draft::default();
        let new = format!("/usr/lib/{org}/{}", self.name);
        if self.member.name.as_str() != self.name {
            let path =
                if self.member.path.as_os_str().is_empty() { ".".into() } else { self.member.path.to_string_lossy() };
            draft.service.push(
                crate::config::Setting::new("path", path.as_ref())
                    .because(format!("The package's name is not that of the Python package, {}.", self.member.name)),
            );
        }
        if self.member.kind == Kind::Library {
            draft.service.push(
                crate::config::Setting::new("kind", "service")
                    .because(format!("It has no programs of its own ({}).", self.member.reason)),
            );
        }
        for other in &self.others {
            draft.leave(
                format!("the package {other} of debian/control"),
                "packhouse makes one package of each service; its files can go into this one with [[services.NAME.files]]",
            );
        }
        control::control(self, &mut draft);
        install::links(self, &new, org, &mut draft);
        install::installed(self, &new, org, &mut draft);
        files::files(self, &new, org, &mut draft);
        units::units(self, &new, &mut draft);
        python::python(self, &mut draft);
        self.rest(&mut draft);
        let comment = format!("Taken over from {}, which dh-virtualenv reads.", self.place().display());
        draft.finish(&self.name, comment)
    }

    /// Commands of the rules, and files, that nothing above has spoken of.
    fn rest(&self, draft: &mut Draft) {
        for command in &self.rules.commands {
            if let Some(reason) = unread(command) {
                draft.leave(format!("debian/rules:{}: `{}` of {}", command.line, command.text, command.target), reason);
            }
        }
        let known = |name: &str| {
            const WHOLE: [&str; 14] = [
                "control",
                "changelog",
                "rules",
                "compat",
                "watch",
                "gbp.conf",
                "clean",
                "not-installed",
                "files",
                "copyright",
                "README.source",
                "salsa-ci.yml",
                ".gitignore",
                "source.lintian-overrides",
            ];
            const MADE: [&str; 4] = [".substvars", ".debhelper.log", ".debhelper", ".log"];
            WHOLE.contains(&name) || MADE.iter().any(|end| name.ends_with(end)) || name.ends_with('~')
        };
        for name in self.names.iter().filter(|name| !known(name) && !self.is_read(name)) {
            if !self.others.iter().any(|other| name.starts_with(&format!("{other}."))) {
                draft.leave(format!("debian/{name}"), "it is no file that packhouse reads; name it under [[services.NAME.files]] if it is to be installed");
            }
        }
        if self.root.join(&self.base).join("debian/patches/series").is_file() {
            draft.leave("debian/patches", "packhouse packages the sources as they are: apply the patches and commit");
        }
    }

    fn is_read(&self, name: &str) -> bool {
        let own = name.strip_prefix(&format!("{}.", self.name));
        let kinds = files::EXTENSIONS.iter().chain(&install::EXTENSIONS).chain(&units::EXTENSIONS);
        let ends = |text: &str| kinds.clone().any(|kind| text == *kind || text.ends_with(&format!(".{kind}")));
        let template = name.strip_prefix(&format!("{}@.", self.name));
        own.or(template).is_some_and(ends) || (self.is_first && ends(name))
    }

    /// The file in `debian` that debhelper takes for `extension` (`pkgfile` of Dh_Lib.pm), as a path in it.
    pub(super) fn file(&self, extension: &str) -> Option<String> {
        let own = format!("{}.{extension}", self.name);
        let names = [Some(own), self.is_first.then(|| extension.to_owned())];
        names.into_iter().flatten().find(|name| self.names.contains(name))
    }

    /// The file `debian/NAME` as the service's settings name it; `None` when it is not below the service's directory.
    pub(super) fn in_service(&self, path: &Path) -> Option<String> {
        let whole = normalized(&self.base.join(path));
        let relative = whole.strip_prefix(&self.member.path).ok()?;
        relative.to_str().map(str::to_owned)
    }

    /// A path in `debian` as the service's settings name it; what cannot be named is left.
    pub(super) fn named(&self, name: &str, draft: &mut Draft) -> Option<String> {
        let named = self.in_service(&Path::new("debian").join(name));
        if named.is_none() {
            let why = format!(
                "it lies outside of {}, and the files of a service lie in its directory",
                self.member.path.display()
            );
            draft.leave(format!("debian/{name}"), why);
        }
        named
    }

    /// The text of a file in `debian`; empty when it cannot be read.
    pub(super) fn text(&self, name: &str) -> String {
        let path = self.root.join(&self.base).join("debian").join(name);
        if !crate::config::value::stays_inside(&self.root, &path) {
            return String::new();
        }
        read_text(&path).map(|text| text.to_string()).unwrap_or_default()
    }

    /// The words of each line of a file in `debian` (`filedoublearray` of Dh_Lib.pm). One that debhelper would run is left.
    pub(super) fn lines(&self, name: &str, draft: &mut Draft) -> Vec<Vec<String>> {
        let text = self.text(name);
        let path = self.root.join(&self.base).join("debian").join(name);
        let runs = fs_err::metadata(&path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0);
        if runs && !text.lines().next().unwrap_or_default().contains("dh-exec") {
            draft.leave(format!("debian/{name}"), "it is a program, and what it prints is only known when it runs");
            return Vec::new();
        }
        let mut lines = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if line.contains("${") {
                draft.leave(format!("debian/{name}: `{line}`"), "it has a variable that debhelper replaces");
                continue;
            }
            lines.push(line.split_whitespace().map(str::to_owned).collect());
        }
        lines
    }
}

/// How the rules use dh-virtualenv.
struct Usage {
    /// The words behind each `dh_virtualenv`, else those behind `dh`.
    words: Vec<Vec<String>>,
    /// Whether these are dh's, which hands on all options and has others of its own.
    is_sequencer: bool,
    is_build_system: bool,
}

impl Usage {
    /// `None` when they do not.
    fn of(rules: &Rules, source: &Stanza) -> Option<Self> {
        let (mut own, mut sequencer) = (Vec::new(), Vec::new());
        let builds = source.list("Build-Depends");
        let mut used = builds.iter().any(|one| one.starts_with("dh-sequence-python-virtualenv"));
        let mut is_build_system = false;
        for words in rules.commands.iter().flat_map(|command| rules.words(command)) {
            let (Some(program), rest) = (words.first(), words.get(1..).unwrap_or_default()) else { continue };
            match program.rsplit('/').next().unwrap_or_default() {
                "dh_virtualenv" => own.push(rest.to_vec()),
                "dh" => {
                    used |= rest
                        .iter()
                        .any(|word| word.contains("python-virtualenv") || word.contains("python_virtualenv"));
                    is_build_system |= rest.iter().any(|word| word.contains("dh_virtualenv"));
                    // `$@`, the target, is no option.
                    sequencer = rest.iter().filter(|word| !word.contains(UNKNOWN)).cloned().collect();
                }
                _ => {}
            }
        }
        if !used && !is_build_system && own.is_empty() {
            return None;
        }
        let is_sequencer = own.is_empty();
        let words = if is_sequencer { vec![sequencer] } else { own };
        Some(Self { words, is_sequencer, is_build_system })
    }

    fn options(&self, rules: &Rules) -> Options {
        // Several calls are for several packages; the first speaks of the first.
        let mut options = self.words.first().map(|words| Options::parse(words)).unwrap_or_default();
        if self.is_sequencer {
            options.unknown.clear();
        }
        let text = |name: &str| rules.value_of(name).and_then(Result::ok).filter(|text| !text.is_empty());
        if let Some(arguments) = text("DH_VIRTUALENV_ARGUMENTS") {
            let words = shlex::split(&arguments).unwrap_or_default();
            for (index, word) in words.iter().enumerate() {
                match (word.as_str(), words.get(index + 1)) {
                    ("--python" | "-p", Some(python)) => options.python = Some(python.clone()),
                    _ => options.virtualenv_argument(word),
                }
            }
        }
        for argument in text("DH_PIP_EXTRA_ARGS").iter().flat_map(|text| text.split_whitespace()) {
            options.pip_argument(argument);
        }
        options.requirements = options.requirements.or_else(|| text("DH_REQUIREMENTS_FILE"));
        options.suffix = options.suffix.or_else(|| text("DH_VIRTUALENV_INSTALL_SUFFIX"));
        let upgrades = ["DH_UPGRADE_PIP", "DH_UPGRADE_SETUPTOOLS", "DH_UPGRADE_WHEEL"];
        options.of_pip.extend(rules.variables().filter(|name| upgrades.contains(name)).map(str::to_owned));
        options
    }

    /// Where the environment is installed.
    fn root(&self, rules: &Rules, options: &Options, source: &Stanza, package: &str) -> String {
        let default = if self.is_build_system { BUILD_SYSTEM_ROOT } else { INSTALL_ROOT };
        let root = rules.value_of("DH_VIRTUALENV_INSTALL_ROOT").and_then(Result::ok);
        let root = root.unwrap_or_else(|| default.to_owned());
        let own = if self.is_build_system { source.get("Source").unwrap_or(package) } else { package };
        let suffix = options.suffix.as_deref().filter(|suffix| !suffix.contains(UNKNOWN)).unwrap_or(own);
        absolute(&format!("{root}/{suffix}"))
    }
}

/// Commands of which nothing has to be carried over: what dh-virtualenv's users turn off or tell debhelper of a step that
/// packhouse does otherwise, and what prints or checks.
fn unread(command: &Command) -> Option<&'static str> {
    let target = command.target.as_str();
    let program = command.text.split_whitespace().next().unwrap_or_default();
    let is_step = ["override_dh_", "execute_before_dh_", "execute_after_dh_"]
        .iter()
        .any(|start| target.starts_with(start))
        || ["build", "binary", "install", "binary-arch", "binary-indep", "build-arch", "build-indep"].contains(&target);
    const READ: [&str; 22] = [
        "dh",
        "dh_virtualenv",
        "dh_strip",
        "dh_shlibdeps",
        "dh_dwz",
        "dh_auto_configure",
        "dh_auto_build",
        "dh_auto_test",
        "dh_auto_install",
        "dh_auto_clean",
        "dh_clean",
        "dh_makeshlibs",
        "dh_python3",
        "dh_fixperms",
        "dh_installsystemd",
        "dh_systemd_enable",
        "dh_systemd_start",
        "dh_installinit",
        "dh_link",
        "true",
        ":",
        "echo",
    ];
    // What is done for a clean tree or a test is nothing of the package.
    let elsewhere = target.contains("clean") || target.contains("auto_test") || target == "get-orig-source";
    if !is_step || elsewhere || READ.contains(&program) {
        return None;
    }
    Some(match program {
        "dh_builddeb" => {
            "the compressor is chosen for each target; `compression` under [targets.NAME] or `build --compression` changes it"
        }
        "dh_gencontrol" => "the version and the control fields come from the configuration",
        "chmod" | "chown" | "install" | "cp" | "mv" | "rm" | "mkdir" | "ln" | "find" | "sed" => {
            "nothing of the rules is run: say with [[services.NAME.files]] what is installed, with which mode and owner"
        }
        _ => "nothing of the rules is run",
    })
}

/// `debhelper-compat (= 13)`.
fn level(source: &Stanza) -> Option<u32> {
    let builds = source.list("Build-Depends");
    let compat = builds.iter().find_map(|one| one.strip_prefix("debhelper-compat"))?;
    compat.trim_matches(|character: char| !character.is_ascii_digit()).parse().ok()
}

/// The regular files of a directory.
fn names(directory: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        if entry.path().is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.insert(name);
        }
    }
    Ok(names)
}

/// An absolute path without empty parts, `.` and `..`.
pub(super) fn absolute(text: &str) -> String {
    format!("/{}", normalized(Path::new(text)).display())
}

/// A relative path without `.`, and with `..` taken back.
pub(super) fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::Normal(name) => normal.push(name),
            _ => {}
        }
    }
    normal
}
