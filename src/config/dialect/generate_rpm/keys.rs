//! What becomes of each key, for `docs/compatibility.md`.

use super::super::keys::{Dialect, Key};

/// Both tables.
pub(in super::super) const DIALECTS: [Dialect; 2] = [
    Dialect { tool: "cargo-generate-rpm 0.21", table: "package.metadata.generate-rpm", about: ABOUT, keys: KEYS },
    Dialect { tool: "cargo-rpm 0.8", table: "package.metadata.rpm", about: LEGACY_ABOUT, keys: LEGACY_KEYS },
];

const ABOUT: &str = "\
cargo-generate-rpm packages what `cargo build` left; packhouse builds it first (`--no-build`: it is in `target/` already). Its \
switches mean on `packhouse build` what they mean there: `-s`/`--set-metadata`, `--metadata-overwrite FILE[#TABLE]` and \
`--variant` are laid over the table in the order of the command line, the last that has a key speaking alone; \
`--payload-compress`, `--auto-req`, `-a`/`--arch`, `--source-date` as well. `--signing-key` names `packhouse publish --key`.

A relation is one of RPM's names. `provides`, `conflicts` and `obsoletes`, which speak of the package itself, are carried over \
to a .deb (`Obsoletes` as `Conflicts` and `Replaces`); of the others, for whose packages Debian has other names, one note says \
that the .deb does without them, and how to say what it needs.";

const fn key(path: &'static str, form: &'static str, fate: &'static str) -> Key {
    Key { path, form, fate }
}

const RELATION: &str = "read, with `\"\"`, `\"*\"`, `< <= = >= >`, several with commas, and boolean ones as the key";
const FLAGS: &str = "1 (macros), 2 (query format), 4 (a failure is the package's): written as they are; other bits are left out with a note";
const PROGRAM: &str = "what runs the script, with its arguments";
const TRANSACTION: &str = "the script, or the path of one; Debian has no such moment: not in a .deb, with a note";
const SCRIPT: &str =
    "the script, or the path of one (a relative path of the repository); in a .deb it is told RPM's arguments";

