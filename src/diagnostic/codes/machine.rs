//! What is wrong with the machine: its disks, its permissions, its kernel.

codes! {
    DISK_FULL = "disk-full", [Failed],
    "there is no room left on a disk",
    "The cache, the directory for results or the one for temporary files is full, or a quota is used up. Nothing half-written \
     was kept.",
    "error[disk-full]: failed to write to file `target/packhouse/.acme-api_1.0-1_amd64.deb`: No space left on device",
    "`packhouse cache prune --size 1G` makes the cache smaller; `--out`, PACKHOUSE_CACHE_DIR and TMPDIR name other places. \
     `packhouse doctor` shows how much room each place has.";

    READ_ONLY_FILE_SYSTEM = "read-only-file-system", [Failed],
    "a file system is read-only",
    "Results or the cache were to be written to a place where nobody can write.",
    "packhouse build --out /usr/share/acme",
    "Name another place with `--out` or PACKHOUSE_CACHE_DIR.";

    PERMISSION_DENIED = "permission-denied", [Failed],
    "this user may not read or write a file",
    "Its owner or its mode does not permit it. The usual cause is a cache or a result that root has made.",
    "sudo packhouse build && packhouse build",
    "Check the owner and the mode of the path: `ls -ld PATH`; `sudo chown -R \"$(id -un)\" PATH` makes it yours.";

    FILE_NOT_FOUND = "file-not-found", [Failed, Usage],
    "a file is not there",
    "A file that was named, or that was there a moment ago, does not exist.",
    "packhouse inspect acme-api_1.0_amd64.deb",
    "Correct the path; if nobody named it, run the command again while nothing else removes files.";

    INPUT_OUTPUT = "input-output", [Failed],
    "a file could not be read or written",
    "The system's own message stands behind the path.",
    "error[input-output]: failed to read from file `services/api/data.bin`: Input/output error (os error 5)",
    "Follow the system's message; `packhouse doctor` looks at the places that packhouse writes to.";

    UNKNOWN_SANDBOX_MODE = "unknown-sandbox-mode", [Usage],
    "PACKHOUSE_SANDBOX has a value that it does not take",
    "It is `auto` (the strongest isolation that this machine permits), `require` (less is an error) or `none`.",
    "PACKHOUSE_SANDBOX=required packhouse build",
    "Write `PACKHOUSE_SANDBOX=require`, `auto` or `none`, or unset it.";

    NO_NAMESPACES = "no-namespaces", [Environment],
    "this machine permits no namespaces",
    "Build steps are kept from the network and from the machine's files by the kernel's namespaces. PACKHOUSE_SANDBOX=require \
     asks for them, and this machine or container forbids them.",
    "docker run --rm builder env PACKHOUSE_SANDBOX=require packhouse build",
    "Permit unprivileged user namespaces: `sudo sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu `sudo sysctl \
     kernel.apparmor_restrict_unprivileged_userns=0`, or run the container with a seccomp profile that allows them.";

    SANDBOX_SETUP = "sandbox-setup", [Environment, Failed],
    "the sandbox of a build step could not be set up",
    "The kernel permits namespaces, but a mount or a directory of this one was refused.",
    "error[sandbox-setup]: cannot set up the sandbox for /usr/bin/python3: mount: Permission denied",
    "`packhouse doctor` says what the machine permits. PACKHOUSE_SANDBOX=none builds without isolation; the record of the \
     artefacts then says so.";

    PROGRAM_NOT_STARTED = "program-not-started", [Failed, Environment],
    "a program could not be started",
    "A build step's program is not there, may not be executed, or is for another processor.",
    "error[program-not-started]: cannot run /usr/bin/python3.11",
    "Install it, or check its mode; `packhouse doctor` looks for the tools that the project needs.";

    INVALID_CACHE_SIZE = "invalid-cache-size", [Usage],
    "the cache's limit is no size",
    "PACKHOUSE_CACHE_SIZE and `cache prune --size` take a number with K, M, G or T, or with Ki, Mi, Gi or Ti.",
    "PACKHOUSE_CACHE_SIZE=lots packhouse build",
    "Write it as `500M`, `10G` or `10GiB`; `0` means no limit.";
}
