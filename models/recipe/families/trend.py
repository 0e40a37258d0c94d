"""Trends: rising, falling or steady; the rate of change; when a limit is reached at this rate, and
what is reached after a time."""

import re
from fractions import Fraction

import arithmetic
import rounding
import statement
import telemetry
import units
import wording
import words
from arithmetic import text
from assemble import Amount, Answer, build
from words import Noun

WEIGHT = 9
FAMILY = "trend"
MOVE = {"noun": Noun, "now": str, "rate": str}
REACH = {"noun": Noun, "limit": str, "unit": Noun}
RATE = {"noun": Noun, "unit": str, "per": str}
WORDING = wording.load(
    FAMILY,
    {
        "trend": {"noun": Noun, "up": str, "down": str, "flat": str},
        "is_up": {"noun": Noun},
        "is_down": {"noun": Noun},
        "rate": RATE | {"before": str, "after": str, "time": str},
        "moved_given": {"noun": Noun, "before": str, "after": str, "time": str},
        "clock_given": {"noun": Noun, "before": str, "after": str, "start": str, "end": str},
        "rate_ask": RATE,
        "rise_ask": {"noun": Noun, "per": str},
        "fall_ask": {"noun": Noun, "per": str},
        "series_rate": RATE | {"step": str},
        "when_up": MOVE | REACH,
        "when_down": MOVE | REACH,
        "up_given": MOVE,
        "down_given": MOVE,
        "reach_ask": REACH,
        "now_is": {"clock": str},
        "reach_at_ask": {"noun": Noun, "limit": str},
        "after_up": MOVE | {"time": str},
        "after_down": MOVE | {"time": str},
        "after_ask": {"noun": Noun, "time": str},
        "next": {"noun": Noun},
    },
)
KINDS = {
    "trend": 20, "is": 7, "rate": 20, "series": 8, "when": 20, "moved": 8, "at": 9, "after": 14,
    "next": 6,
}  # fmt: skip
# How rising, falling and steady may be called in a question; the first triple where it names none.
OPTIONS = {
    "en": [
        ("rising", "falling", "steady"),
        ("rising", "falling", "stable"),
        ("increasing", "decreasing", "stable"),
        ("increasing", "decreasing", "constant"),
        ("up", "down", "flat"),
        ("upward", "downward", "flat"),
        ("climbing", "dropping", "steady"),
    ],
    "fr": [
        ("en hausse", "en baisse", "stable"),
        ("hausse", "baisse", "stable"),
        ("croissante", "décroissante", "stable"),
        ("montante", "descendante", "constante"),
        ("à la hausse", "à la baisse", "stable"),
    ],
}
PER = {"en": {"min": "minute", "h": "hour", "days": "day"}, "fr": {"min": "minute", "h": "heure", "days": "jour"}}
FEMININE = re.compile(r"\b([Uu]ne( seule)?|[Tt]oute) jour|à la jour")


def make(rng, language, held_out):
    kind = rng.choices(list(KINDS), KINDS.values())[0]
    make_ = {
        "trend": _trend, "is": _trend, "rate": _rate, "series": _series, "when": _when,
        "moved": _when, "at": _when, "after": _after, "next": _next,
    }[kind]  # fmt: skip
    return make_(rng, language, held_out, kind)


def _base(rng):
    """The unit of time of a rate."""
    return rng.choices(["min", "h", "days"], [6, 3, 2])[0]


def _longest(base):
    """What a time in this unit may be at most."""
    return {"min": 60, "h": 12, "days": 14}[base]


def _quantity(rng):
    return rng.choice([q for q in words.QUANTITIES if q.id not in ("wind", "speed", "flow")])


def _finish(
    rng, language, held_out, label, question, data, lines, answer, separator, facts, phrasings=()
):  # fmt: skip
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [label, *lines],
        answer,
        data,
        separator,
        exact=True,
        facts=facts,
        phrasings=phrasings,
    )


# Rising, falling, steady ------------------------------------------------------------


