"""The floor to measure against: a Flask route that parses the JSON and stores it in SQLite.

Nothing is checked, nobody is asked who they are. The same server, the same SQLite settings
(WAL, synchronous FULL) as the service. ``FLOOR_DATABASE`` names the file.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid

from flask import Flask, Response, request

app = Flask(__name__)
_lock = threading.Lock()


def _open() -> sqlite3.Connection:
    made = sqlite3.connect(
        os.environ["FLOOR_DATABASE"], check_same_thread=False, isolation_level=None
    )
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("PRAGMA synchronous=FULL")
    made.execute("CREATE TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY, body BLOB NOT NULL)")
    return made


_database = _open()


@app.post("/keep")
def keep() -> Response:
    """Parse the body, store it, answer 201."""
    request.get_json()
    id_ = str(uuid.uuid4())
    with _lock:
        _database.execute("INSERT INTO kept VALUES (?, ?)", (id_, request.get_data()))
    return Response(status=201, headers={"Location": f"/keep/{id_}"})


@app.get("/readyz")
def ready() -> Response:
    """Answer that it is there."""
    return Response("ok")
