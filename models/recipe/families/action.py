"""Choosing one action from a list and saying why: by conditions, by priority, by a goal, by bands
of a reading, or the cheapest, fastest or thriftiest."""

from fractions import Fraction

import arithmetic
import relations
import telemetry
import wording
import words
from assemble import Answer, build
from families import rules

WEIGHT = 9
FAMILY = "action"
LISTED = {"do": str, "cond": str}
ATTRIBUTES = ("cost", "time", "energy")
WORDING = wording.load(
    FAMILY,
    {
        "ask": {},
        "head": {"n": str},
        "option": LISTED,
        "default": {"undo": str},
        "prio_head": {},
        "prio_option": LISTED | {"p": str},
        "class_head": {"order": str},
        "class_option": LISTED | {"tag": str},
        "target": {"noun": words.Noun, "target": str},
        "up": {"noun": words.Noun},
        "down": {"noun": words.Noun},
        "choices": {"list": str},
        "band": {
            "noun": words.Noun,
            **dict.fromkeys(("low", "high", "a", "b", "c"), str),
        },
        **{f"scene_ask_{attribute}": {} for attribute in ATTRIBUTES},
        "within_time": {"limit": str},
        "within_cost": {"limit": str},
    },
)
BECAUSE = {"en": "{action}, because {reason}.", "fr": "{action}, car {reason}."}
REASONS = {
    "en": {
        "none": "no condition holds",
        ">": "{a} is above {b}",
        "<": "{a} is below {b}",
        "=": "{a} is the target",
        "between": "{a} is between {b} and {c}",
        "up": "it raises {noun.the}",
        "down": "it lowers {noun.the}",
        "cost": "{a} is the lowest cost",
        "time": "{a} is the shortest time",
        "energy": "{a} is the lowest energy use",
        "within": " within {limit}",
    },
    "fr": {
        "none": "aucune condition n'est remplie",
        ">": "{a} est au-dessus de {b}",
        "<": "{a} est en dessous de {b}",
        "=": "{a} est la cible",
        "between": "{a} est entre {b} et {c}",
        "up": "cela fait monter {noun.the}",
        "down": "cela fait baisser {noun.the}",
        "cost": "{a} est le coût le plus bas",
        "time": "{a} est la durée la plus courte",
        "energy": "{a} est la consommation la plus basse",
        "within": " dans la limite de {limit}",
    },
}
CLASSES = {
    "en": [
        ("safety", "comfort", "savings"),
        ("people", "machines", "costs"),
        ("fire", "water", "energy"),
        ("safety", "quality", "cost"),
        ("health", "comfort", "money"),
    ],
    "fr": [
        ("sécurité", "confort", "économies"),
        ("personnes", "machines", "coûts"),
        ("feu", "eau", "énergie"),
        ("sécurité", "qualité", "coût"),
        ("santé", "confort", "argent"),
    ],
}
# What raises and what lowers a quantity, in both languages.
EFFECTS = {
    "temperature": (
        {
            "en": "turn on the heating; turn the heating up; start the heater; light the stove; "
            "switch on the heat lamp; light a fire; run the heat pump; open the radiator; warm the bed",
            "fr": "allumer le chauffage; monter le chauffage; démarrer le radiateur; allumer un feu; "
            "allumer la lampe chauffante; lancer la pompe à chaleur; ouvrir le radiateur",
        },
        {
            "en": "turn on the air conditioner; turn the heating down; stop the heater; "
            "run the chiller; put out the fire; switch off the heat lamp; close the radiator",
            "fr": "allumer la climatisation; baisser le chauffage; arrêter le radiateur; éteindre le feu; "
            "mettre en route la climatisation; lancer le groupe froid; éteindre la lampe chauffante",
        },
    ),
    "humidity": (
        {
            "en": "turn on the humidifier; start the humidifier; run the mist line; start the fogger",
            "fr": "allumer l'humidificateur; lancer la brumisation; démarrer l'humidificateur",
        },
        {
            "en": "run the dehumidifier; turn on the dehumidifier",
            "fr": "lancer le déshumidificateur; allumer le déshumidificateur",
        },
    ),
    "co2": (
        {"en": "stop the ventilation; close the vent", "fr": "arrêter la ventilation"},
        {
            "en": "increase the ventilation; open the vent; air the room",
            "fr": "augmenter la ventilation; ouvrir la trappe d'aération; lancer la ventilation",
        },
    ),
    "light": (
        {
            "en": "raise the blinds; turn on the lamp; switch the lights on; "
            "draw back the curtains; brighten the grow light; turn on the spotlight",
            "fr": "lever les volets; allumer la lampe; allumer les lumières; ouvrir les rideaux; "
            "allumer le projecteur; aviver l'éclairage",
        },
        {
            "en": "lower the blinds; turn off the lamp; dim the lights; "
            "draw the curtains; dim the grow light; pull the shade",
            "fr": "baisser les volets; éteindre la lampe; baisser les lumières; tirer les rideaux; "
            "éteindre le projecteur; tamiser l'éclairage",
        },
    ),
    "level": (
        {
            "en": "open the inlet valve; start the filling pump; fill the tank; top up the tank",
            "fr": "ouvrir la vanne d'entrée; démarrer la pompe de remplissage; remplir la cuve",
        },
        {
            "en": "open the drain valve; start the drain pump; drain the tank; pull the plug",
            "fr": "ouvrir la vanne de vidange; démarrer la pompe de vidange; vider la cuve",
        },
    ),
    "pressure": (
        {
            "en": "start the compressor; run the compressor",
            "fr": "démarrer le compresseur; lancer le compresseur",
        },
        {
            "en": "open the relief valve; stop the compressor",
            "fr": "ouvrir la soupape; arrêter le compresseur",
        },
    ),
    "soil": (
        {
            "en": "water the plants; start the irrigation; start the sprinkler; open the drip line",
            "fr": "arroser les plantes; lancer l'arrosage; démarrer l'arrosage; ouvrir le goutte-à-goutte",
        },
        {
            "en": "stop the irrigation; stop the sprinkler",
            "fr": "couper l'arrosage; arrêter l'arrosage",
        },
    ),
    "battery": (
        {
            "en": "charge the battery; start the charger; plug in the charger",
            "fr": "charger la batterie; lancer le chargeur; brancher le chargeur",
        },
        {"en": "discharge the battery", "fr": "décharger la batterie"},
    ),
    "noise": (
        {"en": "turn the music up; turn up the speaker", "fr": "monter la musique"},
        {
            "en": "turn the music down; mute the speaker; stop the saw",
            "fr": "baisser la musique; couper le haut-parleur; arrêter la scie",
        },
    ),
    "speed": (
        {"en": "speed the motor up; accelerate the motor", "fr": "accélérer le moteur"},
        {"en": "slow the motor down; slow down the motor", "fr": "ralentir le moteur"},
    ),
    "flow": (
        {"en": "open the valve wider; open the tap more", "fr": "ouvrir davantage la vanne"},
        {"en": "throttle the valve; close the tap a little", "fr": "fermer un peu la vanne"},
    ),
    "dust": (
        {"en": "stop the air purifier", "fr": "arrêter le purificateur d'air"},
        {"en": "start the air purifier", "fr": "lancer le purificateur d'air"},
    ),
}
# Quantities that one action may move together are never offered side by side.
TOGETHER = (("temperature", "co2", "humidity", "dust"), ("level", "flow", "pressure"))
# Several ways to reach one aim, each an action.
SCENES = {
    "en": [
        "use the heat pump; use the gas boiler; use the electric heater; light the wood stove",
        "run the eco programme; run the quick programme; run the normal programme; wash by hand",
        "charge at home; charge at the station; charge from the solar panels; charge at work",
        "use the small pump; use the large pump; use both pumps; use the hand pump",
        "start the fan; start the air conditioner; open the windows; lower the blinds",
        "run on the battery; start the generator; stay on the grid; use the solar panels",
        "take the train; take the van; send the drone; send a courier",
        "heat with gas; heat with wood; heat with oil; heat with electricity",
        "dry outside; use the dryer; use the drying room; use the dehumidifier",
        "repair the pump; replace the pump; rent a pump; call the supplier",
        *words.listed("en/scenes.txt"),
    ],
    "fr": [
        "utiliser la pompe à chaleur; utiliser la chaudière; utiliser le radiateur; "
        "allumer le poêle",
        "lancer le programme éco; lancer le programme court; lancer le programme normal; "
        "laver à la main",
        "charger à la maison; charger à la borne; charger au soleil; charger au bureau",
        "utiliser la petite pompe; utiliser la grande pompe; utiliser les deux pompes; "
        "utiliser la pompe à main",
        "allumer le ventilateur; allumer la climatisation; ouvrir les fenêtres; baisser les volets",
        "passer sur la batterie; démarrer le groupe; rester sur le réseau; utiliser le solaire",
        "prendre le train; prendre le camion; envoyer le drone; envoyer un coursier",
        "chauffer au gaz; chauffer au bois; chauffer au fioul; chauffer à l'électricité",
        "sécher dehors; utiliser le sèche-linge; utiliser le séchoir; "
        "utiliser le déshumidificateur",
        "réparer la pompe; remplacer la pompe; louer une pompe; appeler le fournisseur",
        *words.listed("fr/scenes.txt"),
    ],
}
MONEY = ("€", "€", "€", "CHF", "$")


