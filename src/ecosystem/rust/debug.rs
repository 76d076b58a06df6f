//! Takes the debug information out of a program, so that it can be installed apart from it.
//!
//! The file of debug information is found by the program's build id, a digest of what the linker made: gdb, systemd's
//! coredumpctl and perf look for `/usr/lib/debug/.build-id/xx/yyyy.debug` (GDB's manual, "Debugging Information in Separate
//! Files"). The program keeps its build id and the name of that file with its checksum (`.gnu_debuglink`).
//!
//! binutils' objcopy does the cutting, as it does for dh_strip and for rpm's find-debuginfo. Its output depends on its input
//! alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use object::Object as _;

use super::error::RustError;
use crate::sandbox::{Bind, Sandbox, Step};

/// Where the step sees the program.
const PLACE: &str = "/packhouse/debug";

/// binutils' program.
pub(super) const OBJCOPY: &str = "/usr/bin/objcopy";

/// A program and its debug information.
#[derive(Debug)]
pub(super) struct Split {
    /// The program without symbols.
    pub(super) program: Vec<u8>,
    /// The debug information.
    pub(super) debug: Vec<u8>,
    /// In hexadecimal digits.
    pub(super) build_id: String,
    /// How the steps were isolated.
    pub(super) isolation: String,
}

/// What cargo is told so that `profile` gives debug information, apart from the linker's flag [`BUILD_ID`]. Symbols stay in
/// the program until it is split.
pub(super) fn environment(profile: &str) -> Vec<(String, OsString)> {
    let profile = profile.to_uppercase().replace('-', "_");
    let set = |key: &str, value: &str| (format!("CARGO_PROFILE_{profile}_{key}"), value.into());
    // Debug information in files beside the objects would hold their paths in place of what is in them.
    vec![set("DEBUG", "2"), set("STRIP", "none"), set("SPLIT_DEBUGINFO", "off")]
}

/// The flag of rustc that has the linker write a build id. Most linkers do so by default; without one nothing is found.
pub(super) const BUILD_ID: &str = "-Clink-arg=-Wl,--build-id=sha1";

/// Splits `data`, the program of `command`.
pub(super) fn split(sandbox: &Sandbox, command: &str, data: &[u8]) -> Result<Split, RustError> {
    if !Path::new(OBJCOPY).is_file() {
        return Err(RustError::NoObjcopy { program: PathBuf::from(OBJCOPY) });
    }
    let build_id = build_id(data).ok_or_else(|| RustError::NoBuildId { command: command.to_owned() })?;
    let directory = tempfile::tempdir()?;
    let binds = [Bind::writable(directory.path(), PLACE)];
    let file = |name: &str| directory.path().join(name);
    // The program keeps the name of its debug file, which is what it will be called when it is installed.
    let debug_name = format!("{}.debug", build_id.get(2..).unwrap_or_default());
    fs_err::write(file("program"), data)?;
    let run = |arguments: &[&str]| -> Result<String, RustError> {
        let step = Step {
            program: PathBuf::from(OBJCOPY),
            arguments: arguments.iter().map(OsString::from).collect(),
            directory: sandbox.inside(&binds, directory.path()),
            environment: Vec::new(),
            binds: binds.to_vec(),
            time_limit: None,
        };
        let output = sandbox.run(&step)?;
        if output.status.success() {
            return Ok(output.isolation);
        }
        Err(RustError::Objcopy {
            command: command.to_owned(),
            status: output.status.to_string(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    };
    run(&["--only-keep-debug", "--compress-debug-sections=zlib", "program", &debug_name])?;
    let link = format!("--add-gnu-debuglink={debug_name}");
    let isolation = run(&["--strip-all", &link, "program", "stripped"])?;
    Ok(Split { program: fs_err::read(file("stripped"))?, debug: fs_err::read(file(&debug_name))?, build_id, isolation })
}

/// The build id of an ELF file.
fn build_id(data: &[u8]) -> Option<String> {
    let id = object::File::parse(data).ok()?.build_id().ok().flatten()?;
    // Two digits are the directory's name; fewer than four bytes are no digest of anything.
    (id.len() >= 4).then(|| hex::encode(id))
}
