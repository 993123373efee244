"""Lists of other people: reading and writing their files, resolving, checking and loading what they say."""
