"""Which type the next instance of a group is, and whether it is a Spot instance.

Amazon EC2 Auto Scaling User Guide, "Auto Scaling groups with multiple instance types and purchase options" and
"Allocation strategies for multiple instance types": the types are the overrides of the group's policy; the base is on
demand and comes first, above it the percentage is, rounded up in favor of On-Demand; on demand the first type is taken
(prioritized, for a test's cloud has enough of it), Spot capacity is spread over the types' pools. Moto launches the
template's own type, on demand.
"""

import math
from dataclasses import dataclass
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup


@dataclass
class Purchase:
    instance_type: str
    market: str | None
    """`spot`; None: on demand."""


def next_purchase(group: FakeAutoScalingGroup, template: dict[str, Any]) -> Purchase:
    """`template`: the data of the version that is launched."""
    policy = group.mixed_instances_policy
    if not policy:
        return Purchase(
            template.get("InstanceType", ""), template.get("InstanceMarketOptions", {}).get("MarketType")
        )
    types = [override["InstanceType"] for override in policy["LaunchTemplate"].get("Overrides", [])]
    types = types or [template.get("InstanceType", "")]
    launched = [state.instance for state in group.active_instances()]
    spot = [instance.instance_type for instance in launched if instance.lifecycle == "spot"]
    if len(launched) - len(spot) < _on_demand(policy["InstancesDistribution"], len(launched) + 1):
        return Purchase(types[0], None)
    return Purchase(min(types, key=spot.count), "spot")


def _on_demand(distribution: dict[str, Any], instances: int) -> int:
    base = int(distribution.get("OnDemandBaseCapacity", 0))
    percentage = int(distribution.get("OnDemandPercentageAboveBaseCapacity", 100))
    return min(base, instances) + math.ceil(max(0, instances - base) * percentage / 100)
