"""Evaluation on many tasks or trials: means, intervals and curves."""
