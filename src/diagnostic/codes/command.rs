//! What is wrong with the command as it was given.

codes! {
    INVALID_COMMAND_LINE = "invalid-command-line", [Usage],
    "the command line cannot be understood",
    "An option, a subcommand or a value of an option does not exist, or two of them exclude each other. Nothing was done.",
    "packhouse biuld\npackhouse build --targt debian-12",
    "Use the spelling that the message offers; `packhouse help` lists the subcommands, `packhouse help build` the options of one.";

    INVALID_ARGUMENT = "invalid-argument", [Usage],
    "an argument cannot be what it is given for",
    "The command line is well formed, but one of its values breaks a rule of what it stands for: a suite's name with capital \
     letters, a machine ID that is too short, an option that does not fit the others. The message names the rule.",
    "packhouse publish acme-api_1.0-1_amd64.deb --suite 'Debian 12'",
    "Correct the argument as the message says; `packhouse help SUBCOMMAND` tells what each option takes.";

    UNKNOWN_TARGET = "unknown-target", [Usage],
    "no distribution or architecture of this name is known",
    "A target is a distribution's name, with an architecture behind a slash where it is not this machine's. Distributions that \
     are not built in are described under `[targets.NAME]`.",
    "packhouse build --target debain-12\npackhouse build --target el9/amd46",
    "Use the name that the message offers. A derivative of a known distribution is added with `[targets.NAME]` and \
     `base = \"debian-12\"` in packhouse.toml.";

    UNREADABLE_COMPRESSION = "unreadable-compression", [Usage],
    "the clients of a target cannot read this compression",
    "Older dpkg and rpm do not read zstd. A package that its target cannot unpack is worth nothing.",
    "packhouse build --target debian-11 --compression zstd",
    "Give `--compression xz` or `--compression gzip`, or leave the option out: each target then gets what it reads.";

    UNKNOWN_CODE = "unknown-code", [Usage],
    "no check and no error has this code",
    "`explain` and `check --allow` take the codes that stand in brackets behind `error`, `warning` and `note`.",
    "packhouse explain unknown-kye",
    "Use the name that the message offers; `packhouse explain` lists all codes.";

    NOT_LOCKED = "not-locked", [Usage],
    "what is to be upgraded is in no lock",
    "`lock --upgrade=NAME` takes a newer version of one package that a lock names already. A name that no lock has would be \
     passed over in silence.",
    "packhouse lock --upgrade=reqests",
    "Correct the name. A new package comes into the lock by being required: add it to the manifest and run `packhouse lock`.";

    NO_SUCH_DIRECTORY = "no-such-directory", [Usage],
    "the directory to work in does not exist",
    "`-C` names the directory that packhouse works in as if it had been started there.",
    "packhouse -C servcies/api build",
    "Correct the path behind `-C`.";

    NO_PACKAGES_NAMED = "no-packages-named", [Usage],
    "what was named holds no packages",
    "The files and directories of the command line have no .deb and no .rpm in them that the command could work with.",
    "packhouse check docs/",
    "Name .deb or .rpm files, directories of them, or a `packhouse-artefacts.json`; `packhouse build` makes them below \
     `target/packhouse`.";

    NO_SIGNING_KEY = "no-signing-key", [Usage],
    "no signing key was named",
    "Everything that clients read of a repository is signed, so that a command which changes it needs its key.",
    "packhouse publish acme-api_1.0-1_amd64.deb --repo ../repository --suite bookworm",
    "Give `--key FILE`, or set `key` under `[repository]`; `packhouse key generate FILE` makes a key.";

    NO_REPOSITORY_NAMED = "no-repository-named", [Usage],
    "no repository was named",
    "The command works on a repository of packages, and neither the command line nor the configuration says on which.",
    "packhouse repo list",
    "Name its directory, or set `path` under `[repository]` in packhouse.toml.";

    KEY_REFUSED = "key-refused", [Policy],
    "clients refuse this key",
    "`key lint` holds a key against what apt, dnf and zypper of all targets accept: algorithm, length, digests of its \
     self-signatures, expiry.",
    "packhouse key lint old-dsa.asc",
    "Make a new key with `packhouse key generate FILE` and replace the old one with `packhouse repo rotate`.";

    NO_TERMINAL = "no-terminal", [Usage],
    "there is no terminal to ask on",
    "A passphrase was to be asked for, and standard input is no terminal.",
    "packhouse key generate acme.key --ask-passphrase < /dev/null",
    "Give the passphrase in a file with `--passphrase-file FILE`, or in PACKHOUSE_KEY_PASSPHRASE.";

    FILE_EXISTS = "file-exists", [Usage],
    "a file would be overwritten",
    "What is there would be lost, and a signing key cannot be had again.",
    "packhouse key generate acme.key",
    "Name another file, or give `--force` to lose the one that is there.";

    OUTPUT_NOT_WRITTEN = "output-not-written", [Failed],
    "the results could not be written to standard output",
    "What standard output leads to does not take more: a full disk behind a redirection, a device that is gone.",
    "packhouse list > /dev/full",
    "Redirect the output to a place with room; what was built is there all the same.";

    INTERRUPTED = "interrupted", [Interrupted, Terminated],
    "the program was interrupted",
    "Ctrl-C, a polite kill, or the end of the session. Build steps were ended as well, and unfinished files were removed.",
    "timeout 5 packhouse vendor",
    "Run the command again: `packhouse vendor` and `packhouse build` go on with what was finished.";

    MACHINE_NOT_READY = "machine-not-ready", [Environment],
    "this machine lacks something that the project needs",
    "`doctor` found at least one problem; each has a line of its own with the command that mends it.",
    "packhouse doctor",
    "Run the commands that `packhouse doctor` prints, then run it again.";

    INTERNAL_ERROR = "internal-error", [Failed],
    "packhouse has a defect",
    "Something that packhouse makes itself (a template, a document, a time) could not be made. That is no fault of the project's.",
    "error[internal-error]: a template of packhouse failed",
    "Report it with the command and the output of `packhouse --version`.";
}
