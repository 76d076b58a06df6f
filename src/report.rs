//! Everything that the user sees while work goes on passes this one small trait. Nothing else in the library prints.

/// One unit of progress: `done` of `total`, in bytes or in items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The numbers are bytes.
    Bytes,
    /// The numbers count things.
    Items,
}

/// Receives what happens. Implementations: human (bars on a terminal, plain lines elsewhere), JSON, silent.
pub trait Reporter: Send + Sync {
    /// A step that has been done or is being done, as `verb subject`: ("Locked", "acme-api").
    fn step(&self, verb: &str, subject: &str);
    /// Something the user should know and that is not an error; never used where an error is meant.
    fn note(&self, message: &str);
    /// A detail for `-v`.
    fn detail(&self, message: &str);
    /// A piece of work of known size starts; the handle is dropped when it ends.
    fn progress(&self, label: &str, total: u64, unit: Unit) -> Box<dyn Progress>;
    /// Work on `subject` starts, one of several things that go on at once; the handle is dropped when it ends.
    fn activity(&self, _subject: &str) -> Box<dyn Activity> {
        Box::new(Silent)
    }
}

/// A running piece of work. Dropping it ends it.
pub trait Progress: Send + Sync {
    /// So much more has been done.
    fn advance(&self, delta: u64);
}

/// Something that goes on beside others. Dropping it ends it.
pub trait Activity: Send + Sync {
    /// What is being done now: `staging`, `checking`.
    fn stage(&self, name: &str);
}

/// Says nothing; for tests and for library users.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Reporter for Silent {
    fn step(&self, _verb: &str, _subject: &str) {}
    fn note(&self, _message: &str) {}
    fn detail(&self, _message: &str) {}
    fn progress(&self, _label: &str, _total: u64, _unit: Unit) -> Box<dyn Progress> {
        Box::new(Silent)
    }
}

impl Progress for Silent {
    fn advance(&self, _delta: u64) {}
}

impl Activity for Silent {
    fn stage(&self, _name: &str) {}
}
