//! The shipped model through thinkd's own stack: the same greedy tokens as ONNX Runtime, and right answers.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]

mod support {
    pub(crate) mod emulator;
}

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use support::emulator::is_emulated;
use thinkd::engine::{
    Budget, Completion, Engine, Event, GenerationRequest, Message, PrefixFolder, ResponseFormat,
    Role, SamplingOptions, Schema, TurnId, TurnNews, Uninterrupted,
};
use thinkd::kernels::set;
use thinkd::model::{
    self, Activations, KvPrecision, LaneTurn, Lanes, LanguageModel, LoadOptions, TokenText,
    TractModel,
};

/// Greedy steps that have to be the same.
const STEPS: usize = 64;
/// Prompts they have to be the same on.
const PROMPTS: usize = 20;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/thinkd-mini")
}

fn load(activations: Activations) -> model::LoadedModel {
    load_with(activations, None)
}

fn load_with(activations: Activations, kernels: Option<&str>) -> model::LoadedModel {
    let options = LoadOptions {
        activations,
        kernels: kernels.map(str::to_owned),
        ..LoadOptions::default()
    };
    model::load(&directory(), &options).unwrap_or_else(|e| panic!("{e}"))
}

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    prompt: String,
    rendered: String,
    prompt_ids: Vec<u32>,
    int8_activations: Greedy,
    f32_activations: Greedy,
}

#[derive(Deserialize)]
struct Greedy {
    ids: Vec<u32>,
}

fn reference() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/thinkd-mini-greedy.json");
    let reference: Reference = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(reference.cases.len() >= PROMPTS);
    reference.cases
}

fn greedy(model: &mut TractModel, prompt: &[u32], steps: usize) -> Vec<u32> {
    model.truncate(0);
    let mut tokens = prompt.to_vec();
    let mut generated = Vec::new();
    while generated.len() < steps {
        let logits = model.forward(&tokens).unwrap();
        let best = (0..logits.len()).fold(0, |b, i| if logits[i] > logits[b] { i } else { b });
        tokens = vec![u32::try_from(best).unwrap()];
        generated.push(tokens[0]);
    }
    generated
}

/// Prompts to test a core with: all of them, or some of usual length under an emulator, where each takes many seconds.
fn affordable() -> Vec<Case> {
    let cases = reference();
    if is_emulated() {
        cases.into_iter().skip(1).step_by(5).collect()
    } else {
        cases
    }
}

fn same_tokens(mut model: TractModel, expected: impl Fn(&Case) -> &Greedy) {
    for case in affordable() {
        let ids = &expected(&case).ids;
        assert!(ids.len() >= STEPS, "{}", case.prompt);
        assert_eq!(
            &greedy(&mut model, &case.prompt_ids, ids.len()),
            ids,
            "{}",
            case.prompt
        );
    }
}

#[test]
fn greedy_tokens_equal_onnx_runtime_with_f32_activations() {
    same_tokens(load(Activations::F32).model, |case| &case.f32_activations);
}

#[test]
fn greedy_tokens_equal_onnx_runtime_as_exported_on_every_kernel_set() {
    for kernels in set::supported() {
        let model = load_with(Activations::Auto, Some(kernels.name())).model;
        same_tokens(model, |case| &case.int8_activations);
    }
}

