"""Mean, sum, minimum, maximum, range and median of up to 8 readings, of some of them, or of those that have a value;
several of these at once, totals of several days, which place or day has the highest or lowest, and both of these at
once; readings in one unit or in two, in the data or in the question."""

import re
import statistics
from fractions import Fraction

import arithmetic
import naming
import telemetry
import telling
import wording
import words
from assemble import Amount, Answer, build

WEIGHT = 12
FAMILY = "aggregates"
KINDS = ("mean", "sum", "max", "min", "range", "median", "highest", "lowest")
NUMERIC = {"noun": words.Noun, "unit": str, "n": str}
PAIR = {"a": words.Noun, "b": words.Noun}
ENDS = {"kind": words.Noun, "kinds": words.Noun, "one": str, "other": str}
WORDING = wording.load(
    FAMILY,
    {
        **{kind: NUMERIC for kind in KINDS[:6]},
        **{f"{kind}_of": NUMERIC | {"data": str} for kind in KINDS[:6]},
        "highest": NUMERIC,
        "lowest": NUMERIC,
        "word": {"most": words.Adjective},
        "higher_of": PAIR | {"noun": words.Noun},
        "lower_of": PAIR | {"noun": words.Noun},
        "word_of": PAIR | {"most": words.Adjective},
        "rounded_0": {},
        "rounded_1": {},
        "title": {"noun": words.Noun, "unit": str, "kind": words.Noun, "kinds": words.Noun},
        **{f"part_{kind}": {"noun": words.Noun} for kind in KINDS[:6]},
        "several": {"what": str},
        "several_open": {},
        "totals": {"noun": words.Noun},
        "ends": ENDS,
        "ends_values": ENDS,
        "range_word": {"kind": words.Noun, "one": str, "other": str},
        "which_what": {"kind": words.Noun, "kinds": words.Noun, "what": str},
        "which_adj": {"kind": words.Noun, "kinds": words.Noun, "most": str},
        "which_when": {"kind": words.Noun, "what": str},
        "ends_apart": ENDS,
        "some": {"stat": words.Noun, "names": str, "noun": words.Noun},
        "but": {"stat": words.Noun, "name": words.Noun, "noun": words.Noun},
        "skip": {},
        "given_adj": {"most": str, "items": str},
        "given_what": {"what": str, "items": str},
    },
)
KEYS = {
    "mean": {"en": ["mean", "average", "answer"], "fr": ["moyenne", "answer", "valeur"]},
    "sum": {"en": ["sum", "total", "answer"], "fr": ["somme", "total", "answer"]},
    "max": {"en": ["max", "maximum", "answer"], "fr": ["max", "maximum", "answer"]},
    "min": {"en": ["min", "minimum", "answer"], "fr": ["min", "minimum", "answer"]},
    "range": {"en": ["range", "spread", "answer"], "fr": ["etendue", "ecart", "answer"]},
    "median": {"en": ["median", "answer"], "fr": ["mediane", "answer"]},
}
# What several of them may be called where all are asked for at once, so that each tells which it is.
SEVERAL_KEYS = {
    "mean": {
        "en": "mean average avg mean_value the_mean average_value mean_of_all".split(),
        "fr": "moyenne moy moyenne_generale valeur_moyenne moyen mean avg".split(),
    },
    "sum": {
        "en": "sum total sum_total in_total overall_total total_sum grand_total".split(),
        "fr": "somme total somme_totale total_general cumul en_tout sum".split(),
    },
    "max": {
        "en": "max maximum highest peak largest top_value max_value hi".split(),
        "fr": "max maximum maxi plus_haut pic valeur_max plus_grand le_max".split(),
    },
    "min": {
        "en": "min minimum lowest smallest low min_value bottom lo".split(),
        "fr": "min minimum mini plus_bas plus_petit valeur_min creux le_min".split(),
    },
    "range": {
        "en": "range spread max_minus_min span value_range spread_max_min".split(),
        "fr": "etendue amplitude max_moins_min ecart_max_min ecart_total plage".split(),
    },
    "median": {
        "en": "median median_value the_median middle_value med".split(),
        "fr": "mediane valeur_mediane med la_mediane valeur_du_milieu".split(),
    },
}
# A thought for several answers has fewer letters than this, readings are drawn again until it does.
LONGEST = 205
RANGE_KEYS = {
    "en": ["difference", "range", "spread", "gap", "answer"],
    "fr": ["difference", "ecart", "etendue", "answer"],
}
COMBINATIONS = {
    ("min", "max"): 8,
    ("min", "max", "mean"): 9,
    ("mean", "max"): 4,
    ("mean", "min"): 2,
    ("sum", "mean"): 6,
    ("sum", "max"): 3,
    ("min", "max", "sum"): 2,
    ("max", "range"): 2,
    ("mean", "median"): 1,
    ("sum", "mean", "max"): 2,
}
END_KEYS = {
    "highest": {
        "en": "highest max top maximum highest_one max_name peak most".split(),
        "fr": "plus_haut max maximum nom_max plus_eleve maxi le_max".split(),
    },
    "lowest": {
        "en": "lowest min bottom minimum lowest_one min_name least".split(),
        "fr": "plus_bas min minimum nom_min plus_faible mini le_min".split(),
    },
    "highest_value": {
        "en": "highest_value max_value top_value value_max peak_value reading_max".split(),
        "fr": "valeur_max valeur_plus_haute valeur_haute mesure_max valeur_du_max val_max".split(),
    },
    "lowest_value": {
        "en": "lowest_value min_value bottom_value value_min low_value reading_min".split(),
        "fr": "valeur_min valeur_plus_basse valeur_basse mesure_min valeur_du_min val_min".split(),
    },
}
DAYS = {
    "en": ["Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(), "Mon Tue Wed Thu Fri Sat Sun".split()],
    "fr": ["lundi mardi mercredi jeudi vendredi samedi dimanche".split(), "lun mar mer jeu ven sam dim".split()],
}
# Kinds of things that have readings: `tub`, or `battery/batteries` where the plural is not the word with an s.
THINGS = {
    "en": """tub tank room cellar barn hive berth pump well station machine press line rack node sensor probe meter
        turbine boiler oven kiln vat cask barrel bed plot field greenhouse shop site floor classroom dorm ward hall
        lab freezer fridge boat engine generator panel inverter charger truck trailer pen stall silo bin hopper scale
        server router gateway channel zone spot place location area point unit device module cow battery/batteries
        bench/benches tap pond pool reservoir lake spring beach/beaches pier ridge valve duct filter compressor
        conveyor robot crane drill saw lathe mill lamp corridor attic flat house tent vehicle ferry/ferries""",
    "fr": """f cuve|m bac|f pièce|f salle|f chambre|f cave|f étable|f ruche|f pompe|m puits/puits|m captage|f station
        f machine|f presse|f ligne|f baie|m nœud|m capteur|f sonde|m compteur|f turbine|f chaudière|m four|m fût
        m tonneau/tonneaux|m lit|f parcelle|m champ|f serre|m magasin
        m site|m étage|f classe|m atelier|m labo|m congélateur|m frigo
        m bateau/bateaux|m moteur|m groupe|m panneau/panneaux|m onduleur|f borne|m camion|f remorque|m box/box|f stalle
        m silo|f trémie|f balance|m serveur|m routeur|f passerelle|m canal/canaux|f zone|m endroit|m lieu/lieux|m coin
        m point|f unité|m appareil|m module|f vache|f batterie|f paillasse|m robinet|m étang|m bassin|m réservoir
        m lac|f source|f plage|m ponton|f vanne|f gaine|m filtre|m compresseur|m convoyeur|m robot|f grue|f perceuse
        f scie|m tour|m moulin|f lampe|m couloir|m grenier|m appartement|f maison|f tente|m véhicule|f citerne
        m poste|m local/locaux|m quai|f borne|f prise|f berge|f volière|m poulailler|f bergerie|f vigne""",
}
# Kinds that any names go with.
ANY_KIND = set(
    """sensor zone spot place location area point unit device room site capteur sonde zone endroit lieu coin point unité
    appareil site""".split()
)
# Things that are counted: no unit.
COUNTS = {
    "en": """retries errors alarms restarts visitors parcels eggs orders faults messages tickets bookings
        lost_packets starts dropouts pieces rejects bottles loaves calls""",
    "fr": """m redémarrages|f erreurs|f alarmes|m visiteurs|m colis|m œufs|f commandes|m défauts|m messages|m tickets
        f réservations|m paquets perdus|m démarrages|f coupures|f pièces|m rebuts|f bouteilles|m pains|m appels""",
}
# Quantities beside those of words.py: more decimals, zeros, thousands, other units; an id of SUMMABLE where sums make
# sense. Those without a unit are told under a title.
EXTRA = [
    words.quantity("fahrenheit", "°F", 14, 110, (1, 0), "temperature; temp temp_f", "f température; temp temp_f",
                   ("warmest,hottest", "chaud/chaude"), ("coldest,coolest", "froid/froide")),
    words.quantity("freezer", "°C", -25, 6, (1, 1, 2), "temperature; temp t", "f température; temp t",
                   ("warmest", "chaud/chaude"), ("coldest", "froid/froide")),
    words.quantity("cost", "€", 0, 60, (2,), "cost; cost price eur", "m coût; cout prix eur",
                   ("most expensive,dearest", "cher/chère"), ("cheapest", "économique")),
    words.quantity("duration", "s", 2, 600, (0, 1), "run time; run_s seconds", "f durée; duree_s secondes"),
    words.quantity("duration", "min", 0, 240, (0,), "run time; run_min minutes", "f durée; duree_min minutes"),
    words.quantity("cell", "V", 2.8, 4.2, (2, 3), "cell voltage; v cell_v", "f tension de cellule; v cellule_v"),
    words.quantity("energy", "kWh", 0, 24, (2,), "energy use; kwh energy", "f consommation; kwh conso"),
    words.quantity("level", "m³", 0, 9, (3, 2), "water use; water m3", "f consommation d'eau; eau m3"),
    words.quantity("weight", "kg", 0.1, 6, (3, 2), "weight; weight kg", "m poids; poids kg",
                   ("heaviest", "lourd/lourde"), ("lightest", "léger/légère")),
    words.quantity("rain", "mm", 0, 28, (1,), "rainfall; rain_mm rain", "f pluie; pluie_mm pluie",
                   ("rainiest", "pluvieux/pluvieuse"), ("driest", "sec/sèche")),
    words.quantity("level", "L", 900, 28000, (0,), "milk volume; litres volume", "m volume de lait; litres volume"),
    words.quantity("level", "L", 900, 28000, (0,), "stock; stock litres", "m stock; stock litres",
                   ("fullest", "plein/pleine"), ("emptiest", "vide")),
    words.quantity("energy", "Wh", 800, 19000, (0,), "energy use; wh energy", "f consommation; wh conso",
                   ("hungriest", "gourmand/gourmande"), ("thriftiest", "économe")),
    words.quantity("weight", "kg", 900, 24000, (0,), "load; load_kg weight", "f charge; charge_kg poids",
                   ("heaviest", "lourd/lourde"), ("lightest", "léger/légère")),
]
UNITLESS = [
    words.quantity("ph", "", 3, 10, (1, 2), "pH; ph", "m pH; ph"),
    words.quantity("gravity", "", 1, 1.1, (3,), "specific gravity; sg gravity", "f densité; densite sg"),
    words.quantity("power_factor", "", 0.5, 1, (2,), "power factor; pf cos_phi", "m facteur de puissance; fp cos_phi"),
]
EXTRA_SHARE = 0.15
# Units that words of a question could be taken for: data must state them.
SHORT_UNITS = ("s", "min")
# Two units of one quantity: small unit, large unit, zeros between them, decimals of the large one.
MIXED = [
    (words.quantity("power", "W", 80, 2900, (0,), "power; power", "f puissance; puissance",
                    ("hungriest", "gourmand/gourmande"), ("least power-hungry", "économe")), "kW", 3, (1, 1, 2)),
    (words.quantity("mass", "g", 80, 2900, (0,), "weight; weight", "m poids; poids",
                    ("heaviest", "lourd/lourde"), ("lightest", "léger/légère")), "kg", 3, (1, 1, 2)),
    (words.quantity("volume", "mL", 80, 2900, (0,), "volume; volume", "m volume; volume"), "L", 3, (1, 1, 2)),
    (words.quantity("length", "cm", 12, 290, (0,), "length; length", "f longueur; longueur",
                    ("longest", "long/longue"), ("shortest", "court/courte")), "m", 2, (1, 1, 2)),
    (words.quantity("current", "mA", 80, 2900, (0,), "current; current", "m courant; courant"), "A", 3, (1, 1, 2)),
    (words.quantity("energy", "Wh", 80, 2900, (0,), "energy use; energy", "f consommation; conso",
                    ("hungriest", "gourmand/gourmande"), ("thriftiest", "économe")), "kWh", 3, (1, 1, 2)),
    (words.quantity("distance", "m", 80, 2900, (0,), "distance; distance", "f distance; distance",
                    ("farthest", "éloigné/éloignée"), ("nearest", "proche")), "km", 3, (1, 1, 2)),
]
# What days, hours and weeks are called where readings go by them: a kind and the names of a week's or a year's worth.
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
}
# What a title says of one day only, or of things.
ONE_DAY = re.compile(
    r"(?i)\b(\d|(today|yesterday|monday|friday|week|this|last|night|noon|our|my|at|hier|matin|nuit|vendredi|nos|mes|ce"
    r"|aujourd)\b)"
)
TIMES = ("day", "week", "month", "hour", "jour", "semaine", "mois", "heure")
# What stands in data where there is no value.
NO_VALUE = {
    "en": ["n/a", "--", "-", "no reading", "offline", "unavailable", "null", "NaN", "missing", "no data"],
    "fr": ["n/a", "--", "-", "pas de relevé", "hors ligne", "indisponible", "null", "NaN", "absent", "pas de donnée"],
}
GAP = "§"
STATS = {
    "mean": {"en": ["average", "mean"], "fr": ["f moyenne", "f valeur moyenne"]},
    "sum": {"en": ["sum", "total"], "fr": ["f somme", "m total"]},
}
# Tables whose columns are aligned by blanks are told only where this is above zero: the tests forbid doubled blanks.
ALIGNED = 3
# Quantities whose sum means something.
SUMMABLE = {"power", "level", "current", "flow", "energy", "weight"}


