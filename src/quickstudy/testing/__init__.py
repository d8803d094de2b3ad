"""Checks for learners, and families of environments, of one's own."""

from quickstudy.testing.environment_check import ENVIRONMENT_PROPERTIES as ENVIRONMENT_PROPERTIES
from quickstudy.testing.environment_check import check_environment as check_environment
from quickstudy.testing.family_check import FAMILY_PROPERTIES as FAMILY_PROPERTIES
from quickstudy.testing.family_check import check_family as check_family
from quickstudy.testing.family_check import check_vector as check_vector
from quickstudy.testing.learner_check import PROPERTIES as PROPERTIES
from quickstudy.testing.learner_check import check_learner as check_learner
from quickstudy.testing.properties import ConformanceError as ConformanceError
