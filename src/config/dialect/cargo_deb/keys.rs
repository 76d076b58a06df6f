//! The keys of `[package.metadata.deb]`, and what becomes of each.

use crate::config::dialect::keys::{Dialect, Key};

const fn key(path: &'static str, form: &'static str, fate: &'static str) -> Key {
    Key { path, form, fate }
}

const TEXT: &str = "string";
const LIST: &str = "string or array";
const BOOL: &str = "bool";

/// The table of cargo-deb.
pub(in crate::config::dialect) const DIALECT: Dialect = Dialect {
    tool: "cargo-deb 3.8",
    table: "package.metadata.deb",
    about: "\
The table makes a .deb and an .rpm. What is not in it comes from `[package]` and its workspace, as with cargo-deb: the name, the \
first author as the maintainer, the authors as holders of the copyright, `homepage`, `documentation` or `repository` as the \
homepage, `license-file`, `readme`. An RPM gets the same files, units and scripts (which are told what they would be told by \
dpkg); names of Debian's packages are left out of it with a note, because they are others in RPM's distributions.

Differences that are meant, beside what is added:

- Man pages, `NEWS`, `changelog` and info pages are compressed wherever they come from, also from `target/release/`.
- A link in /etc is no conffile (Debian Policy 10.7.3); places below `/lib`, `/bin`, `/sbin` are those below `/usr`.
- An explicit asset wins over `$auto`, as cargo-deb's manual has it; merging by source keeps links and all assets of one source.
- Modes that come from the file system are 0755 or 0644: the umask of whoever checked the sources out does not count.
- A shared library for `/usr/lib` goes to `/usr/lib64` in an RPM, and a completion for `/usr/share/zsh/vendor-completions` to \
`site-functions`; `--multiarch` moves libraries alone, never units.
- The readme is not the long description as a whole: its prose before the first section is, without badges and titles. A \
`description` of several lines is told in full below a synopsis of one.
- A version's `-beta` becomes `~beta`, so that the release sorts above it; cargo-deb does so only with a digit in it.
- Debug symbols that are separated become a package of their own, in both formats.",
    keys: &[
        key("name", TEXT, "The package's name; else the crate's in lower case with `-` for `_`. Capitals are mended with a note."),
        key("maintainer", TEXT, "The maintainer. One without a mail address gives way to the project's, with a note."),
        key("copyright", TEXT, "The holders in the copyright file."),
        key("license-file", "string or [file, lines]", "The licence's text in the copyright file, without its first lines."),
        key("changelog", TEXT, "The changelog of the package, in the place of git's history; `.gz` is taken as it is. One that is not there is made from the history, with a note."),
        key("depends", LIST, "`Depends`. `$auto`, or no key at all, stands for the libraries that the programs need, found without dpkg-shlibdeps; a need that cannot be met is an error. `[armhf]`, `[!armhf]`, lists and wildcards as in Policy 7.1. An empty `Depends:` is not written. Without `$auto` the libraries are added all the same, unless `add.relations = false`."),
        key("pre-depends", LIST, "`Pre-Depends`."),
        key("recommends", LIST, "`Recommends`."),
        key("suggests", LIST, "`Suggests`."),
        key("enhances", LIST, "`Enhances`."),
        key("conflicts", LIST, "`Conflicts`, of the RPM too."),
        key("breaks", LIST, "`Breaks`; the RPM's `Conflicts`."),
        key("replaces", LIST, "`Replaces`; with an upper version that `breaks` or `conflicts` repeats, the RPM's `Obsoletes`."),
        key("provides", LIST, "`Provides`, of the RPM too."),
        key("extended-description", TEXT, "The long description; else the readme's prose."),
        key("extended-description-file", TEXT, "The long description; relative to the crate's directory, not to where the program is started."),
        key("section", TEXT, "`Section`, in lower case."),
        key("priority", TEXT, "`Priority`; `extra` and unknown ones are `optional`, with a note."),
        key("revision", TEXT, "The Debian revision and the RPM release, before the distribution's suffix. `\"\"` and `\"0\"`: none in the .deb."),
        key("conf-files", "array", "Conffiles beside the files in /etc. One that no asset installs is left out with a note."),
        key("assets", "array", "What is installed; absent: `[\"$auto\"]`. Arrays `[source, dest, mode]` and `[source, dest]`, tables, links and `\"$auto\"`. Of two for one place the first counts, with a note. A directory is installed with all that is in it."),
        key("assets.source", TEXT, "A file or a pattern. `target/release/` and `target/<profile>/`, of the crate or of its workspace (`../../target/…`), mean what cargo makes, wherever it puts it."),
        key("assets.dest", TEXT, "The place; one that ends in `/` is a directory. For a link: where the link is."),
        key("assets.mode", "octal string", "The mode; absent: 0755 for what is executable, else 0644."),
        key("assets.preserve-symlinks", BOOL, "As below, for one asset. cargo-deb documents this spelling and ignores it."),
        key("assets.preserve_symlinks", BOOL, "The spelling that cargo-deb reads."),
        key("assets.link_name", TEXT, "Where a link leads: relative within a top-level directory, absolute between two (Policy 10.5)."),
        key("assets.link-name", TEXT, "The same."),
        key("merge-assets", "table", "In a variant: assets that are merged into the main table's. In the main table it is left out with a note."),
        key("merge-assets.append", "array", "Appended, before the others."),
        key("merge-assets.by", "table", "What replaces others."),
        key("merge-assets.by.src", "array", "Replaces those with the same source."),
        key("merge-assets.by.dest", "array", "Replaces those with the same destination."),
        key("triggers-file", TEXT, "`triggers` of the .deb; an RPM has none."),
        key("maintainer-scripts", "directory", "`preinst`, `postinst`, `prerm`, `postrm`, and debconf's `config` and `templates`. What is generated stands in the place of `#DEBHELPER#`, without it at the end. The RPM runs the four as well; debconf is for Debian alone."),
        key("features", "array", "Cargo features."),
        key("default-features", BOOL, "Whether the default features are on (default: yes)."),
        key("separate-debug-symbols", BOOL, "The debug symbols become a package of their own (`-dbgsym`, `-debuginfo`), not files of this one."),
        key("dbgsym", BOOL, "The same."),
        key("compress-debug-symbols", BOOL, "Read and not needed: the package of debug symbols is compressed as a whole, and smaller so."),
        key("preserve-symlinks", BOOL, "Whether links among the sources are installed as links (default: no, what they lead to is)."),
        key("preserve_symlinks", BOOL, "The same; cargo-deb refuses this spelling."),
        key("systemd-units", "table or array", "Units, sysusers.d and tmpfiles.d files, looked for as debhelper does, under the package's name and then under the crate's. They are enabled, started, restarted and stopped whether `maintainer-scripts` is set or not; cargo-deb installs them without a word and leaves them alone when it is not."),
        key("systemd-units.unit-scripts", "directory", "Where they are; else `maintainer-scripts`, else `systemd`."),
        key("systemd-units.unit-name", TEXT, "Which unit the table is for, and its installed name."),
        key("systemd-units.enable", BOOL, "Enable on first installation (default: yes)."),
        key("systemd-units.start", BOOL, "Start on first installation (default: yes)."),
        key("systemd-units.restart-after-upgrade", BOOL, "Restart after an upgrade (default: yes), else stop before and start after."),
        key("systemd-units.stop-on-upgrade", BOOL, "With `restart-after-upgrade = false`: whether an upgrade stops it (default: yes)."),
        key("variants", "table", "`--variant NAME` chooses one; each key that it has not is inherited, and it is named `<crate>-NAME` unless a `name` is given. A variant has all keys but `variants`."),
        key("profile", TEXT, "The cargo profile (default: `release`)."),
    ],
};
