"""Tanks, flows and batteries: how long until full or empty, how much after a time, which rate; how
long a battery lasts, how full it is later, how long it charges."""

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
from assemble import Amount, Answer, build, unit_stated
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
        "inout_given": THING | {"now": str, "rate": str, "out": str},
        "inout_ask": {"time": str},
        "leftnet_given": THING | {"volume": str, "now": str, "rate": str, "out": str},
        "tanks_given": {"tanks": str, "rate": str},
        "tanks_ask": {"unit": Noun},
        "loads_given": {"thing": Noun, "capacity": str},
        "loads_ask": {"unit": Noun},
        "stock_given": THING | {"now": str, "rate": str},
        "stock_ask": {"unit": Noun},
        "share_given": THING | {"volume": str, "now": str, "rate": str},
        "share_ask": {},
        "between": TIME | {"now": str, "target": str, "rate": str},
        "to_ask": TIME | {"target": str},
        "enough": {"now": str, "rate": str, "time": str},
        "enough_ask": {"time": str},
        "or_never": {},
        "netleft_ask": {"unit": Noun},
        "herd_given": THING | {"now": str, "herd": str, "each": str},
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
        "en",
        """battery|battery|power bank|backup battery|solar battery|home battery|battery pack|car battery
            boat battery""",
    ),
    "fr": words.nouns(
        "fr",
        """f batterie|f batterie|f batterie de secours|f batterie solaire|m accumulateur
            f batterie domestique|f batterie de voiture|f batterie de bord""",
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
        "moved": (
            "volume pumped|amount delivered|volume; pumped delivered amount volume",
            "m volume pompé|m volume livré|f quantité; pompe livre volume quantite",
        ),
        "time": (
            "time|duration|running time; time duration run_time",
            "f durée|m temps|m temps de marche; duree temps marche",
        ),
        "charger": (
            "charging power|charger power; charge_power charger p_charge",
            "f puissance de charge|f puissance du chargeur; p_charge chargeur puissance_charge",
        ),
    },
    {"L/day": "l_day", "L/jour": "l_jour", "%": "pct", "%/h": "pct_h"}
    | {"L/min": "l_min", "L/h": "l_h", "m³/h": "m3_h", "L/s": "l_s"},
)
TIMES = {"L/min": "min", "L/h": "h", "m³/h": "h", "L/s": "s"}
# What a battery supplies.
LOADS = {
    "en": """fridge|anchor light|instruments|router|radio|cool box|water pump|cabin lights|modem|plotter|laptop|fan
        camera|sensor hub|small TV|bilge pump|alarm|switch""",
    "fr": """frigo|feu de mouillage|instruments|routeur|radio|glacière|pompe à eau|éclairage|modem|traceur|portable
        ventilateur|caméra|petite télé|pompe de cale|alarme|centrale""",
}
LOADS = {language: [n.strip() for n in names.replace("\n", "|").split("|")] for language, names in LOADS.items()}
# What JSON calls answers that are asked for together.
TOGETHER = {
    "net": {
        "en": "net_rate net net_flow balance net_inflow".split(),
        "fr": "debit_net net bilan_debit flux_net".split(),
    },
    "later": {
        "en": "volume volume_after content final_volume later volume_then content_after".split(),
        "fr": "volume volume_apres contenu volume_final ensuite contenu_apres contenu_final".split(),
    },
    "share": {
        "en": "fill fill_pct percent level level_pct fill_level pct fill_percent".split(),
        "fr": "remplissage pourcentage niveau niveau_pct taux pct taux_remplissage pourcent".split(),
    },
    "days": {
        "en": "days days_left days_remaining remaining_days autonomy_days lasts_days".split(),
        "fr": "jours jours_restants nb_jours autonomie_jours autonomie jours_avant_vide".split(),
    },
    "hours": {"en": "hours h hrs hour whole_hours".split(), "fr": "heures h nb_heures heure".split()},
    "enough": {
        "en": "enough sufficient ok will_last lasts covers".split(),
        "fr": "suffisant suffit assez ok tient couvre".split(),
    },
    "minutes": {"en": "minutes min mins minute rest_min".split(), "fr": "minutes min nb_minutes minute mn".split()},
}
KINDS = {
    "fill": 18, "drain": 19, "left": 11, "leftpct": 7, "drainpct": 5, "net": 9, "gain": 6,
    "loss": 12, "volume": 13, "rate": 11, "battery": 12, "batterypct": 10, "soc": 7, "charge": 7,
    "after": 5, "netafter": 6, "leftnet": 7, "tanks": 5, "loads": 7, "stock": 6, "share": 6,
    "up": 6, "down": 6, "uppct": 5, "downpct": 3, "chargeto": 6, "batteryto": 4, "enough": 8, "lasting": 6,
    "emptynet": 6, "netleft": 5,
}  # fmt: skip
NEVER = {"en": "never", "fr": "jamais"}


def make(rng, language, held_out):
    kind = rng.choices(list(KINDS), KINDS.values())[0]
    if kind in ("after", "netafter"):
        return _inout(rng, language, held_out, kind)
    if kind in ("stock", "share"):
        return _stock(rng, language, held_out, kind)
    make_ = {
        "tanks": _tanks, "loads": _loads, "leftnet": _leftnet, "netleft": _leftnet, "emptynet": _emptynet,
        "up": _levels, "down": _levels, "uppct": _percents, "downpct": _percents, "chargeto": _percents,
        "batteryto": _percents, "enough": _enough, "lasting": _enough,
    }.get(kind)  # fmt: skip
    if make_:
        return make_(rng, language, held_out, kind)
    if kind in ("battery", "batterypct", "soc", "charge"):
        return _battery(rng, language, held_out, kind)
    if kind in ("gain", "loss", "volume", "rate"):
        return _amount(rng, language, held_out, kind)
    return _duration(rng, language, held_out, kind)


