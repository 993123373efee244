"""The seam: every operation of the platform, declared once."""
