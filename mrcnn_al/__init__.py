"""Images to labelled data: what to label next for instance segmentation, and why."""
