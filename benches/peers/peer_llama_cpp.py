"""Measures llama.cpp through llama-cpp-python's low-level interface: its C functions, token ids in, logits out."""

import ctypes

import peer


class Session:
    def __init__(self, request):
        import llama_cpp

        self.llama = llama_cpp
        # Its load messages would be in the way, errors included: they come back as null pointers.
        self.silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.silent, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        settings = llama_cpp.llama_model_default_params()
        settings.load_mode = (
            llama_cpp.LLAMA_LOAD_MODE_MMAP if request.memory_map else llama_cpp.LLAMA_LOAD_MODE_NONE
        )
        self.model = llama_cpp.llama_model_load_from_file(request.model.encode(), settings)
        if not self.model:
            raise SystemExit(f"llama.cpp does not load {request.model}")
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = request.context
        settings.n_batch = settings.n_ubatch = peer.CHUNK
        settings.n_threads = settings.n_threads_batch = request.threads
        if request.flash_attention is not None:
            settings.flash_attn_type = int(request.flash_attention)
        self.context = llama_cpp.llama_init_from_model(self.model, settings)
        if not self.context:
            raise SystemExit(f"llama.cpp makes no context of {request.context} tokens")
        self.memory = llama_cpp.llama_get_memory(self.context)

    def read(self, tokens):
        batch = (self.llama.llama_token * len(tokens))(*tokens)
        status = self.llama.llama_decode(
            self.context, self.llama.llama_batch_get_one(batch, len(tokens))
        )
        if status or not self.llama.llama_get_logits_ith(self.context, -1):
            raise SystemExit(f"llama.cpp fails with status {status} on {len(tokens)} tokens")

    def step(self, token):
        self.read([token])

    def rewind(self, length):
        if not self.llama.llama_memory_seq_rm(self.memory, 0, length, -1):
            raise SystemExit(f"llama.cpp does not rewind to {length} tokens")


if __name__ == "__main__":
    peer.serve(Session)
