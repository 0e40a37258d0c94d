"""Questions that cannot be answered because one needed thing is not known: the answer says which.

Most are questions of the other families, in their own wordings, with one fact left out; a few are
the same with nothing missing, or are settled without what is missing.
"""

import dataclasses
import re
from fractions import Fraction

import arithmetic
import assemble
import naming
import relations
import statement
import telemetry
import units
import wording
import words
from assemble import Amount, Answer, build
from families import (
    action,
    aggregates,
    clock,
    compose,
    convert,
    dialogue,
    energy,
    faults,
    flow,
    percent,
    ranking,
    rules,
    states,
    trend,
)
from words import Noun

WEIGHT = 9
FAMILY = "missing"
NOUN = {"noun": Noun}
WORDING = wording.load(
    FAMILY,
    {
        "vague_high": NOUN | {"do": str},
        "vague_low": NOUN | {"do": str},
        "is_high": NOUN,
        "is_low": NOUN,
        **{f"named_{side}": NOUN | {"what": Noun, "do": str, "undo": str} for side in ("high", "low")},
        **{f"named_is_{side}": NOUN | {"what": Noun} for side in ("high", "low")},
        "next_of": {"thing": Noun, "times": str},
        "minutes_left": {"thing": Noun, "time": str},
        "start_only": {"thing": Noun, "time": str},
        "dur_only": {"thing": Noun, "dur": str},
        "inside_now": {"window": Noun},
        "run_no_time": {"power": str},
        "run_no_power": {"hours": str},
        "tank_no_flow": {"volume": str},
        "tank_no_volume": {"flow": str},
        "percent_no_whole": {"part": str},
        "trend_no_rate": NOUN | {"value": str, "limit": str},
        "change_no_before": NOUN | {"now": str},
        "battery_no_load": {"capacity": str},
        "error_no_target": NOUN | {"now": str},
        "which_lacks": {"q": str},
        "what_is": NOUN,
        "how_warm": {"place": Noun},
        "end_ask": {},
    },
)
# What may be missing, besides what the question names itself.
THINGS = {
    name: {"en": words.nouns("en", english)[0], "fr": words.nouns("fr", french)[0]}
    for name, english, french in (
        entry.split(" / ")
        for entry in """limit / limit / f limite
            duration / duration / f durée
            start / start time / f heure de début
            now / current time / f heure actuelle
            schedule / schedule / m horaire
            price / price / m prix
            meter / p meter readings / p m relevés du compteur
            days / number of days / m nombre de jours
            readings / p readings / p f mesures
            rate / rate of change / f vitesse de variation
            before / earlier reading / f mesure précédente
            target / set point / f consigne
            whole / tank capacity / f capacité de la cuve
            inflow / inflow / m débit d'entrée
            outflow / outflow / m débit de sortie
            load / load / f consommation
            power / power / f puissance
            time / running time / f durée de marche
            energy / energy used / f énergie consommée""".splitlines()
        if entry.strip()
        for entry in [entry.strip()]
    )
}
# What a limit may be called that a rule names and does not tell.
LIMITS = {
    "en": words.nouns("en", "set point|set point|threshold|limit|target|alarm limit|upper limit|reference value"),
    "fr": words.nouns(
        "fr", "f consigne|f consigne|m seuil|f limite|f cible|m seuil d'alarme|f valeur de consigne|f valeur limite"
    ),
}
# What stands where the state of a thing is not known; `unavailable` and the like are states to other families.
BLANKS = ["null", "n/a", "--", "?", "-", "NaN"]
# Layouts of a status in which a key may stand without its value.
KEYED = ("list", "lines", "pairs", "table", "topics", "json")
VALUE, TRUTHS, ACTIONS = (assemble.KEYS[name] for name in ("value", "truth", "action"))


def make(rng, language, held_out):
    kind = rng.choices(
        [
            _rule,
            _vague,
            _place,
            _two,
            _state,
            _other,
            _none,
            _known,
            _clock,
            _meter,
            _tank,
            _series,
            _goal,
            _quantity,
            _run,
        ],
        [30, 9, 15, 6, 6, 6, 3, 30, 12, 7, 8, 7, 5, 10, 8],
    )[0]
    return kind(rng, language, held_out)


says, _reading_of = dialogue.says, dialogue.reading_of


def _built(
    rng,
    language,
    held_out,
    question,
    kind,
    what,
    told,
    separator="",
    keys="value",
    lines=(),
    phrasings=(),
    **rest,
):
    """A problem whose answer says that `what` is missing. `lines` come before the one that looks
    for it in vain; `keys` is what JSON calls the answer that cannot be given."""
    text = says(language, what)
    keys = VALUE[language] if keys == "value" else keys
    if rng.random() < 0.1:
        # Not only asked in vain, but also what it would take.
        phrasings = (*phrasings, question)
        question = WORDING.say(rng, language, "which_lacks", held_out, q=question.text)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [kind, *lines, f"{what} ?"],
        Answer("{text}", {"text": text}, {"text": keys}),
        told,
        separator,
        exact=True,
        facts={"text": text},
        phrasings=phrasings,
        **rest,
    )


