"""The config of a run: its schema, its choices, whether it makes sense, its identity, and the objects it names."""
