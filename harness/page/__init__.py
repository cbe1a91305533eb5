"""One HTML page for a leaderboard: self-contained, and the same bytes for the same records."""
