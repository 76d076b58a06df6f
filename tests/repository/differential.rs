//! The same packages, indexed by the distributions' own tools: every field of every stanza, every attribute of every
//! element. What differs on purpose is named here, and in docs/repository-packages.md.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Apt, Bench, run, write};

/// Digests that no client trusts, or that say what SHA-256 says already.
const LEFT_OUT: [&str; 5] = ["MD5sum", "SHA1", "SHA512", "Checksums-Sha1", "Checksums-Sha512"];

type Stanzas = BTreeMap<String, BTreeMap<String, String>>;

/// The stanzas of an index, each as its fields.
fn stanzas(text: &str) -> Stanzas {
    let mut all = Stanzas::new();
    for stanza in text.split("\n\n").filter(|stanza| !stanza.trim().is_empty()) {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in stanza.trim_matches('\n').split('\n') {
            match fields.last_mut() {
                Some((_, value)) if line.starts_with([' ', '\t']) => {
                    value.push('\n');
                    value.push_str(line);
                }
                _ => {
                    let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?} in {text}"));
                    fields.push((name.to_owned(), value.trim_start().to_owned()));
                }
            }
        }
        let fields: BTreeMap<_, _> =
            fields.into_iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())).collect();
        let key = format!("{} {} {}", fields["Package"], fields["Version"], fields["Architecture"]);
        assert!(all.insert(key.clone(), fields).is_none(), "{key} twice");
    }
    all
}

fn ftparchive(bench: &Bench, arguments: &[&str]) -> String {
    let output = Command::new("apt-ftparchive")
        .args(arguments)
        .arg("pool")
        .current_dir(bench.published("apt"))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("apt-ftparchive");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The text of an index, from its compressed form.
fn index(bench: &Bench, name: &str) -> String {
    let path = bench.published(&format!("apt/dists/bookworm/{name}.gz"));
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).expect("UTF-8");
    text
}

/// A .deb whose control file is this text, with files.
fn deb(bench: &Bench, name: &str, control: &str, files: &[&str]) -> PathBuf {
    let tree = bench.path(&format!("tree-{name}"));
    write(&tree.join("DEBIAN/control"), control);
    for file in files {
        write(&tree.join(file), file);
    }
    let path = bench.path(&format!("{name}.deb"));
    run(Command::new("dpkg-deb").args(["--root-owner-group", "-Zxz", "-b"]).arg(&tree).arg(&path));
    path
}

/// Packages with everything that a control file may have.
fn odd_debs(bench: &Bench) -> Vec<PathBuf> {
    let odd = "Package: odd\nSource: odd-source (1:2.0-1)\nVersion: 1:2.0~rc1+b-1+b1\nArchitecture: amd64\nEssential: yes\n\
        Protected: yes\nMaintainer: Äcme <a@acme.example>\nOriginal-Maintainer: B <b@acme.example>\nInstalled-Size: 12\n\
        Pre-Depends: libc6 (>= 2.36)\nDepends: a (>= 1),\n b | c:any,\n d\nRecommends: r\nSuggests: s\nEnhances: e\n\
        Conflicts: f (<< 1)\nBreaks: g (<< 2~)\nReplaces: g (<< 2~)\nProvides: virtual (= 3), other\n\
        Built-Using: x (= 1)\nStatic-Built-Using: y (= 2)\nSection: contrib/net\nPriority: optional\nMulti-Arch: same\n\
        Homepage: https://acme.example/?a=b&c\nBugs: https://acme.example/bugs\nOrigin: Acme\nTag: foo::bar,\n baz::x\n\
        X-Custom: hi: there\nLicense: MIT\nRuby-Versions: all\nDescription: ünï short – “quoted”\n long\n .\n  verbatim   \n\
        \u{20}more\tand a tab\n";
    let lower = "package: lower\nVERSION: 1\narchitecture: all\nMaintainer: A <a@acme.example>\nsection: net\n\
        depends: odd\ndescription: only a short one\n";
    let bare =
        "Package: bare\nVersion: 0\nArchitecture: all\nMaintainer: A <a@acme.example>\nDepends:\nDescription: x\n";
    let old = odd.replace("2.0~rc1+b-1+b1", "1.9-1").replace("Multi-Arch: same", "Multi-Arch: foreign");
    let dbgsym = "Package: odd-dbgsym\nSource: odd-source\nVersion: 1:2.0\nAuto-Built-Package: debug-symbols\nArchitecture: amd64\n\
        Maintainer: A <a@acme.example>\nDepends: odd (= 1:2.0)\nSection: debug\nPriority: optional\nBuild-Ids: 00ff 11ee\n\
        Description: debug symbols for odd\n";
    let files: &[&str] =
        &["usr/bin/odd", "usr/share/doc/odd/a file with blanks", "etc/ünï", "usr/lib/x/+~:,%", "usr/lib/x/y/z"];
    let mut all = vec![
        deb(bench, "odd", odd, files),
        deb(bench, "old", &old, files),
        deb(bench, "lower", lower, &["usr/bin/odd", "usr/bin/lower"]),
        deb(bench, "bare", bare, &[]),
    ];
    let debug = deb(bench, "dbgsym", dbgsym, &["usr/lib/debug/.build-id/00/ff.debug"]);
    // Ubuntu's name for packages of debug symbols; it is a .deb.
    let renamed = debug.with_extension("ddeb");
    std::fs::rename(debug, &renamed).expect("renamed");
    all.push(renamed);
    all
}

