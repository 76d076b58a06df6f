//! Clients that update over HTTP without a pause while a publisher commits as fast as it can: not one may fail.
//!
//! What cannot be helped is told apart and counted: dnf with `repo_gpgcheck` asks for `repomd.xml` and then for its signature,
//! and no server makes one answer of two. It says so and takes the next generation when it asks again.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Field, SUITE, readers};
use crate::Result;
use crate::acceptance::Bench;
use crate::process::{output, run, say, text};

/// So many commits of each kind.
const COMMITS: usize = 300;
/// With `--long`.
const LONG: usize = 1000;

/// What a client saw.
#[derive(Debug, Default)]
struct Seen {
    updates: usize,
    failed: Vec<String>,
    /// repomd.xml of one generation and its signature of the next: two files, which no server gives out together.
    torn: usize,
    /// The greatest number of packages, after the last update.
    packages: usize,
}

pub(super) fn judge(bench: &Bench) -> Result<()> {
    let field = Field::new(bench, "race")?;
    let template = field.template()?;
    let commits = if bench.long { LONG } else { COMMITS };
    run(&mut field.publish(&field.packages(&template, commits)?))?;
    let mut server = Server::start(&field)?;
    let url = server.url.clone();
    let apt = readers::apt_client(&field, "race-apt", &format!("{url}/apt"))?;
    let dnf = readers::dnf_client(&field, "race-dnf", &format!("{url}/yum/{SUITE}"))?;
    let done = AtomicBool::new(false);
    let (published, apt, dnf) = std::thread::scope(|scope| {
        let apt = scope.spawn(|| updates(&done, &apt.update, &apt.count));
        let dnf = scope.spawn(|| updates(&done, &dnf.update, &dnf.count));
        let published =
            (0..commits).try_for_each(|number| run(&mut field.publish(&field.packages(&template, number)?)).map(drop));
        done.store(true, Ordering::SeqCst);
        let failed = |_| Seen { failed: vec!["a thread panicked".to_owned()], ..Seen::default() };
        (
            published.map_err(|error| error.to_string()),
            apt.join().unwrap_or_else(failed),
            dnf.join().unwrap_or_else(failed),
        )
    });
    server.stop();
    published?;
    let mut bad = Vec::new();
    for (who, seen) in [("apt-get update", &apt), ("dnf makecache", &dnf)] {
        let (updates, failed, torn) = (seen.updates, seen.failed.len(), seen.torn);
        say(
            "Raced",
            &format!("{commits} commits against {updates} {who}: {failed} failed, {torn} came between two files"),
        );
        if let Some(first) = seen.failed.first() {
            bad.push(format!("{who}: {} of {} failed, the first with\n{first}", seen.failed.len(), seen.updates));
        }
        if seen.packages != commits + 1 || seen.updates < 10 {
            bad.push(format!("{who}: {} packages after {} updates", seen.packages, seen.updates));
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(bad.join("\n").into()) }
}

/// Updates until the publisher is done, and once more.
fn updates(done: &AtomicBool, update: &dyn Fn() -> Command, count: &dyn Fn() -> Result<usize>) -> Seen {
    let mut seen = Seen::default();
    loop {
        let last = done.load(Ordering::SeqCst);
        let fine = output(&mut update()).map_err(|error| error.to_string()).and_then(|ended| {
            let said = text(&ended);
            let complains =
                said.lines().any(|line| line.starts_with("W:") || line.starts_with("E:") || line.contains("rror"));
            if ended.status.success() && !complains { Ok(()) } else { Err(said) }
        });
        seen.updates += 1;
        match fine {
            Err(said) if said.contains("repomd.xml GPG signature verification error") => {
                seen.torn += 1;
                continue;
            }
            fine => seen.failed.extend(fine.err()),
        }
        // A client that fails without a word sees nothing, or less than before.
        match count() {
            Ok(packages) if packages >= seen.packages.max(1) => seen.packages = packages,
            Ok(packages) => seen.failed.push(format!("{packages} packages after {}", seen.packages)),
            Err(error) => seen.failed.push(error.to_string()),
        }
        if last {
            return seen;
        }
    }
}

/// Python's own file server on a free port.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(field: &Field<'_>) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("python3");
        command
            .args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"])
            .arg(&field.repository)
            .arg(port.to_string());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(Self { child, url: format!("http://127.0.0.1:{port}") });
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let _ = child.kill();
        Err("the server does not answer".into())
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
