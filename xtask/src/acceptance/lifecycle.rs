//! The life of a service's package, in booted systems: three restart policies, five choices of an administrator, seven
//! operations of the package manager; what is expected against what is seen, as one table.
//!
//! What is expected of Debian's packages are the semantics of debhelper's compat level 13, of RPM's those of systemd's
//! macros (systemd.macros(7), systemd's src/rpm), and of both that the administrator's choice survives: what was disabled,
//! masked or stopped is so after an upgrade, and what ran while disabled runs again. A removal takes neither state nor
//! user; dpkg's purge takes all that is the package's, but for the user.
//!
//! The repository is made here: fifteen services of one small program, each named for its policy and for what the
//! administrator (`tests/acceptance/lifecycle-inside.py`) does to it, so that one transaction tests all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::machine::{Machine, script};
use super::{Bench, debian};
use crate::Result;
use crate::process::{run, say, shell, show, text};

const POLICIES: [Policy; 3] = [Policy::AfterUpgrade, Policy::StopStart, Policy::Never];
const CHOICES: [&str; 5] = ["enabled", "disabled", "masked", "stopped", "running"];
const OPERATIONS: [&str; 7] = ["install", "upgrade", "reinstall", "downgrade", "remove", "install again", "purge"];

/// `restart` of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    AfterUpgrade,
    StopStart,
    Never,
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::AfterUpgrade => "after-upgrade",
            Self::StopStart => "stop-start",
            Self::Never => "never",
        }
    }
}

/// A system that the packages live on.
struct World {
    name: &'static str,
    /// What the packages are built for.
    target: &'static str,
    root: PathBuf,
    format: &'static str,
    /// What is done to the machine first.
    prepare: &'static str,
}

/// The lifecycle in each world; all worlds are shown before any difference fails.
pub(super) fn run_all(bench: &Bench) -> Result<()> {
    let packages = make(bench)?;
    let stand_in = rpm_root(bench)?;
    let worlds = [
        World {
            name: "Debian 12, apt",
            target: "debian-12",
            root: debian::base(bench, "bookworm")?,
            format: "deb",
            prepare: "",
        },
        World {
            name: "Debian 13, apt",
            target: "debian-13",
            root: debian::base(bench, "trixie")?,
            format: "deb",
            prepare: "",
        },
        World {
            name: "stand-in for EL 9, dnf, with systemd-update-helper and systemd's file triggers",
            target: "el9",
            root: stand_in.clone(),
            format: "rpm",
            prepare: "rpm -i /root/world-systemd-9-1.el9.noarch.rpm",
        },
        World {
            name: "stand-in for EL 9, dnf, without systemd-update-helper, as on EL 8",
            target: "el9",
            root: stand_in,
            format: "rpm",
            prepare: "rpm -i /root/world-systemd-8-1.el8.noarch.rpm",
        },
    ];
    let mut differences = String::new();
    let seen: Vec<Result<Vec<Value>>> = std::thread::scope(|scope| {
        let lives: Vec<_> = worlds
            .iter()
            .map(|world| scope.spawn(|| live(bench, world, &packages).map_err(|error| error.to_string())))
            .collect();
        lives
            .into_iter()
            .map(|life| life.join().unwrap_or_else(|_| Err("a thread ended".to_owned())).map_err(Into::into))
            .collect()
    });
    for (world, seen) in worlds.iter().zip(seen) {
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                writeln!(differences, "{}: {error}", world.name)?;
                continue;
            }
        };
        show(&format!("\n{}\n{}", world.name, table(world, &seen)));
        for difference in compare(world, &seen) {
            writeln!(differences, "{}: {difference}", world.name)?;
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(format!("not as expected:\n{differences}").into()) }
}

fn package(policy: Policy, choice: &str) -> String {
    format!("life-{}-{choice}", policy.name())
}

fn packages() -> impl Iterator<Item = (Policy, &'static str, String)> {
    POLICIES
        .into_iter()
        .flat_map(|policy| CHOICES.into_iter().map(move |choice| (policy, choice, package(policy, choice))))
}

