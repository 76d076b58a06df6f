//! What the user sees while work goes on: bars on a terminal, plain lines elsewhere, JSON lines for programs.
//!
//! All of it goes to standard error; results go to standard output.

use std::collections::HashSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anstream::AutoStream;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::{Activity, Progress, Reporter, Silent, Unit};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// Errors alone.
    Quiet,
    /// Steps and notes.
    Normal,
    /// Details as well.
    Verbose,
}

/// For people.
pub(super) struct Human {
    verbosity: Verbosity,
    bars: Option<MultiProgress>,
    /// What has been noted: a fact that holds for many steps is told once.
    noted: Mutex<HashSet<String>>,
    output: Mutex<AutoStream<std::io::Stderr>>,
}

impl Human {
    /// Bars only when standard error is a terminal and nobody asked for quiet.
    pub(super) fn new(verbosity: Verbosity, color: anstream::ColorChoice) -> Self {
        let terminal = std::io::stderr().is_terminal()
            && std::env::var_os(crate::variables::TERM).is_some_and(|term| term != "dumb");
        let bars = (terminal && verbosity > Verbosity::Quiet)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { verbosity, bars, noted: Mutex::default(), output: Mutex::new(AutoStream::new(std::io::stderr(), color)) }
    }

    fn line(&self, text: &str) {
        let write = || {
            if let Ok(mut output) = self.output.lock() {
                // Nobody is left to tell when standard error is closed.
                let _ = writeln!(output, "{text}");
            }
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

const GREEN: &str = "\x1b[1;32m";
const CYAN: &str = "\x1b[1;36m";
const RESET: &str = "\x1b[0m";

impl Reporter for Human {
    fn step(&self, verb: &str, subject: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.line(&format!("{GREEN}{verb:>12}{RESET} {}", printable(subject)));
        }
    }

    fn note(&self, message: &str) {
        let new = self.noted.lock().is_ok_and(|mut noted| noted.insert(message.to_owned()));
        if new && self.verbosity > Verbosity::Quiet {
            self.line(&format!("{CYAN}{:>12}{RESET} {}", "note", printable(message)));
        }
    }

    fn detail(&self, message: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.line(&format!("{:>12} {}", "", printable(message)));
        }
    }

    fn progress(&self, label: &str, total: u64, unit: Unit) -> Box<dyn Progress> {
        if let Some(bars) = &self.bars {
            let template = match unit {
                Unit::Bytes => "{prefix:>12.green.bold} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}",
                Unit::Items => "{prefix:>12.green.bold} [{bar:30}] {pos}/{len}",
            };
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = bars.add(ProgressBar::new(total).with_style(style).with_prefix(label.to_owned()));
            return Box::new(Bar(bar));
        }
        if self.verbosity > Verbosity::Quiet {
            let amount = match unit {
                Unit::Bytes => format!("{:.1} MB", total as f64 / 1e6),
                Unit::Items => total.to_string(),
            };
            self.line(&format!("{GREEN}{label:>12}{RESET} {amount}"));
        }
        Box::new(Counter(AtomicU64::new(0)))
    }

    fn activity(&self, subject: &str) -> Box<dyn Activity> {
        let Some(bars) = &self.bars else { return Box::new(Silent) };
        let style = ProgressStyle::with_template("{prefix:>12.cyan.bold} {wide_msg} {elapsed}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bars.add(ProgressBar::new_spinner().with_style(style).with_message(printable(subject)));
        bar.enable_steady_tick(std::time::Duration::from_millis(250));
        Box::new(Bar(bar))
    }
}

/// Control characters of file names and messages must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() && character != '\n' { '\u{fffd}' } else { character })
        .collect()
}

struct Bar(ProgressBar);

impl Progress for Bar {
    fn advance(&self, delta: u64) {
        self.0.inc(delta);
    }
}

impl Activity for Bar {
    fn stage(&self, name: &str) {
        self.0.set_prefix(name.to_owned());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

struct Counter(AtomicU64);

impl Progress for Counter {
    fn advance(&self, delta: u64) {
        self.0.fetch_add(delta, Ordering::Relaxed);
    }
}

/// For programs: one JSON document per line on standard error.
pub(super) struct Json {
    verbosity: Verbosity,
}

impl Json {
    /// Says as much as `verbosity` allows.
    pub(super) fn new(verbosity: Verbosity) -> Self {
        Self { verbosity }
    }

    fn emit(&self, value: serde_json::Value) {
        let _ = writeln!(std::io::stderr().lock(), "{value}");
    }
}

impl Reporter for Json {
    fn step(&self, verb: &str, subject: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.emit(serde_json::json!({"reason": "step", "schema_version": 1, "verb": verb, "subject": subject}));
        }
    }

    fn note(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.emit(serde_json::json!({"reason": "note", "schema_version": 1, "message": message}));
        }
    }

    fn detail(&self, message: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.emit(serde_json::json!({"reason": "detail", "schema_version": 1, "message": message}));
        }
    }

    fn progress(&self, _label: &str, _total: u64, _unit: Unit) -> Box<dyn Progress> {
        Box::new(crate::report::Silent)
    }
}

/// Passes everything on and keeps the notes, each once.
pub(super) struct Noting<'a> {
    to: &'a dyn Reporter,
    notes: Mutex<Vec<String>>,
}

impl<'a> Noting<'a> {
    /// Passes everything to `to`, which was told the `notes` before.
    pub(super) fn new(to: &'a dyn Reporter, notes: &[String]) -> Self {
        Self { to, notes: Mutex::new(notes.to_vec()) }
    }

    /// What was noted.
    pub(super) fn notes(self) -> Vec<String> {
        self.notes.into_inner().unwrap_or_default()
    }
}

impl Reporter for Noting<'_> {
    fn step(&self, verb: &str, subject: &str) {
        self.to.step(verb, subject);
    }

    fn note(&self, message: &str) {
        if let Ok(mut notes) = self.notes.lock()
            && !notes.iter().any(|note| note == message)
        {
            notes.push(message.to_owned());
        }
        self.to.note(message);
    }

    fn detail(&self, message: &str) {
        self.to.detail(message);
    }

    fn progress(&self, label: &str, total: u64, unit: Unit) -> Box<dyn Progress> {
        self.to.progress(label, total, unit)
    }

    fn activity(&self, subject: &str) -> Box<dyn Activity> {
        self.to.activity(subject)
    }
}
