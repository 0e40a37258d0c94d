//! The shipped model through thinkd's own stack: the same greedy tokens as ONNX Runtime, and right answers.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thinkd::engine::{
    Budget, Engine, GenerationRequest, Message, Role, SamplingOptions, Uninterrupted,
};
use thinkd::kernels::set;
use thinkd::model::{self, Activations, LanguageModel, LoadOptions, TokenText, TractModel};

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

fn same_tokens(mut model: TractModel, expected: impl Fn(&Case) -> &Greedy) {
    for case in reference() {
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
    phrasing: String,
    prompt: String,
    answer: String,
    #[serde(default)]
    system: Option<String>,
}

/// Kinds of question that the model's card claims.
const CLAIMED: &[&str] = &[
    "mean",
    "extreme",
    "which",
    "threshold",
    "two conditions",
    "limit",
    "select",
    "convert",
];

/// The share of right answers that the card claims for them: fresh numbers, names and layouts, in wording that
/// the model was trained on.
const RIGHT_PERCENT: usize = 80;

#[test]
fn answers_fresh_questions_of_the_kinds_its_card_claims() {
    let mut engine = engine(load(Activations::Auto));
    let text = std::fs::read_to_string(directory().join("eval/fresh.jsonl")).unwrap();
    let (mut right, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let problem: Problem = serde_json::from_str(line).unwrap();
        if problem.phrasing != "seen" || !CLAIMED.contains(&problem.family.as_str()) {
            continue;
        }
        let system = problem.system.iter().map(|content| (Role::System, content));
        let messages = system
            .chain([(Role::User, &problem.prompt)])
            .map(|(role, content)| Message {
                role,
                content: content.clone(),
            })
            .collect();
        let request = GenerationRequest {
            messages,
            sampling: SamplingOptions::default(),
            budget: Budget {
                max_tokens: 400,
                max_think_tokens: None,
            },
            stop: Vec::new(),
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
