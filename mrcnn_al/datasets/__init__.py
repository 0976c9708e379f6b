"""Annotated image sets: COCO folders, the Data Science Bowl 2018, a synthetic one."""
