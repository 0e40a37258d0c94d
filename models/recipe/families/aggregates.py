"""Mean, sum, minimum, maximum, range and median of up to 8 readings, and which place has the
highest or lowest."""

import statistics
from fractions import Fraction

import arithmetic
import telemetry
import wording
import words
from assemble import Amount, Answer, build

WEIGHT = 14
FAMILY = "aggregates"
KINDS = ("mean", "sum", "max", "min", "range", "median", "highest", "lowest")
NUMERIC = {"noun": words.Noun, "unit": str, "n": str}
PAIR = {"a": words.Noun, "b": words.Noun}
WORDING = wording.load(
    FAMILY,
    {
        **{kind: NUMERIC for kind in KINDS[:6]},
        **{f"{kind}_of": NUMERIC | {"data": str} for kind in KINDS[:6]},
        "highest": NUMERIC,
        "lowest": NUMERIC,
        "word": {"most": words.Adjective},
        "higher_of": PAIR | {"noun": words.Noun},
        "lower_of": PAIR | {"noun": words.Noun},
        "word_of": PAIR | {"most": words.Adjective},
        "rounded_0": {},
        "rounded_1": {},
    },
)
KEYS = {
    "mean": {"en": ["mean", "average", "answer"], "fr": ["moyenne", "answer", "valeur"]},
    "sum": {"en": ["sum", "total", "answer"], "fr": ["somme", "total", "answer"]},
    "max": {"en": ["max", "maximum", "answer"], "fr": ["max", "maximum", "answer"]},
    "min": {"en": ["min", "minimum", "answer"], "fr": ["min", "minimum", "answer"]},
    "range": {"en": ["range", "spread", "answer"], "fr": ["etendue", "ecart", "answer"]},
    "median": {"en": ["median", "answer"], "fr": ["mediane", "answer"]},
}
# Quantities whose sum means something.
SUMMABLE = {"power", "level", "current", "flow", "energy", "weight"}


def make(rng, language, held_out):
    kind = rng.choices(KINDS, [22, 14, 10, 10, 12, 10, 16, 14])[0]
    if kind in ("highest", "lowest"):
        which = _which_of_two if rng.random() < 0.25 else _which
        return which(rng, language, held_out, kind)
    return _value(rng, language, held_out, kind)


def _count(rng, kind):
    """How many readings: long lists are rarer where every item costs more steps."""
    weights = [1, 4, 6, 4, 2, 1, 1] if kind in ("range", "median") else [2, 5, 6, 5, 3, 2, 2]
    count = rng.choices(range(2, 9), weights)[0]
    return max(3, count) if kind == "median" else count


def _value(rng, language, held_out, kind):
    separator = telemetry.separator(rng, language)
    among = (lambda q: q.id in SUMMABLE) if kind == "sum" and rng.random() < 0.7 else None
    count = _count(rng, kind)
    readings = telemetry.draw(
        rng,
        language,
        count,
        held_out,
        whole_mean=kind == "mean" and rng.random() < 0.5,
        among=among,
        distinct=kind == "median",
    )
    slots = {"noun": readings.noun, "unit": readings.unit, "n": str(count)}
    told = None
    if rng.random() < 0.6:
        question = WORDING.say(rng, language, kind, held_out, **slots)
        told = telemetry.tell(
            rng, readings, separator, distract="noun" in question.slots and rng.random() < 0.3
        )
    elif rng.random() < 0.5:
        question = WORDING.say(rng, language, kind, held_out, **slots)
        told = (telemetry.timed if rng.random() < 0.3 else telemetry.series)(rng, readings, separator)
    else:
        data = telemetry.series(rng, readings, separator)
        slots["data"] = data.text
        question = WORDING.say(rng, language, f"{kind}_of", held_out, **slots)
        separator = data.separator or separator
    values, decimals = readings.values, readings.decimals
    rounding, places, phrasings = None, 2, []
    if kind == "mean" and rng.random() < 0.15:
        places = rng.choice([0, 1])
        rounding = WORDING.say(rng, language, f"rounded_{places}", held_out)
        phrasings.append(rounding)
    lines, value, value_decimals = _think(kind, values, decimals, places)
    answer = Answer(
        "{value}",
        {"value": Amount(value, value_decimals, readings.unit)},
        {"value": KEYS[kind][language]},
    )
    if rounding:
        question = _then(question, rounding)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [kind, *lines],
        answer,
        told,
        separator,
        facts={"kind": kind, "values": values, "decimals": decimals, "places": places},
        phrasings=phrasings,
    )


def _then(question, other):
    """Two wordings one after the other, the first one's source kept."""
    return question.within(f"{question.text} {other.text}")