def spelled_unit(rng, language, unit):
    """A unit as the question spells it."""
    return units.noun(rng, language, unit, 0.25)


def draw_rate(rng):
    """A flow, its decimals and unit, easy to divide by."""
    unit = rng.choices(list(TIMES), [70, 15, 10, 5])[0]
    if unit == "L/h":
        if rng.random() < 0.4:
            return (*arithmetic.trimmed(rng.choice([rng.randint(2, 9), rng.randint(11, 95)]), 1), unit)
        return units.easy(rng, 20, 900), 0, unit
    if unit == "m³/h":
        return (*rng.choice([(units.easy(rng, 2, 30), 0), (rng.choice([5, 15, 25]), 1)]), unit)
    if unit == "L/s":
        return (*rng.choice([(units.easy(rng, 2, 12), 0), (rng.choice([2, 3, 4, 5, 8]), 1)]), unit)
    if rng.random() < 0.14:
        return rng.choice([5, 12, 15, 25, 45, 75, 35]), 1, unit
    return units.easy(rng, 2, 80), 0, unit


EVERY = {
    "en": {"min": ["per minute", "a minute"], "h": ["per hour", "an hour", "every hour"], "s": ["per second"]},
    "fr": {"min": ["par minute"], "h": ["par heure", "à l'heure", "chaque heure"], "s": ["par seconde"]},
}


def _flowing(rng, language, said):
    """A flow as people also say it: `4 L per hour`, `4 L par heure`."""
    if "/" not in said or rng.random() > 0.35:
        return said
    number, _, time = said.partition("/")
    return f"{number} {rng.choice(EVERY[language][time])}" if time in EVERY[language] else said


def _together(language, **fields):
    """Several answers, which are asked for at once."""
    return Answer("", fields, {name: TOGETHER[name][language] for name in fields}, several=True)


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
    # Over an hour without a unit asked for: hours and minutes; in JSON minutes, or both under keys of their own.
    open_ = "unit" not in question.slots and unit == other == "min" and exact > 60
    mixed, parts = open_ and exact % 1 == 0, False
    if mixed:
        request, chance = None, rng.random()
        if chance < 0.3:
            request = WORDING.say(rng, language, "in_hours_and_minutes", held_out)
        elif chance < 0.5:
            parts = True
        elif chance < 0.65:
            mixed = False
    elif open_ and exact * 10 % 1 == 0:
        request, places = rounding.ask(rng, language, held_out, 1), 1
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
    facts = {"places": places, "scale": str(scale), "mixed": mixed, "parts": parts}
    if open_ and exact % 1 == 0 and not mixed:
        keys = {"en": "minutes min duration_min time_min".split(), "fr": "minutes min duree_min temps_min".split()}
        answer = Answer("", {"value": Amount(value, made, "min")}, {"value": keys[language]}, several=True)
        return question, lines, answer, facts, phrasings
    if parts:
        line, (hours, minutes) = arithmetic.hours_and_minutes(value)
        answer = _together(language, hours=Amount(hours), minutes=Amount(minutes))
        return question, [*lines, line], answer, facts, phrasings
    if mixed:
        line, (hours, minutes) = arithmetic.hours_and_minutes(value)
        facts["short"] = not request and not minutes
        answer = Answer("{duration}", {"duration": f"{hours} h" if facts["short"] else f"{hours} h {minutes} min"})
        return question, [*lines, line], answer, facts, phrasings
    return question, lines, time_answer(language, question, value, made, other), facts, phrasings


def time_answer(language, question, value, made, unit):
    """A time in the unit that the question names, or in `unit` where it only asks how long."""
    words_ = {"min": "minutes", "h": "hours" if language == "en" else "heures", "s": "seconds"}
    keys = {"value": [words_[unit], "answer", "duration" if language == "en" else "duree"]}
    if "unit" in question.slots:
        return Answer("{value}", {"value": Amount(value, made)}, keys)
    return Answer("{value} {unit}", {"value": Amount(value, made), "unit": unit}, keys)


def said_unit(answer, question, unit):
    """Puts the unit, as the question spells it, into the answer."""
    if "unit" in question.slots and isinstance(answer.fields.get("value"), Amount):
        answer.fields["value"].unit = str(unit)
    return answer


