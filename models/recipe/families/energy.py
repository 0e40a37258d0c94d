"""Energy and its cost: power and time, price, meter readings, savings, which device needs most in a
day, running time and average power."""

import dataclasses
from fractions import Fraction

import arithmetic
import rounding
import statement
import telemetry
import telling
import units
import wording
import words
from arithmetic import text
from assemble import Amount, Answer, build
from words import Noun

WEIGHT = 8
FAMILY = "energy"
USE = {"device": Noun, "power": str, "time": str}
WORDING = wording.load(
    FAMILY,
    {
        "use": USE | {"unit": Noun},
        "use_given": USE,
        "use_ask": {"device": Noun, "unit": Noun},
        "cost": {"energy": str, "price": str, "money": str},
        "cost_given": {"energy": str},
        "price_given": {"price": str},
        "cost_ask": {"money": str},
        "bill": USE | {"price": str, "money": str},
        "meter": {"before": str, "after": str, "unit": Noun},
        "meter_given": {"before": str, "after": str},
        "meter_ask": {"unit": Noun},
        "save": {"device": Noun, "old": str, "new": str, "unit": Noun},
        "save_given": {"device": Noun, "old": str, "new": str},
        "save_ask": {"unit": Noun},
        "saved_money_ask": {"money": str},
        "hours": {"device": Noun, "energy": str, "power": str, "unit": Noun},
        "hours_given": {"device": Noun, "energy": str, "power": str},
        "hours_ask": {"device": Noun, "unit": Noun},
        "load": {"device": Noun, "energy": str, "time": str, "unit": Noun},
        "load_given": {"device": Noun, "energy": str, "time": str},
        "load_ask": {"unit": Noun},
        "days": {"device": Noun, "energy": str, "days": str, "unit": Noun},
        "days_given": {"device": Noun, "energy": str},
        "days_ask": {"days": str, "unit": Noun},
        "all_of_them": {"unit": Noun},
        "daily_given": USE,
        "daily_ask": {"unit": Noun},
        "days_cost_ask": {"days": str, "money": str},
        "fleet_given": {"many": str, "power": str, "time": str},
        "swap_given": {"many": str, "fresh": str, "old": str, "new": str, "time": str},
        "swap_ask": {"unit": Noun},
        "balance_given": {"made": str, "used": str},
        "balance_ask": {"unit": Noun},
        "excess_ask": {"unit": Noun},
        "deficit_ask": {"unit": Noun},
        "surplus_ask": {},
        "balance_both_ask": {},
        "greater_ask": {},
        "energy_cost_ask": {},
        "per_ask": {"per": str, "unit": Noun},
        "per_cost_ask": {"per": str, "money": str},
        "supply_given": {"meter": Noun, "before": str, "after": str},
        "supply_ask": {"unit": Noun},
        "supply_price": {"price": str},
        "tariffs_given": dict.fromkeys(("high", "low", "dear", "cheap"), str),
        "volts_given": {"device": Noun, "volts": str, "amps": str},
        "volts_ask": {"unit": Noun},
        "amps_given": {"device": Noun, "volts": str, "power": str},
        "amps_ask": {"unit": Noun},
        "total_cost_ask": {"money": str},
        "replace_given": {"device": Noun, "old": str, "new": str, "time": str},
        "saved_ask": {"per": str, "unit": Noun},
        "perday_given": {"device": Noun, "energy": str, "days": str},
        "perday_ask": {"unit": Noun},
        "most": {},
        "least": {},
    },
)
DEVICES = {
    "en": words.nouns(
        "en",
        """heater|fridge|freezer|oven|washing machine|dishwasher|pump|kettle|boiler|router
            server|lamp|television|computer|heat pump|air conditioner|dehumidifier|fan|compressor
            charger|motor|microwave|vacuum cleaner|water heater|dryer|radiator|pool pump|sauna
            rice cooker|desk lamp|coffee machine|milk cooler|incubator|projector|welder|chest freezer
            heating mat|grow light|circular saw|printer|display case|bilge pump|feed mixer|toaster""",
    ),
    "fr": words.nouns(
        "fr",
        """m radiateur|m frigo|m congélateur|m four|m lave-linge|m lave-vaisselle|f pompe
            f bouilloire|f chaudière|m routeur|m serveur|f lampe|f télévision|m ordinateur
            f pompe à chaleur|m climatiseur|m déshumidificateur|m ventilateur|m compresseur
            m chargeur|m moteur|m micro-ondes|m aspirateur|m chauffe-eau|m sèche-linge
            f machine à laver|f plaque de cuisson|m convecteur|m cuiseur à riz|f lampe de bureau
            f cafetière|m tank à lait|m incubateur|m projecteur|m poste à souder|m congélateur coffre
            m tapis chauffant|f scie circulaire|f imprimante|f vitrine|f pompe de cale|f mélangeuse
            m grille-pain|m aérateur""",
    ),
}
# Several devices of one sort, which stand behind a number.
MANY = {
    "en": "lamps|spotlights|LED panels|radiators|fans|computers|screens|pumps|heaters|chargers|tubes".split("|"),
    "fr": "lampes|projecteurs|spots|radiateurs|ventilateurs|ordinateurs|écrans|pompes|tubes|bornes".split("|"),
}
# What is replaced, and by what.
SWAPS = {
    "en": [("spotlights", "LED spotlights"), ("bulbs", "LED bulbs"), ("lamps", "LEDs"), ("tubes", "LED tubes"),
           ("floodlights", "LED floodlights"), ("fans", "newer fans"), ("old screens", "new screens")],
    "fr": [("projecteurs", "projecteurs LED"), ("ampoules", "ampoules LED"), ("lampes", "LED"), ("spots", "spots LED"),
           ("tubes néon", "tubes LED"), ("ventilateurs", "modèles récents"), ("vieux écrans", "écrans récents")],
}  # fmt: skip
KINDS = {
    "use": 26, "cost": 18, "bill": 15, "meter": 14, "metercost": 6, "save": 6, "savecost": 4,
    "hours": 10, "load": 14, "days": 6, "most": 15, "least": 5, "total": 6,
    "daily": 6, "dailydays": 5, "dailycost": 10, "dayscost": 4, "fleet": 4, "swap": 7,
    "balance": 7, "excess": 3, "deficit": 4, "surplus": 3,
    "usecost": 6, "metersum": 6, "balanceboth": 4, "greater": 2, "topday": 3,
    "supply": 4, "supplycost": 5, "supplysum": 2, "tariffs": 6, "volts": 5, "amps": 4, "totalcost": 5, "replace": 4,
    "topcost": 3, "perday": 4,
}  # fmt: skip
# What JSON calls answers that are asked for together.
TOGETHER = {
    "energy": {
        "en": "energy energy_kwh kwh consumption consumption_kwh used_kwh used usage".split(),
        "fr": "energie energie_kwh kwh conso conso_kwh consommation consommation_kwh kwh_consommes".split(),
    },
    "volume": {
        "en": "volume volume_m3 used_m3 consumption_m3 used m3 usage".split(),
        "fr": "volume volume_m3 conso_m3 consommation_m3 m3 conso m3_consommes".split(),
    },
    "cost": {
        "en": "cost total_cost amount amount_due bill energy_cost cost_total".split(),
        "fr": "cout cout_total montant facture cout_energie a_payer montant_du".split(),
    },
    "balance": {
        "en": "balance balance_kwh net net_kwh net_balance energy_balance net_energy diff_kwh".split(),
        "fr": "bilan bilan_kwh net net_kwh solde solde_kwh bilan_net bilan_energie".split(),
    },
    "surplus": {
        "en": "surplus has_surplus is_surplus in_surplus excess surplus_today positive".split(),
        "fr": "surplus excedent en_surplus y_a_surplus excedentaire est_excedentaire positif".split(),
    },
    "which": {
        "en": "greater higher larger bigger which greater_one more".split(),
        "fr": "plus_grand plus_grande plus_forte lequel laquelle plus_eleve gagnant".split(),
    },
    "by": {
        "en": "by by_kwh difference gap margin difference_kwh gap_kwh".split(),
        "fr": "de_combien ecart ecart_kwh difference difference_kwh marge delta_kwh".split(),
    },
    "device": {
        "en": "device appliance name device_name which appliance_name".split(),
        "fr": "appareil nom nom_appareil equipement lequel machine".split(),
    },
    "wh": {
        "en": "wh wh_per_day daily_wh energy_wh wh_day day_wh use_wh".split(),
        "fr": "wh wh_par_jour wh_jour energie_wh conso_wh conso_jour_wh wh_j".split(),
    },
}
AMOUNTS = statement.Amounts(
    {
        "power": (
            "power|rated power|power draw|load; power rated_power draw load p",
            "f puissance|f puissance nominale|f puissance absorbée; puissance p_nominale p",
        ),
        "time": (
            "running time|operating time|time of use; runtime time_on on_time duration",
            "f durée de marche|m temps de marche|f durée d'utilisation; duree temps_marche marche",
        ),
        "energy": (
            "energy used|consumption|energy; energy consumption used",
            "f énergie consommée|f consommation|f énergie; energie conso",
        ),
        "before": (
            "meter reading before|meter at the start|first reading; meter_start before reading_1",
            "m relevé initial|m compteur au début|m premier relevé; index_debut debut releve_1",
        ),
        "after": (
            "meter reading after|meter at the end|last reading; meter_end after reading_2",
            "m relevé final|m compteur à la fin|m dernier relevé; index_fin fin releve_2",
        ),
        "old": (
            "previous consumption|consumption before|use before; use_before before old_use",
            "f consommation d'avant|f consommation précédente|f ancienne consommation; conso_avant avant",
        ),
        "new": (
            "new consumption|consumption now|use now; use_now now new_use",
            "f nouvelle consommation|f consommation actuelle; conso_apres apres conso_actuelle",
        ),
        "made": (
            "production|solar production|PV production|energy produced; production pv solar produced pv_today",
            "f production|f production solaire|f production des panneaux; production pv solaire prod produit",
        ),
        "used": (
            "consumption|house consumption|total consumption; consumption house used house_today consumed",
            "f consommation|f consommation de la maison|f consommation totale; consommation conso maison conso_jour",
        ),
        "price": (
            "electricity price|energy price|price per kWh; price tariff rate unit_price",
            "m prix de l'électricité|m prix du kWh|m tarif; prix tarif prix_unitaire prix_elec",
        ),
        "supply_price": (
            "price|unit price|price per cubic metre; price tariff rate unit_price",
            "m prix|m prix unitaire|m prix du mètre cube; prix tarif prix_unitaire",
        ),
        "per_day": (
            "daily consumption|consumption per day|use per day; daily_use per_day daily day_use",
            "f consommation quotidienne|f consommation par jour|f conso journalière; conso_jour par_jour quotidien",
        ),
        "day_time": (
            "running time per day|daily running time|time on per day; on_per_day runtime_per_day daily_runtime per_day",
            "f durée de marche par jour|m temps de marche quotidien; marche_par_jour duree_jour par_jour marche_jour",
        ),
        "index": (
            "old reading|previous reading|first reading|reading before; old previous start reading_1 index_old",
            "m ancien index|m index précédent|m premier relevé; ancien precedent debut releve_1 index_ancien",
        ),
        "index_now": (
            "new reading|current reading|last reading|reading now; new current end reading_2 index_new",
            "m nouvel index|m index actuel|m dernier relevé; nouveau actuel fin releve_2 index_nouveau",
        ),
        "high": (
            "peak consumption|consumption at the peak rate|peak energy; peak peak_use on_peak used_peak",
            "f consommation en heures pleines|f conso heures pleines; hp conso_hp pleines heures_pleines",
        ),
        "low": (
            "off-peak consumption|consumption at the low rate|off-peak energy; off_peak off_peak_use offpeak",
            "f consommation en heures creuses|f conso heures creuses; hc conso_hc creuses heures_creuses",
        ),
        "dear": (
            "peak price|peak rate|price at peak times; peak_price price_peak rate_peak",
            "m prix en heures pleines|m tarif heures pleines; prix_hp tarif_hp prix_pleines",
        ),
        "cheap": (
            "off-peak price|off-peak rate|price at off-peak times; off_peak_price price_off_peak rate_off_peak",
            "m prix en heures creuses|m tarif heures creuses; prix_hc tarif_hc prix_creuses",
        ),
        "n_days": ("period|length of the period|time span; period n span", "f période|f durée; periode n duree"),
        "volts": (
            "voltage|supply voltage|mains voltage; voltage u volts supply",
            "f tension|f tension d'alimentation; tension u volts",
        ),
        "amps": (
            "current|load current|measured current; current i amps",
            "m courant|f intensité|m courant mesuré; courant i intensite",
        ),
    },
    {"€/kWh": "eur_kwh", "€/m³": "eur_m3"},
)


