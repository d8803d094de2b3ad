"""Curves of a training."""

from quickstudy.experiments.training_curves import thinned, training_charts


def test_stretches_weigh_as_many_steps_as_they_have():
    lines = [{"step": 1, "loss": 10.0}, {"step": 5, "loss": 5.0}, {"step": 10, "loss": 1.0}]
    assert thinned(lines, "loss", 2) == ([5, 10], [6.0, 1.0])
    assert thinned(lines, "accuracy") == ([], [])
    assert training_charts([{"step": 1}]) == []
    assert training_charts([]) == []


def test_a_long_training_is_no_blot():
    lines = [{"step": step, "loss": 1.0} for step in range(1, 2001)]
    (chart,) = training_charts(lines)
    assert 100 < len(chart.lines[0].x) <= 150
    assert chart.x.limits == (0, 2000)


def test_a_learner_s_loss_and_metric():
    lines = [{"step": 1, "loss": 3.0, "accuracy": 0.25},
             {"step": 2, "loss": 1.0, "accuracy": 0.5, "validation_accuracy": 0.75,
              "validation_score": 0.75}]  # fmt: skip
    loss, accuracy = training_charts(lines, "20-way")
    assert (loss.title, accuracy.title) == ("Loss", "Accuracy")
    assert [line.label for line in accuracy.lines] == ["training (20-way)", "validation"]
    assert [list(line.y) for line in accuracy.lines] == [[25.0, 50.0], [75.0]]
    assert (accuracy.y.label, accuracy.y.limits) == ("accuracy, %", (0, 100))


def test_loss_and_squared_error_are_one():
    lines = [{"step": k, "loss": 100.0 / k**3, "squared_error": 100.0 / k**3} for k in (1, 9)]
    (chart,) = training_charts(lines)
    assert chart.title == "Squared error"
    assert chart.y.log


def test_what_a_policy_is_watched_by():
    lines = [{"step": 5, "accepted": 0.8, "loss": 1.0, "kl": 0.002, "return": 3.0,
              "validation_return": 4.0}]  # fmt: skip
    reward, kl, accepted = training_charts(lines, titles={"return": "Reward after adaptation"})
    assert reward.title == "Reward after adaptation"
    assert [list(line.y) for line in reward.lines] == [[3.0], [4.0]]
    assert (kl.title, list(kl.lines[0].y)) == ("KL divergence of an update", [2.0])
    assert accepted.title == "Steps that the trust region accepted"
    assert training_charts(lines)[0].title == "Reward of a trial"
