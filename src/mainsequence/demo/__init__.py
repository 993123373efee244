"""The main job, end to end, on real data: a named universe becomes portfolios."""
