"""Copying, order and counting."""