/// Writes the repository and builds two versions of it; their directory.
fn make(bench: &Bench) -> Result<PathBuf> {
    say("Making", "the services of the lifecycle");
    let directory = bench.directory.join("lifecycle");
    if directory.exists() {
        fs_err::remove_dir_all(&directory)?;
    }
    let sources = directory.join("sources");
    let built = directory.join("packages");
    for (version, second) in [("1.0.0", "2026-03-02T09:00:00+0000"), ("1.1.0", "2026-03-03T09:00:00+0000")] {
        write_sources(&sources, version)?;
        run(&mut shell(
            r#"cd "$1"
               export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE=$2 GIT_COMMITTER_DATE=$2
               git -c init.defaultBranch=main init -q
               git add -A
               git -c user.name=Ada -c user.email=ada@acme.example commit -q -m "feat: live"
               export PACKHOUSE_CACHE_DIR=$4/cache
               "$3" -q lock
               "$3" -q vendor
               out=$4/built-$5
               if [ -d "$4/built-1.0.0" ]; then previous=(--previous "$4/built-1.0.0"); else previous=(--no-previous); fi
               "$3" -q build --target debian-12,debian-13,el9 "${previous[@]}" --out "$out"
               for target in deb12 deb13 el9; do
                 mkdir -p "$4/packages/$target"
                 ln "$out"/*"$target"* "$4/packages/$target/"
               done"#,
            [
                sources.as_os_str(),
                second.as_ref(),
                bench.packhouse.as_os_str(),
                directory.as_os_str(),
                version.as_ref(),
            ],
        ))?;
    }
    Ok(built)
}

/// The services at `version`: 1.1.0 changes one conffile of each and drops the other.
fn write_sources(directory: &Path, version: &str) -> Result<()> {
    let first = version == "1.0.0";
    let mut configuration = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\n\
                             homepage = \"https://acme.example\"\nlicense = \"Apache-2.0\"\ntargets = [\"debian-12\"]\n"
        .to_owned();
    for (policy, _, name) in packages() {
        let service = directory.join(&name);
        fs_err::create_dir_all(service.join("src"))?;
        fs_err::create_dir_all(service.join("etc"))?;
        fs_err::write(
            service.join("Cargo.toml"),
            format!(
                "[package]\nname = \"{name}\"\ndescription = \"A service that lives\"\nversion = \"{version}\"\n\
                 edition = \"2021\"\nlicense = \"Apache-2.0\"\n"
            ),
        )?;
        fs_err::write(
            service.join("src/main.rs"),
            "//! Writes its version into its state directory, and waits.\n\nfn main() {\n    let directory = \
             std::env::var(\"STATE_DIRECTORY\").expect(\"a state directory\");\n    \
             std::fs::write(format!(\"{directory}/version\"), env!(\"CARGO_PKG_VERSION\")).expect(\"a file\");\n    \
             loop {\n        std::thread::park();\n    }\n}\n",
        )?;
        fs_err::write(service.join(format!("etc/{name}.toml")), format!("version = \"{version}\"\n"))?;
        let old = service.join(format!("etc/{name}-old.toml"));
        let mut config = format!("\"etc/{name}.toml\"");
        if first {
            fs_err::write(old, "old = true\n")?;
            write!(config, ", \"etc/{name}-old.toml\"")?;
        } else {
            fs_err::remove_file(old)?;
        }
        write!(
            configuration,
            "\n[services.{name}]\nconfig = [{config}]\n\n[services.{name}.systemd]\ncommand = \"{name}\"\n\
             user = \"{name}\"\nrestart = \"{}\"\n",
            policy.name()
        )?;
    }
    fs_err::write(directory.join("packhouse.toml"), configuration)?;
    fs_err::write(directory.join("Cargo.toml"), "[workspace]\nmembers = [\"life-*\"]\nresolver = \"2\"\n")?;
    Ok(())
}

/// A root that dnf runs in, and whose rpm database knows the stand-in's base, made once and kept.
fn rpm_root(bench: &Bench) -> Result<PathBuf> {
    let base = super::rpm::base(bench)?;
    let directory = debian::made(bench, "bookworm", "bookworm-dnf", &format!("{},dnf,rpm", debian::PACKAGES))?;
    run(&mut shell(
        r#"if ! cmp -s "$2/world-base.spec" "$1/usr/share/world-base.spec"; then
             rm -rf "$1/root/.rpmdb"
             rpm --root "$1" -i --justdb --noscripts "$2"/*/world-base-*.rpm
             # Enterprise Linux enables nothing that does not ask for it.
             mkdir -p "$1/usr/lib/systemd/system-preset" "$1/usr/share/licenses"
             echo 'disable *' > "$1/usr/lib/systemd/system-preset/99-default-disable.preset"
             cp "$2/world-base.spec" "$1/usr/share/"
           fi
           mkdir -p "$4"
           for release in 8 9; do
             rpmbuild -bb --quiet --define "_el $release" --define "_topdir $4.top" --define "_rpmdir $4" --define "_sourcedir $3" "$3/world-systemd.spec"
           done
           rm -rf "$4.top""#,
        [
            directory.as_os_str(),
            base.as_os_str(),
            script("").as_os_str(),
            bench.directory.join("lifecycle/world").as_os_str(),
        ],
    ))?;
    Ok(directory)
}

/// Boots the world and takes the packages through their life there; what was seen.
fn live(bench: &Bench, world: &World, packages: &Path) -> Result<Vec<Value>> {
    say("Living", world.name);
    let suffix = world.target.replace("debian-", "deb");
    let directory = packages.join(suffix);
    let mut files = vec![script("lifecycle-inside.py")];
    if world.format == "rpm" {
        for entry in fs_err::read_dir(bench.directory.join("lifecycle/world/noarch"))? {
            files.push(entry?.path());
        }
    }
    let command = format!("{}\nexec python3 /root/lifecycle-inside.py \"$@\"", world.prepare);
    let names: Vec<String> = packages_named();
    let mut arguments = vec!["bash", "-ec", &command, "life", world.format];
    let place = directory.to_string_lossy();
    arguments.push(&place);
    arguments.extend(names.iter().map(String::as_str));
    let result = Machine { base: &world.root, directories: &[&directory], files: &files }.run(&arguments)?;
    let output = text(&result);
    let seen: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if !result.status.success() || !seen.iter().any(|value| value.get("end").is_some()) {
        let rest = output.lines().filter(|line| serde_json::from_str::<Value>(line).is_err());
        return Err(rest.collect::<Vec<_>>().join("\n").into());
    }
    Ok(seen)
}

fn packages_named() -> Vec<String> {
    packages().map(|(_, _, name)| name).collect()
}

/// What is to be of a service after an operation.
#[derive(Debug, PartialEq, Eq)]
struct State {
    enabled: &'static str,
    process: &'static str,
}

fn expected(format: &str, policy: Policy, choice: &str, operation: &str) -> State {
    let deb = format == "deb";
    let chosen = match choice {
        "enabled" | "stopped" => "enabled",
        "masked" => "masked",
        _ => "disabled",
    };
    let ran = matches!(choice, "enabled" | "running");
    let (enabled, process) = match operation {
        // Debian enables and starts; RPM asks the presets, and starts nothing.
        "install" if deb => ("enabled", "started"),
        "install" => ("disabled", "not running"),
        "install again" if choice == "masked" => ("masked", "not running"),
        "install again" if deb && chosen == "enabled" => ("enabled", "started"),
        "install again" => ("disabled", "not running"),
        "remove" | "purge" => {
            (if choice == "masked" { "masked" } else { "absent" }, if ran { "stopped" } else { "not running" })
        }
        _ if !ran => (chosen, "not running"),
        _ => match policy {
            Policy::AfterUpgrade => (chosen, "restarted after"),
            Policy::StopStart => (chosen, "stopped before, started after"),
            Policy::Never => (chosen, "kept"),
        },
    };
    State { enabled, process }
}

/// What is to be of the files that are not the same for every choice: (the changed conffile, the dropped one).
fn expected_files(format: &str, operation: &str) -> (&'static str, &'static str) {
    match (format, operation) {
        (_, "install") => ("shipped", "shipped"),
        (_, "upgrade" | "reinstall") => ("changed", "absent"),
        (_, "downgrade") => ("changed", "shipped"),
        ("deb", "remove" | "install again") => ("changed", "shipped"),
        // RPM moves what was changed aside, and a new installation brings it as it was shipped.
        (_, "install again") => ("shipped", "shipped"),
        _ => ("absent", "absent"),
    }
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What was seen of one package after one operation.
fn find<'a>(seen: &'a [Value], operation: &str, package: &str) -> Option<&'a Value> {
    seen.iter().find(|value| text_of(value, "operation") == operation && text_of(value, "package") == package)
}

