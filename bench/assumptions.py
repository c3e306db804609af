"""Everything that the cost model takes for given: the numbers that are not measured, each with its reason."""

from tools.idle_cost import HOURS_A_MONTH

DAYS_A_YEAR = 365
MONTHS_A_YEAR = 12

# One person with a CGM and Loop, who is followed and looks at their own data.
UPLOADS_A_DAY = 288
"""A request every five minutes, with what there is since the last."""
RECORDS_A_DAY = {
    "cbg": 288,
    "dosingDecision": 288,
    "pumpStatus": 144,
    "controllerStatus": 144,
    "basal": 150,
    "bolus": 20,
    "food": 5,
}
"""1,039 records; in the samples of Loop, which give their shapes, some kinds are more and some fewer on one day."""
SHORT_READ_DAYS, SHORT_READS_A_DAY = 14, 1
LONG_READ_DAYS, LONG_READS_A_DAY = 90, 1
"""Both of all types, as the web application reads them."""
POLLS_A_DAY = 288
"""One follower who asks every five minutes whether there is anything new."""
COMPACTIONS_A_DAY = 1
QUEUE_REQUESTS_PER_TASK = 3
"""An order is sent, received, deleted."""
EVENTS_A_DAY = 10
"""Requests to `/metrics`, which apps send of themselves."""
EVENT_DURATION_S = 0.03
EVENT_PAYLOAD_UNITS = 1
"""An event is far below the 25 KB of a unit."""

# Lambda charges for the time that a request takes, not for its CPU time.
LAMBDA_MEMORY_MB_OF_A_CORE = 1769
"""Memory with which a function gets a whole core; with less it gets that part of one (AWS's documentation)."""
CORE_RATIO = 1.0
"""CPU time on Lambda's core over that on the machine of the bench."""
DYNAMODB_CALL_S = 0.006
"""What a call waits for DynamoDB: single-digit milliseconds, says AWS."""
S3_CALL_S = 0.040
COLD_STARTS_PER_REQUEST = 0.05
"""Lambda ends an environment that is idle for some minutes: uploads and polls of one person keep it warm mostly."""
COLD_START_S = 1.0

# What every request leaves in the log beside the application's own lines, which are measured.
LAMBDA_LOG_BYTES = 350
"""START, END and REPORT."""
LOG_RETENTION_MONTHS = 1

# What a stage has whether anybody uses it or not, beside what tools/idle_cost.py takes for given.
DISPATCHES_A_MONTH = 60 * HOURS_A_MONTH
KMS_REQUESTS_A_MONTH = 4 * 12 * HOURS_A_MONTH
"""Three tables in constant use, and the stream: each asks for its key about every five minutes."""
SECRET_READS_A_MONTH = 1000
"""Each new environment reads what it needs once."""
EVENTS_A_SHARD_A_SECOND = 1000
PEAK_OVER_MEAN = 5
"""How much busier the busiest second is than the mean one."""

# What an account has at first of each service, in a region, a second. It can be raised (Service Quotas).
TABLE_UNITS = 40_000
"""Of each kind, for a table that is paid by request."""
NEW_TABLE_WRITE_UNITS, NEW_TABLE_READ_UNITS = 4_000, 12_000
"""What a table takes at once when it is new; it doubles what it has taken before, within half an hour."""
API_GATEWAY_REQUESTS = 10_000
LAMBDA_CONCURRENCY = 1_000
"""Functions that run at the same moment; some new accounts have 10."""
