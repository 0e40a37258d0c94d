"""Measures every competitor in turn, round after round, and writes the record after each round.

Rounds are what makes the figures comparable: within one, all are measured within minutes of each other, on each thing
one after the other, so whatever else the machine does meets all alike. Start it through `run`, which sees to the
packages, the models and the program.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

import competitors
import report
from competitors import PRUNED, Visit

PARTS = ("decode", "prefill", "depth", "busy", "batch", "memory")


@dataclasses.dataclass(frozen=True)
class Step:
    """One visit to each of some competitors, and the rows of the report it fills."""

    part: str
    visit: Visit
    # Names; empty is all but the one whose head is pruned, which differs in prefill and memory only.
    only: tuple[str, ...] = ()
    with_pruned: bool = False
    # The niceness of a process that keeps a core busy meanwhile; None is no such process.
    busy_nice: int | None = None


def steps(parts, thread_counts, context, runs):
    """Everything of one round, in order. Fewest runs where a run is long."""
    plan = []
    most = max(thread_counts)
    short = {"context": context, "depths": (competitors.SHORT_PROMPT,)}
    for threads in thread_counts:
        decode = Visit(threads=threads, runs=runs, generate_tokens=48, **short)
        prompt = Visit(threads=threads, runs=runs, context=context, prompt_tokens=PROMPT_TOKENS)
        deep = Visit(
            threads=threads,
            runs=max(runs - 2, 1),
            context=context + 64,
            depths=(context // 2, context),
            generate_tokens=32,
        )
        plan.append(Step("decode", decode))
        plan.append(Step("prefill", prompt, with_pruned=True))
        plan.append(Step("depth", deep))
        for streams in (1, 4):
            batch = dataclasses.replace(decode, streams=streams)
            plan.append(Step("batch", batch, only=("thinkd",)))
    for niceness in (0, 19):
        busy = Visit(threads=most, runs=runs, generate_tokens=32, **short)
        plan.append(Step("busy", busy, busy_nice=niceness))
    for memory_map in (True, False):
        whole = Visit(
            threads=most,
            runs=1,
            context=context,
            prompt_tokens=PROMPT_TOKENS,
            depths=(PROMPT_TOKENS,),
            generate_tokens=8,
            memory_map=memory_map,
        )
        plan.append(Step("memory", whole, with_pruned=memory_map))
    return [step for step in plan if step.part in parts]


def rows(step, figures):
    """The rows of the report that a visit fills, with their values: tokens a second, or MiB."""
    visit, filled = step.visit, {}
    threads = report.threads_text(visit.threads)
    if step.part == "memory":
        row = report.MEMORY if visit.memory_map else report.MEMORY_UNMAPPED
        return {row: figures.peak_bytes / 2**20 if figures.peak_bytes else None}
    if visit.prompt_tokens:
        filled[f"prefill of {visit.prompt_tokens}, {threads}"] = figures.prefill
    for depth in visit.depths:
        row = f"decode, {threads}"
        if step.part == "depth":
            row = f"decode at depth {depth}, {threads}"
        if step.part == "batch":
            row = f"decode of {visit.streams} at once, {threads}"
        if step.busy_nice is not None:
            row = f"decode, {threads}, a core busy at nice {step.busy_nice}"
        filled[row] = figures.decode.get(depth)
    return filled


class Session:
    """The measurements so far."""

    def __init__(self, everyone, patience_seconds, retries):
        self.everyone = everyone
        self.retries = retries
        self.patience_seconds = patience_seconds
        self.values = {}
        self.failures = []
        self.said = []
        # Which of llama.cpp's two attentions is faster, found out at the first visit of each step.
        self.flash_attention = {}

    def round(self, number, plan):
        for step in plan:
            visited = [one for one in self.everyone if self.takes_part(one, step)]
            # Every other round the other way about: nobody is always the first after a pause.
            for competitor in visited if number % 2 else reversed(visited):
                started = time.monotonic()
                try:
                    filled = rows(step, self.visit(competitor, step))
                except competitors.Failed as failure:
                    note(f"  {competitor.name}: {failure}")
                    self.failures.append(f"{competitor.name}, {step.part}: {failure}")
                    continue
                for row, value in filled.items():
                    samples = self.values.setdefault(row, {}).setdefault(competitor.name, {})
                    samples[number] = value
                    shown = "no figure" if value is None else f"{value:.1f}"
                    note(f"  {row}: {competitor.name} {shown}")
                note(f"    {time.monotonic() - started:.0f} s")

    @staticmethod
    def takes_part(competitor, step):
        if step.only:
            return competitor.name in step.only
        if competitor.name == PRUNED:
            return step.with_pruned
        return step.visit.memory_map or competitor.has_memory_map

    def visit(self, competitor, step):
        if not competitor.has_flash_attention:
            return self.watched(competitor, step, step.visit)
        key = (competitor.name, step)
        if key in self.flash_attention:
            chosen = dataclasses.replace(step.visit, flash_attention=self.flash_attention[key])
            return self.watched(competitor, step, chosen)
        tried = {}
        for flash_attention in (True, False):
            visit = dataclasses.replace(step.visit, flash_attention=flash_attention)
            tried[flash_attention] = self.watched(competitor, step, visit)
        self.flash_attention[key] = max(tried, key=lambda one: merit(step, tried[one]))
        return tried[self.flash_attention[key]]

    def watched(self, competitor, step, visit):
        """One visit; made again, if others disturbed it, and then the least disturbed one counts."""
        tries = []
        while len(tries) <= self.retries:
            tries.append(self.once(competitor, step, visit))
            if tries[-1][0] <= DISTURBED_CORES:
                break
        taken, figures = min(tries, key=lambda one: one[0])
        if taken > DISTURBED_CORES:
            note(f"  others took {taken:.2f} of a core from the next one")
        self.said.append(
            {
                "competitor": competitor.name,
                "part": step.part,
                "visit": dataclasses.asdict(visit),
                "busy_nice": step.busy_nice,
                "others_cores": round(taken, 3),
                "tries": len(tries),
                "said": figures.said,
            }
        )
        return figures

    def once(self, competitor, step, visit):
        """How many cores others took meanwhile, and the figures."""
        wait_for_quiet(self.patience_seconds)
        with busy_core(step.busy_nice):
            before, started = others_seconds(), time.monotonic()
            figures = competitor.visit(visit)
            wall = time.monotonic() - started
        # The busy process has been waited for by now, so its time counts as ours.
        return max(others_seconds() - before, 0.0) / wall, figures


def merit(step, figures):
    """What to choose between two figures of one competitor by; more is better."""
    if step.part == "memory":
        return -(figures.peak_bytes or 0)
    return sum(figures.decode.values()) + (figures.prefill or 0)


@contextlib.contextmanager
def busy_core(niceness):
    """Keeps as much of one core busy as the system gives to one thread of that niceness."""
    if niceness is None:
        yield
        return
    loop = f"import os\nos.nice({niceness})\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", loop])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def wait_for_quiet(patience_seconds):
    """Waits until other processes leave the cores alone, but not for ever."""
    end = time.monotonic() + patience_seconds
    while time.monotonic() < end:
        before, started = others_seconds(), time.monotonic()
        time.sleep(QUIET_SAMPLE_SECONDS)
        if (others_seconds() - before) / (time.monotonic() - started) < QUIET_CORES:
            return


def others_seconds():
    """Seconds that the machine's cores have spent on other processes than this one and its ended children."""
    with open("/proc/stat") as lines:
        user, nice, system, _idle, _wait, irq, softirq, steal = map(
            int, lines.readline().split()[1:9]
        )
    all_seconds = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        all_seconds -= usage.ru_utime + usage.ru_stime
    return all_seconds


