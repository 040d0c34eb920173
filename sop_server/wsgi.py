"""The entry for any other WSGI server: `gunicorn 'sop_server.wsgi:application()'`, one call in each process."""

import atexit

from flask import Flask

from sop_server.serving import Process
from sop_server.settings import load_settings


def application() -> Flask:
    """Open the home that the settings name and return the application; its thread and stores end with the process."""
    process = Process(load_settings())
    atexit.register(process.close)
    return process.app
