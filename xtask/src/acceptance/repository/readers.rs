//! Every reader there is, on the same repository: packages are counted and their fields looked at, for most readers end well
//! when they refuse everything.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Field, SUITE};
use crate::Result;
use crate::acceptance::{Bench, debian};
use crate::process::{run, say, shell};
use crate::synthetic;

/// So many packages of each kind.
const PACKAGES: usize = 40;

/// A client with directories of its own.
pub(super) struct Client {
    /// Reads the repository again.
    pub(super) update: Box<dyn Fn() -> Command + Sync + Send>,
    /// How many packages it knows.
    pub(super) count: Box<dyn Fn() -> Result<usize> + Sync + Send>,
}

/// apt with the repository's `apt` directory at `url`.
pub(super) fn apt_client(field: &Field<'_>, name: &str, url: &str) -> Result<Client> {
    let root = field.place.join(name);
    for directory in [
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
        "etc/apt/sources.list.d",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/lib/dpkg",
    ] {
        fs_err::create_dir_all(root.join(directory))?;
    }
    fs_err::write(root.join("var/lib/dpkg/status"), "")?;
    let key = field.repository.join("key.gpg");
    let sources = format!("Types: deb\nURIs: {url}\nSuites: {SUITE}\nComponents: main\nSigned-By: {}\n", key.display());
    fs_err::write(root.join("etc/apt/sources.list.d/proof.sources"), sources)?;
    let configuration = root.join("apt.conf");
    let text = format!(
        "Dir \"{0}/\";\nDir::State::status \"{0}/var/lib/dpkg/status\";\nDir::Bin::methods \"/usr/lib/apt/methods\";\n\
         Dir::Bin::dpkg \"/usr/bin/dpkg\";\nAPT::Architecture \"amd64\";\nAPT::Architectures \"amd64\";\nAPT::Sandbox::User \"root\";\n\
         Acquire::Languages \"none\";\nAcquire::Check-Valid-Until \"true\";\nAPT::Update::Error-Mode \"any\";\nAcquire::Retries \"0\";\n",
        root.display()
    );
    fs_err::write(&configuration, text)?;
    let command = move |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", &configuration).env("LC_ALL", "C.UTF-8").args(arguments);
        command
    };
    let ask = command.clone();
    Ok(Client {
        update: Box::new(move || command("apt-get", &["update"])),
        count: Box::new(move || Ok(names(&run(&mut ask("apt-cache", &["dumpavail"]))?).len())),
    })
}

/// The names in what `apt-cache dumpavail` prints.
fn names(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned).collect()
}

/// dnf with the repository's `yum/<suite>` at `url`.
pub(super) fn dnf_client(field: &Field<'_>, name: &str, url: &str) -> Result<Client> {
    let root = field.place.join(name);
    fs_err::create_dir_all(root.join("repos"))?;
    let key = field.repository.join("key.asc");
    let repo = format!(
        "[proof]\nname=proof\nbaseurl={url}\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://{}\nenabled=1\n",
        key.display()
    );
    fs_err::write(root.join("repos/proof.repo"), repo)?;
    let configuration = root.join("dnf.conf");
    let text = format!(
        "[main]\nreposdir={0}/repos\ncachedir={0}/cache\nlogdir={0}/log\npersistdir={0}/persist\nplugins=0\ngpgcheck=1\nmetadata_expire=0\nretries=1\n",
        root.display()
    );
    fs_err::write(&configuration, text)?;
    let command = move |arguments: &[&str]| {
        let mut command = Command::new("dnf");
        command.env("HOME", &root).env("LC_ALL", "C.UTF-8").arg("-c").arg(&configuration);
        command.arg(format!("--installroot={}", root.join("root").display()));
        command.args(["--releasever=9", "--forcearch=x86_64", "-y"]).args(arguments);
        command
    };
    let ask = command.clone();
    Ok(Client {
        update: Box::new(move || command(&["--refresh", "makecache"])),
        count: Box::new(move || {
            let text = run(&mut ask(&["-q", "-C", "repoquery", "--qf", "%{name}-%{evr}.%{arch}"]))?;
            Ok(text.lines().filter(|line| line.ends_with(".x86_64")).count())
        }),
    })
}

/// How many packages apt sees on this machine.
pub(super) fn apt(field: &Field<'_>, name: &str) -> Result<usize> {
    let client =
        apt_client(field, &format!("{name}-apt"), &format!("copy:{}", field.repository.join("apt").display()))?;
    run(&mut (client.update)())?;
    (client.count)()
}

/// How many packages dnf sees on this machine.
pub(super) fn dnf(field: &Field<'_>, name: &str) -> Result<usize> {
    let client = dnf_client(
        field,
        &format!("{name}-dnf"),
        &format!("file://{}", field.repository.join("yum").join(SUITE).display()),
    )?;
    run(&mut (client.update)())?;
    (client.count)()
}

type Reader = (&'static str, fn(&Bench, &Field<'_>) -> Result<BTreeSet<String>>);

