//! Log lines to standard error, for people or one JSON object a line.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{fmt, registry};

use super::json_log::Json;
use crate::config::{LogConfig, LogFormat, LogLevel};

/// Starts logging; a second call in one process changes nothing.
pub(super) fn start(config: LogConfig) {
    let subscriber = registry().with(filter(config.level));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let subscriber: Box<dyn Subscriber + Send + Sync> = match config.format {
        LogFormat::Json => Box::new(subscriber.with(lines.with_ansi(false).event_format(Json))),
        LogFormat::Text => {
            let lines = lines.with_target(false).with_ansi(colours());
            // The journal has the time already.
            if std::env::var_os("JOURNAL_STREAM").is_some() {
                Box::new(subscriber.with(lines.without_time()))
            } else {
                Box::new(subscriber.with(lines))
            }
        }
    };
    // Refused only where a test has set one before.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Whether standard error shows colours and wants them.
fn colours() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !unwanted
}

/// What is told: our own lines from `level` on, those of libraries only when they matter or everything is wanted.
fn filter(level: LogLevel) -> Targets {
    let (own, foreign) = match level {
        LogLevel::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
        LogLevel::Warn => (LevelFilter::WARN, LevelFilter::ERROR),
        LogLevel::Info => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Debug => (LevelFilter::DEBUG, LevelFilter::WARN),
        LogLevel::Trace => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    // The embedded broker calls every client that leaves an error.
    let broker = if level == LogLevel::Trace {
        foreign
    } else {
        LevelFilter::OFF
    };
    Targets::new()
        .with_default(foreign)
        .with_target("thinkd", own)
        .with_target("rumqttd", broker)
}
