"""Keeps the weights of a checkpoint in half the room, beside their tokenizer, and makes a checkpoint of them again;
makes a deeper model of a trained one, one with more key/value heads, or the mean of several; says how far they are apart.

Training takes longer than a machine may be had for. What is kept are the weights, as bfloat16, and what the curriculum
has reached; the optimizer starts anew. A deeper model begins by computing exactly what the one it is made of computes:
its further layers add nothing yet. Where there is no machine for a teacher from nothing, it is the student deepened.
With more key/value heads it begins so too: each is a copy of one that was there, and serves a part of its query heads.
The mean is of checkpoints of one training, far apart: most of the way between two of them is chance, and cancels out.

python checkpoint.py --keep CHECKPOINT --tokenizer DIR --in FOLDER     # FOLDER/weights.safetensors, FOLDER/tokenizer
python checkpoint.py --restore FOLDER --work DIR                       # DIR/begun.pt, DIR/tokenizer
python checkpoint.py --deepen CHECKPOINT --layers 9 --as CHECKPOINT
python checkpoint.py --split-heads CHECKPOINT --kv-heads 4 --as CHECKPOINT
python checkpoint.py --mean EARLIER LATER [...] [--weights 1 2 ...] --as CHECKPOINT
python checkpoint.py --apart CHECKPOINT CHECKPOINT [...]
"""

import argparse
import dataclasses
import json
import pathlib
import shutil

import torch
from safetensors import safe_open
from safetensors.torch import save_file

import model as models

WEIGHTS = "weights.safetensors"
KEPT = ("shape", "tokens", "steps", "exact", "labels")


def found(path, maker):
    """The path, if there is a file; `maker` is who writes such files."""
    if not path.is_file():
        raise SystemExit(f"{path} is no file: give what {maker} has written")
    return path


def read(path):
    found(path, "train.py or this program")
    return torch.load(path, map_location="cpu", weights_only=True)


def keep(path, tokenizer, folder):
    saved = read(path)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.bfloat16().contiguous() for name, value in saved["model"].items()}
    about = {name: json.dumps(saved[name]) for name in KEPT}
    save_file(tensors, folder / WEIGHTS, metadata=about)
    copy_tokenizer(tokenizer, folder / "tokenizer")
    print(f"{len(tensors)} tensors after {saved['tokens'] / 1e6:.1f} million tokens")


def restore(folder, work):
    with safe_open(found(folder / WEIGHTS, "--keep"), framework="pt") as kept:
        model = {name: kept.get_tensor(name).float() for name in kept.keys()}
        about = {name: json.loads(text) for name, text in kept.metadata().items()}
    work.mkdir(parents=True, exist_ok=True)
    torch.save({**about, "model": model}, work / "begun.pt")
    copy_tokenizer(folder / "tokenizer", work / "tokenizer")
    print(f"{work / 'begun.pt'}: {about['tokens'] / 1e6:.1f} million tokens so far")