def make(rng, language, held_out):
    kinds = [None, _several, _ends, _range_word, _totals, _some, _given, _mixed_units]
    other = rng.choices(kinds, [90, 9, 8, 4, 3, 6, 5, 4])[0]
    if other:
        return other(rng, language, held_out)
    kind = rng.choices(KINDS, [20, 16, 9, 9, 14, 14, 16, 15])[0]
    if kind in ("highest", "lowest"):
        which = rng.choices([_which, _which_of_two, _which_thing], [50, 22, 28])[0]
        return which(rng, language, held_out, kind)
    return _value(rng, language, held_out, kind)


def _count(rng, kind):
    """How many readings: long lists are rarer where every item costs more steps."""
    weights = {"range": [1, 4, 6, 4, 2, 1, 1], "median": [1, 4, 6, 5, 1, 1, 0]}.get(kind, [2, 5, 6, 5, 3, 2, 2])
    count = rng.choices(range(2, 9), weights)[0]
    return max(3, count) if kind == "median" else count


def drawn(rng, language, count, held_out, distinct=False, whole_mean=False, among=None, **how):
    """`telemetry.draw`, a share of it of EXTRA quantities; of long numbers there are at most four."""
    readings = telemetry.draw(
        rng, language, count, held_out, distinct=distinct, whole_mean=whole_mean, among=among, **how
    )
    low = how.get("negative", True)
    pool = [q for q in EXTRA if (low or q.low >= 0) and (not among or among(q))]
    if pool and rng.random() < EXTRA_SHARE:
        _of_quantity(rng, readings, rng.choice(pool), distinct, whole_mean)
    return readings