const KEYS: &[Key] = &[
    key("name", "string", "the package's name as it is spelt; normalised in a .deb; default the crate's"),
    key("version", "string", "read; default the crate's; a pre-release sorts before (`~`), where the tool refuses it"),
    key(
        "license",
        "string",
        "read when it is an SPDX expression (`MIT/Apache-2.0` is one), else the manifest's is taken, with a note",
    ),
    key("summary", "string", "one line; default `description`, then the manifest's"),
    key("description", "string", "the long description; the tool reads it only without `summary`"),
    key("url", "string", "the package's page; default the manifest's `homepage`, then `repository`"),
    key("release", "string or integer", "read; a number gets the distribution's suffix (not with `--strict-compat`)"),
    key("epoch", "integer", "read, for both formats"),
    key("vendor", "string", "RPM's `Vendor`"),
    key("assets", "array of tables", "the files; without it there is no package"),
    key(
        "assets.source",
        "string",
        "a file of the workspace's directory, else of the crate's; `target/release/` is what \
         packhouse builds; with `*` a pattern, whose finds keep their path below its fixed part; links are followed",
    ),
    key(
        "assets.dest",
        "string",
        "where it goes; a directory if it ends in `/`; `/lib`, `/bin`, `/sbin` as `/usr/…`, with a note; \
         man pages are compressed (not with `--strict-compat`)",
    ),
    key(
        "assets.mode",
        "octal string",
        "read; without it the file's own (0755 or 0644), as the tool did until 0.19: its 0664 \
         makes programs that cannot be started",
    ),
    key("assets.user", "string", "the owner; in a .deb by the maintainer script, when the package makes it"),
    key("assets.group", "string", "the group, likewise"),
    key("assets.caps", "string", "file capabilities, checked as setcap does; in a .deb by the maintainer script"),
    key(
        "assets.config",
        "boolean, `\"noreplace\"`, `\"missingok\"`, or an array of these",
        "`%config` with these marks; a \
         conffile in a .deb, where every file in /etc is one",
    ),
    key("assets.doc", "boolean", "`%doc`"),
    key(
        "assets.dir",
        "boolean",
        "an empty directory that the package owns (0755 unless `mode` says else); the tool fails on it",
    ),
    key("pre_install_script", "string", SCRIPT),
    key("pre_install_script_flags", "integer", FLAGS),
    key("pre_install_script_prog", "array of strings", PROGRAM),
    key("post_install_script", "string", SCRIPT),
    key("post_install_script_flags", "integer", FLAGS),
    key("post_install_script_prog", "array of strings", PROGRAM),
    key("pre_uninstall_script", "string", SCRIPT),
    key("pre_uninstall_script_flags", "integer", FLAGS),
    key("pre_uninstall_script_prog", "array of strings", PROGRAM),
    key("post_uninstall_script", "string", SCRIPT),
    key("post_uninstall_script_flags", "integer", FLAGS),
    key("post_uninstall_script_prog", "array of strings", PROGRAM),
    key("pre_trans_script", "string", TRANSACTION),
    key("pre_trans_script_flags", "integer", FLAGS),
    key("pre_trans_script_prog", "array of strings", PROGRAM),
    key("post_trans_script", "string", "the script, or the path of one; in a .deb the end of `postinst`"),
    key("post_trans_script_flags", "integer", FLAGS),
    key("post_trans_script_prog", "array of strings", PROGRAM),
    key("pre_untrans_script", "string", TRANSACTION),
    key("pre_untrans_script_flags", "integer", FLAGS),
    key("pre_untrans_script_prog", "array of strings", PROGRAM),
    key("post_untrans_script", "string", TRANSACTION),
    key("post_untrans_script_flags", "integer", FLAGS),
    key("post_untrans_script_prog", "array of strings", PROGRAM),
    key("requires", "table", RELATION),
    key("obsoletes", "table", RELATION),
    key("conflicts", "table", RELATION),
    key("provides", "table", RELATION),
    key("recommends", "table", RELATION),
    key("supplements", "table", RELATION),
    key("suggests", "table", RELATION),
    key("enhances", "table", RELATION),
    key(
        "auto-req",
        "`\"no\"` or `\"disabled\"`",
        "no dependencies on the libraries that programs need, in either format",
    ),
    key("require-sh", "boolean", "`Requires: /bin/sh` (default true)"),
    key("variants", "table of tables", "each may have every key; `--variant NAME` lays one over the table"),
];

const LEGACY_ABOUT: &str = "\
Read with a note where there is no `[package.metadata.generate-rpm]`. What stands in the spec file beside it (relations, scripts) \
is not read.";

const LEGACY_KEYS: &[Key] = &[
    key("package", "string", "the package's name; default the crate's"),
    key("config", "string", "the directory of `files` (default `.rpm`)"),
    key("output", "string", "left out, with a note: `--out`"),
    key("cargo", "table", "how cargo is called"),
    key("cargo.profile", "string", "the cargo profile"),
    key("cargo.target", "string", "left out, with a note: `--target` of `packhouse build`"),
    key("cargo.buildflags", "array of strings", "arguments of `cargo build`; `--release` goes without saying"),
    key("targets", "table of tables", "the programs, by cargo's name"),
    key("targets.BIN.path", "string", "where the program goes"),
    key("targets.BIN.username", "string", "its owner"),
    key("targets.BIN.groupname", "string", "its group"),
    key("targets.BIN.mode", "octal string", "default 755"),
    key("files", "table of tables", "further files, by their path below `config`'s directory"),
    key("files.FILE.path", "string", "where the file or directory goes"),
    key("files.FILE.username", "string", "its owner"),
    key("files.FILE.groupname", "string", "its group"),
    key("files.FILE.mode", "octal string", "default 644"),
    key("build_hooks", "table", "not run, with a note"),
    key("target_architecture", "string", "left out, with a note: `--target` of `packhouse build`"),
];