def _with_gap(rng, language, facts, lost, separator):
    """A status in which `lost` has its key, and a mark or nothing in the place of its value."""
    gap = dataclasses.replace(lost, value=faults.GAP) if lost.value else dataclasses.replace(lost, word=faults.GAP)
    facts = [*facts, gap]
    rng.shuffle(facts)
    told = telemetry.tell_facts(rng, language, facts, separator)
    while told.layout not in KEYED:
        told = telemetry.tell_facts(rng, language, facts, separator)
    text = told.text
    if lost.unit:
        text = re.sub(rf"{faults.GAP} ?{re.escape(lost.unit)}", faults.GAP, text)
    if told.layout == "json":
        words_ = ['"unavailable"', '"unknown"'] if lost.value else []
        mark = rng.choice(["null", "null", '""', '"n/a"', '"--"', '"NaN"', *words_])
    elif told.layout in ("pairs", "topics", "table", "lines") and not text.endswith(faults.GAP) and rng.random() < 0.15:
        mark = ""
    else:
        mark = rng.choice([mark for mark in faults.MARKS[language] if " " not in mark] if lost.value else BLANKS)
    told.text = text.replace(f'"{faults.GAP}"', mark).replace(faults.GAP, mark)
    return told


def _short(rng, readings, separator, distract=0.0):
    """Readings told without the last of them, or with a mark in the place of its value."""
    if rng.random() < 0.35:
        tell = rng.choice([faults.tell_marked, faults.tell_gaps])
        told = tell(rng, readings, [len(readings.values) - 1], separator)[0]
        shown = [point for point in ".," if readings.decimals and re.search(rf"\d\{point}\d", told.text)]
        told.separator = shown[0] if shown else ""
        return told
    short = dataclasses.replace(readings, names=readings.names[:-1], values=readings.values[:-1])
    return telemetry.tell(rng, short, separator, distract=rng.random() < distract)


def _alike(rng, language, readings):
    """Now and then the names are codes that differ in a letter."""
    if rng.random() < 0.2:
        readings.names = [Noun(code, language, "") for code in naming.codes(rng, language, len(readings.names))]


# Rules ------------------------------------------------------------


def _facts(rng, language, known, avoid):
    """A status of what is known and of other things, never of what is missing."""
    facts = list(known)
    taken = {str(fact.noun) for fact in facts} | {str(noun) for noun in avoid}
    barred = {
        key
        for quantity in words.QUANTITIES
        if quantity.noun[language] in avoid
        for key in quantity.keys[language]
    }
    wanted = len(facts) + rng.choice([0, 1, 1, 2, 3]) if facts else rng.choice([1, 2, 2, 3, 4])
    while len(facts) < wanted:
        if rng.random() < 0.75:
            quantity = rng.choice(words.QUANTITIES)
            fact = telemetry.reading(rng, language, quantity, *rules.measure(rng, quantity))
        else:
            fact = telemetry.state(rng.choice(words.SWITCHES[language]), rng.random() < 0.5)
        keys = barred | {f.key for f in facts}
        if str(fact.noun) not in taken and fact.key not in keys:
            facts.append(fact)
            taken.add(str(fact.noun))
    rng.shuffle(facts)
    return facts


def _lacks(fact, language):
    """What is missing with a fact: the reading, or the state of a thing."""
    if fact.value:
        return fact.noun
    if language == "en":
        return Noun(f"state {fact.noun.of_the}", language)
    return Noun(f"état {fact.noun.of_the}", language, "m")


