"""The clock: a time plus or minus durations, the time between two, daily windows over midnight,
schedules, weekdays, and the ways to write a time.

Times are minutes of a day in here. A question keeps to one way of writing them (`22:45`, `10:45
pm`, `22h45`) and is answered in the same; JSON always has `22:45`. Thoughts only know `22:45`.
"""

import dataclasses
import datetime
import re
from fractions import Fraction

import arithmetic
import telemetry
import telling
import wording
import words
from arithmetic import DAY
from assemble import Amount, Answer, build

WEIGHT = 11
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
    kinds = [_add, _add_two, _sub, _between, _minutes, _inside, _may, _two_windows, _next, _week]
    kinds += [_weekday, _total, _format, _split, _programme, _slip, _ends, _left, _on_time, _stay_off]
    kind = rng.choices(kinds, [14, 5, 9, 14, 6, 15, 7, 4, 17, 10, 4, 4, 6, 3, 13, 7, 6, 4, 9, 6])[0]
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
    return telemetry.Told(_stopped(text), "sentence", [], text.startswith("{"), "")


def _stopped(text):
    """`6 a.m.` at the end of a sentence has one full stop."""
    return text.replace(".m..", ".m.")


def _build(rng, language, held_out, question, thought, answer, facts, told=None, phrasings=()):
    return build(
        rng,
        FAMILY,
        language,
        held_out,
        dataclasses.replace(question, text=_stopped(question.text)),
        thought,
        answer,
        told,
        facts=facts,
        phrasings=phrasings,
    )


def _add(rng, language, held_out):
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    time = draw_time(rng)
    text, minutes, steps = duration(rng, language)
    question = WORDING.say(
        rng, language, "add", held_out, thing=thing, time=style.write(time), dur=text
    )
    line, end = arithmetic.clock_addition(time, minutes)
    thought = ["clock add", *style.fetch(time), *steps, line, *style.back(end)]
    facts = {"kind": "shift", "style": style, "time": time, "by": [minutes]}
    return _build(rng, language, held_out, question, thought, style.time(end), facts)


def _add_two(rng, language, held_out):
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    time = draw_time(rng)
    first, a, steps = duration(rng, language, 300)
    second, b, steps_two = duration(rng, language, 200)
    question = WORDING.say(
        rng,
        language,
        "add_two",
        held_out,
        thing=thing,
        time=style.write(time),
        dur=first,
        dur_two=second,
    )
    line, middle = arithmetic.clock_addition(time, a)
    line_two, end = arithmetic.clock_addition(middle % DAY, b)
    thought = ["clock add", *style.fetch(time), *steps, line, *steps_two, line_two]
    thought += style.back(end)
    facts = {"kind": "shift", "style": style, "time": time, "by": [a, b]}
    return _build(rng, language, held_out, question, thought, style.time(end), facts)


def _sub(rng, language, held_out):
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    time = draw_time(rng)
    text, minutes, steps = duration(rng, language)
    question = WORDING.say(
        rng, language, "sub", held_out, thing=thing, time=style.write(time), dur=text
    )
    line, start = arithmetic.clock_subtraction(time, minutes)
    thought = ["clock sub", *style.fetch(time), *steps, line, *style.back(start)]
    facts = {"kind": "shift", "style": style, "time": time, "by": [-minutes]}
    return _build(rng, language, held_out, question, thought, style.time(start), facts)


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
    thought = ["clock span min", *style.fetch(start, end), line]
    hours, rest = divmod(minutes, 60)
    if hours:
        thought.append(f"{hours}x60={hours * 60}")
        thought.append(arithmetic.addition(hours * 60, rest, 0)[0])
    unit = "minutes" if "minutes" in question.text else "min"
    answer = Answer("{value}", {"value": Amount(minutes, 0, unit)})
    facts = {"kind": "minutes", "spans": [(start, end)]}
    return _build(rng, language, held_out, question, thought, answer, facts)


# Windows ------------------------------------------------------------


def _yes_no(language, holds):
    said = words.YES_NO[language][0 if holds else 1]
    return Answer(f"{said}.", {"truth": holds})


def _window(rng):
    """A daily window, over midnight more often than not."""
    if rng.random() < 0.6:
        return draw_time(rng, 19 * 60, DAY - 1), draw_time(rng, 4 * 60, 9 * 60)
    start = draw_time(rng, 0, 18 * 60)
    return start, draw_time(rng, start + 61, min(DAY - 1, start + 720))


def _time_near(rng, start, end):
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
    start, end = _window(rng)
    time = _time_near(rng, start, end)
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
    start, end = _window(rng)
    time = _time_near(rng, start, end)
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
    time = _time_near(rng, *chosen)
    while time in (start, end, start_two, end_two):
        time = _time_near(rng, *chosen)
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
        count = rng.randint(2, 5)
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
    reach = min(len(times) - 1, 5)
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
    else:
        thought += style.back(found)
        answer = style.time(found)
    return _build(
        rng, language, held_out, question, thought, answer, facts, _told(said.text), [said]
    )


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
    if language == "fr":
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
        return telemetry.Told(_stopped(text[0].upper() + text[1:]), "sentence", [], False, "")
    rows = rng.choice([", ", "; ", " / "]).join(f"{day} {time}" for day, time in shown)
    return telemetry.Told(_stopped(f"{head}{colon}{rows}."), "sentence", [], False, "")


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


