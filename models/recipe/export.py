"""Exports a checkpoint to a model directory: Hugging Face form first, then ONNX Runtime GenAI's builder, int4.

    python export.py --checkpoint WORK/final.pt --tokenizer DIR --out ../thinkd-mini

Checks that transformers computes the same logits as we do, and that every exported weight is the one that was trained.
`from_directory` goes the other way: from an exported directory back to a model that can be trained on.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer

import model as models
import tokenizer as tokens

CONTEXT = 2048
TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]


def to_hugging_face(saved, tokenizer_dir, out):
    """Writes config, weights and tokenizer, and checks that transformers computes the same as we do."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    shape = models.Shape(**saved["shape"])
    vocabulary = Tokenizer.from_file(str(tokenizer_dir / "tokenizer.json"))
    begin, end = vocabulary.token_to_id(tokens.BEGIN), vocabulary.token_to_id(tokens.END)
    config = Qwen2Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=shape.epsilon,
        tie_word_embeddings=False,
        use_sliding_window=False,
        bos_token_id=begin,
        eos_token_id=end,
        pad_token_id=end,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
    )
    theirs = Qwen2ForCausalLM(config).float().eval()
    theirs.load_state_dict(models.to_hugging_face(saved["model"], shape))
    ours = models.Model(shape)
    ours.load_state_dict(saved["model"])
    ids = torch.arange(100) * 7 % shape.vocabulary
    with torch.no_grad():
        difference = (
            (theirs(ids[None]).logits[0] - ours.logits(ours.hidden(ids, [(1, 100)])))
            .abs()
            .max()
            .item()
        )
    if difference > 2e-3:
        raise SystemExit(f"transformers computes something else: logits differ by {difference}")
    theirs.generation_config.do_sample = False
    theirs.generation_config.bos_token_id, theirs.generation_config.eos_token_id = begin, end
    theirs.generation_config.pad_token_id = end
    theirs.save_pretrained(out)
    for name in TOKENIZER_FILES:
        shutil.copy(tokenizer_dir / name, out / name)


def build(hugging_face, out):
    """Runs the builder as its users do."""
    command = [
        sys.executable,
        "-m",
        "onnxruntime_genai.models.builder",
        "-i",
        hugging_face,
        "-o",
        out,
        "-p",
        "int4",
        "-e",
        "cpu",
    ]
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [*command, "-c", cache],
            env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise SystemExit(done.stderr)


def tidy(out):
    """Greedy search by default: a model this small computes, it does not paraphrase."""
    path = out / "genai_config.json"
    config = json.loads(path.read_text())
    config["search"].update(do_sample=False, temperature=1.0, top_k=1, top_p=1.0)
    path.write_text(json.dumps(config, indent=4) + "\n")
    for name in (
        TOKENIZER_FILES
    ):  # The builder saves the tokenizer through transformers; ours is the reference.
        shutil.copy(out.parent / f"{out.name}.hf" / name, out / name)


# Back from a directory ---------------------------------------------------------------------------


def read_weights(directory):
    """Every weight of an exported directory by its Hugging Face name, int4 ones as f32; and the graph."""
    graph = onnx.load(str(pathlib.Path(directory) / "model.onnx")).graph
    constants = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    state = {"model.embed_tokens.weight": constants["model.embed_tokens.weight"]}
    for name, value in constants.items():
        if name.endswith(".weight_Q4"):
            stem = name.removesuffix(".MatMul.weight_Q4")
            scales = constants[f"{stem}.MatMul.weight_scales"]
            state[f"{stem}.weight"] = dequantize(value, scales)
        elif name.endswith("norm.weight") or "layernorm.weight" in name:
            state[name] = value
        elif name.endswith(".Add.bias"):
            state[name.replace(".Add.bias", ".bias")] = value
    return {name.replace(".attn.", ".self_attn."): value for name, value in state.items()}, graph


def dequantize(packed, scales):
    """Blocks of two nibbles a byte, the lower one first, whose zero is 8; one scale a block."""
    nibbles = np.stack([packed & 15, packed >> 4], -1).reshape(*packed.shape[:2], -1)
    scales = scales.reshape(packed.shape[0], -1, 1).astype(np.float32)
    return ((nibbles.astype(np.float32) - 8) * scales).reshape(packed.shape[0], -1)


def from_directory(directory):
    """A model with the weights of an exported directory, to be trained on."""
    directory = pathlib.Path(directory)
    weights, graph = read_weights(directory)
    decoder = json.loads((directory / "genai_config.json").read_text())["model"]["decoder"]
    layers = decoder["num_hidden_layers"]
    norm = next(
        name for name in weights if f"layers.{layers}." in name
    )  # The builder calls the last norm so.
    weights["model.norm.weight"] = weights.pop(norm)
    cosines = next(numpy_helper.to_array(e) for e in graph.initializer if e.name == "cos_cache")
    epsilon = next(
        a.f
        for n in graph.node
        if "LayerNorm" in n.op_type
        for a in n.attribute
        if a.name == "epsilon"
    )
    half = decoder["head_size"] // 2
    turn = float(np.arccos(np.clip(cosines[1, half // 2], -1, 1).astype(np.float64)))
    shape = models.Shape(
        vocabulary=weights["model.embed_tokens.weight"].shape[0],
        hidden=decoder["hidden_size"],
        layers=layers,
        heads=decoder["num_attention_heads"],
        kv_heads=decoder["num_key_value_heads"],
        head_dim=decoder["head_size"],
        intermediate=weights["model.layers.0.mlp.gate_proj.weight"].shape[0],
        rope_theta=float(f"{turn ** (-half / (half // 2)):.2g}"),
        epsilon=float(f"{epsilon:.2g}"),
    )
    state = {name: torch.from_numpy(np.array(value, np.float32)) for name, value in weights.items()}
    net = models.Model(shape)
    net.load_state_dict(models.from_hugging_face(state, shape))
    return net


def check_weights(saved, directory):
    """Stops unless the exported weights are what training rounded to, entry by entry."""
    shape = models.Shape(**saved["shape"])
    exported = from_directory(directory).state_dict()
    for name, value in saved["model"].items():
        difference = (exported[name] - value).abs().max().item()
        if difference > 1e-6 * max(1, value.abs().max().item()):
            raise SystemExit(f"{name} was exported otherwise than it was trained: {difference}")
    return shape


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    saved = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
    if not saved["rounded"]:
        print("note: this checkpoint was not trained with int4 rounding", file=sys.stderr)
    # The builder gets what training rounded to: a weight that lies between two numbers to the last bit could otherwise
    # be rounded another way there.
    saved["model"] = {
        name: models.round4(value) if models.is_rounded(name) else value
        for name, value in saved["model"].items()
    }
    with tempfile.TemporaryDirectory() as folder:
        built = pathlib.Path(folder) / "built"
        hugging_face = pathlib.Path(folder) / "built.hf"
        hugging_face.mkdir()
        to_hugging_face(saved, options.tokenizer, hugging_face)
        build(hugging_face, built)
        tidy(built)
        check_weights(saved, built)
        options.out.mkdir(parents=True, exist_ok=True)
        for file in sorted(built.iterdir()):
            shutil.copy(file, options.out / file.name)
            print(f"{file.stat().st_size:>9} {file.name}")
    print(f"exported step {saved['steps']}, {saved['tokens']:.0f} tokens")


if __name__ == "__main__":
    main()
