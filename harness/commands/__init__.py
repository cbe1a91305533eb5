"""The commands of ``python -m harness`` other than running: one file each, found by its name."""
