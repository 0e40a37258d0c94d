//! A model that does what the prompt says: `say …`, `recall` (all it was told), `wait` (until it is cancelled), `panic`, `hang`, `long` (too long).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use thinkd::engine::{
    Completion, FinishReason, GenerationRequest, Interrupt, Timing, TurnId, Usage,
};
use thinkd::service::{AnswerError, AnswerEvent, Answerer, Code, Rebuild, RequestError};

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
    turns: Vec<Turn>,
    last_turn: u64,
}

/// One prompt that is being answered.
struct Turn {
    id: TurnId,
    command: String,
    /// Words that are still to be said.
    words: VecDeque<String>,
    answer: String,
    has_begun: bool,
    is_aside: bool,
    interrupt: Option<Interrupt>,
}

impl Scripted {
    pub(crate) fn boxed(asked: &Asked) -> Box<dyn Answerer> {
        Box::new(Self {
            asked: asked.clone(),
            turns: Vec::new(),
            last_turn: 0,
        })
    }

    pub(crate) fn rebuild(asked: &Asked) -> Rebuild {
        let asked = asked.clone();
        Box::new(move || Ok(Self::boxed(&asked)))
    }
}

impl Answerer for Scripted {
    fn streams(&self) -> usize {
        1
    }

    fn begin(&mut self, request: &GenerationRequest) -> Result<TurnId, AnswerError> {
        let prompt = request.messages.last().unwrap().content.clone();
        self.asked.0.lock().unwrap().push(prompt.clone());
        let (command, rest) = prompt.split_once(' ').unwrap_or((&prompt, ""));
        let told = request.messages.iter().map(|m| m.content.as_str());
        let all_told = told.collect::<Vec<_>>().join("|");
        let (command, rest) = match command {
            "recall" => ("say", all_told.as_str()),
            _ => (command, rest),
        };
        match command {
            "say" | "wait" | "panic" | "hang" => {}
            "long" => {
                let detail = "prompt has 4210 tokens, the context holds 4096";
                return Err(AnswerError::Refused(RequestError::new(
                    Code::TooLarge,
                    detail,
                )));
            }
            other => return Err(AnswerError::Failed(format!("no such command: {other}"))),
        }
        self.last_turn += 1;
        let id = TurnId(self.last_turn);
        self.turns.push(Turn {
            id,
            command: command.to_owned(),
            words: rest.split_inclusive(' ').map(str::to_owned).collect(),
            answer: String::new(),
            has_begun: false,
            is_aside: false,
            interrupt: None,
        });
        Ok(id)
    }

    fn step(&mut self) -> Vec<AnswerEvent> {
        let mut events = Vec::new();
        for turn in &mut self.turns {
            if !turn.is_aside {
                turn.step(&mut events);
            }
        }
        self.turns.retain(|turn| {
            let is_over = |event: &AnswerEvent| matches!(event, AnswerEvent::Finished(id, _) if *id == turn.id);
            !events.iter().any(is_over)
        });
        if events.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        events
    }

    fn pause(&mut self, turn: TurnId) {
        self.turns
            .iter_mut()
            .filter(|t| t.id == turn)
            .for_each(|t| t.is_aside = true);
    }

    fn resume(&mut self, turn: TurnId) -> Result<(), AnswerError> {
        self.turns
            .iter_mut()
            .filter(|t| t.id == turn)
            .for_each(|t| t.is_aside = false);
        Ok(())
    }

    fn end(&mut self, turn: TurnId, interrupt: Interrupt) {
        for turn in self.turns.iter_mut().filter(|held| held.id == turn) {
            turn.interrupt = Some(interrupt);
            turn.is_aside = false;
        }
    }
}

impl Turn {
    /// Says a word, or ends.
    fn step(&mut self, events: &mut Vec<AnswerEvent>) {
        match self.command.as_str() {
            "panic" => panic!("as the prompt says"),
            "hang" => std::thread::sleep(Duration::from_secs(3600)),
            "wait" if !self.has_begun => self.words = VecDeque::from(["begun".to_owned()]),
            "say" if !self.has_begun => {
                events.push(AnswerEvent::Thought(self.id, "what to ".to_owned()));
                events.push(AnswerEvent::Thought(self.id, "say".to_owned()));
            }
            _ => {}
        }
        self.has_begun = true;
        if let Some(interrupt) = self.interrupt {
            events.push(self.finished(interrupt.into()));
        } else if let Some(word) = self.words.pop_front() {
            self.answer.push_str(&word);
            events.push(AnswerEvent::Answer(self.id, word));
        } else if self.command == "say" {
            events.push(self.finished(FinishReason::Stop));
        }
    }

    fn finished(&self, finish_reason: FinishReason) -> AnswerEvent {
        let says = self.command == "say";
        let thought = if says { "what to say" } else { "" };
        let completion = Completion {
            thought: thought.to_owned(),
            answer: self.answer.clone(),
            finish_reason,
            usage: Usage {
                prompt_tokens: 3,
                thought_tokens: 3,
                answer_tokens: 2,
                ..Usage::default()
            },
            timing: Timing::default(),
        };
        AnswerEvent::Finished(self.id, Ok(completion))
    }
}
