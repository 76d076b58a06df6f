//! A small static server to try a repository out: what apt, dnf, zypper and a browser need, and nothing else.
//!
//! It reads files below one root ([`place`] says which), gives them the media types and cache rules that real servers
//! are configured with ([`config`] prints that configuration), and knows conditions and ranges, by which clients resume
//! downloads. HTTP/1.1 itself is hyper's. No TLS: that is for the real server.

mod answer;
mod body;
pub mod config;
mod media;
mod place;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::error::RepoError;
use crate::report::Reporter;
use answer::Facts;
use body::Served;
use place::Place;

/// Connections at once; more wait.
const CONNECTIONS: usize = 256;
/// How long a client may take to send the head of a request, and how long an idle connection is kept.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long running answers may take to end after an interrupt.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves the directory `root` at `address` (`127.0.0.1:8080`; port 0 takes a free one) until the process is sent SIGINT or
/// SIGTERM. `ready` is told the address once requests are accepted; requests are told to `reporter` as details.
pub fn serve(
    root: &Path,
    address: &str,
    reporter: &dyn Reporter,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), RepoError> {
    let failed = || RepoError::io("the server could not be started");
    let root = fs_err::canonicalize(root).map_err(failed())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed())?;
    runtime.block_on(async {
        let refused = |source| RepoError::Listen { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let stop = interrupted().map_err(failed())?;
        ready(listener.local_addr().map_err(refused)?);
        run(listener, root.into(), reporter, stop).await;
        Ok(())
    })
}

/// Ends when somebody interrupts the process.
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Accepts connections until `stop`, then lets the running answers end.
async fn run(listener: TcpListener, root: Arc<Path>, reporter: &dyn Reporter, stop: impl Future<Output = ()>) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let (stopping, stopped) = watch::channel(());
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(line) = told.recv() => { let line: String = line; reporter.detail(&line); }
            Some(_) = connections.join_next() => {}
            accepted = accept(&listener, &places) => match accepted {
                Some((stream, place)) => {
                    connections.spawn(connection(stream, place, root.clone(), tell.clone(), stopped.clone()));
                }
                // Out of descriptors, as a rule: some connection has to end first.
                None => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
    drop(listener);
    drop(stopping);
    let _ = tokio::time::timeout(FAREWELL, async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, place))
}

/// Answers the requests of one connection, one after the other; the current one is the last when `stopped` closes.
async fn connection(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    root: Arc<Path>,
    tell: mpsc::UnboundedSender<String>,
    mut stopped: watch::Receiver<()>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (root, tell) = (root.clone(), tell.clone());
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let response = respond(&root, &request).await;
            let _ = tell.send(format!("{line}: {}", response.status().as_u16()));
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE).pipeline_flush(true);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // What goes wrong with one connection (a client that went away) is nobody else's concern.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    drop(place);
}

async fn respond(root: &Arc<Path>, request: &Request<Incoming>) -> Response<Served> {
    let head = request.method() == Method::HEAD;
    if !head && request.method() != Method::GET {
        return short(StatusCode::METHOD_NOT_ALLOWED, &[(ALLOW, "GET, HEAD")]);
    }
    let path = request.uri().path();
    let Some(relative) = place::relative(path) else { return short(StatusCode::NOT_FOUND, &[]) };
    let opened = {
        let (root, directory) = (root.clone(), path.ends_with('/'));
        tokio::task::spawn_blocking(move || open(&root, relative, directory)).await
    };
    let (file, relative) = match opened {
        Ok(Ok(Opened::File(file, relative))) => (file, relative),
        Ok(Ok(Opened::Directory)) => {
            // Relative to where the client is: a path may begin with two slashes, which would name another host.
            let location = format!("./{}/", path.rsplit('/').next().unwrap_or_default());
            return short(StatusCode::MOVED_PERMANENTLY, &[(LOCATION, &location)]);
        }
        Ok(Ok(Opened::Nothing)) => return short(StatusCode::NOT_FOUND, &[]),
        _ => return short(StatusCode::INTERNAL_SERVER_ERROR, &[]),
    };
    let Ok(metadata) = file.metadata() else { return short(StatusCode::INTERNAL_SERVER_ERROR, &[]) };
    let facts = Facts {
        path: &relative,
        size: metadata.len(),
        modified: metadata.modified().unwrap_or(std::time::SystemTime::UNIX_EPOCH),
        inode: std::os::unix::fs::MetadataExt::ino(&metadata),
    };
    let answer = answer::decide(request.headers(), &facts);
    let body = if head { Served::empty() } else { Served::part(file, answer.bytes) };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

enum Opened {
    File(fs_err::File, String),
    /// A directory that was named without the slash at its end.
    Directory,
    Nothing,
}

/// The file at `relative`; of a directory, its `index.html`.
fn open(root: &Path, mut relative: std::path::PathBuf, directory: bool) -> io::Result<Opened> {
    let mut place = place::open(root, &relative)?;
    let is_directory = matches!(place, Place::Directory);
    if is_directory {
        relative.push("index.html");
        place = place::open(root, &relative)?;
    }
    Ok(match place {
        // `file/` is no name of a file.
        Place::File(_) if is_directory && !directory && relative.as_os_str() != "index.html" => Opened::Directory,
        Place::File(file) if is_directory || !directory => Opened::File(file, relative.to_string_lossy().into_owned()),
        _ => Opened::Nothing,
    })
}

/// An answer without a file: its status as text.
fn short(status: StatusCode, headers: &[(HeaderName, &str)]) -> Response<Served> {
    let mut response = Response::new(Served::text(format!("{status}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(*value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
