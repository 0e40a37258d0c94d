"""The clock: a time plus or minus durations, the time between two, daily windows over midnight,
schedules, weekdays, and the ways to write a time.

Times are minutes of a day in here. A question keeps to one way of writing them (`22:45`, `10:45
pm`, `22h45`) and is answered in the same; JSON always has `22:45`. Thoughts only know `22:45`.
"""

import dataclasses
import datetime
import functools
import re
from fractions import Fraction

import arithmetic
import telemetry
import telling
import wording
import words
from arithmetic import DAY
from assemble import Amount, Answer, build

WEIGHT = 12
FAMILY = "clock"
THING = {"thing": words.Noun}
WINDOW = {"window": words.Noun, "start": str, "end": str}
WORDING = wording.load(
    FAMILY,
    {
        "add": THING | {"time": str, "dur": str},
        "add_two": THING | {"time": str, "dur": str, "dur_two": str},
        "sub": THING | {"time": str, "dur": str},
        "between": THING | {"start": str, "end": str},
        "between_minutes": THING | {"start": str, "end": str},
        "window": WINDOW,
        "inside": {"window": words.Noun, "time": str},
        "two_windows": WINDOW | {"start_two": str, "end_two": str},
        "forbidden": THING | {"start": str, "end": str},
        "may": THING | {"time": str},
        "list": THING | {"times": str},
        "every": THING | {"step": str, "start": str},
        "next": THING | {"time": str},
        "previous": THING | {"time": str},
        "wait": THING | {"time": str},
        "days": THING | {"days": str, "start": str},
        "week_next": THING | {"day": str, "time": str},
        "week_on": THING | {"day": str},
        "weekday": THING | {"day": str, "n": str},
        "runs": THING | {"runs": str},
        "total": THING,
        "to_24": {"time": str},
        "to_12": {"time": str},
        "split": THING | {"n": str},
        "slip": THING | {"time": str, "late": str},
        "slip_end": THING | {"time": str, "late": str, "dur": str},
        "ends": THING | {"time": str, "wait": str, "dur": str},
        "left": THING | {"time": str, "end": str},
        "on_time": THING | {"time": str, "dur": str, "limit": str},
        "stay_off": THING | {"start": str, "end": str},
        "must_off": THING | {"time": str},
        "which_now": {"sort": words.Noun, "time": str},
        "sub_two": THING | {"time": str, "dur": str, "dur_two": str},
        "ran": THING | {"state": str},
        "ran_minutes": THING | {"state": str},
        "window_left": {"window": words.Noun, "time": str},
        "window_opens": {"window": words.Noun, "time": str},
        "late": THING | {"start": str, "end": str},
        "zone_add": {"time": str, "n": str, "hours": str},
        "zone_sub": {"time": str, "n": str, "hours": str},
        "open_at": THING | {"state": str, "day": str, "time": str},
    },
)


# Ways to write times and durations ------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Style:
    """How the times of a question are written. `kind` is `colon`, `half` (am and pm) or `h`."""

    language: str
    kind: str
    variant: int

    def write(self, minutes):
        """As the question has it."""
        hour, minute = divmod(minutes % DAY, 60)
        if self.kind == "colon":
            return f"{hour}:{minute:02d}" if self.variant == 2 else f"{hour:02d}:{minute:02d}"
        if self.kind == "h":
            glue = " " if self.variant == 2 else ""
            if not minute and self.variant not in (3, 4):
                return f"{hour}{glue}h"
            padded = f"{hour:02d}" if self.variant in (1, 4) else str(hour)
            return f"{padded}{glue}h{glue}{minute:02d}"
        mark = ["am pm", "AM PM", "am pm", "a.m. p.m."][self.variant].split()[hour >= 12]
        number = f"{hour % 12 or 12}" + (f":{minute:02d}" if minute or self.variant == 3 else "")
        return f"{number}{'' if self.variant == 2 else ' '}{mark}"

    def answer(self, minutes):
        """As the answer has it, whatever the spelling's variant."""
        hour, minute = divmod(minutes % DAY, 60)
        if self.kind == "h":
            return f"{hour}h{minute:02d}"
        if self.kind == "half":
            return arithmetic.half_day(minutes)
        return arithmetic.clock(minutes)

    def fetch(self, *times):
        """What a thought writes before it can reckon: times of half days turned into hours of the
        day."""
        if self.kind != "half":
            return []
        times = dict.fromkeys(time % DAY for time in times)
        return [f"{arithmetic.half_day(time)}={arithmetic.clock(time)}" for time in times]

    def back(self, minutes):
        """The result turned into the question's way where that takes a step."""
        if self.kind != "half":
            return []
        return [f"{arithmetic.clock(minutes)}={arithmetic.half_day(minutes)}"]

    def time(self, minutes):
        return Answer(self.answer(minutes), {"time": arithmetic.clock(minutes)}, capital=False)


def draw_style(rng, language):
    if language == "en":
        kind = rng.choices(["colon", "half"], [7, 3])[0]
    else:
        kind = rng.choices(["colon", "h"], [5, 6])[0]
    return Style(language, kind, rng.randrange(5 if kind == "h" else 4))


