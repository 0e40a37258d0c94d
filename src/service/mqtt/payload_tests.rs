//! Tests of [`super`]: every field, every refusal, and any bytes at all.

use proptest::prelude::*;

use super::super::templates::TemplateSpec;
use super::*;
use crate::engine::Role;

fn request(payload: &str) -> Request {
    parse(payload.as_bytes(), &RequestRules::default()).unwrap()
}

fn refusal(payload: &[u8]) -> Refusal {
    *parse(payload, &RequestRules::default()).unwrap_err()
}

#[test]
fn plain_text_is_a_prompt() {
    let request = request("  what is 2+2?\n");
    assert_eq!(request.generation.messages, [user("what is 2+2?")]);
    assert_eq!(request.generation.budget, Budget::default());
    assert_eq!(
        (request.id, request.stream, request.think),
        (None, false, Think::Separate)
    );
}

#[test]
fn every_field_reaches_its_place() {
    let request = request(
        r#" {"id":"k1","prompt":"q","system":"be brief","max_tokens":9,"max_think_tokens":4,"temperature":0.5,"top_p":0.9,
        "top_k":40,"min_p":0.1,"repetition_penalty":1.5,"seed":7,"stop":["a","b"],"stream":true,"think":"include",
        "deadline_s":1.5,"reply_to":"my/topic"}"#,
    );
    assert_eq!(request.id.as_deref(), Some("k1"));
    assert_eq!(request.generation.messages[0].role, Role::System);
    assert_eq!(request.generation.messages[1], user("q"));
    assert_eq!(
        request.generation.budget,
        Budget {
            max_tokens: 9,
            max_think_tokens: Some(4)
        }
    );
    let sampling = request.generation.sampling;
    assert_eq!(
        (sampling.temperature, sampling.top_p, sampling.top_k),
        (0.5, 0.9, 40)
    );
    assert_eq!(
        (sampling.min_p, sampling.repetition_penalty, sampling.seed),
        (0.1, 1.5, 7)
    );
    assert_eq!(request.generation.stop, ["a", "b"]);
    assert!(request.stream);
    assert_eq!(request.think, Think::Include);
    assert_eq!(request.deadline, Some(Duration::from_millis(1500)));
    assert_eq!(request.reply_to.as_deref(), Some("my/topic"));
}

