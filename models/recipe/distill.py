"""Trains a student on a teacher's own right traces and token distributions, mixed with the generator's problems.

    python distill.py --work DIR --tokenizer DIR --traces TRACES --minutes 120
    python distill.py --work DIR --tokenizer DIR --traces TRACES --minutes 30 --decay --out final

Cross-entropy with the text counts `--hard-share`, with the teacher's distribution the rest. `--start` may name any
checkpoint, so that a student may first learn from the generator alone. The options are those of train.py.
"""

import argparse

import loop


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    loop.add_options(parser)
    parser.set_defaults(out="distilled", start="distilled")
    parser.add_argument("--traces", required=True, help="what sample.py wrote")
    parser.add_argument("--trace-share", type=float, default=0.7, help="of the documents")
    parser.add_argument("--hard-share", type=float, default=0.3)
    options = parser.parse_args()
    loop.run(options, loop.diet_of(options))


if __name__ == "__main__":
    main()
