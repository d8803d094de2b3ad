"""Docstrings of fields."""

from dataclasses import dataclass

from quickstudy.app.docstrings import field_docs
from quickstudy.experiments.methods.blackbox import BlackBoxConfig


def test_they_are_read_from_the_source():
    assert field_docs(BlackBoxConfig)["labels"].startswith("Whether a label")


@dataclass
class Base:
    """A base."""

    width: int = 1
    """How wide
    it is."""
    bare: int = 2


@dataclass
class Below(Base):
    """Says something else."""

    width: int = 2
    """Another."""


def test_those_of_the_class_itself_come_last_and_count():
    assert field_docs(Base) == {"width": "How wide it is.", "bare": ""}
    assert field_docs(Below) == {"width": "Another.", "bare": ""}
