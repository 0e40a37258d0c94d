//! Shows this board to Home Assistant: one discovery message that describes a device and all it has.
//!
//! The format is that of device discovery (Home Assistant 2024.11 and later). What Home Assistant sets limits to is kept
//! within them here: 255 characters for what is typed as a text, 16 KiB for the attributes of an event. A component for
//! what the board does not tell is left out, so that none stays unknown for ever.

use serde_json::{Map, Value, json};

use super::board::Reading;
use super::mqtt::{Publication, Topics};
use super::options::{ModelInfo, Options};

/// Characters of an answer that an event carries: 16 KiB of attributes, at most 4 bytes a character, and the rest.
const EVENT_CHARS_MAX: usize = 3800;

/// Characters that a text of Home Assistant can hold.
const TEXT_CHARS_MAX: usize = 255;

/// The retained message; nothing where Home Assistant is not to be told. `reading` says what this board tells.
#[must_use]
pub(super) fn introduction(options: &Options, reading: &Reading) -> Option<Publication> {
    let topics = &options.mqtt.topics;
    let topic = topics.home_assistant_config()?;
    let document = json!({
        "device": device(topics, &options.model),
        "origin": {"name": "thinkd", "sw_version": env!("CARGO_PKG_VERSION")},
        "availability": [{
            "topic": topics.state(),
            // "failed: WHY" is as little available as "offline".
            "value_template": "{{ 'online' if value == 'online' else 'offline' }}",
        }],
        "qos": 1,
        "components": components(topics, reading),
    });
    Some(Publication::answer(topic, document.to_string()).retained())
}

fn device(topics: &Topics, model: &ModelInfo) -> Value {
    let name = topics.base().rsplit('/').next().unwrap_or_default();
    json!({
        "identifiers": [topics.object_id()],
        "name": format!("thinkd {name}"),
        "manufacturer": "thinkd",
        "model": model.name,
        "sw_version": env!("CARGO_PKG_VERSION"),
    })
}

fn components(topics: &Topics, reading: &Reading) -> Map<String, Value> {
    let object_id = topics.object_id();
    let of_status = sensors(topics, reading);
    let to_us = inputs(topics);
    let answers = [("answer", answers(topics))];
    of_status
        .into_iter()
        .chain(to_us)
        .chain(answers)
        .map(|(key, mut component)| {
            component["unique_id"] = json!(format!("{object_id}_{key}"));
            (key.to_owned(), component)
        })
        .collect()
}

/// What is read from the status document.
fn sensors(topics: &Topics, reading: &Reading) -> Vec<(&'static str, Value)> {
    let status = topics.status();
    let activity = json!({
        "platform": "sensor",
        "name": "Activity",
        "state_topic": status,
        "value_template": "{{ value_json.state }}",
        "device_class": "enum",
        "options": ["idle", "busy", "stopping"],
        "icon": "mdi:head-cog",
    });
    let mut queue = sensor(&status, "Waiting prompts", "value_json.queue.jobs");
    queue["icon"] = json!("mdi:tray-full");
    let mut speed = sensor(&status, "Speed", "value_json.tokens_per_s");
    speed["unit_of_measurement"] = json!("tokens/s");
    speed["suggested_display_precision"] = json!(1);
    speed["icon"] = json!("mdi:speedometer");
    // Before the first answer there is none.
    let first_token = "value_json.first_token_ms | default(none)";
    let mut first_token = sensor(&status, "Time to first token", first_token);
    first_token["unit_of_measurement"] = json!("ms");
    first_token["device_class"] = json!("duration");
    let mut sensors = vec![
        ("activity", activity),
        ("queue", queue),
        ("tokens_per_s", speed),
        ("first_token", first_token),
    ];
    sensors.extend(board_sensors(&status, reading));
    sensors
}

/// What the board tells of itself, and only that.
fn board_sensors(status: &str, reading: &Reading) -> Vec<(&'static str, Value)> {
    let mut sensors = Vec::new();
    if reading.temperature_c.is_some() {
        let value = "value_json.temperature_c | default(none)";
        let mut temperature = sensor(status, "Temperature", value);
        temperature["unit_of_measurement"] = json!("°C");
        temperature["device_class"] = json!("temperature");
        sensors.push(("temperature", temperature));
    }
    if reading.power_w.is_some() {
        let mut power = sensor(status, "Power", "value_json.power_w | default(none)");
        power["unit_of_measurement"] = json!("W");
        power["device_class"] = json!("power");
        sensors.push(("power", power));
    }
    if reading.throttled.is_some() {
        let throttled = json!({
            "platform": "binary_sensor",
            "name": "Throttled",
            "state_topic": status,
            "value_template": "{{ 'ON' if value_json.throttled | default(false) else 'OFF' }}",
            "device_class": "problem",
            "entity_category": "diagnostic",
        });
        sensors.push(("throttled", throttled));
    }
    sensors
}

