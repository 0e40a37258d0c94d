"""Short dialogues: a question, its answer, and one question more that leans on both.

The first question is one of another family and answered rightly; the problem is the second.
"""

import dataclasses
import math
import statistics
from fractions import Fraction

import arithmetic
import assemble
import naming
import relations
import statement
import telemetry
import units
import wording
import words
from assemble import Amount, Answer, build
from families import aggregates, clock, compose, convert, energy, flow, rules, states
from words import Noun

WEIGHT = 9
FAMILY = "dialogue"
NUMERIC = ("mean", "sum", "max", "min", "range")
# What may be another one in the second question: a rate, a content, a power, a running time, an energy, what is converted.
AMOUNTS = ("rate", "content", "power", "time", "energy", "measure")
PLACE = {"place": Noun, "noun": Noun}
# After devices in a state were counted or listed: their names, their number, the same of the other state.
DEVICES = ("which_ones", "how_many", "and_which", "and_count")
WORDING = wording.load(
    FAMILY,
    {
        **{f"then_{kind}": {"noun": Noun} for kind in NUMERIC},
        "then_highest": {"noun": Noun},
        "then_lowest": {"noun": Noun},
        "then_second": {},
        "again": {},
        "both_ends": {"noun": Noun},
        "costs_then": {"price": str},
        "empty_then": {"unit": Noun},
        **{kind: {"one": Noun, "many": Noun, "state": str, "states": str} for kind in DEVICES},
        "new_limit": {"limit": str},
        "new_value": {"noun": Noun, "value": str},
        "why": {},
        "in_unit": {"unit": str},
        "value": PLACE,
        "and_place": PLACE,
        "without": {"place": Noun},
        "that_gt": {"limit": str},
        "that_lt": {"limit": str},
        "later": {"dur": str},
        "from_time": {"time": str},
        "lasting": {"dur": str},
        "price_now": {"price": str},
        **{f"{name}_now": {"value": str} for name in AMOUNTS},
        "both_now": {"a": str, "b": str},
        "supplied": {"what": Noun, "value": str},
        "corrected": {"place": Noun, "value": str},
        "same_for": {},
        "device_now": {"name": str, "state": str},
        "times_that": {"n": str},
        "of_them": {"n": str},
        "half_of_that": {},
        "shared_by": {"n": str},
    },
)
WHY = {
    "en": {
        ">": ("is above", "is not above"),
        "<": ("is below", "is not below"),
        ">=": ("is at least", "is not at least"),
        "<=": ("is at most", "is not at most"),
    },
    "fr": {
        ">": ("est au-dessus de", "n'est pas au-dessus de"),
        "<": ("est en dessous de", "n'est pas en dessous de"),
        ">=": ("est d'au moins", "n'est pas d'au moins"),
        "<=": ("est d'au plus", "n'est pas d'au plus"),
    },
}
# What JSON may call the highest and the lowest.
ENDS = {
    "max": {
        "en": ["max", "highest", "maximum", "top", "high", "max_value", "peak"],
        "fr": ["max", "maximum", "haut", "plus_haut", "valeur_max", "le_plus_haut", "maxi"],
    },
    "min": {
        "en": ["min", "lowest", "minimum", "bottom", "low", "min_value", "trough"],
        "fr": ["min", "minimum", "bas", "plus_bas", "valeur_min", "le_plus_bas", "mini"],
    },
}
BECAUSE = {"en": "Because {reason}.", "fr": "Parce que {reason}."}
LACKING = {
    "en": "There is not enough information: {what.the} {what.be} missing.",
    "fr": "Il n'y a pas assez d'informations : {what.the} manque{end}.",
}
# Families whose questions may follow a turn that has nothing to do with them.
FRESH = {module.FAMILY: module for module in (aggregates, clock, convert, energy, flow, rules, states)}


@dataclasses.dataclass
class First:
    """The first question and its answer as turns, and what later ones may need of them."""

    turns: list
    separator: str
    layout: str
    phrasings: tuple


def make(rng, language, held_out):
    kind = rng.choices(
        [
            _aggregate, _which, _rule, _why, _unit, _place, _without, _beyond, _clock, _price, _changed, _devices,
            _again, _ends, _cost, _emptying, _supplied, _renewed, _corrected, _device_changed, _scaled, _fresh,
        ],
        [16, 11, 22, 14, 12, 12, 8, 12, 18, 7, 28, 11, 9, 5, 10, 6, 10, 12, 12, 8, 9, 9],
    )[0]  # fmt: skip
    return kind(rng, language, held_out)


def says(language, what):
    """The answer's text for the noun of what is missing."""
    return LACKING[language].format(what=what, end="nt" if what.plural else "")


def reading_of(language, place):
    """`the reading of the hall`, for a place or a name."""
    return Noun(f"{'reading' if language == 'en' else 'mesure'} {place.of_the}", language, "f")


def _first(rng, language, held_out, question, answer, told=None, separator="", others=(), rule=""):
    """Asks and answers the first question."""
    text = assemble.untidy(rng, language, question.text, True)
    text = f"{rule} {text}" if rule and rng.random() < 0.8 else f"{text} {rule}".strip()
    prompt = assemble.dress(rng, language, held_out, text, told)
    amount = answer.amount()
    stated = amount is not None and assemble.unit_stated(prompt, amount.unit)
    point = (told.separator if told else "") or separator or telemetry.DEFAULT_SEPARATOR[language]
    turns = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": answer.spoken(point, stated)},
    ]
    layout = told.layout if told else "none"
    return First(turns, point, layout, (question, *others))


def _then(rng, language, held_out, first, question, thought, answer, facts, told=None, **rest):
    """The second question, to which new data may belong."""
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        thought,
        answer,
        told,
        first.separator,
        history=first.turns,
        layout=None if told else first.layout,
        facts=facts,
        phrasings=first.phrasings,
        **rest,
    )


# Readings ------------------------------------------------------------


def _asked(rng, language, held_out, kind, readings, told, separator):
    """A question for an aggregate of readings, answered."""
    question, answer, _ = _question(rng, language, held_out, kind, readings, told)
    return _first(rng, language, held_out, question, answer, told, separator)


