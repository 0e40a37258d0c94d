"""Questions from outside its world: an honest refusal, also beside or behind readings, and after a real question."""

import re

import telemetry
import wording
import words
from assemble import Answer, build
from families import aggregates, ranking, rules, states

WEIGHT = 4
FAMILY = "refuse"
REFUSAL = {
    "en": "I only reason about readings, rules, time and energy.",
    "fr": "Je ne raisonne que sur des mesures, des règles, le temps et l'énergie.",
}
WORDING = wording.load(FAMILY, {"topic": {}, "about": {"topic": str}, "whole": {}, "aside": {"question": str}})
# With what a question may begin that loses its capital behind a comma.
ASKS = re.compile(
    "What|Which|Who|Where|When|Why|How|Is|Are|Do|Does|Did|Can|Could|Would|Will|Should|Tell|Give|Write|Explain|Have"
    "|Quel|Qui|Où|Quand|Pourquoi|Comment|Combien|Est-ce|Que|Qu'|Peux|Pouvez|Donne|Écris|Raconte|Explique|Dois|Faut"
)


def make(rng, language, held_out):
    if rng.random() < 0.5:
        topic = WORDING.say(rng, language, "topic", held_out)
        question = WORDING.say(rng, language, "about", held_out, topic=topic.text)
    else:
        question = WORDING.say(rng, language, "whole", held_out)
    told, separator, order, phrasings, history = None, telemetry.separator(rng, language), None, (), ()
    chance = rng.random()
    if chance < 0.45:
        told = _readings(rng, language, held_out, separator)
        if rng.random() < 0.4:
            order, phrasings = "data first", (question,)
            question = _aside(rng, language, held_out, question)
    elif chance < 0.57:
        history = _history(rng, language, held_out)
    answer = Answer("{text}", {"text": REFUSAL[language]})
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        ["refuse"],
        answer,
        told,
        separator,
        order=order,
        json_share=0.2,
        history=history,
        phrasings=phrasings,
    )


def _readings(rng, language, held_out, separator):
    """What stands beside the question: readings of one quantity, or a mixed status."""
    if rng.random() < 0.6:
        return telemetry.tell(rng, telemetry.draw(rng, language, rng.randint(1, 5), held_out), separator)
    facts = {}
    for _ in range(rng.randint(1, 3)):
        quantity = rng.choice(words.QUANTITIES)
        fact = telemetry.reading(rng, language, quantity, *rules.measure(rng, quantity))
        facts[str(fact.noun)] = fact
    if rng.random() < 0.4:
        fact = telemetry.state(rng.choice(words.SWITCHES[language]), rng.random() < 0.5)
        facts[str(fact.noun)] = fact
    return telemetry.tell_facts(rng, language, list({fact.key: fact for fact in facts.values()}.values()), separator)


def _aside(rng, language, held_out, question):
    """The question behind readings that it has nothing to do with: `And by the way, who won the match?`"""
    said = WORDING.say(rng, language, "aside", held_out, question="\0")
    text = question.text
    if said.text[: said.text.index("\0")].endswith((", ", ": ")) and ASKS.match(text):
        text = text[0].lower() + text[1:]
    return said.within(said.text.replace("\0", text))


def _history(rng, language, held_out):
    """A question of the model's own world and its answer, told before."""
    while True:
        made = rng.choice([aggregates, ranking, rules, states]).make(rng, language, held_out)
        if made.format == "plain" and made.layout != "aligned" and made.system in ("", *words.SYSTEMS[language]):
            return [*made.messages, {"role": "assistant", "content": made.answer}]


def verify(problem):
    return REFUSAL[problem.language]
