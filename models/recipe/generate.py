"""Generates many answers at once in PyTorch: batches of like length, a key/value cache, finished rows taken out.

Prompts of a batch are padded on the left; rotary attention sees differences of positions only, so that changes
nothing.
"""

import dataclasses

import torch
import torch.nn.functional as F

import model as models
from data import TOP


@dataclasses.dataclass
class Written:
    """What was generated for one prompt, the end token included if it came; logarithms as the model had them."""

    ids: list
    ended: bool
    logs: list = None
    top_ids: torch.Tensor = None
    top_logs: torch.Tensor = None


class Generator:
    """A model made ready for generating; `kind` is the type of weights and cache."""

    def __init__(self, net, end, device="cpu", kind=torch.float32):
        self.shape, self.end, self.device, self.kind = net.model.shape, end, device, kind

        def put(tensor):
            return tensor.detach().to(device, kind)

        self.embedding, self.norm = (
            put(net.model.embed_tokens.weight).float(),
            net.model.norm.weight,
        )
        self.output = net.lm_head.weight.detach().to(device).float()
        self.norm = self.norm.detach().to(device)
        self.layers = [
            {
                "first": layer.input_layernorm.weight.detach().to(device),
                "second": layer.post_attention_layernorm.weight.detach().to(device),
                "qkv": put(layer.self_attn.qkv_proj.weight),
                "bias": put(layer.self_attn.qkv_proj.bias),
                "o": put(layer.self_attn.o_proj.weight),
                "gate_up": put(layer.mlp.gate_up_proj.weight),
                "down": put(layer.mlp.down_proj.weight),
            }
            for layer in net.model.layers
        ]

    @torch.no_grad()
    def all(self, prompts, limit=400, batch=128, samples=1, temperature=0.0, keep=False, seed=0):
        """`samples` texts of each prompt, as a list of lists; greedy at temperature 0.

        `keep` records each token's logarithm and the `TOP` likeliest tokens, at temperature 1.
        """
        noise = torch.Generator(self.device).manual_seed(seed)
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        done, width = [None] * len(prompts), max(1, batch // samples)
        for at in range(0, len(order), width):
            part = order[at : at + width]
            made = self.batch([prompts[i] for i in part], limit, samples, temperature, keep, noise)
            for row, i in enumerate(part):
                done[i] = made[row * samples : (row + 1) * samples]
        return done

    def batch(self, prompts, limit, samples, temperature, keep, noise):
        longest, count = max(len(prompt) for prompt in prompts), len(prompts)
        ids = torch.full((count, longest), self.end, device=self.device)
        padding = torch.tensor([longest - len(prompt) for prompt in prompts], device=self.device)
        for row, prompt in enumerate(prompts):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        cache = Cache(self.shape, count, longest, limit, self.device, self.kind)
        rows = self.forward(ids, cache, padding)
        if samples > 1:
            rows, padding = (x.repeat_interleave(samples, 0) for x in (rows, padding))
            cache.keep(torch.arange(count, device=self.device).repeat_interleave(samples))
        number = torch.arange(count * samples)  # Which text each row of the batch writes.
        made, ended = [[] for _ in number], [False] * len(number)
        logs, tops = [[] for _ in number], [[] for _ in number]
        for at in range(limit):
            logits = rows @ self.output.T
            if temperature > 0:
                uniform = torch.rand(logits.shape, generator=noise, device=self.device)
                gumbel = -(-uniform.clamp_(1e-20, 1 - 1e-7).log()).log()
                token = (logits / temperature + gumbel).argmax(-1)
            else:
                token = logits.argmax(-1)
            if keep:
                probabilities = logits.log_softmax(-1)
                chosen = probabilities.gather(1, token[:, None]).squeeze(1).tolist()
                best = probabilities.topk(TOP)
                best_logs, best_ids = best.values.half().cpu(), best.indices.to(torch.int32).cpu()
            for row, (text, new) in enumerate(zip(number.tolist(), token.tolist())):
                made[text].append(new)
                if keep:
                    logs[text].append(chosen[row])
                    tops[text].append((best_ids[row], best_logs[row]))
                ended[text] = new == self.end
            going = token != self.end
            left = int(going.sum())
            if not left or at + 1 == limit:
                break
            # Finished rows write on until the batch is narrowed; what they write is cut off below.
            if left < 0.75 * len(token) or left < 8 and left < len(token):
                stay = going.nonzero().squeeze(1)
                cache.keep(stay)
                token, padding, number = token[stay], padding[stay], number[stay.cpu()]
            rows = self.forward(token[:, None], cache, padding)
        return [
            self.finished(made[i], logs[i] if keep else None, tops[i]) for i in range(len(made))
        ]

    def finished(self, ids, logs, tops):
        """Cuts a text after its first end token."""
        ended = self.end in ids
        length = ids.index(self.end) + 1 if ended else len(ids)
        written = Written(ids[:length], ended)
        if logs is not None:
            written.logs = logs[:length]
            written.top_ids = torch.stack([top for top, _ in tops[:length]])
            written.top_logs = torch.stack([top for _, top in tops[:length]])
        return written

    def forward(self, ids, cache, padding):
        """The last position's normed rows, in f32; `ids` are the next columns of all texts."""
        shape, (count, length) = self.shape, ids.shape
        heads, kv, size = shape.heads, shape.kv_heads, shape.head_dim
        low, high = cache.length, cache.length + length
        positions = torch.arange(low, high, device=self.device)
        cos, sin = models.rotations(shape, positions, self.kind)
        cos, sin = cos.repeat(count, 1), sin.repeat(count, 1)
        columns = torch.arange(high, device=self.device)
        seen = (columns >= padding[:, None])[:, None, :] & (columns <= positions[:, None])
        # A row of padding may look at itself, so that no row of the softmax is empty.
        seen = seen | (columns == positions[:, None])
        mask = torch.zeros(seen.shape, dtype=self.kind, device=self.device).masked_fill_(
            ~seen, float("-inf")
        )
        x = self.embedding[ids.flatten()]
        for number, layer in enumerate(self.layers):
            y = self.norm_of(x, layer["first"])
            qkv = F.linear(y, layer["qkv"], layer["bias"]).view(-1, heads + 2 * kv, size)
            qkv = models.turn(qkv, cos, sin).view(count, length, -1, size)
            q, k, v = qkv.transpose(1, 2).split([heads, kv, kv], 1)
            k, v = cache.add(number, k, v)
            x = x + F.linear(self.attend(q, k, v, mask), layer["o"])
            gate, up = F.linear(self.norm_of(x, layer["second"]), layer["gate_up"]).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, layer["down"])
        cache.length = high
        last = x.view(count, length, -1)[:, -1]
        return self.norm_of(last, self.norm).float()

    def attend(self, q, k, v, mask):
        count, heads, length, size = q.shape
        kv = k.shape[1]
        q = (q * size**-0.5).reshape(count * kv, -1, size)
        k, v = (y.reshape(count * kv, -1, size) for y in (k, v))
        scores = (q @ k.mT).view(count, heads, length, -1)
        scores += mask[:, None]
        made = scores.softmax(-1).view(count * kv, -1, k.shape[1]) @ v
        return made.view(count, heads, length, size).transpose(1, 2).reshape(count * length, -1)

    def norm_of(self, x, weight):
        x = x.float()
        scale = x.square().mean(-1, keepdim=True).add_(self.shape.epsilon).rsqrt_()
        return (x * scale * weight).to(self.kind)


class Cache:
    """Keys and values of all layers, with room for `limit` more columns."""

    def __init__(self, shape, count, length, limit, device, kind):
        room = (shape.layers, 2, count, shape.kv_heads, length + limit, shape.head_dim)
        self.values, self.length = torch.empty(room, dtype=kind, device=device), 0

    def add(self, layer, k, v):
        high = self.length + k.shape[2]
        for at, new in enumerate((k, v)):
            self.values[layer, at, :, :, self.length : high] = new
        return self.values[layer, 0, :, :, :high], self.values[layer, 1, :, :, :high]

    def keep(self, rows):
        """Goes on with these rows only (or with some of them several times)."""
        if len(rows) == self.values.shape[2]:
            return
        room = list(self.values.shape)
        room[2] = len(rows)
        kept = self.values.new_empty(room)
        kept[..., : self.length, :] = self.values[..., : self.length, :].index_select(2, rows)
        self.values = kept
