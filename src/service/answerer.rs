//! What answers: the engine, or something scripted in tests.

use super::error::{Code, RequestError};
use crate::engine::{Completion, Control, Engine, EngineError, Event, GenerationRequest};

/// Answers requests one at a time; an engine, or something scripted in tests.
pub trait Answerer: Send {
    /// Answers `request`, telling the pieces to `sink`, and looking at `control` as often as it can.
    ///
    /// # Errors
    /// If the request cannot be answered.
    fn answer(
        &mut self,
        request: &GenerationRequest,
        control: &dyn Control,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<Completion, AnswerError>;
}

/// Why a request was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerError {
    /// Another request would have been.
    Refused(RequestError),
    /// Our fault.
    Failed(String),
}

/// Makes a fresh [`Answerer`] when the old one panicked; the error says why that is impossible.
pub type Rebuild = Box<dyn FnMut() -> Result<Box<dyn Answerer>, String> + Send>;

impl Answerer for Engine {
    fn answer(
        &mut self,
        request: &GenerationRequest,
        control: &dyn Control,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<Completion, AnswerError> {
        self.generate(request, control, sink).map_err(|error| {
            if !error.is_request_fault() {
                return AnswerError::Failed(error.to_string());
            }
            let code = match error {
                EngineError::PromptTooLong { .. } => Code::TooLarge,
                _ => Code::BadRequest,
            };
            AnswerError::Refused(RequestError::new(code, error.to_string()))
        })
    }
}
