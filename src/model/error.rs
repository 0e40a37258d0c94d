//! What can be wrong with a model directory, or go wrong while it computes.

use std::path::PathBuf;

/// A model directory that cannot be used, or a computation that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file of the directory is absent, unreadable, or not what it should be.
    #[error("model file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        reason: String,
    },
    /// The graph asks for something thinkd cannot run.
    #[error("model file {}: operator {operator} (node {node}): {reason}", path.display())]
    Operator {
        /// The graph's file.
        path: PathBuf,
        /// Domain and type of the operator.
        operator: String,
        /// Name of the node.
        node: String,
        /// Attribute and value found, and what is supported.
        reason: String,
    },
    /// An option asks for something this model or machine has not.
    #[error("{0}")]
    Option(String),
    /// The tokens do not fit.
    #[error("{tokens} tokens do not fit: the context holds {context_tokens}")]
    ContextFull {
        /// Tokens there would be.
        tokens: usize,
        /// Tokens there is room for.
        context_tokens: usize,
    },
    /// The tokenizer refused.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The computation failed; a defect of thinkd or of the model.
    #[error("inference: {0}")]
    Inference(String),
}
