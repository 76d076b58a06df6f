//! Starts the step's process, reads what it says in bounded memory, and ends everything that it started.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::namespaces::Plan;
use super::{Error, Isolation, Listener, OUTPUT_LIMIT, Output, Step, Stream};

/// Process groups of the steps that run now.
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Tools that run now in our own process group: a terminal's Ctrl-C reaches them, a signal for us alone does not.
static TOOLS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Ends a tool with the program, for as long as this lives.
#[derive(Debug)]
pub struct EndsWithUs(i32);

impl EndsWithUs {
    /// Starts a tool and watches over it; no signal comes between the two. To be dropped as soon as it has been waited for.
    pub fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        let mut tools = TOOLS.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn()?;
        let process = i32::try_from(child.id()).unwrap_or_default();
        tools.insert(process);
        Ok((child, Self(process)))
    }
}

impl Drop for EndsWithUs {
    fn drop(&mut self) {
        TOOLS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// How long a step's left-over children may keep its output open after it has ended.
const LINGER: Duration = Duration::from_secs(2);

/// Ends all steps that run now, with all that they started, and all tools. For the program's interrupt handler: steps have process
/// groups of their own, so that a terminal's Ctrl-C does not reach them.
pub fn kill_running() {
    for &group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        kill_group(group);
    }
    for &tool in TOOLS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        if let Some(tool) = rustix::process::Pid::from_raw(tool) {
            let _ = rustix::process::kill_process(tool, rustix::process::Signal::KILL);
        }
    }
}

fn kill_group(group: i32) {
    if let Some(group) = rustix::process::Pid::from_raw(group) {
        // Gone already is as good.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

/// A started step; its process group is killed when this is dropped.
struct Running {
    child: Child,
    group: i32,
}

impl Running {
    fn new(child: Child) -> Self {
        let group = i32::try_from(child.id()).unwrap_or_default();
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).insert(group);
        Self { child, group }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill_group(self.group);
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.group);
        let _ = self.child.wait();
    }
}

/// Tries `isolation` without running anything: the child sets everything up and then finds no program.
pub(super) fn attempt(isolation: Isolation) -> Result<(), String> {
    let plan = Plan::new(isolation, &[], Path::new("/")).map_err(|error| error.to_string())?;
    let mut command = Command::new("/packhouse-probe/nothing");
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let report = plan.apply_to(&mut command).map_err(|error| error.to_string())?;
    match command.spawn() {
        Ok(mut child) => {
            let _ = child.wait();
            Err("the probe found a program where there is none".to_owned())
        }
        Err(error) => match report.failure(command, &error) {
            Some(reason) => Err(reason),
            None => Ok(()),
        },
    }
}

pub(super) fn run(step: &Step, isolation: Isolation, listener: Listener<'_>) -> Result<Output, Error> {
    let plan = Plan::new(isolation, &step.binds, &step.directory)?;
    let mut command = Command::new(&step.program);
    command
        .args(&step.arguments)
        .env_clear()
        .envs(step.environment.iter().map(|(name, value)| (name, value)))
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let report = plan.apply_to(&mut command)?;
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return Err(match report.failure(command, &error) {
                Some(reason) => Error::Setup { program: step.program.clone(), reason },
                None => Error::Start { program: step.program.clone(), source: error },
            });
        }
    };
    let mut running = Running::new(child);
    drop(command);
    let Followed { stdout, stderr, status, timed_out } = follow(&mut running, step.time_limit, listener)?;
    Ok(Output { status, timed_out, stdout, stderr, isolation: isolation.to_string() })
}

struct Followed {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: std::process::ExitStatus,
    timed_out: bool,
}

/// Reads both streams until the step and all that hold its streams have ended, or `limit` is over.
fn follow(running: &mut Running, limit: Option<Duration>, listener: Listener<'_>) -> io::Result<Followed> {
    let began = Instant::now();
    let mut timed_out = false;
    let (sender, receiver) = mpsc::sync_channel::<(Stream, Vec<u8>)>(16);
    if let Some(stdout) = running.child.stdout.take() {
        forward(stdout, Stream::Stdout, sender.clone());
    }
    if let Some(stderr) = running.child.stderr.take() {
        forward(stderr, Stream::Stderr, sender.clone());
    }
    drop(sender);
    let (mut stdout, mut stderr) = (Tail::default(), Tail::default());
    let mut ended: Option<(std::process::ExitStatus, Instant)> = None;
    loop {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok((stream, piece)) => {
                listener(stream, &piece);
                match stream {
                    Stream::Stdout => stdout.push(&piece),
                    Stream::Stderr => stderr.push(&piece),
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if !timed_out && ended.is_none() && limit.is_some_and(|limit| began.elapsed() > limit) {
            timed_out = true;
            kill_group(running.group);
        }
        match ended {
            // Something that left the process group still holds the streams: what it says does not matter any more.
            Some((_, since)) if since.elapsed() > LINGER => break,
            Some(_) => {}
            None => {
                if let Some(status) = running.child.try_wait()? {
                    kill_group(running.group);
                    ended = Some((status, Instant::now()));
                }
            }
        }
    }
    let status = match ended {
        Some((status, _)) => status,
        None => running.child.wait()?,
    };
    Ok(Followed { stdout: stdout.into(), stderr: stderr.into(), status, timed_out })
}

/// Sends what `reader` gives, piece by piece, from a thread of its own.
fn forward(mut reader: impl Read + Send + 'static, stream: Stream, sender: mpsc::SyncSender<(Stream, Vec<u8>)>) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    let piece = buffer.get(..length).unwrap_or_default().to_vec();
                    if sender.send((stream, piece)).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
}

/// The last [`OUTPUT_LIMIT`] bytes of a stream.
#[derive(Default)]
struct Tail(VecDeque<u8>);

impl Tail {
    fn push(&mut self, piece: &[u8]) {
        self.0.extend(piece);
        let excess = self.0.len().saturating_sub(OUTPUT_LIMIT);
        self.0.drain(..excess);
    }
}

impl From<Tail> for Vec<u8> {
    fn from(tail: Tail) -> Self {
        tail.0.into()
    }
}
