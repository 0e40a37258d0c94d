//! Configuration seen from outside: precedence, all mistakes at once, and the sample file against the defaults.

// The defaults want the broker inside; a build without it refuses them.
#![cfg(feature = "embedded-broker")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thinkd::config::{self, Broker, Config, ConfigError, LogLevel, Override, Sources, keys};
use thinkd::engine::ResponseFormat;
use thinkd::model::CachePlace;
use thinkd::service::Priority;
use thinkd::service::mqtt::TemplateSpec;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Sources {
    Sources {
        hostname: "board".to_owned(),
        ..Sources::default()
    }
}

fn file(directory: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = directory.path().join("config.toml");
    std::fs::write(&path, text).expect("a file of the test's own");
    path
}

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn flag(flag: &str, key: &str, value: &str) -> Override {
    Override {
        flag: flag.to_owned(),
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn loaded_from(text: &str) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().expect("a directory of the test's own");
    config::load(&Sources {
        file: Some(file(&directory, text)),
        ..sources()
    })
}

#[test]
fn without_any_source_the_defaults_hold() {
    let config = config::load(&sources()).unwrap();
    assert_eq!(config.file, None);
    assert_eq!(config.mqtt.broker, Broker::Embedded { port: 1883 });
    assert_eq!(config.mqtt.device, "board");
    assert_eq!(config.mqtt.topics.base(), "thinkd/board");
    assert_eq!(config.mqtt.client_id, "thinkd-board");
    assert_eq!(config.engine.max_tokens, 1024);
    assert_eq!(config.engine.max_think_tokens, None);
    assert_eq!(config.engine.sampling.temperature, None);
    assert_eq!(config.model.directory, None);
}

#[test]
fn flag_holds_over_environment_over_file_over_preference_over_default() {
    let directory = tempfile::tempdir().unwrap();
    let mut sources = sources();
    let threads = |sources: &Sources| config::load(sources).unwrap().engine.threads;
    assert_eq!(threads(&sources), 0);
    sources.preferences = vec![("engine.threads", "1".to_owned())];
    assert_eq!(threads(&sources), 1);
    sources.file = Some(file(&directory, "[engine]\nthreads = 2\n"));
    assert_eq!(threads(&sources), 2);
    sources.environment = environment(&[("THINKD_ENGINE__THREADS", "3")]);
    assert_eq!(threads(&sources), 3);
    sources.flags = vec![flag("--threads", "engine.threads", "4")];
    assert_eq!(threads(&sources), 4);
    sources.flags.push(flag("--set", "engine.threads", "5"));
    assert_eq!(threads(&sources), 5);
}

#[test]
fn threads_are_pinned_where_any_source_says_so() {
    let pinned = |sources: &Sources| config::load(sources).unwrap().load_options().pin_threads;
    let directory = tempfile::tempdir().unwrap();
    let mut sources = sources();
    assert!(!pinned(&sources));
    sources.file = Some(file(&directory, "[engine]\npin_threads = true\n"));
    assert!(pinned(&sources));
    sources.environment = environment(&[("THINKD_ENGINE__PIN_THREADS", "false")]);
    assert!(!pinned(&sources));
    sources.flags = vec![flag("--set", "engine.pin_threads", "true")];
    assert!(pinned(&sources));

    let message = loaded_from("engine.pin_threads = 1").unwrap_err();
    let expected = "engine.pin_threads: 1 is not allowed; it is true or false";
    assert!(message.to_string().contains(expected), "{message}");
}

#[test]
fn the_file_is_the_one_named_by_flag_else_environment_else_the_systems() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, threads: usize| {
        let path = directory.path().join(name);
        std::fs::write(&path, format!("engine.threads = {threads}\n")).unwrap();
        path
    };
    let (system, named, flagged) = (write("system", 1), write("named", 2), write("flagged", 3));
    let threads = |sources: &Sources| config::load(sources).unwrap().engine.threads;
    let mut sources = Sources {
        system_file: Some(system),
        ..sources()
    };
    assert_eq!(threads(&sources), 1);
    sources.environment = environment(&[("THINKD_CONFIG", named.to_str().unwrap())]);
    assert_eq!(threads(&sources), 2);
    sources.file = Some(flagged);
    assert_eq!(threads(&sources), 3);
}

