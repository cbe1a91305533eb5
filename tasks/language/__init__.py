"""Real text."""