def _rule(rng, language, held_out):
    """A rule or a check, one of whose readings or states is not told. With two conditions the other
    one may settle it all the same."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([1, 2], [3, 2])[0]
    logic = "1" if count == 1 else rng.choice(["1&2", "1|2"])
    settled = count == 2 and rng.random() < 0.25
    for _ in range(200):
        if count == 1 and rng.random() < 0.25:
            switch = rng.choice(words.SWITCHES[language])
            conditions = [rules.state_condition(rng, language, held_out, switch)]
        else:
            conditions = rules.draw_conditions(rng, language, held_out, count, separator)
        out = rng.randrange(count)
        if count == 1 or (conditions[1 - out].holds == (logic == "1|2")) == settled:
            break
    else:
        return _rule(rng, language, held_out)
    clause = conditions[0].text
    if count == 2:
        a, b = (condition.text for condition in conditions)
        section = "both" if logic == "1&2" else "either"
        clause = rules.WORDING.say(rng, language, section, held_out, a=a, b=b).text
    lost = conditions[out].fact
    check = rng.random() < 0.3
    rule, phrasings, device = "", [], None
    if check:
        question = rules.WORDING.say(rng, language, "check", held_out, cond=clause)
    else:
        chosen = words.action(rng, language)
        device = chosen.device
        said, otherwise = rules.say_rule(rng, language, held_out, clause, chosen)
        rule, phrasings = wording.capital(said.text), [said]
        question = rules.WORDING.say(rng, language, "todo", held_out, device=device)
    known = [condition.fact for i, condition in enumerate(conditions) if i != out]
    facts = _facts(rng, language, known, [lost.noun, device])
    if rng.random() < 0.25:
        told = _with_gap(rng, language, facts, lost, separator)
    else:
        told = telemetry.tell_facts(rng, language, facts, separator)
    what = _lacks(lost, language)
    keys = (TRUTHS if check else ACTIONS)[language]
    kind = "check" if check else "rule"
    if count == 1:
        return _built(
            rng, language, held_out, question, kind, what, told, separator, keys,
            rule=rule, phrasings=phrasings,
        )  # fmt: skip
    lines = [
        f"{i + 1} {f'{what} ?' if i == out else condition.line}"
        for i, condition in enumerate(conditions)
    ]
    states = ["?" if i == out else rules.yes_or_no(c.holds) for i, c in enumerate(conditions)]
    result = logic == "1|2"
    lines.append(f"{logic} {' '.join(states)}={rules.yes_or_no(result) if settled else '?'}")
    if not settled:
        text = says(language, what)
        answer, facts = Answer("{text}", {"text": text}, {"text": keys}), {"text": text}
    elif check:
        answer, facts = rules.truth_answer(language, result), {"text": result}
    else:
        nothing = otherwise == words.NOTHING[language]
        lines.append("do" if result else "nothing" if nothing else "else")
        outcome = chosen.do if result else otherwise
        answer, facts = Answer("{action}.", {"action": outcome}), {"text": outcome}
    if settled:
        other = conditions[1 - out]
        facts["settles"] = (other.check, logic == "1|2")
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [kind, *lines],
        answer,
        told,
        separator,
        exact=True,
        rule=rule,
        phrasings=phrasings,
        facts=facts,
    )


def _vague(rng, language, held_out):
    """A rule or a check with a limit that is not in it: it may be among the data, or nowhere."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice(words.QUANTITIES)
    named = rng.random() < 0.5
    noun, what = quantity.noun[language], rng.choice(LIMITS[language]) if named else THINGS["limit"][language]
    value, decimals = rules.measure(rng, quantity)
    facts = [telemetry.reading(rng, language, quantity, value, decimals)]
    side = rng.choice(["high", "low"])
    relation = {"high": ">", "low": "<"}[side]
    present, check = rng.random() < 0.45, rng.random() < 0.4
    while True:
        limit = relations.limit_near(rng, value, decimals)
        if Fraction(limit[0], 10 ** limit[1]) != Fraction(value, 10**decimals):
            break
    if present:
        number = arithmetic.text(*limit)
        key = str(what).replace(" ", "_").replace("'", "_")
        facts.append(telemetry.Fact(what, key, number, quantity.unit))
    line, holds = arithmetic.comparison(value, decimals, relation, *limit)
    avoid, rule, phrasings, outcome = [what], "", [], None
    otherwise = words.NOTHING[language]
    slots = {"noun": noun, "what": what} if named else {"noun": noun}
    if check:
        question = WORDING.say(rng, language, f"{'named_is' if named else 'is'}_{side}", held_out, **slots)
    else:
        chosen = words.action(rng, language)
        slots |= {"do": chosen.do} | ({"undo": chosen.undo} if named else {})
        said = WORDING.say(rng, language, f"{'named' if named else 'vague'}_{side}", held_out, **slots)
        otherwise = chosen.undo if "undo" in said.slots else otherwise
        rule, phrasings = wording.capital(said.text), [said]
        question = rules.WORDING.say(rng, language, "todo", held_out, device=chosen.device)
        avoid.append(chosen.device)
        outcome = chosen.do if holds else otherwise
    told = telemetry.tell_facts(rng, language, _facts(rng, language, facts, avoid), separator)
    kind = "check" if check else "rule"
    rest = {"rule": rule, "phrasings": phrasings}
    if not present:
        keys = (TRUTHS if check else ACTIONS)[language]
        return _built(
            rng, language, held_out, question, kind, what, told, separator, keys,
            lines=[facts[0].value], **rest,
        )  # fmt: skip
    undone = "nothing" if otherwise == words.NOTHING[language] else "else"
    lines = [line] if check else [line, "do" if holds else undone]
    answer = (
        rules.truth_answer(language, holds) if check else Answer("{action}.", {"action": outcome})
    )
    numbers = ("limit", (value, decimals), relation, limit, False)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [kind, *lines],
        answer,
        told,
        separator,
        exact=True,
        facts={"settles": (numbers, holds), "text": holds if check else outcome},
        **rest,
    )


