"""Reference logits of a model directory, computed by ONNX Runtime on one CPU thread.

Two readings: `exported` runs the file as it is; `f32` sets `accuracy_level = 1` on every
MatMulNBits, so that activations stay f32: the deterministic target.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from . import craft, tokenizer

PROMPT_TOKENS, STEPS, PROMPTS_TRIED = 24, 6, 40
#: Prompt positions whose logits are kept, to keep the directories small.
FEW_POSITIONS, MORE_POSITIONS = (7, 23), (0, 1, 2, 3, 7, 8, 15, 23)
#: How far a logit may lie from the stored one when a directory is checked again.
CHECK_TOLERANCE = 1e-4


@dataclass
class Run:
    """Logits of the prompt's positions (all, or only the last) and of the decode steps."""

    prompt: np.ndarray
    steps: np.ndarray
    step_ids: np.ndarray


def prompt_ids(seed: int) -> np.ndarray:
    """Returns BOS User <18 seeded byte or merge tokens> … Assistant <think> newline, 24 in all."""
    ids = tokenizer.added_ids()
    newline = tokenizer.vocabulary()["Ċ"]
    head = [ids[tokenizer.BOS], ids[tokenizer.USER]]
    tail = [ids[tokenizer.ASSISTANT], ids[tokenizer.THINK], newline]
    middle = np.random.default_rng(seed).integers(0, len(tokenizer.vocabulary()), PROMPT_TOKENS - 5)
    return np.array([*head, *middle, *tail], dtype=np.int64)


def load(folder: Path) -> onnx.ModelProto:
    """Reads model.onnx with its external data."""
    return onnx.load(folder / "model.onnx")


