"""Roughens questions for training: a word replaced by any other, left out, or mistyped.

A model that knows a wording by heart leans on one word of it. With that word gone now and then it has to read the
others, which is what it needs for wordings it never saw. Evaluation never comes through here.
"""

import dataclasses
import re

import naming

SHARE = 0.25  # Of the documents that are roughened.
# What turns a question round is left alone.
KEPT = set(
    """not never none without except unless nor isn't aren't doesn't less more above below under over least most lower
    higher greater smaller before after until since between inside outside both either neither every only same
    pas jamais aucun aucune sans sauf moins plus dessus dessous supérieur supérieure inférieur inférieure avant après
    jusqu entre dedans dehors chaque seul seule même ni tous toutes tout toute""".split()
)
WORD = re.compile(r"(?<![\w'’])[^\W\d_]{3,}(?![\w'’])")


def disturb(rng, problem):
    """The problem, perhaps with one or two words of its last question disturbed; its thought and answer stay."""
    if rng.random() >= SHARE or not problem.literals:
        return problem
    text = problem.messages[-1]["content"]
    needed = set(WORD.findall(f"{problem.thought} {problem.answer}".lower()))
    for _ in range(rng.choice([1, 1, 2])):
        found = [match for match in WORD.finditer(text) if _free(match.group(), text, problem.literals, needed)]
        if not found:
            break
        match = rng.choice(found)
        text = text[: match.start()] + _other(rng, match.group()) + text[match.end() :]
    messages = [*problem.messages[:-1], {**problem.messages[-1], "content": text}]
    return dataclasses.replace(problem, messages=messages)


def _free(word, text, literals, needed):
    """Whether a word stands in the text once, comes from a template, and nothing rests on it alone."""
    low = word.lower()
    return word in literals and low not in KEPT and low not in needed and text.lower().count(low) == 1


def _other(rng, word):
    chance = rng.random()
    if chance < 0.45:
        return naming.word(rng)
    if chance < 0.6:
        return ""
    at = rng.randrange(len(word) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + (word[at] * 2 if kind == 1 else "") + word[at + 1 :]
