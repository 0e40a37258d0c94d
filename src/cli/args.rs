//! The tree of commands and flags; every flag is explained here and nowhere else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A reasoning model on a small board, answering over MQTT.
///
/// thinkd loads a small int4 model in the ONNX layout of ONNX Runtime GenAI, takes questions from an MQTT broker and
/// sends thought and answer back. A small model comes with it, and a broker is built in, so nothing else is needed to
/// try it: `thinkd demo`.
#[derive(Debug, Parser)]
#[command(name = "thinkd", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) settings: SettingsArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show it all in a minute: broker, daemon, three questions, then your own
    ///
    /// Starts a broker on this machine, the daemon with the model that comes with thinkd, asks three questions over
    /// MQTT and shows thought and answer as they come; then it asks for yours. Prints the lines for mosquitto_sub and
    /// mosquitto_pub, so that you can watch and ask from another terminal. Ends with Ctrl-D.
    Demo,
    /// Run the daemon: load the model, connect to the broker, answer until stopped
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(MqttArgs),
    /// Ask a running daemon one question, or with --local the model itself
    #[command(after_help = ASK_EXAMPLES)]
    Ask(AskArgs),
    /// Judge the model on your questions: how many answers are right, by family
    ///
    /// Puts every question of a file to the model itself, as `ask --local` does, compares the answers with those that
    /// are expected, and tells how many are right, with the interval in which the share lies with 95 % confidence.
    #[command(after_help = EVAL_FILE)]
    Eval(EvalArgs),
    /// Say what thinkd would do: settings, model, kernels, memory; starts nothing
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Measure how fast this machine reads and writes tokens with the model
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
}

/// Flags of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings (over the environment, over the file)")]
pub(super) struct SettingsArgs {
    /// Configuration file [default: $THINKD_CONFIG, else /etc/thinkd/config.toml where it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Set any key of the configuration; may be given again
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Model directory [default: the small model that comes with thinkd]
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub(super) model: Option<String>,
    /// Threads that compute; 0 is one per core
    #[arg(long, global = true, value_name = "COUNT")]
    pub(super) threads: Option<String>,
    /// Least important log line to show: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(super) log: Option<String>,
}

/// Flags of the commands that speak MQTT.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct MqttArgs {
    /// Broker: "embedded", mqtt://HOST:PORT or mqtts://HOST:PORT
    #[arg(long, value_name = "BROKER")]
    pub(super) broker: Option<String>,
    /// Name of the board; topics begin with thinkd/NAME [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub(super) device: Option<String>,
}

/// Flags of `ask`.
#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// The question; "-" reads it from standard input
    pub(super) question: String,
    #[command(flatten)]
    pub(super) mqtt: MqttArgs,
    /// Load the model here and ask it: no broker, no daemon
    #[arg(long, conflicts_with_all = ["broker", "device"])]
    pub(super) local: bool,
    /// Print one JSON object when the answer is complete, instead of text as it comes
    #[arg(long)]
    pub(super) json: bool,
    /// Do not show the thought
    #[arg(long)]
    pub(super) no_thought: bool,
    /// What the model is told before the question
    #[arg(long, value_name = "TEXT")]
    pub(super) system: Option<String>,
    /// Most tokens of thought and answer together
    #[arg(long, value_name = "COUNT")]
    pub(super) max_tokens: Option<usize>,
    /// Most tokens of thought; then the model has to answer
    #[arg(long, value_name = "COUNT")]
    pub(super) max_think_tokens: Option<usize>,
    /// 0 always takes the likeliest token
    #[arg(long, value_name = "NUMBER")]
    pub(super) temperature: Option<f32>,
    /// The same seed and question give the same answer
    #[arg(long, value_name = "NUMBER")]
    pub(super) seed: Option<u64>,
    /// Give up after so many seconds in which nothing came
    #[arg(long, value_name = "SECONDS", default_value_t = 120, conflicts_with = "local",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) timeout: u64,
}