def _question(rng, language, held_out, kind, readings, told):
    """A question for an aggregate of readings, its answer, and what that is exactly: a number or a name."""
    question = aggregates.WORDING.say(
        rng,
        language,
        kind,
        held_out,
        noun=readings.noun,
        unit=readings.unit,
        n=str(len(readings.values)),
    )
    if kind in ("highest", "lowest"):
        relation = ">" if kind == "highest" else "<"
        found = arithmetic.best(readings.values, readings.decimals, relation)[1]
        amount = Amount(readings.values[found], readings.decimals, readings.unit)
        answer = Answer(
            "{name} ({value})", {"name": told.names[found], "value": amount}, capital=False
        )
        return question, answer, told.names[found]
    _, value, decimals = aggregates.think(kind, readings.values, readings.decimals, 2)
    answer = Answer("{value}", {"value": Amount(value, decimals, readings.unit)})
    return question, answer, Fraction(value, 10**decimals)


def _numeric(readings, kind, values):
    """The steps, answer and facts of an aggregate of `values`, readings or some of them."""
    lines, value, decimals = aggregates.think(kind, values, readings.decimals, 2)
    answer = Answer("{value}", {"value": Amount(value, decimals, readings.unit)})
    facts = {"kind": kind, "values": values, "decimals": readings.decimals}
    return [kind, *lines], answer, facts


def _aggregate(rng, language, held_out):
    """One aggregate after another."""
    separator = telemetry.separator(rng, language)
    before, after = rng.sample(NUMERIC, 2)
    if rng.random() < 0.25:
        before, after = rng.choice(["highest", "lowest"]), rng.choice(["mean", "sum", "range"])
    among = (lambda q: q.id in aggregates.SUMMABLE) if "sum" in (before, after) else None
    readings = telemetry.draw(
        rng,
        language,
        rng.choice([2, 3, 3, 4]),
        held_out,
        distinct=True,
        whole_mean=after == "mean" and rng.random() < 0.7,
        among=among,
    )
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, before, readings, told, separator)
    question = WORDING.say(rng, language, f"then_{after}", held_out, noun=readings.noun)
    thought, answer, facts = _numeric(readings, after, readings.values)
    return _then(rng, language, held_out, first, question, thought, answer, facts)


def _which(rng, language, held_out):
    """The highest place and then the lowest or the second, or the reverse; or either of them after a number."""
    separator = telemetry.separator(rng, language)
    before, after = rng.choice([("highest", "lowest"), ("lowest", "highest")])
    second = rng.random() < 0.35
    if not second and rng.random() < 0.5:
        before = rng.choice(["mean", "sum", "range"])
    count = rng.choice([3, 3, 4, 5] if second else [2, 3, 3, 4, 5])
    among = (lambda q: q.id in aggregates.SUMMABLE) if before == "sum" else None
    readings = telemetry.draw(
        rng, language, count, held_out, distinct=True, whole_mean=before == "mean", among=among
    )
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, before, readings, told, separator)
    if second:
        up = before == "lowest"
        question = WORDING.say(rng, language, "then_second", held_out)
        lines, order = arithmetic.ordering(
            readings.values, readings.decimals, told.names, relation="<" if up else ">", keep=2
        )
        found, thought = order[1], [f"second{' up' if up else ''}", *lines]
    else:
        if before in ("highest", "lowest"):
            question = WORDING.say(rng, language, f"then_{after}", held_out, noun=readings.noun)
        else:
            # After a number, `And the lowest?` would be another one.
            question = _question(rng, language, held_out, after, readings, told)[0]
        relation = ">" if after == "highest" else "<"
        lines, found = arithmetic.best(readings.values, readings.decimals, relation, told.names)
        thought = [f"which {'max' if after == 'highest' else 'min'}", *lines]
    amount = Amount(readings.values[found], readings.decimals, readings.unit)
    answer = Answer("{name} ({value})", {"name": told.names[found], "value": amount}, capital=False)
    facts = {"kind": f"second {before}" if second else after, "values": readings.values, "names": told.names}
    return _then(rng, language, held_out, first, question, thought, answer, facts)


def _again(rng, language, held_out):
    """What was answered, once more as JSON."""
    separator = telemetry.separator(rng, language)
    if rng.random() < 0.35:
        told, question, answer, _, exact = _devices_asked(rng, language, held_out, rng.choice(["which", "count"]))
    else:
        kind = rng.choice([*NUMERIC, "highest", "lowest"])
        among = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
        readings = telemetry.draw(
            rng, language, rng.choice([2, 3, 4]), held_out, distinct=True, whole_mean=True, among=among
        )
        told = telemetry.tell(rng, readings, separator)
        question, answer, exact = _question(rng, language, held_out, kind, readings, told)
    first = _first(rng, language, held_out, question, answer, told, separator)
    question = WORDING.say(rng, language, "again", held_out)
    facts = {"kind": "again", "exact": exact}
    return _then(rng, language, held_out, first, question, ["again"], answer, facts, json_share=1)


def _ends(rng, language, held_out):
    """After another aggregate, the highest and the lowest reading at once."""
    separator = telemetry.separator(rng, language)
    kind = rng.choice(["mean", "sum", "range"])
    among = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    readings = telemetry.draw(
        rng, language, rng.choice([3, 4, 5]), held_out, distinct=True, whole_mean=True, among=among
    )
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, kind, readings, told, separator)
    question = WORDING.say(rng, language, "both_ends", held_out, noun=readings.noun)
    lines, top, low = arithmetic.extremes(readings.values, readings.decimals)
    thought = ["max + min", *lines, f"={readings.value(top)}", f"={readings.value(low)}"]
    top, low = readings.values[top], readings.values[low]
    fields = {"max": Amount(top, readings.decimals, readings.unit), "min": Amount(low, readings.decimals, readings.unit)}
    answer = Answer("{max}", fields, {name: ENDS[name][language] for name in fields}, several=True)
    facts = {"kind": "ends", "values": readings.values, "decimals": readings.decimals}
    return _then(rng, language, held_out, first, question, thought, answer, facts)


def _place(rng, language, held_out):
    """One place after another; a place that is not there is said to be missing."""
    separator = telemetry.separator(rng, language)
    count = rng.choice([2, 3, 3, 4, 5])
    readings = telemetry.draw(rng, language, count + 1, held_out)
    absent = rng.random() < 0.4
    lost, lost_value = readings.names.pop(), readings.values.pop()
    del lost_value
    told = telemetry.tell(rng, readings, separator, distract=rng.random() < 0.2)
    i, j = rng.sample(range(count), 2)
    question = WORDING.say(
        rng, language, "value", held_out, place=readings.names[i], noun=readings.noun
    )
    amount = Amount(readings.values[i], readings.decimals, readings.unit)
    first = _first(
        rng, language, held_out, question, Answer("{value}", {"value": amount}), told, separator
    )
    place = lost if absent else readings.names[j]
    question = WORDING.say(rng, language, "and_place", held_out, place=place, noun=readings.noun)
    if absent:
        text = says(language, reading_of(language, place))
        answer, thought = Answer("{value}", {"value": text}), ["value", f"{place} ?"]
        facts = {"kind": "text", "text": text}
    else:
        amount = Amount(readings.values[j], readings.decimals, readings.unit)
        answer = Answer("{value}", {"value": amount})
        thought = ["value", f"{told.names[j]} {readings.value(j)}"]
        facts = {"kind": "max", "values": [readings.values[j]], "decimals": readings.decimals}
    return _then(rng, language, held_out, first, question, thought, answer, facts, exact=True)


