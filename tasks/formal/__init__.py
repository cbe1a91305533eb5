"""Formal languages, by level of the Chomsky hierarchy and beyond."""
