"""Exports a checkpoint to a model directory: Hugging Face form first, then ONNX Runtime GenAI's builder, int4.

python export.py --work DIR --checkpoint NAME --tokenizer DIR --out ../thinkd-mini
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
from tokenizers import Tokenizer
from transformers import Qwen2Config, Qwen2ForCausalLM

import model as models
import tokenizer as tokens

TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]


def to_hugging_face(saved, tokenizer_dir, out):
    """Writes config, weights and tokenizer, and checks that transformers computes the same as we do."""
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
        max_position_embeddings=2048,
        rms_norm_eps=shape.epsilon,
        tie_word_embeddings=False,
        use_sliding_window=False,
        bos_token_id=begin,
        eos_token_id=end,
        pad_token_id=end,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
    )
    theirs = Qwen2ForCausalLM(config).float().eval()
    theirs.load_state_dict(saved["model"])
    ours = models.Model(shape)
    ours.load_state_dict(saved["model"])
    ids = torch.arange(100) * 7 % shape.vocabulary
    with torch.no_grad():
        difference = (
            (theirs(ids[None]).logits[0] - ours.lm_head(ours.model(ids, [(1, 100)])))
            .abs()
            .max()
            .item()
        )
    if difference > 1e-3:
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--checkpoint", default="model")
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    saved = torch.load(options.work / f"{options.checkpoint}.pt", weights_only=True)
    with tempfile.TemporaryDirectory() as folder:
        built = pathlib.Path(folder) / "built"
        hugging_face = pathlib.Path(folder) / "built.hf"
        hugging_face.mkdir()
        to_hugging_face(saved, options.tokenizer, hugging_face)
        build(hugging_face, built)
        tidy(built)
        options.out.mkdir(parents=True, exist_ok=True)
        for file in sorted(built.iterdir()):
            shutil.copy(file, options.out / file.name)
            print(f"{file.stat().st_size:>9} {file.name}")
    print(f"exported step {saved['steps']}, {saved['tokens']} tokens")


if __name__ == "__main__":
    main()
