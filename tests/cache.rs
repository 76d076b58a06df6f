//! Builds with a cache that is damaged, full, not to be written, shared, or left by a killed run: the artefacts are those
//! of an undisturbed build, byte by byte, or there is an error and none.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "these are tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use packhouse::digest::Sha256;

const SETTINGS: &str = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\nlicense = \"MIT\"\n\
    homepage = \"https://acme.example\"\ntargets = [\"debian-12\", \"el9\"]\n\
    [services.acme-api]\nsummary = \"API of the Acme cloud\"\n";

const MANIFEST: &str = "[project]\nname = \"acme-api\"\nversion = \"1.0\"\n\
    [project.scripts]\nacme-api = \"acme_api:main\"\n[build-system]\nrequires = []\n\
    build-backend = \"packer\"\nbackend-path = [\"build-tools\"]\n";

/// A back end that packs `src`, so that nothing is needed from an index.
const BACK_END: &str = r#"
import base64, hashlib, os, zipfile

def build_wheel(directory, config=None, metadata=None):
    info = "acme_api-1.0.dist-info"
    files = {}
    for top, _, names in os.walk("src"):
        for file in names:
            path = os.path.join(top, file)
            files[os.path.relpath(path, "src")] = open(path).read()
    files[info + "/entry_points.txt"] = "[console_scripts]\nacme-api = acme_api:main\n"
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "/METADATA"] = "Metadata-Version: 2.1\nName: acme-api\nVersion: 1.0\nLicense-Expression: MIT\n"
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (path, digest, len(text.encode()))
    files[info + "/RECORD"] = record + info + "/RECORD,,\n"
    wheel = "acme_api-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel
"#;

const MODULE: &str = "import argparse\n\ndef main():\n    parser = argparse.ArgumentParser(description='The API.')\n    \
    parser.add_argument('--port', help='where to listen')\n    parser.parse_args()\n";

