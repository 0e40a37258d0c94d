"""Conversion of units both ways: temperature, volume, energy, power, speed, pressure, time, flow,
powers of ten of what else sensors measure, hours, minutes and seconds, signals and raw values, things that a total
needs, and readings in different units compared or added up."""

import dataclasses
import datetime
import math
from fractions import Fraction

import arithmetic
import naming
import rounding
import telemetry
import telling
import units
import wording
import words
from assemble import Amount, Answer, build, unit_stated

WEIGHT = 8
FAMILY = "convert"
GIVEN = {"value": str, "to": words.Noun}
THEMES = ("temperature", "volume", "energy", "power", "speed", "pressure", "time", "flow")
WORDING = wording.load(
    FAMILY,
    {
        "convert": GIVEN | {"number": str, "unit": str},
        "count": GIVEN,
        **{theme: GIVEN for theme in THEMES},
        "pick": {"place": words.Noun, "noun": words.Noun, "to": words.Noun},
        "mixed": {"value": str},
        "mixed_seconds": {"value": str},
        "joined": GIVEN,
        "factor": {"n": str, "each": str, "unit": str, "things": words.Noun},
        "factor_back": {"total": str, "each": str, "things": words.Noun},
        "wanted": {"to": words.Noun},
        "wanted_key": {"key": str, "to": words.Noun},
        "split": {},
        "split_seconds": {},
        "all_in": {"noun": words.Noun, "to": words.Noun},
        "factor_up": {"total": str, "each": str, "things": words.Noun},
        "mixed_hms": {"value": str},
        "known": {"one": str, "makes": str},
        "signal": dict.fromkeys(("value", "a", "b", "low", "high"), str),
        "raw": dict.fromkeys(("value", "factor", "offset"), str),
        "raw_ask": {},
        "unlike": {"side": str},
        "total_in": {"to": words.Noun},
    },
)
KEYS = {"en": ["answer", "value", "result", "converted"], "fr": ["answer", "valeur", "resultat"]}


@dataclasses.dataclass(frozen=True)
class Pair:
    """A conversion: how it is done (`x` or `/`, the number and its decimals) and usual values."""

    source: str
    target: str
    how: tuple
    low: float
    high: float
    decimals: tuple
    weight: int
    theme: str = ""

    @property
    def task(self):
        """What the first line of a thought calls it: `C>F`."""
        return f"{self.source}>{self.target}".replace("°", "").replace("³", "3")


PAIRS = [
    Pair("°C", "°F", ("F",), -20, 60, (0, 0, 1), 16, "temperature"),
    Pair("°F", "°C", ("C",), -4, 150, (0, 0, 1), 16, "temperature"),
    Pair("L", "m³", ("/", 1000, 0), 20, 9900, (0,), 9, "volume"),
    Pair("m³", "L", ("x", 1000, 0), 0.1, 40, (0, 1, 1, 2), 9, "volume"),
    Pair("Wh", "kWh", ("/", 1000, 0), 40, 9900, (0,), 9, "energy"),
    Pair("kWh", "Wh", ("x", 1000, 0), 0.1, 60, (0, 1, 1, 2), 9, "energy"),
    Pair("W", "kW", ("/", 1000, 0), 40, 9900, (0,), 8, "power"),
    Pair("kW", "W", ("x", 1000, 0), 0.1, 40, (0, 1, 1, 2), 8, "power"),
    Pair("km/h", "m/s", ("/", 36, 1), 3, 150, (0, 0, 1), 11, "speed"),
    Pair("m/s", "km/h", ("x", 36, 1), 1, 40, (0, 0, 1), 10, "speed"),
    Pair("bar", "kPa", ("x", 100, 0), 0.2, 16, (0, 1, 1, 2), 9, "pressure"),
    Pair("kPa", "bar", ("/", 100, 0), 15, 1600, (0,), 9, "pressure"),
    Pair("mbar", "bar", ("/", 1000, 0), 50, 4000, (0,), 3, "pressure"),
    Pair("bar", "mbar", ("x", 1000, 0), 0.1, 6, (0, 1, 2), 3, "pressure"),
    Pair("hPa", "kPa", ("/", 10, 0), 900, 1100, (0,), 2, "pressure"),
    Pair("kPa", "Pa", ("x", 1000, 0), 0.2, 200, (0, 1), 2, "pressure"),
    Pair("Pa", "kPa", ("/", 1000, 0), 100, 9900, (0,), 2, "pressure"),
    Pair("min", "h", ("/", 60, 0), 6, 600, (0,), 10, "time"),
    Pair("h", "min", ("x", 60, 0), 0.25, 24, (0, 1, 2), 10, "time"),
    Pair("min", "s", ("x", 60, 0), 0.5, 60, (0, 0, 1), 6, "time"),
    Pair("s", "min", ("/", 60, 0), 12, 900, (0,), 6, "time"),
    Pair("h", "days", ("/", 24, 0), 6, 480, (0,), 5, "time"),
    Pair("days", "h", ("x", 24, 0), 0.5, 30, (0, 0, 1), 5, "time"),
    Pair("weeks", "days", ("x", 7, 0), 2, 30, (0,), 2, "time"),
    Pair("h", "s", ("x", 3600, 0), 1, 12, (0, 1), 2, "time"),
    Pair("L/min", "L/h", ("x", 60, 0), 0.5, 60, (0, 0, 1), 4, "flow"),
    Pair("L/h", "L/min", ("/", 60, 0), 12, 3000, (0,), 4, "flow"),
    Pair("m³/h", "L/h", ("x", 1000, 0), 0.1, 20, (0, 1), 2, "flow"),
    Pair("L/s", "L/min", ("x", 60, 0), 0.1, 20, (0, 1), 2, "flow"),
    Pair("MWh", "kWh", ("x", 1000, 0), 0.2, 30, (0, 1, 2), 2, "energy"),
    Pair("kWh", "MWh", ("/", 1000, 0), 100, 9900, (0,), 2, "energy"),
    Pair("mA", "A", ("/", 1000, 0), 20, 6000, (0,), 3),
    Pair("A", "mA", ("x", 1000, 0), 0.1, 16, (1, 2), 3),
    Pair("mAh", "Ah", ("/", 1000, 0), 200, 9900, (0,), 2),
    Pair("Ah", "mAh", ("x", 1000, 0), 0.5, 40, (0, 1), 2),
    Pair("mV", "V", ("/", 1000, 0), 50, 9900, (0,), 2),
    Pair("V", "mV", ("x", 1000, 0), 0.2, 24, (1, 2), 2),
    Pair("g", "kg", ("/", 1000, 0), 50, 9900, (0,), 3),
    Pair("kg", "g", ("x", 1000, 0), 0.1, 40, (0, 1, 2), 3),
    Pair("kg", "t", ("/", 1000, 0), 100, 9900, (0,), 1),
    Pair("mL", "L", ("/", 1000, 0), 50, 9900, (0,), 3, "volume"),
    Pair("L", "mL", ("x", 1000, 0), 0.1, 20, (1, 2), 3, "volume"),
    Pair("cm", "m", ("/", 100, 0), 5, 900, (0,), 3),
    Pair("m", "cm", ("x", 100, 0), 0.1, 12, (1, 2), 3),
    Pair("mm", "cm", ("/", 10, 0), 5, 900, (0,), 2),
    Pair("km", "m", ("x", 1000, 0), 0.1, 40, (0, 1), 1),
    Pair("hL", "L", ("x", 100, 0), 0.5, 90, (0, 1, 1), 3, "volume"),
    Pair("L", "hL", ("/", 100, 0), 20, 9900, (0,), 3, "volume"),
    Pair("ha", "m²", ("x", 10000, 0), 0.1, 40, (0, 1, 2), 3),
    Pair("m²", "ha", ("/", 10000, 0), 500, 90000, (0,), 3),
    Pair("MJ", "kWh", ("/", 36, 1), 5, 900, (0, 0, 1), 3, "energy"),
    Pair("kWh", "MJ", ("x", 36, 1), 0.5, 200, (0, 0, 1), 3, "energy"),
    Pair("kn", "km/h", ("x", 1852, 3), 2, 60, (0,), 2, "speed"),
    Pair("in", "cm", ("x", 254, 2), 2, 90, (0,), 2),
    Pair("t", "kg", ("x", 1000, 0), 0.2, 40, (1, 1, 2), 2),
]
# Units of which the question tells what one makes, for it is rounded.
TOLD_PAIRS = [
    Pair("mph", "km/h", ("x", 1609, 3), 5, 120, (0,), 4, "speed"),
    Pair("mph", "km/h", ("x", 161, 2), 5, 120, (0,), 2, "speed"),
    Pair("psi", "kPa", ("x", 6895, 3), 10, 120, (0,), 3, "pressure"),
    Pair("psi", "kPa", ("x", 69, 1), 10, 120, (0,), 3, "pressure"),
    Pair("lb", "kg", ("x", 454, 3), 2, 200, (0,), 2),
    Pair("gal", "L", ("x", 3785, 3), 2, 90, (0,), 2, "volume"),
    Pair("ft", "m", ("x", 305, 3), 3, 90, (0,), 2),
]
# What a unit is in SI units, for the verification.
SCALES = {
    "L": "1", "mL": "0.001", "m³": "1000", "Wh": "1", "kWh": "1000", "MWh": "1000000", "W": "1",
    "kW": "1000", "km/h": "1000/3600", "m/s": "1", "bar": "100000", "mbar": "100", "hPa": "100",
    "kPa": "1000", "Pa": "1", "s": "1", "min": "60", "h": "3600", "days": "86400",
    "weeks": "604800", "L/min": "1/60", "L/h": "1/3600", "L/s": "1", "m³/h": "1000/3600",
    "mA": "0.001", "A": "1", "mAh": "0.001", "Ah": "1", "mV": "0.001", "V": "1", "g": "0.001",
    "hL": "100", "ha": "10000", "m²": "1", "MJ": "2500/9", "kn": "1852/3600", "in": "0.0254",
    "kg": "1", "t": "1000", "mm": "0.001", "cm": "0.01", "m": "1", "km": "1000",
}  # fmt: skip
# Quantities that stand in telemetry with a unit one may want converted.
CONVERTIBLE = {pair.source for pair in PAIRS if pair.weight > 2}


