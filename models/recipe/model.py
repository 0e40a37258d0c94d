"""A Qwen2 decoder, small and plain, with the int4 rounding of the export built in.

The module names are those of Hugging Face's `Qwen2ForCausalLM`, so a state dictionary goes over unchanged.
"""

import dataclasses

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass
class Shape:
    vocabulary: int = 1024
    hidden: int = 256
    layers: int = 4
    heads: int = 8
    kv_heads: int = 2
    head_dim: int = 32
    intermediate: int = 704
    rope_theta: float = 10_000.0
    epsilon: float = 1e-6


class Round4(torch.autograd.Function):
    """Rounds to int4 in blocks of 32 as ONNX Runtime's default quantizer does; the gradient passes straight through.

    The entry of largest magnitude in a block becomes -8 exactly: scale = entry / -8, so a scale may be negative.
    """

    @staticmethod
    def forward(context, weight):
        blocks = weight.view(weight.shape[0], -1, 32)
        entry = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))
        scale = entry / -8
        inverse = torch.where(scale == 0, 0.0, 1 / scale)
        return ((blocks * inverse).round().clamp(-8, 7) * scale).view_as(weight)

    @staticmethod
    def backward(context, gradient):
        return gradient


class Linear(nn.Linear):
    """A linear layer whose weight is rounded to int4 while `rounded` is set."""

    rounded = False

    def used_weight(self):
        return Round4.apply(self.weight) if self.rounded else self.weight

    def forward(self, x):
        return F.linear(x, self.used_weight(), self.bias)


class RmsNorm(torch.autograd.Function):
    """Root-mean-square norm of f32 rows to bf16 or f32, with few passes over memory each way."""

    @staticmethod
    def forward(context, x, weight, epsilon, kind):
        size = x.shape[-1]
        inverse = (
            torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(size).add_(epsilon)
        ).rsqrt_()
        unit = x * inverse
        context.save_for_backward(unit, inverse, weight)
        return (unit * weight).to(kind)

    @staticmethod
    def backward(context, gradient):
        unit, inverse, weight = context.saved_tensors
        gradient = gradient.float()
        product = gradient * unit
        weight_gradient = product.sum(0)
        inner = (product @ weight).div_(unit.shape[-1]).unsqueeze_(-1)
        return (
            (gradient * weight).addcmul_(unit, inner, value=-1).mul_(inverse),
            weight_gradient,
            None,
            None,
        )


class Norm(nn.Module):
    def __init__(self, size, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x):
        kind = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
        return RmsNorm.apply(x, self.weight, self.epsilon, kind)


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.q_proj = Linear(shape.hidden, shape.heads * shape.head_dim)
        self.k_proj = Linear(shape.hidden, shape.kv_heads * shape.head_dim)
        self.v_proj = Linear(shape.hidden, shape.kv_heads * shape.head_dim)
        self.o_proj = Linear(shape.heads * shape.head_dim, shape.hidden, bias=False)

    def forward(self, x, cos, sin, groups):
        """`x` is `[tokens, hidden]`: the rows of every group of `count` documents of `length` tokens, one after another."""
        s = self.shape
        heads = s.heads + s.kv_heads
        qkv = together(x, self.q_proj, self.k_proj, self.v_proj).view(
            -1, heads + s.kv_heads, s.head_dim
        )
        q, k, v = Rotate.apply(qkv, cos, sin, heads).split([s.heads, s.kv_heads, s.kv_heads], 1)
        done, at = [], 0
        for count, length in groups:
            to = at + count * length
            part = lambda y: y[at:to].view(count, length, -1, s.head_dim).transpose(1, 2)
            y = attend(part(q), part(k), part(v))
            done.append(y.transpose(1, 2).reshape(count * length, -1))
            at = to
        return self.o_proj(torch.cat(done))


