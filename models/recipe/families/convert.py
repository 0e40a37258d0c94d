"""Conversion of units both ways: temperature, volume, energy, power, speed, pressure, time, flow,
and powers of ten of what else sensors measure."""

import dataclasses
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
]
# What a unit is in SI units, for the verification.
SCALES = {
    "L": "1", "mL": "0.001", "m³": "1000", "Wh": "1", "kWh": "1000", "MWh": "1000000", "W": "1",
    "kW": "1000", "km/h": "1000/3600", "m/s": "1", "bar": "100000", "mbar": "100", "hPa": "100",
    "kPa": "1000", "Pa": "1", "s": "1", "min": "60", "h": "3600", "days": "86400",
    "weeks": "604800", "L/min": "1/60", "L/h": "1/3600", "L/s": "1", "m³/h": "1000/3600",
    "mA": "0.001", "A": "1", "mAh": "0.001", "Ah": "1", "mV": "0.001", "V": "1", "g": "0.001",
    "kg": "1", "t": "1000", "mm": "0.001", "cm": "0.01", "m": "1", "km": "1000",
}  # fmt: skip
# Quantities that stand in telemetry with a unit one may want converted.
CONVERTIBLE = {pair.source for pair in PAIRS if pair.weight > 2}


def _fraction(scale):
    over, _, under = scale.partition("/")
    return Fraction(over) / Fraction(under or 1)


def make(rng, language, held_out):
    kinds = [_plain, _pick, _mixed, _joined, _factor, _message, _split, _all]
    kind = rng.choices(kinds, [62, 16, 7, 6, 10, 14, 8, 9])[0]
    return kind(rng, language, held_out)


def _draw(rng, pair):
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


def _think(pair, value, decimals, places):
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


def _target(rng, language, pair):
    """The wanted unit as the question spells it; a symbol takes no article and is not elided."""
    spelled = units.spell(rng, language, pair.target, 0.4)
    symbol = len(spelled) < 5 and spelled not in ("amps", "bars") or "/" in spelled
    symbol = symbol and spelled != "jours"
    return words.Noun(spelled, language, "" if symbol else "m", True)


def _finish(rng, language, held_out, question, lines, pair, to, shown, told, separator, facts):
    value, decimals, places, said = shown
    phrasings = ()
    if said:
        request = rounding.ask(rng, language, held_out, places)
        question, phrasings = rounding.then(question, request), (request,)
    steps, result, made = _think(pair, value, decimals, places)
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
    value, decimals = _draw(rng, pair)
    places, said = _places(rng, pair, value, decimals)
    return pair, separator, value, decimals, places, said, _target(rng, language, pair)


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
    to = _target(rng, language, pair)
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
    """Hours and minutes as minutes, or as hours with decimals."""
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
    target = "h" if decimal else "min"
    to = words.Noun(units.word(target, language), language, "m", True)
    question = WORDING.say(rng, language, "joined", held_out, value=said, to=to)
    if decimal:
        lines, part, made, _ = arithmetic.quotient(minutes, 0, 60, 0)
        a, b, made = arithmetic.aligned(hours, 0, part, made)
        line, value = arithmetic.addition(a, b, made)
        lines = ["h:min>h", *lines, line]
    else:
        lines, part, _ = arithmetic.times(hours, 0, 60, 0)
        line, value = arithmetic.addition(part, minutes, 0)
        lines, made = ["h:min>min", *lines, line], 0
    lines, value, made = arithmetic.finish(lines, value, made)
    answer = Answer("{value}", {"value": Amount(value, made, str(to))}, {"value": KEYS[language]})
    facts = {"joined": (hours, minutes), "decimal": decimal}
    separator = telemetry.separator(rng, language)
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, separator=separator, exact=True,
        facts=facts,
    )  # fmt: skip


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
    to = _target(rng, language, pair)
    question = WORDING.say(rng, language, "all_in", held_out, noun=readings.noun, to=to)
    told = _tell(rng, readings, separator, rng.random() < 0.15)
    lines, fields = [], {}
    for name, value in zip(told.names, readings.values):
        steps, result, made = _think(pair, value, readings.decimals, 9)
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
    """Things that are each worth a told amount: how much they are, or how many make an amount."""
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
        lines, value, made, _ = arithmetic.quotient(total, made, each, decimals)
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
        minutes = facts["joined"][0] * 60 + facts["joined"][1]
        return Fraction(minutes, 60 if facts["decimal"] else 1)
    value = Fraction(facts["value"])
    if facts["to"] == "°F":
        exact = value * Fraction("1.8") + 32
    elif facts["to"] == "°C":
        exact = (value - 32) / Fraction("1.8")
    else:
        exact = value * _fraction(SCALES[facts["from"]]) / _fraction(SCALES[facts["to"]])
    scale = 10 ** facts["places"]
    size = int(abs(exact) * scale + Fraction(1, 2))
    return Fraction(size if exact >= 0 else -size, scale)
