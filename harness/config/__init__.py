"""The config of a run: its schema, its choices, its validation, its identity, and the objects it names."""
