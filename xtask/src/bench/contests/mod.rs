//! Who is held against whom, and what the bar is: one table, in the page's order. The files beside it make the runs.

pub(super) mod kinds;
pub(super) mod memory;
pub(super) mod python;
pub(super) mod rust;
pub(super) mod services;
pub(super) mod tree;

use std::fmt;

use super::results::{Sample, Spread, ratios};

/// One piece of work that both do.
pub(super) struct Contest {
    /// The part whose runs these are.
    pub(super) section: &'static str,
    pub(super) title: &'static str,
    pub(super) ours: &'static str,
    /// Several are run one after the other.
    pub(super) theirs: &'static [&'static str],
    pub(super) bars: &'static [Bar],
    /// What the machine must at least do for it.
    pub(super) floor: Option<Floor>,
    /// What of it cannot be left out, measured alone.
    pub(super) parts: &'static [&'static str],
}

impl Contest {
    const fn of_which(self, parts: &'static [&'static str]) -> Self {
        Self { parts, ..self }
    }
}

/// The least that a piece of work takes: what each byte of the input goes through, on all cores.
pub(super) struct Floor {
    pub(super) input: &'static str,
    pub(super) limits: &'static [&'static str],
}

/// What must hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bar {
    /// Our wall time, of theirs.
    Wall(f64),
    /// How many times as fast.
    Times(f64),
    /// Our size, of theirs.
    Size(f64),
    /// Our peak memory, of theirs.
    Peak(f64),
    /// Our wall time in seconds.
    Seconds(f64),
    /// Our peak memory in MiB.
    Mebibytes(f64),
}

impl fmt::Display for Bar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wall(most) => write!(formatter, "wall time ≤ {most} of theirs"),
            Self::Times(least) => write!(formatter, "≥ {least} times as fast"),
            Self::Size(most) => write!(formatter, "size ≤ {most} of theirs"),
            Self::Peak(most) => write!(formatter, "peak memory ≤ {most} of theirs"),
            Self::Seconds(most) => write!(formatter, "≤ {most} s"),
            Self::Mebibytes(most) => write!(formatter, "peak memory ≤ {most} MiB"),
        }
    }
}

impl Bar {
    /// What was measured, and whether the middle of it meets the bar; memory must meet it at its greatest. `None` when
    /// there is nothing to tell.
    pub(super) fn judge(self, ours: &[Sample], theirs: &[Sample]) -> Option<(Spread, bool)> {
        let spread = match self {
            Self::Wall(_) => ratios(ours, theirs, |run| run.wall),
            Self::Times(_) => ratios(theirs, ours, |run| run.wall),
            Self::Size(_) => ratios(ours, theirs, |run| run.size as f64),
            Self::Peak(_) => ratios(ours, theirs, |run| run.peak),
            Self::Seconds(_) => Spread::of(ours.iter().map(|run| run.wall)),
            Self::Mebibytes(_) => Spread::of(ours.iter().map(|run| run.peak)),
        }?;
        let met = match self {
            Self::Wall(most) | Self::Size(most) | Self::Peak(most) | Self::Seconds(most) => spread.middle <= most,
            Self::Times(least) => spread.middle >= least,
            Self::Mebibytes(most) => spread.greatest <= most,
        };
        Some((spread, met))
    }
}

const DPKG_XZ: &str = "dpkg-deb -Zxz";
const DPKG_ZSTD: &str = "dpkg-deb -Zzstd";
const RPMBUILD_XZ: &str = "rpmbuild, xz -6 threaded";
const RPMBUILD_ZSTD: &str = "rpmbuild, zstd -3";

const fn tree(
    title: &'static str,
    ours: &'static str,
    theirs: &'static [&'static str],
    bars: &'static [Bar],
    limits: &'static [&'static str],
) -> Contest {
    Contest { section: "tree", title, ours, theirs, bars, floor: Some(Floor { input: "mixed", limits }), parts: &[] }
}

const fn other(
    section: &'static str,
    title: &'static str,
    ours: &'static str,
    theirs: &'static [&'static str],
    bars: &'static [Bar],
) -> Contest {
    Contest { section, title, ours, theirs, bars, floor: None, parts: &[] }
}

const ZSTD: &[&str] = &["read", "md5", "sha256", "zstd-4"];
const XZ: &[&str] = &["read", "md5", "sha256", "xz-6"];

