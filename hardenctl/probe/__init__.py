"""Asking a running application what it does, instead of reading what it says."""
