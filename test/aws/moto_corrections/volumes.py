"""The volumes that an instance gets of its template.

EC2 API reference, "EbsBlockDevice", and EC2 User Guide, "Block device mappings": a mapping for a device that the image has
too overrides what it names, and keeps the image's snapshot and size. Moto keeps no mappings of images, and refuses one
without a size.
"""

from typing import Any

#: Of the image's root volume.
IMAGE_GIB = 8


def mappings(template: dict[str, Any]) -> dict[str, Any]:
    """For moto's `run_instances`; a template that names none leaves it at moto's own default."""
    named = template.get("BlockDeviceMappings")
    if not named:
        return {}
    return {
        "block_device_mappings": [
            {**device, "Ebs": {"VolumeSize": IMAGE_GIB, **device.get("Ebs", {})}} for device in named
        ]
    }
