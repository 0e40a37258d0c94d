"""Puts a problem together: question, data, courtesies, the wish for JSON; and writes its answer.

A family says what is asked, what is known, how to think and what the answer is; everything around
that is done here, so that all families are dressed alike.
"""

import dataclasses
import json
import re

import arithmetic
import naming
import telemetry
import wording
import words

JSON_SHARE = 0.25
# What a JSON answer's fields may be called, by what they mean; a family can give its own.
KEYS = {
    "value": {"en": ["answer", "value", "result"], "fr": ["answer", "valeur", "resultat"]},
    "unit": {"en": ["unit"], "fr": ["unit", "unite"]},
    "name": {"en": ["name", "sensor", "which"], "fr": ["nom", "capteur", "name"]},
    "names": {"en": ["names", "sensors", "list"], "fr": ["noms", "capteurs", "liste"]},
    "truth": {"en": ["answer", "result", "ok"], "fr": ["answer", "resultat", "ok"]},
    "action": {"en": ["action", "answer", "command"], "fr": ["action", "answer", "commande"]},
    "reason": {"en": ["reason", "why"], "fr": ["raison", "pourquoi"]},
    "time": {"en": ["time", "answer", "at"], "fr": ["heure", "answer"]},
    "duration": {"en": ["duration", "answer"], "fr": ["duree", "answer"]},
    "state": {"en": ["state", "answer", "status"], "fr": ["etat", "answer", "state"]},
    "count": {"en": ["count", "answer", "number"], "fr": ["nombre", "answer", "count"]},
    "text": {"en": ["answer", "reply"], "fr": ["answer", "reponse"]},
}
FORMATS = wording.load("json", {"bare": {}, "keys": {"keys": str, "example": str, "first": str}})


@dataclasses.dataclass
class Problem:
    """A problem with its worked thought and verified answer. `messages` end with the question to be
    answered; `question` is the bare question among it, `literals` are the words that its wording brought."""

    family: str
    language: str
    layout: str
    system: str
    messages: list
    thought: str
    answer: str
    format: str
    held_out: bool
    phrasings: tuple = ()
    literals: frozenset = frozenset()
    question: str = ""
    facts: dict = dataclasses.field(default_factory=dict)

    @property
    def prompt(self):
        """The last user turn."""
        return self.messages[-1]["content"]


@dataclasses.dataclass
class Amount:
    """A number of an answer, in units of 10^-decimals, and its unit, which is said only if the
    question states it."""

    value: int
    decimals: int = 0
    unit: str = ""

    def number(self, separator="."):
        return telemetry.written(arithmetic.text(self.value, self.decimals), separator)

    def full(self, separator, unit_stated):
        unit = self.unit if unit_stated else ""
        return f"{self.number(separator)} {unit}" if unit else self.number(separator)


@dataclasses.dataclass
class Answer:
    """`plain` is a format string over `fields`; the first field is the one that JSON must have.

    A field is an `Amount`, a truth, a text or a list of texts; `keys` names what JSON may call them
    instead of `KEYS`. `capital`: the plain answer begins with a capital; names that are copied keep
    theirs. `several`: the fields are answers of their own, which only JSON can hold; all of them are asked for, by
    names that tell which is which, so `keys` must have such names for each.
    """

    plain: str
    fields: dict
    keys: dict = dataclasses.field(default_factory=dict)
    capital: bool = True
    several: bool = False

    def amount(self):
        return next((field for field in self.fields.values() if isinstance(field, Amount)), None)

    def spoken(self, separator, stated):
        said = {}
        for name, field in self.fields.items():
            if isinstance(field, Amount):
                said[name] = field.full(separator, stated)
            elif isinstance(field, list):
                said[name] = ", ".join(str(entry) for entry in field)
            else:
                said[name] = str(field)
        text = self.plain.format(**said)
        return wording.capital(text) if self.capital else text

    def as_json(self, asked, unit_key=None):
        """JSON with `asked`, {key: field's name}, and the unit under `unit_key`."""
        data = {}
        for key, name in asked.items():
            field = self.fields[name]
            if isinstance(field, Amount):
                data[key] = telemetry.Number(field.number())
            else:
                data[key] = field
        if unit_key:
            data[unit_key] = self.amount().unit
        return telemetry.encode(data)


def unit_stated(text, unit):
    """Whether a text states `unit`: an answer repeats units, it does not guess them."""
    return bool(unit and re.search(rf"(?<![A-Za-zÀ-ÿ/°_'’]){re.escape(unit)}(?![A-Za-zÀ-ÿ/³²'’])", text))


