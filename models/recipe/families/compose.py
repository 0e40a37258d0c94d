"""Two steps in one question: an aggregate, a count, a difference, a share or a conversion and then
a rule or a comparison; a meter and then its cost; a flow and then the clock; and the like."""

from fractions import Fraction

import arithmetic
import naming
import relations
import telemetry
import units
import wording
import words
from assemble import Amount, Answer, build
from families import aggregates, clock, convert, rules
from words import Noun

WEIGHT = 9
FAMILY = "compose"
LIMIT = {"limit": str}
ABOUT = {"noun": Noun}
MANY = {"one": str, "many": str, "n": str, "k": str}
DEVICES = {"one": Noun, "many": Noun, "k": str} | dict.fromkeys(
    ("state", "states", "other", "others", "all"), str
)
CHANGE = ABOUT | {"before": str, "now": str}
SECTIONS = {
    **dict.fromkeys(("many_gt", "many_lt", "one_gt", "one_lt"), LIMIT),
    **dict.fromkeys(("any", "all", "count_ge", "count_gt", "count_lt"), MANY),
    **{f"devices_{kind}": DEVICES for kind in ("any", "all", "ge", "gt", "lt")},
    **dict.fromkeys(("risen", "fallen"), ABOUT | LIMIT),
    "was_now": CHANGE,
    **dict.fromkeys(("percent_change", "percent_drop"), ABOUT),
    "meter": {"before": str, "now": str},
    "price": {"price": str},
    "meter_cost": {},
    "span": {"n": str},
    "per_day": {},
    **dict.fromkeys(("conv_above", "conv_below"), {"a": str, "b": str}),
    "finish": {"thing": Noun, "time": str, "dur": str, "window": Noun},
    **dict.fromkeys(("full_at", "empty_at"), {"volume": str, "flow": str, "time": str}),
    "battery_at": {"capacity": str, "load": str, "time": str},
    "fill_now": {"part": str, "whole": str},
    **dict.fromkeys(("fill_above", "fill_below"), LIMIT),
    "mean_in": {"unit": str},
    "in_window": {"start": str, "end": str},
    "time_now": {"time": str},
}
WORDING = wording.load(FAMILY, SECTIONS)
# Aggregates as nouns with an article, so that every clause about a reading can be said of them.
AGGREGATES = {
    "en": {
        "mean": ["average {noun}", "mean {noun}", "mean of the readings", "average of all sensors"],
        "max": ["highest {noun}", "maximum {noun}", "largest reading", "maximum of the readings"],
        "min": ["lowest {noun}", "minimum {noun}", "smallest reading", "minimum of the readings"],
        "sum": ["total {noun}", "sum of the readings", "sum of all values", "total of all sensors"],
        "range": [
            "difference between the highest and the lowest reading",
            "spread of the readings",
            "gap between maximum and minimum",
        ],
    },
    "fr": {
        "mean": ["f moyenne des mesures", "f moyenne {of_the}", "f moyenne de tous les capteurs"],
        "max": ["m maximum des mesures", "f plus grande valeur", "m maximum {of_the}"],
        "min": ["m minimum des mesures", "f plus petite valeur", "m minimum {of_the}"],
        "sum": ["m total des mesures", "f somme des valeurs", "m total de tous les capteurs"],
        "range": [
            "m écart entre le maximum et le minimum",
            "f différence entre la plus grande et la plus petite valeur",
            "f étendue des mesures",
        ],
    },
}
AGGREGATES_HELD_OUT = {
    "en": {
        "mean": ["{noun} averaged over everything", "arithmetic mean of the entries"],
        "max": ["top entry", "peak {noun}"],
        "min": ["bottom entry", "least {noun}"],
        "sum": ["grand total of the entries", "combined {noun} of everything"],
        "range": ["distance from the bottom entry to the top one"],
    },
    "fr": {
        "mean": ["f valeur moyenne de l'ensemble", "f moyenne générale {of_the}"],
        "max": ["m pic {of_the}", "f valeur la plus élevée de la liste"],
        "min": ["m creux {of_the}", "f valeur la plus faible de la liste"],
        "sum": ["m cumul de l'ensemble", "f somme générale {of_the}"],
        "range": ["f distance de la valeur la plus faible à la plus élevée"],
    },
}


