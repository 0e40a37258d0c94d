"""A Qwen2 decoder, small and plain, that trains well on a CPU and on a GPU.

Query, key and value are one matrix, gate and up another; `to_hugging_face` and `from_hugging_face` translate to the
names of Hugging Face's `Qwen2ForCausalLM`. All documents of a batch lie in one flat row, so nothing is padded but the
few tokens that bring neighbours in length together.
"""

import dataclasses

import torch
import torch.nn.functional as F
from torch import nn

BLOCK = 32  # Weights of one int4 scale.
CHUNK = 64  # Query rows taken at a time: keys that none of them may see cost nothing.


@dataclasses.dataclass
class Shape:
    vocabulary: int = 2048
    hidden: int = 256
    layers: int = 6
    heads: int = 8
    kv_heads: int = 2
    head_dim: int = 32
    intermediate: int = 704
    rope_theta: float = 10_000.0
    epsilon: float = 1e-6


# Parameters without the embeddings: 4.2, 6.7, 10.5, 40 million.
SIZES = {
    "student": Shape(),
    "student-large": Shape(hidden=320, layers=6, heads=10, intermediate=896),
    "teacher": Shape(hidden=384, layers=7, heads=12, kv_heads=4, intermediate=992),
    "teacher-gpu": Shape(
        hidden=640, layers=10, heads=10, kv_heads=5, head_dim=64, intermediate=1728
    ),
}


def round4(weight):
    """The weight as int4 in blocks of 32 gives it back, rounded as ONNX Runtime's default quantizer rounds.

    The entry of largest magnitude in a block becomes -8 exactly: scale = entry / -8, so a scale may
    be negative. Halves are rounded up, after 8 was added in f32.
    """
    blocks = weight.view(weight.shape[0], -1, BLOCK)
    entry = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))
    scale = entry / -8
    inverse = torch.where(scale == 0, 0.0, 1 / scale)
    numbers = (blocks * inverse).add_(8.5).floor_().clamp_(0, 15).sub_(8)
    return numbers.mul_(scale).view_as(weight)


def is_rounded(name):
    """Whether the exporter turns this parameter to int4: every matrix but the embedding, which stays float."""
    return name.endswith("proj.weight") or name.startswith("lm_head")


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
        return RmsNorm.apply(x, self.weight, self.epsilon, matrix_kind(x))


def quick_kind(device):
    """The type in which this device multiplies matrices fastest: bf16, or f32 on a CPU that would have to emulate it."""
    if torch.device(device).type != "cpu" or torch.cpu._is_avx512_bf16_supported():
        return torch.bfloat16
    return torch.float32


def matrix_kind(x):
    """The type in which matrices are multiplied where `x` is: bf16 under autocast."""
    return torch.bfloat16 if torch.is_autocast_enabled(x.device.type) else torch.float32


class SwiGlu(torch.autograd.Function):
    """silu(gate) * up of `[gate, up]` side by side, and its gradient written side by side again."""

    @staticmethod
    def forward(context, both):
        context.save_for_backward(both)
        gate, up = both.chunk(2, -1)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(context, gradient):
        (both,) = context.saved_tensors
        gate, up = both.chunk(2, -1)
        out = torch.empty_like(both)
        gate_out, up_out = out.chunk(2, -1)
        torch.mul(gradient, F.silu(gate), out=up_out)
        torch.ops.aten.silu_backward.grad_input(gradient * up, gate, grad_input=gate_out)
        return out


