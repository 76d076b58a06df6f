//! The program: one file per subcommand, each of which parses, calls the library and renders. No decisions here.
//!
//! Arguments are parsed without side effects into structs; [`Session`] then turns the global ones into settings, cache
//! and reporter. Results go to standard output, everything else to standard error.

mod build;
mod cache;
mod changelog;
mod check;
mod completions;
mod doctor;
mod explain;
mod failure;
mod init;
mod inspect;
mod key;
mod list;
mod lock;
mod pack;
mod prompt;
mod publish;
mod repo;
mod reporter;
mod session;
mod vendor;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{Parser, Subcommand};

use crate::diagnostic::{Code, Diagnose, ExitCode as Status, codes};
pub use failure::Output;
use session::{Globals, Session};

/// What a subcommand gives back when it cannot do its work.
type Failure = Box<dyn Diagnose + Send + Sync>;

/// Turns the services of a repository into deb and rpm packages that carry every dependency, and publishes them to signed
/// apt and yum repositories.
#[derive(Debug, Parser)]
#[command(name = "packhouse", version, max_term_width = 100, after_help = AFTER)]
struct Arguments {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What the way is, and what the exit status means.
const AFTER: &str = "\
From a repository of services to repositories of packages:
  packhouse init                        say what is there, and write the packhouse.toml that is needed
  packhouse vendor                      lock and download what the services need
  packhouse build                       build the packages, without network
  packhouse key generate ../acme.key    once
  packhouse repo init ../repository --key ../acme.key
  packhouse publish target/packhouse/packhouse-artefacts.json \\
      --repo ../repository --suite '{target}' --key ../acme.key

When something is wrong:
  packhouse doctor                      what this machine lacks, and the commands that mend it
  packhouse explain CODE                what a code in brackets means, and what to do

Exit status:
  0    done
  1    the work failed
  2    the command line or the configuration is wrong
  3    a policy said no: a lock that would have to change under --locked, a package that breaks a rule
  4    something this machine lacks: a tool, an interpreter, a namespace
  130, 143  interrupted, by Ctrl-C or a polite kill";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    List(list::List),
    Lock(lock::Lock),
    Vendor(vendor::Vendor),
    Build(Box<build::Build>),
    Pack(pack::Pack),
    Inspect(inspect::Inspect),
    Check(check::Check),
    Explain(explain::Explain),
    Doctor(doctor::Doctor),
    Publish(publish::Publish),
    /// Make and look after repositories.
    #[command(subcommand)]
    Repo(repo::Repo),
    /// Make, show and judge signing keys.
    #[command(subcommand)]
    Key(key::Key),
    Changelog(changelog::Changelog),
    /// Show what the cache holds, and make it smaller.
    #[command(subcommand)]
    Cache(cache::Cache),
    Completions(completions::Completions),
    Man(completions::Man),
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    // `cargo packhouse build` runs `cargo-packhouse packhouse build`.
    let by_cargo = arguments.first().is_some_and(|program| program.to_string_lossy().contains("cargo-packhouse"));
    if by_cargo && arguments.get(1).is_some_and(|argument| argument == "packhouse") {
        arguments.remove(1);
    }
    let json = wants_json(&arguments);
    let Arguments { globals, command } = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return refused(&error, json),
    };
    let (session, valid) = Session::new(globals, !matches!(command, Command::Cache(_) | Command::Doctor(_)));
    if session.sarif() && !matches!(command, Command::Check(_)) {
        let message = "`--format sarif` is for `packhouse check` alone";
        let failure = session::problem(&codes::INVALID_COMMAND_LINE, message, "give `--format json`");
        return ExitCode::from(failure::report(failure.as_ref(), None, session.output(), session.color()));
    }
    // A server ends by itself, after the answers that it has begun.
    if !matches!(&command, Command::Repo(command) if command.is_server()) {
        end_on_interrupt(session.output(), session.color());
    }
    // The doctor tells of it himself.
    let valid = if matches!(command, Command::Doctor(_)) { Ok(()) } else { valid };
    let result = valid.map_err(Failure::from).and_then(|()| run(&session, command));
    // What fails because of an interrupt is not told.
    drop(ENDING.lock());
    session.cache().settle(session.reporter());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let found = session.place(failure.as_ref());
            ExitCode::from(failure::report(failure.as_ref(), found.as_ref(), session.output(), session.color()))
        }
    }
}

/// Whether errors are wanted as JSON, by arguments that may be wrong.
fn wants_json(arguments: &[OsString]) -> bool {
    let follows = |pair: &[OsString]| matches!(pair, [option, value] if option == "--format" && value == "json");
    arguments.iter().any(|argument| argument == "--format=json") || arguments.windows(2).any(follows)
}

