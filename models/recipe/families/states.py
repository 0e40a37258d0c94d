"""Devices by their state: which are on, how many are open, whether all are closed or any is off,
what state one is in; both counts or both lists, a count and the names, or all and the exceptions at once; those of
one floor or type, after a log of events, by a table of codes, of several kinds, or changed between two reports; and
how many readings lie above or below a limit, and which."""

import dataclasses
import re
import unicodedata
from fractions import Fraction

import arithmetic
import assemble
import naming
import relations
import telemetry
import telling
import wording
import words
from assemble import Amount, Answer, build

WEIGHT = 10
FAMILY = "states"
DEVICE = {"one": words.Noun, "many": words.Noun, "state": str, "states": str, "plain": str}
LIMIT = {"noun": words.Noun, "rel": str}
WORDING = wording.load(
    FAMILY,
    {
        "which": DEVICE,
        "which_not": DEVICE,
        "count": DEVICE,
        "count_not": DEVICE,
        "all": DEVICE,
        "any": DEVICE,
        "none": DEVICE,
        "at_least": DEVICE | {"n": str},
        "at_most": DEVICE | {"n": str},
        "state_of": {"name": words.Noun},
        "is_it": {"name": words.Noun, "state": str},
        "state_id": {"one": words.Noun, "id": str},
        "tally": DEVICE | {"other": str, "others": str},
        "tally_bare": {"one": words.Noun, "many": words.Noun},
        "lists": DEVICE | {"other": str, "others": str},
        "lists_bare": {"one": words.Noun, "many": words.Noun},
        **dict.fromkeys(("which_at", "count_at"), DEVICE | {"where": str}),
        "scope": {"where": str},
        **dict.fromkeys(("which_now", "count_now"), DEVICE),
        "at_end": {},
        **dict.fromkeys(("which_any", "count_any"), {"plain": str}),
        "changed": {"one": words.Noun, "many": words.Noun},
        "count_which": DEVICE,
        "all_which": DEVICE,
        "which_limit": LIMIT,
        "count_limit": LIMIT,
        "all_limit": LIMIT,
        "any_limit": LIMIT,
    },
)
NONE = {"en": "none", "fr": "aucun"}
# Words for any kind of thing, which do not tell one kind from another.
ANY_KIND = ("device", "appareil", "sensor", "capteur", "node", "nœud", "machine")
SMALL = {
    "en": "zero one two three four five six seven".split(),
    "fr": "zéro un deux trois quatre cinq six sept".split(),
}


# More kinds of things, most of whose two states are spelled nearly alike.
MORE = {
    "en": words.parse_devices(
        "en",
        """slope:p slopes:open:closed:open
        trail:p trails:open:closed:open
        road:p roads:open:closed:open
        pass:p passes:open:closed:open
        shop:p shops:open:closed:open
        locker:p lockers:locked:unlocked:lock
        cell:p cells:locked:unlocked:lock
        alarm:p alarms:armed:disarmed:
        rule:p rules:enabled:disabled:
        account:p accounts:active:inactive:
        hive:p hives:active:inactive:
        client:p clients:connected:disconnected:
        cable:p cables:plugged:unplugged:
        disk:p disks:mounted:unmounted:
        wheel:p wheels:blocked:unblocked:
        controller:p controllers:online:offline:line""",
    ),
    "fr": words.parse_devices(
        "fr",
        """f piste:p f pistes:ouvert:fermé:open
        m sentier:p m sentiers:ouvert:fermé:open
        f route:p f routes:ouvert:fermé:open
        m col:p m cols:ouvert:fermé:open
        m magasin:p m magasins:ouvert:fermé:open
        m casier:p m casiers:verrouillé:déverrouillé:lock
        f cabine:p f cabines:verrouillé:déverrouillé:lock
        f alarme:p f alarmes:armé:désarmé:
        f règle:p f règles:activé:désactivé:
        m compte:p m comptes:actif:inactif:
        f ruche:p f ruches:actif:inactif:
        m client:p m clients:connecté:déconnecté:
        m câble:p m câbles:branché:débranché:
        m disque:p m disques:monté:démonté:
        f roue:p f roues:bloqué:débloqué:
        m contrôleur:p m contrôleurs:en ligne:hors ligne:line""",
    ),
}
# Places by their own names, articles and capitals included.
OWN_NAMES = {
    "en": "the Ridge|Old Mill|the Long Meadow|Hill Farm|the Glade|North Gate|the Quarry|Fox Hollow|the Orchard"
    "|Bell Tower|the Narrows|Stone Bridge|the Cove|Badger Wood|the Summit|Lower Field|the Paddock|Crow's Nest|the Basin"
    "|East Wing",
    "fr": "la Combe|le Mur|les Sapins|le Vallon|la Crête|le Chalet|les Marmottes|les Bosses|l'Aiguille|le Col"
    "|la Cascade|la Forêt|l'Alpage|les Arolles|le Grand Pré|la Chapelle|le Moulin|les Tilleuls|l'Étang"
    "|la Source|Bois Joli|le Pont",
}


def make(rng, language, held_out):
    kinds = ["which", "which_not", "count", "count_not", "all", "any", "none", "at_least", "at_most", "state_of"]
    kinds += ["is_it", "which_limit", "count_limit", "all_limit", "any_limit"]
    kinds += ["tally", "count_which", "all_which", "state_id", "state_among", "is_among"]
    weights = [17, 8, 15, 5, 10, 9, 5, 5, 3, 4, 4, 10, 9, 4, 4, 7, 4, 3, 3, 5, 2]
    kinds += ["lists", "where", "typed", "log", "legend", "any_kind", "changed"]
    kind = rng.choices(kinds, [*weights, 6, 6, 3, 6, 6, 4, 4])[0]
    if kind in ("tally", "lists"):
        return _tally(rng, language, held_out, kind)
    if kind in ("where", "typed"):
        return _columned(rng, language, held_out, kind)
    if kind in ("log", "legend", "any_kind", "changed"):
        return {"log": _log, "legend": _legend, "any_kind": _any_kind, "changed": _changed}[kind](
            rng, language, held_out
        )
    if kind == "state_id":
        return _by_id(rng, language, held_out)
    if kind.endswith("among"):
        return _among(rng, language, held_out, kind)
    if kind.endswith("limit"):
        return _limit(rng, language, held_out, kind)
    return _state(rng, language, held_out, kind)


# Devices ------------------------------------------------------------


def _kind_of_devices(rng, language, held_out):
    """A kind of devices as `naming.devices` has it, now and then one of `MORE`."""
    if not held_out and rng.random() < 0.15:
        return rng.choice(MORE[language])
    return naming.devices(rng, language, held_out)


def _names(rng, language, held_out, devices, count):
    """Names of devices of one kind: places, or names that hold the kind (`kitchen light`, `pump
    3`). Returns them and whether they can be said to be in a state by themselves."""
    one = devices.one
    if rng.random() < 0.07:
        return [words.Noun(name, language, "") for name in rng.sample(OWN_NAMES[language].split("|"), count)], False
    if rng.random() < 0.45:
        places = _places(rng, language, held_out, count)
        return places, not places[0].gender
    if rng.random() < 0.55:
        places = _places(rng, language, held_out, count, True)
        return [_compound(place, one) for place in places], True
    glue = rng.choice([" ", " ", "_", "-"])
    marks = rng.sample("ABCDEFGH" if rng.random() < 0.3 else "123456789", count)
    marks = sorted(marks) if rng.random() < 0.6 else marks
    return [words.Noun(f"{one}{glue}{mark}", language, "") for mark in marks], True


def _places(rng, language, held_out, count, places=None):
    """Names as `naming.names` has them, but no `grenier est`: it is not the grenier that is."""
    while True:
        found = naming.names(rng, language, count, held_out, places)
        if language == "en" or not any(str(name).endswith(" est") for name in found):
            return found