def deepen(path, layers, target):
    saved = read(path)
    few = saved["shape"]["layers"]
    if layers <= few:
        raise SystemExit(f"{path} has {few} layers: --layers must be more, not {layers}")
    state = {name: value for name, value in saved["model"].items() if ".layers." not in name}
    sources = [layer * few // layers for layer in range(layers)]
    for layer, source in enumerate(sources):
        further = layer > 0 and sources[layer - 1] == source
        prefix = f"model.layers.{source}."
        for name, value in saved["model"].items():
            if name.startswith(prefix):
                silent = further and name.endswith(("o_proj.weight", "down_proj.weight"))
                made = torch.zeros_like(value) if silent else value.clone()
                state[f"model.layers.{layer}.{name.removeprefix(prefix)}"] = made
    write_larger(target, saved, state, layers=layers)


def split_heads(path, kv_heads, target):
    saved = read(path)
    shape = models.Shape(**saved["shape"])
    if kv_heads <= shape.kv_heads or kv_heads % shape.kv_heads or shape.heads % kv_heads:
        raise SystemExit(
            f"{path} has {shape.kv_heads} key/value heads for {shape.heads} heads: --kv-heads must be a larger multiple"
            f" of {shape.kv_heads} that divides {shape.heads}, not {kv_heads}"
        )
    state = models.to_hugging_face(saved["model"], shape)
    for name, value in state.items():
        if ".k_proj." in name or ".v_proj." in name:
            heads = value.unflatten(0, (shape.kv_heads, shape.head_dim))
            state[name] = heads.repeat_interleave(kv_heads // shape.kv_heads, 0).flatten(0, 1)
    more = dataclasses.replace(shape, kv_heads=kv_heads)
    write_larger(target, saved, models.from_hugging_face(state, more), kv_heads=kv_heads)


def write_larger(target, saved, state, **larger):
    """A checkpoint of the weights `state`, made of those of `saved`, whose shape differs by `larger`."""
    about = {name: saved[name] for name in KEPT} | {"shape": saved["shape"] | larger}
    torch.save({**about, "model": state}, target)
    said = ", ".join(f"{name} {count}" for name, count in larger.items())
    print(f"{target}: {sum(value.numel() for value in state.values())} parameters, {said}")


def mean(paths, weights, target):
    """The mean of the checkpoints of `paths`, by `weights`; what else is kept of a checkpoint is the last one's."""
    if len(weights) != len(paths):
        raise SystemExit(f"{len(paths)} checkpoints and {len(weights)} weights: --weights must have one for each")
    if min(weights) < 0 or not any(weights):
        raise SystemExit(f"--weights must not be negative, nor all zero: they are {weights}")
    state, last, total = {}, None, sum(weights)
    for path, weight in zip(paths, weights):
        before, last = last, read(path)
        if before and before["shape"] != last["shape"]:
            raise SystemExit(f"{path} has the shape {last['shape']}, the one before {before['shape']}: they must be the same")
        for name, value in last["model"].items():
            state[name] = state.get(name, 0) + value.double() * (weight / total)
    state = {name: value.float() for name, value in state.items()}
    about = {name: last[name] for name in KEPT}
    torch.save({**about, "rounded": last.get("rounded", False), "model": state}, target)
    print(f"{target}: the mean of {len(paths)}, after {last['tokens'] / 1e6:.1f} million tokens")


def apart(paths):
    """Says how long the matrices of each checkpoint are, all as one vector, and how far from those of each other."""
    flat = []
    for path in paths:
        model = read(path)["model"]
        flat.append(torch.cat([model[name].flatten().float() for name in sorted(model) if name.endswith("proj.weight")]))
        if len(flat[0]) != len(flat[-1]):
            raise SystemExit(f"{path} is not of the shape of {paths[0]}: they must be the same")
    for path, one in zip(paths, flat):
        print(f"{path}: length {one.norm():.0f}, apart", *(f"{(one - other).norm():.0f}" for other in flat))


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
    parser.add_argument("--deepen", type=pathlib.Path, help="checkpoint to make a deeper model of")
    parser.add_argument("--layers", type=int, help="how many it is to have")
    parser.add_argument(
        "--split-heads", type=pathlib.Path, help="checkpoint to make one with more key/value heads of"
    )
    parser.add_argument("--kv-heads", type=int, help="how many it is to have")
    parser.add_argument(
        "--mean", type=pathlib.Path, nargs="+", help="checkpoints of one shape to make the mean of"
    )
    parser.add_argument("--weights", type=float, nargs="+", help="of those checkpoints, if not all alike")
    parser.add_argument("--apart", type=pathlib.Path, nargs="+", help="checkpoints to tell the distances of")
    parser.add_argument("--as", dest="target", type=pathlib.Path, help="checkpoint to write")
    options = parser.parse_args()
    if options.keep and options.tokenizer and options.folder:
        keep(options.keep, options.tokenizer, options.folder)
    elif options.restore and options.work:
        restore(options.restore, options.work)
    elif options.deepen and options.layers and options.target:
        deepen(options.deepen, options.layers, options.target)
    elif options.split_heads and options.kv_heads and options.target:
        split_heads(options.split_heads, options.kv_heads, options.target)
    elif options.mean and options.target:
        mean(options.mean, options.weights or [1.0] * len(options.mean), options.target)
    elif options.apart:
        apart(options.apart)
    else:
        parser.error(
            "--keep, --tokenizer and --in; or --restore and --work; or --deepen, --layers and --as;"
            " or --split-heads, --kv-heads and --as; or --mean and --as; or --apart"
        )


if __name__ == "__main__":
    main()
