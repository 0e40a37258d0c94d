"""Two steps in one question: an aggregate, a count, a difference, a share or a conversion and then
a rule or a comparison; a meter and then its cost; a flow and then the clock; an aggregate of some of the
readings; and the like."""

import dataclasses
import datetime
from fractions import Fraction

import arithmetic
import naming
import relations
import statement
import telemetry
import units
import wording
import words
from assemble import Amount, Answer, build
from families import aggregates, clock, convert, energy, flow, rules
from words import Noun

WEIGHT = 10
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
    **dict.fromkeys(("over", "under", "max_is", "min_is", "spread_gt", "spread_lt"), LIMIT),
    "bare_rule": {"cond": str, "do": str, "undo": str},
    **dict.fromkeys(("short_ask", "two", "energy_two", "fill_two", "sum_cost", "span_kwh"), {}),
    "span_litres": {"unit": Noun},
    "conv_now": {"noun": Noun, "a": str, "place": Noun},
    "conv_two": {"unit": str},
    "agg_two": {"agg": Noun},
    "change_two": ABOUT,
    "use_ran": {"device": Noun, "power": str, "time": str},
    "tanks_rate": {"rate": str},
    "tanks_time": {"unit": Noun},
    "span_ran": {"thing": Noun, "key": str, "a": str, "b": str, "rate": str},
    "before": {"thing": Noun, "time": str, "dur": str, "limit": str},
    "before_window": {"thing": Noun, "time": str, "dur": str, "window": Noun},
    **dict.fromkeys(("pct_risen", "pct_fallen"), ABOUT | LIMIT),
    "surplus_gt": LIMIT,
    **dict.fromkeys(("some_ask", "limit_over", "limit_under"), {"agg": Noun}),
}
WORDING = wording.load(FAMILY, SECTIONS)
# Aggregates as nouns with an article, so that every clause about a reading can be said of them.
AGGREGATES = {
    "en": {
        "mean": ["average {noun}", "mean {noun}", "mean of the readings", "average of all sensors", "mean", "average"],
        "max": [
            "highest {noun}", "maximum {noun}", "largest reading", "maximum of the readings", "maximum", "highest one",
        ],
        "min": [
            "lowest {noun}", "minimum {noun}", "smallest reading", "minimum of the readings", "minimum", "lowest one",
        ],
        "sum": ["total {noun}", "sum of the readings", "sum of all values", "total of all sensors", "total", "sum"],
        "range": [
            "difference between the highest and the lowest reading",
            "spread of the readings",
            "gap between maximum and minimum",
        ],
    },
    "fr": {
        "mean": [
            "f moyenne des mesures", "f moyenne {of_the}", "f moyenne de tous les capteurs", "f moyenne", "f moyenne",
        ],
        "max": [
            "m maximum des mesures", "f plus grande valeur", "m maximum {of_the}", "m maximum", "f plus haute valeur",
        ],
        "min": [
            "m minimum des mesures", "f plus petite valeur", "m minimum {of_the}", "m minimum", "f plus basse valeur",
        ],
        "sum": ["m total des mesures", "f somme des valeurs", "m total de tous les capteurs", "m total", "f somme"],
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
            _conversion_limit,
            _use,
            _sum_cost,
            _tanks,
            _span,
            _before,
            _percent_rule,
            _surplus,
            _some,
        ],
        [26, 10, 14, 9, 5, 6, 7, 5, 5, 4, 10, 4, 6, 17, 6, 5, 5, 7, 7, 4, 9, 11],
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


def _rule(
    rng, language, held_out, clause, kind, lines, holds, told, separator, facts, more=(), bare=None, noun=None,
    alone=False,
):  # fmt: skip
    """The end of every composition with a rule: `clause` decides it, `lines` have decided the
    clause. Sometimes only the truth of the clause is asked. `bare` is the clause without its subject
    `noun`: it serves for a direct question, and where the data shows but one reading (`alone`) for a
    rule that names none."""
    phrasings = [clause, *more]
    facts = facts | {"truth": True}
    if rng.random() < 0.3:
        if noun and rng.random() < 0.5:
            question = rules.WORDING.say(rng, language, "is", held_out, noun=noun, rel=bare.text)
            phrasings = [bare, *more]
        else:
            question = rules.WORDING.say(rng, language, "check", held_out, cond=clause.text)
        return _build(
            rng,
            language,
            held_out,
            question,
            [f"{kind} check", *lines],
            rules.truth_answer(language, holds),
            told,
            separator,
            facts,
            phrasings=phrasings,
        )
    if alone and rng.random() < 0.5:
        phrasings = [bare, *more]
        rule, action, otherwise = _bare_rule(rng, language, held_out, bare.text)
    else:
        rule, action, otherwise = _full_rule(rng, language, held_out, clause.text)
    standing, order = wording.capital(rule.text), None
    if standing[-1] not in ".!?":
        standing += "\n"
    if rng.random() < 0.35:
        question = WORDING.say(rng, language, "short_ask", held_out)
        if rng.random() < 0.75:
            told, standing, order = _beside(rng, told, standing), "", "data first"
    else:
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
        order=order,
        rule=standing,
        phrasings=[rule, *phrasings],
    )


def _action(rng, language):
    """An action and its opposite, which now and then is to do nothing."""
    action = words.action(rng, language)
    infinitive = language == "en" or action.do.split()[0] in words.FRENCH_VERBS
    return dataclasses.replace(action, undo=words.NOTHING[language]) if infinitive and rng.random() < 0.15 else action


def _bare_rule(rng, language, held_out, bare):
    """`Above 3 bar: open the bypass. Otherwise: close it.`: the rule, its action, and what is done otherwise."""
    action = _action(rng, language)
    said = WORDING.say(rng, language, "bare_rule", held_out, cond=bare, do=action.do, undo=action.undo)
    return said, action, action.undo


def _full_rule(rng, language, held_out, clause):
    """A rule whose condition is a whole clause, with or without its else."""
    action = _action(rng, language)
    if action.undo != words.NOTHING[language]:
        return (said := rules.say_rule(rng, language, held_out, clause, action))[0], action, said[1]
    slots = {"cond": clause, "do": action.do, "undo": action.undo}
    return rules.WORDING.say(rng, language, "if_else", held_out, **slots), action, action.undo


