//! Answers, errors and chunks ⇄ JSON, as the contract has them. No I/O.

use serde::{Deserialize, Serialize};

use super::payload::Think;
use crate::engine::{Completion, FinishReason, Usage};
use crate::service::error::{Code, RequestError};

/// A finished answer as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The request's name.
    pub id: String,
    /// What the model answered.
    pub text: String,
    /// What it thought, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought: Option<String>,
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens read and written.
    pub usage: AnswerUsage,
    /// Where the time went.
    pub timing: AnswerTiming,
    /// The model's name.
    pub model: String,
}

/// Tokens read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnswerUsage {
    /// Of the prompt.
    pub prompt: usize,
    /// Of the thought.
    pub thought: usize,
    /// Of the answer.
    pub answer: usize,
}

impl From<Usage> for AnswerUsage {
    fn from(usage: Usage) -> Self {
        Self {
            prompt: usage.prompt_tokens,
            thought: usage.thought_tokens,
            answer: usage.answer_tokens,
        }
    }
}

/// Where the time went.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct AnswerTiming {
    /// From the request's arrival to its turn.
    pub queue_ms: u64,
    /// From its turn to the first token.
    pub first_token_ms: u64,
    /// From the request's arrival to the end.
    pub total_ms: u64,
    /// Tokens generated a second after the first.
    pub tokens_per_s: f64,
}

impl Answer {
    /// The answer to `id`, with what `think` wants of the thought.
    pub(crate) fn new(
        id: &str,
        completion: &Completion,
        think: Think,
        queue_ms: u64,
        model: &str,
    ) -> Self {
        let Completion {
            thought,
            answer,
            usage,
            timing,
            finish_reason,
        } = completion;
        let text = match think {
            Think::Include if !thought.is_empty() => {
                format!("<think>\n{thought}\n</think>\n\n{answer}")
            }
            Think::Hide | Think::Separate | Think::Include => answer.clone(),
        };
        Self {
            id: id.to_owned(),
            text,
            thought: (think == Think::Separate && !thought.is_empty()).then(|| thought.clone()),
            finish: *finish_reason,
            usage: (*usage).into(),
            timing: AnswerTiming {
                queue_ms,
                first_token_ms: milliseconds(timing.first_token),
                total_ms: queue_ms + milliseconds(timing.total),
                tokens_per_s: tokens_per_second(completion),
            },
            model: model.to_owned(),
        }
    }

    /// As it is sent.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let Self {
            id,
            text,
            thought,
            finish,
            usage,
            timing,
            model,
        } = self;
        to_json(&AnswerDocument {
            id,
            status: Status::Ok,
            text,
            thought: thought.as_deref(),
            finish: *finish,
            usage: *usage,
            timing: *timing,
            model,
        })
    }
}

/// Tokens generated a second, the first not counted; 0 where there was at most one. One decimal.
pub(crate) fn tokens_per_second(completion: &Completion) -> f64 {
    let tokens = completion.usage.thought_tokens + completion.usage.answer_tokens;
    let seconds = completion.timing.decode.as_secs_f64();
    if tokens < 2 || seconds <= 0.0 {
        return 0.0;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "token counts are far below 2^52"
    )]
    let rate = (tokens - 1) as f64 / seconds;
    (rate * 10.0).round() / 10.0
}

/// Whole milliseconds, as they are told and stored.
pub(crate) fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A refusal as it is sent.
pub(crate) fn error_json(id: &str, error: &RequestError) -> Vec<u8> {
    to_json(&ErrorDocument {
        id: id.to_owned(),
        status: Status::Error,
        error: ErrorBody {
            code: error.code,
            title: error.code.title().to_owned(),
            detail: error.detail.clone(),
            retry_after_s: error.retry_after_s,
        },
    })
}

/// A piece of an answer as it is sent.
pub(crate) fn chunk_json(id: &str, index: u64, kind: ChunkKind, text: &str) -> Vec<u8> {
    let (kind, t) = (Some(kind), Some(text.to_owned()));
    to_json(&Chunk {
        id: id.to_owned(),
        i: index,
        kind,
        t,
        is_final: false,
    })
}

/// The end of the pieces.
pub(crate) fn final_chunk_json(id: &str, index: u64) -> Vec<u8> {
    to_json(&Chunk {
        id: id.to_owned(),
        i: index,
        kind: None,
        t: None,
        is_final: true,
    })
}

fn to_json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("strings and numbers are always JSON")
}