def note(text):
    print(text, file=sys.stderr, flush=True)


def chosen(text, known, what):
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no {what} {', '.join(unknown)}; there are: {', '.join(known)}")
    return names


def options():
    parser = argparse.ArgumentParser(
        prog="run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="medians are of so many [5]")
    parser.add_argument(
        "--runs", type=int, default=3, help="a visit's figure is the median of so many [3]"
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--competitors", help="some of them, by name, with commas between [all]")
    parser.add_argument("--threads", help="thread counts, with commas between [1 and one per core]")
    parser.add_argument(
        "--context", type=int, default=4096, help="tokens of room; depths are half and all of it"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=30,
        help="seconds to wait for a quiet machine before each visit [30]",
    )
    parser.add_argument(
        "--retries", type=int, default=1, help="times to repeat a visit that others disturbed [1]"
    )
    parser.add_argument("--machine", help="name of the record's folder [from the processor]")
    parser.add_argument("--record", type=pathlib.Path, help="where records go [benches/record]")
    # `run` fills these in.
    parser.add_argument("--thinkd", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    given = options()
    # An exception on the way out ends the visit and the busy process too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if given.context < 2 * PROMPT_TOKENS:
        raise SystemExit(f"--context is {given.context}, it has to be {2 * PROMPT_TOKENS} at least")
    everyone = competitors.all_of(given.work, given.thinkd)
    if given.competitors:
        names = chosen(given.competitors, [one.name for one in everyone], "competitor")
        everyone = [one for one in everyone if one.name in names]
    thread_counts = sorted({1, os.cpu_count()})
    if given.threads:
        thread_counts = sorted({int(count) for count in given.threads.split(",")})
    parts = chosen(given.only, PARTS, "part")
    plan = steps(parts, thread_counts, given.context, given.runs)
    record = report.Record(given.record or competitors.HERE.parent / "record", given.machine)
    session = Session(everyone, given.patience, given.retries)
    started = time.monotonic()
    for number in range(1, given.rounds + 1):
        note(f"round {number} of {given.rounds}, load {os.getloadavg()[0]:.1f}")
        session.round(number, plan)
        record.write(session, rounds=number, minutes=(time.monotonic() - started) / 60)
    print(record.table_path.read_text())
    note(f"written to {record.table_path} and {record.json_path}")


PROMPT_TOKENS = 512
# A visit is disturbed when others take more than this many cores during it.
DISTURBED_CORES = 0.15
# The machine is quiet when others take less than this many cores for this long.
QUIET_CORES = 0.1
QUIET_SAMPLE_SECONDS = 0.5

if __name__ == "__main__":
    main()
