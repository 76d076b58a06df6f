//! What a child does between fork and exec to leave the world. The only module with `unsafe` beside `src/format/pack/xz/block.rs`.
//!
//! After fork in a program with threads only async-signal-safe functions may be called (signal-safety(7)): no allocation,
//! no lock, no formatting. So the parent prepares everything as a [`Plan`], a list of system calls with all their texts,
//! and the child only carries it out. What fails is told to the parent through a pipe, as the number of the action.
//!
//! The order of the mounts is that of pivot_root(2) with an intermediate root, so that sources are still reachable
//! (`/old/…`) while the new root (`/new/…`) is put together, whatever is mounted over whatever on the host:
//! a tmpfs on `/tmp` becomes the root, the host's root is below it at `/old`.
#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::ffi::CString;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Bind, Error, Isolation};

/// Top-level directories that the step gets fresh instead of the host's: `/run` holds the sockets of services, which a
/// network namespace does not cut off.
const FRESH: [&str; 2] = ["tmp", "run"];
/// The directory below which fixed places lie.
const PLACES: &str = "packhouse";
/// Capabilities that a root step keeps (capabilities(7), numbers of linux/capability.h): CHOWN, DAC_OVERRIDE,
/// DAC_READ_SEARCH, FOWNER, FSETID, KILL, SETGID, SETUID are 0 to 7. Nothing that could undo the isolation.
const FIRST_DROPPED_CAPABILITY: libc::c_ulong = 8;

/// One thing the child does.
enum Action {
    /// unshare(2).
    Unshare(libc::c_int),
    /// Writes a file of /proc.
    Write { path: CString, text: Vec<u8> },
    /// The network namespace's loopback interface comes up.
    LoopbackUp,
    /// The name of the machine, for builds that record it.
    HostName,
    /// All mounts private: nothing that follows reaches the host.
    Private,
    /// A new tmpfs.
    Tmpfs { path: CString, options: CString },
    /// A directory, unless it is there.
    Directory(CString),
    /// An empty file, unless it is there.
    File(CString),
    /// A symbolic link.
    Link { target: CString, path: CString },
    /// A recursive bind.
    Bind { source: CString, destination: CString },
    /// Makes a mount read-only, with all below it if so.
    ReadOnly { path: CString, recursive: bool },
    /// Makes the directory `root` the root, with the old root below `old`.
    EnterIntermediate { root: CString, old: CString },
    /// Makes `/new` the root and lets everything else go.
    Pivot,
    /// The working directory.
    ChangeDirectory(CString),
}

impl Action {
    fn describe(&self) -> String {
        let text = |path: &CString| path.to_string_lossy().into_owned();
        match self {
            Self::Unshare(_) => "making namespaces".to_owned(),
            Self::Write { path, .. } => format!("writing {}", text(path)),
            Self::LoopbackUp => "bringing the loopback interface up".to_owned(),
            Self::HostName => "setting the host name".to_owned(),
            Self::Private => "making mounts private".to_owned(),
            Self::Tmpfs { path, .. } => format!("mounting a file system in memory at {}", text(path)),
            Self::Directory(path) => format!("making the directory {}", text(path)),
            Self::File(path) => format!("making the file {}", text(path)),
            Self::Link { path, .. } => format!("making the link {}", text(path)),
            Self::Bind { source, destination } => format!("showing {} at {}", text(source), text(destination)),
            Self::ReadOnly { path, .. } => format!("making {} read-only", text(path)),
            Self::EnterIntermediate { .. } => "entering an intermediate root".to_owned(),
            Self::Pivot => "entering the new root".to_owned(),
            Self::ChangeDirectory(path) => format!("changing to the directory {}", text(path)),
        }
    }
}

/// Everything that a child does before exec.
pub(super) struct Plan {
    actions: Vec<Action>,
}

/// Where the parent learns what failed in the child.
pub(super) struct Report {
    reader: PipeReader,
    descriptions: Vec<String>,
}

impl Plan {
    /// Plans `isolation` with `binds`, ending in `directory`.
    pub(super) fn new(isolation: Isolation, binds: &[Bind], directory: &Path) -> Result<Self, Error> {
        let mut actions = Vec::new();
        let (flags, user) = match isolation {
            Isolation::World { user } => {
                (libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS, user)
            }
            Isolation::Network { user } => (libc::CLONE_NEWNET, user),
            Isolation::None => (0, false),
        };
        if flags != 0 {
            actions.push(Action::Unshare(if user { flags | libc::CLONE_NEWUSER } else { flags }));
            if user {
                actions.extend(identity_maps()?);
            }
            actions.push(Action::LoopbackUp);
        }
        if isolation.has_fixed_places() {
            actions.push(Action::HostName);
            world(&mut actions, binds)?;
        }
        actions.push(Action::ChangeDirectory(c_path(directory)?));
        Ok(Self { actions })
    }

