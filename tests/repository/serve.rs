//! `repo serve`, judged by the clients that repositories are for, by raw requests, and by nginx and Caddy beside it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Apt, Bench, Dnf, both, output, run, write};

const PROGRAM: &str = env!("CARGO_BIN_EXE_packhouse");

/// A running `repo serve`.
struct Server {
    child: Child,
    /// `127.0.0.1:12345`.
    address: String,
}

impl Server {
    fn new(root: &Path) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--format", "json", "repo", "serve", "--address", "127.0.0.1:0"])
            .arg(root)
            .stdout(Stdio::piped())
            .spawn()
            .expect("packhouse");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("an output")).read_line(&mut line).expect("a line");
        let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let url = said["url"].as_str().expect("an address");
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { child, address }
    }

    /// Sends SIGINT and waits; the exit status.
    fn interrupt(&mut self) -> Option<i32> {
        run(Command::new("kill").args(["-INT", &self.child.id().to_string()]));
        self.child.wait().expect("an end").code()
    }

    fn get(&self, path: &str, headers: &[&str]) -> Answer {
        request(&self.address, "GET", path, headers)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// One request as it is given: no client tidies the path up first.
fn request(address: &str, method: &str, path: &str, headers: &[&str]) -> Answer {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let extra: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let text = format!("{method} {path} HTTP/1.1\r\nHost: packages.acme.example\r\nConnection: close\r\n{extra}\r\n");
    stream.write_all(text.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// A repository with a package for each kind of client, and where these packages are.
fn published() -> (Bench, String, String) {
    let mut bench = Bench::new();
    let deb = bench.deb("acme-api", "1.0-1", "amd64");
    let rpm = bench.rpm("acme-ctl", "1.0", "one", "");
    bench.publish("stable", &[&deb]).expect("published");
    bench.publish("el9", &[&rpm]).expect("published");
    let found = |end: &str| {
        let root = bench.repository.root();
        let mut files = crate::support::walk(root).into_iter().filter(|path| path.to_string_lossy().ends_with(end));
        let file = files.next().expect("a package");
        format!("/{}", file.strip_prefix(root).expect("below").to_string_lossy())
    };
    let (deb, rpm) = (found(".deb"), found(".rpm"));
    (bench, deb, rpm)
}

#[test]
fn apt_and_dnf_install_from_a_repository_that_is_served() {
    let (bench, ..) = published();
    let server = Server::new(bench.repository.root());
    let key = bench.published("key.gpg");
    let base = format!("http://{}", server.address);
    let sources =
        format!("Types: deb\nURIs: {base}/apt\nSuites: stable\nComponents: main\nSigned-By: {}\n", key.display());
    let apt = Apt::new(&bench, "client", &sources);
    assert_eq!(apt.update().expect("an update"), ["acme-api"]);
    apt.download("acme-api").expect("a package");
    // Again: nothing has changed.
    assert_eq!(apt.update().expect("an update"), ["acme-api"]);
    let repo = format!(
        "[acme]\nname=acme\nbaseurl={base}/yum/el9\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey={base}/key.asc\n"
    );
    let dnf = Dnf::new(&bench, "dnf", &repo);
    let made = dnf.command(&["makecache"]);
    assert!(made.status.success(), "{}", both(&made));
    assert_eq!(dnf.packages(), ["acme-ctl-1.0-1.el9"]);
    let fetched = dnf.command(&["download", "--downloaddir", &bench.path("fetched").to_string_lossy(), "acme-ctl"]);
    let fetched =
        if fetched.status.success() { fetched } else { dnf.command(&["install", "--downloadonly", "acme-ctl"]) };
    assert!(fetched.status.success(), "{}", both(&fetched));
}

#[test]
fn nothing_outside_of_the_repository_and_nothing_hidden_is_served() {
    let (bench, ..) = published();
    write(&bench.path("secret"), "secret");
    write(&bench.published(".hidden"), "secret");
    std::os::unix::fs::symlink(bench.path("secret"), bench.published("apt/link")).expect("a link");
    std::os::unix::fs::symlink("../.packhouse", bench.published("apt/private")).expect("a link");
    let server = Server::new(bench.repository.root());
    for path in [
        "/../secret",
        "/apt/../../secret",
        "/%2e%2e/secret",
        "/apt/%2e%2e/%2e%2e/secret",
        "/..%2fsecret",
        "/apt/..%2f..%2fsecret",
        "//etc/passwd",
        "/apt/link",
        "/apt/private/lock",
        "/.packhouse/lock",
        "/%2epackhouse/lock",
        "/apt//../.packhouse/lock",
        "/.hidden",
        "/apt/%00",
        "/apt",
        "/apt/",
        "/packages",
        "/key.asc/",
        "/nothing",
    ] {
        let answer = server.get(path, &[]);
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.head);
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"), "{path}");
    }
    for bad in [
        "GET http://[::1 HTTP/1.1\r\n\r\n",
        "GET\r\n\r\n",
        "\r\n\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}",
    ] {
        let mut stream = TcpStream::connect(&server.address).expect("a connection");
        stream.write_all(bad.as_bytes()).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an end");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{bad:?}: {answer}");
    }
    assert_eq!(server.get("/key.asc", &[]).status, 200, "and it still answers");
}

#[test]
fn downloads_are_resumed_and_what_is_known_is_not_sent_again() {
    let (bench, deb, _) = published();
    let server = Server::new(bench.repository.root());
    let content = std::fs::read(bench.published(deb.trim_start_matches('/'))).expect("a package");
    let whole = server.get(&deb, &[]);
    assert_eq!((whole.status, whole.body == content), (200, true));
    assert_eq!(whole.header("content-type"), Some("application/vnd.debian.binary-package"));
    assert_eq!(whole.header("content-length"), Some(content.len().to_string().as_str()));
    assert_eq!(whole.header("content-encoding"), None);
    let (tag, date) = (whole.header("etag").expect("a tag"), whole.header("last-modified").expect("a date"));

    let part = server.get(&deb, &["Range: bytes=100-", &format!("If-Range: {date}")]);
    assert_eq!((part.status, part.body[..] == content[100..]), (206, true));
    let part = server.get(&deb, &["Range: bytes=5-9", &format!("If-Range: {tag}")]);
    assert_eq!((part.status, &part.body[..]), (206, &content[5..10]));
    assert_eq!(server.get(&deb, &["Range: bytes=5-9", "If-Range: \"x\""]).body, content);
    assert_eq!(server.get(&deb, &["Range: bytes=99999999-"]).status, 416);

    let head = request(&server.address, "HEAD", &deb, &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), whole.header("content-length"));
    for condition in [format!("If-None-Match: {tag}"), format!("If-Modified-Since: {date}")] {
        let known = server.get(&deb, &[&condition]);
        assert_eq!((known.status, known.body.len()), (304, 0), "{condition}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let refused = request(&server.address, method, &deb, &["Content-Length: 0"]);
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[test]
fn slow_clients_keep_nobody_waiting_and_requests_may_follow_each_other_unasked() {
    let (bench, deb, _) = published();
    let server = Server::new(bench.repository.root());
    let mut slow: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(&server.address).expect("a connection")).collect();
    slow.iter_mut().for_each(|stream| stream.write_all(b"GET /key").expect("sent"));
    let started = Instant::now();
    assert_eq!(server.get("/key.asc", &[]).status, 200);
    assert!(started.elapsed() < Duration::from_secs(5));

    // As apt does: ten requests before the first answer.
    let mut stream = TcpStream::connect(&server.address).expect("a connection");
    let one = format!("GET {deb} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream
        .write_all(format!("{}GET /key.asc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", one.repeat(9)).as_bytes())
        .expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("answers");
    let answers = bytes.windows(15).filter(|part| part == b"HTTP/1.1 200 OK").count();
    assert_eq!(answers, 10);
}

#[test]
fn an_interrupt_ends_it_well_and_a_busy_port_is_told() {
    let (bench, ..) = published();
    let mut server = Server::new(bench.repository.root());
    let idle = TcpStream::connect(&server.address).expect("a connection");
    let second = output(
        Command::new(PROGRAM).args(["repo", "serve", "--address", &server.address]).arg(bench.repository.root()),
    );
    assert_eq!(second.status.code(), Some(2));
    let said = both(&second);
    assert!(said.contains("cannot listen on") && said.contains("--address"), "{said}");
    assert_eq!(server.interrupt(), Some(0));
    drop(idle);
}

/// What both of them must say alike.
fn same_rules(server: &Server, other: &str, paths: &[&str]) {
    for path in paths {
        let (ours, theirs) = (server.get(path, &[]), request(other, "GET", path, &[]));
        assert_eq!(ours.status, theirs.status, "{path}\n{}", theirs.head);
        if ours.status == 200 {
            for header in
                ["cache-control", "content-length", "content-encoding", "accept-ranges", "x-content-type-options"]
            {
                assert_eq!(ours.header(header), theirs.header(header), "{header} of {path}");
            }
            let kind = |answer: &Answer| {
                answer.header("content-type").unwrap_or_default().split(';').next().map(str::to_owned)
            };
            assert_eq!(kind(&ours), kind(&theirs), "the type of {path}");
            assert!(ours.body == theirs.body, "{path}");
            let range = request(other, "GET", path, &["Range: bytes=1-2"]);
            assert_eq!((range.status, &range.body[..]), (206, &ours.body[1..3]), "{path}");
        } else {
            assert_ne!(theirs.header("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
        }
    }
    assert!(request(other, "PUT", "/key.asc", &["Content-Length: 0"]).status >= 400);
}

/// Paths of every kind in a repository.
fn paths(bench: &Bench, deb: &str, rpm: &str) -> Vec<String> {
    let root = bench.repository.root();
    let files = crate::support::walk(root);
    let relative = |part: &str| {
        let file = files.iter().find(|path| path.to_string_lossy().contains(part)).unwrap_or_else(|| panic!("{part}"));
        format!("/{}", file.strip_prefix(root).expect("below").to_string_lossy())
    };
    let mut paths: Vec<String> = [deb, rpm].map(str::to_owned).to_vec();
    paths.extend(
        [
            "/InRelease",
            "/Release.gpg",
            "by-hash/SHA256/",
            "Packages.gz",
            "repomd.xml",
            "primary.xml.gz",
            ".sources",
            ".repo",
        ]
        .map(relative),
    );
    paths.extend(
        ["/key.asc", "/key.gpg", "/.packhouse/lock", "/apt/pool/main/none.deb", "/apt/.hidden/x", "/nothing"]
            .map(str::to_owned),
    );
    paths
}

#[test]
fn nginx_takes_the_printed_configuration_and_keeps_the_same_rules() {
    let (bench, deb, rpm) = published();
    let server = Server::new(bench.repository.root());
    let printed = run(Command::new(PROGRAM).args(["repo", "serve", "--print", "nginx"]).arg(bench.repository.root()));
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address").to_string();
    drop(socket);
    let site = printed.replace("listen 80;", &format!("listen {address};")).replace("    listen [::]:80;\n", "");
    let work = bench.path("nginx");
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|one| format!("{one}_temp_path {};\n", work.join(one).display()));
    write(
        &work.join("nginx.conf"),
        &format!(
            "user root;\npid {0}/pid;\nerror_log {0}/errors;\ndaemon off;\nevents {{}}\nhttp {{\naccess_log off;\n{1}{site}}}\n",
            work.display(),
            temporary.concat()
        ),
    );
    let configuration = work.join("nginx.conf");
    run(Command::new("nginx").arg("-t").arg("-c").arg(&configuration));
    let mut nginx = Command::new("nginx").arg("-c").arg(&configuration).spawn().expect("nginx");
    wait_for(&address);
    let paths = paths(&bench, &deb, &rpm);
    let answers = std::panic::catch_unwind(|| {
        same_rules(&server, &address, &paths.iter().map(String::as_str).collect::<Vec<_>>());
    });
    run(Command::new("kill").args(["-QUIT", &nginx.id().to_string()]));
    nginx.wait().expect("an end");
    if let Err(panic) = answers {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn caddy_takes_the_printed_configuration_and_keeps_the_same_rules() {
    let (bench, deb, rpm) = published();
    let server = Server::new(bench.repository.root());
    let printed = run(Command::new(PROGRAM).args(["repo", "serve", "--print", "caddy"]).arg(bench.repository.root()));
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    drop(socket);
    // Another host's name would mean a certificate from the network.
    let site = printed.replace("packages.example.org {", &format!("http://:{} {{\n\tbind 127.0.0.1", address.port()));
    assert_ne!(site, printed);
    let work = bench.path("caddy");
    let file = work.join("Caddyfile");
    write(&file, &format!("{{\n\tadmin off\n}}\n{site}"));
    let caddy = |command: &str| {
        let mut caddy = Command::new("caddy");
        caddy.env("HOME", &work).env("XDG_DATA_HOME", &work).env("XDG_CONFIG_HOME", &work);
        caddy.arg(command).arg("--config").arg(&file).args(["--adapter", "caddyfile"]);
        caddy
    };
    run(&mut caddy("validate"));
    let mut child = caddy("run").stderr(Stdio::null()).spawn().expect("caddy");
    let address = address.to_string();
    wait_for(&address);
    let paths = paths(&bench, &deb, &rpm);
    let answers = std::panic::catch_unwind(|| {
        same_rules(&server, &address, &paths.iter().map(String::as_str).collect::<Vec<_>>());
    });
    let _ = child.kill();
    child.wait().expect("an end");
    if let Err(panic) = answers {
        std::panic::resume_unwind(panic);
    }
}

fn wait_for(address: &str) {
    for _ in 0..200 {
        if TcpStream::connect(address).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing listens at {address}");
}
