//! What is packaged by both: every public crate found that has the table and brings its files, and projects of our own that
//! have every key.

use super::super::crates::Crate;

/// A project.
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) origin: Origin,
    /// Files that a build makes: those below `target/release/` are programs, the others are texts.
    pub(super) made: &'static [&'static str],
    /// Further arguments of both.
    pub(super) arguments: &'static [&'static str],
    /// Further arguments of cargo-generate-rpm alone.
    pub(super) theirs: &'static [&'static str],
    /// What the tool says when it fails, where it does: the package is then ours alone, and has these facts.
    pub(super) broken: Option<(&'static str, &'static [(&'static str, &'static str)])>,
}

/// Where it comes from.
pub(super) enum Origin {
    /// The registry.
    Public(Crate),
    /// These files.
    Own(&'static [(&'static str, &'static str)]),
}

const fn public(name: &'static str, version: &'static str, sha256: &'static str) -> Origin {
    Origin::Public(Crate { name, version, sha256 })
}

const NOTHING: Subject =
    Subject { name: "", origin: Origin::Own(&[]), made: &[], arguments: &[], theirs: &[], broken: None };

/// All of them.
pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        name: "topgrade",
        origin: public("topgrade", "17.14.1", "4c4f1dbac325356d70d167e5917873e85f24d8a4f0c78221eb166071bf2d983e"),
        made: &["target/release/topgrade"],
        ..NOTHING
    },
    Subject {
        name: "rustic",
        origin: public("rustic-rs", "0.11.4", "2cf37b2da4eba9410b85d369efed9e5765419be5406df3fd498b6bf53621188d"),
        made: &["target/release/rustic"],
        ..NOTHING
    },
    Subject {
        name: "routinator",
        origin: public("routinator", "0.16.0-rc1", "263ca4dec2d82f59b384cce714b9691956b1cff1cbea8417acc8aa8c7ca565fa"),
        made: &["target/release/routinator", "target/rpm/routinator.service"],
        // The tool refuses the version of a pre-release.
        arguments: &["-s", "version = \"0.16.0~rc1\"", "--metadata-overwrite", "pkg/rpm/scriptlets.toml"],
        ..NOTHING
    },
    Subject {
        name: "krill",
        origin: public("krill", "0.16.1", "8058d1dacd5827d0ded08befb52ecdbec692834fa2fe23ffdbcc18c0a0f5675b"),
        made: &[
            "target/release/krill",
            "target/release/krillc",
            "target/rpm/krill.service",
            "pkg/common/krill.service.preset",
            "doc/krill.1.gz",
            "doc/krill.conf.5.gz",
            "doc/krillc.1.gz",
        ],
        ..NOTHING
    },
    Subject {
        name: "krillta",
        origin: public("krill", "0.16.1", "8058d1dacd5827d0ded08befb52ecdbec692834fa2fe23ffdbcc18c0a0f5675b"),
        made: &["target/release/krillta", "doc/krillta.1.gz"],
        arguments: &["--metadata-overwrite", "Cargo.toml#package.metadata.generate-rpm-alt-base-krillta"],
        ..NOTHING
    },
    Subject {
        name: "bottom",
        origin: public("bottom", "0.15.0", "f9bbec11a8e1f1780e16594bf1fe074008de5b25e32cae7de4bd5a40d304b923"),
        made: &[
            "target/release/btm",
            "manpage/btm.1.gz",
            "completion/btm.bash",
            "completion/btm.fish",
            "completion/_btm",
            "desktop/bottom.desktop",
            "assets/icons/bottom-system-monitor.svg",
        ],
        ..NOTHING
    },
    Subject {
        name: "sniffnet",
        origin: public("sniffnet", "1.5.1", "164e3163b0529dda8f9e79f81530b985d977ff87c0b4e4e65ffbc40b49ca4a29"),
        made: SNIFFNET,
        ..NOTHING
    },
    Subject {
        name: "trippy",
        origin: public("trippy", "0.13.0", "d3086a737a738e1518ccb22be3c86577dca03fd433f78214f219cff1f3ce957a"),
        made: &["target/release/trip"],
        ..NOTHING
    },
    // Its own project, which its own continuous integration packages.
    Subject {
        name: "cargo-generate-rpm",
        origin: public(
            "cargo-generate-rpm",
            "0.21.1",
            "94d79151322105715a0daaf2440a42eb5fd8a7793f04e92571ed910c4bd3f632",
        ),
        made: &["target/release/cargo-generate-rpm"],
        ..NOTHING
    },
    Subject {
        name: "every-key",
        origin: Origin::Own(EVERY_KEY),
        made: &["target/release/every_key", "target/release/libevery.so"],
        ..NOTHING
    },
    Subject {
        name: "every-key, small",
        origin: Origin::Own(EVERY_KEY),
        made: &["target/release/every_key", "target/release/libevery.so"],
        arguments: &["--variant", "small", "-s", "vendor = \"Later\"", "--auto-req", "no", "--payload-compress", "xz"],
        ..NOTHING
    },
    // Its unit test of workspaces (`test_config_new_with_workspace`), with files.
    Subject {
        name: "workspace",
        origin: Origin::Own(WORKSPACE),
        made: &["target/release/bar"],
        theirs: &["-p", "bar"],
        ..NOTHING
    },
    Subject {
        name: "empty directory",
        origin: Origin::Own(DIRECTORY),
        made: &["target/release/directory"],
        broken: Some((
            "No such file or directory",
            &[
                ("file /var/lib/directory: mode", "40750"),
                ("file /var/lib/directory: user", "root"),
                ("file /usr/bin/directory: mode", "100755"),
            ],
        )),
        ..NOTHING
    },
];

