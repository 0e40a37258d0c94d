//! Nonsense, too much at once, and those who do not listen.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, Publish, PublishProperties};
use rumqttc::v5::{Client, Event, RecvTimeoutError};

use crate::asker::{connect, error_code};
use crate::daemon::{DEVICE, Daemon, Surroundings};
use crate::ear::Ear;
use crate::scenarios::{askers, check, connections, outcomes, plans};
use crate::support::broker::{TestBroker, free_port};
use crate::{Dice, Extent, is_emulated};

/// Bytes that are sometimes nearly a request.
fn nonsense(dice: &mut Dice) -> Vec<u8> {
    const PIECES: [&str; 24] = [
        "{",
        "}",
        "[",
        "]",
        "\"prompt\"",
        ":",
        ",",
        "\"id\"",
        "\"k\"",
        "null",
        "1e999",
        "-1",
        "\"\\ud800\"",
        "\"messages\"",
        "\"stop\"",
        "\"reply_to\"",
        "\"#\"",
        "\"faults/nonsense\"",
        "\"max_tokens\"",
        "1",
        "true",
        "\"think\"",
        "\u{feff}",
        " ",
    ];
    match dice.roll(4) {
        0 => {
            // Plain text would be a question.
            let mut bytes: Vec<u8> = (0..dice.roll(60)).map(|_| dice.roll(256) as u8).collect();
            bytes.push(0xff);
            bytes
        }
        1 => {
            let mut text = String::from("{");
            (0..dice.roll(14)).for_each(|_| text.push_str(PIECES[dice.roll(24) as usize]));
            text.into_bytes()
        }
        2 => {
            let mut request =
                br#"{"id":"n","prompt":"1","max_tokens":1,"stop":["a"],"seed":3}"#.to_vec();
            let at = dice.roll(request.len() as u64) as usize;
            request[at] = dice.roll(256) as u8;
            request
        }
        _ => vec![b'{'; dice.roll(2000) as usize],
    }
}

/// A topic that the daemon hears as a question, with a name in it that may be anything.
fn nonsense_topic(dice: &mut Dice) -> String {
    const NAMES: [&str; 8] = ["", "k", " ", "..", "$SYS", "ключ", "\u{feff}", "'\"\\;--"];
    let ask = format!("thinkd/{DEVICE}/ask");
    match dice.roll(4) {
        0 => {
            let name = NAMES[dice.roll(8) as usize];
            format!("{ask}/{}", name.repeat(1 + dice.roll(40) as usize))
        }
        _ => ask,
    }
}

/// What a message says besides; `number` tells its answer from others.
fn nonsense_properties(number: usize, dice: &mut Dice) -> PublishProperties {
    const TOPICS: [&str; 5] = [
        "faults/nonsense",
        "k",
        "$SYS/k",
        "thinkd/faulty/ask",
        "a//b/",
    ];
    let response_topic = (dice.roll(4) == 0).then(|| TOPICS[dice.roll(5) as usize].to_owned());
    PublishProperties {
        correlation_data: Some(number.to_string().into()),
        response_topic,
        message_expiry_interval: (dice.roll(8) == 0).then_some(60),
        ..PublishProperties::default()
    }
}

/// Sends `count` messages of nonsense and counts their answers; gives how many each got.
struct Fuzz {
    client: Client,
    dice: Dice,
    sent: usize,
    /// By number.
    answers: Vec<u8>,
    answered: usize,
    refused: usize,
}

impl Fuzz {
    /// Messages that may be without an answer at a time.
    const WINDOW: usize = 200;

    fn send(&mut self) {
        while self.sent < self.answers.len() && self.sent < self.answered + Self::WINDOW {
            let topic = nonsense_topic(&mut self.dice);
            let payload = nonsense(&mut self.dice);
            let properties = nonsense_properties(self.sent, &mut self.dice);
            let (client, qos) = (&self.client, QoS::AtLeastOnce);
            if client
                .try_publish_with_properties(topic, qos, false, payload, properties)
                .is_err()
            {
                return;
            }
            self.sent += 1;
            // Nobody answers these with quality of service 1, and nobody may die of them.
            if self.dice.roll(20) == 0 {
                let other = ["cancel", "position", "ping", "ask/a/b", ""];
                let topic = format!("thinkd/{DEVICE}/{}", other[self.dice.roll(5) as usize]);
                let payload = nonsense(&mut self.dice);
                client.try_publish(topic, qos, false, payload).ok();
            }
        }
    }