/// All of them must see the same packages.
pub(super) fn judge(bench: &Bench) -> Result<()> {
    let field = Field::new(bench, "readers")?;
    let template = field.template()?;
    let mut all = Vec::new();
    let mut wanted = BTreeSet::new();
    for number in 0..PACKAGES {
        all.extend(field.packages(&template, number)?);
        wanted.insert(synthetic::name(number));
    }
    // Twice, so that indices of an older generation lie beside the current ones.
    let (first, second) = all.split_at(all.len() / 2);
    run(&mut field.publish(first))?;
    run(&mut field.publish(second))?;
    field.verify()?;
    let readers: [Reader; 9] = [
        ("apt of this machine", |_, field| {
            let client = apt_client(field, "apt", &format!("copy:{}", field.repository.join("apt").display()))?;
            run(&mut (client.update)())?;
            let mut ask = Command::new("apt-cache");
            Ok(names(&run(ask.env("APT_CONFIG", field.place.join("apt/apt.conf")).arg("dumpavail"))?))
        }),
        ("apt of Debian 11", |bench, field| apt_of(bench, field, "bullseye")),
        ("apt of Debian 13", |bench, field| apt_of(bench, field, "trixie")),
        ("dnf", |_, field| {
            dnf(field, "all")?;
            let root = field.place.join("all-dnf");
            let mut ask = Command::new("dnf");
            ask.env("HOME", &root)
                .arg("-c")
                .arg(root.join("dnf.conf"))
                .arg(format!("--installroot={}", root.join("root").display()));
            ask.args(["--releasever=9", "--forcearch=x86_64", "-y", "-q", "-C", "repoquery", "--qf", "%{name} %{evr}"]);
            Ok(versioned(&run(&mut ask)?, "1.0-1"))
        }),
        ("zypper", |_, field| zypper(field)),
        ("aptly mirror", |_, field| aptly(field)),
        ("reprepro update", |_, field| reprepro(field)),
        ("debmirror", |_, field| debmirror(field)),
        ("createrepo_c's reader", createrepo),
    ];
    let mut bad = Vec::new();
    for (who, read) in readers {
        match read(bench, &field) {
            Ok(seen) if seen == wanted => say("Read", &format!("{} packages by {who}", seen.len())),
            Ok(seen) => bad.push(format!("{who} sees {} packages: {seen:?}", seen.len())),
            Err(error) => bad.push(format!("{who}: {error}")),
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(bad.join("\n").into()) }
}

/// The names of `name version` lines with this version.
fn versioned(text: &str, version: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_suffix(version)).map(|name| name.trim().to_owned()).collect()
}

