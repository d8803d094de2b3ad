"""quickstudy: learning to learn from a few examples, on JAX.

    θ* = argmin_θ  Σ_i  L(φ_i, D_i^ts)          φ_i = f_adapt(θ, D_i^tr)

The public names stand in `__init__.pyi`. Each is imported when it is first used, so that the
command line answers before JAX is loaded.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