def untidy(rng, language, text, exact):
    """What people make of a question when they type. `exact` ones, whose words are copied, keep
    their letters."""
    if language == "fr" and rng.random() < 0.35:
        text = re.sub(r" ([?!:;])(?=\s|$)", r"\1", text)
    if rng.random() < 0.12:
        text = text[0].lower() + text[1:]
    if rng.random() < 0.08:
        text = text.rstrip(" .?!")
    if language == "fr" and not exact and rng.random() < 0.08:
        text = text.translate(str.maketrans("éèêëàâîïôûùç", "eeeeaaiiouuc"))
    return text


def dress(rng, language, held_out, question, data=None, order=None, lead=""):
    """Question, data, courtesies and a remark that does not matter, in one of the usual orders.

    `order` fixes it: "data first" or "question first". `lead` stands before the data, or at the very end.
    """
    remark = ""
    if rng.random() < 0.08:
        remark = rng.choice((words.REMARKS_HELD_OUT if held_out else words.REMARKS)[language])
    before = rng.choice(words.BEFORE[language]) if rng.random() < 0.2 else ""
    after = rng.choice(words.AFTER[language]) if rng.random() < 0.12 else ""
    if data is None:
        parts = [question]
    elif lead:
        parts = [lead, data.text, question] if rng.random() < 0.8 else [question, data.text, lead]
    elif order == "data first" or (order is None and rng.random() < 0.65):
        parts = [data.text, question]
    else:
        parts = [question, data.text]
    block = data is not None and (data.block or "\n" in data.text)
    glue = "\n" if block or rng.random() < 0.15 else " "
    if remark:
        parts.insert(rng.choice([0, len(parts)] if block else range(len(parts) + 1)), remark)
    if after:
        ends_in_block = block and parts[-1] == data.text
        parts[-1] += ("\n" if ends_in_block else " ") + after
    return before + glue.join(parts)


def build(
    rng,
    family,
    language,
    held_out,
    question,
    thought,
    answer,
    data=None,
    separator="",
    exact=False,
    order=None,
    rule="",
    json_share=JSON_SHARE,
    history=(),
    layout=None,
    facts=None,
    phrasings=(),
):
    """The whole problem.

    `question` is a `wording.Said`, `data` a `telemetry.Told` or nothing, `thought` a list of lines,
    `answer` an `Answer`. `separator` is the prose's; the answer follows the data's if it has
    decimals. `exact`: words of the question are copied into the answer. `rule`, a standing text,
    may go into the system prompt. `history` are turns before the question. `facts` are kept for
    whoever verifies the answer; `phrasings` are further `Said`s used.
    """
    said = (question, *phrasings)
    text = untidy(rng, language, question.text, exact)
    system, lead = words.system(rng, language), ""
    given, bare = data, text
    if rule:
        chance = rng.random()
        if chance < 0.25:
            system, rule = f"{system} {rule}".strip(), ""
        elif chance < 0.5 and data is not None and not order:
            lead = rule.rstrip()
        elif rng.random() < 0.8:
            text = rule + ("" if rule.endswith("\n") else " ") + text
        else:
            text = f"{text} {rule}".rstrip()
    elif data is not None and not history and rng.random() < 0.04:
        # What holds for all questions, told beforehand.
        system, given = f"{system}\n{data.text}".strip(), None
    prompt = dress(rng, language, held_out, text, given, order, lead)
    turns = [*history, {"role": "user", "content": prompt}]
    told = system + "\n" + "\n".join(turn["content"] for turn in turns)
    amount = answer.amount()
    stated = amount is not None and unit_stated(told, amount.unit)
    point = (data.separator if data else "") or separator or telemetry.DEFAULT_SEPARATOR[language]
    if not re.search(rf"\d{re.escape(point)}\d", told):
        # Where the prompt shows no decimal number, its language decides.
        point = telemetry.DEFAULT_SEPARATOR[language]
    form = "json" if answer.several or rng.random() < json_share else "plain"
    if form == "plain" and rng.random() < 0.05:
        turns[-1]["content"] = message(rng, language, bare, given, rule)
    if form == "plain":
        final = answer.spoken(point, stated)
    else:
        request, asked, unit_key = json_request(rng, language, held_out, answer, stated)
        said += (request,)
        final = answer.as_json(asked, unit_key)
        if rng.random() < 0.3:
            system = f"{system} {request.text}".strip()
        elif rng.random() < 0.8 or not (data and data.block):
            turns[-1]["content"] += ("\n" if data and data.block else " ") + request.text
        else:
            turns[-1]["content"] = request.text + "\n" + turns[-1]["content"]
    return Problem(
        family,
        language,
        layout or (data.layout if data else "none"),
        system,
        turns,
        "\n".join(thought),
        final,
        form,
        held_out,
        tuple(entry.source for entry in said),
        question.literals,
        question.text,
        dict(facts or {}),
    )


