"""How EC2 and Systems Manager refuse credentials and lacking permissions; moto says both as Auto Scaling and IAM would.

EC2 API reference, "Error codes" (UnauthorizedOperation) in EC2's own XML; Systems Manager API reference, "Common errors"
(AccessDeniedException, UnrecognizedClientException, InvalidSignatureException), status 400, in JSON.
"""

import json

from moto.iam.access_control import IAMRequest
from werkzeug.exceptions import HTTPException


class Refusal(HTTPException):
    """Moto answers with the description as it is."""

    def __init__(self, status: int, body: str):
        super().__init__(body)
        self.code = status


def _json(code: str, message: str) -> Refusal:
    return Refusal(400, json.dumps({"__type": code, "message": message}))


def _ec2(code: str, message: str) -> Refusal:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Refusal(403, f"<Response><Errors>{error}</Errors><RequestID>of-a-test</RequestID></Response>")


def deny(request: IAMRequest) -> None:
    action = request._action
    sentence = (
        f"User: {request._access_key.arn} is not authorized to perform: {action} "
        f"because no identity-based policy allows the {action} action"
    )
    if request._service == "ssm":
        raise _json("AccessDeniedException", sentence)
    if request._service == "ec2":
        raise _ec2("UnauthorizedOperation", f"You are not authorized to perform this operation. {sentence}")
    _moto_deny(request)


def refuse_key(request: IAMRequest, reason: str) -> None:
    if request._service == "ssm":
        raise _json("UnrecognizedClientException", "The security token included in the request is invalid.")
    _moto_refuse_key(request, reason)


def refuse_signature(request: IAMRequest) -> None:
    if request._service == "ssm":
        raise _json(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
            "Key and signing method. Consult the service documentation for details.",
        )
    _moto_refuse_signature(request)


_moto_deny = IAMRequest._raise_access_denied
_moto_refuse_key = IAMRequest._raise_invalid_access_key
_moto_refuse_signature = IAMRequest._raise_signature_does_not_match


def apply() -> None:
    IAMRequest._raise_access_denied = deny
    IAMRequest._raise_invalid_access_key = refuse_key
    IAMRequest._raise_signature_does_not_match = refuse_signature
