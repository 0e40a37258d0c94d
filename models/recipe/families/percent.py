"""Percentages and set points: shares, changes, parts of a whole, levels in litres, deviations with
sign, in size and in percent, tolerances, differences in points."""

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
from words import Noun

WEIGHT = 10
FAMILY = "percent"
PAIR = {"noun": Noun, "value": str, "set": str}
PLACE = {"place": Noun, "noun": Noun}
PARTS = {"part": Noun, "whole": Noun}
MACHINE = {"thing": Noun, "rate": Noun, "unit": str}
WORDING = wording.load(
    FAMILY,
    {
        "share": {"part": str, "whole": str, "items": Noun, "state": str},
        "share_given": {"part": str, "whole": str, "items": Noun, "state": str},
        "share_ask": {"items": Noun, "state": str},
        "level": {"thing": Noun, "part": str, "whole": str},
        "level_given": {"thing": Noun, "part": str, "whole": str},
        "level_ask": {"thing": Noun},
        "of": {"percent": str, "whole": str},
        "litres": {"thing": Noun, "percent": str, "whole": str, "unit": Noun},
        "litres_given": {"thing": Noun, "percent": str, "whole": str},
        "litres_ask": {"thing": Noun, "unit": Noun},
        "missing_ask": {"thing": Noun, "unit": Noun},
        "whole": {"part": str, "percent": str},
        "change": {"noun": Noun, "before": str, "after": str},
        "change_given": {"noun": Noun, "before": str, "after": str},
        "change_ask": {"noun": Noun},
        "signed": PAIR,
        "signed_ask": {"noun": Noun},
        "absolute": PAIR,
        "absolute_ask": {"noun": Noun},
        "relative": PAIR,
        "relative_ask": {"noun": Noun},
        "set_given": PAIR,
        "raise": {"noun": Noun, "value": str, "percent": str},
        "lower": {"noun": Noun, "value": str, "percent": str},
        "tolerance": PAIR | {"percent": str},
        "tolerance_ask": {"percent": str},
        "points": {"noun": Noun, "before": str, "after": str},
        "sum_share_ask": PLACE,
        "sum_share_both": PLACE,
        "part": PARTS | {"a": str, "b": str},
        "part_ask": PARTS,
        "output": MACHINE | {"max": str, "percent": str},
        "output_ask": MACHINE,
        "slow": MACHINE | {"value": str, "percent": str},
        "fast": MACHINE | {"value": str, "percent": str},
        "spent": {"whole": str, "percent": str, "unit": str},
        "signed_in": {"noun": Noun, "unit": str},
        "check_given": PAIR | {"tolerance": str},
        "check_ask": {"noun": Noun},
        "check_rel_ask": {"noun": Noun},
        "check_ok_ask": {"noun": Noun},
        "delta_ask": {"noun": Noun, "unit": str},
        "delta_both_ask": {"noun": Noun},
        "litres_both_ask": {"thing": Noun, "unit": Noun},
        "level_both_ask": {"thing": Noun},
        "dev_both_ask": {"noun": Noun},
        "shares_ask": {"noun": Noun},
        "fromto": {"thing": Noun, "whole": str, "a": str, "b": str, "unit": str},
        "fromto_ask": {"unit": str},
        "undo_raise": {"noun": Noun, "value": str, "percent": str},
        "undo_lower": {"noun": Noun, "value": str, "percent": str},
        "bounds_given": {"noun": Noun, "set": str, "tolerance": str},
        "bounds_ask": {},
        "above_ask": {"noun": Noun},
        "below_ask": {"noun": Noun},
        "new_ask": {"noun": Noun},
        "whole_ask": {},
        "points_ask": {"noun": Noun},
    },
)
KINDS = {
    "share": 22, "level": 10, "of": 12, "litres": 9, "missing": 7, "whole": 5, "change": 20,
    "signed": 14, "absolute": 9, "relative": 10, "raise": 7, "lower": 9, "tolerance": 10,
    "points": 5, "sum_share": 10, "counts": 4, "part": 8, "output": 8, "slow": 7, "fast": 5, "spent": 4,
    "ph": 5, "delta": 6, "check": 16, "several": 10,
    "shares": 8, "fromto": 8, "undo": 6, "bounds": 8, "apart": 6,
}  # fmt: skip
VESSELS = {
    "en": words.nouns("en", "tank|cistern|pool|barrel|water tank|reservoir|boiler|silo|container"),
    "fr": words.nouns(
        "fr", "f cuve|f citerne|f piscine|m réservoir|m bassin|m ballon|m fût|m silo|f bâche"
    ),
}
# What is counted, and in which state some of it is; the French words agree.
ITEMS = {
    "en": [
        (Noun(item, "en", "m", True), state)
        for item, states in (
            ("sensors", "online offline silent faulty"),
            ("devices", "online offline active asleep"),
            ("lamps", "on off broken"),
            ("windows", "open closed"),
            ("valves", "open closed blocked"),
            ("doors", "locked open"),
            ("batteries", "low full empty"),
            ("messages", "lost late valid"),
            ("samples", "valid invalid missing"),
            ("pumps", "running stopped"),
            ("rooms", "empty occupied heated"),
            ("parts", "defective good"),
        )
        for state in states.split()
    ],
    "fr": [
        (Noun(item, "fr", gender, True), state)
        for gender, item, states in (
            ("m", "capteurs", "connectés,hors ligne,muets,en panne"),
            ("m", "appareils", "connectés,hors ligne,actifs,en veille"),
            ("f", "lampes", "allumées,éteintes,cassées"),
            ("f", "fenêtres", "ouvertes,fermées"),
            ("f", "vannes", "ouvertes,fermées,bloquées"),
            ("f", "portes", "verrouillées,ouvertes"),
            ("f", "batteries", "faibles,pleines,vides"),
            ("m", "messages", "perdus,valides,en retard"),
            ("f", "mesures", "valides,invalides,manquantes"),
            ("f", "pompes", "en marche,arrêtées"),
            ("f", "pièces", "vides,occupées,chauffées"),
        )
        for state in states.split(",")
    ],
}
SILOS = {
    "en": words.nouns("en", "silo|hopper|container|grain bin|flour silo|feed silo|salt bin|pellet store"),
    "fr": words.nouns("fr", "m silo|f trémie|m conteneur|m silo à grain|m silo à farine|m bac à sel"),
}
AMOUNTS = statement.Amounts(
    {
        "capacity": (
            "tank capacity|total volume|tank size; capacity_l total_l tank_l",
            "f capacité de la cuve|m volume total|f contenance; capacite_l contenance_l total_l",
        ),
        "content": (
            "content|current volume|stock; content_l volume_l stock_l",
            "m contenu|m volume actuel|m stock; contenu_l volume_l stock_l",
        ),
        "level": (
            "fill level|level|filling level; level_pct fill_pct level",
            "m niveau de remplissage|m niveau|m remplissage; niveau_pct remplissage_pct niveau",
        ),
        "set": ("set point|target|setting; setpoint target set", "f consigne|f cible|f valeur cible; consigne cible"),
    }
)


def make(rng, language, held_out):
    kind = rng.choices(list(KINDS), KINDS.values())[0]
    make_ = {
        "share": _share, "level": _level, "of": _of, "litres": _litres, "missing": _litres,
        "whole": _whole, "change": _change, "signed": _deviation, "absolute": _deviation,
        "relative": _deviation, "raise": _raise, "lower": _raise, "tolerance": _tolerance,
        "points": _points, "sum_share": _sum_share, "counts": _counts, "part": _part, "output": _output,
        "slow": _turned, "fast": _turned, "spent": _spent, "ph": _unitless, "delta": _delta, "check": _check,
        "several": _both, "shares": _shares, "fromto": _fromto, "undo": _undo, "bounds": _bounds, "apart": _apart,
    }[kind]  # fmt: skip
    return make_(rng, language, held_out, kind)


def _percent_text(rng, language, value, separator, decimals=0):
    """`40 %`, `40%`, `40 percent`."""
    return units.said(rng, language, value, decimals, "%", separator, 0.75)


def _finish(
    rng, language, held_out, label, stated, lines, answer, separator, facts, rounded=None
):  # fmt: skip
    question, phrasings = stated.question, stated.phrasings
    if rounded:
        question, phrasings = rounding.then(question, rounded), (*phrasings, rounded)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [label, *lines],
        answer,
        stated.data,
        separator,
        exact=True,
        facts=facts,
        phrasings=phrasings,
    )


def _percent_answer(language, value, decimals, keys=None):
    """A percentage: its sign is said, as every question asks for one."""
    names = keys or {"en": ["percent", "answer", "value"], "fr": ["pourcentage", "answer"]}
    return Answer(
        "{value} %", {"value": Amount(value, decimals)}, {"value": names[language]}
    )


def _ratio(part, part_decimals, whole, whole_decimals, places=2):
    """`part` as a percentage of `whole`: times a hundred, then the division."""
    line, hundred, decimals = arithmetic.shifted(part, part_decimals, 2)
    more, value, made, exact = arithmetic.quotient(
        hundred, decimals, whole, whole_decimals, places
    )
    return [line, *more], value, made, exact


def _asked_places(rng, language, held_out, exact):
    """How many decimals a percentage gets, and the request for them."""
    if exact * 100 % 1 == 0 and (exact % 1 == 0 or rng.random() < 0.8):
        return 2, None
    if rng.random() < 0.15 or exact < 1:
        return 2, None
    places = rng.choice([0, 1, 1])
    return places, rounding.ask(rng, language, held_out, places)


def _share(rng, language, held_out, kind):
    """A number of things in some state, of all."""
    items, state = rng.choice(ITEMS[language])
    whole = units.easy(rng, 4, 300, 0.1)
    part = rng.randint(1, whole)
    if rng.random() < 0.75:
        part = max(1, whole * rng.choice([5, 10, 20, 25, 30, 40, 50, 60, 75, 80, 90]) // 100)
    exact = Fraction(part * 100, whole)
    places, rounded = _asked_places(rng, language, held_out, exact)
    lines, value, made, _ = _ratio(part, 0, whole, 0, places)
    slots = {"part": str(part), "whole": str(whole), "items": items, "state": state}
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, ".")
    facts = {"kind": kind, "part": str(part), "whole": str(whole), "places": places}
    answer = _percent_answer(language, value, made)
    return _finish(rng, language, held_out, kind, stated, lines, answer, "", facts, rounded)


