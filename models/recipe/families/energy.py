"""Energy and its cost: power and time, price, meter readings, savings, which device needs most in a
day, running time and average power."""

import dataclasses
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

WEIGHT = 8
FAMILY = "energy"
USE = {"device": Noun, "power": str, "time": str}
WORDING = wording.load(
    FAMILY,
    {
        "use": USE | {"unit": Noun},
        "use_given": USE,
        "use_ask": {"device": Noun, "unit": Noun},
        "cost": {"energy": str, "price": str, "money": str},
        "cost_given": {"energy": str},
        "price_given": {"price": str},
        "cost_ask": {"money": str},
        "bill": USE | {"price": str, "money": str},
        "meter": {"before": str, "after": str, "unit": Noun},
        "meter_given": {"before": str, "after": str},
        "meter_ask": {"unit": Noun},
        "save": {"device": Noun, "old": str, "new": str, "unit": Noun},
        "save_given": {"device": Noun, "old": str, "new": str},
        "save_ask": {"unit": Noun},
        "saved_money_ask": {"money": str},
        "hours": {"device": Noun, "energy": str, "power": str, "unit": Noun},
        "hours_given": {"device": Noun, "energy": str, "power": str},
        "hours_ask": {"device": Noun, "unit": Noun},
        "load": {"device": Noun, "energy": str, "time": str, "unit": Noun},
        "load_given": {"device": Noun, "energy": str, "time": str},
        "load_ask": {"unit": Noun},
        "days": {"device": Noun, "energy": str, "days": str, "unit": Noun},
        "days_given": {"device": Noun, "energy": str},
        "days_ask": {"days": str, "unit": Noun},
        "all_of_them": {"unit": Noun},
        "most": {},
        "least": {},
    },
)
DEVICES = {
    "en": words.nouns(
        "en",
        """heater|fridge|freezer|oven|washing machine|dishwasher|pump|kettle|boiler|router
            server|lamp|television|computer|heat pump|air conditioner|dehumidifier|fan|compressor
            charger|motor|microwave|vacuum cleaner|water heater|dryer|radiator|pool pump|sauna""",
    ),
    "fr": words.nouns(
        "fr",
        """m radiateur|m frigo|m congélateur|m four|m lave-linge|m lave-vaisselle|f pompe
            f bouilloire|f chaudière|m routeur|m serveur|f lampe|f télévision|m ordinateur
            f pompe à chaleur|m climatiseur|m déshumidificateur|m ventilateur|m compresseur
            m chargeur|m moteur|m micro-ondes|m aspirateur|m chauffe-eau|m sèche-linge
            f machine à laver|f plaque de cuisson|m convecteur""",
    ),
}
KINDS = {
    "use": 22, "cost": 14, "bill": 12, "meter": 12, "metercost": 6, "save": 8, "savecost": 5,
    "hours": 8, "load": 7, "days": 8, "most": 12, "least": 4, "total": 7,
}  # fmt: skip
AMOUNTS = statement.Amounts(
    {
        "power": (
            "power|rated power|power draw|load; power rated_power draw load",
            "f puissance|f puissance nominale|f puissance absorbée; puissance p_nominale p",
        ),
        "time": (
            "running time|operating time|time of use; runtime time_on hours_on duration",
            "f durée de marche|m temps de marche|f durée d'utilisation; duree temps_marche marche",
        ),
        "energy": (
            "energy used|consumption|energy; energy consumption used",
            "f énergie consommée|f consommation|f énergie; energie conso",
        ),
        "before": (
            "meter reading before|meter at the start|first reading; meter_start before reading_1",
            "m relevé initial|m compteur au début|m premier relevé; index_debut debut releve_1",
        ),
        "after": (
            "meter reading after|meter at the end|last reading; meter_end after reading_2",
            "m relevé final|m compteur à la fin|m dernier relevé; index_fin fin releve_2",
        ),
        "old": (
            "previous consumption|consumption before|use before; use_before before old_use",
            "f consommation d'avant|f consommation précédente|f ancienne consommation; conso_avant avant",
        ),
        "new": (
            "new consumption|consumption now|use now; use_now now new_use",
            "f nouvelle consommation|f consommation actuelle; conso_apres apres conso_actuelle",
        ),
    },
    {},
)


