//! What the tests of repositories share: packages made by the distributions' own tools, keys made once, and clients.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use packhouse::repo::keys::{self, Algorithm, NewKey, SecretKey};
use packhouse::repo::sign::Signer;
use packhouse::repo::{self, Item, NewRepository, PublishOptions, Published, RepoError, Repository};
use packhouse::report::Silent;

pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs().try_into().expect("before 2262")
}

/// A small key that is made once per run of a test.
pub(crate) fn key() -> &'static SecretKey {
    static KEY: OnceLock<SecretKey> = OnceLock::new();
    KEY.get_or_init(|| new_key(Algorithm::Ed25519))
}

pub(crate) fn new_key(algorithm: Algorithm) -> SecretKey {
    let new = NewKey {
        user_id: "Acme <packages@acme.example>",
        algorithm,
        time: now() - 10,
        expires_after: None,
        passphrase: None,
    };
    keys::generate(&new).expect("a key")
}

pub(crate) fn signer() -> Signer {
    key().signer(None, now()).expect("a usable key")
}

/// A repository in a directory of its own, and a place for everything else.
pub(crate) struct Bench {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) repository: Repository,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_key(key())
    }

    pub(crate) fn with_key(key: &SecretKey) -> Self {
        let directory = tempfile::Builder::new().prefix("repository").tempdir().expect("a directory");
        let new = NewRepository {
            origin: "Acme",
            label: "Acme",
            description: "Packages of Acme",
            url: None,
            key: &key.public(),
        };
        let repository = repo::init(&directory.path().join("repo"), &new).expect("a repository");
        Self { directory, repository }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// A path in the repository.
    pub(crate) fn published(&self, relative: &str) -> PathBuf {
        self.repository.root().join(relative)
    }

    pub(crate) fn publish(&mut self, suite: &str, packages: &[&Path]) -> Result<Published, RepoError> {
        self.publish_with(suite, packages, false, &signer())
    }

    pub(crate) fn publish_with(
        &mut self,
        suite: &str,
        packages: &[&Path],
        force: bool,
        signer: &Signer,
    ) -> Result<Published, RepoError> {
        let items: Vec<Item> = packages
            .iter()
            .map(|path| Item {
                path: path.to_path_buf(),
                suite: suite.to_owned(),
                component: "main".to_owned(),
                sha256: None,
            })
            .collect();
        let options = PublishOptions { force, ..PublishOptions::of(signer, now(), &Silent) };
        repo::publish(&mut self.repository, &items, &options)
    }

    /// Gives a yum suite group metadata.
    pub(crate) fn groups(&mut self, suite: &str, comps: &Path) -> Result<(), RepoError> {
        let signer = signer();
        repo::set_groups(&mut self.repository, suite, comps, &PublishOptions::of(&signer, now(), &Silent))
    }

    /// Sets an option of an apt suite.
    pub(crate) fn option(&self, suite: &str, name: &str, value: serde_json::Value) {
        let path = self.published("packhouse-repository.json");
        let mut all: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        all["apt"][suite][name] = value;
        std::fs::write(path, all.to_string()).expect("written");
    }

    /// A .deb made by dpkg-deb.
    pub(crate) fn deb(&self, name: &str, version: &str, architecture: &str) -> PathBuf {
        self.deb_with(name, version, architecture, "one", "")
    }

    /// A .deb with this content, and these lines in its control file.
    pub(crate) fn deb_with(
        &self,
        name: &str,
        version: &str,
        architecture: &str,
        content: &str,
        fields: &str,
    ) -> PathBuf {
        let work = tempfile::TempDir::new_in(self.directory.path()).expect("a directory");
        let tree = work.path().join("tree");
        write(
            &tree.join("DEBIAN/control"),
            &format!(
                "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Acme <a@acme.example>\n{fields}Description: a test\n of packages\n .\n and more\n"
            ),
        );
        write(&tree.join(format!("usr/share/{name}/file")), content);
        let path = self.path(&format!("{name}-{}.deb", work.path().file_name().expect("a name").to_string_lossy()));
        run(Command::new("dpkg-deb").args(["--root-owner-group", "-Zgzip", "-b"]).arg(&tree).arg(&path));
        path
    }

    /// An .rpm made by rpmbuild; `body` goes into its preamble.
    pub(crate) fn rpm(&self, name: &str, version: &str, content: &str, preamble: &str) -> PathBuf {
        let work = tempfile::TempDir::new_in(self.directory.path()).expect("a directory");
        let spec = work.path().join("x.spec");
        write(
            &spec,
            &format!(
                "%global __os_install_post %{{nil}}\nName: {name}\nVersion: {version}\nRelease: 1.el9\nSummary: A <test> & more\nLicense: MIT\nBuildArch: noarch\nAutoReqProv: no\n{preamble}\n%description\nSeveral\nlines, \"quoted\".\n%install\nmkdir -p %{{buildroot}}/usr/bin %{{buildroot}}/etc %{{buildroot}}/usr/lib/{name}\necho '{content}' >%{{buildroot}}/usr/bin/{name}\necho x >%{{buildroot}}/etc/{name}.conf\necho y >%{{buildroot}}/usr/lib/{name}/data\n%files\n/usr/bin/{name}\n%config(noreplace) /etc/{name}.conf\n%dir /usr/lib/{name}\n/usr/lib/{name}/data\n%ghost /usr/lib/{name}/cache\n%changelog\n* Mon Jan 05 2026 Acme <a@acme.example> - {version}-1\n- second <change>\n* Thu Jan 01 2026 Acme <a@acme.example> - 0.1-1\n- first\n"
            ),
        );
        let top = work.path().join("top");
        run(Command::new("rpmbuild")
            .env("HOME", work.path())
            .arg("--define")
            .arg(format!("_topdir {}", top.display()))
            .arg("-bb")
            .arg(&spec));
        let built = top.join(format!("RPMS/noarch/{name}-{version}-1.el9.noarch.rpm"));
        let path = self.path(&format!("{name}-{}.rpm", work.path().file_name().expect("a name").to_string_lossy()));
        std::fs::rename(built, &path).expect("a package");
        path
    }

    /// Every file of the repository that clients may see, with its content.
    pub(crate) fn visible(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        for entry in walk(self.repository.root()) {
            if !entry.strip_prefix(self.repository.root()).expect("below").starts_with(".packhouse") {
                let content = std::fs::read(&entry).expect("readable");
                files.push((entry, content));
            }
        }
        files.sort();
        files
    }
}

