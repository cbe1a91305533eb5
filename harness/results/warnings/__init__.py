"""What speaks against reading a table as a comparison of methods. Each warning is a function of the runs in it."""
