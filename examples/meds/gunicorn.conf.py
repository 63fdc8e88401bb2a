"""How Meds is served."""

import os

bind = os.environ.get("MEDS_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "uvicorn_worker.UvicornWorker"
timeout = 120
max_requests = 100_000
max_requests_jitter = 10_000
