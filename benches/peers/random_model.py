"""Makes the model that every runtime is measured on: the shape of DeepSeek-R1-Distill-Qwen-1.5B, random weights.

The speed of a decoder does not depend on what its weights say, only on their shape and format. So nothing is
downloaded: the weights are drawn here, once, and brought into each runtime's format by that runtime's own tools. All
formats hold the same weights.

python random_model.py --work DIR
"""

import argparse
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys

CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "attention_dropout": 0.0,
    "bos_token_id": 151646,
    "eos_token_id": 151643,
    "hidden_act": "silu",
    "hidden_size": 1536,
    "initializer_range": 0.02,
    "intermediate_size": 8960,
    "max_position_embeddings": 131072,
    "model_type": "qwen2",
    "num_attention_heads": 12,
    "num_hidden_layers": 28,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000,
    "tie_word_embeddings": False,
    "use_cache": True,
    "use_sliding_window": False,
    "vocab_size": 151936,
}
# What llama.cpp's own quantizer is asked for: file name -> (file type, every tensor in that type).
GGUF_TYPES = {
    "q4_0-pure": ("LLAMA_FTYPE_MOSTLY_Q4_0", True),
    "q4_0": ("LLAMA_FTYPE_MOSTLY_Q4_0", False),
    "q4_k_m": ("LLAMA_FTYPE_MOSTLY_Q4_K_M", False),
}
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
REAL_TOKENIZER = (
    pathlib.Path(__file__).resolve().parents[3] / "shared/models/deepseek-r1-distill-qwen"
)


def make(work):
    """Makes what is missing below `work`: `onnx`, `onnx-pruned` and `gguf/*.gguf`. Complete ones are kept."""
    work.mkdir(parents=True, exist_ok=True)
    wanted_gguf = [name for name in GGUF_TYPES if not (work / f"gguf/{name}.gguf").exists()]
    wanted_onnx = [
        (name, options)
        for name, options in (("onnx", []), ("onnx-pruned", ["prune_lm_head=true"]))
        if not (work / name).exists()
    ]
    if not wanted_gguf and not wanted_onnx:
        return
    source = work / "hugging-face"
    if not (source / "complete").exists():
        save_random_weights(source)
        save_tokenizer(source)
        (source / "complete").touch()
    for name, options in wanted_onnx:
        build_onnx(source, work / name, options)
    if wanted_gguf:
        (work / "gguf").mkdir(exist_ok=True)
        unquantized = work / "gguf/bf16.gguf"
        write_gguf(source, unquantized)
        for name in wanted_gguf:
            quantize_gguf(unquantized, work / f"gguf/{name}.gguf", *GGUF_TYPES[name])
        unquantized.unlink()
    shutil.rmtree(source)