#[test]
fn apt_ftparchive_says_the_same_of_the_same_packages() {
    let mut bench = Bench::new();
    let debs = odd_debs(&bench);
    let paths: Vec<&Path> = debs.iter().map(PathBuf::as_path).collect();
    bench.publish("bookworm", &paths).expect("published");
    let mut ours = stanzas(&index(&bench, "main/binary-amd64/Packages"));
    ours.extend(stanzas(&index(&bench, "main/binary-all/Packages")));
    let theirs = stanzas(&ftparchive(&bench, &["packages"]));
    assert_eq!(theirs.len(), 5);
    assert_eq!(ours, theirs);
    // Packages for all architectures stand in the index of each, too.
    assert_eq!(stanzas(&index(&bench, "main/binary-amd64/Packages")).len(), 5);
}

/// Paths with the packages that have them, sections taken off.
fn contents(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (path, packages) = line.rsplit_once([' ', '\t']).unwrap_or_else(|| panic!("{line:?}"));
        for package in packages.split(',') {
            let package = package.rsplit('/').next().expect("a name").to_owned();
            all.entry(path.trim_end().to_owned()).or_default().push(package);
        }
    }
    for packages in all.values_mut() {
        packages.sort();
        packages.dedup();
    }
    all
}

#[test]
fn contents_name_the_files_that_apt_ftparchive_names() {
    let mut bench = Bench::new();
    let debs = odd_debs(&bench);
    let paths: Vec<&Path> = debs.iter().map(PathBuf::as_path).collect();
    bench.publish("bookworm", &paths).expect("published");
    let (amd64, all) = (index(&bench, "main/Contents-amd64"), index(&bench, "main/Contents-all"));
    assert!(amd64.lines().any(|line| line == "usr/bin/odd contrib/net/odd"), "{amd64}");
    assert!(all.lines().any(|line| line == "usr/bin/odd net/lower"), "{all}");
    let ours = contents(&(amd64 + &all));
    let theirs = contents(&ftparchive(&bench, &["contents"]));
    assert_eq!(theirs["usr/bin/odd"], ["lower", "odd"]);
    assert_eq!(ours, theirs);
}

/// A source package made by dpkg-source: format 3.0 (quilt), with an upstream tarball.
fn source(bench: &Bench, version: &str) -> PathBuf {
    let work = bench.path("source");
    let tree = work.join("acme-2.0");
    write(
        &tree.join("debian/control"),
        "Source: acme\nSection: net\nPriority: optional\nMaintainer: Äcme <a@acme.example>\n\
         Uploaders: B <b@acme.example>,\n C <c@acme.example>\nBuild-Depends: debhelper-compat (= 13),\n b\n\
         Build-Depends-Indep: c\nStandards-Version: 4.6.2\nHomepage: https://acme.example\nVcs-Git: https://acme.example/git\n\
         Rules-Requires-Root: no\nTestsuite: autopkgtest\n\nPackage: acme\nArchitecture: any\nDescription: x\n y\n\n\
         Package: acme-doc\nSection: doc\nArchitecture: all\nDescription: x\n y\n",
    );
    write(
        &tree.join("debian/changelog"),
        &format!(
            "acme (1:{version}) unstable; urgency=medium\n\n  * x\n\n -- A <a@acme.example>  Mon, 05 Jan 2026 12:00:00 +0000\n"
        ),
    );
    write(&tree.join("debian/source/format"), "3.0 (quilt)\n");
    write(&tree.join("debian/rules"), "\n");
    if !work.join("acme_2.0.orig.tar.gz").exists() {
        run(Command::new("tar")
            .args(["czf", "acme_2.0.orig.tar.gz", "--exclude", "debian", "acme-2.0"])
            .current_dir(&work));
    }
    run(Command::new("dpkg-source").args(["-b", "acme-2.0"]).current_dir(&work));
    work.join(format!("acme_{version}.dsc"))
}

