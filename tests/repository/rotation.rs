//! Replacing a repository's key, seen by clients that have the old one, the new one, or both.

use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::repo::keys::{Algorithm, Certificates, SecretKey};
use packhouse::repo::sign::Signer;
use packhouse::repo::travel::{self, Actor, SnapshotId};
use packhouse::repo::trust::rotation::{Rotated, RotationOptions, Step, rotate};
use packhouse::repo::{self, Kind, RepoError, Suite, verify};
use packhouse::report::Silent;

use crate::support::{Apt, Bench, Dnf, both, new_key, now, output, run, write};

struct Keys {
    old: SecretKey,
    new: SecretKey,
}

impl Keys {
    fn signer(key: &SecretKey) -> Signer {
        key.signer(None, now()).expect("usable")
    }
}

fn step(bench: &mut Bench, step: &Step, key: &SecretKey) -> Result<Rotated, RepoError> {
    let repository = repo::open(bench.repository.root()).expect("a repository");
    let mut options = RotationOptions { dry_run: true, time: now(), reporter: &Silent };
    let before = bench.visible();
    let told = rotate(&repository, step, &Keys::signer(key), &options)?;
    assert!(before == bench.visible(), "a trial changes nothing");
    options.dry_run = false;
    let rotated = rotate(&repository, step, &Keys::signer(key), &options)?;
    assert_eq!(told, rotated);
    bench.repository = repo::open(bench.repository.root()).expect("a repository");
    Ok(rotated)
}

/// The certificates of `keys` in both forms, as a client keeps them.
fn keyring(bench: &Bench, name: &str, keys: &[&SecretKey]) -> (PathBuf, PathBuf) {
    let certificates = Certificates::new(keys.iter().map(|key| key.public()).collect());
    let (binary, armored) = (bench.path(&format!("{name}.gpg")), bench.path(&format!("{name}.asc")));
    std::fs::write(&binary, certificates.binary().unwrap()).unwrap();
    write(&armored, &certificates.armored().unwrap());
    (binary, armored)
}

/// Which clients take the repository with these keys: gpgv, sqv, apt, dnf, zypper.
fn clients(bench: &Bench, name: &str, keys: &[&SecretKey]) -> Vec<&'static str> {
    let (binary, armored) = keyring(bench, name, keys);
    let dists = bench.published("apt/dists/bookworm");
    let (detached, release) = (dists.join("Release.gpg"), dists.join("Release"));
    let mut taken = Vec::new();
    let sqv = Command::new("sqv").arg("--keyring").arg(&binary).arg(&detached).arg(&release).output().unwrap();
    if sqv.status.success() {
        taken.push("sqv");
    }
    // gpgv wants to know every key; what counts for apt is one good signature and no bad one.
    let good = |files: &[&Path]| {
        let mut gpgv = Command::new("gpgv");
        let said = both(&output(gpgv.args(["--status-fd", "1", "--keyring"]).arg(&binary).args(files)));
        said.contains("GOODSIG") && !said.contains("BADSIG")
    };
    if good(&[&detached, &release]) && good(&[&dists.join("InRelease")]) {
        taken.push("gpgv");
    }
    let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).unwrap();
    let own = snippet.replace(&bench.published("key.gpg").display().to_string(), &binary.display().to_string());
    assert_ne!(own, snippet);
    if Apt::new(bench, &format!("{name}-apt"), &own).update().is_ok_and(|names| names == ["acme"]) {
        taken.push("apt");
    }
    let snippet = std::fs::read_to_string(bench.published("acme-el9.repo")).unwrap();
    let keys = format!("gpgkey=file://{}", armored.display());
    let own: String =
        snippet.lines().map(|line| if line.starts_with("gpgkey=") { &keys } else { line }.to_owned() + "\n").collect();
    let dnf = Dnf::new(bench, &format!("{name}-dnf"), &own);
    if dnf.packages() == ["acme-1-1.el9"] {
        let download = bench.path(&format!("{name}-download"));
        std::fs::create_dir_all(&download).unwrap();
        let installed = dnf.command(&["install", "--downloadonly", "--setopt=gpgcheck=1", "acme"]);
        assert!(installed.status.success(), "{name}: {}", both(&installed));
        taken.push("dnf");
    }
    if zypper(bench, name, &armored) {
        taken.push("zypper");
    }
    taken
}

