//! What an unpacked source distribution says of itself: PKG-INFO, and the egg-info that setuptools leaves in it.
//!
//! PKG-INFO stands at the top of every source distribution
//! (<https://packaging.python.org/en/latest/specifications/source-distribution-format/>) and of no checkout, because it is
//! only written into the archive. It is what the build back end itself found out where there was a repository, so it says
//! what a manifest leaves to code or to git: it fills every field that the manifests do not settle. For the same reason
//! an unpacked source distribution is one package with all that lies below it, and its files are all its own: `.gitignore`
//! names those that are made when the archive is (`_version.py`), and egg-info/SOURCES.txt is what setuptools goes by
//! where there is no repository to ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pep508_rs::{ExtraName, Requirement};

use super::facts::{Dependencies, Facts, entry_point, metadata_requirement};
use super::ini;
use super::requirements::requirement::parse_plain;
use super::resolve::StaticMetadata;
use super::sdist::{Headers, egg_requirements};
use super::source::{Error, Source};
use crate::name::normalize;

/// Its name.
pub(super) const FILE: &str = "PKG-INFO";

/// Whether `directory` is an unpacked source distribution.
pub(super) fn is_unpacked(directory: &Path) -> bool {
    directory.join(FILE).is_file()
}

/// What it says; `None` when `directory` is no unpacked source distribution.
pub(super) fn read(directory: &Path) -> Result<Option<Facts>, Error> {
    let Some(source) = open(&directory.join(FILE))? else { return Ok(None) };
    let headers = Headers::parse(&source.text);
    let text = |key: &str| headers.first(key).filter(|text| !text.is_empty() && text != "UNKNOWN");
    let mut facts = Facts {
        name: text("name"),
        version: text("version"),
        summary: text("summary"),
        license: text("license-expression").or_else(|| text("license").filter(|license| license.len() < 80)),
        requires_python: text("requires-python"),
        files: vec![source.path.clone()],
        ..Facts::default()
    };
    let egg_info = egg_info(directory, facts.name.as_deref())?;
    let of_egg = match &egg_info {
        Some(egg_info) => Some(open(&egg_info.join("requires.txt"))?),
        None => None,
    };
    let metadata = match of_egg {
        _ if headers.is_final() => Some(headers.metadata()),
        Some(found) => {
            facts.files.extend(found.iter().map(|source| source.path.clone()));
            Some(egg_requirements(found.as_ref().map_or("", |source| source.text.as_str())))
        }
        None => Some(headers.metadata()).filter(|metadata| !metadata.requires_dist.is_empty()),
    };
    // What cannot be read leaves the manifests' own word, or that they have none.
    if let Some((dependencies, optional)) = metadata.and_then(|metadata| split(&source, &metadata).ok()) {
        facts.dependencies = Some(dependencies);
        facts.optional_dependencies = Some(optional);
    }
    if let Some(egg_info) = &egg_info {
        let mut scripts = Vec::new();
        if let Some(points) = open(&egg_info.join("entry_points.txt"))? {
            let sections = ini::parse(&points).unwrap_or_default();
            for entry in sections.iter().filter(|section| section.name == "console_scripts").flat_map(|it| &it.entries)
            {
                let (value, span) = entry.lines.first().cloned().unwrap_or_default();
                scripts.extend(entry_point(&points, &entry.key, &value, span));
            }
            facts.files.push(points.path);
        }
        facts.scripts = Some(scripts);
    }
    Ok(Some(facts))
}

/// Reads what tools have written, some of them long ago: what is no UTF-8 in it is no name that matters.
fn open(path: &Path) -> Result<Option<Source>, Error> {
    match Source::read_if_there(path) {
        Err(Error::Encoding { .. }) => {
            let bytes = fs_err::read(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
            Ok(Some(Source { path: path.to_path_buf(), text: String::from_utf8_lossy(&bytes).into_owned() }))
        }
        read => read,
    }
}

/// The egg-info directory of the package, at the top or one below it (`src/`).
fn egg_info(directory: &Path, name: Option<&str>) -> Result<Option<PathBuf>, Error> {
    let mut found = Vec::new();
    let below = |directory: &Path| -> Result<Vec<PathBuf>, Error> {
        let failed = |source| Error::Read { path: directory.to_path_buf(), source };
        let mut directories = Vec::new();
        for entry in fs_err::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                directories.push(entry.path());
            }
        }
        directories.sort();
        Ok(directories)
    };
    let is_egg = |path: &Path| path.extension().is_some_and(|extension| extension == "egg-info");
    for path in below(directory)? {
        if is_egg(&path) {
            found.push(path);
        } else {
            found.extend(below(&path)?.into_iter().filter(|path| is_egg(path)));
        }
    }
    let is_ours = |path: &PathBuf| {
        let stem = path.file_stem().map(|stem| normalize(&stem.to_string_lossy()));
        name.is_none_or(|name| stem == Some(normalize(name)))
    };
    Ok(found.into_iter().find(is_ours))
}

