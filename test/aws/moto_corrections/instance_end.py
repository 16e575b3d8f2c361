"""Why and when an instance ended.

EC2 API reference, "StateReason"; EC2 User Guide, "Spot Instance interruptions" and
"Change instance initiated shutdown behavior". Moto knows no end but the user's.
"""

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models.instances import Instance, InstanceState, StateReason
from moto.ec2 import ec2_backends

from .pace import user_initiated

#: By what a test says in POST /reindex-test/instance-end: AWS's code and message.
_CAUSES = {
    "shutdown": (
        "Client.InstanceInitiatedShutdown",
        "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
    ),
    "spot": (
        "Server.SpotInstanceTermination",
        "Server.SpotInstanceTermination: Instance terminated by Spot interruption",
    ),
}


def terminate(instance: Instance) -> InstanceState:
    """A second time does nothing: the first end stands."""
    if instance.state == "terminated":
        return InstanceState("terminated", 48)
    reason = instance._reason or user_initiated()  # it may be shutting down since then
    previous = _moto_terminate(instance)
    instance._reason = reason
    return previous


_moto_terminate = Instance.terminate


def end(account: str, region: str, instance_id: str, cause: str) -> None:
    """Ends an instance as itself (its shutdown behaviour is taken to be "terminate") or as EC2 does."""
    code, message = _CAUSES[cause]
    backend = ec2_backends[account][region]
    instance = backend.get_instance(instance_id)
    if instance.state == "terminated":
        return
    backend.terminate_instances([instance_id])
    instance._reason = ""
    instance.state_reason = StateReason(message, code)
    autoscaling_backends[account][region].notify_terminate_instances([instance_id])


def apply() -> None:
    Instance.terminate = terminate