/// Whether a zypper that trusts these keys alone sees the package.
fn zypper(bench: &Bench, name: &str, armored: &Path) -> bool {
    let root = bench.path(&format!("{name}-zypper"));
    std::fs::create_dir_all(&root).unwrap();
    let rpm = |arguments: &[&str]| run(Command::new("rpm").arg("--root").arg(&root).args(arguments));
    rpm(&["--initdb"]);
    rpm(&["--import", armored.to_str().unwrap()]);
    let command =
        |arguments: &[&str]| output(Command::new("zypper").arg("--root").arg(&root).arg("-n").args(arguments));
    let url = format!("file://{}", bench.published("yum/el9").display());
    command(&["ar", "-f", "-g", &url, "acme"]);
    command(&["refresh"]).status.success()
        && both(&command(&["--no-refresh", "search", "-s", "acme"])).contains("noarch")
}

const ALL: [&str; 5] = ["sqv", "gpgv", "apt", "dnf", "zypper"];

/// Which key signed the published .rpm: what `rpmkeys` says with that key alone.
fn rpm_is_signed_by(bench: &Bench, name: &str, key: &SecretKey) -> bool {
    let (_, armored) = keyring(bench, name, &[key]);
    let root = bench.path(&format!("{name}-rpm"));
    std::fs::create_dir_all(&root).unwrap();
    run(Command::new("rpm").arg("--root").arg(&root).args(["--import", armored.to_str().unwrap()]));
    let primary = bench.published("yum/el9");
    let listed = run(Command::new("dnf")
        .args(["--disablerepo=*", "--setopt=keepcache=0", "--setopt=plugins=0", "-q"])
        .arg(format!("--setopt=cachedir={}", bench.path(&format!("{name}-where")).display()))
        .arg(format!("--repofrompath=t,file://{}", primary.display()))
        .args(["repoquery", "--location", "acme"]));
    let path = listed.lines().find_map(|line| line.strip_prefix("file://")).expect("a location").to_owned();
    let said = both(&output(Command::new("rpmkeys").arg("--root").arg(&root).args(["-Kv", &path])));
    assert!(said.contains("Signature"), "{said}");
    said.contains("Signature, key ID") && !said.contains("NOKEY") && !said.contains("BAD")
}