def _goal(rng, language, held_out):
    """A target without the reading, or a set-point error without the set point."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.id in action.EFFECTS])
    noun = quantity.noun[language]
    value, decimals = rules.measure(rng, quantity)
    said = f"{telemetry.written(arithmetic.text(value, decimals), separator)} {quantity.unit}"
    if rng.random() < 0.5:
        question = WORDING.say(rng, language, "error_no_target", held_out, noun=noun, now=said)
        what = THINGS["target"][language]
        return _built(rng, language, held_out, question, "absolute", what, None, separator)
    _, options = action.options_for(rng, language, quantity.id, rng.randrange(2))
    goal = action.WORDING.say(rng, language, "target", held_out, noun=noun, target=said)
    choices, listed = action.choices_of(rng, language, held_out, options)
    question = action.WORDING.say(rng, language, "ask", held_out)
    told = telemetry.tell_facts(rng, language, _facts(rng, language, [], [noun]), separator)
    told.block = told.block or "\n" in listed
    return _built(
        rng,
        language,
        held_out,
        question.within(f"{goal.text} {question.text}"),
        "goal",
        noun,
        told,
        separator,
        ACTIONS[language],
        rule=listed,
        phrasings=[goal, choices],
    )


# Readings ------------------------------------------------------------


def _place(rng, language, held_out):
    """The value of a place that is not told; with nothing missing it is fetched, or converted by
    another family."""
    separator = telemetry.separator(rng, language)
    pick = rng.random() < 0.25
    count = rng.choices([1, 2, 3, 4, 5], [1, 3, 4, 3, 2])[0]
    among = (lambda q: q.unit in convert.CONVERTIBLE) if pick else None
    readings = telemetry.draw(rng, language, count + 1, held_out, among=among)
    present = not pick and rng.random() < 0.45
    found = rng.randrange(count)
    _alike(rng, language, readings)
    lost = readings.names[-1]
    told = _short(rng, readings, separator, 0.25)
    place = readings.names[found] if present else lost
    if pick:
        usual = [p for p in convert.PAIRS if p.source == readings.unit and p.weight > 2]
        pair = rng.choice(usual)
        to = convert.spelled_target(rng, language, pair)
        question = convert.WORDING.say(
            rng, language, "pick", held_out, place=place, noun=readings.noun, to=to
        )
        kind = pair.task
    elif readings.quantity.id == "temperature" and rng.random() < 0.5:
        question, kind = WORDING.say(rng, language, "how_warm", held_out, place=place), "value"
    else:
        question = dialogue.WORDING.say(
            rng, language, "value", held_out, place=place, noun=readings.noun
        )
        kind = "value"
    if present:
        amount = Amount(readings.values[found], readings.decimals, readings.unit)
        return build(
            rng,
            FAMILY,
            language,
            held_out,
            question,
            [kind, f"{told.names[found]} {readings.value(found)}"],
            Answer("{value}", {"value": amount}),
            told,
            separator,
            exact=True,
            facts={"number": readings.value(found)},
        )
    text = says(language, _reading_of(language, lost))
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [kind, f"{lost} ?"],
        Answer("{text}", {"text": text}, {"text": VALUE[language]}),
        told,
        separator,
        exact=True,
        facts={"text": text},
    )


def _quantity(rng, language, held_out):
    """One of several quantities, which is told, has no value or is not there."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice(words.QUANTITIES)
    asked = telemetry.reading(rng, language, quantity, *rules.measure(rng, quantity))
    facts, taken, wanted = [asked], set(quantity.keys[language]), rng.choice([3, 4, 4, 5, 6])
    present = rng.random() < 0.45
    while len(facts) < wanted:
        quantity = rng.choice(words.QUANTITIES)
        fact = telemetry.reading(rng, language, quantity, *rules.measure(rng, quantity))
        if not present and str(asked.noun) in str(fact.noun):
            continue  # Any temperature might do where the temperature is asked for.
        if fact.key not in taken and all(fact.noun != f.noun and fact.unit != f.unit for f in facts):
            facts.append(fact)
            taken.add(fact.key)
    question = WORDING.say(rng, language, "what_is", held_out, noun=asked.noun)
    if present:
        rng.shuffle(facts)
        if rng.random() < 0.4:
            other = rng.choice([fact for fact in facts if fact is not asked])
            told = _with_gap(rng, language, [fact for fact in facts if fact is not other], other, separator)
        else:
            told = telemetry.tell_facts(rng, language, facts, separator)
        decimals = len(asked.value.partition(".")[2])
        amount = Amount(round(Fraction(asked.value) * 10**decimals), decimals, asked.unit)
        return build(
            rng, FAMILY, language, held_out, question, ["value", f"{asked.noun} {asked.value}"],
            Answer("{value}", {"value": amount}), told, separator, exact=True, facts={"number": asked.value},
        )  # fmt: skip
    others = facts[1:]
    if rng.random() < 0.4:
        told = _with_gap(rng, language, others, asked, separator)
    else:
        told = telemetry.tell_facts(rng, language, others, separator)
    return _built(rng, language, held_out, question, "value", asked.noun, told, separator)


