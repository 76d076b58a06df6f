//! Memory does not grow with the tree, nor with a file.

use super::tree::{BOTH_OPTIONS, pack};
use crate::Result;
use crate::bench::{Bench, remove};

pub(super) const DEFAULT: &str = "packhouse, 2 GB";
pub(super) const FAST: &str = "packhouse, 2 GB, fast";
const FAST_OPTIONS: &[&str] = &["--target", "debian-12,el9", "--effort", "fast"];

/// Packs 2 GB, 300 MB of them in one file.
pub(in crate::bench) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("memory")?;
    let tree = bench.inputs()?.grown(2000, true)?;
    bench.note_input("large", &tree);
    let contestants =
        vec![pack(bench, DEFAULT, "large", &tree, BOTH_OPTIONS), pack(bench, FAST, "large", &tree, FAST_OPTIONS)];
    bench.compete("memory", 2, contestants);
    for name in ["large", "large-out"] {
        remove(&bench.work(name))?;
    }
    Ok(())
}