def _of_quantity(rng, readings, quantity, distinct=True, whole_mean=False):
    """Makes the readings those of another quantity: some near each other, round ones and zeros among them."""
    readings.quantity, readings.decimals = quantity, rng.choice(quantity.decimals)
    scale = 10**readings.decimals
    low, high = round(quantity.low * scale), round(quantity.high * scale)
    count = min(len(readings.names), 4 if max(-low, high) > 999 else 8)
    readings.names = readings.names[:count]
    while True:
        spread = (high - low) // rng.choice([1, 1, 4, 8]) or 1
        start = rng.randint(low, high - spread)
        values = [rng.randint(start, start + spread) for _ in range(count)]
        if high > 2000 and rng.random() < 0.5:
            values = [value // 10 * 10 for value in values]
        if low <= 0 and rng.random() < 0.25:
            values[rng.randrange(count)] = 0
        if whole_mean:
            values[-1] += -sum(values) % count
        if spread >= count and (not distinct or len(set(values)) == count):
            break
    readings.values = values


def _value(rng, language, held_out, kind):
    separator = telemetry.separator(rng, language)
    among = (lambda q: q.id in SUMMABLE) if kind == "sum" and rng.random() < 0.7 else None
    gaps = rng.random() < 0.1
    while True:
        readings = drawn(
            rng,
            language,
            min(5, _count(rng, kind)) if gaps else _count(rng, kind),
            held_out,
            whole_mean=kind == "mean" and rng.random() < 0.5,
            among=among,
            distinct=kind == "median" and rng.random() < 0.6,
        )
        if kind != "median" or len("".join(think(kind, readings.values, readings.decimals, 2)[0])) < LONGEST:
            break
    slots = {"noun": readings.noun, "unit": readings.unit, "n": str(len(readings.values))}
    told, phrasings = None, []
    if gaps:
        told = _gapped(rng, readings, separator)
        skip = WORDING.say(rng, language, "skip", held_out)
        phrasings.append(skip)
        while "n" in (question := WORDING.say(rng, language, kind, held_out, **slots)).slots:
            pass
        question = _then(question, skip)
    elif rng.random() < 0.6:
        question = WORDING.say(rng, language, kind, held_out, **slots)
        told = tell(rng, readings, separator, distract="noun" in question.slots and rng.random() < 0.35)
    elif rng.random() < 0.5:
        question = WORDING.say(rng, language, kind, held_out, **slots)
        told = _unnamed(rng, readings, separator)
    else:
        data = _stated(readings, lambda: telemetry.series(rng, readings, separator))
        slots["data"] = thousands(rng, data, readings, separator).text
        question = WORDING.say(rng, language, f"{kind}_of", held_out, **slots)
        separator = data.separator or separator
    values, decimals = readings.values, readings.decimals
    rounding, places = None, max(2, decimals)
    if kind == "mean" and rng.random() < 0.15:
        places = rng.choice([0, 1])
        rounding = WORDING.say(rng, language, f"rounded_{places}", held_out)
        phrasings.append(rounding)
    lines, value, value_decimals = think(kind, values, decimals, places)
    answer = Answer(
        "{value}",
        {"value": Amount(value, value_decimals, readings.unit)},
        {"value": KEYS[kind][language]},
    )
    if rounding:
        question = _then(question, rounding)
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
        facts={"kind": kind, "values": values, "decimals": decimals, "places": places},
        phrasings=phrasings,
    )


def _then(question, other):
    """Two wordings one after the other, the first one's source kept."""
    return question.within(f"{question.text} {other.text}")


def think(kind, values, decimals, places):
    """The steps, the value and its decimals."""
    if kind in ("sum", "mean"):
        lines, total = arithmetic.running_sum(values, decimals)
        if kind == "sum":
            return [*lines, f"={arithmetic.text(total, decimals)}"], total, decimals
        line, value, made, _ = arithmetic.division(total, decimals, len(values), places)
        return [*lines, line], value, made
    if kind in ("max", "min"):
        lines, found = arithmetic.best(values, decimals, ">" if kind == "max" else "<")
        return [*lines, f"={arithmetic.text(values[found], decimals)}"], values[found], decimals
    if kind == "range":
        lines, high, low = arithmetic.extremes(values, decimals)
        line, value = arithmetic.difference(values[high], values[low], decimals)
        return [*lines, line], value, decimals
    lines, order = arithmetic.ordering(values, decimals)
    middle = len(order) // 2
    if len(order) % 2:
        value = values[order[middle]]
        return [*lines, f"*{order[middle] + 1}={arithmetic.text(value, decimals)}"], value, decimals
    a, b = values[order[middle - 1]], values[order[middle]]
    lines.append(f"*{order[middle - 1] + 1}{order[middle] + 1}")
    sums, total = arithmetic.running_sum([a, b], decimals)
    line, value, made, _ = arithmetic.division(total, decimals, 2, decimals + 1)
    return [*lines, *sums, line], value, made


def _adjectives(quantity, language, kind):
    """What the one with most, or with least, may be called: warmest, hottest."""
    return (quantity.most if kind == "highest" else quantity.least)[language]


def _draw(rng, language, held_out, kind, count, by_word):
    """Readings that all differ, of rooms that can be called `warmest` or the like if it goes `by_word`."""

    def fits(quantity):
        return not by_word or _adjectives(quantity, language, kind)

    places = True if by_word else None
    return drawn(rng, language, count, held_out, distinct=True, places=places, among=fits)


def _which(rng, language, held_out, kind):
    separator = telemetry.separator(rng, language)
    count = rng.choices(range(2, 9), [1, 5, 6, 4, 2, 1, 1])[0]
    by_word = rng.random() < 0.45
    readings = _draw(rng, language, held_out, kind, count, by_word)
    count = len(readings.values)
    slots = {"noun": readings.noun, "unit": readings.unit, "n": str(count)}
    if by_word:
        most = rng.choice(_adjectives(readings.quantity, language, kind))
        question = WORDING.say(rng, language, "word", held_out, most=most)
    else:
        question = WORDING.say(rng, language, kind, held_out, **slots)
    distract = (by_word or "noun" in question.slots) and rng.random() < 0.35
    told = tell(rng, readings, separator, distract=distract)
    return _named(
        rng, language, held_out, kind, question, readings, told, separator, range(count)
    )


def _which_of_two(rng, language, held_out, kind):
    """Which of two is warmer; if there are more than two, the question names the two it means."""
    separator = telemetry.separator(rng, language)
    count = rng.choices(range(2, 6), [6, 3, 2, 1])[0]
    by_word = rng.random() < 0.55
    readings = _draw(rng, language, held_out, kind, count, by_word)
    count = len(readings.values)
    told = tell(rng, readings, separator)
    pair = rng.sample(range(count), 2)
    a, b = (words.Noun(told.names[i], language, "") for i in pair)
    if by_word:
        section = "word_of"
        slots = {"most": rng.choice(_adjectives(readings.quantity, language, kind))}
    else:
        section = "higher_of" if kind == "highest" else "lower_of"
        slots = {"noun": readings.noun}
    while True:
        question = WORDING.say(rng, language, section, held_out, a=a, b=b, **slots)
        if {"a", "b"} <= question.slots:
            break
        if count == 2 and not {"a", "b"} & question.slots:
            pair.sort()
            break
    return _named(rng, language, held_out, kind, question, readings, told, separator, pair)


