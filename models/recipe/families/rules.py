"""Rules over readings and states: limits, ranges, and/or/not, else, hysteresis, and rules in order
of priority."""

import dataclasses
import re
from fractions import Fraction

import arithmetic
import relations
import telemetry
import wording
import words
from assemble import Answer, build

WEIGHT = 14
FAMILY = "rules"
TEXT = {"cond": str, "do": str}
WORDING = wording.load(
    FAMILY,
    {
        "if": TEXT,
        "if_else": TEXT | {"undo": str},
        "item": TEXT,
        "both": {"a": str, "b": str},
        "either": {"a": str, "b": str},
        "but_not": {"a": str, "b": str},
        "both_or": {"a": str, "b": str, "c": str},
        "and_either": {"a": str, "b": str, "c": str},
        "todo": {"device": words.Noun},
        "check": {"cond": str},
        "is": {"noun": words.Noun, "rel": str},
        "within": {"noun": words.Noun, "low": str, "high": str},
        "hysteresis": {"on": str, "off": str, "do": str, "undo": str},
        "now": {"device": words.Noun, "state": str},
        "which_state": {"device": words.Noun},
        "priority": {"n": str},
        "otherwise": {"undo": str},
    },
)
STATES = {"en": ("on", "off"), "fr": ("en marche", "à l'arrêt")}
# What is switched, by the quantity it acts on, and whether it starts when that is low.
HYSTERESIS = [
    ("temperature", True, "heater heating boiler", "radiateur chauffage chaudière"),
    ("temperature", False, "fan cooler", "ventilateur refroidisseur climatisation"),
    ("humidity", True, "humidifier", "humidificateur"),
    ("humidity", False, "dehumidifier fan", "déshumidificateur ventilation"),
    ("soil", True, "irrigation sprinkler", "arrosage"),
    ("level", True, "pump", "pompe"),
    ("level", False, "pump", "pompe"),
    ("pressure", True, "compressor pump", "compresseur pompe"),
    ("co2", False, "ventilation fan", "ventilation ventilateur"),
    ("battery", True, "charger generator", "charge"),
    ("light", True, "lamp lights", "lampe"),
]
ON_OFF = {
    "en": [
        ("turn {device.the} on", "turn {device.the} off"),
        ("switch {device.the} on", "switch {device.the} off"),
        ("turn on {device.the}", "turn off {device.the}"),
        ("start {device.the}", "stop {device.the}"),
    ],
    "fr": [
        ("allumer {device.the}", "éteindre {device.the}"),
        ("démarrer {device.the}", "arrêter {device.the}"),
        ("lancer {device.the}", "couper {device.the}"),
        ("mettre {device.the} en marche", "mettre {device.the} à l'arrêt"),
    ],
}


@dataclasses.dataclass
class Condition:
    """One condition: how it is worded, what is known about it, the comparison that decides it, and whether it
    holds."""

    text: str
    fact: telemetry.Fact
    comparison: str
    holds: bool
    check: tuple

    @property
    def line(self):
        """The comparison after the name of what is compared, so that the value beside that name is taken."""
        return f"{self.fact.noun} {self.comparison}"


def make(rng, language, held_out):
    kind = rng.choices(
        [_simple, _combined, _check, _within, _hysteresis, _priority], [24, 24, 16, 10, 13, 13]
    )[0]
    return kind(rng, language, held_out)


# Conditions ------------------------------------------------------------


def _quantities(rng, count):
    """Different quantities, none of which could be taken for another."""
    pool = {q.noun["en"].text: q for q in rng.sample(words.QUANTITIES, len(words.QUANTITIES))}
    names = sorted(pool)
    names.remove(rng.choice(["humidity", "soil moisture"]))
    return [pool[name] for name in rng.sample(names, count)]


def _measure(rng, quantity):
    """A value of the quantity and its decimals."""
    decimals = rng.choice(quantity.decimals)
    scale = 10**decimals
    return rng.randint(round(quantity.low * scale), round(quantity.high * scale)), decimals


def _limit_condition(rng, language, held_out, quantity, separator, negate=0.12, keyed=False):
    """The reading of a quantity against a limit; `keyed` ones are called as the data calls them."""
    noun = _key(rng, language, quantity) if keyed else quantity.noun[language]
    value, decimals = _measure(rng, quantity)
    limit, limit_decimals = relations.limit_near(rng, value, decimals)
    relation = rng.choice([">", ">", "<", "<", ">=", "<="])
    negated = rng.random() < negate
    shown = relations.limit_text(rng, limit, limit_decimals, quantity.unit, separator)
    worded = relation in "><" and quantity.most[language] and quantity.least[language] and not keyed
    if worded and not negated and rng.random() < 0.1:
        text = relations.comparative(rng, language, held_out, quantity, relation, shown).text
    else:
        text = relations.clause(rng, language, held_out, noun, relation, shown, negated).text
    line, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    if negated:
        line, holds = _negated(line, holds)
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    if keyed:
        fact = dataclasses.replace(fact, noun=noun, key=str(noun))
    check = ("limit", (value, decimals), relation, (limit, limit_decimals), negated)
    return Condition(text, fact, line, holds, check)


