"""The machine that a run is on: signals, distributed processes, hardware faults, versions."""
