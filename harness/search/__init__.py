"""Kinds of search over the settings of a run, one file each; :mod:`harness.search.base` defines their interface."""
