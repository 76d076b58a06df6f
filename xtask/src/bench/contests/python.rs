//! A Python service with six dependencies: vendored, against pip; packed, against dh-virtualenv.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::bench::{Bench, Contestant, peers, projects, remove};
use crate::process::{run as execute, shell};

pub(super) const COLD: &str = "packhouse build, empty cache";
pub(super) const CHANGED: &str = "packhouse build, own code changed";
pub(super) const THEIRS: &str = "dh-virtualenv";
pub(super) const BYTE_CODE: &str = "byte-code of the dependencies (compileall, all cores)";
pub(super) const BACK_END: &str = "the back end makes the service's wheel (setuptools)";
pub(super) const IMPORT: &str = "the service's dependencies are imported, as for --help";
pub(super) const VENDOR: &str = "packhouse vendor";
pub(super) const PIP: &str = "pip download";

/// From a full vendor directory to a .deb. dh-virtualenv does all of it again when a line has changed: its runs are held
/// against both of ours.
pub(in crate::bench) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("python")?;
    let service = fresh_service(bench, "python")?;
    execute(bench.packhouse("python").arg("-C").arg(&service).arg("vendor"))?;
    let debian = bench.work("debian/shop-1.0");
    projects::debianised(&service, &debian)?;
    projects::commit(&service)?;

    let out = bench.work("python-out");
    let stale = [bench.work("python-cold"), out.clone()];
    let cold = build(bench, COLD, "python-cold", &service, &out)
        .prepared(move || stale.iter().try_for_each(|path| remove(path)));
    let code = service.join("shop/__init__.py");
    let directory = service.clone();
    let mut run = 0;
    let changed = build(bench, CHANGED, "python-cold", &service, &out).repeats(4).prepared(move || {
        run += 1;
        let mut file = fs_err::OpenOptions::new().append(true).open(&code)?;
        writeln!(file, "# changed {run} times, by process {}", std::process::id())?;
        projects::commit(&directory)
    });
    // The changed runs use the cache that the cold one before them has left.
    let mut contestants = vec![cold.makes(&out), changed.makes(&out)];
    contestants.extend(parts(bench, &service)?);
    if peers::program(bench, "dpkg-buildpackage").is_ok() && peers::program(bench, "dh_virtualenv").is_ok() {
        let (directory, made) = (debian.clone(), bench.work("debian/shop_1.0_amd64.deb"));
        let made = if made.is_file() { made } else { bench.work("debian") };
        let command = move || {
            let mut command = Command::new("dpkg-buildpackage");
            command.args(["-us", "-uc", "-b", "-d"]).current_dir(&directory);
            command
        };
        let clean = r#"cd "$1" && { dh_clean >/dev/null 2>&1 || true; } && rm -rf debian/shop ../*.deb"#;
        let theirs = Contestant::new(THEIRS, command).makes(made);
        contestants.push(theirs.prepared(move || execute(&mut shell(clean, [&debian])).map(drop)));
    }
    bench.compete("python", 3, contestants);
    Ok(())
}

/// What packhouse cannot leave out, each by itself with nothing around it: whatever it does beside takes longer.
fn parts(bench: &Bench, service: &Path) -> Result<Vec<Contestant>> {
    let (dependencies, code) = (bench.work("python-dependencies"), bench.work("python-code"));
    let script = r#"rm -rf "$1" "$2" && mkdir -p "$2" && cp -R "$3/shop" "$3/setup.py" "$2" &&
/usr/bin/python3 -m pip install --quiet --no-compile --target "$1" -r "$3/requirements.txt" setuptools"#;
    execute(&mut shell(script, [&dependencies, &code, &service.to_path_buf()]))?;
    let python = |arguments: &[&str], directory: &Path| {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (path, directory) = (dependencies.clone(), directory.to_path_buf());
        move || {
            let mut command = Command::new("/usr/bin/python3");
            command.args(&arguments).env("PYTHONPATH", &path).current_dir(&directory);
            command
        }
    };
    let cores = crate::bench::cores().to_string();
    let compile = python(&["-m", "compileall", "-q", "-f", "-j", &cores, "."], &dependencies);
    let wheel = "import setuptools.build_meta as backend; backend.build_wheel('dist')";
    let stale = [code.join("dist"), code.join("build"), code.join("shop.egg-info")];
    let wheel = Contestant::new(BACK_END, python(&["-c", wheel], &code)).repeats(4);
    let import = python(&["-c", "import shop; shop.main()"], &code);
    Ok(vec![
        // It leaves the byte-code that the others begin with.
        Contestant::new(BYTE_CODE, compile),
        wheel.prepared(move || stale.iter().try_for_each(|path| remove(path))),
        Contestant::new(IMPORT, import).repeats(4),
    ])
}

/// From a lock and an empty cache to a full vendor directory, against pip with an empty cache.
pub(in crate::bench) fn vendor(bench: &mut Bench) -> Result<()> {
    bench.begin("vendor")?;
    let service = fresh_service(bench, "vendor")?;
    execute(bench.packhouse("lock").arg("-C").arg(&service).arg("lock"))?;
    let (program, cache) = (bench.packhouse.clone(), bench.work("vendor-cold"));
    let directory = service.clone();
    let stale = [cache.clone(), service.join("vendor")];
    let ours = Contestant::new(VENDOR, move || {
        let mut command = Command::new(&program);
        command.env("PACKHOUSE_CACHE_DIR", &cache).arg("-C").arg(&directory).arg("vendor");
        command
    });
    let wheels = bench.work("wheels");
    let (requirements, old) = (service.join("requirements.txt"), wheels.clone());
    let pip = Contestant::new(PIP, move || {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-m", "pip", "download", "--quiet", "--no-cache-dir", "--only-binary", ":all:", "-d"]);
        command.arg(&wheels).arg("-r").arg(&requirements);
        command
    });
    let contestants =
        vec![ours.prepared(move || stale.iter().try_for_each(|path| remove(path))), pip.prepared(move || remove(&old))];
    bench.compete("vendor", 5, contestants);
    Ok(())
}

fn fresh_service(bench: &Bench, name: &str) -> Result<std::path::PathBuf> {
    let service = bench.work(&format!("{name}-shop"));
    remove(&service)?;
    projects::python(&service)?;
    Ok(service)
}

fn build(bench: &Bench, name: &str, cache: &str, service: &Path, out: &Path) -> Contestant {
    let (program, cache) = (bench.packhouse.clone(), bench.work(cache));
    let (service, out) = (service.to_path_buf(), out.to_path_buf());
    Contestant::new(name, move || {
        let mut command = Command::new(&program);
        command.env("PACKHOUSE_CACHE_DIR", &cache).arg("-C").arg(&service).args(["build", "--out"]).arg(&out);
        command
    })
}
