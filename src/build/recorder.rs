//! Remembers what a job has the user know, to be said again when its result is taken from a record.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::report::{Activity, Progress, Reporter, Unit};

/// What the user has been told: what holds for every target is said once.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<BTreeSet<String>>);

impl Said {
    /// Says `note` unless it has been said.
    pub(super) fn once(&self, reporter: &dyn Reporter, note: &str) {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(note.to_owned()) {
            reporter.note(note);
        }
    }
}

/// The reporter of one job.
pub(super) struct Recorder<'a> {
    reporter: &'a dyn Reporter,
    said: &'a Said,
    notes: Mutex<Vec<String>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(reporter: &'a dyn Reporter, said: &'a Said) -> Self {
        Self { reporter, said, notes: Mutex::default() }
    }

    /// What was noted.
    pub(super) fn notes(self) -> Vec<String> {
        self.notes.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Recorder<'_> {
    fn step(&self, verb: &str, subject: &str) {
        self.reporter.step(verb, subject);
    }

    fn note(&self, message: &str) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_owned());
        self.said.once(self.reporter, message);
    }

    fn detail(&self, message: &str) {
        self.reporter.detail(message);
    }

    fn progress(&self, label: &str, total: u64, unit: Unit) -> Box<dyn Progress> {
        self.reporter.progress(label, total, unit)
    }

    fn activity(&self, subject: &str) -> Box<dyn Activity> {
        self.reporter.activity(subject)
    }
}
