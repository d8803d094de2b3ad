"""Checks for learners of one's own."""

from quickstudy.testing.learner_check import PROPERTIES as PROPERTIES
from quickstudy.testing.learner_check import ConformanceError as ConformanceError
from quickstudy.testing.learner_check import check_learner as check_learner
