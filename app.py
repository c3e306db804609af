"""Strandline: the table of contents."""

from chalicelib.api import access, auth, auth_users, blobs, data, data_sets, device_logs, metadata, metrics, platform
from chalicelib.api.application import StrandlineApp
from chalicelib.events import blobs as blob_events
from chalicelib.events import metrics as metric_events

app = StrandlineApp(app_name="strandline")
app.api.binary_types = ["*/*"]
app.register_blueprint(platform.blueprint)
app.register_blueprint(auth.blueprint)
app.register_blueprint(auth_users.blueprint)
app.register_blueprint(access.blueprint)
app.register_blueprint(metadata.blueprint)
app.register_blueprint(data_sets.blueprint)
app.register_blueprint(data.blueprint)
app.register_blueprint(blobs.blueprint)
app.register_blueprint(device_logs.blueprint)
app.register_blueprint(metrics.blueprint)
app.register_blueprint(blob_events.blueprint)
app.register_blueprint(metric_events.blueprint)
