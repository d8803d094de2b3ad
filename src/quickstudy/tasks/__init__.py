"""Task distributions: where tasks come from."""