def _level(rng, language, held_out, kind):
    """A content and a capacity; how full that is."""
    separator = telemetry.separator(rng, language)
    whole = units.easy(rng, 20, 9000, 0.08)
    part = rng.randint(1, whole)
    if rng.random() < 0.75:
        part = max(1, whole * rng.randint(1, 19) * 5 // 100)
    exact = Fraction(part * 100, whole)
    places, rounded = _asked_places(rng, language, held_out, exact)
    lines, value, made, _ = _ratio(part, 0, whole, 0, places)
    thing = rng.choice(VESSELS[language])
    slots = {
        "thing": thing,
        "part": units.said(rng, language, part, 0, "L", separator),
        "whole": units.said(rng, language, whole, 0, "L", separator),
    }
    known = [
        AMOUNTS.fact(rng, language, "content", (part, 0, "L")),
        AMOUNTS.fact(rng, language, "capacity", (whole, 0, "L")),
    ]
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, known)
    facts = {"kind": "share", "part": str(part), "whole": str(whole), "places": places}
    answer = _percent_answer(
        language, value, made, {"en": ["level", "percent", "answer"], "fr": ["niveau", "answer"]}
    )
    return _finish(
        rng, language, held_out, "share", stated, lines, answer, separator, facts, rounded
    )


def _share_of(rng):
    """A percentage, mostly a round one, and its decimals."""
    if rng.random() < 0.08:
        return rng.choice([25, 75, 125, 375]), 1
    return rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, rng.randint(2, 98)]), 0


def _of(rng, language, held_out, kind):
    """A percentage of a number with a unit."""
    separator = telemetry.separator(rng, language)
    percent, percent_decimals = _share_of(rng)
    unit = rng.choice(["L", "L", "W", "kWh", "Wh", "kg", "m³", "h", "€", "bar", ""])
    if unit in ("W", "Wh", "L"):
        whole, decimals = units.easy(rng, 20, 9000, 0.3), 0
    else:
        whole, decimals = arithmetic.trimmed(rng.randint(5, 900), rng.choice([0, 1]))
    lines, value, made = arithmetic.times(whole, decimals, percent, percent_decimals + 2)
    if unit:
        spelled = unit if unit == "€" else units.spell(rng, language, unit, 0.7)
        said = f"{telemetry.written(text(whole, decimals), separator)} {spelled}"
    else:
        spelled, said = "", telemetry.written(text(whole, decimals), separator)
    slots = {
        "percent": _percent_text(rng, language, percent, separator, percent_decimals),
        "whole": said,
    }
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": kind, "percent": text(percent, percent_decimals)}
    facts["whole"] = text(whole, decimals)
    answer = Answer("{value}", {"value": Amount(value, made, spelled)})
    return _finish(rng, language, held_out, kind, stated, lines, answer, separator, facts)


def _of_water(stated):
    """Whether a question or its data speak of water or litres, which stores of kilograms do not hold."""
    told = stated.question.text + (stated.data.text if stated.data else "")
    return bool(re.search(r"water|litre|liter|\beaux?\b|pour out|drain|vidang", told, re.IGNORECASE))


def _litres(rng, language, held_out, kind):
    """A level in percent in litres, or the litres that are missing."""
    separator = telemetry.separator(rng, language)
    percent = _share_of(rng)[0] if rng.random() < 0.9 else rng.randint(2, 98)
    percent = min(percent, 98)
    whole = units.easy(rng, 20, 9000, 0.25)
    share = percent if kind == "litres" else 100 - percent
    lines = [] if kind == "litres" else [arithmetic.subtraction(100, percent, 0)[0]]
    more, value, made = arithmetic.times(whole, 0, share, 2)
    symbol = rng.choices(["L", "kg", "m³"], [70, 22, 8])[0]
    spelled = units.spell(rng, language, symbol, 0.4)
    unit = Noun(spelled, language, "" if len(spelled) < 3 else "m", True)
    thing = rng.choice((SILOS if symbol == "kg" else VESSELS)[language])
    slots = {
        "thing": thing,
        "percent": _percent_text(rng, language, percent, separator),
        "whole": units.said(rng, language, whole, 0, symbol, separator),
        "unit": unit,
    }
    known = [
        AMOUNTS.fact(rng, language, "level", (percent, 0, "%")),
        AMOUNTS.fact(rng, language, "capacity", (whole, 0, symbol)),
    ] if symbol == "L" else []
    section = kind if kind == "litres" else "no_such"
    ask = "" if kind == "litres" else "missing_ask"
    while True:
        stated = statement.state(
            rng, WORDING, language, held_out, section, slots, separator, known,
            ask=ask, given="litres_given",
        )  # fmt: skip
        if symbol == "L" or not _of_water(stated):
            break
    facts = {"kind": kind, "percent": str(percent), "whole": str(whole)}
    if "unit" in stated.slots:
        answer = Answer("{value}", {"value": Amount(value, made, str(unit))})
    else:
        answer = Answer("{value} {unit}", {"value": Amount(value, made), "unit": symbol})
    label = "of" if kind == "litres" else "of rest"
    return _finish(
        rng, language, held_out, label, stated, [*lines, *more], answer, separator, facts
    )


def _whole(rng, language, held_out, kind):
    """A part and its percentage; the whole."""
    separator = telemetry.separator(rng, language)
    percent = rng.choice([5, 10, 20, 25, 30, 40, 50, 60, 75, 80, 15])
    whole = rng.randint(2, 90) * rng.choice([10, 20, 100])
    part, decimals = arithmetic.trimmed(whole * percent, 2)
    unit = rng.choice(["L", "W", "kWh", "kg", "m³"])
    spelled = units.spell(rng, language, unit, 0.7)
    line, hundred, made = arithmetic.shifted(part, decimals, 2)
    lines, value, made, _ = arithmetic.quotient(hundred, made, percent, 0)
    slots = {
        "part": f"{telemetry.written(text(part, decimals), separator)} {spelled}",
        "percent": _percent_text(rng, language, percent, separator),
    }
    if rng.random() < 0.35:
        keys = PART_KEYS[language]
        fields = [(rng.choice(keys[0].split()), text(part, decimals), unit)]
        fields.append((rng.choice(keys[1].split()), str(percent), "%"))
        stated = _asked(rng, language, held_out, "whole_ask", slots, _keyed(rng, _mixed(rng, fields), separator))
        spelled = unit
    else:
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": kind, "part": text(part, decimals), "percent": str(percent)}
    answer = Answer("{value}", {"value": Amount(value, made, spelled)})
    return _finish(rng, language, held_out, kind, stated, [line, *lines], answer, separator, facts)


def _quantity(rng, negative=False):
    """A quantity that makes sense in percent changes, not itself in percent."""
    pool = [
        q for q in words.QUANTITIES if q.unit not in ("%", "dB") and (negative or q.low >= 0)
    ]
    return rng.choice(pool)


def _change(rng, language, held_out, kind):
    """The change from one value to another in percent, with its sign."""
    separator = telemetry.separator(rng, language)
    quantity, before, before_decimals, after, decimals = _before_after(rng, True)
    exact = abs(Fraction(after, 10**decimals) / Fraction(before, 10**before_decimals) - 1) * 100
    places, rounded = _asked_places(rng, language, held_out, exact)
    a, b, d = arithmetic.aligned(after, decimals, before, before_decimals)
    line, difference = arithmetic.change(a, b, d)
    lines, value, made, _ = _ratio(*arithmetic.trimmed(difference, d), before, before_decimals, places)
    slots = {
        "noun": quantity.noun[language],
        "before": units.said(rng, language, before, before_decimals, quantity.unit, separator, 1),
        "after": units.said(rng, language, after, decimals, quantity.unit, separator, 1),
    }
    facts = {"kind": kind, "before": text(before, before_decimals), "after": text(after, decimals)}
    if rng.random() < 0.25:
        told = _moved_told(rng, language, quantity, facts, separator)
        stated = _asked(rng, language, held_out, "change_ask", slots, told)
    else:
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts["places"] = places
    keys = {"en": ["change", "percent", "answer"], "fr": ["variation", "answer"]}
    answer = _percent_answer(language, value, made, keys)
    return _finish(
        rng, language, held_out, kind, stated, [line, *lines], answer, separator, facts, rounded
    )