@dataclasses.dataclass
class Price:
    """A price for a kilowatt-hour: its number, its text in the question, how a sum is written in
    the answer, the currency where it stands behind the number, and whether it is in cents. `shape`
    is its text with `{n}` for the number."""

    value: int
    decimals: int
    text: str
    form: str
    unit: str
    minor: bool
    shape: str = ""


def draw_price(rng, language, separator, fine=0.0, per="kWh"):
    """A price in one of the usual spellings; with a chance of `fine` it has three or four decimals. `per`: what it
    is the price of."""
    cents = rng.choice([15, 18, 20, 22, 24, 25, 28, 30, 32, 35, 40, rng.randint(11, 48)])
    if rng.random() < 0.5:
        cents = rng.choice([20, 30, 40, 25, 50, 60])
    value, decimals = (cents, 2) if per == "kWh" else _fuel_price(rng)
    if fine and rng.random() < fine:
        value, decimals = _fine(rng, value, decimals)
    number = telemetry.written(text(value, decimals), separator)
    if decimals == 2 and value % 10 == 0 and rng.random() < 0.5:
        number = telemetry.written(text(value // 10, decimals - 1), separator)
    if rng.random() < 0.25 and decimals == 2 and per == "kWh":
        unit = rng.choice(["ct", "cents", "p"] if language == "en" else ["ct", "centimes", "cents"])
        shapes = (
            ["{n} {u}/kWh", "{n} {u} per kWh", "{n} {u} a kWh"]
            if language == "en"
            else ["{n} {u}/kWh", "{n} {u} le kWh", "{n} {u} par kWh"]
        )
        said = rng.choice(shapes).format(n=cents, u=unit)
        return Price(cents, 0, said, f"{{value}} {unit}", unit, True)
    if language == "en":
        symbol = rng.choice(["€", "€", "$", "$", "£"])
        shape = rng.choice(["{s}{n}/{k}", "{s}{n} per {k}", "{s}{n} a {k}", "{n} {s}/{k}"])
        if shape.startswith("{n}"):
            symbol = rng.choice(["€", "EUR", "USD", "€"])
        before = not shape.startswith("{n}")
        form = symbol + "{value}" if before else f"{{value}} {symbol}"
    else:
        symbol = rng.choice(["€", "€", "€", "euros", "EUR"])
        shape = rng.choice(["{n} {s}/{k}", "{n} {s} le {k}", "{n} {s} par {k}", "{n} {s} du {k}"])
        if rng.random() < 0.1:
            symbol = "$"
        before, form = False, f"{{value}} {symbol}"
    shape = shape.format(s=symbol, n="{n}", k=per)
    return Price(value, decimals, shape.format(n=number), form, "" if before else symbol, False, shape)


def _fine(rng, value, decimals):
    """A price near this one with three or four decimals, none of them a zero at the end."""
    more = 3 if rng.random() < 0.6 else 4
    scale = 10 ** (more - decimals)
    return value * scale + rng.choice([n for n in range(1, scale) if n % 10]), more


def _fuel_price(rng):
    """A price for a cubic metre of water or gas."""
    if rng.random() < 0.5:
        return rng.choice([15, 20, 25, 30, 35, 40, 45, 18, 32]), 1
    return rng.choice([85, 95, 105, 115, 120, 150, 185, 240, 250, 320, 350, 385, 410, 425]), 2


def as_money(price, value, decimals, lines):
    """A sum of money with two decimals; one in cents has two at most. Returns lines and the
    amount."""
    if price.minor:
        if decimals > 2:
            line, value = arithmetic.rounded(value, decimals, 2)
            lines, decimals = [*lines, line], 2
        lines, value, decimals = arithmetic.finish(lines, value, decimals)
        return lines, Amount(value, decimals)
    if decimals > 2:
        line, value = arithmetic.rounded(value, decimals, 2)
        lines = [*lines, line]
    else:
        value *= 10 ** (2 - decimals)
        end = f"={text(value, 2)}"
        if lines[-1].startswith("="):
            lines = lines[:-1]
        lines = lines if lines[-1].endswith(end) else [*lines, end]
    return lines, Amount(value, 2)


def cost_answer(language, price, amount):
    keys = {"en": ["cost", "answer", "price"], "fr": ["cout", "answer", "prix"]}[language]
    return Answer(price.form, {"value": amount}, {"value": keys})


def priced(lines, energy, decimals, price):
    """`energy` times the price."""
    more, value, made = arithmetic.times(energy, decimals, price.value, price.decimals)
    return [*lines, *more], value, made


def make(rng, language, held_out):
    kind = rng.choices(list(KINDS), KINDS.values())[0]
    if kind in ("most", "least"):
        return _which(rng, language, held_out, kind)
    make_ = {
        "daily": _daily, "dailydays": _daily, "dailycost": _daily, "fleet": _daily, "dayscost": _dayscost,
        "swap": _swap, "balance": _balance, "excess": _balance, "deficit": _balance, "surplus": _balance,
        "balanceboth": _balance, "greater": _balance, "usecost": _use, "metersum": _meter, "topday": _which,
        "supply": _supply, "supplycost": _supply, "supplysum": _supply, "tariffs": _tariffs, "volts": _volts,
        "amps": _volts, "totalcost": _total, "replace": _replace,
        "topcost": _which, "perday": _perday,
        "use": _use, "bill": _use, "cost": _cost, "meter": _meter, "metercost": _meter,
        "save": _save, "savecost": _save, "hours": _hours, "load": _load, "days": _days, "total": _total,
    }[kind]  # fmt: skip
    return make_(rng, language, held_out, kind)


def spelled_unit(rng, language, unit):
    return units.noun(rng, language, unit, 0.7)


def draw_power(rng):
    """A power, its decimals and unit."""
    if rng.random() < 0.35:
        return (*arithmetic.trimmed(rng.randint(2, 95), 1), "kW")
    if rng.random() < 0.5:
        return units.easy(rng, 20, 3000), 0, "W"
    return rng.choice([40, 60, 75, 100, 150, 250, 500, 750, 1200, 1500, 2500, 2000, 850]), 0, "W"


def draw_running_time(rng):
    """A running time: value, decimals, unit, and the hours as a fraction."""
    chance = rng.random()
    if chance < 0.2:
        minutes = rng.choice([6, 12, 15, 20, 24, 30, 36, 40, 45, 48, 90, 120, 150, 240])
        if minutes % 3:
            minutes = 30
        return minutes, 0, "min"
    if chance < 0.32:
        return (*arithmetic.trimmed(rng.choice([5, 15, 25, 35, 45, 75]), 1), "h")
    return rng.randint(2, 24), 0, "h"


# The unit of a time of hours and minutes, which is kept in minutes.
LONG = "h min"
LONG_TIMES = {
    "en": ["{h} h {m:02d} min", "{h} h {m} min", "{h}h{m:02d}", "{h} h {m:02d}", "{h}:{m:02d} h", "{h}h {m}min",
           "{h} hour{s} {m} minutes", "{h} hour{s} and {m} minutes"],
    "fr": ["{h} h {m:02d}", "{h} h {m:02d}", "{h}h{m:02d}", "{h}h{m:02d}", "{h} h {m} min", "{h}:{m:02d} h",
           "{h} heure{s} {m:02d}", "{h} heure{s} et {m} minutes"],
}  # fmt: skip


def long_time(rng, highest=9):
    """A time of hours and minutes, whose hours have few decimals."""
    rest = rng.choice([15, 30, 30, 30, 45, 45, 6, 12, 18, 24, 36, 48])
    return 60 * rng.randint(1, highest) + rest, 0, LONG


def said_time(rng, language, time, separator, symbol=0.4):
    """A time as prose states it."""
    if time[2] != LONG:
        return units.said(rng, language, *time, separator, symbol)
    hours, minutes = divmod(time[0], 60)
    return rng.choice(LONG_TIMES[language]).format(h=hours, m=minutes, s="" if hours == 1 else "s")


def _time_fact(rng, language, time, name="time"):
    """A time as a fact; one of hours and minutes is a word, `1h30`."""
    if time[2] != LONG:
        return AMOUNTS.fact(rng, language, name, time)
    nouns, keys = AMOUNTS.called[name, language]
    shape = rng.choice(["{}h{:02d}", "{}h{:02d}", "{}h{:02d}min"])
    return telemetry.Fact(rng.choice(nouns), rng.choice(keys), word=shape.format(*divmod(time[0], 60)))


def hours_of(minutes):
    """A time of hours and minutes as hours: the steps, the value and its decimals."""
    hours, rest = divmod(minutes, 60)
    if not rest:
        return [f"={hours}"], hours, 0
    lines, value, made, _ = arithmetic.quotient(rest, 0, 60, 0)
    if hours:
        a, b, made = arithmetic.aligned(hours, 0, value, made)
        line, value = arithmetic.addition(a, b, made)
        lines = [*lines, line]
    return lines, value, made


def energy_used(power, time, wanted):
    """Steps from a power and a time to an energy in `wanted`. Returns lines, value and decimals."""
    lines = []
    value, decimals, unit = power
    hours, hours_decimals, time_unit = time
    if time_unit == LONG:
        lines, hours, hours_decimals = hours_of(hours)
    if (unit, wanted) == ("W", "kWh"):
        line, value, decimals = arithmetic.shifted(value, decimals, -3)
        lines.append(line)
    elif (unit, wanted) == ("kW", "Wh"):
        line, value, decimals = arithmetic.shifted(value, decimals, 3)
        lines.append(line)
    more, value, decimals = arithmetic.times(value, decimals, hours, hours_decimals)
    lines += more
    if time_unit == "min":
        more, value, decimals, _ = arithmetic.quotient(value, decimals, 60, 0, 6)
        lines += more
    return lines, value, decimals


def _minutes(rng, watts):
    """Minutes for which a power makes whole watt-hours."""
    found = [n for n in (5, 6, 10, 12, 15, 20, 24, 25, 30, 35, 40, 45, 50, 75, 80, 90, 100) if watts * n % 60 == 0]
    return (rng.choice(found or [60]), 0, "min")


def _use(rng, language, held_out, kind):
    """Power and time to energy, with a price to its cost."""
    separator = telemetry.separator(rng, language)
    power, time = draw_power(rng), long_time(rng) if rng.random() < 0.2 else draw_running_time(rng)
    if kind != "use" and time[2] == "min" and rng.random() < 0.4:
        time = (rng.randint(2, 12), 0, "h")
    if time[2] == "min" and power[2] == "W" and rng.random() < 0.7:
        time = _minutes(rng, power[0])
    small = power[2] == "W" and power[0] < 200
    # Kilowatt-hours, unless the question wants watt-hours.
    wanted = "Wh" if kind == "use" and rng.random() < (0.5 if small else 0.12) else "kWh"
    lines, value, decimals = energy_used(power, time, wanted)
    device = rng.choice(DEVICES[language])
    unit = spelled_unit(rng, language, wanted)
    slots = {
        "device": device,
        "power": units.said(rng, language, *power, separator, 0.8),
        "time": said_time(rng, language, time, separator),
        "unit": unit,
    }
    facts = {"kind": kind, "power": text(*power[:2]), "time": text(*time[:2])}
    facts["watts"] = power[2] == "W"
    facts["minutes"] = time[2] in ("min", LONG)
    facts["wanted"] = wanted
    known = [AMOUNTS.fact(rng, language, "power", power), _time_fact(rng, language, time)]
    if kind != "use":
        price = _euros(rng, separator) if rng.random() < 0.45 else draw_price(rng, language, separator, 0.15)
        while kind == "usecost" and price.minor:
            price = draw_price(rng, language, separator)
        known = [*known, _price_fact(rng, language, price)] if _euro_price(price) else []
        made = lines, value, decimals
        slots |= {"price": price.text, "money": currency(language, price)}
        lines, value, decimals = priced(lines, value, decimals, price)
        lines, amount = as_money(price, value, decimals, lines)
        if len(lines) > 10 or sum(map(len, lines)) > 170:
            return _use(rng, language, held_out, kind)
        facts |= {"price": text(price.value, price.decimals)}
        if kind == "usecost":
            answer = _together(language, energy=Amount(*made[1:], "kWh"), cost=_sum_named(language, price, amount))
            stated = statement.state(
                rng, WORDING, language, held_out, kind, slots, separator, known,
                ask=_both_asked(rng, "use_ask", "cost_ask"), given="use_given", extra="price_given",
            )  # fmt: skip
            return _built(rng, language, held_out, "kWh + cost", stated, lines, answer, separator, facts)
        answer = cost_answer(language, price, amount)
        stated = statement.state(
            rng, WORDING, language, held_out, "bill", slots, separator, known,
            ask="cost_ask", given="use_given", extra="price_given",
        )  # fmt: skip
        return _built(rng, language, held_out, "bill", stated, lines, answer, separator, facts)
    stated = statement.state(
        rng, WORDING, language, held_out, "use", slots, separator, known,
        asked=lambda said: wanted == "kWh" or "unit" in said.slots,
    )  # fmt: skip
    answer = amount_answer(stated, value, decimals, unit, wanted)
    return _built(rng, language, held_out, wanted, stated, lines, answer, separator, facts)


def _euros(rng, separator):
    """A price that telemetry can tell."""
    value, decimals = rng.choice([15, 18, 20, 20, 22, 24, 25, 25, 28, 30, 30, 32, 35, 40]), 2
    if rng.random() < 0.25:
        value, decimals = _fine(rng, value, decimals)
    number = telemetry.written(text(value, decimals), separator)
    return Price(value, decimals, f"{number} €/kWh", "{value} €", "€", False, "{n} €/kWh")


def _euro_price(price):
    """Whether telemetry can tell this price."""
    return price.text.endswith(("€/kWh", "€/m³"))


def _price_fact(rng, language, price, name="price"):
    """The price as a fact."""
    return AMOUNTS.fact(rng, language, name, (price.value, price.decimals, price.text[price.text.index("€") :]))


def _both_asked(rng, *sections, both="energy_cost_ask"):
    """The section that asks for energy and cost, or one that leaves a part of it to the keys."""
    return both if rng.random() < 0.75 else rng.choice(sections)


def _together(language, **fields):
    """Several answers, which are asked for at once."""
    keys = {name: TOGETHER[name][language] for name in fields}
    return Answer("", fields, keys, several=True)


def _sum_named(language, price, amount):
    """A sum of money with its currency, for a key that explains itself."""
    return dataclasses.replace(amount, unit=currency(language, price))


def currency(language, price):
    """What a question calls the money it asks for."""
    if price.unit:
        return price.unit
    symbol = price.form[0]
    return {"€": "euros", "$": "dollars", "£": "pounds"}[symbol]


def amount_answer(stated, value, decimals, unit, usual, keys=None):
    """The unit as the question spells it, or the usual one."""
    keys = {"value": keys} if keys else {}
    if "unit" in stated.slots:
        return Answer("{value}", {"value": Amount(value, decimals, str(unit))}, keys)
    fields = {"value": Amount(value, decimals), "unit": usual}
    return Answer("{value} {unit}", fields, keys)


def _built(
    rng, language, held_out, label, stated, lines, answer, separator, facts, question=None, more=()
):  # fmt: skip
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        question or stated.question,
        [label, *lines],
        answer,
        stated.data,
        separator,
        exact=True,
        facts=facts,
        phrasings=(*stated.phrasings, *more),
    )


def _cost(rng, language, held_out, kind):
    """An energy and a price."""
    separator = telemetry.separator(rng, language)
    price = _euros(rng, separator) if rng.random() < 0.3 else draw_price(rng, language, separator, 0.2)
    energy, decimals = rng.choice(
        [(rng.randint(2, 500), 0), (rng.randint(5, 999), 1), (units.easy(rng, 3, 400), 0)]
    )
    energy, decimals = arithmetic.trimmed(energy, decimals)
    lines, value, made = priced([], energy, decimals, price)
    lines, amount = as_money(price, value, made, lines)
    slots = {
        "energy": units.said(rng, language, energy, decimals, "kWh", separator, 0.85),
        "price": price.text,
        "money": currency(language, price),
    }
    if sum(map(len, lines)) > 190:
        return _cost(rng, language, held_out, kind)
    known = []
    if _euro_price(price):
        known = [AMOUNTS.fact(rng, language, "energy", (energy, decimals, "kWh")), _price_fact(rng, language, price)]
    stated = statement.state(
        rng, WORDING, language, held_out, "cost", slots, separator, known, extra="price_given"
    )
    facts = {"kind": kind, "energy": text(energy, decimals)}
    facts["price"] = text(price.value, price.decimals)
    answer = cost_answer(language, price, amount)
    return _built(rng, language, held_out, "cost", stated, lines, answer, separator, facts)


def _meter(rng, language, held_out, kind):
    """The difference of two meter readings, perhaps with its cost."""
    separator = telemetry.separator(rng, language)
    decimals = rng.choice([0, 0, 1, 1, 2] if kind == "meter" else [0, 0, 1, 1])
    before = rng.randint(10, rng.choice([999, 9999, 29999])) * 10**decimals + rng.randint(
        0, 10**decimals - 1
    )
    used = rng.randint(2, rng.choice([99, 400, 900])) * (10**decimals if rng.random() < 0.3 else 1)
    after = before + used
    line, difference = arithmetic.subtraction(after, before, decimals)
    lines = [line]
    unit = spelled_unit(rng, language, "kWh")

    def said(value):
        number = units.said(rng, language, value, decimals, "kWh", separator, 1)
        return number if rng.random() < 0.75 else number.removesuffix("kWh").rstrip()

    slots = {"before": said(before), "after": said(after), "unit": unit}
    facts = {"kind": kind, "before": text(before, decimals), "after": text(after, decimals)}
    known = [
        AMOUNTS.fact(rng, language, "before", (before, decimals, "kWh")),
        AMOUNTS.fact(rng, language, "after", (after, decimals, "kWh")),
    ]
    own = rng.random() < (0.25 if kind == "meter" else 0.45)
    if kind in ("metercost", "metersum"):
        price = _euros(rng, separator) if own or rng.random() < 0.3 else draw_price(rng, language, separator, 0.15)
        while kind == "metersum" and price.minor:
            price = draw_price(rng, language, separator)
        slots |= {"price": price.text, "money": currency(language, price)}
        value, made = arithmetic.trimmed(difference, decimals)
        energy = Amount(value, made, "kWh")
        lines, value, made = priced(lines, value, made, price)
        lines, amount = as_money(price, value, made, lines)
        if sum(map(len, lines)) > 190:
            return _meter(rng, language, held_out, kind)
        facts |= {"price": text(price.value, price.decimals)}
        ask = "cost_ask" if kind == "metercost" else _both_asked(rng, "meter_ask", "cost_ask")
        if own:
            question = WORDING.say(rng, language, ask, held_out, **{n: slots[n] for n in WORDING.slots[ask]})
            told = _tell_meter(rng, language, text(before, decimals), text(after, decimals), separator, price)
            stated = statement.Stated(question, told, (), question.slots)
        else:
            known = [*known, _price_fact(rng, language, price)] if _euro_price(price) else []
            stated = statement.state(
                rng, WORDING, language, held_out, kind, slots, separator, known,
                ask=ask, given="meter_given", extra="price_given",
            )  # fmt: skip
        if kind == "metersum":
            answer = _together(language, energy=energy, cost=_sum_named(language, price, amount))
            return _built(rng, language, held_out, "meter + cost", stated, lines, answer, separator, facts)
        answer = cost_answer(language, price, amount)
        return _built(
            rng, language, held_out, "meter cost", stated, lines, answer, separator, facts
        )
    lines, value, made = arithmetic.finish(lines, difference, decimals)
    if own:
        question = WORDING.say(rng, language, "meter_ask", held_out, unit=unit)
        told = _tell_meter(rng, language, text(before, decimals), text(after, decimals), separator)
        stated = statement.Stated(question, told, (), question.slots)
    else:
        stated = statement.state(rng, WORDING, language, held_out, "meter", slots, separator, known)
    answer = amount_answer(stated, value, made, unit, "kWh")
    return _built(rng, language, held_out, "meter", stated, lines, answer, separator, facts)


MOMENTS = {
    "en": [("08:00", "18:00"), ("6:30", "22:00"), ("07:15", "15:15"), ("Monday", "Friday"), ("1 March", "31 March"),
           ("Sunday evening", "Monday morning"), ("last night", "this morning"), ("week 12", "week 13")],
    "fr": [("08:00", "18:00"), ("6h30", "22h"), ("7h15", "15h15"), ("lundi", "vendredi"), ("1er mars", "31 mars"),
           ("dimanche soir", "lundi matin"), ("hier soir", "ce matin"), ("semaine 12", "semaine 13")],
}  # fmt: skip
METER_KEYS = {
    "en": ["before after", "start_kwh end_kwh", "start end", "first_kwh last_kwh", "kwh_before kwh_after", "old new"],
    "fr": ["avant apres", "debut_kwh fin_kwh", "debut fin", "index_debut index_fin", "ancien nouveau",
           "kwh_avant kwh_apres"],
}  # fmt: skip


def _tell_meter(rng, language, before, after, separator, price=None):
    """Two readings of a meter with the times at which they were read, or under keys; perhaps with a price."""
    english = language == "en"
    name = rng.choice("main workshop flat_3 barn kitchen bay_2".split() if english else
                      "general atelier logement_3 grange cuisine quai_2".split())  # fmt: skip
    first, last = rng.choice(MOMENTS[language])
    layout = rng.choice(["lines", "lines", "sentence", "json", "json", "json", "pairs", "rows"])
    rate = text(price.value, price.decimals) if price else ""
    if layout in ("json", "rows"):
        number = telemetry.Number
        low, high = rng.choice(METER_KEYS[language]).split()
        data = {rng.choice(["meter", "id"] if english else ["compteur", "id"]): name} if rng.random() < 0.5 else {}
        if layout == "rows":
            at = rng.choice(["time", "at", "t"] if english else ["heure", "quand", "t"])
            key = rng.choice(["readings", "log"] if english else ["releves", "index"])
            data[key] = [{at: first, "kwh": number(before)}, {at: last, "kwh": number(after)}]
        else:
            data |= {low: number(before), high: number(after)}
            if "kwh" not in low:
                data["unit" if english else "unite"] = "kWh"
        if price:
            key = rng.choice(["price_eur_kwh", "eur_per_kwh"] if english else ["prix_eur_kwh", "eur_par_kwh"])
            data[key] = number(rate)
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.4), "json", [], True, ".")
    before, after = telemetry.written(before, separator), telemetry.written(after, separator)
    if layout == "pairs":
        low, high = rng.choice(METER_KEYS[language]).split()
        unit = "" if "kwh" in low else rng.choice([" kWh", "kWh"])
        rows = [f"{low}={before}{unit}", f"{high}={after}{unit}"]
        if rng.random() < 0.4:
            rows.insert(0, f"{'meter' if english else 'compteur'}={name}")
        if price:
            rows.append(f"{'price' if english else 'prix'}={price.text}")
        return telemetry.Told("\n".join(rows), "pairs", [], True, separator)
    if layout == "lines":
        glue = rng.choice([" ", ": ", " -> ", " - "])
        rows = [f"{first}{glue}{before} kWh", f"{last}{glue}{after} kWh"]
        if rng.random() < 0.4:
            rows.insert(0, rng.choice(["Meter", "Readings"] if english else ["Compteur", "Relevés"]))
        if price:
            rows.append(price.text)
        return telemetry.Told("\n".join(rows), "lines", [], True, separator)
    if english:
        shape = rng.choice([
            "Meter, {f}: {b} kWh; {l}: {a} kWh.",
            "{f} the meter showed {b} kWh, {l} it showed {a} kWh.",
            "Read {b} kWh ({f}) and {a} kWh ({l}).",
            "The meter went from {b} kWh ({f}) to {a} kWh ({l}).",
        ])  # fmt: skip
    else:
        shape = rng.choice([
            "Compteur, {f} : {b} kWh ; {l} : {a} kWh.",
            "{f}, le compteur marquait {b} kWh ; {l}, {a} kWh.",
            "Relevé {b} kWh ({f}) puis {a} kWh ({l}).",
            "Le compteur est passé de {b} kWh ({f}) à {a} kWh ({l}).",
        ])  # fmt: skip
    body = shape.format(f=first, l=last, b=before, a=after)
    if price:
        body += f" {'Price' if english else 'Prix'}{telling.COLON[language]}{price.text}."
    return telemetry.Told(body[0].upper() + body[1:], "sentence", [], False, separator)


