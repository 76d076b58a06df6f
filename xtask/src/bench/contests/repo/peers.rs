//! The others, each as its manual says, with the same packages and the same key.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{APTLY, FTPARCHIVE, Field, NEW, Newcomer, OLD, PULL, REPREPRO, UPDATE};
use crate::Result;
use crate::bench::{Bench, Contestant, peers, remove};
use crate::process::{run as execute, say, shell};

/// gpg with the key of packhouse: its directory and the key's fingerprint.
pub(super) fn gnupg(place: &Path, key: &Path) -> Result<(PathBuf, String)> {
    let home = place.join("gnupg");
    let script = r#"mkdir -p -m 700 "$1"
export GNUPGHOME="$1"
gpg --batch --quiet --list-secret-keys --with-colons | grep -q ^fpr || gpg --batch --quiet --import "$2"
gpg --batch --quiet --list-secret-keys --with-colons | awk -F: '/^fpr/ {print $10; exit}'"#;
    let fingerprint = execute(&mut shell(script, [&home, key]))?.trim().to_owned();
    Ok((home, fingerprint))
}

/// A script as a contestant; `$1` and so on are `arguments`.
fn script(name: &str, field: &Field, text: &'static str, arguments: Vec<PathBuf>) -> Contestant {
    let (home, fingerprint) = (field.gnupg.clone(), field.fingerprint.clone());
    Contestant::new(name, move || {
        let mut command = shell(text, &arguments);
        command.env("GNUPGHOME", &home).env("FINGERPRINT", &fingerprint);
        command
    })
}

/// What indexes a directory for the first time.
pub(super) fn first(bench: &mut Bench, field: &Field) -> Result<Vec<Contestant>> {
    let mut all = Vec::new();
    if let Ok(program) = peers::program(bench, "apt-ftparchive") {
        let out = field.directory("ftparchive");
        let text = r#"binary="$2/dists/bench/main/binary-amd64"
mkdir -p "$binary"
cd "$1"
"$3" packages . > "$binary/Packages"
gzip -9nk "$binary/Packages"
"$3" -o APT::FTPArchive::Release::Codename=bench -o APT::FTPArchive::Release::Components=main -o APT::FTPArchive::Release::Architectures=amd64 release "$2/dists/bench" > "$2/Release"
mv "$2/Release" "$2/dists/bench/Release"
gpg --batch --quiet --local-user "$FINGERPRINT" --digest-algo SHA512 --clearsign -o "$2/dists/bench/InRelease" "$2/dists/bench/Release""#;
        let arguments = vec![field.debs.clone(), out.clone(), program];
        all.push(script(field.name(FTPARCHIVE), field, text, arguments).prepared(move || remove(&out)));
    }
    let create = r#"mkdir -p "$1"; "$3" --quiet --no-database --workers 2 -o "$1" "$2""#;
    for (name, program, wanted, rounds) in [
        (field.name(OLD), "createrepo_c", true, if field.size == 1 { 1 } else { 3 }),
        (NEW, "createrepo_c-1.2", field.size == 1, 3),
    ] {
        if let (true, Ok(program)) = (wanted, peers::program(bench, program)) {
            let out = field.directory("createrepo");
            let arguments = vec![out.clone(), field.rpms.clone(), program];
            all.push(script(name, field, create, arguments).prepared(move || remove(&out)).rounds(rounds));
        }
    }
    Ok(all)
}

/// What takes one package more into a repository that is there.
pub(super) fn add(bench: &mut Bench, field: &Field) -> Result<Vec<Contestant>> {
    let mut all = Vec::new();
    if let Ok(program) = peers::program(bench, "reprepro") {
        let directory = reprepro(field, &program)?;
        let mut newcomer = Newcomer::new(&field.place, "reprepro")?;
        let arguments = vec![program, directory, newcomer.deb.clone()];
        let text = r#""$1" --silent -b "$2" includedeb bench "$3""#;
        all.push(script(field.name(REPREPRO), field, text, arguments).prepared(move || newcomer.next()).repeats(4));
    }
    if field.size == 0 {
        return Ok(all);
    }
    if let Ok(program) = peers::program(bench, "aptly") {
        let configuration = aptly(field, &program)?;
        let mut newcomer = Newcomer::new(&field.place, "aptly")?;
        let arguments = vec![program, configuration, newcomer.deb.clone()];
        let text = r#""$1" -config="$2" repo add bench "$3"
"$1" -config="$2" publish update -batch -gpg-key="$FINGERPRINT" -skip-contents bench"#;
        all.push(script(APTLY, field, text, arguments).prepared(move || newcomer.next()).rounds(2));
    }
    if let Ok(program) = peers::program(bench, "createrepo_c-1.2") {
        let directory = field.directory("update");
        made(&directory, "createrepo_c", |directory| {
            Ok(shell(
                r#"cp -al "$1" "$2/packages"; "$3" --quiet --no-database --workers 2 "$2/packages""#,
                [&field.rpms, directory, &program],
            ))
        })?;
        let mut newcomer = Newcomer::new(&field.place, "update")?;
        let packages = directory.join("packages");
        let (arguments, into) = (vec![program, packages.clone()], packages.join("new"));
        let text = r#""$1" --quiet --update --no-database --workers 2 "$2""#;
        all.push(script(UPDATE, field, text, arguments).prepared(move || {
            newcomer.next()?;
            fs_err::create_dir_all(&into)?;
            fs_err::copy(&newcomer.rpm, into.join(format!("{}.rpm", newcomer.number)))?;
            Ok(())
        }));
    }
    Ok(all)
}