def make(rng, language, held_out):
    kind = rng.choices(
        [
            _aggregate,
            _count,
            _devices,
            _change,
            _percent,
            _meter,
            _conversion,
            _finish_in,
            _tank_clock,
            _battery_clock,
            _fill_rule,
            _mean_in,
            _window_rule,
        ],
        [18, 9, 14, 10, 4, 6, 14, 7, 6, 4, 8, 4, 6],
    )[0]
    return kind(rng, language, held_out)


def _build(rng, language, held_out, question, thought, answer, told, separator, facts, **rest):
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
        **rest,
    )


def _rule(rng, language, held_out, clause, kind, lines, holds, told, separator, facts, more=()):
    """The end of every composition with a rule: `clause` decides it, `lines` have decided the
    clause. Sometimes only the truth of the clause is asked."""
    phrasings = [clause, *more]
    facts = facts | {"truth": True}
    if rng.random() < 0.3:
        question = rules.WORDING.say(rng, language, "check", held_out, cond=clause.text)
        return _build(
            rng,
            language,
            held_out,
            question,
            [f"{kind} check", *lines],
            rules._truth_answer(language, holds),
            told,
            separator,
            facts,
            phrasings=phrasings,
        )
    action = words.action(rng, language)
    rule, otherwise = rules._rule(rng, language, held_out, clause.text, action)
    question = rules.WORDING.say(rng, language, "todo", held_out, device=action.device)
    nothing = otherwise == words.NOTHING[language]
    last = "do" if holds else "nothing" if nothing else "else"
    return _build(
        rng,
        language,
        held_out,
        question,
        [f"{kind} rule", *lines, last],
        Answer("{action}.", {"action": action.do if holds else otherwise}),
        told,
        separator,
        facts | {"do": action.do, "otherwise": otherwise},
        exact=True,
        rule=wording.capital(rule.text),
        phrasings=[rule, *phrasings],
    )


def _told(text, separator=""):
    """A statement as data."""
    return telemetry.Told(text, "sentence", [], text.startswith("{") or "\n" in text, separator)


def _number(value, decimals, separator):
    return telemetry.written(arithmetic.text(value, decimals), separator)


# Several readings, then a rule ------------------------------------------------------------


def _aggregate(rng, language, held_out):
    """If the average is above a limit ..."""
    separator = telemetry.separator(rng, language)
    kind = rng.choices(["mean", "max", "min", "sum", "range"], [9, 4, 4, 5, 3])[0]
    summable = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    count = rng.choices([2, 3, 4, 5], [5, 6, 2, 1])[0]
    readings = telemetry.draw(
        rng, language, count, held_out, whole_mean=kind == "mean", among=summable
    )
    lines, value, decimals = aggregates._think(kind, readings.values, readings.decimals, 2)
    limit, limit_decimals = relations.limit_near(rng, value, decimals)
    relation = rng.choice([">", ">", "<", "<", ">=", "<="])
    forms = (AGGREGATES_HELD_OUT if held_out else AGGREGATES)[language][kind]
    form = rng.choice(forms).format(noun=readings.noun, of_the=readings.noun.of_the)
    clause = relations.clause(
        rng,
        language,
        held_out,
        words.nouns(language, form)[0],
        relation,
        relations.limit_text(rng, limit, limit_decimals, readings.unit, separator),
    )
    told = telemetry.tell(rng, readings, separator)
    line, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    facts = {
        "kind": kind,
        "values": readings.values,
        "decimals": readings.decimals,
        "limit": (relation, limit, limit_decimals),
    }
    lines = [*lines, line]
    return _rule(rng, language, held_out, clause, kind, lines, holds, told, separator, facts)