#[test]
fn a_named_file_must_be_there_and_the_systems_need_not() {
    let absent = PathBuf::from("/absent/config.toml");
    let system = Sources {
        system_file: Some(absent.clone()),
        ..sources()
    };
    assert_eq!(config::load(&system).unwrap().file, None);
    for named in [
        Sources {
            file: Some(absent.clone()),
            ..sources()
        },
        Sources {
            environment: environment(&[("THINKD_CONFIG", "/absent/config.toml")]),
            ..sources()
        },
    ] {
        let message = config::load(&named).unwrap_err().to_string();
        assert!(
            message.starts_with("/absent/config.toml: cannot be read"),
            "{message}"
        );
    }
}

#[test]
fn all_mistakes_of_all_sources_are_told_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(
        &directory,
        "[engine]\ntheads = 2\ntemperature = 9\n[mqtt]\nbroker = \"broker.lan\"\n\
         [limits]\npayload_bytes_max = 2000000\n",
    );
    let sources = Sources {
        file: Some(path.clone()),
        environment: environment(&[
            ("THINKD_MQTT__PORT", "1"),
            ("THINKD_LOG__LEVEL", "loud"),
            ("THINKD_MQTT__PASSWORD_FILE", "/absent/password"),
        ]),
        flags: vec![flag("--device", "mqtt.device", "a/b")],
        ..sources()
    };
    let message = config::load(&sources).unwrap_err().to_string();
    let message = message.replace(path.to_str().unwrap(), "config.toml");
    insta::assert_snapshot!(message, @r#"
    config.toml:2: engine.theads: unknown key, did you mean engine.threads?
    config.toml:3: engine.temperature: 9 is not allowed; it is a number from 0 to 5, or "model"
    environment variable THINKD_LOG__LEVEL: log.level: "loud" is not allowed; it is one of "error", "warn", "info", "debug", "trace"
    environment variable THINKD_MQTT__PORT: unknown variable; they are called THINKD_SECTION__KEY
    config.toml:5: mqtt.broker: "broker.lan" is not allowed; it is "embedded", "mqtt://host:port" or "mqtts://host:port"
    flag --device: mqtt.device: "a/b" is not allowed; it is at most 64 letters, digits, "-", "_" and "."
    environment variable THINKD_MQTT__PASSWORD_FILE: mqtt.password_file: cannot read /absent/password: No such file or directory (os error 2)
    config.toml:7: limits.payload_bytes_max: 2000000 is above limits.queue_bytes_max, which is 1048576
    "#);
}

#[test]
fn keys_that_do_not_go_together_are_refused() {
    for (text, expected) in [
        (
            "limits.max_tokens = 100",
            "limits.max_tokens: 100 is below engine.max_tokens",
        ),
        (
            "limits.queue_bytes_max = 300",
            "limits.queue_bytes_max: 300 is below",
        ),
        (
            "engine.max_tokens = 9000",
            "engine.max_tokens: 9000 is above limits.max_tokens",
        ),
        (
            "mqtt.base_topic = 'a/#'",
            "mqtt.base_topic: topic base \"a/#\"",
        ),
        (
            "mqtt.broker = 'mqtt://a'\nmqtt.group = 'a/b'",
            "mqtt.group: group \"a/b\" has one of / + # $",
        ),
        (
            "home_assistant.prefix = ''",
            "home_assistant.prefix: prefix \"\" is empty",
        ),
        (
            "metrics.listen = '9464'",
            "metrics.listen: \"9464\" is not an address and a port, such as \"127.0.0.1:9464\"",
        ),
        (
            "metrics.listen = '0.0.0.0:9464'",
            "metrics.listen: 0.0.0.0:9464 can be reached from other machines; that takes metrics.allow_remote = true",
        ),
        (
            "mqtt.reply_topics_allowed = ['a+']",
            "mqtt.reply_topics_allowed: \"a+\"",
        ),
    ] {
        let message = loaded_from(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn the_password_is_read_from_its_file_and_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("mqtt_password"), "open sesame\n").unwrap();
    let sources = Sources {
        environment: environment(&[
            ("CREDENTIALS_DIRECTORY", directory.path().to_str().unwrap()),
            ("THINKD_MQTT__USERNAME", "board"),
            ("THINKD_MQTT__PASSWORD_FILE", "mqtt_password"),
        ]),
        ..sources()
    };
    let config = config::load(&sources).unwrap();
    assert_eq!(
        config.mqtt.password.as_ref().unwrap().reveal(),
        "open sesame"
    );
    assert!(!format!("{config:?}").contains("sesame"));
}

#[test]
fn a_password_without_a_user_name_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("p");
    std::fs::write(&path, "x").unwrap();
    let message = loaded_from(&format!("mqtt.password_file = {path:?}"))
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("mqtt.password_file: is set, but mqtt.username is not"),
        "{message}"
    );
}

