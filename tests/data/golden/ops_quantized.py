"""Cases of MatMulNBits and GatherBlockQuantized."""

import itertools
import random
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper

from .ops_case import Case

COLUMNS = 12
#: K per block size: whole blocks, and with a short last block.
WHOLE_K = {16: 64, 32: 96, 64: 128, 128: 256}
RAGGED_K = {16: 40, 32: 80, 64: 160, 128: 192}


def pack(values: np.ndarray, bits: int) -> np.ndarray:
    """Packs unsigned values along the last axis, low bits first; a row ends at a byte."""
    if bits == 8:
        return values.astype(np.uint8)
    if values.shape[-1] % 2:
        values = np.concatenate([values, np.zeros((*values.shape[:-1], 1), values.dtype)], axis=-1)
    return (values[..., 0::2] | (values[..., 1::2] << 4)).astype(np.uint8)


def matmul_cases() -> Iterator[Case]:
    """Bits × block size × zero points × level, with bias, rows and ragged K varied along."""
    combinations = itertools.product((4, 8), (16, 32, 64, 128), ("none", "packed", "float"), (1, 4))
    # ONNX Runtime refuses float zero points beside 8-bit weights.
    known = [c for c in combinations if not (c[0] == 8 and c[2] == "float")]
    choose = random.Random(2)
    for bits, block, zero_points, level in known:
        if level == 1:  # the pair of levels shares all else, down to the numbers
            rows, bias, ragged = choose.choice((1, 5)), choose.random() < 0.4, choose.random() < 0.5
        k = (RAGGED_K if ragged else WHOLE_K)[block]
        setting = f"bits{bits}-block{block}-zero_points_{zero_points}{'-bias' if bias else ''}-k{k}-rows{rows}"
        yield matmul_case(setting, level, bits, block, zero_points, bias, k, rows)


def matmul_case(
    setting: str, level: int, bits: int, block: int, zero_points: str, bias: bool, k: int, rows: int
) -> Case:
    """Makes one MatMulNBits case; the random numbers depend on `setting` only."""
    case = Case("MatMulNBits", setting)
    case.name = f"{setting}-level{level}"
    blocks = -(-k // block)
    case.input("A", case.normal(1, rows, k))
    values = case.random.integers(0, 2**bits, (COLUMNS, blocks, block))
    case.weight("B", pack(values, bits))
    # Scales of both signs: symmetric quantizers make negative ones.
    case.weight("scales", (0.1 * case.normal(COLUMNS, blocks) * 2 ** (4 - bits)))
    middle = 2 ** (bits - 1)
    if zero_points == "packed":
        case.weight("zero_points", pack(case.random.integers(0, 2**bits, (COLUMNS, blocks)), bits))
    elif zero_points == "float":
        case.weight("zero_points", middle + case.normal(COLUMNS, blocks))
    elif bias:
        case.absent()
    if bias:
        case.absent()
        case.weight("bias", case.normal(COLUMNS))
    case.attributes = {"K": k, "N": COLUMNS, "bits": bits, "block_size": block, "accuracy_level": level}
    case.outputs = ["Y"]
    return case


def gather_cases() -> Iterator[Case]:
    """Rows of a quantized table: packed bytes of 4 or 8 bits, and tensors of type (u)int4."""
    rows, k = 20, 64
    forms = itertools.product(("uint8x4", "uint8x8", "int4", "uint4"), (False, True), (32, 16))
    for form, zero_points, block in forms:
        case = Case("GatherBlockQuantized", f"{form}-block{block}{'-zero_points' if zero_points else ''}")
        bits = 8 if form == "uint8x8" else 4
        fill_table(case, form, rows, k, block, zero_points)
        case.attributes = {"block_size": block, "gather_axis": 0, "quantize_axis": 1}
        if form.startswith("uint8"):
            case.attributes["bits"] = bits
        case.outputs = ["output"]
        yield case
    for form in ("uint8x4", "int4"):
        case = Case("GatherBlockQuantized", f"{form}-block64-ragged")
        fill_table(case, form, rows, 96, 64, False)
        case.attributes = {"block_size": 64, "gather_axis": 0, "quantize_axis": -1}
        if form == "uint8x4":
            case.attributes["bits"] = 4
        case.outputs = ["output"]
        yield case


def fill_table(case: Case, form: str, rows: int, k: int, block: int, zero_points: bool) -> None:
    """Adds data, indices, scales and perhaps zero points."""
    bits = 8 if form == "uint8x8" else 4
    blocks = -(-k // block)
    low = -8 if form == "int4" else 0

    def tensor(name: str, shape: tuple[int, int]) -> np.ndarray | onnx.TensorProto:
        values = case.random.integers(low, low + 2**bits, shape)
        if form.startswith("uint8"):
            return pack(values, bits)
        kind = TensorProto.INT4 if form == "int4" else TensorProto.UINT4
        return helper.make_tensor(name, kind, shape, values.flatten().tolist())

    case.weight("data", tensor("data", (rows, k)))
    case.input("indices", np.array([[0, rows - 1, 7, 7, 3]], dtype=np.int64))
    case.weight("scales", 0.1 * case.normal(rows, blocks))
    if zero_points:
        case.weight("zero_points", tensor("zero_points", (rows, blocks)))