def _compound(place, one):
    """`kitchen light`, `lumière de la cuisine`."""
    if place.language == "en":
        return words.Noun(f"{place} {one}", "en", "m")
    return words.Noun(f"{one} {place.of_the}", "fr", one.gender)


def _words(rng, language, devices, flags=True):
    """What stands for the two states in the data (two tuples of spellings), the key over them, and
    whether they speak for themselves.

    Mostly as one says it, sometimes as machines write it, now and then as a flag; the spellings of
    a careless system differ from device to device.
    """
    key = rng.choice(["state", "status"] if language == "en" else ["etat", "état", "state"])
    said = devices.states
    chance = rng.random()
    if chance < (0.3 if devices.codes else 0.12):
        loud = tuple(state.upper().replace(" ", "_") for state in devices.plain_states)
        codes = rng.choice([*devices.codes, loud])
        return ((codes[0],), (codes[1],)), key, True
    if devices.codes and chance < 0.42:
        pairs = [said, *devices.codes[:2]]
        return tuple(tuple(pair[i] for pair in pairs) for i in (0, 1)), key, True
    if flags and devices.codes and chance < 0.55:
        yes, no = rng.choice([("true", "false"), ("true", "false"), ("1", "0")])
        return ((yes,), (no,)), devices.flag, False
    return ((said[0],), (said[1],)), key, True


FLAG_LAYOUTS = ["map", "objects", "objects", "table", "topics"]