def _key(rng, language, quantity):
    """A name as programs have it: `temp`, `temp_salon`, `hall_humidity`."""
    key, place = rng.choice(quantity.keys[language]), rng.choice(words.PLACES[language]).text
    place = re.split(r"[ ']", place)[-1]
    return words.Noun(rng.choice([key, key, f"{key}_{place}", f"{place}_{key}"]), language, "")


def _negated(line, holds):
    return f"not {line}, {'no' if holds else 'yes'}", not holds


def _state_condition(rng, language, held_out, switch):
    asked, on, negated = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.25
    wanted = switch.words[0 if asked else 1]
    text = relations.state_clause(rng, language, held_out, switch.noun, wanted, negated).text
    fact = telemetry.state(switch, on)
    holds = asked == on
    line = f"{wanted}:{fact.word} {'yes' if holds else 'no'}"
    if negated:
        line, holds = _negated(line, holds)
    return Condition(text, fact, line, holds, ("state", wanted, fact.word, negated))


def _conditions(rng, language, held_out, count, separator, states=True):
    """`count` conditions on different things; at most one of them is a state."""
    keyed = rng.random() < 0.12
    while True:
        conditions = [
            _limit_condition(rng, language, held_out, quantity, separator, keyed=keyed)
            for quantity in _quantities(rng, count)
        ]
        if len({condition.fact.key for condition in conditions}) == count:
            break
    if states and count > 1 and rng.random() < 0.45:
        switch = rng.choice(words.SWITCHES[language])
        place = rng.randrange(count)
        conditions[place] = _state_condition(rng, language, held_out, switch)
    return conditions


def _status(rng, language, conditions, separator, devices=()):
    """What is known now, in any order, with something irrelevant now and then; a single reading may stand without
    the name of its quantity."""
    facts = [condition.fact for condition in conditions]
    if len(facts) == 1 and facts[0].value and rng.random() < 0.35:
        return telemetry.tell_bare(rng, language, facts[0], separator)
    taken = {str(fact.noun) for fact in facts} | {str(device) for device in devices}
    units = {fact.unit for fact in facts}
    for _ in range(rng.choices([0, 1, 2], [6, 3, 1])[0]):
        if rng.random() < 0.7:
            quantity = rng.choice(words.QUANTITIES)
            if str(quantity.noun[language]) in taken or quantity.unit in units:
                continue
            facts.append(telemetry.reading(rng, language, quantity, *_measure(rng, quantity)))
        else:
            switch = rng.choice(words.SWITCHES[language])
            if str(switch.noun) in taken:
                continue
            facts.append(telemetry.state(switch, rng.random() < 0.5))
        taken.add(str(facts[-1].noun))
        units.add(facts[-1].unit)
    if rng.random() < 0.4:
        rng.shuffle(facts)
    return telemetry.tell_facts(rng, language, facts, separator)


def _numbered(conditions):
    if len(conditions) == 1:
        return [conditions[0].line]
    return [f"{i + 1} {condition.line}" for i, condition in enumerate(conditions)]


def _word(truth):
    return "yes" if truth else "no"


# Kinds ------------------------------------------------------------


def _finish(
    rng, language, held_out, kind, rule, question, lines, action, told, separator, facts, command=False
):  # fmt: skip
    """The problem whose answer is an action, or a program's word for it, which is copied as it stands."""
    answer = Answer("{action}" if command else "{action}.", {"action": action}, capital=not command)
    facts = {"kind": kind, "action": action, **facts}
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        lines,
        answer,
        told,
        separator,
        exact=True,
        rule=wording.capital(rule.text),
        phrasings=[rule],
        facts=facts,
    )


def _rule(rng, language, held_out, condition, action):
    """A rule with or without its else: the wording, and what is done when the condition does not
    hold."""
    if rng.random() < 0.65:
        said = WORDING.say(
            rng, language, "if_else", held_out, cond=condition, do=action.do, undo=action.undo
        )
        return said, action.undo
    said = WORDING.say(rng, language, "if", held_out, cond=condition, do=action.do)
    return said, words.NOTHING[language]


