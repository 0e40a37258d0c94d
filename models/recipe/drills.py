"""Bare steps of thoughts: sums, differences, comparisons, products, quotients, clock steps,
fetching and ordering.

A drill is a list of (given, result): what stands there, and what the model must write after it.
"""

import re

import arithmetic
import assemble
import naming
import noise
import relations
import telemetry
import words
from wording import LANGUAGES, capital

KINDS = {
    "fetch": 26,
    "names": 18,
    "copy": 16,
    "keys": 16,
    "sum": 14,
    "addition": 6,
    "subtraction": 8,
    "comparison": 16,
    "limits": 40,
    "conditions": 40,
    "best": 8,
    "ordering": 4,
    "extremes": 3,
    "alphabet": 2,
    "division": 12,
    "multiplication": 6,
    "clock": 6,
    "shift": 6,
    "times": 6,
    "quotient": 8,
    "rounding": 3,
}


def drill(rng):
    kind = rng.choices(list(KINDS), KINDS.values())[0]
    return _DRILLS[kind](rng)


def _split(line, sign):
    """Cuts a line behind the first `sign`: what is given, and what follows."""
    given, found, result = line.partition(sign)
    return given + found, result + "\n"


def _number(rng):
    """A number and its decimals, of all sizes alike."""
    decimals = rng.choice([0, 1, 1, 2]) if rng.random() < 0.5 else rng.choice([0, 1])
    return rng.randint(0, rng.choice([9, 99, 400, 999, 999, 3000, 9999, 19999])), decimals


def _behind(text, pairs):
    """The pairs of a drill, with what stands before the first of them."""
    (given, result), *rest = pairs
    return [(text + given, result), *rest]


def _fetch(rng):
    """All readings of a telemetry in their order, or those of places that are asked for: `?` where it has none."""
    language = rng.choice(LANGUAGES)
    readings = telemetry.draw(rng, language, rng.randint(3, 9))
    absent = [readings.names.pop() for _ in range(rng.choice([0, 1, 1, 2]))]
    del readings.values[len(readings.names) :]
    told = telemetry.tell(rng, readings, telemetry.separator(rng, language))
    if rng.random() < 0.55:
        asked = rng.sample(range(len(told.names)), min(len(told.names), rng.randint(2, 4)))
        pairs = [(f"{readings.names[i]}?\n", f"{told.names[i]} {readings.value(i)}\n") for i in asked]
        pairs += [(f"{name}?\n", f"{name} ?\n") for name in absent]
        rng.shuffle(pairs)
        return _behind(f"{told.text}\n", pairs)
    named = rng.random() < 0.5
    rows = [
        f"{i + 1}:{f'{name} ' if named else ''}{readings.value(i)}"
        for i, name in enumerate(told.names)
    ]
    return [(told.text + ("\nnames\n" if named else "\nvalues\n"), "\n".join(rows) + "\n")]


def _names(rng):
    """Names of any words, or codes, and some of them with their values again."""
    count = rng.randint(2, 7)
    if rng.random() < 0.6:
        called = naming.any_names(rng, count)
    else:
        called = naming.codes(rng, rng.choice(LANGUAGES), count)
    rows = [(name, _number(rng)) for name in called]
    rows = [(name, arithmetic.text(*number)) for name, number in rows]
    absent = rows.pop()[0] if len(rows) > 2 and rng.random() < 0.5 else ""
    separator = rng.choice([", ", "\n", "; ", " "])
    glue = rng.choice([" ", ": ", "=", " = ", " is "])
    text = separator.join(f"{name}{glue}{value}" for name, value in rows)
    if rng.random() < 0.3:
        text = telemetry.encode({name: telemetry.Number(value) for name, value in rows})
    if rng.random() < 0.5:
        listed = "\n".join(f"{i + 1}:{name} {value}" for i, (name, value) in enumerate(rows)) + "\n"
        return [(f"{text}\nnames\n", listed)]
    asked = rng.sample(rows, min(len(rows), rng.randint(2, 5)))
    pairs = [(f"{name} ", value + "\n") for name, value in asked]
    if absent:
        pairs.insert(rng.randrange(len(pairs) + 1), (f"{absent} ", "?\n"))
    name, value = rng.choice(rows)
    found = [("which " + value, f" {name}\n")] if [v for _, v in rows].count(value) == 1 else []
    return _behind(f"{text}\nvalue\n", [*pairs, *found])


