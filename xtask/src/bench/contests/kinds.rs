//! Trees of other kinds: what holds for one must not be a trait of it.

use super::tree::{DEB_OPTIONS, dpkg_deb, pack};
use crate::Result;
use crate::bench::{Bench, peers};

pub(super) const VENV: &str = "packhouse, .deb, environment";
pub(super) const VENV_XZ: &str = "dpkg-deb -Zxz, environment";
pub(super) const VENV_ZSTD: &str = "dpkg-deb -Zzstd, environment";
pub(super) const VENV_SMALL: &str = "packhouse, .deb small, environment";
pub(super) const RUST: &str = "packhouse, .deb, Rust";
pub(super) const RUST_XZ: &str = "dpkg-deb -Zxz, Rust";
pub(super) const RUST_ZSTD: &str = "dpkg-deb -Zzstd, Rust";
pub(super) const RUST_SMALL: &str = "packhouse, .deb small, Rust";

const SMALL_OPTIONS: &[&str] = &["--target", "debian-12", "--effort", "small"];

/// Packs an environment with large wheels, and Rust's toolchain.
pub(in crate::bench) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("kinds")?;
    let dpkg = peers::program(bench, "dpkg-deb").ok();
    let inputs = bench.inputs()?;
    for (name, tree, [ours, small, xz, zstd]) in [
        ("venv", inputs.environment(), [VENV, VENV_SMALL, VENV_XZ, VENV_ZSTD]),
        ("rust", inputs.rust(), [RUST, RUST_SMALL, RUST_XZ, RUST_ZSTD]),
    ] {
        let tree = match tree {
            Ok(tree) => tree,
            Err(error) => {
                bench.fail("kinds", ours, error.as_ref());
                continue;
            }
        };
        bench.note_input(name, &tree);
        tree.warm()?;
        let mut contestants = vec![pack(bench, ours, "kinds", &tree, DEB_OPTIONS).repeats(2)];
        contestants.push(pack(bench, small, "kinds", &tree, SMALL_OPTIONS).rounds(1));
        if let Some(dpkg) = &dpkg {
            contestants.push(dpkg_deb(bench, zstd, dpkg, "zstd", &tree).repeats(2));
            contestants.push(dpkg_deb(bench, xz, dpkg, "xz", &tree));
        }
        bench.compete("kinds", 2, contestants);
    }
    Ok(())
}
