"""The words problems are made of, in English and French: places, quantities, devices, actions,
states, courtesies.

A `Noun` knows its forms (article, gender, plural), so that templates can write `<noun.the>` or
`moyen<noun.ne>`; most forms exist in both languages, though some are empty in English.
"""

import dataclasses
import pathlib
import re

LISTS = pathlib.Path(__file__).parent / "lists"
VOWELS = "aeiouyâàéèêëîïôöùûhAEIOUYÀÂÉÈÊH"
ASPIRATED = ("hall", "hammam", "hangar", "hauban", "haut", "haut-parleur", "hauteur", "herse", "hotte")


@dataclasses.dataclass(frozen=True)
class Noun:
    """A noun and its forms. `gender` is "m", "f", or "" for a name that takes no article;
    `language` decides."""

    text: str
    language: str
    gender: str = "m"
    plural: bool = False

    def __str__(self):
        return self.text

    @property
    def elided(self):
        return self.text[0] in VOWELS and self.text.split()[0] not in ASPIRATED

    def _form(self, english, masculine, feminine, elided, plural):
        """The article or preposition for this noun, put before it."""
        if not self.gender:
            return self.text
        if self.language == "en":
            return f"{english} {self.text}"
        if self.plural:
            return f"{plural} {self.text}"
        if self.elided and elided is not None:
            glue = "" if elided.endswith("'") else " "
            return f"{elided}{glue}{self.text}"
        return f"{masculine if self.gender == 'm' else feminine} {self.text}"

    @property
    def the(self):
        return self._form("the", "le", "la", "l'", "les")

    @property
    def of_the(self):
        """`of the hall`, `du hall`; a name without an article is `of s3`, `de s3`."""
        if not self.gender:
            return ("of " if self.language == "en" else "de ") + self.text
        return self._form("of the", "du", "de la", "de l'", "des")

    @property
    def of(self):
        """`of temperature`, `de température`, `d'humidité`."""
        if self.language == "en":
            return f"of {self.text}"
        return f"d'{self.text}" if self.elided and self.gender else f"de {self.text}"

    @property
    def to_the(self):
        if not self.gender:
            return ("to " if self.language == "en" else "à ") + self.text
        return self._form("to the", "au", "à la", "à l'", "aux")

    @property
    def in_the(self):
        """Where something is: `in the hall`, `dans le hall`, `à l'étage`; `at s3`, `sur s3` for a name."""
        if not self.gender:
            return ("at " if self.language == "en" else "sur ") + self.text
        if re.search(r"\bfloor\b", self.text):
            return f"on {self.the}"
        if re.search(r"\b(étage|rez-de-chaussée)\b", self.text):
            return self.to_the
        return ("in " if self.language == "en" else "dans ") + self.the

    @property
    def a(self):
        if self.language == "en":
            if self.plural or not self.gender:
                return self.text
            return ("an " if self.text[0].lower() in "aeiou" else "a ") + self.text
        return self._form("", "un", "une", None, "des")

    @property
    def this(self):
        """`this fan`, `these lights`; `ce`, `cet`, `cette`, `ces`."""
        if self.language == "en":
            return ("these " if self.plural else "this ") + self.text
        if self.gender == "f" and not self.plural:
            return f"cette {self.text}"
        return self._form("", "ce", "cette", "cet", "ces")

    @property
    def e(self):
        """The ending of a French participle or adjective: `arrêté<noun.e>`, plural `s` included."""
        if self.language == "en":
            return ""
        return ("e" if self.gender == "f" else "") + ("s" if self.plural else "")

    @property
    def ne(self):
        """`moyen<noun.ne>`: moyen, moyenne."""
        if self.language == "en":
            return ""
        return ("ne" if self.gender == "f" else "") + ("s" if self.plural else "")

    @property
    def le(self):
        """`quel<noun.le>`, `quel<noun.le>s` is never needed: plurals are included."""
        if self.language == "en":
            return ""
        return ("le" if self.gender == "f" else "") + ("s" if self.plural else "")

    @property
    def x(self):
        """`maxima<noun.x>`: maximal, maximale, maximaux, maximales."""
        if self.language == "en":
            return "l"
        if self.plural:
            return "les" if self.gender == "f" else "ux"
        return "le" if self.gender == "f" else "l"

    @property
    def it(self):
        if self.language == "en":
            return "they" if self.plural else "it"
        return ("elle" if self.gender == "f" else "il") + ("s" if self.plural else "")

    @property
    def them(self):
        """The object pronoun before a French verb, and the English one: `it`, `them`; `le`, `la`,
        `les`."""
        if self.language == "en":
            return "them" if self.plural else "it"
        return "les" if self.plural else "la" if self.gender == "f" else "le"

    @property
    def be(self):
        if self.language == "en":
            return "are" if self.plural else "is"
        return "sont" if self.plural else "est"

    @property
    def us(self):
        """The ending of `tous` before a plural: `tou<noun.us>`: tous, toutes."""
        if self.language == "en":
            return ""
        return "tes" if self.gender == "f" else "s"

    @property
    def t(self):
        """The ending of `devoir` in French: `doi<device.t>`: doit, doivent."""
        if self.language == "en":
            return ""
        return "vent" if self.plural else "t"


@dataclasses.dataclass(frozen=True)
class Adjective:
    """An adjective with its French genders; in English both are the same word (`warmest`)."""

    m: str
    f: str = ""

    def __post_init__(self):
        if not self.f:
            object.__setattr__(self, "f", self.m)

    def __str__(self):
        return self.m

    @property
    def more(self):
        """The English comparative of a superlative: `warmest`: warmer, `least humid`: less humid."""
        for most, more in (("most ", "more "), ("least ", "less ")):
            if self.m.startswith(most):
                return more + self.m.removeprefix(most)
        return self.m.removesuffix("est") + "er"

    @property
    def ms(self):
        """The masculine plural, `frais`, `clairs`."""
        return self.m if self.m[-1] in "sx" else self.m + "s"

    @property
    def fs(self):
        return self.f if self.f[-1] in "sx" else self.f + "s"


def nouns(language, text):
    """Reads `m cuisine
    f salle` lists; English ones have no gender mark. A leading `p` marks a plural."""
    found = []
    for entry in text.replace("\n", "|").split("|"):
        entry = entry.strip()
        plural = entry.startswith("p ")
        if plural:
            entry = entry[2:]
        gender, word = entry.split(" ", 1) if language == "fr" else ("m", entry)
        found.append(Noun(word, language, gender, plural))
    return found