@dataclasses.dataclass
class Price:
    """A price for a kilowatt-hour: its number, its text in the question, how a sum is written in
    the answer, the currency where it stands behind the number, and whether it is in cents."""

    value: int
    decimals: int
    text: str
    form: str
    unit: str
    minor: bool


def _price(rng, language, separator):
    """A price in one of the usual spellings."""
    cents = rng.choice([15, 18, 20, 22, 24, 25, 28, 30, 32, 35, 40, rng.randint(11, 48)])
    if rng.random() < 0.5:
        cents = rng.choice([20, 30, 40, 25, 50, 60])
    value, decimals = cents, 2
    number = telemetry.written(text(value, 2), separator)
    if value % 10 == 0 and rng.random() < 0.5:
        number = telemetry.written(text(value // 10, 1), separator)
    if rng.random() < 0.25:
        unit = rng.choice(["ct", "cents", "p"] if language == "en" else ["ct", "centimes", "cents"])
        shapes = (
            ["{n} {u}/kWh", "{n} {u} per kWh", "{n} {u} a kWh"]
            if language == "en"
            else ["{n} {u}/kWh", "{n} {u} le kWh", "{n} {u} par kWh"]
        )
        said = rng.choice(shapes).format(n=cents, u=unit)
        return Price(cents, 0, said, f"{{value}} {unit}", unit, True)
    if language == "en":
        symbol = rng.choice(["€", "€", "$", "$", "£"])
        shape = rng.choice(["{s}{n}/kWh", "{s}{n} per kWh", "{s}{n} a kWh", "{n} {s}/kWh"])
        if shape.startswith("{n}"):
            symbol = rng.choice(["€", "EUR", "USD", "€"])
        before = not shape.startswith("{n}")
        form = symbol + "{value}" if before else f"{{value}} {symbol}"
    else:
        symbol = rng.choice(["€", "€", "€", "euros", "EUR"])
        shape = rng.choice(["{n} {s}/kWh", "{n} {s} le kWh", "{n} {s} par kWh", "{n} {s} du kWh"])
        if rng.random() < 0.1:
            symbol = "$"
        before, form = False, f"{{value}} {symbol}"
    said = shape.format(s=symbol, n=number)
    return Price(value, decimals, said, form, "" if before else symbol, False)


def _money(price, value, decimals, lines):
    """A sum of money with two decimals; one in cents has two at most. Returns lines and the
    amount."""
    if price.minor:
        if decimals > 2:
            line, value = arithmetic.rounded(value, decimals, 2)
            lines, decimals = [*lines, line], 2
        lines, value, decimals = arithmetic.finish(lines, value, decimals)
        return lines, Amount(value, decimals)
    if decimals > 2:
        line, value = arithmetic.rounded(value, decimals, 2)
        lines = [*lines, line]
    else:
        value *= 10 ** (2 - decimals)
        end = f"={text(value, 2)}"
        if lines[-1].startswith("="):
            lines = lines[:-1]
        lines = lines if lines[-1].endswith(end) else [*lines, end]
    return lines, Amount(value, 2)


def _cost_answer(language, price, amount):
    keys = {"en": ["cost", "answer", "price"], "fr": ["cout", "answer", "prix"]}[language]
    return Answer(price.form, {"value": amount}, {"value": keys})


def _priced(lines, energy, decimals, price):
    """`energy` times the price."""
    more, value, made = arithmetic.times(energy, decimals, price.value, price.decimals)
    return [*lines, *more], value, made


def make(rng, language, held_out):
    kind = rng.choices(list(KINDS), KINDS.values())[0]
    if kind in ("most", "least"):
        return _which(rng, language, held_out, kind)
    make_ = {
        "use": _use, "bill": _use, "cost": _cost, "meter": _meter, "metercost": _meter,
        "save": _save, "savecost": _save, "hours": _hours, "load": _load, "days": _days, "total": _total,
    }[kind]  # fmt: skip
    return make_(rng, language, held_out, kind)


def _unit(rng, language, unit):
    spelled = units.spell(rng, language, unit, 0.7)
    return Noun(spelled, language, "" if len(spelled) < 4 else "m", True)


def _power(rng):
    """A power, its decimals and unit."""
    if rng.random() < 0.35:
        return (*arithmetic.trimmed(rng.randint(2, 95), 1), "kW")
    if rng.random() < 0.5:
        return units.easy(rng, 20, 3000), 0, "W"
    return rng.choice([40, 60, 75, 100, 150, 250, 500, 750, 1200, 1500, 2500, 2000, 850]), 0, "W"


def _time(rng):
    """A running time: value, decimals, unit, and the hours as a fraction."""
    chance = rng.random()
    if chance < 0.2:
        minutes = rng.choice([6, 12, 15, 20, 24, 30, 36, 40, 45, 48, 90, 120, 150, 240])
        if minutes % 3:
            minutes = 30
        return minutes, 0, "min"
    if chance < 0.32:
        return (*arithmetic.trimmed(rng.choice([5, 15, 25, 35, 45, 75]), 1), "h")
    return rng.randint(2, 24), 0, "h"


def _energy_used(power, time, wanted):
    """Steps from a power and a time to an energy in `wanted`. Returns lines, value and decimals."""
    lines = []
    value, decimals, unit = power
    hours, hours_decimals, time_unit = time
    if time_unit == "min":
        more, hours, hours_decimals, _ = arithmetic.quotient(hours, 0, 60, 0)
        lines += more
    if (unit, wanted) == ("W", "kWh"):
        line, value, decimals = arithmetic.shifted(value, decimals, -3)
        lines.append(line)
    elif (unit, wanted) == ("kW", "Wh"):
        line, value, decimals = arithmetic.shifted(value, decimals, 3)
        lines.append(line)
    more, value, decimals = arithmetic.times(value, decimals, hours, hours_decimals)
    return [*lines, *more], value, decimals


def _use(rng, language, held_out, kind):
    """Power and time to energy, with a price to its cost."""
    separator = telemetry.separator(rng, language)
    power, time = _power(rng), _time(rng)
    if kind == "bill" and time[2] == "min":
        time = (rng.randint(2, 12), 0, "h")
    small = power[2] == "W" and power[0] < 200
    # Kilowatt-hours, unless the question wants watt-hours.
    wanted = "Wh" if kind == "use" and rng.random() < (0.5 if small else 0.12) else "kWh"
    lines, value, decimals = _energy_used(power, time, wanted)
    device = rng.choice(DEVICES[language])
    unit = _unit(rng, language, wanted)
    slots = {
        "device": device,
        "power": units.said(rng, language, *power, separator, 0.8),
        "time": units.said(rng, language, *time, separator, 0.4),
        "unit": unit,
    }
    facts = {"kind": kind, "power": text(*power[:2]), "time": text(*time[:2])}
    facts["watts"] = power[2] == "W"
    facts["minutes"] = time[2] == "min"
    facts["wanted"] = wanted
    known = [AMOUNTS.fact(rng, language, "power", power), AMOUNTS.fact(rng, language, "time", time)]
    if kind == "bill":
        price = _price(rng, language, separator)
        slots |= {"price": price.text, "money": _currency(language, price)}
        lines, value, decimals = _priced(lines, value, decimals, price)
        lines, amount = _money(price, value, decimals, lines)
        if len(lines) > 9:
            return _use(rng, language, held_out, kind)
        answer = _cost_answer(language, price, amount)
        facts |= {"price": text(price.value, price.decimals)}
        # Telemetry cannot state the price; it follows the situation.
        stated = statement.state(
            rng, WORDING, language, held_out, "bill", slots, separator,
            ask="cost_ask", given="use_given", extra="price_given",
        )  # fmt: skip
        return _built(rng, language, held_out, "bill", stated, lines, answer, separator, facts)
    stated = statement.state(
        rng, WORDING, language, held_out, "use", slots, separator, known,
        asked=lambda said: wanted == "kWh" or "unit" in said.slots,
    )  # fmt: skip
    answer = _amount_answer(stated, value, decimals, unit, wanted)
    return _built(rng, language, held_out, wanted, stated, lines, answer, separator, facts)


def _currency(language, price):
    """What a question calls the money it asks for."""
    if price.unit:
        return price.unit
    symbol = price.form[0]
    return {"€": "euros", "$": "dollars", "£": "pounds"}[symbol]


def _amount_answer(stated, value, decimals, unit, usual, keys=None):
    """The unit as the question spells it, or the usual one."""
    keys = {"value": keys} if keys else {}
    if "unit" in stated.slots:
        return Answer("{value}", {"value": Amount(value, decimals, str(unit))}, keys)
    fields = {"value": Amount(value, decimals), "unit": usual}
    return Answer("{value} {unit}", fields, keys)


def _built(
    rng, language, held_out, label, stated, lines, answer, separator, facts, question=None, more=()
):  # fmt: skip
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question or stated.question,
        [label, *lines],
        answer,
        stated.data,
        separator,
        exact=True,
        facts=facts,
        phrasings=(*stated.phrasings, *more),
    )


def _cost(rng, language, held_out, kind):
    """An energy and a price."""
    separator = telemetry.separator(rng, language)
    price = _price(rng, language, separator)
    energy, decimals = rng.choice(
        [(rng.randint(2, 500), 0), (rng.randint(5, 999), 1), (units.easy(rng, 3, 400), 0)]
    )
    energy, decimals = arithmetic.trimmed(energy, decimals)
    lines, value, made = _priced([], energy, decimals, price)
    lines, amount = _money(price, value, made, lines)
    slots = {
        "energy": units.said(rng, language, energy, decimals, "kWh", separator, 0.85),
        "price": price.text,
        "money": _currency(language, price),
    }
    stated = statement.state(
        rng, WORDING, language, held_out, "cost", slots, separator, extra="price_given"
    )
    facts = {"kind": kind, "energy": text(energy, decimals)}
    facts["price"] = text(price.value, price.decimals)
    answer = _cost_answer(language, price, amount)
    return _built(rng, language, held_out, "cost", stated, lines, answer, separator, facts)


def _meter(rng, language, held_out, kind):
    """The difference of two meter readings, perhaps with its cost."""
    separator = telemetry.separator(rng, language)
    decimals = rng.choice([0, 0, 1, 1, 2] if kind == "meter" else [0, 0, 1])
    before = rng.randint(10, rng.choice([999, 9999, 29999])) * 10**decimals + rng.randint(
        0, 10**decimals - 1
    )
    used = rng.randint(2, rng.choice([99, 400, 900])) * (10**decimals if rng.random() < 0.3 else 1)
    after = before + used
    line, difference = arithmetic.subtraction(after, before, decimals)
    lines = [line]
    unit = _unit(rng, language, "kWh")

    def said(value):
        number = units.said(rng, language, value, decimals, "kWh", separator, 1)
        return number if rng.random() < 0.75 else number.removesuffix("kWh").rstrip()

    slots = {"before": said(before), "after": said(after), "unit": unit}
    facts = {"kind": kind, "before": text(before, decimals), "after": text(after, decimals)}
    known = [
        AMOUNTS.fact(rng, language, "before", (before, decimals, "kWh")),
        AMOUNTS.fact(rng, language, "after", (after, decimals, "kWh")),
    ]
    if kind == "metercost":
        price = _price(rng, language, separator)
        slots |= {"price": price.text, "money": _currency(language, price)}
        value, made = arithmetic.trimmed(difference, decimals)
        lines, value, made = _priced(lines, value, made, price)
        lines, amount = _money(price, value, made, lines)
        facts |= {"price": text(price.value, price.decimals)}
        stated = statement.state(
            rng, WORDING, language, held_out, "metercost", slots, separator,
            ask="cost_ask", given="meter_given", extra="price_given",
        )  # fmt: skip
        answer = _cost_answer(language, price, amount)
        return _built(
            rng, language, held_out, "meter cost", stated, lines, answer, separator, facts
        )
    lines, value, made = arithmetic.finish(lines, difference, decimals)
    stated = statement.state(rng, WORDING, language, held_out, "meter", slots, separator, known)
    answer = _amount_answer(stated, value, made, unit, "kWh")
    return _built(rng, language, held_out, "meter", stated, lines, answer, separator, facts)


def _save(rng, language, held_out, kind):
    """A consumption before and after a change; what is saved, in energy or money."""
    separator = telemetry.separator(rng, language)
    decimals = rng.choice([0, 0, 1])
    new = rng.randint(2, 400)
    old = new + rng.randint(2, 300)
    line, difference = arithmetic.subtraction(old, new, decimals)
    lines = [line]
    unit = _unit(rng, language, "kWh")
    slots = {
        "device": rng.choice(DEVICES[language]),
        "old": units.said(rng, language, old, decimals, "kWh", separator, 0.9),
        "new": units.said(rng, language, new, decimals, "kWh", separator, 0.9),
        "unit": unit,
    }
    facts = {"kind": kind, "old": text(old, decimals), "new": text(new, decimals)}
    known = [
        AMOUNTS.fact(rng, language, "old", (old, decimals, "kWh")),
        AMOUNTS.fact(rng, language, "new", (new, decimals, "kWh")),
    ]
    if kind == "savecost":
        price = _price(rng, language, separator)
        slots |= {"price": price.text, "money": _currency(language, price)}
        value, made = arithmetic.trimmed(difference, decimals)
        lines, value, made = _priced(lines, value, made, price)
        lines, amount = _money(price, value, made, lines)
        facts |= {"price": text(price.value, price.decimals)}
        stated = statement.state(
            rng, WORDING, language, held_out, "savecost", slots, separator,
            ask="saved_money_ask", given="save_given", extra="price_given",
        )  # fmt: skip
        answer = _cost_answer(language, price, amount)
        return _built(rng, language, held_out, "save cost", stated, lines, answer, separator, facts)
    lines, value, made = arithmetic.finish(lines, difference, decimals)
    stated = statement.state(rng, WORDING, language, held_out, "save", slots, separator, known)
    answer = _amount_answer(stated, value, made, unit, "kWh")
    return _built(rng, language, held_out, "save", stated, lines, answer, separator, facts)


def _hours(rng, language, held_out, kind):
    """How long a power takes for an energy."""
    separator = telemetry.separator(rng, language)
    big = rng.random() < 0.6
    if big:
        power, decimals = arithmetic.trimmed(units.easy(rng, 2, 80, 0.08), 1)
        if (power, decimals) == (1, 0):
            power = 2
    else:
        power, decimals = units.easy(rng, 20, 900, 0.08), 0
    time = rng.randint(2, 24)
    energy = power * time + (power // 2 if power % 2 == 0 and rng.random() < 0.3 else 0)
    energy, energy_decimals = arithmetic.trimmed(energy, decimals)
    unit = _unit(rng, language, "h")
    lines, value, made, _ = arithmetic.quotient(energy, energy_decimals, power, decimals)
    slots = {
        "device": rng.choice(DEVICES[language]),
        "energy": units.said(
            rng, language, energy, energy_decimals, "kWh" if big else "Wh", separator, 0.9
        ),
        "power": units.said(rng, language, power, decimals, "kW" if big else "W", separator, 0.9),
        "unit": unit,
    }
    known = [
        AMOUNTS.fact(rng, language, "energy", (energy, energy_decimals, "kWh" if big else "Wh")),
        AMOUNTS.fact(rng, language, "power", (power, decimals, "kW" if big else "W")),
    ]
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, known)
    facts = {"kind": kind, "energy": text(energy, energy_decimals), "power": text(power, decimals)}
    answer = _amount_answer(stated, value, made, unit, "h")
    return _built(rng, language, held_out, kind, stated, lines, answer, separator, facts)


def _load(rng, language, held_out, kind):
    """The average power of an energy over a time."""
    separator = telemetry.separator(rng, language)
    big = rng.random() < 0.6
    time = rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 24, 7, 20])
    if big:
        power, decimals = arithmetic.trimmed(rng.randint(2, 60), 1)
    else:
        power, decimals = rng.randint(20, 900), 0
    energy, energy_decimals = arithmetic.trimmed(power * time, decimals)
    if rng.random() < 0.15:
        energy += rng.randint(1, time)
    exact = Fraction(energy, 10**energy_decimals) / time
    wanted = "kW" if big else "W"
    unit = _unit(rng, language, wanted)
    places, more = 2, ()
    if exact * 100 % 1 and rng.random() < 0.8:
        places = rng.choice([1, 2])
        more = (rounding.ask(rng, language, held_out, places),)
    lines, value, made, _ = arithmetic.quotient(energy, energy_decimals, time, 0, places)
    slots = {
        "device": rng.choice(DEVICES[language]),
        "energy": units.said(rng, language, energy, energy_decimals, f"{wanted}h", separator, 0.9),
        "time": units.said(rng, language, time, 0, "h", separator, 0.4),
        "unit": unit,
    }
    known = [
        AMOUNTS.fact(rng, language, "energy", (energy, energy_decimals, f"{wanted}h")),
        AMOUNTS.fact(rng, language, "time", (time, 0, "h")),
    ]
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, known)
    question = rounding.then(stated.question, more[0]) if more else None
    facts = {"kind": kind, "energy": text(energy, energy_decimals), "time": str(time)}
    facts["places"] = places
    answer = _amount_answer(stated, value, made, unit, wanted)
    return _built(
        rng, language, held_out, "power", stated, lines, answer, separator, facts, question, more
    )


