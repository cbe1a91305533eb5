"""Layers that move information between tokens without softmax attention, one file per mixer."""
