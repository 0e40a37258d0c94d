//! The program as a person meets it: help, answers, error texts, exit statuses.

// What holds by default wants the broker inside; a build without it refuses its own defaults.
#![cfg(feature = "embedded-broker")]

mod support {
    pub(crate) mod program;
}

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::program::program;

const MODEL_FILES: [&str; 6] = [
    "model.onnx",
    "model.onnx.data",
    "genai_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
];

fn shipped_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/thinkd-mini")
}

/// The program in a clean environment, started in the clone, with nothing to read.
fn thinkd(arguments: &[&str]) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_thinkd"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        // So that a configuration of the machine the tests run on has no say.
        .env("THINKD_CONFIG", "systemd/config.toml")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    thinkd(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes text")
}

/// Exit status and standard error of a command that must fail without a word on standard output.
fn failure(output: &Output) -> (i32, String) {
    assert_eq!(text(&output.stdout), "");
    (
        output.status.code().expect("it exits by itself"),
        text(&output.stderr),
    )
}

fn success(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&success(output)).expect("one JSON object")
}

/// A copy of the shipped model that a test may damage.
fn copy_of_model(directory: &Path) -> PathBuf {
    let copy = directory.join("model");
    std::fs::create_dir(&copy).expect("a directory of the test's own");
    for file in MODEL_FILES {
        std::fs::copy(shipped_model().join(file), copy.join(file)).expect("a file of the model");
    }
    copy
}

#[test]
fn help_is_complete() {
    insta::assert_snapshot!("help", success(&run(&["--help"])));
    for command in ["demo", "serve", "ask", "eval", "check", "bench"] {
        insta::assert_snapshot!(
            format!("help_{command}"),
            success(&run(&[command, "--help"]))
        );
    }
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["ask"],
        &["ask", "--local", "--device", "a", "q"],
        &["bench", "--runs", "0"],
        &["eval"],
        &["eval", "a.jsonl", "--fail-under", "101"],
        &["eval", "a.jsonl", "--limit", "0"],
        &["serve", "--colour"],
    ] {
        let (status, message) = failure(&run(arguments));
        assert_eq!(status, 2, "{arguments:?}: {message}");
    }
}

#[test]
fn wrong_settings_exit_with_78_and_name_file_and_key() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.toml");
    std::fs::write(
        &file,
        "[engine]\ntheads = 2\n[mqtt]\nbroker = \"nowhere\"\n",
    )
    .unwrap();
    for command in [
        &["check"][..],
        &["serve"],
        &["ask", "q"],
        &["eval", "absent.jsonl"],
        &["demo"],
        &["bench"],
    ] {
        let output = thinkd(command).arg("--config").arg(&file).output().unwrap();
        let (status, message) = failure(&output);
        assert_eq!(status, 78, "{command:?}: {message}");
        let message = message.replace(file.to_str().unwrap(), "my.toml");
        let unknown = "thinkd: error: my.toml:2: engine.theads: unknown key, \
                       did you mean engine.threads?\n";
        assert!(message.starts_with(unknown), "{message}");
        if command != ["demo"] {
            assert!(message.contains("thinkd: error: my.toml:4: mqtt.broker: \"nowhere\" is not"));
        }
    }
}

