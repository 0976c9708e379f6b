"""COCO mAP, learning curves and what is read off them."""