def _named(rng, language, held_out, kind, question, readings, told, separator, among, mixed=None):
    """The one of the readings `among` (their numbers, in the order they are looked at) that has the most or least.
    `mixed`: see `mixed_units`. Without data the question has the names."""
    values, names = ([made[i] for i in among] for made in (readings.values, told.names))
    relation = ">" if kind == "highest" else "<"
    lines, found = arithmetic.best(values, readings.decimals, relation, names)
    amount = Amount(values[found], readings.decimals, readings.unit)
    if mixed:
        # A text, for without its unit the number says nothing.
        lines = in_one_unit(lines, names, mixed, readings.quantity)
        amount = f"{mixed[found].number(told.separator or '.')} {mixed[found].unit}"
    answer = Answer("{name} ({value})", {"name": names[found], "value": amount}, capital=False)
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question,
        [f"which {'max' if kind == 'highest' else 'min'}", *lines],
        answer,
        told if told.text else None,
        separator,
        exact=not told.text,
        facts={"kind": kind, "values": values, "decimals": readings.decimals, "names": names},
    )


# Kinds of things, and what stands around readings of them ------------------------------------------------------------


def _kind(text, language):
    """A kind of things and its plural."""
    gender, word = text.split(" ", 1) if language == "fr" else ("m", text)
    one, _, many = word.partition("/")
    many = many or " ".join(f"{part}s" for part in one.split())
    return words.Noun(one, language, gender), words.Noun(many, language, gender, True)


def _kinds(language):
    text = THINGS[language].replace("\n", "|").split("|") if language == "fr" else THINGS[language].split()
    return [_kind(entry.strip(), language) for entry in text if entry.strip()]


KINDS_OF_THINGS = {language: _kinds(language) for language in ("en", "fr")}


def _counted(language):
    """Numbers of something as quantities without a unit."""
    names = COUNTS[language]
    if language == "en":
        nouns = [words.Noun(name.replace("_", " "), "en", "m", True) for name in names.split()]
    else:
        entries = [entry.strip() for entry in names.replace("\n", "|").split("|")]
        nouns = [words.Noun(entry[2:], "fr", entry[0], True) for entry in entries]
    no_words = {"en": [], "fr": []}
    return [
        words.Quantity("count", {language: noun}, "", 0, 60, (0,), no_words, no_words,
                       {language: [noun.text.replace(" ", "_"), "count" if language == "en" else "nombre"]})
        for noun in nouns
    ]


COUNTED = {language: _counted(language) for language in ("en", "fr")}


def _days(rng, language, count):
    """A kind of times, its plural and names of several: days, dates, hours, weeks or months, in their order."""
    kinds = {"en": "day week month hour", "fr": "m jour|f semaine|m mois/mois|f heure"}[language]
    day, week, month, hour = (_kind(text, language) for text in re.split(r"[ |]" if language == "en" else r"\|", kinds))
    style, first = rng.choices(["days", "dates", "hours", "weeks", "months"], [5, 4, 3, 1, 2])[0], rng.randrange(24)
    if style == "days":
        days = rng.choice(DAYS[language])
        return *day, [days[(first + i) % 7] for i in range(count)]
    if style == "weeks":
        form = rng.choice(["week {}", "W{}"] if language == "en" else ["semaine {}", "S{}"])
        return *week, [form.format(10 + first + i) for i in range(count)]
    if style == "months":
        return *month, [MONTHS[language][(first + i) % 12] for i in range(count)]
    if style == "hours":
        start, step = rng.randrange(0, 60 * 10, 60), rng.choice([30, 60, 60, 120])
        form = _time_style(rng, language, step)
        return *hour, [_time(form, start + i * step) for i in range(count)]
    number = rng.randrange(12)
    form = rng.choice(["{d} {m}", "{y}-{n:02d}-{d:02d}", "{d:02d}/{n:02d}"])
    named = {"m": MONTHS[language][number], "y": rng.randint(2024, 2027), "n": number + 1}
    return *day, [form.format(d=1 + first % 20 + i, **named) for i in range(count)]


def things(rng, language, held_out, weights, fits=None, counted=0.0, days=0.0):
    """Readings of several things of one kind that all differ, the kind and its plural: `tub 1`, or any names. `weights`
    are those of 3, 4, 5, ... of them; a `counted` share is of numbers of something, without a unit; a share of `days`
    goes by days, hours or the like."""
    count = rng.choices(range(3, 3 + len(weights)), weights)[0]
    numbered = rng.random() < 0.5
    pool = KINDS_OF_THINGS[language]
    if not numbered and rng.random() < 0.6:
        pool = [pair for pair in pool if pair[0].text in ANY_KIND]
    kind, kinds = rng.choice(pool)
    readings = drawn(rng, language, count, held_out, distinct=True, among=fits)
    count = len(readings.values)
    if rng.random() < counted:
        if rng.random() < 0.25:
            _of_quantity(rng, readings, rng.choice(UNITLESS))
        else:
            readings.quantity, readings.decimals = rng.choice(COUNTED[language]), 0
            readings.values = rng.sample(range(rng.choice([12, 30, 60, 400])), count)
        count = len(readings.values)
        readings.names = readings.names[:count]
    if rng.random() < days:
        kind, kinds, names = _days(rng, language, count)
        readings.names = [words.Noun(name, language, "") for name in names]
    elif numbered:
        marks = rng.choice(["ABCDEFGH", "123456789", "123456789", [str(n) for n in range(10, 40)]])
        marks = list(marks[:count]) if rng.random() < 0.6 else rng.sample(list(marks), count)
        gender = kind.gender if language == "fr" else ""
        readings.names = [words.Noun(f"{kind} {mark}", language, gender) for mark in marks]
    return readings, kind, kinds


def titled(rng, readings, separator, kind, kinds):
    """Readings told under a title that is no item of theirs; plain `tell` now and then where they are things that have
    a unit."""
    if readings.unit and kind.text not in TIMES and rng.random() < 0.35:
        return tell(rng, readings, separator)
    language, unit, noun = readings.language, readings.unit, readings.noun
    while True:
        said = WORDING.say(rng, language, "title", noun=noun, unit=unit, kind=kind, kinds=kinds)
        if (unit or "unit" not in said.slots) and not (kind.text in TIMES and ONE_DAY.search(said.text)):
            break
    title = telling.head(rng, language, noun) if rng.random() < 0.25 and unit else said.text
    title = wording.capital(title) if rng.random() < 0.5 else title
    united = bool(unit) and (unit in SHORT_UNITS or rng.random() < (0.3 if "unit" in said.slots else 0.75))
    layouts = ["pairs", "list", "lines", "map", "table", "aligned", "before"]
    layout = rng.choices(layouts, [4, 5, 4, 3, 2, ALIGNED, 2])[0]
    if unit in SHORT_UNITS and layout in ("pairs", "map"):
        layout = "list"
    return _laid(rng, readings, separator, layout, title, str(kind), united)


def tell(rng, readings, separator, distract=False):
    """`telemetry.tell` of values that are told apart."""
    return _stated(readings, lambda: telemetry.tell(rng, readings, separator, distract=distract))


# Two numbers that could be one, its thousands set apart.
ONE_OR_TWO = re.compile(r"(?<![:.,\d])\d{1,3} \d{3}(?!\d)")


