"""Tanks, flows and batteries: how long until full or empty, how much after a time, which rate; how
long a battery lasts, how full it is later, how long it charges."""

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
FAMILY = "flow"
THING = {"thing": Noun}
TIME = {"thing": Noun, "unit": Noun}
WORDING = wording.load(
    FAMILY,
    {
        "fill": TIME | {"volume": str, "rate": str},
        "fill_given": THING | {"volume": str, "rate": str},
        "fill_ask": TIME,
        "full_ask": TIME,
        "drain": TIME | {"now": str, "rate": str},
        "drain_given": THING | {"now": str, "rate": str},
        "empty_ask": TIME,
        "left": TIME | {"volume": str, "now": str, "rate": str},
        "left_given": THING | {"volume": str, "now": str, "rate": str},
        "leftpct": TIME | {"volume": str, "level": str, "rate": str},
        "leftpct_given": THING | {"volume": str, "level": str, "rate": str},
        "drainpct_given": THING | {"volume": str, "level": str, "rate": str},
        "net": TIME | {"volume": str, "rate": str, "out": str},
        "net_given": THING | {"volume": str, "rate": str, "out": str},
        "gain": THING | {"now": str, "rate": str, "time": str},
        "gain_given": THING | {"now": str, "rate": str},
        "loss": THING | {"now": str, "rate": str, "time": str},
        "loss_given": THING | {"now": str, "rate": str},
        "after_ask": THING | {"time": str},
        "volume": THING | {"rate": str, "time": str, "unit": Noun},
        "volume_given": {"rate": str},
        "volume_ask": {"time": str, "unit": Noun},
        "rate": THING | {"volume": str, "time": str, "unit": Noun},
        "rate_given": THING | {"volume": str, "time": str},
        "rate_ask": {"unit": Noun},
        "battery": {"thing": Noun, "capacity": str, "load": str, "unit": Noun},
        "battery_given": {"thing": Noun, "capacity": str, "load": str},
        "battery_ask": TIME,
        "batterypct": {"thing": Noun, "capacity": str, "level": str, "load": str, "unit": Noun},
        "batterypct_given": {"thing": Noun, "capacity": str, "level": str, "load": str},
        "soc": {"thing": Noun, "capacity": str, "level": str, "load": str, "time": str},
        "soc_given": {"thing": Noun, "capacity": str, "level": str, "load": str},
        "soc_ask": {"thing": Noun, "time": str},
        "charge": {"thing": Noun, "capacity": str, "level": str, "load": str, "unit": Noun},
        "charge_given": {"thing": Noun, "capacity": str, "level": str, "load": str},
        "charge_ask": TIME,
        "in_hours_and_minutes": {},
    },
)
VESSELS = {
    "en": words.nouns(
        "en",
        """tank|water tank|cistern|pool|barrel|rain barrel|boiler|basin|reservoir|bathtub
            trough|aquarium|container|vat|storage tank|buffer tank|drum|pond""",
    ),
    "fr": words.nouns(
        "fr",
        """f cuve|f citerne|m réservoir|m bassin|f piscine|m ballon|m fût|f baignoire
            m abreuvoir|m aquarium|m récupérateur d'eau|m tonneau|f cuve d'eau|f bâche|f mare
            m ballon tampon""",
    ),
}
BATTERIES = {
    "en": words.nouns(
        "en", "battery|battery|power bank|backup battery|solar battery|home battery|battery pack"
    ),
    "fr": words.nouns(
        "fr",
        """f batterie|f batterie|f batterie de secours|f batterie solaire|m accumulateur
            f batterie domestique""",
    ),
}
AMOUNTS = statement.Amounts(
    {
        "volume": (
            "tank capacity|total volume|tank size|capacity; capacity tank_size total full_volume",
            "f capacité de la cuve|m volume total|f contenance|f capacité; capacite contenance volume_total v_max",
        ),
        "now": (
            "current volume|content|stock|remaining volume; volume content stock remaining",
            "m volume actuel|m contenu|m stock|m volume restant; volume contenu stock reste",
        ),
        "level": (
            "fill level|level|filling level; level fill_level fill",
            "m niveau de remplissage|m niveau|m remplissage; niveau remplissage taux",
        ),
        "inflow": (
            "inflow|filling rate|feed; inflow feed in fill_rate",
            "m débit d'entrée|m débit de remplissage|m apport; debit_entree apport entree",
        ),
        "outflow": (
            "outflow|drain rate|consumption; outflow drain out use",
            "m débit de sortie|f consommation|m soutirage; debit_sortie conso sortie soutirage",
        ),
        "flow": (
            "flow|flow rate|pump rate; flow flow_rate rate pump",
            "m débit|m débit de la pompe; debit debit_pompe q",
        ),
        "capacity": (
            "battery capacity|capacity|battery size; capacity batt_capacity battery_size",
            "f capacité de la batterie|f capacité; capacite capa_batterie",
        ),
        "soc": (
            "state of charge|charge|battery level; soc charge batt",
            "m état de charge|f charge|m niveau de batterie; soc charge batterie",
        ),
        "load": (
            "load|power draw|consumption; load draw consumption p_out",
            "f consommation|f puissance appelée; conso puissance appel",
        ),
        "charger": (
            "charging power|charger power; charge_power charger p_charge",
            "f puissance de charge|f puissance du chargeur; p_charge chargeur puissance_charge",
        ),
    },
    {"%": "pct", "L/min": "l_min", "L/h": "l_h", "m³/h": "m3_h", "L/s": "l_s"},
)
TIMES = {"L/min": "min", "L/h": "h", "m³/h": "h", "L/s": "s"}
KINDS = {
    "fill": 12, "drain": 11, "left": 12, "leftpct": 8, "drainpct": 5, "net": 7, "gain": 7,
    "loss": 8, "volume": 10, "rate": 8, "battery": 14, "batterypct": 9, "soc": 8, "charge": 8,
}  # fmt: skip