def _without(rng, language, held_out):
    """The same aggregate with one place left out."""
    separator = telemetry.separator(rng, language)
    kind = rng.choice(["mean", "sum", "max", "min"])
    among = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    for _ in range(100):
        readings = telemetry.draw(
            rng, language, rng.choice([3, 3, 4]), held_out, distinct=True, among=among
        )
        out = rng.randrange(len(readings.values))
        rest = [value for i, value in enumerate(readings.values) if i != out]
        if kind != "mean" or sum(rest) % len(rest) == 0:
            break
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, kind, readings, told, separator)
    question = WORDING.say(rng, language, "without", held_out, place=readings.names[out])
    thought, answer, facts = _numeric(readings, kind, rest)
    return _then(rng, language, held_out, first, question, thought, answer, facts, exact=True)


def _found(readings, names, kind):
    """The thought, answer and facts of any aggregate of the readings: a number, or a name and its value."""
    if kind not in ("highest", "lowest"):
        return _numeric(readings, kind, readings.values)
    relation = ">" if kind == "highest" else "<"
    lines, found = arithmetic.best(readings.values, readings.decimals, relation, names)
    amount = Amount(readings.values[found], readings.decimals, readings.unit)
    answer = Answer("{name} ({value})", {"name": names[found], "value": amount}, capital=False)
    facts = {"kind": kind, "values": list(readings.values), "names": names}
    return [f"which {'max' if relation == '>' else 'min'}", *lines], answer, facts


def _corrected(rng, language, held_out):
    """The same aggregate after one of the readings turned out to be another."""
    separator = telemetry.separator(rng, language)
    kind = rng.choice([*NUMERIC, "highest", "lowest"])
    among = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    readings = telemetry.draw(
        rng, language, rng.choice([2, 3, 3, 4]), held_out, distinct=True, whole_mean=kind == "mean", among=among
    )
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, kind, readings, told, separator)
    i, count = rng.randrange(len(readings.values)), len(readings.values)
    reach = max(2 * count, abs(readings.values[i]) // rng.choice([5, 10, 20]))
    value = readings.values[i]
    while value in readings.values or (value <= 0 < readings.values[i]):
        value = readings.values[i] + rng.randint(-reach, reach)
        if kind == "mean" and rng.random() < 0.8:
            value += (readings.values[i] - value) % count
    readings.values[i] = value
    text = f"{telemetry.written(readings.value(i), first.separator)} {readings.unit}"
    question = WORDING.say(rng, language, "corrected", held_out, place=readings.names[i], value=text)
    thought, answer, facts = _found(readings, told.names, kind)
    return _then(rng, language, held_out, first, question, thought, answer, facts, exact=True)


def _renewed(rng, language, held_out):
    """The same aggregate of new readings, of the same places or of others."""
    separator = telemetry.separator(rng, language)
    kind = rng.choice([*NUMERIC, "highest", "lowest"])
    pool = [q for q in words.QUANTITIES if kind != "sum" or q.id in aggregates.SUMMABLE]
    quantity = rng.choice(pool)

    def draw(count):
        return telemetry.draw(
            rng, language, count, held_out, distinct=True,
            whole_mean=kind == "mean" and rng.random() < 0.7, among=lambda q: q is quantity,
        )  # fmt: skip

    count = rng.choice([2, 3, 3, 4])
    old, new = draw(count), draw(count if rng.random() < 0.6 else rng.choice([2, 3, 4]))
    if len(new.values) == count and rng.random() < 0.6:
        new.names = old.names
    told = telemetry.tell(rng, old, separator)
    first = _asked(rng, language, held_out, kind, old, told, separator)
    told = telemetry.tell(rng, new, separator)
    question = WORDING.say(rng, language, "same_for", held_out)
    thought, answer, facts = _found(new, told.names, kind)
    return _then(rng, language, held_out, first, question, thought, answer, facts, told, order="question first")


def _known_result(rng, language, held_out, make_):
    """A question about known amounts, answered; then its result, decimals and unit."""
    separator = telemetry.separator(rng, language)
    known, _ = make_(rng, language, separator)
    first, stated, value, decimals = _known_first(rng, language, held_out, known, separator)
    return known, first, stated, value, decimals


def _beyond_known(rng, language, held_out):
    """Is what came out of known amounts above or below a limit?"""
    known, first, _, value, decimals = _known_result(rng, language, held_out, rng.choice([_used, _moved, _emptied]))
    limit, limit_decimals = relations.limit_near(rng, value, decimals)
    relation = rng.choice("><")
    text = f"{telemetry.written(arithmetic.text(limit, limit_decimals), first.separator)} {known.unit}"
    question = WORDING.say(rng, language, "that_gt" if relation == ">" else "that_lt", held_out, limit=text)
    line, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    facts = {"kind": "beyond value", "value": str(Fraction(value, 10**decimals))}
    facts["limit"] = (relation, limit, limit_decimals)
    answer = rules.truth_answer(language, holds)
    return _then(rng, language, held_out, first, question, ["check", line], answer, facts)


def _beyond(rng, language, held_out):
    """Is what was answered above or below a limit?"""
    if rng.random() < 0.4:
        return _beyond_known(rng, language, held_out)
    separator = telemetry.separator(rng, language)
    kind = rng.choice(["mean", "max", "min", "sum", "range"])
    among = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    readings = telemetry.draw(
        rng, language, rng.choice([2, 3, 4]), held_out, distinct=True, whole_mean=True, among=among
    )
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, kind, readings, told, separator)
    _, value, decimals = aggregates.think(kind, readings.values, readings.decimals, 2)
    limit, limit_decimals = relations.limit_near(rng, value, decimals)
    relation = rng.choice("><")
    question = WORDING.say(
        rng,
        language,
        "that_gt" if relation == ">" else "that_lt",
        held_out,
        limit=relations.limit_text(rng, limit, limit_decimals, readings.unit, separator),
    )
    line, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    facts = {
        "kind": "beyond",
        "of": kind,
        "values": readings.values,
        "decimals": readings.decimals,
        "limit": (relation, limit, limit_decimals),
    }
    return _then(
        rng,
        language,
        held_out,
        first,
        question,
        ["check", line],
        rules.truth_answer(language, holds),
        facts,
    )


