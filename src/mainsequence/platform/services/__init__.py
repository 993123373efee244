"""Services: one module per noun, functions that carry operations out, each in one unit of work."""
