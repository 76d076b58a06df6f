//! Packing a tree of real files, against dpkg-deb, rpmbuild and fpm.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{DPKG_XZ, DPKG_ZSTD, RPMBUILD_XZ, RPMBUILD_ZSTD};
use crate::Result;
use crate::bench::inputs::Tree;
use crate::bench::{Bench, Contestant, cores, peers, remove};

pub(super) const DEB: &str = "packhouse, .deb";
pub(super) const DEB_XZ: &str = "packhouse, .deb xz";
pub(super) const BOTH: &str = "packhouse, .deb and .rpm";
pub(super) const RPM_FAST: &str = "packhouse, .rpm fast";
pub(super) const RPM_XZ: &str = "packhouse, .rpm xz";
pub(super) const DEB_XZ_CHANGED: &str = "packhouse, .deb xz, one file changed";
pub(super) const BOTH_CHANGED: &str = "packhouse, .deb and .rpm, one file changed";
pub(super) const UNCHANGED: &str = "packhouse, .deb and .rpm, nothing changed";

/// What is packed for, and how.
pub(in crate::bench) const DEB_OPTIONS: &[&str] = &["--target", "debian-12"];
pub(in crate::bench) const DEB_XZ_OPTIONS: &[&str] = &["--target", "debian-12", "--compression", "xz"];
pub(in crate::bench) const BOTH_OPTIONS: &[&str] = &["--target", "debian-12,el9"];
const RPM_FAST_OPTIONS: &[&str] = &["--target", "el9", "--effort", "fast"];
const RPM_XZ_OPTIONS: &[&str] = &["--target", "el9", "--compression", "xz"];

/// Runs all contestants over the tree of the usual size.
pub(in crate::bench) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("tree")?;
    let tree = bench.inputs()?.mixed()?;
    bench.note_input("mixed", &tree);
    tree.warm()?;
    let small = tree.small_text()?;
    restore(&tree, &small)?;
    let programs: Vec<_> =
        ["dpkg-deb", "rpmbuild", "fpm"].into_iter().map(|name| peers::program(bench, name).ok()).collect();
    let [dpkg, rpmbuild, fpm] = programs.as_slice() else { return Ok(()) };
    let cold =
        |name: &str, cache: &'static str, options: &'static [&'static str]| pack(bench, name, cache, &tree, options);
    let mut contestants = Vec::new();
    if let Some(dpkg) = dpkg {
        contestants.push(dpkg_deb(bench, DPKG_XZ, dpkg, "xz", &tree));
        contestants.push(dpkg_deb(bench, DPKG_ZSTD, dpkg, "zstd", &tree).repeats(2));
    }
    if let Some(rpmbuild) = rpmbuild {
        let threaded = format!("w6T{}.xzdio", cores());
        contestants.push(rpm_build(bench, RPMBUILD_XZ, rpmbuild, &threaded, &tree)?);
        contestants.push(rpm_build(bench, RPMBUILD_ZSTD, rpmbuild, "w3.zstdio", &tree)?);
    }
    contestants.push(cold(DEB, "cold", DEB_OPTIONS).repeats(2));
    contestants.push(cold(RPM_FAST, "cold-fast", RPM_FAST_OPTIONS).repeats(2));
    contestants.push(cold(RPM_XZ, "cold-rpm-xz", RPM_XZ_OPTIONS));
    // Each cold run leaves the cache that the warm ones after it begin with.
    contestants.push(cold(DEB_XZ, "xz", DEB_XZ_OPTIONS));
    contestants.push(changed(bench, DEB_XZ_CHANGED, "xz", &tree, &small, DEB_XZ_OPTIONS).repeats(4));
    contestants.push(cold(BOTH, "both", BOTH_OPTIONS).repeats(2));
    contestants.push(changed(bench, BOTH_CHANGED, "both", &tree, &small, BOTH_OPTIONS).repeats(4));
    contestants.push(unchanged(bench, UNCHANGED, "both", &tree, BOTH_OPTIONS).repeats(5));
    if let Some(fpm) = fpm {
        contestants.push(fpm_deb(bench, fpm, &tree).rounds(1));
    }
    bench.compete("tree", 3, contestants);
    restore(&tree, &small)
}

/// packhouse with an empty cache, over all of the tree.
pub(in crate::bench) fn pack(
    bench: &Bench,
    name: impl Into<String>,
    cache: &str,
    tree: &Tree,
    options: &'static [&'static str],
) -> Contestant {
    let (place, out) = (bench.work(cache), bench.work(&format!("{cache}-out")));
    let clean = [place, out.clone()];
    unchanged(bench, name, cache, tree, options)
        .prepared(move || clean.iter().try_for_each(|path| remove(path)))
        .makes(out)
}

