//! The command line: what a person types, what they see, and how it exits.
//!
//! | exit status | means |
//! |---|---|
//! | 0 | done |
//! | 1 | it failed: no answer, no broker, a thread that ended |
//! | 2 | the command line cannot be understood |
//! | 78 | settings or model directory are at fault; another try will not mend it |

mod args;
mod ask;
mod bench;
mod check;
mod demo;
mod embedded;
mod eval;
mod failure;
mod input;
mod json_log;
mod loading;
mod logging;
mod printer;
mod serve;
mod settings;
mod statistics;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = &arguments.settings;
    let outcome = match &arguments.command {
        Command::Demo => demo::run(settings),
        Command::Serve(mqtt) => serve::run(settings, mqtt),
        Command::Ask(ask) => ask::run(settings, ask),
        Command::Eval(eval) => eval::run(settings, eval),
        Command::Check(check) => check::run(settings, check),
        Command::Bench(bench) => bench::run(settings, bench),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