/// What is to be and what was seen of one package after one operation: (fact, expected, seen).
fn facts(
    world: &World,
    policy: Policy,
    choice: &str,
    operation: &str,
    seen: &Value,
) -> Vec<(&'static str, String, String)> {
    let state = expected(world.format, policy, choice, operation);
    let (changed, dropped) = expected_files(world.format, operation);
    // The service makes its directory when it runs first, which the masked one of RPM never does.
    let state_directory = match world.format {
        "deb" => operation != "purge",
        _ => operation != "install" && choice != "masked",
    };
    let running = match (state.process, operation) {
        ("not running" | "stopped", _) => "-",
        ("kept", _) => "1.0.0",
        (_, "upgrade" | "reinstall") => "1.1.0",
        _ => "1.0.0",
    };
    [
        ("enabled", state.enabled),
        ("process", state.process),
        ("version", running),
        ("conffile", changed),
        ("dropped", dropped),
        ("user", "there"),
        ("state", if state_directory { "there" } else { "absent" }),
    ]
    .map(|(fact, expected)| (fact, expected.to_owned(), text_of(seen, fact).to_owned()))
    .into()
}

/// Every difference, in words; the services that differ in the same way follow it.
fn compare(world: &World, seen: &[Value]) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for operation in OPERATIONS {
        for (policy, choice, name) in packages() {
            let nothing = Value::Null;
            let value = find(seen, operation, &name).unwrap_or(&nothing);
            for (fact, expected, seen) in facts(world, policy, choice, operation, value) {
                if expected != seen {
                    let difference = format!("{operation}: {fact}: expected `{expected}`, seen `{seen}`");
                    let times = if fact == "process" { text_of(value, "times") } else { "" };
                    found.entry(difference).or_default().push(format!("{} {choice} {times}", policy.name()));
                }
            }
        }
    }
    let mut differences: Vec<String> =
        found.into_iter().map(|(difference, services)| format!("{difference} ({})", services.join(", "))).collect();
    for value in seen {
        let path = text_of(value, "left");
        if !path.is_empty() && !may_be_left(world, path) {
            differences.push(format!("left behind: {path}"));
        }
        let failed = text_of(value, "failed");
        if !failed.is_empty() {
            differences.push(format!("failed units: {failed}"));
        }
    }
    differences
}

