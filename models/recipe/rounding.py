"""How many decimals a question wants, in words: for every family whose answers may be rounded."""

import wording

WORDING = wording.load("rounding", {"to_0": {}, "to_1": {}, "to_2": {}})


def ask(rng, language, held_out, places):
    """`Round to one decimal.`"""
    return WORDING.say(rng, language, f"to_{places}", held_out)


def then(question, other):
    """Two wordings one after the other; the first one's source and slots are kept."""
    glue = " " if question.text[-1:] in ".?!:" else ". "
    return question.within(question.text + glue + other.text)