    /// Makes `command` carry out this plan before exec.
    pub(super) fn apply_to(self, command: &mut Command) -> io::Result<Report> {
        let descriptions = self.actions.iter().map(Action::describe).collect();
        let (reader, writer) = io::pipe()?;
        // SAFETY: getpid has no preconditions.
        let parent = unsafe { libc::getpid() };
        let actions = self.actions;
        let closure = move || child(&actions, writer.as_raw_fd(), parent);
        // SAFETY: `child` makes system calls on memory that was prepared before the fork; it neither allocates nor locks.
        unsafe { command.pre_exec(closure) };
        Ok(Report { reader, descriptions })
    }
}

impl Report {
    /// What failed before exec; `None` when the child came as far as exec. `command` is the one the plan was applied to:
    /// it holds the pipe's other end, which must be gone before the pipe can be read to its end.
    pub(super) fn failure(mut self, command: Command, error: &io::Error) -> Option<String> {
        drop(command);
        let mut number = [0; 4];
        self.reader.read_exact(&mut number).ok()?;
        let description = self.descriptions.get(u32::from_ne_bytes(number) as usize)?;
        Some(format!("{description}: {error}"))
    }
}

/// Maps the user and group to themselves (user_namespaces(7)): files keep their owner, exec drops all capabilities.
fn identity_maps() -> io::Result<[Action; 3]> {
    let uid = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
    let write = |path: &str, text: String| {
        Ok::<_, io::Error>(Action::Write { path: c_path(Path::new(path))?, text: text.into_bytes() })
    };
    Ok([
        write("/proc/self/setgroups", "deny".to_owned())?,
        write("/proc/self/uid_map", format!("{uid} {uid} 1\n"))?,
        write("/proc/self/gid_map", format!("{gid} {gid} 1\n"))?,
    ])
}

/// The new world: every entry of `/` read-only, fresh `/tmp` and `/run`, then the binds.
fn world(actions: &mut Vec<Action>, binds: &[Bind]) -> Result<(), Error> {
    let path = |text: &str| c_path(Path::new(text));
    actions.push(Action::Private);
    actions.push(Action::Tmpfs { path: path("/tmp")?, options: path("mode=0755")? });
    actions.push(Action::Directory(path("/tmp/new")?));
    actions.push(Action::Directory(path("/tmp/old")?));
    actions.push(Action::EnterIntermediate { root: path("/tmp")?, old: path("/tmp/old")? });
    actions.push(Action::Tmpfs { path: path("/new")?, options: path("mode=0755")? });
    let mut names: Vec<_> = fs_err::read_dir("/")?.collect::<io::Result<_>>()?;
    names.sort_by_key(|entry| entry.file_name());
    for entry in names {
        let name = entry.file_name();
        if name == PLACES || FRESH.iter().any(|fresh| name == *fresh) {
            continue;
        }
        let (old, new) = (Path::new("/old").join(&name), Path::new("/new").join(&name));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            actions.push(Action::Link { target: c_path(&fs_err::read_link(entry.path())?)?, path: c_path(&new)? });
            continue;
        }
        if kind.is_dir() {
            actions.push(Action::Directory(c_path(&new)?));
        } else if kind.is_file() {
            actions.push(Action::File(c_path(&new)?));
        } else {
            continue;
        }
        actions.push(Action::Bind { source: c_path(&old)?, destination: c_path(&new)? });
        actions.push(Action::ReadOnly { path: c_path(&new)?, recursive: true });
    }
    for name in FRESH {
        let fresh = Path::new("/new").join(name);
        actions.push(Action::Directory(c_path(&fresh)?));
        actions.push(Action::Tmpfs { path: c_path(&fresh)?, options: path("mode=0755")? });
    }
    if Path::new("/dev/shm").is_dir() {
        // POSIX semaphores and shared memory (sem_overview(7)); Python's multiprocessing needs them.
        actions.push(Action::Tmpfs { path: path("/new/dev/shm")?, options: path("mode=1777")? });
    }
    actions.push(Action::Directory(c_path(&Path::new("/new").join(PLACES))?));
    let mut rooms = BTreeSet::new();
    for bind in binds {
        show(actions, bind, &mut rooms)?;
    }
    for room in &rooms {
        actions.push(Action::ReadOnly { path: c_path(&under("/new", room))?, recursive: false });
    }
    // Everything made in the new root is made: it becomes read-only itself.
    actions.push(Action::ReadOnly { path: path("/new")?, recursive: false });
    actions.push(Action::Pivot);
    Ok(())
}

