//! Keeps an answer to JSON, or to a JSON schema: a text may be asked for before it is written.
//!
//! Works on text because a token is any piece of it. Knows nothing of tokens, sampling or MQTT.
//! Invariants: every beginning of a document that [`ResponseFormat`] allows is allowed; from every state there is a
//! way to the end, which [`Constraint::closing`] gives; what is complete is JSON to every parser (property tests below).
//!
//! A schema is followed in one spelling: names of closed objects and values of `enum` and `const` are written as
//! `serde_json` writes them, without white space or needless escapes, and no property twice.

mod machine;
mod number;
mod schema;
mod text;

use std::sync::Arc;

use machine::Machine;
pub use schema::SchemaError;

/// Most containers within each other, in documents and schemas.
const DEPTH_MAX: usize = 32;

/// Most white space in one place, bytes: room for a line end and the deepest indent, and an end for a model that
/// writes nothing else.
const BLANKS_MAX: usize = 160;

/// First bytes of UTF-8 characters beyond ASCII.
const LEADING_BYTES: std::ops::RangeInclusive<u8> = 0xc2..=0xf4;

/// What form an answer has. The thought before it is free.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ResponseFormat {
    /// Any text.
    #[default]
    Text,
    /// One JSON object.
    JsonObject,
    /// One JSON document that follows a schema.
    JsonSchema(Arc<Schema>),
}

/// A JSON schema that can be followed; read by [`Schema::new`].
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    nodes: Vec<schema::Node>,
    root: schema::NodeId,
}

/// What was answered so far, and what may follow.
#[derive(Debug, Clone)]
pub struct Constraint {
    schema: Arc<Schema>,
    machine: Machine,
}

impl Constraint {
    /// The constraint of an answer that has not begun; none where any text will do.
    #[must_use]
    pub fn new(format: &ResponseFormat) -> Option<Self> {
        let schema = match format {
            ResponseFormat::Text => return None,
            ResponseFormat::JsonObject => Arc::new(Schema::any_object()),
            ResponseFormat::JsonSchema(schema) => Arc::clone(schema),
        };
        let machine = Machine::new(&schema);
        Some(Self { schema, machine })
    }

    /// Whether the answer with `text` after it is still the beginning of a document.
    #[must_use]
    pub fn allows(&self, text: &str) -> bool {
        self.machine.clone().take(&self.schema, text.as_bytes())
    }

    /// Whether the answer with `text` and some character beyond ASCII after it is still the beginning of a document:
    /// for when that character is not known yet.
    #[must_use]
    pub fn allows_character_after(&self, text: &str) -> bool {
        let mut machine = self.machine.clone();
        machine.take(&self.schema, text.as_bytes())
            && LEADING_BYTES
                .into_iter()
                .any(|lead| machine.clone().take(&self.schema, &[lead]))
    }

    /// Appends `text`; false, and nothing done, where it is not allowed.
    #[must_use]
    pub fn push(&mut self, text: &str) -> bool {
        let mut machine = self.machine.clone();
        let is_allowed = machine.take(&self.schema, text.as_bytes());
        if is_allowed {
            self.machine = machine;
        }
        is_allowed
    }

    /// Whether the answer is a whole document, and may end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.machine.is_complete(&self.schema)
    }

    /// Whether nothing but white space can follow, so that there is nothing to wait for.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.machine.is_closed()
    }

    /// A short text that makes the answer a whole document, for when the tokens are spent: `null` where a value may
    /// be that.
    #[must_use]
    pub fn closing(&self) -> String {
        self.machine.closing(&self.schema)
    }
}

#[cfg(test)]
mod tests;
