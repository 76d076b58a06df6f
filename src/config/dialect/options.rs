//! What the command line says of other tools' tables.

/// The switches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Add nothing that the table's own tool would not have added.
    pub strict_compat: bool,
}
