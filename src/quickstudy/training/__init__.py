"""Training: one loop for every algorithm, its pace, and supervised meta-training."""