/// A repository with one Python service, locked and vendored, and the artefacts of an undisturbed build.
struct World {
    directory: tempfile::TempDir,
    right: BTreeMap<String, Sha256>,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let world = Self { directory, right: BTreeMap::new() };
        world.put("packhouse.toml", SETTINGS);
        world.put(".gitignore", "/target\n");
        world.put("api/pyproject.toml", MANIFEST);
        world.put("api/build-tools/packer.py", BACK_END);
        world.put("api/src/acme_api/__init__.py", MODULE);
        // Data that every compressor has something to do with.
        let mut state = 1_u32;
        let lines = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            format!("    0x{:04x},\n", state >> 16)
        });
        world.put("api/src/acme_api/table.py", &format!("TABLE = [\n{}]\n", lines.take(6_000).collect::<String>()));
        for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "Begin"]] {
            let mut git = Command::new("git");
            git.current_dir(world.root()).args(arguments);
            for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@acme.example"), ("DATE", "2026-01-02T03:04:05Z")] {
                git.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
            }
            assert!(git.status().expect("git").success());
        }
        for step in ["lock", "vendor"] {
            let output = world.command(&[step]).output().unwrap();
            assert!(output.status.success(), "{step}: {}", text(&output.stderr));
        }
        world.build("right");
        let right = world.artefacts("right");
        assert_eq!(right.len(), 2, "{right:?}");
        Self { right, ..world }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("repository")
    }

    fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    fn out(&self, out: &str) -> PathBuf {
        self.root().join("target").join(out)
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
        command.current_dir(self.root()).args(arguments);
        command.env("PACKHOUSE_CACHE_DIR", self.cache()).env_remove("SOURCE_DATE_EPOCH");
        command.env_remove("PACKHOUSE_CACHE_SIZE");
        command
    }

    fn building(&self, out: &str) -> Command {
        self.command(&["build", "--out", self.out(out).to_str().unwrap()])
    }

    fn build(&self, out: &str) -> Output {
        let output = self.building(out).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        output
    }

    /// Names and digests of what a build has made. Nothing but packages and their list is there.
    fn artefacts(&self, out: &str) -> BTreeMap<String, Sha256> {
        let mut artefacts = BTreeMap::new();
        for file in fs::read_dir(self.out(out)).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            if name != "packhouse-artefacts.json" {
                assert!(name.ends_with(".deb") || name.ends_with(".rpm"), "left behind: {name}");
                artefacts.insert(name, Sha256::of(&fs::read(file.path()).unwrap()));
            }
        }
        artefacts
    }

    /// Builds into a new directory; it must be right.
    fn is_right(&self, after: &str) {
        let out = "again";
        drop(fs::remove_dir_all(self.out(out)));
        self.build(out);
        assert_eq!(self.artefacts(out), self.right, "after {after}");
    }

    fn status(&self) -> String {
        let output = Command::new("git").current_dir(self.root()).args(["status", "--porcelain"]).output().unwrap();
        text(&output.stdout)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All paths below `directory`, sorted.
fn walk(directory: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(directory).min_depth(1).sort_by_file_name();
    entries.into_iter().map(|entry| entry.unwrap().into_path()).collect()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    if !directory.exists() {
        return Vec::new();
    }
    walk(directory).into_iter().filter(|path| fs::symlink_metadata(path).unwrap().is_file()).collect()
}

#[test]
fn what_the_cache_holds_is_told_pruned_and_cleared() {
    let world = World::new();
    let run = |arguments: &[&str]| {
        let output = world.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&run(&[arguments, &["--format", "json"]].concat())).unwrap()
    };
    let names = || -> Vec<String> {
        let info = json(&["cache", "info"]);
        info["sections"]
            .as_array()
            .unwrap()
            .iter()
            .map(|section| section["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(run(&["cache", "dir"]).trim(), world.cache().to_str().unwrap());
    for expected in ["wheels", "built-wheels", "help"] {
        assert!(names().iter().any(|name| name == expected), "{:?}", names());
    }
    let info = run(&["cache", "size"]);
    assert!(info.contains("of at most ") && info.contains("  unpacked wheels ("), "{info}");
    let total = json(&["cache", "info"])["size"].as_u64().unwrap();
    assert!(total > 100_000, "{total}");
    assert_eq!(json(&["cache", "prune"])["entries"], 0, "it is within its limit");
    assert_eq!(json(&["cache", "prune", "--older-than", "1d"])["entries"], 0);
    assert!(json(&["cache", "prune", "--size", &(total / 2).to_string()])["entries"].as_u64().unwrap() > 0);
    let left = json(&["cache", "info"])["size"].as_u64().unwrap();
    assert!(left > 0 && left <= total / 2, "{left} of {total}");
    world.is_right("the cache was pruned");
    run(&["cache", "clear"]);
    assert_eq!(names(), Vec::<String>::new());
    assert!(fs::read_to_string(world.cache().join("CACHEDIR.TAG")).unwrap().starts_with("Signature: 8a477f597d28d172"));
    world.is_right("the cache was cleared");
}

#[test]
fn the_cache_stays_within_its_limit_and_a_limit_that_is_none_is_refused() {
    let world = World::new();
    fs::remove_dir_all(world.cache()).unwrap();
    let build = |limit: &str| world.building("limited").env("PACKHOUSE_CACHE_SIZE", limit).output().unwrap();
    let output = build("10X");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("PACKHOUSE_CACHE_SIZE: `10X` is no size") && said.contains("`10G`"), "{said}");
    assert!(!world.cache().exists());
    // Too small for anything: right all the same, again and again.
    for _ in 0..2 {
        assert!(build("20K").status.success());
        assert_eq!(world.artefacts("limited"), world.right);
        let sizes = files(&world.cache()).into_iter().map(|file| fs::metadata(file).unwrap().len());
        assert!(sizes.sum::<u64>() < 30_000, "{:?}", walk(&world.cache()));
    }
}

/// The same numbers in each run, so that a failure can be looked at again.
struct Numbers(u64);

impl Numbers {
    /// One below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

#[test]
fn a_build_killed_at_any_moment_leaves_nothing_and_the_next_one_is_right() {
    let world = World::new();
    let begin = Instant::now();
    drop(fs::remove_dir_all(world.cache()));
    world.is_right("the cache was emptied");
    let whole = begin.elapsed();
    let (rounds, status) = (6, world.status());
    for round in 0..rounds {
        // Every other one begins with an empty cache, the others with what a killed build has left.
        if round % 2 == 0 {
            drop(fs::remove_dir_all(world.cache()));
        }
        let mut child = quiet(world.building("killed")).spawn().unwrap();
        let moment = whole * (2 * round + 1) / (2 * rounds);
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(world.status(), status, "killed after {moment:?}");
        for (name, sha256) in finished(&world, "killed") {
            assert_eq!(world.right.get(&name), Some(&sha256), "{name}, killed after {moment:?}");
        }
        world.build("killed");
        assert_eq!(world.artefacts("killed"), world.right, "killed after {moment:?}");
        assert_eq!(world.status(), status);
    }
}

#[test]
fn an_interrupted_build_says_so_and_takes_its_steps_and_unfinished_files_with_it() {
    use rustix::process::{Pid, Signal, kill_process};
    let world = World::new();
    fs::remove_dir_all(world.cache()).unwrap();
    let begin = Instant::now();
    world.build("timed");
    let whole = begin.elapsed();
    let temporary = world.directory.path().join("temporary");
    fs::create_dir(&temporary).unwrap();
    let mut interrupted = 0;
    for round in 0..6 {
        fs::remove_dir_all(world.cache()).unwrap();
        let (signal, code) = if round % 2 == 0 { (Signal::INT, 130) } else { (Signal::TERM, 143) };
        let mut command = world.building("interrupted");
        command.env("TMPDIR", &temporary).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        std::thread::sleep(whole * (2 * round + 1) / 14);
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
        // Whoever holds its streams has ended as well.
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        if output.status.success() || output.status.code().is_none() {
            // It had ended, or not begun to listen.
            continue;
        }
        interrupted += 1;
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.lines().filter(|line| line.contains("interrupted")).count(), 1, "{said}");
        assert!(said.trim_end().ends_with("error[interrupted]: interrupted"), "{said}");
        assert_eq!(walk(&temporary), Vec::<PathBuf>::new());
        let work = world.cache().join("tmp");
        assert!(!work.exists() || walk(&work).is_empty(), "{:?}", walk(&work));
        let out = fs::read_dir(world.out("interrupted")).into_iter().flatten().map(|file| file.unwrap().file_name());
        let unfinished: Vec<_> = out.filter(|name| name.to_string_lossy().starts_with('.')).collect();
        assert!(unfinished.is_empty(), "{unfinished:?}");
    }
    assert!(interrupted > 2, "{interrupted} of 6 were in time");
}

fn quiet(mut command: Command) -> Command {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The packages that have their names, whatever else is there.
fn finished(world: &World, out: &str) -> Vec<(String, Sha256)> {
    let files = fs::read_dir(world.out(out)).into_iter().flatten().map(Result::unwrap);
    files
        .map(|file| (file.file_name().into_string().unwrap(), Sha256::of(&fs::read(file.path()).unwrap())))
        .filter(|(name, _)| name.ends_with(".deb") || name.ends_with(".rpm"))
        .collect()
}

#[test]
fn builds_at_once_share_a_cache_and_a_directory() {
    let world = World::new();
    for cold in [true, false] {
        if cold {
            fs::remove_dir_all(world.cache()).unwrap();
        }
        let children: Vec<Child> = (0..3).map(|_| quiet(world.building("shared")).spawn().unwrap()).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        assert_eq!(world.artefacts("shared"), world.right);
        world.is_right("three builds at once");
    }
}

#[test]
fn a_cache_is_pruned_and_cleared_beside_builds() {
    let world = World::new();
    let mut builds = 0;
    let mut child = quiet(world.building("beside")).spawn().unwrap();
    let begin = Instant::now();
    while builds < 2 {
        for arguments in [&["cache", "prune", "--size", "0"][..], &["cache", "clear"]] {
            let output = world.command(arguments).output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            assert_eq!(world.artefacts("beside"), world.right);
            builds += 1;
            child = quiet(world.building("beside")).spawn().unwrap();
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "it ends");
    }
    assert!(child.wait().unwrap().success());
}

/// Runs a build into `out` with `mounts` done in a mount namespace of its own; `$CACHE` is the cache.
fn in_mounts(world: &World, out: &str, mounts: &str) -> Output {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("-Ur");
    }
    let script = format!("{mounts}\ntouch \"$CACHE.mounted\"\nexec \"$0\" build -v --out \"$OUT\"");
    command.args(["-m", "sh", "-ec", &script, env!("CARGO_BIN_EXE_packhouse")]).current_dir(world.root());
    command.env("CACHE", world.cache()).env("OUT", world.out(out));
    command.env("PACKHOUSE_CACHE_DIR", world.cache()).env_remove("SOURCE_DATE_EPOCH");
    let mounted = world.cache().with_extension("mounted");
    drop(fs::remove_file(&mounted));
    let output = command.output().unwrap();
    assert!(mounted.exists(), "this test needs mount namespaces: {}", text(&output.stderr));
    output
}

#[test]
fn a_full_disk_below_the_cache_makes_no_artefact_wrong() {
    let world = World::new();
    // What the cache holds is found, but nothing can be added.
    let full = "mount -t tmpfs -o size=64m none /mnt; cp -a \"$CACHE/.\" /mnt; \
                dd if=/dev/zero of=/mnt/full bs=4096 2> /dev/null || true; mount --move /mnt \"$CACHE\"";
    for (name, mounts) in [("whole", full.to_owned()), ("without-blocks", format!("rm -rf \"$CACHE/blocks\"; {full}"))]
    {
        let output = in_mounts(&world, name, &mounts);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert_eq!(world.artefacts(name), world.right, "{name}");
    }
    // Byte-code finds no room after the compiler has begun.
    let nearly_full = "rm -rf \"$CACHE/bytecode\"; mount -t tmpfs -o size=64m none /mnt; cp -a \"$CACHE/.\" /mnt; \
                       dd if=/dev/zero of=/mnt/room bs=4096 count=6 2> /dev/null; \
                       dd if=/dev/zero of=/mnt/full bs=4096 2> /dev/null || true; rm /mnt/room; mount --move /mnt \"$CACHE\"";
    let output = in_mounts(&world, "no-byte-code", nearly_full);
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("no space left for byte-code"), "{said}");
    assert!(said.contains("packhouse cache prune") && !said.contains("Traceback"), "{said}");
    assert_eq!(finished(&world, "no-byte-code"), Vec::new());
    // Nothing can be unpacked: that is an error, not another artefact.
    let output = in_mounts(&world, "empty", "mount -t tmpfs -o size=64k none \"$CACHE\"");
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("free some space"), "{said}");
    assert_eq!(finished(&world, "empty"), Vec::new());
}

