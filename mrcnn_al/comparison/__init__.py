"""Several strategies over several seeds, and what can be said of the difference."""
