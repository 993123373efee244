"""The words and the rules of the platform: values and checks, no I/O, no arrays."""
