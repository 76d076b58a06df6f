//! What fetching promises, tried on a server with faults.

use std::sync::Mutex;
use std::time::Duration;

use url::Url;

use super::credentials::Credentials;
use super::server::{Reply, Request, Server};
use super::{Client, Download, Error, Fetched, download};
use crate::cache::Cache;
use crate::diagnostic::Diagnose as _;
use crate::digest::Sha256;
use crate::report::Silent;

fn client_with(credentials: Credentials) -> Client {
    let mut client = Client::new(credentials, false).unwrap();
    client.pause = Duration::from_millis(1);
    client
}

fn client() -> Client {
    client_with(Credentials::none())
}

/// A file large enough to come in several reads.
fn content() -> Vec<u8> {
    (0..300_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn wanted(url: Url, content: &[u8]) -> Download {
    Download { name: "a.whl".to_owned(), url, sha256: Some(Sha256::of(content)), size: Some(content.len() as u64) }
}

struct World {
    directory: tempfile::TempDir,
    cache: Cache,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path().join("cache"));
        Self { directory, cache }
    }

    fn fetch(&self, wanted: &Download) -> Result<Fetched, Error> {
        let mut fetched = download(&client(), std::slice::from_ref(wanted), &self.cache, &Silent)?;
        assert_eq!(fetched.len(), 1);
        Ok(fetched.remove(0))
    }

    fn part(&self, sha256: Sha256) -> std::path::PathBuf {
        let parts = self.cache.section("parts");
        fs_err::create_dir_all(&parts).unwrap();
        parts.join(format!("{sha256}.part"))
    }

    /// Nothing but complete files and, at most, parts.
    fn artefacts(&self) -> usize {
        let files = walkdir::WalkDir::new(self.cache.section("artefacts")).into_iter();
        files.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_type().is_file())).count()
    }

    fn parts(&self) -> usize {
        fs_err::read_dir(self.cache.section("parts")).map_or(0, Iterator::count)
    }
}