/// What clap says of the arguments: help on standard output, errors on standard error with the code that all errors have.
fn refused(error: &clap::Error, json: bool) -> ExitCode {
    let exit = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    let text = error.render();
    // A closed stream leaves nobody to tell.
    match text.to_string().strip_prefix("error: ") {
        Some(message) if json => {
            let failure = session::problem(
                &codes::INVALID_COMMAND_LINE,
                message.trim_end(),
                "`packhouse help` lists the subcommands",
            );
            failure::report(failure.as_ref(), None, Output::Json, anstream::ColorChoice::Never);
        }
        Some(_) => {
            let code = format!("error[{}]:", codes::INVALID_COMMAND_LINE.name);
            let text = text.ansi().to_string().replacen("error:", &code, 1);
            let _ = write!(anstream::AutoStream::auto(std::io::stderr()), "{text}");
        }
        None => {
            let _ = error.print();
        }
    }
    exit
}

/// Somebody ended the program.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Interrupted(Status);

impl Diagnose for Interrupted {
    fn code(&self) -> &'static Code {
        &codes::INTERRUPTED
    }

    fn exit_code(&self) -> Status {
        self.0
    }
}

/// Held by who ends the program.
static ENDING: Mutex<()> = Mutex::new(());

/// Ctrl-C and a polite kill end build steps with us, and remove what is unfinished.
#[expect(clippy::exit, reason = "an interrupted program ends here")]
fn end_on_interrupt(output: Output, color: anstream::ColorChoice) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _ending = ENDING.lock();
            let status = if signal == SIGTERM { Status::Terminated } else { Status::Interrupted };
            let code = failure::report(&Interrupted(status), None, output, color);
            crate::sandbox::kill_running();
            crate::unfinished::remove_all();
            std::process::exit(code.into());
        }
    });
}

fn run(session: &Session, command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(command) => init::run(session, &command),
        Command::List(command) => list::run(session, &command),
        Command::Lock(command) => lock::run(session, &command),
        Command::Vendor(command) => vendor::run(session, &command),
        Command::Build(command) => build::run(session, &command),
        Command::Pack(command) => pack::run(session, &command),
        Command::Inspect(command) => inspect::run(session, &command),
        Command::Check(command) => check::run(session, &command),
        Command::Explain(command) => explain::run(session, &command),
        Command::Doctor(command) => doctor::run(session, &command),
        Command::Publish(command) => publish::run(session, &command),
        Command::Repo(command) => repo::run(session, &command),
        Command::Key(command) => key::run(session, &command),
        Command::Changelog(command) => changelog::run(session, &command),
        Command::Cache(command) => cache::run(session, &command),
        Command::Completions(command) => completions::run(session, &command),
        Command::Man(command) => completions::man(session, &command),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;
    use crate::diagnostic::codes;

    /// Every Rust source below `directory`.
    fn sources(directory: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs_err::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), fs_err::read_to_string(&path).unwrap()));
            }
        }
    }

    /// Why `words`, the arguments of packhouse in a text, are none; placeholders may stand for values.
    fn fault(words: &[&str]) -> Option<String> {
        let mut command = Arguments::command();
        command.build();
        for word in words {
            if let Some(option) = word.strip_prefix("--") {
                let name = option.split('=').next().unwrap_or_default();
                let known = command.get_arguments().any(|argument| argument.get_long() == Some(name));
                if !known && !["help", "version"].contains(&name) {
                    return Some(format!("`{}` has no --{name}", command.get_name()));
                }
            } else if command.has_subcommands() && !word.starts_with('-') {
                let inner = command.find_subcommand(word).cloned();
                match inner {
                    Some(inner) => command = inner,
                    // A placeholder: SUBCOMMAND, {code}.
                    None if word.starts_with('{') || word.chars().all(|letter| !letter.is_lowercase()) => return None,
                    None => return Some(format!("`{}` has no subcommand {word}", command.get_name())),
                }
            }
        }
        None
    }

    #[test]
    fn every_command_of_packhouse_that_a_text_names_exists() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let (mut faults, mut commands) = (Vec::new(), 0);
        for (path, text) in &files {
            let text = text.split("mod tests {").next().unwrap_or_default();
            for part in text.split("`packhouse ").skip(1) {
                let Some(command) = part.split('`').next().filter(|command| command.len() < 100) else { continue };
                // A line of a literal or of a comment goes on.
                let command = command.replace("\\\n", " ").replace("///", " ").replace("//!", " ");
                let words: Vec<&str> = command.split_whitespace().collect();
                commands += 1;
                faults.extend(fault(&words).map(|fault| format!("{path}: packhouse {command}: {fault}")));
            }
        }
        assert!(commands > 100, "{commands}");
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn every_command_of_an_example_is_one_that_packhouse_takes() {
        let mut commands = 0;
        for code in codes::all().filter(|code| *code != &codes::INVALID_COMMAND_LINE) {
            for line in code.example.lines() {
                let Some((before, command)) = line.split_once("packhouse ") else { continue };
                let is_command = before.split_whitespace().all(|word| word.contains('='));
                let Some(words) = shlex::split(command.split(" && ").next().unwrap_or_default()).filter(|_| is_command)
                else {
                    continue;
                };
                let words = words.into_iter().take_while(|word| !word.starts_with(['<', '>', '#']));
                let parsed = Arguments::try_parse_from(std::iter::once("packhouse".to_owned()).chain(words));
                commands += 1;
                assert!(parsed.is_ok(), "{}: {line}: {}", code.name, parsed.unwrap_err());
            }
        }
        assert!(commands > 30, "{commands}");
    }
}
