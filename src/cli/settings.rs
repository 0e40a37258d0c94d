//! The process's file, environment and flags as a [`Config`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::anyhow;

use super::args::{MqttArgs, SettingsArgs};
use super::failure::{Failure, Outcome};
use crate::config::{self, Config, Override, SYSTEM_FILE, SearchPlaces, Sources};

/// Reads the settings. `preferences` hold over the defaults only, `mqtt` are the flags of a command that has them.
pub(super) fn load(
    args: &SettingsArgs,
    mqtt: &MqttArgs,
    preferences: Vec<(&'static str, String)>,
) -> Outcome<Config> {
    let sources = Sources {
        file: args.config.clone(),
        system_file: Some(PathBuf::from(SYSTEM_FILE)),
        environment: environment()?,
        flags: flags(args, mqtt)?,
        preferences,
        hostname: hostname(),
    };
    Ok(config::load(&sources)?)
}

/// The configured model directory, else the one that comes with thinkd.
pub(super) fn model_directory(config: &Config) -> Outcome<PathBuf> {
    let configured = config.model.directory.as_deref();
    Ok(config::find_model(
        configured,
        &SearchPlaces::of_this_process(),
    )?)
}

/// A preference for few log lines, for commands that talk to a person.
pub(super) fn quiet() -> Vec<(&'static str, String)> {
    vec![("log.level", "warn".to_owned())]
}

fn flags(args: &SettingsArgs, mqtt: &MqttArgs) -> Outcome<Vec<Override>> {
    let mut flags = Vec::new();
    for text in &args.set {
        let Some((key, value)) = text.split_once('=') else {
            let reason = format!("flag --set: \"{text}\" is not SECTION.KEY=VALUE");
            return Err(Failure::Settings(anyhow!(reason)));
        };
        flags.push(Override {
            flag: "--set".to_owned(),
            key: key.trim().to_owned(),
            value: value.trim().to_owned(),
        });
    }
    let named = [
        ("--model", "model.directory", &args.model),
        ("--threads", "engine.threads", &args.threads),
        ("--log", "log.level", &args.log),
        ("--broker", "mqtt.broker", &mqtt.broker),
        ("--device", "mqtt.device", &mqtt.device),
    ];
    for (flag, key, value) in named {
        if let Some(value) = value {
            flags.push(Override {
                flag: flag.to_owned(),
                key: key.to_owned(),
                value: value.clone(),
            });
        }
    }
    Ok(flags)
}

/// The variables of the environment that are text; one of ours that is not is a mistake.
fn environment() -> Outcome<BTreeMap<String, String>> {
    let mut environment = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => {
                environment.insert(name, value);
            }
            (Ok(name), Err(_)) if name.starts_with("THINKD_") => {
                return Err(Failure::Settings(anyhow!(
                    "environment variable {name}: its value is not UTF-8"
                )));
            }
            _ => {}
        }
    }
    Ok(environment)
}

/// Name of this machine; empty where the kernel does not tell.
fn hostname() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default();
    let name = name.to_string_lossy();
    // The part before the first dot: the rest names the network.
    name.split('.').next().unwrap_or_default().to_owned()
}
