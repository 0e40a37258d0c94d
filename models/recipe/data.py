"""Documents, batches of them packed without padding, and processes that make them ahead of the training."""

import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import random
import signal
import traceback
import zlib

import numpy as np
from tokenizers import Tokenizer

import noise
import problems
import tokenizer as tokens

FAMILIES = list(problems.FAMILIES)
LANGUAGES = ["en", "fr"]
LABELS = [f"{family}/{language}" for family in FAMILIES for language in LANGUAGES] + ["drill"]
KINDS = 4096  # Places for kinds of problems; the first is nobody's.
SELDOM = 0.6  # How often a problem is kept whose kind is always exact: the kinds most asked are soon mostly exact.
ALWAYS = {"refuse"}  # Families whose kinds are kept all the same: drawn less, refusals were forgotten.
TOP = 8  # Entries of a teacher's distribution that are kept.
WORTH_CUTTING = 25  # Tokens.


@dataclasses.dataclass
class Document:
    """Token ids; from `learn` on (or where `learn` says so, entry by entry) they are to be learnt.

    `top_ids` and `top_logs` are a teacher's distribution at each learnt token; `old_logs` what a policy gave the token
    when it wrote it, `advantage` how much better than its siblings the document is.
    """

    ids: list
    learn: object
    label: int
    kind: int = 0
    top_ids: np.ndarray = None
    top_logs: np.ndarray = None
    old_logs: np.ndarray = None
    advantage: float = 1.0

    def targets(self):
        """What follows each id but the last, -1 where nothing is to be learnt."""
        if isinstance(self.learn, int):
            return [-1] * (self.learn - 1) + list(self.ids[self.learn :])
        return [token if wanted else -1 for token, wanted in zip(self.ids[1:], self.learn[1:])]


@dataclasses.dataclass
class Batch:
    """Documents in one flat row: `groups` of documents of equal length, `owners` says which one a row is of.

    `total` is the number of learnt tokens in all batches of the step. The last arrays have one entry a learnt token.
    """

    ids: np.ndarray
    targets: np.ndarray
    groups: list
    owners: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray
    total: int
    top_ids: np.ndarray = None
    top_logs: np.ndarray = None
    old_logs: np.ndarray = None
    advantages: np.ndarray = None


class Encoder:
    """Turns problems and drills to documents."""

    def __init__(self, directory):
        self.tokenizer = Tokenizer.from_file(str(pathlib.Path(directory) / "tokenizer.json"))
        self.begin = self.tokenizer.token_to_id(tokens.BEGIN)
        self.end = self.tokenizer.token_to_id(tokens.END)

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=False)

    def prompt(self, problem):
        return self.encode(tokens.render(problem.system, problem.messages))

    def problem(self, problem):
        given = self.prompt(problem)
        text = f"{problem.thought}\n{tokens.THINK_END}\n\n{problem.answer}{tokens.END}"
        return Document(given + self.encode(text), len(given), label(problem), kind(problem))

    def reading(self, problem):
        """The problem up to the second line of its thought, by which it is understood or not; all of it if it is short."""
        whole = self.problem(problem)
        start = self.encode("\n".join(problem.thought.split("\n")[:2]))
        end = whole.learn + len(start)
        if whole.ids[whole.learn : end] != start or len(whole.ids) - end < WORTH_CUTTING:
            return whole
        return Document(whole.ids[:end], whole.learn, len(LABELS) - 1)

    def drill(self, rng):
        ids, learn = [self.begin], [False]
        for given, result in problems.drill(rng):
            given, result = self.encode(given), self.encode(result)
            ids += given + result
            learn += [False] * len(given) + [True] * len(result)
        return Document(ids, learn, len(LABELS) - 1)


def label(problem):
    return FAMILIES.index(problem.family) * len(LANGUAGES) + LANGUAGES.index(problem.language)


def kind(problem):
    """A number for what a family asks of whom it asks: the first word of the thought."""
    task = problem.thought.split(maxsplit=1)[0]
    return 1 + zlib.crc32(f"{problem.family} {task}".encode()) % (KINDS - 1)


