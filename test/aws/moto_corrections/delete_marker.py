"""What marks an object as deleted can be taken away when its bucket no longer keeps versions.

S3 User Guide, "Deleting object versions from a versioning-suspended bucket". Moto disposes of a marker as of an object, which
it is not, and answers 500.
"""

from moto.s3.models import FakeDeleteMarker


def dispose(_: FakeDeleteMarker) -> None:
    """It holds no content."""


def apply() -> None:
    FakeDeleteMarker.dispose = dispose
