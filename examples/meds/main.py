"""Meds: a small medication reminder service, as real as an example can be, and fast enough to be loaded.

Accounts with hashed passwords, items (medications) with full create-read-update-delete, reminders, a log of entries,
and an analytics endpoint. SQLite through the standard library: each worker process has one connection, queries take
microseconds, so the handlers run on the event loop without a thread between.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

DATABASE = os.environ.get("MEDS_DATABASE", "meds.db")
SECRET_KEY = os.environ["MEDS_SECRET_KEY"].encode()  # no default: a default key is everybody's key
HASH_COST = int(os.environ.get("MEDS_HASH_COST", "16384"))  # of scrypt; lower it for load tests, where all users log in
TOKEN_SECONDS = 8 * 3600
PAGE = 50

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, username TEXT UNIQUE NOT NULL, password BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS items (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, name TEXT NOT NULL, dose TEXT NOT NULL, times_a_day INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS items_of_user ON items (user_id, id);
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, item_id INTEGER, note TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_of_user ON entries (user_id, item_id, at);
"""


class Credentials(BaseModel):
    """Who someone claims to be."""

    username: str = Field(min_length=1, max_length=80)
    password: str = Field(min_length=8, max_length=200)


class Token(BaseModel):
    """What a login gives."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - OAuth's word


class ItemIn(BaseModel):
    """A medication as its user writes it."""

    name: str = Field(min_length=1, max_length=200)
    dose: str = Field(default="1 tablet", max_length=100)
    times_a_day: int = Field(default=1, ge=1, le=24)


class Item(ItemIn):
    """A stored medication."""

    id: int


class EntryIn(BaseModel):
    """Something taken."""

    note: str = Field(default="taken", max_length=500)
    item_id: int | None = None


def connect() -> sqlite3.Connection:
    """A connection that waits for the other workers' writes."""
    connection = sqlite3.connect(DATABASE, timeout=10, isolation_level=None, check_same_thread=False)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SCHEMA)
    return connection


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One connection for the life of a worker."""
    app.state.database = connect()
    yield
    app.state.database.close()


app = FastAPI(title="Meds", lifespan=lifespan)


def database(request: Request) -> sqlite3.Connection:
    """This worker's connection."""
    return request.app.state.database


Database = Annotated[sqlite3.Connection, Depends(database)]


def hash_password(password: str, salt: bytes) -> bytes:
    """Salted and slow."""
    return salt + hashlib.scrypt(password.encode(), salt=salt, n=HASH_COST, r=8, p=1)


def sign(text: str) -> str:
    """The signature of a token's text."""
    return base64.urlsafe_b64encode(hmac.digest(SECRET_KEY, text.encode(), "sha256")).decode()


