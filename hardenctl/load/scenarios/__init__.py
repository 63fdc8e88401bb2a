"""What runs inside the generator's own process: the only modules that import locust, under gevent's monkey-patching."""
