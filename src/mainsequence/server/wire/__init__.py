"""The addresses that clients of the vendor's SDK use: an adapter over the platform's operations, without logic."""
