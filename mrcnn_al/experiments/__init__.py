"""The experiments of the thesis by the numbers of their figures, and its studies."""
