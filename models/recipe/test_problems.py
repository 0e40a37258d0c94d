"""What every family must keep, and the arithmetic they rest on. Run as `python -m unittest`."""

import datetime
import json
import random
import re
import statistics
import unittest
from fractions import Fraction

import arithmetic
import assemble
import families.action
import naming
import noise
import problems
import telemetry
import wording
import words

COUNT = 60
LONGEST = 380
UNFILLED = re.compile(r"<[A-Za-z_]+(\.[A-Za-z_]+)?>|\{[\w, ]*\|[\w|, ]*\}|\{\}")


def made(family, language, held_out=False, count=COUNT):
    rng = random.Random(f"test/{family}/{language}/{held_out}")
    for _ in range(count):
        yield problems.problem(rng, family, language, held_out)


def cases(count=COUNT):
    for family in problems.FAMILIES:
        for language in problems.LANGUAGES:
            for held_out in (False, True):
                for problem in made(family, language, held_out, count):
                    yield problem


def plain_number(text):
    """The first number of a plain answer."""
    found = re.search(r"-?\d+(?:[.,]\d+)?", text)
    return Fraction(found.group().replace(",", ".")) if found else None


def spoken_words(text):
    """The words of a text with unfilled slots."""
    return set(re.findall(r"\w+", re.sub(r"<[^>]*>", " ", text).lower()))


def vocabulary(template):
    """The words that a template may say, None where it puts words together of parts (`arrêté{e|}`)."""

    def walk(parts):
        for part in parts:
            if isinstance(part, wording.Choice):
                yield "{" + "|".join("".join(walk(option)) for option in part.options) + "}"
            else:
                yield "<>" if isinstance(part, wording.Slot) else part

    text = "".join(walk(template.parts))
    return None if re.search(r"\w[{<]|[}>]\w", text) else set(re.findall(r"\w+", text.lower()))


