"""Short dialogues: a question, its answer, and one question more that leans on both.

The first question is one of another family and answered rightly; the problem is the second.
"""

import dataclasses
import statistics
from fractions import Fraction

import arithmetic
import assemble
import relations
import telemetry
import wording
import words
from assemble import Amount, Answer, build
from families import aggregates, clock, compose, convert, rules
from words import Noun

WEIGHT = 7
FAMILY = "dialogue"
NUMERIC = ("mean", "sum", "max", "min", "range")
PLACE = {"place": Noun, "noun": Noun}
WORDING = wording.load(
    FAMILY,
    {
        **{f"then_{kind}": {"noun": Noun} for kind in NUMERIC},
        "then_highest": {"noun": Noun},
        "then_lowest": {"noun": Noun},
        "new_limit": {"limit": str},
        "new_value": {"noun": Noun, "value": str},
        "why": {},
        "in_unit": {"unit": str},
        "value": PLACE,
        "and_place": PLACE,
        "without": {"place": Noun},
        "that_gt": {"limit": str},
        "that_lt": {"limit": str},
        "later": {"dur": str},
        "from_time": {"time": str},
        "price_now": {"price": str},
    },
)
WHY = {
    "en": {
        ">": ("is above", "is not above"),
        "<": ("is below", "is not below"),
        ">=": ("is at least", "is not at least"),
        "<=": ("is at most", "is not at most"),
    },
    "fr": {
        ">": ("est au-dessus de", "n'est pas au-dessus de"),
        "<": ("est en dessous de", "n'est pas en dessous de"),
        ">=": ("est d'au moins", "n'est pas d'au moins"),
        "<=": ("est d'au plus", "n'est pas d'au plus"),
    },
}
BECAUSE = {"en": "Because {reason}.", "fr": "Parce que {reason}."}
LACKING = {
    "en": "There is not enough information: the reading {place} is missing.",
    "fr": "Il n'y a pas assez d'informations : la mesure {place} manque.",
}


@dataclasses.dataclass
class First:
    """The first question and its answer as turns, and what later ones may need of them."""

    turns: list
    separator: str
    layout: str
    phrasings: tuple


def make(rng, language, held_out):
    kind = rng.choices(
        [_aggregate, _which, _rule, _why, _unit, _place, _without, _beyond, _clock, _price],
        [18, 8, 18, 10, 8, 12, 8, 9, 9, 7],
    )[0]
    return kind(rng, language, held_out)


def _first(rng, language, held_out, question, answer, told=None, separator="", others=(), rule=""):
    """Asks and answers the first question."""
    text = assemble.untidy(rng, language, question.text, True)
    text = f"{rule} {text}" if rule and rng.random() < 0.8 else f"{text} {rule}".strip()
    prompt = assemble.dress(rng, language, held_out, text, told)
    amount = answer.amount()
    stated = amount is not None and assemble.unit_stated(prompt, amount.unit)
    point = (told.separator if told else "") or separator or telemetry.DEFAULT_SEPARATOR[language]
    turns = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": answer.spoken(point, stated)},
    ]
    layout = told.layout if told else "none"
    return First(turns, point, layout, (question, *others))


def _then(rng, language, held_out, first, question, thought, answer, facts, **rest):
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        thought,
        answer,
        None,
        first.separator,
        history=first.turns,
        layout=first.layout,
        facts=facts,
        phrasings=first.phrasings,
        **rest,
    )


# Readings ------------------------------------------------------------


def _asked(rng, language, held_out, kind, readings, told, separator):
    """A question for an aggregate of readings, answered."""
    question = aggregates.WORDING.say(
        rng,
        language,
        kind,
        held_out,
        noun=readings.noun,
        unit=readings.unit,
        n=str(len(readings.values)),
    )
    if kind in ("highest", "lowest"):
        relation = ">" if kind == "highest" else "<"
        found = arithmetic.best(readings.values, readings.decimals, relation)[1]
        amount = Amount(readings.values[found], readings.decimals, readings.unit)
        answer = Answer(
            "{name} ({value})", {"name": told.names[found], "value": amount}, capital=False
        )
        return _first(rng, language, held_out, question, answer, told, separator)
    _, value, decimals = aggregates._think(kind, readings.values, readings.decimals, 2)
    answer = Answer("{value}", {"value": Amount(value, decimals, readings.unit)})
    return _first(rng, language, held_out, question, answer, told, separator)


