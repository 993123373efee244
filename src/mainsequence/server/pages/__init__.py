"""Pages for people who look and decide: who changed a universe, what would it break, what does a portfolio hold.

A second face of the same operations, without logic of its own: each page asks for some and writes HTML. No script runs.
"""