def _duration(rng, language, held_out, kind):
    """How long until full or empty."""
    separator = telemetry.separator(rng, language)
    rate, decimals, unit = draw_rate(rng)
    amount, amount_decimals = _content(rng, rate, decimals, unit)
    litre = "m³" if unit == "m³/h" else "L"
    time = TIMES[unit]
    other = time
    hours = Fraction(amount, rate) % 3 == 0 and amount // rate >= 30
    if time == "min" and hours and rng.random() < 0.2:
        other = "h"
    elif time == "h" and amount / rate <= 5 and rng.random() < 0.2:
        other = "min"
    named = spelled_unit(rng, language, other)
    thing = rng.choice(VESSELS[language])

    def said(value, value_decimals, of):
        return units.said(rng, language, value, value_decimals, of, separator)

    slots = {"thing": thing, "unit": named, "rate": _flowing(rng, language, said(rate, decimals, unit))}
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
        full = rng.random() < 0.03
        amount = 0 if full else amount
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
        if kind == "leftpct" and rng.random() < 0.03:
            level = 100
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
        slots["rate"] = _flowing(rng, language, said(*arithmetic.trimmed(a, d), unit))
        slots["out"] = _flowing(rng, language, said(*arithmetic.trimmed(b, d), unit))
        slots["volume"] = said(*shown, litre)
        known = [
            AMOUNTS.fact(rng, language, "volume", (*shown, litre)),
            AMOUNTS.fact(rng, language, "now", (0, 0, litre)),
            AMOUNTS.fact(rng, language, "inflow", (*arithmetic.trimmed(a, d), unit)),
            AMOUNTS.fact(rng, language, "outflow", (*arithmetic.trimmed(b, d), unit)),
        ]
        lines.append(arithmetic.change(*_same(arithmetic.trimmed(a, d), (b, d)))[0])
        divide = shown, arithmetic.trimmed(rate, decimals)
        facts["out"] = text(b, d)
        rate, decimals = a, d
    exact = Fraction(divide[0][0], 10 ** divide[0][1]) / Fraction(divide[1][0], 10 ** divide[1][1])
    if exact and not Fraction(1, 2) <= exact <= 2000:
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
        said_unit(answer, question, named),
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
    rate, decimals, unit = draw_rate(rng)
    litre, base = ("m³" if unit == "m³/h" else "L"), TIMES[unit]
    time = (rng.randint(2, 12 if base == "h" else 90), 0)
    if base != "h" and rng.random() < 0.5:
        time = (rng.choice([5, 10, 15, 20, 30, 40, 45, 60, 90]), 0)

    def said(value, value_decimals, of, symbol=0.6):
        return units.said(rng, language, value, value_decimals, of, separator, symbol)

    lines, spoken, thing = [], said(*time, base, 0.35), rng.choice(VESSELS[language])
    facts = {"kind": kind, "places": 9}
    if base != "s" and kind != "rate" and rng.random() < 0.25:
        spoken, lines, time = _other_time(rng, language, base, separator)
    slots = {
        "thing": thing,
        "time": spoken,
        "rate": _flowing(rng, language, said(rate, decimals, unit)),
    }
    known, ask = [], ""
    more, moved, moved_decimals = arithmetic.times(rate, decimals, *time)
    if kind == "rate":
        time = time[0]
        slots["volume"] = said(moved, moved_decimals, litre)
        named = spelled_unit(rng, language, unit)
        slots["unit"] = named
        if rng.random() < 0.15:
            moved, moved_decimals = moved + rng.randint(1, time), moved_decimals
            slots["volume"] = said(moved, moved_decimals, litre)
        lines, value, made, _ = arithmetic.quotient(moved, moved_decimals, time, 0, 2)
        known = [
            AMOUNTS.fact(rng, language, "moved", (*arithmetic.trimmed(moved, moved_decimals), litre)),
            AMOUNTS.fact(rng, language, "time", (time, 0, base)),
        ]
        facts |= {"volume": text(moved, moved_decimals), "time": str(time), "places": 2}
    else:
        lines += more
        named = spelled_unit(rng, language, litre)
        slots["unit"] = named
        value, made = moved, moved_decimals
        facts |= {"rate": text(rate, decimals), "time": text(*time)}
        if kind == "volume":
            known = [AMOUNTS.fact(rng, language, "flow", (rate, decimals, unit))]
        else:
            now = rng.randint(2, 900 if moved > 20 * 10**moved_decimals else 30)
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


def _other_time(rng, language, base, separator):
    """A time in another unit than `base`, minutes or hours, or in both: as it is said, the steps to `base`, and the
    amount there."""
    if base == "min":
        hours, rest = rng.choice([(rng.randint(1, 8), 0), (rng.randint(1, 4), rng.choice([5, 10, 15, 20, 30, 40, 45]))])
        lines, value, _ = arithmetic.times(hours, 0, 60, 0)
        if rest:
            line, value = arithmetic.addition(value, rest, 0)
            lines = [*lines, line]
        amount = value, 0
    else:
        hours, rest = rng.choice([0, 0, rng.randint(1, 6)]), rng.choice([15, 30, 30, 45, 6, 12, 90])
        rest = 30 if hours and rest > 60 else rest
        lines, value, made, _ = arithmetic.quotient(rest, 0, 60, 0)
        if hours:
            a, b, made = _same((hours, 0), (value, made))
            line, value = arithmetic.addition(a, b, made)
            lines = [*lines, line]
        amount = value, made
    if not hours:
        spoken = units.said(rng, language, rest, 0, "min", separator, 0.35)
    elif not rest:
        spoken = units.said(rng, language, hours, 0, "h", separator, 0.35)
    elif rng.random() < 0.4:
        spoken = f"{hours}h{rest:02d}" if language == "fr" else f"{hours}h {rest}min"
    else:
        spoken = f"{hours} h {rest} min"
    return spoken, lines, amount


def _spelled_in(shown, language, unit):
    """How a text spells a unit, or the symbol if it does not."""
    found = [s for s in units.SPELLINGS[unit][language] if unit_stated(shown, s)]
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

    named = spelled_unit(rng, language, "h")
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
        said_unit(answer, question, named),
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


def _timed(rng, language, held_out, kind, label, stated, lines, divide, unit, named, separator, facts):
    """A problem that ends in a time, `divide` in `unit`."""
    question, lines, answer, more, phrasings = _answered(
        rng, language, held_out, stated.question, lines, divide, unit, unit, separator
    )
    return build(
        rng, FAMILY, language, held_out, question, [label, *lines], said_unit(answer, question, named), stated.data,
        separator, exact=True, facts=facts | more | {"kind": kind}, phrasings=(*stated.phrasings, *phrasings),
    )  # fmt: skip


