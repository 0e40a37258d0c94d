//! A model directory with a fault is refused at load, with the file and the reason in one line.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]

use std::path::{Path, PathBuf};

use prost::Message;
use thinkd::model::{self, LanguageModel, LoadOptions, ModelError};
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto};

/// A copy of a good directory, to be spoilt.
fn copy() -> tempfile::TempDir {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/qwen2-default");
    let directory = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    directory
}

fn refusal(directory: &Path) -> String {
    refusal_with(directory, &LoadOptions::default())
}

fn refusal_with(directory: &Path, options: &LoadOptions) -> String {
    let error: ModelError = match model::load(directory, options) {
        Ok(_) => panic!("a spoilt directory was loaded"),
        Err(error) => error,
    };
    let text = error.to_string();
    assert!(!text.contains('\n'), "more than one line: {text}");
    text
}

/// Loads a copy whose graph `spoil` has changed, and expects a refusal that says all of `parts`.
fn spoilt_graph(spoil: impl Fn(&mut ModelProto), parts: &[&str]) {
    let directory = copy();
    let path = directory.path().join("model.onnx");
    let mut proto = ModelProto::decode(&*std::fs::read(&path).unwrap()).unwrap();
    spoil(&mut proto);
    std::fs::write(&path, proto.encode_to_vec()).unwrap();
    let text = refusal(directory.path());
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

fn node<'a>(proto: &'a mut ModelProto, op_type: &str) -> &'a mut NodeProto {
    let graph = proto.graph.as_mut().unwrap();
    graph
        .node
        .iter_mut()
        .find(|n| n.op_type == op_type)
        .unwrap()
}

fn attribute<'a>(node: &'a mut NodeProto, name: &str) -> &'a mut AttributeProto {
    node.attribute.iter_mut().find(|a| a.name == name).unwrap()
}

#[test]
fn names_each_file_that_is_missing() {
    for name in [
        "genai_config.json",
        "model.onnx",
        "model.onnx.data",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        let directory = copy();
        std::fs::remove_file(directory.path().join(name)).unwrap();
        let text = refusal(directory.path());
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
fn names_a_missing_chat_template() {
    let directory = copy();
    std::fs::remove_file(directory.path().join("chat_template.jinja")).unwrap();
    let config = directory.path().join("tokenizer_config.json");
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    json.as_object_mut().unwrap().remove("chat_template");
    std::fs::write(&config, json.to_string()).unwrap();
    assert!(refusal(directory.path()).contains("chat_template.jinja"));
}

#[test]
fn refuses_a_directory_that_is_not_there() {
    let text = refusal(&PathBuf::from("no/such/model"));
    assert_eq!(text, "model file no/such/model: is not a directory");
}

#[test]
fn refuses_data_truncated_anywhere() {
    let directory = copy();
    let path = directory.path().join("model.onnx.data");
    let whole = std::fs::read(&path).unwrap();
    for length in [
        0,
        1,
        whole.len() / 3,
        whole.len() / 2,
        whole.len() - 4096,
        whole.len() - 1,
    ] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let text = refusal(directory.path());
        assert!(
            text.contains("model.onnx.data") && text.contains("truncated")
                || text.contains("cannot be mapped"),
            "{length} bytes: {text}"
        );
    }
}

#[test]
fn refuses_a_graph_truncated_anywhere() {
    let directory = copy();
    let path = directory.path().join("model.onnx");
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 1, 7, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let text = refusal(directory.path());
        assert!(text.contains("model.onnx:"), "{length} bytes: {text}");
    }
}

