"""What the user has named, and so may be used to open a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from quickstudy.errors import BadInput


class Scope:
    """What the user has named, and so may be used to open a run: by where it is defined,
    `{"lever.py:Lever": Lever}`."""

    def __init__(self, things: Mapping[str, Any] | None = None, named: Sequence[str] = ()):
        self.things, self.named = dict(things or {}), tuple(named)
        self.told: frozenset[str] = frozenset()
        self.used: set[str] = set()

    def read(self, value: Any) -> None:
        """Note the places of everything of the user's own that a recipe tells."""
        self.told |= _places_in(value)

    def demand_used(self) -> None:
        """Refuse a file that the user named, and that what was opened was not made with.

        Raises:
            BadInput: names it, and what was used in its place.
        """
        files = {one.rpartition(":")[0] for one in self.used}
        if left := [one for one in self.named if one.rpartition(":")[0] not in files]:
            made_with = ", ".join(sorted(self.used)) or "quickstudy alone"
            raise BadInput(f"{left[0]} is named, and this was made with {made_with}; name that")

    def find(self, where: str) -> Any:
        """The thing of the user's own that a file calls `FILE.py:NAME`.

        Raises:
            BadInput: the user has not named it.
        """
        found = self._found(where)
        self.used.add(found)
        return self.things[found]

    def _found(self, where: str) -> str:
        if where in self.things:
            return where
        if not (found := self._renamed(where)):
            also = f" beside {', '.join(self.named or sorted(self.things))}" if self.things else ""
            unknown = {where, *self.told} - set(self.things)
            missing = [f"PATH/{one}" for one in sorted(unknown) if not self._renamed(one)]
            raise BadInput(
                f"this was made with {where}, code of your own, which a file of weights never "
                f"causes to be run; name it yourself{also}: --recipe {' '.join(missing)}, or in "
                f"Python recipe={missing}, where PATH is its folder"
            )
        if len(found) > 1:
            raise BadInput(f"{where} may be {' or '.join(sorted(found))}; name its own file")
        return found[0]

    def _renamed(self, where: str) -> list[str]:
        """What may be meant, if the file was renamed: all of its name that are not told, too."""
        name, there = where.rpartition(":")[2], self.named or tuple(self.things)
        return [one for one in there if one.rpartition(":")[2] == name and one not in self.told]


NOTHING = Scope()


def _places_in(value: Any) -> frozenset[str]:
    """All `{"own": "FILE.py:NAME"}` in JSON."""
    if isinstance(value, list):
        return frozenset().union(*map(_places_in, value))
    if not isinstance(value, Mapping):
        return frozenset()
    mine = frozenset({value["own"]}) if isinstance(value.get("own"), str) else frozenset()
    return mine.union(*map(_places_in, value.values()))
