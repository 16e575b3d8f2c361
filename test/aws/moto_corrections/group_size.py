"""How many instances a group has and may have.

API reference, "SetDesiredCapacity" and "TerminateInstanceInAutoScalingGroup"; Amazon EC2 Auto Scaling User Guide, "Set
scaling limits", "Use instance scale-in protection", "Suspend and resume processes". Moto keeps to no limits, answers 500
for what it does not know, and on a deletion leaves protected instances running. The sentences are AWS's own.
"""

from collections import OrderedDict
from typing import Any, NoReturn

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState, make_int
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from . import pace
from .launch import launch_missing, try_at_once
from .pace import begin_end, move_on
from .scaling_activities import record

_ALL_PROTECTED = (
    "Could not scale to desired capacity because all remaining instances are protected from scale-in."
)


class Groups(OrderedDict):
    """By name. One that there is not is the caller's error."""

    def __missing__(self, name: str) -> NoReturn:
        raise ValidationError("AutoScalingGroup name not found - null")


def reconcile(group: FakeAutoScalingGroup) -> None:
    """Brings the group nearer to its desired capacity."""
    move_on(group)
    desired = group.desired_capacity or 0
    active = group.active_instances()
    suspended = {process["ProcessName"] for process in group.suspended_processes}
    if len(active) < desired and "Launch" not in suspended:
        launch_missing(group)
    elif len(active) > desired and "Terminate" not in suspended:
        _scale_in(group, active, len(active) - desired)


def _scale_in(group: FakeAutoScalingGroup, active: list[InstanceState], surplus: int) -> None:
    victims = [state for state in active if not state.protected_from_scale_in][:surplus]
    cause = "an instance was taken out of service in response to a difference between desired and actual capacity"
    for state in victims:
        remove(group, state, f"{cause}.")
    if len(victims) < surplus and group.__dict__.get("refused_scale_in") != group.desired_capacity:
        group.__dict__["refused_scale_in"] = group.desired_capacity
        record(group, _ALL_PROTECTED, f"{cause}.", "Cancelled")


def remove(group: FakeAutoScalingGroup, state: InstanceState, cause: str) -> dict[str, Any]:
    """Ends an instance for the group, without a replacement; it stays to be seen in DescribeInstances."""
    begin_end(group, state)
    return record(group, f"Terminating EC2 instance: {state.instance.id}", cause)


def set_desired_capacity(group: FakeAutoScalingGroup, new_capacity: int | None) -> None:
    desired = group.min_size if new_capacity is None else new_capacity
    if not group.min_size <= desired <= group.max_size:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{group.min_size} "
            f"and max size:{group.max_size}"
        )
    group.desired_capacity = desired
    group.__dict__.pop("refused_scale_in", None)
    try_at_once(group)
    reconcile(group)


def update(group: FakeAutoScalingGroup, **changes: Any) -> None:
    """A new minimum or maximum moves a desired capacity that is not given (API reference, "UpdateAutoScalingGroup")."""
    if changes["desired_capacity"] is None:
        low = group.min_size if changes["min_size"] is None else changes["min_size"]
        high = group.max_size if changes["max_size"] is None else changes["max_size"]
        changes["desired_capacity"] = max(low, min(high, group.desired_capacity or 0))
    _moto_update(group, **changes)


_moto_update = FakeAutoScalingGroup.update


def set_groups_desired_capacity(backend: AutoScalingBackend, group_name: str, desired_capacity: Any) -> None:
    group = backend.autoscaling_groups[group_name]
    desired = make_int(desired_capacity)
    if desired is not None and desired > group.max_size:
        raise ValidationError(
            f"New SetDesiredCapacity value {desired} is above max value {group.max_size} for the AutoScalingGroup."
        )
    if desired is not None and desired < group.min_size:
        raise ValidationError(
            f"New SetDesiredCapacity value {desired} is below min value {group.min_size} for the AutoScalingGroup."
        )
    group.set_desired_capacity(desired)


def terminate_instance(backend: AutoScalingBackend, instance_id: str, should_decrement: bool) -> dict[str, Any]:
    state = next(iter(backend.describe_auto_scaling_instances([instance_id])), None)
    if state is None:
        raise ValidationError(
            f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
        )
    if state.lifecycle_state == "Terminating":
        raise AutoscalingClientError(
            "ScalingActivityInProgress",
            "The operation can't be performed because there are scaling activities in progress.",
        )
    group = state.auto_scaling_group
    desired = group.desired_capacity
    if should_decrement and desired <= group.min_size:
        raise ValidationError(
            f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement will "
            "violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower "
            "group's min size."
        )
    shrinking = f", shrinking the capacity from {desired} to {desired - 1}" if should_decrement else ""
    group.desired_capacity = desired - 1 if should_decrement else desired
    cause = f"instance {instance_id} was taken out of service in response to a user request{shrinking}."
    activity = remove(group, state, cause)
    reconcile(group)
    return {**activity, "StatusCode": "InProgress", "Progress": 0, "EndTime": None}


def notify_terminate_instances(backend: AutoScalingBackend, instance_ids: list[str]) -> None:
    """An instance that ended otherwise is unhealthy, and is replaced (User Guide, "Health checks")."""
    for state in backend.describe_auto_scaling_instances(instance_ids):
        if state.lifecycle_state == "Terminating":
            continue
        group = state.auto_scaling_group
        cause = (
            "an instance was taken out of service in response to an EC2 health check indicating it has been "
            "terminated or stopped."
        )
        remove(group, state, cause)
        reconcile(group)


def delete_auto_scaling_group(response: AutoScalingResponse) -> EmptyResult:
    """With instances only by force, which ends them, protected or not (API reference, "DeleteAutoScalingGroup")."""
    groups = response.autoscaling_backend.autoscaling_groups
    group = groups[response._get_param("AutoScalingGroupName")]
    if group.instance_states and not response._get_bool_param("ForceDelete", False):
        raise AutoscalingClientError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still "
            "in the group.",
        )
    pace.set_pace(group.region, group.name, pace.Pace())
    for state in list(group.instance_states):
        remove(group, state, "the group was deleted.")
    groups.pop(group.name)
    return EmptyResult()


def resume_processes(backend: AutoScalingBackend, group_name: str, scaling_processes: list[str]) -> None:
    _moto_resume(backend, group_name, scaling_processes)
    reconcile(backend.autoscaling_groups[group_name])


_moto_resume = AutoScalingBackend.resume_processes
_moto_init = AutoScalingBackend.__init__


def _init(backend: AutoScalingBackend, region_name: str, account_id: str) -> None:
    _moto_init(backend, region_name, account_id)
    backend.autoscaling_groups = Groups()


def apply() -> None:
    AutoScalingBackend.__init__ = _init
    AutoScalingBackend.set_desired_capacity = set_groups_desired_capacity
    AutoScalingBackend.terminate_instance = terminate_instance
    AutoScalingBackend.notify_terminate_instances = notify_terminate_instances
    AutoScalingBackend.resume_processes = resume_processes
    AutoScalingResponse.delete_auto_scaling_group = delete_auto_scaling_group
    FakeAutoScalingGroup.set_desired_capacity = set_desired_capacity
    FakeAutoScalingGroup.update = update