def _inout(rng, language, held_out, kind):
    """What is in a vessel after a time of filling and emptying at once, perhaps with the net flow."""
    separator = telemetry.separator(rng, language)
    unit = rng.choices(["L/min", "L/h", "m³/h"], [70, 20, 10])[0]
    litre, base = ("m³" if unit == "m³/h" else "L"), TIMES[unit]
    decimals = rng.choice([0, 0, 0, 1])
    rate, out = rng.sample(range(2, 40), 2)
    if decimals:
        rate, out = rate * rng.choice([10, 5]), out * 10 + rng.choice([0, 5, rng.randint(1, 9)])
    if rate == out:
        rate += 10**decimals
    if base == "min":
        time = rng.choice([5, 10, 12, 15, 20, 30, 40, 45, 60, rng.randint(2, 60)])
    else:
        time = rng.randint(2, 12)
    line, net = arithmetic.change(rate, out, decimals)
    size, places = arithmetic.trimmed(abs(net), decimals)
    more, moved, made = arithmetic.times(size, places, time, 0)
    now = rng.choice([rng.randint(2, 90) * 10, rng.randint(20, 900)])
    if net < 0:
        now += -(-moved // 10**made)
    a, b, made = _same((now, 0), (moved, made))
    last, value = (arithmetic.addition if net > 0 else arithmetic.subtraction)(a, b, made)
    lines, value, made = arithmetic.finish([line, *more, last], value, made)
    rate, out = arithmetic.trimmed(rate, decimals), arithmetic.trimmed(out, decimals)

    def said(value, of, symbol=0.6):
        return units.said(rng, language, *value, of, separator, symbol)

    slots = {
        "thing": rng.choice(VESSELS[language]),
        "now": said((now, 0), litre, 0.8),
        "rate": _flowing(rng, language, said(rate, unit)),
        "out": _flowing(rng, language, said(out, unit)),
        "time": said((time, 0), base, 0.35),
    }
    known = [
        AMOUNTS.fact(rng, language, "now", (now, 0, litre)),
        AMOUNTS.fact(rng, language, "inflow", (*rate, unit)),
        AMOUNTS.fact(rng, language, "outflow", (*out, unit)),
    ]
    both = kind == "netafter"
    ask = "inout_ask" if both and rng.random() < 0.8 else "after_ask"
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known, ask=ask, given="inout_given"
    )
    if both:
        net = Amount(size if net > 0 else -size, places, unit)
        answer = _together(language, net=net, later=Amount(value, made, litre))
    else:
        shown = stated.question.text + (stated.data.text if stated.data else "")
        answer = Answer("{value}", {"value": Amount(value, made, _spelled_in(shown, language, litre))})
    facts = {"kind": kind, "now": str(now), "rate": text(*rate), "out": text(*out), "time": str(time), "places": 9}
    return build(
        rng, FAMILY, language, held_out, stated.question, ["net + after" if both else "net after", *lines], answer,
        stated.data, separator, exact=True, facts=facts, phrasings=stated.phrasings,
    )  # fmt: skip


def _never(rng, language, held_out, label, stated, lines, separator, facts):
    """A problem about a time that does not come."""
    question, phrasings = stated.question, stated.phrasings
    if rng.random() < 0.75:
        request = WORDING.say(rng, language, "or_never", held_out)
        question, phrasings = rounding.then(question, request), (*phrasings, request)
    answer = Answer("{value}", {"value": NEVER[language]}, capital=False)
    return build(
        rng, FAMILY, language, held_out, question, [label, *lines, "never"], answer, stated.data, separator,
        exact=True, facts=facts | {"never": True}, phrasings=phrasings,
    )  # fmt: skip


def _net_flow(rng):
    """What flows into and out of something, with their unit: (the larger, the smaller, their difference), amounts of
    (value, decimals)."""
    unit, decimals = rng.choices(["L/min", "L/h"], [80, 20])[0], rng.choice([0, 0, 0, 1])
    net = rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 15, 20])
    small = rng.randint(1, 20)
    if decimals:
        net, small = net * 5, rng.choice([small * 5, small * 10 + rng.randint(1, 9)])
    return [arithmetic.trimmed(n, decimals) for n in (small + net, small, net)], unit


def _or_never(rng, language, held_out, stated):
    """What the question is to be answered by, should it never happen: sometimes told where it does happen."""
    if rng.random() > 0.1:
        return stated
    request = WORDING.say(rng, language, "or_never", held_out)
    question = rounding.then(stated.question, request)
    return statement.Stated(question, stated.data, (*stated.phrasings, request), question.slots)


def _filled_and_emptied(rng, language, separator, contents, rate, out, unit):
    """The slots and the known amounts of a vessel with both flows; `contents` are amounts in L by name."""
    slots = {"thing": rng.choice(VESSELS[language])}
    slots |= {name: units.said(rng, language, amount, 0, "L", separator) for name, amount in contents.items()}
    for name, flow in (("rate", rate), ("out", out)):
        slots[name] = _flowing(rng, language, units.said(rng, language, *flow, unit, separator))
    known = [AMOUNTS.fact(rng, language, name, (amount, 0, "L")) for name, amount in contents.items()]
    known += [AMOUNTS.fact(rng, language, name, (*flow, unit)) for name, flow in (("inflow", rate), ("outflow", out))]
    return slots, known


