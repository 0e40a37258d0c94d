//! The configuration as the options of each level below.

use std::time::Duration;

use super::checked::Config;
use crate::engine::{Budget, EngineOptions, SamplingOptions};
use crate::model::{CacheOptions, Lanes, LoadOptions, ModelDirectory, ModelInfo, SearchDefaults};
use crate::service::mqtt::{self, Credentials, RequestRules, RequesterOptions, Templates};
use crate::service::{self, QueueLimits};

impl Config {
    /// How the model is loaded.
    #[must_use]
    pub fn load_options(&self) -> LoadOptions {
        LoadOptions {
            context_tokens: self.model.context_tokens,
            threads: self.engine.threads,
            pin_threads: self.engine.pin_threads,
            kernels: self.engine.kernels.clone(),
            activations: self.engine.activations,
            kv_cache: self.engine.kv_cache,
            lanes: self.engine.streams.map_or(Lanes::Auto, Lanes::Exactly),
            packed_cache: CacheOptions {
                place: self.model.packed_cache.clone(),
                residence: self.model.weights,
                ..CacheOptions::default()
            },
            ..LoadOptions::default()
        }
    }

    /// What the engine is told of the model.
    #[must_use]
    pub fn engine_options(directory: &ModelDirectory) -> EngineOptions {
        let template_name = directory.chat_template_path.file_name().unwrap_or_default();
        EngineOptions {
            chat_template: directory.chat_template.clone(),
            chat_template_name: template_name.to_string_lossy().into_owned(),
            bos_token: directory.bos_token.clone(),
            eos_token: directory.eos_token.clone(),
            eos_token_ids: directory.eos_token_ids.clone(),
            ..EngineOptions::default()
        }
    }

    /// How tokens are chosen where a request does not say: as configured, else as the model's maker suggests.
    #[must_use]
    pub fn sampling(&self, suggested: &SearchDefaults) -> SamplingOptions {
        let neutral = SamplingOptions::default();
        let set = self.engine.sampling;
        // A maker who suggests not to sample means the likeliest token, whatever else the file says.
        let temperature = if suggested.do_sample {
            suggested.temperature.or(Some(1.0))
        } else {
            Some(0.0)
        };
        SamplingOptions {
            temperature: set
                .temperature
                .or(temperature)
                .unwrap_or(neutral.temperature),
            top_k: set.top_k.or(suggested.top_k).unwrap_or(neutral.top_k),
            top_p: set.top_p.or(suggested.top_p).unwrap_or(neutral.top_p),
            min_p: set.min_p.unwrap_or(neutral.min_p),
            repetition_penalty: set
                .repetition_penalty
                .or(suggested.repetition_penalty)
                .unwrap_or(neutral.repetition_penalty),
            seed: set.seed,
        }
    }

    /// How many tokens may be spent where a request does not say.
    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget {
            max_tokens: self.engine.max_tokens,
            max_think_tokens: self.engine.max_think_tokens,
        }
    }

    /// What the service is told, with the model that was loaded.
    ///
    /// # Panics
    /// If a template does not parse; [`super::load`] lets none of those through.
    #[must_use]
    pub fn service_options(
        &self,
        info: &ModelInfo,
        suggested: &SearchDefaults,
    ) -> service::Options {
        service::Options {
            mqtt: self.mqtt_options(),
            queue: QueueLimits {
                jobs_max: self.limits.queue_jobs_max,
                bytes_max: self.limits.queue_bytes_max,
            },
            requests: RequestRules {
                payload_bytes_max: self.limits.payload_bytes_max,
                max_tokens_max: self.limits.max_tokens,
                system: self.engine.system_prompt.clone(),
                sampling: self.sampling(suggested),
                budget: self.budget(),
                deadline: self.limits.deadline_seconds.map(Duration::from_secs),
                templates: Templates::new(self.requests.templates.clone())
                    .expect("they were parsed when the configuration was checked"),
                clients: self.requests.clients.clone(),
                ..RequestRules::default()
            },
            prompts_per_minute_max: self.limits.prompts_per_minute_max,
            store_directory: self.store_directory.clone(),
            drain: Duration::from_secs(self.limits.drain_seconds),
            metrics: self.metrics.listen,
            model: service::ModelInfo {
                name: info.name.clone(),
                context_tokens: info.context_tokens,
                kernels: info.kernels.to_owned(),
            },
            ..service::Options::default()
        }
    }

    /// What the MQTT side is told.
    #[must_use]
    pub fn mqtt_options(&self) -> mqtt::Options {
        let (host, port) = self.mqtt.broker.address();
        mqtt::Options {
            host: host.to_owned(),
            port,
            client_id: self.mqtt.client_id.clone(),
            credentials: self.credentials(),
            tls: self.mqtt.tls.clone(),
            topics: self.mqtt.topics.clone(),
            reply_topics_allowed: self.mqtt.reply_topics_allowed.clone(),
            keep_alive: Duration::from_secs(self.mqtt.keep_alive_seconds.into()),
            packet_bytes_max: self.packet_bytes_max(),
            ..mqtt::Options::default()
        }
    }

    /// Largest packet the daemon and its embedded broker take, bytes: the longest request with its envelope.
    #[must_use]
    pub fn packet_bytes_max(&self) -> u32 {
        let longest = self.limits.payload_bytes_max + ENVELOPE_BYTES;
        // The range of payload_bytes_max is far below what 32 bits hold.
        u32::try_from(longest)
            .unwrap_or(u32::MAX)
            .max(mqtt::Options::default().packet_bytes_max)
    }

    /// How one who asks this daemon connects.
    #[must_use]
    pub fn requester_options(&self) -> RequesterOptions {
        let (host, port) = self.mqtt.broker.address();
        RequesterOptions {
            host: host.to_owned(),
            port,
            credentials: self.credentials(),
            tls: self.mqtt.tls.clone(),
            topics: self.mqtt.topics.clone(),
            connect_timeout: CONNECT_TIMEOUT,
            answer_timeout: ANSWER_TIMEOUT,
        }
    }

    fn credentials(&self) -> Option<Credentials> {
        let password = self
            .mqtt
            .password
            .as_ref()
            .map_or("", |password| password.reveal());
        self.mqtt.username.clone().map(|username| Credentials {
            username,
            password: password.to_owned(),
        })
    }
}