def _fraction(scale):
    over, _, under = scale.partition("/")
    return Fraction(over) / Fraction(under or 1)


def make(rng, language, held_out):
    kinds = [_plain, _pick, _mixed, _joined, _factor, _message, _split, _all]
    kinds += [_told_rate, _hms, _signal, _raw, _unlike, _total]
    kind = rng.choices(kinds, [90, 18, 6, 8, 12, 14, 8, 9, 5, 5, 7, 7, 9, 7])[0]
    return kind(rng, language, held_out)


def draw(rng, pair):
    """A value, its decimals, and whether the conversion comes out in at most two decimals."""
    decimals = rng.choice(pair.decimals)
    scale = 10**decimals
    low, high = max(1, round(pair.low * scale)), round(pair.high * scale)
    if pair.low < 0:
        low = round(pair.low * scale)
    value = rng.randint(low, high)
    exact = rng.random() < 0.6
    if exact and pair.how == ("C",):
        celsius = rng.randint(-20, 60) * 2 + (rng.random() < 0.2)
        return arithmetic.trimmed(320 + celsius * 9, 1)
    if exact and pair.how[0] == "/" and pair.how[1] in (36, 60, 24):
        step = {36: 18, 60: 3, 24: 6}[pair.how[1]]
        value = rng.randint(1, max(1, int(pair.high) * (10 if pair.how[1] == 36 else 1) // step))
        return arithmetic.trimmed(value * step, 1 if pair.how[1] == 36 else 0)
    if pair.how[0] == "/" and value > 300 and rng.random() < 0.6:
        value = round(value, -2) if rng.random() < 0.5 else round(value, -1)
    return (value, 0) if not decimals else arithmetic.trimmed(value, decimals)


def think(pair, value, decimals, places):
    """The steps, the result and its decimals."""
    if pair.how == ("F",):
        lines, nine, d = arithmetic.times(value, decimals, 9, 0)
        more, fifth, d, _ = arithmetic.quotient(nine, d, 5, 0)
        a, b, d = arithmetic.aligned(fifth, d, 32, 0)
        line, result = arithmetic.total(a, b, d)
        lines = [*lines, *more, line]
        if d > places:
            line, result = arithmetic.rounded(result, d, places)
            lines, d = [*lines, line], places
        return arithmetic.finish(lines, result, d)
    if pair.how == ("C",):
        a, b, d = arithmetic.aligned(value, decimals, 32, 0)
        line, less = arithmetic.change(a, b, d)
        lines, five, d = arithmetic.times(less, d, 5, 0)
        more, result, d, _ = arithmetic.quotient(five, d, 9, 0, places)
        return [line, *lines, *more], result, d
    sign, factor, factor_decimals = pair.how
    if sign == "/" and factor in (1000, 100, 10):
        line, result, d = arithmetic.shifted(value, decimals, 1 - len(str(factor)))
        lines = [line]
    elif sign == "/":
        lines, result, d, _ = arithmetic.quotient(value, decimals, factor, factor_decimals, places)
    else:
        lines, result, d = arithmetic.times(value, decimals, factor, factor_decimals)
    if d > places:
        line, result = arithmetic.rounded(result, d, places)
        return arithmetic.finish([*lines, line], result, places)
    return lines, result, d


def _places(rng, pair, value, decimals):
    """How many decimals the answer has, and whether the question says so. Divisions that do not
    come out mostly say it; without a word it is two, or all there are for a power of ten."""
    free = 2 if pair.how[0] == "C" or pair.how[1:2] in ((36,), (60,), (24,)) else 9
    exact = Fraction(value, 10**decimals)
    if pair.how == ("C",):
        exact = (exact - 32) * 5 / 9
    elif pair.how == ("F",):
        exact = exact * 9 / 5 + 32
    else:
        factor = Fraction(pair.how[1], 10 ** pair.how[2])
        exact = exact / factor if pair.how[0] == "/" else exact * factor
    if exact * 100 % 1 == 0:
        if exact * 10 % 1 and rng.random() < 0.15:
            return 1, True
        return (0, True) if exact % 1 and rng.random() < 0.12 else (free, False)
    if free == 9:
        return (2, True) if abs(exact) > 1 and rng.random() < 0.3 else (free, False)
    if rng.random() < 0.2 or abs(exact) < 1:
        return 2, False
    return rng.choice([0, 1, 1, 1, 2]), True


def spelled_target(rng, language, pair):
    """The wanted unit as the question spells it; a symbol takes no article and is not elided."""
    spelled = units.spell(rng, language, pair.target, 0.4)
    symbol = len(spelled) < 5 and spelled not in ("amps", "bars") or "/" in spelled
    symbol = symbol and spelled != "jours"
    return words.Noun(spelled, language, "" if symbol else "m", True)


def _finish(rng, language, held_out, question, lines, pair, to, shown, told, separator, facts, phrasings=()):
    value, decimals, places, said = shown
    if said:
        request = rounding.ask(rng, language, held_out, places)
        question, phrasings = rounding.then(question, request), (*phrasings, request)
    steps, result, made = think(pair, value, decimals, places)
    answer = Answer("{value}", {"value": Amount(result, made, str(to))}, {"value": KEYS[language]})
    kind = pair.task
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [kind, *lines, *steps],
        answer,
        told,
        separator,
        exact=True,
        facts=facts
        | {
            "value": arithmetic.text(value, decimals),
            "from": pair.source,
            "to": pair.target,
            "places": places,
        },
        phrasings=phrasings,
    )


def _task(rng, language):
    """What is converted: the pair of units, the prompt's separator, the value and its decimals, the places asked for
    and how that is said, and how the unit of the answer is spelled."""
    pair = rng.choices(PAIRS, [pair.weight for pair in PAIRS])[0]
    separator = telemetry.separator(rng, language)
    value, decimals = draw(rng, pair)
    places, said = _places(rng, pair, value, decimals)
    return pair, separator, value, decimals, places, said, spelled_target(rng, language, pair)


def _plain(rng, language, held_out):
    pair, separator, value, decimals, places, said, to = _task(rng, language)
    slots = {
        "value": units.said(rng, language, value, decimals, pair.source, separator, 0.5),
        "to": to,
    }
    theme = pair.theme if pair.theme and rng.random() < 0.5 else "convert"
    if theme == "convert" and pair.theme != "temperature" and rng.random() < 0.3:
        theme = "count"
    if theme == "convert":
        number = telemetry.written(arithmetic.text(value, decimals), separator)
        slots |= {"number": number, "unit": units.spell(rng, language, pair.source, 1)}
    question = WORDING.say(rng, language, theme, held_out, **slots)
    return _finish(
        rng,
        language,
        held_out,
        question,
        [],
        pair,
        to,
        (value, decimals, places, said),
        None,
        separator,
        {},
    )


def _tell(rng, readings, separator, distract):
    """Readings as telemetry, their unit told in any case: before them, `Logged by the PLC, in W:`, where
    they show none. A temperature needs none."""
    told = telemetry.tell(rng, readings, separator, distract=distract)
    if not unit_stated(told.text, readings.unit) and readings.unit != "°C":
        head = telling.head(rng, readings.language, readings.noun) if rng.random() < 0.7 else str(readings.noun)
        in_ = "in" if readings.language == "en" else "en"
        said = f"({readings.unit})" if rng.random() < 0.3 else f"{in_} {readings.unit}"
        glue = ", " if said[0] != "(" and rng.random() < 0.4 else " "
        colon = telling.COLON[readings.language].rstrip() + ("\n" if told.block else " ")
        told.text = wording.capital(f"{head}{glue}{said}{colon}{told.text}")
    return told


def _pick(rng, language, held_out):
    """One of several readings is converted."""
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(
        rng, language, rng.randint(2, 5), held_out, among=lambda q: q.unit in CONVERTIBLE
    )
    chosen = rng.randrange(len(readings.values))
    pair = rng.choice([pair for pair in PAIRS if pair.source == readings.unit and pair.weight > 2])
    value, decimals = readings.values[chosen], readings.decimals
    places, said = _places(rng, pair, value, decimals)
    to = spelled_target(rng, language, pair)
    question = WORDING.say(
        rng, language, "pick", held_out, place=readings.names[chosen], noun=readings.noun, to=to
    )
    told = _tell(rng, readings, separator, rng.random() < 0.2)
    lines = [f"{told.names[chosen]} {arithmetic.text(value, decimals)}"]
    return _finish(
        rng,
        language,
        held_out,
        question,
        lines,
        pair,
        to,
        (value, decimals, places, said),
        told,
        separator,
        {},
    )


def _mixed(rng, language, held_out):
    """Minutes as hours and minutes, seconds as minutes and seconds."""
    seconds = rng.random() < 0.35
    value = rng.randint(61, 900 if rng.random() < 0.7 else 1500)
    unit = "s" if seconds else "min"
    said = units.said(rng, language, value, 0, unit, ".", 0.4)
    section = "mixed_seconds" if seconds else "mixed"
    question = WORDING.say(rng, language, section, held_out, value=said)
    line, (whole, rest) = arithmetic.hours_and_minutes(value)
    text = f"{whole} min {rest} s" if seconds else f"{whole} h {rest} min"
    answer = Answer("{duration}", {"duration": text})
    kind = "s>min:s" if seconds else "min>h:min"
    facts = {"mixed": value, "seconds": seconds}
    return build(rng, FAMILY, language, held_out, question, [kind, line], answer, facts=facts)


def _joined(rng, language, held_out):
    """Hours and minutes as minutes, or as hours with decimals; minutes or hours, minutes and seconds as seconds."""
    if rng.random() < 0.4:
        return _joined_seconds(rng, language, held_out)
    decimal = rng.random() < 0.4
    hours = rng.randint(1, 12)
    minutes = rng.choice([3, 6, 9, 12, 15, 18, 24, 30, 36, 42, 45, 48, 54])
    minutes = minutes if decimal else rng.randint(1, 59)
    shapes = ["{h} h {m} min", "{h} h {m} min", "{h}:{m:02d} h", "{h}h{m:02d}"]
    if language == "en":
        shapes += ["{h} hours and {m} minutes", "{h} hours {m} minutes"] if hours > 1 else []
    else:
        shapes += ["{h} heures et {m} minutes", "{h} heures {m} minutes"] if hours > 1 else []
    said = rng.choice(shapes).format(h=hours, m=minutes)
    if decimal:
        lines, part, made, _ = arithmetic.quotient(minutes, 0, 60, 0)
        a, b, made = arithmetic.aligned(hours, 0, part, made)
        line, value = arithmetic.addition(a, b, made)
        lines = ["h:min>h", *lines, line]
    else:
        lines, part, _ = arithmetic.times(hours, 0, 60, 0)
        line, value = arithmetic.addition(part, minutes, 0)
        lines, made = ["h:min>min", *lines, line], 0
    target = "h" if decimal else "min"
    facts = {"joined": (hours, minutes, 0), "per": 3600 if decimal else 60}
    return _join(rng, language, held_out, said, target, lines, value, made, facts)


def _joined_seconds(rng, language, held_out):
    """Minutes and seconds, maybe with hours, as seconds."""
    hours = rng.choice([0, 0, 1, 2, 3, rng.randint(1, 9)])
    minutes, seconds = rng.randint(1, 59), rng.randint(1, 59)
    lines, whole = [], minutes
    if hours:
        lines, part, _ = arithmetic.times(hours, 0, 60, 0)
        line, whole = arithmetic.addition(part, minutes, 0)
        lines.append(line)
    more, part, _ = arithmetic.times(whole, 0, 60, 0)
    line, value = arithmetic.addition(part, seconds, 0)
    kind = "h:min:s>s" if hours else "min:s>s"
    facts = {"joined": (hours, minutes, seconds), "per": 1}
    said = _hms_said(rng, language, hours, minutes, seconds)
    return _join(rng, language, held_out, said, "s", [kind, *lines, *more, line], value, 0, facts)


def _hms_said(rng, language, hours, minutes, seconds):
    """Hours (or none), minutes and seconds as people write them; a clock only with hours."""
    words_ = ["heure", "minute", "seconde"] if language == "fr" else ["hour", "minute", "second"]
    parts = [(n, word) for n, word in zip((hours, minutes, seconds), words_) if n]
    shape = rng.choice(["short", "short", "tight", "long", "clock" if hours else "short"])
    if shape == "clock":
        return f"{hours}:{minutes:02d}:{seconds:02d}"
    if shape == "long":
        return telemetry.joined([f"{n} {word}{'s' * (n > 1)}" for n, word in parts], language)
    symbols = {"heure": "h", "hour": "h", "minute": "min", "seconde": "s", "second": "s"}
    space = " " if shape == "short" else ""
    return " ".join(f"{n}{space}{symbols[word]}" for n, word in parts)


def _join(rng, language, held_out, said, target, lines, value, made, facts):
    """The problem of a duration that is said in several units and wanted in one."""
    to = words.Noun(units.word(target, language), language, "m", True)
    question = WORDING.say(rng, language, "joined", held_out, value=said, to=to)
    lines, value, made = arithmetic.finish(lines, value, made)
    answer = Answer("{value}", {"value": Amount(value, made, str(to))}, {"value": KEYS[language]})
    separator = telemetry.separator(rng, language)
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, separator=separator, exact=True,
        facts=facts,
    )  # fmt: skip