def _count(rng, language, held_out):
    """If any, all, or so many of the readings are beyond a limit ..."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4, 5], [1, 6, 4, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out)
    values, decimals = readings.values, readings.decimals
    middle = sorted(values)[rng.randrange(count)]
    limit, limit_decimals = relations.limit_near(rng, middle, decimals)
    relation = rng.choice("><")
    kind = rng.choice(["any", "all", "count", "count"])
    limited = relations.limit_text(rng, limit, limit_decimals, readings.unit, separator)
    side = {">": "gt", "<": "lt"}[relation]
    one, many = (
        WORDING.say(rng, language, f"{number}_{side}", held_out, limit=limited)
        for number in ("one", "many")
    )
    compared, last = rng.choice([("ge", ">="), ("ge", ">="), ("gt", ">"), ("lt", "<")])
    lowest, highest = {"ge": (2, count), "gt": (min(2, count - 1), count - 1), "lt": (2, count)}[
        compared
    ]
    asked = rng.randint(lowest, highest)
    section = kind if kind != "count" else f"count_{compared}"
    clause = WORDING.say(
        rng,
        language,
        section,
        held_out,
        one=one.text,
        many=many.text,
        n=str(count),
        k=str(asked),
    )
    told = telemetry.tell(rng, readings, separator, distract=rng.random() < 0.15)
    lines, found, holds = [], 0, kind == "all"
    for i, value in enumerate(values):
        line, beyond = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
        found += beyond
        lines.append(f"{i + 1}:{line}" + (f" {found}" if kind == "count" else ""))
        if kind != "count" and beyond == (kind == "any"):
            holds = beyond
            break
    if kind == "count":
        line, holds = arithmetic.comparison(found, 0, last, asked, 0)
        lines.append(line)
    facts = {
        "kind": kind,
        "values": values,
        "decimals": decimals,
        "limit": (relation, limit, limit_decimals),
        "asked": (last, asked),
    }
    return _rule(
        rng, language, held_out, clause, kind, lines, holds, told, separator, facts, [one, many]
    )


def _devices(rng, language, held_out):
    """If any, all, or so many of the devices are in a state ..."""
    devices = naming.devices(rng, language, held_out)
    count = rng.choices([2, 3, 4, 5, 6], [1, 4, 4, 3, 1])[0]
    side = rng.randrange(2)
    kind = rng.choice(["any", "all", "count", "count", "count"])
    likely = {"any": 0.35, "all": 0.8, "count": 0.5}[kind]
    hits = [rng.random() < likely for _ in range(count)]
    found = [devices.states[side if hit else 1 - side] for hit in hits]
    layouts = None
    if rng.random() < 0.5:
        names = naming.names(rng, language, count, held_out, True)
        layouts = [layout for layout in telemetry.WORD_LAYOUTS if layout != "is"]
    else:
        numbers = rng.sample(range(1, 20), count)
        names = [Noun(f"{devices.one} {number}", language, "") for number in numbers]
    key = "state" if language == "en" else "etat"
    told = telemetry.tell_words(rng, language, names, found, key, layouts=layouts)
    hits = [state == devices.states[side] for state in told.states]
    compared, last = rng.choice([("ge", ">="), ("ge", ">="), ("gt", ">"), ("lt", "<")])
    lowest, highest = {"ge": (2, count), "gt": (min(2, count - 1), count - 1), "lt": (2, count)}[
        compared
    ]
    asked = rng.randint(lowest, highest)
    feminine = devices.many.gender == "f"
    clause = WORDING.say(
        rng,
        language,
        f"devices_{compared if kind == 'count' else kind}",
        held_out,
        one=devices.one,
        many=devices.many,
        k=str(asked),
        state=devices.states[side],
        states=devices.plural_states[side],
        other=devices.states[1 - side],
        others=devices.plural_states[1 - side],
        all="all" if language == "en" else "toutes" if feminine else "tous",
    )
    lines, number, holds = [f"is {devices.states[side]}"], 0, kind == "all"
    for i, (state, hit) in enumerate(zip(told.states, hits)):
        number += hit
        lines.append(f"{i + 1}:{state} {'yes' if hit else 'no'}" + (f" {number}" if kind == "count" else ""))
        if kind != "count" and hit == (kind == "any"):
            holds = hit
            break
    if kind == "count":
        line, holds = arithmetic.comparison(number, 0, last, asked, 0)
        lines.append(line)
    facts = {"kind": "devices", "hits": hits, "what": kind, "asked": (last, asked)}
    return _rule(rng, language, held_out, clause, kind, lines, holds, told, "", facts)


# Before and now ------------------------------------------------------------


def _two(rng, language, held_out, rising, before, now, decimals, quantity, separator):
    """A value before and one now, as data."""
    spaced = f" {quantity.unit}"
    both = rng.random() < 0.5
    said = WORDING.say(
        rng,
        language,
        "was_now",
        held_out,
        noun=quantity.noun[language],
        before=_number(before, decimals, separator) + (spaced if both else ""),
        now=_number(now, decimals, separator) + spaced,
    )
    return said, _told(said.text, separator if decimals else "")


def _change(rng, language, held_out):
    """If it has risen by more than a limit ..."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.low >= 0 and q.unit != "%"])
    before, decimals = rules._measure(rng, quantity)
    rising = rng.random() < 0.5
    step = rng.randint(1, max(3, before // 4))
    away = rng.random() < 0.12
    now = before + step if rising != away else before - step
    if now < 0:
        return _change(rng, language, held_out)
    limit, limit_decimals = relations.limit_near(rng, step, decimals)
    limit = max(1, limit)
    clause = WORDING.say(
        rng,
        language,
        "risen" if rising else "fallen",
        held_out,
        noun=quantity.noun[language],
        limit=relations.limit_text(rng, limit, limit_decimals, quantity.unit, separator),
    )
    said, told = _two(rng, language, held_out, rising, before, now, decimals, quantity, separator)
    a, b = (now, before) if rising else (before, now)
    line, moved = arithmetic.difference(a, b, decimals)
    compared, holds = arithmetic.comparison(moved, decimals, ">", limit, limit_decimals)
    facts = {
        "kind": "change",
        "values": [a, b],
        "decimals": decimals,
        "limit": (">", limit, limit_decimals),
    }
    return _rule(
        rng,
        language,
        held_out,
        clause,
        "rise" if rising else "fall",
        [line, compared],
        holds,
        told,
        separator,
        facts,
        [said],
    )


def _percent(rng, language, held_out):
    """By how many percent it has risen or fallen, at most one decimal."""
    separator = telemetry.separator(rng, language)
    pool = [q for q in words.QUANTITIES if q.low > 0 and q.unit not in ("%", "°C")]
    quantity = rng.choice([q for q in pool if q.high >= 20])
    for _ in range(100):
        before = rng.choice([20, 25, 40, 50, 60, 75, 80, 120, 150, 160, 200, 240, 250, 400, 500])
        before = before if before <= quantity.high else before // 10
        share = rng.choice([5, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 75, rng.randint(2, 90)])
        if before * share % 100 == 0:
            break
    else:
        return _percent(rng, language, held_out)
    rising = rng.random() < 0.5
    now = before + before * share // 100 * (1 if rising else -1)
    section = "percent_change" if rising else "percent_drop"
    question = WORDING.say(rng, language, section, held_out, noun=quantity.noun[language])
    said, told = _two(rng, language, held_out, rising, before, now, 0, quantity, separator)
    a, b = (now, before) if rising else (before, now)
    line, moved = arithmetic.subtraction(a, b, 0)
    hundredfold, value, made = arithmetic.shifted(moved, 0, 2)
    more, value, made, _ = arithmetic.quotient(value, made, before, 0, 1)
    thought = [f"{'rise' if rising else 'fall'} percent", line, hundredfold, *more]
    facts = {"kind": "percent", "moved": abs(now - before), "before": before}
    return _build(
        rng,
        language,
        held_out,
        question,
        thought,
        Answer("{value} %", {"value": Amount(value, made)}),
        told,
        separator,
        facts,
        phrasings=[said],
    )


def _meter(rng, language, held_out):
    """Two readings of a meter, then what the difference costs or is a day."""
    separator = telemetry.separator(rng, language)
    decimals = rng.choice([0, 0, 1])
    used = rng.randint(4, rng.choice([40, 200, 600]))
    before = rng.randint(100, rng.choice([999, 5000, 9999]))
    now = before + used
    unit = rng.choice([" kWh", " kWh", "kWh"])
    said = WORDING.say(
        rng,
        language,
        "meter",
        held_out,
        before=_number(before, decimals, separator) + (unit if rng.random() < 0.5 else ""),
        now=_number(now, decimals, separator) + unit,
    )
    line, _ = arithmetic.subtraction(now, before, decimals)
    facts = {"values": [before, now], "decimals": decimals}
    if rng.random() < 0.3:
        days = rng.choice([2, 3, 4, 5, 6, 7, 8, 10])
        if Fraction(used, 10**decimals) * 100 % days:
            return _meter(rng, language, held_out)
        other = WORDING.say(rng, language, "span", held_out, n=str(days))
        question = WORDING.say(rng, language, "per_day", held_out)
        more, value, made, _ = arithmetic.quotient(used, decimals, days, 0)
        facts |= {"kind": "per day", "days": days}
        thought, amount = ["meter per day", line, *more], Amount(value, made, "kWh")
    else:
        price = rng.choice([10, 12, 15, 18, 20, 22, 25, 28, 30, 32, 35, 40, 45])
        if used * price % 10**decimals:
            return _meter(rng, language, held_out)
        money = rng.choice(["€", "€", "€", "CHF", "$"])
        shapes = {
            "en": ["{} {} per kWh", "{} {} a kWh", "{} {} for each kWh"],
            "fr": ["{} {} le kWh", "{} {} par kWh", "{} {} du kWh"],
        }[language]
        said_price = rng.choice(shapes).format(_number(price, 2, separator), money)
        other = WORDING.say(rng, language, "price", held_out, price=said_price)
        question = WORDING.say(rng, language, "meter_cost", held_out)
        more, value = costs(used, decimals, price)
        facts |= {"kind": "cost", "price": price}
        thought, amount = ["meter cost", line, *more], Amount(value, 2, money)
    parts = [said.text, other.text]
    if rng.random() < 0.3:
        parts.reverse()
    glue = " " if parts[0][-1] in ".!?;:" else rng.choice([". ", "; ", "\n"])
    told = _told(glue.join(parts))
    return _build(
        rng,
        language,
        held_out,
        question,
        thought,
        Answer("{value}", {"value": amount}),
        told,
        separator,
        facts,
        phrasings=[said, other],
    )


def costs(used, decimals, price):
    """An energy times a price in hundredths, a sum with two decimals: the steps and its value."""
    lines, value, made = arithmetic.times(used, decimals, price, 2)
    value *= 10 ** (2 - made)
    last = f"={arithmetic.text(value, 2)}"
    return (lines if lines[-1].endswith(last) else [*lines, last]), value


# Conversions ------------------------------------------------------------


def _exact(pair, value, decimals):
    """The converted value as a fraction."""
    exact = Fraction(value, 10**decimals)
    if pair.how == ("F",):
        return exact * 9 / 5 + 32
    if pair.how == ("C",):
        return (exact - 32) * 5 / 9
    factor = Fraction(pair.how[1], 10 ** pair.how[2])
    return exact / factor if pair.how[0] == "/" else exact * factor


def _pair(rng, decimals=2):
    """A conversion and a value that comes out in so many decimals."""
    common = [pair for pair in convert.PAIRS if pair.weight > 3]
    while True:
        pair = rng.choices(common, [pair.weight for pair in common])[0]
        value, value_decimals = convert._draw(rng, pair)
        exact = _exact(pair, value, value_decimals)
        if exact * 10**decimals % 1 == 0 and exact < 20000:
            return pair, value, value_decimals, exact


def _conversion(rng, language, held_out):
    """A value in one unit beside a limit in another."""
    separator = telemetry.separator(rng, language)
    pair, value, decimals, exact = _pair(rng)
    lines, result, made = convert._think(pair, value, decimals, 2)
    limit, limit_decimals = relations.limit_near(rng, result, made)
    if limit == 0 or (pair.low >= 0 and limit < 0):
        return _conversion(rng, language, held_out)
    relation = rng.choice("><")
    question = WORDING.say(
        rng,
        language,
        "conv_above" if relation == ">" else "conv_below",
        held_out,
        a=units.said(rng, language, value, decimals, pair.source, separator),
        b=units.said(rng, language, limit, limit_decimals, pair.target, separator),
    )
    line, holds = arithmetic.comparison(result, made, relation, limit, limit_decimals)
    kind = pair.task
    return _build(
        rng,
        language,
        held_out,
        question,
        [f"{kind} check", *lines, line],
        rules._truth_answer(language, holds),
        None,
        separator,
        {
            "kind": "conversion",
            "value": str(exact),
            "limit": (relation, limit, limit_decimals),
            "truth": True,
        },
    )


def _mean_in(rng, language, held_out):
    """The average in another unit."""
    separator = telemetry.separator(rng, language)
    pool = [p for p in convert.PAIRS if p.source in convert.CONVERTIBLE and p.weight > 3]
    sources = {pair.source for pair in pool}
    for _ in range(200):
        readings = telemetry.draw(
            rng,
            language,
            rng.choice([2, 2, 2, 3]),
            held_out,
            whole_mean=True,
            negative=False,
            among=lambda q: q.unit in sources,
        )
        pair = rng.choice([pair for pair in pool if pair.source == readings.unit])
        lines, value, decimals = aggregates._think("mean", readings.values, readings.decimals, 2)
        exact = _exact(pair, value, decimals)
        if exact * 100 % 1 == 0:
            break
    more, result, made = convert._think(pair, value, decimals, 2)
    target = units.spell(rng, language, pair.target, 1)
    question = WORDING.say(rng, language, "mean_in", held_out, unit=target)
    told = telemetry.tell(rng, readings, separator)
    kind = pair.task
    return _build(
        rng,
        language,
        held_out,
        question,
        [f"mean {kind}", *lines, *more],
        Answer("{value}", {"value": Amount(result, made, target)}),
        told,
        separator,
        {"kind": "value", "value": str(exact)},
    )


# The clock ------------------------------------------------------------


def _finish_in(rng, language, held_out):
    """Does what starts now end within a daily window?"""
    style = clock.draw_style(rng, language)
    windows = words.WINDOWS_HELD_OUT if held_out else words.WINDOWS
    window = rng.choice(windows[language])
    thing = rng.choice((words.RUNS_HELD_OUT if held_out else words.RUNS)[language])
    start, end = clock._window(rng)
    for _ in range(50):
        text, minutes, steps = clock.duration(rng, language, 300)
        time = (clock._time_near(rng, start, end) - minutes) % clock.DAY
        if (time + minutes) % clock.DAY not in (start, end):
            break
    said = clock.WORDING.say(
        rng,
        language,
        "window",
        held_out,
        window=window,
        start=style.write(start),
        end=style.write(end),
    )
    question = WORDING.say(
        rng,
        language,
        "finish",
        held_out,
        thing=thing,
        time=style.write(time),
        dur=text,
        window=window,
    )
    line, later = arithmetic.clock_addition(time, minutes)
    later %= clock.DAY
    within, holds = arithmetic.clock_within(later, start, end)
    thought = ["clock add in", *style.fetch(time, start, end), *steps, line, *within]
    return _build(
        rng,
        language,
        held_out,
        question,
        thought,
        rules._truth_answer(language, holds),
        _told(said.text),
        "",
        {"kind": "window", "time": later, "window": (start, end), "truth": True},
        exact=True,
        phrasings=[said],
    )


def _tank_clock(rng, language, held_out):
    """When a tank is full or empty: the time it takes, then the clock."""
    separator = telemetry.separator(rng, language)
    style = clock.draw_style(rng, language)
    rate, decimals = (rng.choice([2, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50]), 0)
    if rng.random() < 0.2:
        rate, decimals = rng.choice([5, 15, 25, 35, 45, 75]), 1
    minutes = rng.choice([rng.randint(3, 59), rng.randint(5, 40) * 5, rng.randint(61, 300)])
    volume, volume_decimals = arithmetic.trimmed(rate * minutes, decimals)
    time = clock.draw_time(rng)
    question = WORDING.say(
        rng,
        language,
        rng.choice(["full_at", "empty_at"]),
        held_out,
        volume=units.said(rng, language, volume, volume_decimals, "L", separator),
        flow=units.said(rng, language, rate, decimals, "L/min", separator),
        time=style.write(time),
    )
    more, _, _, _ = arithmetic.quotient(volume, volume_decimals, rate, decimals)
    if minutes > 59:
        more = [*more, arithmetic.hours_and_minutes(minutes)[0]]
    line, end = arithmetic.clock_addition(time, minutes)
    thought = ["flow clock", *more, *style.fetch(time), line, *style.back(end)]
    facts = {
        "kind": "tank",
        "volume": (volume, volume_decimals),
        "rate": (rate, decimals),
        "time": time,
        "style": style,
    }
    return _build(
        rng, language, held_out, question, thought, style.time(end), None, separator, facts,
        exact=True,
    )  # fmt: skip


def _battery_clock(rng, language, held_out):
    """When a full battery is empty: the hours it lasts, then the clock."""
    separator = telemetry.separator(rng, language)
    style = clock.draw_style(rng, language)
    hours, load = rng.randint(2, 15), units.easy(rng, 5, 400)
    capacity, time = load * hours, clock.draw_time(rng)
    big = capacity >= 1000 and capacity % 100 == 0 and load % 10 == 0 and rng.random() < 0.3
    told = (*arithmetic.trimmed(capacity, 3), "kWh") if big else (capacity, 0, "Wh")
    question = WORDING.say(
        rng,
        language,
        "battery_at",
        held_out,
        capacity=units.said(rng, language, *told, separator),
        load=units.said(rng, language, load, 0, "W", separator),
        time=style.write(time),
    )
    steps = [arithmetic.shifted(*told[:2], 3)[0]] if big else []
    more, _, _, _ = arithmetic.quotient(capacity, 0, load, 0)
    line, end = arithmetic.clock_addition(time, hours * 60)
    thought = ["battery clock", *steps, *more, *style.fetch(time), line, *style.back(end)]
    facts = {"kind": "battery", "capacity": capacity, "load": load, "time": time, "style": style}
    return _build(
        rng, language, held_out, question, thought, style.time(end), None, separator, facts,
        exact=True,
    )  # fmt: skip


def _fill_rule(rng, language, held_out):
    """How full in percent, then a rule."""
    separator = telemetry.separator(rng, language)
    unit = rng.choice(["L", "L", "L", "kg"])
    for _ in range(200):
        whole = rng.choice([20, 25, 40, 50, 60, 80, 120, 150, 160, 200, 250, 300, 400, 500, 800])
        share = rng.randint(5, 96)
        if whole * share % 100 == 0:
            break
    part = whole * share // 100
    above = rng.random() < 0.5
    limit, _ = relations.limit_near(rng, share, 0)
    limit = min(99, limit)
    percent = rng.choice([f"{limit} %", f"{limit}%"])
    section = "fill_above" if above else "fill_below"
    clause = WORDING.say(rng, language, section, held_out, limit=percent)
    said = WORDING.say(
        rng, language, "fill_now", held_out, part=f"{part} {unit}", whole=f"{whole} {unit}"
    )
    told = _told(said.text)
    line, value, made = arithmetic.shifted(part, 0, 2)
    more, value, made, _ = arithmetic.quotient(value, made, whole, 0)
    compared, holds = arithmetic.comparison(value, made, ">" if above else "<", limit, 0)
    facts = {
        "kind": "conversion",
        "value": str(Fraction(part * 100, whole)),
        "limit": (">" if above else "<", limit, 0),
    }
    return _rule(
        rng,
        language,
        held_out,
        clause,
        "percent",
        [line, *more, compared],
        holds,
        told,
        separator,
        facts,
        [said],
    )


def _window_rule(rng, language, held_out):
    """A rule with a window of the day and a limit: both must hold."""
    separator = telemetry.separator(rng, language)
    style = clock.draw_style(rng, language)
    start, end = clock._window(rng)
    time = clock._time_near(rng, start, end)
    window = WORDING.say(
        rng, language, "in_window", held_out, start=style.write(start), end=style.write(end)
    )
    (condition,) = rules._conditions(rng, language, held_out, 1, separator)
    clause = rules.WORDING.say(rng, language, "both", held_out, a=window.text, b=condition.text)
    now = WORDING.say(rng, language, "time_now", held_out, time=style.write(time))
    told = rules._status(rng, language, [condition], separator)
    glue = "\n" if told.block or "\n" in told.text else " "
    told.text = now.text + glue + told.text
    told.block = glue == "\n"
    within, inside = arithmetic.clock_within(time, start, end)
    lines = [*style.fetch(time, start, end), *within, f"1 {'yes' if inside else 'no'}"]
    lines.append(f"2 {condition.line}")
    line, holds = rules._combination("1&2", [inside, condition.holds])
    facts = {"kind": "window", "time": time, "window": (start, end), "check": condition.check}
    return _rule(
        rng,
        language,
        held_out,
        clause,
        "window",
        [*lines, line],
        holds,
        told,
        separator,
        facts,
        [window, now],
    )


# Verification ------------------------------------------------------------

COMPARED = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


def _beyond(value, limit):
    relation, number, decimals = limit
    return COMPARED[relation](value, Fraction(number, 10**decimals))


def _truth(facts):
    """Whether the clause holds, in fractions."""
    kind = facts["kind"]
    if kind == "window":
        inside = clock._in_window(facts["time"], *facts["window"])
        return inside and ("check" not in facts or rules._holds(facts["check"]))
    if kind == "devices":
        relation, asked = facts["asked"]
        if facts["what"] == "count":
            return COMPARED[relation](sum(facts["hits"]), asked)
        return (any if facts["what"] == "any" else all)(facts["hits"])
    if kind == "conversion":
        return _beyond(Fraction(facts["value"]), facts["limit"])
    values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
    if kind in ("any", "all", "count"):
        beyond = [_beyond(value, facts["limit"]) for value in values]
        if kind == "count":
            relation, asked = facts["asked"]
            return COMPARED[relation](sum(beyond), asked)
        return any(beyond) if kind == "any" else all(beyond)
    value = {
        "mean": lambda: sum(values) / len(values),
        "sum": lambda: sum(values),
        "max": lambda: max(values),
        "min": lambda: min(values),
        "range": lambda: max(values) - min(values),
        "change": lambda: values[0] - values[1],
    }[kind]()
    return _beyond(value, facts["limit"])


def verify(problem):
    """The truth, action, number or time, computed from the facts."""
    facts = problem.facts
    if facts.get("truth"):
        truth = _truth(facts)
        return (facts["do"] if truth else facts["otherwise"]) if "do" in facts else truth
    kind = facts["kind"]
    if kind == "percent":
        return Fraction(facts["moved"] * 100, facts["before"])
    if kind == "value":
        return Fraction(facts["value"])
    if kind == "tank":
        volume, rate = (Fraction(v, 10**d) for v, d in (facts["volume"], facts["rate"]))
        minutes = volume / rate
        moment = clock._at(facts["time"] + int(minutes))
        return clock._written(problem, moment, facts["style"])
    if kind == "battery":
        moment = clock._at(facts["time"] + 60 * facts["capacity"] // facts["load"])
        return clock._written(problem, moment, facts["style"])
    before, now = (Fraction(value, 10 ** facts["decimals"]) for value in facts["values"])
    if kind == "cost":
        return (now - before) * Fraction(facts["price"], 100)
    return (now - before) / facts["days"]