#[test]
fn the_unit_s_credential_is_the_password_where_no_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("mqtt_password"), "open sesame\n").unwrap();
    let mut sources = Sources {
        environment: environment(&[("CREDENTIALS_DIRECTORY", directory.path().to_str().unwrap())]),
        ..sources()
    };
    let config = config::load(&sources).unwrap();
    assert_eq!(config.mqtt.password, None);
    let warning = "the credential mqtt_password is not used: mqtt.username is not set";
    assert_eq!(config.warnings, [warning]);
    sources.flags = vec![flag("--set", "mqtt.username", "board")];
    let config = config::load(&sources).unwrap();
    assert_eq!(config.mqtt.password.unwrap().reveal(), "open sesame");
}

#[test]
fn a_secret_that_others_can_read_is_told_of() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("p");
    std::fs::write(&path, "open sesame").unwrap();
    let warnings = |mode: u32, broker: &str| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let text = format!(
            "mqtt.password_file = {path:?}\nmqtt.username = 'u'\nmqtt.broker = '{broker}'\n"
        );
        loaded_from(&text).unwrap().warnings
    };
    assert_eq!(warnings(0o600, "mqtt://localhost"), [""; 0]);
    let open = warnings(0o644, "mqtt://localhost");
    assert!(
        open[0].contains("can be read by every user of this machine"),
        "{open:?}"
    );
    let clear = warnings(0o600, "mqtt://broker.lan");
    assert!(clear[0].contains("on its way to the broker"), "{clear:?}");
    assert!(!open.concat().contains("sesame"));
}

#[test]
fn what_is_set_in_vain_is_told_of() {
    let config = loaded_from("mqtt.group = 'kitchen'\nmqtt.ca_file = '/absent'\n").unwrap();
    assert_eq!(config.mqtt.topics.group(), None);
    assert_eq!(config.mqtt.tls, None);
    assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
    let config = loaded_from("mqtt.broker = 'mqtt://a'\nmqtt.group = 'kitchen'\n").unwrap();
    assert_eq!(config.mqtt.topics.group(), Some("kitchen"));
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn files_for_tls_that_cannot_be_used_are_named_with_their_keys() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(path("empty"), "").unwrap();
    for (settings, expected) in [
        (
            vec![("ca_file", path("absent"))],
            format!("mqtt.ca_file: cannot read {}", path("absent")),
        ),
        (
            vec![("ca_file", path("empty"))],
            format!("mqtt.ca_file: {} holds no certificate", path("empty")),
        ),
    ] {
        let mut text = "mqtt.broker = 'mqtts://broker.lan'\n".to_owned();
        for (name, value) in settings {
            text.push_str(&format!("mqtt.{name} = '{value}'\n"));
        }
        let message = loaded_from(&text).unwrap_err().to_string();
        assert!(message.contains(&expected), "{expected} not in {message}");
    }
}

#[test]
fn home_assistant_is_told_unless_it_is_switched_off() {
    let topic = |text: &str| {
        loaded_from(text)
            .unwrap()
            .mqtt
            .topics
            .home_assistant_config()
    };
    let default = topic("");
    assert_eq!(
        default.as_deref(),
        Some("homeassistant/device/thinkd_board/config")
    );
    assert_eq!(topic("home_assistant.discovery = false"), None);
    let moved = topic("home_assistant.prefix = 'ha'\nmqtt.device = 'oven.1'");
    assert_eq!(moved.as_deref(), Some("ha/device/thinkd_oven_1/config"));
}

#[test]
fn metrics_are_read_on_loopback_unless_more_is_allowed() {
    let listen = |text: &str| loaded_from(text).unwrap().metrics.listen;
    assert_eq!(listen(""), None);
    let local = listen("metrics.listen = '[::1]:9464'");
    assert_eq!(local, Some("[::1]:9464".parse().unwrap()));
    let remote = listen("metrics.listen = '0.0.0.0:9464'\nmetrics.allow_remote = true");
    assert_eq!(remote, Some("0.0.0.0:9464".parse().unwrap()));
}

#[test]
fn text_that_is_no_text_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    let message = config::load(&Sources {
        file: Some(path),
        ..sources()
    })
    .unwrap_err()
    .to_string();
    assert!(message.contains("cannot be read"), "{message}");
}

fn sample() -> String {
    std::fs::read_to_string(root().join("systemd/config.toml")).expect("the sample file")
}

