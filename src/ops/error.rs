//! Why an operator is refused when a model is loaded.

/// An attribute or input that thinkd cannot run; says what was found and what is supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    /// An attribute or input `name` was `found`, but only `supported` can be run.
    pub(crate) fn value(
        name: &str,
        found: impl std::fmt::Display,
        supported: impl std::fmt::Display,
    ) -> Self {
        Self(format!(
            "{name} = {found} is not supported, only {supported}"
        ))
    }
}
