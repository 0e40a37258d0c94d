"""One single-operator case: built, run by ONNX Runtime, written."""

import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from . import reference


class Case:
    """A graph of one node; `input`, `weight` and `absent` give the node's inputs in order."""

    def __init__(self, operator: str, name: str, domain: str = "com.microsoft"):
        self.operator, self.name, self.domain = operator, name, domain
        self.random = np.random.default_rng(zlib.crc32(f"{operator}/{name}".encode()))
        self.attributes: dict = {}
        self.outputs: list[str] = []
        self.names: list[str] = []
        self.inputs: dict[str, np.ndarray] = {}
        self.weights: list[onnx.TensorProto] = []

    def normal(self, *shape: int) -> np.ndarray:
        """Draws normal f32 values."""
        return self.random.standard_normal(shape).astype(np.float32)

    def input(self, name: str, value: np.ndarray) -> None:
        """Adds an input that is fed at run time."""
        self.names.append(name)
        self.inputs[name] = value

    def weight(self, name: str, value: np.ndarray | onnx.TensorProto) -> None:
        """Adds an input that is an initializer."""
        self.names.append(name)
        tensor = value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(value, name)
        self.weights.append(tensor)

    def absent(self, count: int = 1) -> None:
        """Leaves optional inputs out."""
        self.names += [""] * count

    def model(self) -> onnx.ModelProto:
        """Builds the model; output types follow from inference at load, so only names are given."""
        node = helper.make_node(self.operator, self.names, self.outputs, "node", domain=self.domain, **self.attributes)
        f32 = onnx.TensorProto.FLOAT
        half = any(v.dtype == np.float16 for v in self.inputs.values()) or any(
            w.data_type == onnx.TensorProto.FLOAT16 for w in self.weights
        )
        graph = helper.make_graph(
            [node],
            self.operator,
            [
                helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
                for n, v in self.inputs.items()
            ],
            [
                helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT16 if half else f32, None)
                for n in self.outputs
                if n
            ],
            self.weights,
        )
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="make_golden")

    def write(self, root: Path) -> None:
        """Runs the case and writes model, inputs and outputs."""
        model = self.model()
        names = [n for n in self.outputs if n]
        try:
            results = reference.session(model).run(names, self.inputs)
        except Exception as error:
            raise RuntimeError(f"{self.operator}/{self.name}") from error
        folder = root / self.operator / self.name
        folder.mkdir(parents=True)
        # Shapes of the results complete the graph's outputs.
        for value, result in zip(model.graph.output, results, strict=True):
            assert np.isfinite(result).all(), f"{self.operator}/{self.name}"
            value.CopyFrom(
                helper.make_tensor_value_info(
                    value.name, helper.np_dtype_to_tensor_dtype(result.dtype), result.shape
                )
            )
            np.save(folder / f"out.{value.name}.npy", result)
        for name, value in self.inputs.items():
            np.save(folder / f"in.{name}.npy", value)
        onnx.save(model, folder / "model.onnx")
