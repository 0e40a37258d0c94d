//! Metrics in Prometheus' text form, for those who ask over HTTP. Off unless it is configured.
//!
//! The smallest server that a scraper is content with: one request a connection, GET or HEAD of `/metrics`, nothing
//! read beyond the head. Heads, times and connections are bounded; what is over a bound is closed.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::board::{Energy, Reading};
use super::measured::{Histogram, Measured};
use super::options::ModelInfo;
use super::status::Snapshot;

/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Longest time for a request and its reply.
const EXCHANGE_MAX: Duration = Duration::from_secs(5);

/// Most connections at a time; one more is closed.
const CONNECTIONS_MAX: usize = 8;

/// How long nothing is accepted after the system had no connection to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// All that is told.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    /// What is done now, and what was done.
    pub(super) snapshot: Snapshot,
    /// What answers took.
    pub(super) measured: Measured,
    /// What the board told.
    pub(super) reading: Reading,
    /// Its power over time.
    pub(super) energy: Energy,
    /// Since the start.
    pub(super) uptime: Duration,
}

/// The latest numbers, put by the loop and read by those who ask.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    model: ModelInfo,
    latest: Arc<Mutex<Option<Numbers>>>,
}

impl Metrics {
    pub(super) fn new(model: ModelInfo) -> Self {
        Self {
            model,
            latest: Arc::default(),
        }
    }

    /// Replaces the numbers.
    pub(super) fn put(&self, numbers: Numbers) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some(numbers);
    }

    /// All of it as text.
    fn text(&self) -> String {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Text::default();
        text.build(&self.model);
        if let Some(numbers) = &*latest {
            text.work(&numbers.snapshot, numbers.uptime);
            text.answers(&numbers.measured);
            text.board(&numbers.reading, &numbers.energy);
        }
        text.0
    }
}

/// Answers on `listener` for ever.
pub(super) async fn serve(listener: TcpListener, metrics: Metrics) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "A connection for metrics could not be had.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&free).try_acquire_owned() else {
            continue; // Closed: too many are open.
        };
        let metrics = metrics.clone();
        tokio::spawn(async move {
            let done = tokio::time::timeout(EXCHANGE_MAX, exchange(stream, &metrics)).await;
            if let Ok(Err(error)) = done {
                tracing::debug!(%error, "A connection for metrics broke.");
            }
            drop(permit);
        });
    }
}

async fn exchange(mut stream: TcpStream, metrics: &Metrics) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(1024);
    while !is_whole(&head) && head.len() < HEAD_BYTES_MAX {
        let left = HEAD_BYTES_MAX - head.len();
        if (&mut stream).take(left as u64).read_buf(&mut head).await? == 0 {
            return Ok(()); // Gone before it asked.
        }
    }
    stream.write_all(&reply(&head, metrics)).await?;
    stream.shutdown().await
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|window| window == b"\r\n\r\n")
}

/// What is said to the request with this head.
fn reply(head: &[u8], metrics: &Metrics) -> Vec<u8> {
    if !is_whole(head) {
        return response("431 Request Header Fields Too Large", "", None);
    }
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let mut words = line.split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0")) = (method, target, version)
    else {
        return response("400 Bad Request", "", None);
    };
    let path = target.split('?').next().unwrap_or_default();
    match (method, path) {
        ("GET", "/metrics") => response("200 OK", "", Some(&metrics.text())),
        ("HEAD", "/metrics") => response("200 OK", "", None),
        (_, "/metrics") => response("405 Method Not Allowed", "Allow: GET, HEAD\r\n", None),
        _ => response("404 Not Found", "", None),
    }
}

fn response(status: &str, header: &str, body: Option<&str>) -> Vec<u8> {
    let body = body.unwrap_or_default();
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n{header}\r\n{body}"
    )
    .into_bytes()
}

