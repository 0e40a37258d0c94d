"""Improves a teacher on verifiable answers: it thinks several times about each problem and learns from what was right.

    python reinforce.py --work DIR --tokenizer DIR --start DIR/model.pt --out teacher --rounds 20

Each round samples thoughts from the present weights, judges the answers and trains for some steps.
`--method reject` learns the shortest right thought of every problem that is not always answered rightly;
`--method grpo` follows the clipped policy gradient with advantages within each group of attempts, where a right answer
earns 1 and a little more for being shorter than its siblings. Part of every step are the generator's own traces, which
keep the policy from drifting. Run again to go on: finished rounds are not repeated. A student that is already in int4
may be its own teacher: with `--rounded` it thinks with the weights that will be exported, and with `--fade` the rate
falls to zero over the rounds.
"""

import argparse
import shutil
import statistics

import torch

import data
import loop
import model as models
import sample
from generate import Generator

SHORTER = 0.1  # What the shortest right thought of a group earns beyond the longest.


def attempts(job):
    """One process's share of a round's attempts, written to a file of traces."""
    rank, numbers, options = job
    if options.device == "cpu":
        torch.set_num_threads(1)
    net, _ = models.load(options.policy, rounded=options.rounded)
    encoder = data.Encoder(options.tokenizer)
    generator = Generator(net, encoder.end, options.device, models.quick_kind(options.device))
    tally = []
    for number in numbers:
        made = sample.draw(options.seed, number, options.shard, options.weights)
        done = sample.think(
            generator, encoder, made, options.samples, options.temperature, number, options.batch
        )
        documents = []
        for group in done:
            documents += (reject if options.method == "reject" else grpo)(group)
            right = [ok for _, ok in group]
            label = data.LABELS[group[0][0].label].partition("/")[0]
            lengths = [len(d.ids) - d.learn for d, ok in group if ok]
            tally.append((label, sum(right), len(right), lengths))
        for document in documents:
            document.top_ids = document.top_logs = None
        if documents:
            data.save_traces(options.traces / f"{number:06}.npz", documents)
    return tally


def reject(group):
    """The shortest right attempt, unless all are right and of one mind: from those nothing is learnt."""
    right = [document for document, ok in group if ok]
    shortest = min(right, key=lambda document: len(document.ids), default=None)
    if shortest is None or len(right) == len(group) and len({len(d.ids) for d in right}) == 1:
        return []
    shortest.old_logs = None
    return [shortest]


def grpo(group):
    """All attempts with their advantages, if they differ at all."""
    sizes = [len(document.ids) - document.learn for document, _ in group]
    short, long = min(sizes), max(sizes)
    rewards = [
        1 + SHORTER * (long - size) / max(1, long - short) if ok else 0.0
        for (_, ok), size in zip(group, sizes)
    ]
    mean, spread = statistics.fmean(rewards), statistics.pstdev(rewards)
    if spread < 1e-6:
        return []
    for (document, _), reward in zip(group, rewards):
        document.advantage = (reward - mean) / (spread + 0.05)
    return [document for document, _ in group]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    loop.add_options(parser)
    parser.set_defaults(
        out="teacher", rate=0.1, steps=120, drills=0.1, ramp=0, check_count=0, warmup=20
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--fade", action="store_true", help="lower the rate to zero over the rounds")
    parser.add_argument("--method", choices=["reject", "grpo"], default="grpo")
    parser.add_argument("--problems", type=int, default=800, help="of a round")
    parser.add_argument("--samples", type=int, default=8, help="attempts at each problem")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--batch", type=int, help="texts at a time")
    parser.add_argument("--trace-share", type=float, default=0.7, help="of the documents of a step")
    options = parser.parse_args()
    on_cpu = options.device == "cpu"
    options.batch = options.batch or (128 if on_cpu else 2048)
    options.shard = min(options.problems, 200 if on_cpu else 2000)
    options.weights = None
    options.work.mkdir(parents=True, exist_ok=True)
    done_file = options.work / f"{options.out}.rounds"
    begin = int(done_file.read_text()) if done_file.exists() else 0
    first, rate = loop.checkpoint(options, options.start), options.rate
    for number in range(begin, options.rounds):
        options.rate = rate * (1 - number / options.rounds if options.fade else 1)
        mine = loop.checkpoint(options, options.out)
        options.policy = mine if mine.exists() else first
        options.traces = options.work / f"{options.out}.round"
        shutil.rmtree(options.traces, ignore_errors=True)
        options.traces.mkdir(parents=True)
        shards = -(-options.problems // options.shard)
        numbers = [number * shards + i for i in range(shards)]
        parts = sample.spread(attempts, numbers, options, options.processes if on_cpu else 1)
        options.weights = summary(number, [entry for part in parts for entry in part])
        if any(options.traces.iterdir()):
            options.start = str(options.policy)
            loop.run(options, loop.diet_of(options, seed=number + 1, traces=str(options.traces)))
        elif options.policy != mine:
            shutil.copy(options.policy, mine)
        if loop.interrupted:
            break
        done_file.write_text(str(number + 1))
    shutil.rmtree(options.work / f"{options.out}.round", ignore_errors=True)


def summary(number, tally):
    """Prints how a round went; returns the weights of the families in the next one."""
    families = {}
    for family, right, count, lengths in tally:
        entry = families.setdefault(family, [0, 0, []])
        entry[0] += right
        entry[1] += count
        entry[2] += lengths
    right, count, lengths = (
        sum((e[i] for e in families.values()), [] if i == 2 else 0) for i in range(3)
    )
    print(
        f"round {number}: {100 * right / count:.1f} % of attempts right,"
        f" median {statistics.median(lengths or [0]):.0f} tokens;",
        ", ".join(f"{f} {100 * e[0] / e[1]:.0f}" for f, e in sorted(families.items())),
        flush=True,
    )
    shares = {family: entry[0] / entry[1] for family, entry in families.items()}
    return data.weights([shares.get(family, 0.5) for family in data.FAMILIES])


if __name__ == "__main__":
    main()