/// Its crate has none of them.
const SNIFFNET: &[&str] = &[
    "target/release/sniffnet",
    "resources/packaging/linux/sniffnet.desktop",
    "resources/packaging/linux/graphics/sniffnet_8x8.png",
    "resources/packaging/linux/graphics/sniffnet_16x16.png",
    "resources/packaging/linux/graphics/sniffnet_22x22.png",
    "resources/packaging/linux/graphics/sniffnet_24x24.png",
    "resources/packaging/linux/graphics/sniffnet_32x32.png",
    "resources/packaging/linux/graphics/sniffnet_36x36.png",
    "resources/packaging/linux/graphics/sniffnet_42x42.png",
    "resources/packaging/linux/graphics/sniffnet_48x48.png",
    "resources/packaging/linux/graphics/sniffnet_64x64.png",
    "resources/packaging/linux/graphics/sniffnet_72x72.png",
    "resources/packaging/linux/graphics/sniffnet_96x96.png",
    "resources/packaging/linux/graphics/sniffnet_128x128.png",
    "resources/packaging/linux/graphics/sniffnet_160x160.png",
    "resources/packaging/linux/graphics/sniffnet_192x192.png",
    "resources/packaging/linux/graphics/sniffnet_256x256.png",
    "resources/packaging/linux/graphics/sniffnet_384x384.png",
    "resources/packaging/linux/graphics/sniffnet_512x512.png",
    "resources/packaging/linux/graphics/sniffnet_1024x1024.png",
];

const EVERY_KEY: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[package]
name = "every_key"
version = "1.2.3"
edition = "2021"
license = "MIT"
description = "Has every key of the table"
repository = "https://example.org/every-key"

