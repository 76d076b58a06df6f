//! What else a project says of its packages: fields, members of the control archive, RPM's scriptlets and marks of files, as
//! the formats' own tools and `inspect` read them.

use packhouse::config::{MultiArch, TextSource};
use packhouse::format::inspect;
use packhouse::package::{self, Stage};
use packhouse::tree::{Content, Entry, InstallPath, Marks, Node, Role};

use super::machine::{Machine, run, text, utf8};
use super::project::{Project, Script, write};

fn query(file: &std::path::Path, format: &str) -> String {
    let output = run("rpm", &["-qp", "--qf", format, utf8(file)]);
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn debian_s_fields_and_members_are_those_of_the_settings() {
    let project = Project::new(&[]).with("triggers = \"x.triggers\"");
    project.put("acme-tool/x.triggers", "# what others do\ninterest-noawait /usr/lib/acme-plugins\n");
    let package = project.package("debian-12", "1.0", |service| {
        service.priority = Some("extra".to_owned());
        service.multi_arch = Some(MultiArch::Foreign);
        service.extra_fields = vec![("Bugs".to_owned(), "mailto:bugs@acme.example".to_owned())];
        service.triggers.get_or_insert(TextSource::Inline("activate /x\n".to_owned()));
    });
    let mut plain = package.clone();
    let built = write(package);
    let file = utf8(&built.path);
    for (field, value) in [("Priority", "extra"), ("Multi-Arch", "foreign"), ("Bugs", "mailto:bugs@acme.example")] {
        let output = run("dpkg-deb", &["--field", file, field]);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), value, "{}", text(&output));
    }
    assert!(text(&run("dpkg-deb", &["--info", file, "triggers"])).contains("interest-noawait /usr/lib/acme-plugins"));
    let shown = inspect(&built.path).expect("a package").to_string();
    assert!(shown.contains("triggers:\n    interest-noawait /usr/lib/acme-plugins\n"), "{shown}");
    let (_, output) = Machine::new().dpkg(&["-i", file]);
    assert!(output.status.success(), "{}", text(&output));

    plain.version.revision.clear();
    plain.debian.without_md5sums = true;
    let built = write(plain.clone());
    assert!(built.path.ends_with("acme-tool_1.0_all.deb"), "{}", built.path.display());
    assert_eq!(text(&run("dpkg-deb", &["--field", utf8(&built.path), "Version"])).trim(), "1.0");
    assert!(!text(&run("dpkg-deb", &["--info", utf8(&built.path)])).contains("md5sums"));

    for (name, value) in [("Depends", "evil"), ("no name", "x"), ("X", "a\nDepends: evil\u{1b}"), ("-X", "y")] {
        let mut bad = plain.clone();
        bad.debian.fields = vec![(name.to_owned(), value.to_owned())];
        let out = tempfile::tempdir().expect("a directory");
        let result = packhouse::format::write(&bad, out.path(), &packhouse::format::WriteOptions::default());
        assert!(result.is_err(), "{name}: {value}");
    }
    // A line of a value cannot become a field.
    plain.debian.fields = vec![("X-Note".to_owned(), "one\nDepends: evil".to_owned())];
    let built = write(plain);
    assert_eq!(text(&run("dpkg-deb", &["--field", utf8(&built.path), "X-Note"])), "one\n Depends: evil\n");
}