#[test]
fn a_read_only_cache_serves_what_it_holds() {
    let world = World::new();
    let read_only = "mount --bind \"$CACHE\" \"$CACHE\"; mount -o remount,bind,ro \"$CACHE\"";
    let before = walk(&world.cache());
    for (name, mounts) in [
        ("whole", read_only.to_owned()),
        ("without-blocks", format!("rm -rf \"$CACHE/blocks\"; {read_only}")),
        ("without-help", format!("rm -rf \"$CACHE/help\"; {read_only}")),
    ] {
        let output = in_mounts(&world, name, &mounts);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert_eq!(world.artefacts(name), world.right, "{name}");
        if name == "whole" {
            assert_eq!(walk(&world.cache()), before);
        }
    }
    let output = in_mounts(&world, "empty", &format!("rm -rf \"$CACHE\"/*; {read_only}"));
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains(world.cache().to_str().unwrap()), "{said}");
    assert_eq!(finished(&world, "empty"), Vec::new());
}

/// Runs a build into `out` as one who is not root, after `prepare` (a script) was done with the cache in `$CACHE`. When this
/// user is root the cache is root's and the builder nobody. Gives also what the build has left among temporary files.
fn denied(world: &World, out: &str, prepare: &str) -> (Output, Vec<PathBuf>) {
    let nobody = rustix::process::geteuid().is_root();
    // Where the tests were built it might not be found by nobody.
    let program = world.directory.path().join("packhouse");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_packhouse"), &program).unwrap();
    }
    fs::set_permissions(world.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let script = format!("{prepare}\n[ -z \"$NOBODY\" ] || chown -R 65534:65534 \"$REPOSITORY\"");
    let mut command = Command::new("sh");
    command.args(["-ec", &script]).env("CACHE", world.cache()).env("REPOSITORY", world.root());
    command.env("NOBODY", if nobody { "nobody" } else { "" });
    assert!(command.status().unwrap().success(), "{script}");
    let mut command = Command::new(if nobody { "setpriv" } else { "env" });
    if nobody {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.arg(&program).args(["build", "-v", "--out"]).arg(world.out(out)).current_dir(world.root());
    let temporary = world.directory.path().join("temporary");
    drop(fs::remove_dir_all(&temporary));
    fs::create_dir(&temporary).unwrap();
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o1777)).unwrap();
    command.env("PACKHOUSE_CACHE_DIR", world.cache()).env("TMPDIR", &temporary).env_remove("SOURCE_DATE_EPOCH");
    command.env("HOME", world.root());
    let output = command.output().unwrap();
    let left = walk(&temporary);
    assert!(Command::new("chmod").args(["-R", "u+rwX"]).arg(world.cache()).status().unwrap().success());
    (output, left)
}