def _hms(rng, language, held_out):
    """Seconds as hours, minutes and seconds: a text, or numbers under keys of JSON."""
    value = rng.randint(3601, rng.choice([6000, 9000, 20000, 40000]))
    said = units.said(rng, language, value, 0, "s", ".", 0.4)
    question = WORDING.say(rng, language, "mixed_hms", held_out, value=said)
    first, minutes, seconds = arithmetic.whole_division(value, 60)
    second, (hours, minutes) = arithmetic.hours_and_minutes(minutes)
    parts = dict(zip(("h", "min", "s"), (hours, minutes, seconds)))
    facts = {"hms": value}
    if rng.random() < 0.4:
        facts["several"] = True
        fields = {name: Amount(n, 0) for name, n in parts.items()}
        answer = Answer("", fields, {name: SPLIT_KEYS[name][language] for name in parts}, several=True)
    else:
        answer = Answer("{duration}", {"duration": " ".join(f"{n} {name}" for name, n in parts.items())})
    return build(rng, FAMILY, language, held_out, question, ["s>h:min:s", first, second], answer, facts=facts)


# What messages call a value that is known by its unit, and values of other units beside it: (key, unit, low, high).
VALUE_KEYS = {
    "en": "value value value reading val measurement state current_value raw last v present_value".split(),
    "fr": "valeur valeur value mesure val lecture releve etat derniere_valeur v brut".split(),
}
UNIT_KEYS = {"en": ["unit", "unit", "units", "uom", "unit_of_measurement"], "fr": ["unit", "unite", "unité", "uom"]}
FIELD_KEYS = {
    "en": {
        "temperature": "supply_temp outlet boiler_temp oven", "volume": "tank_size content volume capacity",
        "energy": "nameplate stored capacity energy_today usable", "power": "max_power rated_power peak load",
        "speed": "wind_speed top_speed gust", "pressure": "inlet_pressure working_pressure setpoint discharge",
        "time": "runtime cycle_time uptime delay", "flow": "flow nominal_flow max_flow",
        "": "rating limit nominal size",
    },
    "fr": {
        "temperature": "depart temp_depart four sortie", "volume": "contenance volume contenu capacite",
        "energy": "capacite stock energie_jour utile", "power": "puissance_max puissance pointe charge",
        "speed": "vent vitesse_max rafale", "pressure": "pression_entree pression_service consigne refoulement",
        "time": "marche duree_cycle temporisation duree", "flow": "debit debit_nominal debit_max",
        "": "nominal limite calibre taille",
    },
}  # fmt: skip
OTHER_KEYS = {
    "en": "cycles seq rssi battery_pct retries floor slot channel errors uptime_days firmware port age".split(),
    "fr": "cycles seq rssi batterie_pct essais etage voie erreurs jours_marche version port rang".split(),
}
LABEL_KEYS = {"en": ["tag", "device", "entity", "id", "point"], "fr": ["repere", "appareil", "id", "tag", "nom"]}
PLACE_KEYS = {"en": ["location", "area", "room", "site", "where"], "fr": ["lieu", "zone", "local", "site", "endroit"]}
TAGS = "PT TT FT LT PIT XT PI TI".split()
RUN_KEYS = {
    "en": "runtime run_time duration elapsed on_time cycle_time uptime value value".split(),
    "fr": "duree marche temps temps_marche ecoule duree_cycle valeur valeur".split(),
}


