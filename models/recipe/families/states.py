"""Devices by their state: which are on, how many are open, whether all are closed or any is off,
what state one is in; and how many readings lie above or below a limit, and which."""

from fractions import Fraction

import arithmetic
import naming
import relations
import telemetry
import wording
import words
from assemble import Amount, Answer, build

WEIGHT = 10
FAMILY = "states"
DEVICE = {"one": words.Noun, "many": words.Noun, "state": str, "states": str, "plain": str}
LIMIT = {"noun": words.Noun, "rel": str}
WORDING = wording.load(
    FAMILY,
    {
        "which": DEVICE,
        "which_not": DEVICE,
        "count": DEVICE,
        "count_not": DEVICE,
        "all": DEVICE,
        "any": DEVICE,
        "none": DEVICE,
        "at_least": DEVICE | {"n": str},
        "at_most": DEVICE | {"n": str},
        "state_of": {"name": words.Noun},
        "is_it": {"name": words.Noun, "state": str},
        "which_limit": LIMIT,
        "count_limit": LIMIT,
        "all_limit": LIMIT,
        "any_limit": LIMIT,
    },
)
NONE = {"en": "none", "fr": "aucun"}
# Words for any kind of thing, which do not tell one kind from another.
ANY_KIND = ("device", "appareil", "sensor", "capteur", "node", "nœud", "machine")
SMALL = {
    "en": "zero one two three four five six seven".split(),
    "fr": "zéro un deux trois quatre cinq six sept".split(),
}


def make(rng, language, held_out):
    kinds = ["which", "which_not", "count", "count_not", "all", "any", "none", "at_least", "at_most", "state_of", "is_it"]
    kinds += ["which_limit", "count_limit", "all_limit", "any_limit"]
    weights = [18, 5, 16, 4, 9, 9, 4, 5, 3, 4, 4, 9, 8, 4, 4]
    kind = rng.choices(kinds, weights)[0]
    if kind.endswith("limit"):
        return _limit(rng, language, held_out, kind)
    return _state(rng, language, held_out, kind)


# Devices ------------------------------------------------------------


def _names(rng, language, held_out, devices, count):
    """Names of devices of one kind: places, or names that hold the kind (`kitchen light`, `pump
    3`). Returns them and whether they can be said to be in a state by themselves."""
    one = devices.one
    if rng.random() < 0.45:
        places = _places(rng, language, held_out, count)
        return places, not places[0].gender
    if rng.random() < 0.55:
        places = _places(rng, language, held_out, count, True)
        return [_compound(place, one) for place in places], True
    glue = rng.choice([" ", " ", "_", "-"])
    marks = rng.sample("ABCDEFGH" if rng.random() < 0.3 else "123456789", count)
    marks = sorted(marks) if rng.random() < 0.6 else marks
    return [words.Noun(f"{one}{glue}{mark}", language, "") for mark in marks], True


def _places(rng, language, held_out, count, places=None):
    """Names as `naming.names` has them, but no `grenier est`: it is not the grenier that is."""
    while True:
        found = naming.names(rng, language, count, held_out, places)
        if language == "en" or not any(str(name).endswith(" est") for name in found):
            return found


def _compound(place, one):
    """`kitchen light`, `lumière de la cuisine`."""
    if place.language == "en":
        return words.Noun(f"{place} {one}", "en", "m")
    return words.Noun(f"{one} {place.of_the}", "fr", one.gender)


def _words(rng, language, devices, flags=True):
    """What stands for the two states in the data (two tuples of spellings), the key over them, and
    whether they speak for themselves.

    Mostly as one says it, sometimes as machines write it, now and then as a flag; the spellings of
    a careless system differ from device to device.
    """
    key = rng.choice(["state", "status"] if language == "en" else ["etat", "état", "state"])
    said = devices.states
    chance = rng.random()
    if chance < (0.3 if devices.codes else 0.12):
        loud = tuple(state.upper().replace(" ", "_") for state in devices.plain_states)
        codes = rng.choice([*devices.codes, loud])
        return ((codes[0],), (codes[1],)), key, True
    if devices.codes and chance < 0.42:
        pairs = [said, *devices.codes[:2]]
        return tuple(tuple(pair[i] for pair in pairs) for i in (0, 1)), key, True
    if flags and devices.codes and chance < 0.55:
        yes, no = rng.choice([("true", "false"), ("true", "false"), ("1", "0")])
        return ((yes,), (no,)), devices.flag, False
    return ((said[0],), (said[1],)), key, True