def save_random_weights(folder):
    """Writes a transformers checkpoint in bf16. No two parameters are equal: runtimes merge equal constants."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    settings = {
        key: value for key, value in CONFIG.items() if key not in ("architectures", "model_type")
    }
    with torch.device("meta"):
        model = Qwen2ForCausalLM(Qwen2Config(**settings)).to(torch.bfloat16)
    model.to_empty(device="cpu")
    # Drawing 1.8 billion normal numbers takes minutes; windows of one long draw at odd places do as well.
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randn(2**24 + 43, generator=generator).mul_(CONFIG["initializer_range"])
    drawn = drawn.to(torch.bfloat16)
    for index, (name, parameter) in enumerate(sorted(model.named_parameters())):
        if "norm" in name:
            parameter.data.fill_(1.0)
            continue
        flat = parameter.data.view(-1)
        start, filled = (index * 7_654_321) % len(drawn), 0
        while filled < len(flat):
            piece = drawn[start : start + len(flat) - filled]
            flat[filled : filled + len(piece)] = piece
            start, filled = 0, filled + len(piece)
    model.save_pretrained(folder)
    # The configuration as published, not as this version of transformers would spell it.
    (folder / "config.json").write_text(json.dumps({**CONFIG, "torch_dtype": "bfloat16"}, indent=2))


def save_tokenizer(folder):
    """The real tokenizer if the checkout has it beside it, else a stand-in. No measurement looks at text."""
    if REAL_TOKENIZER.is_dir():
        for name in TOKENIZER_FILES:
            shutil.copyfile(REAL_TOKENIZER / name, folder / name)
        return
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    fillers = (f"filler{i}" for i in range(CONFIG["eos_token_id"] - len(alphabet)))
    vocabulary = {token: index for index, token in enumerate([*alphabet, *fillers])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    begin, end = "<begin>", "<end>"
    special = [end, "<unused1>", "<unused2>", begin]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "Qwen2Tokenizer",
        "bos_token": begin,
        "eos_token": end,
        "pad_token": end,
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONFIG["max_position_embeddings"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))
    template = "{{ bos_token }}{% for message in messages %}{{ message['content'] }}\n{% endfor %}<think>\n"
    (folder / "chat_template.jinja").write_text(template)


def build_onnx(source, out, extra_options):
    """Runs ONNX Runtime GenAI's builder as its users do: int4 for CPUs, all else as it chooses."""
    partial = out.with_name(out.name + ".partial")
    cache = out.with_name(out.name + ".cache")
    shutil.rmtree(partial, ignore_errors=True)
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
    command += ["-i", source, "-o", partial, "-p", "int4", "-e", "cpu", "-c", cache]
    if extra_options:
        command += ["--extra_options", *extra_options]
    done = subprocess.run(
        command,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    shutil.rmtree(cache, ignore_errors=True)
    if done.returncode:
        raise SystemExit(f"the model builder failed:\n{done.stderr}")
    partial.rename(out)


def write_gguf(source, out):
    """Writes the checkpoint as GGUF in bf16, for llama.cpp's quantizer. No vocabulary: only token ids are fed."""
    import gguf
    import torch
    from safetensors import safe_open

    writer = gguf.GGUFWriter(out, "qwen2")
    writer.add_block_count(CONFIG["num_hidden_layers"])
    writer.add_context_length(CONFIG["max_position_embeddings"])
    writer.add_embedding_length(CONFIG["hidden_size"])
    writer.add_feed_forward_length(CONFIG["intermediate_size"])
    writer.add_head_count(CONFIG["num_attention_heads"])
    writer.add_head_count_kv(CONFIG["num_key_value_heads"])
    writer.add_rope_freq_base(CONFIG["rope_theta"])
    writer.add_layer_norm_rms_eps(CONFIG["rms_norm_eps"])
    writer.add_vocab_size(CONFIG["vocab_size"])
    writer.add_tokenizer_model("no_vocab")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, CONFIG["num_hidden_layers"])
    for path in sorted(source.glob("*.safetensors")):
        with safe_open(path, framework="pt") as tensors:
            for name in sorted(tensors.keys()):
                tensor = tensors.get_tensor(name)
                target = names.get_name(name, try_suffixes=(".weight", ".bias"))
                if tensor.dim() == 1:
                    writer.add_tensor(target, tensor.float().numpy())
                else:
                    data = tensor.contiguous().view(torch.uint8).numpy()
                    writer.add_tensor(target, data, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantize_gguf(source, out, file_type, pure):
    """Runs llama.cpp's quantizer through its library."""
    import llama_cpp

    # It writes a line for each tensor; what matters is its status.
    silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.nthread = os.cpu_count()
    settings.ftype = getattr(llama_cpp, file_type)
    settings.pure = pure
    partial = out.with_name(out.name + ".partial")
    status = llama_cpp.llama_model_quantize(
        str(source).encode(), str(partial).encode(), ctypes.byref(settings)
    )
    if status:
        raise SystemExit(f"llama.cpp could not quantize {source} to {file_type}: status {status}")
    partial.rename(out)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=pathlib.Path, required=True)
    make(parser.parse_args().work)


if __name__ == "__main__":
    main()
