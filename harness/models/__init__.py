"""Architectures, one file each; :mod:`harness.models.base` defines their interface."""