def _beside(rng, told, text):
    """Data with a statement before or after it."""
    parts = [told.text, text.strip()]
    if rng.random() < 0.4:
        parts.reverse()
    block = told.block or any("\n" in part for part in parts)
    glue = "\n" if block or parts[0][-1] not in ".!?" or rng.random() < 0.15 else " "
    return dataclasses.replace(told, text=glue.join(parts), block=glue == "\n")


def as_data(text, separator=""):
    """A statement as data."""
    return telemetry.Told(text, "sentence", [], text.startswith("{") or "\n" in text, separator)


def _number(value, decimals, separator):
    return telemetry.written(arithmetic.text(value, decimals), separator)


# Several readings, then a rule ------------------------------------------------------------


def _aggregate(rng, language, held_out):
    """If the average is above a limit ..."""
    separator = telemetry.separator(rng, language)
    kind = rng.choices(["mean", "max", "min", "sum", "range"], [11, 4, 4, 4, 4])[0]
    summable = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    count = rng.choices([2, 3, 4, 5], [5, 6, 2, 1])[0]
    readings = telemetry.draw(
        rng, language, count, held_out, whole_mean=kind == "mean", among=summable
    )
    lines, value, decimals = aggregates.think(kind, readings.values, readings.decimals, 2)
    limit, limit_decimals = relations.limit_near(rng, value, decimals)
    if kind == "range":
        limit = max(1, limit)
    relation = rng.choice([">", ">", "<", "<", ">=", "<="])
    both = rng.random() < 0.08
    if both:
        relation = rng.choice("><")
    forms = (AGGREGATES_HELD_OUT if held_out else AGGREGATES)[language][kind]
    form = rng.choice(forms).format(noun=readings.noun, of_the=readings.noun.of_the)
    noun = words.nouns(language, form)[0]
    limited = relations.limit_text(rng, limit, limit_decimals, readings.unit, separator)
    clause, bare = relations.clause(rng, language, held_out, noun, relation, limited), None
    if relation in "><":
        bare = WORDING.say(rng, language, SIDES[relation], held_out, limit=limited)
        if kind == "range" and rng.random() < 0.6:
            section = "spread_gt" if relation == ">" else "spread_lt"
            clause = WORDING.say(rng, language, section, held_out, limit=limited)
    told = telemetry.tell(rng, readings, separator)
    line, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    facts = {
        "kind": kind,
        "values": readings.values,
        "decimals": readings.decimals,
        "limit": (relation, limit, limit_decimals),
    }
    lines = [*lines, line]
    if both:
        return _with_limit(
            rng, language, held_out, ("agg_two", {"agg": noun}), kind, lines, (kind, Amount(value, decimals)),
            (relation, limited), holds, told, separator,
            {"both": [str(_aggregated(kind, facts))], "limit": facts["limit"]},
        )  # fmt: skip
    if relation in "><" and rng.random() < 0.13:
        return _beyond_limit(
            rng, language, held_out, noun, kind, lines, (relation, limited), holds, told, separator, facts
        )
    return _rule(
        rng, language, held_out, clause, kind, lines, holds, told, separator, facts, bare=bare,
        noun=noun if bare else None,
    )  # fmt: skip


def _beyond_limit(rng, language, held_out, noun, kind, lines, limited, holds, told, separator, facts):
    """A limit that is told beside the data: `Limit: 28 °C. Does the average exceed it?` `limited` is the relation and
    the limit as it is said."""
    relation, text = limited
    limit = WORDING.say(rng, language, "max_is" if relation == ">" else "min_is", held_out, limit=text)
    told = _beside(rng, told, wording.capital(limit.text))
    question = WORDING.say(rng, language, "limit_over" if relation == ">" else "limit_under", held_out, agg=noun)
    return _build(
        rng, language, held_out, question, [f"{kind} check", *lines], rules.truth_answer(language, holds), told,
        separator, facts | {"truth": True}, phrasings=[limit],
    )  # fmt: skip


# Aggregates of some of the readings, as nouns with an article.
SOME = {
    "en": {
        "mean": "average of {}|mean of {}|average over {}|average for {}|mean value of {}",
        "sum": "total of {}|sum of {}|total for {}|sum over {}",
        "max": "maximum of {}|highest value among {}|maximum over {}|largest reading of {}",
        "min": "minimum of {}|lowest value among {}|minimum over {}|smallest reading of {}",
    },
    "fr": {
        "mean": "f moyenne pour {}|f moyenne entre {}|f moyenne ({})|f moyenne des capteurs {}",
        "sum": "m total pour {}|f somme pour {}|m total ({})|f somme ({})|f somme des valeurs de {}",
        "max": "m maximum entre {}|m maximum parmi {}|f plus haute valeur entre {}|m maximum pour {}",
        "min": "m minimum entre {}|m minimum parmi {}|f plus basse valeur entre {}|m minimum pour {}",
    },
}
SOME_HELD_OUT = {
    "en": {
        "mean": "arithmetic mean taken across {}", "sum": "combined figure of {}", "max": "peak across {}",
        "min": "low point across {}",
    },
    "fr": {
        "mean": "f moyenne arithmétique tirée de {}", "sum": "m cumul limité à {}", "max": "m pic limité à {}",
        "min": "m creux limité à {}",
    },
}  # fmt: skip


