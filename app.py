"""Strandline: the table of contents."""

from chalicelib.api.application import StrandlineApp
from chalicelib.api.openapi import routes as openapi
from chalicelib.api.routes import (
    account_pages,
    blobs,
    confirm,
    data,
    data_sets,
    data_sources,
    device_logs,
    grants,
    metrics,
    notes,
    oidc,
    other_services,
    partners,
    profiles,
    restricted_tokens,
    sessions,
    status,
    summaries,
    tasks,
    users,
)
from chalicelib.api.routes.nightscout import authorization as nightscout_authorization
from chalicelib.api.routes.nightscout import credentials as nightscout_credentials
from chalicelib.api.routes.nightscout import documents as nightscout_documents
from chalicelib.api.routes.nightscout import status as nightscout_status
from chalicelib.events import blobs as blob_events
from chalicelib.events import metrics as metric_events
from chalicelib.events import tasks as task_events

app = StrandlineApp(app_name="strandline")
app.api.binary_types = ["*/*"]
for account_api in (sessions, users, restricted_tokens, oidc, account_pages, confirm, grants, profiles):
    app.register_blueprint(account_api.blueprint)
for data_api in (data_sets, data, data_sources, partners, summaries, blobs, device_logs, notes):
    app.register_blueprint(data_api.blueprint)
for own_api in (status, metrics, tasks, other_services, openapi):
    app.register_blueprint(own_api.blueprint)
for nightscout_api in (nightscout_credentials, nightscout_authorization, nightscout_status, nightscout_documents):
    app.register_blueprint(nightscout_api.blueprint)
for source in (blob_events, metric_events, task_events):
    app.register_blueprint(source.blueprint)
