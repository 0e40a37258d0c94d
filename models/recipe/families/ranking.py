"""Orders: all readings sorted, the first or last few, the second or third, what lies between the first two,
the rank of one, two of them compared, and names in alphabetical order."""

from fractions import Fraction

import arithmetic
import telemetry
import wording
import words
from assemble import Amount, Answer, build

WEIGHT = 9
FAMILY = "ranking"
NOUN = {"noun": words.Noun}
PAIR = NOUN | {"a": words.Noun, "b": words.Noun}
PAIR_WORD = {"most": words.Adjective, "a": words.Noun, "b": words.Noun}
WORDING = wording.load(
    FAMILY,
    {
        "sort_down": NOUN,
        "sort_up": NOUN,
        "sort_word": {"first": words.Adjective, "last": words.Adjective},
        "values_down": NOUN,
        "values_up": NOUN,
        "top": NOUN | {"n": str},
        "bottom": NOUN | {"n": str},
        "top_word": {"most": words.Adjective, "n": str},
        "second_high": NOUN,
        "second_low": NOUN,
        "second_word": {"most": words.Adjective},
        "third_high": NOUN,
        "third_low": NOUN,
        "third_word": {"most": words.Adjective},
        "lead": NOUN,
        "rank_of": NOUN | {"name": words.Noun},
        "higher": PAIR,
        "lower": PAIR,
        "by_how_much": PAIR,
        "higher_word": PAIR_WORD,
        "by_how_much_word": PAIR_WORD,
        "alphabet": {},
    },
)
KEYS = {
    "order": {"en": ["order", "names", "answer"], "fr": ["ordre", "noms", "answer"]},
    "values": {"en": ["values", "sorted", "answer"], "fr": ["valeurs", "tri", "answer"]},
    "rank": {"en": ["rank", "place", "answer"], "fr": ["rang", "place", "answer"]},
    "difference": {"en": ["difference", "gap", "answer"], "fr": ["difference", "ecart", "answer"]},
}
SMALL = {
    2: {"en": ["two", "2"], "fr": ["deux", "2"]},
    3: {"en": ["three", "3"], "fr": ["trois", "3"]},
}


def make(rng, language, held_out):
    kinds = [_sort, _values, _top, _second, _lead, _rank, _versus, _how_much, _alphabet]
    kind = rng.choices(kinds, [20, 7, 16, 14, 10, 9, 11, 9, 7])[0]
    return kind(rng, language, held_out)


def _draw(rng, language, held_out, weights, worded=False):
    """Readings that all differ; `weights` are those of 3, 4, 5, ... readings. With `worded` there
    are words for who has the most and who the least, and the names are rooms."""
    count = rng.choices(range(3, 3 + len(weights)), weights)[0]

    def fits(quantity):
        return not worded or (quantity.most[language] and quantity.least[language])

    places = True if worded else None
    return telemetry.draw(
        rng, language, count, held_out, distinct=True, places=places, among=fits
    )


def _sort(rng, language, held_out):
    """All names from the highest on, or from the lowest on."""
    separator = telemetry.separator(rng, language)
    worded = rng.random() < 0.4
    readings = _draw(rng, language, held_out, [7, 4, 1], worded)
    up = rng.random() < 0.5
    if worded:
        ends = [
            rng.choice(side[language]) for side in (readings.quantity.most, readings.quantity.least)
        ]
        first, last = reversed(ends) if up else ends
        question = WORDING.say(rng, language, "sort_word", held_out, first=first, last=last)
    else:
        section = "sort_up" if up else "sort_down"
        question = WORDING.say(rng, language, section, held_out, noun=readings.noun)
    distract = (worded or "noun" in question.slots) and rng.random() < 0.25
    told = telemetry.tell(rng, readings, separator, distract=distract)
    relation = "<" if up else ">"
    lines, order = arithmetic.ordering(
        readings.values, readings.decimals, told.names, relation=relation
    )
    return _listed(
        rng, language, held_out, question, "sort", up, lines, order, readings, told, separator
    )


