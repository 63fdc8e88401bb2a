"""From blobs to findings: the secret pipeline, the configuration rules, and the stamp that redacts."""
