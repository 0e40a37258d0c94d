"""Measures ONNX Runtime GenAI through its Python interface: token ids in, logits out."""

import json
import pathlib
import tempfile

import peer


class Session:
    def __init__(self, request):
        import onnxruntime_genai

        with tempfile.TemporaryDirectory() as folder:
            link_with_threads(pathlib.Path(request.model), pathlib.Path(folder), request.threads)
            self.model = onnxruntime_genai.Model(folder)
        settings = onnxruntime_genai.GeneratorParams(self.model)
        # Its default would set room aside for the model's whole context of 131072 tokens.
        settings.set_search_options(max_length=request.context, do_sample=False)
        self.generator = onnxruntime_genai.Generator(self.model, settings)

    def read(self, tokens):
        self.generator.append_tokens(tokens)

    def step(self, token):
        self.generator.append_tokens([token])

    def rewind(self, length):
        if self.generator.token_count() > length:
            self.generator.rewind_to(length)


def link_with_threads(model, folder, threads):
    """The number of threads is a setting of the model's directory only: another directory with the same files."""
    for file in model.iterdir():
        (folder / file.name).symlink_to(file.resolve())
    config = json.loads((model / "genai_config.json").read_text())
    config["model"]["decoder"]["session_options"]["intra_op_num_threads"] = threads
    (folder / "genai_config.json").unlink()
    (folder / "genai_config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    peer.serve(Session)
