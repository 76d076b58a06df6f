//! A publisher that dies, or is refused by the disk, at every system call that writes, renames, links or syncs; at random
//! moments; and on a file system that is really full or read-only.
//!
//! After each the visible repository must be whole, with the packages from before or with the new ones; and the next publisher
//! must not notice.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use super::check::visible;
use super::{Field, restore};
use crate::Result;
use crate::acceptance::Bench;
use crate::process::{output, run, say, shell, text};

/// Everything by which a publisher changes what is on the disk.
const CALLS: &str = "write,pwrite64,writev,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,\
                     fsync,fdatasync,syncfs,sync_file_range,ftruncate,fallocate,copy_file_range,sendfile,utimensat,fchmod,chmod";
/// So many random moments.
const MOMENTS: usize = 100;
/// With `--long`.
const LONG: usize = 1000;

/// A repository with one package of each kind, and one more to be published.
struct Scene<'a> {
    field: Field<'a>,
    /// A copy of the repository before.
    base: PathBuf,
    new: [PathBuf; 2],
}

impl<'a> Scene<'a> {
    fn new(bench: &'a Bench, name: &str) -> Result<Self> {
        let field = Field::new(bench, name)?;
        let template = field.template()?;
        let (old, new) = (field.packages(&template, 0)?, field.packages(&template, 1)?);
        run(&mut field.publish(&old))?;
        let base = field.place.join("base");
        restore(&field.repository, &base)?;
        Ok(Self { field, base, new })
    }

    /// The publisher, with something injected into its `at`th call of one of these.
    fn injected(&self, calls: &str, what: &str, at: usize) -> Result<Output> {
        let publish = self.field.publish(&self.new);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e"]);
        strace.arg(format!("inject={calls}:{what}:when={at}")).arg(publish.get_program()).args(publish.get_args());
        output(&mut strace)
    }

    /// What stands there must be whole, old or new; then the next publisher completes it.
    fn judge(&self, ended: &Output, what: &str) -> Result<(usize, usize)> {
        let repository = &self.field.repository;
        let said = |error: &dyn std::fmt::Display| format!("{what}: {error}\n{}", text(ended));
        let seen = visible(repository).map_err(|error| said(&error))?;
        if ![(1, 1), (2, 1), (1, 2), (2, 2)].contains(&seen) {
            return Err(said(&format!("{seen:?} packages are seen")).into());
        }
        if ended.status.success() && seen != (2, 2) {
            return Err(said(&format!("it ended well with {seen:?} packages")).into());
        }
        run(&mut self.field.publish(&self.new)).map_err(|error| said(&error))?;
        let after = visible(repository).map_err(|error| said(&error))?;
        if after != (2, 2) {
            return Err(said(&format!("{after:?} packages after the next publisher")).into());
        }
        let left = fs_err::read_dir(repository.join(".packhouse/tmp"))?.count();
        if left != 0 {
            return Err(said(&format!("{left} unfinished files are left")).into());
        }
        self.field.verify().map_err(|error| said(&error))?;
        Ok(seen)
    }

    fn fresh(&self) -> Result<()> {
        restore(&self.base, &self.field.repository)
    }
}

/// SIGKILL at every such call.
pub(super) fn kills(bench: &Bench) -> Result<()> {
    let scene = Scene::new(bench, "kills")?;
    let mut seen = std::collections::BTreeMap::<(usize, usize), usize>::new();
    // strace counts in each thread: call by call there are more moments than with all of them together.
    for call in CALLS.split(',') {
        for at in 1.. {
            scene.fresh()?;
            let ended = scene.injected(call, "signal=KILL", at)?;
            *seen.entry(scene.judge(&ended, &format!("killed at {call} number {at}"))?).or_default() += 1;
            if ended.status.success() {
                break;
            }
        }
    }
    let total: usize = seen.values().sum();
    say("Killed", &format!("{total} publishers: {seen:?} (debs, rpms) were seen"));
    if total > 30 && seen.contains_key(&(1, 1)) {
        Ok(())
    } else {
        Err(format!("too few moments of death: {seen:?}").into())
    }
}

/// The disk refuses each such call once.
pub(super) fn errors(bench: &Bench) -> Result<()> {
    let scene = Scene::new(bench, "errors")?;
    for (error, words) in [("ENOSPC", "No space left on device"), ("EROFS", "Read-only file system")] {
        // A message that cannot be written is no fault of the disk.
        let calls =
            CALLS.replace("write,pwrite64,writev,", if error == "ENOSPC" { "pwrite64,copy_file_range," } else { "" });
        let mut refused = 0;
        let mut well = 0;
        for at in 1..2000 {
            scene.fresh()?;
            let ended = scene.injected(&calls, &format!("error={error}"), at)?;
            let whole = scene.judge(&ended, &format!("{error} at call {at}"))?;
            if ended.status.success() {
                well += 1;
                // Calls that may fail come one by one; many that do not fail are beyond the end.
                if well > 20 {
                    break;
                }
            } else {
                well = 0;
                refused += 1;
                let said = text(&ended);
                if !said.contains(words) || said.contains("panicked") {
                    return Err(format!("{error} at call {at}, {whole:?}: it says\n{said}").into());
                }
            }
        }
        say("Refused", &format!("{refused} calls with {error}"));
        if refused < 10 {
            return Err(format!("only {refused} calls could be refused with {error}").into());
        }
    }
    Ok(())
}