/// All of them.
pub(super) const CONTESTS: &[Contest] = &[
    tree(
        "300 MB tree to a .deb at the default of debian-12, cold",
        tree::DEB,
        &[DPKG_XZ],
        &[Bar::Wall(0.08), Bar::Size(1.05)],
        ZSTD,
    ),
    tree("The same against dpkg-deb's zstd", tree::DEB, &[DPKG_ZSTD], &[Bar::Wall(2.5), Bar::Size(0.85)], ZSTD),
    tree(
        "300 MB tree to a .deb with xz, cold",
        tree::DEB_XZ,
        &[DPKG_XZ],
        &[Bar::Wall(0.67), Bar::Size(1.03), Bar::Peak(1.0)],
        XZ,
    ),
    tree("300 MB tree to a .deb and an .rpm at their defaults, cold", tree::BOTH, &[DPKG_XZ], &[Bar::Wall(0.12)], ZSTD),
    tree(
        "300 MB tree to an .rpm, both with zstd -3, cold",
        tree::RPM_FAST,
        &[RPMBUILD_ZSTD],
        &[Bar::Wall(0.4)],
        &["read", "sha256", "zstd-3"],
    ),
    tree(
        "300 MB tree to an .rpm, both with xz -6, cold",
        tree::RPM_XZ,
        &[RPMBUILD_XZ],
        &[Bar::Wall(0.67)],
        &["read", "sha256", "xz-6"],
    ),
    tree(
        "One small file changed, .deb with xz, warm",
        tree::DEB_XZ_CHANGED,
        &[DPKG_XZ],
        &[Bar::Times(30.0)],
        &["walk"],
    ),
    tree(
        "One small file changed, .deb and .rpm at their defaults, warm",
        tree::BOTH_CHANGED,
        &[DPKG_XZ, RPMBUILD_XZ],
        &[Bar::Times(30.0)],
        &["walk"],
    ),
    tree("Nothing changed, .deb and .rpm", tree::UNCHANGED, &[DPKG_XZ, RPMBUILD_XZ], &[Bar::Times(200.0)], &["walk"]),
    tree("300 MB tree to a .deb against fpm", tree::DEB, &["fpm -t deb"], &[], ZSTD),
    other("kinds", "A virtual environment with large wheels to a .deb, cold", kinds::VENV, &[kinds::VENV_XZ], &[]),
    other("kinds", "The same against dpkg-deb's zstd", kinds::VENV, &[kinds::VENV_ZSTD], &[]),
    other(
        "kinds",
        "The same for a release (`--effort small`) against dpkg-deb's xz",
        kinds::VENV_SMALL,
        &[kinds::VENV_XZ],
        &[],
    ),
    other("kinds", "Programs and libraries written in Rust to a .deb, cold", kinds::RUST, &[kinds::RUST_XZ], &[]),
    other("kinds", "The same against dpkg-deb's zstd", kinds::RUST, &[kinds::RUST_ZSTD], &[]),
    other(
        "kinds",
        "The same for a release (`--effort small`) against dpkg-deb's xz",
        kinds::RUST_SMALL,
        &[kinds::RUST_XZ],
        &[],
    ),
    other(
        "rust",
        "ripgrep's crate to a .deb, its program being built",
        rust::DEB,
        &["cargo-deb"],
        &[Bar::Times(4.0), Bar::Size(1.05)],
    )
    .of_which(&[rust::XZ]),
    other(
        "rust",
        "ripgrep's crate to an .rpm, its program being built",
        rust::RPM,
        &["cargo-generate-rpm"],
        &[Bar::Times(4.0), Bar::Size(1.05)],
    )
    .of_which(&[rust::XZ]),
    other(
        "python",
        "A Python service with six dependencies to a .deb, vendored, with an empty cache",
        python::COLD,
        &[python::THEIRS],
        &[Bar::Times(20.0), Bar::Mebibytes(300.0)],
    )
    .of_which(&[python::BYTE_CODE, python::BACK_END]),
    other(
        "python",
        "The same when only its own code has changed, in a commit",
        python::CHANGED,
        &[python::THEIRS],
        &[Bar::Times(100.0)],
    )
    .of_which(&[python::BACK_END, python::IMPORT]),
    other(
        "vendor",
        "Vendoring those dependencies with an empty cache",
        python::VENDOR,
        &[python::PIP],
        &[Bar::Times(3.0)],
    ),
    other(
        "memory",
        "2 GB tree to a .deb and an .rpm at their defaults",
        memory::DEFAULT,
        &[],
        &[Bar::Mebibytes(300.0)],
    ),
    other("memory", "2 GB tree to a .deb and an .rpm, fast", memory::FAST, &[], &[Bar::Mebibytes(200.0)]),
    other("services", "`build` of 50 services when nothing has changed", services::FIFTY, &[], &[Bar::Seconds(0.15)]),
    other("services", "`build` of one service when nothing has changed", services::ONE, &[], &[Bar::Seconds(0.02)]),
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_bar_of_memory_is_held_against_the_greatest_and_one_of_time_against_the_middle() {
        let run = |wall, peak| Sample { wall, peak, ..Sample::default() };
        let ours = [run(1.0, 100.0), run(2.0, 100.0), run(9.0, 301.0)];
        assert!(!Bar::Mebibytes(300.0).judge(&ours, &[]).unwrap().1);
        assert!(Bar::Seconds(2.0).judge(&ours, &[]).unwrap().1);
        let theirs = [run(60.0, 1.0); 3];
        assert!(Bar::Times(30.0).judge(&ours, &theirs).unwrap().1);
        assert!(!Bar::Times(31.0).judge(&ours, &theirs).unwrap().1);
        assert!(Bar::Wall(0.034).judge(&ours, &theirs).unwrap().1);
        assert!(Bar::Size(1.0).judge(&ours, &theirs).is_none(), "nobody made a file");
    }
}
