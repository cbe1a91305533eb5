"""What `import harness` offers: runs, sweeps, tables and trained models from Python."""

from harness.system import waiting

waiting.wait_briefly()  # whichever of them is the first to load PyTorch
