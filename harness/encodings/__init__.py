"""Position encodings: how the order of the tokens enters a model. One file each; :mod:`harness.encodings.base` has the
hooks.
"""
