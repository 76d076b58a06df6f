//! Building what is built: one service, and fifty.

use std::process::Command;

use crate::Result;
use crate::bench::{Bench, Contestant, remove};
use crate::monorepo::Monorepo;
use crate::process::run as execute;

pub(super) const ONE: &str = "packhouse build, 1 service";
pub(super) const FIFTY: &str = "packhouse build, 50 services";

/// No-op builds of both.
pub(in crate::bench) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("services")?;
    let mut contestants = Vec::new();
    for (name, services) in [(ONE, 1), (FIFTY, 50)] {
        let monorepo = built(bench, services)?;
        contestants.push(build(bench, name, &monorepo));
    }
    bench.compete("services", 10, contestants);
    Ok(())
}

/// A repository of so many services, built with a cache of its own.
pub(in crate::bench) fn built(bench: &Bench, services: usize) -> Result<Monorepo> {
    let directory = bench.work(&format!("services-{services}"));
    remove(&directory)?;
    let monorepo = Monorepo::write(&directory, services, 100)?;
    monorepo.vendor(&bench.packhouse, &directory.join("cache"))?;
    for _ in 0..3 {
        // What has been written this very moment may still change without a trace: it is not believed.
        std::thread::sleep(std::time::Duration::from_millis(500));
        execute(&mut (build(bench, "", &monorepo).command)())?;
    }
    Ok(monorepo)
}

/// `packhouse build` of all that is there, with the repository's cache.
pub(in crate::bench) fn build(bench: &Bench, name: impl Into<String>, monorepo: &Monorepo) -> Contestant {
    let (program, repository) = (bench.packhouse.clone(), monorepo.root.clone());
    let cache = repository.with_file_name("cache");
    Contestant::new(name, move || {
        let mut command = Command::new(&program);
        command.env("PACKHOUSE_CACHE_DIR", &cache).arg("-C").arg(&repository).arg("build");
        command
    })
}
