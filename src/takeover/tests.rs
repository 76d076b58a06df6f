//! Debian directories as people have them, and what becomes of them. Each is read back as a configuration, so that nothing
//! is written that packhouse would not read.

use std::path::PathBuf;

use super::*;
use crate::config::{Content, Settings, parse, render};
use crate::name::OrgName;
use crate::workspace::{Detector, discover, discover_unconfigured};

const CONTROL: &str = "\
# comment
Source: shop
Section: python
Priority: extra
Maintainer: Jo Doe <jo@acme.example>
Build-Depends: debhelper-compat (= 13), dh-virtualenv (>= 1.2), python3
Homepage: https://acme.example/shop
Standards-Version: 4.6.2

Package: shop
Architecture: any
Multi-Arch: foreign
Pre-Depends: dpkg (>= 1.16.1), python3, ${misc:Pre-Depends}
Depends: ${misc:Depends}, ${shlibs:Depends}, libpq5 (>= 15),
# not this one
 adduser | useradd, shop-data (= ${binary:Version}), hwloc [amd64],
 procps <!nocheck>
Recommends: postgresql-client
X-Custom: 1
Description: sells things
 To people
 and others.
 .
 Really.

Package: shop-doc
Architecture: all
Description: documents
";

const CHANGELOG: &str = "shop (1:1.0-3) bookworm; urgency=medium\n\n  * Start.\n\n -- Jo Doe <jo@acme.example>  Mon, 02 Mar 2026 09:00:00 +0000\n";

const RULES: &str = "#!/usr/bin/make -f\n%:\n\tdh $@ --with python-virtualenv\n\noverride_dh_virtualenv:\n\tdh_virtualenv --python /usr/bin/python3.11 \\\n\t  --extras web --extra-index-url https://jo:secret@pypi.acme.example/simple --preinstall 'setuptools>=60' \\\n\t  --preinstall uwsgi --upgrade-pip --extra-pip-arg --no-binary=pyyaml\n\noverride_dh_strip:\n\tdh_strip --exclude=cffi\n\nexecute_after_dh_fixperms:\n\tchmod 0700 debian/shop/etc/shop\n";

const SETUP: &str = "from setuptools import setup\nsetup(name='shop', version='1.0', packages=['shop'], license='MIT', description='sells things',\n  extras_require={'web': ['flask']}, entry_points={'console_scripts': ['shop=shop:main', 'shop-admin=shop:admin']})\n";

struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let world = Self { directory: tempfile::tempdir().unwrap() };
        let usual = [
            ("setup.py", SETUP),
            ("shop/__init__.py", ""),
            ("debian/control", CONTROL),
            ("debian/changelog", CHANGELOG),
            ("debian/rules", RULES),
        ];
        usual.iter().chain(files).for_each(|(path, text)| world.put(path, text));
        world
    }

    fn put(&self, path: &str, text: &str) {
        let path: PathBuf = self.directory.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    /// What is taken over, the text of the configuration, and what packhouse reads in it.
    fn taken(&self) -> (TakenOver, String, Settings) {
        let python = &crate::ecosystem::python::Python as &dyn Detector;
        let workspace = discover_unconfigured(self.directory.path(), &[python]).unwrap();
        let found = find(&workspace).unwrap();
        let [debian] = found.as_slice() else { panic!("{} debian directories", found.len()) };
        let org = debian.org().map_or_else(|| OrgName::parse("acme").unwrap(), |org| org.value);
        let taken = debian.convert(&org);
        let maintainer = taken.maintainer.clone().unwrap().value.to_string();
        let mut project = vec![Setting::new("org", org.as_str()), Setting::new("maintainer", maintainer)];
        project.extend(taken.project.clone());
        let content = Content { project, tables: taken.tables.clone(), left: taken.left.clone(), found: Vec::new() };
        let text = render(&content).unwrap();
        let settings = parse(&text, &workspace.root).unwrap_or_else(|error| panic!("{error}\n{text}"));
        discover(&settings, &[python]).unwrap_or_else(|error| panic!("{error}\n{text}"));
        (taken, text, settings)
    }
}