FLAG_LAYOUTS = ["map", "objects", "objects", "table", "topics"]


def _heads(language, many):
    """What may stand before a sentence or list of states."""
    colon = ": " if language == "en" else " : "
    plural = str(many).capitalize()
    state = ["Status", "State"] if language == "en" else ["État", "Statut"]
    return ["", "", f"{plural}{colon}", f"{plural}{colon}", *(f"{word}{colon}" for word in state)]


# What is said of a device that is in neither of its two states, or does not answer.
NEITHER = {
    "en": ["unavailable", "unknown", "not responding", "in maintenance", "faulty"],
    "fr": ["indisponible", "sans réponse", "en maintenance", "en défaut"],
}


def _told(rng, language, held_out, devices, count, likely, flags=True, wanted=None):
    """Devices in their states, told: the data, of each the truth of being in the first one, and the spellings of
    the two states. Where one state is `wanted`, a device now and then is in neither."""
    first = [rng.random() < likely for _ in range(count)]
    spellings, key, speaks = _words(rng, language, devices, flags)
    shown = [rng.choice(spellings[0 if on else 1]) for on in first]
    if wanted is not None and speaks and rng.random() < 0.12:
        neither = rng.choice(NEITHER[language])
        shown = [neither if on != wanted and rng.random() < 0.5 else word for on, word in zip(first, shown)]
    names, sayable = _names(rng, language, held_out, devices, count)
    layouts = None
    if not speaks:
        layouts = FLAG_LAYOUTS
    elif not sayable or len(spellings[0]) > 1:
        layouts = [x for x in telemetry.WORD_LAYOUTS if x not in ("is", "groups")]
    told = telemetry.tell_words(
        rng, language, names, shown, key, _heads(language, devices.many), layouts
    )
    if layouts is None and told.layout == "groups":
        order = {str(name): on for name, on in zip(names, first)}
        first = [order[name] for name in told.names]
    return told, first, spellings


def _mixed(rng, language, held_out, devices, count):
    """Devices of two kinds with their kinds in their names: the data, the truths, which are meant,
    and the spellings of the two states of these."""
    pool = (words.DEVICES_HELD_OUT if held_out else words.DEVICES)[language]
    other = rng.choice([d for d in pool if d.one.text not in (devices.one.text, *ANY_KIND)])
    places = _places(rng, language, held_out, count, True)
    kinds = [rng.random() < 0.55 for _ in places]
    if all(kinds) or not any(kinds):
        kinds[0] = not kinds[0]
    first = [rng.random() < 0.5 for _ in places]
    names, shown = [], []
    for place, mine, on in zip(places, kinds, first):
        kind = devices if mine else other
        names.append(_compound(place, kind.one))
        shown.append(kind.states[0 if on else 1])
    layouts = [x for x in telemetry.WORD_LAYOUTS if x != "groups"]
    told = telemetry.tell_words(rng, language, names, shown, "state", ["", ""], layouts)
    return told, first, kinds, tuple((state,) for state in devices.states)


