"""Records of runs, and the tables and statistics made from them. pandas and SciPy; never PyTorch."""
