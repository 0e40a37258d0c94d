//! MQTT: the topics, the payloads, the connection; the only place that knows the client library.
//!
//! [`Topics`] and [`parse`] are pure; `connection` moves bytes; [`Requester`] is the other side, for those who ask.

mod answer;
mod backoff;
pub(crate) mod connection;
mod conversation;
mod fields;
mod message;
mod nearest;
mod neutral;
mod options;
mod payload;
mod question;
mod requester;
mod response_format;
mod templates;
mod tls;
mod topics;

pub use answer::{Answer, AnswerTiming, AnswerUsage};
pub(crate) use answer::{ChunkKind, chunk_json, error_json, final_chunk_json, milliseconds};
pub use message::{Message, Publication};
pub(crate) use nearest::nearest;
pub use options::{BackoffLimits, Credentials, Options};
pub use payload::{ClientRules, Refusal, Request, RequestRules, Think, parse, parse_from};
pub use question::{Question, Reply, RequesterError, RequesterOptions};
pub use requester::{Exchange, Requester};
pub use response_format::read_response_format;
pub use templates::{TemplateError, TemplateSpec, Templates};
pub use tls::{Tls, TlsError, TlsFiles};
pub use topics::{Inbound, TopicError, Topics, check_client, is_filter, is_level, matches};
