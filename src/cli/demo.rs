//! `thinkd demo`: broker, daemon and a client in one process, to see it all in a minute.

use std::io::{self, BufRead, IsTerminal, Write};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::args::{MqttArgs, SettingsArgs};
use super::embedded::OnBusyPort;
use super::failure::{Failure, Outcome};
use super::printer::{Aside, Printer, Style};
use super::{embedded, loading, logging, serve, settings};
use crate::service::mqtt::{Answer, Question, Requester, RequesterOptions};
use crate::service::{self, ServiceError, Stopper};

/// Starts everything, asks the three questions, then the person's own.
pub(super) fn run(args: &SettingsArgs) -> Outcome {
    let mut preferences = settings::quiet();
    preferences.push(("mqtt.device", "demo".to_owned()));
    preferences.push(("store.directory", "off".to_owned()));
    // Whatever broker is configured: the demo disturbs none.
    let mqtt = MqttArgs {
        broker: Some("embedded".to_owned()),
        device: None,
    };
    let config = settings::load(args, &mqtt, preferences)?;
    logging::start(config.log);
    let mut out = io::stdout().lock();
    let directory = settings::model_directory(&config)?;
    let loaded = loading::load(&config, &directory)?;
    writeln!(
        out,
        "Model {}: {} layers, kernels {}, {} threads, loaded in {:.2} s.",
        loaded.info.name,
        loaded.info.layers,
        loaded.info.kernels,
        loaded.info.threads,
        loaded.info.load_duration.as_secs_f64()
    )?;
    let broker = embedded::start(&config, OnBusyPort::TakeAnother)?
        .context("the embedded broker was asked for")?;
    let mut options = config.service_options(&loaded.info, &loaded.suggested);
    embedded::connect(&mut options, &broker);
    let requester = RequesterOptions {
        host: options.mqtt.host.clone(),
        port: options.mqtt.port,
        credentials: None,
        ..config.requester_options()
    };
    print_how_to_watch(&mut out, &requester)?;
    let rebuild = serve::rebuild(config, directory);
    let (stopper, stop) = service::stop_pair();
    let daemon = std::thread::Builder::new()
        .name("daemon".to_owned())
        .spawn(move || service::run_until(options, Box::new(loaded.engine), rebuild, stop))
        .context("cannot start the daemon's thread")?;
    let daemon = Daemon {
        thread: daemon,
        stopper,
    };
    let outcome = converse(&mut out, &requester);
    // What ended the daemon is why the conversation failed.
    daemon.stop()?;
    outcome
}

/// The daemon in its thread.
struct Daemon {
    thread: JoinHandle<Result<(), ServiceError>>,
    stopper: Stopper,
}

impl Daemon {
    fn stop(self) -> Outcome {
        self.stopper.stop();
        match self.thread.join() {
            Ok(result) => result.map_err(Failure::service),
            Err(_) => Err(Failure::Other(anyhow!("the daemon's thread panicked"))),
        }
    }
}

fn print_how_to_watch(out: &mut dyn Write, options: &RequesterOptions) -> io::Result<()> {
    let RequesterOptions {
        host, port, topics, ..
    } = options;
    writeln!(
        out,
        "Broker at {host}:{port}. From another terminal, watch everything and ask:"
    )?;
    writeln!(
        out,
        "  mosquitto_sub -h {host} -p {port} -t '{}/#' -v",
        topics.base()
    )?;
    writeln!(
        out,
        "  mosquitto_pub -h {host} -p {port} -t '{}' -m '{}'",
        topics.ask(),
        QUESTIONS[0]
    )
}

/// Asks the three questions, then what is typed.
fn converse(out: &mut dyn Write, options: &RequesterOptions) -> Outcome {
    let mut requester = Requester::connect(options).map_err(anyhow::Error::from)?;
    requester
        .wait_until_online(DAEMON_WITHIN)
        .map_err(anyhow::Error::from)?;
    let style = Style::of(&io::stdout());
    for question in QUESTIONS {
        writeln!(out, "\n> {question}")?;
        ask(out, style, &mut requester, question)?;
    }
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    writeln!(out, "\nYour own questions; Ctrl-D ends.")?;
    loop {
        write!(out, "> ")?;
        out.flush()?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            writeln!(out)?;
            return Ok(());
        }
        let question = line.trim();
        if question.is_empty() {
            continue;
        }
        // What the model or the daemon refuses is told, and the next question may fare better.
        if let Err(failure) = ask(out, style, &mut requester, question) {
            writeln!(out, "{failure}")?;
        }
        writeln!(out)?;
    }
}

/// Asks one question and shows what comes; an error where no answer did.
fn ask(out: &mut dyn Write, style: Style, requester: &mut Requester, question: &str) -> Outcome {
    let start = Instant::now();
    let mut printer = Printer::new(out, Aside::Same, style);
    let exchange = requester
        .ask(&Question::new(question))
        .map_err(anyhow::Error::from)?;
    let answer = printer.follow(exchange)?;
    if answer.text.is_empty() {
        return Err(Failure::Other(anyhow!("no answer to \"{question}\"")));
    }
    writeln!(out, "{}", style.dim(&summary(&answer, start.elapsed())))?;
    Ok(())
}

fn summary(answer: &Answer, time: Duration) -> String {
    format!(
        "[{} tokens of thought, {} of answer, {:.2} s, {:.0} tokens/s]",
        answer.usage.thought,
        answer.usage.answer,
        time.as_secs_f64(),
        answer.timing.tokens_per_s
    )
}

/// What the model that comes with thinkd was taught: means, extremes, thresholds.
const QUESTIONS: [&str; 3] = [
    "The last 4 temperature readings were 21.5, 19.0, 24.3 and 20.4 °C. What is their average?",
    "kitchen=21.5 bedroom=19.0 attic=24.3 Which room is the warmest?",
    "If the temperature is above 25 °C, turn the fan on, otherwise turn the fan off. \
     It is 27.5 °C now. What should be done?",
];

/// How long the daemon may take to connect to the broker beside it.
const DAEMON_WITHIN: Duration = Duration::from_secs(10);