#[test]
fn a_file_comes_into_the_cache_under_its_digest_and_is_not_asked_for_again() {
    let (world, content) = (World::new(), content());
    let served = content.clone();
    let server = Server::new(move |request| Reply::ranged(request, &served));
    let wanted = wanted(server.url("/a.whl"), &content);
    let first = world.fetch(&wanted).unwrap();
    assert!(!first.cached);
    assert_eq!(first.path, world.cache.artefact(Sha256::of(&content)));
    assert_eq!(fs_err::read(&first.path).unwrap(), content);
    assert!(world.fetch(&wanted).unwrap().cached);
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("accept-encoding"), Some("identity"));
    assert_eq!(requests[0].header("user-agent"), Some(concat!("packhouse/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(world.parts(), 0);
}

#[test]
fn what_an_earlier_run_has_left_is_continued() {
    let (world, content) = (World::new(), content());
    fs_err::write(world.part(Sha256::of(&content)), &content[..100_000]).unwrap();
    let served = content.clone();
    let server = Server::new(move |request| Reply::ranged(request, &served));
    let fetched = world.fetch(&wanted(server.url("/a.whl"), &content)).unwrap();
    assert_eq!(fs_err::read(fetched.path).unwrap(), content);
    assert_eq!(server.requests()[0].header("range"), Some("bytes=100000-"));
}

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let (world, content) = (World::new(), content());
    let served = content.clone();
    let server = Server::new(move |request| {
        let reply = Reply::ranged(request, &served);
        if request.earlier < 3 { reply.cut(70_000) } else { reply }
    });
    let fetched = world.fetch(&wanted(server.url("/a.whl"), &content)).unwrap();
    assert_eq!(fs_err::read(fetched.path).unwrap(), content);
    let ranges: Vec<String> =
        server.requests().iter().map(|request| request.header("range").unwrap_or("all").to_owned()).collect();
    assert_eq!(ranges.len(), 4);
    assert_eq!(ranges[0], "all");
    assert!(ranges[1..].iter().all(|range| range.starts_with("bytes=")), "{ranges:?}");
}

#[test]
fn a_truncated_download_is_an_error_that_leaves_only_its_part_and_the_next_run_goes_on() {
    let (world, content) = (World::new(), content());
    let served = content.clone();
    let server = Server::new(move |request| {
        let reply = Reply::ranged(request, &served);
        if request.earlier < 4 { reply.cut(1000) } else { reply }
    });
    let wanted = wanted(server.url("/a.whl"), &content);
    let error = world.fetch(&wanted).unwrap_err();
    assert!(matches!(error, Error::Network { .. }), "{error}");
    assert!(error.hints()[0].contains("goes on where it stopped"));
    assert_eq!((world.artefacts(), world.parts()), (0, 1));
    world.fetch(&wanted).unwrap();
    assert!(server.requests()[4].header("range").is_some());
    assert_eq!((world.artefacts(), world.parts()), (1, 0));
}

#[test]
fn a_part_that_belongs_to_another_content_is_fetched_once_more_as_a_whole() {
    let (world, content) = (World::new(), content());
    fs_err::write(world.part(Sha256::of(&content)), vec![7; 100_000]).unwrap();
    let served = content.clone();
    let server = Server::new(move |request| Reply::ranged(request, &served));
    let fetched = world.fetch(&wanted(server.url("/a.whl"), &content)).unwrap();
    assert_eq!(fs_err::read(fetched.path).unwrap(), content);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(server.requests()[1].header("range"), None);
}

#[test]
fn a_complete_or_overlong_part_of_wrong_content_does_not_stand_in_the_way() {
    for length in [300_000, 300_001] {
        let (world, content) = (World::new(), content());
        fs_err::write(world.part(Sha256::of(&content)), vec![7; length]).unwrap();
        let served = content.clone();
        let server = Server::new(move |request| Reply::ranged(request, &served));
        world.fetch(&wanted(server.url("/a.whl"), &content)).unwrap();
    }
}

#[test]
fn a_part_of_unknown_size_that_is_complete_is_recognised() {
    let (world, content) = (World::new(), content());
    fs_err::write(world.part(Sha256::of(&content)), &content).unwrap();
    let served = content.clone();
    let server = Server::new(move |request| Reply::ranged(request, &served));
    let wanted = Download { size: None, ..wanted(server.url("/a.whl"), &content) };
    assert_eq!(world.fetch(&wanted).unwrap().size, content.len() as u64);
}

#[test]
fn a_server_without_ranges_sends_the_whole_and_that_is_taken() {
    let (world, content) = (World::new(), content());
    fs_err::write(world.part(Sha256::of(&content)), &content[..1000]).unwrap();
    let served = content.clone();
    let server = Server::new(move |_| Reply::whole(served.clone()));
    let fetched = world.fetch(&wanted(server.url("/a.whl"), &content)).unwrap();
    assert_eq!(fs_err::read(fetched.path).unwrap(), content);
}

#[test]
fn another_content_is_an_error_that_names_both_digests_and_is_not_asked_for_twice() {
    let (world, content) = (World::new(), content());
    let mut other = content.clone();
    other[5] ^= 1;
    let got = Sha256::of(&other);
    let server = Server::new(move |_| Reply::whole(other.clone()));
    let error = world.fetch(&wanted(server.url("/a.whl?token=geheim"), &content)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&got.to_string()) && text.contains(&Sha256::of(&content).to_string()), "{text}");
    assert!(text.contains("a.whl") && !text.contains("geheim"), "{text}");
    assert_eq!(server.requests().len(), 1);
    assert_eq!((world.artefacts(), world.parts()), (0, 0));
}

#[test]
fn another_size_is_refused_before_anything_is_written() {
    let (world, content) = (World::new(), content());
    for other in [content[..content.len() - 1].to_vec(), [content.clone(), vec![0]].concat()] {
        let server = Server::new(move |_| Reply::whole(other.clone()));
        let error = world.fetch(&wanted(server.url("/a.whl"), &content)).unwrap_err();
        assert!(matches!(error, Error::Size { expected: 300_000, .. }), "{error}");
        assert_eq!(server.requests().len(), 1);
        assert_eq!((world.artefacts(), world.parts()), (0, 0));
    }
}