def _save(rng, language, held_out, kind):
    """A consumption before and after a change; what is saved, in energy or money."""
    separator = telemetry.separator(rng, language)
    decimals = rng.choice([0, 0, 1])
    new = rng.randint(2, 400)
    old = new + rng.randint(2, 300)
    line, difference = arithmetic.subtraction(old, new, decimals)
    lines = [line]
    unit = spelled_unit(rng, language, "kWh")
    slots = {
        "device": rng.choice(DEVICES[language]),
        "old": units.said(rng, language, old, decimals, "kWh", separator, 0.9),
        "new": units.said(rng, language, new, decimals, "kWh", separator, 0.9),
        "unit": unit,
    }
    facts = {"kind": kind, "old": text(old, decimals), "new": text(new, decimals)}
    known = [
        AMOUNTS.fact(rng, language, "old", (old, decimals, "kWh")),
        AMOUNTS.fact(rng, language, "new", (new, decimals, "kWh")),
    ]
    if kind == "savecost":
        price = _euros(rng, separator) if rng.random() < 0.3 else draw_price(rng, language, separator)
        known = [*known, _price_fact(rng, language, price)] if _euro_price(price) else []
        slots |= {"price": price.text, "money": currency(language, price)}
        value, made = arithmetic.trimmed(difference, decimals)
        lines, value, made = priced(lines, value, made, price)
        lines, amount = as_money(price, value, made, lines)
        if sum(map(len, lines)) > 190:
            return _save(rng, language, held_out, kind)
        facts |= {"price": text(price.value, price.decimals)}
        stated = statement.state(
            rng, WORDING, language, held_out, "savecost", slots, separator, known,
            ask="saved_money_ask", given="save_given", extra="price_given",
        )  # fmt: skip
        answer = cost_answer(language, price, amount)
        return _built(rng, language, held_out, "save cost", stated, lines, answer, separator, facts)
    lines, value, made = arithmetic.finish(lines, difference, decimals)
    stated = statement.state(rng, WORDING, language, held_out, "save", slots, separator, known)
    answer = amount_answer(stated, value, made, unit, "kWh")
    return _built(rng, language, held_out, "save", stated, lines, answer, separator, facts)


