"""A question about a few known amounts, told in one of three ways: all in one sentence, as a
situation and a question, or as telemetry and a question.

A family that uses it has for each kind of question the sections `kind` (one sentence), `kind_given`
(the situation) and `kind_ask` (the question alone), or some of them.
"""

import dataclasses

import arithmetic
import telemetry
import words


@dataclasses.dataclass
class Stated:
    """What `state` made: the question, its data or nothing, further wordings that were used, and
    the slots that occur in the question."""

    question: object
    data: object
    phrasings: tuple
    slots: frozenset


STRAY = ("temperature", "humidity", "light", "co2", "noise", "wind", "voltage", "pressure")


def stray(rng, language, avoid=()):
    """A reading that does not matter."""
    pool = [q for q in words.QUANTITIES if q.id in STRAY and q.id not in avoid and q.low >= 0]
    quantity = rng.choice(pool)
    decimals = rng.choice(quantity.decimals)
    scale = 10**decimals
    value = rng.randint(int(quantity.low * scale) + 1, int(quantity.high * scale))
    return telemetry.reading(rng, language, quantity, value, decimals)


def fact(noun, key, value, decimals, unit):
    """A known amount; `key` must tell the unit, since pairs and JSON state none."""
    return telemetry.Fact(noun, key, arithmetic.text(value, decimals), unit)


class Amounts:
    """What telemetry may call the known amounts of a family: `{name: (english, french)}`, each `noun|noun; key key`,
    French nouns with their gender. The first noun is what the amount is called where it is missing. With
    `suffixes` keys tell their unit: as listed there, or in lower case; without, the keys in the table are whole."""

    def __init__(self, table, suffixes=None):
        self.called, self.suffixes = {}, suffixes
        for name, texts in table.items():
            for language, text in zip(("en", "fr"), texts):
                nouns, _, keys = text.partition("; ")
                self.called[name, language] = words.nouns(language, nouns), keys.split()

    def noun(self, language, name):
        return self.called[name, language][0][0]

    def fact(self, rng, language, name, amount):
        """The amount, (value, decimals, unit), as a fact."""
        nouns, keys = self.called[name, language]
        first = rng.random() < 0.4
        noun, key = (nouns[0], keys[0]) if first else (rng.choice(nouns), rng.choice(keys))
        if self.suffixes is not None:
            unit = amount[2]
            key += "_" + (self.suffixes.get(unit) or unit.lower().replace("³", "3"))
        return fact(noun, key, *amount)


def state(
    rng,
    loaded,
    language,
    held_out,
    kind,
    slots,
    separator,
    facts=(),
    ask="",
    fact_ask="",
    given="",
    extra="",
    avoid=(),
    asked=lambda said: True,
):
    """The question of `kind`, with `slots` filled.

    `facts` allow telemetry. `ask` and `given` name other sections than the kind's own, `fact_ask`
    the question that telemetry gets; `extra` is a section whose text follows the situation. `asked`
    says whether a question will do; others are drawn until it does.
    """
    ask, given = ask or f"{kind}_ask", given or f"{kind}_given"
    fact_ask = fact_ask or ask
    ways = {}
    if kind in loaded.slots:
        ways["one"] = 4
    if given in loaded.slots and ask in loaded.slots:
        ways["given"] = 4
    if facts and fact_ask in loaded.slots:
        ways["facts"] = 3
    for _ in range(100):
        way = rng.choices(list(ways), ways.values())[0]
        section = {"one": kind, "given": ask, "facts": fact_ask}[way]
        known = {name: slots[name] for name in loaded.slots[section]}
        question = loaded.say(rng, language, section, held_out, **known)
        if asked(question):
            break
    else:
        raise ValueError(f"{loaded.family}: no question of {kind} will do")
    if way == "one":
        return Stated(question, None, (), question.slots)
    if way == "facts":
        known = list(facts)
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            other = stray(rng, language, avoid)
            if all(other.noun != f.noun and other.unit != f.unit for f in known):
                known.append(other)
        if rng.random() < 0.5:
            rng.shuffle(known)
        told = telemetry.tell_facts(rng, language, known, separator)
        return Stated(question, told, (), question.slots)
    said = [
        loaded.say(rng, language, name, held_out, **{s: slots[s] for s in loaded.slots[name]})
        for name in ([given, extra] if extra else [given])
    ]
    text = " ".join(part.text for part in said)
    text = text[0].upper() + text[1:]
    told = telemetry.Told(text, "sentence", [], False, "")
    return Stated(question, told, tuple(said), question.slots)