#[test]
fn a_server_that_does_not_stop_sending_is_cut_off_at_the_size() {
    let (world, content) = (World::new(), content());
    let endless = content.repeat(4);
    let server = Server::new(move |_| {
        let mut body = Vec::new();
        for chunk in endless.chunks(1000) {
            body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\n\r\n");
        Reply::whole(body).with("Transfer-Encoding", "chunked")
    });
    let error = world.fetch(&wanted(server.url("/a.whl"), &content)).unwrap_err();
    assert!(matches!(&error, Error::Size { got, .. } if got == "more than 300000"), "{error}");
    assert_eq!((world.artefacts(), world.parts()), (0, 0));
}

#[test]
fn a_content_encoding_is_refused() {
    let (world, content) = (World::new(), content());
    let server = Server::new(|_| Reply::whole("x").with("Content-Encoding", "gzip"));
    let error = world.fetch(&wanted(server.url("/a.tar.gz"), &content)).unwrap_err();
    assert!(matches!(&error, Error::Encoded { encoding, .. } if encoding == "gzip"), "{error}");
}

#[test]
fn a_tired_server_is_asked_again_and_a_firm_no_is_final() {
    let (world, content) = (World::new(), content());
    let served = content.clone();
    let server = Server::new(move |request| match request.earlier {
        0 => Reply::status(503),
        1 => Reply::status(429).with("Retry-After", "0"),
        _ => Reply::whole(served.clone()),
    });
    world.fetch(&wanted(server.url("/a.whl"), &content)).unwrap();
    assert_eq!(server.requests().len(), 3);

    let server = Server::new(|_| Reply::status(404));
    let error = world.fetch(&wanted(server.url("/b.whl"), b"other")).unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(server.requests().len(), 1);

    let server = Server::new(|_| Reply::status(500));
    assert!(world.fetch(&wanted(server.url("/b.whl"), b"other")).is_err());
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_login_is_sent_to_its_origin_and_not_to_where_a_redirect_leads() {
    let content = content();
    let served = content.clone();
    let server = Server::new(move |request| match request.path.as_str() {
        "/a.whl" if request.header("authorization") != Some("Basic YWxpY2U6Z2VoZWlt") => Reply::status(401),
        "/a.whl" => {
            let host = request.header("host").unwrap().replace("127.0.0.1", "localhost");
            Reply::status(302).with("Location", &format!("http://mallory:x@{host}/elsewhere"))
        }
        _ => Reply::whole(served.clone()),
    });
    let mut url = server.url("/a.whl");
    url.set_username("alice").unwrap();
    url.set_password(Some("geheim")).unwrap();
    let mut credentials = Credentials::none();
    let url = credentials.add_url(url);
    let world = World::new();
    download(&client_with(credentials), &[wanted(url, &content)], &world.cache, &Silent).unwrap();
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| request.path.as_str()).collect::<Vec<_>>(), ["/a.whl", "/elsewhere"]);
    assert!(requests[0].header("authorization").is_some());
    assert_eq!(requests[1].header("authorization"), None);
}

#[test]
fn a_missing_login_is_told_with_how_to_give_one() {
    let server = Server::new(|_| Reply::status(401));
    let error = World::new().fetch(&wanted(server.url("/a.whl"), b"x")).unwrap_err();
    assert!(error.hints()[0].contains("PACKHOUSE_INDEX_<NAME>_USERNAME"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn redirects_end_somewhere_and_lead_to_http_servers_only() {
    let server = Server::new(|request| Reply::status(302).with("Location", &format!("{}x", request.path)));
    let error = World::new().fetch(&wanted(server.url("/a"), b"x")).unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
    for to in ["file:///etc/passwd", "ftp://example.org/a", "http://["] {
        let server = Server::new(move |_| Reply::status(301).with("Location", to));
        let error = World::new().fetch(&wanted(server.url("/a"), b"x")).unwrap_err();
        assert!(matches!(error, Error::Redirect { .. }), "{error}");
    }
}

#[test]
fn offline_nothing_is_asked_and_what_is_there_is_used() {
    let (world, content) = (World::new(), content());
    let served = content.clone();
    let server = Server::new(move |_| Reply::whole(served.clone()));
    let offline = Client::new(Credentials::none(), true).unwrap();
    let wanted = wanted(server.url("/a.whl"), &content);
    let fetch = |client: &Client| download(client, std::slice::from_ref(&wanted), &world.cache, &Silent);
    let error = fetch(&offline).unwrap_err();
    assert!(matches!(error, Error::Offline { .. }), "{error}");
    assert_eq!((offline.requests(), server.requests().len()), (0, 0));
    fetch(&client()).unwrap();
    fetch(&offline).unwrap();
}

#[test]
fn a_file_without_known_digest_is_taken_from_private_connections_only() {
    let (world, content) = (World::new(), content());
    let served = content.clone();
    let server = Server::new(move |_| Reply::whole(served.clone()));
    let unknown = |url: Url| Download { name: "a.tar.gz".to_owned(), url, sha256: None, size: None };
    let fetched = world.fetch(&unknown(server.url("/a.tar.gz"))).unwrap();
    assert_eq!((fetched.sha256, fetched.size), (Sha256::of(&content), content.len() as u64));
    let error = world.fetch(&unknown(Url::parse("http://192.0.2.1/a.tar.gz").unwrap())).unwrap_err();
    assert!(matches!(error, Error::Unprotected { .. }), "{error}");
}

#[test]
fn files_of_this_machine_are_verified_like_all_others() {
    let (world, content) = (World::new(), content());
    let path = world.directory.path().join("a.whl");
    fs_err::write(&path, &content).unwrap();
    let wanted = wanted(Url::from_file_path(&path).unwrap(), &content);
    world.fetch(&wanted).unwrap();
    fs_err::write(&path, "short").unwrap();
    let other = Download { sha256: Some(Sha256::of(b"other")), ..wanted.clone() };
    assert!(matches!(world.fetch(&other).unwrap_err(), Error::Size { .. }));
    let other = Download { sha256: Some(Sha256::of(b"other")), size: None, ..wanted };
    assert!(matches!(world.fetch(&other).unwrap_err(), Error::Hash { .. }));
}

#[test]
fn many_files_come_at_once_in_the_order_asked_for_and_each_content_once() {
    let world = World::new();
    let running = std::sync::Arc::new(Mutex::new((0usize, 0usize)));
    let counter = running.clone();
    let body = |path: &str| path.repeat(1000).into_bytes();
    let server = Server::new(move |request: &Request| {
        {
            let mut counter = counter.lock().unwrap();
            counter.0 += 1;
            counter.1 = counter.1.max(counter.0);
        }
        std::thread::sleep(Duration::from_millis(30));
        counter.lock().unwrap().0 -= 1;
        Reply::whole(body(&request.path))
    });
    let paths: Vec<String> = (0..20).map(|number| format!("/{number}")).chain(["/3".to_owned()]).collect();
    let downloads: Vec<Download> = paths.iter().map(|path| wanted(server.url(path), &body(path))).collect();
    let fetched = download(&client(), &downloads, &world.cache, &Silent).unwrap();
    for (path, file) in paths.iter().zip(&fetched) {
        assert_eq!(file.sha256, Sha256::of(&body(path)));
    }
    assert_eq!(server.requests().len(), 20);
    let most = running.lock().unwrap().1;
    assert!((2..=8).contains(&most), "{most} at a time");
}

#[test]
fn two_processes_that_want_the_same_file_fetch_it_once() {
    // Two open descriptions of the lock's file are to the kernel what two processes are.
    let (world, content) = (World::new(), content());
    let served = content.clone();
    let server = Server::new(move |request| Reply::ranged(request, &served).slowly(Duration::from_millis(10)));
    let wanted = wanted(server.url("/a.whl"), &content);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| world.fetch(&wanted))).collect();
        for worker in workers {
            assert_eq!(worker.join().unwrap().unwrap().sha256, Sha256::of(&content));
        }
    });
    assert_eq!(server.requests().len(), 1);
    assert_eq!((world.artefacts(), world.parts()), (1, 0));
}

