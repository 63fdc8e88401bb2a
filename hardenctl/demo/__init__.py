"""The founding story as a small insecure project to try everything on."""