def _days(rng, language, held_out, kind):
    """A daily consumption over some days."""
    separator = telemetry.separator(rng, language)
    small = rng.random() < 0.3
    energy, decimals = (
        (rng.randint(20, 900), 0) if small else arithmetic.trimmed(rng.randint(2, 240), 1)
    )
    days = rng.choice([7, 30, 30, 10, 14, 31, 365, 5, 20, rng.randint(2, 60)])
    if days == 365 and rng.random() < 0.6:
        days = 30
    wanted = "Wh" if small else "kWh"
    unit = _unit(rng, language, wanted)
    lines, value, made = arithmetic.times(energy, decimals, days, 0)
    slots = {
        "device": rng.choice(DEVICES[language]),
        "energy": units.said(rng, language, energy, decimals, wanted, separator, 0.9),
        "days": units.said(rng, language, days, 0, "days", separator, 0),
        "unit": unit,
    }
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": kind, "energy": text(energy, decimals), "days": str(days)}
    answer = _amount_answer(stated, value, made, unit, wanted)
    return _built(rng, language, held_out, kind, stated, lines, answer, separator, facts)


def _tell_devices(rng, language, names, powers, hours):
    """Devices with their power and daily hours, as sentences, lines, a table or JSON."""
    rows = list(zip(names, powers, hours))
    layout = rng.choice(["sentence", "sentence", "list", "lines", "table", "json", "pairs"])
    english = language == "en"
    a_day = rng.choice(["h a day", "h per day", "h/day"] if english else ["h par jour", "h/jour"])
    if layout == "sentence":
        if english:
            verb = rng.choice(["runs", "runs for", "is on for", "works"])
            parts = [f"the {n} ({p} W) {verb} {h} {a_day}" for n, p, h in rows]
        else:
            verb = rng.choice(["tourne", "marche", "fonctionne"])
            parts = [f"{n.the} ({p} W) {verb} {h} {a_day}" for n, p, h in rows]
        body = telemetry.joined(parts, language) + "."
        return telemetry.Told(body[0].upper() + body[1:], layout, names, False, "")
    if layout == "list":
        parts = [f"{n} {p} W, {h} {a_day}" for n, p, h in rows]
        return telemetry.Told("; ".join(parts) + ".", layout, names, False, "")
    if layout == "lines":
        bullet, glue = rng.choice(["", "- "]), rng.choice([", ", " x ", " · "])
        body = "\n".join(f"{bullet}{n}: {p} W{glue}{h} {a_day}" for n, p, h in rows)
        return telemetry.Told(body, layout, names, True, "")
    if layout == "pairs":
        body = "\n".join(f"{n.text.replace(' ', '_')} w={p} h={h}" for n, p, h in rows)
        return telemetry.Told(
            body, layout, [n.text.replace(" ", "_") for n in names], True, ""
        )
    name, power, daily = (
        ("device", "power_w", "hours_per_day")
        if english
        else ("appareil", "puissance_w", "heures_par_jour")
    )
    if layout == "table":
        bar = rng.choice([" | ", ";", "\t"])
        table = [(name, power, daily), *rows]
        body = "\n".join(bar.join(map(str, row)) for row in table)
        return telemetry.Told(body, layout, names, True, "")
    number = telemetry.Number
    data = [{name: str(n), power: number(p), daily: number(h)} for n, p, h in rows]
    return telemetry.Told(telemetry.encode(data), "json", names, True, "")


