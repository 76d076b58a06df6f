//! `Provides: bundled(…)`: what an RPM carries inside, so that one who looks for a vulnerable version finds it (Fedora's
//! packaging guidelines, "Bundling and Duplication of system libraries").
//!
//! `bundled(…)` never fulfils a dependency of another package: nothing requires such a name. Python's are written as
//! `pythonbundles.py` of python-rpm-macros writes them, crates as cargo2rpm does; their versions must be read by rpm,
//! which knows neither SemVer nor PEP 440.

use std::str::FromStr as _;

use percent_encoding::percent_decode_str;

use super::Component;
use crate::name::normalize;
use crate::target::Target;
use crate::workspace::{EcosystemKind, Workspace};

/// The Provides for all that is vendored; the repository's own packages are no one else's.
pub(super) fn provides(components: &[Component], workspace: &Workspace, target: &Target) -> Vec<String> {
    // EL 8's rpm cannot read `^`; what is separated by `+` sorts after the release as well.
    let after = if target.distribution.rpm.is_some_and(|rpm| rpm < (4, 15)) { '+' } else { '^' };
    let one = |component: &Component| {
        let (ecosystem, name, version) = parts(&component.purl)?;
        let (capability, version) = match ecosystem {
            EcosystemKind::Python => (format!("python3dist({})", normalize(&name)), python_version(&version, after)),
            EcosystemKind::Rust => (format!("crate({name})"), Some(crate_version(&version))),
        };
        let same = |member: &str| match ecosystem {
            EcosystemKind::Python => normalize(member) == normalize(&name),
            EcosystemKind::Rust => member == name,
        };
        let own = workspace.members.iter().any(|member| member.ecosystem == ecosystem && same(&member.ecosystem_name));
        let version = version.map(|version| format!(" = {version}")).unwrap_or_default();
        (!own).then(|| format!("bundled({capability}){version}"))
    };
    components.iter().filter_map(one).collect()
}

/// Ecosystem, name and version of a package URL; `None` when it is of neither ecosystem.
fn parts(purl: &str) -> Option<(EcosystemKind, String, String)> {
    let (ecosystem, rest) = match purl.strip_prefix("pkg:pypi/") {
        Some(rest) => (EcosystemKind::Python, rest),
        None => (EcosystemKind::Rust, purl.strip_prefix("pkg:cargo/")?),
    };
    let (name, version) = rest.split_once('@')?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((ecosystem, plain(name), plain(version)))
}

/// A version of PEP 440 as `RpmVersion` of rpm's `pythondistdeps.py` writes it: without zeros at the end, without what is
/// local; `None` when it is no version.
fn python_version(text: &str, after: char) -> Option<String> {
    let version = pep440_rs::Version::from_str(text).ok()?;
    let mut release: Vec<u64> = version.release().to_vec();
    while release.len() > 1 && release.last() == Some(&0) {
        release.pop();
    }
    let numbers: Vec<String> = release.iter().map(u64::to_string).collect();
    let epoch = if version.epoch() == 0 { String::new() } else { format!("{}:", version.epoch()) };
    let rest = match (version.pre(), version.dev(), version.post()) {
        (Some(pre), _, _) => format!("~{}{}", pre.kind, pre.number),
        (None, Some(dev), _) => format!("~~dev{dev}"),
        (None, None, Some(post)) => format!("{after}post{post}"),
        (None, None, None) => String::new(),
    };
    Some(format!("{epoch}{}{rest}", numbers.join(".")))
}

/// A version of SemVer as cargo2rpm writes it.
fn crate_version(text: &str) -> String {
    let (version, build) = text.split_once('+').unwrap_or((text, ""));
    let (release, pre) = version.split_once('-').unwrap_or((version, ""));
    let mut spelt = release.to_owned();
    for (mark, part) in [('~', pre), ('+', build)] {
        if !part.is_empty() {
            spelt.push(mark);
            spelt.push_str(&part.replace('-', "_"));
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::relation::{RelationKind, rpm};

    const VERSIONS: [(&str, &str); 9] = [
        ("1.0", "1"),
        ("2026.10.18", "2026.10.18"),
        ("1!2.0.0", "1:2"),
        ("1.0rc1", "1~rc1"),
        ("1.2.0a3.dev4", "1.2~a3"),
        ("1.2.dev4", "1.2~~dev4"),
        ("1.2.post4", "1.2^post4"),
        ("1.2+cu118", "1.2"),
        ("0", "0"),
    ];

    #[test]
    fn versions_are_those_of_fedoras_generators() {
        for (text, spelt) in VERSIONS {
            assert_eq!(python_version(text, '^').as_deref(), Some(spelt), "{text}");
        }
        assert_eq!(python_version("1.2.post4", '+').as_deref(), Some("1.2+post4"));
        for (text, spelt) in [
            ("1.2.3", "1.2.3"),
            ("1.0.0-rc.1", "1.0.0~rc.1"),
            ("0.1.0-a-b+x.y-z", "0.1.0~a_b+x.y_z"),
            ("1.0.0+1", "1.0.0+1"),
        ] {
            assert_eq!(crate_version(text), spelt);
            let whole = format!("bundled(crate(x)) = {spelt}");
            assert_eq!(rpm::parse(RelationKind::Provides, &whole).map(|found| found.to_string()), Ok(whole));
        }
    }

    #[test]
    fn package_urls_are_read() {
        let parts = |purl| parts(purl).map(|(_, name, version)| format!("{name} {version}"));
        assert_eq!(parts("pkg:cargo/x@1.0.0%2Bb").as_deref(), Some("x 1.0.0+b"));
        assert_eq!(parts("pkg:pypi/y@1%212.0").as_deref(), Some("y 1!2.0"));
        assert_eq!(parts("pkg:generic/z@1"), None);
    }

    /// rpm ships the script that Fedora's Python packages are made with.
    #[test]
    fn pythons_versions_are_those_of_pythondistdeps() {
        let script = "import importlib.util, sys\n\
                      from importlib.machinery import SourceFileLoader\n\
                      m = SourceFileLoader('d', '/usr/lib/rpm/pythondistdeps.py').load_module()\n\
                      print('\\n'.join(str(m.RpmVersion(v)) for v in sys.argv[1:]))";
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-W", "ignore", "-c", script]).args(VERSIONS.map(|(text, _)| text));
        let output = command.output().expect("python3");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.lines().collect::<Vec<_>>(), VERSIONS.map(|(_, spelt)| spelt), "{complaint}");
    }
}