/// Shows one bind. `rooms` are the directories that have been put together anew.
fn show(actions: &mut Vec<Action>, bind: &Bind, rooms: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
    let refuse = |reason: String| Error::Bind {
        source_path: bind.source.clone(),
        destination: bind.destination.clone(),
        reason,
    };
    // Symbolic links are resolved now: inside the intermediate root they would lead elsewhere.
    let source = fs_err::canonicalize(&bind.source).map_err(|error| refuse(error.to_string()))?;
    let relative = bind.destination.strip_prefix("/").map_err(|_| refuse("the place is not absolute".to_owned()))?;
    let ours = [PLACES].iter().chain(&FRESH).any(|top| relative.starts_with(top));
    if relative.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
        return Err(refuse("the place has `.` or `..` in it".to_owned()));
    }
    let is_file = source.is_file();
    let destination = if ours {
        make(actions, Path::new("/new"), relative, is_file)?
    } else if let Ok(existing) = fs_err::canonicalize(&bind.destination) {
        under("/new", &existing)
    } else {
        let mut ancestors = bind.destination.ancestors().skip(1);
        let (ancestor, existing) = ancestors
            .find_map(|path| Some((path, fs_err::canonicalize(path).ok()?)))
            .ok_or_else(|| refuse("there is no such place".to_owned()))?;
        if !existing.is_dir() {
            return Err(refuse(format!("{} is no directory", existing.display())));
        }
        if existing != Path::new("/") && rooms.insert(existing.clone()) {
            make_room(actions, &existing)?;
        }
        let below = bind.destination.strip_prefix(ancestor).unwrap_or(Path::new(""));
        make(actions, &under("/new", &existing), below, is_file)?
    };
    let destination = c_path(&destination)?;
    actions.push(Action::Bind { source: c_path(&under("/old", &source))?, destination: destination.clone() });
    if !bind.writable {
        actions.push(Action::ReadOnly { path: destination, recursive: true });
    }
    Ok(())
}

/// Makes the directories of `relative` below `directory`, the last of its parts a file if so; gives the whole path.
fn make(actions: &mut Vec<Action>, directory: &Path, relative: &Path, is_file: bool) -> Result<PathBuf, Error> {
    let mut made = directory.to_path_buf();
    let count = relative.components().count();
    for (index, part) in relative.components().enumerate() {
        made.push(part);
        let last = index + 1 == count;
        actions.push(if last && is_file { Action::File(c_path(&made)?) } else { Action::Directory(c_path(&made)?) });
    }
    Ok(made)
}

/// Puts the host's `directory` together anew, in memory and entry by entry as [`world`] does with the root, so that
/// places can be made in it. It becomes read-only once all binds are shown.
fn make_room(actions: &mut Vec<Action>, directory: &Path) -> Result<(), Error> {
    let (old, new) = (under("/old", directory), under("/new", directory));
    actions.push(Action::Tmpfs { path: c_path(&new)?, options: c_path(Path::new("mode=0755"))? });
    let mut names: Vec<_> = fs_err::read_dir(directory)?.collect::<io::Result<_>>()?;
    names.sort_by_key(|entry| entry.file_name());
    for entry in names {
        let (source, place) = (old.join(entry.file_name()), new.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            actions.push(Action::Link { target: c_path(&fs_err::read_link(entry.path())?)?, path: c_path(&place)? });
            continue;
        }
        actions.push(if kind.is_dir() { Action::Directory(c_path(&place)?) } else { Action::File(c_path(&place)?) });
        actions.push(Action::Bind { source: c_path(&source)?, destination: c_path(&place)? });
        actions.push(Action::ReadOnly { path: c_path(&place)?, recursive: true });
    }
    Ok(())
}

/// The absolute `path` below `root`.
fn under(root: &str, path: &Path) -> PathBuf {
    Path::new(root).join(path.strip_prefix("/").unwrap_or(path))
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}