def _leftnet(rng, language, held_out, kind):
    """How long until what is missing has come in, while some of it flows out; `netleft`: with the net flow. If as much
    flows out as in, or more: never."""
    separator = telemetry.separator(rng, language)
    (rate, out, (size, places)), unit = _net_flow(rng)
    base = TIMES[unit]
    time = rng.randint(5, 150) if base == "min" else rng.randint(2, 24)
    missing = max(1, size * time // 10**places)
    now = rng.choice([rng.randint(1, 90) * 10, rng.randint(20, 700)])
    if rng.random() < 0.6:
        now = max(1, 10 - missing % 10 + now // 10 * 10)
    if kind == "netleft" and missing * 10**places % size:
        return _leftnet(rng, language, held_out, kind)
    never = kind == "leftnet" and rng.random() < 0.2
    if never:
        rate, out = (out, rate) if rng.random() < 0.7 else (rate, rate)
    whole = now + missing
    named = spelled_unit(rng, language, base)
    contents = {"volume": whole, "now": now}
    slots, known = _filled_and_emptied(rng, language, separator, contents, rate, out, unit)
    slots["unit"] = named
    lines = [arithmetic.subtraction(whole, now, 0)[0], arithmetic.change(*_same(rate, out))[0]]
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known,
        ask="netleft_ask" if kind == "netleft" else "full_ask", given="leftnet_given",
    )  # fmt: skip
    facts = {"kind": kind, "volume": str(whole), "now": str(now), "rate": text(*rate), "out": text(*out)}
    if never:
        return _never(rng, language, held_out, "left net", stated, lines, separator, facts)
    if kind == "netleft":
        more, value, made, _ = arithmetic.quotient(missing, 0, size, places)
        times = "minutes" if base == "min" else "hours"
        answer = _together(language, net=Amount(size, places, unit), **{times: Amount(value, made, base)})
        return build(
            rng, FAMILY, language, held_out, stated.question, ["net + left", *lines, *more], answer, stated.data,
            separator, exact=True, facts=facts, phrasings=stated.phrasings,
        )  # fmt: skip
    return _timed(
        rng, language, held_out, kind, "left net", _or_never(rng, language, held_out, stated), lines,
        ((missing, 0), (size, places)), base, named, separator, facts,
    )  # fmt: skip


def _emptynet(rng, language, held_out, kind):
    """How long until something is empty that is filled and emptied at once; never, where more flows in."""
    separator = telemetry.separator(rng, language)
    (out, rate, (size, places)), unit = _net_flow(rng)
    base = TIMES[unit]
    time = rng.randint(5, 150) if base == "min" else rng.randint(2, 24)
    now = max(1, size * time // 10**places + rng.choice([0, 0, 0, rng.randint(0, 9)]))
    never = rng.random() < 0.2
    if never:
        rate, out = (out, rate) if rng.random() < 0.7 else (rate, rate)
    named = spelled_unit(rng, language, base)
    slots, known = _filled_and_emptied(rng, language, separator, {"now": now}, rate, out, unit)
    slots["unit"] = named
    lines = [arithmetic.change(*_same(out, rate))[0]]
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known, ask="empty_ask", given="inout_given"
    )
    facts = {"kind": kind, "now": str(now), "rate": text(*rate), "out": text(*out)}
    if never:
        return _never(rng, language, held_out, "drain net", stated, lines, separator, facts)
    return _timed(
        rng, language, held_out, kind, "drain net", _or_never(rng, language, held_out, stated), lines,
        ((now, 0), (size, places)), base, named, separator, facts,
    )  # fmt: skip


# From one level to another ------------------------------------------------------------


def _levels(rng, language, held_out, kind):
    """How long from one content to another, or from one level in percent to another by percents an hour."""
    separator = telemetry.separator(rng, language)
    rate, decimals, unit = draw_rate(rng)
    moved, moved_decimals = _content(rng, rate, decimals, unit)
    litre = "m³" if unit == "m³/h" else "L"
    if rng.random() < 0.2:
        litre, unit, decimals, moved_decimals = "%", "%/h", 0, 0
        rate = rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 15])
        moved = min(rate * rng.randint(2, 12), 60 // rate * rate)
    low = rng.randint(1, 9) * 10 if moved > 20 * 10**moved_decimals else rng.randint(2, 20)
    low = rng.randint(5, 35) if litre == "%" else low * rng.choice([1, 1, 5, 10]) if litre == "L" else low
    a, b, d = _same((low, 0), arithmetic.trimmed(moved, moved_decimals))
    low, high = arithmetic.trimmed(a, d), arithmetic.trimmed(a + b, d)
    now, target = (low, high) if kind == "up" else (high, low)
    time = TIMES.get(unit, "h")
    named = spelled_unit(rng, language, time)

    def said(value, of):
        return units.said(rng, language, *value, of, separator)

    slots = {
        "thing": rng.choice(VESSELS[language]), "now": said(now, litre), "target": said(target, litre),
        "rate": _flowing(rng, language, said((rate, decimals), unit)), "unit": named,
    }  # fmt: skip
    known = [
        AMOUNTS.fact(rng, language, "level" if litre == "%" else "now", (*now, litre)),
        AMOUNTS.fact(rng, language, "inflow" if kind == "up" else "outflow", (rate, decimals, unit)),
    ]
    if litre != "%" and rng.random() < 0.4:
        full = (high[0] // 10 ** high[1] // 100 + rng.randint(1, 6)) * 100
        known.insert(0, AMOUNTS.fact(rng, language, "volume", (full, 0, litre)))
    stated = statement.state(
        rng, WORDING, language, held_out, "between", slots, separator, known, ask="to_ask",
        given="no_such" if litre == "%" else "gain_given" if kind == "up" else "loss_given",
    )  # fmt: skip
    lines = [arithmetic.subtraction(*_same(high, low))[0]]
    facts = {"now": text(*now), "target": text(*target), "rate": text(rate, decimals)}
    divide = arithmetic.trimmed(b, d), arithmetic.trimmed(rate, decimals)
    return _timed(
        rng, language, held_out, kind, "left" if kind == "up" else "down", stated, lines, divide, time, named,
        separator, facts,
    )  # fmt: skip


def _percents(rng, language, held_out, kind):
    """How long from one level in percent to another, of a tank or a battery of a known capacity."""
    separator = telemetry.separator(rng, language)
    battery = kind in ("chargeto", "batteryto")
    up = kind in ("chargeto", "uppct")
    low, high = sorted(rng.sample([10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 65, 70, 75, 80, 90, 95], 2))
    if rng.random() < 0.15:
        low = rng.randint(5, high - 4)
    if battery:
        stored, unit = rng.choices([("kWh", "kW"), ("Wh", "W"), ("Ah", "A")], [55, 30, 15])[0]
        whole = units.easy(rng, 200, 5000, 0.1) if unit == "W" else units.easy(rng, 4, 90, 0.15)
        rate, decimals = (units.easy(rng, 20, 900, 0.1), 0) if unit == "W" else (
            rng.choice([(2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (11, 0), (22, 0), (24, 1), (36, 1), (72, 1), (74, 1)])
        )  # fmt: skip
        base = "h"
    else:
        stored, unit = rng.choices([("L", "L/min"), ("L", "L/h"), ("m³", "m³/h")], [6, 2, 2])[0]
        base = TIMES[unit]
        whole = units.easy(rng, 10, 90, 0) if stored == "m³" else units.easy(rng, 100, 9000, 0.08)
        rate, decimals = units.easy(rng, *{"L/min": (2, 90), "L/h": (20, 900), "m³/h": (2, 20)}[unit], 0.05), 0
    lines = [arithmetic.subtraction(high, low, 0)[0]]
    more, part, part_decimals = arithmetic.times(whole, 0, high - low, 2)
    exact = Fraction(part, 10**part_decimals) / Fraction(rate, 10**decimals)
    if not Fraction(1, 2) <= exact <= (40 if battery else 600) or exact * 10 % 1 and rng.random() < 0.8:
        return _percents(rng, language, held_out, kind)
    now, target = (low, high) if up else (high, low)
    named = spelled_unit(rng, language, base)

    def said(value, of):
        return units.said(rng, language, *value, of, separator, 0.75)

    shown, flow = said((whole, 0), stored), said((rate, decimals), unit)
    slots = {
        "thing": rng.choice((BATTERIES if battery else VESSELS)[language]), "unit": named, "volume": shown,
        "capacity": shown, "rate": flow, "load": flow, "level": said((now, 0), "%"), "target": said((target, 0), "%"),
    }  # fmt: skip
    names = {
        "chargeto": ("capacity", "soc", "charger"), "batteryto": ("capacity", "soc", "load"),
        "uppct": ("volume", "level", "inflow"), "downpct": ("volume", "level", "outflow"),
    }[kind]  # fmt: skip
    amounts = [(whole, 0, stored), (now, 0, "%"), (rate, decimals, unit)]
    known = [AMOUNTS.fact(rng, language, name, amount) for name, amount in zip(names, amounts)]
    if kind == "chargeto" and unit == "A":
        known = []
    given = {
        "chargeto": "charge_given", "batteryto": "batterypct_given", "uppct": "leftpct_given",
        "downpct": "drainpct_given",
    }[kind]  # fmt: skip
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known, ask="to_ask", given=given, avoid=("voltage",)
    )
    label = {"chargeto": "charge", "uppct": "left %"}.get(kind, "down %")
    facts = {"volume": str(whole), "level": str(now), "target": str(target), "rate": text(rate, decimals)}
    return _timed(
        rng, language, held_out, kind, label, stated, [*lines, *more], ((part, part_decimals), (rate, decimals)), base,
        named, separator, facts,
    )  # fmt: skip


def _enough(rng, language, held_out, kind):
    """Whether what is in a tank, or (`lasting`) in a battery, is enough for a time."""
    separator = telemetry.separator(rng, language)
    if kind == "enough":
        rate, decimals, unit = draw_rate(rng)
        stored, base = ("m³" if unit == "m³/h" else "L"), TIMES[unit]
        names, given, things = ("now", "outflow"), "loss_given", VESSELS
    else:
        stored, unit = rng.choices([("Wh", "W"), ("kWh", "kW"), ("Ah", "A")], [60, 20, 20])[0]
        rate, decimals = (units.easy(rng, 10, 900, 0.15), 0) if unit == "W" else (
            arithmetic.trimmed(units.easy(rng, 2, 60, 0.15), 1)
        )  # fmt: skip
        base, names, given, things = "h", ("capacity", "load"), "battery_given", BATTERIES
    time = (rng.randint(2, 24) if base == "h" else rng.choice([5, 10, 15, 20, 30, 40, 45, 60, 90]), 0)
    spoken, lines = units.said(rng, language, *time, base, separator, 0.35), []
    if base != "s" and rng.random() < 0.25:
        spoken, lines, time = _other_time(rng, language, base, separator)
    more, need, made = arithmetic.times(rate, decimals, *time)
    size = Fraction(need, 10**made)
    share = rng.choice([1, Fraction(rng.randint(50, 99), 100), Fraction(rng.randint(101, 160), 100)])
    share = rng.choice([share, Fraction(rng.randint(70, 130), 100)])
    now = int(size * share)
    if now >= 100 and rng.random() < 0.6:
        now = round(now, -1)
    if now < 1:
        return _enough(rng, language, held_out, kind)
    check, holds = arithmetic.comparison(need, made, "<=", now, 0)
    stock = units.said(rng, language, now, 0, stored, separator, 0.75)
    flow = units.said(rng, language, rate, decimals, unit, separator, 0.75)
    flow = _flowing(rng, language, flow) if kind == "enough" else flow
    slots = {"thing": rng.choice(things[language]), "now": stock, "capacity": stock, "rate": flow, "load": flow}
    known = [
        AMOUNTS.fact(rng, language, names[0], (now, 0, stored)),
        AMOUNTS.fact(rng, language, names[1], (rate, decimals, unit)),
    ]
    stated = statement.state(
        rng, WORDING, language, held_out, "enough", slots | {"time": spoken}, separator, known, ask="enough_ask",
        given=given, avoid=("voltage",),
    )  # fmt: skip
    said, keys = words.YES_NO[language][0 if holds else 1], {"truth": TOGETHER["enough"][language]}
    facts = {"kind": "enough", "now": str(now), "rate": text(rate, decimals), "time": text(*time)}
    return build(
        rng, FAMILY, language, held_out, stated.question, ["enough", *lines, *more, check],
        Answer(f"{said}.", {"truth": holds}, keys), stated.data, separator, exact=True, facts=facts,
        phrasings=stated.phrasings,
    )  # fmt: skip


TANKS = {
    "en": "tanks|barrels|troughs|vats|containers|pools|drums".split("|"),
    "fr": "cuves|tonneaux|abreuvoirs|bassins|citernes|bacs|fûts".split("|"),
}
NUMBERS = {"en": ["", "one", "two", "three", "four"], "fr": ["", "un", "deux", "trois", "quatre"]}


def _tanks(rng, language, held_out, kind):
    """How long one pump needs for several vessels."""
    separator = telemetry.separator(rng, language)
    rate = rng.choice([5, 8, 10, 12, 15, 20, 25, 30, 40, 50])
    things, count = rng.choice(TANKS[language]), rng.choice([2, 3, 3, 4])
    of = "of" if language == "en" else "de"

    def said(value):
        return units.said(rng, language, value, 0, "L", separator, 0.7)

    if rng.random() < 0.35:
        count = rng.choice([2, 3, 4, 5, 6, 8, 10, 12])
        each = rng.choice([rate * rng.randint(2, 30), rng.randint(4, 90) * 10])
        lines, total, _ = arithmetic.times(each, 0, count, 0)
        volumes = [each] * count
        tanks = f"{count} {things} {of} {said(each)}"
    else:
        volumes = rng.sample(range(4, 60), count)
        volumes = [v * 10 for v in volumes]
        if rng.random() < 0.7:
            volumes[-1] += -sum(volumes) % rate
        lines, total = arithmetic.running_sum(volumes, 0)
        lines = [*lines, f"={total}"]
        listed = telemetry.joined([said(v) for v in volumes], language)
        if rng.random() < 0.5:
            listed = telemetry.joined([str(v) for v in volumes], language) + " L"
        number = rng.choice([NUMBERS[language][count], str(count)])
        tanks = rng.choice([f"{number} {things} {of} {listed}", f"{number} {things} ({listed})"])
    named = spelled_unit(rng, language, "min")
    flow = _flowing(rng, language, units.said(rng, language, rate, 0, "L/min", separator))
    slots = {"tanks": tanks, "rate": flow, "unit": named}
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator)
    facts = {"several": list(map(str, volumes)), "rate": str(rate)}
    return _timed(
        rng, language, held_out, kind, "tanks", stated, lines, ((total, 0), (rate, 0)), "min", named, separator, facts
    )


def _tell_loads(rng, language, held_out, thing, capacity, names, loads, separator):
    """A battery and what it supplies: a sentence and a list, or JSON. Returns it and its wordings."""
    if rng.random() < 0.2 and capacity[2] == "Wh":
        number = telemetry.Number
        first = rng.choice(["battery_wh", "capacity_wh"] if language == "en" else ["batterie_wh", "capacite_wh"])
        second = rng.choice(["loads_w", "loads_w"] if language == "en" else ["charges_w", "appareils_w"])
        data = {first: number(text(*capacity[:2])), second: {n: number(str(w)) for n, w in zip(names, loads)}}
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.4), "json", [], True, "."), ()
    amount = units.said(rng, language, *capacity, separator, 0.85)
    given = WORDING.say(rng, language, "loads_given", held_out, thing=thing, capacity=amount)
    head, lines = given.text.rstrip(" .:"), rng.random() < 0.55
    glue = rng.choice([" ", telling.COLON[language], " = "])
    parts = [f"{name}{glue}{load} W" for name, load in zip(names, loads)]
    if lines:
        bullet = rng.choice(["", "- ", "- ", "* "])
        body = telemetry.Told(head + telling.COLON[language].rstrip() + "\n" + "\n".join(bullet + p for p in parts),
                              "lines", [], True, separator)  # fmt: skip
        return body, (given,)
    if rng.random() < 0.4:
        parts = [f"{name} ({load} W)" for name, load in zip(names, loads)]
    body = head + telling.COLON[language] + telemetry.joined(parts, language, rng.choice([None, None, ", "])) + "."
    return telemetry.Told(body, "sentence", [], False, separator), (given,)


