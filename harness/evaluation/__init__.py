"""The scores of a trained model at each length, and the baselines to compare them with."""
