//! Answers that were asked for as JSON: whatever the model would rather say, and however they end, they parse.

use serde_json::{Value, json};
use thinkd::engine::Schema;

use super::*;

fn as_object(request: GenerationRequest) -> GenerationRequest {
    GenerationRequest {
        format: ResponseFormat::JsonObject,
        ..request
    }
}

fn as_schema(request: GenerationRequest, schema: &Value) -> GenerationRequest {
    let schema = Schema::new(schema).expect("it can be followed");
    GenerationRequest {
        format: ResponseFormat::JsonSchema(Arc::new(schema)),
        ..request
    }
}

fn parsed(completion: &Completion) -> Value {
    let parsed = serde_json::from_str(&completion.answer);
    parsed.unwrap_or_else(|error| panic!("{error}: {}", completion.answer))
}

/// A model that rather says each of `wishes` than the next token of `text`, which it may say too, and nothing else.
fn wishing(wishes: &'static [u32], text: &str) -> ScriptedModel {
    let said = ByteTokenizer.encode(text).expect("bytes always encode");
    ScriptedModel::from_logits(CONTEXT_TOKENS, VOCAB_SIZE, move |tokens, logits| {
        logits.fill(f32::NEG_INFINITY);
        let turn = tokens.rsplit(|token| *token == ASSISTANT).next();
        let at = turn.map_or(0, <[u32]>::len);
        let next = said.get(at).copied().unwrap_or(EOS);
        for (rank, token) in wishes.iter().chain([&next]).enumerate() {
            logits[*token as usize] = logits[*token as usize].max(9.0 - rank as f32);
        }
        Ok(())
    })
}

/// What is nowhere part of JSON, and ends too early.
const WRONG: &[u32] = &[0, EOS, USER];

#[test]
fn the_likeliest_that_fits_is_said_where_the_likeliest_does_not() {
    let text = r#"{"a": [1, "é🦙"], "b": {}}"#;
    for temperature in [0.0, 0.7] {
        let request = GenerationRequest {
            sampling: SamplingOptions {
                temperature,
                top_p: 0.5,
                ..SamplingOptions::default()
            },
            ..as_object(ask("?"))
        };
        let model = wishing(WRONG, text);
        let completion = answered(&mut engine(model, CHAT_TEMPLATE), &request);
        assert_eq!(completion.answer, text);
        assert_eq!(completion.finish_reason, FinishReason::Stop);
        assert_eq!(completion.usage.answer_tokens, text.len());
    }
}

#[test]
fn a_whole_document_ends_the_answer() {
    let model = ScriptedModel::saying(CONTEXT_TOKENS, "{} and more");
    let record = model.record();
    let completion = answered(&mut engine(model, CHAT_TEMPLATE), &as_object(ask("?")));
    assert_eq!(completion.answer, "{}");
    assert_eq!(completion.finish_reason, FinishReason::Stop);
    assert_eq!(record.chunks().last().unwrap(), &[u32::from(b'{')]);
}

#[test]
fn a_number_may_go_on_or_end() {
    let request = || as_schema(ask("?"), &json!({ "type": "number" }));
    for said in ["-1.5", "0", "12\n"] {
        let completion = answered(&mut saying(said), &request());
        assert_eq!(completion.answer, said.trim());
        assert_eq!(completion.finish_reason, FinishReason::Stop);
    }
}

#[test]
fn drawn_answers_follow_their_schema_and_a_seed_gives_one() {
    let levels = json!(["low", "high", "none at all"]);
    let schema = json!({
        "properties": {
            "level": { "enum": levels },
            "degrees": { "type": "array", "items": { "type": "integer" }, "minItems": 1, "maxItems": 3 },
        },
        "required": ["level", "degrees"],
        "additionalProperties": false,
    });
    let mut engine = engine(hashing_model(), CHAT_TEMPLATE);
    let mut answers = Vec::new();
    for seed in 0..30 {
        let request = as_schema(sampled(seed), &schema);
        let completion = answered(&mut engine, &request);
        let answer = parsed(&completion);
        assert_eq!(answer.as_object().unwrap().len(), 2, "{answer}");
        assert!(levels.as_array().unwrap().contains(&answer["level"]));
        let degrees = answer["degrees"].as_array().unwrap();
        assert!((1..=3).contains(&degrees.len()), "{answer}");
        assert!(degrees.iter().all(Value::is_i64), "{answer}");
        assert_eq!(answered(&mut engine, &request).answer, completion.answer);
        answers.push(completion.answer);
    }
    answers.sort_unstable();
    answers.dedup();
    assert!(answers.len() > 10, "{answers:?}");
}