def _total(rng, language, held_out):
    """How long something ran in two or three runs of one day."""
    style, thing = draw_style(rng, language), _thing(rng, language, held_out)
    count = rng.choice([2, 2, 2, 3]) if style.kind != "half" else 2
    edges = set()
    while len(edges) < 2 * count:
        edges.add(draw_time(rng, 60, DAY - 1))
    edges = sorted(edges)
    spans = list(zip(edges[::2], edges[1::2]))
    shapes = {
        "en": ["from {} to {}", "{}-{}", "{} to {}", "{} – {}", "{} until {}", "{}..{}"],
        "fr": ["de {} à {}", "{}-{}", "{} à {}", "{} – {}", "de {} jusqu'à {}", "{}..{}"],
    }
    shape = rng.choice(shapes[language])
    runs = [shape.format(style.write(a), style.write(b)) for a, b in spans]
    said = WORDING.say(
        rng, language, "runs", held_out, thing=thing, runs=telemetry.joined(runs, language)
    )
    question = WORDING.say(rng, language, "total", held_out, thing=thing)
    thought, total = ["clock total"], 0
    for i, (start, end) in enumerate(spans):
        thought += style.fetch(start, end)
        line, minutes = arithmetic.clock_difference(end, start)
        thought.append(line)
        if i:
            line, _ = arithmetic.clock_addition(total, minutes)
            thought.append(line)
        total += minutes
    facts = {"kind": "span", "spans": spans}
    return _build(
        rng,
        language,
        held_out,
        question,
        thought,
        lasting(total),
        facts,
        _told(said.text),
        [said],
    )


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
    thought = ["clock span min", *style.fetch(now, end), line]
    hours, rest = divmod(minutes, 60)
    if hours:
        thought += [f"{hours}x60={hours * 60}", arithmetic.addition(hours * 60, rest, 0)[0]]
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
    start, end = _window(rng)
    time = _time_near(rng, start, end)
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


def _at(minutes):
    """A moment of a Monday."""
    return BASE + datetime.timedelta(minutes=minutes)


def _written(problem, moment, style):
    """A time as this problem's answer must have it."""
    if problem.format == "json" or style.kind == "colon":
        return moment.strftime("%H:%M")
    if style.kind == "h":
        return f"{moment.hour}h{moment:%M}"
    return moment.strftime("%I:%M ").lstrip("0") + moment.strftime("%p").lower()


def _length(span):
    start, end = _at(span[0]), _at(span[1])
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


def _in_window(time, start, end):
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
        moment = _at(facts["time"]) + sum(
            (datetime.timedelta(minutes=by) for by in facts["by"]), datetime.timedelta()
        )
        return _written(problem, moment, facts["style"])
    if kind == "ends":
        start = _at(facts["time"]) + datetime.timedelta(minutes=facts["by"][0])
        return start.strftime("%H:%M"), (start + datetime.timedelta(minutes=facts["by"][1])).strftime("%H:%M")
    if kind in ("on time", "end + on time"):
        end = _at(facts["time"]) + datetime.timedelta(minutes=facts["by"])
        holds = end < _at(facts["limit"])
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
            any(_in_window(facts["time"], *window) for window in facts["windows"])
            == facts["wanted"]
        )
    if kind in ("next", "wait", "previous"):
        now = _at(facts["now"])
        runs = sorted(_at(time + day * DAY) for time in facts["times"] for day in (-1, 0, 1))
        if kind == "previous":
            return _written(problem, [run for run in runs if run < now][-1], facts["style"])
        following = next(run for run in runs if run > now)
        if kind == "wait":
            return _plain_length(following - now)
        return _written(problem, following, facts["style"])
    names = words.DAYS[problem.language]
    if kind == "week on":
        return facts["today"] in facts["days"]
    if kind == "week next":
        now = _at(facts["today"] * DAY + facts["now"])
        runs = sorted(
            _at((day + 7 * week) * DAY + facts["start"]) for day in facts["days"] for week in (0, 1)
        )
        following = next(run for run in runs if run > now)
        style = facts["style"]
        if facts["apart"]:
            return names[following.weekday()], following.strftime("%H:%M")
        time = arithmetic.clock(facts["start"]) if style.kind == "colon" else None
        return f"{names[following.weekday()]} {time or style.answer(facts['start'])}"
    if kind == "programme":
        now = _at(facts["today"] * DAY + facts["now"])
        runs = sorted(_at((day + 7 * week) * DAY + time) for day, time in facts["entries"] for week in (0, 1))
        following = next(run for run in runs if run > now)
        if facts["apart"]:
            return names[following.weekday()], following.strftime("%H:%M")
        return f"{names[following.weekday()]} {facts['style'].answer(following.hour * 60 + following.minute)}"
    if kind == "weekday":
        return names[_at((facts["today"] + facts["count"]) * DAY).weekday()]
    if kind == "split" and facts.get("apart"):
        return _hours_and_minutes(datetime.timedelta(minutes=facts["minutes"]))
    if kind == "split":
        return _plain_length(datetime.timedelta(minutes=facts["minutes"]))
    moment = _at(facts["time"])
    if kind == "to_24":
        return moment.strftime("%H:%M")
    return moment.strftime("%I:%M ").lstrip("0") + moment.strftime("%p").lower()