class Families(unittest.TestCase):
    def test_every_answer_is_verified(self):
        for problem in cases():
            expected = problems.verify(problem)
            with self.subTest(prompt=problem.prompt, answer=problem.answer, expected=expected):
                if problem.format == "json":
                    data = json.loads(problem.answer, parse_float=Fraction, parse_int=Fraction)
                    values = tuple(data.values())
                    if isinstance(expected, tuple):
                        self.assertEqual(values, expected)
                        continue
                    if isinstance(expected, Fraction):
                        self.assertIsInstance(values[0], Fraction)
                    self.assertEqual(values[0], expected)
                elif isinstance(expected, bool):
                    said = words.YES_NO[problem.language][0 if expected else 1]
                    self.assertEqual(problem.answer.lower().rstrip("."), said)
                elif isinstance(expected, Fraction):
                    self.assertEqual(plain_number(problem.answer), expected)
                elif isinstance(expected, list):
                    nothing = {"en": "none", "fr": "aucun"}[problem.language]
                    said = assemble.normal(problem.answer).lower()
                    self.assertEqual(said, ", ".join(expected).lower() or nothing)
                else:
                    begins = problem.answer.lower().startswith(expected.lower())
                    self.assertTrue(begins, f"{problem.answer} is not {expected}")

    def test_actions_stand_in_the_question(self):
        for language in problems.LANGUAGES:
            for held_out in (False, True):
                for problem in made("action", language, held_out):
                    told = problem.system + "\n" + problem.prompt
                    found = problems.verify(problem)
                    action = (found[0] if isinstance(found, tuple) else found).split(", ")[0].lower().rstrip(".")
                    if action not in (words.NOTHING[language], families.action.NONE[language]):
                        self.assertIn(action, told.lower(), told)

    def test_reward_knows_right_from_wrong(self):
        for problem in cases(20):
            self.assertTrue(problems.reward(problem, problem.answer))
            self.assertTrue(problems.reward(problem, f"  {problem.answer} \n"))
            self.assertFalse(problems.reward(problem, problem.answer + "1"))
            self.assertFalse(problems.reward(problem, ""))

    def test_shape(self):
        for problem in cases():
            with self.subTest(prompt=problem.prompt):
                self.assertIn(problem.format, ("plain", "json"))
                roles = [turn["role"] for turn in problem.messages]
                self.assertEqual(roles, ["user", "assistant"] * (len(roles) // 2) + ["user"])
                self.assertLessEqual(len(roles), 5)
                told = problem.system + "\n".join(turn["content"] for turn in problem.messages)
                self.assertIsNone(UNFILLED.search(told), told)
                self.assertNotIn("@", problem.prompt)
                self.assertIsNone(UNFILLED.search(problem.thought), problem.thought)
                if problem.layout != "aligned":
                    self.assertNotRegex(told, r"  +\w")
                self.assertTrue(problem.thought and not problem.thought.endswith("\n"))
                self.assertNotIn("think>", problem.thought)
                self.assertNotIn("\n", problem.answer)
                self.assertLess(problems.length(problem.thought), LONGEST, problem.thought)
                if problem.format == "json":
                    self.assertIsInstance(json.loads(problem.answer), dict)

    def test_both_formats_in_both_languages(self):
        for family in problems.FAMILIES:
            for language in problems.LANGUAGES:
                formats = {problem.format for problem in made(family, language, count=150)}
                self.assertEqual(formats, {"plain", "json"}, family)

    def test_typical_thought_is_short(self):
        lengths = [problems.length(p.thought) for p in problems.stream("length", count=800)]
        self.assertLess(statistics.median(lengths), 60)

    def test_same_seed_same_problems(self):
        for held_out in (False, True):
            first = list(problems.stream(5, held_out, 60))
            self.assertEqual(first, list(problems.stream(5, held_out, 60)))
        self.assertNotEqual(list(problems.stream(5, False, 9)), list(problems.stream(6, False, 9)))

    def test_seeds_hardly_repeat(self):
        prompts = [problem.prompt for problem in problems.stream("repeat", count=800)]
        self.assertGreater(len(set(prompts)), 790)

    def test_drills(self):
        rng = random.Random(3)
        for _ in range(400):
            for given, result in problems.drill(rng):
                self.assertTrue(given)
                self.assertTrue(result.endswith("\n"), (given, result))


class Names(unittest.TestCase):
    def test_any_names_differ_and_mean_nothing_else(self):
        rng = random.Random(8)
        for _ in range(300):
            found = naming.any_names(rng, 6)
            self.assertEqual(len({name.lower() for name in found}), 6)
            self.assertFalse(naming.MEANT & {name.lower() for name in found})

    def test_codes_differ(self):
        rng = random.Random(9)
        for count in (2, 5, 8):
            for _ in range(200):
                self.assertEqual(len(set(naming.codes(rng, "fr", count))), count)

    def test_devices_are_mostly_known_and_sometimes_of_any_words(self):
        rng = random.Random(4)
        found = [naming.devices(rng, "en") for _ in range(400)]
        strange = [d for d in found if d not in words.DEVICES["en"]]
        self.assertTrue(8 < len(strange) < 50, len(strange))
        for devices in strange:
            self.assertEqual(len({devices.one.text, *devices.states}), 3)
        self.assertIn(naming.devices(rng, "fr", True), words.DEVICES_HELD_OUT["fr"])
        for language in words.DEVICES:
            kinds = {d.one.text for d in words.DEVICES[language]}
            self.assertFalse(kinds & {d.one.text for d in words.DEVICES_HELD_OUT[language]})

    def test_held_out_places_are_not_among_the_others(self):
        for language, places in words.PLACES_HELD_OUT.items():
            known = {str(place) for place in words.PLACES[language]}
            known |= {*words.THINGS[language], *words.ID_STEMS[language]}
            self.assertEqual({str(place) for place in places} & known, set())

    def test_words_of_held_out_lists_are_not_known(self):
        seen = {str(place) for language in words.PLACES for place in words.PLACES[language]}
        seen = {word for place in seen for word in place.split()}
        _, every = naming.known()
        for word in ("mezzanine", "poulailler", "kiosk"):
            self.assertNotIn(word, seen)
            self.assertNotIn(word, every)
        self.assertIn("cellar", every)

    def test_keys_of_json_are_not_only_ours(self):
        ours = {key for options in assemble.KEYS.values() for keys in options.values() for key in keys}
        found = [set(json.loads(p.answer)) for p in problems.stream("keys", count=600) if p.format == "json"]
        strange = [keys for keys in found if keys - ours]
        self.assertTrue(0.05 < len(strange) / len(found) < 0.8, len(strange))


class Json(unittest.TestCase):
    FIELDS = {"value": assemble.Amount(215, 1, "bar"), "names": ["hall", "bath"], "truth": True, "reason": "so"}

    def test_keys_that_say_nothing_stand_in_the_order_of_the_fields(self):
        """Where a field is left out, what stands behind it cannot be told by its place."""
        answer, rng, strange = assemble.Answer("", self.FIELDS), random.Random(3), 0
        usual = {key for entry in assemble.KEYS.values() for keys in entry.values() for key in keys}
        for _ in range(600):
            _, asked, unit_key = assemble.json_request(rng, "en", False, answer, True)
            complete = list(asked.values()) == list(self.FIELDS)
            behind = [key for i, (key, name) in enumerate(asked.items()) if name != list(self.FIELDS)[i]]
            behind += [unit_key] if unit_key and not complete else []
            self.assertLessEqual(set(behind), usual, asked)
            strange += bool(asked.keys() - usual)
        self.assertGreater(strange, 100)

    def test_examples_tell_the_type_or_nothing(self):
        rng, seen = random.Random(5), set()
        for _ in range(500):
            holders = assemble.placeholders(rng, list(self.FIELDS.values()))
            seen.add(tuple(holders))
            self.assertNotEqual(holders[0][0], '"')
            self.assertIn(holders[1][0], "[.")
            self.assertIn(holders[3][0], '".')
        self.assertGreater(len(seen), 10)


class Forms(unittest.TestCase):
    """How questions and data are told."""

    def test_thousands_are_set_apart(self):
        for number, told in (("999", "999"), ("1000", "1,000"), ("12450.5", "12,450.5"), ("1234567", "1,234,567")):
            self.assertEqual(telemetry.grouped(number, ","), told)

    def test_a_question_may_be_one_message(self):
        pairs = telemetry.Told('{"hall": 21.5}', "map", ["hall"], True, "")
        lines = telemetry.Told("hall 21.5\nbath 19", "lines", ["hall", "bath"], True, "")
        for told, kept in ((pairs, {"hall": 21.5}), (lines, lines.text)):
            for seed in range(20):
                sent = json.loads(assemble.message(random.Random(seed), "en", 'Is it "warm"?', told, "A rule."))
                self.assertEqual(len(sent), 3)
                for expected in ('Is it "warm"?', kept, "A rule."):
                    self.assertIn(expected, list(sent.values()))


class Noise(unittest.TestCase):
    def changes(self, roughened, seed, count):
        """Of so many problems: the problem and the words that `roughened` took away; asserts that the rest is as it was."""
        rng = random.Random(seed)
        for problem in problems.stream(seed, count=count):
            made = roughened(rng, problem)
            self.assertEqual((made.thought, made.answer), (problem.thought, problem.answer))
            self.assertEqual(re.findall(r"\d", problem.prompt), re.findall(r"\d", made.prompt))
            gone = set(noise.WORD.findall(problem.prompt)) - set(noise.WORD.findall(made.prompt))
            self.assertLessEqual(gone, problem.literals)
            yield problem, made.prompt != problem.prompt, gone

    def test_only_words_of_the_wording_are_disturbed(self):
        changed = 0
        for _, is_other, gone in self.changes(noise.disturb, "noise", 1500):
            changed += is_other
            self.assertLessEqual(len(gone), 2)
            self.assertFalse({word.lower() for word in gone} & noise.KEPT)
        self.assertTrue(200 < changed < 600, changed)

    def test_words_of_the_wording_are_said_otherwise(self):
        changed = 0
        for problem, is_other, gone in self.changes(noise.reworded, "synonyms", 600):
            changed += is_other
            self.assertLessEqual({word.lower() for word in gone}, noise.synonyms(problem.language).keys())
        self.assertTrue(80 < changed < 400, changed)

    def test_synonyms_are_read(self):
        for language in wording.LANGUAGES:
            self.assertGreater(len(noise.synonyms(language)), 1000)
        self.assertIn("largest", noise.synonyms("en")["biggest"])


class HeldOut(unittest.TestCase):
    def test_training_never_draws_from_held_out(self):
        pick = wording.Wording.pick

        def watched(loaded, rng, language, section, held_out):
            self.assertFalse(held_out, f"{loaded.family} [{section}]")
            return pick(loaded, rng, language, section, held_out)

        wording.Wording.pick = watched
        try:
            for _ in problems.stream("watched", count=400):
                pass
        finally:
            wording.Wording.pick = pick

    def test_held_out_problems_use_held_out_wordings(self):
        for family in problems.FAMILIES:
            for problem in made(family, "en", True, 40):
                apart = {
                    template.source
                    for loaded in wording.LOADED.values()
                    for (_, _, held_out), found in loaded.templates.items()
                    if held_out
                    for template in found
                }
                self.assertLessEqual(set(problem.phrasings), apart)

    def sections_apart(self, rng):
        """Of each section with wordings of its own held out: where it is, its training lines, and texts held out."""
        for loaded in wording.LOADED.values():
            for (language, section, held_out), templates in loaded.templates.items():
                seen = loaded.templates[language, section, False]
                if held_out and templates is not seen:
                    texts = [t.say(rng).text for t in templates for _ in range(min(20, t.expansions()))]
                    yield language, f"{loaded.family} {language} [{section}]", seen, texts

    def test_vocabulary_has_every_word_a_template_says(self):
        rng = random.Random(13)
        for loaded in wording.LOADED.values():
            for templates in loaded.templates.values():
                for template in templates[::9]:
                    known = vocabulary(template)
                    if known is not None:
                        self.assertLessEqual(spoken_words(template.say(rng).text), known)

    def test_wordings_do_not_overlap(self):
        """Names the training lines alone: who mends them must not read what is held out."""
        common = []
        for _, where, seen, texts in self.sections_apart(random.Random(11)):
            spoken = [(text, spoken_words(text)) for text in set(texts)]
            for line in seen:
                known = vocabulary(line)
                likely = [text for text, said in spoken if known is None or said <= known]
                if not likely:
                    continue
                pattern = re.compile(line.pattern().pattern, re.IGNORECASE)
                if any(pattern.fullmatch(text) for text in likely):
                    common.append(f"{where}: {line.source}")
        self.assertFalse(common, "\n".join(["training lines that also make a held-out text:", *common]))

    def test_synonyms_make_no_held_out_wording(self):
        rng, common = random.Random(12), []
        for language, where, seen, texts in self.sections_apart(rng):
            apart = {text.lower() for text in texts}
            for line in seen:
                said = line.say(rng)
                text = noise.said_otherwise(rng, said.text, language, said.literals)
                if text != said.text and text.lower() in apart:
                    common.append(f"{where}: {said.text} -> {text}")
        self.assertFalse(common, "\n".join(["synonyms that make a held-out text of training lines:", *common]))


class Wordings(unittest.TestCase):
    def test_grammar(self):
        template = wording.Template("{a|b} [c ]<noun.the> \\<= {<Limit>|x{y|z}}")
        self.assertEqual(template.expansions(), 2 * 2 * 3)
        self.assertEqual({str(s) for s in template.slots()}, {"<noun.the>", "<Limit>"})
        hall = words.Noun("hall", "fr", "m")
        said = template.say(random.Random(1), {"noun": hall, "limit": "v"})
        self.assertRegex(said.text, r"^[ab] (c )?le hall <= (V|xy|xz)$")
        self.assertTrue(template.pattern().fullmatch(template.say(random.Random(2)).text))

    def test_a_new_line_is_written_as_one(self):
        template = wording.Template(r"level: <level>\nrate: <rate>")
        self.assertEqual(template.say(random.Random(1)).text, "level: <level>\nrate: <rate>")

    def test_mistakes_are_found_when_loading(self):
        for wrong in ("{a|b", "a}", "{noun}", "<noun", "@unknown x", "[a", "a < b"):
            with self.assertRaises(ValueError, msg=wrong):
                wording.Template(wrong)

    def test_where_something_is(self):
        places = [("hall", "en", "in the hall"), ("first floor", "en", "on the first floor"), ("étage", "fr", "à l'étage")]
        places += [("premier étage", "fr", "au premier étage"), ("hall", "fr", "dans le hall")]
        for place, language, said in places:
            self.assertEqual(words.Noun(place, language).in_the, said)

    def test_comparatives(self):
        for most, more in (("warmest", "warmer"), ("driest", "drier"), ("least humid", "less humid")):
            self.assertEqual(words.Adjective(most).more, more)

    def test_french_actions_have_all_forms(self):
        for action in words.ACTIONS["fr"]:
            forms = {words.spoken(action, form).do for form in range(3)}
            self.assertGreaterEqual(len(forms), 2, action)
            self.assertNotEqual(action.do, action.undo)

    def test_french_forms(self):
        humidity, hall = words.Noun("humidité", "fr", "f"), words.Noun("hall", "fr", "m")
        self.assertEqual((humidity.the, humidity.of_the), ("l'humidité", "de l'humidité"))
        self.assertEqual(
            (hall.the, hall.of_the, hall.in_the), ("le hall", "du hall", "dans le hall")
        )
        lights = words.Noun("lumières", "fr", "f", True)
        self.assertEqual((lights.the, lights.be, lights.e), ("les lumières", "sont", "es"))
        self.assertEqual(wording.elided("si il dit que elle va"), "s'il dit qu'elle va")


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(7)

    def number(self, low=0, high=9999):
        return self.rng.randint(low, self.rng.choice([9, 99, 999, high])), self.rng.choice(
            [0, 1, 2]
        )

    def test_sums(self):
        self.assertEqual(arithmetic.addition(215, 197, 1)[0], "21.5+19.7~2.14=41.2")
        self.assertEqual(arithmetic.subtraction(223, 181, 1)[0], "22.3-18.1~2.40=4.2")
        for _ in range(3000):
            a, decimals = self.number(-99)
            b, _ = self.number(-99)
            for subtract in (arithmetic.difference, arithmetic.change):
                line, result = subtract(a, b, decimals)
                self.assertEqual(result, a - b)
                self.assertEqual(line.rsplit("=", 1)[1], arithmetic.text(a - b, decimals), line)
                columns = re.search(r"~([\d.]+)", line).group(1)[::-1]
                self.assertEqual(abs(Fraction(columns)), abs(Fraction(a - b, 10**decimals)), line)

    def test_change_compares_first(self):
        for a, b, line in (
            (30, 24, "3.0-2.4 3>2~6.0=0.6"),
            (24, 30, "2.4-3.0 2<3 -(3.0-2.4)~6.0=-0.6"),
            (50, 50, "5.0-5.0 5=5 0=0~0.0=0.0"),
            (-180, -40, "-18.0--4.0=4.0-18.0 #1<#2 -(18.0-4.0)~0.41=-14.0"),
            (-30, 24, "-3.0-2.4=-(3.0+2.4)~4.5=-5.4"),
        ):
            self.assertEqual(arithmetic.change(a, b, 1)[0], line)

    def test_running_sum(self):
        for _ in range(1500):
            decimals = self.rng.choice([0, 1])
            values = [self.rng.randint(-60, 400) for _ in range(self.rng.randint(1, 8))]
            lines, total = arithmetic.running_sum(values, decimals)
            self.assertEqual(total, sum(values))
            mirrored = lines[-1].rsplit("~", 1)[1]
            sign = "-" if mirrored.endswith("-") else ""
            self.assertEqual(
                Fraction(sign + mirrored.rstrip("-")[::-1]), Fraction(total, 10**decimals), lines
            )

    def test_comparison(self):
        self.assertEqual(arithmetic.comparison(293, 1, ">", 28, 0)[0], "29.3>28 2=2 9>8 yes")
        for _ in range(3000):
            (a, a_decimals), (b, b_decimals) = self.number(-99), self.number(-99)
            line, holds = arithmetic.comparison(a, a_decimals, "<", b, b_decimals)
            self.assertEqual(holds, Fraction(a, 10**a_decimals) < Fraction(b, 10**b_decimals), line)

    def test_order(self):
        for _ in range(1500):
            count, decimals = self.rng.randint(1, 8), self.rng.choice([0, 1])
            values = [self.rng.randint(-30, 120) for _ in range(count)]
            _, order = arithmetic.ordering(values, decimals)
            self.assertEqual([values[i] for i in order], sorted(values, reverse=True))
            _, high, low = arithmetic.extremes(values, decimals)
            self.assertEqual((values[high], values[low]), (max(values), min(values)))
            self.assertEqual(values[arithmetic.best(values, decimals)[1]], max(values))
            self.assertEqual(values[arithmetic.best(values, decimals, "<")[1]], min(values))

    def test_other_orders(self):
        self.assertEqual(arithmetic.alphabetical(["kitchen", "attic"])[0][1], "2:attic 1 a<k *21")
        for _ in range(500):
            count, decimals = self.rng.randint(2, 8), self.rng.choice([0, 1])
            values = [self.rng.randint(-30, 120) for _ in range(count)]
            _, order = arithmetic.ordering(values, decimals, relation="<")
            self.assertEqual([values[i] for i in order], sorted(values))
            _, order = arithmetic.ordering(values, decimals, relation="<", keep=2)
            self.assertEqual([values[i] for i in order], sorted(values)[:2])
            names = self.rng.sample(["ab", "za", "kb", "ma", "qc", "xo"], 4)
            _, order = arithmetic.alphabetical(names)
            self.assertEqual([names[i] for i in order], sorted(names))

    def test_products_and_quotients(self):
        self.assertEqual(arithmetic.multiplication(235, 1, 4)[0], "23.5x4 20 14 9 =94.0")
        self.assertEqual(
            arithmetic.whole_division(410, 30), ("410/30 41=1(30)r11 110=3(90)r20 =13r20", 13, 20)
        )
        self.assertEqual(arithmetic.division(588, 1, 3)[0], "58.8/3 5=1r2 28=9r1 .18=6r0 =19.6")
        for _ in range(3000):
            (a, a_decimals), (b, b_decimals) = self.number(), self.number(0, 300)
            _, product, decimals = arithmetic.product(a, a_decimals, b, b_decimals)
            exact = Fraction(a, 10**a_decimals) * Fraction(b, 10**b_decimals)
            self.assertEqual(Fraction(product, 10**decimals), exact)
            n, places = self.rng.choice([2, 3, 6, 7, 8, 9, 12, 24, 60]), self.rng.choice([0, 1, 2])
            a = -a if self.rng.random() < 0.2 else a
            line, value, made, is_exact = arithmetic.division(a, a_decimals, n, places)
            true = Fraction(a, 10**a_decimals) / n
            self.assertLessEqual(made, places)
            self.assertEqual(is_exact, Fraction(value, 10**made) == true, line)
            rounded = int(abs(true) * 10**places + Fraction(1, 2))
            self.assertEqual(abs(Fraction(value, 10**made)), Fraction(rounded, 10**places), line)

    def test_shifts_and_divisors(self):
        self.assertEqual(arithmetic.shifted(15, 1, 3)[0], "1.5x1000 15 150 =1500")
        self.assertEqual(arithmetic.shifted(250, 0, -3)[0], "250/1000 25 2.5 =0.25")
        self.assertEqual(
            arithmetic.quotient(450, 0, 25, 1)[0],
            ["450/2.5 =4500/25", "4500/25 45=1(25)r20 200=8(200)r0 0=0(0)r0 =180"],
        )
        for _ in range(3000):
            (a, a_decimals), (b, b_decimals) = self.number(-99), self.number(1, 999)
            exact = Fraction(a, 10**a_decimals) * Fraction(b, 10**b_decimals)
            lines, value, decimals = arithmetic.times(a, a_decimals, b, b_decimals)
            self.assertEqual(Fraction(value, 10**decimals), exact, lines)
            self.assertTrue(lines[-1].endswith(f"={arithmetic.text(value, decimals)}"), lines)
            exact = Fraction(a, 10**a_decimals) / Fraction(b, 10**b_decimals)
            places = self.rng.choice([0, 1, 2])
            lines, value, decimals, is_exact = arithmetic.quotient(
                a, a_decimals, b, b_decimals, places
            )
            size = int(abs(exact) * 10**places + Fraction(1, 2))
            self.assertEqual(abs(Fraction(value, 10**decimals)), Fraction(size, 10**places), lines)
            self.assertEqual(is_exact, Fraction(value, 10**decimals) == exact, lines)
            self.assertTrue(lines[-1].endswith(f"={arithmetic.text(value, decimals)}"), lines)
            line, total = arithmetic.total(a, b, a_decimals)
            self.assertEqual(total, a + b, line)

    def test_rounding(self):
        self.assertEqual(arithmetic.rounded(2345, 3, 2), ("2.34|5 5 up =2.35", 235))
        for _ in range(2000):
            value, decimals = self.rng.randint(-9999, 9999), self.rng.choice([1, 2, 3])
            places = self.rng.randrange(decimals)
            line, rounded = arithmetic.rounded(value, decimals, places)
            size = int(Fraction(abs(value), 10 ** (decimals - places)) + Fraction(1, 2))
            self.assertEqual(abs(rounded), size, line)
            self.assertTrue(line.endswith(f"={arithmetic.text(rounded, places)}"), line)

    def test_clock(self):
        for _ in range(3000):
            a, b = self.rng.randrange(1440), self.rng.randrange(1440)
            base = datetime.datetime(2024, 5, 1, a // 60, a % 60)
            line, _ = arithmetic.clock_addition(a, b)
            later = base + datetime.timedelta(minutes=b)
            days = (later.date() - base.date()).days
            self.assertTrue(line.endswith(f"={later:%H:%M}" + (f" +{days}d" if days else "")), line)
            line, minutes = arithmetic.clock_difference(b, a)
            self.assertEqual(minutes, (b - a) % 1440, line)
            self.assertTrue(line.endswith(f"={minutes // 60}:{minutes % 60:02d}"), line)
            line, _ = arithmetic.clock_subtraction(a, b)
            earlier = base - datetime.timedelta(minutes=b)
            days = (base.date() - earlier.date()).days
            ending = f"={earlier:%H:%M}" + (f" -{days}d" if days else "")
            self.assertTrue(line.endswith(ending), line)
            half = datetime.datetime.strptime(arithmetic.half_day(a), "%I:%M %p")
            self.assertEqual(f"{half:%H:%M}", arithmetic.clock(a))
            self.assertEqual(arithmetic.time_digits(a, b)[1], (a > b) - (a < b))
            time, inside = self.rng.randrange(1440), None
            _, inside = arithmetic.clock_within(time, a, b)
            true = a <= time < b if a <= b else time >= a or time < b
            self.assertEqual(inside, true, (time, a, b))
            self.assertEqual(arithmetic.hours_and_minutes(a)[1], divmod(a, 60))


if __name__ == "__main__":
    unittest.main()
