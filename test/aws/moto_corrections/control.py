"""What a test says to the cloud, where no call of AWS would: POST /reindex-test/NAME with a JSON object."""

import json
from collections.abc import Callable
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID

from . import capacity, instance_end, pace
from .group_size import reconcile
from .launch import try_at_once

PREFIX = "/reindex-test/"


def set_capacity(region: str, group: str, available: int | None, error: str) -> None:
    capacity.limit(region, group, available, error)
    try_at_once(_group(region, group))
    reconcile(_group(region, group))


def end_instance(region: str, instance: str, cause: str) -> None:
    instance_end.end(DEFAULT_ACCOUNT_ID, region, instance, cause)


def set_pace(region: str, group: str, launch_seconds: float, terminate_seconds: float) -> None:
    pace.set_pace(region, group, pace.Pace(launch_seconds, terminate_seconds))
    pace.move_on(_group(region, group))


def _group(region: str, name: str) -> FakeAutoScalingGroup:
    return autoscaling_backends[DEFAULT_ACCOUNT_ID][region].autoscaling_groups[name]


_ROUTES: dict[str, Callable[..., None]] = {
    "capacity": set_capacity,
    "instance-end": end_instance,
    "pace": set_pace,
}


def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    try:
        route = _ROUTES[environ["PATH_INFO"].removeprefix(PREFIX)]
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        route(**json.loads(body))
    except Exception as error:  # the test reads it
        start_response("400 Bad Request", [("Content-Type", "text/plain")])
        return [repr(error).encode()]
    start_response("204 No Content", [])
    return []