def _hours(rng, language, held_out, kind):
    """How long a power takes for an energy."""
    separator = telemetry.separator(rng, language)
    big = rng.random() < 0.6
    if big:
        power, decimals = arithmetic.trimmed(units.easy(rng, 2, 80, 0.08), 1)
        if (power, decimals) == (1, 0):
            power = 2
    else:
        power, decimals = units.easy(rng, 20, 900, 0.08), 0
    time = rng.randint(2, 24)
    energy = power * time + (power // 2 if power % 2 == 0 and rng.random() < 0.3 else 0)
    energy, energy_decimals = arithmetic.trimmed(energy, decimals)
    shown, lines = (energy, energy_decimals, "kWh" if big else "Wh"), []
    if rng.random() < 0.55:
        big, decimals = False, 0
        power = rng.choice([60, 80, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1200, 1500, 2000, 2400, 3000])
        energy = power * rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 20]) + rng.choice([0, 0, power // 2])
        energy_decimals = 0
        shown = (*arithmetic.trimmed(energy, 3), "kWh")
        lines = [arithmetic.shifted(*shown[:2], 3)[0]]
    unit = spelled_unit(rng, language, "h")
    more, value, made, _ = arithmetic.quotient(energy, energy_decimals, power, decimals)
    lines += more
    slots = {
        "device": rng.choice(DEVICES[language]),
        "energy": units.said(rng, language, *shown, separator, 0.9),
        "power": units.said(rng, language, power, decimals, "kW" if big else "W", separator, 0.9),
        "unit": unit,
    }
    known = [
        AMOUNTS.fact(rng, language, "energy", shown),
        AMOUNTS.fact(rng, language, "power", (power, decimals, "kW" if big else "W")),
    ]
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, known)
    facts = {"kind": kind, "energy": text(energy, energy_decimals), "power": text(power, decimals)}
    answer = amount_answer(stated, value, made, unit, "h")
    return _built(rng, language, held_out, kind, stated, lines, answer, separator, facts)


def _load(rng, language, held_out, kind):
    """The average power of an energy over a time."""
    separator = telemetry.separator(rng, language)
    big = rng.random() < 0.6
    time = rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 24, 7, 20])
    if big:
        power, decimals = arithmetic.trimmed(rng.randint(2, 60), 1)
    else:
        power, decimals = rng.choice([rng.randint(20, 900), rng.randint(3, 150) * 10]), 0
    energy, energy_decimals = arithmetic.trimmed(power * time, decimals)
    if rng.random() < 0.15:
        energy += rng.randint(1, time)
    exact = Fraction(energy, 10**energy_decimals) / time
    wanted = "kW" if big else "W"
    unit = spelled_unit(rng, language, wanted)
    places, more = 2, ()
    if exact * 100 % 1 and rng.random() < 0.8:
        places = rng.choice([1, 2])
        more = (rounding.ask(rng, language, held_out, places),)
    shown, lines = (energy, energy_decimals, f"{wanted}h"), []
    mixed = not big and energy % 10 == 0 and rng.random() < 0.8
    if mixed:
        shown = (*arithmetic.trimmed(energy, 3), "kWh")
        lines = [arithmetic.shifted(*shown[:2], 3)[0]]
    more_lines, value, made, _ = arithmetic.quotient(energy, energy_decimals, time, 0, places)
    lines += more_lines
    slots = {
        "device": rng.choice(DEVICES[language]),
        "energy": units.said(rng, language, *shown, separator, 0.9),
        "time": units.said(rng, language, time, 0, "h", separator, 0.4),
        "unit": unit,
    }
    known = [
        AMOUNTS.fact(rng, language, "energy", shown),
        AMOUNTS.fact(rng, language, "time", (time, 0, "h")),
    ]
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known,
        asked=lambda said: not mixed or "unit" in said.slots,
    )  # fmt: skip
    question = rounding.then(stated.question, more[0]) if more else None
    facts = {"kind": kind, "energy": text(energy, energy_decimals), "time": str(time)}
    facts["places"] = places
    answer = amount_answer(stated, value, made, unit, wanted)
    return _built(
        rng, language, held_out, "power", stated, lines, answer, separator, facts, question, more
    )


