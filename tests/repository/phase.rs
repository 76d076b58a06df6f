//! Phased updates, against the real apt.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use packhouse::repo::phase::{self, Chosen, PhaseOptions, Phased, Wanted, schedule};
use packhouse::repo::{Item, PublishOptions};
use packhouse::report::Silent;

use crate::support::{Apt, Bench, both, now, output, run, signer, write};

const MACHINES: [&str; 6] = [
    "0123456789abcdef0123456789abcdef",
    "b08dfa6083e7567a1921a715000001fb",
    "00000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffff",
    "4c4c4544004b3510804ac4c04f4d3832",
    "9d3c1f2ab4564a0e8a6f0d5be7c1a2e3",
];

/// The packages that `apt-get -s dist-upgrade` would upgrade on a machine.
fn upgraded(apt: &Apt, root: &Path, machine: &str) -> BTreeSet<String> {
    write(&root.join("etc/machine-id"), &format!("{machine}\n"));
    let machine = format!("APT::Machine-ID={machine}");
    let simulated = apt.command("apt-get", &["-s", "dist-upgrade", "-o", &machine]);
    assert!(simulated.status.success(), "{}", both(&simulated));
    let said = both(&simulated);
    said.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next().map(str::to_owned)).collect()
}

#[test]
fn apt_upgrades_the_very_packages_that_our_draw_admits() {
    let bench = Bench::new();
    let (mut status, mut packages) = (String::new(), String::new());
    let mut drawn = Vec::new();
    for number in 0..400_u32 {
        let name = format!("package-{number}");
        let percentage = u8::try_from(number % 101).unwrap();
        // Packages that are their own source, of another source, and of another source and version.
        let (source, version, field) = match number % 3 {
            0 => (name.clone(), format!("2.{number}-1"), String::new()),
            1 => {
                (format!("source-{}", number / 7), format!("2.{number}-1"), format!("Source: source-{}\n", number / 7))
            }
            _ => {
                (format!("lib+{number}"), format!("1:3~rc{number}"), format!("Source: lib+{number} (1:3~rc{number})\n"))
            }
        };
        let _ = write!(
            status,
            "Package: {name}\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nMaintainer: a\nDescription: x\n\n"
        );
        let _ = write!(
            packages,
            "Package: {name}\n{field}Version: 2.{number}-1\nArchitecture: amd64\nMaintainer: a\nFilename: ./{name}.deb\nSize: 1\n\
             SHA256: {:064x}\nPhased-Update-Percentage: {percentage}\nDescription: x\n\n",
            number
        );
        drawn.push((name, source, version, percentage));
    }
    write(&bench.path("flat/Packages"), &packages);
    let sources = format!("Types: deb\nURIs: file:{}\nSuites: ./\nTrusted: yes\n", bench.path("flat").display());
    let apt = Apt::new(&bench, "client", &sources);
    write(&bench.path("client/var/lib/dpkg/status"), &status);
    assert_eq!(apt.update().expect("updated").len(), 400);
    for machine in MACHINES {
        let admitted: BTreeSet<String> = drawn
            .iter()
            .filter(|(_, source, version, percentage)| {
                phase::admits(Some(*percentage), phase::draw(source, version, machine))
            })
            .map(|(name, ..)| name.clone())
            .collect();
        assert!((120..280).contains(&admitted.len()), "half of them, about: {}", admitted.len());
        assert_eq!(upgraded(&apt, &bench.path("client"), machine), admitted, "{machine}");
    }
}

/// A suite with version 1 of two binary packages of one source and of one other package, then version 2 with a phase.
fn suite(bench: &mut Bench, percentage: Option<u8>) {
    let fields = "Source: acme\n";
    let old = [
        bench.deb_with("acme-api", "1", "amd64", "one", fields),
        bench.deb_with("acme-common", "1", "all", "one", fields),
        bench.deb("other", "1", "amd64"),
    ];
    let old: Vec<&Path> = old.iter().map(AsRef::as_ref).collect();
    bench.publish("bookworm", &old).expect("published");
    let new = [
        bench.deb_with("acme-api", "2", "amd64", "two", fields),
        bench.deb_with("acme-common", "2", "all", "two", fields),
    ];
    publish(bench, &new, percentage);
}

fn publish(bench: &mut Bench, debs: &[std::path::PathBuf], percentage: Option<u8>) {
    let items: Vec<Item> = debs
        .iter()
        .map(|path| Item {
            path: path.clone(),
            suite: "bookworm".to_owned(),
            component: "main".to_owned(),
            sha256: None,
        })
        .collect();
    let signer = signer();
    let options = PublishOptions { phase: percentage, ..PublishOptions::of(&signer, now(), &Silent) };
    packhouse::repo::publish(&mut bench.repository, &items, &options).expect("published");
}

fn set(bench: &Bench, name: &str, wanted: &Wanted, time: i64) -> Result<Vec<Phased>, packhouse::repo::RepoError> {
    let repository = packhouse::repo::open(bench.repository.root()).expect("a repository");
    let options = PhaseOptions { suite: None, time, reporter: &Silent };
    phase::set(&repository, Chosen { name, version: None }, wanted, Some(&signer()), &options)
}

/// The percentage of each version in the index, as apt reads it.
fn percentages(bench: &Bench, name: &str) -> Vec<(String, String, Option<String>)> {
    let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).unwrap();
    let apt = Apt::new(bench, name, &snippet);
    apt.update().expect("updated");
    let text = both(&apt.command("apt-cache", &["show", "--all-versions", "acme-api", "acme-common", "other"]));
    let mut found: Vec<_> = text
        .split("\n\n")
        .filter(|stanza| stanza.contains("Package: "))
        .map(|stanza| {
            let field = |name: &str| {
                let line = stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.map(str::to_owned)
            };
            (field("Package").unwrap(), field("Version").unwrap(), field("Phased-Update-Percentage"))
        })
        .collect();
    found.sort();
    found
}