def _unit_known(rng, language, held_out):
    """What came out of known amounts, in another unit."""
    while True:
        make_ = rng.choice([_used, _moved, _emptied])
        known, first, stated, value, decimals = _known_result(rng, language, held_out, make_)
        pairs = [p for p in convert.PAIRS if p.source == known.unit and p.weight > 2]
        pair = rng.choice(pairs)
        exact = compose.converted(pair, value, decimals)
        if exact * 100 % 1 == 0:
            break
    target = units.spell(rng, language, pair.target, 1)
    question = WORDING.say(rng, language, "in_unit", held_out, unit=target)
    lines, result, made = convert.think(pair, value, decimals, 2)
    answer = Answer("{value}", {"value": Amount(result, made, target)})
    facts = {"kind": "exact", "exact": str(exact)}
    return _then(rng, language, held_out, first, question, [pair.task, *lines], answer, facts)


def _scaled(rng, language, held_out):
    """What was answered, several times, halved or shared out."""
    while True:
        device = False
        if rng.random() < 0.35:
            separator = telemetry.separator(rng, language)
            kind = "sum"
            readings = telemetry.draw(
                rng, language, rng.choice([2, 3, 4]), held_out, distinct=True,
                among=lambda q: q.id in aggregates.SUMMABLE,
            )  # fmt: skip
            told = telemetry.tell(rng, readings, separator)
            first = _asked(rng, language, held_out, kind, readings, told, separator)
            _, value, decimals = aggregates.think(kind, readings.values, readings.decimals, 2)
            unit = readings.unit

            def end(lines, value, decimals):
                return lines, Answer("{value}", {"value": Amount(value, decimals, unit)})
        else:
            make_ = rng.choice([_used, _moved, _paid, _billed])
            known, first, stated, value, decimals = _known_result(rng, language, held_out, make_)
            device = make_ in (_used, _billed)
            if any(" up" in line or " dn" in line for line in known.think(known.amounts)[0]):
                continue  # Several times a rounded sum is not what several cost.

            def end(lines, value, decimals):
                if known.money:
                    lines, amount = energy.as_money(known.money, value, decimals, lines)
                    value, decimals = amount.value, amount.decimals
                return lines, known.answer(stated, value, decimals)

        way = rng.choices(["times_that", "half_of_that", "shared_by"], [5, 3, 2])[0]
        n = 2 if way == "half_of_that" else rng.choice([2, 3, 3, 4, 5, 6, 7, 8, 10, 12])
        exact = Fraction(value, 10**decimals) * (n if way == "times_that" else Fraction(1, n))
        if exact * 100 % 1 == 0 and value > 0:
            break
    slots = {"n": str(n)} if way != "half_of_that" else {}
    section = "of_them" if way == "times_that" and device and rng.random() < 0.6 else way
    question = WORDING.say(rng, language, section, held_out, **slots)
    if way == "times_that":
        lines, value, decimals = arithmetic.times(value, decimals, n, 0)
    else:
        lines, value, decimals, _ = arithmetic.quotient(value, decimals, n, 0, 2)
    lines, answer = end(lines, value, decimals)
    thought = ["times" if way == "times_that" else "split", *lines]
    facts = {"kind": "exact", "exact": str(exact)}
    return _then(rng, language, held_out, first, question, thought, answer, facts)


def _unit(rng, language, held_out):
    """What was answered, in another unit."""
    if rng.random() < 0.5:
        return _unit_known(rng, language, held_out)
    separator = telemetry.separator(rng, language)
    pool = [p for p in convert.PAIRS if p.source in convert.CONVERTIBLE and p.weight > 3]
    sources = {pair.source for pair in pool}
    kind = rng.choice(["mean", "max", "min"])
    for _ in range(300):
        readings = telemetry.draw(
            rng,
            language,
            rng.choice([2, 3, 4]),
            held_out,
            distinct=True,
            whole_mean=True,
            among=lambda q: q.unit in sources,
        )
        pair = rng.choice([pair for pair in pool if pair.source == readings.unit])
        _, value, decimals = aggregates.think(kind, readings.values, readings.decimals, 2)
        exact = compose.converted(pair, value, decimals)
        if exact * 100 % 1 == 0:
            break
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, kind, readings, told, separator)
    target = units.spell(rng, language, pair.target, 1)
    question = WORDING.say(rng, language, "in_unit", held_out, unit=target)
    lines, result, made = convert.think(pair, value, decimals, 2)
    name = pair.task
    answer = Answer("{value}", {"value": Amount(result, made, target)})
    facts = {"kind": "exact", "exact": str(exact)}
    return _then(rng, language, held_out, first, question, [name, *lines], answer, facts)


# Rules ------------------------------------------------------------


def _ruled(rng, language, held_out, separator, with_unit=False, untold=False):
    """A rule or a check of one reading, asked and answered; an `untold` reading is answered to be missing. Returns the
    first turns, the condition, and what is answered if it holds and if not."""
    while True:
        (condition,) = rules.draw_conditions(rng, language, held_out, 1, separator)
        if not with_unit or condition.fact.unit in condition.text and not condition.check[4]:
            break
    told = rules.status(rng, language, [condition], separator)
    lost = None
    if untold:
        told, lost = _strays(rng, language, condition.fact, separator), _lost_answer(language, condition.fact.noun)
    if rng.random() < 0.3:
        question = rules.WORDING.say(rng, language, "check", held_out, cond=condition.text)
        yes, no = (rules.truth_answer(language, holds) for holds in (True, False))
        said = lost or (yes if condition.holds else no)
        first = _first(rng, language, held_out, question, said, told, separator)
        return first, condition, told, (yes, no), (True, False)
    action = words.action(rng, language)
    rule, otherwise = rules.say_rule(rng, language, held_out, condition.text, action)
    question = rules.WORDING.say(rng, language, "todo", held_out, device=action.device)
    outcomes = (action.do, otherwise)
    yes, no = (Answer("{action}.", {"action": outcome}) for outcome in outcomes)
    first = _first(
        rng,
        language,
        held_out,
        question,
        lost or (yes if condition.holds else no),
        told,
        separator,
        [rule],
        wording.capital(rule.text),
    )
    return first, condition, told, (yes, no), outcomes


