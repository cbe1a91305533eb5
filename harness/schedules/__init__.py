"""Learning-rate schedules, one file each; :mod:`harness.schedules.base` defines their interface."""
