"""Bodies in the simulator MuJoCo, each with the task families that papers define for it."""
