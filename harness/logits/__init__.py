"""Scales of the attention logits, one file each; :mod:`harness.logits.base` defines their interface."""
