//! Asks a service's commands for their `--help`, which becomes their man pages.
//!
//! The staged tree is put into a directory and shown at the place where it will be installed, in the sandbox: no network,
//! nothing to write to, an environment that is the same everywhere. Where mounts are not to be had, an interpreter is
//! called for the scripts by hand, and an answer that tells where it was run is not taken, because it would be another one
//! elsewhere. Answers, refusals too, are kept by everything that they depend on.
//!
//! A command that cannot be asked is no error: its page is made from what is known of the package, and a note says so.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout::{self, Plan, Wanted};
use crate::cache::record;
use crate::config::{Addition, ServiceSettings, Settings};
use crate::digest::Sha256;
use crate::ecosystem::python::host::{self, Interpreter};
use crate::ecosystem::{self, Context};
use crate::package::Staged;
use crate::package::pages::{self, LONGEST_HELP};
use crate::sandbox::{self, Bind, Sandbox, Step};
use crate::target::{Architecture, Target};
use crate::tree::{Content, Entry, InstallPath, Node, Tree, elf};
use crate::workspace::Member;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Changes with how commands are asked and answers are kept.
const EDITION: &str = "packhouse help 2";
/// Where trees are laid out. Changes with what is in one.
const LAYOUTS: &str = "layouts/v2";
/// No home: `~` is shown in place of it.
const HOME: &str = "/nonexistent";

/// What a command said, or why it is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Help(String),
    Refused(String),
}

/// One service for one target.
pub(super) struct Question<'a> {
    pub(super) context: Context<'a>,
    pub(super) service: &'a Member,
    pub(super) target: &'a Target,
    pub(super) staged: &'a Staged,
    /// Seconds since 1970.
    pub(super) time: i64,
}

/// What those commands print for `--help` that have no page in the repository, and what the user should know of the others.
pub(super) fn ask(question: &Question<'_>) -> Result<(BTreeMap<String, String>, Vec<String>), ecosystem::Error> {
    let Question { context, service, staged, .. } = question;
    let settings = context.settings.service_for(&service.name, question.target.format());
    if !settings.adds(Addition::ManPages) {
        return Ok((BTreeMap::new(), Vec::new()));
    }
    let directory = context.workspace.directory(service);
    let names = staged.commands.iter().map(|(name, _)| name.as_str());
    let undocumented = pages::undocumented(&settings, &directory, names)?;
    let commands: Vec<&(String, InstallPath)> =
        staged.commands.iter().filter(|(name, _)| undocumented.contains(&name.as_str())).collect();
    let (mut help, mut notes) = (BTreeMap::new(), Vec::new());
    for (name, answer) in answers(question, &commands)? {
        match answer {
            Answer::Help(text) => {
                help.insert(name, text);
            }
            Answer::Refused(reason) => {
                notes.push(format!(
                    "{}: the man page of `{name}` has only what packhouse knows of it, because {reason}; give it a page \
                     with `man` in [services.{}]",
                    service.name, service.name
                ));
            }
        }
    }
    Ok((help, notes))
}

/// What is asked of a service: its tree as it was staged. What stands alone is asked from a tree of its own as well: it must
/// not hide what else is in its directory.
pub(super) fn askable(
    staged: &Staged,
    service: &ServiceSettings,
    settings: &Settings,
    member: &Member,
    target: &Target,
) -> Result<Staged, ecosystem::Error> {
    if !service.is_flat() {
        return Ok(staged.clone());
    }
    let mut asked = Staged { python: staged.python, ..Staged::default() };
    let mut add = |name: &str, content: &Content| -> Result<(), ecosystem::Error> {
        let place = InstallPath::parse(&format!("/usr/lib/{}/{}/bin/{name}", settings.project.org, member.name));
        let place = place.map_err(std::io::Error::other).map_err(super::Error::Io)?;
        // The same program by another way is asked once.
        if asked.tree.get(&place).is_none() {
            let free = asked.tree.file(place.clone(), content.clone(), 0o755);
            free.map_err(std::io::Error::other).map_err(super::Error::Io)?;
            asked.commands.push((name.to_owned(), place));
        }
        Ok(())
    };
    for (name, path) in &staged.commands {
        if let Some(content) = staged.tree.get(path).and_then(Entry::content) {
            add(name, content)?;
        }
    }
    for (name, file) in crate::package::built_commands(service, staged, target) {
        add(&name, &file.content)?;
    }
    Ok(asked)
}

