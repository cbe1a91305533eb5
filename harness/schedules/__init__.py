"""How the learning rate goes over a run. One file each; :mod:`harness.schedules.base` says what they answer."""
