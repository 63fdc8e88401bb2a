"""The words of hardenctl as small frozen dataclasses. Imports nothing else of ours."""