/// apt in another Debian, without network.
fn apt_of(bench: &Bench, field: &Field<'_>, suite: &str) -> Result<BTreeSet<String>> {
    let base = debian::base(bench, suite)?;
    let script = r#"base=$1 repository=$2 suite=$3
work=$(mktemp -d)
mount -t tmpfs none "$work"
trap 'umount -l "$work/root$repository" "$work/root" 2>/dev/null || true; umount -l "$work"; rmdir "$work"' EXIT
mkdir "$work"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$work/root"
rm -f "$work"/root/etc/apt/sources.list "$work"/root/etc/apt/sources.list.d/*
mkdir -p "$work/root$repository"
mount --bind "$repository" "$work/root$repository"
printf 'Types: deb\nURIs: file:%s/apt\nSuites: %s\nComponents: main\nSigned-By: %s/key.gpg\n' "$repository" "$suite" "$repository" > "$work/root/etc/apt/sources.list.d/proof.sources"
inside() { unshare -n chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"; }
inside apt-get -o APT::Sandbox::User=root update >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
! grep -E '^(W|E):' "$work/log" >&2
inside apt-cache dumpavail"#;
    let text = run(&mut shell(script, [base.as_os_str(), field.repository.as_os_str(), SUITE.as_ref()]))?;
    // What is installed in the root is available too.
    Ok(names(&text).into_iter().filter(|name| name.len() == 12 && name.as_bytes().get(5) == Some(&b'-')).collect())
}

fn zypper(field: &Field<'_>) -> Result<BTreeSet<String>> {
    let root = field.place.join("zypper");
    fs_err::create_dir_all(root.join("etc/zypp/repos.d"))?;
    let repo = format!(
        "[proof]\nname=proof\nbaseurl=file://{0}/yum/{SUITE}\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://{0}/key.asc\nenabled=1\n",
        field.repository.display()
    );
    fs_err::write(root.join("etc/zypp/repos.d/proof.repo"), repo)?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new("zypper");
        command
            .env("HOME", &root)
            .env("LC_ALL", "C.UTF-8")
            .arg("--root")
            .arg(&root)
            .args(["--gpg-auto-import-keys", "-n"])
            .args(arguments);
        command
    };
    run(&mut command(&["refresh"]))?;
    let text = run(&mut command(&["search", "-s"]))?;
    let rows = text.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    Ok(rows.filter(|row| row.contains(&"1.0-1")).filter_map(|row| row.get(1).map(|name| (*name).to_owned())).collect())
}

fn aptly(field: &Field<'_>) -> Result<BTreeSet<String>> {
    let place = field.place.join("aptly");
    fs_err::create_dir_all(&place)?;
    fs_err::write(place.join("aptly.conf"), serde_json::json!({"rootDir": place.join("root")}).to_string())?;
    // aptly downloads and checks every package; it reads files from a server only.
    let script = r#"cd "$2"
python3 -m http.server --bind 127.0.0.1 --directory "$1" "$4" >/dev/null 2>&1 &
server=$!
trap 'kill $server' EXIT
until (exec 3<>"/dev/tcp/127.0.0.1/$4") 2>/dev/null; do sleep 0.1; done
export GNUPGHOME="$2/gnupg"
mkdir -m 700 "$GNUPGHOME"
gpg --batch -q --no-default-keyring --keyring "$2/trusted.gpg" --import "$1/key.asc"
aptly -config=aptly.conf mirror create -keyring="$2/trusted.gpg" -architectures=amd64 proof "http://127.0.0.1:$4/apt" "$3" main >&2
aptly -config=aptly.conf mirror update -keyring="$2/trusted.gpg" proof >&2
aptly -config=aptly.conf mirror show -with-packages proof"#;
    let text = run(&mut shell(
        script,
        [field.repository.as_os_str(), place.as_os_str(), SUITE.as_ref(), free_port()?.as_ref()],
    ))?;
    Ok(text.lines().filter_map(|line| line.trim().strip_suffix("_1.0-1_amd64")).map(str::to_owned).collect())
}

fn reprepro(field: &Field<'_>) -> Result<BTreeSet<String>> {
    let place = field.place.join("reprepro");
    fs_err::create_dir_all(place.join("conf"))?;
    fs_err::write(
        place.join("conf/distributions"),
        "Codename: copy\nArchitectures: amd64\nComponents: main\nUpdate: proof\n",
    )?;
    let update = format!(
        "Name: proof\nMethod: copy:{}/apt\nSuite: {SUITE}\nVerifyRelease: blindtrust\n",
        field.repository.display()
    );
    fs_err::write(place.join("conf/updates"), update)?;
    let script = r#"reprepro -b "$1" update copy >&2
reprepro -b "$1" check >&2
reprepro -b "$1" --list-format '${package} ${version}\n' list copy"#;
    Ok(versioned(&run(&mut shell(script, [&place]))?, "1.0-1"))
}

fn debmirror(field: &Field<'_>) -> Result<BTreeSet<String>> {
    let place = field.place.join("debmirror");
    fs_err::create_dir_all(&place)?;
    let script = r#"python3 -m http.server --bind 127.0.0.1 --directory "$1" "$4" >/dev/null 2>&1 &
server=$!
trap 'kill $server' EXIT
until (exec 3<>"/dev/tcp/127.0.0.1/$4") 2>/dev/null; do sleep 0.1; done
gpg --batch -q --homedir "$2" --no-default-keyring --keyring "$2/trusted.gpg" --import "$1/key.asc"
debmirror --method=http --host="127.0.0.1:$4" --root=apt --dist="$3" --section=main --arch=amd64 --nosource --keyring="$2/trusted.gpg" --checksums "$2/mirror" >&2
find "$2/mirror" -name '*.deb' -printf '%f\n'"#;
    let text = run(&mut shell(
        script,
        [field.repository.as_os_str(), place.as_os_str(), SUITE.as_ref(), free_port()?.as_ref()],
    ))?;
    Ok(text.lines().filter_map(|line| line.strip_suffix("_1.0-1_amd64.deb")).map(str::to_owned).collect())
}

/// createrepo_c's own reader, from its wheel: every package with all its fields, and its digest against the file's.
fn createrepo(bench: &Bench, field: &Field<'_>) -> Result<BTreeSet<String>> {
    let wheels: PathBuf = bench.directory.join("wheels");
    if !wheels.join("createrepo_c").is_dir() {
        let script = r#"python3 -m pip --disable-pip-version-check install --quiet --no-deps --only-binary :all: --target "$1" createrepo_c==1.2.5"#;
        run(&mut shell(script, [&wheels]))?;
    }
    let text = r#"import hashlib, sys
import createrepo_c
root = sys.argv[1]
reader = createrepo_c.RepositoryReader.from_path(root)
count = 0
for package in reader.iter_packages():
    content = open(root + "/" + package.location_href, "rb").read()
    assert hashlib.sha256(content).hexdigest() == package.pkgId, package.location_href
    assert package.size_package == len(content), package.location_href
    assert package.rpm_license == "MIT" and package.summary and package.description, package.name
    assert len(package.files) == 9, (package.name, package.files)
    assert len(package.changelogs) == 2, (package.name, package.changelogs)
    assert package.rpm_header_start and package.rpm_header_end > package.rpm_header_start
    print(package.name, package.version + "-" + package.release)
    count += 1
assert count == reader.package_count(), (count, reader.package_count())
"#;
    let suite: &Path = &field.repository.join("yum").join(SUITE);
    let mut python = Command::new("python3");
    Ok(versioned(&run(python.env("PYTHONPATH", &wheels).args(["-c", text]).arg(suite))?, "1.0-1"))
}

fn free_port() -> Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string())
}
