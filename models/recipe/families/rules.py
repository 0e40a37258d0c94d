"""Rules over readings, states and flags: limits, ranges, and/or/not, else, hysteresis (over a series too), and rules
in order of priority; whether an action is due, the state of a device or of two, one of three words by limits, which of
several readings need something, one reading against another, and how long a state has lasted."""

import dataclasses
import random
import re
from fractions import Fraction

import arithmetic
import relations
import telemetry
import wording
import words
from assemble import Amount, Answer, build
from families import states

WEIGHT = 16
FAMILY = "rules"
TEXT = {"cond": str, "do": str}
THREE = {"a": str, "b": str, "c": str}
PAIR = {"noun": words.Noun, "a": words.Noun, "b": words.Noun}
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
        "all_three": THREE,
        "any_three": THREE,
        "either_but_not": THREE,
        "both_but_not": THREE,
        "flag": {"noun": words.Noun, "word": str},
        "row": TEXT,
        "rest": {},
        "thermostat": {"device": words.Noun, "on": str, "off": str},
        "start": {"device": words.Noun, "state": str},
        "is_then": {"device": words.Noun, "state": str},
        "series_is": {"device": words.Noun, "state": str},
        "series_which": {"device": words.Noun},
        "series_both": {"device": words.Noun},
        "within_of": {"name": words.Noun, "noun": words.Noun, "low": str, "high": str},
        "bands": {"first": words.Noun, "second": words.Noun, "band_a": str, "band_b": str},
        "met_and_action": {},
        "rule_and_action": {},
        "rule_number": {},
        "two_of": THREE,
        "should": {"do": str},
        "state_rule": {"device": words.Noun, "state": str, "other": str, "cond": str},
        "verb_rule": {"device": words.Noun, "does": str, "undoes": str, "cond": str},
        "what_state": {"device": words.Noun},
        "should_it": {"device": words.Noun, "verb": str},
        "bands_of": {"noun": words.Noun, "low": str, "mid": str, "high": str, "a": str, "b": str},
        "steps_of": {"noun": words.Noun, "top": str, "mid": str, "rest": str, "first": str, "second": str},
        "grade": {"noun": words.Noun},
        "outputs": {"first": words.Noun, "second": words.Noun},
        "duo": {"cond": str, "first": words.Noun, "second": words.Noun}
        | {f"{slot}_{which}": str for slot in ("state", "other") for which in "ab"},
        "where": {"noun": words.Noun, "rel": str, "do": str, "need": str},
        **{section: PAIR for section in ("exceeds", "falls_short")},
        **{f"{section}_by": PAIR | {"gap": str} for section in ("exceeds", "falls_short")},
        "lasts": {"noun": words.Noun, "state": str, "span": str},
        "since": {"noun": words.Noun, "state": str, "start": str, "now": str},
        "lasted": {"noun": words.Noun, "state": str, "time": str},
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
    ("light", True, "lamp", "lampe"),
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

# Limits of a thermostat in short.
SHORT = {
    "en": {">": ["above", "above", "over", "at more than"], "<": ["below", "below", "under", "at less than"]},
    "fr": {
        ">": ["au-dessus de", "au-dessus de", "à plus de"],
        "<": ["en dessous de", "en dessous de", "sous", "à moins de"],
    },
}
RUNNING = {
    "en": [("on", "off"), ("on", "off"), ("running", "stopped"), ("running", "idle")],
    "fr": [("en marche", "à l'arrêt"), ("en marche", "à l'arrêt"), ("en route", "à l'arrêt")]
    + [("allumé{device.e}", "éteint{device.e}"), ("en marche", "arrêté{device.e}")]
    + [("démarré{device.e}", "arrêté{device.e}")],
}
# Things that are or are not, `noun: key: it is so: it is not so[: a word for it]`.
FLAGS = {
    "en": """leak: leak: there is a leak: there is no leak: detected
        rain: rain: it is raining: it is not raining
        smoke: smoke: there is smoke: there is no smoke: detected
        frost: frost: there is frost: there is no frost
        manual button: manual_button: the manual button is pressed: the manual button is not pressed: pressed
        start button: start_button: the start button is pressed: the start button is not pressed: pressed
        fault: fault: there is a fault: there is no fault
        fire alarm: fire_alarm: the fire alarm is active: the fire alarm is not active: active
        presence: presence: somebody is present: nobody is present: detected
        motion: motion: there is motion: there is no motion: detected
        dry run: dry_run: the pump runs dry: the pump does not run dry
        override: override: the override is active: the override is not active: active
        holiday: holiday: it is a holiday: it is not a holiday
        night mode: night_mode: night mode is active: night mode is not active: active
        permit: permit: the permit is given: the permit is not given: given
        overload: overload: there is an overload: there is no overload
        water shortage: water_shortage: there is a water shortage: there is no water shortage
        guest: guest: a guest is there: no guest is there
        key: key: the key is turned: the key is not turned: turned
        bilge alarm: bilge_alarm: the bilge alarm is active: the bilge alarm is not active: active
        maintenance: maintenance: maintenance is under way: no maintenance is under way
        ice: ice: there is ice: there is no ice: detected
        animal inside: animal_inside: an animal is inside: no animal is inside
        doorbell: doorbell: the doorbell is pressed: the doorbell is not pressed: pressed""",
    "fr": """f fuite: fuite: il y a une fuite: il n'y a pas de fuite: détectée
        f pluie: pluie: il pleut: il ne pleut pas
        f fumée: fumee: il y a de la fumée: il n'y a pas de fumée: détectée
        m gel: gel: il gèle: il ne gèle pas
        m bouton manuel: bouton_manuel: le bouton manuel est appuyé: le bouton manuel n'est pas appuyé: appuyé
        m bouton marche: bouton_marche: le bouton marche est appuyé: le bouton marche n'est pas appuyé: appuyé
        m défaut: defaut: il y a un défaut: il n'y a pas de défaut
        f alarme incendie: alarme_incendie: l'alarme incendie est active: l'alarme incendie n'est pas active: active
        f présence: presence: il y a quelqu'un: il n'y a personne: détectée
        m mouvement: mouvement: il y a du mouvement: il n'y a pas de mouvement: détecté
        f marche à sec: marche_a_sec: la pompe tourne à sec: la pompe ne tourne pas à sec
        m forçage: forcage: le forçage est actif: le forçage n'est pas actif: actif
        m jour férié: ferie: c'est un jour férié: ce n'est pas un jour férié
        m mode nuit: mode_nuit: le mode nuit est actif: le mode nuit n'est pas actif: actif
        f autorisation: autorisation: l'autorisation est donnée: l'autorisation n'est pas donnée: donnée
        f surcharge: surcharge: il y a une surcharge: il n'y a pas de surcharge
        m manque d'eau: manque_eau: il y a un manque d'eau: il n'y a pas de manque d'eau
        m client: client: il y a un client: il n'y a pas de client
        f clé: cle: la clé est tournée: la clé n'est pas tournée: tournée
        f alarme de cale: alarme_cale: l'alarme de cale est active: l'alarme de cale n'est pas active: active
        f maintenance: maintenance: une maintenance est en cours: aucune maintenance n'est en cours
        m verglas: verglas: il y a du verglas: il n'y a pas de verglas: détecté
        m animal: animal: il y a un animal: il n'y a pas d'animal
        f sonnette: sonnette: la sonnette est appuyée: la sonnette n'est pas appuyée: appuyée""",
}
# How yes and no are written in data and in rules.
TRUTHS = {
    "en": [("yes", "no"), ("yes", "no"), ("true", "false"), ("true", "false"), ("1", "0")],
    "fr": [("oui", "non"), ("oui", "non"), ("oui", "non"), ("true", "false"), ("vrai", "faux"), ("1", "0")],
}
COUNTED = {
    "en": "visitors guests people cars orders requests pallets customers alarms jobs",
    "fr": "visiteurs clients personnes voitures commandes demandes palettes alarmes tâches lots",
}
# Devices with two states that may be in a third one.
DEVICES = {
    "en": """UV lamp:uv_lamp:on:off|return pump:return_pump:on:off|sump pump:sump_pump:running:stopped
        fan:fan:on:off|heater:heater:on:off|boiler:boiler:on:off|compressor:compressor:running:stopped
        conveyor:conveyor:running:stopped|mixer:mixer:running:stopped|inlet valve:inlet_valve:open:closed
        gate:gate:open:closed|roof vent:roof_vent:open:closed|charger:charger:charging:idle
        generator:generator:running:stopped|motor:motor:running:stopped|chiller:chiller:cooling:idle""",
    "fr": """f lampe UV:lampe_uv:en marche:à l'arrêt|f pompe de retour:pompe_retour:en marche:à l'arrêt
        f pompe de relevage:pompe_relevage:en marche:à l'arrêt|m ventilateur:ventilateur:allumé:éteint
        m chauffage:chauffage:allumé:éteint|f chaudière:chaudiere:allumée:éteinte
        m compresseur:compresseur:en marche:à l'arrêt
        m convoyeur:convoyeur:en marche:à l'arrêt|m mélangeur:melangeur:en marche:à l'arrêt
        f vanne d'arrivée:vanne_arrivee:ouverte:fermée|m portail:portail:ouvert:fermé|m ouvrant:ouvrant:ouvert:fermé
        f borne:borne:en charge:au repos|m groupe électrogène:groupe:en marche:à l'arrêt
        m moteur:moteur:en marche:à l'arrêt|m groupe froid:groupe_froid:en marche:à l'arrêt""",
}
DEVICES = {
    language: [
        words.Switch(words.nouns(language, head)[0], key, tuple(pair))
        for head, key, *pair in (entry.strip().split(":") for entry in re.split(r"\||\n", text))
    ]
    for language, text in DEVICES.items()
}
THIRD = {
    "en": ["blocked", "faulty", "in fault", "in standby", "standby", "unavailable", "unknown", "not responding"]
    + ["in maintenance", "offline", "jammed", "in test", "error"],
    "fr": ["en défaut", "en défaut", "en panne", "indisponible", "sans réponse", "en maintenance", "en veille"]
    + ["hors service", "en test", "en erreur", "hors ligne", "en sécurité"],
}
# What a device does that comes into a state: the verb by itself, and as it says it of one device.
VERBS = {
    "en": {
        "open": [("open", "opens")],
        "closed": [("close", "closes"), ("shut", "shuts")],
        "on": [("start", "starts"), ("switch on", "switches on"), ("come on", "comes on")],
        "off": [("stop", "stops"), ("switch off", "switches off"), ("go off", "goes off")],
        "running": [("run", "runs"), ("start", "starts")],
        "stopped": [("stop", "stops"), ("halt", "halts")],
    },
    "fr": {
        "ouvert": [("s'ouvrir", "s'ouvre")],
        "fermé": [("se fermer", "se ferme")],
        "en marche": [("démarrer", "démarre"), ("se mettre en marche", "se met en marche"), ("tourner", "tourne")],
        "à l'arrêt": [("s'arrêter", "s'arrête"), ("se mettre à l'arrêt", "se met à l'arrêt")],
        "allumé": [("s'allumer", "s'allume"), ("se mettre en marche", "se met en marche")],
        "éteint": [("s'éteindre", "s'éteint"), ("se couper", "se coupe")],
    },
}
# Three words for a reading from low to high, and those that get worse on either side.
GRADES = {
    "en": "low normal high|too low|OK|too high|cold mild hot|blue green red|weak medium strong|low medium high"
    "|insufficient OK excessive|poor fair good|level 1|level 2|level 3|class A|class B|class C|green orange red",
    "fr": "bas normal haut|trop bas|bon|trop haut|froid doux chaud|bleu vert rouge|faible moyen fort"
    "|faible correct élevé|mauvais moyen bon|niveau 1|niveau 2|niveau 3|classe A|classe B|classe C|vert orange rouge",
}
WORSE = {
    "en": "OK warning alarm|green yellow red|green orange red|normal elevated critical|normal warning critical"
    "|fine watch danger|info warning error|level 0|level 1|level 2|stage 1|stage 2|stage 3|good fair bad",
    "fr": "OK attention alarme|vert jaune rouge|vert orange rouge|normal surveillance critique|normal alerte danger"
    "|correct limite mauvais|info alerte erreur|niveau 0|niveau 1|niveau 2"
    "|palier 1|palier 2|palier 3|bon moyen mauvais",
}