def _reading(rng, relative=False):
    """A quantity, a set point and a measured value, each with its decimals."""
    quantity = rng.choice([q for q in words.QUANTITIES if q.low >= 0 or not relative])
    low, high = int(quantity.low), int(quantity.high)
    if relative:
        quantity = _quantity(rng)
        low, high = max(2, int(quantity.low)), int(quantity.high)
        set_, set_decimals = units.easy(rng, low, high, 0.1), 0
        percent = rng.choice([1, 2, 4, 5, 8, 10, 12, 15, 20, 25, 30, 50]) * rng.choice([-1, 1])
        value, decimals = arithmetic.trimmed(set_ * (100 + percent), 2)
        if decimals > 1 or rng.random() < 0.2:
            value, decimals = set_ + rng.choice([-1, 1]) * rng.randint(1, max(1, set_ // 3)), 0
        return quantity, set_, set_decimals, value, decimals
    decimals = rng.choice(quantity.decimals)
    set_decimals = decimals if decimals and rng.random() < 0.3 else 0
    set_ = rng.randint(low * 10**set_decimals, high * 10**set_decimals)
    reach = max(2, (high - low) // rng.choice([3, 8, 20])) * 10**decimals
    value = set_ * 10 ** (decimals - set_decimals) + rng.randint(-reach, reach)
    if quantity.low >= 0:
        value = max(0, value)
    return quantity, set_, set_decimals, value, decimals


def _set_facts(rng, language, quantity, set_, set_decimals, value, decimals):
    """The set point and the reading as telemetry."""
    return [
        AMOUNTS.fact(rng, language, "set", (set_, set_decimals, quantity.unit)),
        telemetry.reading(rng, language, quantity, value, decimals),
    ]


def _deviation(rng, language, held_out, kind):
    """How far a reading is from its set point: with sign, in size, or in percent."""
    separator = telemetry.separator(rng, language)
    quantity, set_, set_decimals, value, decimals = _reading(rng, kind == "relative")
    a, b, d = arithmetic.aligned(value, decimals, set_, set_decimals)
    if a == b:
        return _deviation(rng, language, held_out, kind)
    line, difference = arithmetic.change(a, b, d)
    lines, places, rounded = [line], 9, None
    slots = {
        "noun": quantity.noun[language],
        "value": units.said(rng, language, value, decimals, quantity.unit, separator, 1),
        "set": units.said(rng, language, set_, set_decimals, quantity.unit, separator, 1),
    }
    facts = {
        "kind": kind,
        "value": text(value, decimals),
        "set": text(set_, set_decimals),
    }
    known = _set_facts(rng, language, quantity, set_, set_decimals, value, decimals)
    ask = f"{kind}_ask"
    if kind == "signed" and quantity.unit != "%" and rng.random() < 0.35:  # "in %" could mean a share of the set point
        ask, slots["unit"] = "signed_in", quantity.unit
    if rng.random() < 0.2:
        told = _pair_told(rng, language, quantity, value, decimals, set_, set_decimals, separator)
        stated = _asked(rng, language, held_out, ask, slots, told)
    else:
        section = kind if ask == f"{kind}_ask" or rng.random() < 0.2 else "no_such"
        stated = statement.state(
            rng, WORDING, language, held_out, section, slots, separator, known,
            ask=ask, given="set_given", avoid=(quantity.id,),
        )  # fmt: skip
    if kind == "relative":
        exact = abs(Fraction(difference, 10**d) * 100 / Fraction(set_, 10**set_decimals))
        places, rounded = _asked_places(rng, language, held_out, exact)
        more, result, made, _ = _ratio(
            *arithmetic.trimmed(difference, d), set_, set_decimals, places
        )
        lines += more
        answer = _percent_answer(
            language,
            result,
            made,
            {"en": ["deviation", "percent", "answer"], "fr": ["ecart", "answer"]},
        )
    else:
        result = difference if kind == "signed" else abs(difference)
        if kind == "absolute" and difference < 0:
            result, made = arithmetic.trimmed(result, d)
            lines.append(f"abs ={text(result, made)}")
        else:
            lines, result, made = arithmetic.finish(lines, result, d)
        keys = {"en": ["deviation", "error", "answer"], "fr": ["ecart", "erreur", "answer"]}
        answer = Answer(
            "{value}", {"value": Amount(result, made, quantity.unit)}, {"value": keys[language]}
        )
    facts["places"] = places
    label = {"signed": "dev", "absolute": "dev abs", "relative": "dev %"}[kind]
    return _finish(
        rng, language, held_out, label, stated, lines, answer, separator, facts, rounded
    )


def _raise(rng, language, held_out, kind):
    """A value after it was raised or lowered by a percentage."""
    separator = telemetry.separator(rng, language)
    quantity = _quantity(rng)
    value, decimals = units.easy(rng, 4, max(20, int(quantity.high)), 0.3), 0
    percent = rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 8, 12])
    lines, part, made = arithmetic.times(value, decimals, percent, 2)
    a, b, d = arithmetic.aligned(value, decimals, part, made)
    line, result = (arithmetic.addition if kind == "raise" else arithmetic.subtraction)(a, b, d)
    lines, result, made = arithmetic.finish([*lines, line], result, d)
    slots = {
        "noun": quantity.noun[language],
        "value": units.said(rng, language, value, decimals, quantity.unit, separator, 1),
        "percent": _percent_text(rng, language, percent, separator),
    }
    if rng.random() < 0.3:
        key = rng.choice(TURN_KEYS[language][kind == "lower"].split())
        fields = [(rng.choice(quantity.keys[language]), text(value, decimals), quantity.unit), (key, str(percent), "%")]
        stated = _asked(rng, language, held_out, "new_ask", slots, _keyed(rng, _mixed(rng, fields), separator))
    else:
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": kind, "value": text(value, decimals), "percent": str(percent)}
    answer = Answer("{value}", {"value": Amount(result, made, quantity.unit)})
    label = "plus %" if kind == "raise" else "minus %"
    return _finish(rng, language, held_out, label, stated, lines, answer, separator, facts)


def _tolerance(rng, language, held_out, kind):
    """Whether a reading lies within some percent of its set point."""
    separator = telemetry.separator(rng, language)
    quantity, set_, set_decimals, value, decimals = _reading(rng, True)
    percent = rng.choice([5, 10, 10, 15, 20, 25, 2])
    allowed = Fraction(set_ * percent, 100)
    if rng.random() < 0.5:
        near = int(allowed * rng.choice([Fraction(1, 2), 1, 1, Fraction(3, 2)]))
        value, decimals = set_ + rng.choice([-1, 1]) * near, 0
    a, b, d = arithmetic.aligned(value, decimals, set_, set_decimals)
    line, difference = arithmetic.change(a, b, d)
    lines, limit, made = arithmetic.times(set_, set_decimals, percent, 2)
    check, holds = arithmetic.comparison(
        *arithmetic.trimmed(abs(difference), d), "<=", limit, made
    )
    lines = [*lines, line, check]
    slots = {
        "noun": quantity.noun[language],
        "value": units.said(rng, language, value, decimals, quantity.unit, separator, 1),
        "set": units.said(rng, language, set_, set_decimals, quantity.unit, separator, 1),
        "percent": _percent_text(rng, language, percent, separator),
    }
    known = _set_facts(rng, language, quantity, set_, set_decimals, value, decimals)
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known,
        given="set_given", avoid=(quantity.id,),
    )  # fmt: skip
    facts = {"kind": kind, "value": text(value, decimals), "set": text(set_, set_decimals)}
    facts["percent"] = str(percent)
    answer = Answer(f"{words.YES_NO[language][0 if holds else 1]}.", {"truth": holds})
    return _finish(rng, language, held_out, "tol", stated, lines, answer, separator, facts)


def _points(rng, language, held_out, kind):
    """The difference of two percentages, in points."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.unit == "%"])
    decimals = rng.choice(quantity.decimals)
    before, after = (rng.randint(5 * 10**decimals, 98 * 10**decimals) for _ in range(2))
    if before == after:
        after -= 1
    line, difference = arithmetic.change(after, before, decimals)
    lines, value, made = arithmetic.finish([line], difference, decimals)
    slots = {
        "noun": quantity.noun[language],
        "before": _percent_text(rng, language, before, separator, decimals),
        "after": _percent_text(rng, language, after, separator, decimals),
    }
    facts = {"kind": kind, "before": text(before, decimals), "after": text(after, decimals)}
    if rng.random() < 0.25:
        told = _moved_told(rng, language, quantity, facts, separator)
        stated = _asked(rng, language, held_out, "points_ask", slots, told)
    else:
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, given="change_given")
    answer = Answer("{value}", {"value": Amount(value, made)})
    return _finish(rng, language, held_out, kind, stated, lines, answer, separator, facts)


# Layouts of this family's own ------------------------------------------------------------


def _asked(rng, language, held_out, section, slots, told):
    """A question of the section over data that are told already."""
    known = {name: slots[name] for name in WORDING.slots[section]}
    question = WORDING.say(rng, language, section, held_out, **known)
    return statement.Stated(question, told, (), question.slots)


def _keyed(rng, fields, separator, root=""):
    """A few amounts, (key, number, unit), as JSON, pairs, lines, or under the name `root`, before each key or once."""
    if len({unit for _, _, unit in fields}) == 1 and fields[0][2] and rng.random() < 0.2:  # the unit once for all
        fields = [*((key, number, "") for key, number, _ in fields), ("unit", fields[0][2], "")]
    layout = rng.choice(["json", "json", "pairs", "pairs", "lines"] + (["dotted", "dotted", "yaml"] if root else []))
    separator = "." if layout in ("json", "yaml") else separator
    numbers = [telemetry.written(number, separator) for _, number, _ in fields]
    stands = separator if any(separator in number for number in numbers) else ""
    keys, space = [key for key, _, _ in fields], rng.choice([" ", " ", ""])
    full = [f"{number}{space}{unit}" if unit else number for number, (_, _, unit) in zip(numbers, fields)]
    if layout == "json":
        texts = rng.random() < 0.3 and any(unit for _, _, unit in fields)
        data = {k: t if texts or k == "unit" else telemetry.Number(n) for k, t, n in zip(keys, full, numbers)}
        data = {root: data} if root and rng.random() < 0.5 else data
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.4), layout, [], True, stands)
    if layout == "pairs":
        between = rng.choice([" ", " ", "; ", " | "])
        return telemetry.Told(between.join(map("=".join, zip(keys, full))), layout, [], False, stands)
    if layout == "yaml":
        lines = [f"{root}:", *(f" {key}: {text}" for key, text in zip(keys, full))]
        return telemetry.Told("\n".join(lines), layout, [], True, stands)
    glue = rng.choice([": ", " = ", " : ", "="])
    head = f"{root}{rng.choice('./.')}" if layout == "dotted" else ""
    lines = [f"{head}{key}{glue}{text}" for key, text in zip(keys, full)]
    return telemetry.Told("\n".join(lines), layout, [], True, stands)


def _mixed(rng, fields):
    """The fields, mostly in their order."""
    return fields[::-1] if rng.random() < 0.35 else fields


PART_KEYS = {
    "en": ["part amount reading content quantity", "pct percent share_pct percentage level_pct"],
    "fr": ["partie quantite mesure contenu montant", "pct pourcentage part_pct pourcent niveau_pct"],
}
TURN_KEYS = {
    "en": ["increase_pct raise_pct plus_pct increase_percent", "decrease_pct reduction_pct minus_pct cut_percent"],
    "fr": [
        "hausse_pct augmentation_pct plus_pct hausse_pourcent", "baisse_pct reduction_pct moins_pct baisse_pourcent"
    ],
}
MOVED_KEYS = {
    "en": ["before after", "old new", "previous current", "yesterday today", "start end", "then now"],
    "fr": ["avant apres", "ancien nouveau", "precedent actuel", "hier aujourdhui", "debut fin", "depart arrivee"],
}


def _moved_told(rng, language, quantity, facts, separator):
    """Two values of a quantity, `before=380 lux after=665 lux`, the earlier one first."""
    keys = rng.choice(MOVED_KEYS[language]).split()
    if rng.random() < 0.35:
        name = rng.choice(quantity.keys[language])
        keys = [f"{name}_{key}" for key in keys]
    fields = [(key, facts[which], quantity.unit) for key, which in zip(keys, ("before", "after"))]
    return _keyed(rng, fields, separator)


SET_KEYS = {
    "en": [
        "target setpoint set sp wanted goal nominal setpoint",
        "measured actual current pv reading now value measured",
    ],
    "fr": ["consigne cible consigne voulu objectif nominal sp", "mesure mesure actuel releve lu valeur pv"],
}


def _pair_told(rng, language, quantity, value, decimals, set_, set_decimals, separator, more=()):
    """Set point and measurement, in either order, `"target_ph": 6.0, "measured_ph": 6.4`; `more` fields behind them."""
    set_key, value_key = (rng.choice(keys.split()) for keys in SET_KEYS[language])
    if rng.random() < 0.4:
        name = rng.choice(quantity.keys[language])
        if rng.random() < 0.7 or language == "fr":
            set_key, value_key = f"{set_key}_{name}", f"{value_key}_{name}"
        else:
            set_key, value_key = f"{name}_{set_key}", f"{name}_{value_key}"
    fields = [(set_key, text(set_, set_decimals), quantity.unit), (value_key, text(value, decimals), quantity.unit)]
    if rng.random() < 0.5:
        fields.reverse()
    return _keyed(rng, [*fields, *more], separator)


# Parts of a sum, and of another amount ------------------------------------------------------------

# Units whose readings one adds up, if the quantity is a use or a store.
ADDED = ("kWh", "W", "kW", "m³", "kg", "g", "L", "MWh", "MB")


def _parts(rng, count, decimals=0):
    """Amounts, the index of one, and their sum, of which that one is mostly a round share."""
    while True:
        total = units.easy(rng, 4 * count, 900, 0.15) * 10**decimals
        percent = rng.choice([5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 75, 80])
        rough = rng.random() < 0.2
        part = rng.randint(1, total - count) if rough else total * percent // 100
        if not rough and total * percent % 100 or not 0 < part <= total - count + 1:
            continue
        cuts = sorted(rng.sample(range(1, total - part), count - 2)) if count > 2 else []
        others = [b - a for a, b in zip([0, *cuts], [*cuts, total - part])]
        chosen = rng.randrange(count)
        return others[:chosen] + [part] + others[chosen:], chosen, total


def _summed(values, chosen, total, decimals, places, name=""):
    """The steps of a sum and of one value's share in it: the sum as `aggregates` writes it, the value fetched."""
    lines, _ = arithmetic.running_sum(values, decimals)
    whole, whole_decimals = arithmetic.trimmed(total, decimals)
    lines.append(f"={text(whole, whole_decimals)}")
    value, value_decimals = arithmetic.trimmed(values[chosen], decimals)
    if name:
        lines.append(f"{name} {text(values[chosen], decimals)}")
    more, result, made, _ = _ratio(value, value_decimals, whole, whole_decimals, places)
    return [*lines, *more], (whole, whole_decimals), (result, made)


