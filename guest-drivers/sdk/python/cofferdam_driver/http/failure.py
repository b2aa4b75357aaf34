"""What `wasi:http` says of a request that got no answer, in the contract's errors: a sentence of its own for each cause
that a deployer would mend in another way. Codes are compared by the names of their classes, so that the rules can be
tested without a host."""

from ..errors import DriverError, Failed, InvalidConfiguration, Unavailable
from .text import shown

_SETTINGS = {
    "HttpRequestDenied": "the host does not let this driver send such a request to {}: the backend's grants.http must"
    " name it",
    "DestinationIpProhibited": "the host does not let this driver reach the address that {} resolves to",
    "ConfigurationError": "the host's settings for requests to {} do not work: TLS files or proxy",
}
_MALFORMED = (
    "HttpRequestMethodInvalid",
    "HttpRequestUriInvalid",
    "HttpRequestUriTooLong",
    "HttpRequestHeaderSectionSize",
    "HttpRequestHeaderSize",
    "HttpRequestTrailerSectionSize",
    "HttpRequestTrailerSize",
    "HttpUpgradeFailed",
)
_CAUSES = {
    "DnsTimeout": "its name was not resolved in time",
    "DnsError": "its name cannot be resolved",
    "DestinationNotFound": "its name cannot be resolved",
    "DestinationUnavailable": "no route leads to its address",
    "DestinationIpUnroutable": "no route leads to its address",
    "ConnectionRefused": "the connection was refused; nothing listens there",
    "ConnectionTimeout": "the connection was not made in time",
    "ConnectionTerminated": "the connection was cut",
    "ConnectionReadTimeout": "it sent nothing more for too long",
    "ConnectionWriteTimeout": "it took no more bytes for too long",
    "ConnectionLimitReached": "too many connections are open",
    "HttpResponseTimeout": "it did not answer in time",
    "HttpResponseIncomplete": "its answer broke off",
    "TlsCertificateError": "its certificate is not trusted, for its issuer is unknown; the backend's option for a file of"
    " CA certificates must name a file with the issuer's",
    "TlsProtocolError": "no TLS connection came about; does it speak https on this port?",
    "HttpProtocolError": "it does not speak HTTP as it should",
    "LoopDetected": "the request came back in a loop",
}


def name(code) -> str:
    """The code's name in the contract of `wasi:http`, in camel case."""
    return type(code).__name__.removeprefix("ErrorCode_")


def error(code, origin: str) -> DriverError:
    """The error for a request to `origin` that failed with the code."""
    kind = name(code)
    if kind in _SETTINGS:
        return InvalidConfiguration("", _SETTINGS[kind].format(origin))
    if kind in ("HttpRequestBodySize", "HttpRequestLengthRequired"):
        return Failed(f"the body sent to {origin} had another length than announced")
    if kind in _MALFORMED:
        return Failed(f"the host refused a malformed request to {origin} ({kind})")
    return Unavailable(f"{origin} gave no answer: {_cause(kind, code)}")


def _cause(kind: str, code) -> str:
    """Why there is no answer, for everything that may pass by itself."""
    if kind == "TlsAlertReceived":
        return f"it ended the TLS connection ({shown(code.value.alert_message or 'no reason given')})"
    if kind == "InternalError":
        # The host's sentence about what WASI has no word for: a certificate that expired, a proxy that refused.
        return shown(code.value or "the host could not send the request")
    return _CAUSES.get(kind) or f"its answer cannot be understood ({kind})"