/// What came on a response topic.
pub(super) fn read_outcome(payload: &[u8]) -> Result<Result<Answer, RequestError>, String> {
    #[derive(Deserialize)]
    struct Head {
        status: Status,
    }
    let status = serde_json::from_slice::<Head>(payload)
        .map_err(|error| error.to_string())?
        .status;
    match status {
        Status::Ok => serde_json::from_slice(payload)
            .map(Ok)
            .map_err(|error| error.to_string()),
        Status::Error => {
            let document: ErrorDocument =
                serde_json::from_slice(payload).map_err(|error| error.to_string())?;
            let ErrorBody {
                code,
                detail,
                retry_after_s,
                ..
            } = document.error;
            Ok(Err(RequestError {
                code,
                detail,
                retry_after_s,
            }))
        }
    }
}

/// A piece that came on a stream topic: its number, and its text where it is not the end.
pub(super) fn read_chunk(payload: &[u8]) -> Result<(u64, Option<(ChunkKind, String)>), String> {
    let chunk: Chunk = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    Ok((chunk.i, chunk.kind.zip(chunk.t)))
}

/// What a piece is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChunkKind {
    Thought,
    Answer,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Error,
}

/// [`Answer`] with its status after its id.
#[derive(Serialize)]
struct AnswerDocument<'a> {
    id: &'a str,
    status: Status,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought: Option<&'a str>,
    finish: FinishReason,
    usage: AnswerUsage,
    timing: AnswerTiming,
    model: &'a str,
}

#[derive(Serialize, Deserialize)]
struct ErrorDocument {
    id: String,
    status: Status,
    error: ErrorBody,
}

#[derive(Serialize, Deserialize)]
struct ErrorBody {
    code: Code,
    title: String,
    detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Chunk {
    id: String,
    i: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<ChunkKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<String>,
    #[serde(default, rename = "final", skip_serializing_if = "std::ops::Not::not")]
    is_final: bool,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::Timing;

    fn completion() -> Completion {
        Completion {
            thought: "hm".to_owned(),
            answer: "4".to_owned(),
            finish_reason: FinishReason::Stop,
            usage: Usage {
                prompt_tokens: 12,
                thought_tokens: 80,
                answer_tokens: 9,
                ..Usage::default()
            },
            timing: Timing {
                prefill: Duration::from_millis(200),
                first_token: Duration::from_millis(210),
                decode: Duration::from_millis(8800),
                total: Duration::from_millis(9010),
            },
        }
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_answer_is_written_as_the_contract_has_it() {
        let answer = Answer::new("k1", &completion(), Think::Separate, 3, "m");
        assert_eq!(
            text(answer.to_json()),
            concat!(
                r#"{"id":"k1","status":"ok","text":"4","thought":"hm","finish":"stop","#,
                r#""usage":{"prompt":12,"thought":80,"answer":9},"#,
                r#""timing":{"queue_ms":3,"first_token_ms":210,"total_ms":9013,"tokens_per_s":10.0},"model":"m"}"#
            )
        );
        assert_eq!(read_outcome(&answer.to_json()), Ok(Ok(answer)));
    }

    #[test]
    fn the_thought_goes_where_the_request_wants_it() {
        let answer = |think| Answer::new("k", &completion(), think, 0, "m");
        assert_eq!(answer(Think::Hide).thought, None);
        assert_eq!(answer(Think::Hide).text, "4");
        assert_eq!(answer(Think::Include).text, "<think>\nhm\n</think>\n\n4");
        assert_eq!(answer(Think::Include).thought, None);
    }

    #[test]
    fn an_error_is_written_as_the_contract_has_it() {
        let mut error = RequestError::new(Code::QueueFull, "16 wait");
        error.retry_after_s = Some(30);
        let json = error_json("k1", &error);
        assert_eq!(
            text(json.clone()),
            concat!(
                r#"{"id":"k1","status":"error","error":{"code":"queue_full","#,
                r#""title":"Too many prompts are waiting","detail":"16 wait","retry_after_s":30}}"#
            )
        );
        assert_eq!(read_outcome(&json), Ok(Err(error)));
    }

    #[test]
    fn chunks_are_written_as_the_contract_has_them() {
        let json = chunk_json("k1", 0, ChunkKind::Thought, "Hel");
        assert_eq!(
            text(json.clone()),
            r#"{"id":"k1","i":0,"kind":"thought","t":"Hel"}"#
        );
        assert_eq!(
            read_chunk(&json),
            Ok((0, Some((ChunkKind::Thought, "Hel".to_owned()))))
        );
        let json = final_chunk_json("k1", 9);
        assert_eq!(text(json.clone()), r#"{"id":"k1","i":9,"final":true}"#);
        assert_eq!(read_chunk(&json), Ok((9, None)));
    }

    #[test]
    fn a_rate_needs_two_tokens() {
        let mut completion = completion();
        completion.usage = Usage {
            answer_tokens: 1,
            ..Usage::default()
        };
        assert_eq!(tokens_per_second(&completion), 0.0);
    }
}