/// Logits of one run, as bits: streams that share a run must not change each other's by one.
fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn streams_that_run_together_get_the_logits_they_get_alone() {
    const STREAMS: usize = 5;
    let prompts: Vec<Vec<u32>> = reference().into_iter().map(|c| c.prompt_ids).collect();
    let mut alone = load(Activations::Auto).model;
    let options = LoadOptions {
        lanes: Lanes::Exactly(STREAMS),
        ..LoadOptions::default()
    };
    let mut together = model::load(&directory(), &options).unwrap().model;
    let vocab_size = together.vocab_size();
    // Prompts of different lengths in one run, the first read in part; then single tokens beside its rest.
    let first = prompts[0].split_at(7);
    for step in 0..3 {
        let tokens = |lane: usize| -> &[u32] {
            match (lane, step) {
                (0, 0) => first.0,
                (0, 1) => first.1,
                (_, 0) => &prompts[lane],
                (_, _) => &prompts[lane + STREAMS][step..=step],
            }
        };
        let turns: Vec<LaneTurn<'_>> = (0..STREAMS)
            .rev()
            .map(|lane| LaneTurn {
                lane,
                tokens: tokens(lane),
            })
            .collect();
        let found = together.forward_lanes(&turns).unwrap();
        assert_eq!(found.len(), STREAMS * vocab_size);
        for (turn, found) in turns.iter().zip(found.chunks(vocab_size)) {
            alone.truncate(0);
            for before in 0..step {
                let tokens = match (turn.lane, before) {
                    (0, 0) => first.0,
                    (0, _) => first.1,
                    (lane, 0) => &prompts[lane],
                    (lane, _) => &prompts[lane + STREAMS][before..=before],
                };
                alone.forward(tokens).unwrap();
            }
            let expected = alone.forward(turn.tokens).unwrap();
            assert_eq!(
                bits(found),
                bits(expected),
                "lane {} step {step}",
                turn.lane
            );
        }
    }
}

#[test]
fn a_copied_prefix_gives_the_logits_of_one_that_was_read() {
    let prompt = &affordable()[0].prompt_ids;
    let (shared, rest) = prompt.split_at(prompt.len() - 2);
    for kv_cache in [KvPrecision::F16, KvPrecision::F32, KvPrecision::Int8] {
        let options = LoadOptions {
            lanes: Lanes::Exactly(2),
            kv_cache: Some(kv_cache),
            ..LoadOptions::default()
        };
        let mut model = model::load(&directory(), &options).unwrap().model;
        model.forward(shared).unwrap();
        assert!(model.copy_prefix(0, 1, shared.len() + 1).is_err());
        assert!(model.copy_prefix(0, 2, 1).is_err());
        model.copy_prefix(0, 1, shared.len()).unwrap();
        let expected = bits(model.forward(rest).unwrap());
        let turn = LaneTurn {
            lane: 1,
            tokens: rest,
        };
        assert_eq!(bits(model.forward_lanes(&[turn]).unwrap()), expected);
    }
}

#[test]
fn a_prefix_that_was_kept_outside_gives_the_logits_of_one_that_was_read() {
    let prompt = &affordable()[0].prompt_ids;
    let (kept, rest) = prompt.split_at(prompt.len() - 2);
    for kv_cache in [KvPrecision::F16, KvPrecision::F32, KvPrecision::Int8] {
        let load = || {
            let kv_cache = Some(kv_cache);
            let options = LoadOptions {
                kv_cache,
                ..LoadOptions::default()
            };
            model::load(&directory(), &options).unwrap().model
        };
        let (mut model, mut next) = (load(), load());
        assert!(model.prefix_key().is_some());
        assert_eq!(model.prefix_key(), next.prefix_key());
        model.forward(kept).unwrap();
        let bytes = model.prefix(0, kept.len()).unwrap();
        assert!(model.prefix(0, kept.len() + 1).is_err());
        assert!(next.put_prefix(0, kept.len() + 16, &bytes).is_err());
        assert_eq!(next.position(), 0);
        next.put_prefix(0, kept.len(), &bytes).unwrap();
        let expected = bits(model.forward(rest).unwrap());
        assert_eq!(bits(next.forward(rest).unwrap()), expected, "{kv_cache:?}");
    }
}

