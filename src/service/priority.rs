//! Which prompts go first.

use serde::{Deserialize, Serialize};

/// How urgent a prompt is: a more urgent one goes first, and takes the place of a less urgent one that is under way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When nothing else is to be done: a report.
    Low,
    /// Unless the request says otherwise.
    #[default]
    Normal,
    /// Before everything else: an alarm.
    High,
}