#[test]
fn packed_weights_are_kept_where_the_setting_says_and_by_default_where_the_service_may_write() {
    let place = |setting: Option<&str>, state: Option<&str>| {
        let flags = setting.map(|text| flag("--set", "model.packed_cache", text));
        let state = state.map(|path| (config::STATE_VARIABLE, path));
        let sources = Sources {
            flags: flags.into_iter().collect(),
            environment: environment(state.as_slice()),
            ..sources()
        };
        config::load(&sources)
            .unwrap()
            .load_options()
            .packed_cache
            .place
    };
    let auto = |state: Option<&str>| CachePlace::Auto {
        state_directory: state.map(PathBuf::from),
    };
    assert_eq!(place(None, None), auto(None));
    assert_eq!(place(None, Some("")), auto(None));
    assert_eq!(
        place(None, Some("/var/lib/thinkd")),
        auto(Some("/var/lib/thinkd"))
    );
    assert_eq!(place(Some("auto"), Some("/a:/b")), auto(Some("/a")));
    assert_eq!(place(Some("off"), Some("/a")), CachePlace::Off);
    let directory = CachePlace::Directory("/mnt/packed".into());
    assert_eq!(place(Some("/mnt/packed"), Some("/a")), directory);
}

#[test]
fn what_was_asked_is_kept_with_the_service_managers_state_else_with_the_users() {
    let place = |setting: Option<&str>, variables: &[(&str, &str)]| {
        let flags = setting.map(|text| flag("--set", "store.directory", text));
        let device = flag("--set", "mqtt.device", "oven");
        let sources = Sources {
            flags: flags.into_iter().chain([device]).collect(),
            environment: environment(variables),
            ..sources()
        };
        config::load(&sources).unwrap().store_directory
    };
    let state = (config::STATE_VARIABLE, "/var/lib/thinkd");
    let home = ("HOME", "/home/u");
    assert_eq!(place(None, &[]), None);
    assert_eq!(place(None, &[state, home]), Some("/var/lib/thinkd".into()));
    assert_eq!(
        place(None, &[home]),
        Some("/home/u/.local/state/thinkd/oven".into())
    );
    assert_eq!(
        place(None, &[home, ("XDG_STATE_HOME", "/s")]),
        Some("/s/thinkd/oven".into())
    );
    assert_eq!(place(Some("off"), &[state]), None);
    assert_eq!(place(Some("/mnt/kept"), &[state]), Some("/mnt/kept".into()));
}

#[test]
fn the_sample_file_says_nothing_as_it_is_and_the_defaults_without_its_comments() {
    let defaults = config::load(&sources()).unwrap();
    let as_it_is = loaded_from(&sample()).unwrap();
    assert_eq!(
        Config {
            file: None,
            ..as_it_is
        },
        defaults
    );
    let uncommented: String = sample()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let all_set = loaded_from(&uncommented).unwrap();
    assert_eq!(
        Config {
            file: None,
            ..all_set
        },
        defaults
    );
}

#[test]
fn the_sample_file_holds_every_key_once_in_order_with_its_range() {
    let sample = sample();
    let mut section = String::new();
    let mut found = Vec::new();
    let lines: Vec<&str> = sample.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        }
        let Some((name, value)) = line
            .strip_prefix('#')
            .and_then(|line| line.split_once(" = "))
        else {
            continue;
        };
        if name.starts_with(' ') {
            continue;
        }
        let path = format!("{section}.{name}");
        let key = keys::find(&path).unwrap_or_else(|| panic!("{path} is not a key"));
        assert_eq!(
            value,
            format!("{:#}", key.default_value()),
            "default of {path}"
        );
        let range = key.kind.to_string();
        let range = format!("# {}{}.", range[..1].to_uppercase(), &range[1..]);
        assert_eq!(lines[i - 1], range, "range of {path}");
        assert!(lines[i - 2].starts_with("# "), "{path} is not explained");
        found.push(path);
    }
    let known: Vec<String> = keys::KEYS.iter().map(keys::Key::path).collect();
    assert_eq!(found, known);
}

#[test]
fn the_documents_name_only_keys_there_are() {
    let sections: Vec<&str> = keys::KEYS.iter().map(|key| key.section).collect();
    let mut named = 0;
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "docs/home-assistant.md",
        "docs/mqtt.md",
        "docs/security.md",
        "systemd/README.md",
    ] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        for word in text
            .split('`')
            .filter(|word| !word.contains(char::is_whitespace))
        {
            let Some((section, name)) = word.split_once('.') else {
                continue;
            };
            let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if sections.contains(&section) && is_name {
                assert!(keys::find(word).is_some(), "{document}: {word}");
                named += 1;
            }
        }
    }
    assert!(named >= 10, "only {named} keys found");
}