def _copy(rng):
    """Some of several phrases again, as they stand or as a sentence: actions, or any words and the numbers among them."""
    phrases, spoken = [], rng.random() < 0.4
    for _ in range(rng.randint(2, 4)):
        if spoken:
            phrases.append(words.action(rng, rng.choice(LANGUAGES)).do)
            continue
        said = [naming.word(rng) for _ in range(rng.randint(2, 8))]
        if rng.random() < 0.4:
            said.insert(rng.randint(1, len(said)), arithmetic.text(*_number(rng)))
        phrases.append(" ".join(said))
    text = "\n".join(f"{i + 1}) {phrase}" for i, phrase in enumerate(phrases))
    chosen = rng.sample(range(len(phrases)), 2)

    def again(i):
        if rng.random() < 0.5:
            return f"say {i + 1}\n", f"{capital(phrases[i])}.\n"
        return f"do {i + 1}\n", phrases[i] + "\n"

    return _behind(f"{text}\n", [again(i) for i in chosen])


def _keys(rng):
    """Wishes for JSON, and the answers to them."""
    pairs = []
    for _ in range(rng.randint(2, 4)):
        language = rng.choice(LANGUAGES)
        keys = list(dict.fromkeys(naming.key(rng) for _ in range(rng.choice([1, 1, 1, 2]))))
        wish = assemble.wish(rng, language, False, keys, [assemble.Amount(0)]).text
        values = [arithmetic.text(*_number(rng)), rng.choice(["°C", "kWh", "L", "min", "W", "€", "%"])]
        given = dict(zip(keys, [telemetry.Number(values[0]), values[1]]))
        pairs.append((f"{wish}\n{' '.join(values[: len(keys)])}\n", telemetry.encode(given) + "\n"))
    return pairs


def _sum(rng):
    decimals, high = rng.choice([0, 1, 1]), rng.choice([99, 400, 999, 3000])
    low = -high if rng.random() < 0.15 else 0
    values = [rng.randint(low, high) for _ in range(rng.randint(2, 8))]
    lines, total = arithmetic.running_sum(values, decimals)
    pairs = [_split(line, "~") for line in lines]
    return [*pairs, ("=", arithmetic.text(total, decimals) + "\n")]


def _pairs(rng, make, count=(5, 8)):
    return [make() for _ in range(rng.randint(*count))]


def _addition(rng):
    def one():
        a, decimals = _number(rng)
        return _split(arithmetic.addition(a, _number(rng)[0], decimals)[0], "~")

    return _pairs(rng, one)


def _subtraction(rng):
    def one():
        a, decimals = _number(rng)
        b = _number(rng)[0]
        if rng.random() < 0.6:
            return _split(arithmetic.subtraction(max(a, b), min(a, b), decimals)[0], "~")
        if rng.random() < 0.4:
            a, b = (-a if rng.random() < 0.5 else a), (-b if rng.random() < 0.5 else b)
        line = arithmetic.change(a, b, decimals)[0]
        given = f"{arithmetic.text(a, decimals)}-{arithmetic.text(b, decimals)}"
        return given, line[len(given) :] + "\n"

    return _pairs(rng, one)


def _close(rng, a):
    """Another number, often close to `a`, sometimes the same."""
    if rng.random() < 0.1:
        return a
    b = a + rng.choice([-1, 1]) * rng.randint(0, rng.choice([2, 10, 60, 2000]))
    return b if a < 0 else max(0, b)


def _comparison(rng):
    def one():
        a, decimals = _number(rng)
        a = -a if rng.random() < 0.07 else a
        b, b_decimals = _close(rng, a), decimals
        if decimals and rng.random() < 0.4:
            b, b_decimals = int(b / 10**decimals), 0
        relation = rng.choice([">", "<", ">", "<", ">=", "<="])
        return _split(arithmetic.comparison(a, decimals, relation, b, b_decimals)[0], " ")

    return _pairs(rng, one)


def _limits(rng):
    """Limits in words, and the comparisons that they are."""

    def one():
        language, relation = rng.choice(LANGUAGES), rng.choice(list(relations.NAMES))
        quantity = rng.choice(words.QUANTITIES)
        (value, decimals), negated = _number(rng), rng.random() < 0.35
        limit, limit_decimals = relations.limit_near(rng, value, decimals)
        text = relations.limit_text(rng, limit, limit_decimals, quantity.unit, telemetry.separator(rng, language))
        if rng.random() < 0.25:
            said, negated = relations.bare(rng, language, False, relation, text), False
        else:
            said = relations.clause(rng, language, False, quantity.noun[language], relation, text, negated)
        words_said = noise.said_otherwise(rng, said.text, language, said.literals)
        value, limit = arithmetic.text(value, decimals), arithmetic.text(limit, limit_decimals)
        return f"{words_said}\n{value} ?\n", f"{'not ' if negated else ''}{value}{relation}{limit}\n"

    return _pairs(rng, one, (4, 6))