def _strays(rng, language, fact, separator):
    """One or two readings, none of them of the quantity of `fact`."""
    facts, wanted = [], rng.choice([1, 1, 2])
    while len(facts) < wanted:
        other = statement.stray(rng, language)
        if all(other.noun != f.noun and other.unit != f.unit and other.key != f.key for f in (fact, *facts)):
            facts.append(other)
    return telemetry.tell_facts(rng, language, facts, separator)


def _lost_answer(language, what):
    """The first answer, that `what` is missing."""
    return Answer("{text}", {"text": says(language, what)})


def _rule(rng, language, held_out):
    """The same rule with another limit, or another reading, or with the reading that was missing."""
    separator = telemetry.separator(rng, language)
    untold = rng.random() < 0.25
    first, condition, told, answers, outcomes = _ruled(rng, language, held_out, separator, untold=untold)
    _, value, relation, limit, negated = condition.check
    unit, noun = condition.fact.unit, condition.fact.noun
    if untold:
        text = relations.limit_text(rng, *value, unit, separator)
        question = WORDING.say(rng, language, "supplied", held_out, what=noun, value=text)
    elif rng.random() < 0.55:
        while True:
            new = relations.limit_near(rng, *value)
            if new != limit:
                break
        limit = new
        text = relations.limit_text(rng, *limit, unit, separator)
        question = WORDING.say(rng, language, "new_limit", held_out, limit=text)
    else:
        while True:
            scaled = value[1] >= limit[1]
            number = limit[0] * 10 ** (value[1] - limit[1]) if scaled else limit[0]
            reach = max(3, abs(number) // 8)
            new = (number + rng.randint(-reach, reach), value[1] if scaled else limit[1])
            if new != value and (new[0] > 0 or value[0] <= 0):
                break
        value = new
        text = relations.limit_text(rng, *value, unit, separator)
        question = WORDING.say(rng, language, "new_value", held_out, noun=noun, value=text)
    line, holds = arithmetic.comparison(*value, relation, *limit)
    if negated:
        line, holds = rules.negated_line(line, holds)
    check = outcomes == (True, False)
    lines = ["check" if check else "rule", dataclasses.replace(condition, comparison=line).line]
    if not check:
        nothing = outcomes[1] == words.NOTHING[language]
        lines.append("do" if holds else "nothing" if nothing else "else")
    facts = {
        "kind": "rule",
        "check": ("limit", value, relation, limit, negated),
        "outcomes": outcomes,
    }
    return _then(
        rng,
        language,
        held_out,
        first,
        question,
        lines,
        answers[0 if holds else 1],
        facts,
        exact=True,
    )


def _why(rng, language, held_out):
    """The reason of what was decided: the reading beside its limit."""
    separator = telemetry.separator(rng, language)
    first, condition, told, _, _ = _ruled(rng, language, held_out, separator, with_unit=True)
    _, value, relation, limit, _ = condition.check
    unit = condition.fact.unit
    a, b = (
        f"{telemetry.written(arithmetic.text(*number), first.separator)} {unit}"
        for number in (value, limit)
    )
    said = WHY[language][relation][0 if condition.holds else 1]
    reason = f"{a} {said} {b}"
    answer = Answer(BECAUSE[language], {"reason": reason})
    facts = {"kind": "why", "check": condition.check, "a": a, "b": b}
    question = WORDING.say(rng, language, "why", held_out)
    thought = ["why", condition.line]
    return _then(rng, language, held_out, first, question, thought, answer, facts)


# The clock and money ------------------------------------------------------------


def _clock(rng, language, held_out):
    """A time and a duration; then some time more, another duration, or another start."""
    style = clock.draw_style(rng, language)
    thing = rng.choice((words.RUNS_HELD_OUT if held_out else words.RUNS)[language])
    time = clock.draw_time(rng)
    text, minutes, steps = clock.duration(rng, language, 300)
    question = clock.WORDING.say(
        rng, language, "add", held_out, thing=thing, time=style.write(time), dur=text
    )
    end = (time + minutes) % clock.DAY
    first = _first(rng, language, held_out, question, style.time(end))
    chance = rng.random()
    if chance < 0.35:
        more, by, steps = clock.duration(rng, language, 120)
        question = WORDING.say(rng, language, "later", held_out, dur=more)
        start = end
    elif chance < 0.65:
        other, start, by = text, time, minutes
        while by == minutes:
            other, by, steps = clock.duration(rng, language, 300)
        question = WORDING.say(rng, language, "lasting", held_out, dur=other)
    else:
        start, by = clock.draw_time(rng), minutes
        question = WORDING.say(rng, language, "from_time", held_out, time=style.write(start))
    line, after = arithmetic.clock_addition(start, by)
    thought = ["clock add", *style.fetch(start), *steps, line, *style.back(after)]
    facts = {"kind": "clock", "time": start, "by": by, "style": style}
    return _then(
        rng, language, held_out, first, question, thought, style.time(after), facts, exact=True
    )


def _price(rng, language, held_out):
    """What a meter's difference costs, and at another price."""
    separator = telemetry.separator(rng, language)
    used = rng.randint(4, rng.choice([40, 99, 300]))
    before = rng.randint(100, rng.choice([999, 5000]))
    prices = rng.sample([10, 12, 15, 18, 20, 22, 25, 28, 30, 32, 35, 40, 45], 2)
    money = rng.choice(["€", "€", "€", "CHF", "$"])
    said = compose.WORDING.say(
        rng, language, "meter", held_out, before=str(before), now=f"{before + used} kWh"
    )
    shape = "{} {} per kWh" if language == "en" else "{} {} le kWh"
    texts = [shape.format(telemetry.written(f"{p / 100:.2f}", separator), money) for p in prices]
    price = compose.WORDING.say(rng, language, "price", held_out, price=texts[0])
    told = compose.as_data(f"{said.text} {price.text}")
    question = compose.WORDING.say(rng, language, "meter_cost", held_out)
    answer = Answer("{value}", {"value": Amount(used * prices[0], 2, money)})
    others = [said, price]
    first = _first(rng, language, held_out, question, answer, told, separator, others)
    first.separator = separator
    first.turns[1]["content"] = answer.spoken(separator, True)
    question = WORDING.say(rng, language, "price_now", held_out, price=texts[1])
    line, _ = arithmetic.subtraction(before + used, before, 0)
    lines, value = compose.costs(used, 0, prices[1])
    answer = Answer("{value}", {"value": Amount(value, 2, money)})
    facts = {"kind": "exact", "exact": str(Fraction(used * prices[1], 100))}
    return _then(
        rng, language, held_out, first, question, ["meter cost", line, *lines], answer, facts
    )


# Another amount ------------------------------------------------------------


@dataclasses.dataclass
class Known:
    """A question about two amounts. `amounts` are (value, decimals, unit) by what they are; `think` gives the steps,
    the result and its decimals for two such amounts, `answer` the answer for the question and that result."""

    family: object
    kind: str
    label: str
    slots: dict
    amounts: dict
    think: object
    answer: object
    extra: str = ""  # The section whose text follows the situation.
    ask: str = ""  # Other sections than the kind's own.
    given: str = ""
    unit: str = ""  # The result's, where it may be converted or compared.
    called: dict = dataclasses.field(default_factory=dict)  # The amounts in the family's `AMOUNTS`.
    money: object = None  # The price, where the result is money.


def _changed(rng, language, held_out):
    """A question about known amounts, and what if one of them were another."""
    separator = telemetry.separator(rng, language)
    make_ = rng.choice([_emptied, _emptied, _moved, _used, _paid, _converted, _billed])
    both = make_ in (_emptied, _moved, _used, _billed) and rng.random() < 0.25
    while True:
        known, others = make_(rng, language, separator)
        changed = dict(others) if both else dict([rng.choice(others)])
        lines, value, decimals = known.think(known.amounts | changed)
        if len(lines) < 10 and all(other != known.amounts[name] for name, other in changed.items()):
            break
    first, stated, _, _ = _known_first(rng, language, held_out, known, separator)
    said = [units.said(rng, language, *changed[name], separator, 0.8) for name in known.amounts if name in changed]
    if both:
        question = WORDING.say(rng, language, "both_now", held_out, a=said[0], b=said[1])
    else:
        (name,) = changed
        section = {"now": "content", "volume": "content", "value": "measure"}.get(name, name)
        question = WORDING.say(rng, language, f"{section}_now", held_out, value=said[0])
    facts = {"kind": "exact", "exact": str(Fraction(value, 10**decimals))}
    return _then(
        rng, language, held_out, first, question, [known.label, *lines], known.answer(stated, value, decimals), facts,
        exact=True,
    )  # fmt: skip


def _known_first(rng, language, held_out, known, separator):
    """The first question about known amounts, how it was stated, and its result."""

    def said(amount):
        return units.said(rng, language, *amount, separator, 0.8)

    slots = known.slots | {name: said(amount) for name, amount in known.amounts.items()}
    if known.kind == "convert":
        value, decimals, unit = known.amounts["value"]
        number = telemetry.written(arithmetic.text(value, decimals), separator)
        slots |= {"number": number, "unit": units.spell(rng, language, unit, 1)}
    stated = statement.state(
        rng, known.family.WORDING, language, held_out, known.kind, slots, separator,
        extra=known.extra, ask=known.ask, given=known.given,
    )  # fmt: skip
    _, value, decimals = known.think(known.amounts)
    answer = known.answer(stated, value, decimals)
    first = _first(rng, language, held_out, stated.question, answer, stated.data, separator, stated.phrasings)
    return first, stated, value, decimals


def _emptied(rng, language, separator):
    """How long until full or empty, at another rate or with another content."""
    kind, content = rng.choice([("fill", "volume"), ("drain", "now")])
    unit = rng.choice(["L/min", "L/min", "L/h", "m³/h"])
    rates = rng.sample([2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 18, 20, 25, 30, 40], 2)
    amount = math.lcm(*rates) * rng.choice([1, 1, 2, 3, 5])
    litre, time = ("m³" if unit == "m³/h" else "L"), flow.TIMES[unit]
    named = flow.spelled_unit(rng, language, time)

    def think(amounts):
        return arithmetic.quotient(*amounts[content][:2], *amounts["rate"][:2], 2)[:3]

    def answer(stated, value, decimals):
        found = flow.time_answer(language, stated, value, decimals, time)
        return flow.said_unit(found, stated, named)

    amounts = {content: (amount, 0, litre), "rate": (rates[0], 0, unit)}
    more = (rates[0] * rng.randint(2, 40), 0, litre)
    slots = {"thing": rng.choice(flow.VESSELS[language]), "unit": named}
    others = [("rate", (rates[1], 0, unit)), (content, more)]
    called = {content: content, "rate": "inflow" if kind == "fill" else "outflow"}
    return Known(flow, kind, kind, slots, amounts, think, answer, unit=time, called=called), others


def _moved(rng, language, separator):
    """What flows in a time, at another rate or in another time."""
    rate, decimals, unit = flow.draw_rate(rng)
    litre, base = ("m³" if unit == "m³/h" else "L"), flow.TIMES[unit]
    named = flow.spelled_unit(rng, language, litre)

    def time():
        return rng.randint(2, 12) if base == "h" else rng.choice([5, 10, 15, 20, 30, 40, 45, 60, rng.randint(2, 90)])

    def think(amounts):
        return arithmetic.times(*amounts["rate"][:2], *amounts["time"][:2])

    def answer(stated, value, decimals):
        if "unit" in stated.slots:
            return Answer("{value}", {"value": Amount(value, decimals, str(named))})
        return Answer("{value} {unit}", {"value": Amount(value, decimals), "unit": litre})

    amounts = {"rate": (rate, decimals, unit), "time": (time(), 0, base)}
    slots = {"thing": rng.choice(flow.VESSELS[language]), "unit": named}
    others = [("rate", (rate + rng.randint(1, 20), decimals, unit)), ("time", (time(), 0, base))]
    return Known(flow, "volume", "volume", slots, amounts, think, answer, unit=litre), others


def _used(rng, language, separator):
    """The energy of a power and a time, with another of either."""
    power, other = energy.draw_power(rng), energy.draw_power(rng)
    time, longer = ((rng.randint(2, 24), 0, "h") for _ in range(2))
    unit = energy.spelled_unit(rng, language, "kWh")

    def think(amounts):
        return energy.energy_used(amounts["power"], amounts["time"], "kWh")

    def answer(stated, value, decimals):
        return energy.amount_answer(stated, value, decimals, unit, "kWh")

    slots = {"device": rng.choice(energy.DEVICES[language]), "unit": unit}
    amounts = {"power": power, "time": time}
    others = [("power", other), ("time", longer)]
    called = {"power": "power", "time": "time"}
    return Known(energy, "use", "kWh", slots, amounts, think, answer, unit="kWh", called=called), others


def _billed(rng, language, separator):
    """The cost of a power and a time, with another of either."""
    known, others = _used(rng, language, separator)
    price = _whole_price(rng, language, separator)

    def think(amounts):
        lines, value, decimals = energy.energy_used(amounts["power"], amounts["time"], "kWh")
        lines, amount = energy.as_money(price, *_last(energy.priced(lines, value, decimals, price)))
        return lines, amount.value, amount.decimals

    def answer(stated, value, decimals):
        return energy.cost_answer(language, price, Amount(value, decimals))

    slots = {"device": known.slots["device"], "price": price.text, "money": energy.currency(language, price)}
    bill = Known(
        energy, "bill", "bill", slots, known.amounts, think, answer, "price_given", "cost_ask", "use_given", money=price
    )
    return bill, others


def _last(stepped):
    """Value, decimals and lines, for what wants its lines last."""
    lines, value, decimals = stepped
    return value, decimals, lines


def _whole_price(rng, language, separator):
    """A price that is not in cents."""
    price = energy.draw_price(rng, language, separator)
    while price.minor:
        price = energy.draw_price(rng, language, separator)
    return price


def _paid(rng, language, separator):
    """The cost of an energy, and of another one."""
    price = _whole_price(rng, language, separator)
    amount, other = ((rng.randint(2, rng.choice([30, 300])), 0, "kWh") for _ in range(2))

    def think(amounts):
        lines, value, decimals = energy.priced([], *amounts["energy"][:2], price)
        lines, amount = energy.as_money(price, value, decimals, lines)
        return lines, amount.value, amount.decimals

    def answer(stated, value, decimals):
        return energy.cost_answer(language, price, Amount(value, decimals))

    slots = {"price": price.text, "money": energy.currency(language, price)}
    known = Known(energy, "cost", "cost", slots, {"energy": amount}, think, answer, "price_given", money=price)
    return known, [("energy", other)]


def _converted(rng, language, separator):
    """A measure in another unit, and another measure."""
    pair = rng.choices(convert.PAIRS, [pair.weight for pair in convert.PAIRS])[0]
    to = convert.spelled_target(rng, language, pair)

    def draw():
        while True:
            value, decimals = convert.draw(rng, pair)
            if compose.converted(pair, value, decimals) * 100 % 1 == 0:
                return value, decimals, pair.source

    def think(amounts):
        return convert.think(pair, *amounts["value"][:2], 2)

    def answer(stated, value, decimals):
        return Answer("{value}", {"value": Amount(value, decimals, str(to))}, {"value": convert.KEYS[language]})

    return Known(convert, "convert", pair.task, {"to": to}, {"value": draw()}, think, answer), [("value", draw())]


def _supplied(rng, language, held_out):
    """A question with one of its amounts missing, and that amount."""
    separator = telemetry.separator(rng, language)
    known, _ = rng.choice([_used, _emptied])(rng, language, separator)
    lost = rng.choice(list(known.amounts))
    ask = "empty_ask" if known.kind == "drain" else f"{known.kind}_ask"
    while True:
        facts = [
            known.family.AMOUNTS.fact(rng, language, known.called[name], amount)
            for name, amount in known.amounts.items()
            if name != lost
        ]
        if rng.random() < 0.4:
            facts.append(statement.stray(rng, language, ("voltage",)))
        slots = {name: known.slots[name] for name in known.family.WORDING.slots[ask]}
        question = known.family.WORDING.say(rng, language, ask, held_out, **slots)
        if len({fact.unit for fact in facts} | {known.amounts[lost][2]}) > len(facts):
            break
    rng.shuffle(facts)
    told = telemetry.tell_facts(rng, language, facts, separator)
    what = known.family.AMOUNTS.noun(language, known.called[lost])
    first = _first(rng, language, held_out, question, _lost_answer(language, what), told, separator)
    said = units.said(rng, language, *known.amounts[lost], separator, 0.8)
    then = WORDING.say(rng, language, "supplied", held_out, what=what, value=said)
    lines, value, decimals = known.think(known.amounts)
    answer = known.answer(statement.Stated(question, told, (), question.slots), value, decimals)
    facts = {"kind": "exact", "exact": str(Fraction(value, 10**decimals))}
    return _then(rng, language, held_out, first, then, [known.label, *lines], answer, facts, exact=True)


# Devices ------------------------------------------------------------


def _device_changed(rng, language, held_out):
    """Devices in a state, counted or listed; then one of them changes and the same is asked again."""
    kind = rng.choice(["which", "count"])
    told, question, answer, (devices, side, on, spellings), _ = _devices_asked(rng, language, held_out, kind)
    first = _first(rng, language, held_out, question, answer, told)
    i = rng.randrange(len(on))
    on = [truth != (j == i) for j, truth in enumerate(on)]
    state = devices.states[0 if on[i] else 1]
    question = WORDING.say(rng, language, "device_now", held_out, name=told.names[i], state=state)
    slots, hits = _in_state(devices, side, on)
    said = slots["states"] + states.as_data_has_it(slots["states"], spellings[side], told.states)
    told = dataclasses.replace(told, states=[state if j == i else word for j, word in enumerate(told.states)])
    thought, answer = states.think(language, kind, told, hits, [True] * len(on), f"{devices.one} {said}", 0)
    facts = {"kind": f"{kind} devices", "names": told.names, "on": on, "wanted": side == 0}
    return _then(rng, language, held_out, first, question, thought, answer, facts, exact=True)


def _devices(rng, language, held_out):
    """Devices in a state, counted or listed; then their names, their number, or the same of the other state."""
    before = rng.choice(["which", "count"])
    section = rng.choice({"which": ["how_many", "and_which"], "count": ["which_ones", "and_count"]}[before])
    told, question, answer, (devices, side, on, spellings), _ = _devices_asked(rng, language, held_out, before)
    first = _first(rng, language, held_out, question, answer, told)
    side = 1 - side if section.startswith("and_") else side
    slots, hits = _in_state(devices, side, on)
    del slots["plain"]
    question = WORDING.say(rng, language, section, held_out, **slots)
    said = slots["states"] + states.as_data_has_it(slots["states"], spellings[side], told.states)
    kind = "count" if section in ("how_many", "and_count") else "which"
    thought, answer = states.think(language, kind, told, hits, [True] * len(on), f"{devices.one} {said}", 0)
    facts = {"kind": f"{kind} devices", "names": told.names, "on": on, "wanted": side == 0}
    return _then(rng, language, held_out, first, question, thought, answer, facts)


def _in_state(devices, side, on):
    """What is said of devices in one of their two states, and which of them are."""
    said = {"one": devices.one, "many": devices.many, "state": devices.states[side]}
    said |= {"states": devices.plural_states[side], "plain": devices.plain_states[side]}
    return said, [truth == (side == 0) for truth in on]


def _devices_asked(rng, language, held_out, kind):
    """Devices told, and a question which or how many are in a state, with its answer; what they are, and the exact
    answer."""
    devices, side = naming.devices(rng, language, held_out), rng.randrange(2)
    count = rng.choice([3, 3, 4, 4, 5, 6])
    told, on, spellings = states.tell(rng, language, held_out, devices, count, 0.5, flags=False)
    slots, hits = _in_state(devices, side, on)
    question = states.WORDING.say(rng, language, kind, held_out, **slots)
    _, answer = states.think(language, kind, told, hits, [True] * count, slots["states"], 0)
    names = [name for name, hit in zip(told.names, hits) if hit]
    return told, question, answer, (devices, side, on, spellings), Fraction(len(names)) if kind == "count" else names


# Energy and tanks ------------------------------------------------------------


def _cost(rng, language, held_out):
    """What a device used, and what that costs."""
    separator = telemetry.separator(rng, language)
    known, _ = _used(rng, language, separator)
    first, _, used, decimals = _known_first(rng, language, held_out, known, separator)
    price = _whole_price(rng, language, separator)
    question = WORDING.say(rng, language, "costs_then", held_out, price=price.text)
    lines, value, decimals = energy.priced([], used, decimals, price)
    lines, amount = energy.as_money(price, value, decimals, lines)
    facts = {"kind": "exact", "exact": str(Fraction(amount.value, 10**amount.decimals))}
    answer = energy.cost_answer(language, price, amount)
    return _then(rng, language, held_out, first, question, ["cost", *lines], answer, facts, exact=True)


def _emptying(rng, language, held_out):
    """What flows out in a time, and when nothing is left."""
    separator = telemetry.separator(rng, language)
    unit = rng.choice(["L/min", "L/h", "L/h"])
    rate, base, litre = rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40]), flow.TIMES[unit], "L"
    lasts = rng.randint(4, 60)
    time = rng.randint(1, lasts - 1)
    amounts = {"now": (rate * lasts, 0, litre), "rate": (rate, 0, unit), "time": (time, 0, base)}

    def said(amount):
        return units.said(rng, language, *amount, separator, 0.8)

    slots = {name: said(amount) for name, amount in amounts.items()}
    slots |= {"thing": rng.choice(flow.VESSELS[language]), "unit": Noun(litre, language)}
    stated = statement.state(rng, flow.WORDING, language, held_out, "loss", slots, separator, ask="after_ask")
    answer = Answer("{value}", {"value": Amount(rate * (lasts - time), 0, litre)})
    first = _first(rng, language, held_out, stated.question, answer, stated.data, separator, stated.phrasings)
    named = Noun(units.word(base, language), language, "m", True)
    question = WORDING.say(rng, language, "empty_then", held_out, unit=named)
    lines, value, decimals = arithmetic.quotient(rate * lasts, 0, rate, 0, 2)[:3]
    answer = Answer("{value}", {"value": Amount(value, decimals, str(named))})
    facts = {"kind": "exact", "exact": str(lasts)}
    return _then(rng, language, held_out, first, question, ["drain", *lines], answer, facts, exact=True)