def _listed(
    rng, language, held_out, question, kind, up, lines, order, readings, told, separator
):
    """The names of `order` are the answer."""
    names = [told.names[i] for i in order]
    thought = [f"{kind}{' up' if up else ''}", *lines]
    answer = Answer("{names}", {"names": names}, {"names": KEYS["order"][language]}, capital=False)
    facts = {
        "kind": "names",
        "up": up,
        "count": len(order),
        "values": readings.values,
        "names": told.names,
    }
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _values(rng, language, held_out):
    """Bare values in order."""
    separator = telemetry.separator(rng, language)
    readings = _draw(rng, language, held_out, [6, 5, 2])
    up = rng.random() < 0.55
    section = "values_up" if up else "values_down"
    question = WORDING.say(rng, language, section, held_out, noun=readings.noun)
    told = telemetry.series(rng, readings, separator)
    relation = "<" if up else ">"
    lines, order = arithmetic.ordering(readings.values, readings.decimals, relation=relation)
    numbers = [readings.value(i) for i in order]
    point = told.separator or "."
    plain = ("; " if point == "," else ", ").join(telemetry.written(n, point) for n in numbers)
    answer = Answer(
        plain,
        {"values": [telemetry.Number(number) for number in numbers]},
        {"values": KEYS["values"][language]},
    )
    thought = [f"values{' up' if up else ''}", *lines]
    facts = {
        "kind": "values",
        "up": up,
        "values": readings.values,
        "decimals": readings.decimals,
        "point": point,
    }
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _top(rng, language, held_out):
    """The first two or three."""
    separator = telemetry.separator(rng, language)
    number = rng.choices([2, 3], [6, 1])[0]
    worded = rng.random() < 0.3
    readings = _draw(
        rng, language, held_out, [6, 4, 1] if number == 2 else [0, 5, 1], worded
    )
    up = rng.random() < 0.4
    said = rng.choice(SMALL[number][language])
    if worded:
        side = readings.quantity.least if up else readings.quantity.most
        question = WORDING.say(
            rng, language, "top_word", held_out, most=rng.choice(side[language]), n=said
        )
    else:
        section = "bottom" if up else "top"
        question = WORDING.say(rng, language, section, held_out, noun=readings.noun, n=said)
    told = telemetry.tell(rng, readings, separator)
    lines, order = arithmetic.ordering(
        readings.values,
        readings.decimals,
        told.names,
        relation="<" if up else ">",
        keep=number,
    )
    return _listed(
        rng,
        language,
        held_out,
        question,
        f"top {number}",
        up,
        lines,
        order,
        readings,
        told,
        separator,
    )


def _second(rng, language, held_out):
    """The second from one end, or the third."""
    separator = telemetry.separator(rng, language)
    worded, third = rng.random() < 0.35, rng.random() < 0.3
    place = "third" if third else "second"
    readings = _draw(rng, language, held_out, [1, 6, 4, 2] if third else [6, 5, 2], worded)
    up = rng.random() < 0.4
    if worded:
        side = readings.quantity.least if up else readings.quantity.most
        question = WORDING.say(rng, language, f"{place}_word", held_out, most=rng.choice(side[language]))
    else:
        section = f"{place}_low" if up else f"{place}_high"
        question = WORDING.say(rng, language, section, held_out, noun=readings.noun)
    told = telemetry.tell(rng, readings, separator)
    lines, order = arithmetic.ordering(
        readings.values, readings.decimals, told.names, relation="<" if up else ">", keep=3 if third else 2
    )
    found = order[-1]
    thought = [f"{place}{' up' if up else ''}", *lines]
    answer = Answer(
        "{name} ({value})",
        {
            "name": told.names[found],
            "value": Amount(readings.values[found], readings.decimals, readings.unit),
        },
        capital=False,
    )
    facts = {"kind": place, "up": up, "values": readings.values, "names": told.names}
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _difference(rng, language, held_out, question, thought, readings, told, separator, facts):
    """An amount that is the difference of two readings, the two already found."""
    high, low = facts["pair"]
    line, value = arithmetic.difference(
        readings.values[high], readings.values[low], readings.decimals
    )
    answer = Answer(
        "{value}",
        {"value": Amount(value, readings.decimals, readings.unit)},
        {"value": KEYS["difference"][language]},
    )
    facts |= {"values": readings.values, "decimals": readings.decimals}
    thought.append(line)
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _lead(rng, language, held_out):
    """How far the highest is ahead of the second."""
    separator = telemetry.separator(rng, language)
    readings = _draw(rng, language, held_out, [6, 5, 2])
    question = WORDING.say(rng, language, "lead", held_out, noun=readings.noun)
    told = telemetry.tell(rng, readings, separator)
    lines, order = arithmetic.ordering(readings.values, readings.decimals, keep=2)
    facts = {"kind": "lead", "pair": order}
    return _difference(
        rng, language, held_out, question, ["lead", *lines], readings, told, separator, facts
    )


def _rank(rng, language, held_out):
    """The place of one of them, the highest being first."""
    separator = telemetry.separator(rng, language)
    readings = _draw(rng, language, held_out, [4, 5, 3, 1])
    told = telemetry.tell(rng, readings, separator)
    mine = rng.randrange(len(readings.values))
    name = words.Noun(told.names[mine], language, "")
    question = WORDING.say(rng, language, "rank_of", held_out, noun=readings.noun, name=name)
    thought, rank = [f"rank {name} {readings.value(mine)}"], 1
    for i, value in enumerate(readings.values):
        if i != mine:
            steps, order = arithmetic.digits_compared(
                value, readings.decimals, readings.values[mine], readings.decimals
            )
            rank += order > 0
            thought.append(f"{told.names[i]} {readings.value(i)} {steps} {rank}")
    thought.append(f"={rank}")
    answer = Answer("{rank}", {"rank": Amount(rank)}, {"rank": KEYS["rank"][language]})
    facts = {"kind": "rank", "values": readings.values, "mine": mine}
    return _build(
        rng, language, held_out, question, thought, answer, told, separator, facts, exact=True
    )


