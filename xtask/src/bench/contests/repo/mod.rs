//! Repositories of 10,000 and 100,000 packages: the first index, one package more, a promotion; against those who index
//! (apt-ftparchive, createrepo_c) and those who keep repositories (reprepro, aptly).
//!
//! The packages are synthetic and tiny, so that what is measured is the index and not the disk. Everybody signs apt's index
//! with the same key; who else waits for the disk is not asked. Repositories of the peers, which take minutes to fill, are made once.

mod ours;
mod peers;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Result;
use crate::bench::results::Input;
use crate::bench::{Bench, remove, size_of};
use crate::process::{run as execute, say};
use crate::synthetic::{self, Format, Template};

pub(super) const APT: [&str; 2] = ["packhouse, apt, 10,000", "packhouse, apt, 100,000"];
pub(super) const YUM: [&str; 2] = ["packhouse, yum, 10,000", "packhouse, yum, 100,000"];
pub(super) const ADD: [&str; 2] =
    ["packhouse, one into 10,000, apt and yum", "packhouse, one into 100,000, apt and yum"];
pub(super) const PROMOTE: &str = "packhouse, promotion of 100,000";
pub(super) const FTPARCHIVE: [&str; 2] = ["apt-ftparchive, gzip, gpg, 10,000", "apt-ftparchive, gzip, gpg, 100,000"];
pub(super) const OLD: [&str; 2] = ["createrepo_c of Debian 12, 10,000", "createrepo_c of Debian 12, 100,000"];
pub(super) const NEW: &str = "createrepo_c 1.2, 100,000";
pub(super) const UPDATE: &str = "createrepo_c 1.2 --update, one into 100,000";
pub(super) const REPREPRO: [&str; 2] = ["reprepro, one into 10,000", "reprepro, one into 100,000"];
pub(super) const APTLY: &str = "aptly, one into 100,000";
pub(super) const PULL: &str = "reprepro pull of 100,000";

/// What the contests of one size share.
struct Field {
    /// 0: the smaller size, 1: the larger.
    size: usize,
    count: usize,
    /// Where all of it is.
    place: PathBuf,
    debs: PathBuf,
    rpms: PathBuf,
    key: PathBuf,
    /// gpg's directory, and the fingerprint of the same key in it.
    gnupg: PathBuf,
    fingerprint: String,
}

impl Field {
    fn new(bench: &Bench, size: usize) -> Result<Self> {
        let counts = if bench.quick { [1_000, 10_000] } else { [10_000, 100_000] };
        let count = counts.get(size).copied().unwrap_or_default();
        let place = bench.directory.join("repositories");
        fs_err::create_dir_all(&place)?;
        let debs = synthetic::directory(&place, Format::Deb, count)?;
        let rpms = synthetic::directory(&place, Format::Rpm, count)?;
        let key = place.join("key.asc");
        if !key.is_file() {
            let mut command = std::process::Command::new(&bench.packhouse);
            execute(command.args(["key", "generate", "--user-id", "Acme <packages@acme.example>"]).arg(&key))?;
        }
        let (gnupg, fingerprint) = peers::gnupg(&place, &key)?;
        Ok(Self { size, count, place, debs, rpms, key, gnupg, fingerprint })
    }

    /// One of our or their directories.
    fn directory(&self, name: &str) -> PathBuf {
        self.place.join(format!("{name}-{}", self.count))
    }

    /// One of two names.
    fn name(&self, names: [&'static str; 2]) -> &'static str {
        names.get(self.size).copied().unwrap_or_default()
    }
}

/// Runs both sizes.
pub(in crate::bench) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("repo")?;
    for size in [0, 1] {
        let field = Field::new(bench, size)?;
        note(bench, &field)?;
        let mut first = vec![ours::first(bench, &field, Format::Deb), ours::first(bench, &field, Format::Rpm)];
        first.extend(peers::first(bench, &field)?);
        remove(&ours::aside(&field))?;
        bench.compete("repo", 3, first);
        remove(&ours::aside(&field))?;
        say("Preparing", &format!("repositories of {} packages", field.count));
        ours::both(bench, &field)?;
        let mut one = vec![ours::add(bench, &field)?.repeats(4)];
        one.extend(peers::add(bench, &field)?);
        bench.compete("repo", 3, one);
        if size == 1 {
            let mut promotion = vec![ours::promote(bench, &field).repeats(2)];
            promotion.extend(peers::pull(bench, &field)?);
            bench.compete("repo", 2, promotion);
        }
    }
    Ok(())
}

/// Tells the page of the packages.
fn note(bench: &mut Bench, field: &Field) -> Result<()> {
    for (directory, format) in [(&field.debs, "debs of about 1 KB"), (&field.rpms, "rpms of about 6 KB")] {
        let files = field.count as u64;
        let parts = vec!["synthetic packages with eight files each, as `xtask` makes them".to_owned()];
        bench.results.inputs.insert(format!("{files} {format}"), Input { files, bytes: size_of(directory)?, parts });
    }
    Ok(())
}

/// New packages, another name for each run, written to the same files.
struct Newcomer {
    number: u64,
    deb: PathBuf,
    rpm: PathBuf,
    template: Template,
}

impl Newcomer {
    /// `name` keeps the newcomers of several contestants apart.
    fn new(place: &Path, name: &str) -> Result<Self> {
        let number = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let template = Template::make(&place.join("template"))?;
        Ok(Self {
            number,
            deb: place.join(format!("new-{name}.deb")),
            rpm: place.join(format!("new-{name}.rpm")),
            template,
        })
    }

    fn next(&mut self) -> Result<()> {
        self.number += 1;
        let name = format!("added-{:06}", self.number % 1_000_000);
        fs_err::write(&self.deb, synthetic::deb(&name, "1.0-1", "")?)?;
        fs_err::write(&self.rpm, self.template.rpm(&name, "1.0")?)?;
        Ok(())
    }
}