SHARE_KEYS = {
    "en": ["share", "percent", "share_percent", "pct", "percentage", "share_pct", "part_percent", "part"],
    "fr": ["part", "pourcentage", "part_pct", "pct", "part_pourcent", "part_en_pourcent", "proportion"],
}
TOTAL_KEYS = {
    "en": ["total", "sum", "total_value", "all", "together", "overall", "grand_total"],
    "fr": ["total", "somme", "ensemble", "cumul", "total_general", "tout", "total_tous"],
}


def _sum_share(rng, language, held_out, kind, several=False):
    """The share of one reading in the sum of all; `several`: the sum, too."""
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(
        rng, language, rng.choice([2, 3, 3, 3, 4, 4, 5]), held_out, negative=False,
        among=lambda q: q.unit in ADDED and q.low >= 0,
    )  # fmt: skip
    readings.decimals = 1 if rng.random() < 0.3 else 0
    readings.values, chosen, total = _parts(rng, len(readings.names), readings.decimals)
    exact = Fraction(readings.values[chosen] * 100, total)
    places, rounded = (2, None) if several else _asked_places(rng, language, held_out, exact)
    told = telemetry.tell(rng, readings, separator, distract=rng.random() < 0.1)
    lines, whole, share = _summed(readings.values, chosen, total, readings.decimals, places, told.names[chosen])
    slots = {"place": readings.names[chosen], "noun": readings.noun}
    section = "sum_share_both" if several and rng.random() < 0.7 else "sum_share_ask"
    stated = _asked(rng, language, held_out, section, slots, told)
    every = [readings.value(i) for i in range(len(readings.values))]
    facts = {"kind": "sum_share", "part": every[chosen], "all": every, "places": places}
    if several:
        facts["both"] = True
        fields = {"total": Amount(*whole, readings.unit), "share": Amount(*share, "%")}
        answer = Answer("", fields, {"total": TOTAL_KEYS[language], "share": SHARE_KEYS[language]}, several=True)
    else:
        answer = _percent_answer(language, *share, {"en": SHARE_KEYS["en"], "fr": SHARE_KEYS["fr"]})
    label = "sum + share" if several else "sum share"
    return _finish(rng, language, held_out, label, stated, lines, answer, separator, facts, rounded)


def _counts(rng, language, held_out, kind):
    """How many things are in each state; the share of one state."""
    items, state = rng.choice(ITEMS[language])
    states = list(dict.fromkeys(s for i, s in ITEMS[language] if i.text == items.text))
    states = [state, *rng.sample([s for s in states if s != state], min(len(states) - 1, rng.choice([1, 1, 2, 3])))]
    if len(states) < 2:
        return _counts(rng, language, held_out, kind)
    rng.shuffle(states)
    values, chosen, total = _parts(rng, len(states))
    state = states[chosen]
    exact = Fraction(values[chosen] * 100, total)
    places, rounded = _asked_places(rng, language, held_out, exact)
    lines, _, (result, made) = _summed(values, chosen, total, 0, places, state)
    told = _counts_told(rng, language, items, states, values)
    stated = _asked(rng, language, held_out, "share_ask", {"items": items, "state": state}, told)
    if "state" not in stated.slots:
        return _counts(rng, language, held_out, kind)
    facts = {"kind": "sum_share", "part": str(values[chosen]), "all": list(map(str, values)), "places": places}
    answer = _percent_answer(language, result, made)
    return _finish(rng, language, held_out, "share", stated, lines, answer, "", facts, rounded)


def _counts_told(rng, language, items, states, values):
    """`Sensors: 18 online, 2 offline`, the same as pairs, lines or JSON."""
    colon = telling.COLON[language]
    layout = rng.choice(["sentence", "sentence", "pairs", "lines", "json"])
    keys = [state.replace(" ", "_") for state in states]
    if layout == "json":
        data = {key: telemetry.Number(value) for key, value in zip(keys, values)}
        data = {items.text: data} if rng.random() < 0.6 else data
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.4), "map", [], True, "")
    if layout == "pairs":
        pairs = rng.choice([" ", "; ", ", "]).join(f"{key}={value}" for key, value in zip(keys, values))
        return telemetry.Told(pairs, layout, [], False, "")
    if layout == "lines":
        glue = rng.choice([colon, " = ", " "])
        head = rng.choice(["", f"{wording.capital(items.text)}{colon.rstrip()}\n"])
        return telemetry.Told(head + "\n".join(f"{s}{glue}{v}" for s, v in zip(states, values)), layout, [], True, "")
    listed = telemetry.joined([f"{value} {state}" for state, value in zip(states, values)], language)
    if rng.random() < 0.5:
        return telemetry.Told(f"{wording.capital(items.text)}{colon}{listed}.", layout, [], False, "")
    others = telemetry.joined([f"{value} {state}" for state, value in zip(states[1:], values[1:])], language)
    return telemetry.Told(f"{values[0]} {items.text} {states[0]}, {others}.", layout, [], False, "")


# An amount, one that it is a part of, their unit, and how programs call them.
PARTS_OF = {
    "en": [
        "solar energy used|total load|kWh|solar_used solar_kwh pv_used|total_load load total_kwh",
        "night consumption|daily consumption|kWh|night night_kwh|day_total daily_kwh total",
        "heating energy|total consumption|kWh|heating heating_kwh|total total_kwh",
        "hot water use|total water use|L|hot_water hot_l|water_total total_l",
        "rainwater used|water used|m³|rain_used rain_m3|water_used total_m3",
        "water lost|water pumped|m³|lost leak_m3|pumped pumped_m3",
        "scrap|production|kg|scrap waste_kg|production output_kg",
        "downtime|planned time|h|downtime down_h stops|planned planned_h",
        "running time|observation period|h|running on_h|period period_h",
        "solar energy exported|solar production|kWh|exported fed_in|produced pv_total",
        "charge left|battery capacity|Ah|charge remaining_ah|capacity capacity_ah",
        "energy left|battery capacity|kWh|left energy_left|capacity nameplate",
        "space used|disk size|GB|used disk_used|size disk_size",
        "amount spent|budget|€|spent used|budget total_budget",
        "feed eaten|feed given|kg|eaten feed_eaten|given feed_given",
        "standby power|total power|W|standby idle_w|total_power power_w",
    ],
    "fr": [
        "f énergie solaire utilisée|f consommation totale|kWh|solaire_utilise pv_utilise|conso_totale total",
        "f consommation de nuit|f consommation du jour entier|kWh|nuit nuit_kwh|jour_total total_kwh",
        "m chauffage|f consommation totale|kWh|chauffage chauffage_kwh|total total_kwh",
        "f eau chaude|f consommation d'eau|L|eau_chaude chaude_l|eau_totale total_l",
        "f eau de pluie utilisée|f eau utilisée|m³|pluie pluie_m3|eau_utilisee total_m3",
        "f eau perdue|f eau pompée|m³|perdue fuite_m3|pompee pompee_m3",
        "m rebut|f production|kg|rebut rebut_kg|production produit_kg",
        "m temps d'arrêt|m temps prévu|h|arret arret_h|prevu prevu_h",
        "m temps de marche|f période observée|h|marche marche_h|periode periode_h",
        "f énergie solaire revendue|f production solaire|kWh|revendu injecte|produit pv_total",
        "f charge restante|f capacité de la batterie|Ah|charge reste_ah|capacite capacite_ah",
        "f énergie restante|f capacité de la batterie|kWh|reste energie|capacite nominale",
        "f place occupée|f taille du disque|GB|occupe disque_utilise|taille disque_total",
        "f somme dépensée|m budget|€|depense utilise|budget budget_total",
        "f ration mangée|f ration distribuée|kg|mange ration_mangee|distribue ration_totale",
        "f puissance en veille|f puissance totale|W|veille veille_w|puissance_totale total_w",
    ],
}