def _values(rng, quantity, decimals, direction):
    """A series that clearly goes up, down or nowhere: at most one step of a long one goes against
    the rest."""
    scale = 10**decimals
    low, high = round(quantity.low * scale), round(quantity.high * scale)
    count = rng.choice([3, 4, 4, 5, 5, 6, 7])
    reach = max(1, (high - low) // rng.choice([20, 40, 80]))
    if direction:
        steps = [rng.randint(1, reach) for _ in range(count - 1)]
        if count >= 6 and rng.random() < 0.3:
            steps[rng.randrange(1, count - 2)] = -1
        elif count >= 4 and rng.random() < 0.2:
            steps[rng.randrange(count - 1)] = 0
        steps = [step * direction for step in steps]
    elif rng.random() < 0.4:
        steps = [0] * (count - 1)
    else:
        first = rng.choice([-1, 1])
        steps = [first * (-1) ** i for i in range(count - 1)]
        if count >= 5 and rng.random() < 0.4:
            steps.insert(rng.randrange(count), 0)
    start = rng.randint(low, high)
    values = [start]
    for step in steps:
        values.append(values[-1] + step)
    if quantity.low >= 0 and min(values) < 1:
        values = [value - min(values) + 1 for value in values]
    return values


def _compared(values, decimals):
    """Each reading compared with the one before, and what follows: `2:21.7 2=2 1=1 7>5 +`."""
    lines, signs = [f"1:{text(values[0], decimals)}"], ""
    for i, value in enumerate(values[1:]):
        steps, order = arithmetic.digits_compared(value, decimals, values[i], decimals)
        sign = {1: "+", 0: "=", -1: "-"}[order]
        signs += sign
        lines.append(f"{i + 2}:{text(value, decimals)} {steps} {sign}")
    up, down = signs.count("+"), signs.count("-")
    found = "up" if up and up >= 3 * down else "down" if down and down >= 3 * up else "flat"
    return [*lines, f"{signs} {found}"], found


def _told_series(rng, readings, separator):
    """The values alone, or behind the times at which they were read."""
    tell = telemetry.series if rng.random() < 0.65 else telemetry.timed
    return tell(rng, readings, separator)


def _trend(rng, language, held_out, kind):
    separator = telemetry.separator(rng, language)
    quantity = _quantity(rng)
    decimals = rng.choice(quantity.decimals)
    values = _values(rng, quantity, decimals, rng.choice([1, 1, -1, -1, 0]))
    values, decimals = _shortest(values, decimals)
    readings = telemetry.Readings(quantity, language, decimals, [], values)
    lines, found = _compared(values, decimals)
    told = _told_series(rng, readings, separator)
    noun = quantity.noun[language]
    facts = {"kind": kind, "values": values}
    if kind == "is":
        section = rng.choice(["is_up", "is_down"])
        question = WORDING.say(rng, language, section, held_out, noun=noun)
        holds = found == section[3:]
        answer = Answer(f"{words.YES_NO[language][0 if holds else 1]}.", {"truth": holds})
        facts["asked"] = section[3:]
        lines.append("yes" if holds else "no")
        label = f"trend {section[3:]}"
    else:
        chosen = rng.choice(OPTIONS[language])
        up, down, flat = chosen
        question = WORDING.say(
            rng, language, "trend", held_out, noun=noun, up=up, down=down, flat=flat
        )
        if not question.slots & {"up", "down", "flat"}:
            chosen = OPTIONS[language][0]
        said = dict(zip(("up", "down", "flat"), chosen))
        names = {"en": ["trend", "state", "answer"], "fr": ["tendance", "etat", "answer"]}
        answer = Answer("{state}", {"state": said[found]}, {"state": names[language]})
        facts["said"] = said
        label = "trend"
    return _finish(
        rng, language, held_out, label, question, told, lines, answer, separator, facts
    )


# Rates ------------------------------------------------------------


def _plausible(quantity, decimals, *values):
    """Whether values (in units of 10^-decimals) could still be read by such a sensor."""
    scale = 10**decimals
    high = 100 if quantity.unit == "%" else quantity.high * 1.3
    low = 0 if quantity.low >= 0 else quantity.low - 15
    return all(low * scale <= value <= high * scale for value in values)


def _shortest(values, decimals):
    """The values without decimals where none needs any: the prompt would not show them."""
    while decimals and not any(value % 10 for value in values):
        values, decimals = [value // 10 for value in values], decimals - 1
    return values, decimals


def _rate_unit(rng, language, unit, base):
    """`°C/min`, `°C per minute`, and `minute` alone."""
    per = PER[language][base]
    word = "per" if language == "en" else "par"
    return rng.choice([f"{unit}/{per if base == 'days' else base}", f"{unit} {word} {per}"]), per


def _moving(rng, quantity, base):
    """A rate and its decimals that suit the quantity."""
    span = quantity.high - quantity.low
    if span <= 15:
        return rng.choice([(1, 1), (2, 1), (5, 2), (2, 2), (4, 1)])
    if span <= 120:
        return rng.choice(
            [(5, 1), (2, 1), (4, 1), (1, 0), (2, 0), (3, 0), (15, 1), (8, 1), (25, 1), (6, 1)]
        )
    return rng.choice([(2, 0), (4, 0), (5, 0), (10, 0), (12, 0), (20, 0), (8, 0), (30, 0), (25, 0)])


def _start(rng, quantity, decimals, room):
    """A first value with `room` (in its units) above zero."""
    low = max(1, round(quantity.low)) if quantity.low >= 0 else round(quantity.low)
    value = rng.randint(low, max(low + 2, round(quantity.high)))
    value = value * 10**decimals
    if decimals and rng.random() < 0.4:
        value += rng.randint(0, 9) * 10 ** (decimals - 1)
    if quantity.low >= 0 and value <= room:
        value += -(-room // 10**decimals) * 10**decimals
    return value


def _said(rng, language, value, decimals, unit, separator):
    return units.said(rng, language, *arithmetic.trimmed(value, decimals), unit, separator, 1)


def _rate(rng, language, held_out, kind):
    """Two readings and the time between them; the change in a minute, an hour or a day."""
    separator = telemetry.separator(rng, language)
    quantity = _quantity(rng)
    unit = quantity.unit
    base = _base(rng)
    clock = base != "days" and rng.random() < 0.3
    time = rng.choice([2, 4, 5, 8, 10, 12, 15, 20, 30, 40]) if base == "min" else rng.randint(2, _longest(base))
    asked = base
    if base == "min" and time in (10, 12, 15, 20, 30, 40) and rng.random() < 0.45:
        asked = "h"
    rate, decimals = _moving(rng, quantity, base)
    moved = rate * time
    if rng.random() < 0.2:
        moved += rng.randint(1, max(1, rate))
    if asked == "h" and base == "min":
        moved = max(1, rng.choice([1, 2, 3, 4, 5, 6, 8]) * (time // 10 or 1)) * (
            5 if time in (15, 12) else 1
        )
        decimals = min(decimals, 1)
    direction = rng.choice([-1, 1])
    before = _start(rng, quantity, decimals, moved)
    after = before + direction * moved
    if not _plausible(quantity, decimals, before, after):
        return _rate(rng, language, held_out, kind)
    first, second = arithmetic.trimmed(before, decimals), arithmetic.trimmed(after, decimals)
    a, b, d = arithmetic.aligned(*second, *first)
    section = rng.choice(["rate_ask", "rate_ask", "rise_ask" if direction > 0 else "fall_ask"])
    lines = []
    if clock:
        minutes = time * (60 if base == "h" else 1)
        start = rng.randrange(0, arithmetic.DAY - minutes, 5)
        lines.append(arithmetic.clock_difference(start + minutes, start)[0])
    if section == "fall_ask":
        a, b = b, a
    line, difference = arithmetic.change(a, b, d)
    lines.append(line)
    value, made = arithmetic.trimmed(difference, d)
    exact = Fraction(value, 10**made) / time
    if asked != base:
        more, value, made = arithmetic.times(value, made, 60, 0)
        lines += more
        exact *= 60
    places, rounded = 2, None
    if exact * 100 % 1 and (rng.random() < 0.85 or abs(exact) < 1):
        places = rng.choice([1, 2]) if abs(exact) > 1 else 2
        rounded = rounding.ask(rng, language, held_out, places)
    more, value, made, _ = arithmetic.quotient(value, made, time, 0, places)
    lines += more
    named, per = _rate_unit(rng, language, unit, asked)
    slots = {
        "noun": quantity.noun[language],
        "before": _said(rng, language, *first, unit, separator),
        "after": _said(rng, language, *second, unit, separator),
        "time": units.said(rng, language, time, 0, base, separator, 0.4),
        "unit": named,
        "per": per,
    }
    given = "moved_given"
    if clock:
        slots |= {"start": arithmetic.clock(start), "end": arithmetic.clock(start + minutes)}
        given = "clock_given"
    one = "rate" if section == "rate_ask" and not clock else "no_such"
    stated = statement.state(
        rng, WORDING, language, held_out, one, slots, separator, ask=section, given=given,
        asked=lambda said: not FEMININE.search(said.text),
    )  # fmt: skip
    question, phrasings = stated.question, stated.phrasings
    if rounded:
        question, phrasings = rounding.then(question, rounded), (*phrasings, rounded)
    spelled = named if "unit" in stated.slots else unit
    keys = {"en": ["rate", "answer", "value"], "fr": ["vitesse", "answer", "valeur"]}
    answer = Answer("{value}", {"value": Amount(value, made, spelled)}, {"value": keys[language]})
    facts = {
        "kind": kind, "before": text(*first), "after": text(*second), "time": str(time),
        "scale": 60 if asked != base else 1, "places": places, "turned": section == "fall_ask",
    }  # fmt: skip
    label = {"fall_ask": "rate fall"}.get(section, "rate")
    return _finish(
        rng, language, held_out, label, question, stated.data, lines, answer, separator, facts,
        phrasings,
    )  # fmt: skip


def _series(rng, language, held_out, kind):
    """Readings in equal intervals; the mean change in a minute or an hour."""
    separator = telemetry.separator(rng, language)
    quantity = _quantity(rng)
    base = rng.choice(["min", "min", "h"])
    step = rng.choice([1, 2, 5, 5, 10]) if base == "min" else rng.choice([1, 1, 2])
    rate, decimals = _moving(rng, quantity, base)
    count = rng.randint(3, 6)
    direction = rng.choice([-1, 1])
    jitter = max(1, rate * step // 3) if rng.random() < 0.5 else 0
    start = _start(rng, quantity, decimals, rate * step * count + jitter)
    values = [start + direction * rate * step * i for i in range(count)]
    values[1:-1] = [value + rng.randint(-jitter, jitter) for value in values[1:-1]]
    if decimals == 2 or not _plausible(quantity, decimals, *values):
        return _series(rng, language, held_out, kind)
    values, decimals = _shortest(values, decimals)
    readings = telemetry.Readings(quantity, language, decimals, [], values)
    told = telemetry.series(rng, readings, separator)
    lines = [f"{i + 1}:{text(value, decimals)}" for i, value in enumerate(values)]
    line, difference = arithmetic.change(values[-1], values[0], decimals)
    lines.append(line)
    if step > 1:
        lines.append(arithmetic.multiplication(step, 0, count - 1)[0])
    more, value, made, _ = arithmetic.quotient(
        *arithmetic.trimmed(difference, decimals), (count - 1) * step, 0
    )
    lines += more
    named, per = _rate_unit(rng, language, quantity.unit, base)
    slots = {
        "noun": quantity.noun[language],
        "unit": named,
        "per": per,
        "step": units.said(rng, language, step, 0, base, separator, 0.5),
    }
    question = WORDING.say(rng, language, "series_rate", held_out, **slots)
    spelled = named if "unit" in question.slots else quantity.unit
    answer = Answer("{value}", {"value": Amount(value, made, spelled)})
    facts = {"kind": kind, "values": values, "decimals": decimals, "step": step}
    return _finish(
        rng, language, held_out, "rate series", question, told, lines, answer, separator, facts
    )


def _next(rng, language, held_out, kind):
    """Readings with a constant step; the next one."""
    separator = telemetry.separator(rng, language)
    quantity = _quantity(rng)
    rate, decimals = _moving(rng, quantity, "min")
    count, direction = rng.randint(3, 5), rng.choice([-1, 1])
    start = _start(rng, quantity, decimals, rate * (count + 1))
    values = [start + direction * rate * i for i in range(count)]
    if not _plausible(quantity, decimals, *values):
        return _next(rng, language, held_out, kind)
    values, decimals = _shortest(values, decimals)
    readings = telemetry.Readings(quantity, language, decimals, [], values)
    told = telemetry.series(rng, readings, separator)
    a, b = values[-1], values[-2]
    line, difference = arithmetic.change(a, b, decimals)
    last, value = arithmetic.total(a, difference, decimals)
    lines, value, made = arithmetic.finish([line, last], value, decimals)
    question = WORDING.say(rng, language, "next", held_out, noun=quantity.noun[language])
    answer = Answer("{value}", {"value": Amount(value, made, quantity.unit)})
    facts = {"kind": kind, "values": values, "decimals": decimals}
    return _finish(
        rng, language, held_out, "next", question, told, lines, answer, separator, facts
    )


# Extrapolation ------------------------------------------------------------


def _rate_said(rng, language, rate, decimals, unit, base, separator):
    """`0.5 °C per minute`."""
    number = telemetry.written(text(*arithmetic.trimmed(rate, decimals)), separator)
    per = PER[language][base]
    short = "/" + (per if base == "days" else base)
    if language == "en":
        joins = [short, f" per {per}", f" {'an' if base == 'h' else 'a'} {per}"]
    else:
        joins = [short, f" par {per}", {"min": " à la minute", "h": " à l'heure", "days": " par jour"}[base]]
    return f"{number} {unit}{rng.choice(joins)}"


def _when(rng, language, held_out, kind):
    """How long until a limit is reached, or at what time; the rate is given or follows from two
    readings."""
    separator = telemetry.separator(rng, language)
    quantity = _quantity(rng)
    unit = quantity.unit
    base = "min" if kind == "at" else _base(rng)
    rate, decimals = _moving(rng, quantity, base)
    time = rng.randint(2, _longest(base))
    direction = rng.choice([-1, 1])
    way = rate * time
    if kind == "when" and rng.random() < 0.15:
        way += rng.randint(1, max(1, rate - 1))
    now = _start(rng, quantity, decimals, way + rate * 12)
    limit = now + direction * way
    if not _plausible(quantity, decimals, now, limit):
        return _when(rng, language, held_out, kind)
    lines, slots, facts = [], {}, {"kind": kind}
    noun = quantity.noun[language]
    rate_, rate_decimals = arithmetic.trimmed(rate, decimals)
    if kind == "moved":
        before_time = rng.choice([2, 3, 4, 5, 6, 10] if base == "min" else [2, 3, 4, 5])
        before = now - direction * rate * before_time
        high, low = (now, before) if direction > 0 else (before, now)
        a, b, d = arithmetic.aligned(
            *arithmetic.trimmed(high, decimals), *arithmetic.trimmed(low, decimals)
        )
        line, moved = arithmetic.difference(a, b, d)
        more, _, _, _ = arithmetic.quotient(*arithmetic.trimmed(moved, d), before_time, 0)
        lines += [line, *more]
        slots |= {
            "before": _said(rng, language, before, decimals, unit, separator),
            "after": _said(rng, language, now, decimals, unit, separator),
            "time": units.said(rng, language, before_time, 0, base, separator, 0.4),
        }
    high, low = (limit, now) if direction > 0 else (now, limit)
    a, b, d = arithmetic.aligned(
        *arithmetic.trimmed(high, decimals), *arithmetic.trimmed(low, decimals)
    )
    line, left = arithmetic.difference(a, b, d)
    lines.append(line)
    exact = Fraction(way, rate)
    places, rounded = 2, None
    if exact * 100 % 1 and rng.random() < 0.85:
        places = rng.choice([0, 1, 1]) if exact > 3 else 1
        rounded = rounding.ask(rng, language, held_out, places)
    more, value, made, _ = arithmetic.quotient(
        *arithmetic.trimmed(left, d), rate_, rate_decimals, places
    )
    lines += more
    spelled = units.spell(rng, language, base, 0.3)
    named = Noun(spelled, language, "" if len(spelled) < 4 else "m", True)
    plain = units.spell(rng, language, base, 1)
    slots |= {
        "noun": noun,
        "now": _said(rng, language, now, decimals, unit, separator),
        "limit": _said(rng, language, limit, decimals, unit, separator),
        "rate": _rate_said(rng, language, rate, decimals, unit, base, separator),
        "unit": named,
    }
    side = "up" if direction > 0 else "down"
    facts |= {"now": text(now, decimals), "limit": text(limit, decimals)}
    facts |= {"rate": text(rate, decimals), "places": places}
    if kind == "at":
        start = rng.randrange(0, arithmetic.DAY - 121)
        slots["clock"] = arithmetic.clock(start)
        line, end = arithmetic.clock_addition(start, time)
        lines.append(line)
        stated = statement.state(
            rng, WORDING, language, held_out, "no_such", slots, separator,
            ask="reach_at_ask", given=f"{side}_given", extra="now_is",
        )  # fmt: skip
        facts["clock"] = start
        answer = Answer("{time}", {"time": arithmetic.clock(end)})
        return _finish(
            rng, language, held_out, "when at", stated.question, stated.data, lines, answer,
            separator, facts, stated.phrasings,
        )  # fmt: skip
    one = f"when_{side}" if kind == "when" else "no_such"
    given = "moved_given" if kind == "moved" else f"{side}_given"
    stated = statement.state(
        rng, WORDING, language, held_out, one, slots, separator, ask="reach_ask", given=given
    )
    question, phrasings = stated.question, stated.phrasings
    if rounded:
        question, phrasings = rounding.then(question, rounded), (*phrasings, rounded)
    if "unit" in stated.slots:
        answer = Answer("{value}", {"value": Amount(value, made, str(named))})
    else:
        answer = Answer("{value} {unit}", {"value": Amount(value, made), "unit": plain})
    label = "when" if kind == "when" else "rate when"
    return _finish(
        rng, language, held_out, label, question, stated.data, lines, answer, separator, facts,
        phrasings,
    )  # fmt: skip


def _after(rng, language, held_out, kind):
    """What is reached after a time at a rate."""
    separator = telemetry.separator(rng, language)
    quantity = _quantity(rng)
    unit = quantity.unit
    base = _base(rng)
    rate, decimals = _moving(rng, quantity, base)
    time = rng.randint(2, _longest(base))
    direction = rng.choice([-1, 1])
    now = _start(rng, quantity, decimals, rate * time)
    rate_, rate_decimals = arithmetic.trimmed(rate, decimals)
    lines, spoken = [], (time, base)
    if base == "min" and rng.random() < 0.12:
        hours = rng.choice([1, 2, 3])
        spoken, time = (hours, "h"), hours * 60
        now = _start(rng, quantity, decimals, rate * time)
        lines += arithmetic.times(hours, 0, 60, 0)[0]
    if not _plausible(quantity, decimals, now, now + direction * rate * time):
        return _after(rng, language, held_out, kind)
    more, moved, moved_decimals = arithmetic.times(rate_, rate_decimals, time, 0)
    lines += more
    a, b, d = arithmetic.aligned(*arithmetic.trimmed(now, decimals), moved, moved_decimals)
    line, value = (
        arithmetic.total(a, b, d) if direction > 0 else arithmetic.difference(a, b, d)
    )
    lines, value, made = arithmetic.finish([*lines, line], value, d)
    slots = {
        "noun": quantity.noun[language],
        "now": _said(rng, language, now, decimals, unit, separator),
        "rate": _rate_said(rng, language, rate, decimals, unit, base, separator),
        "time": units.said(rng, language, *(spoken[0], 0, spoken[1]), separator, 0.4),
    }
    side = "up" if direction > 0 else "down"
    stated = statement.state(
        rng, WORDING, language, held_out, f"after_{side}", slots, separator,
        ask="after_ask", given=f"{side}_given",
    )  # fmt: skip
    answer = Answer("{value}", {"value": Amount(value, made, unit)})
    facts = {
        "kind": kind, "now": text(now, decimals), "rate": text(rate, decimals),
        "time": str(time), "direction": direction,
    }  # fmt: skip
    label = "later +" if direction > 0 else "later -"
    return _finish(
        rng, language, held_out, label, stated.question, stated.data, lines, answer, separator,
        facts, stated.phrasings,
    )  # fmt: skip


# Verification ------------------------------------------------------------


def _direction(values):
    """Where a series goes, from the numbers of its steps up and down."""
    steps = [b - a for a, b in zip(values, values[1:])]
    up, down = sum(s > 0 for s in steps), sum(s < 0 for s in steps)
    return "flat" if max(up, down) < 3 * min(up, down) or up == down else (
        "up" if up > down else "down"
    )  # fmt: skip


def verify(problem):
    """The direction, the rate, the time or the value, from the facts alone."""
    f = problem.facts
    kind = f["kind"]
    if kind == "trend":
        return f["said"][_direction(f["values"])]
    if kind == "is":
        return _direction(f["values"]) == f["asked"]
    if kind in ("series", "next"):
        values = [Fraction(value, 10 ** f["decimals"]) for value in f["values"]]
        if kind == "next":
            return 2 * values[-1] - values[-2]
        exact = (values[-1] - values[0]) / ((len(values) - 1) * f["step"])
        return _round(exact, 2)
    if kind == "rate":
        exact = (Fraction(f["after"]) - Fraction(f["before"])) / Fraction(f["time"]) * f["scale"]
        return _round(-exact if f["turned"] else exact, f["places"])
    if kind == "after":
        return Fraction(f["now"]) + f["direction"] * Fraction(f["rate"]) * Fraction(f["time"])
    exact = abs(Fraction(f["limit"]) - Fraction(f["now"])) / Fraction(f["rate"])
    if kind == "at":
        minutes = (f["clock"] + int(exact)) % (24 * 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return _round(exact, f["places"])


def _round(exact, places):
    """Half away from zero."""
    scale = 10**places
    size = int(abs(exact) * scale + Fraction(1, 2))
    return Fraction(size if exact >= 0 else -size, scale)
