"""A training that ends in the middle."""

from quickstudy.progress import Silent


class Crash(Exception):
    pass


class Crashing(Silent):
    """A report that ends the training at a step, whatever was saved by then."""

    def __init__(self, at):
        self.at = at

    def update(self, step, values):
        if step >= self.at:
            raise Crash
