"""The three tasks of the founding story, with full create-read-update-delete and analytics, at a target's own paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hardenctl.load.scenario import Endpoint

ITEM = "item_id"  # the field that stands for an item which the user created


@dataclass(frozen=True, slots=True)
class Tasks:
    """Where a target has the tasks. `id` is where the answer to a creation keeps the new item's id.

    `item` and `entry` are bodies; `update` is the method that changes an item. A path that is empty is not asked for.
    """

    items: str = ""
    reminders: str = ""
    entries: str = ""
    analytics: str = ""
    id: str = "id"
    item: Any = field(default_factory=lambda: {"name": "item {n}"})
    entry: Any = field(default_factory=lambda: {ITEM: f"{{{ITEM}}}"})
    update: str = "PUT"

    def endpoints(self) -> Iterator[Endpoint]:
        """The requests, in the weights of an ordinary day."""
        if self.items:
            one = f"{self.items.rstrip('/')}/{{{ITEM}}}"
            saved: Mapping[str, str] = {ITEM: self.id}
            yield Endpoint("create an item", "POST", self.items, weight=3, body=self.item, save=saved)
        if self.reminders:
            yield Endpoint("view reminders", path=self.reminders, weight=5)
        if self.entries:
            yield Endpoint("log an entry", "POST", self.entries, weight=4, body=self.entry)
        if self.items:
            yield Endpoint("list items", path=self.items, weight=3)
            yield Endpoint("read an item", path=one, weight=3)
            yield Endpoint("update an item", self.update, one, body=self.item)
            yield Endpoint("delete an item", "DELETE", one, consumes=True)
        if self.analytics:
            yield Endpoint("analytics", path=self.analytics)
