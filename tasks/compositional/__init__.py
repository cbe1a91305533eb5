"""Compositional tasks: parts whose meanings make the meaning of the whole."""
