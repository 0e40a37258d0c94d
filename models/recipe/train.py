"""Trains the small model on generated problems; can be stopped and resumed at any time.

The rate is held constant until `--decay-minutes` are begun: those lower it to zero with int4 rounding in the forward
pass, which gives the weights that are exported. So a long run is: train, decay a copy, export, train on.

    python train.py --work DIR --minutes 30                      # constant rate, checkpoints in DIR/model.pt
    python train.py --work DIR --minutes 8 --decay --out NAME    # from DIR/model.pt to DIR/NAME.pt, rounded
"""

import argparse
import dataclasses
import math
import pathlib
import random
import tempfile
import time

import torch
from tokenizers import Tokenizer

import model as models
import problems
import tokenizer as tokens


class Packer:
    """Draws documents of some `budget` tokens in all and sorts them into groups of like length, so little is padding."""

    def __init__(self, tokenizer, seed, budget, drill_share, readings_max):
        self.tokenizer, self.budget, self.drill_share = tokenizer, budget, drill_share
        self.random = random.Random(seed)
        self.random.readings_max = readings_max
        self.end = tokenizer.token_to_id(tokens.END)
        self.begin = tokenizer.token_to_id(tokens.BEGIN)

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def document(self):
        """Ids and targets: -1 where nothing is to be learnt."""
        if self.random.random() < self.drill_share:
            ids, learn = [self.begin], [False]
            for given, result in problems.drill(self.random):
                given, result = self.encode(given), self.encode(result)
                ids += given + result
                learn += [False] * len(given) + [True] * len(result)
        else:
            made = problems.problem(self.random)
            given = self.encode(tokens.render(made.system, made.prompt))
            result = self.encode(f"{made.thought}\n{tokens.THINK_END}\n\n{made.answer}{tokens.END}")
            ids, learn = given + result, [False] * len(given) + [True] * len(result)
        targets = [token if wanted else -1 for token, wanted in zip(ids[1:], learn[1:])]
        return ids[:-1], targets

    def batch(self):
        """Flat ids and targets, and the groups: how many documents of which padded length."""
        documents, size = [], 0
        while size < self.budget:
            documents.append(self.document())
            size += len(documents[-1][0])
        documents.sort(key=lambda document: len(document[0]))
        groups, ids, targets, waiting = [], [], [], []
        for i, document in enumerate(documents):
            waiting.append(document)
            spread = 1.15 if len(waiting) > 2 else 1.4
            if i + 1 == len(documents) or len(documents[i + 1][0]) > spread * len(waiting[0][0]):
                length = len(document[0])
                groups.append((len(waiting), length))
                for known, wanted in waiting:
                    ids += known + [self.end] * (length - len(known))
                    targets += wanted + [-1] * (length - len(wanted))
                waiting = []
        return torch.tensor(ids), groups, torch.tensor(targets)


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal by Newton-Schulz steps; for hidden matrices only."""

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(
            list(parameters), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            alike = {}
            for parameter in group["params"]:
                state = self.state[parameter]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(state["momentum"], group["momentum"])
                alike.setdefault(tuple(parameter.shape), []).append((parameter, update))
            for (rows, columns), pairs in alike.items():
                updates = orthogonal(torch.stack([update for _, update in pairs]))
                for (parameter, _), update in zip(pairs, updates):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(update, alpha=-group["lr"] * max(1, rows / columns) ** 0.5)


def orthogonal(matrices, steps=5):
    """The nearest orthogonal matrices, roughly: a quintic iteration whose singular values end near one."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.bfloat16()
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).float()


def optimizers(net, muon_rate, adam_rate):
    hidden = [p for n, p in net.named_parameters() if p.ndim == 2 and "layers" in n]
    vectors = [
        p for p in net.parameters() if p.ndim == 1
    ]  # Among them the biases that tell heads where to look.
    adam = torch.optim.AdamW(
        [
            {"params": [net.model.embed_tokens.weight], "lr": 20 * adam_rate},
            {"params": [net.lm_head.weight], "weight_decay": 0.01},
            {"params": vectors, "lr": 3 * adam_rate},
        ],
        lr=adam_rate,
        betas=(0.9, 0.98),
        eps=1e-9,
        weight_decay=0.0,
    )
    made = [Muon(hidden, muon_rate, weight_decay=0.02), adam]
    for optimizer in made:
        for group in optimizer.param_groups:
            group["full_lr"] = group["lr"]
    return made


class Team:
    """The processes that train together, one core each: they add up gradients and agree on the time."""

    def __init__(self, rank, size, meeting):
        self.rank, self.size = rank, size
        if size > 1:
            torch.distributed.init_process_group(
                "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size
            )

    def average(self, parameters, loss, spent):
        """Averages gradients in place; returns the mean loss and the first process's clock."""
        if self.size == 1:
            return loss, spent
        clock = spent * self.size if self.rank == 0 else 0.0
        flat = torch.cat([p.grad.flatten() for p in parameters] + [torch.tensor([loss, clock])])
        torch.distributed.all_reduce(flat)
        flat /= self.size
        at = 0
        for p in parameters:
            p.grad.copy_(flat[at : at + p.numel()].view_as(p))
            at += p.numel()
        return flat[-2].item(), flat[-1].item()