def _days(rng, language, held_out, kind):
    """A daily consumption over some days."""
    separator = telemetry.separator(rng, language)
    small = rng.random() < 0.3
    energy, decimals = (
        (rng.randint(20, 900), 0) if small else arithmetic.trimmed(rng.randint(2, 240), 1)
    )
    days = rng.choice([7, 30, 30, 10, 14, 31, 365, 5, 20, rng.randint(2, 60)])
    if days == 365 and rng.random() < 0.6:
        days = 30
    per = _per(rng, language, days)
    wanted = "Wh" if small else "kWh"
    unit = spelled_unit(rng, language, wanted)
    lines, value, made = arithmetic.times(energy, decimals, days, 0)
    slots = {
        "device": rng.choice(DEVICES[language]),
        "energy": units.said(rng, language, energy, decimals, wanted, separator, 0.9),
        "days": units.said(rng, language, days, 0, "days", separator, 0),
        "unit": unit,
        "per": per,
    }
    known = [AMOUNTS.fact(rng, language, "per_day", (energy, decimals, wanted))]
    stated = statement.state(
        rng, WORDING, language, held_out, "per" if per else kind, slots, separator, known,
        ask="per_ask" if per else "days_ask", given="days_given",
    )  # fmt: skip
    facts = {"kind": kind, "energy": text(energy, decimals), "days": str(days)}
    answer = amount_answer(stated, value, made, unit, wanted)
    return _built(rng, language, held_out, kind, stated, lines, answer, separator, facts)


# What numbers of days are called behind an amount.
SPANS = {
    "en": {
        1: "per day|a day|each day|every day|in a day",
        7: "per week|a week|each week|in a week|over a week|every week|in one week|per week (7 days)",
        30: "per month of 30 days|in a month of 30 days|over a month of 30 days|per month (30 days)|a month (30 days)",
        365: "per year|a year|in a year (365 days)|over a year of 365 days|each year",
    },
    "fr": {
        1: "par jour|chaque jour|en un jour|en une journée|sur une journée",
        7: "par semaine|en une semaine|chaque semaine|sur une semaine|à la semaine|par semaine (7 jours)",
        30: "par mois de 30 jours|en un mois de 30 jours|sur un mois de 30 jours|par mois (30 jours)",
        365: "par an|en un an (365 jours)|sur une année de 365 jours|chaque année|à l'année",
    },
}


def _per(rng, language, days):
    """What a number of days is called behind an amount, or nothing where it has no name; now and then nothing."""
    return rng.choice(SPANS[language][days].split("|")) if days in SPANS[language] and rng.random() < 0.7 else ""


def _perday(rng, language, held_out, kind):
    """What an energy over some days is per day."""
    separator = telemetry.separator(rng, language)
    days, places = rng.choice([7, 7, 30, 30, 5, 10, 14, 4, 3, 20, 31, rng.randint(2, 12)]), rng.choice([0, 1, 1, 1])
    energy, decimals = arithmetic.trimmed(rng.randint(2, 30 if places == 0 else 250) * days, places)
    lines, value, made, _ = arithmetic.quotient(energy, decimals, days, 0)
    unit = spelled_unit(rng, language, "kWh")
    slots = {
        "device": rng.choice(DEVICES[language]),
        "energy": units.said(rng, language, energy, decimals, "kWh", separator, 0.9),
        "days": units.said(rng, language, days, 0, "days", separator, 0),
        "unit": unit,
    }
    known = [
        AMOUNTS.fact(rng, language, "energy", (energy, decimals, "kWh")),
        AMOUNTS.fact(rng, language, "n_days", (days, 0, "days" if language == "en" else "jours")),
    ]
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, known)
    facts = {"kind": kind, "energy": text(energy, decimals), "days": str(days)}
    answer = amount_answer(stated, value, made, unit, "kWh")
    return _built(rng, language, held_out, "kWh per day", stated, lines, answer, separator, facts)


def _daily(rng, language, held_out, kind):
    """What a device, or several of one sort, use in a day, or over some days, or what that costs."""
    separator = telemetry.separator(rng, language)
    power, hours = draw_power(rng), rng.choice([1, 2, 3, 4, 5, 6, 8, 10, 12, 24, rng.randint(2, 23)])
    time, count, days = (hours, 0, "h"), 1, rng.choice([5, 7, 7, 30, 30, 10, 3, 4, 14, 20, 6, 2, 31, 365])
    if kind == "dailycost" and rng.random() < 0.3:
        days = 1
    per = _per(rng, language, days) if days > 1 else rng.choice(SPANS[language][1].split("|"))
    if kind == "daily" and power[2] == "W" and rng.random() < 0.6:
        time = _minutes(rng, power[0])
    elif kind != "fleet" and rng.random() < 0.2:
        time = long_time(rng)
    small = power[2] == "W" and (time[2] == "min" or (time[2] == "h" and power[0] * time[0] < 2000))
    wanted = "Wh" if kind in ("daily", "fleet") and rng.random() < (0.6 if small else 0.15) else "kWh"
    lines, value, decimals = energy_used(power, time, wanted)
    if kind == "fleet":
        count = rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 20, 15, 30, 40])
        power = (rng.choice([5, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 100, 150, 200, 500]), 0, "W")
        lines, watts, watts_decimals = arithmetic.times(power[0], 0, count, 0)
        more, value, decimals = energy_used((watts, watts_decimals, "W"), time, wanted)
        lines += more
    unit = spelled_unit(rng, language, wanted)
    facts = {"kind": kind, "power": text(*power[:2]), "time": text(*time[:2]), "watts": power[2] == "W"}
    facts |= {"minutes": time[2] in ("min", LONG), "wanted": wanted, "count": str(count)}
    slots = {
        "device": rng.choice(DEVICES[language]),
        "many": f"{count} {rng.choice(MANY[language])}",
        "power": units.said(rng, language, *power, separator, 0.85),
        "time": said_time(rng, language, time, separator),
        "per": per,
        "days": units.said(rng, language, days, 0, "days", separator, 0),
        "unit": unit,
    }
    given, ask, extra = "fleet_given" if kind == "fleet" else "daily_given", "daily_ask", ""
    label = {"daily": "", "fleet": "many "}.get(kind, "") + wanted
    known = [AMOUNTS.fact(rng, language, "power", power), _time_fact(rng, language, time, "day_time")]
    if kind in ("dailydays", "dailycost"):
        if days > 1:
            more, value, decimals = arithmetic.times(value, decimals, days, 0)
            lines = [*lines, *more]
        ask, label = "per_ask" if per else "days_ask", "kWh days"
        facts["days"] = str(days)
    if kind == "dailycost":
        price = _euros(rng, separator) if rng.random() < 0.35 else draw_price(rng, language, separator, 0.1)
        known = [*known, _price_fact(rng, language, price)] if _euro_price(price) else []
        lines, value, decimals = priced(lines, value, decimals, price)
        lines, amount = as_money(price, value, decimals, lines)
        slots |= {"price": price.text, "money": currency(language, price)}
        facts["price"] = text(price.value, price.decimals)
        ask, extra = "per_cost_ask" if per else "days_cost_ask", "price_given"
        label = "bill days" if days > 1 else "bill"
    if sum(map(len, lines)) > (140 if extra else 100) or decimals > 4:
        return _daily(rng, language, held_out, kind)
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, () if kind == "fleet" else known,
        ask=ask, given=given, extra=extra, asked=lambda said: wanted == "kWh" or "unit" in said.slots,
    )  # fmt: skip
    answer = cost_answer(language, price, amount) if extra else amount_answer(stated, value, decimals, unit, wanted)
    return _built(rng, language, held_out, label, stated, lines, answer, separator, facts)