pub(crate) fn walk(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    std::fs::write(path, text).expect("written");
}

/// Runs a command that must succeed; gives what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{command:?}\n{}", both(&output));
    both(&output)
}

pub(crate) fn output(command: &mut Command) -> Output {
    command.env("LC_ALL", "C.UTF-8").output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

pub(crate) fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An apt of its own: no packages installed, no sources but the given one.
///
/// From `file:` apt takes packages where they are; from `copy:` it downloads them.
pub(crate) struct Apt {
    root: PathBuf,
}

impl Apt {
    pub(crate) fn new(bench: &Bench, name: &str, sources: &str) -> Self {
        let root = bench.path(name);
        for directory in [
            "etc/apt/apt.conf.d",
            "etc/apt/preferences.d",
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
        ] {
            std::fs::create_dir_all(root.join(directory)).expect("a directory");
        }
        write(&root.join("var/lib/dpkg/status"), "");
        write(&root.join("etc/apt/sources.list.d/test.sources"), sources);
        write(
            &root.join("apt.conf"),
            &format!(
                "Dir \"{0}/\";\nDir::State::status \"{0}/var/lib/dpkg/status\";\nDir::Bin::methods \"/usr/lib/apt/methods\";\n\
                 Dir::Bin::dpkg \"/usr/bin/dpkg\";\nAPT::Architecture \"amd64\";\nAPT::Architectures \"amd64\";\n\
                 APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::Check-Valid-Until \"true\";\n",
                root.display()
            ),
        );
        Self { root }
    }

    /// Adds to its configuration.
    pub(crate) fn configure(&self, text: &str) {
        let path = self.root.join("apt.conf");
        let held = std::fs::read_to_string(&path).expect("read");
        write(&path, &(held + text));
    }

    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Output {
        output(Command::new(program).env("APT_CONFIG", self.root.join("apt.conf")).args(arguments))
    }

    /// The packages that apt sees, after `apt-get update`; an error with its output when that failed.
    pub(crate) fn update(&self) -> Result<Vec<String>, String> {
        let update = self.command("apt-get", &["update", "-o", "APT::Update::Error-Mode=any"]);
        if !update.status.success() {
            return Err(both(&update));
        }
        let available = self.command("apt-cache", &["dumpavail"]);
        let text = String::from_utf8_lossy(&available.stdout).into_owned();
        let mut names: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Downloads a package as an installation would; an error with apt's output when that failed.
    pub(crate) fn download(&self, package: &str) -> Result<PathBuf, String> {
        let install = self.command("apt-get", &["install", "--download-only", "--yes", package]);
        if !install.status.success() {
            return Err(both(&install));
        }
        let archives = self.root.join("var/cache/apt/archives");
        let found = walk(&archives).into_iter().find(|path| {
            path.extension().is_some_and(|extension| extension == "deb")
                && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{package}_")))
        });
        found.ok_or_else(|| both(&install))
    }
}

/// A dnf of its own, with its root and its cache.
pub(crate) struct Dnf {
    root: PathBuf,
}

impl Dnf {
    pub(crate) fn new(bench: &Bench, name: &str, repo: &str) -> Self {
        let root = bench.path(name);
        std::fs::create_dir_all(root.join("root")).expect("a directory");
        write(&root.join("repos/test.repo"), repo);
        write(
            &root.join("dnf.conf"),
            &format!(
                "[main]\nreposdir={0}/repos\ncachedir={0}/cache\nlogdir={0}/log\npersistdir={0}/persist\nplugins=0\ngpgcheck=1\nmetadata_expire=0\n",
                root.display()
            ),
        );
        Self { root }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.root.join("root")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("dnf");
        command.env("HOME", &self.root).arg("-c").arg(self.root.join("dnf.conf"));
        command.arg(format!("--installroot={}", self.root().display()));
        output(command.args(["--releasever=9", "--forcearch=x86_64", "-y"]).args(arguments))
    }

    /// The packages that dnf sees, from fresh metadata. dnf ends well when it refuses a repository: only this list tells.
    pub(crate) fn packages(&self) -> Vec<String> {
        let query = self.command(&["--refresh", "-q", "repoquery", "--qf", "%{name}-%{evr}"]);
        let text = String::from_utf8_lossy(&query.stdout).into_owned();
        let mut names: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        names.sort();
        names
    }
}
