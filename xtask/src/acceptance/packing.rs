//! Packages of several blocks and chapters, of every compressor, as the readers of every release unpack them: what comes out
//! is compared with what went in, byte for byte, because a bad splice of zstd frames is one that `zstd -t` does not see.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use packhouse::config::Maintainer;
use packhouse::format::{self, WriteOptions};
use packhouse::name::PackageName;
use packhouse::package::{Changelog, Package, Relations, Release, Scripts, Version};
use packhouse::target::{Architecture, Compression, Target, distribution};
use packhouse::tree::{Content, Entry, InstallPath, Node, Tree};

use super::{Bench, debian};
use crate::Result;
use crate::process::{run, say, shell};

const TIME: i64 = 1_750_000_000;
/// Where the tree is installed.
const PLACE: &str = "/opt/packing";
/// Enough for several chapters of zstd and many blocks of xz.
const ENOUGH: u64 = 120 * 1024 * 1024;

/// Packs, and has everybody unpack and install.
pub(super) fn judge(bench: &Bench) -> Result<()> {
    let directory = bench.directory.join("packing");
    run(&mut shell(r#"rm -rf "$1"; mkdir -p "$1""#, [&directory]))?;
    let original = directory.join("tree");
    make_tree(&debian::base(bench, "bookworm")?, &original)?;
    let tree = staged(&original)?;
    for (compression, name) in [(Compression::Zstd, "zstd"), (Compression::Xz, "xz"), (Compression::Gzip, "gzip")] {
        say("Packing", &format!("{} files with {name}", tree.len()));
        let place = directory.join(name);
        fs_err::create_dir_all(&place)?;
        for target in ["debian-12", "el9"] {
            let options = WriteOptions { compression: Some(compression), ..WriteOptions::default() };
            format::write(&package(target, tree.clone())?, &place, &options)?;
        }
        compare_streams(&place, &original)?;
        // dpkg reads zstd since 1.21.18, which Debian 11 has not.
        let suites =
            ["bullseye", "bookworm", "trixie"].into_iter().filter(|suite| (*suite, name) != ("bullseye", "zstd"));
        for suite in suites {
            say("Unpacking", &format!("{name} with dpkg of {suite}"));
            unpack(&debian::made(bench, suite, suite, debian::PACKAGES)?, &place, &original, DPKG)?;
        }
        say("Unpacking", &format!("{name} with rpm of trixie"));
        unpack(&debian::derived(bench, "trixie", "rpm")?, &place, &original, RPM)?;
        say("Installing", &format!("{name} with apt, rpm, dnf and zypper"));
        unpack(&debian::base(bench, "bookworm")?, &place, &original, APT)?;
        install_rpm(&place, &original)?;
    }
    Ok(())
}

/// Real files: programs, libraries, texts and links of a minimal Debian.
fn make_tree(root: &Path, place: &Path) -> Result<()> {
    run(&mut shell(
        r#"mkdir -p "$2"
           cd "$1/usr"
           cp -a --parents bin lib/python3* lib/systemd lib/x86_64-linux-gnu share/perl* share/doc share/zoneinfo "$2/"
           find "$2" \( -name '*[[:cntrl:]]*' -o ! -type f ! -type d ! -type l \) -delete
           chown -R -h 0:0 "$2"
           find "$2" -type d -exec chmod 0755 {} +"#,
        [root, place],
    ))?;
    let size: u64 = run(&mut shell(r#"du -sb "$1" | cut -f1"#, [place]))?.trim().parse()?;
    if size < ENOUGH { Err(format!("only {size} bytes to pack").into()) } else { Ok(()) }
}

fn path(text: &str) -> Result<InstallPath> {
    Ok(InstallPath::parse(text)?)
}

/// The tree of what lies in `directory`. Of the one rule on which the formats differ, the modes of shared libraries, nothing
/// is to be seen here: they get a mode that both leave alone.
fn staged(directory: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    let list = run(&mut shell(r#"cd "$1"; find . -mindepth 1 -printf '%y\t%P\n'"#, [directory]))?;
    for line in list.lines() {
        let Some((kind, name)) = line.split_once('\t') else { return Err(format!("find printed {line:?}").into()) };
        let (at, file) = (path(&format!("{PLACE}/{name}"))?, directory.join(name));
        let mode = fs_err::symlink_metadata(&file)?.permissions().mode() & 0o7777;
        let entry = match kind {
            "d" => Entry::root(Node::Directory, mode),
            "l" => Entry::root(Node::Symlink(fs_err::read_link(&file)?.to_string_lossy().into_owned()), 0o777),
            _ => {
                let mode = if name.contains(".so") { 0o4755 } else { mode };
                fs_err::set_permissions(&file, std::fs::Permissions::from_mode(mode))?;
                Entry::root(Node::File(Content::file(&file)?), mode)
            }
        };
        tree.insert(at, entry)?;
    }
    Ok(tree)
}

fn package(target: &str, tree: Tree) -> Result<Package> {
    let maintainer = Maintainer { name: "Acme Packagers".to_owned(), mail: "packages@acme.example".to_owned() };
    let version = Version { epoch: 0, debian: "1".to_owned(), rpm: "1".to_owned(), revision: "1".to_owned() };
    let changes = vec!["Begin".to_owned()];
    let release = Release { version: version.clone(), time: TIME, author: maintainer.clone(), changes };
    let name = PackageName::parse("acme-packing")?;
    Ok(Package {
        name: name.clone(),
        source: name,
        version,
        target: Target {
            distribution: distribution(target).ok_or("no such distribution")?,
            architecture: Architecture::X86_64,
        },
        architecture: None,
        summary: "files of all kinds".to_owned(),
        description: "To be unpacked.".to_owned(),
        maintainer,
        vendor: "Acme".to_owned(),
        homepage: None,
        license: "MIT".to_owned(),
        section: "misc".to_owned(),
        relations: Relations::default(),
        scripts: Scripts::default(),
        changelog: Changelog { releases: vec![release] },
        time: TIME,
        tree,
        owned_directories: vec![path(PLACE)?],
        build_ids: Vec::new(),
        debian: packhouse::package::DebianOnly::default(),
        notes: Vec::new(),
    })
}

/// The payload, unpacked by the compressor's own program and by libraries, against the files.
fn compare_streams(place: &Path, original: &Path) -> Result<()> {
    run(&mut shell(
        r#"cd "$1"
           member=$(ar t *.deb | grep '^data.tar')
           ar p *.deb "$member" > data
           case $member in
             *.zst) zstd -tq - < data; zstd -dcq < data > one; bsdcat data > two ;;
             *.xz) xz -t - < data; xz -dc < data > one; python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open("data"), open("two", "wb"))'
                   [ "$(xz --robot --list --format=xz data 2>/dev/null | awk '$1 == "file" { print $3 }')" -gt 3 ] || { echo "one block"; exit 1; } ;;
             *.gz) gzip -t < data; gzip -dc < data > one; python3 -c 'import gzip, shutil; shutil.copyfileobj(gzip.open("data"), open("two", "wb"))' ;;
           esac
           cmp one two
           mkdir out && tar -xpf one -C out
           diff -r --no-dereference "$2" out/opt/packing
           rm -rf out one two data"#,
        [place, original],
    ))?;
    Ok(())
}

const DPKG: &str = r#"
inside dpkg-deb -x "/in/$(basename "$place"/*.deb)" /out
diff -r --no-dereference "$original" "$work/root/out/opt/packing"
"#;

const RPM: &str = r#"
inside rpm --initdb
inside rpm -i --nodeps "/in/$(basename "$place"/*.rpm)"
inside rpm -V --nodeps acme-packing
diff -r --no-dereference "$original" "$work/root/opt/packing"
"#;

const APT: &str = r#"
cp "$place"/*.deb "$work/repository/"
(cd "$work/repository" && apt-ftparchive packages . > Packages)
rm -f "$work"/root/etc/apt/sources.list "$work"/root/etc/apt/sources.list.d/*
mkdir -p "$work/root/repository"
cp -r "$work/repository/." "$work/root/repository/"
echo 'deb [trusted=yes] file:/repository ./' > "$work/root/etc/apt/sources.list"
inside apt-get -q update >/dev/null
inside apt-get -q install -y acme-packing >/dev/null
inside dpkg --verify acme-packing
diff -r --no-dereference "$original" "$work/root/opt/packing"
"#;

/// Runs `steps` with a throw-away copy of `root`, in which the packages are at `/in`.
fn unpack(root: &Path, place: &Path, original: &Path, steps: &str) -> Result<()> {
    let prepare = r#"
base=$1 place=$2 original=$3
work=$(mktemp -d)
mount -t tmpfs none "$work"
trap 'umount -l "$work/root/in" "$work/root" 2>/dev/null || true; umount -l "$work"; rmdir "$work"' EXIT
mkdir "$work"/{upper,work,root,repository}
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$work/root"
mkdir -p "$work/root/in" "$work/root/out"
mount --bind "$place" "$work/root/in"
inside() { unshare -n chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
"#;
    let arguments = [root.as_os_str(), place.as_os_str(), original.as_os_str()];
    run(&mut shell(&format!("{prepare}{steps}"), arguments)).map(drop)
}

/// This machine's rpm, and dnf and zypper with a repository that has nothing else.
fn install_rpm(place: &Path, original: &Path) -> Result<()> {
    let arguments: [PathBuf; 2] = [place.to_path_buf(), original.to_path_buf()];
    run(&mut shell(
        r#"place=$1 original=$2
           work=$(mktemp -d)
           mount -t tmpfs none "$work"
           trap 'umount -l "$work"; rmdir "$work"' EXIT
           mkdir "$work"/{repos,repository,rpm,dnf,zypper}
           cp "$place"/*.rpm "$work/repository/"
           createrepo_c -q "$work/repository"
           same() { diff -r --no-dereference "$original" "$work/$1/opt/packing"; rm -rf "$work/$1/opt"; }
           rpm --root "$work/rpm" --initdb
           rpm --root "$work/rpm" -i --nodeps "$place"/*.rpm
           rpm --root "$work/rpm" -V --nodeps acme-packing
           same rpm
           printf '[acme]\nname=acme\nbaseurl=file://%s\ngpgcheck=0\nenabled=1\n' "$work/repository" > "$work/repos/acme.repo"
           printf '[main]\nreposdir=%s\ncachedir=%s/cache\nplugins=0\nassumeyes=1\nlogdir=%s\npersistdir=%s\n' "$work/repos" "$work" "$work" "$work/persist" > "$work/dnf.conf"
           unshare -n dnf -q -c "$work/dnf.conf" --installroot="$work/dnf" --releasever=9 --setopt=reposdir="$work/repos" -y install acme-packing
           same dnf
           zypper_in() { unshare -n zypper --quiet --root "$work/zypper" --non-interactive "$@"; }
           zypper_in addrepo --no-gpgcheck "file://$work/repository" acme
           zypper_in install --no-recommends acme-packing
           same zypper"#,
        arguments,
    ))
    .map(drop)
}
