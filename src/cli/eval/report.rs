//! What `thinkd eval` found, as text and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::expected::Case;
use super::problem::Problem;
use crate::cli::statistics::{median, percent, wilson};
use crate::engine::{Completion, FinishReason, Message, Role};

/// What was found.
pub(super) struct Report<'p> {
    pub(super) model: &'p str,
    pub(super) file: &'p str,
    pub(super) temperature: f64,
    pub(super) max_tokens: usize,
    /// In the order of the file.
    pub(super) verdicts: Vec<Verdict<'p>>,
}

/// What came of one problem.
pub(super) struct Verdict<'p> {
    problem: &'p Problem,
    pub(super) right: bool,
    /// Nothing where the model thought and did not get to an answer.
    answer: Option<String>,
    thought: String,
    finish: FinishReason,
    tokens: usize,
    thought_tokens: usize,
    /// The whole of it.
    total: Duration,
    /// From the first token on.
    decode: Duration,
}

impl<'p> Verdict<'p> {
    pub(super) fn new(problem: &'p Problem, completion: Completion, case: Case) -> Self {
        let Completion {
            thought,
            answer,
            finish_reason,
            usage,
            timing,
        } = completion;
        let answer = (!answer.is_empty() || usage.thought_tokens == 0).then_some(answer);
        let expected = &problem.expected;
        Self {
            problem,
            right: answer
                .as_ref()
                .is_some_and(|text| expected.accepts(text, case)),
            answer,
            thought,
            finish: finish_reason,
            tokens: usage.thought_tokens + usage.answer_tokens,
            thought_tokens: usage.thought_tokens,
            total: timing.total,
            decode: timing.decode,
        }
    }

    fn as_json(&self) -> Value {
        let problem = self.problem;
        json!({
            "id": problem.id,
            "line": problem.line,
            "family": problem.family,
            "language": problem.language,
            "format": problem.expected.format(),
            "held_out": problem.held_out,
            "right": self.right,
            "answer": self.answer,
            "thought": self.thought,
            "expected": problem.answer,
            "finish": self.finish,
            "tokens": self.tokens,
            "thought_tokens": self.thought_tokens,
            "seconds": self.total.as_secs_f64(),
        })
    }

    /// For a person: the question, what was thought and answered, and what should have been.
    fn as_text(&self) -> String {
        let problem = self.problem;
        let mut text = format!("line {}", problem.line);
        if let Value::String(id) = &problem.id {
            let _ = write!(text, ", {id}");
        }
        if let Some(family) = &problem.family {
            let _ = write!(text, ", {family}");
        }
        text.push('\n');
        let expected = match &problem.answer {
            Value::String(answer) => answer.clone(),
            other => other.to_string(),
        };
        for (name, content) in [
            ("question", question(&problem.messages)),
            ("thought", self.thought.clone()),
            (
                "answer",
                self.answer
                    .clone()
                    .unwrap_or_else(|| "none, the thought did not end".to_owned()),
            ),
            ("expected", expected),
        ] {
            if content.is_empty() {
                continue;
            }
            // Further lines stand under the first.
            let content = content.replace('\n', "\n            ");
            let _ = writeln!(text, "  {name:8}  {content}");
        }
        text
    }
}

/// A single question as it is; a conversation with its speakers.
fn question(messages: &[Message]) -> String {
    if let [only] = messages {
        return only.content.clone();
    }
    let spoken = messages.iter().map(|message| {
        let speaker = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        format!("{speaker}: {}", message.content)
    });
    spoken.collect::<Vec<_>>().join("\n")
}

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    count: usize,
    total: usize,
}

impl Tally {
    fn of(outcomes: impl Iterator<Item = bool>) -> Self {
        outcomes.fold(Self::default(), |tally, holds| Self {
            count: tally.count + usize::from(holds),
            total: tally.total + 1,
        })
    }

    fn percent(self) -> f64 {
        percent(self.count, self.total)
    }

    fn as_text(self) -> String {
        format!("{:.1} % ({}/{})", self.percent(), self.count, self.total)
    }

