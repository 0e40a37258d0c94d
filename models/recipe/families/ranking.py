"""Orders: all readings sorted, with or without their values, some in another unit; the one nearest to a target; the
first or last few, the second or third, the first and the last, what lies between the first two or any two, the rank of
one, two of them compared, and names in alphabetical order."""

import re
from fractions import Fraction

import arithmetic
import telemetry
import telling
import wording
import words
from assemble import Amount, Answer, build, unit_stated
from families import aggregates

WEIGHT = 9
FAMILY = "ranking"
NOUN = {"noun": words.Noun}
PAIR = NOUN | {"a": words.Noun, "b": words.Noun}
PAIR_WORD = {"most": words.Adjective, "a": words.Noun, "b": words.Noun}
TOP = {"kind": words.Noun, "kinds": words.Noun, "n": str, "order": str}
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
        "top_what": TOP | {"what": str},
        "top_adj": TOP | {"most": str},
        "place_what": {"kind": words.Noun, "what": str, "place": str},
        "first_last": {"kind": words.Noun, "kinds": words.Noun, "one": str, "other": str},
        "rank_low": NOUN | {"name": words.Noun},
        "rank_word": {"first": words.Adjective, "last": words.Adjective, "name": words.Noun},
        "verb_more": {"a": words.Noun, "b": words.Noun, "does": str},
        "versus_full": {"a": words.Noun, "b": words.Noun, "adj": str},
        "apart": PAIR,
        "with_values": NOUN | {"order": str},
        "nearest": NOUN | {"target": str},
    },
)
KEYS = {
    "order": {"en": ["order", "names", "answer"], "fr": ["ordre", "noms", "answer"]},
    "values": {"en": ["values", "sorted", "answer"], "fr": ["valeurs", "tri", "answer"]},
    "rank": {"en": ["rank", "place", "answer"], "fr": ["rang", "place", "answer"]},
    "difference": {"en": ["difference", "gap", "answer"], "fr": ["difference", "ecart", "answer"]},
}
# What the first and the last may be called where both are asked for at once.
END_KEYS = {
    "highest": {
        "en": "first first_one first_place number_one leader rank_1 start 1st".split(),
        "fr": "premier tete premiere_place numero_un en_tete rang_1 debut meneur".split(),
    },
    "lowest": {
        "en": "last last_one last_place final tail end the_last".split(),
        "fr": "dernier queue derniere_place lanterne_rouge en_queue fin bon_dernier".split(),
    },
}
ORDERED = {
    False: {
        "en": ["highest first", "from the highest down", "in descending order", "largest first", "top down"],
        "fr": ["du plus haut au plus bas", "le plus haut d'abord", "en ordre décroissant", "par valeur décroissante",
               "de la plus forte valeur à la plus faible", "en commençant par le plus haut"],
    },
    True: {
        "en": ["lowest first", "from the lowest up", "in ascending order", "smallest first", "bottom up"],
        "fr": ["du plus bas au plus haut", "le plus bas d'abord", "en ordre croissant", "par valeur croissante",
               "de la plus faible valeur à la plus forte", "en commençant par le plus bas"],
    },
}
# What a thing with more of a quantity does more of, by unit: the verb as it stands before `more than`, `plus que`.
VERBS = {
    "W": {"en": "draw use consume take need pull", "fr": "consomme tire prend demande"},
    "kW": {"en": "make produce deliver give", "fr": "produit délivre fournit donne"},
    "kWh": {"en": "use consume need take", "fr": "consomme utilise prend a_consommé"},
    "MWh": {"en": "use consume need", "fr": "consomme utilise"},
    "kg": {"en": "weigh", "fr": "pèse"},
    "g": {"en": "weigh", "fr": "pèse"},
    "L": {"en": "hold contain have", "fr": "contient renferme a"},
    "m³": {"en": "use take need", "fr": "consomme utilise"},
    "L/min": {"en": "deliver give let_through", "fr": "débite laisse_passer donne"},
    "m³/h": {"en": "move deliver blow", "fr": "débite souffle"},
    "mA": {"en": "draw use pull take", "fr": "tire consomme prend"},
    "A": {"en": "draw pull take", "fr": "tire consomme prend"},
    "h": {"en": "have", "fr": "a"},
    "MB": {"en": "use take need", "fr": "utilise occupe prend"},
    "N": {"en": "push press", "fr": "pousse appuie"},
}
COMPARED = {
    ">": {"en": ["{} more"], "fr": ["{} plus", "{} davantage"]},
    "<": {"en": ["{} less"], "fr": ["{} moins"]},
}
ANY_VERB = {
    ">": {"en": ["show more", "read higher", "have the higher value", "stand higher", "show a higher value"],
          "fr": ["affiche plus", "indique plus", "a une valeur plus haute", "donne plus"]},
    "<": {"en": ["show less", "read lower", "have the lower value", "stand lower", "show a lower value"],
          "fr": ["affiche moins", "indique moins", "a une valeur plus basse", "donne moins"]},
}
SPECIAL = {
    "rpm": {">": {"en": ["turn faster", "spin faster", "run faster"], "fr": ["tourne plus vite", "va plus vite"]},
            "<": {"en": ["turn slower", "spin slower", "run slower"], "fr": ["tourne moins vite", "va moins vite"]}},
    "ms": {">": {"en": ["take longer", "take more time"], "fr": ["met plus de temps", "répond moins vite"]},
           "<": {"en": ["answer faster", "take less time"], "fr": ["met moins de temps", "répond plus vite"]}},
}
SMALL = {
    2: {"en": ["two", "2"], "fr": ["deux", "2"]},
    3: {"en": ["three", "3"], "fr": ["trois", "3"]},
}