def make(rng, language, held_out):
    kind = rng.choices(list(KINDS), KINDS.values())[0]
    if kind in ("battery", "batterypct", "soc", "charge"):
        return _battery(rng, language, held_out, kind)
    if kind in ("gain", "loss", "volume", "rate"):
        return _amount(rng, language, held_out, kind)
    return _duration(rng, language, held_out, kind)


def _unit(rng, language, unit):
    """A unit as the question spells it; a symbol is never elided in French."""
    spelled = units.spell(rng, language, unit, 0.25)
    return Noun(spelled, language, "" if len(spelled) < 4 or "/" in spelled else "m", True)


def _rate(rng):
    """A flow, its decimals and unit, easy to divide by."""
    unit = rng.choices(list(TIMES), [70, 15, 10, 5])[0]
    if unit == "L/h":
        return units.easy(rng, 20, 900), 0, unit
    if unit == "m³/h":
        return (*rng.choice([(units.easy(rng, 2, 30), 0), (rng.choice([5, 15, 25]), 1)]), unit)
    if unit == "L/s":
        return (*rng.choice([(units.easy(rng, 2, 12), 0), (rng.choice([2, 3, 4, 5, 8]), 1)]), unit)
    if rng.random() < 0.14:
        return rng.choice([5, 12, 15, 25, 45, 75, 35]), 1, unit
    return units.easy(rng, 2, 80), 0, unit


def _content(rng, rate, decimals, unit):
    """How much flows in a time that mostly comes out even; in units of 10^-decimals."""
    time = rng.randint(2, 24 if unit in ("L/h", "m³/h") else 90)
    amount = rate * time
    if unit in ("L/h", "m³/h") and rng.random() < 0.3 and rate % 2 == 0:
        amount += rate // 2
    if rng.random() < 0.2:
        amount += rng.randint(1, max(1, rate))
    return amount, decimals