def _which(rng, language, held_out, kind):
    """Which of several devices needs most (or least) in a day."""
    count = rng.choice([2, 3, 3, 3, 4])
    names = rng.sample(DEVICES[language], count)
    while True:
        powers = [
            rng.choice([units.easy(rng, 20, 3000, 0.05), rng.choice([75, 120, 150, 250, 1200])])
            for _ in names
        ]
        hours = [rng.choice([1, 2, 3, 4, 5, 6, 8, 10, 24, 7, 9]) for _ in names]
        totals = [p * h for p, h in zip(powers, hours)]
        if len(set(totals)) == count and max(totals) < 60000:
            break
    told = _tell_devices(rng, language, names, powers, hours)
    spelled = [str(name) for name in told.names]
    question = WORDING.say(rng, language, kind, held_out)
    lines, found = [f"day {'max' if kind == 'most' else 'min'}"], 0
    for i, (name, power, hour) in enumerate(zip(spelled, powers, hours)):
        steps = "\n".join(arithmetic.times(power, 0, hour, 0)[0])
        if i:
            compared, order = arithmetic.digits_compared(totals[i], 0, totals[found], 0)
            if (order > 0) == (kind == "most"):
                found = i
            steps += f" {compared}"
        lines.append(f"{i + 1}:{name} {steps} *{found + 1}")
    if sum(map(len, lines)) > 260:
        return _which(rng, language, held_out, kind)
    answer = Answer("{name}", {"name": spelled[found]}, capital=False)
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, told, exact=True,
        facts={"kind": kind, "names": spelled, "powers": powers, "hours": hours},
    )  # fmt: skip


