//! Bounds the memory of packages that are packed side by side.
//!
//! A pack takes all processors itself, each with a block and its context in memory; that is the most of what a build needs. So
//! large packages are packed one after another, and small ones, which have no work for all, side by side.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::format::{self, Effort};

/// The memory that is left for packing.
pub(super) struct Packing {
    /// What all packs may hold at a time (bytes).
    budget: u64,
    free: Mutex<u64>,
    returned: Condvar,
}

/// Gives its part back when it is dropped.
pub(super) struct Permit<'a> {
    packing: &'a Packing,
    bytes: u64,
}

impl Packing {
    /// Of which the largest pack takes all.
    pub(super) fn new(effort: Effort) -> Self {
        Self::of(format::memory(effort))
    }

    fn of(budget: u64) -> Self {
        Self { budget, free: Mutex::new(budget), returned: Condvar::new() }
    }

    /// Waits until `bytes` are free. Whoever has a permit waits for nobody, so it comes.
    pub(super) fn admit(&self, bytes: u64) -> Permit<'_> {
        let bytes = bytes.min(self.budget);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.returned.wait_while(free, |free| *free < bytes).unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Permit { packing: self, bytes }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.packing.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.packing.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const BUDGET: u64 = 220 << 20;

    #[test]
    fn what_is_packed_at_once_never_exceeds_the_budget_and_all_get_their_turn() {
        let packing = Packing::of(BUDGET);
        let (now, most, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for index in 0..16_u64 {
                let (packing, now, most, done) = (&packing, &now, &most, &done);
                scope.spawn(move || {
                    let bytes = ((index % 4) * 80 + 10) << 20;
                    let permit = packing.admit(bytes);
                    let held = permit.bytes;
                    most.fetch_max(now.fetch_add(held, Ordering::SeqCst) + held, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    now.fetch_sub(held, Ordering::SeqCst);
                    drop(permit);
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 16);
        assert!(most.load(Ordering::SeqCst) <= BUDGET);
        assert_eq!(*packing.free.lock().expect("free"), BUDGET);
    }
}