def _heads(rng, language, many):
    """What may stand before a sentence or list of states, the time of day now and then."""
    colon = telling.COLON[language]
    plural = str(many).capitalize()
    state = ["Status", "State"] if language == "en" else ["État", "Statut"]
    hour, minutes = rng.randint(5, 22), rng.choice([0, 0, 15, 30, 45])
    if language == "en":
        at = rng.choice([f"{hour}:{minutes:02d}", f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}"])
        timed = [f"{rng.choice(state)} of the {many} at {at}", f"{plural} at {at}", f"{at}, {many}"]
    else:
        at = rng.choice([f"{hour}h", f"{hour}h{minutes:02d}", f"{hour} h", f"{hour}:{minutes:02d}"])
        timed = [f"{rng.choice(state)} des {many} à {at}", f"{plural} à {at}", f"{at}, {many}"]
    heads = [plural, plural, *state, *timed, rng.choice(timed)]
    return ["", "", "", *(f"{text}{colon}" for text in heads)]


# What is said of a device that is in neither of its two states, or does not answer.
NEITHER = {
    "en": ["unavailable", "unknown", "not responding", "in maintenance", "faulty"],
    "fr": ["indisponible", "sans réponse", "en maintenance", "en défaut"],
}
# What is surely neither of two states: a blocked valve is not closed.
THIRD = {
    "en": ["blocked", "jammed", "faulty", "in error", "in maintenance", "under repair", "being tested"],
    "fr": ["bloqué", "coincé", "en défaut", "en erreur", "en maintenance", "en réparation", "en test"],
}
# What else single devices may be in.
ALONE = {
    "en": ["fault", "standby", "auto", "manual", "error", "alarm", "starting", "locked out"],
    "fr": ["défaut", "veille", "auto", "manuel", "erreur", "alarme", "démarrage", "en attente"],
}


def _neither(rng, language, devices, surely):
    """A word for a device that is in neither of its two states; `surely`: it is known to be in another one."""
    known = {state.lower() for states in (devices.states, devices.plain_states, *devices.codes) for state in states}
    pool = [words.agreed(word, devices.one) for word in (THIRD if surely else NEITHER)[language]]
    return rng.choice([word for word in pool if word not in known])


def tell(rng, language, held_out, devices, count, likely, flags=True, wanted=None, surely=False):
    """Devices in their states, told: the data, of each the truth of being in the first one, and the spellings of
    the two states. Where one state is `wanted`, a device of the other now and then is in neither, `surely` so where
    not being in the other is what is asked."""
    first = [rng.random() < likely for _ in range(count)]
    spellings, key, speaks = _words(rng, language, devices, flags)
    shown = [rng.choice(spellings[0 if on else 1]) for on in first]
    if wanted is not None and speaks and rng.random() < (0.4 if surely else 0.14):
        neither = _neither(rng, language, devices, surely)
        shown = [neither if on != wanted and rng.random() < 0.5 else word for on, word in zip(first, shown)]
    names, sayable = _names(rng, language, held_out, devices, count)
    layouts = None
    if not speaks:
        layouts = FLAG_LAYOUTS
    elif not sayable or len(spellings[0]) > 1:
        layouts = [x for x in telemetry.WORD_LAYOUTS if x not in ("is", "groups")]
    if speaks and rng.random() < 0.08:
        return _wide(rng, language, names, shown, key)[0], first, spellings
    told = telemetry.tell_words(
        rng, language, names, shown, key, _heads(rng, language, devices.many), layouts
    )
    if layouts is None and told.layout == "groups":
        order = {str(name): on for name, on in zip(names, first)}
        first = [order[name] for name in told.names]
    return told, first, spellings


# Other columns of a list of devices: what heads them, by what stands in them.
BESIDE = {
    "en": {
        "zone": ["zone", "area", "group"], "clock": ["since", "changed", "last_change"],
        "number": ["battery", "rssi", "cycles", "power_w"], "version": ["version", "firmware"],
    },
    "fr": {
        "zone": ["zone", "secteur", "groupe"], "clock": ["depuis", "modifié", "vu à"],
        "number": ["batterie", "rssi", "cycles", "puissance_w"], "version": ["version", "firmware"],
    },
}  # fmt: skip
IDS = {"en": ["id", "id", "no", "addr"], "fr": ["id", "id", "n°", "adresse"]}


def _ids(rng, count):
    """Different short ids, mostly in order."""
    kind = rng.random()
    if kind < 0.25:
        return [f"{rng.choice('ABCD')}{number}" for number in rng.sample(range(1, 40), count)]
    first, last = (100, 999) if kind < 0.5 else (10, 99) if kind < 0.75 else (1, 20)
    found = rng.sample(range(first, last), count)
    return [str(number) for number in (sorted(found) if rng.random() < 0.6 else found)]


def _cell(rng, what):
    """What stands in a column that is not asked for."""
    if what == "zone":
        return f"{rng.choice('ABC')}{rng.randint(1, 4)}"
    if what == "clock":
        return arithmetic.clock(rng.randrange(arithmetic.DAY))
    return f"{rng.randint(1, 3)}.{rng.randint(0, 9)}" if what == "version" else str(rng.randint(10, 99))


def _wide(rng, language, names, states, key, with_ids=False, beside=None):
    """Devices told in a table or objects with other columns, one of them `beside`, a head and its cells: the data, and
    their ids."""
    names, ids = [str(name) for name in names], _ids(rng, len(names))
    columns = [(telling.column(rng, language), names), (key, states)]
    if beside:
        columns.insert(rng.choice([0, 1, 1, 2]), beside)
    for what in rng.sample(list(BESIDE[language]), rng.choice([0, 0, 0, 1] if beside else [1, 1, 2])):
        head = rng.choice(BESIDE[language][what])
        if beside and what in ("zone", "number"):
            continue
        columns.insert(rng.randint(1, len(columns)), (head, [_cell(rng, what) for _ in names]))
    if with_ids or rng.random() < (0.1 if beside else 0.5):
        columns.insert(0 if rng.random() < 0.7 else 1, (rng.choice(IDS[language]), ids))
    heads = [head for head, _ in columns]
    rows = list(zip(*(cells for _, cells in columns)))
    if len(set(heads)) == len(heads) and rng.random() < 0.4:
        number = re.compile(r"-?\d+")
        data = [
            {head: telemetry.Number(cell) if number.fullmatch(cell) else cell for head, cell in zip(heads, row)}
            for row in rows
        ]
        text, layout = telemetry.encode(data, rng.random() < 0.5), "objects"
    elif rng.random() < 0.5:
        lines = [f"| {' | '.join(row)} |" for row in (heads, *rows)]
        text, layout = "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]]), "table"
    else:
        bar = rng.choice([" | ", ";", "\t", "|", ", ", ","])
        text, layout = "\n".join(bar.join(row) for row in (heads, *rows)), "table"
    return telemetry.Told(text, layout, names, True, "", list(states)), ids


def _mixed(rng, language, held_out, devices, count):
    """Devices of two kinds with their kinds in their names: the data, the truths, which are meant,
    and the spellings of the two states of these."""
    pool = (words.DEVICES_HELD_OUT if held_out else words.DEVICES)[language]
    other = rng.choice([d for d in pool if d.one.text not in (devices.one.text, *ANY_KIND)])
    places = _places(rng, language, held_out, count, True)
    kinds = [rng.random() < 0.55 for _ in places]
    if all(kinds) or not any(kinds):
        kinds[0] = not kinds[0]
    first = [rng.random() < 0.5 for _ in places]
    names, shown = [], []
    for place, mine, on in zip(places, kinds, first):
        kind = devices if mine else other
        names.append(_compound(place, kind.one))
        shown.append(kind.states[0 if on else 1])
    layouts = [x for x in telemetry.WORD_LAYOUTS if x != "groups"]
    told = telemetry.tell_words(rng, language, names, shown, "state", ["", ""], layouts)
    return told, first, kinds, tuple((state,) for state in devices.states)


def _state(rng, language, held_out, kind):
    devices = _kind_of_devices(rng, language, held_out)
    wanted = rng.random() < 0.55
    # What is not closed is open, or in neither state.
    negated = kind.endswith("_not") or kind == "all_which"
    side = 0 if wanted else 1
    count = rng.choices(range(2, 9), [1, 4, 6, 5, 3, 2, 1])[0]
    likely = 0.5
    if kind == "all_which":
        likely = rng.choice([0, 0.3, 0.5]) if wanted else rng.choice([1, 0.7, 0.5])
    if kind in ("all", "any", "none"):
        # About half of the answers are yes.
        share = rng.choice([0.15, 0.5, 1]) if kind == "all" else rng.choice([0, 0, 0.35])
        share = 1 - share if kind == "all" and rng.random() < 0.1 else share
        likely = share if wanted else 1 - share
    meant = [True] * count
    mixed = kind not in ("state_of", "is_it") and rng.random() < 0.22
    if mixed and devices.one.text not in ANY_KIND:
        told, first, meant, spellings = _mixed(rng, language, held_out, devices, max(3, count))
    else:
        told, first, spellings = tell(
            rng, language, held_out, devices, count, likely, flags=kind != "state_of",
            wanted=not wanted if negated else wanted if kind not in ("state_of", "is_it") else None, surely=negated,
        )  # fmt: skip
    hits = [mine and on == wanted for mine, on in zip(meant, first)]
    spoken = 1 - side if negated else side
    slots = _slots(devices, spoken)
    facts = {"kind": kind, "first": first, "meant": meant, "wanted": wanted, "names": told.names}
    if kind in ("state_of", "is_it"):
        return _single(rng, language, held_out, kind, devices, told, first, spellings, wanted, facts)
    number = 0
    if kind in ("at_least", "at_most"):
        number = max(2, min(7, sum(hits) + rng.choice([-1, 0, 0, 1])))
        slots["n"] = str(number) if rng.random() < 0.5 else SMALL[language][number]
        facts["number"] = number
    question = _said(rng, language, held_out, kind, slots, devices, not all(meant))
    asked = _asked(question, slots, devices, spellings[spoken], told.states, negated)
    if negated and kind == "which_not":
        slots["states"] = f"{'not' if language == 'en' else 'pas'} {slots['states']}"
    kind = kind.removesuffix("_not")
    facts["kind"] = kind
    if kind in ("count_which", "all_which"):
        thought, answer, facts["order"] = _think_both(rng, language, kind, told, hits, meant, asked, devices)
    else:
        thought, answer = think(language, kind, told, hits, meant, asked, number)
    return _build(rng, language, held_out, question, thought, _keyed(answer, language, slots), told, facts)


def _slots(devices, spoken):
    """What a question about devices in one of their two states is filled with."""
    return {
        "one": devices.one,
        "many": devices.many,
        "state": devices.states[spoken],
        "states": devices.plural_states[spoken],
        "plain": devices.plain_states[spoken],
    }


def _said(rng, language, held_out, section, slots, devices, by_kind=False):
    """A question of the section; `by_kind`: it must say which kind of device it is about."""
    while True:
        question = WORDING.say(rng, language, section, held_out, **slots)
        if not by_kind or _names_kind(question.text, devices):
            return question


def _asked(question, slots, devices, spellings, states, negated=False):
    """What a thought writes of what is asked for: `window not open=OPEN`."""
    asked = f"{'not ' if negated else ''}{slots['states']}"
    asked += as_data_has_it(asked, spellings, states)
    return f"{devices.one} {asked}" if _names_kind(question.text, devices) else asked


def _keyed(answer, language, slots):
    """The answer with what JSON may call a list of names of things in a state: `open`, `open_windows`."""
    if "names" in answer.fields and not answer.several:
        state, many = _as_key(slots["states"]), _as_key(slots["many"].text)
        mixed = f"{state}_{many}" if language == "en" else f"{many}_{state}"
        answer.keys = {"names": [*assemble.KEYS["names"][language], state, state, many, mixed]}
    return answer


def as_data_has_it(asked, spellings, states):
    """`=closed`, `=ON/On`: how the data spells the state that is asked for, if not as the question does; every line
    of the thought then compares the same word with the same word."""
    present = [state for state in dict.fromkeys(states) if state in spellings]
    spelled = "/".join(present if len(spellings) > 1 else spellings)
    return "" if spelled in ("", asked) else f"={spelled}"


def _names_kind(text, devices):
    """Whether a question says which kind of device it is about."""
    text = text.lower()
    return devices.one.text.lower() in text or devices.many.text.lower() in text


def think(language, kind, told, hits, meant, states, number, lines=None):
    """The lines that go through the devices one by one, and the answer. `lines` begin what is
    written of each, if not its name and state."""
    named = lines or [
        f"{i + 1}:{name} {state}" for i, (name, state) in enumerate(zip(told.names, told.states))
    ]
    thought, found = [f"{kind.split('_limit')[0]} {states}"], 0
    flags = ["-" if not mine else "yes" if hit else "no" for hit, mine in zip(hits, meant)]
    rows = [f"{line} {flag}" for line, flag in zip(named, flags)]
    if kind.startswith("which"):
        thought += [f"{row} {mark}" for row, mark in zip(rows, arithmetic.marks(hits))]
        names = [name for name, hit in zip(told.names, hits) if hit]
        plain = "{names}" if names else NONE[language]
        return thought, Answer(plain, {"names": names}, capital=False)
    if kind.startswith(("count", "at_")):
        for row, hit in zip(rows, hits):
            found += hit
            thought.append(f"{row} {found}")
        if kind.startswith("count"):
            return thought, Answer("{count}", {"count": Amount(found)})
        relation = ">=" if kind == "at_least" else "<="
        line, holds = arithmetic.comparison(found, 0, relation, number, 0)
        return [*thought, line], _yes_no(language, holds)
    # The first that settles it ends the look.
    settles = "no" if kind.startswith("all") else "yes"
    holds = kind.startswith(("all", "none"))
    for row, flag in zip(rows, flags):
        thought.append(row)
        if flag == settles:
            holds = not holds
            break
    return [*thought, f"={'yes' if holds else 'no'}"], _yes_no(language, holds)


BOTH = {
    "en": {
        "count": ["count", "number", "n", "total", "how_many", "quantity"],
        "names": ["names", "list", "which", "devices", "items", "who"],
        "all": ["all", "ok", "all_ok", "complete", "every_one", "all_so"],
        "others": ["exceptions", "not_ok", "others", "wrong", "list", "names", "which"],
    },
    "fr": {
        "count": ["nombre", "nb", "n", "total", "combien", "compte"],
        "names": ["noms", "liste", "lesquels", "appareils", "qui", "names"],
        "all": ["tous", "ok", "tout_ok", "tous_ok", "complet", "conforme"],
        "others": ["exceptions", "pas_ok", "autres", "ecarts", "liste", "noms", "lesquels"],
    },
}


def _think_both(rng, language, kind, told, hits, meant, asked, devices):
    """A count and the names, or whether all are so and the names of those that are not: lines, answer and the order
    of its fields."""
    flags = ["-" if not mine else "yes" if hit else "no" for hit, mine in zip(hits, meant)]
    named = [f"{i + 1}:{name} {state}" for i, (name, state) in enumerate(zip(told.names, told.states))]
    names, found = [name for name, hit in zip(told.names, hits) if hit], 0
    keys, thought = BOTH[language], []
    if kind == "all_which":
        thought = [f"{line} {flag} {mark}" for line, flag, mark in zip(named, flags, arithmetic.marks(hits))]
        order = ["all", "others"]
        fields = {"all": not names, "others": names}
        lines = [f"all + which {asked}", *thought, f"={'no' if names else 'yes'}"]
    else:
        order = ["count", "names"] if rng.random() < 0.7 else ["names", "count"]
        for line, flag, hit, mark in zip(named, flags, hits, arithmetic.marks(hits)):
            found += hit
            both = f"{found} {mark}" if order[0] == "count" else f"{mark} {found}"
            thought.append(f"{line} {flag} {both}")
        fields = {name: {"count": Amount(found), "names": names}[name] for name in order}
        kinds = "count + which" if order[0] == "count" else "which + count"
        lines = [f"{kinds} {asked}", *thought]
        keys = keys | {"names": [*keys["names"], str(devices.many), str(devices.many)]}
    return lines, Answer("", fields, {name: keys[name] for name in order}, several=True), order


def _yes_no(language, holds):
    said = words.YES_NO[language][0 if holds else 1]
    return Answer(f"{said}.", {"truth": holds})


def _single(rng, language, held_out, kind, devices, told, first, spellings, wanted, facts):
    """One device: what state is it in, or is it in that one?"""
    i = rng.randrange(len(first))
    name = words.Noun(told.names[i], language, "")
    facts |= {"index": i, "shown": told.states[i]}
    line = f"{told.names[i]} {told.states[i]}"
    if kind == "state_of":
        question = WORDING.say(rng, language, kind, held_out, name=name)
        answer = Answer("{state}", {"state": told.states[i]}, capital=False)
        return _build(rng, language, held_out, question, ["state", line], answer, told, facts)
    state = devices.states[0 if wanted else 1]
    question = WORDING.say(rng, language, kind, held_out, name=name, state=state)
    holds = first[i] == wanted
    asked = state + as_data_has_it(state, spellings[0 if wanted else 1], told.states)
    thought = [f"is {asked}", f"{line} {'yes' if holds else 'no'}"]
    answer = _yes_no(language, holds)
    return _build(rng, language, held_out, question, thought, answer, told, facts)


# Both counts ------------------------------------------------------------

TALLY_KEYS = {
    "en": ["{}", "{}", "{}", "n_{}", "num_{}", "count_{}", "{}_count", "total_{}", "{}_total"],
    "fr": ["{}", "{}", "{}", "nb_{}", "n_{}", "nombre_{}", "total_{}", "{}_total"],
}


def _as_key(text, accents=False):
    """A text as a key of JSON: `a_l_arret`."""
    text = re.sub(r"[^\w]+", "_", text)
    if accents:
        return text
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def _bare(text):
    """A state as data of any layout has it, blanks and apostrophes alike."""
    return re.sub(r"[ _']", " ", text)


LIST_KEYS = {
    "en": ["{}", "{}", "{}", "{}", "{}_list", "list_{}", "{}_names", "all_{}"],
    "fr": ["{}", "{}", "{}", "{}", "liste_{}", "noms_{}", "{}_noms"],
}


def _tally(rng, language, held_out, kind):
    """How many are in the one state and how many in the other, perhaps how many in neither; or (`lists`) which."""
    devices = _kind_of_devices(rng, language, held_out)
    count = rng.choices(range(3, 9), [3, 5, 6, 5, 3, 2])[0]
    told, _, spellings = tell(
        rng, language, held_out, devices, count, 0.5, wanted=rng.random() < 0.5, surely=rng.random() < 0.5
    )
    shown = [_bare(state) for state in told.states]
    groups = [[_bare(word) for word in words_] for words_ in spellings]
    third = sorted({state for state in shown if not any(state in group for group in groups)})
    order = [0, 1] if rng.random() < 0.7 else [1, 0]
    groups = [groups[side] for side in order]
    if third and rng.random() < 0.6:
        groups.append(third)
    style = rng.choice((TALLY_KEYS if kind == "tally" else LIST_KEYS)[language])
    accents = rng.random() < 0.4
    said = devices.plural_states if rng.random() < 0.5 else devices.plain_states
    said = [said[side] for side in order] + third
    keys = [style.format(_as_key(text, accents)) for text in said]
    labels = [
        devices.plain_states[side] + as_data_has_it(devices.plain_states[side], spellings[side], told.states)
        for side in order
    ] + third
    if rng.random() < 0.35 or len(groups) > 2:
        question = WORDING.say(rng, language, f"{kind}_bare", held_out, one=devices.one, many=devices.many)
    else:
        first, second = order
        question = WORDING.say(
            rng, language, kind, held_out, one=devices.one, many=devices.many,
            state=devices.states[first], states=devices.plural_states[first], plain=devices.plain_states[first],
            other=devices.states[second], others=devices.plural_states[second],
        )  # fmt: skip
    what = "count" if kind == "tally" else "which"
    thought = [" + ".join([what] * len(groups)), " + ".join(labels[: len(groups)])]
    found = [[] for _ in groups]
    for i, (name, state) in enumerate(zip(told.names, shown)):
        for members, group in zip(found, groups):
            members += [i] if state in group else []
        shapes = [str(len(m)) if kind == "tally" else "*" + "".join(str(j + 1) for j in m) for m in found]
        thought.append(f"{i + 1}:{name} {told.states[i]} {' '.join(shapes)}")
    names = [str(i) for i in range(len(groups))]
    if kind == "tally":
        thought += [f"={len(members)}" for members in found]
        fields = {name: Amount(len(members)) for name, members in zip(names, found)}
    else:
        fields = {name: [told.names[i] for i in members] for name, members in zip(names, found)}
    answer = Answer("", fields, {name: [key] for name, key in zip(names, keys)}, several=True)
    facts = {"kind": kind, "shown": shown, "groups": groups, "names": told.names}
    return _build(rng, language, held_out, question, thought, answer, told, facts)


# One of several ------------------------------------------------------------


def _by_id(rng, language, held_out):
    """The state of one device, asked for by its id in a table."""
    devices = _kind_of_devices(rng, language, held_out)
    count = rng.choice([3, 4, 4, 5, 6])
    names = _places(rng, language, held_out, count, True)
    if rng.random() < 0.5:
        names = [_compound(place, devices.one) for place in names]
    spellings, key, _ = _words(rng, language, devices, False)
    shown = [rng.choice(rng.choice(spellings)) for _ in names]
    told, ids = _wide(rng, language, names, shown, key, True)
    i = rng.randrange(count)
    question = WORDING.say(rng, language, "state_id", held_out, one=devices.one, id=ids[i])
    answer = Answer("{state}", {"state": shown[i]}, capital=False)
    facts = {"kind": "state_id", "shown": shown[i]}
    return _build(rng, language, held_out, question, ["state", f"{ids[i]} {shown[i]}"], answer, told, facts)


def _among(rng, language, held_out, kind):
    """Devices of several kinds, each in a state of its own: what state is one in, or is it in that one?"""
    pool = list((words.DEVICES_HELD_OUT if held_out else words.DEVICES)[language])
    rng.shuffle(pool)
    kinds = list({devices.one.text: devices for devices in pool if devices.one.text not in ANY_KIND}.values())
    kinds = kinds[: rng.choice([3, 4, 4, 5])]
    first = [rng.random() < 0.5 for _ in kinds]
    shown = [devices.states[0 if on else 1] for devices, on in zip(kinds, first)]
    if kind == "state_among":
        shown = [rng.choice(ALONE[language]) if rng.random() < 0.2 else state for state in shown]
    style = rng.choice(["said", "key", "key", "capital"])
    layouts = [x for x in telemetry.WORD_LAYOUTS if x != "groups" and (style == "said" or x != "is")]
    names = [devices.one for devices in kinds]
    if style != "said":
        accents = rng.random() < 0.2
        texts = [_as_key(name.text, accents) if style == "key" else wording.capital(name.text) for name in names]
        names = [words.Noun(text, language, "") for text in texts]
    key = rng.choice(["state", "status"] if language == "en" else ["etat", "état", "state"])
    told = telemetry.tell_words(rng, language, names, shown, key, ["", ""], layouts)
    i = rng.randrange(len(kinds))
    one = kinds[i].one
    name = words.Noun(one.the if rng.random() < 0.8 else one.text, language, "")
    line = f"{told.names[i]} {told.states[i]}"
    facts = {"kind": "state_of", "index": i, "shown": told.states[i]}
    if kind == "state_among":
        question = WORDING.say(rng, language, "state_of", held_out, name=name)
        answer = Answer("{state}", {"state": told.states[i]}, capital=False)
        return _build(rng, language, held_out, question, ["state", line], answer, told, facts)
    side = rng.randrange(2)
    question = WORDING.say(rng, language, "is_it", held_out, name=name, state=kinds[i].states[side])
    holds = first[i] == (side == 0)
    thought = [f"is {kinds[i].states[side]}", f"{line} {'yes' if holds else 'no'}"]
    facts |= {"kind": "is_it", "first": first, "wanted": side == 0}
    return _build(rng, language, held_out, question, thought, _yes_no(language, holds), told, facts)


# By another column ------------------------------------------------------------

# Columns that tell where a device is: heads, how a question says it, and what may stand there.
WHERE = {
    "en": [
        ("floor level storey", "on floor {}", "1234"), ("zone area", "in zone {}", "ABCD"),
        ("zone sector", "in zone {}", "1234"), ("wing", "in wing {}", "ABC"),
        ("building block", "in building {}", "ABC"), ("building", "in building {}", "123"),
        ("line", "on line {}", "1234"), ("section", "in section {}", "ABC"),
    ],
    "fr": [
        ("étage etage niveau", "à l'étage {}", "1234"), ("zone secteur", "dans la zone {}", "ABCD"),
        ("zone", "dans la zone {}", "1234"), ("aile", "dans l'aile {}", "ABC"), ("ligne", "sur la ligne {}", "1234"),
        ("bâtiment batiment", "dans le bâtiment {}", "ABC"), ("bâtiment", "dans le bâtiment {}", "123"),
        ("section", "dans la section {}", "ABC"),
    ],
}  # fmt: skip
ROOM = {"en": ["room", "place", "location"], "fr": ["pièce", "lieu", "local"]}
TYPE = {"en": ["type", "type", "kind", "class"], "fr": ["type", "type", "genre", "catégorie"]}
SHORT_STEMS = ["", "", "n", "d", "x", "id-", "K", "Q", "dev"]


def _placed(rng, language, held_out, devices, count):
    """Devices and where each of them is: names, the column's head, its cells, the one meant and how that is said."""
    if rng.random() < 0.3:
        rooms = _places(rng, language, held_out, 2 if count < 5 else 3, True)
        cells = [rng.choice(rooms) for _ in range(count)]
        names = [f"{devices.one} {number}" for number in range(1, count + 1)]
        meant = rng.choice(cells)
        return names, rng.choice(ROOM[language]), [str(cell) for cell in cells], str(meant), meant.in_the
    heads, said, pool = rng.choice(WHERE[language])
    values = rng.sample(pool, 2 if count < 5 else 3)
    cells = [rng.choice(values) for _ in range(count)]
    if rng.random() < 0.3:
        names = [str(number) for number in rng.sample(range(101, 420), count)]
    else:
        names = [str(name) for name in _names(rng, language, held_out, devices, count)[0]]
    meant = rng.choice(cells)
    return names, rng.choice(heads.split()), cells, meant, said.format(meant)


def _columned(rng, language, held_out, kind):
    """Of the devices on one floor, in one room (`where`) or of one type (`typed`), which or how many are in a state,
    all or any of them?"""
    devices = _kind_of_devices(rng, language, held_out)
    while devices.one.text in ANY_KIND:
        devices = _kind_of_devices(rng, language, held_out)
    count = rng.choices(range(3, 8), [3, 5, 5, 3, 1])[0]
    wanted, first = rng.random() < 0.55, [rng.random() < 0.5 for _ in range(count)]
    side = 0 if wanted else 1
    spellings, key, _ = _words(rng, language, devices, False)
    shown = [rng.choice(spellings[0 if on else 1]) for on in first]
    by_type = kind == "typed"
    if by_type:
        pool = (words.DEVICES_HELD_OUT if held_out else words.DEVICES)[language]
        others = [d for d in pool if not _names_kind(d.one.text, devices) and d.one.text not in ANY_KIND]
        others = rng.sample(others, 1 if count < 5 else 2)
        kinds = [devices if rng.random() < 0.55 else rng.choice(others) for _ in first]
        kinds[rng.randrange(count)] = devices
        shown = [
            word if d is devices else d.states[0 if on else 1] for word, d, on in zip(shown, kinds, first)
        ]
        stem = rng.choice(SHORT_STEMS)
        numbers = rng.sample(range(1, 30), count) if stem else rng.sample(range(10, 99), count)
        names = [f"{stem}{number}" for number in numbers]
        if not stem or rng.random() < 0.5:
            names = [str(name) for name in _places(rng, language, held_out, count, True)]
        head, cells, value, where = rng.choice(TYPE[language]), [d.one.text for d in kinds], devices.one.text, ""
    else:
        names, head, cells, value, where = _placed(rng, language, held_out, devices, count)
    meant = [cell == value for cell in cells]
    if rng.random() < 0.7:
        told, _ = _wide(rng, language, names, shown, key, beside=(head, cells))
    else:
        told = _bracketed(rng, language, names, shown, cells if by_type or len(value) > 1 else None, head, cells)
    kind = rng.choices(["which", "count", "all", "any"], [50, 25, 12, 13])[0]
    slots, section, scope = _slots(devices, side), kind, ""
    if where:
        if kind in ("which", "count") and rng.random() < 0.7:
            section, slots = f"{kind}_at", slots | {"where": where}
        else:
            scope = WORDING.say(rng, language, "scope", held_out, where=where).text
    question = _said(rng, language, held_out, section, slots, devices, by_type)
    asked = _asked(question, slots, devices, spellings[side], [s for s, mine in zip(shown, meant) if mine])
    if scope:
        question = question.within(f"{wording.capital(scope)} {question.text}")
    hits = [mine and on == wanted for mine, on in zip(meant, first)]
    lines = [
        f"{i + 1}:{name} {cell}" + (f" {state}" if mine else "")
        for i, (name, cell, state, mine) in enumerate(zip(told.names, cells, told.states, meant))
    ]
    asked += "" if by_type else f", {value}"
    thought, answer = think(language, kind, told, hits, meant, asked, 0, lines)
    facts = {"kind": kind, "first": first, "meant": meant, "wanted": wanted, "names": told.names}
    return _build(rng, language, held_out, question, thought, _keyed(answer, language, slots), told, facts)


def _bracketed(rng, language, names, states, bare, head, cells):
    """Devices told one by one with a cell of another column in brackets or between: `hall (floor 2): open`."""
    said = bare or [f"{head} {cell}" for cell in cells]
    colon = telling.COLON[language]
    shape = rng.choice(["{0} ({1})" + colon + "{2}", "{0}, {1}" + colon + "{2}", "{0} ({1}) {2}", "{0} / {1} / {2}"])
    rows = [shape.format(*row) for row in zip(names, said, states)]
    if rng.random() < 0.6:
        bullet = rng.choice(["", "", "- ", "* "])
        return telemetry.Told("\n".join(bullet + row for row in rows), "lines", names, True, "", states)
    return telemetry.Told(rng.choice(["; ", " | "]).join(rows) + ".", "sentence", names, False, "", states)


# After events ------------------------------------------------------------

# What happened, for what state a thing is in since.
HAPPENED = {
    "en": {
        "open": [("opened", "closed")], "power": [("turned on", "turned off"), ("switched on", "switched off")],
        "run": [("started", "stopped")],
    },
    "fr": {},
}  # fmt: skip
CODE_OF = {flag: name for name, (_, flag) in words.CODES.items()}


def _events(rng, language, held_out, devices):
    """What happened to a few devices: the data, and of each event its name, whether it is then in the first state."""
    names = _names(rng, language, held_out, devices, rng.choice([2, 2, 3, 3, 4]))[0]
    spellings, key, _ = _words(rng, language, devices, False)
    happened = HAPPENED[language].get(CODE_OF[devices.flag]) if devices.states[1] != "shut" else None
    if happened and rng.random() < 0.5:
        spellings = tuple((word,) for word in rng.choice(happened))
    spellings = tuple(pair[:1] for pair in spellings)
    count = rng.choices(range(len(names) + 1, 8), range(8 - len(names) - 1, 0, -1))[0]
    order = [*range(len(names)), *(rng.randrange(len(names)) for _ in range(count - len(names)))]
    rng.shuffle(order)
    now = {i: rng.random() < 0.5 for i in range(len(names))}
    events = []
    for i in order:
        now[i] = not now[i]
        events.append((str(names[i]), now[i]))
    shown = [spellings[0 if on else 1][0] for _, on in events]
    times = sorted(rng.sample(range(60 * 5, arithmetic.DAY, rng.choice([1, 5])), count))
    rows = list(zip(map(arithmetic.clock, times), (name for name, _ in events), shown))
    return _log_told(rng, language, rows, key), events, spellings


def _log_told(rng, language, rows, key):
    """Events, each a time, a name and a state, told in any layout, now and then without times."""
    style, names, states = rng.random(), [row[1] for row in rows], [row[2] for row in rows]
    time = rng.choice(["time", "at", "t", "ts"] if language == "en" else ["heure", "t", "quand", "ts"])
    label = telling.column(rng, language)
    if style < 0.2:
        data = [{time: at, label: name, key: state} for at, name, state in rows]
        compact = rng.random() < 0.5
        text = telemetry.encode(data, compact)
        if rng.random() < 0.4:
            text = "\n".join(["log:", *(telemetry.encode(row, compact) for row in data)])
        return telemetry.Told(text, "objects", names, True, "", states)
    if style < 0.35:
        bar = rng.choice([";", ",", " | ", "\t"])
        return telemetry.Told(
            "\n".join(bar.join(row) for row in [(time, label, key), *rows]), "table", names, True, "", states
        )
    heads = ["Log", "Event log", "Events", "History"] if language == "en" else ["Journal", "Événements", "Historique"]
    shapes = ["{0} {1} {2}", "{0} {1}: {2}", "{0} - {1}: {2}", "[{0}] {1} {2}", "{0} {1} -> {2}", "{1}: {2}", "{1} {2}"]
    head, shape = rng.choice(["", "", rng.choice(heads) + telling.COLON[language]]), rng.choice(shapes)
    parts = [shape.format(*row) for row in rows]
    if style < 0.75:
        text = (head.rstrip() + "\n" if head else "") + "\n".join(parts)
        return telemetry.Told(text, "lines", names, True, "", states)
    between = rng.choice(["; ", ", ", ", then " if language == "en" else ", puis "])
    return telemetry.Told(head + between.join(parts) + ".", "sentence", names, False, "", states)


def _log(rng, language, held_out):
    """After a sequence of events: which are in a state, how many are, what state is one in, or is it in that one? The
    last event of each counts."""
    devices = _kind_of_devices(rng, language, held_out)
    told, events, spellings = _events(rng, language, held_out, devices)
    wanted = rng.random() < 0.55
    side = 0 if wanted else 1
    kind = rng.choices(["which", "count", "state_of", "is_it"], [45, 15, 22, 18])[0]
    facts = {"kind": f"log {kind}", "events": events, "wanted": wanted, "states": told.states}
    if kind in ("state_of", "is_it"):
        name = words.Noun(rng.choice(told.names), language, "")
        slots = {"name": name} | ({"state": devices.states[side]} if kind == "is_it" else {})
        question = WORDING.say(rng, language, kind, held_out, **slots)
        end = WORDING.say(rng, language, "at_end", held_out)
        question = question.within(f"{end.text} {question.text}")
        lines, last = [], None
        for (other, on), state in zip(events, told.states):
            if other == name.text:
                lines.append(f"{name} {state}")
                last = on, state
        facts["name"] = name.text
        if kind == "state_of":
            answer = Answer("{state}", {"state": last[1]}, capital=False)
            return _build(rng, language, held_out, question, ["state", *lines], answer, told, facts)
        holds = last[0] == wanted
        asked = devices.states[side] + as_data_has_it(devices.states[side], spellings[side], told.states)
        lines = [f"{line} {'yes' if line.endswith(f' {spellings[side][0]}') else 'no'}" for line in lines]
        return _build(rng, language, held_out, question, [f"is {asked}", *lines], _yes_no(language, holds), told, facts)
    slots = _slots(devices, side)
    question = WORDING.say(rng, language, f"{kind}_now", held_out, **slots)
    asked = _asked(question, slots, devices, spellings[side], told.states)
    thought, kept = [f"{kind} {asked}"], []
    for i, ((name, on), state) in enumerate(zip(events, told.states)):
        kept = [j for j in kept if events[j][0] != name] + ([i] if on == wanted else [])
        marks = "".join(str(j + 1) for j in kept)
        thought.append(f"{i + 1}:{name} {state} {'yes' if on == wanted else 'no'} *{marks}")
    names = [events[i][0] for i in kept]
    if kind == "count":
        answer = Answer("{count}", {"count": Amount(len(names))})
        return _build(rng, language, held_out, question, [*thought, f"={len(names)}"], answer, told, facts)
    answer = Answer("{names}" if names else NONE[language], {"names": names}, capital=False)
    return _build(rng, language, held_out, question, thought, _keyed(answer, language, slots), told, facts)


# By a table of codes ------------------------------------------------------------

LEGEND_CODES = [
    "1 0 2", "1 0 2", "0 1 2", "0 1 2", "1 2 3", "2 1 3", "0 1 9", "1 0 -1", "A B C", "H L E", "x o ?", "10 20 30",
    "T F X", "+ - ?", "✓ ✗ ?", "● ○ ◐", "true false", "false true", "on off", "off on",
]  # fmt: skip


def _legend(rng, language, held_out):
    """States told as codes, and what each code stands for; or three states in words."""
    devices = _kind_of_devices(rng, language, held_out)
    pool = [c.split() for c in LEGEND_CODES if devices.flag != "on" or "on" not in c.split()]
    codes = rng.choice(pool)
    states = [tuple(triple) for triple in zip(devices.plain_states, devices.states, devices.plural_states)]
    worded = rng.random() < 0.2
    if worded or (len(codes) > 2 and rng.random() < 0.5):
        pool = [word for word in THIRD[language] if word not in devices.plain_states]
        word = rng.choice(pool)
        states.append((word, words.agreed(word, devices.one), words.agreed(word, devices.many)))
    codes = [state for _, state, _ in states] if worded else codes[: len(states)]
    count = rng.choices(range(2, 8), [1, 4, 6, 4, 2, 1])[0]
    kind = rng.choices(["which", "count", "state_of", "all", "any", "is_it"], [36, 20, 20, 8, 10, 6])[0]
    wanted = rng.randrange(len(states))
    likely = {"all": rng.choice([0.5, 1]), "any": rng.choice([0, 0.4])}.get(kind, 0.5)
    others = [i for i in range(len(states)) if i != wanted]
    held = [wanted if rng.random() < likely else rng.choice(others) for _ in range(count)]
    key = rng.choice(["state", "status", "code", "val"] if language == "en" else ["etat", "état", "code", "val"])
    layouts = [x for x in telemetry.WORD_LAYOUTS if x not in ("is", "groups")]
    names = _names(rng, language, held_out, devices, count)[0]
    heads = _heads(rng, language, devices.many)
    told = telemetry.tell_words(rng, language, names, [codes[i] for i in held], key, heads, layouts)
    if not worded:
        told = _with_legend(rng, language, told, [(code, state[1]) for code, state in zip(codes, states)])
    plain, state, plural = states[wanted]
    asked_of = dataclasses.replace(devices, plain_states=(plain,), states=(state,), plural_states=(plural,))
    first = [i == wanted for i in held]
    facts = {"kind": kind, "first": first, "meant": [True] * count, "wanted": True, "names": told.names}
    if kind in ("state_of", "is_it"):
        i = rng.randrange(count)
        name, line = words.Noun(told.names[i], language, ""), f"{told.names[i]} {told.states[i]}"
        facts |= {"index": i, "shown": told.states[i] if worded else states[held[i]][1]}
        if kind == "state_of":
            question = WORDING.say(rng, language, kind, held_out, name=name)
            answer = Answer("{state}", {"state": facts["shown"]}, capital=False)
            thought = ["state", line if worded else f"{line}={facts['shown']}"]
            return _build(rng, language, held_out, question, thought, answer, told, facts)
        question = WORDING.say(rng, language, kind, held_out, name=name, state=state)
        asked = state + as_data_has_it(state, (codes[wanted],), told.states)
        thought = [f"is {asked}", f"{line} {'yes' if first[i] else 'no'}"]
        return _build(rng, language, held_out, question, thought, _yes_no(language, first[i]), told, facts)
    slots = _slots(asked_of, 0)
    question = _said(rng, language, held_out, kind, slots, asked_of)
    asked = _asked(question, slots, asked_of, (codes[wanted],), told.states)
    thought, answer = think(language, kind, told, first, [True] * count, asked, 0)
    return _build(rng, language, held_out, question, thought, _keyed(answer, language, slots), told, facts)


def _with_legend(rng, language, told, entries):
    """Data with what its codes stand for before or behind it."""
    entries = entries if rng.random() < 0.6 else rng.sample(entries, len(entries))
    verbs = {"en": [" means ", " is ", " stands for "], "fr": [" veut dire ", " signifie ", " c'est "]}
    verb = rng.choice(verbs[language])
    glue = rng.choice([" = ", " = ", "=", ": " if language == "en" else " : ", " -> ", verb])
    pairs = [f"{code}{glue}{state}" for code, state in entries]
    if rng.random() < 0.1:
        head = rng.choice(["codes: ", "legend: " if language == "en" else "légende : "])
        legend = head + telemetry.encode(dict(entries))
    else:
        legend = telemetry.joined(pairs, language, None if glue == verb else rng.choice([", ", None]))
        head = rng.choice(["Legend", "Codes", "Key"] if language == "en" else ["Légende", "Codes", "Code"])
        legend = rng.choice(["{}.", "{}.", "({})", f"{head}{telling.COLON[language]}{{}}."]).format(legend)
    block = told.block or "\n" in told.text
    parts = [legend, told.text] if rng.random() < 0.6 else [told.text, legend]
    told.text = ("\n" if block else " ").join(parts)
    return told


# Things of several kinds ------------------------------------------------------------

# States that no state of another of these is taken for.
CLEAR = ("on", "open", "online", "locked")


def _any_kind(rng, language, held_out):
    """Of things of several kinds: what is open, how many are on?"""
    pool = [d for d in words.DEVICES[language] if d.flag in CLEAR and d.one.text not in ANY_KIND]
    pool = list({(d.one.text, d.flag): d for d in pool if d.states[1] != "shut"}.values())
    flag = rng.choice(["on", "open", "open", "on", "locked", "online"])
    rest, mine = [d for d in pool if d.flag != flag], [d for d in pool if d.flag == flag]
    mine = [d for d in mine if d.plain_states == mine[0].plain_states]
    count = rng.choices(range(3, 8), [2, 5, 5, 3, 1])[0]
    kinds = [rng.choice(mine if rng.random() < 0.65 else rest) for _ in range(count)]
    kinds[rng.randrange(count)] = rng.choice(mine)
    first, wanted = [rng.random() < 0.5 for _ in kinds], rng.random() < 0.65
    side = 0 if wanted else 1
    names = [_compound(p, d.one) for p, d in zip(_places(rng, language, held_out, count, True), kinds)]
    if len({d.one.text for d in kinds}) == count and rng.random() < 0.6:
        names = [d.one for d in kinds]
    loud = rng.random() < 0.15
    shown = [d.states[0 if on else 1] for d, on in zip(kinds, first)]
    shown = [state.upper() for state in shown] if loud else shown
    layouts = [x for x in telemetry.WORD_LAYOUTS if x != "groups" and not (loud and x == "is")]
    key = rng.choice(["state", "status"] if language == "en" else ["etat", "état", "state"])
    told = telemetry.tell_words(rng, language, names, shown, key, ["", ""], layouts)
    plain = mine[0].plain_states[side]
    spelled = {d.states[side].upper() if loud else d.states[side] for d in mine}
    spelled = tuple(state for state in dict.fromkeys(told.states) if state.replace("_", " ") in spelled)
    meant = [d.flag == flag for d in kinds]
    hits = [m and on == wanted for m, on in zip(meant, first)]
    kind = "which" if rng.random() < 0.7 else "count"
    question = WORDING.say(rng, language, f"{kind}_any", held_out, plain=plain)
    asked = plain if spelled in ((), (plain,)) else f"{plain}={'/'.join(spelled)}"
    thought, answer = think(language, kind, told, hits, [True] * count, asked, 0)
    facts = {"kind": kind, "first": first, "meant": meant, "wanted": wanted, "names": told.names}
    return _build(rng, language, held_out, question, thought, answer, told, facts)


# Two reports ------------------------------------------------------------

REPORTS = {
    "en": [("before", "after"), ("before", "now"), ("yesterday", "today"), ("last night", "this morning"),
           ("old", "new"), ("then", "now"), ("9:00", "17:00"), ("06:00", "14:00"),
           ("Monday", "Tuesday"), ("morning", "evening")],
    "fr": [("avant", "après"), ("avant", "maintenant"), ("hier", "aujourd'hui"), ("hier soir", "ce matin"),
           ("ancien", "nouveau"), ("9h", "17h"), ("06:00", "14:00"), ("lundi", "mardi"), ("matin", "soir")],
}  # fmt: skip


def _changed(rng, language, held_out):
    """Which are in another state in the second report than in the first?"""
    devices = _kind_of_devices(rng, language, held_out)
    count = rng.choices(range(2, 7), [2, 5, 5, 3, 1])[0]
    names = [str(name) for name in _names(rng, language, held_out, devices, count)[0]]
    spellings, _, _ = _words(rng, language, devices, False)
    first = [rng.random() < 0.5 for _ in names]
    second = [on != (rng.random() < 0.45) for on in first]
    reports = [[spellings[0 if on else 1][0] for on in side] for side in (first, second)]
    told = _reports_told(rng, language, names, reports)
    question = WORDING.say(rng, language, "changed", held_out, one=devices.one, many=devices.many)
    hits = [a != b for a, b in zip(first, second)]
    lines = [f"{i + 1}:{name} {a} {b}" for i, (name, a, b) in enumerate(zip(told.names, *reports))]
    thought, answer = think(language, "which", told, hits, [True] * count, "changed", 0, lines)
    facts = {"kind": "which", "first": hits, "meant": [True] * count, "wanted": True, "names": told.names}
    return _build(rng, language, held_out, question, thought, answer, told, facts)


def _reports_told(rng, language, names, reports):
    """The states of two reports: one report after the other, side by side, or with an arrow."""
    heads, colon, style = rng.choice(REPORTS[language]), telling.COLON[language], rng.random()
    if style < 0.25:
        data = {head: dict(zip(names, report)) for head, report in zip(heads, reports)}
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.5), "map", names, True, "", reports[1])
    rows = list(zip(names, *reports))
    if style < 0.45:
        lines = [(telling.column(rng, language), *heads), *rows]
        if rng.random() < 0.5:
            text = [f"| {' | '.join(row)} |" for row in lines]
            text.insert(1, "|---|---|---|")
        else:
            bar = rng.choice([" | ", ";", "\t"])
            text = [bar.join(row) for row in lines]
        return telemetry.Told("\n".join(text), "table", names, True, "", reports[1])
    if style < 0.6:
        then = ", then " if language == "en" else ", puis "
        shape = rng.choice(["{0}: {1} -> {2}", "{0} {1} -> {2}", "{0}: {1} / {2}", "{0}: {1}" + then + "{2}"])
        text = "\n".join(shape.format(*row) for row in rows)
        return telemetry.Told(text, "lines", names, True, "", reports[1])
    glue = rng.choice([" ", colon, "="])
    bodies = [", ".join(f"{name}{glue}{state}" for name, state in zip(names, report)) for report in reports]
    parts = [f"{wording.capital(head)}{colon}{body}." for head, body in zip(heads, bodies)]
    lined = rng.random() < 0.5
    return telemetry.Told(("\n" if lined else " ").join(parts), "sentence", names, lined, "", reports[1])