def draw_time(rng, low=0, high=DAY - 1):
    """A time, mostly on five minutes or a quarter of an hour."""
    step = rng.choice([1, 1, 5, 5, 15, 30, 60])
    return rng.randint(-(-low // step), high // step) * step


SPECIAL = {
    "en": {
        15: ["a quarter of an hour"],
        30: ["half an hour", "0.5 h"],
        45: ["three quarters of an hour"],
        60: ["an hour", "one hour"],
        90: ["an hour and a half", "one and a half hours", "1.5 hours", "1.5 h"],
        120: ["two hours"],
        150: ["two and a half hours", "2.5 hours", "2.5 h"],
        180: ["three hours"],
        210: ["three and a half hours", "3.5 hours"],
        270: ["four and a half hours", "4.5 h"],
    },
    "fr": {
        15: ["un quart d'heure"],
        30: ["une demi-heure", "0,5 h"],
        45: ["trois quarts d'heure"],
        60: ["une heure"],
        75: ["une heure et quart"],
        90: ["une heure et demie", "1,5 h", "1h30"],
        120: ["deux heures"],
        150: ["deux heures et demie", "2,5 h"],
        180: ["trois heures"],
        210: ["trois heures et demie", "3,5 heures"],
        270: ["quatre heures et demie", "4,5 h"],
    },
}


def duration(rng, language, longest=600, whole=False):
    """A duration as a question says it, its minutes, and the steps that turn it into hours and
    minutes."""
    if rng.random() < 0.2:
        minutes = rng.choice([m for m in SPECIAL[language] if m <= longest])
        return rng.choice(SPECIAL[language][minutes]), minutes, []
    step = rng.choice([1, 5, 5, 10, 15]) if not whole else 60
    minutes = rng.randint(1, max(1, rng.choice([60, 240, longest]) // step)) * step
    minutes = max(2, min(longest, minutes))
    hours, rest = divmod(minutes, 60)
    if minutes < 60 or (rest and minutes < 400 and rng.random() < 0.3):
        text = f"{minutes} {rng.choice(['minutes', 'min', 'min'])}"
        return text, minutes, [arithmetic.hours_and_minutes(minutes)[0]] if minutes > 59 else []
    plural = "s" if hours > 1 else ""
    word = f"{hours} " + ("hour" if language == "en" else "heure") + plural
    if not rest:
        return rng.choice([word, word, f"{hours} h", f"{hours}h"]), minutes, []
    and_ = "and" if language == "en" else "et"
    options = [
        f"{word} {rest} minutes" if rest > 1 else f"{word} {rest} minute",
        f"{word} {and_} {rest} minutes" if rest > 1 else f"{word} {and_} {rest} minute",
        f"{hours} h {rest} min",
        f"{hours}h{rest:02d}",
        f"{hours} h {rest:02d}",
        f"{hours} h {rest} min",
    ]
    return rng.choice(options), minutes, []


def said_duration(minutes):
    """A duration as answers say it: `2 h 5 min`, `2 h`, `35 min`."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    if rest or not hours:
        parts.append(f"{rest} min")
    return " ".join(parts)


def lasting(minutes):
    text = said_duration(minutes)
    return Answer(text, {"duration": text}, capital=False)


# Making ------------------------------------------------------------


def make(rng, language, held_out):
    add, add_two, sub, sub_two = (
        functools.partial(_shift, section=section) for section in ("add", "add_two", "sub", "sub_two")
    )
    kinds = [add, add_two, sub, _between, _minutes, _inside, _may, _two_windows, _next, _week]
    kinds += [_weekday, _total, _format, _split, _programme, _slip, _ends, _left, _on_time, _stay_off]
    kinds += [_which, sub_two, _open, _window_time, _late, _zone]
    weights = [22, 6, 12, 18, 10, 22, 8, 4, 28, 13, 4, 10, 6, 3, 11, 7, 6, 4, 9, 6, 9, 7, 8, 6, 6, 5]
    kind = rng.choices(kinds, weights)[0]
    return kind(rng, language, held_out)


# Things of which there are several, told apart by a number that is no time: `kettle 2`, `la ligne 4`.
NUMBERED = {
    "en": """kettle|line|press|oven|pump|dryer|mixer|boiler|machine|bus|tram|ferry|autoclave|burner|wash programme|batch
        |zone|cycle|shuttle|fryer|kiln|tank|robot|turbine|lathe|tumbler""",
    "fr": """f cuve|f ligne|f presse|m four|f pompe|m séchoir|m mélangeur|f chaudière|f machine|m bus|m tram|m bac
        |m autoclave|m brûleur|m programme|m lot|f zone|m cycle|f navette|f friteuse|m poste|m robot|f turbine
        |m tour""",
}
NUMBERED = {language: words.nouns(language, re.sub(r"\s*\|\s*", "|", text)) for language, text in NUMBERED.items()}


def _thing(rng, language, held_out):
    """What runs; sometimes one of several, with its number."""
    if rng.random() < 0.14:
        thing = rng.choice(NUMBERED[language])
        number = rng.randint(1, rng.choice([4, 9, 24]))
        return words.Noun(f"{thing.text} {number}", language, "" if language == "en" else thing.gender)
    return rng.choice((words.RUNS_HELD_OUT if held_out else words.RUNS)[language])


# What comes round on days of the week.
WEEKLY = {
    "en": """glass collection|cardboard collection|waste collection|market|school bus|swimming lesson|staff meeting
        |post round|milk collection|library van|cleaning crew|choir practice|vet's visit|ferry|bread delivery
        |hay delivery
        |stock count|siren test|yoga class|linen change|data backup|meter reading|lawn sprinkler|guided tour""",
    "fr": """f collecte du verre|f collecte des cartons|f collecte des déchets|m marché|m car scolaire
        |m cours de natation
        |f réunion d'équipe|f tournée du facteur|f collecte du lait|m bibliobus|m ménage|f répétition de la chorale
        |f visite du vétérinaire|m bac|f livraison du pain|m inventaire|m essai de la sirène|m cours de yoga
        |m changement des draps|f sauvegarde|m relevé du compteur|m arrosage de la pelouse|f visite guidée""",
}
WEEKLY = {language: words.nouns(language, re.sub(r"\s*\|\s*", "|", text)) for language, text in WEEKLY.items()}


def _weekly(rng, language, held_out):
    """What a weekly plan is about."""
    return rng.choice(WEEKLY[language]) if rng.random() < 0.35 else _thing(rng, language, held_out)


def _told(text):
    """A statement as data: it stands before the question, or after it."""
    return telemetry.Told(stopped(text), "sentence", [], text.startswith("{"), "")


def stopped(text):
    """`6 a.m.` at the end of a sentence has one full stop."""
    return text.replace(".m..", ".m.")


def _build(rng, language, held_out, question, thought, answer, facts, told=None, phrasings=()):
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        dataclasses.replace(question, text=stopped(question.text)),
        thought,
        answer,
        told,
        facts=facts,
        phrasings=phrasings,
    )


def _shift(rng, language, held_out, section):
    """The time that is one or two durations after another (`add`, `add_two`), or before it (`sub`, `sub_two`)."""
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    time, on = draw_time(rng), section.startswith("add")
    most = [(300,), (200,)] if section.endswith("two") else [()]
    spans = [duration(rng, language, *limit) for limit in most]
    said = {slot: text for slot, (text, _, _) in zip(("dur", "dur_two"), spans)}
    question = WORDING.say(rng, language, section, held_out, thing=thing, time=style.write(time), **said)
    lines, at = [], time
    for _, minutes, steps in spans:
        line, at = (arithmetic.clock_addition if on else arithmetic.clock_subtraction)(at % DAY, minutes)
        lines += [*steps, line]
    thought = ["clock add" if on else "clock sub", *style.fetch(time), *lines, *style.back(at)]
    by = [minutes if on else -minutes for _, minutes, _ in spans]
    facts = {"kind": "shift", "style": style, "time": time, "by": by}
    return _build(rng, language, held_out, question, thought, style.time(at), facts)


def _zone(rng, language, held_out):
    """The time elsewhere, so many hours ahead or behind."""
    style, time, count = draw_style(rng, language), draw_time(rng), rng.choice([1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 11])
    word = {"en": "hour", "fr": "heure"}[language] + ("s" if count > 1 else "")
    hours, ahead = f"{count} {rng.choice([word, word, 'h'])}", rng.random() < 0.5
    question = WORDING.say(
        rng, language, "zone_add" if ahead else "zone_sub", held_out, time=style.write(time), n=str(count), hours=hours
    )
    step = arithmetic.clock_addition if ahead else arithmetic.clock_subtraction
    line, there = step(time, 60 * count)
    thought = ["clock add" if ahead else "clock sub", *style.fetch(time), line, *style.back(there)]
    facts = {"kind": "shift", "style": style, "time": time, "by": [60 * count if ahead else -60 * count]}
    return _build(rng, language, held_out, question, thought, style.time(there), facts)


def _late(rng, language, held_out):
    """How late something is that should have begun or come at a time."""
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    plan = draw_time(rng)
    came = (plan + rng.choice([rng.randint(3, 59), rng.randint(3, 59), rng.randint(60, 240)])) % DAY
    question = WORDING.say(
        rng, language, "late", held_out, thing=thing, start=style.write(plan), end=style.write(came)
    )
    line, minutes = arithmetic.clock_difference(came, plan)
    thought = ["clock span", *style.fetch(plan, came), line]
    facts = {"kind": "span", "spans": [(plan, came)]}
    return _build(rng, language, held_out, question, thought, lasting(minutes), facts)


def _two_times(rng, over=0.35):
    """A start and an end that differ, over midnight now and then."""
    while True:
        start, end = draw_time(rng), draw_time(rng)
        if start != end and (start > end) == (rng.random() < over):
            return start, end


def _between(rng, language, held_out):
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    start, end = _two_times(rng)
    question = WORDING.say(
        rng,
        language,
        "between",
        held_out,
        thing=thing,
        start=style.write(start),
        end=style.write(end),
    )
    line, minutes = arithmetic.clock_difference(end, start)
    thought = ["clock span", *style.fetch(start, end), line]
    facts = {"kind": "span", "spans": [(start, end)]}
    answer = lasting(minutes)
    if rng.random() < 0.12:
        answer = _parted(language, minutes, thought, facts)
    return _build(rng, language, held_out, question, thought, answer, facts)


PARTS = {
    "en": {"hours": ["hours", "h", "hrs", "n_hours", "hours_part", "duration_hours"],
           "minutes": ["minutes", "min", "mins", "n_minutes", "minutes_part", "duration_minutes"]},
    "fr": {"hours": ["heures", "h", "nb_heures", "nombre_heures", "duree_heures", "hh"],
           "minutes": ["minutes", "min", "nb_minutes", "nombre_minutes", "duree_minutes", "mm"]},
}  # fmt: skip


def _parted(language, minutes, thought, facts):
    """The answer that has hours and the minutes left over apart; thought and facts are changed accordingly."""
    hours, rest = divmod(minutes, 60)
    thought[0] += " h + min"
    thought += [f"={hours}", f"={rest}"]
    facts["apart"] = True
    return Answer("{hours}", {"hours": Amount(hours), "minutes": Amount(rest)}, PARTS[language], several=True)


def all_minutes(minutes):
    """The steps from hours and minutes to minutes alone."""
    hours, rest = divmod(minutes, 60)
    return [f"{hours}x60={hours * 60}", arithmetic.addition(hours * 60, rest, 0)[0]] if hours else []


def _minutes(rng, language, held_out):
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    start = draw_time(rng)
    end = (start + rng.randint(4, rng.choice([59, 300, 700]))) % DAY
    question = WORDING.say(
        rng,
        language,
        "between_minutes",
        held_out,
        thing=thing,
        start=style.write(start),
        end=style.write(end),
    )
    line, minutes = arithmetic.clock_difference(end, start)
    thought = ["clock span min", *style.fetch(start, end), line, *all_minutes(minutes)]
    unit = "minutes" if "minutes" in question.text else "min"
    answer = Answer("{value}", {"value": Amount(minutes, 0, unit)})
    facts = {"kind": "minutes", "spans": [(start, end)]}
    return _build(rng, language, held_out, question, thought, answer, facts)


# Windows ------------------------------------------------------------


def _yes_no(language, holds):
    said = words.YES_NO[language][0 if holds else 1]
    return Answer(f"{said}.", {"truth": holds})


def draw_window(rng):
    """A daily window, over midnight more often than not."""
    if rng.random() < 0.6:
        return draw_time(rng, 19 * 60, DAY - 1), draw_time(rng, 4 * 60, 9 * 60)
    start = draw_time(rng, 0, 18 * 60)
    return start, draw_time(rng, start + 61, min(DAY - 1, start + 720))


def time_near(rng, start, end):
    """A time to be asked for a window: anywhere, or close to one of its ends, but never its end."""
    while True:
        time = draw_time(rng)
        if rng.random() < 0.5:
            time = (rng.choice([start, end]) + rng.randint(-90, 90)) % DAY
        if time not in (start, end):
            return time


def _inside(rng, language, held_out):
    style = draw_style(rng, language)
    window = rng.choice((words.WINDOWS_HELD_OUT if held_out else words.WINDOWS)[language])
    start, end = draw_window(rng)
    time = time_near(rng, start, end)
    told = WORDING.say(
        rng,
        language,
        "window",
        held_out,
        window=window,
        start=style.write(start),
        end=style.write(end),
    )
    question = WORDING.say(
        rng, language, "inside", held_out, window=window, time=style.write(time)
    )
    lines, holds = arithmetic.clock_within(time, start, end)
    thought = ["clock in", *style.fetch(time, start, end), *lines]
    facts = {"kind": "inside", "time": time, "windows": [(start, end)], "wanted": True}
    return _build(
        rng,
        language,
        held_out,
        question,
        thought,
        _yes_no(language, holds),
        facts,
        _told(told.text),
        [told],
    )


def _may(rng, language, held_out):
    """Something must not run within a window: may it now?"""
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    start, end = draw_window(rng)
    time = time_near(rng, start, end)
    told = WORDING.say(
        rng,
        language,
        "forbidden",
        held_out,
        thing=thing,
        start=style.write(start),
        end=style.write(end),
    )
    question = WORDING.say(rng, language, "may", held_out, thing=thing, time=style.write(time))
    lines, holds = arithmetic.clock_within(time, start, end)
    thought = ["clock not in", *style.fetch(time, start, end), *lines]
    thought.append(f"in {'yes' if holds else 'no'} may {'no' if holds else 'yes'}")
    facts = {"kind": "inside", "time": time, "windows": [(start, end)], "wanted": False}
    return _build(
        rng,
        language,
        held_out,
        question,
        thought,
        _yes_no(language, not holds),
        facts,
        _told(told.text),
        [told],
    )


def _two_windows(rng, language, held_out):
    style = draw_style(rng, language)
    window = rng.choice((words.WINDOWS_HELD_OUT if held_out else words.WINDOWS)[language])
    start, end = draw_time(rng, 9 * 60, 13 * 60), draw_time(rng, 14 * 60, 17 * 60)
    start_two, end_two = draw_time(rng, 20 * 60, DAY - 1), draw_time(rng, 4 * 60, 8 * 60)
    chosen = rng.choice([(start, end), (start_two, end_two)])
    time = time_near(rng, *chosen)
    while time in (start, end, start_two, end_two):
        time = time_near(rng, *chosen)
    told = WORDING.say(
        rng,
        language,
        "two_windows",
        held_out,
        window=window,
        start=style.write(start),
        end=style.write(end),
        start_two=style.write(start_two),
        end_two=style.write(end_two),
    )
    question = WORDING.say(
        rng, language, "inside", held_out, window=window, time=style.write(time)
    )
    thought = ["clock in", *style.fetch(time, start, end, start_two, end_two)]
    lines, holds = arithmetic.clock_within(time, start, end)
    thought += [f"1 {lines[0]}", *lines[1:]]
    if not holds:
        lines, holds = arithmetic.clock_within(time, start_two, end_two)
        thought += [f"2 {lines[0]}", *lines[1:]]
    facts = {
        "kind": "inside",
        "time": time,
        "windows": [(start, end), (start_two, end_two)],
        "wanted": True,
    }
    return _build(
        rng,
        language,
        held_out,
        question,
        thought,
        _yes_no(language, holds),
        facts,
        _told(told.text),
        [told],
    )


def _window_time(rng, language, held_out):
    """How much of a window is left, or how long it is until it begins."""
    style = draw_style(rng, language)
    window = rng.choice((words.WINDOWS_HELD_OUT if held_out else words.WINDOWS)[language])
    start, end = draw_window(rng)
    time = time_near(rng, start, end)
    told = WORDING.say(
        rng, language, "window", held_out, window=window, start=style.write(start), end=style.write(end)
    )
    inside = in_window(time, start, end)
    until = end if inside else start
    section = "window_left" if inside else "window_opens"
    question = WORDING.say(rng, language, section, held_out, window=window, time=style.write(time))
    line, minutes = arithmetic.clock_difference(until, time)
    thought = ["clock span", *style.fetch(time, until), line]
    facts = {"kind": "span", "spans": [(time, until)]}
    return _build(
        rng, language, held_out, question, thought, lasting(minutes), facts, _told(told.text), [told]
    )  # fmt: skip


# Parts of a day by turns: what they are, then their names, in the order of the day.
TURNS = {
    "en": """shift: early, late, night|shift: early shift, late shift, night shift|shift: A, B, C|shift: 1, 2, 3
        |team: red, blue, green|crew: port watch, starboard watch|shift: day, night|team: team 1, team 2, team 3
        |tariff: peak, off-peak|tariff: high, low|tariff: day rate, night rate|tariff: normal, cheap|mode: comfort, eco
        |tariff: HT, NT|mode: day, night|programme: morning, afternoon, evening, night|tariff: T1, T2, T3
        |scene: bright, dim|mode: work, sleep|rate: standard, saver|watch: first watch, second watch, third watch
        |speed: fast, slow|zone: north, south, west|mode: boost, normal, reduced""",
    "fr": """f équipe: matin, après-midi, nuit|f équipe: A, B, C|m poste: 1, 2, 3|f équipe: rouge, bleue, verte
        |f équipe: jour, nuit|m tarif: heures pleines, heures creuses|m tarif: HP, HC|m tarif: plein, réduit
        |m tarif: normal, bas|m mode: confort, éco|m mode: jour, nuit|m programme: matin, midi, soir, nuit
        |m tarif: T1, T2, T3|m quart: premier quart, deuxième quart, troisième quart|f bordée: bâbord, tribord
        |m mode: normal, réduit|f scène: vive, tamisée|f vitesse: rapide, lente|f zone: nord, sud, ouest
        |m poste: poste du matin, poste du soir, poste de nuit|m mode: boost, normal, ralenti""",
}
TURNS = {
    language: [
        (words.nouns(language, sort)[0], names.split(", "))
        for sort, _, names in (entry.partition(": ") for entry in re.sub(r"\s*\|\s*", "|", text).split("|"))
    ]
    for language, text in TURNS.items()
}


def _drawn_turns(rng, names):
    """(name, start, end) of turns that fill a day, in their order; none is shorter than two hours."""
    while True:
        if len(names) == 3 and rng.random() < 0.5:
            first = rng.choice([5, 6, 6, 6, 7]) * 60 + rng.choice([0, 0, 0, 30])
            starts = [first, first + 480, first + 960]
        else:
            starts = sorted(draw_time(rng, 4 * 60, DAY - 30) for _ in names)
        ends = [*starts[1:], starts[0]]
        if all((end - start) % DAY >= 120 for start, end in zip(starts, ends)) and (
            len(set(starts)) == len(starts)
        ):
            return list(zip(names, starts, ends))


def _told_turns(rng, language, style, sort, turns):
    """Turns of a day with their hours; of two the second may be all the rest."""
    colon = telling.COLON[language]
    shown = [(name, style.write(start), style.write(end)) for name, start, end in turns]
    from_to = {"en": ["from {} to {}", "{} to {}"], "fr": ["de {} à {}", "de {} à {}"]}[language]
    spans = [*["{}-{}", "{} - {}", "{}–{}"], *from_to]
    layout = rng.choice(["lines", "lines", "sentence", "sentence", "json", "table", "pairs", "rest"])
    if layout == "rest" and len(turns) == 2:
        name, start, end = shown[0]
        span = rng.choice(spans).format(start, end)
        rest = {
            "en": ["otherwise {}", "the rest {}", "else {}", "{} at all other times", "{} for the rest of the day"],
            "fr": ["sinon {}", "le reste {}", "{} le reste du temps", "{} en dehors", "autrement {}"],
        }[language]
        text = rng.choice(["{} {}, {}.", "{}" + colon + "{}, {}."])
        text = text.format(name, span, rng.choice(rest).format(shown[1][0]))
        head = f"{sort.text[0].upper()}{sort.text[1:]}{colon}" if rng.random() < 0.6 else ""
        return telemetry.Told(stopped(head + text), "sentence", [], False, "")
    if layout == "table":
        bar, heads = rng.choice([" | ", ";", "\t"]), {"en": ["from", "to"], "fr": ["de", "à"]}[language]
        rows = [[sort.text, *heads], *map(list, shown)]
        return telemetry.Told("\n".join(map(bar.join, rows)), layout, [], True, "")
    if layout == "json":
        if rng.random() < 0.4:
            keys = {"en": ("from", "to"), "fr": ("de", "a")}[language]
            head = rng.choice(["name", sort.text, "id"]) if language == "en" else rng.choice(["nom", "id"])
            data = [dict(zip((head, *keys), turn)) for turn in shown]
        elif rng.random() < 0.5:
            data = {name: [start, end] for name, start, end in shown}
        else:
            data = {name: f"{start}-{end}" for name, start, end in shown}
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.5), layout, [], True, "")
    glue, span = rng.choice([colon, colon, " "]), rng.choice(spans)
    if layout == "pairs":
        glue, span = "=", "{}-{}"
    rows = [f"{name}{glue}{span.format(start, end)}" for name, start, end in shown]
    if glue == " " and any(name[-1].isdigit() or len(name) < 3 for name, _, _ in shown):
        rows = [f"{name}{colon}{span.format(start, end)}" for name, start, end in shown]
    if layout == "lines":
        bullet = rng.choice(["", "", "- "])
        head = f"{sort.text[0].upper()}{sort.text[1:]}{colon}".rstrip() + "\n" if rng.random() < 0.4 else ""
        return telemetry.Told(head + "\n".join(bullet + row for row in rows), layout, [], True, "")
    return telemetry.Told(rng.choice([", ", "; "]).join(rows) + ".", "sentence", [], False, "")


def _which(rng, language, held_out):
    """Which shift, tariff or mode it is at a time."""
    sort, names = rng.choice(TURNS[language])
    style = draw_style(rng, language)
    while style.kind == "half" and len(names) > 2:
        style = draw_style(rng, language)
    turns = _drawn_turns(rng, names)
    if len(turns) == 2 and rng.random() < 0.5:
        turns.reverse()
    chosen = rng.choice(turns)
    while True:
        time = time_near(rng, *chosen[1:])
        if all(time != start for _, start, _ in turns) and (rng.random() < 0.3 or in_window(time, *chosen[1:])):
            break
    told = _told_turns(rng, language, style, sort, turns)
    question = WORDING.say(rng, language, "which_now", held_out, sort=sort, time=style.write(time))
    thought, found = ["clock which", *style.fetch(time)], turns[-1][0]
    for name, start, end in turns[:-1]:
        lines, holds = arithmetic.clock_within(time, start, end)
        thought += [*style.fetch(start, end), f"{name} {lines[0]}", *lines[1:]]
        if holds:
            found = name
            break
    thought.append(f"={found}")
    keys = [re.sub(r"\W+", "_", sort.text), "answer", {"en": "name", "fr": "nom"}[language]]
    answer = Answer("{name}", {"name": found}, {"name": keys}, capital=False)
    facts = {"kind": "which", "turns": turns, "time": time}
    return _build(rng, language, held_out, question, thought, answer, facts, told)


# What has hours by the day of the week: places that open, and devices that are on.
HOURS = {
    "en": {"open": """shop|library|museum|swimming pool|bakery|reception|canteen|pharmacy|town hall|recycling centre
               |workshop|café|lab|school gate|car park|post office|surgery|ticket office|milk shop""",
           "on": "heating|ventilation|air conditioning|lighting|hall lighting|compressor|fountain|circulation pump"},
    "fr": {"ouvert": """f boutique|f bibliothèque|m musée|f piscine|f boulangerie|f réception|f cantine|f pharmacie
               |f mairie|f déchetterie|m atelier|m café|m laboratoire|m portail de l'école|m parking|m guichet
               |m cabinet|f billetterie""",
           "en marche": "m chauffage|f ventilation|f climatisation|m éclairage|m compresseur|f fontaine|f pompe"},
}  # fmt: skip
HOURS = {
    language: [
        (state, thing)
        for state, text in states.items()
        for thing in words.nouns(language, re.sub(r"\s*\|\s*", "|", text))
    ]
    for language, states in HOURS.items()
}


def _drawn_hours(rng):
    """Hours by days, [((first day, last day), (start, end) or nothing when closed)], from Monday to Sunday."""

    def hours():
        start = draw_time(rng, 6 * 60, 11 * 60)
        return start, draw_time(rng, start + 120, 22 * 60)

    cut = rng.choice([[5, 6], [5, 6], [5, 6], [5], [6], [4, 5], [1, 6], [4, 6], [1, 5]])
    edges = [0, *cut, 7]
    groups = [((first, last - 1), hours()) for first, last in zip(edges, edges[1:])]
    if rng.random() < 0.75:
        groups[-1] = (groups[-1][0], None)
    elif rng.random() < 0.3:
        groups[0] = (groups[0][0], None)
    return groups


def _open(rng, language, held_out):
    """Whether something is open or on, by its hours on the days of the week."""
    style, names = draw_style(rng, language), words.DAYS[language]
    state, thing = rng.choice(HOURS[language])
    groups = _drawn_hours(rng)
    (first, last), span = rng.choice(groups)
    today = rng.randint(first, last)
    time = time_near(rng, *span) if span else draw_time(rng, 7 * 60, 20 * 60)
    short = 3 if rng.random() < 0.3 else 12
    glue = rng.choice(["-", "-", " to " if language == "en" else " à ", "–"])

    def day(number):
        return names[number][:short]

    labels = [day(a) if a == b else day(a) + glue + day(b) for (a, b), _ in groups]
    shut = {"open": "closed", "on": "off", "ouvert": f"fermé{thing.e}", "en marche": "arrêt"}[state]
    to = rng.choice(["-", "-", " - ", "–"])
    written = [style.write(hours[0]) + to + style.write(hours[1]) if hours else shut for _, hours in groups]
    told = _told_hours(rng, language, thing, labels, written)
    question = WORDING.say(
        rng, language, "open_at", held_out, thing=thing, day=names[today], time=style.write(time),
        state=state + thing.e if state == "ouvert" else state,
    )  # fmt: skip
    label = next(label for label, ((a, b), _) in zip(labels, groups) if a <= today <= b)
    looked_up = names[today] if label == names[today] else f"{names[today]} {label}"
    if span:
        lines, holds = arithmetic.clock_within(time, *span)
        thought = [f"{looked_up} {arithmetic.clock(span[0])}-{arithmetic.clock(span[1])}"]
        thought = ["clock hours", *style.fetch(time, *span), *thought, *lines]
    else:
        thought, holds = ["clock hours", f"{looked_up} {shut} no"], False
    facts = {"kind": "inside", "time": time, "windows": [span] if span else [], "wanted": True}
    return _build(rng, language, held_out, question, thought, _yes_no(language, holds), facts, told)


def _told_hours(rng, language, thing, labels, written):
    """Hours by days of the week: lines, a sentence, JSON or a table."""
    colon, name = telling.COLON[language], thing.text[0].upper() + thing.text[1:]
    heads = {"en": ["Hours", "Timetable", "Weekly plan"], "fr": ["Horaires", "Planning", "Plan de la semaine"]}
    head = rng.choice([name, f"{rng.choice(heads[language])} ({thing})", rng.choice(heads[language])])
    layout = rng.choice(["lines", "lines", "sentence", "sentence", "json", "table"])
    if layout == "json":
        data = dict(zip(labels, written))
        data = {re.sub(r"\W+", "_", thing.text): data} if rng.random() < 0.5 else data
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.5), layout, [], True, "")
    if layout == "table":
        bar, row = rng.choice([" | ", ";", "\t"]), {"en": ["days", "hours"], "fr": ["jours", "horaires"]}[language]
        return telemetry.Told("\n".join(map(bar.join, [row, *zip(labels, written)])), layout, [], True, "")
    glue = rng.choice([colon, " "])
    rows = [f"{label}{glue}{hours}" for label, hours in zip(labels, written)]
    if layout == "lines":
        bullet = rng.choice(["", "", "- "])
        return telemetry.Told(
            f"{head}{colon}".rstrip() + "\n" + "\n".join(bullet + row for row in rows), layout, [], True, ""
        )
    return telemetry.Told(stopped(f"{head}{colon}{rng.choice([', ', '; ']).join(rows)}."), layout, [], False, "")


# Schedules ------------------------------------------------------------

STEPS = [20, 30, 45, 60, 90, 120, 120, 180, 180, 240, 240, 360, 480]


def _step_text(rng, language, minutes):
    """`4 hours`, `45 minutes`; an hour is said without its number in French and English alike."""
    if minutes % 60:
        if minutes == 90 and rng.random() < 0.4:
            return "hour and a half" if language == "en" else "heures et demie"
        return f"{minutes} {rng.choice(['minutes', 'minutes', 'min'])}"
    hours = minutes // 60
    if hours == 1:
        return rng.choice(["hour", "60 minutes"] if language == "en" else ["heures", "60 minutes"])
    word = "hours" if language == "en" else "heures"
    return rng.choice([f"{hours} {word}", f"{hours} {word}", f"{hours} h"])


def _schedule(rng, language, style, thing, held_out):
    """A list of times or a regular interval: its wording, its times of a day, and whether it is a
    list."""
    if rng.random() < 0.5:
        count = rng.randint(2, 4 if style.kind == "half" else 5)
        times = set()
        while len(times) < count:
            times.add(draw_time(rng, 5 * 60, DAY - 10))
        times = sorted(times)
        last = rng.choice([None, ", "])
        listed = telemetry.joined([style.write(time) for time in times], language, last)
        said = WORDING.say(rng, language, "list", held_out, thing=thing, times=listed)
        return said, times, True
    step = rng.choice(STEPS)
    start = draw_time(rng, 0, DAY - 1 - 2 * step)
    if step >= 180:
        start = draw_time(rng, 0, 9 * 60)
    if step == 90 and language == "fr":
        text = rng.choice(["90 minutes", "90 min", "1 h 30"])
    elif step == 60 and language == "fr":
        text = rng.choice(["heures", "60 minutes"])
    else:
        text = _step_text(rng, language, step)
    said = WORDING.say(
        rng, language, "every", held_out, thing=thing, step=text, start=style.write(start)
    )
    return said, list(range(start, DAY, step)), False


def _next(rng, language, held_out):
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    said, times, listed = _schedule(rng, language, style, thing, held_out)
    kind = rng.choices(["next", "wait", "previous"], [6, 3, 2 if listed else 0])[0]
    # The time now: between two of the first few, sometimes before all, or after all of a list.
    reach = min(len(times) - 1, 3 if style.kind == "half" else 5 if listed else 4)
    place = rng.randint(0, reach)
    if listed and rng.random() < 0.2:
        place = len(times)
    if kind == "previous":
        place = max(1, place)
    low = times[place - 1] + 1 if place else max(0, times[0] - 200)
    high = times[place] - 1 if place < len(times) else DAY - 1
    if low > high:
        return _next(rng, language, held_out)
    now = rng.randint(low, high)
    if now in times:
        return _next(rng, language, held_out)
    question = WORDING.say(rng, language, kind, held_out, thing=thing, time=style.write(now))
    thought = [f"clock {kind}", *style.fetch(now), f"now {arithmetic.clock(now)}"]
    for i, time in enumerate(times[: place + 1]):
        digits, _ = arithmetic.time_digits(time, now)
        fetched = f"{arithmetic.half_day(time)}=" if style.kind == "half" and listed else ""
        if not listed and i == 0:
            fetched = f"{arithmetic.half_day(time)}=" if style.kind == "half" else ""
            step = times[1] - times[0]
            thought.append(f"+{step // 60}:{step % 60:02d}")
        elif not listed and step % 60:
            minute = times[i - 1] % 60
            fetched = f"{minute:02d}+{step % 60}={minute + step % 60:02d}"
            fetched += f"-60={minute + step % 60 - 60:02d} " if minute + step % 60 > 59 else " "
        thought.append(f"{fetched}{arithmetic.clock(time)} {digits}")
    if kind == "previous":
        found = times[place - 1]
        thought.append(f"={arithmetic.clock(found)}")
    else:
        found = times[place] if place < len(times) else times[0]
        tail = "" if place < len(times) else " +1d"
        thought.append(f"={arithmetic.clock(found)}{tail}")
    facts = {"kind": kind, "style": style, "times": times, "now": now}
    if kind == "wait":
        line, minutes = arithmetic.clock_difference(found, now)
        thought.append(line)
        answer = lasting(minutes)
    elif kind == "next" and rng.random() < 0.15:
        line, minutes = arithmetic.clock_difference(found, now)
        thought = ["clock next + min", *thought[1:], line, *all_minutes(minutes)]
        fields = {"time": arithmetic.clock(found), "wait": Amount(minutes, 0, "min")}
        answer, facts["kind"] = Answer("{time}", fields, NEXT_AND_WAIT[language], several=True), "next + wait"
    else:
        thought += style.back(found)
        answer = style.time(found)
    return _build(
        rng, language, held_out, question, thought, answer, facts, _told(said.text), [said]
    )


NEXT_AND_WAIT = {
    "en": {"time": ["next", "next_at", "next_time", "next_run", "next_start", "at"],
           "wait": ["wait_min", "minutes_left", "in_min", "minutes_to_wait", "wait_minutes", "min_to_next"]},
    "fr": {"time": ["prochain", "prochaine_heure", "heure_prochaine", "heure", "suivant", "a"],
           "wait": ["attente_min", "minutes_restantes", "dans_min", "minutes_attente", "delai_min", "min_avant"]},
}  # fmt: skip


WEEK = {
    "en": {
        (0, 1, 2, 3, 4): ["on weekdays", "on working days", "Monday to Friday", "every weekday"],
        (5, 6): ["at the weekend", "on weekends", "on Saturday and Sunday"],
    },
    "fr": {
        (0, 1, 2, 3, 4): ["les jours ouvrés", "du lundi au vendredi", "en semaine"],
        (5, 6): ["le week-end", "le samedi et le dimanche", "les week-ends"],
    },
}


def _days(rng, language):
    """The days of a weekly schedule and how they are said."""
    if rng.random() < 0.4:
        days = rng.choice(list(WEEK[language]))
        return days, rng.choice(WEEK[language][days])
    days = tuple(sorted(rng.sample(range(7), rng.choice([1, 2, 2, 3, 3]))))
    names = [words.DAYS[language][day] for day in days]
    if rng.random() < 0.2:
        each = {"en": ["every", "each"], "fr": ["chaque", "tous les"]}[language]
        each = rng.choice(each)
        names = [f"{each} {name}{'s' if each == 'tous les' else ''}" for name in names]
    elif language == "fr":
        names = [f"le {name}" for name in names]
    else:
        plural = "s" if rng.random() < 0.3 else ""
        names = [f"{name}{plural}" for name in names]
        names[0] = rng.choice(["on ", "on ", "every " if not plural else "on "]) + names[0]
    return days, telemetry.joined(names, language, rng.choice([None, ", "]))


def _week(rng, language, held_out):
    style, thing = draw_style(rng, language), _weekly(rng, language, held_out)
    days, said_days = _days(rng, language)
    start = draw_time(rng)
    said = WORDING.say(
        rng, language, "days", held_out, thing=thing, days=said_days, start=style.write(start)
    )
    today, names = rng.choice([rng.randrange(7), rng.choice(days)]), words.DAYS[language]
    # Whether a day is among them is read off there: weekends and weekdays are told as their days.
    listed = " ".join(names[day] for day in days)
    if rng.random() < 0.35:
        question = WORDING.say(
            rng, language, "week_on", held_out, thing=thing, day=names[today]
        )
        holds = today in days
        thought = ["clock day", listed, f"{names[today]} {'yes' if holds else 'no'}"]
        answer = _yes_no(language, holds)
        facts = {"kind": "week on", "days": days, "today": today}
    else:
        now = draw_time(rng)
        while now == start:
            now = draw_time(rng)
        question = WORDING.say(
            rng,
            language,
            "week_next",
            held_out,
            thing=thing,
            day=names[today],
            time=style.write(now),
        )
        thought, day = ["clock week", listed, *style.fetch(now, start)], today
        if today in days:
            line, later = arithmetic.clock_comparison(start, ">", now)
            thought.append(f"{names[today]} yes {line}")
        else:
            later = False
            thought.append(f"{names[today]} no")
        while not later:
            day = (day + 1) % 7
            later = day in days
            thought.append(f"{names[day]} {'yes' if later else 'no'}")
        answer, apart = _moment(rng, language, style, names[day], start)
        thought += apart
        facts = {
            "kind": "week next",
            "apart": bool(apart),
            "days": days,
            "today": today,
            "now": now,
            "start": start,
            "style": style,
        }
    return _build(
        rng, language, held_out, question, thought, answer, facts, _told(said.text), [said]
    )


def _moment(rng, language, style, day, time):
    """A day and a time as one answer, or apart in JSON, and the lines that end the thought then."""
    if rng.random() < 0.3:
        answer = Answer(
            day, {"day": day, "time": arithmetic.clock(time)},
            {"day": DAYS_APART[language], "time": TIMES_APART[language]}, several=True,
        )  # fmt: skip
        return answer, [f"={day}", f"={arithmetic.clock(time)}"]
    found = f"{day} {style.answer(time)}"
    return Answer(found, {"when": found}, {"when": WHEN[language]}), []


DAYS_APART = {
    "en": ["day", "weekday", "next_day", "on_day", "day_name", "day_of_week"],
    "fr": ["jour", "jour_semaine", "prochain_jour", "le_jour", "nom_jour", "quel_jour"],
}
TIMES_APART = {
    "en": ["time", "at", "start_time", "hh_mm", "clock", "start"],
    "fr": ["heure", "a", "heure_debut", "hh_mm", "horaire", "debut"],
}


def _drawn_programme(rng):
    """Weekly times as (day, minutes), in the order of the week; at least two days."""
    while True:
        count, fixed = rng.choice([2, 3, 3, 4, 5]), draw_time(rng, 300, DAY - 10)
        entries = set()
        while len(entries) < count:
            entries.add((rng.randrange(7), fixed if rng.random() < 0.3 else draw_time(rng, 300, DAY - 10)))
        if len({day for day, _ in entries}) > 1:
            return sorted(entries)


def _told_programme(rng, language, style, thing, entries):
    """A weekly programme with a time for each entry: lines, a sentence, a table or JSON."""
    names, colon = words.DAYS[language], telling.COLON[language]
    shown = [(names[day], style.write(time)) for day, time in entries]
    heads = {
        "en": ["Weekly programme", "Schedule", "Timetable", "This is the plan", "Week plan", "Times", "Programme"],
        "fr": ["Programme de la semaine", "Horaires", "Planning", "Voici le programme", "Plan hebdomadaire"],
    }[language]
    name = thing.text[0].upper() + thing.text[1:]
    head = rng.choice([rng.choice(heads), name, f"{rng.choice(heads)} ({thing})"])
    layout = rng.choice(["lines", "lines", "lines", "sentence", "sentence", "table", "json", "pairs"])
    once = len({day for day, _ in entries}) == len(entries)
    if layout == "lines":
        bullet, glue = rng.choice(["", "- ", "- ", "* "]), rng.choice([" ", " ", colon, " - ", "\t"])
        rows = "\n".join(f"{bullet}{day}{glue}{time}" for day, time in shown)
        return telemetry.Told(f"{head}{colon}".rstrip() + "\n" + rows, layout, [], True, "")
    if layout == "table":
        bar = rng.choice([" | ", ";", "\t"])
        rows = [["day", "time"] if language == "en" else ["jour", "heure"], *map(list, shown)]
        return telemetry.Told("\n".join(map(bar.join, rows)), layout, [], True, "")
    if layout == "json":
        if once and rng.random() < 0.5:
            data = dict(shown)
        else:
            keys = ("day", "time") if language == "en" else ("jour", "heure")
            data = [dict(zip(keys, row)) for row in shown]
        if rng.random() < 0.5:
            data = {re.sub(r"\W+", "_", thing.text): data}
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.5), layout, [], True, "")
    if layout == "pairs" and once:
        rows = rng.choice([" ", "; "]).join(f"{day}={time}" for day, time in shown)
        return telemetry.Told(rows, layout, [], True, "")
    if rng.random() < 0.5:
        at = " at " if language == "en" else " à "
        parts = [f"{day}{at}{time}" for day, time in shown]
        verb = {"en": ["runs on", "starts on", "is on"], "fr": ["tourne", "démarre", "est prévu" + thing.e]}[language]
        text = f"{thing.the} {rng.choice(verb)} {telemetry.joined(parts, language)}."
        return telemetry.Told(stopped(text[0].upper() + text[1:]), "sentence", [], False, "")
    rows = rng.choice([", ", "; ", " / "]).join(f"{day} {time}" for day, time in shown)
    return telemetry.Told(stopped(f"{head}{colon}{rows}."), "sentence", [], False, "")


def _programme(rng, language, held_out):
    """The next entry of a weekly programme in which every entry has its own time."""
    style, thing = draw_style(rng, language), _weekly(rng, language, held_out)
    entries, names = _drawn_programme(rng), words.DAYS[language]
    today = rng.choice([rng.randrange(7), rng.choice(entries)[0], rng.choice(entries)[0]])
    times = [time for day, time in entries if day == today]
    while True:
        now = draw_time(rng)
        if times and rng.random() < 0.5:
            now = (rng.choice(times) + rng.randint(5, 180)) % DAY
        if now not in times:
            break
    told = _told_programme(rng, language, style, thing, entries)
    question = WORDING.say(
        rng, language, "week_next", held_out, thing=thing, day=names[today], time=style.write(now)
    )
    thought, found = ["clock plan", *style.fetch(now), f"{names[today]} {arithmetic.clock(now)}"], None
    for time in times:
        line, later = arithmetic.clock_comparison(time, ">", now)
        thought += [*style.fetch(time), line]
        if later:
            found = (today, time)
            break
    if not times:
        thought[-1] += " -"
    day = today
    while not found:
        day = (day + 1) % 7
        found = next((entry for entry in entries if entry[0] == day), None)
        thought.append(f"{names[day]} " + (_fetched(style, found[1]) if found else "no"))
    answer, apart = _moment(rng, language, style, names[found[0]], found[1])
    thought += apart or [f"={answer.plain}"]
    facts = {
        "kind": "programme", "entries": entries, "today": today, "now": now, "style": style, "apart": bool(apart),
    }  # fmt: skip
    return _build(rng, language, held_out, question, thought, answer, facts, told)


def _fetched(style, time):
    """A time as the thought fetches it: `6:00 am=06:00`, `06:00`."""
    return style.fetch(time)[0] if style.kind == "half" else arithmetic.clock(time)


WHEN = {"en": ["next", "answer", "when"], "fr": ["prochain", "answer", "quand"]}


def _weekday(rng, language, held_out):
    thing, names = _thing(rng, language, held_out), words.DAYS[language]
    today, count = rng.randrange(7), rng.randint(2, 24)
    question = WORDING.say(
        rng, language, "weekday", held_out, thing=thing, day=names[today], n=str(count)
    )
    thought, rest = ["clock date"], count
    while rest >= 7:
        thought.append(f"{rest}-7={rest - 7}")
        rest -= 7
    thought += [f"{i} {names[(today + i) % 7]}" for i in range(rest + 1)]
    found = names[(today + count) % 7]
    answer = Answer(found, {"day": found}, {"day": DAY_KEYS[language]})
    facts = {"kind": "weekday", "today": today, "count": count}
    return _build(rng, language, held_out, question, thought, answer, facts)


DAY_KEYS = {"en": ["day", "answer", "weekday"], "fr": ["jour", "answer"]}


# What may be open or shut, as doors' logs have it.
OPENS = {
    "en": "door|cold room door|gate|window|hatch|skylight|garage door|valve|barn door|fridge door|sluice",
    "fr": "f porte|f porte de la chambre froide|m portail|f fenêtre|f trappe|f lucarne|f porte du garage|f vanne",
}
OPENS = {language: words.nouns(language, text) for language, text in OPENS.items()}


def _drawn_runs(rng, count, short):
    """The spans of a day's runs in their order; the last passes midnight now and then. `short`: all of them together
    take less than an hour."""
    if short:
        starts = sorted(rng.sample(range(60, DAY - 60, rng.choice([1, 5, 15])), count))
        if any(b - a < 30 for a, b in zip(starts, starts[1:])):
            return _drawn_runs(rng, count, short)
        return [(start, start + rng.choice([4, 5, 6, 8, 10, 12, 13, 15, 17, 18, 19])) for start in starts]
    edges = set()
    while len(edges) < 2 * count:
        edges.add(draw_time(rng, 60, DAY - 1))
    edges = sorted(edges)
    if count < 3 and rng.random() < 0.25:
        edges[-1] = draw_time(rng, 0, edges[0] - 1)
    return list(zip(edges[::2], edges[1::2]))


def _told_log(rng, language, style, thing, opens, spans):
    """Runs as loggers write them: lines, a table, JSON, pairs, or one line for each change."""
    colon, name = telling.COLON[language], thing.text[0].upper() + thing.text[1:]
    shown = [(style.write(start), style.write(end)) for start, end in spans]
    if opens:
        pairs = {"en": [("opened", "closed"), ("opened_at", "closed_at"), ("open", "closed")],
                 "fr": [("ouverture", "fermeture"), ("ouverte_a", "fermee_a"), ("ouvert", "ferme")]}  # fmt: skip
    else:
        pairs = {"en": [("start", "end"), ("on", "off"), ("from", "to"), ("start", "stop")],
                 "fr": [("debut", "fin"), ("marche", "arret"), ("de", "a"), ("demarrage", "arret")]}  # fmt: skip
    pair = rng.choice(pairs[language])
    head = rng.choice(["", f"{name}{colon}".rstrip() + "\n", f"log {_slug(thing)}\n"])
    layout = rng.choice(["lines", "lines", "table", "json", "json", "pairs", "changes"])
    if layout == "json":
        data = [dict(zip(pair, times)) for times in shown]
        if len(data) == 1:
            data = {rng.choice(["device", "id"] if language == "en" else ["appareil", "id"]): _slug(thing)} | data[0]
        elif rng.random() < 0.5:
            data = {_slug(thing): [list(times) for times in shown] if rng.random() < 0.5 else data}
        return telemetry.Told(telemetry.encode(data, rng.random() < 0.5), layout, [], True, "")
    if layout == "table":
        bar = rng.choice([" | ", ";", "\t"])
        return telemetry.Told(head + "\n".join(map(bar.join, [pair, *shown])), layout, [], True, "")
    if layout == "pairs":
        rows = [f"{pair[0]}={start} {pair[1]}={end}" for start, end in shown]
        return telemetry.Told(head + "\n".join(rows), layout, [], True, "")
    if layout == "changes":
        glue = rng.choice([" ", colon, "\t"])
        events = rng.choice([p for p in pairs[language] if p[0] not in ("from", "de")])
        rows = [f"{time}{glue}{word}" for times in shown for time, word in zip(times, events)]
        return telemetry.Told(head + "\n".join(rows), layout, [], True, "")
    to = rng.choice(["-", "-", " - ", "–", " -> ", " to " if language == "en" else " à "])
    bullet = rng.choice(["", "", "- "])
    return telemetry.Told(head + "\n".join(bullet + to.join(times) for times in shown), layout, [], True, "")


def _slug(thing):
    return re.sub(r"\W+", "_", thing.text)


def _total(rng, language, held_out):
    """How long something was on in the runs of a day, told in a sentence or as a log; in hours and minutes, or in
    minutes."""
    style = draw_style(rng, language)
    alone = rng.random() < 0.45
    count = rng.choice([1, 1, 1, 2, 2, 2, 3, 3] if style.kind != "half" else [1, 2])
    short = count > 1 and (rng.random() < 0.3 or (alone and (count > 2 or style.kind == "half")))
    spans, opens = _drawn_runs(rng, count, short), rng.random() < 0.3
    worded = count > 1 and not opens and rng.random() < 0.35
    thing = rng.choice(OPENS[language]) if opens else _thing(rng, language, held_out)
    while (alone or not worded) and re.sub(r" \d+$", "", thing.text) in EVENTS:
        thing = _thing(rng, language, held_out)
    phrasings = []
    if worded:
        shapes = {
            "en": ["from {} to {}", "{}-{}", "{} to {}", "{} – {}", "{} until {}", "{}..{}"],
            "fr": ["de {} à {}", "{}-{}", "{} à {}", "{} – {}", "de {} jusqu'à {}", "{}..{}"],
        }
        shape = rng.choice(shapes[language])
        runs = [shape.format(style.write(a), style.write(b)) for a, b in spans]
        said = WORDING.say(rng, language, "runs", held_out, thing=thing, runs=telemetry.joined(runs, language))
        told, phrasings = _told(said.text), [said]
    else:
        told = _told_log(rng, language, style, thing, opens, spans)
    summed = worded or (count > 1 and not opens and rng.random() < 0.5)
    section = "ran_minutes" if alone else "total" if summed else "ran"
    state = {"en": "open" if opens else "on", "fr": f"ouvert{thing.e}" if opens else "en marche"}[language]
    slots = {"thing": thing, "state": state}
    question = WORDING.say(
        rng, language, section, held_out, **{slot: slots[slot] for slot in WORDING.slots[section]}
    )
    thought, total = [("clock total" if count > 1 else "clock span") + " min" * alone], 0
    for i, (start, end) in enumerate(spans):
        thought += style.fetch(start, end)
        line, minutes = arithmetic.clock_difference(end, start)
        thought.append(line)
        if i:
            line, _ = arithmetic.clock_addition(total, minutes)
            thought.append(line)
        total += minutes
    facts, answer = {"kind": "minutes" if alone else "span", "spans": spans}, lasting(total)
    if alone:
        thought += all_minutes(total)
        unit = "minutes" if "minutes" in question.text else "min"
        answer = Answer("{value}", {"value": Amount(total, 0, unit)})
    return _build(rng, language, held_out, question, thought, answer, facts, told, phrasings)


# Starts that slip, ends, deadlines ------------------------------------------------------------

ENDS = {
    "en": {"start": ["start", "begin", "starts_at", "start_time", "from", "on_at", "begins"],
           "end": ["end", "finish", "ends_at", "end_time", "until", "off_at", "done_at"]},
    "fr": {"start": ["debut", "depart", "heure_debut", "commence", "de", "demarrage", "marche"],
           "end": ["fin", "arrivee", "heure_fin", "termine", "a", "arret_a", "fini_a"]},
}  # fmt: skip


def _two_added(language, style, time, first, second, several):
    """A time plus two durations, (minutes, steps): the thought, and the end or both times as the answer."""
    line, start = arithmetic.clock_addition(time, first[0])
    line_two, end = arithmetic.clock_addition(start % DAY, second[0])
    thought = [*style.fetch(time), *first[1], line, *second[1], line_two]
    facts = {"kind": "ends" if several else "shift", "style": style, "time": time, "by": [first[0], second[0]]}
    if not several:
        return ["clock add", *thought, *style.back(end % DAY)], style.time(end), facts
    fields = {"start": arithmetic.clock(start), "end": arithmetic.clock(end)}
    return ["clock start + end", *thought], Answer("{start}", fields, ENDS[language], several=True), facts


def _slip(rng, language, held_out):
    """A start that comes late, and the end that follows from it."""
    style, thing, time = draw_style(rng, language), _thing(rng, language, held_out), draw_time(rng)
    late, by, steps = duration(rng, language, 90)
    slots = {"thing": thing, "time": style.write(time), "late": late}
    if rng.random() < 0.35:
        question = WORDING.say(rng, language, "slip", held_out, **slots)
        line, end = arithmetic.clock_addition(time, by)
        thought = ["clock add", *style.fetch(time), *steps, line, *style.back(end)]
        facts = {"kind": "shift", "style": style, "time": time, "by": [by]}
        return _build(rng, language, held_out, question, thought, style.time(end), facts)
    lasts, minutes, steps_two = duration(rng, language, 300)
    question = WORDING.say(rng, language, "slip_end", held_out, dur=lasts, **slots)
    thought, answer, facts = _two_added(language, style, time, (by, steps), (minutes, steps_two), rng.random() < 0.2)
    return _build(rng, language, held_out, question, thought, answer, facts)


def _ends(rng, language, held_out):
    """Start and end of what begins after a while."""
    style, thing, time = draw_style(rng, language), _thing(rng, language, held_out), draw_time(rng)
    wait, by, steps = duration(rng, language, 200)
    lasts, minutes, steps_two = duration(rng, language, 300)
    question = WORDING.say(
        rng, language, "ends", held_out, thing=thing, time=style.write(time), wait=wait, dur=lasts
    )
    thought, answer, facts = _two_added(language, style, time, (by, steps), (minutes, steps_two), True)
    return _build(rng, language, held_out, question, thought, answer, facts)


def _left(rng, language, held_out):
    """How many minutes are left until something."""
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    now = draw_time(rng)
    end = (now + rng.randint(3, rng.choice([59, 59, 180, 400]))) % DAY
    question = WORDING.say(
        rng, language, "left", held_out, thing=thing, time=style.write(now), end=style.write(end)
    )
    line, minutes = arithmetic.clock_difference(end, now)
    thought = ["clock span min", *style.fetch(now, end), line, *all_minutes(minutes)]
    unit = "minutes" if "minutes" in question.text else "min"
    keys = {"en": ["minutes", "minutes_left", "answer"], "fr": ["minutes", "minutes_restantes", "answer"]}
    answer = Answer("{value}", {"value": Amount(minutes, 0, unit)}, {"value": keys[language]})
    facts = {"kind": "minutes", "spans": [(now, end)]}
    return _build(rng, language, held_out, question, thought, answer, facts)


def _on_time(rng, language, held_out):
    """Is what starts then and takes so long over before a time? In JSON sometimes its end as well."""
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    while True:
        lasts, minutes, steps = duration(rng, language, 240)
        time = draw_time(rng, 0, DAY - 1 - minutes)
        end = time + minutes
        apart = rng.choice([rng.randint(1, 20), rng.choice([5, 10, 15, 30]), rng.randint(5, 90)])
        limit = end + rng.choice([-1, 1]) * apart
        if time < limit < DAY:
            break
    question = WORDING.say(
        rng, language, "on_time", held_out, thing=thing, time=style.write(time), dur=lasts, limit=style.write(limit)
    )
    line, _ = arithmetic.clock_addition(time, minutes)
    check, holds = arithmetic.clock_comparison(end, "<", limit)
    thought = ["clock add by", *style.fetch(time, limit), *steps, line, check]
    facts = {"kind": "on time", "time": time, "by": minutes, "limit": limit}
    names = {"en": ["on_time", "in_time", "ok", "answer"], "fr": ["a_temps", "a_l_heure", "ok", "answer"]}[language]
    answer = Answer(f"{words.YES_NO[language][0 if holds else 1]}.", {"truth": holds}, {"truth": names})
    if rng.random() < 0.2:
        keys = {
            "end": ENDS[language]["end"][:4] + ["over_at" if language == "en" else "termine_a"],
            "truth": ["on_time", "in_time", "before_limit", "made_it", "within_limit", "early_enough"]
            if language == "en"
            else ["a_temps", "a_l_heure", "avant_limite", "dans_les_temps", "limite_tenue", "assez_tot"],
        }
        answer = Answer("{end}", {"end": arithmetic.clock(end), "truth": holds}, keys, several=True)
        thought[0], facts["kind"] = "clock end + by", "end + on time"
    return _build(rng, language, held_out, question, thought, answer, facts)


# What is no device that can be off.
EVENTS = set(
    """report|lesson|meeting|delivery|patrol|inspection|shift|fire drill|lift test|siren test|night watch|index job
    |rinse|soak|drying phase|cooling phase|fermentation|cleaning|cours|réunion|livraison|tournée|ronde|rapport|poste
    |exercice d'évacuation|essai des sirènes|nettoyage|nettoyage de la base|rinçage|trempage|phase de séchage
    |phase de refroidissement|batch|lot""".replace("\n    ", "").split("|")
)


def _stay_off(rng, language, held_out):
    """Something must stay off within a window: must it be off now?"""
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    while re.sub(r" \d+$", "", thing.text) in EVENTS:
        thing = _thing(rng, language, held_out)
    start, end = draw_window(rng)
    time = time_near(rng, start, end)
    told = WORDING.say(
        rng, language, "stay_off", held_out, thing=thing, start=style.write(start), end=style.write(end)
    )
    question = WORDING.say(rng, language, "must_off", held_out, thing=thing, time=style.write(time))
    lines, holds = arithmetic.clock_within(time, start, end)
    thought = ["clock in", *style.fetch(time, start, end), *lines]
    facts = {"kind": "inside", "time": time, "windows": [(start, end)], "wanted": True}
    return _build(
        rng, language, held_out, question, thought, _yes_no(language, holds), facts, _told(told.text), [told]
    )  # fmt: skip


# Ways of writing ------------------------------------------------------------


def _of_the_day(rng, time):
    """A French time told by the half of the day: `8 heures du soir`."""
    hour, minute = divmod(time, 60)
    part = "du matin" if hour < 12 else "de l'après-midi" if hour < 18 else "du soir"
    number = hour % 12 or 12
    plural = "heure" if number == 1 else "heures"
    minutes = {0: "", 15: " et quart", 30: " et demie"}.get(minute, f" {minute}")
    if number == 12 or rng.random() < 0.35:
        return f"{number}h{minute:02d} {part}" if minute else f"{number}h {part}"
    return f"{number} {plural}{minutes} {part}"


def _format(rng, language, held_out):
    time = draw_time(rng)
    half, full = arithmetic.half_day(time), arithmetic.clock(time)
    if rng.random() < 0.6:
        if language == "fr" and rng.random() < 0.8:
            while not 60 <= time % 720 < 720:
                time = draw_time(rng)
            half, full = arithmetic.half_day(time), arithmetic.clock(time)
            written = _of_the_day(rng, time)
        else:
            written = Style(language, "half", rng.randrange(4)).write(time)
        question = WORDING.say(rng, language, "to_24", held_out, time=written)
        thought = ["clock 24h", f"{half}={full}"]
        answer = Answer(full, {"time": full}, capital=False)
        facts = {"kind": "to_24", "time": time}
    else:
        style = Style(language, "colon" if language == "en" else rng.choice(["colon", "h"]), 0)
        question = WORDING.say(rng, language, "to_12", held_out, time=style.write(time))
        thought = ["clock 12h", f"{full}={half}"]
        answer = Answer(half, {"time": half}, capital=False)
        facts = {"kind": "to_12", "time": time}
    return _build(rng, language, held_out, question, thought, answer, facts)


def _split(rng, language, held_out):
    thing = _thing(rng, language, held_out)
    minutes = rng.randint(61, rng.choice([240, 600]))
    question = WORDING.say(
        rng, language, "split", held_out, thing=thing, n=str(minutes)
    )
    thought = ["clock split", arithmetic.hours_and_minutes(minutes)[0]]
    facts = {"kind": "split", "minutes": minutes}
    answer = lasting(minutes)
    if rng.random() < 0.4:
        answer = _parted(language, minutes, thought, facts)
    return _build(rng, language, held_out, question, thought, answer, facts)


# Verification ------------------------------------------------------------

BASE = datetime.datetime(2024, 5, 6)


def moment_of(minutes):
    """A moment of a Monday."""
    return BASE + datetime.timedelta(minutes=minutes)


def written_time(problem, moment, style):
    """A time as this problem's answer must have it."""
    if problem.format == "json" or style.kind == "colon":
        return moment.strftime("%H:%M")
    if style.kind == "h":
        return f"{moment.hour}h{moment:%M}"
    return moment.strftime("%I:%M ").lstrip("0") + moment.strftime("%p").lower()


def _length(span):
    start, end = moment_of(span[0]), moment_of(span[1])
    if end < start:
        end += datetime.timedelta(days=1)
    return end - start


def _plain_length(length):
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _hours_and_minutes(length):
    return Fraction(length // datetime.timedelta(hours=1)), Fraction(length.seconds // 60 % 60)


def in_window(time, start, end):
    """Walks through the window minute by minute."""
    while start != end:
        if start == time:
            return True
        start = (start + 1) % DAY
    return False


def verify(problem):
    """The time, duration, day or truth, computed with `datetime`."""
    facts = problem.facts
    kind = facts["kind"]
    if kind == "shift":
        moment = moment_of(facts["time"]) + sum(
            (datetime.timedelta(minutes=by) for by in facts["by"]), datetime.timedelta()
        )
        return written_time(problem, moment, facts["style"])
    if kind == "ends":
        start = moment_of(facts["time"]) + datetime.timedelta(minutes=facts["by"][0])
        return start.strftime("%H:%M"), (start + datetime.timedelta(minutes=facts["by"][1])).strftime("%H:%M")
    if kind in ("on time", "end + on time"):
        end = moment_of(facts["time"]) + datetime.timedelta(minutes=facts["by"])
        holds = end < moment_of(facts["limit"])
        return holds if kind == "on time" else (end.strftime("%H:%M"), holds)
    if kind in ("span", "minutes"):
        length = sum(map(_length, facts["spans"]), datetime.timedelta())
        if facts.get("apart"):
            return _hours_and_minutes(length)
        if kind == "span":
            return _plain_length(length)
        return Fraction(int(length.total_seconds()), 60)
    if kind == "inside":
        return (
            any(in_window(facts["time"], *window) for window in facts["windows"])
            == facts["wanted"]
        )
    if kind == "which":
        return next(name for name, *window in facts["turns"] if in_window(facts["time"], *window))
    if kind in ("next", "wait", "previous", "next + wait"):
        now = moment_of(facts["now"])
        runs = sorted(moment_of(time + day * DAY) for time in facts["times"] for day in (-1, 0, 1))
        if kind == "previous":
            return written_time(problem, [run for run in runs if run < now][-1], facts["style"])
        following = next(run for run in runs if run > now)
        if kind == "wait":
            return _plain_length(following - now)
        if kind == "next + wait":
            return following.strftime("%H:%M"), Fraction((following - now) // datetime.timedelta(minutes=1))
        return written_time(problem, following, facts["style"])
    names = words.DAYS[problem.language]
    if kind == "week on":
        return facts["today"] in facts["days"]
    if kind == "week next":
        now = moment_of(facts["today"] * DAY + facts["now"])
        runs = sorted(
            moment_of((day + 7 * week) * DAY + facts["start"]) for day in facts["days"] for week in (0, 1)
        )
        following = next(run for run in runs if run > now)
        style = facts["style"]
        if facts["apart"]:
            return names[following.weekday()], following.strftime("%H:%M")
        time = arithmetic.clock(facts["start"]) if style.kind == "colon" else None
        return f"{names[following.weekday()]} {time or style.answer(facts['start'])}"
    if kind == "programme":
        now = moment_of(facts["today"] * DAY + facts["now"])
        runs = sorted(moment_of((day + 7 * week) * DAY + time) for day, time in facts["entries"] for week in (0, 1))
        following = next(run for run in runs if run > now)
        if facts["apart"]:
            return names[following.weekday()], following.strftime("%H:%M")
        return f"{names[following.weekday()]} {facts['style'].answer(following.hour * 60 + following.minute)}"
    if kind == "weekday":
        return names[moment_of((facts["today"] + facts["count"]) * DAY).weekday()]
    if kind == "split" and facts.get("apart"):
        return _hours_and_minutes(datetime.timedelta(minutes=facts["minutes"]))
    if kind == "split":
        return _plain_length(datetime.timedelta(minutes=facts["minutes"]))
    moment = moment_of(facts["time"])
    if kind == "to_24":
        return moment.strftime("%H:%M")
    return moment.strftime("%I:%M ").lstrip("0") + moment.strftime("%p").lower()
