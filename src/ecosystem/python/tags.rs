//! Which file of a locked package a target takes.
//!
//! The order of compatibility tags is the one of `packaging.tags` for CPython on glibc (PEP 425, PEP 600, PEP 656 does
//! not apply): first `cpXY` with its own ABI, the stable one and none, then older stable ABIs, then pure Python with a
//! platform, then `any`; inside of each, the newest manylinux first. pip and uv rank the same way, so packhouse takes the
//! wheel that they would take, for interpreters that are not on this machine as well.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, VerbatimUrl};

use crate::target::{Architecture, PythonVersion, Target};

use super::pylock::{LockedFile, LockedPackage};

/// The longest wheel file name that is read; file systems have no longer ones.
const LONGEST_NAME: usize = 255;

/// A wheel's file name, taken apart: `name-version(-build)?-python-abi-platform.whl` (PEP 427).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    /// The distribution, as written.
    pub name: String,
    /// The version, as written (`_` stands for `-`).
    pub version: String,
    /// The build tag: its number and what follows.
    pub build: Option<(u64, String)>,
    /// `py2.py3` is `["py2", "py3"]`.
    pub pythons: Vec<String>,
    /// ABIs.
    pub abis: Vec<String>,
    /// Platforms.
    pub platforms: Vec<String>,
}

/// A text that is no wheel's file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a wheel (name-version-python-abi-platform.whl)")]
pub struct InvalidWheelName(pub String);

impl WheelName {
    /// Takes `file_name` apart.
    pub fn parse(file_name: &str) -> Result<Self, InvalidWheelName> {
        let invalid = || InvalidWheelName(file_name.chars().take(LONGEST_NAME).collect());
        let stem = file_name.strip_suffix(".whl").filter(|stem| stem.len() < LONGEST_NAME).ok_or_else(invalid)?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match parts.as_slice() {
            [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
            [name, version, build, python, abi, platform] => (name, version, Some(*build), [python, abi, platform]),
            _ => return Err(invalid()),
        };
        let good = |text: &str| {
            !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || "_.+!".contains(letter))
        };
        if !good(name) || !good(version) || !tags.iter().all(|tag| good(tag)) {
            return Err(invalid());
        }
        let build = match build {
            None => None,
            Some(build) => {
                let digits = build.chars().take_while(char::is_ascii_digit).count();
                let (number, rest) = build.split_at_checked(digits).ok_or_else(invalid)?;
                Some((number.parse().map_err(|_| invalid())?, rest.to_owned()))
            }
        };
        let [pythons, abis, platforms] = tags.map(|set| set.split('.').map(str::to_owned).collect());
        Ok(Self { name: (*name).to_owned(), version: (*version).to_owned(), build, pythons, abis, platforms })
    }
}

/// What a target offers to a wheel: a CPython, a glibc, a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PythonEnvironment {
    /// The interpreter.
    pub python: PythonVersion,
    /// `(2, 36)` for glibc 2.36.
    pub glibc: (u32, u32),
    /// The processor.
    pub architecture: Architecture,
}

/// A file that a target takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'a> {
    /// Is unpacked.
    Wheel(&'a LockedFile),
    /// Is built first: a source distribution or an archive of `vendor.txt`.
    Source(&'a LockedFile),
}

impl<'a> Choice<'a> {
    /// The file.
    pub fn file(self) -> &'a LockedFile {
        match self {
            Self::Wheel(file) | Self::Source(file) => file,
        }
    }
}

/// Why a locked package cannot be had in an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Its marker is no marker.
    #[error("the marker `{marker}` of {package} cannot be read: {reason}")]
    Marker {
        /// Name of the package.
        package: String,
        /// The marker.
        marker: String,
        /// What is wrong.
        reason: String,
    },
    /// Its Requires-Python excludes the interpreter, or is none.
    #[error("{package} needs Python {requires}, which CPython {python} does not meet")]
    Python {
        /// Name and version of the package.
        package: String,
        /// Its Requires-Python.
        requires: String,
        /// The environment's interpreter.
        python: PythonVersion,
    },
    /// None of its wheels fits and there is no source distribution.
    #[error("{package} has no wheel for {environment} and no source distribution (there are: {files})")]
    NoFile {
        /// Name and version of the package.
        package: String,
        /// The environment in words.
        environment: String,
        /// The wheels that are there.
        files: String,
    },
}

