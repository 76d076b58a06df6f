//! What the machine can do at most, so that a figure can be held against it: one core's speed at everything that packing is
//! made of, by the same libraries, over the same files.
//!
//! Each limit is a process of its own (`cargo xtask bench limit NAME DIRECTORY` prints bytes and seconds), so that its memory
//! is not counted for anything else.

use std::io::{Read as _, Write};
use std::path::Path;
use std::time::Instant;

use sha2::Digest as _;

use super::Bench;
use crate::Result;
use crate::process::{run as execute, say};

/// Name, what it says on the page, and how many bytes are enough to measure it.
pub(super) const LIMITS: [(&str, &str, u64); 7] = [
    ("walk", "files listed, with size and times (thousands per second)", u64::MAX),
    ("read", "files read from the page cache", u64::MAX),
    ("sha256", "SHA-256", 200_000_000),
    ("md5", "MD5", 200_000_000),
    ("zstd-3", "zstd -3, long distances, window 27", 320_000_000),
    ("zstd-4", "zstd -4, long distances, window 27", 320_000_000),
    ("xz-6", "xz -6", 48_000_000),
];

/// Measures all of them over the tree of real files.
pub(super) fn measure(bench: &mut Bench) -> Result<()> {
    let tree = bench.inputs()?.mixed()?.ours;
    let program = std::env::current_exe()?;
    for (name, _, _) in LIMITS {
        say("Measuring", &format!("the machine: {name}"));
        let mut best: f64 = 0.0;
        for _ in 0..if bench.quick { 1 } else { 3 } {
            let text = execute(std::process::Command::new(&program).args(["bench", "limit", name]).arg(&tree))?;
            best = best.max(text.trim().parse()?);
        }
        bench.results.limits.insert(name.to_owned(), best);
    }
    Ok(())
}

/// Prints MB (for `walk`: thousands of files) per second.
#[expect(clippy::print_stdout, reason = "the result of a process of its own")]
pub(super) fn run(name: &str, directory: &Path) -> Result<()> {
    let enough = LIMITS.iter().find(|limit| limit.0 == name).map_or(u64::MAX, |limit| limit.2);
    if name == "walk" {
        let begin = Instant::now();
        let files = files(directory)?.len();
        println!("{}", files as f64 / 1e3 / begin.elapsed().as_secs_f64());
        return Ok(());
    }
    let files = files(directory)?;
    let mut data = Vec::new();
    let mut read = 0.0;
    let mut bytes = 0;
    for file in files {
        let begin = Instant::now();
        let start = data.len();
        fs_err::File::open(file)?.read_to_end(&mut data)?;
        read += begin.elapsed().as_secs_f64();
        bytes += (data.len() - start) as u64;
        if bytes > enough {
            break;
        }
        if name == "read" {
            data.clear();
        }
    }
    let begin = Instant::now();
    match name {
        "read" => {}
        "sha256" => drop(sha2::Sha256::digest(&data)),
        "md5" => drop(md5::Md5::digest(&data)),
        "zstd-3" => zstd(&data, 3)?,
        "zstd-4" => zstd(&data, 4)?,
        "xz-6" => {
            let mut encoder = liblzma::write::XzEncoder::new(std::io::sink(), 6);
            encoder.write_all(&data)?;
            encoder.finish()?;
        }
        _ => return Err(format!("no limit `{name}`").into()),
    }
    let seconds = if name == "read" { read } else { begin.elapsed().as_secs_f64() };
    println!("{}", bytes as f64 / 1e6 / seconds);
    Ok(())
}

fn zstd(data: &[u8], level: i32) -> Result<()> {
    let mut encoder = zstd::stream::write::Encoder::new(std::io::sink(), level)?;
    encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(27))?;
    encoder.set_parameter(zstd::zstd_safe::CParameter::EnableLongDistanceMatching(true))?;
    encoder.write_all(data)?;
    encoder.finish()?;
    Ok(())
}

/// All regular files below, sorted, each looked at.
fn files(directory: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in fs_err::read_dir(&directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                directories.push(entry.path());
            } else if metadata.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