def _two(rng, language, held_out):
    """Two places to be compared, one of which is not told."""
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(rng, language, rng.choice([2, 3, 4, 5]), held_out)
    _alike(rng, language, readings)
    lost = readings.names[-1]
    told = _short(rng, readings, separator)
    i = rng.randrange(len(readings.names) - 1)
    same = told.names[i] == str(readings.names[i])
    names = [readings.names[i] if same else Noun(told.names[i], language, ""), lost]
    lines = [f"{told.names[i]} {readings.value(i)}"]
    if rng.random() < 0.5:
        names.reverse()
        lines = []
    section = rng.choice(["higher", "lower", "by_how_much"])
    question = ranking.WORDING.say(
        rng, language, section, held_out, noun=readings.noun, a=names[0], b=names[1]
    )
    gap = section == "by_how_much"
    keys = ranking.KEYS["difference"][language] if gap else TRUTHS[language]
    text = says(language, _reading_of(language, lost))
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        ["gap" if gap else "versus", *lines, f"{lost} ?"],
        Answer("{text}", {"text": text}, {"text": keys}),
        told,
        separator,
        exact=True,
        facts={"text": text},
    )


def _state(rng, language, held_out):
    """The state of a thing that is not told."""
    devices = naming.devices(rng, language, held_out)
    numbers = rng.sample(range(1, 20), rng.choice([2, 3, 4, 5, 6]))
    names = [Noun(f"{devices.one} {number}", language, "") for number in numbers]
    lost, found = names[-1], [rng.choice(devices.states) for _ in names]
    if rng.random() < 0.3:
        found[-1], layouts = rng.choice(BLANKS), faults.FLAT
    else:
        names, found, layouts = names[:-1], found[:-1], None
    key = "state" if language == "en" else "etat"
    told = telemetry.tell_words(rng, language, names, found, key, layouts=layouts)
    english = language == "en"
    what = Noun(f"{'state' if english else 'état'} {lost.of_the}", language, "m")
    asked = rng.choice(devices.states)
    if rng.random() < 0.5:
        question = states.WORDING.say(rng, language, "state_of", held_out, name=lost)
        keys, kind = assemble.KEYS["state"][language], "state"
    else:
        question = states.WORDING.say(rng, language, "is_it", held_out, name=lost, state=asked)
        keys, kind = TRUTHS[language], f"is {asked}"
    text = says(language, what)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [kind, f"{lost} ?"],
        Answer("{text}", {"text": text}, {"text": keys}),
        told,
        exact=True,
        facts={"text": text},
    )


def _named(rng, language, held_out, noun, kinds):
    """A question for an aggregate that names the quantity, and neither a number of readings nor a
    unit."""
    for _ in range(1000):
        kind = rng.choice(kinds)
        question = aggregates.WORDING.say(rng, language, kind, held_out, noun=noun, unit="", n="")
        if question.slots == {"noun"}:
            return kind, question
    raise ValueError(f"no wording of {', '.join(kinds)} names the quantity")


def _other(rng, language, held_out):
    """Readings of one quantity, and a question about another."""
    separator = telemetry.separator(rng, language)
    while True:
        readings = telemetry.draw(rng, language, rng.randint(2, 4), held_out)
        told = telemetry.tell(rng, readings, separator)
        other = rng.choice(words.QUANTITIES)
        stated = readings.unit in told.text or str(readings.noun) in told.text.lower()
        if other.noun != readings.quantity.noun and other.unit != readings.unit and stated:
            break
    noun = other.noun[language]
    kinds = ("mean", "max", "min")
    kind, question = _named(rng, language, held_out, noun, kinds)
    keys = aggregates.KEYS[kind][language]
    return _built(rng, language, held_out, question, kind, noun, told, separator, keys)