def _pair(rng, language, held_out, count, worded):
    """Two readings of several, as names that stand in the prompt: data, readings and indices."""
    separator = telemetry.separator(rng, language)
    readings = _draw(rng, language, held_out, count, worded)
    told = telemetry.tell(rng, readings, separator)
    a, b = rng.sample(range(len(readings.values)), 2)
    return separator, readings, told, a, b


def _versus(rng, language, held_out):
    """Is one higher (or lower, warmer, darker) than another?"""
    worded = rng.random() < 0.4
    separator, readings, told, a, b = _pair(rng, language, held_out, [4, 4, 2], worded)
    relation = rng.choice("><")
    section = "higher_word" if worded else "higher" if relation == ">" else "lower"
    question = _about(rng, language, held_out, section, worded, relation, readings, told, a, b)
    line, holds = arithmetic.comparison(
        readings.values[a], readings.decimals, relation, readings.values[b], readings.decimals
    )
    thought = ["versus", *_fetched(readings, told, a, b), line]
    said = words.YES_NO[language][0 if holds else 1]
    facts = {"kind": "versus", "values": [readings.values[i] for i in (a, b)], "relation": relation}
    answer = Answer(f"{said}.", {"truth": holds})
    return _build(
        rng, language, held_out, question, thought, answer, told, separator, facts, exact=True
    )


def _about(rng, language, held_out, section, worded, relation, readings, told, a, b):
    """A question about two named readings; a `worded` one has an adjective of the relation's side, no noun."""
    side = readings.quantity.most if relation == ">" else readings.quantity.least
    slots = {"most": rng.choice(side[language])} if worded else {"noun": readings.noun}
    slots |= {key: words.Noun(told.names[i], language, "") for key, i in (("a", a), ("b", b))}
    return WORDING.say(rng, language, section, held_out, **slots)


def _fetched(readings, told, *indices):
    return [f"{told.names[i]} {readings.value(i)}" for i in indices]


def _how_much(rng, language, held_out):
    """By how much is the higher of two above the other, or the colder one colder?"""
    worded = rng.random() < 0.4
    separator, readings, told, a, b = _pair(rng, language, held_out, [4, 4, 2], worded)
    if readings.values[a] < readings.values[b]:
        a, b = b, a
    relation = rng.choice("><") if worded else ">"
    first, second = (a, b) if relation == ">" else (b, a)
    section = "by_how_much_word" if worded else "by_how_much"
    question = _about(
        rng, language, held_out, section, worded, relation, readings, told, first, second
    )
    thought = ["gap", *_fetched(readings, told, a, b)]
    facts = {"kind": "how much", "pair": [a, b]}
    return _difference(
        rng, language, held_out, question, thought, readings, told, separator, facts
    )


def _alphabet(rng, language, held_out):
    """The names from A to Z, whatever the readings are."""
    separator = telemetry.separator(rng, language)
    count = rng.randint(3, 5)
    while True:
        readings = telemetry.draw(rng, language, count, held_out, places=True)
        letters = {str(name)[0].lower() for name in readings.names}
        if len(letters) == count and all(letter.isascii() for letter in letters):
            break
    question = WORDING.say(rng, language, "alphabet", held_out)
    told = telemetry.tell(rng, readings, separator)
    lines, order = arithmetic.alphabetical(told.names)
    names = [told.names[i] for i in order]
    answer = Answer("{names}", {"names": names}, {"names": KEYS["order"][language]}, capital=False)
    thought = ["alpha", *lines]
    facts = {"kind": "alphabet", "names": told.names}
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _build(
    rng, language, held_out, question, thought, answer, told, separator, facts, exact=False
):
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        thought,
        answer,
        told,
        separator,
        exact=exact,
        facts=facts,
    )


# Verification ------------------------------------------------------------


def verify(problem):
    """The names, the name, the number or the truth, by sorting."""
    facts = problem.facts
    kind = facts["kind"]
    if kind == "alphabet":
        return sorted(facts["names"], key=str.lower)
    values = facts["values"]
    if kind == "versus":
        return values[0] > values[1] if facts["relation"] == ">" else values[0] < values[1]
    if kind == "rank":
        return Fraction(sorted(values, reverse=True).index(values[facts["mine"]]) + 1)
    if kind in ("lead", "how much"):
        if kind == "lead":
            high, low = sorted(values)[-1], sorted(values)[-2]
        else:
            high, low = (values[i] for i in facts["pair"])
        return Fraction(high - low, 10 ** facts["decimals"])
    if kind == "values":
        scale = 10 ** facts["decimals"]
        found = sorted(values, reverse=not facts["up"])
        if problem.format == "json":
            return [Fraction(value, scale) for value in found]
        numbers = [f"{value / scale:.{facts['decimals']}f}" for value in found]
        comma = facts["point"] == ","
        return ("; " if comma else ", ").join(n.replace(".", facts["point"]) for n in numbers)
    pairs = sorted(zip(values, facts["names"]), reverse=not facts["up"])
    if kind in ("second", "third"):
        return pairs[1 if kind == "second" else 2][1]
    return [name for _, name in pairs][: facts["count"]]