def make(rng, language, held_out):
    kind = rng.choices(
        [_conditional, _priority, _classes, _target, _direction, _band, _scene],
        [28, 13, 10, 15, 9, 11, 14],
    )[0]
    return kind(rng, language, held_out)


def _reason(language, kind, **values):
    return REASONS[language][kind].format(**values)


def _listed(rng, head, items, numbered=True):
    """A head and its items as one standing text, on lines of their own or in one line; what ends in
    a line break keeps it."""
    marks = ["{}. ", "{}) ", "- ", "* ", "({}) "] if numbered else ["- ", "* ", ""]
    mark = rng.choice(marks)
    if rng.random() < 0.55:
        lines = [mark.format(i + 1) + item for i, item in enumerate(items)]
        return "\n".join([head.text, *lines]) + "\n"
    if numbered and rng.random() < 0.4:
        mark = rng.choice(["({}) ", "{}) "])
        return (
            head.text + " " + ", ".join(mark.format(i + 1) + t for i, t in enumerate(items)) + "."
        )
    return head.text + " " + "; ".join(items) + "."


def _finish(rng, language, held_out, question, thought, action, reason, told, separator, **rest):
    """The problem; `rest` may have `rule` (text), `phrasings` and `facts`."""
    answer = Answer(BECAUSE[language], {"action": action, "reason": reason})
    if told and "\n" in rest.get("rule", ""):
        told.block = True
    facts = {"reason": reason, **rest.pop("facts")}
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        thought,
        answer,
        told,
        separator,
        exact=True,
        facts=facts,
        **rest,
    )


