"""Generates problems about readings and rules, each with a worked thought and a verified answer.

A family is a function from a random source and a phrasing group to a `Problem`. Phrasings come in two groups:
"seen" ones are trained on, "unseen" ones are kept for evaluation only. Numbers, names, layouts, order, courtesies and
distracting remarks are drawn afresh each time, so two seeds never share more than the wording.

Run as `python problems.py --show 3` to look at some.
"""

import argparse
import dataclasses
import json
import random
import re

import arithmetic
import phrasings
import words

REFUSAL = "I only reason about readings, rules, time and energy."


@dataclasses.dataclass
class Problem:
    family: str
    system: str
    prompt: str
    thought: str
    answer: str


@dataclasses.dataclass
class Readings:
    """Named values of one quantity, in units of 10^-decimals, and how a question may call them."""

    noun: str
    unit: str
    decimals: int
    names: list
    values: list
    highest: tuple
    lowest: tuple
    keys: tuple

    def value(self, i):
        return arithmetic.text(self.values[i], self.decimals)

    def with_unit(self, number):
        return with_unit(number, self.unit)


def with_unit(number, unit):
    return f"{number} {unit}" if unit else number


def unit_shown(prompt, unit):
    """`unit` if the prompt states it, else nothing: an answer repeats units, it does not guess them."""
    return (
        unit if unit and re.search(rf"(?<![A-Za-z/]){re.escape(unit)}(?![A-Za-z/])", prompt) else ""
    )


# Readings and their layouts ------------------------------------------------------------------------------------------


def name_pool(rng, count):
    """`count` different names: rooms, numbered devices, short ids or invented words, never two kinds of id at once."""
    kind = rng.random()
    if kind < 0.5:
        return rng.sample(words.PLACES, count)
    if kind < 0.65:
        stem, glue = rng.choice(words.ID_STEMS), rng.choice([" ", "-", "_", ""])
        numbers = (
            rng.sample(range(1, 10), count)
            if rng.random() < 0.5
            else rng.sample(range(1, 100), count)
        )
        if rng.random() < 0.5:
            numbers.sort()
        return [f"{stem}{glue}{number}" for number in numbers]
    if kind < 0.75:
        stem = rng.choice(words.ID_SHORT)
        stem = stem.upper() if rng.random() < 0.5 else stem
        return [f"{stem}{number}" for number in rng.sample(range(1, 10), count)]
    if kind < 0.8:
        stem = rng.choice(words.ID_STEMS)
        return [f"{stem} {letter}" for letter in rng.sample("ABCDEFGHK", count)]
    if kind < 0.87:
        return [
            f"{a} {b}"
            for a, b in zip(
                rng.sample(["north", "south", "east", "west", "old", "new"], count),
                rng.sample(words.PLACES, count),
            )
        ]
    names = []
    while len(names) < count:
        name = "".join(rng.choices(words.SYLLABLES, k=rng.choice([2, 2, 3])))
        name = name.capitalize() if rng.random() < 0.3 else name
        if name not in names:
            names.append(name)
    return names


