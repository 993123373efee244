"""Loggers: the standard library's, named after their module, silent until the program configures logging."""

import logging


def get_logger(name: str) -> logging.Logger:
    """Give the logger of a module, below ``mainsequence``."""
    logger = logging.getLogger(name)
    logging.getLogger("mainsequence").addHandler(logging.NullHandler())
    return logger
