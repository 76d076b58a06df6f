//! Building what is built: one service, and fifty.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::bench::{Bench, Contestant, projects, remove};
use crate::monorepo;
use crate::process::run as execute;

pub(super) const ONE: &str = "packhouse build, 1 service";
pub(super) const FIFTY: &str = "packhouse build, 50 services";

/// No-op builds of both.
pub(in crate::bench) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("services")?;
    let mut contestants = Vec::new();
    for (name, services) in [(ONE, 1), (FIFTY, 50)] {
        let repository = built(bench, services)?;
        contestants.push(build(bench, name, &repository));
    }
    bench.compete("services", 10, contestants);
    Ok(())
}

/// A repository of so many services, built once with a cache of its own.
pub(in crate::bench) fn built(bench: &Bench, services: usize) -> Result<PathBuf> {
    let repository = bench.work(&format!("services-{services}"));
    remove(&repository)?;
    monorepo::write(&repository, services)?;
    projects::commit(&repository)?;
    for _ in 0..2 {
        execute(&mut (build(bench, "", &repository).command)())?;
    }
    // What has just been written is not believed to be settled.
    std::thread::sleep(std::time::Duration::from_secs(1));
    execute(&mut (build(bench, "", &repository).command)())?;
    Ok(repository)
}

/// `packhouse build` of all that is there, with the repository's cache.
pub(in crate::bench) fn build(bench: &Bench, name: impl Into<String>, repository: &Path) -> Contestant {
    let (program, repository) = (bench.packhouse.clone(), repository.to_path_buf());
    let cache = repository.with_extension("cache");
    Contestant::new(name, move || {
        let mut command = std::process::Command::new(&program);
        command.env("PACKHOUSE_CACHE_DIR", &cache).arg("-C").arg(&repository).arg("build");
        command
    })
}