def listed(path, read=str):
    """What `read` makes of the lines of a file in `lists/` that are not remarks."""
    found = []
    for number, line in enumerate((LISTS / path).read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(read(line.strip()))
            except ValueError as error:
                raise ValueError(f"{LISTS / path}:{number}: not as its head says: {line}: {error}") from error
    return found


def entries(path):
    """What stands between the `|` of such a file."""
    return [entry for line in listed(path) for entry in line.split("|")]


# Places and names ------------------------------------------------------------

PLACES = {
    "en": nouns(
        "en",
        """kitchen|living room|bedroom|bathroom|hall|attic|cellar|garage|office|workshop
            greenhouse|barn|stable|library|studio|pantry|laundry|nursery|balcony|terrace|garden
            stairwell|lobby|canteen|server room|meeting room|classroom|gym|sauna|boiler room
            cold store|freezer|fridge|warehouse|corridor|reception|lab|clean room|shed
            machine room|pump house|silo|vineyard|tunnel|cabin|tank|inlet|outlet|roof|basement
            guest room|dining room|playroom|conservatory|utility room|archive|depot|hangar
            north wing|south wing|upper floor|ground floor|first floor|back yard|control room
            battery room|turbine|boiler|heat pump|press|oven|furnace|mill|mixer|chiller|rack
            cabinet|dryer|hallway|toilet|shop|pool|"""
        + "|".join(listed("en/places.txt")),
    ),
    "fr": nouns(
        "fr",
        """f cuisine|m salon|f chambre|f salle de bain|m hall|m grenier|f cave|m garage
            m bureau|m atelier|f serre|f grange|f étable|f bibliothèque|m studio|m cellier
            f buanderie|f chambre d'enfant|m balcon|f terrasse|m jardin|f cage d'escalier
            f cantine|f salle serveur|f salle de réunion|f salle de classe|m gymnase|m sauna
            f chaufferie|f chambre froide|m congélateur|m frigo|m entrepôt|m couloir|f réception
            m laboratoire|f salle blanche|m abri|f salle des machines|m silo|f vigne|m tunnel
            f cabane|f cuve|f entrée|f sortie|m toit|m sous-sol|f chambre d'amis|f salle à manger
            f salle de jeux|f véranda|f archive|m dépôt|m hangar|f aile nord|f aile sud|m étage
            m rez-de-chaussée|m premier étage|f cour|f salle de contrôle|f turbine|f chaudière
            f pompe à chaleur|f presse|m four|m moulin|m mélangeur|f armoire|m séchoir|f boutique
            f piscine|m local technique|"""
        + "|".join(listed("fr/places.txt")),
    ),
}
# People, plots, machines: what else readings are named after, without an article.
THINGS = {language: entries(f"{language}/things.txt") for language in ("en", "fr")}
PLACES_HELD_OUT = {
    "en": nouns(
        "en",
        """porch|loading dock|orchard|hen house|chapel|kiosk|east wing|west wing
            second floor|front door|compressor|conveyor|radiator|well|bath|dressing room|loft
            foundry|bakery|waiting room""",
    ),
    "fr": nouns(
        "fr",
        """m porche|m quai|m verger|m poulailler|f chapelle|m kiosque|f aile est
            f aile ouest|m second étage|m vestiaire|m compresseur|m convoyeur|m radiateur|m puits
            f baignoire|m palier|m fournil|f fonderie|f salle d'attente|f mezzanine""",
    ),
}
ID_STEMS = {
    "en": """sensor probe node device unit zone room tank line pump rack cell bay station meter
        channel box module gate""".split()
    + entries("en/stems.txt"),
    "fr": """capteur sonde nœud appareil unité zone pièce cuve ligne pompe baie cellule station
        compteur canal boîtier module porte""".split()
    + entries("fr/stems.txt"),
}
ID_SHORT = "s t r z n p d m k q u v x".split()
SYLLABLES = """ba be bo da de do ka ke ko la le lo ma me mo na ne no ra re ro sa se so ta te to va
    vi vo zu zi pa pi po gu""".split()
SIDED = re.compile(r"wing|floor|aile|étage")
SIDES = {
    "en": ["north", "south", "east", "west", "old", "new"],
    "fr": ["nord", "sud", "est", "ouest"],
}


# Quantities ------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Quantity:
    """Something measured. `low` and `high` bound the readings; `decimals` are the usual numbers of
    them.

    `most` and `least` are what the place with the highest and lowest reading is called, by language
    (may be empty).
    """

    id: str
    noun: dict
    unit: str
    low: float
    high: float
    decimals: tuple
    most: dict
    least: dict
    keys: dict


def quantity(id, unit, low, high, decimals, english, french, most=("", ""), least=("", "")):
    """`english` is `name; keys`, `french` is `gender name; keys`; `most`/`least` a pair, genders
    split by `/`."""

    def adjectives(text):
        return [Adjective(*word.strip().split("/")) for word in text.split(",") if word]

    name, _, keys = english.partition("; ")
    nom, _, cles = french.partition("; ")
    gender, nom = nom.split(" ", 1)
    return Quantity(
        id,
        {"en": Noun(name, "en"), "fr": Noun(nom, "fr", gender)},
        unit,
        low,
        high,
        decimals,
        {"en": adjectives(most[0]), "fr": adjectives(most[1])},
        {"en": adjectives(least[0]), "fr": adjectives(least[1])},
        {"en": keys.split(), "fr": cles.split()},
    )


def _wide_quantity(line):
    """One line of `lists/quantities.txt`."""
    unit, low, high, decimals, name, keys, nom, cles, *most = (f.strip() for f in line.split(";"))
    sides = [tuple(side.strip() for side in text.split(" / ")) for text in most] or [("", ""), ("", "")]
    return quantity(
        name.replace(" ", "_"),
        unit,
        float(low),
        float(high),
        tuple(int(count) for count in decimals.split()),
        f"{name}; {keys}",
        f"{nom}; {cles}",
        *sides,
    )


QUANTITIES = [
    quantity(
        "temperature",
        "°C",
        10,
        35,
        (1, 1, 1, 0),
        "temperature; temperature temp temp_c t",
        "f température; temperature temp température t",
        ("warmest,hottest", "chaud/chaude"),
        ("coldest,coolest", "froid/froide,frais/fraîche"),
    ),
    quantity(
        "temperature",
        "°C",
        12,
        95,
        (1, 0),
        "temperature; temperature temp celsius",
        "f température; temperature temp temp_c",
        ("warmest,hottest", "chaud/chaude"),
        ("coldest,coolest", "froid/froide"),
    ),
    quantity(
        "outdoor",
        "°C",
        -25,
        12,
        (1, 1, 0),
        "temperature; temperature temp t_out",
        "f température; temperature temp t_ext",
        ("warmest", "chaud/chaude"),
        ("coldest", "froid/froide"),
    ),
    quantity(
        "humidity",
        "%",
        20,
        95,
        (0, 0, 1),
        "humidity; humidity rh hum",
        "f humidité; humidite hum hr",
        ("most humid,dampest", "humide"),
        ("driest,least humid", "sec/sèche"),
    ),
    quantity(
        "power",
        "W",
        5,
        2500,
        (0, 0, 1),
        "power; power watts power_w",
        "f puissance; puissance power p",
        ("hungriest,most power-hungry", "gourmand/gourmande"),
        ("least power-hungry", "économe"),
    ),
    quantity(
        "light",
        "lux",
        5,
        1200,
        (0,),
        "light level; lux light illuminance",
        "f luminosité; lux luminosite light",
        ("brightest", "clair/claire,lumineux/lumineuse"),
        ("darkest,dimmest", "sombre"),
    ),
    quantity(
        "pressure",
        "bar",
        0.5,
        9.9,
        (1,),
        "pressure; pressure bar p",
        "f pression; pression bar p",
    ),
    quantity(
        "co2",
        "ppm",
        380,
        2000,
        (0,),
        "CO2 level; co2 ppm co2_ppm",
        "m taux de CO2; co2 ppm co2_ppm",
        ("stuffiest", "confiné/confinée"),
        ("freshest", "aéré/aérée"),
    ),
    quantity(
        "level",
        "L",
        5,
        900,
        (0, 1),
        "water level; level litres volume",
        "m niveau d'eau; niveau litres volume",
        ("fullest", "plein/pleine"),
        ("emptiest", "vide"),
    ),
    quantity(
        "voltage",
        "V",
        3,
        60,
        (1,),
        "voltage; voltage volts v",
        "f tension; tension volts u",
    ),
    quantity(
        "current",
        "mA",
        20,
        3000,
        (0,),
        "current; current milliamps ma",
        "m courant; courant ma i",
    ),
    quantity(
        "noise",
        "dB",
        25,
        98,
        (0, 1),
        "noise level; noise db sound",
        "m niveau sonore; bruit db son",
        ("loudest,noisiest", "bruyant/bruyante"),
        ("quietest", "calme,silencieux/silencieuse"),
    ),
    quantity(
        "flow",
        "L/min",
        1,
        80,
        (1, 0),
        "flow; flow flow_rate",
        "m débit; debit flow",
    ),
    quantity(
        "wind",
        "m/s",
        0.5,
        28,
        (1,),
        "wind speed; wind wind_speed",
        "f vitesse du vent; vent wind",
        ("windiest", "venteux/venteuse"),
        ("calmest", "calme"),
    ),
    quantity(
        "soil",
        "%",
        8,
        90,
        (0, 1),
        "soil moisture; moisture soil soil_moisture",
        "f humidité du sol; sol humidite_sol",
        ("wettest", "humide"),
        ("driest", "sec/sèche"),
    ),
    quantity(
        "energy",
        "kWh",
        0.5,
        48,
        (1,),
        "energy use; energy kwh",
        "f consommation; conso kwh energie",
        ("hungriest", "gourmand/gourmande"),
        ("thriftiest", "économe"),
    ),
    quantity(
        "speed",
        "rpm",
        100,
        3000,
        (0,),
        "speed; rpm speed",
        "f vitesse; vitesse rpm",
        ("fastest", "rapide"),
        ("slowest", "lent/lente"),
    ),
    quantity(
        "weight",
        "kg",
        1,
        400,
        (1, 0),
        "weight; weight kg mass",
        "m poids; poids kg masse",
        ("heaviest", "lourd/lourde"),
        ("lightest", "léger/légère"),
    ),
    quantity(
        "dust",
        "µg/m³",
        2,
        180,
        (0, 1),
        "dust level; pm25 dust",
        "m taux de poussière; pm25 poussiere",
        ("dustiest", "poussiéreux/poussiéreuse"),
        ("cleanest", "propre"),
    ),
    quantity(
        "battery",
        "%",
        3,
        100,
        (0,),
        "battery level; battery soc",
        "m niveau de batterie; batterie soc",
    ),
]

# The usual ones come more often than those that only some plants have.
USUAL = 6
RARE = listed("quantities.txt", _wide_quantity)


def _more_adjectives(line):
    """Adds one line of `lists/adjectives.txt` to its quantities."""
    name, *sides = (field.strip() for field in line.split(";"))
    name, _, id = name.partition(" (id ")
    meant = [q for q in QUANTITIES + RARE if q.noun["en"].text == name and (q.id == id.rstrip(")") if id else True)]
    if not meant or len(sides) != 2:
        raise ValueError("no such quantity, or not two sides")
    for found in meant:
        for known, side in zip((found.most, found.least), sides):
            for language, text in zip(("en", "fr"), side.split(" / ")):
                adjectives = [Adjective(*word.strip().split("/")) for word in text.split(",")]
                known[language] += [word for word in adjectives if word not in known[language]]


listed("adjectives.txt", _more_adjectives)
QUANTITIES = USUAL * QUANTITIES + RARE

# Devices and actions ------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Action:
    """What a rule does and its opposite, in one wording: `do` and `undo` are copied into answers as
    they stand."""

    device: Noun
    do: str
    undo: str


ENGLISH_ACTIONS = """
fan: turn the fan on / turn the fan off; switch on the fan / switch off the fan
fan: start the fan / stop the fan
heater: turn on the heater / turn off the heater; switch the heater on / switch the heater off
heating: turn off the heating / turn on the heating; lower the heating / raise the heating
lamp: turn on the lamp / turn off the lamp; switch the lamp on / switch the lamp off
pump: start the pump / stop the pump; stop the pump / run the pump
pump: turn the pump on / turn the pump off
valve: open the valve / close the valve; close the valve / open the valve
valve: shut the valve / open the valve
window: open the window / close the window; close the window / open the window
vent: open the vent / close the vent; shut the vent / leave the vent open
p blinds: lower the blinds / raise the blinds; close the blinds / open the blinds
p lights: switch the lights on / switch the lights off; dim the lights / leave the lights bright
alarm: sound the alarm / keep the alarm silent; raise an alarm / stay quiet
alarm: trigger the alarm / clear the alarm
alert: send an alert / send nothing; notify me / do not notify me
alert: send a notification / send no notification
siren: start the siren / keep the siren off
dehumidifier: run the dehumidifier / stop the dehumidifier
humidifier: turn the humidifier on / turn the humidifier off
boiler: shut down the boiler / keep the boiler running; fire the boiler / stop the boiler
sprinkler: start the sprinkler / stop the sprinkler
irrigation: water the plants / skip watering; start irrigation / stop irrigation
charger: start charging / stop charging; charge the car / pause charging
compressor: stop the compressor / run the compressor
cooler: engage the cooler / release the cooler
relay: close the relay / open the relay; energize the relay / release the relay
motor: stop the motor / keep the motor running
machine: shut down the machine / keep the machine running
door: lock the door / unlock the door
gate: open the gate / close the gate
awning: retract the awning / extend the awning
oven: turn down the oven / leave the oven alone
generator: start the generator / stop the generator
inverter: enable the inverter / disable the inverter
backup: switch to backup power / stay on mains power
operator: call the operator / carry on
ventilation: increase the ventilation / reduce the ventilation
ventilation: boost the ventilation / run the ventilation slowly
shutter: lower the shutter / raise the shutter
mixer: start the mixer / stop the mixer
air conditioner: turn on the air conditioner / turn off the air conditioner
"""
# The infinitive, the imperative of `tu` and the one of `vous`.
FRENCH_VERBS = {
    verb.split()[0]: tuple(verb.split())
    for verb in """allumer allume allumez|éteindre éteins éteignez|ouvrir ouvre ouvrez
        fermer ferme fermez|démarrer démarre démarrez|arrêter arrête arrêtez|lancer lance lancez
        couper coupe coupez|activer active activez|désactiver désactive désactivez
        baisser baisse baissez|monter monte montez|lever lève levez|remonter remonte remontez
        verrouiller verrouille verrouillez|déverrouiller déverrouille déverrouillez
        augmenter augmente augmentez|réduire réduis réduisez|envoyer envoie envoyez
        appeler appelle appelez|déclencher déclenche déclenchez|garder garde gardez
        laisser laisse laissez|arroser arrose arrosez|charger charge chargez
        replier replie repliez|déplier déplie dépliez|enclencher enclenche enclenchez
        relâcher relâche relâchez|brancher branche branchez|débrancher débranche débranchez
        mettre mets mettez|passer passe passez|rester reste restez|prévenir préviens prévenez
        continuer continue continuez|stopper stoppe stoppez""".replace("\n", "|").split("|")
}
FRENCH_ACTIONS = """
m ventilateur: allumer le ventilateur / éteindre le ventilateur
m ventilateur: démarrer le ventilateur / arrêter le ventilateur
m radiateur: allumer le radiateur / éteindre le radiateur
m radiateur: couper le radiateur / allumer le radiateur
m chauffage: couper le chauffage / allumer le chauffage; baisser le chauffage / monter le chauffage
f lampe: allumer la lampe / éteindre la lampe
f pompe: démarrer la pompe / arrêter la pompe; arrêter la pompe / laisser tourner la pompe
f pompe: couper la pompe / lancer la pompe
f vanne: ouvrir la vanne / fermer la vanne; fermer la vanne / ouvrir la vanne
f fenêtre: ouvrir la fenêtre / fermer la fenêtre; fermer la fenêtre / ouvrir la fenêtre
f trappe: ouvrir la trappe / fermer la trappe
p m volets: baisser les volets / lever les volets; fermer les volets / ouvrir les volets
p f lumières: allumer les lumières / éteindre les lumières
p f lumières: baisser les lumières / laisser les lumières
f alarme: déclencher l'alarme / laisser l'alarme muette; activer l'alarme / désactiver l'alarme
f alerte: envoyer une alerte / rester en veille; envoyer une notification / rester en silence
f sirène: lancer la sirène / garder la sirène muette
m déshumidificateur: lancer le déshumidificateur / arrêter le déshumidificateur
m humidificateur: allumer l'humidificateur / éteindre l'humidificateur
f chaudière: couper la chaudière / laisser tourner la chaudière
f chaudière: démarrer la chaudière / arrêter la chaudière
m arrosage: lancer l'arrosage / couper l'arrosage; arroser les plantes / laisser les plantes
f charge: lancer la charge / couper la charge; charger la voiture / arrêter la charge
m compresseur: arrêter le compresseur / démarrer le compresseur
m refroidisseur: enclencher le refroidisseur / relâcher le refroidisseur
m relais: fermer le relais / ouvrir le relais; enclencher le relais / relâcher le relais
m moteur: stopper le moteur / laisser tourner le moteur
f machine: arrêter la machine / laisser tourner la machine
f porte: verrouiller la porte / déverrouiller la porte
m portail: ouvrir le portail / fermer le portail
m store: replier le store / déplier le store
m four: baisser le four / laisser le four
m groupe électrogène: démarrer le groupe électrogène / arrêter le groupe électrogène
m onduleur: activer l'onduleur / désactiver l'onduleur
m secours: passer sur le secours / rester sur le secteur
m technicien: appeler le technicien / continuer; prévenir le gardien / continuer
f ventilation: augmenter la ventilation / réduire la ventilation
f climatisation: allumer la climatisation / éteindre la climatisation
f climatisation: mettre la climatisation / couper la climatisation
m mélangeur: démarrer le mélangeur / arrêter le mélangeur
f VMC: passer la VMC en grande vitesse / laisser la VMC en petite vitesse
f prise: brancher la prise / débrancher la prise; activer la prise / désactiver la prise
"""


FRENCH_VERBS |= {line.split()[0]: tuple(line.split()) for line in listed("fr/verbs.txt")}


def _actions(language, text):
    def read(line):
        head, _, pairs = line.partition(": ")
        device = nouns(language, head)[0]
        found = []
        for pair in pairs.split("; "):
            do, undo = pair.split(" / ")
            found.append(Action(device, do, undo))
        return found

    lines = [read(line) for line in text.strip().splitlines()] + listed(f"{language}/actions.txt", read)
    return [action for line in lines for action in line]


ACTIONS = {"en": _actions("en", ENGLISH_ACTIONS), "fr": _actions("fr", FRENCH_ACTIONS)}
NOTHING = {"en": "do nothing", "fr": "ne rien faire"}
NO_CHANGE = {"en": "no change", "fr": "aucun changement"}
YES_NO = {"en": ("yes", "no"), "fr": ("oui", "non")}


def action(rng, language, device=None):
    """An action and its opposite; in French as an infinitive or spoken to a `tu` or a `vous`."""
    chosen = rng.choice([a for a in ACTIONS[language] if device is None or a.device == device])
    return chosen if language == "en" else spoken(chosen, rng.choice([0, 0, 1, 2]))


def actions(rng, language, count):
    """Several actions on different devices, all in the same form of speech."""
    devices = rng.sample(sorted({a.device.text for a in ACTIONS[language]}), count)
    form = rng.choice([0, 0, 1, 2])
    found = []
    for device in devices:
        chosen = rng.choice([a for a in ACTIONS[language] if a.device.text == device])
        found.append(chosen if language == "en" else spoken(chosen, form))
    return found


def spoken(chosen, form):
    """A French action in one form: 0 infinitive, 1 imperative of `tu`, 2 imperative of `vous`."""

    def turn(text):
        verb, _, rest = text.partition(" ")
        return f"{FRENCH_VERBS[verb][form]} {rest}".strip()

    return Action(chosen.device, turn(chosen.do), turn(chosen.undo))


# States ------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Switch:
    """A thing with two states: its noun, its key in data, and the words for the states (the noun's
    gender agreed)."""

    noun: Noun
    key: str
    words: tuple


def _switches(language, text):
    def read(line):
        head, key, first, second = (part.strip() for part in line.split(":"))
        return Switch(nouns(language, head)[0], key, (first, second))

    return [read(line) for line in text.strip().splitlines()] + listed(f"{language}/switches.txt", read)


SWITCHES = {
    "en": _switches(
        "en",
        """window:window:open:closed
        door:door:open:closed
        front door:front_door:locked:unlocked
        garage door:garage:open:closed
        pump:pump:on:off
        fan:fan:on:off
        heater:heater:on:off
        boiler:boiler:on:off
        valve:valve:open:closed
        gate:gate:open:closed
        alarm:alarm:armed:disarmed
        motor:motor:running:stopped
        machine:machine:running:stopped
        house:house:empty:occupied
        room:room:occupied:empty
        charger:charger:connected:disconnected
        network:network:online:offline
        mains power:mains:present:absent
        safety guard:guard:open:closed""",
    ),
    "fr": _switches(
        "fr",
        """f fenêtre:fenetre:ouverte:fermée
        f porte:porte:ouverte:fermée
        f porte d'entrée:porte_entree:verrouillée:déverrouillée
        m garage:garage:ouvert:fermé
        f pompe:pompe:allumée:éteinte
        m ventilateur:ventilateur:allumé:éteint
        m radiateur:radiateur:allumé:éteint
        f chaudière:chaudiere:allumée:éteinte
        f vanne:vanne:ouverte:fermée
        m portail:portail:ouvert:fermé
        f alarme:alarme:activée:désactivée
        m moteur:moteur:lancé:arrêté
        f machine:machine:lancée:arrêtée
        f maison:maison:vide:occupée
        f pièce:piece:occupée:vide
        m chargeur:chargeur:branché:débranché
        m réseau:reseau:présent:absent
        m secteur:secteur:présent:absent
        m capot:capot:ouvert:fermé""",
    ),
}

# Around the question ------------------------------------------------------------

REMARKS = {
    "en": """The front door is locked.|Nobody is at home.|It is raining outside.
        The gateway is online.|All devices report normally.|This is the evening report.
        The data is fresh.|Firmware is up to date.|The cat is asleep.
        Maintenance is planned for Monday.|Signal quality is good.|The building is empty.
        The readings were taken a minute ago.|The network was slow today.|We moved in last week.
        The sun is shining.|My neighbour asked too.|The values come from the gateway.
        The dashboard was updated.|I am away this week.|The router was replaced on Tuesday.
        We have guests.|The plumber has been.|It was a quiet night.|All is well otherwise.
        This message comes from Node-RED.|The battery of the remote was changed.|The wind has dropped.
        The sensors are new.|Nobody touched anything.|The children are at school.|It is still dark.
        The cleaning crew has left.|The lab confirmed the probes.|The line is up again.
        Sent from the gateway in the basement.|The last sync went fine.|The fair is in town.
        The barn was swept.|Spring is coming.|I am writing from the train.|There was no alarm today.
        The clocks are set right.|The window cleaner comes tomorrow.|We are testing the display.""",
    "fr": """La porte d'entrée est fermée à clé.|Il n'y a personne à la maison.
        Il pleut dehors.|La passerelle est en ligne.|Tous les appareils répondent.
        C'est le rapport du soir.|Les données sont récentes.|Le micrologiciel est à jour.
        Le chat dort.|La maintenance est prévue lundi.|Le signal est bon.|Le bâtiment est vide.
        Les mesures datent d'une minute.|Le réseau était lent aujourd'hui.
        Nous avons emménagé la semaine dernière.|Il fait beau.|Mon voisin a demandé aussi.
        Les valeurs viennent de la passerelle.|Le tableau de bord est à jour.
        Je suis absent cette semaine.|Le routeur a été remplacé mardi.|Nous avons des invités.
        Le plombier est passé.|La nuit a été calme.|Tout va bien par ailleurs.
        Ce message vient de Node-RED.|La pile de la télécommande a été changée.|Le vent est tombé.
        Les sondes sont neuves.|Personne n'a touché à rien.|Les enfants sont à l'école.
        Il fait encore nuit.|L'équipe de ménage est partie.|Le laboratoire a confirmé les sondes.
        La ligne est rétablie.|Envoyé depuis la passerelle du sous-sol.|La synchronisation s'est bien passée.
        C'est la foire au village.|La grange a été balayée.|Le printemps arrive.|J'écris depuis le train.
        Aucune alarme aujourd'hui.|Les horloges sont à l'heure.|Le laveur de vitres vient demain.
        Nous testons l'afficheur.""",
}
REMARKS_HELD_OUT = {
    "en": """The maintenance crew has left.|The broker was restarted this morning.
        Everyone is on holiday.|The display is broken.|It has been windy since noon.""",
    "fr": """L'équipe de maintenance est partie.|Le broker a redémarré ce matin.
        Tout le monde est en vacances.|L'écran est cassé.|Il y a du vent depuis midi.""",
}
BEFORE = {
    "en": """Hello.|Hi,|Hey,|Please help.|Question:|Quick check:|Good morning.|Task:
        Good evening,|OK,""",
    "fr": """Bonjour.|Bonjour,|Salut,|Question :|Petite vérification :|Bonsoir.|Tâche :
        Dis-moi,|Alors,""",
}
AFTER = {
    "en": """Thanks.|Please.|Thank you!|Answer briefly.|Just the answer.|Be precise.
        Short answer please.""",
    "fr": """Merci.|S'il te plaît.|S'il vous plaît.|Merci d'avance !|Réponds brièvement.
        Juste la réponse.|Sois précis.""",
}
SYSTEMS = {
    "en": """You are a helpful assistant.|You answer questions about sensor readings.
        Answer with one short sentence.|You are thinkd, the assistant of a house.
        You control a small building.|Be brief and exact.
        You are a careful monitoring assistant on a gateway.|Think first, then answer.
        You watch a plant.|You reason about readings and rules.""",
    "fr": """Tu es un assistant utile.
        Vous répondez à des questions sur des mesures de capteurs.|Réponds en une phrase courte.
        Tu es thinkd, l'assistant d'une maison.|Tu pilotes un petit bâtiment.|Sois bref et exact.
        Tu surveilles une passerelle.|Réfléchis d'abord, puis réponds.|Vous surveillez une usine.
        Tu raisonnes sur des mesures et des règles.""",
}


def _split(table):
    return {
        language: [entry.strip(" ") for entry in text.replace("\n", "|").split("|")]
        for language, text in table.items()
    }


REMARKS, REMARKS_HELD_OUT, SYSTEMS = _split(REMARKS), _split(REMARKS_HELD_OUT), _split(SYSTEMS)
AFTER = _split(AFTER)
BEFORE = {language: [f"{entry} " for entry in found] for language, found in _split(BEFORE).items()}


def system(rng, language):
    """A system prompt; most problems have none."""
    return "" if rng.random() < 0.85 else rng.choice(SYSTEMS[language])


# Days, runs and daily windows ------------------------------------------------------------

DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
}
# Things that start at a time and run for a while.
RUNS = {
    "en": nouns(
        "en",
        """washing machine|dishwasher|dryer|irrigation|backup|heating|charger|pump|ventilation
            pool filter|robot vacuum|oven|water heater|sprinkler|data export|self-test|calibration
            compressor|disinfection cycle|lighting|feeding|boiler|aquarium lamp|log rotation
            bread maker|coffee machine|slow cooker|tumble dryer|steam oven|dehumidifier|humidifier
            air purifier|lawn mower|pond pump|fountain|drip line|greenhouse lamp|milking machine
            milk cooling|egg turner|feed auger|grain dryer|conveyor|mixer|extruder|kiln|autoclave
            centrifuge|incubator|test bench|burn-in|printer job|3D print|car charging|battery charging
            engine preheater|floor heating|towel rail|sauna|hot tub|solar pump|well pump|lift test
            fire drill|siren test|bell|street lighting|shop window lighting|floodlight|night watch
            virus scan|firmware update|database clean-up|report|upload|synchronisation|index job
            cleaning|rinse|backwash|regeneration|defrost|drying phase|cooling phase|warm-up|soak
            fermentation|pasteurisation|sterilisation|lesson|meeting|delivery|patrol|inspection|shift""",
    ),
    "fr": nouns(
        "fr",
        """m lave-linge|m lave-vaisselle|m sèche-linge|m arrosage|f sauvegarde|m chauffage
            f charge|f pompe|f ventilation|f filtration|m robot aspirateur|m four|m chauffe-eau
            m autotest|m étalonnage|m compresseur|m cycle de désinfection|m éclairage
            f distribution de nourriture|f chaudière|f lampe de l'aquarium|f purge
            f machine à pain|f machine à café|f cocotte|m déshumidificateur|m humidificateur
            m purificateur d'air|f tondeuse|f pompe du bassin|f fontaine|m goutte-à-goutte
            f lampe de la serre|f traite|m refroidissement du lait|m séchage du grain|m convoyeur
            m mélangeur|f extrudeuse|m autoclave|f centrifugeuse|f couveuse|m banc d'essai
            f impression|f recharge de la voiture|f charge de la batterie|m préchauffage|m plancher chauffant
            m sèche-serviettes|m sauna|m spa|f pompe du puits|f pompe solaire|m essai des sirènes
            m exercice d'évacuation|m éclairage public|m éclairage de la vitrine|m projecteur|f ronde
            f analyse antivirus|f mise à jour|m nettoyage de la base|m rapport|m transfert
            f synchronisation|m nettoyage|m rinçage|f régénération|m dégivrage|f phase de séchage
            f phase de refroidissement|f montée en température|m trempage|f fermentation
            f pasteurisation|f stérilisation|m cours|f réunion|f livraison|f tournée|f inspection|m poste""",
    ),
}
RUNS_HELD_OUT = {
    "en": nouns("en", "bread maker|defrost cycle|firmware update|telemetry upload|kiln|tumbler"),
    "fr": nouns("fr", "f machine à pain|m dégivrage|f mise à jour|m relevé|m broyeur|m rinçage"),
}
# Daily windows that a time may lie in.
WINDOWS = {
    "en": nouns(
        "en",
        """p quiet hours|night mode|night tariff|p off-peak hours|cheap tariff|silent period
            p opening hours|night shift|do-not-disturb period|eco mode|maintenance window
            night setback|peak period|vacation lighting|alarm schedule|sleep mode|charging window
            p office hours|day programme|night shutdown|bedtime|siesta|lunch break|curfew|rush hour
            p school hours|p visiting hours|p business hours|p service hours|p delivery hours
            weekend mode|holiday mode|away mode|party mode|comfort phase|economy phase|boost phase
            frost watch|legionella programme|watering window|feeding time|day shift|late shift|early shift
            on-call duty|blackout period|freeze period|lockdown|guard time|reading ban|low tariff
            high tariff|solar window|discharge window|pump ban|noise ban|dimming phase|dawn phase""",
    ),
    "fr": nouns(
        "fr",
        """p f heures creuses|p f heures de silence|m mode nuit|m tarif de nuit|f plage de silence
            p f heures d'ouverture|f équipe de nuit|m mode éco|f période calme|p f heures pleines
            f fenêtre de maintenance|p m horaires d'ouverture|m réduit de nuit|f plage de recharge
            f période « ne pas déranger »|p f heures de bureau|m programme de jour
            f coupure de nuit|f sieste|f pause déjeuner|m couvre-feu|f heure de pointe|m mode week-end
            m mode vacances|m mode absence|m mode fête|m mode confort|m mode hors gel|m mode veille
            f phase de confort|f phase réduite|f phase de relance|p m horaires de visite
            p m horaires de livraison|p f heures de service|p f heures de cours|f plage d'arrosage
            f heure du repas|f équipe du matin|f équipe de l'après-midi|f astreinte|f période de gel
            f interdiction de bruit|m tarif réduit|m tarif de pointe|f fenêtre solaire|f plage de décharge
            f tranche horaire|m créneau de nuit|m créneau de pompage|f garde|f permanence|f fermeture""",
    ),
}
WINDOWS_HELD_OUT = {
    "en": nouns("en", "curfew|p visiting hours|hush time|p low-rate hours|guard duty"),
    "fr": nouns("fr", "m couvre-feu|p f heures de visite|f trêve nocturne|f tranche économique"),
}


