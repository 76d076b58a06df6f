//! Everything that was measured, as it is kept between runs in `target/bench/results.json`: a run of some contests keeps
//! what is known of the others, and the page is made from all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::process::root;

/// One measured run of a whole process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sample {
    /// Seconds.
    pub(super) wall: f64,
    /// Seconds, user and system.
    pub(super) cpu: f64,
    /// MiB, of the largest process.
    pub(super) peak: f64,
    /// Bytes of what it made; 0 where nothing is made or sizes say nothing.
    pub(super) size: u64,
}

/// The runs of each contestant of one section, in the order of running.
pub(super) type Samples = BTreeMap<String, Vec<Sample>>;

/// What was packed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Input {
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// What it was made of, a line each.
    pub(super) parts: Vec<String>,
}

/// One section of the page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Section {
    pub(super) samples: Samples,
    /// Contestants that failed, with the reason.
    pub(super) failures: BTreeMap<String, String>,
    /// The machine that it was measured on.
    pub(super) machine: String,
    /// `--quick`: fewer runs.
    pub(super) quick: bool,
}

/// All that is known.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) sections: BTreeMap<String, Section>,
    pub(super) inputs: BTreeMap<String, Input>,
    /// Version of each peer, or why it is not there.
    pub(super) peers: BTreeMap<String, std::result::Result<String, String>>,
    /// What the machine can do: MB (10⁶ bytes) per second of one core.
    pub(super) limits: BTreeMap<String, f64>,
}

impl Results {
    /// Those of earlier runs; none when there are none that this version can read.
    pub(super) fn load() -> Self {
        fs_err::read(place()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    pub(super) fn store(&self) -> Result<()> {
        Ok(fs_err::write(place(), serde_json::to_vec_pretty(self)?)?)
    }

    /// The runs of a contestant; empty when it has not run.
    pub(super) fn samples(&self, section: &str, contestant: &str) -> &[Sample] {
        let samples = self.sections.get(section).and_then(|section| section.samples.get(contestant));
        samples.map(Vec::as_slice).unwrap_or_default()
    }
}

fn place() -> PathBuf {
    root().join("target/bench/results.json")
}

/// Least, middle and greatest of some figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) least: f64,
    pub(super) middle: f64,
    pub(super) greatest: f64,
}

impl Spread {
    /// `None` of no figures.
    pub(super) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let middle = match figures.len() {
            0 => return None,
            length if length % 2 == 1 => *figures.get(length / 2)?,
            length => (figures.get(length / 2 - 1)? + figures.get(length / 2)?) / 2.0,
        };
        Some(Self { least: *figures.first()?, middle, greatest: *figures.last()? })
    }
}

/// What several contestants take one after the other, run by run.
pub(super) fn sum(contestants: &[&[Sample]]) -> Vec<Sample> {
    let runs = contestants.iter().map(|samples| samples.len()).min().unwrap_or_default();
    let add = |run: usize| {
        contestants.iter().filter_map(|samples| samples.get(run)).fold(Sample::default(), |sum, one| Sample {
            wall: sum.wall + one.wall,
            cpu: sum.cpu + one.cpu,
            peak: sum.peak.max(one.peak),
            size: sum.size + one.size,
        })
    };
    (0..runs).map(add).collect()
}

/// `figure` of each of our runs divided by that of their run of the same round: who has fewer runs has them evenly spread
/// over the rounds.
pub(super) fn ratios(ours: &[Sample], theirs: &[Sample], figure: impl Fn(&Sample) -> f64) -> Option<Spread> {
    let runs = if ours.is_empty() || theirs.is_empty() { 0 } else { ours.len().max(theirs.len()) };
    let pair = |run: usize| {
        let (our, their) = (ours.get(run * ours.len() / runs)?, theirs.get(run * theirs.len() / runs)?);
        let theirs = figure(their);
        (theirs > 0.0).then(|| figure(our) / theirs)
    };
    Spread::of((0..runs).filter_map(pair))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn runs(walls: &[f64]) -> Vec<Sample> {
        walls.iter().map(|&wall| Sample { wall, ..Sample::default() }).collect()
    }

    #[test]
    fn the_middle_of_an_even_number_of_figures_is_between_two() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((spread.least, spread.middle, spread.greatest), (1.0, 2.5, 4.0));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn each_of_our_runs_is_divided_by_their_run_of_the_same_round() {
        // The machine is twice as slow in the second round: the ratio does not notice.
        let spread = ratios(&runs(&[1.0, 1.0, 2.0, 2.0]), &runs(&[10.0, 20.0]), |run| run.wall).unwrap();
        assert_eq!((spread.least, spread.middle, spread.greatest), (0.1, 0.1, 0.1));
    }

    #[test]
    fn work_done_one_after_the_other_takes_the_time_of_both_and_the_memory_of_the_larger() {
        let one = [Sample { wall: 1.0, cpu: 2.0, peak: 30.0, size: 4 }];
        let two = [Sample { wall: 5.0, cpu: 6.0, peak: 7.0, size: 8 }];
        assert_eq!(sum(&[&one, &two]), [Sample { wall: 6.0, cpu: 8.0, peak: 30.0, size: 12 }]);
    }
}
