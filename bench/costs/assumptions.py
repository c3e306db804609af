"""The assumptions of the cost model: every number that is not measured, with its reason."""

from tools.stages.idle_cost import HOURS_A_MONTH

DAYS_A_YEAR = 365
MONTHS_A_YEAR = 12

# A person with a CGM and Loop who has a follower and looks at their own data.
UPLOADS_A_DAY = 288
"""A request every five minutes, with the records since the last one."""
RECORDS_A_DAY = {
    "cbg": 288,
    "dosingDecision": 288,
    "pumpStatus": 144,
    "controllerStatus": 144,
    "basal": 150,
    "bolus": 20,
    "food": 5,
}
"""1,039 records. Their shapes come from the samples of Loop, in which the counts of a day vary by type."""
SHORT_READ_DAYS, SHORT_READS_A_DAY = 30, 1
LONG_READ_DAYS, LONG_READS_A_DAY = 90, 1
"""Tidepool's web application reads 30 days when it is opened, and more when the person goes further back."""
WEB_APP_FILTERS = {
    "type": "cbg,smbg,basal,bolus,insulin,wizard,food,cgmSettings,deviceEvent,dosingDecision,physicalActivity,"
    "pumpSettings,reportedState,upload,water",
    "dosingDecision.reason": "normalBolus,simpleBolus,watchBolus,oneButtonBolus",
    "sampleIntervalMinimum": "300000",
}
"""The filters of both reads (blip 1.99.0, app/redux/actions/async.js)."""
WEB_APP_LATEST = {"latest": "1", "type": "cbg,smbg,basal,bolus,insulin,wizard,food,pumpSettings,upload"}
"""The read before the first of them, which finds the newest data."""
POLLS_A_DAY = 288
"""One follower who polls every five minutes."""
COMPACTIONS_A_DAY = 1
QUEUE_REQUESTS_PER_TASK = 3
"""A run message is sent, received and deleted."""
EVENTS_A_DAY = 10
"""Requests to `/metrics`, which apps send on their own."""
EVENT_DURATION_S = 0.03
EVENT_PAYLOAD_UNITS = 1
"""An event is far smaller than the 25 KB of a unit."""

# Lambda charges for the duration of a request, not for its CPU time.
LAMBDA_MEMORY_MB_OF_A_CORE = 1769
"""The memory with which a function gets a whole core; with less, it gets a proportional share (AWS documentation)."""
CORE_RATIO = 1.0
"""CPU time on a core of Lambda, relative to the machine that runs the benchmark."""
DYNAMODB_CALL_S = 0.006
"""The latency of DynamoDB; AWS documents single-digit milliseconds."""
S3_CALL_S = 0.040
COLD_STARTS_PER_REQUEST = 0.05
"""Lambda ends an environment that is idle for some minutes; uploads and polls of one person mostly keep it warm."""
COLD_START_S = 1.0

# Lambda's own log lines for each request; those of the application are measured.
LAMBDA_LOG_BYTES = 350
"""The lines START, END and REPORT."""
LOG_RETENTION_MONTHS = 1

# The fixed use of a stage, beside the assumptions in tools/stages/idle_cost.py.
DISPATCHES_A_MONTH = 60 * HOURS_A_MONTH
KMS_REQUESTS_A_MONTH = 4 * 12 * HOURS_A_MONTH
"""Three tables in constant use, and the stream: each requests its key about every five minutes."""
SECRET_READS_A_MONTH = 1000
"""Each new environment reads its secrets once."""
EVENTS_A_SHARD_A_SECOND = 1000
PEAK_OVER_MEAN = 5
"""The load of the busiest second, relative to the mean."""

# The default quotas of an account, for a region and a second. They can be raised (Service Quotas).
TABLE_UNITS = 40_000
"""Read units, and also write units, of an on-demand table."""
NEW_TABLE_WRITE_UNITS, NEW_TABLE_READ_UNITS = 4_000, 12_000
"""The initial throughput of a new table, which doubles its previous peak within half an hour."""
API_GATEWAY_REQUESTS = 10_000
LAMBDA_CONCURRENCY = 1_000
"""Concurrent executions; some new accounts have 10."""