/// Runs in the child between fork and exec.
fn child(actions: &[Action], report: RawFd, parent: libc::pid_t) -> io::Result<()> {
    // SAFETY: umask and close_range take no pointers. Descriptors are only marked, so `report` stays usable here.
    unsafe {
        libc::umask(0o022);
        if libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) != 0 {
            // Linux before 5.11 has no such flag.
            for descriptor in 3..1024 {
                libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
    }
    for (number, action) in actions.iter().enumerate() {
        if let Err(error) = perform(action) {
            let number = u32::try_from(number).unwrap_or(u32::MAX).to_ne_bytes();
            // SAFETY: the buffer is 4 bytes and lives; a failed write only makes the message poorer.
            unsafe { libc::write(report, number.as_ptr().cast(), number.len()) };
            return Err(error);
        }
    }
    // SAFETY: prctl and getppid with integer arguments only. The bounding set ends where the kernel knows no more
    // capabilities (EINVAL); without CAP_SETPCAP it cannot be changed, and there is nothing in it that would matter.
    unsafe {
        for capability in FIRST_DROPPED_CAPABILITY..64 {
            libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
        }
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        // After unshare, because a change of credentials clears it (prctl(2)).
        check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0))?;
        if libc::getppid() != parent {
            libc::_exit(126);
        }
    }
    Ok(())
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The same, where it may be there already.
fn check_present(result: libc::c_int) -> io::Result<()> {
    match check(result) {
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(()),
        other => other,
    }
}

/// Carries out one action. Every text comes from the [`Plan`], NUL-terminated and alive for the whole call.
fn perform(action: &Action) -> io::Result<()> {
    let none = std::ptr::null::<libc::c_char>();
    // SAFETY: see above; structures passed are initialised and live on this stack.
    unsafe {
        match action {
            Action::Unshare(flags) => check(libc::unshare(*flags)),
            Action::Write { path, text } => write(path, text),
            Action::LoopbackUp => {
                loopback_up();
                Ok(())
            }
            Action::HostName => check(libc::sethostname(c"packhouse".as_ptr(), 9)),
            Action::Private => {
                check(libc::mount(none, c"/".as_ptr(), none, libc::MS_REC | libc::MS_PRIVATE, std::ptr::null()))
            }
            Action::Tmpfs { path, options } => check(libc::mount(
                c"tmpfs".as_ptr(),
                path.as_ptr(),
                c"tmpfs".as_ptr(),
                libc::MS_NOSUID | libc::MS_NODEV,
                options.as_ptr().cast(),
            )),
            Action::Directory(path) => check_present(libc::mkdir(path.as_ptr(), 0o755)),
            Action::File(path) => {
                // O_EXCL: what is there on a read-only mount is told to be there, not to be unwritable.
                let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY | libc::O_CLOEXEC;
                let descriptor = libc::open(path.as_ptr(), flags, 0o644);
                check_present(descriptor)?;
                if descriptor >= 0 { check(libc::close(descriptor)) } else { Ok(()) }
            }
            Action::Link { target, path } => check_present(libc::symlink(target.as_ptr(), path.as_ptr())),
            Action::Bind { source, destination } => check(libc::mount(
                source.as_ptr(),
                destination.as_ptr(),
                none,
                libc::MS_BIND | libc::MS_REC,
                std::ptr::null(),
            )),
            Action::ReadOnly { path, recursive } => {
                let attributes =
                    libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
                let flags = if *recursive { libc::AT_RECURSIVE } else { 0 };
                let result = libc::syscall(
                    libc::SYS_mount_setattr,
                    libc::AT_FDCWD,
                    path.as_ptr(),
                    flags,
                    &raw const attributes,
                    size_of::<libc::mount_attr>(),
                );
                if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
            }
            Action::EnterIntermediate { root, old } => {
                if libc::syscall(libc::SYS_pivot_root, root.as_ptr(), old.as_ptr()) < 0 {
                    return Err(io::Error::last_os_error());
                }
                check(libc::chdir(c"/".as_ptr()))
            }
            Action::Pivot => {
                check(libc::chdir(c"/new".as_ptr()))?;
                // "." twice: the old root is stacked on the new one and can be let go at once (pivot_root(2)).
                if libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) < 0 {
                    return Err(io::Error::last_os_error());
                }
                check(libc::umount2(c".".as_ptr(), libc::MNT_DETACH))?;
                check(libc::chdir(c"/".as_ptr()))
            }
            Action::ChangeDirectory(path) => check(libc::chdir(path.as_ptr())),
        }
    }
}

fn write(path: &CString, text: &[u8]) -> io::Result<()> {
    // SAFETY: path and text come from the plan; the descriptor is closed on both ways.
    unsafe {
        let descriptor = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        check(descriptor)?;
        let written = libc::write(descriptor, text.as_ptr().cast(), text.len());
        let result = if written < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
        libc::close(descriptor);
        result
    }
}

/// `ip link set lo up`, as netdevice(7) has it. Some builds talk to themselves over 127.0.0.1; where it cannot be had
/// they say so themselves.
fn loopback_up() {
    // SAFETY: `ifreq` may be all zeroes; the name fits and ends with NUL; the descriptor is closed.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if socket < 0 {
            return;
        }
        let mut request: libc::ifreq = std::mem::zeroed();
        for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
            *place = *byte as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw const request);
        libc::close(socket);
    }
}
