//! A client that asks many prompts and keeps every answer it gets.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Filter, Packet, PublishProperties};
use rumqttc::v5::{Client, Connection, Event, MqttOptions, RecvTimeoutError};
use serde_json::Value;

use crate::daemon::DEVICE;

/// How a client goes about it.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) port: u16,
    pub(crate) name: String,
    pub(crate) prompts: usize,
    /// Prompts that may be without an answer at a time.
    pub(crate) window: usize,
    /// After how long a prompt is asked again.
    pub(crate) retry: Option<Duration>,
    pub(crate) patience: Duration,
    /// What the prompts say besides.
    pub(crate) fields: Vec<(&'static str, Value)>,
    /// How many prompts may have been asked by now.
    pub(crate) allowed: Option<Arc<AtomicUsize>>,
}

impl Plan {
    /// Where its answers go.
    pub(crate) fn reply(&self) -> String {
        format!("faults/{}", self.name)
    }

    /// The question called `id`.
    pub(crate) fn payload(&self, id: &str) -> String {
        let mut question = serde_json::json!({
            "id": id, "prompt": "What is the mean of 20, 22 and 24?", "max_tokens": 24,
            "reply_to": self.reply(),
        });
        for (field, value) in &self.fields {
            question[field] = value.clone();
        }
        question.to_string()
    }
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Every answer to each id, and when it came, microseconds of the day.
    pub(crate) answers: HashMap<String, Vec<(Vec<u8>, u64)>>,
    /// Ids in the order of their first answers.
    pub(crate) order: Vec<String>,
    pub(crate) asked: Vec<String>,
    pub(crate) repetitions: usize,
}

impl Outcome {
    pub(crate) fn lost(&self) -> Vec<&String> {
        self.asked
            .iter()
            .filter(|id| !self.answers.contains_key(*id))
            .collect()
    }

    /// Ids with two answers that differ.
    pub(crate) fn contradicted(&self) -> usize {
        let differ = |answers: &&Vec<(Vec<u8>, u64)>| {
            let mut texts = kept(answers).map(|(text, _)| text);
            let first = texts.next();
            texts.any(|text| Some(text) != first)
        };
        self.answers.values().filter(differ).count()
    }

    /// Ids that were computed again after their answer had been seen.
    pub(crate) fn computed_again(&self, inferences: &HashMap<String, Vec<u64>>) -> usize {
        let is_repeated = |(id, answers): &(&String, &Vec<(Vec<u8>, u64)>)| {
            let times = inferences.get(*id);
            let seen = kept(answers).next().map(|(_, at)| at);
            let is_later = |times: &Vec<u64>| times.iter().any(|time| Some(time) > seen);
            seen.is_some() && times.is_some_and(is_later)
        };
        self.answers.iter().filter(is_repeated).count()
    }

    /// Ids whose last answer is an error, by code.
    pub(crate) fn errors(&self) -> HashMap<String, usize> {
        let mut codes = HashMap::new();
        let last = self.answers.values().filter_map(|answers| answers.last());
        for code in last.filter_map(|(text, _)| error_code(text)) {
            *codes.entry(code).or_default() += 1;
        }
        codes
    }

    /// Takes what may be an answer.
    pub(crate) fn take(&mut self, payload: &[u8], at: u64) {
        let json: Value = serde_json::from_slice(payload).unwrap();
        let id = json["id"].as_str().unwrap().to_owned();
        if !self.answers.contains_key(&id) {
            self.order.push(id.clone());
        }
        let answers = self.answers.entry(id).or_default();
        answers.push((payload.to_vec(), at));
    }
}

/// Codes of refusals after which the same may be asked again.
const NOT_KEPT: [&str; 3] = ["storage_full", "queue_full", "model_unavailable"];

/// What the daemon has to abide by: all but refusals after which the same may be asked again.
pub(crate) fn kept(answers: &[(Vec<u8>, u64)]) -> impl Iterator<Item = &(Vec<u8>, u64)> {
    answers.iter().filter(|(text, _)| {
        let code = error_code(text);
        !code.is_some_and(|code| NOT_KEPT.contains(&code.as_str()))
    })
}

/// The code of an answer that is an error.
pub(crate) fn error_code(answer: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(answer).unwrap();
    json["error"]["code"].as_str().map(str::to_owned)
}

pub(crate) fn connect(port: u16, name: &str) -> (Client, Connection) {
    let mut options = MqttOptions::new(name, "127.0.0.1", port);
    options
        .set_clean_start(false)
        .set_keep_alive(Duration::from_secs(5))
        .set_connection_timeout(2);
    options.set_connect_properties(ConnectProperties {
        session_expiry_interval: Some(3600),
        max_packet_size: Some(4 << 20),
        receive_maximum: Some(1000),
        ..ConnectProperties::new()
    });
    Client::new(options, 4096)
}

/// Microseconds of the day.
pub(crate) fn now() -> u64 {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let micros = u64::try_from(since_1970.as_micros()).unwrap();
    micros % (24 * 60 * 60 * 1_000_000)
}

/// Asks until every prompt has its answer, or patience is at its end; then listens a little longer.
pub(crate) fn ask(plan: &Plan) -> Outcome {
    let reply = plan.reply();
    let (client, mut connection) = connect(plan.port, &plan.name);
    let subscribe = || {
        client
            .try_subscribe_many([Filter::new(reply.clone(), QoS::AtLeastOnce)])
            .ok()
    };
    let mut outcome = Outcome::default();
    let mut open: Vec<(String, Instant)> = Vec::new();
    let (mut is_listening, mut is_sent) = (false, 0);
    let deadline = Instant::now() + plan.patience;
    let mut done_at = None;
    loop {
        let allowed = plan
            .allowed
            .as_ref()
            .map_or(usize::MAX, |allowed| allowed.load(Ordering::Relaxed));
        let may_ask = |sent| sent < plan.prompts && sent < allowed;
        while is_listening && open.len() < plan.window && may_ask(is_sent) {
            let id = format!("{}-{is_sent}", plan.name);
            if !publish(&client, plan, &id) {
                break;
            }
            open.push((id.clone(), Instant::now()));
            outcome.asked.push(id);
            is_sent += 1;
        }
        for (id, at) in &mut open {
            if plan.retry.is_some_and(|after| at.elapsed() > after) && publish(&client, plan, id) {
                *at = Instant::now();
                outcome.repetitions += 1;
            }
        }
        match connection.recv_timeout(Duration::from_millis(20)) {
            Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                subscribe();
            }
            Ok(Ok(Event::Incoming(Packet::SubAck(_)))) => is_listening = true,
            Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                outcome.take(&publish.payload, now());
                open.retain(|(waiting, _)| !outcome.answers.contains_key(waiting));
            }
            Ok(Ok(_)) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Err(_)) => std::thread::sleep(Duration::from_millis(50)),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if open.is_empty() && is_sent == plan.prompts {
            done_at.get_or_insert_with(Instant::now);
        }
        let is_over = done_at.is_some_and(|at| at.elapsed() > Duration::from_millis(500));
        if is_over || Instant::now() > deadline {
            break;
        }
    }
    outcome
}

fn publish(client: &Client, plan: &Plan, id: &str) -> bool {
    let payload = plan.payload(id);
    client
        .try_publish_with_properties(
            format!("thinkd/{DEVICE}/ask"),
            QoS::AtLeastOnce,
            false,
            payload,
            PublishProperties::default(),
        )
        .is_ok()
}
