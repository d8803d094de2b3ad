"""Experiments: problems, methods and budgets as values, and the table of recipes made of them."""
