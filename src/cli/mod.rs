//! The program: one file per subcommand, each of which parses, calls the library and renders. No decisions here.
//!
//! Arguments are parsed without side effects into structs; [`Session`] then turns the global ones into settings, cache
//! and reporter. Results go to standard output, everything else to standard error.

mod build;
mod cache;
mod changelog;
mod check;
mod completions;
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
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{Parser, Subcommand};

use crate::diagnostic::{Diagnose, ExitCode as Status};
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
  packhouse init                        write packhouse.toml
  packhouse vendor                      lock and download what the services need
  packhouse build                       build the packages, without network
  packhouse key generate ../acme.key    once
  packhouse repo init ../repository --key ../acme.key
  packhouse publish target/packhouse/packhouse-artefacts.json \\
      --repo ../repository --suite '{target}' --key ../acme.key

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
    let Arguments { globals, command } = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap writes help to standard output and errors to standard error; a closed stream leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let (session, valid) = Session::new(globals, !matches!(command, Command::Cache(_)));
    if session.sarif() && !matches!(command, Command::Check(_)) {
        let failure = session::usage("`--format sarif` is for `packhouse check` alone".to_owned());
        return ExitCode::from(failure::report(failure.as_ref(), session.output(), session.color()));
    }
    // A server ends by itself, after the answers that it has begun.
    if !matches!(&command, Command::Repo(command) if command.is_server()) {
        end_on_interrupt(session.output(), session.color());
    }
    let result = valid.map_err(Failure::from).and_then(|()| run(&session, command));
    // What fails because of an interrupt is not told.
    drop(ENDING.lock());
    session.cache().settle(session.reporter());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure::report(failure.as_ref(), session.output(), session.color())),
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
            let code = if signal == SIGTERM { Status::Terminated } else { Status::Interrupted };
            let interrupted = session::Problem { message: "interrupted".to_owned(), hint: None, code };
            let code = failure::report(&interrupted, output, color);
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
        Command::Publish(command) => publish::run(session, &command),
        Command::Repo(command) => repo::run(session, &command),
        Command::Key(command) => key::run(session, &command),
        Command::Changelog(command) => changelog::run(session, &command),
        Command::Cache(command) => cache::run(session, &command),
        Command::Completions(command) => completions::run(session, &command),
        Command::Man(command) => completions::man(session, &command),
    }
}