def _dayscost(rng, language, held_out, kind):
    """What a daily consumption costs over some days."""
    separator = telemetry.separator(rng, language)
    energy, decimals = arithmetic.trimmed(rng.randint(2, 240), 1)
    days = rng.choice([7, 7, 30, 30, 10, 5, 20, 31, rng.randint(2, 15)])
    price = _euros(rng, separator) if rng.random() < 0.35 else draw_price(rng, language, separator, 0.1)
    per = _per(rng, language, days)
    lines, value, made = arithmetic.times(energy, decimals, days, 0)
    lines, value, made = priced(lines, value, made, price)
    lines, amount = as_money(price, value, made, lines)
    slots = {
        "device": rng.choice(DEVICES[language]),
        "energy": units.said(rng, language, energy, decimals, "kWh", separator, 0.9),
        "days": units.said(rng, language, days, 0, "days", separator, 0),
        "price": price.text,
        "money": currency(language, price),
        "per": per,
    }
    if sum(map(len, lines)) > 190:
        return _dayscost(rng, language, held_out, kind)
    known = []
    if _euro_price(price):
        known = [AMOUNTS.fact(rng, language, "per_day", (energy, decimals, "kWh")), _price_fact(rng, language, price)]
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known,
        ask="per_cost_ask" if per else "days_cost_ask", given="days_given", extra="price_given",
    )  # fmt: skip
    facts = {"kind": kind, "energy": text(energy, decimals), "days": str(days)}
    facts["price"] = text(price.value, price.decimals)
    answer = cost_answer(language, price, amount)
    return _built(rng, language, held_out, "days cost", stated, lines, answer, separator, facts)


def _swap(rng, language, held_out, kind):
    """What is saved in a day when several devices are replaced by as many thriftier ones."""
    separator = telemetry.separator(rng, language)
    count = rng.choice([4, 5, 6, 8, 10, 10, 12, 20, 25, 30, 40, 3])
    hours = rng.choice([2, 3, 4, 5, 6, 8, 8, 10, 12, 24])
    new = rng.choice([4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 25, 30, 40])
    old = rng.choice([n for n in (20, 25, 35, 36, 40, 50, 58, 60, 75, 80, 100, 120, 150) if n > new])
    wanted = "Wh" if rng.random() < 0.4 else "kWh"
    line, saved = arithmetic.subtraction(old, new, 0)
    more, watts, made = arithmetic.times(saved, 0, count, 0)
    steps, value, made = arithmetic.times(watts, made, hours, 0)
    lines = [line, *more, *steps]
    if wanted == "kWh":
        line, value, made = arithmetic.shifted(value, made, -3)
        lines.append(line)
    before, after = rng.choice(SWAPS[language])
    unit = spelled_unit(rng, language, wanted)
    slots = {
        "many": f"{count} {before}",
        "fresh": f"{count} {after}",
        "old": units.said(rng, language, old, 0, "W", separator, 0.9),
        "new": units.said(rng, language, new, 0, "W", separator, 0.9),
        "time": units.said(rng, language, hours, 0, "h", separator, 0.4),
        "unit": unit,
    }
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator,
        asked=lambda said: wanted == "kWh" or "unit" in said.slots,
    )  # fmt: skip
    facts = {"kind": kind, "old": str(old), "new": str(new), "count": str(count), "time": str(hours), "wanted": wanted}
    answer = amount_answer(stated, value, made, unit, wanted)
    return _built(rng, language, held_out, kind, stated, lines, answer, separator, facts)


def _replace(rng, language, held_out, kind):
    """What is saved in a day, a week or a month when a device is replaced by a thriftier one."""
    separator = telemetry.separator(rng, language)
    new = rng.choice([4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 40, 60, 80, 100, 120, 150, 200, 300])
    less = (20, 30, 45, 50, 51, 60, 66, 75, 80, 90, 100, 150, 200, 250, 300)
    old = new + rng.choice([n for n in less if n > new / 3])
    hours, days = rng.choice([2, 3, 4, 5, 6, 8, 8, 10, 12, 24]), rng.choice([1, 1, 7, 7, 30])
    wanted = "Wh" if days == 1 and rng.random() < 0.4 else "kWh"
    line, saved = arithmetic.subtraction(old, new, 0)
    more, value, made = arithmetic.times(saved, 0, hours, 0)
    lines = [line, *more]
    if wanted == "kWh":
        line, value, made = arithmetic.shifted(value, made, -3)
        lines.append(line)
    if days > 1:
        more, value, made = arithmetic.times(value, made, days, 0)
        lines += more
    unit = spelled_unit(rng, language, wanted)
    slots = {
        "device": rng.choice(DEVICES[language]),
        "old": units.said(rng, language, old, 0, "W", separator, 0.9),
        "new": units.said(rng, language, new, 0, "W", separator, 0.9),
        "time": units.said(rng, language, hours, 0, "h", separator, 0.4),
        "unit": unit,
        "per": rng.choice(SPANS[language][days].split("|")),
    }
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, ask="saved_ask",
        asked=lambda said: wanted == "kWh" or "unit" in said.slots,
    )  # fmt: skip
    facts = {"kind": kind, "old": str(old), "new": str(new), "time": str(hours), "wanted": wanted, "days": str(days)}
    answer = amount_answer(stated, value, made, unit, wanted)
    label = "swap" if days == 1 else "swap days"
    return _built(rng, language, held_out, label, stated, lines, answer, separator, facts)


FUEL_METERS = {
    "en": words.nouns("en", "water meter|water meter|gas meter|gas meter|garden meter|hot water meter"),
    "fr": words.nouns(
        "fr",
        """m compteur d'eau|m compteur d'eau|m compteur de gaz|m compteur gaz|m compteur du jardin
            m compteur d'eau chaude""",
    ),
}


def _supply(rng, language, held_out, kind):
    """What a water or gas meter has counted, perhaps with its cost."""
    separator = telemetry.separator(rng, language)
    decimals = rng.choice([0, 0, 1, 2, 3])
    scale = 10**decimals
    used = rng.randint(2, 90) * scale if rng.random() < 0.6 else rng.randint(2, 60) * scale + rng.randrange(scale)
    before = rng.randint(20, rng.choice([900, 9000])) * scale + rng.randrange(scale)
    after = before + used
    line, _ = arithmetic.subtraction(after, before, decimals)
    spelled = rng.choice(["m³", "m³", "m3", "m3", "cubic metres" if language == "en" else "mètres cubes"])
    unit = Noun(spelled, language, "" if len(spelled) < 4 else "m", True)
    slots = {"meter": rng.choice(FUEL_METERS[language]), "unit": unit}
    bare = rng.choice(["before", "after", "", "", ""])
    for name, value in (("before", before), ("after", after)):
        number = telemetry.written(text(value, decimals), separator)
        slots[name] = number if name == bare else f"{number} {spelled}"
    known = [
        AMOUNTS.fact(rng, language, "index", (before, decimals, "m³")),
        AMOUNTS.fact(rng, language, "index_now", (after, decimals, "m³")),
    ]
    facts = {"kind": kind, "before": text(before, decimals), "after": text(after, decimals)}
    volume, made = arithmetic.trimmed(used, decimals)
    if kind == "supply":
        lines, _, _ = arithmetic.finish([line], used, decimals)
        stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, known)
        answer = amount_answer(stated, volume, made, unit, "m³")
        return _built(rng, language, held_out, "meter", stated, lines, answer, separator, facts)
    price = draw_price(rng, language, separator, 0.1, rng.choice(["m³", "m³", "m3"]))
    lines, value, value_decimals = priced([line], volume, made, price)
    lines, amount = as_money(price, value, value_decimals, lines)
    if sum(map(len, lines)) > 160:
        return _supply(rng, language, held_out, kind)
    slots |= {"price": price.text, "money": currency(language, price)}
    facts["price"] = text(price.value, price.decimals)
    known = [*known, _price_fact(rng, language, price, "supply_price")] if _euro_price(price) else []
    ask = "cost_ask" if kind == "supplycost" else _both_asked(rng, "supply_ask", both="cost_ask")
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known,
        ask=ask, given="supply_given", extra="supply_price",
    )  # fmt: skip
    if kind == "supplysum":
        answer = _together(language, volume=Amount(volume, made, "m³"), cost=_sum_named(language, price, amount))
        return _built(rng, language, held_out, "meter + cost", stated, lines, answer, separator, facts)
    return _built(
        rng, language, held_out, "meter cost", stated, lines, cost_answer(language, price, amount), separator, facts
    )


