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
    /// How many prompts may have been asked by now.
    pub(crate) allowed: Option<Arc<AtomicUsize>>,
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
        let differ =
            |answers: &&Vec<(Vec<u8>, u64)>| answers.iter().any(|(text, _)| *text != answers[0].0);
        self.answers.values().filter(differ).count()
    }

    /// Ids that were computed again after their answer had been seen.
    pub(crate) fn computed_again(&self, inferences: &HashMap<String, Vec<u64>>) -> usize {
        let is_repeated = |(id, answers): &(&String, &Vec<(Vec<u8>, u64)>)| {
            let seen = answers[0].1;
            inferences
                .get(*id)
                .is_some_and(|times| times.iter().any(|&time| time > seen))
        };
        self.answers.iter().filter(is_repeated).count()
    }

    /// Answers that are errors, by code.
    pub(crate) fn errors(&self) -> HashMap<String, usize> {
        let mut codes = HashMap::new();
        for answers in self.answers.values() {
            let json: Value = serde_json::from_slice(&answers[0].0).unwrap();
            if let Some(code) = json["error"]["code"].as_str() {
                *codes.entry(code.to_owned()).or_default() += 1;
            }
        }
        codes
    }
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

fn now() -> u64 {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let micros = u64::try_from(since_1970.as_micros()).unwrap();
    micros % (24 * 60 * 60 * 1_000_000)
}

/// Asks until every prompt has its answer, or patience is at its end; then listens a little longer.
pub(crate) fn ask(plan: &Plan) -> Outcome {
    let reply = format!("faults/{}", plan.name);
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
            if !publish(&client, &reply, &id) {
                break;
            }
            open.push((id.clone(), Instant::now()));
            outcome.asked.push(id);
            is_sent += 1;
        }
        for (id, at) in &mut open {
            if plan.retry.is_some_and(|after| at.elapsed() > after) && publish(&client, &reply, id)
            {
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
                let json: Value = serde_json::from_slice(&publish.payload).unwrap();
                let id = json["id"].as_str().unwrap().to_owned();
                open.retain(|(waiting, _)| *waiting != id);
                if !outcome.answers.contains_key(&id) {
                    outcome.order.push(id.clone());
                }
                outcome
                    .answers
                    .entry(id)
                    .or_default()
                    .push((publish.payload.to_vec(), now()));
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

fn publish(client: &Client, reply: &str, id: &str) -> bool {
    let payload = serde_json::json!({
        "id": id, "prompt": "What is the mean of 20, 22 and 24?", "max_tokens": 24, "reply_to": reply,
    });
    let topic = format!("thinkd/{DEVICE}/ask");
    client
        .try_publish_with_properties(
            topic,
            QoS::AtLeastOnce,
            false,
            payload.to_string(),
            PublishProperties::default(),
        )
        .is_ok()
}
