"""Loggers of training curves, one file each; :mod:`harness.loggers.base` defines their interface."""