def _none(rng, language, held_out):
    """A question about readings that are not there at all."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice(words.QUANTITIES)
    noun = quantity.noun[language]
    kinds = ("mean", "max", "min", "range", "median")
    kind, question = _named(rng, language, held_out, noun, kinds)
    keys = aggregates.KEYS[kind][language]
    what = THINGS["readings"][language]
    return _built(rng, language, held_out, question, kind, what, None, separator, keys)


def _series(rng, language, held_out):
    """A trend without its rate, a change without what was before, a share without its whole."""
    separator = telemetry.separator(rng, language)
    chance = rng.random()
    if chance < 0.3:
        part = units.said(rng, language, rng.randint(10, 900), 0, "L", separator)
        question = WORDING.say(rng, language, "percent_no_whole", held_out, part=part)
        what = THINGS["whole"][language]
        return _built(rng, language, held_out, question, "share", what, None, separator)
    quantity = rng.choice([q for q in words.QUANTITIES if q.low >= 0])
    noun = quantity.noun[language]
    value, decimals = rules.measure(rng, quantity)

    def said(number, number_decimals):
        text = telemetry.written(arithmetic.text(number, number_decimals), separator)
        return f"{text} {quantity.unit}"

    if chance < 0.65:
        question = WORDING.say(
            rng, language, "change_no_before", held_out, noun=noun, now=said(value, decimals)
        )
        what = THINGS["before"][language]
        return _built(rng, language, held_out, question, "change", what, None, separator)
    while True:
        limit = relations.limit_near(rng, value, decimals, 0.3)
        if Fraction(limit[0], 10 ** limit[1]) != Fraction(value, 10**decimals):
            break
    what = THINGS["rate"][language]
    if rng.random() < 0.35:
        named = Noun(units.word(rng.choice(["min", "h"]), language), language, "m", True)
        question = trend.WORDING.say(
            rng, language, "reach_ask", held_out, noun=noun, limit=said(*limit), unit=named
        )
        known = [telemetry.reading(rng, language, quantity, value, decimals)]
        facts = _facts(rng, language, known, [])
        told = telemetry.tell_facts(rng, language, facts, separator)
        return _built(rng, language, held_out, question, "when", what, told, separator)
    question = WORDING.say(
        rng,
        language,
        "trend_no_rate",
        held_out,
        noun=noun,
        value=said(value, decimals),
        limit=said(*limit),
    )
    return _built(rng, language, held_out, question, "when", what, None, separator)


# Energy, tanks and the clock ------------------------------------------------------------


# Family, its section that asks, the kind of its thought, the unit it asks for, what is told, and
# what of it may lack.
KNOWN = [
    (flow, "fill_ask", "fill", "min", ("volume", "inflow"), ("volume", "inflow")),
    (flow, "empty_ask", "drain", "min", ("now", "outflow"), ("now", "outflow")),
    (flow, "full_ask", "left", "min", ("volume", "now", "inflow"), ("volume", "inflow")),
    (flow, "battery_ask", "battery", "h", ("capacity", "load"), ("capacity", "load")),
    (flow, "charge_ask", "charge", "h", ("capacity", "soc", "charger"), ("capacity", "charger")),
    (energy, "use_ask", "kWh", "kWh", ("power", "time"), ("power", "time")),
    (energy, "use_ask", "kWh", "kWh", ("power", "time"), ("power", "time")),
    (energy, "meter_ask", "meter", "kWh", ("before", "after"), ("before", "after")),
    (percent, "level_ask", "share", "%", ("content", "capacity"), ("content", "capacity")),
    (percent, "litres_ask", "of", "L", ("level", "capacity"), ("level", "capacity")),
    (energy, "cost_ask", "cost", "€", ("energy", "price"), ("energy", "price", "price")),
    (energy, "cost_ask", "bill", "€", ("power", "time", "price"), ("power", "time", "price")),
]
AMOUNTS = {
    "volume": lambda rng: (units.easy(rng, 40, 900), 0, "L"),
    "now": lambda rng: (units.easy(rng, 20, 900), 0, "L"),
    "inflow": lambda rng: (units.easy(rng, 2, 60), 0, "L/min"),
    "outflow": lambda rng: (units.easy(rng, 2, 60), 0, "L/min"),
    "soc": lambda rng: (rng.randint(5, 95), 0, "%"),
    "load": lambda rng: (units.easy(rng, 20, 200), 0, "W"),
    "charger": lambda rng: (units.easy(rng, 20, 200), 0, "W"),
    "power": lambda rng: (units.easy(rng, 100, 3000), 0, "W"),
    "time": lambda rng: (rng.randint(2, 24), 0, "h"),
    "before": lambda rng: (rng.randint(100, 9999), 0, "kWh"),
    "after": lambda rng: (rng.randint(100, 9999), 0, "kWh"),
    "content": lambda rng: (units.easy(rng, 20, 900), 0, "L"),
    "level": lambda rng: (rng.randint(5, 95), 0, "%"),
    "energy": lambda rng: (rng.randint(3, 400), 0, "kWh"),
    "price": lambda rng: (rng.choice([15, 18, 20, 22, 24, 25, 28, 30, 32, 35, 40]), 2, "€/kWh"),
}


def _label(rng, family, language, name):
    """An amount as its family's telemetry tells it."""
    if name == "capacity":
        amount = (units.easy(rng, 100, 900), 0, "L" if family is percent else "Wh")
    else:
        amount = AMOUNTS[name](rng)
    return family.AMOUNTS.fact(rng, language, name, amount)


def _known(rng, language, held_out):
    """Telemetry of a tank, a battery, a device or a controller without one of its amounts, asked
    about in the words of its family."""
    separator = telemetry.separator(rng, language)
    if rng.random() < 0.12:
        return _set_point(rng, language, held_out, separator)
    family, ask, kind, unit, names, needed = rng.choice(KNOWN)
    lost = rng.choice(needed)
    facts = [_label(rng, family, language, name) for name in names if name != lost]
    what = THINGS[lost][language] if lost == "price" else family.AMOUNTS.noun(language, lost)
    for _ in range(rng.choice([0, 1, 1, 2])):
        other = statement.stray(rng, language, ("voltage", "level", "battery"))
        if all(other.noun != f.noun and other.unit != f.unit for f in facts):
            facts.append(other)
    rng.shuffle(facts)
    if rng.random() < 0.35:
        gap = dataclasses.replace(_label(rng, family, language, lost), noun=what)
        told = _with_gap(rng, language, facts, gap, separator)
    else:
        told = telemetry.tell_facts(rng, language, facts, separator)
    things = flow.BATTERIES if unit == "h" else flow.VESSELS
    slots = {
        "thing": rng.choice(things[language]),
        "device": rng.choice(energy.DEVICES[language]),
        "unit": Noun(units.word(unit, language), language, "m", True),
        "money": "euros",
    }
    asked = {slot: slots[slot] for slot in family.WORDING.slots[ask]}
    question = family.WORDING.say(rng, language, ask, held_out, **asked)
    return _built(rng, language, held_out, question, kind, what, told, separator)