def _stated(readings, make):
    """Data that states its unit, where that could be mistaken for a word of the question, and whose values are told
    apart."""
    unit = readings.unit
    while True:
        told = make()
        if not told.names and ONE_OR_TWO.search(told.text):
            continue
        if unit not in SHORT_UNITS or re.search(rf"\d ?{unit}(?!\w)|\({unit}\)", told.text):
            return told


def _laid(rng, readings, separator, layout, title, label, united, full=None):
    """Readings in a layout, perhaps under a title; `label` is what their names are, `united` values have their unit.
    `full`: values as they stand, units and all."""
    language, unit, noun = readings.language, readings.unit, readings.noun
    if layout == "map" and not full:
        separator = "."
    values = full or telemetry.shown(rng, readings, separator)
    stands = separator if any(separator in value for value in values) else ""
    names = [str(name) for name in readings.names]
    full = full or [f"{value} {unit}" if united else value for value in values]
    colon = telling.COLON[language]
    head = title + colon if title else ""
    if layout == "pairs" or (layout == "map" and rng.random() < 0.4):
        names = [name.replace(" ", "_").replace("'", "_") for name in names]

    def told(text, block):
        return thousands(rng, telemetry.Told(text, layout, names, block, stands), readings, separator)

    if layout == "pairs":
        equal, between = rng.choice(["=", "=", "=", ":"]), rng.choice([" ", " ", "; ", " | ", ", "])
        return told(head + between.join(f"{name}{equal}{value}" for name, value in zip(names, values)), False)
    if layout in ("list", "before"):
        glue = rng.choice([" ", " ", colon, " = "])
        between = rng.choice(["; ", " ; ", ", "] if stands == "," else [", ", ", ", "; ", " / "])
        form = f"{{0}}{glue}{{1}}"
        if layout == "before":
            # The value first: `12 450 L Monday`, `21.5 °C (hall)`.
            forms = ["{1} ({0})", "{1} for {0}" if language == "en" else "{1} pour {0}"]
            form = rng.choice(forms + ["{1} {0}"] * bool(unit and united))
        return told(f"{head}{between.join(map(form.format, names, full))}.", False)
    if layout == "lines":
        bullet, glue = rng.choice(["", "- ", "* "]), rng.choice([colon, ": ", " ", " - ", " = "])
        body = "\n".join(f"{bullet}{name}{glue}{text}" for name, text in zip(names, full))
        return told(f"{title}{rng.choice(['', colon.rstrip()])}\n{body}" if title else body, True)
    key = rng.choice(readings.quantity.keys[language])
    numbers = [telemetry.Number(value) if re.fullmatch(r"-?[\d.]+", value) else value for value in values]
    if layout == "map":
        return told(head + telemetry.encode(dict(zip(names, numbers)), rng.random() < 0.3), True)
    top = [label, rng.choice([str(noun), key])]
    rows = [top, *map(list, zip(names, full))]
    if layout == "aligned":
        top[:] = map(wording.capital, top) if rng.random() < 0.5 else top
        wide = max(len(row[0]) for row in rows) + rng.choice([2, 2, 3, 4])
        return told("\n".join(row[0].ljust(wide) + row[1] for row in rows), True)
    return told(telemetry.table(rng, rows), True)


GROUPED = ("sentence", "is", "lines", "list", "before", "words", "aligned")


def thousands(rng, told, readings, separator):
    """The data with thousands set apart, `12 450 L` or `12,450 L`, where that can be read and they are whole."""
    language = readings.language
    values = sorted({str(value) for value in readings.values if value > 999})
    usual = telemetry.DEFAULT_SEPARATOR[language] == separator
    if readings.decimals or not values or not usual or told.layout not in GROUPED or rng.random() < 0.4:
        return told
    sign, text = "," if language == "en" else " ", told.text
    for value in values:
        found = rf"(?<!\d )(?<![\w.,/-]){value}(?!\d|[.,]\d| \d)"
        if len(re.findall(found, text)) != len(re.findall(rf"(?<!\d){value}(?!\d)", text)):
            return told
        text = re.sub(found, telemetry.grouped(value, sign), text)
    told.text = text
    return told


HIGH = {
    "en": ["highest", "highest", "greatest", "largest", "biggest"],
    "fr": ["élevé/élevée", "élevé/élevée", "haut/haute", "grand/grande", "fort/forte"],
}
LOW = {"en": ["lowest", "lowest", "smallest"], "fr": ["bas/basse", "faible", "petit/petite"]}


def agreed(adjective, noun):
    """An adjective as it agrees with a noun."""
    if noun.language == "en":
        return str(adjective)
    if noun.plural:
        return adjective.fs if noun.gender == "f" else adjective.ms
    return adjective.f if noun.gender == "f" else adjective.m


def most_of(rng, readings, up):
    """What the first ones have: `the highest turbidity`, `la plus forte turbidité`, `the most retries`; with `up` the
    lowest."""
    language, noun = readings.language, readings.noun
    if readings.quantity.id == "count":
        if language == "en":
            return f"the {'fewest' if up else 'most'} {noun}"
        return f"le {'moins' if up else 'plus'} {noun.of}"
    word = words.Adjective(*rng.choice((LOW if up else HIGH)[language]).split("/"))
    said = agreed(word, noun)
    if language == "en":
        return f"the {said} {noun}"
    if str(word) in ("grand", "fort", "faible", "petit", "haut") and rng.random() < 0.4:
        return f"{noun.them} plus {said} {noun}"
    return f"{noun.the} {noun.them} plus {said}"


def superlative(adjective, kind):
    """`the warmest`, `la plus chaude`, `les plus bruyantes`."""
    if kind.language == "en":
        return f"the {adjective}"
    more = "" if str(adjective).startswith("moins ") else "plus "
    return f"{kind.them} {more}{agreed(adjective, kind)}"


def less(adjective):
    """`lumineux`: `moins lumineux`."""
    return words.Adjective(f"moins {adjective.m}", f"moins {adjective.f}")


def ends_of(rng, readings, kind, plain=0.1):
    """What the one with most and the one with least are called: phrases and their adjectives; a `plain` share goes
    without the quantity's own adjectives."""
    quantity, language = readings.quantity, readings.language
    sides = quantity.most[language], quantity.least[language]
    if not all(sides) or rng.random() < plain:
        words_ = [rng.choice(HIGH[language][:3]), rng.choice(LOW[language][:2])]
        found = [words.Adjective(*word.split("/")) for word in words_]
    else:
        found = [rng.choice(side) for side in sides]
        if language == "fr" and rng.random() < 0.3:
            found[1] = less(found[0])
    return [superlative(adjective, kind) for adjective in found], found


# Several answers at once ------------------------------------------------------------


def _several(rng, language, held_out):
    """Two or three of minimum, maximum, mean, sum and so on in one JSON."""
    separator = telemetry.separator(rng, language)
    kinds = list(rng.choices(list(COMBINATIONS), COMBINATIONS.values())[0])
    if rng.random() < 0.4:
        rng.shuffle(kinds)
    count = rng.choices(range(2, 7), [1, 6, 6, 2, 1] if len(kinds) == 2 else [1, 6, 4, 1, 0])[0]
    among = (lambda q: q.id in SUMMABLE) if "sum" in kinds and rng.random() < 0.7 else None
    whole_mean, distinct = "mean" in kinds and rng.random() < 0.6, "median" in kinds
    while True:
        readings = drawn(
            rng, language, max(count, 3) if distinct else count, held_out,
            whole_mean=whole_mean, among=among, distinct=distinct,
        )
        thought, found = _think_several(kinds, readings.values, readings.decimals)
        if len("".join(thought)) < LONGEST:
            break
        count = max(2, count - 1)
    phrasings = []
    if rng.random() < 0.4:
        question = WORDING.say(rng, language, "several_open", held_out)
    else:
        parts = [WORDING.say(rng, language, f"part_{kind}", held_out, noun=readings.noun) for kind in kinds]
        what = telemetry.joined([part.text for part in parts], language)
        question = WORDING.say(rng, language, "several", held_out, what=what)
        phrasings += parts
    told = (tell if rng.random() < 0.45 else _unnamed)(rng, readings, separator)
    fields = {kind: Amount(*found[kind], readings.unit) for kind in kinds}
    keys = {kind: SEVERAL_KEYS[kind][language] for kind in kinds}
    facts = {"kind": "several", "kinds": kinds, "values": readings.values, "decimals": readings.decimals}
    facts["places"] = max(2, readings.decimals)
    answer = Answer("", fields, keys, several=True)
    return build(
        rng, FAMILY, language, held_out, question, thought, answer, told, separator, facts=facts, phrasings=phrasings
    )


