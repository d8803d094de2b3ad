"""Checks that any learner must pass."""
