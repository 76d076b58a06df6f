//! What is packed: trees of real files of the machine itself, taken from a fixed list in a fixed order with fixed times and
//! modes. They are made once below `target/bench/inputs`, each twice: for packhouse, and for its peers, who put files of
//! their own beside it or link to it.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::results::Input;
use crate::Result;
use crate::process::{run as execute, say, shell};

/// Bytes of a tree of the usual size.
const USUAL: u64 = 300_000_000;
/// Where the trees are installed.
const PREFIX: &str = "usr/lib/acme/tree";
/// The large wheels.
const WHEELS: [&str; 4] = ["numpy==2.2.6", "scipy==1.15.3", "pandas==2.2.3", "pyarrow==20.0.0"];
/// What a Debian machine with build-essential has, most like a service's dependencies first.
const PLACES: [&str; 14] = [
    "/usr/share/perl",
    "/usr/lib/x86_64-linux-gnu/perl",
    "/usr/lib/aarch64-linux-gnu/perl",
    "/usr/lib/python3.11",
    "/usr/lib/gcc",
    "/usr/lib/git-core",
    "/usr/include",
    "/usr/lib/llvm-14/lib",
    "/usr/lib/python3",
    "/usr/libexec",
    "/usr/bin",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/share/doc",
];

/// A tree to pack.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// For packhouse alone: nobody else touches it.
    pub(super) ours: PathBuf,
    /// The same files for the peers, with Debian's control file.
    pub(super) theirs: PathBuf,
    pub(super) input: Input,
}

impl Tree {
    /// The small text file that is changed, below either copy: the middle one of all.
    pub(super) fn small_text(&self) -> Result<PathBuf> {
        let is_text = |path: &Path| {
            path.extension().is_some_and(|extension| ["py", "pm", "pl", "h"].iter().any(|known| extension == *known))
        };
        let small: Vec<PathBuf> = files(&self.ours)?
            .into_iter()
            .filter(|file| is_text(file) && file.metadata().is_ok_and(|found| (500..8000).contains(&found.len())))
            .collect();
        let middle = small.get(small.len() / 2).ok_or("no small text file in the tree")?;
        Ok(middle.strip_prefix(&self.ours)?.to_path_buf())
    }

    /// Reads everything once, so that neither contestant finds it on the disk.
    pub(super) fn warm(&self) -> Result<()> {
        for copy in [&self.ours, &self.theirs] {
            execute(&mut shell(r#"find "$1" -type f -print0 | xargs -0 cat >/dev/null"#, [copy]))?;
        }
        Ok(())
    }
}

/// The place of all inputs.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    pub(super) directory: PathBuf,
    /// Trees are so many times smaller, for trying.
    pub(super) divisor: u64,
}

impl Inputs {
    /// Files of many kinds: a compiler, Perl, Python, headers.
    pub(super) fn mixed(&self) -> Result<Tree> {
        self.tree("mixed", |into| take(&PLACES.map(PathBuf::from), USUAL / self.divisor, into))
    }

    /// A virtual environment with large wheels.
    pub(super) fn environment(&self) -> Result<Tree> {
        self.tree("venv", |into| {
            let environment = self.directory.join("venv-made");
            let script = r#"rm -rf "$1"
/usr/bin/python3 -m venv "$1" || python3 -m venv "$1"
"$1/bin/python" -m pip --disable-pip-version-check install --quiet --no-compile --only-binary :all: "${@:2}""#;
            let mut arguments = vec![environment.as_os_str()];
            arguments.extend(WHEELS.iter().map(std::ffi::OsStr::new));
            execute(&mut shell(script, arguments))?;
            let mut input = take(std::slice::from_ref(&environment), 2 * USUAL / self.divisor, into)?;
            input.parts = vec![format!("a virtual environment with {} ({} files)", WHEELS.join(", "), input.files)];
            fs_err::remove_dir_all(environment)?;
            Ok(input)
        })
    }

    /// Programs and libraries written in Rust: the toolchain's own.
    pub(super) fn rust(&self) -> Result<Tree> {
        self.tree("rust", |into| {
            let sysroot = execute(Command::new("rustc").args(["--print", "sysroot"]))?;
            let sysroot = PathBuf::from(sysroot.trim());
            let mut input = take(&[sysroot.join("bin"), sysroot.join("lib")], USUAL / self.divisor, into)?;
            let release = execute(Command::new("rustc").arg("--version"))?;
            input.parts = vec![format!("`bin` and `lib` of the toolchain, {} ({} files)", release.trim(), input.files)];
            Ok(input)
        })
    }

    /// About so many MB of the three, each further round with other bytes; `with_large_file` begins with all of one as a
    /// single file.
    pub(super) fn grown(&self, megabytes: u64, with_large_file: bool) -> Result<Tree> {
        let sources: Vec<PathBuf> =
            [self.mixed(), self.environment(), self.rust()].into_iter().flatten().map(|tree| tree.ours).collect();
        let name = if with_large_file { format!("{megabytes}-large") } else { megabytes.to_string() };
        self.tree(&name, |into| grow(&sources, megabytes * 1_000_000 / self.divisor, with_large_file, into))
    }

