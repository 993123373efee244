"""The command line: one module per noun, commands of three lines, tables for people and ``--json`` for programs."""
