//! The levels hold: no import points upwards, outside crates stay where they belong, `unsafe` stays where it is
//! looked for, and every file says what it is.

#[path = "support/rust_paths.rs"]
mod rust_paths;

use std::path::{Path, PathBuf};

/// The levels, lowest first. A module imports from its own level and those before it.
const LEVELS: [&str; 7] = [
    "kernels", "ops", "model", "engine", "service", "config", "cli",
];

/// Where each dependency may be named: in these modules (a level, or a path within one) and nowhere else.
const CRATES: &[(&str, &[&str])] = &[
    ("anyhow", &["cli"]),
    ("bytes", &["service"]),
    ("clap", &["cli"]),
    ("half", &["kernels", "ops", "model"]),
    ("memmap2", &["model"]),
    // In the service for the prompts that the operator names, which are Jinja as chat templates are.
    ("minijinja", &["engine", "service::mqtt::templates"]),
    ("minijinja_contrib", &["engine"]),
    ("ndarray", &["ops", "model"]),
    ("nix", &["kernels", "model", "service", "cli"]),
    ("redb", &["service::store"]),
    ("rumqttc", &["service::mqtt"]),
    ("rumqttd", &["service::broker"]),
    ("rustls", &["service::mqtt"]),
    ("rustls_pki_types", &["service::mqtt"]),
    ("sd_notify", &["service"]),
    (
        "serde",
        &["ops", "model", "engine", "service", "config", "cli"],
    ),
    (
        "serde_json",
        &["ops", "model", "engine", "service", "config", "cli"],
    ),
    (
        "thiserror",
        &["ops", "model", "engine", "service", "config", "cli"],
    ),
    ("tokenizers", &["model"]),
    ("tokio", &["service", "cli"]),
    ("toml", &["config"]),
    (
        "tracing",
        &["ops", "model", "engine", "service", "config", "cli"],
    ),
    ("tracing_subscriber", &["cli"]),
    ("tract_onnx", &["ops", "model"]),
    ("zerocopy", &["ops", "model"]),
    ("zerocopy", &["ops"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust source below `directory`, in order.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a folder of sources") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The module a file below `src` holds: `src/ops/mod.rs` is `["ops"]`; the roots are empty.
fn module_of(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = path
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if matches!(
        names.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        names.pop();
    }
    names
}

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|&level| level == module)
}

/// What is wrong with the imports of the source `text` of the file `path`, relative to `src`.
fn wrong_imports(path: &Path, text: &str) -> Vec<String> {
    let module = module_of(path);
    let own_level = match module.first() {
        Some(name) => level(name),
        None if path == Path::new("main.rs") => Some(LEVELS.len()),
        None => Some(0),
    };
    let Some(own_level) = own_level else {
        return vec![format!("{}: belongs to no level", path.display())];
    };
    let mut wrong = Vec::new();
    for named in rust_paths::read(text, &module).paths {
        let full = named.names.join("::");
        let place = format!("{}:{}", path.display(), named.line);
        let first = named.names[0].as_str();
        if first == "crate" || first == "thinkd" {
            let Some(target) = named.names.get(1) else {
                continue;
            };
            match level(target) {
                None => wrong.push(format!("{place}: {full} is in no level")),
                Some(target) if target > own_level => {
                    wrong.push(format!("{place}: {full} points upwards"));
                }
                Some(_) => {}
            }
        } else if let Some((_, allowed)) = CRATES.iter().find(|(name, _)| *name == first) {
            let here = module.join("::");
            let fits = |allowed: &str| here == allowed || here.starts_with(&format!("{allowed}::"));
            if !allowed.iter().any(|allowed| fits(allowed)) {
                wrong.push(format!(
                    "{place}: {full}: {first} belongs to {}",
                    allowed.join(", ")
                ));
            }
        }
    }
    wrong
}

#[test]
fn no_import_points_upwards_and_outside_crates_stay_where_they_belong() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    for path in sources(&src) {
        let text = std::fs::read_to_string(&path).unwrap();
        wrong.extend(wrong_imports(path.strip_prefix(&src).unwrap(), &text));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_dependency_has_its_place() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    for name in dependencies.keys() {
        let name = name.replace('-', "_");
        let placed = CRATES.iter().any(|(known, _)| *known == name);
        assert!(placed, "CRATES does not say where {name} may be used");
    }
}

#[test]
fn unsafe_code_is_in_the_kernels_and_where_the_weights_are_mapped() {
    let src = root().join("src");
    let mut elsewhere = Vec::new();
    for path in sources(&src) {
        let text = std::fs::read_to_string(&path).unwrap();
        let module = module_of(path.strip_prefix(&src).unwrap());
        let source = rust_paths::read(&text, &module);
        let maps = source.paths.iter().any(|named| named.names[0] == "memmap2");
        let in_kernels = module.first().is_some_and(|name| name == "kernels");
        if !source.unsafe_lines.is_empty() && !in_kernels {
            assert!(
                maps,
                "{}: unsafe on lines {:?}",
                path.display(),
                source.unsafe_lines
            );
            elsewhere.push(path);
        }
    }
    assert!(
        elsewhere.len() <= 1,
        "unsafe in more than the one file that maps: {elsewhere:?}"
    );
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    for folder in ["src", "tests", "benches"] {
        let folder = root().join(folder);
        if !folder.is_dir() {
            continue;
        }
        for path in sources(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(
                text.starts_with("//! "),
                "{} does not open with //!",
                path.display()
            );
        }
    }
}

#[test]
fn the_crate_declares_exactly_the_levels() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut declared: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    declared.sort_unstable();
    let mut levels = LEVELS.to_vec();
    levels.sort_unstable();
    assert_eq!(declared, levels);
}