/// Whether one of the things left behind is about `what`, for a reason with `why`.
fn leaves(taken: &TakenOver, what: &str, why: &str) -> bool {
    taken.left.iter().any(|left| left.contains(what) && left.contains(why))
}

/// The lines that say something.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect()
}

#[test]
fn a_package_like_the_tutorials_becomes_a_configuration_and_what_is_left_has_its_reason() {
    let world = World::new(&[
        (
            "debian/shop.links",
            "opt/venvs/shop/bin/shop usr/bin/shop\n/opt/venvs/shop/bin/shop-admin /usr/sbin/shop-admin\n",
        ),
        (
            "debian/shop.install",
            "# files\nconf/shop.conf etc/shop\nstatic usr/share/shop\nconf/*.ini etc/shop/conf.d\nbuild/out.bin usr/lib/x\n",
        ),
        ("conf/shop.conf", "a"),
        ("conf/one.ini", "b"),
        ("static/a.css", "c"),
        (
            "debian/shop.service",
            "[Service]\nExecStart=/opt/venvs/shop/bin/shop\n[Install]\nWantedBy=multi-user.target\n",
        ),
        ("debian/shop.triggers", "interest-noawait /usr/bin/python3.11\ninterest dh-virtualenv-interpreter-update\n"),
        ("debian/shop.dirs", "var/lib/shop\nusr/bin\nvar/run/shop\n"),
        ("debian/shop.logrotate", "/var/log/shop/*.log {}\n"),
        ("debian/shop.cron.d", "0 1 * * * root /opt/venvs/shop/bin/shop tidy\n"),
        ("debian/shop.default", "A=1\n"),
        ("debian/shop.init", "#!/bin/sh\n"),
        ("debian/shop.docs", "NOTES.md\n"),
        ("NOTES.md", "n"),
        ("debian/shop.postinst", "#!/bin/sh\nset -e\n#DEBHELPER#\n"),
        ("debian/shop.preinst", "#!/bin/sh\nset -e\nmkdir -p /var/lib/shop\n#DEBHELPER#\n"),
        ("debian/copyright", "Format: x\n\nFiles: *\nCopyright: me\nLicense: Expat\n"),
    ]);
    let (taken, text, settings) = world.taken();
    assert_eq!(taken.maintainer.as_ref().unwrap().value.to_string(), "Jo Doe <jo@acme.example>");
    assert_eq!(settings.project.homepage.as_deref(), Some("https://acme.example/shop"));
    let expected = [
        "[project]",
        "org = \"acme\"",
        "maintainer = \"Jo Doe <jo@acme.example>\"",
        "homepage = \"https://acme.example/shop\"",
        "targets = [\"debian-12\"]",
        "[[index]]",
        "name = \"pypi-acme-example\"",
        "url = \"https://pypi.acme.example/simple\"",
        "[services.shop]",
        "epoch = 1",
        "revision = 4",
    ];
    assert_eq!(lines(&text)[..expected.len()], expected, "{text}");
    for line in [
        "section = \"python\"",
        "multi-arch = \"foreign\"",
        "pre-depends = { deb = [\"dpkg (>= 1.16.1)\", \"python3\"] }",
        "depends = { deb = [\"libpq5 (>= 15)\", \"adduser | useradd\", \"procps\"] }",
        "recommends = { deb = [\"postgresql-client\"] }",
        "commands = [\"shop\"]",
        "scripts = { pre-install = \"debian/shop.preinst\" }",
        "former-root = \"/opt/venvs/shop\"",
        "units = [\"debian/shop.service\"]",
        "version = \"3.11\"",
        "extras = [\"web\"]",
        "no-binary = [\"pyyaml\"]",
        "source = \"conf/*.ini\"",
        "path = \"/etc/shop/conf.d/\"",
        "path = \"/usr/share/shop/\"",
        "path = \"/var/lib/shop\"",
        "path = \"/etc/logrotate.d/shop\"",
        "path = \"/etc/default/shop\"",
        "path = \"/etc/cron.d/shop\"",
        "path = \"/usr/share/doc/shop/\"",
        "path = \"/usr/sbin/shop-admin\"",
        "target = \"/usr/lib/acme/shop/bin/shop-admin\"",
    ] {
        assert!(lines(&text).contains(&line), "{line}\n{text}");
    }
    for absent in ["secret", "summary =", "triggers =", "/usr/bin\"", "post-install", "license ="] {
        assert!(!lines(&text).iter().any(|line| line.contains(absent)), "{absent}\n{text}");
    }
    for (what, why) in [
        ("the package shop-doc", "one package of each service"),
        ("`shop-data (= ${binary:Version})`", "variable"),
        ("`hwloc [amd64]`", "restriction"),
        ("X-Custom", "no key"),
        ("the environment at /opt/venvs/shop", "It is /usr/lib/acme/shop now"),
        ("`build/out.bin`", "made while the package is built"),
        ("/var/run/shop", "RuntimeDirectory="),
        ("debian/shop.triggers", "links to the system's interpreter"),
        ("debian/shop.cron.d", "names /opt/venvs/shop"),
        ("debian/shop.init", "systemd"),
        ("--preinstall uwsgi", "requirements.txt"),
        ("--upgrade-pip", "neither pip nor virtualenv"),
        ("the login of the index", "PACKHOUSE_INDEX_PYPI_ACME_EXAMPLE_PASSWORD"),
        ("chmod 0700", "[[services.NAME.files]]"),
    ] {
        assert!(leaves(&taken, what, why), "{what}\n{:#?}", taken.left);
    }
    assert!(!leaves(&taken, "dh_strip", "") && !leaves(&taken, "setuptools", ""), "{:#?}", taken.left);
}

