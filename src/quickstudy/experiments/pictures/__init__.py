"""Pictures of what was learned: one task, confused classes, a trial. JAX computes them."""
