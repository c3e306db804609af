"""botocore's standard retries, outside of a client of botocore."""

from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from botocore.retries.quota import RetryQuota
from botocore.retries.standard import (
    ExponentialBackoff,
    RetryContext,
    RetryEventAdapter,
    RetryQuotaChecker,
    StandardRetryConditions,
    ThrottlingErrorDetector,
)


class StandardRetries:
    """Decides whether and when a failed request is sent again: conditions, pauses and quota are those of botocore."""

    def __init__(self, service: str, max_attempts: int) -> None:
        throttling = ThrottlingErrorDetector(RetryEventAdapter())
        self._conditions = StandardRetryConditions(max_attempts=max_attempts)
        self._backoff = ExponentialBackoff(service_name=service, throttling_detector=throttling)
        self._quota = RetryQuotaChecker(RetryQuota(), throttling)
        # Stands for the model of an operation, whose errors may be marked as ones to retry. In the model of DynamoDB,
        # only an error of global tables has a mark and a code that the conditions do not know.
        self._operation: Any = SimpleNamespace(error_shapes=(), service_model=SimpleNamespace(service_name=service))

    def delay_s(self, attempt: int, error: Exception, reply: Any, state: dict[str, Any]) -> float | None:
        """The pause before the next attempt; None if there is none.

        Args:
            attempt: the number of the failed attempt, from 1.
            reply: with `status_code`, `headers` and `content`; None if there was none.
            state: what the attempts at one request share, empty before the first.
        """
        parsed: Any = error.response if isinstance(error, ClientError) else None
        context = RetryContext(
            attempt_number=attempt,
            operation_model=self._operation,
            parsed_response=parsed,
            http_response=reply,
            caught_exception=error if parsed is None else None,
            request_context=state,
        )
        if not self._conditions.is_retryable(context) or not self._quota.acquire_retry_quota(context):
            return None
        delay_s: float = self._backoff.delay_amount(context)
        return delay_s

    def succeeded(self, reply: Any, state: dict[str, Any]) -> None:
        """Give back the quota that the attempts took."""
        context: Any = state  # botocore passes a dictionary, too; its stubs say otherwise
        self._quota.release_retry_quota(context, reply)
