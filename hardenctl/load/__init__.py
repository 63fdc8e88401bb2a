"""Load tests: run Locust in a subprocess, read its stream, gate what came of it, report.

    Scenario -> plan() -> Job -> run() -> Run -> judge() -> Result -> written by report

`scenarios/` is the part that runs inside the subprocess; its modules are the only ones that import locust.
"""