#[test]
fn clients_with_the_old_the_new_or_both_keys_work_until_the_old_one_is_dropped() {
    let keys = Keys { old: new_key(Algorithm::Ed25519), new: new_key(Algorithm::Rsa3072) };
    let Keys { old, new } = &keys;
    let mut bench = Bench::with_key(old);
    let (deb, rpm) = (bench.deb("acme", "1", "amd64"), bench.rpm("acme", "1", "one", ""));
    bench.publish_with("bookworm", &[&deb], false, &Keys::signer(old)).expect("published");
    bench.publish_with("el9", &[&rpm], false, &Keys::signer(old)).expect("published");
    assert_eq!(clients(&bench, "before-old", &[old]), ALL);
    assert_eq!(clients(&bench, "before-new", &[new]), [""; 0]);

    let error = step(&mut bench, &Step::Finish, new).expect_err("not begun");
    assert!(error.to_string().contains("is not being replaced"), "{error}");
    let rotated = step(&mut bench, &Step::To(Keys::signer(new)), old).expect("begun");
    assert_eq!((rotated.key, rotated.next), (old.fingerprint(), Some(new.fingerprint())));
    assert_eq!(rotated.suites, ["apt suite bookworm", "yum suite el9"]);
    step(&mut bench, &Step::To(Keys::signer(new)), old).expect("beginning again is the same");
    for (name, keys) in [("during-old", &[old][..]), ("during-new", &[new]), ("during-both", &[old, new])] {
        // zypper looks at the first signature alone, which is the old key's.
        let wanted: &[&str] = if name == "during-new" { &["dnf", "apt", "gpgv", "sqv"] } else { &ALL };
        assert_eq!(clients_but_packages(&bench, name, keys), wanted, "{name}");
    }
    let handed_out = Certificates::read(&bench.published("key.asc")).unwrap();
    let fingerprints: Vec<String> = handed_out.iter().map(|key| key.fingerprint()).collect();
    assert_eq!(fingerprints, [old.fingerprint(), new.fingerprint()]);

    let alone = bench.publish_with("bookworm", &[&deb], false, &Keys::signer(new)).expect_err("both are needed");
    assert!(alone.to_string().contains(" and "), "{alone}");
    let both_keys = Keys::signer(new).with(Keys::signer(old));
    let other = bench.deb("other", "1", "amd64");
    bench.publish_with("focal", &[&other], false, &both_keys).expect("published, whatever the order");
    assert!(rpm_is_signed_by(&bench, "rpm-during", old));

    let rotated = step(&mut bench, &Step::Finish, new).expect("finished");
    assert_eq!((rotated.key, rotated.next, rotated.packages), (new.fingerprint(), None, 1));
    assert!(rpm_is_signed_by(&bench, "rpm-after", new));
    assert_eq!(clients(&bench, "after-new", &[new]), ALL);
    assert_eq!(clients(&bench, "after-both", &[old, new]), ALL);
    assert_eq!(clients(&bench, "after-old", &[old]), [""; 0]);
    bench.publish_with("bookworm", &[&deb], false, &Keys::signer(new)).expect("the new key is the repository's");
}

/// The same without asking dnf for the package itself.
fn clients_but_packages(bench: &Bench, name: &str, keys: &[&SecretKey]) -> Vec<&'static str> {
    let has_old = keys.len() == 2 || name.ends_with("old");
    if has_old {
        return clients(bench, name, keys);
    }
    let (_, armored) = keyring(bench, name, keys);
    let snippet = std::fs::read_to_string(bench.published("acme-el9.repo")).unwrap();
    let own: String = snippet
        .lines()
        .map(|line| match line.starts_with("gpgkey=") {
            true => format!("gpgkey=file://{}\n", armored.display()),
            false => format!("{line}\n"),
        })
        .collect();
    let dnf = Dnf::new(bench, &format!("{name}-dnf-metadata"), &own);
    assert_eq!(dnf.packages(), ["acme-1-1.el9"], "the metadata are taken with the new key alone");
    let mut taken = vec!["dnf"];
    if zypper(bench, &format!("{name}-metadata"), &armored) {
        taken.push("zypper");
    }
    let (binary, _) = keyring(bench, name, keys);
    let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).unwrap();
    let own = snippet.replace(&bench.published("key.gpg").display().to_string(), &binary.display().to_string());
    if Apt::new(bench, &format!("{name}-apt"), &own).update().is_ok_and(|names| names == ["acme"]) {
        taken.extend(["apt", "gpgv"]);
    }
    let dists = bench.published("apt/dists/bookworm");
    let mut sqv = Command::new("sqv");
    sqv.arg("--keyring").arg(&binary).arg(dists.join("Release.gpg")).arg(dists.join("Release"));
    if output(&mut sqv).status.success() {
        taken.push("sqv");
    }
    taken
}