/// A number of the status document, with its history.
fn sensor(status: &str, name: &str, value: &str) -> Value {
    json!({
        "platform": "sensor",
        "name": name,
        "state_topic": status,
        "value_template": format!("{{{{ {value} }}}}"),
        "state_class": "measurement",
    })
}

/// What is sent to us.
fn inputs(topics: &Topics) -> [(&'static str, Value); 3] {
    [
        (
            "ask",
            json!({
                "platform": "notify",
                "name": "Ask",
                "command_topic": topics.ask(),
            }),
        ),
        (
            "question",
            json!({
                "platform": "text",
                "name": "Question",
                "command_topic": topics.ask(),
                "max": TEXT_CHARS_MAX,
                "icon": "mdi:comment-question",
            }),
        ),
        (
            "cancel_all",
            json!({
                "platform": "button",
                "name": "Cancel all",
                "command_topic": topics.cancel(),
                "payload_press": "all",
                "icon": "mdi:cancel",
            }),
        ),
    ]
}

/// Answers and refusals on the answer topic, each an event.
fn answers(topics: &Topics) -> Value {
    let template = format!(
        "{{{{ {{'event_type': 'answer' if value_json.status == 'ok' else 'error', 'id': value_json.id, \
         'text': (value_json.text | default(''))[:{EVENT_CHARS_MAX}], 'finish': value_json.finish | default(''), \
         'code': (value_json.error | default({{}})).code | default(''), \
         'detail': ((value_json.error | default({{}})).detail | default(''))[:{TEXT_CHARS_MAX}]}} | to_json }}}}"
    );
    json!({
        "platform": "event",
        "name": "Answer",
        "state_topic": topics.answer(),
        "event_types": ["answer", "error"],
        "value_template": template,
        "icon": "mdi:comment-text",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn options() -> Options {
        let mut options = Options::default();
        options.model.name = "m".to_owned();
        options.mqtt.topics = Topics::for_device("oven")
            .unwrap()
            .with_home_assistant("homeassistant")
            .unwrap();
        options
    }

    fn document(reading: &Reading) -> Value {
        let message = introduction(&options(), reading).unwrap();
        assert_eq!(message.topic, "homeassistant/device/thinkd_oven/config");
        assert!(message.is_retained);
        serde_json::from_slice(&message.payload).unwrap()
    }

    fn whole() -> Reading {
        Reading {
            temperature_c: Some(50.0),
            throttled: Some(false),
            power_w: Some(4.0),
            ..Reading::default()
        }
    }

    #[test]
    fn every_component_is_named_once_and_its_topics_are_ours() {
        let document = document(&whole());
        let topics = options().mqtt.topics;
        let known = [
            topics.status(),
            topics.answer(),
            topics.ask(),
            topics.cancel(),
        ];
        let mut unique = HashSet::new();
        let components = document["components"].as_object().unwrap();
        for (key, component) in components {
            let id = component["unique_id"].as_str().unwrap();
            assert!(unique.insert(id.to_owned()), "{id} stands twice");
            assert!(component["platform"].is_string(), "{key}");
            assert!(component["name"].is_string(), "{key}");
            let topics: Vec<&str> = ["state_topic", "command_topic"]
                .iter()
                .filter_map(|field| component[field].as_str())
                .collect();
            assert_eq!(topics.len(), 1, "{key}");
            assert!(
                known.iter().any(|topic| topic == topics[0]),
                "{key}: {topics:?}"
            );
        }
        assert_eq!(document["availability"][0]["topic"], topics.state());
        assert_eq!(document["device"]["identifiers"][0], "thinkd_oven");
        assert!(
            document["origin"]["name"].is_string(),
            "Home Assistant refuses it without"
        );
    }

    #[test]
    fn what_the_board_does_not_tell_has_no_component() {
        let keys = |reading: &Reading| -> Vec<String> {
            let document = document(reading);
            let components = document["components"].as_object().unwrap();
            components.keys().cloned().collect()
        };
        let all = keys(&whole());
        let few = keys(&Reading::default());
        for key in ["temperature", "power", "throttled"] {
            assert!(all.iter().any(|found| found == key), "{key}");
            assert!(!few.iter().any(|found| found == key), "{key}");
        }
        for key in [
            "activity",
            "queue",
            "tokens_per_s",
            "ask",
            "question",
            "cancel_all",
            "answer",
        ] {
            assert!(few.iter().any(|found| found == key), "{key}");
        }
    }

    #[test]
    fn nothing_is_told_where_it_is_off() {
        assert_eq!(introduction(&Options::default(), &whole()), None);
    }
}
