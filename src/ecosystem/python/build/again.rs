//! The next wheel of a package from its last one, when only the insides of modules have changed.
//!
//! That is what most commits do, and starting a back end to copy the same files into the same places takes longer than all
//! the rest of a build. It is left out only where it can have decided nothing by what has changed: setuptools, without
//! plugins of other distributions, told by literals alone what to pack. The last wheel must be pure, and each changed module
//! must stand in it once, byte for byte, at a path that its own path tells; otherwise the back end is asked. All
//! else that it may have read (other files, names, modes, the tools, the interpreter) is in the [`shape`] under which the
//! last wheel is remembered.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::setup_py;
use super::super::source::Source;
use super::super::source_tree::SourceTree;
use super::super::store::UnpackedWheel;
use super::{Built, Error, Index, Order, Origin, Packer, Prepared, SECTION, Workshop};
use crate::cache::record;
use crate::digest::Sha256;
use crate::name::normalize;

/// Changes when what is remembered does.
const SHAPES: &str = "built-wheels-shapes/v1";
/// The back ends that are known to copy modules.
const BACK_ENDS: [&str; 2] = ["setuptools.build_meta", "setuptools.build_meta:__legacy__"];
/// What may be there to build with.
const REQUIREMENTS: [&str; 2] = ["setuptools", "wheel"];
/// The largest manifest that is looked at.
const LARGEST: u64 = 256 * 1024;

/// What is remembered of a wheel under its shape.
#[derive(Debug, Serialize, Deserialize)]
struct Last {
    /// Where it is kept.
    key: String,
    /// The modules that it was made from.
    modules: BTreeMap<String, Sha256>,
}

impl Workshop<'_> {
    /// A digest of all that the back end can have decided by; `None` when that may be anything.
    pub(super) fn shape(&self, order: Order<'_>, prepared: &Prepared) -> Option<String> {
        let (Origin::Package { build_system, .. }, Some(tree)) = (order.origin, &prepared.tree) else { return None };
        let is_known = |text: &String| {
            let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
            REQUIREMENTS.contains(&normalize(text.get(..end.unwrap_or(text.len())).unwrap_or_default().trim()).as_str())
        };
        if !BACK_ENDS.contains(&build_system.backend.as_str())
            || !build_system.backend_path.is_empty()
            || !build_system.requires.iter().all(is_known)
            || !self.tools.iter().all(|tool| is_no_plugin(tool))
            || !is_told_by_literals(tree)
        {
            return None;
        }
        let same = Prepared { digest: tree.digest_without(is_module), tree: None };
        Some(self.key(Order { time: 0, ..order }, &same).ok()?.to_string())
    }

    /// Makes the wheel without its back end, if that can be done.
    pub(super) fn again(&self, prepared: &Prepared, shape: &str) -> Option<(Index, Vec<u8>)> {
        let tree = prepared.tree.as_ref()?;
        let last: Last = serde_json::from_slice(&record::read(&self.shapes(shape), shape)?).ok()?;
        let Built { wheel, isolation, crates } = self.load(&self.cache.section(SECTION).join(&last.key), &last.key)?;
        let modules = tree.modules(is_module);
        let mut replaced: BTreeMap<&str, &str> = BTreeMap::new();
        for (path, sha256) in modules {
            let before = last.modules.get(path)?;
            if *before != sha256
                && let Some(packed) = place(&wheel, &last.modules, path, *before).ok()?
            {
                replaced.insert(packed, path);
            }
        }
        let mut packer = Packer::default();
        let record = format!("{}/RECORD", wheel.dist_info());
        for file in wheel.files().iter().filter(|file| file.path != record) {
            match replaced.get(file.path.as_str()) {
                Some(module) => {
                    let (content, digests) = tree.read_file(Path::new(module)).ok()??;
                    packer.add(&file.path, file.executable, &mut content.as_slice(), &digests).ok()?;
                }
                None => {
                    let mut content = fs_err::File::open(wheel.directory().join(&file.path)).ok()?;
                    packer.add(&file.path, file.executable, &mut content, &file.digests).ok()?;
                }
            }
        }
        let bytes = packer.finish(&record).ok()?;
        Some((Index { file_name: wheel.file_name().to_owned(), sha256: Sha256::of(&bytes), isolation, crates }, bytes))
    }

    /// Remembers the wheel at `key`, unless it is one that another module may have made otherwise.
    pub(super) fn remember(
        &self,
        prepared: &Prepared,
        shape: &str,
        key: &str,
        wheel: &UnpackedWheel,
    ) -> Result<(), Error> {
        let Some(tree) = &prepared.tree else { return Ok(()) };
        if !wheel.is_pure() {
            return Ok(());
        }
        let modules = tree.modules(is_module).into_iter().map(|(path, sha256)| (path.to_owned(), sha256)).collect();
        let last = serde_json::to_vec(&Last { key: key.to_owned(), modules }).map_err(io::Error::from)?;
        Ok(record::write(self.cache, &self.shapes(shape), shape, &last)?)
    }

    fn shapes(&self, shape: &str) -> std::path::PathBuf {
        self.cache.section(SHAPES).join(shape)
    }
}

/// A file whose content setuptools copies and does not look at.
fn is_module(path: &str) -> bool {
    path.ends_with(".py") && path != "setup.py"
}

