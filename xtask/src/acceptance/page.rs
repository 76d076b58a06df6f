//! The repository's site: in Chromium at the widths of a telephone and of a desk, light and dark, with and without JavaScript,
//! and as HTML; and that a site written step by step is the site that is written at once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::Bench;
use super::machine::script;
use crate::Result;
use crate::process::{output, run, say, text};

/// More names than one list takes.
const MANY: usize = 700;

/// A repository that is being served; it ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Makes a repository of the sample's packages and of many small ones, and looks at its site.
pub(super) fn judge(bench: &Bench) -> Result<()> {
    let directory = bench.directory.join("page");
    if directory.exists() {
        fs_err::remove_dir_all(&directory)?;
    }
    fs_err::create_dir_all(&directory)?;
    let (repository, key, small) = (directory.join("repository"), directory.join("acme.key"), directory.join("small"));
    say("Writing", "a site, step by step");
    let packhouse = || Command::new(&bench.packhouse);
    run(packhouse().args(["key", "generate", "--user-id", "Acme Cloud <cloud@acme.example>"]).arg(&key))?;
    let names = ["--origin", "acme", "--label", "Acme Cloud", "--description", "What runs in the clouds of Acme"];
    let url = ["--url", "https://packages.acme.example"];
    run(packhouse().args(["repo", "init"]).args(names).args(url).arg("--key").arg(&key).arg(&repository))?;
    run(Command::new("/usr/bin/python3").arg(script("small-packages.py")).arg(MANY.to_string()).arg(&small))?;
    let mut debs: Vec<_> = fs_err::read_dir(&small)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    debs.sort();
    let publish = |suite: &str| {
        let mut command = packhouse();
        command.args(["publish", "--suite", suite, "--key"]).arg(&key).arg("--repo").arg(&repository);
        command
    };
    for part in debs.chunks(233) {
        run(publish("many").args(part))?;
    }
    run(publish("{target}").arg(bench.artefacts.join("packhouse-artefacts.json")))?;
    let first = site(&repository)?;
    run(packhouse().args(["repo", "page"]).arg(&repository))?;
    let whole = site(&repository)?;
    let differing: Vec<&String> =
        first.keys().chain(whole.keys()).filter(|file| first.get(*file) != whole.get(*file)).collect();
    if !differing.is_empty() || whole.len() < MANY {
        return Err(format!("written at once, the site has other files ({} in all): {differing:?}", whole.len()).into());
    }

    say("Looking", "at the site in Chromium");
    let arguments = ["--format", "json", "repo", "serve", "--address", "127.0.0.1:0"];
    let mut server = Server(packhouse().args(arguments).arg(&repository).stdout(Stdio::piped()).spawn()?);
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let said: serde_json::Value = serde_json::from_str(&line)?;
    let url = said.get("url").and_then(serde_json::Value::as_str);
    let url = url.ok_or_else(|| format!("`repo serve` says no address: {line}"))?;
    let looked = output(
        Command::new("/usr/bin/python3")
            .arg(script("page.py"))
            .arg(url)
            .arg(&repository)
            .arg(directory.join("screenshots")),
    )?;
    let said = text(&looked);
    if looked.status.success() && said.contains("PASSED") { Ok(()) } else { Err(said.into()) }
}

/// The files of the site, with their digests.
fn site(repository: &Path) -> Result<BTreeMap<String, String>> {
    let listed = run(Command::new("find").current_dir(repository).args([
        "index.html",
        "packages.html",
        "packages",
        "lists",
        "search",
        "assets",
        "-type",
        "f",
    ]))?;
    let digest = |file: &str| Ok((file.to_owned(), hex::encode(Sha256::digest(fs_err::read(repository.join(file))?))));
    listed.lines().map(digest).collect()
}
