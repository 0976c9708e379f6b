"""Reading and writing pretrained weights in the layouts of others."""