impl PythonEnvironment {
    /// The environment of `target` with its interpreter `python`.
    pub fn of(target: &Target, python: PythonVersion) -> Self {
        Self { python, glibc: target.distribution.glibc, architecture: target.architecture }
    }

    /// The platforms that it runs, best first: `manylinux_2_36_x86_64`, …, `linux_x86_64`.
    ///
    /// The oldest glibc of a profile is 2.5 on x86-64 and 2.17 elsewhere; the three named profiles of PEP 513, 571 and
    /// 599 follow the numbers that they stand for.
    pub fn platforms(&self) -> Vec<String> {
        let machine = self.architecture.machine();
        let oldest = match self.architecture {
            Architecture::X86_64 => 5,
            Architecture::Aarch64 => 17,
        };
        let mut platforms = Vec::new();
        let (major, newest) = self.glibc;
        if major == 2 {
            for minor in (oldest..=newest).rev() {
                platforms.push(format!("manylinux_2_{minor}_{machine}"));
                let named = match minor {
                    17 => "manylinux2014",
                    12 => "manylinux2010",
                    5 => "manylinux1",
                    _ => continue,
                };
                platforms.push(format!("{named}_{machine}"));
            }
        }
        platforms.push(format!("linux_{machine}"));
        platforms
    }

    /// Pairs of interpreter and ABI, best first; the flag says that it stands for the platform `any`.
    fn interpreters(&self) -> Vec<(String, String, bool)> {
        let PythonVersion { major, minor } = self.python;
        let own = format!("cp{major}{minor}");
        let mut pairs = Vec::new();
        for abi in [own.as_str(), "abi3", "none"] {
            pairs.push((own.clone(), abi.to_owned(), false));
        }
        pairs.extend((2..minor).rev().map(|older| (format!("cp{major}{older}"), "abi3".to_owned(), false)));
        let mut pure = vec![format!("py{major}{minor}"), format!("py{major}")];
        pure.extend((0..minor).rev().map(|older| format!("py{major}{older}")));
        pairs.extend(pure.iter().map(|python| (python.clone(), "none".to_owned(), false)));
        pairs.push((own, "none".to_owned(), true));
        pairs.extend(pure.into_iter().map(|python| (python, "none".to_owned(), true)));
        pairs
    }

    /// All tags that it accepts, as `python-abi-platform`, best first.
    pub fn tags(&self) -> Vec<String> {
        let platforms = self.platforms();
        let mut tags = Vec::new();
        for (python, abi, any) in self.interpreters() {
            if any {
                tags.push(format!("{python}-{abi}-any"));
            } else {
                tags.extend(platforms.iter().map(|platform| format!("{python}-{abi}-{platform}")));
            }
        }
        tags
    }