def make(rng, language, held_out):
    kinds = [_sort, _values, _top, _second, _lead, _rank, _versus, _how_much, _alphabet]
    kinds += [_top_things, _place, _first_last, _rank_from, _verb, _versus_full, _apart]
    kinds += [_with_values, _nearest, _sort_mixed]
    kind = rng.choices(kinds, [16, 4, 8, 15, 5, 8, 8, 8, 4, 11, 5, 8, 6, 5, 6, 6, 6, 5, 4])[0]
    return kind(rng, language, held_out)


def _draw(rng, language, held_out, weights, worded=False):
    """Readings that all differ; `weights` are those of 3, 4, 5, ... readings. With `worded` there
    are words for who has the most and who the least, and the names are rooms."""
    count = rng.choices(range(3, 3 + len(weights)), weights)[0]

    def fits(quantity):
        return not worded or (quantity.most[language] and quantity.least[language])

    places = True if worded else None
    return aggregates.drawn(rng, language, count, held_out, distinct=True, places=places, among=fits)


def _sort(rng, language, held_out):
    """All names from the highest on, or from the lowest on."""
    separator = telemetry.separator(rng, language)
    worded = rng.random() < 0.4
    readings = _draw(rng, language, held_out, [6, 4, 2], worded)
    if len(readings.values) > 3 and rng.random() < 0.15:
        # Two that are equal stay in the order in which they are told.
        one, other = rng.sample(range(len(readings.values)), 2)
        readings.values[one] = readings.values[other]
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
    told = aggregates.tell(rng, readings, separator, distract)
    relation = "<" if up else ">"
    lines, order = arithmetic.ordering(
        readings.values, readings.decimals, told.names, relation=relation
    )
    return _listed(
        rng, language, held_out, question, "sort", up, lines, order, readings, told, separator
    )


def _upward(kind, up):
    return f"{kind} up" if up else kind


