//! A model that does what the prompt says: `say …`, `recall` (all it was told), `wait` (until it is cancelled), `panic`, `hang`, `long` (too long).

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use thinkd::engine::{Completion, Control, Event, FinishReason, GenerationRequest, Timing, Usage};
use thinkd::service::{AnswerError, Answerer, Code, Rebuild, RequestError};

/// What was asked of the model so far.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    pub(crate) fn prompts(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until the model is at work on `prompt`.
    pub(crate) fn wait_for(&self, prompt: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.prompts().iter().any(|asked| asked == prompt) {
            assert!(Instant::now() < deadline, "{prompt:?} was not asked");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

pub(crate) struct Scripted {
    asked: Asked,
}

impl Scripted {
    pub(crate) fn boxed(asked: &Asked) -> Box<dyn Answerer> {
        Box::new(Self {
            asked: asked.clone(),
        })
    }

    pub(crate) fn rebuild(asked: &Asked) -> Rebuild {
        let asked = asked.clone();
        Box::new(move || Ok(Self::boxed(&asked)))
    }
}

impl Answerer for Scripted {
    fn answer(
        &mut self,
        request: &GenerationRequest,
        control: &dyn Control,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<Completion, AnswerError> {
        let prompt = request.messages.last().unwrap().content.clone();
        self.asked.0.lock().unwrap().push(prompt.clone());
        let (command, rest) = prompt.split_once(' ').unwrap_or((&prompt, ""));
        let mut answer = String::new();
        let mut finish_reason = FinishReason::Stop;
        match command {
            "say" => {
                sink(Event::Thought("what to "));
                sink(Event::Thought("say"));
                for word in rest.split_inclusive(' ') {
                    answer.push_str(word);
                    sink(Event::Answer(word));
                }
            }
            "recall" => {
                let told: Vec<&str> = request
                    .messages
                    .iter()
                    .map(|m| m.content.as_str())
                    .collect();
                answer = told.join("|");
            }
            "wait" => {
                answer.push_str("begun");
                sink(Event::Answer("begun"));
                finish_reason = loop {
                    control.progress();
                    if let Some(interrupt) = control.interrupt() {
                        break interrupt.into();
                    }
                    std::thread::sleep(Duration::from_millis(5));
                };
            }
            "panic" => panic!("as the prompt says"),
            "hang" => std::thread::sleep(Duration::from_secs(3600)),
            "long" => {
                let detail = "prompt has 4210 tokens, the context holds 4096";
                return Err(AnswerError::Refused(RequestError::new(
                    Code::TooLarge,
                    detail,
                )));
            }
            other => return Err(AnswerError::Failed(format!("no such command: {other}"))),
        }
        let thought = if command == "say" {
            "what to say".to_owned()
        } else {
            String::new()
        };
        let usage = Usage {
            prompt_tokens: 3,
            thought_tokens: 3,
            answer_tokens: 2,
            ..Usage::default()
        };
        Ok(Completion {
            thought,
            answer,
            finish_reason,
            usage,
            timing: Timing::default(),
        })
    }
}
