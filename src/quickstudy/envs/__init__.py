"""Families of Markov decision processes, as pure functions of a task M_i."""
