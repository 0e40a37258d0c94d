#!/usr/bin/env python3
"""Says what the product with packed weights costs on the boards' cores, without a board; fails where it got worse.

Usage: cross/cycles.py [--update]

Two instruments, both of which give the same numbers on every run and every machine:
  llvm-mca    simulates the inner loops on a model of the core: cycles for a block of 32 weights and one row
  qemu-user   counts the instructions that whole calls execute, what surrounds the loops included (count.c)

Fails where a number is over its bar, or more than 5 % over the one in cross/cycles.baseline. With --update it writes
that file instead. What it needs is listed in cross/README.md.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

CROSS = pathlib.Path(__file__).resolve().parent
BASELINE = CROSS / "cycles.baseline"
TARGET = "aarch64-unknown-linux-gnu"
LLVM = pathlib.Path(os.environ.get("LLVM_BIN", "/usr/lib/llvm-22/bin"))
LLVM_VERSION = "22."
TOLERANCE = 1.05
ITERATIONS = 200

# Core: arguments of llvm-mca. Its A72 is the A57 too, in the same tables. Its names cortex-a76 and cortex-a78 stand for
# those as well, so the servers' cores of the same design are asked. The width is that of the optimization guides.
CORES = {
    "A72": ["-mcpu=cortex-a72", "-dispatch=3"],
    "A76": ["-mcpu=neoverse-n1", "-dispatch=8"],
    "A78": ["-mcpu=neoverse-n2", "-dispatch=8"],
    "N2": ["-mcpu=neoverse-n2", "-dispatch=8"],
}


@dataclass(frozen=True)
class Loop:
    """An inner loop; its blocks are told by how often one instruction stands in it."""

    name: str
    symbol: str  # regular expression over the whole demangled name
    instruction: str
    blocks: float  # for each such instruction
    bars: dict  # core: cycles per block, or None where there is no bar
    llama_cpp: str = ""
    kleidi_ai: str = ""


def tile(bytes_: int, function: str) -> str:
    return rf".*::gemv::{function}::<{bytes_}>"


def unpack(bytes_: int, instructions: str) -> str:
    return rf".*::gemm::unpack_tile::<.*::{instructions}, {bytes_}>"


NO_BAR_DOT = {"A76": None, "A78": None}
LOOPS = [
    Loop("gemv neon", "thinkd_gemv_neon", "sadalp", 4, {"A72": 4.6}, "9.0-12"),
    Loop("gemv neon, zero points", "thinkd_gemv_neon_offsets", "sadalp", 4, {"A72": None}),
    Loop("gemv dotprod", tile(144, "gemv_dotprod_tile"), "sdot", 0.5, {"A76": 2.1, "A78": 2.1}, "3.2-4.0", "2.5-3.2"),
    Loop("gemv dotprod, zero points", tile(152, "gemv_dotprod_tile"), "sdot", 0.5, NO_BAR_DOT),
    Loop("gemm neon", "thinkd_gemm_neon", "sadalp", 4, {"A72": 4.05}, "9-12"),
    Loop("gemm dotprod", "thinkd_gemm_dotprod", "sdot", 0.5, {"A76": 1.26, "A78": 1.26}, "1.66-1.78", "1.6-2.0"),
    Loop("gemm i8mm", "thinkd_gemm_i8mm", "smmla", 1, {"N2": 0.76}, "1.28-1.41", "1.28-1.61"),
    Loop("unpack neon", unpack(144, "Neon"), "fcvtl", 8, {"A72": None}),
    Loop("unpack neon, zero points", unpack(152, "Neon"), "fcvtl", 8, {"A72": None}),
    Loop("unpack dotprod", unpack(144, "Dotprod"), "fcvtl", 8, NO_BAR_DOT),
    Loop("unpack dotprod, zero points", unpack(152, "Dotprod"), "fcvtl", 8, NO_BAR_DOT),
    Loop("unpack i8mm", unpack(144, "I8mm"), "fcvtl", 8, {"N2": None}),
    Loop("unpack i8mm, zero points", unpack(152, "I8mm"), "fcvtl", 8, {"N2": None}),
]

# Arguments of the program in cross/kernels: operation, rows, zero points; each for every set.
CALLS = [
    ("matmul", 1, False),
    ("matmul", 1, True),
    ("matmul", 4, False),
    ("matmul", 4, True),
    ("matmul", 64, False),
    ("quantize", 1, False),
    ("quantize", 4, False),
]
SETS = ["neon", "neon+dotprod", "neon+i8mm"]
# Functions whose instructions are counted.
COUNTED = re.compile(r"kernels::aarch64::|^thinkd_")


def output_of(command: list, **options) -> str:
    """What a command prints; what it complains of goes where ours goes."""
    command = [str(part) for part in command]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def llvm(tool: str, *arguments, **options) -> str:
    return output_of([LLVM / tool, *arguments], **options)


def build(directory: pathlib.Path) -> tuple:
    """Builds the program and the plugin; returns where they are."""
    environment = {
        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER": "aarch64-linux-gnu-gcc",
        "RUSTFLAGS": "-C symbol-mangling-version=v0",  # names with the generic arguments in them
        "CARGO_TARGET_DIR": str(directory),
    }
    manifest = CROSS / "kernels" / "Cargo.toml"
    command = ["cargo", "build", "--locked", "--release", "--quiet", "--target", TARGET, "--manifest-path", manifest]
    output_of(command, env={**os.environ, **environment})
    plugin = directory / "libcount.so"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
    output_of(["gcc", *flags, "-o", plugin, CROSS / "count.c"])
    return directory / TARGET / "release" / "kernels", plugin


def functions_of(program: pathlib.Path) -> dict:
    """Demangled name: instructions as (address, text), for all functions of the program."""
    functions = {}
    instructions = []
    listing = llvm("llvm-objdump", "-d", "--no-show-raw-insn", "--mattr=+all", "--demangle", program)
    for line in listing.splitlines():
        if head := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            instructions = functions.setdefault(head[1], [])
        elif instruction := re.match(r"\s*([0-9a-f]+):\s+(.+)", line):
            text = instruction[2].split("//")[0].strip()
            instructions.append((int(instruction[1], 16), text))
    return functions


def inner_loop(instructions: list) -> list:
    """The texts of the longest loop that has no loop in it."""
    index = {address: i for i, (address, _) in enumerate(instructions)}
    loops = []
    for i, (address, text) in enumerate(instructions):
        branch = re.match(r"(?:b\.\w+|b|cbn?z|tbn?z)\s.*?0x([0-9a-f]+)", text)
        if branch and int(branch[1], 16) <= address and int(branch[1], 16) in index:
            loops.append((index[int(branch[1], 16)], i))
    inner = [a for a in loops if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    start, end = max(inner, key=lambda loop: loop[1] - loop[0])
    # The simulator goes straight through whatever branches say, but has to be able to read them.
    branch = re.compile(r"((?:b\.\w+|b|cbn?z|tbn?z)\s.*?)0x[0-9a-f]+ .*")
    return [branch.sub(r"\1.", text) for _, text in instructions[start : end + 1]]


def simulate(body: list, core: str) -> tuple:
    """Cycles of one round of the loop on a core: as simulated, and what its busiest part needs alone."""
    arguments = ["-mtriple=aarch64", "-mattr=+dotprod,+i8mm,+fullfp16", f"-iterations={ITERATIONS}", *CORES[core]]
    report = llvm("llvm-mca", *arguments, input="\n".join(body) + "\n")
    cycles = re.search(r"Total Cycles:\s+(\d+)", report)
    bound = re.search(r"Block RThroughput:\s+([\d.]+)", report)
    return int(cycles[1]) / ITERATIONS, float(bound[1])


class Report:
    """Prints numbers as they come, and keeps what is wrong with them."""

    def __init__(self, baseline: dict):
        self.baseline = baseline
        self.measured = {}
        self.wrong = []
        self.better = []

    def add(self, name: str, value: float, bar) -> str:
        """Judges a number; returns it with the one of the baseline."""
        value = round(value, 2)
        self.measured[name] = value
        before = self.baseline.get(name)
        if bar is not None and value > bar:
            self.wrong.append(f"{name}: {value:.2f}, the bar is {bar:.2f}")
        if before is None:
            self.wrong.append(f"{name}: not in {BASELINE.name}")
        elif value > before * TOLERANCE:
            self.wrong.append(f"{name}: {value:.2f}, it was {before:.2f}")
        elif value * TOLERANCE < before:
            self.better.append(f"{name}: {value:.2f}, it was {before:.2f}")
        return f"{value:6.2f} {'-' if before is None else format(before, '.2f'):>8}"


def report_loops(report: Report, program: pathlib.Path) -> None:
    functions = functions_of(program)
    print(f"\n{'inner loop':28} core cycles baseline    bar  bound  insns  llama.cpp   KleidiAI    per block and row")
    for loop in LOOPS:
        found = [texts for name, texts in functions.items() if re.fullmatch(loop.symbol, name)]
        if len(found) != 1:
            sys.exit(f"cycles: {len(found)} functions are called {loop.symbol}")
        body = inner_loop(found[0])
        blocks = loop.blocks * sum(text.split()[0] == loop.instruction for text in body)
        if not blocks:
            sys.exit(f"cycles: no {loop.instruction} in the inner loop of {loop.name}")
        for core, bar in loop.bars.items():
            cycles, bound = (x / blocks for x in simulate(body, core))
            numbers = report.add(f"cycles, {loop.name}, {core}", cycles, bar)
            print(
                f"{loop.name:28} {core:4} {numbers} {'-' if bar is None else format(bar, '.2f'):>6} {bound:6.2f}"
                f" {len(body) / blocks:6.2f}  {loop.llama_cpp or '-':11} {loop.kleidi_ai or '-'}"
            )


def report_calls(report: Report, program: pathlib.Path, plugin: pathlib.Path) -> None:
    print(f"\n{'whole call':44}  insns baseline    per block and row")
    with tempfile.TemporaryDirectory() as directory:
        counts_file = pathlib.Path(directory) / "counts"
        emulator = ["qemu-aarch64", "-cpu", "max", "-L", "/usr/aarch64-linux-gnu"]
        counting = ["-plugin", plugin, "-d", "plugin", "-D", counts_file]
        for set_ in SETS:
            for operation, rows, zero_points in CALLS:
                arguments = [set_, operation, rows, str(zero_points).lower()]
                blocks = int(output_of([*emulator, *counting, program, *arguments]))
                names = llvm("llvm-cxxfilt", input=counts_file.read_text(encoding="utf-8"))
                lines = (line.rsplit(" ", 1) for line in names.splitlines())
                count = sum(int(count) for name, count in lines if COUNTED.search(name))
                if not count:
                    sys.exit(f"cycles: {operation} of {set_} runs none of its own functions")
                name = f"{operation} {set_}, {rows} row{'s' * (rows > 1)}{', zero points' * zero_points}"
                print(f"{name:44} {report.add(f'instructions, {name}', count / blocks, None)}")


def read_baseline() -> dict:
    lines = BASELINE.read_text(encoding="utf-8").splitlines() if BASELINE.exists() else []
    pairs = (line.rsplit(": ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def write_baseline(measured: dict, versions: str) -> None:
    lines = [f"# Written by cross/cycles.py --update with {versions}.", ""]
    lines += [f"{name}: {value:.2f}" for name, value in measured.items()]
    BASELINE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        sys.exit(__doc__)
    mca = re.search(r"LLVM version (\S+)", llvm("llvm-mca", "--version"))[1]
    if not mca.startswith(LLVM_VERSION):
        sys.exit(f"cycles: {LLVM} has LLVM {mca}; the models of {LLVM_VERSION}x are wanted")
    rustc = output_of(["rustc", "--version"]).split()[1]
    versions = f"rustc {rustc}, LLVM {mca}"
    print(versions)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", CROSS.parent / "target")).resolve()
    directory = target / "cycles"
    directory.mkdir(parents=True, exist_ok=True)
    program, plugin = build(directory)
    report = Report(read_baseline())
    report_loops(report, program)
    report_calls(report, program, plugin)
    if update:
        write_baseline(report.measured, versions)
        print(f"\nWrote {BASELINE.name}.")
        report.wrong = [text for text in report.wrong if "the bar is" in text]
    else:
        report.wrong += [f"{name}: gone" for name in report.baseline if name not in report.measured]
    if report.better:
        print("\nBetter than the baseline; --update keeps it so:", *report.better, sep="\n  ")
    if report.wrong:
        print("\nWorse than it should be:", *report.wrong, sep="\n  ")
        sys.exit(1)


if __name__ == "__main__":
    main()
