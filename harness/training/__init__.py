"""Training one model with Lightning, from checkpoints to weights."""
