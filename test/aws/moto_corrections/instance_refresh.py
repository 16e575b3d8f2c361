"""Instance refreshes, as far as one can be seen: started, described, cancelled. No instance is replaced.

API reference, "StartInstanceRefresh", "DescribeInstanceRefreshes", "CancelInstanceRefresh"; moto has none of them.
"""

from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult


def start_instance_refresh(response: AutoScalingResponse) -> ActionResult:
    group = _group(response)
    if _running(group):
        raise AutoscalingClientError(
            "InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks the execution."
        )
    refresh = {
        "InstanceRefreshId": str(uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "InProgress",
        "StartTime": datetime.now(timezone.utc),
        "PercentageComplete": 0,
        "InstancesToUpdate": len(group.instance_states),
    }
    _refreshes(group).insert(0, refresh)
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


def describe_instance_refreshes(response: AutoScalingResponse) -> ActionResult:
    return ActionResult({"InstanceRefreshes": _refreshes(_group(response))})


def cancel_instance_refresh(response: AutoScalingResponse) -> ActionResult:
    refresh = _running(_group(response))
    if refresh is None:
        raise AutoscalingClientError(
            "ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found."
        )
    refresh.update(Status="Cancelled", EndTime=datetime.now(timezone.utc))
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


def _group(response: AutoScalingResponse) -> FakeAutoScalingGroup:
    return response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]


def _refreshes(group: FakeAutoScalingGroup) -> list[dict[str, Any]]:
    return group.__dict__.setdefault("refreshes", [])


def _running(group: FakeAutoScalingGroup) -> dict[str, Any] | None:
    return next((refresh for refresh in _refreshes(group) if refresh["Status"] == "InProgress"), None)


def apply() -> None:
    AutoScalingResponse.start_instance_refresh = start_instance_refresh
    AutoScalingResponse.describe_instance_refreshes = describe_instance_refreshes
    AutoScalingResponse.cancel_instance_refresh = cancel_instance_refresh