def _conditions(rng):
    """Limits of several quantities and what is known now: of each the comparison, or `?` where it is not told."""
    language, separator = rng.choice(LANGUAGES), telemetry.separator(rng, rng.choice(LANGUAGES))
    pool = {q.noun[language].text: q for q in rng.sample(words.QUANTITIES, len(words.QUANTITIES))}
    quantities = list(pool.values())[: rng.randint(3, 6)]
    asked, facts, pairs, clauses = rng.randint(2, min(4, len(quantities))), [], [], []
    for i, quantity in enumerate(quantities):
        decimals = rng.choice(quantity.decimals)
        scale = 10**decimals
        value = rng.randint(round(quantity.low * scale), round(quantity.high * scale))
        known = rng.random() < 0.58
        if known:
            facts.append(telemetry.reading(rng, language, quantity, value, decimals))
        if i >= asked:
            continue
        noun, relation, negated = quantity.noun[language], rng.choice(list(relations.NAMES)), rng.random() < 0.15
        limit, limit_decimals = relations.limit_near(rng, value, decimals)
        text = relations.limit_text(rng, limit, limit_decimals, quantity.unit, separator)
        said = relations.clause(rng, language, False, noun, relation, text, negated)
        clauses.append(noise.said_otherwise(rng, said.text, language, said.literals, set(str(noun).split())))
        compared = f"{arithmetic.text(value, decimals)}{relation}{arithmetic.text(limit, limit_decimals)}"
        pairs.append((f"{noun} ", f"{'not ' if negated else ''}{compared}\n" if known else "?\n"))
    if not facts:
        return _conditions(rng)
    rng.shuffle(facts)
    rng.shuffle(pairs)
    told = telemetry.tell_facts(rng, language, facts, separator)
    parts = [rng.choice(["; ", ". ", "\n", ", "]).join(clauses), told.text]
    if rng.random() < 0.4:
        parts.reverse()
    return _behind("\n".join(parts) + "\nconditions\n", pairs)


def _several(rng):
    a, decimals = _number(rng)
    values = [a]
    for _ in range(rng.randint(2, 6)):
        values.append(_close(rng, rng.choice(values)))
    rng.shuffle(values)
    return values, decimals


def _best(rng):
    values, decimals = _several(rng)
    relation = rng.choice("><")
    lines, found = arithmetic.best(values, decimals, relation)
    given = " ".join(arithmetic.text(value, decimals) for value in values)
    lines.append(f"={arithmetic.text(values[found], decimals)}\n")
    return [(f"{given}\n{'max' if relation == '>' else 'min'}\n", "\n".join(lines))]


def _ordering(rng):
    values, decimals = _several(rng)
    relation, keep = rng.choice(">><"), rng.choice([None, None, 2])
    lines, _ = arithmetic.ordering(values, decimals, relation=relation, keep=keep)
    kind = ("sort" if keep is None else "top") + (" up" if relation == "<" else "")
    given = " ".join(arithmetic.text(value, decimals) for value in values)
    return [(f"{given}\n{kind}\n", "\n".join(lines) + "\n")]


def _alphabet(rng):
    language = rng.choice(LANGUAGES)
    found = {}
    for name in naming.names(rng, language, rng.randint(4, 9), places=True):
        if name.text[0].isascii():
            found.setdefault(name.text[0], name.text)
    names = list(found.values())
    return [(", ".join(names) + "\nalpha\n", "\n".join(arithmetic.alphabetical(names)[0]) + "\n")]


def _extremes(rng):
    values, decimals = _several(rng)
    lines, _, _ = arithmetic.extremes(values, decimals)
    given = " ".join(arithmetic.text(value, decimals) for value in values)
    return [(f"{given}\nrange\n", "\n".join(lines) + "\n")]


def _division(rng):
    def one():
        a, decimals = _number(rng)
        if rng.random() < 0.2:
            return _split(arithmetic.whole_division(a, rng.choice([rng.randint(2, 9), rng.randint(11, 99), 60]))[0], " ")
        n = (
            rng.randint(2, 9)
            if rng.random() < 0.85
            else rng.choice([10, 12, 15, 20, 24, 25, 30, 60])
        )
        return _split(arithmetic.division(a, decimals, n, rng.choice([0, 1, 2, 2, 2]))[0], " ")

    return _pairs(rng, one, (3, 6))