def _listed(
    rng, language, held_out, question, kind, up, lines, order, readings, told, separator
):
    """The names of `order` are the answer."""
    names = [told.names[i] for i in order]
    thought = [_upward(kind, up), *lines]
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
    told = aggregates.values_alone(rng, readings, separator)
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
    told = aggregates.tell(rng, readings, separator)
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
    told = aggregates.tell(rng, readings, separator)
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
    told = aggregates.tell(rng, readings, separator)
    lines, order = arithmetic.ordering(readings.values, readings.decimals, keep=2)
    facts = {"kind": "lead", "pair": order}
    return _difference(
        rng, language, held_out, question, ["lead", *lines], readings, told, separator, facts
    )


def _rank(rng, language, held_out):
    """The place of one of them, the highest being first."""
    separator = telemetry.separator(rng, language)
    readings = _draw(rng, language, held_out, [4, 5, 3, 1])
    told = aggregates.tell(rng, readings, separator)
    mine = rng.randrange(len(readings.values))
    name = words.Noun(told.names[mine], language, "")
    question = WORDING.say(rng, language, "rank_of", held_out, noun=readings.noun, name=name)
    return _ranked(rng, language, held_out, question, readings, told, separator, mine)


def _pair(rng, language, held_out, count, worded):
    """Two readings of several, as names that stand in the prompt: data, readings and indices."""
    separator = telemetry.separator(rng, language)
    readings = _draw(rng, language, held_out, count, worded)
    told = aggregates.tell(rng, readings, separator)
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
    told = aggregates.tell(rng, readings, separator)
    lines, order = arithmetic.alphabetical(told.names)
    names = [told.names[i] for i in order]
    answer = Answer("{names}", {"names": names}, {"names": KEYS["order"][language]}, capital=False)
    thought = ["alpha", *lines]
    facts = {"kind": "alphabet", "names": told.names}
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _with_values(rng, language, held_out):
    """All of them in order, each with its value."""
    separator = telemetry.separator(rng, language)
    worded, up = rng.random() < 0.45, rng.random() < 0.5
    readings = _draw(rng, language, held_out, [7, 4, 1], worded)
    order = rng.choice(ORDERED[up][language])
    if worded:
        ends = [rng.choice(side[language]) for side in (readings.quantity.most, readings.quantity.least)]
        first, last = reversed(ends) if up else ends
        form = "from {} to {}" if language == "en" else "du plus {} au plus {}"
        order = form.format(first, last)
    question = WORDING.say(rng, language, "with_values", held_out, noun=readings.noun, order=order)
    told = aggregates.tell(rng, readings, separator)
    lines, found = arithmetic.ordering(readings.values, readings.decimals, told.names, relation="<" if up else ">")
    fields = {}
    for i in found:
        amount = Amount(readings.values[i], readings.decimals, readings.unit)
        fields |= {f"name{i}": told.names[i], f"value{i}": amount}
    plain = ", ".join(f"{{name{i}}} ({{value{i}}})" for i in found)
    facts = {"kind": "with values", "up": up, "values": readings.values, "names": told.names}
    facts |= {"decimals": readings.decimals, "unit": readings.unit}
    thought, answer = [_upward("sort with", up), *lines], Answer(plain, fields, capital=False)
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts, json_share=0)


def _sort_mixed(rng, language, held_out):
    """All of them in order where some are in W and some in kW."""
    separator, up = telemetry.separator(rng, language), rng.random() < 0.4
    readings = telemetry.draw(rng, language, rng.choices([3, 4], [7, 3])[0], held_out, distinct=True)
    amounts, told = aggregates.told_mixed(rng, readings, separator, telling.column(rng, language))
    section = "sort_up" if up else "sort_down"
    question = WORDING.say(rng, language, section, held_out, noun=readings.noun)
    lines, order = arithmetic.ordering(readings.values, 0, told.names, relation="<" if up else ">")
    lines = aggregates.in_one_unit(lines, told.names, amounts, readings.quantity)
    return _listed(
        rng, language, held_out, question, "sort", up, lines, order, readings, told, separator
    )


