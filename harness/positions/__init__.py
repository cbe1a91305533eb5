"""Rules that tell each token its position. One file each, in NumPy; :mod:`harness.positions.base` says what a rule
answers.
"""
