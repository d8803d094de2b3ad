"""Learners: one paper, one file."""
