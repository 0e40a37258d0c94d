"""The training loop of every stage: one process a core, or one GPU; can be stopped and resumed at any time.

The rate is constant, so a run can go on as long as there is time. A run with `--decay` takes a checkpoint to rate
zero in the minutes it is given, with the weights rounded to int4 in the forward pass as the exporter rounds them.
"""

import dataclasses
import math
import pathlib
import signal
import time

import torch
from tokenizers import Tokenizer

import data
import export
import model as models
import optim
import tokenizer as tokens

LONGEST_STEP = 5.0  # Seconds a step may count for: a paused run does not lose its minutes.
interrupted = False  # Whether a signal ended the last run.
FORGET = 0.98  # Of the running share of exact documents, per note of it.


def add_options(parser):
    """What every training stage takes."""
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder of checkpoints")
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument(
        "--start", default="model", help="checkpoint to start from, by name or path"
    )
    parser.add_argument("--out", default="model", help="checkpoint to write, by name")
    parser.add_argument(
        "--init", type=pathlib.Path, help="exported model to start from, if no checkpoint is there"
    )
    parser.add_argument("--size", choices=models.SIZES, default="student", help="of a new model")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--steps", type=int, help="stop after so many steps instead")
    parser.add_argument("--decay", action="store_true", help="lower the rate to zero over this run")
    parser.add_argument(
        "--round-after", type=float, default=0.3, help="share of a decay that is trained unrounded"
    )
    parser.add_argument(
        "--rounded", action="store_true", help="round to int4 from the start, decay or not"
    )
    parser.add_argument(
        "--float", action="store_true", help="a decay without rounding: for teachers"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--processes", type=int, default=2, help="on a CPU, one a core")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches")
    parser.add_argument("--tokens", type=int, default=4000, help="a step, about")
    parser.add_argument(
        "--batches", type=int, default=4, help="a step, shared out among the processes"
    )
    parser.add_argument("--muon-rate", type=float, default=0.01)
    parser.add_argument("--adam-rate", type=float, default=0.002)
    parser.add_argument("--rate", type=float, default=1.0, help="factor of both rates")
    parser.add_argument("--warmup", type=int, default=100, help="steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--drills", type=float, default=0.2, help="share of documents that are bare steps"
    )
    parser.add_argument(
        "--readings", type=float, default=0.0, help="share of problems cut where it is clear how they were understood"
    )
    parser.add_argument(
        "--disturbed", type=float, help="share of problems with a word or two disturbed: fewer at the very end"
    )
    parser.add_argument(
        "--early-drills", type=float, default=0.6, help="the same at the very start"
    )
    parser.add_argument("--ramp", type=float, default=8e6, help="tokens of the curriculum")
    parser.add_argument(
        "--even", action="store_true", help="families at equal shares, not the hard ones more often"
    )
    parser.set_defaults(hard_share=0.3)
    parser.add_argument("--save-minutes", type=float, default=3)
    parser.add_argument(
        "--snapshots", action="store_true", help="keep the weights of every save as OUT-STEPS.pt too, for a mean of them"
    )
    parser.add_argument("--check-minutes", type=float, default=15)
    parser.add_argument(
        "--check-count", type=int, default=12, help="problems of each family in a check, 0: none"
    )


def diet_of(options, **more):
    names = {field.name for field in dataclasses.fields(data.Diet)}
    given = {k: v for k, v in vars(options).items() if k in names and v is not None}
    given["tokenizer"] = str(options.tokenizer)
    given["seed"] = f"{options.seed}/{options.out}"
    return data.Diet(**{**given, **more})


def checkpoint(options, name):
    direct = pathlib.Path(name)
    return direct if direct.suffix == ".pt" else options.work / f"{name}.pt"