def _label(rng, language):
    """What a message says it is from: `PT_204`, `sensor.boiler_runtime`, any name."""
    chance = rng.random()
    if chance < 0.35:
        return f"{rng.choice(TAGS)}{rng.choice('_-')}{rng.randint(1, 420)}"
    if chance < 0.65:
        return f"sensor.{rng.choice(words.PLACES[language]).text.replace(' ', '_')}"
    return str(naming.names(rng, language, 1)[0])


def _told_fields(rng, fields, spaced, separator, root=""):
    """Fields, (key, text, unit or nothing, whether it is a number), as JSON, pairs, lines or under a heading `root`;
    units stand behind their numbers."""
    layout = rng.choice(["json", "json", "pairs", "lines", "yaml" if root else "pairs"])
    point = "." if layout == "json" else separator
    stands = point if any(number and "." in text for _, text, _, number in fields) else ""
    texts = [telemetry.written(text, point) if number else text for _, text, _, number in fields]
    if layout == "json":
        data = {
            key: text if not number else f"{text} {unit}" if unit else telemetry.Number(text)
            for (key, _, unit, number), text in zip(fields, texts)
        }
        data = {root: data} if root and rng.random() < 0.6 else data
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.4), layout, [], True, stands)
    full = [f"{text}{spaced}{unit}" if unit else text for (_, _, unit, _), text in zip(fields, texts)]
    if layout == "pairs":
        full = [f'"{text}"' if " " in text and not number else text for text, (*_, number) in zip(full, fields)]
        between = rng.choice([" ", " ", ", ", "; ", " | "])
        between = "; " if between == ", " and stands == "," else between
        return telemetry.Told(between.join(f"{f[0]}={t}" for f, t in zip(fields, full)), layout, [], False, stands)
    indent, glue = (" ", ": ") if layout == "yaml" else ("", rng.choice([": ", " = ", " : "]))
    lines = [f"{indent}{field[0]}{glue}{text}" for field, text in zip(fields, full)]
    head = [f"{root}:"] if layout == "yaml" else [f"[{root}]"] if root and rng.random() < 0.5 else []
    return telemetry.Told("\n".join(head + lines), layout, [], True, stands)


