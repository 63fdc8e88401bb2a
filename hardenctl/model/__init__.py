"""The words of hardenctl as small frozen records. Imports nothing else of ours."""
