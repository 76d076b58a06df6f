//! What is wrong with the repository of sources.

codes! {
    NO_SERVICE = "no-service", [Usage],
    "no service was found",
    "A service is a directory with a manifest (setup.py, setup.cfg, pyproject.toml, Cargo.toml) that git does not ignore and that \
     brings a command. Libraries alone make no package.",
    "packhouse build",
    "`packhouse list` says of each directory why it is no service. `kind = \"service\"` under `[services.NAME]` makes one of a \
     library; `members` and `exclude` of `[project]` decide what is looked at.";

    UNKNOWN_SERVICE = "unknown-service", [Usage],
    "no service has this name",
    "A name on the command line or a table `[services.NAME]` speaks of nothing that was found in the repository. Its settings \
     would be passed over in silence.",
    "[services.acme-apl]\nsummary = \"Interface of the cloud\"",
    "Use the name that the message offers; `packhouse list` lists all services.";

    TABLE_TWICE = "table-twice", [Usage],
    "two tables speak of one service",
    "`[services.NAME]` finds its service by the name or by `path`; two tables that find the same one would contradict each other.",
    "[services.acme-api]\n[services.api]\npath = \"services/acme-api\"",
    "Keep one of the two tables.";

    UNMATCHED_PATTERN = "unmatched-pattern", [Usage],
    "a pattern of `members` matches nothing",
    "Patterns are relative to the repository's root, and `*` does not match `/`. One that matches nothing is a slip.",
    "[project]\nmembers = [\"service/*\"]",
    "Correct the pattern; `packhouse list` without the key shows all directories with a manifest.";

    UNUSABLE_PACKAGE_NAME = "unusable-package-name", [Failed],
    "a service has a name that no package can have",
    "The package is named after the manifest's name, and the formats allow small letters, digits, `+`, `-` and `.`.",
    "[project]\nname = \"x\"",
    "Give it another name with `[services.NAME]` and `path = \"DIRECTORY\"`, or leave it out with `exclude` in `[project]`.";

    DUPLICATE_NAME = "duplicate-name", [Failed],
    "two members have one name",
    "Requirements name packages, so that two of one name cannot be told apart. Python's names are compared as PEP 503 says.",
    "libs/acme-common/pyproject.toml: name = \"acme-common\"\nold/common/setup.py: name=\"acme_common\"",
    "Rename one of them, or leave one out with `exclude` in `[project]`.";

    SAME_PACKAGE = "same-package", [Failed, Usage],
    "two services would become one package",
    "Their names are the same once they are written as the name of a package.",
    "services/api/pyproject.toml: name = \"acme-api\"\nservices/api-rs/Cargo.toml: name = \"acme-api\"",
    "Give one of them another name with `[services.NAME]` and `path = \"DIRECTORY\"`.";

    SAME_COMMAND = "same-command", [Failed],
    "two services bring one command",
    "`/usr/bin` is shared by all packages, so that only one of two packages with one command could be installed.",
    "acme-api and acme-worker both have a script `acme-admin`",
    "Say in `commands` under `[services.NAME]` of one of them which commands it brings, or rename the script.";

    UNUSABLE_COMMAND = "unusable-command", [Failed],
    "a command cannot be a file of `/usr/bin`",
    "The name of a script or of an entry point becomes a file name on the machine, and has to be one.",
    "[project.scripts]\n\"acme/admin\" = \"acme.admin:main\"",
    "Rename it, or list the service's commands with `commands = [...]` under `[services.NAME]`.";

    DEPENDENCY_CYCLE = "dependency-cycle", [Failed],
    "packages of the repository need each other",
    "Each would have to be built before the other.",
    "acme-api requires acme-common (libs/common/pyproject.toml:7), which requires acme-api",
    "Take one requirement out of the circle, or move what both need into a library of its own.";

    MEMBER_LEFT_OUT = "member-left-out", [Usage],
    "a requirement names a package of this repository that is left out",
    "A package of the repository never comes from an index: somebody could register its name there.",
    "[project]\nexclude = [\"libs/common\"]",
    "Take the directory into `members`, or out of `exclude`, of `[project]`.";

    PATH_DEPENDENCY_MISSING = "path-dependency-missing", [Failed],
    "a requirement leads to a directory that is not there or is no package",
    "A path dependency must lead to a directory of this repository with a manifest.",
    "dependencies = [\"acme-common @ file:../common\"]",
    "Correct the path where it is shown; if it is in a submodule, run `git submodule update --init`.";

    NOT_A_WORKSPACE_MEMBER = "not-a-workspace-member", [Failed],
    "a crate lies in a Cargo workspace that does not list it",
    "cargo refuses to build such a crate.",
    "Cargo.toml: [workspace] members = [\"services/*\"]\ntools/acme-admin/Cargo.toml",
    "Add it to `members` or `exclude` of `[workspace]`, or leave it out with `exclude` in `[project]` of packhouse.toml.";

    INVALID_MANIFEST = "invalid-manifest", [Failed],
    "a manifest cannot be understood",
    "setup.py, setup.cfg, pyproject.toml, Cargo.toml, requirements files and the files that they name are read without running \
     any code. They must be text in UTF-8 of a usual size and follow their format.",
    "[project]\nname = acme-api",
    "Correct the file at the place that is shown.";

    SUBMODULE_NOT_CHECKED_OUT = "submodule-not-checked-out", [Failed, Environment],
    "a submodule is not checked out",
    "Its directory is empty, so that what it holds cannot be packaged.",
    "git clone https://git.acme.example/cloud && cd cloud && packhouse list",
    "Run `git submodule update --init --recursive`; one that is not needed is left out with `exclude` in `[project]`.";

    INVALID_SUBMODULES = "invalid-submodules", [Failed],
    "`.gitmodules` cannot be understood",
    "The file must be a git configuration with a path for each submodule, inside the repository.",
    "[submodule \"common\"]\n\turl = https://git.acme.example/common",
    "Correct the file at the place that is shown; `git submodule status` reads it as well.";

    NO_VERSION = "no-version", [Usage],
    "a service has no version",
    "A version stands in the configuration, in the manifest, or in a git tag. One that is computed when the code runs is not read, \
     because no code of the repository is run.",
    "[project]\nname = \"acme-api\"\ndynamic = [\"version\"]",
    "Tag the commit, write the version into the manifest, or set `version` under `[services.NAME]`.";

    INVALID_VERSION = "invalid-version", [Usage],
    "a version cannot be ordered",
    "Python's versions follow PEP 440, those of crates SemVer; from them the versions of dpkg and rpm are made. The epoch must \
     fit into 31 bits, and the whole into 200 characters or so.",
    "version = \"1.0-final2-really\"",
    "Correct it where it stands: `1.2.3`, `1.2.3rc1` (PEP 440), `1.2.3-rc.1` (SemVer).";

    GIT_UNREADABLE = "git-unreadable", [Failed],
    "the git repository cannot be read",
    "Versions, changelogs and times come from git. The repository may belong to another user, be damaged, or lack objects that \
     a partial clone has left out.",
    "sudo -u builder packhouse build",
    "For another user's repository that you trust: `git config --global --add safe.directory DIRECTORY`. A partial clone is \
     completed by `git fetch --refetch --no-filter`; `git fsck` finds damage.";

    SHALLOW_CLONE = "shallow-clone", [Environment],
    "the git repository is a shallow clone",
    "When a service changed last decides the time in its package, and the tags before it its version; a shallow clone has neither.",
    "git clone --depth 1 https://git.acme.example/cloud",
    "Run `git fetch --unshallow --tags`; in CI ask for a depth of 0.";

    UNKNOWN_REVISION = "unknown-revision", [Usage],
    "there is no such revision",
    "`--changed-since` takes whatever git takes for a commit: a branch, a tag, a digest.",
    "packhouse build --changed-since orgin/main",
    "Use the name that the message offers, or fetch it first: `git fetch origin REVISION`.";

    INVALID_SOURCE_DATE_EPOCH = "invalid-source-date-epoch", [Usage],
    "SOURCE_DATE_EPOCH is no time",
    "It is a number of seconds since 1970 and stands in every file of a package.",
    "SOURCE_DATE_EPOCH=today packhouse build",
    "Write a number (`date +%s` prints the present one), or `unset SOURCE_DATE_EPOCH` to take the time of the last change.";

    SOURCE_TREE_UNUSABLE = "source-tree-unusable", [Failed, Usage],
    "the sources hold something that cannot be packaged",
    "A link that leads out of the repository would take something of this machine into the package; sockets and devices are no \
     sources; a name that is not UTF-8 cannot stand in a list.",
    "services/api/settings.py -> /etc/acme/settings.py",
    "Put the file itself into the repository, or have git ignore it.";
}