def _nearest(rng, language, held_out):
    """The one nearest to a target: how far each is from it, the smallest so far marked."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [2, 8, 2])[0]
    while True:
        readings = aggregates.drawn(rng, language, count, held_out, distinct=True, negative=False)
        values, decimals = readings.values, readings.decimals
        low, high = min(values), max(values)
        target = rng.randint(max(0, low - (high - low) // 4), high + (high - low) // 4)
        step = 10 ** max(0, len(str(target)) - rng.choice([1, 2, 2, 3]))
        target = (target + step // 2) // step * step
        away = [abs(value - target) for value in values]
        if 0 not in away and len(set(away)) == count and max(values) < (1000 if count > 3 else 10000):
            break
    said, places = arithmetic.trimmed(target, decimals)
    text = telemetry.written(arithmetic.text(said, places), separator)
    text += f" {readings.unit}" if readings.unit in aggregates.SHORT_UNITS or rng.random() < 0.7 else ""
    question = WORDING.say(rng, language, "nearest", held_out, noun=readings.noun, target=text)
    told = aggregates.tell(rng, readings, separator)
    thought, found = [f"nearest {arithmetic.text(target, decimals)}"], 0
    for i, value in enumerate(values):
        steps, _ = arithmetic.digits_compared(value, decimals, target, decimals)
        line, _ = arithmetic.subtraction(max(value, target), min(value, target), decimals)
        line = f"{i + 1}:{told.names[i]} {readings.value(i)} {steps} {line}"
        if i:
            steps, order = arithmetic.digits_compared(away[i], decimals, away[found], decimals)
            line += f" {steps}"
            found = i if order < 0 else found
        thought.append(f"{line} *{found + 1}")
    fields = {"name": told.names[found], "value": Amount(values[found], decimals, readings.unit)}
    answer = Answer("{name} ({value})", fields, capital=False)
    facts = {"kind": "nearest", "values": values, "names": told.names, "target": target}
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


# Things of one kind ------------------------------------------------------------


def _order(rng, readings, kind, up, adjective=None):
    """`highest first`, `du plus bruyant au moins bruyant`."""
    language = readings.language
    if adjective is None or rng.random() < 0.3:
        return rng.choice(ORDERED[up][language])
    if language == "en":
        return rng.choice([f"{adjective} first", f"the {adjective} first", f"starting with the {adjective}"])
    said = aggregates.agreed(adjective, kind)
    ends = ("de la plus", "à la moins", "la plus") if kind.gender == "f" else ("du plus", "au moins", "le plus")
    return rng.choice([f"{ends[0]} {said} {ends[1]} {said}"] * 2 + [f"{ends[2]} {said} en premier"])


def _top_things(rng, language, held_out):
    """The three loudest machines, the two nodes with the most retries."""
    separator = telemetry.separator(rng, language)
    number = rng.choices([2, 3], [4, 6])[0]
    by_word, up = rng.random() < 0.5, rng.random() < 0.35

    def fits(quantity):
        return not by_word or (quantity.least if up else quantity.most)[language]

    weights = [5, 5, 2] if number == 2 else [0, 6, 4]
    readings, kind, kinds = aggregates.things(rng, language, held_out, weights, fits, 0 if by_word else 0.35, 0.12)
    slots = {"kind": kind, "kinds": kinds, "n": rng.choice(SMALL[number][language])}
    if by_word:
        adjective = rng.choice((readings.quantity.least if up else readings.quantity.most)[language])
        slots["most"] = str(adjective) if language == "en" else aggregates.agreed(adjective, kinds)
        slots["order"] = _order(rng, readings, kind, up, adjective)
        question = WORDING.say(rng, language, "top_adj", held_out, **slots)
    else:
        slots |= {"what": aggregates.most_of(rng, readings, up), "order": _order(rng, readings, kind, up)}
        question = WORDING.say(rng, language, "top_what", held_out, **slots)
    told = aggregates.titled(rng, readings, separator, kind, kinds)
    lines, order = arithmetic.ordering(
        readings.values, readings.decimals, told.names, relation="<" if up else ">", keep=number
    )
    return _listed(
        rng, language, held_out, question, f"top {number}", up, lines, order, readings, told, separator
    )


def _place(rng, language, held_out):
    """The second or third of things of a kind: which tank comes third, the one with the most being first."""
    separator = telemetry.separator(rng, language)
    third, up = rng.random() < 0.6, rng.random() < 0.35
    weights = [1, 6, 3] if third else [5, 5, 1]
    readings, kind, kinds = aggregates.things(rng, language, held_out, weights, None, 0.25, 0.12)
    place = "third" if third else "second"
    if language == "en":
        said = rng.choice([place, "number 3" if third else "number 2", "3rd" if third else "2nd"])
    else:
        said = rng.choice(["troisième" if third else "deuxième", "numéro 3" if third else "numéro 2"])
    what = aggregates.most_of(rng, readings, up)
    question = WORDING.say(rng, language, "place_what", held_out, kind=kind, what=what, place=said)
    told = aggregates.titled(rng, readings, separator, kind, kinds)
    lines, order = arithmetic.ordering(
        readings.values, readings.decimals, told.names, relation="<" if up else ">", keep=3 if third else 2
    )
    found = order[-1]
    fields = {
        "name": told.names[found], "value": Amount(readings.values[found], readings.decimals, readings.unit)
    }
    answer = Answer("{name} ({value})", fields, capital=False)
    facts = {"kind": place, "up": up, "values": readings.values, "names": told.names}
    thought = [f"{place}{' up' if up else ''}", *lines]
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _first_last(rng, language, held_out):
    """The first and the last of an order, in one JSON."""
    separator = telemetry.separator(rng, language)
    worded = aggregates.worded(rng, language)
    readings, kind, kinds = aggregates.things(rng, language, held_out, [5, 5, 2], worded, days=0.12)
    phrases, adjectives = aggregates.ends_of(rng, readings, kind)
    up = rng.random() < 0.4
    one, other = reversed(phrases) if up else phrases
    question = WORDING.say(rng, language, "first_last", held_out, kind=kind, kinds=kinds, one=one, other=other)
    told = aggregates.titled(rng, readings, separator, kind, kinds)
    lines, high, low = arithmetic.extremes(readings.values, readings.decimals, told.names)
    keys = {"highest": END_KEYS["highest"][language], "lowest": END_KEYS["lowest"][language]}
    fields = {"highest": told.names[high], "lowest": told.names[low]}
    if up:
        fields = dict(reversed(fields.items()))
        keys = {"lowest": keys["highest"], "highest": keys["lowest"]}
    order = (low, high) if up else (high, low)
    thought = aggregates.ends_thought(up, lines, _fetched(readings, told, *order))
    answer = Answer("", fields, keys, several=True)
    facts = {"kind": "first last", "up": up, "values": readings.values, "names": told.names}
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _rank_from(rng, language, held_out):
    """The place of one of them, counted from the lowest, or from the strongest to the weakest."""
    separator = telemetry.separator(rng, language)
    worded = rng.random() < 0.65
    readings = _draw(rng, language, held_out, [4, 5, 3], worded)
    up = rng.random() < 0.4 if worded else True
    told = aggregates.tell(rng, readings, separator)
    mine = rng.randrange(len(readings.values))
    name = words.Noun(told.names[mine], language, "")
    if worded:
        ends = [rng.choice(side[language]) for side in (readings.quantity.most, readings.quantity.least)]
        first, last = reversed(ends) if up else ends
        question = WORDING.say(rng, language, "rank_word", held_out, first=first, last=last, name=name)
    else:
        question = WORDING.say(rng, language, "rank_low", held_out, noun=readings.noun, name=name)
    return _ranked(rng, language, held_out, question, readings, told, separator, mine, up)


def _ranked(rng, language, held_out, question, readings, told, separator, mine, up=False):
    """How many are before this one decides its place."""
    thought, rank = [f"rank{' up' if up else ''} {told.names[mine]} {readings.value(mine)}"], 1
    for i, value in enumerate(readings.values):
        if i != mine:
            steps, order = arithmetic.digits_compared(
                value, readings.decimals, readings.values[mine], readings.decimals
            )
            rank += order < 0 if up else order > 0
            thought.append(f"{told.names[i]} {readings.value(i)} {steps} {rank}")
    thought.append(f"={rank}")
    answer = Answer("{rank}", {"rank": Amount(rank)}, {"rank": KEYS["rank"][language]})
    facts = {"kind": "rank", "values": readings.values, "mine": mine, "up": up}
    return _build(
        rng, language, held_out, question, thought, answer, told, separator, facts, exact=True
    )


# Two of them, by verb, adjective or difference ------------------------------------------------------------


def _named_pair(rng, readings, told):
    """Two of the readings, and what they are called with their articles where the data has them so."""
    a, b = rng.sample(range(len(readings.values)), 2)
    nouns = []
    for i in (a, b):
        name, whole = told.names[i], readings.names[i]
        nouns.append(whole if name == str(whole) else words.Noun(name, readings.language, ""))
    if not all(noun.gender for noun in nouns) or rng.random() < 0.25:
        nouns = [words.Noun(str(noun), readings.language, "") for noun in nouns]
    return a, b, *nouns


def _pair_told(rng, language, held_out, fits=None):
    """Two to four readings, mostly two, of places or things of a kind; as data, and what is asked about."""
    separator = telemetry.separator(rng, language)
    if rng.random() < 0.5:
        count = rng.choices([2, 3, 4], [5, 4, 2])[0]
        readings = aggregates.drawn(rng, language, count, held_out, distinct=True, places=True, among=fits)
        return separator, readings, aggregates.tell(rng, readings, separator)
    readings, kind, kinds = aggregates.things(rng, language, held_out, [5, 2], fits, days=0.1)
    cut = 2 if rng.random() < 0.5 else len(readings.values)
    readings.values, readings.names = readings.values[:cut], readings.names[:cut]
    return separator, readings, aggregates.titled(rng, readings, separator, kind, kinds)


def _asked_of_two(rng, language, section, held_out, readings, a, b, **slots):
    """A question that names both; where there are only two, one of them will do."""
    while True:
        question = WORDING.say(rng, language, section, held_out, a=a, b=b, **slots)
        if len(readings.values) == 2 or {"a", "b"} <= question.slots:
            return question


def _compared(rng, language, held_out, question, readings, told, separator, a, b, relation):
    """Yes or no: the two are fetched and compared."""
    line, holds = arithmetic.comparison(
        readings.values[a], readings.decimals, relation, readings.values[b], readings.decimals
    )
    thought = ["versus", *_fetched(readings, told, a, b), line]
    facts = {"kind": "versus", "values": [readings.values[i] for i in (a, b)], "relation": relation}
    answer = Answer(f"{words.YES_NO[language][0 if holds else 1]}.", {"truth": holds})
    return _build(
        rng, language, held_out, question, thought, answer, told, separator, facts, exact=True
    )


def _verb(rng, language, held_out):
    """Does turbine 1 make more than turbine 2?"""
    known = rng.random() < 0.85

    def fits(quantity):
        return not known or quantity.unit in VERBS or quantity.unit in SPECIAL

    separator, readings, told = _pair_told(rng, language, held_out, fits)
    a, b, first, second = _named_pair(rng, readings, told)
    relation = rng.choice(">><")
    if not known:
        does = rng.choice(ANY_VERB[relation][language])
    elif readings.unit in SPECIAL:
        does = rng.choice(SPECIAL[readings.unit][relation][language])
    else:
        verb = rng.choice(VERBS[readings.unit][language].split()).replace("_", " ")
        does = rng.choice(COMPARED[relation][language]).format(verb)
    question = _asked_of_two(rng, language, "verb_more", held_out, readings, first, second, does=does)
    return _compared(rng, language, held_out, question, readings, told, separator, a, b, relation)


def _versus_full(rng, language, held_out):
    """Is the cellar colder than the hall? With articles, and adjectives that agree."""
    relation = rng.choice("><")

    def fits(quantity):
        return (quantity.most if relation == ">" else quantity.least)[language]

    separator, readings, told = _pair_told(rng, language, held_out, fits)
    a, b, first, second = _named_pair(rng, readings, told)
    adjective = rng.choice(fits(readings.quantity))
    adj = adjective.more if language == "en" else f"plus {aggregates.agreed(adjective, first)}"
    question = _asked_of_two(rng, language, "versus_full", held_out, readings, first, second, adj=adj)
    return _compared(rng, language, held_out, question, readings, told, separator, a, b, relation)


def _apart(rng, language, held_out):
    """The difference between two of them, whichever is higher."""
    separator, readings, told = _pair_told(rng, language, held_out)
    a, b, first, second = _named_pair(rng, readings, told)
    question = _asked_of_two(rng, language, "apart", held_out, readings, first, second, noun=readings.noun)
    line, more = arithmetic.comparison(
        readings.values[a], readings.decimals, ">", readings.values[b], readings.decimals
    )
    thought = ["apart", *_fetched(readings, told, a, b), line]
    facts = {"kind": "how much", "pair": [a, b] if more else [b, a]}
    return _difference(
        rng, language, held_out, question, thought, readings, told, separator, facts
    )


def _build(
    rng, language, held_out, question, thought, answer, told, separator, facts, exact=False, **rest
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
        **rest,
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
        return Fraction(sorted(values, reverse=not facts["up"]).index(values[facts["mine"]]) + 1)
    if kind == "first last":
        pairs = sorted(zip(values, facts["names"]), reverse=not facts["up"])
        return pairs[0][1], pairs[-1][1]
    if kind == "nearest":
        return min(zip(values, facts["names"]), key=lambda pair: abs(pair[0] - facts["target"]))[1]
    if kind == "with values":
        return _valued(problem)
    if kind in ("lead", "how much"):
        if kind == "lead":
            high, low = sorted(values)[-1], sorted(values)[-2]
        else:
            low, high = sorted(values[i] for i in facts["pair"])
        return Fraction(high - low, 10 ** facts["decimals"])
    if kind == "values":
        scale = 10 ** facts["decimals"]
        found = sorted(values, reverse=not facts["up"])
        if problem.format == "json":
            return [Fraction(value, scale) for value in found]
        numbers = [f"{value / scale:.{facts['decimals']}f}" for value in found]
        comma = facts["point"] == ","
        return ("; " if comma else ", ").join(n.replace(".", facts["point"]) for n in numbers)
    pairs = sorted(zip(values, facts["names"]), key=lambda pair: pair[0], reverse=not facts["up"])
    if kind in ("second", "third"):
        return pairs[1 if kind == "second" else 2][1]
    return [name for _, name in pairs][: facts["count"]]


def _valued(problem):
    """`hall (21.5 °C), attic (19 °C)`: the unit where the prompt states it, the point as the answer has it."""
    facts, scale = problem.facts, 10 ** problem.facts["decimals"]
    told = problem.system + "\n" + problem.prompt
    unit = f" {facts['unit']}" if unit_stated(told, facts["unit"]) else ""
    pairs = sorted(zip(facts["values"], facts["names"]), key=lambda pair: pair[0], reverse=not facts["up"])
    text = ", ".join(f"{name} ({value / scale:.{facts['decimals']}f}{unit})" for value, name in pairs)
    point = "," if re.search(r"\(-?\d+,\d", problem.answer) else "."
    return re.sub(r"(?<=\d)\.(?=\d+( \S+)?\))", point, text)