#[test]
fn a_cache_of_another_user_serves_what_can_be_read_and_one_warning_tells_the_way_out() {
    let world = World::new();
    let readable = "chmod -R a+rX,a-w \"$CACHE\"";
    for (name, prepare, path) in [
        ("read-only", readable.to_owned(), ""),
        ("secret", "chmod -R a-rwx \"$CACHE\"".to_owned(), ""),
        ("secret-blocks", "chmod -R a+rwX \"$CACHE\"; chmod a-rwx \"$CACHE/blocks/v1\"".to_owned(), "/blocks/v1"),
        ("secret-locks", "chmod -R a+rwX \"$CACHE\"; chmod a-rwx \"$CACHE/locks\"".to_owned(), "/locks"),
        ("sealed-wheels", "chmod -R a+rwX \"$CACHE\"; chmod a-w \"$CACHE\"/wheels/*".to_owned(), "/wheels/"),
        (
            "nowhere",
            "chmod -R a+rwX \"$CACHE\"; rm -rf \"$CACHE\"; mkdir \"$CACHE\"; chmod a-w \"$CACHE\"".to_owned(),
            "",
        ),
    ] {
        let (output, left) = denied(&world, name, &prepare);
        let said = text(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
        assert_eq!(world.artefacts(name), world.right, "{name}");
        let refused = format!("{}{path}", world.cache().display());
        assert_eq!(said.matches("no permission to read and write").count(), 1, "{name}: {said}");
        assert!(said.contains(&format!("`sudo chown -R \"$(id -un)\" '{refused}")), "{name}: {said}");
        assert!(said.contains("PACKHOUSE_CACHE_DIR"), "{name}: {said}");
        let readable = ["read-only", "secret-locks", "sealed-wheels"].contains(&name);
        assert_eq!(left.iter().any(|path| path.ends_with("blocks/v1")), !readable, "{name}: blocks are taken or made");
    }
}

#[test]
fn blocks_that_are_damaged_swapped_or_of_another_version_are_made_again() {
    let world = World::new();
    let blocks = || files(&world.cache().join("blocks"));
    let change = |change: &dyn Fn(&mut Vec<u8>)| {
        for file in blocks() {
            let mut bytes = fs::read(&file).unwrap();
            change(&mut bytes);
            fs::write(&file, bytes).unwrap();
        }
    };
    let before = blocks().len();
    assert!(before > 1, "the build keeps blocks");
    change(&|bytes| *bytes.last_mut().unwrap() ^= 1);
    world.is_right("a flipped bit in each block");
    change(&|bytes| bytes[30] ^= 1);
    world.is_right("a flipped bit in each digest");
    change(&|bytes| bytes.truncate(bytes.len() / 2));
    world.is_right("each block was cut");
    change(&|bytes| *bytes = text(bytes).replacen("cache 1 ", "cache 0 ", 1).into_bytes());
    world.is_right("each block was of another version");
    let all: Vec<Vec<u8>> = blocks().iter().map(|file| fs::read(file).unwrap()).collect();
    for (file, content) in blocks().iter().zip(all.iter().cycle().skip(1)) {
        fs::write(file, content).unwrap();
    }
    world.is_right("blocks were swapped");
    fs::remove_dir_all(world.cache().join("blocks")).unwrap_or_default();
    world.is_right("all blocks were evicted");
    assert_eq!(blocks().len(), before);
}

/// Does something to the path, and says what.
fn damage(path: &Path, numbers: &mut Numbers) -> Option<&'static str> {
    let metadata = fs::symlink_metadata(path).unwrap();
    let remove = || if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    let rewrite = |change: &mut dyn FnMut(&mut Vec<u8>)| {
        let mut bytes = fs::read(path).unwrap();
        change(&mut bytes);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, metadata.permissions()).unwrap();
    };
    let has_content = metadata.is_file() && metadata.size() > 0;
    match numbers.below(6) {
        0 => {
            remove();
            Some("removed")
        }
        1 => {
            remove();
            fs::create_dir_all(path.join("below")).unwrap();
            Some("replaced by a directory")
        }
        2 => {
            remove();
            symlink("/dev/null", path).unwrap();
            Some("replaced by a link")
        }
        3 => {
            remove();
            fs::write(path, "").unwrap();
            Some("replaced by an empty file")
        }
        4 if has_content => {
            rewrite(&mut |bytes| bytes.truncate(numbers.below(bytes.len())));
            Some("cut")
        }
        5 if has_content => {
            rewrite(&mut |bytes| {
                let place = numbers.below(bytes.len());
                bytes[place] ^= 1 << numbers.below(8);
            });
            Some("flipped")
        }
        _ => None,
    }
}

#[test]
fn whatever_is_damaged_in_the_cache_the_artefacts_are_right() {
    let world = World::new();
    let mut numbers = Numbers(std::env::var("SEED").map_or(4, |seed| seed.parse().unwrap()));
    let mut done = 0;
    let begin = Instant::now();
    while done < 24 && (done < 6 || begin.elapsed() < Duration::from_secs(6)) {
        let paths = walk(&world.cache());
        let path = &paths[numbers.below(paths.len())];
        let Some(what) = damage(path, &mut numbers) else { continue };
        done += 1;
        // Into the directory of the last build as well: what is found fresh there is looked for in the cache.
        if done % 2 == 0 {
            world.build("again");
            assert_eq!(world.artefacts("again"), world.right, "after {} was {what}", path.display());
        } else {
            world.is_right(&format!("{} was {what}", path.display()));
        }
    }
}
