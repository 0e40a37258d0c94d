"""Weights, gradients and optimizer state in flat shared memory, and the update that several processes share.

Each process of a team computes gradients of its own documents; then each updates its share of the weights with
everybody's gradients. Nothing is sent or computed twice. Hidden matrices are moved by Muon, all else by AdamW.
"""

import math

import torch

import model as models

MUON_MOMENTUM, MUON_DECAY = 0.95, 0.02
ADAM_BETAS, ADAM_EPSILON = (0.9, 0.98), 1e-9
ALIGN = 64


class Weights:
    """Flat tensors that all processes see: `master` weights, one row of `grads` a process, optimizer state.

    `working` is what the network computes with: `master` itself, or its copy rounded to int4. Gradients with respect
    to the rounded copy are applied to `master`, which is the straight-through estimate.
    """

    def __init__(self, net, team, device):
        self.places, size = [], 0
        for name, parameter in sorted(net.named_parameters(), key=place):
            parts = getattr(parameter, "parts", None)
            self.places.append((name, size, tuple(parameter.shape), parts))
            size += -(-parameter.numel() // ALIGN) * ALIGN
        self.master, self.rounded_copy, self.first, self.second = (
            torch.zeros(size, device=device) for _ in range(4)
        )
        self.grads = torch.zeros(team, size, device=device)
        self.rounded = False
        values = dict(net.named_parameters())
        for name, view in self.views(self.master):
            view.copy_(values[name].detach())

    def share(self):
        for tensor in (self.master, self.rounded_copy, self.first, self.second, self.grads):
            tensor.share_memory_()

    def views(self, flat):
        for name, at, shape, _ in self.places:
            yield name, flat[at : at + math.prod(shape)].view(shape)

    def bind(self, net, rank):
        """Makes the parameters of `net` views of the working weights, their gradients views of this process's row."""
        named = dict(net.named_parameters())
        grads = dict(self.views(self.grads[rank]))
        for name, view in self.views(self.rounded_copy if self.rounded else self.master):
            named[name].data = view
            named[name].grad = grads[name]

    def state(self):
        """The master weights by name."""
        return {name: view.cpu().clone() for name, view in self.views(self.master)}

    def load(self, state):
        for name, view in self.views(self.master):
            view.copy_(state[name])


def place(named):
    """Embedding, output, vectors, matrices: what Adam moves alike lies together."""
    name, parameter = named
    if "embed_tokens" in name:
        return 0, name
    if "lm_head" in name:
        return 1, name
    return 2 if parameter.ndim == 1 else 3, name


class Optimizer:
    """The share of the update that process `rank` of `team` does."""

    def __init__(self, weights, rank, team, muon_rate, adam_rate):
        self.weights, self.muon_rate = weights, muon_rate
        self.count = 0
        self.regions, matrices = [], {}
        adam = [(20, 0.0), (1, 0.01), (3, 0.0)]  # Of embedding, output and vectors: rate and decay.
        places = weights.places
        ends = [at for _, at, _, _ in places[1:]] + [weights.master.numel()]
        spans = {}
        for (name, at, shape, parts), end in zip(places, ends):
            kind = place((name, torch.empty(shape, device="meta")))[0]
            if kind < 3:
                low, _ = spans.get(kind, (at, end))
                spans[kind] = (low, end)
                continue
            for rows in parts or [shape[0]]:
                matrices.setdefault((rows, shape[1]), []).append(at)
                at += rows * shape[1]
        for kind, (low, high) in spans.items():
            if kind % team == rank:
                rate, decay = adam[kind]
                self.regions.append((slice(low, high), rate * adam_rate, decay))
        self.matrices = {
            shape: ats[rank::team] for shape, ats in matrices.items() if ats[rank::team]
        }

    @torch.no_grad()
    def gather(self):
        """Adds up everybody's gradients of this share; returns their sum of squares."""
        grads = self.weights.grads
        total = grads[0]
        squares = torch.zeros((), device=grads.device)
        spans = [region for region, _, _ in self.regions] + [
            slice(at, at + rows * columns)
            for (rows, columns), ats in self.matrices.items()
            for at in ats
        ]
        for span in spans:
            for other in grads[1:]:
                total[span] += other[span]
            squares += total[span].square().sum()
        return squares

    @torch.no_grad()
    def step(self, factor, scale):
        """Moves this share: the rates times `factor`, the gathered gradients times `scale`."""
        self.count += 1
        w, (b1, b2) = self.weights, ADAM_BETAS
        for span, rate, decay in self.regions:
            gradient = w.grads[0, span] * scale
            w.first[span].lerp_(gradient, 1 - b1)
            w.second[span].mul_(b2).addcmul_(gradient, gradient, value=1 - b2)
            size = (w.second[span] / (1 - b2**self.count)).sqrt_().add_(ADAM_EPSILON)
            w.master[span].mul_(1 - factor * rate * decay)
            w.master[span].addcdiv_(
                w.first[span], size, value=-factor * rate / (1 - b1**self.count)
            )
        for (rows, columns), ats in self.matrices.items():

            def pick(flat, ats=ats, rows=rows, columns=columns):
                return [flat[at : at + rows * columns].view(rows, columns) for at in ats]

            updates = []
            for gradient, momentum in zip(pick(w.grads[0]), pick(w.first)):
                gradient = gradient * scale
                momentum.lerp_(gradient, 1 - MUON_MOMENTUM)
                updates.append(gradient.lerp_(momentum, MUON_MOMENTUM))
            rate = factor * self.muon_rate
            for matrix, update in zip(pick(w.master), orthogonal(torch.stack(updates))):
                matrix.mul_(1 - rate * MUON_DECAY)
                matrix.add_(update, alpha=-rate * max(1, rows / columns) ** 0.5)

    @torch.no_grad()
    def publish(self):
        """Renews the rounded copy of this share, where the network computes with it."""
        w = self.weights
        if not w.rounded:
            return
        for span, _, _ in self.regions:
            w.rounded_copy[span] = w.master[span]
        for name, at, shape, _ in w.places:
            if name.startswith("lm_head") and any(
                s.start <= at < s.stop for s, _, _ in self.regions
            ):
                round_into(w, at, *shape)
        for (rows, columns), ats in self.matrices.items():
            for at in ats:
                round_into(w, at, rows, columns)


def round_into(weights, at, rows, columns):
    span = slice(at, at + rows * columns)
    weights.rounded_copy[span] = models.round4(weights.master[span].view(rows, columns)).flatten()


def orthogonal(matrices, steps=5):
    """The nearest orthogonal matrices, roughly: a quintic iteration whose singular values end near one."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.to(models.quick_kind(matrices.device))
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).float()
