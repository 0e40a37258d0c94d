//! Why a request was not answered, and whose fault it is.

use crate::model::ModelError;

/// A request that was not answered, or an engine that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no message, or the last one says nothing.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// The last message is not a question.
    #[error("the last message must be the user's")]
    LastMessageNotUser,
    /// The model's chat template cannot express these messages.
    #[error("the model's chat template refuses the messages: {reason}")]
    MessagesRefused {
        /// What the template says.
        reason: String,
    },
    /// A message holds a control token in a disguise that the tokenizer sees through.
    #[error("a message holds the control token {text}")]
    ControlText {
        /// The token's text.
        text: String,
    },
    /// A value is out of its range.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The prompt leaves no room for an answer.
    #[error("prompt has {tokens} tokens, the context holds {context_tokens}, the answer included")]
    PromptTooLong {
        /// Tokens of the prompt, chat template included.
        tokens: usize,
        /// Tokens the model can hold.
        context_tokens: usize,
    },
    /// As many requests as there are streams are being answered.
    #[error("all {streams} streams are taken; wait for one to end, or raise engine.streams")]
    NoStream {
        /// Requests that can be answered at once.
        streams: usize,
    },
    /// The model's chat template cannot be used.
    #[error("chat template {name}: {reason}")]
    Template {
        /// The template's file.
        name: String,
        /// What is wrong with it, and on which line.
        reason: String,
    },
    /// The model's end tokens are unknown, so no answer could end.
    #[error("the model names no end token")]
    NoEndToken,
    /// One think tag without the other.
    #[error("think tags come in pairs: open is {open:?}, close is {close:?}")]
    ThinkTags {
        /// The opening tag given.
        open: String,
        /// The closing tag given.
        close: String,
    },
    /// The model computed something that is not a number.
    #[error("the model's logit of token {token} is {value}")]
    Logits {
        /// The first token concerned.
        token: u32,
        /// Its logit.
        value: f32,
    },
    /// The model or its tokenizer failed.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl EngineError {
    /// Whether another request would have been answered: the one who asked can mend it.
    #[must_use]
    pub fn is_request_fault(&self) -> bool {
        match self {
            Self::EmptyPrompt
            | Self::LastMessageNotUser
            | Self::MessagesRefused { .. }
            | Self::ControlText { .. }
            | Self::Option(_)
            | Self::PromptTooLong { .. } => true,
            Self::NoStream { .. }
            | Self::Template { .. }
            | Self::NoEndToken
            | Self::ThinkTags { .. }
            | Self::Logits { .. }
            | Self::Model(_) => false,
        }
    }
}

/// A value out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}, its range is {range}")]
pub struct OptionError {
    /// The option's name, as in the request.
    pub field: &'static str,
    /// What was asked.
    pub value: String,
    /// What can be asked.
    pub range: &'static str,
}

impl OptionError {
    /// Nothing where `holds`, the error otherwise.
    pub(super) fn unless(
        holds: bool,
        field: &'static str,
        value: impl ToString,
        range: &'static str,
    ) -> Result<(), Self> {
        if holds {
            Ok(())
        } else {
            Err(Self {
                field,
                value: value.to_string(),
                range,
            })
        }
    }
}