def _triples(text):
    """`a b c|too low|OK|too high`: three words at once, or one after the other."""
    found, apart = [], []
    for part in text.split("|"):
        if len(part.split()) == 3 and not apart:
            found.append(tuple(part.split()))
            continue
        apart.append(part)
        if len(apart) == 3:
            found.append(tuple(apart))
            apart = []
    return found


GRADES, WORSE = ({language: _triples(text) for language, text in table.items()} for table in (GRADES, WORSE))
GRADE = {
    "en": "state status level class grade category label verdict".split(),
    "fr": "etat statut niveau classe categorie mention verdict libelle".split(),
}
# What several things may need: quantity, side, what is done, and what is needed (in French with its preposition).
NEEDS = [
    ("temperature", "<", ("heat", "heating"), ("chauffer", "de chauffage")),
    ("temperature", "<", ("heat", "heating"), ("chauffer", "de chauffage")),
    ("temperature", ">", ("cool", "cooling"), ("refroidir", "de refroidissement")),
    ("humidity", ">", ("ventilate", "ventilation"), ("ventiler", "de ventilation")),
    ("humidity", "<", ("humidify", "humidifying"), ("humidifier", "d'humidification")),
    ("soil", "<", ("irrigate", "irrigation"), ("arroser", "d'arrosage")),
    ("soil", "<", ("water", "watering"), ("arroser", "d'arrosage")),
    ("level", "<", ("refill", "refilling"), ("remplir", "de remplissage")),
    ("level", ">", ("drain", "draining"), ("vidanger", "de vidange")),
    ("battery", "<", ("recharge", "recharging"), ("recharger", "de recharge")),
    ("co2", ">", ("air", "airing"), ("aérer", "d'aération")),
    ("light", "<", ("light", "lighting"), ("éclairer", "d'éclairage")),
]
# How long: what stands before a time that must be passed, or reached.
SPANS = {
    "en": [(">", "more than {}"), (">", "more than {}"), (">", "over {}"), (">", "longer than {}")]
    + [(">=", "at least {}")],
    "fr": [(">", "plus de {}"), (">", "plus de {}"), (">", "plus de {}"), (">=", "au moins {}")],
}
TIMES = {
    "en": [["minutes", "min"], ["minutes", "min"], ["seconds", "s", "sec"], ["hours", "h"]],
    "fr": [["minutes", "min"], ["minutes", "min", "mn"], ["secondes", "s", "sec"], ["heures", "h"]],
}
# What JSON may call a truth, an action and their like.
MET = {
    "en": "met condition_met condition holds is_met triggered fulfilled applies rule_met satisfied",
    "fr": "remplie condition_remplie condition declenche vraie est_remplie condition_vraie satisfaite regle_vraie",
}
INSIDE = {
    "en": "in_range within ok in_band inside within_limits compliant in_spec",
    "fr": "dans_la_plage conforme ok dans_les_limites dans_la_bande respecte dans_la_fourchette plage_ok",
}
DO = {
    "en": "action command order todo what_to_do next_action decision",
    "fr": "action commande ordre a_faire consigne_a_suivre action_a_faire decision",
}
WHICH_RULE = {
    "en": "rule rule_number rule_no line matched_rule winning_rule rule_id",
    "fr": "regle numero_regle no_regle ligne regle_retenue num_regle regle_gagnante",
}
RUNS = {
    "en": "on is_on running on_at_end ends_on final_on on_after",
    "fr": "en_marche allume tourne marche_fin en_marche_a_la_fin marche_finale en_route",
}
CHANGES = {
    "en": "changes switchings state_changes n_changes times_switched switch_count number_of_changes",
    "fr": "changements bascules nb_changements nb_bascules changements_etat nombre_de_bascules commutations",
}


@dataclasses.dataclass
class Flag(telemetry.Fact):
    """A fact told by yes or no, by the like, or by a number of things; or, where `said` is given, by that clause."""

    said: str = ""


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
    kinds = [_simple, _combined, _check, _within, _within_of, _hysteresis, _series, _priority, _bands, _met]
    kinds += [_should, _state_after, _grade, _outputs, _where, _against, _lasting]
    kind = rng.choices(kinds, [20, 25, 13, 8, 4, 14, 9, 17, 3, 3, 8, 7, 9, 5, 6, 6, 6])[0]
    while True:
        made = kind(rng, language, held_out)
        if not _contradicted(made):
            return made


# Remarks that do not matter beside a reading, but would beside a flag, a count of people or a door.
SPEAKS = {
    "en": "It is raining outside|The sun is shining|Nobody is at home|The building is empty|We have guests|"
    "All devices report|There was no alarm|All is well|The front door is locked|The network was|The line is up|"
    "Everyone is on holiday|The children are|crew has left|Nobody touched|It is still dark",
    "fr": "Il pleut dehors|Il fait beau|Il n'y a personne à la maison|Le bâtiment est vide|Nous avons des invités|"
    "Tous les appareils répondent|Aucune alarme|Tout va bien|La porte d'entrée est fermée à clé|Le réseau était|"
    "La ligne est rétablie|Tout le monde est en vacances|Les enfants sont|est partie\\.|Il fait encore nuit",
}


def _contradicted(made):
    """Whether a remark may seem to tell what a condition asks for."""
    if "state" not in made.facts and all(check[0] == "limit" for check in made.facts["checks"]):
        return False
    told = made.system + "\n".join(turn["content"] for turn in made.messages)
    return bool(re.search(SPEAKS[made.language], told))


# Conditions ------------------------------------------------------------