def _state(rng, language, held_out, kind):
    devices = naming.devices(rng, language, held_out)
    wanted = rng.random() < 0.55
    side = 0 if wanted else 1
    count = rng.choices(range(2, 9), [1, 4, 6, 5, 3, 2, 1])[0]
    likely = 0.5
    if kind in ("all", "any", "none"):
        # About half of the answers are yes.
        share = rng.choice([0.15, 0.5, 1]) if kind == "all" else rng.choice([0, 0, 0.35])
        share = 1 - share if kind == "all" and rng.random() < 0.1 else share
        likely = share if wanted else 1 - share
    meant = [True] * count
    mixed = kind not in ("state_of", "is_it") and rng.random() < 0.22
    if mixed and devices.one.text not in ANY_KIND:
        told, first, meant, spellings = _mixed(rng, language, held_out, devices, max(3, count))
    else:
        told, first, spellings = _told(
            rng, language, held_out, devices, count, likely, flags=kind != "state_of",
            wanted=wanted if kind in ("which", "count", "any", "at_least") else None,
        )  # fmt: skip
    hits = [mine and on == wanted for mine, on in zip(meant, first)]
    # What is not closed is open.
    negated = kind.endswith("_not")
    spoken = 1 - side if negated else side
    slots = {
        "one": devices.one,
        "many": devices.many,
        "state": devices.states[spoken],
        "states": devices.plural_states[spoken],
        "plain": devices.plain_states[spoken],
    }
    facts = {"kind": kind, "first": first, "meant": meant, "wanted": wanted, "names": told.names}
    if kind in ("state_of", "is_it"):
        return _single(rng, language, held_out, kind, devices, told, first, spellings, wanted, facts)
    number = 0
    if kind in ("at_least", "at_most"):
        number = max(2, min(7, sum(hits) + rng.choice([-1, 0, 0, 1])))
        slots["n"] = str(number) if rng.random() < 0.5 else SMALL[language][number]
        facts["number"] = number
    question = WORDING.say(rng, language, kind, held_out, **slots)
    while not all(meant) and not _names_kind(question.text, devices):
        question = WORDING.say(rng, language, kind, held_out, **slots)
    asked = f"{'not ' if negated else ''}{slots['states']}"
    asked += _as_data_has_it(asked, spellings[side], told.states)
    if _names_kind(question.text, devices):
        asked = f"{devices.one} {asked}"
    kind = kind.removesuffix("_not")
    facts["kind"] = kind
    thought, answer = _think(language, kind, told, hits, meant, asked, number)
    return _build(rng, language, held_out, question, thought, answer, told, facts)


def _as_data_has_it(asked, spellings, states):
    """`=closed`, `=ON/On`: how the data spells the state that is asked for, if not as the question does; every line
    of the thought then compares the same word with the same word."""
    present = [state for state in dict.fromkeys(states) if state in spellings]
    spelled = "/".join(present if len(spellings) > 1 else spellings)
    return "" if spelled in ("", asked) else f"={spelled}"


def _names_kind(text, devices):
    """Whether a question says which kind of device it is about."""
    text = text.lower()
    return devices.one.text.lower() in text or devices.many.text.lower() in text


def _think(language, kind, told, hits, meant, states, number, lines=None):
    """The lines that go through the devices one by one, and the answer. `lines` begin what is
    written of each, if not its name and state."""
    named = lines or [
        f"{i + 1}:{name} {state}" for i, (name, state) in enumerate(zip(told.names, told.states))
    ]
    thought, found = [f"{kind.split('_limit')[0]} {states}"], 0
    flags = ["-" if not mine else "yes" if hit else "no" for hit, mine in zip(hits, meant)]
    rows = [f"{line} {flag}" for line, flag in zip(named, flags)]
    if kind.startswith("which"):
        thought += [f"{row} {mark}" for row, mark in zip(rows, arithmetic.marks(hits))]
        names = [name for name, hit in zip(told.names, hits) if hit]
        plain = "{names}" if names else NONE[language]
        return thought, Answer(plain, {"names": names}, capital=False)
    if kind.startswith(("count", "at_")):
        for row, hit in zip(rows, hits):
            found += hit
            thought.append(f"{row} {found}")
        if kind.startswith("count"):
            return thought, Answer("{count}", {"count": Amount(found)})
        relation = ">=" if kind == "at_least" else "<="
        line, holds = arithmetic.comparison(found, 0, relation, number, 0)
        return [*thought, line], _yes_no(language, holds)
    # The first that settles it ends the look.
    settles = "no" if kind.startswith("all") else "yes"
    holds = kind.startswith(("all", "none"))
    for row, flag in zip(rows, flags):
        thought.append(row)
        if flag == settles:
            holds = not holds
            break
    return [*thought, f"={'yes' if holds else 'no'}"], _yes_no(language, holds)


def _yes_no(language, holds):
    said = words.YES_NO[language][0 if holds else 1]
    return Answer(f"{said}.", {"truth": holds})


