//! How urgent a prompt is.

use serde::{Deserialize, Serialize};

/// Which prompts go first: an alarm passes a report.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// After all others.
    Low,
    /// Where nobody says otherwise.
    #[default]
    Normal,
    /// Before all others.
    High,
}