# Another matter ------------------------------------------------------------


def _fresh(rng, language, held_out):
    """A question of another family that has nothing to do with the one before."""
    separator = telemetry.DEFAULT_SEPARATOR[language]
    module = FRESH[rng.choice(list(FRESH))]
    made = module.make(rng, language, held_out)
    known, _ = rng.choice([_emptied, _moved, _used, _paid, _converted, _billed])(rng, language, separator)
    first = _known_first(rng, language, held_out, known, separator)[0]
    facts = {"kind": "fresh", "family": module.FAMILY, "facts": made.facts}
    phrasings = (*made.phrasings, *(said.source for said in first.phrasings))
    turns = [*first.turns, *made.messages]
    return dataclasses.replace(made, family=FAMILY, messages=turns, phrasings=phrasings, facts=facts)


# Verification ------------------------------------------------------------


def verify(problem):
    """What the second question must be answered with."""
    facts, language = problem.facts, problem.language
    kind = facts["kind"]
    if kind == "text":
        return facts["text"]
    if kind == "fresh":
        own = dataclasses.replace(problem, family=facts["family"], messages=problem.messages[-1:], facts=facts["facts"])
        return FRESH[facts["family"]].verify(own)
    if kind == "beyond value":
        return compose.is_beyond(Fraction(facts["value"]), facts["limit"])
    if kind == "exact":
        return Fraction(facts["exact"])
    if kind == "clock":
        return clock.written_time(problem, clock.moment_of(facts["time"] + facts["by"]), facts["style"])
    if kind == "rule":
        return facts["outcomes"][0 if rules.decide_again(facts["check"]) else 1]
    if kind == "why":
        holds = rules.decide_again(facts["check"])
        said = WHY[language][facts["check"][2]][0 if holds else 1]
        reason = f"{facts['a']} {said} {facts['b']}"
        return reason if problem.format == "json" else BECAUSE[language].format(reason=reason)
    if kind in ("highest", "lowest"):
        best = (max if kind == "highest" else min)(facts["values"])
        return facts["names"][facts["values"].index(best)]
    if kind == "again":
        return facts["exact"]
    if kind == "ends":
        found = sorted(facts["values"])
        return tuple(Fraction(value, 10 ** facts["decimals"]) for value in (found[-1], found[0]))
    if kind.endswith("devices"):
        found = [name for name, on in zip(facts["names"], facts["on"]) if on == facts["wanted"]]
        return Fraction(len(found)) if kind.startswith("count") else found
    if kind.startswith("second"):
        pairs = sorted(zip(facts["values"], facts["names"]), reverse=kind.endswith("highest"))
        return pairs[1][1]
    values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
    asked = facts.get("of", kind)
    exact = {
        "mean": statistics.mean,
        "sum": sum,
        "max": max,
        "min": min,
        "range": lambda of: max(of) - min(of),
    }[asked](values)
    if kind == "beyond":
        return compose.is_beyond(exact, facts["limit"])
    if asked != "mean":
        return exact
    whole = int(abs(exact) * 100 + Fraction(1, 2))
    return Fraction(whole if exact >= 0 else -whole, 100)
