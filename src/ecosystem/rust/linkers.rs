//! The programs that link, and those that build scripts compile C with: what cargo makes depends on them, and cargo itself
//! does not notice when they change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Table;

use super::project::Project;

/// What rustc and the build scripts of crates start of themselves, or by `-fuse-ld`.
const NAMES: [&str; 11] = ["cc", "c++", "gcc", "g++", "clang", "ar", "as", "ld", "ld.gold", "ld.lld", "mold"];
/// Where a build step looks.
const DIRECTORIES: [&str; 2] = ["/usr/bin", "/bin"];

/// The places of the usual ones, whether something is there or not.
pub(super) fn places() -> impl Iterator<Item = PathBuf> {
    NAMES.iter().flat_map(|name| found(name.as_ref(), Path::new("/")))
}

/// Those that are there, and the ones that the configuration of `project` names (`target.*.linker`).
pub(super) fn programs(project: &Project) -> BTreeSet<PathBuf> {
    let absolute = project.absolute();
    let above = absolute.ancestors().take_while(|directory| directory.starts_with(&project.repository));
    let named = above.flat_map(|directory| {
        let tables =
            [".cargo/config.toml", ".cargo/config"].map(|file| read(&directory.join(file)).unwrap_or_default());
        let linkers: Vec<PathBuf> = tables.iter().flat_map(linkers).flat_map(|name| found(name, directory)).collect();
        linkers
    });
    places().chain(named).filter(|path| path.is_file()).collect()
}

fn found(name: &Path, directory: &Path) -> Vec<PathBuf> {
    match name.components().count() {
        1 => DIRECTORIES.map(|bin| Path::new(bin).join(name)).into(),
        _ => vec![directory.join(name)],
    }
}

/// A configuration. One that cannot be read is cargo's to complain of.
fn read(path: &Path) -> Option<Table> {
    fs_err::read_to_string(path).ok()?.parse().ok()
}

fn linkers(configuration: &Table) -> impl Iterator<Item = &Path> {
    let targets = configuration.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(Table::values);
    targets.filter_map(|target| target.get("linker")?.as_str()).map(Path::new)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_linker_that_the_repository_or_the_workspace_names_counts_if_it_is_there() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        };
        write("tools/link", "");
        write("other-link", "");
        let absolute = root.path().join("other-link").display().to_string();
        write(".cargo/config.toml", "[target.x86_64-unknown-linux-gnu]\nlinker = \"tools/link\"\n");
        write(
            "app/.cargo/config.toml",
            &format!("[target.'cfg(unix)']\nlinker = \"{absolute}\"\n[target.a]\nlinker = \"none/at-all\"\n"),
        );
        let project = Project { repository: root.path().to_path_buf(), directory: PathBuf::from("app") };
        let own: Vec<PathBuf> = programs(&project).into_iter().filter(|path| path.starts_with(root.path())).collect();
        assert_eq!(own, [root.path().join("other-link"), root.path().join("tools/link")]);
        let usual = |path: &PathBuf| path.ends_with("cc") || path.ends_with("ld");
        assert_eq!(
            programs(&project).iter().any(usual),
            Path::new("/usr/bin/cc").exists() || Path::new("/usr/bin/ld").exists()
        );
    }
}
