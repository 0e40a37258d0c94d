#!/usr/bin/env python3
"""Makes the golden data of the tests: tiny int4 model directories and single-operator vectors.

Model directories come from ONNX Runtime GenAI's own model builder, so they have the form that
users bring; reference logits come from ONNX Runtime. README.md beside this file lists versions,
variants and tolerances. Run it from anywhere:

    python make_golden.py                       # everything the installed builder can make
    python make_golden.py --older-python PATH   # and the directories of the older builder
    python make_golden.py qwen2-default qwen3   # only these directories
    python make_golden.py --ops --operators     # only the operator vectors and OPERATORS.md
    python make_golden.py --check               # makes nothing, runs what is there
"""

import argparse
import json
from pathlib import Path

from golden import build, operators, ops, reference
from golden.variants import VARIANTS

ROOT = Path(__file__).resolve().parent
YARDSTICK = ROOT / "yardstick.json"


def main() -> None:
    """Parses the command line and makes what it asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("variants", nargs="*", help="names of model directories; none means all")
    parser.add_argument("--older-python", help="Python of an environment with onnxruntime-genai 0.6")
    parser.add_argument("--ops", action="store_true", help="make only the operator vectors")
    parser.add_argument("--operators", action="store_true", help="make only OPERATORS.md")
    parser.add_argument("--check", action="store_true", help="run the directories against their stored logits")
    arguments = parser.parse_args()
    only_parts = arguments.ops or arguments.operators
    unknown = set(arguments.variants) - {v.name for v in VARIANTS}
    if unknown:
        parser.error(f"unknown variants: {', '.join(sorted(unknown))}")

    if arguments.check:
        for name in arguments.variants or [v.name for v in VARIANTS]:
            print(f"{name}: {reference.check(ROOT / name):.1e}")
        return
    if arguments.variants or not only_parts:
        for variant in VARIANTS:
            if arguments.variants and variant.name not in arguments.variants:
                continue
            if variant.older and not arguments.older_python:
                print(f"{variant.name}: left out, it needs --older-python")
                continue
            measured = build.build(variant, ROOT, arguments.older_python)
            record(variant.name, measured)
            print(f"{variant.name}: {measured}", flush=True)
    if arguments.ops or not (only_parts or arguments.variants):
        ops.write_all(ROOT / "ops")
    made = [v.name for v in VARIANTS if (ROOT / v.name).is_dir()]
    operators.write(ROOT, made)


def record(name: str, measured: dict) -> None:
    """Adds one variant's measurements to yardstick.json, kept in the order of the list."""
    known = json.loads(YARDSTICK.read_text()) if YARDSTICK.exists() else {}
    known[name] = measured
    order = [v.name for v in VARIANTS if v.name in known]
    YARDSTICK.write_text(json.dumps({n: known[n] for n in order}, indent=2) + "\n")


if __name__ == "__main__":
    main()
