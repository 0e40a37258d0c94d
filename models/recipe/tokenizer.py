"""Trains the tokenizer: byte-level BPE, one token a digit, DeepSeek-R1's special tokens, our own chat template.

    python tokenizer.py --out DIR

writes `tokenizer.json`, `tokenizer_config.json` and `chat_template.jinja`, and says how the commonest words fare.
"""

import argparse
import collections
import json
import pathlib
import random
import re

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

VOCABULARY = 2048  # A multiple of 32, as the int4 blocks of the output layer like it.
FRAGMENTS = 200  # Learnt merges beside the bytes; the rest of the vocabulary is whole words.
SPACE = "Ġ"  # As the byte alphabet writes it.
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
# Contractions, words with one leading space, single digits, punctuation, line ends, spaces. Unlike Qwen2's, a word
# never takes a leading quote or bracket with it: names are cut in JSON as in a sentence, which makes copying easy.
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

# Signs and words that readers meet though our corpus is thin on them: each becomes cheap to write.
EXTRA_TEXT = [
    "° °C °F é è ê à â ç ù û ô î ï ü ö ä ß ñ É À Ç œ µ ² ³ ± × · – — ‘ ’ “ ” « » € ≥ ≤ ≠ → … Ω %",
    "°C, °F. µg/m³ kWh L/min m³/h bar kPa l/min m/s km/h",
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


def render(system, messages):
    """The chat template's text for a conversation that ends with a user's message, generation prompt included."""
    text = BEGIN + system
    for message in messages:
        if message["role"] == "user":
            text += USER + message["content"]
        else:
            text += ASSISTANT + message["content"].split(THINK_END)[-1].strip() + END
    return f"{text}{ASSISTANT}{THINK}\n"


def train(samples, seed, size=VOCABULARY):
    """A vocabulary of bytes, some learnt fragments for words never seen, and the commonest words whole.

    Whole words need no chain of merges (`ignore_merges`), so nearly all of the vocabulary is words that occur. A word
    counts for its form without the leading space too: a name then is one token in a sentence, in JSON and as a key.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    pieces = collections.Counter()
    for text in corpus(samples, seed):
        pieces.update(piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text))
    trainer = trainers.BpeTrainer(
        vocab_size=256 + FRAGMENTS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(samples, seed), trainer)
    learnt = json.loads(tokenizer.to_str())["model"]
    vocabulary = learnt["vocab"]
    worth = collections.Counter(pieces)
    for piece, times in pieces.items():
        bare = piece.removeprefix(SPACE)
        if len(bare) > 1 and decode_piece(bare).isalpha():
            worth[bare if bare != piece else SPACE + piece] += times // 4
    for piece, _ in sorted(worth.items(), key=lambda entry: (-entry[1], entry[0])):
        if len(vocabulary) == size - len(SPECIAL):
            break
        vocabulary.setdefault(piece, len(vocabulary))
    merges = [tuple(merge) for merge in learnt["merges"]]
    tokenizer.model = models.BPE(vocab=vocabulary, merges=merges, ignore_merges=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    for content, special in SPECIAL:
        token = AddedToken(content, special=special, normalized=False)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([token])
    assert tokenizer.get_vocab_size() == size, tokenizer.get_vocab_size()
    return tokenizer


def corpus(samples, seed):
    """Generated text, and a little of the signs that it lacks."""
    rng = random.Random(f"tokenizer/{seed}")
    for _ in range(samples):
        made = problems.problem(rng)
        yield "\n".join(
            [made.system, *(m["content"] for m in made.messages), made.thought, "", made.answer, ""]
        )
    for _ in range(max(20, samples // 200)):
        yield from EXTRA_TEXT


def decode_piece(piece):
    """The text of a piece that is written in the byte alphabet."""
    return decoders.ByteLevel().decode([piece])


def twins(tokenizer):
    """Pairs of ids of the same word without and with a leading space."""
    ids = tokenizer.get_vocab()
    return sorted(
        (number, ids[SPACE + token])
        for token, number in ids.items()
        if SPACE + token in ids and decode_piece(token).isalpha()
    )


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


def report(tokenizer, seed, samples=2000):
    """How long problems are, and which common words take more than one token."""
    rng, words, lengths = random.Random(f"report/{seed}"), collections.Counter(), []
    for _ in range(samples):
        made = problems.problem(rng)
        given = render(made.system, made.messages)
        lengths.append((count(tokenizer, given), count(tokenizer, f"{made.thought}{made.answer}")))
        words.update(re.findall(r" [^\W\d_]+", given + made.thought))
    for what, values in zip(("prompt", "thought and answer"), zip(*lengths)):
        values = sorted(values)
        print(f"{what}: median {values[samples // 2]}, longest {values[-1]} tokens")
    whole = sum(n for word, n in words.items() if count(tokenizer, word) == 1)
    bare = sum(n for word, n in words.items() if count(tokenizer, word[1:]) == 1)
    print(
        f"words of one token: {whole / words.total():.1%}, without the space {bare / words.total():.1%}"
    )
    cut = [word for word, _ in words.most_common() if count(tokenizer, word) > 1]
    print("commonest of several:", *cut[:40])


def count(tokenizer, text):
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--samples", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=VOCABULARY, help="of the vocabulary")
    options = parser.parse_args()
    tokenizer = train(options.samples, options.seed, options.size)
    save(tokenizer, options.out)
    for sample in [
        "It is 21.5 °C in the kitchen, 45 % humidity, café.",
        "28.5>28: yes\n</think>\n\n",
    ]:
        ids = tokenizer.encode(sample, add_special_tokens=False)
        assert tokenizer.decode(ids.ids, skip_special_tokens=False) == sample
        print(len(ids.ids), ids.tokens)
    report(tokenizer, options.seed)


if __name__ == "__main__":
    main()