/// Flags of `eval`.
#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// Questions and answers, one JSON object a line; "-" reads them from standard input
    #[arg(value_name = "FILE.jsonl")]
    pub(super) file: String,
    /// Write a report with every answer as JSON; "-" writes it to standard output, instead of the text
    #[arg(long, value_name = "REPORT")]
    pub(super) json: Option<String>,
    /// Ask only questions of this family; may be given again
    #[arg(long, value_name = "FAMILY")]
    pub(super) family: Vec<String>,
    /// Ask only so many, the first ones
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: Option<u32>,
    /// Compare without regard to upper and lower case
    #[arg(long)]
    pub(super) lenient: bool,
    /// Show so many wrong answers with question and thought
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(super) failures: usize,
    /// Exit with 1 where fewer answers are right
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(super) fail_under: Option<f64>,
    /// Most tokens of thought and answer together [default: engine.max_tokens]
    #[arg(long, value_name = "COUNT")]
    pub(super) max_tokens: Option<usize>,
    /// 0 always takes the likeliest token
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0)]
    pub(super) temperature: f64,
}

/// Reads a share.
fn percent(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "it is a number from 0 to 100".to_owned())
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) mqtt: MqttArgs,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(super) json: bool,
}

/// Flags of `bench`.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Tokens to read (prefill)
    #[arg(long, value_name = "COUNT", default_value_t = 128,
          value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub(super) prompt_tokens: u32,
    /// Tokens to write (decode)
    #[arg(long, value_name = "COUNT", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub(super) generate: u32,
    /// Tokens already read before either begins; several, with commas between them, are measured one after the other
    #[arg(long, value_name = "COUNT", default_value = "0", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    pub(super) depth: Vec<u32>,
    /// Streams that write together, a token of each in every step
    #[arg(long, value_name = "COUNT", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) streams: u32,
    /// Measurements; the median is printed
    #[arg(long, value_name = "COUNT", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) runs: u32,
    /// Leave out how fast the machine reads memory, which takes half a GiB more
    #[arg(long)]
    pub(super) no_bandwidth: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(super) json: bool,
}

const EXIT_STATUS: &str = "\
Begin with:
  thinkd demo
  thinkd ask --local \"What is the mean of 20, 22 and 24?\"

Exit status: 0 done, 1 failed, 2 wrong command line, 78 settings or model directory at fault.
Settings: every key, its range and default stand in systemd/config.toml.";

const SERVE_EXAMPLES: &str = "\
Examples:
  thinkd serve                                     broker inside, on 127.0.0.1:1883
  thinkd serve --broker mqtt://broker.lan:1883 --device greenhouse
  thinkd serve --model models/deepseek-r1-distill-qwen-1.5b --set model.context_tokens=2048

Tells systemd when it is ready and that it is alive; stops cleanly on SIGTERM and Ctrl-C.";

const ASK_EXAMPLES: &str = "\
Examples:
  thinkd ask \"What is the mean of 20, 22 and 24?\"
  thinkd ask --broker mqtt://broker.lan --device greenhouse - < question.txt
  thinkd ask --local --json \"What is the mean of 20, 22 and 24?\"

The answer goes to standard output, the thought (dimmed) to standard error.";

const EVAL_FILE: &str = "\
A line of the file:
  {\"prompt\": \"Mean of 20, 22 and 24?\", \"answer\": \"The mean is 22.\", \"family\": \"mean\"}

  prompt     the question, or instead of it
  messages   a conversation: [{\"role\": \"user\", \"content\": \"...\"}, ...]
  answer     a string, or a list of strings any of which is right: white space and a full stop at
             the end do not count; an object or a list of other things: compared as JSON
  format     \"json\" compares any answer as JSON, \"plain\" as text
  system     what the model is told first [default: engine.system_prompt]
  family, language, held_out (true or false), id
             for the report; all may be left out
Other keys are passed over.

Examples:
  thinkd eval questions.jsonl --failures 5
  thinkd eval questions.jsonl --model models/thinkd-mini --json report.json --fail-under 90";

const CHECK_EXAMPLES: &str = "\
Examples:
  thinkd check
  thinkd check --config systemd/config.toml --model models/thinkd-mini";

const BENCH_EXAMPLES: &str = "\
Examples:
  thinkd bench
  thinkd bench --depth 2048 --runs 9 --json
  thinkd bench --set engine.kernels=scalar --threads 1";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_consistent() {
        Arguments::command().debug_assert();
    }
}