    /// As fields of an object; what is counted is called `counted`.
    fn as_json(self, counted: &str) -> Map<String, Value> {
        let (low, high) = wilson(self.count, self.total);
        [
            ("total", json!(self.total)),
            (counted, json!(self.count)),
            ("percent", json!(self.percent())),
            ("percent_low", json!(low)),
            ("percent_high", json!(high)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
    }
}

impl Report<'_> {
    /// How many answers are right.
    pub(super) fn right(&self) -> usize {
        self.tally(|_| true).count
    }

    fn tally(&self, is_in: impl Fn(&Problem) -> bool) -> Tally {
        let chosen = self
            .verdicts
            .iter()
            .filter(|verdict| is_in(verdict.problem));
        Tally::of(chosen.map(|verdict| verdict.right))
    }

    /// Right answers by what `key` says of a problem, in the order in which that first occurs.
    fn groups<K: PartialEq>(&self, key: impl Fn(&Problem) -> K) -> Vec<(K, Tally)> {
        let mut groups: Vec<(K, Tally)> = Vec::new();
        for verdict in &self.verdicts {
            let key_here = key(verdict.problem);
            if !groups.iter().any(|(known, _)| *known == key_here) {
                let tally = self.tally(|problem| key(problem) == key_here);
                groups.push((key_here, tally));
            }
        }
        groups
    }

    fn closed(&self) -> Tally {
        Tally::of(self.verdicts.iter().map(|verdict| verdict.answer.is_some()))
    }

    /// Of the problems that ask for JSON.
    fn valid_json(&self) -> Tally {
        Tally::of(self.verdicts.iter().filter_map(|verdict| {
            let answer = verdict.answer.as_deref().unwrap_or_default();
            verdict.problem.expected.is_valid_json(answer)
        }))
    }

    fn median_thought_tokens(&self) -> f64 {
        median(
            self.verdicts
                .iter()
                .map(|verdict| verdict.thought_tokens as f64),
        )
    }

    /// Reading the questions is not part of it, and so the first token of each answer is not either.
    fn tokens_per_second(&self) -> f64 {
        let tokens: usize = self
            .verdicts
            .iter()
            .map(|verdict| verdict.tokens.saturating_sub(1))
            .sum();
        let time: Duration = self.verdicts.iter().map(|verdict| verdict.decode).sum();
        tokens as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    fn seconds(&self) -> f64 {
        let time: Duration = self.verdicts.iter().map(|verdict| verdict.total).sum();
        time.as_secs_f64()
    }

    /// For people, with so many examples of failures.
    pub(super) fn as_text(&self, failures: usize) -> String {
        let mut text = self.tables();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:15}  {value}");
        };
        row("model", self.model.to_owned());
        row("thoughts closed", self.closed().as_text());
        let thought = self.median_thought_tokens();
        row("median thought", format!("{thought:.0} tokens"));
        let valid_json = self.valid_json();
        if valid_json.total > 0 {
            row("valid JSON", valid_json.as_text());
        }
        let speed = self.tokens_per_second();
        row("speed", format!("{speed:.1} tokens/s"));
        row("time", format!("{:.1} s", self.seconds()));
        let wrong = self.verdicts.iter().filter(|verdict| !verdict.right);
        for verdict in wrong.take(failures) {
            let _ = write!(text, "\n{}", verdict.as_text());
        }
        text
    }

