"""Attention between queries and keys with the hooks of a position encoding, and the kernels that compute it."""