#[test]
fn an_environment_where_packhouse_installs_too_stays_where_it_is() {
    let rules = "export DH_VIRTUALENV_INSTALL_ROOT=/usr/lib/acme\n%:\n\tdh $@ --with=python-virtualenv,systemd\n";
    let unit = "[Service]\nExecStart=/usr/lib/acme/shop/bin/shop\n";
    let world = World::new(&[
        ("debian/rules", rules),
        ("debian/shop.service", unit),
        (
            "debian/shop.links",
            "usr/lib/acme/shop/bin/shop usr/bin/shop\nusr/lib/acme/shop/bin/shop-admin usr/bin/shop-admin\n",
        ),
    ]);
    let (_, text, settings) = world.taken();
    assert_eq!(settings.project.org.as_str(), "acme");
    for absent in ["former-root", "commands", "symlink"] {
        assert!(!lines(&text).iter().any(|line| line.contains(absent)), "{absent}\n{text}");
    }
}

#[test]
fn programs_stay_at_their_old_paths_where_a_package_may_install() {
    let rules = "%:\n\tdh $@ --buildsystem=dh_virtualenv\nexport DH_VIRTUALENV_INSTALL_SUFFIX = shop-env\nexport DH_UPGRADE_PIP=\n";
    let world = World::new(&[("debian/rules", rules)]);
    let (taken, text, settings) = world.taken();
    let service = settings.services.get("shop").unwrap();
    assert_eq!(service.commands.as_deref(), Some(&[][..]), "dh-virtualenv's package has no commands");
    assert!(text.contains("path = \"/usr/share/python/shop-env/bin/shop\""), "{text}");
    assert!(text.contains("target = \"/usr/lib/acme/shop/bin/shop-admin\""), "{text}");
    assert!(leaves(&taken, "DH_UPGRADE_PIP", "neither pip nor virtualenv"), "{:#?}", taken.left);
}