    /// What markers see (PEP 508). The patch level is taken as 0: of two ways that differ by it, the one for the older
    /// interpreter is taken, because a backport that is not needed does no harm while one that lacks does. Kernel and
    /// machine facts that a package must not depend on are empty.
    pub fn markers(&self) -> MarkerEnvironment {
        let version = self.python.to_string();
        let full = format!("{version}.0");
        let builder = MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &full,
            os_name: "posix",
            platform_machine: self.architecture.machine(),
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "Linux",
            platform_version: "",
            python_full_version: &full,
            python_version: &version,
            sys_platform: "linux",
        };
        // Only versions can fail, and these are digits and dots.
        #[allow(clippy::expect_used)]
        MarkerEnvironment::try_from(builder).expect("versions of digits and dots are PEP 440 versions")
    }

    /// The marker that is true in this environment and in those of other patch levels of it.
    pub fn marker(&self) -> String {
        format!(
            "implementation_name == 'cpython' and platform_machine == '{}' and python_version == '{}' and sys_platform == 'linux'",
            self.architecture.machine(),
            self.python
        )
    }

    /// Whether a `Requires-Python` admits the interpreter: some patch level of it is inside. Exclusions of early patch
    /// levels (`!=3.9.0,!=3.9.1`) do not exclude a distribution's interpreter.
    pub fn meets(&self, requires: &VersionSpecifiers) -> bool {
        let release = |patch| Version::new([u64::from(self.python.major), u64::from(self.python.minor), patch]);
        requires.contains(&release(0)) || requires.contains(&release(99))
    }

    /// Whether `package` is installed here: its marker is true, or there is none.
    pub fn wants(&self, package: &LockedPackage) -> Result<bool, Unusable> {
        match &package.marker {
            None => Ok(true),
            Some(marker) => match MarkerTree::parse_str::<VerbatimUrl>(marker) {
                Ok(tree) => Ok(tree.evaluate(&self.markers(), &[])),
                Err(error) => Err(Unusable::Marker {
                    package: package.name.clone(),
                    marker: marker.clone(),
                    reason: error.message.to_string(),
                }),
            },
        }
    }

    /// The file of `package` that is installed here; `None` when its marker says that it is not wanted. A package that
    /// is wanted and cannot be had is an error (PEP 751, "Installing").
    pub fn choose<'a>(&self, package: &'a LockedPackage) -> Result<Option<Choice<'a>>, Unusable> {
        if !self.wants(package)? {
            return Ok(None);
        }
        if let Some(requires) = &package.requires_python {
            let met = VersionSpecifiers::from_str(requires).is_ok_and(|specifiers| self.meets(&specifiers));
            if !met {
                return Err(Unusable::Python {
                    package: package.title(),
                    requires: requires.clone(),
                    python: self.python,
                });
            }
        }
        if let Some(archive) = &package.archive {
            if !archive.name.ends_with(".whl") {
                return Ok(Some(Choice::Source(archive)));
            }
            if let Some(wheel) = best_wheel(std::slice::from_ref(archive), self) {
                return Ok(Some(Choice::Wheel(wheel)));
            }
        }
        if let Some(wheel) = best_wheel(&package.wheels, self) {
            return Ok(Some(Choice::Wheel(wheel)));
        }
        if let Some(sdist) = &package.sdist {
            return Ok(Some(Choice::Source(sdist)));
        }
        let names: Vec<&str> = package.files().map(|file| file.name.as_str()).collect();
        Err(Unusable::NoFile {
            package: package.title(),
            environment: self.to_string(),
            files: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
        })
    }
}

impl std::fmt::Display for PythonEnvironment {
    /// `CPython 3.11 on x86_64 with glibc 2.36`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (major, minor) = self.glibc;
        write!(formatter, "CPython {} on {} with glibc {major}.{minor}", self.python, self.architecture.machine())
    }
}

/// The wheel among `files` that ranks best in `environment`; of equal rank the highest build number, of equal build the
/// first name. Files that are no wheels are passed over.
pub fn best_wheel<'a>(files: &'a [LockedFile], environment: &PythonEnvironment) -> Option<&'a LockedFile> {
    best_of(files, |file| &file.name, environment)
}

