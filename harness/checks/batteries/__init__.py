"""The claims of each group: one file each, found by the name of the group. ``CLAIMS`` are functions of a subject that
raise :class:`~harness.checks.claims.Failed` or :class:`~harness.checks.claims.DoesNotApply`, give what was seen, and
say in the first line of their docstring what is claimed; ``subject`` makes the subject of a choice.
"""