#[test]
fn an_object_of_any_kind_is_drawn_whatever_the_filters_are() {
    let mut engine = engine(hashing_model(), CHAT_TEMPLATE);
    for seed in 0..20 {
        for (top_k, top_p, min_p) in [(0, 1.0, 0.0), (1, 1.0, 0.0), (0, 0.1, 0.0), (5, 0.9, 0.5)] {
            let mut request = as_object(sampled(seed));
            (request.sampling.top_k, request.sampling.top_p) = (top_k, top_p);
            request.sampling.min_p = min_p;
            assert!(parsed(&answered(&mut engine, &request)).is_object());
        }
    }
}

#[test]
fn an_answer_without_tokens_left_is_closed() {
    let text = r#"{"a": {"b": [1.5, true, "x \u00e9"]}}"#;
    for max_tokens in 1..=text.len() {
        let request = as_object(budget(max_tokens, None));
        let completion = answered(&mut saying(text), &request);
        let is_whole = max_tokens == text.len();
        let reason = if is_whole {
            FinishReason::Stop
        } else {
            FinishReason::Length
        };
        assert_eq!(completion.finish_reason, reason, "{max_tokens}");
        assert!(parsed(&completion).is_object());
        assert_eq!(completion.usage.answer_tokens, max_tokens);
    }
}

