"""Readings and states as a question may tell them: sentences, lists, lines, pairs, tables, topics
and JSON.

Thoughts write every number with a point. Prompts follow a separator drawn once a problem (`21,5` is
usual in French and sometimes met in English); JSON always has points. `Told` says how the data came
out, names as they stand included.
"""

import dataclasses
import json
import re

import arithmetic
import naming
import telling
import words

DEFAULT_SEPARATOR = {"en": ".", "fr": ","}
# What may stand between the parts of a sentence; nothing: commas and an `and`.
BETWEEN = [None, None, ", ", ", ", "; ", " / ", " | "]
ROOTS = {
    "en": ["home", "house", "site", "plant", "sensors"],
    "fr": ["maison", "site", "usine", "capteurs", "home"],
}
EXTRA_KEYS = ["battery", "rssi", "uptime", "signal", "lqi", "seq"]


def separator(rng, language):
    """The decimal separator a problem is written with."""
    if language == "fr":
        return "," if rng.random() < 0.75 else "."
    return "." if rng.random() < 0.93 else ","


def written(number, separator):
    """A number's text with the separator of the prompt."""
    return number.replace(".", separator)


class Number(str):
    """A number that keeps its spelling in JSON."""


def encode(data, compact=False):
    """JSON with numbers spelled as they are; `compact` without spaces."""
    comma, colon = (",", ":") if compact else (", ", ": ")
    if isinstance(data, Number):
        return str(data)
    if isinstance(data, dict):
        inner = (f"{encode(str(k))}{colon}{encode(v, compact)}" for k, v in data.items())
        return "{" + comma.join(inner) + "}"
    if isinstance(data, (list, tuple)):
        return "[" + comma.join(encode(v, compact) for v in data) + "]"
    return json.dumps(data, ensure_ascii=False)


def joined(parts, language, last=None):
    """`a, b and c`; `last` overrides the word before the last one."""
    last = last or (" and " if language == "en" else " et ")
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + last + parts[-1]


@dataclasses.dataclass
class Readings:
    """Named values of one quantity in units of 10^-decimals."""

    quantity: words.Quantity
    language: str
    decimals: int
    names: list
    values: list

    @property
    def noun(self):
        return self.quantity.noun[self.language]

    @property
    def unit(self):
        return self.quantity.unit

    def value(self, i):
        """As a thought writes it."""
        return arithmetic.text(self.values[i], self.decimals)


@dataclasses.dataclass
class Told:
    """Data as it stands in a prompt. `block` data needs lines of its own; `separator` is of its
    decimals, "" if none; `states` the words of named things, in the order of `names`."""

    text: str
    layout: str
    names: list
    block: bool
    separator: str
    states: list = dataclasses.field(default_factory=list)


