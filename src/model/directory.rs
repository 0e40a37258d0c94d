//! The text files of a model directory: `genai_config.json`, `tokenizer_config.json`, the chat template.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::model::ModelError;

/// What the text files of a model directory say.
#[derive(Debug, Clone)]
pub struct ModelDirectory {
    /// The directory.
    pub path: PathBuf,
    /// Last part of the directory's name.
    pub name: String,
    /// Architecture, as the builder names it (`qwen2`, `llama`, …).
    pub architecture: String,
    /// File of the graph.
    pub graph_path: PathBuf,
    /// Longest context the model was made for, in tokens.
    pub context_tokens: usize,
    /// Number of logits.
    pub vocab_size: usize,
    /// Decoder layers.
    pub layers: usize,
    /// Key/value heads of a layer.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Tokens that end an answer.
    pub eos_token_ids: Vec<u32>,
    /// Text of the token that begins a prompt, where the tokenizer names one.
    pub bos_token: String,
    /// Text of the token that ends an answer, where the tokenizer names one.
    pub eos_token: String,
    /// The chat template, Jinja.
    pub chat_template: String,
    /// File the chat template came from.
    pub chat_template_path: PathBuf,
    /// Sampling the model's maker suggests.
    pub search: SearchDefaults,
    /// Names of the graph's inputs and outputs.
    pub(crate) io: GraphNames,
}

/// Sampling the model's maker suggests (`search` in `genai_config.json`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SearchDefaults {
    /// Sample; greedy otherwise.
    pub do_sample: bool,
    /// Temperature.
    pub temperature: Option<f32>,
    /// Top-k.
    pub top_k: Option<usize>,
    /// Top-p.
    pub top_p: Option<f32>,
    /// Repetition penalty.
    pub repetition_penalty: Option<f32>,
}

/// Names of the graph's inputs and outputs; `%d` stands for the layer.
#[derive(Debug, Clone)]
pub(crate) struct GraphNames {
    pub(crate) input_ids: String,
    pub(crate) position_ids: String,
    pub(crate) logits: String,
}

#[derive(Deserialize)]
struct GenaiConfig {
    model: GenaiModel,
    #[serde(default)]
    search: SearchDefaults,
}

#[derive(Deserialize)]
struct GenaiModel {
    #[serde(rename = "type")]
    architecture: String,
    context_length: usize,
    vocab_size: usize,
    eos_token_id: OneOrMany,
    decoder: GenaiDecoder,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u32),
    Many(Vec<u32>),
}

#[derive(Deserialize)]
struct GenaiDecoder {
    filename: String,
    head_size: usize,
    num_hidden_layers: usize,
    num_key_value_heads: usize,
    #[serde(default)]
    inputs: GenaiInputs,
    #[serde(default)]
    outputs: GenaiOutputs,
}

#[derive(Deserialize, Default)]
struct GenaiInputs {
    input_ids: Option<String>,
    position_ids: Option<String>,
}

#[derive(Deserialize, Default)]
struct GenaiOutputs {
    logits: Option<String>,
}

#[derive(Deserialize)]
struct TokenizerConfig {
    bos_token: Option<TokenText>,
    eos_token: Option<TokenText>,
    chat_template: Option<Templates>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TokenText {
    Plain(String),
    Added { content: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<NamedTemplate>),
}

#[derive(Deserialize)]
struct NamedTemplate {
    name: String,
    template: String,
}

impl ModelDirectory {
    /// Reads the text files of the directory at `path`.
    ///
    /// # Errors
    /// If a file is missing, is not what it should be, or there is no chat template.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        if !path.is_dir() {
            return Err(refuse(path, "is not a directory"));
        }
        let config_path = path.join("genai_config.json");
        let GenaiConfig { model, search } = read_json(&config_path)?;
        let GenaiModel {
            architecture,
            context_length,
            vocab_size,
            eos_token_id,
            decoder,
        } = model;
        for (key, size) in [
            ("model.context_length", context_length),
            ("model.vocab_size", vocab_size),
            ("model.decoder.num_hidden_layers", decoder.num_hidden_layers),
            (
                "model.decoder.num_key_value_heads",
                decoder.num_key_value_heads,
            ),
            ("model.decoder.head_size", decoder.head_size),
        ] {
            if size == 0 {
                return Err(refuse(
                    &config_path,
                    format!("{key} is 0, expected at least 1"),
                ));
            }
        }
        if Path::new(&decoder.filename).file_name() != Some(decoder.filename.as_ref()) {
            let reason = "model.decoder.filename is not a plain file name";
            return Err(refuse(&config_path, reason));
        }
        let tokenizer_path = path.join("tokenizer_config.json");
        let tokenizer: TokenizerConfig = read_json(&tokenizer_path)?;
        let (chat_template, chat_template_path) =
            chat_template(path, &tokenizer_path, tokenizer.chat_template)?;
        Ok(Self {
            name: directory_name(path),
            architecture,
            graph_path: path.join(decoder.filename),
            path: path.to_owned(),
            context_tokens: context_length,
            vocab_size,
            layers: decoder.num_hidden_layers,
            kv_heads: decoder.num_key_value_heads,
            head_dim: decoder.head_size,
            eos_token_ids: match eos_token_id {
                OneOrMany::One(id) => vec![id],
                OneOrMany::Many(ids) => ids,
            },
            bos_token: text(tokenizer.bos_token),
            eos_token: text(tokenizer.eos_token),
            chat_template,
            chat_template_path,
            search,
            io: GraphNames {
                input_ids: decoder
                    .inputs
                    .input_ids
                    .unwrap_or_else(|| "input_ids".into()),
                position_ids: decoder
                    .inputs
                    .position_ids
                    .unwrap_or_else(|| "position_ids".into()),
                logits: decoder.outputs.logits.unwrap_or_else(|| "logits".into()),
            },
        })
    }

    /// The tokenizer's file.
    pub fn tokenizer_path(&self) -> PathBuf {
        self.path.join("tokenizer.json")
    }
}

fn directory_name(path: &Path) -> String {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    absolute.file_name().map_or_else(
        || "model".into(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn text(token: Option<TokenText>) -> String {
    match token {
        None => String::new(),
        Some(TokenText::Plain(text) | TokenText::Added { content: text }) => text,
    }
}

/// The template file wins over the one inside `tokenizer_config.json`, as in transformers.
fn chat_template(
    directory: &Path,
    tokenizer_path: &Path,
    inside: Option<Templates>,
) -> Result<(String, PathBuf), ModelError> {
    let file = directory.join("chat_template.jinja");
    if file.exists() {
        return Ok((read_text(&file)?, file));
    }
    let template = match inside {
        Some(Templates::One(template)) => Some(template),
        Some(Templates::Named(all)) => all
            .into_iter()
            .find(|t| t.name == "default")
            .map(|t| t.template),
        None => None,
    };
    match template {
        Some(template) => Ok((template, tokenizer_path.to_owned())),
        None => Err(refuse(
            &file,
            "is missing, and tokenizer_config.json has no chat_template",
        )),
    }
}

fn read_text(path: &Path) -> Result<String, ModelError> {
    std::fs::read_to_string(path).map_err(|e| refuse(path, format!("cannot be read: {e}")))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    serde_json::from_str(&read_text(path)?)
        .map_err(|e| refuse(path, format!("is not the JSON expected: {e}")))
}

fn refuse(path: &Path, reason: impl Into<String>) -> ModelError {
    ModelError::File {
        path: path.to_owned(),
        reason: reason.into(),
    }
}
