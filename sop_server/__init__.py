"""A library of standard operating procedures: approved in git, held against a 48-hour clock."""

__version__ = "0.1.0"
