//! Several turns at once: each says what it says alone, whatever runs beside it, waits for it, or makes it wait.

use thinkd::engine::{TurnId, TurnNews};

use super::*;

const STREAMS: usize = 3;

/// The hashing model, in which a wrong cache shows, with lanes.
fn several() -> (Engine, Record) {
    let model = hashing_model().with_lanes(STREAMS);
    let record = model.record();
    (engine(model, CHAT_TEMPLATE), record)
}

/// A prompt of `length` characters, sampled.
fn long(seed: u64, length: usize) -> GenerationRequest {
    let prompt: String = ('a'..='z')
        .cycle()
        .skip(seed as usize)
        .take(length)
        .collect();
    GenerationRequest {
        messages: ask(&prompt).messages,
        ..sampled(seed)
    }
}

fn alone(request: &GenerationRequest) -> String {
    answered(&mut engine(hashing_model(), CHAT_TEMPLATE), request).answer
}

/// The turns that are under way, and what each has said so far.
struct Talk {
    engine: Engine,
    said: Vec<(TurnId, String)>,
    ended: Vec<(TurnId, Result<Completion, EngineError>)>,
}

impl Talk {
    fn new(engine: Engine) -> Self {
        Self {
            engine,
            said: Vec::new(),
            ended: Vec::new(),
        }
    }

    fn begin(&mut self, request: &GenerationRequest) -> TurnId {
        let turn = self.engine.begin(request).expect("a free stream");
        self.said.push((turn, String::new()));
        turn
    }

    fn step(&mut self) {
        for event in self.engine.step() {
            let said = self.said.iter_mut().find(|(turn, _)| *turn == event.turn);
            let (_, said) = said.expect("events are of turns that were begun");
            match event.news {
                TurnNews::Thought(text) | TurnNews::Answer(text) => said.push_str(&text),
                TurnNews::Finished(completion) => {
                    assert_eq!(completion.answer, *said);
                    self.ended.push((event.turn, Ok(completion)));
                }
                TurnNews::Failed(error) => self.ended.push((event.turn, Err(error))),
            }
        }
    }

    fn is_over(&self, turn: TurnId) -> bool {
        self.ended.iter().any(|(ended, _)| *ended == turn)
    }

    /// Steps until `turn` has ended.
    fn finish(&mut self, turn: TurnId) -> Result<Completion, EngineError> {
        while !self.is_over(turn) {
            self.step();
        }
        let place = self.ended.iter().position(|(ended, _)| *ended == turn);
        self.ended.remove(place.expect("it is over")).1
    }

    fn answer(&mut self, turn: TurnId) -> String {
        self.finish(turn).expect("an answer").answer
    }
}

#[test]
fn turns_that_run_together_say_what_they_say_alone() {
    let (engine, record) = several();
    let mut talk = Talk::new(engine);
    let requests = [long(1, 40), long(2, 3), long(3, 17)];
    let turns = requests.each_ref().map(|request| talk.begin(request));
    for (turn, request) in turns.into_iter().zip(&requests) {
        assert_eq!(talk.answer(turn), alone(request));
    }
    let together = record
        .steps()
        .iter()
        .filter(|step| step.len() == STREAMS)
        .count();
    assert!(together >= 30, "{together} steps of all three");
}

#[test]
fn an_answer_in_json_is_what_it_is_alone_beside_others_and_after_pauses() {
    let (engine, _) = several();
    let mut talk = Talk::new(engine);
    let json = GenerationRequest {
        format: ResponseFormat::JsonObject,
        ..long(4, 20)
    };
    let expected = alone(&json);
    serde_json::from_str::<serde_json::Value>(&expected).expect("JSON");
    let turns = [&json, &long(2, 7), &json].map(|request| talk.begin(request));
    for step in 0..40 {
        talk.step();
        if step % 5 == 2 {
            talk.engine.pause(turns[2]);
        } else if step % 5 == 4 {
            talk.engine.resume(turns[2]).unwrap();
        }
    }
    for (turn, answer) in turns
        .into_iter()
        .zip([&expected, &alone(&long(2, 7)), &expected])
    {
        assert_eq!(&talk.answer(turn), answer);
    }
}