/// reprepro's promotion: a pull into an empty distribution.
pub(super) fn pull(bench: &mut Bench, field: &Field) -> Result<Vec<Contestant>> {
    let Ok(program) = peers::program(bench, "reprepro") else { return Ok(Vec::new()) };
    let directory = reprepro(field, &program)?;
    let arguments = vec![program.clone(), directory.clone()];
    let pull = script(PULL, field, r#""$1" --silent -b "$2" pull stable"#, arguments);
    let home = field.gnupg.clone();
    Ok(vec![pull.prepared(move || {
        let text = r#""$1" --silent -b "$2" --keepunreferencedfiles removefilter stable 'Package (% *)'"#;
        execute(shell(text, [&program, &directory]).env("GNUPGHOME", &home)).map(drop)
    })])
}

/// Makes a directory once; an unfinished one is made again.
fn made(directory: &Path, who: &str, make: impl FnOnce(&PathBuf) -> Result<Command>) -> Result<()> {
    let done = directory.join("done");
    if done.is_file() {
        return Ok(());
    }
    say("Preparing", &format!("{} (once; this may take minutes)", directory.file_name().unwrap_or_default().display()));
    remove(directory)?;
    fs_err::create_dir_all(directory)?;
    let directory = directory.to_path_buf();
    execute(&mut make(&directory)?).map_err(|error| format!("{who}: {error}"))?;
    Ok(fs_err::write(done, "")?)
}

fn reprepro(field: &Field, program: &Path) -> Result<PathBuf> {
    let directory = field.directory("reprepro");
    made(&directory, "reprepro", |directory| {
        fs_err::create_dir_all(directory.join("conf"))?;
        let fingerprint = &field.fingerprint;
        let suite = |name: &str, more: &str| {
            format!("Codename: {name}\nArchitectures: amd64\nComponents: main\nSignWith: {fingerprint}\n{more}\n")
        };
        let text = format!("{}{}", suite("bench", ""), suite("stable", "Pull: all\n"));
        fs_err::write(directory.join("conf/distributions"), text)?;
        fs_err::write(directory.join("conf/pulls"), "Name: all\nFrom: bench\n")?;
        let mut command = shell(
            r#"find "$3" -name '*.deb' -print0 | sort -z | xargs -0 -n 2000 "$1" --silent -b "$2" --export=never includedeb bench
"$1" --silent -b "$2" export"#,
            [program, directory.as_path(), field.debs.as_path()],
        );
        command.env("GNUPGHOME", &field.gnupg);
        Ok(command)
    })?;
    Ok(directory)
}

/// Gives its configuration file.
fn aptly(field: &Field, program: &Path) -> Result<PathBuf> {
    let directory = field.directory("aptly");
    let configuration = directory.join("aptly.conf");
    made(&directory, "aptly", |directory| {
        let root = serde_json::json!({"rootDir": directory.join("root")});
        fs_err::write(directory.join("aptly.conf"), root.to_string())?;
        let mut command = shell(
            r#""$1" -config="$2/aptly.conf" repo create -distribution=bench -component=main bench
"$1" -config="$2/aptly.conf" repo add bench "$3" > /dev/null
"$1" -config="$2/aptly.conf" publish repo -batch -gpg-key="$FINGERPRINT" -skip-contents -architectures=amd64 bench"#,
            [program, directory.as_path(), field.debs.as_path()],
        );
        command.env("GNUPGHOME", &field.gnupg).env("FINGERPRINT", &field.fingerprint);
        Ok(command)
    })?;
    Ok(configuration)
}