def _numeric(readings, kind, values):
    """The steps, answer and facts of an aggregate of `values`, readings or some of them."""
    lines, value, decimals = aggregates._think(kind, values, readings.decimals, 2)
    answer = Answer("{value}", {"value": Amount(value, decimals, readings.unit)})
    facts = {"kind": kind, "values": values, "decimals": readings.decimals}
    return [kind, *lines], answer, facts


def _aggregate(rng, language, held_out):
    """One aggregate after another."""
    separator = telemetry.separator(rng, language)
    before, after = rng.sample(NUMERIC, 2)
    if rng.random() < 0.25:
        before, after = rng.choice(["highest", "lowest"]), rng.choice(["mean", "sum", "range"])
    among = (lambda q: q.id in aggregates.SUMMABLE) if "sum" in (before, after) else None
    readings = telemetry.draw(
        rng,
        language,
        rng.choice([2, 3, 3, 4]),
        held_out,
        distinct=True,
        whole_mean=after == "mean" and rng.random() < 0.7,
        among=among,
    )
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, before, readings, told, separator)
    question = WORDING.say(rng, language, f"then_{after}", held_out, noun=readings.noun)
    thought, answer, facts = _numeric(readings, after, readings.values)
    return _then(rng, language, held_out, first, question, thought, answer, facts)


def _which(rng, language, held_out):
    """The highest place, and then the lowest, or the other way round."""
    separator = telemetry.separator(rng, language)
    before, after = rng.choice([("highest", "lowest"), ("lowest", "highest")])
    readings = telemetry.draw(rng, language, rng.choice([2, 3, 3, 4, 5]), held_out, distinct=True)
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, before, readings, told, separator)
    question = WORDING.say(rng, language, f"then_{after}", held_out, noun=readings.noun)
    relation = ">" if after == "highest" else "<"
    lines, found = arithmetic.best(readings.values, readings.decimals, relation, told.names)
    amount = Amount(readings.values[found], readings.decimals, readings.unit)
    answer = Answer("{name} ({value})", {"name": told.names[found], "value": amount}, capital=False)
    facts = {"kind": after, "values": readings.values, "names": told.names}
    thought = [f"which {'max' if after == 'highest' else 'min'}", *lines]
    return _then(rng, language, held_out, first, question, thought, answer, facts)


def _place(rng, language, held_out):
    """One place after another; a place that is not there is said to be missing."""
    separator = telemetry.separator(rng, language)
    count = rng.choice([2, 3, 3, 4, 5])
    readings = telemetry.draw(rng, language, count + 1, held_out)
    absent = rng.random() < 0.4
    lost, lost_value = readings.names.pop(), readings.values.pop()
    del lost_value
    told = telemetry.tell(rng, readings, separator, distract=rng.random() < 0.2)
    i, j = rng.sample(range(count), 2)
    question = WORDING.say(
        rng, language, "value", held_out, place=readings.names[i], noun=readings.noun
    )
    amount = Amount(readings.values[i], readings.decimals, readings.unit)
    first = _first(
        rng, language, held_out, question, Answer("{value}", {"value": amount}), told, separator
    )
    place = lost if absent else readings.names[j]
    question = WORDING.say(rng, language, "and_place", held_out, place=place, noun=readings.noun)
    if absent:
        text = LACKING[language].format(place=place.of_the)
        answer, thought = Answer("{value}", {"value": text}), ["value", f"{place} ?"]
        facts = {"kind": "text", "text": text}
    else:
        amount = Amount(readings.values[j], readings.decimals, readings.unit)
        answer = Answer("{value}", {"value": amount})
        thought = ["value", f"{told.names[j]} {readings.value(j)}"]
        facts = {"kind": "max", "values": [readings.values[j]], "decimals": readings.decimals}
    return _then(rng, language, held_out, first, question, thought, answer, facts, exact=True)


