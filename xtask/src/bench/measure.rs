//! A whole process, measured from outside: wall time from its start to its end, CPU time and peak memory as the kernel tells
//! them of it and of the processes that it waited for.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::results::Sample;
use crate::Result;
use crate::process::root;

/// Nothing that is measured takes this long: it hangs.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// Runs `command`; what it prints goes to `log`, whose end is in the error when it fails.
pub(super) fn measure(command: &mut Command, log: &Path) -> Result<Sample> {
    let output = fs_err::File::create(log)?;
    command.stdin(Stdio::null()).stdout(output.file().try_clone()?).stderr(output.file().try_clone()?);
    command.process_group(0);
    let begin = Instant::now();
    let child = command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let process = i32::try_from(child.id())?;
    let (done, waiting) = mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            kill(process);
        }
    });
    let (status, usage) = wait(process)?;
    let wall = begin.elapsed().as_secs_f64();
    drop(done);
    drop(guard.join());
    if !status.success() {
        return Err(format!("{} ended with {status}: {}", name(command), last_lines(log)?).into());
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    Ok(Sample { wall, cpu, peak: usage.ru_maxrss as f64 / 1024.0, size: 0 })
}

/// wait4(2), which alone tells what one process used.
#[expect(unsafe_code, reason = "the standard library waits without asking for resources")]
fn wait(process: i32) -> Result<(ExitStatus, libc::rusage)> {
    let mut status = 0;
    loop {
        // SAFETY: a struct of numbers, for which zero is a value; both pointers are to live variables.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        let waited = unsafe { libc::wait4(process, &raw mut status, 0, &raw mut usage) };
        if waited == process {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(format!("cannot wait for a process: {error}").into());
        }
    }
}

/// Ends a process that this one has started and not yet waited for, and what it has started.
#[expect(unsafe_code, reason = "the standard library's handle is blocked in the wait")]
fn kill(process: i32) {
    // SAFETY: no memory is involved; the group is the child's own.
    unsafe { libc::kill(-process, libc::SIGKILL) };
}

fn name(command: &Command) -> String {
    Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The end of what was printed, fit for a page: without this machine's directories.
fn last_lines(log: &Path) -> Result<String> {
    let text = String::from_utf8_lossy(&fs_err::read(log)?).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(4)..).unwrap_or_default().join(" / ");
    Ok(anonymous(&last))
}

/// Without the directory of this repository and the user's home.
pub(super) fn anonymous(text: &str) -> String {
    let home = std::env::var("HOME").ok().filter(|home| home.len() > 1);
    let text = text.replace(&root().display().to_string(), "…");
    home.map_or(text.clone(), |home| text.replace(&home, "~"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::process::shell;

    #[test]
    fn a_process_that_works_and_then_sleeps_has_both_in_wall_time_and_only_work_in_cpu_time() {
        let log = std::env::temp_dir().join(format!("xtask-measure-{}", std::process::id()));
        let sample = measure(&mut shell("head -c 40000000 /dev/zero | sha256sum; sleep 0.5", [""]), &log).unwrap();
        assert!(sample.wall >= 0.5 && sample.cpu > 0.005 && sample.cpu < sample.wall, "{sample:?}");
        assert!(sample.peak > 0.5, "{sample:?}");
        let error = measure(&mut shell("echo it is broken; exit 3", [""]), &log).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("it is broken"), "{error}");
        fs_err::remove_file(&log).unwrap();
    }
}
