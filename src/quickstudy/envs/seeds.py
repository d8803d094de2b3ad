"""What each copy of an environment is reset with."""

import numpy as np


def own_seeds(seed: int, numbers: range, each: int, visit: int) -> list[int]:
    """What each of the copies of these numbers is reset with; arguments as of `begin`.

    Example:
        >>> one, other = own_seeds(0, range(2), each=2, visit=0)
        >>> one == other, own_seeds(0, range(1, 2), each=2, visit=0) == [other]
        (False, True)
    """
    # Three numbers, where `draw_task` takes one: no copy draws what its task was drawn from.
    keys = [(n // each, n % each, visit) for n in numbers]
    return [int(np.random.SeedSequence(seed, spawn_key=key).generate_state(1)[0]) for key in keys]
