"""Sensors that cannot be trusted: one that differs from the others, one that is stuck, values that
cannot be, readings that are old or missing; the answer names the sensor, or says that there is
none."""

from fractions import Fraction

import arithmetic
import naming
import telemetry
import wording
import words
from assemble import Answer, build

WEIGHT = 9
FAMILY = "faults"
NOUN = {"noun": words.Noun}
WORDING = wording.load(
    FAMILY,
    {
        "odd": NOUN,
        "differs": NOUN | {"limit": str},
        "agree": NOUN | {"limit": str, "a": words.Noun, "b": words.Noun},
        "stuck": NOUN,
        "stuck_one": NOUN,
        "range": NOUN | {"low": str, "high": str},
        "percent": NOUN,
        "tolerance": NOUN | {"target": str, "limit": str},
        "old": {"limit": str},
        "now": {"time": str},
        "oldest": {},
        "missing": NOUN,
    },
)
# What cannot be measured: what sensors of a quantity are good for, narrow and wide.
RANGES = {
    "temperature": [(-40, 85), (-20, 60), (0, 50), (-10, 100), (-55, 125)],
    "outdoor": [(-40, 85), (-30, 50), (-50, 60)],
    "humidity": [(0, 100)],
    "battery": [(0, 100)],
    "soil": [(0, 100)],
    "power": [(0, 3000), (0, 3680)],
    "light": [(0, 2000), (0, 1500)],
    "pressure": [(0, 10), (0, 16)],
    "co2": [(300, 5000), (350, 2500)],
    "level": [(0, 1000), (0, 1200)],
    "voltage": [(0, 60), (2, 65)],
    "current": [(0, 4000), (0, 3200)],
    "noise": [(20, 120), (0, 130)],
    "flow": [(0, 100), (0, 90)],
    "wind": [(0, 60), (0, 50)],
}
NONE = {"en": "none", "fr": "aucun"}


def make(rng, language, held_out):
    kinds = [_odd, _differs, _agree, _stuck, _stuck_one, _range, _tolerance, _old, _oldest]
    kind = rng.choices([*kinds, _missing], [9, 9, 8, 15, 7, 14, 7, 14, 8, 10])[0]
    return kind(rng, language, held_out)


def _one(language, name):
    """The one sensor that was asked for, or that there is none."""
    return Answer("{name}", {"name": name or NONE[language]}, capital=False)


def _several(language, names):
    plain = "{names}" if names else NONE[language]
    return Answer(plain, {"names": names}, capital=False)


def _kept(lines, hits):
    """Numbered lines, each with the numbers of those that are to be named so far: `*13`."""
    return [f"{line} {mark}" for line, mark in zip(lines, arithmetic.marks(hits))]


# Sensors against each other ------------------------------------------------------------