def _without(rng, language, held_out):
    """The same aggregate with one place left out."""
    separator = telemetry.separator(rng, language)
    kind = rng.choice(["mean", "sum", "max", "min"])
    among = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    for _ in range(100):
        readings = telemetry.draw(
            rng, language, rng.choice([3, 3, 4]), held_out, distinct=True, among=among
        )
        out = rng.randrange(len(readings.values))
        rest = [value for i, value in enumerate(readings.values) if i != out]
        if kind != "mean" or sum(rest) % len(rest) == 0:
            break
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, kind, readings, told, separator)
    question = WORDING.say(rng, language, "without", held_out, place=readings.names[out])
    thought, answer, facts = _numeric(readings, kind, rest)
    return _then(rng, language, held_out, first, question, thought, answer, facts, exact=True)


def _beyond(rng, language, held_out):
    """Is what was answered above or below a limit?"""
    separator = telemetry.separator(rng, language)
    kind = rng.choice(["mean", "max", "min", "sum", "range"])
    among = (lambda q: q.id in aggregates.SUMMABLE) if kind == "sum" else None
    readings = telemetry.draw(
        rng, language, rng.choice([2, 3, 4]), held_out, distinct=True, whole_mean=True, among=among
    )
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, kind, readings, told, separator)
    _, value, decimals = aggregates._think(kind, readings.values, readings.decimals, 2)
    limit, limit_decimals = relations.limit_near(rng, value, decimals)
    relation = rng.choice("><")
    question = WORDING.say(
        rng,
        language,
        "that_gt" if relation == ">" else "that_lt",
        held_out,
        limit=relations.limit_text(rng, limit, limit_decimals, readings.unit, separator),
    )
    line, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    facts = {
        "kind": "beyond",
        "of": kind,
        "values": readings.values,
        "decimals": readings.decimals,
        "limit": (relation, limit, limit_decimals),
    }
    return _then(
        rng,
        language,
        held_out,
        first,
        question,
        ["check", line],
        rules._truth_answer(language, holds),
        facts,
    )


def _unit(rng, language, held_out):
    """What was answered, in another unit."""
    separator = telemetry.separator(rng, language)
    pool = [p for p in convert.PAIRS if p.source in convert.CONVERTIBLE and p.weight > 3]
    sources = {pair.source for pair in pool}
    kind = rng.choice(["mean", "max", "min"])
    for _ in range(300):
        readings = telemetry.draw(
            rng,
            language,
            rng.choice([2, 3, 4]),
            held_out,
            distinct=True,
            whole_mean=True,
            among=lambda q: q.unit in sources,
        )
        pair = rng.choice([pair for pair in pool if pair.source == readings.unit])
        _, value, decimals = aggregates._think(kind, readings.values, readings.decimals, 2)
        exact = compose._exact(pair, value, decimals)
        if exact * 100 % 1 == 0:
            break
    told = telemetry.tell(rng, readings, separator)
    first = _asked(rng, language, held_out, kind, readings, told, separator)
    question = WORDING.say(rng, language, "in_unit", held_out, unit=pair.target)
    lines, result, made = convert._think(pair, value, decimals, 2)
    name = f"{pair.source}>{pair.target}".replace("°", "").replace("³", "3")
    answer = Answer("{value}", {"value": Amount(result, made, pair.target)})
    facts = {"kind": "exact", "exact": str(exact)}
    return _then(rng, language, held_out, first, question, [name, *lines], answer, facts)


# Rules ------------------------------------------------------------