class Team:
    """What the processes share beside weights: barriers, the plan of the next step, counts."""

    def __init__(self, context, size, device):
        self.size, self.device = size, device
        self.barrier = context.Barrier(size)
        self.interrupted = context.Value("b", 0, lock=False)
        # Factor of the rates, and whether to round, check, stop: written while nobody reads it.
        self.plan = context.Array("d", 4, lock=False)
        self.squares = torch.zeros(size, device=device)
        labels = len(data.LABELS)
        self.sums = torch.zeros(
            size, 3, dtype=torch.float64, device=device
        )  # Loss, learnt tokens, all tokens.
        self.exact = torch.zeros(size, labels, 2, device=device)  # Documents: exact ones, all.
        self.kinds = torch.zeros(size, data.KINDS, 2, device=device)  # The same by kind.
        self.checked = torch.zeros(
            2, size, labels, 2, device=device
        )  # The same in a check: seen, held-out phrasings.

    def share(self):
        for tensor in (self.squares, self.sums, self.exact, self.kinds, self.checked):
            tensor.share_memory_()

    def meet(self):
        if self.size > 1:
            self.barrier.wait()


def losses(net, batch, hard_share=0.3, clip=(0.2, 0.28)):
    """The summed loss of a batch's learnt tokens, and per learnt token whether it is the likeliest one."""
    device = net.lm_head.weight.device

    def put(array):
        return torch.from_numpy(array).to(device, non_blocking=True)

    targets = put(batch.targets)
    where = (targets >= 0).nonzero().squeeze(1)
    quick = models.quick_kind(device) == torch.bfloat16
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=quick):
        rows = net.hidden(put(batch.ids), batch.groups, where)
    wanted = targets[where]
    if batch.top_ids is None and batch.old_logs is None:
        return *models.OutputLoss.apply(rows, net.lm_head.weight, wanted), where
    logits = net.logits(rows)
    right = logits.detach().argmax(-1) == wanted
    if batch.top_ids is not None:
        loss = distillation(logits, wanted, put(batch.top_ids), put(batch.top_logs), hard_share)
    else:
        loss = policy(logits, wanted, put(batch.old_logs), put(batch.advantages), clip)
    return loss, right, where


def distillation(logits, wanted, top_ids, top_logs, hard_share):
    """Cross-entropy with the teacher's distribution (what is not among its best tokens as one bucket) and the text."""
    ours = logits.log_softmax(-1)
    best, share = ours.gather(1, top_ids), top_logs.exp()
    rest = (1 - share.sum(-1)).clamp(0, 1)
    ours_rest = (1 - best.exp().sum(-1)).clamp(min=1e-5).log()
    soft = -(share * best).sum(-1) - rest * ours_rest
    hard = -ours.gather(1, wanted[:, None]).squeeze(1)
    return (hard_share * hard + (1 - hard_share) * soft).sum()


def policy(logits, wanted, old, advantage, clip):
    """The clipped policy gradient of GRPO; text that no policy wrote (NaN) is learnt by cross-entropy."""
    now = logits.log_softmax(-1).gather(1, wanted[:, None]).squeeze(1)
    written = old.isnan()
    ratio = (now - torch.where(written, now.detach(), old)).clamp(-10, 10).exp()
    clipped = ratio.clamp(1 - clip[0], 1 + clip[1])
    gain = torch.minimum(ratio * advantage, clipped * advantage)
    return -torch.where(written, now, gain).sum()