[package.metadata.generate-rpm]
name = "Every_key"
version = "2.0"
license = "MIT OR Apache-2.0"
summary = "Every key of the table"
url = "https://example.org/every"
release = "0.1.beta"
epoch = 2
vendor = "Acme"
require-sh = true
assets = [
    { source = "target/release/every_key", dest = "/usr/bin/", mode = "0755", caps = "cap_net_bind_service=ep" },
    { source = "target/release/*.so", dest = "/usr/lib64/every", mode = "755" },
    { source = "README.md", dest = "/usr/share/doc/every/README.md", mode = "644", doc = true },
    { source = "conf/one.conf", dest = "/etc/every/one.conf", mode = "640", config = true, user = "root", group = "daemon" },
    { source = "conf/one.conf", dest = "/etc/every/two.conf", mode = "644", config = "noreplace" },
    { source = "conf/one.conf", dest = "/etc/every/three.conf", mode = "644", config = "missingok" },
    { source = "conf/one.conf", dest = "/etc/every/four.conf", mode = "644", config = ["missingok", "noreplace"] },
    { source = "conf/one.conf", dest = "/etc/every/five.conf", mode = "644", config = false, doc = false },
    { source = "share/*/x*.txt", dest = "/usr/share/every/", mode = "644" },
    { source = "run.sh", dest = "/usr/libexec/every/run" },
]
pre_install_script = "echo pre"
pre_install_script_flags = 4
post_install_script = "scripts/post.sh"
post_install_script_prog = ["/bin/bash", "-e"]
pre_uninstall_script = """
echo preun
echo $1
"""
post_uninstall_script = "echo postun"
pre_trans_script = "print('pretrans')"
pre_trans_script_prog = ["<lua>"]
post_trans_script = "echo posttrans %{name}"
post_trans_script_flags = 3
pre_untrans_script = "echo preuntrans"
post_untrans_script = "echo postuntrans"

[package.metadata.generate-rpm.requires]
filesystem = ">= 3, < 99"
bash = "*"
coreutils = ""
"(glibc if glibc-langpack-en)" = ""

[package.metadata.generate-rpm.obsoletes]
every-old = "<= 1.0"

[package.metadata.generate-rpm.conflicts]
every-other = "= 3"

[package.metadata.generate-rpm.provides]
every = "= 2.0"

[package.metadata.generate-rpm.recommends]
"(bash-completion if bash)" = ""

[package.metadata.generate-rpm.supplements]
bash = "> 4"

[package.metadata.generate-rpm.suggests]
zsh = "*"

[package.metadata.generate-rpm.enhances]
fish = "*"

[package.metadata.generate-rpm.variants.small]
name = "every-small"
release = 7
requires = { bash = "*" }
assets = [{ source = "target/release/every_key", dest = "/usr/bin/every-small", mode = "0755" }]
"#,
    ),
    ("src/main.rs", "fn main() {}\n"),
    ("README.md", "# every\n"),
    ("conf/one.conf", "one = 1\n"),
    ("share/one/x1.txt", "1\n"),
    ("share/two/x2.txt", "2\n"),
    ("share/two/y.txt", "no\n"),
    ("scripts/post.sh", "echo post $1\n"),
    ("run.sh", "#!/bin/sh\necho run\n"),
];

const WORKSPACE: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[workspace]
members = ["bar"]

[workspace.package]
version = "1.2.3"
authors = ["Nice Folks"]
description = "A short description of my package"
documentation = "https://example.com/bar"
"#,
    ),
    (
        "bar/Cargo.toml",
        r#"
[package]
name = "bar"
version.workspace = true
authors.workspace = true
description.workspace = true
documentation.workspace = true
license = "MIT"

[package.metadata.generate-rpm]
assets = [
    { source = "target/release/bar", dest = "/usr/bin/bar", mode = "755" },
    { source = "both.txt", dest = "/usr/share/bar/both.txt", mode = "644" },
    { source = "own.txt", dest = "/usr/share/bar/own.txt", mode = "644" },
]
"#,
    ),
    ("bar/src/main.rs", "fn main() {}\n"),
    ("both.txt", "the workspace's\n"),
    ("bar/both.txt", "the crate's\n"),
    ("bar/own.txt", "the crate's\n"),
];

const DIRECTORY: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[package]
name = "directory"
version = "1.0.0"
edition = "2021"
license = "MIT"
description = "Owns an empty directory"

[package.metadata.generate-rpm]
assets = [
    { source = "target/release/directory", dest = "/usr/bin/directory" },
    { dest = "/var/lib/directory", dir = true, mode = "750" },
]
"#,
    ),
    ("src/main.rs", "fn main() {}\n"),
];
