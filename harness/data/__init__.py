"""Batches of examples for training and for tests."""