def _answered(rng, language, held_out, question, lines, divide, unit, other, separator):
    """The end of a problem that asks for a time: `divide` the two numbers, in the unit that is
    asked. Returns the question, the lines, the answer, the facts and the wordings."""
    (a, a_decimals), (b, b_decimals) = divide
    places, phrasings = 2, ()
    exact = Fraction(a, 10**a_decimals) / Fraction(b, 10**b_decimals)
    scale = {("min", "h"): Fraction(1, 60), ("h", "min"): Fraction(60)}.get((unit, other), 1)
    mixed = (
        "unit" not in question.slots and unit == "min" and exact % 1 == 0 and exact > 60
    ) and rng.random() < 0.5
    if mixed:
        request = WORDING.say(rng, language, "in_hours_and_minutes", held_out)
    elif exact * scale * 100 % 1 and (rng.random() < 0.85 or exact * scale < 1):
        places = rng.choice([0, 1, 1]) if exact * scale > 3 else 1
        request = rounding.ask(rng, language, held_out, places)
    else:
        request = None
    if request:
        question, phrasings = rounding.then(question, request), (request,)
    if scale == 60:
        more, a, a_decimals = arithmetic.times(a, a_decimals, 60, 0)
        lines = [*lines, *more]
    elif scale != 1:
        more, b, b_decimals = arithmetic.times(b, b_decimals, 60, 0)
        lines = [*lines, *more]
    more, value, made, _ = arithmetic.quotient(a, a_decimals, b, b_decimals, places)
    lines = [*lines, *more]
    facts = {"places": places, "scale": str(scale), "mixed": mixed}
    if mixed:
        line, (hours, minutes) = arithmetic.hours_and_minutes(value)
        answer = Answer("{duration}", {"duration": f"{hours} h {minutes} min"})
        return question, [*lines, line], answer, facts, phrasings
    return question, lines, _time_answer(language, question, value, made, other), facts, phrasings


def _time_answer(language, question, value, made, unit):
    """A time in the unit that the question names, or in `unit` where it only asks how long."""
    words_ = {"min": "minutes", "h": "hours" if language == "en" else "heures", "s": "seconds"}
    keys = {"value": [words_[unit], "answer", "duration" if language == "en" else "duree"]}
    if "unit" in question.slots:
        return Answer("{value}", {"value": Amount(value, made)}, keys)
    return Answer("{value} {unit}", {"value": Amount(value, made), "unit": unit}, keys)


def _said_unit(answer, question, unit):
    """Puts the unit, as the question spells it, into the answer."""
    if "unit" in question.slots and isinstance(answer.fields.get("value"), Amount):
        answer.fields["value"].unit = str(unit)
    return answer


