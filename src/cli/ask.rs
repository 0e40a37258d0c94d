//! `thinkd ask`: one question, to a running daemon or to the model itself.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;

use super::args::{AskArgs, SettingsArgs};
use super::failure::Outcome;
use super::printer::{Aside, Printer, Style};
use super::{input, loading, logging, settings};
use crate::config::Config;
use crate::engine::{Event, FinishReason, Message, Role, Uninterrupted};
use crate::service::mqtt::{Answer, Question, Requester, RequesterOptions, Think};

/// Asks, and shows the answer while it comes.
pub(super) fn run(args: &SettingsArgs, ask: &AskArgs) -> Outcome {
    let config = settings::load(args, &ask.mqtt, settings::quiet())?;
    logging::start(config.log);
    let question = input::question(&ask.question)?;
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    let style = Style::of(&err);
    let mut nowhere = io::sink();
    let mut printer = if ask.json {
        Printer::new(&mut nowhere, Aside::Hidden, style)
    } else if ask.no_thought {
        Printer::new(&mut out, Aside::Hidden, style)
    } else {
        Printer::new(&mut out, Aside::Apart(&mut err), style)
    };
    let answer = if ask.local {
        ask_model(&config, ask, &question, &mut printer)?
    } else {
        ask_daemon(&config, ask, question, &mut printer)?
    };
    if ask.json {
        let line = serde_json::to_string(&answer).context("the answer as JSON")?;
        writeln!(out, "{line}")?;
    } else if let Some(note) = ended_early(answer.finish) {
        writeln!(err, "thinkd: {note}")?;
    }
    Ok(())
}

/// Asks a running daemon over MQTT.
fn ask_daemon(
    config: &Config,
    ask: &AskArgs,
    prompt: String,
    printer: &mut Printer<'_>,
) -> Outcome<Answer> {
    let options = RequesterOptions {
        answer_timeout: Duration::from_secs(ask.timeout),
        ..config.requester_options()
    };
    let mut requester = Requester::connect(&options).map_err(anyhow::Error::from)?;
    let question = Question {
        system: ask.system.clone(),
        max_tokens: ask.max_tokens,
        max_think_tokens: ask.max_think_tokens,
        temperature: ask.temperature,
        seed: ask.seed,
        ..Question::new(prompt)
    };
    let exchange = requester.ask(&question).map_err(anyhow::Error::from)?;
    printer.follow(exchange)
}

/// Loads the model and asks it.
fn ask_model(
    config: &Config,
    ask: &AskArgs,
    prompt: &str,
    printer: &mut Printer<'_>,
) -> Outcome<Answer> {
    let directory = settings::model_directory(config)?;
    let mut loaded = loading::load_alone(config, &directory)?;
    let question = Message {
        role: Role::User,
        content: prompt.to_owned(),
    };
    let mut request = loaded.request(config, ask.system.as_deref(), vec![question]);
    request.sampling.temperature = ask.temperature.unwrap_or(request.sampling.temperature);
    request.sampling.seed = ask.seed.unwrap_or(request.sampling.seed);
    request.budget.max_tokens = ask.max_tokens.unwrap_or(request.budget.max_tokens);
    request.budget.max_think_tokens = ask.max_think_tokens.or(request.budget.max_think_tokens);
    let mut written = Ok(());
    let completion = loaded
        .engine
        .generate(&request, &Uninterrupted, &mut |event| {
            // Nobody is left to read after the first failure; it is told at the end.
            if written.is_ok() {
                written = match event {
                    Event::Thought(text) => printer.thought(text),
                    Event::Answer(text) => printer.answer(text),
                };
            }
        })
        .map_err(anyhow::Error::from)?;
    written?;
    printer.end()?;
    Ok(Answer::new(
        "local",
        &completion,
        Think::Separate,
        0,
        &loaded.info.name,
    ))
}

/// What to tell where the answer did not end by itself.
fn ended_early(finish: FinishReason) -> Option<&'static str> {
    match finish {
        FinishReason::Stop => None,
        FinishReason::Length => Some("the answer was cut: its tokens are spent, see --max-tokens"),
        FinishReason::Deadline => Some("the answer was cut: its deadline passed"),
        FinishReason::Cancelled => Some("the answer was cut: it was cancelled"),
    }
}