def judge(problem, text):
    """What came of a generated text: the thought, the answer (None if the thought was not closed), whether right."""
    thought, closed, answer = text.partition(tokens.THINK_END)
    answer = answer.removesuffix(tokens.END).strip() if closed else None
    return thought.strip(), answer, bool(closed) and bool(problems.reward(problem, answer))


# Batches -----------------------------------------------------------------------------------------


def pack(documents, count, pad):
    """`count` batches of about equal size; documents of like length go together, so hardly anything is padding."""
    documents = sorted(documents, key=lambda document: len(document.ids))
    total = sum(len(document.ids) for document in documents)
    learnt = sum(sum(t >= 0 for t in document.targets()) for document in documents)
    parts, part, seen = [], [], 0
    for document in documents:
        part.append(document)
        seen += len(document.ids)
        if seen >= total * (len(parts) + 1) / count and len(parts) + 1 < count:
            parts.append(part)
            part = []
    parts.append(part)
    parts += [[]] * (count - len(parts))
    return [lay(part, learnt, pad) for part in parts]


def lay(documents, total, pad):
    """One batch of documents sorted by length; a group ends where padding would cost more than a new group."""
    groups, waiting = [], []
    for at, document in enumerate(documents):
        waiting.append(document)
        spread = 1.15 if len(waiting) > 2 else 1.4
        last = at + 1 == len(documents)
        if last or len(documents[at + 1].ids) - 1 > spread * (len(waiting[0].ids) - 1):
            groups.append(waiting)
            waiting = []
    ids, targets, owners = [], [], []
    for group in groups:
        length = len(group[-1].ids) - 1
        for document in group:
            missing = length + 1 - len(document.ids)
            ids += list(document.ids[:-1]) + [pad] * missing
            targets += document.targets() + [-1] * missing
    for at, (document, length) in enumerate(
        (document, len(group[-1].ids) - 1) for group in groups for document in group
    ):
        owners += [at] * length
    batch = Batch(
        np.array(ids, np.int64),
        np.array(targets, np.int64),
        [(len(group), len(group[-1].ids) - 1) for group in groups],
        np.array(owners, np.int64),
        np.array([document.label for document in documents], np.int64),
        np.array([document.kind for document in documents], np.int64),
        total,
    )
    attach(batch, documents)
    return batch


def attach(batch, documents):
    """The arrays of a teacher or a policy, if any document has them."""
    if any(document.top_ids is not None for document in documents):
        tops = []
        for document in documents:
            if (
                document.top_ids is None
            ):  # The text itself is the only teacher: all weight on the token.
                wanted = np.array([t for t in document.targets() if t >= 0], np.int64)
                top_ids = np.zeros((len(wanted), TOP), np.int64)
                top_ids[:, 0] = wanted
                top_logs = np.full((len(wanted), TOP), -1e4, np.float32)
                top_logs[:, 0] = 0
                tops.append((top_ids, top_logs))
            else:
                tops.append((document.top_ids.astype(np.int64), document.top_logs))
        batch.top_ids = np.concatenate([ids for ids, _ in tops])
        batch.top_logs = np.concatenate([logs for _, logs in tops]).astype(np.float32)
    if any(document.old_logs is not None for document in documents):
        sizes = [sum(t >= 0 for t in document.targets()) for document in documents]
        # NaN marks text that no policy wrote: it is learnt as it stands.
        batch.old_logs = np.concatenate(
            [
                np.full(size, np.nan) if document.old_logs is None else document.old_logs
                for document, size in zip(documents, sizes)
            ]
        ).astype(np.float32)
        batch.advantages = np.repeat(
            np.array([document.advantage for document in documents], np.float32), sizes
        )


# Traces on disk ----------------------------------------------------------------------------------


