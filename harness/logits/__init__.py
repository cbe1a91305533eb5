"""Scales of the attention logits. One file each; :mod:`harness.logits.base` says what they answer."""
