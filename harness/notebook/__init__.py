"""What `import harness` offers: runs, sweeps, tables and trained models from Python."""