/// The module at `path` cannot be told apart from another in the wheel.
#[derive(Debug)]
pub(super) struct Ambiguous;

/// Where the module at `path`, whose content was `sha256`, stands in the wheel; `None` when it is not packed.
pub(super) fn place<'a>(
    wheel: &'a UnpackedWheel,
    modules: &BTreeMap<String, Sha256>,
    path: &str,
    sha256: Sha256,
) -> Result<Option<&'a str>, Ambiguous> {
    let mut found = None;
    for file in wheel.files().iter().filter(|file| file.digests.sha256 == sha256) {
        let sources = modules.iter().filter(|(module, content)| **content == sha256 && is_place(module, &file.path));
        let sources: Vec<&str> = sources.map(|(module, _)| module.as_str()).collect();
        match sources.as_slice() {
            [one] if *one == path && found.is_none() => found = Some(file.path.as_str()),
            // It is another module's.
            [_, ..] if !sources.contains(&path) => {}
            _ => return Err(Ambiguous),
        }
    }
    Ok(found)
}

/// Whether `packed` may be where the module at `path` was put: at its own path, without a directory before it (`src/`), or in
/// the package that the project's directory stands for.
fn is_place(path: &str, packed: &str) -> bool {
    let is_below = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
    packed == path || is_below(path, packed) || is_below(packed, path)
}

/// Whether setuptools itself and nothing beside it hears of the build: others may add commands and keywords to it.
fn is_no_plugin(tool: &UnpackedWheel) -> bool {
    if REQUIREMENTS.contains(&normalize(tool.name()).as_str()) {
        return true;
    }
    let adds =
        |text: String| text.lines().any(|line| line.starts_with("[setuptools.") || line.starts_with("[distutils."));
    matches!(tool.metadata("entry_points.txt").map(|text| text.is_some_and(adds)), Ok(false))
}

/// Whether the project's files tell setuptools what to do by literals, so that it runs and reads no module.
fn is_told_by_literals(tree: &SourceTree) -> bool {
    let text = |name: &str| -> Option<Option<String>> {
        match tree.size_of(Path::new(name)) {
            None => Some(None),
            Some(size) if size > LARGEST => None,
            Some(_) => Some(Some(String::from_utf8(tree.read_file(Path::new(name)).ok()??.0).ok()?)),
        }
    };
    let is_plain = |name: &str| match text(name) {
        Some(Some(text)) => is_declarative(&text),
        Some(None) => true,
        None => false,
    };
    let script = match text("setup.py") {
        Some(Some(text)) => Source::from_bytes(Path::new("setup.py"), text.into_bytes())
            .is_ok_and(|source| setup_py::is_made_of_literals(&source)),
        Some(None) => true,
        None => false,
    };
    script && is_plain("setup.cfg") && is_plain("pyproject.toml")
}

/// Whether a setup.cfg or pyproject.toml names no module to be imported, read or run, no command, no date.
fn is_declarative(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let names_attribute = |part: &str| {
        let rest = part.trim_start().trim_start_matches(['"', '\'']).trim_start();
        rest.starts_with([':', '=', '.'])
    };
    !text.match_indices("attr").any(|(at, _)| names_attribute(text.get(at + 4..).unwrap_or_default()))
        && !["cmdclass", "ext_modules", "ext-modules", "tag_", "tag-", ".py\"", ".py'", "setup_hooks", "[command"]
            .iter()
            .any(|sign| text.contains(sign))
        && !text.lines().any(|line| line.trim_end().ends_with(".py") || line.contains(".py,"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_that_import_read_or_run_modules_are_told_apart() {
        for plain in [
            "",
            "[project]\nname = \"shop\"\nversion = \"1.0\"\ndependencies = [\"attrs>=23\", \"cattrs\"]\n",
            "[tool.setuptools.dynamic]\nversion = { file = \"VERSION\" }\n",
            "[options]\npackages = find:\npython_requires = >=3.9\n",
        ] {
            assert!(is_declarative(plain), "{plain}");
        }
        for other in [
            "[tool.setuptools.dynamic]\nversion = { attr = \"shop.__version__\" }\n",
            "[tool.setuptools.dynamic]\nversion.attr = \"shop.__version__\"\n",
            "[tool.setuptools.dynamic]\nversion = {\"attr\" = \"shop.__version__\"}\n",
            "[metadata]\nversion = attr: shop.__version__\n",
            "[metadata]\nlong_description = file: shop/readme.py\n",
            "[metadata]\nlong_description = file: shop/readme.py, README\n",
            "[tool.setuptools.dynamic]\nreadme = { file = [\"shop/readme.py\"] }\n",
            "[tool.setuptools]\ncmdclass = { build_py = \"tools.Build\" }\n",
            "[tool.setuptools]\next-modules = []\n",
            "[egg_info]\ntag_date = 1\n",
        ] {
            assert!(!is_declarative(other), "{other}");
        }
    }

    #[test]
    fn a_module_is_packed_at_its_own_path_or_without_the_directory_before_it() {
        assert!(is_place("shop/a.py", "shop/a.py"));
        assert!(is_place("src/shop/a.py", "shop/a.py"));
        assert!(is_place("a.py", "shop/a.py"));
        assert!(!is_place("tests/a.py", "shop/a.py"));
        assert!(!is_place("workshop/a.py", "shop/a.py"));
    }
}