    /// Families with the sum, then what else tells problems apart, where there is more than one of it.
    fn tables(&self) -> String {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| NAMELESS.to_owned());
        let mut families = self.groups(|problem| name(&problem.family));
        if matches!(&families[..], [(only, _)] if only == NAMELESS) {
            families.clear();
        }
        families.push(("all".to_owned(), self.tally(|_| true)));
        let mut text = table("family", &families);
        let languages = self.groups(|problem| name(&problem.language));
        let formats = self.groups(|problem| problem.expected.format().name().to_owned());
        let held_out =
            self.groups(|problem| if problem.held_out { "yes" } else { "no" }.to_owned());
        for (heading, groups) in [
            ("language", languages),
            ("format", formats),
            ("held out", held_out),
        ] {
            if groups.len() > 1 {
                text.push_str(&table(heading, &groups));
            }
        }
        text
    }

    /// For programs, with every answer.
    pub(super) fn as_json(&self) -> anyhow::Result<String> {
        let all = self.tally(|_| true);
        let (low, high) = wilson(all.count, all.total);
        let valid_json = self.valid_json();
        let report = json!({
            "runtime": concat!("thinkd ", env!("CARGO_PKG_VERSION")),
            "model": self.model,
            "file": self.file,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "total": all.total,
            "right": all.count,
            "percent": all.percent(),
            "percent_low": low,
            "percent_high": high,
            "thoughts_closed": self.closed().as_json("closed"),
            "median_thought_tokens": self.median_thought_tokens(),
            "valid_json": (valid_json.total > 0).then(|| valid_json.as_json("valid")),
            "tokens_per_second": self.tokens_per_second(),
            "seconds": self.seconds(),
            "families": as_list("family", self.groups(|problem| problem.family.clone())),
            "languages": as_list("language", self.groups(|problem| problem.language.clone())),
            "formats": as_list("format", self.groups(|problem| problem.expected.format())),
            "held_out": as_list("held_out", self.groups(|problem| problem.held_out)),
            "results": self.verdicts.iter().map(Verdict::as_json).collect::<Vec<_>>(),
        });
        let mut text = serde_json::to_string_pretty(&report).context("the report as JSON")?;
        text.push('\n');
        Ok(text)
    }
}

/// A row for each group, and a blank line after them.
fn table(heading: &str, groups: &[(String, Tally)]) -> String {
    let names = groups.iter().map(|(name, _)| name.chars().count());
    let width = names.max().unwrap_or(0).max(15);
    let mut text = format!(
        "{heading:width$}  {:>11}  {:>7}  95 % interval\n",
        "right", "percent"
    );
    for (name, tally) in groups {
        let right = format!("{}/{}", tally.count, tally.total);
        let (low, high) = wilson(tally.count, tally.total);
        let interval = format!("{low:.1}–{high:.1}");
        let percent = tally.percent();
        let _ = writeln!(
            text,
            "{name:width$}  {right:>11}  {percent:>7.1}  {interval:>13}"
        );
    }
    text.push('\n');
    text
}

/// A JSON list of the groups, each with what it is called.
fn as_list<K: Serialize>(key: &str, groups: Vec<(K, Tally)>) -> Value {
    groups
        .into_iter()
        .map(|(name, tally)| {
            let mut object = json!({ key: name });
            object
                .as_object_mut()
                .expect("it was made one")
                .extend(tally.as_json("right"));
            object
        })
        .collect()
}