/// [`best_wheel`] over anything that has a file name.
pub fn best_of<'a, T>(files: &'a [T], name: impl Fn(&T) -> &str, environment: &PythonEnvironment) -> Option<&'a T> {
    let interpreters = environment.interpreters();
    let platforms = environment.platforms();
    let rank = |wheel: &WheelName| {
        interpreters
            .iter()
            .enumerate()
            .filter(|(_, (python, abi, _))| wheel.pythons.contains(python) && wheel.abis.contains(abi))
            .find_map(|(major, (_, _, any))| {
                if *any {
                    return wheel.platforms.iter().any(|platform| platform == "any").then_some((major, 0));
                }
                let minor = platforms.iter().position(|platform| wheel.platforms.contains(platform))?;
                Some((major, minor))
            })
    };
    files
        .iter()
        .filter_map(|file| {
            let wheel = WheelName::parse(name(file)).ok()?;
            Some(((rank(&wheel)?, std::cmp::Reverse(wheel.build), name(file).to_owned()), file))
        })
        .min_by(|left, right| left.0.cmp(&right.0))
        .map(|(_, file)| file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;
    use crate::ecosystem::python::pylock::Hashes;

    fn environment(minor: u8, glibc: u32) -> PythonEnvironment {
        PythonEnvironment { python: PythonVersion::three(minor), glibc: (2, glibc), architecture: Architecture::X86_64 }
    }

    fn files(names: &[&str]) -> Vec<LockedFile> {
        let file = |name: &&str| LockedFile {
            name: (*name).to_owned(),
            url: None,
            size: None,
            hashes: Hashes { sha256: Sha256::of(name.as_bytes()) },
        };
        names.iter().map(file).collect()
    }

    fn package(names: &[&str]) -> LockedPackage {
        LockedPackage {
            name: "x".to_owned(),
            version: Some("1".to_owned()),
            marker: None,
            requires_python: None,
            index: None,
            archive: None,
            sdist: None,
            wheels: files(names),
        }
    }

    #[test]
    fn a_wheel_name_with_a_build_tag_and_compressed_tags_is_taken_apart() {
        let wheel = WheelName::parse("foo_bar-1.0+local-2b-py2.py3-none-any.whl").unwrap();
        assert_eq!(wheel.name, "foo_bar");
        assert_eq!(wheel.version, "1.0+local");
        assert_eq!(wheel.build, Some((2, "b".to_owned())));
        assert_eq!(wheel.pythons, ["py2", "py3"]);
        for bad in
            ["foo-1.0.tar.gz", "foo-1.0-any.whl", "foo-1.0-x-py3-none-any.whl", "../f-1-py3-none-any.whl", ".whl"]
        {
            assert!(WheelName::parse(bad).is_err(), "{bad}");
        }
        assert!(WheelName::parse(&format!("{}-1-py3-none-any.whl", "a".repeat(300))).is_err());
    }

    #[test]
    fn the_best_wheel_is_by_interpreter_then_by_platform_then_by_build() {
        let of = |names: &[&str], environment| best_wheel(&files(names), &environment).map(|file| file.name.clone());
        let cryptography = [
            "cryptography-44.0.0-cp37-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "cryptography-44.0.0-cp37-abi3-manylinux_2_34_x86_64.whl",
            "cryptography-44.0.0-cp39-abi3-manylinux_2_28_x86_64.whl",
            "cryptography-44.0.0-cp39-abi3-manylinux_2_34_aarch64.whl",
            "cryptography-44.0.0-cp311-abi3-manylinux_2_35_x86_64.whl",
            "cryptography-44.0.0-cp39-abi3-musllinux_1_2_x86_64.whl",
        ];
        assert_eq!(of(&cryptography, environment(11, 36)).unwrap(), cryptography[4]);
        assert_eq!(of(&cryptography, environment(11, 34)).unwrap(), cryptography[2]);
        assert_eq!(of(&cryptography, environment(8, 34)).unwrap(), cryptography[1]);
        assert_eq!(of(&cryptography, environment(8, 31)).unwrap(), cryptography[0]);
        assert_eq!(
            of(&["a-1-1-py3-none-any.whl", "a-1-10-py3-none-any.whl", "a-1-py3-none-any.whl"], environment(11, 36))
                .unwrap(),
            "a-1-10-py3-none-any.whl"
        );
        assert_eq!(
            of(&["a-1-cp312-cp312-manylinux_2_17_x86_64.whl", "a-1-cp311-cp311-win_amd64.whl"], environment(11, 36)),
            None
        );
        assert_eq!(of(&["a-1-cp313-cp313t-manylinux_2_17_x86_64.whl"], environment(13, 41)), None, "free-threaded");
        assert_eq!(
            of(&["a-1-cp311-cp311-manylinux1_x86_64.whl"], environment(11, 36)).unwrap(),
            "a-1-cp311-cp311-manylinux1_x86_64.whl"
        );
    }

    /// The digests are those of the lists that `packaging.tags` 21.3 gives for these environments, one tag a line.
    #[test]
    fn the_tags_are_those_of_packaging_in_the_same_order() {
        let arm = PythonEnvironment { architecture: Architecture::Aarch64, ..environment(13, 41) };
        for (environment, count, digest) in [
            (environment(11, 36), 914, "383ffd2beb764fa9054698434f944b99ad76427d82d57c95382f2b5df9c80b33"),
            (arm, 799, "6cbbac0920b045b413973484cf7d20b270aaa320654956efbd509996eee5ef80"),
        ] {
            let tags = environment.tags();
            assert_eq!(tags.len(), count);
            assert_eq!(Sha256::of(tags.join("\n").as_bytes()).to_string(), digest, "{environment}");
        }
    }

    #[test]
    fn the_tags_begin_and_end_as_packaging_has_them() {
        let tags = environment(11, 36).tags();
        assert_eq!(tags.first().unwrap(), "cp311-cp311-manylinux_2_36_x86_64");
        assert_eq!(tags.last().unwrap(), "py30-none-any");
        let place = |tag: &str| tags.iter().position(|other| other == tag).unwrap();
        assert!(place("cp311-cp311-linux_x86_64") < place("cp311-abi3-manylinux_2_36_x86_64"));
        assert!(place("cp311-none-linux_x86_64") < place("cp310-abi3-manylinux_2_36_x86_64"));
        assert!(place("py311-none-linux_x86_64") < place("py3-none-manylinux_2_36_x86_64"));
        assert!(place("cp311-none-any") < place("py311-none-any"));
        assert!(place("cp311-cp311-manylinux_2_17_x86_64") + 1 == place("cp311-cp311-manylinux2014_x86_64"));
        assert_eq!(tags.len(), tags.iter().collect::<std::collections::BTreeSet<_>>().len());
    }

    #[test]
    fn a_marker_decides_whether_a_package_is_wanted_and_requires_python_whether_it_can_be_had() {
        let mut package = package(&["x-1-py3-none-any.whl"]);
        assert!(matches!(environment(11, 36).choose(&package), Ok(Some(Choice::Wheel(_)))));
        package.marker = Some("python_full_version < '3.11.3' and platform_machine == 'x86_64'".to_owned());
        assert!(environment(11, 36).choose(&package).unwrap().is_some());
        assert_eq!(environment(12, 36).choose(&package), Ok(None));
        package.marker = Some("this is none".to_owned());
        assert!(matches!(environment(11, 36).choose(&package), Err(Unusable::Marker { .. })));
        package.marker = None;
        package.requires_python = Some("!=3.11.0,>=3.7".to_owned());
        assert!(environment(11, 36).choose(&package).is_ok());
        package.requires_python = Some(">=3.12".to_owned());
        assert!(matches!(environment(11, 36).choose(&package), Err(Unusable::Python { .. })));
    }

    #[test]
    fn a_package_without_a_fitting_wheel_falls_back_to_its_source_or_is_refused() {
        let mut package = package(&["x-1-cp311-cp311-manylinux_2_38_x86_64.whl"]);
        let error = environment(11, 36).choose(&package).unwrap_err().to_string();
        assert!(error.contains("glibc 2.36") && error.contains("manylinux_2_38"), "{error}");
        package.sdist = files(&["x-1.tar.gz"]).pop();
        assert!(matches!(environment(11, 36).choose(&package), Ok(Some(Choice::Source(_)))));
        assert!(matches!(environment(11, 38).choose(&package), Ok(Some(Choice::Wheel(_)))));
    }

    #[test]
    fn the_marker_of_an_environment_is_true_in_it_and_in_no_other() {
        let mut wanted = package(&[]);
        wanted.marker = Some(environment(11, 36).marker());
        assert_eq!(environment(11, 36).wants(&wanted), Ok(true));
        assert_eq!(environment(13, 36).wants(&wanted), Ok(false));
        let other = PythonEnvironment { architecture: Architecture::Aarch64, ..environment(11, 36) };
        assert_eq!(other.wants(&wanted), Ok(false));
    }
}