def _duration(rng, language, held_out, kind):
    """How long until full or empty."""
    separator = telemetry.separator(rng, language)
    rate, decimals, unit = _rate(rng)
    amount, amount_decimals = _content(rng, rate, decimals, unit)
    litre = "m³" if unit == "m³/h" else "L"
    time = TIMES[unit]
    other = time
    hours = Fraction(amount, rate) % 3 == 0 and amount // rate >= 30
    if time == "min" and hours and rng.random() < 0.2:
        other = "h"
    elif time == "h" and amount / rate <= 5 and rng.random() < 0.2:
        other = "min"
    named = _unit(rng, language, other)
    thing = rng.choice(VESSELS[language])

    def said(value, value_decimals, of):
        return units.said(rng, language, value, value_decimals, of, separator)

    slots = {"thing": thing, "unit": named, "rate": said(rate, decimals, unit)}
    shown = arithmetic.trimmed(amount, amount_decimals)
    lines, known, ask, fact_ask, facts = [], [], "full_ask", "", {}
    flow = (rate, decimals, unit)
    if kind in ("fill", "drain"):
        name = "volume" if kind == "fill" else "now"
        if litre == "L" and rng.random() < 0.12 and shown[0] >= 20:
            cubic = arithmetic.trimmed(shown[0], shown[1] + 3)
            slots[name] = said(*cubic, "m³")
            line, *shown = arithmetic.shifted(*cubic, 3)
            lines.append(line)
        else:
            slots[name] = said(*shown, litre)
            known.append(AMOUNTS.fact(rng, language, name, (*shown, litre)))
            known.append(AMOUNTS.fact(rng, language, "inflow" if kind == "fill" else "outflow", flow))
        ask, fact_ask = ("full_ask", "fill_ask") if kind == "fill" else ("empty_ask", "")
        divide = shown, (rate, decimals)
    elif kind == "left":
        now = rng.randint(1, max(2, amount * 2))
        now, now_decimals = arithmetic.trimmed(
            round(now, -1) if now > 30 and rng.random() < 0.6 else now, amount_decimals
        )
        a, b, d = arithmetic.aligned(amount, amount_decimals, now, now_decimals)
        whole = arithmetic.trimmed(a + b, d)
        slots |= {"volume": said(*whole, litre), "now": said(now, now_decimals, litre)}
        known = [
            AMOUNTS.fact(rng, language, "volume", (*whole, litre)),
            AMOUNTS.fact(rng, language, "now", (now, now_decimals, litre)),
            AMOUNTS.fact(rng, language, "inflow", flow),
        ]
        a, b, d = _same(whole, (now, now_decimals))
        line, left = arithmetic.subtraction(a, b, d)
        lines.append(line)
        divide = arithmetic.trimmed(left, d), (rate, decimals)
        facts["now"] = text(now, now_decimals)
        shown = whole
    elif kind in ("leftpct", "drainpct"):
        level = rng.choice([10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, rng.randint(5, 95)])
        share = 100 - level if kind == "leftpct" else level
        if litre == "L":
            whole, d = units.easy(rng, 100, 9000, 0.05), 0
            rate = units.easy(rng, 2, 90, 0.05) if unit == "L/min" else rate
            flow = (rate, decimals, unit)
            slots["rate"] = said(rate, decimals, unit)
        else:
            whole, d = units.easy(rng, 10, 90, 0), 0
        slots |= {"volume": said(whole, d, litre), "level": said(level, 0, "%")}
        known = [
            AMOUNTS.fact(rng, language, "volume", (whole, d, litre)),
            AMOUNTS.fact(rng, language, "level", (level, 0, "%")),
            AMOUNTS.fact(rng, language, "inflow" if kind == "leftpct" else "outflow", flow),
        ]
        if kind == "leftpct":
            lines.append(arithmetic.subtraction(100, level, 0)[0])
        more, part, part_decimals = arithmetic.times(whole, d, share, 2)
        lines += more
        divide = (part, part_decimals), (rate, decimals)
        ask = "full_ask" if kind == "leftpct" else "empty_ask"
        facts["level"] = str(level)
        shown = whole, d
    else:
        out = rng.randint(1, max(2, rate))
        a, b, d = rate + out, out, decimals
        slots |= {"rate": said(*arithmetic.trimmed(a, d), unit), "out": said(b, d, unit)}
        slots["volume"] = said(*shown, litre)
        lines.append(arithmetic.subtraction(*_same(arithmetic.trimmed(a, d), (b, d)))[0])
        divide = shown, arithmetic.trimmed(rate, decimals)
        facts["out"] = text(b, d)
        rate, decimals = a, d
    if Fraction(divide[0][0], 10 ** divide[0][1]) / Fraction(rate, 10**decimals) < Fraction(1, 2):
        return _duration(rng, language, held_out, kind)
    stated = statement.state(
        rng,
        WORDING,
        language,
        held_out,
        kind,
        slots,
        separator,
        known,
        ask=ask,
        fact_ask=fact_ask,
        asked=lambda said: other == time or "unit" in said.slots,
    )
    question, lines, answer, more, phrasings = _answered(
        rng, language, held_out, stated.question, lines, divide, time, other, separator
    )
    facts |= more | {"kind": kind, "volume": text(*shown), "rate": text(rate, decimals)}
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [{"leftpct": "left %", "drainpct": "drain %"}.get(kind, kind), *lines],
        _said_unit(answer, question, named),
        stated.data,
        separator,
        exact=True,
        facts=facts,
        phrasings=(*stated.phrasings, *phrasings),
    )


