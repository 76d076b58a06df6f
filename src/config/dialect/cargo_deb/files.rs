//! Assets as files to install.
//!
//! Source: cargo-deb 3.8.0, `src/config.rs` (`explicit_assets`, `implicit_assets`) and `src/assets.rs` (`resolve`,
//! `compressed_assets`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Reading;
use super::assets::Asset;
use crate::config::dialect::place::{Origin, installed, origin};
use crate::config::dialect::{Note, glob};
use crate::config::error::Error;
use crate::config::files::Place;
use crate::config::reader::Text;
use crate::config::value::Rule;
use crate::config::{FileKind, FileSettings, FileSource, MultiArch, Selector};
use crate::target::{Architecture, Format};
use crate::tree::{InstallPath, Marks, Role};

/// What all assets install, each place once.
pub(super) fn files(reading: &mut Reading<'_>, assets: &[Asset<'_>]) -> Result<Vec<FileSettings>, Error> {
    let mut files = Vec::new();
    // What is written out wins over what `$auto` stands for, as the manual has it.
    for asset in assets {
        match asset {
            Asset::Auto => {}
            Asset::Link { dest, target } => files.extend(link(reading, dest, target)?),
            Asset::File { source, dest, mode, preserve } => {
                let preserve = preserve.or(reading.table.preserve_symlinks).unwrap_or_default();
                files.extend(file(reading, source, dest, *mode, preserve)?);
            }
        }
    }
    let mut files = once(reading, files);
    if assets.iter().any(|asset| matches!(asset, Asset::Auto)) {
        let written: BTreeSet<InstallPath> = files.iter().map(|file| file.path.clone()).collect();
        let implied = auto(reading)?.into_iter().filter(|file| !written.contains(&file.path));
        files.extend(implied);
    }
    Ok(files.into_iter().flat_map(|file| places(reading.multi_arch, file)).collect())
}

/// Of several files for one place the first is taken.
fn once(reading: &mut Reading<'_>, files: Vec<FileSettings>) -> Vec<FileSettings> {
    let mut seen: BTreeSet<InstallPath> = BTreeSet::new();
    let mut kept = Vec::with_capacity(files.len());
    for file in files {
        if seen.insert(file.path.clone()) {
            kept.push(file);
            continue;
        }
        reading.notes.push(Note {
            message: format!("two assets go to {}: the first is installed", file.path),
            location: Some(file.place.location()),
            hint: Some("remove one, or give it another `dest`".to_owned()),
        });
    }
    kept
}

fn entry(kind: FileKind, path: InstallPath, mode: Option<u32>, place: Place) -> FileSettings {
    // Every file in /etc is configuration (Debian Policy 10.7), but no link.
    let is_config = path.as_str().starts_with("/etc/") && matches!(kind, FileKind::File(_));
    FileSettings {
        kind,
        path,
        into: false,
        mode,
        user: None,
        group: None,
        role: if is_config { Role::Config } else { Role::Plain },
        marks: Marks::default(),
        compress: false,
        capabilities: None,
        targets: Vec::new(),
        place,
    }
}

/// `{ dest, link_name }`: the link is at `dest`.
fn link(reading: &mut Reading<'_>, dest: &Text<'_>, target: &Text<'_>) -> Result<Option<FileSettings>, Error> {
    let name = target.as_str().trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let path = installed(dest, &name, &mut reading.notes)?;
    let to = target.parse(|text| followed(&path, text), "write an absolute path, or one relative to the link")?;
    if to == path {
        return Err(target.error("the link leads to itself", None));
    }
    Ok(Some(entry(FileKind::Symlink { target: to }, path, None, dest.place())))
}