# The same where the one may be more than the other.
OVER = {
    "en": [
        "load|rated load|kW|load load_kw actual|rated rated_kw nominal",
        "output|target|kg|output made produced|target goal plan",
        "energy used|energy budget|kWh|used energy_used|budget budget_kwh",
        "measured flow|nominal flow|L/min|flow measured actual|nominal rated design",
        "current drawn|rated current|A|current drawn_a|rated rated_a",
    ],
    "fr": [
        "f charge|f charge nominale|kW|charge charge_kw actuelle|nominale charge_nominale",
        "f production|m objectif|kg|production produit|objectif prevu",
        "f énergie consommée|m budget d'énergie|kWh|conso conso_kwh|budget budget_kwh",
        "m débit mesuré|m débit nominal|L/min|debit mesure|nominal debit_nominal",
        "m courant mesuré|m courant nominal|A|courant mesure_a|nominal nominal_a",
    ],
}


def _part(rng, language, held_out, kind):
    """One amount as a percentage of another of the same unit."""
    over = rng.random() < 0.3
    separator = telemetry.separator(rng, language)
    part_noun, whole_noun, unit, part_keys, whole_keys = rng.choice(
        (OVER if over else PARTS_OF)[language]
    ).split("|")
    part_noun, whole_noun = words.nouns(language, part_noun)[0], words.nouns(language, whole_noun)[0]
    decimals = 0 if unit in ("W", "L") or rng.random() < 0.4 else 1
    whole = units.easy(rng, 5, 900 if not decimals else 90, 0.15)
    scaled = whole * 10**decimals
    part = rng.randint(1, scaled) if rng.random() < 0.2 else scaled * rng.randint(1, 19) // 20
    if over and rng.random() < 0.7:
        part = scaled * rng.randint(21, 34) // 20
    part, decimals = arithmetic.trimmed(max(1, part), decimals)
    exact = Fraction(part * 100, whole * 10**decimals)
    places, rounded = _asked_places(rng, language, held_out, exact)
    lines, value, made, _ = _ratio(part, decimals, whole, 0, places)
    slots = {"part": part_noun, "whole": whole_noun}
    slots["a"] = units.said(rng, language, part, decimals, unit, separator, 0.9)
    slots["b"] = units.said(rng, language, whole, 0, unit, separator, 0.9)
    part_key, whole_key = rng.choice(part_keys.split()), rng.choice(whole_keys.split())
    if rng.random() < 0.4:
        fields = [(part_key, text(part, decimals), unit), (whole_key, text(whole, 0), unit)]
        fields = fields[::-1] if rng.random() < 0.4 else fields
        stated = _asked(rng, language, held_out, "part_ask", slots, _keyed(rng, fields, separator))
    else:
        known = [
            statement.fact(part_noun, part_key, part, decimals, unit),
            statement.fact(whole_noun, whole_key, whole, 0, unit),
        ]
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, known)
    facts = {"kind": "share", "part": text(part, decimals), "whole": str(whole), "places": places}
    answer = _percent_answer(language, value, made, SHARE_KEYS)
    return _finish(rng, language, held_out, "share", stated, lines, answer, separator, facts, rounded)


# Machines that are turned down or up ------------------------------------------------------------

MACHINES = {
    "en": [
        ("dosing pump|water pump|circulation pump|feed pump|bilge pump", "flow", "L/h|L/min|m³/h", "flow"),
        ("fan|extractor|mixer|stirrer|centrifuge|spindle|motor|conveyor motor|blower", "speed", "rpm", "speed"),
        ("heater|boiler|burner|oven|inverter|compressor|heating element|charger", "power", "W|kW", "power"),
        ("charger|power supply|charging station|welder", "current", "A", "current"),
        ("ventilation unit|extractor|air handler", "air flow", "m³/h", "airflow"),
        ("lamp|grow light|floodlight|projector", "power", "W", "power"),
    ],
    "fr": [
        ("f pompe doseuse|f pompe|m circulateur|f pompe de cale", "m débit", "L/h|L/min|m³/h", "debit"),
        ("m ventilateur|m extracteur|m mélangeur|f centrifugeuse|m moteur", "f vitesse", "tr/min", "vitesse"),
        ("m chauffage|f chaudière|m brûleur|m four|m onduleur|m compresseur", "f puissance", "W|kW", "puissance"),
        ("m chargeur|f alimentation|f borne de recharge|m poste à souder", "m courant", "A", "courant"),
        ("f centrale d'air|m extracteur|f ventilation", "m débit d'air", "m³/h", "debit_air"),
        ("f lampe|m projecteur|f lampe horticole", "f puissance", "W", "puissance"),
    ],
}
RANGES = {"L/h": (20, 900), "L/min": (10, 300), "m³/h": (4, 900), "W": (40, 3000), "kW": (2, 90), "A": (4, 63)}
MAX_KEYS = {"en": ["max_{}", "{}_max", "rated_{}", "full_{}"], "fr": ["{}_max", "{}_nominal", "{}_maxi"]}
OUTPUT_KEYS = {"en": ["output", "duty", "setting", "command"], "fr": ["sortie", "reglage", "commande", "regime"]}


def _machine(rng, language, moving=False):
    """A machine, what it gives, the unit, a value that is easy to take a share of, and the key of what it gives.
    `moving`: one that can be slowed down."""
    pool = MACHINES[language]
    things, rate, symbols, key = rng.choices(pool, [3, 5, 0, 0, 2, 0] if moving else [1] * len(pool))[0]
    unit = rng.choice(symbols.split("|"))
    value = units.easy(rng, *RANGES.get(unit, (100, 3000)), 0.25)
    thing = rng.choice(words.nouns(language, things))
    if rng.random() < 0.3:
        place = rng.choice(words.PLACES[language])
        named = f"{place} {thing}" if language == "en" else f"{thing} {place.of_the}"
        thing = Noun(named, language, thing.gender)
    return thing, words.nouns(language, rate)[0], unit, value, key


def _output(rng, language, held_out, kind):
    """What a machine gives that runs at some percent of its most."""
    separator = telemetry.separator(rng, language)
    thing, rate, unit, whole, key = _machine(rng, language)
    percent = _share_of(rng)[0] if rng.random() < 0.9 else rng.randint(2, 98)
    percent = min(percent, 98)
    lines, value, made = arithmetic.times(whole, 0, percent, 2)
    slots = {
        "thing": thing, "rate": rate, "unit": unit, "max": units.said(rng, language, whole, 0, unit, separator, 1),
        "percent": _percent_text(rng, language, percent, separator),
    }  # fmt: skip
    if rng.random() < 0.5:
        fields = [(rng.choice(MAX_KEYS[language]).format(key), str(whole), unit)]
        fields.append((rng.choice(OUTPUT_KEYS[language]), str(percent), "%"))
        fields = fields[::-1] if rng.random() < 0.3 else fields
        root = thing.text.replace(" ", "_").replace("'", "_") if rng.random() < 0.75 else ""
        told = _keyed(rng, fields, separator, root)
        if "%" not in told.text:  # bare numbers of JSON: nothing else says which of them is a percentage
            told.text = re.sub(rf'"({"|".join(OUTPUT_KEYS[language])})"', r'"\1_pct"', told.text)
        stated = _asked(rng, language, held_out, "output_ask", slots, told)
    else:
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": "of", "percent": str(percent), "whole": str(whole)}
    answer = Answer("{value}", {"value": Amount(value, made, unit)})
    return _finish(rng, language, held_out, "of", stated, lines, answer, separator, facts)


def _turned(rng, language, held_out, kind):
    """What a machine gives after it was slowed down or speeded up by some percent."""
    separator = telemetry.separator(rng, language)
    thing, rate, unit, value, _ = _machine(rng, language, True)
    percent = rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 8, 12])
    lines, part, made = arithmetic.times(value, 0, percent, 2)
    a, b, d = arithmetic.aligned(value, 0, part, made)
    line, result = (arithmetic.addition if kind == "fast" else arithmetic.subtraction)(a, b, d)
    lines, result, made = arithmetic.finish([*lines, line], result, d)
    slots = {
        "thing": thing, "rate": rate, "unit": unit, "value": units.said(rng, language, value, 0, unit, separator, 1),
        "percent": _percent_text(rng, language, percent, separator),
    }  # fmt: skip
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": "raise" if kind == "fast" else "lower", "value": str(value), "percent": str(percent)}
    answer = Answer("{value}", {"value": Amount(result, made, unit)})
    label = "plus %" if kind == "fast" else "minus %"
    return _finish(rng, language, held_out, label, stated, lines, answer, separator, facts)


def _spent(rng, language, held_out, kind):
    """What is left of an amount of which some percent is gone."""
    separator = telemetry.separator(rng, language)
    percent = min(_share_of(rng)[0] if rng.random() < 0.9 else rng.randint(2, 98), 98)
    whole, unit = units.easy(rng, 20, 9000, 0.25), rng.choice(["L", "kg", "kWh", "Ah", "GB", "€", "m", "m³", "h"])
    lines, value, made = arithmetic.times(whole, 0, 100 - percent, 2)
    slots = {
        "unit": unit, "whole": units.said(rng, language, whole, 0, unit, separator, 1),
        "percent": _percent_text(rng, language, percent, separator),
    }  # fmt: skip
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": "missing", "percent": str(percent), "whole": str(whole)}
    answer = Answer("{value}", {"value": Amount(value, made, unit)})
    lines = [arithmetic.subtraction(100, percent, 0)[0], *lines]
    return _finish(rng, language, held_out, "of rest", stated, lines, answer, separator, facts)


# Set points: no unit, tolerances, two answers ------------------------------------------------------------

UNITLESS = [
    words.quantity("ph", "", 2, 12, (1, 1, 2), "pH; ph ph_value", "m pH; ph ph_cuve"),
    words.quantity("index", "", 1, 60, (0, 1), "level index; index level", "m indice; indice niveau"),
    words.quantity("ratio", "", 1, 9, (1, 2), "ratio; ratio mix", "m rapport; rapport ratio"),
    words.quantity("gravity", "", 1, 2, (3,), "specific gravity; sg gravity", "f densité; densite d"),
]
DEV_KEYS = {
    "en": [
        "deviation", "error", "dev", "deviation", "offset",
        "difference", "delta", "diff", "signed_deviation", "control_error",
    ],
    "fr": ["ecart", "erreur", "deviation", "ecart", "difference", "delta", "ecart_signe", "ecart_consigne", "decalage"],
}
DEV_PERCENT_KEYS = {
    "en": [
        "deviation_pct", "deviation_percent", "error_pct", "dev_percent",
        "percent_off", "pct", "relative_deviation", "percent",
    ],
    "fr": ["ecart_pct", "ecart_pourcent", "pourcentage", "erreur_pct", "ecart_relatif", "pct", "ecart_en_pourcent"],
}
TOLERANCE_KEYS = {
    "en": [
        "within_tolerance", "in_tolerance", "ok", "within_limits", "in_range", "passed", "tolerance_ok", "compliant",
        "acceptable", "inside_tolerance",
    ],
    "fr": [
        "dans_tolerance", "conforme", "ok", "dans_la_tolerance", "dans_les_limites", "tolerance_ok", "accepte",
        "valide", "tolerance_respectee", "respecte",
    ],
}  # fmt: skip


