"""Arithmetic on numbers written in digits."""
