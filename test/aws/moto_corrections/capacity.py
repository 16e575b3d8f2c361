"""How many instances EC2 has for a group, and the words in which it says that there are no more.

Not of AWS: a test sets it by POST /reindex-test/capacity. The words are those of the Amazon EC2 Auto Scaling User Guide,
"Troubleshoot: EC2 instance launch failures", and of the EC2 API reference, "Error codes", as they stand in the scaling
activities of a group with a launch template.
"""

from dataclasses import dataclass

from moto.autoscaling.models import FakeAutoScalingGroup


@dataclass
class Limit:
    """At most `available` instances at a time; who wants more reads of `error`."""

    available: int
    error: str


_limits: dict[tuple[str, str], Limit] = {}

_WORDS = {
    "InsufficientInstanceCapacity": (
        "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). Our system "
        "will be working on provisioning additional capacity. You can currently get {type} capacity by not specifying an "
        "Availability Zone in your request or choosing {others}."
    ),
    "SpotInsufficientInstanceCapacity": (
        "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no capacity available that matches your "
        "request."
    ),
    "MaxSpotInstanceCountExceeded": (
        "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded."
    ),
    "UnfulfillableCapacity": (
        "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request "
        "configuration. Please adjust your request and try again."
    ),
    "VcpuLimitExceeded": (
        "You have requested more vCPU capacity than your current vCPU limit of 4 allows for the instance bucket that the "
        "specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an "
        "adjustment to this limit."
    ),
    "Unsupported": (
        "The requested configuration is currently not supported. Please check the documentation for supported "
        "configurations."
    ),
    "InsufficientFreeAddressesInSubnet": (
        "There are not enough free addresses in subnet '{subnet}' to satisfy the requested number of instances."
    ),
}


def limit(region: str, group: str, available: int | None, error: str) -> None:
    """`available` None takes the limit away."""
    if error not in _WORDS:
        raise ValueError(f"error is one of {', '.join(_WORDS)}, not {error}")
    if available is None:
        _limits.pop((region, group), None)
    else:
        _limits[(region, group)] = Limit(available, error)


def refusal(group: FakeAutoScalingGroup) -> str | None:
    """Why EC2 gives the group no further instance now; None: it does."""
    found = _limits.get((group.region, group.name))
    if found is None or len(group.instance_states) < found.available:
        return None
    zone = group.availability_zones[0]
    return _WORDS[found.error].format(
        type=group.instance_type,
        zone=zone,
        others=", ".join(group.region + letter for letter in "abc" if group.region + letter != zone),
        subnet=group.vpc_zone_identifier,
    )