def _think_several(kinds, values, decimals):
    """One kind after the other under its name, minimum and maximum in one reading, a mean from the sum where that is
    known; the lines, and of each kind the value and its decimals."""
    thought, found = [" + ".join(kinds)], {}
    ends = [kind for kind in kinds if kind in ("min", "max")]
    for kind in kinds:
        if kind in found:
            continue
        if kind in ends and len(ends) == 2:
            lines, high, low = arithmetic.extremes(values, decimals)
            found |= {"max": (values[high], decimals), "min": (values[low], decimals)}
            results = [f"={arithmetic.text(*found[end])}" for end in ends]
            thought += [*([" + ".join(ends)] if len(kinds) > 2 else []), *lines, *results]
        elif kind == "mean" and "sum" in found:
            line, value, made, _ = arithmetic.division(found["sum"][0], decimals, len(values), max(2, decimals))
            thought += [kind, line]
            found[kind] = value, made
        else:
            lines, *found[kind] = think(kind, values, decimals, max(2, decimals))
            thought += [kind, *lines]
    return thought, found


def _unnamed(rng, readings, separator):
    """Values alone, or with the times or days at which they were read."""
    makes = [telemetry.series, telemetry.timed, _moments, _keyed]
    make = rng.choices(makes, [36, 17, 32, 0 if readings.unit in SHORT_UNITS else 15])[0]
    return thousands(rng, _stated(readings, lambda: make(rng, readings, separator)), readings, separator)


def values_alone(rng, readings, separator):
    """`telemetry.series` and arrays under a key."""
    make = _keyed if readings.unit not in SHORT_UNITS and rng.random() < 0.15 else telemetry.series
    return thousands(rng, _stated(readings, lambda: make(rng, readings, separator)), readings, separator)


def _keyed(rng, readings, separator):
    """`{"temp": [21.5, 22.0]}`, `temp=[21.5,22.0]`, perhaps with the unit: an array under a key."""
    language, values = readings.language, [telemetry.Number(value) for value in telemetry.shown(rng, readings, ".")]
    key = rng.choice([*readings.quantity.keys[language], "values" if language == "en" else "valeurs", "data"])
    compact, stands = rng.random() < 0.5, "." if any("." in value for value in values) else ""
    if rng.random() < 0.25:
        text = f"{key}{rng.choice(['=', ' = ', ': '])}{telemetry.encode(values, compact)}"
        return telemetry.Told(text, "array", [], False, stands)
    data = {key: values}
    if rng.random() < 0.4:
        data["unit" if language == "en" else rng.choice(["unit", "unite"])] = readings.unit
    if rng.random() < 0.3:
        data = {telling.column(rng, language): str(naming.names(rng, language, 1)[0])} | data
    return telemetry.Told(telemetry.encode(data, compact), "array", [], True, stands)


class _Gapped(telemetry.Readings):
    """Readings some of which have no value."""

    def value(self, i):
        return GAP if i in self.gaps else super().value(i)


def _gapped(rng, readings, separator):
    """The data with one or two more entries that have no value."""
    language, known = readings.language, iter(readings.values)
    count = len(readings.values) + rng.choice([1, 1, 2])
    gaps = set(rng.sample(range(count), count - len(readings.values)))
    values = [1 if i in gaps else next(known) for i in range(count)]
    names = naming.names(rng, language, count)
    shown = _Gapped(readings.quantity, language, readings.decimals, names, values)
    shown.gaps = gaps
    if rng.random() < 0.25 and readings.unit not in SHORT_UNITS:
        told = _keyed(rng, shown, separator)
    else:
        layouts = ["lines", "lines", "pairs", "map", "map", "objects", "table"]
        told = _stated(readings, lambda: telemetry.tell(rng, shown, separator, rng.choice(layouts)))
    json_like = told.text[0] in "{[" or told.layout == "array"
    word = "null" if json_like else rng.choice(NO_VALUE[language])
    word = word.replace(" ", "_") if told.layout == "pairs" else word
    unit = re.escape(readings.unit)
    told.text = re.sub(rf'(?<="){GAP}( ?{unit})?(?=")', "unavailable", told.text)
    told.text = re.sub(rf"{GAP}( ?{unit})?", word, told.text)
    return told


def _moments(rng, readings, separator):
    """`14.5 °C at 6 am, 18 °C at 10 am`, `6 h : 14,5 °C`, `Monday 12 L`: when behind or before each value."""
    language, unit, values = readings.language, readings.unit, telemetry.shown(rng, readings, separator)
    stands = separator if any(separator in value for value in values) else ""
    count, behind = len(values), rng.random() < 0.55
    if rng.random() < 0.3:
        days = rng.choice(DAYS[language])
        first = rng.randrange(7)
        when, at = [days[(first + i) % 7] for i in range(count)], ""
        at = rng.choice(["on ", ""]) if language == "en" and behind else ""
    else:
        start, step = rng.randrange(0, 60 * 10, 60), rng.choice([30, 60, 60, 120, 120])
        style = _time_style(rng, language, step)
        when = [_time(style, start + i * step) for i in range(count)]
        at = ("at " if language == "en" else "à ") if behind else ""
    every = rng.random() < 0.75
    full = [f"{value} {unit}" if every or i == count - 1 else value for i, value in enumerate(values)]
    if behind:
        form = rng.choice(["{} {}{}", "{} {}{}", "{} ({}{})"])
        parts = [form.format(text, at, moment) for text, moment in zip(full, when)]
    else:
        glue = rng.choice([" ", telling.COLON[language], " = ", " -> "])
        parts = [f"{moment}{glue}{text}" for text, moment in zip(full, when)]
    head = telling.head(rng, language, readings.noun) + telling.COLON[language] if rng.random() < 0.6 else ""
    if rng.random() < 0.2:
        return telemetry.Told((head.rstrip() + "\n" if head else "") + "\n".join(parts), "lines", [], True, stands)
    between = rng.choice(["; ", ", "] if stands == "," else [", ", ", ", "; ", " / "])
    if between == ", " and rng.random() < 0.3:
        text = telemetry.joined(parts, language)
    else:
        text = between.join(parts)
    return telemetry.Told(f"{head}{text}.", "sentence", [], False, stands)


def _time_style(rng, language, step):
    """How times are written; `0` at the end where all of them are whole hours."""
    styles = ["24", "ampm", "plain"] if language == "en" else ["24", "h", "h", "hh"]
    return rng.choice(styles) + ("" if step % 60 else "0")


def _time(style, minutes):
    """A time of day as people write it: `06:00`, `6 am`, `6:00`, `6 h`, `6h30`."""
    hour, rest = minutes // 60 % 24, minutes % 60
    if style.startswith("24"):
        return arithmetic.clock(minutes)
    if style.startswith("ampm"):
        half = "am" if hour < 12 else "pm"
        return f"{hour % 12 or 12} {half}" if style.endswith("0") else f"{hour % 12 or 12}:{rest:02d} {half}"
    if style.startswith("plain"):
        return f"{hour}:{rest:02d}"
    glue = " h " if style.startswith("hh") else "h"
    if style.endswith("0"):
        return f"{hour} h" if style.startswith("h0") else f"{hour}h"
    return f"{hour}{glue}{rest:02d}"


