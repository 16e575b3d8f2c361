"""What moto does otherwise than AWS, mended where a run on an Auto Scaling group depends on it.

One file one idea, each with the document of AWS that it follows. Everything here takes the place of a method of moto when
`apply` is called, and changes nothing on import.
"""

from . import (
    bucket_owner,
    bucket_policy,
    delete_marker,
    group_size,
    instance_end,
    instance_refresh,
    launch,
    pace,
    refusals,
    scaling_activities,
    tag_lookup,
)


def apply() -> None:
    for correction in (
        bucket_owner,
        bucket_policy,
        delete_marker,
        group_size,
        instance_end,
        instance_refresh,
        launch,
        pace,
        refusals,
        scaling_activities,
        tag_lookup,
    ):
        correction.apply()