def _fields(rng, language, key, number, unit, separator, keyed=False):
    """A message about one reading, with other fields around it; the unit has a key of its own or stands behind. Where
    the reading is `keyed`, its name is told in the question and there are more numbers."""
    own = not keyed and rng.random() < 0.75
    fields = [(key, number, "" if own else unit, True)]
    if own:
        fields.insert(rng.choice([0, 1, 1, 1]), (rng.choice(UNIT_KEYS[language]), unit, "", False))
    before = []
    if not keyed or rng.random() < 0.3:
        before.append((rng.choice(LABEL_KEYS[language]), _label(rng, language), "", False))
    if rng.random() < 0.4:
        before.append((rng.choice(PLACE_KEYS[language]), str(rng.choice(words.PLACES[language])), "", False))
    others = rng.sample(OTHER_KEYS[language], rng.choice([1, 1, 2, 3] if keyed else [0, 0, 1, 1, 2]))
    for other in others:
        place = rng.randint(0, len(fields)) if keyed or not own else rng.choice([0, len(fields)])
        fields.insert(place, (other, str(rng.randint(2, 400)), "", True))
    root = str(naming.names(rng, language, 1)[0]).replace(" ", "_") if keyed and rng.random() < 0.6 else ""
    return _told_fields(rng, [*before, *fields], rng.choice([" ", " ", ""]), separator, root)


def _message(rng, language, held_out):
    """The one reading of a message is converted: by its `value` and `unit`, or by its name among other numbers."""
    pair, separator, value, decimals, places, said, to = _task(rng, language)
    number, keyed = arithmetic.text(value, decimals), rng.random() < 0.4
    key = rng.choice(FIELD_KEYS[language][pair.theme].split() if keyed else VALUE_KEYS[language])
    unit = pair.source if pair.source not in ("days", "weeks", "t") else units.spell(rng, language, pair.source)
    told = _fields(rng, language, key, number, unit, separator, keyed)
    if keyed:
        question = WORDING.say(rng, language, "wanted_key", held_out, key=key, to=to)
    else:
        question = WORDING.say(rng, language, "wanted", held_out, to=to)
    shown, lines = (value, decimals, places, said), [f"{key} {number}"]
    return _finish(rng, language, held_out, question, lines, pair, to, shown, told, separator, {})


SPLIT_KEYS = {
    "h": {"en": ["hours", "h", "hrs", "hour", "hh", "full_hours", "H"], "fr": ["heures", "h", "hh", "nb_heures", "H"]},
    "min": {
        "en": ["minutes", "min", "mins", "mm", "mn", "minutes_left", "rest_minutes"],
        "fr": ["minutes", "min", "mn", "mm", "nb_minutes", "reste_minutes"],
    },
    "s": {"en": ["seconds", "s", "sec", "secs", "ss"], "fr": ["secondes", "s", "sec", "ss", "nb_secondes"]},
}  # fmt: skip


def _split(rng, language, held_out):
    """Minutes as hours and minutes, seconds as minutes and seconds: two numbers under keys of JSON, or one text; the
    duration stands in the question or in a message."""
    seconds = rng.random() < 0.3
    value = rng.randint(61, 900 if rng.random() < 0.8 else 1500)
    unit, section = ("s", "mixed_seconds") if seconds else ("min", "mixed")
    told = None
    if rng.random() < 0.35:
        said = units.said(rng, language, value, 0, unit, ".", 0.4)
        question, begin = WORDING.say(rng, language, section, held_out, value=said), []
    else:
        key = rng.choice(RUN_KEYS[language])
        told = _fields(rng, language, key, str(value), unit, ".", rng.random() < 0.2)
        question = WORDING.say(rng, language, "split_seconds" if seconds else "split", held_out)
        begin = [f"{key} {value}"]
    line, (whole, rest) = arithmetic.hours_and_minutes(value)
    names = ("min", "s") if seconds else ("h", "min")
    facts = {"mixed": value, "seconds": seconds}
    if told is None or rng.random() < 0.75:
        facts["several"] = True
        answer = Answer(
            "", {name: Amount(n, 0) for name, n in zip(names, (whole, rest))},
            {name: SPLIT_KEYS[name][language] for name in names}, several=True,
        )  # fmt: skip
    else:
        answer = Answer("{duration}", {"duration": f"{whole} {names[0]} {rest} {names[1]}"})
    kind = "s>min:s" if seconds else "min>h:min"
    return build(rng, FAMILY, language, held_out, question, [kind, *begin, line], answer, told, facts=facts)


def _all(rng, language, held_out):
    """Several readings are converted at once, into JSON under their names."""
    separator = telemetry.separator(rng, language)
    usual = [pair for pair in PAIRS if pair.weight > 2 and pair.how[0] in "x/" and pair.how[1] in (1000, 100, 10)]
    usual += [pair for pair in PAIRS if (pair.source, pair.target) in (("h", "min"), ("min", "s"), ("L/min", "L/h"))]
    sources = {pair.source for pair in usual}
    readings = telemetry.draw(rng, language, rng.choice([2, 2, 3, 3, 4]), held_out, among=lambda q: q.unit in sources)
    pair = rng.choice([pair for pair in usual if pair.source == readings.unit])
    to = spelled_target(rng, language, pair)
    question = WORDING.say(rng, language, "all_in", held_out, noun=readings.noun, to=to)
    told = _tell(rng, readings, separator, rng.random() < 0.15)
    lines, fields = [], {}
    for name, value in zip(told.names, readings.values):
        steps, result, made = think(pair, value, readings.decimals, 9)
        lines += [f"{name} {arithmetic.text(value, readings.decimals)}", *steps]
        fields[name] = Amount(result, made, str(to))
    answer = Answer("", fields, {name: [name] for name in told.names}, several=True)
    facts = {"all": [readings.value(i) for i in range(len(told.names))], "from": pair.source, "to": pair.target}
    return build(
        rng, FAMILY, language, held_out, question, [f"{pair.task} all", *lines], answer, told, separator, exact=True,
        facts=facts,
    )  # fmt: skip