#[test]
fn every_word_of_a_choice_is_understood() {
    for (word, level) in [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ] {
        assert_eq!(
            loaded_from(&format!("log.level = '{word}'"))
                .unwrap()
                .log
                .level,
            level
        );
    }
}

#[test]
fn templates_and_clients_stand_in_tables_of_their_own_names() {
    let config = loaded_from(
        "[templates.alarm]\nprompt = '{{ room }}?'\nsystem = 's'\nmax_tokens = 9\nmax_think_tokens = 0\n\
         response_format = 'json_object'\npriority = 'high'\n[templates.plain]\nprompt = 'q'\n\
         [clients.hall]\nsystem = 'h'\npriority = 'low'\n",
    )
    .unwrap();
    let alarm = &config.requests.templates["alarm"];
    assert_eq!(
        (alarm.prompt.as_str(), alarm.system.as_deref()),
        ("{{ room }}?", Some("s"))
    );
    assert_eq!(
        (alarm.max_tokens, alarm.max_think_tokens),
        (Some(9), Some(0))
    );
    assert_eq!(alarm.format, Some(ResponseFormat::JsonObject));
    assert_eq!(alarm.priority, Some(Priority::High));
    let plain = TemplateSpec {
        prompt: "q".to_owned(),
        ..TemplateSpec::default()
    };
    assert_eq!(config.requests.templates["plain"], plain);
    let hall = &config.requests.clients["hall"];
    assert_eq!(hall.system.as_deref(), Some("h"));
    assert_eq!(hall.priority, Some(Priority::Low));
}

#[test]
fn every_mistake_in_a_named_table_is_told_with_its_line() {
    let error = loaded_from(
        "[templates.a]\nprompt = '{{ b'\nsistem = ''\n[templates.b]\nmax_tokens = 5000\npriority = 'x'\n\
         [templates.c]\nprompt = 'q'\nresponse_format = 'xml'\n[clients.'d/e']\nsystem = 1\n\
         [client.f]\n[templates]\ng = 1\n",
    )
    .unwrap_err();
    let told: Vec<String> = error
        .mistakes
        .iter()
        .map(|mistake| {
            mistake
                .to_string()
                .split_once("config.toml")
                .unwrap()
                .1
                .to_owned()
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    :3: templates.a.sistem: unknown key, did you mean system?
    :6: templates.b.priority: "x" is not allowed; it is one of "high", "normal", "low"
    :10: clients.d/e: a name has 1 to 128 bytes and none of / + # $
    :11: clients.d/e.system: 1 is not allowed; it is a text
    :12: [client]: unknown section, did you mean [clients]?
    :14: templates.g: unknown key; the tables here are called [templates.NAME]
    :5: templates.b.prompt: is not given or empty; it is what is asked
    :5: templates.b.max_tokens: 5000 is above limits.max_tokens, which is 4096
    :9: templates.c.response_format: it is "text", "json_object", or what a request says, as JSON; as such, expected value at line 1 column 1
    :2: templates.a.prompt: line 1: unexpected end of input, expected end of variable block
    "#);
}

#[test]
fn the_tables_of_the_sample_file_can_be_used() {
    let sample = sample();
    let (_, tables) = sample.split_once("# Tables with names").unwrap();
    let uncommented: String = tables
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .map(|line| format!("{line}\n"))
        .collect();
    let requests = loaded_from(&uncommented).unwrap().requests;
    let template = &requests.templates["alarm"];
    assert!(matches!(
        template.format,
        Some(ResponseFormat::JsonSchema(_))
    ));
    assert!(template.system.is_some() && template.max_think_tokens.is_some());
    assert!(requests.clients["hall"].system.is_some());
}

proptest::proptest! {
    /// Any text is a configuration or a list of mistakes, each one line.
    #[test]
    fn no_text_makes_it_panic(text in "(\\[?[a-z_.]{0,12}\\]?( = )?[-0-9a-z\"'#\\[\\]{}.]{0,8}\n?){0,8}") {
        if let Err(error) = loaded_from(&text) {
            for mistake in error.mistakes {
                proptest::prop_assert_eq!(mistake.to_string().lines().count(), 1);
            }
        }
    }
}
