"""Keeps the weights of a checkpoint in half the room, beside their tokenizer, and makes a checkpoint of them again.

Training takes longer than a machine may be had for. What is kept are the weights, as bfloat16, and what the curriculum
has reached; the optimizer starts anew.

python checkpoint.py --keep CHECKPOINT --tokenizer DIR --in FOLDER     # FOLDER/weights.safetensors, FOLDER/tokenizer
python checkpoint.py --restore FOLDER --work DIR                       # DIR/begun.pt, DIR/tokenizer
"""

import argparse
import json
import pathlib
import shutil

import torch
from safetensors import safe_open
from safetensors.torch import save_file

WEIGHTS = "weights.safetensors"
KEPT = ("shape", "tokens", "steps", "exact", "labels")


def keep(path, tokenizer, folder):
    saved = torch.load(path, map_location="cpu", weights_only=True)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.bfloat16().contiguous() for name, value in saved["model"].items()}
    about = {name: json.dumps(saved[name]) for name in KEPT}
    save_file(tensors, folder / WEIGHTS, metadata=about)
    copy_tokenizer(tokenizer, folder / "tokenizer")
    print(f"{len(tensors)} tensors after {saved['tokens'] / 1e6:.1f} million tokens")


def restore(folder, work):
    work.mkdir(parents=True, exist_ok=True)
    with safe_open(folder / WEIGHTS, framework="pt") as kept:
        model = {name: kept.get_tensor(name).float() for name in kept.keys()}
        about = {name: json.loads(text) for name, text in kept.metadata().items()}
    torch.save({**about, "model": model}, work / "begun.pt")
    copy_tokenizer(folder / "tokenizer", work / "tokenizer")
    print(f"{work / 'begun.pt'}: {about['tokens'] / 1e6:.1f} million tokens so far")


def copy_tokenizer(source, target):
    shutil.copytree(source, target, dirs_exist_ok=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=pathlib.Path, help="checkpoint to keep")
    parser.add_argument("--tokenizer", type=pathlib.Path, help="what it was trained with")
    parser.add_argument("--in", dest="folder", type=pathlib.Path, help="where to keep it")
    parser.add_argument("--restore", type=pathlib.Path, help="folder it was kept in")
    parser.add_argument("--work", type=pathlib.Path, help="where to make a checkpoint of it")
    options = parser.parse_args()
    if options.keep and options.tokenizer and options.folder:
        keep(options.keep, options.tokenizer, options.folder)
    elif options.restore and options.work:
        restore(options.restore, options.work)
    else:
        parser.error("either --keep, --tokenizer and --in, or --restore and --work")


if __name__ == "__main__":
    main()
