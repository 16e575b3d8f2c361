"""A bucket of another owner than the caller expects is refused.

S3 User Guide, "Verifying bucket ownership with bucket owner condition": 403 AccessDenied. Moto does not look at it.
"""

from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response


def authorize(response: S3Response, bucket_name: str | None = None, key_name: str | None = None) -> None:
    expected = response.headers.get("x-amz-expected-bucket-owner")
    bucket = next(
        (
            regions["aws"].buckets[bucket_name]
            for regions in s3_backends.values()
            if bucket_name in regions["aws"].buckets
        ),
        None,
    )
    if expected and bucket is not None and bucket.account_id != expected:
        raise S3AccessDeniedError()
    _moto_authorize(response, bucket_name=bucket_name, key_name=key_name)


_moto_authorize = S3Response._authenticate_and_authorize_s3_action


def apply() -> None:
    S3Response._authenticate_and_authorize_s3_action = authorize