/// How a group without a name is shown.
const NAMELESS: &str = "none";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::eval::problem;
    use crate::engine::{Timing, Usage};

    fn completion(thought: &str, answer: &str, thought_tokens: usize) -> Completion {
        Completion {
            thought: thought.to_owned(),
            answer: answer.to_owned(),
            finish_reason: FinishReason::Stop,
            usage: Usage {
                thought_tokens,
                answer_tokens: 6,
                ..Usage::default()
            },
            timing: Timing {
                decode: Duration::from_millis(500),
                total: Duration::from_secs(1),
                ..Timing::default()
            },
        }
    }

    fn problems() -> Vec<Problem> {
        let lines = [
            json!({"prompt": "Mean of 1 and 3?", "answer": "2", "family": "mean", "language": "en"}),
            json!({"id": "k", "prompt": "a\nb", "answer": "c", "family": "mean", "language": "fr"}),
            json!({"prompt": "?", "answer": {"a": 1}, "family": "state", "held_out": true}),
        ];
        let file = lines.map(|line| line.to_string()).join("\n");
        problem::parse(file.as_bytes()).expect("all lines are good")
    }

    fn report(problems: &[Problem]) -> Report<'_> {
        let completions = [
            completion("1+3=4", "2.", 15),
            completion("endless\nthought", "", 35),
            completion("", "{\"a\": 2}", 0),
        ];
        let verdicts = problems
            .iter()
            .zip(completions)
            .map(|(problem, completion)| Verdict::new(problem, completion, Case::Matters))
            .collect();
        Report {
            model: "small",
            file: "questions.jsonl",
            temperature: 0.0,
            max_tokens: 400,
            verdicts,
        }
    }

    #[test]
    fn the_text_has_tables_totals_and_failures() {
        insta::assert_snapshot!(report(&problems()).as_text(2), @r#"
        family                 right  percent  95 % interval
        mean                     1/2     50.0       9.5–90.5
        state                    0/1      0.0       0.0–79.3
        all                      1/3     33.3       6.1–79.2

        language               right  percent  95 % interval
        en                       1/1    100.0     20.7–100.0
        fr                       0/1      0.0       0.0–79.3
        none                     0/1      0.0       0.0–79.3

        format                 right  percent  95 % interval
        plain                    1/2     50.0       9.5–90.5
        json                     0/1      0.0       0.0–79.3

        held out               right  percent  95 % interval
        no                       1/2     50.0       9.5–90.5
        yes                      0/1      0.0       0.0–79.3

        model            small
        thoughts closed  66.7 % (2/3)
        median thought   15 tokens
        valid JSON       100.0 % (1/1)
        speed            43.3 tokens/s
        time             3.0 s

        line 2, k, mean
          question  a
                    b
          thought   endless
                    thought
          answer    none, the thought did not end
          expected  c

        line 3, state
          question  ?
          answer    {"a": 2}
          expected  {"a":1}
        "#);
    }

    #[test]
    fn problems_of_one_kind_make_one_row() {
        let file = r#"{"prompt": "a", "answer": "b"}"#;
        let problems = problem::parse(file.as_bytes()).unwrap();
        let text = report(&problems).tables();
        insta::assert_snapshot!(text, @r"
        family                 right  percent  95 % interval
        all                      0/1      0.0       0.0–79.3
        ");
    }

    #[test]
    fn the_json_has_what_programs_look_for() {
        let text = report(&problems()).as_json().unwrap();
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["total"], 3);
        assert_eq!(found["right"], 1);
        assert_eq!(found["median_thought_tokens"], 15.0);
        assert_eq!(found["thoughts_closed"]["closed"], 2);
        assert_eq!(found["valid_json"]["valid"], 1);
        assert_eq!(found["families"][0]["family"], "mean");
        assert_eq!(found["families"][0]["right"], 1);
        assert_eq!(found["families"][0]["total"], 2);
        assert_eq!(found["languages"][2]["language"], Value::Null);
        assert_eq!(found["formats"][1]["format"], "json");
        assert_eq!(found["held_out"][1]["held_out"], true);
        let [closed, endless, json] = [0, 1, 2].map(|index| &found["results"][index]);
        assert_eq!(closed["id"], 1);
        assert_eq!(closed["answer"], "2.");
        assert_eq!(closed["expected"], "2");
        assert_eq!(closed["finish"], "stop");
        assert_eq!(closed["tokens"], 21);
        assert_eq!(closed["thought_tokens"], 15);
        assert_eq!(closed["seconds"], 1.0);
        assert_eq!(endless["id"], "k");
        assert_eq!(endless["answer"], Value::Null);
        assert_eq!(endless["thought"], "endless\nthought");
        assert_eq!(endless["right"], false);
        assert_eq!(json["expected"], json!({"a": 1}));
        assert_eq!(json["held_out"], true);
    }

    #[test]
    fn nothing_is_said_of_json_where_none_was_asked_for() {
        let problems = &problems()[..2];
        let report = report(problems);
        assert!(!report.as_text(0).contains("JSON"));
        let found: Value = serde_json::from_str(&report.as_json().unwrap()).unwrap();
        assert_eq!(found["valid_json"], Value::Null);
    }

    #[test]
    fn a_model_that_does_not_think_may_answer_nothing() {
        let problems = problems();
        let silent = Verdict::new(&problems[0], completion("", "", 0), Case::Matters);
        assert_eq!(silent.answer.as_deref(), Some(""));
    }
}