def _total(rng, language, held_out, kind):
    """What several devices need in a day."""
    count = rng.choice([2, 2, 3])
    names = rng.sample(DEVICES[language], count)
    powers = [units.easy(rng, 10, 2500, 0.05) for _ in names]
    hours = [rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 24]) for _ in names]
    told = _tell_devices(rng, language, names, powers, hours)
    totals, lines = [power * hour for power, hour in zip(powers, hours)], ["day sum"]
    for i, (name, power, hour) in enumerate(zip(told.names, powers, hours)):
        lines.append(f"{i + 1}:{name} " + "\n".join(arithmetic.times(power, 0, hour, 0)[0]))
    more, value = arithmetic.running_sum(totals, 0)
    lines, wanted, made = [*lines, *more, f"={value}"], rng.choice(["Wh", "kWh"]), 0
    if wanted == "kWh":
        line, value, made = arithmetic.shifted(value, 0, -3)
        lines.append(line)
    if sum(map(len, lines)) > 260:
        return _total(rng, language, held_out, kind)
    named = _unit(rng, language, wanted)
    question = WORDING.say(rng, language, "all_of_them", held_out, unit=named)
    answer = Answer("{value}", {"value": Amount(value, made, str(named))})
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, told, exact=True,
        facts={"kind": kind, "powers": powers, "hours": hours, "wanted": wanted},
    )  # fmt: skip


