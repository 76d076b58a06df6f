//! Units as the settings ask for them, judged by `systemd-analyze` where it is installed.

use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::config;
use crate::diagnostic::{Diagnose as _, ExitCode};
use crate::name::PackageName;
use crate::target::{Architecture, distribution, distributions};
use crate::tree::Node;
use crate::workspace::{EcosystemKind, Kind};

/// A service `acme-api` on disk, with the commands `acme-api` and `acme-report`.
struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    /// `systemd` are lines of `[services.acme-api.systemd]`.
    fn new(systemd: &str, files: &[(&str, &str)]) -> Self {
        let repository = Self { directory: tempfile::tempdir().expect("a directory") };
        let project = "[project]\norg = \"acme\"\nmaintainer = \"Acme <cloud@acme.example>\"\n";
        repository.put("packhouse.toml", &format!("{project}[services.acme-api.systemd]\n{systemd}"));
        for (path, text) in files {
            repository.put(&format!("acme-api/{path}"), text);
        }
        repository
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs_err::write(path, text).expect("write");
    }

    fn load(&self) -> Result<Settings, config::Error> {
        config::load(self.directory.path(), None)
    }

    fn install(&self, target: &str) -> Result<(Units, Tree), Error> {
        let settings = self.load().unwrap_or_else(|error| panic!("{error} {:?}", error.hints()));
        let commands = ["acme-api".to_owned(), "acme-report".to_owned()];
        let member = Member {
            name: PackageName::parse("acme-api").expect("a name"),
            ecosystem_name: "acme-api".to_owned(),
            ecosystem: EcosystemKind::Python,
            kind: Kind::Service,
            path: PathBuf::from("acme-api"),
            manifest: PathBuf::from("acme-api/pyproject.toml"),
            version: None,
            summary: None,
            license: None,
            reason: "a test".to_owned(),
            commands: commands.to_vec(),
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        };
        let directory = settings.root.join("acme-api");
        let prefix = InstallPath::parse("/usr/lib/acme/acme-api").expect("a path");
        let service = ServiceFacts {
            member: &member,
            package: &member.name,
            lenient: false,
            directory: &directory,
            prefix: &prefix,
            former: None,
            summary: "Interface: 100% of the \"cloud\" \\",
            commands: &commands,
            python: true,
        };
        let target =
            Target { distribution: distribution(target).expect("a distribution"), architecture: Architecture::X86_64 };
        let mut tree = Tree::new();
        let systemd = settings.service(&member.name).systemd.expect("its table");
        let units = install(&settings, &systemd, &service, &target, &mut tree)?;
        Ok((units, tree))
    }

    fn refused(&self, target: &str) -> Error {
        let error = self.install(target).map(|_| ()).expect_err("it must be refused");
        assert_eq!(error.exit_code(), ExitCode::Usage, "{error}");
        error
    }
}

fn text(tree: &Tree, path: &str) -> String {
    let entry = tree.get(&InstallPath::parse(path).expect("a path")).unwrap_or_else(|| panic!("no {path}"));
    let Node::File(content) = &entry.node else { panic!("{path} is no file") };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut content.open().expect("it"), &mut text).expect("text");
    text
}