#[test]
fn a_file_of_the_cache_that_has_lost_bytes_is_fetched_again() {
    let (world, content) = (World::new(), content());
    let served = content.clone();
    let server = Server::new(move |_| Reply::whole(served.clone()));
    let wanted = wanted(server.url("/a.whl"), &content);
    let path = world.fetch(&wanted).unwrap().path;
    fs_err::write(&path, "short").unwrap();
    world.fetch(&wanted).unwrap();
    assert_eq!(fs_err::read(&path).unwrap(), content);
}

#[test]
fn a_small_answer_is_decoded_and_limited() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![b'a'; 1 << 20]).unwrap();
    let zipped = encoder.finish().unwrap();
    let server = Server::new(move |request| match request.path.as_str() {
        "/bomb" => Reply::whole(zipped.clone()).with("Content-Encoding", "gzip"),
        "/moved" => Reply::status(301).with("Location", "/page/"),
        _ => Reply::whole("text").with("Content-Type", "text/html").with("ETag", "\"1\""),
    });
    let client = client();
    let bomb = client.get_bytes(&server.url("/bomb"), 1 << 20, "*/*").unwrap();
    assert_eq!(bomb.bytes.len(), 1 << 20);
    let error = client.get_bytes(&server.url("/bomb"), (1 << 20) - 1, "*/*").unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }), "{error}");
    let page = client.get_bytes(&server.url("/moved"), 100, "text/html").unwrap();
    assert_eq!((page.bytes.as_slice(), page.etag.as_deref()), (b"text".as_slice(), Some("\"1\"")));
    assert_eq!(page.url, server.url("/page/"));
    assert_eq!(page.content_type.as_deref(), Some("text/html"));
}

#[test]
fn logins_of_another_name_of_the_same_machine_are_not_sent() {
    let server = Server::new(|_| Reply::whole("x"));
    let mut credentials = Credentials::none();
    credentials.add_login(&server.url("/"), "alice", "geheim");
    client_with(credentials).get_bytes(&server.other_url("/"), 10, "*/*").unwrap();
    assert_eq!(server.requests()[0].header("authorization"), None);
}