def _some(rng, language, held_out):
    """An aggregate of those readings that the question names, or a rule over it."""
    separator = telemetry.separator(rng, language)
    kind = rng.choices(["mean", "sum", "max", "min"], [6, 3, 2, 2])[0]
    summable = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    count = rng.choices([3, 4, 5, 6], [4, 5, 3, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out, distinct=True, among=summable)
    picked = rng.sample(range(count), rng.randint(2, min(3, count - 1)))
    if rng.random() < 0.6:
        picked.sort()
    if kind == "mean":
        readings.values[picked[-1]] += -sum(readings.values[i] for i in picked) % len(picked)
    told = telemetry.tell(rng, readings, separator)
    names, values = [told.names[i] for i in picked], [readings.values[i] for i in picked]
    forms = (SOME_HELD_OUT if held_out else SOME)[language][kind]
    listed = telemetry.joined(names, language) if rng.random() < 0.85 else ", ".join(names)
    noun = words.nouns(language, rng.choice(forms.split("|")).format(listed))[0]
    lines, value, decimals = aggregates.think(kind, values, readings.decimals, 2)
    for i, name in enumerate(names):
        lines[i] = lines[i].replace(":", f":{name} ", 1)
    facts = {"kind": kind, "values": values, "decimals": readings.decimals}
    if rng.random() < 0.6:
        question = WORDING.say(rng, language, "some_ask", held_out, agg=noun)
        amount = Amount(value, decimals, readings.unit)
        answer = Answer("{value}", {"value": amount}, {"value": aggregates.KEYS[kind][language]})
        facts = {"kind": "value", "value": str(_aggregated(kind, facts))}
        return _build(
            rng, language, held_out, question, [f"{kind} of", *lines], answer, told, separator, facts, exact=True
        )
    limit, limit_decimals = relations.limit_near(rng, value, decimals)
    relation = rng.choice([">", ">", "<", "<", ">=", "<="])
    limited = relations.limit_text(rng, limit, limit_decimals, readings.unit, separator)
    clause = relations.clause(rng, language, held_out, noun, relation, limited)
    line, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    facts["limit"] = (relation, limit, limit_decimals)
    lines = [*lines, line]
    if relation in "><" and rng.random() < 0.2:
        return _beyond_limit(
            rng, language, held_out, noun, f"{kind} of", lines, (relation, limited), holds, told, separator, facts
        )
    return _rule(rng, language, held_out, clause, f"{kind} of", lines, holds, told, separator, facts)


# What is produced, what is used, and what is left over.
SUN = statement.Amounts(
    {
        "made": (
            "solar production|production|PV power|PV production|solar power; pv solar production pv_power prod",
            "f production solaire|f production|f production PV|f puissance PV; pv solaire production prod",
        ),
        "used": (
            "consumption|house consumption|load|house load|total load; load house consumption usage",
            "f consommation|f consommation de la maison|f charge|f conso; conso maison consommation charge",
        ),
    },
    {},
)
SURPLUS = {
    "en": "surplus|surplus|solar surplus|PV surplus|surplus of production over consumption|excess of production",
    "fr": "m surplus|m surplus|m surplus solaire|m excédent|m excédent solaire|m surplus de production",
}


def _surplus(rng, language, held_out):
    """If production exceeds consumption by more than a limit ..."""
    separator = telemetry.separator(rng, language)
    unit = rng.choice(["W", "W", "W", "kW", "kWh"])
    decimals = 0 if unit == "W" else 1
    step = rng.choice([10, 50, 1]) if unit == "W" else 1
    made, used = (rng.randint(3, {10: 500, 50: 120, 1: 4000}[step] if unit == "W" else 95) * step for _ in range(2))
    if made < used and rng.random() < 0.8:
        made, used = used, made
    line, value = arithmetic.change(made, used, decimals)
    limit, limit_decimals = _friendly(rng, *relations.limit_near(rng, abs(value), decimals))
    if limit <= 0 or made == used:
        return _surplus(rng, language, held_out)
    relation = rng.choice(">>><")
    limited = units.said(rng, language, limit, limit_decimals, unit, separator, 0.9)
    compared, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    phrasings = []
    if unit == "kWh" and rng.random() < 0.5:
        said = energy.WORDING.say(
            rng, language, "balance_given", held_out,
            **{name: units.said(rng, language, n, decimals, unit, separator) for name, n in
               (("made", made), ("used", used))},
        )  # fmt: skip
        told, phrasings = as_data(said.text, separator), [said]
    else:
        known = [
            SUN.fact(rng, language, name, (*arithmetic.trimmed(n, decimals), unit))
            for name, n in (("made", made), ("used", used))
        ]
        if rng.random() < 0.3:
            known.append(statement.stray(rng, language))
        if rng.random() < 0.3:
            rng.shuffle(known)
        told = telemetry.tell_facts(rng, language, known, separator)
    noun = rng.choice(words.nouns(language, SURPLUS[language]))
    clause = relations.clause(rng, language, held_out, noun, relation, limited)
    if relation == ">" and rng.random() < 0.5:
        clause = WORDING.say(rng, language, "surplus_gt", held_out, limit=limited)
    bare = WORDING.say(rng, language, SIDES[relation], held_out, limit=limited)
    facts = {"kind": "change", "values": [made, used], "decimals": decimals}
    facts["limit"] = (relation, limit, limit_decimals)
    return _rule(
        rng, language, held_out, clause, "surplus", [line, compared], holds, told, separator, facts, phrasings, bare,
        noun,
    )  # fmt: skip


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
    return said, as_data(said.text, separator if decimals else "")


def _change(rng, language, held_out):
    """If it has risen by more than a limit ..."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.low >= 0 and q.unit != "%"])
    before, decimals = rules.measure(rng, quantity)
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
    kind = "rise" if rising else "fall"
    if rng.random() < 0.25:
        return _both(
            rng, language, held_out, ("change_two", {"noun": quantity.noun[language]}), f"{kind} + percent",
            [line, hundredfold, *more], {kind: Amount(moved, 0), f"{kind} percent": Amount(value, made, "%")}, told,
            separator, {"both": [str(moved), str(Fraction(abs(now - before) * 100, before))]}, [said],
        )  # fmt: skip
    thought = [f"{kind} percent", line, hundredfold, *more]
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
        thought = ["meter per day", line, *more]
        answer = Answer("{value}", {"value": Amount(value, made, "kWh")})
    else:
        price = _tariff(rng, language, separator)
        if used * price.value % 10**decimals:
            return _meter(rng, language, held_out)
        other = WORDING.say(rng, language, "price", held_out, price=price.text)
        question = WORDING.say(rng, language, "meter_cost", held_out)
        more, value = costs(used, decimals, price.value)
        facts |= {"kind": "cost", "price": price.value}
        thought, answer = ["meter cost", line, *more], energy.cost_answer(language, price, Amount(value, 2))
    parts = [said.text, other.text]
    if rng.random() < 0.3:
        parts.reverse()
    glue = " " if parts[0][-1] in ".!?;:" else rng.choice([". ", "; ", "\n"])
    told = as_data(glue.join(parts))
    return _build(
        rng,
        language,
        held_out,
        question,
        thought,
        answer,
        told,
        separator,
        facts,
        phrasings=[said, other],
    )


def _tariff(rng, language, separator):
    """A price of a kilowatt-hour in hundredths."""
    price = rng.choice([10, 12, 15, 18, 20, 22, 25, 28, 30, 32, 35, 40, 45])
    money = rng.choice(["€", "€", "€", "CHF", "$"])
    shapes = {
        "en": ["{} {} per kWh", "{} {} a kWh", "{} {} for each kWh"],
        "fr": ["{} {} le kWh", "{} {} par kWh", "{} {} du kWh"],
    }[language]
    said = rng.choice(shapes).format(_number(price, 2, separator), money)
    return energy.Price(price, 2, said, f"{{value}} {money}", money, False)


def costs(used, decimals, price):
    """An energy times a price in hundredths, a sum with two decimals: the steps and its value."""
    lines, value, made = arithmetic.times(used, decimals, price, 2)
    lines, amount = energy.as_money(energy.Price(price, 2, "", "", "", False), value, made, lines)
    return lines, amount.value


# Conversions ------------------------------------------------------------


def converted(pair, value, decimals):
    """The converted value as a fraction."""
    exact = Fraction(value, 10**decimals)
    if pair.how == ("F",):
        return exact * 9 / 5 + 32
    if pair.how == ("C",):
        return (exact - 32) * 5 / 9
    factor = Fraction(pair.how[1], 10 ** pair.how[2])
    return exact / factor if pair.how[0] == "/" else exact * factor


def _pair(rng, decimals=2, least=4):
    """A conversion and a value that comes out in so many decimals; those of a smaller weight than `least` are left
    out."""
    common = [pair for pair in convert.PAIRS if pair.weight >= least]
    while True:
        pair = rng.choices(common, [pair.weight for pair in common])[0]
        value, value_decimals = convert.draw(rng, pair)
        exact = converted(pair, value, value_decimals)
        if exact * 10**decimals % 1 == 0 and exact < 20000:
            return pair, value, value_decimals, exact


def _conversion(rng, language, held_out):
    """A value in one unit beside a limit in another."""
    separator = telemetry.separator(rng, language)
    pair, value, decimals, exact = _pair(rng)
    lines, result, made = convert.think(pair, value, decimals, 2)
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
        rules.truth_answer(language, holds),
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
        lines, value, decimals = aggregates.think("mean", readings.values, readings.decimals, 2)
        exact = converted(pair, value, decimals)
        if exact * 100 % 1 == 0:
            break
    more, result, made = convert.think(pair, value, decimals, 2)
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
    start, end = clock.draw_window(rng)
    for _ in range(50):
        text, minutes, steps = clock.duration(rng, language, 300)
        time = (clock.time_near(rng, start, end) - minutes) % clock.DAY
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
        rules.truth_answer(language, holds),
        as_data(said.text),
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
    told = as_data(said.text)
    line, value, made = arithmetic.shifted(part, 0, 2)
    more, value, made, _ = arithmetic.quotient(value, made, whole, 0)
    compared, holds = arithmetic.comparison(value, made, ">" if above else "<", limit, 0)
    facts = {
        "kind": "conversion",
        "value": str(Fraction(part * 100, whole)),
        "limit": (">" if above else "<", limit, 0),
    }
    if rng.random() < 0.15:
        return _with_limit(
            rng, language, held_out, ("fill_two", {}), "percent", [line, *more, compared],
            ("percent", Amount(value, made, "%")), (">" if above else "<", percent), holds, told, separator,
            {"both": [facts["value"]], "limit": facts["limit"]}, [said],
        )  # fmt: skip
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
    start, end = clock.draw_window(rng)
    time = clock.time_near(rng, start, end)
    window = WORDING.say(
        rng, language, "in_window", held_out, start=style.write(start), end=style.write(end)
    )
    (condition,) = rules.draw_conditions(rng, language, held_out, 1, separator)
    clause = rules.WORDING.say(rng, language, "both", held_out, a=window.text, b=condition.text)
    now = WORDING.say(rng, language, "time_now", held_out, time=style.write(time))
    told = rules.status(rng, language, [condition], separator)
    glue = "\n" if told.block or "\n" in told.text else " "
    told.text = now.text + glue + told.text
    told.block = glue == "\n"
    within, inside = arithmetic.clock_within(time, start, end)
    lines = [*style.fetch(time, start, end), *within, f"1 {'yes' if inside else 'no'}"]
    lines.append(f"2 {condition.line}")
    line, holds = rules.combination("1&2", [inside, condition.holds])
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


# Two answers at once ------------------------------------------------------------

SIDES = {">": "over", "<": "under"}
# What JSON may call the fields where there are two: names that tell which is which.
TWO_KEYS = {
    "over": (
        "over_limit too_high exceeded above_limit over limit_exceeded is_over above high_alarm",
        "trop_haut depasse au_dessus limite_depassee depassement trop_eleve au_dela alarme_haute seuil_depasse",
    ),
    "under": (
        "under_limit too_low below_limit below under is_below low_alarm falls_short",
        "trop_bas en_dessous sous_le_seuil sous_la_limite insuffisant alarme_basse trop_faible",
    ),
    "energy": (
        "energy energy_kwh kwh consumption used_kwh kwh_used use",
        "energie energie_kwh kwh conso consommation kwh_consommes conso_kwh",
    ),
    "cost": (
        "cost price total_cost bill amount_due to_pay money",
        "cout prix cout_total facture montant a_payer somme_due",
    ),
    "mean": ("mean average avg mean_value avg_value", "moyenne moy valeur_moyenne moyenne_mesures m_moyenne"),
    "max": ("max highest maximum peak max_value", "max maximum plus_haut pic valeur_max"),
    "min": ("min lowest minimum min_value smallest", "min minimum plus_bas valeur_min plus_petit"),
    "sum": ("sum total sum_total total_value grand_total", "somme total total_general somme_totale cumul"),
    "range": ("range spread gap max_minus_min difference", "etendue ecart amplitude max_moins_min difference"),
    "percent": ("percent fill_percent fill level_pct pct percent_full", "pourcent remplissage taux niveau_pct pct"),
    "rise": ("rise increase gain went_up_by diff delta", "hausse augmentation progression gain diff delta"),
    "rise percent": (
        "rise_percent increase_pct percent_up pct_rise gain_percent percent",
        "hausse_pct augmentation_pct pourcentage hausse_pourcent en_pourcent pct",
    ),
    "fall": ("fall drop decrease loss went_down_by", "baisse diminution recul perte chute"),
    "fall percent": (
        "fall_percent decrease_pct percent_down pct_drop loss_percent",
        "baisse_pct diminution_pct pourcentage_baisse baisse_pourcent recul_pct",
    ),
    "minutes": (
        "minutes duration_min run_minutes time_min minutes_total",
        "minutes duree_min temps_min minutes_totales nb_minutes",
    ),
    "hours": (
        "hours duration_h run_hours time_h hours_total",
        "heures duree_h temps_h heures_totales nb_heures",
    ),
    "litres": (
        "litres volume_l total_litres water_l volume litres_total",
        "litres volume_l total_litres eau_l volume litres_total",
    ),
}  # fmt: skip
UNIT_KEYS = {
    "°C": "celsius temp_c", "°F": "fahrenheit temp_f", "L": "litres volume_l", "m³": "m3 volume_m3",
    "kWh": "kwh energy_kwh", "Wh": "wh energy_wh", "kW": "kw power_kw", "W": "watts power_w", "m/s": "m_s speed_ms",
    "km/h": "kmh speed_kmh", "bar": "bar pressure_bar", "kPa": "kpa pressure_kpa", "mbar": "mbar pressure_mbar",
    "min": "minutes time_min", "h": "hours time_h", "s": "seconds time_s", "days": "days n_days",
    "L/h": "l_h flow_lh", "L/min": "l_min flow_lmin", "A": "amps current_a", "mA": "milliamps current_ma",
    "kg": "kg weight_kg", "g": "grams weight_g", "mL": "ml volume_ml", "m": "metres length_m", "cm": "cm length_cm",
    "mm": "mm length_mm", "km": "km length_km", "in": "inches length_in", "hL": "hectolitres volume_hl",
    "ha": "hectares area_ha", "m²": "m2 area_m2", "MJ": "megajoules energy_mj", "MWh": "mwh energy_mwh",
    "kn": "knots speed_kn", "mph": "mph speed_mph", "t": "tonnes weight_t", "V": "volts voltage_v", "mV": "mv voltage_mv",
    "Ah": "ah charge_ah", "mAh": "mah charge_mah", "Pa": "pa pressure_pa", "hPa": "hpa pressure_hpa", "psi": "psi pressure_psi",
    "L/s": "l_s flow_ls", "m³/h": "m3_h flow_m3h",
}  # fmt: skip
FRENCH_KEYS = {
    "energy_": "energie_", "power_": "puissance_", "speed_": "vitesse_", "pressure_": "pression_", "time_": "duree_",
    "flow_": "debit_", "current_": "courant_", "weight_": "poids_", "length_": "longueur_", "hours": "heures",
    "seconds": "secondes", "days": "jours", "n_days": "nb_jours", "grams": "grammes", "metres": "metres",
    "amps": "amperes", "milliamps": "milliamperes",
}  # fmt: skip


def _keys(language, name):
    """The names of a field: of what it means, or, for `in bar`, of a value converted to that unit."""
    if name in TWO_KEYS:
        return TWO_KEYS[name][language == "fr"].split()
    short, long = UNIT_KEYS[name.removeprefix("in ")].split()
    if language == "fr":
        head = long[: long.rindex("_") + 1]
        short = FRENCH_KEYS.get(short, short)
        long = FRENCH_KEYS.get(long) or FRENCH_KEYS.get(head, head) + long[len(head) :]
        return [short, long, f"en_{short}", f"valeur_{short}", f"{short}_converti", "converti"]
    return [short, long, f"in_{short}", f"value_{short}", f"{short}_value", "converted"]


def _both(
    rng, language, held_out, asked, kind, lines, fields, told, separator, facts, phrasings=()
):
    """The end of a problem that wants several answers in one object: the question asks for them, or leaves that to
    the keys. `asked` is the section that asks, with its slots."""
    section, slots = asked if rng.random() < 0.5 else ("two", {})
    question = WORDING.say(rng, language, section, held_out, **slots)
    keys = {name: _keys(language, name) for name in fields}
    answer = Answer("", fields, keys, several=True)
    return _build(
        rng, language, held_out, question, [kind, *lines], answer, told, separator, facts, phrasings=phrasings
    )


def _with_limit(
    rng, language, held_out, asked, kind, lines, field, limited, holds, told, separator, facts, phrasings=()
):
    """A value and whether it is beyond a limit, at once. `field` is the value's name and amount, `limited` the
    relation and the limit as it is said."""
    (relation, text), (name, amount) = limited, field
    section = "max_is" if relation == ">" else "min_is"
    limit = WORDING.say(rng, language, section, held_out, limit=text)
    fields = {name: amount, SIDES[relation]: holds}
    told = _beside(rng, told, wording.capital(limit.text) if rng.random() < 0.7 else limit.text)
    return _both(
        rng, language, held_out, asked, f"{kind} + check", lines, fields, told, separator, facts, [*phrasings, limit]
    )


# A limit on what comes out ------------------------------------------------------------

# What a converted value is a value of, by its theme or its unit.
CONVERTED = {
    "temperature": ("temperature", "f température"),
    "volume": ("content|volume", "m contenu|m volume"),
    "energy": ("consumption|energy used", "f consommation|f énergie consommée"),
    "power": ("power|load|power draw", "f puissance|f charge"),
    "speed": ("wind speed|speed|wind", "f vitesse du vent|f vitesse"),
    "pressure": ("pressure|line pressure", "f pression|f pression du réseau"),
    "time": ("running time|waiting time|duration", "f durée|m temps de marche|m temps d'attente"),
    "flow": ("flow|flow rate", "m débit"),
    "mA": ("current|load current", "f intensité|m courant"),
    "g": ("weight|load", "m poids"),
    "cm": ("depth|water depth", "f profondeur|f hauteur d'eau"),
}
CONVERTED |= {"A": CONVERTED["mA"], "kg": CONVERTED["g"], "m": CONVERTED["cm"]}


def _friendly(rng, limit, decimals):
    """The limit as it is, or, half of the time, with two digits and zeros."""
    if rng.random() < 0.5:
        step = 10 ** max(0, len(str(abs(limit))) - 2)
        limit = round(limit / step) * step
    return arithmetic.trimmed(limit, decimals)


def _conversion_limit(rng, language, held_out):
    """A reading in one unit, a limit in another: a rule, a question about it, or the value and the truth at once."""
    separator = telemetry.separator(rng, language)
    while True:
        pair, value, decimals, exact = _pair(rng, least=3)
        lines, result, made = convert.think(pair, value, decimals, 2)
        limit, limit_decimals = _friendly(rng, *relations.limit_near(rng, result, made))
        if (pair.theme or pair.source in CONVERTED) and (limit > 0 or (pair.low < 0 and limit)):
            break
    relation = rng.choice("><")
    names = CONVERTED.get(pair.theme) or CONVERTED[pair.source]
    noun = rng.choice(words.nouns(language, names[language == "fr"]))
    (place,) = naming.names(rng, language, 1, held_out, True)
    said = WORDING.say(
        rng, language, "conv_now", held_out, noun=noun, place=place,
        a=units.said(rng, language, value, decimals, pair.source, separator),
    )  # fmt: skip
    told = as_data(said.text, separator if decimals else "")
    limited = units.said(rng, language, limit, limit_decimals, pair.target, separator)
    line, holds = arithmetic.comparison(result, made, relation, limit, limit_decimals)
    facts = {"kind": "conversion", "value": str(exact), "limit": (relation, limit, limit_decimals)}
    lines = [*lines, line]
    if rng.random() < 0.3:
        unit = units.spell(rng, language, pair.target, 0.7)
        return _with_limit(
            rng, language, held_out, ("conv_two", {"unit": unit}), pair.task, lines,
            (f"in {pair.target}", Amount(result, made, unit)), (relation, limited), holds, told, separator,
            {"both": [str(exact)], "limit": facts["limit"]}, [said],
        )  # fmt: skip
    clause = relations.clause(rng, language, held_out, noun, relation, limited)
    bare = WORDING.say(rng, language, SIDES[relation], held_out, limit=limited)
    return _rule(
        rng, language, held_out, clause, pair.task, lines, holds, told, separator, facts, [said], bare, noun, True
    )


USED = {"en": "consumption|energy used|energy consumption", "fr": "f consommation|f énergie consommée|f conso"}


def _use(rng, language, held_out):
    """A power and a time: the energy against a limit."""
    separator = telemetry.separator(rng, language)
    power = energy.draw_power(rng)
    time = energy.long_time(rng) if rng.random() < 0.15 else energy.draw_running_time(rng)
    lines, value, made = energy.energy_used(power, time, "kWh")
    lines, value, made = arithmetic.finish(lines, value, made)
    hours = Fraction(time[0], 10 ** time[1]) / (1 if time[2] == "h" else 60)
    exact = Fraction(power[0], 10 ** power[1]) * hours / (1000 if power[2] == "W" else 1)
    said = WORDING.say(
        rng, language, "use_ran", held_out, device=rng.choice(energy.DEVICES[language]),
        power=units.said(rng, language, *power, separator, 0.8), time=energy.said_time(rng, language, time, separator),
    )  # fmt: skip
    told = as_data(said.text, separator if power[1] or time[1] else "")
    amount = Amount(value, made, "kWh")
    if made > 3:
        return _use(rng, language, held_out)
    limit, limit_decimals = _friendly(rng, *relations.limit_near(rng, value, made))
    if limit <= 0:
        return _use(rng, language, held_out)
    relation = rng.choice(">><")
    limited = units.said(rng, language, limit, limit_decimals, "kWh", separator, 0.8)
    line, holds = arithmetic.comparison(value, made, relation, limit, limit_decimals)
    facts = {"kind": "conversion", "value": str(exact), "limit": (relation, limit, limit_decimals)}
    if rng.random() < 0.2:
        return _with_limit(
            rng, language, held_out, ("two", {}), "energy", [*lines, line], ("energy", amount), (relation, limited),
            holds, told, separator, {"both": [str(exact)], "limit": facts["limit"]}, [said],
        )  # fmt: skip
    noun = rng.choice(words.nouns(language, USED[language]))
    clause = relations.clause(rng, language, held_out, noun, relation, limited)
    bare = WORDING.say(rng, language, SIDES[relation], held_out, limit=limited)
    return _rule(
        rng, language, held_out, clause, "energy", [*lines, line], holds, told, separator, facts, [said], bare, noun
    )


def _percent_rule(rng, language, held_out):
    """A rule over a rise or fall in percent."""
    separator = telemetry.separator(rng, language)
    pool = [q for q in words.QUANTITIES if q.low > 0 and q.high >= 20 and q.unit not in ("%", "°C")]
    quantity = rng.choice(pool)
    while True:
        before, share = rng.choice([20, 25, 40, 50, 60, 80, 120, 150, 200, 250, 400, 500]), rng.randint(2, 80)
        before = before if before <= quantity.high else before // 10
        if before * share % 100 == 0:
            break
    rising = rng.random() < 0.5
    now = before + before * share // 100 * (1 if rising else -1)
    limit = max(1, min(95, relations.limit_near(rng, share, 0)[0]))
    limit = limit if rng.random() < 0.3 else max(5, round(limit, -1))
    section, noun = ("pct_risen" if rising else "pct_fallen"), quantity.noun[language]
    percent = f"{limit} %" if language == "fr" or rng.random() < 0.5 else f"{limit}%"
    clause = WORDING.say(rng, language, section, held_out, noun=noun, limit=percent)
    said, told = _two(rng, language, held_out, rising, before, now, 0, quantity, separator)
    line, moved = arithmetic.subtraction(max(now, before), min(now, before), 0)
    hundredfold, value, made = arithmetic.shifted(moved, 0, 2)
    more, value, made, _ = arithmetic.quotient(value, made, before, 0, 1)
    compared, holds = arithmetic.comparison(value, made, ">", limit, 0)
    facts = {"kind": "conversion", "value": str(Fraction(moved * 100, before)), "limit": (">", limit, 0)}
    return _rule(
        rng, language, held_out, clause, "rise percent" if rising else "fall percent",
        [line, hundredfold, *more, compared], holds, told, separator, facts, [said],
    )  # fmt: skip


# Sums, then what they cost or how long they take --------------------------------------------

KWH = words.quantity("kwh", "kWh", 0, 20, (0, 1), "consumption; kwh energy use", "f consommation; kwh energie conso")
LITRES = words.quantity(
    "litres", "L", 20, 900, (0,), "volume; litres volume content", "m volume; litres volume contenu"
)
TANKS = {
    "en": "tank|vat|cask|barrel|trough|cistern|IBC|fermenter|keg|silo",
    "fr": "cuve|cuvon|fût|citerne|bac|fermenteur|bassin|tonneau|abreuvoir|foudre",
}


def _sum_cost(rng, language, held_out):
    """What several devices use, then what that costs together."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [3, 6, 2])[0]
    decimals = rng.choice([0, 1, 1])
    values = [rng.randint(2, rng.choice([15, 40, 90])) for _ in range(count)]
    if rng.random() < 0.7:
        names = rng.sample(energy.DEVICES[language], count)
    else:
        names = naming.names(rng, language, count, held_out)
    readings = telemetry.Readings(KWH, language, decimals, names, values)
    price = _tariff(rng, language, separator)
    used = Fraction(sum(values), 10**decimals)
    if used * price.value % 1:
        return _sum_cost(rng, language, held_out)
    other = WORDING.say(rng, language, "price", held_out, price=price.text)
    told = _beside(rng, telemetry.tell(rng, readings, separator), other.text)
    lines, total = arithmetic.running_sum(values, decimals)
    more, cost = costs(total, decimals, price.value)
    lines = [*lines, f"={arithmetic.text(total, decimals)}", *more]
    both = [str(used), str(used * Fraction(price.value, 100))]
    if rng.random() < 0.35:
        whole = Amount(*arithmetic.trimmed(total, decimals), "kWh")
        return _both(
            rng, language, held_out, ("energy_two", {}), "sum + cost", lines,
            {"energy": whole, "cost": Amount(cost, 2, price.unit)}, told, separator, {"both": both}, [other],
        )  # fmt: skip
    question = WORDING.say(rng, language, "sum_cost", held_out)
    answer = energy.cost_answer(language, price, Amount(cost, 2))
    facts = {"kind": "value", "value": both[1]}
    return _build(
        rng, language, held_out, question, ["sum cost", *lines], answer, told, separator, facts, phrasings=[other]
    )


def _tanks(rng, language, held_out):
    """How long it takes to empty or fill several tanks one after the other."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [4, 6, 1])[0]
    hourly = rng.random() < 0.3
    rate = rng.choice([50, 100, 150, 200, 250, 300] if hourly else [5, 10, 15, 20, 25, 30, 40, 50, 60])
    step = rng.choice([5, 10, 25, 50])
    values = [rng.randint(2, 800 // step) * step for _ in range(count)]
    values[-1] += -sum(values) % rate if not hourly else -sum(values) % (rate // 2)
    if rng.random() < 0.6:
        stem, marks = rng.choice(TANKS[language].split("|")), rng.choice(["ABCDE", "12345"])
        names = [Noun(f"{stem} {mark}", language, "") for mark in marks[:count]]
    else:
        names = naming.names(rng, language, count, held_out)
    readings = telemetry.Readings(LITRES, language, 0, names, values)
    flowing = units.said(rng, language, rate, 0, "L/h" if hourly else "L/min", separator)
    other = WORDING.say(rng, language, "tanks_rate", held_out, rate=flowing)
    told = _beside(rng, telemetry.tell(rng, readings, separator), other.text)
    lines, total = arithmetic.running_sum(values, 0)
    more, value, made, _ = arithmetic.quotient(total, 0, rate, 0)
    lines = [*lines, f"={total}", *more]
    exact, time = str(Fraction(total, rate)), "h" if hourly else "min"
    unit = flow.spelled_unit(rng, language, time)
    if rng.random() < 0.25:
        fields = {"litres": Amount(total, 0, "L"), "hours" if hourly else "minutes": Amount(value, made, time)}
        return _both(
            rng, language, held_out, ("tanks_time", {"unit": unit}), "sum + time", lines, fields, told, separator,
            {"both": [str(total), exact]}, [other],
        )  # fmt: skip
    question = WORDING.say(rng, language, "tanks_time", held_out, unit=unit)
    answer = flow.said_unit(flow.time_answer(language, question, value, made, time), question, unit)
    return _build(
        rng, language, held_out, question, ["sum time", *lines], answer, told, separator,
        {"kind": "value", "value": exact}, phrasings=[other],
    )  # fmt: skip


# From one time to another ------------------------------------------------------------

PUMPS = {
    "en": words.nouns(
        "en", "pump|well pump|irrigation pump|orchard pump|drip line|sprinkler|transfer pump|tap|hose|drain pump"
    ),
    "fr": words.nouns(
        "fr",
        """f pompe|f pompe du puits|f pompe du verger|m goutte-à-goutte|m arrosage|f pompe de transfert|m robinet
            f pompe de relevage|m surpresseur|m arroseur""",
    ),
}  # fmt: skip


def _span(rng, language, held_out):
    """What flows or is used from one time to another, at a rate per minute or per hour."""
    separator = telemetry.separator(rng, language)
    style, start = clock.draw_style(rng, language), clock.draw_time(rng)
    kind = rng.choices(["L/min", "L/h", "kW"], [5, 4, 3])[0]
    minutes = rng.randint(2, 40) * 5 if kind == "L/min" else rng.choice([15, 30, 30, 45, 60]) + 60 * rng.randint(0, 7)
    if start + minutes >= clock.DAY and rng.random() < 0.8:
        return _span(rng, language, held_out)
    rate, decimals = {
        "L/min": lambda: (rng.choice([2, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60]), 0),
        "L/h": lambda: (rng.randint(1, 9) * rng.choice([10, 100]) if minutes % 30 else units.easy(rng, 20, 900, 0), 0),
        "kW": lambda: arithmetic.trimmed(rng.randint(1, 9) * 10 if minutes % 30 else rng.randint(4, 60), 1),
    }[kind]()
    things = energy.DEVICES if kind == "kW" else PUMPS
    end = (start + minutes) % clock.DAY
    thing = rng.choice(things[language])
    key = str(thing).replace(" ", "_").replace("'", "_")
    said = WORDING.say(
        rng, language, "span_ran", held_out, thing=thing, key=key, a=style.write(start), b=style.write(end),
        rate=units.said(rng, language, rate, decimals, kind, separator),
    )  # fmt: skip
    told = as_data(clock.stopped(said.text), separator if decimals else "")
    line, _ = arithmetic.clock_difference(end, start)
    lines, span, made = _spanned(minutes, kind == "L/min")
    more, value, value_decimals = arithmetic.times(rate, decimals, span, made)
    lines = [*style.fetch(start, end), line, *lines, *more]
    length = Fraction(minutes, 1 if kind == "L/min" else 60)
    exact = length * Fraction(rate, 10**decimals)
    unit = flow.spelled_unit(rng, language, "L")
    wanted, section, slots, name = (
        ("kWh", "span_kwh", {}, "energy") if kind == "kW" else ("L", "span_litres", {"unit": unit}, "litres")
    )
    amount = Amount(value, value_decimals, wanted)
    if rng.random() < 0.2:
        fields = {"minutes" if kind == "L/min" else "hours": Amount(span, made), name: amount}
        return _both(
            rng, language, held_out, (section, slots), "span + use", lines, fields, told, separator,
            {"both": [str(length), str(exact)]}, [said],
        )  # fmt: skip
    question = WORDING.say(rng, language, section, held_out, **slots)
    if "unit" in question.slots or "kWh" in question.text:
        amount.unit = str(unit) if "unit" in question.slots else wanted
        answer = Answer("{value}", {"value": amount}, {"value": _keys(language, name)})
    else:
        amount.unit = ""
        answer = Answer("{value} {unit}", {"value": amount, "unit": wanted}, {"value": _keys(language, name)})
    return _build(
        rng, language, held_out, question, ["span use", *lines], answer, told, separator,
        {"kind": "value", "value": str(exact)}, phrasings=[said],
    )  # fmt: skip


def _spanned(minutes, whole):
    """A time of hours and minutes as minutes (`whole`) or as hours: the steps, the value and its decimals."""
    hours, rest = divmod(minutes, 60)
    if whole:
        lines, value, made = arithmetic.times(hours, 0, 60, 0) if hours else ([f"={rest}"], rest, 0)
        if hours and rest:
            line, value = arithmetic.addition(value, rest, 0)
            lines = [*lines, line]
        return lines, value, made
    return energy.hours_of(minutes)


IN_TIME = {
    "en": "in_time on_time before done finished ok makes_it".split(),
    "fr": "a_temps a_l_heure avant fini termine ok dans_les_temps".split(),
}


def _before(rng, language, held_out):
    """Is what starts now over before a time, or before a daily window begins?"""
    style, worded = clock.draw_style(rng, language), rng.random() < 0.4
    thing = rng.choice((words.RUNS_HELD_OUT if held_out else words.RUNS)[language])
    while True:
        start, end = clock.draw_window(rng)
        text, minutes, steps = clock.duration(rng, language, 240)
        limit = start if worded else clock.draw_time(rng, 60)
        time = limit - minutes + rng.choice([1, -1]) * rng.choice([5, 10, 15, 20, 25, rng.randint(1, 55)])
        time -= time % rng.choice([1, 5])
        open_ = not worded or start < end or time >= end
        if 0 <= time < limit and time + minutes < clock.DAY and time + minutes != limit and open_:
            break
    slots, told, phrasings = {"thing": thing, "time": style.write(time), "dur": text}, None, []
    if worded:
        window = rng.choice((words.WINDOWS_HELD_OUT if held_out else words.WINDOWS)[language])
        said = clock.WORDING.say(
            rng, language, "window", held_out, window=window, start=style.write(start), end=style.write(end)
        )
        told, phrasings = as_data(clock.stopped(said.text)), [said]
        question = WORDING.say(rng, language, "before_window", held_out, window=window, **slots)
    else:
        question = WORDING.say(rng, language, "before", held_out, limit=style.write(limit), **slots)
    question = question.within(clock.stopped(question.text))
    line, later = arithmetic.clock_addition(time, minutes)
    compared, holds = arithmetic.clock_comparison(later, "<", limit)
    answer = dataclasses.replace(rules.truth_answer(language, holds), keys={"truth": IN_TIME[language]})
    facts = {"kind": "before", "time": time, "minutes": minutes, "before": limit, "truth": True}
    return _build(
        rng, language, held_out, question, ["clock add before", *style.fetch(time, limit), *steps, line, compared],
        answer, told, "", facts, exact=True, phrasings=phrasings,
    )  # fmt: skip


# Verification ------------------------------------------------------------

COMPARED = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


def is_beyond(value, limit):
    relation, number, decimals = limit
    return COMPARED[relation](value, Fraction(number, 10**decimals))


def _truth(facts):
    """Whether the clause holds, in fractions."""
    kind = facts["kind"]
    if kind == "window":
        inside = clock.in_window(facts["time"], *facts["window"])
        return inside and ("check" not in facts or rules.decide_again(facts["check"]))
    if kind == "devices":
        relation, asked = facts["asked"]
        if facts["what"] == "count":
            return COMPARED[relation](sum(facts["hits"]), asked)
        return (any if facts["what"] == "any" else all)(facts["hits"])
    if kind == "conversion":
        return is_beyond(Fraction(facts["value"]), facts["limit"])
    if kind == "before":
        end = clock.moment_of(facts["time"]) + datetime.timedelta(minutes=facts["minutes"])
        return end < clock.moment_of(facts["before"])
    values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
    if kind in ("any", "all", "count"):
        beyond = [is_beyond(value, facts["limit"]) for value in values]
        if kind == "count":
            relation, asked = facts["asked"]
            return COMPARED[relation](sum(beyond), asked)
        return any(beyond) if kind == "any" else all(beyond)
    return is_beyond(_aggregated(kind, facts), facts["limit"])


def _aggregated(kind, facts):
    """The mean, sum, ... of the values in fractions."""
    values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
    return {
        "mean": lambda: sum(values) / len(values),
        "sum": lambda: sum(values),
        "max": lambda: max(values),
        "min": lambda: min(values),
        "range": lambda: max(values) - min(values),
        "change": lambda: values[0] - values[1],
    }[kind]()


def verify(problem):
    """The truth, action, number or time, computed from the facts."""
    facts = problem.facts
    if "both" in facts:
        found = [Fraction(value) for value in facts["both"]]
        return tuple(found + ([is_beyond(found[-1], facts["limit"])] if "limit" in facts else []))
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
        moment = clock.moment_of(facts["time"] + int(minutes))
        return clock.written_time(problem, moment, facts["style"])
    if kind == "battery":
        moment = clock.moment_of(facts["time"] + 60 * facts["capacity"] // facts["load"])
        return clock.written_time(problem, moment, facts["style"])
    before, now = (Fraction(value, 10 ** facts["decimals"]) for value in facts["values"])
    if kind == "cost":
        return (now - before) * Fraction(facts["price"], 100)
    return (now - before) / facts["days"]
