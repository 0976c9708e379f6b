"""T stochastic passes to numbers."""
