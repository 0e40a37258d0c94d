//! From settings to an engine that can answer.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::failure::{Failure, Outcome};
use crate::config::Config;
use crate::engine::{Engine, GenerationRequest, Message, ResponseFormat, Role};
use crate::model::{self, Lanes, LoadOptions, LoadedModel, ModelInfo, SearchDefaults};
use crate::service::systemd;

/// An engine, and what there is to know about the model in it.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Answers.
    pub(super) engine: Engine,
    /// What was found and chosen.
    pub(super) info: ModelInfo,
    /// How the model's maker would choose tokens.
    pub(super) suggested: SearchDefaults,
}

impl Loaded {
    /// A request as the settings have it. `system`, else what they tell the model, stands before messages that do
    /// not tell it anything themselves; a blank one is none.
    pub(super) fn request(
        &self,
        config: &Config,
        system: Option<&str>,
        mut messages: Vec<Message>,
    ) -> GenerationRequest {
        let has_system = messages.iter().any(|message| message.role == Role::System);
        let system = system
            .or(config.engine.system_prompt.as_deref())
            .filter(|text| !has_system && !text.trim().is_empty());
        if let Some(content) = system {
            let system = Message {
                role: Role::System,
                content: content.to_owned(),
            };
            messages.insert(0, system);
        }
        GenerationRequest {
            messages,
            sampling: config.sampling(&self.suggested),
            budget: config.budget(),
            stop: Vec::new(),
            format: ResponseFormat::default(),
        }
    }
}

/// Loads the model in `directory` and puts the engine round it, with what prompts have begun with in earlier processes.
pub(super) fn load(config: &Config, directory: &Path) -> Outcome<Loaded> {
    let mut loaded = load_with(&config.load_options(), directory)?;
    if let Some(folder) = &config.prefixes {
        loaded.engine = loaded.engine.with_prefixes(folder.clone());
    }
    Ok(loaded)
}

/// As [`load`], for one question after the other.
pub(super) fn load_alone(config: &Config, directory: &Path) -> Outcome<Loaded> {
    let mut options = config.load_options();
    options.lanes = Lanes::Exactly(1);
    load_with(&options, directory)
}

/// As [`load`], as far as can be done at once: weights that are not packed yet stay so.
pub(super) fn look(config: &Config, directory: &Path) -> Outcome<Loaded> {
    let mut options = config.load_options();
    options.packed_cache.look_only = true;
    load_with(&options, directory)
}

fn load_with(options: &LoadOptions, directory: &Path) -> Outcome<Loaded> {
    let LoadedModel {
        model,
        tokenizer,
        directory,
        info,
    } = model::load(directory, options).map_err(Failure::model)?;
    let options = Config::engine_options(&directory);
    let engine = Engine::new(Box::new(model), tokenizer, options).map_err(Failure::engine)?;
    Ok(Loaded {
        engine,
        info,
        suggested: directory.search,
    })
}

/// Does `work` and meanwhile asks the service manager for patience.
pub(super) fn with_signs_of_life<T>(work: impl FnOnce() -> T) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            systemd::loading();
            while is_done.recv_timeout(SIGN_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                systemd::loading();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Well below the time that one sign asks for.
const SIGN_EVERY: Duration = Duration::from_secs(5);
