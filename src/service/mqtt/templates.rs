//! Prompts with names: the operator writes them once, a client sends the variables.
//!
//! Templates are Jinja, as the chat templates of models are, and strict: a variable that is not there is an error.
//! All of them are parsed when the daemon starts. A variable's text is put in as it is and never read as a template.

use std::collections::BTreeMap;

use minijinja::value::{Serde, Value as JinjaValue};
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};
use serde_json::{Map, Value};

use super::nearest::nearest;
use crate::engine::ResponseFormat;
use crate::service::error::{Code, RequestError};
use crate::service::priority::Priority;

/// One template, and what holds for the requests that name it where they do not say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TemplateSpec {
    /// What is asked; Jinja.
    pub prompt: String,
    /// What the model is told first; Jinja.
    pub system: Option<String>,
    /// Most tokens of thought and answer.
    pub max_tokens: Option<usize>,
    /// Most tokens of thought.
    pub max_think_tokens: Option<usize>,
    /// What form the answer has.
    pub format: Option<ResponseFormat>,
    /// How urgent it is.
    pub priority: Option<Priority>,
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("templates.{template}.{key}: {reason}")]
pub struct TemplateError {
    /// The template's name.
    pub template: String,
    /// `prompt` or `system`.
    pub key: &'static str,
    /// What is wrong, with the line.
    pub reason: String,
}

/// All templates, parsed.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    environment: Environment<'static>,
    specs: BTreeMap<String, TemplateSpec>,
}

/// A template with its variables put in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filled<'a> {
    pub(super) prompt: String,
    pub(super) system: Option<String>,
    pub(super) spec: &'a TemplateSpec,
}

impl Templates {
    /// Parses all of them.
    ///
    /// # Errors
    /// Those that do not parse, each with its reason.
    pub fn new(specs: BTreeMap<String, TemplateSpec>) -> Result<Self, Vec<TemplateError>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        let mut errors = Vec::new();
        for (name, spec) in &specs {
            let sources = [
                ("prompt", Some(&spec.prompt)),
                ("system", spec.system.as_ref()),
            ];
            for (key, source) in sources {
                let Some(source) = source else { continue };
                let parsed = environment.add_template_owned(part(name, key), source.clone());
                if let Err(error) = parsed {
                    errors.push(TemplateError {
                        template: name.clone(),
                        key,
                        reason: described(&error),
                    });
                }
            }
        }
        if errors.is_empty() {
            Ok(Self { environment, specs })
        } else {
            Err(errors)
        }
    }

    /// The prompt that the template `name` makes of `vars`, at most `bytes_max` long.
    pub(super) fn fill(
        &self,
        name: &str,
        vars: &Map<String, Value>,
        bytes_max: usize,
    ) -> Result<Filled<'_>, RequestError> {
        let Some(spec) = self.specs.get(name) else {
            return Err(self.unknown(name));
        };
        let known = self.variables(name);
        if let Some(other) = vars.keys().find(|var| !known.contains(var)) {
            let shown: String = other.chars().take(40).collect();
            let meant = match nearest(other, known.iter().map(String::as_str)) {
                Some(var) => format!("did you mean {var}?"),
                None => format!("its variables are {}", list(&known)),
            };
            let detail = format!("the template {name} has no variable {shown:?}; {meant}");
            return Err(RequestError::bad_request(detail));
        }
        let render = |key| {
            let template = self.environment.get_template(&part(name, key));
            let rendered =
                template.and_then(|template| template.render(JinjaValue::from(Serde(vars))));
            let text = rendered.map_err(|error| {
                let reason = described(&error);
                let known = list(&known);
                let detail = format!(
                    "the template {name} cannot be filled: {reason}; its variables are {known}"
                );
                RequestError::bad_request(detail)
            })?;
            if text.len() > bytes_max {
                let bytes = text.len();
                let detail =
                    format!("the template {name} makes {bytes} bytes, the limit is {bytes_max}");
                return Err(RequestError::new(Code::TooLarge, detail));
            }
            Ok(text)
        };
        Ok(Filled {
            prompt: render("prompt")?,
            system: spec.system.as_ref().map(|_| render("system")).transpose()?,
            spec,
        })
    }

    fn unknown(&self, name: &str) -> RequestError {
        let shown: String = name.chars().take(40).collect();
        let names: Vec<String> = self.specs.keys().cloned().collect();
        let known = match nearest(name, names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("known are {}", list(&names)),
        };
        RequestError::bad_request(format!("there is no template {shown:?}; {known}"))
    }

    /// The variables of a template, in the order of the alphabet.
    fn variables(&self, name: &str) -> Vec<String> {
        let is_global = |variable: &String| {
            let mut globals = self.environment.globals();
            globals.any(|(global, _)| global == variable)
        };
        let parts = ["prompt", "system"].into_iter();
        let mut variables: Vec<String> = parts
            .filter_map(|key| self.environment.get_template(&part(name, key)).ok())
            .flat_map(|template| template.undeclared_variables(false))
            .filter(|variable| !is_global(variable))
            .collect();
        variables.sort();
        variables.dedup();
        variables
    }
}

