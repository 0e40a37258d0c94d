//! `thinkd eval`: a file of questions with the answers they should get, put to the model itself.
//!
//! Whatever can be refused is refused before the first question is asked: a file may take hours.

mod expected;
mod problem;
mod progress;
mod report;

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::{Context, anyhow};

use super::args::{EvalArgs, MqttArgs, SettingsArgs};
use super::failure::{Failure, Outcome};
use super::loading::Loaded;
use super::printer::harmless;
use super::statistics::percent;
use super::{loading, logging, settings};
use crate::config::Config;
use crate::engine::{EngineError, GenerationRequest, Uninterrupted};
use expected::Case;
use problem::Problem;
use progress::Progress;
use report::{Report, Verdict};

/// Asks every question, judges the answers, and reports.
pub(super) fn run(args: &SettingsArgs, eval: &EvalArgs) -> Outcome {
    let mut config = settings::load(args, &MqttArgs::default(), settings::quiet())?;
    logging::start(config.log);
    config.engine.sampling.temperature = Some(eval.temperature as f32);
    config.engine.max_tokens = eval.max_tokens.unwrap_or(config.engine.max_tokens);
    let problems = chosen(eval, problems(&eval.file)?)?;
    if let Some(path) = &eval.json {
        reserve(path, &eval.file)?;
    }
    let directory = settings::model_directory(&config)?;
    let mut loaded = loading::load_alone(&config, &directory)?;
    let requests = requests(&config, &eval.file, &loaded, &problems)?;
    let verdicts = answer(eval, &mut loaded, &problems, &requests)?;
    let report = Report {
        model: &loaded.info.name,
        file: &eval.file,
        temperature: eval.temperature,
        max_tokens: config.engine.max_tokens,
        verdicts,
    };
    tell(eval, &report)?;
    let (right, total) = (report.right(), report.verdicts.len());
    match eval.fail_under {
        Some(wanted) if percent(right, total) < wanted => Err(Failure::Other(anyhow!(
            "{right} of {total} answers are right ({:.1} %), --fail-under asks for {wanted} %",
            percent(right, total)
        ))),
        _ => Ok(()),
    }
}

/// The problems of a file, or of standard input where it is `-`.
fn problems(file: &str) -> anyhow::Result<Vec<Problem>> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    let bytes = bytes.with_context(|| format!("cannot read {file}"))?;
    problem::parse(&bytes).map_err(|mistake| at(file, mistake.line, &mistake.reason))
}

/// Those that are to be asked.
fn chosen(eval: &EvalArgs, mut problems: Vec<Problem>) -> anyhow::Result<Vec<Problem>> {
    if problems.is_empty() {
        return Err(anyhow!("{} holds no problem", eval.file));
    }
    let is_in = |problem: &Problem, family: &String| problem.family.as_ref() == Some(family);
    for family in &eval.family {
        if !problems.iter().any(|problem| is_in(problem, family)) {
            return Err(anyhow!(
                "{} holds no problem of the family \"{family}\"",
                eval.file
            ));
        }
    }
    if !eval.family.is_empty() {
        problems.retain(|problem| eval.family.iter().any(|family| is_in(problem, family)));
    }
    problems.truncate(eval.limit.map_or(usize::MAX, |limit| limit as usize));
    Ok(problems)
}

/// Makes sure that the report can be written when all is done. Leaves what is there as it is.
fn reserve(report: &str, questions: &str) -> anyhow::Result<()> {
    if report == "-" {
        return Ok(());
    }
    let cannot = || format!("cannot write {report}");
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(report)
        .with_context(cannot)?;
    let same = |path: &str| fs::canonicalize(Path::new(path)).ok();
    if same(report).is_some() && same(report) == same(questions) {
        return Err(anyhow!("{report} holds the questions")).with_context(cannot);
    }
    Ok(())
}

/// What the engine is asked for each problem; an error where it would refuse one of them.
fn requests(
    config: &Config,
    file: &str,
    loaded: &Loaded,
    problems: &[Problem],
) -> anyhow::Result<Vec<GenerationRequest>> {
    let context_tokens = loaded.engine.context_tokens();
    let mut requests = Vec::with_capacity(problems.len());
    for problem in problems {
        let system = problem.system.as_deref();
        let request = loaded.request(config, system, problem.messages.clone());
        let tokens = request
            .validate()
            .and_then(|()| loaded.engine.count_prompt_tokens(&request.messages))
            .and_then(|tokens| match tokens < context_tokens {
                true => Ok(()),
                false => Err(EngineError::PromptTooLong {
                    tokens,
                    context_tokens,
                }),
            });
        tokens.map_err(|error| match error {
            // A flag is at fault, not the first line.
            EngineError::Option(_) => error.into(),
            _ => at(file, problem.line, &error),
        })?;
        requests.push(request);
    }
    Ok(requests)
}

/// Asks, one question after the other.
fn answer<'p>(
    eval: &EvalArgs,
    loaded: &mut Loaded,
    problems: &'p [Problem],
    requests: &[GenerationRequest],
) -> anyhow::Result<Vec<Verdict<'p>>> {
    let case = if eval.lenient {
        Case::Ignored
    } else {
        Case::Matters
    };
    let mut stderr = io::stderr();
    let out = stderr
        .is_terminal()
        .then_some(&mut stderr as &mut dyn Write);
    let mut progress = Progress::new(out, problems.len());
    let mut verdicts = Vec::with_capacity(problems.len());
    for (problem, request) in problems.iter().zip(requests) {
        let completion = loaded
            .engine
            .generate(request, &Uninterrupted, &mut |_| progress.show())
            .map_err(|error| at(&eval.file, problem.line, &error))?;
        let verdict = Verdict::new(problem, completion, case);
        progress.answered(verdict.right);
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// The report: to standard output, as JSON where that is wanted there, and to its file.
fn tell(eval: &EvalArgs, report: &Report<'_>) -> Outcome {
    let mut out = io::stdout().lock();
    if let Some(path) = &eval.json {
        let json = report.as_json()?;
        if path == "-" {
            out.write_all(json.as_bytes())?;
            return Ok(());
        }
        fs::write(path, json).with_context(|| format!("cannot write {path}"))?;
    }
    out.write_all(harmless(&report.as_text(eval.failures)).as_bytes())?;
    Ok(())
}

/// A mistake, and where it is.
fn at(file: &str, line: usize, reason: &dyn std::fmt::Display) -> anyhow::Error {
    anyhow!("{file}:{line}: {reason}")
}