# What is counted, and what one of it may be: (unit, amounts of one, their decimals).
THINGS = {
    "en": words.nouns("en", "pulses|bags|crates|bottles|cans|turns|strokes|pallets|rolls|trays|sacks|loads"),
    "fr": words.nouns(
        "fr",
        "p f impulsions|p m sacs|p f caisses|p f bouteilles|p m bidons|p m tours|p m coups|p f palettes|p m rouleaux"
        "|p m plateaux|p m cartons|p f charges",
    ),
}
WORTH = [("L", (2, 5, 8, 10, 12, 20, 25), 0), ("kg", (2, 5, 6, 15, 25, 40, 50), 0), ("L", (2, 5, 15, 25, 75), 1)]
WORTH += [("Wh", (1, 2, 5, 10), 0), ("m", (2, 5, 6, 12, 50), 0), ("kg", (5, 15, 25), 1), ("mL", (5, 20, 250), 0)]


def _factor(rng, language, held_out):
    """Things that are each worth a told amount: how much they are, or how many make an amount, or are needed for one
    that comes out in no whole number."""
    if rng.random() < 0.4:
        return _needed(rng, language, held_out)
    separator = telemetry.separator(rng, language)
    unit, amounts, decimals = rng.choice(WORTH)
    each, count = rng.choice(amounts), rng.choice([rng.randint(2, 40), rng.randint(10, 400)])
    things = rng.choice(THINGS[language])
    lines, total, made = arithmetic.times(count, 0, each, decimals)
    lines, total, made = arithmetic.finish(lines, total, made)
    slots = {"things": things, "each": units.said(rng, language, each, decimals, unit, separator)}
    back = rng.random() < 0.4
    if back:
        slots["total"] = units.said(rng, language, total, made, unit, separator)
        if decimals or made:
            lines, value, made, _ = arithmetic.quotient(total, made, each, decimals)
        else:
            line, value, _ = arithmetic.whole_division(total, each)
            lines = [line]
        amount, label = Amount(value, made), "factor /"
    else:
        spelled = units.spell(rng, language, unit, 0.5)
        slots |= {"n": str(count), "unit": spelled}
        amount, label = Amount(total, made, spelled), "factor x"
    question = WORDING.say(rng, language, "factor_back" if back else "factor", held_out, **slots)
    facts = {"count": count, "each": arithmetic.text(each, decimals), "back": back}
    return build(
        rng, FAMILY, language, held_out, question, [label, *lines], Answer("{value}", {"value": amount}), None,
        separator, exact=True, facts=facts,
    )  # fmt: skip


# What is put into things: (name, amounts of one thing).
PIECES = {
    "en": [("bottles", (6, 12, 20, 24)), ("eggs", (6, 10, 12, 30)), ("rolls", (8, 15, 24, 30)), ("jars", (6, 12, 15)),
           ("guests", (4, 6, 8, 45)), ("plants", (6, 15, 24, 40)), ("files", (25, 50, 100)), ("samples", (8, 24, 48))],
    "fr": [("bouteilles", (6, 12, 20, 24)), ("œufs", (6, 10, 12, 30)), ("petits pains", (8, 15, 24, 30)),
           ("pots", (6, 12, 15)), ("couverts", (4, 6, 8, 45)), ("plants", (6, 15, 24, 40)), ("dossiers", (25, 50, 100)),
           ("échantillons", (8, 24, 48))],
}  # fmt: skip
HOLDERS = {
    "en": words.nouns("en", "boxes|crates|trays|cases|racks|trips|tables|shelves|batches|rounds|carts|bins"),
    "fr": words.nouns("fr", "p f caisses|p m cartons|p m plateaux|p m bacs|p m voyages|p f tables|p m lots|p f fournées"
                      "|p m chariots|p m rayons|p f tournées|p f boîtes"),
}  # fmt: skip
VESSELS = {
    "en": words.nouns("en", "bags|cans|sacks|barrels|loads|buckets|tanks|bottles|drums|jugs"),
    "fr": words.nouns("fr", "p m sacs|p m bidons|p f bouteilles|p m fûts|p m seaux|p f cuves|p f charges|p m voyages"
                      "|p f citernes|p f bonbonnes"),
}  # fmt: skip


def _needed(rng, language, held_out):
    """How many things are needed for all: rounded up."""
    separator = telemetry.separator(rng, language)
    if rng.random() < 0.5:
        name, amounts = rng.choice(PIECES[language])
        each, things = rng.choice(amounts), rng.choice(HOLDERS[language])
        total = rng.randint(2 * each, 45 * each)
        slots = {"total": f"{total} {name}", "each": rng.choice([f"{each} {name}", str(each)])}
    else:
        unit, amounts, _ = rng.choice([worth for worth in WORTH if worth[2] == 0 and worth[0] in ("L", "kg", "mL")])
        each, things = rng.choice([amount for amount in amounts if amount > 3]), rng.choice(VESSELS[language])
        total = rng.randint(2 * each, 45 * each)
        amounts = {"total": total, "each": each}
        slots = {name: units.said(rng, language, n, 0, unit, separator) for name, n in amounts.items()}
    question = WORDING.say(rng, language, "factor_up", held_out, things=things, **slots)
    line, count, rest = arithmetic.whole_division(total, each)
    lines = ["factor /", line] + ([f"up ={count + 1}"] if rest else [])
    answer = Answer("{value}", {"value": Amount(count + bool(rest), 0)})
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, None, separator, exact=True,
        facts={"needed": (total, each)},
    )  # fmt: skip


def _told_rate(rng, language, held_out):
    """A unit of which the question tells what one of it makes."""
    pair = rng.choices(TOLD_PAIRS, [pair.weight for pair in TOLD_PAIRS])[0]
    separator = telemetry.separator(rng, language)
    value, decimals = draw(rng, pair)
    places, said = _places(rng, pair, value, decimals)
    to = spelled_target(rng, language, pair)
    rate = telemetry.written(arithmetic.text(*pair.how[1:]), separator)
    known = WORDING.say(rng, language, "known", held_out, one=f"1 {pair.source}", makes=f"{rate} {pair.target}")
    shown = units.said(rng, language, value, decimals, pair.source, separator, 0.5)
    if rng.random() < 0.5 and pair.theme:
        question = WORDING.say(rng, language, pair.theme, held_out, value=shown, to=to)
    else:
        question = WORDING.say(rng, language, "count", held_out, value=shown, to=to)
    texts = [known.text, question.text]
    question = question.within(" ".join(texts if rng.random() < 0.5 else texts[::-1]))
    facts = {"rate": arithmetic.text(*pair.how[1:])}
    return _finish(
        rng, language, held_out, question, [], pair, to, (value, decimals, places, said), None, separator, facts,
        (known,),
    )  # fmt: skip


