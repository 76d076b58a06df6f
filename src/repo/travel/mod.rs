//! A repository's suites over time and beside each other: what they hold and held, back to an old state, copies that stay,
//! packages from one suite to the next, what goes and when.
//!
//! A suite only ever goes forward: each change makes a generation with a new number and a date that is not older, because
//! apt ignores an index with an older one without a word. So a rollback publishes old content anew.

mod actor;
mod gc;
mod links;
mod listing;
mod names;
mod needs;
mod promote;
mod refresh;
mod remove;
mod retain;
mod rings;
mod rollback;
mod settings;
pub(super) mod snapshot;

pub use actor::Actor;
pub use gc::{Freed, GcOptions, gc};
pub use listing::{Generation, Listed, PackageVersion, ShownPackage, ShownSuite, list, log, package, show};
pub use names::{Wanted, suite, suites};
pub use promote::{PromoteOptions, Promotion, promote};
pub use refresh::{Refreshed, refresh};
pub use remove::{Removed, remove, remove_suite};
pub(super) use retain::apply as apply_retention;
pub use retain::{Retained, retain};
pub use rollback::{RolledBack, Target, rollback};
pub use settings::{Settings, WasSet, set};
pub use snapshot::{Snapshot, SnapshotId, remove_snapshot, snapshot, snapshots};