def _ruled(rng, language, held_out, separator, with_unit=False):
    """A rule or a check of one reading, asked and answered. Returns the first turns, the condition,
    and what is answered if it holds and if not."""
    while True:
        (condition,) = rules._conditions(rng, language, held_out, 1, separator)
        if not with_unit or condition.fact.unit in condition.text and not condition.check[4]:
            break
    told = rules._status(rng, language, [condition], separator)
    if rng.random() < 0.3:
        question = rules.WORDING.say(rng, language, "check", held_out, cond=condition.text)
        yes, no = (rules._truth_answer(language, holds) for holds in (True, False))
        first = _first(
            rng, language, held_out, question, yes if condition.holds else no, told, separator
        )
        return first, condition, told, (yes, no), (True, False)
    action = words.action(rng, language)
    rule, otherwise = rules._rule(rng, language, held_out, condition.text, action)
    question = rules.WORDING.say(rng, language, "todo", held_out, device=action.device)
    outcomes = (action.do, otherwise)
    yes, no = (Answer("{action}.", {"action": outcome}) for outcome in outcomes)
    first = _first(
        rng,
        language,
        held_out,
        question,
        yes if condition.holds else no,
        told,
        separator,
        [rule],
        wording.capital(rule.text),
    )
    return first, condition, told, (yes, no), outcomes