def verify(problem):
    """The same from the facts, in fractions: joules and euros."""
    f = problem.facts
    kind = f["kind"]
    if kind in ("most", "least"):
        pick = max if kind == "most" else min
        return pick(zip(f["powers"], f["hours"], f["names"]), key=lambda row: row[0] * row[1])[2]
    if kind == "total":
        joules = sum(power * hour * 3600 for power, hour in zip(f["powers"], f["hours"]))
        return Fraction(joules, 3600 if f["wanted"] == "Wh" else 3600000)
    n = {
        key: Fraction(f[key])
        for key in ("power", "time", "energy", "before", "after", "old", "new", "price", "days")
        if key in f
    }
    if kind in ("use", "bill"):
        joules = n["power"] * (1 if f["watts"] else 1000) * n["time"]
        joules *= 60 if f["minutes"] else 3600
        n["energy"] = joules / (3600 if f["wanted"] == "Wh" else 3600000)
    if kind in ("meter", "metercost"):
        n["energy"] = n["after"] - n["before"]
    if kind in ("save", "savecost"):
        n["energy"] = n["old"] - n["new"]
    if "price" in n:
        return Fraction(int(n["energy"] * n["price"] * 100 + Fraction(1, 2)), 100)
    exact = {
        "hours": lambda: n["energy"] / n["power"],
        "load": lambda: n["energy"] / n["time"],
        "days": lambda: n["energy"] * n["days"],
    }.get(kind, lambda: n["energy"])()
    places = 10 ** f.get("places", 9)
    return Fraction(int(exact * places + Fraction(1, 2)), places)