# Readings against one limit ------------------------------------------------------------


def _limit(rng, language, held_out, kind):
    separator = telemetry.separator(rng, language)
    count = rng.choices(range(2, 8), [2, 5, 5, 3, 2, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out)
    value = rng.choice(readings.values)
    limit, decimals = relations.limit_near(rng, value, readings.decimals)
    if kind in ("all_limit", "any_limit") and rng.random() < 0.5:
        edge = (max if rng.random() < 0.5 else min)(readings.values)
        limit, decimals = relations.limit_near(rng, edge, readings.decimals)
    relation = rng.choice([">", ">", "<", "<", ">=", "<="])
    text = relations.limit_text(rng, limit, decimals, readings.unit, separator)
    rel = relations.bare(rng, language, held_out, relation, text).text
    question = WORDING.say(rng, language, kind, held_out, noun=readings.noun, rel=rel)
    nameless = not kind.startswith("which") and rng.random() < 0.2
    if nameless:
        told = (telemetry.timed if rng.random() < 0.4 else telemetry.series)(rng, readings, separator)
    else:
        told = telemetry.tell(rng, readings, separator)
    lines, hits = [], []
    for i, value in enumerate(readings.values):
        steps, order = arithmetic.digits_compared(value, readings.decimals, limit, decimals)
        name = "" if nameless else f"{told.names[i]} "
        lines.append(f"{i + 1}:{name}{readings.value(i)} {steps}")
        hits.append(arithmetic.RELATIONS[relation](order, 0))
    wanted = f"{relation}{arithmetic.text(limit, decimals)}"
    thought, answer = think(language, kind, told, hits, [True] * count, wanted, 0, lines)
    facts = {
        "kind": kind,
        "values": readings.values,
        "decimals": readings.decimals,
        "relation": relation,
        "limit": Fraction(limit, 10**decimals),
        "names": told.names or [""] * count,
    }
    return _build(rng, language, held_out, question, thought, answer, told, facts, separator)


def _build(rng, language, held_out, question, thought, answer, told, facts, separator=""):
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
        exact=facts["kind"].removeprefix("log ") in ("state_of", "is_it", "state_id"),
        facts=facts,
    )