/// Requirements of everybody, and those of each extra.
fn split(source: &Source, metadata: &StaticMetadata) -> Result<(Dependencies, BTreeMap<String, Vec<String>>), Error> {
    let mut dependencies = Dependencies::default();
    let mut optional: BTreeMap<String, Vec<String>> =
        metadata.extras.iter().map(|extra| (normalize(extra), Vec::new())).collect();
    for text in &metadata.requires_dist {
        let at = source.text.find(text.as_str()).unwrap_or_default();
        let span = at..at + if source.text.contains(text.as_str()) { text.len() } else { 0 };
        let requirement = parse_plain(text);
        let Some(requirement) = requirement.filter(|requirement| !requirement.marker.evaluate_extras(&[])) else {
            dependencies.push(metadata_requirement(source, text, span)?);
            continue;
        };
        for (extra, requirements) in &mut optional {
            let Ok(extra) = extra.parse::<ExtraName>() else { continue };
            if requirement.marker.evaluate_extras(std::slice::from_ref(&extra)) {
                let marker = requirement.marker.clone().simplify_extras(&[extra]);
                requirements.push(Requirement { marker, ..requirement.clone() }.to_string());
            }
        }
    }
    Ok((dependencies, optional))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystem::python::project;

    fn unpacked(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        directory
    }

    fn project(files: &[(&str, &str)]) -> project::Project {
        project::read(unpacked(files).path()).unwrap().unwrap()
    }

    #[test]
    fn a_version_that_stands_in_git_alone_is_that_of_the_archive() {
        let manifest = "[project]\nname = \"x-y\"\ndynamic = [\"version\"]\n[build-system]\nrequires = [\"hatch-vcs\"]\nbuild-backend = \"hatchling.build\"\n";
        let files = [("pyproject.toml", manifest), ("PKG-INFO", "Metadata-Version: 2.4\nName: x_y\nVersion: 1.2\n")];
        assert_eq!(project(&files).version.as_deref(), Some("1.2"));
        let other = [("pyproject.toml", manifest), ("PKG-INFO", "Metadata-Version: 2.4\nName: other\nVersion: 1.2\n")];
        assert_eq!(project(&other).version, None, "the PKG-INFO of another package");
    }

    #[test]
    fn what_setup_py_computes_is_taken_from_what_setuptools_wrote_into_the_archive() {
        let project = project(&[
            ("setup.py", "from setuptools import setup\nimport sys\nsetup(**dict(eval(sys.argv[1])))\n"),
            ("PKG-INFO", "Metadata-Version: 2.1\nName: Tool.Box\nVersion: 3\nSummary: Tools\nRequires-Python: >=3.9\n"),
            ("src/tool_box.egg-info/requires.txt", "six>=1\n\n[color]\nblessed\n\n[color:os_name=='nt']\ncolorama\n"),
            (
                "src/tool_box.egg-info/entry_points.txt",
                "[console_scripts]\nbox = tool.box:main [color]\n[other]\na = b\n",
            ),
            ("requirements.txt", "pytest\n"),
        ]);
        assert_eq!((project.name.as_str(), project.version.as_deref()), ("Tool.Box", Some("3")));
        let needs: Vec<&str> = project.dependencies.iter().map(|line| line.requirement.as_str()).collect();
        assert_eq!(needs, ["six>=1"], "requirements.txt is for those who work on it");
        assert_eq!(project.optional_dependencies["color"], ["blessed", "colorama ; os_name == 'nt'"]);
        assert_eq!(project.console_scripts[0].name, "box");
        assert_eq!(project.requires_python.as_deref(), Some(">=3.9"));
        // PKG-INFO knows nothing of these.
        let is_known = |line: &String| line.contains("license") || line.contains("setup_requires");
        assert!(project.unread.iter().all(is_known), "{:?}", project.unread);
        assert_eq!(project.files.len(), 4);
    }

    #[test]
    fn what_the_manifest_states_is_not_overridden() {
        let manifest = "[project]\nname = \"x\"\nversion = \"2\"\ndependencies = [\"six\"]\n";
        let info = "Metadata-Version: 2.4\nName: x\nVersion: 1\nRequires-Dist: other\n";
        let project = project(&[("pyproject.toml", manifest), ("PKG-INFO", info)]);
        assert_eq!(project.version.as_deref(), Some("2"));
        assert_eq!(project.dependencies[0].requirement, "six");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(Name|Version|Requires-Dist|Provides-Extra|Metadata-Version)?:? ?\\PC{0,40}\n?") {
            let _ = read(unpacked(&[("PKG-INFO", &text)]).path());
        }
    }
}