class Trainer:
    """One process of a team."""

    def __init__(self, rank, options, team, weights, kitchen, shape, begun):
        self.rank, self.options, self.team, self.weights = rank, options, team, weights
        self.kitchen, self.shape = kitchen, shape
        self.device = torch.device(options.device)
        if self.device.type == "cpu":
            torch.set_num_threads(1)
        self.net = models.Model(shape).to(self.device)
        self.optimizer = optim.Optimizer(
            weights, rank, team.size, options.muon_rate, options.adam_rate
        )
        self.steps, self.seen, self.optimizer.count = (
            begun["steps"],
            begun["tokens"],
            begun["count"],
        )
        self.share = torch.tensor(begun["exact"])  # Running share of exact documents, by label.
        self.kind_share = torch.zeros(data.KINDS)  # The same by kind; soon known anew.
        self.spent = begun["spent"] if options.decay else 0.0  # Seconds of this run's minutes.
        weights.bind(self.net, rank)

    # What all processes do -----------------------------------------------------------------------

    def work(self):
        """The whole run."""
        team, number = self.team, 0
        if self.rank == 0:
            self.begin()
        team.meet()
        while True:
            factor, rounded, check, stop = team.plan
            self.round(bool(rounded))
            if check:
                self.check()
            if stop:
                break
            self.step(number, factor)
            number += 1
        if self.rank == 0:
            self.log()
            self.save()

    def round(self, on):
        """Turns int4 rounding on or off."""
        if self.weights.rounded == on:
            return
        self.weights.rounded = on
        self.optimizer.publish()
        self.weights.bind(self.net, self.rank)
        self.team.meet()

    def step(self, number, factor):
        """Gradients of the batches this process gets, then its share of the update."""
        team = self.team
        self.weights.grads[self.rank].zero_()
        while (batch := self.kitchen.take(number)) is not None:
            if len(batch.ids):
                loss, right, where = losses(self.net, batch, self.options.hard_share)
                (loss / batch.total).backward()
                count_exact(team.exact[self.rank], batch, right, where, team.kinds[self.rank])
                team.sums[self.rank, 0] += loss.detach()
                team.sums[self.rank, 1] += len(where)
                team.sums[self.rank, 2] += len(batch.ids)
        team.meet()
        team.squares[self.rank] = self.optimizer.gather()
        if self.rank == 0:
            self.plan(number + 1)
        team.meet()
        norm = team.squares.sum().sqrt()
        self.optimizer.step(factor, (1 / (norm + 1e-6)).clamp(max=1.0))
        self.optimizer.publish()
        team.meet()

    def check(self):
        """Exact documents among fixed problems, by seen and held-out phrasings; every process takes some batches."""
        encoder, count = data.Encoder(self.options.tokenizer), self.options.check_count
        for held_out in (False, True):
            mine = self.team.checked[int(held_out), self.rank].zero_()
            batches = data.check_set(encoder, count, self.options.seed, held_out)
            for batch in batches[self.rank :: self.team.size]:
                if len(batch.ids):
                    with torch.no_grad():
                        _, right, where = losses(self.net, batch)
                    count_exact(mine, batch, right, where)
        self.team.meet()
        if self.rank == 0:
            self.report_check()
        self.team.meet()

    # What the first one does ---------------------------------------------------------------------

    def begin(self):
        now = time.time()
        self.last = now
        self.logged_at, self.saved_at, self.checked_at = now, now, now
        self.logged = self.team.sums.sum(0)
        self.noted, self.noted_kinds = self.team.exact.sum(0), self.team.kinds.sum(0)
        self.plan(0)

    def plan(self, number):
        """Decides how the step `number` of this run will be; logs and saves when it is time."""
        options, now = self.options, time.time()
        self.spent += min(now - self.last, LONGEST_STEP)
        self.last = now
        done = number / options.steps if options.steps else self.spent / (options.minutes * 60)
        factor = options.rate * min(1, (self.steps + 1) / options.warmup)
        rounded = options.rounded
        if options.decay:
            factor *= max(0.0, 1 - done)
            self.kitchen.shared.drills.value = 1 - 0.7 * done
            rounded = rounded or not options.float and done >= options.round_after
        stop = done >= 1 or bool(self.team.interrupted.value)
        check = now - self.checked_at > options.check_minutes * 60 or stop and number > 0
        check = check and options.check_count > 0
        if number:
            self.steps += 1
        self.kitchen.shared.tokens.value = self.seen + self.team.sums[:, 2].sum().item()
        if number and number % 50 == 0:
            self.log()
        if now - self.saved_at > options.save_minutes * 60:
            self.save()
            self.saved_at = time.time()
        self.team.plan[:] = [factor, rounded, check, stop]
        self.factor = factor

    def log(self):
        """One line, and the weights of families and kinds: those that are not exact yet are drawn more often."""
        sums, counts, now = self.team.sums.sum(0), self.team.exact.sum(0), time.time()
        loss, learnt, fed = (sums - self.logged).tolist()
        fresh = (counts - self.noted).cpu()
        self.share = running(self.share, fresh)
        if not self.options.even:
            by_family = self.share[:-1].view(-1, len(data.LANGUAGES)).mean(1)
            self.kitchen.shared.weights[:] = data.weights(by_family.tolist())
            kinds = self.team.kinds.sum(0)
            self.kind_share = running(self.kind_share, (kinds - self.noted_kinds).cpu())
            self.kitchen.shared.exact[:] = self.kind_share.tolist()
            self.noted_kinds = kinds
        right, count = fresh[:-1].sum(0).tolist()
        print(
            f"{time.strftime('%H:%M:%S')} step {self.steps} tokens {self.tokens() / 1e6:.2f}M"
            f" loss {loss / max(1, learnt):.4f} exact {right / max(1, count):.3f}"
            f" rate {self.factor:.3f} {fed / max(1e-6, now - self.logged_at):.0f} tokens/s",
            flush=True,
        )
        if not math.isfinite(loss):
            raise SystemExit("the loss is not a number")
        self.logged, self.noted, self.logged_at = sums, counts, now

    def report_check(self):
        seen, unseen = (
            part.sum(0)[:-1].view(-1, len(data.LANGUAGES), 2).cpu() for part in self.team.checked
        )

        def share(pair):
            return 100 * pair[0].item() / max(1, pair[1].item())

        rows = [
            f"{family} {share(seen[i].sum(0)):.0f}/{share(unseen[i].sum(0)):.0f}"
            for i, family in enumerate(data.FAMILIES)
        ]
        print("check, exact %, seen/held-out:", ", ".join(rows))
        each = [
            f"{name} {share(seen[:, i].sum(0)):.1f}/{share(unseen[:, i].sum(0)):.1f}"
            for i, name in enumerate(data.LANGUAGES)
        ]
        print(
            f"check, all: {share(seen.sum((0, 1))):.1f}/{share(unseen.sum((0, 1))):.1f};",
            ", ".join(each),
            flush=True,
        )
        self.checked_at = time.time()

    def tokens(self):
        return self.seen + self.team.sums[:, 2].sum().item()

    def save(self):
        weights = self.weights
        state = {
            "shape": dataclasses.asdict(self.shape),
            "model": weights.state(),
            "first": weights.first.cpu(),
            "second": weights.second.cpu(),
            "count": self.optimizer.count,
            "steps": self.steps,
            "tokens": self.tokens(),
            "rounded": weights.rounded,
            "spent": self.spent if self.options.decay else 0.0,
            "exact": self.share.tolist(),
            "labels": data.LABELS,
        }
        self.write(state, self.options.out)
        if self.options.snapshots:
            del state["first"], state["second"]  # The optimizer's, twice as large as the weights.
            self.write(state, f"{self.options.out}-{self.steps}")

    def write(self, state, name):
        part = self.options.work / f"{name}.part"
        torch.save(state, part)
        part.rename(self.options.work / f"{name}.pt")