def draw(
    rng,
    language,
    count,
    held_out=False,
    distinct=False,
    whole_mean=False,
    places=None,
    negative=True,
    among=None,
):
    """Readings of one quantity; half of them lie close together, the hard case for comparisons.

    `whole_mean`: the sum divides by their count; `places`: see `naming.names`; `among` tells which
    quantities may come.
    """
    pool = [q for q in words.QUANTITIES if (negative or q.low >= 0) and (not among or among(q))]
    quantity = rng.choice(pool)
    decimals = rng.choice(quantity.decimals)
    scale = 10**decimals
    low, high = round(quantity.low * scale), round(quantity.high * scale)
    while True:
        if rng.random() < 0.5:
            centre = rng.randint(low, high)
            spread = max(count + 2, (high - low) // rng.choice([4, 8, 16]))
            near = (centre + rng.randint(-spread, spread) for _ in range(count))
            values = [min(high, max(low, value)) for value in near]
        else:
            values = [rng.randint(low, high) for _ in range(count)]
        if whole_mean:
            values[-1] += -sum(values) % count
        if not distinct or len(set(values)) == count:
            break
    names = naming.names(rng, language, count, held_out, places)
    return Readings(quantity, language, decimals, names, values)


def shown(rng, readings, separator):
    """The values as they stand in the prompt: a round one may have lost its `.0`."""
    lose = rng.random() < 0.25
    out = []
    for i, value in enumerate(readings.values):
        short = lose and readings.decimals == 1 and value % 10 == 0
        number = arithmetic.text(value // 10, 0) if short else readings.value(i)
        out.append(written(number, separator))
    return out


def grouped(number, sign):
    """`12,450`, `12 450`: the thousands set apart."""
    return re.sub(r"^-?\d+", lambda whole: re.sub(r"(?<=\d)(?=(\d{3})+$)", sign, whole[0]), number)


def _apart(rng, language, numbers, separator):
    """Numbers of a sentence or a list as they stand, now and then with their thousands set apart."""
    sign = " " if language == "fr" else ","
    return [grouped(number, sign) for number in numbers] if sign != separator and rng.random() < 0.2 else numbers


def _separator_of(values, separator):
    return separator if any(separator in value for value in values) else ""


LAYOUTS = ["sentence"] * 4 + ["is"] * 2 + ["lines"] * 3 + ["pairs"] * 3 + ["map"] * 3
LAYOUTS += ["objects"] * 2 + ["table", "topics", "value first"]


def tell(rng, readings, separator, layout=None, distract=False):
    """Tells named readings in a layout. With `distract` readings of another quantity come along."""
    layout = layout or rng.choice(LAYOUTS)
    if layout == "topics" and rng.random() < 0.3:
        layout = "payloads"
    if layout in ("map", "objects", "payloads"):
        separator = "."
    values = shown(rng, readings, separator)
    stands = _separator_of(values, separator)
    if layout in ("sentence", "is", "lines", "value first") and not any(str(n)[-1].isdigit() for n in readings.names):
        values = _apart(rng, readings.language, values, separator)
    told = _tell(rng, readings, values, layout, distract)
    told.separator = stands
    return told


def _tell(rng, readings, values, layout, distract):
    language, unit, noun = readings.language, readings.unit, readings.noun
    names = [str(name) for name in readings.names]
    spaced = rng.choice([" ", " ", ""]) if language == "en" else rng.choice([" ", " ", " ", ""])
    united = [f"{value}{spaced}{unit}" for value in values]
    other = _other(rng, readings, names) if distract else ""
    key = rng.choice(readings.quantity.keys[language])
    if layout == "sentence":
        glue = rng.choice(
            [
                " ",
                " ",
                telling.COLON[language],
                " at " if language == "en" else " à ",
                " = ",
            ]
        )
        if rng.random() < 0.25:
            glue = f" {telling.verb(rng, language, unit)} "
        bracket = rng.random() < 0.08
        head = _head(rng, language, noun)
        every = rng.random() < 0.6
        amounts = united if every else [*values[:-1], united[-1]]
        parts = [f"{name} ({n})" if bracket else f"{name}{glue}{n}" for name, n in zip(names, amounts)]
        text = head + joined(parts, language, rng.choice(BETWEEN)) + "."
        if other:
            text = f"{text} {other}" if rng.random() < 0.5 else f"{other} {text}"
        return Told(text, layout, names, False, "")
    if layout == "is":
        verb, at = telling.verb(rng, language, unit), "is at" if language == "en" else "est à"
        if rng.random() < 0.3:
            verb = at
        parts = [f"{name.the} {verb} {full}" for name, full in zip(readings.names, united)]
        if rng.random() < 0.5:
            if verb == at and rng.random() < 0.4:
                # Said once: `The hall is at 21 °C, the attic at 19 °C.`
                parts[1:] = [f"{name.the} {at.split()[1]} {full}" for name, full in zip(readings.names[1:], united[1:])]
            text = joined(parts, language, rng.choice([None, None, ", "])) + "."
            text = text[0].upper() + text[1:] if readings.names[0].gender else text
        else:
            parts = [p[0].upper() + p[1:] if name.gender else p for name, p in zip(readings.names, parts)]
            text = ". ".join(parts) + "."
        if other:
            text = f"{text} {other}" if rng.random() < 0.5 else f"{other} {text}"
        return Told(text, layout, names, False, "")
    if layout == "value first":
        text, block = _value_first(rng, readings, united)
        if other:
            text = f"{text}\n{other}" if block else f"{text} {other}"
        return Told(text, layout, names, block, "")
    if layout == "lines":
        bullet = rng.choice(["", "", "- ", "* "])
        glue = rng.choice([": ", ": ", " ", " - ", "\t"] + ([" : "] if language == "fr" else []))
        rows = united if rng.random() < 0.6 else values
        body = "\n".join(f"{bullet}{name}{glue}{row}" for name, row in zip(names, rows))
        noun_head = str(noun).capitalize()
        in_ = "in" if language == "en" else "en"
        head = rng.choice(["", "", f"{noun_head} {in_} {unit}:\n", f"{noun_head}\n", None, None])
        if head is None:
            head = telling.head(rng, language, noun) + rng.choice([telling.COLON[language].rstrip(), ""]) + "\n"
        if other:
            body = f"{noun_head}\n{body}\n{other}"
            head = ""
        return Told(head + body, layout, names, True, "")
    keyed = names
    if rng.random() < 0.5 or (layout in ("pairs", "topics", "payloads")):
        glue = rng.choice("__-")
        keyed = [name.replace(" ", glue).replace("'", glue) for name in names]
    if layout == "pairs":
        equal, between = _paired(rng)
        texts = united if rng.random() < 0.3 else values
        body = between.join(f"{name}{equal}{value}" for name, value in zip(keyed, texts))
        colon = ":" if language == "en" else " :"
        head = rng.choice(["", "", f"{key} ", f"{noun} ({unit}){colon} ", f"data{colon} ", _head(rng, language, noun)])
        if other:
            stray = rng.choice(EXTRA_KEYS)
            body += f"{'; ' if ';' in body else ' '}{stray}={rng.randint(3, 99)}"
        return Told(head + body, layout, keyed, "\n" in body, "")
    if layout == "table":
        label = telling.column(rng, language)
        head = rng.choice([key, key, key, f"{noun} ({unit})", f"{noun} {unit}", f"{key} {unit}", str(noun)])
        rows = [[label, head]] + [list(row) for row in zip(keyed, united if rng.random() < 0.25 else values)]
        if distract:
            stray, others = _beside(rng, readings, key)
            for row, other_value in zip(rows, [stray, *others]):
                row.append(other_value)
        return Told(table(rng, rows), layout, keyed, True, "")
    if layout == "payloads":
        return Told(_payloads(rng, keyed, key, values, readings, distract), layout, keyed, True, "")
    if layout == "topics":
        root = _root(rng, language)
        glue = rng.choice([" ", " ", ": ", " = "])
        rows = [f"{root}/{name}/{key}{glue}{value}" for name, value in zip(keyed, values)]
        if distract:
            stray = rng.choice([k for k in EXTRA_KEYS if k != key])
            rows.insert(
                rng.randint(0, len(rows)),
                f"{root}/{rng.choice(keyed)}/{stray}{glue}{rng.randint(10, 99)}",
            )
        return Told("\n".join(rows), layout, keyed, True, "")
    compact, style = rng.random() < 0.5, rng.random()
    if layout == "objects" and style < 0.15:
        # As Home Assistant has them: numbers are texts.
        names = [f"sensor.{name.replace(' ', '_').lower()}" for name in names]
        data = [{"entity_id": name, "state": value} for name, value in zip(names, values)]
        if rng.random() < 0.6:
            for row in data:
                row["unit_of_measurement"] = unit
        return Told(encode(data, compact), layout, names, True, "")
    if layout == "map":
        texts = united if style < 0.08 else values
        data = {name: texts[i] if style < 0.12 else Number(values[i]) for i, name in enumerate(keyed)}
        if rng.random() < 0.4 or distract:
            data = {key: data}
            if rng.random() < 0.4:
                data["unit" if language == "en" else rng.choice(["unit", "unite"])] = unit
            if distract and rng.random() < 0.5:
                stray, others = _beside(rng, readings, key)
                data = {name: {key: value, stray: Number(n)} for (name, value), n in zip(data[key].items(), others)}
            elif distract:
                stray = rng.choice([k for k in EXTRA_KEYS if k != key])
                data[stray] = Number(rng.randint(10, 99))
    else:
        label = telling.column(rng, language)
        data = [{label: name, key: Number(value)} for name, value in zip(keyed, values)]
        if distract or rng.random() < 0.3:
            stray, others = _beside(rng, readings, key, distract)
            for row, n in zip(data, others):
                row[stray] = Number(n)
        if rng.random() < 0.08:
            stamp, when = moment(rng)
            for row in data:
                row.setdefault(stamp, when)
        if rng.random() < 0.2:
            # A message a line, as a log has them.
            return Told("\n".join(encode(row, compact) for row in data), layout, keyed, True, "")
    return Told(encode(data, compact), layout, keyed, True, "")


def _value_first(rng, readings, united):
    """Readings whose names stand behind them: `21 °C (hall), 19 °C (attic)`; and whether they are lines."""
    language, for_ = readings.language, "for" if readings.language == "en" else "pour"
    colon = telling.COLON[language]
    say = rng.choice(
        [
            lambda name, value: f"{value} ({name})",
            lambda name, value: f"{value} {for_} {name.the}",
            lambda name, value: f"{value}{colon}{name}",
            lambda name, value: f"{value} - {name}",
        ]
    )
    parts = [say(name, value) for name, value in zip(readings.names, united)]
    if rng.random() < 0.35:
        return "\n".join(parts), True
    return _head(rng, language, readings.noun) + joined(parts, language, rng.choice(BETWEEN)) + ".", False


def _head(rng, language, noun):
    """What stands before readings in a sentence, a colon included; often nothing."""
    if rng.random() < 0.35:
        return ""
    said = str(noun).capitalize() if rng.random() < 0.2 else telling.head(rng, language, noun)
    return said + telling.COLON[language]


def _root(rng, language):
    """Where topics begin: `site`, `zigbee2mqtt`, any words."""
    if rng.random() < 0.6:
        return rng.choice(ROOTS[language])
    return "/".join(naming.word(rng).lower() for _ in range(rng.choice([1, 1, 2])))


def _payloads(rng, names, key, values, readings, distract):
    """A message of each name: its topic and what it says as JSON."""
    root, compact, alone = _root(rng, readings.language), rng.random() < 0.5, not distract and rng.random() < 0.6
    stray, others = _beside(rng, readings, key, distract)
    rows = []
    for name, value, other in zip(names, values, others):
        said = {key: Number(value)} if alone else {key: Number(value), stray: Number(other)}
        rows.append(f"{root}/{name} {encode(said, compact)}")
    return "\n".join(rows)


def moment(rng):
    """A time stamp as programs write it, and the key that it stands under."""
    if rng.random() < 0.3:
        return rng.choice(["ts", "timestamp", "t_unix"]), Number(rng.randint(1_700_000_000, 1_799_999_999))
    day = f"20{rng.randint(24, 29)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    clock = f"{rng.randrange(24):02}:{rng.randrange(60):02}" + rng.choice(["", f":{rng.randrange(60):02}"])
    return rng.choice(["ts", "time", "timestamp", "last_seen", "date"]), day + rng.choice("T ") + clock


def _beside(rng, readings, key, real=True):
    """The key and the values of something else that is known of each place; a `real` quantity half of the time."""
    count = len(readings.values)
    if not real or rng.random() < 0.5:
        return rng.choice([k for k in EXTRA_KEYS if k != key]), [str(rng.randint(10, 99)) for _ in range(count)]
    language = readings.language
    quantity = rng.choice([q for q in _others(readings) if key not in q.keys[language]])
    values = [str(rng.randint(int(quantity.low) + 1, int(quantity.high))) for _ in range(count)]
    return rng.choice(quantity.keys[language]), values


def _paired(rng):
    """What stands between name and value, and between the pairs."""
    if rng.random() < 0.7:
        return "=", rng.choice(["\n", "\n", " ", "; ", ", "])
    return rng.choice([" = ", ": ", " : ", ":"]), rng.choice(["\n", " ; ", "; ", ", ", " | ", " / "])


def table(rng, rows):
    """Rows, the first of them the head, as a table with bars, in Markdown, or as separated values."""
    bars = [" | ", ";", "\t", "|", " ; "] + ([","] if not any("," in cell for row in rows for cell in row) else [])
    if rng.random() < 0.75:
        bar = rng.choice(bars)
        return "\n".join(bar.join(row) for row in rows)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rule = "|".join([rng.choice(["---", " --- "])] * len(rows[0]))
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def _others(readings):
    """Quantities that these readings are not of, none of them below zero."""
    return [q for q in words.QUANTITIES if q.unit != readings.unit and q.low >= 0]


def _other(rng, readings, names):
    """A line about another quantity of some of the same places, which the question does not ask
    for."""
    language = readings.language
    quantity = rng.choice(_others(readings))
    some = [name for name in names if rng.random() < 0.7] or names[:1]
    colon = telling.COLON[language]
    parts = [
        f"{name} {rng.randint(int(quantity.low) + 1, int(quantity.high))} {quantity.unit}"
        for name in some
    ]
    return f"{str(quantity.noun[language]).capitalize()}{colon}{', '.join(parts)}."


def series(rng, readings, separator):
    """Tells the values alone; layouts `words`, `array` and `plain`."""
    language, unit = readings.language, readings.unit
    kind = rng.random()
    if 0.6 <= kind < 0.75:
        separator = "."
    values = shown(rng, readings, separator)
    comma = separator == "," and any("," in value for value in values)
    between = rng.choice([", ", "; ", " ; "]) if comma else ", "
    and_ = " and " if language == "en" else " et "
    block = False
    if kind < 0.4:
        layout, text = "words", between.join(values[:-1]) + rng.choice([and_, between]) + values[-1]
        text += f" {unit}"
    elif kind < 0.6:
        united = [f"{value} {unit}" for value in values]
        layout, text = "words", joined(united, language, rng.choice([None, ", "]))
    elif kind < 0.75:
        layout, text = "array", "[" + rng.choice([", ", ","]).join(values) + "]"
    elif kind < 0.9:
        glue = rng.choice([" ", "; ", " / ", " | ", "\n"])
        layout, text, block = "plain", glue.join(values), glue == "\n"
    else:
        layout, text = "plain", between.join(values)
    if not block and rng.random() < 0.3:
        text = telling.series(rng, language, text)
    return Told(text, layout, [], block, _separator_of(values, separator))


def timed(rng, readings, separator):
    """Tells the values behind the times at which they were read: lines, a sentence, a table or JSON."""
    values = shown(rng, readings, separator)
    start, step = rng.randrange(0, 60 * 20, 5), rng.choice([1, 5, 5, 10, 15, 30, 60])
    unit = rng.choice([f" {readings.unit}", ""])
    glue = rng.choice([" ", ": ", " -> ", "\t", " = "])
    lines = [
        f"{arithmetic.clock(start + i * step)}{glue}{value}{unit}" for i, value in enumerate(values)
    ]
    stands = separator if any(separator in value for value in values) else ""
    style = rng.random()
    if style < 0.15:
        key = rng.choice(readings.quantity.keys[readings.language])
        time, key = rng.choice([("t", "v"), ("time", "value"), ("at", key)])
        points = [arithmetic.text(value, readings.decimals) for value in readings.values]
        rows = [{time: arithmetic.clock(start + i * step), key: Number(v)} for i, v in enumerate(points)]
        return Told(encode(rows, rng.random() < 0.5), "objects", [], True, ".")
    if style < 0.3:
        bar = rng.choice([";", "\t", " | "])
        rows = [["time" if readings.language == "en" else "heure", str(readings.noun)]]
        rows += [[arithmetic.clock(start + i * step), value] for i, value in enumerate(values)]
        return Told("\n".join(map(bar.join, rows)), "table", [], True, stands)
    if style < 0.7:
        return Told("\n".join(lines), "lines", [], True, stands)
    between = "; " if stands == "," else ", "
    return Told(between.join(lines).replace("\t", " "), "sentence", [], False, stands)


# A mixed status ------------------------------------------------------------


@dataclasses.dataclass
class Fact:
    """One thing known now: a reading (`value` and `unit`) or a state (`word`, as it agrees with the
    noun)."""

    noun: words.Noun
    key: str
    value: str = ""
    unit: str = ""
    word: str = ""


def reading(rng, language, quantity, value, decimals):
    """A `Fact` of a quantity."""
    key = rng.choice(quantity.keys[language])
    number = arithmetic.text(value, decimals)
    return Fact(quantity.noun[language], key, number, quantity.unit)


def state(switch, on):
    """A `Fact` of a switch; `on` picks its first word."""
    return Fact(switch.noun, switch.key, word=switch.words[0 if on else 1])


def tell_bare(rng, language, fact, separator):
    """Tells a reading without the name of its quantity: `It is 27.5 °C now.`"""
    number = written(fact.value, separator)
    text = telling.now(rng, language, f"{number} {fact.unit}")
    return Told(text, "sentence", [], False, _separator_of([number], separator))


FACTS_BETWEEN = [", ", ", ", "; ", " / ", " | ", " - "]
FACT_LAYOUTS = ["sentence"] * 4 + ["sentences"] * 2 + ["list"] * 3 + ["lines"] * 2 + ["pairs"] * 3 + ["json"] * 3
FACT_LAYOUTS += ["table", "table", "topics", "topics", "message"]


def tell_facts(rng, language, facts, separator):
    """Tells a mixed status: one or several sentences, a list, lines, pairs, a table, topics or JSON."""
    layout = rng.choice(FACT_LAYOUTS)
    if layout in ("json", "message"):
        separator = "."
    numbers = [written(fact.value, separator) for fact in facts]
    stands = _separator_of([n for n in numbers if n], separator)
    space = rng.choice([" ", " ", ""])
    full = [
        f"{number}{space}{fact.unit}" if fact.value else fact.word
        for number, fact in zip(numbers, facts)
    ]
    if layout == "sentence":
        is_value = rng.choice(
            [" is ", " is ", " is at "] if language == "en" else [" est de ", " est à "]
        )
        parts = [
            f"{fact.noun.the}{is_value}{text}"
            if fact.value
            else f"{fact.noun.the} {fact.noun.be} {text}"
            for fact, text in zip(facts, full)
        ]
        text = joined(parts, language, rng.choice([None, None, ", "]))
        head = {
            "en": ["", "", "", "Right now ", "At the moment ", "Currently ", "It is like this: "],
            "fr": [
                "",
                "",
                "",
                "En ce moment ",
                "Actuellement, ",
                "Pour l'instant, ",
                "Voici l'état : ",
            ],
        }[language]
        text = rng.choice(head) + text + "."
        return Told(text if not facts[0].noun.gender else text[0].upper() + text[1:], layout, [], False, stands)
    if layout == "sentences":
        verbs = [telling.stands(rng, language) for _ in range(2 if rng.random() < 0.3 else 1)]
        parts = [
            f"{fact.noun.the}{rng.choice(verbs)}{text}" if fact.value else f"{fact.noun.the} {fact.noun.be} {text}"
            for fact, text in zip(facts, full)
        ]
        parts = [part[0].upper() + part[1:] if fact.noun.gender else part for fact, part in zip(facts, parts)]
        return Told(". ".join(parts) + ".", layout, [], False, stands)
    names = [rng.choice([str(fact.noun), str(fact.noun), fact.key]) for fact in facts]
    if layout in ("list", "lines"):
        apart = iter(_apart(rng, language, [n for n, fact in zip(numbers, facts) if fact.value], separator))
        full = [f"{next(apart)}{space}{fact.unit}" if fact.value else fact.word for fact in facts]
    if layout == "list":
        glue, between = rng.choice([" ", " ", telling.COLON[language], " = "]), rng.choice(FACTS_BETWEEN)
        parts = [f"{n}{glue}{t}" for n, t in zip(names, full)]
        if rng.random() < 0.1:
            parts = [f"{n} ({t})" for n, t in zip(names, full)]
        head = telling.check(rng, language) + telling.COLON[language] if rng.random() < 0.4 else ""
        end = "." if rng.random() < 0.6 else ""
        return Told(f"{head}{between.join(parts)}{end}", layout, [], False, stands)
    if layout == "table":
        head = [rng.choice(["quantity", "what", "name"] if language == "en" else ["mesure", "grandeur", "nom"])]
        head.append(rng.choice(["value", "now", "reading"] if language == "en" else ["valeur", "actuel", "relevé"]))
        return Told(table(rng, [head, *map(list, zip(names, full))]), layout, [], True, stands)
    if layout == "topics":
        root, glue = _root(rng, language), rng.choice([" ", " ", ": ", " = "])
        shown_ = [n if fact.value else fact.word for n, fact in zip(numbers, facts)]
        text = "\n".join(f"{root}/{fact.key}{glue}{t}" for fact, t in zip(facts, shown_))
        return Told(text, layout, [], True, stands)
    if layout == "lines":
        bullet, glue = rng.choice(["", "- "]), rng.choice([": ", " = ", " : ", " "])
        text = "\n".join(f"{bullet}{n}{glue}{t}" for n, t in zip(names, full))
        return Told(text, layout, [], True, stands)
    if layout == "pairs":
        equal, glue = _paired(rng)
        bare = [n if fact.value else fact.word.replace(" ", "_") for n, fact in zip(numbers, facts)]
        bare = full if rng.random() < 0.35 else bare
        text = glue.join(f"{fact.key}{equal}{t}" for fact, t in zip(facts, bare))
        return Told(text, layout, [], glue == "\n", stands)
    style, value = rng.random(), "value" if language == "en" else "valeur"
    if style < 0.12:
        data = {f.key: text for f, text in zip(facts, full)}
    elif style < 0.2:
        data = {f.key: {value: Number(n), "unit": f.unit} if f.value else f.word for n, f in zip(numbers, facts)}
    else:
        data = {f.key: Number(n) if f.value else f.word for n, f in zip(numbers, facts)}
    if rng.random() < 0.08:
        stamp, when = moment(rng)
        data.setdefault(stamp, when)
    # A message has its topic before it.
    topic = _root(rng, language) + rng.choice(["", "/state", "/status"]) + " " if layout == "message" else ""
    return Told(topic + encode(data, rng.random() < 0.5), layout, [], True, stands)


# States by name, and histories ------------------------------------------------------------

WORD_LAYOUTS = ["sentence"] * 4 + ["is"] * 3 + ["lines"] * 3 + ["pairs"] * 3 + ["map"] * 2
WORD_LAYOUTS += ["objects"] * 2 + ["table", "topics", "groups"]
BARE_WORDS = re.compile(r"true|false|null|-?\d+(\.\d+)?")


def tell_words(rng, language, names, states, key="state", heads=("",), layouts=None):
    """Tells what state each named thing is in; `states` are words as they stand in the data.

    `key` is what the data calls the state, `heads` what may stand before a sentence or a list.
    Layout `is` wants names that can be in that state by themselves (`kitchen window`, not
    `kitchen`), and `groups` sorts the things by state: the order of `told.names` is always that of
    the prompt, which `told.states` follows.
    """
    layout = rng.choice(layouts or WORD_LAYOUTS)
    things, states = list(names), list(states)
    if layout == "groups":
        first = list(dict.fromkeys(states))
        pairs = sorted(zip(things, states), key=lambda pair: first.index(pair[1]))
        things, states = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    head = telling.check(rng, language) + telling.COLON[language] if rng.random() < 0.3 else rng.choice(heads)
    told = _tell_words(rng, language, things, states, key, head, layout)
    told.states = told.states or states
    return told


def _tell_words(rng, language, things, states, key, head, layout):
    names = [str(thing) for thing in things]
    colon = telling.COLON[language]
    if layout == "sentence":
        glue = rng.choice([" ", " ", colon, " = "])
        parts = [f"{name}{glue}{state}" for name, state in zip(names, states)]
        text = head + joined(parts, language, rng.choice(BETWEEN)) + "."
        return Told(text, layout, names, False, "")
    if layout == "is":
        parts = [f"{thing.the} {thing.be} {state}" for thing, state in zip(things, states)]
        if rng.random() < 0.5:
            text = joined(parts, language) + "."
            text = text[0].upper() + text[1:] if things[0].gender else text
        else:
            parts = [
                part[0].upper() + part[1:] if thing.gender else part
                for part, thing in zip(parts, things)
            ]
            text = ". ".join(parts) + "."
        return Told(text, layout, names, False, "")
    if layout == "groups":
        found = {}
        for name, state in zip(names, states):
            found.setdefault(state, []).append(name)
        glue = rng.choice(["; ", ". ", "\n"])
        rows = [f"{state}{colon}{', '.join(entries)}" for state, entries in found.items()]
        text = glue.join(row[0].upper() + row[1:] if glue == ". " else row for row in rows)
        return Told(text + ("." if glue == ". " else ""), layout, names, glue == "\n", "")
    if layout == "lines":
        bullet = rng.choice(["", "", "- ", "* "])
        glue = rng.choice([": ", ": ", " ", " - ", "\t", " = ", colon])
        body = "\n".join(f"{bullet}{name}{glue}{state}" for name, state in zip(names, states))
        head = head.rstrip() + "\n" if head else ""
        return Told(head + body, layout, names, True, "")
    if layout in ("pairs", "topics") or rng.random() < 0.5:
        glue = rng.choice("__-")
        names = [name.replace(" ", glue).replace("'", glue) for name in names]
    if layout == "pairs":
        bare = [state.replace(" ", "_").replace("'", "_") for state in states]
        equal, between = _paired(rng)
        body = between.join(f"{name}{equal}{state}" for name, state in zip(names, bare))
        return Told(body, layout, names, "\n" in body, "", bare)
    if layout == "table":
        rows = [[telling.column(rng, language), key], *map(list, zip(names, states))]
        if rng.random() < 0.3:
            stray = rng.choice([k for k in EXTRA_KEYS if k != key])
            for i, row in enumerate(rows):
                row.append(stray if not i else str(rng.randint(10, 99)))
        return Told(table(rng, rows), layout, names, True, "")
    if layout == "topics":
        root, glue = _root(rng, language), rng.choice([" ", " ", ": ", " = "])
        rows = [f"{root}/{name}/{key}{glue}{state}" for name, state in zip(names, states)]
        return Told("\n".join(rows), layout, names, True, "")
    values = [Number(state) if BARE_WORDS.fullmatch(state) else state for state in states]
    if layout == "map":
        data = dict(zip(names, values))
        if rng.random() < 0.4:
            data = {key: data}
    else:
        label = telling.column(rng, language)
        data = [{label: name, key: value} for name, value in zip(names, values)]
        if rng.random() < 0.3:
            stray = rng.choice([k for k in EXTRA_KEYS if k != key])
            for row in data:
                row[stray] = Number(rng.randint(10, 99))
        if rng.random() < 0.2:
            compact = rng.random() < 0.5
            return Told("\n".join(encode(row, compact) for row in data), layout, names, True, "")
    return Told(encode(data, rng.random() < 0.5), layout, names, True, "")


def tell_series(rng, readings, histories, separator):
    """Tells several past values of each named sensor, the oldest first; `histories` are in units of
    the readings' decimals."""
    language, unit = readings.language, readings.unit
    layout = rng.choice(["sentence"] * 3 + ["lines"] * 4 + ["pairs"] * 2 + ["map"] * 3 + ["table"])
    if layout == "map":
        separator = "."
    rows = [
        [written(arithmetic.text(value, readings.decimals), separator) for value in history]
        for history in histories
    ]
    comma = separator == "," and readings.decimals
    names = [str(name) for name in readings.names]
    stands = separator if readings.decimals else ""
    key = rng.choice(readings.quantity.keys[language])
    noun = str(readings.noun).capitalize()
    colon = telling.COLON[language]
    if layout in ("sentence", "lines"):
        between = rng.choice([" ", " / ", "; "] if comma else [", ", ", ", " ", " / "])
        spaced = f" {unit}" if rng.random() < 0.6 else ""
        glue = rng.choice([": ", colon, " = "])
        parts = [f"{name}{glue}{between.join(row)}{spaced}" for name, row in zip(names, rows)]
        head = rng.choice(["", "", f"{noun}{colon}", f"{noun} ({unit}){colon}"])
        if layout == "sentence":
            glue = rng.choice([". ", " | "] if ";" in between or not comma else ["; ", ". "])
            return Told(f"{head}{glue.join(parts)}.", layout, names, False, stands)
        bullet = rng.choice(["", "", "- "])
        body = "\n".join(bullet + part for part in parts)
        return Told((head.rstrip() + "\n" if head else "") + body, layout, names, True, stands)
    if layout == "map":
        data = {name: [Number(value) for value in row] for name, row in zip(names, rows)}
        data = {key: data} if rng.random() < 0.4 else data
        return Told(encode(data, rng.random() < 0.5), layout, names, True, stands)
    keyed = [name.replace(" ", "_").replace("'", "_") for name in names]
    if layout == "pairs":
        between = "/" if comma else rng.choice([",", "/"])
        body = "\n".join(f"{name}={between.join(row)}" for name, row in zip(keyed, rows))
        return Told(body, layout, keyed, True, stands)
    bar = rng.choice([" | ", ";", "\t"])
    head = [telling.column(rng, language), *(f"t{i + 1}" for i in range(len(rows[0])))]
    lines = [bar.join(head), *(bar.join([name, *row]) for name, row in zip(keyed, rows))]
    return Told("\n".join(lines), layout, keyed, True, stands)
