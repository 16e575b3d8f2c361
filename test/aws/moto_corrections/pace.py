"""How long a group's instances take to come and to go; at once, as in moto, unless a test says by POST /reindex-test/pace.
A new pace counts for those, too, that are on their way.

Amazon EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle", and EC2 User Guide, "Instance state
changes": Pending and `pending`, InService and `running`, Terminating and `shutting-down`, then out of the group and
`terminated`. A pending instance counts towards the desired capacity, a terminating one does not.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timezone

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.ec2.models.instances import InstanceState as Ec2State


@dataclass
class Pace:
    launch_seconds: float = 0
    terminate_seconds: float = 0


_paces: dict[tuple[str, str], Pace] = {}


def set_pace(region: str, group: str, pace: Pace) -> None:
    _paces[(region, group)] = pace


def begin_launch(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    state.since = time.monotonic()
    state.lifecycle_state = "Pending"
    state.instance._state = Ec2State("pending", 0)
    move_on(group)


def begin_end(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    state.lifecycle_state = "Terminating"
    state.since = time.monotonic()
    if state.instance.state != "terminated":
        state.instance._state = Ec2State("shutting-down", 32)
        state.instance._reason = user_initiated()
    move_on(group)


def move_on(group: FakeAutoScalingGroup) -> None:
    pace = _pace_of(group)
    for state in list(group.instance_states):
        seconds = time.monotonic() - state.since
        if state.lifecycle_state == "Pending" and seconds >= pace.launch_seconds:
            state.lifecycle_state = "InService"
            state.instance._state = Ec2State("running", 16)
        elif state.lifecycle_state == "Terminating" and seconds >= pace.terminate_seconds:
            group.instance_states.remove(state)
            group.ec2_backend.terminate_instances([state.instance.id])


def user_initiated() -> str:
    """StateTransitionReason (EC2 API reference, "Instance"); moto writes UTC where AWS writes GMT."""
    return f"User initiated ({datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S GMT})"


def counted(group: FakeAutoScalingGroup) -> list[InstanceState]:
    return [state for state in group.instance_states if state.lifecycle_state in ("Pending", "InService")]


def _pace_of(group: FakeAutoScalingGroup) -> Pace:
    return _paces.get((group.region, group.name), Pace())


def apply() -> None:
    FakeAutoScalingGroup.active_instances = counted
    InstanceState.since = 0.0  # of one that was attached