def _cluster(rng, language, held_out, count, far, odd=True):
    """Readings that lie close together but for one, its index (or nothing), and how far apart the
    others may lie: readings, index, tolerance and its decimals.

    The odd one is further from every other than `far` times that distance.
    """
    while True:
        readings = telemetry.draw(rng, language, count, held_out)
        quantity, decimals = readings.quantity, readings.decimals
        scale = 10**decimals
        low, high = round(quantity.low * scale), round(quantity.high * scale)
        tolerance = max(2, (high - low) // rng.choice([10, 15, 20, 30]))
        if decimals and tolerance > scale and rng.random() < 0.8:
            tolerance = tolerance // scale * scale
        centre = rng.randint(low, high)
        values = [centre + rng.randint(0, tolerance) for _ in range(count)]
        place = rng.randrange(count) if odd else None
        if odd:
            rest = values[:place] + values[place + 1 :]
            gap = far * tolerance + rng.randint(1, 4 * tolerance)
            values[place] = max(rest) + gap if rng.random() < 0.5 else min(rest) - gap
        top = 100 * scale if quantity.unit == "%" else high + 6 * tolerance
        bottom = 0 if quantity.low >= 0 else low - 6 * tolerance
        if all(bottom <= value <= top for value in values):
            readings.values = values
            whole = tolerance % scale == 0
            limit = (tolerance // scale, 0) if whole else (tolerance, decimals)
            return readings, place, limit


def _ends(readings, told):
    """Highest and lowest, and one that is neither: the thought's lines and the three indices."""
    lines, high, low = arithmetic.extremes(readings.values, readings.decimals, told.names)
    between = next(i for i in range(len(readings.values)) if i not in (high, low))
    return lines, high, between, low


def _odd(rng, language, held_out):
    """Which one does not fit? The wider of the gaps from one in between tells."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([3, 4, 5], [4, 4, 1])[0]
    readings, place, _ = _cluster(rng, language, held_out, count, 4)
    question = WORDING.say(rng, language, "odd", held_out, noun=readings.noun)
    told = telemetry.tell(rng, readings, separator)
    lines, high, between, low = _ends(readings, told)
    values, decimals = readings.values, readings.decimals
    up, above = arithmetic.difference(values[high], values[between], decimals)
    down, below = arithmetic.difference(values[between], values[low], decimals)
    line, _ = arithmetic.comparison(above, decimals, ">", below, decimals)
    thought = ["odd", *lines, up, down, line, f"*{place + 1}"]
    facts = {"kind": "odd", "values": values, "names": told.names}
    answer = _one(language, told.names[place])
    return _build(
        rng, language, held_out, question, thought, answer, told, separator, facts
    )


def _differs(rng, language, held_out):
    """Which one is further from the others than a limit?"""
    separator = telemetry.separator(rng, language)
    count = rng.choices([3, 4, 5], [5, 4, 1])[0]
    odd = rng.random() < 0.7
    readings, place, (limit, limit_decimals) = _cluster(rng, language, held_out, count, 1, odd)
    said = _limit_said(rng, limit, limit_decimals, readings.unit, separator)
    question = WORDING.say(rng, language, "differs", held_out, noun=readings.noun, limit=said)
    told = telemetry.tell(rng, readings, separator)
    lines, high, between, low = _ends(readings, told)
    values, decimals = readings.values, readings.decimals
    thought, name, mark = ["differs", *lines], None, "*"
    for a, b, index in ((high, between, high), (between, low, low)):
        line, gap = arithmetic.difference(values[a], values[b], decimals)
        check, more = arithmetic.comparison(gap, decimals, ">", limit, limit_decimals)
        thought += [line, check]
        if more:
            name, mark = told.names[index], f"*{index + 1}"
            break
    thought.append(mark)
    facts = {
        "kind": "differs",
        "values": values,
        "decimals": decimals,
        "limit": (limit, limit_decimals),
        "names": told.names,
    }
    return _build(
        rng, language, held_out, question, thought, _one(language, name), told, separator, facts
    )


def _limit_said(rng, limit, decimals, unit, separator):
    number = telemetry.written(arithmetic.text(limit, decimals), separator)
    return f"{number} {unit}" if rng.random() < 0.8 else number


def _agree(rng, language, held_out):
    """Do two sensors of one thing differ by more than a limit? Yes or no."""
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(rng, language, 2, held_out, places=False)
    decimals = readings.decimals
    size = max(2, abs(readings.values[0]) // rng.choice([5, 10, 20]))
    if decimals and size > 10**decimals:
        size = size // 10**decimals * 10**decimals
    limit, limit_decimals = size, decimals
    if size % 10**decimals == 0:
        limit, limit_decimals = size // 10**decimals, 0
    gap = rng.randint(0, 2 * size)
    gap += gap == size
    readings.values[1] = readings.values[0] + rng.choice([-1, 1]) * gap
    if readings.values[1] < 0 <= readings.quantity.low:
        readings.values[1] = readings.values[0] + gap
    said = _limit_said(rng, limit, limit_decimals, readings.unit, separator)
    told = telemetry.tell(rng, readings, separator)
    a, b = (words.Noun(name, language, "") for name in told.names)
    question = WORDING.say(
        rng, language, "agree", held_out, noun=readings.noun, limit=said, a=a, b=b
    )
    first, second = readings.values
    order, _ = arithmetic.comparison(first, decimals, ">", second, decimals)
    line, gap = arithmetic.difference(max(first, second), min(first, second), decimals)
    check, more = arithmetic.comparison(gap, decimals, ">", limit, limit_decimals)
    facts = {
        "kind": "agree",
        "values": readings.values,
        "decimals": decimals,
        "limit": (limit, limit_decimals),
    }
    truth = words.YES_NO[language][0 if more else 1]
    answer = Answer(f"{truth}.", {"truth": more})
    thought = ["gap", order, line, check]
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


# Stuck ------------------------------------------------------------


def _history(rng, value, length, step, stuck):
    """Past values: all the same, or with changes, the first of them soon."""
    if stuck:
        return [value] * length
    values = [value]
    same = rng.choices([1, 2, 3], [7, 2, 1])[0]
    while len(values) < length:
        change = 0 if len(values) < same else rng.choice([-1, 1]) * rng.randint(1, step)
        if len(values) > same and rng.random() < 0.25:
            change = 0
        values.append(max(0, values[-1] + change) if value >= 0 else values[-1] + change)
    return values if len(set(values)) > 1 else _history(rng, value + step, length, step, stuck)


def _checked(values, decimals):
    """Values up to the first that differs from the first: `21.3 21.3 21.5 ok`, or all, `same`."""
    out = []
    for value in values:
        out.append(arithmetic.text(value, decimals))
        if value != values[0]:
            return " ".join(out) + " ok", False
    return " ".join(out) + " same", True


def _stuck(rng, language, held_out):
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4, 5], [2, 5, 4, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out)
    length, step = rng.randint(3, 5), rng.choice([2, 5, 12])
    place = rng.randrange(count) if rng.random() < 0.75 else None
    histories = [
        _history(rng, value, length, step, i == place) for i, value in enumerate(readings.values)
    ]
    question = WORDING.say(rng, language, "stuck", held_out, noun=readings.noun)
    told = telemetry.tell_series(rng, readings, histories, separator)
    thought, name = ["stuck"], None
    for i, values in enumerate(histories):
        line, same = _checked(values, readings.decimals)
        thought.append(f"{i + 1}:{told.names[i]} {line}")
        if same:
            name = told.names[i]
            break
    facts = {"kind": "stuck", "histories": histories, "names": told.names}
    return _build(
        rng, language, held_out, question, thought, _one(language, name), told, separator, facts
    )


def _stuck_one(rng, language, held_out):
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(rng, language, 1, held_out)
    length, step = rng.randint(3, 8), rng.choice([1, 3, 9])
    values = _history(rng, readings.values[0], length, step, rng.random() < 0.5)
    readings.values = values
    question = WORDING.say(rng, language, "stuck_one", held_out, noun=readings.noun)
    # Round values must all be written alike, or they would not look the same.
    told = telemetry.series(rng, readings, separator)
    line, same = _checked(values, readings.decimals)
    truth = words.YES_NO[language][0 if same else 1]
    answer = Answer(f"{truth}.", {"truth": same})
    facts = {"kind": "stuck one", "values": values}
    return _build(
        rng, language, held_out, question, ["stuck", line], answer, told, separator, facts
    )


# Values that cannot be ------------------------------------------------------------


def _between(value, decimals, low, high):
    """Whether a value lies in a range, limits included: the steps and the truth. Limits are (value,
    decimals)."""
    steps, order = arithmetic.digits_compared(value, decimals, *low)
    if order < 0:
        return steps, False
    more, order = arithmetic.digits_compared(value, decimals, *high)
    return f"{steps} {more}", order <= 0


def _scanned(readings, names, low, high):
    """Every value against a range: lines, and the names of those outside."""
    lines, outside = [], []
    for i, value in enumerate(readings.values):
        steps, inside = _between(value, readings.decimals, low, high)
        lines.append(f"{i + 1}:{names[i]} {readings.value(i)} {steps}")
        outside.append(not inside)
    return _kept(lines, outside), [name for name, out in zip(names, outside) if out]


def _range(rng, language, held_out):
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [4, 5, 2])[0]
    implied = rng.random() < 0.25
    readings = telemetry.draw(
        rng,
        language,
        count,
        held_out,
        among=lambda q: q.id in RANGES and (not implied or q.unit == "%"),
    )
    low, high = rng.choice(RANGES[readings.quantity.id])
    scale = 10**readings.decimals
    for i in rng.sample(range(count), rng.choices([0, 1, 2], [2, 6, 2])[0]):
        beyond = rng.randint(1, max(20, high * scale // rng.choice([2, 8, 40])))
        if rng.random() < 0.65:
            readings.values[i] = high * scale + beyond
        else:
            readings.values[i] = low * scale - min(beyond, max(200, low * scale // 2))
    slots = {"noun": readings.noun}
    if implied:
        question = WORDING.say(rng, language, "percent", held_out, **slots)
    else:
        unit = f" {readings.unit}" if rng.random() < 0.7 else ""
        question = WORDING.say(
            rng, language, "range", held_out, low=str(low), high=f"{high}{unit}", **slots
        )
    told = telemetry.tell(rng, readings, separator)
    lines, bad = _scanned(readings, told.names, (low, 0), (high, 0))
    thought = [f"range {low} {high}", *lines]
    facts = {
        "kind": "range",
        "values": readings.values,
        "decimals": readings.decimals,
        "low": Fraction(low),
        "high": Fraction(high),
        "names": told.names,
    }
    answer = _several(language, bad)
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _tolerance(rng, language, held_out):
    """Which ones are further from a target than a tolerance?"""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [4, 5, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out, negative=False)
    decimals, scale = readings.decimals, 10**readings.decimals
    middle = sorted(readings.values)[count // 2]
    target = max(scale, middle // scale * scale)
    width = max(1, target // scale // rng.choice([5, 10, 20]))
    step = 1
    if decimals and width < 3 and rng.random() < 0.4:
        step, width = scale, rng.choice([5, 10, 15]) * scale // 10
    limit, limit_decimals = (width, decimals) if step == scale else (width, 0)
    reach = width if step == scale else width * scale
    readings.values = [max(0, target + rng.randint(-2 * reach, 2 * reach)) for _ in range(count)]
    said = _limit_said(rng, limit, limit_decimals, readings.unit, separator)
    wanted = _limit_said(rng, target // scale, 0, readings.unit, separator)
    question = WORDING.say(
        rng, language, "tolerance", held_out, noun=readings.noun, target=wanted, limit=said
    )
    told = telemetry.tell(rng, readings, separator)
    shown = target // scale if not limit_decimals else target
    down, low = arithmetic.subtraction(shown, limit, limit_decimals)
    up, high = arithmetic.addition(shown, limit, limit_decimals)
    lines, bad = _scanned(readings, told.names, (low, limit_decimals), (high, limit_decimals))
    facts = {
        "kind": "range",
        "values": readings.values,
        "decimals": decimals,
        "low": Fraction(target - reach, scale),
        "high": Fraction(target + reach, scale),
        "names": told.names,
    }
    thought = ["tolerance", down, up, *lines]
    answer = _several(language, bad)
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


# Old and missing ------------------------------------------------------------

AGES = {
    "en": [("{} min ago", "min"), ("{} minutes ago", "minutes"), ("{} s ago", "s")],
    "fr": [("il y a {} min", "min"), ("il y a {} minutes", "minutes"), ("il y a {} s", "s")],
}
AGES = {
    language: [*shapes, ("{} h ago" if language == "en" else "il y a {} h", "h"), ("{} min", "min")]
    for language, shapes in AGES.items()
}
SEEN_KEYS = {"en": ["last_seen", "age", "seen"], "fr": ["vu", "age", "dernier_contact"]}
SEEN_HEADS = {
    "en": ["Last seen: ", "Last message: ", "Last report: ", "Last contact: "],
    "fr": ["Dernier contact : ", "Dernier message : ", "Vu : ", "Dernier relevé : "],
}
FLAT = ["sentence", "sentence", "lines", "lines", "pairs", "map", "objects", "table"]


def _ages(rng, language, names, largest):
    """Ages of the last messages in one unit: the data, the ages and the unit."""
    shape, unit = rng.choice(AGES[language])
    largest = 30 if unit == "h" else largest
    limit = rng.choice([2, 3, 6, 12] if unit == "h" else [5, 10, 15, 20, 30, 45, 60, 90])
    ages = []
    while len(ages) < len(names):
        age = rng.randint(1, limit * 3) if rng.random() < 0.7 else rng.randint(1, largest)
        if age != limit and age not in ages and age < largest * 3:
            ages.append(age)
    told = telemetry.tell_words(
        rng,
        language,
        names,
        [shape.format(age) for age in ages],
        rng.choice(SEEN_KEYS[language]),
        SEEN_HEADS[language],
        FLAT,
    )
    return told, ages, limit, unit


def _contacts(rng, language, names, limit):
    """Times of the last messages and the time now, all of one day: the data, the times, now."""
    now = rng.randint(4 * limit + 5, arithmetic.DAY - 1)
    times = []
    while len(times) < len(names):
        age = rng.randint(0, rng.choice([limit, 4 * limit]))
        if age != limit and now - age not in times:
            times.append(now - age)
    told = telemetry.tell_words(
        rng,
        language,
        names,
        [arithmetic.clock(time) for time in times],
        rng.choice(SEEN_KEYS[language]),
        SEEN_HEADS[language],
        FLAT,
    )
    return told, times, now


def _old(rng, language, held_out):
    """Which ones have been silent for longer than a limit?"""
    count = rng.choices([2, 3, 4, 5], [3, 5, 3, 1])[0]
    names = naming.names(rng, language, count, held_out)
    phrasings = []
    if rng.random() < 0.6:
        told, ages, limit, unit = _ages(rng, language, names, 200)
        question = WORDING.say(rng, language, "old", held_out, limit=f"{limit} {unit}")
        head, lines = ["old"], []
        for i, age in enumerate(ages):
            steps, _ = arithmetic.digits_compared(age, 0, limit, 0)
            lines.append(f"{i + 1}:{told.names[i]} {age} {steps}")
    else:
        limit = rng.choice([5, 10, 15, 20, 30, 45, 60, 90])
        told, times, now = _contacts(rng, language, names, limit)
        question = WORDING.say(
            rng, language, "old", held_out, limit=f"{limit} {rng.choice(['min', 'minutes'])}"
        )
        here = WORDING.say(rng, language, "now", held_out, time=arithmetic.clock(now))
        phrasings.append(here)
        question = question.within(f"{here.text} {question.text}")
        line, start = arithmetic.clock_subtraction(now, limit)
        head, lines, ages = ["old", line], [], [now - time for time in times]
        for i, time in enumerate(times):
            digits, _ = arithmetic.time_digits(time, start)
            lines.append(f"{i + 1}:{told.names[i]} {arithmetic.clock(time)} {digits}")
    thought = [*head, *_kept(lines, [age > limit for age in ages])]
    answer = _several(language, [n for n, age in zip(told.names, ages) if age > limit])
    facts = {"kind": "old", "ages": ages, "limit": limit, "names": told.names}
    return _build(
        rng, language, held_out, question, thought, answer, told, "", facts, phrasings
    )


def _oldest(rng, language, held_out):
    """Which one was heard from the longest ago?"""
    count = rng.choices([2, 3, 4, 5], [1, 4, 4, 2])[0]
    names = naming.names(rng, language, count, held_out)
    question = WORDING.say(rng, language, "oldest", held_out)
    if rng.random() < 0.6:
        told, ages, _, _ = _ages(rng, language, names, 200)
        lines, found = arithmetic.best(ages, 0, ">", told.names)
    else:
        told, times, now = _contacts(rng, language, names, 30)
        ages, found, lines = [now - time for time in times], 0, []
        for i, time in enumerate(times):
            digits, order = arithmetic.time_digits(time, times[found])
            found = i if order < 0 else found
            digits = f" {digits}" if i else ""
            clock = arithmetic.clock(time)
            lines.append(f"{i + 1}:{told.names[i]} {clock}{digits} *{found + 1}")
    facts = {"kind": "oldest", "ages": ages, "names": told.names}
    answer = _one(language, told.names[found])
    thought = ["oldest", *lines]
    return _build(rng, language, held_out, question, thought, answer, told, "", facts)


MARKS = {
    "en": ["null", "n/a", "N/A", "NaN", "unavailable", "unknown", "--", "no data", "missing", "?"],
    "fr": ["null", "n/a", "NaN", "indisponible", "inconnu", "--", "aucune donnée", "absent", "?"],
}


def _missing(rng, language, held_out):
    """Which ones give no value at all?"""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4, 5, 6], [1, 3, 4, 2, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out)
    gone = sorted(rng.sample(range(count), rng.choices([0, 1, 2], [2, 6, 3])[0]))
    mark = rng.choice(MARKS[language])
    unit = f" {readings.unit}" if rng.random() < 0.5 else ""
    point = "." if rng.random() < 0.5 else separator
    shown = [
        mark if i in gone else telemetry.written(readings.value(i), point) + unit
        for i in range(count)
    ]
    noun = str(readings.noun).capitalize()
    told = telemetry.tell_words(
        rng,
        language,
        readings.names,
        shown,
        rng.choice(readings.quantity.keys[language]),
        ["", f"{noun}: " if language == "en" else f"{noun} : "],
        FLAT,
    )
    question = WORDING.say(rng, language, "missing", held_out, noun=readings.noun)
    lines = [
        f"{i + 1}:{name} {mark if i in gone else 'ok'}"
        for i, name in enumerate(told.names)
    ]
    bad = [told.names[i] for i in gone]
    facts = {"kind": "missing", "shown": shown, "mark": mark, "names": told.names}
    thought = ["missing", *_kept(lines, [i in gone for i in range(count)])]
    answer = _several(language, bad)
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _build(
    rng, language, held_out, question, thought, answer, told, separator, facts, phrasings=()
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
        facts=facts,
        phrasings=phrasings,
    )


# Verification ------------------------------------------------------------


def verify(problem):
    """The name, the names or the truth, found in another way: by pairs, by sets, with fractions."""
    facts = problem.facts
    kind, none = facts["kind"], NONE[problem.language]
    if kind == "stuck one":
        return len(set(facts["values"])) == 1
    if kind == "agree":
        a, b = (Fraction(value, 10 ** facts["decimals"]) for value in facts["values"])
        return abs(a - b) > Fraction(facts["limit"][0], 10 ** facts["limit"][1])
    names = facts["names"]
    if kind == "odd":
        # The one whose nearest neighbour is the furthest away.
        values = facts["values"]
        nearest = [
            min(abs(value - other) for j, other in enumerate(values) if j != i)
            for i, value in enumerate(values)
        ]
        return names[nearest.index(max(nearest))]
    if kind == "differs":
        values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
        limit = Fraction(facts["limit"][0], 10 ** facts["limit"][1])
        alone = [
            names[i]
            for i, value in enumerate(values)
            if all(abs(value - other) > limit for j, other in enumerate(values) if j != i)
        ]
        return alone[0] if alone else none
    if kind == "stuck":
        same = [n for n, values in zip(names, facts["histories"]) if len(set(values)) == 1]
        return same[0] if same else none
    if kind == "range":
        values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
        pairs = zip(names, values)
        return [name for name, v in pairs if not facts["low"] <= v <= facts["high"]]
    if kind == "old":
        return [name for name, age in zip(names, facts["ages"]) if age > facts["limit"]]
    if kind == "oldest":
        return max(zip(facts["ages"], names))[1]
    return [name for name, text in zip(names, facts["shown"]) if text == facts["mark"]]
