"""What every test shares: two CPU devices, strict switches, and real data where it is at hand."""

import gc
import os
from pathlib import Path

import hypothesis
import jax
import pytest
from jaxtyping import install_import_hook

# Before quickstudy is imported anywhere: its annotations are checked whenever a test calls it.
install_import_hook("quickstudy", "typechecker.check")
import quickstudy  # noqa: E402

DEVICES = 2

# Nearly all of a test's time is compilation. LLVM's optimisations are half of it, and XLA's newer
# emitters of fused loops, with a module for each of up to 32 parts of a program, half of the rest.
FAST_COMPILATION = (
    "--xla_backend_optimization_level=0",
    "--xla_cpu_use_fusion_emitters=false",
    "--xla_cpu_parallel_codegen_split_count=1",
)
os.environ["XLA_FLAGS"] = " ".join((os.environ.get("XLA_FLAGS", ""), *FAST_COMPILATION))

# Two devices even on one core, so that what depends on the number of devices is always tested.
quickstudy.set_up_devices(DEVICES)
jax.config.update("jax_numpy_rank_promotion", "raise")
# Tests compile thousands of small functions; programs cache only what takes half a second.
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

MAPS = Path("/proc/self/maps")
MOST_MAPS = 15_000


@pytest.fixture(autouse=True)
def few_programs():
    """Forget compiled programs before they are too many: each takes several memory maps, Linux
    allows a process 65,530, and XLA crashes when it gets no more."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()


hypothesis.settings.register_profile("quickstudy", deadline=None, max_examples=25)
hypothesis.settings.register_profile(
    "ci", parent=hypothesis.settings.get_profile("quickstudy"), derandomize=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "quickstudy")


SLOW = frozenset(Path(__file__).with_name("slow.txt").read_text(encoding="utf-8").splitlines())


def pytest_collection_modifyitems(items):
    """Mark the tests, or whole files, that tests/slow.txt lists; tests/slow.py measures them."""
    for item in items:
        if not SLOW.isdisjoint({item.nodeid, item.nodeid.partition("::")[0]}):
            item.add_marker(pytest.mark.slow)


def pytest_sessionstart():
    assert jax.device_count() == DEVICES, "the tests want JAX to themselves: two CPU devices"


@pytest.fixture
def one_device(monkeypatch):
    """Called, it leaves a test one device for all that follows."""
    mesh = jax.make_mesh((1,), ("tasks",), (jax.sharding.AxisType.Auto,), devices=jax.devices()[:1])

    def one() -> None:
        monkeypatch.setattr("quickstudy.mesh.task_mesh", lambda: mesh)
        jax.clear_caches()  # or the program for all devices would be taken again

    return one


@pytest.fixture(scope="session")
def omniglot_data() -> Path:
    """The folder with the real characters, named by QUICKSTUDY_DATA."""
    given = os.environ.get("QUICKSTUDY_DATA")
    if not given:
        pytest.skip("QUICKSTUDY_DATA is not set; it names the folder that holds omniglot/")
    folder = Path(given) / "omniglot"
    if not folder.is_dir():
        pytest.skip(f"QUICKSTUDY_DATA is {given}, which holds no folder omniglot")
    return Path(given)
