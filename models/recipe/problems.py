"""Problems about readings, rules, time and energy in English and French, each with a thought and a
verified answer.

The families are the modules of `families/`; a family, a language, wordings, numbers, names, layouts
and distractions are drawn afresh for every problem. Wordings held out are used for evaluation only.

    python problems.py --show 3 [--family rules] [--language fr] [--held-out] [--seed 7]
    python problems.py --statistics 2000
    python problems.py --wordings
"""

import argparse
import importlib
import json
import pathlib
import random
import re
import statistics

import drills
import noise
import wording
from assemble import Problem, reward
from wording import LANGUAGES

__all__ = ["FAMILIES", "LANGUAGES", "Problem", "drill", "problem", "reward", "stream"]

_MODULES = {
    path.stem: importlib.import_module(f"families.{path.stem}")
    for path in sorted((pathlib.Path(__file__).parent / "families").glob("[a-z]*.py"))
}
FAMILIES = tuple(_MODULES)
WEIGHTS = {name: module.WEIGHT for name, module in _MODULES.items()}


def problem(rng, family=None, language=None, held_out=False):
    """One problem; family and language are drawn where they are not given."""
    family = family or rng.choices(FAMILIES, WEIGHTS.values())[0]
    language = language or rng.choice(LANGUAGES)
    return _MODULES[family].make(rng, language, held_out)


# How often a family's bare questions are drilled: about by how many kinds of thoughts it has.
KINDS = {
    "action": 1, "aggregates": 2, "clock": 2, "compose": 2, "convert": 1, "energy": 1, "faults": 2, "flow": 1,
    "missing": 1, "percent": 2, "ranking": 4, "states": 3, "trend": 2,
}  # fmt: skip
# Kinds that the same question can begin over other data.
BY_DATA = re.compile(r"(many )?k?Wh$|bill|days|(net )?after|(net )?left|cost$|gap$")
KINDS_SHARE = 0.25  # Of the drills.


def drill(rng):
    """Bare single steps as they stand in thoughts, each as what is given and what follows."""
    return _kinds(rng) if rng.random() < KINDS_SHARE else drills.drill(rng)


def _kinds(rng):
    """Questions without their data, and what kind of thought each begins: they are short, so many wordings are met."""
    pairs, wanted = [], rng.randint(4, 7)
    while len(pairs) < wanted:
        made = problem(rng, rng.choices(list(KINDS), KINDS.values())[0])
        line = made.thought.partition("\n")[0]
        kind = line.partition("=")[0]
        # What hangs on the data or on a rule cannot be told from the question.
        hangs = " + " in kind or BY_DATA.match(kind) or re.search(r"\d|rule$", line)
        if not hangs and len(made.question) < 200:
            said = noise.said_otherwise(rng, made.question, made.language, made.literals, kind.lower().split())
            pairs.append((f"{said}\nkind\n", f"{kind}\n"))
    return pairs


def verify(made):
    """What the family's independent computation says the answer must hold; see
    `families/README.md`."""
    return _MODULES[made.family].verify(made)


def stream(seed, held_out=False, count=None):
    """Problems without end, or `count` of them, from a seed."""
    rng = random.Random(f"{seed}/{'held out' if held_out else 'seen'}")
    while count is None or count > 0:
        yield problem(rng, held_out=held_out)
        count = count - 1 if count is not None else None


def length(thought):
    """About how many tokens a thought takes: one a digit, one a sign, one for every four letters of
    a word."""
    tokens = re.findall(r"[^\W\d]{1,4}|\d|\n| ?[^\w\s]| (?=\d)", thought)
    return len(tokens)


def _show(made):
    print(f"=== {made.family} · {made.language} · {made.format} · {made.layout}")
    if made.system:
        print(f"[system] {made.system}")
    for turn in made.messages:
        print(f"[{turn['role']}] {turn['content']}")
    print(f"--- thought ({length(made.thought)})\n{made.thought}\n--- answer\n{made.answer}\n")


def _statistics(count, families, options):
    """Lengths of thoughts by family, and over the mix."""
    print(f"{'family':12} median  p90  max")
    everything = []
    for family in families:
        rng = random.Random(f"{options.seed}/{family}")
        share = max(20, int(count * WEIGHTS[family] / sum(WEIGHTS.values())))
        lengths = sorted(
            length(problem(rng, family, options.language, options.held_out).thought)
            for _ in range(share)
        )
        everything += lengths
        nine = lengths[int(len(lengths) * 0.9)]
        print(f"{family:12} {statistics.median(lengths):6.0f} {nine:4} {lengths[-1]:4}")
    print(f"{'all':12} {statistics.median(everything):6.0f}")


def _wordings():
    """How many templates and texts each wording file has, for training and held out."""
    print(f"{'file':12} language  templates      texts   held out: templates  texts")
    for name, loaded in wording.LOADED.items():
        for language in LANGUAGES:
            seen, held = loaded.counts(language, False), loaded.counts(language, True)
            print(f"{name:12} {language:8} {seen[0]:10} {seen[1]:10} {held[0]:21} {held[1]:6}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=2, help="problems to print per family")
    parser.add_argument("--family", choices=FAMILIES)
    parser.add_argument("--language", choices=LANGUAGES)
    parser.add_argument("--held-out", action="store_true", help="wordings kept from training")
    parser.add_argument("--drills", type=int, default=0, help="drills to print instead")
    parser.add_argument("--statistics", type=int, help="lengths of thoughts over so many problems")
    parser.add_argument("--wordings", action="store_true", help="count the wordings")
    options = parser.parse_args()
    if options.wordings:
        _wordings()
        return
    rng = random.Random(options.seed)
    families = (options.family,) if options.family else FAMILIES
    if options.statistics:
        _statistics(options.statistics, families, options)
        return
    for _ in range(options.drills):
        print(json.dumps(drill(rng), ensure_ascii=False))
    for family in () if options.drills else families:
        for _ in range(options.show):
            _show(problem(rng, family, options.language, options.held_out))


if __name__ == "__main__":
    main()