def _loads(rng, language, held_out, kind):
    """How long a battery supplies several loads at once."""
    separator = telemetry.separator(rng, language)
    count = rng.choice([2, 3, 3, 3, 4])
    names = rng.sample(LOADS[language], count)
    loads = [rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, rng.randint(4, 90)]) for _ in names]
    if rng.random() < 0.7:
        loads[-1] += -sum(loads) % rng.choice([10, 20, 50])
    lines, total = arithmetic.running_sum(loads, 0)
    lines, hours = [*lines, f"={total}"], rng.choice([3, 4, 5, 6, 8, 10, 12, 15, 20, 24])
    capacity = total * hours + rng.choice([0, 0, total // 2, rng.randint(0, total)])
    shown = (capacity, 0, "Wh")
    if capacity % 10 == 0 and rng.random() < 0.3:
        shown = (*arithmetic.trimmed(capacity, 3), "kWh")
        lines.append(arithmetic.shifted(*shown[:2], 3)[0])
    thing, named = rng.choice(BATTERIES[language]), spelled_unit(rng, language, "h")
    told, phrasings = _tell_loads(rng, language, held_out, thing, shown, names, loads, separator)
    question = WORDING.say(rng, language, "loads_ask", held_out, unit=named)
    stated = statement.Stated(question, told, phrasings, question.slots)
    facts = {"several": list(map(str, loads)), "capacity": str(capacity)}
    return _timed(
        rng, language, held_out, kind, "loads", stated, lines, ((capacity, 0), (total, 0)), "h", named, separator, facts
    )


HERDS = {
    "en": "cows sheep horses goats pigs calves guests campers residents pupils hens".split(),
    "fr": "vaches brebis chevaux chèvres veaux porcs clients campeurs habitants élèves poules".split(),
}


def _stock(rng, language, held_out, kind):
    """How many days a stock lasts, perhaps with the share of the capacity that it is."""
    separator = telemetry.separator(rng, language)
    volume = rng.choice([200, 250, 300, 400, 500, 600, 800, 1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000])
    now = volume * rng.choice([10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90]) // 100
    rates = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 75, 80)
    rates += (100, 120, 125, 150, 200, 250) if kind == "stock" else ()
    found = [n for n in rates if now % n == 0 and 1 < now // n < 120]
    if not found:
        return _stock(rng, language, held_out, kind)
    rate, day = rng.choice(found), "L/day" if language == "en" else "L/jour"

    def said(value):
        return units.said(rng, language, value, 0, "L", separator, 0.85)

    head, herd = [], kind == "stock" and rng.random() < 0.45 and next(
        (n for n in rng.sample([3, 4, 5, 6, 8, 10, 12, 15, 20, 25], 10) if rate % n == 0 and rate > n), 0
    )  # fmt: skip
    each = ["a day", "per day", "per day"] if language == "en" else ["par jour", "par jour", "chaque jour"]
    daily = f"{said(rate)} {rng.choice(each)}" if rng.random() < 0.75 else f"{rate} {day}"
    word = Noun("days" if language == "en" else "jours", language, "m", True)
    slots = {"thing": rng.choice(VESSELS[language]), "volume": said(volume), "now": said(now)}
    slots |= {"rate": daily, "unit": word}
    known = [
        AMOUNTS.fact(rng, language, "now", (now, 0, "L")),
        AMOUNTS.fact(rng, language, "outflow", (rate, 0, day)),
    ]
    if herd:
        slots |= {"herd": f"{herd} {rng.choice(HERDS[language])}", "each": f"{said(rate // herd)} {rng.choice(each)}"}
        known, head = [], arithmetic.times(rate // herd, 0, herd, 0)[0]
    steps, value, made, _ = arithmetic.quotient(now, 0, rate, 0)
    steps = [*head, *steps]
    days, facts = Amount(value, made, str(word)), {"kind": kind, "now": str(now), "rate": str(rate), "places": 9}
    if kind == "share":
        known.insert(0, AMOUNTS.fact(rng, language, "volume", (volume, 0, "L")))
        line, hundred, _ = arithmetic.shifted(now, 0, 2)
        more, share, places, _ = arithmetic.quotient(hundred, 0, volume, 0)
        steps = [line, *more, *steps]
        answer = _together(language, share=Amount(share, places, "%"), days=days)
        facts["volume"] = str(volume)
    else:
        answer = Answer("{value}", {"value": days}, {"value": TOGETHER["days"][language]})
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known, ask=f"{kind}_ask",
        given="herd_given" if herd else f"{kind}_given",
    )  # fmt: skip
    return build(
        rng, FAMILY, language, held_out, stated.question, ["share + days" if kind == "share" else "stock", *steps],
        answer, stated.data, separator, exact=True, facts=facts, phrasings=stated.phrasings,
    )  # fmt: skip


def verify(problem):
    """The formula of the kind, in fractions."""
    f = problem.facts
    n = {key: Fraction(value) for key, value in f.items() if key not in ("kind", "mixed", "several", "never")}
    if "several" in f:
        n["sum"] = sum(map(Fraction, f["several"]))
    if f["kind"] == "share":
        return n["now"] / n["volume"] * 100, n["now"] / n["rate"]
    if f["kind"] == "netafter":
        return n["rate"] - n["out"], n["now"] + n["time"] * (n["rate"] - n["out"])
    if f.get("never"):
        gain = n["rate"] - n["out"] if f["kind"] == "leftnet" else n["out"] - n["rate"]
        return NEVER[problem.language] if gain <= 0 else "a time"
    if f["kind"] == "netleft":
        return n["rate"] - n["out"], (n["volume"] - n["now"]) / (n["rate"] - n["out"])
    if f["kind"] == "enough":
        return n["now"] / n["rate"] >= n["time"]
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
        "after": lambda: n["now"] + n["time"] * (n["rate"] - n["out"]),
        "leftnet": lambda: (n["volume"] - n["now"]) / (n["rate"] - n["out"]),
        "tanks": lambda: n["sum"] / n["rate"],
        "loads": lambda: n["capacity"] / n["sum"],
        "stock": lambda: n["now"] / n["rate"],
        "up": lambda: (n["target"] - n["now"]) / n["rate"],
        "down": lambda: (n["now"] - n["target"]) / n["rate"],
        "uppct": lambda: (n["target"] - n["level"]) * n["volume"] * percent / n["rate"],
        "downpct": lambda: (n["level"] - n["target"]) * n["volume"] * percent / n["rate"],
        "chargeto": lambda: (n["target"] - n["level"]) * n["volume"] * percent / n["rate"],
        "batteryto": lambda: (n["level"] - n["target"]) * n["volume"] * percent / n["rate"],
        "emptynet": lambda: n["now"] / (n["out"] - n["rate"]),
        "volume": lambda: n["rate"] * n["time"],
        "rate": lambda: n["volume"] / n["time"],
        "battery": lambda: n["capacity"] / n["load"],
        "batterypct": lambda: n["capacity"] * n["level"] * percent / n["load"],
        "soc": lambda: n["level"] - n["load"] * n["time"] / n["capacity"] * 100,
        "charge": lambda: n["capacity"] * (100 - n["level"]) * percent / n["load"],
    }[f["kind"]]() * n.get("scale", 1)
    if f.get("parts"):
        return exact // 60, exact % 60
    if f.get("mixed"):
        return f"{exact // 60} h" if f["short"] else f"{exact // 60} h {exact % 60} min"
    scale = 10 ** f["places"]
    return Fraction(int(exact * scale + Fraction(1, 2)), scale)
