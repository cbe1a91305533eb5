"""What a trained model can do at each length, and what its numbers are to be compared with."""
