"""Choosing one action from a list and saying why: by conditions, by priority, by a goal, by bands or ranges
of a reading, by a set point with a dead band, by effects that are told, or what takes least or gives most."""

import functools
import random
from fractions import Fraction

import arithmetic
import naming
import relations
import telemetry
import wording
import words
from assemble import Amount, Answer, build
from families import rules

WEIGHT = 11
FAMILY = "action"
LISTED = {"do": str, "cond": str}
ATTRIBUTES = ("cost", "time", "energy")
# What one wants most of: units, and the least and the greatest it may be, in units of 10^-decimals.
MOST = {
    "power": (("kW", 2, 60, 0), ("kW", 15, 300, 1), ("W", 200, 3000, 0)),
    "flow": (("L/min", 5, 120, 0), ("m³/h", 2, 60, 0), ("m³/h", 12, 300, 1)),
    "range": (("km", 5, 600, 0), ("m", 5, 300, 0)),
    "runtime": (("h", 2, 90, 0), ("min", 20, 600, 0)),
    "speed": (("km/h", 5, 130, 0), ("m/s", 12, 250, 1)),
    "brightness": (("lm", 200, 9000, 0),),
    "savings": (("€", 10, 900, 0), ("kWh", 30, 900, 0)),
}
WORDING = wording.load(
    FAMILY,
    {
        "ask": {},
        "ask_only": {},
        "dead": {"noun": words.Noun, "target": str, "band": str},
        "most_ask": {"best": str},
        "effect_plain": {"do": str, "does": str},
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
        "site": {},
        "first_head": {"n": str},
        "range": {"low": str, "high": str, "do": str},
        "range_open": dict.fromkeys(("low", "high", "a", "b", "c", "sep"), str),
        "range_head": {"noun": words.Noun},
        "reading_at": {"noun": words.Noun, "place": words.Noun, "value": str},
        "effect": {"do": str, "noun": words.Noun, **dict.fromkeys(("raises", "rises", "up", "sign"), str)},
        "effect_head": {},
        "felt": {"wish": str},
        "aim": {"noun": words.Noun, "target": str, "value": str},
        "either": {"x": str, "y": str},
        "ask_gap": {},
        "scene_head": {"n": str},
        "pick": {"best": str},
        "both": {"best": str, "much": str, "ask": str},
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
        "power": "{a} is the highest power",
        "flow": "{a} is the highest flow",
        "range": "{a} is the longest range",
        "runtime": "{a} is the longest runtime",
        "speed": "{a} is the highest speed",
        "brightness": "{a} is the highest brightness",
        "savings": "{a} is the highest saving",
        "within": " within {limit}",
        "none within": "none is within {limit}",
        "none up": "none raises {noun.the}",
        "none down": "none lowers {noun.the}",
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
        "power": "{a} est la puissance la plus élevée",
        "flow": "{a} est le débit le plus élevé",
        "range": "{a} est la portée la plus longue",
        "runtime": "{a} est l'autonomie la plus longue",
        "speed": "{a} est la vitesse la plus élevée",
        "brightness": "{a} est la luminosité la plus élevée",
        "savings": "{a} est l'économie la plus élevée",
        "within": " dans la limite de {limit}",
        "none within": "aucune ne tient dans la limite de {limit}",
        "none up": "aucune ne fait monter {noun.the}",
        "none down": "aucune ne fait baisser {noun.the}",
    },
}
NONE = {"en": "none", "fr": "aucune"}
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
            "switch on the heat lamp; light a fire; run the heat pump; open the radiator; warm the bed; "
            "turn on the warm air; plug in the heating mat",
            "fr": "allumer le chauffage; monter le chauffage; démarrer le radiateur; allumer un feu; "
            "allumer la lampe chauffante; lancer la pompe à chaleur; ouvrir le radiateur; allumer le poêle; "
            "brancher le tapis chauffant",
        },
        {
            "en": "turn on the air conditioner; turn the heating down; stop the heater; "
            "run the chiller; put out the fire; switch off the heat lamp; close the radiator; start the second fan; "
            "turn on the cooling; open the skylight; start the cooling fan",
            "fr": "allumer la climatisation; baisser le chauffage; arrêter le radiateur; éteindre le feu; "
            "mettre en route la climatisation; lancer le groupe froid; éteindre la lampe chauffante; "
            "lancer le second ventilateur; ouvrir la lucarne; mettre le refroidissement",
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
# Two actions that move a quantity up and down, the first the one that raises it.
PAIRS = {
    "temperature": (
        "raise the heating / lower the heating; turn the radiator up / turn the radiator down; "
        "reduce the cooling / increase the cooling; close the roof vents / open the roof vents; "
        "add hot water / add cold water; warm the tank / chill the tank; stoke the stove / damp the stove",
        "augmenter le chauffage / réduire le chauffage; monter le radiateur / baisser le radiateur; "
        "réduire le refroidissement / augmenter le refroidissement; fermer les ouvrants / ouvrir les ouvrants; "
        "ajouter de l'eau chaude / ajouter de l'eau froide; chauffer la cuve / refroidir la cuve",
    ),
    "humidity": (
        "reduce the dehumidification / increase the dehumidification; increase the misting / reduce the misting; "
        "turn the humidifier up / turn the humidifier down; start the mister / start the dryer",
        "réduire la déshumidification / augmenter la déshumidification; augmenter la brumisation / "
        "réduire la brumisation; monter l'humidificateur / baisser l'humidificateur",
    ),
    "co2": (
        "reduce the ventilation / increase the ventilation; slow the extractor down / speed the extractor up; "
        "close the air flap / open the air flap",
        "réduire la ventilation / augmenter la ventilation; ralentir l'extracteur / accélérer l'extracteur; "
        "fermer le volet d'air / ouvrir le volet d'air",
    ),
    "light": (
        "brighten the lamps / dim the lamps; open the shutters / close the shutters; "
        "switch a row of lamps on / switch a row of lamps off",
        "monter l'éclairage / baisser l'éclairage; ouvrir les volets / fermer les volets; "
        "allumer une rampe / éteindre une rampe",
    ),
    "level": (
        "add water / drain water; open the inlet / open the drain; top up the basin / empty the basin a little; "
        "start the filling / start the draining",
        "ajouter de l'eau / vidanger de l'eau; ouvrir l'arrivée / ouvrir la vidange; "
        "lancer le remplissage / lancer la vidange",
    ),
    "water_depth": ("close the sluice / open the sluice; let water in / let water out",
                    "fermer la bonde / ouvrir la bonde; faire entrer de l'eau / faire sortir de l'eau"),
    "pressure": (
        "add air / bleed some air; increase the compressor output / reduce the compressor output",
        "ajouter de l'air / purger un peu d'air; augmenter le compresseur / réduire le compresseur",
    ),
    "tyre_pressure": ("inflate the tyre / let some air out; pump the tyres up / deflate the tyres",
                      "gonfler le pneu / dégonfler le pneu; remettre de l'air / laisser sortir de l'air"),
    "soil": (
        "water more / water less; lengthen the watering / shorten the watering; "
        "increase the irrigation / reduce the irrigation",
        "arroser plus / arroser moins; rallonger l'arrosage / raccourcir l'arrosage; "
        "augmenter l'irrigation / réduire l'irrigation",
    ),
    "noise": (
        "turn the volume up / turn the volume down; raise the volume / lower the volume",
        "monter le volume / baisser le volume; monter le son / baisser le son",
    ),
    "speed": (
        "speed up the drive / slow down the drive; raise the drive frequency / lower the drive frequency",
        "accélérer l'entraînement / ralentir l'entraînement; pousser le variateur / freiner le variateur",
    ),
    "flow": (
        "open the valve further / close the valve further; raise the pump speed / lower the pump speed",
        "ouvrir plus la vanne / fermer plus la vanne; accélérer la pompe / ralentir la pompe",
    ),
    "air_flow": ("turn the fan up / turn the fan down; open the damper / close the damper",
                 "pousser le ventilateur / réduire le ventilateur; ouvrir le registre / fermer le registre"),
    "dust": (
        "reduce the filtering / increase the filtering; slow the air filter down / speed the air filter up",
        "réduire la filtration / augmenter la filtration; ralentir le filtre à air / accélérer le filtre à air",
    ),
    "battery": ("charge / discharge; charge the pack / discharge the pack",
                "charger / décharger; charger le pack / décharger le pack"),
    "salinity": ("add salt / add fresh water; add brine / dilute with tap water",
                 "ajouter du sel / ajouter de l'eau douce; ajouter de la saumure / diluer à l'eau"),
    "chlorine_level": ("increase the chlorine dosing / reduce the chlorine dosing; dose more / dose less",
                       "augmenter le dosage / réduire le dosage; doser plus / doser moins"),
    "dissolved_oxygen": ("increase the aeration / reduce the aeration; start another aerator / stop an aerator",
                         "augmenter l'aération / réduire l'aération; lancer un aérateur / arrêter un aérateur"),
    "sugar_content": ("add sugar / add water; add syrup / dilute the must",
                      "ajouter du sucre / ajouter de l'eau; chaptaliser / diluer le moût"),
    "conductivity": ("add feed / add clean water; increase the fertiliser / reduce the fertiliser",
                     "ajouter de l'engrais / ajouter de l'eau claire; doser plus d'engrais / doser moins d'engrais"),
    "mass": ("add some / take some out; fill a little more / remove a little",
             "en ajouter / en retirer; remplir un peu plus / enlever un peu"),
    "torque": ("tighten / loosen; tighten the bolt / slacken the bolt",
               "serrer / desserrer; serrer la vis / desserrer la vis"),
    "differential_pressure": ("speed up the supply fan / slow down the supply fan",
                              "accélérer le soufflage / ralentir le soufflage"),
}
# How people feel that a quantity is too low or too high.
FELT = {
    "temperature": (
        ("it is too cold; we are freezing; it's chilly in here; it must get warmer; it has to be warmer; "
         "it is cold and it should be warmer; I'm cold; we want it warmer; everybody is shivering",
         "il fait trop froid; on a froid; on gèle ici; il faut qu'il fasse plus chaud; j'ai froid; "
         "il fait frisquet, il faut réchauffer; ça caille; il faut réchauffer"),
        ("it is too hot; it's too warm; we are sweating; it must get cooler; it should be cooler in here; "
         "I'm too hot; we want it cooler; it's boiling in here; it has to cool down",
         "il fait trop chaud; on a trop chaud; on étouffe de chaleur; il faut qu'il fasse plus frais; "
         "j'ai trop chaud; il faut rafraîchir; c'est une fournaise; on transpire"),
    ),
    "humidity": (
        ("the air is too dry; it's too dry in here; the air must get damper; my throat is dry from the air",
         "l'air est trop sec; il fait trop sec; il faut un air plus humide; l'air dessèche tout"),
        ("the air is too damp; it's muggy; it's too humid in here; the air must get drier",
         "l'air est trop humide; c'est trop humide ici; il faut un air plus sec; les murs suintent"),
    ),
    "light": (
        ("it is too dark; I can't see a thing; we need it brighter; it's gloomy; it must get brighter",
         "il fait trop sombre; on n'y voit rien; il faut y voir plus clair; c'est trop sombre"),
        ("it is too bright; the light dazzles us; it must get darker; we need it darker",
         "c'est trop lumineux; la lumière nous éblouit; il faut qu'il fasse plus sombre; il fait trop clair"),
    ),
    "noise": (
        ("it is too quiet; we can't hear anything; we want it louder", "on n'entend rien; ce n'est pas assez fort"),
        ("it is too loud; the guests complain of the noise; it must get quieter; we want it quieter",
         "c'est trop bruyant; il y a trop de bruit; il faut que ce soit plus calme; le bruit gêne tout le monde"),
    ),
    "soil": (
        ("the soil is too dry; the earth is dry as dust; the soil must get wetter",
         "la terre est trop sèche; le sol est trop sec; il faut une terre plus humide"),
        ("the soil is too wet; the soil is soaked; the soil must get drier",
         "la terre est trop humide; le sol est détrempé; il faut une terre plus sèche"),
    ),
    "level": (
        ("the tank is nearly empty; the tank must get fuller; there is too little water in the tank",
         "la cuve est presque vide; il n'y a pas assez d'eau dans la cuve; la cuve doit se remplir"),
        ("the tank is about to overflow; the tank is too full; there is too much water in the tank",
         "la cuve va déborder; la cuve est trop pleine; il y a trop d'eau dans la cuve"),
    ),
    "co2": (("", ""), ("the air is stale; it's stuffy in here; we need fresh air",
                       "l'air est vicié; on manque d'air frais; l'air est confiné")),
    "dust": (("", ""), ("the air is dusty; there is too much dust in the air",
                        "l'air est plein de poussière; il y a trop de poussière")),
    "battery": (("the battery is nearly flat; the battery is running low; the battery must be fuller",
                 "la batterie est presque vide; la batterie faiblit; il faut une batterie plus pleine"), ("", "")),
    "speed": (
        ("it turns too slowly; it must go faster; it's too slow", "ça tourne trop lentement; il faut aller plus vite"),
        ("it turns too fast; it must go slower; it's too fast", "ça tourne trop vite; il faut aller moins vite"),
    ),
    "pressure": (("there is too little pressure; we need more pressure",
                  "il n'y a pas assez de pression; il faut plus de pression"),
                 ("there is too much pressure; we need less pressure",
                  "il y a trop de pression; il faut moins de pression")),
}
# What an action does to a quantity, up and down, as a leaflet or a neighbour says it.
PLAIN_EFFECTS = {
    "temperature": (
        ("makes it warmer; warms the room; gives off heat; heats the place up; takes the chill off",
         "réchauffe; réchauffe la pièce; donne de la chaleur; apporte de la chaleur; chauffe le local"),
        ("makes it cooler; cools the room; takes the heat away; chills the place; cools things down",
         "rafraîchit; rafraîchit la pièce; chasse la chaleur; refroidit le local; apporte de la fraîcheur"),
    ),
    "humidity": (
        ("makes the air damper; moistens the air; puts moisture into the air",
         "humidifie l'air; rend l'air plus humide; ajoute de l'humidité"),
        ("dries the air; makes the air drier; takes moisture out of the air",
         "assèche l'air; rend l'air plus sec; enlève de l'humidité"),
    ),
    "light": (
        ("makes it brighter; gives more light; lights the place up",
         "éclaire davantage; donne plus de lumière; rend la pièce plus claire"),
        ("makes it darker; cuts the light down; keeps the light out",
         "assombrit; coupe la lumière; rend la pièce plus sombre"),
    ),
    "noise": (("makes it louder; makes more noise", "fait plus de bruit; rend le son plus fort"),
              ("makes it quieter; cuts the noise; brings the noise down", "fait moins de bruit; étouffe le bruit")),
    "soil": (("wets the soil; brings water to the roots", "mouille la terre; apporte de l'eau aux racines"),
             ("dries the soil; drains the bed", "assèche la terre; draine la planche")),
    "level": (("fills the tank; lets water into the tank", "remplit la cuve; fait entrer de l'eau dans la cuve"),
              ("empties the tank; lets water out of the tank", "vide la cuve; fait sortir l'eau de la cuve")),
    "co2": (("", ""), ("brings fresh air in; replaces the stale air", "renouvelle l'air; fait entrer de l'air frais")),
    "battery": (("fills the battery; tops the battery up", "recharge la batterie; remplit la batterie"),
                ("drains the battery; empties the battery", "vide la batterie; décharge la batterie")),
    "speed": (("makes it go faster; speeds it up", "fait tourner plus vite; accélère la rotation"),
              ("makes it go slower; slows it down", "fait tourner moins vite; freine la rotation")),
    "pressure": (("builds pressure up; adds pressure", "ajoute de la pression; donne plus de pression"),
                 ("lets pressure off; takes pressure away", "relâche de la pression; enlève de la pression")),
}
# Quantities that one feeling may mean alike.
ALIKE = (("pressure", "tyre_pressure", "differential_pressure"), ("level", "fuel_level", "water_depth"),
         ("co2", "VOC_level", "carbon_monoxide", "dust"), ("light", "light_output"), ("temperature", "heat_output"))
# Actions that move nothing measured.
IDLE = {
    "en": "lock the cabinet; label the cables; take a photo; call the neighbour; sweep the floor; note the time; "
    "wait for the boss; change the password; move the table; feed the cat; print the report; wash the tank top; "
    "write to the supplier; lock the door; sign the register; paint the gate; count the boxes; tidy the workshop; "
    "put up a sign; ring the bell; send a mail; save the settings; take the bins out; fetch the ladder; "
    "check the fuse labels; set the clock; hang up the keys; order spare parts; restart the display; file the log",
    "fr": "verrouiller l'armoire; étiqueter les câbles; prendre une photo; appeler le voisin; balayer le sol; "
    "noter l'heure; attendre le chef; changer le mot de passe; déplacer la table; nourrir le chat; "
    "imprimer le rapport; écrire au fournisseur; fermer la porte à clé; signer le registre; peindre le portail; "
    "compter les caisses; ranger l'atelier; poser un panneau; sonner la cloche; envoyer un mail; "
    "enregistrer les réglages; sortir les poubelles; chercher l'échelle; régler l'horloge; accrocher les clés; "
    "commander des pièces; redémarrer l'écran; classer le journal",
}
# What has an effect that only its description tells.
BUTTONS = {
    "en": "press button {L}; run programme {n}; call scene {L}; close relay {L}{n}; set mode {n}; open valve V{n}; "
    "select profile {L}; start unit {n}; use preset {n}; turn knob {L}; trigger output {n}; pull lever {L}; "
    "send command {n}; switch on line {n}; load recipe {L}; activate circuit {n}; send 0x{n}{n}; start device {L}",
    "fr": "appuyer sur le bouton {L}; lancer le programme {n}; appeler la scène {L}; fermer le relais {L}{n}; "
    "passer en mode {n}; ouvrir la vanne V{n}; choisir le profil {L}; démarrer l'unité {n}; prendre le réglage {n}; "
    "tourner la molette {L}; activer la sortie {n}; tirer le levier {L}; envoyer la commande {n}; "
    "allumer la ligne {n}; charger la recette {L}; activer le circuit {n}; démarrer l'appareil {L}",
}
MOVES = {
    "en": (
        {"raises": "raises", "rises": "goes up", "up": "up", "sign": "+"},
        {"raises": "lowers", "rises": "goes down", "up": "down", "sign": "-"},
    ),
    "fr": (
        {"raises": "fait monter", "rises": "monte", "up": "hausse", "sign": "+"},
        {"raises": "fait baisser", "rises": "baisse", "up": "baisse", "sign": "-"},
    ),
}
# Actions by degrees, from what is done at a low reading to what is done at a high one; `{n}` are numbers that fall.
GRADES = {
    "en": [
        ("soil", "water for {n} minutes; water for {n} minutes; skip watering"),
        ("soil", "water twice; water once; do not water; open the drains"),
        ("soil", "irrigate at full flow; irrigate at half flow; stop the irrigation"),
        ("soil", "run the drip for {n} min; run the drip for {n} min; run the drip for {n} min; leave the drip off"),
        ("level fuel_level", "order {n} L; order {n} L; order nothing"),
        ("level", "stop the irrigation; reduce the flow; irrigate as usual"),
        ("level", "call the tanker; fill overnight; carry on"),
        ("level water_depth", "close the sluice; leave the sluice; open the sluice"),
        ("battery", "start the generator; shed the fridge; run everything"),
        ("battery", "charge at once; charge tonight; unplug the charger"),
        ("battery", "switch off; save power; run normally; sell to the grid"),
        ("temperature", "heat at full power; heat at half power; stop the heating"),
        ("temperature", "light the stove; put on a jumper; open the window"),
        ("temperature", "run the frost fans; stay on watch; go home"),
        ("temperature", "heat at {n} %; heat at {n} %; heat at {n} %; heating off"),
        ("humidity", "mist for {n} seconds; mist for {n} seconds; no misting"),
        ("humidity", "start the humidifier; leave the air alone; start the dehumidifier"),
        ("co2 VOC_level", "leave the windows shut; open one window; open all windows"),
        ("co2", "fan off; fan on low; fan on high"),
        ("light solar_radiation", "all lamps on; half the lamps on; lamps off"),
        ("light", "open the blinds; tilt the blinds; close the blinds"),
        ("wind gust_speed", "fly the flags; take down the parasols; close the terrace"),
        ("wind", "sail as planned; reef the sails; stay in port"),
        ("rainfall", "water the garden; leave the garden; dig a ditch"),
        ("snow_depth", "leave it; sweep; call the plough"),
        ("pressure tyre_pressure", "pump it up; leave it; let some air out"),
        ("chlorine_level", "dose {n} g; dose {n} g; dose nothing"),
        ("CPU_load", "add no server; add one server; add two servers"),
        ("dust radon_level", "leave the filter off; run the filter slowly; run the filter flat out"),
        ("weight mass", "refill; keep going; empty the bin"),
        ("vibration", "carry on; grease the bearing; stop the machine"),
        ("noise", "turn it up; leave it; turn it down"),
    ],
    "fr": [
        ("soil", "arroser {n} minutes; arroser {n} minutes; ne pas arroser"),
        ("soil", "arroser deux fois; arroser une fois; sauter l'arrosage; ouvrir les drains"),
        ("soil", "irriguer à plein débit; irriguer à mi-débit; couper l'irrigation"),
        ("soil", "goutte-à-goutte {n} min; goutte-à-goutte {n} min; goutte-à-goutte {n} min; goutte-à-goutte coupé"),
        ("level fuel_level", "commander {n} L; commander {n} L; ne rien commander"),
        ("level", "arrêter l'irrigation; réduire le débit; irriguer normalement"),
        ("level", "appeler la citerne; remplir la nuit; continuer ainsi"),
        ("level water_depth", "fermer la bonde; laisser la bonde; ouvrir la bonde"),
        ("battery", "démarrer le groupe; délester le frigo; tout laisser tourner"),
        ("battery", "charger tout de suite; charger cette nuit; débrancher le chargeur"),
        ("battery", "tout éteindre; économiser; marche normale; revendre au réseau"),
        ("temperature", "chauffer à fond; chauffer à moitié; couper le chauffage"),
        ("temperature", "allumer le poêle; mettre un pull; ouvrir la fenêtre"),
        ("temperature", "lancer les tours antigel; rester en veille; rentrer dormir"),
        ("temperature", "chauffer à {n} %; chauffer à {n} %; chauffer à {n} %; chauffage coupé"),
        ("humidity", "brumiser {n} secondes; brumiser {n} secondes; ne pas brumiser"),
        ("humidity", "lancer l'humidificateur; laisser l'air; lancer le déshumidificateur"),
        ("co2 VOC_level", "laisser fermé; ouvrir une fenêtre; ouvrir en grand"),
        ("co2", "ventilation coupée; petite vitesse; grande vitesse"),
        ("light solar_radiation", "allumer tout; allumer la moitié; éteindre tout"),
        ("light", "ouvrir les stores; incliner les stores; fermer les stores"),
        ("wind gust_speed", "sortir les drapeaux; rentrer les parasols; fermer la terrasse"),
        ("wind", "naviguer comme prévu; prendre un ris; rester au port"),
        ("rainfall", "arroser le potager; laisser le potager; creuser une rigole"),
        ("snow_depth", "laisser; balayer; appeler le chasse-neige"),
        ("pressure tyre_pressure", "regonfler; laisser ainsi; lâcher un peu d'air"),
        ("chlorine_level", "doser {n} g; doser {n} g; ne rien doser"),
        ("CPU_load", "n'ajouter aucun serveur; ajouter un serveur; ajouter deux serveurs"),
        ("dust radon_level", "laisser le filtre coupé; filtrer doucement; filtrer à fond"),
        ("weight mass", "remplir; continuer; vider le bac"),
        ("vibration", "continuer; graisser le palier; arrêter la machine"),
        ("noise", "monter le son; laisser le son; baisser le son"),
    ],
}
# The best of several by what it takes, and how what it takes is asked for.
BEST = {
    "en": {
        "cost": ("cheapest; least expensive", "what it costs; its cost; the price",
                 "what does it cost; how much is it; what is its cost; at what price"),
        "time": ("fastest; quickest", "how long it takes; its duration; the time it takes",
                 "how long does it take; how long is it; what is its duration"),
        "energy": ("thriftiest in energy; most economical in energy",
                   "how much energy it uses; its energy use; the energy it needs",
                   "how much energy does it use; what does it use; what is its energy use"),
        "power": ("strongest; most powerful; highest in power", "its power; the power it has",
                  "what is its power; how much power does it have"),
        "flow": ("highest in flow; best in flow; strongest in flow", "its flow; the flow it gives",
                 "what is its flow; how much does it deliver"),
        "range": ("longest in range; best in range; farthest-reaching", "its range; how far it gets",
                  "what is its range; how far does it get"),
        "runtime": ("longest-lasting; longest in runtime; best in runtime", "its runtime; how long it keeps going",
                    "what is its runtime; how long does it keep going"),
        "speed": ("fastest; quickest; highest in speed", "its speed; how fast it is",
                  "what is its speed; how fast is it"),
        "brightness": ("brightest; most luminous; highest in brightness", "its brightness; how bright it is",
                       "what is its brightness; how bright is it"),
        "savings": ("best in savings; highest in savings; most rewarding in savings", "what it saves; its savings",
                    "how much does it save; what are its savings"),
    },
    "fr": {
        "cost": ("moins cher; moins coûteux", "ce que ça coûte; son coût; le prix",
                 "combien ça coûte; quel est son coût; à quel prix"),
        "time": ("plus rapide; plus court", "le temps que ça prend; sa durée; la durée",
                 "combien de temps ça prend; quelle est sa durée; ça dure combien"),
        "energy": ("plus sobre en énergie; plus économe en énergie",
                   "ce que ça consomme; sa consommation; l'énergie qu'il faut",
                   "combien ça consomme; quelle est sa consommation; combien d'énergie faut-il"),
        "power": ("plus puissant; plus fort en puissance; plus élevé en puissance", "sa puissance; combien il délivre",
                  "quelle est sa puissance; combien de puissance a-t-il"),
        "flow": ("plus élevé en débit; meilleur en débit; plus fort en débit", "son débit; le débit qu'il donne",
                 "quel est son débit; combien débite-t-il"),
        "range": ("plus long en portée; meilleur en portée; plus élevé en portée", "sa portée; jusqu'où il va",
                  "quelle est sa portée; jusqu'où va-t-il"),
        "runtime": ("plus long en autonomie; meilleur en autonomie; plus endurant", "son autonomie; combien il tient",
                    "quelle est son autonomie; combien de temps tient-il"),
        "speed": ("plus rapide; plus élevé en vitesse; plus vif en vitesse", "sa vitesse; à quelle vitesse il va",
                  "quelle est sa vitesse; à quelle vitesse va-t-il"),
        "brightness": ("plus lumineux; plus brillant; plus élevé en luminosité", "sa luminosité; combien il éclaire",
                       "quelle est sa luminosité; combien éclaire-t-il"),
        "savings": ("plus élevé en économies; meilleur en économies; plus fort en économies",
                    "ce qu'il économise; son économie", "combien économise-t-il; quelle est son économie"),
    },
}
SEVERAL_KEYS = {
    "en": {
        "action": ["action", "option", "choice", "what", "do", "pick", "best", "selected", "chosen_action"],
        "cost": ["cost", "price", "total_cost", "amount_due", "its_cost", "expense", "bill", "how_much"],
        "time": ["duration", "time", "time_needed", "how_long", "run_time", "takes", "duration_total", "time_taken"],
        "energy": ["energy", "consumption", "energy_use", "usage", "energy_needed", "use", "energy_total"],
        "power": ["power", "rating", "its_power", "output_power", "strength"],
        "flow": ["flow", "flow_rate", "its_flow", "delivery", "throughput"],
        "range": ["range", "reach", "its_range", "how_far", "distance"],
        "runtime": ["runtime", "lasts", "its_runtime", "autonomy", "endurance"],
        "speed": ["speed", "its_speed", "how_fast", "rate", "velocity"],
        "brightness": ["brightness", "lumens", "its_brightness", "light_output", "lm"],
        "savings": ["savings", "saved", "saving", "gain", "how_much_saved"],
        "gap": ["gap", "deviation", "difference", "error", "offset", "delta", "off_by", "distance_to_target"],
    },
    "fr": {
        "action": ["action", "option", "choix", "a_faire", "quoi", "geste", "meilleure", "retenue", "solution"],
        "cost": ["cout", "prix", "coût", "cout_total", "depense", "montant", "facture", "combien_paye"],
        "time": ["duree", "temps", "durée", "duree_totale", "temps_necessaire", "combien_de_temps", "temps_pris"],
        "energy": ["energie", "conso", "consommation", "énergie", "energie_utilisee", "besoin_energie", "conso_totale"],
        "power": ["puissance", "sa_puissance", "force", "puissance_max", "valeur_puissance"],
        "flow": ["debit", "débit", "son_debit", "valeur_debit", "livre"],
        "range": ["portee", "portée", "rayon", "jusqu_ou", "sa_portee"],
        "runtime": ["autonomie", "tient", "son_autonomie", "endurance", "temps_tenu"],
        "speed": ["vitesse", "sa_vitesse", "allure", "rapidite", "valeur_vitesse"],
        "brightness": ["luminosite", "luminosité", "lumens", "eclat", "flux_lm"],
        "savings": ["economie", "économie", "gain", "economies", "epargne"],
        "gap": ["ecart", "écart", "difference", "delta", "deviation", "ecart_consigne", "distance_cible", "erreur"],
    },
}
KEY_UNITS = {"€": "eur", "CHF": "chf", "$": "usd", "£": "gbp"}
KEY_UNITS |= {"L/min": "l_min", "m³/h": "m3_h", "km/h": "km_h", "m/s": "m_s"}
NUMBER_WORDS = {"en": ["two", "three", "four", "five"], "fr": ["deux", "trois", "quatre", "cinq"]}
# What nobody moves by an action.
UNMOVED = ("outdoor", "wind", "gust_speed", "rain_rate", "rainfall", "snow_depth", "solar_radiation", "hour_meter",
           "radon_level", "weight", "mass", "distance", "air_pressure", "absolute_temperature", "nitrate_level",
           "layer_thickness", "voltage", "cell_voltage")
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
# Several things of which one wants the most of something.
SCENES_MOST = {
    "en": {
        "power": "use the gas boiler; use the heat pump; use the electric heater; light the tiled stove; burn pellets; "
        "start the diesel generator; run the turbine; use the steam boiler",
        "flow": "start pump 1; start pump 2; run the fire pump; open the spring; use the hand pump; "
        "run the booster set; open the well; run the bilge pump",
        "range": "take the van; send the drone; take the electric bike; use the radio; take the dinghy; "
        "send the rover; take the tractor; take the scooter",
        "runtime": "take the grey battery; take the lithium pack; use the UPS; use the power bank; "
        "run on the fuel cell; use the lead battery; run on the reserve; use the small tank",
        "speed": "take the ferry; take the speedboat; send the drone; take the night train; take the cargo bike; "
        "use the new belt; send the shuttle",
        "brightness": "switch on the floodlight; light the lantern; use the headlamp; switch on the ring light; "
        "use the bench lamp; switch on the mast light; use the torch; turn on the spots",
        "savings": "insulate the roof; replace the windows; lower the heating at night; fit LED lamps; lag the pipes; "
        "fit a timer; seal the doors; change the boiler",
    },
    "fr": {
        "power": "utiliser la chaudière gaz; utiliser la pompe à chaleur; utiliser le convecteur; "
        "allumer le poêle de masse; brûler des granulés; démarrer le groupe diesel; "
        "lancer la turbine; utiliser la chaudière vapeur",
        "flow": "démarrer la pompe 1; démarrer la pompe 2; lancer la motopompe; ouvrir la source; "
        "actionner la pompe à bras; lancer le surpresseur; ouvrir le puits; lancer la pompe de cale",
        "range": "prendre la camionnette; envoyer le drone; prendre le vélo électrique; utiliser la radio; "
        "prendre l'annexe; envoyer le robot; prendre le tracteur; prendre le scooter",
        "runtime": "prendre la batterie grise; prendre le pack lithium; utiliser l'onduleur; "
        "utiliser la batterie externe; passer sur la pile à combustible; utiliser la batterie au plomb; "
        "passer sur la réserve; prendre le petit réservoir",
        "speed": "prendre le bac; prendre la vedette; envoyer le drone; prendre le train de nuit; "
        "prendre le vélo cargo; utiliser le nouveau tapis; envoyer la navette",
        "brightness": "allumer le projecteur; allumer la lanterne; prendre la frontale; allumer l'anneau; "
        "utiliser la lampe d'établi; allumer le feu de mât; prendre la torche; allumer les spots",
        "savings": "isoler le toit; changer les fenêtres; baisser le chauffage la nuit; poser des LED; "
        "calorifuger les tuyaux; poser une minuterie; calfeutrer les portes; changer la chaudière",
    },
}
# What is done inside a dead band.
HOLD = {
    "en": "do nothing; do nothing; do nothing; leave it alone; hold; wait; change nothing; leave things as they are",
    "fr": "ne rien faire; ne rien faire; ne rien faire; laisser ainsi; attendre; ne rien changer; ne toucher à rien",
}
COLON = {"en": ": ", "fr": " : "}
MONEY = ("€", "€", "€", "CHF", "$", "£")


def make(rng, language, held_out):
    kind = rng.choices(
        [_conditional, _priority, _classes, _target, _dead, _direction, _effects, _band, _ranges, _scene],
        [22, 10, 8, 16, 5, 6, 11, 12, 15, 24],
    )[0]
    return kind(rng, language, held_out)


def _reason(language, kind, **values):
    return REASONS[language][kind].format(**values)


def _ask(rng, language, held_out, bare=0.4):
    """What is asked, and whether it wants the reason: as often as `bare` only the action."""
    reasoned = rng.random() >= bare
    return WORDING.say(rng, language, "ask" if reasoned else "ask_only", held_out), reasoned


# Actions that stand nowhere else ------------------------------------------------------------


@functools.cache
def _coinable(language, name):
    return words.entries(f"{language}/coined_{name}.txt")


def _verb(language, entry, form):
    """A verb of the list; in French in one form, as `words.spoken` has them."""
    if language == "en":
        return entry
    forms = entry.split()
    return (forms if len(forms) == 3 else [entry, entry[:-1], entry[:-1] + "z"])[form]


def _thing(rng, language):
    """What an action is done to, with its article where it has one: `the sieve`, `kiln 3`, `P-12`, `scene "Owl"`."""
    chance = rng.random()
    if chance < 0.12:
        return naming.codes(rng, language, 1)[0]
    if chance < 0.2:
        return naming.any_names(rng, 1)[0]
    quotes = rng.choice(['"{}"', "'{}'", "« {} »" if language == "fr" else "“{}”", "{}"])
    title = quotes.format(rng.choice(_coinable(language, "titles")))
    entry = rng.choice(_coinable(language, "things"))
    if language == "fr":
        kinds, noun = ["la scène", "le programme", "la séquence", "la recette"], words.nouns("fr", entry)[0].the
    else:
        kinds, noun = ["scene", "programme", "sequence", "recipe"], f"the {entry}"
    if chance < 0.3:
        return f"{rng.choice(kinds)} {title}"
    if chance < 0.5:
        letter, digit = rng.choice("ABCDEFGHK"), rng.randint(1, 9)
        number = rng.choice([str(rng.randint(1, 40)), letter, f"{letter}{digit}"])
        return f"{noun if language == 'fr' else entry} {number}"
    return noun


def _phrase(rng, language, form, verb):
    """One action of words that seldom come together: a verb, its object and mostly something more."""
    if rng.random() < 0.1:
        verb = rng.choice({"en": ["call", "warn", "page", "fetch", "text"], "fr": ["appeler appelle appelez",
                          "avertir avertis avertissez", "biper", "chercher", "alerter"]}[language])
        thing = rng.choice(_coinable(language, "people"))
    else:
        thing = _thing(rng, language)
    tail = rng.choice(_coinable(language, "tails")) if rng.random() < 0.5 else ""
    tail = tail.format(n=rng.choice([rng.randint(2, 9), 5 * rng.randint(2, 18)]), L=rng.choice("ABCDEFGHK"))
    return f"{_verb(language, verb, form)} {thing} {tail}".strip()


def _coined(rng, language, count, form=0):
    """`count` different actions of which the words must be copied; now and then they share their verb."""
    while True:
        verbs = rng.sample(_coinable(language, "verbs"), count)
        verbs = verbs[:1] * count if rng.random() < 0.25 else verbs
        found = [_phrase(rng, language, form, verb) for verb in verbs]
        if not any(a != b and a.lower() in b.lower() for a in found for b in found) and len(set(found)) == count:
            return found


def _actions(rng, language, count, coined=0.18):
    """Actions as `words.actions` has them, or coined ones."""
    if rng.random() >= coined:
        return words.actions(rng, language, count)
    found = _coined(rng, language, count, rng.choice([0, 0, 1, 2]))
    return [words.Action(words.Noun("", language), do, do) for do in found]


def _alike(rng, language, section, held_out, rows):
    """The rows, slots' values each, in one and the same wording of the section."""
    seed = rng.random()
    return [WORDING.say(random.Random(seed), language, section, held_out, **row) for row in rows]


def _worded(rng, language, section, held_out, rows):
    """The rows in one wording, as a program or a table has them, or each in its own."""
    if rng.random() < 0.4:
        return _alike(rng, language, section, held_out, rows)
    return [WORDING.say(rng, language, section, held_out, **row) for row in rows]


def _sited(rng, language, site, items):
    """The items in one sentence after the name of the place."""
    first = rng.choice([". ", ". ", " - ", COLON[language]])
    text = "; ".join(items)
    return f"{wording.capital(site)}{first}{wording.capital(text) if first == '. ' else text}."


def _stacked(rng, head, items):
    """A head, maybe none, and its items below it, or one after the other."""
    if rng.random() < 0.6:
        mark = rng.choice(["", "", "- ", "* ", "{}) ", "{}. "])
        lines = [mark.format(i + 1) + item for i, item in enumerate(items)]
        return "\n".join(([head] if head else []) + lines) + "\n"
    glues = ["; ", "; ", ". ", " / ", ", ", " | "]
    glue = rng.choice([glue for glue in glues if not any(glue in item for item in items)])
    if glue == ". ":
        items = [wording.capital(item) for item in items]
    return f"{head} {glue.join(items)}".strip() + "."


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


def _finish(rng, language, held_out, question, thought, action, reason, told, separator, amount=None, reasoned=True,
            **rest):
    """The problem; `rest` may have `rule` (text), `phrasings`, `facts` and `json_share`. `amount`, a name of
    `SEVERAL_KEYS` and an `Amount`, is asked for beside the action. `reasoned`: the reason is wanted too."""
    answer = Answer(BECAUSE[language] if reasoned else "{action}.", {"action": action, "reason": reason})
    if amount:
        keys = SEVERAL_KEYS[language]
        answer = Answer("{action}", dict([("action", action), amount]), keys, several=True)
    if told and "\n" in rest.get("rule", ""):
        told.block = True
    facts = {"reason": reason, "reasoned": reasoned, **rest.pop("facts")}
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
        conditions = rules.draw_conditions(rng, language, held_out, count, separator)
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


WHEN_KEYS = {
    "en": (["action", "do", "command", "option", "name"],
           ["when", "condition", "if", "use_when", "use_if", "when_to_use", "note", "trigger"],
           ["otherwise", "default"]),
    "fr": (["action", "faire", "commande", "option", "nom"],
           ["quand", "condition", "si", "a_utiliser_si", "usage", "note", "declencheur"], ["sinon", "par défaut"]),
}


def _with_notes(rng, language, rows, otherwise):
    """Actions and when each is to be used, as JSON or a table; nothing where quotes would be doubled."""
    does, whens, others = WHEN_KEYS[language]
    rows = [(row["do"], row["cond"]) for row in rows] + ([(otherwise, rng.choice(others))] if otherwise else [])
    if any(sign in text for row in rows for text in row for sign in '"|;\\'):
        return ""
    do, when, style = rng.choice(does), rng.choice(whens), rng.random()
    if style < 0.45:
        data = [{do: action, when: cond} for action, cond in rows]
        if rng.random() < 0.3:
            data = [{when: cond, do: action} for action, cond in rows]
        return telemetry.encode(data, rng.random() < 0.4) + "\n"
    if style < 0.6:
        return telemetry.encode(dict(rows), rng.random() < 0.4) + "\n"
    return telemetry.table(rng, [[do, when], *map(list, rows)]) + "\n"


def _conditional(rng, language, held_out):
    """Conditions, one an action: at most one of them holds, or the first that does decides."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [5, 5, 2])[0]
    ordered = rng.random() < 0.25
    wanted = (0, 1) if rng.random() < 0.3 else (1,)
    if ordered:
        wanted = range(2, count + 1) if rng.random() < 0.6 else range(count + 1)
    conditions = _conditions(rng, language, held_out, count, separator, wanted)
    if not ordered and sum(condition.holds for condition in conditions) > 1:
        return _conditional(rng, language, held_out)
    actions = _actions(rng, language, count + 1)
    rows = [{"do": action.do, "cond": condition.text} for condition, action in zip(conditions, actions)]
    items = _worded(rng, language, "option", held_out, rows)
    otherwise, last = _otherwise(rng, language, held_out, actions)
    items += [last] if last else []
    head = WORDING.say(rng, language, "first_head" if ordered else "head", held_out, n=str(len(items)))
    tabled = _with_notes(rng, language, rows, last and otherwise) if not ordered and rng.random() < 0.22 else ""
    if tabled:
        items, rule = [], tabled if rng.random() < 0.4 else f"{head.text}\n{tabled}"
    elif not ordered and rng.random() < 0.25:
        head = WORDING.say(rng, language, "site", held_out)
        rule = _sited(rng, language, head.text, [item.text for item in items])
    else:
        rule = _listed(rng, head, [item.text for item in items])
    question, reasoned = _ask(rng, language, held_out, 0 if ordered else 0.4)
    told = rules.status(rng, language, conditions, separator, [a.device for a in actions])
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
        reasoned=reasoned,
        rule=rule,
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
    actions = _actions(rng, language, count + 1)
    key = "p" if section == "prio_option" else "tag"
    items = _worded(
        rng,
        language,
        section,
        held_out,
        [
            {"do": action.do, "cond": condition.text, key: tag}
            for condition, action, tag in zip(conditions, actions, tags)
        ],
    )
    otherwise, last = _otherwise(rng, language, held_out, actions)
    shown = rng.sample(items, count) + ([last] if last else [])
    question, reasoned = _ask(rng, language, held_out)
    told = rules.status(rng, language, conditions, separator, [a.device for a in actions])
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
        reasoned=reasoned,
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


def options_for(rng, language, id_, side):
    """The right action for a quantity and a side (0 up, 1 down) among others: the opposite, and
    those for other quantities. Without a side it is doing nothing."""
    opposite = _ways(language, id_, 1 - (side or 0))
    right = words.NOTHING[language] if side is None else rng.choice(_ways(language, id_, side))
    near = {id_} | {other for group in TOGETHER if id_ in group for other in group}
    apart = [other for other in EFFECTS if other not in near]
    others = rng.sample(apart, rng.choice([1, 1, 2, 3]))
    wrong = [rng.choice(_ways(language, other, rng.randrange(2))) for other in others]
    if rng.random() < 0.3:
        wrong = rng.sample(IDLE[language].split("; "), len(wrong))
    if rng.random() < 0.75 or side is None:
        wrong.append(rng.choice(opposite))
    if side is None:
        wrong.append(rng.choice(_ways(language, id_, 0)))
    elif rng.random() < 0.25:
        wrong.append(words.NOTHING[language])
    options = [right, *wrong]
    rng.shuffle(options)
    return right, options


def choices_of(rng, language, held_out, options):
    if rng.random() < 0.25:
        head = WORDING.say(rng, language, "head", held_out, n=str(len(options)))
        return head, _listed(rng, head, options)
    last = {"en": " or ", "fr": " ou "}[language]
    listed = rng.choice(
        [telemetry.joined(options, language, last), ", ".join(options), "; ".join(options)]
    )
    said = WORDING.say(rng, language, "choices", held_out, list=listed)
    return said, said.text


def _pair(rng, language, held_out, id_, order):
    """Two actions for a quantity, one up and one down: them, the one that is right where the reading stands to
    its target as `order` says, and how they are offered."""
    ways = rng.choice(PAIRS[id_][language == "fr"].split("; ")).split(" / ")
    x, y = rng.sample(ways, 2)
    said = WORDING.say(rng, language, "either", held_out, x=x, y=y)
    return ways, ways[order > 0], said


def _compared(value, decimals, target, target_decimals):
    """`63:55 6>5 >`: a reading beside its target."""
    steps, order = arithmetic.digits_compared(value, decimals, target, target_decimals)
    numbers = f"{arithmetic.text(value, decimals)}:{arithmetic.text(target, target_decimals)}"
    return f"{numbers} {steps} {'<=>'[order + 1]}", order


def _gap(value, decimals, target, target_decimals):
    """How far a reading is from its target: the steps and the amount, without its unit."""
    a, b, shared = arithmetic.aligned(value, decimals, target, target_decimals)
    line, size = arithmetic.difference(max(a, b), min(a, b), shared)
    return arithmetic.finish([line], size, shared)


def _target(rng, language, held_out):
    """A reading beside its target: which action brings it there, of several or of two opposite ones."""
    separator = telemetry.separator(rng, language)
    paired = rng.random() < 0.5
    quantity = rng.choice([q for q in words.QUANTITIES if q.id in (PAIRS if paired else EFFECTS)])
    noun, unit = quantity.noun[language], quantity.unit
    while True:
        value, decimals = rules.measure(rng, quantity)
        target, target_decimals = relations.limit_near(rng, value, decimals)
        compared, order = _compared(value, decimals, target, target_decimals)
        if order or not paired:
            break
    side = {-1: 0, 1: 1, 0: None}[order]
    if paired:
        ways, right, choices = _pair(rng, language, held_out, quantity.id, order)
        options, listed = ways, choices.text + ("\n" if "\n" in choices.text else "")
    else:
        ways = None
        right, options = options_for(rng, language, quantity.id, side)
        choices, listed = choices_of(rng, language, held_out, options)
    aimed = rng.random() < (0.6 if paired else 0.25)
    wanted = {"noun": noun, "target": _amount(target, target_decimals, unit, separator)}
    if aimed:
        wanted["value"] = _amount(value, decimals, unit, separator)
    goal = WORDING.say(rng, language, "aim" if aimed else "target", held_out, **wanted)
    for _ in range(200):
        if paired or not aimed or "noun" in goal.slots:
            break  # Otherwise several options might move what has this unit.
        goal = WORDING.say(rng, language, "aim", held_out, **wanted)
    told = None
    if not aimed:
        fact = telemetry.reading(rng, language, quantity, value, decimals)
        told = rules.status(rng, language, [rules.Condition("", fact, "", True, ())], separator)
    point = (told and told.separator) or separator
    reason = _reason(
        language,
        "<=>"[order + 1],
        a=_amount(value, decimals, unit, point),
        b=_amount(target, target_decimals, unit, point),
    )
    amount, kind, last = None, "goal", []
    if side is not None and rng.random() < (0.28 if paired else 0.1):
        last, size, shared = _gap(value, decimals, target, target_decimals)
        amount, kind = ("gap", Amount(size, shared, unit)), "goal + gap"
    question, reasoned = _ask(rng, language, held_out)
    if amount and rng.random() < 0.6:
        question = WORDING.say(rng, language, "ask_gap", held_out)
    phrasings, opening = [goal, choices], goal.text
    if aimed and rng.random() < 0.45:
        site = WORDING.say(rng, language, "site", held_out)
        phrasings.append(site)
        opening = f"{wording.capital(site.text)}{rng.choice(['. ', COLON[language], ' - '])}{goal.text}"
    way = f"{('up', 'down')[side]} {noun}" if side is not None else "keep"
    return _finish(
        rng,
        language,
        held_out,
        question.within(f"{opening} {question.text}"),
        [kind, compared, f"{way}: {right}", *last],
        right,
        reason,
        told,
        separator,
        reasoned=reasoned,
        amount=amount,
        rule=listed,
        phrasings=phrasings,
        facts={
            "kind": "goal",
            "value": (value, decimals),
            "target": (target, target_decimals),
            "id": quantity.id,
            "options": options,
            "ways": ways,
            "gap": amount is not None,
        },
    )


def _dead(rng, language, held_out):
    """A set point with a dead band: one of two opposite actions outside of it, nothing inside."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.id in PAIRS])
    noun, unit = quantity.noun[language], quantity.unit
    while True:
        value, decimals = rules.measure(rng, quantity)
        width = rng.choice([1, 2, 3, 5, 5, 10, 20]) if decimals else max(1, abs(value) // rng.choice([10, 20, 40]))
        target = value + rng.randint(-3 * width, 3 * width)
        if decimals and rng.random() < 0.6:
            target = round(target, -1)
        if value >= 0 and width < target and abs(value - target) != width and value != target:
            break
    ways = rng.choice(PAIRS[quantity.id][language == "fr"].split("; ")).split(" / ")
    hold = rng.choice(HOLD[language].split("; "))
    if rng.random() < 0.7:
        choices, listed = choices_of(rng, language, held_out, rng.sample([*ways, hold], 3))
    else:
        hold, (x, y) = words.NOTHING[language], rng.sample(ways, 2)
        choices = WORDING.say(rng, language, "either", held_out, x=x, y=y)
        listed = choices.text + ("\n" if "\n" in choices.text else "")

    def shown(number, point, full=True):
        number, places = arithmetic.trimmed(number, decimals)
        return _amount(number, places, unit if full else "", point)

    band = shown(width, separator, rng.random() < 0.6)
    goal = WORDING.say(
        rng, language, "dead", held_out, noun=noun, target=shown(target, separator, rng.random() < 0.8), band=band
    )
    told, phrasings = _where(rng, language, held_out, quantity, value, decimals, separator)
    question, reasoned = _ask(rng, language, held_out)
    point = told.separator or separator
    low, high, thought = target - width, target + width, ["dead band"]
    low_line, _ = arithmetic.subtraction(target, width, decimals)
    line, below = arithmetic.comparison(value, decimals, "<", low, decimals)
    thought += [low_line, line]
    above = False
    if not below:
        high_line, _ = arithmetic.addition(target, width, decimals)
        line, above = arithmetic.comparison(value, decimals, ">", high, decimals)
        thought += [high_line, line]
    right = ways[0] if below else ways[1] if above else hold
    way = "up" if below else "down" if above else "keep"
    a, b, c = _amount(value, decimals, unit, point), shown(low, point), shown(high, point)
    kind, texts = (("<", (a, b)) if below else (">", (a, c)) if above else ("between", (a, b, c)))
    return _finish(
        rng,
        language,
        held_out,
        question.within(f"{goal.text} {question.text}"),
        [*thought, f"{way}: {right}" if way == "keep" else f"{way} {noun}: {right}"],
        right,
        _reason(language, kind, **dict(zip("abc", texts))),
        told,
        separator,
        reasoned=reasoned,
        rule=listed,
        phrasings=[goal, choices, *phrasings],
        facts={"kind": "dead", "value": (value, decimals), "target": (target, decimals), "width": (width, decimals),
               "ways": ways, "hold": hold},
    )


def _wish(rng, language, held_out, quantity, side, felt):
    """The wish that a quantity goes up or down: said of it, or, as often as `felt`, as one feels it."""
    way, noun = ("up", "down")[side], quantity.noun[language]
    said = WORDING.say(rng, language, way, held_out, noun=noun)
    wishes = FELT.get(quantity.id, (("", ""), ("", "")))[side][language == "fr"]
    if not wishes or rng.random() >= felt:
        return said
    wish = rng.choice(wishes.split("; "))
    feeling = WORDING.say(rng, language, "felt", held_out, wish=wish)
    if rng.random() < 0.3:
        return feeling.within(f"{feeling.text} {said.text}")
    return feeling


def _direction(rng, language, held_out):
    """Only the direction is said."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.id in EFFECTS])
    noun, side = quantity.noun[language], rng.randrange(2)
    right, options = options_for(rng, language, quantity.id, side)
    way = ("up", "down")[side]
    goal = _wish(rng, language, held_out, quantity, side, 0.4 if quantity.id == "temperature" else 0)
    choices, listed = choices_of(rng, language, held_out, options)
    question, reasoned = _ask(rng, language, held_out)
    question = question.within(f"{goal.text} {question.text}")
    return _finish(
        rng,
        language,
        held_out,
        question,
        ["goal", f"{way} {noun}: {right}"],
        right,
        _reason(language, way, noun=noun),
        None,
        separator,
        reasoned=reasoned,
        rule=listed,
        phrasings=[goal, choices],
        facts={"kind": "direction", "side": side, "id": quantity.id, "options": options},
    )


def _buttons(rng, language, count):
    """Actions of which the name tells nothing, all of one sort or of several, or coined ones."""
    if rng.random() < 0.35:
        return _coined(rng, language, count)
    sorts = BUTTONS[language].split("; ")
    sorts = [rng.choice(sorts)] * count if rng.random() < 0.5 else rng.sample(sorts, count)
    letters, numbers = rng.sample("ABCDEFGHKLMPRSTX", count), rng.sample(range(1, 10), count)
    if rng.random() < 0.5:
        letters, numbers = sorted(letters), sorted(numbers)
    return [sort.format(L=letter, n=n) for sort, letter, n in zip(sorts, letters, numbers)]


def _effects(rng, language, held_out):
    """The list says what each action does; the wish says which way a quantity shall go."""
    separator = telemetry.separator(rng, language)
    count = rng.choices([2, 3, 4], [2, 6, 3])[0]
    blind, plain = rng.random() < 0.55, rng.random() < 0.4
    named = {q.id: q for q in words.QUANTITIES if q.id in EFFECTS or (blind and q.id not in UNMOVED)}
    if plain:
        named = {id_: quantity for id_, quantity in named.items() if id_ in PLAIN_EFFECTS}
    first = rng.choice([id_ for id_ in named if id_ in EFFECTS or rng.random() < 0.2])
    side = 1 if plain and first == "co2" else rng.randrange(2)
    moves = [(first, side)]
    if (count == 2 or rng.random() < 0.75) and not (plain and first == "co2"):
        moves.append((first, 1 - side))
    taken = {str(named[first].noun[language])}
    while len(moves) < count:
        other = rng.choice(sorted(named))
        near = any(first in group and other in group for group in ALIKE)
        near = near or (plain and any(first in group and other in group for group in TOGETHER))
        if not near and str(named[other].noun[language]) not in taken:
            taken.add(str(named[other].noun[language]))
            moves.append((other, 1 if plain and other == "co2" else rng.randrange(2)))
    actions = (
        _buttons(rng, language, count)
        if blind
        else [rng.choice(_ways(language, id_, move)) for id_, move in moves]
    )
    right, rows = actions[0], []
    for do, (id_, move) in zip(actions, moves):
        rows.append({"do": do, "noun": named[id_].noun[language], **MOVES[language][move]})
        if plain:
            does = rng.choice(PLAIN_EFFECTS[id_][move][language == "fr"].split("; "))
            rows[-1] = {"do": do, "does": does, "noun": rows[-1]["noun"], "sign": rows[-1]["sign"]}
    unhelped = count > 2 and rng.random() < 0.1
    if unhelped:
        rows, right = rows[1:], NONE[language]
    rng.shuffle(rows)
    if plain:
        items = _alike(rng, language, "effect_plain", held_out, [{k: row[k] for k in ("do", "does")} for row in rows])
    else:
        items = _alike(rng, language, "effect", held_out, rows)
    head = WORDING.say(rng, language, "effect_head", held_out)
    opening, phrasings = "" if rng.random() < 0.25 else head.text, [head, *items]
    if rng.random() < 0.4:
        site = WORDING.say(rng, language, "site", held_out)
        phrasings.append(site)
        opening = f"{wording.capital(site.text)}. {opening}".strip()
    goal = _wish(rng, language, held_out, named[first], side, 0.55)
    noun, way = named[first].noun[language], ("up", "down")[side]
    question, reasoned = _ask(rng, language, held_out)
    return _finish(
        rng,
        language,
        held_out,
        question.within(f"{goal.text} {question.text}"),
        ["goal", f"{way} {noun}: {'none' if unhelped else right}"],
        right,
        _reason(language, f"none {way}" if unhelped else way, noun=noun),
        None,
        separator,
        reasoned=reasoned,
        rule=_stacked(rng, opening, [item.text for item in items]),
        phrasings=[goal, *phrasings],
        facts={
            "kind": "effects",
            "wanted": (str(noun), MOVES[language][side]["sign"]),
            "effects": [(str(row["noun"]), row["sign"], row["do"]) for row in rows],
        },
    )


def _amount(value, decimals, unit, separator):
    return f"{telemetry.written(arithmetic.text(value, decimals), separator)} {unit}".strip()


# By bands of a reading ------------------------------------------------------------


def _band(rng, language, held_out):
    """One action below two limits, another between them, a third above; never on a limit."""
    separator = telemetry.separator(rng, language)
    quantity = rng.choice([q for q in words.QUANTITIES if q.low >= 0])
    noun, unit = quantity.noun[language], quantity.unit
    while True:
        value, decimals = rules.measure(rng, quantity)
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
    actions = [action.do for action in _actions(rng, language, 3)]
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
    question, reasoned = _ask(rng, language, held_out)
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    condition = rules.Condition("", fact, "", True, ())
    told = rules.status(rng, language, [condition], separator)
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
    thought.append(f"{('low', 'between', 'high')[place]}: {actions[place]}")
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
        reasoned=reasoned,
        rule=wording.capital(rule.text),
        phrasings=[rule],
        facts={
            "kind": "band",
            "value": (value, decimals),
            "limits": (low, high, limit_decimals),
            "results": actions,
        },
    )


def _graded(rng, language):
    """A quantity and actions by degrees of it; sometimes any actions."""
    quantities, text = rng.choice(GRADES[language])
    pool = [q for q in words.QUANTITIES if q.id in quantities.split() and q.low >= 0]
    quantity, actions = rng.choice(pool), text.split("; ")
    if rng.random() < 0.35:
        quantity = rng.choice([q for q in words.QUANTITIES if q.low >= 0])
        actions = [action.do for action in _actions(rng, language, rng.choice([3, 3, 3, 4]), 0.45)]
    if "{n}" in text:
        step = rng.choice([1, 5, 5, 5 if "%" in text else 10])
        sizes = sorted(rng.sample(range(1, 13), len(actions)), reverse=True)
        actions = [action.format(n=size * step) for action, size in zip(actions, sizes)]
    return quantity, actions


def _bounds(rng, quantity, count):
    """`count + 1` round bounds between what a quantity can be, and their decimals."""
    while True:
        top = 100 if quantity.unit == "%" else quantity.high
        bottom = 0 if quantity.unit == "%" or rng.random() < 0.6 else quantity.low
        decimals = 1 if top < 8 else 0
        scale = 10**decimals
        least = max(1, (top - bottom) * scale / rng.choice([10, 20, 20, 25]))
        power = 10 ** (len(str(int(least))) - 1)
        step = next(n * power for n in (1, 2, 5, 10) if n * power >= least)
        first, last = -(-round(bottom * scale) // step), round(top * scale) // step
        if last - first >= count:
            inner = sorted(rng.sample(range(first + 1, last), count - 1))
            return [step * n for n in (first, *inner, last)], decimals


def _within(rng, bounds, decimals, value_decimals):
    """A reading inside of some range and on no bound, in units of 10^-`value_decimals`."""
    scale = 10 ** (value_decimals - decimals)
    place = rng.randrange(len(bounds) - 1)
    low, high = bounds[place] * scale + 1, bounds[place + 1] * scale - 1
    if rng.random() < 0.4:
        low, high = rng.choice([(low, min(high, low + 2)), (max(low, high - 2), high)])
    return place, rng.randint(low, max(low, high))


def _ranges(rng, language, held_out):
    """One action for each range of a reading, told as a list: all ranges with both bounds, or the first and the
    last of three open."""
    separator = telemetry.separator(rng, language)
    quantity, actions = _graded(rng, language)
    noun, unit, count = quantity.noun[language], quantity.unit, len(actions)
    while True:
        bounds, decimals = _bounds(rng, quantity, count)
        value_decimals = max(decimals, rng.choice(quantity.decimals))
        narrowest = min(high - low for low, high in zip(bounds, bounds[1:]))
        if narrowest * 10 ** (value_decimals - decimals) > 1:
            break
    place, value = _within(rng, bounds, decimals, value_decimals)
    opened = count == 3 and rng.random() < 0.4
    spaced = rng.choice([" ", " ", " ", ""])

    def shown(bound, full=True):
        number = telemetry.written(arithmetic.text(bound, decimals), separator)
        return f"{number}{spaced}{unit}" if full else number

    low_unit, high_unit = rng.choice([(True, True), (True, True), (False, True), (False, False)])
    if opened:
        said = WORDING.say(
            rng,
            language,
            "range_open",
            held_out,
            low=shown(bounds[1], low_unit),
            high=shown(bounds[2], high_unit),
            sep="\0",
            **dict(zip("abc", actions)),
        )
        items, phrasings, rows = said.text.split("\0"), [said], []
    else:
        rows = [
            {"low": shown(low, low_unit), "high": shown(high, high_unit), "do": do}
            for low, high, do in zip(bounds, bounds[1:], actions)
        ]
        phrasings = _alike(rng, language, "range", held_out, rows)
        items = [said.text for said in phrasings]
    downwards = not opened and rng.random() < 0.2
    if downwards:
        items.reverse()
    head, opening = WORDING.say(rng, language, "range_head", held_out, noun=noun), ""
    if rng.random() < 0.6 or not high_unit:
        phrasings, opening = [*phrasings, head], head.text
    told, told_noun = _where(rng, language, held_out, quantity, value, value_decimals, separator)
    phrasings += told_noun
    point = told.separator or separator
    question, reasoned = _ask(rng, language, held_out)
    thought, reason = ["band"], ""
    low, high = (_amount(bounds[i], decimals, unit, point) for i in (place, place + 1))
    a = _amount(value, value_decimals, unit, point)
    order = range(count)[::-1] if downwards else range(count)
    for i in list(order)[:-1]:
        relation, bound = (">", bounds[i]) if downwards else ("<", bounds[i + 1])
        if opened and i == 1:
            relation, bound = ">", bounds[2]
        line, holds = arithmetic.comparison(value, value_decimals, relation, bound, decimals)
        thought.append(line)
        if i == place and holds:
            break
    if opened:
        reason = [
            _reason(language, "<", a=a, b=high),
            _reason(language, "between", a=a, b=low, c=high),
            _reason(language, ">", a=a, b=low),
        ][place]
        thought.append(f"{('low', 'between', 'high')[place]}: {actions[place]}")
    else:
        reason = _reason(language, "between", a=a, b=low, c=high)
        numbers = (arithmetic.text(bounds[i], decimals) for i in (place, place + 1))
        thought.append(f"between {' '.join(numbers)}: {actions[place]}")
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
        reasoned=reasoned,
        rule=_stacked(rng, opening, items),
        phrasings=phrasings,
        facts={
            "kind": "ranges",
            "value": (value, value_decimals),
            "bounds": (bounds, decimals),
            "results": actions,
        },
    )


def _where(rng, language, held_out, quantity, value, decimals, separator):
    """A reading: with its place, or as any other; and the wordings used."""
    if rng.random() < 0.45:
        place = rng.choice((words.PLACES_HELD_OUT if held_out else words.PLACES)[language])
        full = _amount(value, decimals, quantity.unit, separator)
        noun = quantity.noun[language]
        said = WORDING.say(rng, language, "reading_at", held_out, noun=noun, place=place, value=full)
        return telemetry.Told(said.text, "sentence", [], False, separator if decimals else ""), [said]
    fact = telemetry.reading(rng, language, quantity, value, decimals)
    return rules.status(rng, language, [rules.Condition("", fact, "", True, ())], separator), []


# By what it takes ------------------------------------------------------------


def _attribute(rng, attribute, count, language):
    """Different values, their decimals and unit."""
    if attribute in MOST:
        unit, low, high, decimals = rng.choice(MOST[attribute])
        return rng.sample(range(low, high), count), decimals, unit
    if attribute == "time":
        unit = rng.choice(["min"] * 7 + ["h", "s", "days" if language == "en" else "jours"])
        top = rng.choice([60, 100, 240]) if unit in ("min", "s") else rng.choice([15, 40])
        return rng.sample(range(10 if top > 40 else 2, top), count), 0, unit
    if attribute == "energy":
        if rng.random() < 0.2:
            return rng.sample(range(50, rng.choice([300, 999])), count), 0, "Wh"
        return rng.sample(range(3, rng.choice([40, 99, 220])), count), 1, "kWh"
    whole = rng.random() < 0.35
    values = rng.sample(range(2, 60) if whole else range(12, rng.choice([99, 400, 999])), count)
    return values, 0 if whole else 2, rng.choice(MONEY)


def _scene_question(rng, language, held_out, wanted, amount):
    """What is asked of a scene, and whether it wants the reason; `amount` is what else is wanted, if anything."""
    best = rng.choice(BEST[language][wanted][0].split("; "))
    if amount and rng.random() < 0.6:
        much, ask = (rng.choice(text.split("; ")) for text in BEST[language][amount][1:])
        return WORDING.say(rng, language, "both", held_out, best=best, much=much, ask=ask), False
    if amount or rng.random() < 0.35:
        return WORDING.say(rng, language, "pick", held_out, best=best), False
    if wanted in MOST:
        return WORDING.say(rng, language, "most_ask", held_out, best=best), True
    return WORDING.say(rng, language, f"scene_ask_{wanted}", held_out), True


def _scene(rng, language, held_out):
    """Which of several ways costs, lasts or uses least, or gives most of something; sometimes within a limit of
    another kind, which none may keep; sometimes with the amount."""
    separator = telemetry.separator(rng, language)
    wanted = rng.choice(list(MOST)) if rng.random() < 0.25 else rng.choice(ATTRIBUTES)
    names = SCENES_MOST[language][wanted] if wanted in MOST else rng.choice(SCENES[language])
    names, count = names.split("; "), rng.choices([2, 3, 4], [1, 5, 3])[0]
    names = _coined(rng, language, count) if rng.random() < 0.18 else rng.sample(names, count)
    values, decimals, unit = _attribute(rng, wanted, len(names), language)
    other = limit = None
    if rng.random() < 0.3:
        other = "time" if wanted not in ("time", "runtime", "speed") else "cost"
        limit = _attribute(rng, other, len(names), language)
    elif rng.random() < 0.3:
        unlike = {"savings": ("cost", "energy"), "runtime": ("time",), "speed": ("time",)}.get(wanted, ()) + (wanted,)
        other = rng.choice([a for a in ATTRIBUTES if a not in unlike])
    others = (limit or _attribute(rng, other, len(names), language)) if other else None
    unkept = limit is not None and min(limit[0]) > 2 and rng.random() < 0.12
    asked = None
    if rng.random() < 0.38 and not unkept:
        asked = other if other and rng.random() < 0.4 else wanted
    told = _tell_options(rng, language, names, (wanted, values, decimals, unit), other, others)
    unit = unit if told.states != ["keys"] else ""
    told.states = []
    told.separator = "." if told.layout == "objects" else told.separator
    point = separator if told.layout != "objects" else "."
    told.text = told.text.replace("\0", point)
    phrasings, reason_tail, bound = [], "", None
    if rng.random() < 0.45:
        head = WORDING.say(rng, language, "scene_head", held_out, n=NUMBER_WORDS[language][len(names) - 2])
        phrasings.append(head)
        told.text = f"{head.text}{chr(10) if told.block else ' '}{told.text}"
        told.block = told.block or rng.random() < 0.1
    if unkept:
        bound = min(limit[0]) - rng.choice([1, 1, 2])
    question, reasoned = _scene_question(rng, language, held_out, wanted, asked)
    if limit:
        bound = bound or sorted(others[0])[rng.randrange(len(names))] + rng.choice([0, 0, 1, 2])
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
    thought, found = [f"{'most' if wanted in MOST else 'least'} {wanted}" + (f" + {asked}" if asked else "")], None
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
        if found is None or (order > 0 if wanted in MOST else order < 0):
            found = i
        thought.append(f"{line} *{found + 1}")
    chosen = NONE[language] if unkept else names[found]
    thought.append("none" if unkept else f"={arithmetic.text(values[found], decimals)} do {chosen}")
    amount = None
    if asked:
        column = (values, decimals, unit) if asked == wanted else others
        amount = (asked, Amount(column[0][found], column[1], column[2]))
        if asked != wanted:
            thought.append(f"={arithmetic.text(column[0][found], column[1])}")
    if unkept:
        reason, reason_tail = _reason(language, "none within", limit=_amount(bound, *others[1:], point)), ""
    else:
        reason = _reason(language, wanted, a=_amount(values[found], decimals, unit, point))
    return _finish(
        rng,
        language,
        held_out,
        question,
        thought,
        chosen,
        reason + reason_tail,
        told,
        point,
        reasoned=reasoned,
        amount=amount,
        phrasings=phrasings,
        facts={
            "kind": "scene",
            "names": names,
            "values": values,
            "others": others[0] if limit else None,
            "bound": bound,
            "most": wanted in MOST,
            "column": (column[0], column[1]) if asked else None,
        },
    )


LABELS = {
    "en": {
        "cost": ("cost", "price"), "time": ("time", "duration"), "energy": ("energy", "use"),
        "power": ("power", "rating"), "flow": ("flow", "delivery"), "range": ("range", "reach"),
        "runtime": ("runtime", "autonomy"), "speed": ("speed", "top speed"),
        "brightness": ("brightness", "light output"), "savings": ("savings", "saved"),
    },
    "fr": {
        "cost": ("coût", "prix"), "time": ("durée", "temps"), "energy": ("énergie", "conso"),
        "power": ("puissance", "puissance max"), "flow": ("débit", "débit max"), "range": ("portée", "rayon"),
        "runtime": ("autonomie", "tient"), "speed": ("vitesse", "vitesse max"),
        "brightness": ("luminosité", "flux"), "savings": ("économie", "gain"),
    },
}


def _tell_options(rng, language, names, wanted, other, others):
    """The options with what they take; `\\0` stands for the decimal separator. `states` says "keys" where only
    keys tell the units."""
    columns = [wanted] + ([(other, *others)] if other else [])
    if len(columns) == 2 and rng.random() < 0.5:
        columns.reverse()
    layout = rng.choice(["lines"] * 4 + ["sentence"] * 4 + ["brackets"] * 5 + ["objects"] * 4 + ["table"] * 2)
    if layout == "objects" and any('"' in name for name in names):
        layout = "lines"
    labels = {name: rng.choice(LABELS[language][name]) for name, *_ in columns}
    if layout == "objects":
        label = rng.choice(["action", "option", "name" if language == "en" else "nom"])
        keyed = rng.random() < 0.55
        if keyed:
            plain = str.maketrans("éû ", "eu_")
            for column, _, _, unit in columns:
                labels[column] = f"{labels[column].translate(plain)}_{KEY_UNITS.get(unit, unit.lower())}"
        style = rng.random()
        shape = _rows_of if style < 0.5 else _columns_of if style < 0.7 else _map_of
        text = telemetry.encode(shape(rng, language, label, names, columns, labels), rng.random() < 0.4)
        if keyed:
            return telemetry.Told(text, layout, names, True, "", ["keys"])
        units = ", ".join(f"{labels[column]}: {unit}" for column, _, _, unit in columns)
        return telemetry.Told(f"{text}\n({units})", layout, names, True, "")
    if layout == "table":
        return _table_of(rng, language, names, columns, labels)
    named = len(columns) > 1 or wanted[0] in MOST or rng.random() < 0.3

    def cells(i):
        for column, values, decimals, unit in columns:
            number = arithmetic.text(values[i], decimals).replace(".", "\0")
            yield f"{labels[column]} {number} {unit}" if named else f"{number} {unit}"

    rows = [", ".join(cells(i)) for i in range(len(names))]
    if layout == "brackets":
        glue, end = rng.choice([("; ", "."), (", ", "."), (", ", "."), ("\n", "")])
        text = glue.join(f"{n} ({row})" for n, row in zip(names, rows)) + end
    elif layout == "lines":
        mark = rng.choice(["- ", "* ", "{}. ", ""])
        glue = rng.choice([": ", " - ", " = "]) if language == "en" else rng.choice([" : ", " - "])
        text = "\n".join(f"{mark.format(i + 1)}{n}{glue}{rows[i]}" for i, n in enumerate(names))
    else:
        glue = rng.choice([": ", " = ", " "]) if language == "en" else rng.choice([" : ", " = ", " "])
        between = rng.choice(["; ", "; ", " / "])
        text = between.join(f"{n}{glue}{row}" for n, row in zip(names, rows)) + "."
    return telemetry.Told(text, layout, names, "\n" in text, "")


def _rows_of(rng, language, label, names, columns, labels):
    """The options as a list of objects."""
    numbers = {labels[column]: (values, places) for column, values, places, _ in columns}
    return [
        {label: name}
        | {key: telemetry.Number(arithmetic.text(values[i], places)) for key, (values, places) in numbers.items()}
        for i, name in enumerate(names)
    ]


def _columns_of(rng, language, label, names, columns, labels):
    """A list of the options, and one beside it for each thing that they take."""
    data = {f"{label}s": list(names)}
    for column, values, decimals, _ in columns:
        data[labels[column]] = [telemetry.Number(arithmetic.text(value, decimals)) for value in values]
    return data


def _map_of(rng, language, label, names, columns, labels):
    """What each takes under the name of what is taken, or under its own name."""
    if len(columns) > 1 or rng.random() < 0.4:
        rows = _rows_of(rng, language, label, names, columns, labels)
        return {row.pop(label): row for row in rows}
    column, values, decimals, _ = columns[0]
    return {labels[column]: {n: telemetry.Number(arithmetic.text(v, decimals)) for n, v in zip(names, values)}}


def _table_of(rng, language, names, columns, labels):
    """The options as a table: units in its head or in its cells."""
    in_head, glue = rng.random() < 0.6, rng.choice([" | ", " | ", ";", "\t"])
    head = [rng.choice(["action", "option", "choice" if language == "en" else "choix"])]
    head += [f"{labels[column]} ({unit})" if in_head else labels[column] for column, _, _, unit in columns]
    rows = [head]
    for i, name in enumerate(names):
        cells = [name]
        for _, values, decimals, unit in columns:
            number = arithmetic.text(values[i], decimals).replace(".", "\0")
            cells.append(number if in_head else f"{number} {unit}")
        rows.append(cells)
    lines = [glue.join(row) for row in rows]
    if glue == " | " and rng.random() < 0.7:
        lines = [f"| {line} |" for line in lines]
        lines.insert(1, "|" + "---|" * len(head))
    return telemetry.Told("\n".join(lines), "table", names, True, "")


# Verification ------------------------------------------------------------


def _exact(pair):
    return Fraction(pair[0], 10 ** pair[1])


def _best(facts):
    """The number of the best of those that fit, or nothing."""
    fits = [
        (value, i)
        for i, value in enumerate(facts["values"])
        if facts["others"] is None or facts["others"][i] <= facts["bound"]
    ]
    return (max if facts["most"] else min)(fits)[1] if fits else None


def _action(facts, language):
    """The action again, with fractions, sorting and a look into the table of effects."""
    kind = facts.get("kind")
    if kind == "scene":
        found = _best(facts)
        return NONE[language] if found is None else facts["names"][found]
    if kind == "band":
        low, high, decimals = facts["limits"]
        value = _exact(facts["value"])
        above = sum(value > Fraction(limit, 10**decimals) for limit in (low, high))
        return facts["results"][above]
    if kind == "dead":
        away = _exact(facts["value"]) - _exact(facts["target"])
        return facts["hold"] if abs(away) < _exact(facts["width"]) else facts["ways"][away > 0]
    if kind == "ranges":
        bounds, decimals = facts["bounds"]
        return facts["results"][sum(_exact(facts["value"]) > Fraction(b, 10**decimals) for b in bounds[1:-1])]
    if kind == "effects":
        found = [do for *effect, do in facts["effects"] if tuple(effect) == facts["wanted"]]
        return found[0] if found else NONE[language]
    if kind in ("goal", "direction"):
        side = facts.get("side")
        if kind == "goal":
            value, target = _exact(facts["value"]), _exact(facts["target"])
            if value == target:
                return words.NOTHING[language]
            side = 0 if value < target else 1
        if facts.get("ways"):
            return facts["ways"][side]
        (right,) = [o for o in facts["options"] if o in _ways(language, facts["id"], side)]
        return right
    holds = [rules.decide_again(check) for check in facts["checks"]]
    return next((r for r, h in zip(facts["results"], holds) if h), facts["results"][-1])


def _beside(facts):
    """The amount that is asked for beside the action, if one is."""
    if facts.get("gap"):
        return abs(_exact(facts["value"]) - _exact(facts["target"]))
    if facts.get("column"):
        values, decimals = facts["column"]
        return Fraction(values[_best(facts)], 10**decimals)
    return None


def verify(problem):
    """The action, with the amount if that is asked for too; a plain answer must give its reason."""
    facts = problem.facts
    action, amount = _action(facts, problem.language), _beside(facts)
    if amount is not None:
        return action, amount
    if problem.format == "json":
        return action
    if not facts["reasoned"]:
        return f"{action}."
    return BECAUSE[problem.language].format(action=action, reason=facts["reason"])
