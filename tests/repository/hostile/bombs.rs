//! Packages that are small and unpack to more than there is memory or patience for.

use std::io::Write as _;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use packhouse::repo::RepoError;

use super::debs::{ar, entry, file, good, gzip, tar};
use crate::support::Bench;

const MIB: usize = 1024 * 1024;

/// A line of `/proc/self/status`, in mebibytes.
fn mebibytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches([':', '\t', ' ', 'k', 'B']).parse::<u64>().unwrap() / 1024
}

/// Seconds of processor time that this process took so far.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// A gzip stream of `mebibytes` times the same mebibyte.
fn repeated_gzip(mebibytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; MIB]).unwrap();
    encoder.finish().unwrap().repeat(mebibytes)
}

/// A zstd frame of `blocks` blocks of 128 KiB, each four bytes long, that has no last one.
fn endless_zstd(blocks: usize) -> Vec<u8> {
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    // Not the last, run-length, 2^17 bytes; the byte.
    let block = (1_u32 << 1 | (1 << 17) << 3).to_le_bytes();
    for _ in 0..blocks {
        bytes.extend(&block[..3]);
        bytes.push(0);
    }
    bytes
}

fn xz(mebibytes: usize) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    for _ in 0..mebibytes {
        encoder.write_all(&vec![0; MIB]).unwrap();
    }
    encoder.finish().unwrap()
}

/// A tar archive whose one file is all that follows.
fn head(size: u64) -> Vec<u8> {
    entry(b"./usr/zeros", b'0', size, b"")
}

#[test]
fn bombs_are_refused_in_little_memory_and_time() {
    let version: (&str, &[u8]) = ("debian-binary", b"2.0\n");
    let control = tar(&[file(
        b"./control",
        b"Package: acme\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b>\nDescription: x\n",
    )]);
    let with_data = |name: &str, data: &[u8]| ar(&[version, ("control.tar", &control), (name, data)]);
    let with_control = |name: &str, control: &[u8]| ar(&[version, (name, control), ("data.tar", &tar(&[]))]);
    let large = head(1 << 40);
    let zstd_head = zstd::bulk::compress(&large, 1).unwrap();
    let many = gzip(&entry(b"./", b'5', 0, b"").repeat(1000)).repeat(200);
    let cases = [
        (
            "gzip in data",
            with_data("data.tar.gz", &[gzip(&large), repeated_gzip(1100)].concat()),
            "unpacks to more than",
        ),
        ("zstd in data", with_data("data.tar.zst", &endless_zstd(9000)), "unpacks to more than"),
        ("zstd in control", with_control("control.tar.zst", &endless_zstd(9000)), "unpacks to more than"),
        ("zstd that does not end", with_control("control.tar.zst", &endless_zstd(8)), "cannot be read"),
        (
            "zstd with more behind it",
            with_control("control.tar.zst", &[zstd_head, endless_zstd(9000)].concat()),
            "dpkg does not know",
        ),
        ("gzip in control", with_control("control.tar.gz", &repeated_gzip(70)), "unpacks to more than"),
        ("xz in control", with_control("control.tar.xz", &xz(70)), "unpacks to more than"),
        (
            "empty gzip members",
            with_data("data.tar.gz", &[gzip(&large), gzip(b"").repeat(1_000_000)].concat()),
            "cannot be read",
        ),
        (
            "a window of a gigabyte",
            with_control("control.tar.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0, 0, 0, 0]),
            "cannot be read",
        ),
        (
            "many files",
            with_data("data.tar.gz", &gzip(&entry(b"./usr/file", b'0', 0, b"").repeat(1000)).repeat(501)),
            "more entries",
        ),
        ("many entries", with_control("control.tar.gz", &many), "unpacks to more than"),
    ];
    let mut bench = Bench::new();
    let path = |bench: &Bench, number: usize| bench.path(&format!("bomb-{number}.deb"));
    let cases: Vec<(&str, &str)> = cases
        .into_iter()
        .enumerate()
        .map(|(number, (what, bytes, reason))| {
            std::fs::write(path(&bench, number), bytes).unwrap();
            (what, reason)
        })
        .collect();
    let mut wrong = Vec::new();
    for (number, (what, reason)) in cases.into_iter().enumerate() {
        // The most memory is counted from here on (proc_pid_clear_refs(5)).
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let (began, clock) = (processor(), Instant::now());
        let path = path(&bench, number);
        match bench.publish("bookworm", &[&path]) {
            Err(RepoError::BadPackage { reason: said, .. }) if said.contains(reason) => {}
            other => wrong.push(format!("{what}: {other:?}")),
        }
        let (memory, took) = (mebibytes("VmHWM"), processor() - began);
        println!("{what}: {took:.1} s of processor time, {:.1} s, {memory} MiB", clock.elapsed().as_secs_f64());
        if took > 10.0 || memory > 300 {
            wrong.push(format!("{what}: {took} s, {memory} MiB"));
        }
    }
    let path = bench.path("good.deb");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    std::fs::write(&path, good()).unwrap();
    bench.publish("bookworm", &[&path]).expect("after all that a good one is taken");
    // What is large but real is taken, however well it packs.
    std::fs::write(&path, with_data("data.tar.gz", &gzip(&tar(&[file(b"./usr/zeros", &vec![0; 256 * MIB])])))).unwrap();
    bench.publish("bookworm", &[&path]).expect("a large package is no bomb");
}