class CausalAttention(torch.autograd.Function):
    """Rotary positions and causal attention of packed documents, from flat `[tokens, heads + 2 kv_heads, head_dim]`.

    The query heads of one key/value head are stacked along the rows, so no key is repeated; the probabilities are
    kept for the way back.
    """

    @staticmethod
    def forward(context, qkv, cos, sin, groups, shape):
        heads, kv = shape.heads, shape.kv_heads
        qkv = turn(qkv, cos, sin)
        out = qkv.new_empty(qkv.shape[0], heads, shape.head_dim)
        kept = []
        for rows, count, length in spans(groups):
            q, k, v = by_group(qkv[rows], count, length, shape)
            k, v = k * shape.head_dim**-0.5, v.contiguous()
            target = out[rows].view(count, length, kv, -1, shape.head_dim)
            parts = []
            for low in range(0, length, CHUNK):
                high = min(low + CHUNK, length)
                part = q[:, :, :, low:high].reshape(count * kv, -1, shape.head_dim)
                scores = part @ k[:, :high].mT
                hide_future(scores, high - low)
                weights = scores.softmax(-1)
                made = weights @ v[:, :high]
                target[:, low:high] = made.view(count, kv, -1, high - low, shape.head_dim).permute(
                    0, 3, 1, 2, 4
                )
                parts.append((low, high, part, weights))
            kept.append((k, v, parts))
        context.save_for_backward(qkv, cos, sin)
        context.kept, context.groups, context.shape = kept, groups, shape
        return out.view(qkv.shape[0], -1)

    @staticmethod
    def backward(context, gradient):
        qkv, cos, sin = context.saved_tensors
        shape = context.shape
        heads, kv, size = shape.heads, shape.kv_heads, shape.head_dim
        out = torch.empty_like(qkv)
        for (rows, count, length), (k, v, parts) in zip(spans(context.groups), context.kept):
            given = gradient[rows].view(count, length, kv, -1, size).permute(0, 2, 3, 1, 4)
            q_out = out[rows, :heads].view(count, length, kv, -1, size)
            k_out, v_out = k.new_zeros(k.shape), v.new_zeros(v.shape)
            for low, high, part, weights in parts:
                mine = given[:, :, :, low:high].reshape(count * kv, -1, size)
                v_out[:, :high] += weights.mT @ mine
                scores = torch._softmax_backward_data(
                    mine @ v[:, :high].mT, weights, -1, weights.dtype
                )
                q_out[:, low:high] = (
                    (scores @ k[:, :high])
                    .view(count, kv, -1, high - low, size)
                    .permute(0, 3, 1, 2, 4)
                )
                k_out[:, :high] += scores.mT @ part
            k_out *= size**-0.5
            for at, made in ((heads, k_out), (heads + kv, v_out)):
                out[rows, at : at + kv] = (
                    made.view(count, kv, length, size)
                    .transpose(1, 2)
                    .reshape(count * length, kv, size)
                )
        context.kept = None
        return turn(out, cos, sin, back=True), None, None, None, None


def spans(groups):
    """The rows of each group of `count` documents of `length` tokens."""
    at = 0
    for count, length in groups:
        yield slice(at, at + count * length), count, length
        at += count * length


