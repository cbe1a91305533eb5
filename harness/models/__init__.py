"""Architectures. One file each; :mod:`harness.models.base` says what a model answers."""