def _tariffs(rng, language, held_out, kind):
    """What is used at two tariffs, and what it costs together."""
    separator = telemetry.separator(rng, language)
    price = _euros(rng, separator) if rng.random() < 0.5 else draw_price(rng, language, separator)
    while price.minor:
        price = draw_price(rng, language, separator)
    most = price.value // 10 ** (price.decimals - 2)
    low_price, low_decimals = rng.choice([n for n in (8, 10, 12, 14, 15, 16, 18, 20, 22) if n < most]), 2
    if price.decimals > 2 or rng.random() < 0.15:
        low_price, low_decimals = _fine(rng, low_price, 2)
    number = telemetry.written(text(low_price, low_decimals), separator)
    cheap = dataclasses.replace(
        price, value=low_price, decimals=low_decimals, text=price.shape.format(n=number)
    )
    parts, lines, sums = [], [], []
    for each in (price, cheap):
        energy = rng.choice([(rng.randint(2, 60), 0), (units.easy(rng, 3, 300), 0), (rng.randint(15, 300), 1)])
        energy = arithmetic.trimmed(*energy)
        more, value, made = arithmetic.times(*energy, each.value, each.decimals)
        parts.append(energy)
        lines += more
        sums.append((value, made))
    first, second, made = arithmetic.aligned(*sums[0], *sums[1])
    line, value = arithmetic.addition(first, second, made)
    lines, amount = as_money(price, value, made, [*lines, line])
    if sum(map(len, lines)) > 210:
        return _tariffs(rng, language, held_out, kind)
    slots = {"dear": price.text, "cheap": cheap.text, "money": currency(language, price)}
    for name, energy in zip(("high", "low"), parts):
        slots[name] = units.said(rng, language, *energy, "kWh", separator, 0.95)
    known = []
    if _euro_price(price):
        known = [AMOUNTS.fact(rng, language, name, (*energy, "kWh")) for name, energy in zip(("high", "low"), parts)]
        known += [_price_fact(rng, language, price, "dear"), _price_fact(rng, language, cheap, "cheap")]
    stated = statement.state(rng, WORDING, language, held_out, kind, slots, separator, known, ask="cost_ask")
    facts = {"kind": kind, "parts": [text(*energy) for energy in parts]}
    facts["prices"] = [text(each.value, each.decimals) for each in (price, cheap)]
    return _built(
        rng, language, held_out, "tariffs", stated, lines, cost_answer(language, price, amount), separator, facts
    )


def _volts(rng, language, held_out, kind):
    """The power of a voltage and a current, or the current of a power at a voltage."""
    separator = telemetry.separator(rng, language)
    if kind == "volts":
        volts = rng.choice([230, 230, 230, 12, 12, 24, 24, 48, 110, 120, 5, 36])
        amps = arithmetic.trimmed(rng.randint(2, 160) * rng.choice([1, 1, 5]), 1)
        lines, value, made = arithmetic.times(volts, 0, *amps)
        facts = {"kind": kind, "volts": str(volts), "amps": text(*amps)}
        wanted = "W"
    else:
        volts = rng.choice([230, 230, 12, 12, 24, 24, 48, 120, 20, 40])
        amps = rng.choice([(rng.randint(2, 20), 0), arithmetic.trimmed(rng.randint(3, 99), 1)])
        watts = Fraction(volts * amps[0], 10 ** amps[1])
        if watts.denominator > 1:
            return _volts(rng, language, held_out, kind)
        power = (int(watts), 0)
        lines, value, made, _ = arithmetic.quotient(power[0], 0, volts, 0)
        facts = {"kind": kind, "volts": str(volts), "power": str(power[0])}
        wanted = "A"
    unit = spelled_unit(rng, language, wanted)
    slots = {
        "device": rng.choice(DEVICES[language]),
        "volts": units.said(rng, language, volts, 0, "V", separator, 0.9),
        "unit": unit,
    }
    known = [AMOUNTS.fact(rng, language, "volts", (volts, 0, "V"))]
    if kind == "volts":
        slots["amps"] = units.said(rng, language, *amps, "A", separator, 0.9)
        known.append(AMOUNTS.fact(rng, language, "amps", (*amps, "A")))
    else:
        slots["power"] = units.said(rng, language, *power, "W", separator, 0.9)
        known.append(AMOUNTS.fact(rng, language, "power", (*power, "W")))
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known, ask=f"{kind}_ask", given=f"{kind}_given",
        avoid=("voltage",),
    )  # fmt: skip
    answer = amount_answer(stated, value, made, unit, wanted)
    return _built(rng, language, held_out, kind, stated, lines, answer, separator, facts)


PRODUCED_OR_USED = {"en": ("production", "consumption"), "fr": ("production", "consommation")}


def _balance(rng, language, held_out, kind):
    """Production and consumption: their balance, by how much one exceeds the other, whether there is a surplus."""
    separator = telemetry.separator(rng, language)
    decimals = rng.choice([0, 1, 1, 1, 2])
    made, used = rng.sample(range(10**decimals, rng.choice([12, 30, 90]) * 10**decimals), 2)
    if (kind == "excess" and made < used) or (kind == "deficit" and made > used):
        made, used = used, made
    unit = spelled_unit(rng, language, "kWh")
    slots = {"unit": unit}
    for name, value in (("made", made), ("used", used)):
        slots[name] = units.said(rng, language, value, decimals, "kWh", separator, 0.95)
    known = [
        AMOUNTS.fact(rng, language, "made", (*arithmetic.trimmed(made, decimals), "kWh")),
        AMOUNTS.fact(rng, language, "used", (*arithmetic.trimmed(used, decimals), "kWh")),
    ]
    ask = {"balanceboth": "balance_both_ask"}.get(kind, f"{kind}_ask")
    stated = statement.state(
        rng, WORDING, language, held_out, kind, slots, separator, known, ask=ask, given="balance_given"
    )
    facts = {"kind": kind, "made": text(made, decimals), "used": text(used, decimals)}
    compared, positive = arithmetic.comparison(made, decimals, ">", used, decimals)
    if kind == "surplus":
        answer = Answer(f"{words.YES_NO[language][0 if positive else 1]}.", {"truth": positive})
        return _built(rng, language, held_out, "surplus", stated, [compared], answer, separator, facts)
    if kind == "greater":
        name = PRODUCED_OR_USED[language][0 if positive else 1]
        line, gap = arithmetic.subtraction(max(made, used), min(made, used), decimals)
        lines, value, left = arithmetic.finish([compared, f"={name}", line], gap, decimals)
        answer = _together(language, which=name, by=Amount(value, left, "kWh"))
        facts["names"] = list(PRODUCED_OR_USED[language])
        return _built(rng, language, held_out, "greater + gap", stated, lines, answer, separator, facts)
    if kind == "deficit":
        line, value = arithmetic.subtraction(used, made, decimals)
    elif kind == "excess":
        line, value = arithmetic.subtraction(made, used, decimals)
    else:
        line, value = arithmetic.change(made, used, decimals)
    lines, value, left = arithmetic.finish([line], value, decimals)
    if kind == "balanceboth":
        answer = _together(language, balance=Amount(value, left, "kWh"), surplus=positive)
        return _built(
            rng, language, held_out, "balance + surplus", stated, [*lines, compared], answer, separator, facts
        )
    answer = amount_answer(stated, value, left, unit, "kWh")
    return _built(rng, language, held_out, kind, stated, lines, answer, separator, facts)


def _tell_devices(rng, language, names, powers, hours, unit="W"):
    """Devices with their power and daily hours, as sentences, lines, a table or JSON. Powers are numbers as text, in
    `unit`."""
    layout = rng.choice(["sentence", "sentence", "list", "lines", "lines", "table", "json", "json", "pairs"])
    separator = "." if layout == "json" else telemetry.separator(rng, language)
    rows = [(n, telemetry.written(str(p), separator), h) for n, p, h in zip(names, powers, hours)]
    stands = separator if any(separator in p for _, p, _ in rows) else ""
    english = language == "en"
    a_day = rng.choice(["h a day", "h a day", "h per day", "h/day", "hours a day"] if english
                       else ["h par jour", "h par jour", "h/jour", "h/j", "heures par jour"])
    if 1 in hours and a_day.startswith(("hours", "heures")):
        a_day = "h a day" if english else "h par jour"
    if layout == "sentence":
        if english:
            verb = rng.choice(["runs", "runs for", "is on for", "works"])
            parts = [f"the {n} ({p} {unit}) {verb} {h} {a_day}" for n, p, h in rows]
        else:
            verb = rng.choice(["tourne", "marche", "fonctionne"])
            parts = [f"{n.the} ({p} {unit}) {verb} {h} {a_day}" for n, p, h in rows]
        body = telemetry.joined(parts, language) + "."
        return telemetry.Told(body[0].upper() + body[1:], layout, names, False, stands)
    if layout == "list":
        parts = [f"{n} {p} {unit}, {h} {a_day}" for n, p, h in rows]
        return telemetry.Told("; ".join(parts) + ".", layout, names, False, stands)
    if layout == "lines":
        bullet, after = rng.choice(["", "- "]), rng.choice([":", ""])
        glue = rng.choice([", ", ", ", " x ", " · ", " / "])
        body = "\n".join(f"{bullet}{n}{after} {p} {unit}{glue}{h} {a_day}" for n, p, h in rows)
        return telemetry.Told(body, layout, names, True, stands)
    if layout == "pairs":
        body = "\n".join(f"{n.text.replace(' ', '_')} {unit.lower()}={p} h={h}" for n, p, h in rows)
        return telemetry.Told(
            body, layout, [n.text.replace(" ", "_") for n in names], True, stands
        )
    name, power, daily = rng.choice(
        [("device", "power_w", "hours_per_day"), ("name", "watts", "h_day"), ("appliance", "w", "hours_a_day")]
        if english
        else [("appareil", "puissance_w", "heures_par_jour"), ("nom", "watts", "h_jour"), ("nom", "w", "h_par_jour")]
    )
    if unit == "kW":
        power = {"watts": "kilowatts", "w": "kw"}.get(power, power.replace("_w", "_kw"))
    if layout == "table":
        bar = rng.choice([" | ", ";", "\t"])
        table = [(name, power, daily), *rows]
        body = "\n".join(bar.join(map(str, row)) for row in table)
        return telemetry.Told(body, layout, names, True, stands)
    number = telemetry.Number
    data = [{name: str(n), power: number(p), daily: number(h)} for n, p, h in rows]
    return telemetry.Told(telemetry.encode(data), "json", names, True, stands)


