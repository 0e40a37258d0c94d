"""Trains a model, teacher or student, on the generator's traces; run again to go on where it stopped.

python train.py --work DIR --tokenizer DIR --minutes 90                              # DIR/model.pt, constant rate
python train.py --work DIR --tokenizer DIR --minutes 30 --decay --out final          # to rate zero, in int4
python train.py --work DIR --tokenizer DIR --size teacher --minutes 300              # a teacher
python train.py --work DIR --tokenizer DIR --init ../thinkd-mini --minutes 90        # from the shipped weights
"""

import argparse

import loop


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    loop.add_options(parser)
    options = parser.parse_args()
    loop.run(options, loop.diet_of(options))


if __name__ == "__main__":
    main()
