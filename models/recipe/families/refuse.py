"""Questions from outside its world: an honest refusal, also beside readings."""

import telemetry
import wording
from assemble import Answer, build

WEIGHT = 4
FAMILY = "refuse"
REFUSAL = {
    "en": "I only reason about readings, rules, time and energy.",
    "fr": "Je ne raisonne que sur des mesures, des règles, le temps et l'énergie.",
}
WORDING = wording.load(FAMILY, {"topic": {}, "about": {"topic": str}, "whole": {}})


def make(rng, language, held_out):
    if rng.random() < 0.6:
        topic = WORDING.say(rng, language, "topic", held_out)
        question = WORDING.say(rng, language, "about", held_out, topic=topic.text)
    else:
        question = WORDING.say(rng, language, "whole", held_out)
    told, separator = None, telemetry.separator(rng, language)
    if rng.random() < 0.3:
        readings = telemetry.draw(rng, language, rng.randint(1, 5), held_out)
        told = telemetry.tell(rng, readings, separator)
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
        json_share=0.12,
    )


def verify(problem):
    return REFUSAL[problem.language]
