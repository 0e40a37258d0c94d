"""Trends: rising, falling or steady; the rate of change; when a limit is reached at this rate, and
what is reached after a time; when the highest or lowest of timed readings was read.

Half of the problems are about a quantity (`the humidity rises by`), the others about a thing that moves in its own
way (`the kiln cools by`, `la cuve se vide de`): a `Scene`.
"""

import dataclasses
import re
from fractions import Fraction

import arithmetic
import rounding
import statement
import telemetry
import telling
import units
import wording
import words
from arithmetic import text
from assemble import Amount, Answer, build
from families import clock
from words import Noun

WEIGHT = 9
FAMILY = "trend"
MOVE = {"noun": Noun, "now": str, "rate": str}
REACH = {"noun": Noun, "limit": str, "unit": Noun}
RATE = {"noun": Noun, "unit": str, "per": str}


@dataclasses.dataclass(frozen=True)
class Verb:
    """What a thing does when it moves: `cools by`, and its English form with `-ing`, `cooling by`."""

    text: str
    ing: str = ""

    def __str__(self):
        return self.text


SCENE = {"thing": Noun, "noun": Noun, "has": str, "now": str, "verb": Verb, "rate": str}
THING = {"thing": Noun, "noun": Noun}
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
        "moves_given": SCENE,
        "moves_given_at": SCENE | {"clock": str},
        "later_ask": THING | {"time": str},
        "reach_it_ask": THING | {"limit": str, "unit": Noun},
        "reach_it_at_ask": THING | {"limit": str},
        "alarm_ask": THING | {"unit": Noun},
        "timed_ask": THING | {"unit": str, "per": str},
        "both_ask": THING | {"per": str, "time": str},
        "both_task": THING,
        "peak_high": THING,
        "peak_low": THING,
        "most_up": {"noun": Noun},
        "most_down": {"noun": Noun},
        "first_above": THING | {"limit": str},
        "first_below": THING | {"limit": str},
        "jump": {"noun": Noun},
        "in_time_ask": THING | {"limit": str, "time": str},
        "by_time_ask": THING | {"limit": str, "by": str},
        "later_at_ask": THING | {"by": str},
    },
)
KINDS = {
    "trend": 34, "is": 9, "rate": 26, "series": 8, "when": 24, "moved": 8, "at": 9, "after": 20,
    "next": 11, "thing later": 15, "thing when": 15, "thing at": 9, "alarm": 6, "timed": 18, "both": 15, "peak": 8,
    "later at": 9, "in time": 11, "by time": 6, "most": 10, "first": 9, "jump": 9,
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
        "moved": _when, "at": _when, "after": _after, "next": _next, "thing later": _thing_later,
        "thing when": _thing_when, "thing at": _thing_when, "alarm": _alarm, "timed": _timed, "both": _timed,
        "peak": _peak, "later at": _thing_later_at, "in time": _in_time, "by time": _in_time, "most": _most,
        "first": _first, "jump": _jump,
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
    named = _wait(rng, language, base)
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


def _other_time(rng, base):
    """A time in another unit than the rate's: what is said of it, its steps into the rate's unit, and it in that unit
    as (value, decimals)."""
    if base == "min":
        hours = rng.choice([1, 2, 2, 3, 4])
        lines, value, decimals = arithmetic.times(hours, 0, 60, 0)
        return (hours, "h"), lines, (value, decimals)
    if rng.random() < 0.2:
        days = rng.choice([1, 1, 2])
        lines, value, decimals = arithmetic.times(days, 0, 24, 0)
        return (days, "days"), lines, (value, decimals)
    minutes = rng.choice([6, 12, 15, 15, 30, 30, 30, 36, 45, 45, 90, 90])
    return (minutes, "min"), *_hours_of(minutes)


def _hours_of(minutes):
    """Minutes as hours: the steps, and (value, decimals)."""
    lines, value, decimals, _ = arithmetic.quotient(minutes, 0, 60, 0)
    return lines, (value, decimals)


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
    lines, spoken, factor = [], (time, base), (time, 0)
    if base != "days" and rng.random() < 0.22:
        spoken, lines, factor = _other_time(rng, base)
        time = Fraction(factor[0], 10 ** factor[1])
        now = _start(rng, quantity, decimals, -(-rate * time // 1))
    if not _plausible(quantity, decimals, now, now + direction * rate * time):
        return _after(rng, language, held_out, kind)
    more, moved, moved_decimals = arithmetic.times(rate_, rate_decimals, *factor)
    if moved_decimals > 2:
        return _after(rng, language, held_out, kind)
    lines = [*lines, *more]
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


# Things that move in their own way ------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Scene:
    """Things that have a reading of one kind and how they are said to move; texts by language.

    `rates` are by unit of time; `verbs` those of rising and of falling (none: it never falls), `labels` what the
    two are called in data, `has` what stands between a thing and its reading.
    """

    unit: str
    low: int
    high: int
    rates: dict
    noun: dict
    key: dict
    things: dict
    has: dict
    verbs: dict
    labels: dict


def _verbs(language, text):
    """`cools/cooling by|loses/losing`, or French ones as they are."""
    found = []
    for entry in text.split("|"):
        entry = entry.strip()
        if language == "en":
            verb, _, tail = entry.partition(" ")
            third, ing = verb.split("/")
            found.append(Verb(f"{third} {tail}".strip(), f"{ing} {tail}".strip()))
        elif entry:
            found.append(Verb(entry))
    return found


def _scene(unit, low, high, rates, english, french):
    """Rates as `min 0.5 1; h 2 3`; texts as `noun; key; things; has; verbs up; verbs down; labels`, a falling verb
    may be missing."""
    by_base = {}
    for entry in rates.split("; "):
        base, *numbers = entry.split()
        by_base[base] = [_number(number) for number in numbers]
    both = {"en": re.sub(r"\s*\|\s*", "|", english), "fr": re.sub(r"\s*\|\s*", "|", french)}
    texts = {language: [" ".join(t.split()) for t in text.split(";")] for language, text in both.items()}
    verbs = {
        language: [_verbs(language, t[4]), _verbs(language, t[5]) if t[5] else []] for language, t in texts.items()
    }
    return Scene(
        unit, low, high, by_base,
        {language: words.nouns(language, t[0])[0] for language, t in texts.items()},
        {language: t[1] for language, t in texts.items()},
        {language: words.nouns(language, t[2]) for language, t in texts.items()},
        {language: t[3].split("|") for language, t in texts.items()},
        verbs,
        {language: t[6].split("|") for language, t in texts.items()},
    )  # fmt: skip


def _number(written):
    """`0.25` as (25, 2)."""
    whole, _, fraction = written.partition(".")
    return int(whole + fraction), len(fraction)


WARM = """is at|is at|stands at|reads; warms/warming by|warms/warming up by|heats/heating up by|gains/gaining
    |gets/getting warmer by|rises/rising by|goes/going up by|climbs/climbing by; cools/cooling by
    |cools/cooling by|cools/cooling down by|loses/losing|gets/getting colder by|drops/dropping by|falls/falling by
    ; warming|cooling"""
CHAUD = """est à|est à|affiche; se réchauffe de|chauffe de|gagne|monte de|prend|se réchauffe de
    ; refroidit de|se refroidit de|refroidit de|perd|baisse de|descend de; réchauffement|refroidissement"""
RISE = "rises/rising by|gains/gaining|climbs/climbing by|goes/going up by"
FALL = "falls/falling by|drops/dropping by|loses/losing|goes/going down by"
MONTE, BAISSE = "monte de|gagne|prend|augmente de", "baisse de|perd|descend de|diminue de"
SCENES = [
    _scene(
        "°C", 150, 1100, "h 20 25 30 35 40 50 60 80 100; min 2 4 5 10",
        f"""temperature; temp; pottery kiln|kiln|glass furnace|bread oven|wood-fired oven|furnace|firing chamber
            |casting mould|forge|annealing oven; {WARM}""",
        f"""f température; temp; m four de potier|m four à pain|f étuve|m four verrier|f forge|m four de recuit
            |m fourneau
            |m moule|m four de cuisson; {CHAUD}""",
    ),
    _scene(
        "°C", 15, 95, "min 0.5 0.2 1 1.5 2; h 2 3 4 5 6 8",
        f"""temperature; temp; wort|mash|milk vat|hot water tank|cheese vat|brew kettle|thermal store|bath water|soup
            |wax bath|dye bath|boiler|milk|tea|asphalt; {WARM}""",
        f"""f température; temp; m moût|f maische|f cuve à fromage|m ballon d'eau chaude|f eau du bain|f soupe
            |m bain de cire|f marmite|m chaudron|m lait|f chaudière|f tisane|m bitume; {CHAUD}""",
    ),
    _scene(
        "°C", 5, 40, "h 0.5 1 1.5 2 0.2 0.25 3; days 0.5 1 2",
        f"""temperature; temp; greenhouse|classroom|pool|cellar|concrete slab|compost heap|incubator|barn|aquarium
            |server room|stable|gym|chapel|grain heap; {WARM}""",
        f"""f température; temp; f serre|f salle de classe|f piscine|f cave|f dalle de béton|m tas de compost|f couveuse
            |f grange|m aquarium|f salle des serveurs|f étable|m gymnase|f chapelle|m tas de grain; {CHAUD}""",
    ),
    _scene(
        "°C", -30, 8, "h 0.5 1 1.5 2 3 4; min 0.1 0.2 0.5 1",
        f"""temperature; temp; freezer|cold room|chest freezer|ice cream display|refrigerated truck|fish hold
            |vaccine fridge|blast chiller|ice store|freezer; {WARM}""",
        f"""f température; temp; m congélateur|f chambre froide|m bac à glaces|m camion frigorifique|f cale à poisson
            |m frigo à vaccins|m surgélateur|f cellule de congélation|m congélateur; {CHAUD}""",
    ),
    _scene(
        "%", 5, 98, "h 1 2 3 4 5 6 8 10; min 0.5 1 2; days 1 2 3 5",
        """charge; battery; forklift|e-bike|robot mower|drone|golf cart|tablet|buoy battery|electric van|scooter|battery
            |house battery|weather station|phone|torch|battery|wheelchair; is at|is at|has|shows
            ; charges/charging by|gains/gaining|charges/charging at|goes/going up by|recharges/recharging by
            |takes/taking on|adds/adding; discharges/discharging by|loses/losing|drains/draining by
            |drops/dropping by|uses/using|discharges/discharging at|burns/burning; charge|discharge""",
        """f charge; batterie; m chariot élévateur|m vélo électrique|m robot tondeuse|m drone|f voiturette|f tablette
            |f batterie de la bouée|f camionnette électrique|f trottinette|f batterie|f batterie domestique
            |f station météo|m téléphone|f lampe torche|m fauteuil roulant; est à|est à|affiche|a encore
            ; se charge de|gagne|se recharge de|monte de|prend|récupère; se décharge de|perd|baisse de|consomme
            |descend de|se décharge de; charge|décharge""",
    ),
    _scene(
        "L", 20, 2000, "h 5 8 10 12 15 18 20 25 30 40 50; min 2 3 4 5 6 8 12 15 20; days 10 12 20 25 40",
        """volume; volume; rainwater tank|cistern|diesel tank|water trough|milk tank|header tank|pond|spray tank|hot tub
            |rain barrel|rainwater tank behind the school|water tank on the roof|fuel tank|slurry pit|basin
            ; is at|holds|contains|has; fills/filling by|gains/gaining|takes/taking in|fills/filling at
            |receives/receiving|takes/taking; empties/emptying by|drains/draining by|loses/losing|drops/dropping by
            |uses/using|drains/draining at|leaks/leaking; inflow|outflow""",
        """m volume; volume; f citerne|f cuve de récupération|f réserve de gazole|m abreuvoir|m tank à lait|m bassin
            |f cuve du pulvérisateur|m spa|m tonneau d'eau de pluie|m réservoir|f cuve derrière l'école
            |m réservoir du toit|f fosse à lisier|f cuve; est à|contient|contient|a; se remplit de|gagne|reçoit|prend
            |se remplit de; se vide de|perd|consomme|baisse de|se vide de|laisse fuir; remplissage|vidange""",
    ),
    _scene(
        "cm", 10, 400, "h 1 2 3 4 5 6 8 0.5; min 0.5 1 2; days 1 2 3 5",
        f"""level; level; river|canal|weir|pond|well|sump|lock|flooded cellar|reservoir|dry dock|harbour basin|stream
            |rice field|water in the shaft; is at|stands at|is at|reads; {RISE}|swells/swelling by|comes/coming up by
            ; {FALL}|recedes/receding by|sinks/sinking by; rise|fall""",
        f"""m niveau; niveau; f rivière|m canal|m étang|m puits|m puisard|m bassin|f écluse|f cave inondée|f retenue
            |f cale sèche|m déversoir|m ruisseau|f rizière; est à|est à|affiche; {MONTE}|s'élève de; {BAISSE}
            |redescend de
            ; montée|baisse""",
    ),
    _scene(
        "kg", 6, 90, "h 0.1 0.2 0.25 0.5 2 4; days 0.2 0.5 1 1.5 2 3",
        """weight; weight; hive|beehive|feed hopper|pellet bin|salt bin|skip|grain bin|laundry cart|hay rack|silo
            ; weighs|is at|weighs|reads; gains/gaining|puts/putting on|takes/taking on|gets/getting heavier by
            |goes/going up by; loses/losing|gets/getting lighter by|goes/going down by|drops/dropping by; gain|loss""",
        """m poids; poids; f ruche|f trémie|m bac à sel|f benne|m silo|m bac à granulés|m râtelier|m chariot de linge
            |f mangeoire; pèse|est à|pèse; gagne|prend|s'alourdit de|prend
            ; perd|s'allège de|perd|baisse de; gain|perte""",
    ),
    _scene(
        "hPa", 975, 1040, "h 0.5 1 2 3; days 2 3 4 5",
        f"""pressure; pressure; barometer|ship's barometer|air pressure|station barometer|altimeter setting; is at|reads
            |shows|stands at; {RISE}; {FALL}; rise|fall""",
        f"""f pression; pression; m baromètre|m baromètre de bord|f pression atmosphérique|m baromètre de la station
            ; est à|affiche|indique; {MONTE}; {BAISSE}|chute de; hausse|baisse""",
    ),
    _scene(
        "bar", 1, 12, "min 0.1 0.2 0.5; h 0.1 0.2 0.5; days 0.1 0.2",
        f"""pressure; pressure; tyre|heating circuit|air receiver|gas cylinder|sprinkler main|expansion vessel|autoclave
            |compressed air tank|boiler|keg; is at|reads|stands at; {RISE}|builds/building up by; {FALL}|leaks/leaking
            ; rise|loss""",
        f"""f pression; pression; m pneu|m circuit de chauffage|f cuve d'air comprimé|f bouteille de gaz|m fût
            |m vase d'expansion|m réseau d'incendie|m autoclave|f chaudière; est à|affiche|est à; {MONTE}; {BAISSE}
            |chute de
            ; hausse|perte""",
    ),
    _scene(
        "Pa", 40, 400, "days 2 4 5 8 10; h 1 2 5",
        f"""pressure; dp; filter|air filter|duct|bag filter|clean room|fume hood|ventilation shaft; is at|reads|shows
            ; {RISE}|builds/building up by; {FALL}; rise|fall""",
        f"""f pression; dp; m filtre|m filtre à air|f gaine|m filtre à manches|f salle blanche|f hotte|m conduit; est à
            |affiche; {MONTE}; {BAISSE}; hausse|baisse""",
    ),
    _scene(
        "%", 15, 95, "h 1 2 3 0.5 4; days 1 2 3 5; min 0.5 1",
        f"""humidity; humidity; drying room|greenhouse|hay bale|cellar|wood stack|museum store|bathroom|soil
            |mushroom room|showcase; is at|reads|is at; {RISE}|takes/taking up|gets/getting damper by
            ; {FALL}|dries/drying by|dries/drying out by; rise|drying""",
        f"""f humidité; humidite; m séchoir|f serre|f botte de foin|f cave|m tas de bois|f réserve du musée
            |f salle de bains
            |f terre|f champignonnière|f vitrine; est à|est à|affiche; {MONTE}|s'humidifie de; {BAISSE}|sèche de
            ; hausse|séchage""",
    ),
    _scene(
        "ppm", 450, 1900, "min 5 10 15 20 25; h 50 100 150 40 60",
        f"""CO2 level; co2; classroom|meeting room|gym|office|lecture hall|cowshed|waiting room|canteen; is at|reads
            |shows; {RISE}; {FALL}|clears/clearing by; rise|fall""",
        f"""m taux de CO2; co2; f salle de classe|f salle de réunion|m gymnase|m bureau|m amphithéâtre|f étable
            |f salle d'attente|f cantine; est à|affiche|est à; {MONTE}; {BAISSE}; hausse|baisse""",
    ),
    _scene(
        "cm", 6, 160, "h 0.5 1 2; days 2 3 4 5 6",
        """thickness; thickness; snow cover|ice on the pond|ice block|skating rink|snow on the roof|snow|ice|snow pile
            ; is at|measures; grows/growing by|thickens/thickening by|gains/gaining|puts/putting on; melts/melting by
            |thins/thinning by|shrinks/shrinking by|loses/losing|melts/melting by; growth|melt""",
        """f épaisseur; epaisseur; m manteau neigeux|f glace de l'étang|f patinoire|f plaque de glace|f neige du toit
            |f neige|f glace|f congère; est à|mesure|fait; s'épaissit de|gagne|prend|s'épaissit de; fond de|perd
            |s'amincit de|fond de; croissance|fonte""",
    ),
    _scene(
        "cm", 5, 120, "days 0.5 1 1.5 2 3 4",
        """height; height; tomato plant|bean|hop shoot|sunflower|lawn|bamboo|vine shoot|pea plant|maize; is at|measures
            ; grows/growing by|shoots/shooting up by|gains/gaining|grows/growing by|puts/putting on; ; growth|""",
        """f hauteur; hauteur; m plant de tomate|m haricot|m tournesol|f pelouse|m bambou|m houblon|f pousse de vigne
            |m maïs; mesure|fait|est à; pousse de|grandit de|gagne|prend; ; croissance|""",
    ),
    _scene(
        "m", 20, 900, "min 5 10 15 20 25 30 12; h 50 80 100 120",
        f"""altitude; altitude; drone|weather balloon|balloon|glider|cable car|crane hook|airship; is at|flies at|is at
            ; {RISE}; descends/descending by|loses/losing|drops/dropping by|sinks/sinking by|comes/coming down by
            ; climb|descent""",
        f"""f altitude; altitude; m drone|m ballon-sonde|m ballon|m planeur|f nacelle|m dirigeable|m parapente; est à
            |vole à
            |est à; monte de|gagne|s'élève de|prend; descend de|perd|chute de; montée|descente""",
    ),
]  # fmt: skip
SLUGS = {"°C": "c", "%": "pct", "L": "l", "m": "m"}
EVERY = {"min": [5, 10, 10, 15, 20, 30], "h": [2, 3, 4, 6], "days": [2, 3, 5, 7]}


@dataclasses.dataclass
class Moving:
    """A thing that moves: its reading now (in units of 10^-decimals), its change in an interval of `every` units
    of time, how many intervals (or which part of one, a `Fraction`) it goes on, and which way."""

    scene: Scene
    thing: Noun
    base: str
    decimals: int
    now: int
    rate: int
    every: int
    count: int
    direction: int

    @property
    def moved(self):
        return int(self.rate * self.count)

    @property
    def then(self):
        return self.now + self.direction * self.moved

    @property
    def time(self):
        return self.every * self.count

    def aligned(self, first, second):
        """Two readings as their shortest common decimals have them."""
        return arithmetic.aligned(
            *arithmetic.trimmed(first, self.decimals), *arithmetic.trimmed(second, self.decimals)
        )


# What is not counted: no `milk 3`, no `la neige B`.
MASS = set(
    """wort mash soup milk tea asphalt soil snow ice lawn bamboo maize moût maische soupe lait tisane bitume terre neige
    glace pelouse bambou houblon maïs""".split()
)


def _thing(rng, language, scene):
    """One of the scene's things, sometimes one of several: `kiln 2`, `la cuve 4`."""
    thing = rng.choice(scene.things[language])
    short = len(thing.text.split()) <= (1 if language == "en" else 2)
    if rng.random() < 0.25 and short and thing.text not in MASS:
        number = rng.choice([str(rng.randint(1, 12)), str(rng.randint(1, 12)), rng.choice("ABCD")])
        gender = "" if language == "en" else thing.gender
        return Noun(f"{thing.text} {number}", language, gender)
    return thing


def _drawn(rng, language, apart=0.2, bases=("min", "h", "days")):
    """Something that moves, readings such as it can have. `apart`: how often the rate is over several units."""
    while True:
        scene = rng.choice(SCENES)
        known = [base for base in scene.rates if base in bases]
        if not known:
            continue
        base = rng.choice(known)
        rate, decimals = rng.choice(scene.rates[base])
        every, count = 1, rng.randint(2, min(_longest(base), rng.choice([5, 12, 60])))
        if rng.random() < apart:
            every = rng.choice(EVERY[base])
            count = rng.randint(2, {"min": 12, "h": 6, "days": 4}[base])
        direction = rng.choice([-1, 1]) if scene.verbs[language][1] else 1
        scale = 10**decimals
        now = rng.randint(scene.low, scene.high) * scale
        if scene.high - scene.low < 15 and decimals == 1:
            now = rng.randint(scene.low * scale, scene.high * scale)
        elif scene.high > 300 and rng.random() < 0.6:
            now = now // (10 * scale) * 10 * scale
        moving = Moving(scene, _thing(rng, language, scene), base, decimals, now, rate, every, count, direction)
        if scene.low * scale <= moving.then <= scene.high * scale and moving.then and now:
            return moving


def _drawn_part(rng, language, bases=("min", "h")):
    """Something that moves for a time that is told in another unit than its rate: it, what is said of the time, its
    steps into the rate's unit, and it there as (value, decimals)."""
    while True:
        moving = _drawn(rng, language, 0, bases)
        spoken, lines, factor = _other_time(rng, moving.base)
        count = Fraction(factor[0], 10 ** factor[1])
        moving = dataclasses.replace(
            moving, now=moving.now * 100, rate=moving.rate * 100, decimals=moving.decimals + 2, count=count
        )
        low, high = moving.scene.low * 10**moving.decimals, moving.scene.high * 10**moving.decimals
        shown = arithmetic.trimmed(moving.moved, moving.decimals)[1]
        if shown <= (1 if high - low > 50 * 10**moving.decimals else 2) and low <= moving.then <= high and moving.then:
            return moving, spoken, lines, factor


def _pace(rng, language, moving, separator, signed=False):
    """`0.5 °C per minute`, `12 L every 10 minutes`."""
    unit = moving.scene.unit
    if moving.every == 1:
        said = _rate_said(rng, language, moving.rate, moving.decimals, unit, moving.base, separator)
    else:
        number = telemetry.written(text(*arithmetic.trimmed(moving.rate, moving.decimals)), separator)
        span = {
            "en": {"min": ["minutes", "min"], "h": ["hours", "h"], "days": ["days"]},
            "fr": {"min": ["minutes", "min"], "h": ["heures", "h"], "days": ["jours"]},
        }[language][moving.base]
        feminine = language == "fr" and moving.base != "days"
        every = "every" if language == "en" else "toutes les" if feminine else "tous les"
        said = f"{number} {unit} {rng.choice(['in' if language == 'en' else 'en', every, every, every])} "
        said += f"{moving.every} {rng.choice(span)}"
    return ("-" if moving.direction < 0 else "+") * signed + said


def _slots(rng, language, moving, separator):
    """What a situation says about it."""
    scene = moving.scene
    return {
        "thing": moving.thing,
        "noun": scene.noun[language],
        "has": rng.choice(scene.has[language]).strip(),
        "now": _reading(moving, moving.now, separator),
        "verb": rng.choice(scene.verbs[language][moving.direction < 0]),
        "rate": _pace(rng, language, moving, separator),
    }


def _reading(moving, value, separator):
    """A reading with its unit, as prose has it."""
    return telemetry.written(text(*arithmetic.trimmed(value, moving.decimals)), separator) + f" {moving.scene.unit}"


def _key(text_):
    """A name as programs write it: `weir_3`."""
    return re.sub(r"\W+", "_", text_.lower()).strip("_")


def _rows(rng, language, moving, separator, limit=None):
    """What a program tells of it: (label, value with its unit, key, number), the limit last if there is one."""
    scene, per = moving.scene, PER[language][moving.base]
    slug = SLUGS.get(scene.unit, scene.unit.lower())
    joint = "per" if language == "en" else "par"
    key, rate = scene.key[language], moving.direction * moving.rate

    def bare(value):
        return text(*arithmetic.trimmed(value, moving.decimals))

    rows = [(key, _reading(moving, moving.now, separator), f"{key}_{slug}", bare(moving.now))]
    names = ["slope", "change", "rate", "trend"] if language == "en" else ["pente", "variation", "evolution"]
    slope = rng.choice(names)
    signed = rng.random() < 0.5 or limit is not None
    said = _pace(rng, language, moving, separator, signed)
    label = slope if signed else scene.labels[language][moving.direction < 0].strip()
    rows.append((label, said, f"{slope}_{slug}_{joint}_{_key(per)}", bare(rate)))
    if limit is not None:
        alarm = rng.choice(["alarm", "limit", "threshold"] if language == "en" else ["alarme", "limite", "seuil"])
        rows.append((alarm, _reading(moving, limit, separator), f"{alarm}_{slug}", bare(limit)))
    return rows


def _programmed(rng, language, moving, separator, limit=None):
    """The situation as a program or a note tells it: JSON, lines, pairs or a list, the thing's name first."""
    rows = _rows(rng, language, moving, separator, limit)
    colon, name = telling.COLON[language], moving.thing.text
    ways = ["list", "list", "lines"] + (["json", "json", "pairs"] if moving.every == 1 else [])
    layout = rng.choice(ways)
    if layout in ("json", "pairs"):
        head = rng.choice(["sensor", "device", "id", "name"] if language == "en" else ["capteur", "id", "nom"])
        known = [(head, _key(name))] + [(key, telemetry.Number(number)) for _, _, key, number in rows]
        if layout == "json":
            return telemetry.Told(telemetry.encode(dict(known), rng.random() < 0.5), layout, [], True, "")
        return telemetry.Told(rng.choice([" ", "\n", "; "]).join(f"{k}={v}" for k, v in known), layout, [], True, "")
    name = name[0].upper() + name[1:] if rng.random() < 0.7 else name
    parts = [f"{label}{colon}{said}" for label, said, _, _ in rows]
    stands = separator if any(separator in said for _, said, _, _ in rows) else ""
    if layout == "lines":
        return telemetry.Told("\n".join([name, *parts]), layout, [], True, stands)
    if rng.random() < 0.4:
        # The thing's name is that of its reading: `battery: 82 %, discharge: 3 % per hour`.
        return telemetry.Told(", ".join([f"{name}{colon}{rows[0][1]}", *parts[1:]]), layout, [], False, stands)
    return telemetry.Told(f"{name}{colon}{', '.join(parts)}" + rng.choice(["", "."]), layout, [], False, stands)


def _situated(rng, language, held_out, moving, slots, separator):
    """Where the thing is and how it moves: prose or data, and the wording used if there is one."""
    if rng.random() < 0.25:
        return _programmed(rng, language, moving, separator), ()
    said = WORDING.say(rng, language, "moves_given", held_out, **slots)
    text_ = said.text[0].upper() + said.text[1:]
    return telemetry.Told(text_, "sentence", [], False, ""), (said,)


def _asks(rng, language, held_out, sections, slots):
    """A question of one of the sections; each takes the slots it knows."""
    section = rng.choice(sections)
    return WORDING.say(rng, language, section, held_out, **{s: slots[s] for s in WORDING.slots[section]})


def _thing_later(rng, language, held_out, kind):
    """What a thing reads after a time."""
    separator = telemetry.separator(rng, language)
    if rng.random() < 0.25:
        moving, spoken, lines, factor = _drawn_part(rng, language)
    else:
        moving = _drawn(rng, language)
        spoken, lines, factor = (moving.time, moving.base), [], (moving.count, 0)
    slots = _slots(rng, language, moving, separator)
    slots["time"] = units.said(rng, language, spoken[0], 0, spoken[1], separator, 0.4)
    if moving.every > 1:
        lines = arithmetic.quotient(moving.time, 0, moving.every, 0)[0]
    lines, value, made = _moved(moving, lines, factor)
    told, phrasings = _situated(rng, language, held_out, moving, slots, separator)
    question = _asks(rng, language, held_out, ["later_ask", "later_ask", "after_ask"], slots)
    answer, facts = _later_answer(language, moving, value, made), _later_facts(moving)
    label = ("later +" if moving.direction > 0 else "later -") + (" every" if moving.every > 1 else "")
    return _finish(
        rng, language, held_out, label, question, told, lines, answer, separator, facts, phrasings
    )  # fmt: skip


def _later_answer(language, moving, value, decimals):
    key = moving.scene.key[language]
    return Answer(
        "{value}", {"value": Amount(value, decimals, moving.scene.unit)},
        {"value": ["answer", "value", key] if language == "en" else ["answer", "valeur", key]},
    )  # fmt: skip


def _later_facts(moving):
    return {
        "kind": "after", "now": text(moving.now, moving.decimals), "time": str(moving.time),
        "rate": str(Fraction(moving.rate, 10**moving.decimals * moving.every)), "direction": moving.direction,
    }  # fmt: skip


def _until(moving, style, now):
    """From the time now to the time at which it is read again: the steps to the time between in the rate's unit, it
    as (value, decimals), and that time."""
    minutes = int(moving.time * (60 if moving.base == "h" else 1))
    end = (now + minutes) % arithmetic.DAY
    lines = [*style.fetch(now, end), arithmetic.clock_difference(end, now)[0]]
    if moving.base == "h" and not minutes % 60:
        return lines, (minutes // 60, 0), end
    lines += clock.all_minutes(minutes)
    if moving.base == "min":
        return lines, (minutes, 0), end
    more, factor = _hours_of(minutes)
    return [*lines, *more], factor, end


def _drawn_until(rng, language, style):
    """Something that moves until a time of the clock, not more than twelve hours from now."""
    while True:
        if style.kind != "half" and rng.random() < 0.35:
            moving = _drawn_part(rng, language, ("h",))[0]
        else:
            moving = _drawn(rng, language, 0, ("min", "h"))
        if moving.time * (60 if moving.base == "h" else 1) <= 720:
            return moving


def _given_at(rng, language, held_out, slots):
    """A situation with its time of the clock, as one wording."""
    said = WORDING.say(rng, language, "moves_given_at", held_out, **slots)
    return telemetry.Told(clock.stopped(said.text[0].upper() + said.text[1:]), "sentence", [], False, ""), (said,)


def _thing_later_at(rng, language, held_out, kind):
    """What a thing reads at a later time of the clock."""
    separator, style = telemetry.separator(rng, language), clock.draw_style(rng, language)
    moving, now = _drawn_until(rng, language, style), clock.draw_time(rng)
    lines, factor, end = _until(moving, style, now)
    slots = _slots(rng, language, moving, separator) | {"clock": style.write(now), "by": style.write(end)}
    lines, value, made = _moved(moving, lines, factor)
    told, phrasings = _given_at(rng, language, held_out, slots)
    question = _asks(rng, language, held_out, ["later_at_ask"], slots)
    question = question.within(clock.stopped(question.text))
    return _finish(
        rng, language, held_out, "later at +" if moving.direction > 0 else "later at -", question, told, lines,
        _later_answer(language, moving, value, made), separator, _later_facts(moving), phrasings,
    )  # fmt: skip


def _in_time(rng, language, held_out, kind):
    """Whether a thing reads so much after a time, or by a time of the clock."""
    separator = telemetry.separator(rng, language)
    style, now = clock.draw_style(rng, language), clock.draw_time(rng)
    if kind == "by time":
        moving = _drawn_until(rng, language, style)
        lines, factor, end = _until(moving, style, now)
    elif rng.random() < 0.3:
        moving, spoken, lines, factor = _drawn_part(rng, language)
    else:
        moving = _drawn(rng, language, 0)
        spoken, lines, factor = (moving.time, moving.base), [], (moving.count, 0)
    scale = 10**moving.decimals
    off = rng.choice([1, 1, 2, 3, 5, 10]) * rng.choice([scale // 10 or 1, scale, moving.rate])
    limit = moving.then + off * rng.choice([-1, 1])
    low, high = moving.scene.low * scale, moving.scene.high * scale
    if (limit - moving.now) * moving.direction <= 0 or not low <= limit <= high or not limit:
        return _in_time(rng, language, held_out, kind)
    lines, value, made = _moved(moving, lines, factor)
    relation = ">=" if moving.direction > 0 else "<="
    check, holds = arithmetic.comparison(value, made, relation, *arithmetic.trimmed(limit, moving.decimals))
    slots = _slots(rng, language, moving, separator) | {"limit": _reading(moving, limit, separator)}
    if kind == "by time":
        slots |= {"clock": style.write(now), "by": style.write(end)}
        told, phrasings = _given_at(rng, language, held_out, slots)
    else:
        slots["time"] = units.said(rng, language, spoken[0], 0, spoken[1], separator, 0.4)
        told, phrasings = _situated(rng, language, held_out, moving, slots, separator)
    question = _asks(rng, language, held_out, ["by_time_ask" if kind == "by time" else "in_time_ask"], slots)
    question = question.within(clock.stopped(question.text))
    names = {"en": ["in_time", "reached", "ok", "answer"], "fr": ["a_temps", "atteint", "ok", "answer"]}[language]
    answer = Answer(f"{words.YES_NO[language][0 if holds else 1]}.", {"truth": holds}, {"truth": names})
    facts = _later_facts(moving) | {"kind": "in time", "limit": text(limit, moving.decimals)}
    side = "+" if moving.direction > 0 else "-"
    label = f"reach {'at ' if kind == 'by time' else ''}{side}"
    return _finish(
        rng, language, held_out, label, question, told, [*lines, check], answer, separator, facts, phrasings
    )  # fmt: skip


def _moved(moving, lines, factor):
    """The change over all intervals, whose number is (value, decimals), then the reading after it: lines, value and
    its decimals."""
    more, moved, decimals = arithmetic.times(*arithmetic.trimmed(moving.rate, moving.decimals), *factor)
    a, b, d = arithmetic.aligned(*arithmetic.trimmed(moving.now, moving.decimals), moved, decimals)
    line, value = arithmetic.total(a, b, d) if moving.direction > 0 else arithmetic.difference(a, b, d)
    return arithmetic.finish([*lines, *more, line], value, d)


def _way(moving):
    """The way to the limit, then by the rate: the lines."""
    high, low = (moving.then, moving.now) if moving.direction > 0 else (moving.now, moving.then)
    a, b, d = moving.aligned(high, low)
    line, left = arithmetic.difference(a, b, d)
    more, _, _, _ = arithmetic.quotient(
        *arithmetic.trimmed(left, d), *arithmetic.trimmed(moving.rate, moving.decimals)
    )
    lines = [line, *more]
    if moving.every > 1:
        lines += arithmetic.times(moving.count, 0, moving.every, 0)[0]
    return lines


TIMES = {
    "en": {"min": ["minutes", "min", "answer"], "h": ["hours", "h", "answer"], "days": ["days", "answer"]},
    "fr": {"min": ["minutes", "min", "answer"], "h": ["heures", "h", "answer"], "days": ["jours", "answer"]},
}


def _wait(rng, language, base):
    """The unit of the wait as a question names it, a noun."""
    return units.noun(rng, language, base, 0.3)


def _time_answer(rng, language, time, base, question, named):
    """The answer that is a number of minutes, hours or days."""
    keys = {"value": TIMES[language][base]}
    if "unit" in question.slots:
        return Answer("{value}", {"value": Amount(time, 0, str(named))}, keys)
    plain = units.spell(rng, language, base, 1)
    return Answer("{value} {unit}", {"value": Amount(time, 0), "unit": plain}, keys)


def _way_facts(moving, kind):
    return {
        "kind": kind, "now": text(moving.now, moving.decimals), "limit": text(moving.then, moving.decimals),
        "rate": str(Fraction(moving.rate, 10**moving.decimals * moving.every)), "places": 2,
    }  # fmt: skip


def _thing_when(rng, language, held_out, kind):
    """How long until a thing reads so much, or at what time it does."""
    separator = telemetry.separator(rng, language)
    at = kind == "thing at"
    moving = _drawn(rng, language, 0.3 if at else 0.25, ("min", "h") if at else ("min", "h", "days"))
    time, asked, other = moving.time, moving.base, []
    if not at and rng.random() < 0.2:
        moving, (time, asked), _, factor = _drawn_part(rng, language)
        factors = {("min", "h"): 60, ("h", "min"): 60, ("h", "days"): 24}
        turned = arithmetic.times if asked == "min" else arithmetic.quotient
        other = turned(*factor, factors[moving.base, asked], 0)[0]
    slots = _slots(rng, language, moving, separator)
    slots["limit"] = _reading(moving, moving.then, separator)
    slots["unit"] = named = _wait(rng, language, asked)
    lines, every = [*_way(moving), *other], " every" if moving.every > 1 else ""
    if at:
        return _thing_at(rng, language, held_out, moving, slots, separator, lines, f"when at{every}")
    told, phrasings = _situated(rng, language, held_out, moving, slots, separator)
    question = _asks(rng, language, held_out, ["reach_it_ask", "reach_it_ask", "reach_ask"], slots)
    while other and "unit" not in question.slots:
        question = _asks(rng, language, held_out, ["reach_it_ask", "reach_it_ask", "reach_ask"], slots)
    answer = _time_answer(rng, language, time, asked, question, named)
    facts = _way_facts(moving, "when") | {"scale": str(Fraction(time) / moving.time)}
    return _finish(
        rng, language, held_out, f"when{every}", question, told, lines, answer, separator, facts, phrasings
    )  # fmt: skip


def _thing_at(rng, language, held_out, moving, slots, separator, lines, label):
    """At what time a thing reads so much; in JSON sometimes how long that takes as well."""
    style, start = clock.draw_style(rng, language), clock.draw_time(rng)
    slots["clock"] = style.write(start)
    minutes = moving.time * (60 if moving.base == "h" else 1)
    lines = [*lines]
    if moving.base == "min" and minutes > 59:
        lines.append(arithmetic.hours_and_minutes(minutes)[0])
    line, end = arithmetic.clock_addition(start, minutes)
    lines += [*style.fetch(start), line, *style.back(end)]
    if rng.random() < 0.5:
        told, phrasings = _situated(rng, language, held_out, moving, slots, separator)
        now = WORDING.say(rng, language, "now_is", held_out, clock=slots["clock"])
        glue = "\n" if told.block else " "
        parts = [now.text, told.text] if rng.random() < 0.5 else [told.text, now.text]
        told, phrasings = dataclasses.replace(told, text=clock.stopped(glue.join(parts))), (*phrasings, now)
    else:
        told, phrasings = _given_at(rng, language, held_out, slots)
    question = _asks(rng, language, held_out, ["reach_it_at_ask", "reach_it_at_ask", "reach_at_ask"], slots)
    facts = _way_facts(moving, "at") | {"clock": start, "minutes": 60 if moving.base == "h" else 1, "style": style}
    answer = style.time(end)
    if rng.random() < 0.15:
        unit = {"min": "min", "h": "h"}[moving.base]
        names = {"en": {"min": "minutes", "h": "hours"}, "fr": {"min": "minutes", "h": "heures"}}[language][moving.base]
        wait = {
            "en": [names, f"{names}_left", f"remaining_{names}", f"in_{names}", f"wait_{unit}", f"{names}_to_go"],
            "fr": [names, f"{names}_restantes", f"dans_{names}", f"attente_{unit}", f"delai_{unit}", f"duree_{unit}"],
        }[language]
        at = {
            "en": ["time", "at", "clock", "at_time", "reached_at", "clock_time"],
            "fr": ["heure", "a", "heure_atteinte", "horloge", "a_quelle_heure", "hh_mm"],
        }[language]
        if names == "heures":
            at = [key for key in at if key != "heure"] + ["horaire"]
        answer = Answer(
            "{time}", {"time": arithmetic.clock(end), "wait": Amount(moving.time, 0, unit)},
            {"time": at, "wait": wait}, several=True,
        )  # fmt: skip
        facts["kind"], label = "wait + at", label.replace("when at", "when + at")
    return _finish(
        rng, language, held_out, label, question, told, lines, answer, separator, facts, phrasings
    )  # fmt: skip


def _alarm(rng, language, held_out, kind):
    """How long until an alarm limit that stands in the data."""
    separator = telemetry.separator(rng, language)
    moving = _drawn(rng, language, 0.08)
    told = _programmed(rng, language, moving, separator, moving.then)
    named = _wait(rng, language, moving.base)
    slots = {"thing": moving.thing, "noun": moving.scene.noun[language], "unit": named}
    question = WORDING.say(rng, language, "alarm_ask", held_out, **slots)
    label = "when every" if moving.every > 1 else "when"
    answer = _time_answer(rng, language, moving.time, moving.base, question, named)
    return _finish(
        rng, language, held_out, label, question, told, _way(moving), answer, separator, _way_facts(moving, "when"),
    )  # fmt: skip


# Timed readings of a thing ------------------------------------------------------------


def _moments(rng, language, moving):
    """When the two readings were taken: what the prompt writes, and the steps that lead to the time between."""
    names = words.DAYS[language]
    if moving.base == "days":
        if rng.random() < 0.5 and moving.time < 7:
            first = rng.randrange(7)
            days = [names[(first + i) % 7] for i in range(moving.time + 1)]
            return [days[0], days[-1]], [days[0], *(f"{i} {day}" for i, day in enumerate(days[1:], 1))]
        first = rng.randint(2, 14)
        last = first + moving.time
        month = rng.choice(
            "March April May June October".split() if language == "en" else "mars avril mai juin octobre".split()
        )
        form = rng.choice(["{} " + month, ("day {}" if language == "en" else "jour {}")])
        return [form.format(first), form.format(last)], [arithmetic.subtraction(last, first, 0)[0]]
    style = clock.draw_style(rng, language)
    minutes = int(moving.time * (60 if moving.base == "h" else 1))
    low, high = (0, arithmetic.DAY - 1 - minutes) if rng.random() < 0.85 else (0, arithmetic.DAY - 1)
    start = clock.draw_time(rng, low, high)
    if rng.random() < 0.5:
        start = start // 60 * 60
    end = (start + minutes) % arithmetic.DAY
    return [style.write(start), style.write(end)], [
        *style.fetch(start, end), arithmetic.clock_difference(end, start)[0]
    ]  # fmt: skip


def _logged(rng, language, thing, noun, unit, moments, values, separator):
    """Timed readings of a thing as people and loggers write them."""
    numbers = [telemetry.written(value, separator) for value in values]
    united = [f"{number} {unit}" for number in numbers]
    stands = separator if any(separator in number for number in numbers) else ""
    colon = telling.COLON[language]
    name = thing.text[0].upper() + thing.text[1:]
    layout = rng.choice(["lines", "lines", "lines", "sentence", "sentence", "at", "at", "table", "json", "said"])
    if layout == "lines":
        glue, bullet = rng.choice([colon, colon, " ", " -> ", " = ", "\t", " - "]), rng.choice(["", "", "- "])
        rows = [f"{bullet}{moment}{glue}{full}" for moment, full in zip(moments, united)]
        glue = rng.choice(["\n", "\n", "\n", " / "]) if not bullet else "\n"
        head = rng.choice(["", f"{name}{colon}".rstrip() + "\n", f"{name}, {noun}{colon}".rstrip() + "\n"])
        return telemetry.Told(head + glue.join(rows), layout, [], True, stands)
    if layout == "table":
        bar = rng.choice([" | ", ";", "\t", " ; "])
        column = rng.choice(["time", "when", "at"] if language == "en" else ["heure", "quand", "moment"])
        full = rng.random() < 0.5
        rows = [[column, str(noun) if full else f"{noun} ({unit})"]]
        rows += map(list, zip(moments, united if full else numbers))
        head = rng.choice(["", f"{name}{colon}".rstrip() + "\n"])
        return telemetry.Told(head + "\n".join(map(bar.join, rows)), layout, [], True, stands)
    if layout == "json":
        style = rng.random()
        points = [telemetry.Number(value) for value in values]
        if style < 0.5:
            time, value = rng.choice([("t", "v"), ("time", "value"), ("at", _key(str(noun)))])
            data = [{time: moment, value: point} for moment, point in zip(moments, points)]
        else:
            data = dict(zip(moments, points))
        if rng.random() < 0.6:
            data = {
                rng.choice(["sensor", "device"] if language == "en" else ["capteur", "id"]): _key(thing.text),
                rng.choice(["unit"] if language == "en" else ["unite", "unit"]): unit,
                rng.choice(["log", "data"] if language == "en" else ["mesures", "releves"]): data,
            }
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.5), layout, [], True, ".")
    at = {"en": " at ", "fr": " à "}[language]
    clocked = moments[0][0].isdigit() and not re.search(r" \w{3,}", moments[0])
    if not clocked:
        at = " " if language == "en" or not moments[0][0].isdigit() else " le "
        if language == "en":
            at = " on "
        if re.match(r"day|jour", moments[0]):
            at = ", "
    parts = [f"{full}{at}{moment}" for moment, full in zip(moments, united)]
    comma = "; " if stands == "," or at == ", " else ", "
    if layout == "at":
        return telemetry.Told(f"{name}{colon}{comma.join(parts)}.", "sentence", [], False, stands)
    if layout == "said" and len(moments) == 2 and at != ", ":
        verb = {
            "en": ["was at {}, and is now at {}", "went from {} to {}", "read {} and later {}", "was at {}, then {}"],
            "fr": ["était à {}, et est maintenant à {}", "est passé<e> de {} à {}", "affichait {} puis {}"],
        }[language]
        said = rng.choice(verb).replace("<e>", thing.e).format(*parts)
        text_ = f"{thing.the} {said}."
        return telemetry.Told(text_[0].upper() + text_[1:], "sentence", [], False, stands)
    glue = rng.choice([" ", " ", " = ", " -> "])
    rows = comma.join(f"{moment}{glue}{full}" for moment, full in zip(moments, united))
    return telemetry.Told(f"{name}{colon}{rows}" + rng.choice([".", ""]), "sentence", [], False, stands)


def _drawn_span(rng, language):
    """Something whose rate is by the hour and that is read twice, some minutes apart that are no whole hours."""
    while True:
        moving = _drawn(rng, language, 0, ("h",))
        minutes = rng.choice([10, 12, 15, 15, 20, 30, 30, 30, 40, 45, 90, 90, 150])
        change = Fraction(moving.rate * minutes, 60 * 10**moving.decimals)
        if change * 100 % 1 or (change * 10 % 1 and moving.scene.high - moving.scene.low > 50):
            continue
        moving = dataclasses.replace(
            moving, now=moving.now * 100, rate=moving.rate * 100, decimals=moving.decimals + 2,
            count=Fraction(minutes, 60),
        )  # fmt: skip
        scale = 10**moving.decimals
        if moving.scene.low * scale <= moving.then <= moving.scene.high * scale and moving.then:
            return moving


def _timed(rng, language, held_out, kind):
    """Two readings of a thing with their times: the change in a minute, an hour or a day, and (`both`) the reading
    some time later as well."""
    separator = telemetry.separator(rng, language)
    part = kind == "timed" and rng.random() < 0.35
    moving = _drawn_span(rng, language) if part else _drawn(rng, language, 0)
    scene, base, unit = moving.scene, moving.base, moving.scene.unit
    noun = scene.noun[language]
    moments, lines = _moments(rng, language, moving)
    values = [text(*arithmetic.trimmed(value, moving.decimals)) for value in (moving.now, moving.then)]
    told = _logged(rng, language, moving.thing, noun, unit, moments, values, separator)
    named, per = _rate_unit(rng, language, unit, base)
    slots = {"thing": moving.thing, "noun": noun, "per": per, "unit": named}
    section = rng.choice(["timed_ask", "timed_ask", "rate_ask", "rise_ask" if moving.direction > 0 else "fall_ask"])
    turned = section == "fall_ask" and kind == "timed"
    a, b, d = moving.aligned(moving.then, moving.now)
    line, difference = arithmetic.change(*((b, a) if turned else (a, b)), d)
    scaled, lines = arithmetic.trimmed(difference, d), [*lines, line]
    if part:
        lines = [*lines[:-1], *clock.all_minutes(int(moving.time * 60)), line]
        more, *scaled = arithmetic.times(*scaled, 60, 0)
        lines += more
    more, value, made, _ = arithmetic.quotient(*scaled, int(moving.time * (60 if part else 1)), 0)
    lines += more
    facts = {
        "kind": "rate", "before": text(moving.now, moving.decimals), "after": text(moving.then, moving.decimals),
        "time": str(moving.time), "scale": 1, "places": 2, "turned": turned,
    }  # fmt: skip
    if part and sum(map(len, lines)) > 160:
        return _timed(rng, language, held_out, kind)
    if kind == "both":
        return _both(rng, language, held_out, moving, slots, told, lines, (value, made), separator, facts)
    slots["unit"] = unit if section == "timed_ask" else named
    question = WORDING.say(rng, language, section, held_out, **{s: slots[s] for s in WORDING.slots[section]})
    while FEMININE.search(question.text):
        question = WORDING.say(rng, language, section, held_out, **{s: slots[s] for s in WORDING.slots[section]})
    spelled = named if section == "rate_ask" and "unit" in question.slots else unit
    keys = {"en": ["rate", "answer", "value"], "fr": ["vitesse", "answer", "valeur"]}
    answer = Answer("{value}", {"value": Amount(value, made, spelled)}, {"value": keys[language]})
    return _finish(
        rng, language, held_out, "rate fall" if turned else "rate", question, told, lines, answer, separator, facts
    )  # fmt: skip


def _both(rng, language, held_out, moving, slots, told, lines, rate, separator, facts):
    """The rate, and the reading after more time at that rate."""
    scale = 10**moving.decimals
    size = abs(_slope(facts)) * scale
    reach = [
        n for n in range(1, _longest(moving.base) + 1)
        if moving.scene.low * scale <= moving.then + moving.direction * size * n <= moving.scene.high * scale
    ]  # fmt: skip
    if not reach:
        return _timed(rng, language, held_out, "both")
    later = rng.choice(reach)
    more, moved, decimals = arithmetic.times(abs(rate[0]), rate[1], later, 0)
    a, b, d = arithmetic.aligned(*arithmetic.trimmed(moving.then, moving.decimals), moved, decimals)
    line, value = arithmetic.total(a, b, d) if moving.direction > 0 else arithmetic.difference(a, b, d)
    lines, value, made = arithmetic.finish([*lines, *more, line], value, d)
    unit, base = moving.scene.unit, moving.base
    short = {"min": "min", "h": "h", "days": "d" if language == "en" else "j"}[base]
    slots = slots | {"time": units.said(rng, language, later, 0, base, separator, 0.4)}
    task = rng.random() < 0.35
    question = _asks(rng, language, held_out, ["both_task" if task else "both_ask"], slots)
    per = {"en": {"min": "minute", "h": "hour", "days": "day"}, "fr": {"min": "minute", "h": "heure", "days": "jour"}}
    per = per[language][base]
    if language == "en":
        rates = [f"per_{per}", f"change_per_{per}", f"rate_per_{per}", f"delta_per_{per}"]
        rates.append(f"{moving.scene.key['en']}_per_{per}")
        thens = [f"in_{later}{short}", f"after_{later}{short}", f"value_in_{later}{short}", f"plus_{later}{short}",
                 f"forecast_{later}{short}", f"value_after_{later}_{per}{'s' * (later > 1)}"]
        rates += [] if task else ["rate", "slope", "change_rate"]
        thens += [] if task else ["later", "forecast", "value_later", "then", "expected"]
    else:
        rates = [f"par_{per}", f"variation_par_{per}", f"vitesse_par_{per}", f"evolution_par_{per}", f"pente_par_{per}"]
        thens = [f"dans_{later}{short}", f"apres_{later}{short}", f"valeur_dans_{later}{short}",
                 f"prevision_{later}{short}", f"plus_{later}{short}", f"dans_{later}_{per}{'s' * (later > 1)}"]
        rates += [] if task else ["vitesse", "pente", "variation"]
        thens += [] if task else ["prevision", "valeur_prevue", "ensuite", "plus_tard", "attendu"]
    fields = {"rate": Amount(*rate, unit), "later": Amount(value, made, unit)}
    answer = Answer("{rate}", fields, {"rate": rates, "later": thens}, several=True)
    facts = facts | {"kind": "both", "later": later}
    return _finish(rng, language, held_out, "rate + later", question, told, lines, answer, separator, facts)


def _slope(facts):
    """The exact change in one unit of time."""
    return (Fraction(facts["after"]) - Fraction(facts["before"])) / Fraction(facts["time"])


def _peak(rng, language, held_out, kind):
    """At what time the highest or the lowest of a thing's readings was taken; in JSON sometimes the reading too."""
    separator = telemetry.separator(rng, language)
    scene = rng.choice(SCENES)
    thing, style = _thing(rng, language, scene), clock.draw_style(rng, language)
    decimals = rng.choice([0, 0, 1]) if scene.high < 150 else 0
    count = rng.randint(3, 4 if style.kind == "half" else 6)
    step = rng.choice([5, 10, 15, 30, 60, 60, 120])
    scale, spread = 10**decimals, rng.choice([6, 12, 30, 60])
    centre = rng.randint(scene.low, scene.high) * scale
    near = (centre + rng.randint(-spread, spread) for _ in range(count))
    values = [min(scene.high * scale, max(scene.low * scale, value)) for value in near]
    high = rng.random() < 0.55
    found = max(values) if high else min(values)
    if values.count(found) > 1 or min(values) < 0 <= max(values):
        return _peak(rng, language, held_out, kind)
    values, decimals = _shortest(values, decimals)
    start = clock.draw_time(rng, 0, arithmetic.DAY - 1 - step * count) // 5 * 5
    if step >= 60 and rng.random() < 0.7:
        start = start // 60 * 60
    times = [start + i * step for i in range(count)]
    fetched = [arithmetic.half_day(t) if style.kind == "half" else arithmetic.clock(t) for t in times]
    lines, place = arithmetic.best(values, decimals, ">" if high else "<", fetched)
    told = _logged(
        rng, language, thing, scene.noun[language], scene.unit, [style.write(t) for t in times],
        [text(*arithmetic.trimmed(value, decimals)) for value in values], separator,
    )  # fmt: skip
    section = "peak_high" if high else "peak_low"
    question = WORDING.say(rng, language, section, held_out, thing=thing, noun=scene.noun[language])
    label, at = ("max when" if high else "min when"), times[place]
    facts = {"kind": "peak", "values": values, "decimals": decimals, "times": times, "high": high, "style": style}
    answer = style.time(at)
    end = [f"{arithmetic.half_day(at)}={arithmetic.clock(at)}" if style.kind == "half" else f"={arithmetic.clock(at)}"]
    if rng.random() < 0.35:
        side, peak = ("max", "peak") if high else ("min", "low")
        if language == "en":
            most = [side, f"{side}_value", f"{side}_reading", "highest" if high else "lowest", f"{peak}_value"]
            when = ["time", f"time_of_{side}", f"{side}_at", f"{side}_time", "at", "when"]
        else:
            most = [side, f"valeur_{side}", f"mesure_{side}", f"{side}imum", "plus_haut" if high else "plus_bas"]
            when = ["heure", f"heure_{side}", f"heure_du_{side}", f"{side}_a", "quand", "moment"]
        value, made = arithmetic.trimmed(values[place], decimals)
        answer = Answer(
            "{time}", {"value": Amount(value, made, scene.unit), "time": arithmetic.clock(at)},
            {"value": most, "time": when}, several=True,
        )  # fmt: skip
        end, label = [f"={text(value, made)}", *end], ("max + when" if high else "min + when")
        facts["kind"] = "peak + value"
    return _finish(
        rng, language, held_out, label, question, told, [*lines, *end], answer, separator, facts
    )  # fmt: skip


# Several things, and series ------------------------------------------------------------


def _told_pairs(rng, language, readings, after, separator):
    """What several things read before and after: lines, a table, JSON or a sentence."""
    unit, colon = readings.unit, telling.COLON[language]
    numbers = [
        [text(*arithmetic.trimmed(value, readings.decimals)) for value in pair] for pair in zip(readings.values, after)
    ]
    said = [[telemetry.written(number, separator) for number in pair] for pair in numbers]
    stands = separator if any(separator in number for pair in said for number in pair) else ""
    times = [arithmetic.clock(minutes) for minutes in sorted(rng.sample(range(300, 1380, 15), 2))]
    heads = {
        "en": [["before", "after"], ["start", "end"], ["yesterday", "today"], ["first", "last"], times, times],
        "fr": [["avant", "apres"], ["debut", "fin"], ["hier", "aujourd'hui"], ["ancien", "nouveau"], times, times],
    }
    head, layout = rng.choice(heads[language]), rng.choice(["lines", "lines", "table", "table", "json", "sentence"])
    if layout == "json":
        if rng.random() < 0.5:
            data = {name: [telemetry.Number(n) for n in pair] for name, pair in zip(readings.names, numbers)}
        else:
            data = {
                name: dict(zip(head, map(telemetry.Number, pair))) for name, pair in zip(readings.names, numbers)
            }
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.5), layout, [], True, ".")
    if layout == "table":
        bar, first = rng.choice([" | ", ";", "\t"]), {"en": ["name", "sensor"], "fr": ["nom", "capteur"]}[language]
        rows = [[rng.choice(first), *head], *([name, *pair] for name, pair in zip(readings.names, said))]
        return telemetry.Told("\n".join(map(bar.join, rows)), layout, [], True, stands)
    if layout == "lines":
        arrow, bullet = rng.choice([" -> ", " → ", " / ", ", "]), rng.choice(["", "", "- "])
        if arrow == ", " and stands == ",":
            arrow = " ; "
        shown = f" {unit}" if rng.random() < 0.6 else ""
        rows = [f"{bullet}{name}{colon}{arrow.join(pair)}{shown}" for name, pair in zip(readings.names, said)]
        top = f"{head[0]} / {head[1]}\n" if arrow == " / " else ""
        return telemetry.Told(top + "\n".join(rows), layout, [], True, stands)
    form = {
        "en": ["{} from {} to {} {}", "{} went from {} to {} {}", "{}: {} then {} {}", "{} {} to {} {}"],
        "fr": ["{} de {} à {} {}", "{} : passage de {} à {} {}", "{} : {} puis {} {}", "{} {} à {} {}"],
    }[language]
    form = rng.choice(form)
    rows = [form.format(name, *pair, unit) for name, pair in zip(readings.names, said)]
    comma = "; " if stands == "," else rng.choice([", ", "; "])
    return telemetry.Told(comma.join(rows) + ".", layout, [], False, stands)


def _most(rng, language, held_out, kind):
    """Which of several things has risen, or fallen, most between two readings."""
    separator, up = telemetry.separator(rng, language), rng.random() < 0.65
    count = rng.choice([2, 3, 3, 3, 4])
    readings = telemetry.draw(rng, language, count, held_out, negative=False)
    if count > 3 and max(readings.values) > 999:
        return _most(rng, language, held_out, kind)
    low, high = (round(end * 10**readings.decimals) for end in (readings.quantity.low, readings.quantity.high))
    reach = max(4, (high - low) // rng.choice([3, 6, 12]))
    changes = [rng.randint(1, reach) * (-1 if count < 4 and rng.random() < 0.1 else 1) for _ in range(count)]
    after = [value + (change if up else -change) for value, change in zip(readings.values, changes)]
    if min(after) < 1 or changes.count(max(changes)) > 1 or max(changes) < 0:
        return _most(rng, language, held_out, kind)
    shown, decimals = _shortest([*readings.values, *after], readings.decimals)
    names, values, after = [str(name) for name in readings.names], shown[:count], shown[count:]
    readings = dataclasses.replace(readings, decimals=decimals, names=names, values=values)
    told = _told_pairs(rng, language, readings, after, separator)
    lines, found = [], []
    for name, before, then in zip(readings.names, readings.values, after):
        line, difference = arithmetic.change(*((then, before) if up else (before, then)), decimals)
        lines.append(f"{name} {line}")
        found.append(difference)
    compared, place = arithmetic.best(found, decimals)
    name = readings.names[place]
    question = WORDING.say(
        rng, language, "most_up" if up else "most_down", held_out, noun=readings.quantity.noun[language]
    )
    facts = {"kind": kind, "names": readings.names, "before": readings.values, "after": after, "up": up}
    answer = Answer("{name}", {"name": name}, capital=False)
    return _finish(
        rng, language, held_out, "most up" if up else "most down", question, told, [*lines, *compared, f"={name}"],
        answer, separator, facts,
    )  # fmt: skip


def _first(rng, language, held_out, kind):
    """When a thing's timed readings first passed a limit."""
    separator, scene = telemetry.separator(rng, language), rng.choice(SCENES)
    style, up = clock.draw_style(rng, language), rng.random() < 0.65
    thing, decimals = _thing(rng, language, scene), rng.choice([0, 0, 1]) if scene.high < 150 else 0
    scale, count = 10**decimals, rng.randint(3, 4 if style.kind == "half" else 6)
    step = rng.choice([5, 10, 15, 30, 60, 60, 120])
    reach = max(2, (scene.high - scene.low) * scale // rng.choice([8, 16]))
    values = [rng.randint(scene.low, scene.high) * scale]
    while len(values) < count:
        values.append(values[-1] + rng.randint(-reach // 4, reach) * (1 if up else -1))
    place = rng.randrange(1, count)
    earlier = max(values[:place]) if up else min(values[:place])
    room = abs(values[place] - earlier)
    passed = values[place] > earlier if up else values[place] < earlier
    if min(values) < scene.low * scale or max(values) > scene.high * scale or not passed or room < 2:
        return _first(rng, language, held_out, kind)
    limit = earlier + rng.randint(1, room - 1) * (1 if up else -1)
    if up and room > 20 and limit // 10 * 10 > earlier:
        limit = limit // 10 * 10
    start = clock.draw_time(rng, 0, arithmetic.DAY - 1 - step * count) // 5 * 5
    times = [start + i * step for i in range(count)]
    told = _logged(
        rng, language, thing, scene.noun[language], scene.unit, [style.write(t) for t in times],
        [text(*arithmetic.trimmed(value, decimals)) for value in values], separator,
    )  # fmt: skip
    relation, bound = ">" if up else "<", arithmetic.trimmed(limit, decimals)
    lines = []
    for time, value in zip(times[: place + 1], values):
        shown = arithmetic.half_day(time) if style.kind == "half" else arithmetic.clock(time)
        lines.append(f"{shown} {arithmetic.comparison(*arithmetic.trimmed(value, decimals), relation, *bound)[0]}")
    at = times[place]
    lines.append(*(style.fetch(at) or [f"={arithmetic.clock(at)}"]))
    said = f"{telemetry.written(text(*bound), separator)} {scene.unit}"
    slots = {"thing": thing, "noun": scene.noun[language], "limit": said}
    question = WORDING.say(rng, language, "first_above" if up else "first_below", held_out, **slots)
    facts = {"kind": kind, "values": values, "times": times, "limit": limit, "up": up, "style": style}
    return _finish(
        rng, language, held_out, f"first {relation}", question, told, lines, style.time(at), separator, facts
    )  # fmt: skip


def _jump(rng, language, held_out, kind):
    """How large the largest step between two readings of a series is, up or down."""
    separator, quantity = telemetry.separator(rng, language), _quantity(rng)
    decimals = rng.choice(quantity.decimals)
    low, high = round(quantity.low * 10**decimals), round(quantity.high * 10**decimals)
    reach = max(4, (high - low) // rng.choice([4, 8, 16]))
    count, side = rng.choice([3, 4, 4]), rng.choice([1, 1, -1])
    values = [rng.randint(max(1, low), max(high, 2))]
    while len(values) < count:
        values.append(values[-1] + rng.randint(1, reach) * side * (-1 if rng.random() < 0.2 else 1))
    if min(values) < 1 or not _plausible(quantity, decimals, *values):
        return _jump(rng, language, held_out, kind)
    values, decimals = _shortest(values, decimals)
    readings = telemetry.Readings(quantity, language, decimals, [], values)
    told = _told_series(rng, readings, separator)
    lines, sizes = [], []
    for before, value in zip(values, values[1:]):
        line, difference = arithmetic.change(value, before, decimals)
        lines.append(line)
        sizes.append(abs(difference))
    compared, place = arithmetic.best(sizes, decimals)
    lines, value, made = arithmetic.finish([*lines, *compared], sizes[place], decimals)
    question = WORDING.say(rng, language, "jump", held_out, noun=quantity.noun[language])
    answer = Answer("{value}", {"value": Amount(value, made, quantity.unit)})
    facts = {"kind": kind, "values": values, "decimals": decimals}
    return _finish(rng, language, held_out, "jump", question, told, lines, answer, separator, facts)


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
    if kind.startswith("peak"):
        ranked = sorted(zip(f["values"], f["times"]), reverse=f["high"])
        moment = clock.written_time(problem, clock.moment_of(ranked[0][1]), f["style"])
        return (Fraction(ranked[0][0], 10 ** f["decimals"]), moment) if kind == "peak + value" else moment
    if kind == "both":
        rate = _slope(f)
        return rate, Fraction(f["after"]) + rate * f["later"]
    if kind == "rate":
        exact = (Fraction(f["after"]) - Fraction(f["before"])) / Fraction(f["time"]) * f["scale"]
        return _round(-exact if f["turned"] else exact, f["places"])
    if kind == "most":
        moved = [(b - a) * (1 if f["up"] else -1) for a, b in zip(f["before"], f["after"])]
        return sorted(zip(moved, f["names"]), key=lambda entry: entry[0])[-1][1]
    if kind == "first":
        beyond = [t for t, v in sorted(zip(f["times"], f["values"])) if (v > f["limit"] if f["up"] else v < f["limit"])]
        return clock.written_time(problem, clock.moment_of(beyond[0]), f["style"])
    if kind == "jump":
        return Fraction(sorted(abs(b - a) for a, b in zip(f["values"], f["values"][1:]))[-1], 10 ** f["decimals"])
    if kind == "in time":
        needed = (Fraction(f["limit"]) - Fraction(f["now"])) * f["direction"]
        return needed <= Fraction(f["rate"]) * Fraction(f["time"])
    if kind == "after":
        return Fraction(f["now"]) + f["direction"] * Fraction(f["rate"]) * Fraction(f["time"])
    exact = abs(Fraction(f["limit"]) - Fraction(f["now"])) / Fraction(f["rate"])
    if kind in ("at", "wait + at"):
        minutes = (f["clock"] + int(exact * f.get("minutes", 1))) % (24 * 60)
        if "style" not in f:
            return f"{minutes // 60:02d}:{minutes % 60:02d}"
        moment = clock.written_time(problem, clock.moment_of(minutes), f["style"])
        return (moment, exact) if kind == "wait + at" else moment
    return _round(exact * Fraction(f.get("scale", 1)), f["places"])


def _round(exact, places):
    """Half away from zero."""
    scale = 10**places
    size = int(abs(exact) * scale + Fraction(1, 2))
    return Fraction(size if exact >= 0 else -size, scale)
