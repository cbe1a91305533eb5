"""What is to be learned: samplers and oracles, in NumPy alone.

One file per task, a folder per family. Nothing in here knows of :mod:`harness`, PyTorch or Hydra, so that a task can be
used from any framework.
"""
