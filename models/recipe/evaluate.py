"""Measures models on fresh problems, and writes EVAL.md from what was measured.

    python evaluate.py --write-problems FILE.jsonl --count 10 --seed 1001      # for every engine the same problems
    python evaluate.py --problems FILE.jsonl --checkpoint WORK/final.pt --tokenizer DIR --report float.json
    python evaluate.py --problems FILE.jsonl --checkpoint WORK/final.pt --tokenizer DIR --int4 --report int4.json
    python evaluate.py --problems FILE.jsonl --model ../thinkd-mini --report ort.json
    thinkd eval FILE.jsonl --json thinkd.json
    python evaluate.py --problems FILE.jsonl --card ../thinkd-mini/EVAL.md --name thinkd-mini \\
        --run "float=float.json" --run "int4=ort.json" --run "thinkd=thinkd.json" \\
        --run "teacher=t.json" --run "not distilled=s.json" --run "distilled=float.json" \\
        --by-hand ../thinkd-mini/eval/by_hand.jsonl --by-hand-run "thinkd=hand.json"

A line of the problem file is `{"id", "messages", "answer", "family", "language", "format",
"held_out"}`; a system prompt is the first message. `--count` is per family, language and phrasing
group. A report is `{"runtime", "model", "results": [{"id", "text"}]}` with the text as it was
generated, thought included, or with `"answer"` (null if the thought was not closed), `"thought"` and
perhaps `"tokens"` and `"thought_tokens"` apart. Answers are judged here, whoever gave them.
Intervals are Wilson's at 95 %.
"""

import argparse
import collections
import hashlib
import json
import math
import multiprocessing
import pathlib
import random
import statistics
import time

import data
import problems
import tokenizer as tokens

LIMIT = 400  # Tokens a model may write.


# Problems ----------------------------------------------------------------------------------------


def fresh(seed, count):
    """`count` problems of every family in every language, in seen and in held-out phrasings."""
    for family in data.FAMILIES:
        for language in data.LANGUAGES:
            for held_out in (False, True):
                rng = random.Random(f"fresh/{seed}/{family}/{language}/{held_out}")
                for _ in range(count):
                    yield problems.problem(rng, family, language, held_out)


def write_problems(path, seed, count):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        for number, problem in enumerate(fresh(seed, count)):
            system = [{"role": "system", "content": problem.system}] if problem.system else []
            line = {
                "id": f"{seed}-{number}",
                "messages": system + list(problem.messages),
                "answer": problem.answer,
                "family": problem.family,
                "language": problem.language,
                "format": problem.format,
                "held_out": problem.held_out,
            }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_problems(path):
    """The problems of a file by their ids."""
    made = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        system = "".join(m["content"] for m in entry["messages"] if m["role"] == "system")
        made[entry["id"]] = problems.Problem(
            family=entry["family"],
            language=entry["language"],
            layout="",
            system=system,
            messages=[m for m in entry["messages"] if m["role"] != "system"],
            thought="",
            answer=entry["answer"],
            format=entry["format"],
            held_out=entry["held_out"],
        )
    return made


# Runs --------------------------------------------------------------------------------------------


def in_torch(job):
    """Answers of a checkpoint to some of the problems."""
    import torch

    import model as models
    from generate import Generator

    options, made = job
    if options.device == "cpu":
        torch.set_num_threads(1)
    net, _ = models.load(options.checkpoint, rounded=options.int4)
    encoder = data.Encoder(options.tokenizer)
    generator = Generator(net, encoder.end, options.device)
    prompts = [encoder.prompt(problem) for problem in made.values()]
    written = generator.all(prompts, LIMIT, options.batch)
    return [
        {"id": name, "text": encoder.decode(text.ids), "tokens": len(text.ids)}
        for name, (text,) in zip(made, written)
    ]


def in_onnx_runtime(job):
    """Answers of an exported directory to some of the problems."""
    from runtime import Exported

    options, made = job
    model, done = Exported(options.model, options.accuracy_level), []
    for name, problem in made.items():
        text, count = model.write(problem.system, problem.messages, LIMIT)
        done.append({"id": name, "text": text, "tokens": count})
    return done