#[test]
fn units_have_debhelpers_names_and_the_policy_of_the_rules() {
    let rules = "%:\n\tdh $@ --with python-virtualenv\noverride_dh_installsystemd:\n\tdh_installsystemd --no-start\n\tdh_installsystemd --name=worker --no-start --no-enable\n";
    let unit = "[Service]\nExecStart=/opt/venvs/shop/bin/shop\n";
    let world = World::new(&[
        ("debian/rules", rules),
        ("debian/service", unit),
        ("debian/shop.worker.service", unit),
        ("debian/shop.other.service", unit),
        ("debian/shop@.service", unit),
        ("debian/shop.tmpfiles", "d /run/shop 0755 root root -\n"),
        ("debian/shop.sysusers", "u shop -\n"),
    ]);
    let (taken, _, settings) = world.taken();
    let systemd = settings.services.get("shop").unwrap().systemd.clone().unwrap();
    let named = |sources: &[crate::config::UnitSource]| -> Vec<String> {
        let name = |source: &crate::config::UnitSource| {
            format!("{} as {}", source.path.display(), source.name.as_deref().unwrap_or("itself"))
        };
        sources.iter().map(name).collect()
    };
    assert_eq!(
        named(&systemd.units),
        [
            "debian/service as shop.service",
            "debian/shop@.service as itself",
            "debian/shop.worker.service as worker.service"
        ]
    );
    assert_eq!(named(&systemd.tmpfiles), ["debian/shop.tmpfiles as shop.conf"]);
    assert_eq!(named(&systemd.sysusers), ["debian/shop.sysusers as shop.conf"]);
    assert_eq!((systemd.start, systemd.enable), (Some(false), None));
    assert!(leaves(&taken, "debian/rules:5: --no-enable", "not for all units"), "{:#?}", taken.left);
    assert!(leaves(&taken, "debian/shop.other.service", "--name=other"), "{:#?}", taken.left);
}

#[test]
fn another_name_another_directory_and_another_version_are_said() {
    let control =
        CONTROL.replace("Package: shop\n", "Package: acme-shop\n").replace("Source: shop", "Source: acme-shop");
    let rules = "%:\n\tdh $@ --with python-virtualenv\noverride_dh_virtualenv:\n\tdh_virtualenv --sourcedirectory=src -p acme-shop --requirements prod.txt $(shell echo x)\n";
    let world = World::new(&[
        ("debian/control", &control),
        ("debian/rules", rules),
        ("debian/changelog", "acme-shop (2.0~rc1) unstable; urgency=low\n"),
        ("src/setup.py", SETUP),
        ("src/conf/a.conf", "a"),
        ("b.conf", "b"),
        ("debian/acme-shop.install", "src/conf/a.conf etc/shop\nb.conf etc/shop\n"),
    ]);
    fs_err::remove_file(world.directory.path().join("setup.py")).unwrap();
    let (taken, text, settings) = world.taken();
    let service = settings.services.get("acme-shop").unwrap();
    assert_eq!(service.path.as_deref(), Some(std::path::Path::new("src")));
    assert_eq!((service.version.as_deref(), service.revision), (Some("2.0~rc1"), None));
    assert!(text.contains("source = \"conf/a.conf\""), "{text}");
    assert!(leaves(&taken, "`b.conf`", "outside of src") && leaves(&taken, "--requirements prod.txt", "-r prod.txt"));
    assert!(leaves(&taken, "a part of dh_virtualenv's options", "only make knows"), "{:#?}", taken.left);
}

#[test]
fn other_debian_directories_are_none_of_its() {
    let rules = "%:\n\tdh $@ --with python3 --buildsystem=pybuild\n";
    let world = World::new(&[("debian/rules", rules)]);
    let python = &crate::ecosystem::python::Python as &dyn Detector;
    let workspace = discover_unconfigured(world.directory.path(), &[python]).unwrap();
    assert!(find(&workspace).unwrap().is_empty());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    /// Whatever stands in the files: no panic, and what is written is a configuration.
    #[test]
    fn no_debian_directory_gives_a_configuration_that_is_none(
        text in "[ -~\\n\\tä\\\\\"'$]{0,60}",
        which in 0_usize..6,
    ) {
        let files = ["debian/shop.links", "debian/shop.install", "debian/shop.dirs", "debian/shop.manpages", "debian/shop.maintscript", "debian/rules"];
        let text = if which == 5 { format!("{RULES}\n{text}\n") } else { format!("opt/venvs/shop/bin/shop usr/bin/shop\n{text}\n") };
        let control = CONTROL.replace("Recommends: postgresql-client", &format!("Recommends: {}", text.replace('\n', " ")));
        let world = World::new(&[(files[which], &text), ("debian/control", &control)]);
        drop(world.taken());
    }
}
