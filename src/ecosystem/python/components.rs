//! What is inside an environment, from the wheels' own metadata ("Core metadata specifications", PEP 639) and the lock: for
//! the copyright file and the SBOM.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use super::environment::{self, Destination, Part, Place};
use super::pylock::{LockedFile, PyLock};
use super::store::UnpackedWheel;
use crate::digest::Sha256;
use crate::name::normalize;
use crate::package::{Component, LicenseFile, SourceArtefact, is_license_file, package_url_part};
use crate::tree::{Content, InstallPath};

/// At most so many licence files of one component are looked at.
const MOST_FILES: usize = 200;
/// At most so many paths of one component are listed; files outside site-packages beyond that are the package's.
const MOST_PATHS: usize = 500;

/// What the components are taken from.
pub(super) struct Installed<'a> {
    pub(super) place: &'a Place,
    /// All that is installed, the service's own wheel among them.
    pub(super) parts: &'a [Part],
    /// The service's own wheel: it is the package itself and no component.
    pub(super) own: &'a UnpackedWheel,
    pub(super) lock: &'a PyLock,
}

/// The components, in the order of their package URLs.
pub(super) fn components(installed: &Installed<'_>) -> io::Result<Vec<Component>> {
    let Installed { place, parts, own, lock } = installed;
    let locals: BTreeSet<&str> = lock.tool.packhouse.local.keys().map(String::as_str).collect();
    let owners = Owners::of(parts);
    let wheels: Vec<&UnpackedWheel> = parts.iter().map(|part| part.wheel.as_ref()).collect();
    let purls: BTreeMap<String, String> = wheels
        .iter()
        .map(|wheel| {
            let name = normalize(wheel.name());
            let kind = if locals.contains(name.as_str()) { "generic" } else { "pypi" };
            let purl = format!("pkg:{kind}/{name}@{}", package_url_part(wheel.version()));
            (name, purl)
        })
        .collect();
    let direct: BTreeSet<String> = required(&Fields::read(&metadata(own)?)).collect();
    let mut components = Vec::new();
    for (number, wheel) in wheels.iter().enumerate().filter(|(_, wheel)| wheel.sha256() != own.sha256()) {
        let fields = Fields::read(&metadata(wheel)?);
        let name = normalize(wheel.name());
        let paths = owners.paths(number, wheel, place);
        let mut license_files = license_files(wheel, &fields, place);
        let license = fields.first("License-Expression").or_else(|| fields.first("License"));
        // Some have the whole text in the field.
        if let Some(text) = license.filter(|text| text.contains('\n') && license_files.is_empty()) {
            let content = Content::bytes(text.as_bytes());
            license_files.push(LicenseFile { name: "METADATA (License)".to_owned(), content, installed: None });
        }
        let license = license.filter(|text| !text.eq_ignore_ascii_case("unknown") && !text.contains('\n'));
        let classifiers = fields.all("Classifier").filter_map(|text| text.strip_prefix("License :: "));
        let needed = required(&fields).filter(|needed| *needed != name);
        components.push(Component {
            purl: purls.get(&name).cloned().unwrap_or_default(),
            version: wheel.version().to_owned(),
            license: license.map(str::to_owned),
            classifiers: classifiers.map(|text| text.trim().to_owned()).collect(),
            license_files,
            authors: authors(&fields),
            artefact: artefact(wheel, &name, lock),
            dependencies: needed.filter_map(|needed| purls.get(&needed).cloned()).collect(),
            direct: direct.contains(&name),
            own: locals.contains(name.as_str()),
            paths,
            sboms: sboms(wheel, place),
            name,
            ..Component::default()
        });
    }
    components.sort_by(|left, right| left.purl.cmp(&right.purl));
    Ok(components)
}

fn metadata(wheel: &UnpackedWheel) -> io::Result<String> {
    Ok(wheel.metadata("METADATA")?.unwrap_or_default())
}

/// The header fields of METADATA, in their order, with what is folded into them.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(metadata: &str) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        // Only a line with nothing in it ends the header: texts that are folded in have lines of blanks.
        for line in metadata.lines().take_while(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim().trim_start_matches('|'));
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.to_owned(), value.trim().to_owned()));
            }
        }
        Self(fields)
    }

    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let fields = self.0.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    fn first<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }
}

/// The normalised names of `Requires-Dist`, without those that an extra brings.
fn required(fields: &Fields) -> impl Iterator<Item = String> {
    fields.all("Requires-Dist").filter_map(|text| {
        let (requirement, marker) = text.split_once(';').unwrap_or((text, ""));
        let end = requirement.find(|character: char| !(character.is_ascii_alphanumeric() || "._-".contains(character)));
        let name = requirement.get(..end.unwrap_or(requirement.len())).unwrap_or_default();
        (!name.is_empty() && !marker.contains("extra")).then(|| normalize(name))
    })
}