#[test]
fn a_long_system_prompt_is_not_read_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let system = "You answer questions about a house with sensors. ".repeat(12);
    let ask = |engine: &mut Engine, question: &str| {
        let messages = [(Role::System, system.as_str()), (Role::User, question)];
        let request = GenerationRequest {
            messages: messages
                .map(|(role, content)| Message {
                    role,
                    content: content.to_owned(),
                })
                .to_vec(),
            sampling: SamplingOptions::default(),
            budget: Budget {
                max_tokens: 24,
                max_think_tokens: Some(12),
            },
            stop: Vec::new(),
            format: ResponseFormat::default(),
        };
        engine
            .generate(&request, &Uninterrupted, &mut |_| {})
            .unwrap()
    };
    let next_process = || {
        engine_with(1).with_prefixes(PrefixFolder {
            directory: folder.path().to_owned(),
            bytes_max: 1 << 24,
        })
    };
    let mut first = next_process();
    for number in 1..=3 {
        ask(&mut first, &format!("Is {number} more than 2?"));
    }
    let (mut kept, mut fresh) = (next_process(), engine_with(1));
    let question = "What is the mean of 20, 22 and 24?";
    let (kept, fresh) = (ask(&mut kept, question), ask(&mut fresh, question));
    assert_eq!((kept.thought, kept.answer), (fresh.thought, fresh.answer));
    assert_eq!(fresh.usage.reused_tokens, 0);
    assert!(kept.usage.reused_tokens >= 64, "{:?}", kept.usage);
}

fn engine_with(streams: usize) -> Engine {
    let options = LoadOptions {
        lanes: Lanes::Exactly(streams),
        ..LoadOptions::default()
    };
    engine(model::load(&directory(), &options).unwrap())
}

/// Steps until every turn has ended, putting those of `pauses` aside and letting them go on as it says (turn, at which
/// step, for how many).
fn finish(
    engine: &mut Engine,
    turns: &[TurnId],
    pauses: &[(usize, usize, usize)],
) -> Vec<Completion> {
    let mut completions = vec![None; turns.len()];
    for step in 0.. {
        for &(turn, at, steps) in pauses {
            if step == at {
                engine.pause(turns[turn]);
            } else if step == at + steps {
                engine.resume(turns[turn]).unwrap();
            }
        }
        for event in engine.step() {
            let turn = turns.iter().position(|turn| *turn == event.turn).unwrap();
            match event.news {
                TurnNews::Finished(completion) => completions[turn] = Some(completion),
                TurnNews::Failed(error) => panic!("{error}"),
                TurnNews::Thought(_) | TurnNews::Answer(_) => {}
            }
        }
        if completions.iter().all(Option::is_some) {
            break;
        }
    }
    completions.into_iter().flatten().collect()
}

#[test]
fn prompts_answered_together_or_with_pauses_say_what_they_say_alone() {
    const STREAMS: usize = 4;
    let ask = |case: &Case| GenerationRequest {
        messages: vec![Message {
            role: Role::User,
            content: case.prompt.clone(),
        }],
        sampling: SamplingOptions::default(),
        budget: Budget {
            max_tokens: 48,
            max_think_tokens: Some(24),
        },
        stop: Vec::new(),
        format: ResponseFormat::default(),
    };
    let cases = reference();
    let asked = cases.iter().filter(|case| !case.prompt.is_empty());
    let requests: Vec<_> = asked.take(STREAMS).map(ask).collect();
    let mut one = engine_with(1);
    let mut expected = Vec::new();
    for request in &requests {
        let completion = one.generate(request, &Uninterrupted, &mut |_| {}).unwrap();
        assert!(completion.usage.thought_tokens + completion.usage.answer_tokens > 8);
        expected.push((completion.thought, completion.answer));
    }
    let mut several = engine_with(STREAMS);
    for pauses in [&[][..], &[(0, 3, 9), (2, 5, 2), (1, 20, 5)]] {
        let begin = |request| several.begin(request).unwrap();
        let turns: Vec<TurnId> = requests.iter().map(begin).collect();
        let found = finish(&mut several, &turns, pauses);
        let found: Vec<_> = found.into_iter().map(|c| (c.thought, c.answer)).collect();
        assert_eq!(found, expected);
    }
}

/// What the shipped model answers in a form, which it was never taught: only that is looked at, not whether it is true.
fn formed(engine: &mut Engine, format: ResponseFormat, seed: u64) -> serde_json::Value {
    let request = GenerationRequest {
        messages: vec![Message {
            role: Role::User,
            content: "What is the mean of 20, 22 and 24?".to_owned(),
        }],
        sampling: SamplingOptions {
            temperature: if seed == 0 { 0.0 } else { 0.8 },
            top_p: 0.95,
            seed,
            ..SamplingOptions::default()
        },
        budget: Budget {
            max_tokens: 150,
            max_think_tokens: Some(80),
        },
        stop: Vec::new(),
        format,
    };
    let mut told = String::new();
    let completion = engine.generate(&request, &Uninterrupted, &mut |event| {
        if let Event::Answer(text) = event {
            told.push_str(text);
        }
    });
    let completion = completion.unwrap();
    assert_eq!(completion.answer, told);
    assert!(completion.usage.thought_tokens > 0);
    serde_json::from_str(&completion.answer).unwrap()
}

