"""Runs an exported model directory in ONNX Runtime, greedily, one token a step."""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from tokenizers import Tokenizer

import tokenizer as tokens


class Exported:
    """The model of a directory; `accuracy_level` overrides that of every MatMulNBits (1 is f32 activations)."""

    def __init__(self, directory, accuracy_level=None, threads=1):
        directory = pathlib.Path(directory)
        self.tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.end = self.tokenizer.token_to_id(tokens.END)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.log_severity_level = 3
        source = str(directory / "model.onnx")
        if accuracy_level is not None:
            graph = onnx.load(source)
            for node in graph.graph.node:
                if node.op_type == "MatMulNBits":
                    for attribute in node.attribute:
                        if attribute.name == "accuracy_level":
                            attribute.i = accuracy_level
            source = graph.SerializeToString()
        self.session = onnxruntime.InferenceSession(
            source, settings, providers=["CPUExecutionProvider"]
        )
        self.inputs = {entry.name: entry for entry in self.session.get_inputs()}
        self.past = [name for name in self.inputs if name.startswith("past_key_values")]
        decoder = json.loads((directory / "genai_config.json").read_text())["model"]["decoder"]
        self.heads, self.head_dim = decoder["num_key_value_heads"], decoder["head_size"]
        self.wanted = ["logits"] + [
            name.replace("past_key_values", "present") for name in self.past
        ]

    def encode(self, system, messages):
        text = tokens.render(system, messages)
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def logits(self, ids):
        """Yields the last position's logits; send the next token's id each time."""
        cache = [np.zeros((1, self.heads, 0, self.head_dim), np.float32) for _ in self.past]
        fed, length = list(ids), 0
        while True:
            length += len(fed)
            feeds = {
                "input_ids": np.array([fed], np.int64),
                "attention_mask": np.ones((1, length), np.int64),
            }
            feeds.update(zip(self.past, cache))
            if "position_ids" in self.inputs:
                feeds["position_ids"] = np.arange(length - len(fed), length, dtype=np.int64)[None]
            logits, *cache = self.session.run(self.wanted, feeds)
            fed = [(yield logits[0, -1])]

    def generate(self, ids, limit):
        """Greedy ids up to and without the end token, `limit` at most."""
        made, steps = [], self.logits(ids)
        scores = next(steps)
        while len(made) < limit:
            token = int(scores.argmax())
            if token == self.end:
                break
            made.append(token)
            scores = steps.send(token)
        return made

    def write(self, system, messages, limit=400):
        """The greedy text, its end token included if it came, and its number of tokens."""
        made = self.generate(self.encode(system, messages), limit)
        text = self.tokenizer.decode(made, skip_special_tokens=False)
        return text + (tokens.END if len(made) < limit else ""), len(made)