/// `Author` and `Author-email`, else `Maintainer` and `Maintainer-email`.
fn authors(fields: &Fields) -> Vec<String> {
    for (name, mail) in [("Author", "Author-email"), ("Maintainer", "Maintainer-email")] {
        let found = match (fields.first(name), fields.first(mail)) {
            (Some(name), Some(mail)) if !name.contains('@') && !mail.contains('<') && !mail.contains(',') => {
                vec![format!("{name} <{mail}>")]
            }
            (Some(name), _) => vec![name.to_owned()],
            (None, Some(mails)) => mails.split(">,").map(|mail| mail.trim().trim_matches('"').to_owned()).collect(),
            (None, None) => continue,
        };
        return found
            .into_iter()
            .map(|author| if author.contains('<') && !author.contains('>') { format!("{author}>") } else { author })
            .collect();
    }
    Vec::new()
}

/// Licence files: those that `License-File` names, those in `licenses/` of the dist-info directory (PEP 639), and what has
/// the name of one in it.
fn license_files(wheel: &UnpackedWheel, fields: &Fields, place: &Place) -> Vec<LicenseFile> {
    let named: BTreeSet<&str> = fields.all("License-File").collect();
    let mut found = Vec::new();
    for file in wheel.files() {
        let Some(below) = file.path.strip_prefix(wheel.dist_info()).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let of_folder = below.strip_prefix("licenses/").or_else(|| below.strip_prefix("license_files/"));
        let last = below.rsplit('/').next().unwrap_or(below);
        let is_one = of_folder.is_some() || named.contains(below) || is_license_file(last);
        if is_one && found.len() < MOST_FILES {
            let installed = place.prefix.join(&format!("{}/{}", place.site(), file.path)).ok();
            let name = of_folder.unwrap_or(below).to_owned();
            found.push(LicenseFile { name, content: wheel.content(file), installed });
        }
    }
    found
}

/// SBOMs in the dist-info directory (PEP 770).
fn sboms(wheel: &UnpackedWheel, place: &Place) -> Vec<InstallPath> {
    let directory = format!("{}/sboms/", wheel.dist_info());
    let files = wheel.files().iter().filter(|file| file.path.starts_with(&directory));
    files
        .filter_map(|file| place.prefix.join(&format!("{}/{}", place.site(), file.path)).ok())
        .take(MOST_FILES)
        .collect()
}

/// What the lock says of the file: of the wheel itself, else of the source that it was built from.
fn artefact(wheel: &UnpackedWheel, name: &str, lock: &PyLock) -> Option<SourceArtefact> {
    let digest: Sha256 = wheel.sha256();
    let packages = || lock.packages.iter().filter(|package| package.name == name);
    let exact = packages().flat_map(|package| package.files()).find(|file| file.hashes.sha256 == digest);
    let source = || packages().flat_map(|package| package.archive.iter().chain(&package.sdist)).next();
    let file: &LockedFile = exact.or_else(source)?;
    Some(SourceArtefact {
        sha256: Some(file.hashes.sha256),
        url: file.url.as_deref().and_then(public_url),
        is_checkout: false,
    })
}

/// An address of the web, without credentials, query and fragment; `None` for files of this machine.
fn public_url(text: &str) -> Option<String> {
    let mut url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}

/// Which directories of site-packages are one wheel's alone. Namespace packages are several wheels'.
struct Owners<'a> {
    directories: HashMap<&'a str, Option<usize>>,
}

impl<'a> Owners<'a> {
    fn of(parts: &'a [Part]) -> Self {
        let mut directories: HashMap<&'a str, Option<usize>> = HashMap::new();
        for (number, part) in parts.iter().enumerate() {
            for file in part.wheel.files() {
                for directory in directories_of(site_path(&part.wheel, &file.path)) {
                    let owner = directories.entry(directory).or_insert(Some(number));
                    if *owner != Some(number) {
                        *owner = None;
                    }
                }
            }
        }
        Self { directories }
    }