def work(rank, options):
    """One process of the team: the whole training loop."""
    torch.set_num_threads(options.threads)
    team = Team(rank, options.processes, options.meeting)
    tokenizer = Tokenizer.from_file(str(options.tokenizer / "tokenizer.json"))
    start = options.work / f"{options.start}.pt"
    saved = torch.load(start, weights_only=True) if start.exists() else None
    torch.manual_seed(0)
    shape = models.Shape(**saved["shape"]) if saved else models.Shape(layers=options.layers)
    net = models.Model(shape)
    pair = optimizers(net, options.muon_rate, options.adam_rate)
    steps = seen = 0
    if saved:
        net.load_state_dict(saved["model"])
        for optimizer, state in zip(pair, saved["optimizers"]):
            full = [group["full_lr"] for group in optimizer.param_groups]
            optimizer.load_state_dict(state)
            for group, lr in zip(optimizer.param_groups, full):
                group["full_lr"] = lr
        steps, seen = saved["steps"], saved["tokens"]
    net.round_weights(options.rounded)
    parameters = list(net.parameters())
    packer = Packer(
        tokenizer,
        f"{steps}/{options.out}/{rank}",
        options.batch,
        options.drills,
        options.readings_max,
    )
    if rank == 0:
        print(
            f"{sum(p.numel() for p in parameters)} parameters, from step {steps}, {seen} tokens",
            flush=True,
        )

    def save():
        if rank:
            return
        part = options.work / f"{options.out}.part"
        state = {
            "shape": dataclasses.asdict(shape),
            "model": net.state_dict(),
            "optimizers": [o.state_dict() for o in pair],
            "steps": steps,
            "tokens": seen,
        }
        torch.save(state, part)
        part.rename(options.work / f"{options.out}.pt")

    begun = last = saved_at = time.time()
    total, spent, losses, counted = options.minutes * 60, 0.0, [], 0
    while spent < total:
        rate = min(1, (steps + 1) / options.warmup)
        if options.decay:
            rate *= 1 - spent / total
            packer.drill_share = options.drills * (1 - 0.7 * spent / total)
            net.round_weights(spent >= options.round_after * total)
        for optimizer in pair:
            for group in optimizer.param_groups:
                group["lr"] = group["full_lr"] * rate
        ids, groups, targets = packer.batch()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = net(ids, groups, targets)
        loss.backward()
        loss, spent = team.average(parameters, loss.item(), time.time() - begun)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer in pair:
            optimizer.step()
            optimizer.zero_grad()
        steps, seen = steps + 1, seen + ids.numel() * team.size
        losses.append(loss)
        counted += ids.numel() * team.size
        if steps % 50 == 0 and rank == 0:
            now = time.time()
            mean = sum(losses) / len(losses)
            print(
                f"{time.strftime('%H:%M:%S')} step {steps} tokens {seen / 1e6:.2f}M loss {mean:.4f} rate {rate:.3f} {counted / (now - last):.0f} tokens/s",
                flush=True,
            )
            losses, counted, last = [], 0, now
            if not math.isfinite(mean):
                raise SystemExit("the loss is not a number")
        if time.time() - saved_at > options.save_minutes * 60:
            save()
            saved_at = time.time()
    save()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--decay",
        action="store_true",
        help="lower the rate to zero over these minutes, with rounding",
    )
    parser.add_argument(
        "--round-after",
        type=float,
        default=0.0,
        help="share of a decay after which rounding begins",
    )
    parser.add_argument("--start", default="model", help="checkpoint to start from, by name")
    parser.add_argument("--out", default="model", help="checkpoint to write, by name")
    parser.add_argument("--batch", type=int, default=1000, help="tokens a step and process, about")
    parser.add_argument(
        "--drills", type=float, default=0.3, help="share of documents that are single steps"
    )
    parser.add_argument("--readings-max", type=int, default=6, help="fewer are an easier start")
    parser.add_argument("--muon-rate", type=float, default=0.01)
    parser.add_argument("--adam-rate", type=float, default=0.002)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument(
        "--rounded", action="store_true", help="int4 rounding at a constant rate, too"
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=2,
        help="each trains on its own batches; gradients are averaged",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="of each process; threads that wait for each other suffer on busy cores",
    )
    parser.add_argument("--save-minutes", type=float, default=3)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        options.meeting = pathlib.Path(folder) / "meeting"
        if options.processes == 1:
            work(0, options)
        else:
            torch.multiprocessing.spawn(work, (options,), options.processes)


if __name__ == "__main__":
    main()
