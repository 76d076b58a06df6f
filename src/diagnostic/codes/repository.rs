//! What is wrong with a repository of packages, or with what is done to one.

codes! {
    NOT_A_REPOSITORY = "not-a-repository", [Usage],
    "there is no repository at this place",
    "A repository has a file `packhouse-repository.json` at its root.",
    "packhouse publish acme-api_1.0-1_amd64.deb --repo ../repostory --suite bookworm",
    "Correct the path, or make a repository with `packhouse repo init DIRECTORY`.";

    REPOSITORY_EXISTS = "repository-exists", [Usage],
    "there is a repository at this place already",
    "`repo init` makes a new one and changes none that is there.",
    "packhouse repo init ../repository --key acme.key",
    "Publish into it with `packhouse publish`, or name another directory.";

    REPOSITORY_STATE_DAMAGED = "repository-state-damaged", [Failed],
    "a file of the repository's own bookkeeping cannot be understood",
    "Somebody edited or lost a file below `.packhouse`, or another tool wrote the index.",
    "error[repository-state-damaged]: ../repository/.packhouse/…: expected value at line 1",
    "`packhouse repo verify --repair` puts back what follows from the rest; else restore it from a backup, or publish all packages \
     into a new repository.";

    REPOSITORY_DAMAGED = "repository-damaged", [Failed],
    "files of the repository are not what was published",
    "`repo verify` reads every file and compares it with what was signed.",
    "packhouse repo verify ../repository",
    "`packhouse repo verify --repair` puts back what follows from what is left; the rest comes from a backup, or is published again \
     with `packhouse publish --force`.";

    PACKAGE_REFUSED = "package-refused", [Failed],
    "a package must not enter a repository",
    "It is damaged, or a client would read it otherwise than it says: a name, a version or a relation that apt or dnf cannot parse.",
    "error[package-refused]: acme-api_1.0-1_amd64.deb: its Depends cannot be parsed",
    "Build it again with `packhouse build`; `packhouse check FILE` says what else is wrong with it.";

    ALREADY_PUBLISHED = "already-published", [Failed],
    "this version is published with another content",
    "Machines that have it would never get the new content, and caches between would hold either.",
    "error[already-published]: acme-api_1.0-1_amd64.deb: acme-api 1.0-1 amd64 is already published in bookworm",
    "Give the package a new version. `--force` replaces it all the same.";

    PACKAGE_GIVEN_TWICE = "package-given-twice", [Failed],
    "one package was named twice with different contents",
    "A suite has one file of each name, version and architecture.",
    "packhouse publish old/acme-api_1.0-1_amd64.deb new/acme-api_1.0-1_amd64.deb --suite bookworm",
    "Publish one of them.";

    UNKNOWN_SUITE = "unknown-suite", [Usage],
    "the repository has no such suite",
    "A suite is named as `bookworm`, or as `apt/NAME` and `yum/NAME` where both halves have one of the name.",
    "packhouse repo show bokworm",
    "Use the name that the message offers; `packhouse repo list` lists those there are.";

    UNKNOWN_PACKAGE = "unknown-package", [Usage],
    "a suite has no such package",
    "The name is none of its packages, or has not the version that was asked for.",
    "packhouse repo remove bookworm acme-apl",
    "Use the name that the message offers; `packhouse repo show SUITE` lists what there is.";

    UNKNOWN_SNAPSHOT = "unknown-snapshot", [Usage],
    "there is no such snapshot or generation",
    "Snapshots stay until they are removed; generations as long as `repo gc` keeps them.",
    "packhouse repo rollback bookworm --to 9999",
    "`packhouse repo snapshot --list` lists the snapshots, `packhouse repo log SUITE` the generations.";

    EMPTY_SUITE = "empty-suite", [Usage],
    "a suite has no packages",
    "There is nothing in it that could be promoted or kept.",
    "packhouse repo promote --from staging --to stable",
    "Publish into it first: `packhouse publish FILE --suite SUITE`.";

    SUITE_NEEDED = "suite-needed", [Usage],
    "it is not said which suite packages belong to",
    "A directory of packages has no index that assigns them.",
    "packhouse repo import ../pool",
    "Name the suite with `--suite`.";

    SUITE_FROZEN = "suite-frozen", [Failed],
    "nothing enters or leaves a frozen suite",
    "Somebody froze it with `repo set --frozen yes`.",
    "packhouse publish acme-api_1.0-1_amd64.deb --suite stable",
    "Thaw it with `packhouse repo set SUITE --frozen no`, or name another suite.";

    UNUSABLE_KEY = "unusable-key", [Usage],
    "a key cannot sign a repository",
    "It is no secret key, is locked, has expired, or is of a kind that clients refuse.",
    "packhouse publish acme-api_1.0-1_amd64.deb --key acme.key.pub --suite bookworm",
    "`packhouse key lint KEY` says what clients think of it; `packhouse key generate FILE` makes one that all accept.";

    OTHER_KEY = "other-key", [Usage],
    "the key is not the repository's",
    "Clients trust one key; an index that another one has signed is refused by all of them.",
    "packhouse publish acme-api_1.0-1_amd64.deb --key other.key --suite bookworm",
    "Name the repository's own key with `--key`; `packhouse repo rotate` replaces it.";

    ROTATION_STEP = "rotation-step", [Usage],
    "this step of a key's replacement cannot be taken now",
    "A key is replaced in two steps, with time between them for the clients: `--to NEWKEY`, then `--finish`.",
    "packhouse repo rotate --finish",
    "Take the steps in order: `packhouse repo rotate --to NEWKEY`, later `--finish`, or `--abort`.";

    SIGNING_FAILED = "signing-failed", [Failed],
    "a signature could not be made",
    "gpg, the command that signs, or the key itself did not give one that can be verified.",
    "error[signing-failed]: gpg did not sign: No pinentry",
    "For gpg: `gpg -K` lists the keys, and the agent must have the passphrase or a way to ask for it. For a command: see \
     docs/signing.md. `packhouse doctor` looks at the key.";

    CHANGE_REFUSED = "change-refused", [Failed],
    "a change would do harm",
    "It would leave packages that cannot be installed, take away what clients have, or change what they refuse to see changed. The \
     message lists what.",
    "packhouse repo promote acme-api --from staging --to stable",
    "Follow the hint below the message: mend what is named, or say with the option it names that it is meant.";

    CLOCK_BEHIND = "clock-behind", [Failed],
    "the clock is behind the last publication",
    "apt clients ignore an index that is older than the one they have.",
    "error[clock-behind]: the clock of this machine is 86400 s behind the last publication of bookworm",
    "Set the clock: `sudo timedatectl set-ntp true`.";

    CANNOT_LISTEN = "cannot-listen", [Usage],
    "nothing can be served at this address",
    "The address is none of this machine's, its port is taken, or is below 1024.",
    "packhouse repo serve --address 0.0.0.0:80",
    "Name another with `--address 127.0.0.1:8081`; port 0 takes a free one.";

    NOTHING_TO_IMPORT = "nothing-to-import", [Failed],
    "there is nothing to import",
    "The directory has neither `dists` nor `repodata` nor packages in it.",
    "packhouse repo import /srv/reprepro/conf",
    "Name the directory that clients see: the one with `dists` in it, or with `repodata`.";

    CANNOT_TAKE_OVER = "cannot-take-over", [Failed],
    "some packages cannot be taken over",
    "Each is named with the reason; nothing was changed.",
    "packhouse repo import /srv/aptly/public",
    "Mend them where they are, or leave them out with `--leave-out`.";

    OTHER_IDENTITY = "other-identity", [Failed],
    "a suite is known to clients under another name",
    "Clients refuse a suite whose Origin, Label or Codename changes.",
    "error[other-identity]: the Label of the suite bookworm is Acme here and acme-old in what was to be imported",
    "Import it into a repository that has no such suite: `packhouse repo init DIRECTORY`.";
}