def running(share, fresh):
    """The running share of exact documents after `fresh` ones (exact, all), place by place."""
    right, count = fresh.unbind(1)
    keep = FORGET**count
    return keep * share + (1 - keep) * right / count.clamp(min=1)


def count_exact(counts, batch, right, where, kinds=None):
    """Counts, by label and perhaps by kind, documents all of whose learnt tokens are the likeliest: greedy search would
    write them."""
    exact = torch.ones(len(batch.labels), device=counts.device)
    owners = torch.from_numpy(batch.owners).to(counts.device)[where]
    exact[owners[~right]] = 0
    both = torch.stack([exact, torch.ones_like(exact)], 1)
    counts.index_add_(0, torch.from_numpy(batch.labels).to(counts.device), both)
    if kinds is not None:
        kinds.index_add_(0, torch.from_numpy(batch.kinds).to(counts.device), both)


def start(options):
    """The weights to begin with: the checkpoint of this run, an exported model, or new ones."""
    path = checkpoint(options, options.start)
    mine = checkpoint(options, options.out)
    if options.decay and mine.exists() and mine != path:
        if torch.load(mine, map_location="cpu", weights_only=True)["spent"] < options.minutes * 60:
            path = mine  # An interrupted decay goes on where it was.
    begun = {"steps": 0, "tokens": 0, "count": 0, "spent": 0.0}
    begun["exact"] = [0.0] * len(data.LABELS)
    saved = torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None
    torch.manual_seed(options.seed)
    if saved:
        net = models.Model(models.Shape(**saved["shape"]))
        net.load_state_dict(saved["model"])
        known = dict(zip(saved["labels"], saved["exact"]))
        begun["exact"] = [known.get(label, 0.0) for label in data.LABELS]
        begun["tokens"] = saved["tokens"]
        if path == mine or options.decay and "first" in saved:
            begun["steps"], begun["count"] = saved["steps"], saved["count"]
            begun["spent"] = saved["spent"] if path == mine else 0.0
        else:  # Another stage, or kept weights: they go on, the optimizer starts anew.
            saved = None
    elif options.init:
        net = export.from_directory(options.init)
    else:
        net = None
    tokenizer = Tokenizer.from_file(str(options.tokenizer / "tokenizer.json"))
    if net is None:
        shape = models.SIZES[options.size]
        shape = dataclasses.replace(shape, vocabulary=tokenizer.get_vocab_size())
        net = models.Model(shape, tokens.twins(tokenizer))
    if net.model.shape.vocabulary != tokenizer.get_vocab_size():
        raise SystemExit("the tokenizer is not the one these weights were trained with")
    return net, begun, saved


