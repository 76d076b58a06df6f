//! What a process remembers of its work with a cache, until it settles it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::{Lock, Size};

/// The most that a cache may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// By the size of the disk.
    Default,
    Size(Size),
    None,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) limit: Limit,
    /// Bytes that came into place.
    added: AtomicU64,
    /// Why blocks are not kept any more, and whether that is for want of room.
    problem: OnceLock<(String, bool)>,
    /// The shared lock.
    held: Mutex<Option<Lock>>,
}

impl State {
    pub(super) fn new(limit: Limit) -> Self {
        Self { limit, added: AtomicU64::new(0), problem: OnceLock::new(), held: Mutex::new(None) }
    }

    pub(super) fn add(&self, bytes: u64) {
        self.added.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What was added since this was asked last, if anything.
    pub(super) fn take_added(&self) -> Option<u64> {
        Some(self.added.swap(0, Ordering::Relaxed)).filter(|added| *added > 0)
    }

    pub(super) fn fail(&self, error: &io::Error) {
        let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        // The first one counts.
        drop(self.problem.set((error.to_string(), is_full)));
    }

    pub(super) fn problem(&self) -> Option<(&str, bool)> {
        self.problem.get().map(|(message, is_full)| (message.as_str(), *is_full))
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Option<Lock>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