/// Writes the units of `tree` into a directory with commands that this machine has, and lets `systemd-analyze` judge.
fn assert_verified(tree: &Tree, directory: &str) {
    let target = tempfile::tempdir().expect("a directory");
    let mut files = Vec::new();
    for (path, _) in tree.iter().filter(|(path, _)| path.as_str().starts_with(&format!("{directory}/"))) {
        let file = target.path().join(path.file_name());
        let unit = text(tree, path.as_str())
            .replace("/usr/bin/acme-api", "/bin/true")
            .replace("/usr/bin/acme-report", "/bin/true");
        fs_err::write(&file, unit).expect("write");
        files.push(file);
    }
    assert!(!files.is_empty(), "{directory}");
    let manager = if directory.ends_with("user") { "--user" } else { "--system" };
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", manager])
        .args(&files)
        .env("XDG_RUNTIME_DIR", target.path())
        .output();
    let Ok(output) = output else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    // What it says of other units of this machine is not of interest here.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("acme")).collect();
    assert!(ours.is_empty() && output.status.success(), "{said}");
    if manager == "--system" {
        let services: Vec<&PathBuf> =
            files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "service")).collect();
        for service in services {
            let output = Command::new("systemd-analyze")
                .args(["security", "--offline=true", "--threshold=30", "--no-pager"])
                .arg(service)
                .output()
                .expect("systemd-analyze");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

const GENERATED: &str = "command = \"acme-api --x '$HOME %n'\"\nuser = \"acme-api\"\n";

#[test]
fn generated_units_of_every_kind_and_target_are_valid_and_hardened() {
    for distribution in distributions() {
        for more in ["", "schedule = [\"daily\", \"Mon..Fri 06:00\"]\n", "listen = [\"8080\", \"/run/acme.sock\"]\n"] {
            let repository = Repository::new(&format!("{GENERATED}{more}"), &[]);
            let (units, tree) = repository.install(&distribution.name).expect("units");
            let service = text(&tree, "/usr/lib/systemd/system/acme-api.service");
            assert!(service.contains("ExecStart=/usr/bin/acme-api --x \"$$HOME %%n\"\n"), "{service}");
            assert!(service.contains("Description=Interface: 100%% of the \"cloud\"\n"), "{service}");
            for (directive, since) in [("ProtectProc=", 247), ("ProtectClock=", 245), ("RestrictSUIDSGID=", 242)] {
                assert_eq!(service.contains(directive), distribution.systemd >= since, "{directive} {service}");
            }
            // The least that is verified here: a machine of systemd 252 knows all that 239 knows.
            if distribution.systemd <= 252 {
                assert_verified(&tree, "/usr/lib/systemd/system");
            }
            let expected: &[&str] = match more.get(..3) {
                Some("sch") => &["acme-api.timer", "acme-api.service"],
                Some("lis") => &["acme-api.socket", "acme-api.service"],
                _ => &["acme-api.service"],
            };
            assert_eq!(units.system.startable, expected);
            assert_eq!(units.system.jobs.is_empty(), !more.starts_with("sch"));
        }
    }
}

#[test]
fn directives_replace_add_and_take_away_what_is_generated() {
    let directives = "restart = \"never\"\nservice-restart = \"always\"\nenvironment-file = \"/etc/acme/api.env\"\n\
         [services.acme-api.systemd.directives.Service]\n\
         MemoryMax = \"1G\"\nProtectHome = \"read-only\"\nRestrictNamespaces = []\nTasksMax = 5\nPrivateUsers = false\n\
         ReadWritePaths = [\"/srv/a\", \"/srv/b\"]\nProtectClock = true\nRestartSteps = 3\n";
    let repository = Repository::new(&format!("{GENERATED}{directives}"), &[]);
    let (_, tree) = repository.install("debian-12").expect("units");
    let service = text(&tree, "/usr/lib/systemd/system/acme-api.service");
    for line in [
        "MemoryMax=1G",
        "ProtectHome=read-only",
        "TasksMax=5",
        "PrivateUsers=no",
        "ReadWritePaths=/srv/a\nReadWritePaths=/srv/b",
        "Restart=always",
        "EnvironmentFile=/etc/acme/api.env",
    ] {
        assert!(service.contains(&format!("\n{line}\n")), "{line} {service}");
    }
    for gone in ["ProtectHome=yes", "RestrictNamespaces", "PrivateUsers=yes", "on-failure", "RestartSteps"] {
        assert!(!service.contains(gone), "{gone} {service}");
    }
    assert_eq!(service.matches("ProtectClock=").count(), 1);
    let (_, tree) = repository.install("el8").expect("units");
    let service = text(&tree, "/usr/lib/systemd/system/acme-api.service");
    assert!(!service.contains("ProtectClock") && service.contains("MemoryMax=1G"), "{service}");
    let (_, tree) = repository.install("debian-13").expect("units");
    assert!(text(&tree, "/usr/lib/systemd/system/acme-api.service").contains("RestartSteps=3"));
}

#[test]
fn directives_that_are_none_are_refused_where_they_stand() {
    let table = |text: &str| format!("{GENERATED}[services.acme-api.systemd.directives.{text}\n");
    for (text, expected) in [
        ("Servce]\nMemoryMax = \"1G\"", "no section"),
        ("Socket]\nBacklog = 5", "no section"),
        ("Timer]\nPersistent = true", "no section"),
        ("Service]\nMemoryMx = \"1G\"", "no directive `MemoryMx`"),
        ("Service]\n\"A\\nExecStart\" = \"/bin/evil\"", "no directive"),
        ("Service]\nMemoryMax = \"1G\\nExecStart=/bin/evil\"", "one line"),
        ("Service]\nMemoryMax = \"1G \\\\\"", "join the next line"),
        ("Service]\nMemoryMax = 1979-05-27", "not a date"),
        ("Service]\nMemoryMax = [[\"1G\"]]", "not an array"),
    ] {
        let error = Repository::new(&table(text), &[]).load().expect_err(text);
        assert!(error.to_string().contains(expected), "{text}: {error}");
        assert!(error.location().is_some(), "{text}");
    }
    let error = Repository::new(&table("Service]\nMemoryMx = \"1G\""), &[]).load().expect_err("a slip");
    assert_eq!(error.hints(), ["did you mean `MemoryMax`?"]);
    for (text, expected) in [
        ("schedule = [\"daily\"]", "is for the unit that is generated"),
        ("units = [\"a.service\"]\nservice-restart = \"always\"", "is for the unit that is generated"),
        ("command = \"acme-api\"\nschedule = [\"daily\"]\nlisten = [\"80\"]", "by a timer or by a socket"),
        ("command = \"acme-api\"\nservice-restart = \"allways\"", "unknown value"),
        ("command = \"acme-api\"\nuser = \"root; rm -rf /\"", "no user's name"),
        ("command = \"acme-api\"\nuser = \"$(id)\"", "no user's name"),
        ("command = \"acme-api\"\nuser = \"a\\nb\"", "no user's name"),
        ("command = \"acme-api\\nx\"", "one line"),
        ("user-units = [\"$(id).service\"]", "no unit's name"),
        ("tmpfiles = [\"../x.conf\"]", "must not contain `..`"),
        ("sysusers = [\"x y.conf\"]", "end in `.conf`"),
    ] {
        let error = Repository::new(&format!("{text}\n"), &[]).load().expect_err(text);
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_job_restarts_only_where_systemd_allows_it() {
    let with = |value: &str| {
        Repository::new(&format!("{GENERATED}schedule = [\"daily\"]\nservice-restart = \"{value}\"\n"), &[])
    };
    assert!(with("always").refused("debian-12").to_string().contains("always"));
    assert!(with("on-failure").refused("el8").to_string().contains("239"));
    let (_, tree) = with("on-failure").install("debian-12").expect("units");
    assert!(text(&tree, "/usr/lib/systemd/system/acme-api.service").contains("Restart=on-failure"));
}

const SERVICE: &str = "[Service]\nExecStart=/usr/bin/acme-api\n";
const WANTED: &str = "[Install]\nWantedBy=multi-user.target\n";

fn units(files: &[(&str, &str)]) -> Repository {
    let names: Vec<String> = files.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    Repository::new(&format!("units = [{}]\n", names.join(", ")), files)
}

#[test]
fn units_of_all_kinds_from_the_repository_are_taken_as_they_are() {
    let service = format!("{SERVICE}{WANTED}");
    let repository = Repository::new(
        "units = [\"d/acme-api.service\", \"d/acme-api.socket\", \"d/acme-report.service\", \"d/acme-report.timer\", \
         \"d/acme-job@.service\", \"d/acme-job@a.timer\", \"d/acme-drop.path\", \"d/acme.target\", \"d/acme.slice\", \
         \"d/acme-api.service.d/limits.conf\"]\nuser-units = [\"d/user/acme-tray.service\"]\nenable = true\n\
         sysusers = [\"d/acme.conf\"]\ntmpfiles = [\"d/tmp/acme.conf\"]\nuser = \"acme-api\"\n",
        &[
            ("d/acme-api.service", &service),
            ("d/acme-api.socket", "[Socket]\nListenStream=8080\n[Install]\nWantedBy=sockets.target\n"),
            ("d/acme-report.service", "[Service]\nType=oneshot\nExecStart=-/usr/bin/acme-report --x\n"),
            (
                "d/acme-report.timer",
                "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\nAlso=acme-api.service\n",
            ),
            ("d/acme-job@.service", SERVICE),
            ("d/acme-job@a.timer", "[Timer]\nOnBootSec=1min\n[Install]\nWantedBy=timers.target\n"),
            ("d/acme-drop.path", "[Path]\nPathExists=/run/acme\nUnit=acme-job@b.service\n"),
            ("d/acme.target", "[Unit]\nDescription=All\n"),
            ("d/acme.slice", "[Slice]\nMemoryMax=1G\n"),
            ("d/acme-api.service.d/limits.conf", "[Service]\nLimitNOFILE=4096\n"),
            (
                "d/user/acme-tray.service",
                "[Service]\nExecStart=/usr/bin/acme-api\n[Install]\nWantedBy=default.target\n",
            ),
            ("d/acme.conf", "u acme-api 450 \"The API\"\nm acme-api adm\n"),
            ("d/tmp/acme.conf", "d /run/acme 0750 acme-api acme-api -\n"),
        ],
    );
    let (units, tree) = repository.install("el9").expect("units");
    assert_eq!(
        units.system.startable,
        [
            "acme.slice",
            "acme-api.socket",
            "acme-drop.path",
            "acme-job@a.timer",
            "acme-report.timer",
            "acme-api.service",
            "acme-report.service",
            "acme.target"
        ]
    );
    assert_eq!(
        units.system.enableable,
        ["acme-api.service", "acme-api.socket", "acme-job@a.timer", "acme-report.timer"]
    );
    assert_eq!(units.system.jobs, ["acme-report.service"]);
    assert_eq!(units.system.instances(), ["acme-job@*.service"]);
    assert!(!units.system.upgraded().contains(&"acme.slice".to_owned()));
    assert_eq!(units.user.enableable, ["acme-tray.service"]);
    assert_eq!(units.tmpfiles, ["acme.conf"]);
    // The user is defined by the file: there is no second line.
    assert_eq!(units.sysusers.as_ref().map(Sysusers::names), Some(vec!["acme.conf".to_owned()]));
    let preset = text(&tree, "/usr/lib/systemd/system-preset/50-acme-api.preset");
    assert!(preset.contains("enable acme-job@a.timer\n"), "{preset}");
    assert_eq!(text(&tree, "/usr/lib/systemd/user-preset/50-acme-api.preset"), "enable acme-tray.service\n");
    text(&tree, "/usr/lib/systemd/system/acme-api.service.d/limits.conf");
    assert_verified(&tree, "/usr/lib/systemd/user");

    // What the settings alone tell is what is installed.
    let settings = repository.load().expect("settings");
    let systemd = settings.service(&PackageName::parse("acme-api").expect("a name")).systemd.expect("a table");
    for path in installed_paths(&systemd, "acme-api") {
        text(&tree, &path);
    }
}

#[test]
fn units_that_could_not_work_are_refused_with_their_place() {
    let timer = "[Timer]\nOnCalendar=daily\n";
    for (files, expected, hint) in [
        (vec![("acme-api.timer", timer)], "starts `acme-api.service`", "add `acme-api.service`"),
        (
            vec![("a.timer", "[Timer]\nOnCalendar=daily\nUnit=b.service\n"), ("c.service", SERVICE)],
            "starts `b.service`",
            "`Unit=` of `[Timer]`",
        ),
        (
            vec![("a.socket", "[Socket]\nListenStream=80\nAccept=yes\n"), ("a.service", SERVICE)],
            "starts `a@.service`",
            "`Service=` of `[Socket]`",
        ),
        (vec![("a.path", "[Path]\nPathExists=/x\n")], "starts `a.service`", "`Unit=`"),
        (vec![("a.service", "[Service]\nExecStart=/usr/lib/acme/acme-api/bin/gone\n")], "bin/gone", "acme-api"),
        (vec![("a.service", "[Service]\nExecStartPre=+/opt/acme/run\nExecStart=/usr/bin/acme-api\n")], "/opt/acme", ""),
        (vec![("a.service", "[Service]\nExecStart=/usr/local/bin/x\n")], "/usr/local/bin/x", ""),
        (vec![("a.service", "[Service]\nExecStart=bin/acme-api\n")], "bin/acme-api", "whole path"),
        (vec![("a.service", "[Service]\nExecStart=acme-api\n")], "`acme-api`", "/usr/bin/acme-api"),
        (vec![("a.service", "[Service]\nUser=x\n")], "no `ExecStart=`", ""),
        (vec![("a.service", "[Servce]\nExecStart=/bin/true\n")], "`[Servce]`", "`[Service]`"),
        (vec![("a.service", "ExecStart=/bin/true\n")], "before the first section", ""),
        (vec![("a.service", "[Service]\nExecStart=/bin/true\n[Install]\nAlso=b.socket\n")], "`b.socket`", "Also"),
        (vec![("a.service", "[Service]\nExecStart=/bin/true\n[Install]\nAlias=b.timer\n")], "alias", ".service"),
        (vec![("a.service", "[Service]\nExecStart=/bin/true\n[Install]\n")], "is empty", "WantedBy"),
        (
            vec![("a.service", "[Service]\nExecStart=/bin/true\n[Install]\nAlias=b.service\n"), ("b.service", SERVICE)],
            "another unit",
            "",
        ),
        (vec![("a.service", "[Service]\nExecStart=/bin/true\r\n")], "control character", "Unix line ends"),
    ] {
        let error = units(&files).refused("debian-12");
        assert!(error.to_string().contains(expected), "{files:?}: {error}");
        assert!(error.hints().join(" ").contains(hint), "{files:?}: {:?}", error.hints());
    }
    let error = units(&[("a.service", "[Service]\nUser=x\nExecStart=/opt/x\n")]).refused("debian-12");
    assert_eq!(error.location().map(|location| location.line_and_column().0), Some(3));

    let user = |wanted: &str| {
        let text = format!("{SERVICE}[Install]\nWantedBy={wanted}\n");
        Repository::new("user-units = [\"a.service\"]\n", &[("a.service", text.as_str())])
    };
    assert!(user("multi-user.target").refused("debian-12").hints().join("").contains("default.target"));
    assert!(user("default.target").install("debian-12").is_ok());
}

#[test]
fn lines_of_sysusers_and_tmpfiles_are_judged_for_the_target() {
    let repository = Repository::new("sysusers = [\"x.conf\"]\n", &[("x.conf", "# x\nu! acme-api -\n")]);
    let error = repository.refused("debian-12");
    assert!(error.to_string().contains("u!") && error.hints().join("").contains("252"), "{error}");
    assert_eq!(error.location().map(|location| location.line_and_column().0), Some(2));
    assert!(repository.install("debian-13").is_ok());

    let repository = Repository::new("tmpfiles = [\"x.conf\"]\n", &[("x.conf", "d= /run/acme\n")]);
    assert!(repository.refused("el8").to_string().contains("modifier"));
    assert!(repository.install("debian-12").is_ok());

    let error = Repository::new("tmpfiles = [\"x.conf\"]\n", &[]).refused("debian-12");
    assert!(error.to_string().contains("`x.conf`"), "{error}");
    let large = "# x\n".repeat(1 << 19);
    let error = Repository::new("tmpfiles = [\"x.conf\"]\n", &[("x.conf", large.as_str())]).refused("debian-12");
    assert!(error.to_string().contains("mebibyte"), "{error}");
}

#[test]
fn a_generated_user_is_one_that_systemd_sysusers_makes() {
    let (units, tree) = Repository::new(GENERATED, &[]).install("el8").expect("units");
    let line = units.sysusers.expect("a user").text();
    assert_eq!(line, "u acme-api - \"Interface 100%% of the cloud\" /var/lib/acme-api");
    let root = tempfile::tempdir().expect("a directory");
    let directory = root.path().join("usr/lib/sysusers.d");
    fs_err::create_dir_all(&directory).expect("mkdir");
    fs_err::create_dir_all(root.path().join("etc")).expect("mkdir");
    fs_err::write(directory.join("acme-api.conf"), text(&tree, "/usr/lib/sysusers.d/acme-api.conf")).expect("write");
    let Ok(status) = Command::new("systemd-sysusers").arg("--root").arg(root.path()).status() else { return };
    assert!(status.success());
    let users = fs_err::read_to_string(root.path().join("etc/passwd")).expect("users");
    assert!(users.contains(":Interface 100% of the cloud:/var/lib/acme-api:"), "{users}");
}

#[test]
fn a_purge_takes_the_state_that_bears_the_package_s_name_and_no_other() {
    let paths = |units: &Units| units.data.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (generated, _) = Repository::new(GENERATED, &[]).install("debian-12").expect("units");
    assert_eq!(paths(&generated), ["/var/lib/acme-api", "/var/lib/private/acme-api"]);
    let (kept, _) =
        Repository::new(&format!("{GENERATED}keep-data = true\n"), &[]).install("debian-12").expect("units");
    assert_eq!(paths(&kept), [""; 0]);

    let service = format!(
        "{SERVICE}StateDirectory=shared acme-api/queue:acme-queue acme-api/%i acme-api/../other\nLogsDirectory=acme-api\n"
    );
    let (own, _) = units(&[("d/acme-api.service", &service)]).install("debian-12").expect("units");
    assert_eq!(
        paths(&own),
        [
            "/var/lib/acme-api/queue",
            "/var/lib/private/acme-api/queue",
            "/var/log/acme-api",
            "/var/log/private/acme-api"
        ]
    );
}
