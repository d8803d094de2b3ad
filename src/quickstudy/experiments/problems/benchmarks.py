"""CIFAR-FS and miniImageNet, where the user has them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.errors import DataError
from quickstudy.experiments.networks import Conv4Config, Inputs, NetworkConfig
from quickstudy.experiments.problem import Source, Split
from quickstudy.experiments.problems.natural import NaturalImages

if TYPE_CHECKING:
    from quickstudy.tasks.episodes import Episodes


@dataclass(frozen=True)
class BenchmarkImages(NaturalImages):
    """Base: a published data set that the user has, in one of its published layouts."""

    has: ClassVar[str] = "a published data set"
    reads_folder: ClassVar[bool] = True
    usual: ClassVar[dict[str, int]] = {"steps": 20_000, "meta_batch": 4, "validate_every": 1000}

    queries: int = 15
    """Query examples per class."""

    @property
    def network(self) -> NetworkConfig:
        """Conv4 as the papers have it: 64 filters, pooled."""
        return Conv4Config(filters=64, downsample="pool")

    @property
    def training_classes(self) -> int | None:
        """64, in both."""
        return 64

    def folder(self, source: Source) -> Path:
        """Where the files are: the given folder, or the one of the problem's name in it.

        Raises:
            DataError: no folder is given.
        """
        given = source.folder or os.environ.get("QUICKSTUDY_DATA")
        if not given:
            raise DataError(
                f"{self.name} is not downloaded; give the folder that holds it with --data DIR, or "
                "in the variable QUICKSTUDY_DATA (docs/own-data.md has the layouts)"
            )
        folder = Path(given).expanduser()
        inside = folder / self.name
        return inside if inside.is_dir() else folder

    def drawn(
        self, make: Callable[..., "Episodes"], split: Split, source: Source, ways: int
    ) -> "Episodes":
        """Episodes from what reads the files."""
        shape: dict[str, Any] = {"ways": ways, "shots": self.shots, "queries": self.queries}
        return make(self.folder(source), split, **shape)


@dataclass(frozen=True)
class CIFARFSImages(BenchmarkImages):
    """CIFAR-FS: 100 classes of CIFAR-100, 32×32 in colour (Bertinetto et al., 2019)."""

    name: ClassVar[str] = "cifar-fs"

    @property
    def inputs(self) -> Inputs:
        """32×32, three channels."""
        return (32, 32, 3)

    def episodes(self, split: Split, source: Source, ways: int) -> "Episodes":
        """CIFAR-FS."""
        from quickstudy.tasks.cifar_fs import cifar_fs

        return self.drawn(cifar_fs, split, source, ways)


@dataclass(frozen=True)
class MiniImageNetImages(BenchmarkImages):
    """miniImageNet: 100 classes of ImageNet, 84×84 in colour (Vinyals et al., 2016)."""

    name: ClassVar[str] = "mini-imagenet"

    @property
    def inputs(self) -> Inputs:
        """84×84, three channels."""
        return (84, 84, 3)

    def episodes(self, split: Split, source: Source, ways: int) -> "Episodes":
        """miniImageNet."""
        from quickstudy.tasks.mini_imagenet import mini_imagenet

        return self.drawn(mini_imagenet, split, source, ways)
