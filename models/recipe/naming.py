"""What things are called: by the lists of words.py, or by any words at all. What people call their things, and what
their programs call an answer, is in no list of ours; and a model copies only those tokens well that it has had to write, so every word it knows must be written in
training, and spellings that it has never met too.
"""

import collections
import functools
import operator
import re

import words
from wording import FOLDER, LANGUAGES, read

# Not names: they would make a question mean something else, or an answer say it.
MEANT = set(
    """yes no none not ok and or is are the of in at to on off if then else oui non aucun et ou est sont le la les de
    des du en au si alors sinon all any each both tous toutes chaque null true false unknown missing manque""".split()
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
RARE = "éèêàçùôîïüöäåøñßœæšžłőğ"
# The first part of an entity's name in home automation.
DOMAINS = ("sensor", "light", "switch", "climate", "cover", "binary_sensor", "device")
COMMON = 3  # Times that a common word occurs.
WORD = re.compile(r"[^\W\d_]{2,}")


def _texts(value):
    """Every text that is anywhere in a value of words.py."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif hasattr(value, "__dataclass_fields__"):
        yield from _texts(vars(value))


@functools.cache
def known():
    """The words of the training wordings and word lists, held-out ones left aside: the common ones (those a tokenizer
    is likely to have whole) and all, in a fixed order."""
    found = collections.Counter()
    for name, value in vars(words).items():
        if name.isupper() and not name.endswith("HELD_OUT"):
            for text in _texts(value):
                found.update(WORD.findall(text))
    for language in LANGUAGES:
        for path in sorted((FOLDER / language).glob("*.txt")):
            sections, _, _ = read(path, read(FOLDER / language / "common.txt")[2])
            for templates in sections.values():
                for template in templates:
                    found.update(WORD.findall(re.sub(r"<[^>]*>|@\w+", " ", template.source)))
    meant = set(MEANT)
    for devices in (d for pool in words.DEVICES.values() for d in pool):
        for text in _texts((devices.states, devices.plural_states, devices.plain_states, devices.codes)):
            meant.update(text.lower().split())
    for quantity in words.QUANTITIES:
        meant.update(word for text in _texts(quantity.noun) for word in text.lower().split())
    every = sorted(word for word in found if word.lower() not in meant)
    return [word for word in every if found[word] >= COMMON], every


def word(rng):
    """One word: mostly a known one as it stands or with another case, else letters as they come."""
    common, every = known()
    kind = rng.random()
    if kind < 0.72:
        chosen = rng.choice(common if kind < 0.55 else every)
    else:
        chosen = "".join(rng.choices(LETTERS, k=rng.choice([2, 3, 4, 4, 5, 6, 8])))
        if rng.random() < 0.25:
            place = rng.randrange(len(chosen))
            chosen = chosen[:place] + rng.choice(RARE) + chosen[place + 1 :]
    chance = rng.random()
    if chance < 0.1:
        return chosen.capitalize()
    return chosen.upper() if chance < 0.15 else chosen


def any_name(rng):
    """What somebody might call a thing: one to three words, perhaps with a number."""
    glue = rng.choice([" ", " ", " ", "_", "-", "/"])
    parts = [word(rng) for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
    if rng.random() < 0.15:
        parts.append(str(rng.randint(1, 99)))
    made = glue.join(parts)
    return made if made.lower() not in MEANT else any_name(rng)


def _different(count, make, clash):
    """`count` names that mean nothing else, each of which clashes with none before it."""
    found = []
    while len(found) < count:
        made = make()
        if made.lower() not in MEANT and not any(clash(made, other) for other in found):
            found.append(made)
    return found


def any_names(rng, count):
    """`count` different names, none of which is a part of another."""

    def clash(made, other):
        made, other = made.lower(), other.lower()
        return made in (other, *other.split()) or other in made

    return _different(count, lambda: any_name(rng), clash)


@functools.cache
def _keys():
    return [key for language in LANGUAGES for key in words.entries(f"{language}/keys.txt")]


def key(rng):
    """What a program might call a field of its JSON."""
    if rng.random() < 0.6:
        return rng.choice(_keys())
    parts = [word(rng) for _ in range(rng.choice([1, 1, 2]))]
    made = rng.choice(["_", "", "_"]).join(parts)
    return made.lower() if rng.random() < 0.8 else made


def devices(rng, language, held_out=False):
    """A kind of devices and its two states; now and then of any words at all, so that both are read and not known."""
    if held_out:
        return rng.choice(words.DEVICES_HELD_OUT[language])
    if rng.random() >= 0.06:
        return rng.choice(words.DEVICES[language])
    one, *pair = (name.lower() for name in any_names(rng, 3))
    kind, kinds = words.Noun(one, language, "m"), words.Noun(f"{one}s", language, "m", True)
    pair = tuple(pair)
    return words.Devices(kind, kinds, pair, pair, pair, *words.CODES[""])


def codes(rng, language, count):
    """`count` different short names that differ in few letters: `2b`, `XF-3`, `TK104`, `0x3f1a`, `light.hall`."""
    stem = "".join(rng.choices(LETTERS, k=rng.choice([1, 2, 2, 3])))
    stem = stem.upper() if rng.random() < 0.75 else stem
    glue, domain = rng.choice(["", "", "-", ".", "_"]), rng.choice(DOMAINS)
    make = rng.choice(
        [
            lambda: f"{rng.randint(1, 4 if count < 6 else 20)}{rng.choice(LETTERS[:14])}",
            lambda: f"{stem}-{rng.choice(LETTERS[:14]).upper()}",
            lambda: f"{stem}{glue}{rng.randint(1, 9 if count < 8 else 19)}",
            lambda: f"{stem}{glue}{rng.randint(100, 130 if rng.random() < 0.7 else 999)}",
            lambda: f"{rng.choice('ABCD')}{glue or '-'}{rng.randint(1, 30)}",
            lambda: f"0x{rng.randrange(0x10000):04x}",
            lambda: f"{domain}.{rng.choice(words.PLACES[language]).text.replace(' ', '_')}",
        ]
    )
    return _different(count, make, operator.eq)


def names(rng, language, count, held_out=False, places=None):
    """`count` different names as nouns: rooms, numbered devices, codes, people and plots, short ids, invented or any
    words, one kind at a time.

    With `places` only rooms (True) or only other names (False).
    """
    if not places:
        chance = rng.random()
        if chance < 0.06:
            return [words.Noun(name, language, "") for name in any_names(rng, count)]
        if chance < 0.17:
            return [words.Noun(name, language, "") for name in codes(rng, language, count)]
        if chance < 0.27 and places is None and not held_out:
            return [words.Noun(name, language, "") for name in rng.sample(words.THINGS[language], count)]
    kind = rng.random()
    if places is not None:
        kind = kind * 0.6 if places else 0.6 + kind * 0.4
    pool = words.PLACES[language]
    if 0.53 <= kind < 0.6:
        pool = [place for place in pool if not words.SIDED.search(place.text)]
    if held_out:
        pool = words.PLACES_HELD_OUT[language] + rng.sample(pool, 10)
    if kind < 0.53:
        return rng.sample(pool, count)
    if kind < 0.6:
        if language == "en":
            pairs = zip(rng.choices(words.SIDES["en"], k=count), rng.sample(pool, count))
            return [words.Noun(f"{side} {place}", language) for side, place in pairs]
        pairs = zip(rng.choices(words.SIDES["fr"], k=count), rng.sample(pool, count))
        return [words.Noun(f"{place} {side}", language, place.gender) for side, place in pairs]
    if kind < 0.75:
        stem, glue = rng.choice(words.ID_STEMS[language]), rng.choice([" ", "-", "_", ""])
        numbers = rng.sample(range(1, 10 if rng.random() < 0.5 else 100), count)
        if rng.random() < 0.5:
            numbers.sort()
        found = [f"{stem}{glue}{number}" for number in numbers]
    elif kind < 0.84:
        stem = rng.choice(words.ID_SHORT)
        stem = stem.upper() if rng.random() < 0.5 else stem
        found = [f"{stem}{number}" for number in rng.sample(range(1, 10), count)]
    elif kind < 0.89:
        stem = rng.choice(words.ID_STEMS[language])
        found = [f"{stem} {letter}" for letter in rng.sample("ABCDEFGHK", count)]
    else:

        def invented():
            name = "".join(rng.choices(words.SYLLABLES, k=rng.choice([2, 2, 3])))
            return name.capitalize() if rng.random() < 0.3 else name

        found = _different(count, invented, operator.eq)
    return [words.Noun(name, language, "") for name in found]
