"""Tiny Hugging Face models with random weights, one for each architecture that is exported.

Every layer has weights of its own (equal constants would be merged by some readers), drawn from
one seed per variant, with a spread that makes logits differ clearly, and rounded to bfloat16 as
published models are.
"""

import json
from pathlib import Path

import torch
import transformers

from . import tokenizer

VOCABULARY = 288
CONTEXT_LENGTH = 64
#: Standard deviation of the matrices, and of the norm weights round 1.
MATRIX_STD, NORM_STD = 0.12, 0.2

SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT_LENGTH,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
}


def rope(rope_type: str = "default", theta: float = 10000.0, **more: object) -> dict:
    """Returns rotary parameters as transformers 5 takes them."""
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, **more}}


def config_of(family: str, **changes: object) -> transformers.PretrainedConfig:
    """Returns the configuration of a tiny model of one family."""
    config_class = {
        "qwen2": transformers.Qwen2Config,
        "qwen3": transformers.Qwen3Config,
        "llama": transformers.LlamaConfig,
        "mistral": transformers.MistralConfig,
        "phi3": transformers.Phi3Config,
        "gemma2": transformers.Gemma2Config,
    }[family]
    ids = tokenizer.added_ids()
    special = {
        "bos_token_id": ids[tokenizer.BOS],
        "eos_token_id": ids[tokenizer.EOS],
        "pad_token_id": ids[tokenizer.EOS],
    }
    return config_class(**{**SIZES, **rope(), **special, **changes})


def fill(model: torch.nn.Module, seed: int) -> None:
    """Draws every parameter from one seeded generator, in the order of their names."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(model.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name:
            # Gemma's norms multiply by (1 + weight), all others by the weight.
            centre = 0.0 if "Gemma" in type(model).__name__ else 1.0
            values = centre + NORM_STD * noise
        elif "embed_tokens" in name:
            values = (0.2 if model.config.tie_word_embeddings else 0.5) * noise
        else:
            values = MATRIX_STD * noise
        parameter.data = values.to(torch.bfloat16).to(torch.float32)


def make(folder: Path, family: str, seed: int, **changes: object) -> transformers.PretrainedConfig:
    """Writes a Hugging Face directory: configuration, float32 weights, tokenizer."""
    config = config_of(family, **changes)
    with torch.no_grad():
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
        fill(model, seed)
    model.generation_config = transformers.GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        pad_token_id=config.pad_token_id,
        do_sample=True,
        temperature=0.6,
        top_p=0.95,
    )
    model.save_pretrained(folder)
    tokenizer.write(folder, config.max_position_embeddings)
    return config


def older_config(folder: Path) -> None:
    """Rewrites config.json in the form of the transformers of early 2025."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["torch_dtype"] = config.pop("dtype", "float32")
    config.pop("layer_types", None)
    path.write_text(json.dumps(config, indent=2))