# By conditions ------------------------------------------------------------


def _conditions(rng, language, held_out, count, separator, wanted):
    """Conditions of which as many hold as `wanted` allows, if a few draws find them."""
    for _ in range(60):
        conditions = rules._conditions(rng, language, held_out, count, separator)
        if sum(condition.holds for condition in conditions) in wanted:
            break
    else:
        return _conditions(rng, language, held_out, count, separator, range(count + 1))
    return conditions


def _otherwise(rng, language, held_out, actions):
    """What is done if nothing applies, and the item that says so, if one does."""
    if rng.random() < 0.55:
        return words.NOTHING[language], None
    undo = rng.choice([actions[-1].undo, words.NOTHING[language]])
    return undo, WORDING.say(rng, language, "default", held_out, undo=undo)


def _chosen(language, conditions, actions, otherwise):
    """The first action whose condition holds, and its reason: the condition as it is worded."""
    for condition, action in zip(conditions, actions):
        if condition.holds:
            return action.do, condition.text
    return otherwise, _reason(language, "none")


def _verdict(conditions, otherwise, language, number):
    """The last line of a thought that went through conditions."""
    for i, condition in enumerate(conditions):
        if condition.holds:
            return f"do {i + 1}" if number else "do"
    return "nothing" if otherwise == words.NOTHING[language] else "else"