fn answers(
    question: &Question<'_>,
    commands: &[&(String, InstallPath)],
) -> Result<Vec<(String, Answer)>, ecosystem::Error> {
    let Question { context, service, target, staged, time } = question;
    let refuse =
        |reason: String| Ok(commands.iter().map(|(name, _)| (name.clone(), Answer::Refused(reason.clone()))).collect());
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    if Architecture::host() != Some(target.architecture) && has_programs(&staged.tree)? {
        return refuse(format!("programs for {} do not run here", target.architecture.machine()));
    }
    let sandbox = Sandbox::from_environment()?;
    let interpreter = match staged.python {
        None => None,
        Some(version) => match host::of_version(&sandbox, version)? {
            Some(interpreter) => Some(interpreter),
            None => return refuse(format!("there is no Python {version} here")),
        },
    };
    let prefix = InstallPath::parse(&format!("/usr/lib/{}/{}", context.settings.project.org, service.name))
        .map_err(std::io::Error::other)
        .map_err(super::Error::Io)?;
    let run = Run { sandbox, interpreter, prefix, tree: &staged.tree, time: *time, patience: PATIENCE };
    let digest = run.digest();
    let kept = |name: &str| Kept::of(context, digest, name);
    let known = || -> Option<Vec<(String, Answer)>> {
        commands.iter().map(|(name, _)| Some((name.clone(), kept(name).read()?))).collect()
    };
    if let Some(known) = known() {
        return Ok(known);
    }
    // Targets with equal trees ask once, and one after another uses what is laid out; not in a cache that cannot be written.
    let place = run.place();
    let lock = context.cache.lock(&format!("help-{place}"));
    if let Some(known) = known() {
        return Ok(known);
    }
    let temporary = context.cache.scratch().map_err(super::Error::Io)?;
    let directory = if run.sandbox.isolation().has_fixed_places() && lock.is_ok() {
        let directory = context.cache.section(LAYOUTS).join(place);
        let updated = layout::update(&directory, &run.plan());
        context.cache.used(&directory);
        context.cache.added_entry(&directory);
        updated
    } else {
        let directory = temporary.path().join("tree");
        layout::lay_out(&directory, &run.plan()).map(|()| directory)
    };
    let directory = directory.map_err(super::Error::Io)?;
    let mut answers = Vec::new();
    for (name, program) in commands {
        let answer = run.ask(name, program, &directory)?;
        // What cannot be kept is asked again.
        drop(kept(name).write(context, &answer));
        answers.push((name.clone(), answer));
    }
    Ok(answers)
}

