"""Numerics on arrays: pure functions, no I/O, no clocks. Times are int64 microseconds since 1970, UTC; null is NaN."""