def _quantities(rng, count):
    """Different quantities, none of which could be taken for another."""
    pool = {q.noun["en"].text: q for q in rng.sample(words.QUANTITIES, len(words.QUANTITIES))}
    names = sorted(pool)
    names.remove(rng.choice(["humidity", "soil moisture"]))
    return [pool[name] for name in rng.sample(names, count)]


def measure(rng, quantity):
    """A value of the quantity and its decimals."""
    decimals = rng.choice(quantity.decimals)
    scale = 10**decimals
    return rng.randint(round(quantity.low * scale), round(quantity.high * scale)), decimals


def _limit_condition(rng, language, held_out, quantity, separator, negate=0.12, keyed=False):
    """The reading of a quantity against a limit; `keyed` ones are called as the data calls them."""
    noun = _key(rng, language, quantity) if keyed else quantity.noun[language]
    value, decimals = measure(rng, quantity)
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
        line, holds = negated_line(line, holds)
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


def negated_line(line, holds):
    return f"not {line}, {'no' if holds else 'yes'}", not holds


def state_condition(rng, language, held_out, switch):
    asked, on, negated = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.25
    wanted = switch.words[0 if asked else 1]
    text = relations.state_clause(rng, language, held_out, switch.noun, wanted, negated).text
    fact = telemetry.state(switch, on)
    holds = asked == on
    line = f"{wanted}:{fact.word} {'yes' if holds else 'no'}"
    if negated:
        line, holds = negated_line(line, holds)
    return Condition(text, fact, line, holds, ("state", wanted, fact.word, negated))


def draw_conditions(rng, language, held_out, count, separator, states=True):
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
        conditions[place] = state_condition(rng, language, held_out, switch)
    return conditions


def _flag_condition(rng, language, held_out):
    """A condition on what is told by yes and no, or by a word for it."""
    line = rng.choice(FLAGS[language].splitlines()).strip()
    head, key, is_so, is_not, *word = line.split(": ")
    noun = words.nouns(language, head)[0]
    pairs = list(TRUTHS[language])
    if word:
        pairs += [(word[0], f"{'not' if language == 'en' else 'non'} {word[0]}")] * 2
    asked, on = rng.random() < 0.7, rng.random() < 0.5
    written = rng.choice(pairs)
    stands = written if rng.random() < 0.75 else rng.choice(pairs)
    spoken = rng.random() < 0.18
    wanted, told = written[0 if asked else 1], (words.YES_NO[language] if spoken else stands)[0 if on else 1]
    if rng.random() < 0.4:
        text, wanted = (is_so if asked else is_not), words.YES_NO[language][0 if asked else 1]
    else:
        called = words.Noun(key, language, "") if rng.random() < 0.35 else noun
        text = WORDING.say(rng, language, "flag", held_out, noun=called, word=wanted).text
    if re.fullmatch("true|false|[01]", told):
        told = telemetry.Number(told)
    fact = Flag(noun, key, word=told, said=(is_so if on else is_not) if spoken else "")
    holds = asked == on
    return Condition(text, fact, f"{wanted}:{told} {yes_or_no(holds)}", holds, ("flag", wanted, str(told)))


def _count_condition(rng, language):
    """`visitors = 0`."""
    name = rng.choice(COUNTED[language].split())
    wanted = rng.choice([0, 0, 0, 1, 2])
    count = wanted if rng.random() < 0.4 else rng.choice([n for n in range(8) if n != wanted])
    equal = rng.choice(["{} = {}", "{} = {}", "{}={}", "{} == {}", "{} : {}" if language == "fr" else "{}: {}"])
    noun = words.Noun(name, language, "")
    fact = Flag(noun, name.replace("â", "a"), word=telemetry.Number(count))
    holds, text = wanted == count, equal.format(noun, wanted)
    check = ("state", str(wanted), str(count), False)
    return Condition(text, fact, f"{wanted}:{count} {yes_or_no(holds)}", holds, check)


def _device_condition(rng, language, held_out):
    """A condition on a device that may be in neither of its two states; mostly it is."""
    device = rng.choice(DEVICES[language])
    noun = words.Noun(device.key, language, "") if rng.random() < 0.4 else device.noun
    wanted, negated = rng.choice(device.words), rng.random() < 0.5
    stands = rng.choice(THIRD[language]) if rng.random() < 0.65 else rng.choice(device.words)
    text = relations.state_clause(rng, language, held_out, noun, wanted, negated).text
    holds = wanted == stands
    line = f"{wanted}:{stands} {yes_or_no(holds)}"
    if negated:
        line, holds = negated_line(line, holds)
    fact = telemetry.Fact(noun, device.key, word=stands)
    return Condition(text, fact, line, holds, ("state", wanted, stands, negated))


def _any_conditions(rng, language, held_out, count, separator):
    """As `draw_conditions`, and flags, counts, devices in a third state, or nothing but states."""
    chance = rng.random()
    if chance < 0.6:
        return draw_conditions(rng, language, held_out, count, separator)
    while True:
        conditions = draw_conditions(rng, language, held_out, count, separator, states=False)
        if chance < 0.7 and count > 1:
            switches = rng.sample(words.SWITCHES[language], count)
            conditions = [state_condition(rng, language, held_out, switch) for switch in switches]
        others = rng.choices([1, 2, 3], [5, 3, 1])[0]
        for place in rng.sample(range(count), min(count, others)):
            kind = rng.random()
            if kind < 0.6:
                conditions[place] = _flag_condition(rng, language, held_out)
            elif kind < 0.88:
                conditions[place] = _device_condition(rng, language, held_out)
            else:
                conditions[place] = _count_condition(rng, language)
        if _apart(conditions):
            return conditions


def _apart(conditions):
    """Whether no two conditions are about the same thing, or one that is called alike."""
    names = [{word for word in re.split(r"[ _]", c.fact.key.lower()) if len(word) > 2} for c in conditions]
    return all(not a & b for i, a in enumerate(names) for b in names[:i])


def _told(rng, language, facts, separator):
    """Tells facts; flags, which no sentence can hold as `the leak is yes`, in lists or clauses of their own."""
    facts = [_felt(rng, language, fact, facts, separator) for fact in facts]
    spoken = [fact.said for fact in facts if isinstance(fact, Flag) and fact.said]
    rest = [fact for fact in facts if not (isinstance(fact, Flag) and fact.said)]
    said = wording.capital(telemetry.joined(spoken, language)) + "." if spoken else ""
    if not rest:
        return telemetry.Told(said, "sentence", [], False, "")
    while True:
        told = telemetry.tell_facts(rng, language, rest, separator)
        if told.layout not in ("sentence", "sentences") or not any(isinstance(fact, Flag) for fact in rest):
            break
    if spoken:
        told.text = said + ("\n" if told.block else " ") + wording.capital(told.text)
    return told


def _felt(rng, language, fact, facts, separator):
    """Now and then the only temperature beside other things as one says it: `it is 29 °C`."""
    alone = sum(other.unit == "°C" for other in facts) == 1 < len(facts)
    plain = fact.unit == "°C" and str(fact.noun) in ("temperature", "température")
    if not (alone and plain and separator and rng.random() < 0.15):
        return fact
    it_is = rng.choice(["it is", "it's"] if language == "en" else ["il fait", "il fait", "on a"])
    return Flag(fact.noun, fact.key, said=f"{it_is} {telemetry.written(fact.value, separator)} {fact.unit}")


def status(rng, language, conditions, separator, devices=()):
    """What is known now, in any order, with something irrelevant now and then; a single reading may stand without
    the name of its quantity."""
    facts = list({condition.fact.key: condition.fact for condition in conditions}.values())
    if len(facts) == 1 and facts[0].value and rng.random() < 0.35:
        return telemetry.tell_bare(rng, language, facts[0], separator)
    taken = {str(fact.noun) for fact in facts} | {str(device) for device in devices}
    units = {fact.unit for fact in facts}
    for _ in range(rng.choices([0, 1, 2], [6, 3, 1])[0]):
        if rng.random() < 0.7:
            quantity = rng.choice(words.QUANTITIES)
            if str(quantity.noun[language]) in taken or quantity.unit in units:
                continue
            facts.append(telemetry.reading(rng, language, quantity, *measure(rng, quantity)))
        else:
            switch = rng.choice(words.SWITCHES[language])
            if str(switch.noun) in taken or any(fact.key == switch.key for fact in facts):
                continue
            facts.append(telemetry.state(switch, rng.random() < 0.5))
        taken.add(str(facts[-1].noun))
        units.add(facts[-1].unit)
    if rng.random() < 0.4:
        rng.shuffle(facts)
    return _told(rng, language, facts, separator)


def _numbered(conditions):
    if len(conditions) == 1:
        return [conditions[0].line]
    return [f"{i + 1} {condition.line}" for i, condition in enumerate(conditions)]


def yes_or_no(truth):
    return "yes" if truth else "no"


# Kinds ------------------------------------------------------------


