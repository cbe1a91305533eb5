"""Pictures. Matplotlib; never PyTorch."""
