"""The U-Net (Ronneberger et al. 2015): layers, losses, inference, instances by watershed."""
