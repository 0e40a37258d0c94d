"""Roughens questions for training: words replaced by others of the same meaning (`phrasings/synonyms/`); and a word
replaced by any other, left out, or mistyped.

A model that knows a wording by heart leans on one word of it. With that word gone now and then it has to read the
others, which is what it needs for wordings it never saw. Evaluation never comes through here.
"""

import dataclasses
import functools
import re

import naming
import wording

REWORDED = 0.5  # Of the documents, and of their words: those said with other words of the same meaning.
SHARE = 0.25  # Of the documents of which words are disturbed, where nothing else is asked.
# What turns a question round is left alone.
KEPT = set(
    """not never none without except unless nor isn't aren't doesn't less more above below under over least most lower
    higher greater smaller before after until since between inside outside both either neither every only same
    pas jamais aucun aucune sans sauf moins plus dessus dessous supérieur supérieure inférieur inférieure avant après
    jusqu entre dedans dehors chaque seul seule même ni tous toutes tout toute""".split()
)
WORD = re.compile(r"(?<![\w'’])[^\W\d_]{3,}(?![\w'’])")


def roughen(rng, problem, share=SHARE):
    """What training is given instead of a problem as it was made."""
    return disturb(rng, reworded(rng, problem), share)


@functools.cache
def synonyms(language):
    """What may stand in the place of a word: `{word: [other, ...]}`, all in lower case."""
    found = {}
    path = wording.FOLDER / "synonyms" / f"{language}.txt"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, colon, others = line.partition(":")
        options = [other.strip() for other in others.split(",")]
        if not (colon and WORD.fullmatch(word) and all(options)) or word in found or word in options:
            raise wording.WordingError(f"{path}:{number}: not `word: other, other` of a new word: {line}")
        found[word] = options
    return found


def reworded(rng, problem):
    """The problem, perhaps with words of its last question said otherwise; its thought and answer stay."""
    if rng.random() >= REWORDED:
        return problem
    text = said_otherwise(rng, problem.prompt, problem.language, problem.literals, _needed(problem))
    return _with(problem, text)


def said_otherwise(rng, text, language, literals, needed=()):
    """The text with some words of the wording (`literals`) replaced, those left alone that are `needed`."""
    known = synonyms(language)
    for match in reversed(list(WORD.finditer(text))):
        word = match.group()
        low = word.lower()
        if low in known and _alone(word, text, literals, needed) and rng.random() < REWORDED:
            other = rng.choice(known[low])
            if word.isupper():
                other = other.upper()
            elif word[0].isupper():
                other = wording.capital(other)
            text = text[: match.start()] + other + text[match.end() :]
    return text


def disturb(rng, problem, share=SHARE):
    """The problem, perhaps with one or two words of its last question disturbed; its thought and answer stay."""
    if rng.random() >= share or not problem.literals:
        return problem
    text, needed = problem.prompt, _needed(problem)
    for _ in range(rng.choice([1, 1, 2])):
        found = [match for match in WORD.finditer(text) if _free(match.group(), text, problem.literals, needed)]
        if not found:
            break
        match = rng.choice(found)
        text = text[: match.start()] + _other(rng, match.group()) + text[match.end() :]
    return _with(problem, text)


def _needed(problem):
    """The words that thought or answer repeat."""
    return set(WORD.findall(f"{problem.thought} {problem.answer}".lower()))


def _with(problem, text):
    messages = [*problem.messages[:-1], {**problem.messages[-1], "content": text}]
    return dataclasses.replace(problem, messages=messages)


def _free(word, text, literals, needed):
    """Whether nothing rests on a word alone."""
    return word.lower() not in KEPT and _alone(word, text, literals, needed)


def _alone(word, text, literals, needed):
    """Whether a word stands in the text once, comes from a template, and is not repeated by thought or answer."""
    low = word.lower()
    return word in literals and low not in needed and text.lower().count(low) == 1


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
