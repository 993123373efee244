"""Reusable asset universes and what hangs from them: identity, routing, prices, portfolios."""