def _same(a, b):
    """Two (value, decimals) as the three arguments of a sum."""
    return arithmetic.aligned(*a, *b)


def _amount(rng, language, held_out, kind):
    """How much after a time, how much in a time, or the flow itself."""
    separator = telemetry.separator(rng, language)
    rate, decimals, unit = _rate(rng)
    litre, base = ("m³" if unit == "m³/h" else "L"), TIMES[unit]
    time = rng.randint(2, 12 if base == "h" else 90)
    if base != "h" and rng.random() < 0.5:
        time = rng.choice([5, 10, 15, 20, 30, 40, 45, 60, 90])

    def said(value, value_decimals, of, symbol=0.6):
        return units.said(rng, language, value, value_decimals, of, separator, symbol)

    lines, spoken, thing = [], (time, base), rng.choice(VESSELS[language])
    facts = {"kind": kind, "places": 9}
    if base == "min" and kind != "rate" and rng.random() < 0.15:
        hours = rng.randint(2, 8)
        spoken, time = (hours, "h"), hours * 60
        lines += arithmetic.times(hours, 0, 60, 0)[0]
    slots = {
        "thing": thing,
        "time": said(spoken[0], 0, spoken[1], 0.35),
        "rate": said(rate, decimals, unit),
    }
    known, ask = [], ""
    more, moved, moved_decimals = arithmetic.times(rate, decimals, time, 0)
    if kind == "rate":
        slots["volume"] = said(moved, moved_decimals, litre)
        named = _unit(rng, language, unit)
        slots["unit"] = named
        if rng.random() < 0.15:
            moved, moved_decimals = moved + rng.randint(1, time), moved_decimals
            slots["volume"] = said(moved, moved_decimals, litre)
        lines, value, made, _ = arithmetic.quotient(moved, moved_decimals, time, 0, 2)
        facts |= {"volume": text(moved, moved_decimals), "time": str(time), "places": 2}
    else:
        lines += more
        named = _unit(rng, language, litre)
        slots["unit"] = named
        value, made = moved, moved_decimals
        facts |= {"rate": text(rate, decimals), "time": str(time)}
        if kind == "volume":
            known = [AMOUNTS.fact(rng, language, "flow", (rate, decimals, unit))]
        else:
            now = rng.randint(2, 900)
            now = now if kind == "gain" else now + -(-moved // 10**moved_decimals)
            now = round(now, -1) + 10 if now > 30 and rng.random() < 0.5 else now
            a, b, made = _same((now, 0), (moved, moved_decimals))
            line, value = (arithmetic.addition if kind == "gain" else arithmetic.subtraction)(
                a, b, made
            )
            lines, value, made = arithmetic.finish([*lines, line], value, made)
            slots["now"] = said(now, 0, litre, 0.8)
            facts["now"] = str(now)
            known = [
                AMOUNTS.fact(rng, language, "now", (now, 0, litre)),
                AMOUNTS.fact(rng, language, "inflow" if kind == "gain" else "outflow", (rate, decimals, unit)),
            ]
            ask = "after_ask"
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known, ask=ask
    )
    asked = "unit" in stated.slots
    spelled = str(named) if asked else unit if kind == "rate" else litre
    if kind in ("rate", "volume") and not asked:
        told = unit if kind == "rate" else litre
        answer = Answer("{value} {unit}", {"value": Amount(value, made), "unit": told})
    else:
        answer = Answer("{value}", {"value": Amount(value, made, spelled)})
    if kind in ("gain", "loss"):
        # The spelling of the content's unit in the question, where it is not the symbol.
        shown = stated.question.text + (stated.data.text if stated.data else "")
        answer.fields["value"].unit = _spelled_in(shown, language, litre)
    label = {"gain": "after +", "loss": "after -"}.get(kind, kind)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        stated.question,
        [label, *lines],
        answer,
        stated.data,
        separator,
        exact=True,
        facts=facts,
        phrasings=stated.phrasings,
    )


