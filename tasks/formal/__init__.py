"""Formal languages and the tasks of the Chomsky hierarchy.

The fifteen tasks of Deletang et al. (2023), "Neural networks and the Chomsky hierarchy", behave as their released
generators do; where paper and generators differ, the paper's variant is an option. Two things are common to all of them
and not repeated. The released answers are padded to a fixed width, behind an end symbol where their length varies, and
scored up to the end symbol: here an answer stops before it, and the layout adds an end token that is always scored. And
where the released generators fill lengths that are too short for the task with constants, those lengths do not exist
here: the shortest length is 2 for even pairs, missing duplicate and square root, and 3 for binary addition, binary
multiplication and equations.
"""