def attend(q, k, v):
    """Causal attention; the query heads of one key/value head are stacked along the rows, so no key is repeated."""
    b, h, t, d = q.shape
    kv = k.shape[1]
    scores = q.reshape(b * kv, h // kv * t, d) @ (k.reshape(b * kv, t, d) * d**-0.5).mT
    hidden = torch.full((t, t), float("-inf"), dtype=scores.dtype).triu_(1)
    weights = (scores.view(b * kv, h // kv, t, t) + hidden).softmax(-1, dtype=scores.dtype)
    return (weights.view(b * kv, -1, t) @ v.reshape(b * kv, t, d)).view(b, h, t, d)


class Rotate(torch.autograd.Function):
    """Rotary positions for the first `heads` heads of `[tokens, heads, head_dim]`; its gradient turns backwards."""

    @staticmethod
    def forward(context, x, cos, sin, heads):
        context.save_for_backward(cos, sin)
        context.heads = heads
        return turn(x, cos, sin, heads, -1)

    @staticmethod
    def backward(context, gradient):
        return turn(gradient, *context.saved_tensors, context.heads, 1), None, None, None


def turn(x, cos, sin, heads, sign):
    out = torch.empty_like(x)
    out[:, heads:] = x[:, heads:]
    first, second = x[:, :heads].chunk(2, -1)
    low, high = out[:, :heads].chunk(2, -1)
    torch.mul(first, cos, out=low).addcmul_(second, sin, value=sign)
    torch.mul(second, cos, out=high).addcmul_(first, sin, value=-sign)
    return out


def together(x, *layers):
    """Several linear layers of one input as one product."""
    weight = torch.cat([layer.used_weight() for layer in layers])
    bias = None if layers[0].bias is None else torch.cat([layer.bias for layer in layers])
    return F.linear(x, weight, bias)


class Mlp(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.gate_proj = Linear(shape.hidden, shape.intermediate, bias=False)
        self.up_proj = Linear(shape.hidden, shape.intermediate, bias=False)
        self.down_proj = Linear(shape.intermediate, shape.hidden, bias=False)

    def forward(self, x):
        gate, up = together(x, self.gate_proj, self.up_proj).chunk(2, -1)
        return self.down_proj(F.silu(gate) * up)


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.input_layernorm = Norm(shape.hidden, shape.epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = Norm(shape.hidden, shape.epsilon)
        self.mlp = Mlp(shape)

    def forward(self, x, cos, sin, groups):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, groups)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.hidden, shape.epsilon)

    def forward(self, ids, groups):
        half = self.shape.head_dim // 2
        frequency = self.shape.rope_theta ** (-torch.arange(half, dtype=torch.float32) / half)
        positions = torch.cat(
            [torch.arange(length, dtype=torch.float32).repeat(count) for count, length in groups]
        )
        angle = positions[:, None, None] * frequency
        x = self.embed_tokens(ids)
        kind = torch.bfloat16 if torch.is_autocast_enabled("cpu") else x.dtype
        cos, sin = angle.cos().to(kind), angle.sin().to(kind)
        for layer in self.layers:
            x = layer(x, cos, sin, groups)
        return self.norm(x)


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.model = Decoder(shape)
        self.lm_head = Linear(shape.hidden, shape.vocabulary, bias=False)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 2:
                small = "o_proj" in name or "down_proj" in name
                nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5 * (0.3 if small else 0.7))
        with torch.no_grad():
            # Tokens enter large, so that what they are stays visible beside what the layers add, and leave by a turned
            # copy of the same vectors: to repeat any word, however rare, is then one linear map for all words.
            self.model.embed_tokens.weight.normal_(std=4.0)
            turned = torch.linalg.qr(torch.randn(shape.hidden, shape.hidden))[0]
            self.lm_head.weight.copy_(self.model.embed_tokens.weight @ turned * 0.03)
        look_back(self)

    def forward(self, ids, groups, targets):
        """The mean cross-entropy over the positions whose target is not -1; all documents in one flat row."""
        x = self.model(ids, groups)
        where = (targets >= 0).nonzero().squeeze(1)
        with torch.autocast(
            "cpu", enabled=False
        ):  # In bf16 the logits would be known to 1/16 only.
            logits = self.lm_head(x[where].float())
        return F.cross_entropy(logits, targets[where])

    def round_weights(self, on):
        for module in self.modules():
            if isinstance(module, Linear):
                module.rounded = on


@torch.no_grad()
def look_back(net, sharpness=6.0, pairs=5):
    """Lets four heads of the first layer, and two of the second, look 1, 2, 3 and 4 tokens back from the start.

    Copying needs such heads, and under rotary positions they need query and key biases of about `sharpness`, which
    training takes thousands of steps to grow. The fastest-turning `pairs` of a head carry the offset.
    """
    shape = net.model.shape
    half, group = shape.head_dim // 2, shape.heads // shape.kv_heads
    frequency = shape.rope_theta ** (-torch.arange(half, dtype=torch.float32) / half)
    for layer, offsets in ((0, (1, 2, 3, 4)), (1, (1, 2))):
        attention = net.model.layers[layer].self_attn
        key = attention.k_proj.bias[: shape.head_dim]
        key.zero_()
        key[:pairs] = sharpness
        attention.k_proj.weight[: shape.head_dim] *= 0.3
        for head, offset in enumerate(offsets[:group]):
            rows = slice(head * shape.head_dim, (head + 1) * shape.head_dim)
            query = attention.q_proj.bias[rows]
            query.zero_()
            query[:pairs] = sharpness * (offset * frequency[:pairs]).cos()
            query[half : half + pairs] = -sharpness * (offset * frequency[:pairs]).sin()
            attention.q_proj.weight[rows] *= 0.3
