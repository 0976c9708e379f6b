"""Backbones: an image in, feature maps C2 to C5 at strides 4 to 32 out."""
