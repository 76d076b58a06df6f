//! What the edge and its tool say to each other.

use serde::{Deserialize, Serialize};

/// What a service says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Its name.
    pub service: String,
    /// Its version.
    pub version: String,
}

impl Health {
    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