# Signals: unit, least and greatest; and what they stand for: unit, least and greatest.
SIGNALS = [("mA", 4, 20)] * 5 + [("V", 0, 10)] * 3 + [("mA", 0, 20), ("V", 2, 10), ("V", 1, 5), ("V", 0, 5)]
SPANS = [
    ("bar", 0, 10), ("bar", 0, 6), ("bar", 0, 16), ("bar", 0, 25), ("°C", 0, 100), ("°C", 0, 150), ("°C", 0, 200),
    ("°C", -50, 150), ("°C", -20, 80), ("%", 0, 100), ("m³/h", 0, 40), ("m³/h", 0, 80), ("L", 0, 2000), ("L", 0, 5000),
    ("m", 0, 4), ("m", 0, 8), ("kPa", 0, 400), ("Pa", 0, 500), ("L/min", 0, 60), ("L/min", 10, 90), ("kg", 0, 800),
    ("mm", 100, 900), ("cm", 0, 250), ("rpm", 0, 3000), ("kW", 0, 50), ("ppm", 0, 2000), ("ppm", 400, 2000),
]  # fmt: skip


def _signal(rng, language, held_out):
    """What a signal, 4 to 20 mA say, stands for on a linear scale."""
    separator = telemetry.separator(rng, language)
    unit, a, b = rng.choice(SIGNALS)
    measure, low, high = rng.choice(SPANS)
    while True:
        value, decimals = arithmetic.trimmed(rng.randint(10 * a + 1, 10 * b - 1), 1)
        exact = low + (Fraction(value, 10**decimals) - a) * (high - low) / (b - a)
        if exact * 100 % 1 == 0 and exact:
            break
    lines, above, made = ["scale"], value, decimals
    if a:
        x, y, made = arithmetic.aligned(value, decimals, a, 0)
        line, above = arithmetic.subtraction(x, y, made)
        lines.append(line)
    spread, width = high - low, b - a
    if low:
        lines.append(arithmetic.difference(high, low, 0)[0])
    if a:
        lines.append(arithmetic.subtraction(b, a, 0)[0])
    more, result, made = arithmetic.times(above, made, spread, 0)
    rest, result, made, _ = arithmetic.quotient(result, made, width, 0)
    lines += more + rest
    if low:
        x, y, made = arithmetic.aligned(result, made, low, 0)
        line, result = arithmetic.total(x, y, made)
        lines.append(line)
    lines, result, made = arithmetic.finish(lines, result, made)
    number = telemetry.written(arithmetic.text(value, decimals), separator)
    ends = [(a, b, unit), (low, high, measure)]
    (a_, b_), (low_, high_) = [
        (f"{x} {u}" if rng.random() < 0.5 else str(x), f"{y} {u}") for x, y, u in ends
    ]
    question = WORDING.say(
        rng, language, "signal", held_out, value=f"{number} {unit}", a=a_, b=b_, low=low_, high=high_
    )
    answer = Answer("{value}", {"value": Amount(result, made, measure)}, {"value": KEYS[language]})
    facts = {"scale": (arithmetic.text(value, decimals), a, b, low, high)}
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, None, separator, exact=True, facts=facts
    )


RAW_KEYS = {
    "en": (["raw", "raw_value", "counts", "adc", "register"], ["factor", "scale", "gain", "multiplier", "slope"],
           ["offset", "bias", "zero", "shift"]),
    "fr": (["brut", "valeur_brute", "raw", "registre", "points"], ["facteur", "coefficient", "gain", "pente"],
           ["offset", "decalage", "zero", "correction"]),
}  # fmt: skip


# Numbers and their decimals.
FACTORS = [(1, 1), (1, 1), (1, 2), (1, 2), (5, 1), (2, 1), (5, 2), (25, 2), (2, 0), (4, 1), (125, 3), (2, 2)]
OFFSETS = [(-40, 0), (-50, 0), (-20, 0), (5, 0), (10, 0), (-4, 0), (32, 0), (-15, 1), (5, 1), (12, 1), (-273, 0)]
OFFSETS += [(-100, 0), (-1, 0), (20, 0), (3, 0)]


def _raw(rng, language, held_out):
    """A raw value times a factor plus an offset, told in the question or as a message."""
    separator = telemetry.separator(rng, language)
    factor, factor_decimals = rng.choice(FACTORS)
    value = rng.randint(12, rng.choice([400, 4095]))
    offset, offset_decimals = rng.choice(OFFSETS)
    lines, product, made = arithmetic.times(value, 0, factor, factor_decimals)
    a, b, made = arithmetic.aligned(product, made, offset, offset_decimals)
    line, result = arithmetic.total(a, b, made)
    lines, result, made = arithmetic.finish(["raw", *lines, line], result, made)
    texts = [str(value), arithmetic.text(factor, factor_decimals), arithmetic.text(offset, offset_decimals)]
    told = None
    if rng.random() < 0.5:
        fields = [(rng.choice(keys), text, "", True) for keys, text in zip(RAW_KEYS[language], texts)]
        if rng.random() < 0.4:
            rng.shuffle(fields)
        if rng.random() < 0.5:
            fields.insert(0, (rng.choice(LABEL_KEYS[language]), _label(rng, language), "", False))
        told = _told_fields(rng, fields, "", separator)
        question = WORDING.say(rng, language, "raw_ask", held_out)
    else:
        said = [telemetry.written(text, separator) for text in texts]
        question = WORDING.say(rng, language, "raw", held_out, value=said[0], factor=said[1], offset=said[2])
    answer = Answer("{value}", {"value": Amount(result, made)}, {"value": KEYS[language]})
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, told, separator, exact=True, facts={"raw": texts}
    )


def _larger(rng, among=lambda pair: True):
    """A pair from a larger unit to a smaller one, which always comes out, and not too far apart."""
    pool = [pair for pair in PAIRS if pair.how[0] == "x" and pair.how[1] in (1000, 100, 10, 60) and among(pair)]
    return rng.choices(pool, [pair.weight for pair in pool])[0]


def _tell_mixed(rng, language, names, texts, separator):
    """Named values, each with its own unit: a sentence, lines, pairs, JSON or a table; and how the names stand."""
    layout = rng.choice(["sentence", "sentence", "sentence", "lines", "lines", "pairs", "json", "json", "table"])
    names = [str(name) for name in names]
    stands = separator if any(separator in text for text in texts) else ""
    if layout == "json":
        return telemetry.Told(telemetry.encode(dict(zip(names, [text.replace(",", ".") for text in texts])),
                              rng.random() < 0.4), "map", names, True, "." if stands else "")  # fmt: skip
    if layout == "table":
        head = [telling.column(rng, language), "value" if language == "en" else "valeur"]
        return telemetry.Told(telemetry.table(rng, [head, *map(list, zip(names, texts))]), layout, names, True, stands)
    if layout == "pairs":
        names = [name.replace(" ", "_").replace("'", "_") for name in names]
        between = rng.choice(["\n", " ; ", "; ", " | "])
        text = between.join(f"{name}={text}" for name, text in zip(names, texts))
        return telemetry.Told(text, layout, names, between == "\n", stands)
    glue = rng.choice([telling.COLON[language], telling.COLON[language], " = ", " - ", " "])
    parts = [f"{name}{glue}{text}" for name, text in zip(names, texts)]
    if layout == "lines":
        mark = rng.choice(["", "", "- ", "* "])
        return telemetry.Told("\n".join(mark + part for part in parts), layout, names, True, stands)
    between = rng.choice(["; ", " / "]) if stands == "," else rng.choice([", ", "; ", " / "])
    return telemetry.Told(between.join(parts) + ".", layout, names, False, stands)