def _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule, *others):
    """The problem that a rule decides, of which words are copied; `others` are further wordings that were used."""
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, told, separator, exact=True,
        rule=wording.capital(rule.text), phrasings=[rule, *others], facts=facts,
    )  # fmt: skip


def _finish(
    rng, language, held_out, kind, rule, question, lines, action, told, separator, facts, command=False, answer=None
):  # fmt: skip
    """The problem whose answer is an action, or a program's word for it, which is copied as it stands."""
    answer = answer or Answer("{action}" if command else "{action}.", {"action": action}, capital=not command)
    facts = {"kind": kind, "action": action, **facts}
    return _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule)


def say_rule(rng, language, held_out, condition, action):
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
    conditions = _any_conditions(rng, language, held_out, 1, separator)
    return _decide(rng, language, held_out, separator, conditions, conditions[0].text, "1")


def _combined(rng, language, held_out):
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3], [5, 5])[0]
    conditions = _any_conditions(rng, language, held_out, count, separator)
    clause, logic = _clause(rng, language, held_out, conditions)
    return _decide(rng, language, held_out, separator, conditions, clause, logic)


WAYS = {
    1: {},
    2: {("both", "1&2"): 4, ("either", "1|2"): 4, ("but_not", "1&!2"): 3},
    3: {
        ("both_or", "1&2|3"): 3,
        ("and_either", "1&(2|3)"): 3,
        ("all_three", "1&2&3"): 3,
        ("any_three", "1|2|3"): 3,
        ("either_but_not", "(1|2)&!3"): 3,
        ("both_but_not", "1&2&!3"): 2,
        ("two_of", "2of3"): 3,
    },
}


def _clause(rng, language, held_out, conditions):
    """Conditions tied together: how that is worded, and the logic of it."""
    if len(conditions) == 1:
        return conditions[0].text, "1"
    ways = WAYS[len(conditions)]
    section, logic = rng.choices(list(ways), ways.values())[0]
    texts = dict(zip("abc", (condition.text for condition in conditions)))
    return WORDING.say(rng, language, section, held_out, **texts).text, logic


LOGIC = {
    "1": lambda a: a,
    "1&2": lambda a, b: a and b,
    "1|2": lambda a, b: a or b,
    "1&!2": lambda a, b: a and not b,
    "1&2|3": lambda a, b, c: (a and b) or c,
    "1&(2|3)": lambda a, b, c: a and (b or c),
    "1&2&3": lambda a, b, c: a and b and c,
    "1|2|3": lambda a, b, c: a or b or c,
    "(1|2)&!3": lambda a, b, c: (a or b) and not c,
    "1&2&!3": lambda a, b, c: a and b and not c,
    "2of3": lambda a, b, c: a + b + c >= 2,
}


def combination(logic, holds):
    """`1&2 yes no=no`; for three conditions the pair first: `1&2|3 yes no=no no=no`; for two of them those that hold
    are counted: `2of3 yes 1 no 1 yes 2=yes`."""
    said, result = [yes_or_no(value) for value in holds], LOGIC[logic](*holds)
    if logic == "2of3":
        counted = " ".join(f"{word} {sum(holds[: i + 1])}" for i, word in enumerate(said))
        return f"{logic} {counted}={yes_or_no(result)}", result
    if logic in ("1&2|3", "1&2&3", "1&2&!3", "1|2|3", "(1|2)&!3"):
        pair = yes_or_no(holds[0] and holds[1] if "1&2" in logic else holds[0] or holds[1])
        return f"{logic} {said[0]} {said[1]}={pair} {said[2]}={yes_or_no(result)}", result
    if logic == "1&(2|3)":
        pair = yes_or_no(holds[1] or holds[2])
        return f"{logic} {said[1]} {said[2]}={pair} {said[0]}={yes_or_no(result)}", result
    return f"{logic} {' '.join(said)}={yes_or_no(result)}", result


def _decide(rng, language, held_out, separator, conditions, clause, logic, several=False):
    """What a rule does; `several`: whether its condition holds is asked too."""
    action, command = words.action(rng, language), rng.random() < 0.1 and not several
    if command:
        action = _command(rng, action)
    rule, otherwise = say_rule(rng, language, held_out, clause, action)
    if several and rng.random() < 0.6:
        question = WORDING.say(rng, language, "met_and_action", held_out)
    else:
        question = WORDING.say(rng, language, "todo", held_out, device=action.device)
    told = status(rng, language, conditions, separator, [action.device])
    lines = ["check + rule" if several else "rule", *_numbered(conditions)]
    holds = [condition.holds for condition in conditions]
    result = holds[0]
    if len(conditions) > 1:
        line, result = combination(logic, holds)
        lines.append(line)
    lines.append("do" if result else "else" if otherwise == action.undo else "nothing")
    facts = {
        "logic": logic,
        "checks": [condition.check for condition in conditions],
        "do": action.do,
        "otherwise": otherwise,
    }
    chosen, answer = action.do if result else otherwise, None
    if several:
        keys = {"truth": MET[language].split(), "action": DO[language].split()}
        answer = Answer("", {"truth": result, "action": chosen}, keys, several=True)
        lines.insert(-1, f"={yes_or_no(result)}")
    command = command and chosen in (action.do, action.undo)
    return _finish(
        rng, language, held_out, "met" if several else "rule", rule, question, lines, chosen, told, separator, facts,
        command, answer,
    )  # fmt: skip


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


def truth_answer(language, holds, keys=None):
    """Yes or no; `keys` by language are what JSON may call it, beside the usual names."""
    said = words.YES_NO[language][0 if holds else 1]
    return Answer(f"{said}.", {"truth": holds}, {"truth": keys[language].split()} if keys else {})


def _check(rng, language, held_out):
    """Is the reading above the limit? Or do two conditions hold?"""
    separator = telemetry.separator(rng, language)
    count, logic = rng.choices([1, 2, 3], [6, 2, 3])[0], "1"
    if count == 1 and rng.random() < 0.5:
        quantity = _quantities(rng, 1)[0]
        conditions, question = _plain_check(rng, language, held_out, quantity, separator)
    else:
        conditions = _any_conditions(rng, language, held_out, count, separator)
        clause, logic = _clause(rng, language, held_out, conditions)
        question = WORDING.say(rng, language, "check", held_out, cond=clause)
    told = status(rng, language, conditions, separator)
    lines = ["check", *_numbered(conditions)]
    holds = [condition.holds for condition in conditions]
    result = holds[0]
    if count > 1:
        line, result = combination(logic, holds)
        lines.append(line)
    facts = {
        "kind": "check",
        "logic": logic,
        "checks": [condition.check for condition in conditions],
    }
    answer = truth_answer(language, result, MET)
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
    value, decimals = measure(rng, quantity)
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


def _band(rng, value, decimals, unit, separator):
    """Two limits near a value, (low, high, decimals), and how they are written."""
    first, first_decimals = relations.limit_near(rng, value, decimals)
    wide = max(2, abs(value) // rng.choice([3, 6, 12]))
    low = first * 10 ** (decimals - first_decimals) if first_decimals <= decimals else first
    low -= rng.choice([0, wide])
    high = low + wide + rng.randint(0, wide)
    limit_decimals = decimals
    if decimals and rng.random() < 0.6:
        low, high, limit_decimals = low // 10**decimals, high // 10**decimals + 1, 0
    texts = [telemetry.written(arithmetic.text(limit, limit_decimals), separator) for limit in (low, high)]
    if rng.random() < 0.6:
        texts[1] += f" {unit}"
    return (low, high, limit_decimals), texts


def _inside(number, low, high, limit_decimals):
    """Whether a number lies in a band, its limits included: lines, truth, and the checks that decide it."""
    line, holds = arithmetic.comparison(*number, ">=", low, limit_decimals)
    lines = [line]
    if holds:
        line, holds = arithmetic.comparison(*number, "<=", high, limit_decimals)
        lines.append(line)
    checks = [("limit", number, ">=", (low, limit_decimals), False)]
    return lines, holds, [*checks, ("limit", number, "<=", (high, limit_decimals), False)]


def _within(rng, language, held_out):
    """Between two limits, both included."""
    separator = telemetry.separator(rng, language)
    quantity = _quantities(rng, 1)[0]
    value, decimals = measure(rng, quantity)
    (low, high, limit_decimals), texts = _band(rng, value, decimals, quantity.unit, separator)
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
    told = status(rng, language, [Condition("", fact, "", True, ())], separator)
    lines, holds, checks = _inside((value, decimals), low, high, limit_decimals)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        ["within", *lines],
        truth_answer(language, holds, INSIDE),
        told,
        separator,
        facts={"kind": "check", "logic": "1&2", "checks": checks},
    )