def _tell_watts(rng, language, names, powers, hours, kilo):
    """Devices with their power in watts, or (`kilo`) in kilowatts, of which the powers are tenths."""
    if kilo:
        powers = [text(*arithmetic.trimmed(power, 1)) for power in powers]
    return _tell_devices(rng, language, names, powers, hours, "kW" if kilo else "W")


def _beside_price(rng, language, held_out, told):
    """Data with a price after it: the data, the wording that was used and the price, which is not in cents."""
    separator = told.separator or telemetry.DEFAULT_SEPARATOR[language]
    price = _euros(rng, separator) if rng.random() < 0.5 else draw_price(rng, language, separator)
    while price.minor:
        price = draw_price(rng, language, separator)
    said = WORDING.say(rng, language, "price_given", held_out, price=price.text)
    glue = "\n" if told.block else " "
    body = f"{told.text}{glue}{said.text[0].upper()}{said.text[1:]}"
    return dataclasses.replace(told, text=body, separator=separator), said, price


def _which(rng, language, held_out, kind):
    """Which of several devices needs most (or least) in a day; together with how much that is, or with its cost."""
    wish, together = kind, kind in ("topday", "topcost")
    kind = rng.choice(["most", "most", "least"]) if together else kind
    count = rng.choice([2, 3, 3, 3, 4])
    names = rng.sample(DEVICES[language], count)
    kilo = not together and rng.random() < 0.25
    while True:
        powers = [
            rng.randint(2, 60) if kilo
            else rng.choice([units.easy(rng, 20, 3000, 0.05), rng.choice([75, 120, 150, 250, 1200])])
            for _ in names
        ]  # fmt: skip
        hours = [rng.choice([1, 2, 3, 4, 5, 6, 8, 10, 24, 7, 9]) for _ in names]
        totals = [p * h for p, h in zip(powers, hours)]
        if len(set(totals)) == count and max(totals) < 60000:
            break
    told = _tell_watts(rng, language, names, powers, hours, kilo)
    spelled = [str(name) for name in told.names]
    question = WORDING.say(rng, language, kind, held_out)
    lines, found = [f"day {'max' if kind == 'most' else 'min'}"], 0
    for i, (name, power, hour) in enumerate(zip(spelled, powers, hours)):
        steps = "\n".join(arithmetic.times(power, int(kilo), hour, 0)[0])
        if i:
            compared, order = arithmetic.digits_compared(
                *arithmetic.trimmed(totals[i], int(kilo)), *arithmetic.trimmed(totals[found], int(kilo))
            )
            if (order > 0) == (kind == "most"):
                found = i
            steps += f" {compared}"
        lines.append(f"{i + 1}:{name} {steps} *{found + 1}")
    if sum(map(len, lines)) > 260:
        return _which(rng, language, held_out, wish)
    facts = {"kind": kind, "names": spelled, "powers": powers, "hours": hours, "together": together}
    phrasings = []
    if wish == "topcost":
        told, said, price = _beside_price(rng, language, held_out, told)
        line, value, made = arithmetic.shifted(totals[found], 0, -3)
        more, value, made = priced([line], value, made, price)
        more, amount = as_money(price, value, made, more)
        lines = [f"{lines[0]} + cost", *lines[1:], f"={totals[found]}", *more]
        if sum(map(len, lines)) > 215 or not amount.value:
            return _which(rng, language, held_out, wish)
        facts, phrasings = facts | {"price": text(price.value, price.decimals)}, [said]
        answer = _together(language, device=spelled[found], cost=_sum_named(language, price, amount))
    elif together:
        lines = [f"{lines[0]} + Wh", *lines[1:], f"={totals[found]}"]
        answer = _together(language, device=spelled[found], wh=Amount(totals[found], 0, "Wh"))
    else:
        answer = Answer("{name}", {"name": spelled[found]}, capital=False)
    return build(
        rng, FAMILY, language, held_out, question, lines, answer, told, exact=True, facts=facts, phrasings=phrasings
    )


def _total(rng, language, held_out, kind):
    """What several devices need in a day, or what that costs."""
    count, costs, kilo = rng.choice([2, 2, 3]), kind == "totalcost", rng.random() < 0.3
    names = rng.sample(DEVICES[language], count)
    powers = [rng.randint(2, 50) if kilo else units.easy(rng, 10, 2500, 0.05) for _ in names]
    hours = [rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 24]) for _ in names]
    told = _tell_watts(rng, language, names, powers, hours, kilo)
    totals, lines = [power * hour for power, hour in zip(powers, hours)], ["day sum cost" if costs else "day sum"]
    for i, (name, power, hour) in enumerate(zip(told.names, powers, hours)):
        lines.append(f"{i + 1}:{name} " + "\n".join(arithmetic.times(power, int(kilo), hour, 0)[0]))
    more, value = arithmetic.running_sum(totals, int(kilo))
    lines = [*lines, *more, f"={text(value, int(kilo))}"]
    wanted, (value, made) = "kWh" if kilo or costs else rng.choice(["Wh", "kWh"]), (value, int(kilo))
    if wanted == "kWh" and not kilo:
        line, value, made = arithmetic.shifted(value, 0, -3)
        lines.append(line)
    facts = {"kind": kind, "powers": powers, "hours": hours, "wanted": wanted, "kilo": kilo}
    if costs:
        return _total_cost(rng, language, held_out, lines, arithmetic.trimmed(value, made), told, facts)
    lines, value, made = arithmetic.finish(lines, value, made)
    if sum(map(len, lines)) > 260:
        return _total(rng, language, held_out, kind)
    named = spelled_unit(rng, language, wanted)
    question = WORDING.say(rng, language, "all_of_them", held_out, unit=named)
    answer = Answer("{value}", {"value": Amount(value, made, str(named))})
    return build(rng, FAMILY, language, held_out, question, lines, answer, told, exact=True, facts=facts)


def _total_cost(rng, language, held_out, lines, energy, told, facts):
    """The end of `_total` with a price: what `energy`, a value and its decimals, costs."""
    told, said, price = _beside_price(rng, language, held_out, told)
    lines, value, made = priced(lines, *energy, price)
    lines, amount = as_money(price, value, made, lines)
    if sum(map(len, lines)) > 215:
        return _total(rng, language, held_out, "totalcost")
    question = WORDING.say(rng, language, "total_cost_ask", held_out, money=currency(language, price))
    facts |= {"price": text(price.value, price.decimals)}
    return build(
        rng, FAMILY, language, held_out, question, lines, cost_answer(language, price, amount), told, exact=True,
        facts=facts, phrasings=[said],
    )  # fmt: skip


def _rounded(money):
    """A sum of money to two decimals, half up."""
    return Fraction(int(money * 100 + Fraction(1, 2)), 100)


def verify(problem):
    """The same from the facts, in fractions: joules and euros."""
    f = problem.facts
    kind = f["kind"]
    if kind in ("most", "least"):
        pick = max if kind == "most" else min
        power, hour, name = pick(zip(f["powers"], f["hours"], f["names"]), key=lambda row: row[0] * row[1])
        joules = power * 3600 * hour
        if "price" in f:
            return name, _rounded(Fraction(joules, 3600000) * Fraction(f["price"]))
        return (name, Fraction(joules, 3600)) if f["together"] else name
    if kind in ("total", "totalcost"):
        watts = [power * 100 if f["kilo"] else power for power in f["powers"]]
        joules = sum(power * hour * 3600 for power, hour in zip(watts, f["hours"]))
        energy = Fraction(joules, 3600 if f["wanted"] == "Wh" else 3600000)
        return _rounded(energy * Fraction(f["price"])) if kind == "totalcost" else energy
    if kind == "tariffs":
        return _rounded(sum(Fraction(energy) * Fraction(price) for energy, price in zip(f["parts"], f["prices"])))
    if kind in ("volts", "amps"):
        volts = Fraction(f["volts"])
        return volts * Fraction(f["amps"]) if kind == "volts" else Fraction(f["power"]) / volts
    numbers = "power time energy before after old new price days made used count".split()
    n = {key: Fraction(f[key]) for key in numbers if key in f}
    if "made" in n:
        found, surplus = n["made"] - n["used"], n["made"] > n["used"]
        return {
            "surplus": surplus, "deficit": -found, "balanceboth": (found, surplus),
            "greater": (f["names"][found < 0] if "names" in f else "", abs(found)),
        }.get(kind, found)  # fmt: skip
    if kind in ("swap", "replace"):
        n["power"] = n["old"] - n["new"]
    if kind in ("swap", "replace") or "watts" in f:
        joules = n["power"] * (1 if f.get("watts", True) else 1000) * n["time"] * n.get("count", 1)
        joules *= 60 if f.get("minutes") else 3600
        n["energy"] = joules / (3600 if f["wanted"] == "Wh" else 3600000)
    if kind in ("meter", "metercost", "metersum", "supply", "supplycost", "supplysum"):
        n["energy"] = n["after"] - n["before"]
    if kind in ("save", "savecost"):
        n["energy"] = n["old"] - n["new"]
    if kind in ("dailydays", "dailycost", "dayscost", "replace"):
        n["energy"] *= n["days"]
    if "price" in n:
        cost = _rounded(n["energy"] * n["price"])
        return (n["energy"], cost) if kind in ("usecost", "metersum", "supplysum") else cost
    exact = {
        "hours": lambda: n["energy"] / n["power"],
        "load": lambda: n["energy"] / n["time"],
        "days": lambda: n["energy"] * n["days"],
        "perday": lambda: n["energy"] / n["days"],
    }.get(kind, lambda: n["energy"])()
    places = 10 ** f.get("places", 9)
    return Fraction(int(exact * places + Fraction(1, 2)), places)
