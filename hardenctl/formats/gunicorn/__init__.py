"""Gunicorn's settings: which there are, how its command line is parsed, what its config file says, what holds."""
