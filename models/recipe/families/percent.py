"""Percentages and set points: shares, changes, parts of a whole, levels in litres, deviations with
sign, in size and in percent, tolerances, differences in points."""

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
FAMILY = "percent"
PAIR = {"noun": Noun, "value": str, "set": str}
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
    },
)
KINDS = {
    "share": 14, "level": 10, "of": 12, "litres": 9, "missing": 7, "whole": 5, "change": 14,
    "signed": 10, "absolute": 9, "relative": 10, "raise": 5, "lower": 5, "tolerance": 8,
    "points": 5,
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
        "points": _points,
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


def _litres(rng, language, held_out, kind):
    """A level in percent in litres, or the litres that are missing."""
    separator = telemetry.separator(rng, language)
    percent = _share_of(rng)[0] if rng.random() < 0.9 else rng.randint(2, 98)
    percent = min(percent, 98)
    whole = units.easy(rng, 20, 9000, 0.25)
    share = percent if kind == "litres" else 100 - percent
    lines = [] if kind == "litres" else [arithmetic.subtraction(100, percent, 0)[0]]
    more, value, made = arithmetic.times(whole, 0, share, 2)
    spelled = units.spell(rng, language, "L", 0.4)
    unit = Noun(spelled, language, "" if len(spelled) < 3 else "m", True)
    thing = rng.choice(VESSELS[language])
    slots = {
        "thing": thing,
        "percent": _percent_text(rng, language, percent, separator),
        "whole": units.said(rng, language, whole, 0, "L", separator),
        "unit": unit,
    }
    known = [
        AMOUNTS.fact(rng, language, "level", (percent, 0, "%")),
        AMOUNTS.fact(rng, language, "capacity", (whole, 0, "L")),
    ]
    section = kind if kind == "litres" else "no_such"
    ask = "" if kind == "litres" else "missing_ask"
    stated = statement.state(
        rng, WORDING, language, held_out, section, slots, separator, known,
        ask=ask, given="litres_given",
    )  # fmt: skip
    facts = {"kind": kind, "percent": str(percent), "whole": str(whole)}
    if "unit" in stated.slots:
        answer = Answer("{value}", {"value": Amount(value, made, str(unit))})
    else:
        answer = Answer("{value} {unit}", {"value": Amount(value, made), "unit": "L"})
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
    quantity = _quantity(rng)
    before = units.easy(rng, 4, max(20, min(900, int(quantity.high))), 0.1)
    percent = rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80]) * rng.choice([-1, 1])
    after, decimals = arithmetic.trimmed(before * (100 + percent), 2)
    if decimals > 1 or rng.random() < 0.2:
        after, decimals = max(1, before + rng.randint(-before // 2, before)), 0
    if after == before and not decimals:
        after += 1
    exact = abs((Fraction(after, 10**decimals) - before) * 100 / before)
    places, rounded = _asked_places(rng, language, held_out, exact)
    a, b, d = arithmetic.aligned(after, decimals, before, 0)
    line, difference = arithmetic.change(a, b, d)
    lines, value, made, _ = _ratio(*arithmetic.trimmed(difference, d), before, 0, places)
    slots = {
        "noun": quantity.noun[language],
        "before": units.said(rng, language, before, 0, quantity.unit, separator, 1),
        "after": units.said(rng, language, after, decimals, quantity.unit, separator, 1),
    }
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": kind, "before": str(before), "after": text(after, decimals)}
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
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known,
        given="set_given", avoid=(quantity.id,),
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
    line, difference = arithmetic.subtraction(after, before, decimals)
    lines, value, made = arithmetic.finish([line], difference, decimals)
    slots = {
        "noun": quantity.noun[language],
        "before": _percent_text(rng, language, before, separator, decimals),
        "after": _percent_text(rng, language, after, separator, decimals),
    }
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"kind": kind, "before": text(before, decimals), "after": text(after, decimals)}
    answer = Answer("{value}", {"value": Amount(value, made)})
    return _finish(rng, language, held_out, kind, stated, lines, answer, separator, facts)


def verify(problem):
    """The formula of the kind, in fractions; a truth for a tolerance."""
    f = problem.facts
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
        "points": lambda: n["after"] - n["before"],
    }[f["kind"]]()
    scale = 10 ** f.get("places", 9)
    size = int(abs(exact) * scale + Fraction(1, 2))
    return Fraction(size if exact >= 0 else -size, scale)
