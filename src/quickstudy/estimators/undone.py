"""A call that fails leaves an estimator as it was."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

Own = TypeVar("Own")
Rest = ParamSpec("Rest")
Answer = TypeVar("Answer")


def undone_if_refused(
    learn: Callable[Concatenate[Own, Rest], Answer],
) -> Callable[Concatenate[Own, Rest], Answer]:
    """A method that learns, which changes all attributes of its object or none.

    What is refused is found in many places, some of them late, as in a learner that cannot take so
    many classes. Half a change would be worse than an error: answers would have other labels.

    The method may assign attributes, and change no array or dict that an attribute held before.
    """

    @functools.wraps(learn)
    def whole(self: Own, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Answer:
        before = dict(vars(self))
        try:
            return learn(self, *args, **kwargs)
        except BaseException:  # an interrupt, too
            vars(self).clear()
            vars(self).update(before)
            raise

    return whole