def _within_of(rng, language, held_out):
    """Whether one of several named readings lies in a band."""
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(rng, language, rng.choice([2, 3, 3, 4, 5]), held_out, negative=False)
    place = rng.randrange(len(readings.values))
    number, name = (readings.values[place], readings.decimals), readings.names[place]
    (low, high, limit_decimals), texts = _band(rng, *number, readings.unit, separator)
    said = {"name": name, "noun": readings.noun, "low": texts[0], "high": texts[1]}
    question = WORDING.say(rng, language, "within_of", held_out, **said)
    told = telemetry.tell(rng, readings, separator, distract=rng.random() < 0.2)
    lines, holds, checks = _inside(number, low, high, limit_decimals)
    lines[0] = f"{name} {lines[0]}"
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        ["within", *lines],
        truth_answer(language, holds, INSIDE),
        told,
        separator,
        exact=True,
        facts={"kind": "check", "logic": "1&2", "checks": checks},
    )


def _bands(rng, language, held_out):
    """Whether each of two readings lies in its band: two truths."""
    separator = telemetry.separator(rng, language)
    pair = _quantities(rng, 2)
    conditions, said, lines, truths, checks, keys = [], {}, ["within + within"], {}, [], {}
    forms = {
        "en": ["{}_ok", "{}_in_range", "{}_within", "ok_{}", "{}_inside", "{}_in_band"],
        "fr": ["{}_ok", "{}_dans_la_plage", "{}_conforme", "ok_{}", "{}_dans_les_limites", "{}_respecte"],
    }[language]
    for i, quantity in enumerate(pair):
        number = measure(rng, quantity)
        (low, high, limit_decimals), texts = _band(rng, *number, quantity.unit, separator)
        fact = telemetry.reading(rng, language, quantity, *number)
        conditions.append(Condition("", fact, "", True, ()))
        found, holds, both = _inside(number, low, high, limit_decimals)
        lines += [f"{i + 1} {fact.noun} {found[0]}", *found[1:], f"={yes_or_no(holds)}"]
        checks.append(both)
        field = "ab"[i]
        truths[field] = holds
        keys[field] = [form.format(key) for key in quantity.keys[language] for form in forms]
        said[f"band_{field}"] = (" to " if language == "en" else " à ").join(texts)
    first, second = (condition.fact.noun for condition in conditions)
    question = WORDING.say(rng, language, "bands", held_out, first=first, second=second, **said)
    told = status(rng, language, conditions, separator)
    facts = {"kind": "bands", "checks": [], "bands": checks}
    answer = Answer("", truths, keys, several=True)
    return build(rng, FAMILY, language, held_out, question, lines, answer, told, separator, facts=facts)


def _met(rng, language, held_out):
    """Whether the condition of a rule holds, and what is done: two answers."""
    separator = telemetry.separator(rng, language)
    conditions = _any_conditions(rng, language, held_out, rng.choice([1, 1, 2, 3]), separator)
    clause, logic = _clause(rng, language, held_out, conditions)
    return _decide(rng, language, held_out, separator, conditions, clause, logic, True)


def _switched(rng, language):
    """What is switched by a hysteresis: quantity, device, and its two relations, on and off."""
    id_, starts_low, english, french = rng.choice(HYSTERESIS)
    quantity = rng.choice([q for q in words.QUANTITIES if q.id == id_])
    name = rng.choice((english if language == "en" else french).split())
    device = next(a.device for a in words.ACTIONS[language] if a.device.text == name)
    return quantity, device, ("<", ">") if starts_low else (">", "<")


def _thermostat(rng, language, held_out, quantity, device, ways, separator):
    """A hysteresis told by its device: `switches on above 20.5 °C and off below 18.5 °C`; `ways` are the relation and
    the limit of on and of off."""
    said = []
    for relation, limit, decimals in ways:
        number = telemetry.written(arithmetic.text(limit, decimals), separator)
        said.append(f"{rng.choice(SHORT[language][relation])} {number} {quantity.unit}")
    return WORDING.say(rng, language, "thermostat", held_out, device=device, on=said[0], off=said[1])


def _history(rng, language, readings, separator):
    """Tells readings in the order of time."""
    chance = rng.random()
    if chance < 0.3:
        values = telemetry.shown(rng, readings, separator)
        unit = rng.choice([f" {readings.unit}", ""])
        text = "\n".join(f"{value}{unit}" for value in values)
        stands = separator if any(separator in value for value in values) else ""
        return telemetry.Told(text, "lines", [], True, stands)
    if chance < 0.55:
        return telemetry.timed(rng, readings, separator)
    while True:
        told = telemetry.series(rng, readings, separator)
        # Some of what may stand around a series speaks of several places.
        if re.match(r"[\d\[]", told.text):
            return told


def _running(rng, language, device):
    """The words for on and off as they agree with the device."""
    return tuple(word.format(device=device) for word in rng.choice(RUNNING[language]))


def _on(state):
    return "on" if state else "off"


def _run(values, decimals, ways, on):
    """A hysteresis reading by reading: the comparisons, each with the limit that counts in the state so far, and the
    state after each."""
    steps, states = [], []
    for value in values:
        line, crossed = arithmetic.comparison(value, decimals, *ways[1 if on else 0])
        on = on != crossed
        steps.append(line)
        states.append(on)
    return steps, states


def _series(rng, language, held_out):
    """A hysteresis over readings in order: the state after the last, as a state, as yes or no, or with the number of
    changes."""
    separator = telemetry.separator(rng, language)
    quantity, device, (on_relation, off_relation) = _switched(rng, language)
    decimals = rng.choice(quantity.decimals)
    scale = 10**decimals
    least, most = max(scale, round(quantity.low * scale)), round(quantity.high * scale)
    span = max(3, (most - least) // rng.choice([12, 20, 40]))
    low = rng.randint(least + span, max(least + span, most - 2 * span))
    high, limit_decimals = low + rng.randint(2, span), decimals
    reach = max(2, (high - low) * 2 // 3)
    bounds, number = (low - reach, high + reach), rng.choice([3, 4, 4, 5, 5, 6])
    if decimals and rng.random() < 0.5:
        low, high, limit_decimals = low // scale, high // scale + 1, 0
    on_limit, off_limit = (low, high) if on_relation == "<" else (high, low)
    ways = [(on_relation, on_limit, limit_decimals), (off_relation, off_limit, limit_decimals)]
    rule = _thermostat(rng, language, held_out, quantity, device, ways, separator)
    pair = _running(rng, language, device)
    start = rng.random() < 0.35
    begin = WORDING.say(rng, language, "start", held_out, device=device, state=pair[0 if start else 1])
    pair = pair if rng.random() < 0.5 else _running(rng, language, device)
    ask, moves = rng.choices(["which", "is", "both"], [4, 5, 2])[0], rng.random() < 0.85
    for _ in range(20):
        values = [rng.randint(*bounds) for _ in range(number)]
        steps, states = _run(values, decimals, ways, start)
        changes = sum(a != b for a, b in zip([start, *states], states))
        if changes or not moves:
            break
    on, count, lines = states[-1], 0, ["hysteresis + count" if ask == "both" else "hysteresis"]
    lines.append(f"0:{_on(start)}")
    for i, (step, before, after) in enumerate(zip(steps, [start, *states], states)):
        count += before != after
        lines.append(f"{i + 1}:{step} {_on(after)}" + (f" #{count}" if ask == "both" else ""))
    asked = rng.random() < 0.7
    slots = {"device": device} | ({"state": pair[0 if asked else 1]} if ask == "is" else {})
    question = WORDING.say(rng, language, f"series_{ask}", held_out, **slots)
    question = question.within(f"{begin.text} {question.text}")
    state = STATES[language][0 if on else 1]
    if ask == "is":
        answer = truth_answer(language, on == asked)
    elif ask == "which":
        lines.append(f"={_on(on)}")
        answer = Answer("{state}.", {"state": state})
    else:
        lines += [f"={_on(on)}", f"={changes}"]
        keys = {"truth": RUNS[language].split(), "count": CHANGES[language].split()}
        answer = Answer("", {"truth": on, "count": Amount(changes)}, keys, several=True)
    readings = telemetry.Readings(quantity, language, decimals, [], values)
    told = _history(rng, language, readings, separator)
    facts = {"kind": "series", "checks": [], "ask": ask, "asked": asked, "start": start, "states": STATES[language]}
    facts["values"] = [Fraction(value, scale) for value in values]
    facts["limits"] = [(relation, Fraction(limit, 10**places)) for relation, limit, places in ways]
    return _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule, begin)


def _hysteresis(rng, language, held_out):
    """On at one limit, off at another, unchanged between; asked for the action or for the state
    after it."""
    separator = telemetry.separator(rng, language)
    quantity, device, (on_relation, off_relation) = _switched(rng, language)
    noun = quantity.noun[language]
    value, decimals = measure(rng, quantity)
    unit = max(1, abs(value) // 25)
    low = value + rng.choice([-3, -1, -1, 1]) * rng.randint(1, 2 * unit)
    high = max(low, value if low < value else low) + rng.randint(1, 3 * unit)
    scale = 10**decimals
    limit_decimals = decimals
    if decimals and rng.random() < 0.6:
        low, high, limit_decimals = low // scale, high // scale + 1, 0
    low, high = max(1, low), max(2, high)
    on_limit, off_limit = (low, high) if on_relation == "<" else (high, low)

    def clause(relation, limit):
        text = relations.limit_text(rng, limit, limit_decimals, quantity.unit, separator)
        return relations.clause(rng, language, held_out, noun, relation, text).text

    do, undo = (text.format(device=device) for text in rng.choice(ON_OFF[language]))
    asks = rng.choices(["action", "state", "truth"], [4, 3, 3])[0]
    if asks != "action" and rng.random() < 0.5:
        ways = [(on_relation, on_limit, limit_decimals), (off_relation, off_limit, limit_decimals)]
        rule = _thermostat(rng, language, held_out, quantity, device, ways, separator)
    else:
        on, off = clause(on_relation, on_limit), clause(off_relation, off_limit)
        rule = WORDING.say(rng, language, "hysteresis", held_out, on=on, off=off, do=do, undo=undo)
    was_on, asked = rng.random() < 0.5, rng.random() < 0.7
    pair = _running(rng, language, device) if asks == "truth" else STATES[language]
    state = pair[0 if was_on else 1]
    now = WORDING.say(rng, language, "now", held_out, device=device, state=state)
    section = {"action": "todo", "state": "which_state", "truth": "is_then"}[asks]
    slots = {"state": pair[0 if asked else 1]} if asks == "truth" else {}
    question = WORDING.say(rng, language, section, held_out, device=device, **slots)
    question = question.within(f"{now.text} {question.text}")
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    told = status(rng, language, [Condition("", fact, "", True, ())], separator, [device])
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
            {
                "action": (do, undo, words.NO_CHANGE[language]),
                "state": (*STATES[language], state),
                "truth": (asked, not asked, was_on == asked),
            }[asks]
        ),
    }
    result = STATES[language][0 if after else 1]
    if asks == "action":
        return _finish(
            rng,
            language,
            held_out,
            "hysteresis",
            rule,
            question,
            lines,
            action,
            told,
            separator,
            facts,
        )
    answer = Answer("{state}.", {"state": result})
    if asks == "truth":
        answer = truth_answer(language, after == asked)
    facts = {"kind": "hysteresis", **facts}
    return _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule, now)


