//! How time and memory grow: 10, 100 and 1,000 MB; 1, 10 and 50 services.

use std::io::Write as _;
use std::path::Path;

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
        let repository = services::built(bench, count)?;
        let contestants = vec![
            services::build(bench, at(NO_OP, count), &repository).repeats(3),
            services::build(bench, at(ONE_CHANGED, count), &repository).prepared(changing(&repository)),
        ];
        bench.compete("growth", 3, contestants);
    }
    Ok(())
}

/// Adds a line to the first service's own code, in a commit.
fn changing(repository: &Path) -> impl FnMut() -> Result<()> + 'static {
    let repository = repository.to_path_buf();
    let mut run = 0;
    move || {
        run += 1;
        let is_code =
            |path: &Path| path.ends_with("__init__.py") && !path.components().any(|part| part.as_os_str() == "vendor");
        let files = super::inputs::files(&repository)?;
        let code = files.iter().find(|path| is_code(path)).ok_or("no service has code of its own")?;
        let mut file = fs_err::OpenOptions::new().append(true).open(code)?;
        writeln!(file, "# changed {run} times, by process {}", std::process::id())?;
        projects::commit(&repository)
    }
}
