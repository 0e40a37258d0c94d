"""Wordings as data: a small grammar of templates, read from `phrasings/` and checked when loaded.

A file has sections, `[mean]`, of one template a line. Empty lines and lines that begin with `#` do
not count.

    {a|b|c}     one of the alternatives, `{please |}` may be nothing; they nest
    [text]      the text or nothing
    <noun>      a slot; `<noun.the>` one of its forms; `<Noun.the>` the same with a capital
    @ask        a fragment defined before by a line `@ask = {What is|Tell me}`
    \\{ \\[ \\< \\@ \\|   the sign itself
    \\n          a new line

`phrasings/<language>/common.txt` may define fragments for all families of a language. What is under
`phrasings/held_out/` is laid out alike, has its own fragments, and is for evaluation only. A
section must exist in both, unless its heading says that it serves both: `[relation shared]`.
"""

import dataclasses
import functools
import itertools
import operator
import pathlib
import re

LANGUAGES = ("en", "fr")
FOLDER = pathlib.Path(__file__).parent / "phrasings"
SLOT = re.compile(r"<([A-Za-z_]+)(?:\.([A-Za-z_]+))?>")
FRAGMENT = re.compile(r"@([a-z_]+)")
HEADING = re.compile(r"\[([a-z_0-9]+)( shared)?\]")
LIMIT_OF_EXPANSIONS = 10**9
# The template after so many others of its section is picked half as often as the first: lines were added to sections over
# time, ever rarer ways to ask, and what everybody says drowned among them.
PLAIN = 15


class WordingError(ValueError):
    """A wording file that cannot be used: file, line and reason."""


@dataclasses.dataclass(frozen=True)
class Slot:
    name: str
    form: str
    capital: bool

    def fill(self, values):
        value = values[self.name]
        text = str(getattr(value, self.form)) if self.form else str(value)
        return capital(text) if self.capital else text

    def __str__(self):
        name = capital(self.name) if self.capital else self.name
        return f"<{name}.{self.form}>" if self.form else f"<{name}>"


@dataclasses.dataclass(frozen=True)
class Choice:
    options: tuple


@dataclasses.dataclass(frozen=True)
class Said:
    """A filled template: its text, its source line, the names of the slots it used and the words of its own."""

    text: str
    source: str
    slots: frozenset
    literals: frozenset = frozenset()

    def within(self, text):
        """The same wording as part of a longer text."""
        return dataclasses.replace(self, text=text)


def capital(text):
    return text[:1].upper() + text[1:]


class Template:
    """One parsed line."""

    def __init__(self, source, fragments=None):
        self.source = source
        self.fragments = fragments or {}
        self.position = 0
        self.parts = self._sequence("")
        del self.fragments, self.position

    def _sequence(self, end):
        parts, literal = [], []

        def close():
            if literal:
                parts.append("".join(literal))
                literal.clear()

        while self.position < len(self.source):
            sign = self.source[self.position]
            if end and sign in end:
                break
            if sign == "\\":
                escaped = self.source[self.position + 1 : self.position + 2]
                literal.append("\n" if escaped == "n" else escaped)
                self.position += 2
            elif sign in "{[":
                close()
                parts.append(self._choice(sign))
            elif sign in "}]|":
                raise ValueError(f"`{sign}` without its opening at column {self.position + 1}")
            elif sign == "<":
                close()
                found = SLOT.match(self.source, self.position)
                if not found:
                    raise ValueError(f"no slot at column {self.position + 1}")
                name, form = found.group(1), found.group(2) or ""
                parts.append(Slot(name[0].lower() + name[1:], form, name[0].isupper()))
                self.position = found.end()
            elif sign == "@":
                close()
                found = FRAGMENT.match(self.source, self.position)
                if not found or found.group(1) not in self.fragments:
                    raise ValueError(f"unknown fragment at column {self.position + 1}")
                parts.extend(self.fragments[found.group(1)].parts)
                self.position = found.end()
            else:
                literal.append(sign)
                self.position += 1
        close()
        return tuple(parts)

    def _choice(self, opening):
        closing = "}" if opening == "{" else "]"
        options = []
        while True:
            self.position += 1
            options.append(self._sequence("|" + closing))
            if self.position >= len(self.source):
                raise ValueError(f"`{opening}` is never closed")
            if self.source[self.position] == closing:
                break
        self.position += 1
        if opening == "[":
            options.append(())
        elif len(options) == 1:
            raise ValueError("a choice needs two alternatives; a slot is written <name>")
        return Choice(tuple(options))

    def slots(self):
        """Every slot that occurs anywhere in the template."""

        def walk(parts):
            for part in parts:
                if isinstance(part, Slot):
                    yield part
                elif isinstance(part, Choice):
                    for option in part.options:
                        yield from walk(option)

        return set(walk(self.parts))

    def expansions(self):
        """How many texts the template has, slots unfilled."""

        def count(parts):
            product = 1
            for part in parts:
                if isinstance(part, Choice):
                    product *= sum(count(option) for option in part.options)
            return min(product, LIMIT_OF_EXPANSIONS)

        return count(self.parts)

    def say(self, rng, values=None):
        """One text. Without `values` the slots are left as they are written."""
        out, used, own = [], set(), []

        def walk(parts):
            for part in parts:
                if isinstance(part, Choice):
                    walk(rng.choice(part.options))
                elif isinstance(part, Slot):
                    used.add(part.name)
                    out.append(str(part) if values is None else part.fill(values))
                else:
                    out.append(part)
                    own.append(part)

        walk(self.parts)
        literals = frozenset(re.findall(r"[^\W\d_]+", " ".join(own)))
        return Said(tidy("".join(out)), self.source, frozenset(used), literals)

    def pattern(self):
        """A regular expression of all the texts with unfilled slots: it tells whether two templates
        overlap."""

        def walk(parts):
            for part in parts:
                if isinstance(part, Choice):
                    yield "(?:" + "|".join("".join(walk(option)) for option in part.options) + ")"
                elif isinstance(part, Slot):
                    yield r"<[A-Za-z_.]+>"
                else:
                    yield "".join(r"\s+" if sign == " " else re.escape(sign) for sign in part)

        return re.compile(r"\s*" + "".join(walk(self.parts)).replace(r"\s+", r"\s*") + r"\s*")


