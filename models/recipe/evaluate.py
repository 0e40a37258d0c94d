"""Measures an exported directory on fresh problems: exact answers by family, for seen and unseen phrasings.

    python evaluate.py --model ../thinkd-mini --count 40 --seed 1001 --json FILE
    python evaluate.py --write-fresh ../thinkd-mini/eval/fresh.jsonl --count 10 --seed 2001

`--count` is per family and phrasing group. The interval is Wilson's at 95 %.
"""

import argparse
import json
import math
import multiprocessing
import pathlib
import random
import statistics

import problems
from runtime import Exported


def fresh(seed, count, families=problems.FAMILIES):
    """`count` problems of every family in both phrasing groups."""
    for family in families:
        for group in ("seen", "unseen"):
            rng = random.Random(f"fresh/{seed}/{family}/{group}")
            for _ in range(count):
                yield family, group, problems.problem(rng, group, family)


def wilson(right, count, z=1.96):
    """The 95 % interval of a share, in per cent."""
    share, spread = right / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return 100 * max(0, centre - half), 100 * min(1, centre + half)


def cell(right, count):
    low, high = wilson(right, count)
    return f"{100 * right / count:5.1f} ({low:.0f}–{high:.0f})"


def measure(job):
    """Answers one family in one phrasing group; returns how many were right, the lengths and the failures."""
    options, family, group = job
    model = Exported(options.model, options.accuracy_level)
    right, lengths, failures = 0, [], []
    for _, _, made in (p for p in fresh(options.seed, options.count, [family]) if p[1] == group):
        thought, answer, length = model.answer(made.system, made.prompt)
        right += answer == made.answer
        lengths.append(length)
        if answer != made.answer:
            failures.append((made, thought, answer))
    return right, lengths, failures


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument(
        "--accuracy-level", type=int, help="of every MatMulNBits, instead of the file's"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--failures", type=int, default=0, help="failures to print per family and group"
    )
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--write-fresh", type=pathlib.Path)
    options = parser.parse_args()
    if options.write_fresh:
        options.write_fresh.parent.mkdir(parents=True, exist_ok=True)
        with options.write_fresh.open("w", encoding="utf-8") as out:
            for family, group, made in fresh(options.seed, options.count):
                line = {
                    "family": family,
                    "phrasing": group,
                    "prompt": made.prompt,
                    "answer": made.answer,
                }
                if made.system:
                    line["system"] = made.system
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
        return
    jobs = [
        (options, family, group) for family in problems.FAMILIES for group in ("seen", "unseen")
    ]
    with multiprocessing.Pool(options.processes) as pool:
        results = pool.map(measure, jobs, chunksize=1)
    tally, lengths = {}, []
    for (_, family, group), (right, taken, failures) in zip(jobs, results):
        tally.setdefault(family, {})[group] = [right, len(taken)]
        lengths += taken
        for made, thought, answer in failures[: options.failures]:
            print(
                f"--- {family}, {group}\n{made.prompt}\nwanted: {made.thought}\n  => {made.answer}\ngot: {thought}\n  => {answer}\n"
            )
    print("| family | seen phrasings, % (95 %) | unseen phrasings, % (95 %) |\n|---|---|---|")
    sums = {"seen": [0, 0], "unseen": [0, 0]}
    for family, groups in tally.items():
        print(f"| {family} | {cell(*groups['seen'])} | {cell(*groups['unseen'])} |")
        for group, (right, count) in groups.items():
            sums[group][0] += right
            sums[group][1] += count
    print(f"| **all** | {cell(*sums['seen'])} | {cell(*sums['unseen'])} |")
    print(
        f"\ngenerated tokens a problem: median {statistics.median(lengths):.0f}, longest {max(lengths)}"
    )
    if options.json:
        report = {
            "model": options.model.name,
            "seed": options.seed,
            "count": options.count,
            "families": tally,
            "median_tokens": statistics.median(lengths),
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