    fn take(&mut self, publish: &Publish) {
        let properties = publish.properties.as_ref().unwrap();
        let number = properties.correlation_data.as_ref().unwrap();
        let number: usize = std::str::from_utf8(number).unwrap().parse().unwrap();
        if self.answers[number] == 0 {
            self.answered += 1;
        }
        self.answers[number] = self.answers[number].saturating_add(1);
        self.refused += usize::from(error_code(&publish.payload).is_some());
    }
}

#[test]
fn every_nonsense_gets_one_answer_and_costs_no_memory() {
    // What is queued is not written at every change: a million of them would take a day.
    let settings = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 200\n";
    let broker = || TestBroker::mosquitto_with(|_| settings.to_owned());
    let Some(broker) = (!is_emulated()).then(broker).flatten() else {
        return;
    };
    let count = Extent::asked_for().count(10_000, 1_000_000);
    let begun = Instant::now();
    let settings = ["limits.queue_jobs_max=64", "log.level=warn"];
    let daemon = Daemon::start(broker.port(), &settings);
    Ear::at(broker.port(), "ear", "faults/nothing").wait("online", |heard| heard.state == "online");
    let (client, mut connection) = connect(broker.port(), "nonsense");
    let mut fuzz = Fuzz {
        client,
        dice: Dice::new(4),
        sent: 0,
        answers: vec![0; count],
        answered: 0,
        refused: 0,
    };
    let (mut early, mut is_listening) = (0, false);
    let mut last = Instant::now();
    // A little longer than until the last answer: there may be too many.
    while fuzz.answered < count || last.elapsed() < Duration::from_millis(500) {
        let (answered, sent) = (fuzz.answered, fuzz.sent);
        assert!(
            last.elapsed() < Duration::from_secs(60),
            "{answered} answers of {sent} messages"
        );
        if is_listening {
            fuzz.send();
        }
        match connection.recv_timeout(Duration::from_millis(20)) {
            Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                // A response topic may be any of the words there are.
                let answers = [
                    &format!("thinkd/{DEVICE}/answer"),
                    "faults/nonsense",
                    "a//b/",
                    "+",
                ];
                let filters = answers.map(|filter| Filter::new(filter, QoS::AtLeastOnce));
                fuzz.client.try_subscribe_many(filters).unwrap();
            }
            Ok(Ok(Event::Incoming(Packet::SubAck(_)))) => is_listening = true,
            Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                fuzz.take(&publish);
                last = Instant::now();
                if early == 0 && fuzz.answered >= count / 10 {
                    early = daemon.resident_bytes();
                }
            }
            Ok(Ok(_)) | Err(RecvTimeoutError::Timeout) => {}
            other => panic!("{other:?}"),
        }
    }
    let resident = daemon.resident_bytes();
    let grown = (resident as f64 - early as f64) / 1e6;
    let twice = fuzz.answers.iter().filter(|&&answers| answers > 1).count();
    println!(
        "{count} nonsense payloads and topics: {} answered ({} with an error), {twice} twice, {} panics; resident {:.1} MB \
         after a tenth and {grown:+.1} MB at the end, {:.0} s",
        fuzz.answered,
        fuzz.refused,
        daemon.panics(),
        early as f64 / 1e6,
        begun.elapsed().as_secs_f64()
    );
    assert_eq!((twice, daemon.panics()), (0, 0));
    assert!(grown < 10.0, "{grown} MB");
}

/// A client without a library, by MQTT 3.1.1: nothing happens but what is written here.
fn by_hand(port: u16, name: &str) -> TcpStream {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    // CONNECT, clean session, no keep-alive.
    let mut connect = b"\x10\x00\x00\x04MQTT\x04\x02\x00\x00\x00".to_vec();
    connect.push(name.len() as u8);
    connect.extend(name.as_bytes());
    connect[1] = (connect.len() - 2) as u8;
    stream.write_all(&connect).unwrap();
    let mut acknowledgement = [0; 4];
    stream.read_exact(&mut acknowledgement).unwrap();
    assert_eq!(acknowledgement, [0x20, 2, 0, 0]);
    stream
}

/// Publishes with quality of service 1 and waits until the broker has it.
fn publish_by_hand(stream: &mut TcpStream, topic: &str, payload: &[u8]) {
    let mut length = 2 + topic.len() + 2 + payload.len();
    let mut packet = vec![0x32];
    while length > 127 {
        packet.push((length % 128) as u8 | 0x80);
        length /= 128;
    }
    packet.push(length as u8);
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.extend([0, 1]);
    packet.extend(payload);
    stream.write_all(&packet).unwrap();
    let mut acknowledgement = [0; 4];
    stream.read_exact(&mut acknowledgement).unwrap();
    assert_eq!(acknowledgement, [0x40, 2, 0, 1]);
}

