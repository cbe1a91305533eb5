"""What ``python -m harness`` does besides running: one file per command, found by its name."""
