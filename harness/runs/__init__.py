"""Runs and the objects built from them; several runs that are trained as one program."""
