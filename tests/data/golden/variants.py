"""The list of golden model directories: which model, which builder, which options."""

from dataclasses import dataclass, field

from .models import rope


@dataclass(frozen=True)
class Variant:
    """One model directory."""

    name: str
    about: str
    family: str = "qwen2"
    #: Changes to the tiny configuration.
    model: dict = field(default_factory=dict)
    #: `--extra_options` of the builder.
    options: tuple[str, ...] = ()
    precision: str = "int4"
    provider: str = "cpu"
    #: Built by the older builder, in its own Python environment.
    older: bool = False
    #: Name of a function of `craft` that edits the built model.
    craft: str | None = None
    #: Whether the reference holds eight prompt positions instead of two.
    more_positions: bool = False


TIED = {"tie_word_embeddings": True}
ONE_LAYER = {**TIED, "num_hidden_layers": 1}
LLAMA3_ROPE = rope(
    "llama3", 500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16
)
QUANTIZE_BOTH = "op_types_to_quantize=MatMul/Gather"
MISTRAL = {**TIED, "sliding_window": 8, "head_dim": 16}
ONE_WINDOW = {"layer_types": ["sliding_attention", "full_attention"]}

# Tied embeddings keep a directory small, and give GatherBlockQuantized every form of weights; so
# variants whose subject lies elsewhere are tied. One layer is enough where the form of the weights
# is the subject.
VARIANTS = [
    Variant(
        "qwen2-default",
        "builder's defaults: block 32, symmetric, accuracy level 4, packed QKV",
        model={"max_position_embeddings": 128},
        more_positions=True,
    ),
    Variant("qwen2-zero-points", "uint4 with packed zero points", options=("is_symmetric=false",), more_positions=True),
    Variant(
        "qwen2-shared-embeddings",
        "tied embeddings: GatherBlockQuantized reads the output layer's int4 weights",
        model=TIED,
        options=("shared_embeddings=true",),
        more_positions=True,
    ),
    Variant("qwen2-separate-qkv", "three projections instead of one", model=TIED, options=("fuse_qkv=false",)),
    Variant("qwen2-block16", "blocks of 16", model=ONE_LAYER, options=("block_size=16",)),
    Variant("qwen2-block64", "blocks of 64", model={**ONE_LAYER, "intermediate_size": 128}, options=("block_size=64",)),
    Variant(
        "qwen2-block128",
        "blocks of 128, head size 32",
        model={**ONE_LAYER, "hidden_size": 128, "intermediate_size": 128},
        options=("block_size=128",),
    ),
    Variant(
        "qwen2-ragged-k",
        "K = 80 and 96 with blocks of 64, also in the embedding: the last block of a row is short",
        model={**ONE_LAYER, "hidden_size": 80, "head_dim": 16},
        options=("block_size=64",),
    ),
    Variant(
        "qwen2-ragged-k-zero-points",
        "K = 80 and 96 with blocks of 64 and zero points, int4 embedding of its own",
        model={"num_hidden_layers": 1, "hidden_size": 80, "head_dim": 16},
        options=("block_size=64", "is_symmetric=false", QUANTIZE_BOTH),
    ),
    Variant(
        "qwen2-quantized-embedding",
        "an int4 embedding of its own beside the int4 output layer",
        model={"num_hidden_layers": 1},
        options=(QUANTIZE_BOTH,),
    ),
    Variant(
        "qwen2-quantized-embedding-zero-points",
        "the same, uint4 with zero points",
        model={"num_hidden_layers": 1},
        options=(QUANTIZE_BOTH, "is_symmetric=false"),
    ),
    Variant(
        "qwen2-int8-head",
        "int8 output layer, default quantizer",
        model={"num_hidden_layers": 1},
        options=("matmul_mixed_precision=last_matmul:int8", QUANTIZE_BOTH),
    ),
    Variant("qwen2-int8", "everything int8", model={"num_hidden_layers": 1}, precision="int8"),
    Variant(
        "qwen2-k-quant",
        "k-quant: zero points in every node",
        model={**ONE_LAYER, "intermediate_size": 128},
        options=("algo_config=k_quant",),
    ),
    Variant(
        "qwen2-k-quant-mixed",
        "k-quant, the sensitive nodes and the shared embedding int8, the others int4, with zero points",
        model={**TIED, "intermediate_size": 128},
        options=("algo_config=k_quant_mixed",),
    ),
    Variant(
        "qwen2-rtn-last",
        "`rtn` quantizer, symmetric, int8 output layer and shared embedding",
        model=ONE_LAYER,
        options=("algo_config=rtn_last",),
    ),
    Variant(
        "qwen2-pruned-head", "logits of the last position only", model=ONE_LAYER, options=("prune_lm_head=true",)
    ),
    Variant(
        "qwen2-fused-gate-up", "gate and up in one MatMulNBits", model=ONE_LAYER, options=("fuse_mlp_gate_up=true",)
    ),
    Variant(
        "qwen2-qdq",
        "DequantizeLinear on int4 and MatMul",
        model={"num_hidden_layers": 1},
        options=("use_qdq=true",),
    ),
    Variant(
        "qwen2-qdq-zero-points",
        "DequantizeLinear on uint4 and MatMul",
        model={"num_hidden_layers": 1},
        options=("use_qdq=true", "is_symmetric=false"),
    ),
    Variant(
        "qwen2-accuracy-level-0",
        "accuracy level 0 (no attribute)",
        model=ONE_LAYER,
        options=("accuracy_level=0",),
    ),
    Variant("qwen2-accuracy-level-1", "accuracy level 1", model=ONE_LAYER, options=("accuracy_level=1",)),
    Variant(
        "qwen2-f16",
        "f16 weights, scales, activations and cache (CUDA export)",
        model=TIED,
        provider="cuda",
        options=("accuracy_level=4",),
    ),
    Variant(
        "qwen2-rotary",
        "RotaryEmbedding of its own and a `position_ids` input (DirectML export, cast to f32)",
        model=TIED,
        provider="dml",
        options=("accuracy_level=4",),
        craft="f16_to_f32",
    ),
    Variant(
        "qwen2-float-zero-points",
        "f32 zero points (f32 export, quantized by ONNX Runtime's HQQ quantizer)",
        precision="fp32",
        model={"num_hidden_layers": 1},
        craft="hqq",
    ),
    Variant(
        "qwen2-older",
        "builder 0.6: one-dimensional scales, GroupQueryAttention with 9 inputs",
        options=("int4_accuracy_level=4",),
        older=True,
    ),
    Variant(
        "qwen2-older-zero-points",
        "builder 0.6 with zero points and accuracy level 4",
        model={"num_hidden_layers": 1},
        options=("int4_is_symmetric=false", "int4_accuracy_level=4", "int4_" + QUANTIZE_BOTH),
        older=True,
    ),
    Variant("llama", "Llama with Llama 3.1's rotary scaling", family="llama", model={**TIED, **LLAMA3_ROPE}),
    Variant("qwen3", "Qwen3: norms on q and k, head size 32", family="qwen3", model={**TIED, "head_dim": 32}),
    Variant(
        "mistral-sliding-window",
        "Mistral, window of 8 in the first layer",
        family="mistral",
        model={**MISTRAL, **ONE_WINDOW},
        options=("windowed_kv_cache=false",),
    ),
    Variant(
        "mistral-window-cache",
        "the same with the cache of the windowed layer cut to the window (builder's default)",
        family="mistral",
        model={**MISTRAL, **ONE_WINDOW},
    ),
    Variant(
        "phi3",
        "Phi-3, rotary on half of each head of 32",
        family="phi3",
        model={
            **TIED,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "original_max_position_embeddings": 64,
            **rope(partial_rotary_factor=0.5),
        },
    ),
    Variant(
        "gemma2",
        "Gemma 2: soft caps, norms before and after, GELU, window of 8",
        family="gemma2",
        model={**TIED, "head_dim": 16, "sliding_window": 8},
        options=("windowed_kv_cache=false",),
    ),
]
