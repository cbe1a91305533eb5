"""The commands of ``python -m harness`` besides running: one file each, found by its name."""
