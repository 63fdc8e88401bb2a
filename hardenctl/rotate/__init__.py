"""The rotate room: a new credential in place of an old one, everywhere at once or not at all."""