def _set_point(rng, language, held_out, separator):
    """A deviation of which the set point is not told."""
    kind = rng.choice(["absolute", "signed"])
    quantity = rng.choice([q for q in words.QUANTITIES if q.low >= 0])
    noun = quantity.noun[language]
    value, decimals = rules.measure(rng, quantity)
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    what = THINGS["target"][language]
    question = percent.WORDING.say(rng, language, f"{kind}_ask", held_out, noun=noun)
    facts = _facts(rng, language, [fact], [noun, what])
    told = telemetry.tell_facts(rng, language, facts, separator)
    return _built(rng, language, held_out, question, kind, what, told, separator)


def _tank(rng, language, held_out):
    """The same in sentences."""
    separator = telemetry.separator(rng, language)

    def said(value, decimals, unit):
        return units.said(rng, language, value, decimals, unit, separator)

    kind, section, slots, what = rng.choice(
        [
            ("kWh", "run_no_time", {"power": said(*energy.draw_power(rng))}, "time"),
            ("kWh", "run_no_power", {"hours": said(rng.randint(2, 12), 0, "h")}, "power"),
            ("fill", "tank_no_flow", {"volume": said(rng.randint(4, 90) * 10, 0, "L")}, "inflow"),
            ("fill", "tank_no_volume", {"flow": said(rng.randint(2, 60), 0, "L/min")}, "whole"),
            (
                "battery",
                "battery_no_load",
                {"capacity": said(rng.randint(10, 900), 0, "Wh")},
                "load",
            ),
        ]
    )
    question = WORDING.say(rng, language, section, held_out, **slots)
    return _built(rng, language, held_out, question, kind, THINGS[what][language], None, separator)


def _meter(rng, language, held_out):
    """A cost without the price or the energy, a daily use without the days."""
    separator = telemetry.separator(rng, language)
    before = rng.randint(100, rng.choice([999, 5000, 9999]))
    meter = compose.WORDING.say(
        rng,
        language,
        "meter",
        held_out,
        before=str(before),
        now=f"{before + rng.randint(5, 400)} kWh",
    )
    chance = rng.random()
    if chance < 0.3:
        given, lost, kind = meter, "price", "meter cost"
        asks = (compose.WORDING, "meter_cost", {})
    elif chance < 0.5:
        amount = units.said(rng, language, rng.randint(3, 400), 0, "kWh", separator, 0.9)
        given = energy.WORDING.say(rng, language, "cost_given", held_out, energy=amount)
        lost, kind, asks = "price", "cost", (compose.WORDING, "meter_cost", {})
    elif chance < 0.75:
        price = energy.draw_price(rng, language, separator)
        given = energy.WORDING.say(rng, language, "price_given", held_out, price=price.text)
        lost, kind, asks = "energy", "cost", (compose.WORDING, "meter_cost", {})
    else:
        given, lost, kind = meter, "days", "meter per day"
        asks = (compose.WORDING, "per_day", {})
    loaded, section, slots = asks
    question = loaded.say(rng, language, section, held_out, **slots)
    told = compose.as_data(wording.capital(given.text))
    return _built(
        rng, language, held_out, question, kind, THINGS[lost][language], told, separator,
        phrasings=[given],
    )  # fmt: skip


