"""Launch lines of application servers: where they stand, and what they come to."""
