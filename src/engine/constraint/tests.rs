//! Tests of [`super`]: by example, and against `serde_json`.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::*;

fn of(schema: &Value) -> Constraint {
    let schema = Schema::new(schema).unwrap();
    Constraint::new(&ResponseFormat::JsonSchema(Arc::new(schema))).unwrap()
}

fn any_object() -> Constraint {
    Constraint::new(&ResponseFormat::JsonObject).unwrap()
}

fn any_value() -> Constraint {
    of(&json!({}))
}

/// Whether every beginning of `document` is allowed and the whole is complete.
fn takes(mut constraint: Constraint, document: &str) -> bool {
    let each = document
        .chars()
        .all(|character| constraint.push(character.encode_utf8(&mut [0; 4])));
    each && constraint.is_complete()
}

#[test]
fn free_text_has_no_constraint() {
    assert!(Constraint::new(&ResponseFormat::Text).is_none());
}

#[test]
fn takes_json_and_nothing_else() {
    for (document, is_json) in [
        ("{}", true),
        (
            " {\n  \"a\" : [ 1, -2.5e+3, true, false, null, \"x\" ] } \n",
            true,
        ),
        (r#"{"a":"\u00e9\n\"\\ \ud83d\ude00 é"}"#, true),
        (r#"{"a":{"a":{}},"b":[[],[{}]]}"#, true),
        ("[]", false),
        ("1", false),
        (r#"{"a":01}"#, false),
        (r#"{"a":1.}"#, false),
        (r#"{"a":+1}"#, false),
        (r#"{"a":1,}"#, false),
        (r#"{,}"#, false),
        (r#"{"a" 1}"#, false),
        (r#"{"a":[1,]}"#, false),
        (r#"{"a":tru}"#, false),
        (r#"{"a":"\x"}"#, false),
        (r#"{"a":"\ud83d"}"#, false),
        (r#"{"a":"\ude00"}"#, false),
        ("{\"a\":\"\n\"}", false),
        ("{}{}", false),
        ("{", false),
        (r#"{"a":1e999}"#, false),
    ] {
        assert_eq!(takes(any_object(), document), is_json, "{document}");
    }
}

#[test]
fn a_piece_that_is_not_allowed_changes_nothing() {
    let mut constraint = any_object();
    assert!(constraint.push("{\"a\":"));
    assert!(!constraint.allows("1}x"));
    assert!(!constraint.push("1}x"));
    assert!(constraint.push("1}"));
    assert!(constraint.is_complete() && constraint.is_closed());
    assert!(constraint.push(" \n") && !constraint.allows("x"));
}

#[test]
fn a_character_that_is_not_known_yet_is_allowed_where_one_could_stand() {
    for (text, is_allowed) in [
        ("", false),
        ("{", false),
        ("{\"", true),
        ("{\"a\":1", false),
    ] {
        assert_eq!(
            any_object().allows_character_after(text),
            is_allowed,
            "{text}"
        );
    }
    let literals = of(&json!({ "enum": ["low", "hür", "hoch"] }));
    for (text, is_allowed) in [
        ("\"l", false),
        ("\"h", true),
        ("\"hü", false),
        ("\"x", false),
    ] {
        assert_eq!(literals.allows_character_after(text), is_allowed, "{text}");
    }
}

#[test]
fn white_space_and_digits_come_to_an_end() {
    assert!(any_object().allows(&"\n".repeat(BLANKS_MAX)));
    assert!(!any_object().allows(&"\n".repeat(BLANKS_MAX + 1)));
    assert!(!any_object().allows(&format!("{{\"a\":0.{}", "3".repeat(40))));
}

#[test]
fn nesting_comes_to_an_end() {
    assert!(any_value().allows(&"[".repeat(DEPTH_MAX)));
    assert!(!any_value().allows(&"[".repeat(DEPTH_MAX + 1)));
    let deepest = "[".repeat(DEPTH_MAX);
    let mut constraint = any_value();
    assert!(constraint.push(&deepest));
    assert_eq!(constraint.closing(), "]".repeat(DEPTH_MAX));
}

fn reading() -> Value {
    json!({
        "type": "object",
        "properties": {
            "state": {"enum": ["ok", "okay", "bad", 1, 12, null]},
            "stat": {"type": "boolean"},
            "level": {"type": "integer", "description": "in per cent"},
            "mean": {"type": ["number", "null"]},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
            "where": {
                "type": "object", "properties": {"é": {"const": "\"x\""}}, "required": ["é"], "additionalProperties": false
            }
        },
        "required": ["state", "level"],
        "additionalProperties": false
    })
}

#[test]
fn follows_a_schema() {
    for (document, follows) in [
        (r#"{"state":"ok","level":3}"#, true),
        (r#"{"level":-3, "state":"okay"}"#, true),
        (r#"{"level":3,"state":12,"mean":1.5e1}"#, true),
        (r#"{"level":3,"state":1 ,"mean":null}"#, true),
        (r#"{"level":3,"state":null,"stat":true}"#, true),
        (r#"{"level":3,"state":1,"tags":["a","b"]}"#, true),
        (r#"{"level":3,"state":1,"where":{"é":"\"x\""}}"#, true),
        (r#"{"level":3}"#, false),
        (r#"{"level":3.5,"state":1}"#, false),
        (r#"{"level":"3","state":1}"#, false),
        (r#"{"level":3,"state":"good"}"#, false),
        (r#"{"level":3,"state":123}"#, false),
        (r#"{"level":3,"level":3,"state":1}"#, false),
        (r#"{"level":3,"state":1,"more":1}"#, false),
        (r#"{"level":3,"state":1,"tags":[]}"#, false),
        (r#"{"level":3,"state":1,"tags":["a","b","c"]}"#, false),
        (r#"{"level":3,"state":1,"where":{}}"#, false),
        (r#"[]"#, false),
    ] {
        assert_eq!(takes(of(&reading()), document), follows, "{document}");
    }
}

#[test]
fn names_of_an_open_object_are_known_however_they_are_written() {
    let schema = json!({"properties": {"a": {"type": "boolean"}}, "required": ["a"]});
    for (document, follows) in [
        (r#"{"a":true,"b":7}"#, true),
        (r#"{"\u0061":true}"#, true),
        (r#"{"\u0061":7}"#, false),
        (r#"{"a":true,"\u0061":true}"#, false),
        (r#"{"b":7}"#, false),
        ("7", false),
    ] {
        assert_eq!(takes(of(&schema), document), follows, "{document}");
    }
}

#[test]
fn closes_what_was_begun_with_little() {
    for (begun, closing) in [
        ("", r#"{"state":1,"level":0}"#),
        ("{\"level\":-", r#"1,"state":1}"#),
        ("{\"stat", r#"e":1,"level":0}"#),
        ("{\"state\":\"oka", r#"y","level":0}"#),
        ("{\"state\":1", r#","level":0}"#),
        ("{\"tags\":[", r#"""],"state":1,"level":0}"#),
    ] {
        let mut constraint = of(&reading());
        assert!(constraint.push(begun), "{begun}");
        assert_eq!(constraint.closing(), closing, "{begun}");
    }
    for (begun, closing) in [
        (r#"{"a":"x\"#, "n\"}"),
        (r#"{"a":"x\ud8"#, "00\\udc00\"}"),
        (r#"{"a":1.5e"#, "0}"),
        (r#"{"a":[{"b":"#, "null}]}"),
        (r#"{"a":t"#, "rue}"),
    ] {
        let mut constraint = any_object();
        assert!(constraint.push(begun), "{begun}");
        assert_eq!(constraint.closing(), closing, "{begun}");
    }
}

#[test]
fn a_schema_that_cannot_be_followed_is_refused_with_the_reason() {
    let mut deep = json!({});
    for _ in 0..DEPTH_MAX {
        deep = json!({ "items": deep });
    }
    for (schema, error) in [
        (
            json!(3),
            "schema: found a number, expected a schema, which is an object",
        ),
        (
            json!({"properties": {"a": {"pattern": "x"}}}),
            "schema.properties.a: the keyword \"pattern\" is not supported; supported are type, properties, required, \
             additionalProperties, enum, const, items, minItems, maxItems",
        ),
        (
            json!({"type": "text"}),
            "schema.type: found a string, expected null, boolean, integer, number, string, array or object",
        ),
        (
            json!({"required": ["a"]}),
            "schema.required: \"a\" is not among the properties",
        ),
        (
            json!({"enum": []}),
            "schema: none of the values of enum or const is of the type",
        ),
        (
            json!({"type": "string", "enum": [1]}),
            "schema: none of the values of enum or const is of the type",
        ),
        (
            json!({"items": {}, "minItems": 3, "maxItems": 2}),
            "schema: minItems is 3, above maxItems, which is 2",
        ),
    ] {
        let found = Schema::new(&schema).map(|_| ()).unwrap_err().to_string();
        assert_eq!(found, error);
    }
    let error = Schema::new(&deep).unwrap_err().to_string();
    assert!(
        error.ends_with("it is nested deeper than 32 levels"),
        "{error}"
    );
}

#[test]
fn a_schema_whose_shortest_document_is_long_is_refused() {
    let list = |items: Value| json!({"type": "array", "items": items, "minItems": 9000});
    let error = Schema::new(&list(list(json!({})))).unwrap_err().to_string();
    assert_eq!(
        error,
        "schema: no document of it is shorter than 65536 bytes"
    );
}

proptest! {
    #[test]
    fn every_beginning_of_a_document_is_allowed_and_the_whole_is_complete(value in json_value()) {
        let object = json!({ "a": value });
        for document in [object.to_string(), format!("{object:#}")] {
            prop_assert!(takes(any_object(), &document), "{}", document);
            prop_assert!(takes(any_value(), &document), "{}", document);
        }
    }

    #[test]
    fn what_is_allowed_can_be_closed_and_what_is_complete_is_json(steps in steps()) {
        let mut constraint = any_value();
        walk(&mut constraint, &steps, |document| serde_json::from_str::<Value>(document).is_ok())?;
    }

    #[test]
    fn what_a_schema_allows_can_be_closed_and_follows_it(steps in steps()) {
        let mut constraint = of(&reading());
        walk(&mut constraint, &steps, |document| {
            serde_json::from_str(document).is_ok_and(|value| follows_reading(&value))
        })?;
    }

    #[test]
    fn any_json_is_a_schema_or_a_refusal(schema in json_value()) {
        if let Ok(schema) = Schema::new(&schema) {
            let constraint = Constraint::new(&ResponseFormat::JsonSchema(Arc::new(schema))).unwrap();
            let closing = constraint.closing();
            prop_assert!(serde_json::from_str::<Value>(&closing).is_ok(), "{}", closing);
        }
    }
}

/// Which of the allowed pieces comes next, many times.
fn steps() -> impl Strategy<Value = Vec<Index>> {
    proptest::collection::vec(any::<Index>(), 0..60)
}

/// Appends pieces that are allowed, and closes the answer after each.
fn walk(
    constraint: &mut Constraint,
    steps: &[Index],
    is_good: impl Fn(&str) -> bool,
) -> Result<(), TestCaseError> {
    let mut written = String::new();
    for step in steps {
        let allowed: Vec<&str> = PIECES
            .into_iter()
            .filter(|piece| constraint.allows(piece))
            .collect();
        let Some(piece) = allowed.get(step.index(allowed.len().max(1))) else {
            break;
        };
        prop_assert!(constraint.push(piece));
        written.push_str(piece);
        let closing = constraint.closing();
        let whole = written.clone() + &closing;
        prop_assert!(is_good(&whole), "{} and {}", written, closing);
        prop_assert_eq!(constraint.is_complete(), closing.is_empty());
        let mut closed = constraint.clone();
        prop_assert!(closed.push(&closing) && closed.is_complete());
    }
    Ok(())
}

const PIECES: [&str; 52] = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "/", "u", "n", "d8", "dc", "0", "1", "12", "7", "e",
    "E", "-", "+", ".", " ", "\n", "é", "😀", "a", "st", "state", "at", "e\"", "level", "mean",
    "tags", "where", "ok", "okay", "bad", "x", "t", "rue", "f", "alse", "nu", "ll", "null", "\":",
    "\",\"", "{\"", "[\"", "k", "}]",
];

fn follows_reading(value: &Value) -> bool {
    let Some(object) = value.as_object() else {
        return false;
    };
    let holds = |(name, value): (&String, &Value)| match name.as_str() {
        "state" => [
            json!("ok"),
            json!("okay"),
            json!("bad"),
            json!(1),
            json!(12),
            json!(null),
        ]
        .contains(value),
        "stat" => value.is_boolean(),
        "level" => value.is_i64(),
        "mean" => value.is_number() || value.is_null(),
        "tags" => value
            .as_array()
            .is_some_and(|tags| (1..=2).contains(&tags.len()) && tags.iter().all(Value::is_string)),
        "where" => *value == json!({"é": "\"x\""}),
        _ => false,
    };
    object.contains_key("state") && object.contains_key("level") && object.iter().all(holds)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e200..1e200).prop_map(Value::from),
        (-10.0..10.0).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec!["string", "object", "array", "integer"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![
            select(vec![
                "type",
                "properties",
                "items",
                "enum",
                "minItems",
                "required"
            ])
            .prop_map(str::to_owned),
            any::<String>(),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}
