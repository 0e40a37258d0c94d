"""The table of operators that the golden models use (OPERATORS.md)."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

TYPE_NAMES = {value: name.lower() for name, value in TensorProto.DataType.items()}
TYPE_NAMES |= {TensorProto.FLOAT: "f32", TensorProto.FLOAT16: "f16"}
#: Short names of the symbolic dimensions.
SYMBOLS = {
    "batch_size": "B",
    "sequence_length": "S",
    "past_sequence_length": "P",
    "total_sequence_length": "T",
    "kv_cache_dim": "D",
}


def shape_text(value: onnx.ValueInfoProto) -> str:
    """Returns `float32[batch_size, 64]`-like text of a value."""
    tensor = value.type.tensor_type
    dims = [
        SYMBOLS.get(d.dim_param, d.dim_param) or (str(d.dim_value) if d.HasField("dim_value") else "?")
        for d in tensor.shape.dim
    ]
    return f"{TYPE_NAMES[tensor.elem_type]}[{', '.join(dims)}]"


def attribute_text(attribute: onnx.AttributeProto) -> str:
    """Returns `name=value`."""
    value = helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        value = f"{TYPE_NAMES[value.data_type]}{list(value.dims)} {numpy_helper.to_array(value).tolist()}"
    elif isinstance(value, onnx.GraphProto):
        value = "graph"
    elif isinstance(value, bytes):
        value = value.decode()
    elif isinstance(value, float):
        value = float(f"{value:.7g}")
    return f"{attribute.name}={value}"


def rows(folder: Path) -> list[tuple[str, str, str, str, int]]:
    """Returns distinct (operator, attributes, inputs, outputs, how many) of one model."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    model = shape_inference.infer_shapes(model)
    graph = model.graph
    known = {v.name: shape_text(v) for v in [*graph.value_info, *graph.input, *graph.output]}
    for tensor in graph.initializer:
        known[tensor.name] = f"**{TYPE_NAMES[tensor.data_type]}{list(tensor.dims)}**"
    found: dict[tuple, int] = {}
    for node in graph.node:
        operator = f"{node.domain or 'ai.onnx'}::{node.op_type}"
        attributes = " ".join(sorted(attribute_text(a) for a in node.attribute))
        inputs = ", ".join(known.get(name, "?") if name else "–" for name in node.input)
        outputs = ", ".join(known.get(name, "?") if name else "–" for name in node.output)
        key = (operator, attributes, inputs, outputs)
        found[key] = found.get(key, 0) + 1
    return sorted((*key, count) for key, count in found.items())


def interface(folder: Path) -> str:
    """Returns opset imports, and the graph's inputs and outputs."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    opsets = ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in model.opset_import)
    inputs = "; ".join(f"`{v.name}` {shape_text(v)}" for v in model.graph.input)
    outputs = "; ".join(f"`{v.name}` {shape_text(v)}" for v in model.graph.output)
    return f"IR {model.ir_version}, opsets: {opsets}. In: {inputs}. Out: {outputs}."


def write(root: Path, names: list[str]) -> None:
    """Writes OPERATORS.md for the named directories: first who uses what, then the details."""
    tables = {name: rows(root / name) for name in names}
    users: dict[str, set[str]] = {}
    for name, table in tables.items():
        for operator, *_ in table:
            users.setdefault(operator, set()).add(name)
    lines = [
        "# Operators of the golden models",
        "",
        "Made by `make_golden.py`; do not edit. **Bold** shapes are initializers, `–` is an input left out,",
        "`?` a shape that inference does not know; n says how often a row occurs. B batch, S tokens fed,",
        "P positions in the cache, T = P + S, D head size.",
        "",
        "| operator | used by |",
        "|---|---|",
    ]
    for operator, using in sorted(users.items()):
        missing = [n for n in names if n not in using]
        listed = ", ".join(n for n in names if n in using)
        if len(missing) < len(using):
            listed = "all but " + ", ".join(missing) if missing else "all"
        lines.append(f"| `{operator}` | {listed} |")
    common = set(tables[names[0]])
    for name, table in tables.items():
        shown = table if name == names[0] else [row for row in table if row not in common]
        note = "" if name == names[0] else f" Rows that {names[0]} has too are left out."
        lines += ["", f"## {name}", "", interface(root / name) + note, ""]
        if shown:
            lines += ["| n | operator | attributes | inputs | outputs |", "|---|---|---|---|---|"]
        lines += [f"| {n} | `{op}` | {attrs} | {ins} | {outs} |" for op, attrs, ins, outs, n in shown]
    (root / "OPERATORS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