def _multiplication(rng):
    def one():
        a, decimals = _number(rng)
        return _split(arithmetic.multiplication(a, decimals, rng.randint(2, 9))[0], " ")

    return _pairs(rng, one)


def _clock(rng):
    def one():
        a, b = rng.randrange(arithmetic.DAY), rng.randrange(arithmetic.DAY)
        if rng.random() < 0.5:
            a, b = a // 5 * 5, b // 5 * 5
        kind = rng.randrange(6)
        if kind == 5:
            return _split(arithmetic.clock_subtraction(a, b)[0], " ")
        if kind == 4:
            given, result = f"{arithmetic.half_day(a)}", f"{arithmetic.clock(a)}"
            turned = rng.random() < 0.4
            return (f"{result}=", f"{given}\n") if turned else (f"{given}=", f"{result}\n")
        if kind == 0:
            return _split(arithmetic.clock_addition(a, b)[0], " ")
        if kind == 1:
            return _split(arithmetic.clock_difference(a, b)[0], " ")
        if kind == 2:
            return _split(arithmetic.hours_and_minutes(rng.randint(10, 900))[0], "=")
        return _split(arithmetic.clock_comparison(a, rng.choice([">=", "<"]), b)[0], " ")

    return _pairs(rng, one, (4, 6))


def _shift(rng):
    """Powers of ten, where only the point moves."""

    def one():
        a, decimals = _number(rng)
        places = rng.choice([1, 2, 3, -1, -2, -3, 3, -3])
        return _split(arithmetic.shifted(max(1, a), decimals, places)[0], " ")

    return _pairs(rng, one)


def _lines(given, lines):
    """Several lines that follow from `given`, which begins the first of them."""
    return given, "\n".join([lines[0][len(given) :], *lines[1:]]) + "\n"


def _times(rng):
    """Numbers times numbers of two or three digits, prices and percentages among them."""

    def one():
        a, decimals = _number(rng)
        b, b_decimals = rng.choice([(rng.randint(2, 99), rng.choice([0, 1, 2])), (18, 1), (36, 1)])
        if rng.random() < 0.3:
            b = b % 10 * 10 or 60
        lines = arithmetic.times(max(1, a), decimals, b, b_decimals)[0]
        given = re.match(r"[\d.]+x[\d.]+", lines[0])
        return _lines(given.group(), lines) if given else ("", "\n".join(lines) + "\n")

    return [pair for pair in _pairs(rng, one, (2, 4)) if pair[0]] or _times(rng)


DIVISORS = [12, 15, 24, 25, 36, 60, 18, 35, 45, 75]


def divisor(rng):
    """A divisor and its decimals: mostly one digit and zeros, sometimes two digits."""
    chance = rng.random()
    if chance < 0.7:
        b = rng.randint(2, 9) * 10 ** rng.choice([0, 0, 1, 1, 2])
    else:
        b = rng.choice(DIVISORS) if chance < 0.88 else rng.randint(11, 99)
    return arithmetic.trimmed(b, rng.choice([0, 0, 0, 1, 2]))


def _quotient(rng):
    """Division by any number: first the divisor is made whole."""

    def one():
        a, decimals = _number(rng)
        b, b_decimals = divisor(rng)
        places = rng.choice([0, 1, 2, 2, 2])
        lines = arithmetic.quotient(max(1, a), decimals, b, b_decimals, places)[0]
        return _lines(lines[0].partition(" ")[0] + " ", lines)

    return _pairs(rng, one, (2, 4))


def _rounding(rng):
    def one():
        a, decimals = rng.randint(1, 19999), rng.choice([1, 2, 3])
        return _split(arithmetic.rounded(a, decimals, rng.randrange(decimals))[0], "|")

    return _pairs(rng, one)


_DRILLS = {
    "fetch": _fetch,
    "limits": _limits,
    "conditions": _conditions,
    "names": _names,
    "copy": _copy,
    "keys": _keys,
    "sum": _sum,
    "addition": _addition,
    "subtraction": _subtraction,
    "comparison": _comparison,
    "best": _best,
    "ordering": _ordering,
    "extremes": _extremes,
    "alphabet": _alphabet,
    "division": _division,
    "multiplication": _multiplication,
    "clock": _clock,
    "shift": _shift,
    "times": _times,
    "quotient": _quotient,
    "rounding": _rounding,
}
