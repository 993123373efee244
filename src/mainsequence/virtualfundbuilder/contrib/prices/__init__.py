"""Prices on a grid."""