def _unitless_reading(rng):
    """A quantity without unit, a set point and a measured value near it, each with its decimals."""
    quantity = rng.choice([UNITLESS[0], *UNITLESS])
    decimals = rng.choice(quantity.decimals)
    scale = 10**decimals
    set_ = rng.randint(int(quantity.low * scale), int(quantity.high * scale) - 1)
    if decimals == 1 and rng.random() < 0.4:
        set_ = set_ // 5 * 5
    value = max(1, set_ + rng.choice([-1, 1]) * rng.randint(1, max(3, scale // 2 if decimals < 3 else 30)))
    return quantity, set_, decimals, value, decimals


def _unitless(rng, language, held_out, kind):
    """The deviation of a quantity that has no unit, with its sign or in size."""
    separator = telemetry.separator(rng, language)
    quantity, set_, set_decimals, value, decimals = _unitless_reading(rng)
    if value == set_:
        return _unitless(rng, language, held_out, kind)
    kind = rng.choice(["signed", "signed", "absolute"])
    line, difference = arithmetic.change(value, set_, decimals)
    result, made = arithmetic.trimmed(difference if kind == "signed" else abs(difference), decimals)
    if kind == "absolute" and difference < 0:
        lines = [line, f"abs ={text(result, made)}"]
    else:
        lines, result, made = arithmetic.finish([line], result, made)
    slots = {
        "noun": quantity.noun[language], "value": telemetry.written(text(value, decimals), separator),
        "set": telemetry.written(text(set_, set_decimals), separator),
    }  # fmt: skip
    if rng.random() < 0.5:
        told = _pair_told(rng, language, quantity, value, decimals, set_, set_decimals, separator)
        stated = _asked(rng, language, held_out, f"{kind}_ask", slots, told)
    else:
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, given="set_given")
    facts = {"kind": kind, "value": text(value, decimals), "set": text(set_, set_decimals)}
    answer = Answer("{value}", {"value": Amount(result, made)}, {"value": DEV_KEYS[language][:4] + ["answer"]})
    label = "dev" if kind == "signed" else "dev abs"
    return _finish(rng, language, held_out, label, stated, lines, answer, separator, facts)


def _allowed(rng, difference, decimals, set_, relative):
    """A tolerance, mostly near the deviation, and its decimals; `relative`: in percent of `set_`, which has as many."""
    if relative:
        size = abs(difference) * 100 // abs(set_)
        near = [1, 2, 3, 5, 10, 15, 20]
        return (max(1, size + rng.choice([-2, -1, 0, 0, 1, 2, 3])) if rng.random() < 0.6 else rng.choice(near)), 0
    size = abs(difference)
    near = size + rng.choice([-1, 0, 1, 1, 2]) if rng.random() < 0.6 else rng.choice([1, 2, 3, 5, 10, 15, 20])
    return arithmetic.trimmed(max(1, near), decimals)


def _check(rng, language, held_out, kind):
    """A set point, a reading and a tolerance in the unit or in percent: the deviation and whether it is within; or only
    whether it is."""
    separator = telemetry.separator(rng, language)
    percent_asked = rng.random() < 0.35
    relative = percent_asked or rng.random() < 0.35
    if relative:
        quantity, set_, set_decimals, value, decimals = _reading(rng, True)
    elif rng.random() < 0.3:
        quantity, set_, set_decimals, value, decimals = _unitless_reading(rng)
    else:
        quantity, set_, set_decimals, value, decimals = _reading(rng)
    a, b, d = arithmetic.aligned(value, decimals, set_, set_decimals)
    if a == b or percent_asked and (a - b) * 10000 % b or not relative and quantity.unit == "%":  # points or a share?
        return _check(rng, language, held_out, kind)
    line, difference = arithmetic.change(a, b, d)
    allowed, allowed_decimals = _allowed(rng, difference, d, b, relative)
    several = percent_asked or rng.random() < 0.6
    unit = "%" if relative else quantity.unit
    tolerance = units.said(rng, language, allowed, allowed_decimals, unit, separator, 1) if unit else (
        telemetry.written(text(allowed, allowed_decimals), separator)
    )  # fmt: skip
    slots = {"noun": quantity.noun[language], "tolerance": tolerance}
    for name, (number, places) in (("value", (value, decimals)), ("set", (set_, set_decimals))):
        said = units.said(rng, language, number, places, quantity.unit, separator, 1)
        slots[name] = said if quantity.unit else telemetry.written(text(number, places), separator)
    ask = "check_rel_ask" if percent_asked else "check_ask" if several else "check_ok_ask"
    if rng.random() < 0.4:
        keys = {"en": ["tolerance", "tol", "max_dev", "allowed"], "fr": ["tolerance", "tol", "ecart_max"]}
        key = rng.choice(keys[language])
        more = [(key, f"{rng.choice(['±', '±', '+/-', ''])}{text(allowed, allowed_decimals)}", unit)]
        told = _pair_told_check(rng, language, quantity, value, decimals, set_, set_decimals, separator, more)
        stated = _asked(rng, language, held_out, ask, slots, told)
    else:
        stated = statement.state(
            rng, WORDING, language, held_out, "no_such", slots, separator, ask=ask, given="check_given"
        )  # fmt: skip
    lines, result, made = arithmetic.finish([line], difference, d)
    if percent_asked:
        more, result, made, _ = _ratio(result, made, set_, set_decimals, 2)
        lines, limit = [*lines, *more], (allowed, 0)
    elif relative:
        more, *limit = arithmetic.times(set_, set_decimals, allowed, 2)
        lines += more
    else:
        limit = (allowed, allowed_decimals)
    check, holds = arithmetic.comparison(abs(result), made, "<=", *limit)
    if percent_asked and (abs(Fraction(difference * 100, b)) <= allowed) != holds:
        return _check(rng, language, held_out, kind)
    lines.append(check)
    facts = {"kind": "check", "value": text(value, decimals), "set": text(set_, set_decimals)}
    facts |= {"tolerance": text(allowed, allowed_decimals), "relative": relative}
    facts |= {"percent": percent_asked, "both": several}
    if not several:
        said, keys = words.YES_NO[language][0 if holds else 1], {"truth": TOLERANCE_KEYS[language]}
        answer, lines = Answer(f"{said}.", {"truth": holds}, keys), _within(lines, relative)
        return _finish(rng, language, held_out, "tol", stated, lines, answer, separator, facts)
    names = DEV_KEYS[language] + (DEV_PERCENT_KEYS[language] if percent_asked else [])
    fields = {"value": Amount(result, made, "%" if percent_asked else quantity.unit), "truth": holds}
    answer = Answer("", fields, {"value": names, "truth": TOLERANCE_KEYS[language]}, several=True)
    label = "dev % + tol" if percent_asked else "dev + tol"
    return _finish(rng, language, held_out, label, stated, lines, answer, separator, facts)


def _within(lines, relative):
    """The steps of a check alone; those of a tolerance in percent begin with what is allowed, as in `_tolerance`."""
    if not relative:
        return lines
    first = next(i for i, line in enumerate(lines) if i and "x" in line)
    return [*lines[first:-1], *lines[:first], lines[-1]]


def _pair_told_check(rng, language, quantity, value, decimals, set_, set_decimals, separator, more):
    """`_pair_told` with a tolerance, whose sign and percent no number of JSON has."""
    while True:
        told = _pair_told(rng, language, quantity, value, decimals, set_, set_decimals, separator, more)
        if told.layout != "json":
            return told
        key, number, unit = more[0]
        if f'"{number}' in told.text or number[0].isdigit() and unit != "%":
            return told


def _before_after(rng, rough=False):
    """A quantity and two values of it that differ, each with its decimals; mostly the change is a round share, always
    unless `rough`."""
    quantity = _quantity(rng)
    before, before_decimals = units.easy(rng, 4, max(20, min(900, int(quantity.high))), 0.1), 0
    if rng.random() < 0.25:
        before, before_decimals = arithmetic.trimmed(rng.choice([before, rng.randint(8, 99) * 5]), 1)
    percent = rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80]) * rng.choice([-1, 1])
    after, decimals = arithmetic.trimmed(before * (100 + percent), before_decimals + 2)
    if rough and (decimals > 2 or rng.random() < 0.2):
        after, decimals = max(1, before + rng.randint(-before // 2, before)), before_decimals
        after, decimals = arithmetic.trimmed(after + (after == before), decimals)
    return (quantity, before, before_decimals, after, decimals) if decimals <= 2 else _before_after(rng, rough)


def _delta(rng, language, held_out, kind, several=False):
    """The change between before and after in the unit, with its sign; `several`: in percent, too."""
    separator = telemetry.separator(rng, language)
    quantity, before, before_decimals, after, decimals = _before_after(rng)
    if not several and rng.random() < 0.6:
        decimals = before_decimals = rng.choice([0, 1])
        before, after = (rng.randint(1, int(quantity.high) * 10**decimals) for _ in range(2))
        after += before == after
    a, b, d = arithmetic.aligned(after, decimals, before, before_decimals)
    line, difference = arithmetic.change(a, b, d)
    lines, result, made = arithmetic.finish([line], difference, d)
    slots = {
        "noun": quantity.noun[language], "unit": quantity.unit,
        "before": units.said(rng, language, before, before_decimals, quantity.unit, separator, 1),
        "after": units.said(rng, language, after, decimals, quantity.unit, separator, 1),
    }  # fmt: skip
    facts = {"kind": "delta", "before": text(before, before_decimals), "after": text(after, decimals)}
    ask = "delta_both_ask" if several else "delta_ask"
    stated = statement.state(
        rng, WORDING, language, held_out, "no_such", slots, separator, ask=ask, given="change_given"
    )  # fmt: skip
    keys = {
        "en": ["change", "difference", "delta", "diff", "variation", "net_change", "evolution"],
        "fr": ["variation", "difference", "delta", "evolution", "ecart", "changement", "diff"],
    }
    amount = Amount(result, made, quantity.unit)
    if not several:
        answer = Answer("{value}", {"value": amount}, {"value": [*keys[language][:4], "answer"]})
        return _finish(rng, language, held_out, "delta", stated, lines, answer, separator, facts)
    more, share, share_made, _ = _ratio(result, made, before, before_decimals)
    percents = {
        "en": ["percent", "change_percent", "pct", "change_pct", "percentage", "relative", "in_percent"],
        "fr": ["pourcentage", "variation_pct", "pct", "pourcent", "en_pourcent", "taux", "variation_pourcent"],
    }
    facts["both"] = True
    fields = {"value": amount, "percent": Amount(share, share_made, "%")}
    answer = Answer("", fields, {"value": keys[language], "percent": percents[language]}, several=True)
    return _finish(rng, language, held_out, "delta + change", stated, [*lines, *more], answer, separator, facts)


def _shares(rng, language, held_out, kind):
    """The share of each of a few readings in the sum of all."""
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(
        rng, language, rng.choice([2, 3, 3]), held_out, negative=False,
        among=lambda q: q.unit in ADDED and q.low >= 0,
    )  # fmt: skip
    count = len(readings.names)
    total = rng.choice([20, 40, 60, 80, 100, 120, 160, 200, 300, 400, 500])
    cuts = sorted(rng.sample(range(1, 20), count - 1))
    percents = [(b - a) * 5 for a, b in zip([0, *cuts], [*cuts, 20])]
    if any(total * percent % 100 for percent in percents):
        return _shares(rng, language, held_out, kind)
    readings.decimals, readings.values = 0, [total * percent // 100 for percent in percents]
    told = telemetry.tell(rng, readings, separator, distract=rng.random() < 0.1)
    lines, _ = arithmetic.running_sum(readings.values, 0)
    lines, fields, keys = [*lines, f"={total}"], {}, {}
    for name, value in zip(told.names, readings.values):
        more, share, made, _ = _ratio(value, 0, total, 0)
        lines += [f"{name} {value}", *more]
        fields[name], keys[name] = Amount(share, made, "%"), [name]
    if len(fields) < count or sum(map(len, lines)) > 185:
        return _shares(rng, language, held_out, kind)
    stated = _asked(rng, language, held_out, "shares_ask", {"noun": readings.noun}, told)
    facts = {"kind": kind, "all": list(map(str, readings.values))}
    return _finish(
        rng, language, held_out, "sum shares", stated, lines, Answer("", fields, keys, several=True), separator, facts
    )


CELLS = {
    "en": words.nouns("en", "car battery|home battery|solar battery|boat battery"),
    "fr": words.nouns("fr", "f batterie de voiture|f batterie domestique|f batterie solaire|f batterie de bord"),
}
FROM_KEYS = {
    "en": ["capacity size total full", "from start level now", "to target goal end"],
    "fr": ["capacite contenance total plein", "de depart niveau debut", "a cible objectif fin"],
}


def _fromto(rng, language, held_out, kind):
    """How much lies between two levels in percent of a capacity."""
    separator = telemetry.separator(rng, language)
    unit = rng.choices(["L", "kg", "m³", "kWh"], [50, 15, 10, 25])[0]
    things = {"kg": SILOS, "kWh": CELLS}.get(unit, VESSELS)
    whole = units.easy(rng, 20, 9000, 0.2) if unit in ("L", "kg") else units.easy(rng, 4, 95, 0.2)
    levels = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 65, 70, 75, 80, 85, 90, 95, rng.randint(3, 97)]
    low, high = sorted(rng.sample(sorted(set(levels)), 2))
    a, b = (low, high) if rng.random() < 0.7 else (high, low)
    more, value, made = arithmetic.times(whole, 0, high - low, 2)
    slots = {
        "thing": rng.choice(things[language]), "whole": units.said(rng, language, whole, 0, unit, separator, 1),
        "a": _percent_text(rng, language, a, separator), "b": _percent_text(rng, language, b, separator), "unit": unit,
    }  # fmt: skip
    if rng.random() < 0.4:
        size, first, second = (rng.choice(keys.split()) for keys in FROM_KEYS[language])
        tail = rng.choice(["_pct", ""])
        fields = [(size, str(whole), unit), (first + tail, str(a), "%"), (second + tail, str(b), "%")]
        told = _keyed(rng, fields, separator)
        if "%" not in told.text and not tail:  # bare numbers: the keys say which of them are percentages
            told.text = re.sub(rf'"({first}|{second})"', r'"\1_pct"', told.text)
        stated = _asked(rng, language, held_out, "fromto_ask", slots, told)
    else:
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": kind, "whole": str(whole), "low": str(low), "high": str(high)}
    lines = [arithmetic.subtraction(high, low, 0)[0], *more]
    answer = Answer("{value}", {"value": Amount(value, made, unit)})
    return _finish(rng, language, held_out, "of rest", stated, lines, answer, separator, facts)


UNDONE = {
    "en": [("price", "€"), ("power", "W"), ("consumption", "kWh"), ("flow", "L/min"), ("speed", "rpm"),
           ("weight", "kg"), ("bill", "€"), ("stock", "kg"), ("water use", "L")],
    "fr": [("m prix", "€"), ("f puissance", "W"), ("f consommation", "kWh"), ("m débit", "L/min"),
           ("f vitesse", "tr/min"), ("m poids", "kg"), ("f facture", "€"), ("m stock", "kg")],
}  # fmt: skip


def _undo(rng, language, held_out, kind):
    """What a value was before it was raised or lowered by a percentage."""
    separator = telemetry.separator(rng, language)
    raised = rng.random() < 0.45
    noun, unit = rng.choice(UNDONE[language])
    percent = rng.choice([10, 20, 25, 50, 60, 5, 20] if raised else [10, 20, 25, 30, 40, 50, 60, 20])
    before = units.easy(rng, 10, 900, 0.3)
    value, decimals = arithmetic.trimmed(before * (100 + percent if raised else 100 - percent), 2)
    if decimals > 1:
        return _undo(rng, language, held_out, kind)
    line, share = (arithmetic.addition if raised else arithmetic.subtraction)(100, percent, 0)
    more, result, made, _ = _ratio(value, decimals, share, 0)
    slots = {
        "noun": words.nouns(language, noun)[0], "percent": _percent_text(rng, language, percent, separator),
        "value": units.said(rng, language, value, decimals, unit, separator, 1),
    }  # fmt: skip
    section = "undo_raise" if raised else "undo_lower"
    stated = statement.state(rng, WORDING, language, held_out, section, slots, separator)
    facts = {"kind": section, "value": text(value, decimals), "percent": str(percent)}
    answer = Answer("{value}", {"value": Amount(result, made, unit)})
    return _finish(rng, language, held_out, "undo", stated, [line, *more], answer, separator, facts)


LOW_KEYS = {
    "en": "low lower min lower_limit low_limit minimum from lower_bound lo".split(),
    "fr": "bas basse min limite_basse borne_basse minimum mini seuil_bas".split(),
}
HIGH_KEYS = {
    "en": "high upper max upper_limit high_limit maximum to upper_bound hi".split(),
    "fr": "haut haute max limite_haute borne_haute maximum maxi seuil_haut".split(),
}


def _bounds(rng, language, held_out, kind):
    """The lowest and the highest value that a tolerance, in the unit or in percent, allows."""
    separator = telemetry.separator(rng, language)
    relative = rng.random() < 0.5
    quantity, set_, set_decimals, _, decimals = _reading(rng, True) if relative else (
        _unitless_reading(rng) if rng.random() < 0.2 else _reading(rng)
    )  # fmt: skip
    if relative:
        allowed, allowed_decimals, unit = rng.choice([1, 2, 3, 5, 5, 10, 10, 15, 20, 25]), 0, "%"
        lines, size, places = arithmetic.times(set_, set_decimals, allowed, 2)
    else:
        near = rng.choice([1, 2, 3, 5, 10, 15]) if decimals else rng.choice([1, 2, 3, 4, 5, 10, 20])
        allowed, allowed_decimals = arithmetic.trimmed(near, min(decimals, 2))
        unit, lines, size, places = quantity.unit, [], allowed, allowed_decimals
    a, b, d = arithmetic.aligned(set_, set_decimals, size, places)
    if b >= a or not relative and unit == "%" or quantity.low < 0:
        return _bounds(rng, language, held_out, kind)
    below, low, low_made = arithmetic.finish(*_listed(arithmetic.subtraction(a, b, d)), d)
    above, high, high_made = arithmetic.finish(*_listed(arithmetic.addition(a, b, d)), d)

    def said(value, made, of):
        known = units.said(rng, language, value, made, of, separator, 1)
        return known if of else telemetry.written(text(value, made), separator)

    slots = {"noun": quantity.noun[language], "set": said(set_, set_decimals, quantity.unit)}
    slots["tolerance"] = said(allowed, allowed_decimals, unit)
    if rng.random() < 0.4:
        keys = {"en": ["tolerance", "tol", "max_dev"], "fr": ["tolerance", "tol", "ecart_max"]}[language]
        key = rng.choice(keys) + ("_pct" if relative else "")
        fields = [
            (rng.choice(SET_KEYS[language][0].split()), text(set_, set_decimals), quantity.unit),
            (key, text(allowed, allowed_decimals), unit),
        ]
        stated = _asked(rng, language, held_out, "bounds_ask", slots, _keyed(rng, fields, separator))
    else:
        stated = statement.state(
            rng, WORDING, language, held_out, kind, slots, separator, ask="bounds_ask", given="bounds_given"
        )
    facts = {"kind": kind, "set": text(set_, set_decimals), "tolerance": text(allowed, allowed_decimals)}
    facts["relative"] = relative
    fields = {"low": Amount(low, low_made, quantity.unit), "high": Amount(high, high_made, quantity.unit)}
    answer = Answer("", fields, {"low": LOW_KEYS[language], "high": HIGH_KEYS[language]}, several=True)
    return _finish(
        rng, language, held_out, "bounds", stated, [*lines, *below, *above], answer, separator, facts
    )


def _listed(step):
    """A step of arithmetic as a list of one line, and its result."""
    return [step[0]], step[1]


def _apart(rng, language, held_out, kind):
    """By how many percent of the set point a reading is above it, or below it: the question says which."""
    separator = telemetry.separator(rng, language)
    quantity, set_, set_decimals, value, decimals = _reading(rng, True)
    a, b, d = arithmetic.aligned(value, decimals, set_, set_decimals)
    if a == b:
        return _apart(rng, language, held_out, kind)
    exact = abs(Fraction(a - b, b)) * 100
    places, rounded = _asked_places(rng, language, held_out, exact)
    line, difference = arithmetic.change(a, b, d)
    size, made = arithmetic.trimmed(abs(difference), d)
    lines = [line, f"abs ={text(size, made)}"] if difference < 0 else [line]
    more, result, made, _ = _ratio(size, made, set_, set_decimals, places)
    slots = {
        "noun": quantity.noun[language],
        "value": units.said(rng, language, value, decimals, quantity.unit, separator, 1),
        "set": units.said(rng, language, set_, set_decimals, quantity.unit, separator, 1),
    }  # fmt: skip
    ask = "above_ask" if a > b else "below_ask"
    if rng.random() < 0.3:
        told = _pair_told(rng, language, quantity, value, decimals, set_, set_decimals, separator)
        stated = _asked(rng, language, held_out, ask, slots, told)
    else:
        stated = statement.state(
            rng, WORDING, language, held_out, "no_such", slots, separator, ask=ask, given="set_given"
        )
    facts = {"kind": kind, "value": text(value, decimals), "set": text(set_, set_decimals), "places": places}
    answer = _percent_answer(language, result, made)
    return _finish(rng, language, held_out, "dev abs %", stated, [*lines, *more], answer, separator, facts, rounded)


CONTENT_KEYS = {
    "en": ["content", "volume", "litres", "in_tank", "current", "left", "amount", "stored"],
    "fr": ["contenu", "volume", "litres", "present", "actuel", "reste", "quantite", "stock"],
}
FREE_KEYS = {
    "en": ["free", "missing", "to_fill", "free_space", "room", "to_add", "until_full", "headroom"],
    "fr": ["libre", "manque", "a_remplir", "place_libre", "manquant", "a_ajouter", "espace_libre", "vide"],
}
LEVEL_KEYS = {
    "en": ["level", "percent", "fill_level", "level_pct", "pct", "fill_percent", "filled"],
    "fr": ["niveau", "pourcentage", "remplissage", "niveau_pct", "pct", "taux", "remplissage_pct"],
}


def _both(rng, language, held_out, kind):
    """Two answers at once."""
    return rng.choice([_both_litres, _both_level, _both_deviations, _sum_share, _delta])(
        rng, language, held_out, kind, True
    )  # fmt: skip


def _both_litres(rng, language, held_out, kind, several):
    """What a level in percent is in litres, and what is missing."""
    separator = telemetry.separator(rng, language)
    percent, whole = min(_share_of(rng)[0], 98), units.easy(rng, 20, 9000, 0.25)
    symbol = rng.choice(["L", "L", "kg"])
    spelled = units.spell(rng, language, symbol, 0.6)
    slots = {
        "thing": rng.choice((SILOS if symbol == "kg" else VESSELS)[language]),
        "percent": _percent_text(rng, language, percent, separator),
        "whole": units.said(rng, language, whole, 0, symbol, separator),
        "unit": Noun(spelled, language, "" if len(spelled) < 3 else "m", True),
    }
    while True:
        stated = statement.state(
            rng, WORDING, language, held_out, "no_such", slots, separator, ask="litres_both_ask", given="litres_given"
        )  # fmt: skip
        if symbol == "L" or not _of_water(stated):
            break
    lines, value, made = arithmetic.times(whole, 0, percent, 2)
    a, b, d = arithmetic.aligned(whole, 0, value, made)
    line, free = arithmetic.subtraction(a, b, d)
    lines, free, free_made = arithmetic.finish([*lines, line], free, d)
    fields = {"content": Amount(value, made, spelled), "free": Amount(free, free_made, spelled)}
    names = {"content": [k for k in CONTENT_KEYS[language] if symbol == "L" or k not in ("litres", "volume")]}
    answer = Answer("", fields, names | {"free": FREE_KEYS[language]}, several=True)
    facts = {"kind": "litres_both", "percent": str(percent), "whole": str(whole), "both": True}
    return _finish(rng, language, held_out, "of + rest", stated, lines, answer, separator, facts)


def _both_level(rng, language, held_out, kind, several):
    """How full something is in percent, and how much still fits in."""
    separator = telemetry.separator(rng, language)
    whole = units.easy(rng, 20, 9000, 0.08)
    part = max(1, whole * rng.randint(1, 19) * 5 // 100)
    slots = {
        "thing": rng.choice(VESSELS[language]), "part": units.said(rng, language, part, 0, "L", separator),
        "whole": units.said(rng, language, whole, 0, "L", separator),
    }  # fmt: skip
    stated = statement.state(
        rng, WORDING, language, held_out, "no_such", slots, separator, ask="level_both_ask", given="level_given"
    )  # fmt: skip
    lines, value, made, _ = _ratio(part, 0, whole, 0)
    line, free = arithmetic.subtraction(whole, part, 0)
    fields = {"level": Amount(value, made, "%"), "free": Amount(free, 0, "L")}
    answer = Answer("", fields, {"level": LEVEL_KEYS[language], "free": FREE_KEYS[language]}, several=True)
    facts = {"kind": "level_both", "part": str(part), "whole": str(whole), "both": True, "places": 2}
    return _finish(rng, language, held_out, "share + rest", stated, [*lines, line], answer, separator, facts)


def _both_deviations(rng, language, held_out, kind, several):
    """The deviation in the unit and in percent of the set point, both with their sign."""
    separator = telemetry.separator(rng, language)
    quantity, set_, set_decimals, value, decimals = _reading(rng, True)
    a, b, d = arithmetic.aligned(value, decimals, set_, set_decimals)
    if a == b:
        return _both_deviations(rng, language, held_out, kind, several)
    line, difference = arithmetic.change(a, b, d)
    lines, result, made = arithmetic.finish([line], difference, d)
    more, share, share_made, _ = _ratio(result, made, set_, set_decimals)
    slots = {
        "noun": quantity.noun[language],
        "value": units.said(rng, language, value, decimals, quantity.unit, separator, 1),
        "set": units.said(rng, language, set_, set_decimals, quantity.unit, separator, 1),
    }  # fmt: skip
    if rng.random() < 0.35:
        told = _pair_told(rng, language, quantity, value, decimals, set_, set_decimals, separator)
        stated = _asked(rng, language, held_out, "dev_both_ask", slots, told)
    else:
        stated = statement.state(
            rng, WORDING, language, held_out, "no_such", slots, separator, ask="dev_both_ask", given="set_given"
        )  # fmt: skip
    fields = {"value": Amount(result, made, quantity.unit), "percent": Amount(share, share_made, "%")}
    answer = Answer("", fields, {"value": DEV_KEYS[language], "percent": DEV_PERCENT_KEYS[language]}, several=True)
    facts = {"kind": "dev_both", "value": text(value, decimals), "set": text(set_, set_decimals)}
    facts |= {"both": True, "places": 2}
    return _finish(rng, language, held_out, "dev + dev %", stated, [*lines, *more], answer, separator, facts)


def _half_up(exact, places):
    """To `places` decimals, half away from zero."""
    scale = 10**places
    size = int(abs(exact) * scale + Fraction(1, 2))
    return Fraction(size if exact >= 0 else -size, scale)


def _verified(f):
    """The answers of the kinds that have several, or a sum or a check; nothing for the others."""
    kind, places = f["kind"], f.get("places", 2)
    if kind not in ("sum_share", "check", "delta", "litres_both", "level_both", "dev_both", "shares", "bounds"):
        return None
    n = {key: Fraction(value) for key, value in f.items() if isinstance(value, str) and key != "kind"}
    if kind == "shares":
        return tuple(Fraction(value) * 100 / sum(map(Fraction, f["all"])) for value in f["all"])
    if kind == "bounds":
        size = n["set"] * n["tolerance"] / 100 if f["relative"] else n["tolerance"]
        return n["set"] - size, n["set"] + size
    if kind == "sum_share":
        whole = sum(map(Fraction, f["all"]))
        found = (whole, _half_up(n["part"] / whole * 100, places))
    elif kind == "check":
        apart, share = n["value"] - n["set"], (n["value"] / n["set"] - 1) * 100
        found = (share if f["percent"] else apart, abs(share if f["relative"] else apart) <= n["tolerance"])
        return found if f["both"] else found[1]
    elif kind == "delta":
        found = (n["after"] - n["before"], _half_up((n["after"] / n["before"] - 1) * 100, places))
        return found if f.get("both") else found[0]
    elif kind == "litres_both":
        found = (n["whole"] * n["percent"] / 100, n["whole"] * (100 - n["percent"]) / 100)
    elif kind == "level_both":
        found = (_half_up(n["part"] / n["whole"] * 100, places), n["whole"] - n["part"])
    else:
        found = (n["value"] - n["set"], _half_up((n["value"] / n["set"] - 1) * 100, places))
    return found if f.get("both") else found[-1]


def verify(problem):
    """The formula of the kind, in fractions; a truth for a tolerance; both for two answers at once."""
    f = problem.facts
    found = _verified(f)
    if found is not None:
        return found
    n = {key: Fraction(value) for key, value in f.items() if key not in ("kind", "places")}
    if f["kind"] == "tolerance":
        return abs(n["value"] / n["set"] - 1) <= n["percent"] / 100
    exact = {
        "share": lambda: n["part"] / n["whole"] * 100,
        "of": lambda: n["whole"] * n["percent"] / 100,
        "litres": lambda: n["whole"] * n["percent"] / 100,
        "missing": lambda: n["whole"] * (1 - n["percent"] / 100),
        "whole": lambda: n["part"] / n["percent"] * 100,
        "change": lambda: (n["after"] / n["before"] - 1) * 100,
        "signed": lambda: n["value"] - n["set"],
        "absolute": lambda: abs(n["value"] - n["set"]),
        "relative": lambda: (n["value"] / n["set"] - 1) * 100,
        "raise": lambda: n["value"] * (1 + n["percent"] / 100),
        "lower": lambda: n["value"] * (1 - n["percent"] / 100),
        "apart": lambda: abs(n["value"] / n["set"] - 1) * 100,
        "fromto": lambda: (n["high"] - n["low"]) * n["whole"] / 100,
        "undo_raise": lambda: n["value"] / (1 + n["percent"] / 100),
        "undo_lower": lambda: n["value"] / (1 - n["percent"] / 100),
        "points": lambda: n["after"] - n["before"],
    }[f["kind"]]()
    return _half_up(exact, f.get("places", 9))
