"""Rules applied at test time to trained weights, for lengths beyond training. One file each;
:mod:`harness.extensions.base` defines their interface.
"""
