"""Whether records are what they say they are: what a reader of a table would check by hand, had they the time."""