def draw_readings(rng, count, distinct=False, whole_mean=False):
    noun, unit, low, high, decimals, highest, lowest, keys = rng.choice(words.QUANTITIES)
    decimals = rng.choice(decimals)
    scale = 10**decimals
    low, high = round(low * scale), round(high * scale)
    while True:
        if (
            rng.random() < 0.5
        ):  # Readings of one house lie close together: the hard case for comparisons.
            centre = rng.randint(low, high)
            spread = max(count + 2, (high - low) // rng.choice([4, 8, 16]))
            values = [
                min(high, max(low, centre + rng.randint(-spread, spread))) for _ in range(count)
            ]
        else:
            values = [rng.randint(low, high) for _ in range(count)]
        if whole_mean:
            values[-1] += -sum(values) % count
        if not distinct or len(set(values)) == count:
            break
    return Readings(noun, unit, decimals, name_pool(rng, count), values, highest, lowest, keys)


def shown(rng, readings, strict=False):
    """The values as they stand in the prompt: a round one may have lost its `.0`."""
    lose = not strict and rng.random() < 0.3
    return [
        str(value // 10)
        if lose and readings.decimals == 1 and value % 10 == 0
        else readings.value(i)
        for i, value in enumerate(readings.values)
    ]


def joined(parts, last=" and "):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + last + parts[-1]


def layout(rng, readings):
    """Writes named readings as telemetry: a sentence, a list, lines, pairs or JSON."""
    values, names, unit = shown(rng, readings), readings.names, readings.unit
    key = rng.choice(readings.keys)
    noun = readings.noun
    kind = rng.choice(
        ["sentence"] * 3
        + ["is"] * 2
        + ["lines"] * 3
        + ["pairs"] * 3
        + ["map"] * 3
        + ["objects"] * 2
        + ["table"]
    )
    spaced = rng.choice([" ", " ", ""]) if unit not in ("%",) else rng.choice([" ", ""])
    united = [f"{v}{spaced}{unit}" for v in values]
    if kind == "sentence":
        glue = rng.choice([" ", " ", ": ", " at ", " = "])
        head = rng.choice(
            [
                f"{noun.capitalize()}: ",
                "Readings: ",
                "",
                f"The {noun} readings are ",
                "Now: ",
                f"Measured {noun}: ",
                "Data: ",
            ]
        )
        every = rng.random() < 0.6
        parts = [
            f"{n}{glue}{u if every or i == len(names) - 1 else v}"
            for i, (n, u, v) in enumerate(zip(names, united, values))
        ]
        return head + joined(parts, rng.choice([" and ", ", "])) + "."
    if kind == "is":
        article = "The " if names[0] in words.PLACES else ""
        if rng.random() < 0.5:
            parts = [
                f"{article.lower() if i else article}{n} is at {u}"
                for i, (n, u) in enumerate(zip(names, united))
            ]
            return joined(parts) + "."
        verb = rng.choice(["shows", "reports", "reads", "has", "measures"])
        return " ".join(f"{article}{n} {verb} {u}." for n, u in zip(names, united))
    if kind == "lines":
        bullet, glue = rng.choice(["", "", "- ", "* "]), rng.choice([": ", ": ", " ", " - ", "\t"])
        body = [
            f"{bullet}{n}{glue}{rng_u}"
            for n, rng_u in zip(names, united if rng.random() < 0.6 else values)
        ]
        head = rng.choice(["", "", f"{noun.capitalize()} in {unit}:\n", "Readings:\n", f"{noun}\n"])
        return head + "\n".join(body)
    keyed = [
        n.replace(" ", rng.choice(["_", "_", "-"])) if rng.random() < 0.5 else n for n in names
    ]
    if any(" " in n for n in keyed) and kind == "pairs":
        keyed = [n.replace(" ", "_") for n in keyed]
    readings.names = keyed
    if kind == "pairs":
        body = rng.choice(["\n", "\n", " ", ", ", "; "]).join(
            f"{n}={v}" for n, v in zip(keyed, values)
        )
        return rng.choice(["", "", f"{key} ", f"{noun} ({unit}): ", "data: "]) + body
    if kind == "table":
        return f"name | {key}\n" + "\n".join(f"{n} | {v}" for n, v in zip(keyed, values))
    compact = rng.random() < 0.5
    separators = (",", ":") if compact else (", ", ": ")
    if kind == "map":
        data = {n: Number(v) for n, v in zip(keyed, values)}
        if rng.random() < 0.4:
            data = {key: data}
            if rng.random() < 0.3:
                data["unit"] = unit
    else:
        label = rng.choice(["name", "id", "room", "sensor", "device", "place"])
        data = [{label: n, key: Number(v)} for n, v in zip(keyed, values)]
        if (
            rng.random() < 0.35
        ):  # Another quantity in the same objects, which the question does not ask for.
            other = rng.choice(
                [
                    k
                    for k in ("battery", "rssi", "humidity", "uptime", "signal")
                    if k != key and k != noun
                ]
            )
            for row in data:
                row[other] = rng.randint(10, 99)
    return encode(data, separators)


class Number(str):
    """A number that keeps its spelling in JSON."""


def encode(data, separators):
    if isinstance(data, Number):
        return str(data)
    if isinstance(data, dict):
        return (
            "{"
            + separators[0].join(
                f'"{k}"{separators[1]}{encode(v, separators)}' for k, v in data.items()
            )
            + "}"
        )
    if isinstance(data, list):
        return "[" + separators[0].join(encode(v, separators) for v in data) + "]"
    return json.dumps(data, ensure_ascii=False)


def bare(rng, readings):
    """Writes the values alone, as a series."""
    values, unit = shown(rng, readings), readings.unit
    kind = rng.random()
    if kind < 0.4:
        return with_unit(joined(values, rng.choice([" and ", ", ", " and "])), unit)
    if kind < 0.6:
        return joined([f"{v} {unit}" for v in values], rng.choice([" and ", ", "]))
    if kind < 0.75:
        return "[" + rng.choice([", ", ","]).join(values) + "]"
    if kind < 0.9:
        return rng.choice([" ", "; ", " / ", "\n"]).join(values)
    return ", ".join(values)


def dress(rng, question, data=None):
    """Puts question, data, courtesies and a distracting remark together in one of the usual orders."""
    remark = rng.choice(words.REMARKS) if rng.random() < 0.2 else ""
    before, after = rng.choice(words.BEFORE), rng.choice(words.AFTER)
    if rng.random() < 0.1:
        question = question[0].lower() + question[1:]
    if data is None:
        parts = [question]
    elif rng.random() < 0.65:
        parts = [data, question]
    else:
        parts = [question, data]
    block = data is not None and ("\n" in data or data[:1] in "{[")
    glue = "\n" if block or rng.random() < 0.15 else " "
    if remark:
        parts.insert(rng.choice([0, len(parts)] if block else range(len(parts) + 1)), remark)
    body = glue.join(parts)
    if after and parts[-1] != question and glue == "\n":
        after = "\n" + after.strip()
    return before + body + after


def pick(rng, group, seen, unseen):
    """A phrasing of the group asked for."""
    return rng.choice(seen if group == "seen" else unseen)


# Families ------------------------------------------------------------------------------------------------------------


def listing(readings):
    """`1: 21.5, 2: 19.0`: fetches the values and counts them."""
    return ", ".join(f"{i + 1}: {readings.value(i)}" for i in range(len(readings.values)))


def running_sum(readings):
    total, lines = readings.values[0], []
    for value in readings.values[1:]:
        line, total = arithmetic.addition(total, value, readings.decimals)
        lines.append(line)
    return lines, total


def ask_values(rng, group, named, named_unseen, series, series_unseen, readings):
    """A question about all values, either of named sensors or of a bare series."""
    slots = {"noun": readings.noun, "unit": readings.unit, "count": len(readings.values)}
    if rng.random() < 0.6:
        data = layout(rng, readings)
        prompt = dress(rng, pick(rng, group, named, named_unseen).format(**slots), data)
    else:
        prompt = dress(
            rng, pick(rng, group, series, series_unseen).format(data=bare(rng, readings), **slots)
        )
    readings.unit = unit_shown(prompt, readings.unit)
    return prompt


def count_of_readings(rng):
    return min(getattr(rng, "readings_max", 6), rng.choice([2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6]))


def mean(rng, group):
    count = count_of_readings(rng)
    readings = draw_readings(rng, count, whole_mean=rng.random() < 0.4)
    prompt = ask_values(
        rng,
        group,
        phrasings.MEAN_NAMED,
        phrasings.MEAN_NAMED_UNSEEN,
        phrasings.MEAN_BARE,
        phrasings.MEAN_BARE_UNSEEN,
        readings,
    )
    lines, total = running_sum(readings)
    line, quotient, exact = arithmetic.division(total, readings.decimals, count)
    thought = "\n".join(["mean", listing(readings), *lines, line])
    about = "" if exact else "about "
    return Problem(
        "mean", "", prompt, thought, f"The mean is {about}{readings.with_unit(quotient)}."
    )


def total(rng, group):
    readings = draw_readings(rng, count_of_readings(rng))
    prompt = ask_values(
        rng,
        group,
        phrasings.SUM_NAMED,
        phrasings.SUM_NAMED_UNSEEN,
        phrasings.SUM_BARE,
        phrasings.SUM_BARE_UNSEEN,
        readings,
    )
    lines, result = running_sum(readings)
    thought = "\n".join(["sum", listing(readings), *lines])
    return Problem(
        "sum",
        "",
        prompt,
        thought,
        f"The sum is {readings.with_unit(arithmetic.text(result, readings.decimals))}.",
    )


def scan(readings, relation, names=True):
    """Keeps the best reading so far: `2: hall 23.3>21.5: yes` for each reading after the first."""
    best, lines = 0, []
    for i in range(len(readings.values)):
        name = f"{readings.names[i]} " if names else ""
        line, better = readings.value(0), True
        if i:
            line, better = arithmetic.comparison(
                readings.values[i],
                readings.decimals,
                relation,
                readings.values[best],
                readings.decimals,
            )
        lines.append(f"{i + 1}: {name}{line}")
        best = i if better else best
    return lines, best


def which(rng, group):
    high = rng.random() < 0.5
    readings = draw_readings(rng, count_of_readings(rng), distinct=True)
    data = layout(rng, readings)
    special = readings.highest if high else readings.lowest
    if special and rng.random() < 0.5:
        question = pick(rng, group, phrasings.HIGHEST_WORD, phrasings.HIGHEST_WORD_UNSEEN).format(
            word=rng.choice(special)
        )
    elif high:
        question = pick(rng, group, phrasings.HIGHEST_NAMED, phrasings.HIGHEST_NAMED_UNSEEN).format(
            noun=readings.noun
        )
    else:
        question = pick(rng, group, phrasings.LOWEST_NAMED, phrasings.LOWEST_NAMED_UNSEEN).format(
            noun=readings.noun
        )
    lines, best = scan(readings, ">" if high else "<")
    prompt = dress(rng, question, data)
    readings.unit = unit_shown(prompt, readings.unit)
    word = "highest" if high else "lowest"
    thought = "\n".join([word, *lines, f"{word} {readings.names[best]} {readings.value(best)}"])
    return Problem(
        "which",
        "",
        prompt,
        thought,
        f"{capital(word)}: {readings.names[best]}, {readings.with_unit(readings.value(best))}.",
    )


def extreme(rng, group):
    high = rng.random() < 0.5
    readings = draw_readings(rng, count_of_readings(rng), distinct=True)
    word = rng.choice(
        ["maximum", "highest", "largest", "peak", "biggest"]
        if high
        else ["minimum", "lowest", "smallest"]
    )
    named = [p.replace("{extreme}", word) for p in phrasings.VALUE_NAMED]
    unseen = [p.replace("{extreme}", word) for p in phrasings.VALUE_NAMED_UNSEEN]
    series = (
        (phrasings.MAX_BARE, phrasings.MAX_BARE_UNSEEN)
        if high
        else (phrasings.MIN_BARE, phrasings.MIN_BARE_UNSEEN)
    )
    prompt = ask_values(rng, group, named, unseen, *series, readings)
    lines, best = scan(readings, ">" if high else "<", names=False)
    word = "maximum" if high else "minimum"
    thought = "\n".join([word, *lines, f"{word} {readings.value(best)}"])
    return Problem(
        "extreme", "", prompt, thought, f"The {word} is {readings.with_unit(readings.value(best))}."
    )


def spread(rng, group):
    readings = draw_readings(rng, min(5, count_of_readings(rng)), distinct=True)
    prompt = ask_values(
        rng,
        group,
        phrasings.RANGE_NAMED,
        phrasings.RANGE_NAMED_UNSEEN,
        phrasings.RANGE_BARE,
        phrasings.RANGE_BARE_UNSEEN,
        readings,
    )
    high_lines, high = scan(readings, ">", names=False)
    low_lines, low = scan(readings, "<", names=False)
    line, result = arithmetic.subtraction(
        readings.values[high], readings.values[low], readings.decimals
    )
    thought = "\n".join(["range", "maximum", *high_lines, "minimum", *low_lines, line])
    return Problem(
        "range",
        "",
        prompt,
        thought,
        f"The range is {readings.with_unit(arithmetic.text(result, readings.decimals))}.",
    )


def draw_relation(rng):
    return rng.choice([">", ">", ">", "<", "<", "<", ">=", "<="])


def draw_limit(rng, value, decimals):
    """A limit near `value` with as many decimals or none: equal now and then, since that is where rules go wrong."""
    kind = rng.random()
    scale = 10**decimals
    if kind < 0.08:
        return value, decimals
    if decimals == 0 or kind < 0.4:
        reach = max(3, value // rng.choice([4, 10, 30]))
        limit = max(1, value + rng.randint(-reach, reach))
        if decimals == 0 and limit > 100 and rng.random() < 0.6:
            limit = max(10, round(limit, -1))
        return limit, decimals
    whole = value // scale
    return max(0, whole + rng.randint(-4, 5)), 0


def draw_condition(rng, quantity=None):
    """One quantity, its value now, a relation and a limit."""
    readings = draw_readings(rng, 1)
    if quantity:
        while readings.noun in quantity:
            readings = draw_readings(rng, 1)
    relation = draw_relation(rng)
    limit, limit_decimals = draw_limit(rng, readings.values[0], readings.decimals)
    return readings, relation, limit, limit_decimals


def relation_phrase(rng, relation, subject, limit, unit):
    """`the temperature is above 28 °C` or `the temperature exceeds 28 °C`."""
    limit = with_unit(limit, unit) if rng.random() < 0.6 else limit
    if rng.random() < 0.6:
        return f"{subject} is {rng.choice(phrasings.RELATION_WORDS[relation])} {limit}"
    return f"{subject} {rng.choice(phrasings.RELATION_VERBS[relation])} {limit}"


def subject_of(rng, readings):
    noun = readings.noun
    place = rng.choice(words.PLACES)
    return rng.choice(
        [
            f"the {noun}",
            f"the {noun}",
            noun,
            f"the {place} {noun}",
            f"the {noun} in the {place}",
            "it",
        ]
    )


def now_phrase(rng, readings, subject):
    value = with_unit(readings.value(0), readings.unit) if rng.random() < 0.6 else readings.value(0)
    noun = readings.noun
    return rng.choice(
        [
            f"It is {value} now.",
            f"It is {value}.",
            f"Now it is {value}.",
            f"The {noun} is {value}.",
            f"Current {noun}: {value}.",
            f"The sensor shows {value}.",
            f"{noun}={readings.value(0)}",
            f"{noun}: {value}",
            f"The reading is {value}.",
            f"Right now the {noun} is {value}.",
            f'{{"{rng.choice(readings.keys)}": {readings.value(0)}}}',
            f"At the moment: {value}.",
            f"The latest reading is {value}.",
            f"We have {value} now.",
            f"The {noun} is at {value}.",
        ]
    )


def capital(sentence):
    return sentence[0].upper() + sentence[1:]


def rule_text(rng, group, condition, do, undo):
    if undo:
        form = pick(rng, group, phrasings.RULE_ELSE, phrasings.RULE_ELSE_UNSEEN)
    else:
        form = pick(rng, group, phrasings.RULE_FORMS, phrasings.RULE_FORMS_UNSEEN)
    return capital(form.format(c=condition, do=do, Do=capital(do), undo=undo))


def arrange_rule(rng, rule, now, question):
    parts = rng.choice(
        [
            [rule, now, question],
            [rule, now, question],
            [now, rule, question],
            [rule, question, now],
            [now, question, rule],
        ]
    )
    remark = rng.choice(words.REMARKS) if rng.random() < 0.15 else ""
    if remark:
        parts.insert(rng.randrange(len(parts) + 1), remark)
    return (
        rng.choice(words.BEFORE)
        + rng.choice([" ", " ", " ", "\n"]).join(parts)
        + rng.choice(words.AFTER)
    )


def threshold(rng, group):
    readings, relation, limit, limit_decimals = draw_condition(rng)
    device, do, undo = rng.choice(words.ACTIONS)
    undo = undo if rng.random() < 0.55 else ""
    subject = subject_of(rng, readings)
    condition = relation_phrase(
        rng, relation, subject, arithmetic.text(limit, limit_decimals), readings.unit
    )
    rule = rule_text(rng, group, condition, do, undo)
    question = pick(rng, group, phrasings.WHAT_TO_DO, phrasings.WHAT_TO_DO_UNSEEN).format(
        device=device
    )
    line, holds = arithmetic.comparison(
        readings.values[0], readings.decimals, relation, limit, limit_decimals
    )
    action = do if holds else undo or "no action"
    thought = f"rule: {phrasings.RELATION_NAME[relation]} {arithmetic.text(limit, limit_decimals)}\n{line}, {action}"
    answer = capital(action) + "." if holds or undo else "No action needed."
    return Problem(
        "threshold",
        "",
        arrange_rule(rng, rule, now_phrase(rng, readings, subject), question),
        thought,
        answer,
    )


def limit_check(rng, group):
    """A reading against one limit, or against a range."""
    readings, relation, limit, limit_decimals = draw_condition(rng)
    value = readings.value(0)
    now = now_phrase(rng, readings, "")
    if rng.random() < 0.5:
        limit_text = arithmetic.text(limit, limit_decimals)
        form = pick(rng, group, phrasings.YES_NO, phrasings.YES_NO_UNSEEN)
        united = with_unit(limit_text, readings.unit) if rng.random() < 0.6 else limit_text
        words_ = rng.choice(phrasings.RELATION_WORDS[relation])
        subject = rng.choice(["it", "the value", f"the {readings.noun}", "this"])
        if form.startswith("Is {c}"):
            question = f"Is {subject} {words_} {united}?"
        else:
            question = form.format(c=f"{subject} is {words_} {united}")
        line, holds = arithmetic.comparison(
            readings.values[0], readings.decimals, relation, limit, limit_decimals
        )
        prompt = arrange_rule(rng, now, "", question).replace("  ", " ")
        readings.unit = unit_shown(prompt, readings.unit)
        thought = f"limit: {phrasings.RELATION_NAME[relation]} {limit_text}\n{line}"
        answer = f"{'Yes' if holds else 'No'}, {readings.with_unit(value)} is {'' if holds else 'not '}{phrasings.RELATION_NAME[relation]} {readings.with_unit(limit_text)}."
        return Problem("limit", "", prompt, thought, answer)
    scale = 10**readings.decimals
    if readings.decimals and rng.random() < 0.7:
        width, decimals = rng.randint(1, 12), 0
        low = max(0, readings.values[0] // scale + rng.randint(-width - 3, 3))
    else:
        decimals = readings.decimals
        width = rng.randint(2, max(4, readings.values[0] // 2))
        low = max(1, readings.values[0] + rng.randint(-width * 3 // 2, width // 2))
    high = low + width
    low_text, high_text = arithmetic.text(low, decimals), arithmetic.text(high, decimals)
    unit = readings.unit
    bounds = rng.choice(
        [
            f"between {low_text} and {high_text} {unit}",
            f"between {low_text} and {high_text}",
            f"from {low_text} to {high_text} {unit}",
            f"{low_text}-{high_text} {unit}",
            f"{low_text} to {high_text}",
        ]
    )
    noun = readings.noun
    seen = [
        f"The {noun} must be {bounds}. Is it in range?",
        f"Allowed: {bounds}. Is it ok?",
        f"Is it {bounds}?",
        f"The {noun} should stay {bounds}. Is that so?",
        f"Limits: {bounds}. Is the {noun} within them?",
        f"Is the {noun} within {bounds}?",
        f"The good range is {bounds}. Are we inside?",
        f"Normal is {bounds}. Is this normal?",
        f"Is the {noun} {bounds}?",
        f"It has to be {bounds}. Is it?",
    ]
    unseen = [f"We accept {bounds}. Does the reading fit?", f"Does the {noun} keep to {bounds}?"]
    question = pick(rng, group, seen, unseen)
    prompt = arrange_rule(rng, now, "", question).replace("  ", " ")
    readings.unit = unit_shown(prompt, readings.unit)
    first, above = arithmetic.comparison(readings.values[0], readings.decimals, ">=", low, decimals)
    lines = [f"range: {low_text} to {high_text}", first]
    if above:
        second, inside = arithmetic.comparison(
            readings.values[0], readings.decimals, "<=", high, decimals
        )
        lines.append(second)
        answer = (
            f"Yes, {readings.with_unit(value)} is within {low_text} to {readings.with_unit(high_text)}."
            if inside
            else f"No, {readings.with_unit(value)} is above {readings.with_unit(high_text)}."
        )
    else:
        answer = f"No, {readings.with_unit(value)} is below {readings.with_unit(low_text)}."
    return Problem("limit", "", prompt, "\n".join(lines), answer)


def two_conditions(rng, group):
    first = draw_condition(rng)
    second = draw_condition(rng, {first[0].noun})
    both = rng.random() < 0.5
    device, do, undo = rng.choice(words.ACTIONS)
    undo = undo if rng.random() < 0.55 else ""
    clauses, lines, verdicts = [], [], []
    for number, (readings, relation, limit, decimals) in enumerate((first, second), 1):
        limit_text = arithmetic.text(limit, decimals)
        clauses.append(
            relation_phrase(
                rng,
                relation,
                rng.choice([f"the {readings.noun}", readings.noun]),
                limit_text,
                readings.unit,
            )
        )
        line, holds = arithmetic.comparison(
            readings.values[0], readings.decimals, relation, limit, decimals
        )
        lines.append(
            f"{number}: {readings.noun} {phrasings.RELATION_NAME[relation]} {limit_text}: {line}"
        )
        verdicts.append(holds)
    glue = "and" if both else "or"
    rule = rule_text(rng, group, f"{clauses[0]} {glue} {clauses[1]}", do, undo)
    facts = [first[0], second[0]]
    if rng.random() < 0.3:
        facts.reverse()
    style = rng.random()
    if style < 0.4:
        now = (
            rng.choice(["", "Now ", "Currently "])
            + joined(
                [
                    f"{'the ' if i or rng.random() < 0.5 else ''}{r.noun} is {with_unit(r.value(0), r.unit)}"
                    for i, r in enumerate(facts)
                ]
            )
            + "."
        )
        now = capital(now)
    elif style < 0.7:
        now = joined([f"{r.noun} {with_unit(r.value(0), r.unit)}" for r in facts], ", ")
        now = rng.choice(["Now: ", "Readings: ", "", "Data: "]) + now + "."
    elif style < 0.85:
        now = rng.choice(["\n", " ", ", "]).join(
            f"{rng.choice(r.keys)}={r.value(0)}" for r in facts
        )
    else:
        now = encode(
            {rng.choice([*r.keys, r.noun]): Number(r.value(0)) for r in facts},
            rng.choice([(",", ":"), (", ", ": ")]),
        )
    holds = all(verdicts) if both else any(verdicts)
    said = ["yes" if v else "no" for v in verdicts]
    action = do if holds else undo or "no action"
    lines.append(f"so: {said[0]} {glue} {said[1]}: {'yes' if holds else 'no'}, {action}")
    question = pick(rng, group, phrasings.WHAT_TO_DO, phrasings.WHAT_TO_DO_UNSEEN).format(
        device=device
    )
    answer = capital(action) + "." if holds or undo else "No action needed."
    return Problem(
        "two conditions", "", arrange_rule(rng, rule, now, question), "\n".join(lines), answer
    )


def select(rng, group):
    """Names or counts the readings beyond a limit."""
    readings = draw_readings(rng, count_of_readings(rng))
    relation = draw_relation(rng)
    limit, decimals = draw_limit(rng, rng.choice(readings.values), readings.decimals)
    limit_text = arithmetic.text(limit, decimals)
    data = layout(rng, readings)
    counting = rng.random() < 0.5
    form = (
        pick(rng, group, phrasings.COUNT_FORMS, phrasings.COUNT_FORMS_UNSEEN)
        if counting
        else pick(rng, group, phrasings.LIST_FORMS, phrasings.LIST_FORMS_UNSEEN)
    )
    question = form.format(
        rel=rng.choice(phrasings.RELATION_WORDS[relation]),
        noun=readings.noun,
        limit=with_unit(limit_text, readings.unit) if rng.random() < 0.5 else limit_text,
    )
    prompt = dress(rng, question, data)
    lines, found = (
        [f"{'count' if counting else 'list'} {phrasings.RELATION_NAME[relation]} {limit_text}"],
        [],
    )
    for i, name in enumerate(readings.names):
        line, holds = arithmetic.comparison(
            readings.values[i], readings.decimals, relation, limit, decimals
        )
        if holds:
            found.append(name)
        lines.append(f"{i + 1}: " + (f"{line} {len(found)}" if counting else f"{name} {line}"))
    if counting:
        answer = f"{len(found)} of {len(readings.names)} readings."
    else:
        answer = f"{capital(phrasings.RELATION_NAME[relation])} {limit_text}: {', '.join(found) or 'none'}."
    return Problem("count" if counting else "list", "", prompt, "\n".join(lines), answer)


def convert(rng, group):
    """°C to °F by doubling and taking off a tenth; °F to °C backwards by halving and dividing by nine."""
    form = pick(rng, group, phrasings.CONVERT_FORMS, phrasings.CONVERT_FORMS_UNSEEN)
    if rng.random() < 0.6:
        decimals = rng.choice([0, 1])
        value = (
            rng.randint(1, 99 if rng.random() < 0.8 else 250)
            if not decimals
            else rng.randint(5, 999)
        )
        x = arithmetic.text(value, decimals)
        doubled = value * 2
        lines = [f"{x}+{x}={arithmetic.text(doubled, decimals)}"]
        tenth = arithmetic.text(doubled, decimals + 1)
        lines.append(f"tenth {tenth}")
        padded = arithmetic.text(doubled * 10, decimals + 1)
        result = doubled * 9
        lines.append(f"{padded}-{tenth}={arithmetic.text(result, decimals + 1)}")
        added = result + 32 * 10 ** (decimals + 1)
        lines.append(
            f"{arithmetic.text(result, decimals + 1)}+32={arithmetic.text(added, decimals + 1)}"
        )
        answer = f"{x} °C is {arithmetic.text(added, decimals + 1)} °F."
        question = form.format(
            x=x,
            a="C",
            b="F",
            A=rng.choice(["Celsius", "celsius"]),
            B=rng.choice(["Fahrenheit", "fahrenheit"]),
        )
        head = "C to F"
    else:
        value = rng.randint(33, 120 if rng.random() < 0.8 else 300)
        lines = [f"{value}-32={value - 32}"]
        five = (value - 32) * 5
        lines.append(f"{value - 32}x5={five}")
        line, quotient, exact = arithmetic.division(five, 0, 9)
        lines.append(line)
        answer = f"{value} °F is {'' if exact else 'about '}{quotient} °C."
        question = form.format(x=value, a="F", b="C", A="Fahrenheit", B="Celsius")
        head = "F to C"
    return Problem("convert", "", dress(rng, question), "\n".join([head, *lines]), answer)


def refuse(rng, group):
    if rng.random() < 0.3 and group == "seen":
        question = rng.choice(phrasings.REFUSE_WHOLE)
    else:
        question = pick(rng, group, phrasings.REFUSE_VERBS, phrasings.REFUSE_VERBS_UNSEEN).format(
            t=rng.choice(phrasings.REFUSE_TOPICS)
        )
    return Problem("refuse", "", dress(rng, question), "not about readings or rules", REFUSAL)


FAMILIES = {
    "mean": mean,
    "sum": total,
    "extreme": extreme,
    "which": which,
    "range": spread,
    "threshold": threshold,
    "two conditions": two_conditions,
    "limit": limit_check,
    "select": select,
    "convert": convert,
    "refuse": refuse,
}
WEIGHTS = {
    "mean": 18,
    "sum": 8,
    "extreme": 9,
    "which": 12,
    "range": 9,
    "threshold": 11,
    "two conditions": 11,
    "limit": 9,
    "select": 15,
    "convert": 5,
    "refuse": 1.5,
}


def drill(rng):
    """Single exact steps as they stand in thoughts, each as what is given and what follows from it.

    This is the curriculum's first stage: sums, divisions, differences, comparisons, and copying names and values.
    """
    kind = rng.random()
    if kind < 0.3:
        readings = draw_readings(rng, rng.randint(3, 6))
        data = layout(rng, readings)
        rows = [f"{name} {readings.value(i)}" for i, name in enumerate(readings.names)]
        return [(data + "\n", "\n".join(f"{i + 1}: {row}" for i, row in enumerate(rows)) + "\n")]
    pairs = []
    for _ in range(rng.randint(5, 8)):
        decimals = rng.choice([0, 1, 1])
        high = rng.choice([99, 400, 999, 999, 3000, 9999, 19999])
        a, b = rng.randint(0, high), rng.randint(0, rng.choice([high, 400, 999]))
        sign = "="
        if kind < 0.5:
            line = arithmetic.addition(a, b, decimals)[0]
        elif kind < 0.68:
            line, sign = (
                arithmetic.division(min(a, 9999), decimals, rng.choice([2, 3, 4, 5, 6, 9]))[0],
                ":",
            )
        elif kind < 0.75:
            line = arithmetic.subtraction(max(a, b), min(a, b), decimals)[0]
        else:
            reach = rng.choice([2, 10, 60, 2000])
            b = max(0, a + rng.randint(-reach, reach)) if rng.random() < 0.9 else a
            b_decimals = decimals
            if decimals and rng.random() < 0.4:
                b, b_decimals = b // 10, 0
            relation = rng.choice([">", "<", ">", "<", ">=", "<="])
            line, sign = arithmetic.comparison(a, decimals, relation, b, b_decimals)[0], ":"
        given, _, result = line.partition(sign)
        pairs.append((given + sign, result + "\n"))
    return pairs


def problem(rng, group="seen", family=None):
    """One problem of `family`, or of a family drawn by weight."""
    family = family or rng.choices(list(WEIGHTS), WEIGHTS.values())[0]
    made = FAMILIES[family](rng, group)
    made.system = rng.choice(words.SYSTEMS)
    return made


def stream(seed, group="seen", count=None):
    """Problems without end, or `count` of them, from a seed."""
    rng = random.Random(f"{seed}/{group}")
    while count is None or count > 0:
        yield problem(rng, group)
        count = count - 1 if count is not None else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=2, help="problems to print per family")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for family in FAMILIES:
        for _ in range(options.show):
            made = problem(rng, "seen", family)
            print(
                f"=== {made.family}\n{made.prompt}\n--- thought\n{made.thought}\n--- answer\n{made.answer}\n"
            )
    print(drill(rng))
    print(drill(rng))


if __name__ == "__main__":
    main()
