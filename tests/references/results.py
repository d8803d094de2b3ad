"""Results to be drawn and written."""

import numpy as np

from quickstudy.evaluation.estimates import Estimate
from quickstudy.evaluation.measured import Evaluation, Returns, TrialEvaluation
from quickstudy.experiments.learner_result import LearnerResult
from quickstudy.experiments.policy_result import PolicyResult

NASTY = '<script>alert("1")</script>&$x$'


def an_evaluation(**changes):
    values = {
        "metric": "accuracy",
        "after": Estimate(0.9, 0.0123),
        "before": Estimate(0.2, 0.0),
        "path": (),
        "episodes": 1000,
        "transductive": True,
    }
    return Evaluation(**{**values, **changes})


def a_learner_result(evaluation=None, shots=None, **changes):
    about = {"recipe": "maml-glyphs", "data": "glyphs, 5-way 1-shot", "split": "test"}
    return LearnerResult(evaluation or an_evaluation(), shots or {}, **{**about, **changes})


def a_policy_result(evaluation=None, **changes):
    earned = Returns.of(np.arange(6.0).reshape(3, 2))
    optimum = Returns.of(np.full((3, 2), 9.0))
    about = {"recipe": "rl2-bandit", "data": "Bandit-v1", "split": "test"}
    found = evaluation or TrialEvaluation(earned, {"optimum": optimum}, 3)
    return PolicyResult(found, **{**about, **changes})