#[test]
fn refuses_text_files_that_are_not_what_they_should_be() {
    for name in [
        "genai_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        for content in ["", "{", "[]", "{\"model\": 3}", "\u{0}"] {
            if name == "tokenizer_config.json" && content.starts_with("{\"") {
                continue; // unknown keys are allowed there
            }
            let directory = copy();
            std::fs::write(directory.path().join(name), content).unwrap();
            let text = refusal(directory.path());
            assert!(text.contains(name), "{name} {content:?}: {text}");
        }
    }
}

#[test]
fn names_the_operator_it_cannot_run() {
    spoilt_graph(
        |proto| node(proto, "Sigmoid").op_type = "HardTanhShrink".into(),
        &["model.onnx", "ai.onnx.HardTanhShrink", "is not supported"],
    );
    spoilt_graph(
        |proto| node(proto, "GroupQueryAttention").op_type = "MultiHeadAttention".into(),
        &["com.microsoft.MultiHeadAttention"],
    );
    spoilt_graph(
        |proto| node(proto, "Mul").domain = "ai.example".into(),
        &["ai.example.Mul", "is not supported"],
    );
}

#[test]
fn names_the_attribute_and_value_it_cannot_run() {
    spoilt_graph(
        |proto| attribute(node(proto, "MatMulNBits"), "block_size").i = 48,
        &[
            "com.microsoft.MatMulNBits",
            "block_size = 48",
            "16, 32, 64, 128 and 256",
        ],
    );
    spoilt_graph(
        |proto| attribute(node(proto, "MatMulNBits"), "bits").i = 2,
        &["bits = 2", "4 and 8"],
    );
    spoilt_graph(
        |proto| {
            node(proto, "GroupQueryAttention")
                .attribute
                .push(AttributeProto {
                    name: "smooth_softmax".into(),
                    r#type: 2,
                    i: 1,
                    ..Default::default()
                });
        },
        &["com.microsoft.GroupQueryAttention", "smooth_softmax = 1"],
    );
    spoilt_graph(
        |proto| {
            node(proto, "MatMulNBits").attribute.push(AttributeProto {
                name: "surprise".into(),
                r#type: 2,
                ..Default::default()
            });
        },
        &["attribute surprise is not known"],
    );
}

#[test]
fn refuses_sizes_that_disagree_with_the_tensors() {
    spoilt_graph(
        |proto| attribute(node(proto, "MatMulNBits"), "K").i = 128,
        &["model.onnx", "expected"],
    );
    spoilt_graph(
        |proto| attribute(node(proto, "MatMulNBits"), "N").i = -1,
        &["N = -1"],
    );
    spoilt_graph(
        |proto| {
            let tensors = &mut proto.graph.as_mut().unwrap().initializer;
            tensors
                .iter_mut()
                .find(|t| t.name.contains("weight_Q4"))
                .unwrap()
                .dims[0] += 1;
        },
        &["weight_Q4", "bytes"],
    );
}

#[test]
fn refuses_data_outside_the_directory() {
    spoilt_graph(
        |proto| {
            for tensor in &mut proto.graph.as_mut().unwrap().initializer {
                for entry in &mut tensor.external_data {
                    if entry.key == "location" {
                        entry.value = "../elsewhere.data".into();
                    }
                }
            }
        },
        &["elsewhere.data", "not a path inside the model directory"],
    );
}

#[test]
fn refuses_offsets_that_overflow() {
    spoilt_graph(
        |proto| {
            for tensor in &mut proto.graph.as_mut().unwrap().initializer {
                for entry in &mut tensor.external_data {
                    if entry.key == "offset" {
                        entry.value = usize::MAX.to_string();
                    }
                }
            }
        },
        &["model.onnx.data", "truncated"],
    );
}

#[test]
fn refuses_options_the_model_or_machine_has_not() {
    let directory = copy();
    let options = LoadOptions {
        context_tokens: Some(100_000),
        ..LoadOptions::default()
    };
    assert!(refusal_with(directory.path(), &options).contains("context_tokens is 100000"));
    let options = LoadOptions {
        kernels: Some("mmx".into()),
        ..LoadOptions::default()
    };
    let text = refusal_with(directory.path(), &options);
    assert!(text.contains("mmx") && text.contains("scalar"), "{text}");
}

#[test]
fn refuses_tokens_that_do_not_fit_and_goes_on() {
    let directory = copy();
    let options = LoadOptions {
        context_tokens: Some(8),
        ..LoadOptions::default()
    };
    let mut model = model::load(directory.path(), &options).unwrap().model;
    assert!(matches!(
        model.forward(&[1; 9]),
        Err(ModelError::ContextFull { tokens: 9, .. })
    ));
    assert!(
        model
            .forward(&[1_000_000])
            .unwrap_err()
            .to_string()
            .contains("outside the vocabulary")
    );
    let first = model.forward(&[1, 2, 3]).unwrap().to_vec();
    model.truncate(0);
    assert_eq!(model.forward(&[1, 2, 3]).unwrap(), first);
    assert_eq!(model.position(), 3);
}
