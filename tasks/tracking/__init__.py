"""State tracking and space."""