def _totals(rng, language, held_out):
    """The total of each of two or three days or things, several readings each."""
    separator = telemetry.separator(rng, language)
    rows, each = rng.choices([(2, 2), (2, 3), (3, 2)], [4, 3, 3])[0]
    readings = telemetry.draw(rng, language, rows * each, held_out, among=lambda q: q.id in SUMMABLE, negative=False)
    if rng.random() < 0.65:
        days = rng.choice(DAYS[language])
        first = rng.randrange(7)
        names = [words.Noun(days[(first + i) % 7], language, "") for i in range(rows)]
    else:
        names = naming.names(rng, language, rows, held_out)
    groups = [readings.values[i * each : (i + 1) * each] for i in range(rows)]
    part = telemetry.Readings(readings.quantity, language, readings.decimals, names, groups)
    while True:
        told = telemetry.tell_series(rng, part, groups, separator)
        if ONE_OR_TWO.search(told.text):
            continue
        if told.layout != "pairs" or not re.search(r"\d,\d+(,|$)", told.text, re.M) or told.separator == ",":
            break  # `Mon=122,304` would be one number.
    question = WORDING.say(rng, language, "totals", held_out, noun=readings.noun)
    thought, fields, keys = [" + ".join(["sum"] * rows)], {}, {}
    for name, group in zip(told.names, groups):
        lines, value, decimals = think("sum", group, readings.decimals, 2)
        thought += [name, *lines]
        fields[name] = Amount(value, decimals, readings.unit)
        keys[name] = [name]
    facts = {"kind": "totals", "values": readings.values, "groups": groups, "decimals": readings.decimals}
    answer = Answer("", fields, keys, several=True)
    return build(rng, FAMILY, language, held_out, question, thought, answer, told, separator, facts=facts)


def ends_keys(language, adjectives, up):
    """What the names of the two ends may be called in JSON."""
    most, least = (_key_of(adjective, language) for adjective in adjectives)
    found = {name: END_KEYS[name][language] for name in END_KEYS}
    return found | {"highest": found["highest"] + [most] * 4, "lowest": found["lowest"] + [least] * 4}


def _key_of(adjective, language):
    text = str(adjective).replace(" ", "_").replace("-", "_")
    return text if language == "en" or text.startswith("moins_") else f"plus_{text}"


def _ends(rng, language, held_out):
    """The one with most and the one with least, perhaps with their values or how far they are apart."""
    separator = telemetry.separator(rng, language)
    readings, kind, kinds = things(rng, language, held_out, [6, 4, 2], worded(rng, language), days=0.12)
    up, also = rng.random() < 0.4, rng.choice(["", "values", "values", "apart"])
    valued = also == "values"
    phrases, adjectives = ends_of(rng, readings, kind)
    one, other = reversed(phrases) if up else phrases
    section = f"ends_{also}" if also else "ends"
    question = WORDING.say(rng, language, section, held_out, kind=kind, kinds=kinds, one=one, other=other)
    told = titled(rng, readings, separator, kind, kinds)
    lines, high, low = arithmetic.extremes(readings.values, readings.decimals, told.names)
    found = {"highest": high, "lowest": low}
    fields = {}
    for side in ("lowest", "highest") if up else ("highest", "lowest"):
        fields[side] = told.names[found[side]]
        if valued:
            fields[f"{side}_value"] = Amount(readings.values[found[side]], readings.decimals, readings.unit)
    order = (low, high) if up else (high, low)
    thought = ends_thought(up, lines, [f"{told.names[i]} {readings.value(i)}" for i in order])
    keys = ends_keys(language, adjectives, up)
    if also == "apart":
        line, apart = arithmetic.difference(readings.values[high], readings.values[low], readings.decimals)
        thought[0] += " + range"
        thought.append(line)
        fields["apart"], keys["apart"] = Amount(apart, readings.decimals, readings.unit), RANGE_KEYS[language][:-1]
    answer = Answer("", fields, keys, several=True)
    facts = {"kind": "ends", "up": up, "also": also, "names": told.names}
    facts |= {"values": readings.values, "decimals": readings.decimals}
    return build(rng, FAMILY, language, held_out, question, thought, answer, told, separator, facts=facts)


def ends_thought(up, lines, found):
    """Highest and lowest by name, in one reading, then both in the order in which they are asked for."""
    return [f"which {'min + max' if up else 'max + min'}", *lines, *(f"={text}" for text in found)]


def worded(rng, language):
    """Mostly quantities that have adjectives for both ends."""
    return None if rng.random() < 0.3 else _has_words(language)


def _has_words(language):
    return lambda quantity: quantity.most[language] and quantity.least[language]


def _range_word(rng, language, held_out):
    """How far apart the warmest and the coolest are."""
    separator = telemetry.separator(rng, language)
    readings, kind, kinds = things(rng, language, held_out, [6, 4, 2], _has_words(language))
    phrases, _ = ends_of(rng, readings, kind, 0)
    one, other = phrases if rng.random() < 0.6 else phrases[::-1]
    question = WORDING.say(rng, language, "range_word", held_out, kind=kind, one=one, other=other)
    told = titled(rng, readings, separator, kind, kinds)
    lines, value, decimals = think("range", readings.values, readings.decimals, 2)
    answer = Answer(
        "{value}", {"value": Amount(value, decimals, readings.unit)}, {"value": RANGE_KEYS[language]}
    )
    facts = {"kind": "range", "values": readings.values, "decimals": readings.decimals, "places": 2}
    return build(rng, FAMILY, language, held_out, question, ["range", *lines], answer, told, separator, facts=facts)


def _which_thing(rng, language, held_out, kind):
    """Which tub is the warmest, or has the highest turbidity."""
    separator = telemetry.separator(rng, language)
    by_word, up = rng.random() < 0.5, kind == "lowest"

    def fits(quantity):
        return not by_word or _adjectives(quantity, language, kind)

    readings, thing, kinds = things(
        rng, language, held_out, [6, 4, 2], fits, 0 if by_word else 0.25, 0 if by_word else 0.4
    )
    if by_word:
        adjective = rng.choice(_adjectives(readings.quantity, language, kind))
        if up and language == "fr" and readings.quantity.most["fr"] and rng.random() < 0.35:
            adjective = less(rng.choice(readings.quantity.most["fr"]))
        most = superlative(adjective, thing)
        question = WORDING.say(rng, language, "which_adj", held_out, kind=thing, kinds=kinds, most=most)
    else:
        what = most_of(rng, readings, up)
        by_time = thing.text in TIMES
        slots = {"kind": thing, "what": what} | ({} if by_time else {"kinds": kinds})
        question = WORDING.say(rng, language, "which_when" if by_time else "which_what", held_out, **slots)
    told = titled(rng, readings, separator, thing, kinds)
    return _named(
        rng, language, held_out, kind, question, readings, told, separator, range(len(readings.values))
    )


# Some of the readings, in the question, in two units ------------------------------------------------------------