#[test]
fn apt_gets_the_sources_that_were_published_and_apt_ftparchive_says_the_same_of_them() {
    let mut bench = Bench::new();
    let (one, two) = (source(&bench, "2.0-1"), source(&bench, "2.0-2"));
    let binary = bench.deb("acme", "1:2.0-1", "amd64");
    bench.publish("bookworm", &[&one, &two, &binary]).expect("published");
    let ours = stanzas(&index(&bench, "main/source/Sources"));
    let theirs = stanzas(&ftparchive(&bench, &["sources"]));
    assert_eq!(theirs.len(), 2);
    assert_eq!(ours, theirs);
    let tarballs = crate::support::walk(&bench.published("apt/pool"));
    let shared = tarballs.iter().filter(|path| path.ends_with("acme_2.0.orig.tar.gz")).count();
    assert_eq!(shared, 1, "both versions have one upstream tarball");

    let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).expect("a snippet");
    let snippet = snippet.replace("\nURIs: file:", "\nURIs: copy:");
    assert!(snippet.contains("Types: deb\n") || snippet.contains("Types: deb deb-src\n"), "{snippet}");
    let apt = Apt::new(&bench, "client", &snippet.replace("Types: deb\n", "Types: deb deb-src\n"));
    assert_eq!(apt.update().expect("updated"), ["acme"]);
    let place = bench.path("downloaded");
    std::fs::create_dir(&place).expect("a directory");
    let get = apt.command("sh", &["-c", &format!("cd '{}' && apt-get source acme=1:2.0-1", place.display())]);
    assert!(get.status.success(), "{}", crate::support::both(&get));
    assert!(place.join("acme-2.0/debian/control").is_file() && place.join("acme_2.0-1.dsc").is_file());

    let again = bench.publish("bookworm", &[&one]).expect("published");
    assert_eq!(again.suites[0].unchanged, ["acme 1:2.0-1 source"]);
}

/// Packages with everything that a header may have: the binary one and its source.
fn odd_rpms(bench: &Bench) -> Vec<PathBuf> {
    let mut spec = String::from(ODD);
    for entry in (1..=14).rev() {
        // Several entries of one day, as packagers write them.
        let day = if entry < 8 { "Sun Jan 04" } else { "Mon Jan 05" };
        spec.push_str(&format!("* {day} 2026 Äcme <a@acme.example> - {entry}-1\n- entry {entry} <x> & \"y\"\n"));
    }
    let (top, path) = (bench.path("odd"), bench.path("odd.spec"));
    write(&path, &spec);
    let mut build = Command::new("rpmbuild");
    build
        .env("HOME", &top)
        .arg("--define")
        .arg(format!("_topdir {}", top.display()))
        .args(["-ba", "--nodeps"])
        .arg(&path);
    run(&mut build);
    let built = crate::support::walk(&top);
    built.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rpm")).collect()
}

const ODD: &str = r#"%global __os_install_post %{nil}
Name: odd+name
Epoch: 2
Version: 1.0~rc1^git2
Release: 1.el9
Summary:   A <test> & "more" – ünï
License: MIT and 'more'
Group: A/B
URL: https://acme.example/?b&c
Vendor: Äcme
Packager: P <p@acme.example>
BuildArch: noarch
AutoReqProv: no
BuildRequires: gcc >= 12, (clang if llvm)
Provides: thing = 3:1.0-2, thing = 3:1.0-2, virt(x)(64bit) < 2, bundled(a) = 1
Requires: (a and (b or c >= 2)), d >= 0:1, e = 1-2, f > 2, /bin/sh, config(odd) = 1, /usr/bin/odd, /usr/lib/odd/data
Requires: thing = 3:1.0-2, virt(x)(64bit) < 2, shadow, other = 1:2
Requires: libc.so.6()(64bit), libc.so.6(GLIBC_2.9)(64bit), libc.so.6(GLIBC_2.34)(64bit), libm.so.6(GLIBC_2.2)(64bit)
Requires(pre): shadow
Requires(post): shadow
Requires(preun): pu
Requires(postun): later
Requires(pretrans): pt
Requires(posttrans): ptt
Requires(verify): ver
Requires(interp): int
Requires(meta): met
Recommends: r >= 1, (t if u else v)
Suggests: s, s = 1
Supplements: (t and u)
Enhances: e
Conflicts: c < 1, c > 4:2-1
Obsoletes: o <= 1.0-1, o
%description
  Leading, <xml> & "quotes" 'apos' ]]>
second	tab

