"""Many runs on this machine, and several processes for one run."""