/// How long one who asks tries to connect, and how long an answer may be silent before it is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Room for the topics and properties round a payload.
const ENVELOPE_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Override, Sources};
    use crate::model::PackedOrigin;

    fn config(flags: &[(&str, &str)]) -> Config {
        let flags = flags.iter().map(|&(key, value)| Override {
            flag: "--set".to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        });
        let sources = Sources {
            flags: flags.collect(),
            // Any will do, so that a build without the embedded one is tested too.
            preferences: vec![("mqtt.broker", "mqtt://localhost".to_owned())],
            hostname: "board".to_owned(),
            ..Sources::default()
        };
        config::load(&sources).expect("settings of the test's own")
    }

    fn suggested() -> SearchDefaults {
        SearchDefaults {
            do_sample: true,
            temperature: Some(0.6),
            top_k: Some(50),
            top_p: Some(0.95),
            repetition_penalty: None,
        }
    }

    #[test]
    fn what_is_set_holds_over_what_the_model_suggests_over_neutral() {
        let sampling =
            config(&[("engine.top_k", "5"), ("engine.seed", "7")]).sampling(&suggested());
        assert_eq!(sampling.temperature, 0.6);
        assert_eq!(sampling.top_k, 5);
        assert_eq!(sampling.top_p, 0.95);
        assert_eq!(sampling.repetition_penalty, 1.0);
        assert_eq!(sampling.seed, 7);
    }

    #[test]
    fn a_model_that_suggests_not_to_sample_is_greedy_unless_told_otherwise() {
        let greedy = SearchDefaults {
            do_sample: false,
            ..suggested()
        };
        assert_eq!(config(&[]).sampling(&greedy).temperature, 0.0);
        assert_eq!(
            config(&[("engine.temperature", "1")])
                .sampling(&greedy)
                .temperature,
            1.0
        );
    }

    #[test]
    fn as_many_streams_as_are_set_or_as_fit() {
        assert_eq!(config(&[]).load_options().lanes, Lanes::Auto);
        let three = config(&[("engine.streams", "3")]);
        assert_eq!(three.load_options().lanes, Lanes::Exactly(3));
    }

    #[test]
    fn the_widest_limits_are_options_the_service_takes() {
        let config = config(&[
            ("limits.payload_bytes_max", "16777216"),
            ("limits.queue_bytes_max", "16777216"),
            ("limits.deadline_seconds", "9"),
            ("mqtt.broker", "mqtt://broker.lan:99"),
            ("mqtt.reply_topics_allowed", "home/#"),
        ]);
        let info = ModelInfo {
            name: "m".to_owned(),
            architecture: "qwen2".to_owned(),
            context_tokens: 64,
            lanes: 1,
            vocab_size: 8,
            layers: 1,
            weight_bytes: 1,
            weights_in_memory: false,
            packed: PackedOrigin::Stored(String::new()),
            step_weight_bytes: 1,
            kv_cache_bytes: 1,
            kv_cache_bytes_per_token: 1,
            plan_nodes: 1,
            kernels: "scalar",
            threads: 1,
            activations: Default::default(),
            load_duration: Duration::ZERO,
        };
        let options = config.service_options(&info, &suggested());
        assert!(options.validate().is_ok(), "{options:?}");
        assert_eq!(
            (options.mqtt.host.as_str(), options.mqtt.port),
            ("broker.lan", 99)
        );
        assert_eq!(options.requests.deadline, Some(Duration::from_secs(9)));
        assert_eq!(options.model.name, "m");
    }
}