def with_full_cache(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy without `sliding_window_cache`, whose layers keep every position.

    The window stays (`local_window_size`), so the results are the same by definition.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for node in copy.graph.node:
        kept = [a for a in node.attribute if a.name != "sliding_window_cache"]
        if len(kept) < len(node.attribute):
            del node.attribute[:]
            node.attribute.extend(kept)
    return copy


def with_f32_activations(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy whose MatMulNBits nodes all have accuracy_level 1, in f32 throughout."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    craft.f16_to_f32(copy)
    for node in copy.graph.node:
        if node.op_type == "MatMulNBits":
            kept = [a for a in node.attribute if a.name != "accuracy_level"]
            del node.attribute[:]
            node.attribute.extend([*kept, onnx.helper.make_attribute("accuracy_level", 1)])
    return copy


def session(model: onnx.ModelProto, optimize: bool = True) -> ort.InferenceSession:
    """Opens a session on the CPU provider with one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimize else level.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Decoder:
    """Feeds tokens to a session and carries its key/value cache along."""

    def __init__(self, opened: ort.InferenceSession, folder: Path):
        self.session = opened
        settings = json.loads((folder / "genai_config.json").read_text())["model"]["decoder"]
        self.kv_shape = (1, settings["num_key_value_heads"], 0, settings["head_size"])
        self.types = {i.name: i.type for i in opened.get_inputs()}
        self.outputs = [o.name for o in opened.get_outputs()]
        self.reset()

    def reset(self) -> None:
        """Empties the cache."""
        self.seen = 0
        self.past = {
            name: np.zeros(self.kv_shape, np.float16 if "float16" in kind else np.float32)
            for name, kind in self.types.items()
            if name.startswith("past_key_values")
        }

    def feed(self, ids: np.ndarray) -> np.ndarray:
        """Returns the logits [positions, vocabulary] of the tokens fed, as f32."""
        count = len(ids)
        inputs = {"input_ids": ids[None].astype(np.int64), **self.past}
        if "attention_mask" in self.types:
            inputs["attention_mask"] = np.ones((1, self.seen + count), np.int64)
        if "position_ids" in self.types:
            inputs["position_ids"] = np.arange(self.seen, self.seen + count, dtype=np.int64)[None]
        results = dict(zip(self.outputs, self.session.run(None, inputs), strict=True))
        self.past = {name: results[name.replace("past_key_values", "present")] for name in self.past}
        self.seen += count
        return results["logits"][0].astype(np.float32)


def run(decoder: Decoder, prompt: np.ndarray, step_ids: np.ndarray | None = None) -> Run:
    """Prefills the prompt in one go, then feeds `step_ids`, or the greedy choices if none."""
    decoder.reset()
    prompt_logits = decoder.feed(prompt)
    row, rows, ids = prompt_logits[-1], [], []
    for i in range(STEPS):
        token = int(step_ids[i]) if step_ids is not None else int(row.argmax())
        row = decoder.feed(np.array([token]))[-1]
        rows.append(row)
        ids.append(token)
    return Run(prompt_logits, np.stack(rows), np.array(ids, dtype=np.int64))


def find_prompt(seed: int, strict: Decoder, exported: Decoder) -> np.ndarray:
    """Returns the prompt, of a number tried, whose greedy choices are the clearest."""
    best, best_gap = None, -1.0
    for i in range(PROMPTS_TRIED):
        prompt = prompt_ids(seed + i)
        result = run(strict, prompt)
        rows = np.vstack([result.prompt[-1:], result.steps[:-1]])
        top_two = np.sort(rows, axis=1)[:, -2:]
        gap = float((top_two[:, 1] - top_two[:, 0]).min())
        if gap > best_gap and (run(exported, prompt).step_ids == result.step_ids).all():
            best, best_gap = prompt, gap
    assert best is not None
    return best


def in_chunks(decoder: Decoder, prompt: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Returns the last position's logits after a prefill in chunks."""
    decoder.reset()
    start, logits = 0, None
    for size in sizes:
        logits = decoder.feed(prompt[start : start + size])
        start += size
    assert start == len(prompt)
    return logits[-1]


def relative_error(got: np.ndarray, want: np.ndarray) -> float:
    """Returns ‖got − want‖ / ‖want‖ over all elements."""
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


def check(folder: Path) -> float:
    """Runs a directory against its stored f32 logits; returns the largest difference."""
    stored = {f.stem: np.load(f) for f in (folder / "reference").glob("*.npy")}
    model = with_full_cache(load(folder))
    strict = Decoder(session(with_f32_activations(model), optimize=False), folder)
    result = run(strict, stored["prompt_ids"], stored["step_ids"])
    first = len(stored["prompt_ids"]) - len(result.prompt)
    rows = result.prompt[stored["prompt_positions"] - first]
    worst = max(
        np.abs(rows - stored["f32_prompt_logits"]).max(),
        np.abs(result.steps - stored["f32_step_logits"]).max(),
    )
    if worst > CHECK_TOLERANCE:
        raise RuntimeError(f"{folder.name}: a logit differs by {worst}")
    return float(worst)


def write(folder: Path, seed: int, more_positions: bool) -> dict:
    """Computes both readings, writes `reference/`, returns what was measured."""
    model = with_full_cache(load(folder))
    exported = Decoder(session(model), folder)
    # Without optimizations QDQ stays DequantizeLinear + MatMul, whose arithmetic is f32.
    strict = Decoder(session(with_f32_activations(model), optimize=False), folder)
    prompt = find_prompt(seed, strict, exported)
    exported_run = run(exported, prompt)
    strict_run = run(strict, prompt, exported_run.step_ids)

    # A pruned head gives logits of the last position only.
    first = len(prompt) - len(strict_run.prompt)
    names = [p for p in (MORE_POSITIONS if more_positions else FEW_POSITIONS) if p >= first]
    kept = [p - first for p in names]
    reference = folder / "reference"
    reference.mkdir()
    np.save(reference / "prompt_ids.npy", prompt)
    np.save(reference / "prompt_positions.npy", np.array(names, dtype=np.int64))
    np.save(reference / "step_ids.npy", exported_run.step_ids)
    for name, result in (("exported", exported_run), ("f32", strict_run)):
        np.save(reference / f"{name}_prompt_logits.npy", result.prompt[kept])
        np.save(reference / f"{name}_step_logits.npy", result.steps)

    all_exported = np.concatenate([exported_run.prompt, exported_run.steps])
    all_strict = np.concatenate([strict_run.prompt, strict_run.steps])
    assert np.isfinite(all_strict).all() and np.isfinite(all_exported).all()
    optimized = Decoder(session(with_f32_activations(model)), folder)
    chunked = in_chunks(strict, prompt, [10, 1, 13])
    top_two = np.sort(np.vstack([strict_run.prompt[-1:], strict_run.steps[:-1]]), axis=1)[:, -2:]
    return {
        "logit_std": round(float(all_strict.std()), 4),
        "exported_vs_f32_relative_error": round(relative_error(all_exported, all_strict), 6),
        "exported_vs_f32_max_abs": round(float(np.abs(all_exported - all_strict).max()), 6),
        "f32_optimized_vs_not_max_abs": float(
            np.abs(run(optimized, prompt, exported_run.step_ids).steps - strict_run.steps).max()
        ),
        "f32_chunked_prefill_max_abs": float(np.abs(chunked - strict_run.prompt[-1]).max()),
        "f32_min_top_two_gap_of_the_steps": round(float((top_two[:, 1] - top_two[:, 0]).min()), 4),
    }