#[test]
fn what_a_schema_requires_is_there_though_the_answer_was_cut() {
    let schema = json!({
        "properties": { "on": { "type": "boolean" }, "note": { "type": ["string", "null"] } },
        "required": ["note", "on"],
    });
    for max_tokens in 1..20 {
        let request = as_schema(budget(max_tokens, None), &schema);
        let mut engine = saying(r#"{"note": "warm 🦙", "on": true}"#);
        let answer = parsed(&answered(&mut engine, &request));
        assert!(answer["on"].is_boolean(), "{answer}");
        assert!(
            answer["note"].is_null() || answer["note"].is_string(),
            "{answer}"
        );
    }
}

#[test]
fn an_interrupted_answer_is_closed_and_says_so() {
    for (after, answer) in [
        (0, "{}"),
        (1, "{}"),
        (5, r#"{"a":null}"#),
        (8, r#"{"a":"xy"}"#),
    ] {
        let control = InterruptAfter::new(after, Interrupt::Deadline);
        let mut engine = saying(r#"{"a":"xyz"}"#);
        let completion = generate(&mut engine, &as_object(ask("?")), &control).unwrap();
        assert_eq!(completion.answer, answer, "{after}");
        assert_eq!(completion.finish_reason, FinishReason::Deadline);
    }
}

#[test]
fn an_answer_that_cannot_go_on_is_closed() {
    let request = as_object(ask("?"));
    let completion = answered(
        &mut engine(wishing(WRONG, r#"{"a":["#), CHAT_TEMPLATE),
        &request,
    );
    assert_eq!(completion.answer, r#"{"a":[]}"#);
    assert_eq!(completion.finish_reason, FinishReason::Length);
}

#[test]
fn the_thought_is_free_and_the_end_waits_for_the_answer() {
    for (template, max_think_tokens) in [
        (CHAT_TEMPLATE, None),
        (CHAT_TEMPLATE_THINKING, None),
        (CHAT_TEMPLATE_THINKING, Some(3)),
    ] {
        let (mut engine, _) = thinking("so: [ } é\" ", "{\"a\": 1}", template);
        let request = as_object(budget(100, max_think_tokens));
        let completion = answered(&mut engine, &request);
        let thought = if max_think_tokens.is_some() {
            "so:"
        } else {
            "so: [ } é\""
        };
        assert_eq!(completion.thought, thought);
        assert_eq!(completion.answer, "{\"a\": 1}");
        assert_eq!(completion.finish_reason, FinishReason::Stop);
    }
    let model = wishing(&[EOS], "<think>\nhm</think>\n\n{}");
    let completion = answered(&mut engine(model, CHAT_TEMPLATE), &as_object(ask("?")));
    assert_eq!(
        (completion.thought.as_str(), completion.answer.as_str()),
        ("hm", "{}")
    );
}

#[test]
fn a_thought_that_takes_all_tokens_leaves_an_empty_document() {
    let (mut engine, _) = thinking("abcdefgh", "{}", CHAT_TEMPLATE_THINKING);
    let completion = answered(&mut engine, &as_object(budget(4, None)));
    assert_eq!(
        (completion.thought.as_str(), completion.answer.as_str()),
        ("abcd", "{}")
    );
    assert_eq!(completion.finish_reason, FinishReason::Length);
}

#[test]
fn half_a_think_tag_is_no_part_of_the_answer() {
    let options = EngineOptions {
        chat_template: CHAT_TEMPLATE.to_owned(),
        eos_token_ids: vec![EOS],
        ..EngineOptions::default()
    };
    let model = ScriptedModel::saying(CONTEXT_TOKENS, "<thi");
    let mut engine = Engine::new(Box::new(model), Arc::new(Without("<think>")), options).unwrap();
    let completion = answered(&mut engine, &as_object(budget(3, None)));
    assert_eq!(
        (completion.thought.as_str(), completion.answer.as_str()),
        ("", "{}")
    );
}

#[test]
fn what_begins_like_a_think_tag_leads_into_no_thought() {
    const WISHES: &[u32] = &[b'<' as u32, b't' as u32];
    let model = wishing(WISHES, "{}");
    let completion = answered(&mut engine(model, CHAT_TEMPLATE), &as_object(ask("?")));
    assert_eq!(
        (completion.thought.as_str(), completion.answer.as_str()),
        ("", "{}")
    );
}

#[test]
fn white_space_comes_to_an_end() {
    // What it would say is refused, so this model would write lines for ever.
    const WISHES: &[u32] = &[b'T' as u32, b'\n' as u32];
    let model = wishing(WISHES, &("?".repeat(16) + "{"));
    let completion = answered(&mut engine(model, CHAT_TEMPLATE), &as_object(ask("?")));
    assert_eq!(parsed(&completion), json!({}));
    assert_eq!(completion.usage.answer_tokens, 16 + 1 + 160);
}

#[test]
fn stop_sequences_do_not_cut_a_document() {
    let request = GenerationRequest {
        stop: vec!["\n".to_owned(), "}".to_owned()],
        ..as_object(ask("?"))
    };
    let text = "{\n\"a\": {}\n}";
    assert_eq!(answered(&mut saying(text), &request).answer, text);
}

#[test]
fn characters_of_several_tokens_are_written_in_texts_and_literals() {
    let schema = json!({ "enum": ["kühl", "heiß"] });
    for said in ["\"kühl\"", "\"heiß\""] {
        let completion = answered(&mut saying(said), &as_schema(ask("?"), &schema));
        assert_eq!(completion.answer, said);
    }
    // Another character begins with the same byte: nothing fits its end.
    let completion = answered(
        &mut engine(wishing(&[], "\"kößl\""), CHAT_TEMPLATE),
        &as_schema(ask("?"), &schema),
    );
    assert_eq!(completion.answer, "\"kühl\"");
    assert_eq!(completion.finish_reason, FinishReason::Length);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_model_would_say_the_answer_is_an_object(
        said in "[{}\\[\\]\",:\\\\ \\nué🦙0-9<thinkeru/>.-]{0,60}",
        max_tokens in 1_usize..80,
        temperature in prop::sample::select(vec![0.0_f32, 1.0]),
    ) {
        let script = ByteTokenizer.encode(&said).unwrap();
        let model = ScriptedModel::from_logits(CONTEXT_TOKENS, VOCAB_SIZE, move |tokens, logits| {
            let turn = tokens.rsplit(|token| *token == ASSISTANT).next();
            let at = turn.map_or(0, <[u32]>::len);
            for (token, logit) in logits.iter_mut().enumerate() {
                *logit = ((token * 31 + at * 17) % 97) as f32 / 40.0;
            }
            logits[script.get(at).copied().unwrap_or(EOS) as usize] = 9.0;
            Ok(())
        });
        let mut request = as_object(budget(max_tokens, None));
        request.sampling.temperature = temperature;
        let completion = answered(&mut engine(model, CHAT_TEMPLATE), &request);
        prop_assert!(parsed(&completion).is_object());
    }
}
