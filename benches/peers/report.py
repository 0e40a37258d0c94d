"""What was found, as a Markdown table and as JSON: medians, the bars and whether they are reached, the machine."""

import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess

import competitors
from competitors import PRUNED

MEMORY = "peak memory, MiB"
MEMORY_UNMAPPED = "peak memory, weights not mapped, MiB"
PACKAGES = ("llama-cpp-python", "onnxruntime-genai", "onnxruntime")
OURS = "thinkd"
PEERS = ("llama.cpp Q4_0 pure", "llama.cpp Q4_0", "llama.cpp Q4_K_M", "ONNX Runtime GenAI")
# Least ratio of thinkd to the fastest peer; beside a busy core to itself alone, and of four streams to one.
WANTED = {"depth": 1.5, "prefill": 2.0, "batch": 3.0}
WANTED_DECODE, WANTED_DECODE_THREADS = 1.25, 1.05
WANTED_BUSY = 0.9
# Largest ratio to the least memory of a peer.
WANTED_MEMORY = 1.0


@dataclasses.dataclass
class Bar:
    what: str
    against: str
    ratio: float
    wanted: float | None
    less_is_better: bool = False

    @property
    def reached(self):
        if self.wanted is None:
            return None
        return self.ratio <= self.wanted if self.less_is_better else self.ratio >= self.wanted


class Values:
    """Row -> competitor -> round -> value, and what can be asked of that."""

    def __init__(self, values):
        self.values = values

    def samples(self, row, name):
        samples = self.values.get(row, {}).get(name, {})
        return {number: value for number, value in samples.items() if value is not None}

    def median(self, row, name):
        samples = self.samples(row, name)
        return statistics.median(samples.values()) if samples else None

    def ratio(self, row, other_row, other):
        """Median of the ratios within each round: what slowed a whole round is in both, and drops out."""
        ours, theirs = self.samples(row, OURS), self.samples(other_row, other)
        ratios = [ours[number] / theirs[number] for number in ours if number in theirs]
        return statistics.median(ratios) if ratios else None

    def best(self, row, names, choose=max):
        known = [name for name in names if self.median(row, name) is not None]
        return choose(known, key=lambda name: self.median(row, name)) if known else None

    def rows_of(self, part):
        return [row for row in self.values if part_of(row) == part]


def part_of(row):
    for mark, part in (
        ("peak memory", "memory"),
        ("prefill", "prefill"),
        ("busy", "busy"),
        ("at depth", "depth"),
        ("at once", "batch"),
    ):
        if mark in row:
            return part
    return "decode"


def wanted_of(row):
    """Least ratio to the fastest peer, or of several streams to one."""
    if part_of(row) == "decode":
        return WANTED_DECODE if threads_text(1) in row else WANTED_DECODE_THREADS
    return WANTED.get(part_of(row))


def threads_text(threads):
    return f"{threads} thread{'s' if threads > 1 else ''}"


def bars(values):
    """Every comparison that the rows allow."""
    found = []

    def add(row, other, other_row=None, against=None, wanted=None, **more):
        ratio = values.ratio(row, other_row or row, other) if other else None
        if ratio is not None:
            wanted = wanted or wanted_of(row)
            found.append(Bar(row, against or other, ratio, wanted, **more))

    for part in ("decode", "prefill", "depth"):
        for row in values.rows_of(part):
            fastest = values.best(row, (*PEERS, PRUNED))
            add(row, fastest, against=f"the fastest, {fastest}")
    alone = f"decode, {threads_text(1)}"
    for row in values.rows_of("busy"):
        fastest = values.best(row, PEERS)
        add(row, fastest, against=f"the fastest, {fastest}")
        itself = "itself with 1 thread, no core busy"
        add(row, OURS, other_row=alone, against=itself, wanted=WANTED_BUSY)
    for row in values.rows_of("batch"):
        streams, threads = re.fullmatch(r"decode of (\d+) at once, (.*)", row).groups()
        if streams != "1":
            one = f"decode of 1 at once, {threads}"
            add(row, OURS, other_row=one, against="itself, one at a time")
    least = {row: values.best(row, (*PEERS, PRUNED), min) for row in (MEMORY, MEMORY_UNMAPPED)}
    known = [(values.median(row, name), row, name) for row, name in least.items() if name]
    if known:
        _, row, name = min(known)
        how = ", weights not mapped" if row == MEMORY_UNMAPPED else ""
        add(MEMORY, name, other_row=row, against=f"the least, {name}{how}", wanted=WANTED_MEMORY, less_is_better=True)
    return found