def _same_quantity(rng, language, held_out, conditions, separator):
    """Another of the conditions is on the quantity of one that has a limit: above one, below another."""
    places = [i for i, condition in enumerate(conditions) if condition.check[0] == "limit"]
    if len(places) < 2:
        return
    one, two = rng.sample(places, 2)
    fact, (_, number, relation, (limit, limit_decimals), _) = conditions[one].fact, conditions[one].check
    other = "<" if relation[0] == ">" else ">"
    gap = rng.randint(1, max(2, abs(limit) // 10))
    limit = limit - gap if other == "<" else limit + gap
    text = telemetry.written(arithmetic.text(limit, limit_decimals), separator)
    text = f"{text} {fact.unit}" if rng.random() < 0.7 else text
    clause = relations.clause(rng, language, held_out, fact.noun, other, text).text
    line, holds = arithmetic.comparison(*number, other, limit, limit_decimals)
    check = ("limit", number, other, (limit, limit_decimals), False)
    conditions[two] = Condition(clause, fact, line, holds, check)


def _listed(rng, language, held_out, pairs, last):
    """The items of a list of rules; mostly all of them are built alike, as rows or as sentences. `last` is what the
    line for all other cases does, if there is one."""
    chance = rng.random()
    if chance < 0.4:
        items = [WORDING.say(rng, language, "item", held_out, cond=cond, do=do).text for cond, do in pairs]
    else:
        section, alike = "row" if chance < 0.8 else "item", rng.random()
        template = WORDING.pick(rng, language, section, held_out)
        if section == "row" and last:
            pairs, last = [*pairs, (WORDING.say(rng, language, "rest", held_out).text, last)], None
        said = [template.say(random.Random(alike), {"cond": cond, "do": do}).text for cond, do in pairs]
        items = [wording.elided(text) if language == "fr" else text for text in said]
    if last:
        items.append(WORDING.say(rng, language, "otherwise", held_out, undo=last).text)
    return items


def _priority(rng, language, held_out):
    """Rules in order of which the first that applies counts; which one that is may be asked too."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [4, 4, 1])[0]
    conditions = _any_conditions(rng, language, held_out, count, separator)
    if rng.random() < 0.3:
        _same_quantity(rng, language, held_out, conditions, separator)
    actions = words.actions(rng, language, count + 1)
    found = any(condition.holds for condition in conditions)
    ask = rng.choices(["action", "both", "number"], [60, 28, 12])[0] if found else "action"
    several, numbered_ask = ask == "both", ask != "action"
    head = WORDING.say(rng, language, "priority", held_out, n=str(count))
    chance, last, told_last = rng.random(), words.NOTHING[language], None
    if chance < 0.45:
        last = told_last = actions[-1].undo
    elif chance < 0.65:
        told_last = last
    pairs = [(condition.text, action.do) for condition, action in zip(conditions, actions)]
    items = _listed(rng, language, held_out, pairs, told_last)
    numbered = ["{}. ", "{}. ", "{}) ", "R{}: ", "P{}: "]
    mark = rng.choice(numbered if numbered_ask or rng.random() < 0.65 else ["- ", "- ", "* ", ""])
    between = rng.choice(["\n", "\n", " "]) if "{}" in mark else "\n"
    great = rng.random() < 0.6
    listed = between.join(mark.format(i + 1) + (wording.capital(t) if great else t) for i, t in enumerate(items))
    rule = head.within(head.text + between + listed + between.strip(" "))
    devices = [action.device for action in actions]
    system = words.Noun("system" if language == "en" else "système", language)
    if ask == "number":
        question = WORDING.say(rng, language, "rule_number", held_out)
    elif several and rng.random() < 0.6:
        question = WORDING.say(rng, language, "rule_and_action", held_out)
    else:
        question = WORDING.say(rng, language, "todo", held_out, device=system)
    told = status(rng, language, conditions, separator, devices)
    lines, chosen, place = [{"both": "number + first", "number": "number first", "action": "first"}[ask]], last, 0
    for i, (condition, action) in enumerate(zip(conditions, actions)):
        lines.append(f"{i + 1} {condition.line}")
        if condition.holds:
            chosen, place = action.do, i + 1
            lines += [f"={i + 1}"] * numbered_ask + [f"do {i + 1}"] * (ask != "number")
            break
    else:
        lines.append("else" if last != words.NOTHING[language] else "nothing")
    facts = {
        "checks": [condition.check for condition in conditions],
        "results": [*(action.do for action in actions[:count]), last],
    }
    answer, keys = None, {"number": WHICH_RULE[language].split(), "action": DO[language].split()}
    if several:
        answer = Answer("", {"number": Amount(place), "action": chosen}, keys, several=True)
    elif ask == "number":
        answer = Answer("{number}", {"number": Amount(place)}, keys)
    kind = {"both": "number", "number": "which", "action": "first"}[ask]
    return _finish(
        rng, language, held_out, kind, rule, question, lines, chosen, told, separator, facts, answer=answer
    )


# A rule's action, a device's state ------------------------------------------------------------


def _decided(conditions, logic):
    """The lines that decide tied conditions, and whether they hold together."""
    lines, holds = _numbered(conditions), [condition.holds for condition in conditions]
    if len(conditions) == 1:
        return lines, holds[0]
    line, result = combination(logic, holds)
    return [*lines, line], result


def _checked(conditions, logic, **facts):
    """The facts of what tied conditions decide; `again` names how they are verified."""
    return {"kind": "again", "checks": [condition.check for condition in conditions], "logic": logic, **facts}


def _plain_action(rng, language):
    """An action in the form that stands after `should I`, the infinitive."""
    return rng.choice(words.ACTIONS[language])


def _should(rng, language, held_out):
    """Whether a rule's action, or the one for all other cases, is due: yes or no."""
    separator = telemetry.separator(rng, language)
    conditions = _any_conditions(rng, language, held_out, rng.choices([1, 2, 3], [6, 3, 1])[0], separator)
    clause, logic = _clause(rng, language, held_out, conditions)
    action = _plain_action(rng, language)
    rule, otherwise = say_rule(rng, language, held_out, clause, action)
    undo = otherwise == action.undo and not action.undo.startswith("do not ") and rng.random() < 0.3
    question = WORDING.say(rng, language, "should", held_out, do=action.undo if undo else action.do)
    told = status(rng, language, conditions, separator, [action.device])
    lines, holds = _decided(conditions, logic)
    then = "do" if holds else "else" if otherwise == action.undo else "nothing"
    lines = ["rule check", *lines, f"{'else' if undo else 'do'}:{then} {yes_or_no(holds != undo)}"]
    facts = _checked(conditions, logic, again="truth", asked=not undo)
    answer = truth_answer(language, holds != undo)
    return _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule)


def _device(rng, language, conditions, taken=()):
    """A device that no condition is about, and whether its first state is the one for when they hold."""
    names = {str(condition.fact.noun) for condition in conditions} | {str(other.noun) for other in taken}
    while True:
        device = rng.choice(DEVICES[language])
        if str(device.noun) not in names:
            return device, rng.random() < 0.75


def _verbs(rng, language, word):
    """The verb for coming into a state, by itself and as it is said of a device, or nothing."""
    for agreed in (word, word.removesuffix("e")):
        if agreed in VERBS[language]:
            return rng.choice(VERBS[language][agreed])
    return None


def _state_after(rng, language, held_out):
    """The state of a device that a plain rule sets: by its name, or whether it is in it, or comes into it."""
    separator = telemetry.separator(rng, language)
    conditions = draw_conditions(rng, language, held_out, rng.choices([1, 2], [4, 1])[0], separator, states=False)
    clause, logic = _clause(rng, language, held_out, conditions)
    device, first = _device(rng, language, conditions)
    state, other = device.words if first else device.words[::-1]
    does, undoes = (_verbs(rng, language, word) for word in (state, other))
    ask, results = rng.choice(["what", "is", "should"] if does else ["what", "is"]), (state, other)
    if does and ask != "what" and rng.random() < 0.5:
        rule = WORDING.say(
            rng, language, "verb_rule", held_out, device=device.noun, does=does[1], undoes=undoes[1], cond=clause
        )
        results = does[1], undoes[1]
    else:
        rule = WORDING.say(
            rng, language, "state_rule", held_out, device=device.noun, state=state, other=other, cond=clause
        )
    first = rng.random() < 0.75
    if "does" in rule.slots and "undoes" not in rule.slots:  # what else it does is not told, and not asked
        ask, results, first = "should", (does[1], "nothing"), True
    lines, holds = _decided(conditions, logic)
    result = results[0 if holds else 1]
    lines = ["rule state", *lines, f"={result}"]
    facts = _checked(conditions, logic, again="word", words=[state, other])
    if ask == "what":
        question = WORDING.say(rng, language, "what_state", held_out, device=device.noun)
        answer = Answer("{state}.", {"state": result})
    elif ask == "is":
        asked = state if first else other
        question = WORDING.say(rng, language, "is_then", held_out, device=device.noun, state=asked)
    else:
        asked = (does if first else undoes)[0]
        question = WORDING.say(rng, language, "should_it", held_out, device=device.noun, verb=asked)
    if ask != "what":
        lines.append(f"{asked}:{result} {yes_or_no(holds == first)}")
        answer = truth_answer(language, holds == first)
        facts = _checked(conditions, logic, again="truth", asked=first)
    told = status(rng, language, conditions, separator, [device.noun])
    return _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule)


