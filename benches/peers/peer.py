"""What the measuring of every peer has in common: the request, the timing, the memory, the answer.

A peer runs in a process of its own, so that its peak of memory is its own. It reads one JSON request from its command
line and prints one JSON answer. It times what `thinkd bench` times, in the same way: a run that does not count, then
`runs` runs, of which the median is taken.
"""

import dataclasses
import functools
import json
import statistics
import sys
import time

VOCABULARY = 151936


@dataclasses.dataclass
class Request:
    """Tokens, except where the name says otherwise."""

    model: str
    threads: int
    context: int
    # Read and timed: the prompt.
    prompt_tokens: int
    # At each of these depths as many tokens are written one by one, and timed.
    depths: list[int]
    generate_tokens: int
    runs: int
    # What llama.cpp can be told and others cannot; None leaves its default.
    flash_attention: bool | None = None
    memory_map: bool = True


def tokens(count, first=0):
    """The tokens that `thinkd bench` feeds. Any will do: the arithmetic does not depend on which."""
    return [(i * 7919 + 17) % VOCABULARY for i in range(first, first + count)]


def status_bytes(field):
    """A figure of this process, such as VmHWM: the most memory it held at once, pages of mapped files included."""
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return None


def measure(session, request):
    """Measures what `request` asks for.

    `session` has `read(tokens)`, which takes a chunk of prompt, `step(token)`, which takes one token, both until the
    logits of the last one are there, and `rewind(length)`, which forgets all tokens after the first `length`.
    """
    answer = {"prefill_tokens_per_second": None, "decode_tokens_per_second": {}}
    if request.prompt_tokens:
        seconds = median(request.runs, lambda: prefill(session, request.prompt_tokens))
        answer["prefill_tokens_per_second"] = request.prompt_tokens / seconds
    session.rewind(0)
    length = 0
    for depth in sorted(request.depths):
        read(session, tokens(depth - length, first=length))
        length = depth
        work = functools.partial(decode, session, depth, request.generate_tokens)
        seconds = median(request.runs, work)
        answer["decode_tokens_per_second"][str(depth)] = request.generate_tokens / seconds
        session.rewind(depth)
    return answer


def prefill(session, count):
    """Seconds that a prompt takes from nothing."""
    prompt = tokens(count)
    session.rewind(0)
    start = time.perf_counter()
    read(session, prompt)
    return time.perf_counter() - start


def decode(session, depth, count):
    """Seconds that `count` single tokens take after the first `depth`, which have been read."""
    written = tokens(count, first=depth)
    session.rewind(depth)
    start = time.perf_counter()
    for token in written:
        session.step(token)
    return time.perf_counter() - start


def read(session, prompt):
    for start in range(0, len(prompt), CHUNK):
        session.read(prompt[start : start + CHUNK])


def median(runs, seconds_of_run):
    """The first run maps weights and fills caches; it does not count."""
    seconds_of_run()
    return statistics.median(seconds_of_run() for _ in range(runs))


def serve(load):
    """Runs one peer: `load(request)` gives its session."""
    request = Request(**json.loads(sys.argv[1]))
    # What Python itself holds is not the runtime's; the runtime is imported by `load`.
    python_bytes = status_bytes("VmRSS")
    start = time.perf_counter()
    session = load(request)
    load_seconds = time.perf_counter() - start
    answer = measure(session, request)
    peak_bytes = status_bytes("VmHWM")
    answer |= {
        "load_seconds": load_seconds,
        "peak_memory_bytes": peak_bytes,
        "python_memory_bytes": python_bytes,
    }
    # llama.cpp and ONNX Runtime have both been seen to log on standard output.
    print("\n" + json.dumps(answer))


# Tokens a prompt is read by. llama.cpp's own default, and it keeps ONNX Runtime's logits of a whole chunk small.
CHUNK = 512
