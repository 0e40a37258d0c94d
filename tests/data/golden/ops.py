"""Single-operator vectors: a model of one node, its inputs, and ONNX Runtime's outputs.

Each case is a folder `ops/<operator>/<case>/` with `model.onnx` (weights inside), `in.<name>.npy`
and `out.<name>.npy`; names are the graph's. The case's name says what is special about it.
"""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path


from .ops_attention import attention_cases, rotary_cases
from .ops_case import Case
from .ops_quantized import gather_cases, matmul_cases


def norm_cases() -> Iterator[Case]:
    """SimplifiedLayerNormalization: RMS norm over the last axis."""
    for name, shape, epsilon in (
        ("one-row", (1, 1, 64), 1e-6),
        ("five-rows", (1, 5, 64), 1e-5),
        ("per-head", (1, 3, 4, 16), 1e-6),
        ("odd-width", (2, 3, 37), 1e-6),
        ("tiny-values", (1, 2, 64), 1e-6),
    ):
        case = Case("SimplifiedLayerNormalization", name, domain="")
        scale = 1e-4 if name == "tiny-values" else 2.0
        case.input("X", scale * case.normal(*shape))
        case.weight("scale", 1 + 0.2 * case.normal(shape[-1]))
        case.attributes = {"axis": -1, "epsilon": epsilon, "stash_type": 1}
        case.outputs = ["Y"]
        yield case


def skip_norm_cases() -> Iterator[Case]:
    """SkipSimplifiedLayerNormalization: the norm of a sum, and perhaps the sum."""
    for rows, with_sum, with_bias in itertools.product((1, 5), (False, True), (False, True)):
        parts = [f"rows{rows}", *(["sum"] if with_sum else []), *(["bias"] if with_bias else [])]
        case = Case("SkipSimplifiedLayerNormalization", "-".join(parts))
        case.input("input", case.normal(1, rows, 64))
        case.input("skip", case.normal(1, rows, 64))
        case.weight("gamma", 1 + 0.2 * case.normal(64))
        if with_bias:
            case.weight("bias", 0.3 * case.normal(64))
        case.attributes = {"epsilon": 1e-6}
        case.outputs = ["output", "", "", "input_skip_bias_sum"] if with_sum else ["output"]
        yield case


FAMILIES: tuple[Callable[[], Iterator[Case]], ...] = (
    norm_cases, skip_norm_cases, rotary_cases, gather_cases, matmul_cases, attention_cases,
)  # fmt: skip


def write_all(root: Path) -> None:
    """Writes every case anew."""
    shutil.rmtree(root, ignore_errors=True)
    for family in FAMILIES:
        for case in family():
            case.write(root)
