"""Prices, signals and rebalance strategies that come with the package."""
