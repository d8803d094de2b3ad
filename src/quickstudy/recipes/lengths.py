"""How long MAML's relatives train: minutes or an hour."""

from dataclasses import dataclass
from typing import Literal

from quickstudy.recipes.data import OnGlyphs, OnOmniglot, OnSinusoids


@dataclass(frozen=True)
class Short(OnGlyphs):
    """A training of minutes on glyphs."""

    steps: int = 2000
    meta_batch: int = 8


@dataclass(frozen=True)
class Long(OnOmniglot):
    """A training of about an hour on Omniglot."""

    steps: int = 15_000
    meta_batch: int = 32
    validate_every: int = 1000
    protocol: Literal["snell2017", "finn2017", "lake2015"] = "finn2017"


@dataclass(frozen=True)
class Waves(OnSinusoids):
    """A training of minutes on sinusoids."""

    steps: int = 30_000
    meta_batch: int = 25
    validate_every: int = 3000
