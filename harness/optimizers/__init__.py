"""How weights follow their gradients. One file each; :mod:`harness.optimizers.base` says what they answer."""
