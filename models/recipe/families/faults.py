"""Sensors that cannot be trusted: one that differs from the others, one that is stuck, values that
cannot be, readings that are old or missing; the answer names the sensor or, where several may be meant, lists them,
or says that there is none; whether values are possible, or jump too far; the value in a series that does not fit; and
whether two agree and how far apart they are, at once."""

import dataclasses
from fractions import Fraction

import arithmetic
import naming
import telemetry
import telling
import wording
import words
from assemble import Amount, Answer, build

WEIGHT = 9
FAMILY = "faults"
NOUN = {"noun": words.Noun}
PAIR = {"limit": str, "a": words.Noun, "b": words.Noun}
WORDING = wording.load(
    FAMILY,
    {
        "odd": NOUN,
        "differs": NOUN | {"limit": str},
        **dict.fromkeys(("agree", "agree_within", "agree_gap"), NOUN | PAIR),
        "stuck": NOUN,
        "stuck_one": NOUN,
        **dict.fromkeys(("range", "range_one"), NOUN | {"low": str, "high": str}),
        **dict.fromkeys(("percent", "percent_one"), NOUN),
        **dict.fromkeys(("tolerance", "tolerance_one"), NOUN | {"target": str, "limit": str}),
        **dict.fromkeys(("old", "old_one"), {"limit": str}),
        "now": {"time": str},
        "oldest": {},
        **dict.fromkeys(("missing", "missing_one"), NOUN),
        **dict.fromkeys(("limits", "limits_one"), NOUN),
        **dict.fromkeys(("code", "code_one"), NOUN | {"code": str}),
        **dict.fromkeys(("plausible", "plausible_all"), NOUN | {"low": str, "high": str}),
        **dict.fromkeys(("odd_value", "are"), NOUN),
        **dict.fromkeys(("jump", "jump_ok"), NOUN | {"limit": str}),
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
    kinds = [_odd, _differs, _agree, _agree_gap, _stuck, _stuck_one, _range, _tolerance, _old, _oldest]
    kinds += [_missing, _limits, _code, _plausible, _odd_value, _jump]
    weights = [19, 6, 8, 16, 20, 9, 16, 7, 13, 6, 22, 9, 8, 10, 9, 8]
    kind = rng.choices(kinds, weights)[0]
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


def _until(lines, bad, names):
    """Numbered lines up to the first sensor at fault, where only one is asked for: `2:hall 138 #3>#2 bad`; and its
    name, or nothing."""
    kept = []
    for line, out, name in zip(lines, bad, names):
        kept.append(f"{line} {'bad' if out else 'ok'}")
        if out:
            return kept, name
    return kept, None


def _alone(rng, bad):
    """Whether a question after one sensor will do: exactly one is at fault, or now and then none."""
    return sum(bad) == 1 or (not any(bad) and rng.random() < 0.15)


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


def _pair(rng, language, held_out):
    """Two sensors of one thing and how far apart they may be: readings, limit and its decimals, and the separator."""
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
    return readings, (limit, limit_decimals), separator


# What two sensors of one thing are, told before their readings.
PAIRS = {
    "en": ["Two {} on the same spot", "Two {} side by side", "The two {} of one tank", "Two {} for the same thing"],
    "fr": ["Deux {} au même endroit", "Deux {} côte à côte", "Les deux {} d'une cuve", "Deux {} pour la même chose"],
}
PAIRED = {
    "en": ["sensors", "probes", "meters", "instruments", "gauges"],
    "fr": ["capteurs", "sondes", "compteurs", "appareils", "instruments"],
}


def _pair_told(rng, language, readings, separator):
    """The two readings told, perhaps with a word on what they are."""
    told = telemetry.tell(rng, readings, separator)
    if told.layout in ("is", "lines", "pairs") and rng.random() < 0.4:
        head = rng.choice(PAIRS[language]).format(rng.choice(PAIRED[language]))
        lines = told.block or told.layout == "lines"
        told.text = f"{head}{':' if language == 'en' else ' :'}{chr(10) if lines else ' '}{told.text}"
    return told


def _agree_gap(rng, language, held_out):
    """Do two sensors agree within a limit, and how far apart are they?"""
    readings, (limit, limit_decimals), separator = _pair(rng, language, held_out)
    decimals, (first, second) = readings.decimals, readings.values
    said = _limit_said(rng, limit, limit_decimals, readings.unit, separator)
    told = _pair_told(rng, language, readings, separator)
    a, b = (words.Noun(name, language, "") for name in told.names)
    section = "agree_gap" if rng.random() < 0.7 else "agree_within"
    question = WORDING.say(rng, language, section, held_out, noun=readings.noun, limit=said, a=a, b=b)
    order, _ = arithmetic.comparison(first, decimals, ">", second, decimals)
    line, gap = arithmetic.difference(max(first, second), min(first, second), decimals)
    check, holds = arithmetic.comparison(gap, decimals, "<=", limit, limit_decimals)
    lines, shown, places = arithmetic.finish([line], gap, decimals)
    fields = {"agree": holds, "gap": Amount(shown, places, readings.unit)}
    names = ["agree", "gap"] if rng.random() < 0.6 else ["gap", "agree"]
    answer = Answer(
        "", {name: fields[name] for name in names}, {name: AGREE_KEYS[name][language] for name in names}, several=True
    )
    facts = {
        "kind": "agree gap",
        "values": readings.values,
        "decimals": decimals,
        "limit": (limit, limit_decimals),
        "order": names,
    }
    thought = ["gap + agree", order, *lines, check]
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


AGREE_KEYS = {
    "agree": {
        "en": ["agree", "agree", "match", "ok", "within", "within_limit", "in_tolerance", "agreement", "consistent"],
        "fr": ["accord", "accord", "d_accord", "concordent", "ok", "conforme", "dans_tolerance", "concordance"],
    },
    "gap": {
        "en": ["gap", "difference", "difference", "diff", "deviation", "delta", "distance"],
        "fr": ["ecart", "écart", "ecart", "difference", "diff", "delta", "distance"],
    },
}


def _agree(rng, language, held_out):
    """Do two sensors of one thing differ by more than a limit, or agree within it? Yes or no."""
    readings, (limit, limit_decimals), separator = _pair(rng, language, held_out)
    decimals = readings.decimals
    said = _limit_said(rng, limit, limit_decimals, readings.unit, separator)
    told = _pair_told(rng, language, readings, separator)
    a, b = (words.Noun(name, language, "") for name in told.names)
    section, relation = rng.choice([("agree", ">"), ("agree_within", "<=")])
    question = WORDING.say(rng, language, section, held_out, noun=readings.noun, limit=said, a=a, b=b)
    first, second = readings.values
    order, _ = arithmetic.comparison(first, decimals, ">", second, decimals)
    line, gap = arithmetic.difference(max(first, second), min(first, second), decimals)
    check, holds = arithmetic.comparison(gap, decimals, relation, limit, limit_decimals)
    facts = {
        "kind": section,
        "values": readings.values,
        "decimals": decimals,
        "limit": (limit, limit_decimals),
    }
    truth = words.YES_NO[language][0 if holds else 1]
    answer = Answer(f"{truth}.", {"truth": holds})
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


def _times(rng, language, count):
    """What heads the columns of values read one after the other: times of day, days or numbers."""
    step, kind = rng.choice([1, 1, 2]), rng.random()
    start = rng.randint(0, 23 - step * (count - 1))
    hours = [start + i * step for i in range(count)]
    if kind < 0.3:
        if language == "fr":
            return [f"{hour}h" for hour in hours]
        return [f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}" for hour in hours]
    if kind < 0.55:
        return [arithmetic.clock(60 * hour) for hour in hours]
    if kind < 0.7:
        minutes, apart = rng.randrange(0, 60 * 20, 5), rng.choice([5, 10, 15, 30])
        return [arithmetic.clock(minutes + i * apart) for i in range(count)]
    if kind < 0.85:
        days = "Mon Tue Wed Thu Fri Sat Sun" if language == "en" else "lun mar mer jeu ven sam dim"
        first = rng.randint(0, 7 - count)
        return days.split()[first : first + count]
    stem = rng.choice(["t", "v", ""])
    return [f"{stem}{i + 1}" for i in range(count)]


def _times_table(rng, language, readings, histories, separator):
    """Past values of each sensor in a table with the times over its columns, or down its side."""
    names = [str(name) for name in readings.names]
    unit = f" {readings.unit}" if rng.random() < 0.35 else ""
    cells = [
        [telemetry.written(arithmetic.text(value, readings.decimals), separator) + unit for value in values]
        for values in histories
    ]
    times = _times(rng, language, len(cells[0]))
    if rng.random() < 0.75:
        rows = [[telling.column(rng, language), *times], *([name, *row] for name, row in zip(names, cells))]
    else:
        corner = rng.choice(["time", "at"] if language == "en" else ["heure", "quand"])
        rows = [[corner, *names], *([time, *row] for time, row in zip(times, zip(*cells)))]
    if rng.random() < 0.6:
        lines = [f"| {' | '.join(row)} |" for row in rows]
        text = "\n".join([lines[0], "|" + rng.choice(["---|", " --- |"]) * len(rows[0]), *lines[1:]])
    else:
        bar = rng.choice([" | ", ";", "\t", " ; "])
        text = "\n".join(bar.join(row) for row in rows)
    if not unit and rng.random() < 0.4:
        noun = wording.capital(str(readings.noun))
        text = f"{noun}{rng.choice([f' ({readings.unit})', ''])}{':' if language == 'en' else ' :'}\n{text}"
    return telemetry.Told(text, "table", names, True, separator if readings.decimals else "")


def _spelled_out(rng, language, readings, histories, separator):
    """Past values of each sensor in a sentence or lines, each with its unit: `hall 41 %, 40 %; attic 52 %, 52 %`."""
    glue, between = rng.choice([" ", telling.COLON[language]]), rng.choice(["; ", " ; ", ". ", " | ", "\n", "\n"])
    comma = separator == "," and readings.decimals
    inner = rng.choice([" / ", " "] if comma and ";" in between else ["; "] if comma else [", ", ", ", " / "])
    parts = []
    for name, values in zip(readings.names, histories):
        cells = [telemetry.written(arithmetic.text(value, readings.decimals), separator) for value in values]
        parts.append(f"{name}{glue}{inner.join(f'{cell} {readings.unit}' for cell in cells)}")
    head = telling.head(rng, language, readings.noun) + telling.COLON[language] if rng.random() < 0.6 else ""
    lined = between == "\n"
    text = head.rstrip() + "\n" + between.join(parts) if lined and head else head + between.join(parts)
    names = [str(name) for name in readings.names]
    layout = "lines" if lined else "sentence"
    return telemetry.Told(
        text + ("" if lined else "."), layout, names, lined, separator if readings.decimals else ""
    )


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
    chance = rng.random()
    if chance < 0.35:
        told = _times_table(rng, language, readings, histories, separator)
    elif chance < 0.55:
        told = _spelled_out(rng, language, readings, histories, separator)
    else:
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
    """Every value against a range: lines, and of each whether it lies outside."""
    lines, outside = [], []
    for i, value in enumerate(readings.values):
        steps, inside = _between(value, readings.decimals, low, high)
        lines.append(f"{i + 1}:{names[i]} {readings.value(i)} {steps}")
        outside.append(not inside)
    return lines, outside


def _outside(language, single, thought, lines, bad, names):
    """The thought and the answer where sensors at fault are asked for: the one (`single`) or all of them. The first
    line of the thought tells which."""
    if single:
        lines, name = _until(lines, bad, names)
        kind, _, rest = thought[0].partition(" ")
        return [f"{kind} one {rest}".rstrip(), *thought[1:], *lines], _one(language, name)
    found = [name for name, out in zip(names, bad) if out]
    return [*thought, *_kept(lines, bad)], _several(language, found)


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
    single = rng.random() < 0.45
    for i in rng.sample(range(count), rng.choices([0, 1, 2], [1, 8, 0] if single else [2, 6, 2])[0]):
        beyond = rng.randint(1, max(20, high * scale // rng.choice([2, 8, 40])))
        if rng.random() < 0.65:
            readings.values[i] = high * scale + beyond
        else:
            readings.values[i] = low * scale - min(beyond, max(200, low * scale // 2))
    slots, one = {"noun": readings.noun}, "_one" if single else ""
    if implied:
        question = WORDING.say(rng, language, f"percent{one}", held_out, **slots)
    else:
        unit = f" {readings.unit}" if rng.random() < 0.7 else ""
        question = WORDING.say(
            rng, language, f"range{one}", held_out, low=str(low), high=f"{high}{unit}", **slots
        )
    told = telemetry.tell(rng, readings, separator)
    lines, bad = _scanned(readings, told.names, (low, 0), (high, 0))
    thought, answer = _outside(language, single, [f"range {low} {high}"], lines, bad, told.names)
    facts = {
        "kind": "range",
        "single": single,
        "values": readings.values,
        "decimals": readings.decimals,
        "low": Fraction(low),
        "high": Fraction(high),
        "names": told.names,
    }
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
    single = rng.random() < 0.4
    while True:
        readings.values = [max(0, target + rng.randint(-2 * reach, 2 * reach)) for _ in range(count)]
        if not single or _alone(rng, [abs(value - target) > reach for value in readings.values]):
            break
    said = _limit_said(rng, limit, limit_decimals, readings.unit, separator)
    wanted = _limit_said(rng, target // scale, 0, readings.unit, separator)
    question = WORDING.say(
        rng, language, "tolerance_one" if single else "tolerance", held_out,
        noun=readings.noun, target=wanted, limit=said,
    )  # fmt: skip
    told = telemetry.tell(rng, readings, separator)
    shown = target // scale if not limit_decimals else target
    down, low = arithmetic.subtraction(shown, limit, limit_decimals)
    up, high = arithmetic.addition(shown, limit, limit_decimals)
    lines, bad = _scanned(readings, told.names, (low, limit_decimals), (high, limit_decimals))
    facts = {
        "kind": "range",
        "single": single,
        "values": readings.values,
        "decimals": decimals,
        "low": Fraction(target - reach, scale),
        "high": Fraction(target + reach, scale),
        "names": told.names,
    }
    thought, answer = _outside(language, single, ["tolerance", down, up], lines, bad, told.names)
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


# Limits of its own for each ------------------------------------------------------------

BOUND_KEYS = {
    "en": [("min", "max"), ("low", "high"), ("lo", "hi"), ("lower", "upper")],
    "fr": [("min", "max"), ("bas", "haut"), ("mini", "maxi"), ("min", "max")],
}
BOUND_SHAPES = {
    "en": ["{1} ({2} to {3})", "{1} ({2}-{3})", "{1}, allowed {2} to {3}", "{1}, must be {2} to {3}", "{1} [{2}..{3}]",
           "{1} (min {2}, max {3})", "{1}, limits {2} and {3}", "{1} (between {2} and {3})"],
    "fr": ["{1} ({2} à {3})", "{1} ({2}-{3})", "{1}, permis de {2} à {3}", "{1}, doit être entre {2} et {3}",
           "{1} [{2}..{3}]", "{1} (min {2}, max {3})", "{1}, limites {2} et {3}", "{1} (entre {2} et {3})"],
}  # fmt: skip


def _limits(rng, language, held_out):
    """Which ones are outside limits that are told for each?"""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [3, 5, 2])[0]
    readings = telemetry.draw(rng, language, count, held_out)
    scale, single = 10**readings.decimals, rng.random() < 0.5
    reach = max(3, max(map(abs, readings.values)) // scale // rng.choice([3, 5, 10]))
    bounds = []
    for value in readings.values:
        low = value // scale - rng.randint(0, reach)
        low = max(0, low) if value >= 0 else low
        high = low + max(2, rng.randint(reach // 2, 2 * reach))
        bounds.append((low, min(high, 100) if readings.unit == "%" else high))
    while True:
        for i, (low, high) in enumerate(bounds):
            readings.values[i] = rng.randint(low * scale, high * scale)
        wrong = rng.choices([0, 1, 2], [1, 9, 0] if single else [2, 5, 3])[0]
        for i in rng.sample(range(count), wrong):
            low, high = bounds[i]
            beyond = rng.randint(1, reach * scale)
            readings.values[i] = high * scale + beyond if rng.random() < 0.6 else low * scale - beyond
        if min(readings.values) >= 0 or readings.quantity.low < 0:
            break
    told = _bounds_told(rng, readings, bounds, separator)
    question = WORDING.say(rng, language, "limits_one" if single else "limits", held_out, noun=readings.noun)
    lines, bad = [], []
    for i, (value, (low, high)) in enumerate(zip(readings.values, bounds)):
        steps, inside = _between(value, readings.decimals, (low, 0), (high, 0))
        lines.append(f"{i + 1}:{told.names[i]} {readings.value(i)} {low} {high} {steps}")
        bad.append(not inside)
    thought, answer = _outside(language, single, ["limits"], lines, bad, told.names)
    facts = {
        "kind": "limits",
        "single": single,
        "values": readings.values,
        "decimals": readings.decimals,
        "bounds": bounds,
        "names": told.names,
    }
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _bounds_told(rng, readings, bounds, separator):
    """Readings with the limits of each: a table, JSON, lines or a sentence."""
    language, style, names = readings.language, rng.random(), [str(name) for name in readings.names]
    key, keys = rng.choice(readings.quantity.keys[language]), rng.choice(BOUND_KEYS[language])
    key = rng.choice([key, key, "value" if language == "en" else "valeur"])
    values = [readings.value(i) for i in range(len(names))]
    order = rng.choice([(0, 1, 2, 3), (0, 1, 2, 3), (0, 2, 3, 1)])
    heads = [telling.column(rng, language), key, *keys]
    rows = [(name, value, str(low), str(high)) for name, value, (low, high) in zip(names, values, bounds)]
    if style < 0.3:
        if rng.random() < 0.5:
            data = {row[0]: {heads[i]: telemetry.Number(row[i]) for i in order[1:]} for row in rows}
        else:
            data = [{heads[i]: telemetry.Number(row[i]) if i else row[i] for i in order} for row in rows]
        layout = "map" if isinstance(data, dict) else "objects"
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.5), layout, names, True, ".")
    stands = separator if readings.decimals else ""
    said = [(name, telemetry.written(value, separator), low, high) for name, value, low, high in rows]
    if style < 0.55:
        cells = [[row[i] for i in order] for row in (heads, *said)]
        if rng.random() < 0.5:
            lines = [f"| {' | '.join(row)} |" for row in cells]
            lines.insert(1, "|" + "---|" * 4)
        else:
            bar = rng.choice([" | ", ";", "\t"])
            lines = [bar.join(row) for row in cells]
        return telemetry.Told("\n".join(lines), "table", names, True, stands)
    shape = rng.choice(BOUND_SHAPES[language])
    if any(low < 0 for low, _ in bounds):
        shape = shape.replace("{2}-{3}", "{2}..{3}")
    glue, united = rng.choice([" ", telling.COLON[language]]), rng.random() < 0.6
    unit = f" {readings.unit}" if united else ""
    parts = [f"{row[0]}{glue}{shape.format(row[0], row[1] + unit, *row[2:])}" for row in said]
    if style < 0.8:
        return telemetry.Told("\n".join(parts), "lines", names, True, stands)
    return telemetry.Told(rng.choice(["; ", " | "]).join(parts) + ".", "sentence", names, False, stands)


# Codes for an error ------------------------------------------------------------

ERROR_CODES = [
    (-127,), (85,), (-127, 85), (999,), (9999,), (-999,), (-1,), (-9999,), (65535,), (255,), (998, 999), (888,),
]  # fmt: skip


def _code(rng, language, held_out):
    """Which ones give a value that stands for an error?"""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4, 5], [2, 5, 4, 2])[0]
    readings = telemetry.draw(rng, language, count, held_out)
    scale = 10**readings.decimals
    codes = rng.choice(ERROR_CODES)
    while any(code * scale in readings.values for code in codes):
        codes = rng.choice(ERROR_CODES)
    single = rng.random() < 0.5
    gone = sorted(rng.sample(range(count), rng.choices([0, 1, 2], [1, 9, 0] if single else [2, 5, 4])[0]))
    for i in gone:
        readings.values[i] = rng.choice(codes) * scale
    unit = f" {readings.unit}" if rng.random() < 0.3 else ""
    said = (" or " if language == "en" else " ou ").join(map(str, codes)) + unit
    told = telemetry.tell(rng, readings, separator)
    question = WORDING.say(rng, language, "code_one" if single else "code", held_out, noun=readings.noun, code=said)
    bad = [i in gone for i in range(count)]
    lines = [
        f"{i + 1}:{name} {readings.value(i)}" + ("" if single else " bad" if out else " ok")
        for i, (name, out) in enumerate(zip(told.names, bad))
    ]
    head = [f"code {' '.join(map(str, codes))}"]
    thought, answer = _outside(language, single, head, lines, bad, told.names)
    facts = {"kind": "code", "single": single, "gone": gone, "names": told.names}
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


# Possible or not ------------------------------------------------------------


def _plausible(rng, language, held_out):
    """Is a value possible, or are all of several? Yes or no."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([1, 2, 3, 4], [6, 1, 3, 2])[0]
    readings = telemetry.draw(rng, language, count, held_out, among=lambda q: q.id in RANGES)
    low, high = rng.choice(RANGES[readings.quantity.id])
    scale = 10**readings.decimals
    for i in rng.sample(range(count), rng.random() < 0.5):
        beyond = rng.randint(1, max(20, high * scale // rng.choice([2, 8, 40])))
        beneath = rng.random() < 0.35
        readings.values[i] = low * scale - min(beyond, max(200, low * scale // 2)) if beneath else high * scale + beyond
    unit = f" {readings.unit}" if rng.random() < 0.7 else ""
    section = "plausible" if count == 1 else "plausible_all"
    question = WORDING.say(
        rng, language, section, held_out, noun=readings.noun, low=str(low), high=f"{high}{unit}"
    )
    told = telemetry.tell(rng, readings, separator)
    names = told.names
    if count == 1 and rng.random() < 0.5:
        fact = telemetry.reading(rng, language, readings.quantity, readings.values[0], readings.decimals)
        told = telemetry.tell_facts(rng, language, [fact], separator)
    lines, bad = _scanned(readings, names, (low, 0), (high, 0))
    if count == 1:
        lines = [line.replace(f"1:{names[0]} ", "", 1) for line in lines]
    lines, out = _until(lines, bad, names)
    holds = not any(bad)
    answer = Answer(f"{words.YES_NO[language][0 if holds else 1]}.", {"truth": holds})
    facts = {
        "kind": "plausible",
        "values": readings.values,
        "decimals": readings.decimals,
        "low": Fraction(low),
        "high": Fraction(high),
    }
    thought = [f"plausible {low} {high}", *lines, f"={'no' if out else 'yes'}"]
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


# In a series ------------------------------------------------------------


def _odd_value(rng, language, held_out):
    """Which value of one series does not fit?"""
    separator = telemetry.separator(rng, language)
    count = rng.choice([4, 4, 5])
    while True:
        readings, place, _ = _cluster(rng, language, held_out, count, 4)
        if max(len(readings.value(i)) for i in range(count)) < 6:
            break
    question = WORDING.say(rng, language, "odd_value", held_out, noun=readings.noun)
    told = (telemetry.timed if rng.random() < 0.35 else telemetry.series)(rng, readings, separator)
    values, decimals = readings.values, readings.decimals
    lines, high, low = arithmetic.extremes(values, decimals)
    between = next(i for i in range(count) if i not in (high, low))
    up, above = arithmetic.difference(values[high], values[between], decimals)
    down, below = arithmetic.difference(values[between], values[low], decimals)
    line, _ = arithmetic.comparison(above, decimals, ">", below, decimals)
    thought = ["odd value", *lines, up, down, line, f"={readings.value(place)}"]
    answer = Answer("{value}", {"value": Amount(values[place], decimals, readings.unit)})
    facts = {"kind": "odd value", "values": values, "decimals": decimals}
    return _build(rng, language, held_out, question, thought, answer, told, separator, facts)


def _jump(rng, language, held_out):
    """Do two readings that follow each other differ by more than can be? Or never? Yes or no."""
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(rng, language, 1, held_out)
    decimals, scale = readings.decimals, 10**readings.decimals
    count = rng.choice([2, 3] if decimals else [2, 3, 3, 4])
    step = rng.choice([2, 3, 5, 10, 15, 20]) if readings.quantity.high < 300 else rng.choice([20, 50, 100, 200])
    far = rng.randrange(1, count) if rng.random() < 0.5 else 0
    values = readings.values[:1]
    for i in range(1, count):
        size = rng.randint(step * scale + 1, 3 * step * scale) if i == far else rng.randint(0, step * scale * 2 // 3)
        up, down = values[-1] + size, values[-1] - size
        high = readings.unit == "%" and up > 100 * scale
        values.append(down if high or (rng.random() < 0.5 and (down >= 0 or readings.quantity.low < 0)) else up)
    readings.values = values
    section, relation = rng.choice([("jump", ">"), ("jump_ok", "<=")])
    unit = f" {readings.unit}" if rng.random() < 0.8 else ""
    question = WORDING.say(rng, language, section, held_out, noun=readings.noun, limit=f"{step}{unit}")
    told = (telemetry.timed if rng.random() < 0.4 else telemetry.series)(rng, readings, separator)
    thought, holds = [f"jump {relation}{step}"], relation == "<="
    for before, after in zip(values, values[1:]):
        order, rising = arithmetic.comparison(after, decimals, ">", before, decimals)
        line, gap = arithmetic.difference(max(before, after), min(before, after), decimals)
        check, fits = arithmetic.comparison(gap, decimals, relation, step, 0)
        thought += [order, line, check]
        if fits != holds:
            holds = fits
            break
    answer = Answer(f"{words.YES_NO[language][0 if holds else 1]}.", {"truth": holds})
    facts = {"kind": section, "values": values, "decimals": decimals, "limit": Fraction(step)}
    thought.append(f"={'yes' if holds else 'no'}")
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
    phrasings, single = [], rng.random() < 0.4
    section = "old_one" if single else "old"
    if rng.random() < 0.6:
        while True:
            told, ages, limit, unit = _ages(rng, language, names, 200)
            if not single or _alone(rng, [age > limit for age in ages]):
                break
        question = WORDING.say(rng, language, section, held_out, limit=f"{limit} {unit}")
        head, lines = ["old"], []
        for i, age in enumerate(ages):
            steps, _ = arithmetic.digits_compared(age, 0, limit, 0)
            lines.append(f"{i + 1}:{told.names[i]} {age} {steps}")
    else:
        limit = rng.choice([5, 10, 15, 20, 30, 45, 60, 90])
        while True:
            told, times, now = _contacts(rng, language, names, limit)
            if not single or _alone(rng, [now - time > limit for time in times]):
                break
        question = WORDING.say(
            rng, language, section, held_out, limit=f"{limit} {rng.choice(['min', 'minutes'])}"
        )
        here = WORDING.say(rng, language, "now", held_out, time=arithmetic.clock(now))
        phrasings.append(here)
        question = question.within(f"{here.text} {question.text}")
        line, start = arithmetic.clock_subtraction(now, limit)
        head, lines, ages = ["old", line], [], [now - time for time in times]
        for i, time in enumerate(times):
            digits, _ = arithmetic.time_digits(time, start)
            lines.append(f"{i + 1}:{told.names[i]} {arithmetic.clock(time)} {digits}")
    thought, answer = _outside(language, single, head, lines, [age > limit for age in ages], told.names)
    facts = {"kind": "old", "single": single, "ages": ages, "limit": limit, "names": told.names}
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
    "en": [
        "null", "n/a", "N/A", "NaN", "unavailable", "unknown", "--", "no data", "missing", "?", "no reading",
        "no value", "-", "none", "nothing", "no answer", "no signal",
    ],
    "fr": [
        "null", "n/a", "NaN", "indisponible", "inconnu", "--", "aucune donnée", "absent", "?", "pas de donnée", "-",
        "pas de valeur", "rien", "pas de réponse", "sans valeur", "aucune mesure", "pas de signal",
    ],
}  # fmt: skip
# What is said of a sensor that gives nothing, where the others are said to show something.
SILENT = {
    "en": ["did not answer", "gives nothing", "has no reading", "sent nothing", "gave no value", "is not reporting"],
    "fr": ["n'a pas répondu", "ne donne rien", "n'a rien envoyé", "n'a pas de valeur", "ne transmet plus"],
}
GAP = "¤"


@dataclasses.dataclass
class Gappy(telemetry.Readings):
    """Readings some of which are `gone`: they stand as `GAP`."""

    gone: tuple = ()

    def value(self, i):
        return GAP if i in self.gone else super().value(i)


def tell_gaps(rng, readings, gone, separator):
    """Readings told as telemetry tells them, with a mark, or nothing, in the place of those that are gone: the data
    and what a thought writes of a gap."""
    layout = rng.choice(["lines", "pairs", "map", "objects", "objects", "table", "table", "topics"])
    # Not a round value, which may lose its decimals.
    values = [1 if i in gone else value for i, value in enumerate(readings.values)]
    gappy = Gappy(readings.quantity, readings.language, readings.decimals, readings.names, values, tuple(gone))
    told = telemetry.tell(rng, gappy, separator, layout)
    mark = rng.choice(MARKS[readings.language])
    if layout in ("map", "objects"):
        mark = rng.choice(["null", "null", '""', '"n/a"', '"unavailable"', '"--"', '"NaN"', '"unknown"'])
    elif layout in ("lines", "table") and rng.random() < 0.25:
        mark = ""
    elif layout in ("pairs", "topics"):
        mark = rng.choice(["null", "n/a", "--", "NaN", "none", "?", "unavailable"])
    # No unit stands behind nothing; in JSON the mark may already be within quotes.
    text = told.text
    for spaced in (" ", ""):
        text = text.replace(f"{GAP}{spaced}{readings.unit}", GAP)
    bare = mark.strip('"')
    text = text.replace(f'"{GAP}"', mark).replace(GAP, mark)
    told.text = text
    return told, bare or "empty"


def _shows(rng, readings, gone, separator):
    """Readings in a sentence in which those that are gone are said to give nothing."""
    language = readings.language
    silent = rng.choice(SILENT[language])
    verb = rng.choice([" ", f" {telling.verb(rng, language, readings.unit)} "])
    parts = [
        f"{name} {silent}"
        if i in gone
        else f"{name}{verb}{telemetry.written(readings.value(i), separator)} {readings.unit}"
        for i, name in enumerate(readings.names)
    ]
    head = telling.head(rng, language, readings.noun) + telling.COLON[language] if rng.random() < 0.5 else ""
    text = head + telemetry.joined(parts, language, rng.choice([None, ", "])) + "."
    names = [str(name) for name in readings.names]
    return telemetry.Told(text, "sentence", names, False, separator if readings.decimals else ""), silent


def tell_marked(rng, readings, gone, separator):
    """Readings told as words, with a mark for those that are gone."""
    language, mark = readings.language, rng.choice(MARKS[readings.language])
    unit = f" {readings.unit}" if rng.random() < 0.5 else ""
    point = "." if rng.random() < 0.5 else separator
    shown = [
        mark if i in gone else telemetry.written(readings.value(i), point) + unit
        for i in range(len(readings.values))
    ]
    noun, colon = str(readings.noun).capitalize(), telling.COLON[language]
    heads = ["", f"{noun}{colon}", telling.head(rng, language, readings.noun) + colon]
    key = rng.choice(readings.quantity.keys[language])
    told = telemetry.tell_words(rng, language, readings.names, shown, key, heads, FLAT)
    return told, told.states[gone[0]] if gone else mark


def _missing(rng, language, held_out):
    """Which ones give no value at all, or which one?"""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4, 5, 6], [1, 3, 4, 2, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out)
    single = rng.random() < 0.5
    gone = sorted(rng.sample(range(count), rng.choices([0, 1, 2], [1, 9, 0] if single else [2, 6, 3])[0]))
    if rng.random() < 0.15:
        # Nothing of something is a value.
        readings.values[rng.randrange(count)] = 0
    tell = rng.choices([tell_marked, tell_gaps, _shows], [45, 35, 20])[0]
    told, mark = tell(rng, readings, gone, separator)
    if told.layout in ("map", "pairs", "table") and rng.random() < 0.25:
        told.text += "\n" + WORDING.say(rng, language, "are", held_out, noun=readings.noun).text
    section = "missing_one" if single else "missing"
    question = WORDING.say(rng, language, section, held_out, noun=readings.noun)
    lines = [f"{i + 1}:{name} {mark}" if i in gone else f"{i + 1}:{name}" for i, name in enumerate(told.names)]
    bad = [i in gone for i in range(count)]
    if single:
        lines, name = _until(lines, bad, told.names)
        lines = [line.removesuffix(" bad") for line in lines]
        thought, answer = ["missing one", *lines], _one(language, name)
    else:
        lines = [line if out else f"{line} ok" for line, out in zip(lines, bad)]
        thought, answer = _outside(language, False, ["missing"], lines, bad, told.names)
    facts = {"kind": "missing", "single": single, "gone": gone, "names": told.names}
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
    if kind.startswith("agree"):
        a, b = (Fraction(value, 10 ** facts["decimals"]) for value in facts["values"])
        if kind == "agree gap":
            found = {"agree": abs(a - b) <= Fraction(facts["limit"][0], 10 ** facts["limit"][1]), "gap": abs(a - b)}
            return tuple(found[name] for name in facts["order"])
        within = abs(a - b) <= Fraction(facts["limit"][0], 10 ** facts["limit"][1])
        return within if kind == "agree_within" else not within
    if kind == "plausible":
        values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
        return facts["low"] <= min(values) and max(values) <= facts["high"]
    if kind == "odd value":
        middle = sorted(facts["values"])[len(facts["values"]) // 2]
        return Fraction(max(facts["values"], key=lambda value: abs(value - middle)), 10 ** facts["decimals"])
    if kind.startswith("jump"):
        values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
        far = any(abs(after - before) > facts["limit"] for before, after in zip(values, values[1:]))
        return far if kind == "jump" else not far
    names = facts.get("names")
    if facts.get("single"):
        found = _at_fault(facts)
        return names[found[0]] if found else none
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
    if kind == "oldest":
        return max(zip(facts["ages"], names))[1]
    return [names[i] for i in _at_fault(facts)]


def _at_fault(facts):
    """The places of the sensors whose values are outside, whose messages are old, or that give no value."""
    if facts["kind"] == "range":
        values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
        return [i for i, value in enumerate(values) if not facts["low"] <= value <= facts["high"]]
    if facts["kind"] == "limits":
        values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
        rows = zip(values, facts["bounds"])
        return [i for i, (value, (low, high)) in enumerate(rows) if sorted((low, value, high))[1] != value]
    if facts["kind"] == "old":
        return [i for i, age in enumerate(facts["ages"]) if age > facts["limit"]]
    return facts["gone"]
