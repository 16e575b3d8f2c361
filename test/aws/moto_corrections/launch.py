"""How a group launches an instance.

Amazon EC2 Auto Scaling User Guide, "Auto Scaling launch templates": an instance is of the version that the group names
($Latest and $Default are taken at the launch), with its image, shutdown behaviour, volumes, tags and metadata options, and
shows that version for all its life: in the tags aws:ec2launchtemplate:id and :version, and in DescribeAutoScalingGroups. Moto
takes the default version for all and shows the group's own in its place.
"""

import time

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.ec2.models.instances import Instance
from moto.ec2.utils import convert_tag_spec

from . import capacity, image, pace
from .mixed_instances import next_purchase
from .scaling_activities import record
from .volumes import mappings

#: A group whose launch failed tries again, by itself; AWS waits for minutes.
RETRY_SECONDS = 1.0

_DESCRIPTION = "Launching a new EC2 instance"


def launch_missing(group: FakeAutoScalingGroup) -> None:
    """Launches up to the desired capacity, or as far as EC2 and the image allow."""
    while len(group.active_instances()) < (group.desired_capacity or 0):
        if time.monotonic() < group.__dict__.get("next_launch", 0):
            return
        have = len(group.active_instances())
        cause = (
            "an instance was started in response to a difference between desired and actual capacity, "
            f"increasing the capacity from {have} to {group.desired_capacity}."
        )
        try:
            message = capacity.refusal(group)
            if message:
                raise image.Unresolvable(message)
            instance = _launch(group)
        except image.Unresolvable as refused:
            record(group, _DESCRIPTION, cause, "Failed", f"{refused} Launching EC2 instance failed.")
            group.__dict__["next_launch"] = time.monotonic() + RETRY_SECONDS
            return
        record(group, f"{_DESCRIPTION}: {instance.id}", cause)


def try_at_once(group: FakeAutoScalingGroup) -> None:
    """Forgets that a launch has failed, as a request of the user does."""
    group.__dict__.pop("next_launch", None)


def _launch(group: FakeAutoScalingGroup) -> Instance:
    template = group.ec2_launch_template
    version = template.get_version(group.launch_template_version)
    purchase = next_purchase(group, version.data)
    options = {
        "instance_initiated_shutdown_behavior": version.data.get("InstanceInitiatedShutdownBehavior"),
        "instance_market_options": purchase.market,
        "metadata_options": version.data.get("MetadataOptions", {}),
        **mappings(version.data),
    }
    tags_at_birth = convert_tag_spec(version.data.get("TagSpecifications", []))
    subnet = group.vpc_zone_identifier.split(",")[0] if group.vpc_zone_identifier else None
    reservation = group.ec2_backend.run_instances(
        image.resolve(group, version.image_id),
        1,
        version.user_data,
        version.security_groups,
        instance_type=purchase.instance_type,
        tags={
            **tags_at_birth,
            "instance": {
                **group.get_propagated_tags(),
                **tags_at_birth.get("instance", {}),
                ASG_NAME_TAG: group.name,
            },
        },
        launch_template={"LaunchTemplateId": template.id, "Version": str(version.number)},
        is_instance_type_default=False,
        region_name=group.region,
        subnet_id=subnet,
        placement=None if subnet else group.availability_zones[0],
        **options,
    )
    instance = reservation.instances[0]
    instance.autoscaling_group = group
    instance.launched_from = {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": str(version.number),
    }
    protected = group.new_instances_protected_from_scale_in
    state = InstanceState(instance, protected_from_scale_in=protected)
    group.instance_states.append(state)
    pace.begin_launch(group, state)
    return instance


def apply() -> None:
    InstanceState.launch_template = property(lambda state: state.instance.launched_from)