#[test]
fn settings_from_environment_and_flags_are_named_too() {
    let output = thinkd(&["check", "--set", "log.levle=info", "--threads", "many"])
        .env("THINKD_ENGINE__SEED", "x")
        .output()
        .unwrap();
    let (status, message) = failure(&output);
    assert_eq!(status, 78);
    insta::assert_snapshot!(message, @r#"
    thinkd: error: environment variable THINKD_ENGINE__SEED: engine.seed: "x" is not allowed; it is a whole number from 0 to 4294967295
    thinkd: error: flag --set: log.levle: unknown key, did you mean log.level?
    thinkd: error: flag --threads: engine.threads: "many" is not allowed; it is a whole number from 0 to 256
    "#);
}

#[test]
fn a_kernel_set_this_processor_has_not_is_refused() {
    let (status, message) = failure(&run(&["check", "--set", "engine.kernels=abacus"]));
    assert_eq!(status, 78);
    assert!(
        message.contains("engine.kernels: \"abacus\" is not one of \"auto\""),
        "{message}"
    );
    assert!(message.contains("scalar"), "{message}");
}

#[test]
fn a_model_directory_that_cannot_be_used_exits_with_78_file_and_reason_in_one_line() {
    type Damage = fn(&Path);
    let damages: [(&str, &str, Damage); 5] = [
        ("missing", "tokenizer.json", |model| {
            std::fs::remove_file(model.join("tokenizer.json")).expect("it was copied");
        }),
        ("empty", "genai_config.json", |model| {
            std::fs::write(model.join("genai_config.json"), "").expect("a file of ours");
        }),
        ("truncated", "model.onnx.data", |model| {
            let file = std::fs::File::options()
                .write(true)
                .open(model.join("model.onnx.data"));
            file.and_then(|file| file.set_len(1000))
                .expect("a file of ours");
        }),
        ("damaged", "model.onnx", |model| {
            std::fs::write(model.join("model.onnx"), [0xff; 64]).expect("a file of ours");
        }),
        ("unsupported operator", "MatMulNBitz", |model| {
            let path = model.join("model.onnx");
            let mut graph = std::fs::read(&path).expect("it was copied");
            let name = b"MatMulNBits";
            let found = graph.windows(name.len()).position(|window| window == name);
            let at = found.expect("the graph multiplies");
            graph[at..at + name.len()].copy_from_slice(b"MatMulNBitz");
            std::fs::write(path, graph).expect("a file of ours");
        }),
    ];
    for (what, named, damage) in damages {
        let directory = tempfile::tempdir().unwrap();
        let model = copy_of_model(directory.path());
        damage(&model);
        for command in ["check", "serve"] {
            let output = thinkd(&[command, "--log", "error", "--model"])
                .arg(&model)
                .output();
            let (status, message) = failure(&output.unwrap());
            assert_eq!(status, 78, "{what}: {message}");
            assert_eq!(message.lines().count(), 1, "{what}: {message}");
            assert!(
                message.starts_with("thinkd: error: model file "),
                "{what}: {message}"
            );
            assert!(message.contains(named), "{what}: {message}");
        }
    }
}

#[test]
fn without_a_model_it_says_what_to_set() {
    let directory = tempfile::tempdir().unwrap();
    let (status, message) = failure(&run(&["check", "--model", "/absent/model"]));
    assert_eq!(status, 78);
    assert!(message.contains("/absent/model"), "{message}");
    // A copy of the program far from any clone, where nothing is installed.
    let copy = directory.path().join("thinkd");
    std::fs::copy(env!("CARGO_BIN_EXE_thinkd"), &copy).unwrap();
    if Path::new("/usr/share/thinkd").exists() || Path::new("/usr/local/share/thinkd").exists() {
        println!("skipped: thinkd is installed here");
        return;
    }
    let output = program(&copy)
        .arg("check")
        .env_clear()
        .current_dir("/")
        .output()
        .unwrap();
    let (status, message) = failure(&output);
    assert_eq!(status, 78);
    assert!(message.contains("set model.directory"), "{message}");
}

#[test]
fn check_tells_what_would_be_done() {
    let table = success(&run(&["check", "--device", "oven", "--threads", "1"]));
    for line in [
        "thinkd/oven/ask",
        "systemd/config.toml",
        "thinkd-mini",
        "embedded",
        "scalar",
    ] {
        assert!(table.contains(line), "{line}: {table}");
    }
    let found = json(&run(&[
        "check",
        "--json",
        "--threads",
        "1",
        "--set",
        "engine.kernels=scalar",
    ]));
    assert_eq!(found["kernels"]["chosen"], "scalar");
    assert_eq!(found["threads"]["chosen"], 1);
    assert_eq!(found["model"]["name"], "thinkd-mini");
    assert!(
        found["memory"]["weight_bytes"].as_u64().unwrap() > 100_000,
        "{found}"
    );
}

#[test]
fn a_local_answer_is_the_same_as_text_and_as_json() {
    let question = "What is the mean of 20, 22 and 24?";
    let ask = ["ask", "--local", "--max-tokens", "200", question];
    let output = run(&ask);
    let answer = success(&output);
    let whole = json(&run(&[&ask[..], &["--json"]].concat()));
    assert_eq!(answer.trim_end(), whole["text"]);
    assert_eq!(whole["finish"], "stop");
    let thought = text(&output.stderr);
    assert_eq!(
        thought.trim_end(),
        whole["thought"].as_str().unwrap().trim_end()
    );
    assert!(
        !thought.contains('\u{1b}'),
        "escapes where there is no terminal"
    );
    let silent = run(&[&ask[..], &["--no-thought"]].concat());
    assert_eq!(
        (success(&silent), text(&silent.stderr)),
        (answer, String::new())
    );
}

#[test]
fn a_question_can_come_from_standard_input() {
    let mut child = thinkd(&["ask", "--local", "--json", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"What is the mean of 20, 22 and 24?\n")
        .unwrap();
    let piped = json(&child.wait_with_output().unwrap());
    let given = json(&run(&[
        "ask",
        "--local",
        "--json",
        "What is the mean of 20, 22 and 24?",
    ]));
    assert_eq!(piped["text"], given["text"]);
    assert_eq!(piped["usage"], given["usage"]);
}

#[test]
fn what_the_engine_refuses_is_told_in_one_line() {
    let (status, message) = failure(&run(&["ask", "--local", " "]));
    assert_eq!(
        (status, message.as_str()),
        (1, "thinkd: error: the prompt is empty\n")
    );
    let (status, message) = failure(&run(&["ask", "--local", "--temperature", "9", "a"]));
    assert_eq!(status, 1);
    assert!(message.contains("temperature is 9"), "{message}");
    let long = "20 ".repeat(20_000);
    let (status, message) = failure(&run(&["ask", "--local", &long]));
    assert_eq!(status, 1);
    assert!(message.contains("the context holds"), "{message}");
}

#[test]
fn an_answer_that_was_cut_says_so() {
    let output = run(&[
        "ask",
        "--local",
        "--max-tokens",
        "1",
        "What is the mean of 20 and 22?",
    ]);
    assert!(output.status.success());
    assert!(
        text(&output.stderr).contains("see --max-tokens"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn bench_measures_what_it_was_told_to() {
    let arguments = [
        "bench",
        "--json",
        "--runs",
        "2",
        "--prompt-tokens",
        "8",
        "--generate",
        "4",
    ];
    let report = json(&run(
        &[&arguments[..], &["--depth", "5", "--threads", "1"]].concat()
    ));
    assert_eq!(report["prompt_tokens"], 8);
    assert_eq!(report["generated_tokens"], 4);
    assert_eq!(report["depth_tokens"], 5);
    assert_eq!(report["runs"], 2);
    assert_eq!(report["threads"], 1);
    assert!(report["decode_tokens_per_second"].as_f64().unwrap() > 0.0);
    assert!(report["peak_memory_bytes"].as_u64().unwrap() > 0);
    let table = success(&run(&[
        "bench",
        "--runs",
        "1",
        "--prompt-tokens",
        "4",
        "--generate",
        "2",
    ]));
    assert!(table.contains("tokens/s (4 tokens at depth 0)"), "{table}");
}

#[test]
fn bench_refuses_more_than_the_context_holds() {
    let arguments = [
        "bench",
        "--depth",
        "100",
        "--set",
        "model.context_tokens=64",
    ];
    let (status, message) = failure(&run(&arguments));
    assert_eq!(status, 78);
    assert!(message.contains("model.context_tokens is 64"), "{message}");
}

mod eval {
    use serde_json::json;

    use super::*;

    const MEAN: &str = "What is the mean of 20, 22 and 24?";
    const WARMEST: &str = "kitchen=21.5 bedroom=19.0 attic=24.3 Which room is the warmest?";

    /// A folder with a file of such lines.
    fn questions(lines: &[Value]) -> (tempfile::TempDir, PathBuf) {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        let directory = tempfile::tempdir().expect("a directory of the test's own");
        let file = directory.path().join("questions.jsonl");
        std::fs::write(&file, lines.join("\n")).expect("a file of ours");
        (directory, file)
    }

    fn eval(file: &Path, arguments: &[&str]) -> Output {
        let mut command = thinkd(&["eval"]);
        let output = command.arg(file).args(arguments).output();
        output.expect("the program starts")
    }

    /// One question that is answered rightly, whatever the model answers, and four that cannot be.
    fn five_questions() -> Vec<Value> {
        let local = json(&run(&[
            "ask",
            "--local",
            "--json",
            "--temperature",
            "0",
            MEAN,
        ]));
        vec![
            json!({"id": "a", "prompt": MEAN, "answer": ["", local["text"]], "family": "mean"}),
            json!({"id": "b", "prompt": MEAN, "answer": "a miracle", "family": "mean"}),
            json!({"prompt": WARMEST, "answer": {"a": "miracle"}, "family": "ranking",
                   "language": "en", "held_out": true}),
            json!({"messages": [{"role": "user", "content": MEAN},
                                {"role": "assistant", "content": "The mean is 22."},
                                {"role": "user", "content": "And their sum?"}],
                   "answer": "a miracle", "family": "dialogue", "remark": 1}),
            json!({"prompt": MEAN, "system": "Answer in one word.", "answer": "a miracle"}),
        ]
    }

    #[test]
    fn a_file_of_questions_is_answered_as_ask_would_and_judged() {
        let (directory, file) = questions(&five_questions());
        let report = directory.path().join("report.json");
        let output = eval(
            &file,
            &["--failures", "1", "--json", report.to_str().unwrap()],
        );
        let table = success(&output);
        assert_eq!(text(&output.stderr), "", "no progress without a terminal");
        let row = |name: &str| {
            let row = table.lines().find(|line| line.starts_with(name));
            row.unwrap_or_else(|| panic!("{name}: {table}")).to_owned()
        };
        assert!(
            row("mean ").contains(" 1/2     50.0       9.5–90.5"),
            "{table}"
        );
        assert!(row("none ").contains(" 0/1 "), "{table}");
        assert!(row("all ").contains(" 1/5     20.0 "), "{table}");
        assert!(row("valid JSON ").contains("/1)"), "{table}");
        assert_eq!(table.matches("  question  ").count(), 1, "{table}");
        assert!(table.contains("\nline 2, b, mean\n"), "{table}");

        let written = std::fs::read_to_string(report).unwrap();
        let found: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(found["model"], "thinkd-mini");
        assert_eq!((&found["total"], &found["right"]), (&json!(5), &json!(1)));
        let local = json(&run(&[
            "ask",
            "--local",
            "--json",
            "--temperature",
            "0",
            MEAN,
        ]));
        let results = found["results"].as_array().unwrap();
        for result in &results[..2] {
            assert_eq!(result["answer"], local["text"]);
            assert_eq!(result["thought"], local["thought"]);
            assert_eq!(result["thought_tokens"], local["usage"]["thought"]);
        }
        let ids: Vec<_> = results.iter().map(|result| result["id"].clone()).collect();
        assert_eq!(ids, [json!("a"), json!("b"), json!(3), json!(4), json!(5)]);
    }

    #[test]
    fn some_of_the_questions_can_be_chosen() {
        let (_directory, file) = questions(&five_questions());
        let chosen = |arguments: &[&str]| {
            let report = json(&eval(&file, &[arguments, &["--json", "-"]].concat()));
            let results = report["results"].as_array().expect("a list").clone();
            let lines = results.iter().map(|result| result["line"].as_u64());
            lines
                .collect::<Option<Vec<_>>>()
                .expect("lines are numbers")
        };
        assert_eq!(
            chosen(&["--family", "mean", "--family", "dialogue"]),
            [1, 2, 4]
        );
        assert_eq!(chosen(&["--family", "mean", "--limit", "1"]), [1]);
        let (status, message) = failure(&eval(&file, &["--family", "median"]));
        assert_eq!(status, 1);
        assert!(
            message.ends_with("holds no problem of the family \"median\"\n"),
            "{message}"
        );
    }

    #[test]
    fn a_thought_that_does_not_end_is_no_answer() {
        let (_directory, file) = questions(&[json!({"prompt": MEAN, "answer": ""})]);
        let report = json(&eval(&file, &["--max-tokens", "2", "--json", "-"]));
        let result = &report["results"][0];
        assert_eq!(result["answer"], Value::Null);
        assert_eq!(result["finish"], "length");
        assert_eq!(
            (&result["tokens"], &result["right"]),
            (&json!(2), &json!(false))
        );
        assert_eq!(report["thoughts_closed"]["closed"], 0);
    }

    #[test]
    fn fewer_right_answers_than_are_wanted_exit_with_1() {
        let (_directory, file) = questions(&five_questions());
        success(&eval(&file, &["--fail-under", "20"]));
        let output = eval(&file, &["--fail-under", "20.1"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            text(&output.stderr),
            "thinkd: error: 1 of 5 answers are right (20.0 %), --fail-under asks for 20.1 %\n"
        );
        assert!(
            text(&output.stdout).contains("1/5"),
            "the report comes all the same"
        );
    }

    #[test]
    fn what_cannot_be_asked_is_told_with_its_line_before_anything_is() {
        let good = json!({"prompt": MEAN, "answer": "22"});
        for (bad, reason) in [
            (json!({"prompt": MEAN}), "answer is missing"),
            (
                json!({"answer": "22"}),
                "neither prompt nor messages is given",
            ),
            (
                json!({"prompt": " ", "answer": "22"}),
                "the prompt is empty",
            ),
            (json!([]), "expected a JSON object"),
        ] {
            let (_directory, file) = questions(&[good.clone(), bad]);
            let (status, message) = failure(&eval(&file, &[]));
            let message = message.replace(file.to_str().unwrap(), "my.jsonl");
            assert_eq!(status, 1);
            assert_eq!(message, format!("thinkd: error: my.jsonl:2: {reason}\n"));
        }
        let long = json!({"prompt": "20 ".repeat(20_000), "answer": "22"});
        let (_directory, file) = questions(&[good.clone(), long]);
        let (status, message) = failure(&eval(&file, &[]));
        assert_eq!(status, 1);
        assert!(
            message.contains("questions.jsonl:2: prompt has"),
            "{message}"
        );
        let (_directory, file) = questions(&[good]);
        let (status, message) = failure(&eval(&file, &["--temperature", "9"]));
        let reason = "thinkd: error: temperature is 9, its range is 0 to 5\n";
        assert_eq!((status, message.as_str()), (1, reason));
    }

    #[test]
    fn files_that_are_no_use_are_told() {
        let (directory, file) = questions(&[]);
        let (status, message) = failure(&eval(&file, &[]));
        assert_eq!(status, 1);
        assert!(
            message.ends_with("questions.jsonl holds no problem\n"),
            "{message}"
        );
        let (_, message) = failure(&eval(&directory.path().join("absent.jsonl"), &[]));
        assert!(message.contains("cannot read "), "{message}");
        std::fs::write(&file, "{\"prompt\": \"a\", \"answer\": \"b\"}").unwrap();
        for report in [&file, &directory.path().join("absent/report.json")] {
            let (status, message) = failure(&eval(&file, &["--json", report.to_str().unwrap()]));
            assert_eq!(status, 1);
            assert!(message.contains("cannot write "), "{message}");
        }
        assert!(std::fs::read_to_string(&file).unwrap().contains("prompt"));
    }
}

mod over_mqtt {
    use super::*;

    /// A port that was free a moment ago.
    fn free_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        listener.local_addr().expect("it is bound").port()
    }

    /// A running daemon; ended when the test does.
    struct Daemon {
        child: Child,
        broker: String,
    }

    impl Daemon {
        fn start() -> Self {
            let port = free_port();
            let setting = format!("mqtt.embedded_port={port}");
            let mut child = thinkd(&["serve", "--device", "test", "--set", &setting])
                .spawn()
                .expect("the program starts");
            let log = BufReader::new(child.stderr.take().expect("it is piped"));
            let mut lines = log.lines().map_while(Result::ok);
            let is_there = lines.any(|line| line.contains("Listening for prompts."));
            assert!(is_there, "the daemon ended before it listened");
            // Goes on reading, so that the daemon is never held up by a full pipe.
            std::thread::spawn(move || lines.for_each(drop));
            Self {
                child,
                broker: format!("mqtt://127.0.0.1:{port}"),
            }
        }

        fn ask(&self, arguments: &[&str]) -> Output {
            run(&[
                &["ask", "--device", "test", "--broker", &self.broker],
                arguments,
            ]
            .concat())
        }

        fn signal(&self, signal: Signal) {
            let id = i32::try_from(self.child.id()).expect("process ids are small");
            kill(Pid::from_raw(id), signal).expect("it runs");
        }
    }

    impl Drop for Daemon {
        fn drop(&mut self) {
            // Where it has ended already there is nothing to do.
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }

    #[test]
    fn a_daemon_answers_as_the_model_does_and_stops_on_sigterm() {
        let mut daemon = Daemon::start();
        let question = "What is the mean of 20, 22 and 24?";
        let asked = json(&daemon.ask(&["--json", question]));
        let local = json(&run(&["ask", "--local", "--json", question]));
        assert_eq!(asked["text"], local["text"]);
        assert_eq!(asked["thought"], local["thought"]);
        assert_eq!(asked["usage"], local["usage"]);
        let streamed = daemon.ask(&[question]);
        assert_eq!(success(&streamed).trim_end(), asked["text"]);
        assert_eq!(text(&streamed.stderr).trim_end(), asked["thought"]);

        let (status, message) = failure(&daemon.ask(&[""]));
        assert_eq!(status, 1);
        assert!(message.ends_with("the prompt is empty\n"), "{message}");

        daemon.signal(Signal::SIGTERM);
        assert!(daemon.child.wait().unwrap().success());
        let (status, message) = failure(&daemon.ask(&[question]));
        assert_eq!(status, 1);
        assert!(
            message.contains("cannot connect to the broker"),
            "{message}"
        );
    }

    #[test]
    fn asking_a_device_that_is_not_there_fails() {
        let daemon = Daemon::start();
        let arguments = ["ask", "--device", "nobody", "--broker", &daemon.broker, "a"];
        let (status, message) = failure(&run(&arguments));
        assert_eq!(status, 1);
        assert!(
            message.contains("no daemon listens on thinkd/nobody/ask"),
            "{message}"
        );
    }

    #[test]
    fn a_port_that_is_taken_is_told() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let setting = format!("mqtt.embedded_port={port}");
        let output = run(&["serve", "--log", "error", "--set", &setting]);
        let (status, message) = failure(&output);
        assert_eq!(status, 1);
        assert!(
            message.starts_with("thinkd: error: embedded broker: "),
            "{message}"
        );
        assert!(message.contains(&port.to_string()), "{message}");
    }

    #[test]
    fn the_demo_asks_three_questions_and_ends_without_a_terminal() {
        // The port is taken, as it is where mosquitto is installed.
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let setting = format!("mqtt.embedded_port={}", taken.local_addr().unwrap().port());
        let shown = success(&run(&["demo", "--set", &setting]));
        assert_eq!(shown.matches("\n> ").count(), 3, "{shown}");
        assert_eq!(shown.matches("\nanswer: ").count(), 3, "{shown}");
        assert_eq!(shown.matches(" tokens/s]").count(), 3, "{shown}");
        assert!(shown.contains("mosquitto_sub -h 127.0.0.1 -p "), "{shown}");
        assert!(shown.contains(" -t 'thinkd/demo/#' -v\n"), "{shown}");
        assert!(shown.contains("mosquitto_pub -h 127.0.0.1 -p "), "{shown}");
        assert!(
            !shown.contains('\u{1b}'),
            "escapes where there is no terminal"
        );
        assert!(!shown.contains("Your own questions"), "{shown}");
    }
}