class Record:
    """Two files of one name in a folder for this machine."""

    def __init__(self, folder, machine):
        self.machine = describe_machine()
        self.folder = folder / (
            machine or slug(f"{self.machine['processor']} {os.cpu_count()} cores")
        )
        self.date = datetime.date.today().isoformat()
        self.folder.mkdir(parents=True, exist_ok=True)
        name, count = self.date, 1
        while (self.folder / f"{name}.md").exists():
            count += 1
            name = f"{self.date}-{count}"
        self.table_path, self.json_path = (
            self.folder / f"{name}{ending}" for ending in (".md", ".json")
        )
        self.commit = describe_commit()
        self.weights = None

    def write(self, session, rounds, minutes):
        values = Values(session.values)
        if self.weights is None:
            self.weights = {
                one.name: competitors.weight_bytes_per_token(one) for one in session.everyone
            }
        found = {
            "date": self.date,
            "commit": self.commit,
            "machine": self.machine,
            "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
            "rounds": rounds,
            "minutes": round(minutes, 1),
            "weight_bytes_per_token": self.weights | told_bytes(session.said),
            "read_bandwidth_bytes_per_second": told_bandwidth(session.said),
            "others_cores": summary([visit["others_cores"] for visit in session.said]),
            "bars": [dataclasses.asdict(bar) | {"reached": bar.reached} for bar in bars(values)],
            "values": session.values,
            "failures": session.failures,
            "visits": session.said,
        }
        self.json_path.write_text(json.dumps(found, ensure_ascii=False) + "\n")
        self.table_path.write_text(markdown(found, values))


def told_bytes(said):
    """What thinkd says of the weights it reads: it may keep them smaller than the file does."""
    told = [one["weight_bytes_per_token"] for one in told_by_thinkd(said, "weight_bytes_per_token")]
    return {OURS: told[-1]} if told else {}


def told_bandwidth(said):
    """Read bandwidth by threads, as thinkd measured it beside its own runs. Median."""
    samples = {}
    for one in told_by_thinkd(said, "read_bandwidth_bytes_per_second"):
        samples.setdefault(one.get("threads"), []).append(one["read_bandwidth_bytes_per_second"])
    return {str(threads): statistics.median(those) for threads, those in samples.items()}


def told_by_thinkd(said, key):
    # A busy core takes bandwidth as well.
    visits = [one for one in said if one["competitor"] == OURS and one["busy_nice"] is None]
    return [one for visit in visits for one in visit["said"] if one.get(key)]


def summary(numbers):
    if not numbers:
        return None
    return {"median": statistics.median(numbers), "most": max(numbers)}


def markdown(found, values):
    machine, others = found["machine"], found["others_cores"]
    names = [name for name in found["weight_bytes_per_token"]]
    lines = [f"# thinkd and its peers, {found['date']}", ""]
    lines += [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}; "
        f"thinkd {found['commit']}; "
        + ", ".join(f"{name} {version}" for name, version in found["packages"].items())
        + f". Interleaved rounds: {found['rounds']}, in {found['minutes']:.0f} minutes"
        + (
            f"; other programs took {others['median']:.2f} of a core (at most {others['most']:.2f})."
            if others
            else "."
        ),
        "",
        "Decode and prefill in tokens a second. How to read this: benches/peers/README.md.",
        "",
    ]
    lines += table(["", *names], measured_rows(names, values))
    judged = [
        [bar["what"], bar["against"], f"{bar['ratio']:.2f}", wanted(bar), reached(bar)]
        for bar in found["bars"]
    ]
    lines += ["", "## Bars", "", "thinkd divided by what it is compared with.", ""]
    lines += table(["what", "against", "ratio", "wanted", "reached"], judged)
    lines += ["", "## Weights", "", *weights_table(found, values)]
    if found["failures"]:
        lines += [
            "",
            "## Not measured",
            "",
            *(f"- {text}" for text in sorted(set(found["failures"]))),
        ]
    return "\n".join(lines) + "\n"


def measured_rows(names, values):
    for row in values.values:
        shown = [values.median(row, name) for name in names]
        digits = 0 if part_of(row) == "memory" else 1
        yield [row, *("–" if value is None else f"{value:.{digits}f}" for value in shown)]


def weights_table(found, values):
    bandwidth = found["read_bandwidth_bytes_per_second"]
    decode = values.rows_of("decode")
    heads = ["", "MB a token", *(f"GB/s, {row}" for row in decode)]
    body = []
    for name, weight_bytes in found["weight_bytes_per_token"].items():
        rates = [values.median(row, name) for row in decode]
        moved = ["–" if rate is None else f"{rate * weight_bytes / 1e9:.1f}" for rate in rates]
        body.append([name, f"{weight_bytes / 1e6:.0f}", *moved])
    if bandwidth:
        counts = [re.search(r"(\d+) thread", row).group(1) for row in decode]
        most = [bandwidth.get(count) for count in counts]
        shown = ["–" if one is None else f"{one / 1e9:.1f}" for one in most]
        body.append(["this machine, reading only", "", *shown])
    return table(heads, body)


def table(heads, body):
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for cells in body:
        yield "| " + " | ".join(cells) + " |"


def wanted(bar):
    if bar["wanted"] is None:
        return "–"
    return f"{'at most' if bar['less_is_better'] else 'at least'} {bar['wanted']:.2f}"


def reached(bar):
    return {None: "–", True: "yes", False: "no"}[bar["reached"]]


def describe_machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "kernel": platform.release(),
    }


def processor():
    """The board's name where it has one, else the processor's."""
    board = pathlib.Path("/proc/device-tree/model")
    if board.exists():
        return board.read_text().strip("\0\n ")
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def describe_commit():
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=competitors.HERE,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "unknown"


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