#[test]
fn answers_in_json_and_by_a_schema() {
    let schema = json!({
        "properties": {
            "mean": { "type": "number" },
            "unit": { "enum": ["°C", "%", "none"] },
        },
        "required": ["mean", "unit"],
        "additionalProperties": false,
    });
    let schema = ResponseFormat::JsonSchema(Arc::new(Schema::new(&schema).unwrap()));
    let mut engine = engine(load(Activations::Auto));
    for seed in 0..4 {
        assert!(formed(&mut engine, ResponseFormat::JsonObject, seed).is_object());
        let answer = formed(&mut engine, schema.clone(), seed);
        let object = answer.as_object().unwrap();
        assert!(object.len() == 2 && object["mean"].is_number(), "{answer}");
        assert!(["°C", "%", "none"].contains(&object["unit"].as_str().unwrap()));
    }
}

#[test]
fn a_text_gives_the_same_logits_in_whatever_chunks_it_is_read() {
    let tokens: Vec<u32> = reference()
        .into_iter()
        .flat_map(|case| case.prompt_ids)
        .take(200)
        .collect();
    let mut model = load(Activations::Auto).model;
    let mut logits = |chunk: usize| {
        model.truncate(0);
        let mut last = Vec::new();
        for chunk in tokens.chunks(chunk) {
            last = bits(model.forward(chunk).unwrap());
        }
        last
    };
    let expected = logits(200);
    for chunk in [1, 7, 32, 128] {
        assert_eq!(logits(chunk), expected, "in chunks of {chunk}");
    }
}

#[test]
fn a_lane_that_is_not_there_or_twice_is_refused() {
    let mut model = load(Activations::Auto).model;
    let turn = |lane| LaneTurn { lane, tokens: &[1] };
    assert!(model.forward_lanes(&[]).is_err());
    assert!(model.forward_lanes(&[turn(1)]).is_err());
    assert!(model.forward_lanes(&[turn(0), turn(0)]).is_err());
    assert!(model.forward_lanes(&[turn(0)]).is_ok());
    assert_eq!(model.position(), 1);
}

#[test]
fn joined_operators_compute_what_the_graphs_own_do() {
    let logits = |separate_operators| {
        let options = LoadOptions {
            activations: Activations::F32,
            separate_operators,
            all_logits: true,
            ..LoadOptions::default()
        };
        let loaded = model::load(&directory(), &options).unwrap();
        let mut model = loaded.model;
        let logits = model.forward_all(&affordable()[0].prompt_ids).unwrap();
        (logits.to_vec(), loaded.info.plan_nodes)
    };
    let (joined, joined_nodes) = logits(false);
    let (separate, separate_nodes) = logits(true);
    assert!(
        joined_nodes < separate_nodes,
        "{joined_nodes} of {separate_nodes} nodes"
    );
    let largest = separate.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
    for (joined, separate) in joined.iter().zip(&separate) {
        assert!(
            (joined - separate).abs() <= 1e-5 * largest,
            "{joined} {separate}"
        );
    }
}

/// Positions of the divergence that follows, at least.
const POSITIONS: usize = 256;
/// Mean divergence that 8-bit activations, f16 scales and an f16 cache may cost, in nats.
const DIVERGENCE_MAX: f64 = 1e-3;

