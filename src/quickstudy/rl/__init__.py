"""Meta-reinforcement learning: trials, policies that remember, and what trains them."""