# Devices by the dozen ------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Devices:
    """A kind of device of which there are many: one, several, its two states as said of anything
    (`tout est ouvert`), of one and of several, what machines write for them, and the name of a flag
    that is true in the first."""

    one: Noun
    many: Noun
    plain_states: tuple
    states: tuple
    plural_states: tuple
    codes: tuple
    flag: str


CODES = {
    "power": ((("on", "off"), ("ON", "OFF"), ("On", "Off")), "on"),
    "open": ((("open", "closed"), ("OPEN", "CLOSED")), "open"),
    "line": ((("online", "offline"), ("ONLINE", "OFFLINE"), ("up", "down")), "online"),
    "run": ((("running", "stopped"), ("RUNNING", "STOPPED"), ("RUN", "STOP")), "running"),
    "lock": ((("locked", "unlocked"), ("LOCKED", "UNLOCKED")), "locked"),
    "": ((), ""),
}
UNCHANGED = re.compile(r"^(en|à|hors|sous|au) |^ok$")


def agreed(word, noun):
    """A French state, given as a masculine singular, as it is said of a noun; English ones stay."""
    if noun.language == "en" or UNCHANGED.search(word):
        return word
    if noun.gender == "f":
        word = word[:-1] + "ve" if word.endswith("if") else word + ("" if word[-1] == "e" else "e")
    return word + ("s" if noun.plural and word[-1] not in "sx" else "")