/// The absolute path that a link at `path` leads to.
fn followed(path: &InstallPath, text: &str) -> Result<InstallPath, Rule> {
    let mut parts: Vec<&str> = match text.starts_with('/') {
        true => Vec::new(),
        false => path.relative().split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect(),
    };
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return Err(format!("`{text}` leads above the root")),
            ".." => {}
            part => parts.push(part),
        }
    }
    InstallPath::parse(&format!("/{}", parts.join("/"))).map_err(|invalid| invalid.to_string())
}

/// A file, or what a pattern finds.
fn file(
    reading: &mut Reading<'_>,
    source: &Text<'_>,
    dest: &Text<'_>,
    mode: Option<u32>,
    preserve: bool,
) -> Result<Vec<FileSettings>, Error> {
    let manifest = reading.manifest;
    let is_pattern = glob::is_pattern(source.as_str());
    let found = match origin(manifest, source, &reading.profile)? {
        Origin::Built(below) if is_pattern => return built_pattern(reading, source, dest, mode, &below),
        Origin::Built(below) => {
            let path = installed(dest, &name_of(&below), &mut reading.notes)?;
            let literal = PathBuf::from(source.as_str());
            let kind = FileKind::File(FileSource::Built { path: below, literal });
            return Ok(vec![compressed(entry(kind, path, mode, source.place()))]);
        }
        Origin::File(path) if is_pattern => {
            let found = glob::expand(&manifest.absolute(Path::new("")), &path.to_string_lossy());
            let found = source.parse(|_| found, "")?;
            if found.is_empty() {
                return Err(source.error(
                    format!("the pattern `{}` finds nothing", source.as_str()),
                    Some("`*` does not match `/`, `**/*` does; directories are never found".to_owned()),
                ));
            }
            found
        }
        Origin::File(path) => vec![path],
    };
    let mut files = Vec::with_capacity(found.len());
    for path in found {
        let name = if is_pattern { kept(source.as_str(), &path) } else { name_of(&path) };
        let to = destination(reading, dest, &name, is_pattern)?;
        files.extend(one(reading, source, &path, to, mode, preserve)?);
    }
    Ok(files)
}