def _rule(rng, language, held_out):
    """The same rule with another limit, or another reading."""
    separator = telemetry.separator(rng, language)
    first, condition, told, answers, outcomes = _ruled(rng, language, held_out, separator)
    _, value, relation, limit, negated = condition.check
    unit, noun = condition.fact.unit, condition.fact.noun
    if rng.random() < 0.55:
        while True:
            new = relations.limit_near(rng, *value)
            if new != limit:
                break
        limit = new
        text = relations.limit_text(rng, *limit, unit, separator)
        question = WORDING.say(rng, language, "new_limit", held_out, limit=text)
    else:
        while True:
            scaled = value[1] >= limit[1]
            number = limit[0] * 10 ** (value[1] - limit[1]) if scaled else limit[0]
            reach = max(3, abs(number) // 8)
            new = (number + rng.randint(-reach, reach), value[1] if scaled else limit[1])
            if new != value and (new[0] > 0 or value[0] <= 0):
                break
        value = new
        text = relations.limit_text(rng, *value, unit, separator)
        question = WORDING.say(rng, language, "new_value", held_out, noun=noun, value=text)
    line, holds = arithmetic.comparison(*value, relation, *limit)
    if negated:
        line, holds = rules._negated(line, holds)
    check = outcomes == (True, False)
    lines = ["check" if check else "rule", dataclasses.replace(condition, comparison=line).line]
    if not check:
        nothing = outcomes[1] == words.NOTHING[language]
        lines.append("do" if holds else "nothing" if nothing else "else")
    facts = {
        "kind": "rule",
        "check": ("limit", value, relation, limit, negated),
        "outcomes": outcomes,
    }
    return _then(
        rng,
        language,
        held_out,
        first,
        question,
        lines,
        answers[0 if holds else 1],
        facts,
        exact=True,
    )


def _why(rng, language, held_out):
    """The reason of what was decided: the reading beside its limit."""
    separator = telemetry.separator(rng, language)
    first, condition, told, _, _ = _ruled(rng, language, held_out, separator, with_unit=True)
    _, value, relation, limit, _ = condition.check
    unit = condition.fact.unit
    a, b = (
        f"{telemetry.written(arithmetic.text(*number), first.separator)} {unit}"
        for number in (value, limit)
    )
    said = WHY[language][relation][0 if condition.holds else 1]
    reason = f"{a} {said} {b}"
    answer = Answer(BECAUSE[language], {"reason": reason})
    facts = {"kind": "why", "check": condition.check, "a": a, "b": b}
    question = WORDING.say(rng, language, "why", held_out)
    thought = ["why", condition.line]
    return _then(rng, language, held_out, first, question, thought, answer, facts)


# The clock and money ------------------------------------------------------------


def _clock(rng, language, held_out):
    """A time and a duration; then a longer duration, or another start."""
    style = clock.draw_style(rng, language)
    thing = rng.choice((words.RUNS_HELD_OUT if held_out else words.RUNS)[language])
    time = clock.draw_time(rng)
    text, minutes, steps = clock.duration(rng, language, 300)
    question = clock.WORDING.say(
        rng, language, "add", held_out, thing=thing, time=style.write(time), dur=text
    )
    end = (time + minutes) % clock.DAY
    first = _first(rng, language, held_out, question, style.time(end))
    if rng.random() < 0.5:
        more, by, steps = clock.duration(rng, language, 120)
        question = WORDING.say(rng, language, "later", held_out, dur=more)
        start = end
    else:
        start, by = clock.draw_time(rng), minutes
        question = WORDING.say(rng, language, "from_time", held_out, time=style.write(start))
    line, after = arithmetic.clock_addition(start, by)
    thought = ["clock add", *style.fetch(start), *steps, line, *style.back(after)]
    facts = {"kind": "clock", "time": start, "by": by, "style": style}
    return _then(
        rng, language, held_out, first, question, thought, style.time(after), facts, exact=True
    )


def _price(rng, language, held_out):
    """What a meter's difference costs, and at another price."""
    separator = telemetry.separator(rng, language)
    used = rng.randint(4, rng.choice([40, 99, 300]))
    before = rng.randint(100, rng.choice([999, 5000]))
    prices = rng.sample([10, 12, 15, 18, 20, 22, 25, 28, 30, 32, 35, 40, 45], 2)
    money = rng.choice(["€", "€", "€", "CHF", "$"])
    said = compose.WORDING.say(
        rng, language, "meter", held_out, before=str(before), now=f"{before + used} kWh"
    )
    shape = "{} {} per kWh" if language == "en" else "{} {} le kWh"
    texts = [shape.format(telemetry.written(f"{p / 100:.2f}", separator), money) for p in prices]
    price = compose.WORDING.say(rng, language, "price", held_out, price=texts[0])
    told = compose._told(f"{said.text} {price.text}")
    question = compose.WORDING.say(rng, language, "meter_cost", held_out)
    answer = Answer("{value}", {"value": Amount(used * prices[0], 2, money)})
    others = [said, price]
    first = _first(rng, language, held_out, question, answer, told, separator, others)
    first.separator = separator
    first.turns[1]["content"] = answer.spoken(separator, True)
    question = WORDING.say(rng, language, "price_now", held_out, price=texts[1])
    line, _ = arithmetic.subtraction(before + used, before, 0)
    lines, value = compose.costs(used, 0, prices[1])
    answer = Answer("{value}", {"value": Amount(value, 2, money)})
    facts = {"kind": "exact", "exact": str(Fraction(used * prices[1], 100))}
    return _then(
        rng, language, held_out, first, question, ["meter cost", line, *lines], answer, facts
    )


# Verification ------------------------------------------------------------


def verify(problem):
    """What the second question must be answered with."""
    facts, language = problem.facts, problem.language
    kind = facts["kind"]
    if kind == "text":
        return facts["text"]
    if kind == "exact":
        return Fraction(facts["exact"])
    if kind == "clock":
        return clock._written(problem, clock._at(facts["time"] + facts["by"]), facts["style"])
    if kind == "rule":
        return facts["outcomes"][0 if rules._holds(facts["check"]) else 1]
    if kind == "why":
        holds = rules._holds(facts["check"])
        said = WHY[language][facts["check"][2]][0 if holds else 1]
        reason = f"{facts['a']} {said} {facts['b']}"
        return reason if problem.format == "json" else BECAUSE[language].format(reason=reason)
    if kind in ("highest", "lowest"):
        best = (max if kind == "highest" else min)(facts["values"])
        return facts["names"][facts["values"].index(best)]
    values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
    exact = {
        "mean": statistics.mean,
        "sum": sum,
        "max": max,
        "min": min,
        "range": lambda of: max(of) - min(of),
    }[facts.get("of", kind)](values)
    if kind == "beyond":
        return compose._beyond(exact, facts["limit"])
    whole = int(abs(exact) * 100 + Fraction(1, 2))
    return Fraction(whole if exact >= 0 else -whole, 100)