def _conditional(rng, language, held_out):
    """Exclusive conditions, one an action, at most one of which holds."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [5, 5, 2])[0]
    wanted = (0, 1) if rng.random() < 0.3 else (1,)
    conditions = _conditions(rng, language, held_out, count, separator, wanted)
    if sum(condition.holds for condition in conditions) > 1:
        return _conditional(rng, language, held_out)
    actions = words.actions(rng, language, count + 1)
    items = [
        WORDING.say(rng, language, "option", held_out, do=action.do, cond=condition.text)
        for condition, action in zip(conditions, actions)
    ]
    otherwise, last = _otherwise(rng, language, held_out, actions)
    items += [last] if last else []
    head = WORDING.say(rng, language, "head", held_out, n=str(len(items)))
    question = WORDING.say(rng, language, "ask", held_out)
    told = rules._status(rng, language, conditions, separator, [a.device for a in actions])
    thought = ["choose"]
    for i, (condition, action) in enumerate(zip(conditions, actions)):
        thought.append(f"{i + 1} {action.do}: {condition.line}")
        if condition.holds:
            break
    thought.append(_verdict(conditions, otherwise, language, True))
    action, reason = _chosen(language, conditions, actions, otherwise)
    return _finish(
        rng,
        language,
        held_out,
        question,
        thought,
        action,
        reason,
        told,
        separator,
        rule=_listed(rng, head, [item.text for item in items]),
        phrasings=[head, *items],
        facts={
            "checks": [condition.check for condition in conditions],
            "results": [*(action.do for action in actions[:count]), otherwise],
        },
    )


def _ranked(rng, language, held_out, head, section, tags, mark):
    """Actions with ranks in any order: the conditions are gone through by rank. `tags` are the
    words of the ranks, the first the most important, `mark` how a thought writes them."""
    separator = telemetry.separator(rng, language)
    count = len(tags)
    wanted = range(2, count + 1) if rng.random() < 0.6 else range(count + 1)
    conditions = _conditions(rng, language, held_out, count, separator, wanted)
    actions = words.actions(rng, language, count + 1)
    key = "p" if section == "prio_option" else "tag"
    items = [
        WORDING.say(
            rng, language, section, held_out, do=action.do, cond=condition.text, **{key: tag}
        )
        for condition, action, tag in zip(conditions, actions, tags)
    ]
    otherwise, last = _otherwise(rng, language, held_out, actions)
    shown = rng.sample(items, count) + ([last] if last else [])
    question = WORDING.say(rng, language, "ask", held_out)
    told = rules._status(rng, language, conditions, separator, [a.device for a in actions])
    thought = ["priority"]
    for condition, tag, action in zip(conditions, tags, actions):
        thought.append(f"{mark}{tag} {action.do}: {condition.line}")
        if condition.holds:
            break
    thought.append(_verdict(conditions, otherwise, language, False))
    action, reason = _chosen(language, conditions, actions, otherwise)
    return _finish(
        rng,
        language,
        held_out,
        question,
        thought,
        action,
        reason,
        told,
        separator,
        rule=_listed(rng, head, [item.text for item in shown], numbered=False),
        phrasings=[head, *shown],
        facts={
            "checks": [condition.check for condition in conditions],
            "results": [*(action.do for action in actions[:count]), otherwise],
        },
    )


def _priority(rng, language, held_out):
    """Numbers of priority, 1 before all others."""
    head = WORDING.say(rng, language, "prio_head", held_out)
    tags = [str(i + 1) for i in range(rng.choice([2, 3, 3]))]
    return _ranked(rng, language, held_out, head, "prio_option", tags, "p")


def _classes(rng, language, held_out):
    """Classes in an order of importance, such as safety before comfort."""
    tags = rng.choice(CLASSES[language])
    glue = {
        "en": [" > ", ", then ", " before ", ", "],
        "fr": [" > ", ", puis ", " avant ", ", "],
    }[language]
    order = rng.choice(glue).join(tags)
    head = WORDING.say(rng, language, "class_head", held_out, order=order)
    return _ranked(rng, language, held_out, head, "class_option", tags, "")


# By a goal ------------------------------------------------------------


def _ways(language, id_, side):
    return EFFECTS[id_][side][language].split("; ")


def _options(rng, language, id_, side):
    """The right action for a quantity and a side (0 up, 1 down) among others: the opposite, and
    those for other quantities. Without a side it is doing nothing."""
    opposite = _ways(language, id_, 1 - (side or 0))
    right = words.NOTHING[language] if side is None else rng.choice(_ways(language, id_, side))
    near = {id_} | {other for group in TOGETHER if id_ in group for other in group}
    apart = [other for other in EFFECTS if other not in near]
    others = rng.sample(apart, rng.choice([1, 1, 2, 3]))
    wrong = [rng.choice(_ways(language, other, rng.randrange(2))) for other in others]
    if rng.random() < 0.75 or side is None:
        wrong.append(rng.choice(opposite))
    if side is None:
        wrong.append(rng.choice(_ways(language, id_, 0)))
    elif rng.random() < 0.25:
        wrong.append(words.NOTHING[language])
    options = [right, *wrong]
    rng.shuffle(options)
    return right, options


def _choices(rng, language, held_out, options):
    if rng.random() < 0.25:
        head = WORDING.say(rng, language, "head", held_out, n=str(len(options)))
        return head, _listed(rng, head, options)
    last = {"en": " or ", "fr": " ou "}[language]
    listed = rng.choice(
        [telemetry.joined(options, language, last), ", ".join(options), "; ".join(options)]
    )
    said = WORDING.say(rng, language, "choices", held_out, list=listed)
    return said, said.text


def _target(rng, language, held_out):
    """A reading beside its target: which action brings it there."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.id in EFFECTS])
    noun, unit = quantity.noun[language], quantity.unit
    value, decimals = rules._measure(rng, quantity)
    target, target_decimals = relations.limit_near(rng, value, decimals)
    order = arithmetic.digits_compared(value, decimals, target, target_decimals)[1]
    side = {-1: 0, 1: 1, 0: None}[order]
    right, options = _options(rng, language, quantity.id, side)
    goal = WORDING.say(
        rng,
        language,
        "target",
        held_out,
        noun=noun,
        target=_amount(target, target_decimals, unit, separator),
    )
    choices, listed = _choices(rng, language, held_out, options)
    question = WORDING.say(rng, language, "ask", held_out)
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    condition = rules.Condition("", fact, "", True, ())
    told = rules._status(rng, language, [condition], separator)
    point = told.separator or separator
    sign = {-1: "<", 1: ">", 0: "="}[order]
    reason = _reason(
        language,
        sign,
        a=_amount(value, decimals, unit, point),
        b=_amount(target, target_decimals, unit, point),
    )
    steps = arithmetic.digits_compared(value, decimals, target, target_decimals)[0]
    compared = (
        f"{arithmetic.text(value, decimals)}:{arithmetic.text(target, target_decimals)} {steps} "
        f"{sign}"
    )
    thought = ["goal", compared, "keep" if side is None else f"{('up', 'down')[side]} {noun}"]
    return _finish(
        rng,
        language,
        held_out,
        question.within(f"{goal.text} {question.text}"),
        thought,
        right,
        reason,
        told,
        separator,
        rule=listed,
        phrasings=[goal, choices],
        facts={
            "kind": "goal",
            "value": (value, decimals),
            "target": (target, target_decimals),
            "id": quantity.id,
            "options": options,
        },
    )


