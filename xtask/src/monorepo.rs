//! A monorepo of small Python services that share a vendored wheel, with a history: what benches of many services, and
//! whoever profiles them, build. Nothing of it comes from the network: the wheel is written here, and every service brings
//! its own back end.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{run, shell};

/// Packs `src` into a wheel; no more than the standard library.
const BACK_END: &str = include_str!("monorepo/back_end.py");
/// Modules of each service and of the shared wheel.
const MODULES: usize = 90;

/// A monorepo that was written.
#[derive(Debug)]
pub(crate) struct Monorepo {
    /// The repository.
    pub(crate) root: PathBuf,
    /// The directory with the shared wheel, for `UV_FIND_LINKS` while it is locked and vendored.
    pub(crate) links: PathBuf,
}

impl Monorepo {
    /// Writes `services` services with a history of `commits` into `directory`, which must not be there; nothing is locked
    /// or vendored yet.
    pub(crate) fn write(directory: &Path, services: usize, commits: usize) -> Result<Self> {
        let monorepo = Self { root: directory.join("repository"), links: directory.join("links") };
        fs_err::create_dir_all(&monorepo.links)?;
        monorepo.shared_wheel(&directory.join("shared"))?;
        let mut configuration = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\n\
                                 homepage = \"https://acme.example\"\nlicense = \"MIT\"\ntargets = [\"debian-12\"]\n"
            .to_owned();
        for number in 0..services {
            let name = name(number);
            configuration.push_str(&format!("[services.{name}]\nsummary = \"Service {number} of the Acme cloud\"\n"));
            monorepo.service(number, &name)?;
        }
        monorepo.put("packhouse.toml", &configuration)?;
        monorepo.put(".gitignore", "__pycache__/\n/target/\n")?;
        let script = r##"cd "$1"; git init -q -b main; git config user.name Acme; git config user.email cloud@acme.example
            git config gc.auto 0; git add -A; git commit -qm "All services"
            for ((commit = 0; commit < $2; commit++)); do
                service=$(printf 'svc-%02d' $((commit % $3)))
                echo "# change $commit" >> "services/$service/src/${service/-/_}/part$((commit % 90)).py"
                git commit -qam "Change $commit of $service"
            done"##;
        run(&mut shell(
            script,
            [monorepo.root.as_os_str(), commits.to_string().as_ref(), services.max(1).to_string().as_ref()],
        ))?;
        Ok(monorepo)
    }

    /// Locks and vendors everything with `packhouse`, whose cache is `cache`, and commits it.
    pub(crate) fn vendor(&self, packhouse: &Path, cache: &Path) -> Result<()> {
        let mut command = Command::new(packhouse);
        command.arg("vendor").current_dir(&self.root).env("PACKHOUSE_CACHE_DIR", cache);
        run(command.env("UV_FIND_LINKS", &self.links).env("UV_NO_CONFIG", "1"))?;
        run(&mut shell("cd \"$1\"; git add -A; git commit -qm Vendored", [&self.root]))?;
        Ok(())
    }

    /// Changes the own code of the service of this number.
    #[allow(dead_code, reason = "for benches of one change")]
    pub(crate) fn change(&self, number: usize, change: &str) -> Result<()> {
        let name = name(number);
        let file = format!("services/{name}/src/{}/main.py", name.replace('-', "_"));
        let text = fs_err::read_to_string(self.root.join(&file))?;
        self.put(&file, &format!("{text}# {change}\n"))
    }

    fn service(&self, number: usize, name: &str) -> Result<()> {
        let module = name.replace('-', "_");
        let put = |file: &str, text: &str| self.put(&format!("services/{name}/{file}"), text);
        put(
            "pyproject.toml",
            &format!(
                "[build-system]\nrequires = []\nbuild-backend = \"back_end\"\nbackend-path = [\".\"]\n[project]\n\
                 name = \"{name}\"\nversion = \"1.0.{number}\"\nlicense = \"MIT\"\nrequires-python = \">=3.9\"\n\
                 dependencies = [\"acme-shared\"]\n[project.scripts]\n{name} = \"{module}.main:main\"\n"
            ),
        )?;
        put("back_end.py", BACK_END)?;
        put("identity", &format!("{name} 1.0.{number}\n"))?;
        put("entry_points.txt", &format!("[console_scripts]\n{name} = {module}.main:main\n"))?;
        put(&format!("src/{module}/__init__.py"), "")?;
        let usage = format!("usage: {name} [OPTIONS]\\n\\nOptions:\\n  -h, --help  This");
        put(&format!("src/{module}/main.py"), &format!("def main():\n    print(\"{usage}\")\n"))?;
        (0..MODULES).try_for_each(|part| {
            put(&format!("src/{module}/part{part}.py"), &format!("# {part} of {name}\nVALUE = {part}\n").repeat(30))
        })
    }

    /// The wheel that all services need.
    fn shared_wheel(&self, sources: &Path) -> Result<()> {
        fs_err::create_dir_all(sources.join("src/acme_shared"))?;
        fs_err::write(sources.join("identity"), "acme-shared 1.0\n")?;
        fs_err::write(sources.join("back_end.py"), BACK_END)?;
        fs_err::write(sources.join("src/acme_shared/__init__.py"), "")?;
        for part in 0..MODULES {
            let text = format!("VALUE = {part}\n").repeat(20);
            fs_err::write(sources.join(format!("src/acme_shared/part{part}.py")), text)?;
        }
        let mut python = Command::new("python3");
        python.args(["-c", "import back_end, sys; back_end.build_wheel(sys.argv[1])"]).arg(&self.links);
        run(python.current_dir(sources))?;
        Ok(())
    }

    fn put(&self, file: &str, text: &str) -> Result<()> {
        let path = self.root.join(file);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        Ok(fs_err::write(path, text)?)
    }
}

fn name(number: usize) -> String {
    format!("svc-{number:02}")
}

/// `cargo xtask monorepo DIRECTORY [SERVICES [COMMITS]]`.
pub(crate) fn run_for(arguments: &[String]) -> Result<()> {
    let directory = arguments.first().ok_or("usage: cargo xtask monorepo DIRECTORY [SERVICES [COMMITS]]")?;
    let number = |place: usize, default: usize| arguments.get(place).map_or(Ok(default), |text| text.parse());
    let directory = std::path::absolute(directory)?;
    let monorepo = Monorepo::write(&directory, number(1, 50)?, number(2, 300)?)?;
    let packhouse = crate::process::root().join("target/debug/packhouse");
    monorepo.vendor(&packhouse, &directory.join("cache"))?;
    crate::process::say("Wrote", &monorepo.root.display().to_string());
    Ok(())
}