#[test]
fn a_turn_can_begin_and_end_while_others_run() {
    let (engine, _) = several();
    let mut talk = Talk::new(engine);
    let (first, second, third) = (long(1, 9), long(2, 30), long(3, 5));
    let a = talk.begin(&first);
    for _ in 0..5 {
        talk.step();
    }
    let b = talk.begin(&second);
    talk.step();
    let c = talk.begin(&third);
    talk.step();
    assert!(matches!(
        talk.engine.begin(&third),
        Err(EngineError::NoStream { streams: STREAMS })
    ));
    talk.engine.end(b, Interrupt::Cancelled);
    let cancelled = talk.finish(b).unwrap();
    assert_eq!(cancelled.finish_reason, FinishReason::Cancelled);
    let d = talk.begin(&second);
    for (turn, request) in [(a, &first), (c, &third), (d, &second)] {
        assert_eq!(talk.answer(turn), alone(request));
    }
}

#[test]
fn a_turn_that_was_put_aside_says_what_it_would_have_said() {
    // At any moment: in the middle of the prompt, of the thought, of the answer.
    for steps in 0..30 {
        let (engine, record) = several();
        let mut talk = Talk::new(engine);
        let request = long(5, 40);
        let turn = talk.begin(&request);
        for _ in 0..steps {
            talk.step();
        }
        talk.engine.pause(turn);
        record.clear();
        talk.step();
        assert!(record.steps().is_empty(), "it is still read");
        // Others use every lane meanwhile.
        let others = [1, 2, 3].map(|seed| talk.begin(&long(seed, 11)));
        talk.engine.resume(turn).unwrap_err();
        for (other, seed) in others.into_iter().zip(1..) {
            assert_eq!(talk.answer(other), alone(&long(seed, 11)));
        }
        talk.engine.resume(turn).unwrap();
        assert_eq!(talk.answer(turn), alone(&request), "after {steps} steps");
    }
}

#[test]
fn a_turn_whose_lane_nobody_took_reads_nothing_again() {
    let (engine, record) = several();
    let mut talk = Talk::new(engine);
    let turn = talk.begin(&long(5, 40));
    for _ in 0..12 {
        talk.step();
    }
    talk.engine.pause(turn);
    let other = talk.begin(&long(6, 4));
    talk.step();
    talk.engine.resume(turn).unwrap();
    record.clear();
    talk.step();
    let read: usize = record.chunks().iter().map(Vec::len).sum();
    assert_eq!(read, 2, "a token for each");
    let usage = talk.finish(turn).unwrap().usage;
    assert_eq!(usage.reused_tokens, 0);
    talk.finish(other).unwrap();
}

#[test]
fn a_turn_that_was_put_aside_can_be_ended() {
    let (engine, _) = several();
    let mut talk = Talk::new(engine);
    let request = long(5, 4);
    let turn = talk.begin(&request);
    for _ in 0..9 {
        talk.step();
    }
    talk.engine.pause(turn);
    talk.engine.end(turn, Interrupt::Deadline);
    let completion = talk.finish(turn).unwrap();
    assert_eq!(completion.finish_reason, FinishReason::Deadline);
    assert!(!completion.answer.is_empty() && alone(&request).starts_with(&completion.answer));
}

/// Prompts with one system message.
fn with_system(system: &str, seed: u64) -> GenerationRequest {
    let mut request = long(seed, 6);
    let content = system.to_owned();
    request.messages.insert(
        0,
        Message {
            role: Role::System,
            content,
        },
    );
    request
}

#[test]
fn a_system_prompt_that_several_share_is_read_once() {
    let system = "You are an oven. ".repeat(5);
    let requests = [1, 9, 17].map(|seed| with_system(&system, seed));
    let shared = "<".len() + system.len() + "<".len();
    // Whether they come together or one after the other is through with it.
    for steps in [0, 3, 40] {
        let (engine, record) = several();
        let mut talk = Talk::new(engine);
        let mut turns = Vec::new();
        for request in &requests {
            turns.push(talk.begin(request));
            for _ in 0..steps {
                talk.step();
            }
        }
        let mut reused = Vec::new();
        for (turn, request) in turns.into_iter().zip(&requests) {
            let completion = talk.finish(turn).unwrap();
            assert_eq!(completion.answer, alone(request));
            reused.push(completion.usage.reused_tokens);
        }
        // Its begin mark stands before it.
        assert_eq!(reused, [0, shared + 1, shared + 1], "after {steps} steps");
        assert!(record.copies().len() >= 2, "{:?}", record.copies());
    }
}

