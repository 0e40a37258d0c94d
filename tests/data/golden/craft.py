"""Edits of built models, for forms that no option of the builder makes on a CPU export."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import HQQWeightOnlyQuantConfig, MatMulNBitsQuantizer


def apply(name: str, folder: Path) -> None:
    """Applies one edit to model.onnx, and writes it back with all tensors external."""
    path = folder / "model.onnx"
    model = onnx.load(path)
    EDITS[name](model)
    save(model, folder)


def save(model: onnx.ModelProto, folder: Path) -> None:
    """Writes model.onnx and one model.onnx.data, as the builder does."""
    for name in ("model.onnx", "model.onnx.data"):
        (folder / name).unlink(missing_ok=True)
    onnx.save_model(
        model,
        folder / "model.onnx",
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="model.onnx.data",
        size_threshold=0,
    )


def f16_to_f32(model: onnx.ModelProto) -> None:
    """Turns every f16 value of the graph into f32; weights keep their values."""
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
    graph = model.graph
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
            if attribute.t.data_type == TensorProto.FLOAT16:
                attribute.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(attribute.t).astype(np.float32)))


def hqq(model: onnx.ModelProto) -> None:
    """Quantizes MatMul by HQQ, whose zero points are floats."""
    config = HQQWeightOnlyQuantConfig(block_size=32, bits=4)
    quantizer = MatMulNBitsQuantizer(
        model, block_size=32, is_symmetric=False, accuracy_level=4, algo_config=config
    )
    quantizer.process()
    model.CopyFrom(quantizer.model.model)


EDITS = {"f16_to_f32": f16_to_f32, "hqq": hqq}