#[test]
fn snapshots_follow_the_key() {
    let (old, new) = (new_key(Algorithm::Ed25519), new_key(Algorithm::Ed25519));
    let mut bench = Bench::with_key(&old);
    let (deb, rpm) = (bench.deb("acme", "1", "amd64"), bench.rpm("acme", "1", "one", ""));
    bench.publish_with("bookworm", &[&deb], false, &Keys::signer(&old)).expect("published");
    bench.publish_with("el9", &[&rpm], false, &Keys::signer(&old)).expect("published");
    let id: SnapshotId = "before".parse().expect("an ID");
    let signer = Keys::signer(&old);
    let actor = Actor { signer: Some(&signer), time: now(), reporter: &Silent };
    let suites = [Suite::of(Kind::Apt, "bookworm"), Suite::of(Kind::Yum, "el9")];
    travel::snapshot(&bench.repository, &suites, &id, &actor).expect("taken");
    let later = bench.deb("later", "1", "amd64");
    bench.publish_with("bookworm", &[&later], false, &signer).expect("published");

    let seen = |bench: &Bench, name: &str, key: &SecretKey| {
        let (binary, armored) = keyring(bench, name, &[key]);
        let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).unwrap();
        let own = snippet.replace(&bench.published("key.gpg").display().to_string(), &binary.display().to_string());
        let own = own.replace("\nURIs: file:", "\nURIs: copy:").replace("/apt\n", "/apt/snapshot/before\n");
        let debs = Apt::new(bench, &format!("{name}-apt"), &own).update();
        let snippet = std::fs::read_to_string(bench.published("acme-el9.repo")).unwrap();
        let key = format!("gpgkey=file://{}", armored.display());
        let lines = snippet.lines().map(|line| if line.starts_with("gpgkey=") { &*key } else { line });
        let own = lines.map(|line| format!("{line}\n")).collect::<String>();
        let own = own.replace("/yum/el9\n", "/yum/snapshot/before/el9\n");
        (debs.unwrap_or_default(), Dnf::new(bench, &format!("{name}-dnf"), &own).packages())
    };
    let all = (vec!["acme".to_owned()], vec!["acme-1-1.el9".to_owned()]);
    let nothing = (Vec::new(), Vec::new());
    assert_eq!((seen(&bench, "before-old", &old), seen(&bench, "before-new", &new)), (all.clone(), nothing.clone()));
    let rotated = step(&mut bench, &Step::To(Keys::signer(&new)), &old).expect("begun");
    assert_eq!(rotated.snapshots, 2);
    assert_eq!((seen(&bench, "during-old", &old), seen(&bench, "during-new", &new)), (all.clone(), all.clone()));
    step(&mut bench, &Step::Finish, &new).expect("finished");
    assert_eq!((seen(&bench, "after-old", &old), seen(&bench, "after-new", &new)), (nothing, all));
    let report = verify::verify(&bench.repository, &Silent).expect("verified");
    assert!(report.damages.is_empty(), "{:#?}", report.damages);
}

#[test]
fn a_rotation_that_is_given_up_leaves_the_old_key_alone() {
    let keys = Keys { old: new_key(Algorithm::Ed25519), new: new_key(Algorithm::Ed25519) };
    let mut bench = Bench::with_key(&keys.old);
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish_with("bookworm", &[&deb], false, &Keys::signer(&keys.old)).expect("published");
    step(&mut bench, &Step::To(Keys::signer(&keys.new)), &keys.old).expect("begun");
    let third = new_key(Algorithm::Ed25519);
    let error = step(&mut bench, &Step::To(Keys::signer(&third)), &keys.old).expect_err("one at a time");
    assert!(error.to_string().contains("being replaced by"), "{error}");
    let rotated = step(&mut bench, &Step::Abort, &keys.old).expect("given up");
    assert_eq!((rotated.key, rotated.next), (keys.old.fingerprint(), None));
    let (binary, _) = keyring(&bench, "new", &[&keys.new]);
    let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).unwrap();
    let own = snippet.replace(&bench.published("key.gpg").display().to_string(), &binary.display().to_string());
    Apt::new(&bench, "apt", &own).update().expect_err("the new key signs no more");
    let apt = Apt::new(&bench, "old-apt", &snippet);
    assert_eq!(apt.update().expect("the old key signs"), ["acme"]);
}
