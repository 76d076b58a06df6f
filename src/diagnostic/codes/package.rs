//! What keeps a tree from becoming a package, or a file from being read as one.

codes! {
    UNKNOWN_COMMAND = "unknown-command", [Usage, Failed],
    "a command is named that the service does not have",
    "`commands`, a unit's `command` or a completion speaks of a command that neither the manifest nor the build brings.",
    "[services.acme-api]\ncommands = [\"acme-apl\"]",
    "Use the name that the message offers; `packhouse list` shows each service's commands.";

    INVALID_INSTALL_PATH = "invalid-install-path", [Failed, Usage],
    "a path cannot be that of an installed file",
    "Paths of a package are absolute, without `.` and `..`, without control characters, and not longer than the system permits.",
    "[[services.acme-api.files]]\npath = \"/etc/../tmp/x\"",
    "Correct the path where it stands.";

    SHARED_PATH = "shared-path", [Usage],
    "two services would install one path",
    "Two packages with one file cannot both be on a machine; one directory cannot have two modes or owners.",
    "[[services.acme-api.files]]\npath = \"/etc/acme/acme.conf\"\n\n[[services.acme-worker.files]]\npath = \"/etc/acme/acme.conf\"",
    "Give the file a name of its own in one of the two, or leave it to one of them; give a shared directory the same mode and \
     owner in both.";

    FILE_NOT_INSTALLABLE = "file-not-installable", [Usage],
    "an entry of `files` cannot be installed",
    "The source is not there or is of another kind, or the path is one that a package must not have.",
    "[[services.acme-api.files]]\nsource = \"config/acme.conf\"\npath = \"/usr/local/etc/acme.conf\"",
    "Correct the entry that is shown; docs/configuration.md describes `[[services.NAME.files]]`.";

    NAMED_FILE_MISSING = "named-file-missing", [Usage],
    "a file that the configuration names does not exist",
    "Paths of `[services.NAME]` are relative to the service's directory.",
    "[services.acme-api.systemd]\nunits = [\"acme-api.servcie\"]",
    "Correct the path in packhouse.toml.";

    LINK_LEAVES_REPOSITORY = "link-leaves-repository", [Usage],
    "a link leads out of the repository",
    "The package would hold whatever this machine has there.",
    "man/acme-api.1 -> /usr/share/man/man1/acme-api.1",
    "Put the file itself into the repository.";

    INVALID_MAN_PAGE = "invalid-man-page", [Usage],
    "a man page cannot be installed",
    "A man page is a file like `NAME.SECTION` with the macros of man(7) or mdoc(7).",
    "[services.acme-api]\nman = [\"README.md\"]",
    "Rename or rewrite it, or leave it out of `man`: one is made from the command's `--help`.";

    INVALID_UNIT = "invalid-unit", [Usage],
    "systemd would not take a unit, or it could not work",
    "Units, sysusers.d and tmpfiles.d files are read as systemd reads them: a misspelt key, a program that is not in the package or \
     an unknown user is found here and not on the machine.",
    "[Service]\nExecStart=acme-api\nRestrat=always",
    "Correct the file where it is shown; `systemd-analyze verify UNIT` says more of it.";

    INVALID_TEXT = "invalid-text", [Usage],
    "a text cannot stand in a unit or a field",
    "A control character or a line break would end the field and begin another.",
    "[services.acme-api]\nsummary = \"Interface\\nof the cloud\"",
    "Write it on one line, without control characters, under `[services.NAME]`.";

    UNKNOWN_LIBRARY = "unknown-library", [Failed],
    "a shared library is needed that nothing is known to provide",
    "Neither the package nor a table of the target's packages has it, so that no dependency can be written and the program would not \
     start.",
    "error[unknown-library]: acme-api: …/_native.so needs the shared library libfoo.so.1",
    "Declare the package that holds it: `depends = { deb = [\"libfoo1\"] }` under `[services.NAME]`, or vendor a wheel that \
     brings it.";

    GLIBC_TOO_NEW = "glibc-too-new", [Failed],
    "a program needs a newer C library than the target has",
    "It was compiled against a newer glibc or run-time and would end with `version GLIBC_2.38 not found`.",
    "error[glibc-too-new]: acme-gateway needs fmod@GLIBC_2.38, and debian-12/amd64 has glibc 2.36",
    "Build on the oldest of the targets (a container of it), require a release whose wheels are built for older ones \
     (manylinux), or leave the target out.";

    UNREADABLE_ELF = "unreadable-elf", [Failed],
    "a program or library is damaged",
    "It says that it is an ELF file, and its tables contradict each other or lead out of it: no linker made it.",
    "error[unreadable-elf]: acme-api: …/_native.so is no ELF file to trust: its section table lies beyond its end",
    "Leave the file out, or take it from where it is whole; for a vendored one run `packhouse vendor`.";

    LICENSE_FORBIDDEN = "license-forbidden", [Policy],
    "a package holds what the licence policy does not allow",
    "`[licenses] allow` lists the licences that may be inside. Each part with another one, or with none that can be told, is named.",
    "[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]",
    "Add the licence to `allow`, make an exception with `exceptions`, say what the licence is with `[[licenses.clarify]]`, or leave \
     the dependency out.";

    LICENSE_CHANGED = "license-changed", [Policy],
    "a licence text that somebody looked at has changed",
    "`[[licenses.clarify]]` with `sha256` holds for one text; the component now has another.",
    "[[licenses.clarify]]\nname = \"acme\"\nexpression = \"MIT\"\nsha256 = \"…\"",
    "Read the text again, then correct `expression` and `sha256` of the entry.";

    RULES_BROKEN = "rules-broken", [Policy],
    "a package breaks rules",
    "`build` and `check` hold each package against a catalogue of rules; each finding is told with its own code.",
    "error[rules-broken]: the package breaks one of packhouse's rules:\n  setuid-file: /usr/lib/acme/acme-api/bin/helper",
    "`packhouse explain CODE` tells of each rule why it is there and what to do; where the finding is meant, allow it with a reason \
     under `[services.NAME.check]`.";

    NOT_NEWER = "not-newer", [Policy],
    "a package is not newer than the one that is published",
    "dpkg and rpm would not upgrade to it.",
    "error[not-newer]: acme-api 1.9.0-1 is not newer than 2.0.0-1, which is published",
    "Release a higher version. To go back, raise `epoch` under `[services.NAME]`. `--no-previous` builds without the comparison.";

    PATH_KIND_CHANGED = "path-kind-changed", [Policy],
    "a path changes its kind between two versions",
    "dpkg and rpm do not replace a directory by a link, dpkg no link by a directory.",
    "error[path-kind-changed]: /usr/share/acme is a symbolic link in acme-api 2.0-1 and was a directory in 1.0-1",
    "Ship it at another path, or call `dpkg-maintscript-helper` in the maintainer scripts.";

    NO_PACKAGES_TO_COMPARE = "no-packages-to-compare", [Usage],
    "there are no packages at the place to compare with",
    "`--previous` names a repository, a directory of packages or a package.",
    "packhouse build --previous README.md",
    "Name one of these with `--previous`, or build with `--no-previous`.";

    NOT_AN_ARTEFACT_LIST = "not-an-artefact-list", [Failed],
    "a file is no list of artefacts",
    "`packhouse-artefacts.json` is what `build` writes beside its packages.",
    "packhouse check broken/packhouse-artefacts.json",
    "Run `packhouse build` to write it again.";

    TARGETS_DIFFER = "targets-differ", [Failed],
    "two targets give different packages of one file name",
    "The second would overwrite the first.",
    "[targets.debian-12-hardened]\nbase = \"debian-12\"   # and the same revision-suffix",
    "Give the targets different `revision-suffix`es under `[targets.NAME]`, or build them into directories of their own with `--out`.";

    FILE_CHANGED_WHILE_PACKED = "file-changed-while-packed", [Failed],
    "a file changed while it was packed",
    "What was measured is not what was written, so that the package was not kept.",
    "error[file-changed-while-packed]: /usr/share/acme/data.db changed while it was packed: its size",
    "Run `packhouse build` again while nothing else writes to the sources.";

    NOT_WRITABLE_IN_FORMAT = "not-writable-in-format", [Failed],
    "something of the package cannot be said in the target's format",
    "deb(5) and the RPM format have limits of their own: of lengths, characters, sizes, kinds of files.",
    "error[not-writable-in-format]: the package's summary cannot be written: a field is one line",
    "Follow the hint below the message.";

    INVALID_RELATION = "invalid-relation", [Failed],
    "a relation to another package cannot be written",
    "Relations are read in their format's own grammar.",
    "depends = { deb = [\"libfoo1 >= 1.0\"] }",
    "Write Debian's as `libfoo1 (>= 1.0)` and RPM's as `libfoo >= 1.0`, under `[services.NAME]`.";

    DAMAGED_PACKAGE = "damaged-package", [Failed],
    "a file is not a whole package",
    "It is none, was cut off, or its digests do not match its content.",
    "packhouse inspect half-downloaded.deb",
    "Fetch it again and compare its SHA-256 with the origin's, or build it again with `packhouse build`.";

    CANNOT_BE_CHECKED = "cannot-be-checked", [Failed],
    "a file cannot be checked",
    "The rules are for binary packages: a source package, or something that is no package, has nothing to hold them against.",
    "packhouse check acme-1.0-1.src.rpm",
    "Name .deb or .rpm files, directories of them, or a `packhouse-artefacts.json`.";
}
