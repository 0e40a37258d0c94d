"""Who is measured, and how one visit to each is made: a process that is started, asked for figures, and gone."""

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Visit:
    """What is wanted of one process. Tokens, except where the name says otherwise."""

    threads: int
    context: int
    runs: int
    prompt_tokens: int = 0
    # Tokens before the ones that are written and timed; none are written if this is empty.
    depths: tuple[int, ...] = ()
    generate_tokens: int = 0
    # Independent texts written at once; the figure is of all together.
    streams: int = 1
    # Whether the weights are mapped from their file, where that is a choice.
    memory_map: bool = True
    flash_attention: bool | None = None


@dataclasses.dataclass
class Figures:
    """What came of a visit. A figure that was not asked for, or that the competitor cannot tell, is missing."""

    prefill: float | None = None
    decode: dict[int, float] = dataclasses.field(default_factory=dict)
    peak_bytes: int | None = None
    # All that the competitor said, for the record.
    said: list[dict] = dataclasses.field(default_factory=list)


class Failed(Exception):
    """A competitor that ended without figures."""


class Thinkd:
    """The program of this repository: `thinkd bench`."""

    name = "thinkd"
    has_flash_attention = False
    has_memory_map = False

    def __init__(self, program, model):
        self.program, self.model = program, model

    def visit(self, visit):
        said = json.loads(run(self.command(visit)))
        return Figures(
            prefill=said["prefill_tokens_per_second"] if visit.prompt_tokens else None,
            decode={one["depth_tokens"]: one["decode_tokens_per_second"] for one in said["depths"]},
            peak_bytes=said.get("peak_memory_bytes"),
            said=[said],
        )

    def command(self, visit):
        # A prompt is read at depth 0, as the peers read it; where none is wanted, one token is the least there is.
        depths = (0,) if visit.prompt_tokens else visit.depths
        values = {
            "--threads": visit.threads,
            "--prompt-tokens": visit.prompt_tokens or 1,
            "--generate": visit.generate_tokens or 1,
            "--depth": ",".join(map(str, depths)),
            "--runs": visit.runs,
            "--streams": visit.streams,
            "--set": f"model.context_tokens={visit.context}",
        }
        words = [str(word) for flag in values.items() for word in flag]
        return [self.program, "bench", "--json", "--model", str(self.model), *words]


class Peer:
    """Another runtime: a Python script beside this file, with that runtime inside."""

    def __init__(self, name, script, model):
        self.name, self.script, self.model = name, script, model
        self.has_flash_attention = self.has_memory_map = script == "peer_llama_cpp.py"

    def visit(self, visit):
        if visit.streams > 1:
            raise Failed("only thinkd is measured with several streams")
        request = dataclasses.asdict(visit) | {"model": str(self.model)}
        del request["streams"]
        # Its own log lines come before the answer.
        said = json.loads(
            run([sys.executable, HERE / self.script, json.dumps(request)]).splitlines()[-1]
        )
        return Figures(
            prefill=said["prefill_tokens_per_second"],
            decode={int(depth): rate for depth, rate in said["decode_tokens_per_second"].items()},
            # The interpreter belongs to the measuring, not to the runtime.
            peak_bytes=said["peak_memory_bytes"] - said["python_memory_bytes"],
            said=[said],
        )


def run(command):
    """What a program writes to standard output."""
    # Settings of the person who measures must not reach thinkd or the thread pools of the peers.
    foreign = ("THINKD_", "OMP_", "GOMP_", "GGML_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    ours = {"ORT_DISABLE_TELEMETRY": "1", "GGML_NO_BACKTRACE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=kept | ours, capture_output=True, text=True)
    if done.returncode:
        wrote = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()
        # Records are published: why it failed belongs there, where things lie on this machine does not.
        reason = re.sub(r"/\S*/", "", wrote[-1])
        raise Failed(f"{reason} (status {done.returncode})")
    return done.stdout


def all_of(work, thinkd):
    """The competitors, by the names the report uses. `work` holds the models."""
    return [
        Thinkd(thinkd, work / "onnx"),
        Peer("llama.cpp Q4_0 pure", "peer_llama_cpp.py", work / "gguf/q4_0-pure.gguf"),
        Peer("llama.cpp Q4_0", "peer_llama_cpp.py", work / "gguf/q4_0.gguf"),
        Peer("llama.cpp Q4_K_M", "peer_llama_cpp.py", work / "gguf/q4_k_m.gguf"),
        Peer("ONNX Runtime GenAI", "peer_onnx_runtime.py", work / "onnx"),
        Peer(PRUNED, "peer_onnx_runtime.py", work / "onnx-pruned"),
    ]


def weight_bytes_per_token(competitor):
    """Bytes of weights that one token has to read: all that is multiplied with, and not the embedding's other rows."""
    model = competitor.model
    if model.suffix == ".gguf":
        import gguf

        tensors = gguf.GGUFReader(model).tensors
        return int(sum(tensor.n_bytes for tensor in tensors if tensor.name != "token_embd.weight"))
    import onnx

    graph = onnx.load(model / "model.onnx", load_external_data=False).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    read = {name for node in graph.node if node.op_type == "MatMulNBits" for name in node.input[1:]}
    return sum(stored_bytes(tensors[name]) for name in read if name)


def stored_bytes(tensor):
    for entry in tensor.external_data:
        if entry.key == "length":
            return int(entry.value)
    return len(tensor.raw_data)


# Decode at depth 0 needs something to follow.
SHORT_PROMPT = 8
PRUNED = "ONNX Runtime GenAI (head pruned)"