/// Where something goes: a pattern's destination is a directory whether it says so or not.
fn destination(reading: &mut Reading<'_>, dest: &Text<'_>, name: &str, into: bool) -> Result<InstallPath, Error> {
    if !into {
        return installed(dest, name, &mut reading.notes);
    }
    // What is to be said of the directory is said once.
    let mut notes = Vec::new();
    let path = installed(dest, name, &mut notes)?;
    if reading.told.insert(dest.as_str().to_owned()) {
        reading.notes.append(&mut notes);
    }
    if dest.as_str().ends_with('/') {
        return Ok(path);
    }
    dest.parse(|_| path.join(name).map_err(|invalid| invalid.to_string()), "")
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is kept of a path that `pattern` found: what begins at the first directory with a wildcard, or else the name alone.
fn kept(pattern: &str, path: &Path) -> String {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let Some((last, directories)) = parts.split_last() else { return name_of(path) };
    let first = directories.iter().position(|part| glob::is_pattern(part));
    match first {
        Some(first) if glob::is_pattern(last) => {
            path.components().skip(first).collect::<PathBuf>().to_string_lossy().into_owned()
        }
        _ => name_of(path),
    }
}

/// One file of the repository.
fn one(
    reading: &mut Reading<'_>,
    source: &Text<'_>,
    path: &Path,
    to: InstallPath,
    mode: Option<u32>,
    preserve: bool,
) -> Result<Option<FileSettings>, Error> {
    let absolute = reading.manifest.absolute(path);
    let Ok(metadata) = absolute.symlink_metadata() else {
        let hint = match reading.manifest.root.join(path).symlink_metadata() {
            Ok(_) => "paths are relative to the directory of this Cargo.toml, not to the repository's",
            Err(_) => "correct the path; what a build script makes stands below `target/release/`",
        };
        return Err(source.error(format!("`{}` does not exist", path.display()), Some(hint.to_owned())));
    };
    let dangles = !absolute.exists();
    if metadata.is_symlink() && (preserve || dangles) {
        let text = fs_err::read_link(&absolute)?;
        let target = source.parse(|_| followed(&to, &text.to_string_lossy()), "")?;
        if dangles && !preserve {
            reading.notes.push(source.note(
                format!(
                    "`{}` is a link to `{}`, which is not there: it is installed as a link",
                    path.display(),
                    text.display()
                ),
                None,
            ));
        }
        return Ok(Some(entry(FileKind::Symlink { target }, to, None, source.place())));
    }
    if metadata.is_dir() || absolute.is_dir() {
        reading.notes.push(source.note(
            format!("`{}` is a directory: it is installed with all that is in it", path.display()),
            Some("cargo-deb would refuse it; write `**/*` behind it to please both".to_owned()),
        ));
    }
    let kind = FileKind::File(FileSource::Path(path.to_path_buf()));
    Ok(Some(compressed(entry(kind, to, mode, source.place()))))
}

/// What cargo makes and a pattern finds; what that is shows when cargo has made it.
fn built_pattern(
    reading: &mut Reading<'_>,
    source: &Text<'_>,
    dest: &Text<'_>,
    mode: Option<u32>,
    below: &Path,
) -> Result<Vec<FileSettings>, Error> {
    let text = below.to_string_lossy();
    let parts: Vec<&str> = text.split('/').collect();
    let base: PathBuf = parts.iter().take_while(|part| !glob::is_pattern(part)).collect();
    let pattern = source.parse(|_| crate::config::value::glob(&text), "")?;
    let mut path = destination(reading, dest, "x", true)?;
    path = path.parent().unwrap_or(path);
    let skipped = source.as_str().split('/').filter(|part| !part.is_empty() && *part != ".").count() - parts.len();
    let literal = Path::new(source.as_str()).components().take(skipped).collect::<PathBuf>().join(&base);
    let source_of = FileSource::BuiltGlob { base, pattern: Box::new(pattern.compile_matcher()), literal };
    let settings = entry(FileKind::File(source_of), path, mode, source.place());
    Ok(vec![FileSettings { into: true, ..compressed(settings) }])
}

/// Man pages, changelogs, news and info pages are compressed (Debian Policy 12).
fn compressed(file: FileSettings) -> FileSettings {
    let path = file.path.as_str();
    let compress = !path.ends_with(".gz")
        && (path.starts_with("/usr/share/man/")
            || (path.starts_with("/usr/share/doc/") && ["NEWS", "changelog"].contains(&file.path.file_name()))
            || (path.starts_with("/usr/share/info/") && path.ends_with(".info")));
    FileSettings { compress, ..file }
}

/// `$auto`.
fn auto(reading: &mut Reading<'_>) -> Result<Vec<FileSettings>, Error> {
    let manifest = reading.manifest;
    let place = reading.place.clone();
    let built = |name: &str, path: String, mode: u32| -> Result<FileSettings, Error> {
        let (below, literal) = (PathBuf::from(name), Path::new("target/release").join(name));
        let kind = FileKind::File(FileSource::Built { path: below, literal });
        Ok(entry(kind, reading.path(&path)?, Some(mode), place.clone()))
    };
    let mut files = Vec::new();
    for bin in &manifest.manifest.bin {
        let Some(name) = &bin.name else { continue };
        if bin.required_features.iter().all(|feature| reading.features.has(feature)) {
            files.push(built(name, format!("/usr/bin/{name}"), 0o755)?);
        }
    }
    if let Some(library) =
        manifest.manifest.lib.as_ref().filter(|lib| lib.crate_type.iter().any(|kind| kind == "cdylib"))
    {
        let name = library.name.clone().unwrap_or_else(|| manifest.name().replace('-', "_"));
        let name = format!("lib{name}.so");
        files.push(built(&name, format!("/usr/lib/{name}"), 0o644)?);
    }
    if files.is_empty() {
        return Err(reading.problem(
            "assets",
            "`$auto` finds neither a program nor a `cdylib` in this crate",
            "name the files that the package is made of as `assets`, or turn on the features that the programs need",
        ));
    }
    if let Some(readme) = manifest.readme() {
        let path = format!("/usr/share/doc/{}/{}", reading.package, name_of(&readme));
        let kind = FileKind::File(FileSource::Path(readme));
        files.push(entry(kind, reading.path(&path)?, Some(0o644), place));
    }
    Ok(files)
}

/// Directories below /usr/lib whose content is of one architecture, beside the libraries themselves.
const LIBRARY_DIRECTORIES: [&str; 2] = ["pkgconfig/", "cmake/"];

/// Where zsh looks for other packages' completions: on Debian, on RPM's distributions.
const ZSH: (&str, &str) = ("/usr/share/zsh/vendor-completions/", "/usr/share/zsh/site-functions/");

/// A file where each format's distributions look for it. Libraries for /usr/lib go, on Debian, if `--multiarch` says so,
/// into the directory of their architecture (cargo-deb moves units too, where nothing would find them); on RPM's
/// distributions into /usr/lib64. Completions of zsh have a directory of another name there.
fn places(multi_arch: Option<MultiArch>, file: FileSettings) -> Vec<FileSettings> {
    let at = |path: String, selector: Selector| {
        InstallPath::parse(&path).ok().map(|path| FileSettings { path, targets: vec![selector], ..file.clone() })
    };
    let here = || at(file.path.to_string(), Selector::Format(Format::Deb));
    if let Some(name) = file.path.as_str().strip_prefix(ZSH.0) {
        let there = at(format!("{}{name}", ZSH.1), Selector::Format(Format::Rpm));
        return here().into_iter().chain(there).collect();
    }
    let Some(below) = file.path.as_str().strip_prefix("/usr/lib/") else { return vec![file] };
    let name = file.path.file_name();
    let is_library = !below.contains('/') && (name.ends_with(".so") || name.contains(".so.") || name.ends_with(".a"));
    if !is_library && !LIBRARY_DIRECTORIES.iter().any(|directory| below.starts_with(directory)) {
        return vec![file];
    }
    let of = |one: Architecture| {
        let names = vec![one.debian().to_owned()];
        let selector = Selector::Architecture { format: Format::Deb, names, negated: false };
        at(format!("/usr/lib/{}-linux-gnu/{below}", one.machine()), selector)
    };
    let debian: Vec<FileSettings> = match multi_arch {
        None => here().into_iter().collect(),
        Some(_) => Architecture::ALL.into_iter().filter_map(of).collect(),
    };
    debian.into_iter().chain(at(format!("/usr/lib64/{below}"), Selector::Format(Format::Rpm))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_keeps_what_begins_at_its_first_directory_with_a_wildcard() {
        for (pattern, path, wanted) in [
            ("assets/*", "assets/a.txt", "a.txt"),
            ("assets/**/*", "assets/sub/a.txt", "sub/a.txt"),
            ("assets/*/a*", "assets/sub/a.txt", "sub/a.txt"),
            ("assets/*/a.txt", "assets/sub/a.txt", "a.txt"),
            ("../shared/**/*.md", "../shared/x/y.md", "x/y.md"),
        ] {
            assert_eq!(kept(pattern, Path::new(path)), wanted, "{pattern}");
        }
    }

    #[test]
    fn a_link_leads_where_it_says_and_never_above_the_root() {
        let at = InstallPath::parse("/usr/bin/foo").unwrap();
        assert_eq!(followed(&at, "/usr/share/x").unwrap().as_str(), "/usr/share/x");
        assert_eq!(followed(&at, "../share/x").unwrap().as_str(), "/usr/share/x");
        assert_eq!(followed(&at, "bar").unwrap().as_str(), "/usr/bin/bar");
        assert!(followed(&at, "../../../x").is_err());
    }
}
