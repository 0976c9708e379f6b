"""Work shared out among processes, on this machine or on a Ray cluster."""
