"""Lets a model think about many problems and keeps what was right: a teacher's traces, with its token distributions.

    python sample.py --model WORK/teacher.pt --tokenizer DIR --out TRACES --problems 20000

Each shard is written at once and none is made twice, so the command can be stopped and run again.
"""

import argparse
import os
import pathlib
import random
import statistics
import time

import torch

import data
import model as models
import problems
from generate import Generator

LIMIT = 320  # Tokens of a thought and its answer; what takes longer is not kept.


def draw(seed, shard, count, weights=None, held_out=False):
    """The problems of a shard."""
    rng = random.Random(f"sample/{seed}/{shard}")
    families = rng.choices(data.FAMILIES, weights or data.weights(), k=count)
    return [problems.problem(rng, family, held_out=held_out) for family in families]


def think(generator, encoder, made, samples, temperature, seed, batch, keep=True):
    """`samples` judged attempts at every problem, as lists of (document, right)."""
    prompts = [encoder.prompt(problem) for problem in made]
    written = generator.all(prompts, LIMIT, batch, samples, temperature, keep, seed)
    done = []
    for problem, prompt, texts in zip(made, prompts, written):
        attempts = []
        for text in texts:
            right = text.ended and data.judge(problem, encoder.decode(text.ids))[2]
            document = data.Document(prompt + text.ids, len(prompt), data.label(problem))
            if keep:
                document.top_ids, document.top_logs = text.top_ids.numpy(), text.top_logs.numpy()
                document.old_logs = data.np.array(text.logs, data.np.float32)
            attempts.append((document, right))
        done.append(attempts)
    return done


def keep_for_teaching(attempts, most):
    """The right attempts at a problem, different ones, shortest first."""
    right, seen = sorted((d for d, ok in attempts if ok), key=lambda d: len(d.ids)), set()
    kept = []
    for document in right:
        if tuple(document.ids) not in seen and len(kept) < most:
            seen.add(tuple(document.ids))
            document.old_logs = None
            kept.append(document)
    return kept


def shard(job):
    """One process's work: the shards it was given."""
    rank, numbers, options = job
    if options.device == "cpu":
        torch.set_num_threads(1)
    net, _ = models.load(options.model)
    encoder = data.Encoder(options.tokenizer)
    generator = Generator(net, encoder.end, options.device, models.quick_kind(options.device))
    for number in numbers:
        path = options.out / f"{number:05}.npz"
        if path.exists():
            continue
        begun, made = time.time(), draw(options.seed, number, options.shard)
        done = think(
            generator, encoder, made, options.samples, options.temperature, number, options.batch
        )
        documents = [d for attempts in done for d in keep_for_teaching(attempts, options.most)]
        if not documents:
            print(f"shard {number}: nothing was right", flush=True)
            continue
        data.save_traces(path, documents)
        right = [ok for attempts in done for _, ok in attempts]
        written = sum(len(d.ids) - d.learn for attempts in done for d, _ in attempts)
        lengths = [len(d.ids) - d.learn for d in documents]
        print(
            f"shard {number}: {len(documents)} traces, {100 * sum(right) / len(right):.1f} % right,"
            f" median {statistics.median(lengths):.0f} tokens,"
            f" {written / (time.time() - begun):.0f} tokens/s",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", type=pathlib.Path, required=True, help="checkpoint of the teacher"
    )
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--problems", type=int, default=20_000)
    parser.add_argument("--shard", type=int, default=500, help="problems of one file")
    parser.add_argument("--samples", type=int, default=1, help="attempts at each problem")
    parser.add_argument(
        "--most", type=int, default=2, help="right attempts to keep of each problem"
    )
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--batch", type=int, help="texts at a time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--processes", type=int, default=2, help="on a CPU, one a core")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    on_cpu = options.device == "cpu"
    options.batch = options.batch or (128 if on_cpu else 2048)
    numbers = list(range(-(-options.problems // options.shard)))
    spread(shard, numbers, options, options.processes if on_cpu else 1)


def spread(work, numbers, options, processes):
    """Runs `work` on the numbers, in several processes."""
    if processes == 1:
        return [work((0, numbers, options))]
    context = torch.multiprocessing.get_context("spawn")
    os.environ["OMP_NUM_THREADS"] = "1"
    with context.Pool(processes) as pool:
        jobs = [(rank, numbers[rank::processes], options) for rank in range(processes)]
        return pool.map(work, jobs, chunksize=1)


if __name__ == "__main__":
    main()