def _direction(rng, language, held_out):
    """Only the direction is said."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.id in EFFECTS])
    noun, side = quantity.noun[language], rng.randrange(2)
    right, options = _options(rng, language, quantity.id, side)
    way = ("up", "down")[side]
    goal = WORDING.say(rng, language, way, held_out, noun=noun)
    choices, listed = _choices(rng, language, held_out, options)
    question = WORDING.say(rng, language, "ask", held_out)
    question = question.within(f"{goal.text} {question.text}")
    return _finish(
        rng,
        language,
        held_out,
        question,
        ["goal", f"{way} {noun}"],
        right,
        _reason(language, way, noun=noun),
        None,
        separator,
        rule=listed,
        phrasings=[goal, choices],
        facts={"kind": "direction", "side": side, "id": quantity.id, "options": options},
    )


def _amount(value, decimals, unit, separator):
    return f"{telemetry.written(arithmetic.text(value, decimals), separator)} {unit}"


# By bands of a reading ------------------------------------------------------------


def _band(rng, language, held_out):
    """One action below two limits, another between them, a third above; never on a limit."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.low >= 0])
    noun, unit = quantity.noun[language], quantity.unit
    while True:
        value, decimals = rules._measure(rng, quantity)
        wide = max(2, value // rng.choice([3, 6, 10]))
        low = value + rng.choice([-1, 1]) * rng.randint(1, wide)
        high = low + wide + rng.randint(0, wide)
        if rng.random() < 0.3:
            low, high = low - 2 * wide, value - rng.randint(1, wide)
        limit_decimals = decimals
        if decimals and rng.random() < 0.6:
            low, high, limit_decimals = low // 10**decimals, high // 10**decimals, 0
        scale = 10 ** (decimals - limit_decimals)
        if 0 < low < high and value not in (low * scale, high * scale):
            break
    actions = [action.do for action in words.actions(rng, language, 3)]
    if rng.random() < 0.5:
        actions[1] = words.NOTHING[language]
    limits = [
        telemetry.written(arithmetic.text(limit, limit_decimals), separator)
        for limit in (low, high)
    ]
    rule = WORDING.say(
        rng,
        language,
        "band",
        held_out,
        noun=noun,
        low=limits[0] if rng.random() < 0.5 else f"{limits[0]} {unit}",
        high=f"{limits[1]} {unit}",
        a=actions[0],
        b=actions[1],
        c=actions[2],
    )
    question = WORDING.say(rng, language, "ask", held_out)
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    condition = rules.Condition("", fact, "", True, ())
    told = rules._status(rng, language, [condition], separator)
    point = told.separator or separator
    a = _amount(value, decimals, unit, point)
    b, c = (_amount(limit, limit_decimals, unit, point) for limit in (low, high))
    line, below = arithmetic.comparison(value, decimals, "<", low, limit_decimals)
    thought = ["band", line]
    if below:
        place, reason = 0, _reason(language, "<", a=a, b=b)
    else:
        line, above = arithmetic.comparison(value, decimals, ">", high, limit_decimals)
        thought.append(line)
        place = 2 if above else 1
        reason = (
            _reason(language, ">", a=a, b=c)
            if above
            else _reason(language, "between", a=a, b=b, c=c)
        )
    thought.append(("low", "between", "high")[place])
    return _finish(
        rng,
        language,
        held_out,
        question,
        thought,
        actions[place],
        reason,
        told,
        separator,
        rule=wording.capital(rule.text),
        phrasings=[rule],
        facts={
            "kind": "band",
            "value": (value, decimals),
            "limits": (low, high, limit_decimals),
            "results": actions,
        },
    )


# By what it takes ------------------------------------------------------------


def _attribute(rng, attribute, count):
    """Different values, their decimals and unit."""
    if attribute == "time":
        return rng.sample(range(10, rng.choice([60, 100, 240])), count), 0, "min"
    if attribute == "energy":
        return rng.sample(range(3, rng.choice([40, 99, 220])), count), 1, "kWh"
    whole = rng.random() < 0.35
    values = rng.sample(range(2, 60) if whole else range(12, rng.choice([99, 400, 999])), count)
    return values, 0 if whole else 2, rng.choice(MONEY)


def _scene(rng, language, held_out):
    """Which of several ways costs, lasts or uses least; sometimes within a limit of another
    kind."""
    separator = telemetry.separator(rng, language)
    names = rng.choice(SCENES[language]).split("; ")
    names = rng.sample(names, rng.choices([2, 3, 4], [1, 4, 3])[0])
    wanted = rng.choice(ATTRIBUTES)
    values, decimals, unit = _attribute(rng, wanted, len(names))
    other = limit = None
    if rng.random() < 0.45:
        other = "time" if wanted != "time" else "cost"
        limit = _attribute(rng, other, len(names))
    elif rng.random() < 0.3:
        other = rng.choice([a for a in ATTRIBUTES if a != wanted])
    others = (limit or _attribute(rng, other, len(names))) if other else None
    told = _tell_options(rng, language, names, (wanted, values, decimals, unit), other, others)
    told.separator = "." if told.layout == "objects" else told.separator
    point = separator if told.layout != "objects" else "."
    told.text = told.text.replace("\0", point)
    question = WORDING.say(rng, language, f"scene_ask_{wanted}", held_out)
    phrasings, reason_tail, bound = [], "", None
    if limit:
        bound = sorted(others[0])[rng.randrange(len(names))] + rng.choice([0, 0, 1, 2])
        said = WORDING.say(
            rng,
            language,
            f"within_{other}",
            held_out,
            limit=_amount(bound, others[1], others[2], separator),
        )
        phrasings.append(said)
        question = question.within(f"{said.text} {question.text}")
        reason_tail = _reason(language, "within", limit=_amount(bound, others[1], others[2], point))
    thought, found = [f"least {wanted}"], None
    for i, value in enumerate(values):
        line = f"{i + 1}:"
        if limit:
            compared, fits = arithmetic.comparison(others[0][i], others[1], "<=", bound, others[1])
            line += compared
            if not fits:
                thought.append(line)
                continue
            line += " "
        line += arithmetic.text(value, decimals)
        if found is not None:
            steps, order = arithmetic.digits_compared(value, decimals, values[found], decimals)
            line += f" {steps}"
        if found is None or order < 0:
            found = i
        thought.append(f"{line} *{found + 1}")
    thought.append(f"={arithmetic.text(values[found], decimals)} do {found + 1}")
    reason = _reason(language, wanted, a=_amount(values[found], decimals, unit, point))
    return _finish(
        rng,
        language,
        held_out,
        question,
        thought,
        names[found],
        reason + reason_tail,
        told,
        point,
        phrasings=phrasings,
        facts={
            "kind": "scene",
            "names": names,
            "values": values,
            "others": others[0] if limit else None,
            "bound": bound,
        },
    )


LABELS = {
    "en": {"cost": ("cost", "price"), "time": ("time", "duration"), "energy": ("energy", "use")},
    "fr": {"cost": ("coût", "prix"), "time": ("durée", "temps"), "energy": ("énergie", "conso")},
}


def _tell_options(rng, language, names, wanted, other, others):
    """The options with what they take; `\\0` stands for the decimal separator."""
    columns = [wanted] + ([(other, *others)] if other else [])
    if len(columns) == 2 and rng.random() < 0.5:
        columns.reverse()
    layout = rng.choice(["lines", "lines", "sentence", "sentence", "brackets", "objects"])
    labels = {name: rng.choice(LABELS[language][name]) for name, *_ in columns}
    if layout == "objects":
        label = rng.choice(["action", "option"])
        rows = [
            {label: name}
            | {
                labels[column]: telemetry.Number(arithmetic.text(values[i], decimals))
                for column, values, decimals, _ in columns
            }
            for i, name in enumerate(names)
        ]
        units = ", ".join(f"{labels[column]}: {unit}" for column, _, _, unit in columns)
        text = telemetry.encode(rows, rng.random() < 0.5)
        return telemetry.Told(f"{text}\n({units})", layout, names, True, "")
    named = len(columns) > 1 or rng.random() < 0.3

    def cells(i):
        for column, values, decimals, unit in columns:
            number = arithmetic.text(values[i], decimals).replace(".", "\0")
            yield f"{labels[column]} {number} {unit}" if named else f"{number} {unit}"

    rows = [", ".join(cells(i)) for i in range(len(names))]
    if layout == "brackets":
        text = rng.choice(["; ", "\n"]).join(f"{n} ({row})" for n, row in zip(names, rows))
    elif layout == "lines":
        mark = rng.choice(["- ", "* ", "{}. ", ""])
        glue = rng.choice([": ", " - ", " = "]) if language == "en" else rng.choice([" : ", " - "])
        text = "\n".join(f"{mark.format(i + 1)}{n}{glue}{rows[i]}" for i, n in enumerate(names))
    else:
        glue = rng.choice([": ", " = "]) if language == "en" else rng.choice([" : ", " = "])
        text = "; ".join(f"{n}{glue}{row}" for n, row in zip(names, rows)) + "."
    return telemetry.Told(text, layout, names, "\n" in text, "")


# Verification ------------------------------------------------------------


def _exact(pair):
    return Fraction(pair[0], 10 ** pair[1])


def _action(facts, language):
    """The action again, with fractions, sorting and a look into the table of effects."""
    kind = facts.get("kind")
    if kind == "scene":
        fits = [
            (value, name)
            for i, (value, name) in enumerate(zip(facts["values"], facts["names"]))
            if facts["others"] is None or facts["others"][i] <= facts["bound"]
        ]
        return min(fits)[1]
    if kind == "band":
        low, high, decimals = facts["limits"]
        value = _exact(facts["value"])
        above = sum(value > Fraction(limit, 10**decimals) for limit in (low, high))
        return facts["results"][above]
    if kind in ("goal", "direction"):
        side = facts.get("side")
        if kind == "goal":
            value, target = _exact(facts["value"]), _exact(facts["target"])
            if value == target:
                return words.NOTHING[language]
            side = 0 if value < target else 1
        (right,) = [o for o in facts["options"] if o in _ways(language, facts["id"], side)]
        return right
    holds = [rules._holds(check) for check in facts["checks"]]
    return next((r for r, h in zip(facts["results"], holds) if h), facts["results"][-1])


def verify(problem):
    """The action; a plain answer must give its reason too."""
    facts = problem.facts
    action = _action(facts, problem.language)
    if problem.format == "json":
        return action
    return BECAUSE[problem.language].format(action=action, reason=facts["reason"])
