//! How a generation that is under way is watched and ended from outside.

use super::FinishReason;

/// Looked at between tokens and between the chunks of a prompt.
pub trait Control {
    /// Why to end now, if so.
    fn interrupt(&self) -> Option<Interrupt>;

    /// Told after every chunk of the prompt and every token: the model is alive.
    fn progress(&self) {}
}

/// Why a generation is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Nobody wants the answer any more.
    Cancelled,
    /// The answer would come too late.
    Deadline,
}

impl From<Interrupt> for FinishReason {
    fn from(interrupt: Interrupt) -> Self {
        match interrupt {
            Interrupt::Cancelled => Self::Cancelled,
            Interrupt::Deadline => Self::Deadline,
        }
    }
}

/// Lets a generation run to its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uninterrupted;

impl Control for Uninterrupted {
    fn interrupt(&self) -> Option<Interrupt> {
        None
    }
}
