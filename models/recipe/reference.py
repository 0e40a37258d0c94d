"""Writes reference vectors of an exported directory: greedy ids of ONNX Runtime for diverse prompts.

Each prompt goes on for 72 tokens whatever they are, past the end token, once with the model as exported (int8
activations, accuracy level 4) and once with f32 activations (level 1 on every MatMulNBits). The least gap between the
two best logits along the way says how far another runtime may differ before its ids may; prompts where it is tiny are
passed over, and counted.

    python reference.py --model ../thinkd-mini --out ../../tests/data/thinkd-mini-greedy.json
"""

import argparse
import hashlib
import json
import pathlib

import numpy as np
import onnxruntime

import evaluate
import tokenizer as tokens
from runtime import Exported

STEPS = 72
SEED = 3001
PROMPTS = 20
# Prompts on which the best two logits come closer than this at some step are left out: there, which of two equally
# good tokens is taken says nothing of whether two runtimes compute the same.
LEAST_GAP = 0.1


def user(text):
    return [{"role": "user", "content": text}]


FREE = [  # Prompts no generator made: other scripts, an empty one, a long one.
    ("", user("Café: 21,5 °C — ça va?\n\tДа. 温度 28 🙂")),
    ("You are a helpful assistant.", user("")),
    ("", user("kitchen=21.5 hall=19.0\n" * 40 + "What is the average of 21.5 and 19.0?")),
]


def prompts():
    """The free ones, then fresh problems of every family in turn."""
    yield from FREE
    for round in range(20):
        for problem in evaluate.fresh(SEED + round, 1):
            yield problem.system, problem.messages


def follow(model, ids):
    """The greedy ids and the least gap between the two best logits."""
    made, steps, gap = [], model.logits(ids), float("inf")
    scores = next(steps)
    while True:
        second, best = np.partition(scores, -2)[-2:]
        gap = min(gap, float(best - second))
        made.append(int(scores.argmax()))
        if len(made) == STEPS:
            return made, gap
        scores = steps.send(made[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    exact, shipped = Exported(options.model, accuracy_level=1), Exported(options.model)
    cases, passed_over = [], 0
    for system, messages in prompts():
        if len(cases) == PROMPTS:
            break
        ids = shipped.encode(system, messages)
        case = {
            "system": system,
            "prompt": messages[-1]["content"],
            "rendered": tokens.render(system, messages),
            "prompt_ids": ids,
        }
        for name, model in (("int8_activations", shipped), ("f32_activations", exact)):
            greedy, gap = follow(model, ids)
            case[name] = {"ids": greedy, "least_gap": round(gap, 6)}
        if (
            min(case[name]["least_gap"] for name in ("int8_activations", "f32_activations"))
            < LEAST_GAP
        ):
            passed_over += 1
            continue
        cases.append(case)
    digest = hashlib.sha256((options.model / "model.onnx.data").read_bytes()).hexdigest()
    report = {
        "made_by": "models/recipe/reference.py",
        "runtime": f"onnxruntime {onnxruntime.__version__}",
        "model": options.model.name,
        "model_data_sha256": digest,
        "steps": STEPS,
        "least_gap": LEAST_GAP,
        "prompts_passed_over": passed_over,
        "cases": cases,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(dump(report), encoding="utf-8")
    agree = sum(case["int8_activations"]["ids"] == case["f32_activations"]["ids"] for case in cases)
    print(f"{len(cases)} prompts, {agree} with the same ids at both levels")
    for name in ("int8_activations", "f32_activations"):
        print(name, "least gap", min(case[name]["least_gap"] for case in cases))


def dump(report):
    """JSON with one case a line, so that a new export gives a readable difference."""
    head = {key: value for key, value in report.items() if key != "cases"}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in report["cases"])
    return json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n' + lines + "\n]}\n"


if __name__ == "__main__":
    main()