/// The text while it is written.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn build(&mut self, model: &ModelInfo) {
        let (name, help) = ("thinkd_build_info", "What is running.");
        self.head(name, "gauge", help);
        let (version, kernels) = (env!("CARGO_PKG_VERSION"), escaped(&model.kernels));
        let model = escaped(&model.name);
        self.line(format_args!(
            "{name}{{version=\"{version}\",model=\"{model}\",kernels=\"{kernels}\"}} 1"
        ));
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "counts are far below 2^52, and a metric is a float"
    )]
    fn work(&mut self, snapshot: &Snapshot, uptime: Duration) {
        let (queue, counts) = (&snapshot.queue, &snapshot.counts);
        let gauges: [(&str, &str, f64); 5] = [
            (
                "uptime_seconds",
                "Time since the start.",
                uptime.as_secs_f64(),
            ),
            (
                "streams",
                "Prompts being answered now.",
                snapshot.streams as f64,
            ),
            ("queue_jobs", "Prompts that wait.", queue.jobs as f64),
            (
                "queue_jobs_limit",
                "Most prompts that may wait.",
                queue.jobs_max as f64,
            ),
            (
                "queue_bytes",
                "Bytes of the prompts that wait.",
                queue.bytes as f64,
            ),
        ];
        for (name, help, value) in gauges {
            self.number(name, "gauge", help, value);
        }
        let counters: [(&str, &str, u64); 7] = [
            ("prompts_total", "Prompts taken.", counts.prompts),
            ("answers_total", "Answers given.", counts.answers),
            ("refusals_total", "Requests refused.", counts.refusals),
            (
                "duplicates_total",
                "Prompts that were known already.",
                counts.duplicates,
            ),
            (
                "failures_total",
                "Prompts the model failed on.",
                counts.failures,
            ),
            (
                "undeliverable_total",
                "Answers the broker would not take.",
                counts.undeliverable,
            ),
            (
                "reconnects_total",
                "Connections to the broker after the first.",
                counts.reconnects,
            ),
        ];
        for (name, help, value) in counters {
            self.number(name, "counter", help, value as f64);
        }
    }

    fn answers(&mut self, measured: &Measured) {
        let name = "thinkd_tokens_total";
        self.head(name, "counter", "Tokens read and written.");
        for (kind, tokens) in [
            ("prompt", measured.prompt_tokens),
            ("thought", measured.thought_tokens),
            ("answer", measured.answer_tokens),
        ] {
            self.line(format_args!("{name}{{kind=\"{kind}\"}} {tokens}"));
        }
        let help = "Tokens a second of the last answer, after the first.";
        self.number("tokens_per_second", "gauge", help, measured.tokens_per_s);
        let help = "Time from a prompt's turn to its first token.";
        self.histogram("time_to_first_token_seconds", help, &measured.first_token_s);
        let help = "Time from a prompt's arrival to its turn.";
        self.histogram("queue_wait_seconds", help, &measured.queue_s);
        let help = "Time from a prompt's arrival to the end of its answer.";
        self.histogram("answer_duration_seconds", help, &measured.total_s);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "bytes of a board's memory are far below 2^52"
    )]
    fn board(&mut self, reading: &Reading, energy: &Energy) {
        let memory = reading.memory;
        let resident = memory.map(|memory| memory.resident_bytes as f64);
        let available = memory.map(|memory| memory.available_bytes as f64);
        let throttled = reading.throttled.map(|yes| f64::from(u8::from(yes)));
        let joules = energy.is_known().then_some(energy.total_j);
        for (name, kind, help, value) in [
            (
                "temperature_celsius",
                "gauge",
                "Temperature of the processor.",
                reading.temperature_c,
            ),
            (
                "throttled",
                "gauge",
                "1 while heat or the supply slow the board down.",
                throttled,
            ),
            (
                "power_watts",
                "gauge",
                "Power of the board.",
                reading.power_w,
            ),
            (
                "energy_joules_total",
                "counter",
                "Energy of the board since the start.",
                joules,
            ),
            (
                "resident_memory_bytes",
                "gauge",
                "Memory of this process.",
                resident,
            ),
            (
                "available_memory_bytes",
                "gauge",
                "Memory the board can give.",
                available,
            ),
            (
                "load1",
                "gauge",
                "Load of the board, average of a minute.",
                reading.load,
            ),
        ] {
            if let Some(value) = value {
                self.number(name, kind, help, value);
            }
        }
    }

    fn number(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        let name = format!("thinkd_{name}");
        self.head(&name, kind, help);
        self.line(format_args!("{name} {value}"));
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        let name = format!("thinkd_{name}");
        self.head(&name, "histogram", help);
        for (bound, count) in histogram.cumulative() {
            self.line(format_args!("{name}_bucket{{le=\"{bound}\"}} {count}"));
        }
        let (count, sum) = (histogram.count(), histogram.sum());
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("{name}_sum {sum}"));
        self.line(format_args!("{name}_count {count}"));
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A String takes all that is written to it.
        writeln!(self.0, "{line}").ok();
    }
}