/// packhouse with whatever is in its cache.
pub(in crate::bench) fn unchanged(
    bench: &Bench,
    name: impl Into<String>,
    cache: &str,
    tree: &Tree,
    options: &'static [&'static str],
) -> Contestant {
    let (program, place) = (bench.packhouse.clone(), bench.work(cache));
    let (ours, out) = (tree.ours.clone(), bench.work(&format!("{cache}-out")));
    let command = move || {
        let mut command = Command::new(&program);
        command.env("PACKHOUSE_CACHE_DIR", &place).arg("pack").arg(&ours).args(options).arg("--out").arg(&out);
        command
    };
    Contestant::new(name, command)
}

/// The same after a line was added to one small file.
pub(in crate::bench) fn changed(
    bench: &Bench,
    name: impl Into<String>,
    cache: &str,
    tree: &Tree,
    small: &Path,
    options: &'static [&'static str],
) -> Contestant {
    let file = tree.ours.join(small);
    let mut run = 0;
    unchanged(bench, name, cache, tree, options)
        .prepared(move || {
            run += 1;
            let mut text = fs_err::read(&file)?;
            text.extend_from_slice(format!("# changed {run} times, by process {}\n", std::process::id()).as_bytes());
            Ok(fs_err::write(&file, text)?)
        })
        .makes(bench.work(&format!("{cache}-out")))
}

/// The small file as it is in the peers' copy.
pub(in crate::bench) fn restore(tree: &Tree, small: &Path) -> Result<()> {
    Ok(fs_err::write(tree.ours.join(small), fs_err::read(tree.theirs.join(small))?)?)
}

/// dpkg-deb as maintainers call it, with its own threads.
pub(in crate::bench) fn dpkg_deb(
    bench: &Bench,
    name: impl Into<String>,
    program: &Path,
    compressor: &str,
    tree: &Tree,
) -> Contestant {
    let (program, out, theirs) = (program.to_path_buf(), bench.work("theirs.deb"), tree.theirs.clone());
    let option = format!("-Z{compressor}");
    let made = out.clone();
    let command = move || {
        let mut command = Command::new(&program);
        command.args(["--root-owner-group", &option, "--build"]).arg(&theirs).arg(&out);
        command
    };
    let stale = made.clone();
    Contestant::new(name, command).prepared(move || remove(&stale)).makes(made)
}

/// rpmbuild without what it does beside packing: no dependency scan, no debug symbols, no clean-up; files are linked into its
/// build root, not copied.
fn rpm_build(bench: &Bench, name: &str, program: &Path, payload: &str, tree: &Tree) -> Result<Contestant> {
    let top = bench.work("rpmbuild");
    fs_err::create_dir_all(&top)?;
    let spec = top.join("tree.spec");
    let text = format!(
        "Name: tree\nVersion: 1.0\nRelease: 1\nSummary: files of a directory\nLicense: unknown\nAutoReqProv: no\n\
         %global debug_package %{{nil}}\n%global __os_install_post %{{nil}}\n%global _build_id_links none\n%description\n\
         What a directory holds.\n%install\nmkdir -p %{{buildroot}}\ncp -al {}/usr %{{buildroot}}/\n%files\n/usr/lib/acme\n",
        tree.theirs.display()
    );
    fs_err::write(&spec, text)?;
    let (program, made) = (program.to_path_buf(), top.join("RPMS"));
    let stale: Vec<PathBuf> = ["RPMS", "BUILD", "BUILDROOT"].map(|name| top.join(name)).to_vec();
    let (top, payload) = (format!("_topdir {}", top.display()), format!("_binary_payload {payload}"));
    let command = move || {
        let mut command = Command::new(&program);
        command.args(["-bb", "--quiet", "--noclean", "--define", &top, "--define", &payload]).arg(&spec);
        command
    };
    Ok(Contestant::new(name, command).prepared(move || stale.iter().try_for_each(|path| remove(path))).makes(made))
}

fn fpm_deb(bench: &Bench, program: &Path, tree: &Tree) -> Contestant {
    let (program, out, theirs) = (program.to_path_buf(), bench.work("fpm.deb"), tree.theirs.clone());
    let (stale, made) = (out.clone(), out.clone());
    let command = move || {
        let mut command = Command::new(&program);
        if let Some(gems) = peers::gem_home(&program) {
            command.env("GEM_HOME", gems);
        }
        command.args(["-s", "dir", "-t", "deb", "-n", "tree", "-v", "1.0", "--log", "error", "-C"]).arg(&theirs);
        command.arg("-p").arg(&out).arg("usr");
        command
    };
    Contestant::new("fpm -t deb", command).prepared(move || remove(&stale)).makes(made)
}