mod the_checker {
    use super::*;

    fn wrong(path: &str, text: &str) -> Vec<String> {
        wrong_imports(Path::new(path), text)
    }

    #[test]
    fn sees_an_import_that_points_upwards_however_it_is_written() {
        for text in [
            "use crate::service::Job;",
            "pub(crate) use crate::service;",
            "use crate::{model::Tokenizer, service::{mqtt::Topic as T}};",
            "use {crate::service as s};",
            "use super::service::Job;",
            "mod inner { use super::super::service::*; }",
            "mod a { mod b { } } fn f() { super::service::start() }",
            "fn f() -> crate::service::Job { todo() }",
            "fn f(x: Vec<crate::service::Job>) {}",
            "#[cfg(test)] mod tests { use crate::cli; }",
            "macro_rules! m { () => { $crate::service::x() } }",
            "const A: &str = r#\"\"\"#; use crate::service;",
            "const A: char = '\"'; use crate::service;",
            "fn f<'a>(x: &'a str) {} use crate::service;",
        ] {
            let found = wrong("engine/mod.rs", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
        }
    }

    #[test]
    fn tells_line_and_path() {
        let found = wrong(
            "engine/sampler.rs",
            "//! a\n/* b\n*/\nuse crate::{\n    cli::X,\n};\n",
        );
        assert_eq!(found, ["engine/sampler.rs:5: crate::cli::X points upwards"]);
    }

    #[test]
    fn lets_through_what_points_downwards_or_only_looks_like_an_arrow() {
        for text in [
            "use crate::model::{ModelError, testing};",
            "use crate::engine::Event; use super::super::engine;",
            "use self::service::Job; mod service {}",
            "mod tests { use super::*; use super::service; }",
            "// use crate::service;\n/* crate::cli /* crate::cli */ crate::cli */",
            "/// See [`crate::service`].\nfn f() {}",
            "const A: &str = \"crate::service::x \\\" crate::cli\";",
            "const A: &str = r#\"crate::service \" crate::cli\"#; const B: &[u8] = b\"crate::cli\";",
            "pub(crate) fn service() {} pub(in crate::engine) struct S;",
            "fn f(service: u8) -> u8 { x.service::<u8>() + service }",
            "fn f<'crate_>(x: &'crate_ str) -> char { 'c' }",
            "use std::{fmt, io::{self, Read}}; use serde::Deserialize;",
        ] {
            assert_eq!(wrong("engine/sampler.rs", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn sees_an_outside_crate_out_of_its_place() {
        for (path, text) in [
            ("kernels/scalar.rs", "fn f() { tracing::info!(\"x\") }"),
            ("kernels/scalar.rs", "use ::tracing as t;"),
            ("engine/mod.rs", "use tokio::sync;"),
            ("engine/mod.rs", "#[tokio::test] async fn a() {}"),
            ("service/worker.rs", "use rumqttc::v5;"),
            ("service/mqtt_other.rs", "use rumqttc;"),
            ("config/mod.rs", "use {clap, std::fmt};"),
            ("ops/mod.rs", "#[derive(anyhow::Error)] struct A;"),
        ] {
            assert_eq!(wrong(path, text).len(), 1, "{path}: {text}");
        }
        for (path, text) in [
            ("service/mqtt/connection.rs", "use rumqttc::v5;"),
            ("service/mqtt/mod.rs", "use rumqttc::v5;"),
            ("model/mmap.rs", "use memmap2::Mmap;"),
            (
                "kernels/q4.rs",
                "use half::f16; fn f(tract_onnx: u8) -> u8 { tract_onnx }",
            ),
        ] {
            assert_eq!(wrong(path, text), [""; 0], "{path}: {text}");
        }
    }

    #[test]
    fn sees_a_file_outside_of_the_levels() {
        assert_eq!(wrong("utils.rs", ""), ["utils.rs: belongs to no level"]);
        assert_eq!(
            wrong("lib.rs", "pub mod utils; use crate::utils::x;").len(),
            1
        );
        assert_eq!(
            wrong("main.rs", "fn main() { thinkd::cli::main() }"),
            [""; 0]
        );
    }

    #[test]
    fn sees_unsafe_but_not_the_word() {
        let lines = |text| rust_paths::read(text, &[]).unsafe_lines;
        assert_eq!(
            lines("fn f() {\n    unsafe { g() }\n}\nunsafe fn g() {}"),
            [2, 4]
        );
        assert_eq!(
            lines("#![forbid(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";"),
            []
        );
    }
}
