"""What the loop trains and asks, each kind of model behind the same few methods."""