/// A small file system with less and less room, and one that is read-only.
pub(super) fn full(bench: &Bench) -> Result<()> {
    // A run that failed may have left it mounted.
    let left = bench.directory.join("proof/full/mounted");
    run(&mut shell(r#"umount "$1" 2>/dev/null || true"#, [&left]))?;
    let scene = Scene::new(bench, "full")?;
    let mounted = scene.field.place.join("mounted");
    fs_err::create_dir_all(&mounted)?;
    let image = scene.field.place.join("image");
    let mut refused = 0;
    let mut room = 0;
    loop {
        // An ext4 of 8 MiB on a loop device, filled up to `room` KiB.
        run(&mut shell(
            r#"umount "$1" 2>/dev/null || true
rm -f "$2"; truncate -s 8M "$2"; mkfs.ext4 -q -m 0 -N 2048 "$2"; mount -o loop "$2" "$1"
cp -a "$3" "$1/repository"; sync
head -c "$(($(stat -f -c '%a*%S' "$1" | bc 2>/dev/null || python3 -c "import os,sys;s=os.statvfs(sys.argv[1]);print(s.f_bavail*s.f_frsize)" "$1") - $4 * 1024))" /dev/zero > "$1/filler" || true
sync"#,
            [mounted.as_os_str(), image.as_os_str(), scene.base.as_os_str(), room.to_string().as_ref()],
        ))?;
        let inside = Scene {
            field: Field {
                bench,
                place: scene.field.place.clone(),
                repository: mounted.join("repository"),
                key: scene.field.key.clone(),
            },
            base: scene.base.clone(),
            new: scene.new.clone(),
        };
        let ended = output(&mut inside.field.publish(&inside.new))?;
        let said = text(&ended);
        let seen = visible(&inside.field.repository).map_err(|error| format!("with {room} KiB: {error}\n{said}"));
        fs_err::remove_file(mounted.join("filler"))?;
        let judged =
            seen.and_then(|_| inside.judge(&ended, &format!("with {room} KiB")).map_err(|error| error.to_string()));
        if judged.is_err() || ended.status.success() {
            if judged.is_ok() {
                read_only(&inside, &mounted)?;
            }
            run(&mut shell(r#"umount "$1""#, [&mounted]))?;
            judged?;
            break;
        }
        if !said.contains("No space left on device") {
            return Err(format!("with {room} KiB it says\n{said}").into());
        }
        refused += 1;
        room += if room < 64 { 4 } else { 16 };
    }
    say("Refused", &format!("{refused} times for want of room, published with {room} KiB"));
    if refused >= 3 { Ok(()) } else { Err(format!("only {refused} times").into()) }
}

fn read_only(scene: &Scene<'_>, mounted: &std::path::Path) -> Result<()> {
    let template = scene.field.template()?;
    let more = scene.field.packages(&template, 2)?;
    run(Command::new("mount").args(["-o", "remount,ro"]).arg(mounted))?;
    let ended = output(&mut scene.field.publish(&more))?;
    let seen = visible(&scene.field.repository);
    run(Command::new("mount").args(["-o", "remount,rw"]).arg(mounted))?;
    let said = text(&ended);
    if ended.status.success() || !said.contains("Read-only file system") || seen? != (2, 2) {
        return Err(format!("on a read-only disk: {said}").into());
    }
    Ok(())
}

/// SIGKILL at random moments of a publisher that runs at full speed.
pub(super) fn moments(bench: &Bench) -> Result<()> {
    let scene = Scene::new(bench, "moments")?;
    let begin = Instant::now();
    run(&mut scene.field.publish(&scene.new))?;
    let usual = begin.elapsed();
    let mut seen = std::collections::BTreeMap::<(usize, usize), usize>::new();
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    let moments = if bench.long { LONG } else { MOMENTS };
    for at in 0..moments {
        scene.fresh()?;
        // xorshift64: every run of this test dies at the same fractions of a publication.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let moment = usual.mul_f64((random % 1100) as f64 / 1000.0);
        let mut child = scene
            .field
            .publish(&scene.new)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()?;
        std::thread::sleep(moment.max(Duration::from_micros(100)));
        // It may have ended by itself.
        let _ = child.kill();
        let status = child.wait()?;
        let ended = Output { status, stdout: Vec::new(), stderr: Vec::new() };
        *seen.entry(scene.judge(&ended, &format!("killed after {moment:?} (number {at})"))?).or_default() += 1;
    }
    say("Killed", &format!("{moments} publishers at random moments: {seen:?} (debs, rpms) were seen"));
    if seen.len() > 1 { Ok(()) } else { Err(format!("all of them died at the same stage: {seen:?}").into()) }
}