/// As it may stand between quotation marks.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::status::{Counts, QueueStatus};
    use super::*;

    fn metrics() -> Metrics {
        let model = ModelInfo {
            name: "a \"model\"".to_owned(),
            ..ModelInfo::default()
        };
        let metrics = Metrics::new(model);
        let mut measured = Measured::default();
        measured.first_token_s.observe(0.3);
        metrics.put(Numbers {
            snapshot: Snapshot {
                state: "busy",
                job: None,
                queue: QueueStatus {
                    jobs: 2,
                    jobs_max: 16,
                    bytes: 100,
                },
                streams: 1,
                tokens_per_s: 9.5,
                first_token_ms: Some(300),
                counts: Counts {
                    answers: 7,
                    ..Counts::default()
                },
            },
            measured,
            reading: Reading {
                temperature_c: Some(61.5),
                ..Reading::default()
            },
            energy: Energy::default(),
            uptime: Duration::from_secs(60),
        });
        metrics
    }

    #[test]
    fn every_number_has_its_name_type_and_unit_once() {
        let text = metrics().text();
        for line in [
            "thinkd_build_info{version=\"0.1.0\",model=\"a \\\"model\\\"\",kernels=\"\"} 1",
            "thinkd_answers_total 7",
            "thinkd_queue_jobs 2",
            "thinkd_temperature_celsius 61.5",
            "thinkd_time_to_first_token_seconds_bucket{le=\"0.25\"} 0",
            "thinkd_time_to_first_token_seconds_bucket{le=\"0.5\"} 1",
            "thinkd_time_to_first_token_seconds_bucket{le=\"+Inf\"} 1",
            "thinkd_time_to_first_token_seconds_sum 0.3",
            "# TYPE thinkd_time_to_first_token_seconds histogram",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} not in\n{text}"
            );
        }
        let mut samples = HashSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(samples.insert(name), "{name} stands twice");
        }
        assert!(
            !text.contains("power_watts"),
            "what the board does not tell is absent"
        );
    }

    #[test]
    fn answers_what_it_knows_and_refuses_the_rest() {
        let metrics = metrics();
        for (request, status) in [
            ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"),
            ("GET /metrics?x=1 HTTP/1.0\r\n\r\n", "200 OK"),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK"),
            ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("GET /metrics\r\n\r\n", "400 Bad Request"),
            ("\r\n\r\n", "400 Bad Request"),
            (
                "GET /metrics HTTP/1.1\r\n",
                "431 Request Header Fields Too Large",
            ),
        ] {
            let reply = String::from_utf8(reply(request.as_bytes(), &metrics)).unwrap();
            let first = reply.lines().next().unwrap();
            assert_eq!(first, format!("HTTP/1.1 {status}"), "{request:?}");
            let (_, body) = reply.split_once("\r\n\r\n").unwrap();
            assert!(reply.contains(&format!("Content-Length: {}\r\n", body.len())));
            let is_told = status == "200 OK" && request.starts_with("GET");
            assert_eq!(
                body.contains("thinkd_answers_total"),
                is_told,
                "{request:?}"
            );
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn serves_some_and_closes_what_is_too_much() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, metrics()));
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let mut text = String::new();
        let mut refused = TcpStream::connect(address).await.unwrap();
        // The end of the stream, or a reset.
        refused.read_to_string(&mut text).await.ok();
        assert_eq!(text, "");
        let mut first = idle.remove(0);
        first.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
        first.write_all(b"Host: a\r\n\r\n").await.unwrap();
        first.read_to_string(&mut text).await.unwrap();
        assert!(text.ends_with('\n') && text.contains("thinkd_answers_total 7"));
        let mut long = idle.remove(0);
        long.write_all(&[b'x'; HEAD_BYTES_MAX]).await.unwrap();
        text.clear();
        long.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 431"), "{text}");
        server.abort();
    }
}
