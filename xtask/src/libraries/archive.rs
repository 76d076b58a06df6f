//! The packages of a distribution, through apt: its signatures are checked, its proxies and caches are used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{root, run, say};

/// Where a distribution's packages are.
pub(super) struct Archive {
    /// The name in packhouse's table.
    pub(super) distribution: &'static str,
    pub(super) suite: &'static str,
    components: &'static str,
    pub(super) vendor: Vendor,
    /// Those that are in one place; Ubuntu keeps others on hosts of their own.
    pub(super) architectures: &'static [&'static str],
    /// A distribution of another vendor whose run-time stands for that of an architecture which is not there.
    pub(super) like: Option<&'static str>,
}

/// Who makes a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    Debian,
    Ubuntu,
}

impl Vendor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
        }
    }

    /// The archive that everybody knows.
    pub(super) fn mirror(self) -> &'static str {
        match self {
            Self::Debian => "http://deb.debian.org/debian",
            Self::Ubuntu => "http://archive.ubuntu.com/ubuntu",
        }
    }
}

const BOTH: &[&str] = &["amd64", "arm64"];

/// Of each distribution the release itself, without what came later: a dependency made from it holds on every machine.
pub(super) const ARCHIVES: &[Archive] = &[
    debian("debian-11", "bullseye"),
    debian("debian-12", "bookworm"),
    debian("debian-13", "trixie"),
    ubuntu("ubuntu-22.04", "jammy", "debian-12"),
    ubuntu("ubuntu-24.04", "noble", "debian-13"),
];

const fn debian(distribution: &'static str, suite: &'static str) -> Archive {
    Archive { distribution, suite, components: "main", vendor: Vendor::Debian, architectures: BOTH, like: None }
}

const fn ubuntu(distribution: &'static str, suite: &'static str, like: &'static str) -> Archive {
    Archive {
        distribution,
        suite,
        components: "main universe",
        vendor: Vendor::Ubuntu,
        architectures: &["amd64"],
        like: Some(like),
    }
}

/// A binary package.
pub(super) struct Binary {
    pub(super) package: String,
    pub(super) version: String,
    pub(super) source: String,
    pub(super) section: String,
    pub(super) architecture: String,
}

/// apt, with a world of its own below `target/libraries`.
pub(super) struct Apt {
    directory: PathBuf,
}

impl Apt {
    /// Fetches the lists of an archive.
    pub(super) fn new(archive: &Archive, architecture: &str, mirror: &str, keyring: &Path) -> Result<Self> {
        let directory = root().join("target/libraries").join(format!("{}-{architecture}", archive.distribution));
        for below in ["etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "debs"] {
            fs_err::create_dir_all(directory.join(below))?;
        }
        fs_err::write(directory.join("status"), "")?;
        let source = format!(
            "deb [arch={architecture} signed-by={}] {mirror} {} {}\n",
            keyring.display(),
            archive.suite,
            archive.components
        );
        fs_err::write(directory.join("etc/apt/sources.list"), source)?;
        let settings = format!(
            "Dir::State \"{0}/var/lib/apt\";\nDir::State::status \"{0}/status\";\nDir::Cache \"{0}/var/cache/apt\";\n\
             Dir::Etc::SourceList \"{0}/etc/apt/sources.list\";\nDir::Etc::SourceParts \"-\";\nDir::Etc::Preferences \"-\";\n\
             Dir::Etc::PreferencesParts \"{0}/etc/apt/preferences.d\";\nAPT::Architecture \"{architecture}\";\n\
             APT::Architectures {{ \"{architecture}\"; }};\nAcquire::Languages \"none\";\nAcquire::Retries \"3\";\n\
             APT::Sandbox::User \"root\";\nAcquire::Check-Valid-Until \"false\";\nAcquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n",
            directory.display()
        );
        fs_err::write(directory.join("apt.conf"), settings)?;
        let apt = Self { directory };
        say("Updating", &format!("{} {architecture}", archive.distribution));
        run(apt.command("apt-get").args(["update", "-q", "-o", "APT::Update::Error-Mode=any"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", self.directory.join("apt.conf")).env("LC_ALL", "C.UTF-8");
        command.current_dir(self.directory.join("debs"));
        command
    }

    /// All packages of the archive.
    pub(super) fn packages(&self) -> Result<Vec<Binary>> {
        let text = run(self.command("apt-cache").arg("dumpavail"))?;
        let stanzas = text.split("\n\n").filter(|stanza| !stanza.trim().is_empty());
        Ok(stanzas
            .map(|stanza| {
                let fields: BTreeMap<&str, &str> = stanza
                    .lines()
                    .filter(|line| !line.starts_with([' ', '\t']))
                    .filter_map(|line| line.split_once(": "))
                    .collect();
                let field = |name: &str| (*fields.get(name).unwrap_or(&"")).to_owned();
                let package = field("Package");
                // `Source: openssl (3.0.1)` where the versions differ; none where the names are one.
                let source = field("Source").split(' ').next().unwrap_or_default().to_owned();
                Binary {
                    source: if source.is_empty() { package.clone() } else { source },
                    version: field("Version"),
                    section: field("Section"),
                    architecture: field("Architecture"),
                    package,
                }
            })
            .collect())
    }

    /// Downloads packages, those that are there already excepted: where each is.
    pub(super) fn download(&self, packages: &[&Binary], architecture: &str) -> Result<Vec<PathBuf>> {
        let path = |binary: &Binary| {
            let name = format!("{}_{}_{architecture}.deb", binary.package, binary.version.replace(':', "%3a"));
            self.directory.join("debs").join(name)
        };
        let missing: Vec<String> = packages
            .iter()
            .filter(|binary| !path(binary).exists())
            .map(|binary| format!("{}={}", binary.package, binary.version))
            .collect();
        say("Downloading", &format!("{} of {} packages", missing.len(), packages.len()));
        for some in missing.chunks(100) {
            run(self.command("apt-get").args(["download", "-q"]).args(some))?;
        }
        Ok(packages.iter().map(|binary| path(binary)).collect())
    }
}
