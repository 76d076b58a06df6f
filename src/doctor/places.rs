//! The places that are written to, and the clock that stands in what is written.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use git2::Repository;

use super::{Finding, Ground};
use crate::cache::{Cache, Size};

/// With less than this nothing can be built, …
const LITTLE: u64 = 256 << 20;
/// … and with less than this not much.
const SOME: u64 = 2 << 30;
/// 2026-01-01: no packhouse ran before.
const FLOOR: u64 = 1_767_225_600;
/// So far may two clocks be apart.
const TOLERANCE: Duration = Duration::from_secs(300);

pub(super) fn examine(ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = cache(ground.cache);
    let mut places = vec![("the cache", ground.cache.root().to_path_buf()), ("temporary files", std::env::temp_dir())];
    if let Some(context) = ground.project {
        places.push(("results", context.settings.root.join("target/packhouse")));
    }
    findings.extend(places.iter().map(|(what, path)| disk(what, path)));
    findings.push(clock(SystemTime::now(), newest(ground)));
    findings
}

fn cache(cache: &Cache) -> Vec<Finding> {
    let topic = "cache";
    let (_, valid) = Cache::of_user();
    let mut findings: Vec<Finding> = valid.err().map(|error| Finding::of(topic, &error)).into_iter().collect();
    let root = cache.root().display();
    if let (_, Some(refused)) = cache.clone().permitted() {
        let path = refused.path.display();
        let message = format!("no permission to read and write {path}: another cache stands in for {root}");
        findings.push(Finding::warning(topic, message, format!("sudo chown -R \"$(id -un)\" '{path}'")));
        return findings;
    }
    let held: u64 = cache.usage().unwrap_or_default().iter().map(|usage| usage.size.0).sum();
    let message = format!("{root} holds {}", Size(held));
    findings.push(match cache.limit() {
        Some(limit) if held > limit.0 => {
            let message = format!("{message}, more than its limit of {limit}");
            Finding::warning(topic, message, "packhouse cache prune")
        }
        Some(limit) => Finding::ok(topic, format!("{message} of {limit}")),
        None => Finding::ok(topic, format!("{message}, without a limit")),
    });
    findings
}

/// The nearest directory that is there.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/"))
}

fn disk(what: &str, path: &Path) -> Finding {
    use rustix::fs::Access;
    let topic = "disk";
    let place = existing(path);
    if let Some(file) = path.ancestors().find(|path| path.exists()).filter(|path| !path.is_dir()) {
        let message = format!("{} is no directory, and {what} would lie below it", file.display());
        return Finding::problem(topic, message, format!("rm '{}'", file.display()));
    }
    if let Err(error) = rustix::fs::access(place, Access::WRITE_OK | Access::EXEC_OK) {
        let message = format!("{what}: {} cannot be written to: {error}", place.display());
        return Finding::problem(
            topic,
            message,
            format!("sudo chown \"$(id -un)\" '{}', or {}", place.display(), other(what)),
        );
    }
    match rustix::fs::statvfs(place) {
        Ok(disk) => room(what, path, disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Finding::warning(topic, format!("{}: {error}", place.display()), other(what)),
    }
}

/// How another place is named.
fn other(what: &str) -> &'static str {
    match what {
        "the cache" => "name another with PACKHOUSE_CACHE_DIR",
        "results" => "name another with `packhouse build --out DIR`",
        _ => "name another with TMPDIR",
    }
}

fn room(what: &str, path: &Path, available: u64) -> Finding {
    let topic = "disk";
    let message = format!("{} for {what} ({})", Size(available), path.display());
    let remedy = match what {
        "the cache" => "packhouse cache prune --size 1G, or name another place with PACKHOUSE_CACHE_DIR",
        _ => other(what),
    };
    match available {
        0..LITTLE => Finding::problem(topic, format!("only {message}"), remedy),
        LITTLE..SOME => Finding::warning(topic, format!("only {message}"), remedy),
        _ => Finding::ok(topic, message),
    }
}

/// The latest time that something here has: the last commit, the configuration.
fn newest(ground: &Ground<'_>) -> Option<(String, SystemTime)> {
    let context = ground.project?;
    let root = context.settings.root.as_path();
    let commit = Repository::discover(root).ok().and_then(|repository| {
        let seconds = repository.head().ok()?.peel_to_commit().ok()?.time().seconds();
        Some(("the last commit".to_owned(), UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?)))
    });
    let files: Vec<PathBuf> = [crate::config::FILE_NAME, ".git/index", ".git/HEAD"].map(|name| root.join(name)).into();
    let files = files.into_iter().filter_map(|path| {
        let time = fs_err::metadata(&path).ok()?.modified().ok()?;
        Some((path.display().to_string(), time))
    });
    commit.into_iter().chain(files).max_by_key(|(_, time)| *time)
}

fn clock(now: SystemTime, newest: Option<(String, SystemTime)>) -> Finding {
    let topic = "clock";
    let remedy = "sudo timedatectl set-ntp true";
    let day = |time: SystemTime| {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let time = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or_default());
        time.map_or_else(|_| format!("{seconds} s"), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
    };
    if now < UNIX_EPOCH + Duration::from_secs(FLOOR) {
        let message =
            format!("it says {}, which is long over: certificates and signatures will not be valid", day(now));
        return Finding::problem(topic, message, remedy);
    }
    match newest {
        Some((what, time)) if time > now + TOLERANCE => {
            let message = format!("it says {}, and {what} is of {}: one of the two is wrong", day(now), day(time));
            Finding::problem(topic, message, remedy)
        }
        _ => Finding::ok(topic, day(now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn too_little_room_is_a_problem_and_little_room_a_warning_that_names_the_way_out() {
        let of = |available| room("the cache", Path::new("/cache"), available);
        assert_eq!(of(LITTLE - 1).status, Status::Problem);
        assert_eq!(of(SOME - 1).status, Status::Warning);
        assert_eq!(of(SOME).status, Status::Ok);
        assert!(of(0).remedy.unwrap().contains("packhouse cache prune"));
        assert!(room("results", Path::new("/out"), 0).remedy.unwrap().contains("--out"));
    }

    #[test]
    fn a_clock_before_packhouse_or_before_what_is_there_is_wrong() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let file = |seconds| Some(("packhouse.toml".to_owned(), at(seconds)));
        assert_eq!(clock(at(FLOOR - 1), None).status, Status::Problem);
        assert_eq!(clock(at(FLOOR), None).status, Status::Ok);
        assert_eq!(clock(at(FLOOR), file(FLOOR + 60)).status, Status::Ok);
        let behind = clock(at(FLOOR), file(FLOOR + 86_400));
        assert_eq!(behind.status, Status::Problem);
        assert!(behind.message.contains("2026-01-02"), "{}", behind.message);
    }

    #[test]
    fn a_place_below_a_file_or_on_a_disk_without_room_is_a_problem() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs_err::write(&file, "").unwrap();
        let finding = disk("the cache", &file.join("cache"));
        assert_eq!((finding.status, finding.topic), (Status::Problem, "disk"));
        // The kernel's own file systems have no room.
        assert_eq!(disk("the cache", Path::new("/proc/packhouse")).status, Status::Problem);
    }
}