def _outputs(rng, language, held_out):
    """The states of two devices, by a rule each or by one for both."""
    separator = telemetry.separator(rng, language)
    duo = rng.random() < 0.4
    conditions = draw_conditions(rng, language, held_out, 1 if duo else 2, separator, states=False)
    if not duo and rng.random() < 0.5:
        _same_quantity(rng, language, held_out, conditions, separator)
    one, one_first = _device(rng, language, conditions)
    two, two_first = _device(rng, language, conditions, [one])
    pairs = [d.words if first else d.words[::-1] for d, first in ((one, one_first), (two, two_first))]
    if duo:
        slots = {f"state_{which}": pair[0] for which, pair in zip("ab", pairs)}
        slots |= {f"other_{which}": pair[1] for which, pair in zip("ab", pairs)}
        rule = WORDING.say(
            rng, language, "duo", held_out, cond=conditions[0].text, first=one.noun, second=two.noun, **slots
        )
    else:
        template, alike = WORDING.pick(rng, language, "state_rule", held_out), rng.random()
        said = [
            template.say(
                random.Random(alike),
                {"device": d.noun, "state": pair[0], "other": pair[1], "cond": condition.text},
            )
            for d, pair, condition in zip((one, two), pairs, conditions)
        ]
        texts = [wording.elided(s.text) if language == "fr" else s.text for s in said]
        glue = rng.choice(["\n", " "] if all(text[-1] in ".)" for text in texts) else ["\n", " ; "])
        rule = said[0].within(glue.join(map(wording.capital, texts)))
    question = WORDING.say(rng, language, "outputs", held_out, first=one.noun, second=two.noun)
    deciding = conditions * 2 if duo else conditions
    chosen = [pair[0 if condition.holds else 1] for pair, condition in zip(pairs, deciding)]
    lines = ["state + state"]
    for i, condition in enumerate(conditions):
        lines += [condition.line if duo else f"{i + 1} {condition.line}", f"={chosen[i]}"]
    lines += [f"={chosen[1]}"] * duo
    forms = ["{}", "{}", "{}_state", "{}_out"] if language == "en" else ["{}", "{}", "etat_{}", "sortie_{}"]
    keys = {field: [form.format(d.key) for form in forms] for field, d in (("a", one), ("b", two))}
    answer = Answer("", dict(zip("ab", chosen)), keys, several=True)
    facts = {"kind": "again", "again": "words", "words": pairs, "checks": [c.check for c in conditions]}
    told = status(rng, language, conditions, separator, [one.noun, two.noun])
    return _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule)


# Words by limits, several readings ------------------------------------------------------------


def _grade(rng, language, held_out):
    """One of three words for a reading by two limits: bands from low to high, or steps that get worse."""
    separator = telemetry.separator(rng, language)
    (quantity,) = _quantities(rng, 1)
    number = measure(rng, quantity)
    (low, high, limit_decimals), _ = _band(rng, *number, quantity.unit, separator)
    a, b = (telemetry.written(arithmetic.text(limit, limit_decimals), separator) for limit in (low, high))
    noun, unit = quantity.noun[language], f" {quantity.unit}" if rng.random() < 0.6 else ""
    fact = telemetry.reading(rng, language, quantity, *number)
    if rng.random() < 0.55:
        names = rng.choice([n for n in GRADES[language] if quantity.unit == "°C" or n[0] not in ("cold", "froid")])
        slots = {"low": names[0], "mid": names[1], "high": names[2], "a": a, "b": f"{b}{unit}"}
        rule = WORDING.say(rng, language, "bands_of", held_out, noun=noun, **slots)
        ways, names = [("<", low), (">", high)], (names[0], names[2], names[1])
    else:
        rest, mid, top = rng.choice(WORSE[language])
        relation = rng.choice("><")
        ways = [(relation, high), (relation, low)] if relation == ">" else [(relation, low), (relation, high)]
        shown = [f"{x}{unit}" for x in ((b, a) if relation == ">" else (a, b))]
        short = rng.choice([*SHORT[language][relation], relation])
        slots = {"first": f"{short} {shown[0]}", "second": f"{short} {shown[1]}"}
        rule = WORDING.say(rng, language, "steps_of", held_out, noun=noun, top=top, mid=mid, rest=rest, **slots)
        names = (top, mid, rest)
    lines, word = ["grade"], names[2]
    for (relation, limit), name in zip(ways, names):
        line, holds = arithmetic.comparison(*number, relation, limit, limit_decimals)
        lines.append(f"{noun} {line}" if len(lines) == 1 else line)
        if holds:
            word = name
            break
    lines.append(f"={word}")
    question = WORDING.say(rng, language, "grade", held_out, noun=noun)
    told = status(rng, language, [Condition("", fact, "", True, ())], separator)
    checks = [("limit", number, relation, (limit, limit_decimals), False) for relation, limit in ways]
    facts = {"kind": "again", "again": "first", "checks": checks, "words": names}
    answer = Answer("{word}.", {"word": word}, {"word": GRADE[language]})
    return _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule)


def _where(rng, language, held_out):
    """Which of several readings call for something: a rule over all of them."""
    separator = telemetry.separator(rng, language)
    id_, relation, english, french = rng.choice(NEEDS)
    do, need = english if language == "en" else french
    count = rng.choices([3, 4, 5, 6], [5, 5, 3, 1])[0]
    readings = telemetry.draw(rng, language, count, held_out, among=lambda q: q.id == id_)
    limit, decimals = relations.limit_near(rng, rng.choice(readings.values), readings.decimals)
    text = relations.limit_text(rng, limit, decimals, readings.unit, separator)
    rel = relations.bare(rng, language, held_out, relation, text).text
    question = WORDING.say(rng, language, "where", held_out, noun=readings.noun, rel=rel, do=do, need=need)
    told = telemetry.tell(rng, readings, separator, distract=rng.random() < 0.1)
    wanted = f"{relation}{arithmetic.text(limit, decimals)}"
    lines, hits, checks = [], [], []
    for i, value in enumerate(readings.values):
        steps, order = arithmetic.digits_compared(value, readings.decimals, limit, decimals)
        lines.append(f"{i + 1}:{told.names[i]} {readings.value(i)} {steps}")
        hits.append(arithmetic.RELATIONS[relation](order, 0))
        checks.append(("limit", (value, readings.decimals), relation, (limit, decimals), False))
    thought, answer = states.think(language, "which_limit", told, hits, [True] * count, wanted, 0, lines)
    facts = {"kind": "again", "again": "names", "checks": checks, "names": told.names}
    return build(rng, FAMILY, language, held_out, question, thought, answer, told, separator, exact=True, facts=facts)


