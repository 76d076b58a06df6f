//! From sources to a signed repository, and the promises about the way: offline, the same bytes everywhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::Bench;
use crate::Result;
use crate::process::{output, root, run, say, shell, text};

const TARGETS: &str = "debian-12,debian-13,el9";

impl Bench {
    /// packhouse in the sample, with the suite's own cache.
    fn packhouse(&self, cache: &str) -> Command {
        let mut command = Command::new(&self.packhouse);
        command.env("PACKHOUSE_CACHE_DIR", self.directory.join(cache)).arg("-C").arg(&self.sample);
        command
    }
}

/// Vendors, builds without network, publishes.
pub(super) fn make(bench: &Bench) -> Result<()> {
    say("Making", "the sample");
    for stale in ["acme-cloud", "acme-cloud.acme-common", "artefacts", "repository", "elsewhere"] {
        remove(&bench.directory.join(stale))?;
    }
    run(Command::new(root().join("scripts/make-sample")).arg(&bench.sample))?;
    say("Vendoring", "with the network");
    run(bench.packhouse("cache").arg("vendor"))?;
    let again = run(bench.packhouse("cache").args(["--offline", "--locked", "vendor"]))?;
    if again.contains("vendored") {
        return Err(format!("a second `vendor` found something to do:\n{again}").into());
    }
    say("Building", "in a network namespace without network");
    run(Command::new("unshare")
        .arg("-n")
        .arg(&bench.packhouse)
        .env("PACKHOUSE_CACHE_DIR", bench.directory.join("cache"))
        .arg("-C")
        .arg(&bench.sample)
        .args(["build", "--target", TARGETS, "--out"])
        .arg(&bench.artefacts))?;
    say("Publishing", "apt and yum repositories");
    let key = bench.directory.join("acme.key");
    if !key.exists() {
        run(bench
            .packhouse("cache")
            .args(["key", "generate", "--user-id", "Acme Cloud <cloud@acme.example>"])
            .arg(&key))?;
    }
    run(bench
        .packhouse("cache")
        .args(["repo", "init", "--origin", "acme", "--label", "Acme Cloud", "--key"])
        .arg(&key)
        .arg(&bench.repository))?;
    run(bench
        .packhouse("cache")
        .args(["publish", "--suite", "{target}", "--key"])
        .arg(&key)
        .arg("--repo")
        .arg(&bench.repository)
        .arg(bench.artefacts.join("packhouse-artefacts.json")))?;
    Ok(())
}

/// A second build in another directory, umask, time zone and locale, with one thread and an empty cache: equal bytes.
pub(super) fn twice(bench: &Bench) -> Result<()> {
    say("Building", "again, elsewhere and otherwise");
    let elsewhere = bench.directory.join("elsewhere/a much longer name than before");
    fs_err::create_dir_all(&elsewhere)?;
    run(&mut shell(
        r#"cp -R "$1" "$2/acme" && cd "$2" && umask 077 && export TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8 &&
           PACKHOUSE_CACHE_DIR=$PWD/cache unshare -n "$3" -C acme --jobs 1 build --target "$4" --out "$PWD/artefacts""#,
        [bench.sample.as_os_str(), elsewhere.as_os_str(), bench.packhouse.as_os_str(), TARGETS.as_ref()],
    ))?;
    let first = digests(&bench.artefacts)?;
    let second = digests(&elsewhere.join("artefacts"))?;
    if first.len() < 15 {
        return Err(format!("only {} artefacts: {:?}", first.len(), first.keys()).into());
    }
    if first != second {
        let differing: Vec<_> = first.iter().filter(|(name, digest)| second.get(*name) != Some(digest)).collect();
        return Err(format!("the second build differs: {differing:?}").into());
    }
    Ok(())
}

/// What must fail, and what it must say.
pub(super) fn refusals(bench: &Bench) -> Result<()> {
    say("Breaking", "what a build needs");
    let vendor = bench.sample.join("services/acme-worker/vendor");
    let aside = bench.directory.join("aside");
    remove(&aside)?;
    fs_err::rename(&vendor, &aside)?;
    let result =
        output(bench.packhouse("cache").args(["build", "acme-worker", "--out"]).arg(bench.directory.join("none")));
    fs_err::rename(&aside, &vendor)?;
    expect(&result?, 1, "packhouse vendor acme-worker")?;

    let requirements = bench.sample.join("services/acme-api/requirements.txt");
    let before = fs_err::read_to_string(&requirements)?;
    fs_err::write(&requirements, format!("{before}colorama\n"))?;
    let result = output(bench.packhouse("cache").args(["--locked", "lock", "acme-api"]));
    fs_err::write(&requirements, before)?;
    expect(&result?, 3, "packhouse lock acme-api")
}

fn expect(output: &std::process::Output, code: i32, says: &str) -> Result<()> {
    let text = text(output);
    if output.status.code() == Some(code) && text.contains(says) {
        return Ok(());
    }
    Err(format!("expected exit {code} and `{says}`, got {}:\n{text}", output.status).into())
}

fn digests(directory: &Path) -> Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let digest = Sha256::digest(fs_err::read(entry.path())?);
        digests.insert(entry.file_name().to_string_lossy().into_owned(), hex::encode(digest));
    }
    Ok(digests)
}

fn remove(path: &Path) -> Result<()> {
    match fs_err::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