def _spelled_in(shown, language, unit):
    """How a text spells a unit, or the symbol if it does not."""
    found = [s for s in units.SPELLINGS[unit][language] if f" {s}" in shown or f"0{s}" in shown]
    return unit if unit in found or not found else found[0]


def _battery(rng, language, held_out, kind):
    """How long a battery lasts, how full it is after a time, how long it charges."""
    separator = telemetry.separator(rng, language)
    capacity_unit, load_unit = rng.choices(
        [("Wh", "W"), ("kWh", "kW"), ("Ah", "A"), ("mAh", "mA"), ("kWh", "W")], [40, 18, 12, 14, 16]
    )[0]
    if kind == "charge" and load_unit == "W" and capacity_unit == "kWh":
        load_unit = "kW"
    level = rng.choice([20, 25, 30, 40, 50, 60, 70, 75, 80, 90, rng.randint(5, 95)])
    thing = rng.choice(BATTERIES[language])
    if load_unit in ("W", "mA"):
        load, load_decimals = units.easy(rng, 2 if load_unit == "mA" else 20, 900, 0.08), 0
    else:
        load, load_decimals = arithmetic.trimmed(units.easy(rng, 2, 75, 0.08), 1)
        if (load, load_decimals) == (1, 0):
            load = 2
    hours = rng.randint(2, 40)
    capacity, capacity_decimals = load * hours, load_decimals
    if rng.random() < 0.25:
        capacity += load // 2 if load % 2 == 0 else load
    if rng.random() < 0.18:
        capacity += rng.randint(1, load)
    if kind != "battery":
        # With a share of the capacity the capacity is the round number.
        if load_unit in ("W", "mA"):
            capacity = units.easy(rng, max(100, load * 2), max(999, load * 40), 0.05)
            capacity_decimals = 0
        else:
            capacity, capacity_decimals = units.easy(rng, 4, 90, 0.05), 0
    lines, facts = [], {"kind": kind, "capacity": text(capacity, capacity_decimals)}
    shown = arithmetic.trimmed(capacity, capacity_decimals)
    if (capacity_unit, load_unit) == ("kWh", "W"):
        shown = arithmetic.trimmed(shown[0], shown[1] + 3)
        if shown[1] > 2:
            return _battery(rng, language, held_out, kind)
        lines.append(arithmetic.shifted(*shown, 3)[0])
    capacity, capacity_decimals = arithmetic.trimmed(capacity, capacity_decimals)

    def said(value, value_decimals, of, symbol=0.75):
        return units.said(rng, language, value, value_decimals, of, separator, symbol)

    named = _unit(rng, language, "h")
    slots = {
        "thing": thing,
        "unit": named,
        "capacity": said(*shown, capacity_unit),
        "load": said(load, load_decimals, load_unit),
        "level": said(level, 0, "%"),
    }
    facts |= {"load": text(load, load_decimals), "level": str(level), "places": 2}
    known = [AMOUNTS.fact(rng, language, "capacity", (*shown, capacity_unit))]
    if kind != "battery":
        known.append(AMOUNTS.fact(rng, language, "soc", (level, 0, "%")))
    name = "charger" if kind == "charge" else "load"
    known.append(AMOUNTS.fact(rng, language, name, (load, load_decimals, load_unit)))
    if kind == "charge" and load_unit in ("A", "mA"):
        known = []
    avoid = ("voltage",)
    if kind == "soc":
        return _soc(
            rng, language, held_out, slots, known, lines, facts, separator,
            (capacity, capacity_decimals), (load, load_decimals), level,
        )  # fmt: skip
    part, part_decimals = capacity, capacity_decimals
    if kind != "battery":
        share = level
        if kind == "charge":
            lines.append(arithmetic.subtraction(100, level, 0)[0])
            share = 100 - level
        more, part, part_decimals = arithmetic.times(capacity, capacity_decimals, share, 2)
        lines += more
    exact = Fraction(part, 10**part_decimals) / Fraction(load, 10**load_decimals)
    if not Fraction(1, 2) <= exact < 1000:
        return _battery(rng, language, held_out, kind)
    ask = {"batterypct": "battery_ask"}.get(kind, "")
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known, ask=ask, avoid=avoid
    )
    question, lines, answer, more, phrasings = _answered(
        rng,
        language,
        held_out,
        stated.question,
        lines,
        ((part, part_decimals), (load, load_decimals)),
        "h",
        "h",
        separator,
    )
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [{"batterypct": "battery %"}.get(kind, kind), *lines],
        _said_unit(answer, question, named),
        stated.data,
        separator,
        exact=True,
        facts=facts | more,
        phrasings=(*stated.phrasings, *phrasings),
    )