#[test]
fn takes_the_spellings_people_use() {
    assert_eq!(
        request(r#"{"prompt":"q","max_completion_tokens":9}"#)
            .generation
            .budget
            .max_tokens,
        9
    );
    assert_eq!(
        request(r#"{"prompt":"q","max_tokens":9.0}"#)
            .generation
            .budget
            .max_tokens,
        9
    );
    assert_eq!(
        request(r#"{"prompt":"q","stop":"end"}"#).generation.stop,
        ["end"]
    );
    assert_eq!(request(r#"{"prompt":"q","stop":null,"id":null}"#).id, None);
    assert_eq!(
        request("\u{feff}{\"prompt\":\"q\"}").generation.messages,
        [user("q")]
    );
    let messages = r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}"#;
    assert_eq!(request(messages).generation.messages.len(), 3);
}

#[test]
fn what_the_model_is_told_first_is_the_requests_or_ours() {
    let rules = RequestRules {
        system: Some("ours".to_owned()),
        ..RequestRules::default()
    };
    for (payload, expected) in [
        ("q", "ours"),
        (r#"{"prompt":"q"}"#, "ours"),
        (r#"{"prompt":"q","system":"theirs"}"#, "theirs"),
        (
            r#"{"messages":[{"role":"system","content":"theirs"},{"role":"user","content":"q"}]}"#,
            "theirs",
        ),
    ] {
        let messages = parse(payload.as_bytes(), &rules)
            .unwrap()
            .generation
            .messages;
        assert_eq!(
            (messages.len(), messages[0].content.as_str()),
            (2, expected),
            "{payload}"
        );
    }
}

/// Payloads, and what is said of them.
const REFUSED: &[(&[u8], &str)] = &[
    (b"\xff\xfe", "payload is not UTF-8: byte 255 at 0"),
    (b"", "the prompt is empty"),
    (b" \n", "the prompt is empty"),
    (b"{\"prompt\":\" \"}", "the prompt is empty"),
    (b"{}", "neither prompt nor messages is given"),
    (
        b"{\"prompt\":\"a\",\"messages\":[]}",
        "both prompt and messages are given, expected one",
    ),
    (b"{\"messages\":[]}", "messages is empty"),
    (
        b"{\"messages\":{}}",
        "messages is an object, expected a list of messages",
    ),
    (
        b"{\"messages\":[3]}",
        "messages[0] is 3, expected an object with role and content",
    ),
    (
        b"{\"messages\":[{\"role\":\"tool\",\"content\":\"a\"}]}",
        "messages[0].role is the string \"tool\", expected system, user or assistant",
    ),
    (
        b"{\"messages\":[{\"role\":\"user\"}]}",
        "messages[0].content is null, expected a string",
    ),
    (
        b"{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]}",
        "the last message must be the user's",
    ),
    (b"{\"prompt\":7}", "prompt is 7, expected a string"),
    (
        b"{\"prompt\":\"a\",\"temprature\":1}",
        "unknown field \"temprature\", did you mean temperature?",
    ),
    (
        b"{\"prompt\":\"a\",\"session\":\"k/l\"}",
        "session must have 1 to 128 bytes and none of / + # $ or control characters",
    ),
    (
        b"{\"prompt\":\"a\",\"priority\":\"urgent\"}",
        "priority is the string \"urgent\", expected high, normal or low",
    ),
    (
        b"{\"prompt\":\"a\",\"user\":\"\"}",
        "user must have 1 to 128 bytes and no control characters",
    ),
    (
        b"{\"prompt\":\"a\",\"vars\":{}}",
        "vars is given without a template",
    ),
    (
        b"{\"template\":\"a\",\"vars\":3}",
        "vars is 3, expected an object",
    ),
    (
        b"{\"template\":\"a\"}",
        "there is no template \"a\"; known are none",
    ),
    (
        b"{\"prompt\":\"a\",\"reasoning_effort\":\"much\"}",
        "reasoning_effort is the string \"much\", expected none, minimal, low, medium or high",
    ),
    (
        b"{\"prompt\":\"a\",\"n\":2}",
        "n is 2, expected 1; ask again for another answer",
    ),
    (
        b"{\"prompt\":\"a\",\"presence_penalty\":0.5}",
        "presence_penalty is 0.5, expected 0; repetition_penalty is there instead",
    ),
    (
        b"{\"prompt\":\"a\",\"tools\":[{}]}",
        "tools is a list, expected an empty list; there are no tools",
    ),
    (
        b"{\"prompt\":\"a\",\"response_format\":\"json\"}",
        "response_format is the string \"json\", expected an object with a type",
    ),
    (
        b"{\"prompt\":\"a\",\"response_format\":{\"type\":\"xml\"}}",
        "response_format.type is the string \"xml\", expected text, json_object or json_schema",
    ),
    (
        b"{\"prompt\":\"a\",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"pattern\":1}}}}",
        "response_format.json_schema.schema: the keyword \"pattern\" is not supported; supported are type, properties, \
         required, additionalProperties, enum, const, items, minItems, maxItems",
    ),
    (
        b"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
        "messages[0].content[0] is an object, expected a part of the type text",
    ),
    (
        b"{\"prompt\":\"a\",\"temperature\":\"hot\"}",
        "temperature is the string \"hot\", expected a number from 0 to 5",
    ),
    (
        b"{\"prompt\":\"a\",\"temperature\":-1}",
        "temperature is -1, expected a number from 0 to 5",
    ),
    (
        b"{\"prompt\":\"a\",\"top_p\":0}",
        "top_p is 0, expected a number above 0 to 1",
    ),
    (
        b"{\"prompt\":\"a\",\"max_tokens\":0}",
        "max_tokens is 0, expected a whole number from 1 to 4096",
    ),
    (
        b"{\"prompt\":\"a\",\"max_tokens\":1.5}",
        "max_tokens is 1.5, expected a whole number from 1 to 4096",
    ),
    (
        b"{\"prompt\":\"a\",\"seed\":-1}",
        "seed is -1, expected a whole number from 0 to 18446744073709551615",
    ),
    (
        b"{\"prompt\":\"a\",\"stop\":3}",
        "stop is 3, expected a string or a list of strings",
    ),
    (
        b"{\"prompt\":\"a\",\"stop\":[\"\"]}",
        "a stop sequence has 1 to 256 bytes",
    ),
    (
        b"{\"prompt\":\"a\",\"stream\":\"yes\"}",
        "stream is the string \"yes\", expected true or false",
    ),
    (
        b"{\"prompt\":\"a\",\"think\":\"no\"}",
        "think is the string \"no\", expected hide, separate or include",
    ),
    (
        b"{\"prompt\":\"a\",\"deadline_s\":0}",
        "deadline_s is 0, expected a number above 0 to 604800",
    ),
    (
        b"{\"prompt\":\"a\",\"id\":\"a/b\"}",
        "id must have 1 to 128 bytes and none of / + # $ or control characters",
    ),
];

#[test]
fn says_what_was_found_and_what_was_expected() {
    for (payload, detail) in REFUSED {
        let refusal = refusal(payload);
        assert_eq!(refusal.error.detail, *detail);
        assert_eq!(refusal.error.code, Code::BadRequest);
    }
}

#[test]
fn the_body_of_chat_completions_is_a_request() {
    let request = request(
        r#"{"model":"gpt-4o","messages":[
        {"role":"developer","content":"be brief"},
        {"role":"user","name":"ann","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
        {"role":"assistant","content":"c","refusal":null,"annotations":[]},
        {"role":"user","content":"d"}],
        "max_completion_tokens":9,"temperature":0.5,"top_p":0.9,"stop":null,"seed":7,"stream":true,
        "stream_options":{"include_usage":true},"n":1,"user":"ann","response_format":{"type":"json_object"},
        "reasoning_effort":"low","metadata":{"k":"v"},"store":false,"logprobs":false,"frequency_penalty":0,
        "presence_penalty":0.0,"tools":[],"tool_choice":"none"}"#,
    );
    let messages = &request.generation.messages;
    let roles: Vec<Role> = messages.iter().map(|message| message.role).collect();
    assert_eq!(
        roles,
        [Role::System, Role::User, Role::Assistant, Role::User]
    );
    assert_eq!(messages[1].content, "a\nb");
    assert_eq!(request.client.as_deref(), Some("ann"));
    assert_eq!(request.generation.format, ResponseFormat::JsonObject);
    let budget = request.generation.budget;
    assert_eq!((budget.max_tokens, budget.max_think_tokens), (9, Some(256)));
    assert!(request.brings_system && request.stream);
}

#[test]
fn an_effort_only_lowers_the_thought_that_is_allowed() {
    let rules = RequestRules {
        budget: Budget {
            max_tokens: 4096,
            max_think_tokens: Some(500),
        },
        ..RequestRules::default()
    };
    for (fields, tokens) in [
        ("", 500),
        (r#","reasoning_effort":"minimal""#, 0),
        (r#","reasoning_effort":"low""#, 256),
        (r#","reasoning_effort":"medium""#, 500),
        (r#","reasoning_effort":"high""#, 500),
        (r#","reasoning_effort":"low","max_think_tokens":900"#, 900),
    ] {
        let payload = format!(r#"{{"prompt":"q"{fields}}}"#);
        let request = parse(payload.as_bytes(), &rules).unwrap();
        let found = request.generation.budget.max_think_tokens;
        assert_eq!(found, Some(tokens), "{fields}");
    }
}

fn with_a_template() -> RequestRules {
    let alarm = TemplateSpec {
        prompt: "{{ room }}?".to_owned(),
        system: Some("alarms".to_owned()),
        max_tokens: Some(7),
        max_think_tokens: Some(3),
        format: Some(ResponseFormat::JsonObject),
        priority: Some(Priority::High),
    };
    let hall = ClientRules {
        system: Some("in the hall".to_owned()),
        priority: Some(Priority::Low),
    };
    RequestRules {
        templates: Templates::new(BTreeMap::from([("alarm".to_owned(), alarm)])).unwrap(),
        clients: BTreeMap::from([("hall".to_owned(), hall)]),
        system: Some("ours".to_owned()),
        ..RequestRules::default()
    }
}

#[test]
fn a_template_asks_and_says_what_the_request_does_not() {
    let rules = with_a_template();
    let payload = br#"{"template":"alarm","vars":{"room":"hall"}}"#;
    let request = parse(payload, &rules).unwrap();
    let generation = &request.generation;
    assert_eq!(generation.messages[0].content, "alarms");
    assert_eq!(generation.messages[1], user("hall?"));
    assert_eq!(
        (
            generation.budget.max_tokens,
            generation.budget.max_think_tokens
        ),
        (7, Some(3))
    );
    assert_eq!(generation.format, ResponseFormat::JsonObject);
    assert_eq!(
        (request.priority, request.brings_system),
        (Priority::High, true)
    );

    let payload = br#"{"template":"alarm","vars":{"room":"hall"},"max_tokens":9,"max_think_tokens":0,"system":"own",
        "response_format":{"type":"text"},"priority":"low"}"#;
    let request = parse(payload, &rules).unwrap();
    let generation = &request.generation;
    assert_eq!(generation.messages[0].content, "own");
    assert_eq!(
        (
            generation.budget.max_tokens,
            generation.budget.max_think_tokens
        ),
        (9, Some(0))
    );
    assert_eq!(generation.format, ResponseFormat::Text);
    assert_eq!(request.priority, Priority::Low);

    let both = parse(
        br#"{"template":"alarm","vars":{"room":1},"prompt":"q"}"#,
        &rules,
    );
    assert_eq!(
        both.unwrap_err().error.detail,
        "template is given beside prompt or messages, expected one"
    );
}

#[test]
fn a_client_is_who_the_topic_says_else_who_the_request_says() {
    let rules = with_a_template();
    for (topic, payload, client, system, priority) in [
        (None, "q", None, "ours", Priority::Normal),
        (
            Some("hall"),
            "q",
            Some("hall"),
            "in the hall",
            Priority::Low,
        ),
        (
            None,
            r#"{"prompt":"q","user":"hall"}"#,
            Some("hall"),
            "in the hall",
            Priority::Low,
        ),
        (
            Some("attic"),
            r#"{"prompt":"q","user":"hall"}"#,
            Some("attic"),
            "ours",
            Priority::Normal,
        ),
        (
            Some("hall"),
            r#"{"prompt":"q","system":"own","priority":"high"}"#,
            Some("hall"),
            "own",
            Priority::High,
        ),
    ] {
        let request = parse_from(topic, payload.as_bytes(), &rules).unwrap();
        assert_eq!(request.client.as_deref(), client, "{payload}");
        assert_eq!(request.generation.messages[0].content, system, "{payload}");
        assert_eq!(request.priority, priority, "{payload}");
    }
}

#[test]
fn broken_json_is_named_as_such() {
    let refusal = refusal(b"{\"prompt\": ");
    assert!(
        refusal
            .error
            .detail
            .starts_with("the payload begins like JSON, but EOF"),
        "{refusal:?}"
    );
}

#[test]
fn a_payload_over_the_limit_is_too_large() {
    let refusal = refusal("x".repeat(65_537).as_bytes());
    assert_eq!(refusal.error.code, Code::TooLarge);
    assert_eq!(
        refusal.error.detail,
        "payload has 65537 bytes, the limit is 65536"
    );
}

#[test]
fn a_refusal_still_knows_where_it_belongs() {
    let refusal = refusal(br#"{"id":"k1","reply_to":"my/topic","prompt":""}"#);
    assert_eq!(refusal.id.as_deref(), Some("k1"));
    assert_eq!(refusal.reply_to.as_deref(), Some("my/topic"));
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_a_refusal(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        let rules = RequestRules { payload_bytes_max: 256, ..RequestRules::default() };
        if let Ok(request) = parse(&payload, &rules) {
            prop_assert!(payload.len() <= 256);
            prop_assert!(!request.generation.messages.is_empty());
        }
    }

    #[test]
    fn any_json_object_is_a_request_in_range_or_a_refusal(
        fields in proptest::collection::vec((field_name(), json(2)), 0..6)
    ) {
        let object: Map<String, Value> = fields.into_iter().collect();
        let payload = serde_json::to_vec(&object).unwrap();
        let rules = RequestRules::default();
        match parse(&payload, &rules) {
            Ok(request) => {
                prop_assert!((1..=rules.max_tokens_max).contains(&request.generation.budget.max_tokens));
                prop_assert!((0.0..=5.0).contains(&request.generation.sampling.temperature));
                prop_assert!(request.generation.sampling.top_p > 0.0);
                prop_assert_eq!(request.generation.messages.last().unwrap().role, Role::User);
            }
            Err(refusal) => prop_assert!(!refusal.error.detail.is_empty()),
        }
    }
}

fn field_name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => proptest::sample::select(FIELDS.to_vec()).prop_map(str::to_owned),
        1 => Just("prompt".to_owned()),
        1 => "[a-z_]{0,12}",
    ]
}

fn json(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_u32..20).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("role|content|x", inner), 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}
