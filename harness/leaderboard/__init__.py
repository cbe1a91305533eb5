"""From records to tables. pandas and SciPy; never PyTorch."""