def parse_devices(language, text):
    found = []
    for line in text.strip().splitlines():
        one, many, first, second, codes = (part.strip() for part in line.split(":"))
        one, many = nouns(language, one)[0], nouns(language, many)[0]
        pair = (first, second)
        found.append(
            Devices(
                one,
                many,
                pair,
                tuple(agreed(word, one) for word in pair),
                tuple(agreed(word, many) for word in pair),
                *CODES[codes],
            )
        )
    return found


DEVICES = {
    "en": parse_devices(
        "en",
        """light:p lights:on:off:power
        lamp:p lamps:on:off:power
        lamp:p lamps:lit:unlit:
        window:p windows:open:closed:open
        window:p windows:open:shut:open
        door:p doors:open:closed:open
        door:p doors:locked:unlocked:lock
        lock:p locks:locked:unlocked:lock
        valve:p valves:open:closed:open
        pump:p pumps:running:stopped:run
        pump:p pumps:on:off:power
        fan:p fans:on:off:power
        fan:p fans:running:stopped:run
        heater:p heaters:on:off:power
        radiator:p radiators:on:off:power
        sensor:p sensors:online:offline:line
        device:p devices:online:offline:line
        device:p devices:connected:disconnected:
        camera:p cameras:online:offline:line
        camera:p cameras:recording:idle:
        plug:p plugs:on:off:power
        socket:p sockets:on:off:power
        shutter:p shutters:open:closed:open
        blind:p blinds:up:down:
        machine:p machines:running:stopped:run
        machine:p machines:busy:idle:
        charger:p chargers:charging:idle:
        gate:p gates:open:closed:open
        relay:p relays:closed:open:
        motor:p motors:running:stopped:run
        zone:p zones:armed:disarmed:
        gateway:p gateways:up:down:line
        node:p nodes:online:offline:line
        battery:p batteries:ok:low:
        detector:p detectors:ok:faulty:
        parking space:p parking spaces:occupied:free:
        skylight:p skylights:open:closed:open
        curtain:p curtains:drawn:open:
        awning:p awnings:extended:retracted:
        tap:p taps:open:closed:open
        tap:p taps:running:dry:
        vent:p vents:open:closed:open
        vent:p vents:clear:blocked:
        flap:p flaps:raised:lowered:
        barrier:p barriers:up:down:
        barrier:p barriers:raised:lowered:
        ramp:p ramps:raised:lowered:
        drawer:p drawers:open:shut:
        cabinet:p cabinets:locked:unlocked:lock
        locker:p lockers:taken:free:
        locker:p lockers:locked:unlocked:lock
        safe:p safes:locked:unlocked:lock
        cupboard:p cupboards:full:empty:
        bin:p bins:full:empty:
        tank:p tanks:full:empty:
        tank:p tanks:filling:draining:
        basin:p basins:filled:drained:
        silo:p silos:full:empty:
        bottle:p bottles:full:empty:
        tray:p trays:loaded:empty:
        shelf:p shelves:stocked:bare:
        room:p rooms:occupied:vacant:
        room:p rooms:clean:dirty:
        room:p rooms:booked:available:
        desk:p desks:taken:free:
        table:p tables:reserved:free:
        seat:p seats:occupied:free:
        bed:p beds:occupied:vacant:
        berth:p berths:occupied:vacant:
        stall:p stalls:taken:vacant:
        bay:p bays:busy:free:
        lane:p lanes:open:blocked:
        track:p tracks:clear:occupied:
        elevator:p elevators:moving:parked:
        lift:p lifts:moving:stuck:
        conveyor:p conveyors:moving:halted:
        conveyor:p conveyors:running:stopped:run
        mixer:p mixers:spinning:still:
        drum:p drums:turning:still:
        press:p presses:engaged:released:
        clutch:p clutches:engaged:disengaged:
        brake:p brakes:applied:released:
        drone:p drones:flying:landed:
        mower:p mowers:mowing:parked:
        vehicle:p vehicles:moving:parked:
        truck:p trucks:loaded:unloaded:
        trolley:p trolleys:loaded:empty:
        wagon:p wagons:coupled:uncoupled:
        boat:p boats:moored:adrift:
        compressor:p compressors:on:off:power
        compressor:p compressors:running:stopped:run
        blower:p blowers:on:off:power
        boiler:p boilers:lit:out:
        boiler:p boilers:firing:resting:
        burner:p burners:lit:unlit:
        burner:p burners:burning:out:
        furnace:p furnaces:hot:cold:
        oven:p ovens:hot:cold:
        oven:p ovens:on:off:power
        stove:p stoves:on:off:power
        kettle:p kettles:boiling:cold:
        fridge:p fridges:cooling:defrosting:
        freezer:p freezers:cold:warm:
        chiller:p chillers:cooling:resting:
        washer:p washers:washing:done:
        dryer:p dryers:drying:done:
        printer:p printers:printing:ready:
        printer:p printers:ready:jammed:
        scanner:p scanners:ready:busy:
        screen:p screens:on:off:power
        screen:p screens:awake:asleep:
        display:p displays:lit:dark:
        monitor:p monitors:on:off:power
        speaker:p speakers:muted:unmuted:
        microphone:p microphones:muted:live:
        phone:p phones:ringing:silent:
        bell:p bells:ringing:silent:
        siren:p sirens:sounding:silent:
        alarm:p alarms:armed:disarmed:
        alarm:p alarms:active:cleared:
        beacon:p beacons:flashing:dark:
        lantern:p lanterns:lit:unlit:
        bulb:p bulbs:working:broken:
        bulb:p bulbs:on:off:power
        fuse:p fuses:intact:blown:
        breaker:p breakers:closed:tripped:
        breaker:p breakers:on:off:power
        circuit:p circuits:live:dead:
        line:p lines:live:dead:
        cable:p cables:plugged:unplugged:
        cable:p cables:connected:disconnected:
        contact:p contacts:made:broken:
        switch:p switches:up:down:
        switch:p switches:on:off:power
        button:p buttons:pressed:released:
        lever:p levers:up:down:
        port:p ports:open:closed:
        port:p ports:enabled:disabled:
        interface:p interfaces:up:down:line
        link:p links:up:down:line
        server:p servers:up:down:line
        server:p servers:online:offline:line
        host:p hosts:reachable:unreachable:
        modem:p modems:connected:disconnected:
        tag:p tags:found:lost:
        beehive:p beehives:healthy:weak:
        client:p clients:connected:disconnected:
        session:p sessions:active:expired:
        service:p services:running:stopped:run
        service:p services:up:down:
        job:p jobs:finished:pending:
        task:p tasks:done:open:
        task:p tasks:finished:running:
        order:p orders:shipped:pending:
        ticket:p tickets:solved:open:
        update:p updates:installed:pending:
        backup:p backups:complete:failed:
        backup:p backups:passed:failed:
        test:p tests:passed:failed:
        check:p checks:passed:failed:
        sample:p samples:good:bad:
        part:p parts:good:defective:
        filter:p filters:clean:dirty:
        filter:p filters:clean:clogged:
        pipe:p pipes:frozen:clear:
        pipe:p pipes:leaking:tight:
        joint:p joints:tight:leaking:
        seal:p seals:intact:broken:
        trap:p traps:set:sprung:
        cage:p cages:open:shut:
        fence:p fences:live:dead:
        pen:p pens:occupied:empty:
        cow:p cows:inside:outside:
        hen:p hens:inside:outside:
        dog:p dogs:awake:asleep:
        plant:p plants:healthy:sick:
        plant:p plants:watered:thirsty:
        bed:p beds:wet:dry:
        field:p fields:irrigated:dry:
        field:p fields:wet:dry:
        sprinkler:p sprinklers:on:off:power
        sprinkler:p sprinklers:watering:idle:
        probe:p probes:wet:dry:
        sensor:p sensors:wet:dry:
        sensor:p sensors:calibrated:uncalibrated:
        sensor:p sensors:normal:faulty:
        detector:p detectors:triggered:quiet:
        detector:p detectors:tripped:quiet:
        meter:p meters:read:unread:
        meter:p meters:sealed:open:
        thermostat:p thermostats:heating:idle:
        thermostat:p thermostats:locked:unlocked:lock
        inverter:p inverters:feeding:standby:
        inverter:p inverters:synced:unsynced:
        panel:p panels:producing:dark:
        panel:p panels:clean:dusty:
        cell:p cells:charged:discharged:
        battery:p batteries:charged:flat:
        battery:p batteries:charging:discharging:
        battery:p batteries:full:low:
        turbine:p turbines:turning:still:
        turbine:p turbines:running:halted:
        generator:p generators:running:stopped:run
        generator:p generators:ready:down:
        controller:p controllers:automatic:manual:
        controller:p controllers:local:remote:
        loop:p loops:automatic:manual:
        unit:p units:heating:cooling:
        unit:p units:active:passive:
        station:p stations:manned:unmanned:
        worker:p workers:present:absent:
        person:p people:home:away:
        guest:p guests:in:out:
        member:p members:present:absent:
        child:p children:indoors:outdoors:
        operator:p operators:available:busy:
        camera:p cameras:covered:clear:
        camera:p cameras:day:night:
        window:p windows:tilted:closed:
        window:p windows:clean:dirty:
        door:p doors:ajar:shut:
        door:p doors:open:shut:open
        gate:p gates:up:down:
        gate:p gates:locked:unlocked:lock
        garage:p garages:open:closed:open
        shutter:p shutters:up:down:
        shutter:p shutters:raised:lowered:
        blind:p blinds:open:closed:open
        blind:p blinds:raised:lowered:
        louvre:p louvres:open:closed:open""",
    ),
    "fr": parse_devices(
        "fr",
        """f lumière:p f lumières:allumé:éteint:power
        f lampe:p f lampes:allumé:éteint:power
        f fenêtre:p f fenêtres:ouvert:fermé:open
        f porte:p f portes:ouvert:fermé:open
        f porte:p f portes:verrouillé:déverrouillé:lock
        f serrure:p f serrures:verrouillé:déverrouillé:lock
        f vanne:p f vannes:ouvert:fermé:open
        f pompe:p f pompes:en marche:à l'arrêt:run
        f pompe:p f pompes:en marche:arrêté:run
        m ventilateur:p m ventilateurs:allumé:éteint:power
        m ventilateur:p m ventilateurs:en marche:à l'arrêt:run
        m radiateur:p m radiateurs:allumé:éteint:power
        m convecteur:p m convecteurs:allumé:éteint:power
        m capteur:p m capteurs:en ligne:hors ligne:line
        m appareil:p m appareils:en ligne:hors ligne:line
        m appareil:p m appareils:connecté:déconnecté:
        f caméra:p f caméras:en ligne:hors ligne:line
        f caméra:p f caméras:actif:inactif:
        f prise:p f prises:allumé:éteint:power
        f prise:p f prises:actif:inactif:
        m volet:p m volets:ouvert:fermé:open
        m store:p m stores:baissé:levé:
        f machine:p f machines:en marche:à l'arrêt:run
        f machine:p f machines:occupé:libre:
        m chargeur:p m chargeurs:branché:débranché:
        m portail:p m portails:ouvert:fermé:open
        m moteur:p m moteurs:en marche:à l'arrêt:run
        f zone:p f zones:activé:désactivé:
        f passerelle:p f passerelles:en ligne:hors ligne:line
        m nœud:p m nœuds:en ligne:hors ligne:line
        m détecteur:p m détecteurs:ok:en défaut:
        f place:p f places:occupé:libre:
        f lucarne:p f lucarnes:ouvert:fermé:open
        m rideau:p m rideaux:tiré:ouvert:
        m rideau:p m rideaux:ouvert:fermé:open
        m store:p m stores:déroulé:enroulé:
        m store:p m stores:ouvert:fermé:open
        m robinet:p m robinets:ouvert:fermé:open
        f bouche:p f bouches:dégagé:bouché:
        f grille:p f grilles:dégagé:obstrué:
        f barrière:p f barrières:levé:baissé:
        f barrière:p f barrières:relevé:abaissé:
        f rampe:p f rampes:déplié:replié:
        m tiroir:p m tiroirs:ouvert:fermé:open
        f armoire:p f armoires:verrouillé:déverrouillé:lock
        m casier:p m casiers:occupé:libre:
        m casier:p m casiers:verrouillé:déverrouillé:lock
        m coffre:p m coffres:verrouillé:déverrouillé:lock
        m placard:p m placards:plein:vide:
        f poubelle:p f poubelles:plein:vide:
        f cuve:p f cuves:plein:vide:
        m réservoir:p m réservoirs:plein:vide:
        m réservoir:p m réservoirs:rempli:vidé:
        m bassin:p m bassins:rempli:vidé:
        m silo:p m silos:plein:vide:
        f bouteille:p f bouteilles:plein:vide:
        m bac:p m bacs:plein:vide:
        m bac:p m bacs:chargé:vide:
        f chambre:p f chambres:occupé:libre:
        f chambre:p f chambres:réservé:disponible:
        f salle:p f salles:occupé:libre:
        f salle:p f salles:réservé:libre:
        f salle:p f salles:propre:sale:
        m bureau:p m bureaux:pris:libre:
        f table:p f tables:réservé:libre:
        m siège:p m sièges:occupé:libre:
        m lit:p m lits:occupé:inoccupé:
        m box:p m box:occupé:vacant:
        m quai:p m quais:occupé:libre:
        f voie:p f voies:dégagé:occupé:
        f voie:p f voies:libre:bloqué:
        m ascenseur:p m ascenseurs:en service:en panne:
        m ascenseur:p m ascenseurs:en mouvement:à l'arrêt:
        m convoyeur:p m convoyeurs:en marche:à l'arrêt:run
        m tapis:p m tapis:en marche:arrêté:run
        m mélangeur:p m mélangeurs:en marche:au repos:
        f presse:p f presses:engagé:relâché:
        m embrayage:p m embrayages:engagé:dégagé:
        m frein:p m freins:serré:desserré:
        m drone:p m drones:en vol:au sol:
        f tondeuse:p f tondeuses:en marche:garé:
        m véhicule:p m véhicules:garé:sorti:
        m camion:p m camions:chargé:déchargé:
        m chariot:p m chariots:chargé:vide:
        m wagon:p m wagons:attelé:dételé:
        m bateau:p m bateaux:amarré:sorti:
        m compresseur:p m compresseurs:en marche:à l'arrêt:run
        m compresseur:p m compresseurs:allumé:éteint:power
        f soufflerie:p f souffleries:allumé:éteint:power
        f chaudière:p f chaudières:allumé:éteint:power
        f chaudière:p f chaudières:en chauffe:au repos:
        m brûleur:p m brûleurs:allumé:éteint:power
        m four:p m fours:chaud:froid:
        m four:p m fours:allumé:éteint:power
        m poêle:p m poêles:allumé:éteint:power
        f bouilloire:p f bouilloires:en chauffe:froid:
        m frigo:p m frigos:en service:en dégivrage:
        m congélateur:p m congélateurs:ouvert:fermé:open
        m groupe:p m groupes:en marche:à l'arrêt:run
        m lave-linge:p m lave-linge:terminé:en cours:
        m sèche-linge:p m sèche-linge:terminé:en cours:
        f imprimante:p f imprimantes:prêt:bloqué:
        f imprimante:p f imprimantes:prêt:occupé:
        m scanner:p m scanners:prêt:occupé:
        m écran:p m écrans:allumé:éteint:power
        m écran:p m écrans:en veille:actif:
        m afficheur:p m afficheurs:allumé:éteint:power
        m haut-parleur:p m haut-parleurs:coupé:actif:
        m micro:p m micros:coupé:ouvert:
        m téléphone:p m téléphones:occupé:libre:
        f sirène:p f sirènes:actif:inactif:
        f alarme:p f alarmes:armé:désarmé:
        f alarme:p f alarmes:activé:désactivé:
        f alarme:p f alarmes:actif:acquitté:
        f balise:p f balises:trouvé:perdu:
        f ampoule:p f ampoules:allumé:éteint:power
        f ampoule:p f ampoules:intact:cassé:
        m lampadaire:p m lampadaires:allumé:éteint:power
        m fusible:p m fusibles:intact:grillé:
        m disjoncteur:p m disjoncteurs:enclenché:déclenché:
        m disjoncteur:p m disjoncteurs:armé:déclenché:
        m circuit:p m circuits:sous tension:hors tension:
        f ligne:p f lignes:sous tension:hors tension:
        m câble:p m câbles:branché:débranché:
        m contact:p m contacts:ouvert:fermé:open
        m relais:p m relais:collé:décollé:
        m relais:p m relais:ouvert:fermé:open
        m interrupteur:p m interrupteurs:levé:baissé:
        m interrupteur:p m interrupteurs:fermé:ouvert:
        m bouton:p m boutons:enfoncé:relâché:
        m levier:p m leviers:levé:baissé:
        m port:p m ports:ouvert:fermé:
        m port:p m ports:activé:désactivé:
        m lien:p m liens:actif:rompu:
        m serveur:p m serveurs:en ligne:hors ligne:line
        m serveur:p m serveurs:joignable:injoignable:
        m modem:p m modems:connecté:déconnecté:
        f borne:p f bornes:occupé:libre:
        f borne:p f bornes:en service:hors service:
        m client:p m clients:connecté:déconnecté:
        f session:p f sessions:actif:expiré:
        m service:p m services:démarré:arrêté:run
        f tâche:p f tâches:terminé:en cours:
        f tâche:p f tâches:fini:en attente:
        f commande:p f commandes:expédié:en attente:
        m ticket:p m tickets:résolu:ouvert:
        f sauvegarde:p f sauvegardes:réussi:échoué:
        m test:p m tests:réussi:échoué:
        m contrôle:p m contrôles:validé:refusé:
        f pièce:p f pièces:conforme:rejeté:
        m filtre:p m filtres:propre:sale:
        m filtre:p m filtres:propre:encrassé:
        f conduite:p f conduites:gelé:dégagé:
        m tuyau:p m tuyaux:percé:intact:
        m joint:p m joints:étanche:percé:
        m joint:p m joints:intact:usé:
        f cage:p f cages:ouvert:fermé:open
        f clôture:p f clôtures:sous tension:hors tension:
        m enclos:p m enclos:occupé:vide:
        f poule:p f poules:rentré:sorti:
        m cheval:p m chevaux:rentré:sorti:
        f plante:p f plantes:sain:malade:
        f plante:p f plantes:arrosé:assoiffé:
        f parcelle:p f parcelles:irrigué:aride:
        m arroseur:p m arroseurs:en marche:à l'arrêt:run
        m arroseur:p m arroseurs:actif:inactif:
        f sonde:p f sondes:noyé:dégagé:
        m capteur:p m capteurs:étalonné:déréglé:
        m capteur:p m capteurs:valide:défaillant:
        m détecteur:p m détecteurs:déclenché:calme:
        m détecteur:p m détecteurs:actif:inactif:
        m compteur:p m compteurs:relevé:oublié:
        m thermostat:p m thermostats:en chauffe:au repos:
        m thermostat:p m thermostats:bloqué:débloqué:
        m onduleur:p m onduleurs:couplé:découplé:
        m onduleur:p m onduleurs:en ligne:hors ligne:line
        m panneau:p m panneaux:propre:sale:
        m accumulateur:p m accumulateurs:chargé:déchargé:
        f batterie:p f batteries:chargé:déchargé:
        f batterie:p f batteries:plein:faible:
        f pile:p f piles:chargé:vide:
        f éolienne:p f éoliennes:en marche:à l'arrêt:run
        f turbine:p f turbines:en marche:à l'arrêt:run
        m générateur:p m générateurs:démarré:arrêté:run
        m régulateur:p m régulateurs:en automatique:en manuel:
        f boucle:p f boucles:en automatique:en manuel:
        f unité:p f unités:actif:inactif:
        m poste:p m postes:occupé:vacant:
        m employé:p m employés:présent:absent:
        f personne:p f personnes:présent:absent:
        m invité:p m invités:arrivé:attendu:
        m enfant:p m enfants:rentré:sorti:
        m opérateur:p m opérateurs:disponible:occupé:
        f caméra:p f caméras:couvert:dégagé:
        f fenêtre:p f fenêtres:entrouvert:fermé:
        f fenêtre:p f fenêtres:propre:sale:
        m garage:p m garages:ouvert:fermé:open
        m volet:p m volets:levé:baissé:
        m volet:p m volets:relevé:abaissé:
        m store:p m stores:relevé:abaissé:
        f persienne:p f persiennes:ouvert:fermé:open""",
    ),
}
DEVICES_HELD_OUT = {
    "en": parse_devices(
        "en",
        """damper:p dampers:open:closed:open
        hatch:p hatches:open:closed:open
        spotlight:p spotlights:on:off:power
        robot:p robots:running:stopped:run
        router:p routers:online:offline:line""",
    ),
    "fr": parse_devices(
        "fr",
        """f trappe:p f trappes:ouvert:fermé:open
        m projecteur:p m projecteurs:allumé:éteint:power
        m robot:p m robots:en marche:à l'arrêt:run
        m routeur:p m routeurs:en ligne:hors ligne:line
        m clapet:p m clapets:ouvert:fermé:open""",
    ),
}
