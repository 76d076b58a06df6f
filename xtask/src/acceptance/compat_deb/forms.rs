//! A crate of our own whose table has every form that cargo-deb takes and public crates do not use.

/// Its files, from the repository's root.
pub(super) const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", WORKSPACE),
    ("crates/forms/Cargo.toml", MANIFEST),
    ("crates/forms/src/main.rs", "fn main() {}\n"),
    ("crates/forms/conf/forms.toml", "port = 80\n"),
    ("crates/forms/conf/sub/more.toml", "more = true\n"),
    ("crates/forms/man/forms.1", ".TH FORMS 1\n"),
    ("crates/forms/data/one.txt", "one\n"),
    ("crates/forms/data/deep/two.txt", "two\n"),
    ("crates/forms/LICENSE", "skipped\nskipped\nDo as you like.\n"),
    ("crates/forms/README.md", "# forms\n\nA readme.\n"),
    ("crates/forms/debian/postinst", "#!/bin/sh\nset -e\nadduser --system forms\n#DEBHELPER#\nexit 0\n"),
    ("crates/forms/debian/prerm", "#!/bin/sh\nset -e\n#DEBHELPER#\n"),
    ("crates/forms/debian/postrm", "#!/bin/sh\nset -e\n#DEBHELPER#\ncase \"$1\" in purge) deluser forms ;; esac\n"),
    ("crates/forms/debian/preinst", "#!/bin/sh\nset -e\nldconfig before\n#DEBHELPER#\n"),
    ("crates/forms/debian/config", "#!/bin/sh\nexit 0\n"),
    ("crates/forms/debian/templates", "Template: forms/x\nType: string\nDescription: x\n"),
    ("crates/forms/debian/triggers", "interest-noawait /usr/share/forms\n"),
    ("crates/forms/debian/forms.sysusers", "u forms - \"Forms\"\n"),
    ("crates/forms/debian/forms.tmpfile", "d /run/forms 0755 forms forms -\n"),
    (
        "crates/forms/debian/forms.service",
        "[Unit]\nDescription=Forms\n[Service]\nExecStart=/usr/bin/forms\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "crates/forms/debian/worker.service",
        "[Unit]\nDescription=Worker\n[Service]\nExecStart=/usr/bin/forms\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "crates/forms/debian/quiet.timer",
        "[Unit]\nDescription=Quiet\n[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
    ),
    (
        "crates/forms/debian/quiet.service",
        "[Unit]\nDescription=Quiet\n[Service]\nType=oneshot\nExecStart=/usr/bin/forms\n",
    ),
];

const WORKSPACE: &str = "\
[workspace]
members = [\"crates/forms\"]
resolver = \"2\"

[workspace.package]
authors = [\"Ada <ada@example.org>\"]
license = \"MIT\"
repository = \"https://example.org/forms\"
";

const MANIFEST: &str = r#"[package]
name = "forms"
version = "1.2.0-rc.1"
edition = "2021"
description = "shows every form"
readme = "README.md"
authors.workspace = true
license.workspace = true
repository.workspace = true

[package.metadata.deb]
copyright = "2026, Ada"
license-file = ["LICENSE", "2"]
extended-description = "It has two paragraphs.\n\nThis is the second."
section = "net"
priority = "optional"
revision = "3"
depends = ["$auto", "adduser", "libone [amd64]", "libtwo [!amd64]", "three | four (>= 1.0)"]
pre-depends = "dpkg (>= 1.16)"
recommends = ["five", "six"]
suggests = "seven"
enhances = "eight"
conflicts = "nine"
breaks = "ten (<< 2.0)"
replaces = "ten (<< 2.0)"
provides = "eleven"
conf-files = ["/usr/share/forms/one.txt"]
triggers-file = "debian/triggers"
maintainer-scripts = "debian"
assets = [
    ["target/release/forms", "usr/bin/", "755"],
    { source = "target/release/forms", dest = "/usr/libexec/forms-again", mode = "4755" },
    ["conf/**/*", "etc/forms", "640"],
    ["man/forms.1", "usr/share/man/man1/", "644"],
    ["data/*", "usr/share/forms", "644"],
    ["data/deep/two.txt", "usr/share/forms/two-renamed.txt"],
    { dest = "usr/bin/alias", link_name = "/usr/bin/forms" },
    { dest = "etc/forms/link", link_name = "/usr/share/forms/one.txt" },
]
systemd-units = [
    { unit-name = "forms" },
    { unit-name = "worker", enable = false, start = false },
    { unit-name = "quiet", restart-after-upgrade = false, stop-on-upgrade = false },
]

[package.metadata.deb.variants.other]
section = "utils"
merge-assets.append = [["README.md", "usr/share/doc/forms-other/", "644"]]
merge-assets.by.dest = [["data/one.txt", "usr/share/forms/two-renamed.txt", "600"]]
"#;