def _simple(rng, language, held_out):
    separator = telemetry.separator(rng, language)
    conditions = _conditions(rng, language, held_out, 1, separator)
    return _decide(rng, language, held_out, separator, conditions, conditions[0].text, "1")


def _combined(rng, language, held_out):
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3], [7, 3])[0]
    conditions = _conditions(rng, language, held_out, count, separator)
    texts = dict(zip("abc", (condition.text for condition in conditions)))
    if count == 2:
        ways = {("both", "1&2"): 4, ("either", "1|2"): 4, ("but_not", "1&!2"): 2}
        section, logic = rng.choices(list(ways), ways.values())[0]
    else:
        section, logic = rng.choice([("both_or", "1&2|3"), ("and_either", "1&(2|3)")])
    clause = WORDING.say(rng, language, section, held_out, **texts)
    return _decide(rng, language, held_out, separator, conditions, clause.text, logic)


LOGIC = {
    "1": lambda a: a,
    "1&2": lambda a, b: a and b,
    "1|2": lambda a, b: a or b,
    "1&!2": lambda a, b: a and not b,
    "1&2|3": lambda a, b, c: (a and b) or c,
    "1&(2|3)": lambda a, b, c: a and (b or c),
}


def _combination(logic, holds):
    """`1&2 yes no=no`; for three conditions the pair first: `1&2|3 yes no=no no=no`."""
    said, result = [_word(value) for value in holds], LOGIC[logic](*holds)
    if logic == "1&2|3":
        pair = _word(holds[0] and holds[1])
        return f"{logic} {said[0]} {said[1]}={pair} {said[2]}={_word(result)}", result
    if logic == "1&(2|3)":
        pair = _word(holds[1] or holds[2])
        return f"{logic} {said[1]} {said[2]}={pair} {said[0]}={_word(result)}", result
    return f"{logic} {' '.join(said)}={_word(result)}", result


def _decide(rng, language, held_out, separator, conditions, clause, logic):
    action, command = words.action(rng, language), rng.random() < 0.1
    if command:
        action = _command(rng, action)
    rule, otherwise = _rule(rng, language, held_out, clause, action)
    question = WORDING.say(rng, language, "todo", held_out, device=action.device)
    told = _status(rng, language, conditions, separator, [action.device])
    lines = ["rule", *_numbered(conditions)]
    holds = [condition.holds for condition in conditions]
    result = holds[0]
    if len(conditions) > 1:
        line, result = _combination(logic, holds)
        lines.append(line)
    lines.append("do" if result else "else" if otherwise == action.undo else "nothing")
    facts = {
        "logic": logic,
        "checks": [condition.check for condition in conditions],
        "do": action.do,
        "otherwise": otherwise,
    }
    chosen = action.do if result else otherwise
    command = command and chosen in (action.do, action.undo)
    return _finish(
        rng, language, held_out, "rule", rule, question, lines, chosen, told, separator, facts, command
    )


def _command(rng, action):
    """The action in a program's words: `pump_on`, `OPEN`."""
    do, undo = rng.choice(["on off", "open close", "start stop", "up down", "enable disable", "run hold"]).split()
    stem = re.split(r"[ ']", str(action.device))[0]
    glue = rng.choice(["_", "_", ".", "/", ":", "-"])
    order = rng.choice(["{word}", "{stem}{glue}{word}", "{word}{glue}{stem}"])
    do, undo = (order.format(word=word, stem=stem, glue=glue) for word in (do, undo))
    if rng.random() < 0.5:
        do, undo = do.upper(), undo.upper()
    return words.Action(action.device, do, undo)


def _truth_answer(language, holds):
    said = words.YES_NO[language][0 if holds else 1]
    return Answer(f"{said}.", {"truth": holds})


def _check(rng, language, held_out):
    """Is the reading above the limit? Or do two conditions hold?"""
    separator = telemetry.separator(rng, language)
    count = rng.choices([1, 2], [4, 1])[0]
    logic = "1"
    if count == 1 and rng.random() < 0.5:
        quantity = _quantities(rng, 1)[0]
        conditions, question = _plain_check(rng, language, held_out, quantity, separator)
    else:
        conditions = _conditions(rng, language, held_out, count, separator)
        clause = conditions[0].text
        if count == 2:
            section, logic = rng.choice([("both", "1&2"), ("either", "1|2")])
            a, b = (condition.text for condition in conditions)
            clause = WORDING.say(rng, language, section, held_out, a=a, b=b).text
        question = WORDING.say(rng, language, "check", held_out, cond=clause)
    told = _status(rng, language, conditions, separator)
    lines = ["check", *_numbered(conditions)]
    holds = [condition.holds for condition in conditions]
    result = holds[0]
    if count == 2:
        line, result = _combination(logic, holds)
        lines.append(line)
    facts = {
        "kind": "check",
        "logic": logic,
        "checks": [condition.check for condition in conditions],
    }
    answer = _truth_answer(language, result)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        lines,
        answer,
        told,
        separator,
        facts=facts,
    )