def _some(rng, language, held_out):
    """The mean or the sum of some of the readings, which are named, or of all but one."""
    separator, kind = telemetry.separator(rng, language), rng.choice(["mean", "mean", "sum"])
    among = (lambda q: q.id in SUMMABLE) if kind == "sum" and rng.random() < 0.7 else None
    readings = drawn(rng, language, rng.choices([3, 4, 5, 6], [4, 6, 4, 1])[0], held_out, among=among)
    told = tell(rng, readings, separator)
    stat = _stat(rng, language, kind)
    count = len(readings.values)
    if rng.random() < 0.35:
        out = rng.randrange(count)
        meant = [i for i in range(count) if i != out]
        name = words.Noun(told.names[out], language, "")
        question = WORDING.say(rng, language, "but", held_out, stat=stat, name=name, noun=readings.noun)
    else:
        meant = rng.sample(range(count), rng.choices([2, 3], [7, 3])[0] if count > 3 else 2)
        names = telemetry.joined([told.names[i] for i in meant], language)
        question = WORDING.say(rng, language, "some", held_out, stat=stat, names=names, noun=readings.noun)
    values = [readings.values[i] for i in meant]
    places = max(2, readings.decimals)
    lines, value, decimals = think(kind, values, readings.decimals, places)
    for at, i in enumerate(meant):
        lines[at] = lines[at].replace(":", f":{told.names[i]} ", 1)
    answer = Answer("{value}", {"value": Amount(value, decimals, readings.unit)}, {"value": KEYS[kind][language]})
    facts = {"kind": kind, "values": values, "decimals": readings.decimals, "places": places}
    thought = [f"{kind} of", *lines]
    return build(
        rng, FAMILY, language, held_out, question, thought, answer, told, separator, exact=True, facts=facts
    )


def _stat(rng, language, kind):
    """A word for the mean or the sum."""
    text = rng.choice(STATS[kind][language])
    return words.Noun(text, "en") if language == "en" else words.Noun(text[2:], "fr", text[0])


def _given(rng, language, held_out):
    """Two or three named values in the question itself: the cellar at 11.4 or the attic at 19.8?"""
    separator, kind = telemetry.separator(rng, language), rng.choice(["highest", "lowest"])
    by_word = rng.random() < 0.65
    readings = _draw(rng, language, held_out, kind, rng.choices([2, 3], [7, 3])[0], by_word)
    count, unit = len(readings.values), readings.unit
    values = telemetry.shown(rng, readings, separator)
    if unit in SHORT_UNITS or rng.random() < 0.65:
        values = [f"{value} {unit}" for value in values]
    forms = ["{the} at {v}", "{the} with {v}", "{n} ({v})", "{n} {v}", "{n} at {v}"]
    if language == "fr":
        forms = ["{the} à {v}", "{the} avec {v}", "{n} ({v})", "{n} {v}", "{n} à {v}"]
    form = rng.choice(forms)
    items = [form.format(the=name.the, n=name, v=value) for name, value in zip(readings.names, values)]
    listed = telemetry.joined(items, language, " or " if language == "en" else " ou ")
    if by_word:
        adjective = rng.choice(_adjectives(readings.quantity, language, kind))
        if language == "fr":
            feminine = all(name.gender == "f" for name in readings.names)
            most = f"la plus {adjective.f}" if feminine else f"le plus {adjective.m}"
        else:
            most = adjective.more if count == 2 and rng.random() < 0.8 else f"the {adjective}"
        question = WORDING.say(rng, language, "given_adj", held_out, most=most, items=listed)
    else:
        what = most_of(rng, readings, kind == "lowest")
        question = WORDING.say(rng, language, "given_what", held_out, what=what, items=listed)
    told = telemetry.Told("", "none", [str(name) for name in readings.names], False, "")
    return _named(rng, language, held_out, kind, question, readings, told, separator, range(count))


def mixed_units(rng, readings, separator):
    """Makes the readings, which are kept in the smaller unit, ones of two units; what they are as `Amount`s and as
    they stand."""
    quantity, large, zeros, places = rng.choice(MIXED)
    readings.quantity, readings.decimals = quantity, 0
    while True:
        amounts = []
        for i in range(len(readings.values)):
            if rng.random() < 0.5:
                decimals = rng.choice(places)
                low, high = (round(quantity.high * part / 10 ** (zeros - decimals)) for part in (0.15, 1))
                amounts.append(Amount(*arithmetic.trimmed(rng.randint(low, high), decimals), large))
            else:
                amounts.append(Amount(rng.randint(quantity.low, round(quantity.high * 0.7)), 0, quantity.unit))
        values = [a.value * (10 ** (zeros - a.decimals) if a.unit == large else 1) for a in amounts]
        if len({a.unit for a in amounts}) == 2 and len(set(values)) == len(values):
            break
    readings.values = values
    return amounts, [f"{amount.number(separator)} {amount.unit}" for amount in amounts]


def in_one_unit(lines, names, amounts, quantity):
    """Lines of a thought in which readings of the larger unit are first made ones of the smaller."""
    large, zeros = next((large, zeros) for known, large, zeros, _ in MIXED if known is quantity)
    out = []
    for line, name, amount in zip(lines, names, amounts):
        if amount.unit == large:
            steps, value, _ = arithmetic.shifted(amount.value, amount.decimals, zeros)
            line = line.replace(f":{name} {value}", f":{name} {steps}", 1)
        out.append(line)
    return out


def told_mixed(rng, readings, separator, label):
    """Readings of two units, told with them."""
    amounts, full = mixed_units(rng, readings, separator)
    layout = rng.choice(["list", "list", "lines", "lines", "map", "pairs", "table", "before"])
    title = telling.head(rng, readings.language, readings.noun) if rng.random() < 0.5 and layout != "pairs" else ""
    return amounts, _laid(rng, readings, separator, layout, title, label, True, full)


def _mixed_units(rng, language, held_out):
    """Which has the most where some are in W and some in kW."""
    separator, kind = telemetry.separator(rng, language), rng.choice(["highest", "highest", "lowest"])
    readings, thing, kinds = things(rng, language, held_out, [6, 3])
    amounts, told = told_mixed(rng, readings, separator, str(thing))
    adjectives = _adjectives(readings.quantity, language, kind)
    if adjectives and rng.random() < 0.5:
        most = superlative(rng.choice(adjectives), thing)
        question = WORDING.say(rng, language, "which_adj", held_out, kind=thing, kinds=kinds, most=most)
    else:
        what = most_of(rng, readings, kind == "lowest")
        question = WORDING.say(rng, language, "which_what", held_out, kind=thing, kinds=kinds, what=what)
    among = range(len(readings.values))
    return _named(rng, language, held_out, kind, question, readings, told, separator, among, amounts)


def verify(problem):
    """The plain answer's number or name, computed another way from the facts: what must occur in
    the answer."""
    facts = problem.facts
    values = [Fraction(value, 10 ** facts["decimals"]) for value in facts["values"]]
    kind = facts["kind"]
    if kind == "several":
        return tuple(_number(one, values, facts["places"]) for one in facts["kinds"])
    if kind == "totals":
        scale = 10 ** facts["decimals"]
        return tuple(sum(Fraction(value, scale) for value in group) for group in facts["groups"])
    if kind == "ends":
        pairs = sorted(zip(values, facts["names"]), reverse=not facts["up"])
        found = [pairs[0], pairs[-1]]
        if facts["also"] == "apart":
            return pairs[0][1], pairs[-1][1], max(values) - min(values)
        return tuple(entry for value, name in found for entry in ((name, value) if facts["also"] else (name,)))
    if kind in ("highest", "lowest"):
        best = max(values) if kind == "highest" else min(values)
        return facts["names"][values.index(best)]
    return _number(kind, values, facts["places"])


def _number(kind, values, places):
    """The mean, rounded half away from zero, the sum and so on."""
    exact = {
        "mean": lambda: sum(values) / len(values),
        "sum": lambda: sum(values),
        "max": lambda: max(values),
        "min": lambda: min(values),
        "range": lambda: max(values) - min(values),
        "median": lambda: statistics.median(values),
    }[kind]()
    if kind != "mean":
        return exact
    scale = 10**places
    half = Fraction(1, 2)
    whole = int(abs(exact) * scale + half)
    return Fraction(whole if exact >= 0 else -whole, scale)