def tidy(text):
    """Takes away the doubled spaces that optional parts leave."""
    return re.sub(r" {2,}", " ", text).strip()


def elided(text):
    """What French contracts where a template meets what fills it: `si il`, `que il`, `de impulsions`, `à le`, `de
    le`."""
    text = re.sub(r"\b([Ss])i (?=ils?\b)", r"\1'", text)
    text = re.sub(r"\b([Qq]u|[Ll]orsqu|[Pp]uisqu|[Jj]usqu)e (?=[aeiouéèêàâ])(?!onze|oui)", r"\1'", text)
    text = re.sub(r"\b([Dd])e (?=[aeiouéèêàâîôû]\w)(?!onze|oui)", r"\1'", text)
    text = re.sub(r"\bà le (?=\w)", "au ", text)
    return re.sub(r"\bde le (?=\w)", "du ", text)


def read(path, inherited=()):
    """The sections and fragments of one file: ({name: [Template]}, names of shared sections,
    fragments)."""
    sections, shared, fragments = {}, set(), dict(inherited)
    current = None
    if not path.exists():
        return sections, shared, fragments
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        heading = HEADING.fullmatch(line)
        definition = re.fullmatch(r"@([a-z_]+) = (.*)", line)
        try:
            if heading:
                current = heading.group(1)
                if current in sections:
                    raise ValueError(f"section [{current}] occurs twice")
                sections[current] = []
                if heading.group(2):
                    shared.add(current)
            elif definition:
                fragments[definition.group(1)] = Template(definition.group(2), fragments)
            elif current is None:
                raise ValueError("a template before the first section")
            else:
                sections[current].append(Template(line, fragments))
        except ValueError as error:
            raise WordingError(f"{path}:{number}: {error}: {line}") from None
    return sections, shared, fragments


def _has_form(kind, form):
    return hasattr(kind, form) or form in getattr(kind, "__dataclass_fields__", ())


class Wording:
    """All the wordings of one family, in both languages, those held out included."""

    def __init__(self, family, sections):
        self.family = family
        self.slots = sections
        self.templates = {}
        for language in LANGUAGES:
            seen, shared = self._load(FOLDER / language)
            held_out, _ = self._load(FOLDER / "held_out" / language)
            for section in sections:
                if not seen.get(section):
                    raise WordingError(f"{family}: no [{section}] in {language}")
                if section not in shared and not held_out.get(section):
                    raise WordingError(f"{family}: no [{section}] held out in {language}")
                self.templates[language, section, False] = seen[section]
                self.templates[language, section, True] = held_out.get(section) or seen[section]

    def _load(self, folder):
        fragments = read(folder / "common.txt")[2]
        path = folder / f"{self.family}.txt"
        sections, shared, _ = read(path, fragments)
        for section, templates in sections.items():
            if section not in self.slots:
                raise WordingError(f"{path}: [{section}] is not a section of this family")
            known = self.slots[section]
            for template in templates:
                for slot in template.slots():
                    if slot.name not in known:
                        raise WordingError(f"{path} [{section}]: unknown {slot}: {template.source}")
                    if slot.form and not _has_form(known[slot.name], slot.form):
                        raise WordingError(f"{path} [{section}]: no form {slot}: {template.source}")
        return sections, shared

    def pick(self, rng, language, section, held_out):
        """A template of the section: the first ones, as people plainly ask, more often, and those with more texts a
        little more often."""
        templates = self.templates[language, section, held_out]
        return rng.choices(templates, cum_weights=self._shares(language, section, held_out))[0]

    @functools.cache
    def _shares(self, language, section, held_out):
        """How often each template is picked, added up: counting texts takes longer than all else of a problem."""
        templates = self.templates[language, section, held_out]
        sizes = (1 + len(str(template.expansions())) for template in templates)
        # Held-out wordings measure, all of them alike.
        plain = (1.0 if held_out else PLAIN / (PLAIN + at) for at in range(len(templates)))
        return list(itertools.accumulate(map(operator.mul, sizes, plain)))

    def counts(self, language, held_out):
        """How many templates there are and how many texts they make, slots unfilled."""
        templates = {
            (section, template.source): template
            for (tongue, section, apart), found in self.templates.items()
            if tongue == language and apart == held_out
            for template in found
        }
        return len(templates), sum(template.expansions() for template in templates.values())

    def say(self, rng, language, section, held_out=False, **values):
        """A filled wording of the section; all its declared slots must be given."""
        missing = self.slots[section].keys() - values.keys()
        if missing:
            raise TypeError(f"{self.family} [{section}] needs {', '.join(sorted(missing))}")
        said = self.pick(rng, language, section, held_out).say(rng, values)
        return said.within(elided(said.text)) if language == "fr" else said


LOADED = {}


def load(family, sections):
    """The wordings of `family`. `sections` names them and their slots: `{"mean": {"noun":
    words.Noun, "n": str}}`."""
    LOADED[family] = Wording(family, sections)
    return LOADED[family]
