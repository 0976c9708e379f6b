"""Pure functions on tensors; the only place with primitives of one backend."""
