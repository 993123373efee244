"""The platform over HTTP: one server for many users."""
