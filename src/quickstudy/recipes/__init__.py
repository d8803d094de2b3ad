"""Recipes: one file per reproduced result."""
