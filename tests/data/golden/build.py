"""Builds one model directory with ONNX Runtime GenAI's model builder."""

import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from . import craft, models, reference, tokenizer
from .variants import Variant

MODEL_FILES = ("model.onnx", "model.onnx.data", "genai_config.json")


def seed_of(name: str) -> int:
    """Returns a seed that depends on the variant's name only."""
    return zlib.crc32(name.encode())


def run_builder(variant: Variant, hf: Path, out: Path, python: str) -> None:
    """Runs the builder as a user would, and shows its output only if it fails."""
    command = [
        python, "-m", "onnxruntime_genai.models.builder", "-i", str(hf), "-o", str(out),
        "-p", variant.precision, "-e", variant.provider, "-c", str(out.parent / "cache"),
    ]  # fmt: skip
    if variant.options:
        command += ["--extra_options", *variant.options]
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{variant.name}: builder failed\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")


def build(variant: Variant, root: Path, older_python: str | None) -> dict:
    """Builds `root/<name>` with its reference data; returns the measurements."""
    python = older_python if variant.older else sys.executable
    if python is None:
        raise RuntimeError(f"{variant.name}: --older-python is needed")
    with tempfile.TemporaryDirectory() as scratch:
        hf, out = Path(scratch) / "hf", Path(scratch) / "out"
        seed = seed_of(variant.name)
        config = models.make(hf, variant.family, seed, **variant.model)
        if variant.older:
            models.older_config(hf)
        run_builder(variant, hf, out, python)
        if variant.craft:
            craft.apply(variant.craft, out)
        # The builder copies the tokenizer through transformers, which rewrites it.
        folder = Path(scratch) / variant.name
        folder.mkdir()
        for name in MODEL_FILES:
            shutil.copyfile(out / name, folder / name)
        tokenizer.write(folder, config.max_position_embeddings, older=variant.older)
        measured = reference.write(folder, seed, variant.more_positions)
        measured["bytes"] = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        shutil.rmtree(root / variant.name, ignore_errors=True)
        shutil.copytree(folder, root / variant.name)
    return measured