def _think(kind, values, decimals, places):
    """The steps, the value and its decimals."""
    if kind in ("sum", "mean"):
        lines, total = arithmetic.running_sum(values, decimals)
        if kind == "sum":
            return [*lines, f"={arithmetic.text(total, decimals)}"], total, decimals
        line, value, made, _ = arithmetic.division(total, decimals, len(values), places)
        return [*lines, line], value, made
    if kind in ("max", "min"):
        lines, found = arithmetic.best(values, decimals, ">" if kind == "max" else "<")
        return [*lines, f"={arithmetic.text(values[found], decimals)}"], values[found], decimals
    if kind == "range":
        lines, high, low = arithmetic.extremes(values, decimals)
        line, value = arithmetic.difference(values[high], values[low], decimals)
        return [*lines, line], value, decimals
    lines, order = arithmetic.ordering(values, decimals)
    middle = len(order) // 2
    if len(order) % 2:
        value = values[order[middle]]
        return [*lines, f"*{order[middle] + 1}={arithmetic.text(value, decimals)}"], value, decimals
    a, b = values[order[middle - 1]], values[order[middle]]
    lines.append(f"*{order[middle - 1] + 1}{order[middle] + 1}")
    sums, total = arithmetic.running_sum([a, b], decimals)
    line, value, made, _ = arithmetic.division(total, decimals, 2)
    return [*lines, *sums, line], value, made


def _adjectives(quantity, language, kind):
    """What the one with most, or with least, may be called: warmest, hottest."""
    return (quantity.most if kind == "highest" else quantity.least)[language]


def _draw(rng, language, held_out, kind, count, by_word):
    """Readings that all differ, of rooms that can be called `warmest` or the like if it goes `by_word`."""

    def fits(quantity):
        return not by_word or _adjectives(quantity, language, kind)

    places = True if by_word else None
    return telemetry.draw(rng, language, count, held_out, distinct=True, places=places, among=fits)


def _which(rng, language, held_out, kind):
    separator = telemetry.separator(rng, language)
    count = rng.choices(range(2, 9), [1, 5, 6, 4, 2, 1, 1])[0]
    by_word = rng.random() < 0.45
    readings = _draw(rng, language, held_out, kind, count, by_word)
    slots = {"noun": readings.noun, "unit": readings.unit, "n": str(count)}
    if by_word:
        most = rng.choice(_adjectives(readings.quantity, language, kind))
        question = WORDING.say(rng, language, "word", held_out, most=most)
    else:
        question = WORDING.say(rng, language, kind, held_out, **slots)
    distract = (by_word or "noun" in question.slots) and rng.random() < 0.3
    told = telemetry.tell(rng, readings, separator, distract=distract)
    return _named(
        rng, language, held_out, kind, question, readings, told, separator, range(count)
    )


def _which_of_two(rng, language, held_out, kind):
    """Which of two is warmer; if there are more than two, the question names the two it means."""
    separator = telemetry.separator(rng, language)
    count = rng.choices(range(2, 6), [6, 3, 2, 1])[0]
    by_word = rng.random() < 0.55
    readings = _draw(rng, language, held_out, kind, count, by_word)
    told = telemetry.tell(rng, readings, separator)
    pair = rng.sample(range(count), 2)
    a, b = (words.Noun(told.names[i], language, "") for i in pair)
    if by_word:
        section = "word_of"
        slots = {"most": rng.choice(_adjectives(readings.quantity, language, kind))}
    else:
        section = "higher_of" if kind == "highest" else "lower_of"
        slots = {"noun": readings.noun}
    while True:
        question = WORDING.say(rng, language, section, held_out, a=a, b=b, **slots)
        if {"a", "b"} <= question.slots:
            break
        if count == 2 and not {"a", "b"} & question.slots:
            pair.sort()
            break
    return _named(rng, language, held_out, kind, question, readings, told, separator, pair)


def _named(rng, language, held_out, kind, question, readings, told, separator, among):
    """The one of the readings `among` (their numbers, in the order they are looked at) that has the most or least."""
    values, names = ([made[i] for i in among] for made in (readings.values, told.names))
    relation = ">" if kind == "highest" else "<"
    lines, found = arithmetic.best(values, readings.decimals, relation, names)
    answer = Answer(
        "{name} ({value})",
        {
            "name": names[found],
            "value": Amount(values[found], readings.decimals, readings.unit),
        },
        capital=False,
    )
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [f"which {'max' if kind == 'highest' else 'min'}", *lines],
        answer,
        told,
        separator,
        facts={
            "kind": kind,
            "values": values,
            "decimals": readings.decimals,
            "names": names,
        },
    )


def verify(problem):
    """The plain answer's number or name, computed another way from the facts: what must occur in
    the answer."""
    facts = problem.facts
    values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
    kind = facts["kind"]
    if kind in ("highest", "lowest"):
        best = max(values) if kind == "highest" else min(values)
        return facts["names"][values.index(best)]
    exact = {
        "mean": lambda: sum(values) / len(values),
        "sum": lambda: sum(values),
        "max": lambda: max(values),
        "min": lambda: min(values),
        "range": lambda: max(values) - min(values),
        "median": lambda: statistics.median(values),
    }[kind]()
    scale = 10 ** facts["places"]
    half = Fraction(1, 2)
    whole = int(abs(exact) * scale + half)
    return Fraction(whole if exact >= 0 else -whole, scale)