fn expected(percentage: Option<&str>) -> Vec<(String, String, Option<String>)> {
    let row = |name: &str, version: &str, phase: Option<&str>| {
        (name.to_owned(), version.to_owned(), phase.map(str::to_owned))
    };
    vec![
        row("acme-api", "1", None),
        row("acme-api", "2", percentage),
        row("acme-common", "1", None),
        row("acme-common", "2", percentage),
        row("other", "1", None),
    ]
}

#[test]
fn a_phase_holds_all_binary_packages_of_a_source_and_version_and_no_others() {
    let mut bench = Bench::new();
    suite(&mut bench, Some(10));
    assert_eq!(percentages(&bench, "ten"), expected(Some("10")));
    for name in ["acme", "acme-api", "acme-common"] {
        let phased = set(&bench, name, &Wanted::Percentage(50), now()).expect("set");
        assert_eq!(phased.len(), 1);
        assert_eq!((phased[0].version.as_str(), phased[0].percentage), ("2", Some(50)));
        assert_eq!(phased[0].packages.len(), 2);
    }
    assert_eq!(percentages(&bench, "fifty"), expected(Some("50")));
    set(&bench, "acme", &Wanted::Percentage(100), now()).expect("set");
    assert_eq!(percentages(&bench, "all"), expected(None));
    let error = set(&bench, "acme-apl", &Wanted::Percentage(1), now()).expect_err("absent");
    assert!(error.to_string().contains("has no package acme-apl"), "{error}");
}

#[test]
fn who_a_simulation_admits_is_who_apt_upgrades() {
    let mut bench = Bench::new();
    suite(&mut bench, Some(30));
    let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).unwrap();
    let apt = Apt::new(&bench, "client", &snippet);
    let installed = |name: &str, architecture: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nSource: acme\nVersion: 1\nArchitecture: {architecture}\nMaintainer: a\nDescription: x\n\n"
        )
    };
    let status = installed("acme-api", "amd64") + &installed("acme-common", "all");
    write(&bench.path("client/var/lib/dpkg/status"), &status);
    apt.update().expect("updated");
    let machines: Vec<String> = (0..40_u128).map(|number| format!("{:032x}", number * 0x9e37_79b9_7f4a_7c15)).collect();
    write(&bench.path("machines"), &machines.join("\n"));
    let simulated = run(Command::new(env!("CARGO_BIN_EXE_packhouse"))
        .args(["repo", "phase", "--format", "json", "--repo"])
        .arg(bench.repository.root())
        .arg("--simulate")
        .arg(bench.path("machines")));
    let verdicts: Vec<serde_json::Value> =
        simulated.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(verdicts.len(), machines.len());
    let mut admitted = 0;
    for verdict in verdicts {
        let upgraded = upgraded(&apt, &bench.path("client"), verdict["machine"].as_str().unwrap());
        let gets = verdict["gets"].as_bool().unwrap();
        assert_eq!(upgraded.len(), if gets { 2 } else { 0 }, "{verdict}: {upgraded:?}");
        admitted += usize::from(gets);
    }
    assert!((3..28).contains(&admitted), "{admitted} of 40 at 30 %");
}

#[test]
fn a_schedule_holds_new_versions_and_ends_when_a_percentage_is_set() {
    let mut bench = Bench::new();
    suite(&mut bench, None);
    let steps = schedule::parse("1h:5,1d:100").unwrap();
    let phased = set(&bench, "acme", &Wanted::Schedule(steps), now()).expect("set");
    assert_eq!((phased[0].percentage, phased[0].schedule.as_deref()), (Some(0), Some("1h:5,1d:100")));
    assert_eq!(percentages(&bench, "held"), expected(Some("0")));
    bench.repository = packhouse::repo::open(bench.repository.root()).unwrap();
    let third = bench.deb_with("acme-api", "3", "amd64", "three", "Source: acme\n");
    publish(&mut bench, &[third], None);
    let listed = percentages(&bench, "third");
    assert!(listed.contains(&("acme-api".to_owned(), "3".to_owned(), Some("0".to_owned()))), "{listed:?}");
    let step = |after: i64| {
        let options = PhaseOptions { suite: None, time: now() + after, reporter: &Silent };
        phase::advance_all(&bench.repository, &signer(), &options).expect("advanced")
    };
    assert_eq!(step(60), [""; 0]);
    assert_eq!(step(3_700), ["bookworm: phase acme 2 5", "bookworm: phase acme 3 5"]);
    assert_eq!(step(3_700), [""; 0], "once");
    assert_eq!(step(86_500), ["bookworm: phase acme 2 100", "bookworm: phase acme 3 100"]);
    assert_eq!(phase::list(&bench.repository, None, None).expect("listed"), [], "everybody has everything");
    let phased = set(&bench, "acme", &Wanted::Percentage(70), now() + 86_500).expect("set");
    assert_eq!((phased[0].version.as_str(), phased[0].percentage, &phased[0].schedule), ("3", Some(70), &None));
}

#[test]
fn a_yum_suite_has_no_phases_and_the_error_says_what_it_has() {
    let mut bench = Bench::new();
    let rpm = bench.rpm("acme", "1", "one", "");
    bench.publish("el9", &[&rpm]).expect("published");
    let said = output(
        Command::new(env!("CARGO_BIN_EXE_packhouse"))
            .args(["repo", "phase", "acme", "10", "--dry-run", "--suite", "el9", "--repo"])
            .arg(bench.repository.root()),
    );
    assert_eq!(said.status.code(), Some(2));
    assert!(both(&said).contains("rings"), "{}", both(&said));
}