def _amount(value, decimals, unit, separator):
    return f"{telemetry.written(arithmetic.text(value, decimals), separator)} {unit}"


SIDES = {
    "en": (("lower", "smaller", "lesser"), ("higher", "larger", "greater")),
    "fr": (("plus basse", "plus petite", "plus faible"), ("plus haute", "plus grande", "plus élevée")),
}


def _unlike(rng, language, held_out):
    """Which of two values in different units is the larger or the smaller: the one in the larger unit is converted."""
    separator = telemetry.separator(rng, language)
    pair = PAIRS[0] if rng.random() < 0.25 else _larger(rng)
    while True:
        value, decimals = draw(rng, pair)
        steps, result, made = think(pair, value, decimals, 9)
        reach = max(2, abs(result) // rng.choice([4, 10, 20]))
        other, other_decimals = result + rng.randint(-reach, reach), made
        if made and rng.random() < 0.7:
            other, other_decimals = round(Fraction(other, 10**made)), 0
        compared, order = arithmetic.digits_compared(result, made, other, other_decimals)
        if order and (other > 0 or pair.source == "°C"):
            break
    names = naming.names(rng, language, 2)
    pairs = [(value, decimals, pair.source), (other, other_decimals, pair.target)]
    places = [0, 1] if rng.random() < 0.5 else [1, 0]
    told = _tell_mixed(
        rng, language, [names[i] for i in places], [_amount(*pairs[i], separator) for i in places], separator
    )
    names = [told.names[places.index(i)] for i in (0, 1)]
    most = rng.randrange(2)
    question = WORDING.say(rng, language, "unlike", held_out, side=rng.choice(SIDES[language][most]))
    found = names[0] if (order > 0) == bool(most) else names[1]
    result_text, other_text = arithmetic.text(result, made), arithmetic.text(other, other_decimals)
    sign = ">" if order > 0 else "<"
    lines = [f"{pair.task} {'more' if most else 'less'}", f"{names[0]} {arithmetic.text(value, decimals)}", *steps]
    lines += [f"{names[1]} {other_text}", f"{result_text}:{other_text} {compared} {sign}", found]
    answer = Answer("{name}", {"name": found}, capital=False)
    facts = {
        "unlike": [(arithmetic.text(n, d), unit) for n, d, unit in pairs], "names": names, "most": most,
    }  # fmt: skip
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, told, separator, exact=True, facts=facts
    )


def _total(rng, language, held_out):
    """The sum of values in two units, in the smaller one."""
    separator = telemetry.separator(rng, language)
    summed = ("m³", "L", "hL", "kWh", "h", "min", "kg", "t", "m", "km", "Ah")
    pair = _larger(rng, lambda pair: pair.source in summed and "/" not in pair.target)
    count = rng.choice([2, 3, 3, 4])
    large = {rng.randrange(count)} | {i for i in range(count) if rng.random() < 0.3}
    if len(large) == count:
        large.remove(rng.randrange(count))
    factor, rows, lines, values = pair.how[1], [], [f"{pair.task} total"], []
    to = spelled_target(rng, language, pair)
    for i in range(count):
        if i in large:
            value, decimals = draw(rng, pair)
            value, decimals = (value, decimals) if factor != 60 else (rng.randint(1, 9), 0)
            steps, result, made = think(pair, value, decimals, 9)
            if made:
                return _total(rng, language, held_out)
            rows.append((value, decimals, pair.source))
        else:
            result, steps = rng.randint(2, 2 * factor if factor < 1000 else factor), []
            rows.append((result, 0, pair.target))
        values.append(result)
        lines += steps
        if i:
            step, total = arithmetic.accumulate(total, result, 0)
            lines.append(f"{i + 1}:{step}")
        else:
            total = result
            lines.append(f"1:{result}~{arithmetic.mirrored(result, 0)}")
    lines.append(f"={total}")
    texts = [_amount(*row, separator) for row in rows]
    told = _tell_mixed(rng, language, naming.names(rng, language, count), texts, separator)
    question = WORDING.say(rng, language, "total_in", held_out, to=to)
    answer = Answer("{value}", {"value": Amount(total, 0, str(to))}, {"value": KEYS[language]})
    facts = {"total": [(arithmetic.text(n, d), unit) for n, d, unit in rows], "to": pair.target}
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, told, separator, exact=True, facts=facts
    )


def _base(value, unit):
    """A value in the unit that all of its kind are measured by."""
    if unit == "°F":
        return (Fraction(value) - 32) / Fraction("1.8")
    return Fraction(value) * (1 if unit == "°C" else _fraction(SCALES[unit]))


def verify(problem):
    """The converted number by way of SI units, or the text of hours and minutes."""
    facts = problem.facts
    if "back" in facts:
        return Fraction(facts["count"]) * (1 if facts["back"] else Fraction(facts["each"]))
    if "all" in facts:
        scale = _fraction(SCALES[facts["from"]]) / _fraction(SCALES[facts["to"]])
        return tuple(Fraction(value) * scale for value in facts["all"])
    if "mixed" in facts:
        whole, rest = divmod(facts["mixed"], 60)
        if facts.get("several"):
            return Fraction(whole), Fraction(rest)
        return f"{whole} min {rest} s" if facts["seconds"] else f"{whole} h {rest} min"
    if "joined" in facts:
        hours, minutes, seconds = facts["joined"]
        return Fraction(hours * 3600 + minutes * 60 + seconds, facts["per"])
    if "hms" in facts:
        parts = str(datetime.timedelta(seconds=facts["hms"])).split(":")
        numbers = [int(part) for part in parts]
        return tuple(map(Fraction, numbers)) if facts.get("several") else "{} h {} min {} s".format(*numbers)
    if "needed" in facts:
        return Fraction(math.ceil(Fraction(*facts["needed"])))
    if "scale" in facts:
        value, a, b, low, high = map(Fraction, facts["scale"])
        return low * (b - value) / (b - a) + high * (value - a) / (b - a)
    if "raw" in facts:
        value, factor, offset = map(Fraction, facts["raw"])
        return value * factor + offset
    if "unlike" in facts:
        one, two = (_base(*row) for row in facts["unlike"])
        return facts["names"][0 if (one > two) == bool(facts["most"]) else 1]
    if "total" in facts:
        return sum(_base(*row) for row in facts["total"]) / _fraction(SCALES[facts["to"]])
    value = Fraction(facts["value"])
    if "rate" in facts:
        exact = value * Fraction(facts["rate"])
    elif facts["to"] == "°F":
        exact = value * Fraction("1.8") + 32
    elif facts["to"] == "°C":
        exact = (value - 32) / Fraction("1.8")
    else:
        exact = value * _fraction(SCALES[facts["from"]]) / _fraction(SCALES[facts["to"]])
    scale = 10 ** facts["places"]
    size = int(abs(exact) * scale + Fraction(1, 2))
    return Fraction(size if exact >= 0 else -size, scale)