def _against(rng, language, held_out):
    """A reading against another one, perhaps by more than a gap: what a rule does then, or whether it is so."""
    separator = telemetry.separator(rng, language)
    readings = telemetry.draw(rng, language, rng.choices([2, 3, 4], [7, 2, 1])[0], held_out, negative=False)
    one, two = rng.sample(range(len(readings.values)), 2)
    scale = 10**readings.decimals
    numbers = [readings.values[i] for i in (one, two)]
    names = {"noun": readings.noun, "a": readings.names[one], "b": readings.names[two]}
    lines = [f"{readings.names[i]} {readings.value(i)}" for i in (one, two)]
    section, relation = rng.choice([("exceeds", ">"), ("exceeds", ">"), ("falls_short", "<")])
    line, holds = arithmetic.comparison(numbers[0], readings.decimals, relation, numbers[1], readings.decimals)
    lines, gap, decimals = [*lines, line], 0, readings.decimals
    high, low = numbers if relation == ">" else reversed(numbers)
    by = rng.random() < 0.45
    if by:
        gap = max(1, abs(numbers[0] - numbers[1]) + rng.choice([-1, 1, -2, 2, -5, 5, 0, 9]))
        if decimals and rng.random() < 0.6:
            gap, decimals = max(1, round(gap / scale)), 0
        text = relations.limit_text(rng, gap, decimals, readings.unit, separator)
        clause = WORDING.say(rng, language, f"{section}_by", held_out, gap=text, **names)
        if holds:
            line, value = arithmetic.subtraction(high, low, readings.decimals)
            lines.append(line)
            line, holds = arithmetic.comparison(value, readings.decimals, ">", gap, decimals)
            lines.append(line)
    else:
        clause = WORDING.say(rng, language, section, held_out, **names)
    told = telemetry.tell(rng, readings, separator)
    over = Fraction(high, scale) - Fraction(low, scale) > Fraction(gap, 10**decimals)
    # Whether one is above another, no rule being told, is asked in `ranking`.
    return _clause_decides(rng, language, held_out, clause, lines, holds, told, separator, {"over": over}, by)


def _clause_decides(rng, language, held_out, clause, lines, holds, told, separator, facts, check=True):
    """The end of a problem that a single clause decides: a rule's action, whether it is due, or (`check`) whether it
    is so."""
    ask = rng.choices(["action", "should", "check"], [5, 3, 2 if check else 0])[0]
    action = _plain_action(rng, language) if ask == "should" else words.action(rng, language)
    facts = {"kind": "again", "checks": [], **facts}
    if ask == "check":
        question = WORDING.say(rng, language, "check", held_out, cond=clause.text)
        return build(
            rng, FAMILY, language, held_out, question, ["check", *lines], truth_answer(language, holds, MET), told,
            separator, exact=True, phrasings=[clause], facts={**facts, "again": "over"},
        )  # fmt: skip
    rule, otherwise = say_rule(rng, language, held_out, clause.text, action)
    then = "do" if holds else "else" if otherwise == action.undo else "nothing"
    if ask == "should":
        question = WORDING.say(rng, language, "should", held_out, do=action.do)
        lines, answer = ["rule check", *lines, f"do:{then} {yes_or_no(holds)}"], truth_answer(language, holds)
        facts["again"] = "over"
    else:
        question = WORDING.say(rng, language, "todo", held_out, device=action.device)
        lines, answer = ["rule", *lines, then], Answer("{action}.", {"action": action.do if holds else otherwise})
        facts |= {"again": "outcome", "words": [action.do, otherwise]}
    return _ruled(rng, language, held_out, question, lines, answer, told, separator, facts, rule, clause)


def _lasting(rng, language, held_out):
    """A state that has lasted some time, told or from two times of the clock, against a time that it may last."""
    switch = rng.choice([s for s in words.SWITCHES[language] if not s.noun.plural])
    asked, so = rng.choice([0, 1]), rng.random() < 0.85
    stands = switch.words[asked if so else 1 - asked]
    relation, span = rng.choice(SPANS[language])
    clocked = rng.random() < 0.55
    spellings = TIMES[language][0] if clocked else rng.choice(TIMES[language])
    most = 59 if spellings != TIMES[language][3] else 20
    lasted = rng.randint(2, most)
    limit = rng.choice([5, 10, 15, 20, 30, max(2, lasted + rng.randint(-3, 3))])
    text = f"{limit} {rng.choice(spellings)}"
    clause = WORDING.say(
        rng, language, "lasts", held_out, noun=switch.noun, state=switch.words[asked], span=span.format(text)
    )
    lines, holds = [f"{switch.noun} {switch.words[asked]}:{stands} {yes_or_no(so)}"], False
    slots = {"noun": switch.noun, "state": stands}
    if clocked:
        start = rng.randrange(24 * 60 - most)
        hour = rng.choice(["h", ":"]) if language == "fr" else ":"
        times = [arithmetic.clock(time).replace(":", hour) for time in (start, start + lasted)]
        data = WORDING.say(rng, language, "since", held_out, start=times[0], now=times[1], **slots)
    else:
        data = WORDING.say(rng, language, "lasted", held_out, time=f"{lasted} {rng.choice(spellings)}", **slots)
    if so:
        if clocked:
            lines.append(arithmetic.clock_difference(start + lasted, start)[0])
        line, holds = arithmetic.comparison(lasted, 0, relation, limit, 0)
        lines.append(line)
    over = so and (lasted > limit or (relation == ">=" and lasted == limit))
    told = telemetry.Told(data.text, "sentence", [], "\n" in data.text, "")
    return _clause_decides(
        rng, language, held_out, clause, lines, holds, told, telemetry.separator(rng, language),
        {"over": over, "state": stands},
    )


# Verification ------------------------------------------------------------


def _verify_again(facts):
    """The truth, word, words or names of what conditions decide."""
    holds, again = [decide_again(check) for check in facts["checks"]], facts["again"]
    if again == "over":
        return facts["over"]
    if again == "outcome":
        return facts["words"][0 if facts["over"] else 1]
    if again == "names":
        return [name for name, hit in zip(facts["names"], holds) if hit]
    if again == "words":
        return tuple(pair[0 if hit else 1] for pair, hit in zip(facts["words"], holds * (3 - len(holds))))
    if again == "first":
        return next((word for word, hit in zip(facts["words"], holds) if hit), facts["words"][-1])
    result = LOGIC[facts["logic"]](*holds)
    if again == "truth":
        return result == facts["asked"]
    return facts["words"][0 if result else 1]


def decide_again(check):
    """Decides a condition again, with fractions."""
    if check[0] == "flag":
        asked, stands = (not re.match("(no|non|not|false|faux|0)( |$)", word) for word in check[1:])
        return asked == stands
    if check[0] == "state":
        _, wanted, stands, negated = check
        return (wanted == stands) != negated
    _, (value, decimals), relation, (limit, limit_decimals), negated = check
    a, b = Fraction(value, 10**decimals), Fraction(limit, 10**limit_decimals)
    found = {">": a > b, "<": a < b, ">=": a >= b, "<=": a <= b}[relation]
    return found != negated


def verify(problem):
    """The truth or the action that must be the answer, or all of several answers."""
    facts = problem.facts
    if facts["kind"] == "series":
        return _verify_series(facts)
    if "again" in facts:
        return _verify_again(facts)
    if facts["kind"] == "bands":
        return tuple(all(map(decide_again, band)) for band in facts["bands"])
    holds = [decide_again(check) for check in facts["checks"]]
    if facts["kind"] == "check":
        return LOGIC[facts["logic"]](*holds)
    if facts["kind"] == "met":
        met = LOGIC[facts["logic"]](*holds)
        return met, facts["do"] if met else facts["otherwise"]
    if facts["kind"] == "which":
        return Fraction(1 + holds.index(True))
    if facts["kind"] == "number":
        return Fraction(1 + holds.index(True)), facts["results"][holds.index(True)]
    if facts["kind"] == "rule":
        return facts["do"] if LOGIC[facts["logic"]](*holds) else facts["otherwise"]
    return next((r for r, h in zip(facts["results"], holds) if h), facts["results"][-1])


def _verify_series(facts):
    """Runs the hysteresis over its readings: a state, a truth, or the state's truth and the number of changes."""
    on, history = facts["start"], [facts["start"]]
    for value in facts["values"]:
        (starts, first), (_, second) = facts["limits"]
        wants = value > first if starts == ">" else value < first
        ends = value < second if starts == ">" else value > second
        on = True if wants else False if ends else on
        history.append(on)
    if facts["ask"] == "which":
        return facts["states"][0 if on else 1]
    if facts["ask"] == "is":
        return on == facts["asked"]
    return on, Fraction(sum(a != b for a, b in zip(history, history[1:])))
