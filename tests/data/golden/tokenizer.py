"""The tokenizer that every golden model directory shares.

A byte-level BPE in the form of DeepSeek-R1-Distill-Qwen's: 256 bytes, a handful of merges, and
special tokens of the R1 kind after them. The model's vocabulary is a little larger than the
tokenizer's, as it is in the published models.
"""

import json
from pathlib import Path

MERGES = [
    ("Ġ", "t"), ("Ġ", "a"), ("h", "e"), ("i", "n"), ("r", "e"), ("o", "n"), ("Ġt", "he"),
    ("e", "r"), ("Ġ", "s"), ("a", "t"), ("e", "n"), ("o", "r"), ("i", "s"), ("Ġ", "w"),
    ("Ġ", "o"), ("in", "g"), ("a", "n"), ("e", "s"), ("Ġ", "c"), ("Ġa", "n"),
]  # fmt: skip

BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
USER, ASSISTANT = "<｜User｜>", "<｜Assistant｜>"
THINK, END_THINK = "<think>", "</think>"
#: (text, is it special: left out when text is decoded)
ADDED = [(EOS, True), (USER, False), (ASSISTANT, False), (BOS, True), (THINK, False), (END_THINK, False)]

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}"
    "{% elif message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}"
    "{% elif message['role'] == 'assistant' %}"
    "{{ '<｜Assistant｜>' + message['content'].split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\\n' }}{% endif %}"
)


def bytes_as_letters() -> list[str]:
    """Returns the 256 letters that byte-level BPE writes for the bytes 0 to 255."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    rest = [byte for byte in range(256) if byte not in letters]
    letters.update({byte: chr(256 + i) for i, byte in enumerate(rest)})
    return [letters[byte] for byte in range(256)]


def vocabulary() -> dict[str, int]:
    """Returns token text → id for bytes and merges; the added tokens follow."""
    tokens = bytes_as_letters() + [left + right for left, right in MERGES]
    return {token: i for i, token in enumerate(tokens)}


def added_ids() -> dict[str, int]:
    """Returns the ids of the added tokens."""
    first = len(vocabulary())
    return {text: first + i for i, (text, _) in enumerate(ADDED)}


def tokenizer_json() -> dict:
    """Returns the content of tokenizer.json."""
    ids = added_ids()
    bos = {"id": BOS, "type_id": 0}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": ids[text], "content": text, "single_word": False, "lstrip": False,
                "rstrip": False, "normalized": False, "special": special,
            }
            for text, special in ADDED
        ],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": bos}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [
                {"SpecialToken": bos}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": BOS, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {BOS: {"id": BOS, "ids": [ids[BOS]], "tokens": [BOS]}},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
            "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": vocabulary(),
            "merges": [list(pair) for pair in MERGES],
        },
    }  # fmt: skip


def tokenizer_config(context_length: int) -> dict:
    """Returns the content of tokenizer_config.json, without the chat template."""
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": BOS,
        "eos_token": EOS,
        "pad_token": EOS,
        "unk_token": None,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context_length,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def write(folder: Path, context_length: int, older: bool = False) -> None:
    """Writes the tokenizer files into a directory.

    `older` puts the chat template into tokenizer_config.json and adds special_tokens_map.json,
    as exports did before the template had a file of its own.
    """
    config = tokenizer_config(context_length)
    if older:
        config["chat_template"] = CHAT_TEMPLATE
        write_json(folder / "special_tokens_map.json", {"bos_token": BOS, "eos_token": EOS, "pad_token": EOS})
    else:
        (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    write_json(folder / "tokenizer.json", tokenizer_json(), indent=None)
    write_json(folder / "tokenizer_config.json", config)


def write_json(path: Path, content: dict, indent: int | None = 2) -> None:
    """Writes JSON as UTF-8 with a newline at its end."""
    separators = None if indent else (",", ":")
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=separators)
    path.write_text(text + "\n", encoding="utf-8")