    /// The highest paths that are the alone of the wheel with this number.
    fn paths(&self, number: usize, wheel: &UnpackedWheel, place: &Place) -> Vec<InstallPath> {
        let mut found: BTreeSet<InstallPath> = BTreeSet::new();
        for file in wheel.files() {
            let below = match environment::destination(wheel, file) {
                Some(Destination::Site(path)) => {
                    let mut directories: Vec<&str> = directories_of(&path).collect();
                    directories.reverse();
                    let alone = directories
                        .into_iter()
                        .find(|directory| self.directories.get(*directory).copied().flatten() == Some(number));
                    format!("{}/{}", place.site(), alone.unwrap_or(&path))
                }
                Some(Destination::Script(name)) => format!("bin/{name}"),
                Some(Destination::Prefix(path)) => path,
                Some(Destination::Nowhere) | None => continue,
            };
            if let Ok(path) = place.prefix.join(&below)
                && found.len() < MOST_PATHS
            {
                found.insert(path);
            }
        }
        found.into_iter().collect()
    }
}

/// A file's path relative to site-packages; what goes elsewhere stays as it is, and shares no directory with these.
fn site_path<'a>(wheel: &UnpackedWheel, path: &'a str) -> &'a str {
    let data = wheel.data();
    let below = path.strip_prefix(data.as_str()).and_then(|rest| rest.strip_prefix('/'));
    below.and_then(|below| below.strip_prefix("purelib/").or_else(|| below.strip_prefix("platlib/"))).unwrap_or(path)
}

