"""Trains the tokenizer: byte-level BPE, one token a digit, DeepSeek-R1's special tokens, our own chat template.

Run as `python tokenizer.py --out DIR`; writes `tokenizer.json`, `tokenizer_config.json` and `chat_template.jinja`.
"""

import argparse
import json
import pathlib

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
    processors,
    trainers,
)

import problems

VOCABULARY = 1024
BEGIN, END, USER, ASSISTANT = (
    "<｜begin▁of▁sentence｜>",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
)
THINK, THINK_END = "<think>", "</think>"
# Unlike the speakers' marks the think tags are ordinary text to a decoder: they must survive skip_special_tokens.
SPECIAL = [
    (END, True),
    (BEGIN, True),
    (USER, True),
    (ASSISTANT, True),
    (THINK, False),
    (THINK_END, False),
]
# Contractions, words with one leading space, single digits, punctuation, line ends, spaces. Unlike Qwen2's, a word never
# takes a leading quote or bracket with it: names are the same tokens in JSON as in a sentence, which makes copying easy.
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

# Signs and words that readers meet though our corpus is thin on them: each becomes cheap to write.
EXTRA_TEXT = [
    "° °C °F é è ê à â ç ù û ô î ï ü ö ä ß ñ É µ ² ³ ± × · – — ‘ ’ “ ” € ≥ ≤ ≠ → … Ω %",
    "°C, °F. µg/m³ kWh L/min",
    "température humidité pièce fenêtre degré élevée relevé éteint allumé après très été côté où à la moyenne des mesures",
    "quelle est la valeur maximale ? combien de capteurs dépassent le seuil ? la règle : si la puissance est supérieure à",
    "alors ouvrir la vanne, sinon fermer. l'énergie consommée, le chauffage, la lumière, le niveau, l'eau et le débit",
    "what time is it, how long, how many hours and minutes, from until before after, energy cost per hour and day",
]

CHAT_TEMPLATE = """\
{{- bos_token -}}
{%- for message in messages -%}
  {%- if message['role'] == 'system' -%}
    {{- message['content'] -}}
  {%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
  {%- if message['role'] == 'user' -%}
    {{- '<｜User｜>' + message['content'] -}}
  {%- elif message['role'] == 'assistant' -%}
    {{- '<｜Assistant｜>' + message['content'].split('</think>')[-1].strip() + eos_token -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<｜Assistant｜><think>\\n' -}}
{%- endif -%}
"""


def render(system, prompt):
    """The chat template's text for one question, generation prompt included."""
    return f"{BEGIN}{system}{USER}{prompt}{ASSISTANT}{THINK}\n"


def train(samples, seed):
    """Learns the merges from `samples` generated problems."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL),
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(samples, seed), trainer)
    for content, special in SPECIAL:
        token = AddedToken(content, special=special, normalized=False)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([token])
    assert tokenizer.get_vocab_size() == VOCABULARY, tokenizer.get_vocab_size()
    return tokenizer


def corpus(samples, seed):
    for problem in problems.stream(seed, "seen", samples):
        yield f"{problem.system}\n{problem.prompt}\n"
        yield f"{problem.thought}\n\n\n{problem.answer}"
    for _ in range(max(20, samples // 200)):
        yield from EXTRA_TEXT


def save(tokenizer, out):
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    (out / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": False,
        "add_eos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "bos_token": BEGIN,
        "eos_token": END,
        "pad_token": END,
        "unk_token": None,
        "model_max_length": 2048,
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(content)): {
                "content": content,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": special,
            }
            for content, special in SPECIAL
        },
        "chat_template": CHAT_TEMPLATE,
    }
    (out / "tokenizer_config.json").write_text(
        json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--samples", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tokenizer = train(options.samples, options.seed)
    save(tokenizer, options.out)
    for sample in [
        "It is 21.5 °C in the kitchen, 45 % humidity, café.",
        "28.5>28: yes\n</think>\n\n",
    ]:
        ids = tokenizer.encode(sample, add_special_tokens=False)
        assert tokenizer.decode(ids.ids, skip_special_tokens=False) == sample
        print(len(ids.ids), ids.tokens)


if __name__ == "__main__":
    main()
