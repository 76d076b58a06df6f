//! Bounds the memory of packages that are packed side by side.
//!
//! A compressor remembers up to a window of what it has read, and its tables; that is the most of what a build needs. On a
//! machine of many processors the packages that are packed at once are limited by the sum of it, not by the threads.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::package::Package;
use crate::target::Compression;
use crate::tree::Node;

/// What all compressors may hold at a time (bytes); with the rest of the program it stays below 300 MiB.
const BUDGET: u64 = 220 << 20;
/// The largest window of zstd, and what its tables take beside it.
const ZSTD_WINDOW: u64 = 128 << 20;
const ZSTD_TABLES: u64 = 40 << 20;
const GZIP: u64 = 16 << 20;

/// The memory that is left for compressors.
pub(super) struct Packing {
    free: Mutex<u64>,
    returned: Condvar,
}

/// Gives its part back when it is dropped.
pub(super) struct Permit<'a> {
    packing: &'a Packing,
    bytes: u64,
}

impl Packing {
    pub(super) fn new() -> Self {
        Self { free: Mutex::new(BUDGET), returned: Condvar::new() }
    }

    /// Waits until `bytes` are free. Whoever has a permit waits for nobody, so it comes.
    pub(super) fn admit(&self, bytes: u64) -> Permit<'_> {
        let bytes = bytes.min(BUDGET);
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

/// What packing `package` takes.
pub(super) fn memory(package: &Package) -> u64 {
    match package.target.distribution.compression {
        // Its two threads hold several blocks each.
        Compression::Xz => BUDGET,
        Compression::Gzip => GZIP,
        Compression::Zstd => {
            let size = |node: &Node| if let Node::File(content) = node { content.digests.size } else { 0 };
            let total: u64 = package.tree.iter().map(|(_, entry)| size(&entry.node)).sum();
            total.min(ZSTD_WINDOW) + ZSTD_TABLES
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn what_is_packed_at_once_never_exceeds_the_budget_and_all_get_their_turn() {
        let packing = Packing::new();
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