def _plain_check(rng, language, held_out, quantity, separator):
    """`Is the temperature above 28 °C?`, told by a bare relation."""
    value, decimals = _measure(rng, quantity)
    limit, limit_decimals = relations.limit_near(rng, value, decimals)
    relation = rng.choice([">", "<", ">=", "<="])
    text = relations.limit_text(rng, limit, limit_decimals, quantity.unit, separator)
    section = relations.bare(rng, language, held_out, relation, text)
    line, holds = arithmetic.comparison(value, decimals, relation, limit, limit_decimals)
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    check = ("limit", (value, decimals), relation, (limit, limit_decimals), False)
    noun = quantity.noun[language]
    question = WORDING.say(rng, language, "is", held_out, noun=noun, rel=section.text)
    return [Condition(section.text, fact, line, holds, check)], question


def _within(rng, language, held_out):
    """Between two limits, both included."""
    separator = telemetry.separator(rng, language)
    quantity = _quantities(rng, 1)[0]
    value, decimals = _measure(rng, quantity)
    first, first_decimals = relations.limit_near(rng, value, decimals)
    wide = max(2, abs(value) // rng.choice([3, 6, 12]))
    low = first * 10 ** (decimals - first_decimals) if first_decimals <= decimals else first
    low -= rng.choice([0, wide])
    high = low + wide + rng.randint(0, wide)
    if decimals and rng.random() < 0.6:
        low, high = low // 10**decimals, high // 10**decimals + 1
        limit_decimals = 0
    else:
        limit_decimals = decimals
    texts = [
        telemetry.written(arithmetic.text(limit, limit_decimals), separator)
        for limit in (low, high)
    ]
    if rng.random() < 0.6:
        texts[1] += f" {quantity.unit}"
    question = WORDING.say(
        rng,
        language,
        "within",
        held_out,
        noun=quantity.noun[language],
        low=texts[0],
        high=texts[1],
    )
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    told = _status(rng, language, [Condition("", fact, "", True, ())], separator)
    line, holds = arithmetic.comparison(value, decimals, ">=", low, limit_decimals)
    lines = ["within", line]
    if holds:
        line, holds = arithmetic.comparison(value, decimals, "<=", high, limit_decimals)
        lines.append(line)
    number = (value, decimals)
    checks = [
        ("limit", number, ">=", (low, limit_decimals), False),
        ("limit", number, "<=", (high, limit_decimals), False),
    ]
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        lines,
        _truth_answer(language, holds),
        told,
        separator,
        facts={"kind": "check", "logic": "1&2", "checks": checks},
    )