#[test]
fn a_long_prompt_is_read_in_chunks_between_the_tokens_of_others() {
    let model = hashing_model().with_lanes(STREAMS);
    let record = model.record();
    let options = EngineOptions {
        chat_template: CHAT_TEMPLATE.to_owned(),
        bos_token: "<bos>".to_owned(),
        eos_token_ids: vec![EOS],
        prefill_chunk_tokens: 32,
        prefill_beside_tokens: 4,
        ..EngineOptions::default()
    };
    let engine = Engine::new(Box::new(model), Arc::new(ByteTokenizer), options).unwrap();
    let mut talk = Talk::new(engine);
    let writer = talk.begin(&long(1, 10));
    talk.step();
    record.clear();
    let reader = talk.begin(&long(2, 80));
    for _ in 0..20 {
        talk.step();
    }
    for step in record.steps() {
        let mut lengths: Vec<usize> = step.iter().map(|(_, tokens)| tokens.len()).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [1, 4]);
    }
    assert_eq!(talk.answer(reader), alone(&long(2, 80)));
    assert_eq!(talk.answer(writer), alone(&long(1, 10)));
}

#[test]
fn what_fails_for_one_turn_ends_that_turn_alone() {
    let model = ScriptedModel::from_logits(CONTEXT_TOKENS, VOCAB_SIZE, |tokens, logits| {
        logits.fill(0.0);
        let said = tokens.len();
        logits[usize::from(b'a') + said % 26] = 1.0;
        match (tokens.get(2), said > 8) {
            (Some(33), true) => return Err(ModelError::Inference("no power".into())),
            (Some(63), true) => logits[7] = f32::NAN,
            _ => {}
        }
        Ok(())
    });
    let mut talk = Talk::new(engine(model.with_lanes(STREAMS), CHAT_TEMPLATE));
    let request = |prompt: &str| GenerationRequest {
        budget: budget(20, None).budget,
        ..ask(prompt)
    };
    let turns = ["!", "fine", "?"].map(|prompt| talk.begin(&request(prompt)));
    assert!(matches!(talk.finish(turns[0]), Err(EngineError::Model(_))));
    assert!(matches!(
        talk.finish(turns[2]),
        Err(EngineError::Logits { token: 7, .. })
    ));
    let fine = talk.finish(turns[1]).unwrap();
    assert_eq!(fine.usage.answer_tokens, 20);
    let all: String = ('a'..='z')
        .cycle()
        .skip("fine".len() + 3)
        .take(20)
        .collect();
    assert_eq!(fine.answer, all);
}

#[test]
fn one_request_is_answered_while_turns_stand_still() {
    let (engine, _) = several();
    let mut talk = Talk::new(engine);
    let turn = talk.begin(&long(1, 12));
    talk.step();
    let request = long(2, 12);
    assert_eq!(answered(&mut talk.engine, &request).answer, alone(&request));
    assert_eq!(talk.answer(turn), alone(&long(1, 12)));
}

#[test]
fn a_step_without_turns_does_nothing() {
    let (mut engine, record) = several();
    assert!(engine.step().is_empty());
    engine.pause(TurnId(7));
    engine.resume(TurnId(7)).unwrap();
    engine.end(TurnId(7), Interrupt::Cancelled);
    assert!(engine.step().is_empty());
    assert!(record.steps().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_between_the_steps_every_turn_says_what_it_says_alone(
        doings in prop::collection::vec((0_u8..4, 0_usize..6, 1_usize..7), 1..40),
    ) {
        let (engine, _) = several();
        let mut talk = Talk::new(engine);
        let mut begun: Vec<(TurnId, GenerationRequest)> = Vec::new();
        let mut aside: Vec<TurnId> = Vec::new();
        for (doing, which, steps) in doings {
            match doing {
                0 => {
                    let request = with_system(&"x".repeat(20 * (which % 2)), which as u64);
                    if let Ok(turn) = talk.engine.begin(&request) {
                        talk.said.push((turn, String::new()));
                        begun.push((turn, request));
                    }
                }
                1 => {
                    if let Some((turn, _)) = begun.get(which) {
                        talk.engine.pause(*turn);
                        aside.push(*turn);
                    }
                }
                2 if !aside.is_empty() => {
                    let turn = aside[which % aside.len()];
                    if talk.engine.resume(turn).is_ok() {
                        aside.retain(|other| *other != turn);
                    }
                }
                _ => (0..steps).for_each(|_| talk.step()),
            }
        }
        for (turn, request) in begun {
            while talk.engine.resume(turn).is_err() {
                talk.step();
            }
            prop_assert_eq!(talk.answer(turn), alone(&request));
        }
    }
}
