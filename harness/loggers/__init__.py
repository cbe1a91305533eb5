"""Where training curves go. One file each; :mod:`harness.loggers.base` says what they answer."""