#[test]
fn rpm_reads_all_scriptlets_with_their_programs_flags_and_needs() {
    let mut package = Project::new(&[]).package("el9", "1.0", |_| {});
    let script = |text: &str, interpreter: &[&str], flags| package::Script {
        text: text.to_owned(),
        interpreter: interpreter.iter().map(|word| (*word).to_owned()).collect(),
        flags,
    };
    for (stage, script) in [
        (Stage::PreTransaction, script("print('x')", &["<lua>"], 0)),
        (Stage::PreInstall, script("echo 100%\n\n", &[], 0)),
        (Stage::PostInstall, script("", &["/sbin/ldconfig"], 0)),
        (Stage::PreRemove, script("print 1", &["/usr/bin/perl", "-w"], 5)),
        (Stage::PostRemove, script("echo %{name}", &["/bin/sh"], 2)),
        (Stage::PostTransaction, script("echo Grüße", &[], 0)),
        (Stage::PreUntransaction, script("echo pre", &[], 0)),
        (Stage::PostUntransaction, script("echo post", &["/bin/bash"], 0)),
    ] {
        package.scripts.set(stage, script);
    }
    let mut without = package.clone();
    let built = write(package);
    let shown = text(&run("rpm", &["-qp", "--scripts", utf8(&built.path)]));
    for part in [
        "pretrans scriptlet (using <lua>):\nprint('x')\n",
        "preinstall scriptlet (using /bin/sh):\necho 100%\n",
        "postinstall program: /sbin/ldconfig\n",
        "preuninstall scriptlet (using /usr/bin/perl -w):\nprint 1\n",
        "posttrans scriptlet (using /bin/sh):\necho Grüße\n",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert_eq!(query(&built.path, "%{PREUNFLAGS} %{POSTUNFLAGS} %{PREINFLAGS}|%{PREIN}|"), "5 2 (none)|echo 100%\n\n|");
    let needs = query(&built.path, "[%{REQUIRENAME} %{REQUIREFLAGS:hex}\n]");
    for need in [
        "/bin/sh 300\n",
        "/sbin/ldconfig 500\n",
        "/usr/bin/perl 900\n",
        "/bin/sh 1100\n",
        "/bin/sh 120\n",
        "/bin/sh 100100\n",
        "/bin/bash 200100\n",
        "rpmlib(BuiltinLuaScripts) 100000a\n",
        "rpmlib(ScriptletInterpreterArgs) 100000a\n",
        "rpmlib(ScriptletExpansion) 100000a\n",
    ] {
        assert!(needs.contains(need), "{need}{needs}");
    }
    assert!(!needs.contains("<lua>"), "{needs}");
    let seen = inspect(&built.path).expect("a package");
    let shown = seen.to_string();
    for part in [
        "\npretrans (<lua>):",
        "\npreun (/usr/bin/perl -w, macros are expanded, must not fail):",
        "\npost (/sbin/ldconfig):",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let json = serde_json::to_value(&seen).expect("JSON");
    assert_eq!(json["scripts"].as_array().expect("a list").len(), 8, "{json}");
    assert_eq!(json["script_flags"][3], 5);

    without.scripts.without_interpreter_relation = true;
    let needs = query(&write(without).path, "[%{REQUIRENAME}\n]");
    assert!(!needs.lines().any(|need| need.starts_with('/')), "{needs}");
}

#[test]
fn rpm_knows_which_configuration_it_may_replace_and_which_may_be_missing() {
    let mut package = Project::new(&[]).package("el9", "1.0", |_| {});
    let marks = |replaceable, may_be_missing, documentation| Marks { replaceable, may_be_missing, documentation };
    for (name, marks) in [
        ("kept", marks(false, false, false)),
        ("replaced", marks(true, false, false)),
        ("missing", marks(true, true, false)),
        ("all", marks(false, true, true)),
    ] {
        let entry = Entry::root(Node::File(Content::bytes(name.as_bytes())), 0o644).with_role(Role::Config);
        let path = InstallPath::parse(&format!("/etc/acme/{name}")).expect("a path");
        package.tree.insert(path, Entry { marks, ..entry }).expect("free");
    }
    let mut of_debian = package.clone();
    let built = write(package);
    let flags = query(&built.path, "[%{FILENAMES} %{FILEFLAGS:fflags}\n]");
    for line in ["/etc/acme/all dcmn\n", "/etc/acme/kept cn\n", "/etc/acme/missing cm\n", "/etc/acme/replaced c\n"] {
        assert!(flags.contains(line), "{line}{flags}");
    }
    let shown = inspect(&built.path).expect("a package").to_string();
    assert!(shown.contains("/etc/acme/missing (configuration) (replaced) (may be missing)\n"), "{shown}");
    of_debian.target = Project::new(&[]).package("debian-12", "1.0", |_| {}).target;
    of_debian.relations = packhouse::package::Relations::default();
    let conffiles = text(&run("dpkg-deb", &["--info", utf8(&write(of_debian).path), "conffiles"]));
    assert_eq!(conffiles, "/etc/acme/all\n/etc/acme/kept\n/etc/acme/missing\n/etc/acme/replaced\n");
}

#[test]
fn a_project_s_own_changelog_is_both_formats_history() {
    let project = Project::new(&[]);
    let history = "acme-tool (1.0-2) unstable; urgency=medium\n\n  * Answer faster\n\n -- Ann Bee <ann@acme.example>  Fri, 02 Jan 2026 15:04:05 +0100\n";
    project.put("acme-tool/debian/changelog", history);
    let of = |target: &str| {
        project.package(target, "1.0", |service| service.changelog_file = Some("debian/changelog".into()))
    };
    let deb = of("debian-12");
    let place = InstallPath::parse("/usr/share/doc/acme-tool/changelog.Debian.gz").expect("a path");
    let content = deb.tree.get(&place).and_then(Entry::content).expect("the changelog");
    let mut read = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(content.open().expect("it")), &mut read)
        .expect("text");
    assert_eq!(read, history);
    let shown = text(&run("rpm", &["-qp", "--changelog", utf8(&write(of("el9")).path)]));
    assert_eq!(shown.trim(), "* Fri Jan 02 2026 Ann Bee <ann@acme.example> - 1.0-2\n- Answer faster");
}

#[test]
fn what_the_scripts_call_is_depended_on() {
    let perl = Script::deb("post-install", "#!/usr/bin/perl -w\nprint 1;\n");
    let needs = query(&Project::new(&[perl]).build("el9", "1.0").path, "[%{REQUIRENAME} %{REQUIREFLAGS:hex}\n]");
    assert!(needs.contains("/usr/bin/perl 400\n") && needs.contains("coreutils 400\n"), "{needs}");

    let depends = |project: Project| {
        let built = project.build("debian-12", "1.0");
        text(&run("dpkg-deb", &["--field", utf8(&built.path), "Depends"])).trim().to_owned()
    };
    let adduser = Script::deb("post-install", "#!/bin/sh\nset -e\nadduser --system acme\n# ucf\n");
    assert_eq!(depends(Project::new(std::slice::from_ref(&adduser))), "adduser");
    assert_eq!(depends(Project::new(&[adduser]).with_debconf()), "adduser, debconf (>= 0.5) | debconf-2.0");
    let python = Script::rpm("post-install", "print(1)").by(&["/usr/bin/python3"]);
    assert_eq!(depends(Project::new(&[python])), "python3");
}
