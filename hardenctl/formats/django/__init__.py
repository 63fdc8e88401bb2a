"""Django's settings as production ends up with them, read without importing them."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats import DJANGO_WORDS
from hardenctl.formats.django.document import DjangoSettings
from hardenctl.formats.paths import is_django
from hardenctl.model.blob import Gap, Snapshot

DOCUMENTS = (DjangoSettings,)


def read(snapshot: Snapshot) -> Iterator[DjangoSettings | Gap]:
    """Yield the settings modules that production uses, and a Gap for each settings module that cannot be parsed."""
    named = filter(is_django, snapshot.paths())
    telling = (*DJANGO_WORDS, b"DJANGO_SETTINGS_MODULE")
    if any(word in blob.data for path in named if (blob := snapshot.read(path)) for word in telling):
        from hardenctl.formats.django.reader import read as read_all

        yield from read_all(snapshot)