def _hysteresis(rng, language, held_out):
    """On at one limit, off at another, unchanged between; asked for the action or for the state
    after it."""
    separator = telemetry.separator(rng, language)
    id_, starts_low, english, french = rng.choice(HYSTERESIS)
    quantity = rng.choice([q for q in words.QUANTITIES if q.id == id_])
    noun = quantity.noun[language]
    name = rng.choice((english if language == "en" else french).split())
    device = next(a.device for a in words.ACTIONS[language] if a.device.text == name)
    value, decimals = _measure(rng, quantity)
    unit = max(1, abs(value) // 25)
    low = value + rng.choice([-3, -1, -1, 1]) * rng.randint(1, 2 * unit)
    high = max(low, value if low < value else low) + rng.randint(1, 3 * unit)
    scale = 10**decimals
    limit_decimals = decimals
    if decimals and rng.random() < 0.6:
        low, high, limit_decimals = low // scale, high // scale + 1, 0
    low, high = max(1, low), max(2, high)
    on_limit, off_limit = (low, high) if starts_low else (high, low)
    on_relation, off_relation = ("<", ">") if starts_low else (">", "<")

    def clause(relation, limit):
        text = relations.limit_text(rng, limit, limit_decimals, quantity.unit, separator)
        return relations.clause(rng, language, held_out, noun, relation, text).text

    do, undo = (text.format(device=device) for text in rng.choice(ON_OFF[language]))
    rule = WORDING.say(
        rng,
        language,
        "hysteresis",
        held_out,
        on=clause(on_relation, on_limit),
        off=clause(off_relation, off_limit),
        do=do,
        undo=undo,
    )
    was_on = rng.random() < 0.5
    state = STATES[language][0 if was_on else 1]
    now = WORDING.say(rng, language, "now", held_out, device=device, state=state)
    asks_state = rng.random() < 0.5
    section = "which_state" if asks_state else "todo"
    question = WORDING.say(rng, language, section, held_out, device=device)
    question = question.within(f"{now.text} {question.text}")
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    told = _status(rng, language, [Condition("", fact, "", True, ())], separator, [device])
    line, starts = arithmetic.comparison(value, decimals, on_relation, on_limit, limit_decimals)
    lines, after, action = ["hysteresis", line], True, do
    if starts:
        lines.append("on")
    else:
        line, stops = arithmetic.comparison(
            value, decimals, off_relation, off_limit, limit_decimals
        )
        after = False if stops else was_on
        action = undo if stops else words.NO_CHANGE[language]
        lines.append(line)
        lines.append("off" if stops else f"keep {'on' if was_on else 'off'}")
    number = (value, decimals)
    facts = {
        "checks": [
            ("limit", number, on_relation, (on_limit, limit_decimals), False),
            ("limit", number, off_relation, (off_limit, limit_decimals), False),
        ],
        "results": (
            (*STATES[language], state) if asks_state else (do, undo, words.NO_CHANGE[language])
        ),
    }
    result = STATES[language][0 if after else 1] if asks_state else action
    if not asks_state:
        return _finish(
            rng,
            language,
            held_out,
            "hysteresis",
            rule,
            question,
            lines,
            result,
            told,
            separator,
            facts,
        )
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        lines,
        Answer("{state}.", {"state": result}),
        told,
        separator,
        exact=True,
        rule=wording.capital(rule.text),
        phrasings=[rule, now],
        facts={"kind": "hysteresis", "action": result, **facts},
    )


def _priority(rng, language, held_out):
    """Numbered rules of which the first that applies counts."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3], [3, 2])[0]
    conditions = _conditions(rng, language, held_out, count, separator)
    actions = words.actions(rng, language, count + 1)
    head = WORDING.say(rng, language, "priority", held_out, n=str(count))
    items = [
        WORDING.say(rng, language, "item", held_out, cond=condition.text, do=action.do).text
        for condition, action in zip(conditions, actions)
    ]
    last = words.NOTHING[language]
    if rng.random() < 0.6:
        last = actions[-1].undo
        items.append(WORDING.say(rng, language, "otherwise", held_out, undo=last).text)
    mark = rng.choice(["{}. ", "{}) ", "R{}: ", "P{}: "])
    between = rng.choice(["\n", "\n", " "])
    listed = between.join(mark.format(i + 1) + wording.capital(t) for i, t in enumerate(items))
    rule = head.within(head.text + between + listed + between.strip(" "))
    devices = [action.device for action in actions]
    system = words.Noun("system" if language == "en" else "système", language)
    question = WORDING.say(rng, language, "todo", held_out, device=system)
    told = _status(rng, language, conditions, separator, devices)
    lines, chosen = ["first"], last
    for i, (condition, action) in enumerate(zip(conditions, actions)):
        lines.append(f"{i + 1} {condition.line}")
        if condition.holds:
            chosen = action.do
            lines.append(f"do {i + 1}")
            break
    else:
        lines.append("else" if last != words.NOTHING[language] else "nothing")
    facts = {
        "checks": [condition.check for condition in conditions],
        "results": [*(action.do for action in actions[:count]), last],
    }
    return _finish(
        rng, language, held_out, "first", rule, question, lines, chosen, told, separator, facts
    )


# Verification ------------------------------------------------------------


def _holds(check):
    """Decides a condition again, with fractions."""
    if check[0] == "state":
        _, wanted, stands, negated = check
        return (wanted == stands) != negated
    _, (value, decimals), relation, (limit, limit_decimals), negated = check
    a, b = Fraction(value, 10**decimals), Fraction(limit, 10**limit_decimals)
    found = {">": a > b, "<": a < b, ">=": a >= b, "<=": a <= b}[relation]
    return found != negated


def verify(problem):
    """The truth or the action that must be the answer."""
    facts = problem.facts
    holds = [_holds(check) for check in facts["checks"]]
    if facts["kind"] == "check":
        return LOGIC[facts["logic"]](*holds)
    if facts["kind"] == "rule":
        return facts["do"] if LOGIC[facts["logic"]](*holds) else facts["otherwise"]
    return next((r for r, h in zip(facts["results"], holds) if h), facts["results"][-1])
