"""The image that a launch gets.

Amazon EC2 Auto Scaling User Guide, "Use AWS Systems Manager parameters instead of AMI IDs in launch templates":
`resolve:ssm:name`, `resolve:ssm:name:version` or `resolve:ssm:name:label` is resolved at each launch. Moto takes it for
the image's id. What cannot be resolved, or names an image that does not exist, is a failed launch.
"""

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.ssm.exceptions import ParameterVersionNotFound
from moto.ssm.models import ssm_backends

PREFIX = "resolve:ssm:"


class Unresolvable(Exception):
    """With the sentence for the scaling activity."""


def resolve(group: FakeAutoScalingGroup, written: str) -> str:
    image_id = _parameter_value(group, written.removeprefix(PREFIX)) if written.startswith(PREFIX) else written
    if not group.ec2_backend.describe_images(filters={"image-id": image_id}):
        raise Unresolvable(f"The image id '[{image_id}]' does not exist.")
    return image_id


def _parameter_value(group: FakeAutoScalingGroup, name: str) -> str:
    try:
        parameter = ssm_backends[group.account_id][group.region].get_parameter(name)
    except ParameterVersionNotFound:
        parameter = None
    if parameter is None:
        raise Unresolvable(f"The Systems Manager parameter {name} could not be resolved: it was not found.")
    if not parameter.value.startswith("ami-"):
        raise Unresolvable(f'Invalid id: "{parameter.value}" (expecting "ami-...").')
    return parameter.value
