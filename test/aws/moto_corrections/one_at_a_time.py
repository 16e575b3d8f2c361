"""Calls that read or change groups, instances and parameters happen one after the other, and groups go on by themselves.

Moto's backends are plain objects without locks; two calls at once could both pass a check that only one may pass. S3 is
left alone: it was tried in races for a conditional write, and its bodies are read slowly.
"""

import threading
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from moto.autoscaling.models import autoscaling_backends

from . import control
from .group_size import reconcile

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

#: How often groups look at themselves.
GROUP_SECONDS = 0.25

_lock = threading.RLock()


def one_at_a_time(application: Application) -> Application:
    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(control.PREFIX):
            with _lock:
                return control.answer(environ, start_response)
        if "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
            return application(environ, start_response)
        with _lock:
            return application(environ, start_response)

    return call


def keep_groups_going() -> None:
    """For ever: what could not be launched is tried again."""
    while True:
        time.sleep(GROUP_SECONDS)
        with _lock:
            for group in _groups():
                try:
                    reconcile(group)
                except Exception:
                    traceback.print_exc()


def _groups() -> list[Any]:
    return [
        group
        for regions in list(autoscaling_backends.values())
        for backend in list(regions.values())
        for group in list(backend.autoscaling_groups.values())
    ]