/// The administrator's own masks stay; RPM, which has no purge, keeps the state and, under another name, what he changed.
fn may_be_left(world: &World, path: &str) -> bool {
    let state = world.format == "rpm" && path.starts_with("/var/lib/life-");
    let mask = path.starts_with("/etc/systemd/system/life-") && path.ends_with("-masked.service");
    let aside =
        world.format == "rpm" && (path == "/etc/acme" || path.ends_with(".rpmsave") || path.ends_with(".rpmnew"));
    state || mask || aside
}

/// One row per policy and operation, one column per choice.
fn table(world: &World, seen: &[Value]) -> String {
    let cell = |policy, choice, operation| {
        find(seen, operation, &package(policy, choice)).map_or_else(
            || "nothing seen".to_owned(),
            |value| {
                let state = expected(world.format, policy, choice, operation);
                let (enabled, process) = (text_of(value, "enabled"), text_of(value, "process"));
                let mark = if (state.enabled, state.process) == (enabled, process) { "" } else { " !" };
                format!("{enabled}, {process}{mark}")
            },
        )
    };
    let mut rows = vec![{
        let mut head = vec!["policy".to_owned(), "operation".to_owned()];
        head.extend(CHOICES.map(str::to_owned));
        head
    }];
    for policy in POLICIES {
        for operation in OPERATIONS {
            let mut row = vec![policy.name().to_owned(), operation.to_owned()];
            row.extend(CHOICES.map(|choice| cell(policy, choice, operation)));
            rows.push(row);
        }
    }
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            format!("| {} |\n", cells.join(" | "))
        })
        .collect()
}