def answer_all(options, made):
    """Runs a checkpoint or a directory on all problems, and writes the report."""
    begun = time.time()
    work = in_torch if options.checkpoint else in_onnx_runtime
    processes = 1 if options.checkpoint and options.device != "cpu" else options.processes
    names = list(made)
    jobs = [(options, {name: made[name] for name in names[i::processes]}) for i in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        results = [entry for part in pool.map(work, jobs, chunksize=1) for entry in part]
    report = {
        "runtime": "torch" if options.checkpoint else "onnxruntime",
        "model": (options.checkpoint or options.model).name,
        "int4": bool(options.model or options.int4),
        "results": results,
    }
    options.report.write_text(json.dumps(report, ensure_ascii=False, indent=0) + "\n")
    print(f"{len(results)} problems in {time.time() - begun:.0f} s")
    run = Run(options.report.stem, report, made)
    print("\n".join(family_table([run])))
    print(*facts(run), sep="\n")


class Run:
    """A report, judged."""

    def __init__(self, name, report, made):
        self.name, self.entries, self.made = name, [], made
        lengths = []
        for result in report["results"]:
            if result["id"] not in made:
                continue
            problem = made[result["id"]]
            text = result.get("text")
            if text is None:
                answer = result.get("answer")
                closed = answer is not None
                text = (
                    f"{result.get('thought') or ''}\n{tokens.THINK_END}{answer}" if closed else ""
                )
            thought, answer, right = data.judge(problem, text)
            self.entries.append((problem, thought, answer, right))
            lengths.append((result.get("thought_tokens"), result.get("tokens"), thought))
        self.lengths = lengths

    def tally(self, where=lambda problem: True):
        chosen = [right for problem, _, _, right in self.entries if where(problem)]
        return sum(chosen), len(chosen)

    def closed(self):
        return sum(answer is not None for _, _, answer, _ in self.entries), len(self.entries)

    def json_valid(self):
        asked = [answer for problem, _, answer, _ in self.entries if problem.format == "json"]
        return sum(is_json(answer) for answer in asked), len(asked)


def is_json(text):
    try:
        return isinstance(json.loads(text or ""), (dict, list))
    except ValueError:
        return False


# Tables ------------------------------------------------------------------------------------------


def wilson(right, count, z=1.96):
    """The 95 % interval of a share, in per cent."""
    if not count:
        return 0.0, 100.0
    share, spread = right / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return 100 * max(0, centre - half), 100 * min(1, centre + half)


def cell(right, count):
    if not count:
        return "–"
    low, high = wilson(right, count)
    return f"{100 * right / count:.1f} ({low:.0f}–{high:.0f})"


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


GROUPS = (("seen", False), ("held-out", True))


def family_table(runs):
    """Families by phrasing group, one pair of columns a run."""
    head = ["family"] + [f"{run.name}, {group}" for run in runs for group, _ in GROUPS]
    rows = []
    for family in [*data.FAMILIES, None]:
        row = [family or "**all**"]
        for run in runs:
            for _, held_out in GROUPS:
                row.append(
                    cell(
                        *run.tally(lambda p: p.held_out == held_out and family in (None, p.family))
                    )
                )
        rows.append(row)
    return list(table(head, rows))


def split_table(run):
    """One run by family, language and format, both phrasing groups."""
    kinds = sorted({(p.language, p.format, p.held_out) for p, *_ in run.entries})
    head = ["family"] + [f"{lang} {form}, {GROUPS[h][0]}" for lang, form, h in kinds]
    rows = []
    for family in [*data.FAMILIES, None]:
        row = [family or "**all**"]
        for kind in kinds:
            row.append(
                cell(
                    *run.tally(
                        lambda p: (
                            (p.language, p.format, p.held_out) == kind
                            and family in (None, p.family)
                        )
                    )
                )
            )
        rows.append(row)
    return list(table(head, rows))


def facts(run):
    """What is asked of thoughts, JSON and refusals."""
    lengths = [count for count, _, _ in run.lengths if count is not None]
    whole = [count for _, count, _ in run.lengths if count is not None]
    yield f"- thoughts closed: {cell(*run.closed())} %"
    if lengths:
        yield f"- median thought: {statistics.median(lengths):.0f} tokens"
    if whole:
        yield f"- thought and answer: median {statistics.median(whole):.0f}, longest {max(whole)} tokens"
    yield f"- valid JSON where JSON was asked for: {cell(*run.json_valid())} %"
    refusals = [family for family in data.FAMILIES if "refus" in family]
    yield f"- honest refusals: {cell(*run.tally(lambda p: p.family in refusals))} %"
    for language in data.LANGUAGES:
        yield f"- {language}: {cell(*run.tally(lambda p: p.language == language))} %"


def measure_thoughts(run, encoder):
    """Counts thoughts in tokens where the report did not."""
    run.lengths = [
        (len(encoder.encode(thought)) if inside is None else inside, whole, thought)
        for inside, whole, thought in run.lengths
    ]


# The card ----------------------------------------------------------------------------------------

NOT_FOR = """\
- anything but the families above: it has read nothing else, and a question it does not know may
  get a fluent wrong answer of a family it does know instead of a refusal
- wording far from the phrasings it was trained on: the held-out columns show what that costs, and
  those phrasings were still written by the same hands
- numbers larger, longer or more of them than the generator draws
- any decision whose failure would harm: check its answer by a rule where it matters"""


PART = 160  # Questions by hand that were written at one time.


def by_hand(runs):
    """What became of the questions that were written by hand, for the card."""
    made = [problem for problem, *_ in runs[0].entries]
    part = {id(problem): at // PART for at, problem in enumerate(made)}
    return [
        "## Questions written by hand",
        "",
        f"{len(made)} questions that no generator made, in words and with names of their own; their writers"
        " knew the families and the form of the answers, not the wordings of the training set; they came in parts of"
        f" {PART}, and failures of all but the last were read before this model was trained.",
        "",
        *table(
            ["", *(run.name for run in runs)],
            [
                [title, *(cell(*run.tally(where)) for run in runs)]
                for title, where in [
                    *((f, lambda p, f=f: p.family == f) for f in data.FAMILIES),
                    *((lang, lambda p, lang=lang: p.language == lang) for lang in data.LANGUAGES),
                    *(
                        (f"{at * PART + 1} to {(at + 1) * PART}", lambda p, at=at: part.get(id(p)) == at)
                        for at in range(len(made) // PART)
                    ),
                    ("**all**", lambda p: True),
                ]
            ],
        ),
        "",
    ]


SIDE_BY_SIDE = "## Engines and stages side by side"


def fingerprint(path):
    """What tells one file of problems from another, as the card says it."""
    return f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def kept_rows(path, names, problems):
    """Rows of these runs in a card that was written before: of weights that are no longer there."""
    intro, _, rest = path.read_text(encoding="utf-8").partition(f"{SIDE_BY_SIDE}\n")
    if fingerprint(problems) not in intro:
        raise SystemExit(f"{path} is of other problems than {problems} ({fingerprint(problems)}): no row of it can be kept")
    rows = (line.strip("| ").split(" | ") for line in rest.partition("\n## ")[0].splitlines())
    found = {cells[0].removesuffix(" †"): cells[1:] for cells in rows}
    if missing := [name for name in names if name not in found]:
        raise SystemExit(f"{path} has no run {', '.join(missing)} side by side with others")
    return [[f"{name} †", *found[name]] for name in names]


KEPT = "† measured for an earlier card on the same problems; those weights are no longer there."


def card(name, runs, hand, made, failures, of, kept=()):
    """The text of EVAL.md; `of` tells which problems they were."""
    count = collections.Counter(problem.held_out for problem in made.values())
    lines = [
        f"# What {name} gets right",
        "",
        "Written by `models/recipe/evaluate.py` from its runs; not edited by hand.",
        "",
        f"{len(made)} fresh problems ({of}), {count[False]} in phrasings of the training set and {count[True]} in phrasings"
        " kept out of it; numbers, names and layouts are new in all of them. Searched greedily, judged on the whole"
        " answer. Per cent right, in brackets the 95 % interval.",
        "",
        SIDE_BY_SIDE,
        "",
        *table(
            [
                "run",
                *(group for group, _ in GROUPS),
                *data.LANGUAGES,
                "thoughts closed",
                "valid JSON",
            ],
            [
                [
                    run.name,
                    *(cell(*run.tally(lambda p: p.held_out == h)) for _, h in GROUPS),
                    *(cell(*run.tally(lambda p: p.language == lang)) for lang in data.LANGUAGES),
                    cell(*run.closed()),
                    cell(*run.json_valid()),
                ]
                for run in runs
            ]
            + list(kept),
        ),
        "",
        *([KEPT, ""] if kept else []),
        "## By family",
        "",
        *family_table(runs),
        "",
    ]
    for run in runs:
        lines += [
            f"## {run.name}: by language and format",
            "",
            *split_table(run),
            "",
            *facts(run),
            "",
        ]
    lines += by_hand(hand) if hand else []
    lines += [
        "## Failures",
        "",
        f"From the run “{runs[0].name}”, one of each family that has any.",
        "",
    ]
    shown = set()
    for problem, thought, answer, right in runs[0].entries:
        if right or problem.family in shown or len(shown) >= failures:
            continue
        shown.add(problem.family)
        said = "\n".join(f"{m['role']}: {m['content']}" for m in problem.messages)
        lines += [
            f"### {problem.family}, {problem.language}, {'held-out' if problem.held_out else 'seen'} phrasing",
            "",
            "```text",
            said,
            "---",
            thought,
            "---",
            f"said:   {answer}",
            f"wanted: {problem.answer}",
            "```",
            "",
        ]
    lines += ["## Not good for", "", NOT_FOR, ""]
    return "\n".join(lines)


def read_run(entry, made, encoder):
    """The run of a `NAME=REPORT` option."""
    name, _, path = entry.partition("=")
    run = Run(name, json.loads(pathlib.Path(path).read_text(encoding="utf-8")), made)
    measure_thoughts(run, encoder)
    return run


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write-problems", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--problems", type=pathlib.Path)
    parser.add_argument(
        "--checkpoint", type=pathlib.Path, help="answer with a checkpoint, in PyTorch"
    )
    parser.add_argument("--int4", action="store_true", help="with its weights rounded to int4")
    parser.add_argument(
        "--model", type=pathlib.Path, help="answer with a directory, in ONNX Runtime"
    )
    parser.add_argument(
        "--accuracy-level", type=int, help="of every MatMulNBits, instead of the file's"
    )
    parser.add_argument("--tokenizer", type=pathlib.Path)
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--card", type=pathlib.Path, help="EVAL.md to write")
    parser.add_argument("--name", default="thinkd-mini")
    parser.add_argument("--run", action="append", default=[], metavar="NAME=REPORT")
    parser.add_argument(
        "--kept-run",
        action="append",
        default=[],
        metavar="NAME",
        help="row of the card that is there, of the same problems, to keep in it",
    )
    parser.add_argument("--by-hand", type=pathlib.Path, help="problems for a section of their own")
    parser.add_argument("--by-hand-run", action="append", default=[], metavar="NAME=REPORT")
    parser.add_argument("--failures", type=int, default=30, help="examples in the card, at most")
    options = parser.parse_args()
    if options.write_problems:
        write_problems(options.write_problems, options.seed, options.count)
    elif options.card:
        if bool(options.by_hand) != bool(options.by_hand_run):
            parser.error("--by-hand and --by-hand-run go together")
        made, encoder = (
            read_problems(options.problems),
            data.Encoder(options.tokenizer or options.card.parent),
        )
        runs = [read_run(entry, made, encoder) for entry in options.run]
        asked = read_problems(options.by_hand) if options.by_hand else {}
        hand = [read_run(entry, asked, encoder) for entry in options.by_hand_run]
        kept = kept_rows(options.card, options.kept_run, options.problems) if options.kept_run else []
        text = card(options.name, runs, hand, made, options.failures, fingerprint(options.problems), kept)
        options.card.write_text(text, encoding="utf-8")
    elif options.problems and options.report and (options.checkpoint or options.model):
        answer_all(options, read_problems(options.problems))
    else:
        parser.error("say what to do: --write-problems, --report with a model, or --card")


if __name__ == "__main__":
    main()