def save_traces(path, documents):
    """Writes documents with all that a teacher or a policy said of them, in one go."""
    lengths = np.array([len(document.ids) for document in documents], np.int32)
    arrays = {
        "ids": np.concatenate([np.array(d.ids, np.uint16) for d in documents]),
        "lengths": lengths,
        "learn": np.array([d.learn for d in documents], np.int32),
        "labels": np.array([d.label for d in documents], np.int16),
        "advantages": np.array([d.advantage for d in documents], np.float32),
    }
    for name, kind in (("top_ids", np.uint16), ("top_logs", np.float16), ("old_logs", np.float16)):
        if documents and getattr(documents[0], name) is not None:
            arrays[name] = np.concatenate([getattr(d, name) for d in documents]).astype(kind)
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        np.savez(out, labels_are=np.array(json.dumps(LABELS)), **arrays)
    part.rename(path)


class Traces:
    """All traces of a directory, drawn at random."""

    def __init__(self, directory):
        self.shards, self.index = [], []
        for path in sorted(pathlib.Path(directory).glob("*.npz")):
            with np.load(path) as file:
                shard = {name: file[name] for name in file.files}
            if json.loads(str(shard["labels_are"])) != LABELS:
                raise SystemExit(f"{path} was made with other families: make it again")
            shard["starts"] = np.concatenate([[0], np.cumsum(shard["lengths"])])
            learnt = shard["lengths"] - shard["learn"]
            shard["learnt_starts"] = np.concatenate([[0], np.cumsum(learnt)])
            self.index += [(len(self.shards), i) for i in range(len(learnt))]
            self.shards.append(shard)
        if not self.index:
            raise SystemExit(f"no traces in {directory}")

    def __len__(self):
        return len(self.index)

    def draw(self, rng):
        return self.get(rng.randrange(len(self.index)))

    def get(self, number):
        at, i = self.index[number]
        shard = self.shards[at]
        learnt = slice(*shard["learnt_starts"][i : i + 2])

        def pick(name):
            return shard[name][learnt] if name in shard else None

        return Document(
            shard["ids"][slice(*shard["starts"][i : i + 2])].tolist(),
            int(shard["learn"][i]),
            int(shard["labels"][i]),
            top_ids=pick("top_ids"),
            top_logs=pick("top_logs"),
            old_logs=pick("old_logs"),
            advantage=float(shard["advantages"][i]),
        )


# Producers ---------------------------------------------------------------------------------------


@dataclasses.dataclass
class Diet:
    """What a training is fed.

    A curriculum runs over the first `ramp` tokens: from documents of `short` tokens at most and mostly drills to
    everything. `traces` is a directory of written traces, `trace_share` how much of the diet is from there.
    """

    tokenizer: str
    seed: str = "0"
    tokens: int = 4000  # A step, about.
    batches: int = 4  # A step; processes take them one by one.
    drills: float = 0.2
    early_drills: float = 0.6
    ramp: float = 8e6
    short: int = 160
    longest: int = 900
    readings: float = 0.0  # Share of the problems that end where it is clear how they were understood.
    disturbed: float = noise.SHARE  # Share of the problems with a word or two disturbed.
    traces: str = ""
    trace_share: float = 0.7


class Cook:
    """Makes the batches of any step, the same ones for the same step, family weights and shares of exact kinds."""

    def __init__(self, diet):
        self.diet, self.encoder = diet, Encoder(diet.tokenizer)
        self.traces = Traces(diet.traces) if diet.traces else None

    def step(self, number, seen, weights, drills=1.0, exact=None):
        """The batches of one step after `seen` tokens; families are drawn by `weights`, and a problem is kept the
        more likely the smaller the share of exact documents of its kind is, in `exact`."""
        diet = self.diet
        rng = random.Random(f"{diet.seed}/{number}")
        ready = min(1.0, seen / diet.ramp) if diet.ramp else 1.0
        limit = diet.short + ready * (diet.longest - diet.short) if ready < 1 else diet.longest
        share = diet.early_drills + ready * (diet.drills - diet.early_drills)
        documents, size = [], 0
        while size < diet.tokens:
            documents.append(self.document(rng, limit, share * drills, weights, exact))
            size += len(documents[-1].ids)
        return pack(documents, diet.batches, self.encoder.end)

    def document(self, rng, limit, drill_share, weights, exact=None):
        if self.traces and rng.random() < self.diet.trace_share:
            return self.traces.draw(rng)
        if rng.random() >= drill_share:
            for _ in range(20):
                problem = problems.problem(rng, rng.choices(FAMILIES, weights)[0])
                known = exact[kind(problem)] if exact and problem.family not in ALWAYS else 0.0
                if rng.random() < (1 - SELDOM) * known:
                    continue
                problem = noise.roughen(rng, problem, self.diet.disturbed)
                cut = self.diet.readings and rng.random() < self.diet.readings
                made = self.encoder.reading(problem) if cut else self.encoder.problem(problem)
                if len(made.ids) <= limit:
                    return made
        while True:
            made = self.encoder.drill(rng)
            if len(made.ids) <= max(limit, 200):
                return made


