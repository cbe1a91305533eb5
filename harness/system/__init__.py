"""The machine that a run is on: signals, processes that train together, failing hardware, versions."""
