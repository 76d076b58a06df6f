//! What is wrong with a Rust service.

codes! {
    NO_CARGO = "no-cargo", [Environment],
    "this machine has no cargo",
    "Rust services are compiled with the cargo and rustc of PATH.",
    "error[no-cargo]: cargo is not on this machine: no directory of PATH has it",
    "`sudo apt-get install cargo`, `sudo dnf install cargo`, or https://rustup.rs.";

    NO_TOOLCHAIN = "no-toolchain", [Environment],
    "the Rust toolchain that the repository asks for is not installed",
    "rust-toolchain.toml names a channel; packhouse installs nothing by itself.",
    "[toolchain]\nchannel = \"1.95.0\"",
    "Run `rustup toolchain install CHANNEL`.";

    TOOLCHAIN_REFUSED = "toolchain-refused", [Usage],
    "the repository names a toolchain that is not run",
    "`path` in rust-toolchain.toml would run a compiler out of the repository.",
    "[toolchain]\npath = \"tools/rust\"",
    "Name a channel that rustup can install: `channel = \"1.95.0\"`.";

    CARGO_FAILED = "cargo-failed", [Failed],
    "cargo ended with an error",
    "Its own output stands below the message. `build` runs it without network, with the vendored crates alone.",
    "error[cargo-failed]: `cargo build` failed for acme-gateway (exit status: 101)",
    "Follow cargo's message: what does not compile here does not compile with `cargo build --locked` either. After changes to a \
     manifest run `packhouse lock SERVICE` and `packhouse vendor SERVICE`.";

    FOREIGN_ARCHITECTURE = "foreign-architecture", [Failed],
    "a program is for another processor than the target's",
    "packhouse does not compile across architectures, and a binary that came along must be for the target.",
    "packhouse build --target debian-12/arm64   # on x86_64",
    "Build for this target on a machine of its architecture, or leave it out with `--target`.";

    NO_OBJCOPY = "no-objcopy", [Environment],
    "there is no objcopy to take debug symbols out with",
    "`debug-package` makes a package of debug symbols, as dh_strip and find-debuginfo do, with the same tool.",
    "[services.acme-gateway]\ndebug-package = true",
    "`sudo apt-get install binutils` or `sudo dnf install binutils`, or leave `debug-package` out.";

    DEBUG_SYMBOLS = "debug-symbols", [Failed],
    "debug symbols cannot be taken out of a program",
    "objcopy failed, or the program has no build id by which a debugger would find its symbols.",
    "RUSTFLAGS=-Clink-arg=-Wl,--build-id=none",
    "Take `--build-id=none` out of the linker's flags, or leave `debug-package` out.";
}
