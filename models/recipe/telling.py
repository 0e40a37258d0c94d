"""The words that people put around what they tell: before a list of readings, between a name and its value, around a
bare series. They are the lists of `lists/<language>/told/`; none of them says anything about the values.
"""

import functools

import words
from wording import capital

COLON = {"en": ": ", "fr": " : "}


@functools.cache
def _entries(language, name):
    return words.listed(f"{language}/told/{name}.txt")


@functools.cache
def _verbs(language):
    """What may stand between the name of a thing and a value, by unit; `*` fits all."""
    found = {}
    for entry in _entries(language, "verbs"):
        unit, colon, verb = entry.partition(": ")
        if not colon:
            raise ValueError(f"lists/{language}/told/verbs.txt: not `unit: verb`: {entry}")
        found.setdefault(unit, []).append(verb)
    return found


def head(rng, language, noun):
    """What stands before readings of a quantity, without a colon."""
    return rng.choice(_entries(language, "heads")).format(noun=noun, Noun=capital(str(noun)))


def check(rng, language):
    """What stands before a list of states, without a colon."""
    return rng.choice(_entries(language, "checks"))


def verb(rng, language, unit):
    """What a thing does when it has a reading in this unit: `draws`, `stands at`."""
    found = _verbs(language)
    return rng.choice(found[unit if unit in found and rng.random() < 0.6 else "*"])


def column(rng, language):
    """What the names in a table are."""
    return rng.choice(_entries(language, "columns"))


def series(rng, language, values):
    """A sentence around bare values."""
    return rng.choice(_entries(language, "series")).replace("{values}", values)


def now(rng, language, value):
    """A sentence that tells one reading without its quantity."""
    return rng.choice(_entries(language, "now")).replace("{}", value)


def stands(rng, language):
    """What stands between a quantity with its article and its value."""
    return rng.choice(_entries(language, "stands")).replace("_", " ")
