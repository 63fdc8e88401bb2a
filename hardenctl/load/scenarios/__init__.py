"""The only modules that import locust; they run in a process of their own."""
