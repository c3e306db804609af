"""The exceptions of botocore: those that may pass when the request is sent again, and those that are defects.

They are recognized by name, so nothing of botocore is imported here. `ClientError`, which carries a reply of AWS, is
recognized by its code (`errors.py`).
"""

MAY_PASS = frozenset(
    {
        # AWS cannot be reached, or the connection ends before the whole reply has come.
        "ConnectionClosedError",
        "ConnectionError",
        "ConnectTimeoutError",
        "EndpointConnectionError",
        "HTTPClientError",
        "IncompleteReadError",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "ResponseStreamingError",
        "SSLError",
        # The reply is damaged.
        "ChecksumError",
        "FlexibleChecksumError",
        "ResponseParserError",
        # The source of credentials or endpoints cannot be reached, or the quota of retries is used up.
        "CapacityNotAvailableError",
        "CredentialRetrievalError",
        "EndpointDiscoveryRefreshFailed",
        "MetadataRetrievalError",
    }
)
DEFECTS = frozenset(
    {
        "AliasConflictParameterError",
        "ApiVersionNotFoundError",
        "AwsChunkedWrapperError",
        "BaseEndpointResolverError",
        "BotoCoreError",
        "ConfigNotFound",
        "ConfigParseError",
        "DataNotFoundError",
        "EndpointDiscoveryException",
        "EndpointDiscoveryRequired",
        "EndpointProviderError",
        "EndpointResolutionError",
        "EndpointVariantError",
        "InfiniteLoopConfigError",
        "InvalidChecksumConfigError",
        "InvalidConfigError",
        "InvalidDNSNameError",
        "InvalidDefaultsMode",
        "InvalidEndpointConfigurationError",
        "InvalidEndpointDiscoveryConfigurationError",
        "InvalidExpressionError",
        "InvalidHostLabelError",
        "InvalidIMDSEndpointError",
        "InvalidIMDSEndpointModeError",
        "InvalidMaxRetryAttemptsError",
        "InvalidProxiesConfigError",
        "InvalidRegionError",
        "InvalidRetryConfigurationError",
        "InvalidRetryModeError",
        "InvalidS3AddressingStyleError",
        "InvalidS3UsEast1RegionalEndpointConfigError",
        "InvalidSTSRegionalEndpointsConfigError",
        "LoginAuthorizationCodeError",
        "LoginError",
        "LoginInsufficientPermissions",
        "LoginRefreshRequired",
        "LoginTokenLoadError",
        "MD5UnavailableError",
        "MissingDependencyException",
        "MissingParametersError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "NoRegionError",
        "OperationNotPageableError",
        "PaginationError",
        "ParamValidationError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "RangeError",
        "RefreshWithMFAUnsupportedError",
        "SSOError",
        "SSOTokenLoadError",
        "ServiceNotInRegionError",
        "StubAssertionError",
        "StubResponseError",
        "TokenRetrievalError",
        "UnStubbedResponseError",
        "UnauthorizedSSOTokenError",
        "UnknownClientMethodError",
        "UnknownCredentialError",
        "UnknownEndpointError",
        "UnknownEndpointResolutionBuiltInName",
        "UnknownFIPSEndpointError",
        "UnknownKeyError",
        "UnknownParameterError",
        "UnknownRegionError",
        "UnknownServiceError",
        "UnknownServiceStyle",
        "UnknownSignatureVersionError",
        "UnknownTokenProviderError",
        "UnseekableStreamError",
        "UnsupportedOutpostResourceError",
        "UnsupportedS3AccesspointConfigurationError",
        "UnsupportedS3ArnError",
        "UnsupportedS3ConfigurationError",
        "UnsupportedS3ControlArnError",
        "UnsupportedS3ControlConfigurationError",
        "UnsupportedServiceProtocolsError",
        "UnsupportedSignatureVersionError",
        "ValidationError",
        "WaiterConfigError",
        "WaiterError",
    }
)
"""Wrong parameters, configuration or data: no further attempt would succeed."""


def may_pass(error: BaseException) -> bool:
    """Whether a further attempt may succeed. A class that is not named here counts as the nearest class above it."""
    known = (kind.__name__ for kind in type(error).__mro__ if kind.__name__ in MAY_PASS | DEFECTS)
    return next(known, "") in MAY_PASS
