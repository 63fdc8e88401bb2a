"""Locust users made from a scenario's data."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import uuid
from typing import Any

from locust import FastHttpUser, between, task
from locust.exception import StopUser

from hardenctl.load.scenarios.recorder import CheckFailed

_FIELD = re.compile(r"\{(\w+)\}")
_VARIABLE = re.compile(r"\$\{?([A-Z_][A-Z0-9_]*)\}?")
_MOST_SAVED = 50  # values of one name a user keeps

_numbers = itertools.count(1)


class ScenarioUser(FastHttpUser):
    """Logs in once, then picks requests by weight among those whose saved values it has."""

    abstract = True
    max_redirects = 0  # another host was never confirmed, and a redirect to a login page is no success
    insecure = False
    endpoints: tuple[dict[str, Any], ...] = ()
    authentication: dict[str, Any] | None = None
    late = 0.0  # seconds its arrival had to wait for the generator (open model)

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.saved: dict[str, list[Any]] = {}
        self.number = next(_numbers)
        self.account = f"load-{self.number}-{uuid.uuid4().hex[:12]}"
        self.authorization: dict[str, str] = {}
        self.logged_in = self.authentication is None

    def on_start(self) -> None:
        """Get the credential, once per user."""
        while not self.logged_in:
            self.log_in()
            if not self.logged_in:
                if self._state != "running":
                    raise StopUser
                self.wait_a_second()

    def wait_a_second(self) -> None:
        """Don't hammer a login that refuses."""
        import gevent

        gevent.sleep(1)

    def log_in(self) -> None:
        """Fill `authorization`; `logged_in` tells whether it worked."""
        how = self.authentication or {}
        token: Any = os.environ.get(how["token_env"], "") if how["token_env"] else None
        if how["register"]:
            self.send(how["register"], tolerate=range(400, 500))
        if how["login"]:
            answer = self.send(how["login"], save={"token": how["token"]})
            if answer is None:
                return
            token = answer.get("token")
            if token is None:
                return
        self.authorization = {how["header"]: f"{how['scheme']} {token}".strip()}
        self.logged_in = True

    @task
    def step(self) -> None:
        """One request."""
        ready = [each for each in self.endpoints if all(self.saved.get(name) for name in each["needs"])]
        if not ready:
            return
        chosen = random.choices(ready, [each["weight"] for each in ready])[0]  # noqa: S311 - no secret is made of it
        found = self.send(chosen, save=chosen["save"])
        if chosen["consumes"]:
            for name in chosen["needs"]:
                if self.saved.get(name):
                    self.saved[name].pop()
        for name, value in (found or {}).items():
            values = self.saved.setdefault(name, [])
            values.append(value)
            del values[:-_MOST_SAVED]

    def send(
        self, endpoint: dict[str, Any], save: dict[str, str] | None = None, tolerate: range = range(0)
    ) -> dict[str, Any] | None:
        """Make a request and check the answer; returns what was to be saved, None where the answer isn't right."""
        number = next(_numbers)
        options: dict[str, Any] = {"headers": {**self.authorization, **self.fill(endpoint["headers"], number)}}
        if endpoint["body"] is not None:
            options["json"] = self.fill(endpoint["body"], number)
        elif endpoint["form"]:
            options["data"] = self.fill(endpoint["form"], number)
        path = self.fill(endpoint["path"], number)
        found: dict[str, Any] = {}
        with self.client.request(
            endpoint["method"], path, name=endpoint["name"], catch_response=True, **options
        ) as answer:
            answer.request_meta["response_time"] += self.late * 1000
            status = answer.status_code
            if not status:
                return None  # no answer at all: Locust holds the exception
            if status in tolerate:
                answer.success()
                return found
            wanted = endpoint["status"]
            if status not in wanted if wanted else not 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
                answer.failure(CheckFailed(f"HTTP {status}"))
                return None
            if endpoint["contains"] and endpoint["contains"] not in (answer.text or ""):
                answer.failure(CheckFailed("check failed: the body lacks what it should contain"))
                return None
            for name, where in (save or {}).items():
                try:
                    found[name] = _dig(json.loads(answer.text or ""), where)
                except (ValueError, LookupError, TypeError):
                    answer.failure(CheckFailed(f"check failed: no `{where}` in the answer's JSON"))
                    return None
        return found

    def fill(self, template: Any, number: int) -> Any:
        """A template with its fields and environment variables filled; `"{item_id}"` alone keeps the value's type."""
        if isinstance(template, str):
            if "{" not in template and "$" not in template:
                return template
            alone = _FIELD.fullmatch(template)
            if alone:
                return self.value(alone[1], number, template)
            text = _FIELD.sub(lambda match: str(self.value(match[1], number, match[0])), template)
            return _VARIABLE.sub(lambda match: os.environ.get(match[1], match[0]), text)
        if isinstance(template, dict):
            return {key: self.fill(value, number) for key, value in template.items()}
        if isinstance(template, list):
            return [self.fill(value, number) for value in template]
        return template

    def value(self, name: str, number: int, otherwise: str) -> Any:
        """What a field stands for."""
        if name == "n":
            return number
        if name == "user":
            return self.number
        if name == "account":
            return self.account
        if name == "uuid":
            return str(uuid.uuid4())
        values = self.saved.get(name)
        return values[-1] if values else otherwise


def make_users(job: dict[str, Any]) -> list[Any]:
    """The user classes of a job: the normal one, and the rapid one where a stage asks for it."""
    common = {
        "host": job["host"],
        "insecure": not job["verify_tls"],
        "network_timeout": job["timeout"],
        "connection_timeout": job["timeout"],
        "endpoints": tuple(_prepared(each) for each in job["endpoints"]),
        "authentication": _prepared_authentication(job["authentication"]),
        "abstract": False,
    }
    rapid = max(stage["rapid"] for stage in job["stages"])
    normal: Any = type("NormalUser", (ScenarioUser,), {**common, "wait_time": between(*job["think"])})
    if not rapid:
        return [normal]
    normal.fixed_count = max(stage["users"] - stage["rapid"] for stage in job["stages"] if stage["rapid"])
    return [normal, type("RapidUser", (ScenarioUser,), {**common, "wait_time": between(*job["rapid_think"])})]


def _prepared(endpoint: dict[str, Any] | None) -> dict[str, Any]:
    """An endpoint with the saved names it needs."""
    if endpoint is None:
        return {}
    text = json.dumps([endpoint["path"], endpoint["body"], endpoint["form"], endpoint["headers"]])
    needs = [name for name in dict.fromkeys(_FIELD.findall(text)) if name not in {"n", "user", "account", "uuid"}]
    return {**endpoint, "needs": needs}


def _prepared_authentication(how: dict[str, Any] | None) -> dict[str, Any] | None:
    if how is None:
        return None
    return {**how, "login": _prepared(how["login"]), "register": _prepared(how["register"])}


def _dig(document: Any, where: str) -> Any:
    for key in where.split("."):
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document
