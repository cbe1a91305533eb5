"""Figures. Matplotlib; never PyTorch."""
