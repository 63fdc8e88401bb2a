"""The user's configuration, and what it makes of findings."""
