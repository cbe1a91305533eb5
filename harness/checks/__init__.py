"""What every choice of a group promises, checked on one choice: a file of ``batteries`` for each group. The contract
tests of the repository call the same functions.
"""