#[test]
fn what_is_too_large_makes_no_loop() {
    // As docs/mqtt.md wants it: without a limit of its own, mosquitto (2.0.11) goes deaf for us after as many messages
    // that it may not pass on as it may have in flight.
    let settings = "allow_anonymous true\nmessage_size_limit 120000\n";
    let broker = || TestBroker::mosquitto_with(|_| settings.to_owned());
    let Some(broker) = (!is_emulated()).then(broker).flatten() else {
        return;
    };
    let count = Extent::asked_for().count(40, 10_000);
    let begun = Instant::now();
    let daemon = Daemon::listening(broker.port(), &[]);
    let ear = Ear::at(broker.port(), "ear", &format!("thinkd/{DEVICE}/answer"));
    let mut stream = by_hand(broker.port(), "large");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // Half are so large that the broker drops them, the others reach the daemon.
    let payloads = [2 << 20, 100 << 10].map(|length| vec![b'x'; length]);
    for number in 0..count {
        let topic = format!("thinkd/{DEVICE}/ask");
        publish_by_hand(&mut stream, &topic, &payloads[number % 2]);
    }
    ear.wait("a refusal of each", |heard| {
        heard.outcome.answers.len() >= count / 2
    });
    let errors = ear.heard().outcome.errors();
    assert!(
        outcomes(askers(plans(broker.port(), 1, 3, 1, None)))[0]
            .lost()
            .is_empty()
    );
    let connections = connections(&daemon);
    println!(
        "{count} payloads too large, half of them 2 MiB, half 100 KiB: refused {errors:?}, {connections} connection, then \
         3 prompts answered, {} panics, {:.0} s",
        daemon.panics(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!((connections, errors["too_large"]), (1, count / 2));
}

/// Subscribes to all there is, with quality of service 1, and never reads what comes.
fn deaf(port: u16) -> TcpStream {
    let mut stream = by_hand(port, "deaf");
    // SUBSCRIBE to "#".
    stream.write_all(b"\x82\x06\x00\x01\x00\x01#\x01").unwrap();
    stream
}

/// Prompts by clients who listen, before one who does not has come and beside it.
fn beside_the_deaf(broker: &str, port: u16, daemon: &Daemon) {
    let prompts = Extent::asked_for().count(80, 2000);
    let ask = |name: &str| {
        let begun = Instant::now();
        let mut plans = plans(port, 4, prompts, 4, None);
        for plan in &mut plans {
            plan.name = format!("{name}-{}", plan.name);
            plan.fields = vec![("stream", true.into())];
        }
        (outcomes(askers(plans)), begun)
    };
    let (_, begun) = ask("alone");
    let alone = begun.elapsed().as_secs_f64();
    let socket = deaf(port);
    let before = daemon.resident_bytes();
    // More than all sockets between hold.
    let ear = Ear::at(port, "filler", "faults/nothing");
    for _ in 0..600 {
        ear.publish("faults/flood", QoS::AtLeastOnce, vec![b'x'; 60_000]);
    }
    let (outcomes, begun) = ask("beside");
    let beside = begun.elapsed().as_secs_f64();
    let grown = (daemon.resident_bytes() as f64 - before as f64) / 1e6;
    let scenario = format!(
        "a client that never reads, 36 MB behind, {broker}: {alone:.1} s before it came, {beside:.1} s beside it, {grown:+.1} \
         MB in the daemon; all"
    );
    check(&scenario, &outcomes, daemon, begun);
    drop(socket);
}

#[test]
fn a_client_that_never_reads_holds_up_nobody() {
    // What waits for the deaf one is not written at every change.
    let Some(broker) = (!is_emulated()).then(TestBroker::mosquitto).flatten() else {
        return;
    };
    let daemon = Daemon::listening(broker.port(), &[]);
    beside_the_deaf("mosquitto", broker.port(), &daemon);
    drop((daemon, broker));
    let port = free_port();
    let surroundings = Surroundings {
        broker: Some("embedded".to_owned()),
        ..Surroundings::default()
    };
    let setting = format!("mqtt.embedded_port={port}");
    let daemon = Daemon::within(surroundings, port, &[&setting]);
    daemon.wait_until_it_listens();
    beside_the_deaf("embedded", port, &daemon);
}