    /// Makes a tree unless it is there and whole.
    fn tree(&self, name: &str, make: impl FnOnce(&Path) -> Result<Input>) -> Result<Tree> {
        let directory = self.directory.join(name);
        let (ours, theirs, done) = (directory.join("ours"), directory.join("theirs"), directory.join("input.json"));
        if let Some(input) = fs_err::read(&done).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            return Ok(Tree { ours, theirs, input });
        }
        say("Making", &format!("the input `{name}`"));
        if directory.exists() {
            fs_err::remove_dir_all(&directory)?;
        }
        fs_err::create_dir_all(&ours)?;
        let input = make(&ours.join(PREFIX))?;
        settle(&ours)?;
        let script = r#"cp -a "$1" "$2"
mkdir -m 755 "$2/DEBIAN"
printf 'Package: tree\nVersion: 1.0-1\nArchitecture: %s\nMaintainer: Nobody <nobody@localhost>\nSection: misc\nPriority: optional\nDescription: files of a directory\n What a directory holds, as it is.\n' "$(dpkg --print-architecture)" > "$2/DEBIAN/control""#;
        execute(&mut shell(script, [&ours, &theirs]))?;
        fs_err::write(&done, serde_json::to_vec_pretty(&input)?)?;
        Ok(Tree { ours, theirs, input })
    }
}

/// Copies what is in `places`, in their order, each in the order of its paths, until there are `limit` bytes. Further names
/// of a file, byte-code and what is neither file, directory nor link are left out.
fn take(places: &[PathBuf], limit: u64, into: &Path) -> Result<Input> {
    let mut input = Input::default();
    let mut seen = BTreeSet::new();
    for place in places.iter().filter(|place| place.is_dir()) {
        let (before, began) = (input.bytes, input.files);
        for path in all(place)? {
            let metadata = fs_err::symlink_metadata(&path)?;
            let below = path.strip_prefix("/").unwrap_or(&path);
            let plain = below.to_str().is_some_and(|text| !text.chars().any(char::is_control));
            if !plain || path.components().any(|part| part.as_os_str() == "__pycache__") {
                continue;
            }
            let to = into.join(if places.len() == 1 { path.strip_prefix(place)? } else { below });
            if metadata.is_dir() {
                fs_err::create_dir_all(&to)?;
            } else if metadata.is_symlink() {
                fs_err::create_dir_all(to.parent().unwrap_or(into))?;
                fs_err::os::unix::fs::symlink(fs_err::read_link(&path)?, &to)?;
            } else if metadata.is_file() && seen.insert((metadata.dev(), metadata.ino())) {
                // What only its owner may read is not for everyone's package.
                if metadata.mode() & 0o004 == 0 {
                    continue;
                }
                fs_err::create_dir_all(to.parent().unwrap_or(into))?;
                fs_err::copy(&path, &to)?;
                input.files += 1;
                input.bytes += metadata.len();
            }
            if input.bytes >= limit {
                break;
            }
        }
        let (files, bytes) = (input.files - began, input.bytes - before);
        input.parts.push(format!("`{}`: {files} files, {} MB", place.display(), bytes / 1_000_000));
        if input.bytes >= limit {
            break;
        }
    }
    Ok(input)
}

/// Copies files of `sources` over and over until there are `limit` bytes; from the second round on each begins with the
/// round's number, so that no two are equal.
fn grow(sources: &[PathBuf], limit: u64, with_large_file: bool, into: &Path) -> Result<Input> {
    let mut input = Input::default();
    fs_err::create_dir_all(into)?;
    if with_large_file {
        let mut large = fs_err::File::create(into.join("large"))?;
        for file in sources.first().map(|source| files(source)).transpose()?.unwrap_or_default() {
            input.bytes += std::io::copy(&mut fs_err::File::open(file)?, &mut large)?;
        }
        input.files += 1;
        input.parts.push(format!("one file of {} MB", input.bytes / 1_000_000));
    }
    for round in 0_u64.. {
        let began = input.files;
        for (number, source) in sources.iter().enumerate() {
            for file in files(source)? {
                let to = into.join(format!("{round}-{number}")).join(file.strip_prefix(source)?.strip_prefix(PREFIX)?);
                fs_err::create_dir_all(to.parent().unwrap_or(into))?;
                let mut bytes = fs_err::read(&file)?;
                if round > 0 {
                    bytes.splice(0..0, round.to_le_bytes());
                }
                input.files += 1;
                input.bytes += bytes.len() as u64;
                fs_err::write(&to, bytes)?;
                fs_err::set_permissions(&to, file.metadata()?.permissions())?;
                if input.bytes >= limit {
                    input.parts.push(format!("{} files of the other inputs", input.files - u64::from(with_large_file)));
                    return Ok(input);
                }
            }
        }
        if input.files == began {
            return Err("none of the inputs can be made that this one is grown from".into());
        }
    }
    Ok(input)
}

/// The modes and times that packages have.
fn settle(directory: &Path) -> Result<()> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    for path in all(directory)?.into_iter().rev().chain([directory.to_path_buf()]) {
        let metadata = fs_err::symlink_metadata(&path)?;
        if metadata.is_symlink() {
            continue;
        }
        let mode = if metadata.is_dir() || metadata.mode() & 0o111 != 0 { 0o755 } else { 0o644 };
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        fs_err::File::open(&path)?.set_modified(time)?;
    }
    Ok(())
}

/// All that is below `directory`, a directory before what is in it, sorted.
fn all(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut names: Vec<PathBuf> =
        fs_err::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>()?;
    names.sort();
    for path in names {
        let is_directory = fs_err::symlink_metadata(&path)?.is_dir();
        found.push(path.clone());
        if is_directory {
            found.extend(all(&path)?);
        }
    }
    Ok(found)
}

/// The regular files below `directory`, sorted.
pub(super) fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = all(directory)?;
    files.retain(|path| path.symlink_metadata().is_ok_and(|found| found.is_file()));
    Ok(files)
}
