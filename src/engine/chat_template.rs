//! Messages become the text of a prompt, by the model's own chat template.
//!
//! Templates are Jinja in the dialect of Hugging Face's transformers, which this follows: blocks trimmed, Python's
//! methods on strings and lists, `raise_exception`, `tojson` as Python writes JSON, `{% generation %}` without
//! effect. `strftime_now` is left undefined: templates that ask for the date fall back to a fixed one, and an
//! answer depends on nothing but its request.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, context, escape_formatter,
};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::python_json::to_json;
use super::{EngineError, EngineOptions, Message, Role};

/// A chat template that is known to render.
#[derive(Debug)]
pub(super) struct ChatTemplate {
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
}

/// The one template in the environment; not a file's name, so that no suffix switches escaping on.
const CHAT: &str = "chat";

impl ChatTemplate {
    /// Parses the template and renders a first question with it.
    pub(super) fn new(options: &EngineOptions) -> Result<Self, EngineError> {
        let fault = |reason: String| EngineError::Template {
            name: options.chat_template_name.clone(),
            reason,
        };
        if options.chat_template.trim().is_empty() {
            return Err(fault(
                "absent or empty, and a prompt cannot be written without it".into(),
            ));
        }
        let mut environment = environment();
        environment
            .add_template_owned(CHAT, without_generation_marks(&options.chat_template))
            .map_err(|error| fault(described(&error)))?;
        let template = Self {
            environment,
            bos_token: options.bos_token.clone(),
            eos_token: options.eos_token.clone(),
        };
        let question = Message {
            role: Role::User,
            content: "Hello".to_owned(),
        };
        template
            .rendered(&[question])
            .map_err(|error| fault(described(&error)))?;
        Ok(template)
    }

    /// The prompt for the model's next turn.
    pub(super) fn render(&self, messages: &[Message]) -> Result<String, EngineError> {
        self.rendered(messages)
            .map_err(|error| EngineError::MessagesRefused {
                reason: described(&error),
            })
    }

    fn rendered(&self, messages: &[Message]) -> Result<String, Error> {
        self.environment.get_template(CHAT)?.render(context! {
            messages => Value::from(Serde(messages)),
            add_generation_prompt => true,
            bos_token => self.bos_token.as_str(),
            eos_token => self.eos_token.as_str(),
            tools => (),
            documents => (),
        })
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    environment.set_syntax(syntax.expect("the delimiters are Jinja's own"));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(unknown_method_callback);
    environment.set_formatter(write_as_python);
    environment.add_filter("tojson", to_json);
    environment.add_function(
        "raise_exception",
        |message: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        },
    );
    environment
}

/// The template's own words where it raised, the line otherwise.
fn described(error: &Error) -> String {
    match (error.detail(), error.line()) {
        (Some(detail), Some(line)) => format!("line {line}: {detail}"),
        (None, Some(line)) => format!("line {line}: {}", error.kind()),
        (_, None) => error.to_string(),
    }
}

/// Prints truth and nothing as Python does.
fn write_as_python(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let word = match value.kind() {
        ValueKind::None => "None",
        ValueKind::Bool if value.is_true() => "True",
        ValueKind::Bool => "False",
        _ => return escape_formatter(out, state, value),
    };
    out.write_str(word).map_err(Error::from)
}

/// `{% generation %}` marks the model's turns for training; here the block is one that is always taken.
fn without_generation_marks(source: &str) -> String {
    let mut plain = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, block)) = rest.split_once("{%") {
        let Some((inside, after)) = block.split_once("%}") else {
            break;
        };
        let word = inside.trim_matches(['-', '+', ' ', '\t', '\n']);
        let inside = match word {
            "generation" => inside.replace(word, "if true"),
            "endgeneration" => inside.replace(word, "endif"),
            _ => inside.to_owned(),
        };
        plain.extend([before, "{%", &inside, "%}"]);
        rest = after;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value as Json;

    use super::*;

    fn template(source: &str) -> Result<ChatTemplate, EngineError> {
        ChatTemplate::new(&EngineOptions {
            chat_template: source.to_owned(),
            bos_token: "<bos>".to_owned(),
            ..EngineOptions::default()
        })
    }

    fn user(content: &str) -> Message {
        Message {
            role: Role::User,
            content: content.to_owned(),
        }
    }

    /// The template of a golden case; `None` where the model it belongs to is not at hand.
    fn golden_template(golden: &Json, name: &str) -> Option<String> {
        if let Some(source) = golden["templates"][name].as_str() {
            return Some(source.to_owned());
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = root.join("../shared/models/deepseek-r1-distill-qwen/chat_template.jinja");
        let source = std::fs::read_to_string(path).ok()?;
        match name {
            "deepseek" => Some(source),
            "deepseek, unopened" => Some(source.replace(r"<think>\n'}}", "'}}")),
            _ => panic!("golden.json has no template {name}"),
        }
    }

    #[test]
    fn renders_as_transformers_does() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chat_template/golden.json");
        let golden: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let name = case["template"].as_str().unwrap();
            let Some(source) = golden_template(&golden, name) else {
                continue;
            };
            let options = EngineOptions {
                chat_template: source,
                bos_token: golden["bos_token"].as_str().unwrap().to_owned(),
                eos_token: golden["eos_token"].as_str().unwrap().to_owned(),
                ..EngineOptions::default()
            };
            let messages: Vec<Message> = serde_json::from_value(case["messages"].clone()).unwrap();
            let rendered = ChatTemplate::new(&options)
                .unwrap()
                .render(&messages)
                .unwrap();
            assert_eq!(
                rendered,
                case["rendered"].as_str().unwrap(),
                "{name}: {}",
                case["title"]
            );
        }
    }

    #[test]
    fn a_template_that_raises_refuses_the_messages() {
        let source = "{% for m in messages %}{% if m.role == 'system' %}\
            {{ raise_exception('no system role') }}{% endif %}{{ m.content }}{% endfor %}";
        let template = template(source).unwrap();
        let system = Message {
            role: Role::System,
            content: "be brief".to_owned(),
        };
        let error = template.render(&[system, user("hi")]).unwrap_err();
        assert!(error.is_request_fault());
        assert_eq!(
            error.to_string(),
            "the model's chat template refuses the messages: line 1: no system role"
        );
    }

    #[test]
    fn names_the_file_of_a_template_that_is_at_fault() {
        for (source, reason) in [
            ("", "absent or empty"),
            ("a\n{% for m in %}", "line 2"),
            ("{{ unknown_function() }}", "unknown_function"),
            ("{{ messages[7].content }}", "line 1"),
        ] {
            let error = template(source).unwrap_err();
            assert!(!error.is_request_fault());
            let text = error.to_string();
            assert!(
                text.starts_with("chat template chat_template.jinja: "),
                "{text}"
            );
            assert!(text.contains(reason), "{text}");
        }
    }

    #[test]
    fn content_is_neither_escaped_nor_taken_for_a_template() {
        let template = template("{{ bos_token }}{{ messages[0]['content'] }}").unwrap();
        let content = "<b> & 'c' {{ bos_token }} {% raw %}";
        assert_eq!(
            template.render(&[user(content)]).unwrap(),
            format!("<bos>{content}")
        );
    }
}