/// What the environment calls a part of a template.
fn part(name: &str, key: &str) -> String {
    format!("{name}/{key}")
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}

/// The line and what is wrong there.
fn described(error: &Error) -> String {
    let reason = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("line {line}: {reason}"),
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn templates(prompt: &str, system: Option<&str>) -> Result<Templates, Vec<TemplateError>> {
        let spec = TemplateSpec {
            prompt: prompt.to_owned(),
            system: system.map(str::to_owned),
            ..TemplateSpec::default()
        };
        Templates::new(BTreeMap::from([("alarm".to_owned(), spec)]))
    }

    fn detail(vars: Value) -> String {
        let templates = templates("{{ room }} is {{ celsius }} degrees", None).unwrap();
        let vars = vars.as_object().unwrap();
        templates.fill("alarm", vars, 100).unwrap_err().detail
    }

    #[test]
    fn a_template_is_filled_with_its_variables() {
        let source =
            "{{ room }}: {% for t in celsius %}{{ t }} {% endfor %}{{ {'a': 1} | tojson }}";
        let templates = templates(source, Some("for {{ room }}")).unwrap();
        let vars = json!({"room": "<{{ celsius }}>", "celsius": [1, 2.5]});
        let filled = templates
            .fill("alarm", vars.as_object().unwrap(), 100)
            .unwrap();
        assert_eq!(filled.prompt, "<{{ celsius }}>: 1 2.5 {\"a\": 1}");
        assert_eq!(filled.system.as_deref(), Some("for <{{ celsius }}>"));
    }

    #[test]
    fn says_what_is_missing_and_what_is_too_much() {
        let missing = detail(json!({"room": "hall"}));
        assert!(
            missing.starts_with("the template alarm cannot be filled: line 1: "),
            "{missing}"
        );
        assert!(
            missing.ends_with("; its variables are celsius, room"),
            "{missing}"
        );
        assert_eq!(
            detail(json!({"rom": "hall", "celsius": 1})),
            "the template alarm has no variable \"rom\"; did you mean room?"
        );
        assert_eq!(
            detail(json!({"room": "x".repeat(90), "celsius": 1})),
            "the template alarm makes 103 bytes, the limit is 100"
        );
    }

    #[test]
    fn names_the_templates_there_are() {
        let templates = templates("x", None).unwrap();
        let detail = |name| templates.fill(name, &Map::new(), 9).unwrap_err().detail;
        assert_eq!(
            detail("alarn"),
            "there is no template \"alarn\"; did you mean alarm?"
        );
        assert_eq!(
            detail("report"),
            "there is no template \"report\"; known are alarm"
        );
        let none = Templates::default().fill("a", &Map::new(), 9).unwrap_err();
        assert_eq!(none.detail, "there is no template \"a\"; known are none");
    }

    #[test]
    fn a_template_that_does_not_parse_is_told_with_its_key_and_line() {
        let errors = templates("a\n{{ b", Some("{% if %}")).unwrap_err();
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(
            told[0].starts_with("templates.alarm.prompt: line 2: "),
            "{told:?}"
        );
        assert!(
            told[1].starts_with("templates.alarm.system: line 1: "),
            "{told:?}"
        );
    }
}