def _clock(rng, language, held_out):
    """A time without its duration, a duration without its start, a window or a schedule that is not
    told, or not the time now."""
    style = clock.draw_style(rng, language)
    thing = rng.choice((words.RUNS_HELD_OUT if held_out else words.RUNS)[language])
    windows = words.WINDOWS_HELD_OUT if held_out else words.WINDOWS
    window = rng.choice(windows[language])
    time = clock.draw_time(rng)
    kinds = ["start", "dur", "window", "now", "next", "may", "next_of", "left"]
    kind = rng.choices(kinds, [4, 4, 4, 3, 2, 2, 3, 3])[0]
    if kind in ("next_of", "left"):
        return _no_time_now(rng, language, held_out, kind, style, thing)
    if kind == "start":
        question = WORDING.say(
            rng, language, "start_only", held_out, thing=thing, time=style.write(time)
        )
        what, keys = THINGS["duration"][language], ["answer", "time"]
        return _built(
            rng, language, held_out, question, "clock add", what, None, keys=keys,
            lines=style.fetch(time),
        )  # fmt: skip
    if kind == "dur":
        text, _, _ = clock.duration(rng, language, 300)
        question = WORDING.say(rng, language, "dur_only", held_out, thing=thing, dur=text)
        what, keys = THINGS["start"][language], ["answer", "time"]
        return _built(rng, language, held_out, question, "clock add", what, None, keys=keys)
    if kind == "now":
        start, end = clock.draw_window(rng)
        said = clock.WORDING.say(
            rng,
            language,
            "window",
            held_out,
            window=window,
            start=style.write(start),
            end=style.write(end),
        )
        question = WORDING.say(rng, language, "inside_now", held_out, window=window)
        return _built(
            rng, language, held_out, question, "clock in", THINGS["now"][language],
            compose.as_data(said.text), keys=TRUTHS[language], phrasings=[said],
        )  # fmt: skip
    if kind == "next":
        question = clock.WORDING.say(
            rng, language, "next", held_out, thing=thing, time=style.write(time)
        )
        what, keys = THINGS["schedule"][language], ["answer", "time"]
        return _built(rng, language, held_out, question, "clock next", what, None, keys=keys)
    if kind == "may":
        question = clock.WORDING.say(
            rng, language, "may", held_out, thing=thing, time=style.write(time)
        )
        what, keys = THINGS["schedule"][language], TRUTHS[language]
        return _built(rng, language, held_out, question, "clock not in", what, None, keys=keys)
    for _ in range(1000):
        question = clock.WORDING.say(
            rng, language, "inside", held_out, window=window, time=style.write(time)
        )
        if "window" in question.slots:
            break
    return _built(
        rng, language, held_out, question, "clock in", window, None, keys=TRUTHS[language],
    )  # fmt: skip


def _run(rng, language, held_out):
    """When something ends, its start and its duration told as data, one of them missing or neither."""
    style, start = clock.draw_style(rng, language), clock.draw_time(rng)
    text, minutes, steps = clock.duration(rng, language, 300)
    text = re.sub(r"^(\d+) (min|h)$", r"\1\2", text) if rng.random() < 0.5 else text
    facts = {
        name: telemetry.Fact(THINGS[name][language], key[language], word=word)
        for name, key, word in (
            ("start", {"en": "start", "fr": "debut"}, style.write(start)),
            ("duration", {"en": "duration", "fr": "duree"}, text),
        )
    }
    lost = rng.choices(["start", "duration", ""], [3, 4, 3])[0]
    known = [fact for name, fact in facts.items() if name != lost]
    if rng.random() < 0.4:
        known.insert(rng.randrange(len(known) + 1), statement.stray(rng, language))
    gap = bool(lost) and rng.random() < 0.5

    def tell():
        if gap:
            return _with_gap(rng, language, known, facts[lost], telemetry.DEFAULT_SEPARATOR[language])
        return telemetry.tell_facts(rng, language, known, telemetry.DEFAULT_SEPARATOR[language])

    told = tell()
    # Pairs write underscores into a duration of several words.
    while told.layout == "pairs" and any(" " in fact.word for fact in known):
        told = tell()
    question = WORDING.say(rng, language, "end_ask", held_out)
    if lost:
        lines = style.fetch(start) if lost == "duration" else []
        what, keys = THINGS[lost][language], assemble.KEYS["time"][language]
        return _built(rng, language, held_out, question, "clock add", what, told, keys=keys, lines=lines)
    line, end = arithmetic.clock_addition(start, minutes)
    thought = ["clock add", *style.fetch(start), *steps, line, *style.back(end % clock.DAY)]
    return build(
        rng, FAMILY, language, held_out, question, thought, style.time(end % clock.DAY), told, exact=True,
        facts={"time": start + minutes, "style": style},
    )  # fmt: skip


def _no_time_now(rng, language, held_out, kind, style, thing):
    """The next of several times, or how long it is until one, and not what time it is."""
    what, written = THINGS["now"][language], style.write(clock.draw_time(rng))
    if kind == "left":
        question = WORDING.say(rng, language, "minutes_left", held_out, thing=thing, time=written)
        return _built(
            rng, language, held_out, question, "clock span min", what, None, keys=assemble.KEYS["duration"][language]
        )
    times = sorted({clock.draw_time(rng) for _ in range(rng.randint(2, 5))})
    said = telemetry.joined([style.write(time) for time in times], language)
    question = WORDING.say(rng, language, "next_of", held_out, thing=thing, times=said)
    return _built(rng, language, held_out, question, "clock next", what, None, keys=assemble.KEYS["time"][language])


def verify(problem):
    """That something is missing; or the number, truth or action that does not need it."""
    facts = problem.facts
    if "time" in facts:
        return clock.written_time(problem, clock.moment_of(facts["time"]), facts["style"])
    if "number" in facts:
        return Fraction(facts["number"])
    if "settles" in facts:
        check, holds = facts["settles"]
        assert rules.decide_again(check) == holds
    return facts["text"]