def _soc(
    rng, language, held_out, slots, known, lines, facts, separator, capacity, load, level
):  # fmt: skip
    """The state of charge after a time under load."""
    for _ in range(60):
        time = rng.randint(2, 12)
        more, used, used_decimals = arithmetic.times(*load, time, 0)
        share = Fraction(used, 10**used_decimals) / Fraction(capacity[0], 10 ** capacity[1]) * 100
        if share < level and share * 10 % 1 == 0:
            break
    else:
        return make(rng, language, held_out)
    hundred, hundred_decimals = used, used_decimals
    line, hundred, hundred_decimals = arithmetic.shifted(used, used_decimals, 2)
    steps, part, made, _ = arithmetic.quotient(hundred, hundred_decimals, *capacity)
    a, b, made = arithmetic.aligned(level, 0, part, made)
    last, value = arithmetic.subtraction(a, b, made)
    lines, value, made = arithmetic.finish([*lines, *more, line, *steps, last], value, made)
    slots["time"] = units.said(rng, language, time, 0, "h", separator, 0.4)
    stated = statement.state(
        rng, WORDING, language, held_out, "soc", slots, separator, known, avoid=("voltage",)
    )
    unit = "%" if "%" in slots["level"] or stated.data and "%" in stated.data.text else ""
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        stated.question,
        ["soc", *lines],
        Answer("{value}", {"value": Amount(value, made, unit or slots["level"].split(" ", 1)[1])}),
        stated.data,
        separator,
        exact=True,
        facts=facts | {"time": str(time)},
        phrasings=stated.phrasings,
    )


def verify(problem):
    """The formula of the kind, in fractions."""
    f = problem.facts
    n = {key: Fraction(value) for key, value in f.items() if key not in ("kind", "mixed")}
    percent = Fraction(1, 100)
    exact = {
        "fill": lambda: n["volume"] / n["rate"],
        "drain": lambda: n["volume"] / n["rate"],
        "left": lambda: (n["volume"] - n["now"]) / n["rate"],
        "leftpct": lambda: n["volume"] * (100 - n["level"]) * percent / n["rate"],
        "drainpct": lambda: n["volume"] * n["level"] * percent / n["rate"],
        "net": lambda: n["volume"] / (n["rate"] - n["out"]),
        "gain": lambda: n["now"] + n["rate"] * n["time"],
        "loss": lambda: n["now"] - n["rate"] * n["time"],
        "volume": lambda: n["rate"] * n["time"],
        "rate": lambda: n["volume"] / n["time"],
        "battery": lambda: n["capacity"] / n["load"],
        "batterypct": lambda: n["capacity"] * n["level"] * percent / n["load"],
        "soc": lambda: n["level"] - n["load"] * n["time"] / n["capacity"] * 100,
        "charge": lambda: n["capacity"] * (100 - n["level"]) * percent / n["load"],
    }[f["kind"]]() * n.get("scale", 1)
    if f.get("mixed"):
        return f"{exact // 60} h {exact % 60} min"
    scale = 10 ** f["places"]
    return Fraction(int(exact * scale + Fraction(1, 2)), scale)