async def current_user(bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> int:
    """The id of the user whose token the request carries."""
    text, _, signature = bearer.credentials.rpartition(".")
    if not hmac.compare_digest(signature.encode(), sign(text).encode()):
        raise HTTPException(401, "log in first")
    user, _, until = text.partition(".")
    if time.time() > float(until):
        raise HTTPException(401, "the login has expired")
    return int(user)


User = Annotated[int, Depends(current_user)]


@app.get("/health")
async def health(database: Database) -> dict[str, str]:
    """Whether the service and its database answer."""
    database.execute("SELECT 1")
    return {"status": "ok"}


@app.post("/auth/register", status_code=201)
async def register(credentials: Credentials, database: Database) -> dict[str, int]:
    """Make an account."""
    hashed = hash_password(credentials.password, secrets.token_bytes(16))
    try:
        cursor = database.execute(
            "INSERT INTO users (username, password) VALUES (?, ?)", (credentials.username, hashed)
        )
    except sqlite3.IntegrityError:
        raise HTTPException(409, "the name is taken") from None
    return {"id": cursor.lastrowid or 0}


@app.post("/auth/login")
async def login(credentials: Credentials, database: Database) -> Token:
    """Get a token."""
    row = database.execute("SELECT id, password FROM users WHERE username = ?", (credentials.username,)).fetchone()
    if not row or not hmac.compare_digest(hash_password(credentials.password, row[1][:16]), row[1]):
        raise HTTPException(401, "wrong name or password")
    text = f"{row[0]}.{int(time.time()) + TOKEN_SECONDS}"
    return Token(access_token=f"{text}.{sign(text)}")


@app.get("/items")
async def list_items(user: User, database: Database) -> list[Item]:
    """The user's newest medications."""
    rows = database.execute(
        "SELECT id, name, dose, times_a_day FROM items WHERE user_id = ? ORDER BY id DESC LIMIT ?", (user, PAGE)
    )
    return [_item(row) for row in rows]


@app.post("/items", status_code=201)
async def create_item(item: ItemIn, user: User, database: Database) -> Item:
    """Add a medication."""
    cursor = database.execute(
        "INSERT INTO items (user_id, name, dose, times_a_day) VALUES (?, ?, ?, ?)",
        (user, item.name, item.dose, item.times_a_day),
    )
    return Item(id=cursor.lastrowid or 0, **item.model_dump())


@app.get("/items/{item_id}")
async def read_item(item_id: int, user: User, database: Database) -> Item:
    """One medication."""
    row = database.execute(
        "SELECT id, name, dose, times_a_day FROM items WHERE id = ? AND user_id = ?", (item_id, user)
    ).fetchone()
    if not row:
        raise HTTPException(404, "no such item")
    return _item(row)


@app.put("/items/{item_id}")
async def update_item(item_id: int, item: ItemIn, user: User, database: Database) -> Item:
    """Change a medication."""
    cursor = database.execute(
        "UPDATE items SET name = ?, dose = ?, times_a_day = ? WHERE id = ? AND user_id = ?",
        (item.name, item.dose, item.times_a_day, item_id, user),
    )
    if not cursor.rowcount:
        raise HTTPException(404, "no such item")
    return Item(id=item_id, **item.model_dump())


@app.delete("/items/{item_id}", status_code=204)
async def delete_item(item_id: int, user: User, database: Database) -> Response:
    """Remove a medication."""
    if not database.execute("DELETE FROM items WHERE id = ? AND user_id = ?", (item_id, user)).rowcount:
        raise HTTPException(404, "no such item")
    return Response(status_code=204)


@app.get("/reminders")
async def reminders(user: User, database: Database) -> list[dict[str, object]]:
    """What is still to be taken in the next 24 hours."""
    rows = database.execute(
        """SELECT items.id, items.name, items.times_a_day - COUNT(entries.id)
           FROM (SELECT * FROM items WHERE user_id = :user ORDER BY id DESC LIMIT :page) AS items
           LEFT JOIN entries ON entries.user_id = :user AND entries.item_id = items.id AND entries.at > :since
           GROUP BY items.id ORDER BY items.id DESC""",
        {"user": user, "page": PAGE, "since": time.time() - 86400},
    )
    return [{"item_id": row[0], "name": row[1], "left": max(0, row[2])} for row in rows]


@app.post("/entries", status_code=201)
async def log_entry(entry: EntryIn, user: User, database: Database) -> dict[str, int]:
    """Log that something was taken."""
    cursor = database.execute(
        "INSERT INTO entries (user_id, item_id, note, at) VALUES (?, ?, ?, ?)",
        (user, entry.item_id, entry.note, time.time()),
    )
    return {"id": cursor.lastrowid or 0}


@app.get("/analytics/summary")
async def summary(user: User, database: Database) -> dict[str, float]:
    """How the user is doing."""
    items, planned = database.execute(
        "SELECT COUNT(*), COALESCE(SUM(times_a_day), 0) FROM items WHERE user_id = ?", (user,)
    ).fetchone()
    (taken,) = database.execute(
        "SELECT COUNT(*) FROM entries WHERE user_id = ? AND at > ?", (user, time.time() - 86400)
    ).fetchone()
    return {
        "items": items,
        "planned": planned,
        "taken": taken,
        "adherence": min(1.0, taken / planned) if planned else 1,
    }


def _item(row: tuple[int, str, str, int]) -> Item:
    return Item(id=row[0], name=row[1], dose=row[2], times_a_day=row[3])