#[test]
fn logits_diverge_from_exact_arithmetic_on_the_same_weights_by_little() {
    let logits_of = |activations| {
        let options = LoadOptions {
            activations,
            all_logits: true,
            ..LoadOptions::default()
        };
        let mut model = model::load(&directory(), &options).unwrap().model;
        let mut all = Vec::new();
        for case in affordable().iter().take(8) {
            model.truncate(0);
            let tokens = [&*case.prompt_ids, &case.f32_activations.ids].concat();
            all.extend_from_slice(model.forward_all(&tokens).unwrap());
        }
        (all, model.vocab_size())
    };
    let (exact, vocab_size) = logits_of(Activations::F32);
    let (found, _) = logits_of(Activations::Auto);
    let positions = exact.len() / vocab_size;
    assert!(positions >= POSITIONS, "{positions} positions");
    let pairs = exact.chunks(vocab_size).zip(found.chunks(vocab_size));
    let mean = pairs.map(|(p, q)| divergence(p, q)).sum::<f64>() / positions as f64;
    println!("mean divergence {mean:.2e} over {positions} positions");
    assert!(mean <= DIVERGENCE_MAX, "mean divergence {mean:e}");
    assert!(mean > 0.0, "both are the same arithmetic");
}

/// Kullback-Leibler divergence, in nats, of the distribution that logits `q` give from that of `p`.
fn divergence(p: &[f32], q: &[f32]) -> f64 {
    let log_softmax = |logits: &[f32]| -> Vec<f64> {
        let largest = logits.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        let shifted = logits.iter().map(|x| f64::from(x - largest));
        let log_sum = shifted.clone().map(f64::exp).sum::<f64>().ln();
        shifted.map(|x| x - log_sum).collect()
    };
    let (p, q) = (log_softmax(p), log_softmax(q));
    p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum()
}

#[test]
fn prompts_become_the_tokens_they_are_in_the_reference() {
    let tokenizer = load(Activations::Auto).tokenizer;
    for case in reference() {
        assert_eq!(
            tokenizer.encode(&case.rendered).unwrap(),
            case.prompt_ids,
            "{}",
            case.prompt
        );
    }
}

#[derive(Deserialize)]
struct Problem {
    family: String,
    held_out: bool,
    messages: Vec<Message>,
    answer: String,
}

/// Families that the model's card claims.
const CLAIMED: &[&str] = &[
    "aggregates",
    "clock",
    "compose",
    "convert",
    "dialogue",
    "energy",
    "faults",
    "flow",
    "percent",
    "ranking",
    "refuse",
    "rules",
    "trend",
];

/// The share of right answers that the card claims for them: fresh numbers, names and layouts, English and French, in
/// wording that the model was trained on.
const RIGHT_PERCENT: usize = 80;

#[test]
fn answers_fresh_questions_of_the_kinds_its_card_claims() {
    let mut engine = engine(load(Activations::Auto));
    let text = std::fs::read_to_string(directory().join("eval/problems.jsonl")).unwrap();
    let (mut right, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let problem: Problem = serde_json::from_str(line).unwrap();
        if problem.held_out || !CLAIMED.contains(&problem.family.as_str()) {
            continue;
        }
        let messages = problem.messages;
        let request = GenerationRequest {
            messages,
            sampling: SamplingOptions::default(),
            budget: Budget {
                max_tokens: 400,
                max_think_tokens: None,
            },
            stop: Vec::new(),
            format: ResponseFormat::default(),
        };
        let completion = engine
            .generate(&request, &Uninterrupted, &mut |_| {})
            .unwrap();
        if completion.answer == problem.answer && !completion.thought.is_empty() {
            right += 1;
        } else {
            wrong.push(format!(
                "{}: {} -> {}",
                problem.family, problem.answer, completion.answer
            ));
        }
    }
    let asked = right + wrong.len();
    assert!(asked >= 60, "only {asked} problems");
    let percent = 100 * right / asked;
    println!("{percent} % of {asked} right");
    assert!(
        percent >= RIGHT_PERCENT,
        "{percent} % right; wrong: {wrong:#?}"
    );
}

fn engine(loaded: model::LoadedModel) -> Engine {
    let options = thinkd::engine::EngineOptions {
        chat_template: loaded.directory.chat_template,
        bos_token: loaded.directory.bos_token,
        eos_token: loaded.directory.eos_token,
        eos_token_ids: loaded.directory.eos_token_ids,
        ..thinkd::engine::EngineOptions::default()
    };
    Engine::new(Box::new(loaded.model), loaded.tokenizer, options).unwrap()
}
