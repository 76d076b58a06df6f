//! A small service with scripts, built into packages.

use std::fs;
use std::path::PathBuf;

use packhouse::config::{self, Maintainer, ServiceSettings, Settings};
use packhouse::format::{self, WriteOptions};
use packhouse::name::PackageName;
use packhouse::package::{self, Changelog, Inputs, Package, Release, Staged, Version};
use packhouse::target::{Architecture, Compression, Format, Target, distribution};
use packhouse::tree::{Content, InstallPath, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

const TIME: i64 = 1_767_225_600;

/// A script of the project.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    stage: &'static str,
    written_for: Format,
    text: String,
    interpreter: Vec<String>,
    flags: u32,
}

impl Script {
    pub(crate) fn deb(stage: &'static str, text: impl Into<String>) -> Self {
        Self { stage, written_for: Format::Deb, text: text.into(), interpreter: Vec::new(), flags: 0 }
    }

    pub(crate) fn rpm(stage: &'static str, text: impl Into<String>) -> Self {
        let interpreter = vec!["/bin/sh".to_owned()];
        Self { stage, written_for: Format::Rpm, text: text.into(), interpreter, flags: 0 }
    }

    pub(crate) fn by(mut self, interpreter: &[&str]) -> Self {
        self.interpreter = interpreter.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    pub(crate) fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// Whether only rpm can run it.
    pub(crate) fn is_only_for_rpm(&self) -> bool {
        self.flags != 0 || self.interpreter == ["<lua>"]
    }
}

/// A package that was written, and what was said of it.
pub(crate) struct Built {
    pub(crate) path: PathBuf,
    _directory: tempfile::TempDir,
    pub(crate) notes: Vec<String>,
}

pub(crate) struct Project {
    directory: tempfile::TempDir,
    scripts: Vec<Script>,
    /// Further lines of `[services.acme-tool]`.
    lines: String,
}

impl Project {
    pub(crate) fn new(scripts: &[Script]) -> Self {
        let project = Self {
            directory: tempfile::tempdir().expect("a directory"),
            scripts: scripts.to_vec(),
            lines: String::new(),
        };
        project.put("acme-tool/Cargo.toml", "");
        project
    }

    pub(crate) fn with_unit(mut self) -> Self {
        self.put(
            "acme-tool/acme-tool.service",
            "[Unit]\nDescription=a tool\n[Service]\nExecStart=/usr/bin/acme-tool\n[Install]\nWantedBy=multi-user.target\n",
        );
        self.lines.push_str("[services.acme-tool.systemd]\nunits = [\"acme-tool.service\"]\n");
        self
    }

    pub(crate) fn with_debconf(mut self) -> Self {
        self.put(
            "acme-tool/config",
            "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_input high acme-tool/x || true\ndb_go\n",
        );
        self.put("acme-tool/templates", "Template: acme-tool/x\nType: string\nDescription: x\n");
        self.lines
            .push_str("[services.acme-tool.scripts]\ndebconf-config = \"config\"\ndebconf-templates = \"templates\"\n");
        self
    }

    pub(crate) fn with(mut self, lines: &str) -> Self {
        self.lines.insert_str(0, &format!("{lines}\n"));
        self
    }

    pub(crate) fn put(&self, file: &str, text: &str) {
        let path = self.directory.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    fn settings(&self) -> Settings {
        self.put(
            "packhouse.toml",
            &format!(
                "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\nlicense = \"MIT\"\n[services.acme-tool]\n{}",
                self.lines
            ),
        );
        let mut settings = config::load(self.directory.path(), None).expect("settings");
        let service: &mut ServiceSettings = settings.services.get_mut("acme-tool").expect("the service");
        for script in &self.scripts {
            let stage = config::Stage::ALL.iter().find(|(name, _)| *name == script.stage).expect("a stage").1;
            let script = config::Script {
                text: config::TextSource::Inline(script.text.clone()),
                interpreter: script.interpreter.clone(),
                flags: script.flags,
                written_for: script.written_for,
            };
            service.scripts.stages.insert(stage, script);
        }
        settings
    }

    pub(crate) fn package(&self, target: &str, version: &str, change: impl FnOnce(&mut ServiceSettings)) -> Package {
        let mut settings = self.settings();
        change(settings.services.get_mut("acme-tool").expect("the service"));
        let name = PackageName::parse("acme-tool").expect("a name");
        let member = Member {
            name: name.clone(),
            ecosystem_name: name.to_string(),
            ecosystem: EcosystemKind::Rust,
            kind: Kind::Service,
            path: PathBuf::from("acme-tool"),
            manifest: PathBuf::from("acme-tool/Cargo.toml"),
            version: Some(version.to_owned()),
            summary: Some("A tool of the cloud.".to_owned()),
            license: None,
            reason: "a test".to_owned(),
            commands: vec!["acme-tool".to_owned()],
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        };
        let root = self.directory.path().canonicalize().expect("a root");
        let workspace = Workspace { root, members: vec![member] };
        let program = InstallPath::parse("/usr/lib/acme/acme-tool/bin/acme-tool").expect("a path");
        let mut tree = Tree::new();
        tree.file(program.clone(), Content::bytes(&b"#!/bin/sh\n"[..]), 0o755).expect("free");
        let staged = Staged { tree, commands: vec![("acme-tool".to_owned(), program)], ..Staged::default() };
        let target =
            Target { distribution: distribution(target).expect("a distribution"), architecture: Architecture::X86_64 };
        let version = Version {
            epoch: 0,
            debian: version.to_owned(),
            rpm: version.to_owned(),
            revision: format!("1{}", target.distribution.revision_suffix),
        };
        let author = Maintainer { name: "Ada Acme".to_owned(), mail: "ada@acme.example".to_owned() };
        let release = Release { version: version.clone(), time: TIME, author, changes: vec!["Begin".to_owned()] };
        package::assemble(Inputs {
            settings: &settings,
            workspace: &workspace,
            member: &workspace.members[0],
            target: &target,
            staged,
            version,
            changelog: Changelog { releases: vec![release] },
            time: TIME,
        })
        .expect("a package")
    }

    pub(crate) fn build(&self, target: &str, version: &str) -> Built {
        write(self.package(target, version, |_| {}))
    }
}

pub(crate) fn write(package: Package) -> Built {
    let directory = tempfile::tempdir().expect("a directory");
    let options = WriteOptions { compression: Some(Compression::Gzip), ..WriteOptions::default() };
    let written = format::write(&package, directory.path(), &options).expect("a package");
    Built { path: written.path, _directory: directory, notes: package.notes }
}
