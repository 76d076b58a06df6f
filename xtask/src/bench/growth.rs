//! How time and memory grow: 10, 100 and 1,000 MB; 1, 10 and 50 services.

use super::contests::{services, tree};
use super::{Bench, peers, projects, remove};
use crate::Result;

/// MB of the trees.
pub(super) const SIZES: [u64; 3] = [10, 100, 1000];
/// How many services.
pub(super) const SERVICES: [usize; 3] = [1, 10, 50];

pub(super) const DEB: &str = ".deb, cold";
pub(super) const BOTH: &str = ".deb and .rpm, cold";
pub(super) const CHANGED: &str = ".deb and .rpm, one file changed";
pub(super) const UNCHANGED: &str = ".deb and .rpm, nothing changed";
pub(super) const DPKG: &str = "dpkg-deb -Zzstd";
pub(super) const NO_OP: &str = "nothing changed";
pub(super) const ONE_CHANGED: &str = "one service changed";

/// The name of a contestant at one size.
pub(super) fn at(name: &str, size: impl std::fmt::Display) -> String {
    format!("{name}, {size}")
}

/// Runs both.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("growth")?;
    let dpkg = peers::program(bench, "dpkg-deb").ok();
    for size in SIZES {
        let tree = bench.inputs()?.grown(size, false)?;
        bench.note_input(&format!("{size} MB"), &tree);
        tree.warm()?;
        let small = tree.small_text()?;
        tree::restore(&tree, &small)?;
        let mut contestants = vec![
            tree::pack(bench, at(DEB, size), "growth-deb", &tree, tree::DEB_OPTIONS),
            tree::pack(bench, at(BOTH, size), "growth", &tree, tree::BOTH_OPTIONS),
            tree::changed(bench, at(CHANGED, size), "growth", &tree, &small, tree::BOTH_OPTIONS).repeats(2),
            tree::unchanged(bench, at(UNCHANGED, size), "growth", &tree, tree::BOTH_OPTIONS).repeats(3),
        ];
        if let Some(dpkg) = &dpkg {
            contestants.push(tree::dpkg_deb(bench, at(DPKG, size), dpkg, "zstd", &tree));
        }
        bench.compete("growth", if size < 1000 { 3 } else { 1 }, contestants);
        tree::restore(&tree, &small)?;
        for name in ["growth", "growth-out", "growth-deb", "growth-deb-out"] {
            remove(&bench.work(name))?;
        }
    }
    for count in SERVICES {
        let monorepo = services::built(bench, count)?;
        let unchanged = services::build(bench, at(NO_OP, count), &monorepo).repeats(3);
        let changed = services::build(bench, at(ONE_CHANGED, count), &monorepo);
        let mut run = 0;
        let changed = changed.prepared(move || {
            run += 1;
            monorepo.change(0, &format!("changed {run} times, by process {}", std::process::id()))?;
            projects::commit(&monorepo.root)
        });
        bench.compete("growth", 3, vec![unchanged, changed]);
    }
    Ok(())
}
