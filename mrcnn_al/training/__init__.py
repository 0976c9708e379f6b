"""Images to batches, augmentation, fitting."""
