"""The Mask R-CNN: backbone, FPN, RPN, heads with Monte-Carlo dropout, targets, losses."""
