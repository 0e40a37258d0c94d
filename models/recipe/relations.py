"""How a reading is compared with a limit in words: shared by every family that has limits."""

import arithmetic
import telemetry
import wording
import words

NAMES = {">": "gt", "<": "lt", ">=": "ge", "<=": "le"}
_CLAUSE = {"noun": words.Noun, "limit": str}
WORDING = wording.load(
    "relations",
    {
        **{name: _CLAUSE for name in NAMES.values()},
        **{f"not_{name}": _CLAUSE for name in NAMES.values()},
        **{f"bare_{name}": {"limit": str} for name in NAMES.values()},
        "than": {"adj": words.Adjective, "limit": str},
        "on": {"thing": words.Noun, "state": str},
        "not_on": {"thing": words.Noun, "state": str},
    },
)


def limit_near(rng, value, decimals, close=0.7):
    """A limit for a reading: mostly close, sometimes equal; half of those with decimals are whole.
    (value, decimals)"""
    reach = max(2, abs(value) // rng.choice([4, 10, 20]))
    limit = value + rng.randint(-reach, reach)
    if rng.random() > close:
        limit = value + rng.randint(-3 * reach, 3 * reach)
    if value > 0:
        limit = max(1, limit)
    if decimals and rng.random() < 0.6:
        whole = round(limit / 10**decimals)
        return whole, 0
    return limit, decimals


def limit_text(rng, limit, decimals, unit, separator):
    """A limit as the prompt states it; the unit comes along or not."""
    number = telemetry.written(arithmetic.text(limit, decimals), separator)
    chance = rng.random()
    return f"{number} {unit}" if chance < 0.6 else f"{number}{unit}" if chance < 0.7 else number


def clause(rng, language, held_out, noun, relation, limit, negated=False):
    """`the temperature is above 28 °C`; negated `the temperature is not above 28 °C`."""
    section = ("not_" if negated else "") + NAMES[relation]
    return WORDING.say(rng, language, section, held_out, noun=noun, limit=limit)


def comparative(rng, language, held_out, quantity, relation, limit):
    """`it gets warmer than 28 °C`: which quantity is meant, the word and the unit tell."""
    side = quantity.most if relation == ">" else quantity.least
    return WORDING.say(rng, language, "than", held_out, adj=rng.choice(side[language][:2]), limit=limit)


def bare(rng, language, held_out, relation, limit):
    """`above 28 °C`."""
    return WORDING.say(rng, language, f"bare_{NAMES[relation]}", held_out, limit=limit)


def state_clause(rng, language, held_out, thing, state, negated=False):
    """`the window is open`; negated `the window is not open`."""
    section = "not_on" if negated else "on"
    return WORDING.say(rng, language, section, held_out, thing=thing, state=state)
