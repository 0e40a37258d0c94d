"""Cases of GroupQueryAttention and RotaryEmbedding."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .ops_case import Case

POSITIONS = 16


def angles(rotary_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns cosine and sine tables [POSITIONS, rotary_dim / 2]."""
    frequencies = 10000.0 ** (-np.arange(0, rotary_dim, 2) / rotary_dim)
    table = np.arange(POSITIONS)[:, None] * frequencies
    return np.cos(table).astype(np.float32), np.sin(table).astype(np.float32)


def rotary_cases() -> Iterator[Case]:
    """The operator alone: 3-D and 4-D, interleaved or not, whole or partial, both position forms."""
    heads, size = 3, 16
    for interleaved in (0, 1):
        for form in ("3d", "4d"):
            for partial in (False, True):
                for positions in ("offset", "each"):
                    layout = "interleaved" if interleaved else "halves"
                    name = f"{form}-{layout}-{'partial-' if partial else ''}{positions}"
                    case = Case("RotaryEmbedding", name)
                    batch, steps = (1, 5) if positions == "offset" else (2, 4)
                    shape = (batch, steps, heads * size) if form == "3d" else (batch, heads, steps, size)
                    case.input("input", case.normal(*shape))
                    ids = np.array([6]) if positions == "offset" else np.array([[3, 4, 5, 6], [0, 1, 9, 2]])
                    case.input("position_ids", ids.astype(np.int64))
                    rotary_dim = 8 if partial else size
                    cosine, sine = angles(rotary_dim)
                    case.weight("cos_cache", cosine)
                    case.weight("sin_cache", sine)
                    case.attributes = {"interleaved": interleaved}
                    if partial:
                        case.attributes |= {"num_heads": heads, "rotary_embedding_dim": rotary_dim}
                    case.outputs = ["output"]
                    yield case


@dataclass(frozen=True)
class Attention:
    """One GroupQueryAttention case; `past` positions before `steps` new ones."""

    name: str
    past: int = 0
    steps: int = 5
    packed: bool = True
    rotary: bool = True
    head_size: int = 16
    rotary_dim: int = 16
    interleaved: int = 0
    window: int = -1
    softcap: float = 0.0
    scale: float | None = 0.25
    heads: int = 4
    kv_heads: int = 2
    #: Number of inputs written; older exports stop after the sine table.
    inputs: int = 12


ATTENTION = (
    Attention("prefill-packed"),
    Attention("prefill-packed-older-form", inputs=9),
    Attention("prefill-one-token", steps=1),
    Attention("decode-packed", past=7, steps=1),
    Attention("chunk-packed", past=7, steps=3),
    Attention("prefill-separate", packed=False),
    Attention("decode-separate", past=7, steps=1, packed=False),
    Attention("chunk-separate", past=7, steps=3, packed=False),
    Attention("prefill-separate-no-rotary", packed=False, rotary=False),
    Attention("decode-separate-no-rotary", past=7, steps=1, packed=False, rotary=False),
    Attention("chunk-packed-no-rotary", past=7, steps=3, rotary=False),
    Attention("prefill-interleaved", interleaved=1),
    Attention("chunk-interleaved", past=7, steps=3, interleaved=1),
    Attention("chunk-partial-rotary", past=7, steps=3, head_size=32),
    Attention("prefill-window", steps=9, window=4),
    Attention("decode-window", past=9, steps=1, window=4),
    Attention("chunk-window", past=9, steps=6, window=4),
    Attention("decode-window-not-full", past=2, steps=1, window=4),
    Attention("prefill-softcap", softcap=2.0),
    Attention("chunk-softcap-window", past=7, steps=3, softcap=2.0, window=4),
    Attention("chunk-scale", past=7, steps=3, scale=0.6),
    Attention("chunk-default-scale", past=7, steps=3, scale=None),
    Attention("chunk-one-key-head", past=7, steps=3, kv_heads=1),
    Attention("chunk-as-many-key-heads", past=7, steps=3, kv_heads=4),
    Attention("chunk-three-queries-per-key", past=7, steps=3, heads=6),
)


def attention_cases() -> Iterator[Case]:
    """GroupQueryAttention with its cache given as past and present."""
    for setting in ATTENTION:
        yield attention_case(setting)


def attention_case(setting: Attention) -> Case:
    """Makes one case."""
    size = setting.head_size
    case = Case("GroupQueryAttention", setting.name)
    q, kv, steps = setting.heads * size, setting.kv_heads * size, setting.steps
    if setting.packed:
        case.input("query", case.normal(1, steps, q + 2 * kv))
        case.absent(2)
    else:
        case.input("query", case.normal(1, steps, q))
        case.input("key", case.normal(1, steps, kv))
        case.input("value", case.normal(1, steps, kv))
    for name in ("past_key", "past_value"):
        case.input(name, case.normal(1, setting.kv_heads, setting.past, size))
    total = setting.past + steps
    case.input("seqlens_k", np.array([total - 1], dtype=np.int32))
    case.input("total_sequence_length", np.array(total, dtype=np.int32))
    if setting.rotary:
        cosine, sine = angles(setting.rotary_dim)
        case.weight("cos_cache", cosine)
        case.weight("sin_cache", sine)
    else:
        case.absent(2)
    case.absent(setting.inputs - len(case.names))
    case.attributes = {
        "num_heads": setting.heads,
        "kv_num_heads": setting.kv_heads,
        "do_rotary": int(setting.rotary),
        "rotary_interleaved": setting.interleaved,
        "local_window_size": setting.window,
        "softcap": setting.softcap,
    }
    if setting.scale is not None:
        case.attributes["scale"] = setting.scale
    case.outputs = ["output", "present_key", "present_value"]
    return case