/// Whether anything in the tree is for one architecture.
fn has_programs(tree: &Tree) -> Result<bool, super::Error> {
    for (_, entry) in tree.iter() {
        if let Node::File(content) = &entry.node
            && elf::read(content)?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where an answer is kept.
struct Kept {
    name: String,
    path: PathBuf,
}

impl Kept {
    fn of(context: &Context<'_>, digest: Sha256, command: &str) -> Self {
        let name = Sha256::of(format!("{digest} {command}").as_bytes()).to_string();
        let path = context.cache.section("help").join(name.get(..2).unwrap_or_default()).join(&name);
        Self { name, path }
    }

    fn read(&self) -> Option<Answer> {
        serde_json::from_slice(&record::read(&self.path, &self.name)?).ok()
    }

    fn write(&self, context: &Context<'_>, answer: &Answer) -> std::io::Result<()> {
        let text = serde_json::to_vec(answer).map_err(std::io::Error::other)?;
        record::write(context.cache, &self.path, &self.name, &text)
    }
}

/// How commands are run.
struct Run<'a> {
    sandbox: Sandbox,
    interpreter: Option<Interpreter>,
    prefix: InstallPath,
    tree: &'a Tree,
    time: i64,
    patience: Duration,
}

impl Run<'_> {
    /// Of everything that an answer depends on.
    fn digest(&self) -> Sha256 {
        let interpreter = self.interpreter.as_ref().map(|interpreter| interpreter.full_version.as_str());
        let mut text = format!(
            "{EDITION}\n{}\n{}\n{}\n{}\n",
            self.prefix,
            interpreter.unwrap_or_default(),
            self.sandbox.isolation().has_fixed_places(),
            self.time
        );
        for (path, Entry { node, mode, .. }) in self.tree.iter() {
            let node = match node {
                Node::Directory => "directory".to_owned(),
                Node::File(content) => content.digests.sha256.to_string(),
                Node::Symlink(target) => format!("-> {target}"),
                Node::HardLink(target) => format!("= {target}"),
            };
            text.push_str(&format!("{path}\n{mode:o} {node}\n"));
        }
        Sha256::of(text.as_bytes())
    }

    /// The name of the place where it is laid out: what is there before is mostly the same.
    fn place(&self) -> String {
        let python = self.interpreter.as_ref().map(|interpreter| interpreter.version.to_string());
        Sha256::of(format!("{} {}", self.prefix, python.unwrap_or_default()).as_bytes()).to_string()
    }

    /// The tree, with this machine's interpreter in it.
    fn plan(&self) -> Plan {
        let mut plan = layout::plan(self.tree, &self.prefix);
        if let Some(interpreter) = &self.interpreter {
            let home = interpreter.path.parent().unwrap_or(Path::new("/usr/bin")).display();
            let configuration = format!("home = {home}\ninclude-system-site-packages = false\n");
            plan.insert("bin/python".to_owned(), Wanted::Link(interpreter.path.clone()));
            plan.insert("pyvenv.cfg".to_owned(), Wanted::File(Content::bytes(configuration.into_bytes()), 0o644));
        }
        plan
    }

    /// Asks one command; the tree is in `directory`.
    fn ask(&self, name: &str, program: &InstallPath, directory: &Path) -> Result<Answer, ecosystem::Error> {
        let refused = |reason: &str| Ok(Answer::Refused(reason.to_owned()));
        let binds = vec![Bind::read_only(directory, self.prefix.as_str())];
        let path = self.sandbox.seen(&binds, Path::new(program.as_str()));
        let mut step = Step {
            program: path.clone(),
            arguments: vec!["--help".into()],
            directory: PathBuf::from("/"),
            environment: vec![
                ("HOME".to_owned(), HOME.into()),
                ("COLUMNS".to_owned(), "80".into()),
                ("LINES".to_owned(), "24".into()),
                ("TERM".to_owned(), "dumb".into()),
                ("NO_COLOR".to_owned(), "1".into()),
                (crate::variables::SOURCE_DATE_EPOCH.to_owned(), self.time.to_string().into()),
            ],
            binds,
            time_limit: Some(self.patience),
        };
        if !self.sandbox.isolation().has_fixed_places() {
            // The script's first line names an interpreter that is not there.
            match self.head(program)?.as_slice() {
                [b'#', b'!', line @ ..] if line.starts_with(self.prefix.as_str().as_bytes()) => {
                    step.program = directory.join("bin/python");
                    step.arguments.splice(0..0, ["-I".into(), "-u".into(), "-B".into(), path.clone().into_os_string()]);
                }
                [0x7f, b'E', b'L', b'F', ..] => {}
                _ => return refused("this machine permits no mount namespaces, without which it cannot be run"),
            }
        }
        let mut printed = 0_usize;
        let output = match self.sandbox.run_with(&step, &mut |_, piece| printed = printed.saturating_add(piece.len())) {
            Ok(output) => output,
            Err(sandbox::Error::Start { source, .. }) => return refused(&format!("it cannot be started ({source})")),
            Err(error) => return Err(Box::new(error)),
        };
        if output.timed_out {
            return refused(&format!("`--help` did not end within {} seconds", self.patience.as_secs()));
        }
        if !output.status.success() {
            let last = String::from_utf8_lossy(&output.stderr);
            let last = last.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let last: String = last.chars().filter(|character| !character.is_control()).take(120).collect();
            let last = if last.is_empty() { last } else { format!(": {last}") };
            return refused(&format!("`--help` failed with {}{last}", output.status));
        }
        if printed > LONGEST_HELP {
            return refused("`--help` prints more than 256 KiB");
        }
        let bytes = if output.stdout.trim_ascii().is_empty() { &output.stderr } else { &output.stdout };
        let text = String::from_utf8_lossy(bytes);
        // A command that calls itself by its whole path is called by its name.
        let text = text.replace(program.as_str(), name).replace(&format!("{HOME}/"), "~/");
        if !pages::is_help(&text) {
            return refused("`--help` prints nothing that looks like help");
        }
        let flat: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        let place = directory.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        if [place.as_str(), "packhouse-step-", "/packhouse/"].iter().any(|trace| flat.contains(trace)) {
            return refused("`--help` tells where it was run");
        }
        Ok(Answer::Help(text))
    }

    /// The first bytes of a program.
    fn head(&self, program: &InstallPath) -> Result<Vec<u8>, super::Error> {
        let mut head = Vec::new();
        if let Some(Entry { node: Node::File(content), .. }) = self.tree.get(program) {
            content.open()?.take(512).read_to_end(&mut head)?;
        }
        Ok(head)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::sandbox::Mode;

    const PREFIX: &str = "/usr/lib/acme/acme-help-test";

    fn path(below: &str) -> InstallPath {
        InstallPath::parse(&format!("{PREFIX}/{below}")).unwrap()
    }

    /// What `script` answers when it is asked in a tree like those of Python services.
    fn asked(mode: Mode, script: &str) -> Option<Answer> {
        let sandbox = Sandbox::new(mode).unwrap();
        let interpreter = host::any(&sandbox, &[]).unwrap()?;
        let mut tree = Tree::new();
        let mut add = |below: &str, text: &str, mode: u32| {
            tree.file(path(below), Content::bytes(text.as_bytes()), mode).unwrap();
        };
        let site = format!("lib/python{}/site-packages", interpreter.version);
        add("bin/acme-tool", script, 0o755);
        add("pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n", 0o644);
        add(&format!("{site}/acme_tool.py"), "WHERE = __file__\n", 0o644);
        tree.symlink(path("bin/python"), "../../../../bin/python3.nothing").unwrap();
        let run = Run {
            sandbox,
            interpreter: Some(interpreter),
            prefix: InstallPath::parse(PREFIX).unwrap(),
            tree: &tree,
            time: 1_767_225_600,
            patience: Duration::from_secs(5),
        };
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("tree");
        layout::lay_out(&directory, &run.plan()).unwrap();
        Some(run.ask("acme-tool", &path("bin/acme-tool"), &directory).unwrap())
    }

    fn python(body: &str) -> String {
        format!("#!{PREFIX}/bin/python -Iu\n{body}\n")
    }

    fn refused(answer: Option<Answer>, reason: &str) {
        match answer {
            None => println!("skipped: no python3 here"),
            Some(Answer::Refused(text)) => assert!(text.contains(reason), "{text}"),
            Some(Answer::Help(text)) => panic!("{text}"),
        }
    }

    #[test]
    fn a_command_speaks_as_it_will_where_it_is_installed() {
        let script = python(
            "import argparse, os, acme_tool\n\
             parser = argparse.ArgumentParser(description=os.path.expanduser('~/.acme'))\n\
             parser.add_argument('--port', help=' '.join(os.environ.get(n, '') for n in ('COLUMNS', 'NO_COLOR', 'USER')))\n\
             parser.parse_args()",
        );
        for mode in [Mode::Auto, Mode::None] {
            let Some(answer) = asked(mode, &script) else { return };
            let Answer::Help(text) = answer else { panic!("{answer:?}") };
            assert!(text.starts_with("usage: acme-tool [-h] [--port PORT]\n"), "{text}");
            assert!(text.contains("\n~/.acme\n") && text.contains("80 1"), "{text}");
        }
    }

    #[test]
    fn its_place_is_the_installed_one_or_the_answer_is_not_taken() {
        let script = python("import acme_tool\nprint('usage: acme-tool\\n\\nOptions:\\n  --x  ' + acme_tool.WHERE)");
        if Sandbox::new(Mode::Auto).unwrap().isolation().has_fixed_places() {
            let Some(answer) = asked(Mode::Auto, &script) else { return };
            let Answer::Help(text) = answer else { panic!("{answer:?}") };
            assert!(text.contains(&format!("--x  {PREFIX}/lib/python3.")), "{text}");
        }
        refused(asked(Mode::None, &script), "where it was run");
    }

    #[test]
    fn what_does_not_answer_is_refused_with_the_reason() {
        refused(
            asked(Mode::Auto, &python("raise SystemExit('no such thing')")),
            "failed with exit status: 1: no such thing",
        );
        refused(asked(Mode::Auto, &python("print('{}')")), "nothing that looks like help");
        refused(asked(Mode::Auto, &python("pass")), "nothing that looks like help");
        refused(asked(Mode::Auto, &python("print('usage: x' + 'y' * 10_000_000)")), "more than 256 KiB");
        refused(asked(Mode::Auto, &python("import time\ntime.sleep(600)")), "did not end within 5 seconds");
        refused(asked(Mode::Auto, "#!/nowhere/at/all\n"), "");
    }

    #[test]
    fn nothing_is_reachable_and_nothing_can_be_written() {
        if !Sandbox::new(Mode::Auto).unwrap().isolation().has_fixed_places() {
            println!("skipped: no mount namespaces here");
            return;
        }
        let script = python(
            "import os, socket\n\
             for place in ('/usr/lib/acme/x', '/etc/x', __file__):\n\
             \x20   try: open(place, 'a'); raise SystemExit(place + ' is writable')\n\
             \x20   except OSError: pass\n\
             print('usage: acme-tool', sorted(name for _, name in socket.if_nameindex()))",
        );
        let Some(answer) = asked(Mode::Auto, &script) else { return };
        assert_eq!(answer, Answer::Help("usage: acme-tool ['lo']\n".to_owned()));
    }
}