/// The directories that a path is in, the nearest first.
fn directories_of(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').filter_map(|(end, _)| path.get(..end))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cache::Cache;
    use crate::ecosystem::python::store;
    use crate::ecosystem::python::wheel::tests::Maker;
    use crate::target::PythonVersion;

    #[test]
    fn a_text_that_is_folded_into_a_field_ends_nothing() {
        let fields = Fields::read(
            "Name: x\nLicense: Copyright (c) 2005\n        All rights reserved.\n        \n        Classifier: no\n\
             Classifier: License :: OSI Approved :: MIT License\nRequires-Dist: Foo.Bar[x] (>=1); python_version < '4'\n\
             Requires-Dist: extra-one; extra == 'x'\n\nLicense: in the description\n",
        );
        assert_eq!(fields.first("License"), Some("Copyright (c) 2005\nAll rights reserved.\n\nClassifier: no"));
        assert_eq!(fields.all("classifier").collect::<Vec<_>>(), ["License :: OSI Approved :: MIT License"]);
        assert_eq!(fields.all("License").count(), 1);
        assert_eq!(required(&fields).collect::<Vec<_>>(), ["foo-bar"]);
    }

    #[test]
    fn authors_are_names_with_addresses() {
        let of = |text: &str| authors(&Fields::read(text));
        assert_eq!(of("Author: Jane\nAuthor-email: jane@example.org\n"), ["Jane <jane@example.org>"]);
        assert_eq!(of("Author-email: A <a@x.org>, B <b@x.org>\n"), ["A <a@x.org>", "B <b@x.org>"]);
        assert_eq!(of("Maintainer: Pallets\n"), ["Pallets"]);
        assert!(of("Name: x\n").is_empty());
    }

    /// Wheels with the metadata that well-known ones have; the first is the service itself.
    fn wheels(directory: &Path) -> Vec<Part> {
        let cache = Cache::at(directory.join("cache"));
        let part = |name: &str, fields: &str, files: &[(&str, &str)]| {
            let mut maker = Maker::new(name, "1.0");
            let metadata = format!("Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{fields}\nLicense: no\n");
            maker.add(&format!("{name}-1.0.dist-info/METADATA"), &metadata);
            for (path, text) in files {
                maker.add(path, text);
            }
            let bytes = maker.bytes();
            let path = directory.join(format!("{name}-1.0-py3-none-any.whl"));
            fs_err::write(&path, &bytes).unwrap();
            let wheel = store::unpack(&cache, &path, Sha256::of(&bytes)).unwrap();
            Part { wheel, vendored: true, bytecode: None }
        };
        vec![
            part("service", "Requires-Dist: Flask>=3\nRequires-Dist: google.api\n", &[("service/__init__.py", "")]),
            part(
                "flask",
                "License-Expression: BSD-3-Clause\nLicense-File: LICENSE.txt\nAuthor-email: Pallets <p@example.org>\n\
                 Requires-Dist: six; python_version > '3'\nRequires-Dist: missing\nRequires-Dist: numpy; extra == 'x'\n",
                &[
                    ("flask/__init__.py", ""),
                    ("flask/json/tag.py", ""),
                    ("flask-1.0.dist-info/licenses/LICENSE.txt", "Copyright 2010 Pallets"),
                    ("flask-1.0.dist-info/sboms/flask.cdx.json", "{}"),
                ],
            ),
            part("six", "License: MIT\nClassifier: License :: OSI Approved :: MIT License\n", &[("six.py", "")]),
            part(
                "numpy",
                "License: Copyright (c) 2005, NumPy Developers.\n        All rights reserved.\n        \n        Redistribution\n\
                 Classifier: License :: OSI Approved :: BSD License\n",
                &[("numpy/__init__.py", ""), ("numpy-1.0.data/scripts/f2py", "#!python\n")],
            ),
            part("google.api", "License: Apache 2.0\n", &[("google/api/http.py", ""), ("google/rpc/x.py", "")]),
            part("google.upb", "License: UNKNOWN\n", &[("google/upb/x.py", "")]),
        ]
    }

    #[test]
    fn wheels_tell_their_licences_files_origins_needs_and_places() {
        let directory = tempfile::tempdir().unwrap();
        let parts = wheels(directory.path());
        let place = Place {
            prefix: InstallPath::parse("/usr/lib/acme/service").unwrap(),
            python: PythonVersion::three(11),
            interpreter: InstallPath::parse("/usr/bin/python3.11").unwrap(),
            relative: true,
        };
        let hash = parts[1].wheel.sha256();
        let lock: PyLock = toml::from_str(&format!(
            "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'flask'\n[[packages.wheels]]\nname = 'flask.whl'\n\
             url = 'https://u:p@index.example.org/flask.whl'\nhashes = {{ sha256 = '{hash}' }}\n\
             [tool.packhouse]\nlocal = {{ six = 'libs/six' }}\n"
        ))
        .unwrap();
        let own = parts[0].wheel.clone();
        let found = components(&Installed { place: &place, parts: &parts, own: &own, lock: &lock }).unwrap();
        let purls: Vec<&str> = found.iter().map(|one| one.purl.as_str()).collect();
        assert_eq!(
            purls,
            [
                "pkg:generic/six@1.0",
                "pkg:pypi/flask@1.0",
                "pkg:pypi/google-api@1.0",
                "pkg:pypi/google-upb@1.0",
                "pkg:pypi/numpy@1.0"
            ]
        );
        let [six, flask, api, upb, numpy] = &found[..] else { panic!("{found:?}") };
        let site = "/usr/lib/acme/service/lib/python3.11/site-packages";
        let places = |one: &Component| one.paths.iter().map(|path| path.as_str().replace(site, "")).collect::<Vec<_>>();
        assert_eq!(flask.license.as_deref(), Some("BSD-3-Clause"));
        assert_eq!(flask.license_files[0].name, "LICENSE.txt");
        let installed = flask.license_files[0].installed.as_ref().unwrap();
        assert_eq!(installed.as_str(), format!("{site}/flask-1.0.dist-info/licenses/LICENSE.txt"));
        assert_eq!(flask.sboms[0].as_str(), format!("{site}/flask-1.0.dist-info/sboms/flask.cdx.json"));
        assert_eq!(flask.artefact.as_ref().unwrap().url.as_deref(), Some("https://index.example.org/flask.whl"));
        assert_eq!(flask.dependencies, ["pkg:generic/six@1.0"]);
        assert_eq!(flask.authors, ["Pallets <p@example.org>"]);
        assert!(flask.direct && api.direct && !six.direct && six.own && !flask.own);
        assert_eq!(places(flask), ["/flask", "/flask-1.0.dist-info"]);
        assert_eq!(places(six), ["/six-1.0.dist-info", "/six.py"]);
        assert_eq!(places(api), ["/google/api", "/google/rpc", "/google.api-1.0.dist-info"]);
        assert_eq!(places(upb), ["/google/upb", "/google.upb-1.0.dist-info"]);
        assert_eq!(places(numpy), ["/usr/lib/acme/service/bin/f2py", "/numpy", "/numpy-1.0.dist-info"]);
        assert_eq!((api.license.as_deref(), upb.license.as_deref()), (Some("Apache 2.0"), None));
        // A licence that is a text is one of its texts, and what follows it is read.
        assert_eq!((numpy.license.as_deref(), numpy.license_files.len()), (None, 1));
        assert_eq!(numpy.classifiers, ["OSI Approved :: BSD License"]);
    }

    #[test]
    fn an_address_never_carries_secrets_or_places_of_this_machine() {
        assert_eq!(
            public_url("https://user:secret@index.example.org/a.whl?token=x#sha256=1").as_deref(),
            Some("https://index.example.org/a.whl")
        );
        assert_eq!(public_url("file:///home/x/a.whl"), None);
        assert_eq!(public_url("path:vendor/a.whl"), None);
    }

    #[test]
    fn a_path_is_in_all_directories_above_it() {
        assert_eq!(directories_of("a/b/c.py").collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!(directories_of("c.py").count(), 0);
    }
}