def _single(rng, language, held_out, kind, devices, told, first, spellings, wanted, facts):
    """One device: what state is it in, or is it in that one?"""
    i = rng.randrange(len(first))
    name = words.Noun(told.names[i], language, "")
    facts |= {"index": i, "shown": told.states[i]}
    line = f"{told.names[i]} {told.states[i]}"
    if kind == "state_of":
        question = WORDING.say(rng, language, kind, held_out, name=name)
        answer = Answer("{state}", {"state": told.states[i]}, capital=False)
        return _build(rng, language, held_out, question, ["state", line], answer, told, facts)
    state = devices.states[0 if wanted else 1]
    question = WORDING.say(rng, language, kind, held_out, name=name, state=state)
    holds = first[i] == wanted
    asked = state + _as_data_has_it(state, spellings[0 if wanted else 1], told.states)
    thought = [f"is {asked}", f"{line} {'yes' if holds else 'no'}"]
    answer = _yes_no(language, holds)
    return _build(rng, language, held_out, question, thought, answer, told, facts)


# Readings against one limit ------------------------------------------------------------


def _limit(rng, language, held_out, kind):
    separator = telemetry.separator(rng, language)
    count = rng.choices(range(2, 8), [2, 5, 5, 3, 2, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out)
    value = rng.choice(readings.values)
    limit, decimals = relations.limit_near(rng, value, readings.decimals)
    if kind in ("all_limit", "any_limit") and rng.random() < 0.5:
        edge = (max if rng.random() < 0.5 else min)(readings.values)
        limit, decimals = relations.limit_near(rng, edge, readings.decimals)
    relation = rng.choice([">", ">", "<", "<", ">=", "<="])
    text = relations.limit_text(rng, limit, decimals, readings.unit, separator)
    rel = relations.bare(rng, language, held_out, relation, text).text
    question = WORDING.say(rng, language, kind, held_out, noun=readings.noun, rel=rel)
    nameless = not kind.startswith("which") and rng.random() < 0.2
    if nameless:
        told = (telemetry.timed if rng.random() < 0.4 else telemetry.series)(rng, readings, separator)
    else:
        told = telemetry.tell(rng, readings, separator)
    lines, hits = [], []
    for i, value in enumerate(readings.values):
        steps, order = arithmetic.digits_compared(value, readings.decimals, limit, decimals)
        name = "" if nameless else f"{told.names[i]} "
        lines.append(f"{i + 1}:{name}{readings.value(i)} {steps}")
        hits.append(arithmetic.RELATIONS[relation](order, 0))
    wanted = f"{relation}{arithmetic.text(limit, decimals)}"
    thought, answer = _think(language, kind, told, hits, [True] * count, wanted, 0, lines)
    facts = {
        "kind": kind,
        "values": readings.values,
        "decimals": readings.decimals,
        "relation": relation,
        "limit": Fraction(limit, 10**decimals),
        "names": told.names or [""] * count,
    }
    return _build(rng, language, held_out, question, thought, answer, told, facts, separator)


def _build(rng, language, held_out, question, thought, answer, told, facts, separator=""):
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
        exact=facts["kind"] in ("state_of", "is_it"),
        facts=facts,
    )


# Verification ------------------------------------------------------------


def verify(problem):
    """The names, their number, the truth or the word, from the facts again."""
    facts = problem.facts
    kind = facts["kind"]
    if kind == "state_of":
        return facts["shown"]
    if kind == "is_it":
        return facts["first"][facts["index"]] == facts["wanted"]
    if kind.endswith("limit"):
        values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
        limit, relation = facts["limit"], facts["relation"]
        kept = {v for v in values if v > limit} if ">" in relation else set()
        kept |= {v for v in values if v < limit} if "<" in relation else set()
        kept |= {limit} if "=" in relation else set()
        names = [name for name, v in zip(facts["names"], values) if v in kept]
        total = len(values)
        kind = kind.removesuffix("_limit")
    else:
        rows = list(zip(facts["names"], facts["first"], facts["meant"]))
        names = [name for name, on, mine in rows if mine and on is facts["wanted"]]
        total = sum(facts["meant"])
    return {
        "which": names,
        "count": Fraction(len(names)),
        "all": len(names) == total,
        "any": len(names) > 0,
        "none": not names,
        "at_least": len(names) >= facts.get("number", 0),
        "at_most": len(names) <= facts.get("number", 0),
    }[kind]
