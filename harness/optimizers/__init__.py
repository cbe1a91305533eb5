"""Optimizers, one file each; :mod:`harness.optimizers.base` defines their interface."""