def by_group(qkv, count, length, shape):
    """Queries as `[count, kv, group, length, head_dim]`, keys and values as `[count * kv, length, head_dim]`."""
    heads, kv, size = shape.heads, shape.kv_heads, shape.head_dim
    q = qkv[:, :heads].view(count, length, kv, heads // kv, size).permute(0, 2, 3, 1, 4)
    k, v = (
        qkv[:, at : at + kv].view(count, length, kv, size).transpose(1, 2).reshape(-1, length, size)
        for at in (heads, heads + kv)
    )
    return q, k, v


def hide_future(scores, size):
    """Takes from the last `size` keys those that come after the query; rows are stacked heads of `size` queries."""
    future = torch.full((size, size), float("-inf"), dtype=scores.dtype, device=scores.device)
    scores.view(scores.shape[0], -1, size, scores.shape[-1])[..., -size:] += future.triu_(1)


def turn(x, cos, sin, back=False):
    """Rotary positions, or the gradient's way back through them: `x` is `[tokens, heads, head_dim]`.

    `cos` and `sin` are as wide as the rows: long plain rows are several times faster than broadcasting.
    """
    halves = x.view(*x.shape[:2], 2, -1)
    swapped = torch.empty_like(halves)
    swapped[:, :, 0] = halves[:, :, 1]
    swapped[:, :, 1] = halves[:, :, 0]
    swapped = swapped.view(x.shape[0], -1).mul_(sin)
    if back:
        swapped.neg_()
    return swapped.addcmul_(x.view(x.shape[0], -1), cos).view(x.shape)


class Turn(torch.autograd.Function):
    """`turn` alone, for devices that have their own attention."""

    @staticmethod
    def forward(context, x, cos, sin):
        context.save_for_backward(cos, sin)
        return turn(x.contiguous(), cos, sin)

    @staticmethod
    def backward(context, gradient):
        return turn(gradient.contiguous(), *context.saved_tensors, back=True), None, None


def attention_on_gpu(qkv, cos, sin, groups, shape):
    """The same as `CausalAttention` by the fused kernels of the device."""
    heads, kv = shape.heads, shape.kv_heads
    qkv = Turn.apply(qkv, cos, sin)
    done = []
    for rows, count, length in spans(groups):
        q, k, v = (
            y.transpose(1, 2)
            for y in qkv[rows].view(count, length, -1, shape.head_dim).split([heads, kv, kv], 2)
        )
        made = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        done.append(made.transpose(1, 2).reshape(count * length, -1))
    return torch.cat(done)


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        parts = [shape.heads * shape.head_dim] + [shape.kv_heads * shape.head_dim] * 2
        self.qkv_proj = nn.Linear(shape.hidden, sum(parts))
        self.qkv_proj.weight.parts = parts
        self.o_proj = nn.Linear(shape.heads * shape.head_dim, shape.hidden, bias=False)

    def forward(self, x, cos, sin, groups, wanted=None):
        """`x` is `[tokens, hidden]`: the rows of every group of `count` documents of `length` tokens in turn; what comes
        of the `wanted` rows, or of all."""
        s = self.shape
        qkv = self.qkv_proj(x).view(-1, s.heads + 2 * s.kv_heads, s.head_dim)
        attend = attention_on_gpu if x.is_cuda else CausalAttention.apply
        heads = attend(qkv, cos, sin, groups, s)
        return self.o_proj(heads if wanted is None else heads[wanted])


class Mlp(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.gate_up_proj = nn.Linear(shape.hidden, 2 * shape.intermediate, bias=False)
        self.gate_up_proj.weight.parts = [shape.intermediate] * 2
        self.down_proj = nn.Linear(shape.intermediate, shape.hidden, bias=False)

    def forward(self, x):
        return self.down_proj(SwiGlu.apply(self.gate_up_proj(x)))


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.input_layernorm = Norm(shape.hidden, shape.epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = Norm(shape.hidden, shape.epsilon)
        self.mlp = Mlp(shape)

    def forward(self, x, cos, sin, groups, wanted=None):
        seen = self.self_attn(self.input_layernorm(x), cos, sin, groups, wanted)
        x = (x if wanted is None else x[wanted]) + seen
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.hidden, shape.epsilon)

    def forward(self, ids, groups, wanted=None):
        x = self.embed_tokens(ids)
        positions = torch.cat([torch.arange(length).repeat(count) for count, length in groups])
        cos, sin = rotations(self.shape, positions.to(ids.device), matrix_kind(x))
        *layers, last = self.layers
        for layer in layers:
            x = layer(x, cos, sin, groups)
        return self.norm(last(x, cos, sin, groups, wanted))


def rotations(shape, positions, kind):
    """Cosines and signed sines for `turn`, one row a position; values are left as they are."""
    half, turned = shape.head_dim // 2, shape.heads + shape.kv_heads
    steps = torch.arange(half, dtype=torch.float32, device=positions.device)
    angle = positions[:, None] * shape.rope_theta ** (-steps / half)
    cos, sin = angle.cos(), angle.sin()
    rest = shape.kv_heads * shape.head_dim
    cos = torch.cat([cos, cos], -1).repeat(1, turned)
    sin = torch.cat([-sin, sin], -1).repeat(1, turned)
    return F.pad(cos, (0, rest), value=1.0).to(kind), F.pad(sin, (0, rest)).to(kind)


class OutputLoss(torch.autograd.Function):
    """Summed cross-entropy behind the output layer, with logits in f32 and their gradient made in the same passes.

    In bf16 logits would be known to 1/16 only; their gradient may be bf16. Returns also which tokens were likeliest.
    """

    @staticmethod
    def forward(context, x, weight, wanted):
        with torch.autocast(x.device.type, enabled=False):
            logits = x.float() @ weight.T
            largest, best = logits.max(-1, keepdim=True)
            target = logits.gather(1, wanted[:, None])
            logits.sub_(largest).exp_()
            total = logits.sum(-1, keepdim=True)
            loss = (total.log() + largest - target).sum()
            logits.div_(total)
            logits[torch.arange(len(wanted), device=x.device), wanted] -= 1
            context.save_for_backward(logits.to(x.dtype), x, weight)
            right = best.squeeze(1) == wanted
            context.mark_non_differentiable(right)
            return loss, right

    @staticmethod
    def backward(context, gradient, _):
        logits, x, weight = context.saved_tensors
        with torch.autocast(x.device.type, enabled=False):
            x_out = (logits @ weight.to(x.dtype)).mul_(gradient)
            return x_out, (logits.T @ x).float().mul_(gradient), None


class Model(nn.Module):
    """`twins` are pairs of token ids that differ by a leading space: they start out alike, so that a name is known
    again wherever it stands."""

    def __init__(self, shape, twins=()):
        super().__init__()
        self.model = Decoder(shape)
        self.lm_head = nn.Linear(shape.hidden, shape.vocabulary, bias=False)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 2:
                small = "o_proj" in name or "down_proj" in name
                nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5 * (0.3 if small else 0.7))
        with torch.no_grad():
            # Tokens enter large, so that what they are stays visible beside what the layers add, and leave by a turned
            # copy of the same vectors: to repeat any word, however rare, is then one linear map for all words.
            embedding = self.model.embed_tokens.weight
            embedding.normal_(std=4.0)
            for bare, spaced in twins:
                embedding[bare] = 0.8 * embedding[spaced] + 0.6 * embedding[bare]
            turned = torch.linalg.qr(torch.randn(shape.hidden, shape.hidden))[0]
            self.lm_head.weight.copy_(embedding @ turned * 0.03)
        look_back(self)

    def hidden(self, ids, groups, wanted=None):
        """The last layer's normed rows, all or the `wanted` ones: nothing is computed there for those nobody learns."""
        return self.model(ids, groups, wanted)

    def logits(self, rows):
        """In f32 whatever the layers use: in bf16 logits would be known to 1/16 only."""
        with torch.autocast(rows.device.type, enabled=False):
            return self.lm_head(rows.float())


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
        qkv = net.model.layers[layer].self_attn.qkv_proj
        for at, offset in enumerate(offsets):
            head, key_head = at % group + at // group * group, at // group
            first = (shape.heads + key_head) * shape.head_dim
            key = qkv.bias[first : first + shape.head_dim]
            if at % group == 0:
                key.zero_()
                key[:pairs] = sharpness
                qkv.weight[first : first + shape.head_dim] *= 0.3
            rows = slice(head * shape.head_dim, (head + 1) * shape.head_dim)
            query = qkv.bias[rows]
            query.zero_()
            query[:pairs] = sharpness * (offset * frequency[:pairs]).cos()
            query[half : half + pairs] = -sharpness * (offset * frequency[:pairs]).sin()
            qkv.weight[rows] *= 0.3


# Hugging Face names ------------------------------------------------------------------------------


def pieces(shape):
    """Our fused modules and the modules they are made of, with their rows."""
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    yield "self_attn.qkv_proj", [("q_proj", q), ("k_proj", kv), ("v_proj", kv)]
    yield "mlp.gate_up_proj", [("gate_proj", shape.intermediate), ("up_proj", shape.intermediate)]


def to_hugging_face(state, shape):
    """Our state dictionary with the names of `Qwen2ForCausalLM`."""
    made = dict(state)
    for layer in range(shape.layers):
        for fused, parts in pieces(shape):
            for kind in ("weight", "bias"):
                whole = made.pop(f"model.layers.{layer}.{fused}.{kind}", None)
                if whole is None:
                    continue
                parent = fused.rpartition(".")[0]
                for (name, _), part in zip(parts, whole.split([rows for _, rows in parts])):
                    made[f"model.layers.{layer}.{parent}.{name}.{kind}"] = part.contiguous()
    return made


def from_hugging_face(state, shape):
    """The other way round."""
    made = dict(state)
    for layer in range(shape.layers):
        for fused, parts in pieces(shape):
            for kind in ("weight", "bias"):
                parent = fused.rpartition(".")[0]
                names = [f"model.layers.{layer}.{parent}.{name}.{kind}" for name, _ in parts]
                if names[0] in made:
                    made[f"model.layers.{layer}.{fused}.{kind}"] = torch.cat(
                        [made.pop(name) for name in names]
                    )
    return made


def load(path, rounded=None):
    """The model of a checkpoint and what was saved with it; weights rounded to int4 if asked (or as trained)."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    net = Model(Shape(**saved["shape"]))
    state = saved["model"]
    if saved["rounded"] if rounded is None else rounded:
        state = {
            name: round4(value) if is_rounded(name) else value for name, value in state.items()
        }
    net.load_state_dict(state)
    return net.eval(), saved
