"""How units are spelled in questions, and numbers that are easy to divide by.

A unit is named by its usual symbol (`L/min`); `spell` draws another spelling of it, `said` a number
with it.
"""

import arithmetic
import telemetry
from words import Noun

_MORE = {
    "°C": ("°C °C °C degrees_Celsius Celsius", "°C °C °C degrés_Celsius Celsius"),
    "°F": ("°F °F °F degrees_Fahrenheit Fahrenheit", "°F °F °F degrés_Fahrenheit Fahrenheit"),
    "L": ("L L l litres liters", "L L l litres litres"),
    "mL": ("mL ml millilitres", "mL ml millilitres"),
    "m³": ("m³ m³ m3 cubic_metres cubic_meters", "m³ m³ m3 mètres_cubes"),
    "W": ("W W watts", "W W watts"),
    "kW": ("kW kW kilowatts", "kW kW kilowatts"),
    "Wh": ("Wh Wh watt-hours", "Wh Wh wattheures"),
    "kWh": ("kWh kWh kWh kilowatt-hours", "kWh kWh kWh kilowattheures"),
    "MWh": ("MWh", "MWh"),
    "km/h": ("km/h km/h kph kilometres_per_hour", "km/h km/h kilomètres_par_heure"),
    "m/s": ("m/s m/s metres_per_second", "m/s m/s mètres_par_seconde"),
    "bar": ("bar bar bars", "bar bar bars"),
    "mbar": ("mbar millibars", "mbar millibars"),
    "kPa": ("kPa kPa kilopascals", "kPa kPa kilopascals"),
    "hPa": ("hPa hectopascals", "hPa hectopascals"),
    "Pa": ("Pa pascals", "Pa pascals"),
    "min": ("min min minutes minutes", "min min minutes minutes"),
    "h": ("h h hours hours", "h h heures heures"),
    "s": ("s s seconds seconds", "s s secondes secondes"),
    "days": ("days", "jours"),
    "weeks": ("weeks", "semaines"),
    "L/min": ("L/min L/min l/min litres_per_minute", "L/min L/min l/min litres_par_minute"),
    "L/h": ("L/h L/h l/h litres_per_hour", "L/h L/h l/h litres_par_heure"),
    "L/s": ("L/s l/s litres_per_second", "L/s l/s litres_par_seconde"),
    "m³/h": ("m³/h m³/h m3/h cubic_metres_per_hour", "m³/h m³/h m3/h mètres_cubes_par_heure"),
    "mA": ("mA mA milliamps", "mA mA milliampères"),
    "A": ("A A amps", "A A ampères"),
    "mAh": ("mAh", "mAh"),
    "Ah": ("Ah Ah amp-hours", "Ah Ah ampères-heures"),
    "mV": ("mV millivolts", "mV millivolts"),
    "V": ("V volts", "V volts"),
    "g": ("g grams", "g grammes"),
    "kg": ("kg kg kilograms kilos", "kg kg kilogrammes kilos"),
    "t": ("tonnes", "tonnes"),
    "mm": ("mm millimetres", "mm millimètres"),
    "cm": ("cm cm centimetres", "cm cm centimètres"),
    "m": ("m metres meters", "m mètres"),
    "km": ("km kilometres", "km kilomètres"),
    "in": ("in inches", "in pouces"),
    "mph": ("mph", "mph"),
    "kn": ("kn knots", "kn nœuds"),
    "psi": ("psi", "psi"),
    "hL": ("hL hL hectolitres", "hL hL hectolitres"),
    "m²": ("m² m² m2 square_metres", "m² m² m2 mètres_carrés"),
    "ha": ("ha ha hectares", "ha ha hectares"),
    "MJ": ("MJ MJ megajoules", "MJ MJ mégajoules"),
    "%": ("% % % percent", "% % % pour_cent"),
}
SPELLINGS = {
    unit: {language: list.split() for language, list in zip(("en", "fr"), both)}
    for unit, both in _MORE.items()
}
SPELLINGS = {
    unit: {language: [s.replace("_", " ") for s in found] for language, found in both.items()}
    for unit, both in SPELLINGS.items()
}


def spell(rng, language, unit, symbol=0.35):
    """A spelling of the unit; with a chance of `symbol` certainly the usual symbol."""
    if unit not in SPELLINGS or (rng.random() < symbol and unit not in ("days", "weeks", "t")):
        return unit
    return rng.choice(SPELLINGS[unit][language])


def noun(rng, language, unit, symbol):
    """A spelling of the unit, as `spell` draws it, as a noun; a symbol is never elided in French."""
    spelled = spell(rng, language, unit, symbol)
    return Noun(spelled, language, "" if len(spelled) < 4 or "/" in spelled else "m", True)


def word(unit, language):
    """The unit written out, or its symbol where there is no word."""
    return SPELLINGS[unit][language][-1] if unit in SPELLINGS else unit


def said(rng, language, value, decimals, unit, separator, symbol=0.6):
    """A number and its unit as prose states them: `300 L`, `300L`, `300 litres`."""
    number = telemetry.written(arithmetic.text(value, decimals), separator)
    if value >= 1000 * 10**decimals and rng.random() < 0.15:
        number = telemetry.grouped(number, "," if language == "en" and separator == "." else " ")
    spelled = spell(rng, language, unit, symbol)
    if spelled in ("minutes", "hours", "seconds", "days", "weeks", "litres", "heures") or (
        spelled in ("secondes", "jours", "semaines")
    ):
        spelled = spelled[:-1] if value == 10**decimals else spelled
    long = " " in spelled or len(spelled) > 5
    space = "" if not long and rng.random() < 0.12 else " "
    return f"{number}{space}{spelled}"


DIVISORS = (12, 15, 25, 24, 18, 36, 35, 45)


def easy(rng, low, high, hard=0.12):
    """A whole number between `low` and `high` that is easy to divide by: mostly one digit and
    zeros; a share of `hard` is any number of two digits and zeros."""
    chance = rng.random()
    if chance < hard:
        value = rng.randint(low, high)
        zeros = max(0, len(str(value)) - 2)
        return max(low, value // 10**zeros * 10**zeros)
    if chance < hard + 0.2:
        found = [n * p for n in DIVISORS for p in (1, 10, 100) if low <= n * p <= high]
    else:
        found = [n * p for n in range(1, 10) for p in (1, 10, 100, 1000) if low <= n * p <= high]
    return rng.choice(found) if found else max(low, high // 10 * 10)