def message(rng, language, question, data, rule=""):
    """The whole question as one JSON object, as programs send it: question, data and rule under keys."""
    held = {rng.choice(["question", "question", "q", "prompt", "ask" if language == "en" else "demande"]): question}
    if data is not None:
        known = rng.choice(["data", "data", "values", "readings" if language == "en" else "mesures", "input"])
        raw = data.text[0] in "{[" and data.text[-1] in "}]"
        held[known] = telemetry.Number(data.text) if raw else data.text
    if rule:
        held[rng.choice(["rule", "policy"] if language == "en" else ["regle", "consigne"])] = rule.strip()
    entries = list(held.items())
    if rng.random() < 0.5:
        entries.reverse()
    return telemetry.encode(dict(entries), rng.random() < 0.4)


def json_request(rng, language, held_out, answer, stated):
    """A wish for JSON: its wording, what it asks for ({key: field}) and the unit's key."""
    if answer.several:
        asked = {}
        for name in answer.fields:
            asked[_key(rng, answer.keys[name], asked, False)] = name
        return wish(rng, language, held_out, list(asked), list(answer.fields.values()), True), asked, None
    if rng.random() < 0.3:
        request = FORMATS.say(rng, language, "bare", held_out)
        return request, {"answer": next(iter(answer.fields))}, "unit" if stated else None
    asked, told_apart = {}, True
    for i, name in enumerate(answer.fields):
        if i and rng.random() < 0.4:
            told_apart = False
            continue
        options = answer.keys.get(name) or KEYS[name][language]
        asked[_key(rng, options, asked, told_apart)] = name
    unit_key = None
    if stated and rng.random() < (0.7 if len(asked) == 1 else 0.4):
        unit_key = _key(rng, KEYS["unit"][language], asked, told_apart)
    fields = [answer.fields[name] for name in asked.values()]
    keys = [*asked, unit_key] if unit_key else list(asked)
    return wish(rng, language, held_out, keys, fields), asked, unit_key


def wish(rng, language, held_out, keys, fields=(), explained=False):
    """How JSON with these keys is asked for; `fields` are what the first of them stand for. `explained`: what a key
    holds may be said behind it, `"cost" (in €)`."""
    quoted = [f'"{key}"' for key in keys]
    holders = placeholders(rng, [*fields, *[""] * (len(keys) - len(fields))])
    example = "{" + ", ".join(map(": ".join, zip(quoted, holders))) + "}"
    listed = telemetry.joined(quoted, language) if rng.random() < 0.8 else ", ".join(keys)
    if explained and rng.random() < 0.4:
        named = quoted if rng.random() < 0.5 else keys
        said = [_explained(language, field) for field in fields]
        listed = telemetry.joined([f"{key} ({text})" if text else key for key, text in zip(named, said)], language)
    return FORMATS.say(
        rng, language, "keys", held_out, keys=listed, example=example, first=keys[0]
    )


def _explained(language, field):
    """What a key holds, in a word or two; nothing for texts."""
    if isinstance(field, bool):
        return "true or false" if language == "en" else "true ou false"
    if isinstance(field, Amount) and field.unit:
        return f"{'in' if language == 'en' else 'en'} {field.unit}"
    return ""


def placeholders(rng, fields):
    """What stands in an example for a number, a truth, a list or a text: mostly dots, sometimes what tells its type."""
    style = rng.choices(["dots", "quoted", "typed"], [55, 20, 25])[0]
    number, truth = rng.choice(["0", "number", "..."]), rng.choice(["true/false", "true|false", "bool"])
    text, entries = rng.choice(['""', '"text"', '"..."']), rng.choice(["[]", '["..."]', "[...]"])

    def holder(field):
        if style == "dots":
            return "..."
        if isinstance(field, list):
            return entries if style == "typed" else "[...]"
        if isinstance(field, str):
            return text if style == "typed" else '"..."'
        if style == "quoted":
            return "..."
        return number if isinstance(field, Amount) else truth

    return [holder(field) for field in fields]


def _key(rng, options, taken, any_word=True):
    """A usual name of a field, or, where its place tells what it means, one that only its program understands."""
    while True:
        key = naming.key(rng) if any_word and rng.random() < 0.35 else rng.choice(options)
        if key not in taken:
            return key


def normal(text):
    """A plain answer without what does not matter: spaces, the last full stop."""
    return re.sub(r"\s+", " ", text.replace("\u00a0", " ")).strip().rstrip(".").strip()


def reward(problem, text):
    """Whether `text` is the problem's answer; JSON may be spaced and ordered as it likes."""
    if problem.format == "plain":
        return normal(text) == normal(problem.answer)
    try:
        given = json.loads(text)
    except ValueError:
        return False
    return _same(given, json.loads(problem.answer))


def _same(a, b):
    """Equality of JSON values that tells truth from numbers."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b