def enter(rank, *arguments):
    """A further process of a team."""
    data.follow_parent()
    Trainer(rank, *arguments).work()


def run(options, diet):
    """Trains as the options say; returns when time is up or a signal came, with the checkpoint written."""
    options.work.mkdir(parents=True, exist_ok=True)
    context, on_cpu = torch.multiprocessing.get_context("spawn"), options.device == "cpu"
    size = options.processes if on_cpu else 1
    net, begun, saved = start(options)
    weights = optim.Weights(net, size, options.device)
    if saved:
        weights.first.copy_(saved["first"])
        weights.second.copy_(saved["second"])
    team = Team(context, size, options.device)
    if size > 1:
        weights.share()
        team.share()
    kitchen = data.Kitchen(context, diet, options.workers, begun["steps"])
    kitchen.shared.tokens.value = begun["tokens"]
    kitchen.open()

    def interrupt(*_):
        global interrupted
        interrupted = True
        team.interrupted.value = 1

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    count = sum(parameter.numel() for parameter in net.parameters())
    print(
        f"{count} parameters, from step {begun['steps']}, {begun['tokens']:.0f} tokens", flush=True
    )
    shape = net.model.shape
    arguments = (options, team, weights, kitchen, shape, begun)
    others = [
        context.Process(target=enter, args=(rank, *arguments), daemon=True)
        for rank in range(1, size)
    ]
    for other in others:
        other.start()
    try:
        Trainer(0, *arguments).work()
        for other in others:
            other.join(30)
    finally:
        kitchen.close()
        for other in others:
            other.kill()
