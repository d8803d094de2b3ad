"""What is run, and what comes out: recipes, runs, results."""
