"""Recall: finding what was said before."""