# Verification ------------------------------------------------------------


def verify(problem):
    """The names, their number, the truth or the word, from the facts again."""
    facts = problem.facts
    kind = facts["kind"]
    if kind in ("state_of", "state_id"):
        return facts["shown"]
    if kind == "tally":
        return tuple(Fraction(sum(map(facts["shown"].count, set(group)))) for group in facts["groups"])
    if kind == "lists":
        rows = list(zip(facts["names"], facts["shown"]))
        return tuple([name for name, state in rows if state in set(group)] for group in facts["groups"])
    if kind.startswith("log "):
        return _after(facts)
    if kind == "is_it":
        return facts["first"][facts["index"]] == facts["wanted"]
    if kind.endswith("limit"):
        values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
        limit, relation = facts["limit"], facts["relation"]
        kept = {v for v in values if v > limit} if ">" in relation else set()
        kept |= {v for v in values if v < limit} if "<" in relation else set()
        kept |= {limit} if "=" in relation else set()
        names = [name for name, v in zip(facts["names"], values) if v in kept]
        total = len(values)
        kind = kind.removesuffix("_limit")
    else:
        rows = list(zip(facts["names"], facts["first"], facts["meant"]))
        names = [name for name, on, mine in rows if mine and on is facts["wanted"]]
        total = sum(facts["meant"])
    if "order" in facts:
        found = {"count": Fraction(len(names)), "names": names, "all": not names, "others": names}
        return tuple(found[name] for name in facts["order"])
    return {
        "which": names,
        "count": Fraction(len(names)),
        "all": len(names) == total,
        "any": len(names) > 0,
        "none": not names,
        "at_least": len(names) >= facts.get("number", 0),
        "at_most": len(names) <= facts.get("number", 0),
    }[kind]


def _after(facts):
    """What holds after all events: the last one of each name is found from the end."""
    last = {}
    for i in reversed(range(len(facts["events"]))):
        last.setdefault(facts["events"][i][0], i)
    if "name" in facts:
        i = last[facts["name"]]
        return facts["states"][i] if facts["kind"] == "log state_of" else facts["events"][i][1] == facts["wanted"]
    events = [facts["events"][i] for i in sorted(last.values())]
    names = [name for name, on in events if on == facts["wanted"]]
    return names if facts["kind"] == "log which" else Fraction(len(names))