def follow_parent():
    """Leaves signals to the process that started this one, and ends with it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):  # Linux alone knows this call.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def produce(diet, worker, workers, start, shared, queue):
    """A process's work: steps `start + worker`, `start + worker + workers`, … into its queue.

    What fails here ends the whole run, for the others would wait for a batch that never comes.
    """
    follow_parent()
    os.nice(1)
    cook = Cook(diet)
    number = start + worker
    try:
        while True:
            weights, exact = list(shared.weights), list(shared.exact)
            for batch in cook.step(number, shared.tokens.value, weights, shared.drills.value, exact):
                queue.put(batch)
            number += workers
    except Exception:
        traceback.print_exc()
        os.kill(os.getppid(), signal.SIGKILL)


def weights(shares=None):
    """How often each family is drawn: its own weight, and more the fewer of its documents are exact."""
    shares = shares or [0.0] * len(FAMILIES)
    return [problems.WEIGHTS[f] * (1.2 - share) for f, share in zip(FAMILIES, shares)]


class Shared:
    """What the training tells the producers: tokens seen, the weights of families, how many of the drills to give, the
    share of exact documents by kind."""

    def __init__(self, context):
        self.tokens = context.Value("d", 0.0, lock=False)
        self.drills = context.Value("d", 1.0, lock=False)
        self.weights = context.Array("d", weights(), lock=False)
        self.exact = context.Array("d", KINDS, lock=False)


class Kitchen:
    """Starts the producers; `take` hands out batches in order, to whichever process of the team asks."""

    def __init__(self, context, diet, workers, start, ahead=8):
        self.shared = Shared(context)
        self.batches, self.workers, self.start = diet.batches, workers, start
        self.queues = [context.Queue(diet.batches * ahead) for _ in range(workers)]
        self.taken, self.lock = context.Value("q", 0, lock=False), context.Lock()
        self.diet, self.context, self.processes = diet, context, []

    def open(self):
        for worker, queue in enumerate(self.queues):
            process = self.context.Process(
                target=produce,
                args=(self.diet, worker, self.workers, self.start, self.shared, queue),
                daemon=True,
            )
            process.start()
            self.processes.append(process)

    def close(self):
        for process in self.processes:
            process.kill()

    def __getstate__(self):
        return {k: v for k, v in self.__dict__.items() if k not in ("context", "processes")}

    def take(self, step):
        """The next batch of `step` (counted from the start of this run), None when all are taken."""
        with self.lock:
            if self.taken.value >= (step + 1) * self.batches:
                return None
            self.taken.value += 1
            return self.queues[step % self.workers].get()


def check_set(encoder, count, seed, held_out):
    """Fixed problems of every family for the checks during training."""
    documents = []
    for family in FAMILIES:
        rng = random.Random(f"check/{seed}/{family}/{held_out}")
        documents += [
            encoder.problem(problems.problem(rng, family, held_out=held_out)) for _ in range(count)
        ]
    size = sum(len(document.ids) for document in documents)
    return pack(documents, max(2, size // 3000), encoder.end)
