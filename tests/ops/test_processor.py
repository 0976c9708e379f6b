"""Whether the processor multiplies bfloat16 is read off what Linux says of it."""

from pathlib import Path

import keras
import pytest

from mrcnn_al.ops import backend

pytestmark = pytest.mark.every_backend

PROCESSORS = {
    "Zen 4": ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 clzero\n", True),
    "Sapphire Rapids": ("flags\t\t: avx512f amx_bf16 amx_tile\n", True),
    "Neoverse V1": ("processor\t: 0\nFeatures\t: fp asimd bf16 i8mm\n", True),
    "Skylake": ("flags\t\t: fpu avx2 avx512f\n", False),
    "elsewhere": ("", False),
}


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="XLA has no such kernels on a CPU")
@pytest.mark.parametrize("name", PROCESSORS)
def test_processors(monkeypatch, name):
    text, expected = PROCESSORS[name]
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    monkeypatch.setattr(backend, "has_gpu", lambda: False)
    assert backend.multiplies_bfloat16.__wrapped__() == expected


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="of JAX")
def test_never_with_jax():
    assert not backend.multiplies_bfloat16()