trailing   
%install
cd %{buildroot}
mkdir -p usr/bin usr/sbin.d etc/odd.d usr/lib/odd "usr/share/a b" usr/libexec/sbin var/log opt/bin
echo 1 >usr/bin/odd; echo 2 >etc/odd.conf; echo 3 >"usr/share/a b/ü'<&\"x"; ln -s odd usr/bin/link; ln usr/bin/odd usr/bin/hard
echo 4 >usr/lib/sendmail; touch var/log/ghost; mkdir var/log/ghosts; echo 5 >usr/lib/odd/data; echo 6 >usr/libexec/sbin/x; echo 7 >opt/bin/y
%files
%attr(0755,root,root) %caps(cap_net_raw=ep) /usr/bin/odd
/usr/bin/link
/usr/bin/hard
%config(noreplace) /etc/odd.conf
%dir /etc/odd.d
"/usr/share/a b"
%dir /usr/lib/odd
/usr/lib/odd/data
%doc /usr/lib/sendmail
%ghost /var/log/ghost
%ghost %dir /var/log/ghosts
/usr/libexec/sbin
/opt/bin/y
%attr(4711,daemon,users) %dir /usr/sbin.d
%pre
true
%post -p /bin/bash
true
%filetriggerin -- /usr/lib
true
%transfiletriggerpostun -- /usr/lib
true
%triggerin -- other
true
%changelog
"#;

#[test]
fn createrepo_c_says_the_same_of_odd_packages_and_of_their_source() {
    let mut bench = Bench::new();
    let rpms = odd_rpms(&bench);
    assert_eq!(rpms.len(), 2, "a binary package and its source");
    let paths: Vec<&Path> = rpms.iter().map(PathBuf::as_path).collect();
    bench.publish("el9", &paths).expect("published");
    let suite = bench.published("yum/el9");
    let out = bench.path("theirs");
    std::fs::create_dir(&out).expect("a directory");
    run(Command::new("createrepo_c").args(["--no-database", "--general-compress-type=gz", "-o"]).arg(&out).arg(&suite));
    for kind in ["primary", "filelists", "other"] {
        let (ours, mut theirs) = (crate::yum::packages(&suite, kind), crate::yum::packages(&out, kind));
        // The distribution's is older than 1.0 and does not mark what scripts of whole transactions need.
        for line in theirs.values_mut().flatten().filter(|line| line.contains("/rpm:requires/")) {
            for name in ["name=pt", "name=ptt"] {
                *line = line.replace(&format!(" {name} "), &format!(" {name} pre=1 "));
            }
        }
        assert_eq!(theirs.len(), 2, "{kind}");
        assert_eq!(ours, theirs, "{kind}");
    }
}

/// The package index has createrepo_c as a wheel, newer than the distribution's, with its readers.
const READER: &str = r#"
import os, sys
import createrepo_c as cr

FIELDS = """name arch version epoch release summary description url time_build rpm_license rpm_vendor rpm_group rpm_buildhost
rpm_sourcerpm rpm_header_start rpm_header_end rpm_packager size_package size_installed size_archive location_href
checksum_type pkgId requires provides conflicts obsoletes suggests enhances recommends supplements files
changelogs""".split()

def value(package, field):
    value = getattr(package, field)
    # Readers and rpm give lists in different orders; nothing and an empty text are the same in XML.
    if field == "files":
        return sorted((kind or "", directory + name) for kind, directory, name, *_ in value)
    return sorted(map(repr, value)) if isinstance(value, list) and field != "changelogs" else value or ""

suite = sys.argv[1]
ours = list(cr.RepositoryReader.from_path(suite).iter_packages())
for package in ours:
    path = os.path.join(suite, package.location_href)
    theirs = cr.package_from_rpm(path, location_href=package.location_href, changelog_limit=10)
    for field in FIELDS:
        if value(package, field) != value(theirs, field):
            print(f"{package.nevra()} {field}: {value(package, field)!r} is {value(theirs, field)!r}")
print(len(ours), "packages")
"#;

#[test]
fn online_the_readers_of_createrepo_c_find_the_packages_in_the_metadata() {
    let mut bench = Bench::new();
    let mut rpms = odd_rpms(&bench);
    rpms.push(bench.rpm("acme", "1.0", "one", "Requires: odd+name"));
    let paths: Vec<&Path> = rpms.iter().map(PathBuf::as_path).collect();
    bench.publish("el9", &paths).expect("published");
    let place = bench.path("python");
    run(Command::new("python3").args(["-m", "venv"]).arg(&place));
    run(Command::new(place.join("bin/pip")).args([
        "install",
        "-q",
        "--disable-pip-version-check",
        "createrepo_c==1.2.5",
    ]));
    let mut reader = Command::new(place.join("bin/python3"));
    let output = reader.args(["-c", READER]).arg(bench.published("yum/el9")).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3 packages\n");
}
