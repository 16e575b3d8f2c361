"""Not towards AWS but towards speed: the tags of one resource are looked up by its id.

Moto matches a pattern against the id of every tag that there is, for each instance that a filter by tag looks at. With 200
instances, such as a whole test suite leaves behind, DescribeInstances took 0.3 s, in which nobody else was answered.
"""

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix


def get_tags(resource: TaggedEC2Resource) -> list[dict[str, str]]:
    tags = resource.ec2_backend.tags.get(resource.id)
    if not tags:
        return []
    resource_type = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "")
    return [
        {"resource_id": resource.id, "key": key, "value": value, "resource_type": resource_type}
        for key, value in tags.items()
    ]


def apply() -> None:
    TaggedEC2Resource.get_tags = get_tags
