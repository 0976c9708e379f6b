"""Score rows in, a batch of image ids out; one file per strategy."""
