"""What a group did and could not do, for DescribeScalingActivities; moto always answers with none.

API reference, "DescribeScalingActivities" and "Activity": newest first, MaxRecords 100 by default; a failed one has
StatusCode Failed, and the reason in StatusMessage and behind "Status Reason:" in Description.
"""

import json
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

MOST_RECORDS = 100


def record(
    group: FakeAutoScalingGroup,
    description: str,
    cause: str,
    status: str = "Successful",
    message: str | None = None,
) -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    reason = f".  Status Reason: {message}" if message else ""
    activity = {
        "ActivityId": str(uuid4()),
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "Description": description + reason,
        "Cause": f"At {now:%Y-%m-%dT%H:%M:%SZ} {cause}",
        "StartTime": now,
        "EndTime": now,
        "StatusCode": status,
        "StatusMessage": message,
        "Progress": 100,
        "Details": json.dumps({"Availability Zone": group.availability_zones[0]}),
    }
    activities_of(group).insert(0, activity)
    return activity


def activities_of(group: FakeAutoScalingGroup) -> list[dict[str, Any]]:
    return group.__dict__.setdefault("activities", [])


def describe_scaling_activities(response: AutoScalingResponse) -> ActionResult:
    groups = response.autoscaling_backend.autoscaling_groups
    name = response._get_param("AutoScalingGroupName")
    ids = response._get_param("ActivityIds", [])
    chosen = [groups[name]] if name else list(groups.values())
    found = [
        activity
        for group in chosen
        for activity in activities_of(group)
        if not ids or activity["ActivityId"] in ids
    ]
    start = int(response._get_param("NextToken") or 0)
    end = start + min(response._get_int_param("MaxRecords", MOST_RECORDS), MOST_RECORDS)
    return ActionResult({"Activities": found[start:end], "NextToken": str(end) if end < len(found) else None})


def apply() -> None:
    AutoScalingResponse.describe_scaling_activities = describe_scaling_activities
